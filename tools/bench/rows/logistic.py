"""The training step of Theano's tutorial: logistic regression, 784 features, float64."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..job import Job
from ..row import Inputs, Row, bars

STEPS = 3
"""Steps after which weights and outputs are compared."""


def inputs(samples: int, features: int = 784, order: str = "C") -> Inputs:
    """Arrays of the step; order: the layout of x."""
    rng = np.random.default_rng(0)
    return {
        "x": np.asarray(rng.standard_normal((samples, features)), order=order),  # type: ignore[call-overload]
        "y": rng.integers(0, 2, samples).astype("float64"),
        "w": rng.standard_normal(features) * 0.1,
    }


def numpy_step(x: np.ndarray, y: np.ndarray, state: dict[str, Any]) -> tuple[np.ndarray, ...]:
    """The gradient by hand."""
    p = 1 / (1 + np.exp(-(x @ state["w"]) - state["b"]))
    xent = -y * np.log(p) - (1 - y) * np.log(1 - p)
    d = (p - y) / len(y)
    gradient = d @ x + 0.02 * state["w"]
    state["w"] -= 0.1 * gradient
    state["b"] -= 0.1 * d.sum()
    return p > 0.5, xent


def trained(step: Callable[[], Any], weights: Callable[[], tuple[Any, ...]]) -> Callable[[], Any]:
    """A check: the outputs of the last of `STEPS` steps, and the weights."""

    def check() -> list[Any]:
        for _ in range(STEPS - 1):
            step()
        return [*step(), *weights()]

    return check


def by_numpy(d: Inputs, column: Any = None) -> Job:
    """NumPy."""
    state = {"w": d["w"].copy(), "b": 0.0}
    step = partial(numpy_step, state=state)
    check = trained(lambda: step(d["x"], d["y"]), lambda: (state["w"].copy(), state["b"]))
    return Job(step, (d["x"], d["y"]), check=check)


def reference(d: Inputs) -> list[Any]:
    """NumPy's."""
    return by_numpy(d).check()


def with_cost(d: Inputs) -> list[Any]:
    """The reference with the cost as a third output."""
    state: dict[str, Any] = {"w": d["w"].copy(), "b": 0.0}
    for _ in range(STEPS - 1):
        numpy_step(d["x"], d["y"], state)
    penalty = 0.01 * (state["w"] ** 2).sum()
    shown, xent = numpy_step(d["x"], d["y"], state)
    return [shown, xent, xent.mean() + penalty, state["w"], state["b"]]


def by_numba(d: Inputs, column: Any) -> Job:
    """Numba, one pass over x fused by hand: a row is still in the cache when it is added up."""
    import numba as nb  # pyright: ignore[reportMissingImports]

    parts = column.threads

    @nb.njit(fastmath=True, parallel=column.parallel, cache=True)
    def step(x: Any, y: Any, w: Any, b: Any) -> Any:
        n, k = x.shape
        prediction, xent = np.empty(n, np.bool_), np.empty(n)
        gradients, sums, bias = np.zeros((parts, k)), np.zeros((parts, 16)), b[0]
        for t in nb.prange(parts):
            gradient, total = gradients[t], 0.0
            for i in range(n * t // parts, n * (t + 1) // parts):
                z = 0.0
                for j in range(k):
                    z += x[i, j] * w[j]
                p = 1 / (1 + np.exp(-z - bias))
                prediction[i] = p > 0.5
                xent[i] = -y[i] * np.log(p) - (1 - y[i]) * np.log(1 - p)
                d = (p - y[i]) / n
                total += d
                for j in range(k):
                    gradient[j] += d * x[i, j]
            sums[t, 0] = total
        for j in range(k):
            g = 0.02 * w[j]
            for t in range(parts):
                g += gradients[t, j]
            w[j] -= 0.1 * g
        for t in range(parts):
            b[0] -= 0.1 * sums[t, 0]
        return prediction, xent

    w, b = d["w"].copy(), np.zeros(1)
    check = trained(lambda: step(d["x"], d["y"], w, b), lambda: (w.copy(), b[0]))
    return Job(step, (d["x"], d["y"], w, b), check=check)


def by_jax(d: Inputs, column: Any) -> Job:
    """JAX on device arrays, the old weights donated."""
    import jax  # pyright: ignore[reportMissingImports]
    import jax.numpy as jnp  # pyright: ignore[reportMissingImports]

    def loss(weights: Any, x: Any, y: Any) -> Any:
        w, b = weights
        p = 1 / (1 + jnp.exp(-(x @ w) - b))
        xent = -y * jnp.log(p) - (1 - y) * jnp.log(1 - p)
        return xent.mean() + 0.01 * (w**2).sum(), (p > 0.5, xent)

    @partial(jax.jit, donate_argnums=0)
    def update(weights: Any, x: Any, y: Any) -> Any:
        (gw, gb), shown = jax.grad(loss, has_aux=True)(weights, x, y)
        return (weights[0] - 0.1 * gw, weights[1] - 0.1 * gb), shown

    state = [(jnp.array(d["w"]), jnp.array(0.0))]

    def step(x: Any, y: Any) -> Any:
        state[0], shown = update(state[0], x, y)
        return shown

    x, y = jnp.array(d["x"]), jnp.array(d["y"])
    check = trained(lambda: step(x, y), lambda: tuple(np.array(v) for v in state[0]))
    return Job(step, (x, y), None, lambda out: jax.block_until_ready((out, state[0])), check)


def by_torch(d: Inputs, column: Any) -> Job:
    """PyTorch: eager with the gradient by hand, or compiled with torch.func's."""
    import torch  # pyright: ignore[reportMissingImports]

    x, y, w = torch.from_numpy(d["x"]), torch.from_numpy(d["y"]), torch.from_numpy(d["w"].copy())
    b = torch.zeros(1, dtype=torch.float64)  # a 0-d bias' in-place update is lost by 2.13's compile

    def loss(w: Any, b: Any, x: Any, y: Any) -> Any:
        p = 1 / (1 + torch.exp(-(x @ w) - b))
        xent = -y * torch.log(p) - (1 - y) * torch.log(1 - p)
        return xent.mean() + 0.01 * (w**2).sum(), (p > 0.5, xent)

    def compiled(x: Any, y: Any, w: Any, b: Any) -> Any:
        gradient = torch.func.grad_and_value(loss, argnums=(0, 1), has_aux=True)
        (gw, gb), (_, shown) = gradient(w, b, x, y)
        w.sub_(0.1 * gw)
        b.sub_(0.1 * gb)
        return shown

    @torch.no_grad()
    def eager(x: Any, y: Any, w: Any, b: Any) -> Any:
        p = torch.sigmoid(x @ w + b)
        xent = -y * torch.log(p) - (1 - y) * torch.log(1 - p)
        e = (p - y) / len(y)
        gradient = torch.mv(x.T, e).add_(w, alpha=0.02)
        w.sub_(gradient, alpha=0.1)
        b.sub_(e.sum(), alpha=0.1)
        return p > 0.5, xent

    step = torch.compile(compiled, dynamic=False) if column.compiled else eager
    check = trained(lambda: step(x, y, w, b), lambda: (w.clone(), b.reshape(()).clone()))
    return Job(step, (x, y, w, b), check=check)


def by_theano(d: Inputs, api: Any, extra: bool = False, swapped: bool = False) -> Job:
    """As the tutorial writes it. extra: the cost is an output too. swapped: y comes first."""
    T = api.T
    x, y = T.dmatrix("x"), T.dvector("y")
    w, b = api.shared(d["w"].copy(), name="w"), api.shared(np.asarray(0.0), name="b")
    p_1 = 1 / (1 + T.exp(-T.dot(x, w) - b))
    xent = -y * T.log(p_1) - (1 - y) * T.log(1 - p_1)
    cost = xent.mean() + 0.01 * (w**2).sum()
    gw, gb = api.grad(cost, [w, b])
    outputs = [p_1 > 0.5, xent, *([cost] if extra else [])]
    ordered, values = ([y, x], (d["y"], d["x"])) if swapped else ([x, y], (d["x"], d["y"]))
    step = api.function(ordered, outputs, updates=[(b, b - 0.1 * gb), (w, w - 0.1 * gw)])
    check = trained(lambda: step(*values), lambda: (w.get_value(), b.get_value()))
    return Job(step, values, check=check)


def _row(samples: int, least: tuple[float, float]) -> Row:
    return Row(
        name=f"logistic-{samples}",
        title=f"logistic regression step, N={samples:,}, 784 features, f64",
        inputs=partial(inputs, samples),
        reference=reference,
        setups={
            "numpy": by_numpy,
            "numba": by_numba,
            "jax": by_jax,
            "torch": by_torch,
            "theano": by_theano,
        },
        made_by="fuse-nests, schedule-cpu (rows jammed), stabilize",
        bars=bars(*least),
        work=samples * 784,
    )


def _variant(name: str, title: str, make: Callable[[], Inputs], work: int, **options: Any) -> Row:
    return Row(
        name=f"logistic-400-{name}",
        title=f"logistic regression step: {title}",
        inputs=make,
        reference=with_cost if options.get("extra") else reference,
        setups={"theano": partial(by_theano, **options)},
        made_by="fuse-nests",
        base="logistic-400",
        work=work,
    )


ROWS = (
    _row(400, (1.3, 1.6)),
    _row(40_000, (1.4, 1.6)),
    _variant("swapped", "y before x", partial(inputs, 400), 400 * 784, swapped=True),
    _variant("transposed", "x stored by columns", partial(inputs, 400, 784, "F"), 400 * 784),
    _variant("sizes", "N=413, 771 features", partial(inputs, 413, 771), 413 * 771),
    _variant("extra", "the cost is an output", partial(inputs, 400), 400 * 784, extra=True),
)
