"""The order in which an array's dimensions lie in memory: which version of a function takes it.

Kernels read rows: the last dimension is dense. An array whose dense dimension is another one is
such an array with its dimensions permuted, and one without a dense dimension, `x[::2]`, has rows of
one element: it gets one more dimension, of size 1. A *version* of the function is compiled for such
arrays. Every array has one order, so that the version, hence every bit of the results, does not
depend on the calls before (as long as no more than `versions.MOST` are wanted):

* none, where the last dimension is dense, and for all arrays of up to `PACK_BYTES`: those that the
  first version takes, as they are or copied;
* else the dimensions by falling strides. One of size 1 or of stride 0 counts as the farthest, and
  of two equally far the earlier one comes first. `UNIT` at the end where the last is not dense.

The trampoline decides the same way (`wrapper_layouts.TAKE_ORDERED`).
"""

from __future__ import annotations

import numpy as np

from tetractys.runtime.spec import Operand, Order

PACK_BYTES = 2048
"""Arrays up to this size are rather copied: in a quarter of a microsecond."""

UNIT = -1
"""Stands in an order for a dimension of size 1 that the array does not have."""

MOST_DIMS = 14
"""An order is four bits a place of one word in the trampoline's rows."""

FARTHEST = (1 << 57) - 1
"""The distance of a dimension along which nothing moves."""


def order_of(array: np.ndarray) -> Order:
    """The order of an array; empty for one that the first version takes or that is to be packed."""
    last = array.ndim - 1
    if last < 0 or last >= MOST_DIMS or array.nbytes <= PACK_BYTES:
        return ()
    shape, strides, itemsize = array.shape, array.strides, array.itemsize
    if shape[last] <= 1 or strides[last] == itemsize:
        return ()
    order = tuple(sorted(range(array.ndim), key=lambda d: -_distance(shape[d], strides[d])))
    is_dense = strides[order[last]] == itemsize and shape[order[last]] > 1
    return order if is_dense else (*order, UNIT)


def is_bearable(array: np.ndarray, operand: Operand) -> bool:
    """Whether an array of the operand's order is small enough to be taken as it is."""
    nearest = [d for d in operand.order if d != UNIT][-1]
    row = array.nbytes // max(array.shape[nearest], 1)
    return array.nbytes <= operand.most_bytes and row <= operand.most_row_bytes


def _distance(size: int, stride: int) -> int:
    return FARTHEST if size <= 1 or stride == 0 else abs(stride)


def order_word(order: Order) -> int:
    """The word that says it to the trampoline; 0 for none."""
    return sum((dimension & 15) << 4 * place for place, dimension in enumerate(order))


def in_order(values: tuple[int, ...], order: Order, unit: int) -> tuple[int, ...]:
    """One number a place of the operand, from one a dimension of the array; `unit` for `UNIT`."""
    return tuple(unit if d == UNIT else values[d] for d in order) if order else values
