"""The definition of every elementwise operation: name, arity, dtype rule, meaning.

One entry an operation; `SIGNATURES` collects them by name. The dtype rules are Theano's
(THEANO_SEMANTICS D2, D3). A rule gets the operands' dtypes and the properties.
"""

from __future__ import annotations

from collections.abc import Sequence

from tetractys.dialects.signature import (
    DISCRETE,
    INTEGERS,
    DtypeRule,
    ElemwiseSignature,
    InferTypeError,
    Props,
    bytes_of,
    elemwise,
    is_float,
    upcast,
)

_SMALL = {"bool": "float32", "int8": "float32", "int16": "float32",
          "uint8": "float32", "uint16": "float32"}


def _upcast(dtypes: Sequence[str], props: Props) -> str:
    return upcast(*dtypes)


def _upcast_nobool(dtypes: Sequence[str], props: Props) -> str:
    if (result := upcast(*dtypes)) == "bool":
        raise InferTypeError("bool output not supported; expected a number; cast an operand first")
    return result


def _upcast_min8(dtypes: Sequence[str], props: Props) -> str:
    result = upcast(*dtypes)
    return "int8" if result == "bool" else result


def _same(dtypes: Sequence[str], props: Props) -> str:
    return dtypes[0]


def _same_nobool(dtypes: Sequence[str], props: Props) -> str:
    if dtypes[0] == "bool":
        raise InferTypeError("bool input not supported; expected a number; cast it first")
    return dtypes[0]


def _to_float(dtypes: Sequence[str], props: Props) -> str:
    """Theano's upgrade_to_float: small integers to float32, wider ones to float64."""
    return dtypes[0] if is_float(dtypes[0]) else _SMALL.get(dtypes[0], "float64")


def _true_div(dtypes: Sequence[str], props: Props) -> str:
    if all(dtype in DISCRETE for dtype in dtypes):  # also int64 / uint64, whose upcast is float64
        return str(props.get("dtype") or "float64")
    return upcast(*dtypes)


def _bool(dtypes: Sequence[str], props: Props) -> str:
    upcast(*dtypes)
    return "bool"


def _switch(dtypes: Sequence[str], props: Props) -> str:
    return upcast(dtypes[1], dtypes[2])


def _second(dtypes: Sequence[str], props: Props) -> str:
    return dtypes[1]


def _given(dtypes: Sequence[str], props: Props) -> str:
    return str(props["dtype"])


def _bitcast(dtypes: Sequence[str], props: Props) -> str:
    result = str(props["dtype"])
    if bytes_of(dtypes[0]) != bytes_of(result):
        raise InferTypeError(f"found {dtypes[0]} as the bits of {result}; expected a dtype of "
                             "equal width; use elemwise.cast to convert")
    return result


def _bitwise(dtypes: Sequence[str], props: Props) -> str:
    if any(is_float(dtype) for dtype in dtypes):
        raise InferTypeError(f"found {', '.join(dtypes)}; expected bool or integers; "
                             "cast the floating-point operand first")
    if is_float(result := upcast(*dtypes)):
        raise InferTypeError(f"found {', '.join(dtypes)}; expected integers that one integer dtype "
                             "holds; cast one of them first")
    return result


def _integers(dtypes: Sequence[str], props: Props) -> str:
    if any(dtype not in (*INTEGERS, "index") for dtype in dtypes):
        raise InferTypeError(f"found {', '.join(dtypes)}; expected integers")
    return dtypes[0]


def _floats(dtypes: Sequence[str], props: Props) -> str:
    if any(not is_float(dtype) or dtype != dtypes[0] for dtype in dtypes):
        raise InferTypeError(f"found {', '.join(dtypes)}; expected one floating-point dtype")
    return dtypes[0]


def _libm_where(dtypes: Sequence[str], props: Props) -> str:
    if dtypes[0] != "bool":
        raise InferTypeError(f"found a condition of {dtypes[0]}; expected bool")
    return _floats(dtypes[1:], props)


SIGNATURES: dict[str, ElemwiseSignature] = {}
"""Every elementwise operation by its short name."""


def _define(
    name: str, arity: int, rule: DtypeRule, doc: str, **options: object
) -> ElemwiseSignature:
    signature = elemwise(name, arity, rule, doc, **options)  # type: ignore[arg-type]
    SIGNATURES[name] = signature
    return signature


# Values and conversions.
CONSTANT = _define(
    "constant", 0, _given, "A number: `value` in `dtype`, on tensors a splat of size-1 dimensions.",
    props={"value": "number", "dtype": "dtype", "rank": "int?"},
)
CAST = _define("cast", 1, _given, "Conversion to `dtype`, NumPy's `astype`.",
               props={"dtype": "dtype"})
SECOND = _define("second", 2, _second, "The second operand, broadcast against the first: fill.")

# Arithmetic.
ADD = _define("add", 2, _upcast, "Sum; logical or of bools.", commutative=True)
SUB = _define("sub", 2, _upcast_nobool, "Difference.")
MUL = _define("mul", 2, _upcast, "Product; logical and of bools.", commutative=True)
TRUE_DIV = _define("true_div", 2, _true_div,
                   "Quotient in floating point; of integers in `dtype` (floatX).",
                   props={"dtype": "dtype?"})
INT_DIV = _define("int_div", 2, _upcast_min8,
                  "Floor of the quotient; of integers by zero 0, as NumPy.")
MOD = _define("mod", 2, _upcast_min8,
              "Remainder with the sign of the divisor; of integers by zero 0, as NumPy.")
POW = _define("pow", 2, _upcast_min8, "Power; of integers to a negative one, truncated.")
NEG = _define("neg", 1, _same_nobool, "Negation.")
ABS = _define("abs", 1, _same, "Absolute value.")
SGN = _define("sgn", 1, _same_nobool, "Sign: -1, 0 or 1; NaN of NaN.")
SQR = _define("sqr", 1, _same, "Square.")
MAXIMUM = _define("maximum", 2, _upcast, "The larger operand; NaN if one is.", commutative=True)
MINIMUM = _define("minimum", 2, _upcast, "The smaller operand; NaN if one is.", commutative=True)

# Elementary functions.
SQRT = _define("sqrt", 1, _to_float, "Square root.")
EXP = _define("exp", 1, _to_float, "Exponential.")
LOG = _define("log", 1, _to_float, "Natural logarithm.")
LOG2 = _define("log2", 1, _to_float, "Logarithm to base 2.")
LOG10 = _define("log10", 1, _to_float, "Logarithm to base 10.")
LOG1P = _define("log1p", 1, _to_float, "log(1 + x), accurate near 0.")
EXPM1 = _define("expm1", 1, _to_float, "exp(x) - 1, accurate near 0.")
TANH = _define("tanh", 1, _to_float, "Hyperbolic tangent.")
SIGMOID = _define("sigmoid", 1, _to_float, "1 / (1 + exp(-x)), without overflow.")
SOFTPLUS = _define("softplus", 1, _to_float, "log(1 + exp(x)), without overflow.")
SIN = _define("sin", 1, _to_float, "Sine of an angle in radians.")
COS = _define("cos", 1, _to_float, "Cosine of an angle in radians.")
TAN = _define("tan", 1, _to_float, "Tangent of an angle in radians.")
ARCTAN = _define("arctan", 1, _to_float, "Angle in radians, within pi/2 of 0, of this tangent.")
SINH = _define("sinh", 1, _to_float, "Hyperbolic sine.")
COSH = _define("cosh", 1, _to_float, "Hyperbolic cosine.")
ERF = _define("erf", 1, _to_float, "Error function.")
ERFC = _define("erfc", 1, _to_float, "1 - erf(x), accurate where it is small.")
GAMMALN = _define("gammaln", 1, _to_float, "Logarithm of the absolute value of the gamma function.")
PSI = _define("psi", 1, _to_float, "Digamma: the derivative of gammaln.")
TRI_GAMMA = _define("tri_gamma", 1, _to_float, "Trigamma: the second derivative of gammaln.")

# Comparisons, logic, selection.
EQ = _define("eq", 2, _bool, "Equal.", commutative=True)
NEQ = _define("neq", 2, _bool, "Not equal.", commutative=True)
LT = _define("lt", 2, _bool, "Less.")
LE = _define("le", 2, _bool, "Less or equal.")
GT = _define("gt", 2, _bool, "Greater.")
GE = _define("ge", 2, _bool, "Greater or equal.")
ISNAN = _define("isnan", 1, _bool, "Whether it is NaN.")
ISINF = _define("isinf", 1, _bool, "Whether it is an infinity.")
AND = _define("and", 2, _bitwise, "Bitwise and; logical of bools.", commutative=True)
OR = _define("or", 2, _bitwise, "Bitwise or; logical of bools.", commutative=True)
XOR = _define("xor", 2, _bitwise, "Bitwise exclusive or.", commutative=True)
INVERT = _define("invert", 1, _bitwise, "Bitwise complement; logical not of bools.")
SWITCH = _define(
    "switch", 3, _switch, "The second operand where the first is not 0, else the third."
)

# What expand-math makes its functions of: one machine instruction each.
FMA = _define("fma", 3, _floats, "a * b + c, rounded once.", machine=True)
BITCAST = _define("bitcast", 1, _bitcast, "The same bits as another dtype of equal width.",
                  props={"dtype": "dtype"}, machine=True)
SHL = _define("shl", 2, _integers, "Shift left.", machine=True)
SHR = _define("shr", 2, _integers, "Shift right, zeros come in.", machine=True)
SAR = _define("sar", 2, _integers, "Shift right, copies of the sign come in.", machine=True)
FLOOR = _define("floor", 1, _floats, "Largest integral value not above.", machine=True)
ROUND = _define("round", 1, _floats, "Nearest integral value, ties to even.", machine=True)
COPYSIGN = _define("copysign", 2, _floats, "The first operand with the second's sign.",
                   machine=True)
MUL_LOW = _define("mul_low", 2, _floats, "What rounding a * b loses, exactly.", machine=True)
SCALE = _define("scale", 2, _floats, "The first operand times 2 to the power of the second, a "
                "whole number, rounded once; anything beyond the square of the largest power.",
                machine=True)
MANTISSA = _define("mantissa", 1, _floats, "m in [3/4, 3/2) of a positive x = 2**k m (`normal`: x "
                   "is no subnormal number).", props={"normal": "bool?"}, machine=True)
MINUS_EXPONENT = _define("minus_exponent", 1, _floats, "n, a whole number, of a positive x = 2**-n "
                         "m; see `mantissa`.", props={"normal": "bool?"}, machine=True)
LOG_EDGES = _define("log_edges", 2, _floats, "The first operand where the second is positive and "
                    "finite, elsewhere the second's logarithm.", machine=True)
LIBM_WHERE = _define(
    "libm_where", 3, _libm_where,
    "A function of the C library (`tt_sin`: the runtime's) of the second operand where the first "
    "holds, else the third; "
    "nothing is called where it holds nowhere.",
    props={"function": "str"}, machine=True,
)
