"""Subtensors, gathers and scatters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, cast

from xdsl.dialects.builtin import DYNAMIC_INDEX
from xdsl.ir import Operation, SSAValue

from tetractys.dialects import elemwise_signatures as scalar
from tetractys.dialects import types
from tetractys.dialects.build import SignatureOp, name_apply, props_of
from tetractys.dialects.loops import YIELDED, ZERO, EmptyOp, InsertOp
from tetractys.dialects.loops_views import (
    AT,
    FULL,
    RANGE,
    WHOLE,
    Entry,
    make_subview,
    part_operands,
    part_properties,
)
from tetractys.dialects.signature import DYNAMIC
from tetractys.dialects.tensor_signatures import parse_slices, subtensor_shape
from tetractys.passes.lower_access import (
    Access,
    ArrayAccess,
    ConstantAccess,
    ScalarAccess,
    SizeAccess,
    VectorAccess,
    whole_entries,
)
from tetractys.passes.lower_nests import FunctionLowering, NestBuilder, shape_of
from tetractys.passes.size_expressions import Size, find, slice_range

Range: TypeAlias = "tuple[Size, Size, Size] | Size | None"
"""A dimension of a region: first index, number and step; or one index; or all of it."""


class _Region:
    """How each dimension of an operation's first operand is indexed; the region's static shape."""

    def __init__(self, lowering: FunctionLowering, op: SignatureOp, first_bound: int) -> None:
        self.lowering = lowering
        array, table = op.operands[0], lowering.analysis.table
        sizes, shape = lowering.analysis.of(array), shape_of(array)
        self.shape = subtensor_shape(shape, parse_slices(str(props_of(op)["slices"])))
        self.ranges: list[Range] = []
        kept = iter(self.shape)
        for size, n, found in zip(sizes, shape, lowering.analysis.slices(op, first_bound)):
            if not isinstance(found, tuple):
                self.ranges.append(found)
                continue
            static = next(kept)
            first, number = slice_range(table, size, found)
            whole = find(first).constant == 0 and find(found[2]).constant == 1
            whole = whole and find(number) is find(size) and n == static
            self.ranges.append(None if whole or static == 1 else (first, number, found[2]))
        self.ranges += [None] * (len(sizes) - len(self.ranges))
        self.sizes = [entry[1] if isinstance(entry, tuple) else size
                      for size, entry in zip(sizes, self.ranges)
                      if not isinstance(entry, Size)]  # fmt: skip

    def entry(self, axis: int) -> Entry:
        """One dimension as `index` values of the function."""
        found, index = self.ranges[axis], self.lowering.index
        if found is None:
            return FULL
        if isinstance(found, Size):
            return Entry(AT, index(found))
        step = find(found[2])
        number = step.constant
        if number is None or number == DYNAMIC_INDEX:  # -2**63, which stands for unknown ones
            return Entry(RANGE, index(found[0]), index(found[1]), index(step))
        return Entry(RANGE, index(found[0]), index(found[1]), number)


def lower_subtensor(lowering: FunctionLowering, op: SignatureOp) -> None:
    """A view of the array, with its dimensions in the array's order; an element where none is left.

    Nothing moves. Of what is no array (a range, a vector of sizes) one is made first, unless its
    elements are all the same.
    """
    source, result = op.operands[0], op.results[0]
    if _is_known_number(lowering, op):
        lowering.set_access(result, SizeAccess(lowering.analysis.scalar(result)))
        return
    access = lowering.access(source)
    region = _Region(lowering, op, 1)
    ranges = region.ranges
    if isinstance(access, VectorAccess) and isinstance(ranges[0], Size):
        number, count = find(ranges[0]).constant, len(access.elements)
        if access.axis == 0 and number is not None and -count <= number < count:
            lowering.set_access(result, access.elements[number])
            return
    is_same = isinstance(access, ScalarAccess | ConstantAccess | SizeAccess)
    if is_same and not any(isinstance(entry, Size) for entry in ranges):
        lowering.set_access(result, access)
        return
    if not isinstance(access, ArrayAccess) or _drops_broadcast(access, ranges):
        access = ArrayAccess(lowering.array(source), whole_entries(len(shape_of(source))))
    lowering.set_access(result, _part_of(lowering, op, access, region))


def _drops_broadcast(access: ArrayAccess, ranges: Sequence[Range]) -> bool:
    """Whether an index goes into a dimension along which the array is repeated: it is checked."""
    return any(isinstance(entry, Size) and axis not in access.entries
               for axis, entry in enumerate(ranges))  # fmt: skip


def _part_of(
    lowering: FunctionLowering, op: SignatureOp, access: ArrayAccess, region: _Region
) -> Access:
    """The sliced value: the same dimensions of a view."""
    part = [FULL if axis == ZERO else region.entry(axis) for axis in access.entries]
    if not region.shape:
        zero = lowering.constant(0, "index")
        indices = [entry.first or zero for entry in part]
        return ScalarAccess(lowering.gather(access.base, indices, False, op.location))
    after = [sum(not isinstance(found, Size) for found in region.ranges[:axis])
             for axis in range(len(region.ranges))]  # fmt: skip
    entries = [ZERO if axis == ZERO else after[axis]
               for axis, entry in zip(access.entries, part) if entry.kind != AT]  # fmt: skip
    return ArrayAccess(build_view(lowering, access.base, part), tuple(entries))


def build_view(
    lowering: FunctionLowering, base: SSAValue, part: Sequence[Entry]
) -> SSAValue:
    """A part of an array; itself, where that is all of it."""
    if all(entry.kind == WHOLE for entry in part):
        return base
    dtype, shape = types.spec_of(base.type)
    kept = [n if entry.kind == WHOLE else DYNAMIC for n, entry in zip(shape, part)
            if entry.kind != AT]  # fmt: skip
    view = make_subview(base, part, types.tensor_type((dtype, tuple(kept))),
                        location=lowering.location)
    view.out.name_hint = base.name_hint
    _name_apply(lowering, view, part)
    lowering.block.add_op(view)
    return view.out


def _name_apply(lowering: FunctionLowering, op: Operation, part: Sequence[Entry]) -> None:
    """Of a part with an index, which may be out of range, the Apply that the error names."""
    if lowering.operation is not None and any(entry.kind == AT for entry in part):
        name_apply(op, lowering.operation)


def _is_known_number(lowering: FunctionLowering, op: SignatureOp) -> bool:
    if shape_of(op.results[0]) or lowering.analysis.vector(op.operands[0]) is None:
        return False
    size = lowering.analysis.scalar(op.results[0])
    return size.key != ("scalar", op.results[0]) and types.dtype_of(op.results[0].type) == "int64"


def lower_inc_subtensor(lowering: FunctionLowering, op: SignatureOp) -> None:
    """What the region shall hold, inserted; a single element is scattered.

    What is added to a region reads it as a view: elements that are all the same are not read.
    """
    target, value = op.operands[0], op.operands[1]
    region = _Region(lowering, op, 2)
    if not region.shape:
        _lower_one_element(lowering, op, region)
        return
    part = [region.entry(axis) for axis in range(len(region.ranges))]
    access = lowering.access(target)
    same = access if isinstance(access, ConstantAccess) else None
    around = same is not None and is_block(part)
    base = build_empty(lowering, target) if around else lowering.array(target)
    dtype = types.dtype_of(target.type)
    adds = not props_of(op).get("set")
    old = build_view(lowering, base, part) if adds and same is None else None
    nest = NestBuilder(lowering, op.location)
    found = nest.iterate(region.sizes, region.shape)
    element = nest.cast(nest.element(value, found), dtype)
    if adds:
        before = nest.input(old, tuple(found)) if old is not None else access.element(nest, ())
        element = nest.op(scalar.ADD, before, element)
    result = nest.collect(element, found, types.tensor_type((dtype, region.shape)))
    result.name_hint = value.name_hint
    result = build_insert(lowering, result, base, part)
    if same is not None and around:
        result = _fill_around(lowering, target, same, result, part)
    lowering.set(op.results[0], result)


def is_block(part: Sequence[Entry]) -> bool:
    """Whether a part is a block: neighbours in the array are neighbours in it."""
    return all(entry.kind == WHOLE or (entry.kind == RANGE and entry.step == 1) for entry in part)


def _fill_around(
    lowering: FunctionLowering,
    target: SSAValue,
    same: ConstantAccess,
    array: SSAValue,
    part: Sequence[Entry],
) -> SSAValue:
    """The array with one number around a block; what the block holds is not filled.

    Dimension by dimension: what is before and behind its range, where earlier dimensions are in
    theirs.
    """
    sizes = lowering.analysis.of(target)
    around = [FULL] * len(part)
    for axis, (entry, size) in enumerate(zip(part, sizes)):
        if entry.first is None or entry.size is None:
            continue
        behind = lowering.op(scalar.ADD, entry.first, entry.size)
        rest = lowering.op(scalar.SUB, lowering.index(size), behind)
        zero = lowering.constant(0, "index")
        for start, count in ((zero, entry.first), (behind, rest)):
            around[axis] = Entry(RANGE, start, count)
            array = build_insert(lowering, _fill(lowering, target, same, around), array, around)
        around[axis] = entry
    return array


def _fill(
    lowering: FunctionLowering, target: SSAValue, same: ConstantAccess, part: Sequence[Entry]
) -> SSAValue:
    """An array of one number, as large as a part of a level-1 value."""
    nest = NestBuilder(lowering, lowering.location)
    shape = [DYNAMIC if entry.kind == RANGE else n for entry, n in zip(part, shape_of(target))]
    found = nest.iterate(lowering.analysis.of(target), shape)
    for position, entry in zip(found, part):
        if entry.size is not None:
            nest.sizes[position] = entry.size
    value = same.element(nest, ())
    result = nest.collect(value, found, types.tensor_type((same.dtype, tuple(shape))))
    result.name_hint = "fill"
    return result


def build_empty(lowering: FunctionLowering, value: SSAValue) -> SSAValue:
    """An array like a level-1 value whose elements are not set yet."""
    sizes = [lowering.index(size) for size, n in zip(lowering.analysis.of(value), shape_of(value))
             if n == DYNAMIC]  # fmt: skip
    empty = EmptyOp.create(
        operands=sizes, result_types=[value.type], location=lowering.location
    )
    empty.out.name_hint = lowering.hint
    lowering.block.add_op(empty)
    return empty.out


def build_insert(
    lowering: FunctionLowering, value: SSAValue, base: SSAValue, part: Sequence[Entry]
) -> SSAValue:
    """An array with a part replaced; the value itself where that is all of it."""
    if all(entry.kind == WHOLE for entry in part):
        return value
    insert = InsertOp.create(
        operands=[value, base, *part_operands(part)],
        result_types=[base.type],
        properties=part_properties(part),
        location=lowering.location,
    )
    insert.out.name_hint = lowering.hint
    _name_apply(lowering, insert, part)
    lowering.block.add_op(insert)
    return insert.out


def _lower_one_element(lowering: FunctionLowering, op: SignatureOp, region: _Region) -> None:
    """A scatter of one value; a number is replaced or added to."""
    target, value = op.operands[0], op.operands[1]
    if not shape_of(target):
        number = lowering.cast(lowering.scalar(value), types.dtype_of(target.type))
        if not props_of(op).get("set"):
            number = lowering.op(scalar.ADD, lowering.scalar(target), number)
        lowering.set(op.results[0], number)
        return
    base = lowering.array(target)
    nest = NestBuilder(lowering, op.location)
    element = nest.cast(nest.element(value, []), types.dtype_of(target.type))
    indices = [nest.size(entry) for entry in region.ranges if isinstance(entry, Size)]
    _finish_scatter(lowering, op, nest, base, [YIELDED] * len(indices), [element, *indices])


def _finish_scatter(
    lowering: FunctionLowering,
    op: SignatureOp,
    nest: NestBuilder,
    base: SSAValue,
    entries: Sequence[int],
    values: Sequence[SSAValue],
) -> None:
    kind = "scatter_set" if props_of(op).get("set") else "scatter_add"
    result = op.results[0]
    made = nest.finish([kind], [entries], [result.type], values, [base])[0]
    name_apply(cast(Operation, made.owner), op)
    lowering.set(result, made)


def lower_advanced_subtensor(lowering: FunctionLowering, op: SignatureOp) -> None:
    """A nest over the indices and the dimensions that have none, around a gather."""
    source, result = op.operands[0], op.results[0]
    nest = NestBuilder(lowering, op.location)
    found = nest.iterate(lowering.analysis.of(result), shape_of(result))
    indices = [_index(nest, operand, found[0]) for operand in op.operands[1:]]
    indices += [nest.position(position) for position in found[1:]]
    base, axes = lowering.permuted_array(source)
    indices = [indices[axis] for axis in axes]
    is_turned = axes != tuple(range(len(axes)))
    given = len(op.operands) - 1
    element = nest.gather(base, indices, False, axes=axes if is_turned else (),
                          checked=given if given < len(axes) else None)
    lowering.set(result, nest.collect(element, found, result.type))


def _index(nest: NestBuilder, operand: SSAValue, position: int) -> SSAValue:
    return nest.op(scalar.CAST, nest.element(operand, [position]), dtype="index")


def lower_advanced_inc_subtensor(lowering: FunctionLowering, op: SignatureOp) -> None:
    """A scatter along the indices; the other dimensions stay iterators."""
    target, value = op.operands[0], op.operands[1]
    base = lowering.array(target)
    indices = op.operands[2:]
    lengths = [lowering.analysis.of(index)[0] for index in indices]
    length = next((n for n in lengths if n.constant != 1), lengths[0])
    rest = len(indices)
    nest = NestBuilder(lowering, op.location)
    found = nest.iterate(
        [length, *lowering.analysis.of(target)[rest:]],
        [1 if length.constant == 1 else -1, *shape_of(target)[rest:]],
    )
    element = nest.cast(nest.element(value, found), types.dtype_of(target.type))
    yielded = [_index(nest, index, found[0]) for index in indices]
    entries = [YIELDED] * rest + found[1:]
    _finish_scatter(lowering, op, nest, base, entries, [element, *yielded])
