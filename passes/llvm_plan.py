"""What the lowering of a nest knows before it builds anything: how each result is combined.

The iterators that a result's map leaves out are combined. Those at the end of the loop order are
combined in registers, from level `start` inwards; if others are left, or the map has `:`, then in
memory, which is filled with the identity first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from xdsl.dialects.builtin import MemRefType, VectorType
from xdsl.ir import Attribute, Operation, SSAValue

from tetractys.dialects import elemwise, loops
from tetractys.dialects.loops import CONTRACT, MONOIDS, SCATTERS, SLICE, NestOp, Result, is_leaf
from tetractys.passes.llvm_monoids import Monoid

HEAVY = 14
"""Operations of a body from which it is built once, masked, instead of twice."""


class Plan(NamedTuple):
    """How one result is made; see the module."""

    number: int
    part: Result
    monoid: Monoid | None
    start: int
    in_memory: bool
    product: elemwise.ElemwiseOp | None
    paired: bool

    @property
    def in_registers(self) -> bool:
        """Whether loops carry an accumulator for it."""
        return self.monoid is not None and self.start >= 0 and not self.by_rows

    @property
    def by_rows(self) -> bool:
        """Whether a whole row is yielded."""
        return SLICE in self.part.map


def plans_of(nest: NestOp) -> list[Plan]:
    """One plan a result; an argmax belongs to the max before it."""
    parts = nest.parts()
    return [_plan(nest, number, parts) for number in range(len(parts))]


def _plan(nest: NestOp, number: int, parts: list[Result]) -> Plan:
    part, rank = parts[number], nest.rank
    if part.kind not in MONOIDS:
        return Plan(number, part, None, rank, part.kind in SCATTERS, None, False)
    combined = [level for level in range(rank) if level not in part.map]
    start = rank
    while start and start - 1 in combined:
        start -= 1
    by_rows = SLICE in part.map
    in_memory = any(level < start for level in combined) or (by_rows and bool(combined))
    monoid = Monoid.of(part.kind, _element(part.value))
    paired = number + 1 < len(parts) and parts[number + 1].kind == "argmax"
    return Plan(number, part, monoid, rank if by_rows else start, in_memory,
                _product(nest, part.value, monoid), paired)


def _element(value: SSAValue) -> Attribute:
    type_ = value.type
    return type_.element_type if isinstance(type_, VectorType | MemRefType) else type_


def _product(nest: NestOp, value: SSAValue, monoid: Monoid | None) -> elemwise.ElemwiseOp | None:
    """The multiplication of a dot product that only feeds its sum: the sum takes it over, rounded
    once. A product of the user's is rounded by itself, with whatever it is fused.
    """
    owner = value.owner
    if (isinstance(owner, elemwise.MulOp) and CONTRACT in owner.attributes
            and owner.parent is nest.block and value.has_one_use()
            and monoid is not None and monoid.kind == "add" and monoid.is_float):
        return owner
    return None


def sink_product(nest: NestOp, part: Result, kind: str) -> elemwise.ElemwiseOp | None:
    """The same for a collected row that is summed right away."""
    return _product(nest, part.value, Monoid.of(kind, _element(part.value)))


def vector_width(nest: NestOp) -> int:
    """The lanes of the innermost loop; 0 for scalars."""
    if not nest.rank or not is_leaf(nest):
        return 0
    wide = any(isinstance(value.type, VectorType) for value in _body_values(nest))
    return nest.scheduled("vector") if wide else 0


def _body_values(nest: NestOp) -> Iterable[SSAValue]:
    yield from nest.elements
    yield from nest.yield_.arguments


def weight(nest: NestOp) -> int:
    """The number of operations in a body."""
    return sum(1 for op in nest.block.ops if not isinstance(op, elemwise.ConstantOp))


def mark_varying(nest: NestOp, varying: set[SSAValue]) -> None:
    """Adds what differs between rows: all that depends on a value already in the set."""
    for element, value, entries in zip(nest.elements, nest.inputs, nest.input_maps):
        rows = any(entry >= 0 and nest.iterators[entry] in varying for entry in entries)
        if rows or value in varying:
            varying.add(element)
    for op in nest.block.ops:
        if type(op) is NestOp:
            mark_varying(op, varying)
            _mark_results(op, varying)
        elif isinstance(op, loops.AllocOp) or any(v in varying for v in op.operands):
            varying.update(op.results)


def _mark_results(nest: NestOp, varying: set[SSAValue]) -> None:
    for part in nest.parts():
        if part.result is not None and part.value in varying:
            varying.add(part.result)


def can_jam(nest: NestOp) -> bool:
    """Whether rows can be worked on together: no scatter, no argmax over the rows, no ragged
    rows.
    """
    if any(part.kind in (*SCATTERS, "argmax") for part in nest.parts()):
        return False
    varying: set[SSAValue] = {nest.iterators[-1]}
    mark_varying(nest, varying)
    return all(
        not any(size in varying for size in inner.sizes)
        and not any(part.kind in SCATTERS for part in inner.parts())
        for inner in inner_nests(nest)
    )


def inner_nests(nest: NestOp) -> list[NestOp]:
    """The nests inside, at any depth."""
    found: list[NestOp] = []
    for op in nest.block.ops:
        if type(op) is NestOp:
            found += [op, *inner_nests(op)]
    return found


def pure_operations(nest: NestOp) -> list[Operation]:
    """The body without its yield."""
    return [op for op in nest.block.ops if not isinstance(op, loops.YieldOp)]
