"""Whole arrays and rows at level 3: filling, copying, combining; and indices that the program
gives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xdsl.dialects.builtin import VectorType, i1
from xdsl.ir import Operation, SSAValue

from tetractys.dialects.loops import GatherOp
from tetractys.passes import llvm_monoids as monoids
from tetractys.passes.llvm_builder import PTR, itemsize, llvm_type, memory_type
from tetractys.passes.llvm_memory import (
    Buffer,
    Rows,
    address,
    from_memory,
    load_vector,
    store_one,
)
from tetractys.passes.llvm_monoids import Monoid
from tetractys.passes.llvm_scopes import ScopedBuilder

if TYPE_CHECKING:
    from tetractys.passes.llvm_frame import Frame

VECTOR_BYTES = 64


def count(builder: ScopedBuilder, buffer: Buffer) -> SSAValue:
    """The number of elements."""
    total = builder.index(1)
    for number, size in enumerate(buffer.sizes):
        total = builder.mul(total, size) if number else size
    return total


def fill(builder: ScopedBuilder, buffer: Buffer, number: float) -> None:
    """Puts one number into every element of a contiguous array (of each row's, for several)."""
    element = memory_type(buffer.element)
    lanes = VECTOR_BYTES // itemsize(element)
    value = number if llvm_type(buffer.element) != i1 else int(number) & 1
    vector = builder.constant(value, VectorType(element, [lanes]))
    size = count(builder, buffer)
    places = buffer.pointer if isinstance(buffer.pointer, tuple) else (buffer.pointer,)
    mask = builder.lane_mask(size, lanes)

    def body(index: SSAValue) -> None:
        for place in places:
            builder.masked_store(vector, builder.offset(place, index, element), mask)

    builder.overlapping_loop(size, lanes, body)


def transfer(
    builder: ScopedBuilder, source: Buffer, target: Buffer, monoid: Monoid | None, rows: Rows
) -> None:
    """Copies a row, or combines it with what is there; of several rows, one after another."""
    assert len(source.sizes) == len(target.sizes)
    if not source.sizes:
        _transfer_last(builder, source, target, monoid, rows)
        return
    _transfer_level(builder, source, target, monoid, rows)


def _transfer_level(
    builder: ScopedBuilder, source: Buffer, target: Buffer, monoid: Monoid | None, rows: Rows
) -> None:
    if len(source.sizes) == 1:
        _transfer_last(builder, source, target, monoid, rows)
        return
    kept = list(range(1, len(source.sizes)))

    def body(index: SSAValue, _: object) -> list[SSAValue]:
        inner = [b.drop(kept, address(builder, b, [(0, index)])) for b in (source, target)]
        _transfer_level(builder, inner[0], inner[1], monoid, rows)
        return []

    builder.loop(builder.index(0), source.sizes[0], 1, [], body)


def _transfer_last(
    builder: ScopedBuilder, source: Buffer, target: Buffer, monoid: Monoid | None, rows: Rows
) -> None:
    """The innermost dimension, element by element, or in vectors where it is dense."""
    dense = all(b.strides[-1] == itemsize(b.element) for b in (source, target))
    width = VECTOR_BYTES // itemsize(source.element) if dense else 0

    def body(index: SSAValue, _: object) -> list[SSAValue]:
        mask = builder.lane_mask(builder.sub(source.sizes[0], index), width) if width else None
        _transfer_element(builder, source, target, monoid, rows, index, width, mask)
        return []

    builder.loop(builder.index(0), source.sizes[0], width or 1, [], body)


def _transfer_element(
    builder: ScopedBuilder,
    source: Buffer,
    target: Buffer,
    monoid: Monoid | None,
    rows: Rows,
    index: SSAValue,
    width: int,
    mask: SSAValue | None,
) -> None:
    origins, places = [address(builder, b, [(0, index)]) for b in (source, target)]
    read = [load_vector(builder, one, source.element, width, mask)
            for one in (origins if isinstance(origins, tuple) else (origins,))]
    values = read if len(read) == rows.count else read * rows.count
    if isinstance(places, tuple):
        for row, place in enumerate(places):
            _transfer_one(builder, [values[row]], place, target, monoid, width, mask, rows, row)
    else:
        _transfer_one(builder, values, places, target, monoid, width, mask, rows, None)


def _transfer_one(
    builder: ScopedBuilder,
    values: list[SSAValue],
    place: SSAValue,
    target: Buffer,
    monoid: Monoid | None,
    width: int,
    mask: SSAValue | None,
    rows: Rows,
    row: int | None,
) -> None:
    """Stores the values of a row, or combines those of all rows with the place they share."""

    def write() -> None:
        total = values[0]
        if monoid is not None:
            total = load_vector(builder, place, target.element, width, mask)
            for number, value in enumerate(values):
                new = monoids.combine(builder, monoid, total, value)
                exists = None if row is not None else rows.exists(builder, number)
                total = new if exists is None else builder.select(exists, new, total)
        store_one(builder, total, place, mask)

    exists = None if row is None else rows.exists(builder, row)
    if exists is None:
        write()
    else:
        builder.when(exists, write)


# ---- indices that the program computes


def gather_index(
    frame: Frame, op: Operation, index: SSAValue, axis: int, size: SSAValue, *, stop: bool = False
) -> tuple[SSAValue, SSAValue]:
    """The index counted from the front, and whether it is out of range (reported; `stop` as in
    `Frame.fail_if`).
    """
    builder = frame.builder
    lanes = index.type.get_shape()[0] if isinstance(index.type, VectorType) else 0
    bound = builder.splat(size, lanes)
    zero = builder.constant(0, index.type)
    wrapped = builder.select(builder.icmp("slt", index, zero), builder.add(index, bound), index)
    bad = builder.icmp("uge", wrapped, bound)
    code = frame.tables.error(
        "IndexError", "index {0} is out of bounds for axis {1} with size {2}", op)
    for row in range(lanes or 1):
        one, found = (bad, index) if not lanes else (
            builder.extract(bad, row), builder.extract(index, row))
        frame.fail_if(one, code, [found, builder.index(axis), size], stop=stop)
    return wrapped, bad


def lower_gather(frame: Frame, op: Operation) -> None:
    """`loops.gather`: an element at computed indices; out of range, anything, and the call
    fails.
    """
    gather = cast(GatherOp, op)
    buffer = frame.buffer(op.operands[0])
    indices = [frame.scalar(index) for index in op.operands[1:]]
    bad: list[SSAValue] = []
    named = sorted((axis, place) for place, axis in enumerate(gather.named_axes))
    for axis, place in named[: gather.checked_axes]:
        indices[place], flag = gather_index(frame, op, indices[place], axis, buffer.sizes[place])
        bad.append(flag)
    if isinstance(gather.out.type, VectorType):
        frame.env[gather.out] = _gather_row(frame, gather, buffer, indices, bad)
        return
    lanes = max((index.type.get_shape()[0] for index in indices
                 if isinstance(index.type, VectorType)), default=0)
    if isinstance(buffer.pointer, tuple):
        lanes = len(buffer.pointer)
    found = [_gather_one(frame, buffer, indices, bad, row, lanes) for row in range(lanes or 1)]
    value = frame.builder.pack(found) if lanes else found[0]
    frame.env[op.results[0]] = from_memory(frame.builder, value, buffer.element)


def _gather_row(
    frame: Frame,
    gather: GatherOp,
    buffer: Buffer,
    indices: list[SSAValue],
    bad: list[SSAValue],
) -> SSAValue:
    """The element and its neighbours, in the lanes that the step has; a failed index reads the flat
    block, which is longer than a vector, instead.
    """
    builder, type_ = frame.builder, gather.out.type
    assert isinstance(type_, VectorType)
    pointer = address(builder, buffer, list(enumerate(indices)))
    assert isinstance(pointer, SSAValue)
    for flag in bad:
        pointer = builder.emit(_select(), (flag, frame.flat, pointer), PTR)
    return load_vector(builder, pointer, buffer.element, type_.get_shape()[0], frame.mask)


def _gather_one(
    frame: Frame, buffer: Buffer, indices: list[SSAValue], bad: list[SSAValue], row: int, lanes: int
) -> SSAValue:
    """The element for one row, as it is in memory; a failed index reads the flat block instead."""
    builder = frame.builder

    def of_row(value: SSAValue) -> SSAValue:
        return builder.extract(value, row) if isinstance(value.type, VectorType) else value

    base = buffer.pointer[row] if isinstance(buffer.pointer, tuple) else buffer.pointer
    one = Buffer(base, buffer.element, buffer.sizes, buffer.strides)
    pointer = address(builder, one, [(axis, of_row(index)) for axis, index in enumerate(indices)])
    assert isinstance(pointer, SSAValue)
    for flag in bad:
        pointer = builder.emit(_select(), (of_row(flag), frame.flat, pointer), PTR)
    return builder.load(pointer, memory_type(buffer.element))


def _select() -> type[Operation]:
    from tetractys.dialects.llvm_ext import SelectOp

    return SelectOp


