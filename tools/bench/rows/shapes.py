"""One compiled function called with a thousand random shapes, 0 and 1 among them.

The function is a prediction and the gradient-like product behind it, so that both sizes of `x` are
kept in one result and summed over in another.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ..job import worst_error
from ..row import ShapesRow

COUNT = 1000
STATIC_SHAPES = ((400, 784), (1000, 1000), (33, 257), (4, 5))
"""Where the build for all shapes is compared with one for this very shape."""


def shapes() -> list[tuple[int, int]]:
    """The shapes; every tenth has a size of 0 or 1."""
    import random  # not at start-up, which is measured

    rng = random.Random(0)
    sizes = [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65, 100, 127, 200, 255, 257]
    found = [(rng.choice(sizes), rng.choice(sizes)) for _ in range(COUNT)]
    for number in range(0, COUNT, 10):
        small, other = rng.choice((0, 1)), rng.choice(sizes)
        found[number] = (small, other) if rng.random() < 0.5 else (other, small)
    return found


def arguments(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """x and w for a shape."""
    rng = np.random.default_rng(shape[0] * 1000 + shape[1])
    return rng.standard_normal(shape), rng.standard_normal(shape[1]) * 0.1


def in_numpy(x: np.ndarray, w: np.ndarray) -> list[np.ndarray]:
    """The reference."""
    p = 1 / (1 + np.exp(-(x @ w)))
    return [p, p @ x]


def _theano_graph(T: Any, x: Any, w: Any) -> list[Any]:
    p = 1 / (1 + T.exp(-T.dot(x, w)))
    return [p, T.dot(p, x)]


def by_theano(api: Any) -> Callable[..., Any]:
    """Ours and PyTensor's."""
    x, w = api.T.dmatrix("x"), api.T.dvector("w")
    return api.function([x, w], _theano_graph(api.T, x, w))


def by_numba(column: Any) -> Callable[..., Any]:
    """Numba compiles by type, once."""
    import numba as nb  # pyright: ignore[reportMissingImports]

    @nb.njit(fastmath=True)
    def function(x: Any, w: Any) -> Any:
        p = 1 / (1 + np.exp(-np.dot(x, w)))
        return p, np.dot(p, x)

    return function


def by_jax(column: Any) -> Callable[..., Any]:
    """JAX compiles every shape."""
    import jax  # pyright: ignore[reportMissingImports]
    import jax.numpy as jnp  # pyright: ignore[reportMissingImports]

    function = jax.jit(lambda x, w: (p := 1 / (1 + jnp.exp(-(x @ w))), p @ x))
    return lambda x, w: jax.block_until_ready(function(x, w))


def measure(make: Callable[[], Callable[..., Any]], some: int = COUNT) -> dict[str, Any]:
    """Seconds for building and for calling each shape, scaled from the first `some` shapes."""
    chosen = [arguments(shape) for shape in shapes()[:some]]
    start = time.perf_counter()
    function = make()
    for values in chosen:
        function(*values)
    seconds = (time.perf_counter() - start) * COUNT / some
    errors = (
        worst_error([np.asarray(r) for r in function(*values)], in_numpy(*values))
        for values in chosen[: 200 if some == COUNT else 20]
    )
    return {"total": seconds, "error_size": max(errors)}


def count_compilations(run: Callable[[], Any]) -> tuple[Any, int]:
    """What `run()` gives, and how many kernels of ours LLVM was given in it."""
    from tetractys.runtime import jit

    counted: list[int] = []
    module: Any = jit
    unit = jit.Unit

    def counting(text: str, *arguments: Any, **options: Any) -> jit.Unit:
        if f"@{jit.KERNEL_SYMBOL}(" in text:  # the trampoline's text is no kernel
            counted.append(1)
        return unit(text, *arguments, **options)

    module.Unit = counting
    try:
        return run(), len(counted)
    finally:
        module.Unit = unit


def against_static(api: Any, rounds: int) -> dict[str, Any]:
    """The worst shape's (time of the build for this shape / time of the build for all shapes)."""
    general = by_theano(api)
    ratios: list[float] = []
    for shape in STATIC_SHAPES:
        special, values = _static(api, shape), arguments(shape)
        if worst_error([np.asarray(r) for r in special(*values)], in_numpy(*values)) > 1e-10:
            return {"error_size": float("inf")}
        calls = max(1, int(2e7 / (2000 + shape[0] * shape[1])))
        times: dict[Any, list[float]] = {general: [], special: []}
        for _ in range(max(3, rounds)):
            for function in (general, special, special, general):
                start = time.perf_counter()
                for _ in range(calls // 20 or 1):
                    function(*values)
                times[function].append(time.perf_counter() - start)
        ratios.append(float(np.median(times[special]) / np.median(times[general])))
    return {"ratio": min(ratios), "ratios": ratios, "error_size": 0.0}


def _static(api: Any, shape: tuple[int, int]) -> Callable[..., Any]:
    # The front end has no static sizes but 1; the levels below do, so the argument's type is told.
    x, w = api.T.dmatrix("x"), api.T.dvector("w")
    for variable, sizes in ((x, shape), (w, shape[1:])):
        static = variable.type.clone()
        static.spec = (static.dtype, sizes)
        variable.type = static
    return api.function([x, w], _theano_graph(api.T, x, w))


ROWS = (
    ShapesRow(
        "shapes",
        "one function, 1,000 random shapes: build and calls, in one compilation",
        "shapes",
        "sizes stay symbolic (to_ir, hoist-checks)",
    ),
    ShapesRow(
        "shapes-static",
        "the same function against builds for one shape (worst of four)",
        "static",
        "lower-to-loops: sizes are values",
    ),
)
