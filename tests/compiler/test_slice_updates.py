"""Gradient descent on slices: the bits of the dense update, at the cost of the slice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tetractys as tt
import tetractys.tensor as T
from tetractys import shared

ROWS, COLUMNS = 30, 7
K = T.lscalar("k")
PARTS: dict[str, Callable[[Any], Any]] = {
    "rows": lambda w: w[K : K + 4],
    "a row": lambda w: w[K],
    "a block": lambda w: w[2:9, ::2],
    "a column": lambda w: w[:, K],
    "an element": lambda w: w[K, 1],
    "backwards": lambda w: w[::-3],
    "a row from the end": lambda w: w[-K],
    "nothing": lambda w: w[5:5],
}
FORMS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "a learning rate": lambda w, g, lr: w - lr * g,
    "a constant": lambda w, g, lr: w - 0.1 * g,
    "added": lambda w, g, lr: w + (-lr) * g,
    "divided": lambda w, g, lr: w - g / lr,
    "as it is": lambda w, g, lr: w - g,
    "plus": lambda w, g, lr: w + g,
    "from it": lambda w, g, lr: lr * g - w,
    "with decay": lambda w, g, lr: w * 0.5 - lr * g,
}
RATES = (0.1, -0.1, 0.0, -0.0, float("nan"), float("inf"), 1e-310)


def with_specials(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Numbers with zeros of both signs among them."""
    value = rng.normal(size=shape)
    zeros = rng.random(shape)
    return np.where(zeros < 0.2, -0.0, np.where(zeros < 0.3, 0.0, value))


def bits(value: Any) -> list[Any]:
    """The bits of an array; NaNs are all one."""
    return np.where(np.isnan(value), np.nan, value).view("int64").tolist()


PAIRS = [(part, form) for part in PARTS for form in FORMS
         if part == "rows" or form in ("a learning rate", "as it is")]  # fmt: skip


@pytest.mark.parametrize(("part", "form"), PAIRS)
def test_the_bits_of_the_dense_update(part: str, form: str) -> None:
    rng = np.random.default_rng(0)
    start = with_specials(rng, (ROWS, COLUMNS))
    start[0, 0], start[1, 1] = np.nan, np.inf
    lr = T.dscalar("lr")
    pairs = []
    for mode in ("FAST_RUN", "FAST_COMPILE"):
        w = shared(start)
        rows = PARTS[part](w)
        weights = T.TensorType("float64", (False,) * rows.ndim)("weights")
        new = FORMS[form](w, T.grad((rows * weights).sum(), w), lr)
        names: Any = {"mode": mode, "on_unused_input": "ignore"}
        update = tt.function([K, lr, weights], [], updates=[(w, new)], **names)
        pairs.append((w, update, tt.function([K, lr, weights], new, **names)))
    shape = tt.function([K], PARTS[part](shared(start)).shape, on_unused_input="ignore")(3)
    for rate in RATES:
        value = with_specials(rng, tuple(shape))
        found = []
        for w, update, compute in pairs:
            w.set_value(start)
            found.append(bits(compute(3, rate, value)))
            update(3, rate, value)
            found.append(bits(w.get_value()))
        assert found == [found[0]] * 4, rate


def test_gradients_of_several_slices() -> None:
    """Parameters packed into one vector: each part is added into the others' sum."""
    theta, x = T.dvector("theta"), T.dmatrix("x")
    w, b, tail = theta[:12].reshape((4, 3)), theta[12:15], theta[10:20]
    cost = T.tanh(T.dot(x, w) + b).sum() + (tail**2).sum()
    f = tt.function([theta, x], T.grad(cost, theta))
    reference = tt.function([theta, x], T.grad(cost, theta), mode="FAST_COMPILE")
    value = np.random.default_rng(0).normal(size=20)
    rows = np.random.default_rng(1).normal(size=(6, 4))
    np.testing.assert_allclose(f(value, rows), reference(value, rows), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("mode", ["FAST_RUN", "DebugMode"])
def test_an_index_out_of_range(mode: str) -> None:
    w, lr = shared(np.ones((6, 3))), T.dscalar("lr")
    step = T.grad(T.tanh(w[K]).sum(), w)
    f = tt.function([K, lr], [], updates=[(w, w - lr * step)], mode=mode)
    for rate in (0.1, -0.1):
        with pytest.raises(IndexError, match="index 6 is out of bounds for axis 0 with size 6"):
            f(6, rate)
        assert (w.get_value() == 1).all()
    f(-6, 0.1)
    assert (w.get_value()[1:] == 1).all() and (w.get_value()[0] < 1).all()


def test_the_rest_is_not_touched() -> None:
    w, lr = shared(np.ones((600, 30))), T.dscalar("lr")
    f = tt.function([K, lr], [], updates=[(w, w - lr * T.grad(T.tanh(w[K]).sum(), w))])
    place = w.get_value(borrow=True).ctypes.data
    f(3, 0.1)
    assert w.get_value(borrow=True).ctypes.data == place
    assert f.memory()["workspace"] <= 30 * 8 + 128
