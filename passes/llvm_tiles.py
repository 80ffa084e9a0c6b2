"""Columns as rows: tiles of an array, transposed in registers, on the stack.

Of a nest with `tile = R` (`schedule_tiles`) the two innermost loops run over tiles of R times some
more iterations. Each input that is dense along the outer of the two is first copied to a tile that
is dense along the inner one, from which vectors are then loaded as of any row. What is moved at
once is a square: as many vectors as they have lanes are loaded as they are, exchanged pairwise in
log2(lanes) rounds, and stored, each as a piece of a row.

    for i0 in 0 .. n by R:  for j0 in 0 .. m by C:
        tile[i - i0, j - j0] = x[j, i]                     // for the tile's i and j
        for i in i0 .. i0 + R:  for j in j0 .. j0 + C by a vector:  the body
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from xdsl.dialects import llvm
from xdsl.dialects.builtin import VectorType, i32, i64
from xdsl.ir import SSAValue

from tetractys.passes.llvm_builder import itemsize, memory_type, vector_of
from tetractys.passes.llvm_memory import Buffer, Index, Stride, address, number_of
from tetractys.passes.llvm_scopes import ScopedBuilder
from tetractys.passes.llvm_types import LINE

if TYPE_CHECKING:
    from tetractys.passes.llvm_nest import Accumulators, NestLowering

TILE_BYTES = 8192
"""Of a tile: those of two inputs and what is fetched of the next ones fit the L1 cache."""
MOST_COLUMNS = 64
"""Iterations of the innermost loop in a tile."""
SQUARE = 8
"""The vectors that are transposed at once, and their lanes."""


class Column(NamedTuple):
    """An input of the nest that is copied: the body's element, the array, its room as a tile.

    entries: the levels of the nest that index its dimensions.
    """

    element: SSAValue
    source: Buffer
    entries: tuple[int, ...]
    room: Buffer


class Tile(NamedTuple):
    """A tile, and the iterations of the last two loops that its first element is of."""

    buffer: Buffer
    start: tuple[SSAValue, SSAValue]

    def indices(self, builder: ScopedBuilder, at: Sequence[Index]) -> list[tuple[int, Index]]:
        """The place of an iteration in the tile."""
        return [
            (d, builder.sub(cast(SSAValue, index), first))
            for d, (index, first) in enumerate(zip(at, self.start))
        ]


class Part(NamedTuple):
    """A part of an array that is dense along its `rows`; its `columns` are `across` bytes apart."""

    source: Buffer
    pointer: SSAValue
    across: Stride
    rows: SSAValue
    columns: SSAValue


class TileLoops:
    """The two innermost loops of a nest, by tiles."""

    def __init__(self, lowering: NestLowering) -> None:
        self.lowering = lowering
        self.builder = lowering.builder
        self.rows = lowering.nest.scheduled("tile")
        self.count = 0
        """Columns of a tile."""

    def emit(self, level: int, accumulators: Accumulators) -> Accumulators:
        """Builds the loops; there are no accumulators, as every result collects."""
        lowering, builder = self.lowering, self.builder
        rows, columns = lowering.sizes[level], lowering.sizes[level + 1]
        inputs = self._columns(level)
        if not inputs:
            return lowering.plain_loop(level, accumulators)

        def tile(i0: SSAValue, j0: SSAValue) -> None:
            i1 = builder.smin(builder.add(i0, builder.index(self.rows)), rows)
            j1 = builder.smin(builder.add(j0, builder.index(self.count)), columns)
            lowering.bind_iterator(level, i0)
            lowering.bind_iterator(level + 1, j0)
            parts = [
                self._part(one, level + 1, builder.sub(i1, i0), builder.sub(j1, j0))
                for one in inputs
            ]
            for one, part in zip(inputs, parts):
                turn(builder, part, one.room)
                lowering.tiles[one.element] = Tile(one.room, (i0, j0))
            lowering.starts[level + 1], lowering.sizes[level + 1] = j0, j1

            def row(index: SSAValue, _: Accumulators) -> Accumulators:
                for part in parts:
                    self._look_ahead(part, builder.sub(index, i0), j0, columns)
                self._look_below(level, index, j0)
                return lowering.level(level + 1, {})

            lowering.counted(level, i0, i1, 1, {}, row)

        self._each(rows, self.rows, lambda i: self._each(columns, self.count, lambda j: tile(i, j)))
        del lowering.starts[level + 1]
        lowering.sizes[level + 1] = columns
        return accumulators

    def _each(self, size: SSAValue, step: int, body: Callable[[SSAValue], None]) -> None:
        """A loop that carries nothing."""

        def inside(index: SSAValue, _: Sequence[SSAValue]) -> Sequence[SSAValue]:
            body(index)
            return ()

        self.builder.loop(self.builder.index(0), size, step, (), inside)

    def _columns(self, level: int) -> list[Column]:
        lowering, nest = self.lowering, self.lowering.nest
        found: list[tuple[SSAValue, Buffer, tuple[int, ...]]] = []
        for number, (element, entries) in enumerate(zip(nest.elements, nest.input_maps)):
            if level not in entries or level + 1 not in entries or element.first_use is None:
                continue
            source = lowering.input(number)
            near, far = (source.strides[entries.index(one)] for one in (level, level + 1))
            unit = itemsize(source.element)
            if isinstance(element.type, VectorType) and near == unit and far != unit:
                found.append((element, source, tuple(entries)))
        widest = max((itemsize(source.element) for _, source, _ in found), default=1)
        self.count = min(TILE_BYTES // (self.rows * widest), MOST_COLUMNS)
        return [Column(*one, self._room(one[1])) for one in found]

    def _room(self, source: Buffer) -> Buffer:
        builder, unit = self.builder, itemsize(source.element)
        pointer = builder.stack(memory_type(source.element), self.rows * self.count, LINE)
        sizes = (builder.index(self.rows), builder.index(self.count))
        return Buffer(pointer, source.element, sizes, (self.count * unit, unit))

    def _part(self, one: Column, across: int, rows: SSAValue, columns: SSAValue) -> Part:
        """What of an input the tile at the iterators' places takes."""
        iterators, source = self.lowering.nest.iterators, one.source
        indices = [
            (d, self.lowering.frame.index(iterators[entry]))
            for d, entry in enumerate(one.entries)
            if entry >= 0
        ]
        pointer = address(self.builder, source, indices)
        assert isinstance(pointer, SSAValue)
        return Part(source, pointer, source.strides[one.entries.index(across)], rows, columns)

    def _look_ahead(self, part: Part, row: SSAValue, j0: SSAValue, columns: SSAValue) -> None:
        """While a row is worked on, asks for its share of the next tile.

        Nobody else does: the processor sees ahead within a page, and columns are pages apart.
        """
        builder = self.builder
        across = number_of(builder, part.across)
        bytes_ = self.rows * itemsize(part.source.element)
        share = -(-self.count // self.rows)
        hints = [builder.constant(number, i32) for number in (0, 3, 1)]  # read, keep, data
        first = builder.add(part.columns, builder.mul(row, builder.index(share)))

        def column(number: SSAValue, _: Sequence[SSAValue]) -> Sequence[SSAValue]:
            ahead = builder.add(first, number)
            wraps = builder.icmp("sge", builder.add(j0, ahead), columns)
            back = builder.select(wraps, columns, builder.index(0))
            down = builder.select(wraps, builder.index(bytes_), builder.index(0))
            place = builder.offset(part.pointer, builder.mul(builder.sub(ahead, back), across))
            place = builder.offset(place, down)
            for offset in (*range(0, bytes_, LINE), bytes_ - 1):
                line = builder.offset(place, offset)
                builder.intrinsic_named("llvm.prefetch.p0", [line, *hints], None)
            return ()

        builder.loop(builder.index(0), builder.index(share), 1, (), column)

    def _look_below(self, level: int, row: SSAValue, j0: SSAValue) -> None:
        """Asks for the next row of the inputs that are rows already: pieces of a tile's length are
        too short for the processor to see ahead.
        """
        lowering, nest, builder = self.lowering, self.lowering.nest, self.builder
        hints = [builder.constant(number, i32) for number in (0, 3, 1)]  # read, keep, data
        for number, (element, entries) in enumerate(zip(nest.elements, nest.input_maps)):
            if element in lowering.tiles or level not in entries or level + 1 not in entries:
                continue
            source = lowering.input(number)
            lowering.bind_iterator(level, builder.add(row, builder.index(1)))
            lowering.bind_iterator(level + 1, j0)
            place = address(builder, source, lowering.indices(entries))
            lowering.bind_iterator(level, row)
            assert isinstance(place, SSAValue)
            for offset in range(0, self.count * itemsize(source.element), LINE):
                line = builder.offset(place, offset)
                builder.intrinsic_named("llvm.prefetch.p0", [line, *hints], None)


def before_line(builder: ScopedBuilder, part: Part) -> SSAValue:
    """Minus the elements by which a column begins behind the begin of a line: where tiles begin, so
    that they take whole lines.
    """
    place = builder.emit(llvm.PtrToIntOp, (part.pointer,), i64)
    off = builder.binary(llvm.AndOp, place, builder.index(LINE - 1))
    unit = builder.index(itemsize(part.source.element))
    return builder.sub(builder.index(0), builder.emit(llvm.SDivOp, (off, unit), i64))


def turn(builder: ScopedBuilder, part: Part, room: Buffer) -> None:
    """Copies columns to a tile, as rows.

    Squares at the end reach beyond the part: they read its last column again, rows that are not
    there as zeros, and write into the tile's room.
    """
    unit = itemsize(part.source.element)
    type_ = vector_of(memory_type(part.source.element), SQUARE)
    last = builder.sub(part.columns, builder.index(1))
    across, down = number_of(builder, part.across), number_of(builder, room.strides[0])
    target = room.pointer
    assert isinstance(target, SSAValue)

    def exchange(row: SSAValue, pointers: Sequence[SSAValue], place: SSAValue) -> None:
        mask = builder.lane_mask(builder.sub(part.rows, row), SQUARE)
        below = builder.mul(row, builder.index(unit))
        vectors = [
            builder.masked_load(builder.offset(one, below), type_, mask) for one in pointers
        ]
        for k, vector in enumerate(transposed(builder, vectors)):
            number = builder.add(row, builder.index(k))
            builder.store(vector, builder.offset(place, builder.mul(number, down)))

    def squares(column: SSAValue, _: Sequence[SSAValue]) -> Sequence[SSAValue]:
        numbers = [
            builder.smin(builder.add(column, builder.index(k)), last) for k in range(SQUARE)
        ]
        pointers = [builder.offset(part.pointer, builder.mul(one, across)) for one in numbers]
        place = builder.offset(target, builder.mul(column, builder.index(unit)))

        def inside(row: SSAValue, _: Sequence[SSAValue]) -> Sequence[SSAValue]:
            exchange(row, pointers, place)
            return ()

        builder.loop(builder.index(0), part.rows, SQUARE, (), inside)
        return ()

    builder.loop(builder.index(0), part.columns, SQUARE, (), squares)


def transposed(builder: ScopedBuilder, vectors: Sequence[SSAValue]) -> list[SSAValue]:
    """Lane k of vector j becomes lane j of vector k; as many vectors as lanes, a power of two.

    Each round exchanges, between pairs of vectors `step` apart, the odd blocks of `step` lanes of
    one with the even ones of the other.
    """
    lanes, found, step = len(vectors), list(vectors), 1
    while step < lanes:
        even = [n + (lanes - step if n & step else 0) for n in range(lanes)]
        odd = [n + (lanes if n & step else step) for n in range(lanes)]
        for k in range(lanes):
            if not k & step:
                pair = found[k], found[k + step]
                found[k] = builder.shuffle(*pair, even)
                found[k + step] = builder.shuffle(*pair, odd)
        step *= 2
    return found
