"""The level-1 interpreter: every operation against NumPy written out, strictness, error texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tetractys.dialects import elemwise_signatures as ew
from tetractys.dialects import tensor_signatures as ts
from tetractys.dialects.scalar_table import TABLE, default_props
from tetractys.dialects.signature import Spec
from tetractys.oracle import assert_agree
from tetractys.oracle.program import parse, program
from tetractys.oracle.tensor import run

F1: Spec = ("float64", (-1,))
X = np.array([[1.0, 2.0, -3.0], [4.0, -5.0, 6.0]])
V = np.array([0.5, -1.0, 2.0])
IDX = np.array([1, 0, 1])
N = np.array(2)


def specs_of(args: tuple[np.ndarray, ...]) -> list[Spec]:
    return [(a.dtype.name, (-1,) * a.ndim) for a in args]


def outcome(signature: Any, *args: np.ndarray, **props: object) -> list[np.ndarray]:
    module = program(specs_of(args), lambda b, *xs: b.all(signature, xs, props))
    module.verify()
    return run(module, args)


CASES: list[tuple[Any, tuple[Any, ...], dict[str, object], Any]] = [
    (ts.DIMSHUFFLE, (X,), {"order": (1, -1, 0)}, X.T[:, None, :]),
    (ts.RESHAPE_TO, (X, np.array([3, -1])), {"ndim": 2, "ones": ()}, X.reshape(3, 2)),
    (ts.SHAPE, (X,), {}, np.array([2, 3])),
    (ts.SIZE, (X,), {"dim": 1}, np.array(3)),
    (ts.MAKE_VECTOR, (N, N), {"dtype": "float64"}, np.array([2.0, 2.0])),
    (ts.ALLOC, (V, N, np.array(3)), {"ones": ()}, np.array([V, V])),
    (ts.ARANGE, (N, np.array(9), np.array(3)), {"dtype": "int64"}, np.array([2, 5, 8])),
    (ts.REDUCE, (X,), {"kind": "add", "axes": (0,)}, X.sum(0)),
    (ts.REDUCE, (X,), {"kind": "mul", "axes": (0, 1)}, np.array(720.0)),
    (ts.REDUCE, (X,), {"kind": "max", "axes": (1,)}, np.array([2.0, 6.0])),
    (ts.REDUCE, (X,), {"kind": "min", "axes": (1,)}, np.array([-3.0, -5.0])),
    (ts.REDUCE, (IDX,), {"kind": "and", "axes": (0,)}, np.array(0)),
    (ts.REDUCE, (IDX > 0,), {"kind": "or", "axes": (0,)}, np.array(True)),
    (ts.REDUCE, (IDX.astype("int8"),), {"kind": "add", "axes": (0,)}, np.array(2)),
    (ts.DOT, (X, V), {}, X @ V),
    (ts.DOT, (V, V), {}, np.array(5.25)),
    (ts.GEMM, (X, X), {"transpose_b": True}, X @ X.T),
    (ts.GEMM, (X, X), {"transpose_a": True}, X.T @ X),
    (ts.SOFTMAX, (np.zeros((1, 4)),), {}, np.full((1, 4), 0.25)),
    (ts.LOG_SOFTMAX, (np.zeros((1, 4)),), {}, np.full((1, 4), -np.log(4))),
    (ts.SUBTENSOR, (X, N), {"slices": "1, @"}, np.array(6.0)),
    (ts.SUBTENSOR, (X, N), {"slices": ":, :@"}, X[:, :2]),
    (ts.SUBTENSOR, (X,), {"slices": ":, ::-1"}, X[:, ::-1]),
    (ts.INC_SUBTENSOR, (X, V), {"slices": "-1"}, X + np.array([[0, 0, 0], V])),
    (ts.INC_SUBTENSOR, (X, V), {"slices": "-1", "set": True}, np.array([X[0], V])),
    (ts.ADVANCED_SUBTENSOR, (X, IDX), {}, X[IDX]),
    (ts.ADVANCED_SUBTENSOR, (X, IDX, -IDX), {}, X[IDX, -IDX]),
    (ts.ADVANCED_INC_SUBTENSOR, (X, X[IDX], IDX), {}, X + np.array([X[0], 2 * X[1]])),
    (ts.ADVANCED_INC_SUBTENSOR, (X, X[IDX] + 1, IDX), {"set": True}, X + 1),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].short)
def test_operation(case: tuple[Any, tuple[Any, ...], dict[str, object], Any]) -> None:
    signature, args, props, wanted = case
    assert_agree(outcome(signature, *args, **props)[0], np.asarray(wanted), ulps=1)


def test_every_tensor_operation_has_a_case() -> None:
    covered = {case[0] for case in CASES} | {ts.MAX_AND_ARGMAX, ts.CHECK_EQUAL, ts.GRAD}
    assert covered == set(ts.SIGNATURES.values())


def test_max_and_argmax_takes_the_first_and_propagates_nan() -> None:
    values = np.array([[1.0, 3.0, 3.0], [np.nan, 9.0, np.nan]])
    largest, position = outcome(ts.MAX_AND_ARGMAX, values, axes=(1,))
    assert_agree(largest, np.array([3.0, np.nan]))
    assert_agree(position, np.array([1, 0]))
    largest, position = outcome(ts.MAX_AND_ARGMAX, values[:1], axes=(0, 1))
    assert (largest, position) == (3.0, 1)


def test_zeros_of_a_maximum_have_a_sign() -> None:
    assert_agree(outcome(ts.REDUCE, np.array([-0.0, 0.0]), kind="max", axes=(0,))[0], np.array(0.0))
    assert_agree(
        outcome(ts.REDUCE, np.array([0.0, -0.0]), kind="min", axes=(0,))[0], np.array(-0.0)
    )
    assert_agree(outcome(ts.REDUCE, np.array([-0.0, -1]), kind="max", axes=(0,))[0], np.array(-0.0))


def test_float32_sums_accumulate_in_float64() -> None:
    values = np.full(10_001, 0.1, np.float32)
    wanted = np.float32(values.astype(np.float64).sum())
    assert_agree(outcome(ts.REDUCE, values, kind="add", axes=(0,))[0], wanted)


@pytest.mark.parametrize("name", [name for name in ew.SIGNATURES if name != "constant"])
def test_elementwise_operation_is_the_table(name: str) -> None:
    signature, rng = ew.SIGNATURES[name], np.random.default_rng(0)
    dtype = "int64" if name in ("and", "or", "xor", "invert", "shl", "shr", "sar") else "float64"
    props = default_props(signature)
    dtypes = [dtype] * (signature.arity or 0)
    if signature is ew.LIBM_WHERE:
        dtypes[0] = "bool"
    args = TABLE[signature].operands(dtypes, props, rng)
    with np.errstate(all="ignore"):
        wanted = TABLE[signature].reference(
            args, signature.dtype_rule(dtypes, props), props
        )
    assert_agree(outcome(signature, *args, **props)[0], wanted)


def test_only_a_static_one_broadcasts() -> None:
    text = """func.func @main(%x: tensor<1x?xf64>, %y: tensor<?x?xf64>) -> tensor<?x?xf64> {
      %0 = elemwise.add %x, %y : (tensor<1x?xf64>, tensor<?x?xf64>) -> tensor<?x?xf64>
      func.return %0 : tensor<?x?xf64>
    }"""
    assert_agree(run(parse(text), [np.ones((1, 3)), np.ones((2, 3))])[0], np.full((2, 3), 2.0))
    with pytest.raises(
        ValueError,
        match=r"Input dimension mis-match. \(input\[0\].shape\[1\] = 1, "
        r"input\[1\].shape\[1\] = 3\)",
    ):
        run(parse(text), [np.ones((1, 1)), np.ones((2, 3))])
    with pytest.raises(TypeError, match=r"argument 0: found shape \(2, 3\); expected \(1, -1\)"):
        run(parse(text), [np.ones((2, 3)), np.ones((2, 3))])
    with pytest.raises(TypeError, match="argument 0: found float32"):
        run(parse(text), [np.ones((1, 3), np.float32), np.ones((2, 3))])


def test_composite_is_its_operations() -> None:
    text = """func.func @main(%x: tensor<?xf64>, %y: tensor<1xf64>)
      -> (tensor<?xf64>, tensor<?xi1>) {
      %0, %1 = elemwise.composite (%a = %x : tensor<?xf64>, %b = %y : tensor<1xf64>)
          -> tensor<?xf64>, tensor<?xi1> {
        %two = elemwise.constant 2.0 : f64
        %m = elemwise.mul %a, %b : f64
        %s = elemwise.add %m, %two : f64
        %l = elemwise.lt %a, %b : (f64, f64) -> i1
        elemwise.yield %s, %l : f64, i1
      }
      func.return %0, %1 : tensor<?xf64>, tensor<?xi1>
    }"""
    first, second = run(parse(text), [V, np.array([0.75])])
    assert_agree(first, V * 0.75 + 2)
    assert_agree(second, V < 0.75)


ERRORS: list[tuple[type[Exception], str, Callable[[], object]]] = [
    (
        IndexError,
        "index 7 is out of bounds",
        lambda: outcome(ts.SUBTENSOR, X, np.array(7), slices="@"),
    ),
    (
        IndexError,
        "index -3 is out of bounds",
        lambda: outcome(ts.ADVANCED_SUBTENSOR, X, np.array([0, -3])),
    ),
    (
        IndexError,
        "shape mismatch: indexing arrays could not be broadcast",
        lambda: outcome(ts.ADVANCED_SUBTENSOR, X, np.array([0]), np.array([0, 1])),
    ),
    (ValueError, "not aligned", lambda: outcome(ts.DOT, X, X)),
    (
        ValueError,
        "cannot reshape array of size 6",
        lambda: outcome(ts.RESHAPE_TO, X, np.array([4, 2]), ndim=2, ones=()),
    ),
    (
        ValueError,
        "negative dimensions are not allowed",
        lambda: outcome(ts.ALLOC, V, np.array(-1), np.array(3), ones=()),
    ),
    (ValueError, "no identity", lambda: outcome(ts.REDUCE, np.zeros(0), kind="max", axes=(0,))),
    (
        ValueError,
        "sizes 2 and 3 differ",
        lambda: outcome(ts.CHECK_EQUAL, N, np.array(3), message="sizes {0} and {1} differ"),
    ),
    (NotImplementedError, "run the pass autodiff", lambda: outcome(ts.GRAD, np.array(1.0))),
]


@pytest.mark.parametrize("case", ERRORS, ids=lambda case: case[1])
def test_error(case: tuple[type[Exception], str, Callable[[], object]]) -> None:
    error, words, call = case
    with pytest.raises(error, match=words):
        call()
