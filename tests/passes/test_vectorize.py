"""Vectorised nests compute what scalar ones do: sizes around the width, every kind of operand."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import tetractys as tt
import tetractys.tensor as T
from tetractys.passes import vectorize

FILE = Path(__file__).parent.parent / "filecheck" / "passes" / "vectorize.mlir"
SIZES = (0, 1, 2, 7, 8, 9, 15, 16, 17, 33)


def test_every_reason_is_tested() -> None:
    """The sentences in the source against those in the FileCheck file."""
    source = Path(vectorize.__file__).read_text(encoding="utf-8")
    reasons = re.findall(r'return f?"([^"]+)"', source)
    checked = re.findall(r'scalar_because = "([^"]+)"', FILE.read_text(encoding="utf-8"))
    shapes = [re.sub(r"\\?\{[^}]*\\?\}", ".+", re.escape(reason)) for reason in reasons]
    # A splat or another dialect in a body cannot come from our own passes.
    impossible = {"vectors already", "{op.name} in the body"}
    for reason, shape in zip(reasons, shapes):
        if reason not in impossible:
            assert any(re.fullmatch(shape, found) for found in checked), reason
    assert len(reasons) >= 10


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int8", "bool"])
@pytest.mark.parametrize("columns", SIZES)
def test_broadcast_and_mixed_operands(dtype: str, columns: int) -> None:
    """A matrix, a row, a column and a scalar in one nest."""
    matrix, row = T.matrix(dtype=dtype), T.vector(dtype=dtype)
    column, scalar = T.col(dtype=dtype), T.scalar(dtype=dtype)
    chosen = T.switch(T.lt(matrix, row), column, scalar)
    outputs = [T.maximum(matrix, row) + column * scalar, chosen]
    function = tt.function([matrix, row, column, scalar], outputs)
    rng = np.random.default_rng(3)
    x, r, c, s = (
        np.asarray(rng.integers(0, 2 if dtype == "bool" else 5, shape)).astype(dtype)
        for shape in ((3, columns), (columns,), (3, 1), ())
    )
    first, second = function(x, r, c, s)
    np.testing.assert_array_equal(first, np.maximum(x, r) + c * s)
    np.testing.assert_array_equal(second, np.where(x < r, c, s))


@pytest.mark.parametrize("columns", SIZES)
def test_reductions(columns: int) -> None:
    """Along the vectors, across them, and over all."""
    matrix = T.dmatrix()
    value = T.exp(-T.sqr(matrix))
    sums = [value.sum(axis=1), value.sum(axis=0), value.prod(), value.sum()]
    function = tt.function([matrix], sums)
    x = np.random.default_rng(4).normal(size=(5, columns))
    wanted = np.exp(-x * x)
    found = function(x)
    expected = (wanted.sum(axis=1), wanted.sum(axis=0), wanted.prod(), wanted.sum())
    for got, right in zip(found, expected):
        np.testing.assert_allclose(got, right, rtol=1e-13)


@pytest.mark.parametrize("columns", SIZES[1:])
def test_loops_inside_a_vector(columns: int) -> None:
    """Floating-point remainders are loops of their own, in whole vectors and in masked ones."""
    x, y = T.dvector(), T.dvector()
    function = tt.function([x, y], [x % y, x // y])
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=columns) * 1e20, rng.normal(size=columns)
    remainder, quotient = function(a, b)
    np.testing.assert_array_equal(remainder, np.mod(a, b))
    np.testing.assert_array_equal(quotient, np.floor_divide(a, b))


@pytest.mark.parametrize("columns", SIZES)
def test_columns_in_one_loop(columns: int) -> None:
    """A loop over columns around loops along them: read, kept for a while, and given."""
    x = T.dmatrix("x")
    shifted = x + x.sum(axis=0)
    f = tt.function([x], T.grad((shifted**2).sum(), x))
    g = tt.function([x], [T.exp(x - x.max(axis=0)) / T.exp(x - x.max(axis=0)).sum(axis=0)])
    for rows in (1, 3, 9, 17):
        value = np.random.default_rng(0).standard_normal((rows, columns))
        moved = 2 * (value + value.sum(axis=0))
        np.testing.assert_allclose(f(value), moved + moved.sum(axis=0), rtol=1e-12, atol=1e-12)
        powers = np.exp(value - value.max(axis=0))
        np.testing.assert_allclose(g(value)[0], powers / powers.sum(axis=0), rtol=1e-12)


def test_explain_tells_the_reason() -> None:
    """A gather is one scalar at a time; `f.explain()` says so, with the user's line."""
    x, i = T.dvector("x"), T.lvector("i")
    text = tt.function([x, i], x[i]).explain()
    assert re.search(r"test_vectorize.py:\d+\) stays scalar: a gather", text)


def test_powers_are_vectors() -> None:
    x, y = T.dvector("x"), T.dvector("y")
    assert "scalar" not in tt.function([x, y], x**y).explain()
