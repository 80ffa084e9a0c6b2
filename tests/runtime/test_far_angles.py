"""sin, cos and tan of the doubles that are hardest to reduce, against mpmath."""

from __future__ import annotations

import ctypes
import math
import re
from collections.abc import Iterator

import mpmath
import numpy as np
import pytest

from tetractys.runtime import far_angles

FUNCTIONS = {
    name: ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(far_angles.address(f"tt_{name}"))
    for name in ("sin", "cos", "tan")
}
LIMITS = {"sin": 0.9, "cos": 0.9, "tan": 1.5}


def nearest_to_quadrants(exponent: int) -> Iterator[float]:
    """Doubles `m 2**exponent` next to multiples of pi/2: m are denominators of the continued
    fraction of `2**exponent 2 / pi`.
    """
    with mpmath.workprec(1400):
        value = mpmath.ldexp(2 / mpmath.pi, exponent)
        last, m = 0, 1
        rest = value - mpmath.floor(value)
        while m < 2**53:
            if m >= 2**52:
                yield float(m) * 2.0**exponent
            inverse = 1 / rest
            whole = int(mpmath.floor(inverse))
            rest = inverse - whole
            last, m = m, whole * m + last


def hard_angles() -> list[float]:
    """Both signs, every size."""
    rng = np.random.default_rng(4)
    found = [2.0**23, 1e22, 6381956970095103 * 2.0**797, np.finfo(float).max]
    found += [x for exponent in range(-29, 971, 5) for x in nearest_to_quadrants(exponent)]
    found += list(np.exp(rng.uniform(16, 709, 400)))
    return [x for value in found for x in (float(value), -float(value))]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_accuracy(name: str) -> None:
    angles = hard_angles()
    assert len(angles) > 900
    for x in angles:
        found = FUNCTIONS[name](x)
        with mpmath.workprec(1400):
            exact = getattr(mpmath, name)(mpmath.mpf(x))
            unit = mpmath.ldexp(1, mpmath.frexp(exact)[1] - 53)
            error = abs(mpmath.mpf(found) - exact) / unit
        assert error <= LIMITS[name], (x, found)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_angle(name: str) -> None:
    for x in (math.inf, -math.inf, math.nan):
        assert math.isnan(FUNCTIONS[name](x))


def test_two_over_pi() -> None:
    words = re.findall(r"i64 (-?[0-9]+)", far_angles.text().partition("\n")[0])
    number = sum((int(word) % 2**64) << 64 * k for k, word in enumerate(words))
    with mpmath.workprec(1500):
        assert number == int(mpmath.floor(mpmath.ldexp(2 / mpmath.pi, 1280)))


def test_calls_nothing() -> None:
    """No C function, and nothing that a processor without fused operations would call one for."""
    declared = re.findall(r"declare .* @([\w.]+)", far_angles.text())
    assert declared == ["llvm.ctlz.i256"]
