"""Parts of arrays for the interpreter of level 2: `loops.subview` and `loops.insert`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, cast

import numpy as np
from xdsl.ir import Operation

from tetractys.dialects.loops_views import AT, WHOLE, PartOp
from tetractys.oracle.accumulators import position_of

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Place: TypeAlias = tuple[int | slice, ...]


def subview(op: Operation, operands: Sequence[Any]) -> Sequence[Array]:
    """A part of an array: of a memref the same memory."""
    source, *indices = operands
    return [source[_place(cast(PartOp, op), source.shape, indices)]]


def insert(op: Operation, operands: Sequence[Any]) -> Sequence[Array]:
    """A copy of an array with a part replaced."""
    value, base, *indices = operands
    result = np.array(base)
    place = _place(cast(PartOp, op), result.shape, indices)
    if result[place].shape != value.shape:
        raise ValueError(
            f"loops.insert: found a value of shape {value.shape} for a part of shape "
            f"{result[place].shape}; expected equal shapes"
        )
    result[place] = value
    return [result]


def _place(op: PartOp, shape: Sequence[int], indices: Sequence[int]) -> Place:
    values = iter(indices)
    place: list[int | slice] = []
    for axis, (entry, length) in enumerate(zip(op.part, shape, strict=True)):
        if entry.kind == WHOLE:
            place.append(slice(None))
        elif entry.kind == AT:
            place.append(position_of(next(values), length, axis))
        else:
            first, size = next(values), next(values)
            step = entry.step if isinstance(entry.step, int) else next(values)
            place.append(_range(op.name, first, size, step, length))
    return tuple(place)


def _range(name: str, first: int, size: int, step: int, length: int) -> slice:
    """A range as a slice of Python's; it must lie inside."""
    if size == 0:
        return slice(0, 0)
    last = first + (size - 1) * step
    if size < 0 or step == 0 or not (0 <= first < length and 0 <= last < length):
        raise ValueError(
            f"{name}: found {size} indices from {first} by {step}; expected a range inside "
            f"a dimension of size {length}"
        )
    stop = last + (1 if step > 0 else -1)
    return slice(first, None if stop < 0 else stop, step)
