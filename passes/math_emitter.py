"""The emitter of `expand-math`: builds elemwise operations before an anchor, at its location.

Values may be scalars or vectors of one width; the type of the operand at hand decides. Constants go
to the top of the block, one for each value and type.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from copy import copy
from functools import cache, lru_cache
from typing import NamedTuple, cast

from xdsl.dialects.builtin import LocationAttr, VectorType
from xdsl.ir import Attribute, Block, Operation, SSAValue

from tetractys.dialects import elemwise, types
from tetractys.dialects import elemwise_signatures as signatures
from tetractys.dialects.build import SignatureOp, properties_of
from tetractys.passes.math_coefficients import FORMATS, Format


class TypeFamily(NamedTuple):
    """The types of one computation: its floats, integers of the same width, and truth values."""

    real: Attribute
    integer: Attribute
    boolean: Attribute
    format: Format


@cache
def type_family(type_: Attribute) -> TypeFamily:
    """The family of a scalar or vector type of float32 or float64."""
    format_ = FORMATS[types.dtype_of(type_)]
    found = [type_]
    for dtype in (format_.integer, "bool"):
        element = types.element_type(dtype)
        is_vector = isinstance(type_, VectorType)
        found.append(VectorType(element, type_.get_shape()) if is_vector else element)
    return TypeFamily(found[0], found[1], found[2], format_)


@lru_cache(maxsize=1024)
def _constant_properties(number: float, dtype: str, bits: bytes) -> dict[str, Attribute]:
    """Interned; `bits` keeps 0.0 and -0.0 apart."""
    return properties_of(signatures.CONSTANT, {"value": number, "dtype": dtype})


@cache
def _bitcast_properties(dtype: str) -> dict[str, Attribute]:
    return properties_of(signatures.BITCAST, {"dtype": dtype})


@cache
def _cast_properties(dtype: str) -> dict[str, Attribute]:
    return properties_of(signatures.CAST, {"dtype": dtype})


_NORMAL = properties_of(signatures.MANTISSA, {"normal": True})


class ScalarEmitter:
    """Emits into one block; `at` moves it to the operation that is being replaced."""

    def __init__(self, block: Block, *, scales: bool = False, fused: bool = True) -> None:
        """scales: whether `scale` is one instruction. fused: whether `fma` is."""
        self.block = block
        self.scales = scales
        self.fused = fused
        self._constants: dict[tuple[bytes, Attribute], SSAValue] = {}
        self._last: list[Operation] = []

    def at(self, anchor: Operation, type_: Attribute) -> None:
        """Emits before `anchor`, with its location, in the family of the float type `type_`."""
        self._anchor = anchor
        self._location: LocationAttr = anchor.location
        self.family = type_family(type_)
        self.format = self.family.format

    # Constants.

    def number(self, value: float) -> SSAValue:
        """A floating-point constant, rounded to the format."""
        code = "<d" if self.format.dtype == "float64" else "<f"
        bits = struct.pack(code, value)
        rounded = struct.unpack(code, bits)[0]
        return self._constant(rounded, bits, self.format.dtype, self.family.real)

    def integer(self, value: int) -> SSAValue:
        """An integer constant of the format's width."""
        bits = value.to_bytes(8, "little", signed=True)
        return self._constant(value, bits, self.format.integer, self.family.integer)

    def _constant(self, value: float, bits: bytes, dtype: str, type_: Attribute) -> SSAValue:
        found = self._constants.get((bits, type_))
        if found is not None:
            return found
        op = elemwise.ConstantOp.create(
            result_types=[type_],
            properties=_constant_properties(value, dtype, bits),
            location=self._location,
        )
        if self._last:
            self.block.insert_op_after(op, self._last.pop())
        else:
            self.block.insert_op_before(op, cast(Operation, self.block.first_op))
        self._last.append(op)
        self._constants[bits, type_] = op.results[0]
        return op.results[0]

    # Operations: one method each.

    def _emit(
        self,
        class_: type[SignatureOp],
        operands: Sequence[SSAValue],
        type_: Attribute,
        properties: dict[str, Attribute] | None = None,
    ) -> SSAValue:
        op = class_.create(
            operands=operands,
            result_types=[type_],
            properties=properties or {},
            location=self._location,
        )
        self.block.insert_op_before(op, self._anchor)
        return op.results[0]

    def add(self, a: SSAValue, b: SSAValue) -> SSAValue:
        """`a + b`, of floats or integers."""
        return self._emit(elemwise.AddOp, [a, b], a.type)

    def sub(self, a: SSAValue, b: SSAValue) -> SSAValue:
        """`a - b`, of floats or integers."""
        return self._emit(elemwise.SubOp, [a, b], a.type)

    def mul(self, a: SSAValue, b: SSAValue) -> SSAValue:
        """`a * b`."""
        return self._emit(elemwise.MulOp, [a, b], a.type)

    def div(self, a: SSAValue, b: SSAValue) -> SSAValue:
        """`a / b` of floats."""
        return self._emit(elemwise.TrueDivOp, [a, b], a.type)

    def mul_low(self, a: SSAValue, b: SSAValue) -> SSAValue:
        """What rounding `a * b` loses, exactly."""
        return self._emit(elemwise.MulLowOp, [a, b], a.type)

    def sqrt(self, a: SSAValue) -> SSAValue:
        """The square root, rounded once."""
        return self._emit(elemwise.SqrtOp, [a], a.type)

    def round(self, a: SSAValue) -> SSAValue:
        """The nearest integral value."""
        return self._emit(elemwise.RoundOp, [a], a.type)

    def floor(self, a: SSAValue) -> SSAValue:
        """The largest integral value that is not above."""
        return self._emit(elemwise.FloorOp, [a], a.type)

    def fma(self, a: SSAValue, b: SSAValue, c: SSAValue) -> SSAValue:
        """`a * b + c`, rounded once."""
        return self._emit(elemwise.FmaOp, [a, b, c], a.type)

    def neg(self, a: SSAValue) -> SSAValue:
        """`-a`."""
        return self._emit(elemwise.NegOp, [a], a.type)

    def abs(self, a: SSAValue) -> SSAValue:
        """`|a|`. The sign of `a` is dropped, so `|-b|` is `|b|` to the bit: that is what
        softplus(b) and softplus(-b) have in common.
        """
        if isinstance(a.owner, elemwise.NegOp):
            a = a.owner.operands[0]
        return self._emit(elemwise.AbsOp, [a], a.type)

    def copysign(self, a: SSAValue, b: SSAValue) -> SSAValue:
        """`|a|` with the sign of `b`."""
        return self._emit(elemwise.CopysignOp, [a, b], a.type)

    def shl(self, a: SSAValue, bits: int) -> SSAValue:
        """An integer shifted left."""
        return self._emit(elemwise.ShlOp, [a, self.integer(bits)], a.type)

    def shr(self, a: SSAValue, bits: int) -> SSAValue:
        """An integer shifted right; zeros come in."""
        return self._emit(elemwise.ShrOp, [a, self.integer(bits)], a.type)

    def bit_and(self, a: SSAValue, b: SSAValue) -> SSAValue:
        """Bitwise and of integers."""
        return self._emit(elemwise.AndOp, [a, b], a.type)

    def bit_or(self, a: SSAValue, b: SSAValue) -> SSAValue:
        """Bitwise or of integers."""
        return self._emit(elemwise.OrOp, [a, b], a.type)

    def bit_xor(self, a: SSAValue, b: SSAValue) -> SSAValue:
        """Bitwise exclusive or of integers."""
        return self._emit(elemwise.XorOp, [a, b], a.type)

    def minimum(self, a: SSAValue, b: SSAValue) -> SSAValue:
        """The smaller integer."""
        return self._emit(elemwise.MinimumOp, [a, b], a.type)

    def scale(self, a: SSAValue, n: SSAValue) -> SSAValue:
        """`a 2**n`, rounded once; n is a float."""
        return self._emit(elemwise.ScaleOp, [a, n], a.type)

    def mantissa(self, a: SSAValue, *, is_normal: bool = False) -> SSAValue:
        """m in [3/4, 3/2) of a positive `a = 2**k m`."""
        return self._emit(elemwise.MantissaOp, [a], a.type, _NORMAL if is_normal else None)

    def minus_exponent(self, a: SSAValue, *, is_normal: bool = False) -> SSAValue:
        """n, a float, of a positive `a = 2**-n m`."""
        return self._emit(elemwise.MinusExponentOp, [a], a.type, _NORMAL if is_normal else None)

    def log_edges(self, value: SSAValue, a: SSAValue) -> SSAValue:
        """`value` where `a` is positive and finite, elsewhere log(a)."""
        return self._emit(elemwise.LogEdgesOp, [value, a], a.type)

    def to_bits(self, a: SSAValue) -> SSAValue:
        """The bits of a float."""
        properties = _bitcast_properties(self.format.integer)
        return self._emit(elemwise.BitcastOp, [a], self.family.integer, properties)

    def from_bits(self, a: SSAValue) -> SSAValue:
        """The float of these bits."""
        properties = _bitcast_properties(self.format.dtype)
        return self._emit(elemwise.BitcastOp, [a], self.family.real, properties)

    def lt(self, a: SSAValue, b: SSAValue) -> SSAValue:
        """`a < b`; false of a NaN."""
        return self._emit(elemwise.LtOp, [a, b], self.family.boolean)

    def gt(self, a: SSAValue, b: SSAValue) -> SSAValue:
        """`a > b`; false of a NaN."""
        return self._emit(elemwise.GtOp, [a, b], self.family.boolean)

    def eq(self, a: SSAValue, b: SSAValue) -> SSAValue:
        """`a == b`; false of a NaN."""
        return self._emit(elemwise.EqOp, [a, b], self.family.boolean)

    def switch(self, condition: SSAValue, a: SSAValue, b: SSAValue) -> SSAValue:
        """`a` where the condition holds, else `b`."""
        return self._emit(elemwise.SwitchOp, [condition, a, b], a.type)

    def libm_where(
        self, function: str, condition: SSAValue, x: SSAValue, other: SSAValue
    ) -> SSAValue:
        """The C library's `function(x)` where the condition holds, else `other`."""
        properties = properties_of(signatures.LIBM_WHERE, {"function": function})
        return self._emit(elemwise.LibmWhereOp, [condition, x, other], other.type, properties)

    # Other formats.

    def widened(self) -> ScalarEmitter:
        """An emitter of float64 with as many lanes, at the same place, with the same constants."""
        other = copy(self)
        real = self.family.real
        lanes = real.get_shape() if isinstance(real, VectorType) else None
        element = types.element_type("float64")
        other.family = type_family(VectorType(element, lanes) if lanes else element)
        other.format = other.family.format
        return other

    def convert(self, a: SSAValue) -> SSAValue:
        """A float of any format in this emitter's."""
        if a.type == self.family.real:
            return a
        properties = _cast_properties(self.format.dtype)
        return self._emit(elemwise.CastOp, [a], self.family.real, properties)

    # Small idioms.

    def at_most(self, a: SSAValue, limit: float) -> SSAValue:
        """`min(a, limit)`; a NaN stays."""
        bound = self.number(limit)
        return self.switch(self.gt(a, bound), bound, a)

    def at_least(self, a: SSAValue, limit: float) -> SSAValue:
        """`max(a, limit)`; a NaN stays."""
        bound = self.number(limit)
        return self.switch(self.lt(a, bound), bound, a)

    def horner(self, x: SSAValue, coefficients: Sequence[float]) -> SSAValue:
        """The polynomial with these coefficients, in order of rising power."""
        *rest, last = coefficients
        value = self.number(last)
        for coefficient in reversed(rest):
            value = self.fma(value, x, self.number(coefficient))
        return value

    def two_chains(self, x: SSAValue, coefficients: Sequence[float]) -> SSAValue:
        """The same as `horner`, its even and odd powers side by side.

        Where a function is one long chain of dependent operations, the processor cannot look far
        enough ahead to work on the next vector: half the latency is worth two operations more.
        """
        square = self.mul(x, x)
        odd = self.horner(square, coefficients[1::2])
        return self.fma(x, odd, self.horner(square, coefficients[::2]))
