"""Where the values of a function lie once they are memory: in a result of the function, in a slot
of the arena, or, for a row that a nest's body makes, in a row of the nest's result.

The half of `bufferize` that gives memory out; which values share one is known by `storage`, how
slots are reused by `arena`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.dialects.builtin import DYNAMIC_INDEX, IntegerAttr, MemRefType, TensorType, i64
from xdsl.ir import Attribute, Block, BlockArgument, Operation, SSAValue

from tetractys.dialects import loops
from tetractys.dialects.loops import MONOIDS, SCATTERS, SLICE, NestOp, Result
from tetractys.passes.arena import Arena
from tetractys.passes.llvm_plan import can_jam
from tetractys.passes.llvm_types import itemsize
from tetractys.passes.memory_types import buffer_type
from tetractys.passes.storage import Storage
from tetractys.passes.workspace import Sizes

# Predicates.


def is_summed_at_once(result: SSAValue, kind: str) -> bool:
    """Whether a body's row only feeds the sum (or other monoid) of rows that it is yielded for."""
    return kind == "collect" and result.has_one_use()


def chunks_around(nest: NestOp) -> int:
    """The most chunks that may run at once of the nest, or the outermost one that it is in."""
    top = nest
    while isinstance(outer := top.parent_op(), NestOp):
        top = outer
    return top.chunks


# Builders.


class Placement:
    """The memory of a function's values, given out while its operations are gone through in order.

    slots: the first allocation of each slot of the arena. position: the operation that is at hand.
    """

    def __init__(
        self,
        block: Block,
        sizes: Sizes,
        returned: Sequence[SSAValue],
        results: Sequence[BlockArgument],
    ) -> None:
        self.block = block
        self.sizes = sizes
        self.storage = Storage(block)
        self.arena = Arena()
        self.slots: dict[int, loops.AllocOp] = {}
        self.position = 0
        self.targets: dict[SSAValue, BlockArgument] = {}
        self.buffers: dict[SSAValue, SSAValue] = {}
        self.reshaped: set[SSAValue] = set()
        self.summed: set[SSAValue] = set()
        """Rows that never stand anywhere: what is stored there is combined with a result's."""
        self._find_targets(returned, results)

    def _find_targets(
        self, returned: Sequence[SSAValue], results: Sequence[BlockArgument]
    ) -> None:
        """The result whose memory a value's storage is, the first one that returns it."""
        for value, result in zip(returned, results):
            root = self.storage.root(value)
            if (
                isinstance(value.type, TensorType)
                and not isinstance(root, BlockArgument)
                and root not in self.targets
                and not self.storage.is_part(value)
            ):
                self.targets[root] = result
                if self.storage.is_reshaped(value):
                    self.reshaped.add(root)

    def is_filled(self, result: BlockArgument) -> bool:
        """Whether a result of the function is where its value is computed."""
        return result in self.targets.values()

    def move_to(self, position: int) -> None:
        """Goes on to the next operation: what was last used before it is free."""
        self.position = position
        self.arena.release(position)

    def of(self, value: SSAValue, op: Operation) -> SSAValue:
        """The memory of a result of operation `op`: of the function, of an input, or of the arena.
        """
        root = self.storage.root(value)
        type_ = buffer_type(value.type)
        target = self.targets.get(root) or self.buffers.get(root)
        if target is None:
            target = self._alloc(value, type_, op)
            self.buffers[root] = target
        if root not in self.reshaped and not self.storage.is_reshaped(value):
            return target
        sizes = [self.sizes.value(size, op) for size in self.sizes.of(value)]
        view = loops.ViewOp.create(operands=[target, *sizes], result_types=[type_],
                                   location=op.location)
        self.block.insert_op_before(view, op)
        return view.results[0]

    def _alloc(self, value: SSAValue, type_: MemRefType[Attribute], op: Operation) -> SSAValue:
        sizes = self.open_sizes(value, op)
        unit = itemsize(type_.element_type)
        slot = self.arena.take(sizes, unit, self.storage.last_use(value))
        return self._insert_alloc(sizes, type_, {"slot": IntegerAttr(slot, i64)}, op)

    def open_sizes(self, value: SSAValue, op: Operation) -> list[SSAValue]:
        """The sizes that the type of an array leaves open."""
        shape = cast("TensorType[Attribute]", value.type).get_shape()
        return [self.sizes.value(size, op) for size, n in zip(self.sizes.of(value), shape)
                if n == DYNAMIC_INDEX]

    def _insert_alloc(
        self,
        sizes: list[SSAValue],
        type_: MemRefType[Attribute],
        properties: dict[str, Attribute],
        op: Operation,
    ) -> SSAValue:
        alloc = loops.AllocOp.create(operands=sizes, result_types=[type_], properties=properties,
                                     location=op.location)
        block = op.parent
        assert block is not None
        block.insert_op_before(alloc, op)
        slot = properties.get("slot")
        if isinstance(slot, IntegerAttr):
            self.slots.setdefault(slot.value.data, alloc)
        return alloc.results[0]

    def partial(self, nest: NestOp, part: Result) -> SSAValue:
        """Memory for what the chunks behind the first one combine: the result's sizes for each."""
        assert part.result is not None
        type_ = buffer_type(part.result.type)
        sizes = self.open_sizes(part.result, nest)
        rows = nest.chunks - 1
        slot = self.arena.take(sizes, itemsize(type_.element_type) * rows, self.position)
        return self._insert_alloc(sizes, type_, {
            "slot": IntegerAttr(slot, i64), "rows": IntegerAttr(rows, i64)}, nest)

    # ---- rows inside a nest

    def row(self, outer: NestOp, inner: NestOp, part: Result) -> SSAValue:
        """A row of a result of the enclosing nest where that serves, else one of the arena."""
        assert part.result is not None
        type_ = buffer_type(part.result.type)
        number = self._row_of(outer, part)
        shape = type_.get_shape()
        sizes = [size for size, n in zip(self.sizes.of_part(inner, part), shape)
                 if n == DYNAMIC_INDEX]
        values = [self.sizes.value(size, inner) for size in sizes]
        if number is not None:
            return self._insert_alloc(values, type_, {"result": IntegerAttr(number, i64)}, inner)
        rows = outer.scheduled("jam", 1) if can_jam(outer) else 1
        rows = max(rows, inner.scheduled("tile", 1)) * chunks_around(outer)
        unit = itemsize(type_.element_type) * rows
        slot = self.arena.take(values, unit, self.position)
        return self._insert_alloc(values, type_, {
            "slot": IntegerAttr(slot, i64), "rows": IntegerAttr(rows, i64)}, inner)

    def _row_of(self, outer: NestOp, part: Result) -> int | None:
        if part.kind in SCATTERS:
            return None
        for number, candidate in enumerate(outer.parts()):
            if candidate.value is not part.result or SLICE not in candidate.map:
                continue
            assert part.result is not None
            summed = candidate.kind in MONOIDS or candidate.result in self.summed
            if candidate.kind == "collect" and not summed:
                return number
            if summed and is_summed_at_once(part.result, part.kind):
                self.summed.add(part.result)
                return number
        return None
