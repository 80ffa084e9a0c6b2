"""One function at level 3 under construction: the flat ABI, values so far, errors, operations.

The flat block is an array of 64-bit words (see `runtime/spec.py`): a header, then for each argument
of the function its data pointer, dims and strides in bytes. All offsets are compile-time constants;
what is never used is never loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

from xdsl.dialects import llvm
from xdsl.dialects.builtin import (
    ArrayAttr,
    FileLineColLoc,
    FloatAttr,
    FusedLoc,
    IntegerAttr,
    MemRefType,
    StringAttr,
    VectorType,
    i32,
    i64,
)
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from tetractys.dialects import loops
from tetractys.dialects.build import APPLY
from tetractys.dialects.create import operands_of
from tetractys.passes.llvm_builder import PTR, lanes_of, llvm_type, memory_type
from tetractys.passes.llvm_memory import (
    SINGLE,
    Buffer,
    Index,
    RowIndex,
    Value,
    from_memory,
    row_major,
    rows_of,
    store_rows,
)
from tetractys.passes.llvm_scalars import lower as lower_scalars
from tetractys.passes.llvm_scalars import lower_together
from tetractys.passes.llvm_scopes import ScopedBuilder

if TYPE_CHECKING:
    from xdsl.dialects.builtin import LocationAttr

    from tetractys.passes.llvm_row_tiles import RowTile
    from tetractys.passes.llvm_workspace import Workspace

HEADER_WORDS = 16
WORD_WORKSPACE = 0
WORD_EXTERNS = 1
WORD_ERROR = 2
WORD_VALUES = 3
VALUE_WORDS = 5


class Sink(NamedTuple):
    """Where the rows of a nest are combined right away: a row of the enclosing nest's result."""

    kind: str
    row: Buffer


Bound: TypeAlias = "SSAValue | tuple[SSAValue, ...] | Buffer | RowIndex | Sink"


class ErrorSite(NamedTuple):
    """An error that the code can report; its number is its place in the module's list, from 1."""

    kind: str
    message: str
    location: LocationAttr
    operation: str
    apply: Attribute | None


Finished: TypeAlias = Callable[[llvm.FuncOp], None]


class Tables:
    """What the functions of a module share: errors, external functions, functions they call.

    finished: called with each function once it is built; with those that it mentions before.
    """

    def __init__(self, finished: Finished) -> None:
        self.finished = finished
        self.errors: dict[ErrorSite, int] = {}
        self.externs: list[str] = []
        self.functions: dict[str, llvm.FuncOp] = {}
        """Functions that the others call, made at the first call."""
        self.streams: dict[SSAValue, int] = {}
        """The function's results, numbered."""
        self.is_writing = False
        """Whether the kernel has begun to write into memory of its arguments."""

    def error(self, kind: str, message: str, op: Operation) -> int:
        """The number of an error; equal ones are one."""
        if self.is_writing:
            op.emit_error("lower-loops-to-llvm: found what may fail behind a result in an "
                          "argument's memory; expected it before", ValueError())
        site = ErrorSite(kind, message, op.location, op.name, op.attributes.get(APPLY))
        return self.errors.setdefault(site, len(self.errors)) + 1

    def extern(self, name: str) -> int:
        """The place of an external function in the table of addresses."""
        if name not in self.externs:
            self.externs.append(name)
        return self.externs.index(name)


def file_and_line(location: LocationAttr) -> tuple[str, int]:
    """The user's place of a location: of a fused one, its first."""
    if isinstance(location, FusedLoc):
        parts = cast("ArrayAttr[LocationAttr]", location.locations)
        places = [file_and_line(part) for part in parts]
        return next((place for place in places if place[0]), ("", 0))
    if isinstance(location, FileLineColLoc):
        return location.filename.data, location.line.data
    return "", 0


class Machine(NamedTuple):
    """What the machine is good at.

    masks: masked loads and stores cost nothing (AVX-512). fused: it multiplies and adds in one
    instruction; without, LLVM would call the C library for it. streams: stores past the caches pay,
    and x86's fence orders them. scales: it takes numbers of full vectors apart into mantissa and
    exponent, and puts them together, in one instruction (AVX-512).
    """

    masks: bool = True
    fused: bool = True
    streams: bool = False
    scales: bool = False


class Frame:
    """The function `name(ptr flat) -> i32` being built.

    leaves_early: whether an error ends the function at once. origins: the iterators that count from
    a chunk's start, with that start. rows: the rows of the nest around that are worked on at once;
    varying: the values of the source that differ between them. mask: the lanes that the step of a
    loop over vectors has, None for all. tiled: rows of a body that were copied for a whole tile.
    ahead: for a row, the nest that prefetches the next block's, and where they are.
    """

    def __init__(
        self, name: str, tables: Tables, machine: Machine, arguments: Sequence[Attribute] = (PTR,)
    ) -> None:
        self.name = name
        self.tables = tables
        self.machine = machine
        entry = Block(arg_types=arguments)
        self.region = Region(entry)
        self.flat: SSAValue = entry.args[0]
        self.builder = ScopedBuilder(entry, self._extern)
        self.env: dict[SSAValue, Bound] = {}
        self.words: dict[int, int] = {}  # by identity: which word a value is
        self.leaves_early = False
        self.origins: dict[SSAValue, SSAValue] = {}
        self.workspace: Workspace | None = None
        self.rows = SINGLE
        self.varying: set[SSAValue] = set()
        self.mask: SSAValue | None = None
        self.tiled: dict[SSAValue, RowTile] = {}
        self.ahead: dict[SSAValue, tuple[Operation, Buffer]] = {}
        self.lowerings: Mapping[type[Operation], Callable[[Frame, Operation], None]] = {}

    # ---- the flat block

    def word(self, number: int, type_: Attribute = i64) -> SSAValue:
        """A word that does not change during the call."""
        found = self.builder.load_invariant(self.builder.offset(self.flat, 8 * number), type_)
        self.words[id(found)] = number
        return found

    def store_word(self, value: SSAValue, number: int) -> None:
        """Writes a word."""
        self.builder.store(value, self.builder.offset(self.flat, 8 * number))

    def _extern(self, name: str) -> SSAValue:
        table = self.word(WORD_EXTERNS, PTR)
        slot = self.builder.offset(table, 8 * self.tables.extern(name))
        return self.builder.load_invariant(slot, PTR)

    def bind_arguments(
        self,
        arguments: Sequence[SSAValue],
        *,
        results_from: int,
        overwritten: Collection[int] = (),
    ) -> None:
        """Binds arrays to buffers and scalars to their value; results are contiguous.

        overwritten: the arguments whose memory may be a result's.
        """
        word = HEADER_WORDS
        for number, argument in enumerate(arguments):
            used = argument.first_use is not None
            if isinstance(argument.type, MemRefType):
                if used:
                    self.env[argument] = self._argument(
                        argument.type, word, number >= results_from, number not in overwritten
                    )
                word += 1 + 2 * argument.type.get_num_dims()
            else:
                if used:
                    self.env[argument] = self._scalar_argument(argument.type, word)
                word += 1

    def _argument(
        self, type_: MemRefType[Attribute], word: int, is_result: bool, is_constant: bool
    ) -> Buffer:
        shape, element = type_.get_shape(), type_.element_type
        rank = len(shape)
        sizes = tuple(self.size_word(word, d, size) for d, size in enumerate(shape))
        strides = row_major(self.builder, element, sizes)
        if not is_result:
            strides = [
                strides[-1] if d == rank - 1 else self.word(word + 1 + rank + d)
                for d in range(rank)
            ]
        pointer = self.word(word, PTR)
        constant = is_constant and not is_result
        return Buffer(pointer, element, sizes, tuple(strides), constant=constant)

    def size_word(self, word: int, dimension: int, size: int) -> SSAValue:
        """A dimension of the argument whose description starts at `word`."""
        return self.builder.index(size) if size >= 0 else self.word(word + 1 + dimension)

    def _scalar_argument(self, type_: Attribute, word: int) -> SSAValue:
        found = self.builder.load_invariant(self.word(word, PTR), memory_type(type_))
        return from_memory(self.builder, found, type_)

    # ---- values

    def scalar(self, value: SSAValue) -> SSAValue:
        """What a scalar of the source is here: a scalar, or a vector of a lane a row."""
        found = self.env[value]
        if type(found) is RowIndex:
            found = rows_of(self.builder, found)
        if value in self.origins:
            start = self.builder.splat(self.origins[value], lanes_of(cast(SSAValue, found).type))
            return self.builder.add(cast(SSAValue, found), start)
        return cast(SSAValue, found)

    def index(self, value: SSAValue) -> Index:
        """An index into an array, kept as a row iterator where it is one."""
        return cast("Index", self.env[value])

    def value(self, value: SSAValue) -> Value:
        """A scalar or vector of the source."""
        found = self.env[value]
        if type(found) is RowIndex or value in self.origins:
            return self.scalar(value)
        return cast("Value", found)

    def buffer(self, value: SSAValue) -> Buffer:
        """An array of the source."""
        found = self.env[value]
        assert isinstance(found, Buffer)
        return found

    def lower(self, op: Operation) -> None:
        """Builds what one operation of the source means."""
        lowering = self.lowerings.get(type(op))
        self.builder.location = op.location
        if lowering is not None:
            lowering(self, op)
        else:
            _lower_elemwise(self, op)

    def multiply_add(self, a: SSAValue, b: SSAValue, c: SSAValue) -> SSAValue:
        """a * b + c of a dot product, rounded once where the machine can."""
        if self.machine.fused:
            return self.builder.fma(a, b, c)
        return self.builder.binary(llvm.FAddOp, self.builder.binary(llvm.FMulOp, a, b), c)

    # ---- errors

    def fail_if(
        self, condition: SSAValue, code: int, values: Sequence[SSAValue], *, stop: bool = False
    ) -> None:
        """Records an error if the condition holds.

        A shape function stops there, as its later sizes would make no sense. A kernel goes on, with
        safe addresses, and fails at its end; the first error stays. stop: it ends there instead,
        as no address would be safe; not inside loops.
        """
        builder = self.builder
        slot = builder.offset(self.flat, 8 * WORD_ERROR)

        def record() -> None:
            builder.store(builder.index(code), slot)
            for number, value in enumerate(values[:VALUE_WORDS]):
                self.store_word(value, WORD_VALUES + number)

        def record_first() -> None:
            builder.when(builder.icmp("eq", builder.load(slot, i64), builder.index(0)), record)

        if self.leaves_early:
            builder.leave_if(condition, record, 1)
        elif stop:
            builder.leave_if(condition, record_first, 1)
        else:
            builder.when(condition, record_first)

    def leave_if_failed(self) -> None:
        """Ends the kernel here if an error stands."""
        if self.tables.errors:
            code = self.builder.load(self.builder.offset(self.flat, 8 * WORD_ERROR), i64)
            failed = self.builder.icmp("ne", code, self.builder.index(0))
            self.builder.leave_if(failed, lambda: None, 1)

    def function(self, type_: llvm.LLVMFunctionType, linkage: str = "external") -> llvm.FuncOp:
        """The finished function."""
        self.builder.remove_unused()
        made = llvm.FuncOp.create(regions=[self.region], properties={
            "sym_name": StringAttr(self.name),
            "function_type": type_,
            "CConv": llvm.CallingConventionAttr("ccc"),
            "linkage": llvm.LinkageAttr(linkage),
            "visibility_": IntegerAttr(0, i64),
        })
        self.tables.finished(made)
        return made


KERNEL_TYPE = llvm.LLVMFunctionType([PTR], i32)


# ---- operations on scalars and vectors


def _lower_elemwise(frame: Frame, op: Operation) -> None:
    values = [frame.value(operand) for operand in operands_of(op)]
    copies = 0
    for value in values:
        if type(value) is tuple:
            copies = len(value)
    (result,) = op.results
    builder, fused, scales = frame.builder, frame.machine.fused, frame.machine.scales
    if not copies:
        scalars = cast("list[SSAValue]", values)
        frame.env[result] = lower_scalars(op, scalars, builder, fused=fused, scales=scales)
        return
    rows = [[_of_row(value, row) for value in values] for row in range(copies)]
    frame.env[result] = tuple(
        lower_together(op, rows, builder, fused=fused, scales=scales)
    )


def _of_row(value: Value, row: int) -> SSAValue:
    return value[row] if type(value) is tuple else cast(SSAValue, value)


def lower_constant(frame: Frame, op: Operation) -> None:
    """`elemwise.constant`: a number, or the same in every lane."""
    value = cast("FloatAttr | IntegerAttr", op.properties["value"])
    type_ = llvm_type(op.results[0].type)
    frame.env[op.results[0]] = frame.builder.constant(value.value.data, type_)


def lower_splat(frame: Frame, op: Operation) -> None:
    """`elemwise.splat`: a row's scalar to every lane of that row's vector."""
    builder = frame.builder
    type_ = cast("VectorType[Attribute]", op.results[0].type)
    width = type_.get_shape()[0]
    value = frame.scalar(op.operands[0])
    lanes = lanes_of(value.type)
    frame.env[op.results[0]] = tuple(
        builder.splat(builder.extract(value, row), width) for row in range(lanes)
    ) if lanes else builder.splat(value, width)


def lower_dim(frame: Frame, op: Operation) -> None:
    """`loops.dim`."""
    dim = cast(loops.DimOp, op)
    frame.env[op.results[0]] = frame.buffer(dim.source).sizes[dim.dim.value.data]


def lower_store(frame: Frame, op: Operation) -> None:
    """`loops.store`: a scalar result."""
    value, target = op.operands
    store_rows(frame.builder, frame.scalar(value), frame.buffer(target), [], SINGLE)


def lower_view(frame: Frame, op: Operation) -> None:
    """`loops.view`: the same memory under other sizes."""
    source = frame.buffer(op.operands[0])
    shape = cast("MemRefType[Attribute]", op.results[0].type).get_shape()
    dynamic = iter([frame.scalar(size) for size in op.operands[1:]])
    sizes = [next(dynamic) for _ in shape] if len(op.operands) - 1 == len(shape) else [
        frame.builder.index(n) if n >= 0 else next(dynamic) for n in shape]
    strides = row_major(frame.builder, source.element, sizes)
    frame.env[op.results[0]] = Buffer(source.pointer, source.element, tuple(sizes), tuple(strides),
                                      constant=source.constant)
