"""Gradient descent on rows of a table: the bits of the dense update, at the cost of the rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tetractys as tt
import tetractys.tensor as T
from tetractys import shared

ROWS = 40
FORMS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "a learning rate": lambda w, g, lr: w - lr * g,
    "a constant": lambda w, g, lr: w - T.cast(0.1, w.dtype) * g,
    "added": lambda w, g, lr: w + (-lr) * g,
    "divided": lambda w, g, lr: w - g / lr,
    "as it is": lambda w, g, lr: w - g,
    "twice": lambda w, g, lr: w - lr * (g * T.cast(0.5, w.dtype)),
}
RATES = (0.1, -0.1, 0.0, -0.0, float("nan"), float("inf"), -float("inf"), 1e-310)


def with_specials(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Any:
    """Numbers with zeros of both signs among them."""
    value = rng.normal(size=shape).astype(dtype)
    value[rng.random(shape) < 0.2] = -0.0
    value[rng.random(shape) < 0.1] = 0.0
    return value


def bits(value: Any) -> list[Any]:
    """The bits of an array; NaNs are all one."""
    return np.where(np.isnan(value), np.nan, value).view(f"i{value.itemsize}").tolist()


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", FORMS)
def test_the_bits_of_the_dense_update(name: str, dtype: str, rank: int) -> None:
    rng = np.random.default_rng(rank)
    shape = (ROWS, 5, 3)[:rank]
    start = with_specials(rng, shape, dtype)
    start.flat[3], start.flat[5] = np.nan, np.inf
    idx, lr = T.lvector("idx"), T.scalar("lr", dtype=dtype)
    g = T.TensorType(dtype, (False,) * rank)("g")
    functions = []
    for mode in ("FAST_RUN", "FAST_COMPILE"):
        w = shared(start)
        gradient = T.grad((w[idx] * g).sum(), w)
        updates = [(w, FORMS[name](w, gradient, lr))]
        f = tt.function([idx, g, lr], [], updates=updates, mode=mode, on_unused_input="ignore")
        functions.append((w, f))
    assert "unset" in functions[0][1].ir(after="move-indexing")
    for count in (0, 1, 7, ROWS // 2, ROWS // 2 + 1, ROWS + 9):
        for rate in RATES:
            picked = rng.integers(-ROWS, ROWS, count)
            value = with_specials(rng, (count, *shape[1:]), dtype)
            found = []
            for w, f in functions:
                w.set_value(start)
                f(picked, value, np.asarray(rate, dtype))
                found.append(bits(w.get_value()))
            assert found[0] == found[1], (count, rate)


def test_debug_mode() -> None:
    """The oracles of both levels agree, the elements that are never set included."""
    w, idx, lr = shared(np.arange(24.0).reshape(8, 3)), T.lvector("idx"), T.dscalar("lr")
    gradient = T.grad(T.tanh(w[idx]).sum(), w)
    f = tt.function([idx, lr], [], updates=[(w, w - lr * gradient)], mode="DebugMode")
    for picked in ([1, 1, -7], [0, 1, 2, 3, 4, 5]):
        before = w.get_value()
        want = np.zeros((8, 3))
        np.add.at(want, picked, 1 - np.tanh(before[picked]) ** 2)
        f(np.array(picked), 0.5)
        np.testing.assert_allclose(w.get_value(), before - 0.5 * want, rtol=1e-14)


def test_a_table_indexed_by_a_matrix() -> None:
    """Sentences of words: a vector a word, a bias a word; in place, and errors change nothing."""
    rng = np.random.default_rng(0)
    start, bias = rng.normal(size=(500, 8)), rng.normal(size=700)
    w, b = shared(start), shared(bias)
    words, lr = T.lmatrix("words"), T.dscalar("lr")
    rows = w[words.flatten()].reshape((words.shape[0], words.shape[1], 8))
    cost = (T.tanh(rows).sum(axis=2) * b[words.flatten()].reshape(words.shape)).sum()
    updates = [(p, p - lr * T.grad(cost, p)) for p in (w, b)]
    f = tt.function([words, lr], cost, updates=updates)
    places = [p.get_value(borrow=True).ctypes.data for p in (w, b)]
    for _ in range(3):
        picked = rng.integers(0, 500, (4, 6))
        flat = picked.ravel()
        value = np.tanh(start[flat])
        step, other = np.zeros_like(start), np.zeros_like(bias)
        np.add.at(step, flat, (1 - value**2) * bias[flat][:, None])
        np.add.at(other, flat, value.sum(axis=1))
        want = (value.sum(axis=1) * bias[flat]).sum()
        np.testing.assert_allclose(f(picked, 0.1), want, rtol=1e-12)
        start, bias = start - 0.1 * step, bias - 0.1 * other
        np.testing.assert_allclose(w.get_value(), start, rtol=1e-12)
        np.testing.assert_allclose(b.get_value(), bias, rtol=1e-12)
    assert [p.get_value(borrow=True).ctypes.data for p in (w, b)] == places
    with pytest.raises(IndexError, match="index 500 is out of bounds for axis 0 with size 500"):
        f(np.array([[1, 500]]), 0.1)
    np.testing.assert_allclose(w.get_value(), start, rtol=1e-12)


def test_the_cost_is_that_of_the_rows() -> None:
    """Beside the rows, memory is taken for numbers of rows alone, which is hardly looked at."""
    w, idx = shared(np.zeros((20_000, 16))), T.lvector("idx")
    f = tt.function([idx], [], updates=[(w, w - 0.1 * T.grad((w[idx] ** 2).sum(), w))])
    loops = f.ir(after="bufferize")
    inplace = "} attributes {unless_there}"
    assert f.spec.inplace == ((0, 1),) and loops.count(inplace) == 1, loops
