"""Basic indices at random: read, written and differentiated as NumPy does, errors included.

What a slice is of matters, as it is a view: an argument with any layout, a computed array that is
read again or overwritten, a transposed one, a slice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tetractys as tt
import tetractys.tensor as T

SHAPES = ((7, 19), (1, 40), (5, 0), (0, 3), (33, 16))
BASES: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "argument": (lambda x: x, lambda v: v),
    "computed": (lambda x: x * 2, lambda v: v * 2),
    "transposed": (lambda x: x.T, lambda v: v.T),
    "computed and transposed": (lambda x: T.exp(x).T, lambda v: np.exp(v).T),
    "slice": (lambda x: x[1:, ::-1], lambda v: v[1:, ::-1]),
    "of rows and columns": (
        lambda x: T.sqrt((x**2).sum(axis=1, keepdims=True) + x**2 * (x**2).sum(axis=0)),
        lambda v: np.sqrt((v**2).sum(axis=1, keepdims=True) + v**2 * (v**2).sum(axis=0)),
    ),
    "broadcast": (lambda x: x[0] + T.zeros_like(x), lambda v: v[0] + np.zeros_like(v)),
}


def random_entry(rng: np.random.Generator, size: int) -> Any:
    """An index or a slice, in range or not, backwards or not."""
    kind = rng.integers(6)
    if kind == 0 and size:
        return int(rng.integers(-size, size))
    if kind == 1:
        return slice(None)
    bounds = [None if rng.integers(3) == 0 else int(rng.integers(-size - 2, size + 3))
              for _ in range(2)]  # fmt: skip
    step = (None, 1, -1, 2, -2, 3)[int(rng.integers(6))]
    return slice(bounds[0], bounds[1], step)


def random_index(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """One entry a dimension, or fewer; not only single indices."""
    entries = [random_entry(rng, size) for size in shape]
    if all(isinstance(entry, int) for entry in entries):
        entries[-1] = slice(None, None, -1)
    return tuple(entries[: int(rng.integers(1, len(shape) + 1))])


def cases(seed: int, shape: tuple[int, ...], count: int) -> list[tuple[Any, ...]]:
    """Some indices of an array."""
    rng = np.random.default_rng(seed)
    return [random_index(rng, shape) for _ in range(count)]


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
@pytest.mark.parametrize("name", BASES)
def test_read(name: str, mode: str) -> None:
    """One function for all shapes: an elementwise use, a sum, and the slice itself."""
    base, reference = BASES[name]
    x = T.dmatrix("x")
    for seed, shape in enumerate(SHAPES):
        value = np.random.default_rng(seed).standard_normal(shape)
        if name in ("slice", "broadcast") and shape[0] == 0:
            continue
        right = reference(value)
        indices = cases(seed, right.shape, 3)
        results = []
        for index in indices:
            part = base(x)[index]
            results += [part, T.exp(part) + 1, part.sum(), (part * part).sum(axis=0)]
        found = tt.function([x], results, mode=mode)(value)
        for number, index in enumerate(indices):
            part = right[index]
            wanted = [part, np.exp(part) + 1, part.sum(), (part * part).sum(axis=0)]
            for mine, want in zip(found[4 * number : 4 * number + 4], wanted):
                assert mine.shape == want.shape, (shape, index)
                np.testing.assert_allclose(mine, want, rtol=1e-12, atol=1e-12, err_msg=str(index))


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
@pytest.mark.parametrize("name", BASES)
def test_write(name: str, mode: str) -> None:
    """Set and increment, with a full value and a scalar; the array is read again, or not."""
    base, reference = BASES[name]
    x, v = T.dmatrix("x"), T.dscalar("v")
    for seed, shape in enumerate(SHAPES):
        if shape[0] == 0:
            continue
        value = np.random.default_rng(seed).standard_normal(shape)
        kept = value.copy()
        right = reference(value)
        indices = cases(100 + seed, right.shape, 2)
        results, wanted = [], []
        for index in indices:
            whole = base(x)
            results += [
                T.set_subtensor(whole[index], T.sqr(whole[index])),
                T.inc_subtensor(whole[index], whole[index] * 3),
                T.set_subtensor(whole[index], v) + whole,
                T.inc_subtensor(T.set_subtensor(whole[index], v)[index], v),
            ]
            for change in (np.square, lambda p: p + 3 * p):
                copy = right.copy()
                copy[index] = change(copy[index])
                wanted.append(copy)
            copy = right.copy()
            copy[index] = 0.5
            wanted.append(copy + right)
            copy = right.copy()
            copy[index] = 1.0
            wanted.append(copy)
        found = tt.function([x, v], results, mode=mode)(value, 0.5)
        for number, (mine, want) in enumerate(zip(found, wanted, strict=True)):
            np.testing.assert_allclose(
                mine, want, rtol=1e-13, err_msg=f"{shape} {indices[number // 4]} {number % 4}"
            )
        assert value.tobytes() == kept.tobytes()


SUMS = ("broadcast", "of rows and columns")
"""Bases whose elements depend on more than one of the array's."""


@pytest.mark.parametrize("name", [name for name in BASES if name not in SUMS])
def test_gradient(name: str) -> None:
    """The derivative of a sum of squares of two overlapping parts."""
    base, reference = BASES[name]
    x = T.dmatrix("x")
    for seed, shape in enumerate(SHAPES):
        if shape[0] == 0:
            continue
        value = np.random.default_rng(seed).standard_normal(shape)
        right = reference(value)
        one, two = cases(200 + seed, right.shape, 2)
        whole = base(x)
        loss = T.sqr(whole[one]).sum() + T.sqr(whole[two]).sum()
        outer = np.zeros_like(right)
        outer[one] += 2 * right[one]
        outer[two] += 2 * right[two]
        found = tt.function([x], T.grad(loss, x))(value)
        back = np.zeros_like(value)
        for place in np.ndindex(value.shape):  # every base but `slice` maps elements to elements
            step = np.zeros_like(value)
            step[place] = 1
            back[place] = _directional(name, value, step, outer)
        np.testing.assert_allclose(found, back, rtol=1e-11, atol=1e-11, err_msg=f"{one} {two}")


def _directional(name: str, value: Any, step: Any, outer: Any) -> float:
    """The sum of `outer` times the derivative of the base along `step`."""
    slope = {
        "argument": lambda: step,
        "computed": lambda: 2 * step,
        "transposed": lambda: step.T,
        "computed and transposed": lambda: (np.exp(value) * step).T,
        "slice": lambda: step[1:, ::-1],
    }[name]()
    return float((outer * slope).sum())


def test_layouts() -> None:
    """The caller's own views: gaps between rows, rows backwards, one row over and over."""
    x, k = T.dmatrix("x"), T.lscalar("k")
    gram = T.dot(x[:, k:].T, x[:, k:])
    function = tt.function([x, k], [T.exp(x[1:, k:]), x[::-1, ::-1] + 1, gram])
    whole = np.random.default_rng(1).standard_normal((40, 60))
    views = (whole, whole[::2, 3:50], whole[::-1, :9], np.broadcast_to(whole[3], (6, 60)),
             np.asfortranarray(whole), whole[:, ::2])  # fmt: skip
    for value in views:
        for number in (0, 1, 5):
            rest = value[:, number:]
            wanted = np.exp(value[1:, number:]), value[::-1, ::-1] + 1, rest.T @ rest
            for mine, want in zip(function(value, number), wanted):
                np.testing.assert_allclose(mine, want, rtol=1e-12)


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
@pytest.mark.parametrize("shape", [(3, 4), (3, 0), (0, 4)])
def test_index_out_of_range(shape: tuple[int, int], mode: str) -> None:
    """An index stops the call also where its row has no elements; nothing outside is read."""
    x, i = T.dmatrix("x"), T.lscalar("i")
    reading = tt.function([x, i], [T.exp(x[i]), T.exp((x * 2)[:, i])], mode=mode)
    writing = tt.function([x, i], T.inc_subtensor(x[i], x[i] * 2), mode=mode)
    value = np.ones(shape)
    for index in (-5, -4, -1, 0, 2, 3, 5, 10**12):
        row = -shape[0] <= index < shape[0]
        if row and -shape[1] <= index < shape[1]:
            assert reading(value, index)[0].shape == (shape[1],)
        else:
            with pytest.raises(IndexError, match=f"index {index} is out of bounds for axis"):
                reading(value, index)
        if row:
            assert writing(value, index).shape == shape
        else:
            with pytest.raises(IndexError, match=f"index {index} is out of bounds for axis 0"):
                writing(value, index)


def test_run_time_bounds_and_steps() -> None:
    """One compiled function for every start, stop and step."""
    x, a, b, c = T.dvector("x"), T.lscalar("a"), T.lscalar("b"), T.lscalar("c")
    part = x[a:b:c]
    function = tt.function([x, a, b, c], [part * 2, T.set_subtensor(x[a:b:c], -x[a:b:c])])
    value = np.random.default_rng(2).standard_normal(37)
    for start in (-50, -37, -3, 0, 5, 36, 40):
        for stop in (-60, -30, 0, 7, 37, 99):
            for step in (1, -1, 2, -3, 50):
                wanted = value.copy()
                wanted[start:stop:step] *= -1
                found = function(value, start, stop, step)
                np.testing.assert_array_equal(found[0], value[start:stop:step] * 2)
                np.testing.assert_array_equal(found[1], wanted)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int32", "int64", "float32"])
def test_dtypes(dtype: str) -> None:
    """Vectors of every width, forwards, backwards, with gaps, of a column."""
    x = T.matrix("x", dtype=dtype)
    parts = (np.s_[1:, 2:], np.s_[:, ::-1], np.s_[::-2, ::3], np.s_[:, 4], np.s_[2], np.s_[::-1, 1])
    results = [T.eq(x[part], x[part][::-1]) for part in parts] + [x[part] for part in parts]
    value = (np.random.default_rng(3).standard_normal((70, 150)) * 5).astype(dtype)
    found = tt.function([x], results)(value)
    wanted = [value[part] == value[part][::-1] for part in parts] + [value[part] for part in parts]
    for mine, want in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(mine, want)


def test_shared_and_updates() -> None:
    """Slices of shared values: a minibatch, and a row that is updated."""
    data = np.random.default_rng(4).standard_normal((64, 12))
    x, w = tt.shared(data.copy(), name="x"), tt.shared(np.zeros(12), name="w")
    i = T.lscalar("i")
    batch = x[i * 8 : (i + 1) * 8]
    train = tt.function([i], T.dot(batch, batch.T), updates=[(w, w + batch.sum(axis=0))])
    mark = tt.function([i], updates=[(x, T.set_subtensor(x[i], -x[i]))])
    total = np.zeros(12)
    for number in range(8):
        part = data[number * 8 : (number + 1) * 8]
        np.testing.assert_allclose(train(number), part @ part.T, rtol=1e-12)
        total += part.sum(axis=0)
    np.testing.assert_allclose(w.get_value(), total, rtol=1e-12)
    mark(5)
    mark(-1)
    data[[5, -1]] *= -1
    np.testing.assert_array_equal(x.get_value(), data)
    with pytest.raises(IndexError):
        mark(64)
    np.testing.assert_array_equal(x.get_value(), data)
