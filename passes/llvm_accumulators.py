"""The accumulators of a vectorised loop: how many there are, what they start from and become.

A result has several vectors of them (`slots_of`), for each row where rows are worked on together,
so that element k goes to virtual lane k modulo all lanes. An extremum has two more slots, of signs
and of masks of NaNs; a sum by blocks (`llvm_sums`) has a state of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from xdsl.dialects.builtin import VectorType, i1
from xdsl.ir import SSAValue

from tetractys.passes import llvm_monoids as monoids
from tetractys.passes.llvm_builder import itemsize, vector_of
from tetractys.passes.llvm_plan import Plan
from tetractys.passes.llvm_sums import is_compensated, sum_identities, total_of

if TYPE_CHECKING:
    from tetractys.passes.llvm_nest import NestLowering

Slots: TypeAlias = "list[list[SSAValue]]"
"""Accumulators: one list a slot, in it one vector a row; of an extremum two more slots, of signs
and of masks of NaNs."""

VIRTUAL_BYTES = 256
"""The bytes of all accumulators of a result: the same number of lanes on every host."""
ROW_VIRTUAL_BYTES = 128
"""Of a nest inside a jammed one: the rows are chains enough."""


def slots_of(lowering: NestLowering) -> int:
    """How many accumulators a result of the nest has."""
    nest = lowering.nest
    outer = nest.parent_op()
    jammed = outer is not None and isinstance(outer, type(nest)) and outer.scheduled("jam", 1) > 1
    return max((ROW_VIRTUAL_BYTES if jammed else VIRTUAL_BYTES) // vector_bytes(lowering), 1)


def vector_bytes(lowering: NestLowering) -> int:
    """The bytes of the widest vector of a nest."""
    return lowering.width * max(
        itemsize(value.type)
        for value in (*lowering.nest.elements, *lowering.nest.yield_.arguments)
        if isinstance(value.type, VectorType)
    )


def vector_identities(lowering: NestLowering, plan: Plan) -> list[SSAValue]:
    """What a result's accumulators start from, flat."""
    assert plan.monoid is not None
    if is_compensated(lowering, plan):
        return sum_identities(lowering, plan, vector_bytes(lowering))
    return fresh_accumulators(lowering, plan)


def fresh_accumulators(lowering: NestLowering, plan: Plan) -> list[SSAValue]:
    """Identities, one vector a slot and row."""
    assert plan.monoid is not None
    builder, rows = lowering.builder, max(lowering.lanes(plan), 1)
    start = monoids.identity(builder, plan.monoid, lowering.width)
    found = [start] * (rows * slots_of(lowering))
    if plan.monoid.is_extremum:
        found += [monoids.no_signs(builder, plan.monoid, lowering.width)] * rows
        found += [builder.constant(0, vector_of(i1, lowering.width))] * rows
    return found


def reduce_accumulators(
    lowering: NestLowering, plan: Plan, values: list[SSAValue]
) -> SSAValue:
    """A scalar, or a lane a row, from a result's accumulators."""
    assert plan.monoid is not None
    builder, rows = lowering.builder, max(lowering.lanes(plan), 1)
    if is_compensated(lowering, plan):
        vector = total_of(builder, plan.monoid, values)
        return monoids.reduce_lanes(builder, plan.monoid, vector)
    slots = slots_from(values, rows)
    nans = slots.pop() if plan.monoid.is_extremum else None
    signs = slots.pop() if plan.monoid.is_extremum else None
    vectors: list[SSAValue] = []
    for row in range(rows):
        vector = monoids.fold(builder, plan.monoid, [slot[row] for slot in slots])
        if nans is not None and signs is not None:
            vector = monoids.put_signs(builder, plan.monoid, vector, signs[row])
            vector = monoids.put_nan(builder, vector, nans[row])
        vectors.append(vector)
    return monoids.reduce_rows(builder, plan.monoid, vectors)


def slots_from(values: Sequence[SSAValue], rows: int) -> Slots:
    """The accumulators of a result, from a flat list."""
    return [list(values[k : k + rows]) for k in range(0, len(values), rows)]


def rotated(lowering: NestLowering, number: int, values: list[SSAValue]) -> list[SSAValue]:
    """A result's accumulators with the first slot behind the others."""
    count = slots_of(lowering)
    slots = slots_from(values, max(lowering.lanes(lowering.plans[number]), 1))
    turned = [*slots[1:count], slots[0], *slots[count:]]
    return [value for slot in turned for value in slot]
