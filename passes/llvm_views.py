"""Views at level 3: the memory of another array at a moved pointer, under other sizes and strides;
and vectors of elements that are not neighbours, loaded and stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xdsl.dialects.builtin import i1
from xdsl.ir import Attribute, Operation, SSAValue

from tetractys.dialects.loops_views import Entry, SubviewOp
from tetractys.passes.llvm_builder import itemsize, lanes_of, memory_type, vector_of
from tetractys.passes.llvm_memory import (
    Buffer,
    Index,
    Stride,
    address,
    from_memory,
    load_vector,
    number_of,
    store_one,
    to_memory,
)
from tetractys.passes.llvm_scopes import ScopedBuilder
from tetractys.passes.llvm_transfer import gather_index

if TYPE_CHECKING:
    from tetractys.passes.llvm_frame import Frame


def lower_subview(frame: Frame, op: Operation) -> None:
    """`loops.subview`: a moved pointer and scaled strides. An index out of range ends the call."""
    view = cast(SubviewOp, op)
    source = frame.buffer(op.operands[0])
    indices: list[tuple[int, Index]] = []
    sizes: list[SSAValue] = []
    strides: list[Stride] = []
    for axis, entry in enumerate(view.part):
        size, stride = source.sizes[axis], source.strides[axis]
        if entry.first is not None:
            first = frame.scalar(entry.first)
            if entry.size is None and not view.is_safe:
                first, _ = gather_index(frame, op, first, axis, size, stop=True)
            indices.append((axis, first))
            if entry.size is None:
                continue
            size, stride = frame.scalar(entry.size), _scaled(frame, stride, entry)
        sizes.append(size)
        strides.append(stride)
    pointer = address(frame.builder, source, indices)
    frame.env[op.results[0]] = Buffer(pointer, source.element, tuple(sizes), tuple(strides),
                                      source.constant)


def _scaled(frame: Frame, stride: Stride, entry: Entry) -> Stride:
    """The bytes between neighbours of a range."""
    builder, step = frame.builder, entry.step
    if isinstance(step, int):
        if step == 1 or isinstance(stride, int):
            return stride if step == 1 else cast(int, stride) * step
        return builder.mul(stride, builder.index(step))
    return builder.mul(frame.scalar(step), number_of(builder, stride))


# ---- vectors


def load_strided(
    builder: ScopedBuilder,
    pointer: SSAValue,
    element: Attribute,
    width: int,
    mask: SSAValue | None,
    stride: Stride,
) -> SSAValue:
    """A vector of elements `stride` bytes apart, the first at `pointer`.

    Neighbours are one load, neighbours backwards one load and a shuffle, others a load a lane. A
    lane that the mask leaves out reads nothing of its own.
    """
    unit = itemsize(element)
    if _is(builder, stride, unit):
        return load_vector(builder, pointer, element, width, mask)
    if _is(builder, stride, -unit):
        turned = range(width - 1, -1, -1)
        first = builder.offset(pointer, -(width - 1) * unit)
        lanes = None if mask is None else builder.shuffle(mask, mask, turned)
        found = load_vector(builder, first, element, width, lanes)
        return builder.shuffle(found, found, turned)
    step = number_of(builder, stride)
    loaded: list[SSAValue] = []
    for lane in range(width):
        offset = builder.mul(step, builder.index(lane)) if lane else builder.index(0)
        if mask is not None and lane:
            offset = builder.select(builder.extract(mask, lane), offset, builder.index(0))
        place = builder.offset(pointer, offset)
        loaded.append(builder.load(place, memory_type(element)))
    return from_memory(builder, builder.pack(loaded), element)


def store_strided(
    builder: ScopedBuilder,
    value: SSAValue,
    pointer: SSAValue,
    unit: int,
    mask: SSAValue | None,
    stride: Stride,
) -> None:
    """Stores the lanes of a vector `stride` bytes apart, the first at `pointer`; unit: of an
    element. The inverse of `load_strided`, for strides that are known and few elements.

    Neighbours backwards are a shuffle and one store; every second, third or fourth element as many
    masked stores, each of the lanes that fall into a vector's length of memory.
    """
    if not isinstance(stride, int) or stride == unit:
        store_one(builder, value, pointer, mask)
        return
    shown = to_memory(builder, value)
    width, step = lanes_of(shown.type), stride // unit
    every = builder.constant(1, vector_of(i1, width)) if mask is None else mask
    none = builder.constant(0, vector_of(i1, width))
    if step < 0:
        pointer, step = builder.offset(pointer, (width - 1) * stride), -step
        turned = range(width - 1, -1, -1)
        shown, every = (builder.shuffle(v, v, turned) for v in (shown, every))
        if step == 1:
            store_one(builder, shown, pointer, None if mask is None else every)
            return
    for piece in range(step):
        places = range(piece * width, (piece + 1) * width)
        spread = builder.shuffle(shown, shown, [place // step for place in places])
        lanes = builder.shuffle(every, none, [width if place % step else place // step
                                              for place in places])  # fmt: skip
        builder.masked_store(spread, builder.offset(pointer, piece * width * unit), lanes)


def _is(builder: ScopedBuilder, stride: Stride, number: int) -> bool:
    """Whether a stride is known to be a number of bytes."""
    return stride == number if isinstance(stride, int) else stride is builder.index(number)
