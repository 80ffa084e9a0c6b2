"""A hundred thousand calls of every kind leave reference counts and memory as they were."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from typing import Any

import numpy as np
import pytest

from tetractys.runtime.cell import Cell

ADD = "  %r = fadd double %a0, %a1"
CALLS = 100_000


@pytest.fixture
def path() -> str:
    return "native"


def measure(call: Any, calls: int, watched: list[Any]) -> None:
    """Runs `call` often and compares reference counts of `watched` and traced memory."""
    for _ in range(20):
        call()
    gc.collect()
    tracemalloc.start()
    call()
    counts = [sys.getrefcount(value) for value in watched]
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(calls):
        call()
    gc.collect()
    call()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    changes = [sys.getrefcount(value) - count for value, count in zip(watched, counts, strict=True)]
    # A leak would show once a call; a few references come and go with what `call` itself keeps.
    assert all(abs(change) < 50 for change in changes), f"{changes}"
    assert after - before < 16384  # a leak would be some bytes a call


def failing(f: Any, *args: Any) -> Any:
    def call() -> None:
        try:
            f(*args)
        except (ValueError, IndexError, TypeError):
            return
        raise AssertionError("no error")

    return call


def test_plain_calls(make: Any) -> None:
    f0, f1 = make(0, "xy", [ADD]), make(1, "xy", [ADD])
    a, v, big = np.array(1.0), np.ones(10), np.ones(20000)
    watched = [a, v, big, f0, f1, np.dtype("float64"), np.ndarray, None]
    measure(lambda: f0(a, a), CALLS, watched)
    measure(lambda: f0(1.0, y=2), CALLS, watched)
    measure(lambda: f1(v, v), CALLS, watched)
    measure(lambda: f1(big, big), 2000, watched)
    kept: list[Any] = []
    measure(lambda: kept.append(f1(v, v)) or (len(kept) > 3 and kept.clear()), CALLS, watched)


def test_containers(make: Any) -> None:
    v = np.ones(10)
    f = make(1, "xy", [ADD, ADD], form="list")
    g = make(1, "xy", [ADD, ADD], form="dict", keys=("u", "v"))
    watched = [v, f, g, np.dtype("float64"), *g.spec.output_keys]
    measure(lambda: f(v, v), CALLS, watched)
    measure(lambda: g(v, v), CALLS, watched)


@pytest.mark.parametrize("gil_elements", [None, 0])
def test_updates(make: Any, gil_elements: int | None) -> None:
    cell, x = Cell(np.zeros(10)), np.ones(10)
    f = make(1, "x", [ADD], shared=[cell], updates=[0], form="none", gil_elements=gil_elements)
    held: list[Any] = []
    watched = [x, cell, f, None, True, False, np.dtype("float64")]
    measure(lambda: f(x), CALLS, watched)
    measure(lambda: held.append(cell.get()) or f(x) or held.clear(), CALLS, watched)
    # (np.zeros itself leaves a reference to its dtype behind.)
    measure(lambda: cell.set(np.zeros(10)) or f(x), CALLS // 10, watched[:-1])


def test_errors(make: Any) -> None:
    cell, x, bad = Cell(np.zeros(3)), np.ones(3), np.array([1.0, 2.0, 666.0])
    f = make(1, "x", [ADD, ADD], shared=[cell], updates=[0])
    g = make(1, "xy", [ADD, ADD], form="dict", keys=("u", "v"), gil_elements=0)
    watched = [x, bad, cell, cell.get(), f, g, np.dtype("float64")]
    measure(failing(f, bad), CALLS // 5, watched)
    measure(failing(f, np.ones(2)), CALLS // 5, watched)
    measure(failing(g, bad, x), CALLS // 5, watched)
    measure(failing(g, x, x, x), CALLS // 20, watched)
    measure(failing(f, "text"), CALLS // 20, watched)


def test_slow_path(make: Any) -> None:
    f, x = make(1, "xy", [ADD]), np.arange(8.0)[::2]
    measure(lambda: f(x, x), CALLS // 10, [x, f])


def test_memory_error_passes_through(make: Any) -> None:
    f = make(2, "x", ["  %r = fadd double %a0, %a0"])
    huge = np.lib.stride_tricks.as_strided(np.zeros(1), (1 << 40, 1 << 10), (0, 0))
    with pytest.raises((MemoryError, ValueError)):
        f.call_clean([huge]) if huge.strides[-1] == 8 else f(
            np.lib.stride_tricks.as_strided(np.zeros(1), (1 << 50, 1), (0, 8))
        )
