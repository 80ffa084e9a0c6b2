"""What the body of a nest yields, one iteration (or a lane a row) at a time: where it goes.

A scalar is stored at the collected iterators, combined with what stands there, or bound to the
nest's result; a row is copied or combined, unless it was made in its place; a scatter goes to the
indices that the body yields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xdsl.dialects import llvm
from xdsl.ir import SSAValue

from tetractys.dialects.loops import INBOUNDS, SCATTERS, SLICE, YIELDED, ZERO
from tetractys.passes import llvm_monoids as monoids
from tetractys.passes.llvm_builder import lanes_of
from tetractys.passes.llvm_frame import Sink
from tetractys.passes.llvm_memory import (
    SINGLE,
    Buffer,
    Index,
    RowIndex,
    address,
    load_rows,
    store_rows,
)
from tetractys.passes.llvm_monoids import Monoid
from tetractys.passes.llvm_plan import Plan
from tetractys.passes.llvm_transfer import gather_index, transfer

if TYPE_CHECKING:
    from tetractys.passes.llvm_nest import NestLowering


class ScalarYields:
    """The yielded values of one nest."""

    def __init__(self, lowering: NestLowering) -> None:
        self.lowering = lowering
        self.frame = lowering.frame
        self.builder = lowering.builder

    def emit(self, plan: Plan) -> None:
        """Stores, combines or binds what the body yields for one result."""
        part, frame = plan.part, self.frame
        if plan.by_rows:
            self._yield_row(plan)
        elif part.kind in SCATTERS:
            self._scatter(plan)
        elif part.out is None:
            assert part.result is not None
            frame.env[part.result] = self.frame.scalar(part.value)
        elif isinstance(sink := self.lowering.out(plan), Sink):
            monoid = Monoid.of(sink.kind, sink.row.element)
            self._combine_at(
                sink.row, self.lowering.indices(part.map), monoid, frame.scalar(part.value)
            )
        elif plan.in_memory and plan.paired and plan.monoid is not None:
            position = self.frame.scalar(self.lowering.plans[plan.number + 1].part.value)
            self._combine_positions(plan, plan.monoid, self._value(plan), position)
        elif plan.in_memory and plan.monoid is not None:
            self.combine_in_memory(plan, plan.monoid, self._value(plan))
        elif plan.part.kind != "argmax":
            self.store(plan, self._value(plan))

    def _value(self, plan: Plan) -> SSAValue:
        if plan.product is not None and plan.part.value not in self.frame.env:
            self.frame.lower(plan.product)
        return self.frame.scalar(plan.part.value)

    def store(self, plan: Plan, value: SSAValue) -> None:
        """Stores a scalar at the collected iterators."""
        target = self.lowering.out(plan)
        assert isinstance(target, Buffer)
        store_rows(
            self.builder, value, target, self.lowering.indices(plan.part.map), self.frame.rows
        )

    def combine_in_memory(self, plan: Plan, monoid: Monoid, value: SSAValue) -> None:
        """Combines a scalar with what stands at the collected iterators."""
        target, indices = self.lowering.out(plan), self.lowering.indices(plan.part.map)
        assert isinstance(target, Buffer)
        self._combine_at(target, indices, monoid, value)

    def _combine_at(
        self, target: Buffer, indices: list[tuple[int, Index]], monoid: Monoid, value: SSAValue
    ) -> None:
        builder = self.builder
        in_rows = isinstance(target.pointer, tuple)
        in_rows = in_rows or any(isinstance(index, RowIndex) for _, index in indices)
        rows = self.frame.rows
        if not in_rows and rows.count > 1:  # every row goes to the same place
            start = monoids.identity(builder, monoid, rows.count)
            value = self.lowering.if_row_exists(self.lowering.spread(value, rows.count), start)
            value = monoids.reduce_lanes(builder, monoid, value)
        old = load_rows(builder, target, indices, builder.depth, rows)
        value = self.lowering.spread(value, lanes_of(old.type))
        store_rows(builder, monoids.combine(builder, monoid, old, value), target, indices, rows)

    def _combine_positions(
        self, plan: Plan, monoid: Monoid, value: SSAValue, position: SSAValue
    ) -> None:
        builder, second = self.builder, self.lowering.plans[plan.number + 1]
        buffers = [cast(Buffer, self.lowering.out(one)) for one in (plan, second)]
        indices, depth = self.lowering.indices(plan.part.map), self.builder.depth
        rows = self.frame.rows
        old = [load_rows(builder, buffer, indices, depth, rows) for buffer in buffers]
        lanes = lanes_of(old[0].type)
        new = monoids.combine_position(
            builder,
            monoid,
            old,
            self.lowering.spread(value, lanes),
            self.lowering.spread(position, lanes),
        )
        for buffer, one in zip(buffers, new):
            store_rows(builder, one, buffer, indices, rows)

    def _yield_row(self, plan: Plan) -> None:
        value = self.frame.env[plan.part.value]
        if plan.paired or plan.part.kind == "argmax":
            raise NotImplementedError(
                "loops.nest: found an argmax of rows; expected one of scalars; "
                "combine it in the nest that makes the row's elements"
            )
        if isinstance(value, Sink):
            return
        assert isinstance(value, Buffer)
        target, monoid = self.lowering.out(plan), plan.monoid if plan.in_memory else None
        if isinstance(target, Sink):
            target, monoid = target.row, Monoid.of(target.kind, target.row.element)
        kept = [d for d, entry in enumerate(plan.part.map) if entry == SLICE]
        row = target.drop(kept, address(self.builder, target, self.lowering.indices(plan.part.map)))
        if row.pointer != value.pointer:
            transfer(self.builder, value, row, monoid, self.frame.rows)

    def _scatter(self, plan: Plan) -> None:
        target, part = self.lowering.out(plan), plan.part
        assert isinstance(target, Buffer)
        given = iter(part.indices)
        indices: list[tuple[int, Index]] = []
        bad: list[SSAValue] = []
        for axis, entry in enumerate(part.map):
            if entry == YIELDED:
                index = self.frame.scalar(next(given))
                if INBOUNDS in self.lowering.nest.attributes:
                    indices.append((axis, index))
                    continue
                safe, failed = gather_index(
                    self.frame, self.lowering.nest, index, axis, target.sizes[axis]
                )
                indices.append((axis, safe))
                bad.append(failed)
            elif entry >= 0:
                indices.append((axis, self.frame.index(self.lowering.nest.iterators[entry])))
            elif entry != ZERO:
                self.lowering.nest.emit_error(
                    "lower-loops-to-llvm: found a scatter of rows; expected scalars",
                    NotImplementedError(),
                )
        self._scatter_at(plan, target, indices, bad)

    def _scatter_at(
        self, plan: Plan, target: Buffer, indices: list[tuple[int, Index]], bad: list[SSAValue]
    ) -> None:
        builder, value = self.builder, self.frame.scalar(plan.part.value)

        def write() -> None:
            new = value
            if plan.part.kind == "scatter_add":
                monoid = Monoid.of("add", target.element)
                old = load_rows(builder, target, indices, builder.depth, SINGLE)
                new = monoids.combine(builder, monoid, old, value)
            store_rows(builder, new, target, indices, SINGLE)

        if not bad:
            write()
            return
        failed = bad[0]
        for other in bad[1:]:
            failed = builder.binary(llvm.OrOp, failed, other)
        builder.when(builder.icmp("eq", failed, builder.constant(0, failed.type)), write)

    def put_pair(self, plan: Plan, monoid: Monoid, values: list[SSAValue]) -> None:
        """A maximum and its position."""
        second = self.lowering.plans[plan.number + 1]
        if plan.part.result is not None and second.part.result is not None:
            self.frame.env[plan.part.result] = values[0]
            self.frame.env[second.part.result] = values[1]
        elif plan.in_memory:
            self._combine_positions(plan, monoid, values[0], values[1])
        else:
            self.store(plan, values[0])
            self.store(second, values[1])
