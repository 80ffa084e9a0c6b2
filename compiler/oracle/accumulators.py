"""How the results of a nest grow, element by element: collected, combined, scattered."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from tetractys.dialects.signature import is_float
from tetractys.oracle import scalars

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Place: TypeAlias = tuple[int | slice, ...]


def position_of(index: int, size: int, axis: int) -> int:
    """A computed index: negative from the end; IndexError in NumPy's words when out of range."""
    if not -size <= index < size:
        raise IndexError(f"index {index} is out of bounds for axis {axis} with size {size}")
    return index + size if index < 0 else index


class Accumulator:
    """One result of a nest while it runs.

    kind: of the result. array: where it ends up (rank 0 for a scalar); of a scatter it holds the
    base. previous: the accumulator of the `max` that an `argmax` belongs to.
    """

    def __init__(self, kind: str, dtype: str, array: Array, previous: Accumulator | None) -> None:
        self.kind = kind
        self.dtype = dtype
        self.array = array
        self.previous = previous
        self.latest: Any = None
        self.kept: dict[tuple[int, ...], Any] = {}

    def take(self, value: Any, place: Place) -> None:
        """A value (a number, or a row for a place with slices) of one iteration."""
        self.latest = value
        if not isinstance(value, np.ndarray):
            self._take_one(value, place, ())  # type: ignore[arg-type]
            return
        for inner in np.ndindex(value.shape):
            row = iter(inner)
            full = tuple(next(row) if isinstance(part, slice) else part for part in place)
            self._take_one(value[inner].item(), full, inner)

    def _take_one(self, value: Any, place: tuple[int, ...], inner: tuple[int, ...]) -> None:
        if self.kind == "argmax":
            self._take_position(value, place, inner)
        elif self.kind in ("collect", "scatter_set"):
            self.array[place] = value
        elif self.kind == "scatter_add":
            old = self.array[place].item()
            self.array[place] = scalars.apply("add", [old, value], [self.dtype] * 2, self.dtype, {})
        elif self.kind == "add":
            self.kept.setdefault(place, []).append(value)
        elif place in self.kept:
            name = {"max": "maximum", "min": "minimum"}.get(self.kind, self.kind)
            old = self.kept[place]
            self.kept[place] = scalars.apply(name, [old, value], [self.dtype] * 2, self.dtype, {})
        else:
            self.kept[place] = value

    def _take_position(self, position: int, place: tuple[int, ...], inner: tuple[int, ...]) -> None:
        """Keeps the first position of the largest value; the value is what the max just took."""
        assert self.previous is not None
        value = self.previous.latest
        value = value[inner].item() if isinstance(value, np.ndarray) else value
        if place in self.kept:
            best, found = self.kept[place]
            is_tie = value == best or (value != value and best != best)
            is_larger = value > best or (value != value and best == best)
            if not (is_larger or (is_tie and position < found)):
                return
        self.kept[place] = (value, position)

    def finish(self) -> Any:
        """The finished result: the array, or a number for a scalar."""
        if self.kind not in ("collect", "scatter_set", "scatter_add"):
            for place in np.ndindex(self.array.shape):
                self.array[place] = self._finished(place)
        return self.array if self.array.ndim else self.array.item()

    def _finished(self, place: tuple[int, ...]) -> Any:
        if self.kind == "add":
            return scalars.sum_exactly(self.kept.get(place, []), self.dtype)
        if self.kind == "argmax":
            return self.kept[place][1] if place in self.kept else 0
        return self.kept[place] if place in self.kept else identity(self.kind, self.dtype)


def identity(kind: str, dtype: str) -> scalars.Number:
    """What a monoid gives for no value at all."""
    low, high = scalars.limits(dtype)
    match kind:
        case "mul":
            return True if dtype == "bool" else 1
        case "max":
            return low
        case "min":
            return high
        case "and":
            return True if dtype == "bool" else scalars.wrap(-1, dtype)
        case _:
            return 0.0 if is_float(dtype) else 0
