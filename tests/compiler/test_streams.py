"""Large results past the caches: the same bits as into fresh memory, on any number of threads."""

from __future__ import annotations

import re

import numpy as np
import pytest

import tetractys as tt
import tetractys.tensor as T
from tetractys.passes.llvm_ahead import FAR
from tetractys.runtime import jit
from tetractys.runtime.state import STREAM_BYTES

SIZE = STREAM_BYTES // 8


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("shape", [(SIZE + 3,), (1001, SIZE // 1000), (SIZE // 10, 11), (3, SIZE)])
def test_used_memory_and_fresh_memory(shape: tuple[int, ...], threads: int) -> None:
    x = T.TensorType("float64", (False,) * len(shape))("x")
    y = T.dvector("y")
    f = tt.function([x, y], [x * 2 + y, x.sum(axis=0)], threads=threads)
    value = np.random.default_rng(0).normal(size=shape)
    row = np.random.default_rng(1).normal(size=shape[-1:])
    wanted = value * 2 + row
    sums = f(value, row)[1].tobytes()
    for _ in range(4):
        found, total = f(value, row)
        assert found.tobytes() == wanted.tobytes() and total.tobytes() == sums
        found[...] = np.nan
    assert f.memory()["kept"] >= 2 * STREAM_BYTES
    del found
    f.free()


def test_floats_of_single_precision_and_several_results() -> None:
    x = T.fmatrix("x")
    f = tt.function([x], [x + 1, x * x, x > 0])
    value = np.random.default_rng(2).normal(size=(1024, 2 * SIZE // 1024 + 5)).astype("f")
    for _ in range(4):
        more, square, sign = f(value)
        assert more.tobytes() == (value + 1).tobytes()
        assert square.tobytes() == (value * value).tobytes()
        assert (sign == (value > 0)).all()


@pytest.mark.skipif(not jit.host().triple.startswith("x86_64"), reason="x86's stores and fence")
def test_only_results_that_this_function_does_not_read_again() -> None:
    x = T.dvector("x")

    def streams(*results: object) -> int:
        return len(re.findall("nontemporal !0", tt.function([x], list(results)).ir("llvm")))

    assert streams(x * 2) == 1 and streams(x * 2, x + 3) == 2
    assert streams(T.tanh(x) * T.exp(x)) == 0, "waits for arithmetic, not for memory"


@pytest.mark.parametrize("columns", [33, 784, 5001])
def test_large_arguments_have_the_bits_of_small_ones(columns: int) -> None:
    """What is asked for ahead (`llvm_ahead`), beyond the end of an array, too, changes nothing."""
    rows = FAR // 8 // columns + 5
    x, w = T.dmatrix("x"), T.dvector("w")
    f = tt.function([x, w], [x.sum(axis=1), x.max(axis=1), T.dot(x, w), x.var(axis=1), x + w])
    value = np.random.default_rng(3).normal(size=(rows, columns))
    vector = np.random.default_rng(4).normal(size=columns)
    for part in (value, np.concatenate([value, value], axis=1)[:, :columns]):
        large = f(part, vector)
        for start in range(0, rows, 16 * (rows // 64)):
            small = f(part[start : start + 16], vector)
            for one, other in zip(large, small):
                assert one[start : start + 16].tobytes() == other.tobytes()
