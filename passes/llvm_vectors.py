"""The innermost loop of a vectorised nest.

Without accumulators: a light body is built twice, plain over the whole vectors and masked for the
rest; a heavy one once, masked. Where doing an element twice does no harm, that one loop ends with a
vector that is moved back to end at the size (LOOPS 2), else each step computes its mask.

With accumulators: several vectors of each (`Lanes`), so that element k goes to virtual lane k
modulo all lanes. A light body is unrolled over them and built once more, masked, for the rest,
where the accumulators rotate; a heavy one rotates all the time. Rotating does not change the sum:
see `llvm_monoids`. Where rows are worked on together there is a set of accumulators for each.

A sum of floats that is not inside a row goes by blocks: `llvm_sums`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias, cast

from xdsl.dialects import llvm
from xdsl.dialects.builtin import VectorType, i1, i64
from xdsl.ir import SSAValue

from tetractys.passes import llvm_monoids as monoids
from tetractys.passes.llvm_ahead import ask_ahead
from tetractys.passes.llvm_builder import itemsize, vector_of
from tetractys.passes.llvm_frame import Sink
from tetractys.passes.llvm_memory import (
    SINGLE,
    Buffer,
    Value,
    address,
    load_vector,
    store_one,
)
from tetractys.passes.llvm_monoids import Monoid
from tetractys.passes.llvm_phase import Piece, find_phase, in_pieces, left_of
from tetractys.passes.llvm_plan import HEAVY, Plan, pure_operations, sink_product, weight
from tetractys.passes.llvm_streams import find_streams, finish_streams, store_stream
from tetractys.passes.llvm_sums import (
    add_block,
    block_length,
    is_compensated,
    sum_identities,
    total_of,
)
from tetractys.passes.llvm_types import integer
from tetractys.passes.llvm_views import store_strided
from tetractys.passes.storage import inplace_of

if TYPE_CHECKING:
    from xdsl.ir import Operation

    from tetractys.passes.llvm_nest import Accumulators, NestLowering

Slots: TypeAlias = "list[list[SSAValue]]"
"""Accumulators: one list a slot, in it one vector a row; of an extremum two more slots, of signs
and of masks of NaNs."""

BITS = 64
"""The bits of an index: masks of fewer lanes can be shifted."""
VIRTUAL_BYTES = 256
"""The bytes of all accumulators of a result: the same number of lanes on every host."""
SEVERAL = 4
"""Rows at a time from which their loads are worth more than those and stores of what they share."""
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
    slots = _slots(values, rows)
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


def _slots(values: Sequence[SSAValue], rows: int) -> Slots:
    return [list(values[k : k + rows]) for k in range(0, len(values), rows)]


class VectorLoops:
    """The innermost loop of a nest with vectors."""

    def __init__(self, lowering: NestLowering) -> None:
        self.lowering = lowering
        self.builder = lowering.builder
        self.frame = lowering.frame
        self.width = lowering.width
        self.slots = slots_of(lowering)
        self.heavy = weight(lowering.nest) > HEAVY and self.frame.machine.masks
        """Whether the body is built once."""
        self.sink_products = self._find_sink_products()
        self._streams: dict[int, SSAValue] = {}
        """By result number, whether whole vectors go past the caches."""
        self._unseen: dict[tuple[int, int], SSAValue] = {}
        """By result and row, the vector that waits for the next one to be looked at for NaNs."""

    def _find_sink_products(self) -> dict[int, Operation]:
        found: dict[int, Operation] = {}
        for plan in self.lowering.plans:
            if plan.part.out is not None and isinstance(sink := self.lowering.out(plan), Sink):
                product = sink_product(self.lowering.nest, plan.part, sink.kind)
                if product is not None:
                    found[plan.number] = product
        return found

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
                self._step(mask, {}, 0)
                ask_ahead(self.lowering, self.width)

            builder.overlapping_loop(size, self.width, body, start)
        else:
            self._map_loop(level, start, size, size)

    def _map_light(self, level: int, start: SSAValue, size: SSAValue) -> None:
        """Whole vectors, and a masked one for the rest; of rows at a time, one in front, too."""
        several = self.frame.rows.count >= SEVERAL
        phase = find_phase(self.lowering, level) if several else None
        if phase is None:
            streams = self._streams = {} if level in self.lowering.starts else find_streams(
                self.lowering, level)
            main = self._map_main(level, start, size)
            self._streams = {}
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
            self._step(mask, {}, 0)
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
            self._lower_body()
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
        self._store_at(plan, target, value, pointer, mask)

    def _map_rest(
        self, level: int, start: SSAValue, size: SSAValue, piece: Piece | None = None
    ) -> None:
        """The elements from `start`, fewer than a vector."""
        builder = self.builder

        def rest() -> None:
            self.lowering.bind_iterator(level, start)
            self._step(self._mask(start, size, piece), {}, 0)

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
            found = self._step(self._mask(index, size, piece), inner, 0)
            if self.heavy:
                ask_ahead(self.lowering, self.width)
            return {number: self._rotated(number, values) for number, values in found.items()}

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
                inner = self._step(None, inner, slot)
            self.lowering.bind_iterator(level, index)
            ask_ahead(self.lowering, step)
            return inner

        return self.lowering.counted(level, start, stop, step, accumulators, body)

    def _rotated(self, number: int, values: list[SSAValue]) -> list[SSAValue]:
        rows = max(self.lowering.lanes(self.lowering.plans[number]), 1)
        slots = _slots(values, rows)
        turned = [*slots[1 : self.slots], slots[0], *slots[self.slots :]]
        return [value for slot in turned for value in slot]

    # ---- the body

    def _step(
        self, mask: SSAValue | None, accumulators: Accumulators, slot: int
    ) -> Accumulators:
        """The body once; its results go to memory and to a slot of the accumulators."""
        lowering = self.lowering
        lowering.bind_elements(mask)
        self.frame.mask = mask
        self._lower_body()
        found = dict(accumulators)
        for plan in lowering.plans:
            if plan.number in found:
                found[plan.number] = self._accumulate(plan, found[plan.number], slot, mask)
            else:
                self._yield(plan, mask)
        return found

    def _lower_body(self) -> None:
        products: set[Operation | None] = {plan.product for plan in self.lowering.plans}
        products.update(self.sink_products.values())
        for op in pure_operations(self.lowering.nest):
            if op not in products:
                self.frame.lower(op)

    def _operands(
        self, plan: Plan, product: Operation | None, rows: int
    ) -> list[list[SSAValue]]:
        """For each row the yielded value, or the two factors of a product."""
        values = product.operands if product is not None else [plan.part.value]
        found = [self.frame.value(value) for value in values]
        return [[_of_row(value, row) for value in found] for row in range(rows)]

    def _accumulate(
        self, plan: Plan, values: list[SSAValue], slot: int, mask: SSAValue | None
    ) -> list[SSAValue]:
        assert plan.monoid is not None
        rows = max(self.lowering.lanes(plan), 1)
        slots = _slots(values, rows)
        for row, given in enumerate(self._operands(plan, plan.product, rows)):
            acc = slots[slot][row]
            slots[slot][row] = self._masked(mask, self._combined(plan.monoid, acc, given), acc)
            if plan.monoid.is_extremum:
                signs = monoids.keep_signs(self.builder, plan.monoid, slots[-2][row], given[0])
                slots[-2][row] = self._masked(mask, signs, slots[-2][row])
                slots[-1][row] = self._note_nans((plan.number, row), slots[-1][row], given[0],
                                                 slot, mask)
        return [value for held in slots for value in held]

    def _note_nans(
        self,
        place: tuple[int, int],
        nans: SSAValue,
        value: SSAValue,
        slot: int,
        mask: SSAValue | None,
    ) -> SSAValue:
        """The lanes that saw a NaN; of whole vectors, one comparison looks at two of them."""
        other = value
        if mask is None and self.slots % 2 == 0:
            if slot % 2 == 0:
                self._unseen[place] = value
                return nans
            other = self._unseen.pop(place)
        found = self.builder.fcmp("uno", other, value)
        if mask is not None:
            found = self.builder.binary(llvm.AndOp, found, mask)
        return self.builder.binary(llvm.OrOp, nans, found)

    def _combined(self, monoid: Monoid, acc: SSAValue, given: list[SSAValue]) -> SSAValue:
        if len(given) == 2:
            return self.frame.multiply_add(given[0], given[1], acc)
        if monoid.is_extremum:
            return monoids.combine_ordered(self.builder, monoid, acc, given[0])
        return monoids.combine(self.builder, monoid, acc, given[0])

    def _masked(self, mask: SSAValue | None, new: SSAValue, old: SSAValue) -> SSAValue:
        return new if mask is None else self.builder.select(mask, new, old)

    def _yield(self, plan: Plan, mask: SSAValue | None) -> None:
        target, indices = self.lowering.out(plan), self.lowering.indices(plan.part.map)
        if isinstance(target, Sink):
            monoid = Monoid.of(target.kind, target.row.element)
            pointer = address(self.builder, target.row, indices)
            product = self.sink_products.get(plan.number)
            self._combine(plan, product, monoid, target.row, pointer, mask)
            return
        pointer = address(self.builder, target, indices)
        if plan.in_memory and plan.monoid is not None:
            self._combine(plan, plan.product, plan.monoid, target, pointer, mask)
            return
        value = self.frame.value(plan.part.value)
        if plan.number in self._streams and isinstance(pointer, SSAValue):
            store_stream(self.builder, _of_row(value, 0), pointer, self._streams[plan.number])
            return
        pointers = pointer if isinstance(pointer, tuple) else (pointer,)
        rows = self.frame.rows if isinstance(pointer, tuple) else SINGLE
        for row, one in enumerate(pointers):
            lanes = rows.vector_mask(self.builder, row, self.width, mask)
            self._store_at(plan, target, _of_row(value, row), one, lanes)

    def _store_at(
        self, plan: Plan, target: Buffer, value: SSAValue, pointer: SSAValue, mask: SSAValue | None
    ) -> None:
        """Stores a vector along the last iterator: neighbours, or what a slice with a step has."""
        stride = target.strides[plan.part.map.index(self.lowering.nest.rank - 1)]
        store_strided(self.builder, value, pointer, itemsize(target.element), mask, stride)

    def _combine(
        self,
        plan: Plan,
        product: Operation | None,
        monoid: Monoid,
        target: Buffer,
        pointer: Value,
        mask: SSAValue | None,
    ) -> None:
        """Combines the yielded vectors with memory; all rows in order, where they share a place."""
        rows = self.frame.rows
        given = self._operands(plan, product, rows.count)
        if isinstance(pointer, tuple):
            for row, place in enumerate(pointer):
                lanes = rows.vector_mask(self.builder, row, self.width, mask)
                value = load_vector(self.builder, place, target.element, self.width, mask)
                value = self._combine_one(monoid, value, given[row])
                store_one(self.builder, value, place, lanes)
            return
        value = load_vector(self.builder, pointer, target.element, self.width, mask)
        for row, one in enumerate(given):
            exists = rows.vector_mask(self.builder, row, self.width, None)
            value = self._masked(exists, self._combine_one(monoid, value, one), value)
        store_one(self.builder, value, pointer, mask)

    def _combine_one(self, monoid: Monoid, acc: SSAValue, given: list[SSAValue]) -> SSAValue:
        if len(given) == 2:
            return self.frame.multiply_add(given[0], given[1], acc)
        return monoids.combine(self.builder, monoid, acc, given[0])


def _of_row(value: Value, row: int) -> SSAValue:
    found = value[row] if isinstance(value, tuple) else value
    assert isinstance(found.type, VectorType)
    return found
