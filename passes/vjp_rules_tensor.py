"""Vector-Jacobian products of the operations on whole arrays.

Each rule takes (emitter, operands, results, cotangents, properties) and returns one thunk
an operand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from tetractys.dialects import elemwise_signatures as ew
from tetractys.dialects import tensor_signatures as ts
from tetractys.dialects.signature import is_float
from tetractys.passes.vjp import Emitter, Props, Thunk, expand, sum_over, vjp

Values = Sequence[Any]
Thunks = Sequence[Thunk | None]


def _axes(props: Props, name: str = "axes") -> tuple[int, ...]:
    return tuple(cast("Sequence[int]", props[name]))


def _rank(e: Emitter[Any], value: Any) -> int:
    return len(e.type_of(value)[1])


@vjp(ts.SHAPE, ts.SIZE, connected=())
def _sizes(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    """No element reaches a size."""
    return [None]


@vjp(ts.DIMSHUFFLE)
def _dimshuffle(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    """The inverse order; a dimension that was dropped comes back with size 1."""
    order = _axes(props, "order")
    inverse = tuple(order.index(i) if i in order else -1 for i in range(_rank(e, xs[0])))
    return [lambda: e(ts.DIMSHUFFLE, cts[0], order=inverse)]


@vjp(ts.RESHAPE_TO, connected=(0,))
def _reshape(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    def only() -> Any:
        shape = e.type_of(xs[0])[1]
        ones = tuple(axis for axis, size in enumerate(shape) if size == 1)
        return e(ts.RESHAPE_TO, cts[0], e(ts.SHAPE, xs[0]), ndim=len(shape), ones=ones)

    return [only, None]


@vjp(ts.MAKE_VECTOR)
def _make_vector(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    return [
        lambda position=position: e(ts.SUBTENSOR, cts[0], slices=str(position))
        for position in range(len(xs))
    ]


@vjp(ts.ALLOC, connected=(0,))
def _alloc(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    """The sum over the dimensions that the value was repeated along."""

    def only() -> Any:
        shape, value = e.type_of(cts[0])[1], e.type_of(xs[0])[1]
        lead = len(shape) - len(value)
        repeated = [i for i, size in enumerate(value) if size == 1 != shape[lead + i]]
        axes = [*range(lead), *(lead + i for i in repeated)]
        return expand(e, sum_over(e, cts[0], axes), repeated) if axes else cts[0]

    return [only]


@vjp(ts.ARANGE, connected=(0, 2))
def _arange(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    """start + step * position: the sum, and the sum weighted by position."""

    def step() -> Any:
        dtype = e.type_of(outs[0])[0]
        zero, one = (e.constant(number, "int64", 0) for number in (0, 1))
        positions = e(ts.ARANGE, zero, e(ts.SIZE, outs[0], dim=0), one, dtype=dtype)
        return sum_over(e, e(ew.MUL, cts[0], positions), [0])

    return [lambda: sum_over(e, cts[0], [0]), None, step]


@vjp(ts.REDUCE)
def _reduce(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    kind, axes, x = props["kind"], _axes(props), xs[0]
    if kind == "add":
        return [lambda: e(ew.SECOND, x, expand(e, cts[0], axes))]
    if kind == "mul":
        return [lambda: _product(e, x, cts[0], axes, props)]
    if kind in ("max", "min"):
        return [lambda: _ties(e, x, outs[0], cts[0], axes)]
    return [None]


def _ties(e: Emitter[Any], x: Any, extreme: Any, cotangent: Any, axes: Sequence[int]) -> Any:
    """eq(max, x) * g: every tie gets the full gradient (THEANO_SEMANTICS D4)."""
    return e(ew.MUL, e(ew.EQ, expand(e, extreme, axes), x), expand(e, cotangent, axes))


def _product(e: Emitter[Any], x: Any, cotangent: Any, axes: Sequence[int], props: Props) -> Any:
    """g times the product of the other elements, right also where some are zero.

    With p the product of the elements that are not zero: p / x where none is zero, p at the zero
    where one is, else 0. The divisor is made 1 at zeros, so that no branch is ever NaN. (The second
    derivative is right where no element is zero.)
    """
    accumulator = str(props.get("acc_dtype") or "float64")
    if not is_float(accumulator):
        return None
    is_zero = e(ew.EQ, x, 0.0)
    zeros = expand(
        e,
        e(ts.REDUCE, is_zero, kind="add", axes=tuple(axes), dtype="int64", acc_dtype="int64"),
        axes,
    )
    others = e(ew.SWITCH, is_zero, 1.0, x)
    product = expand(
        e,
        e(
            ts.REDUCE,
            others,
            kind="mul",
            axes=tuple(axes),
            dtype=e.type_of(cotangent)[0],
            acc_dtype=accumulator,
        ),
        axes,
    )
    single = e(ew.SWITCH, e(ew.AND, e(ew.EQ, zeros, 1), is_zero), product, 0.0)
    slope = e(ew.SWITCH, e(ew.EQ, zeros, 0), e(ew.TRUE_DIV, product, others), single)
    return e(ew.MUL, expand(e, cotangent, axes), slope)


@vjp(ts.MAX_AND_ARGMAX)
def _max_and_argmax(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    if cts[0] is None:
        return [None]
    return [lambda: _ties(e, xs[0], outs[0], cts[0], _axes(props))]


def _transposed(e: Emitter[Any], value: Any) -> Any:
    return e.transpose(value) if _rank(e, value) == 2 else value


def _outer(e: Emitter[Any], first: Any, second: Any) -> Any:
    """The matrix first[i] * second[j]."""
    return e(
        ew.MUL, e(ts.DIMSHUFFLE, first, order=(0, -1)), e(ts.DIMSHUFFLE, second, order=(-1, 0))
    )


@vjp(ts.DOT)
def _dot(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    (x, y), g = xs, cts[0]
    ranks = (_rank(e, x), _rank(e, y))
    if ranks == (1, 1):
        g = e(ts.DIMSHUFFLE, g, order=(-1,))
        return [lambda: e(ew.MUL, g, y), lambda: e(ew.MUL, g, x)]
    if ranks == (1, 2):
        return [lambda: e(ts.DOT, g, _transposed(e, y)), lambda: _outer(e, x, g)]
    if ranks == (2, 1):
        return [lambda: _outer(e, g, y), lambda: e(ts.DOT, _transposed(e, x), g)]
    return [
        lambda: e(ts.DOT, g, _transposed(e, y)),
        lambda: e(ts.DOT, _transposed(e, x), g),
    ]


@vjp(ts.GEMM)
def _gemm(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    """Of op(x) op(y): g op(y)^T and op(x)^T g, transposed back."""
    (x, y), g = xs, cts[0]
    flip_x, flip_y = bool(props.get("transpose_a")), bool(props.get("transpose_b"))

    def gemm(first: Any, second: Any, flip_first: bool, flip_second: bool) -> Any:
        return e(ts.GEMM, first, second, transpose_a=flip_first, transpose_b=flip_second)

    def first() -> Any:
        return gemm(y, g, flip_y, True) if flip_x else gemm(g, y, False, not flip_y)

    def second() -> Any:
        return gemm(g, x, True, flip_x) if flip_y else gemm(x, g, not flip_x, False)

    return [first, second]


@vjp(ts.SOFTMAX)
def _softmax(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    """s * (g - sum(g * s))."""

    def only() -> Any:
        last = _rank(e, xs[0]) - 1
        total = sum_over(e, e(ew.MUL, cts[0], outs[0]), [last])
        return e(ew.MUL, e(ew.SUB, cts[0], expand(e, total, [last])), outs[0])

    return [only]


@vjp(ts.LOG_SOFTMAX)
def _log_softmax(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    """g - sum(g) * softmax(x)."""

    def only() -> Any:
        last = _rank(e, xs[0]) - 1
        total = expand(e, sum_over(e, cts[0], [last]), [last])
        return e(ew.SUB, cts[0], e(ew.MUL, total, e(ts.SOFTMAX, xs[0])))

    return [only]


@vjp(ts.SUBTENSOR, connected=(0,))
def _subtensor(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    x, *bounds = xs
    return [
        lambda: e(ts.INC_SUBTENSOR, e.fill_like(x, 0.0), cts[0], *bounds, slices=props["slices"])
    ]


@vjp(ts.INC_SUBTENSOR, connected=(0, 1))
def _inc_subtensor(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    y, *bounds = xs[1:]
    slices = props["slices"]

    def target() -> Any:
        if not props.get("set"):
            return cts[0]
        zero = e.fill_like(y, 0.0, e.type_of(cts[0])[0])
        return e(ts.INC_SUBTENSOR, cts[0], zero, *bounds, slices=slices, set=True)

    return [target, lambda: e(ts.SUBTENSOR, cts[0], *bounds, slices=slices)]


@vjp(ts.ADVANCED_SUBTENSOR, connected=(0,))
def _advanced(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    x, *vectors = xs
    return [lambda: e(ts.ADVANCED_INC_SUBTENSOR, e.fill_like(x, 0.0), cts[0], *vectors)]


@vjp(ts.ADVANCED_INC_SUBTENSOR, connected=(0, 1))
def _advanced_inc(e: Emitter[Any], xs: Values, outs: Values, cts: Values, props: Props) -> Thunks:
    """Of duplicates under `set` each gets the gradient, as Theano has it."""
    y, *vectors = xs[1:]

    def target() -> Any:
        if not props.get("set"):
            return cts[0]
        zero = e.fill_like(y, 0.0, e.type_of(cts[0])[0])
        return e(ts.ADVANCED_INC_SUBTENSOR, cts[0], zero, *vectors, set=True)

    return [target, lambda: e(ts.ADVANCED_SUBTENSOR, cts[0], *vectors)]
