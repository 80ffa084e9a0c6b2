"""References of the special functions that NumPy lacks: erf, erfc, gammaln, psi, tri_gamma.

Constant folding uses them too, so SciPy, whose import takes a quarter of a second, is no choice.
They are slow and plain: the C library's erf and erfc, and of the others the series in 1/z for
z = a + k >= 24 with a step of the recurrence for each k.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

_FAR = 24
_LOG_GAMMA = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156,
              -3617 / 122400)  # fmt: skip
_PSI = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12, -3617 / 8160)
_TRI_GAMMA = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)


def erf(x: Array) -> Array:
    """The error function, in float64."""
    return np.asarray(np.frompyfunc(math.erf, 1, 1)(x.astype(np.float64)), np.float64)


def erfc(x: Array) -> Array:
    """1 - erf(x), in float64."""
    return np.asarray(np.frompyfunc(math.erfc, 1, 1)(x.astype(np.float64)), np.float64)


def _series(z: Array, coefficients: tuple[float, ...]) -> Array:
    """The polynomial in 1/z**2 with these rational coefficients."""
    square, total = 1 / (z * z), np.zeros_like(z)
    for coefficient in reversed(coefficients):
        total = total * square + coefficient
    return total


def _distance(x: Array) -> Array:
    return x - np.rint(x)


def gammaln(x: Array) -> Array:
    """log|gamma(x)|; -infinity at -infinity, as SciPy."""
    a = np.abs(x)
    z, product = a, np.ones_like(a)
    for k in range(_FAR):
        product = np.where(a < _FAR, product * (a + k), product)
    z = np.where(a < _FAR, a + _FAR, a)
    half = z.dtype.type(0.5)
    large = (z - half) * (np.log(z) - 1) + half * (np.log(2 * _pi(z)) - 1)
    value = large + _series(z, _LOG_GAMMA) / z - np.log(product)
    reflected = np.log(_pi(z)) - np.log(a) - np.log(np.abs(np.sin(_pi(z) * _distance(a)))) - value
    value = np.where(x < 0, np.where(_distance(a) == 0, np.inf, reflected), value)
    value = np.where((x == 1) | (x == 2), 0, value)
    return np.where(np.isinf(x), x, value)


def psi(x: Array) -> Array:
    """The derivative of gammaln."""
    a = np.abs(x)
    total = np.zeros_like(a)
    for k in range(_FAR):
        total = np.where(a < _FAR, total + 1 / (a + k), total)
    z = np.where(a < _FAR, a + _FAR, a)
    value = np.log(z) - 1 / (2 * z) - _series(z, _PSI) / (z * z) - total
    fraction = _distance(a)
    reflected = value + 1 / a + _pi(z) / np.tan(_pi(z) * fraction)
    value = np.where(x < 0, np.where(fraction == 0, np.nan, reflected), value)
    return np.where(x == 0, -1 / x, np.where(x == np.inf, x, value))


def tri_gamma(x: Array) -> Array:
    """The second derivative of gammaln."""
    a = np.abs(x)
    total = np.zeros_like(a)
    for k in range(_FAR):
        total = np.where(a < _FAR, total + 1 / (a + k) ** 2, total)
    z = np.where(a < _FAR, a + _FAR, a)
    value = 1 / z + 1 / (2 * z * z) + _series(z, _TRI_GAMMA) / z**3 + total
    reflected = (_pi(z) / np.sin(_pi(z) * _distance(a))) ** 2 - value + 1 / (a * a)
    value = np.where(x < 0, reflected, value)
    value = np.where(x == np.inf, 0, value)
    return np.where(a < 1e-20, 1 / (a * a), value)


def _pi(like: Array) -> Any:
    """pi in the format of `like`."""
    return like.dtype.type(4) * np.arctan(like.dtype.type(1))
