"""Every way an array can lie in memory, as tests pass it to compiled functions.

`LAYOUTS[kind]` are functions of an array of rank 2 or more: its values (or some of them) so laid.
The kinds are the columns of the coverage table; `0-d` and `broadcast` are no layouts of a matrix
but other types, for which tests compile another function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


def _strided(value: Array) -> Array:
    """Every second row and every third column of something larger."""
    large = np.zeros((2 * value.shape[0], 3 * value.shape[1], *value.shape[2:]), value.dtype)
    large[::2, ::3] = value
    return large[::2, ::3]


def _rows_apart(value: Array) -> Array:
    """Rows contiguous, with a gap between them: what kernels take as it is."""
    large = np.zeros((value.shape[0], value.shape[1] + 5, *value.shape[2:]), value.dtype)
    large[:, : value.shape[1]] = value
    return large[:, : value.shape[1]]


def _misaligned(value: Array) -> Array:
    """One byte off the alignment of its dtype."""
    raw = np.zeros(value.nbytes + 1, np.uint8)[1:]
    result = raw.view(value.dtype).reshape(value.shape)
    result[...] = value
    return result


def _read_only(value: Array) -> Array:
    result = value.copy()
    result.flags.writeable = False
    return result


LAYOUTS: dict[str, tuple[Callable[[Array], Array], ...]] = {
    "contiguous": (np.ascontiguousarray,),
    "empty": (lambda x: x[:0].copy(), lambda x: x[:, :0].copy(), lambda x: x[:0, :0].copy()),
    "size 1": (lambda x: x[:1, :1].copy(), lambda x: x[:1].copy(), lambda x: x[:, :1].copy()),
    "strided": (_strided, lambda x: _strided(x)[:, :3]),
    "reversed": (
        lambda x: x[::-1, ::-1].copy()[::-1, ::-1],
        lambda x: x[::-1].copy()[::-1],
        lambda x: x[:, ::-1].copy()[:, ::-1],
    ),
    "Fortran": (np.asfortranarray, lambda x: np.ascontiguousarray(x).T),
    "rows apart": (_rows_apart, lambda x: np.broadcast_to(x[:1], x.shape)),
    "misaligned": (_misaligned,),
    "read-only": (_read_only,),
}
"""Kind -> its forms; each gives an array whose values follow from the matrix alone."""
