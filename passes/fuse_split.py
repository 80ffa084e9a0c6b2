"""Splits an elementwise nest: what is on the way to a second use of a row, and the rest.

A composite may compute, beside what a fused row nest needs, values that nothing in the row uses.
They would run one row at a time there; in a nest of their own they are vectorised.

    %e, %xent = loops.nest (%i < %n) ins(%t[%i], %y[%i]) -> (collect[%i], collect[%i])
 to (%e is needed)
    %e, %p = loops.nest (%i < %n) ins(%t[%i], %y[%i]) -> (collect[%i], collect[%i])
    %xent  = loops.nest (%i < %n) ins(%p[%i], %y[%i]) -> (collect[%i])
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, Block, BlockArgument, Operation, SSAValue

from tetractys.dialects import elemwise
from tetractys.dialects.loops import INDEX, Map, NestOp, Result, YieldOp

_CHEAP = (elemwise.NegOp, elemwise.AddOp, elemwise.SubOp, elemwise.MulOp, elemwise.SqrOp,
          elemwise.AbsOp)  # fmt: skip
"""Operations that are computed again rather than stored and read."""


def needed_operations(nest: NestOp, values: Iterable[SSAValue]) -> set[Operation]:
    """The operations of a nest's body that some of its values need."""
    needed: set[Operation] = set()
    pending = [value.owner for value in values]
    while pending:
        owner = pending.pop()
        if isinstance(owner, Operation) and owner.parent is nest.block and owner not in needed:
            needed.add(owner)
            pending += [operand.owner for operand in owner.operands]
    return needed


def can_split(nest: NestOp, parts: Sequence[Result], needed: set[SSAValue]) -> bool:
    """Whether a nest is elementwise and computes something beside the needed results."""
    if any(part.kind != "collect" for part in parts):
        return False
    if not all(isinstance(op, elemwise.ElemwiseOp | YieldOp) for op in nest.block.ops):
        return False
    wanted = [part.value for part in parts if part.result in needed]
    path = needed_operations(nest, wanted)
    return any(
        not isinstance(op, elemwise.ConstantOp | YieldOp) and op not in path
        for op in nest.block.ops
    )


def clone_cheap(
    nest: NestOp, path: set[Operation], rest: list[Operation], stored: set[SSAValue]
) -> list[Operation]:
    """The rest behind copies of cheap operations, which cost less than an array of their results.

    stored: the inputs of the nest that are in memory whatever is fused.
    """
    wanted = {value for op in rest for value in op.operands}
    elements = dict(zip(nest.elements, nest.input_values))
    users = set(rest)
    clones: list[Operation] = []

    def is_at_hand(value: SSAValue) -> bool:
        owner = value.owner
        if value in elements:
            return elements[value] in stored  # type: ignore[index]
        inside = isinstance(owner, Operation) and owner.parent is nest.block
        return not inside or isinstance(owner, elemwise.ConstantOp) or value in wanted

    for op in nest.block.ops:
        if op in path and isinstance(op, _CHEAP) and op.results[0] in wanted:
            if all(is_at_hand(operand) for operand in op.operands):
                clone = op.clone()
                clone.location = op.location
                op.results[0].replace_uses_with_if(
                    clone.results[0], lambda use: use.operation in users
                )
                clones.append(clone)
                users.add(clone)
    return [*clones, *rest]


def build_split(
    nest: NestOp, parts: Sequence[Result], needed: set[SSAValue], stored: set[SSAValue]
) -> tuple[NestOp, NestOp, dict[SSAValue, SSAValue]]:
    """Replaces a nest by its two halves; with them, what each old result is now.

    needed: the results that the first half must give; stored: see `clone_cheap`.
    """
    path = needed_operations(nest, [part.value for part in parts if part.result in needed])
    constants = [op for op in nest.block.ops if isinstance(op, elemwise.ConstantOp)]
    rest = [op for op in nest.block.ops
            if op not in path and not isinstance(op, elemwise.ConstantOp | YieldOp)]  # fmt: skip
    rest = clone_cheap(nest, path, rest, stored)
    in_rest = set(rest)
    late = [part for part in parts if part.value.owner in in_rest]
    early = [part for part in parts if part.value.owner not in in_rest]
    yielded = {part.value for part in early}
    made = {value for op in path - set(constants) for value in op.results}
    crossing = list(dict.fromkeys(v for op in rest for v in op.operands if v in made))
    given = [*dict.fromkeys([part.value for part in early])]
    given += [value for value in crossing if value not in yielded]
    inputs = list(zip(nest.elements, nest.input_values, nest.input_maps))

    second = _second_block(nest, rest, constants, [part.value for part in late])
    used = [row for row in inputs if second.uses(row[0])]
    second.fill([element for element, _, _ in used] + crossing, nest)
    first = _first_half(nest, inputs, given, parts[0].map)
    arrays = dict(zip(given, first.results))
    sources = [(value, map_) for _, value, map_ in used]
    sources += [(arrays[value], parts[0].map) for value in crossing]
    other = _second_half(first, second, sources, late)
    renamed = {part.result: arrays[part.value] for part in early}
    renamed |= {part.result: result for part, result in zip(late, other.results)}
    return first, other, _replace(nest, first, other, renamed, arrays)


def _second_half(
    first: NestOp,
    second: _SecondBlock,
    sources: Sequence[tuple[SSAValue, Map]],
    parts: Sequence[Result],
) -> NestOp:
    return NestOp.make(
        list(first.size_values),
        [value for value, _ in sources],
        [entries for _, entries in sources],
        [part.kind for part in parts],
        [part.map for part in parts],
        [part.type for part in parts],
        second.block,
        location=first.location,
    )


def _replace(
    nest: NestOp,
    first: NestOp,
    second: NestOp,
    renamed: Mapping[SSAValue | None, SSAValue],
    arrays: Mapping[SSAValue, SSAValue],
) -> dict[SSAValue, SSAValue]:
    """Puts the halves in the nest's place; its results and what they are now."""
    block = nest.parent
    assert block is not None
    block.insert_op_before(first, nest)
    block.insert_op_before(second, nest)
    for value, result in arrays.items():
        owner = value.owner
        if isinstance(owner, elemwise.ElemwiseOp):
            result.name_hint = value.name_hint or owner.signature.short
    found: dict[SSAValue, SSAValue] = {old: new for old, new in renamed.items() if old is not None}
    for old, new in found.items():
        new.name_hint = old.name_hint or new.name_hint
        old.replace_all_uses_with(new)
    nest.detach()
    nest.erase()
    return found


class _SecondBlock:
    """The body of the second half: its own iterators, elements and constants."""

    def __init__(self, nest: NestOp, rest: Sequence[Operation], yields: list[SSAValue]) -> None:
        self.block = Block(arg_types=[INDEX] * nest.rank)
        self.rest = dict.fromkeys(rest)
        self.yields = yields
        for old, new in zip(nest.iterators, self.block.args):
            new.name_hint = old.name_hint
            self.swap(old, new)

    def uses(self, value: SSAValue) -> bool:
        """Whether an operation of this half uses a value."""
        return any(use.operation in self.rest for use in value.uses)

    def swap(self, old: SSAValue, new: SSAValue) -> None:
        """Uses another value in this half."""
        old.replace_uses_with_if(new, lambda use: use.operation in self.rest)

    def fill(self, elements: Sequence[SSAValue], nest: NestOp) -> None:
        """Moves the operations in; an element for each value that comes from outside."""
        for op in self.rest:
            if op.parent is not None:
                op.detach()
            self.block.add_op(op)
        for old in elements:
            argument = self.block.insert_arg(old.type, len(self.block.args))
            argument.name_hint = old.name_hint
            self.swap(old, argument)
        self.block.add_op(YieldOp.create(operands=self.yields, location=nest.location))


def _second_block(
    nest: NestOp, rest: Sequence[Operation], constants: Sequence[Operation], yields: list[SSAValue]
) -> _SecondBlock:
    second = _SecondBlock(nest, rest, yields)
    for constant in constants:
        if second.uses(constant.results[0]):
            clone = constant.clone()
            clone.location = constant.location
            second.block.add_op(clone)
            second.swap(constant.results[0], clone.results[0])
    return second


def _first_half(
    nest: NestOp,
    inputs: Sequence[tuple[BlockArgument, SSAValue, Map]],
    given: list[SSAValue],
    entries: Map,
) -> NestOp:
    """The nest with what is left of its body, and the inputs that it still uses."""
    block = nest.block
    last = block.last_op
    assert last is not None
    shape = cast("TensorType[Attribute]", nest.results[0].type).get_shape()
    nest.body.detach_block(block)
    last.detach()
    last.erase()
    for op in reversed(list(block.ops)):
        if isinstance(op, elemwise.ConstantOp) and op.results[0].first_use is None:
            op.detach()
            op.erase()
    block.add_op(YieldOp.create(operands=given, location=nest.location))
    kept = [row for row in inputs if row[0].first_use is not None]
    for element, _, _ in inputs:
        if element.first_use is None:
            block.erase_arg(element)
    return NestOp.make(
        list(nest.size_values), [value for _, value, _ in kept], [map_ for _, _, map_ in kept],
        ["collect"] * len(given), [entries] * len(given),
        [TensorType(value.type, shape) for value in given], block,
        location=nest.location)  # fmt: skip
