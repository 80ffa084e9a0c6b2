"""Vector-Jacobian products of the elementwise operations: Theano's formulas, in Theano's order.

Each rule takes (emitter, operands, results, cotangents, properties) and returns one thunk
an operand.
The formulas are written as Theano writes them, so that a printed gradient reads the same; what is
computed twice (`exp(x)` beside the forward one) is merged by `cse`.
"""

from __future__ import annotations

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


@vjp(ew.LOG)
def _log(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    return [lambda: e(ew.TRUE_DIV, cts[0], xs[0])]


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
