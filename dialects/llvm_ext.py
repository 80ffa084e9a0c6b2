"""The `llvmx` dialect: the instructions of LLVM that xDSL's `llvm` dialect lacks.

Some are missing there altogether (`uitofp`, `fptosi`, `fptoui`, `extractelement`), some take no
vectors (`fcmp`, `select`), and two say in one operation what LLVM says in two (`splat`, `call`
through a pointer). All print as operands, properties and a functional type:

    %c = llvmx.fcmp %a, %b {predicate = "olt"} : (vector<8xf64>, vector<8xf64>) -> vector<8xi1>
    %r = llvmx.select %c, %a, %b : (vector<8xi1>, vector<8xf64>, vector<8xf64>) -> vector<8xf64>
    %s = llvmx.splat %x : (f64) -> vector<8xf64>
    %e = llvmx.extractelement %v {position = 3 : i64} : (vector<8xf64>) -> f64
"""

from __future__ import annotations

from xdsl.dialects.builtin import IntegerAttr, StringAttr, VectorType, i1
from xdsl.dialects.llvm import LLVMPointerType
from xdsl.ir import Attribute, Dialect, SSAValue
from xdsl.irdl import (
    irdl_op_definition,
    operand_def,
    opt_result_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import NoMemoryEffect
from xdsl.utils.exceptions import VerifyException

from tetractys.dialects.syntax import PlainOp

FCMP_PREDICATES = ("oeq", "ogt", "oge", "olt", "ole", "one", "ord", "ueq", "ugt", "uge", "ult",
                   "ule", "une", "uno")  # fmt: skip


def lanes_of(type_: Attribute) -> int:
    """The number of lanes of a vector type; 0 for a scalar."""
    return type_.shape.data[0].data if type(type_) is VectorType else 0


@irdl_op_definition
class FCmpOp(PlainOp):
    """Floating-point comparison of scalars or vectors."""

    name = "llvmx.fcmp"

    lhs = operand_def()
    rhs = operand_def()
    res = result_def()
    predicate = prop_def(StringAttr)
    traits = traits_def(NoMemoryEffect())

    def verify_(self) -> None:
        """A known predicate, and as many lanes as the operands have."""
        if self.predicate.data not in FCMP_PREDICATES:
            raise VerifyException(f"llvmx.fcmp: found predicate {self.predicate.data!r}; "
                                  f"expected one of {', '.join(FCMP_PREDICATES)}")
        lanes = lanes_of(self.lhs.type)
        wanted = VectorType(i1, [lanes]) if lanes else i1
        if self.lhs.type != self.rhs.type or self.res.type != wanted:
            raise VerifyException(f"llvmx.fcmp: found {self.lhs.type}, {self.rhs.type} -> "
                                  f"{self.res.type}; expected equal operands and {wanted}")


@irdl_op_definition
class SelectOp(PlainOp):
    """The second operand where the first is true, else the third; lane by lane."""

    name = "llvmx.select"

    cond = operand_def()
    lhs = operand_def()
    rhs = operand_def()
    res = result_def()
    traits = traits_def(NoMemoryEffect())

    def verify_(self) -> None:
        """Equal types, and one condition or one a lane."""
        if not self.lhs.type == self.rhs.type == self.res.type:
            raise VerifyException(f"llvmx.select: found {self.lhs.type}, {self.rhs.type} -> "
                                  f"{self.res.type}; expected three equal types")
        if lanes_of(self.cond.type) not in (0, lanes_of(self.res.type)):
            raise VerifyException(f"llvmx.select: found condition {self.cond.type} for "
                                  f"{self.res.type}; expected as many lanes")


class _ConversionOp(PlainOp):
    arg = operand_def()
    res = result_def()
    traits = traits_def(NoMemoryEffect())

    def verify_(self) -> None:
        """As many lanes behind as before."""
        if lanes_of(self.arg.type) != lanes_of(self.res.type):
            raise VerifyException(f"{self.name}: found {self.arg.type} -> {self.res.type}; "
                                  "expected as many lanes")


@irdl_op_definition
class UIToFPOp(_ConversionOp):
    """An unsigned integer as floating point."""

    name = "llvmx.uitofp"


@irdl_op_definition
class FPToSIOp(_ConversionOp):
    """Floating point to a signed integer, towards zero."""

    name = "llvmx.fptosi"


@irdl_op_definition
class FPToUIOp(_ConversionOp):
    """Floating point to an unsigned integer, towards zero."""

    name = "llvmx.fptoui"


@irdl_op_definition
class SplatOp(PlainOp):
    """A scalar in every lane."""

    name = "llvmx.splat"

    arg = operand_def()
    res = result_def(VectorType)
    traits = traits_def(NoMemoryEffect())

    def verify_(self) -> None:
        """The scalar has the vector's element type."""
        assert isinstance(self.res.type, VectorType)
        if self.res.type.element_type != self.arg.type:
            raise VerifyException(f"llvmx.splat: found {self.arg.type}; expected "
                                  f"{self.res.type.element_type}, the element of {self.res.type}")


@irdl_op_definition
class ExtractElementOp(PlainOp):
    """One lane of a vector."""

    name = "llvmx.extractelement"

    vector = operand_def(VectorType)
    res = result_def()
    position = prop_def(IntegerAttr)
    traits = traits_def(NoMemoryEffect())

    def verify_(self) -> None:
        """The lane exists."""
        _verify_position(self.name, self.vector, self.position)


@irdl_op_definition
class InsertElementOp(PlainOp):
    """A vector with one lane replaced."""

    name = "llvmx.insertelement"

    vector = operand_def(VectorType)
    value = operand_def()
    res = result_def(VectorType)
    position = prop_def(IntegerAttr)
    traits = traits_def(NoMemoryEffect())

    def verify_(self) -> None:
        """The lane exists."""
        _verify_position(self.name, self.vector, self.position)


def _verify_position(name: str, vector: SSAValue, position: IntegerAttr) -> None:
    lanes = lanes_of(vector.type)
    if not 0 <= position.value.data < lanes:
        raise VerifyException(f"{name}: found position {position.value.data}; expected one of the "
                              f"{lanes} lanes of {vector.type}")


@irdl_op_definition
class CallOp(PlainOp):
    """A call through a pointer, the first operand."""

    name = "llvmx.call"

    callee = operand_def(LLVMPointerType)
    arguments = var_operand_def()
    res = opt_result_def()


LlvmExt = Dialect(
    "llvmx",
    [FCmpOp, SelectOp, UIToFPOp, FPToSIOp, FPToUIOp, SplatOp, ExtractElementOp, InsertElementOp,
     CallOp],
    [],
)
