"""Rows of a table that are looked up: in vectors, with every index checked, alone and in chains."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tetractys as tt
import tetractys.tensor as T

SHAPES = ((50, 64, 9), (50, 1, 9), (50, 7, 3), (3, 17, 20), (1, 8, 1), (4, 33, 0), (2000, 40, 700))
"""Rows and columns of the table, rows that are looked up."""


def table(shape: tuple[int, int], dtype: str, rng: np.random.Generator) -> Any:
    """Numbers of a dtype, small."""
    return (rng.normal(size=shape) * 10).astype(dtype)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int8", "bool"])
def test_rows(dtype: str, threads: int) -> None:
    rng = np.random.default_rng(0)
    w, at = T.matrix("w", dtype=dtype), T.lvector("at")
    results = [w[at], T.exp(-abs(w[at] * 0.5)), (w[at] * 1.5).sum(axis=0),
               (w[at] * 1.5).sum(axis=1), T.neq(w[at], 0).max(axis=0)]  # fmt: skip
    f = tt.function([w, at], results[:4], threads=threads)
    g = tt.function([w, at], results[4], threads=threads)
    for rows, columns, count in SHAPES:
        value, picked = table((rows, columns), dtype, rng), rng.integers(-rows, rows, count)
        found = value[picked]
        wanted = [found, np.exp(-abs(found * 0.5)), (found * 1.5).sum(0), (found * 1.5).sum(1)]
        for mine, want in zip(f(value, picked), wanted):
            np.testing.assert_allclose(mine, want, rtol=1e-5, atol=1e-4)
        if count:
            np.testing.assert_array_equal(g(value, picked), (found != 0).max(0))
            for wrong in (rows, -rows - 1, 2**40):
                picked[-1] = wrong
                with pytest.raises(IndexError, match=f"index {wrong} is out of bounds for axis 0 "):
                    f(value, picked)


def test_tables_of_other_layouts() -> None:
    """Gaps between rows, rows backwards, one row over and over, columns, a computed table."""
    w, at = T.dmatrix("w"), T.lvector("at")
    f = tt.function([w, at], [w[at] + 1, T.exp(w)[at], w.T[at], w[1:, 2:][at]])
    whole = np.random.default_rng(1).normal(size=(40, 60))
    picked = np.array([3, -1, 3, 0])
    for value in (whole, whole[::2, 3:50], whole[::-1, :9], np.asfortranarray(whole),
                  np.broadcast_to(whole[3], (6, 60)), whole[:, ::2]):  # fmt: skip
        wanted = value[picked] + 1, np.exp(value)[picked], value.T[picked], value[1:, 2:][picked]
        for mine, want in zip(f(value, picked), wanted):
            np.testing.assert_allclose(mine, want, rtol=1e-13)


def test_nothing_behind_a_row_is_read() -> None:
    """The last row ends at the end of a page that nobody may read behind."""
    import ctypes
    import mmap

    page = mmap.PAGESIZE
    memory = mmap.mmap(-1, 2 * page)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(start + page), page, 0) == 0
    raw = (ctypes.c_double * (page // 8)).from_address(start)
    w, at = T.dmatrix("w"), T.lvector("at")
    f = tt.function([w, at], [w[at], T.tanh(w[at])])
    for columns in (1, 3, 8, 11, 13, 31):
        rows = page // 8 // columns
        value = np.frombuffer(raw, "float64")[page // 8 - rows * columns :]
        value = value.reshape(rows, columns)
        found, _ = f(value, np.array([rows - 1, -1, 0]))
        assert found.shape == (3, columns) and not found.any()
