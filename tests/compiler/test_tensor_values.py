"""What the functions mean: graph -> IR -> the NumPy interpreter of level 1, against NumPy.

No compiled code is involved: this holds the graphs that the functions build, and their types.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tetractys.tensor as T
from tetractys.compile.request import Request
from tetractys.compile.to_ir import graph_to_ir
from tetractys.graph import Constant, inputs
from tetractys.oracle.tensor import run

rng = np.random.default_rng(3)
VALUES: dict[str, np.ndarray] = {
    "x": rng.normal(size=(3, 4)),
    "z": rng.normal(size=(4, 5)),
    "y": rng.normal(size=4),
    "t": rng.normal(size=(3, 4, 2)),
    "s": np.array(0.7),
    "i": np.array([2, 0, 1], dtype="int32"),
    "k": np.array([3, -1, 0], dtype="int64"),
    "n": np.array(2, dtype="int64"),
    "m": np.array([[0, 2], [1, 1]], dtype="int64"),
    "a": np.array([[-128, 5, 127], [3, -7, 0]], dtype="int8"),
    "u": np.array([0, 255, 7], dtype="uint8"),
    "b": np.array([True, False, True]),
    "f": rng.normal(size=(2, 3)).astype("float32"),
    "r": rng.normal(size=(1, 4)),
}
FLAGS = {"r": (True, False)}
V: dict[str, Any] = {
    name: T.TensorType(value.dtype, FLAGS.get(name, (False,) * value.ndim))(name)
    for name, value in VALUES.items()
}


def value_of(symbol: Any) -> np.ndarray:
    """The value of a variable of `V`s, computed by the interpreter of level 1."""
    leaves = [leaf for leaf in inputs([symbol]) if not isinstance(leaf, Constant)]
    request = Request(inputs=leaves, shareds=[], results=[symbol], site=("test", 1))
    module = graph_to_ir(request)
    module.verify()
    arguments = [VALUES[leaf.name] for leaf in leaves]
    constants = [constant.data for constant in request.constants]
    return run(module, [*arguments, *constants])[0]


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def written(target: np.ndarray, index: Any, value: Any, add: bool = False) -> np.ndarray:
    result = target.copy()
    if add:
        np.add.at(result, index, value)
    else:
        result[index] = value
    return result


Case = Callable[[Any], Any]
CASES: dict[str, tuple[Case, Case]] = {
    # Indexing.
    "integer": (lambda v: v.x[1], lambda v: v.x[1]),
    "negative integers": (lambda v: v.x[-1, -2], lambda v: v.x[-1, -2]),
    "slices": (lambda v: v.x[1:, :-1], lambda v: v.x[1:, :-1]),
    "steps": (lambda v: v.x[::-1, 3:0:-2], lambda v: v.x[::-1, 3:0:-2]),
    "symbolic integer": (lambda v: v.x[v.n], lambda v: v.x[2]),
    "symbolic bounds": (lambda v: v.x[v.n - 1 : v.n + 1, : v.i[0]], lambda v: v.x[1:3, :2]),
    "numpy integer": (lambda v: v.x[np.int8(1)], lambda v: v.x[1]),
    "ellipsis": (lambda v: v.t[..., 0], lambda v: v.t[..., 0]),
    "ellipsis in the middle": (lambda v: v.t[1, ..., 0], lambda v: v.t[1, ..., 0]),
    "new axes": (lambda v: v.x[None, :, None, 1], lambda v: v.x[None, :, None, 1]),
    "new axis last": (lambda v: v.x[..., None], lambda v: v.x[..., None]),
    "out of range slice": (lambda v: v.x[5:], lambda v: v.x[5:]),
    "broadcast slice": (lambda v: v.r[::-1], lambda v: v.r[::-1]),
    # Index arrays.
    "rows": (lambda v: v.x[v.i], lambda v: v.x[v.i]),
    "columns": (lambda v: v.x[:, v.i], lambda v: v.x[:, v.i]),
    "list": (lambda v: v.x[[0, 2]], lambda v: v.x[[0, 2]]),
    "numpy index": (lambda v: v.x[np.array([0, 2])], lambda v: v.x[[0, 2]]),
    "matrix of rows": (lambda v: v.x[v.m], lambda v: v.x[v.m]),
    "the seed's idiom": (
        lambda v: v.x[T.arange(v.i.shape[0]), v.i],
        lambda v: v.x[np.arange(3), v.i],
    ),
    "two vectors": (lambda v: v.t[v.i, v.k], lambda v: v.t[v.i, v.k]),
    "vector and integer": (lambda v: v.x[v.i, 1], lambda v: v.x[v.i, 1]),
    "vector and symbolic integer": (lambda v: v.x[v.i, v.n], lambda v: v.x[v.i, 2]),
    "vector and slice": (lambda v: v.x[v.i, 1:3], lambda v: v.x[v.i, 1:3]),
    "slice and vectors": (lambda v: v.t[1:, v.i, 0], lambda v: v.t[1:, v.i, 0]),
    "vectors apart": (lambda v: v.t[v.i, :, [0, 1, 0]], lambda v: v.t[v.i, :, [0, 1, 0]]),
    # Writing.
    "set": (lambda v: T.set_subtensor(v.x[0], 1), lambda v: written(v.x, 0, 1)),
    "set a part": (
        lambda v: T.set_subtensor(v.x[1:, 1], v.s),
        lambda v: written(v.x, np.s_[1:, 1], v.s),
    ),
    "set broadcast": (
        lambda v: T.set_subtensor(v.x[:2], v.y),
        lambda v: written(v.x, np.s_[:2], v.y),
    ),
    "set casts": (lambda v: T.set_subtensor(v.i[0], 1.9), lambda v: written(v.i, 0, 1)),
    "inc": (
        lambda v: T.inc_subtensor(v.x[::2, v.n], 5),
        lambda v: written(v.x, np.s_[::2, 2], 5, True),
    ),
    "inc duplicates": (
        lambda v: T.inc_subtensor(v.x[[0, 0, 1]], 1.0),
        lambda v: written(v.x, [0, 0, 1], 1.0, True),
    ),
    "inc columns": (
        lambda v: T.inc_subtensor(v.x[:, v.i], v.s),
        lambda v: written(v.x, np.s_[:, v.i], v.s, True),
    ),
    "set pairs": (
        lambda v: T.set_subtensor(v.x[T.arange(3), v.i], 0.0),
        lambda v: written(v.x, (np.arange(3), v.i), 0),
    ),
    "set a new axis": (
        lambda v: T.set_subtensor(v.x[1][None], v.r),
        lambda v: written(v.x, 1, v.r[0]),
    ),
    "set by a matrix": (lambda v: T.set_subtensor(v.x[v.m], 2.0), lambda v: written(v.x, v.m, 2.0)),
    "set vector and slice": (
        lambda v: T.set_subtensor(v.x[v.i, 1:3], v.s),
        lambda v: written(v.x, np.s_[v.i, 1:3], v.s),
    ),
    "inc slice and vectors": (
        lambda v: T.inc_subtensor(v.t[1:, v.i, 0], 1.0),
        lambda v: written(v.t, np.s_[1:, v.i, 0], 1.0, True),
    ),
    "set behind a new axis": (
        lambda v: T.set_subtensor(v.x[None, 1], 5.0),
        lambda v: written(v.x, 1, 5.0),
    ),
    "set in a slice of a slice": (
        lambda v: T.set_subtensor(v.x[1:][0], 5.0),
        lambda v: written(v.x[1:], 0, 5.0),
    ),
    # Reductions.
    "sum": (lambda v: v.x.sum(), lambda v: v.x.sum()),
    "sum over two": (lambda v: v.t.sum(axis=(0, -1)), lambda v: v.t.sum(axis=(0, 2))),
    "sum kept": (
        lambda v: v.x.sum(axis=1, keepdims=True),
        lambda v: v.x.sum(axis=1, keepdims=True),
    ),
    "sum of int8": (lambda v: v.a.sum(axis=0), lambda v: v.a.sum(axis=0)),
    "sum of float32": (lambda v: v.f.sum(), lambda v: v.f.sum(dtype="float64").astype("float32")),
    "sum of bools": (lambda v: v.b.sum(), lambda v: v.b.sum()),
    "prod": (lambda v: v.x.prod(axis=0), lambda v: v.x.prod(axis=0)),
    "mean": (lambda v: v.t.mean(axis=1), lambda v: v.t.mean(axis=1)),
    "mean of integers": (lambda v: v.a.mean(), lambda v: v.a.mean()),
    "mean kept": (lambda v: v.x.mean(keepdims=True), lambda v: v.x.mean(keepdims=True)),
    "var": (lambda v: v.x.var(axis=0), lambda v: v.x.var(axis=0)),
    "var with ddof": (lambda v: v.x.var(ddof=1), lambda v: v.x.var(ddof=1)),
    "corrected var": (lambda v: T.var(v.x, corrected=True), lambda v: v.x.var()),
    "std kept": (
        lambda v: v.x.std(axis=1, keepdims=True),
        lambda v: v.x.std(axis=1, keepdims=True),
    ),
    "max": (lambda v: v.x.max(axis=-1), lambda v: v.x.max(axis=-1)),
    "max over two": (lambda v: v.t.max(axis=(0, 2)), lambda v: v.t.max(axis=(0, 2))),
    "min": (lambda v: v.x.min(axis=0, keepdims=True), lambda v: v.x.min(axis=0, keepdims=True)),
    "min of int8": (lambda v: v.a.min(axis=1), lambda v: v.a.min(axis=1)),
    "min of uint8": (lambda v: v.u.min(), lambda v: v.u.min()),
    "min of bools": (lambda v: v.b.min(), lambda v: v.b.min()),
    "argmax": (lambda v: v.x.argmax(axis=0), lambda v: v.x.argmax(axis=0)),
    "argmax of all": (lambda v: v.x.argmax(), lambda v: v.x.argmax()),
    "argmax over two": (
        lambda v: v.t.argmax(axis=(1, 2)),
        lambda v: v.t.reshape(3, -1).argmax(axis=1),
    ),
    "argmin of int8": (lambda v: v.a.argmin(axis=1), lambda v: v.a.argmin(axis=1)),
    "any": (lambda v: v.b.any(), lambda v: v.b.any()),
    "all of numbers": (lambda v: v.a.all(axis=0), lambda v: v.a.all(axis=0)),
    "ptp": (lambda v: T.ptp(v.x, axis=0), lambda v: np.ptp(v.x, axis=0)),
    "norm": (lambda v: v.x.norm(2), lambda v: np.sqrt((v.x**2).sum())),
    # Shapes.
    "transpose": (lambda v: v.t.transpose(2, 0, 1), lambda v: v.t.transpose(2, 0, 1)),
    "T": (lambda v: v.t.T, lambda v: v.t.T),
    "swapaxes": (lambda v: v.t.swapaxes(0, -1), lambda v: v.t.swapaxes(0, -1)),
    "dimshuffle": (lambda v: v.x.dimshuffle(1, "x", 0), lambda v: v.x.T[:, None]),
    "drop": (lambda v: v.r.dimshuffle(1), lambda v: v.r[0]),
    "squeeze": (lambda v: v.r.squeeze(), lambda v: v.r[0]),
    "reshape": (lambda v: v.x.reshape((2, 6)), lambda v: v.x.reshape(2, 6)),
    "reshape with a hole": (lambda v: v.t.reshape((v.n, -1)), lambda v: v.t.reshape(2, -1)),
    "reshape to a shape": (lambda v: v.x.T.reshape(v.x.shape), lambda v: v.x.T.reshape(3, 4)),
    "reshape to a row": (lambda v: v.y.reshape((1, -1)), lambda v: v.y[None]),
    "reshape to a scalar": (lambda v: v.x[:1, :1].reshape(()), lambda v: v.x[0, 0]),
    "flatten": (lambda v: v.t.flatten(), lambda v: v.t.ravel()),
    "flatten to two": (lambda v: v.t.flatten(2), lambda v: v.t.reshape(3, -1)),
    "ravel": (lambda v: v.x.ravel(), lambda v: v.x.ravel()),
    "shape": (lambda v: v.t.shape, lambda v: np.array([3, 4, 2])),
    "size": (lambda v: v.t.size, lambda v: np.array(24)),
    "addbroadcast": (lambda v: T.addbroadcast(v.x[:1], 0) + v.x, lambda v: v.x[:1] + v.x),
    "unbroadcast": (lambda v: T.unbroadcast(v.r, 0), lambda v: v.r),
    "padleft": (lambda v: T.shape_padleft(v.y, 2), lambda v: v.y[None, None]),
    "padaxis": (lambda v: T.shape_padaxis(v.x, 1), lambda v: v.x[:, None]),
    # Making arrays.
    "alloc": (lambda v: T.alloc(v.y, v.n, 4), lambda v: np.tile(v.y, (2, 1))),
    "zeros": (lambda v: T.zeros((2, v.n)), lambda v: np.zeros((2, 2))),
    "zeros in a shape": (lambda v: T.zeros(v.x.shape, "int8"), lambda v: np.zeros((3, 4), "int8")),
    "zeros of a size": (lambda v: T.zeros(v.n), lambda v: np.zeros(2)),
    "ones_like": (lambda v: T.ones_like(v.x, dtype="int32"), lambda v: np.ones((3, 4), "int32")),
    "fill": (lambda v: v.x.fill(v.s), lambda v: np.full((3, 4), 0.7)),
    "arange": (lambda v: T.arange(1, 10, 3), lambda v: np.arange(1, 10, 3)),
    "arange down": (lambda v: T.arange(v.n, -4, -2), lambda v: np.arange(2, -4, -2)),
    "arange of floats": (lambda v: T.arange(v.s), lambda v: np.arange(0.7)),
    "stack": (lambda v: T.stack([v.s, 1, v.n]), lambda v: np.array([0.7, 1, 2])),
    # Products.
    "dot 22": (lambda v: T.dot(v.x, v.z), lambda v: v.x @ v.z),
    "dot 21": (lambda v: T.dot(v.x, v.y), lambda v: v.x @ v.y),
    "dot 12": (lambda v: T.dot(v.y, v.z), lambda v: v.y @ v.z),
    "dot 11": (lambda v: v.y.dot(v.y), lambda v: v.y @ v.y),
    "dot 20": (lambda v: T.dot(v.x, v.s), lambda v: v.x * v.s),
    "dot with a list": (lambda v: T.dot(v.x, [1, 2, 3, 4]), lambda v: v.x @ np.arange(1, 5)),
    "matmul": (lambda v: v.x @ v.z, lambda v: v.x @ v.z),
    "outer": (lambda v: T.outer(v.y, v.i), lambda v: np.outer(v.y, v.i)),
    # Elementwise.
    "broadcast": (lambda v: v.x * v.r + v.y, lambda v: v.x * v.r + v.y),
    "constants": (lambda v: 2 - v.x / 3 + 0.1, lambda v: 2 - v.x / 3 + 0.1),
    "integer division": (lambda v: v.k // 2, lambda v: v.k // 2),
    "modulus": (lambda v: v.k % 2, lambda v: v.k % 2),
    "true division of integers": (lambda v: v.k / v.n, lambda v: v.k / v.n),
    "comparison": (lambda v: (v.x > 0) & (v.x < v.y), lambda v: (v.x > 0) & (v.x < v.y)),
    "switch": (lambda v: T.switch(v.x > 0, v.x, -1), lambda v: np.where(v.x > 0, v.x, -1)),
    "clip": (lambda v: v.x.clip(-0.5, v.s), lambda v: v.x.clip(-0.5, 0.7)),
    "clip with crossed bounds": (lambda v: T.clip(v.k, 1, 0), lambda v: np.array([0, 1, 1])),
    "cast": (lambda v: v.x.astype("int8"), lambda v: v.x.astype("int8")),
    "copy": (lambda v: v.x.copy(), lambda v: v.x),
    "several": (lambda v: T.add(v.s, v.s, v.n), lambda v: v.s + v.s + v.n),
    "inv": (lambda v: T.inv(v.s), lambda v: 1 / v.s),
    "isclose": (lambda v: T.isclose(v.x, v.x + 1e-9), lambda v: np.ones((3, 4), bool)),
    # nnet.
    "softmax": (lambda v: T.nnet.softmax(v.x), lambda v: softmax(v.x)),
    "softmax of a vector": (lambda v: T.nnet.softmax(v.y), lambda v: softmax(v.y)[None]),
    "logsoftmax": (lambda v: T.nnet.logsoftmax(v.x), lambda v: np.log(softmax(v.x))),
    "relu": (lambda v: T.nnet.relu(v.x), lambda v: np.maximum(v.x, 0)),
    "leaky relu": (lambda v: T.nnet.relu(v.x, 0.1), lambda v: np.where(v.x > 0, v.x, 0.1 * v.x)),
    "cross-entropy with numbers": (
        lambda v: T.nnet.categorical_crossentropy(T.nnet.softmax(v.x), v.i),
        lambda v: -np.log(softmax(v.x)[np.arange(3), v.i]),
    ),
    "cross-entropy with a distribution": (
        lambda v: T.nnet.categorical_crossentropy(T.nnet.softmax(v.x), T.nnet.softmax(-v.x)),
        lambda v: -(softmax(-v.x) * np.log(softmax(v.x))).sum(axis=1),
    ),
    "binary cross-entropy": (
        lambda v: T.nnet.binary_crossentropy(T.nnet.sigmoid(v.x), v.x > 0),
        lambda v: np.where(v.x > 0, np.log1p(np.exp(-v.x)), np.log1p(np.exp(v.x))),
    ),
    "stable binary cross-entropy": (
        lambda v: T.nnet.sigmoid_binary_crossentropy(v.x, v.x > 0),
        lambda v: np.where(v.x > 0, np.log1p(np.exp(-v.x)), np.log1p(np.exp(v.x))),
    ),
}


class Names:
    """`v.x` for `table["x"]`."""

    def __init__(self, table: dict[str, Any]) -> None:
        self.__dict__.update(table)


@pytest.mark.parametrize("name", CASES)
def test_value(name: str) -> None:
    build, reference = CASES[name]
    symbol = build(Names(V))
    found, want = value_of(symbol), np.asarray(reference(Names(VALUES)))
    assert found.dtype == symbol.type.dtype
    assert found.ndim == symbol.type.ndim and found.shape == want.shape
    np.testing.assert_allclose(found, want, rtol=1e-12 if found.dtype != "float32" else 1e-6)
    for flag, size in zip(symbol.type.broadcastable, found.shape, strict=True):
        assert not flag or size == 1
