"""Softmax cross-entropy: the mean loss at integer labels and its gradient to the logits."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..job import Job
from ..row import Inputs, Row, bars


def inputs(rows: int = 1024, columns: int = 1000, dtype: str = "float32",
           order: str = "C") -> Inputs:  # fmt: skip
    """Logits and labels; order: the layout of the logits."""
    rng = np.random.default_rng(0)
    x = (rng.standard_normal((rows, columns)) * 2).astype(dtype)
    return {"x": np.asarray(x, order=order), "y": rng.integers(0, columns, rows)}  # type: ignore[call-overload]


def loss_and_gradient(x: np.ndarray, y: np.ndarray) -> tuple[Any, ...]:
    """By hand in NumPy."""
    rows = np.arange(len(y))
    z = x - x.max(1, keepdims=True)
    e = np.exp(z)
    s = e.sum(1, keepdims=True)
    loss = (np.log(s[:, 0]) - z[rows, y]).mean()
    e /= s
    e[rows, y] -= 1
    e *= np.asarray(1 / len(y), x.dtype)
    return loss, e


def reference(d: Inputs) -> list[Any]:
    """NumPy's in float64."""
    return list(loss_and_gradient(d["x"].astype("float64"), d["y"]))


def _with_largest(d: Inputs) -> list[Any]:
    loss, gradient = reference(d)
    return [loss, gradient, d["x"].max(axis=1)]


def _by_numpy(d: Inputs, column: Any) -> Job:
    return Job(loss_and_gradient, (d["x"], d["y"]))


def _by_numba(d: Inputs, column: Any) -> Job:
    import numba as nb  # pyright: ignore[reportMissingImports]

    @nb.njit(fastmath=True, parallel=column.parallel)
    def function(x: Any, y: Any) -> Any:
        m, n = x.shape
        g, losses = np.empty_like(x), np.empty(m, np.float32)
        share = np.float32(1) / np.float32(m)
        for i in nb.prange(m):
            largest = x[i, 0]
            for j in range(n):
                largest = max(largest, x[i, j])
            s = np.float32(0)
            for j in range(n):
                e = np.exp(x[i, j] - largest)
                g[i, j] = e
                s += e
            losses[i] = np.log(s) - (x[i, y[i]] - largest)
            c = share / s
            for j in range(n):
                g[i, j] *= c
            g[i, y[i]] -= share
        return losses.mean(), g

    return Job(function, (d["x"], d["y"]))


def _by_jax(d: Inputs, column: Any) -> Job:
    import jax  # pyright: ignore[reportMissingImports]
    import jax.numpy as jnp  # pyright: ignore[reportMissingImports]

    def loss(x: Any, y: Any) -> Any:
        return -jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], 1).mean()

    values = (jnp.array(d["x"]), jnp.array(d["y"]))
    return Job(jax.jit(jax.value_and_grad(loss)), values, None, jax.block_until_ready)


def _by_torch(d: Inputs, column: Any) -> Job:
    import torch  # pyright: ignore[reportMissingImports]

    cross_entropy = torch.nn.functional.cross_entropy
    x, y = torch.from_numpy(d["x"]), torch.from_numpy(d["y"])
    if column.compiled:
        gradient = torch.func.grad_and_value(cross_entropy)
        compiled = torch.compile(lambda x, y: gradient(x, y)[::-1], dynamic=False)
        return Job(compiled, (x, y))
    x.requires_grad_()

    def eager(x: Any, y: Any) -> Any:
        loss = cross_entropy(x, y)
        return loss, torch.autograd.grad(loss, x)[0]

    return Job(eager, (x, y))


def _by_theano(d: Inputs, api: Any, extra: bool = False) -> Job:
    T = api.T
    x, y = (T.fmatrix if d["x"].dtype == "float32" else T.dmatrix)("x"), T.lvector("y")
    loss = api.cross_entropy(x, y)
    outputs = [loss, api.grad(loss, x), *([T.max(x, axis=1)] if extra else [])]
    return Job(api.function([x, y], outputs), (d["x"], d["y"]))


MADE_BY = "fuse-nests (a row's passes in cache), expand-math (short exp), stabilize"


def _variant(name: str, title: str, make: Callable[[], Inputs], work: int = 1024 * 1000,
             **options: Any) -> Row:  # fmt: skip
    return Row(
        name=f"softmax-{name}",
        title=f"softmax cross-entropy, value and gradient: {title}",
        inputs=make,
        reference=_with_largest if options else reference,
        setups={"theano": partial(_by_theano, **options)},
        made_by=MADE_BY,
        tolerance=1e-4,
        base="softmax-1024x1000",
        work=work,
    )


ROWS = (
    Row(
        name="softmax-1024x1000",
        title="softmax cross-entropy, value and gradient, 1024x1000 f32",
        inputs=inputs,
        reference=reference,
        setups={
            "numpy": _by_numpy,
            "numba": _by_numba,
            "jax": _by_jax,
            "torch": _by_torch,
            "theano": _by_theano,
        },
        made_by=MADE_BY,
        bars=bars(2.5),
        tolerance=1e-4,
        work=1024 * 1000,
    ),
    _variant("transposed", "logits stored by columns", partial(inputs, order="F")),
    _variant("sizes", "2048x499", partial(inputs, 2048, 499), 2048 * 499),
    _variant("f64", "f64, half as many rows", partial(inputs, 512, 1000, "float64")),
    _variant("extra", "the largest logits are an output", inputs, extra=True),
)
