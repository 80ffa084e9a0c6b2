"""How far a result may be off: level 1 once more, with a bound beside every element.

`run_bounded` runs a function as `tensor.run` does and carries, for every value, an array of the
largest absolute difference that another evaluation of the same operations may show: what comes with
the operands, tried at the ends of their ranges, and what the operation itself adds: the ulps of its
row in the scalar table, n units of the sum of magnitudes for a sum of n terms in any order. Where
nothing may differ a bound is 0, and agreement is one of bits; where an operand's range meets a
pole, a jump or an overflow, the bound says so, up to infinity. `difference(..., bound=...)` takes
it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, cast

import numpy as np
from xdsl.dialects.func import ReturnOp
from xdsl.ir import Block, Operation, SSAValue

from tetractys.dialects import elemwise, types
from tetractys.dialects import tensor_signatures as ts
from tetractys.dialects.build import SignatureOp, props_of
from tetractys.dialects.scalar_table import TABLE, evaluate
from tetractys.dialects.signature import ElemwiseSignature, Signature, Spec, is_float
from tetractys.oracle import tensor
from tetractys.oracle.tensor_references import REFERENCES, Props

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Bounded: TypeAlias = tuple[Array, Array]
"""A value and its bound, in float64."""


def run_bounded(
    program: Operation, args: Sequence[Array], *, real: bool = False
) -> tuple[list[Array], list[Array]]:
    """The results of a function on `args`, which are exact, and the bounds of the results.

    real: bounds of the distance to the number that the expression denotes in real arithmetic; an
    operation that rounds once then adds half a unit. Otherwise it adds nothing: another evaluation
    rounds just so. Raises what `tensor.run` raises.
    """
    function = tensor.find_function(program)
    known: dict[SSAValue, Bounded] = {
        argument: (value, np.zeros(value.shape))
        for argument, value in zip(function.body.block.args, args, strict=True)
    }
    with np.errstate(all="ignore"):
        results = _run_block(function.body.block, known, 0.5 if real else 0.0)
    return [value for value, _ in results], [bound for _, bound in results]


def _run_block(block: Block, known: dict[SSAValue, Bounded], rounding: float) -> list[Bounded]:
    for op in block.ops:
        if isinstance(op, ReturnOp):
            return [known[operand] for operand in op.operands]
        operands = [known[operand] for operand in op.operands]
        values = tensor.apply(op, [value for value, _ in operands])
        bounds = _bounds(op, operands, values, rounding)
        for result, value, bound in zip(op.results, values, bounds, strict=True):
            known[result] = value, _settled(value, bound)
    raise ValueError("oracle: found a function without func.return")


def _settled(value: Array, bound: Array) -> Array:
    """A bound of the value's shape; what could not be told is infinite."""
    bound = np.broadcast_to(bound, value.shape)
    return np.where(np.isnan(bound), np.inf, bound).astype(np.float64)


def _bounds(
    op: Operation, operands: Sequence[Bounded], values: Sequence[Array], rounding: float
) -> Sequence[Array]:
    if isinstance(op, elemwise.CompositeOp):
        return _composite(op, operands, values[0].shape if values else (), rounding)
    signature, props = cast(SignatureOp, op).signature, props_of(cast(SignatureOp, op))
    if isinstance(signature, ElemwiseSignature):
        return [_elementwise(signature, operands, props, values[0], rounding)]
    specs = [types.spec_of(operand.type) for operand in op.operands]
    return _RULES.get(signature, _moved)(Site(signature, operands, specs, props, values))


def _composite(
    op: elemwise.CompositeOp, operands: Sequence[Bounded], shape: tuple[int, ...], rounding: float
) -> list[Array]:
    known: dict[SSAValue, Bounded] = {
        argument: (np.broadcast_to(value, shape), np.broadcast_to(bound, shape))
        for argument, (value, bound) in zip(op.block.args, operands)
    }
    for inner in op.block.ops:
        if isinstance(inner, elemwise.YieldOp):
            return [known[value][1] for value in inner.arguments]
        signature = cast(ElemwiseSignature, cast(SignatureOp, inner).signature)
        given = [known[operand] for operand in inner.operands]
        props = props_of(cast(SignatureOp, inner))
        value = evaluate(signature, [one for one, _ in given], props)
        bound = _elementwise(signature, given, props, value, rounding)
        known[inner.results[0]] = value, _settled(value, bound)
    raise ValueError("oracle: found a composite without elemwise.yield")


# Elementwise operations.


def _elementwise(
    signature: ElemwiseSignature,
    operands: Sequence[Bounded],
    props: Props,
    value: Array,
    rounding: float,
) -> Array:
    """What the ends of the operands' ranges give, and what the operation adds itself."""
    bound = np.zeros(value.shape)
    ranges = [_points(*operand) for operand in operands]
    for corner in itertools.islice(itertools.product(*ranges), 1, None):
        bound = np.maximum(bound, _distance(evaluate(signature, corner, props), value))
    if not is_float(value.dtype.name):
        return bound
    ulps = TABLE[signature].ulps
    ulps += rounding if ulps or signature not in _EXACT else 0
    added = bound + ulps * _spacing(value)
    overflows = np.isinf(np.abs(value) + added.astype(value.dtype)) & (added > 0)
    if rounding:  # an infinity may be a large number that did not fit
        overflows |= np.isinf(value)
        for operand, _ in operands:
            overflows &= np.isfinite(operand) | ~np.isinf(value)
    return np.where(overflows, np.inf, added)


def _points(value: Array, bound: Array) -> list[Array]:
    """The value itself, then the ends of its range, and 0 where that lies between."""
    if not np.any(bound):
        return [value]
    if value.dtype == np.bool_:
        return [value, value ^ (bound > 0)]
    if not is_float(value.dtype.name):
        limits = np.iinfo(value.dtype)
        ends = [np.clip(value + step, limits.min, limits.max) for step in (-bound, bound)]
        return [value, *(np.where(bound > 0, end, value).astype(value.dtype) for end in ends)]
    low, high = (value + step for step in (-bound, bound))
    low = np.where(bound > 0, np.minimum(low, np.nextafter(value, -np.inf)), value)
    high = np.where(bound > 0, np.maximum(high, np.nextafter(value, np.inf)), value)
    points = [value, low.astype(value.dtype), high.astype(value.dtype)]
    inside = (low < 0) & (high > 0)
    return [*points, np.where(inside, 0, value).astype(value.dtype)] if np.any(inside) else points


def _distance(one: Array, other: Array) -> Array:
    """|one - other|: 0 where they are the same NaN or infinity."""
    wide = np.abs(one.astype(np.float64) - other.astype(np.float64))
    same = (one == other) | ((one != one) & (other != other))
    return np.where(same, 0.0, np.where(np.isnan(wide), np.inf, wide))


def _spacing(value: Array) -> Array:
    """One unit in the last place; 0 of infinities and NaN."""
    unit = np.spacing(np.abs(value)).astype(np.float64)
    return np.where(np.isfinite(value), unit, 0.0)


# Whole arrays.


class Site:
    """One application: what a rule sees."""

    def __init__(
        self,
        signature: Signature,
        operands: Sequence[Bounded],
        specs: Sequence[Spec],
        props: Props,
        values: Sequence[Array],
    ) -> None:
        self.signature, self.props, self.values = signature, props, values
        self.given = [value for value, _ in operands]
        self.bounds = [bound for _, bound in operands]
        self.specs = list(specs)

    @property
    def is_float(self) -> bool:
        """Whether the first result is of floating point."""
        return is_float(self.values[0].dtype.name)

    def eps(self) -> float:
        """The unit of 1 of the coarsest dtype at work; 0 for integers."""
        dtypes = [self.values[0].dtype.name, str(self.props.get("acc_dtype") or "float64")]
        return max(float(np.finfo(dtype).eps) for dtype in dtypes) if self.is_float else 0.0

    def reference(self, *operands: Array) -> Array:
        """The operation on other first operands, in float64."""
        count = len(operands)
        specs = [("float64", shape) for _, shape in self.specs[:count]] + self.specs[count:]
        props = {k: v for k, v in self.props.items() if k not in ("dtype", "acc_dtype")}
        if self.signature in (ts.MAKE_VECTOR, ts.ARANGE):
            props["dtype"] = "float64"
        given = [*(x.astype(np.float64) for x in operands), *self.given[count:]]
        run = cast("Callable[..., list[Array]]", REFERENCES[self.signature])
        return run(given, specs, props)[0]

    def magnitudes(self, count: int) -> list[Array]:
        """|x| of the first operands; 0 of infinities and NaN, which decide a sum by themselves."""
        sizes = [np.abs(x.astype(np.float64)) for x in self.given[:count]]
        return [np.where(np.isfinite(size), size, 0.0) for size in sizes]

    def within(self, bound: Array, largest: Array) -> Array:
        """The bound, infinite where sums of magnitudes up to `largest` may overflow."""
        if not self.is_float:
            return bound
        return np.where(largest >= float(np.finfo(self.values[0].dtype).max), np.inf, bound)


def _moved(site: Site) -> list[Array]:
    """Elements that only change places take their bounds along; so do elements written."""
    count = _MOVED.get(site.signature, 0) or len(site.given)
    if any(np.any(bound) for bound in site.bounds[count:]):  # sizes and indices
        return [np.full(value.shape, np.inf) for value in site.values]
    if not any(np.any(bound) for bound in site.bounds):
        return [np.zeros(value.shape) for value in site.values]
    return [site.reference(*site.bounds[:count])]


def _sizes(site: Site) -> list[Array]:
    return [np.zeros(value.shape) for value in site.values]


def _written(site: Site) -> list[Array]:
    """Where several values are added to one place, in any order."""
    found = _moved(site)
    if site.props.get("set") or not site.is_float:
        return found
    times = site.given[2].size + 1 if site.signature is ts.ADVANCED_INC_SUBTENSOR else 1
    rounded = site.eps() * times * site.reference(*site.magnitudes(2))
    return [found[0] + (rounded if times > 1 or np.any(found[0]) else 0)]


def _arange(site: Site) -> list[Array]:
    value = site.values[0]
    steps = np.arange(len(value))
    ends = np.max(site.magnitudes(3)[0]) + steps * site.magnitudes(3)[2]
    return [site.bounds[0] + steps * site.bounds[2] + 2 * site.eps() * ends]


def _reduce(site: Site) -> list[Array]:
    kind, axes = str(site.props["kind"]), cast("tuple[int, ...]", site.props["axes"])
    value, bound = site.given[0], site.bounds[0]
    count = int(np.prod([value.shape[axis] for axis in axes]))
    if kind in ("max", "min"):
        return [np.max(bound, axis=axes, initial=0)]
    if kind in ("and", "or"):
        return [np.where(np.any(bound > 0, axis=axes), np.inf, 0.0)]
    size, (magnitude,) = site.eps() * (count if count > 1 else 0), site.magnitudes(1)
    if kind == "add":
        if site.values[0].dtype == np.bool_:
            return [np.where(np.any(bound > 0, axis=axes), np.inf, 0.0)]
        total = np.sum(magnitude, axis=axes)
        return [site.within(np.sum(bound, axis=axes) + size * total, total)]
    largest = np.prod(magnitude + bound, axis=axes)
    spread = np.where(np.any(bound > 0, axis=axes), largest - np.prod(magnitude, axis=axes), 0.0)
    if not site.is_float or count < 2:
        return [spread]
    partial = np.prod(np.maximum(magnitude, 1), axis=axes)  # of any order
    tiny = float(np.finfo(site.values[0].dtype).tiny)
    lost = np.prod(np.minimum(magnitude, 1), axis=axes) <= tiny / site.eps()
    return [site.within(spread + size * largest + np.where(lost, tiny * partial, 0), partial)]


def _max_and_argmax(site: Site) -> list[Array]:
    axes = cast("tuple[int, ...]", site.props["axes"])
    value, bound = site.given[0].astype(np.float64), site.bounds[0]
    largest = np.max(value - bound, axis=axes, keepdims=True, initial=-np.inf)
    rivals = np.sum((value + bound >= largest) & (bound > 0), axis=axes)
    unsure = (rivals > 0) & (np.sum(value + bound >= largest, axis=axes) > 1)
    return [np.max(bound, axis=axes, initial=0), np.where(unsure, np.inf, 0.0)]


def _product(site: Site) -> list[Array]:
    """|A| dB + dA |B| + dA dB, and n units of |A| |B|."""
    (a, b), (da, db) = site.magnitudes(2), site.bounds
    count = site.given[0].shape[0 if site.props.get("transpose_a") else -1]
    total = site.reference(a, b)
    found = site.eps() * count * total
    for first, second in ((a, db), (da, b), (da, db)):
        if np.any(first) and np.any(second):
            found = found + site.reference(first, second)
    return [site.within(found, total)]


def _softmax(site: Site) -> list[Array]:
    """The relative error of exp(x - max) and of the sum: of the difference, of n terms."""
    value, bound = site.given[0].astype(np.float64), site.bounds[0]
    shift = np.abs(value - np.max(value, axis=-1, keepdims=True, initial=-np.inf))
    given = bound + np.max(bound, axis=-1, keepdims=True, initial=0)
    relative = given + site.eps() * (np.where(np.isfinite(shift), shift, 0) + value.shape[-1] + 8)
    odds = np.abs(site.values[0].astype(np.float64))
    odds = odds if site.signature is ts.SOFTMAX else np.exp(-odds)
    total = np.sum(np.where(odds > 0, odds * relative, 0), axis=-1, keepdims=True)
    if site.signature is ts.SOFTMAX:
        return [odds * np.expm1(relative + total) + 2 * _spacing(site.values[0])]
    sizes = np.abs(site.values[0]) + shift
    return [given + total + site.eps() * np.where(np.isfinite(sizes), sizes, 0)]


_EXACT = frozenset(
    signature
    for signature, row in TABLE.items()
    if signature.short
    in ("neg", "abs", "sgn", "maximum", "minimum", "second", "switch", "constant", "copysign")
)
"""Operations that do not round at all."""

_MOVED: dict[Signature, int] = {
    ts.DIMSHUFFLE: 1, ts.RESHAPE_TO: 1, ts.ALLOC: 1, ts.SUBTENSOR: 1, ts.INC_SUBTENSOR: 2,
    ts.ADVANCED_SUBTENSOR: 1, ts.ADVANCED_INC_SUBTENSOR: 2,
}  # fmt: skip
"""How many operands in front are arrays of elements; behind them stand sizes and indices."""

_RULES: dict[Signature, Callable[[Site], Sequence[Array]]] = {
    ts.SHAPE: _sizes, ts.SIZE: _sizes, ts.CHECK_EQUAL: _sizes, ts.ARANGE: _arange,
    ts.REDUCE: _reduce, ts.MAX_AND_ARGMAX: _max_and_argmax, ts.DOT: _product, ts.GEMM: _product,
    ts.SOFTMAX: _softmax, ts.LOG_SOFTMAX: _softmax, ts.INC_SUBTENSOR: _written,
    ts.ADVANCED_INC_SUBTENSOR: _written,
}  # fmt: skip
