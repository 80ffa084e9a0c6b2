"""MLP 784-512-512-10, relu, softmax cross-entropy, one step of SGD with momentum, float32."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..job import Job
from ..row import Inputs, Row, bars

RATE, MOMENTUM, STEPS = 0.01, 0.9, 3


def inputs(batch: int = 128, hidden: int = 512) -> Inputs:
    """A batch, its labels, and the six parameters."""
    rng = np.random.default_rng(0)
    sizes = (784, hidden, hidden, 10)
    parameters: list[np.ndarray] = []
    for rows, columns in zip(sizes[:-1], sizes[1:]):
        weights = rng.standard_normal((rows, columns)) * np.sqrt(2 / rows)
        parameters += [weights.astype("float32"), np.zeros(columns, "float32")]
    x = rng.standard_normal((batch, 784)).astype("float32")
    return {"x": x, "y": rng.integers(0, 10, batch), "P": parameters}


def numpy_step(
    x: np.ndarray, y: np.ndarray, P: list[np.ndarray], V: list[np.ndarray]
) -> np.ndarray:
    """The gradient by hand; parameters and velocities change in place."""
    a1 = x @ P[0] + P[1]
    h1 = np.maximum(a1, 0)
    a2 = h1 @ P[2] + P[3]
    h2 = np.maximum(a2, 0)
    z = h2 @ P[4] + P[5]
    rows = np.arange(len(y))
    z = z - z.max(1, keepdims=True)
    e = np.exp(z)
    s = e.sum(1, keepdims=True)
    loss = (np.log(s[:, 0]) - z[rows, y]).mean()
    d = e / s
    d[rows, y] -= 1
    d *= np.asarray(1 / len(y), x.dtype)
    d2 = (d @ P[4].T) * (a2 > 0)
    d1 = (d2 @ P[2].T) * (a1 > 0)
    gradients = [x.T @ d1, d1.sum(0), h1.T @ d2, d2.sum(0), h2.T @ d, d.sum(0)]
    for p, v, g in zip(P, V, gradients):
        v *= np.asarray(MOMENTUM, v.dtype)
        v -= np.asarray(RATE, v.dtype) * g
        p += v
    return loss


def _by_numpy(d: Inputs, column: Any = None, dtype: str = "float32") -> Job:
    P = [p.astype(dtype) for p in d["P"]]
    V = [np.zeros_like(p) for p in P]
    x = d["x"].astype(dtype)

    def check() -> list[Any]:
        losses = [numpy_step(x, d["y"], P, V) for _ in range(STEPS)]
        return [losses[-1], *(p.copy() for p in P)]

    return Job(numpy_step, (x, d["y"], P, V), check=check)


def reference(d: Inputs) -> list[Any]:
    """NumPy's in float64."""
    return _by_numpy(d, dtype="float64").check()


def _by_jax(d: Inputs, column: Any) -> Job:
    import jax  # pyright: ignore[reportMissingImports]
    import jax.numpy as jnp  # pyright: ignore[reportMissingImports]

    def loss(P: Any, x: Any, y: Any) -> Any:
        h = jax.nn.relu(x @ P[0] + P[1])
        h = jax.nn.relu(h @ P[2] + P[3])
        z = h @ P[4] + P[5]
        return -jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], 1).mean()

    @partial(jax.jit, donate_argnums=(0, 1))
    def update(P: Any, V: Any, x: Any, y: Any) -> Any:
        value, gradients = jax.value_and_grad(loss)(P, x, y)
        V = [MOMENTUM * v - RATE * g for v, g in zip(V, gradients)]
        return [p + v for p, v in zip(P, V)], V, value

    state: list[Any] = [[jnp.array(p) for p in d["P"]], [jnp.zeros(p.shape, p.dtype)
                                                         for p in d["P"]]]  # fmt: skip

    def step(x: Any, y: Any) -> Any:
        state[0], state[1], value = update(state[0], state[1], x, y)
        return value

    values = (jnp.array(d["x"]), jnp.array(d["y"]))

    def check() -> list[Any]:
        losses = [step(*values) for _ in range(STEPS)]
        return [losses[-1], *(np.array(p) for p in state[0])]

    return Job(step, values, None, lambda out: jax.block_until_ready((out, state)), check)


def _by_torch(d: Inputs, column: Any) -> Job:
    import torch  # pyright: ignore[reportMissingImports]

    P = [torch.from_numpy(p.copy()) for p in d["P"]]
    x, y = torch.from_numpy(d["x"]), torch.from_numpy(d["y"])

    def loss(P: Any, x: Any, y: Any) -> Any:
        h = torch.relu(torch.addmm(P[1], x, P[0]))
        h = torch.relu(torch.addmm(P[3], h, P[2]))
        return torch.nn.functional.cross_entropy(torch.addmm(P[5], h, P[4]), y)

    step = (_compiled if column.compiled else _eager)(torch, loss, P)

    def check() -> list[Any]:
        losses = [step(x, y) for _ in range(STEPS)]
        return [losses[-1], *(p.detach().clone() for p in P)]

    return Job(step, (x, y), check=check)


def _compiled(torch: Any, loss: Any, P: list[Any]) -> Any:
    V = [torch.zeros_like(p) for p in P]

    def step(P: Any, V: Any, x: Any, y: Any) -> Any:
        gradients, value = torch.func.grad_and_value(loss)(P, x, y)
        for p, v, g in zip(P, V, gradients):
            v.copy_(MOMENTUM * v - RATE * g)
            p.add_(v)
        return value

    compiled = torch.compile(step, dynamic=False)
    return lambda x, y: compiled(P, V, x, y)


def _eager(torch: Any, loss: Any, P: list[Any]) -> Any:
    for p in P:
        p.requires_grad_()
    optimizer = torch.optim.SGD(P, lr=RATE, momentum=MOMENTUM, fused=True)

    def step(x: Any, y: Any) -> Any:
        value = loss(P, x, y)
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        optimizer.step()
        return value

    return step


def _by_theano(d: Inputs, api: Any) -> Job:
    T = api.T
    x, y = T.fmatrix("x"), T.lvector("y")
    P = [api.shared(p.copy()) for p in d["P"]]
    V = [api.shared(np.zeros_like(p)) for p in d["P"]]
    zero = np.float32(0)
    h = T.maximum(T.dot(x, P[0]) + P[1], zero)
    h = T.maximum(T.dot(h, P[2]) + P[3], zero)
    loss = api.cross_entropy(T.dot(h, P[4]) + P[5], y)
    updates: list[Any] = []
    for p, v, g in zip(P, V, api.grad(loss, P)):
        velocity = np.float32(MOMENTUM) * v - np.float32(RATE) * g
        updates += [(v, velocity), (p, p + velocity)]
    step = api.function([x, y], loss, updates=updates)

    def check() -> list[Any]:
        losses = [step(d["x"], d["y"]) for _ in range(STEPS)]
        return [losses[-1], *(p.get_value() for p in P)]

    return Job(step, (d["x"], d["y"]), check=check)


def _row(name: str, title: str, batch: int, hidden: int, base: str = "") -> Row:
    setups = {"numpy": _by_numpy, "jax": _by_jax, "torch": _by_torch, "theano": _by_theano}
    weights = 784 * hidden + hidden * hidden + hidden * 10
    return Row(
        name=name,
        title=title,
        inputs=partial(inputs, batch, hidden),
        reference=reference,
        setups={"theano": _by_theano} if base else setups,
        made_by="choose-blas, fuse-nests around gemm, mark-inplace",
        bars=bars(1.1),
        tolerance=5e-3,
        base=base,
        # Three products of two operations an element and example, and the update of an element
        # that moves five values: about as long as 15 examples' products.
        work=weights * (batch + 15),
    )


ROWS = (
    _row("mlp-128", "MLP 784-512-512-10, batch 128 f32, momentum step", 128, 512),
    _row("mlp-sizes", "MLP 784-500-500-10, batch 100", 100, 500, "mlp-128"),
)
