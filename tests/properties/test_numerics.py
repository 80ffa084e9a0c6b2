"""Elementary functions through machine code: special values, and the same bits in every loop.

A value's result must not depend on where it stands: in the vector body, in the tail, in scalar
code, alone or fused with other operations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tetractys
import tetractys.tensor as T
from tetractys.dialects import elemwise_signatures as ew
from tetractys.dialects.scalar_table import TABLE, evaluate
from tetractys.oracle import difference
from tetractys.tensor.native import apply_native

FUNCTIONS = (
    "sqrt",
    "exp",
    "log",
    "log1p",
    "expm1",
    "tanh",
    "sigmoid",
    "softplus",
    "log2",
    "log10",
    "sin",
    "cos",
    "tan",
    "arctan",
    "sinh",
    "cosh",
    "erf",
    "erfc",
    "sqr",
    "abs",
    "neg",
    "sgn",
)
DTYPES = ("float64", "float32")


def special_values(dtype: str) -> np.ndarray:
    """Zeros, ones, limits, thresholds of overflow and underflow, NaN, and numbers around them."""
    info = np.finfo(dtype)
    edge = np.log(float(info.max))
    plain = [
        0.0,
        0.5,
        1.0,
        1.5,
        2.0,
        3.0,
        np.pi,
        10.0,
        100.0,
        1e10,
        np.e,
        np.log(2),
        18.5,
        37.0,
        0.625,
        edge,
        edge + 1,
        edge - 1,
        edge / 2,
        -float(np.log(float(info.smallest_subnormal))),
        30.0,
        float(info.eps),
        float(info.eps) / 2,
        1 - float(info.eps),
        1 + float(info.eps),
        1e-5,
        1e-3,
        float(info.max),
        float(info.tiny),
        float(info.smallest_subnormal),
        np.sqrt(info.tiny),
        np.sqrt(info.max),
        np.inf,
        np.nan,
    ]
    values = np.array(plain, dtype)
    with np.errstate(all="ignore"):
        near = [np.nextafter(values, values.dtype.type(target)) for target in (np.inf, -np.inf)]
        return np.concatenate([part for one in (values, *near) for part in (one, -one)])


def all_functions(variable: Any) -> list[Any]:
    """Every function of a variable."""
    return [apply_native(ew.SIGNATURES[name], [variable])[0] for name in FUNCTIONS]


@pytest.mark.parametrize("dtype", DTYPES)
def test_special_values(dtype: str) -> None:
    """Each within the bound of its row of the scalar table, signs of zero and NaN included."""
    x = T.TensorType(dtype, [False])("x")
    values = special_values(dtype)
    for name, result in zip(FUNCTIONS, all_functions(x)):
        found = tetractys.function([x], result)(values)
        signature = ew.SIGNATURES[name]
        problem = difference(found, evaluate(signature, [values]), TABLE[signature].ulps)
        assert problem is None, (name, problem)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
def test_bits_do_not_depend_on_the_place(dtype: str, mode: str) -> None:
    """Lengths 1 to 40 at every offset of a vector, rank 0, and fused with others: one result."""
    rng = np.random.default_rng(4)
    values = np.concatenate([special_values(dtype), (rng.standard_normal(80) * 9).astype(dtype)])
    x, s = T.TensorType(dtype, [False])("x"), T.TensorType(dtype, [])("s")
    together = tetractys.function([x], all_functions(x), mode=mode)
    whole = [result.tobytes() for result in together(values)]
    size = values.itemsize
    for length in range(1, 41):
        start = int(rng.integers(0, len(values) - length))
        for name, full, part in zip(FUNCTIONS, whole, together(values[start : start + length])):
            wanted = full[start * size : (start + length) * size]
            assert part.tobytes() == wanted, (name, start, length)
    alone = [tetractys.function([x], result, mode=mode) for result in all_functions(x)]
    scalar = tetractys.function([s], all_functions(s), mode=mode)
    numbers = [scalar(value) for value in values]
    for name, full, function, column in zip(FUNCTIONS, whole, alone, zip(*numbers)):
        assert function(values).tobytes() == full, name
        assert np.array(column).tobytes() == full, name


CHAINS: dict[str, Callable[[Any, Any], Any]] = {
    "product and sum": lambda x, y: x * y + x,
    "difference of products": lambda x, y: x * y - y * x + x,
    "polynomial": lambda x, y: ((x * 0.1 + 0.2) * x + 0.3) * x + y,
    "functions": lambda x, y: T.exp(T.tanh(x) * y) * T.log1p(abs(y)),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CHAINS)
def test_bits_do_not_depend_on_fusion(name: str, dtype: str) -> None:
    """A chain alone, beside other results, and with its steps in functions of their own."""
    x, y = (T.TensorType(dtype, [False])(letter) for letter in "xy")
    rng = np.random.default_rng(5)
    a, b = (rng.standard_normal(37).astype(dtype) for _ in range(2))
    chain = CHAINS[name](x, y)
    alone = tetractys.function([x, y], chain)(a, b)
    beside = tetractys.function([x, y], [chain.sum(), chain, T.exp(chain), (chain * y).max()])(a, b)
    plain = tetractys.function([x, y], chain, mode="FAST_COMPILE")(a, b)
    assert beside[1].tobytes() == alone.tobytes() == plain.tobytes()


def test_code_needs_no_neighbour() -> None:
    """Constants are addressed by 64 bits: the linker may put them anywhere (beside large arrays it
    does, and it aborts the process where code wants them within 2 GB).
    """
    x = T.dvector("x")
    assert "(%rip)" not in tetractys.function([x], T.exp(x) + T.tanh(x)).asm()
