"""pow in elementwise operations, float32 and float64.

|x|**y = exp(y log|x|). In float64 the logarithm and the product are pairs of numbers, the second
what rounding the first lost: the exponent may be 700, and its error is the result's relative one.
Of log((1+s) / (1-s)) = 2 s + 2/3 s**3 + s**5 P(s**2) only the last term is rounded to one number.
float32 is computed in float64, where one number suffices.

The special cases are C's, and NumPy's: 1 to any power and anything to the power of 0 are 1, NaN
too; a negative number to a power that is no integer is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

from xdsl.ir import SSAValue

from tetractys.dialects import elemwise
from tetractys.passes import math_coefficients as known
from tetractys.passes.math_emitter import ScalarEmitter
from tetractys.passes.math_exp import exp_of_sum

Pair: TypeAlias = tuple[SSAValue, SSAValue]
"""A sum of two numbers, the second at most half a unit in the last place of the first."""

_ENOUGH = 2.0**66
"""A greater exponent gives what this one gives: any |x| but 1 overflows or underflows."""


def _product(e: ScalarEmitter, a: Pair, b: Pair) -> Pair:
    high = e.mul(a[0], b[0])
    low = e.fma(a[0], b[1], e.fma(a[1], b[0], e.mul_low(a[0], b[0])))
    return high, low


def _sum(e: ScalarEmitter, a: Pair, b: Pair) -> Pair:
    """The first must be larger, or 0."""
    high = e.add(a[0], b[0])
    return high, e.add(e.add(e.sub(a[0], high), b[0]), e.add(a[1], b[1]))


def _split(e: ScalarEmitter, x: SSAValue) -> tuple[SSAValue, SSAValue]:
    """The biased exponent `k + bias` as an integer, and `m`, of a positive normal x."""
    fmt = e.format
    # Moves the mantissa sqrt(1/2) to where the exponent field steps.
    moved = e.add(e.to_bits(x), e.integer((fmt.bias << fmt.mantissa) - fmt.half_root))
    fraction = e.bit_and(moved, e.integer((1 << fmt.mantissa) - 1))
    m = e.from_bits(e.add(fraction, e.integer(fmt.half_root)))
    return e.shr(moved, fmt.mantissa), m


def _to_float(e: ScalarEmitter, exponent: SSAValue) -> SSAValue:
    """`2**mantissa + exponent`, exactly, of a small non-negative integer."""
    fmt = e.format
    big = e.integer(fmt.bias + fmt.mantissa << fmt.mantissa)
    return e.from_bits(e.bit_or(exponent, big))


def _reduced(
    e: ScalarEmitter, x: SSAValue, *, is_normal: bool = False
) -> tuple[SSAValue, SSAValue]:
    """`k` and `f` with `x = 2**k (1 + f)`, of any x > 0; a subnormal one is scaled up first."""
    fmt = e.format
    if is_normal:
        exponent, m = _split(e, x)
        k = e.sub(_to_float(e, exponent), e.number(2.0**fmt.mantissa + fmt.bias))
        return k, e.sub(m, e.number(1.0))
    is_subnormal = e.lt(x, e.number(fmt.smallest_normal))
    shift = fmt.mantissa + 2
    normal = e.switch(is_subnormal, e.mul(x, e.number(2.0**shift)), x)
    offset = 2.0**fmt.mantissa + fmt.bias
    exponent, m = _split(e, normal)
    subtrahend = e.switch(is_subnormal, e.number(offset + shift), e.number(offset))
    k = e.sub(_to_float(e, exponent), subtrahend)
    return k, e.sub(m, e.number(1.0))


def _quotient(e: ScalarEmitter, f: SSAValue) -> Pair:
    """`s = f / (2 + f)`."""
    two = e.number(2.0)
    bottom = e.add(f, two)
    lost = e.sub(f, e.sub(bottom, two))
    reciprocal = e.div(e.number(1.0), bottom)
    s = e.mul(f, reciprocal)
    rest = e.sub(e.sub(f, e.mul(s, bottom)), e.mul_low(s, bottom))
    return s, e.mul(e.fma(e.neg(s), lost, rest), reciprocal)


def _log(e: ScalarEmitter, x: SSAValue) -> Pair:
    """`log(x)` of x > 0 to 68 bits."""
    k, f = _reduced(e, x)
    s = _quotient(e, f)
    square = _product(e, s, s)
    tail = e.mul(square[0], e.two_chains(square[0], known.POW_LOG))
    constant, low = (e.number(part) for part in known.TWO_THIRDS)
    factor = e.add(constant, tail)
    factor = factor, e.add(e.add(e.sub(constant, factor), tail), low)
    cube = _product(e, s, _product(e, square, factor))
    twice = e.add(s[0], s[0]), e.add(s[1], s[1])
    high, low = e.format.ln2
    whole = e.mul(k, e.number(high)), e.mul(k, e.number(low))
    return _sum(e, whole, _sum(e, twice, cube))


def _bounded(e: ScalarEmitter, y: SSAValue) -> SSAValue:
    return e.at_least(e.at_most(y, _ENOUGH), -_ENOUGH)


def _power64(e: ScalarEmitter, x: SSAValue, y: SSAValue) -> SSAValue:
    """`x**y` of x > 0."""
    exponent = _bounded(e, y)
    high, low = _log(e, x)
    product = e.mul(exponent, high)
    return exp_of_sum(e, product, e.fma(exponent, low, e.mul_low(exponent, high)))


def _power32(e: ScalarEmitter, x: SSAValue, y: SSAValue) -> SSAValue:
    """`2**(y log2(x))` of x > 0, all in float64."""
    wide = e.widened()
    k, f = _reduced(wide, wide.convert(x), is_normal=True)
    logarithm = wide.fma(f, wide.two_chains(f, known.POWF_LOG2), k)
    product = wide.mul(wide.convert(_bounded(e, y)), logarithm)
    product = wide.mul(wide.convert(_bounded(e, y)), logarithm)
    product = wide.at_least(wide.at_most(product, 200.0), -200.0)
    magic = wide.number(wide.format.magic + wide.format.bias)
    shifted = wide.add(product, magic)
    r = wide.sub(product, wide.sub(shifted, magic))
    power = wide.from_bits(wide.shl(wide.to_bits(shifted), wide.format.mantissa))
    mantissa = wide.fma(r, wide.two_chains(r, known.POWF_EXP2), wide.number(1.0))
    return e.convert(wide.mul(mantissa, power))


def pow(e: ScalarEmitter, x: SSAValue, y: SSAValue) -> SSAValue:
    """`x**y` of any x and y; a known y decides its cases now."""
    exponent = _known(y)
    if (short := _SHORT.get(exponent)) is not None:
        return short(e, x)
    zero, one, infinity = e.number(0.0), e.number(1.0), e.number(math.inf)
    magnitude = e.abs(x)
    power = _power64 if e.format.dtype == "float64" else _power32
    value = power(e, magnitude, y)
    # 0 and infinity, to either side of 1.
    is_down = e.lt(y, zero) if exponent is None else exponent < 0
    of_zero, of_infinity = _choose(e, is_down, infinity, zero), _choose(e, is_down, zero, infinity)
    value = e.switch(e.eq(magnitude, zero), of_zero, value)
    # Negative numbers: an odd power keeps the sign, a broken one of a finite number is NaN.
    is_whole, is_even = _parity(e, y)
    broken = _choose(e, is_whole, value, e.number(math.nan))
    value = e.switch(e.lt(x, zero), broken, value)
    value = e.switch(e.eq(magnitude, infinity), of_infinity, value)
    signed = _choose(e, is_even, value, e.copysign(value, x))
    value = _choose(e, is_whole, signed, value)
    value = e.switch(e.eq(x, x), value, x)
    if exponent is not None:
        return value
    value = e.switch(e.eq(y, y), value, y)
    return e.switch(e.eq(x, one), one, e.switch(e.eq(y, zero), one, value))


def _known(y: SSAValue) -> float | None:
    """The number of a constant that is neither 0 nor NaN nor infinite."""
    if not isinstance(y.owner, elemwise.ConstantOp):
        return None
    number = float(y.owner.number)
    return number if math.isfinite(number) and number != 0 else None


def _choose(
    e: ScalarEmitter, condition: SSAValue | bool, a: SSAValue, b: SSAValue
) -> SSAValue:
    if isinstance(condition, bool):
        return a if condition else b
    return e.switch(condition, a, b)


def _parity(e: ScalarEmitter, y: SSAValue) -> tuple[SSAValue | bool, SSAValue | bool]:
    """Whether y is a whole number, and an even one."""
    if (number := _known(y)) is not None:
        return number % 1 == 0, number % 2 == 0
    half = e.mul(y, e.number(0.5))
    return e.eq(e.round(y), y), e.eq(e.round(half), half)


def _root(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`x**0.5`: the root, but 0 of -0 and infinity of -infinity."""
    root = e.add(e.sqrt(x), e.number(0.0))
    return e.switch(e.eq(x, e.number(-math.inf)), e.number(math.inf), root)


def _fourth(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    square = e.mul(x, x)
    return e.mul(square, square)


_SHORT: dict[float | None, Callable[[ScalarEmitter, SSAValue], SSAValue]] = {
    0.5: _root,
    -0.5: lambda e, x: e.div(e.number(1.0), _root(e, x)),
    3.0: lambda e, x: e.mul(e.mul(x, x), x),
    4.0: _fourth,
}
"""Known exponents for which a few roundings give the same accuracy (2 and -1 are canonicalised)."""
