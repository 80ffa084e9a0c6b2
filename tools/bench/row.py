"""What a row of the table is: its inputs, its reference, how each framework does it, its bar."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

Inputs = dict[str, Any]
Setup = Callable[[Inputs, Any], Any]
"""(inputs, the column; for `theano` the API instead) -> Job, or None where it has no such thing."""


class Bar(NamedTuple):
    """What ours must reach: the time of a peer (the best one, or `against`) / ours."""

    ratio: float
    against: str = ""

    def __str__(self) -> str:
        return f">= {self.ratio:.2f}" + (f" x {self.against}" if self.against else "")


Bars = Mapping[int, Sequence[Bar]]
"""The bars by the number of threads."""


def bars(one: float, two: float | None = None) -> Bars:
    """Bars against the best peer: on one thread, and on two (the same by default)."""
    return {1: (Bar(one),), 2: (Bar(one if two is None else two),)}


class Row(NamedTuple):
    """A row that is timed call by call.

    setups: by framework (`numpy`, `numba`, `jax`, `torch`, `theano`: ours and PyTensor).
    reference: the results in NumPy, in float64. tolerance: the error (`job.worst_error`) from which
    the row is WRONG. made_by: the passes that make the row fast. base: the row this is a variant
    of; a variant is timed on ours only, beside its base, and must be within `VARIANT` of it after
    both are divided by their `work`.
    """

    name: str
    title: str
    inputs: Callable[[], Inputs]
    reference: Callable[[Inputs], Sequence[Any]]
    setups: Mapping[str, Setup]
    made_by: str
    bars: Bars = MappingProxyType({1: (Bar(1.0),), 2: (Bar(1.0),)})
    tolerance: float = 1e-10
    base: str = ""
    work: float = 1.0

    def expected(self) -> list[np.ndarray]:
        """The reference's results, as arrays."""
        results = self.reference(self.inputs())
        return [np.asarray(result) for result in results]


VARIANT = 1.3
"""A variant may take this many times its base row's time."""


class ProcessRow(NamedTuple):
    """A row measured in fresh processes: seconds, ours at most `limit`.

    task: `startup` (all beyond `import numpy`) or `compile` (after imports and one trivial
    function). of: the row whose set-up and first call are done. warm: with the cache that an
    earlier process of the same column filled.
    """

    name: str
    title: str
    task: str
    of: str
    warm: bool
    limit: float
    made_by: str


class ShapesRow(NamedTuple):
    """A row about one function and many shapes; see `rows/shapes.py`.

    task: `shapes` (seconds in all; ours must compile once) or `static` (ours beside builds for one
    shape, within `STATIC` of them).
    """

    name: str
    title: str
    task: str
    made_by: str


STATIC = 1.1
"""The build for all shapes may take this many times the time of a build for one shape."""

AnyRow = Row | ProcessRow | ShapesRow
