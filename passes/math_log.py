"""log, log2, log10, log1p and softplus in elementwise operations, float32 and float64.

x = 2**k m with m in [sqrt(1/2), sqrt(2)); f = m - 1; log(m) by a polynomial in s = f / (2 + f),
put together as in FreeBSD's msun so that the large terms cancel exactly. k never becomes an integer
that must be converted: its bits are or-ed into a float's mantissa.
"""

from __future__ import annotations

import math

from xdsl.ir import SSAValue

from tetractys.passes import math_coefficients as coefficients
from tetractys.passes.math_emitter import ScalarEmitter
from tetractys.passes.math_exp import exp_nonpositive


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


def _series(e: ScalarEmitter, f: SSAValue) -> tuple[SSAValue, SSAValue, SSAValue]:
    """`f**2 / 2`, `s` and `c` with `log(1 + f) = f - (f**2 / 2 - s c)`."""
    s = e.div(f, e.add(f, e.number(2.0)))
    z = e.mul(s, s)
    polynomial = e.mul(z, e.horner(z, e.format.log))
    half_square = e.mul(e.mul(f, e.number(0.5)), f)
    return half_square, s, e.add(half_square, polynomial)


def _finish(e: ScalarEmitter, k: SSAValue, f: SSAValue) -> SSAValue:
    """`k ln 2 + log(1 + f)`."""
    high, low = e.format.ln2
    half_square, s, c = _series(e, f)
    inner = e.fma(s, c, e.mul(k, e.number(low)))
    rest = e.sub(f, e.sub(half_square, inner))
    return e.fma(k, e.number(high), rest)


def _special(e: ScalarEmitter, x: SSAValue, argument: SSAValue, value: SSAValue) -> SSAValue:
    """`value`, but infinity and NaN of themselves, -infinity where `argument` is 0, NaN below."""
    zero = e.number(0.0)
    value = e.switch(e.lt(x, e.number(math.inf)), value, x)
    at_zero = e.switch(e.eq(argument, zero), e.number(-math.inf), e.number(math.nan))
    return e.switch(e.gt(argument, zero), value, at_zero)


def reduced(
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


def log_normal(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`log(x)` of a positive normal x that is not infinite."""
    return _finish(e, *reduced(e, x, is_normal=True))


def log(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`log(x)` of any x."""
    return _special(e, x, x, _finish(e, *reduced(e, x)))


def _other_base(
    e: ScalarEmitter, f: SSAValue, factor: tuple[float, float], rest: SSAValue | None = None
) -> SSAValue:
    """`factor log(1 + f) + rest`: the logarithm in two parts, so that its product rounds once."""
    half_square, s, c = _series(e, f)
    less = e.fma(e.neg(s), c, half_square)
    large = e.sub(f, less)
    small = e.sub(e.sub(f, large), less)
    high, low = (e.number(part) for part in factor)
    tail = e.mul(large, low) if rest is None else e.fma(large, low, rest)
    return e.fma(large, high, e.fma(small, high, tail))


def log2(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`k + log(1 + f) / ln 2`: exact of powers of 2."""
    k, f = reduced(e, x)
    value = e.add(k, _other_base(e, f, coefficients.LOG2E_PARTS[e.format.dtype]))
    return _special(e, x, x, value)


def log10(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`k log10(2) + log(1 + f) / ln 10`."""
    k, f = reduced(e, x)
    high, low = coefficients.LOG10_2[e.format.dtype]
    value = _other_base(e, f, coefficients.LOG10E_PARTS[e.format.dtype], e.mul(k, e.number(low)))
    return _special(e, x, x, e.fma(k, e.number(high), value))


def log1p(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`log(1 + x)`: the log of the rounded sum u, with the sum's exact error c put back into f.

    c is scaled by 2**-k, or by 0 where that is subnormal: u is so large there that c says nothing.
    """
    fmt = e.format
    one = e.number(1.0)
    u = e.add(x, one)
    is_large = e.gt(x, one)
    larger, smaller = e.switch(is_large, x, one), e.switch(is_large, one, x)
    c = e.sub(smaller, e.sub(u, larger))
    exponent, m = _split(e, u)
    largest = e.integer(2 * fmt.bias)
    scale = e.from_bits(e.shl(e.sub(largest, e.minimum(exponent, largest)), fmt.mantissa))
    k = e.sub(_to_float(e, exponent), e.number(2.0**fmt.mantissa + fmt.bias))
    value = _finish(e, k, e.fma(c, scale, e.sub(m, one)))
    value = _special(e, x, u, value)
    return e.copysign(value, x)  # log1p(-0) is -0


def softplus(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`log(1 + exp(x))` as `max(x, 0) + log1p(exp(-|x|))`, whose argument is in [0, 1]."""
    small = exp_nonpositive(e, e.neg(e.abs(x)))
    positive = e.switch(e.gt(x, e.number(0.0)), x, e.number(0.0))
    return e.add(positive, _log1p_unit(e, small))


def _log1p_unit(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`log(1 + x)` of x in [0, 1] (or NaN): k is 0 or 1, and nothing is special."""
    one = e.number(1.0)
    u = e.add(x, one)
    c = e.sub(x, e.sub(u, one))
    is_high = e.gt(u, e.number(math.sqrt(2.0)))
    scale = e.switch(is_high, e.number(0.5), one)
    k = e.switch(is_high, one, e.number(0.0))
    f = e.fma(c, scale, e.fma(u, scale, e.number(-1.0)))
    return _finish(e, k, f)
