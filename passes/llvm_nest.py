"""A loop nest at level 3: its loops, its tails, and where its results go.

Loop order is iterator order, the last one innermost. What does not depend on a loop is built in
front of it (`llvm_scopes`). The innermost loop of a vectorised nest is built by `llvm_vectors`, the
last loop of a nest that holds other nests by `llvm_rows`; the others are here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

from xdsl.dialects import llvm
from xdsl.dialects.builtin import VectorType, i32, i64
from xdsl.ir import SSAValue

from tetractys.dialects.loops import SLICE, Map, NestOp, is_leaf
from tetractys.passes import llvm_monoids as monoids
from tetractys.passes.llvm_builder import itemsize, lanes_of, vector_of
from tetractys.passes.llvm_collapse import collapsed_sizes
from tetractys.passes.llvm_frame import Frame, Sink
from tetractys.passes.llvm_memory import (
    Buffer,
    Index,
    RowIndex,
    Stride,
    address,
    load_rows,
)
from tetractys.passes.llvm_plan import Plan, plans_of, pure_operations, vector_width
from tetractys.passes.llvm_scopes import ScopedBuilder
from tetractys.passes.llvm_transfer import fill
from tetractys.passes.llvm_views import load_strided
from tetractys.passes.llvm_yields import ScalarYields

if TYPE_CHECKING:
    from tetractys.passes.llvm_tiles import Tile

Accumulators: TypeAlias = "dict[int, list[SSAValue]]"
"""By result number, the values that loops carry."""


NEAR = 8 << 20
"""The bytes of an array of which the second-level cache still holds a good part at its end."""


class Span(NamedTuple):
    """A part of an iterator's range: `length` iterations from `start`."""

    level: int
    start: SSAValue
    length: SSAValue


class NestLowering:
    """One nest being built, or a span of it; `emit` does it.

    outs: the memory of results, by their number, that is not what the operation says.
    """

    def __init__(self, frame: Frame, nest: NestOp, span: Span | None = None) -> None:
        self.frame = frame
        self.builder = frame.builder
        self.nest = nest
        self.plans = plans_of(nest)
        self.input_maps = nest.input_maps
        self.leaf = is_leaf(nest)
        self.width = vector_width(nest)
        self.span = span
        self.outs: dict[int, Buffer] = {}
        sizes = [frame.scalar(size) for size in nest.sizes]
        if span is not None:
            sizes[span.level] = span.length
            frame.origins[nest.iterators[span.level]] = span.start
        self.sizes = collapsed_sizes(frame, nest, sizes)
        self.starts: dict[int, SSAValue] = {}  # of levels that a tile cuts; `sizes` says their end
        self.tiles: dict[SSAValue, Tile] = {}
        self.depth = frame.builder.depth
        self.jammed = False  # whether its own rows run together
        self.yields = ScalarYields(self)

    def emit(self) -> None:
        """Builds the whole nest and binds its results."""
        for plan in self.plans:
            if self.initialises(plan):
                self.initialise(plan)
        self.level(0, {})

    def initialises(self, plan: Plan) -> bool:
        """Whether a result is filled here: a span does that where its part is contiguous."""
        if not plan.in_memory or plan.monoid is None:
            return False
        entries = plan.part.map
        return self.span is None or self.span.level not in entries[1:]

    def initialise(self, plan: Plan) -> None:
        """Fills a result that is combined in memory."""
        target = self.out(plan)
        if isinstance(target, Buffer) and plan.monoid is not None:
            fill(self.builder, target, plan.monoid.identity())
            if plan.paired:
                fill(self.builder, cast(Buffer, self.out(self.plans[plan.number + 1])), 0)

    def out(self, plan: Plan) -> Buffer | Sink:
        """Where a result goes in memory."""
        if plan.number in self.outs:
            return self.outs[plan.number]
        assert plan.part.out is not None
        found = self.frame.env[plan.part.out]
        assert isinstance(found, Buffer | Sink)
        return found if self.span is None or type(found) is Sink else self._spanned(
            cast(Buffer, found), plan.part.map)

    def _spanned(self, buffer: Buffer, entries: Map) -> Buffer:
        """An array as seen from the span's start, from which the iterator counts."""
        assert self.span is not None
        if self.span.level not in entries:
            return buffer
        dimension = entries.index(self.span.level)
        pointer = address(self.builder, buffer, [(dimension, self.span.start)])
        sizes = [*buffer.sizes]
        sizes[dimension] = self.span.length
        return buffer._replace(pointer=pointer, sizes=tuple(sizes))

    # ---- levels

    def level(self, level: int, accumulators: Accumulators) -> Accumulators:
        """The loops from `level` inwards; returns the accumulators of those that enclose them."""
        opened = [plan for plan in self.plans
                  if plan.in_registers and plan.start == level < self.nest.rank]
        inner = dict(accumulators)
        for plan in opened:
            inner[plan.number] = self.identities(plan)
        if level == self.nest.rank:
            return self.step(inner)
        found = self.loops_of(level)(level, inner)
        for plan in opened:
            self._finish(plan, found[plan.number])
        return {number: found[number] for number in accumulators}

    def loops_of(self, level: int) -> Callable[[int, Accumulators], Accumulators]:
        """What builds the loop of a level."""
        if level < self.nest.rank - 1:
            if level == self.nest.rank - 2 and self.width and self.nest.scheduled("tile"):
                from tetractys.passes.llvm_tiles import TileLoops

                return TileLoops(self).emit
            return self.plain_loop
        if self.width:
            from tetractys.passes.llvm_vectors import VectorLoops

            return VectorLoops(self).emit
        if not self.leaf and self.nest.scheduled("tile") and level not in self.starts:
            from tetractys.passes.llvm_row_tiles import RowTiles

            return RowTiles(self).emit
        if not self.leaf and self.nest.scheduled("jam", 1) > 1 and self.frame.rows.count == 1:
            from tetractys.passes.llvm_rows import RowLoops

            return RowLoops(self).emit
        return self.plain_loop

    def plain_loop(self, level: int, accumulators: Accumulators) -> Accumulators:
        """One iteration after another."""
        place = self.turned(level, self.sizes[level], 1)

        def body(index: SSAValue, inner: Accumulators) -> Accumulators:
            self.bind_iterator(level, place(index))
            return self.level(level + 1, inner)

        return self.counted(level, self.start(level), self.sizes[level], 1, accumulators, body)

    def turned(self, level: int, stop: SSAValue, step: int) -> Callable[[SSAValue], SSAValue]:
        """The index of a loop's counter up to `stop` in steps of `step`: backwards, where the
        schedule wants it and the caches hold some of the array.
        """
        if level or not self.nest.scheduled("backwards"):
            return lambda index: index
        builder = self.builder
        value = next(value for value, entries in zip(self.nest.inputs, self.input_maps)
                     if len(entries) > 1 and 0 in entries)
        buffer = self.frame.buffer(value)
        size = builder.index(itemsize(buffer.element))
        for one in buffer.sizes:
            size = builder.mul(one, size)
        is_near = builder.icmp("slt", size, builder.index(NEAR))
        last = builder.sub(stop, builder.index(1))
        last = builder.emit(llvm.AndOp, (last, builder.index(-step)), i64)
        return lambda index: builder.select(is_near, builder.sub(last, index), index)

    def counted(
        self,
        level: int,
        start: SSAValue,
        stop: SSAValue,
        step: int,
        accumulators: Accumulators,
        body: Callable[[SSAValue, Accumulators], Accumulators],
    ) -> Accumulators:
        """A loop that carries the accumulators and binds the iterator to its counter."""
        shape = {number: len(values) for number, values in accumulators.items()}

        def inside(index: SSAValue, carried: Sequence[SSAValue]) -> Sequence[SSAValue]:
            self.bind_iterator(level, index)
            return _flat(body(index, _unflat(shape, carried)))

        return _unflat(shape, self.builder.loop(start, stop, step, _flat(accumulators), inside))

    def start(self, level: int) -> SSAValue:
        """The first index of a level's loop."""
        return self.starts.get(level, self.builder.index(0))

    def bind_iterator(self, level: int, index: Index) -> None:
        """Gives an iterator its value."""
        self.frame.env[self.nest.iterators[level]] = index

    # ---- accumulators

    def identities(self, plan: Plan) -> list[SSAValue]:
        """What the accumulators of a result start from."""
        assert plan.monoid is not None
        if self.width:
            from tetractys.passes.llvm_accumulators import vector_identities

            return vector_identities(self, plan)
        lanes = self.lanes(plan)
        start = [monoids.identity(self.builder, plan.monoid, lanes)]
        if plan.paired:
            start.append(self.builder.constant(0, vector_of(i64, lanes)))
        return start

    def lanes(self, plan: Plan) -> int:
        """The rows that a result's scalar differs between; 0 for a single one."""
        frame = self.frame
        count = frame.rows.count
        return count if count > 1 and plan.part.value in frame.varying else 0

    def _finish(self, plan: Plan, values: list[SSAValue]) -> None:
        """Puts what a result's accumulators hold where it belongs."""
        assert plan.monoid is not None
        if self.width:
            from tetractys.passes.llvm_accumulators import reduce_accumulators

            values = [reduce_accumulators(self, plan, values)]
        if plan.paired:
            self.yields.put_pair(plan, plan.monoid, values)
        elif plan.part.result is not None:
            self.frame.env[plan.part.result] = values[0]
        elif plan.in_memory:
            self.yields.combine_in_memory(plan, plan.monoid, values[0])
        else:
            self.yields.store(plan, values[0])

    # ---- the body, an iteration at a time

    def indices(self, entries: Map) -> list[tuple[int, Index]]:
        """The dimensions of an array that the iterators index."""
        return [(d, self.frame.index(self.nest.iterators[entry]))
                for d, entry in enumerate(entries) if entry >= 0]

    def input(self, number: int) -> Buffer:
        """An array that the nest reads."""
        buffer = self.frame.buffer(self.nest.inputs[number])
        return self._spanned(buffer, self.input_maps[number]) if self.span else buffer

    def bind_elements(self, mask: SSAValue | None = None) -> None:
        """Loads the elements that the body uses, and points at its rows."""
        rows = zip(self.nest.elements, self.nest.inputs, self.input_maps)
        for number, (element, source, entries) in enumerate(rows):
            if element.first_use is None:
                continue
            buffer, indices = self.input(number), self.indices(entries)
            kept = [d for d, entry in enumerate(entries) if entry == SLICE]
            if kept:
                pointer = address(self.builder, buffer, indices)
                self.frame.env[element] = buffer.drop(kept, pointer)
                if self.jammed and self.nest.scheduled("prefetch"):
                    self._look_ahead(element, buffer.drop(kept, _next_rows(
                        self.builder, buffer, indices)))
            elif element in self.tiles:
                at = [self.frame.index(one) for one in self.nest.iterators[-2:]]
                tile = self.tiles[element]
                self.frame.env[element] = self._load_vector(
                    tile.buffer, tile.indices(self.builder, at), tile.buffer.strides[-1], mask)
            elif isinstance(element.type, VectorType):
                stride = buffer.strides[entries.index(self.nest.rank - 1)]
                self.frame.env[element] = self._load_vector(buffer, indices, stride, mask)
                ahead = self.frame.ahead.get(source)
                if ahead is not None and ahead[0] is self.nest and mask is None:
                    self._prefetch(ahead[1], indices)
            else:
                self.frame.env[element] = load_rows(
                    self.builder, buffer, indices, self.depth, self.frame.rows)

    def _load_vector(
        self,
        buffer: Buffer,
        indices: list[tuple[int, Index]],
        stride: Stride,
        mask: SSAValue | None,
    ) -> SSAValue | tuple[SSAValue, ...]:
        pointer = address(self.builder, buffer, indices)
        if isinstance(pointer, tuple):
            return tuple(
                load_strided(self.builder, one, buffer.element, self.width, mask, stride)
                for one in pointer
            )
        return load_strided(self.builder, pointer, buffer.element, self.width, mask, stride)

    def _look_ahead(self, element: SSAValue, following: Buffer) -> None:
        """The last inner nest that reads the element's rows fetches those of the next block."""
        readers = [op for op in self.nest.block.ops
                   if isinstance(op, NestOp) and element in op.inputs and vector_width(op)]
        if readers:
            self.frame.ahead[element] = (readers[-1], following)

    def _prefetch(self, rows: Buffer, indices: list[tuple[int, Index]]) -> None:
        """Asks for the lines at an index of several rows, for all cache levels."""
        pointers = address(self.builder, rows, indices)
        hints = [self.builder.constant(number, i32) for number in (0, 3, 1)]  # read, keep, data
        for one in pointers if isinstance(pointers, tuple) else (pointers,):
            self.builder.intrinsic_named("llvm.prefetch.p0", [one, *hints], None)

    def lower_body(self) -> None:
        """The operations of the body, but for products that a sum takes over."""
        products = {plan.product for plan in self.plans if plan.product is not None}
        for op in pure_operations(self.nest):
            if op not in products:
                self.frame.lower(op)

    def step(self, accumulators: Accumulators) -> Accumulators:
        """The body once, on scalars (or on a lane a row)."""
        self.bind_elements()
        self.lower_body()
        found = dict(accumulators)
        for plan in self.plans:
            if plan.number in found:
                found[plan.number] = self._accumulate(plan, found[plan.number])
            elif plan.part.kind != "argmax" or plan.in_memory:
                self.yields.emit(plan)
        return found

    def _accumulate(self, plan: Plan, acc: list[SSAValue]) -> list[SSAValue]:
        found = self._accumulated(plan, acc)
        if not self.jammed:
            return found
        return [self.if_row_exists(new, old) for new, old in zip(found, acc)]

    def _accumulated(self, plan: Plan, acc: list[SSAValue]) -> list[SSAValue]:
        assert plan.monoid is not None
        builder, lanes = self.builder, lanes_of(acc[0].type)
        if plan.product is not None:
            a, b = [builder.splat(v, lanes) if lanes and not lanes_of(v.type) else v
                    for v in map(self.frame.scalar, plan.product.operands)]
            return [self.frame.multiply_add(a, b, acc[0])]
        value = self.spread(self.frame.scalar(plan.part.value), lanes)
        if not plan.paired:
            return [monoids.combine(builder, plan.monoid, acc[0], value)]
        position = self.spread(self.frame.scalar(self.plans[plan.number + 1].part.value), lanes)
        return monoids.combine_position(builder, plan.monoid, acc, value, position)

    def spread(self, value: SSAValue, lanes: int) -> SSAValue:
        """A scalar in so many lanes; a vector stays."""
        return self.builder.splat(value, lanes) if lanes and not lanes_of(value.type) else value

    def if_row_exists(self, value: SSAValue, other: SSAValue) -> SSAValue:
        """`value` in the lanes of rows that exist, `other` elsewhere."""
        mask = self.frame.rows.mask(self.builder)
        return value if mask is None else self.builder.select(mask, value, other)


def _next_rows(
    builder: ScopedBuilder, buffer: Buffer, indices: list[tuple[int, Index]]
) -> SSAValue | tuple[SSAValue, ...]:
    """The addresses of the next block's rows; they may lie beyond the end."""
    moved: list[tuple[int, Index]] = [
        (d, RowIndex(builder.add(index.base, builder.index(index.rows)), index.rows))
        if isinstance(index, RowIndex) else (d, index) for d, index in indices
    ]
    return address(builder, buffer, moved)


def _flat(accumulators: Accumulators) -> list[SSAValue]:
    return [value for values in accumulators.values() for value in values]


def _unflat(shape: dict[int, int], values: Sequence[SSAValue]) -> Accumulators:
    found: Accumulators = {}
    start = 0
    for number, count in shape.items():
        found[number] = list(values[start : start + count])
        start += count
    return found
