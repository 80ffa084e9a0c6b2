"""Level 2 in plain Python: nest by nest, index by index, one element at a time.

`run` judges every pass of level 2, before and after `bufferize`. It shares no code with the
interpreter of level 1: numbers are Python's (`scalars`), arrays only hold them. Iterations run in
order, sums are exact and rounded once: the order of a reduction is unspecified, so a comparison
needs a bound (`difference(..., scale=sum of magnitudes)`).
"""

from __future__ import annotations

import builtins
import itertools
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, cast

import numpy as np
from xdsl.dialects.builtin import IntegerAttr, MemRefType, ModuleOp, TensorType, VectorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, SSAValue

from tetractys.dialects import elemwise, loops, types
from tetractys.dialects.build import SignatureOp, props_of
from tetractys.dialects.loops import SLICE, YIELDED, NestOp, Result
from tetractys.dialects.loops import ZERO as ONLY
from tetractys.oracle import parts, scalars
from tetractys.oracle.accumulators import Accumulator, position_of

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Lanes: TypeAlias = tuple[scalars.Number, ...]
Value: TypeAlias = Any
"""A Python number, `Lanes` of a vector, or an array of a tensor or memref."""


def run(program: Operation, args: Sequence[Any]) -> list[Array]:
    """The results of a function (of a module: of `main`, or its only function) on `args`.

    Scalar arguments may be 0-d arrays; scalar results are. Of a bufferized function `args` are the
    inputs alone: the outputs are made by the sizes that `main_shape` gives. Raises the exception of
    a check that fails, and IndexError for an index out of range.
    """
    function = _find(program, "main")
    arguments = function.body.block.args
    values = list(args)
    outputs: list[Array] = []
    if len(values) < len(arguments) and isinstance(arguments[-1].type, MemRefType):
        outputs = _make_outputs(program, arguments[len(values) :], values)
        values += outputs
    if len(values) != len(arguments):
        raise TypeError(
            f"{function.sym_name.data}: found {len(args)} arguments; expected {len(arguments)}"
        )
    returned = _run_function(function, values)
    return outputs + returned


def _find(program: Operation, name: str) -> FuncOp:
    if isinstance(program, FuncOp):
        return program
    assert isinstance(program, ModuleOp)
    functions = [op for op in program.ops if isinstance(op, FuncOp)]
    named = [op for op in functions if op.sym_name.data == name]
    if not named and len(functions) != 1:
        raise ValueError(
            f"oracle: found {len(functions)} functions, none called {name}; expected one"
        )
    return (named or functions)[0]


def _make_outputs(
    program: Operation, outputs: Sequence[SSAValue], inputs: Sequence[Any]
) -> list[Array]:
    """Empty arrays of the sizes that `main_shape` returns, one after another."""
    sizes = iter(int(size) for size in _run_function(_find(program, "main_shape"), inputs))
    made: list[Array] = []
    for output in outputs:
        shape = cast("MemRefType[Attribute]", output.type).get_shape()
        made.append(_unset([next(sizes) for _ in shape], types.dtype_of(output.type)))
    return made


def _unset(shape: Sequence[int], dtype: str) -> Array:
    """Memory that was not written: values that would show in a result."""
    low, high = scalars.limits(dtype)
    return np.full(
        shape, np.nan if high == np.inf else high, "int64" if dtype == "index" else dtype
    )


def _run_function(function: FuncOp, args: Sequence[Any]) -> list[Array]:
    interpreter = Interpreter()
    for number, (argument, value) in enumerate(zip(function.body.block.args, args)):
        interpreter.values[argument] = _take(f"argument {number}", value, argument.type)
    returned = interpreter.run_block(function.body.block)
    kinds = [operand.type for operand in cast(Operation, function.body.block.last_op).operands]
    return [_give(value, type_) for value, type_ in zip(returned, kinds)]


def _take(what: str, value: Any, type_: Attribute) -> Value:
    """An argument: an array of the right dtype and rank, or a number."""
    array = np.asarray(value)
    dtype = types.dtype_of(type_)
    if array.dtype.name != ("int64" if dtype == "index" else dtype):
        raise TypeError(f"{what}: found {array.dtype.name}; expected {dtype}")
    shape = type_.get_shape() if isinstance(type_, TensorType | MemRefType) else ()
    if array.ndim != len(shape):
        raise TypeError(f"{what}: found rank {array.ndim}; expected {len(shape)}")
    if any(static >= 0 and static != size for static, size in zip(shape, array.shape)):
        raise TypeError(f"{what}: found shape {array.shape}; expected {tuple(shape)}")
    return array if isinstance(type_, TensorType | MemRefType) else array.item()


def _give(value: Value, type_: Attribute) -> Array:
    if isinstance(value, np.ndarray):
        return value
    dtype = types.dtype_of(type_)
    return np.array(value, "int64" if dtype == "index" else dtype)


class Interpreter:
    """The values of a running function, and what each operation does to them."""

    def __init__(self) -> None:
        self.values: dict[SSAValue, Value] = {}
        self.slots: dict[int, Array] = {}

    def get(self, operands: Sequence[SSAValue]) -> list[Value]:
        """The values of operands."""
        return [self.values[operand] for operand in operands]

    def run_block(self, block: Block) -> list[Value]:
        """Runs a block and returns what its terminator passes on."""
        for op in block.ops:
            if isinstance(op, ReturnOp | loops.YieldOp):
                return self.get(op.operands)
            results = self._run(op)
            self.values.update(zip(op.results, results, strict=True))
        return []

    def _run(self, op: Operation) -> Sequence[Value]:
        if isinstance(op, NestOp):
            return _Nest(self, op).run()
        if isinstance(op, elemwise.SplatOp):
            width = cast("VectorType[Attribute]", op.out.type).get_shape()[0]
            return [(self.values[op.argument],) * width]
        if isinstance(op, elemwise.ElemwiseOp):
            return [self._elementwise(op)]
        if isinstance(op, loops.AllocOp):
            return [self._allocate(op)]
        handler = _HANDLERS.get(op.name)
        if handler is None:
            raise NotImplementedError(f"oracle: found {op.name}; expected an operation of level 2")
        return handler(op, self.get(op.operands))

    def _allocate(self, op: loops.AllocOp) -> Array:
        """Memory with values that would show; equal slots are the same memory, taken over."""
        type_ = cast("MemRefType[Attribute]", op.out.type)
        given = iter(self.get(op.sizes))
        shape = [size if size >= 0 else next(given) for size in type_.get_shape()]
        fresh = _unset(shape, types.dtype_of(type_))
        if op.slot is None:
            return fresh
        slot = op.slot.value.data
        if slot not in self.slots or self.slots[slot].nbytes < fresh.nbytes:
            self.slots[slot] = np.empty(fresh.nbytes, np.uint8)
        memory = self.slots[slot][: fresh.nbytes].view(fresh.dtype).reshape(fresh.shape)
        memory[...] = fresh
        return memory

    def _elementwise(self, op: SignatureOp) -> Value:
        """On numbers, or lane by lane."""
        operands, props = self.get(op.operands), props_of(op)
        dtypes = [types.dtype_of(operand.type) for operand in op.operands]
        result = types.dtype_of(op.results[0].type)
        name = op.signature.short
        if not isinstance(op.results[0].type, VectorType):
            return scalars.apply(name, operands, dtypes, result, props)
        width = op.results[0].type.get_shape()[0]
        lanes = zip(*operands) if operands else [()] * width
        return tuple(scalars.apply(name, lane, dtypes, result, props) for lane in lanes)


# Operations outside of nests.


def _dim(op: Operation, operands: Sequence[Value]) -> Sequence[Value]:
    return [operands[0].shape[cast(loops.DimOp, op).dim.value.data]]


def _check(op: Operation, operands: Sequence[Value]) -> Sequence[Value]:
    check = cast(loops.CheckOp, op)
    first, second = operands
    if first != second:
        name = check.kind.data if check.kind is not None else "ValueError"
        raise getattr(builtins, name)(check.message.data.format(first, second))
    return []


def _gather(op: Operation, operands: Sequence[Value]) -> Sequence[Value]:
    source, *indices = operands
    named = cast(loops.GatherOp, op).named_axes
    places = {
        axis: position_of(index, size, axis)
        for axis, index, size in sorted(zip(named, indices, source.shape))
    }
    place = tuple(places[axis] for axis in named)
    type_ = op.results[0].type
    if not isinstance(type_, VectorType):
        return [source[place].item()]
    width = type_.get_shape()[0]
    lanes = source[place[:-1]][place[-1] :][:width].tolist()
    return [tuple(lanes) + (lanes[0],) * (width - len(lanes))]


def _locate(op: Operation, operands: Sequence[Value]) -> Sequence[Value]:
    axis = cast(loops.LocateOp, op).axis.value.data
    return [position_of(operands[1], operands[0].shape[axis], axis)]


def _empty(op: Operation, operands: Sequence[Value]) -> Sequence[Value]:
    type_ = cast("TensorType[Attribute]", op.results[0].type)
    given = iter(operands)
    shape = [size if size >= 0 else next(given) for size in type_.get_shape()]
    return [_unset(shape, types.dtype_of(type_))]


def _view(op: Operation, operands: Sequence[Value]) -> Sequence[Value]:
    source, *sizes = operands
    if not source.flags.c_contiguous:
        raise ValueError("loops.view: found an array that is not contiguous; expected a copy of it")
    return [source.reshape(sizes)]


def _store(op: Operation, operands: Sequence[Value]) -> Sequence[Value]:
    operands[1][()] = operands[0]
    return []


def _call(op: Operation, operands: Sequence[Value]) -> Sequence[Value]:
    call = cast(loops.CallOp, op)
    if call.callee.data != "gemm":
        raise NotImplementedError(f"oracle: found a call of {call.callee.data}; expected gemm")
    options = call.options.data if call.options is not None else {}
    first, second = operands[:2]
    first = first.T if _is_set(options.get("transpose_a")) else first
    second = second.T if _is_set(options.get("transpose_b")) else second
    product = _gemm(first, second)
    if op.results:
        return [product]
    operands[2][...] = product
    return []


def _is_set(flag: Attribute | None) -> bool:
    return flag is not None and (not isinstance(flag, IntegerAttr) or flag.value.data != 0)


def _gemm(first: Array, second: Array) -> Array:
    """A library's product: one exact sum an element."""
    if first.shape[1] != second.shape[0]:
        raise ValueError(f"gemm: found shapes {first.shape} and {second.shape}; they do not fit")
    dtype = first.dtype.name
    product = np.empty((first.shape[0], second.shape[1]), first.dtype)
    rows, columns = first.tolist(), second.T.tolist()
    for i, j in np.ndindex(product.shape):
        terms = [x * y for x, y in zip(rows[i], columns[j])]
        product[i, j] = scalars.sum_exactly(terms, dtype)
    return product


_HANDLERS: dict[str, Callable[[Operation, Sequence[Value]], Sequence[Value]]] = {
    "loops.dim": _dim, "loops.check": _check, "loops.gather": _gather, "loops.view": _view,
    "loops.store": _store, "loops.call": _call, "loops.subview": parts.subview,
    "loops.insert": parts.insert, "loops.empty": _empty, "loops.locate": _locate,
}  # fmt: skip


class _Nest:
    """One execution of a nest."""

    def __init__(self, interpreter: Interpreter, nest: NestOp) -> None:
        self.interpreter = interpreter
        self.nest = nest
        self.sizes: list[int] = interpreter.get(nest.sizes)
        self.inputs: list[Array] = interpreter.get(nest.inputs)
        self.maps = nest.input_maps
        self.width = nest.scheduled("vector", 1) if _is_vectorized(nest) else 1
        self.parts = nest.parts()
        self.accumulators: list[Accumulator] = []
        for part in self.parts:
            self.accumulators.append(self._accumulator(part))

    def run(self) -> list[Value]:
        for place in self._places():
            active = self._enter(place)
            yielded = self.interpreter.run_block(self.nest.block)
            for lane in range(active):
                self._keep(place, lane, yielded)
        finished = [accumulator.finish() for accumulator in self.accumulators]
        return [value for value, part in zip(finished, self.parts) if part.result is not None]

    def _places(self) -> itertools.product[tuple[int, ...]]:
        """The first iteration of each run of the body; the innermost iterator goes by `width`."""
        ranges = [range(size) for size in self.sizes]
        if self.width > 1:
            ranges[-1] = range(0, self.sizes[-1], self.width)
        return itertools.product(*ranges)

    def _enter(self, place: tuple[int, ...]) -> int:
        """Sets the body's arguments; returns how many lanes are real."""
        values = self.interpreter.values
        active = min(self.width, self.sizes[-1] - place[-1]) if self.width > 1 else 1
        values.update(zip(self.nest.iterators, place))
        for argument, array, entries in zip(self.nest.elements, self.inputs, self.maps):
            if isinstance(argument.type, VectorType):
                lanes = [self._load(array, entries, self._shift(place, i)) for i in range(active)]
                values[argument] = tuple(lanes) + (lanes[0],) * (self.width - active)
            else:
                values[argument] = self._load(array, entries, place)
        return active

    def _shift(self, place: tuple[int, ...], lane: int) -> tuple[int, ...]:
        return (*place[:-1], place[-1] + lane) if lane else place

    def _load(self, array: Array, entries: loops.Map, place: tuple[int, ...]) -> Value:
        index = tuple(_index(entry, place, ()) for entry in entries)
        found = array[index]
        return found if SLICE in entries else found.item()

    def _keep(self, place: tuple[int, ...], lane: int, yielded: Sequence[Value]) -> None:
        where = self._shift(place, lane)
        lanes = [value[lane] if isinstance(value, tuple) else value for value in yielded]
        position = 0
        for part, accumulator in zip(self.parts, self.accumulators):
            value = lanes[position]
            indices = lanes[position + 1 : position + 1 + len(part.indices)]
            position += 1 + len(part.indices)
            accumulator.take(value, self._target(part, where, indices, accumulator.array))

    def _target(
        self, part: Result, place: tuple[int, ...], indices: Sequence[int], array: Array
    ) -> tuple[int | slice, ...]:
        resolved = iter(
            [
                position_of(index, array.shape[axis], axis)
                for index, axis in zip(indices, (i for i, e in enumerate(part.map) if e == YIELDED))
            ]
        )
        return tuple(_index(entry, place, resolved) for entry in part.map)

    def _accumulator(self, part: Result) -> Accumulator:
        """What collects a result: a new array, an `out`, or a copy of the base of a scatter."""
        dtype = types.dtype_of(part.type)
        dtype = "int64" if dtype == "index" else dtype
        values = self.interpreter.values
        if part.out is not None:
            array = values[part.out]
        elif part.init is not None:
            array = np.array(values[part.init])
        else:
            array = np.empty(self._result_shape(part), dtype)
        previous = self.accumulators[-1] if part.kind == "argmax" else None
        return Accumulator(part.kind, dtype, array, previous)

    def _result_shape(self, part: Result) -> list[int]:
        shape: list[int] = []
        row = iter(self._row_shape(part.value))
        for entry in part.map:
            shape.append(1 if entry == ONLY else next(row) if entry == SLICE else self.sizes[entry])
        return shape

    def _row_shape(self, value: SSAValue) -> list[int]:
        """The shape of a tensor that the body yields, without running the body."""
        if not isinstance(value.type, TensorType | MemRefType):
            return []
        elements: list[SSAValue] = list(self.nest.elements)
        if value in elements:
            number = elements.index(value)
            shape = self.inputs[number].shape
            return [size for size, entry in zip(shape, self.maps[number]) if entry == SLICE]
        owner = value.owner
        if value in self.interpreter.values or not isinstance(owner, NestOp):
            return list(self.interpreter.values[value].shape)
        part = next(part for part in owner.parts() if part.result is value)
        row = iter(self._row_shape(part.value))
        return [
            1 if entry == ONLY else next(row) if entry == SLICE else self._size(owner.sizes[entry])
            for entry in part.map
        ]

    def _size(self, size: SSAValue) -> int:
        """A size that an inner nest uses: known above the nest, or a size of a slice."""
        owner = size.owner
        if isinstance(owner, loops.DimOp) and owner.parent is self.nest.block:
            return self._row_shape(owner.source)[owner.dim.value.data]
        return self.interpreter.values[size]


def _index(entry: int, place: tuple[int, ...], yielded: Any) -> int | slice:
    if entry == SLICE:
        return slice(None)
    if entry == ONLY:
        return 0
    return next(yielded) if entry == YIELDED else place[entry]


def _is_vectorized(nest: NestOp) -> bool:
    """Whether the body works on vectors; before `vectorize` a width is only a plan."""
    values = [*nest.block.args, *nest.yield_.arguments]
    return any(isinstance(value.type, VectorType) for value in values)
