"""Training steps written in every way a user might, at all awkward sizes, against NumPy.

What the compiler fuses differs between them (the order of the operands, a transposed input, further
outputs that read an intermediate); what they give must not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tetractys
import tetractys.tensor as T

SIZES = (0, 1, 2, 3, 5, 8, 17, 400)
PRODUCTS: dict[str, tuple[bool, Callable[[Any, Any], Any]]] = {
    "x w": (False, lambda x, w: T.dot(x, w)),
    "w x.T": (False, lambda x, w: T.dot(w, x.T)),
    "x.T w of a transposed x": (True, lambda x, w: T.dot(x.T, w)),
    "w x of a transposed x": (True, lambda x, w: T.dot(w, x)),
    "written as a sum": (False, lambda x, w: (x * w).sum(axis=1)),
}
"""Name -> (whether x is given with a column an example, the product)."""

RTOL = {"float64": 1e-11, "float32": 2e-4}


def close(found: Any, wanted: Any, dtype: str, what: str) -> None:
    """Equal within the bound of a sum of 400 terms of size 1, of equal dtype and shape."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    assert found.shape == wanted.shape, what
    np.testing.assert_allclose(found, wanted, rtol=RTOL[dtype], atol=RTOL[dtype], err_msg=what)


def logistic(product: str, dtype: str, extra: bool) -> Any:
    """(train(x, y) -> outputs, the shared w and b): the seed's step."""
    _, dot = PRODUCTS[product]
    x, y = T.matrix("x", dtype=dtype), T.vector("y", dtype=dtype)
    w = tetractys.shared(np.zeros(1, dtype), name="w")
    b = tetractys.shared(np.array(0, dtype), name="b")
    t = dot(x, w) + b
    p = 1 / (1 + T.exp(-t))
    cost = (-y * T.log(p) - (1 - y) * T.log(1 - p)).sum() + (w**2).sum() * np.array(0.01, dtype)
    gw, gb = T.grad(cost, [w, b])
    outputs = [cost, p > 0.5, gw, gb] + ([p * t] if extra else [])
    train = tetractys.function(
        [x, y],
        outputs,
        updates=[(w, w - gw * np.array(0.1, dtype)), (b, b - gb * np.array(0.1, dtype))],
    )
    return train, w, b


def logistic_in_numpy(x: Any, y: Any, w: Any, b: Any) -> list[Any]:
    """cost, prediction, both gradients, p * t, all in float64."""
    x, y, w, b = (np.asarray(value, np.float64) for value in (x, y, w, b))
    t = x @ w + b
    p = np.where(
        t >= 0, 1 / (1 + np.exp(-np.abs(t))), np.exp(-np.abs(t)) / (1 + np.exp(-np.abs(t)))
    )
    cost = (np.logaddexp(0, t) - y * t).sum() + 0.01 * (w**2).sum()
    return [cost, p > 0.5, (p - y) @ x + 0.02 * w, (p - y).sum(), p * t]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("extra", [False, True])
@pytest.mark.parametrize("product", PRODUCTS)
def test_logistic_regression(product: str, extra: bool, dtype: str) -> None:
    """Outputs and updates at all pairs of sizes; the state follows."""
    train, w, b = logistic(product, dtype, extra)
    rng = np.random.default_rng(0)
    for n in SIZES:
        for f in SIZES:
            x = rng.standard_normal((n, f)).astype(dtype)
            y = rng.integers(0, 2, n).astype(dtype)
            start = rng.standard_normal(f).astype(dtype) / np.array(max(f, 1) ** 0.5, dtype)
            w.set_value(start)
            b.set_value(np.array(0.25, dtype))
            wanted = logistic_in_numpy(x, y, start, 0.25)
            given = x.T.copy() if PRODUCTS[product][0] else x
            for number, (mine, right) in enumerate(zip(train(given, y), wanted)):
                close(mine, right, dtype, f"{product}, N={n}, F={f}, output {number}")
            close(w.get_value(), start - 0.1 * wanted[2], dtype, f"w, N={n}, F={f}")
            close(b.get_value(), 0.25 - 0.1 * wanted[3], dtype, f"b, N={n}, F={f}")


def softmax(t: Any) -> Any:
    """Row by row."""
    powers = np.exp(t - t.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("form", ["crossentropy", "gather", "log_softmax", "one-hot"])
def test_softmax_regression(form: str, dtype: str) -> None:
    """The negative log-likelihood in the ways Theano's tutorials write it."""
    with tetractys.config.change_flags(floatX=dtype):
        x, y = T.matrix("x"), T.lvector("y")
        w = tetractys.shared(np.zeros((1, 1), dtype), name="w")
        b = tetractys.shared(np.zeros(1, dtype), name="b")
        t = T.dot(x, w) + b
        p = T.nnet.softmax(t)
        rows = T.arange(y.shape[0])
        nll = {
            "crossentropy": lambda: T.nnet.categorical_crossentropy(p, y).mean(),
            "gather": lambda: -T.mean(T.log(p)[rows, y]),
            "log_softmax": lambda: -T.mean(T.nnet.logsoftmax(t)[rows, y]),
            "one-hot": lambda: (
                -T.sum(T.log(p) * T.eq(y.dimshuffle(0, "x"), T.arange(b.shape[0])))
                / T.cast(y.shape[0], dtype)
            ),
        }[form]()
        assert nll.dtype == dtype
        gw, gb = T.grad(nll, [w, b])
        train = tetractys.function([x, y], [nll, T.argmax(p, axis=1), gw, gb])
    rng = np.random.default_rng(1)
    for n in (1, 2, 5, 17, 60):
        for f, k in ((1, 1), (3, 2), (8, 10), (17, 3), (40, 33)):
            value = rng.standard_normal((n, f)).astype(dtype)
            labels = rng.integers(0, k, n)
            weights = rng.standard_normal((f, k)).astype(dtype)
            w.set_value(weights)
            b.set_value(np.linspace(-1, 1, k).astype(dtype))
            logits = value.astype(float) @ weights.astype(float) + np.linspace(-1, 1, k)
            likely = softmax(logits)
            delta = likely.copy()
            delta[np.arange(n), labels] -= 1
            found = train(value, labels)
            what = f"{form}, N={n}, F={f}, K={k}"
            close(found[0], -np.log(likely[np.arange(n), labels]).mean(), dtype, what)
            np.testing.assert_array_equal(found[1], logits.argmax(axis=1))
            close(found[2], value.astype(float).T @ delta / n, dtype, what)
            close(found[3], delta.mean(axis=0), dtype, what)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_multilayer_perceptron(dtype: str) -> None:
    """tanh, softmax, two products and their transposes; the weights after three steps."""
    rng = np.random.default_rng(2)
    n, f, h, k = 23, 11, 7, 4
    sizes = ((f, h), (h,), (h, k), (k,))
    start = [rng.standard_normal(size).astype(dtype) * 0.5 for size in sizes]
    shared = [tetractys.shared(value, name=f"p{at}") for at, value in enumerate(start)]
    x, y = T.matrix("x", dtype=dtype), T.lvector("y")
    hidden = T.tanh(T.dot(x, shared[0]) + shared[1])
    p = T.nnet.softmax(T.dot(hidden, shared[2]) + shared[3])
    cost = -T.mean(T.log(p)[T.arange(y.shape[0]), y]) + (shared[0] ** 2).sum() * np.array(
        0.001, dtype
    )
    rate = np.array(0.5, dtype)
    updates = [(v, v - rate * g) for v, g in zip(shared, T.grad(cost, shared))]
    train = tetractys.function([x, y], [cost, hidden], updates=updates)
    value, labels = rng.standard_normal((n, f)).astype(dtype), rng.integers(0, k, n)
    a, b, c, d = (parameter.astype(float) for parameter in start)
    for _ in range(3):
        inner = np.tanh(value.astype(float) @ a + b)
        likely = softmax(inner @ c + d)
        wanted = -np.log(likely[np.arange(n), labels]).mean() + 0.001 * (a**2).sum()
        found = train(value, labels)
        close(found[0], wanted, dtype, "cost")
        close(found[1], inner, dtype, "hidden")
        delta = likely.copy()
        delta[np.arange(n), labels] -= 1
        delta /= n
        back = delta @ c.T * (1 - inner**2)
        a, b, c, d = (
            a - 0.5 * (value.astype(float).T @ back + 0.002 * a),
            b - 0.5 * back.sum(axis=0),
            c - 0.5 * inner.T @ delta,
            d - 0.5 * delta.sum(axis=0),
        )
    for parameter, right in zip(shared, (a, b, c, d)):
        assert parameter.get_value().dtype == dtype
        close(parameter.get_value(), right, dtype, parameter.name)
