"""The same work for each library: a step of the logistic regression, and `x + y`.

Each `*_step` returns a function of (x, y) that does one training step and keeps its own weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

FEATURES = 784
Step = Callable[[Any, Any], Any]


def data(samples: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(x, y, w): float64, x of shape (samples, 784)."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((samples, FEATURES))
    y = rng.integers(0, 2, samples).astype("float64")
    return x, y, rng.standard_normal(FEATURES) * 0.1


def tetractys_step(w_value: np.ndarray) -> Step:
    """Ours, as the tutorial writes it."""
    import tetractys
    import tetractys.tensor as T

    x, y = T.dmatrix("x"), T.dvector("y")
    w, b = tetractys.shared(w_value, name="w"), tetractys.shared(0.0, name="b")
    p_1 = 1 / (1 + T.exp(-T.dot(x, w) - b))
    xent = -y * T.log(p_1) - (1 - y) * T.log(1 - p_1)
    cost = xent.mean() + 0.01 * (w**2).sum()
    gw, gb = T.grad(cost, [w, b])
    return tetractys.function(
        [x, y], [p_1 > 0.5, xent], updates=((w, w - 0.1 * gw), (b, b - 0.1 * gb))
    )


def numpy_step(w_value: np.ndarray) -> Step:
    """NumPy with the gradient by hand."""
    state = {"w": w_value.copy(), "b": 0.0}

    def step(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        p = 1 / (1 + np.exp(-(x @ state["w"]) - state["b"]))
        xent = -y * np.log(p) - (1 - y) * np.log(1 - p)
        d = (p - y) / len(y)
        state["w"] -= 0.1 * (d @ x + 0.02 * state["w"])
        state["b"] -= 0.1 * d.sum()
        return p > 0.5, xent

    return step


def numba_step(w_value: np.ndarray) -> Step:
    """Numba, the loop fused by hand: each row is still in the cache when the gradient needs it."""
    import numba  # pyright: ignore[reportMissingImports]

    @numba.njit(fastmath=True)
    def step(x, y, w, b):  # noqa: ANN001, ANN202  (numba infers types)
        n, k = x.shape
        prediction, xent, gradient, total = np.empty(n, np.bool_), np.empty(n), np.zeros(k), 0.0
        for i in range(n):
            z = 0.0
            for j in range(k):
                z += x[i, j] * w[j]
            p = 1 / (1 + np.exp(-z - b[0]))
            prediction[i] = p > 0.5
            xent[i] = -y[i] * np.log(p) - (1 - y[i]) * np.log(1 - p)
            d = (p - y[i]) / n
            total += d
            for j in range(k):
                gradient[j] += d * x[i, j]
        for j in range(k):
            w[j] -= 0.1 * (gradient[j] + 0.02 * w[j])
        b[0] -= 0.1 * total
        return prediction, xent

    w, b = w_value.copy(), np.zeros(1)
    return lambda x, y: step(x, y, w, b)


def jax_step(w_value: np.ndarray) -> Step:
    """JAX, jitted, on device arrays."""
    import jax  # pyright: ignore[reportMissingImports]
    import jax.numpy as jnp  # pyright: ignore[reportMissingImports]

    jax.config.update("jax_enable_x64", True)

    def loss(weights: Any, x: Any, y: Any) -> Any:
        w, b = weights
        p = 1 / (1 + jnp.exp(-(x @ w) - b))
        xent = -y * jnp.log(p) - (1 - y) * jnp.log(1 - p)
        return xent.mean() + 0.01 * (w**2).sum(), (p > 0.5, xent)

    @jax.jit
    def update(weights: Any, x: Any, y: Any) -> Any:
        (gw, gb), shown = jax.grad(loss, has_aux=True)(weights, x, y)
        return (weights[0] - 0.1 * gw, weights[1] - 0.1 * gb), shown

    state = [(jnp.array(w_value), jnp.array(0.0))]

    def step(x: Any, y: Any) -> Any:
        state[0], shown = update(state[0], x, y)
        return jax.block_until_ready((shown, state[0]))

    return step


STEPS: dict[str, Callable[[np.ndarray], Step]] = {
    "tetractys": tetractys_step,
    "numpy": numpy_step,
    "numba": numba_step,
    "jax": jax_step,
}


def tetractys_add() -> Callable[..., Any]:
    """`x + y` of two float64 scalars."""
    import tetractys
    import tetractys.tensor as T

    x, y = T.dscalar("x"), T.dscalar("y")
    return tetractys.function([x, y], x + y)


def numba_add() -> Callable[..., Any]:
    """The same by Numba."""
    import numba  # pyright: ignore[reportMissingImports]

    return numba.njit(lambda x, y: x + y)


ADDS: dict[str, Callable[[], Callable[..., Any]]] = {
    "tetractys": tetractys_add,
    "numpy": lambda: np.add,
    "numba": numba_add,
}
