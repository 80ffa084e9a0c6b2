"""The last loop of a nest that holds other nests: several rows at once (jam).

`jam = R` rows run together: the scalars of the body are vectors of a lane a row, the inner loops do
what depends on the row R times and the rest once, so that they share the loads of what all rows
read. The rows that are left run one at a time; both forms give a row the same bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdsl.dialects import llvm
from xdsl.dialects.builtin import i64
from xdsl.ir import SSAValue

from tetractys.passes import llvm_monoids as monoids
from tetractys.passes.llvm_memory import RowIndex
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
        main = builder.emit(llvm.AndOp, (size, builder.index(-rows)), i64)
        found = self._blocks(level, main, rows, accumulators)

        def one(index: SSAValue, inner: Accumulators) -> Accumulators:
            return lowering.level(level + 1, inner)

        return lowering.counted(level, main, size, 1, found, one)

    def _blocks(
        self, level: int, stop: SSAValue, rows: int, accumulators: Accumulators
    ) -> Accumulators:
        lowering, builder, frame = self.lowering, self.builder, self.frame
        packed = {
            number: [monoids.identity(builder, self._monoid(number), rows)]
            for number in accumulators
        }

        def block(index: SSAValue, inner: Accumulators) -> Accumulators:
            lowering.bind_iterator(level, RowIndex(index, rows))
            return lowering.level(level + 1, inner)

        frame.rows = rows
        frame.varying = {lowering.nest.iterators[level]}
        mark_varying(lowering.nest, frame.varying)
        found = lowering.counted(level, builder.index(0), stop, rows, packed, block)
        frame.rows, frame.varying = 1, set()
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
