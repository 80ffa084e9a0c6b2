"""Powers of 2 in LLVM instructions: `scale`, `mantissa`, `minus_exponent` and `log_edges`.

AVX-512 has an instruction for each, of vectors of 512 bits. Everything else takes numbers apart by
their bits, with the same result: these operations are exact, or rounded once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from xdsl.dialects import llvm
from xdsl.dialects.builtin import i32
from xdsl.ir import SSAValue

from tetractys.passes.llvm_builder import LLVMBuilder, itemsize, lanes_of, vector_of
from tetractys.passes.llvm_types import element_of, integer
from tetractys.passes.math_coefficients import FORMATS

if TYPE_CHECKING:
    from tetractys.passes.llvm_scalars import Site

_BYTES = 64
"""Of a register of AVX-512."""
_FROM_THREE_QUARTERS = 3
"""For `getmant`: mantissas of [3/4, 3/2), and the number's sign."""
_EDGES = 0x03530421
"""For `fixupimm`, a digit for each kind of number, the lowest first: a quiet NaN stays (1), a
signalling one becomes quiet (2), 0 gives -infinity (4), 1 the value (0), -infinity NaN (3),
infinity itself (5), negative numbers NaN, positive ones the value."""


def scale(site: Site) -> SSAValue:
    """`x 2**n`: in two steps, of which only the second is rounded. Both powers are normal."""
    b, (x, n), fmt = site.b, site.operands, FORMATS[site.dtype]
    if _has_instructions(site):
        return _by_registers(site, "scalef", [x, n])
    shifted = _bits(site, b.binary(llvm.FAddOp, n, site.constant(fmt.magic)))
    magic = (fmt.bias + fmt.mantissa << fmt.mantissa) + (1 << fmt.mantissa - 1)
    both = b.binary(llvm.SubOp, shifted, _integer(site, magic - 2 * fmt.bias))
    first = b.binary(llvm.LShrOp, both, _integer(site, 1))
    for half in (first, b.binary(llvm.SubOp, both, first)):
        power = b.binary(llvm.ShlOp, half, _integer(site, fmt.mantissa))
        x = b.binary(llvm.FMulOp, x, b.emit(llvm.BitcastOp, (power,), site.type))
    return x


def mantissa(site: Site) -> SSAValue:
    """The bits below the exponent's, and those of 1, or of 1/2 from 3/2 on."""
    b, (x,), fmt = site.b, site.operands, FORMATS[site.dtype]
    if _has_instructions(site):
        return _by_registers(site, "getmant", [x])
    fraction = b.binary(llvm.AndOp, _moved(site, x)[0], _integer(site, (1 << fmt.mantissa) - 1))
    bits = b.binary(llvm.AddOp, fraction, _integer(site, _three_quarters(site)))
    return b.emit(llvm.BitcastOp, (bits,), site.type)


def minus_exponent(site: Site) -> SSAValue:
    """By the exponent's bits in the mantissa of a large number, taken from that number."""
    b, (x,), fmt = site.b, site.operands, FORMATS[site.dtype]
    if _has_instructions(site):
        own = _by_registers(site, "getexp", [mantissa(site)])
        return b.binary(llvm.FSubOp, own, _by_registers(site, "getexp", [x]))
    moved, is_subnormal = _moved(site, x)
    bits = b.binary(llvm.LShrOp, moved, _integer(site, fmt.mantissa))
    large = _integer(site, fmt.bias + fmt.mantissa << fmt.mantissa)
    number = b.emit(llvm.BitcastOp, (b.binary(llvm.OrOp, bits, large),), site.type)
    offset = 2.0**fmt.mantissa + fmt.bias
    taken = site.constant(offset)
    if is_subnormal is not None:
        taken = b.select(is_subnormal, site.constant(offset + fmt.mantissa + 2), taken)
    return b.binary(llvm.FSubOp, taken, number)


def log_edges(site: Site) -> SSAValue:
    """`value`, but what a logarithm gives where `x` is not a positive finite number."""
    b, (value, x) = site.b, site.operands
    if _has_instructions(site):
        return _by_registers(site, "fixupimm", [value, x])
    zero = site.constant(0.0)
    # The processor's own NaN, whose sign is set, to the bit.
    bits = _integer(site, -(1 << FORMATS[site.dtype].mantissa - 1))
    nan = b.emit(llvm.BitcastOp, (bits,), site.type)
    below = b.select(b.fcmp("oeq", x, zero), site.constant(-math.inf), nan)
    value = b.select(b.fcmp("olt", x, site.constant(math.inf)), value, x)
    return b.select(b.fcmp("ole", x, zero), below, value)


def _moved(site: Site, x: SSAValue) -> tuple[SSAValue, SSAValue | None]:
    """The bits of x, moved so that the exponent's step at 3/2; of a subnormal number those of a
    multiple, and where that is so.
    """
    b, fmt = site.b, FORMATS[site.dtype]
    is_subnormal = None
    if not site.is_set("normal"):
        is_subnormal = b.fcmp("olt", x, site.constant(fmt.smallest_normal))
        larger = b.binary(llvm.FMulOp, x, site.constant(2.0 ** (fmt.mantissa + 2)))
        x = b.select(is_subnormal, larger, x)
    one = fmt.bias << fmt.mantissa
    step = _integer(site, one - _three_quarters(site))
    return b.binary(llvm.AddOp, _bits(site, x), step), is_subnormal


def _three_quarters(site: Site) -> int:
    """The bits of 3/4."""
    fmt = FORMATS[site.dtype]
    return (fmt.bias - 1 << fmt.mantissa) + (1 << fmt.mantissa - 1)


def _bits(site: Site, x: SSAValue) -> SSAValue:
    width = FORMATS[site.dtype].bits
    return site.b.emit(llvm.BitcastOp, (x,), vector_of(integer(width), site.lanes))


def _integer(site: Site, number: int) -> SSAValue:
    width = FORMATS[site.dtype].bits
    return site.b.constant(number, vector_of(integer(width), site.lanes))


# AVX-512.


def _has_instructions(site: Site) -> bool:
    """Whether the machine has them, and the vectors fill its registers."""
    return site.scales and site.lanes > 0 and site.lanes * FORMATS[site.dtype].bits % 512 == 0


def _by_registers(site: Site, name: str, operands: Sequence[SSAValue]) -> SSAValue:
    """The instruction `name` on each register's part of the operands."""
    b, element = site.b, element_of(site.type)
    width = _BYTES // itemsize(element)
    call = _INSTRUCTIONS[name]
    suffix = "ps" if width == 16 else "pd"

    def one(given: Sequence[SSAValue]) -> SSAValue:
        type_ = given[0].type
        every = b.constant(-1, integer(width))
        rounding = b.constant(4, i32)  # as the processor is set
        arguments = [*call(b, given), every, rounding]
        return b.intrinsic_named(f"llvm.x86.avx512.mask.{name}.{suffix}.512", arguments, type_)

    if site.lanes == width:
        return one(operands)
    parts = []
    for start in range(0, site.lanes, width):
        lanes = range(start, start + width)
        parts.append(one([b.shuffle(operand, operand, lanes) for operand in operands]))
    while len(parts) > 1:
        size = 2 * lanes_of(parts[0].type)
        parts = [b.shuffle(low, high, range(size)) for low, high in zip(parts[::2], parts[1::2])]
    return parts[0]


def _zeros(b: LLVMBuilder, like: SSAValue) -> SSAValue:
    return b.constant(0.0, like.type)


def _edges(b: LLVMBuilder, given: Sequence[SSAValue]) -> list[SSAValue]:
    value, x = given
    width = 8 * itemsize(element_of(x.type))
    table = b.constant(_EDGES, vector_of(integer(width), _BYTES * 8 // width))
    return [value, x, table, b.constant(0, i32)]


_INSTRUCTIONS: dict[str, Callable[[LLVMBuilder, Sequence[SSAValue]], list[SSAValue]]] = {
    "scalef": lambda b, given: [*given, _zeros(b, given[0])],
    "getexp": lambda b, given: [*given, _zeros(b, given[0])],
    "getmant": lambda b, given: [
        *given, b.constant(_FROM_THREE_QUARTERS, i32), _zeros(b, given[0])
    ],
    "fixupimm": _edges,
}  # fmt: skip
"""What an instruction's intrinsic is given, but for the mask and the rounding."""
