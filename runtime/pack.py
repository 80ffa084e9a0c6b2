"""Arrays in the layout that kernels take: exact type, native, aligned, a contiguous last
dimension, or for an operand with an order the one that its order names.
"""

from __future__ import annotations

from sys import getrefcount
from typing import Any

import numpy as np

from tetractys.runtime.order import in_order, is_bearable, order_of
from tetractys.runtime.spec import ITEMSIZE, Operand

_DTYPES = {name: np.dtype(name) for name in ITEMSIZE}


TILED_BYTES = 1 << 20
"""Copies of at least this size go by tiles, and their memory is kept."""
TILE = 128


class OperandError(TypeError):
    """A value that no packing turns into the operand: wrong dtype, rank, or size of a broadcastable
    dimension.
    """


def is_clean(value: Any, operand: Operand) -> bool:
    """Whether the native call path takes `value` as it is."""
    dtype = _DTYPES[operand.dtype]
    return (
        type(value) is np.ndarray
        and (value.dtype is dtype or (value.dtype == dtype and value.dtype.isnative))
        and value.ndim == operand.array_ndim
        and value.flags.aligned
        and (_has_order(value, operand) if operand.order else _has_dense_rows(value))
        and _has_unit_sizes(value, operand)
    )


def pack(value: Any, operand: Operand, spare: np.ndarray | None = None) -> np.ndarray:
    """`value` itself when it is clean, else a clean copy. Strides, alignment, byte order and
    subclass may differ; dtype and rank may not (casting is the front end's): raises `OperandError`.

    spare: an earlier copy for this operand, which is written over if it has the sizes.
    """
    if is_clean(value, operand):
        return value
    array = np.asarray(value)
    name = operand.name or operand.kind
    dtype = _DTYPES[operand.dtype]
    if array.dtype != dtype and array.dtype.newbyteorder("=") != dtype:
        raise OperandError(f"{name}: dtype {array.dtype} found; expected {operand.dtype}")
    if array.ndim != operand.ndim:
        raise OperandError(f"{name}: {array.ndim} dimensions found; expected {operand.ndim}")
    for d, flag in enumerate(operand.broadcast):
        if flag and array.shape[d] != 1:
            raise OperandError(f"{name}: size {array.shape[d]} in dimension {d} found; expected 1")
    if is_clean(array, operand):
        return array
    if spare is None or spare.shape != array.shape:
        spare = np.empty(array.shape, dtype)
    copy_tiles(spare, array)
    return spare


def take_spare(kept: dict[int, np.ndarray], number: int) -> np.ndarray | None:
    """Takes out what is kept under a number, if nobody else has it: a call may have given it away.
    """
    spare = kept.pop(number, None)
    return spare if spare is None or getrefcount(spare) == _ALONE else None


def _references_of_an_array_that_nobody_has(kept: dict[int, np.ndarray], number: int) -> int:
    spare = kept.pop(number, None)
    return getrefcount(spare)


_ALONE = _references_of_an_array_that_nobody_has({0: np.empty(1)}, 0)


def copy_tiles(rows: np.ndarray, array: np.ndarray) -> None:
    """Copies an array into one in rows; a large one in tiles, of which both sides stay in the
    cache: a third of the time of a copy row by row where the rows are columns.
    """
    last = array.ndim - 1
    if last < 1 or array.nbytes < TILED_BYTES:
        rows[...] = array
        return
    strides = [abs(stride) for stride in array.strides]
    near = min(range(array.ndim), key=strides.__getitem__)
    if near == last:
        rows[...] = array
        return
    place: list[slice] = [slice(None)] * array.ndim
    for start in range(0, array.shape[near], TILE):
        place[near] = slice(start, start + TILE)
        for begin in range(0, array.shape[last], TILE):
            place[last] = slice(begin, begin + TILE)
            rows[tuple(place)] = array[tuple(place)]


def _has_unit_sizes(value: np.ndarray, operand: Operand) -> bool:
    return True not in operand.broadcast or all(
        size == 1
        for size, flag in zip(
            in_order(value.shape, operand.order, 1), operand.broadcast, strict=True
        )
        if flag
    )


def _has_order(value: np.ndarray, operand: Operand) -> bool:
    return order_of(value) == operand.order and is_bearable(value, operand)


def _has_dense_rows(value: np.ndarray) -> bool:
    if value.ndim == 0 or value.size == 0:  # strides of an empty array may be anything
        return True
    return value.shape[-1] == 1 or value.strides[-1] == value.itemsize
