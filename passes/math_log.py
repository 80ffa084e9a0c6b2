"""log, log2, log10, log1p and softplus in elementwise operations, float32 and float64.

x = 2**-n m with m in [3/4, 3/2); f = m - 1; log(m) by a polynomial in s = f / (2 + f), put together
as in FreeBSD's msun so that the large terms cancel exactly. n is a float. What x <= 0, infinity and
NaN give is put in last.
"""

from __future__ import annotations

from xdsl.ir import SSAValue

from tetractys.passes import math_coefficients as coefficients
from tetractys.passes.math_emitter import ScalarEmitter
from tetractys.passes.math_exp import exp_nonpositive


def _series(e: ScalarEmitter, f: SSAValue) -> tuple[SSAValue, SSAValue, SSAValue]:
    """`f**2 / 2`, `s` and `c` with `log(1 + f) = f - (f**2 / 2 - s c)`."""
    s = e.div(f, e.add(f, e.number(2.0)))
    z = e.mul(s, s)
    polynomial = e.mul(z, e.horner(z, e.format.log))
    half_square = e.mul(e.mul(f, e.number(0.5)), f)
    return half_square, s, e.add(half_square, polynomial)


def _finish(e: ScalarEmitter, n: SSAValue, f: SSAValue) -> SSAValue:
    """`log(1 + f) - n ln 2`; -0 of n = 0 and f = -0. float32 needs no quotient."""
    high, low = (e.number(-part) for part in e.format.ln2)
    if e.format.dtype == "float32":
        tail = e.fma(f, e.horner(f, coefficients.LOG_TAIL), e.number(-0.5))
        rest = e.add(f, e.fma(e.mul(f, f), tail, e.mul(n, low)))
    else:
        half_square, s, c = _series(e, f)
        rest = e.sub(f, e.sub(half_square, e.fma(s, c, e.mul(n, low))))
    return e.fma(n, high, rest)


def reduced(
    e: ScalarEmitter, x: SSAValue, *, is_normal: bool = False
) -> tuple[SSAValue, SSAValue]:
    """`n` and `f` with `x = 2**-n (1 + f)`, f in [-1/4, 1/2), of any x > 0."""
    f = e.sub(e.mantissa(x, is_normal=is_normal), e.number(1.0))
    return e.minus_exponent(x, is_normal=is_normal), f


def log_normal(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`log(x)` of a positive normal x that is not infinite."""
    return _finish(e, *reduced(e, x, is_normal=True))


def log(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`log(x)` of any x."""
    return e.log_edges(_finish(e, *reduced(e, x)), x)


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
    """`log(1 + f) / ln 2 - n`: exact of powers of 2."""
    n, f = reduced(e, x)
    value = e.sub(_other_base(e, f, coefficients.LOG2E_PARTS[e.format.dtype]), n)
    return e.log_edges(value, x)


def log10(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`log(1 + f) / ln 10 - n log10(2)`."""
    n, f = reduced(e, x)
    high, low = (e.number(-part) for part in coefficients.LOG10_2[e.format.dtype])
    value = _other_base(e, f, coefficients.LOG10E_PARTS[e.format.dtype], e.mul(n, low))
    return e.log_edges(e.fma(n, high, value), x)


def log1p(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`log(1 + x)`: of the rounded sum only the exponent counts, f is made from x.

    `f = 2**n (1 + x) - 1 = 2**n x - (1 - 2**n)`, both exact, or x is so large that 1 says nothing.
    """
    one = e.number(1.0)
    u = e.add(x, one)
    n = e.minus_exponent(u, is_normal=True)
    f = e.sub(e.scale(x, n), e.sub(one, e.scale(one, n)))  # -0 of -0
    return e.log_edges(_finish(e, n, f), u)


def softplus(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`log(1 + exp(x))` as `max(x, 0) + log1p(exp(-|x|))`, whose argument is in [0, 1]."""
    small = exp_nonpositive(e, e.neg(e.abs(x)))
    positive = e.switch(e.gt(x, e.number(0.0)), x, e.number(0.0))
    return e.add(positive, _log1p_unit(e, small))


def _log1p_unit(e: ScalarEmitter, x: SSAValue) -> SSAValue:
    """`log(1 + x)` of x in [0, 1] (or NaN): n is 0 or -1, and nothing is special."""
    half = e.number(0.5)
    is_high = e.gt(x, half)
    f = e.switch(is_high, e.fma(x, half, e.number(-0.5)), x)
    return _finish(e, e.switch(is_high, e.number(-1.0), e.number(0.0)), f)
