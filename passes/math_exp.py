"""exp, expm1, tanh and sigmoid in elementwise operations: one function each, float32 and float64.

All begin with x = n ln 2 + r, |r| <= ln(2) / 2 (Cody and Waite; n by adding a number so large that
its last bit is worth 1) and a polynomial in r. The power 2**n then enters by integer arithmetic on
exponent fields. Every select keeps a NaN: comparisons with one are false.
"""

from __future__ import annotations

from xdsl.ir import SSAValue

from tetractys.passes.math_coefficients import LOG2E
from tetractys.passes.math_emitter import ScalarEmitter

_BIAS = 64
"""Powers 2**(n + 64) or 2**(n - 64) are normal where 2**n is not; a last product takes it back."""


def _reduce(e: ScalarEmitter, x: SSAValue, offset: int) -> tuple[SSAValue, SSAValue]:
    """`r`, and a float in whose low bits stands the integer `n + offset`."""
    high, low = e.format.ln2
    magic = e.number(e.format.magic + offset)
    shifted = e.fma(x, e.number(LOG2E), magic)
    n = e.sub(shifted, magic)
    r = e.fma(n, e.number(-high), x)
    return e.fma(n, e.number(-low), r), shifted


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
    fmt = e.format
    underflow, argument = _without_underflow(e, x, x)
    r, shifted = _reduce(e, e.at_most(argument, fmt.exp_overflow), 0)
    magic_bits = (fmt.bias + fmt.mantissa << fmt.mantissa) + (1 << fmt.mantissa - 1)
    both = e.sub(e.to_bits(shifted), e.integer(magic_bits - 2 * fmt.bias))
    first = e.shr(both, 1)
    second = e.sub(both, first)
    value = e.mul(_exp_mantissa(e, r), e.from_bits(e.shl(first, fmt.mantissa)))
    value = e.mul(value, e.from_bits(e.shl(second, fmt.mantissa)))
    return e.switch(underflow, e.number(0.0), value)


def exp_nonpositive(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`exp(x)` of an x that is known to be <= 0 (or NaN): no overflow, so one power suffices."""
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


def _expm1_parts(
    e: ScalarEmitter, r: SSAValue, power: SSAValue, unit: float
) -> tuple[SSAValue, SSAValue, SSAValue]:
    """`power * exp(r) - unit` as `power r + (power - unit)`, the large term, and `power r**2 Q(r)`.

    Adding the large term last but one saves half an ulp against `power * p + ...`.
    Also given: `power - unit`.
    """
    base = e.sub(power, e.number(unit))
    small = e.mul(e.mul(r, r), power)
    return e.fma(power, r, base), small, base


def expm1(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`exp(x) - 1 = 2**n exp(r) - 1`.

    Computed halved and doubled, because 2**n overflows before the result does. A tiny x is its own
    result; that keeps subnormals and -0.
    """
    fmt = e.format
    clamped = e.at_least(e.at_most(x, fmt.exp_overflow), fmt.expm1_low)
    r, power = _reduce_power(e, clamped, -1)
    large, square, _ = _expm1_parts(e, r, power, 0.5)
    half = e.fma(square, e.horner(r, fmt.expm1), large)
    is_tiny = e.lt(e.abs(x), e.number(fmt.tiny))
    return e.switch(is_tiny, x, e.add(half, half))


def tanh(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`t / (t + 2)` with `t = expm1(2 |x|)`, and the sign of x."""
    magnitude = e.at_most(e.abs(x), e.format.tanh_high)
    r, power = _reduce_power(e, e.add(magnitude, magnitude), 0)
    large, square, base = _expm1_parts(e, r, power, 1.0)
    lost = e.fma(power, r, e.sub(base, large))  # what rounding `large` lost, exactly
    t = e.add(large, e.fma(square, e.horner(r, e.format.expm1), lost))
    return e.copysign(e.div(t, e.add(t, e.number(2.0))), x)
