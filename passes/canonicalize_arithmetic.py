"""Canonical forms of scalar arithmetic. All rules are *exact*: the same value on every input.

Exact includes signed zeros, infinities and NaN; the sign and payload of a NaN are not values. So
`x + 0.0` stays (it turns -0.0 into 0.0), and so do `x * 0.0`, `x - x`, `-(a - b)`.

Forms: constants stand on the right; a negation moves out of products (and so meets another one) and
into sums, where it vanishes. Each pattern's docstring is the algebra, with its condition.
"""

from __future__ import annotations

import math

from xdsl.ir import Operation

from tetractys.dialects import elemwise, types
from tetractys.dialects.signature import DISCRETE, FLOATS, INTEGERS, SIGNED, UNSIGNED
from tetractys.passes.matching import argument_of, is_float_type, is_number, made_by, number_of
from tetractys.passes.rewriting import PatternTable, Rewriter

ARITHMETIC = PatternTable("canonicalize arithmetic")

_MIRRORED = {
    elemwise.EqOp: elemwise.EqOp, elemwise.NeqOp: elemwise.NeqOp,
    elemwise.LtOp: elemwise.GtOp, elemwise.GtOp: elemwise.LtOp,
    elemwise.LeOp: elemwise.GeOp, elemwise.GeOp: elemwise.LeOp,
}  # fmt: skip

_NEVER_MINUS_ZERO = (
    elemwise.ExpOp, elemwise.SqrOp, elemwise.AbsOp, elemwise.SigmoidOp, elemwise.SoftplusOp,
    elemwise.CoshOp, elemwise.ErfcOp,
)  # fmt: skip


def _has_type_of_result(op: Operation, index: int) -> bool:
    return op.operands[index].type == op.results[0].type


def _is_uniform(op: Operation) -> bool:
    """Whether the operands have the result's dtype."""
    return all(types.dtype_of(v.type) == types.dtype_of(op.results[0].type) for v in op.operands)


# Order.

@ARITHMETIC.on(
    elemwise.AddOp,
    elemwise.MulOp,
    elemwise.MaximumOp,
    elemwise.MinimumOp,
    elemwise.AndOp,
    elemwise.OrOp,
    elemwise.XorOp,
    *_MIRRORED,
)
def constant_on_the_right(rw: Rewriter, op: Operation) -> bool:
    """c * x -> x * c, c < x -> x > c: for commutative operations and comparisons."""
    first, second = op.operands
    if number_of(first) is None or number_of(second) is not None:
        return False
    assert isinstance(op, elemwise.ElemwiseOp)
    return rw.replace_by(_MIRRORED.get(type(op), type(op)), second, first)


# Neutral elements.

@ARITHMETIC.on(elemwise.MulOp, elemwise.TrueDivOp, elemwise.PowOp)
def times_one(rw: Rewriter, op: Operation) -> bool:
    """x * 1, x / 1, x ** 1 -> x."""
    if not is_number(op.operands[1], 1) or not _has_type_of_result(op, 0):
        return False
    return rw.replace(op.operands[0])


@ARITHMETIC.on(elemwise.IntDivOp)
def floor_by_one(rw: Rewriter, op: Operation) -> bool:
    """x // 1 -> x of integers."""
    if not is_number(op.operands[1], 1) or not _has_type_of_result(op, 0):
        return False
    return not is_float_type(op.results[0].type) and rw.replace(op.operands[0])


@ARITHMETIC.on(elemwise.AddOp, elemwise.SubOp)
def plus_nothing(rw: Rewriter, op: Operation) -> bool:
    """x - 0.0, x + (-0.0) -> x; x + 0 of integers, or of floats that are never -0.0."""
    value, zero = op.operands
    if not is_number(zero, 0) or not _has_type_of_result(op, 0):
        return False
    if is_float_type(value.type) and type(value.owner) not in _NEVER_MINUS_ZERO:
        number = number_of(zero)
        assert number is not None
        is_negative = math.copysign(1.0, number) < 0
        if is_negative != (type(op) is elemwise.AddOp):
            return False
    return rw.replace(value)


@ARITHMETIC.on(elemwise.MulOp, elemwise.TrueDivOp)
def times_minus_one(rw: Rewriter, op: Operation) -> bool:
    """x * -1, x / -1 -> -x: of floats and signed integers."""
    if not is_number(op.operands[1], -1) or not _has_type_of_result(op, 0):
        return False
    return rw.replace_by(elemwise.NegOp, op.operands[0])


@ARITHMETIC.on(elemwise.TrueDivOp)
def division_by_power_of_two(rw: Rewriter, op: Operation) -> bool:
    """x / c -> x * (1 / c) where c and 1 / c are normal powers of two."""
    value, divisor = op.operands
    number = number_of(divisor)
    if number is None or not number or not math.isfinite(number):
        return False
    limit = 126 if types.dtype_of(divisor.type) == "float32" else 1022
    mantissa, exponent = math.frexp(number)
    if abs(mantissa) != 0.5 or not -limit + 2 <= exponent <= limit or not _is_uniform(op):
        return False
    return rw.replace_by(elemwise.MulOp, value, rw.constant(1.0 / number, divisor.type))


@ARITHMETIC.on(elemwise.PowOp)
def small_powers(rw: Rewriter, op: Operation) -> bool:
    """x ** 2 -> sqr(x), as NumPy computes it; x ** -1 -> 1 / x of floats, exact in IEEE 754."""
    value, exponent = op.operands
    if not _has_type_of_result(op, 0):
        return False
    if is_number(exponent, 2):
        return rw.replace_by(elemwise.SqrOp, value)
    if is_number(exponent, -1) and is_float_type(value.type):
        return rw.replace_by(elemwise.TrueDivOp, rw.constant_like(1.0, value), value)
    return False


@ARITHMETIC.on(elemwise.MulOp)
def product_with_itself(rw: Rewriter, op: Operation) -> bool:
    """x * x -> sqr(x)."""
    first, second = op.operands
    return first is second and rw.replace_by(elemwise.SqrOp, first)


@ARITHMETIC.on(elemwise.MaximumOp, elemwise.MinimumOp, elemwise.AndOp, elemwise.OrOp)
def idempotent(rw: Rewriter, op: Operation) -> bool:
    """max(x, x), x & x -> x."""
    return op.operands[0] is op.operands[1] and rw.replace(op.operands[0])


# Signs.

@ARITHMETIC.on(elemwise.NegOp)
def double_negation(rw: Rewriter, op: Operation) -> bool:
    """-(-x) -> x."""
    inner = argument_of(op.operands[0], elemwise.NegOp)
    return inner is not None and rw.replace(inner)


@ARITHMETIC.on(elemwise.NegOp)
def negated_constant_factor(rw: Rewriter, op: Operation) -> bool:
    """-(x * c) -> x * -c, -(x / c) -> x / -c, of floats; the product has no other user."""
    product = op.operands[0].owner
    if type(product) not in (elemwise.MulOp, elemwise.TrueDivOp) or not is_float_type(
        op.results[0].type
    ):
        return False
    assert isinstance(product, Operation)
    number = number_of(product.operands[1])
    if number is None or not op.operands[0].has_one_use() or not _is_uniform(product):
        return False
    constant = rw.constant(-number, product.operands[1].type)
    return rw.replace_by(type(product), product.operands[0], constant)  # pyright: ignore[reportArgumentType]


@ARITHMETIC.on(elemwise.NegOp)
def negated_integer_difference(rw: Rewriter, op: Operation) -> bool:
    """-(a - b) -> b - a of integers; of floats a zero would change its sign."""
    inner = made_by(op.operands[0], elemwise.SubOp)
    if inner is None or is_float_type(op.results[0].type):
        return False
    return rw.replace_by(elemwise.SubOp, inner.operands[1], inner.operands[0])


@ARITHMETIC.on(elemwise.SqrOp, elemwise.AbsOp)
def sign_is_lost(rw: Rewriter, op: Operation) -> bool:
    """sqr(-x), sqr(|x|) -> sqr(x); |-x|, ||x|| -> |x|."""
    for class_ in (elemwise.NegOp, elemwise.AbsOp):
        if (inner := argument_of(op.operands[0], class_)) is not None:
            return rw.replace_by(type(op), inner)  # pyright: ignore[reportArgumentType]
    return False


@ARITHMETIC.on(elemwise.MulOp, elemwise.TrueDivOp)
def negation_out_of_product(rw: Rewriter, op: Operation) -> bool:
    """(-a) * (-b) -> a * b; (-a) * c -> a * -c; (-a) * b -> -(a * b); the same of quotients."""
    first, second = op.operands
    a = argument_of(first, elemwise.NegOp)
    b = argument_of(second, elemwise.NegOp)
    if (a is None and b is None) or not _is_uniform(op):
        return False
    class_ = elemwise.MulOp if type(op) is elemwise.MulOp else elemwise.TrueDivOp
    if a is not None and b is not None:
        return rw.replace_by(class_, a, b)
    for negated, other in ((a, second), (b, first)):
        number = number_of(other)
        if negated is None or number is None or not is_float_type(other.type):
            continue
        constant = rw.constant(-number, other.type)
        return rw.replace_by(class_, *((a, constant) if a is not None else (constant, negated)))
    product = rw.make(class_, first if a is None else a, second if b is None else b)
    return rw.replace_by(elemwise.NegOp, product)


@ARITHMETIC.on(elemwise.AddOp, elemwise.SubOp)
def negation_into_sum(rw: Rewriter, op: Operation) -> bool:
    """a + (-b) -> a - b, a - (-b) -> a + b, (-a) + b -> b - a; (-a) - b stays: zeros."""
    first, second = op.operands
    is_sum = type(op) is elemwise.AddOp
    if not _is_uniform(op):
        return False
    if (b := argument_of(second, elemwise.NegOp)) is not None:
        return rw.replace_by(elemwise.SubOp if is_sum else elemwise.AddOp, first, b)
    if is_sum and (a := argument_of(first, elemwise.NegOp)) is not None:
        return rw.replace_by(elemwise.SubOp, second, a)
    return False


# Casts.

def _holds(outer: str, inner: str) -> bool:
    """Whether every value of dtype `inner` is one of `outer`."""
    if outer == inner or inner == "bool":
        return True
    if inner in FLOATS:
        return outer == "float64"
    bits = int(inner.strip("uint"))
    if outer in FLOATS:
        return bits <= (16 if outer == "float32" else 32)
    if outer == "bool" or (inner in SIGNED and outer in UNSIGNED):
        return False
    return int(outer.strip("uint")) > bits


@ARITHMETIC.on(elemwise.CastOp)
def cast_of_cast(rw: Rewriter, op: Operation) -> bool:
    """cast(cast(x)) -> cast(x), or x, where the inner one loses nothing; x of its own dtype ->
    x.
    """
    operand, wanted = op.operands[0], types.dtype_of(op.results[0].type)
    if types.dtype_of(operand.type) == wanted:
        return rw.replace(operand)
    inner = argument_of(operand, elemwise.CastOp)
    if inner is None:
        return False
    source, middle = types.dtype_of(inner.type), types.dtype_of(operand.type)
    if not _holds(middle, source):
        return False
    if middle in FLOATS and source in DISCRETE and not (wanted in FLOATS or _holds(wanted, source)):
        return False  # a float out of the range of an integer has no defined cast
    return (
        rw.replace(inner)
        if source == wanted
        else rw.replace_by(elemwise.CastOp, inner, dtype=wanted)
    )


@ARITHMETIC.on(elemwise.CastOp)
def cast_of_constant(rw: Rewriter, op: Operation) -> bool:
    """cast(c) -> the constant in the other dtype, as NumPy converts it."""
    number = number_of(op.operands[0])
    if number is None:
        return False
    source, wanted = (types.dtype_of(v.type) for v in (op.operands[0], op.results[0]))
    is_small = source in INTEGERS and abs(number) <= 2**24
    if (is_small and wanted in FLOATS) or (source, wanted) == ("float32", "float64"):
        return rw.replace(rw.constant(float(number), op.results[0].type))
    from tetractys.passes.constant_fold import fold  # NumPy's conversion; rarely needed here

    folded = fold(op)
    return folded is not None and rw.replace(rw.constant(folded, op.results[0].type))


# Truth values.

_OF_BOOLS = {
    elemwise.AddOp: elemwise.OrOp, elemwise.MaximumOp: elemwise.OrOp,
    elemwise.MulOp: elemwise.AndOp, elemwise.MinimumOp: elemwise.AndOp,
}  # fmt: skip


@ARITHMETIC.on(*_OF_BOOLS)
def arithmetic_of_bools(rw: Rewriter, op: Operation) -> bool:
    """a + b, max(a, b) -> a | b and a * b, min(a, b) -> a & b, of bools."""
    if types.dtype_of(op.results[0].type) != "bool":
        return False
    return rw.replace_by(_OF_BOOLS[type(op)], *op.operands)  # pyright: ignore[reportArgumentType]


@ARITHMETIC.on(elemwise.SqrOp, elemwise.AbsOp)
def bool_as_it_is(rw: Rewriter, op: Operation) -> bool:
    """sqr(b), |b| -> b of bools."""
    return types.dtype_of(op.results[0].type) == "bool" and rw.replace(op.operands[0])


@ARITHMETIC.on(elemwise.NeqOp, elemwise.EqOp)
def comparison_of_bool(rw: Rewriter, op: Operation) -> bool:
    """b != false, b == true -> b; of a bool cast to a number too."""
    value, constant = op.operands
    number = number_of(constant)
    if number is None or number != (0 if type(op) is elemwise.NeqOp else 1):
        return False
    if value.type == op.results[0].type:
        return rw.replace(value)
    inner = argument_of(value, elemwise.CastOp)
    return inner is not None and inner.type == op.results[0].type and rw.replace(inner)


@ARITHMETIC.on(elemwise.InvertOp)
def inverted(rw: Rewriter, op: Operation) -> bool:
    """~~x -> x; ~(a == b) -> a != b, ~(a != b) -> a == b (a NaN is unequal to everything)."""
    inner = op.operands[0].owner
    match inner:
        case elemwise.InvertOp():
            return rw.replace(inner.operands[0])
        case elemwise.EqOp():
            return rw.replace_by(elemwise.NeqOp, *inner.operands)
        case elemwise.NeqOp():
            return rw.replace_by(elemwise.EqOp, *inner.operands)
        case _:
            return False


@ARITHMETIC.on(elemwise.SwitchOp)
def switch_of_inverted(rw: Rewriter, op: Operation) -> bool:
    """switch(~c, a, b) -> switch(c, b, a) of a bool."""
    condition = argument_of(op.operands[0], elemwise.InvertOp)
    if condition is None or types.dtype_of(condition.type) != "bool":
        return False
    return rw.replace_by(elemwise.SwitchOp, condition, op.operands[2], op.operands[1])
