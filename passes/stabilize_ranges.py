"""A small range table: the sign that the *real number* of an expression is known to have.

`exp(x)` is a positive real number for every finite x, though floating point gives 0 or infinity; so
is what stands below. Nothing is said of leaves (arguments may be anything).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from xdsl.ir import Operation, SSAValue

from tetractys.dialects import elemwise, tensor
from tetractys.dialects.build import SignatureOp, props_of
from tetractys.passes.matching import is_float_type, number_of

POSITIVE, NEGATIVE, NONNEGATIVE, NONZERO, ANY = "+", "-", "0+", "+-", "?"
"""What is known; positive, negative and nonzero numbers are finite too."""

_DEPTH = 6

_ALWAYS = {
    elemwise.ExpOp: POSITIVE, elemwise.SigmoidOp: POSITIVE, elemwise.SoftplusOp: POSITIVE,
    elemwise.CoshOp: POSITIVE, elemwise.ErfcOp: POSITIVE, tensor.SoftmaxOp: POSITIVE,
}  # fmt: skip

_SAME = (tensor.DimshuffleOp, tensor.ReshapeToOp, tensor.SubtensorOp, tensor.AdvancedSubtensorOp)


def _sum(first: str, second: str) -> str:
    if {first, second} <= {POSITIVE, NONNEGATIVE}:
        return NONNEGATIVE if first == second == NONNEGATIVE else POSITIVE
    return NEGATIVE if first == second == NEGATIVE else ANY


_PRODUCTS = {
    (POSITIVE, POSITIVE): POSITIVE, (NEGATIVE, NEGATIVE): POSITIVE,
    (POSITIVE, NEGATIVE): NEGATIVE, (NEGATIVE, POSITIVE): NEGATIVE,
}  # fmt: skip


def _product(first: str, second: str) -> str:
    if (known := _PRODUCTS.get((first, second))) is not None:
        return known
    if {first, second} <= {POSITIVE, NONNEGATIVE}:
        return NONNEGATIVE
    return NONZERO if {first, second} <= {POSITIVE, NEGATIVE, NONZERO} else ANY


def _difference(op: Operation, first: str, second: str) -> str:
    """a - b; and 1 - sigmoid(t), 1 - softmax is left (one column makes it 0)."""
    if type(op.operands[1].owner) is elemwise.SigmoidOp and number_of(op.operands[0]) == 1:
        return POSITIVE
    return _sum(first, _NEGATED.get(second, second))


_NEGATED = {POSITIVE: NEGATIVE, NEGATIVE: POSITIVE, NONNEGATIVE: ANY}


def _largest(first: str, second: str) -> str:
    if POSITIVE in (first, second):
        return POSITIVE
    return NONNEGATIVE if NONNEGATIVE in (first, second) else ANY


def _quotient(first: str, second: str) -> str:
    return ANY if second in (ANY, NONNEGATIVE) else _product(first, second)


_BINARY: dict[type[Operation], Callable[[Operation, str, str], str]] = {
    elemwise.AddOp: lambda op, a, b: _sum(a, b),
    elemwise.SubOp: _difference,
    elemwise.MulOp: lambda op, a, b: _product(a, b),
    elemwise.TrueDivOp: lambda op, a, b: _quotient(a, b),
    elemwise.MaximumOp: lambda op, a, b: _largest(a, b),
    elemwise.SecondOp: lambda op, a, b: b,
}

_SIGN_KEPT = {POSITIVE: POSITIVE, NEGATIVE: POSITIVE, NONZERO: POSITIVE}

_UNARY: dict[type[Operation], Callable[[str], str]] = {
    elemwise.NegOp: lambda a: _NEGATED.get(a, a),
    elemwise.SqrOp: lambda a: _SIGN_KEPT.get(a, NONNEGATIVE),
    elemwise.AbsOp: lambda a: _SIGN_KEPT.get(a, NONNEGATIVE),
    elemwise.SqrtOp: lambda a: POSITIVE if a == POSITIVE else NONNEGATIVE,
}


def range_of(value: SSAValue, depth: int = _DEPTH) -> str:
    """What is known of the real number `value` denotes; looks at most a few operations up."""
    op = value.owner
    if not isinstance(op, Operation) or depth == 0 or not is_float_type(value.type):
        return ANY
    if (number := number_of(value)) is not None:
        return _of_number(number)
    class_ = type(op)
    if class_ in _ALWAYS:
        return _ALWAYS[class_]  # pyright: ignore[reportArgumentType]
    if class_ in _SAME or class_ is elemwise.CastOp:
        return range_of(op.operands[0], depth - 1)
    if class_ in _UNARY:
        return _UNARY[class_](range_of(op.operands[0], depth - 1))
    if class_ in _BINARY:
        first, second = (range_of(operand, depth - 1) for operand in op.operands)
        return _BINARY[class_](op, first, second)
    return _of_sum(op, depth) if isinstance(op, tensor.ReduceOp) else ANY


def _of_number(number: float) -> str:
    if not math.isfinite(number) or number == 0:
        return NONNEGATIVE if number == 0 else ANY
    return POSITIVE if number > 0 else NEGATIVE


def _of_sum(op: SignatureOp, depth: int) -> str:
    """A sum or maximum of positive numbers is not negative; of no number it is 0."""
    if props_of(op)["kind"] not in ("add", "mul"):
        return ANY
    return NONNEGATIVE if range_of(op.operands[0], depth - 1) in (POSITIVE, NONNEGATIVE) else ANY


def is_nonzero_real(value: SSAValue) -> bool:
    """Whether the real number is never 0 and never infinite, so that f / f is 1."""
    return range_of(value) in (POSITIVE, NEGATIVE, NONZERO)
