"""Elementwise functions of the front end: `add`, `exp`, `switch`, `cast`, ..."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tetractys.configparser import config
from tetractys.dialects.elemwise_signatures import SIGNATURES
from tetractys.dialects.signature import DTYPES, FLOATS, INTEGERS, upcast
from tetractys.tensor.constants import as_tensor_variable, constant
from tetractys.tensor.elemwise import Elemwise, elemwise_op

if TYPE_CHECKING:
    from tetractys.tensor.var import TensorVariable

# The front end's functions are the Ops themselves, as in Theano: `y.owner.op is T.exp`.
add = elemwise_op("add")
mul = elemwise_op("mul")
sub = elemwise_op("sub")
true_div = elemwise_op("true_div")
int_div = elemwise_op("int_div")
mod = elemwise_op("mod")
pow = elemwise_op("pow")
neg = elemwise_op("neg")
abs_ = elemwise_op("abs")
sgn = elemwise_op("sgn")
sqr = elemwise_op("sqr")
maximum = elemwise_op("maximum")
minimum = elemwise_op("minimum")
sqrt = elemwise_op("sqrt")
exp = elemwise_op("exp")
log = elemwise_op("log")
log2 = elemwise_op("log2")
log10 = elemwise_op("log10")
log1p = elemwise_op("log1p")
expm1 = elemwise_op("expm1")
tanh = elemwise_op("tanh")
sigmoid = elemwise_op("sigmoid")
softplus = elemwise_op("softplus")
sin = elemwise_op("sin")
cos = elemwise_op("cos")
tan = elemwise_op("tan")
arctan = elemwise_op("arctan")
sinh = elemwise_op("sinh")
cosh = elemwise_op("cosh")
erf = elemwise_op("erf")
erfc = elemwise_op("erfc")
gammaln = elemwise_op("gammaln")
psi = elemwise_op("psi")
tri_gamma = elemwise_op("tri_gamma")
eq = elemwise_op("eq")
neq = elemwise_op("neq")
lt = elemwise_op("lt")
le = elemwise_op("le")
gt = elemwise_op("gt")
ge = elemwise_op("ge")
isnan = elemwise_op("isnan")
isinf = elemwise_op("isinf")
and_ = elemwise_op("and")
or_ = elemwise_op("or")
xor = elemwise_op("xor")
invert = elemwise_op("invert")
switch = elemwise_op("switch")
second = elemwise_op("second")
fill = second

where = switch
square = sqr
power = pow
floor_div = int_div
bitwise_and, bitwise_or, bitwise_xor, bitwise_not = and_, or_, xor, invert


def inv(value: Any) -> TensorVariable:
    """The reciprocal, 1 / value; of small integers in float32."""
    value = as_tensor_variable(value)
    one = 1 if value.type.dtype in FLOATS else constant(1, dtype="float32")
    return true_div(one, value)


def cast(value: Any, dtype: Any) -> TensorVariable:
    """`value` in another dtype ("floatX" included); itself where it has that dtype."""
    if dtype == "floatX":
        dtype = config.floatX
    name = getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or str(dtype)
    if name not in DTYPES:
        from tetractys.tensor.type import dtype_name

        name = dtype_name(dtype)
    variable = as_tensor_variable(value)
    if variable.type.dtype == name:
        return variable
    return elemwise_op("cast", dtype=name).node([variable]).outputs[0]


def tensor_copy(value: Any) -> TensorVariable:
    """A variable equal to `value`, computed from it."""
    variable = as_tensor_variable(value)
    op = Elemwise(SIGNATURES["cast"], {"dtype": variable.type.dtype}, name="Elemwise{identity}")
    return op.node([variable]).outputs[0]


def clip(value: Any, low: Any, high: Any) -> TensorVariable:
    """`low` below it, `high` above it, else `value` (NaN too); at a bound its gradient is 1."""
    value, low, high = as_tensor_variable(value), as_tensor_variable(low), as_tensor_variable(high)
    return switch(lt(value, low), low, switch(gt(value, high), high, value))


def isclose(
    first: Any, second: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> TensorVariable:
    """Whether two arrays are equal up to `atol + rtol * |second|`, element by element."""
    first, second = as_tensor_variable(first), as_tensor_variable(second)
    close = le(abs_(sub(first, second)), add(constant(atol), mul(constant(rtol), abs_(second))))
    finite = and_(close, invert(or_(isinf(first), isinf(second))))
    result = or_(finite, eq(first, second))
    return or_(result, and_(isnan(first), isnan(second))) if equal_nan else result


float_dtypes = FLOATS
discrete_dtypes = INTEGERS
all_dtypes = DTYPES

__all__ = [
    "abs_",
    "add",
    "all_dtypes",
    "and_",
    "arctan",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "cast",
    "clip",
    "cos",
    "cosh",
    "discrete_dtypes",
    "eq",
    "erf",
    "erfc",
    "exp",
    "expm1",
    "fill",
    "float_dtypes",
    "floor_div",
    "gammaln",
    "ge",
    "gt",
    "int_div",
    "inv",
    "invert",
    "isclose",
    "isinf",
    "isnan",
    "le",
    "log",
    "log10",
    "log1p",
    "log2",
    "lt",
    "maximum",
    "minimum",
    "mod",
    "mul",
    "neg",
    "neq",
    "or_",
    "pow",
    "power",
    "psi",
    "second",
    "sgn",
    "sigmoid",
    "sin",
    "sinh",
    "softplus",
    "sqr",
    "sqrt",
    "square",
    "sub",
    "switch",
    "tan",
    "tanh",
    "tensor_copy",
    "tri_gamma",
    "true_div",
    "upcast",
    "where",
    "xor",
]
