"""A nest that may run on several threads, at level 3: a function of its own does one chunk of it.

The range of the iterator that the schedule splits is cut in chunks of one length. What the nest
uses of the kernel goes by an environment on the kernel's stack (word 0: the flat block, word 1: the
length of a chunk, then the values). Where all results collect the iterator, the chunks write their
part of them. Others combine for themselves, the first chunk in the result's own memory, and the
kernel combines what they give in their order. The number of chunks is a function of the sizes, so
the bits are those of any number of threads; a nest without combined results is one chunk for a
single thread.

    loops.nest (%i < %n) ... -> (collect[%i] into %p, add(%partial)[:] into %g)
        schedule {split = 0, chunks = 16, grain = 262144} {...}
becomes, much shortened,
    llvm.store %x, %env[2] ...                                             // in the kernel
    %chunks = call i32 @tt_run(%env, @tt_part0, %n, multiple, wanted, combines)
    for c in 1 .. %chunks: %g += %partial[c - 1]
    internal @tt_part0(%env, %chunk) { rows %chunk * length ... of the nest }

`tt_run`, the runtime's, decides the length and has the chunks done, by so many threads as the call
may use.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from xdsl.dialects import llvm
from xdsl.dialects.builtin import FloatAttr, IntegerAttr, i32, i64
from xdsl.ir import Operation, SSAValue

from tetractys.dialects import loops
from tetractys.dialects.loops import GRAIN, NestOp, is_leaf
from tetractys.passes import llvm_monoids as monoids
from tetractys.passes.llvm_builder import PTR, VOID, itemsize, memory_type
from tetractys.passes.llvm_frame import Frame
from tetractys.passes.llvm_function import Body
from tetractys.passes.llvm_memory import (
    SINGLE,
    Buffer,
    from_memory,
    row_major,
    to_memory,
)
from tetractys.passes.llvm_nest import NestLowering, Span
from tetractys.passes.llvm_plan import Plan, inner_nests, plans_of, vector_width, weight
from tetractys.passes.llvm_transfer import count, transfer
from tetractys.passes.llvm_workspace import Workspace

if TYPE_CHECKING:
    from xdsl.ir import Attribute

RUN = "tt_run"
"""The runtime's function; see `runtime/pool_text.py`."""
WORD_LENGTH = 1
FIRST_WORD = 2
SPAN = 1024
"""Elements of which a chunk of the innermost loop has a multiple: whole blocks of a long sum."""
SCALAR_COST = 8
"""What an operation on a scalar costs, in operations on an element of a vector."""


def is_parallel(nest: NestOp) -> bool:
    """Whether the schedule allows chunks, and there is memory for what they combine."""
    if nest.scheduled("split", -1) < 0:
        return False
    return all(part.out is None or part.partial is not None
               for part in nest.parts() if nest.is_split(part.kind, part.map))


# ---- what a part knows of the kernel


class Environment:
    """Values of the kernel in the function of a part: loaded there at first need."""

    def __init__(self, kernel: Frame, part: Frame, pointer: SSAValue) -> None:
        self.kernel = kernel
        self.part = part
        self.pointer = pointer
        self._known: dict[int, SSAValue] = {}
        self._loads: list[tuple[SSAValue, Operation]] = []

    def value(self, value: SSAValue) -> SSAValue:
        """A scalar or pointer of the kernel; constants and words of the call are had again."""
        found = self._known.get(id(value))
        if found is None:
            found = self._known[id(value)] = self._find(value)
        return found

    def _find(self, value: SSAValue) -> SSAValue:
        builder, owner = self.part.builder, value.owner
        if isinstance(owner, llvm.ConstantOp):
            given = cast("FloatAttr | IntegerAttr", owner.value)
            return builder.constant(given.value.data, value.type)
        if (word := self.kernel.words.get(id(value))) is not None:
            return self.part.word(word, value.type)
        place = builder.offset(self.pointer, 8 * (FIRST_WORD + len(self._loads)))
        loaded = builder.load_invariant(place, memory_type(value.type))
        self._loads.append((value, cast(Operation, loaded.owner)))
        return from_memory(builder, loaded, value.type)

    def buffer(self, buffer: Buffer) -> Buffer:
        """An array of the kernel; the strides of a contiguous one are computed again."""
        sizes = tuple([self.value(size) for size in buffer.sizes])
        if _is_row_major(buffer):
            strides = row_major(self.part.builder, buffer.element, sizes)
        else:
            strides = [s if isinstance(s, int) else self.value(s) for s in buffer.strides]
        pointer = self.value(cast(SSAValue, buffer.pointer))
        return Buffer(pointer, buffer.element, sizes, tuple(strides), buffer.constant)

    def stored(self) -> list[tuple[SSAValue, int]]:
        """The values that the finished part really reads, with their words."""
        return [(value, FIRST_WORD + number) for number, (value, load) in enumerate(self._loads)
                if load.parent is not None]


def _is_row_major(buffer: Buffer) -> bool:
    """Whether the strides were computed from the sizes: then they need not travel."""
    strides, sizes = buffer.strides, buffer.sizes
    if not strides or strides[-1] != itemsize(buffer.element):
        return False
    for stride, size, inner in zip(strides, sizes[1:], strides[1:]):
        owner = None if isinstance(stride, int) else stride.owner
        if not isinstance(owner, llvm.MulOp) or owner.operands[0] is not size:
            return False
        factor = owner.operands[1]
        if factor is not inner and not _is_number(factor, inner):
            return False
    return True


def _is_number(value: SSAValue, number: object) -> bool:
    owner = value.owner
    return isinstance(owner, llvm.ConstantOp) and (
        cast(IntegerAttr, owner.value).value.data == number)


def captured(nest: NestOp) -> list[SSAValue]:
    """What a nest uses from outside, each value once."""
    inside = {nest.block, *(inner.block for inner in inner_nests(nest))}
    found: dict[SSAValue, None] = {}
    for op in nest.walk():
        for operand in op.operands:
            owner = operand.owner
            block = owner.parent if isinstance(owner, Operation) else owner
            if block not in inside:
                found[operand] = None
    return list(found)


# ---- the kernel's side


class ParallelNest:
    """One nest of the kernel and the function of its chunks."""

    def __init__(self, kernel: Body, nest: NestOp, name: str) -> None:
        self.kernel = kernel
        self.frame = kernel.frame
        self.builder = kernel.builder
        self.nest = nest
        self.name = name
        self.split = nest.scheduled("split")
        plans = plans_of(nest)
        self.combined = [plan for plan in plans if nest.is_split(plan.part.kind, plan.part.map)]
        self.scalars = [plan for plan in self.combined if plan.part.out is None]
        self.arrays = [plan for plan in self.combined if plan.part.out is not None]

    def emit(self) -> llvm.FuncOp:
        """Builds the call; returns the function of the chunks."""
        builder, frame = self.builder, self.frame
        most = self.nest.chunks
        places = [builder.stack(memory_type(_scalar_type(plan)), most) for plan in self.scalars]
        part = Part(self, places)
        function = part.run()
        for plan in part.lowering.plans:
            if plan.in_memory and plan.monoid is not None and not part.lowering.initialises(plan):
                NestLowering(frame, self.nest).initialise(plan)
        stored = part.environment.stored()
        words = max([word for _, word in stored], default=FIRST_WORD) + 1
        environment = builder.stack(i64, words)
        builder.store(frame.flat, environment)
        for value, word in stored:
            builder.store(to_memory(builder, value), builder.offset(environment, 8 * word))
        chunks = self._run(environment)
        self._bind(places, chunks)
        return function

    def _run(self, environment: SSAValue) -> SSAValue:
        builder = self.builder
        size = self.frame.scalar(self.nest.sizes[self.split])
        grain = builder.index(max(self.nest.scheduled("grain", GRAIN), 1))
        wanted = builder.emit(llvm.SDivOp, (self._work(self.nest), grain), i64)
        wanted = builder.smin(wanted, builder.index(self.nest.chunks))
        chunks = builder.call_extern(RUN, [
            environment, builder.symbol(self.name), size, builder.index(self._multiple()), wanted,
            builder.index(1 if self.combined else 0)], i32)
        return builder.emit(llvm.ZExtOp, (chunks,), i64)

    def _multiple(self) -> int:
        if is_leaf(self.nest) and self.split == self.nest.rank - 1:
            return SPAN
        return max(self.nest.scheduled("jam", 1), self.nest.scheduled("tile", 1))

    def _work(self, nest: NestOp) -> SSAValue:
        """The operations of a nest, on elements of vectors."""
        builder = self.builder
        own = weight(nest) + len(nest.inputs) + len(nest.kind_names)
        total = builder.index(own if vector_width(nest) else SCALAR_COST * own)
        for op in nest.block.ops:
            if isinstance(op, NestOp):
                total = builder.add(self._work(op), total)
        for size in nest.sizes:
            if size in self.frame.env:
                total = builder.mul(self.frame.scalar(size), total)
        return total

    def _bind(self, places: Sequence[SSAValue], chunks: SSAValue) -> None:
        """Combines what the chunks gave."""
        builder, frame = self.builder, self.frame
        if not self.combined:
            return
        types = [memory_type(_scalar_type(plan)) for plan in self.scalars]
        start = [builder.load(place, type_) for place, type_ in zip(places, types)]

        def body(chunk: SSAValue, totals: Sequence[SSAValue]) -> list[SSAValue]:
            found: list[SSAValue] = []
            for plan, place, type_, total in zip(self.scalars, places, types, totals):
                value = builder.load(builder.offset(place, chunk, type_), type_)
                found.append(_combined(frame, plan, total, value))
            for plan in self.arrays:
                target = frame.buffer(cast(SSAValue, plan.part.out))
                source = frame.buffer(cast(SSAValue, plan.part.partial))
                behind = builder.sub(chunk, builder.index(1))
                pointer = partial_row(frame, source, behind)
                moved = Buffer(pointer, source.element, source.sizes, source.strides)
                transfer(builder, moved, target, plan.monoid, SINGLE)
            return found

        totals = builder.loop(builder.index(1), chunks, 1, start, body)
        for plan, total in zip(self.scalars, totals):
            assert plan.part.result is not None
            frame.env[plan.part.result] = from_memory(builder, total, _scalar_type(plan))


def _scalar_type(plan: Plan) -> Attribute:
    """The type of a result that combines everything (the body may yield vectors)."""
    assert plan.part.result is not None
    return plan.part.result.type


def _combined(frame: Frame, plan: Plan, total: SSAValue, value: SSAValue) -> SSAValue:
    builder, element = frame.builder, _scalar_type(plan)
    assert plan.monoid is not None
    pair = [from_memory(builder, one, element) for one in (total, value)]
    return to_memory(builder, monoids.combine(builder, plan.monoid, *pair))


def partial_row(frame: Frame, partial: Buffer, number: SSAValue) -> SSAValue:
    """Where the result of a chunk is kept, of those that the array has room for."""
    builder = frame.builder
    size = builder.mul(count(builder, partial), builder.index(itemsize(partial.element)))
    rounded = builder.emit(llvm.AndOp, (builder.add(size, builder.index(63)), builder.index(-64)),
                           i64)
    return builder.offset(cast(SSAValue, partial.pointer), builder.mul(number, rounded))


# ---- the part's side


class PartWorkspace(Workspace):
    """The rows that a chunk makes, in the kernel's slots: each chunk has its own."""

    def __init__(self, part: Part) -> None:
        super().__init__(part.frame)
        self.part = part

    def base(self, alloc: loops.AllocOp) -> SSAValue:
        """Where the rows of this chunk begin."""
        builder, nest = self.frame.builder, self.part.nest.nest
        rows = cast(IntegerAttr, alloc.rows).value.data // nest.chunks
        step = builder.mul(self.row_bytes(alloc), builder.index(rows))
        start = self.part.environment.value(self.part.slots[alloc])
        return builder.offset(start, builder.mul(self.part.chunk, step))


class Part:
    """The function that does one chunk: `void name(ptr environment, i64 chunk)`."""

    def __init__(self, nest: ParallelNest, places: Sequence[SSAValue]) -> None:
        self.nest = nest
        kernel = nest.frame
        self.frame = Frame(nest.name, kernel.tables, kernel.machine, (PTR, i64))
        pointer, self.chunk = self.frame.builder.entry.args
        self.environment = Environment(kernel, self.frame, pointer)
        self.pointer = pointer
        self.places = places
        allocations = [op for op in nest.nest.walk()
                       if isinstance(op, loops.AllocOp) and op.slot is not None]
        self.slots = {op: nest.kernel.workspace.base(op) for op in allocations}

    def run(self) -> llvm.FuncOp:
        """Builds the function."""
        frame, nest = self.frame, self.nest.nest
        frame.flat = frame.builder.load_invariant(self.pointer, PTR)
        for value in captured(nest):
            bound = self.nest.frame.env[value]
            frame.env[value] = (self.environment.buffer(bound) if isinstance(bound, Buffer)
                                else self.environment.value(cast(SSAValue, bound)))
        body = Body(frame, PartWorkspace(self))
        self.lowering = NestLowering(frame, nest, self._span())
        for plan in self.nest.arrays:
            self.lowering.outs[plan.number] = self._partial(plan)
        body.emit(self.lowering)
        self._store_scalars()
        frame.builder.block.add_op(llvm.ReturnOp.create())
        return frame.function(llvm.LLVMFunctionType([PTR, i64], VOID), linkage="internal")

    def _span(self) -> Span:
        builder, split = self.frame.builder, self.nest.split
        size = self.frame.scalar(self.nest.nest.sizes[split])
        place = builder.offset(self.pointer, 8 * WORD_LENGTH)
        length = builder.load_invariant(place, i64)
        start = builder.mul(self.chunk, length)
        return Span(split, start, builder.smin(builder.sub(size, start), length))

    def _partial(self, plan: Plan) -> Buffer:
        """The result's own memory for the first chunk, the chunk's place for others."""
        builder = self.frame.builder
        out = self.frame.buffer(cast(SSAValue, plan.part.out))
        partial = self.frame.buffer(cast(SSAValue, plan.part.partial))
        behind = builder.sub(self.chunk, builder.index(1))
        first = builder.icmp("eq", self.chunk, builder.index(0))
        pointer = builder.select(first, cast(SSAValue, out.pointer),
                                 partial_row(self.frame, partial, behind))
        return Buffer(pointer, out.element, out.sizes, out.strides)

    def _store_scalars(self) -> None:
        builder = self.frame.builder
        for plan, place in zip(self.nest.scalars, self.places):
            assert plan.part.result is not None
            value = to_memory(builder, self.frame.scalar(plan.part.result))
            target = builder.offset(self.environment.value(place), self.chunk, value.type)
            builder.store(value, target)
