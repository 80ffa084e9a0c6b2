"""What a call allocates: one arena, of the size that `f.explain()` says, and its results; a later
call its results alone.

`tracemalloc` counts every block of CPython's and NumPy's allocators, from which the runtime takes
all that it takes.
"""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest

import tetractys as tt
import tetractys.tensor as T
from tetractys import shared

HEADERS = 4096
"""Bytes of array objects, tuples, and what aligns the arena."""


class Program(NamedTuple):
    """A compiled function, its arguments, and its shared values by name."""

    function: Any
    arguments: Sequence[Any]
    shared: dict[str, Any]


def logistic_regression() -> Program:
    """The tutorial's step."""
    rng = np.random.default_rng(0)
    x, y = T.dmatrix("x"), T.dvector("y")
    w, b = shared(rng.normal(size=900), "w"), shared(0.0, "b")
    p = 1 / (1 + T.exp(-T.dot(x, w) - b))
    xent = -y * T.log(p) - (1 - y) * T.log(1 - p)
    cost = xent.mean() + 0.01 * (w**2).sum()
    updates = [(v, v - 0.1 * T.grad(cost, v)) for v in (w, b)]
    f = tt.function([x, y], [p > 0.5, xent], updates=updates, threads=1)
    values = rng.normal(size=(700, 900)), rng.integers(0, 2, 700).astype("float64")
    return Program(f, values, {"w": w, "b": b})


def softmax_loss() -> Program:
    """The loss and its gradient to the logits."""
    rng = np.random.default_rng(0)
    x, y = T.fmatrix("x"), T.lvector("y")
    loss = T.nnet.categorical_crossentropy(T.nnet.softmax(x), y).mean()
    f = tt.function([x, y], [loss, T.grad(loss, x)], threads=1)
    values = rng.normal(size=(500, 300)).astype("float32"), rng.integers(0, 300, 500)
    return Program(f, values, {})


def perceptron() -> Program:
    """Three layers, a step of momentum: products, and updates written in place."""
    rng = np.random.default_rng(0)
    x, y = T.fmatrix("x"), T.lvector("y")
    sizes = (120, 90, 70, 40)
    values: dict[str, Any] = {}
    h = x
    for k, (rows, columns) in enumerate(zip(sizes[:-1], sizes[1:])):
        weights = rng.normal(size=(rows, columns)).astype("float32") / 8
        values[f"w{k}"] = shared(weights, f"w{k}")
        values[f"b{k}"] = shared(np.zeros(columns, "float32"), f"b{k}")
        h = T.dot(h, values[f"w{k}"]) + values[f"b{k}"]
        h = T.maximum(h, 0) if k < 2 else h
    loss = T.nnet.categorical_crossentropy(T.nnet.softmax(h), y).mean()
    updates = []
    for name, p in list(values.items()):
        values[f"v{name}"] = v = shared(np.zeros_like(p.get_value()), f"v{name}")
        new = np.float32(0.9) * v - np.float32(0.01) * T.grad(loss, p)
        updates += [(v, new), (p, p + new)]
    f = tt.function([x, y], loss, updates=updates, threads=1)
    batch = rng.normal(size=(64, 120)).astype("float32"), rng.integers(0, 40, 64)
    return Program(f, batch, values)


def embedding() -> Program:
    """Rows of a table, in place."""
    rng = np.random.default_rng(0)
    words, w = T.lvector("words"), shared(rng.normal(size=(3000, 24)), "w")
    cost = (T.tanh(w[words]) ** 2).sum()
    f = tt.function([words], cost, updates=[(w, w - 0.1 * T.grad(cost, w))], threads=1)
    return Program(f, (rng.integers(0, 3000, 50),), {"w": w})


PROGRAMS: dict[str, Callable[[], Program]] = {
    one.__name__: one for one in (logistic_regression, softmax_loss, perceptron, embedding)
}


def allocated(program: Program) -> int:
    """The most bytes that were allocated at one time of a call."""
    tracemalloc.start()
    try:
        answer = program.function(*program.arguments)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        del answer


def said(program: Program) -> dict[str, int]:
    """The sizes in `f.explain()`, with the numbers of this call put in for names."""
    names = dict(zip((operand.name for operand in program.function.spec.inputs), program.arguments))
    names |= {name: value.get_value(borrow=True) for name, value in program.shared.items()}
    lines = re.findall(r"^    (workspace|result \d+): (.*?)( bytes.*)?$",
                       program.function.explain(), re.MULTILINE)  # fmt: skip
    names["none"] = 0
    return {what: eval(text, {"min": min, "max": max}, names) for what, text, _ in lines}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_call_takes_what_explain_says(name: str) -> None:
    program = PROGRAMS[name]()
    for _ in range(2):
        program.function(*program.arguments)
    program.function.free()
    first = allocated(program)
    spent, words = program.function.memory(), said(program)
    slots = program.function.ir(after="bufferize").count("loops.alloc")
    assert 0 <= spent["workspace"] - words.pop("workspace") <= 64 * slots
    assert 0 <= first - spent["workspace"] - spent["results"] <= HEADERS
    assert spent["results"] <= sum(words.values())


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_later_call_takes_its_results_alone(name: str) -> None:
    program = PROGRAMS[name]()
    for _ in range(3):
        program.function(*program.arguments)
    answer = program.function(*program.arguments)
    outputs = answer if isinstance(answer, list) else [answer]
    results = sum(np.asarray(one).nbytes for one in outputs)
    assert allocated(program) <= results + HEADERS
