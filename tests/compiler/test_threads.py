"""Nests in chunks: right values and the same bits for any number of threads, of every kind of
result, with sizes from 0 to several chunks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tetractys
import tetractys.tensor as T
from tetractys.compile import driver

SHAPES = [(400, 78), (7, 5), (1, 3000), (3000, 1), (0, 5), (5, 0), (33, 1025), (1025, 33)]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of a few hundred operations, so that small arrays have many."""
    monkeypatch.setenv("TETRACTYS_CACHE", "off")
    usual = driver.host_options

    def options(name: str) -> dict[str, int]:
        return usual(name) | ({"grain": 300} if name == "schedule-cpu" else {})

    monkeypatch.setattr(driver, "host_options", options)


def softmax(x: Any) -> Any:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


x, y, v, k = T.matrix("x"), T.matrix("y"), T.vector("v"), T.lvector("k")
rows = x.shape[0]
p = T.nnet.softmax(x)
cost = -T.mean(T.log(p)[T.arange(rows), k])


def cross_entropy(x: Any, k: Any) -> list[Any]:
    p = softmax(x)
    at = (np.arange(len(k)), k)
    slope = p.copy()
    slope[at] -= 1
    return [-np.mean(np.log(p[at])), slope / len(k)]


CASES: dict[str, tuple[list[Any], list[Any], Callable[..., list[Any]]]] = {
    "elementwise": ([x, y], [x + y, T.exp(x)], lambda x, y: [x + y, np.exp(x)]),
    "transposed": ([x, y], [T.tanh(x.T) * y.T], lambda x, y: [np.tanh(x.T) * y.T]),
    "sums": (
        [x],
        [x.sum(), x.sum(axis=0), T.exp(x).sum(axis=0), x.sum(axis=1)],
        lambda x: [x.sum(), x.sum(axis=0), np.exp(x).sum(axis=0), x.sum(axis=1)],
    ),
    "bools": (
        [x],
        [(x > 3).any(), (x > -9).all(axis=0), T.prod(x, axis=0)],
        lambda x: [(x > 3).any(), (x > -9).all(axis=0), x.prod(axis=0)],
    ),
    "matrix and vector": (
        [x, v],
        [T.dot(x, v), T.dot(x.T, T.dot(x, v))],
        lambda x, v: [x @ v, x.T @ (x @ v)],
    ),
    "row numbers": (
        [x],
        [x * T.arange(rows).dimshuffle(0, "x") + T.arange(x.shape[1])],
        lambda x: [x * np.arange(len(x))[:, None] + np.arange(x.shape[1])],
    ),
}
FILLED = {
    "extremes": (
        [x],
        [x.max(), x.max(axis=0), x.min(axis=1), T.argmax(x, axis=1), T.argmax(x, axis=0)],
        lambda x: [x.max(), x.max(axis=0), x.min(axis=1), x.argmax(axis=1), x.argmax(axis=0)],
    ),
    "position": ([x], [T.argmax(x)], lambda x: [x.argmax()]),
    "mean and variance": (
        [x],
        [x.mean(axis=1), x.var(axis=1), x - x.mean(axis=0)],
        lambda x: [x.mean(axis=1), x.var(axis=1), x - x.mean(axis=0)],
    ),
    "cross-entropy": ([x, k], [cost, T.grad(cost, x)], cross_entropy),
}


def values(inputs: list[Any], shape: tuple[int, int]) -> list[Any]:
    """Arrays for the inputs of a case."""
    random = np.random.default_rng(sum(shape))
    made = {
        x: random.standard_normal(shape),
        y: random.standard_normal(shape),
        v: random.standard_normal(shape[1]),
        k: random.integers(0, max(shape[1], 1), shape[0]),
    }
    return [made[variable] for variable in inputs]


@pytest.mark.parametrize("name", [*CASES, *FILLED])
def test_same_bits_for_any_number_of_threads(name: str) -> None:
    inputs, outputs, reference = (CASES | FILLED)[name]
    functions = [tetractys.function(inputs, outputs, threads=threads) for threads in (1, 2, 3)]
    for shape in SHAPES:
        if name in FILLED and 0 in shape:
            continue
        given = values(inputs, shape)
        wanted = reference(*given)
        found = [f(*given) for f in functions]
        for number, expected in enumerate(wanted):
            one = found[0][number]
            np.testing.assert_allclose(one, expected, rtol=1e-11, atol=1e-13)
            assert one.shape == np.shape(expected)
            for other in found[1:]:
                assert one.tobytes() == other[number].tobytes(), (name, shape, number)


def test_the_chunks_are_there() -> None:
    """The kernel of a sum over rows calls the pool, and its partial sums are in the arena."""
    f = tetractys.function([x], [x.sum(axis=0)])
    assert "@tt_part0" in f.ir("llvm")
    assert "threads over i" in f.explain()
    assert "library calls: none" in f.explain()


def test_errors_of_chunks() -> None:
    """An index out of range in any chunk stops the call."""
    f = tetractys.function([v, k], T.exp(v)[k], threads=2)
    where = np.arange(5000) % 50
    assert f(np.ones(50), where).shape == (5000,)
    where[4321] = 50
    with pytest.raises(IndexError, match="index 50 is out of bounds"):
        f(np.ones(50), where)


def test_shared_values_updated_by_chunks() -> None:
    """A training step on several threads keeps its state right over many calls."""
    random = np.random.default_rng(0)
    data, target = random.standard_normal((500, 60)), random.random(500)
    results = []
    for threads in (1, 2):
        w = tetractys.shared(np.zeros(60), name="w")
        error = T.dot(x, w) - v
        step = tetractys.function(
            [x, v], (error**2).mean(), updates=[(w, w - 0.01 * T.grad((error**2).mean(), w))],
            threads=threads,
        )
        for _ in range(200):
            step(data, target)
        results.append(w.get_value())
    wanted = np.zeros(60)
    for _ in range(200):
        wanted -= 0.01 * 2 / 500 * data.T @ (data @ wanted - target)
    np.testing.assert_allclose(results[0], wanted, rtol=1e-10)
    assert results[0].tobytes() == results[1].tobytes()
