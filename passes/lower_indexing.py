"""Subtensors, gathers and scatters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from xdsl.ir import SSAValue

from tetractys.dialects import elemwise_signatures as scalar
from tetractys.dialects import types
from tetractys.dialects.build import SignatureOp, props_of
from tetractys.dialects.loops import YIELDED, ZERO
from tetractys.passes.lower_access import (
    Access,
    Affine,
    ArrayAccess,
    Entry,
    Fixed,
    SizeAccess,
    VectorAccess,
    affine_index,
    whole_entries,
)
from tetractys.passes.lower_nests import FunctionLowering, NestBuilder, shape_of
from tetractys.passes.size_expressions import Size, find, slice_range
from tetractys.passes.sizes import SliceSizes

Range: TypeAlias = "tuple[Size, Size, Size] | Size"
"""A dimension of a region: first index, number and step; or one index."""


def _ranges(lowering: FunctionLowering, op: SignatureOp, first_bound: int) -> list[Range]:
    """How each dimension of the first operand is indexed."""
    analysis = lowering.analysis
    sizes = analysis.of(op.operands[0])
    entries: list[SliceSizes | Size] = list(analysis.slices(op, first_bound))
    entries += [(None, None, analysis.table.const(1))] * (len(sizes) - len(entries))
    ranges: list[Range] = []
    for size, entry in zip(sizes, entries):
        if isinstance(entry, tuple):
            first, number = slice_range(analysis.table, size, entry)
            ranges.append((first, number, entry[2]))
        else:
            ranges.append(entry)
    return ranges


def _is_full(entry: tuple[Size, Size, Size]) -> bool:
    first, _, step = entry
    return find(first).constant == 0 and find(step).constant == 1


def lower_subtensor(lowering: FunctionLowering, op: SignatureOp) -> None:
    """An access with computed indices; nothing moves until the elements are used."""
    source, result = op.operands[0], op.results[0]
    if _is_known_number(lowering, op):
        lowering.set_access(result, SizeAccess(lowering.analysis.scalar(result)))
        return
    access = lowering.access(source)
    ranges = _ranges(lowering, op, 1)
    if isinstance(access, VectorAccess) and not isinstance(ranges[0], tuple):
        number, count = find(ranges[0]).constant, len(access.elements)
        if access.axis == 0 and number is not None and -count <= number < count:
            lowering.set_access(result, access.elements[number])
            return
    if not isinstance(access, ArrayAccess) or _is_indexed_slice(access, ranges):
        access = ArrayAccess(lowering.array(source), whole_entries(len(shape_of(source))))
    sizes = lowering.analysis.of(source)
    is_part = access.is_part or any(
        isinstance(found, tuple) and find(found[1]) is not find(size)
        for found, size in zip(ranges, sizes)
    )
    entries = tuple(_compose(entry, ranges, lowering) for entry in access.entries)
    sliced: Access = ArrayAccess(access.base, entries, is_part)
    lowering.set_access(result, sliced)


def _is_indexed_slice(access: ArrayAccess, ranges: Sequence[Range]) -> bool:
    """Whether an index goes into a slice: its bounds are those of the slice, not of the array."""
    return any(isinstance(entry, Affine) and not isinstance(ranges[entry.axis], tuple)
               for entry in access.entries)  # fmt: skip


def _is_known_number(lowering: FunctionLowering, op: SignatureOp) -> bool:
    if shape_of(op.results[0]) or lowering.analysis.vector(op.operands[0]) is None:
        return False
    size = lowering.analysis.scalar(op.results[0])
    return size.key != ("scalar", op.results[0]) and types.dtype_of(op.results[0].type) == "int64"


def _compose(entry: Entry, ranges: Sequence[Range], lowering: FunctionLowering) -> Entry:
    """The index of a base dimension after the value's dimensions are sliced by `ranges`."""
    if isinstance(entry, Fixed) or entry == ZERO:
        return entry
    table = lowering.analysis.table
    axis = entry.axis if isinstance(entry, Affine) else entry
    assert isinstance(axis, int)
    after = sum(isinstance(found, tuple) for found in ranges[:axis])
    found = ranges[axis]
    if not isinstance(found, tuple):
        return Fixed(found, False, lowering.location)
    if isinstance(entry, Affine):
        start = table.op("add", entry.start, table.op("mul", entry.step, found[0]))
        return Affine(after, start, table.op("mul", entry.step, found[2]))
    return after if _is_full(found) else Affine(after, found[0], found[2])


def lower_inc_subtensor(lowering: FunctionLowering, op: SignatureOp) -> None:
    """A scatter over the region; full slices stay iterators."""
    target, value = op.operands[0], op.operands[1]
    region = _ranges(lowering, op, 2)
    base = lowering.array(target)
    nest = NestBuilder(lowering, op.location)
    shape = [1 if isinstance(e, tuple) and n == 1 and _is_full(e) else -1
             for e, n in zip(region, shape_of(target))]  # fmt: skip
    sizes = [entry[1] for entry in region if isinstance(entry, tuple)]
    static = [n for entry, n in zip(region, shape) if isinstance(entry, tuple)]
    found = nest.iterate(sizes, static)
    element = nest.cast(nest.element(value, found), types.dtype_of(target.type))
    entries: list[int] = []
    indices: list[SSAValue] = []
    positions = iter(found)
    for entry in region:
        if not isinstance(entry, tuple):
            entries.append(YIELDED)
            indices.append(nest.size(entry))
            continue
        position = next(positions)
        if _is_full(entry):
            entries.append(position)
        else:
            entries.append(YIELDED)
            indices.append(affine_index(nest, entry[0], entry[2], position))
    _finish_scatter(lowering, op, nest, base, entries, [element, *indices])


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
    lowering.set(result, nest.finish([kind], [entries], [result.type], values, [base])[0])


def lower_advanced_subtensor(lowering: FunctionLowering, op: SignatureOp) -> None:
    """A nest over the indices and the dimensions that have none, around a gather."""
    source, result = op.operands[0], op.results[0]
    nest = NestBuilder(lowering, op.location)
    found = nest.iterate(lowering.analysis.of(result), shape_of(result))
    indices = [_index(nest, operand, found[0]) for operand in op.operands[1:]]
    indices += [nest.position(position) for position in found[1:]]
    element = nest.gather(lowering.array(source), indices, False)
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
