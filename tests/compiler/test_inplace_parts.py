"""Parts of shared values written where they are: who is protected, and what errors leave."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tetractys as tt
import tetractys.tensor as T
from tetractys import In, shared

ROWS, COLUMNS = 300, 41
"""Large enough to be written over."""


def address(variable: Any) -> int:
    """Where the value of a shared variable lies."""
    return variable.get_value(borrow=True).__array_interface__["data"][0]


def _inc(a: np.ndarray[Any, Any], at: Any, value: Any) -> None:
    np.add.at(a, at, value)


def _set(a: np.ndarray[Any, Any], at: Any, value: Any) -> None:
    a[at] = value


Case = tuple[Callable[..., Any], Callable[..., None]]
CASES: dict[str, Case] = {
    "rows added": (
        lambda w, at, g: T.inc_subtensor(w[at], -0.1 * g),
        lambda w, at, g: _inc(w, at, -0.1 * g),
    ),
    "rows set": (lambda w, at, g: T.set_subtensor(w[at], g), lambda w, at, g: _set(w, at, g)),
    "elements": (
        lambda w, at, g: T.inc_subtensor(w[at, at % COLUMNS], g[:, 0]),
        lambda w, at, g: _inc(w, (at, at % COLUMNS), g[:, 0]),
    ),
    "a block": (
        lambda w, at, g: T.set_subtensor(w[2 : 2 + g.shape[0]], g),
        lambda w, at, g: _set(w, slice(2, 2 + len(g)), g),
    ),
    "a row by its number": (
        lambda w, at, g: T.inc_subtensor(w[at[0]], g[1]),
        lambda w, at, g: _inc(w, at[0], g[1]),
    ),
    "a column": (
        lambda w, at, g: T.set_subtensor(w[:, 3], w[:, 3] * 2),
        lambda w, at, g: _set(w, (slice(None), 3), w[:, 3] * 2),
    ),
    "an element": (
        lambda w, at, g: T.set_subtensor(w[at[0], 1], g[0, 0]),
        lambda w, at, g: _set(w, (at[0], 1), g[0, 0]),
    ),
    "one behind another": (
        lambda w, at, g: T.set_subtensor(T.inc_subtensor(T.tanh(w)[at], g)[:, 0], 1.0),
        lambda w, at, g: (_set(w, ..., np.tanh(w)), _inc(w, at, g), _set(w, (..., 0), 1.0))[0],
    ),
    "a product": (
        lambda w, at, g: T.dot(T.tanh(w), T.dot(g.T, g)) * 1.0,
        lambda w, at, g: _set(w, ..., np.tanh(w) @ (g.T @ g)),
    ),
}


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE", "DebugMode"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", CASES)
def test_where_it_is(name: str, dtype: str, mode: str) -> None:
    symbolic, numeric = CASES[name]
    rows = 9 if mode == "DebugMode" else ROWS  # its oracles go element by element
    rng = np.random.default_rng(0)
    want = rng.normal(size=(rows, COLUMNS)).astype(dtype)
    w, at, g = shared(want), T.lvector("at"), T.matrix("g", dtype=dtype)
    new = T.cast(symbolic(w, at, g), dtype)
    f = tt.function([at, g], [], updates=[(w, new)], mode=mode, on_unused_input="ignore")
    place = address(w)
    for _ in range(3):
        picked = rng.integers(-rows, rows, 5)
        value = rng.normal(size=(5, COLUMNS)).astype(dtype)
        f(picked, value)
        numeric(want, picked, value)
        tolerance = 1e-10 if dtype == "float64" else 2e-3
        np.testing.assert_allclose(w.get_value(), want, rtol=tolerance, atol=tolerance)
        want = w.get_value()
    assert (address(w) == place) == (mode == "FAST_RUN")


@pytest.mark.parametrize("name", ["rows added", "rows set", "elements", "an element"])
def test_an_index_out_of_range_changes_nothing(name: str) -> None:
    w, at, g = shared(np.ones((ROWS, COLUMNS))), T.lvector("at"), T.dmatrix("g")
    v = shared(np.zeros(600))
    updates = [(v, v + 1), (w, CASES[name][0](w, at, g))]
    f = tt.function([at, g], v[0], updates=updates)
    value = np.ones((5, COLUMNS))
    for wrong in (ROWS, -ROWS - 1, 2**62, -(2**63)):
        with pytest.raises(IndexError, match=f"index {wrong} is out of bounds for axis 0"):
            f(np.array([wrong, 0, 1, 2, 3]), value)
        assert (w.get_value() == 1).all() and not v.get_value().any()
    place = address(w)
    f(np.arange(5), value)
    assert address(w) == place and (v.get_value() == 1).all()


def test_an_empty_table_and_no_rows() -> None:
    w, at, g = shared(np.ones((0, 4))), T.lvector("at"), T.dmatrix("g")
    f = tt.function([at, g], [], updates=[(w, T.inc_subtensor(w[at], g))])
    f(np.zeros(0, int), np.zeros((0, 4)))
    with pytest.raises(IndexError):
        f(np.zeros(1, int), np.zeros((1, 4)))
    w.set_value(np.ones((600, 4)))
    f(np.zeros(0, int), np.zeros((0, 4)))
    assert (w.get_value() == 1).all()


def test_an_argument_in_the_table_itself() -> None:
    """By a pointer that NumPy knows nothing of: values, then indices."""
    w, at, g = shared(np.arange(600 * 5.0).reshape(600, 5)), T.lvector("at"), T.dmatrix("g")
    f = tt.function([at, g], [], updates=[(w, T.inc_subtensor(w[at], g))])
    want = w.get_value()
    raw = (ctypes.c_double * (3 * 5)).from_address(address(w))
    alias = np.frombuffer(raw, "float64").reshape(3, 5)
    f(np.array([1, 0, 1]), alias)
    np.add.at(want, [1, 0, 1], want[:3].copy())
    assert w.get_value().tobytes() == want.tobytes()
    n, one = shared(np.arange(700) % 600), T.lvector("one")
    move = tt.function([one], [], updates=[(n, T.set_subtensor(n[one], 5))])
    before = n.get_value()
    raw = (ctypes.c_int64 * 4).from_address(address(n) + 8 * 10)
    move(np.frombuffer(raw, "int64"))
    before[before[10:14]] = 5
    assert n.get_value().tobytes() == before.tobytes()


def test_who_holds_the_table_keeps_it() -> None:
    w, at = shared(np.zeros((ROWS, COLUMNS))), T.lvector("at")
    f = tt.function([at], [], updates=[(w, T.set_subtensor(w[at], 1.0))])
    held = w.get_value(borrow=True)
    f(np.array([4]))
    assert not held.any() and w.get_value().sum() == COLUMNS
    del held
    place = address(w)
    f(np.array([5]))
    assert address(w) == place and w.get_value().sum() == 2 * COLUMNS


def test_a_table_that_is_read_otherwise() -> None:
    """Before the rows are written, whatever the user wrote first."""
    start = np.random.default_rng(0).normal(size=(ROWS, COLUMNS))
    w, at, g = shared(start), T.lvector("at"), T.dmatrix("g")
    new = T.inc_subtensor(w[at], g)
    f = tt.function([at, g], [new.sum(), w.sum(axis=0), w[at], w], updates=[(w, new)])
    value = np.ones((2, COLUMNS))
    want = start.copy()
    for _ in range(2):
        total, columns, rows, old = f(np.array([7, 7]), value)
        np.testing.assert_allclose(columns, want.sum(axis=0), rtol=1e-12, atol=1e-12)
        assert old.tobytes() == want.tobytes() and rows.tobytes() == want[[7, 7]].tobytes()
        np.add.at(want, [7, 7], value)
        np.testing.assert_allclose(total, want.sum(), rtol=1e-12, atol=1e-10)
        np.testing.assert_allclose(w.get_value(), want)


def test_rows_of_an_array_given_away() -> None:
    x, at, g = T.dmatrix("x"), T.lvector("at"), T.dmatrix("g")
    f = tt.function([In(x, mutable=True), at, g], T.inc_subtensor(x[at], g))
    value = np.zeros((4, 3))
    result = f(value, np.array([1, 1]), np.ones((2, 3)))
    assert result is value and value.tolist() == [[0] * 3, [2] * 3, [0] * 3, [0] * 3]
    with pytest.raises(IndexError):
        f(value, np.array([1, 4]), np.ones((2, 3)))
    assert value.sum() == 6
    rows = np.zeros((8, 3))[::2]
    result = f(rows, np.array([1]), np.ones((1, 3)))
    assert result is not rows and not rows.any() and result.sum() == 3


def test_the_gradient_of_rows() -> None:
    """An update by rows in which the same index stands twice: both are added."""
    start = np.random.default_rng(0).normal(size=(ROWS, COLUMNS))
    w, at = shared(start), T.lvector("at")
    rows = w[at]
    step = T.grad((rows**2).sum(), rows)
    f = tt.function([at], [], updates=[(w, T.inc_subtensor(rows, -0.25 * step))])
    place = address(w)
    picked = np.array([3, 5, 3, -1])
    f(picked)
    np.add.at(start, picked, -0.5 * start[picked])
    assert w.get_value().tobytes() == start.tobytes() and address(w) == place
