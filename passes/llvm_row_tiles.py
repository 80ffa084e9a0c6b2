"""Columns as rows of nests: a tile's worth of rows is copied in front of the loops over them.

Of a nest with `tile = R` around others (`schedule_tiles`), the nests inside that have `tile` too
copy a column to a row. Here R columns are copied at once, as `llvm_tiles` does it, to the rows that
the arena has for them; the loop over the rows then runs as it would over rows. Where every result
collects, so that it does not show, tiles begin where lines do: s elements before the first.

    for i0 in -s .. n by R:
        rows[i - i0, k] = x[k, i]                          // for R i, and all k
        for i in max(i0, 0) .. i0 + R:  the body, its copy left out
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from xdsl.ir import SSAValue

from tetractys.dialects.loops import SLICE, AllocOp, NestOp
from tetractys.passes.llvm_builder import itemsize
from tetractys.passes.llvm_memory import Buffer, Index, RowIndex, address
from tetractys.passes.llvm_scopes import ScopedBuilder
from tetractys.passes.llvm_tiles import Part, before_line, turn

if TYPE_CHECKING:
    from tetractys.passes.llvm_nest import Accumulators, NestLowering


class RowTile(NamedTuple):
    """The rows of a tile, and the iteration that the first one is of."""

    buffer: Buffer
    start: SSAValue

    def row(self, builder: ScopedBuilder, lowering: NestLowering) -> Buffer:
        """The row of the iteration (or rows, where several run together)."""
        at = _from(builder, lowering.frame.index(lowering.nest.iterators[-1]), self.start)
        return self.buffer.drop([1], address(builder, self.buffer, [(0, at)]))


def _from(builder: ScopedBuilder, index: Index, start: SSAValue) -> Index:
    if not isinstance(index, RowIndex):
        return builder.sub(index, start)
    last = None if index.last is None else builder.sub(index.last, start)
    return RowIndex(builder.sub(index.base, start), index.rows, last)


class _Copy(NamedTuple):
    """One copy: the rows' memory, the array, and the map of the nest's input."""

    row: SSAValue
    room: Buffer
    source: Buffer
    entries: tuple[int, ...]


class RowTiles:
    """The loop over rows of one nest, by tiles."""

    def __init__(self, lowering: NestLowering) -> None:
        self.lowering = lowering
        self.builder = lowering.builder
        self.rows = lowering.nest.scheduled("tile")

    def emit(self, level: int, accumulators: Accumulators) -> Accumulators:
        """Builds the loop over tiles, and in it the one over rows."""
        lowering, builder, size = self.lowering, self.builder, self.lowering.sizes[level]
        copies = [self._copy(op) for op in lowering.nest.block.ops
                  if isinstance(op, NestOp) and op.scheduled("tile")]  # fmt: skip

        lowering.bind_iterator(level, builder.index(0))
        before = builder.index(0)
        if all(kind == "collect" for kind in lowering.nest.kind_names):
            before = before_line(builder, self._part(copies[0], size))

        def tile(begin: SSAValue, inner: Accumulators) -> Accumulators:
            end = builder.smin(builder.add(begin, builder.index(self.rows)), size)
            first = builder.smax(begin, builder.index(0))
            lowering.bind_iterator(level, first)
            parts = [self._part(copy, builder.sub(end, first)) for copy in copies]
            for copy, part in zip(copies, parts):
                turn(builder, part, copy.room)
                lowering.frame.tiled[copy.row] = RowTile(copy.room, first)
            lowering.starts[level], lowering.sizes[level] = first, end
            return lowering.loops_of(level)(level, inner)

        found = lowering.counted(level, before, size, self.rows, accumulators, tile)
        lowering.sizes[level] = size
        del lowering.starts[level]
        return found

    def _copy(self, op: NestOp) -> _Copy:
        """What an inner nest copies."""
        lowering, builder, nest = self.lowering, self.builder, self.lowering.nest
        (row,), (column,) = op.outs_, op.inputs
        alloc = row.owner
        assert isinstance(alloc, AllocOp) and lowering.frame.workspace is not None
        number = [*nest.elements].index(column)  # type: ignore[arg-type]
        workspace, source = lowering.frame.workspace, lowering.input(number)
        sizes = (builder.index(self.rows), *workspace.sizes(alloc))
        strides = (workspace.row_bytes(alloc), itemsize(source.element))
        room = Buffer(workspace.base(alloc), source.element, sizes, strides)
        return _Copy(row, room, source, tuple(nest.input_maps[number]))

    def _part(self, copy: _Copy, rows: SSAValue) -> Part:
        """The columns from the iterator's place."""
        source, d = copy.source, copy.entries.index(SLICE)
        pointer = address(self.builder, source, self.lowering.indices(copy.entries))
        assert isinstance(pointer, SSAValue)
        return Part(source, pointer, source.strides[d], rows, source.sizes[d])
