"""Vector-Jacobian products of the elementwise operations: Theano's formulas, in Theano's order.

Each rule takes (emitter, operands, results, cotangents, properties) and returns one thunk
an operand.
The formulas are written as Theano writes them, so that a printed gradient reads the same; what is
computed twice (`exp(x)` beside the forward one) is merged by `cse`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from tetractys.dialects import elemwise_signatures as ew
from tetractys.dialects.signature import is_float
from tetractys.passes.vjp import Emitter, Props, Thunk, vjp

Values = Sequence[Any]
Thunks = Sequence[Thunk | None]


@vjp(
    ew.SGN,
    ew.INT_DIV,
    ew.EQ,
    ew.NEQ,
    ew.LT,
    ew.LE,
    ew.GT,
    ew.GE,
    ew.ISNAN,
    ew.ISINF,
    ew.AND,
    ew.OR,
    ew.XOR,
    ew.INVERT,
    ew.CONSTANT,
)
def _flat(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    """Steps: the derivative is zero."""
    return [None] * len(xs)


@vjp(ew.CAST)
def _same(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    return [lambda: cts[0]]


@vjp(ew.SECOND, connected=(1,))
def _second(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    """fill(x, y): x gives its shape only."""
    return [None, lambda: cts[0]]


@vjp(ew.ADD)
def _add(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    return [lambda: cts[0]] * 2


@vjp(ew.SUB)
def _sub(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    return [lambda: cts[0], lambda: e(ew.NEG, cts[0])]


@vjp(ew.MUL)
def _mul(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    x, y = xs
    return [lambda: e(ew.MUL, cts[0], y), lambda: e(ew.MUL, cts[0], x)]


@vjp(ew.TRUE_DIV)
def _true_div(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    """g / y, -(g * x) / (y * y); zero for a quotient of integers, as Theano has it."""
    x, y = xs
    if not any(is_float(e.type_of(value)[0]) for value in xs):
        return [None, None]

    def second() -> Any:
        negated = e(ew.NEG, e(ew.MUL, cts[0], x))
        return e(ew.TRUE_DIV, negated, e(ew.MUL, y, y))

    return [lambda: e(ew.TRUE_DIV, cts[0], y), second]


@vjp(ew.MOD)
def _mod(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    """g, -(x // y) * g."""
    x, y = xs
    return [
        lambda: cts[0],
        lambda: e(ew.MUL, e(ew.NEG, e(ew.INT_DIV, x, y)), cts[0]),
    ]


@vjp(ew.POW)
def _pow(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    """g * y * x ** (y - 1); g * log(x) * x ** y, 0 where x is 0."""
    x, y = xs

    def base() -> Any:
        return e(ew.MUL, e(ew.MUL, cts[0], y), e(ew.POW, x, e(ew.SUB, y, 1)))

    def exponent() -> Any:
        slope = e(ew.MUL, e(ew.MUL, cts[0], e(ew.LOG, x)), e(ew.POW, x, y))
        return e(ew.SWITCH, e(ew.EQ, x, 0), 0, slope)

    return [base, exponent]


@vjp(ew.NEG)
def _neg(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    return [lambda: e(ew.NEG, cts[0])]


@vjp(ew.ABS)
def _abs(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    """g * sgn(x): 0 at 0."""
    return [lambda: e(ew.MUL, cts[0], e(ew.SGN, xs[0]))]


@vjp(ew.SQR)
def _sqr(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    return [lambda: e(ew.MUL, e(ew.MUL, cts[0], xs[0]), 2)]


@vjp(ew.MAXIMUM, ew.MINIMUM)
def _extreme(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    """eq(out, x) * g, (1 - eq(out, x)) * g: of equal operands the first takes all."""
    dtype, shape = e.type_of(cts[0])

    def is_first() -> Any:
        return e(ew.EQ, outs[0], xs[0])

    def second() -> Any:
        return e(ew.MUL, e(ew.SUB, e.constant(1.0, dtype, len(shape)), is_first()), cts[0])

    return [lambda: e(ew.MUL, is_first(), cts[0]), second]


def _by_factor(factor: Callable[[Emitter[Any], Any], Any]) -> Any:
    """The rule g * factor(x)."""

    def rule(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
        return [lambda: e(ew.MUL, cts[0], factor(e, xs[0]))]

    return rule


vjp(ew.EXP, ew.EXPM1)(_by_factor(lambda e, x: e(ew.EXP, x)))
vjp(ew.TANH)(_by_factor(lambda e, x: e(ew.SUB, 1, e(ew.SQR, e(ew.TANH, x)))))
vjp(ew.SOFTPLUS)(_by_factor(lambda e, x: e(ew.SIGMOID, x)))


vjp(ew.SIN)(_by_factor(lambda e, x: e(ew.COS, x)))
vjp(ew.SINH)(_by_factor(lambda e, x: e(ew.COSH, x)))
vjp(ew.COSH)(_by_factor(lambda e, x: e(ew.SINH, x)))
vjp(ew.GAMMALN)(_by_factor(lambda e, x: e(ew.PSI, x)))
vjp(ew.PSI)(_by_factor(lambda e, x: e(ew.TRI_GAMMA, x)))


@vjp(ew.COS)
def _cos(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    return [lambda: e(ew.MUL, e(ew.NEG, cts[0]), e(ew.SIN, xs[0]))]


@vjp(ew.TAN)
def _tan(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    return [lambda: e(ew.TRUE_DIV, cts[0], e(ew.SQR, e(ew.COS, xs[0])))]


@vjp(ew.ARCTAN)
def _arctan(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    """g / (1 + x**2)."""
    x = xs[0]
    return [lambda: e(ew.TRUE_DIV, cts[0], e(ew.ADD, _number(e, x, 1.0), e(ew.SQR, x)))]


def _bell(e: Emitter[Any], cotangent: Any, x: Any) -> Any:
    """g * 2 / sqrt(pi) * exp(-x * x)."""
    slope = e(ew.MUL, cotangent, _number(e, x, 2 / math.sqrt(math.pi)))
    return e(ew.MUL, slope, e(ew.EXP, e(ew.MUL, e(ew.NEG, x), x)))


@vjp(ew.ERF)
def _erf(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    return [lambda: _bell(e, cts[0], xs[0])]


@vjp(ew.ERFC)
def _erfc(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    return [lambda: _bell(e, e(ew.NEG, cts[0]), xs[0])]


@vjp(ew.TRI_GAMMA)
def _tri_gamma(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    def only() -> Any:
        raise NotImplementedError(
            "tri_gamma: found its derivative asked for, the third one of gammaln; "
            "expected at most the second; Theano has no further one either"
        )

    return [only]


@vjp(ew.LOG)
def _log(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    return [lambda: e(ew.TRUE_DIV, cts[0], xs[0])]


def _by_scaled(factor: float) -> Any:
    """The rule g / (x * factor), the factor in x's dtype."""

    def rule(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
        return [lambda: e(ew.TRUE_DIV, cts[0], e(ew.MUL, xs[0], _number(e, xs[0], factor)))]

    return rule


vjp(ew.LOG2)(_by_scaled(math.log(2.0)))
vjp(ew.LOG10)(_by_scaled(math.log(10.0)))


def _number(e: Emitter[Any], like: Any, number: float) -> Any:
    """A constant in the dtype of a value; in float64 beside an integer."""
    dtype, shape = e.type_of(like)
    return e.constant(number, dtype if is_float(dtype) else "float64", len(shape))


@vjp(ew.LOG1P)
def _log1p(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    return [lambda: e(ew.TRUE_DIV, cts[0], e(ew.ADD, 1, xs[0]))]


@vjp(ew.SQRT)
def _sqrt(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    """g * 0.5 / sqrt(x): infinite at 0."""
    return [lambda: e(ew.TRUE_DIV, e(ew.MUL, cts[0], 0.5), e(ew.SQRT, xs[0]))]


@vjp(ew.SIGMOID)
def _sigmoid(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    """g * s * (1 - s)."""

    def only() -> Any:
        s = e(ew.SIGMOID, xs[0])
        return e(ew.MUL, e(ew.MUL, cts[0], s), e(ew.SUB, 1.0, s))

    return [only]


@vjp(ew.SWITCH)
def _switch(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    """The condition is connected, but a small change does not alter the choice."""
    return [
        None,
        lambda: e(ew.SWITCH, xs[0], cts[0], 0.0),
        lambda: e(ew.SWITCH, xs[0], 0.0, cts[0]),
    ]
