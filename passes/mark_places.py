"""Checks of indices in front of the writes that they guard: the part of `mark-inplace` that lets a
write into an argument's memory not fail.

    %r = loops.nest (%i < %n, %k < %d) ins(%v = %g[%i, %k], %j = %at[%i] : tensor<?xi64>)
        -> (scatter_add(%w)[?, %k] : tensor<?x?xf64>) { ... loops.yield %v, %index }
becomes
    %p = loops.nest (%i < %n) ins(%j = %at[%i] : tensor<?xi64>) -> (collect[%i] : tensor<?xi64>) {
      ... %place = loops.locate %w, %index {axis = 0}  // from 0 on; out of range stops the function
    }
    %r = loops.nest (%i < %n, %k < %d) ins(%v = %g[%i, %k], %j = %p[%i]) -> (...)
        attributes {inbounds}

and likewise the index of `loops.insert %v into %w[%index, :]`, and of a `loops.subview` of the same
part, is replaced by what `loops.locate` gives, in front of both. An error then comes from the check
alone, before a byte is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xdsl.dialects.builtin import UnitAttr, i64
from xdsl.ir import Block, Operation, SSAValue

from tetractys.dialects import elemwise_signatures as scalar
from tetractys.dialects.build import build, name_apply
from tetractys.dialects.loops import (
    INBOUNDS,
    SCATTERS,
    YIELDED,
    InsertOp,
    LocateOp,
    Map,
    NestOp,
    SubviewOp,
    YieldOp,
)
from tetractys.dialects.loops_views import AT
from tetractys.dialects.types import tensor_type

DYNAMIC = -1

# Predicates.


def is_unchecked(nest: NestOp) -> bool:
    """Whether a nest is one scatter to indices that may be out of range."""
    if INBOUNDS in nest.attributes or len(nest.kind_names) != 1:
        return False
    return nest.kind_names[0] in SCATTERS and YIELDED in nest.result_map_list[0]


def is_of_part(view: Operation, insert: InsertOp) -> bool:
    """Whether a view is of the part that an insert replaces."""
    return (
        isinstance(view, SubviewOp)
        and view.source is insert.base
        and list(view.indices) == list(insert.indices)
        and all(view.properties[name] == insert.properties[name] for name in ("kinds", "steps"))
    )


# Builders.


class _Body:
    """The operations of a nest's body that its indices depend on, and how far they depend on it."""

    def __init__(self, nest: NestOp, wanted: Sequence[SSAValue]) -> None:
        self.nest = nest
        found: set[SSAValue] = set()
        waiting = list(wanted)
        while waiting:
            value = waiting.pop()
            if value in found:
                continue
            found.add(value)
            if isinstance(value.owner, Operation) and value.owner.parent is nest.block:
                waiting += value.owner.operands
        self.operations = [op for op in nest.block.ops
                           if any(result in found for result in op.results)]
        self.elements = [k for k, element in enumerate(nest.elements) if element in found]
        moved = {entry for k in self.elements for entry in nest.input_maps[k] if entry >= 0}
        self.iterators = [k for k, iterator in enumerate(nest.iterators)
                          if iterator in found or k in moved]


def build_places(nest: NestOp, array: SSAValue) -> list[SSAValue]:
    """A nest in front of a scatter that checks its indices: an array, or number, of places each.

    array: one of the sizes of what the scatter writes into, that is there before.
    """
    part = nest.parts()[0]
    body = _Body(nest, part.indices)
    new = {old: k for k, old in enumerate(body.iterators)}
    inputs = [nest.inputs[k] for k in body.elements]
    maps = [_renumbered(nest.input_maps[k], new) for k in body.elements]
    block = NestOp.block_for(len(new), inputs, maps)
    known: dict[SSAValue, SSAValue] = {}
    known.update((nest.iterators[old], block.args[k]) for old, k in new.items())
    known.update((nest.elements[old], block.args[len(new) + k])
                 for k, old in enumerate(body.elements))  # fmt: skip
    for op in body.operations:
        block.add_op(op.clone(known))
    axes = [axis for axis, entry in enumerate(part.map) if entry == YIELDED]
    yielded: list[SSAValue] = []
    for axis, index in zip(axes, part.indices):
        locate = LocateOp.make(array, axis, known.get(index, index), nest.location)
        name_apply(locate, nest)
        cast = build(scalar.CAST, [locate.out], {"dtype": "int64"}, nest.location)
        block.add_ops([locate, cast])
        yielded.append(cast.out)
    block.add_op(YieldOp.create(operands=yielded, location=nest.location))
    type_ = tensor_type(("int64", (DYNAMIC,) * len(new))) if new else i64
    places = NestOp.make(
        [nest.sizes[old] for old in body.iterators], inputs, maps, ["collect"] * len(axes),
        [tuple(range(len(new)))] * len(axes), [type_] * len(axes), block, location=nest.location,
    )  # fmt: skip
    _block_of(nest).insert_op_before(places, nest)
    for result in places.results:
        result.name_hint = "places"
    return list(places.results)


def _renumbered(entries: Map, new: dict[int, int]) -> Map:
    return tuple(new.get(entry, entry) for entry in entries)


def _block_of(op: Operation) -> Block:
    assert op.parent is not None
    return op.parent


# The rewriting.


def apply_checked_scatter(nest: NestOp, array: SSAValue) -> NestOp:
    """Checks a scatter's indices in a nest of their own; gives the scatter that replaces it.

    array: one of the sizes of what is written into, that is there before; here and below.
    """
    part = nest.parts()[0]
    body = _Body(nest, part.indices)
    places = build_places(nest, array)
    maps = nest.input_maps
    block = nest.block
    first = block.first_op
    assert first is not None
    for number, place in enumerate(places):
        source = place
        if body.iterators:
            maps.append(tuple(body.iterators))
            source = block.insert_arg(i64, len(block.args))
        cast = build(scalar.CAST, [source], {"dtype": "index"}, nest.location)
        block.insert_op_before(cast, first)
        nest.yield_.operands[1 + number] = cast.out
    _erase_unused(block)
    inputs = [*nest.inputs, *(places if body.iterators else ())]
    inits, sizes = list(nest.inits), list(nest.sizes)
    new = NestOp.make(
        sizes, inputs, maps, nest.kind_names, nest.result_map_list,
        [result.type for result in nest.results], nest.detach_region(nest.body), inits=inits,
        schedule=nest.schedule, location=nest.location,
    )  # fmt: skip
    new.attributes.update(nest.attributes)
    new.attributes[INBOUNDS] = UnitAttr()
    _block_of(nest).insert_op_before(new, nest)
    for old, result in zip(nest.results, new.results):
        result.name_hint = old.name_hint
        old.replace_all_uses_with(result)
    nest.detach()
    nest.erase()
    return new


def _erase_unused(block: Block) -> None:
    """Erases what nothing in a body uses any more."""
    for op in reversed(list(block.ops)):
        if op.results and not any(result.first_use for result in op.results):
            block.erase_op(op)


def apply_checked_insert(insert: InsertOp, array: SSAValue) -> None:
    """Checks an insert's indices in front of it and of the views of the same part."""
    block = _block_of(insert)
    views = [use.operation for use in insert.base.uses if is_of_part(use.operation, insert)]
    changed = [insert, *views]
    before = next(op for op in block.ops if op in changed)
    for axis, number in _single_indices(insert):
        locate = LocateOp.make(array, axis, insert.indices[number], insert.location)
        name_apply(locate, insert)
        block.insert_op_before(locate, before)
        for op in changed:
            assert isinstance(op, InsertOp | SubviewOp)
            op.operands[op.BEFORE + number] = locate.out
    for op in changed:
        op.properties[INBOUNDS] = UnitAttr()


def _single_indices(insert: InsertOp) -> Iterator[tuple[int, int]]:
    """The dimensions with one index, and the number of that among the indices."""
    number = 0
    for axis, entry in enumerate(insert.part):
        if entry.kind == AT:
            yield axis, number
        number += sum(isinstance(v, SSAValue) for v in (entry.first, entry.size, entry.step))
