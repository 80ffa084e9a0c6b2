"""`constant-fold`: elementwise operations on constants become constants.

The number is NumPy's in the dtype of the operation (`dialects/scalar_table.py`): integers wrap, an
integer division by zero gives 0, elementary functions are rounded once. Constants have only dimensions
of size 1, so a folded result is one number too. Class: *exact*.

    %0 = elemwise.constant 2.0 : tensor<f64>
    %1 = elemwise.sqrt %0 : tensor<f64>
    // becomes
    %1 = elemwise.constant 1.4142135623730951 : tensor<f64>
"""

from __future__ import annotations

from typing import cast

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from tetractys.dialects import elemwise, types
from tetractys.dialects.build import props_of
from tetractys.dialects.elemwise import ConstantOp, ElemwiseOp
from tetractys.dialects.signature import ElemwiseSignature
from tetractys.passes.matching import number_of
from tetractys.passes.rewriting import PatternTable, Rewriter, apply_patterns

PATTERNS = PatternTable("constant-fold")


def fold(op: Operation) -> int | float | bool | None:
    """The number that an elementwise operation on constants gives; None if one is no constant."""
    numbers = [number_of(operand) for operand in op.operands]
    if any(number is None for number in numbers):
        return None
    from tetractys.dialects.scalar_table import evaluate  # rarely needed: not at start-up

    assert isinstance(op, ElemwiseOp)
    operands = [np.asarray(number, dtype=types.dtype_of(value.type))
                for number, value in zip(numbers, op.operands)]
    result = evaluate(cast(ElemwiseSignature, op.signature), operands, props_of(op))
    return cast("int | float | bool", result.item())


@PATTERNS.on(*(class_ for class_ in elemwise.OPERATIONS if class_ is not ConstantOp))
def constant_operands(rw: Rewriter, op: Operation) -> bool:
    """f(c1, c2) -> c."""
    number = fold(op)
    return number is not None and rw.replace(rw.constant(number, op.results[0].type))


class ConstantFoldPass(ModulePass):
    """Computes what does not depend on the inputs, with NumPy's results."""

    name = "constant-fold"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Rewrites every function of the module."""
        apply_patterns(op, PATTERNS)
