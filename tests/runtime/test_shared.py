"""Shared values: commits are whole or absent, locks, threads, fork, kernels' errors."""

from __future__ import annotations

import gc
import os
import threading
import weakref
from typing import Any

import numpy as np
import pytest

from tetractys.runtime.cell import Cell
from tetractys.runtime.pack import OperandError

ADD = "  %r = fadd double %a0, %a1"
COUNT = "  %r = fadd double %a0, 1.0"
SECOND = "  %r = fadd double %a1, 0.0"
LAST = "  %r = fadd double %a2, 1.0"


def test_update_and_old_value(make: Any) -> None:
    cell = Cell(np.zeros(4))
    f = make(1, "x", [SECOND, ADD], shared=[cell], updates=[0])
    held = cell.get()
    for k in range(5):
        old = f(np.ones(4))
        np.testing.assert_array_equal(old, k)
    np.testing.assert_array_equal(cell.get(), 5.0)
    np.testing.assert_array_equal(held, 0.0)


def test_holders_of_values_never_see_a_change(make: Any) -> None:
    cell = Cell(np.zeros(3))
    f = make(1, "x", [ADD], shared=[cell], updates=[0], form="none")
    values = []
    views = []
    for _ in range(6):
        assert f(np.ones(3)) is None
        values.append(cell.get())
        views.append(cell.get()[1:])
    assert [v[0] for v in values] == [1, 2, 3, 4, 5, 6]
    assert [v[0] for v in views] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("gil_elements", [0, 20_000])
def test_error_commits_nothing(make: Any, gil_elements: int) -> None:
    cells = [Cell(np.zeros(3)), Cell(np.ones(3))]
    results = [SECOND, ADD, LAST]
    f = make(1, "x", results, shared=cells, updates=[0, 1], form="list", gil_elements=gil_elements)
    before = [cell.get() for cell in cells]
    bits = [value.tobytes() for value in before]
    for _ in range(3):
        with pytest.raises(IndexError, match=r"element 2 is forbidden\n  guard at model.py:13"):
            f(np.array([1.0, 2.0, 666.0]))
        with pytest.raises(ValueError, match="add: sizes 2 and 3 in dimension 0"):
            f(np.ones(2))
    assert [cell.get() is value for cell, value in zip(cells, before, strict=True)] == [True, True]
    assert [value.tobytes() for value in before] == bits
    assert all(cell.held is None and not cell.lock.locked() for cell in cells)
    f(np.ones(3))
    assert cells[0].get()[0] == 1.0 and cells[1].get()[0] == 2.0


def test_raise_closure(make: Any) -> None:
    def raise_(f: Any, code: int, values: tuple[int, ...]) -> Any:
        raise KeyError(code, *values)

    f = make(1, "xy", [ADD], raise_=raise_)
    with pytest.raises(KeyError, match=r"\(0, 2, 3, 0"):
        f(np.ones(2), np.ones(3))


def test_written_only_cells(make: Any) -> None:
    cell = Cell(None)
    f = make(1, "x", [COUNT], updates=[0], shared=[], form="none", cells=[cell])
    f(np.zeros(2))
    np.testing.assert_array_equal(cell.get(), 1.0)
    cell.set("anything")
    f(np.ones(2))
    f(np.ones(2))
    np.testing.assert_array_equal(cell.get(), 2.0)


def test_unclean_values_are_packed(make: Any) -> None:
    cell = Cell(np.arange(6.0)[::2])
    f = make(1, "x", [ADD], shared=[cell])
    np.testing.assert_array_equal(f(np.zeros(3)), [0, 2, 4])
    cell.set(np.arange(3))
    with pytest.raises(OperandError, match="dtype int64 found; expected float64"):
        f(np.zeros(3))
    cell.set(np.array([1.0, 2.0, 3.0], ">f8"))
    np.testing.assert_array_equal(f(np.zeros(3)), [1, 2, 3])


def test_functions_share_cells(make: Any) -> None:
    cell = Cell(np.zeros(3))
    f = make(1, "x", [ADD], shared=[cell], updates=[0], form="none")
    g = make(1, "x", [ADD], shared=[cell], updates=[0], form="none")
    for _ in range(10):
        f(np.ones(3))
        g(np.ones(3))
    np.testing.assert_array_equal(cell.get(), 20.0)


@pytest.mark.parametrize("gil_elements", [0, None])
def test_threads_lose_no_update(make: Any, gil_elements: int | None) -> None:
    cell = Cell(np.zeros(64))
    f = make(
        1, "x", [ADD], shared=[cell], updates=[0], form="none", gil_elements=gil_elements, repeat=20
    )
    g = make(1, "x", [ADD], shared=[cell], updates=[0], form="none", gil_elements=None)
    one = np.ones(64)

    def work() -> None:
        for _ in range(300):
            f(one)
            g(one)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(cell.get(), 1800.0)


def test_set_value_against_long_calls(make: Any) -> None:
    """Two cells are set together by updates; a `set` in between is never lost nor torn."""
    cell = Cell(np.zeros(1000))
    f = make(1, "x", [ADD], shared=[cell], updates=[0], form="none", gil_elements=0, repeat=50)
    one, stop = np.ones(1000), threading.Event()
    wrong: list[Any] = []

    def setter() -> None:
        base = 1e6
        while not stop.is_set():
            cell.set(np.full(1000, base))
            value = cell.get()
            if not (value[0] >= base and (value == value[0]).all()):
                wrong.append((base, value[0]))
            base += 1e6

    thread = threading.Thread(target=setter)
    thread.start()
    for _ in range(500):
        f(one)
    stop.set()
    thread.join()
    assert wrong == []


def test_same_function_in_two_threads_with_workspaces(make: Any, rng: np.random.Generator) -> None:
    f = make(1, "xy", [ADD], gil_elements=0, repeat=5)
    x = [rng.normal(size=5000) for _ in range(2)]
    wrong: list[int] = []

    def work(k: int) -> None:
        for _ in range(200):
            if not np.array_equal(f(x[k], x[k]), 2 * x[k]):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_weakref_callback_calls_the_function_again(make: Any) -> None:
    """A kept result with a weak reference is replaced; its callback re-enters the function."""
    f = make(1, "x", [COUNT])
    seen: list[float] = []
    watched = f(np.zeros(3))
    references = [weakref.ref(watched, lambda _: seen.append(f(np.ones(3))[0]))]
    del watched
    for _ in range(3):
        assert f(np.zeros(3)).tolist() == [1.0, 1.0, 1.0]
    del references
    assert seen in ([], [2.0])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_fork(make: Any) -> None:
    cell = Cell(np.zeros(100))
    f = make(1, "x", [ADD], shared=[cell], updates=[0], form="none", gil_elements=0, repeat=100)
    f(np.ones(100))
    with cell.lock:  # as another thread's long call would hold it
        cell.held = True
        child = os.fork()
        if child == 0:
            f(np.ones(100))
            os._exit(0 if cell.get()[0] == 2.0 else 1)
        cell.held = None
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert cell.get()[0] == 1.0


def test_collected_with_cycles(make: Any) -> None:
    f = make(1, "x", [COUNT], slow=lambda f, args, kwargs: f.call_clean([np.ones(2)]))
    f.itself = f
    assert f([1]).tolist() == [2.0, 2.0]
    gone = weakref.ref(f)
    del f
    gc.collect()
    assert gone() is None
