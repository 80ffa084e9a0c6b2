"""Copies of arrays at cache lines: NumPy's own large ones begin 16 bytes behind one.

Vectors of 64 bytes then cross a line at each load (LOOPS 1).
"""

from __future__ import annotations

import numpy as np

LINE = 64
ALIGN_BYTES = 4096
"""Smaller arrays stay in a cache in which crossing a line costs next to nothing."""


def aligned_copy(array: np.ndarray) -> np.ndarray:
    """A copy, in rows if `array` is, whose elements begin at a cache line if there are many.

    It is then a view of an array of bytes that nobody else refers to.
    """
    if array.nbytes < ALIGN_BYTES or not array.flags.c_contiguous:
        return np.array(array, copy=True)
    room = np.empty(array.nbytes + LINE - 1, np.uint8)
    start = -room.__array_interface__["data"][0] % LINE
    copy: np.ndarray = np.ndarray(array.shape, array.dtype, room, start)
    copy[...] = array
    return copy
