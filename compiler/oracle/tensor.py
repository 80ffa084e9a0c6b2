"""Level 1 in NumPy: interprets functions of `tensor` and `elemwise` operations.

`run` is the reference in tests, and judges between passes. It is strict: arguments and results must
have exactly the dtype and rank that the IR says, dimensions of static size 1 must be 1 and are the
only ones that broadcast, and every result is held against its type.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, cast

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Operation, SSAValue

from tetractys.dialects import elemwise, types
from tetractys.dialects.build import SignatureOp, props_of
from tetractys.dialects.scalar_table import evaluate
from tetractys.dialects.signature import DYNAMIC, ElemwiseSignature, Spec
from tetractys.oracle.tensor_references import REFERENCES

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Environment: TypeAlias = dict[SSAValue, Array]


def run(program: Operation, args: Sequence[Array]) -> list[Array]:
    """The results of a function (of a module: of `main`, or its only function) on `args`.

    Raises TypeError for arguments that do not fit the function's types, ValueError where sizes do
    not fit together or a check fails, IndexError for an index out of range.
    """
    function = find_function(program)
    if len(args) != len(function.body.block.args):
        raise TypeError(
            f"{function.sym_name.data}: found {len(args)} arguments; "
            f"expected {len(function.body.block.args)}"
        )
    values: Environment = {}
    for number, (argument, value) in enumerate(zip(function.body.block.args, args)):
        _hold(f"argument {number}", value, types.spec_of(argument.type), TypeError)
        values[argument] = value
    with np.errstate(all="ignore"):
        return _run_block(function.body.block, values)


def find_function(program: Operation) -> FuncOp:
    """The function `main` of a module, or its only function; a function is itself."""
    if isinstance(program, FuncOp):
        return program
    assert isinstance(program, ModuleOp)
    functions = [op for op in program.ops if isinstance(op, FuncOp)]
    named = [op for op in functions if op.sym_name.data == "main"] or functions
    if len(named) != 1:
        raise ValueError(
            f"oracle: found {len(functions)} functions, none called main; expected one"
        )
    return named[0]


def _run_block(block: Block, values: Environment) -> list[Array]:
    for op in block.ops:
        if isinstance(op, ReturnOp):
            return [values[operand] for operand in op.operands]
        operands = [values[operand] for operand in op.operands]
        results = apply(op, operands)
        for result, value in zip(op.results, results, strict=True):
            _hold(op.name, value, types.spec_of(result.type), AssertionError)
            values[result] = value
    raise ValueError("oracle: found a function without func.return")


def apply(op: Operation, operands: list[Array]) -> list[Array]:
    """The results of one operation on values of its operands."""
    specs = [types.spec_of(operand.type) for operand in op.operands]
    if isinstance(op, elemwise.CompositeOp):
        shape = _common_shape(specs, operands)
        return _composite(op, [np.broadcast_to(value, shape) for value in operands])
    if not isinstance(op, SignatureOp):
        raise NotImplementedError(f"oracle: found {op.name}; expected an operation of level 1")
    props = props_of(op)
    if isinstance(op.signature, ElemwiseSignature):
        if operands:
            _common_shape(specs, operands)
        elif (rank := len(types.spec_of(op.results[0].type)[1])) > 0:
            props["rank"] = rank
        return [evaluate(op.signature, operands, props)]
    reference = cast("Callable[..., list[Array]]", REFERENCES[op.signature])
    return [np.asarray(value) for value in reference(operands, specs, props)]


def _common_shape(specs: Sequence[Spec], operands: Sequence[Array]) -> tuple[int, ...]:
    """The shape of an elementwise result; only dimensions of static size 1 broadcast."""
    shape = [1] * len(specs[0][1])
    first: list[int | None] = [None] * len(shape)
    for number, (spec, operand) in enumerate(zip(specs, operands)):
        for axis, (static, size) in enumerate(zip(spec[1], operand.shape)):
            if static == 1:
                continue
            earlier = first[axis]
            if earlier is not None and shape[axis] != size:
                raise ValueError(
                    f"Input dimension mis-match. (input[{earlier}].shape[{axis}] = {shape[axis]}, "
                    f"input[{number}].shape[{axis}] = {size})"
                )
            if earlier is None:
                first[axis], shape[axis] = number, size
    return tuple(shape)


def _composite(op: elemwise.CompositeOp, operands: list[Array]) -> list[Array]:
    """The body on whole arrays of one shape, operation by operation."""
    shape = operands[0].shape if operands else ()
    values: Environment = dict(zip(op.block.args, operands))
    for inner in op.block.ops:
        if isinstance(inner, elemwise.YieldOp):
            return [np.broadcast_to(values[value], shape).copy() for value in inner.arguments]
        if not isinstance(inner, elemwise.ElemwiseOp):
            raise NotImplementedError(
                f"oracle: found {inner.name} in a composite; expected elemwise"
            )
        signature = cast(ElemwiseSignature, inner.signature)
        arguments = [values[operand] for operand in inner.operands]
        values[inner.results[0]] = evaluate(signature, arguments, props_of(inner))
    raise ValueError("oracle: found a composite without elemwise.yield")


def _hold(what: str, value: Array, spec: Spec, error: type[Exception]) -> None:
    """Holds a value against its type."""
    dtype, shape = spec
    if not isinstance(value, np.ndarray) or value.dtype.name != dtype:
        raise error(
            f"{what}: found {getattr(value, 'dtype', type(value))}; expected an array of {dtype}"
        )
    if value.ndim != len(shape):
        raise error(f"{what}: found rank {value.ndim}; expected {len(shape)}")
    if any(static not in (DYNAMIC, size) for static, size in zip(shape, value.shape)):
        raise error(f"{what}: found shape {value.shape}; expected {shape}")
