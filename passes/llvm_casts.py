"""Conversions between dtypes at level 3, with NumPy's results and never LLVM's poison.

`fptosi` of a NaN or of a number out of range is poison in LLVM. NumPy gives there what the machine
does; here it is what x86 does, on every machine: the smallest integer of 32 or 64 bits, cut to
the width asked for. (Of uint32 NumPy's own value there depends on how it was compiled.)
"""

from __future__ import annotations

from xdsl.dialects import llvm
from xdsl.dialects.builtin import f64, i32, i64
from xdsl.ir import SSAValue

from tetractys.dialects import llvm_ext, types
from tetractys.dialects.signature import UNSIGNED, is_float
from tetractys.passes.llvm_builder import LLVMBuilder, element_of, llvm_type

_BITS = {"bool": 1, "index": 64, **{f"{sign}int{bits}": bits for sign in ("", "u")
                                    for bits in (8, 16, 32, 64)}}


def is_unsigned(dtype: str) -> bool:
    """Whether the bits of an integer are all magnitude; so with bool."""
    return dtype == "bool" or dtype in UNSIGNED


def convert(b: LLVMBuilder, value: SSAValue, source: str, target: str) -> SSAValue:
    """`value` of dtype `source` in dtype `target`, lanes kept."""
    if source == target:
        return value
    if target == "bool":
        return is_nonzero(b, value, source)
    if is_float(source):
        return _from_float(b, value, source, target)
    return _from_integer(b, value, source, target)


def is_nonzero(b: LLVMBuilder, value: SSAValue, dtype: str) -> SSAValue:
    """`value != 0` as i1; a NaN is not 0."""
    if dtype == "bool":
        return value
    zero = b.constant(0, value.type)
    return b.fcmp("une", value, zero) if is_float(dtype) else b.icmp("ne", value, zero)


def _from_integer(b: LLVMBuilder, value: SSAValue, source: str, target: str) -> SSAValue:
    element = llvm_type(types.element_type(target))
    unsigned = is_unsigned(source)
    if is_float(target):
        return b.convert(llvm_ext.UIToFPOp if unsigned else llvm.SIToFPOp, value, element)
    if _BITS[source] > _BITS[target]:
        return b.convert(llvm.TruncOp, value, element)
    return b.convert(llvm.ZExtOp if unsigned else llvm.SExtOp, value, element)


def _from_float(b: LLVMBuilder, value: SSAValue, source: str, target: str) -> SSAValue:
    element = llvm_type(types.element_type(target))
    if is_float(target):
        return b.convert(llvm.FPExtOp if target == "float64" else llvm.FPTruncOp, value, element)
    if target == "uint64":
        return _to_uint64(b, value)
    # As C compilers do on x86: narrow integers by way of 32 bits, uint32 by way of 64.
    through = 64 if _BITS[target] == 64 or target == "uint32" else 32
    return b.convert(llvm.TruncOp, _to_signed(b, value, through), element)


def _to_signed(b: LLVMBuilder, value: SSAValue, bits: int) -> SSAValue:
    """Truncated towards 0; the smallest integer for a NaN and out of range."""
    limit = 2.0 ** (bits - 1)
    if bits == 32 and element_of(value.type) == f64:  # numbers between -2**31 - 1 and -2**31 exist
        low = b.fcmp("ogt", value, b.constant(-limit - 1, value.type))
    else:
        low = b.fcmp("oge", value, b.constant(-limit, value.type))
    high = b.fcmp("olt", value, b.constant(limit, value.type))
    inside = b.emit(llvm.AndOp, (low, high), low.type)
    safe = b.select(inside, value, b.constant(0.0, value.type))
    converted = b.convert(llvm_ext.FPToSIOp, safe, i32 if bits == 32 else i64)
    return b.select(inside, converted, b.constant(-(2 ** (bits - 1)), converted.type))


def _to_uint64(b: LLVMBuilder, value: SSAValue) -> SSAValue:
    """By way of int64: what lies above its range is moved down by 2**63, and up again as bits."""
    half = b.constant(2.0**63, value.type)
    is_high = b.fcmp("oge", value, half)
    low = b.select(is_high, b.emit(llvm.FSubOp, (value, half), value.type), value)
    converted = _to_signed(b, low, 64)
    top = b.select(is_high, b.constant(-(2**63), converted.type), b.constant(0, converted.type))
    return b.emit(llvm.XOrOp, (converted, top), converted.type)
