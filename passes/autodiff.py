"""`autodiff`: gradients of a scalar, asked for by the marker `tensor.grad`, become operations.

Before: any valid level-1 IR. After: no `tensor.grad`; what the expansion adds has explicit casts.
The driver and the rules are those of `T.grad` (`passes/vjp.py`); here they run on a block.

    %c = tensor.reduce %x {kind = "add", axes = array<i64: 0>} : (tensor<?xf64>) -> tensor<f64>
    %g = tensor.grad %c, %x : (tensor<f64>, tensor<?xf64>) -> tensor<?xf64>
    // becomes
    %0 = elemwise.constant 1.0 : tensor<f64>
    %1 = elemwise.second %c, %0 : tensor<f64>
    %2 = tensor.dimshuffle %1 {order = array<i64: -1>} : (tensor<f64>) -> tensor<1xf64>
    %g = elemwise.second %x, %2 : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>

A value that the scalar does not depend on has gradient zero. Markers may stand behind one another:
the gradient of a gradient is expanded from what the first one became.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import LocationAttr, ModuleOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import PassFailedException

from tetractys.dialects import tensor, types
from tetractys.dialects.build import SignatureOp, build, props_of
from tetractys.dialects.elemwise import ConstantOp
from tetractys.dialects.signature import ElemwiseSignature, Signature, Spec, is_float, upcast
from tetractys.passes.explicit_casts import apply_to_block
from tetractys.passes.rewriting import erase, function_blocks
from tetractys.passes.vjp import (
    DISCONNECTED,
    ZERO,
    Emitter,
    NoRuleError,
    Step,
    Undefined,
    backpropagate,
    cast_to,
)


class BlockEmitter(Emitter[SSAValue]):
    """Emits operations before one of a block, with the locations of those differentiated."""

    def __init__(self, before: Operation) -> None:
        self.before = before
        self.location: LocationAttr = before.location

    def __call__(
        self, signature: Signature, *operands: SSAValue | float, **props: object
    ) -> SSAValue:
        """See `Emitter`; a number becomes a constant of the dtype that it takes part in."""
        values = [operand for operand in operands if isinstance(operand, SSAValue)]
        if len(values) != len(operands):
            dtype, rank = self._dtype_for(signature, operands), len(self.type_of(values[0])[1])
            values = [
                operand if isinstance(operand, SSAValue) else self.constant(operand, dtype, rank)
                for operand in operands
            ]
        op = build(signature, values, props, self.location)
        self._insert(op)
        return op.results[0]

    def _dtype_for(self, signature: Signature, operands: Sequence[SSAValue | float]) -> str:
        """What the numbers among `operands` are cast to: the common dtype with the others."""
        assert isinstance(signature, ElemwiseSignature)
        first = 1 if signature.short == "switch" else 0
        dtypes = [
            types.dtype_of(operand.type)
            if isinstance(operand, SSAValue)
            else smallest_dtype(operand)
            for operand in operands[first:]
        ]
        return upcast(*dtypes)

    def constant(self, number: float, dtype: str, rank: int) -> SSAValue:
        """See `Emitter`."""
        op = ConstantOp.make(number, types.tensor_type((dtype, (1,) * rank)), self.location)
        self._insert(op)
        return op.results[0]

    def type_of(self, value: SSAValue) -> Spec:
        """See `Emitter`."""
        return types.spec_of(value.type)

    def enter(self, step: Step[SSAValue]) -> None:
        """See `Emitter`."""
        self.location = step.origin.location

    def _insert(self, op: Operation) -> None:
        assert self.before.parent is not None
        self.before.parent.insert_op_before(op, self.before)


def smallest_dtype(number: float) -> str:
    """The smallest dtype that holds a Python number exactly (THEANO_SEMANTICS D1)."""
    if isinstance(number, int):
        return np.min_scalar_type(number if number < 0 else -number - 1).name
    return "float32" if float(np.float32(number)) == number else "float64"


def steps_before(marker: Operation) -> list[Step[SSAValue]]:
    """The operations that stand before `marker` in its block and compute values."""
    steps: list[Step[SSAValue]] = []
    assert marker.parent is not None
    for op in marker.parent.ops:
        if op is marker:
            break
        if isinstance(op, SignatureOp):
            props, operands, results = props_of(op), list(op.operands), list(op.results)
            steps.append(Step(op.signature, props, operands, results, origin=op))
        elif op.results:
            opaque = [[True] * len(op.results) for _ in op.operands]
            steps.append(Step(None, {}, list(op.operands), list(op.results), None, opaque, op))
    return steps


def build_gradients(marker: tensor.TensorOp) -> list[SSAValue]:
    """Emits the gradients that `marker` asks for before it; one value a result."""
    cost, *wrt = marker.operands
    emit = BlockEmitter(marker)
    dtype = emit.type_of(cost)[0]
    seed = emit.fill_like(cost, 1.0, dtype if is_float(dtype) else "float64")
    found = backpropagate(emit, steps_before(marker), {cost: seed}, wrt)
    return [
        _finished(emit, gradient, value, types.dtype_of(result.type))
        for gradient, value, result in zip(found, wrt, marker.results)
    ]


def _finished(emit: BlockEmitter, gradient: object, value: SSAValue, dtype: str) -> SSAValue:
    """The gradient in the marker's dtype; zeros where nothing flows."""
    if gradient is ZERO or gradient is DISCONNECTED:
        return emit.fill_like(value, 0.0, dtype)
    assert not isinstance(gradient, Undefined) and isinstance(gradient, SSAValue)
    return cast_to(emit, gradient, dtype)


def apply_autodiff(block: Block) -> None:
    """Expands every marker of a block, the first one first."""
    markers = [op for op in block.ops if isinstance(op, tensor.GradOp)]
    for marker in markers:
        try:
            gradients = build_gradients(marker)
        except NoRuleError as error:
            marker.emit_error(str(error), PassFailedException(str(error)))
        for result, gradient in zip(marker.results, gradients):
            result.replace_all_uses_with(gradient)
        erase(marker)
    if markers:
        apply_to_block(block)


class AutodiffPass(ModulePass):
    """Replaces `tensor.grad` by the operations that compute the gradients."""

    name = "autodiff"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Rewrites every function of the module."""
        for block in function_blocks(op):
            apply_autodiff(block)
