"""Builds what `fuse-nests` decided: one outer loop around the members' bodies, and flat nests
again.

`build_fused` peels one iterator of each member. What is left of a member is an inner nest, or, when
nothing is left, its scalar operations; what one member makes for another is a row or a scalar of
the body. `flatten` undoes the peel where the body is one nest and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from xdsl.dialects.builtin import LocationAttr, TensorType
from xdsl.ir import Attribute, Block, SSAValue

from tetractys.dialects.loops import INDEX, SLICE, ZERO, Map, NestOp, Result, YieldOp, slice_type
from tetractys.passes.rewriting import fuse_locations

LOCATIONS = 64
"""A fused nest names at most so many of its members' locations (its operations keep theirs)."""


class _Outer:
    """The nest being made: its block, its inputs, and the values that its members have made."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self.inputs: dict[tuple[SSAValue, Map], SSAValue] = {}
        self.made: dict[SSAValue, SSAValue] = {}

    def input(self, value: SSAValue, entries: Map) -> SSAValue:
        """The body's view of an array; equal inputs are read once."""
        key = value, entries
        found = self.inputs.get(key)
        if found is None:
            type_ = slice_type(value.type, entries)
            found = self.block.insert_arg(type_, len(self.block.args))
            found.name_hint = value.name_hint
            self.inputs[key] = found
        return found


class _Peeled(NamedTuple):
    """One input of a member inside the outer loop: a scalar, or an array and its map there."""

    value: SSAValue
    entries: Map


def outer_map(entries: Map, iterator: int) -> Map:
    """A map as the outer loop has it: its iterator is 0, the other dimensions are whole."""
    return tuple(0 if entry == iterator else ZERO if entry == ZERO else SLICE for entry in entries)


def inner_map(entries: Map, iterator: int) -> Map:
    """What is left of a map for the inner nest, of the dimensions that are still there."""
    return tuple(entry - (entry > iterator) for entry in entries if entry not in (iterator, ZERO))


def build_fused(members: Sequence[tuple[NestOp, int]]) -> NestOp:
    """One nest for several detached ones, in the order given; these are erased, their uses go to
    it.
    """
    first, iterator = members[0]
    outer = _Outer(Block(arg_types=[INDEX]))
    outer.block.args[0].name_hint = first.iterators[iterator].name_hint
    parts: list[tuple[Result, int]] = []
    for nest, number in members:
        found = nest.parts()
        _add_member(outer, nest, number, found)
        parts += [(part, number) for part in found]
    size = first.operands[iterator]
    location = fuse_locations(*[nest.location for nest, _ in members[:LOCATIONS]])
    for nest, _ in members:
        nest.drop_all_references()
    kept = _kept(parts)
    outer.block.add_op(
        YieldOp.create(operands=[outer.made[_result(part)] for part, _ in kept], location=location)
    )
    fused = NestOp.make(
        [size],
        [value for value, _ in outer.inputs],
        [entries for _, entries in outer.inputs],
        ["collect" if number in part.map else part.kind for part, number in kept],
        [outer_map(part.map, number) for part, number in kept],
        [part.type for part, _ in kept],
        outer.block,
        location=location,
    )
    for (part, _), result in zip(kept, fused.results):
        result.name_hint = _result(part).name_hint
        _result(part).replace_all_uses_with(result)
    for nest, _ in members:
        nest.erase(drop_references=False)
    return fused


def _result(part: Result) -> SSAValue:
    assert part.result is not None
    return part.result


def _kept(parts: list[tuple[Result, int]]) -> list[tuple[Result, int]]:
    """The results that something outside reads; a max stays with its argmax."""
    kept: list[tuple[Result, int]] = []
    for position, (part, number) in enumerate(parts):
        used = _result(part).first_use is not None
        if part.kind == "max" and position + 1 < len(parts):
            behind = parts[position + 1][0]
            used = used or (behind.kind == "argmax" and _result(behind).first_use is not None)
        if used:
            kept.append((part, number))
    return kept


def _add_member(outer: _Outer, nest: NestOp, iterator: int, parts: list[Result]) -> None:
    inputs = [
        _peel_input(outer, value, entries, iterator)
        for value, entries in zip(nest.input_values, nest.input_maps)
    ]
    block = nest.block
    nest.body.detach_block(block)
    rank = nest.rank
    for argument, peeled in reversed(list(zip(list(block.args[rank:]), inputs))):
        if not peeled.entries:
            argument.replace_all_uses_with(peeled.value)
            block.erase_arg(argument)
    counter = block.args[iterator]
    counter.replace_all_uses_with(outer.block.args[0])
    block.erase_arg(counter)
    if rank == 1:
        _inline(outer, block, parts)
    else:
        _nest_inside(outer, nest, iterator, parts, block, [p for p in inputs if p.entries])


def _peel_input(outer: _Outer, value: SSAValue, entries: Map, iterator: int) -> _Peeled:
    left = inner_map(entries, iterator)
    named = [entry for entry in left if entry != SLICE]
    made = outer.made.get(value)
    if made is not None:
        return _Peeled(made, left if named else ())
    if iterator in entries or not named:  # a row, an element, or what no loop of the nest indexes
        return _Peeled(outer.input(value, outer_map(entries, iterator)), left if named else ())
    kept = tuple(entry - (entry > iterator) if entry >= 0 else entry for entry in entries)
    return _Peeled(value, kept)


def _inline(outer: _Outer, block: Block, parts: list[Result]) -> None:
    """A member with no loop left: its operations move into the outer body."""
    last = block.last_op
    assert last is not None
    for op in list(block.ops):
        op.detach()
        if op is not last:
            outer.block.add_op(op)
    for part, value in zip(parts, list(last.operands)):
        outer.made[_result(part)] = value
        if value.name_hint is None and not isinstance(value.owner, Block):
            value.name_hint = _result(part).name_hint
    last.erase()


def _nest_inside(
    outer: _Outer,
    nest: NestOp,
    iterator: int,
    parts: list[Result],
    block: Block,
    inputs: Sequence[_Peeled],
) -> None:
    rank = nest.rank - 1
    maps = [inner_map(part.map, iterator) for part in parts]
    kinds = [
        "collect" if sum(entry >= 0 for entry in entries) == rank else part.kind
        for part, entries in zip(parts, maps)
    ]
    types = [slice_type(part.type, outer_map(part.map, iterator)) if part.map else part.type
             for part in parts]  # fmt: skip
    inner = NestOp.make(
        [size for number, size in enumerate(nest.size_values) if number != iterator],
        [peeled.value for peeled in inputs],
        [peeled.entries for peeled in inputs],
        kinds,
        maps,
        types,
        block,
        location=nest.location,
    )
    outer.block.add_op(inner)
    for part, result in zip(parts, inner.results):
        result.name_hint = _result(part).name_hint
        outer.made[_result(part)] = result


# -- flat nests again


def can_flatten(outer: NestOp) -> bool:
    """Whether the body is one nest whose results are the results, and no row is used otherwise."""
    inner = outer.block.first_op
    if not isinstance(inner, NestOp) or inner.next_op is not outer.block.last_op:
        return False
    inner_parts = {part.result: part for part in inner.parts()}
    for part in outer.parts():
        made = inner_parts.get(part.value)  # type: ignore[arg-type]
        if made is None or _flat_kind(part, made, outer.rank) is None:
            return False
    for argument in outer.elements:
        rows = isinstance(argument.type, TensorType)
        if rows and any(use.operation is not inner for use in argument.uses):
            return False
    return True


def _flat_kind(part: Result, made: Result, rank: int) -> str | None:
    """The kind of a result over both nests' loops, None if there is none."""
    if sum(entry >= 0 for entry in part.map) == rank:
        return made.kind
    return part.kind if made.kind in ("collect", part.kind) else None


def flatten(outer: NestOp) -> NestOp:
    """One nest over both nests' loops in place of a nest that holds nothing but another."""
    inner = outer.block.first_op
    assert isinstance(inner, NestOp)
    rank = outer.rank
    inner_parts = {part.result: part for part in inner.parts()}
    pairs = [(part, inner_parts[part.value]) for part in outer.parts()]  # type: ignore[index]
    rows = {argument: (value, entries) for argument, value, entries
            in zip(outer.elements, outer.input_values, outer.input_maps)}  # fmt: skip
    inputs: list[tuple[SSAValue, Map]] = []
    for value, entries in zip(inner.input_values, inner.input_maps):
        below = [entry + rank if entry >= 0 else entry for entry in entries]
        if value in rows:  # type: ignore[operator]
            base, above = rows[value]  # type: ignore[index]
            inputs.append((base, _filled(above, below)))
        else:
            inputs.append((value, tuple(below)))
    block = inner.block
    values = [made.value for _, made in pairs]
    last = block.last_op
    assert last is not None
    inner.body.detach_block(block)
    for number, counter in enumerate(outer.iterators):
        fresh = block.insert_arg(INDEX, number)
        fresh.name_hint = counter.name_hint
        counter.replace_all_uses_with(fresh)
    for argument, (value, entries) in rows.items():
        if argument.first_use is not None and not isinstance(argument.type, TensorType):
            fresh = block.insert_arg(argument.type, len(block.args))
            fresh.name_hint = argument.name_hint
            argument.replace_all_uses_with(fresh)
            inputs.append((value, entries))
    last.detach()
    last.erase()
    block.add_op(YieldOp.create(operands=values, location=outer.location))
    return _replace(outer, inner, block, inputs, pairs)


def _replace(
    outer: NestOp,
    inner: NestOp,
    block: Block,
    inputs: list[tuple[SSAValue, Map]],
    pairs: list[tuple[Result, Result]],
) -> NestOp:
    rank = outer.rank
    kinds = [_flat_kind(part, made, rank) or "collect" for part, made in pairs]
    maps = [
        _filled(part.map, [entry + rank if entry >= 0 else entry for entry in made.map])
        for part, made in pairs
    ]
    types: list[Attribute] = [part.type for part, _ in pairs]
    location: LocationAttr = outer.location
    flat = NestOp.make(
        [*outer.size_values, *inner.size_values],
        [value for value, _ in inputs], [entries for _, entries in inputs],
        kinds, maps, types, block, location=location)  # fmt: skip
    parent = outer.parent
    assert parent is not None
    parent.insert_op_before(flat, outer)
    for (part, _), result in zip(pairs, flat.results):
        result.name_hint = _result(part).name_hint
        _result(part).replace_all_uses_with(result)
    outer.detach()
    outer.drop_all_references()
    outer.erase()
    return flat


def _filled(above: Map, below: Sequence[int]) -> Map:
    """The outer map with its `:` dimensions indexed as the inner nest does."""
    inner = iter(below)
    return tuple(next(inner) if entry == SLICE else entry for entry in above)
