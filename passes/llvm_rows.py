"""The last loop of a nest that holds other nests: several rows at once (jam).

`jam = R` rows run together: the scalars of the body are vectors of a lane a row, the inner loops do
what depends on the row R times and the rest once, so that they share the loads of what all rows
read. The last block may reach beyond the end: see `llvm_memory.Rows`. Without cheap masks the rows
that are left run one at a time instead, in a second body. A row's bits do not depend on any of
this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdsl.dialects import llvm
from xdsl.dialects.builtin import i64
from xdsl.ir import SSAValue

from tetractys.passes import llvm_monoids as monoids
from tetractys.passes.llvm_memory import SINGLE, RowIndex, Rows
from tetractys.passes.llvm_plan import can_jam, mark_varying

if TYPE_CHECKING:
    from tetractys.passes.llvm_nest import Accumulators, NestLowering


class RowLoops:
    """The loop over rows of one nest."""

    def __init__(self, lowering: NestLowering) -> None:
        self.lowering = lowering
        self.builder = lowering.builder
        self.frame = lowering.frame

    def emit(self, level: int, accumulators: Accumulators) -> Accumulators:
        """Builds the loop over blocks of rows and the one over the rest."""
        lowering, builder = self.lowering, self.builder
        if not can_jam(lowering.nest):
            return lowering.plain_loop(level, accumulators)
        rows, size = lowering.nest.scheduled("jam"), lowering.sizes[level]
        assert rows & (rows - 1) == 0
        if self.frame.machine.masks:
            return self._blocks(level, size, rows, accumulators, size)
        start = lowering.start(level)
        whole = builder.emit(llvm.AndOp, (builder.sub(size, start), builder.index(-rows)), i64)
        main = builder.add(start, whole)
        found = self._blocks(level, main, rows, accumulators, None)

        def one(index: SSAValue, inner: Accumulators) -> Accumulators:
            return lowering.level(level + 1, inner)

        return lowering.counted(level, main, size, 1, found, one)

    def _blocks(
        self,
        level: int,
        stop: SSAValue,
        rows: int,
        accumulators: Accumulators,
        size: SSAValue | None,
    ) -> Accumulators:
        """Blocks of rows up to `stop`; of a last one, those below `size` exist."""
        lowering, builder, frame = self.lowering, self.builder, self.frame
        packed = {
            number: [monoids.identity(builder, self._monoid(number), rows)]
            for number in accumulators
        }
        last = None if size is None else builder.sub(size, builder.index(1))
        place = lowering.turned(level, stop, rows)

        def block(counter: SSAValue, inner: Accumulators) -> Accumulators:
            index = place(counter)
            left = None if size is None else builder.sub(size, index)
            frame.rows = Rows(rows, left)
            lowering.bind_iterator(level, RowIndex(index, rows, last))
            return lowering.level(level + 1, inner)

        frame.varying = {lowering.nest.iterators[level]}
        mark_varying(lowering.nest, frame.varying)
        lowering.jammed = True
        found = lowering.counted(level, lowering.start(level), stop, rows, packed, block)
        frame.rows, frame.varying, lowering.jammed = SINGLE, set(), False
        for element in lowering.nest.elements:  # rows one at a time ask for none of the next ones
            frame.ahead.pop(element, None)
        return {number: [self._merged(number, values[0], found[number][0])]
                for number, values in accumulators.items()}

    def _merged(self, number: int, before: SSAValue, lanes: SSAValue) -> SSAValue:
        monoid = self._monoid(number)
        total = monoids.reduce_lanes(self.builder, monoid, lanes)
        return monoids.combine(self.builder, monoid, before, total)

    def _monoid(self, number: int) -> monoids.Monoid:
        monoid = self.lowering.plans[number].monoid
        assert monoid is not None
        return monoid
