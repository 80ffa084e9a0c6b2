"""Scalar functions of level 2's interpreter in plain Python, one number at a time.

A value is a Python bool, int or float; its dtype is known from the IR and passed along. Every
operation rounds to its dtype: integers wrap; float32 is rounded from the exact (or double) result,
so that nothing is rounded twice.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from ctypes import c_float
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from tetractys.dialects import scalar_special as special
from tetractys.dialects.signature import is_float, upcast

Number: TypeAlias = bool | int | float
Function: TypeAlias = Callable[..., Number]

_BITS = {"int8": 8, "int16": 16, "int32": 32, "int64": 64, "index": 64,
         "uint8": 8, "uint16": 16, "uint32": 32, "uint64": 64}  # fmt: skip
_CODES = {"int8": "b", "int16": "h", "int32": "i", "int64": "q", "uint8": "B", "uint16": "H",
          "uint32": "I", "uint64": "Q", "float32": "f", "float64": "d", "index": "q"}  # fmt: skip


def wrap(value: int, dtype: str) -> int:
    """An integer modulo the size of `dtype`, in its range."""
    bits = _BITS[dtype]
    value &= (1 << bits) - 1
    return value if dtype.startswith("u") or value < 1 << (bits - 1) else value - (1 << bits)


def limits(dtype: str) -> tuple[Number, Number]:
    """The smallest and the largest value of a dtype; infinities for floating point."""
    if is_float(dtype):
        return -math.inf, math.inf
    if dtype == "bool":
        return False, True
    bits = _BITS[dtype]
    return (
        (0, (1 << bits) - 1) if dtype.startswith("u") else (-(1 << bits - 1), (1 << bits - 1) - 1)
    )


def convert(value: Number, source: str, target: str) -> Number:
    """`value` of dtype `source` as one of dtype `target`."""
    if target == "bool":
        return value != 0
    if is_float(target):
        return _to_float(value, target)
    if is_float(source):
        return _truncate(float(value), target)
    return wrap(int(value), target)


def _truncate(value: float, target: str) -> int:
    """Toward zero; what does not fit gives the smallest value, as x86 does."""
    low, high = limits(target)
    if not math.isfinite(value) or not low <= int(value) <= high:
        return int(low)
    return int(value)


def _to_float(value: Number, dtype: str) -> float:
    if dtype == "float64":
        return float(value)
    if isinstance(value, int) and abs(value) >= 1 << 53:
        return _fraction_to_float32(Fraction(value))
    return c_float(value).value


def _fraction_to_float32(exact: Fraction) -> float:
    """Rounded once: through a double whose last bit is odd where it is not exact."""
    near = _fraction_to_float64(exact)
    if math.isfinite(near) and Fraction(near) != exact:
        (bits,) = struct.unpack("<q", struct.pack("<d", near))
        if bits & 1 == 0:
            outward = (exact > Fraction(near)) == (near > 0 or (near == 0 and exact > 0))
            (near,) = struct.unpack("<d", struct.pack("<q", bits + 1 if outward else bits - 1))
    return c_float(near).value


def _fraction_to_float64(exact: Fraction) -> float:
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


def sum_exactly(values: Sequence[Number], dtype: str) -> Number:
    """The sum of many values, rounded once; integers wrap, bools are or-ed."""
    if dtype == "bool":
        return any(values)
    if not is_float(dtype):
        return wrap(sum(int(value) for value in values), dtype)
    if len(values) < 3 or not all(math.isfinite(value) for value in values):
        total = values[0] if values else 0.0
        for value in values[1:]:
            total = total + value
        return _to_float(total, dtype)
    try:
        return _to_float(math.fsum(values), dtype)
    except OverflowError:
        return _fraction_to_float64(sum((Fraction(value) for value in values), Fraction(0)))


# Arithmetic. Operands have the dtype of the result.


def _add(dtype: str, a: Number, b: Number) -> Number:
    if dtype == "bool":
        return a or b
    return _to_float(a + b, dtype) if is_float(dtype) else wrap(int(a + b), dtype)


def _sub(dtype: str, a: Number, b: Number) -> Number:
    return _to_float(a - b, dtype) if is_float(dtype) else wrap(int(a - b), dtype)


def _mul(dtype: str, a: Number, b: Number) -> Number:
    if dtype == "bool":
        return a and b
    return _to_float(a * b, dtype) if is_float(dtype) else wrap(int(a * b), dtype)


def _quotient(a: float, b: float) -> float:
    """IEEE 754's division, which Python refuses by zero."""
    if b != 0:
        return a / b
    if a == 0 or math.isnan(a):
        return math.nan
    return math.copysign(math.inf, math.copysign(1, a) * math.copysign(1, b))


def _true_div(dtype: str, a: Number, b: Number) -> Number:
    return _to_float(_quotient(float(a), float(b)), dtype)


def _int_div(dtype: str, a: Number, b: Number) -> Number:
    if not is_float(dtype):
        return 0 if b == 0 else wrap(int(a // b), dtype)
    return _to_float(_quotient(float(a), float(b)) if b == 0 else a // b, dtype)


def _mod(dtype: str, a: Number, b: Number) -> Number:
    if not is_float(dtype):
        return 0 if b == 0 else wrap(int(a % b), dtype)
    if b == 0 or math.isinf(a):
        return math.nan
    return _to_float(a % b, dtype)


def _pow(dtype: str, a: Number, b: Number) -> Number:
    if is_float(dtype):
        return _to_float(_float_pow(float(a), float(b)), dtype)
    base, exponent = int(a), int(b)
    if exponent < 0:
        odd = exponent % 2 == 1
        return {1: 1, -1: -1 if odd else 1}.get(base, 0)
    return wrap(pow(base, exponent, 1 << 64), dtype)


def _float_pow(a: float, b: float) -> float:
    odd = math.isfinite(b) and b == math.floor(b) and b % 2 == 1
    try:
        return math.pow(a, b)
    except OverflowError:
        return -math.inf if a < 0 and odd else math.inf
    except ValueError:
        if a != 0:
            return math.nan  # a negative number to a broken power
        return math.copysign(math.inf, a) if odd else math.inf


def _neg(dtype: str, a: Number) -> Number:
    return -a if is_float(dtype) else wrap(-int(a), dtype)


def _abs(dtype: str, a: Number) -> Number:
    return a if dtype == "bool" else abs(a) if is_float(dtype) else wrap(abs(int(a)), dtype)


def _sgn(dtype: str, a: Number) -> Number:
    if not is_float(dtype):
        return (a > 0) - (a < 0)
    return a if math.isnan(a) else float((a > 0) - (a < 0))


def maximum(dtype: str, a: Number, b: Number) -> Number:
    """The larger one; NaN if one is, and +0 before -0."""
    if a != a or b != b:
        return math.nan
    if a == b == 0 and is_float(dtype):
        return a if math.copysign(1, a) > 0 else b
    return a if a >= b else b


def minimum(dtype: str, a: Number, b: Number) -> Number:
    """The smaller one; NaN if one is, and -0 before +0."""
    if a != a or b != b:
        return math.nan
    if a == b == 0 and is_float(dtype):
        return a if math.copysign(1, a) < 0 else b
    return a if a <= b else b


# Elementary functions.


def _elementary(function: Callable[[float], float]) -> Function:
    return lambda dtype, a: _to_float(function(float(a)), dtype)


def _exp(a: float) -> float:
    try:
        return math.exp(a)
    except OverflowError:
        return math.inf


def _expm1(a: float) -> float:
    try:
        return math.expm1(a)
    except OverflowError:
        return math.inf


def _log(a: float) -> float:
    return math.log(a) if a > 0 else -math.inf if a == 0 else math.nan


def _log1p(a: float) -> float:
    return math.log1p(a) if a > -1 else -math.inf if a == -1 else math.nan


def _sqrt(a: float) -> float:
    return math.nan if a < 0 else math.sqrt(a)


def _sigmoid(a: float) -> float:
    small = _exp(-abs(a))
    return 1 / (1 + small) if a >= 0 else small / (1 + small)


def _softplus(a: float) -> float:
    return a if math.isnan(a) else max(a, 0.0) + math.log1p(_exp(-abs(a)))


def _log2(a: float) -> float:
    return math.log2(a) if a > 0 else _log(a)


def _log10(a: float) -> float:
    return math.log10(a) if a > 0 else _log(a)


def _finite(function: Callable[[float], float]) -> Callable[[float], float]:
    """NaN of an infinity, which Python refuses."""
    return lambda a: function(a) if math.isfinite(a) else math.nan


def _sinh(a: float) -> float:
    try:
        return math.sinh(a)
    except OverflowError:
        return math.copysign(math.inf, a)


def _cosh(a: float) -> float:
    try:
        return math.cosh(a)
    except OverflowError:
        return math.inf


def _special(name: str) -> Callable[[float], float]:
    """Of the references of `dialects/scalar_special.py`: Python has no psi, and its lgamma loses
    digits beside 1 and 2."""

    def function(a: float) -> float:
        with np.errstate(all="ignore"):
            return float(getattr(special, name)(np.array([a], np.longdouble))[0])

    return function


# Logic and machine operations.


def _bitwise(function: Callable[[int, int], int]) -> Function:
    def apply(dtype: str, a: Number, b: Number) -> Number:
        result = function(int(a), int(b))
        return bool(result) if dtype == "bool" else wrap(result, dtype)

    return apply


def _invert(dtype: str, a: Number) -> Number:
    return not a if dtype == "bool" else wrap(~int(a), dtype)


def fma(dtype: str, a: Number, b: Number, c: Number) -> Number:
    """a * b + c, rounded once."""
    a, b, c = float(a), float(b), float(c)
    if not (math.isfinite(a) and math.isfinite(b) and math.isfinite(c)):
        return c if math.isfinite(a) and math.isfinite(b) else a * b + c
    product = Fraction(a) * Fraction(b)
    exact = product + Fraction(c)
    if exact == 0:
        return a * b + c if product == 0 else 0.0
    return (_fraction_to_float32 if dtype == "float32" else _fraction_to_float64)(exact)


def _mul_low(dtype: str, a: Number, b: Number) -> Number:
    return fma(dtype, a, b, -_mul(dtype, a, b))


def _scale(dtype: str, a: Number, n: Number) -> Number:
    """`a 2**n`, rounded once."""
    a, n = float(a), float(n)
    if not math.isfinite(a) or math.isnan(n) or a == 0:
        return a if not math.isnan(n) else n
    exact = Fraction(a) * Fraction(2) ** int(min(max(n, -3000.0), 3000.0))
    found = (_fraction_to_float32 if dtype == "float32" else _fraction_to_float64)(exact)
    return math.copysign(found, a)


def _parts(a: Number) -> tuple[float, float]:
    """m in [3/4, 3/2) and -k of a positive `a = 2**k m`; of others nothing is asked."""
    if not math.isfinite(a) or a <= 0:
        return math.nan, math.nan
    m, k = math.frexp(float(a))
    return (m, float(-k)) if m >= 0.75 else (2 * m, float(1 - k))


def _log_edges(dtype: str, value: Number, a: Number) -> Number:
    return value if math.isfinite(a) and a > 0 else _log(float(a))


def _floor(dtype: str, a: Number) -> Number:
    if not math.isfinite(a) or abs(a) >= 1 << 52:
        return a
    return math.copysign(float(math.floor(a)), a) if abs(a) < 1 and a >= 0 else float(math.floor(a))


def _round(dtype: str, a: Number) -> Number:
    if not math.isfinite(a) or abs(a) >= 1 << 52:
        return a
    return math.copysign(float(round(a)), a)


def _shift(kind: str) -> Function:
    def apply(dtype: str, a: Number, amount: Number) -> Number:
        bits = _BITS[dtype]
        value, count = int(a), min(int(amount) & ((1 << bits) - 1), bits)
        if kind == "shl":
            return wrap(value << count, dtype)
        if kind == "shr":
            value &= (1 << bits) - 1
        return wrap(value >> count, dtype)

    return apply


def bitcast(value: Number, source: str, target: str) -> Number:
    """The same bits as another dtype of equal width."""
    packed = struct.pack("<" + _CODES[source], value)
    return struct.unpack("<" + _CODES[target], packed)[0]


_IN_RESULT: dict[str, Function] = {
    "add": _add, "sub": _sub, "mul": _mul, "true_div": _true_div, "int_div": _int_div, "mod": _mod,
    "pow": _pow, "neg": _neg, "abs": _abs, "sgn": _sgn,
    "sqr": lambda dtype, a: _mul(dtype, a, a), "maximum": maximum, "minimum": minimum,
    "sqrt": _elementary(_sqrt), "exp": _elementary(_exp), "log": _elementary(_log),
    "log1p": _elementary(_log1p), "expm1": _elementary(_expm1), "tanh": _elementary(math.tanh),
    "sigmoid": _elementary(_sigmoid), "softplus": _elementary(_softplus),
    "log2": _elementary(_log2), "log10": _elementary(_log10), "sin": _elementary(_finite(math.sin)),
    "cos": _elementary(_finite(math.cos)), "tan": _elementary(_finite(math.tan)),
    "arctan": _elementary(math.atan), "sinh": _elementary(_sinh), "cosh": _elementary(_cosh),
    "erf": _elementary(math.erf), "erfc": _elementary(math.erfc),
    "gammaln": _elementary(_special("gammaln")), "psi": _elementary(_special("psi")),
    "tri_gamma": _elementary(_special("tri_gamma")), "mul_low": _mul_low,
    "and": _bitwise(lambda a, b: a & b), "or": _bitwise(lambda a, b: a | b),
    "xor": _bitwise(lambda a, b: a ^ b), "invert": _invert,
    "scale": _scale, "mantissa": lambda dtype, a: _parts(a)[0],
    "minus_exponent": lambda dtype, a: _parts(a)[1], "log_edges": _log_edges,
    "fma": fma, "shl": _shift("shl"), "shr": _shift("shr"), "sar": _shift("sar"),
    "floor": _floor, "round": _round, "copysign": lambda dtype, a, b: math.copysign(a, b),
}  # fmt: skip
"""Functions of operands that have the result's dtype, which is the first argument."""

_COMPARISONS: dict[str, Callable[[Number, Number], bool]] = {
    "eq": lambda a, b: a == b, "neq": lambda a, b: a != b, "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b, "gt": lambda a, b: a > b, "ge": lambda a, b: a >= b,
}  # fmt: skip


def apply(
    name: str,
    values: Sequence[Number],
    dtypes: Sequence[str],
    result: str,
    props: Mapping[str, object],
) -> Number:
    """One elementwise operation on numbers of `dtypes`; the number returned is a `result`."""
    if name in _IN_RESULT:
        converted = [convert(value, dtype, result) for value, dtype in zip(values, dtypes)]
        return _IN_RESULT[name](result, *converted)
    if name in _COMPARISONS:
        common = upcast(*dtypes)
        return _COMPARISONS[name](*(convert(v, dtype, common) for v, dtype in zip(values, dtypes)))
    match name:
        case "constant":
            return _constant(props["value"], result)
        case "cast":
            return convert(values[0], dtypes[0], result)
        case "second":
            return values[1]
        case "switch":
            chosen = 1 if values[0] != 0 else 2
            return convert(values[chosen], dtypes[chosen], result)
        case "isnan":
            return values[0] != values[0]
        case "isinf":
            return is_float(dtypes[0]) and math.isinf(values[0])
        case "bitcast":
            return bitcast(values[0], dtypes[0], result)
        case "libm_where":
            function = getattr(math, str(props["function"]).removeprefix("tt_").removesuffix("f"))
            called = _elementary(_finite(function))
            return called(result, values[1]) if values[0] else values[2]
        case _:
            raise NotImplementedError(f"oracle: found elemwise.{name}; expected one of the dialect")


def _constant(value: object, dtype: str) -> Number:
    assert isinstance(value, bool | int | float)
    if dtype == "bool":
        return bool(value)
    return _to_float(value, dtype) if is_float(dtype) else wrap(int(value), dtype)
