"""The floating-point formats and the polynomials of `expand-math`, both precisions side by side.

The polynomials are minimax fits (Remez, in mpmath); coefficients stand in order of rising power and
are exact in their own format.

    exp:   e**r     = 1 + r + r**2 * Q(r)            on |r| <= ln(2) / 2
    expm1: e**r - 1 =     r + r**2 * Q(r)            on |r| <= ln(2) / 2
    log:   log((1 + s) / (1 - s)) = 2 s + s * z * P(z), z = s**2, for mantissas of [.707, 1.414)
"""

from __future__ import annotations

from typing import NamedTuple


class Format(NamedTuple):
    """A binary format, what range reduction in it needs, and its polynomials.

    mantissa: stored bits. bias: of the exponent. ln2: a high part whose products with every
    exponent are exact, and the rest. exp_underflow: where exp is below half the smallest subnormal.
    exp_overflow: a little beyond the last finite exp, in the last finite binary exponent's reach.
    expm1_low: from here down expm1 rounds to -1. tanh_high: from here up tanh rounds to 1.
    sigmoid_one: from here up `1 + exp(-x)` rounds to 1. tiny: below it expm1(x) rounds to x.
    half_root: bits of sqrt(1/2), the smallest reduced mantissa of log.
    """

    dtype: str
    integer: str
    mantissa: int
    bias: int
    ln2: tuple[float, float]
    exp_underflow: float
    exp_overflow: float
    expm1_low: float
    tanh_high: float
    sigmoid_one: float
    tiny: float
    smallest_normal: float
    half_root: int
    exp: tuple[float, ...]
    expm1: tuple[float, ...]
    log: tuple[float, ...]

    @property
    def magic(self) -> float:
        """Added to a small number, it leaves the nearest integer in the low bits of the sum."""
        return 1.5 * 2.0**self.mantissa


LOG2E = 1.4426950408889634

F64 = Format(
    dtype="float64",
    integer="int64",
    mantissa=52,
    bias=1023,
    ln2=(0.6931471805598903, 5.497923018708371e-14),
    exp_underflow=-745.14,
    exp_overflow=709.79,
    expm1_low=-40.0,
    tanh_high=19.1,
    sigmoid_one=40.0,
    tiny=2.0**-54,
    smallest_normal=2.0**-1022,
    half_root=0x3fe6a09e667f3bcd,
    exp=(
        0.5000000000000011, 0.1666666666666641, 0.04166666666652919, 0.008333333333495582,
        0.0013888888943922408, 0.00019841269504851887, 2.480149276297514e-05,
        2.7557587267612136e-06, 2.7630378577430063e-07, 2.4999988326709133e-08,
    ),
    expm1=(
        0.5, 0.16666666666666677, 0.041666666666666505, 0.008333333333321608,
        0.0013888888888962936, 0.00019841269886207948, 2.4801587171776555e-05,
        2.7557244104241475e-06, 2.7557402995772245e-07, 2.5109081369075363e-08,
        2.0875311430581478e-09,
    ),
    log=(
        0.6666666666666735, 0.399999999994111, 0.2857142874326078, 0.22222198476169772,
        0.181835697307102, 0.15313903469765353, 0.14797505566098587,
    ),
)

F32 = Format(
    dtype="float32",
    integer="int32",
    mantissa=23,
    bias=127,
    ln2=(0.693145751953125, 1.4286068203094173e-06),
    exp_underflow=-103.98,
    exp_overflow=88.73,
    expm1_low=-20.0,
    tanh_high=9.1,
    sigmoid_one=20.0,
    tiny=2.0**-25,
    smallest_normal=2.0**-126,
    half_root=0x3f3504f3,
    exp=(
        0.4999999403953552, 0.1666651964187622, 0.04166839271783829, 0.008368780836462975,
        0.0013814462581649423,
    ),
    expm1=(
        0.5, 0.1666666567325592, 0.04166635870933533, 0.008333389647305012,
        0.0013940720818936825, 0.0001984589034691453,
    ),
    log=(
        0.6666677594184875, 0.399774968624115, 0.298730731010437,
    ),
)

FORMATS = {"float64": F64, "float32": F32}
"""The format of each floating-point dtype."""
