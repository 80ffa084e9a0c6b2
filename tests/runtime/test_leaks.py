"""A hundred thousand calls of every kind leave reference counts and memory as they were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tetractys.runtime.cell import Cell

ADD = "  %r = fadd double %a0, %a1"
CALLS = 100_000


@pytest.fixture
def path() -> str:
    return "native"


def failing(f: Any, *args: Any) -> Any:
    def call() -> None:
        try:
            f(*args)
        except (ValueError, IndexError, TypeError):
            return
        raise AssertionError("no error")

    return call


def test_plain_calls(make: Any, leaves_nothing: Any) -> None:
    f0, f1 = make(0, "xy", [ADD]), make(1, "xy", [ADD])
    a, v, big = np.array(1.0), np.ones(10), np.ones(20000)
    watched = [a, v, big, f0, f1, np.dtype("float64"), np.ndarray, None]
    leaves_nothing(lambda: f0(a, a), watched, CALLS)
    leaves_nothing(lambda: f0(1.0, y=2), watched, CALLS)
    leaves_nothing(lambda: f1(v, v), watched, CALLS)
    leaves_nothing(lambda: f1(big, big), watched, 2000)
    kept: list[Any] = []

    def holding() -> None:
        kept.append(f1(v, v))
        if len(kept) > 3:
            kept.clear()

    leaves_nothing(holding, watched, CALLS)


def test_containers(make: Any, leaves_nothing: Any) -> None:
    v = np.ones(10)
    f = make(1, "xy", [ADD, ADD], form="list")
    g = make(1, "xy", [ADD, ADD], form="dict", keys=("u", "v"))
    watched = [v, f, g, np.dtype("float64"), *g.spec.output_keys]
    leaves_nothing(lambda: f(v, v), watched, CALLS)
    leaves_nothing(lambda: g(v, v), watched, CALLS)


@pytest.mark.parametrize("gil_elements", [None, 0])
def test_updates(make: Any, leaves_nothing: Any, gil_elements: int | None) -> None:
    cell, x = Cell(np.zeros(10)), np.ones(10)
    f = make(1, "x", [ADD], shared=[cell], updates=[0], form="none", gil_elements=gil_elements)
    held: list[Any] = []
    watched = [x, cell, f, None, True, False, np.dtype("float64")]
    leaves_nothing(lambda: f(x), watched, CALLS)
    leaves_nothing(lambda: held.append(cell.get()) or f(x) or held.clear(), watched, CALLS)
    # (np.zeros itself leaves a reference to its dtype behind.)
    leaves_nothing(lambda: cell.set(np.zeros(10)) or f(x), watched[:-1], CALLS // 10)


def test_errors(make: Any, leaves_nothing: Any) -> None:
    cell, x, bad = Cell(np.zeros(3)), np.ones(3), np.array([1.0, 2.0, 666.0])
    f = make(1, "x", [ADD, ADD], shared=[cell], updates=[0])
    g = make(1, "xy", [ADD, ADD], form="dict", keys=("u", "v"), gil_elements=0)
    watched = [x, bad, cell, cell.get(), f, g, np.dtype("float64")]
    leaves_nothing(failing(f, bad), watched, CALLS // 5)
    leaves_nothing(failing(f, np.ones(2)), watched, CALLS // 5)
    leaves_nothing(failing(g, bad, x), watched, CALLS // 5)
    leaves_nothing(failing(g, x, x, x), watched, CALLS // 20)
    leaves_nothing(failing(f, "text"), watched, CALLS // 20)


def test_slow_path(make: Any, leaves_nothing: Any) -> None:
    f, x = make(1, "xy", [ADD]), np.arange(8.0)[::2]
    leaves_nothing(lambda: f(x, x), [x, f], CALLS // 10)


def test_memory_error_passes_through(make: Any) -> None:
    f = make(2, "x", ["  %r = fadd double %a0, %a0"])
    huge = np.lib.stride_tricks.as_strided(np.zeros(1), (1 << 40, 1 << 10), (0, 0))
    with pytest.raises((MemoryError, ValueError)):
        f.call_clean([huge]) if huge.strides[-1] == 8 else f(
            np.lib.stride_tricks.as_strided(np.zeros(1), (1 << 50, 1), (0, 8))
        )
