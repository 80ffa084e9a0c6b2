"""Large outputs: their memory is used again once nobody has them, and never before; `free`,
`memory`.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import pytest

from tetractys.runtime.cell import Cell
from tetractys.runtime.state import RECYCLE_BYTES

ADD = "  %r = fadd double %a0, %a1"
COUNT = "  %r = fadd double %a0, 1.0"
LARGE = RECYCLE_BYTES // 8
"""Elements from which an output is kept."""


def address(array: np.ndarray) -> int:
    """Where an array lies."""
    return array.__array_interface__["data"][0]


@pytest.fixture
def path() -> str:
    """The trampoline: the Python path keeps nothing."""
    return "native"


def test_a_loop_uses_two_buffers(make: Any) -> None:
    f, x = make(1, "x", [COUNT]), np.zeros(LARGE)
    places, y = [], None
    for k in range(6):
        x[0] = k
        y = f(x)
        assert y[0] == k + 1
        places.append(address(y))
    assert len(set(places)) == 2
    assert f.memory()["kept"] == 2 * 8 * LARGE
    del y
    f.free()
    assert f.memory() == {"results": 8 * LARGE, "workspace": 0, "kept": 0}
    assert f(x)[0] == 6


def test_below_the_limit_nothing_is_pinned(make: Any) -> None:
    f = make(1, "x", [COUNT])
    f(np.zeros(LARGE - 1))
    assert f.memory()["kept"] == 0
    f(np.zeros(10))
    assert f.memory()["kept"] == 80


def test_what_somebody_has_is_not_used_again(make: Any) -> None:
    f, x = make(1, "x", [COUNT]), np.zeros(LARGE)
    kept: list[tuple[Any, Any]] = []
    for k, hold in enumerate((lambda y: y, lambda y: y[5:], memoryview, lambda y: y[::-1][3:])):
        x[:] = k
        kept.append((hold(f(x)), k + 1))
    for k in range(4):
        x[:] = 50 + k
        f(x)
    for held, value in kept:
        assert np.asarray(held)[0] == value and np.asarray(held)[-1] == value
    watched = f(x)
    reference = weakref.ref(watched)
    place = address(watched)
    del watched
    again = [f(x), f(x)]
    assert reference() is None or all(address(y) != place for y in again)


def test_sizes_that_change(make: Any) -> None:
    f = make(1, "xy", [ADD])
    for n in (LARGE, 5, LARGE + 8, LARGE, 0, LARGE, LARGE):
        y = f(np.full(n, 2.0), np.ones(n))
        assert y.shape == (n,) and (y == 3).all() and y.flags.c_contiguous
        assert n < LARGE or address(y) % 64 == 0
    del y
    assert f.memory()["kept"] <= 2 * 8 * (LARGE + 8)


def test_several_outputs_and_an_update(make: Any) -> None:
    cell = Cell(np.zeros(LARGE))
    f = make(1, "x", [ADD, COUNT, ADD], shared=[cell], updates=[0], form="list")
    for k in range(4):
        a, b = f(np.ones(LARGE))
        assert a[7] == k + 1 and b[7] == 2 and cell.get()[7] == k + 1
        assert not np.shares_memory(a, b) and not np.shares_memory(a, cell.get())
    del a, b
    f.free()
    assert f.memory()["kept"] == 0
    assert f(np.ones(LARGE))[0][0] == 5 and cell.get()[-1] == 5
