"""dot, matrix-vector and matrix-matrix products from 3 to 2048, float64 and float32."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..job import Job
from ..row import Inputs, Row, bars

SIZES = (3, 16, 64, 256, 1024, 2048)
SMALL = 16
"""Up to this size BLAS's own overhead is most of its time: own loops win, the bar is 1.5."""

RANKS = {"dot": (1, 1), "gemv": (2, 1), "gemm": (2, 2)}
FLOPS = {"dot": 1, "gemv": 2, "gemm": 3}


def inputs(kind: str, dtype: str, size: int, order: str = "C") -> Inputs:
    """Two positive operands; order: the layout of the matrices."""
    rng = np.random.default_rng(0)
    a, b = (
        np.asarray(rng.uniform(0.1, 1, (size,) * rank).astype(dtype), order=order)  # type: ignore[call-overload]
        for rank in RANKS[kind]
    )
    return {"a": a, "b": b}


def _reference(d: Inputs) -> list[Any]:
    return [d["a"].astype("float64") @ d["b"].astype("float64")]


def _by_numpy(d: Inputs, column: Any) -> Job:
    return Job(np.dot, (d["a"], d["b"]))


def _by_jax(d: Inputs, column: Any) -> Job:
    import jax  # pyright: ignore[reportMissingImports]
    import jax.numpy as jnp  # pyright: ignore[reportMissingImports]

    values = (jnp.array(d["a"]), jnp.array(d["b"]))
    return Job(jax.jit(jnp.dot), values, None, lambda out: out.block_until_ready())


def _by_torch(d: Inputs, column: Any) -> Job | None:
    import torch  # pyright: ignore[reportMissingImports]

    if column.compiled:
        return None  # torch.compile calls the very same BLAS
    return Job(torch.matmul, (torch.from_numpy(d["a"]), torch.from_numpy(d["b"])))


def _by_theano(d: Inputs, api: Any) -> Job:
    letter = {"float64": "d", "float32": "f"}[str(d["a"].dtype)]
    types = [getattr(api.T, letter + ("vector", "matrix")[d[key].ndim - 1]) for key in "ab"]
    a, b = types[0]("a"), types[1]("b")
    return Job(api.function([a, b], api.T.dot(a, b)), (d["a"], d["b"]))


def _row(kind: str, dtype: str, size: int) -> Row:
    bits = {"float64": "f64", "float32": "f32"}[dtype]
    return Row(
        name=f"{kind}-{bits}-{size}",
        title=f"{kind} {size} {bits}",
        inputs=partial(inputs, kind, dtype, size),
        reference=_reference,
        setups={
            "numpy": _by_numpy,
            "jax": _by_jax,
            "torch": _by_torch,
            "theano": _by_theano,
        },
        made_by="choose-blas" if kind == "gemm" else "lower-to-loops, schedule-cpu",
        bars=bars(1.5 if size <= SMALL else 1.0),
        tolerance=1e-12 if dtype == "float64" else 1e-4,
        work=float(size) ** FLOPS[kind],
    )


def _transposed(kind: str, size: int) -> Row:
    return Row(
        name=f"{kind}-f64-{size}-transposed",
        title=f"{kind} {size} f64: matrices stored by columns",
        inputs=partial(inputs, kind, "float64", size, "F"),
        reference=_reference,
        setups={"theano": _by_theano},
        made_by="choose-blas",
        tolerance=1e-12,
        base=f"{kind}-f64-{size}",
        work=float(size) ** FLOPS[kind],
    )


ROWS = (
    *(
        _row(kind, dtype, size)
        for kind in RANKS
        for dtype in ("float64", "float32")
        for size in SIZES
    ),
    *(_transposed(kind, size) for kind in ("gemv", "gemm") for size in (3, 256, 1024)),
)
