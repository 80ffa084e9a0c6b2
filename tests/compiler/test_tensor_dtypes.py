"""Result dtypes of operations and of constants, against what Theano 1.0.5 gave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tetractys.tensor as T
from tetractys import change_flags
from tetractys.dialects.signature import DTYPES

RECORDED: dict[str, Any] = json.loads(
    (Path(__file__).parent / "recorded" / "dtypes.json").read_text()
)
ORDER = [
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float32",
    "float64",
]

NUMPY_INSTEAD = {("int_div", "bool", "bool"): "int8", ("mod", "bool", "bool"): "int8"}
"""Where NumPy's rule stands in for Theano's: quotients of bools are int8."""


def vector(dtype: str) -> Any:
    return T.TensorType(dtype, (False,))("v")


def found(function: Any, *operands: Any) -> str:
    try:
        return function(*operands).type.dtype
    except TypeError:
        return "TypeError"


def expected(name: str, first: str, second: str, recorded: str) -> str:
    if name in ("and_", "or_", "xor") and recorded == "float64":
        return "TypeError"  # Theano builds a bit operation on float64, which fails when it runs
    return NUMPY_INSTEAD.get((name, first, second), recorded)


def test_the_order_is_that_of_the_dialect() -> None:
    assert set(ORDER) == set(DTYPES)


BINARY = [
    "add",
    "sub",
    "mul",
    "true_div",
    "int_div",
    "mod",
    "pow",
    "maximum",
    "minimum",
    "lt",
    "eq",
    "and_",
    "or_",
    "xor",
    "dot",
    "second",
]
UNARY = [
    "neg",
    "abs_",
    "sgn",
    "sqr",
    "sqrt",
    "exp",
    "log",
    "log1p",
    "expm1",
    "tanh",
    "log2",
    "log10",
    "sin",
    "cos",
    "tan",
    "arctan",
    "sinh",
    "cosh",
    "erf",
    "erfc",
    "gammaln",
    "psi",
    "tri_gamma",
    "invert",
    "sum",
    "prod",
    "mean",
    "max",
    "min",
    "argmax",
    "argmin",
    "any",
    "all",
    "zeros_like",
    "ones_like",
    "sigmoid",
    "softplus",
    "relu",
    "isnan",
    "isinf",
    "arange0",
]


@pytest.mark.parametrize("float_x", ["float64", "float32"])
@pytest.mark.parametrize("name", [*BINARY, "switch"])
def test_every_pair_of_dtypes(name: str, float_x: str) -> None:
    table = RECORDED[float_x][name]
    flag = vector("bool")
    with change_flags(floatX=float_x):
        for first, row in zip(ORDER, table, strict=True):
            for second, want in zip(ORDER, row, strict=True):
                operands = (vector(first), vector(second))
                if name == "switch":
                    got = found(T.switch, flag, *operands)
                else:
                    got = found(getattr(T, name), *operands)
                assert got == expected(name, first, second, want), (first, second)


def unary(name: str) -> Any:
    if name == "arange0":
        return lambda value: T.arange(value[0])
    return getattr(T.nnet, name) if name in ("sigmoid", "softplus", "relu") else getattr(T, name)


@pytest.mark.parametrize("float_x", ["float64", "float32"])
@pytest.mark.parametrize("name", UNARY)
def test_every_dtype(name: str, float_x: str) -> None:
    with change_flags(floatX=float_x):
        for dtype, want in zip(ORDER, RECORDED[float_x][name], strict=True):
            got = found(unary(name), vector(dtype))
            assert got == want, dtype


@pytest.mark.parametrize("float_x", ["float64", "float32"])
def test_constants(float_x: str) -> None:
    with change_flags(floatX=float_x):
        for text, want in RECORDED[float_x]["constants"].items():
            assert T.constant(float(text) if text == "inf" else eval(text)).type.dtype == want, text


@pytest.mark.parametrize("float_x", ["float64", "float32"])
def test_constants_beside_every_dtype(float_x: str) -> None:
    with change_flags(floatX=float_x):
        for text, row in RECORDED[float_x]["with_constant"].items():
            got = [(vector(dtype) + eval(text)).type.dtype for dtype in ORDER]
            assert got == row, text


def test_nothing_recorded_is_left_untested() -> None:
    for table in RECORDED.values():
        assert set(table) == {*BINARY, *UNARY, "switch", "constants", "with_constant"}


def test_numpy_values_keep_their_dtype() -> None:
    for dtype in ORDER:
        assert T.constant(np.zeros((), dtype)).type.dtype == dtype
        assert T.constant(np.dtype(dtype).type(1)).type.dtype == dtype
        assert T.constant(np.zeros((2, 1), dtype)).type.broadcastable == (False, True)
    assert T.constant([1, 2]).type.dtype == "int64"
    assert T.constant([]).type.dtype == "float64"
    assert T.constant(True).type.dtype == "int8"
    assert T.constant(float("nan")).type.dtype == "float64"


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(TypeError, match="Could not convert a to TensorType"):
        T.constant("a")
    with pytest.raises(TypeError, match="Cannot convert None to TensorType"):
        T.as_tensor_variable(None)
    with pytest.raises(OverflowError, match="Python int too large to convert to C long"):
        T.constant(2**64)
    with pytest.raises(TypeError, match="Cannot cast True or False as a tensor variable"):
        T.as_tensor_variable(True)
    with pytest.raises(TypeError, match="Unsupported dtype for TensorType: complex64"):
        T.cast(T.dscalar(), "complex64")


def test_small_anonymous_constants_are_shared_and_signed_zeros_are_not() -> None:
    assert T.constant(3) is T.constant(3) is T.as_tensor_variable(3)
    assert T.constant(3, name="k") is not T.constant(3)
    assert T.constant(300) is not T.constant(300)
    assert T.constant(1).type.dtype == "int8"
    assert T.constant(1.0).type.dtype == "float32"
    assert T.as_tensor_variable(1) is not T.as_tensor_variable(1.0)
    assert not np.signbit(T.as_tensor_variable(0.0).data)
    assert np.signbit(T.as_tensor_variable(-0.0).data)
    with change_flags(floatX="float32"):
        assert T.as_tensor_variable(1.1).type.dtype == "float32"
    assert T.as_tensor_variable(1.1).type.dtype == "float64"


def test_a_constant_cannot_be_written_nor_follow_its_source() -> None:
    source = np.ones(3)
    constant = T.constant(source)
    source[0] = 5
    assert constant.data.tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match="read-only"):
        constant.data[0] = 2


def test_words_of_dtype_errors() -> None:
    bools, ints, floats = vector("bool"), vector("int32"), vector("float32")
    with pytest.raises(TypeError, match="^bool input not supported"):
        _ = -bools
    with pytest.raises(TypeError, match="^bool output not supported"):
        _ = bools - bools
    with pytest.raises(
        TypeError, match=r"input to a BitOp must have type \(u\)int8, .* be all bools not float32"
    ):
        _ = ints & 1.5
    with pytest.raises(TypeError, match=r"or bool not float32"):
        _ = ~floats
    with change_flags(int_division="raise"), pytest.raises(TypeError, match="int_division"):
        _ = ints / 2
