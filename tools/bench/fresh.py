"""One fresh process of a measurement: start-up, compilation alone, or many shapes.

`main([task, column, threads, row])` prints one line of JSON: `total` in seconds and, for ours at
start-up, the seconds of each phase.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from .columns import COLUMNS, OURS, Column, pin
from .row import Inputs, Row
from .worker import make_job

SOME_SHAPES = 40
"""JAX compiles every shape: so many are measured and scaled up."""


def startup(row: Row, column: Column) -> dict[str, float]:
    """From after `import numpy` to the first result: imports, compilation, the first call."""
    inputs = row.inputs()
    start = time.perf_counter()
    if column.name == OURS:
        phases = _our_phases(inputs)
    else:
        job = make_job(row, column, inputs)
        assert job is not None
        job.seconds(1)
        phases = {}
    phases["total"] = time.perf_counter() - start
    return phases


def _our_phases(d: Inputs) -> dict[str, float]:
    """The logistic regression as the tutorial has it, the prediction compiled too."""
    clock = time.perf_counter
    marks = [clock()]
    import tetractys
    import tetractys.tensor as T

    marks.append(clock())
    x, y = T.dmatrix("x"), T.dvector("y")
    w, b = tetractys.shared(d["w"], name="w"), tetractys.shared(0.0, name="b")
    p_1 = 1 / (1 + T.exp(-T.dot(x, w) - b))
    prediction = p_1 > 0.5
    xent = -y * T.log(p_1) - (1 - y) * T.log(1 - p_1)
    cost = xent.mean() + 0.01 * (w**2).sum()
    gw, gb = T.grad(cost, [w, b])
    marks.append(clock())
    train = tetractys.function(
        [x, y], [prediction, xent], updates=((w, w - 0.1 * gw), (b, b - 0.1 * gb))
    )
    predict = tetractys.function([x], prediction)
    marks.append(clock())
    train(d["x"], d["y"])
    predict(d["x"])
    marks.append(clock())
    phases = {"import tetractys": marks[1] - marks[0], "graph and gradient": marks[2] - marks[1]}
    for function in (train, predict):
        for name, seconds in function.times.items():
            phases[name] = phases.get(name, 0.0) + seconds
    known = sum(phases.values()) - phases["import tetractys"] - phases["graph and gradient"]
    phases["call path and the rest"] = marks[3] - marks[2] - known
    phases["first calls"] = marks[4] - marks[3]
    return phases


def compilation(row: Row, column: Column) -> dict[str, float]:
    """Building the function and its first call, less a second call.

    Imports and what a framework does once in a process are done before, by a trivial function.
    """
    inputs = row.inputs()
    _trivial(column)
    start = time.perf_counter()
    job = make_job(row, column, inputs)
    assert job is not None
    first = job.seconds(1)
    built = time.perf_counter() - start
    return {"total": built - min(first, job.seconds(1))}


def _trivial(column: Column) -> None:
    if column.framework == "theano":
        from .theano import TheanoAPI

        api = TheanoAPI(column)
        x = api.T.dscalar("x")
        api.function([x], x + 1)(1.0)
    elif column.framework == "jax":
        import jax  # pyright: ignore[reportMissingImports]

        jax.jit(lambda x: x + 1)(1.0).block_until_ready()
    elif column.framework == "numba":
        import numba  # pyright: ignore[reportMissingImports]

        numba.njit(lambda x: x + 1)(1.0)
    elif column.framework == "torch":
        import torch  # pyright: ignore[reportMissingImports]

        if column.compiled:
            torch.compile(lambda x: x + 1)(torch.ones(3))


def many_shapes(row: Row | None, column: Column) -> dict[str, Any]:
    """One function, a thousand shapes."""
    from .rows import shapes

    if column.framework == "theano":
        from .theano import TheanoAPI

        api = TheanoAPI(column)

        def run() -> dict[str, Any]:
            return shapes.measure(lambda: shapes.by_theano(api))

        if column.name != OURS:
            return run()
        found, compilations = shapes.count_compilations(run)
        return found | {"compilations": compilations}
    if column.framework == "numba":
        return shapes.measure(lambda: shapes.by_numba(column))
    if column.framework == "jax":
        return shapes.measure(lambda: shapes.by_jax(column), SOME_SHAPES)
    return {"skip": True}


def static_shapes(row: Row | None, column: Column) -> dict[str, Any]:
    """The build for all shapes beside builds for one."""
    from .rows import shapes
    from .theano import TheanoAPI

    return shapes.against_static(TheanoAPI(column), 7)


TASKS: dict[str, Callable[[Any, Column], dict[str, Any]]] = {
    "startup": startup,
    "compile": compilation,
    "shapes": many_shapes,
    "static": static_shapes,
}


def main(arguments: list[str]) -> None:
    """Runs one task in this process; what it prints last is the answer."""
    from .rows import find

    task, name, threads, row = arguments
    column = COLUMNS[name]._replace(threads=int(threads))
    pin(column)
    np.dot(np.ones((4, 4)), np.ones((4, 4)))  # NumPy and its BLAS are up before the clock starts
    print(json.dumps(TASKS[task](find(row) if row else None, column)))
