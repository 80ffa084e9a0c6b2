"""Where in a line an argument begins changes no bit: `llvm_phase` moves loops to lines."""

from __future__ import annotations

import numpy as np
import pytest

import tetractys as tt
import tetractys.tensor as T

LINE = 64
SIZES = (1, 7, 63, 65, 128, 257, 511, 513, 520, 1030, 5000)


def placed(value: np.ndarray, offset: int) -> np.ndarray:
    """A copy that begins so many bytes behind a line; what stands around it is NaN."""
    memory = np.full(value.nbytes + 4 * LINE, 0xFF, "u1")
    first = (offset - memory.ctypes.data) % LINE + LINE
    copy = memory[first : first + value.nbytes].view(value.dtype).reshape(value.shape)
    copy[...] = value
    return copy


def reductions(letter: str) -> tuple[tt.compile.Function, tt.compile.Function]:
    """Of two vectors, and of a matrix and a vector."""
    x, y = (getattr(T, f"{letter}vector")(name) for name in "xy")
    a = getattr(T, f"{letter}matrix")("a")
    return (
        tt.function([x, y], [x.sum(), x.max(), x.min(), T.dot(x, y), (x * x).sum()]),
        tt.function([a, x], [a.sum(axis=1), a.max(axis=1), T.dot(a, x), a.sum(axis=0),
                             T.dot(a.T, T.dot(a, x)), T.nnet.softmax(a), a.var(axis=1)]),
    )  # fmt: skip


@pytest.mark.parametrize("letter", ["d", "f"])
def test_bits_do_not_depend_on_the_address(letter: str) -> None:
    of_vectors, of_matrices = reductions(letter)
    rng = np.random.default_rng(0)
    unit = np.dtype(letter).itemsize
    for size in SIZES:
        x, y = (rng.uniform(0.5, 1.5, size).astype(letter) for _ in "xy")
        a = rng.standard_normal((9, size)).astype(letter)
        wanted = [np.asarray(one).tobytes() for one in of_vectors(placed(x, 0), placed(y, 0))]
        rows = [one.tobytes() for one in of_matrices(placed(a, 0), placed(x, 0))]
        for offset in range(unit, LINE, 3 * unit):
            other = 5 * offset % LINE
            found = of_vectors(placed(x, offset), placed(y, other))
            assert [np.asarray(one).tobytes() for one in found] == wanted, (size, offset)
            found = of_matrices(placed(a, offset), placed(x, other))
            assert [one.tobytes() for one in found] == rows, (size, offset)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "bool"])
def test_narrow_elements(dtype: str) -> None:
    x = T.TensorType(dtype, (False,))("x")
    f = tt.function([x], [x.max(), x.min()])
    value = np.random.default_rng(5).integers(0, 2 if dtype == "bool" else 100, 5000).astype(dtype)
    for offset in range(0, LINE, value.itemsize):
        assert f(placed(value, offset)) == [value.max(), value.min()]


def test_products_beside_sums_and_alone() -> None:
    """Their accumulators go from block to block, those of sums begin anew."""
    x = T.dvector("x")
    for results in ([x.prod()], [x.sum(), x.prod()]):
        f = tt.function([x], results)
        for size in (300, 513, 1030):
            value = np.random.default_rng(2).uniform(0.9, 1.1, size)
            wanted = [one.tobytes() for one in f(placed(value, 0))]
            for offset in range(8, LINE, 8):
                assert [one.tobytes() for one in f(placed(value, offset))] == wanted


def test_signs_of_zeros_and_nans_at_any_address() -> None:
    x = T.dvector("x")
    f = tt.function([x], [x.max(), x.min(), x.sum()])
    for offset in range(0, LINE, 8):
        value = placed(np.full(600, -0.0), offset)
        assert np.signbit(f(value)[0]) and np.signbit(f(value)[1])
        for place in (0, 3, 9, 511, 512, 599):
            value[place] = 0.0
            assert not np.signbit(f(value)[0]) and np.signbit(f(value)[1]), (offset, place)
            value[place] = np.nan
            assert np.isnan(f(value)).all(), (offset, place)
            value[place] = -0.0


@pytest.mark.parametrize("kind", ["sum", "prod"])
def test_rows_that_begin_anywhere_in_a_line(kind: str) -> None:
    """One result of all rows: its accumulators go from row to row, whatever their strides."""
    x = T.dmatrix("x")
    f = tt.function([x], getattr(x, kind)())
    value = np.random.default_rng(1).uniform(0.5, 1.5, (7, 300))
    wanted = None
    for columns in (304, 301, 302, 303, 305, 308):
        for offset in (0, 8, 40):
            memory = placed(np.ones((7, columns)), offset)
            memory[:, :300] = value
            found = f(memory[:, :300]).tobytes()
            wanted = wanted or found
            assert found == wanted, (columns, offset)
