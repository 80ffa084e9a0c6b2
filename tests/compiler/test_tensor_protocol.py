"""Python's operators, attributes and wrong uses on variables (THEANO_SEMANTICS D11, D5, D4)."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import tetractys.tensor as T
from tetractys.graph import Op, Variable

x, y, s = T.dmatrix("x"), T.dvector("y"), T.dscalar("s")
iv, t3 = T.ivector("iv"), T.tensor3("t3")


def test_truth_and_identity() -> None:
    assert bool(x) is True
    for comparison in (x > 0, x >= 0, x < 0, x <= 0):
        with pytest.raises(TypeError, match=r"^Variables do not support boolean operations\.$"):
            bool(comparison)
    assert (x == y) is False and (x == x) is True and (x != y) is True
    assert {x: 1, y: 2}[x] == 1


def test_len_and_iteration() -> None:
    with pytest.raises(TypeError, match=r"object of type 'TensorVariable' has no len\(\)"):
        len(x)  # type: ignore[arg-type]
    with pytest.raises(
        TypeError, match="^TensorType does not support iteration. Maybe you are using"
    ):
        list(x)
    with pytest.raises(ValueError, match=r"^length not known: y \[id A\]"):
        list(y)
    assert len(list(x.shape)) == 2
    assert len(list(T.as_tensor_variable([s, 1, 2]))) == 3
    assert len(list(T.constant([1, 2, 3])[1:])) == 2
    rows, columns = x.shape
    assert str(rows) == "Subtensor{int64}.0" and columns.type == T.lscalar


def test_unknown_operands_and_attributes() -> None:
    with pytest.raises(
        TypeError, match=r"unsupported operand type\(s\) for \+: 'TensorVariable' and 'str'"
    ):
        x + "a"
    with pytest.raises(TypeError, match="bad operand type for unary"):
        _ = +x
    with pytest.raises(AttributeError, match="'TensorVariable' object has no attribute 'foo'"):
        x.foo  # noqa: B018
    for convert in (int, float):
        with pytest.raises(TypeError):
            convert(s)


@pytest.mark.parametrize("left", [np.ones((2, 2)), np.float64(2), np.int8(1), 3, 2.5])
def test_numpy_on_the_left_gives_a_symbol(left: Any) -> None:
    for value in (left + x, left * x, left - x, left / x, left**x):
        assert isinstance(value, T.TensorVariable)
    assert isinstance(left > x, Variable)


def test_operators_make_the_operations_they_name() -> None:
    table = {
        "add": x + y,
        "sub": x - y,
        "mul": x * y,
        "true_div": x / y,
        "int_div": x // y,
        "mod": x % y,
        "pow": x**y,
        "neg": -x,
        "abs": abs(x),
        "lt": x < y,
        "and": iv & iv,
        "or": iv | iv,
        "xor": iv ^ iv,
        "invert": ~iv,
    }
    for short, value in table.items():
        assert value.owner.op.signature.short == short
    quotient, rest = divmod(x, y)
    assert quotient.owner.op == T.int_div and rest.owner.op == T.mod
    assert (2 - x).owner.inputs[1] is x
    assert (x @ y).owner.op == T.dot(x, y).owner.op


def test_functions_are_ops() -> None:
    assert T.exp(x).owner.op is T.exp
    assert isinstance(T.exp, T.Elemwise) and isinstance(T.exp, Op)
    assert T.add(s, s, s).owner.inputs[0].owner.op is T.add
    assert "xponential" in (T.exp.__doc__ or "")
    with pytest.raises(TypeError, match="found 1 operands; expected 2"):
        T.sub(x)


def test_types() -> None:
    assert x.type is T.dmatrix and T.matrix("m").type is T.dmatrix
    assert repr(T.dscalar) == "TensorType(float64, scalar)"
    assert [
        str(T.TensorType("int8", flags))
        for flags in [
            (),
            (False,),
            (True,),
            (False, True),
            (True, False),
            (True, True),
            (False,) * 3,
            (False,) * 5,
            (True, False, True),
        ]
    ] == [
        "TensorType(int8, scalar)",
        "TensorType(int8, vector)",
        "TensorType(int8, (True,))",
        "TensorType(int8, col)",
        "TensorType(int8, row)",
        "TensorType(int8, (True, True))",
        "TensorType(int8, 3D)",
        "TensorType(int8, 5D)",
        "TensorType(int8, (True, False, True))",
    ]
    assert str(T.TensorType("float64", (False,), name="hey")) == "hey"
    assert T.TensorType("float64", [0, 0]) == T.dmatrix
    assert len({T.TensorType("float64", [0, 0]), T.dmatrix}) == 1
    assert str(T.dscalar()) == "<TensorType(float64, scalar)>"
    assert T.dmatrix.clone(dtype="int8") == T.bmatrix
    with pytest.raises(TypeError, match="Unsupported dtype for TensorType: foo"):
        T.TensorType("foo", ())
    with pytest.raises(TypeError, match="name must be a string"):
        T.dscalar(5)  # type: ignore[arg-type]


def test_constructors() -> None:
    assert [str(v) for v in T.dmatrices("abc")] == ["a", "b", "c"]
    assert [str(v) for v in T.dscalars("x", "y")] == ["x", "y"]
    assert len(T.fvectors(3)) == 3
    assert T.col().broadcastable == (False, True) and T.frow("r").type == T.frow
    assert T.matrix("a", "int32").dtype == "int32" and T.scalar(dtype="floatX").dtype == "float64"
    assert T.tensor("int8", (True, False), name="q").name == "q"
    for prefix, dtype in [
        ("b", "int8"),
        ("w", "int16"),
        ("i", "int32"),
        ("l", "int64"),
        ("f", "float32"),
        ("d", "float64"),
    ]:
        for rank, kind in enumerate(["scalar", "vector", "matrix", "tensor3", "tensor4"]):
            type_ = getattr(T, prefix + kind)
            assert (type_.dtype, type_.ndim) == (dtype, rank)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: x[0, 0, 0], IndexError, "too many indices for array"),
        (lambda: x[1.5], TypeError, "index must be integers or a boolean mask"),
        (lambda: x[y], TypeError, "index must be integers"),
        (lambda: x["a"], TypeError, "index must be integers, found 'a'"),
        (lambda: x[..., ...], IndexError, "single Ellipsis"),
        (lambda: x[::0], ValueError, "slice step cannot be zero"),
        (lambda: x[x > 0], NotImplementedError, r"x\[mask\]: found a boolean index"),
        (lambda: x.sum(axis=2), ValueError, "Not enough dimensions on x to reduce on axis 2"),
        (lambda: x.sum(axis=1.5), TypeError, "axis: found 1.5 of type float; expected an integer"),
        (lambda: x.max(axis="a"), TypeError, "axis: found 'a' of type str; expected an integer"),
        (lambda: x.max(axis=-3), ValueError, "Not enough dimensions on x to reduce on axis -3"),
        (lambda: x.dimshuffle(0), ValueError, "You cannot drop a non-broadcastable dimension."),
        (lambda: x.dimshuffle(0, 0), ValueError, "The same input dimension may not appear twice"),
        (
            lambda: x.dimshuffle(3),
            ValueError,
            r"new_order\[0\] is 3, but the input only has 2 axes.",
        ),
        (lambda: x.dimshuffle("y"), TypeError,
         "DimShuffle indices must be python ints. Got: 'y' of type '<class 'str'>'."),
        (lambda: x.reshape(iv), ValueError, "The length of the provided shape"),
        (
            lambda: x.reshape(6),
            TypeError,
            "New shape in reshape must be a vector or a list/tuple of scalar",
        ),
        (lambda: x.reshape((y[0], 2)), TypeError, "Shape must be integers"),
        (lambda: x.reshape(x.shape, ndim=3), ValueError, "reshape: found 2 sizes and ndim=3"),
        (lambda: x.flatten(3), ValueError, r"ndim 3 out of bound \[1, 3\)"),
        (
            lambda: T.alloc(0, y[0]),
            TypeError,
            "Shape arguments to Alloc must be integers, but argument 0",
        ),
        (lambda: T.alloc(x, 3), TypeError, "The Alloc value to use has more dimensions"),
        (lambda: T.arange(y), TypeError, "arange: found a bound of 1 dimensions"),
        (lambda: T.nnet.softmax(iv), ValueError, "x must be 1-d or 2-d tensor of floats"),
        (lambda: T.nnet.categorical_crossentropy(x, s), TypeError, "rank mismatch between coding"),
        (lambda: T.nnet.categorical_crossentropy(x, y), TypeError, "integer vector required"),
        (lambda: T.set_subtensor(x, 1), TypeError, "x must be the result of a subtensor operation"),
        (
            lambda: T.set_subtensor(x[0], x),
            TypeError,
            "Trying to increment a 1-dimensional subtensor",
        ),
        (lambda: T.grap, AttributeError, "module 'tetractys.tensor' has no attribute 'grap'"),
    ],
)
def test_words_of_errors(make: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()


def flags(value: Any) -> tuple[bool, ...]:
    return value.type.broadcastable


def test_broadcastable_flags() -> None:
    row, column = T.row(), T.col()
    assert flags(row + column) == (False, False)
    assert flags(x[None]) == (True, False, False) and flags(x[:, None, 0]) == (False, True)
    assert flags(x.sum(axis=0, keepdims=True)) == (True, False)
    assert flags(x.mean(keepdims=True)) == (True, True)
    assert flags(T.alloc(0.0, 1, 2)) == (True, False) and flags(T.ones((1, iv[0]))) == (True, False)
    assert flags(x.reshape((1, -1))) == (True, False)
    assert flags(row[::-1]) == (True, False) and flags(row[0:1]) == (False, False)
    assert flags(row[:, 1:]) == (True, False)
    assert flags(row.T) == (False, True) and flags(T.nnet.softmax(y)) == (True, False)
    assert flags(T.as_tensor_variable([s])) == (True,) and flags(T.constant([[1, 2]])) == (
        True,
        False,
    )
    assert flags(row.flatten()) == (False,) and flags(row.squeeze()) == (False,)
    assert flags(T.addbroadcast(x, 0)) == (True, False) and flags(T.unbroadcast(row, 0)) == (
        False,
        False,
    )
    assert flags(T.shape_padleft(y, 2)) == (True, True, False)
    assert flags(T.shape_padright(y)) == (False, True)


def test_names_given_by_functions() -> None:
    assert [v.name for v in (x.mean(), x.max(), x.argmax(), x.var(), x.std(), x.T)] == [
        "mean",
        "max",
        "argmax",
        "var",
        "std",
        "x.T",
    ]


def test_known_scalars() -> None:
    assert T.get_scalar_constant_value(3) == 3
    assert T.row().shape[0].get_scalar_constant_value() == 1
    assert T.cast(T.constant(2.5), "int32").get_scalar_constant_value() == 2
    assert T.as_tensor_variable([s, 7])[1].get_scalar_constant_value() == 7
    with pytest.raises(T.NotScalarConstantError):
        x.get_scalar_constant_value()


def test_attributes_tags_copies() -> None:
    value = x + 1
    value.tag.test_value = 3
    value._keras_shape = (1, 2)
    assert (value.ndim, value.dtype, value.broadcastable) == (2, "float64", (False, False))
    twin = value.clone()
    assert twin.owner is None and twin.type == value.type and twin.tag.test_value == 3
    copied = copy.deepcopy(value)
    assert copied.owner.op == T.add and copied is not value
    loaded = pickle.loads(pickle.dumps(value))
    assert str(loaded) == str(value) and loaded.owner.inputs[0].name == "x"
    assert loaded.owner.inputs[0].type == T.dmatrix
