"""Whole functions as older x86 processors get them: other widths, no masks, no fma."""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tetractys as tt
import tetractys.tensor as T
from tetractys.runtime import jit
from tetractys.runtime.machines import MACHINES

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="code of x86 processors")


@pytest.fixture(params=["avx2", "sse2"])
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Functions are compiled for that processor while this fixture lives."""
    chosen = MACHINES[request.param]
    monkeypatch.setattr(jit, "host", lambda: chosen)
    return request.param


def logistic(x: Any, floatX: str) -> Callable[[], list[Any]]:
    n, d = x.shape
    w = tt.shared(np.linspace(-1, 1, d).astype(floatX))
    y = tt.shared((np.arange(n) % 2).astype(floatX))
    data = tt.shared(x)
    p = T.nnet.sigmoid(T.dot(data, w))
    cost = T.nnet.binary_crossentropy(p, y).mean() + 0.01 * (w**2).sum()
    step = tt.function([], [cost, p], updates=[(w, w - T.cast(0.1, floatX) * T.grad(cost, w))])
    return lambda: [*step(), *step(), w.get_value()]


def cross_entropy(x: Any, floatX: str) -> Callable[[], list[Any]]:
    v = T.matrix(dtype=floatX)
    picked = T.log(T.nnet.softmax(v))[T.arange(v.shape[0]), T.arange(v.shape[0]) % v.shape[1]]
    cost = -picked.mean()
    return lambda: list(tt.function([v], [cost, T.grad(cost, v)])(x))


def elementwise(x: Any, floatX: str) -> Callable[[], list[Any]]:
    v = T.matrix(dtype=floatX)
    results = [T.tanh(v) * T.exp(-(v**2)) + T.log1p(abs(v)), T.sin(v) ** 2, T.erf(v.T),
               v[::-1, ::2] * 2, T.gammaln(abs(v) + 1), T.switch(v > 0, v, T.expm1(v))]
    return lambda: list(tt.function([v], results)(x))


def reductions(x: Any, floatX: str) -> Callable[[], list[Any]]:
    v = T.matrix(dtype=floatX)
    results = [v.sum(), v.sum(axis=0), v.mean(axis=1), v.var(axis=1), v.max(axis=0), v.max(axis=1),
               T.argmax(v, axis=1), v.prod(axis=1), T.dot(v, v.T), T.dot(v.T, v[:, 0]), v.T.sum(1)]
    return lambda: list(tt.function([v], results)(x))


def columns(x: Any, floatX: str) -> Callable[[], list[Any]]:
    """Tiles, rows copied from columns, and a nest that goes backwards."""
    u, v, w = T.matrix(dtype=floatX), T.matrix(dtype=floatX), T.vector(dtype=floatX)
    y = T.exp(u - u.max(axis=1, keepdims=True))
    z = T.dot(w, v)
    results = [T.tanh(u) + v, u * 2, y / y.sum(axis=1, keepdims=True), T.dot(v, T.tanh(z))]
    a = np.resize(x, (61, 75))
    f = tt.function([u, v, w], results)
    return lambda: [*f(np.asfortranarray(a), a, a[:, 0].copy()), *f(*[np.asfortranarray(a)] * 2,
                                                                  a[:, 0].copy())]


@pytest.mark.parametrize("floatX", ["float64", "float32"])
@pytest.mark.parametrize("shape", [(1, 1), (5, 33), (40, 17), (7, 100)])
@pytest.mark.parametrize("build", [logistic, cross_entropy, elementwise, reductions, columns])
def test_the_numbers_are_this_machine_s(
    build: Callable[..., Callable[[], list[Any]]], shape: tuple[int, int], floatX: str,
    machine: str, monkeypatch: pytest.MonkeyPatch,
) -> None:
    x = np.random.default_rng(3).standard_normal(shape).astype(floatX)
    there = build(x, floatX)()
    monkeypatch.undo()
    here = build(x, floatX)()
    exact = 1e-13 if floatX == "float64" else 2e-5
    for mine, usual in zip(there, here, strict=True):
        np.testing.assert_allclose(mine, usual, rtol=exact, atol=exact)


def test_the_code_is_that_machine_s(machine: str) -> None:
    v = T.dvector("v")
    code = tt.function([v], T.exp(v)).asm()
    assert "zmm" not in code
    assert ("ymm" in code) == (machine == "avx2")
