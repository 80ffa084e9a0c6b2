"""The values on which tests try elementwise operations: special and random ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from tetractys.dialects.signature import is_float

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

FLOATING = (0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, math.inf, -math.inf, math.nan, 1e30, -1e-30)
"""Special values of both floating-point formats; `specials_of` adds each format's own limits."""


@dataclass(frozen=True)
class Domain:
    """Values of one operand.

    low, high: the range of random floating-point values.
    specials: special floating-point values, infinities and NaN among them.
    integers: the range of integers, both ends included; None: all of the dtype.
    limits: whether the largest, the smallest normal and the smallest number are among them.
    whole: whether random values are rounded to whole numbers.
    """

    low: float = -8.0
    high: float = 8.0
    specials: tuple[float, ...] = FLOATING
    integers: tuple[int, int] | None = None
    limits: bool = True
    whole: bool = False

    def specials_of(self, dtype: str) -> Array:
        """The special values in `dtype`."""
        if dtype == "bool":
            return np.array([False, True])
        if not is_float(dtype):
            low, high = self._bounds(dtype)
            values = {low, low + 1, -1, 0, 1, 2, 3, high - 1, high}
            return np.array(sorted(v for v in values if low <= v <= high), dtype)
        info = np.finfo(dtype)
        limits = [info.max, info.tiny, info.smallest_subnormal, -info.smallest_subnormal]
        return np.array([*self.specials, *(limits if self.limits else ())], dtype)

    def random(self, dtype: str, size: int, rng: np.random.Generator) -> Array:
        """Random values in `dtype`."""
        if dtype == "bool":
            return rng.integers(0, 2, size).astype(bool)
        if not is_float(dtype):
            low, high = self._bounds(dtype)
            return rng.integers(low, high, size, dtype=np.dtype(dtype), endpoint=True)
        values = rng.uniform(self.low, self.high, size)
        return (np.rint(values) if self.whole else values).astype(dtype)

    def _bounds(self, dtype: str) -> tuple[int, int]:
        info = np.iinfo(dtype)
        if self.integers is None:
            return int(info.min), int(info.max)
        return max(int(info.min), self.integers[0]), min(int(info.max), self.integers[1])


ANY = Domain()
MODERATE = Domain(
    specials=(0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 0.1, math.inf, -math.inf, math.nan),
    limits=False,
)
"""Quotients stay below 2**53, where flooring by a remainder and by a rounded quotient agree."""


def cast_domain(source: str, target: str) -> Domain:
    """Values of `source` whose cast to `target` NumPy defines on every machine."""
    if not is_float(source) or is_float(target) or target == "bool":
        return ANY
    info = np.iinfo(target)
    low, high = max(float(info.min), -1e6), min(float(info.max), 1e6)
    values = tuple(v for v in (0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.9, low, high) if low <= v <= high)
    return Domain(low, high, values, limits=False)
