"""One step of a vectorised loop: the body on vectors, and where its results go.

They are stored, past the caches or not, combined with memory, or with a slot of the accumulators
(`llvm_accumulators`); under a mask where only some lanes exist. A value of rows that are worked on
together is a tuple.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdsl.dialects import llvm
from xdsl.dialects.builtin import VectorType
from xdsl.ir import SSAValue

from tetractys.passes import llvm_monoids as monoids
from tetractys.passes.llvm_accumulators import slots_from, slots_of
from tetractys.passes.llvm_builder import itemsize
from tetractys.passes.llvm_frame import Sink
from tetractys.passes.llvm_memory import SINGLE, Buffer, Value, address, load_vector, store_one
from tetractys.passes.llvm_monoids import Monoid
from tetractys.passes.llvm_plan import Plan, pure_operations, sink_product
from tetractys.passes.llvm_streams import store_stream
from tetractys.passes.llvm_views import store_strided

if TYPE_CHECKING:
    from xdsl.ir import Operation

    from tetractys.passes.llvm_nest import Accumulators, NestLowering


class VectorBody:
    """The body of a nest with vectors.

    streams: by result number, whether whole vectors go past the caches.
    """

    def __init__(self, lowering: NestLowering) -> None:
        self.lowering = lowering
        self.builder = lowering.builder
        self.frame = lowering.frame
        self.width = lowering.width
        self.slots = slots_of(lowering)
        self.sink_products = self._find_sink_products()
        self.streams: dict[int, SSAValue] = {}
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

    def step(
        self, mask: SSAValue | None, accumulators: Accumulators, slot: int
    ) -> Accumulators:
        """The body once; its results go to memory and to a slot of the accumulators."""
        lowering = self.lowering
        lowering.bind_elements(mask)
        self.frame.mask = mask
        self.lower()
        found = dict(accumulators)
        for plan in lowering.plans:
            if plan.number in found:
                found[plan.number] = self._accumulate(plan, found[plan.number], slot, mask)
            else:
                self._yield(plan, mask)
        return found

    def lower(self) -> None:
        """The operations of the body, but for products that a sum takes over."""
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
        slots = slots_from(values, rows)
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
        if plan.number in self.streams and isinstance(pointer, SSAValue):
            store_stream(self.builder, _of_row(value, 0), pointer, self.streams[plan.number])
            return
        pointers = pointer if isinstance(pointer, tuple) else (pointer,)
        rows = self.frame.rows if isinstance(pointer, tuple) else SINGLE
        for row, one in enumerate(pointers):
            lanes = rows.vector_mask(self.builder, row, self.width, mask)
            self.store_at(plan, target, _of_row(value, row), one, lanes)

    def store_at(
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
