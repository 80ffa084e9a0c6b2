"""What a worker times, how it times it, and how results are held against the reference."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from typing import Any

import numpy as np


class Job:
    """One row in one column: `function(*arguments, **keywords)` is what is timed.

    synchronise: waits for a result inside the timing (frameworks that answer before they are done).
    check: gives the results that are held against the row's reference; a call by default. A row
    whose state moves on (a training step) gives its own, which makes the first calls.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        arguments: Sequence[Any] = (),
        keywords: Mapping[str, Any] | None = None,
        synchronise: Callable[[Any], Any] | None = None,
        check: Callable[[], Sequence[Any]] | None = None,
    ) -> None:
        self.function = function
        self.arguments = tuple(arguments)
        self.keywords = dict(keywords or {})
        self.synchronise = synchronise
        self._check = check
        self._loop = self._build_loop()

    def check(self) -> list[np.ndarray]:
        """The results as NumPy arrays."""
        if self._check is not None:
            return as_arrays(self._check())
        return as_arrays(self.function(*self.arguments, **self.keywords))

    def seconds(self, calls: int) -> float:
        """How long `calls` calls take together."""
        values = (*self.arguments, *self.keywords.values())
        loop = self._loop
        return loop(repeat(None, calls), self.function, self.synchronise, values, time.perf_counter)

    def _build_loop(self) -> Callable[..., float]:
        # The call is spelled with its very number of arguments: `f(*arguments)` would cost 30 ns
        # more, a tenth of what the shortest rows take.
        names = [f"a{i}" for i in range(len(self.arguments))]
        given = [f"{key}=k{i}" for i, key in enumerate(self.keywords)]
        targets = [*names, *(f"k{i}" for i in range(len(given)))]
        call = f"function({', '.join([*names, *given])})"
        lines = [
            "def loop(turns, function, synchronise, values, clock):",
            f"    {', '.join(targets)}{',' if targets else ''} = values" if targets else "    pass",
            "    start = clock()",
            "    for _ in turns:",
            f"        {f'synchronise({call})' if self.synchronise else call}",
            "    return clock() - start",
        ]
        scope: dict[str, Any] = {}
        exec("\n".join(lines), scope)
        return scope["loop"]


def as_arrays(results: Any) -> list[np.ndarray]:
    """Results of any framework, one or several, as NumPy arrays."""
    if isinstance(results, dict):
        results = list(results.values())
    if not isinstance(results, tuple | list):
        results = [results]
    return [np.asarray(r.detach().numpy() if hasattr(r, "detach") else r) for r in results]


def worst_error(results: Sequence[np.ndarray], reference: Sequence[np.ndarray]) -> float:
    """The largest relative error of an element; infinite for another count, shape or a NaN.

    Denominators are at least a thousandth of the array's largest magnitude, so that values that
    cancel to nearly zero are judged by the array's scale. Booleans: the share that differs.
    """
    if [r.shape for r in results] != [r.shape for r in reference]:
        return float("inf")
    worst = 0.0
    for found, expected in zip(results, reference):
        if found.size == 0:
            continue
        if expected.dtype == bool or found.dtype == bool:
            worst = max(worst, float(np.mean(found.astype(bool) != expected.astype(bool))))
            continue
        found, expected = found.astype("float64"), expected.astype("float64")
        if not np.array_equal(np.isnan(found), np.isnan(expected)):
            return float("inf")
        size = float(np.nanmax(np.abs(expected), initial=0.0))
        floor = np.maximum(np.abs(expected), 1e-3 * size if size else 1.0)
        worst = max(worst, float(np.nanmax(np.abs(found - expected) / floor, initial=0.0)))
    return worst
