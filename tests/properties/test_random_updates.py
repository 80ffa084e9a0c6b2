"""Random programs of updates: written over or beside their old values, the numbers are the same.

Each program is compiled twice, FAST_RUN, which writes over what it may, and FAST_COMPILE, which
never does. Between calls somebody holds some of the values, some arguments are given away, some
calls fail; who holds a value keeps it. The seeds are fixed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tetractys as tt
import tetractys.tensor as T

ROWS, COLUMNS = 40, 30
"""9,600 bytes: enough to be written over."""


def expression(rng: np.random.Generator, leaves: list[Any], depth: int) -> Any:
    """A matrix of the leaves' sizes, bounded."""
    if depth == 0 or rng.random() < 0.15:
        return leaves[rng.integers(len(leaves))]
    a = expression(rng, leaves, depth - 1)
    b = expression(rng, leaves, depth - 1)
    kind = rng.integers(9)
    if kind < 4:
        return (a + b, a - b, a * b, T.tanh(a) * 0.5 + b * 0.25)[kind]
    return (
        a[::-1],
        a - b.mean(axis=0),
        a + b.sum(axis=1, keepdims=True) * 0.01,
        T.dot(a, T.dot(b.T, a)) * 0.001,
        T.set_subtensor(a[:3], b[3:6]),
    )[kind - 4]


def program(seed: int, mode: str) -> tuple[Any, list[Any]]:
    """A function of (x, at) and the shared variables that it updates."""
    rng = np.random.default_rng(seed)
    x, at = T.dmatrix("x"), T.lscalar("at")
    shareds = [tt.shared(rng.normal(size=(ROWS, COLUMNS)), name) for name in "abc"]
    leaves: list[Any] = [*shareds, x]
    updates = []
    for one in shareds[: rng.integers(1, 4)]:
        new = T.tanh(one * 0.5 + expression(rng, leaves, rng.integers(4)))
        updates.append((one, new))
        if rng.random() < 0.5:
            leaves.append(new)
    outputs = [expression(rng, leaves, 2) * 1.0, expression(rng, leaves, 1)[at, 0], x * 0.5]
    given = tt.In(x, mutable=bool(rng.random() < 0.5))
    return tt.function([given, at], outputs, updates=updates, mode=mode), shareds


@pytest.mark.parametrize("seed", range(24))
def test_over_and_beside(seed: int) -> None:
    (over, first), (beside, second) = program(seed, "FAST_RUN"), program(seed, "FAST_COMPILE")
    rng = np.random.default_rng(seed + 1000)
    held: list[tuple[Any, Any]] = []
    for call in range(6):
        x = rng.normal(size=(ROWS, COLUMNS))
        if rng.random() < 0.3:
            before = [one.get_value().tobytes() for one in first]
            with pytest.raises(IndexError):
                over(x.copy(), ROWS)
            with pytest.raises(IndexError):
                beside(x.copy(), ROWS)
            assert [one.get_value().tobytes() for one in first] == before
        wanted, found = beside(x.copy(), call), over(x.copy(), call)
        for value, want in zip(found, wanted):
            np.testing.assert_allclose(value, want, rtol=1e-9, atol=1e-11)
        for one, other in zip(first, second):
            np.testing.assert_allclose(one.get_value(), other.get_value(), rtol=1e-9, atol=1e-11)
            other.set_value(one.get_value())
        if rng.random() < 0.5:
            value = first[rng.integers(3)].get_value(borrow=True)
            held.append((value[1:] if rng.random() < 0.5 else value, value.copy()))
    for value, copy in held:
        np.testing.assert_array_equal(value, copy[len(copy) - len(value) :])


def test_the_programs_do_write_over() -> None:
    """Else the test above would compare nothing."""
    marked = sum(len(program(seed, "FAST_RUN")[0].spec.inplace) for seed in range(24))
    assert marked >= 12
