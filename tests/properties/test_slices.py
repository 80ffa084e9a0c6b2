"""Slices of computed values where a whole array is wanted: returned, multiplied, reshaped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tetractys
import tetractys.tensor as T

USES: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "returned": (lambda v: v, lambda v: v),
    "twice": (lambda v: v + v, lambda v: v + v),
    "transposed": (lambda v: v.T, lambda v: v.T),
    "times its transpose": (lambda v: T.dot(v, v.T), lambda v: v @ v.T),
    "its transpose times it": (lambda v: T.dot(v.T, v), lambda v: v.T @ v),
    "times a vector": (lambda v: T.dot(v, v[0]), lambda v: v @ v[0]),
    "flat": (lambda v: v.flatten(), lambda v: v.flatten()),
    "flat transpose": (lambda v: v.T.flatten(), lambda v: v.T.flatten()),
    "summed": (lambda v: v.sum(axis=0), lambda v: v.sum(axis=0)),
    "argmax": (lambda v: T.argmax(v, axis=1), lambda v: v.argmax(axis=1)),
    "gathered": (lambda v: v[T.as_tensor_variable([-1, 0])], lambda v: v[[-1, 0]]),
    "sliced again": (lambda v: v[1:, :-1], lambda v: v[1:, :-1]),
    "softmax": (lambda v: T.nnet.softmax(v), lambda v: softmax(v)),
}
SLICES = (
    np.s_[:-1],
    np.s_[:, :-1],
    np.s_[:2, :3],
    np.s_[1:],
    np.s_[::-1],
    np.s_[:, ::2],
    np.s_[:9, :9],
)


def softmax(value: Any) -> Any:
    """Row by row."""
    powers = np.exp(value - value.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
@pytest.mark.parametrize("name", USES)
def test_slice(name: str, mode: str) -> None:
    """Of an argument, of a computed array, and of a transposed one."""
    use, reference = USES[name]
    x = T.dmatrix("x")
    value = np.random.default_rng(6).standard_normal((4, 5))
    sources = [(x, value), (x * 2, value * 2), (x.T, value.T), ((x + 1).T, (value + 1).T)]
    results = [use(source[part]) for source, _ in sources for part in SLICES]
    found = tetractys.function([x], results, mode=mode)(value)
    wanted = [reference(right[part]) for _, right in sources for part in SLICES]
    for number, (mine, right) in enumerate(zip(found, wanted, strict=True)):
        assert mine.shape == right.shape, number
        np.testing.assert_allclose(mine, right, rtol=1e-13, atol=1e-13)
