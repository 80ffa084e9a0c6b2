"""Elementwise functions of the front end: `add`, `exp`, `switch`, `cast`, ..."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tetractys.configparser import config
from tetractys.dialects.elemwise_signatures import SIGNATURES
from tetractys.dialects.signature import DISCRETE, DTYPES, FLOATS, INTEGERS, upcast
from tetractys.graph.variable import Variable
from tetractys.tensor.constants import as_tensor_variable, constant
from tetractys.tensor.elemwise import elemwise_op, pad_ranks

_BITWISE = ("input to a BitOp must have type (u)int8, (u)int16, (u)int32 or (u)int64 or {} bool{} not {}")


def _function(short: str, name: str | None = None) -> Callable[..., Variable]:
    """The front end's function of an elementwise operation of fixed arity."""
    signature = SIGNATURES[short]
    arity = signature.arity
    public = name or short

    def function(*operands: Any) -> Variable:
        if len(operands) != arity:
            raise TypeError(f"{public}: found {len(operands)} operands; expected {arity}")
        variables = [as_tensor_variable(operand) for operand in operands]
        return op.node(pad_ranks(variables)).outputs[0]

    op = elemwise_op(short)
    function.__name__ = function.__qualname__ = public
    function.__doc__ = signature.doc
    return function


def _variadic(short: str) -> Callable[..., Variable]:
    """The front end's function of an associative operation on one or more operands."""
    binary = _function(short)

    def function(first: Any, *others: Any) -> Variable:
        result = as_tensor_variable(first)
        for other in others:
            result = binary(result, other)
        return result

    function.__name__ = function.__qualname__ = short
    function.__doc__ = SIGNATURES[short].doc + " Takes any number of operands."
    return function


def _bitwise(short: str, public: str) -> Callable[..., Variable]:
    """The function of an operation on bits, with Theano's words for operands that have none."""
    plain = _function(short, public)

    def function(*operands: Any) -> Variable:
        variables = [as_tensor_variable(operand) for operand in operands]
        for variable in variables:
            if variable.type.dtype not in DISCRETE:
                words = ("be all", "s") if len(variables) > 1 else ("", "")
                text = _BITWISE.format(*words, variable.type.dtype).replace("or  bool", "or bool")
                raise TypeError(text)
        return plain(*variables)

    function.__name__ = function.__qualname__ = public
    function.__doc__ = SIGNATURES[short].doc
    return function


add = _variadic("add")
mul = _variadic("mul")
sub = _function("sub")
int_div = _function("int_div")
mod = _function("mod")
pow = _function("pow")
neg = _function("neg")
abs_ = _function("abs", "abs_")
sgn = _function("sgn")
sqr = _function("sqr")
maximum = _function("maximum")
minimum = _function("minimum")
sqrt = _function("sqrt")
exp = _function("exp")
log = _function("log")
log1p = _function("log1p")
expm1 = _function("expm1")
tanh = _function("tanh")
sigmoid = _function("sigmoid")
softplus = _function("softplus")
eq = _function("eq")
neq = _function("neq")
lt = _function("lt")
le = _function("le")
gt = _function("gt")
ge = _function("ge")
isnan = _function("isnan")
isinf = _function("isinf")
and_ = _bitwise("and", "and_")
or_ = _bitwise("or", "or_")
xor = _bitwise("xor", "xor")
invert = _bitwise("invert", "invert")
switch = _function("switch")
second = _function("second")
fill = second

where = switch
square = sqr
power = pow
floor_div = int_div
bitwise_and, bitwise_or, bitwise_xor, bitwise_not = and_, or_, xor, invert


def true_div(first: Any, second: Any) -> Variable:
    """Quotient in floating point; of integers in floatX (THEANO_SEMANTICS D3)."""
    variables = [as_tensor_variable(first), as_tensor_variable(second)]
    discrete = all(variable.type.dtype in DISCRETE for variable in variables)
    if discrete and config.int_division == "raise":
        raise TypeError("Using '/' for division of integers is disabled (config.int_division='raise'); use '//'")
    op = elemwise_op("true_div", dtype=config.floatX) if discrete else elemwise_op("true_div")
    return op.node(pad_ranks(variables)).outputs[0]


def inv(value: Any) -> Variable:
    """The reciprocal, 1 / value."""
    return true_div(1, value)


def cast(value: Any, dtype: Any) -> Variable:
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


def tensor_copy(value: Any) -> Variable:
    """A variable equal to `value`, computed from it."""
    variable = as_tensor_variable(value)
    return _identity(variable.type.dtype).node([variable]).outputs[0]


def _identity(dtype: str) -> Any:
    from tetractys.tensor.elemwise import Elemwise

    return Elemwise(SIGNATURES["cast"], {"dtype": dtype}, name="Elemwise{identity}")


def clip(value: Any, low: Any, high: Any) -> Variable:
    """`low` below it, `high` above it, else `value` itself (NaN too); its gradient at a bound is 1."""
    value, low, high = as_tensor_variable(value), as_tensor_variable(low), as_tensor_variable(high)
    return switch(lt(value, low), low, switch(gt(value, high), high, value))


def isclose(
    first: Any, second: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Variable:
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
    "abs_", "add", "all_dtypes", "and_", "bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor",
    "cast", "clip", "discrete_dtypes", "eq", "exp", "expm1", "fill", "float_dtypes", "floor_div", "ge",
    "gt", "int_div", "inv", "invert", "isclose", "isinf", "isnan", "le", "log", "log1p", "lt",
    "maximum", "minimum", "mod", "mul", "neg", "neq", "or_", "pow", "power", "second", "sgn",
    "sigmoid", "softplus", "sqr", "sqrt", "square", "sub", "switch", "tanh", "tensor_copy", "true_div",
    "upcast", "where", "xor",
]
