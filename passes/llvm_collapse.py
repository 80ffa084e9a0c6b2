"""Two loops as one: where rows lie one behind the other, a nest runs along all of them.

Levels l and l + 1 of a nest collapse if every array is indexed by both, in adjacent dimensions, or
by neither, every result collects or combines both, and the body does not look at the iterators.
Whether an argument's rows are adjacent is known when the kernel runs: the sizes are chosen then,
without a second loop.

    (%i < %n, %k < %d)   becomes   (%i < %c ? 1 : %n, %k < %c ? %n * %d : %d)

A matrix of many short rows is thus worked on in whole vectors.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import llvm
from xdsl.ir import SSAValue

from tetractys.dialects.loops import SCATTERS, Map, NestOp, is_leaf
from tetractys.passes.llvm_frame import Frame
from tetractys.passes.llvm_memory import Buffer, number_of


def can_collapse(nest: NestOp, level: int) -> bool:
    """Whether nothing but the memory's layout keeps `level` and the next one apart."""
    pair = (level, level + 1)
    if any(nest.iterators[number].first_use is not None for number in pair):
        return False
    return all(_is_both_or_none(entries, level) for entries in _all_maps(nest))


def _all_maps(nest: NestOp) -> list[Map]:
    return [*nest.input_maps, *(part.map for part in nest.parts())]


def _is_both_or_none(entries: Map, level: int) -> bool:
    if level in entries and level + 1 in entries:
        return entries.index(level) + 1 == entries.index(level + 1)
    return level not in entries and level + 1 not in entries


def collapsed_sizes(frame: Frame, nest: NestOp, sizes: Sequence[SSAValue]) -> list[SSAValue]:
    """The sizes to loop over: of a leaf nest of the function's own level, collapsed if possible."""
    found = list(sizes)
    if (nest.rank < 2 or isinstance(nest.parent_op(), NestOp) or not is_leaf(nest)
            or any(part.kind in (*SCATTERS, "argmax") for part in nest.parts())):
        return found
    builder, condition = frame.builder, None
    for level in range(nest.rank - 2, -1, -1):
        if not can_collapse(nest, level):
            break
        for one in _conditions(frame, nest, level, sizes[level + 1]):
            condition = one if condition is None else builder.binary(llvm.AndOp, condition, one)
        whole = builder.mul(found[level], found[-1])
        if condition is None:
            found[level], found[-1] = builder.index(1), whole
        else:
            found[-1] = builder.select(condition, whole, found[-1])
            found[level] = builder.select(condition, builder.index(1), found[level])
    return found


def _conditions(frame: Frame, nest: NestOp, level: int, size: SSAValue) -> list[SSAValue]:
    """For each array that both levels index, whether its rows of `size` are adjacent."""
    builder = frame.builder
    arrays = [*zip(nest.inputs, nest.input_maps)]
    arrays += [(part.out, part.map) for part in nest.parts() if part.out is not None]
    found: list[SSAValue] = []
    for source, entries in arrays:
        buffer = frame.env[source]
        if level not in entries or not isinstance(buffer, Buffer):
            continue
        d = entries.index(level)
        row = builder.mul(size, number_of(builder, buffer.strides[d + 1]))
        stride = number_of(builder, buffer.strides[d])
        if stride is not row:  # the builder makes equal values one
            found.append(builder.icmp("eq", stride, row))
    return found
