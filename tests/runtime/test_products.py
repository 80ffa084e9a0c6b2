"""Products of our own: right for all sizes and layouts, and the same bits however they are cut."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import pytest

import tetractys as tt
import tetractys.tensor as T
from tetractys.runtime import gemm_text, jit, products

SIZES = [
    (1, 1, 1), (12, 4, 32), (13, 300, 33), (5, 7, 3), (25, 33, 17), (100, 513, 70), (97, 256, 257),
    (200, 600, 300), (11, 257, 513), (3, 0, 4), (0, 3, 4), (4, 3, 0),
]  # fmt: skip
EPS = 6e-8

pytestmark = pytest.mark.skipif(not products.is_fit(), reason="made for AVX-512 and Linux")


@pytest.fixture(scope="module")
def product() -> Any:
    """C = A B by the code itself, for arrays whose rows or columns are dense."""
    code = jit.load(jit.compile_text(gemm_text.source()), (gemm_text.SYMBOL,))
    call = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 13)(code[gemm_text.SYMBOL])

    def described(array: np.ndarray) -> tuple[bytes, int]:
        if array.strides[1] == array.itemsize:
            return b"N", max(array.strides[0] // array.itemsize, 1)
        return b"T", max(array.strides[1] // array.itemsize, 1)

    def multiply(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        (m, k), n = x.shape, y.shape[1]
        wide = np.full((m, n + 5), 7, x.dtype)
        numbers = [ctypes.byref(ctypes.c_int32(value)) for value in (n, m, k)]
        (y_letter, ldy), (x_letter, ldx) = described(y), described(x)
        leading = [ctypes.byref(ctypes.c_int32(value)) for value in (ldy, ldx, n + 5)]
        call(ctypes.c_char_p(y_letter), ctypes.c_char_p(x_letter), *numbers, None, y.ctypes.data,
             leading[0], x.ctypes.data, leading[1], None, wide.ctypes.data, leading[2])
        assert (wide[:, n:] == 7).all(), "columns that are not the product's were written"
        return wide[:, :n]

    made: Any = multiply
    made.code = code
    return made


@pytest.mark.parametrize("sizes", SIZES)
def test_against_numpy(product: Any, sizes: tuple[int, int, int]) -> None:
    m, k, n = sizes
    rng = np.random.default_rng(m + k + n)
    dtype = "float32"
    a, b = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
    wanted = a.astype(np.longdouble) @ b.astype(np.longdouble)
    bound = (np.abs(a) @ np.abs(b)).astype(np.longdouble) * EPS * (k + 2)
    results = [
        product(x, y)
        for x in (a, np.asfortranarray(a)) for y in (b, np.asfortranarray(b))
    ]
    for result in results:
        assert (np.abs(result - wanted) <= bound).all()
        assert result.tobytes() == results[0].tobytes()


def test_bits_do_not_depend_on_the_other_sizes(product: Any) -> None:
    rng = np.random.default_rng(0)
    dtype = "float32"
    a = rng.standard_normal((150, 300)).astype(dtype)
    b = rng.standard_normal((300, 170)).astype(dtype)
    whole = product(a, b)
    for rows in (slice(0, 24), slice(37, 150), slice(149, 150)):
        for columns in (slice(0, 96), slice(5, 6), slice(33, 170)):
            part = product(a[rows], b[:, columns])
            assert part.tobytes() == whole[rows, columns].tobytes()


def test_infinities_and_nans_stay_where_they_are(product: Any) -> None:
    """What fills the panels up to whole vectors meets nothing of the product's."""
    dtype = "float32"
    a, b = np.ones((13, 5), dtype), np.ones((5, 33), dtype)
    a[12, 0], b[4, 32] = np.inf, np.nan
    result = product(a, b)
    assert np.isnan(result[:, 32]).all() and np.isinf(result[12, :32]).all()
    assert (result[:12, :32] == 5).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_functions_use_them_and_keep_their_bits_on_threads(dtype: str) -> None:
    x, y = T.matrix("x", dtype=dtype), T.matrix("y", dtype=dtype)
    functions = [tt.function([x, y], T.dot(x, y), threads=threads) for threads in (1, 2, 3)]
    rng = np.random.default_rng(3)
    for m, k, n in ((128, 784, 512), (400, 300, 500), (64, 64, 64), (700, 600, 650)):
        a, b = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
        found = [f(a, b) for f in functions]
        np.testing.assert_allclose(found[0], a @ b, rtol=1e-3 if dtype == "float32" else 1e-10,
                                   atol=1e-3 if dtype == "float32" else 1e-11)
        assert found[0].tobytes() == found[1].tobytes() == found[2].tobytes()
