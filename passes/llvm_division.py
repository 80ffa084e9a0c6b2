"""Quotients, remainders and integer powers at level 3: NumPy's values, no trap, no library call.

Integers: by zero 0; the smallest one by -1 is itself, remainder 0; floor and the divisor's sign.
Floats: as NumPy's `floor_divide` and `remainder`, around an exact `fmod` made of fused
multiplications. `fmod` and powers are loops in blocks of their own: `builder.block` moves on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from xdsl.dialects import llvm
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, IntegerAttr, f64, i32, i64
from xdsl.ir import SSAValue

from tetractys.passes.llvm_builder import LLVMBuilder, element_of, lanes_of, vector_of

State = Sequence[SSAValue]


def _loop(
    b: LLVMBuilder,
    start: State,
    body: Callable[[State], State],
    goes_on: Callable[[State], SSAValue],
) -> State:
    """Do `body` as long as `goes_on` is true in any lane; the first time in any case."""

    def any_lane(state: State) -> SSAValue:
        condition = goes_on(state)
        return b.reduce_or(condition) if lanes_of(condition.type) else condition

    return b.repeat(start, body, any_lane)


def constant_integer(value: SSAValue) -> int | None:
    """The number of a constant, or of a constant's every lane; None if it is no such constant."""
    owner = value.owner
    if not isinstance(owner, llvm.ConstantOp):
        return None
    attribute = owner.value
    if isinstance(attribute, DenseIntOrFPElementsAttr) and attribute.is_splat():
        number = attribute.get_values()[0]
        return number if isinstance(number, int) else None
    return attribute.value.data if isinstance(attribute, IntegerAttr) else None


# Integers.

def integer_division(
    b: LLVMBuilder, x: SSAValue, y: SSAValue, *, unsigned: bool
) -> tuple[SSAValue, SSAValue]:
    """Floor of the quotient, and the remainder with the divisor's sign."""
    if unsigned:
        return _unsigned_division(b, x, y)
    known = constant_integer(y)
    zero, one = b.constant(0, x.type), b.constant(1, x.type)
    is_zero, is_minus = b.icmp("eq", y, zero), b.icmp("eq", y, b.constant(-1, x.type))
    unsafe = b.emit(llvm.OrOp, (is_zero, is_minus), is_zero.type)
    divisor = b.select(unsafe, one, y) if known in (None, 0, -1) else y
    quotient = b.binary(llvm.SDivOp, x, divisor)
    remainder = b.binary(llvm.SubOp, x, b.binary(llvm.MulOp, quotient, divisor))
    signs = b.icmp("slt", b.binary(llvm.XOrOp, remainder, divisor), zero)
    is_inexact = b.icmp("ne", remainder, zero)
    is_below = b.emit(llvm.AndOp, (signs, is_inexact), signs.type)
    quotient = b.select(is_below, b.binary(llvm.SubOp, quotient, one), quotient)
    remainder = b.select(is_below, b.binary(llvm.AddOp, remainder, divisor), remainder)
    if divisor is not y:
        quotient = b.select(is_minus, b.binary(llvm.SubOp, zero, x), quotient)
        quotient = b.select(is_zero, zero, quotient)
    return quotient, remainder


def _unsigned_division(b: LLVMBuilder, x: SSAValue, y: SSAValue) -> tuple[SSAValue, SSAValue]:
    zero = b.constant(0, x.type)
    if constant_integer(y) not in (None, 0):
        quotient = b.binary(llvm.UDivOp, x, y)
        return quotient, b.binary(llvm.SubOp, x, b.binary(llvm.MulOp, quotient, y))
    is_zero = b.icmp("eq", y, zero)
    divisor = b.select(is_zero, b.constant(1, x.type), y)
    quotient = b.binary(llvm.UDivOp, x, divisor)
    remainder = b.binary(llvm.SubOp, x, b.binary(llvm.MulOp, quotient, divisor))
    return b.select(is_zero, zero, quotient), remainder


def integer_power(
    b: LLVMBuilder, base: SSAValue, exponent: SSAValue, *, unsigned: bool
) -> SSAValue:
    """By squaring, modulo 2**width; a negative exponent gives 1, -1 or 0."""
    one = b.constant(1, base.type)
    known = constant_integer(exponent)
    if known is not None and (0 <= known <= 64):
        return _known_power(b, base, known)
    zero = b.constant(0, base.type)
    is_negative = None if unsigned else b.icmp("slt", exponent, zero)
    remaining = exponent if is_negative is None else b.select(is_negative, zero, exponent)

    def body(state: State) -> State:
        result, square, bits = state
        is_odd = b.icmp("ne", b.binary(llvm.AndOp, bits, one), zero)
        return (
            b.select(is_odd, b.binary(llvm.MulOp, result, square), result),
            b.binary(llvm.MulOp, square, square),
            b.binary(llvm.LShrOp, bits, one),
        )

    result = _loop(b, (one, base, remaining), body, lambda state: b.icmp("ne", state[2], zero))[0]
    if is_negative is None:
        return result
    minus = b.constant(-1, base.type)
    is_odd = b.icmp("ne", b.binary(llvm.AndOp, exponent, one), zero)
    of_minus = b.select(b.icmp("eq", base, minus), b.select(is_odd, minus, one), zero)
    truncated = b.select(b.icmp("eq", base, one), one, of_minus)
    return b.select(is_negative, truncated, result)


def _known_power(b: LLVMBuilder, base: SSAValue, exponent: int) -> SSAValue:
    result: SSAValue | None = None
    while exponent:
        if exponent & 1:
            result = base if result is None else b.binary(llvm.MulOp, result, base)
        exponent >>= 1
        if exponent:
            base = b.binary(llvm.MulOp, base, base)
    return b.constant(1, base.type) if result is None else result


# Floats.

def float_remainder(b: LLVMBuilder, x: SSAValue, y: SSAValue) -> SSAValue:
    """NumPy's `remainder`: the sign of y, 0 included; NaN of y = 0."""
    rest = _fmod(b, x, y)
    zero = b.constant(0.0, x.type)
    moved = b.select(_signs_differ(b, rest, y), b.binary(llvm.FAddOp, rest, y), rest)
    return b.select(b.fcmp("oeq", rest, zero), b.binary(llvm.FCopySignOp, zero, y), moved)


def float_floor_division(b: LLVMBuilder, x: SSAValue, y: SSAValue) -> SSAValue:
    """NumPy's `floor_divide`: the quotient less its exact remainder, rounded; x / y for y = 0."""
    zero, one = b.constant(0.0, x.type), b.constant(1.0, x.type)
    rest = _fmod(b, x, y)
    plain = b.binary(llvm.FDivOp, x, y)
    quotient = b.binary(llvm.FDivOp, b.binary(llvm.FSubOp, x, rest), y)
    lowered = b.binary(llvm.FSubOp, quotient, one)
    quotient = b.select(_signs_differ(b, rest, y), lowered, quotient)
    floor = b.emit(llvm.FFloorOp, (quotient,), x.type)
    is_high = b.fcmp("ogt", b.binary(llvm.FSubOp, quotient, floor), b.constant(0.5, x.type))
    floor = b.select(is_high, b.binary(llvm.FAddOp, floor, one), floor)
    signed_zero = b.binary(llvm.FCopySignOp, zero, plain)
    floor = b.select(b.fcmp("oeq", quotient, zero), signed_zero, floor)
    return b.select(b.fcmp("oeq", y, zero), plain, floor)


def _signs_differ(b: LLVMBuilder, rest: SSAValue, y: SSAValue) -> SSAValue:
    """Whether a remainder that is not 0 has the other sign than the divisor."""
    zero = b.constant(0.0, y.type)
    is_negative, is_positive = b.fcmp("olt", rest, zero), b.fcmp("ogt", rest, zero)
    y_negative, y_other = b.fcmp("olt", y, zero), b.fcmp("uge", y, zero)
    first = b.emit(llvm.AndOp, (is_negative, y_other), is_negative.type)
    second = b.emit(llvm.AndOp, (is_positive, y_negative), is_negative.type)
    return b.emit(llvm.OrOp, (first, second), first.type)


def _fmod(b: LLVMBuilder, x: SSAValue, y: SSAValue) -> SSAValue:
    """C's `fmod`, exact: the remainder of the truncated quotient, with the sign of x.

    While |x| >= |y|: x -= q s with s = |y| 2**k such that q = trunc(x / s) is an exact integer; the
    fused product makes the difference exact, and q one too large is mended. Once for any quotient
    below 2**50 (float32: 2**20). NaN and infinities end the loop, x / 0 is NaN by inf * 0.
    """
    type_ = x.type
    is_double = _is_double(x)
    far = b.constant(2.0**1000 if is_double else 2.0**100, type_)
    keep = b.constant(2.0**-50 if is_double else 2.0**-20, type_)
    zero, one = b.constant(0.0, type_), b.constant(1.0, type_)
    divisor = b.emit(llvm.FAbsOp, (y,), type_)

    def body(state: State) -> State:
        (rest,) = state
        scaled = divisor
        for _ in range(2):  # a quotient beyond the range of the format
            further = b.binary(llvm.FMulOp, scaled, far)
            scaled = b.select(b.fcmp("oge", rest, further), further, scaled)
        power = b.binary(llvm.FMulOp, _power_below(b, b.binary(llvm.FDivOp, rest, scaled)), keep)
        power = b.select(b.fcmp("olt", power, one), one, power)
        scaled = b.binary(llvm.FMulOp, scaled, power)
        whole = b.emit(llvm.FFloorOp, (b.binary(llvm.FDivOp, rest, scaled),), type_)
        # llvm.fma on every host: where it is a library call it is still right.
        rest = b.fma(b.emit(llvm.FNegOp, (whole,), type_), scaled, rest)
        mended = b.binary(llvm.FAddOp, rest, scaled)
        return (b.select(b.fcmp("olt", rest, zero), mended, rest),)

    start = b.emit(llvm.FAbsOp, (x,), type_)
    (rest,) = _loop(b, (start,), body, lambda state: b.fcmp("oge", state[0], divisor))
    # An infinite y: 0 * infinity came in between, but there was nothing to do.
    rest = b.select(b.fcmp("olt", start, divisor), start, rest)
    return b.binary(llvm.FCopySignOp, rest, x)


def _is_double(value: SSAValue) -> bool:
    return element_of(value.type) == f64


def _power_below(b: LLVMBuilder, value: SSAValue) -> SSAValue:
    """The power of 2 at or below a positive number: its exponent field alone."""
    is_double = _is_double(value)
    bits_type = vector_of(i64 if is_double else i32, lanes_of(value.type))
    bits = b.emit(llvm.BitcastOp, (value,), bits_type)
    mask = b.constant(0x7FF << 52 if is_double else 0xFF << 23, bits_type)
    return b.emit(llvm.BitcastOp, (b.binary(llvm.AndOp, bits, mask),), value.type)
