"""Random programs that write parts of shared values: rows by index, single rows, slices.

As `test_random_updates`: FAST_RUN writes where the value is, if nobody else can see it, and
FAST_COMPILE never; both give the numbers of NumPy, a call that fails changes nothing, and who holds
a value keeps it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tetractys as tt
import tetractys.tensor as T

ROWS, COLUMNS, PICKED = 60, 23, 9

Numbers = np.ndarray[Any, Any]
Step = tuple[Callable[..., Any], Callable[..., Numbers]]
"""What is done to an array: in symbols and in NumPy; takes the array, `at`, `row` and values."""


def _inc(a: Numbers, at: Any, value: Any) -> Numbers:
    result = a.copy()
    np.add.at(result, at, value)
    return result


def _set(a: Numbers, at: Any, value: Any) -> Numbers:
    result = a.copy()
    result[at] = value
    return result


STEPS: list[Step] = [
    (lambda a, at, row, v: T.inc_subtensor(a[at], v), lambda a, at, row, v: _inc(a, at, v)),
    (lambda a, at, row, v: T.set_subtensor(a[at], 2.5), lambda a, at, row, v: _set(a, at, 2.5)),
    (
        lambda a, at, row, v: T.inc_subtensor(a[at], a[at] * v),
        lambda a, at, row, v: _inc(a, at, a[at] * v),
    ),
    (
        lambda a, at, row, v: T.set_subtensor(a[row], v[0]),
        lambda a, at, row, v: _set(a, row, v[0]),
    ),
    (
        lambda a, at, row, v: T.inc_subtensor(a[row], a[row + 1]),
        lambda a, at, row, v: _inc(a, row, a[row + 1]),
    ),
    (
        lambda a, at, row, v: T.set_subtensor(a[:, row], a[:, row] * 2 + 1),
        lambda a, at, row, v: _set(a, (slice(None), row), a[:, row] * 2 + 1),
    ),
    (
        lambda a, at, row, v: T.inc_subtensor(a[3 : 3 + PICKED], v),
        lambda a, at, row, v: _inc(a, slice(3, 3 + PICKED), v),
    ),
    (
        lambda a, at, row, v: T.set_subtensor(a[1:PICKED], a[: PICKED - 1]),
        lambda a, at, row, v: _set(a, slice(1, PICKED), a[: PICKED - 1].copy()),
    ),
    (
        lambda a, at, row, v: T.set_subtensor(a[::-2], T.exp(-abs(a[::-2]))),
        lambda a, at, row, v: _set(a, slice(None, None, -2), np.exp(-abs(a[::-2]))),
    ),
    (
        lambda a, at, row, v: T.inc_subtensor(a[at, at], v[:, 0]),
        lambda a, at, row, v: _inc(a, (at, at), v[:, 0]),
    ),
    (lambda a, at, row, v: T.tanh(a), lambda a, at, row, v: np.tanh(a)),
]


def program(seed: int, mode: str) -> tuple[Any, list[Any], list[list[Step]]]:
    """A function of (at, row, v), the values that it updates, and the steps of each."""
    rng = np.random.default_rng(seed)
    at, row, v = T.lvector("at"), T.lscalar("row"), T.dmatrix("v")
    shareds = [tt.shared(rng.normal(size=(ROWS, COLUMNS)), name) for name in "ab"]
    chosen = [[STEPS[k] for k in rng.integers(len(STEPS), size=rng.integers(1, 4))] for _ in "ab"]
    updates, outputs = [], []
    for one, steps in zip(shareds, chosen):
        new = one
        for symbolic, _ in steps:
            new = symbolic(new, at, row, v)
        updates.append((one, new))
        if rng.random() < 0.3:
            outputs.append(one.sum(axis=0))
    outputs.append(v[row % 4, 0])
    function = tt.function(
        [at, row, v], outputs, updates=updates, mode=mode, on_unused_input="ignore"
    )
    return function, shareds, chosen


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
@pytest.mark.parametrize("seed", range(20))
def test_parts(seed: int, mode: str) -> None:
    function, shareds, chosen = program(seed, mode)
    rng = np.random.default_rng(seed + 100)
    held: list[tuple[Numbers, Numbers]] = []
    for _ in range(5):
        at = rng.integers(-COLUMNS, COLUMNS, PICKED)  # duplicates, and from the end
        row, v = int(rng.integers(-15, COLUMNS - 1)), rng.normal(size=(PICKED, COLUMNS)) * 0.1
        wanted = [one.get_value() for one in shareds]
        before = [value.tobytes() for value in wanted]
        if any(steps[0] is STEPS[0] for steps in chosen):
            with pytest.raises(IndexError):
                function(np.where(np.arange(PICKED) == 4, ROWS, at), row, v)
            assert [one.get_value().tobytes() for one in shareds] == before
        for number, steps in enumerate(chosen):
            for _, numeric in steps:
                wanted[number] = numeric(wanted[number], at, row, v)
        function(at, row, v)
        for one, want in zip(shareds, wanted):
            np.testing.assert_allclose(one.get_value(), want, rtol=1e-12, atol=1e-14)
        if rng.random() < 0.5:
            value = shareds[rng.integers(2)].get_value(borrow=True)
            held.append((value[1:] if rng.random() < 0.5 else value, value.copy()))
    for value, copy in held:
        np.testing.assert_array_equal(value, copy[len(copy) - len(value) :])


def test_the_programs_do_write_in_place() -> None:
    """Else the test above would compare nothing."""
    marked = sum(len(program(seed, "FAST_RUN")[0].spec.inplace) for seed in range(20))
    assert marked >= 20
