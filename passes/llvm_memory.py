"""Arrays in memory at level 3: addresses, loads and stores of elements, vectors and rows.

A `Buffer` is a pointer and a stride in bytes for each dimension. Where several rows are worked on
at once (jam), what depends on the row comes in copies: a pointer for each row, a tuple. Values of
such rows are one vector of a lane a row where the IR has a scalar, and a tuple of vectors where it
has a vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from xdsl.dialects import llvm
from xdsl.dialects.builtin import i1, i64
from xdsl.ir import Attribute, SSAValue

from tetractys.passes.llvm_builder import (
    element_of,
    itemsize,
    lanes_of,
    llvm_type,
    memory_type,
    vector_of,
)
from tetractys.passes.llvm_scopes import ScopedBuilder
from tetractys.passes.llvm_types import integer

Value: TypeAlias = "SSAValue | tuple[SSAValue, ...]"
"""One value, or one for each row."""


class Rows:
    """How many rows are worked on at once, and how many of them exist (None: all).

    The last block of rows may reach beyond the end. Rows that do not exist read the last one's
    memory and compute what comes of it, but nothing of theirs is stored or combined.
    """

    __slots__ = ("count", "left")

    def __init__(self, count: int = 1, left: SSAValue | None = None) -> None:
        self.count, self.left = count, left

    def mask(self, builder: ScopedBuilder) -> SSAValue | None:
        """A lane a row: whether it exists."""
        if self.left is None:
            return None
        lanes = builder.lane_numbers(vector_of(i64, self.count))
        return builder.icmp("sgt", builder.splat(self.left, self.count), lanes)

    def exists(self, builder: ScopedBuilder, row: int) -> SSAValue | None:
        """Whether a row exists; the first one does."""
        if self.left is None or not row:
            return None
        return builder.icmp("sgt", self.left, builder.index(row))

    def vector_mask(
        self, builder: ScopedBuilder, row: int, width: int, mask: SSAValue | None
    ) -> SSAValue | None:
        """The lanes of a row's vector that may be stored: those of `mask` if the row exists."""
        found = self.exists(builder, row)
        if found is None:
            return mask
        bits = builder.emit(llvm.SExtOp, (found,), integer(width))
        whole = builder.emit(llvm.BitcastOp, (bits,), vector_of(i1, width))
        return whole if mask is None else builder.binary(llvm.AndOp, whole, mask)


SINGLE = Rows()


class RowIndex(NamedTuple):
    """The iterator of jammed rows: `base`, `base + 1`, ..., but none beyond `last` if it is
    given.
    """

    base: SSAValue
    rows: int
    last: SSAValue | None = None

    def of(self, builder: ScopedBuilder, row: int) -> SSAValue:
        """The index of one row."""
        index = builder.add(self.base, builder.index(row))
        return index if self.last is None or not row else builder.smin(index, self.last)


Index: TypeAlias = "SSAValue | RowIndex"
Stride: TypeAlias = "SSAValue | int"


class Buffer(NamedTuple):
    """An array in memory.

    element: its dialect type (`f64`, `i1`, `ui8`); strides: bytes, a number where known.
    constant: nothing in the function writes it.
    """

    pointer: Value
    element: Attribute
    sizes: tuple[SSAValue, ...]
    strides: tuple[Stride, ...]
    constant: bool = False

    def drop(self, kept: Sequence[int], pointer: Value) -> Buffer:
        """The slice of the kept dimensions at `pointer`."""
        return Buffer(pointer, self.element, tuple(self.sizes[d] for d in kept),
                      tuple(self.strides[d] for d in kept), self.constant)


def row_major(
    builder: ScopedBuilder, element: Attribute, sizes: Sequence[SSAValue]
) -> list[Stride]:
    """The strides of a contiguous array."""
    if not sizes:
        return []
    strides: list[Stride] = [itemsize(element)]
    for size in reversed(sizes[1:]):
        strides.append(builder.mul(size, number_of(builder, strides[-1])))
    return strides[::-1]


def number_of(builder: ScopedBuilder, stride: Stride) -> SSAValue:
    """A stride as a value."""
    return stride if isinstance(stride, SSAValue) else builder.index(stride)


def address(
    builder: ScopedBuilder, buffer: Buffer, indices: Sequence[tuple[int, Index]]
) -> Value:
    """The address of an element; `indices` pairs dimensions with indices, absent ones are 0.

    Outer loops' terms are added first, so that they stay out of the inner ones.
    """
    pointer = buffer.pointer
    ordered = sorted(indices, key=lambda pair: builder.depth_of(_base(pair[1])))
    for dimension, index in ordered:
        stride = buffer.strides[dimension]
        if isinstance(index, RowIndex):
            pointer = _row_addresses(builder, pointer, index, stride, buffer.element)
        elif isinstance(pointer, tuple):
            pointer = tuple(
                _offset(builder, one, index, stride, buffer.element) for one in pointer
            )
        else:
            pointer = _offset(builder, pointer, index, stride, buffer.element)
    return pointer


def _base(index: Index) -> SSAValue:
    return index.base if isinstance(index, RowIndex) else index


def _offset(
    builder: ScopedBuilder, pointer: SSAValue, index: SSAValue, stride: Stride, element: Attribute
) -> SSAValue:
    if isinstance(stride, int) and stride == itemsize(element):
        return builder.offset(pointer, index, memory_type(element))
    return builder.offset(pointer, builder.mul(index, number_of(builder, stride)))


def _row_addresses(
    builder: ScopedBuilder, pointer: Value, index: RowIndex, stride: Stride, element: Attribute
) -> tuple[SSAValue, ...]:
    bases = pointer if isinstance(pointer, tuple) else (pointer,) * index.rows
    return tuple(
        _offset(builder, base, index.of(builder, row), stride, element)
        for row, base in enumerate(bases)
    )


def is_consecutive(buffer: Buffer, indices: Sequence[tuple[int, Index]]) -> bool:
    """Whether the rows' elements lie side by side: the row index counts the last dimension only."""
    rows = [d for d, index in indices if isinstance(index, RowIndex)]
    return (len(rows) == 1 and not isinstance(buffer.pointer, tuple)
            and buffer.strides[rows[0]] == itemsize(buffer.element))


# ---- register <-> memory


def from_memory(builder: ScopedBuilder, value: SSAValue, element: Attribute) -> SSAValue:
    """A byte that holds a bool becomes an i1."""
    if llvm_type(element) != i1:
        return value
    return builder.icmp("ne", value, builder.constant(0, value.type))


def to_memory(builder: ScopedBuilder, value: SSAValue) -> SSAValue:
    """An i1 becomes a byte."""
    if element_of(value.type) != i1:
        return value
    return builder.convert(llvm.ZExtOp, value, memory_type(i1))


def load_vector(
    builder: ScopedBuilder, pointer: SSAValue, element: Attribute, width: int,
    mask: SSAValue | None,
) -> SSAValue:
    """A vector (a scalar for width 0), here; zeros in the lanes that a mask leaves out."""
    type_ = vector_of(memory_type(element), width)
    if mask is not None and width:
        return from_memory(builder, builder.masked_load(pointer, type_, mask), element)
    return from_memory(builder, builder.load(pointer, type_), element)


def _load_early(
    builder: ScopedBuilder, buffer: Buffer, pointer: SSAValue, lanes: int, depth: int
) -> SSAValue:
    """As far out as possible: arguments anywhere, what the function writes not beyond `depth`."""
    type_ = vector_of(memory_type(buffer.element), lanes)
    if buffer.constant:
        return builder.load_invariant(pointer, type_)
    return builder.load_at(depth, pointer, type_)


def store_one(
    builder: ScopedBuilder, value: SSAValue, pointer: SSAValue, mask: SSAValue | None
) -> None:
    """A scalar or vector; of a vector, the lanes in the mask."""
    shown = to_memory(builder, value)
    if mask is not None and lanes_of(shown.type):
        builder.masked_store(shown, pointer, mask)
    else:
        builder.store(shown, pointer)


def load_rows(
    builder: ScopedBuilder,
    buffer: Buffer,
    indices: Sequence[tuple[int, Index]],
    depth: int,
    rows: Rows,
) -> SSAValue:
    """A scalar, or the rows' scalars as one vector; nothing from `depth` inwards writes it."""
    if is_consecutive(buffer, indices):
        pointer, mask = _first(builder, buffer, indices), rows.mask(builder)
        if mask is None:
            found = _load_early(builder, buffer, pointer, rows.count, depth)
        else:
            type_ = vector_of(memory_type(buffer.element), rows.count)
            found = builder.masked_load(pointer, type_, mask)
        return from_memory(builder, found, buffer.element)
    pointers = address(builder, buffer, indices)
    if isinstance(pointers, tuple):
        found = builder.pack([_load_early(builder, buffer, one, 0, depth) for one in pointers])
    else:
        found = _load_early(builder, buffer, pointers, 0, depth)
    return from_memory(builder, found, buffer.element)


def _first(
    builder: ScopedBuilder, buffer: Buffer, indices: Sequence[tuple[int, Index]]
) -> SSAValue:
    """The address of the first row's element."""
    pointer = address(builder, buffer, [(d, _base(index)) for d, index in indices])
    assert not isinstance(pointer, tuple)
    return pointer


def store_rows(
    builder: ScopedBuilder,
    value: SSAValue,
    buffer: Buffer,
    indices: Sequence[tuple[int, Index]],
    rows: Rows,
) -> None:
    """The inverse of `load_rows`; a value that no row changes goes to every row that exists."""
    shown = to_memory(builder, value)
    if is_consecutive(buffer, indices):
        lanes = shown if lanes_of(shown.type) else builder.splat(shown, rows.count)
        store_one(builder, lanes, _first(builder, buffer, indices), rows.mask(builder))
        return
    pointers = address(builder, buffer, indices)
    if not isinstance(pointers, tuple):
        store_one(builder, value, pointers, None)
        return
    for row, place in enumerate(pointers):
        one = builder.extract(shown, row) if lanes_of(shown.type) else shown
        exists = rows.exists(builder, row)
        if exists is None:
            builder.store(one, place)
        else:
            builder.when(exists, lambda one=one, place=place: builder.store(one, place))


def rows_of(builder: ScopedBuilder, index: RowIndex) -> SSAValue:
    """The row numbers as a vector."""
    base = builder.splat(index.base, index.rows)
    found = builder.add(base, builder.lane_numbers(vector_of(i64, index.rows)))
    if index.last is None:
        return found
    return builder.smin(found, builder.splat(index.last, index.rows))
