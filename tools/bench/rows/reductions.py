"""Reductions over (4096, 4096) float64: all, axis 0, axis 1, largest, mean and variance."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..job import Job
from ..row import Bar, Bars, Inputs, Row, bars

SIZE = 4096


def inputs(rows: int = SIZE, columns: int = SIZE, order: str = "C") -> Inputs:
    """One array; order: its layout."""
    x = np.random.default_rng(0).standard_normal((rows, columns))
    return {"x": np.asarray(x, order=order)}  # type: ignore[call-overload]


FORMULAS: dict[str, Callable[[Any], Any]] = {
    "sum-all": lambda x: x.sum(),
    "sum-axis0": lambda x: x.sum(axis=0),
    "sum-axis1": lambda x: x.sum(axis=1),
    "max-axis1": lambda x: x.max(axis=1),
    "mean-var-axis1": lambda x: [x.mean(axis=1), x.var(axis=1)],
}
"""Each as a method of arrays: NumPy, JAX and both Theanos have the same names."""

TITLES = {
    "sum-all": "sum of all",
    "sum-axis0": "sum along axis 0",
    "sum-axis1": "sum along axis 1",
    "max-axis1": "largest along axis 1",
    "mean-var-axis1": "mean and variance along axis 1",
}


def _listed(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found]


def _reference(d: Inputs, of: str) -> list[Any]:
    return _listed(FORMULAS[of](d["x"]))


def _by_numpy(d: Inputs, column: Any, of: str) -> Job:
    return Job(FORMULAS[of], (d["x"],))


def _by_jax(d: Inputs, column: Any, of: str) -> Job:
    import jax  # pyright: ignore[reportMissingImports]
    import jax.numpy as jnp  # pyright: ignore[reportMissingImports]

    return Job(jax.jit(FORMULAS[of]), (jnp.array(d["x"]),), None, jax.block_until_ready)


def _by_torch(d: Inputs, column: Any, of: str) -> Job:
    import torch  # pyright: ignore[reportMissingImports]

    def mean_and_variance(x: Any) -> Any:
        variance, mean = torch.var_mean(x, dim=1, correction=0)
        return mean, variance

    function = {
        "max-axis1": lambda x: x.amax(dim=1),
        "mean-var-axis1": mean_and_variance,
    }.get(of, FORMULAS[of])
    if column.compiled:
        function = torch.compile(function, dynamic=False)
    return Job(function, (torch.from_numpy(d["x"]),))


def _by_theano(d: Inputs, api: Any, of: str) -> Job:
    x = api.T.dmatrix("x")
    return Job(api.function([x], FORMULAS[of](x)), (d["x"],))


def _by_numba(d: Inputs, column: Any, of: str) -> Job:
    import numba as nb  # pyright: ignore[reportMissingImports]

    function = _loops(nb, column.threads)[of]
    return Job(nb.njit(function, fastmath=True, parallel=column.parallel), (d["x"],))


def _loops(nb: Any, parts: int) -> dict[str, Callable[[Any], Any]]:
    """The loops a Numba user would write."""
    return _sums(nb, parts) | _rowwise(nb)


def _sums(nb: Any, parts: int) -> dict[str, Callable[[Any], Any]]:
    def sum_all(x: Any) -> Any:
        rows, columns = x.shape
        total = 0.0
        for i in nb.prange(rows):
            s = 0.0
            for j in range(columns):
                s += x[i, j]
            total += s
        return total

    def sum_axis0(x: Any) -> Any:
        rows, columns = x.shape
        sums = np.zeros((parts, columns))
        for t in nb.prange(parts):
            mine = sums[t]
            for i in range(rows * t // parts, rows * (t + 1) // parts):
                for j in range(columns):
                    mine[j] += x[i, j]
        return sums.sum(axis=0)

    def sum_axis1(x: Any) -> Any:
        rows, columns = x.shape
        out = np.empty(rows)
        for i in nb.prange(rows):
            s = 0.0
            for j in range(columns):
                s += x[i, j]
            out[i] = s
        return out

    return {"sum-all": sum_all, "sum-axis0": sum_axis0, "sum-axis1": sum_axis1}


def _rowwise(nb: Any) -> dict[str, Callable[[Any], Any]]:
    def max_axis1(x: Any) -> Any:
        rows, columns = x.shape
        out = np.empty(rows)
        for i in nb.prange(rows):
            largest = x[i, 0]
            for j in range(columns):
                largest = max(largest, x[i, j])
            out[i] = largest
        return out

    def mean_and_variance(x: Any) -> Any:
        rows, columns = x.shape
        mean, variance = np.empty(rows), np.empty(rows)
        for i in nb.prange(rows):
            s = 0.0
            for j in range(columns):
                s += x[i, j]
            m = s / columns
            q = 0.0
            for j in range(columns):
                q += (x[i, j] - m) * (x[i, j] - m)
            mean[i] = m
            variance[i] = q / columns
        return mean, variance

    return {"max-axis1": max_axis1, "mean-var-axis1": mean_and_variance}


def _row(of: str, limits: Bars) -> Row:
    table = {
        "numpy": _by_numpy,
        "numba": _by_numba,
        "jax": _by_jax,
        "torch": _by_torch,
        "theano": _by_theano,
    }
    return Row(
        name=of,
        title=f"{TITLES[of]}, (4096, 4096) f64",
        inputs=inputs,
        reference=partial(_reference, of=of),
        setups={name: partial(setup, of=of) for name, setup in table.items()},
        made_by="schedule-cpu, vectorize (reduction lanes)"
        + (", fuse-nests" if of.startswith("mean") else ""),
        bars=limits,
        tolerance=1e-9,
        work=SIZE * SIZE,
    )


def _variant(of: str, name: str, title: str, make: Callable[[], Inputs], work: int) -> Row:
    return Row(
        name=f"{of}-{name}",
        title=f"{TITLES[of]}: {title}",
        inputs=make,
        reference=partial(_reference, of=of),
        setups={"theano": partial(_by_theano, of=of)},
        made_by="schedule-cpu, vectorize",
        tolerance=1e-9,
        base=of,
        work=work,
    )


def _variants(of: str) -> tuple[Row, ...]:
    by_columns = partial(inputs, order="F")
    return (
        _variant(of, "transposed", "stored by columns", by_columns, SIZE * SIZE),
        _variant(of, "sizes", "(6001, 2501)", partial(inputs, 6001, 2501), 6001 * 2501),
    )


EVEN = bars(1.0)
ROWS = (
    _row("sum-all", EVEN),
    _row("sum-axis0", {1: (Bar(1.0),), 2: (Bar(1.3),)}),
    _row("sum-axis1", EVEN),
    _row("max-axis1", EVEN),
    _row("mean-var-axis1", EVEN),
    *(variant for of in FORMULAS for variant in _variants(of)),
)
