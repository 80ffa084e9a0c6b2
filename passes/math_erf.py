"""erf and erfc in elementwise operations: one function each, float32 and float64.

erf: an odd polynomial near 0, else 1 - exp(P(|x|)). erfc of x >= 0: exp(-x**2) Q(t) / (x + 3) with
t = (x - 3) / (x + 3), which takes [0, infinity] to [-1, 1]; x**2 in two parts, because its error is
the result's relative one. erfc(-x) = 2 - erfc(x).
"""

from __future__ import annotations

from xdsl.ir import SSAValue

from tetractys.passes import math_coefficients as known
from tetractys.passes.math_emitter import ScalarEmitter
from tetractys.passes.math_exp import exp_nonpositive, exp_of_sum

_LOW = {"float64": 1.0, "float32": 0.92}
_ONE = {"float64": 5.95, "float32": 4.0}
"""From here up erf rounds to 1."""
_CENTRE = 3.0
_ZERO = {"float64": 28.0, "float32": 12.0}
"""From here up erfc rounds to 0."""


def erf(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`x P(x**2)` or `1 - exp(P(|x|))`, with the sign of x."""
    dtype = e.format.dtype
    square = e.mul(x, x)
    low = e.mul(x, e.horner(square, known.ERF_LOW[dtype]))
    magnitude = e.at_most(e.abs(x), _ONE[dtype])
    rest = exp_nonpositive(e, e.two_chains(magnitude, known.ERF_HIGH[dtype]))
    high = e.sub(e.number(1.0), rest)
    is_high = e.gt(e.abs(x), e.number(_LOW[dtype]))
    return e.copysign(e.switch(is_high, high, low), x)


def erfc(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`exp(-x**2) Q(t) / (x + 3)`, or 2 less that; float32 in float64."""
    wide = e.widened()
    argument = wide.convert(x)
    magnitude = wide.at_most(wide.abs(argument), _ZERO[e.format.dtype])
    scaled = _erfc64 if e.format.dtype == "float64" else _erfc32
    value = scaled(wide, magnitude)
    is_negative = wide.lt(argument, wide.number(0.0))
    return e.convert(wide.switch(is_negative, wide.sub(wide.number(2.0), value), value))


def _erfc32(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    bottom = e.add(x, e.number(_CENTRE))
    t = e.sub(e.number(1.0), e.div(e.number(2 * _CENTRE), bottom))
    factor = e.div(e.two_chains(t, known.ERFC["float32"]), bottom)
    return e.mul(exp_nonpositive(e, e.neg(e.mul(x, x))), factor)


def _erfc64(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """What rounding x + 3, t, Q and Q / (x + 3) loses goes into the exponent, by rough slopes."""
    centre = e.number(_CENTRE)
    bottom = e.add(x, centre)
    lost = e.sub(x, e.sub(bottom, centre))
    difference = e.sub(bottom, e.number(2 * _CENTRE))
    t = e.div(difference, bottom)
    constant, slope, *rest = known.ERFC["float64"]
    highest, second, first = e.horner(t, rest), e.number(slope), e.number(constant)
    higher = e.fma(highest, t, second)
    top = e.fma(higher, t, first)
    factor = e.div(top, bottom)
    remainder = e.fma(e.neg(factor), bottom, top)
    rounded = e.fma(highest, t, e.sub(second, higher))
    rounded = e.fma(rounded, t, e.fma(higher, t, e.sub(first, top)))
    remainder = e.add(remainder, rounded)
    low = e.fma(lost, e.horner(t, known.ERFC_SLOPE), e.neg(e.mul_low(x, x)))
    low = e.fma(e.fma(e.neg(t), bottom, difference), e.horner(t, known.ERFC_STEEPNESS), low)
    low = e.fma(remainder, e.horner(t, known.ERFC_INVERSE), low)
    return exp_of_sum(e, e.neg(e.mul(x, x)), low, factor)
