"""Slices with steps that are written: in vectors where the step is small, nothing beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tetractys as tt
import tetractys.tensor as T

STEPS = (2, 3, 4, -1, -2, -3, -4, 5, -7)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int8", "bool"])
def test_every_so_many(dtype: str, threads: int) -> None:
    x, y = T.vector("x", dtype=dtype), T.matrix("y", dtype=dtype)
    twice = (lambda v: T.eq(v, np.array(False))) if dtype == "bool" else (lambda v: v + v)
    results: list[Any] = []
    for step in STEPS:
        results += [T.set_subtensor(x[::step], twice(x[::step])),
                    T.set_subtensor(y[1:, ::step], twice(y[:-1, ::step]))]  # fmt: skip
    f = tt.function([x, y], results, threads=threads)
    rng = np.random.default_rng(0)
    for size in (0, 1, 2, 7, 16, 63, 64, 65, 200, 5000):
        a = rng.integers(0, 2 if dtype == "bool" else 50, size).astype(dtype)
        b = rng.integers(0, 2 if dtype == "bool" else 50, (4, size)).astype(dtype)
        found = iter(f(a, b))
        for step in STEPS:
            one, two = a.copy(), b.copy()
            one[::step] = ~a[::step] if dtype == "bool" else a[::step] * 2
            two[1:, ::step] = ~b[:-1, ::step] if dtype == "bool" else b[:-1, ::step] * 2
            np.testing.assert_array_equal(next(found), one, err_msg=f"{size} {step}")
            np.testing.assert_array_equal(next(found), two, err_msg=f"{size} {step}")


def test_heavy_bodies_and_updates() -> None:
    """One loop over vectors that overlap or are masked; where the old value is."""
    x, w = T.dvector("x"), tt.shared(np.zeros(701))
    far = T.set_subtensor(w[::3], T.log1p(T.exp(T.tanh(x))) + w[::3])
    near = T.set_subtensor(x[::-2], T.log1p(T.exp(T.sin(x[::2]))))
    f = tt.function([x], near, updates=[(w, far)])
    place = w.get_value(borrow=True).ctypes.data
    value = np.random.default_rng(0).normal(size=234)
    want = value.copy()
    want[::-2] = np.log1p(np.exp(np.sin(value[::2])))
    for calls in range(1, 4):
        np.testing.assert_allclose(f(value), want, rtol=1e-13)
        expected = np.zeros(701)
        expected[::3] = calls * np.log1p(np.exp(np.tanh(value)))
        np.testing.assert_allclose(w.get_value(), expected, rtol=1e-13)
    assert w.get_value(borrow=True).ctypes.data == place


def test_they_are_vectors() -> None:
    x = T.dvector("x")
    for step, stores in ((2, True), (-1, True), (4, True), (5, False)):
        f = tt.function([x], T.set_subtensor(x[::step], T.exp(x[::step])))
        text = f.ir(after="mark-inplace")
        assert ("direct" in text) == stores, step
