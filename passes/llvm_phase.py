"""Loops over memory that begins in the middle of a line: vectors that do not straddle two.

NumPy's arrays begin 16 bytes behind a line, so that each vector of AVX-512 lies in two: from the
first and second level of the cache sums and products take 1.6 to 1.9 times as long (50,000 elements
6.7 instead of 3.3 us, a matrix of 256 by 256 with a vector 9.7 instead of 4.9). Such a loop begins
`phase` lanes before the first element, masked, and every later vector of the first input stands in
one line. The accumulators are rotated by that, which does not change a sum (`llvm_monoids`): the
bits are the same for any address. Several rows that are added to one begin so, too; other stores
have places of their own. What comes from memory gains nothing, and sums by blocks lose by their two
pieces. Where masks are dear vectors are shorter than a line, and nothing is done.

    phase = address / itemsize & lanes - 1                    // 0: the loop is as it was
    for part in (phase ? 0 : 1) .. 2:
      part 0: one masked vector from -phase;  part 1: from lanes - phase (or 0), as ever
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from xdsl.dialects import func, llvm
from xdsl.dialects.builtin import StringAttr, VectorType, i1, i64
from xdsl.ir import BlockArgument, SSAValue

from tetractys.passes.llvm_ahead import is_large, whole_argument
from tetractys.passes.llvm_builder import itemsize, vector_of
from tetractys.passes.llvm_memory import Value, address, number_of
from tetractys.passes.llvm_sums import is_compensated
from tetractys.passes.llvm_types import BITS, LINE, integer

if TYPE_CHECKING:
    from tetractys.passes.llvm_nest import Accumulators, NestLowering
    from tetractys.passes.llvm_scopes import ScopedBuilder

SHORT = 32
"""Vectors of a loop from which it pays; half of them where rows at a time share its cost."""
SHARED = StringAttr("shared")
"""Shared variables are in memory of ours, once they were updated."""


class Piece(NamedTuple):
    """A part of a loop that begins in front of its first element.

    begin, stop: its elements, of a head those of one vector. shown: the lanes of its masked
    vectors that there are.
    """

    is_head: SSAValue
    begin: SSAValue
    stop: SSAValue
    shown: SSAValue


def find_phase(lowering: NestLowering, level: int) -> SSAValue | None:
    """The lanes before the first element in its line; None where a loop must begin at it."""
    nest, builder = lowering.nest, lowering.builder
    if not lowering.frame.machine.masks or lowering.tiles or _turns(lowering, level):
        return None
    anchor = None
    for number, (element, entries) in enumerate(zip(nest.elements, nest.input_maps)):
        if element.first_use is None or not isinstance(element.type, VectorType):
            continue
        buffer = lowering.input(number)
        unit = itemsize(buffer.element)
        if buffer.strides[entries.index(level)] != unit:
            return None  # what is loaded lane by lane is read in front of the first element, too
        if anchor is None and unit * lowering.width == LINE and _input(nest.inputs[number]):
            anchor = number
    if anchor is None:
        return None
    lowering.bind_iterator(level, builder.index(0))
    pointers = address(builder, lowering.input(anchor), lowering.indices(nest.input_maps[anchor]))
    short = SHORT * lowering.width // min(lowering.frame.rows.count, 2)
    argument = _input(nest.inputs[anchor])
    assert argument is not None
    suits = builder.icmp("sge", lowering.sizes[level], builder.index(short))
    if any(plan.in_registers and plan.start < level for plan in lowering.plans):
        suits = builder.binary(llvm.AndOp, suits, _same_for_all_rows(lowering, anchor, level))
    phase = _phase(builder, pointers, suits, LINE // lowering.width)
    return builder.select(is_large(lowering, anchor, argument), builder.index(0), phase)


def _same_for_all_rows(lowering: NestLowering, number: int, level: int) -> SSAValue:
    """Whether all rows begin at one place of a line, for accumulators that go from row to row."""
    builder, buffer = lowering.builder, lowering.input(number)
    found = builder.constant(1, i1)
    for d, entry in enumerate(lowering.nest.input_maps[number]):
        if entry < 0 or entry == level:
            continue
        within = builder.binary(llvm.AndOp, number_of(builder, buffer.strides[d]),
                                builder.index(LINE - 1))
        lines = builder.icmp("eq", within, builder.index(0))
        single = builder.icmp("sle", lowering.sizes[entry], builder.index(1))
        found = builder.binary(llvm.AndOp, found, builder.binary(llvm.OrOp, lines, single))
    return found


def _turns(lowering: NestLowering, level: int) -> bool:
    """Whether accumulators go from one loop to the next as the last step left them.

    The vector that two blocks, or a row and what is before it, share would turn them once too
    often. (Sums by blocks begin anew in each; of extrema and integers the order does not matter.)
    """
    sums = [plan for plan in lowering.plans
            if plan.in_registers and plan.monoid is not None and plan.monoid.is_float
            and not plan.monoid.is_extremum]  # fmt: skip
    by_blocks = [plan for plan in sums if is_compensated(lowering, plan)]
    return any(by_blocks or plan.start < level for plan in sums if plan not in by_blocks)


def _input(value: SSAValue) -> BlockArgument | None:
    """The caller's array that a value is, or a row of: all others begin with a line."""
    argument = whole_argument(value)
    if argument is None:
        return None
    function = argument.block.parent_op()
    given = function.arg_attrs if isinstance(function, func.FuncOp) else None
    if given is None or given.data[argument.index].data.get("tt.kind") != SHARED:
        return argument
    return None


def _phase(builder: ScopedBuilder, pointers: Value, suits: SSAValue, unit: int) -> SSAValue:
    """Where it suits, the elements before an address; of rows, if all have as many."""
    rows = pointers if isinstance(pointers, tuple) else (pointers,)
    places = [builder.emit(llvm.PtrToIntOp, (row,), i64) for row in rows[:2]]
    within, none = builder.index(LINE - 1), builder.index(0)
    if len(places) == 2:
        apart = builder.binary(llvm.AndOp, builder.sub(places[1], places[0]), within)
        suits = builder.binary(llvm.AndOp, suits, builder.icmp("eq", apart, none))
    behind = builder.binary(llvm.AndOp, places[0], within)
    phase = builder.emit(llvm.LShrOp, (behind, builder.index(unit.bit_length() - 1)), i64)
    return builder.select(suits, phase, none)


def in_pieces(
    lowering: NestLowering,
    level: int,
    start: SSAValue,
    size: SSAValue,
    phase: SSAValue,
    accumulators: Accumulators,
    body: Callable[[Piece, Accumulators], Accumulators],
) -> Accumulators:
    """A loop over the vector that begins in front of `start`, if one does, and what follows."""
    builder, width = lowering.builder, lowering.builder.index(lowering.width)
    none, both = builder.index(0), builder.index(2)
    straddles = builder.icmp("ne", phase, none)
    first = builder.sub(start, phase)
    cut = builder.select(straddles, builder.add(first, width), start)

    def piece(number: SSAValue, inner: Accumulators) -> Accumulators:
        is_head = builder.icmp("eq", number, none)
        hidden = builder.select(is_head, phase, none)
        bits = builder.emit(llvm.ShlOp, (builder.index(-1), hidden), i64)
        if lowering.width < BITS:
            bits = builder.emit(llvm.TruncOp, (bits,), integer(lowering.width))
        shown = builder.emit(llvm.BitcastOp, (bits,), vector_of(i1, lowering.width))
        begin = builder.select(is_head, first, cut)
        stop = builder.select(is_head, builder.smin(cut, size), size)
        return body(Piece(is_head, begin, stop, shown), inner)

    number = builder.select(straddles, none, builder.index(1))
    return lowering.counted(level, number, both, 1, accumulators, piece)


def left_of(
    builder: ScopedBuilder, begin: SSAValue, size: SSAValue, piece: Piece | None
) -> SSAValue:
    """The elements for whole vectors; a head has none."""
    left = builder.sub(size, begin)
    if piece is None:
        return left
    none = builder.index(0)
    return builder.select(piece.is_head, none, builder.smax(left, none))


__all__ = ["Piece", "find_phase", "in_pieces", "left_of"]
