"""Copies at cache lines."""

from __future__ import annotations

import numpy as np
import pytest

from tetractys import shared
from tetractys.runtime.aligned import ALIGN_BYTES, LINE, aligned_copy


@pytest.mark.parametrize("dtype", ["bool", "int8", "int16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(), (0,), (7,), (5001,), (3, 2000), (2, 3, 1000), (5000, 0)])
def test_the_same_values_elsewhere(shape: tuple[int, ...], dtype: str) -> None:
    array = np.arange(int(np.prod(shape))).reshape(shape).astype(dtype)
    copy = aligned_copy(array)
    assert type(copy) is np.ndarray and copy.dtype == array.dtype and copy.shape == shape
    assert copy.tobytes() == array.tobytes() and not np.shares_memory(copy, array)
    assert copy.flags.writeable and copy.flags.c_contiguous
    if array.nbytes >= ALIGN_BYTES:
        assert copy.__array_interface__["data"][0] % LINE == 0


def test_another_order_stays() -> None:
    array = np.asfortranarray(np.arange(6000.0).reshape(60, 100))
    assert aligned_copy(array).flags.f_contiguous
    assert (aligned_copy(array[::2]) == array[::2]).all()


def test_shared_values_are_aligned() -> None:
    variable = shared(np.ones((100, 30)))
    for _ in range(2):
        value = variable.get_value(borrow=True)
        assert value.__array_interface__["data"][0] % LINE == 0
        variable.set_value(np.zeros((77, 31)))
