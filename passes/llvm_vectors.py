"""The innermost loop of a vectorised nest.

Without accumulators: a light body is built twice, plain over the whole vectors and masked for the
rest; a heavy one once, masked. Where doing an element twice does no harm, that one loop ends with a
vector that is moved back to end at the size (LOOPS 2), else each step computes its mask.

With accumulators (`llvm_accumulators`): a light body is unrolled over them and built once more,
masked, for the rest, where the accumulators rotate; a heavy one rotates all the time. Rotating does
not change the sum: see `llvm_monoids`. What a step does is `llvm_vector_body`.

A sum of floats that is not inside a row goes by blocks: `llvm_sums`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from xdsl.dialects import llvm
from xdsl.dialects.builtin import VectorType, i1, i64
from xdsl.ir import SSAValue

from tetractys.passes.llvm_accumulators import (
    fresh_accumulators,
    rotated,
    slots_of,
    vector_bytes,
)
from tetractys.passes.llvm_ahead import ask_ahead
from tetractys.passes.llvm_builder import vector_of
from tetractys.passes.llvm_frame import Sink
from tetractys.passes.llvm_memory import SINGLE, Buffer, Value, address
from tetractys.passes.llvm_phase import Piece, find_phase, in_pieces, left_of
from tetractys.passes.llvm_plan import HEAVY, Plan, weight
from tetractys.passes.llvm_streams import find_streams, finish_streams
from tetractys.passes.llvm_sums import add_block, block_length, is_compensated
from tetractys.passes.llvm_types import BITS, integer
from tetractys.passes.llvm_vector_body import VectorBody
from tetractys.passes.storage import inplace_of

if TYPE_CHECKING:
    from tetractys.passes.llvm_nest import Accumulators, NestLowering

SEVERAL = 4
"""Rows at a time from which their loads are worth more than those and stores of what they share."""


class VectorLoops:
    """The innermost loop of a nest with vectors."""

    def __init__(self, lowering: NestLowering) -> None:
        self.lowering = lowering
        self.builder = lowering.builder
        self.frame = lowering.frame
        self.width = lowering.width
        self.slots = slots_of(lowering)
        self.body = VectorBody(lowering)
        self.heavy = weight(lowering.nest) > HEAVY and self.frame.machine.masks
        """Whether the body is built once."""

    def emit(self, level: int, accumulators: Accumulators) -> Accumulators:
        """Builds the loop."""
        if accumulators:
            return self._reduce(level, accumulators)
        self._map(level)
        return {}

    # ---- without accumulators

    def _map(self, level: int) -> None:
        builder, size = self.builder, self.lowering.sizes[level]
        start = self.lowering.start(level)
        if self._vectors_at_once() > 1:
            self._map_several(level, size, self._vectors_at_once())
        elif not self.heavy:
            self._map_light(level, start, size)
        elif self._is_idempotent():
            mask = builder.lane_mask(builder.sub(size, start), self.width)

            def body(index: SSAValue) -> None:
                self.lowering.bind_iterator(level, index)
                self.body.step(mask, {}, 0)
                ask_ahead(self.lowering, self.width)

            builder.overlapping_loop(size, self.width, body, start)
        else:
            self._map_loop(level, start, size, size)

    def _map_light(self, level: int, start: SSAValue, size: SSAValue) -> None:
        """Whole vectors, and a masked one for the rest; of rows at a time, one in front, too."""
        several = self.frame.rows.count >= SEVERAL
        phase = find_phase(self.lowering, level) if several else None
        if phase is None:
            streams = self.body.streams = {} if level in self.lowering.starts else find_streams(
                self.lowering, level)
            main = self._map_main(level, start, size)
            self.body.streams = {}
            finish_streams(self.builder, streams)
            self._map_rest(level, main, size)
            return

        def piece(piece: Piece, inner: Accumulators) -> Accumulators:
            main = self._map_main(level, piece.begin, size, piece)
            self._map_rest(level, main, size, piece)
            return inner

        in_pieces(self.lowering, level, start, size, phase, {}, piece)

    def _map_main(
        self, level: int, begin: SSAValue, size: SSAValue, piece: Piece | None = None
    ) -> SSAValue:
        """The whole vectors; returns where they end."""
        left = left_of(self.builder, begin, size, piece)
        main = self.builder.add(begin, self._whole(left, self.width))
        self._map_loop(level, begin, main, None)
        return main

    def _map_loop(
        self, level: int, start: SSAValue, stop: SSAValue, size: SSAValue | None
    ) -> None:
        """Steps of a vector; masked by what is left of `size`, if it is given."""
        def body(index: SSAValue, inner: Accumulators) -> Accumulators:
            mask = self._mask(index, size)
            self.body.step(mask, {}, 0)
            if size is None:
                ask_ahead(self.lowering, self.width)
            return inner

        self.lowering.counted(level, start, stop, self.width, {}, body)

    # ---- several vectors side by side

    def _vectors_at_once(self) -> int:
        """The schedule's `unroll`, for a body that is built once and knows no rows at a time."""
        alone = self.heavy and self.frame.rows is SINGLE and self.width < BITS
        return self.lowering.nest.scheduled("unroll", 1) if alone else 1

    def _map_several(self, level: int, size: SSAValue, number: int) -> None:
        """Steps of several vectors, each operation on all of them before the next; masked."""
        builder = self.builder

        def body(index: SSAValue, inner: Accumulators) -> Accumulators:
            starts = [builder.add(index, builder.index(k * self.width)) for k in range(number)]
            masks = [self._mask_or_none(builder.sub(size, start)) for start in starts]
            self._bind_several(level, starts, masks)
            self.body.lower()
            for plan in self.lowering.plans:
                value = self.frame.value(plan.part.value)
                for k, (start, mask) in enumerate(zip(starts, masks)):
                    self.lowering.bind_iterator(level, start)
                    self._store(plan, value[k] if isinstance(value, tuple) else value, mask)
            return inner

        step = number * self.width
        self.lowering.counted(level, self.lowering.start(level), size, step, {}, body)

    def _bind_several(
        self, level: int, starts: Sequence[SSAValue], masks: Sequence[SSAValue]
    ) -> None:
        """Loads each element's vectors: a tuple, as of rows; what does not move is one value."""
        found: list[list[Value]] = []
        elements = [e for e in self.lowering.nest.elements if e.first_use is not None]
        for start, mask in zip(starts, masks):
            self.lowering.bind_iterator(level, start)
            self.lowering.bind_elements(mask)
            found.append([self.frame.value(element) for element in elements])
        for element, values in zip(elements, zip(*found)):
            moves = isinstance(element.type, VectorType)
            self.frame.env[element] = cast("tuple[SSAValue, ...]", values) if moves else values[0]

    def _mask_or_none(self, left: SSAValue) -> SSAValue:
        """The first `left` lanes: none, some, or all."""
        builder = self.builder
        shown = builder.smin(builder.smax(left, builder.index(0)), builder.index(self.width))
        above = builder.emit(llvm.ShlOp, (builder.index(1), shown), i64)
        bits = builder.emit(llvm.TruncOp, (builder.add(above, builder.index(-1)),),
                            integer(self.width))
        return builder.emit(llvm.BitcastOp, (bits,), vector_of(i1, self.width))

    def _store(self, plan: Plan, value: SSAValue, mask: SSAValue) -> None:
        target = self.lowering.out(plan)
        assert isinstance(target, Buffer)
        pointer = address(self.builder, target, self.lowering.indices(plan.part.map))
        assert isinstance(pointer, SSAValue)
        self.body.store_at(plan, target, value, pointer, mask)

    def _map_rest(
        self, level: int, start: SSAValue, size: SSAValue, piece: Piece | None = None
    ) -> None:
        """The elements from `start`, fewer than a vector."""
        builder = self.builder

        def rest() -> None:
            self.lowering.bind_iterator(level, start)
            self.body.step(self._mask(start, size, piece), {}, 0)

        builder.when(builder.icmp("slt", start, size if piece is None else piece.stop), rest)

    def _mask(
        self, index: SSAValue, size: SSAValue | None, piece: Piece | None = None
    ) -> SSAValue | None:
        if size is None:
            return None
        mask = self.builder.lane_mask(self.builder.sub(size, index), self.width)
        return mask if piece is None else self.builder.binary(llvm.AndOp, mask, piece.shown)

    def _whole(self, size: SSAValue, step: int) -> SSAValue:
        """The largest multiple of `step` (a power of two) up to `size`."""
        return self.builder.emit(llvm.AndOp, (size, self.builder.index(-step)), i64)

    def _is_idempotent(self) -> bool:
        """Whether an element may be done twice: nothing is combined in memory or written over."""
        plans = self.lowering.plans
        return not inplace_of(self.lowering.nest) and not any(
            plan.in_memory or isinstance(self.lowering.out(plan), Sink) for plan in plans
        )

    # ---- with accumulators

    def _reduce(self, level: int, accumulators: Accumulators) -> Accumulators:
        size = self.lowering.sizes[level]
        compensated = [number for number in accumulators
                       if is_compensated(self.lowering, self.lowering.plans[number])]
        if compensated:
            return self._by_blocks(level, accumulators, compensated)
        return self._span(level, self.builder.index(0), size, accumulators)

    def _by_blocks(
        self, level: int, accumulators: Accumulators, compensated: list[int]
    ) -> Accumulators:
        """Blocks of the innermost dimension, each summed by itself."""
        builder, size, plans = self.builder, self.lowering.sizes[level], self.lowering.plans
        length = block_length(vector_bytes(self.lowering) // self.width)
        kept = vector_bytes(self.lowering)

        def block(start: SSAValue, inner: Accumulators) -> Accumulators:
            stop = builder.smin(builder.add(start, builder.index(length)), size)
            fresh = {number: fresh_accumulators(self.lowering, plans[number])
                     for number in compensated}
            found = self._span(level, start, stop, {**inner, **fresh})
            for number in compensated:
                found[number] = add_block(builder, inner[number], found[number], kept)
            return found

        zero = builder.index(0)
        return self.lowering.counted(level, zero, size, length, accumulators, block)

    def _span(
        self, level: int, start: SSAValue, size: SSAValue, accumulators: Accumulators
    ) -> Accumulators:
        """The elements from `start` (a multiple of all lanes) to `size`."""
        phase = None if self.heavy else find_phase(self.lowering, level)
        if phase is None:
            return self._piece(level, start, size, accumulators)

        def piece(piece: Piece, inner: Accumulators) -> Accumulators:
            return self._piece(level, piece.begin, size, inner, piece)

        return in_pieces(self.lowering, level, start, size, phase, accumulators, piece)

    def _piece(
        self,
        level: int,
        begin: SSAValue,
        size: SSAValue,
        accumulators: Accumulators,
        piece: Piece | None = None,
    ) -> Accumulators:
        builder, main = self.builder, begin
        if not self.heavy:
            step = self.width * self.slots
            main = builder.add(begin, self._whole(left_of(self.builder, begin, size, piece), step))
            accumulators = self._unrolled(level, begin, main, accumulators)

        def body(index: SSAValue, inner: Accumulators) -> Accumulators:
            found = self.body.step(self._mask(index, size, piece), inner, 0)
            if self.heavy:
                ask_ahead(self.lowering, self.width)
            return {number: rotated(self.lowering, number, values)
                    for number, values in found.items()}

        stop = size if piece is None else piece.stop
        return self.lowering.counted(level, main, stop, self.width, accumulators, body)

    def _unrolled(
        self, level: int, start: SSAValue, stop: SSAValue, accumulators: Accumulators
    ) -> Accumulators:
        step = self.width * self.slots

        def body(index: SSAValue, inner: Accumulators) -> Accumulators:
            for slot in range(self.slots):
                if slot:
                    position = self.builder.add(index, self.builder.index(slot * self.width))
                    self.lowering.bind_iterator(level, position)
                inner = self.body.step(None, inner, slot)
            self.lowering.bind_iterator(level, index)
            ask_ahead(self.lowering, step)
            return inner

        return self.lowering.counted(level, start, stop, step, accumulators, body)
