"""exp, expm1, tanh, sigmoid, sinh, cosh in elementwise operations, float32 and float64.

All begin with x = n ln 2 + r, |r| <= ln(2) / 2 (Cody and Waite; n by adding a number so large that
its last bit is worth 1) and a polynomial in r. The power 2**n then enters by integer arithmetic on
exponent fields. Every select keeps a NaN: comparisons with one are false.
"""

from __future__ import annotations

import math

from xdsl.ir import SSAValue

from tetractys.passes import math_coefficients as coefficients
from tetractys.passes.math_coefficients import LOG2E
from tetractys.passes.math_emitter import ScalarEmitter

_BIAS = 64
"""Powers 2**(n + 64) or 2**(n - 64) are normal where 2**n is not; a last product takes it back."""


def _nearest(e: ScalarEmitter, x: SSAValue, offset: int) -> tuple[SSAValue, SSAValue]:
    """n, and a float in whose low bits stands `n + offset`."""
    magic = e.number(e.format.magic + offset)
    shifted = e.fma(x, e.number(LOG2E), magic)
    return e.sub(shifted, magic), shifted


def _reduce(e: ScalarEmitter, x: SSAValue, offset: int) -> tuple[SSAValue, SSAValue]:
    """`r`, and a float in whose low bits stands the integer `n + offset`."""
    n, shifted = _nearest(e, x, offset)
    return _rest(e, x, n), shifted


def _rest(e: ScalarEmitter, x: SSAValue, n: SSAValue) -> SSAValue:
    """`x - n ln 2`."""
    high, low = e.format.ln2
    return e.fma(n, e.number(-low), e.fma(n, e.number(-high), x))


def _reduce_power(e: ScalarEmitter, x: SSAValue, offset: int) -> tuple[SSAValue, SSAValue]:
    """`r` and `2**(n + offset)`, a normal number: with the bias added, n is its exponent field."""
    r, shifted = _reduce(e, x, e.format.bias + offset)
    return r, e.from_bits(e.shl(e.to_bits(shifted), e.format.mantissa))


def _exp_mantissa(e: ScalarEmitter, r: SSAValue) -> SSAValue:
    """`exp(r)` by its polynomial."""
    one = e.number(1.0)
    tail = e.fma(e.horner(r, e.format.exp), r, one)
    return e.fma(tail, r, one)


def _without_underflow(
    e: ScalarEmitter, x: SSAValue, argument: SSAValue
) -> tuple[SSAValue, SSAValue]:
    """Whether exp(x) rounds to 0, and `argument`, but 0 where it does.

    The result is put in by a select: a product that rounds to 0 costs a microcode assist, some 150
    cycles, where a softmax with masked places has many of them.
    """
    zero = e.number(0.0)
    underflow = e.lt(x, e.number(e.format.exp_underflow))
    return underflow, e.switch(underflow, zero, argument)


def exp(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`exp(x)` of any x.

    The power is split in two normal factors, so that overflow is an infinity and a subnormal result
    is rounded once.
    """
    if e.scales:
        return _exp_scaled(e, x, e.at_most(x, e.format.exp_overflow))
    underflow, argument = _without_underflow(e, x, x)
    r, shifted = _reduce(e, e.at_most(argument, e.format.exp_overflow), 0)
    return e.switch(underflow, e.number(0.0), _scaled(e, _exp_mantissa(e, r), shifted))


def _exp_scaled(e: ScalarEmitter, x: SSAValue, argument: SSAValue) -> SSAValue:
    """`exp(argument)`, but 0 where exp(x) rounds to it.

    The scaling is masked there, so that it costs nothing; what comes before may be anything.
    """
    n, _ = _nearest(e, argument, 0)
    value = e.scale(_exp_mantissa(e, _rest(e, argument, n)), n)
    underflow = e.lt(x, e.number(e.format.exp_underflow))
    return e.switch(underflow, e.number(0.0), value)


def exp_of_sum(
    e: ScalarEmitter, high: SSAValue, low: SSAValue, factor: SSAValue | None = None
) -> SSAValue:
    """`factor exp(high + low)` of a small `low`; `factor` is in the order of 1, or left out."""
    fmt = e.format
    underflow, argument = _without_underflow(e, high, high)
    n, shifted = _nearest(e, argument, 0)
    ln2_high, ln2_low = fmt.ln2
    r = e.fma(n, e.number(-ln2_high), argument)
    r = e.add(r, e.fma(n, e.number(-ln2_low), low))
    tail = e.fma(e.mul(r, r), e.horner(r, fmt.exp), r)
    factor = factor or e.number(1.0)
    mantissa = e.fma(factor, tail, factor)
    value = e.scale(mantissa, n) if e.scales else _scaled(e, mantissa, shifted)
    overflow = e.gt(high, e.number(fmt.exp_overflow))
    value = e.switch(overflow, e.number(math.inf), value)
    return e.switch(underflow, e.number(0.0), value)


def _scaled(e: ScalarEmitter, mantissa: SSAValue, shifted: SSAValue) -> SSAValue:
    """`mantissa 2**n` in two steps; n stands in the low bits of `shifted`."""
    fmt = e.format
    magic_bits = (fmt.bias + fmt.mantissa << fmt.mantissa) + (1 << fmt.mantissa - 1)
    both = e.sub(e.to_bits(shifted), e.integer(magic_bits - 2 * fmt.bias))
    first = e.shr(both, 1)
    second = e.sub(both, first)
    value = e.mul(mantissa, e.from_bits(e.shl(first, fmt.mantissa)))
    return e.mul(value, e.from_bits(e.shl(second, fmt.mantissa)))


def exp_nonpositive(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`exp(x)` of an x that is known to be <= 0 (or NaN): no overflow, so one power suffices."""
    if e.scales:
        return _exp_scaled(e, x, x)
    underflow, argument = _without_underflow(e, x, x)
    r, power = _reduce_power(e, argument, _BIAS)
    scaled = e.mul(_exp_mantissa(e, r), power)
    return e.switch(underflow, e.number(0.0), e.mul(scaled, e.number(2.0**-_BIAS)))


def sigmoid(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`1 / (1 + exp(-x))` as `2**-64 / (2**-64 + 2**-64 exp(-x))`, whose terms never overflow.

    The sum is `power + (power (exp(r) - 1) + 2**-64)`: exp(-x) itself is never rounded.
    """
    fmt = e.format
    underflow, minus = _without_underflow(e, x, e.neg(x))
    r, power = _reduce_power(e, e.at_least(minus, -fmt.sigmoid_one), -_BIAS)
    tail = e.fma(e.horner(r, fmt.exp), r, e.number(1.0))
    one = e.number(2.0**-_BIAS)
    value = e.div(one, e.add(power, e.fma(power, e.mul(tail, r), one)))
    return e.switch(underflow, e.number(0.0), value)


def expm1(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`exp(x) - 1 = 2**n exp(r) - 1`.

    Computed halved and doubled, because 2**n overflows before the result does, as
    `power r + (power - 1/2)` and `power r**2 Q(r)`: adding the large term last but one saves half
    an ulp. A tiny x is its own result; that keeps subnormals and -0.
    """
    fmt = e.format
    clamped = e.at_least(e.at_most(x, fmt.exp_overflow), fmt.expm1_low)
    r, power = _reduce_power(e, clamped, -1)
    large = e.fma(power, r, e.sub(power, e.number(0.5)))
    half = e.fma(e.mul(e.mul(r, r), power), e.horner(r, fmt.expm1), large)
    is_tiny = e.lt(e.abs(x), e.number(fmt.tiny))
    return e.switch(is_tiny, x, e.add(half, half))


def tanh(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`t / (t + 2)` with `t = expm1(2 |x|)`, and the sign of x.

    2 |x| = n ln 2 + 2 h is never formed: h is what is left of |x|, and 2**(n + 1) h is 2**n 2 h.
    """
    fmt = e.format
    magnitude = e.at_most(e.abs(x), fmt.tanh_high)
    magic = e.number(fmt.magic + fmt.bias + 1)
    shifted = e.fma(magnitude, e.number(2 * LOG2E), magic)
    high, low = fmt.ln2
    n = e.sub(shifted, magic)
    h = e.fma(n, e.number(-low / 2), e.fma(n, e.number(-high / 2), magnitude))
    twice = e.from_bits(e.shl(e.to_bits(shifted), fmt.mantissa))
    base = e.fma(twice, e.number(0.5), e.number(-1.0))
    large = e.fma(twice, h, base)
    lost = e.fma(twice, h, e.sub(base, large))  # what rounding `large` lost, exactly
    tail = e.horner(h, [c * 2.0 ** (k + 1) for k, c in enumerate(fmt.expm1)])
    t = e.add(large, e.fma(e.mul(e.mul(h, h), twice), tail, lost))
    return e.copysign(e.div(t, e.add(t, e.number(2.0))), x)


def _half_powers(e: ScalarEmitter, x: SSAValue) -> tuple[SSAValue, SSAValue, SSAValue]:
    """`r`, `A + B` and `A - B` of |x| = n ln 2 + r, with A = 2**(n-2) and B = 2**(-n-2).

    Beyond n = 64 B is too small to count, and stays 2**-66: its exponent field must not wrap.
    """
    fmt = e.format
    magnitude = e.at_most(e.abs(x), coefficients.COSH_HIGH[fmt.dtype])
    r, power = _reduce_power(e, magnitude, -2)
    largest = e.integer(64 + fmt.bias << fmt.mantissa)
    bits = e.minimum(e.to_bits(power), largest)
    inverse = e.from_bits(e.sub(e.integer(2 * fmt.bias - 4 << fmt.mantissa), bits))
    return r, e.add(power, inverse), e.sub(power, inverse)


def sinh(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`(A + B) sinh(r) + (A - B) cosh(r)`, doubled, with the sign of x.

    The largest terms are `(A - B) + (A + B) r`; what rounding their sum loses is put back.
    """
    r, total, base = _half_powers(e, x)
    square = e.mul(r, r)
    large = e.fma(total, r, base)
    lost = e.fma(total, r, e.sub(base, large))
    odd = e.mul(e.mul(total, r), e.horner(square, coefficients.SINH[e.format.dtype]))
    both = e.fma(base, e.horner(square, coefficients.COSH[e.format.dtype]), odd)
    half = e.add(large, e.fma(square, both, lost))
    is_tiny = e.lt(e.abs(x), e.number(e.format.tiny))
    return e.switch(is_tiny, x, e.copysign(e.add(half, half), x))


def cosh(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`(A + B) cosh(r) + (A - B) sinh(r)`, doubled."""
    r, total, base = _half_powers(e, x)
    square = e.mul(r, r)
    large = e.fma(base, r, total)
    lost = e.fma(base, r, e.sub(total, large))
    odd = e.mul(e.mul(base, r), e.horner(square, coefficients.SINH[e.format.dtype]))
    both = e.fma(total, e.horner(square, coefficients.COSH[e.format.dtype]), odd)
    half = e.add(large, e.fma(square, both, lost))
    return e.add(half, half)
