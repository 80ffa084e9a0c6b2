"""Elementwise operations on scalars and vectors as LLVM instructions: one table, one row each.

    %2 = elemwise.maximum %0, %1 : f64       ->   %2 = call double @llvm.maximum.f64(%0, %1)
    %3 = elemwise.lt %0, %1 : (ui8, ui8) -> i1 ->  %3 = icmp ult i8 %0, %1

`lower` is what `lower-loops-to-llvm` calls. The dtypes of the operation decide about signs; the
operands at hand decide about lanes (under `jam` a scalar operation is lowered on vectors). Results
are NumPy's, see `dialects/scalar_table.py`; nothing traps and nothing is poison.

The elementary functions have no row: `expand-math` comes before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

from xdsl.dialects import llvm
from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IntegerAttr,
    StringAttr,
    i64,
)
from xdsl.ir import Attribute, Operation, SSAValue

from tetractys.dialects import elemwise, llvm_ext, types
from tetractys.dialects import elemwise_signatures as ew
from tetractys.dialects.create import operands_of
from tetractys.dialects.llvm_ext import lanes_of
from tetractys.dialects.signature import ElemwiseSignature, is_float, upcast
from tetractys.passes import llvm_exponents
from tetractys.passes.llvm_builder import LLVMBuilder, llvm_type, vector_of
from tetractys.passes.llvm_casts import convert, is_nonzero, is_unsigned
from tetractys.passes.llvm_division import (
    float_floor_division,
    float_remainder,
    integer_division,
    integer_power,
)


class Site(NamedTuple):
    """One operation being lowered.

    operands, dtypes: as given, all with `lanes` lanes. dtype: of the result. fused: whether the
    machine multiplies and adds in one instruction. scales: as `Machine`'s.
    """

    b: LLVMBuilder
    op: Operation
    operands: Sequence[SSAValue]
    dtypes: Sequence[str]
    dtype: str
    lanes: int
    fused: bool = True
    scales: bool = False

    @property
    def type(self) -> Attribute:
        """The register type of the result."""
        return vector_of(llvm_type(types.element_type(self.dtype)), self.lanes)

    def common(self) -> tuple[list[SSAValue], str]:
        """The operands in their common dtype, and that dtype."""
        dtype = upcast(*self.dtypes)
        return [convert(self.b, v, d, dtype) for v, d in zip(self.operands, self.dtypes)], dtype

    def converted(self) -> list[SSAValue]:
        """The operands in the result's dtype."""
        dtype = self.dtype
        return [v if d == dtype else convert(self.b, v, d, dtype)
                for v, d in zip(self.operands, self.dtypes)]

    def is_set(self, name: str) -> bool:
        """Whether the operation has a property of this name."""
        return name in self.op.properties

    def constant(self, number: float) -> SSAValue:
        """A number of the result's type."""
        return self.b.constant(number, self.type)


Row = Callable[[Site], SSAValue]


# Builders of rows.

def _by_dtype(
    floats: type[Operation], integers: type[Operation], bools: type[Operation] | None = None
) -> Row:
    """One instruction for floats, one for integers, one for bools."""

    def row(site: Site) -> SSAValue:
        class_ = floats if is_float(site.dtype) else integers
        if site.dtype == "bool":
            assert bools is not None
            class_ = bools
        operands = site.converted()
        return site.b.emit(class_, operands, operands[0].type)

    return row


def _instruction(class_: type[Operation]) -> Row:
    """One instruction on operands of the result's dtype, hence of its type."""

    def row(site: Site) -> SSAValue:
        operands = site.converted()
        return site.b.emit(class_, operands, operands[0].type)

    return row


def _instruction_as_is(class_: type[Operation]) -> Row:
    """One instruction on the operands as they are."""
    return lambda site: site.b.emit(class_, site.operands, site.type)


def _intrinsic(name: str) -> Row:
    """One intrinsic on operands of the result's dtype."""
    return lambda site: site.b.intrinsic(name, site.converted(), site.type)


def _comparison(floats: str, signed: str, unsigned: str) -> Row:
    def row(site: Site) -> SSAValue:
        (x, y), dtype = site.common()
        if is_float(dtype):
            return site.b.fcmp(floats, x, y)
        return site.b.icmp(unsigned if is_unsigned(dtype) else signed, x, y)

    return row


def _extremum(
    intrinsic: str,
    strict: str,
    winning_zero: float,
    integers: tuple[str, str],
    bools: type[Operation],
) -> Row:
    """`maximum` or `minimum`.

    Against a known number one comparison and a select do: a NaN fails the comparison and stays. Of
    two zeros the larger (smaller) must win, so a tie counts where the known one is that.
    """

    def row(site: Site) -> SSAValue:
        b = site.b
        x, y = site.converted()
        if site.dtype == "bool":
            return b.binary(bools, x, y)
        if not is_float(site.dtype):
            return b.intrinsic(integers[is_unsigned(site.dtype)], (x, y), site.type)
        for value, known in ((x, y), (y, x)):
            number = constant_number(known)
            if number is None or math.isnan(number):
                continue
            wins_tie = number == 0 and math.copysign(1, number) == math.copysign(1, winning_zero)
            predicate = strict.replace("t", "e") if wins_tie else strict
            return b.select(b.fcmp(predicate, value, known), known, value)
        return b.intrinsic(intrinsic, (x, y), site.type)

    return row


def constant_number(value: SSAValue) -> float | None:
    """The number of a constant scalar, or of every lane of a constant vector; else None."""
    owner = value.owner
    if not isinstance(owner, llvm.ConstantOp):
        return None
    attribute = owner.value
    if isinstance(attribute, DenseIntOrFPElementsAttr) and attribute.is_splat():
        return cast(float, attribute.get_values()[0])
    return attribute.value.data if isinstance(attribute, FloatAttr | IntegerAttr) else None


# Rows.

def _constant(site: Site) -> SSAValue:
    return site.constant(cast(Any, site.op).number)


def _neg(site: Site) -> SSAValue:
    (x,) = site.converted()
    if is_float(site.dtype):
        return site.b.emit(llvm.FNegOp, (x,), site.type)
    return site.b.binary(llvm.SubOp, site.constant(0), x)


def _abs(site: Site) -> SSAValue:
    (x,) = site.converted()
    if is_float(site.dtype):
        return site.b.emit(llvm.FAbsOp, (x,), site.type)
    if is_unsigned(site.dtype):
        return x
    negative = site.b.icmp("slt", x, site.constant(0))
    return site.b.select(negative, site.b.binary(llvm.SubOp, site.constant(0), x), x)


def _sgn(site: Site) -> SSAValue:
    b, (x,) = site.b, site.converted()
    zero, one = site.constant(0), site.constant(1)
    if is_unsigned(site.dtype):
        return b.select(b.icmp("ne", x, zero), one, zero)
    if not is_float(site.dtype):
        negative = b.select(b.icmp("slt", x, zero), site.constant(-1), zero)
        return b.select(b.icmp("sgt", x, zero), one, negative)
    value = b.select(b.fcmp("oeq", x, zero), zero, x)  # a NaN stays
    value = b.select(b.fcmp("olt", x, zero), site.constant(-1), value)
    return b.select(b.fcmp("ogt", x, zero), one, value)


def _sqr(site: Site) -> SSAValue:
    (x,) = site.converted()
    if is_float(site.dtype):
        return site.b.binary(llvm.FMulOp, x, x)
    return x if site.dtype == "bool" else site.b.binary(llvm.MulOp, x, x)


def _int_div(site: Site) -> SSAValue:
    x, y = site.converted()
    if is_float(site.dtype):
        return float_floor_division(site.b, x, y)
    return integer_division(site.b, x, y, unsigned=is_unsigned(site.dtype))[0]


def _mod(site: Site) -> SSAValue:
    x, y = site.converted()
    if is_float(site.dtype):
        return float_remainder(site.b, x, y)
    return integer_division(site.b, x, y, unsigned=is_unsigned(site.dtype))[1]


def _pow(site: Site) -> SSAValue:
    x, y = site.converted()
    if is_float(site.dtype):
        return _expanded(site)
    return integer_power(site.b, x, y, unsigned=is_unsigned(site.dtype))


def _isnan(site: Site) -> SSAValue:
    x = site.operands[0]
    return site.b.fcmp("uno", x, x) if is_float(site.dtypes[0]) else site.constant(0)


def _isinf(site: Site) -> SSAValue:
    b, x = site.b, site.operands[0]
    if not is_float(site.dtypes[0]):
        return site.constant(0)
    return b.fcmp("oeq", b.emit(llvm.FAbsOp, (x,), x.type), b.constant(math.inf, x.type))


def _switch(site: Site) -> SSAValue:
    """A selection; 0 where a comparison holds is the value where it does not, else 0: AVX-512 then
    has the mask in the instruction that makes the value.
    """
    b = site.b
    condition = is_nonzero(b, site.operands[0], site.dtypes[0])
    first, second = (
        convert(b, v, d, site.dtype) for v, d in zip(site.operands[1:], site.dtypes[1:])
    )
    compared = condition.owner
    if isinstance(compared, llvm_ext.FCmpOp) and is_float(site.dtype) and _is_zero(first):
        predicate = _OPPOSITE.get(cast(StringAttr, compared.properties["predicate"]).data)
        if predicate is not None:
            opposite = b.fcmp(predicate, *compared.operands)
            return b.select(opposite, second, first)
    return b.select(condition, first, second)


_OPPOSITE = {"olt": "uge", "ole": "ugt", "ogt": "ule", "oge": "ult", "oeq": "une", "une": "oeq"}


def _is_zero(value: SSAValue) -> bool:
    number = constant_number(value)
    return number == 0 and math.copysign(1, number) == 1


def _second(site: Site) -> SSAValue:
    return site.operands[1]


def _fma(site: Site) -> SSAValue:
    b, (x, y, z) = site.b, site.operands
    if site.fused:
        return b.fma(x, y, z)
    return b.binary(llvm.FAddOp, b.binary(llvm.FMulOp, x, y), z)


def _sar(site: Site) -> SSAValue:
    class_ = llvm.LShrOp if is_unsigned(site.dtype) else llvm.AShrOp  # no sign: zeros are copied
    return site.b.emit(class_, site.converted(), site.type)


def _mul_low(site: Site) -> SSAValue:
    """By a fused operation, or Dekker's product of halves (|a|, |b| below 2**995)."""
    b, (x, y) = site.b, site.operands
    product = b.binary(llvm.FMulOp, x, y)
    if site.fused:
        return b.fma(x, y, b.emit(llvm.FNegOp, (product,), site.type))
    (x_high, x_low), (y_high, y_low) = (_halves(site, value) for value in (x, y))
    rest = b.binary(llvm.FSubOp, b.binary(llvm.FMulOp, x_high, y_high), product)
    for one, other in ((x_high, y_low), (x_low, y_high), (x_low, y_low)):
        rest = b.binary(llvm.FAddOp, rest, b.binary(llvm.FMulOp, one, other))
    return rest


def _halves(site: Site, value: SSAValue) -> tuple[SSAValue, SSAValue]:
    """The upper half of the bits of a mantissa, and the rest."""
    b = site.b
    factor = site.constant(2.0**27 + 1 if site.dtype == "float64" else 2.0**12 + 1)
    scaled = b.binary(llvm.FMulOp, value, factor)
    high = b.binary(llvm.FSubOp, scaled, b.binary(llvm.FSubOp, scaled, value))
    return high, b.binary(llvm.FSubOp, value, high)


def _libm_where(site: Site) -> SSAValue:
    return _libm_where_of([site])[0]


def _libm_where_of(sites: Sequence[Site]) -> list[SSAValue]:
    """A branch around calls, one a lane: lane 0 is taken, and the lanes move on by one.

    One branch for all vectors at hand: behind a branch for each, LLVM would sink what is needed
    only there, and one vector would be computed after another.
    """
    b = sites[0].b
    conditions, others = ([site.operands[place] for site in sites] for place in (0, 2))
    any_ = conditions[0]
    for condition in conditions[1:]:
        any_ = b.binary(llvm.OrOp, any_, condition)

    def called() -> list[SSAValue]:
        found = [_called(b, site) for site in sites]
        return [b.select(*given) for given in zip(conditions, found, others)]

    any_lane = b.reduce_or(any_) if sites[0].lanes else any_
    return list(b.choose(any_lane, called, others))


def _called(b: LLVMBuilder, site: Site) -> SSAValue:
    x = site.operands[1]
    name = cast(StringAttr, site.op.properties["function"]).data
    element = llvm_type(types.element_type(site.dtype))
    if not site.lanes:
        return b.call_extern(name, (x,), element)
    last, rotated = site.lanes - 1, [*range(1, site.lanes), 0]

    def body(state: Sequence[SSAValue]) -> Sequence[SSAValue]:
        values, count = state
        value = b.call_extern(name, (b.extract(values, 0),), element)
        values = b.insert(b.shuffle(values, values, rotated), value, last)
        return values, b.add(count, b.constant(-1, i64))

    start = (x, b.constant(site.lanes, i64))
    return b.repeat(start, body, lambda state: b.icmp("ne", state[1], b.constant(0, i64)))[0]


def _expanded(site: Site) -> SSAValue:
    raise NotImplementedError(f"{site.op.name}: found on the way to LLVM; expected arithmetic; "
                              "run expand-math first")


ROWS: dict[ElemwiseSignature, Row] = {
    ew.CONSTANT: _constant,
    ew.CAST: lambda site: site.converted()[0],
    ew.SECOND: _second,
    ew.ADD: _by_dtype(llvm.FAddOp, llvm.AddOp, llvm.OrOp),
    ew.SUB: _by_dtype(llvm.FSubOp, llvm.SubOp),
    ew.MUL: _by_dtype(llvm.FMulOp, llvm.MulOp, llvm.AndOp),
    ew.TRUE_DIV: _instruction(llvm.FDivOp),
    ew.INT_DIV: _int_div,
    ew.MOD: _mod,
    ew.POW: _pow,
    ew.NEG: _neg,
    ew.ABS: _abs,
    ew.SGN: _sgn,
    ew.SQR: _sqr,
    ew.MAXIMUM: _extremum("llvm.maximum", "olt", 0.0, ("llvm.smax", "llvm.umax"), llvm.OrOp),
    ew.MINIMUM: _extremum("llvm.minimum", "ogt", -0.0, ("llvm.smin", "llvm.umin"), llvm.AndOp),
    ew.SQRT: _instruction(llvm.FSqrtOp),
    ew.EQ: _comparison("oeq", "eq", "eq"),
    ew.NEQ: _comparison("une", "ne", "ne"),
    ew.LT: _comparison("olt", "slt", "ult"),
    ew.LE: _comparison("ole", "sle", "ule"),
    ew.GT: _comparison("ogt", "sgt", "ugt"),
    ew.GE: _comparison("oge", "sge", "uge"),
    ew.ISNAN: _isnan,
    ew.ISINF: _isinf,
    ew.AND: _instruction(llvm.AndOp),
    ew.OR: _instruction(llvm.OrOp),
    ew.XOR: _instruction(llvm.XOrOp),
    ew.INVERT: lambda site: site.b.binary(llvm.XOrOp, site.operands[0], site.constant(-1)),
    ew.SWITCH: _switch,
    ew.FMA: _fma,
    ew.BITCAST: _instruction_as_is(llvm.BitcastOp),
    ew.SHL: _instruction(llvm.ShlOp),
    ew.SHR: _instruction(llvm.LShrOp),
    ew.SAR: _sar,
    ew.FLOOR: _instruction(llvm.FFloorOp),
    ew.ROUND: _intrinsic("llvm.roundeven"),
    ew.COPYSIGN: _instruction(llvm.FCopySignOp),
    ew.MUL_LOW: _mul_low,
    ew.SCALE: llvm_exponents.scale,
    ew.MANTISSA: llvm_exponents.mantissa,
    ew.MINUS_EXPONENT: llvm_exponents.minus_exponent,
    ew.LOG_EDGES: llvm_exponents.log_edges,
    ew.LIBM_WHERE: _libm_where,
    **dict.fromkeys(
        (
            ew.EXP, ew.LOG, ew.LOG2, ew.LOG10, ew.LOG1P, ew.EXPM1, ew.TANH, ew.SIGMOID, ew.SOFTPLUS,
            ew.SIN, ew.COS, ew.TAN, ew.ARCTAN, ew.SINH, ew.COSH, ew.ERF, ew.ERFC, ew.GAMMALN,
            ew.PSI, ew.TRI_GAMMA,
        ),
        _expanded,
    ),  # fmt: skip
}
"""How each operation is lowered."""

EXPANDED = frozenset(signature for signature, row in ROWS.items() if row is _expanded)
"""What must have been expanded before."""


def lower(
    op: Operation,
    operands: Sequence[SSAValue],
    builder: LLVMBuilder,
    lanes: int | None = None,
    *,
    fused: bool = True,
    scales: bool = False,
) -> SSAValue:
    """Appends the instructions of an elementwise operation or `splat`, and returns the result.

    operands: level-3 values of its operands; scalars beside vectors are splatted.
    lanes: of the result, 0 for a scalar; by default the operands', or the operation's own.
    fused: False on machines without fused multiply-add, where it would be a library call.
    scales: True on machines with AVX-512.
    `builder.block` may have moved on to another block: float `mod`, `int_div`, integer `pow` loop.
    """
    if type(op) is elemwise.SplatOp:
        return _splatted(op, operands, builder, lanes)[1][0]
    site = _site(op, operands, builder, lanes)._replace(fused=fused, scales=scales)
    signature = cast(elemwise.ElemwiseOp, op).signature
    return ROWS[cast(ElemwiseSignature, signature)](site)


def lower_together(
    op: Operation,
    operands: Sequence[Sequence[SSAValue]],
    builder: LLVMBuilder,
    *,
    fused: bool = True,
    scales: bool = False,
) -> list[SSAValue]:
    """The same operation on several vectors (scalars), given the operands of each."""
    if type(op) is elemwise.LibmWhereOp:
        return _libm_where_of([_site(op, given, builder, None) for given in operands])
    return [lower(op, given, builder, fused=fused, scales=scales) for given in operands]


def _splatted(
    op: Operation, operands: Sequence[SSAValue], builder: LLVMBuilder, lanes: int | None
) -> tuple[int, Sequence[SSAValue]]:
    if lanes is None:
        lanes = max([lanes_of(v.type) for v in operands], default=0) or lanes_of(op.results[0].type)
    if lanes:
        operands = [v if lanes_of(v.type) else builder.splat(v, lanes) for v in operands]
    return lanes, operands


def _site(
    op: Operation, given: Sequence[SSAValue], builder: LLVMBuilder, lanes: int | None
) -> Site:
    lanes, operands = _splatted(op, given, builder, lanes)
    dtypes = [types.dtype_of(v.type) for v in operands_of(op)]
    dtype = types.dtype_of(op.results[0].type)
    return Site(builder, op, operands, dtypes, dtype, lanes)
