"""Products of our own: right for all sizes and layouts, and the same bits however they are cut."""

from __future__ import annotations

import ctypes
import itertools
import mmap
import os
from collections.abc import Callable

import numpy as np
import pytest

import tetractys as tt
import tetractys.tensor as T
from tetractys.runtime import gemm_text, jit, products
from tetractys.runtime.gemm_tile_text import ROWS, VECTORS

Product = Callable[..., np.ndarray]

DEPTH = gemm_text.DEPTH
DTYPES = {"float32": "sgemm", "float64": "dgemm"}
EPS = {"float32": 6e-8, "float64": 1.2e-16}

pytestmark = pytest.mark.skipif(not products.is_fit(), reason="made for AVX-512 and Linux")


def lanes(dtype: str) -> int:
    return 64 // np.dtype(dtype).itemsize


def make_product(dtype: str) -> Product:
    """C = A B by the code itself, for arrays whose rows or columns are dense.

    C lies in a larger array, whose other elements must stay as they are.
    """
    name = DTYPES[dtype]
    code = jit.load(jit.compile_text(gemm_text.source(name)), (gemm_text.symbol(name),))
    call = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 13)(code[gemm_text.symbol(name)])

    def described(array: np.ndarray) -> tuple[bytes, int]:
        if array.strides[1] == array.itemsize:
            return b"N", max(array.strides[0] // array.itemsize, 1)
        return b"T", max(array.strides[1] // array.itemsize, 1)

    def multiply(x: np.ndarray, y: np.ndarray, more: int = 5, first: int = 3) -> np.ndarray:
        (m, k), n = x.shape, y.shape[1]
        wide = np.full((m + 1, n + more + first), np.nan, x.dtype)
        c = wide[:m, first : first + n]
        numbers = [ctypes.byref(ctypes.c_int32(value)) for value in (n, m, k)]
        (y_letter, ldy), (x_letter, ldx) = described(y), described(x)
        leading = [ctypes.byref(ctypes.c_int32(value)) for value in (ldy, ldx, wide.shape[1])]
        call(ctypes.c_char_p(y_letter), ctypes.c_char_p(x_letter), *numbers, None, y.ctypes.data,
             leading[0], x.ctypes.data, leading[1], None, c.ctypes.data, leading[2])
        result = c.copy()
        c[:] = np.nan
        assert np.isnan(wide).all(), "elements that are not the product's were written"
        multiply.code = code  # type: ignore[attr-defined]  # it must live as long as the function
        return result

    return multiply


@pytest.fixture(scope="module")
def product() -> dict[str, Product]:
    return {dtype: make_product(dtype) for dtype in DTYPES}


def random(rng: np.random.Generator, dtype: str, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape).astype(dtype)


def layouts(array: np.ndarray) -> list[np.ndarray]:
    """The array by rows, by columns, and as a part, unaligned, of a larger one by either."""
    by_columns = np.asfortranarray(array)
    m, k = array.shape
    large = np.full((m + 2, k + 7), np.nan, array.dtype)
    large[1 : m + 1, 3 : k + 3] = array
    tall = np.full((k + 2, m + 7), np.nan, array.dtype)
    tall[1 : k + 1, 3 : m + 3] = array.T
    return [array, by_columns, large[1 : m + 1, 3 : k + 3], tall[1 : k + 1, 3 : m + 3].T]


def check(multiply: Product, dtype: str, m: int, k: int, n: int) -> None:
    """All layouts: within the bound of a sum's errors, and the same bits."""
    rng = np.random.default_rng(m + 7 * k + 31 * n)
    a, b = random(rng, dtype, m, k), random(rng, dtype, k, n)
    wanted = a.astype(np.longdouble) @ b.astype(np.longdouble)
    bound = (np.abs(a) @ np.abs(b)).astype(np.longdouble) * EPS[dtype] * (k + 2)
    first = multiply(a, b)
    assert (np.abs(first - wanted) <= bound).all()
    for x, y in itertools.product(layouts(a), layouts(b)):
        assert multiply(x, y).tobytes() == first.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
def test_around_the_tile(product: dict[str, Product], dtype: str) -> None:
    """One less, as many and one more than rows and vectors of the tile, and whole blocks of it."""
    widths = [v * lanes(dtype) + more for v in (1, 2, 3, 4, 5, 7) for more in (-1, 0, 1)]
    for m, n in itertools.product((1, 2, ROWS - 1, ROWS, ROWS + 1, 2 * ROWS + 3), (1, 2, *widths)):
        check(product[dtype], dtype, m, 9, n)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5, 6, 8, 9, 15, 16, 17, 33])
def test_few_terms(product: dict[str, Product], dtype: str, depth: int) -> None:
    check(product[dtype], dtype, 13, depth, 3 * lanes(dtype) + 2)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("depth", [DEPTH - 1, DEPTH, DEPTH + 1, 2 * DEPTH + 3])
def test_blocks_of_terms(product: dict[str, Product], dtype: str, depth: int) -> None:
    check(product[dtype], dtype, 21, depth, 4 * lanes(dtype) + 1)


@pytest.mark.parametrize("dtype", DTYPES)
def test_blocks_of_rows_that_are_made(product: dict[str, Product], dtype: str) -> None:
    for more in (-1, 0, 1, 9):
        check(product[dtype], dtype, gemm_text.TURNED + more, 37, 20)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("more", [-1, 0, 1, VECTORS * 16 + 5])
def test_blocks_of_columns(product: dict[str, Product], dtype: str, more: int) -> None:
    check(product[dtype], dtype, 11, 19, gemm_text.WIDTH * lanes(dtype) + more)


def before_a_wall(array: np.ndarray) -> np.ndarray:
    """A copy, by rows or columns as `array` is, whose last element ends where memory does."""
    page = mmap.PAGESIZE
    size = -(-array.nbytes // page) * page
    memory = mmap.mmap(-1, size + page)
    wall = ctypes.addressof(ctypes.c_char.from_buffer(memory)) + size
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.mprotect(ctypes.c_void_p(wall), ctypes.c_size_t(page), 0) == 0
    order = "C" if array.flags.c_contiguous else "F"
    made = np.ndarray(array.shape, array.dtype, memory, size - array.nbytes, order=order)  # type: ignore[call-overload]
    made[:] = array
    return made


@pytest.mark.parametrize("dtype", DTYPES)
def test_nothing_behind_the_operands_is_read(product: dict[str, Product], dtype: str) -> None:
    """In a process of its own: a read behind them ends it."""
    rng = np.random.default_rng(5)
    widths = (1, 3 * lanes(dtype), 3 * lanes(dtype) + 1, 5 * lanes(dtype), 700)
    sizes = [*itertools.product((1, 8, 13), (1, 4, 5, 70), widths), (9, 2 * DEPTH - 5, 33)]
    child = os.fork()
    if child == 0:
        right = True
        for m, k, n in sizes:
            a, b = random(rng, dtype, m, k), random(rng, dtype, k, n)
            wanted = product[dtype](a, b).tobytes()
            for x, y in itertools.product(layouts(a)[:2], layouts(b)[:2]):
                right &= product[dtype](before_a_wall(x), before_a_wall(y)).tobytes() == wanted
        os._exit(0 if right else 1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("dtype", DTYPES)
def test_nothing(product: dict[str, Product], dtype: str) -> None:
    for m, k, n in ((0, 3, 4), (3, 4, 0), (0, 0, 0)):
        a, b = np.ones((m, k), dtype), np.ones((k, n), dtype)
        assert product[dtype](a, b).shape == (m, n)
    assert (product[dtype](np.ones((9, 0), dtype), np.ones((0, 40), dtype)) == 0).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_bits_do_not_depend_on_the_other_sizes(product: dict[str, Product], dtype: str) -> None:
    rng = np.random.default_rng(0)
    a, b = random(rng, dtype, 150, 2 * DEPTH - 200), random(rng, dtype, 2 * DEPTH - 200, 370)
    whole = product[dtype](a, b)
    for rows in (slice(0, 24), slice(37, 150), slice(149, 150), slice(3, 8)):
        for columns in (slice(0, 96), slice(5, 6), slice(33, 370), slice(1, 18)):
            part = product[dtype](a[rows], b[:, columns])
            assert part.tobytes() == whole[rows, columns].tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
def test_infinities_and_nans_stay_where_they_are(product: dict[str, Product], dtype: str) -> None:
    """What fills tiles up to whole ones meets nothing of the product's."""
    for last in (13, 16):
        a, b = np.ones((last, 5), dtype), np.ones((5, 33), dtype)
        a[last - 1, 0], b[4, 32] = np.inf, np.nan
        for x, y in itertools.product(layouts(a), layouts(b)):
            result = product[dtype](x, y)
            assert np.isnan(result[:, 32]).all() and np.isinf(result[last - 1, :32]).all()
            assert (result[: last - 1, :32] == 5).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_functions_use_them_and_keep_their_bits_on_threads(
    product: dict[str, Product], dtype: str
) -> None:
    x, y = T.matrix("x", dtype=dtype), T.matrix("y", dtype=dtype)
    for first, second in ((x, y), (x.T, y), (x, y.T), (x.T, y.T)):
        functions = [tt.function([x, y], T.dot(first, second), threads=t) for t in (1, 2, 3)]
        rng = np.random.default_rng(3)
        for m, k, n in ((128, 784, 512), (400, 300, 500), (64, 64, 64), (700, 600, 650),
                        (2000, 100, 7), (7, 100, 2000)):  # fmt: skip
            a, b = random(rng, dtype, m, k), random(rng, dtype, k, n)
            values = (a if first is x else a.T.copy(), b if second is y else b.T.copy())
            found = [f(*values) for f in functions]
            assert found[0].tobytes() == product[dtype](a, b).tobytes()
            assert found[0].tobytes() == found[1].tobytes() == found[2].tobytes()


def test_they_are_made_beside_the_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(products, "prepare", asked.append)
    monkeypatch.setenv("TETRACTYS_CACHE", "off")
    x, y, v = T.fmatrix("x"), T.matrix("y"), T.vector("v")
    tt.function([v], T.dot(v, v))
    tt.function([y, v], T.dot(y, v))
    assert asked == []
    tt.function([x], T.dot(x, x.T))
    tt.function([y], T.grad(T.sum(T.tanh(T.dot(y, y))), y))
    assert asked[0] == "sgemm" and set(asked[1:]) == {"dgemm"}
