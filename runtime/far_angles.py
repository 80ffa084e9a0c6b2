"""sin, cos and tan of large doubles: `tt_sin`, `tt_cos`, `tt_tan`, which kernels call lane by lane.

The C library's lose bits of the numbers next to a multiple of pi/2 (glibc 2.36: up to 17 of them).
Here all of 2/pi that matters to x = m 2**e is multiplied by m (Payne and Hanek), in integers of 256
bits: two before the point, which say the quadrant, and 254 behind it. No double is nearer than
2**-62 to a multiple of pi/2, so that over 130 of them count. The rest, times pi/2, is a sum of two
doubles of at most pi/4, for whose sine and cosine the polynomials of `tan` do. Errors are below 1
ulp, of tan below 1.5.

LLVM IR for any processor: no fused operation, and no call of the C library.
"""

from __future__ import annotations

import struct
from functools import cache

from tetractys.runtime import cache as object_cache
from tetractys.runtime import jit

NAMES = ("tt_sin", "tt_cos", "tt_tan")

_WORDS = 21
"""Of 64 bits, of 2/pi, the lowest first; 2/pi lies below the highest."""
_BITS = 64 * (_WORDS - 1)

_SIN = (
    -0.1666666666666663, 0.008333333333321839, -0.00019841269829356622, 2.7557313537930895e-06,
    -2.5050734338706792e-08, 1.589543404565352e-10,
)
"""`TAN_SIN` of `expand-math`: sin(r) = r + r**3 P(r**2) on |r| <= pi/4."""
_COS = (
    0.041666666666666595, -0.0013888888888873344, 2.480158728900426e-05, -2.7557314217816707e-07,
    2.087570551349897e-09, -1.1358755640662254e-11,
)
"""`TAN_COS`: cos(r) = 1 - r**2 / 2 + r**4 P(r**2)."""

_REDUCED = """
%reduced = type { i64, double, double }
; The quadrant of |x| >= 2**23, and |x| less so many times pi/2 as two doubles.
define internal %reduced @reduced(double %x) {
  %bits = bitcast double %x to i64
  %exponent_bits = lshr i64 %bits, 52
  %exponent = and i64 %exponent_bits, 2047
  %fraction = and i64 %bits, 4503599627370495
  %m = or i64 %fraction, 4503599627370496
  ; |x| = m 2**(exponent - 1075): 2/pi shifted so that 254 bits are behind the point
  %shift = sub i64 FROM, %exponent
  %word = lshr i64 %shift, 6
  %place = getelementptr i64, ptr @two_over_pi, i64 %word
  %some = load i320, ptr %place, align 8
  %odd = and i64 %shift, 63
  %odd_wide = zext i64 %odd to i320
  %moved = lshr i320 %some, %odd_wide
  %window = trunc i320 %moved to i256
  %m_wide = zext i64 %m to i256
  %turns = mul i256 %window, %m_wide
  ; to the nearest quadrant, and what is left of it, signed
  %half = shl i256 1, 253
  %rounded = add i256 %turns, %half
  %quadrant_wide = lshr i256 %rounded, 254
  %quadrant = trunc i256 %quadrant_wide to i64
  %rest = shl i256 %turns, 2
  %is_negative = icmp slt i256 %rest, 0
  %minus = sub i256 0, %rest
  %size = select i1 %is_negative, i256 %minus, i256 %rest
  ; its 128 highest bits, times pi/2
  %zeros = call i256 @llvm.ctlz.i256(i256 %size, i1 false)
  %normal = shl i256 %size, %zeros
  %high_half = lshr i256 %normal, 128
  %product = mul i256 %high_half, HALF_PI
  %top_wide = lshr i256 %product, 192
  %top = trunc i256 %top_wide to i64
  %below_wide = lshr i256 %product, 128
  %below = trunc i256 %below_wide to i64
  %head = and i64 %top, -2048
  %tail = and i64 %top, 2047
  %head_number = uitofp i64 %head to double
  %tail_number = uitofp i64 %tail to double
  %below_number = uitofp i64 %below to double
  %tail_scaled = fmul double %tail_number, 0x43F0000000000000
  %low_number = fadd double %tail_scaled, %below_number
  ; 2**-63 or 2**-127, for the product's 255 bits, and 2**-zeros, with the sign
  %count = trunc i256 %zeros to i64
  %power_exponent = sub i64 960, %count
  %power_bits = shl i64 %power_exponent, 52
  %sign = select i1 %is_negative, i64 -9223372036854775808, i64 0
  %signed_bits = or i64 %power_bits, %sign
  %power = bitcast i64 %signed_bits to double
  %high = fmul double %head_number, %power
  %low_scaled = fmul double %low_number, 0x3BF0000000000000
  %low = fmul double %low_scaled, %power
  %r0 = insertvalue %reduced poison, i64 %quadrant, 0
  %r1 = insertvalue %reduced %r0, double %high, 1
  %r2 = insertvalue %reduced %r1, double %low, 2
  ret %reduced %r2
}
declare i256 @llvm.ctlz.i256(i256, i1)

%both = type { double, double, double, double, i64 }
; The sine and cosine of |x|, what rounding them lost, and the sign bit of x; NaN of an infinity.
define internal %both @both(double %x) {
  %angle = call %reduced @reduced(double %x)
  %quadrant = extractvalue %reduced %angle, 0
  %high = extractvalue %reduced %angle, 1
  %low = extractvalue %reduced %angle, 2
  %square = fmul double %high, %high
SIN_POLYNOMIAL
  %cube = fmul double %square, %high
  %sin_tail = fmul double %cube, %sin_value
COS_POLYNOMIAL
  %fourth = fmul double %square, %square
  %cos_tail = fmul double %fourth, %cos_value
  %half = fmul double %square, 0.5
  %near = fsub double 1.0, %half
  ; what rounding 1 - half lost, and what `low` does to both: its products with cos and -sin
  %back = fsub double 1.0, %near
  %lost = fsub double %back, %half
  %cross = fmul double %high, %low
  %cos_small = fadd double %cos_tail, %lost
  %cos_rest = fsub double %cos_small, %cross
  %cos = fadd double %near, %cos_rest
  %cos_gap = fsub double %near, %cos
  %cos_lost = fadd double %cos_gap, %cos_rest
  %slope = fmul double %low, %near
  %sin_rest = fadd double %sin_tail, %slope
  %sin = fadd double %high, %sin_rest
  %sin_gap = fsub double %high, %sin
  %sin_lost = fadd double %sin_gap, %sin_rest
  ; by the quadrant
  %odd = and i64 %quadrant, 1
  %is_odd = icmp ne i64 %odd, 0
  %s = select i1 %is_odd, double %cos, double %sin
  %c = select i1 %is_odd, double %sin, double %cos
  %s_place = and i64 %quadrant, 2
  %s_sign = shl i64 %s_place, 62
  %next = add i64 %quadrant, 1
  %c_place = and i64 %next, 2
  %c_sign = shl i64 %c_place, 62
  %s_bits = bitcast double 1.0 to i64
  %s_flipped = xor i64 %s_bits, %s_sign
  %s_one = bitcast i64 %s_flipped to double
  %c_flipped = xor i64 %s_bits, %c_sign
  %c_one = bitcast i64 %c_flipped to double
  %s_value = fmul double %s, %s_one
  %c_value = fmul double %c, %c_one
  %s_lost_size = select i1 %is_odd, double %cos_lost, double %sin_lost
  %c_lost_size = select i1 %is_odd, double %sin_lost, double %cos_lost
  %s_lost = fmul double %s_lost_size, %s_one
  %c_lost = fmul double %c_lost_size, %c_one
  ; x - x: 0 of a number, NaN of an infinity and of NaN
  %nothing = fsub double %x, %x
  %s_checked = fadd double %s_value, %nothing
  %c_checked = fadd double %c_value, %nothing
  %bits = bitcast double %x to i64
  %sign = and i64 %bits, -9223372036854775808
  %r0 = insertvalue %both poison, double %s_checked, 0
  %r1 = insertvalue %both %r0, double %c_checked, 1
  %r2 = insertvalue %both %r1, double %s_lost, 2
  %r3 = insertvalue %both %r2, double %c_lost, 3
  %r4 = insertvalue %both %r3, i64 %sign, 4
  ret %both %r4
}

define double @tt_cos(double %x) {
  %found = call %both @both(double %x)
  %value = extractvalue %both %found, 1
  ret double %value
}

define double @tt_sin(double %x) {
  %found = call %both @both(double %x)
  %value = extractvalue %both %found, 0
  %sign = extractvalue %both %found, 4
  %bits = bitcast double %value to i64
  %flipped = xor i64 %bits, %sign
  %signed = bitcast i64 %flipped to double
  ret double %signed
}

define double @tt_tan(double %x) {
  %found = call %both @both(double %x)
  %s = extractvalue %both %found, 0
  %c = extractvalue %both %found, 1
  %sign = extractvalue %both %found, 4
  %s_lost = extractvalue %both %found, 2
  %c_lost = extractvalue %both %found, 3
  %quotient = fdiv double %s, %c
  ; (s + s_lost) / (c + c_lost), nearly
  %less = fmul double %quotient, %c_lost
  %more = fsub double %s_lost, %less
  %rest = fdiv double %more, %c
  %value = fadd double %quotient, %rest
  %bits = bitcast double %value to i64
  %flipped = xor i64 %bits, %sign
  %signed = bitcast i64 %flipped to double
  ret double %signed
}
"""


def text() -> str:
    """The functions' LLVM IR."""
    pi = _pi(_BITS + 64)
    two_over_pi = (1 << 2 * _BITS + 65) // pi
    words = ", ".join(f"i64 {_signed(two_over_pi >> 64 * k)}" for k in range(_WORDS))
    return f"@two_over_pi = internal constant [{_WORDS} x i64] [{words}]\n" + (
        _REDUCED.replace("FROM", str(_BITS - 254 + 1075))
        .replace("HALF_PI", str(pi >> _BITS + 64 - 126))
        .replace("SIN_POLYNOMIAL", _polynomial("sin", _SIN))
        .replace("COS_POLYNOMIAL", _polynomial("cos", _COS))
    )


def _pi(bits: int) -> int:
    """`floor(pi 2**bits)`, by Machin's formula."""

    def arctan_of_inverse(n: int) -> int:
        power, total, k = (1 << bits + 32) // n, 0, 1
        while power:
            total += power // k if k % 4 == 1 else -(power // k)
            power //= n * n
            k += 2
        return total

    return 4 * (4 * arctan_of_inverse(5) - arctan_of_inverse(239)) >> 32


def _signed(word: int) -> int:
    word &= (1 << 64) - 1
    return word - (1 << 64) if word >> 63 else word


def _polynomial(name: str, coefficients: tuple[float, ...]) -> str:
    """Horner's rule in %square, its value in %<name>_value."""
    *rest, value = (_exact(number) for number in coefficients)
    lines = []
    for k, number in enumerate(reversed(rest)):
        result = f"%{name}_value" if k == len(rest) - 1 else f"%{name}_{k}"
        lines.append(f"  %{name}_product_{k} = fmul double {value}, %square")
        lines.append(f"  {result} = fadd double %{name}_product_{k}, {number}")
        value = result
    return "\n".join(lines)


def _exact(number: float) -> str:
    """A double as LLVM reads it without rounding."""
    return f"0x{struct.unpack('<Q', struct.pack('<d', number))[0]:016X}"


@cache
def load() -> jit.Code:
    """The functions' code, from the object cache if it is there."""
    source = text()
    return object_cache.load_or_make(
        object_cache.key("far angles", source),
        NAMES,
        lambda: jit.compile_text(source, opt=0, baseline=True),  # 22 ms, else 32
    )


def address(name: str) -> int:
    """The address of one of `NAMES`."""
    return load()[name]
