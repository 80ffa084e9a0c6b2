"""What every elementwise operation computes, in NumPy, and on which values tests try it.

One row an operation: `TABLE[signature]`. A test fails when a signature has no row. `evaluate` is
the reference of the level-1 oracle and of constant folding's tests. Nothing here imports xDSL.

Where NumPy leaves something open, the row decides:

* two operands are cast to their common dtype first, comparisons too (NumPy compares int64 with
  uint64 exactly; a compiled comparison is one of floats);
* `maximum`, `minimum`: NaN if one operand is (NumPy); +0 is larger than -0 (IEEE 754-2019), so
  that operands may be exchanged;
* a quotient of integers is one of float64, also where float32 is the result: the C code of Theano
  1.0.5 divides so, its Python code and NumPy with `dtype=float32` round the operands first;
* integers to a negative power are truncated: 1, -1 or 0 (0 also of base 0; NumPy raises);
* elementary functions are those of the next wider format, rounded: `ulps` bounds the compiled one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from tetractys.dialects import elemwise_signatures as ew
from tetractys.dialects import scalar_special as special
from tetractys.dialects.scalar_domains import ANY, FLOATING, MODERATE, Domain, cast_domain
from tetractys.dialects.signature import (
    DTYPES,
    ElemwiseSignature,
    InferTypeError,
    is_float,
    upcast,
)

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Props: TypeAlias = Mapping[str, object]
Reference: TypeAlias = Callable[[Sequence[Array], str, Props], Array]

SMOOTH, ZERO, LAST, NONE = "smooth", "zero", "last", "none"
"""A row's `gradient`: a derivative to be tested, zero everywhere, one that no operation computes
(asking for it is refused), or made by lowering only."""


@dataclass(frozen=True, eq=False)
class Row:
    """One elementwise operation.

    reference: (operands, dtype of the result, properties) -> result; operands broadcast.
    domains: the values that tests give each operand.
    ulps: how far the compiled operation may be from the reference, in units of the last place.
    gradient: SMOOTH, ZERO, LAST or NONE; smooth: an interval for each operand, clear of kinks.
    orders: how many times it can be differentiated, as far as tests go.
    """

    signature: ElemwiseSignature
    reference: Reference
    domains: tuple[Domain, ...]
    ulps: float = 0
    gradient: str = SMOOTH
    smooth: tuple[tuple[float, float], ...] = ()
    orders: int = 2

    def operands(
        self, dtypes: Sequence[str], props: Props, rng: np.random.Generator, size: int = 64
    ) -> list[Array]:
        """Test vectors of one length: all combinations of special values, then random ones."""
        domains = self.domains
        if self.signature is ew.CAST:
            domains = (cast_domain(dtypes[0], str(props["dtype"])),)
        special = [domain.specials_of(dtype) for domain, dtype in zip(domains, dtypes)]
        if len(special) > 2:  # combinations of three are too many
            longest = max(len(values) for values in special)
            special = [rng.permutation(np.resize(values, 4 * longest)) for values in special]
        else:
            special = [grid.ravel() for grid in np.meshgrid(*special, indexing="ij")]
        random = [domain.random(dtype, size, rng) for domain, dtype in zip(domains, dtypes)]
        return [np.concatenate(pair) for pair in zip(special, random)]


TABLE: dict[ElemwiseSignature, Row] = {}
"""The row of each elementwise operation."""


def evaluate(
    signature: ElemwiseSignature, operands: Sequence[Array], props: Props | None = None
) -> Array:
    """The operation on arrays that broadcast as NumPy's do; the result has the inferred dtype."""
    given = props or {}
    dtype = signature.dtype_rule([operand.dtype.name for operand in operands], given)
    with np.errstate(all="ignore"):
        result = np.asarray(TABLE[signature].reference(operands, dtype, given))
    assert result.dtype.name == dtype, (signature.name, result.dtype, dtype)
    return result


def dtype_cases(signature: ElemwiseSignature, props: Props | None = None) -> list[tuple[str, ...]]:
    """The operand dtypes that the operation takes: every dtype alone, and every pair."""
    if signature.arity is None or signature.arity == 0:
        return [()]
    if signature.arity == 1:
        cases: list[tuple[str, ...]] = [(dtype,) for dtype in DTYPES]
    elif signature.arity == 2:
        cases = [(first, second) for first in DTYPES for second in DTYPES]
    else:
        cases = [(dtype,) * 3 for dtype in DTYPES]
        cases += [
            ("bool", "float32", "int32"),
            ("float64", "int8", "int16"),
            ("int32", "bool", "bool"),
            ("bool", "float32", "float32"),
            ("bool", "float64", "float64"),
        ]
    return [case for case in cases if _takes(signature, case, props or {})]


def _takes(signature: ElemwiseSignature, dtypes: tuple[str, ...], props: Props) -> bool:
    try:
        signature.dtype_rule(dtypes, props)
    except InferTypeError:
        return False
    if signature is ew.BITCAST:
        if "bool" in (dtypes[0], props["dtype"]):
            return False
        return np.dtype(dtypes[0]).itemsize == np.dtype(str(props["dtype"])).itemsize
    return True


def default_props(signature: ElemwiseSignature, dtype: str = "float64") -> dict[str, object]:
    """Properties with which a test can build the operation."""
    if signature is ew.CONSTANT:
        return {"value": 2, "dtype": dtype}
    if signature is ew.LIBM_WHERE:
        return {"function": "sin" if dtype == "float64" else "sinf"}
    return {"dtype": dtype} if signature in (ew.CAST, ew.BITCAST) else {}


# References.


def _plain(function: Callable[..., Array]) -> Reference:
    """On operands of the result's dtype."""
    return lambda operands, dtype, props: np.asarray(function(*(x.astype(dtype) for x in operands)))


def _wider(dtype: str) -> Any:
    return np.longdouble if dtype == "float64" else np.float64


def _true_div(operands: Sequence[Array], dtype: str, props: Props) -> Array:
    """The quotient; of integers rounded once, from float64, whatever `dtype` is."""
    wide = np.float64 if all(x.dtype.kind != "f" for x in operands) else dtype
    return np.asarray(np.true_divide(*(x.astype(wide) for x in operands))).astype(dtype)


def _precise(function: Callable[..., Array]) -> Reference:
    """On operands of the result's dtype, computed in the next wider format and rounded."""

    def reference(operands: Sequence[Array], dtype: str, props: Props) -> Array:
        wide = [x.astype(dtype).astype(_wider(dtype)) for x in operands]
        return np.asarray(function(*wide)).astype(dtype)

    return reference


def _compared(function: Callable[..., Array]) -> Reference:
    """A comparison of operands cast to their common dtype."""

    def reference(operands: Sequence[Array], dtype: str, props: Props) -> Array:
        common = upcast(*(x.dtype.name for x in operands))
        return np.asarray(function(*(x.astype(common) for x in operands)))

    return reference


def _constant(operands: Sequence[Array], dtype: str, props: Props) -> Array:
    return np.full((1,) * int(str(props.get("rank") or 0)), props["value"], dtype)


def _second(operands: Sequence[Array], dtype: str, props: Props) -> Array:
    return np.broadcast_to(operands[1], np.broadcast_shapes(*(x.shape for x in operands))).copy()


def _power(base: Array, exponent: Array) -> Array:
    if is_float(base.dtype.name):
        wide = _wider(base.dtype.name)
        return np.power(base.astype(wide), exponent.astype(wide)).astype(base.dtype)
    if not np.issubdtype(base.dtype, np.signedinteger):
        return np.power(base, exponent)
    positive = np.power(base, np.where(exponent < 0, np.zeros_like(exponent), exponent))
    odd = (exponent & 1) == 1
    truncated = np.where(base == 1, 1, np.where(base == -1, np.where(odd, -1, 1), 0))
    return np.where(exponent < 0, truncated.astype(base.dtype), positive)


def _maximum(x: Array, y: Array) -> Array:
    result = np.maximum(x, y)
    return np.where((x == 0) & (y == 0), x + y, result) if is_float(x.dtype.name) else result


def _minimum(x: Array, y: Array) -> Array:
    result = np.minimum(x, y)
    return np.where((x == 0) & (y == 0), -(-x - y), result) if is_float(x.dtype.name) else result


def _sigmoid(x: Array) -> Array:
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small))


def _softplus(x: Array) -> Array:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _switch(operands: Sequence[Array], dtype: str, props: Props) -> Array:
    condition, first, second = operands
    return np.where(condition != 0, first.astype(dtype), second.astype(dtype))


def _fma_exact(a: float, b: float, c: float) -> float:
    if not (math.isfinite(a) and math.isfinite(b) and math.isfinite(c)):
        return a * b + c if not (math.isfinite(a) and math.isfinite(b)) else c
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    if exact == 0:
        return a * b + c if Fraction(a) * Fraction(b) == 0 else 0.0
    try:
        return float(exact)  # rounded once, and -0.0 where a negative number underflows
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


def _fma32(a: Array, b: Array, c: Array) -> Array:
    product, addend = a.astype(np.float64) * b, c.astype(np.float64)  # the product is exact
    total = product + addend
    back = total - product
    error = (product - (total - back)) + (addend - back)
    # Round to odd: an inexact sum gets an odd last bit, so that the second rounding is right.
    bits = total.view(np.int64)
    inexact = np.isfinite(total) & (error != 0) & (bits & 1 == 0)
    toward = np.where((error > 0) == (total > 0), bits + 1, bits - 1)
    return np.where(inexact, toward, bits).view(np.float64).astype(np.float32)


def _fma(a: Array, b: Array, c: Array) -> Array:
    if a.dtype == np.float32:
        return _fma32(*(np.atleast_1d(x) for x in np.broadcast_arrays(a, b, c))).reshape(
            np.broadcast_shapes(a.shape, b.shape, c.shape)
        )
    return np.asarray(np.frompyfunc(_fma_exact, 3, 1)(a, b, c), dtype=np.float64)


def _shift_right(x: Array, amount: Array) -> Array:
    unsigned = np.dtype(f"u{x.dtype.name.removeprefix('u')}")
    return (x.view(unsigned) >> amount.view(unsigned)).view(x.dtype)


def _mul_low(a: Array, b: Array) -> Array:
    return _fma(a, b, -(a * b))


def _scale(x: Array, n: Array) -> Array:
    power = np.clip(np.nan_to_num(n, nan=0.0), -5000, 5000).astype(np.int32)
    return np.where(np.isnan(n), n, np.ldexp(x, power))


def _parts(x: Array) -> tuple[Array, Array]:
    """m in [3/4, 3/2) and k with `x = 2**k m`."""
    m, k = np.frexp(x)
    return np.where(m < 0.75, 2 * m, m), np.where(m < 0.75, k - 1, k).astype(x.dtype)


def _log_edges(value: Array, x: Array) -> Array:
    return np.where((x > 0) & np.isfinite(x), value, np.log(x))


def _libm_where(operands: Sequence[Array], dtype: str, props: Props) -> Array:
    condition, x, other = operands
    function = getattr(np, str(props["function"]).removeprefix("tt_").removesuffix("f"))
    return np.where(condition, function(x.astype(_wider(dtype))).astype(dtype), other)


# The table.


def _row(
    signature: ElemwiseSignature,
    reference: Reference,
    *domains: Domain,
    ulps: float = 0,
    smooth: tuple[tuple[float, float], ...] | None = None,
    zero: bool = False,
    last: bool = False,
    orders: int = 2,
) -> None:
    gradient = ZERO if zero else LAST if last else NONE if smooth is None else SMOOTH
    TABLE[signature] = Row(signature, reference, domains, ulps, gradient, smooth or (), orders)


_WIDE, _POSITIVE, _UNIT = (-2.0, 2.0), (0.3, 3.0), (0.4, 1.9)
_ANGLES = Domain(-30, 30, FLOATING + (100.0, 1e4, 1e6, 8.3e6, 9e6, 1e15, 1e22))
_FROM_ZERO = Domain(0.05, 40, FLOATING + (2.0, -0.5, -1.5, 0.25, 7.0))
"""Clear of negative zeros, near which only the absolute error is small."""
_ABOVE_ZERO = Domain(1e-3, 1e3, (1.0, 0.75, 1.5, 2.0, 3.0, 1e30, 1e-30, 1e-44, 1e38), limits=False)
_SHIFTS = Domain(specials=(), integers=(0, 7))

_row(ew.CONSTANT, _constant, zero=True)
_row(ew.CAST, lambda xs, dtype, props: xs[0].astype(dtype), ANY, smooth=(_WIDE,))
_row(ew.SECOND, _second, ANY, ANY, smooth=(_WIDE, _WIDE))
_row(ew.ADD, _plain(np.add), ANY, ANY, smooth=(_WIDE, _WIDE))
_row(ew.SUB, _plain(np.subtract), ANY, ANY, smooth=(_WIDE, _WIDE))
_row(ew.MUL, _plain(np.multiply), ANY, ANY, smooth=(_WIDE, _WIDE))
_row(ew.TRUE_DIV, _true_div, ANY, ANY, smooth=(_WIDE, _POSITIVE))
_row(ew.INT_DIV, _plain(np.floor_divide), MODERATE, MODERATE, zero=True)
_row(ew.MOD, _plain(np.remainder), MODERATE, MODERATE, smooth=((2.1, 2.4), (1.1, 1.4)))
_row(ew.POW, _plain(_power), ANY, Domain(integers=(-3, 9)), ulps=2, smooth=(_POSITIVE, _WIDE))
_row(ew.NEG, _plain(np.negative), ANY, smooth=(_WIDE,))
_row(ew.ABS, _plain(np.abs), ANY, smooth=(_POSITIVE,))
_row(ew.SGN, _plain(np.sign), ANY, zero=True)
_row(ew.SQR, _plain(lambda x: x * x), ANY, smooth=(_WIDE,))
_row(ew.MAXIMUM, _plain(_maximum), ANY, ANY, smooth=((0.0, 1.0), (1.1, 2.0)))
_row(ew.MINIMUM, _plain(_minimum), ANY, ANY, smooth=((0.0, 1.0), (1.1, 2.0)))
_row(ew.SQRT, _plain(np.sqrt), ANY, smooth=(_POSITIVE,))
_row(
    ew.EXP,
    _precise(np.exp),
    Domain(-40, 40, FLOATING + (709.0, -709.0, -745.0, 88.5, -104.0)),
    ulps=1,
    smooth=(_WIDE,),
)
_row(ew.LOG, _precise(np.log), Domain(1e-3, 1e3), ulps=1, smooth=(_POSITIVE,))
_row(ew.LOG2, _precise(np.log2), Domain(1e-3, 1e3), ulps=2, smooth=(_POSITIVE,))
_row(ew.LOG10, _precise(np.log10), Domain(1e-3, 1e3), ulps=2, smooth=(_POSITIVE,))
_row(ew.LOG1P, _precise(np.log1p), Domain(-0.99, 50), ulps=2, smooth=(_UNIT,))
_row(ew.EXPM1, _precise(np.expm1), Domain(-5, 5), ulps=2, smooth=(_WIDE,))
_row(ew.TANH, _precise(np.tanh), Domain(-12, 12), ulps=3, smooth=(_WIDE,))
_row(ew.SIGMOID, _precise(_sigmoid), Domain(-40, 40), ulps=3, smooth=(_WIDE,))
_row(ew.SOFTPLUS, _precise(_softplus), Domain(-40, 40), ulps=4, smooth=(_WIDE,))
_row(ew.SIN, _precise(np.sin), _ANGLES, ulps=3, smooth=(_WIDE,))
_row(ew.COS, _precise(np.cos), _ANGLES, ulps=3, smooth=(_WIDE,))
_row(ew.TAN, _precise(np.tan), _ANGLES, ulps=3, smooth=((-1.2, 1.2),))
_row(ew.ARCTAN, _precise(np.arctan), ANY, ulps=2, smooth=(_WIDE,))
_row(ew.SINH, _precise(np.sinh), Domain(-12, 12), ulps=2, smooth=(_WIDE,))
_row(ew.COSH, _precise(np.cosh), Domain(-12, 12), ulps=2, smooth=(_WIDE,))
_row(ew.ERF, _precise(special.erf), Domain(-4, 4), ulps=3, smooth=(_WIDE,))
_row(ew.ERFC, _precise(special.erfc), Domain(-4, 9), ulps=4, smooth=(_WIDE,))
_row(ew.GAMMALN, _precise(special.gammaln), _FROM_ZERO, ulps=300, smooth=(_POSITIVE,))
_row(ew.PSI, _precise(special.psi), _FROM_ZERO, ulps=300, smooth=(_POSITIVE,), orders=1)
_row(ew.TRI_GAMMA, _precise(special.tri_gamma), _FROM_ZERO, ulps=20, last=True)
_row(ew.EQ, _compared(np.equal), ANY, ANY, zero=True)
_row(ew.NEQ, _compared(np.not_equal), ANY, ANY, zero=True)
_row(ew.LT, _compared(np.less), ANY, ANY, zero=True)
_row(ew.LE, _compared(np.less_equal), ANY, ANY, zero=True)
_row(ew.GT, _compared(np.greater), ANY, ANY, zero=True)
_row(ew.GE, _compared(np.greater_equal), ANY, ANY, zero=True)
_row(ew.ISNAN, lambda xs, dtype, props: np.isnan(xs[0]), ANY, zero=True)
_row(ew.ISINF, lambda xs, dtype, props: np.isinf(xs[0]), ANY, zero=True)
_row(ew.AND, _plain(np.bitwise_and), ANY, ANY, zero=True)
_row(ew.OR, _plain(np.bitwise_or), ANY, ANY, zero=True)
_row(ew.XOR, _plain(np.bitwise_xor), ANY, ANY, zero=True)
_row(ew.INVERT, _plain(np.invert), ANY, zero=True)
_row(ew.SWITCH, _switch, ANY, ANY, ANY, smooth=((0.5, 1.0), _WIDE, _WIDE))
_row(ew.FMA, _plain(_fma), ANY, ANY, ANY)
_row(
    ew.BITCAST, lambda xs, dtype, props: np.atleast_1d(xs[0]).view(dtype).reshape(xs[0].shape), ANY
)
_row(ew.SHL, _plain(np.left_shift), ANY, _SHIFTS)
_row(ew.SHR, _plain(_shift_right), ANY, _SHIFTS)
_row(ew.SAR, _plain(np.right_shift), ANY, _SHIFTS)
_row(ew.FLOOR, _plain(np.floor), ANY)
_row(ew.ROUND, _plain(np.rint), ANY)
_row(ew.COPYSIGN, _plain(np.copysign), ANY, ANY)
_row(ew.MUL_LOW, _plain(_mul_low), Domain(limits=False), Domain(limits=False))
_row(ew.SCALE, _plain(_scale), Domain(specials=(1.0, -2.5, 0.0, -0.0, math.nan), limits=False),
     Domain(-130, 130, (0.0, 1.0, -160.0, 140.0), limits=False, whole=True))
_row(ew.MANTISSA, _plain(lambda x: _parts(x)[0]), _ABOVE_ZERO)
_row(ew.MINUS_EXPONENT, _plain(lambda x: -_parts(x)[1] + 0.0), _ABOVE_ZERO)
_row(ew.LOG_EDGES, _plain(_log_edges), ANY, ANY)
_row(ew.LIBM_WHERE, _libm_where, ANY, ANY, ANY, ulps=1)
