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
from tetractys.passes.math_log import reduced

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


def _quotient(e: ScalarEmitter, f: SSAValue) -> Pair:
    """`s = f / (2 + f)`."""
    two = e.number(2.0)
    bottom = e.add(f, two)
    lost = e.sub(f, e.sub(bottom, two))
    reciprocal = e.div(e.number(1.0), bottom)
    s = e.mul(f, reciprocal)
    rest = e.sub(e.sub(f, e.mul(s, bottom)), e.mul_low(s, bottom))
    return s, e.mul(e.fma(e.neg(s), lost, rest), reciprocal)


def _square(e: ScalarEmitter, a: Pair) -> Pair:
    high = e.mul(a[0], a[0])
    return high, e.fma(e.add(a[0], a[0]), a[1], e.mul_low(a[0], a[0]))


def _log(e: ScalarEmitter, x: SSAValue) -> Pair:
    """`log(x)` of x >= 0 to 68 bits; of 0 and infinity the first number is infinite."""
    n, f = reduced(e, x)
    s = _quotient(e, f)
    square = _square(e, s)
    tail = e.mul(square[0], e.two_chains(square[0], known.POW_LOG))
    constant, low = (e.number(part) for part in known.TWO_THIRDS)
    factor = e.add(constant, tail)
    factor = factor, e.add(e.add(e.sub(constant, factor), tail), low)
    cube = _product(e, s, _product(e, square, factor))
    twice = e.add(s[0], s[0]), e.add(s[1], s[1])
    high, low = (e.number(-part) for part in e.format.ln2)
    whole = e.mul(n, high), e.mul(n, low)
    high, low = _sum(e, whole, _sum(e, twice, cube))
    return e.log_edges(high, x), low


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
    argument = wide.convert(x)
    n, f = reduced(wide, argument, is_normal=True)
    logarithm = wide.fma(f, wide.two_chains(f, known.POWF_LOG2), wide.neg(n))
    logarithm = wide.log_edges(logarithm, argument)
    product = wide.mul(wide.convert(_bounded(e, y)), logarithm)
    product = wide.at_least(wide.at_most(product, 200.0), -200.0)
    magic = wide.number(wide.format.magic + wide.format.bias)
    shifted = wide.add(product, magic)
    r = wide.sub(product, wide.sub(shifted, magic))
    power = wide.from_bits(wide.shl(wide.to_bits(shifted), wide.format.mantissa))
    mantissa = wide.fma(r, wide.two_chains(r, known.POWF_EXP2), wide.number(1.0))
    return e.convert(wide.mul(mantissa, power))


def pow(e: ScalarEmitter, x: SSAValue, y: SSAValue) -> SSAValue:
    """`x**y` of any x and y; a known y decides its cases now.

    Powers of 0 and infinity come out of a logarithm that is infinite, those of NaN out of NaN.
    """
    exponent = _known(y)
    if (short := _SHORT.get(exponent)) is not None:
        return short(e, x)
    zero, one = e.number(0.0), e.number(1.0)
    power = _power64 if e.format.dtype == "float64" else _power32
    value = power(e, e.abs(x), y)
    # Negative numbers: an odd power keeps the sign, a broken one of a finite number is NaN.
    is_odd, is_whole = _parity(e, y)
    value = _choose(e, is_odd, e.copysign(value, x), value)
    if is_whole is not True:
        is_negative = e.bit_and(e.lt(x, zero), e.gt(x, e.number(-math.inf)))
        broken = _choose(e, is_whole, value, e.number(math.nan))
        value = e.switch(is_negative, broken, value)
    if exponent is not None:
        return value
    return e.switch(e.bit_or(e.eq(x, one), e.eq(y, zero)), one, value)


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
    """Whether y is an odd number, and whether it is a whole one, as infinite ones are."""
    if (number := _known(y)) is not None:
        return number % 2 == 1, number % 1 == 0
    y = _bounded(e, y)
    half = e.floor(e.mul(y, e.number(0.5)))
    rest = e.fma(half, e.number(-2.0), y)
    is_odd = e.eq(rest, e.number(1.0))
    return is_odd, e.bit_or(is_odd, e.eq(rest, e.number(0.0)))


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
