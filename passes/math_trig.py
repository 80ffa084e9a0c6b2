"""sin, cos, tan and arctan in elementwise operations: one function each, float32 and float64.

sin and cos: x = n pi + r, |r| <= pi/2 (cos: x = (n + 1/2) pi - r), an odd polynomial in r, and the
sign (-1)**n by integer arithmetic. tan: x = n pi/2 + r, the quotient of two polynomials, upside
down for odd n. pi is cut into parts whose products with n are exact, without fused operations too
(Cody and Waite); float32 has three parts of all its bits, which need fused operations: without
them it is reduced in float64. Beyond `FAR` the parts do not suffice, and a function is called, if
any lane of a vector is that large.

arctan: 1, or what is left of x behind tan(pi/8) and 3 tan(pi/8), by the formula for differences.
"""

from __future__ import annotations

import math
from typing import TypeAlias

from xdsl.ir import SSAValue

from tetractys.passes import math_coefficients as known
from tetractys.passes.math_emitter import ScalarEmitter

Angle: TypeAlias = tuple[SSAValue, SSAValue]

FAR = {"float64": 2.0**23, "float32": 2.0**17}
"""Beyond this magnitude sin, cos and tan are calls: in float32 of the C library's, in float64 of
the runtime's (`far_angles`), as glibc's lose up to 17 bits next to multiples of pi/2. In float32 n
would be wrong too often before the products were."""


def _minus_parts(
    e: ScalarEmitter, n: SSAValue, x: SSAValue, parts: tuple[float, ...]
) -> SSAValue:
    """`x - n (parts)`, part by part, the largest first."""
    for part in parts:
        x = e.fma(n, e.number(-part), x)
    return x


def _minus_fused(e: ScalarEmitter, n: SSAValue, x: SSAValue, parts: tuple[float, ...]) -> Angle:
    """`x - n (parts)` as a number and what rounding it lost; the first product leaves it exact.

    The second part is positive, so that -0 stays -0.
    """
    first, second, third = parts
    exact = e.fma(n, e.number(-first), x)
    product = e.mul(n, e.number(second))
    r = e.sub(exact, product)
    lost = e.sub(e.sub(exact, r), product)
    lost = e.sub(lost, e.mul_low(n, e.number(second)))
    return r, e.fma(n, e.number(-third), lost)


def _reducing(e: ScalarEmitter) -> ScalarEmitter:
    """The emitter for multiples of pi: of float64 where products are not fused."""
    return e if e.fused else e.widened()


def _signed(e: ScalarEmitter, r: SSAValue, shifted: SSAValue) -> SSAValue:
    """A float with the sign of `(-1)**n r`; n stands in the low bits of `shifted`."""
    flip = e.shl(e.to_bits(shifted), e.format.bits - 1)
    return e.from_bits(e.bit_xor(e.to_bits(r), flip))


def _unless_far(e: ScalarEmitter, x: SSAValue, function: str, value: SSAValue) -> SSAValue:
    name = f"tt_{function}" if e.format.dtype == "float64" else f"{function}f"
    is_far = e.gt(e.abs(x), e.number(FAR[e.format.dtype]))
    return e.libm_where(name, is_far, x, value)


def _sine(e: ScalarEmitter, n: SSAValue, x: SSAValue, wide: ScalarEmitter) -> Angle:
    """`r = x - n pi`, rounded, and `r + r**3 P(r**2)`.

    The last part of pi, and what rounding lost at the second and in r**2, are added with the small
    terms.
    """
    argument = wide.convert(x)
    if e.format.dtype == "float64":
        first, second, third, last = (e.number(-part) for part in known.PI["float64"])
        exact = e.fma(n, first, argument)
        closer = e.fma(n, second, exact)
        r = angle = e.fma(n, third, closer)
        low = e.fma(n, last, e.fma(n, second, e.sub(exact, closer)))
    elif wide is e:
        r, low = _minus_fused(e, n, x, known.PI_FUSED)
        angle = r
    else:
        angle = _minus_parts(wide, n, argument, known.PI["float32"])
        r, low = e.convert(angle), None
    square = e.mul(r, r)
    tail = e.horner(square, known.SIN[e.format.dtype])
    if low is None:
        return angle, e.fma(e.mul(square, r), tail, r)
    low = e.mul(low, e.fma(square, e.number(-4 / math.pi**2), e.number(1.0)))  # cos(r), nearly
    if e.format.dtype == "float32":
        return angle, e.add(r, e.fma(e.mul(square, r), tail, low))
    factor = e.mul(r, tail)
    small = e.fma(square, factor, e.fma(e.mul_low(r, r), factor, low))
    return angle, e.add(r, small)


def _with_sign(
    e: ScalarEmitter, x: SSAValue, value: SSAValue, sign: SSAValue, function: str
) -> SSAValue:
    """The sign is put in last, because the sum makes +0 of a -0; nothing exceeds 1."""
    value = e.copysign(e.at_most(e.abs(value), 1.0), e.convert(sign))
    return _unless_far(e, x, function, value)


def sin(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`(-1)**n sin(r)` with `r = x - n pi`."""
    wide = _reducing(e)
    magic = wide.number(wide.format.magic)
    shifted = wide.fma(wide.convert(x), wide.number(1 / math.pi), magic)
    angle, value = _sine(e, wide.sub(shifted, magic), x, wide)
    return _with_sign(e, x, value, _signed(wide, angle, shifted), "sin")


def cos(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`-(-1)**n sin(r)` with `r = x - (n + 1/2) pi`."""
    wide = _reducing(e)
    magic = wide.number(wide.format.magic)
    quotient = wide.fma(wide.convert(x), wide.number(1 / math.pi), wide.number(-0.5))
    shifted = wide.add(quotient, magic)
    n = wide.add(wide.sub(shifted, magic), wide.number(0.5))
    angle, value = _sine(e, n, x, wide)
    return _with_sign(e, x, value, _signed(wide, wide.neg(angle), shifted), "cos")


def tan(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`s / c`, or `-c / s` for odd n, with `s = sin(r)`, `c = cos(r)` and `r = x - n pi/2`."""
    wide = _reducing(e)
    argument, magic = wide.convert(x), wide.number(wide.format.magic)
    shifted = wide.fma(argument, wide.number(2 / math.pi), magic)
    n = wide.sub(shifted, magic)
    parts = tuple(part / 2 for part in known.PI[e.format.dtype])
    if e.format.dtype == "float64":
        r, low = _minus_parts_and_rest(e, n, argument, parts)
        exact = e.switch(e.eq(x, e.number(0.0)), x, r)  # the sum made +0 of a -0
    elif wide is e:
        r, low = _minus_fused(e, n, x, tuple(part / 2 for part in known.PI_FUSED))
        exact = r
    else:
        exact = _minus_parts(wide, n, argument, parts)
        r = e.convert(exact)
        low = e.convert(wide.sub(exact, wide.convert(r)))
    square = e.mul(r, r)
    # What rounding c loses is taken from s instead: s / (c + lost) = (s - tan(r) lost) / c, nearly.
    curve = e.horner(square, (-0.5, *known.TAN_COS[e.format.dtype]))
    c = e.fma(square, curve, e.number(1.0))
    lost = e.fma(square, curve, e.sub(e.number(1.0), c))
    low = e.fma(e.mul(r, e.number(-1.2)), lost, low)
    s = e.add(r, e.fma(e.mul(square, r), e.horner(square, known.TAN_SIN[e.format.dtype]), low))
    parity = wide.bit_and(wide.to_bits(shifted), wide.integer(1))
    is_odd = wide.eq(parity, wide.integer(1))
    value = e.div(e.switch(is_odd, c, s), e.switch(is_odd, s, c))
    sign = e.convert(_signed(wide, exact, shifted))
    return _unless_far(e, x, "tan", e.copysign(value, sign))


def _minus_parts_and_rest(
    e: ScalarEmitter, n: SSAValue, x: SSAValue, parts: tuple[float, ...]
) -> tuple[SSAValue, SSAValue]:
    """`x - n (parts)` as a number and what rounding it lost."""
    first, second, third, fourth = (e.number(-part) for part in parts)
    exact = e.fma(n, first, x)
    closer = e.fma(n, second, exact)
    r = e.fma(n, third, closer)
    lost = e.fma(n, second, e.sub(exact, closer))
    lost = e.fma(n, fourth, e.add(lost, e.fma(n, third, e.sub(closer, r))))
    rounded = e.add(r, lost)
    return rounded, e.add(lost, e.sub(r, rounded))


def arctan(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`base + arctan(t)`, |t| <= tan(pi/8): base 0, pi/4 or pi/2, t = x, (x-1)/(x+1), -1/x."""
    zero, one = e.number(0.0), e.number(1.0)
    magnitude = e.abs(x)
    is_middle = e.gt(magnitude, e.number(math.tan(math.pi / 8)))
    is_high = e.gt(magnitude, e.number(math.tan(3 * math.pi / 8)))
    top = e.switch(is_middle, e.sub(magnitude, one), magnitude)
    bottom = e.switch(is_middle, e.add(magnitude, one), one)
    t = e.div(e.switch(is_high, e.number(-1.0), top), e.switch(is_high, magnitude, bottom))
    high, low = known.QUARTER_PI[e.format.dtype]

    def base(part: float) -> SSAValue:
        middle = e.switch(is_middle, e.number(part), zero)
        return e.switch(is_high, e.number(2 * part), middle)

    square = e.mul(t, t)
    tail = e.fma(e.mul(square, t), e.horner(square, known.ARCTAN[e.format.dtype]), base(low))
    return e.copysign(e.add(base(high), e.add(t, tail)), x)
