"""The `elemwise` dialect: one operation a scalar function.

Every operation is *mappable*: its operands are all scalars, all vectors of one width, or all
tensors of equal rank. On tensors a dimension of static size 1 broadcasts and nothing else does;
run-time size 1 against n is an error. So no pass may refine a dimension of an operand to 1.

    %0 = elemwise.mul %x, %y : tensor<?xf64>
    %1 = elemwise.lt %a, %b : (f64, f64) -> i1
    %2 = elemwise.constant 5.0e-01 : f64

The definitions stand in `elemwise_signatures`; the classes here are made from them.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import (
    FloatAttr,
    IntegerAttr,
    LocationAttr,
    TensorType,
    VectorType,
    i1,
)
from xdsl.ir import Attribute, Block, Dialect, Region, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure, RecursiveMemoryEffect
from xdsl.utils.exceptions import VerifyException

from tetractys.dialects import elemwise_signatures as signatures
from tetractys.dialects import types
from tetractys.dialects.build import (
    SignatureOp,
    operation,
    properties_of,
)
from tetractys.dialects.signature import FLOATS, InferError, broadcast_shapes
from tetractys.dialects.syntax import YieldBase


class ElemwiseOp(SignatureOp):
    """An operation of the dialect: any number of operands, one result."""


class _ConstantBase(ElemwiseOp):
    """`elemwise.constant 5.0e-01 : f64`; `value` carries the dtype, the result type the rank."""

    if TYPE_CHECKING:
        value: Attribute

    @property
    def number(self) -> int | float | bool:
        """The value in plain Python."""
        assert isinstance(self.value, FloatAttr | IntegerAttr)
        data = self.value.value.data
        return bool(data) if self.value.type == i1 else data

    def verify_(self) -> None:
        """The value's type is the result's element, and tensors have only dimensions of size 1."""
        type_ = self.results[0].type
        element = types.element_type(types.dtype_of(type_))
        if not isinstance(self.value, FloatAttr | IntegerAttr) or self.value.type != element:
            raise VerifyException(
                f"{self.name}: found value {self.value}; expected one of {element}"
            )
        if isinstance(type_, TensorType) and any(size != 1 for size in type_.get_shape()):
            raise VerifyException(
                f"{self.name}: found {type_}; expected dimensions of static size 1; "
                "use tensor.alloc for more elements"
            )

    def print(self, printer: Printer) -> None:
        """See the class."""
        printer.print_string(" ")
        assert isinstance(self.value, FloatAttr | IntegerAttr)
        self.value.print_without_type(printer)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.results[0].type)

    @classmethod
    def parse(cls, parser: Parser) -> _ConstantBase:
        """The inverse of `print`."""
        start = parser.pos
        is_hexadecimal = parser.lexer.input.content.startswith("0x", start)
        number = parser.parse_number(allow_boolean=True)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        type_ = parser.parse_type()
        if is_hexadecimal and types.dtype_of(type_) in FLOATS:  # NaN and infinities, as MLIR
            code = "<d" if types.dtype_of(type_) == "float64" else "<f"
            number = struct.unpack(code, int(number).to_bytes(struct.calcsize(code), "little"))[0]
        elif isinstance(number, float) and types.dtype_of(type_) not in FLOATS:
            parser.raise_error(
                f"elemwise.constant: found {number} for {type_}; expected an integer",
                start,
                parser.pos,
            )
        op = cls.make(number, type_)
        op.attributes.update(attributes)
        return op

    @classmethod
    def make(
        cls, number: float, type_: Attribute, location: LocationAttr | None = None
    ) -> _ConstantBase:
        """A constant of a scalar, vector or (all sizes 1) tensor type; nothing is verified."""
        props: dict[str, object] = {"value": number, "dtype": types.dtype_of(type_)}
        if isinstance(type_, TensorType):
            props["rank"] = len(type_.get_shape())
        properties = properties_of(signatures.CONSTANT, props)
        return cls.create(result_types=[type_], properties=properties, location=location)


ConstantOp = operation(signatures.CONSTANT, _ConstantBase)
CastOp = operation(signatures.CAST, ElemwiseOp)
SecondOp = operation(signatures.SECOND, ElemwiseOp)
AddOp = operation(signatures.ADD, ElemwiseOp)
SubOp = operation(signatures.SUB, ElemwiseOp)
MulOp = operation(signatures.MUL, ElemwiseOp)
TrueDivOp = operation(signatures.TRUE_DIV, ElemwiseOp)
IntDivOp = operation(signatures.INT_DIV, ElemwiseOp)
ModOp = operation(signatures.MOD, ElemwiseOp)
PowOp = operation(signatures.POW, ElemwiseOp)
NegOp = operation(signatures.NEG, ElemwiseOp)
AbsOp = operation(signatures.ABS, ElemwiseOp)
SgnOp = operation(signatures.SGN, ElemwiseOp)
SqrOp = operation(signatures.SQR, ElemwiseOp)
MaximumOp = operation(signatures.MAXIMUM, ElemwiseOp)
MinimumOp = operation(signatures.MINIMUM, ElemwiseOp)
SqrtOp = operation(signatures.SQRT, ElemwiseOp)
ExpOp = operation(signatures.EXP, ElemwiseOp)
LogOp = operation(signatures.LOG, ElemwiseOp)
Log2Op = operation(signatures.LOG2, ElemwiseOp)
Log10Op = operation(signatures.LOG10, ElemwiseOp)
Log1pOp = operation(signatures.LOG1P, ElemwiseOp)
Expm1Op = operation(signatures.EXPM1, ElemwiseOp)
TanhOp = operation(signatures.TANH, ElemwiseOp)
SigmoidOp = operation(signatures.SIGMOID, ElemwiseOp)
SoftplusOp = operation(signatures.SOFTPLUS, ElemwiseOp)
SinOp = operation(signatures.SIN, ElemwiseOp)
CosOp = operation(signatures.COS, ElemwiseOp)
TanOp = operation(signatures.TAN, ElemwiseOp)
ArctanOp = operation(signatures.ARCTAN, ElemwiseOp)
SinhOp = operation(signatures.SINH, ElemwiseOp)
CoshOp = operation(signatures.COSH, ElemwiseOp)
ErfOp = operation(signatures.ERF, ElemwiseOp)
ErfcOp = operation(signatures.ERFC, ElemwiseOp)
GammalnOp = operation(signatures.GAMMALN, ElemwiseOp)
PsiOp = operation(signatures.PSI, ElemwiseOp)
TriGammaOp = operation(signatures.TRI_GAMMA, ElemwiseOp)
EqOp = operation(signatures.EQ, ElemwiseOp)
NeqOp = operation(signatures.NEQ, ElemwiseOp)
LtOp = operation(signatures.LT, ElemwiseOp)
LeOp = operation(signatures.LE, ElemwiseOp)
GtOp = operation(signatures.GT, ElemwiseOp)
GeOp = operation(signatures.GE, ElemwiseOp)
IsnanOp = operation(signatures.ISNAN, ElemwiseOp)
IsinfOp = operation(signatures.ISINF, ElemwiseOp)
AndOp = operation(signatures.AND, ElemwiseOp)
OrOp = operation(signatures.OR, ElemwiseOp)
XorOp = operation(signatures.XOR, ElemwiseOp)
InvertOp = operation(signatures.INVERT, ElemwiseOp)
SwitchOp = operation(signatures.SWITCH, ElemwiseOp)
FmaOp = operation(signatures.FMA, ElemwiseOp)
BitcastOp = operation(signatures.BITCAST, ElemwiseOp)
ShlOp = operation(signatures.SHL, ElemwiseOp)
ShrOp = operation(signatures.SHR, ElemwiseOp)
SarOp = operation(signatures.SAR, ElemwiseOp)
FloorOp = operation(signatures.FLOOR, ElemwiseOp)
RoundOp = operation(signatures.ROUND, ElemwiseOp)
CopysignOp = operation(signatures.COPYSIGN, ElemwiseOp)
MulLowOp = operation(signatures.MUL_LOW, ElemwiseOp)
ScaleOp = operation(signatures.SCALE, ElemwiseOp)
MantissaOp = operation(signatures.MANTISSA, ElemwiseOp)
MinusExponentOp = operation(signatures.MINUS_EXPONENT, ElemwiseOp)
LogEdgesOp = operation(signatures.LOG_EDGES, ElemwiseOp)
LibmWhereOp = operation(signatures.LIBM_WHERE, ElemwiseOp)


@irdl_op_definition
class SplatOp(IRDLOperation):
    """A scalar in every lane of a vector: `elemwise.splat %s : f64 to vector<8xf64>`."""

    name = "elemwise.splat"

    argument = operand_def()
    out = result_def(VectorType)
    traits = traits_def(Pure())

    @staticmethod
    def make(value: SSAValue, width: int, location: LocationAttr | None = None) -> SplatOp:
        """Splats a scalar to `width` lanes."""
        type_ = types.vector_of(value.type, width)
        return SplatOp.create(operands=[value], result_types=[type_], location=location)

    def print(self, printer: Printer) -> None:
        """See the class."""
        printer.print_string(" ")
        printer.print_ssa_value(self.argument)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.argument.type)
        printer.print_string(" to ")
        printer.print_attribute(self.out.type)

    @classmethod
    def parse(cls, parser: Parser) -> SplatOp:
        """The inverse of `print`."""
        operand = parser.parse_unresolved_operand()
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        value = parser.resolve_operand(operand, parser.parse_type())
        parser.parse_keyword("to")
        return cls.create(
            operands=[value], result_types=[parser.parse_type()], attributes=attributes
        )

    def verify_(self) -> None:
        """The element types must agree."""
        assert isinstance(self.out.type, VectorType)
        if self.out.type.element_type != self.argument.type:
            raise VerifyException(f"elemwise.splat: found {self.argument.type}; "
                                  f"expected {self.out.type.element_type}, the vector's element")


@irdl_op_definition
class YieldOp(YieldBase):
    """Ends the body of an `elemwise.composite`: its results, scalars."""

    name = "elemwise.yield"


@irdl_op_definition
class CompositeOp(IRDLOperation):
    """Several elementwise operations as one: a body of scalar operations, applied everywhere.

        %r = elemwise.composite (%a = %x : tensor<?xf64>, %b = %y : tensor<1xf64>) -> ... {
          %0 = elemwise.mul %a, %b : f64
          elemwise.yield %0 : f64
        }

    Operands broadcast as those of any elementwise operation; each result has the common shape.
    """

    name = "elemwise.composite"

    arguments = var_operand_def(TensorType)
    outs = var_result_def(TensorType)
    body = region_def("single_block")
    traits = traits_def(Pure(), RecursiveMemoryEffect())

    @staticmethod
    def make(
        arguments: Sequence[SSAValue],
        result_types: Sequence[Attribute],
        body: Region,
        location: LocationAttr | None = None,
    ) -> CompositeOp:
        """Creates the operation without verifying it."""
        return CompositeOp.create(
            operands=arguments, result_types=result_types, regions=[body], location=location
        )

    @property
    def block(self) -> Block:
        """The body's block."""
        return self.body.block

    def verify_(self) -> None:
        """Body arguments are the operands' elements; results have the common shape."""
        specs = [types.spec_of(operand.type) for operand in self.arguments]
        elements = [types.element_type(spec[0]) for spec in specs]
        if [argument.type for argument in self.block.args] != elements:
            raise VerifyException("elemwise.composite: found body arguments that are not the "
                                  "operands' element types; expected one scalar an operand")
        last = self.block.last_op
        if not isinstance(last, YieldOp) or len(last.arguments) != len(self.outs):
            raise VerifyException("elemwise.composite: expected a body that ends in elemwise.yield "
                                  "with one value a result")
        for inner in self.block.ops:
            if inner is not last and not isinstance(inner, ElemwiseOp):
                raise VerifyException(f"elemwise.composite: found {inner.name} in the body; "
                                      "expected elemwise operations on scalars")
        try:
            shape = broadcast_shapes(self.name, [spec[1] for spec in specs])
        except InferError as error:
            raise VerifyException(str(error)) from error
        for value, result in zip(last.arguments, self.outs):
            wanted = types.tensor_type((types.dtype_of(value.type), shape))
            if result.type != wanted:
                raise VerifyException(f"elemwise.composite: found result type {result.type}; "
                                      f"expected {wanted}")

    def print(self, printer: Printer) -> None:
        """See the class."""
        printer.print_string(" (")

        def pair(both: tuple[SSAValue, SSAValue]) -> None:
            printer.print_ssa_value(both[0])
            printer.print_string(" = ")
            printer.print_ssa_value(both[1])
            printer.print_string(" : ")
            printer.print_attribute(both[1].type)

        printer.print_list(list(zip(self.block.args, self.arguments)), pair)
        printer.print_string(") -> ")
        printer.print_list([out.type for out in self.outs], printer.print_attribute)
        printer.print_string(" ")
        printer.print_region(self.body, print_entry_block_args=False)
        if self.attributes:
            printer.print_op_attributes(self.attributes, print_keyword=True)

    @classmethod
    def parse(cls, parser: Parser) -> CompositeOp:
        """The inverse of `print`."""

        def pair() -> tuple[Parser.UnresolvedArgument, SSAValue]:
            argument = parser.parse_argument(expect_type=False)
            parser.parse_punctuation("=")
            operand = parser.parse_unresolved_operand()
            parser.parse_punctuation(":")
            return argument, parser.resolve_operand(operand, parser.parse_type())

        pairs = parser.parse_comma_separated_list(parser.Delimiter.PAREN, pair)
        parser.parse_punctuation("->")
        results = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        arguments = [
            argument.resolve(types.element_type(types.dtype_of(operand.type)))
            for argument, operand in pairs
        ]
        body = parser.parse_region(arguments)
        attributes = parser.parse_optional_attr_dict_with_keyword()
        op = cls.make([operand for _, operand in pairs], results, body)
        if attributes is not None:
            op.attributes.update(attributes.data)
        return op


OPERATIONS = [v for v in list(globals().values())
              if isinstance(v, type) and issubclass(v, ElemwiseOp) and "name" in vars(v)]

Elemwise = Dialect("elemwise", [*OPERATIONS, SplatOp, YieldOp, CompositeOp], [])
