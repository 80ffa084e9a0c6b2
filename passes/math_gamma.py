"""gammaln, psi and tri_gamma in elementwise operations; float32 is computed in float64.

Of a = |x|: Stirling's series in 1/z for z = a, or z = a + 7 where a < 7; then the recurrence takes
back what (a + 1) .. (a + 6) put in, which is a cubic in u = a (a + 7). Negative numbers are
reflected: the sine and cosine of pi a come from a's distance to an integer, which is exact.

Near the zeros of gammaln at 1 and 2 its polynomial keeps the relative error; near the other zeros
(negative ones; psi: 1.4616.. and negative ones) the error is some 1e-15 in absolute terms.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from xdsl.ir import SSAValue

from tetractys.passes import math_coefficients as known
from tetractys.passes.math_emitter import ScalarEmitter
from tetractys.passes.math_log import log, log_normal

_SHIFT = 7.0
_HUGE = 1e306
"""gammaln overflows long before."""
_TINY = 1e-290
"""Below, gammaln(x) rounds to -log|x|."""
_NEAR = 0.3


class _Shifted(NamedTuple):
    """a = |x|, whether it is small, z, 1/z, and u = a (a + 7)."""

    a: SSAValue
    is_small: SSAValue
    z: SSAValue
    inverse: SSAValue
    u: SSAValue


def _shifted(e: ScalarEmitter, a: SSAValue) -> _Shifted:
    shift = e.number(_SHIFT)
    moved = e.add(a, shift)
    is_small = e.lt(a, shift)
    z = e.switch(is_small, moved, a)
    return _Shifted(a, is_small, z, e.div(e.number(1.0), z), e.mul(a, moved))


def _series(e: ScalarEmitter, s: _Shifted, coefficients: tuple[float, ...]) -> SSAValue:
    return e.horner(e.mul(s.inverse, s.inverse), coefficients)


def _fraction(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`x` less the nearest integer, exactly."""
    return e.sub(x, e.round(x))


def _sine_of_pi(e: ScalarEmitter, u: SSAValue) -> SSAValue:
    """`sin(pi u)` of |u| <= 1/2."""
    return e.mul(u, e.two_chains(e.mul(u, u), known.SIN_PI))


def _cosine_of_pi(e: ScalarEmitter, u: SSAValue) -> SSAValue:
    return _sine_of_pi(e, e.sub(e.number(0.5), e.abs(u)))


def gammaln(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`S - log W`, S by Stirling's series; of negative x its negative, with another W."""
    wide = e.widened()
    return e.convert(_gammaln(wide, wide.convert(x)))


def _gammaln(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    zero, one = e.number(0.0), e.number(1.0)
    s = _shifted(e, e.at_most(e.abs(x), _HUGE))
    is_negative, is_tiny = e.lt(x, zero), e.lt(e.abs(x), e.number(_TINY))
    constant = e.number(0.5 * math.log(2 * math.pi) - 0.5)
    tail = e.fma(_series(e, s, known.STIRLING), s.inverse, constant)
    logarithm = e.sub(log_normal(e, s.z), one)
    large = e.fma(e.sub(s.z, e.number(0.5)), logarithm, tail)
    large = e.switch(is_tiny, zero, large)
    product = e.horner(s.u, (720.0, 252.0, 28.0, 1.0))
    positive = e.switch(s.is_small, e.mul(s.a, product), one)
    sine = e.abs(_sine_of_pi(e, _fraction(e, x)))
    top = e.mul(e.number(math.pi), e.switch(s.is_small, product, one))
    bottom = e.switch(s.is_small, sine, e.mul(s.a, sine))
    inside = e.switch(is_negative, e.div(top, bottom), positive)
    inside = e.switch(is_tiny, e.abs(x), inside)
    # Near 1 and 2: gammaln(2 + u) = gammaln(1 + u) + log(1 + u), with 1 + u exact.
    below = e.sub(x, one)
    is_upper = e.gt(x, e.number(1.5))
    u = e.switch(is_upper, e.sub(below, one), below)
    is_near = e.lt(e.abs(u), e.number(_NEAR))
    inside = e.switch(is_near, e.switch(is_upper, below, one), inside)
    rest = log(e, inside)
    near = e.fma(u, e.two_chains(u, known.GAMMALN_NEAR_1), rest)
    value = e.sub(large, rest)
    reflected = e.switch(e.eq(sine, zero), e.number(math.inf), e.neg(value))
    reflected = e.switch(is_tiny, value, reflected)
    value = e.switch(is_negative, reflected, value)
    value = e.switch(e.eq(x, e.number(-math.inf)), x, value)  # SciPy's
    return e.switch(is_near, near, value)


def psi(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`log z - 1 / (2 z) - ..`, less the recurrence; negative x: plus `pi cot(pi a) + 1 / a`."""
    wide = e.widened()
    return e.convert(_psi(wide, wide.convert(x)))


def _psi(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    zero = e.number(0.0)
    s = _shifted(e, e.abs(x))
    square = e.mul(s.inverse, s.inverse)
    tail = e.fma(s.inverse, e.number(0.5), e.mul(square, _series(e, s, known.DIGAMMA)))
    large = e.sub(log_normal(e, s.z), tail)
    large = e.switch(s.is_small, e.sub(large, _recurrence(e, s)[0]), large)
    fraction = _fraction(e, x)
    cotangent = e.div(e.mul(e.number(math.pi), _cosine_of_pi(e, fraction)),
                      _sine_of_pi(e, fraction))
    cotangent = e.switch(e.eq(fraction, zero), e.number(math.nan), e.neg(cotangent))
    minus_inverse = e.div(e.number(-1.0), x)
    positive = e.switch(s.is_small, minus_inverse, zero)
    negative = e.add(cotangent, e.switch(s.is_small, zero, minus_inverse))
    value = e.add(large, e.switch(e.lt(x, zero), negative, positive))
    return e.switch(e.eq(x, e.number(math.inf)), x, value)


def _recurrence(e: ScalarEmitter, s: _Shifted) -> tuple[SSAValue, SSAValue]:
    """The sums of `1 / (a + k)` and of `1 / (a + k)**2` for k from 1 to 6.

    They are f' / f and (f' / f)**2 - f'' / f of the product f, a cubic in u, with u' = 2 a + 7.
    """
    slope = e.fma(s.a, e.number(2.0), e.number(_SHIFT))
    inverse = e.div(e.number(1.0), e.horner(s.u, (720.0, 252.0, 28.0, 1.0)))
    first = e.horner(s.u, (252.0, 56.0, 3.0))
    ratio = e.mul(e.mul(first, slope), inverse)
    second = e.horner(s.u, (56.0, 6.0))
    second = e.fma(e.mul(second, slope), slope, e.add(first, first))
    return ratio, e.fma(ratio, ratio, e.neg(e.mul(second, inverse)))


def tri_gamma(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`1 / z + 1 / (2 z**2) + ..`, plus the recurrence; x < 0: `(pi / sin(pi a))**2` less that."""
    wide = e.widened()
    return e.convert(_tri_gamma(wide, wide.convert(x)))


def _tri_gamma(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    zero = e.number(0.0)
    s = _shifted(e, e.abs(x))
    square = e.mul(s.inverse, s.inverse)
    tail = e.fma(s.inverse, _series(e, s, known.TRIGAMMA), e.number(0.5))
    large = e.fma(square, tail, s.inverse)
    large = e.switch(s.is_small, e.add(large, _recurrence(e, s)[1]), large)
    inverse = e.div(e.number(1.0), x)
    positive = e.switch(s.is_small, e.fma(inverse, inverse, large), large)
    sine = _sine_of_pi(e, _fraction(e, x))
    cosecant = e.div(e.number(math.pi), sine)
    reflected = e.switch(s.is_small, large, e.fma(e.neg(inverse), inverse, large))
    negative = e.fma(cosecant, cosecant, e.neg(reflected))
    return e.switch(e.lt(x, zero), negative, positive)
