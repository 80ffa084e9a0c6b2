"""Arrays that no cache holds: a loop asks for what it will read a page later.

The hardware fetches ahead within a page of 4 KB, and beyond its end only as far as the instructions
reach that can wait for memory: the more of them an element needs, the less. A loop over many
megabytes of an argument therefore asks for the lines `AHEAD` bytes further on itself. Of 80 to 250
MB, sums, extrema, products and maps take 5 to 20 % less time, exp(x).sum() 30 %, more on two
threads than on one. Where rows run together that are shorter than some pages, it asks for the next
rows. In arrays that a cache holds that would cost loads for nothing, a fifth of the time in the
second level, so the kernel looks at the size of the whole array in front of the loop, and branches
in the loop. Nothing is asked for where `tt.sizes` says that the array is small, and nothing between
rows that stand apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from xdsl.dialects import func, llvm
from xdsl.dialects.builtin import DenseArrayBase, VectorType, i32
from xdsl.ir import BlockArgument, SSAValue

from tetractys.dialects.loops import NestOp, map_entries
from tetractys.passes.llvm_builder import itemsize
from tetractys.passes.llvm_memory import address, number_of
from tetractys.passes.llvm_types import LINE

if TYPE_CHECKING:
    from tetractys.passes.llvm_nest import NestLowering
    from tetractys.passes.llvm_scopes import ScopedBuilder

AHEAD = 4096
"""Bytes: 2 KB gain half of it, 6 KB no more."""
FAR = 8 << 20
"""The bytes of an array from which no thread's part is in its second-level cache. (Where the third
level holds it, asking neither gains nor costs.)"""
FAR_OF_ROWS = 64 << 20
"""The same of several rows at a time: their streams come well from the third level by themselves
(A.dot(x) of 32 MB: 1.41 ms, asking 1.49)."""
INTO_SECOND_LEVEL = 2


class Far(NamedTuple):
    """An input of a nest that may come from memory.

    large, dense: whether it is so large, and has little or nothing between its rows. distance: how
    far ahead to ask.
    """

    number: int
    large: SSAValue
    dense: SSAValue | None
    distance: SSAValue


def find_far(lowering: NestLowering) -> list[Far]:
    """The inputs that run along the innermost loop and are, or are rows of, a large argument."""
    nest = lowering.nest
    outer = nest.parent_op()
    if isinstance(outer, NestOp) and outer.scheduled("prefetch"):
        return []  # it asks already, for rows that the first level holds
    found: list[Far] = []
    for number, (element, entries) in enumerate(zip(nest.elements, nest.input_maps)):
        if element.first_use is None or not isinstance(element.type, VectorType):
            continue
        buffer = lowering.input(number)
        if buffer.strides[entries.index(nest.rank - 1)] != itemsize(buffer.element):
            continue
        argument = whole_argument(nest.inputs[number])
        if (
            argument is not None
            and not is_near(argument)
            and is_first_reader(nest, nest.inputs[number])
        ):
            found.append(_far(lowering, number, argument))
    return found


def whole_argument(value: SSAValue) -> BlockArgument | None:
    """The argument of the function that a value is, or a row of."""
    while isinstance(value, BlockArgument):
        outer = value.block.parent_op()
        if not isinstance(outer, NestOp):
            return value
        value = outer.inputs[value.index - outer.rank]
    return None


def is_first_reader(nest: NestOp, value: SSAValue) -> bool:
    """Whether no nest before reads the same row: the first one brings it into the cache."""
    while isinstance(value, BlockArgument) and isinstance(outer := value.block.parent_op(), NestOp):
        readers = (op for op in value.block.ops if isinstance(op, NestOp) and value in op.inputs)
        if next(readers, None) is not nest:
            return False
        nest, value = outer, outer.inputs[value.index - outer.rank]
    return True


def is_near(argument: BlockArgument) -> bool:
    """Whether an argument is known to be small, as a rule."""
    function = argument.block.parent_op()
    if not isinstance(function, func.FuncOp) or function.arg_attrs is None:
        return False
    usual = function.arg_attrs.data[argument.index].data.get("tt.sizes")
    if usual is None:
        return False
    count = 1
    for size in map_entries(cast(DenseArrayBase, usual)):
        count *= size
    return count * 8 < FAR


def is_large(lowering: NestLowering, number: int, argument: SSAValue) -> SSAValue:
    """Whether the argument that an input is, or is rows of, is more than caches hold."""
    builder = lowering.builder
    sizes = _sizes(lowering, number, argument)
    total = _row_bytes(lowering, argument, sizes)
    for size in sizes[:-1]:
        total = builder.mul(total, size)
    far = FAR if lowering.frame.rows.count == 1 else FAR_OF_ROWS
    return builder.icmp("sge", total, builder.index(far))


def _sizes(lowering: NestLowering, number: int, argument: SSAValue) -> list[SSAValue]:
    """Equal sizes are one value in the nest: one branch for several inputs."""
    frame, nest = lowering.frame, lowering.nest
    sizes = list(frame.buffer(argument).sizes)
    if argument is nest.inputs[number]:
        for d, entry in enumerate(nest.input_maps[number]):
            sizes[d] = frame.scalar(nest.sizes[entry]) if entry >= 0 else sizes[d]
    return sizes


def _row_bytes(
    lowering: NestLowering, argument: SSAValue, sizes: Sequence[SSAValue]
) -> SSAValue:
    builder, unit = lowering.builder, itemsize(lowering.frame.buffer(argument).element)
    return builder.mul(sizes[-1], builder.index(unit))


def _far(lowering: NestLowering, number: int, argument: SSAValue) -> Far:
    frame, builder = lowering.frame, lowering.builder
    buffer, sizes = frame.buffer(argument), _sizes(lowering, number, argument)
    large, distance = is_large(lowering, number, argument), builder.index(AHEAD)
    if len(sizes) == 1:
        return Far(number, large, None, distance)
    row, stride = _row_bytes(lowering, argument, sizes), number_of(builder, buffer.strides[-2])
    long = builder.icmp("sge", row, builder.index(4 * AHEAD))
    dense = builder.binary(llvm.OrOp, builder.icmp("eq", stride, row), long)
    if (rows := frame.rows.count) > 1:
        distance = builder.select(long, distance, builder.mul(stride, builder.index(rows)))
    return Far(number, large, dense, distance)


def ask_ahead(lowering: NestLowering, lanes: int) -> None:
    """Asks for the lines that stand ahead of these `lanes` elements of each input."""
    builder = lowering.builder
    groups: dict[SSAValue, list[Far]] = {}
    for far in find_far(lowering):
        groups.setdefault(far.large, []).append(far)
    for condition, group in groups.items():
        for far in group:
            if far.dense is not None:
                condition = builder.binary(llvm.AndOp, condition, far.dense)
        wanted = [place for far in group for place in _places(lowering, far, lanes)]
        builder.when(condition, lambda wanted=wanted: _ask(builder, wanted))


def _places(lowering: NestLowering, far: Far, lanes: int) -> list[SSAValue]:
    builder, buffer = lowering.builder, lowering.input(far.number)
    entries = lowering.nest.input_maps[far.number]
    pointers = address(builder, buffer, lowering.indices(entries))
    starts = [builder.offset(pointer, far.distance)
              for pointer in (pointers if isinstance(pointers, tuple) else (pointers,))]
    lines = range(0, lanes * itemsize(buffer.element), LINE)
    return [builder.offset(start, line) for start in starts for line in lines]


def _ask(builder: ScopedBuilder, places: list[SSAValue]) -> None:
    hints = [builder.constant(number, i32) for number in (0, INTO_SECOND_LEVEL, 1)]  # read, data
    for place in places:
        builder.intrinsic_named("llvm.prefetch.p0", [place, *hints], None)


__all__ = ["ask_ahead", "is_large", "whole_argument"]
