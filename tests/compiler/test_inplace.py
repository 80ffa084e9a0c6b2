"""Updates written over their old values, arguments given away: seen by nobody who holds a value,
and after an error as if nothing had happened.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tetractys as tt
import tetractys.tensor as T
from tetractys import In, shared
from tetractys.runtime.state import OVERWRITE_BYTES

LONG = 40_000
"""Elements of an array whose call drops the GIL."""
MIDDLE = 600
"""Of one that is large enough to be written over, in a short call."""


def address(variable: Any) -> int:
    """Where the value of a shared variable lies."""
    return variable.get_value(borrow=True).__array_interface__["data"][0]


SHORT_SIZES = (0, 1, 9, 33)
MODES = [
    *itertools.product(["FAST_RUN", "FAST_COMPILE"], (*SHORT_SIZES, 4096, 4097, 4110, LONG)),
    *itertools.product(["DebugMode"], SHORT_SIZES),  # its oracles go element by element
]


@pytest.mark.parametrize(("mode", "size"), MODES)
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int8"])
def test_momentum(size: int, dtype: str, mode: str) -> None:
    rng = np.random.default_rng(1)
    start = rng.integers(-5, 5, size).astype(dtype)
    w, v, g = shared(start), shared(start[::-1].copy()), T.vector("g", dtype=dtype)
    new = T.cast(2, dtype) * v - g
    f = tt.function([g], [w.sum(), v], updates=[(v, new), (w, w + new)], mode=mode)
    places, wanted_w, wanted_v = (address(w), address(v)), start.copy(), start[::-1].copy()
    for _ in range(3):
        step = rng.integers(-3, 3, size).astype(dtype)
        total, old = f(step)
        assert total == wanted_w.sum() and old.tobytes() == wanted_v.tobytes()
        wanted_v = (2 * wanted_v - step).astype(dtype)
        wanted_w = wanted_w + wanted_v
    assert w.get_value().tobytes() == wanted_w.tobytes()
    assert v.get_value().tobytes() == wanted_v.tobytes()
    if mode == "FAST_RUN":  # `v` itself is returned: its old value is read behind the update
        assert (address(w) == places[0]) == (start.nbytes >= OVERWRITE_BYTES)


def test_each_matrix_stays_where_it_is() -> None:
    w, b, x = shared(np.ones((40, 530))), shared(np.zeros(530)), T.dmatrix("x")
    cost = T.tanh(T.dot(x, w) + b).sum()
    updates = [(p, p - 0.1 * T.grad(cost, p)) for p in (w, b)]
    f = tt.function([x], cost, updates=updates)
    places = [address(p) for p in (w, b)]
    value = np.random.default_rng(0).normal(size=(7, 40))
    want = [p.get_value() for p in (w, b)]
    for _ in range(4):
        z = np.tanh(value @ want[0] + want[1])
        np.testing.assert_allclose(f(value), z.sum(), rtol=1e-12)
        want[0] = want[0] - 0.1 * (value.T @ (1 - z * z))
        want[1] = want[1] - 0.1 * (1 - z * z).sum(axis=0)
    np.testing.assert_allclose(w.get_value(), want[0], rtol=1e-10, atol=1e-12)
    assert [address(p) for p in (w, b)] == places


HOLDERS: dict[str, Callable[[np.ndarray], Any]] = {
    "the array": lambda a: a,
    "a view": lambda a: a[1:],
    "a view of a view": lambda a: a[1:][::-1],
    "a buffer": memoryview,
    "a ctypes pointer": lambda a: a.ctypes.data_as(ctypes.c_void_p),
}


@pytest.mark.parametrize("size", [MIDDLE, LONG])
@pytest.mark.parametrize("name", HOLDERS)
def test_who_holds_a_value_keeps_it(name: str, size: int) -> None:
    w = shared(np.arange(float(size)))
    f = tt.function([], [], updates=[(w, w * 2 + 1)])
    f()
    whole = w.get_value()
    copy = whole.tobytes()
    held = HOLDERS[name](w.get_value(borrow=True))
    kept = np.array(held) if isinstance(held, np.ndarray | memoryview) else None
    for _ in range(3):
        f()
    if kept is not None:
        assert np.array(held).tobytes() == kept.tobytes()
    else:
        assert ctypes.string_at(held.value, len(copy)) == copy
    want = whole
    for _ in range(3):
        want = want * 2 + 1
    assert w.get_value().tobytes() == want.tobytes()
    del held
    place = address(w)
    f()
    assert address(w) == place


def test_a_weak_reference_counts() -> None:
    w = shared(np.zeros(MIDDLE))
    f = tt.function([], [], updates=[(w, w + 1)])
    watched = weakref.ref(w.get_value(borrow=True))
    before = watched()
    assert before is not None
    del before
    place = address(w)
    f()
    assert address(w) != place and (w.get_value() == 1).all()


def test_a_value_that_came_by_borrowing_is_the_callers_while_he_has_it() -> None:
    mine = np.zeros(MIDDLE)
    w = shared(mine, borrow=True)
    f = tt.function([], [], updates=[(w, w + 1)])
    f()
    assert not mine.any() and (w.get_value() == 1).all()
    part = np.zeros(2 * MIDDLE)
    w.set_value(part[3 : 3 + MIDDLE], borrow=True)
    f()
    assert not part.any() and (w.get_value() == 1).all()


def test_two_variables_of_one_array() -> None:
    one = np.arange(float(MIDDLE))
    want = one.copy()
    a, b = shared(one, borrow=True), shared(one, borrow=True)
    del one
    f = tt.function([], [], updates=[(a, a + 1), (b, b * 2)])
    f()
    assert (a.get_value() == want + 1).all() and (b.get_value() == want * 2).all()


@pytest.mark.parametrize("size", [MIDDLE, LONG])
def test_an_input_that_overlaps(size: int) -> None:
    """By a pointer that NumPy knows nothing of: no reference tells."""
    w, x = shared(np.arange(float(size))), T.dvector("x")
    f = tt.function([x], [], updates=[(w, w + x[::-1])])
    value = w.get_value()
    raw = (ctypes.c_double * size).from_address(address(w))
    alias = np.frombuffer(raw, "float64")
    assert address(w) == alias.ctypes.data
    f(alias)
    assert w.get_value().tobytes() == (value + value[::-1]).tobytes()


def test_old_values_that_are_read_elsewhere() -> None:
    p, q = np.arange(float(MIDDLE)), np.arange(float(MIDDLE)) * 10
    a, b = shared(p), shared(q)
    swap = tt.function([], [], updates=[(a, b), (b, a)])
    swap()
    assert (a.get_value() == q).all() and (b.get_value() == p).all()
    turn = tt.function([], [], updates=[(a, a[::-1] + b), (b, b + a.sum())])
    turn()
    assert (a.get_value() == q[::-1] + p).all() and (b.get_value() == p + q.sum()).all()
    start = np.arange(900.0).reshape(30, 30)
    m = shared(start)
    flip = tt.function([], m.sum(axis=0), updates=[(m, m.T * 1.5)])
    np.testing.assert_array_equal(flip(), start.sum(axis=0))
    np.testing.assert_array_equal(m.get_value(), start.T * 1.5)


@pytest.mark.parametrize("size", [MIDDLE, LONG])
def test_an_error_changes_not_a_byte(size: int) -> None:
    """The index is looked at in front of the first update, wherever the user wrote it."""
    rng = np.random.default_rng(3)
    w, v = shared(rng.normal(size=size)), shared(rng.normal(size=size))
    at, g = T.lvector("at"), T.dvector("g")
    new = 0.9 * v - g
    f = tt.function([at, g], g[at].sum(), updates=[(v, new), (w, w + new * w[at].sum())])
    step = rng.normal(size=size)
    for _ in range(2):
        f(np.array([0, 1]), step)
        before = [p.get_value().tobytes() for p in (w, v)]
        places = [address(p) for p in (w, v)]
        with pytest.raises(IndexError, match="out of bounds"):
            f(np.array([0, size]), step)
        with pytest.raises(ValueError, match="mis-match"):
            f(np.array([0]), step[1:])
        assert [p.get_value().tobytes() for p in (w, v)] == before
        assert [address(p) for p in (w, v)] == places
        assert all(p.container.held is None and not p.container.lock.locked() for p in (w, v))
    wanted = 0.9 * v.get_value() - step
    f(np.array([2]), step)
    np.testing.assert_allclose(v.get_value(), wanted, rtol=1e-14)
    assert [address(p) for p in (w, v)] == places


def test_no_memory_changes_not_a_byte() -> None:
    w, n = shared(np.zeros(MIDDLE)), T.lscalar("n")
    f = tt.function([n], T.zeros((n, n)) + w.sum(), updates=[(w, w + 1)])
    assert f(2).tolist() == [[0.0] * 2] * 2
    place = address(w)
    with pytest.raises(MemoryError):
        f(1 << 25)
    assert (w.get_value() == 1).all() and address(w) == place


def test_readers_never_see_half_an_update() -> None:
    """Three threads read by function and by get_value what another writes over."""
    w, v = shared(np.zeros(LONG)), shared(np.zeros(LONG))
    step = tt.function([], [], updates=[(w, w + 1), (v, v + 1)])
    read = tt.function([], [w, v * 1])
    wrong: list[Any] = []
    stop = threading.Event()

    def look(get: Callable[[], Any]) -> None:
        while not stop.is_set():
            for value in get():
                if not (value == value[0]).all():
                    wrong.append(value)

    readers = [
        threading.Thread(target=look, args=(read,)),
        threading.Thread(target=look, args=(lambda: [w.get_value(borrow=True)],)),
        threading.Thread(target=look, args=(lambda: [v.get_value()],)),
    ]
    for thread in readers:
        thread.start()
    for _ in range(300):
        step()
    stop.set()
    for thread in readers:
        thread.join()
    assert wrong == [] and w.get_value()[0] == 300 and v.get_value()[-1] == 300


def test_several_writers_lose_nothing() -> None:
    w = shared(np.zeros(LONG))
    small = shared(np.zeros(10))
    step = tt.function([], [], updates=[(w, w + 1), (small, small + 1)])
    again = tt.function([], [], updates=[(small, small + 1)])

    def work() -> None:
        for _ in range(200):
            step()
            again()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (w.get_value() == 600).all() and (small.get_value() == 1200).all()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_finds_whole_values() -> None:
    w = shared(np.zeros(20 * LONG))
    step = tt.function([], [], updates=[(w, w + 1)], threads=1)
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            step()

    thread = threading.Thread(target=work)
    thread.start()
    codes = []
    for _ in range(10):
        child = os.fork()
        if child == 0:
            value = w.container.value
            os._exit(0 if (value == value[0]).all() else 1)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    stop.set()
    thread.join()
    assert codes == [0] * 10


# ---- arguments given away


@pytest.mark.parametrize("size", [3, 8, LONG])
def test_mutable_argument(size: int) -> None:
    x, y = T.dvector("x"), T.dvector("y")
    f = tt.function([In(x, mutable=True), y], x * 2 + y)
    value, other = np.arange(float(size)), np.ones(size)
    result = f(value, other)
    assert result is value and value.tolist() == (np.arange(float(size)) * 2 + 1).tolist()
    assert other.tolist() == [1.0] * size
    plain = tt.function([x, y], x * 2 + y)
    assert plain(value, other) is not value


def test_mutable_argument_that_cannot_be_taken() -> None:
    x, y, w = T.dvector("x"), T.dvector("y"), shared(np.arange(6.0))
    f = tt.function([In(x, mutable=True), y], x * 2 + y[::-1] + w)
    base = np.arange(12.0)
    cases: list[tuple[Any, Any]] = [
        (base[::2], np.ones(6)),
        (base[:6], base[:6]),
        (base[:6], base[3:9]),
        (base[5::-1], np.ones(6)),
        (w.get_value(borrow=True), np.ones(6)),
        ([1, 2, 3, 4, 5, 6.0], np.ones(6)),
        (np.arange(6), np.ones(6)),
        (np.arange(6, dtype="f"), np.ones(6)),
        ((1, 2, 3, 4, 5, 6), np.ones(6)),
    ]
    frozen = np.arange(6.0)
    frozen.flags.writeable = False
    cases.append((frozen, np.ones(6)))
    for first, second in cases:
        before, kept = np.array(first), np.array(second)
        result = f(first, second)
        np.testing.assert_array_equal(result, before * 2 + kept[::-1] + np.arange(6.0))
        np.testing.assert_array_equal(first, before)
        np.testing.assert_array_equal(second, kept)
    assert base.tolist() == np.arange(12.0).tolist()


def test_an_array_given_away_twice_or_kept() -> None:
    x, y, w = T.dvector("x"), T.dvector("y"), shared(np.zeros(4))
    both = tt.function([In(x, mutable=True), In(y, mutable=True)], [x + 1, y + 2])
    a, b = np.zeros(4), np.ones(4)
    p, q = both(a, b)
    assert p is a and q is b and a.tolist() == [1.0] * 4 and b.tolist() == [3.0] * 4
    p, q = both(a, a)
    assert p is not a and q is not a and p.tolist() == [2.0] * 4 and q.tolist() == [3.0] * 4
    store = tt.function([In(x, mutable=True)], [], updates=[(w, x * 2)])
    store(a)
    assert a.tolist() == [1.0] * 4 and w.get_value().tolist() == [2.0] * 4
    assert not np.shares_memory(a, w.get_value(borrow=True))


def test_mutable_argument_and_an_error() -> None:
    x, at = T.dvector("x"), T.lscalar("at")
    f = tt.function([In(x, mutable=True), at], [x * 2, x[at]])
    value = np.arange(4.0)
    with pytest.raises(IndexError):
        f(value, 4)
    assert value.tolist() == [0, 1, 2, 3]
    doubled, one = f(value, 3)
    assert doubled is value and one == 3 and value.tolist() == [0, 2, 4, 6]
