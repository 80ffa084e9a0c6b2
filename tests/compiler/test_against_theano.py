"""Single facts that were found to differ from Theano 1.0.5, each recorded from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tetractys as tt
import tetractys.tensor as T
from tetractys import In, function, shared


@pytest.mark.parametrize("dtype", ["bool", "int8", "int64", "uint8", "uint64"])
def test_mean_of_one_integer_is_float64(dtype: str) -> None:
    """Nothing is divided, and still; var and std too."""
    x = T.scalar("x", dtype=dtype)
    for value in function([x], [T.mean(x), x.var(), x.std()])(1):
        assert value.dtype == "float64"
    assert T.mean(T.scalar(dtype="float32")).dtype == "float32"


@pytest.mark.parametrize(
    ("dtype", "wanted"),
    [("bool", "float32"), ("int8", "float32"), ("uint16", "float32"), ("int32", "float64"),
     ("int64", "float64"), ("float32", "float32"), ("float64", "float64")],
)  # fmt: skip
def test_dtype_of_inv(dtype: str, wanted: str) -> None:
    assert T.inv(T.vector(dtype=dtype)).dtype == wanted


def test_downcast_of_python_values() -> None:
    """`allow_input_downcast=True`: integers wrap, NaN is no integer, words are no numbers."""
    x = T.bvector("x")
    f = function([x], x, allow_input_downcast=True)
    assert f([300, 1]).tolist() == [44, 1]
    assert f(np.array([300.5, 1.5])).tolist() == [44, 1]
    y = T.iscalar("y")
    g = function([y], y, allow_input_downcast=True)
    with pytest.raises(ValueError, match="cannot convert float NaN to integer"):
        g(float("nan"))
    with pytest.raises(ValueError, match="invalid literal for int"):
        g("a")


S, TWIN, X = T.dscalar("s"), T.dscalar("s"), T.dvector("x")
STATE = shared(0, name="c")


@pytest.mark.parametrize(
    ("kind", "words", "call"),
    [
        (TypeError, "Unknown input or state: z. The function has 2 named inputs (s, data).",
         lambda: function([S, In(X, name="data")], X * S)(1.0, z=[1.0])),
        (TypeError, "Multiple values for input: s", lambda: function([S], S)(1.0, s=2.0)),
        (TypeError, "Ambiguous name: s - please check the names of the inputs of your function",
         lambda: function([S, TWIN], S - TWIN)(1.0, s=2.0)),
        (ValueError, "Invalid value for keyword on_unused_input of tetractys.function: 'bad'.",
         lambda: function([S], S, on_unused_input="bad")),
        (RuntimeError, "You are trying to replace variable 's' through the `givens` parameter",
         lambda: function([S], S * 2, givens={S: TWIN})),
        (RuntimeError, "but this variable is an input to your function",
         lambda: function([S], S * 2, givens=[(S, TWIN)])),
        (ValueError, "The updates parameter must be an OrderedDict/dict or a list of lists/tuples",
         lambda: function([], [], updates=[STATE])),
        (ValueError, "The updates parameter must be an OrderedDict/dict or a list of lists/tuples",
         lambda: function([], [], updates=3)),
    ],
)  # fmt: skip
def test_words_of_errors(kind: type[Exception], words: str, call: Callable[[], Any]) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert words in str(caught.value)


ROWS, NUMBERS, INDEX = T.dmatrix("rows"), T.lvector("numbers"), T.lscalar("index")


@pytest.mark.parametrize(
    ("kind", "node", "make", "values"),
    [
        (ValueError, "Elemwise{add,no_inplace}(x, y)",
         lambda x, y: x + y, ([1.0], [1.0, 2.0])),
        (ValueError, "dot(rows, x)", lambda x, y: T.dot(ROWS, x), ([1.0], [1.0], np.ones((2, 3)))),
        (IndexError, "Subtensor{int64}(x, ScalarFromTensor.0)",
         lambda x, y: T.exp(x[INDEX]) * 2, ([1.0], [1.0], np.ones((1, 1)), [0], 5)),
        (IndexError, "AdvancedSubtensor1(rows, numbers)",
         lambda x, y: ROWS[NUMBERS], ([1.0], [1.0], np.ones((1, 1)), [7])),
        (ValueError, "IncSubtensor{Set;int64:int64:}(x, y, Constant{0}, Constant{2})",
         lambda x, y: T.set_subtensor(x[0:2], y), ([1.0, 2.0], [1.0])),
    ],
)  # fmt: skip
def test_run_time_errors_name_the_apply(
    kind: type[Exception], node: str, make: Callable[..., Any], values: tuple[Any, ...]
) -> None:
    """D12, with the line on which it was written, also of an index used elsewhere."""
    x, y = T.dvector("x"), T.dvector("y")
    f = function([x, y, ROWS, NUMBERS, INDEX], make(x, y), on_unused_input="ignore")
    rest = [np.ones((1, 1)), [0], 0]
    with pytest.raises(kind) as caught:
        f(*values, *rest[len(values) - 2 :])
    text = str(caught.value)
    assert f"\nApply node that caused the error: {node}\n" in text
    assert f'Backtrace when the node is created:\n  File "{__file__}", line ' in text
    assert "lambda x, y:" in text


def test_gradient_of_a_float32_softmax_is_finite() -> None:
    """Where a probability is exactly 0, whatever surrounds it."""
    x, b, y = T.fmatrix("x"), T.fvector("b"), T.ivector("y")
    p = T.nnet.softmax(x + b)
    cost = -T.mean(T.log(p)[T.arange(y.shape[0]), y])
    f = function([x, b, y], [T.grad(cost, x), T.neq(T.argmax(p, axis=1), y).mean()])
    slope, error = f(np.array([[1000, 0, -1000]], "f"), np.zeros(3, "f"), np.array([1], "i"))
    np.testing.assert_allclose(slope, [[1, -1, 0]])
    assert error == 1.0


def test_terms_of_a_gradient_stand_in_theanos_order() -> None:
    """A walk from the cost, operands in turn; see also recorded/trees.txt."""
    x = T.dvector("x")
    assert tt.pp(T.grad((x + T.exp(x)).sum(), x)) == (
        "(fill((x + exp(x)), fill(Sum{acc_dtype=float64}((x + exp(x))), TensorConstant{1.0})) + "
        "(fill((x + exp(x)), fill(Sum{acc_dtype=float64}((x + exp(x))), TensorConstant{1.0})) "
        "* exp(x)))"
    )


@pytest.mark.parametrize("second", range(5))
@pytest.mark.parametrize("first", range(5))
def test_dot_in_all_rank_pairs(first: int, second: int) -> None:
    """NumPy's, and the gradient of a sum of squares."""
    rng = np.random.default_rng(0)
    shapes = [(), (4,), (4, 4), (2, 4, 4), (3, 2, 4, 4)]
    a, b = (T.TensorType("float64", (False,) * rank)() for rank in (first, second))
    x, y = rng.standard_normal(shapes[first]), rng.standard_normal(shapes[second])
    product = T.dot(a, b)
    value, slope = function([a, b], [product, T.grad((product**2).sum(), a)])(x, y)
    wanted = np.dot(x, y)
    np.testing.assert_allclose(value, wanted, rtol=1e-12, atol=1e-13)
    step = 1e-6 * rng.standard_normal(x.shape)
    change = (np.dot(x + step, y) ** 2).sum() - (np.dot(x - step, y) ** 2).sum()
    np.testing.assert_allclose((slope * step).sum(), change / 2, rtol=1e-6, atol=1e-9)


def test_dot_of_arrays_keeps_flags_and_checks_sizes() -> None:
    t = T.TensorType("float64", (True, False, False))("t")
    m = T.dmatrix("m")
    assert T.dot(t, m).broadcastable == (True, False, False)
    f = function([t, m], T.dot(t, m))
    assert f(np.zeros((1, 0, 3)), np.zeros((3, 2))).shape == (1, 0, 2)
    with pytest.raises(ValueError, match=r"not aligned: 3 \(dim 1\) != 2 \(dim 0\)"):
        f(np.zeros((1, 2, 3)), np.zeros((2, 2)))


def test_quotient_of_integers_in_float32_is_rounded_once() -> None:
    """Theano's C code divides in double: `((double)x) / y`."""
    with tt.config.change_flags(floatX="float32"):
        x, y = T.ivector("x"), T.ivector("y")
        quotient = x / y
        assert quotient.dtype == "float32"
        (found,) = function([x, y], quotient)([16777217], [16777219])
    assert found == np.float32(16777217 / 16777219)
    assert found != np.float32(16777217) / np.float32(16777219)


@pytest.mark.parametrize("dtype", ["uint8", "uint64", "int8"])
def test_arange_of_unsigned_numbers_that_go_down_is_empty(dtype: str) -> None:
    """Theano counts with Python's integers; NumPy's unsigned ones would wrap around."""
    start, stop = T.scalar(dtype=dtype), T.scalar(dtype=dtype)
    f = function([start, stop], T.arange(start, stop, dtype=dtype))
    assert f(5, 2).tolist() == [] and f(2, 5).tolist() == [2, 3, 4]


@pytest.mark.parametrize(
    ("apply", "shape"),
    [(T.nnet.softmax, (0, 3)), (T.nnet.logsoftmax, (0, 3)), (lambda x: T.max(x, axis=1), (0,)),
     (lambda x: T.argmax(x, axis=1), (0,))],
    ids=["softmax", "logsoftmax", "max", "argmax"],
)  # fmt: skip
def test_rows_without_elements_and_no_rows(
    apply: Callable[[Any], Any], shape: tuple[int, ...]
) -> None:
    """No rows: no result. Rows without elements: an error, also where there are none of them."""
    x = T.dmatrix("x")
    f = function([x], apply(x))
    assert f(np.zeros((0, 3))).shape == shape
    for empty in ((3, 0), (0, 0)):
        with pytest.raises(ValueError, match="empty sequence|zero-size array to reduction op"):
            f(np.zeros(empty))
