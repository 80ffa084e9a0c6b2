"""Elementwise: tanh(x)*exp(-y**2)+log1p(abs(x*y)), and a chain of fifty random operations."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..job import Job
from ..row import Inputs, Row, bars
from .fifty import program

Formula = Callable[[Any, Any, Any], Any]
"""(module with the functions' names, x, y) -> the value."""


def inputs(shape: tuple[int, ...], dtype: str, second: tuple[int, ...] | None = None,
           transposed: bool = False) -> Inputs:  # fmt: skip
    """Two normal arrays. second: the shape of y. transposed: x and y are stored by columns."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape).astype(dtype)
    y = rng.standard_normal(shape if second is None else second).astype(dtype)
    return {"x": x.T, "y": y.T} if transposed else {"x": x, "y": y}


def formula(m: Any, x: Any, y: Any) -> Any:
    """The row's formula."""
    return m.tanh(x) * m.exp(-(y**2)) + m.log1p(abs(x * y))


def with_tanh(m: Any, x: Any, y: Any) -> list[Any]:
    """With an extra output."""
    return [formula(m, x, y), m.tanh(x)]


def _reference(d: Inputs, make: Formula) -> Any:
    found = make(np, d["x"].astype("float64"), d["y"].astype("float64"))
    return found if isinstance(found, list) else [found]


def _by_numpy(d: Inputs, column: Any, make: Formula) -> Job:
    return Job(partial(make, np), (d["x"], d["y"]))


def _by_numba(d: Inputs, column: Any, on_scalars: Callable[[Any, Any], Any]) -> Job:
    import numba as nb  # pyright: ignore[reportMissingImports]

    scalar = nb.njit(fastmath=True)(on_scalars)

    @nb.njit(fastmath=True, parallel=column.parallel)
    def loop(x: Any, y: Any) -> Any:
        out = np.empty_like(x)
        for i in nb.prange(x.size):
            out[i] = scalar(x[i], y[i])
        return out

    return Job(loop, (d["x"], d["y"]))


def _scalar(x: Any, y: Any) -> Any:
    return np.tanh(x) * np.exp(-y * y) + np.log1p(np.abs(x * y))


def _by_jax(d: Inputs, column: Any, make: Formula) -> Job:
    import jax  # pyright: ignore[reportMissingImports]
    import jax.numpy as jnp  # pyright: ignore[reportMissingImports]

    values = (jnp.array(d["x"]), jnp.array(d["y"]))
    return Job(jax.jit(partial(make, jnp)), values, None, jax.block_until_ready)


def _by_torch(d: Inputs, column: Any, make: Formula) -> Job:
    import torch  # pyright: ignore[reportMissingImports]

    function = partial(make, torch)
    if column.compiled:
        function = torch.compile(lambda x, y: make(torch, x, y), dynamic=False)
    return Job(function, (torch.from_numpy(d["x"]), torch.from_numpy(d["y"])))


def _by_theano(d: Inputs, api: Any, make: Formula) -> Job:
    variables = [_variable(api.T, value) for value in (d["x"], d["y"])]
    return Job(api.function(variables, make(api.T, *variables)), (d["x"], d["y"]))


def _variable(T: Any, value: np.ndarray) -> Any:
    letter = {"float64": "d", "float32": "f"}[str(value.dtype)]
    return getattr(T, letter + ("vector", "matrix")[value.ndim - 1])()


def _setups(make: Formula, on_scalars: Callable[[Any, Any], Any]) -> dict[str, Any]:
    table = {"numpy": _by_numpy, "jax": _by_jax, "torch": _by_torch, "theano": _by_theano}
    setups: dict[str, Any] = {name: partial(by, make=make) for name, by in table.items()}
    return setups | {"numba": partial(_by_numba, on_scalars=on_scalars)}


MADE_BY = "fuse-elemwise, expand-math, vectorize"


def _row(size: float, dtype: str) -> Row:
    bits = {"float64": "f64", "float32": "f32"}[dtype]
    text = f"{size:.0e}".replace("+0", "")
    return Row(
        name=f"chain-{text}-{bits}",
        title=f"tanh(x)*exp(-y**2)+log1p(abs(x*y)), {text} {bits}",
        inputs=partial(inputs, (int(size),), dtype),
        reference=partial(_reference, make=formula),
        setups=_setups(formula, _scalar),
        made_by=MADE_BY,
        bars=bars(1.8),
        tolerance=1e-10 if dtype == "float64" else 5e-4,
        work=size,
    )


def _variant(name: str, title: str, make: Callable[[], Inputs], work: float,
             of: Formula = formula) -> Row:  # fmt: skip
    return Row(
        name=f"chain-1e6-f64-{name}",
        title=f"tanh(x)*exp(-y**2)+log1p(abs(x*y)): {title}",
        inputs=make,
        reference=partial(_reference, make=of),
        setups={"theano": partial(_by_theano, make=of)},
        made_by=MADE_BY,
        base="chain-1e6-f64",
        work=work,
    )


def _fifty(seed: int, size: int, base: str = "") -> Row:
    name = "fifty" if not base else f"fifty-{'sizes' if size != 100_000 else 'other'}"
    make, on_scalars = program(seed)
    setups = _setups(make, on_scalars)
    return Row(
        name=name,
        title=f"fifty random elementwise operations (seed {seed}), {size:,} f64",
        inputs=partial(inputs, (size,), "float64"),
        reference=partial(_reference, make=make),
        setups=setups if not base else {"theano": setups["theano"]},
        made_by=MADE_BY,
        bars=bars(1.3),
        tolerance=1e-7,
        base=base,
        work=size,
    )


ROWS = (
    *(_row(size, dtype) for dtype in ("float64", "float32") for size in (1e6, 1e7)),
    _fifty(0, 100_000),
    _variant("transposed", "matrices stored by columns",
             partial(inputs, (1000, 1000), "float64", transposed=True), 1e6),
    _variant("broadcast", "y is a row",
             partial(inputs, (1000, 1000), "float64", (1000,)), 1e6),
    _variant("sizes", "777,777 elements", partial(inputs, (777_777,), "float64"), 777_777),
    _variant("extra", "tanh(x) is an output", partial(inputs, (1_000_000,), "float64"), 1e6,
             with_tanh),
    _fifty(0, 54_321, "fifty"),
)  # fmt: skip
