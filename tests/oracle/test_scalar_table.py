"""The table of elementwise operations: no hole, and NumPy's results where they surprise."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from tetractys.dialects import elemwise_signatures as ew
from tetractys.dialects.scalar_table import (
    NONE,
    SMOOTH,
    TABLE,
    default_props,
    dtype_cases,
    evaluate,
)
from tetractys.dialects.signature import DTYPES

TARGETS = ("bool", "int8", "uint8", "int32", "uint64", "int64", "float32", "float64")


def test_every_operation_has_a_row() -> None:
    assert set(TABLE) == set(ew.SIGNATURES.values())


@pytest.mark.parametrize("name", ew.SIGNATURES)
def test_row(name: str) -> None:
    signature, rng = ew.SIGNATURES[name], np.random.default_rng(0)
    row = TABLE[signature]
    assert len(row.domains) == signature.arity
    assert len(row.smooth) == (signature.arity if row.gradient == SMOOTH else 0)
    assert (row.gradient == NONE) == signature.machine
    needs = "dtype" in signature.props and not signature.props["dtype"].endswith("?")
    for dtype in TARGETS if needs else ("float64",):
        props = default_props(signature, dtype)
        cases = dtype_cases(signature, props)
        assert cases or (signature, dtype) == (ew.BITCAST, "bool")
        for dtypes in cases:
            operands = row.operands(dtypes, props, rng, 5) if dtypes else []
            assert [x.dtype.name for x in operands] == list(dtypes)
            evaluate(signature, operands, props)  # holds the dtype


def test_numpys_integers() -> None:
    def both(signature: ew.ElemwiseSignature, x: int, y: int, dtype: str = "int32") -> int:
        return int(evaluate(signature, [np.array(x, dtype), np.array(y, dtype)]))

    smallest = np.iinfo(np.int32).min
    assert both(ew.INT_DIV, 7, 0) == 0 and both(ew.MOD, 7, 0) == 0
    assert both(ew.INT_DIV, smallest, -1) == smallest and both(ew.MOD, smallest, -1) == 0
    assert both(ew.INT_DIV, -3, 2) == -2 and both(ew.MOD, -4, 3) == 2
    assert [both(ew.POW, base, -3) for base in (-2, -1, 0, 1, 2)] == [0, -1, 0, 1, 0]
    assert both(ew.POW, 3, 40) == np.int32(
        3**40 % 2**32 - 2**32 if 3**40 % 2**32 >= 2**31 else 3**40 % 2**32
    )
    assert both(ew.SUB, smallest, 1) == np.iinfo(np.int32).max
    assert int(evaluate(ew.ABS, [np.array(smallest, np.int32)])) == smallest


def test_maximum_does_not_depend_on_the_order_of_operands() -> None:
    values = np.array([0.0, -0.0, 1.0, np.nan])
    for signature in (ew.MAXIMUM, ew.MINIMUM):
        one, other = np.meshgrid(values, values)
        first, second = evaluate(signature, [one, other]), evaluate(signature, [other, one])
        assert first.tobytes() == second.tobytes() or np.array_equal(
            np.signbit(first[~np.isnan(first)]), np.signbit(second[~np.isnan(second)])
        )
    assert math.copysign(1, float(evaluate(ew.MAXIMUM, [values[1], values[0]]))) == 1
    assert math.copysign(1, float(evaluate(ew.MINIMUM, [values[0], values[1]]))) == -1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fma_rounds_once(dtype: str) -> None:
    rng = np.random.default_rng(1)
    a, b = (rng.standard_normal(2000).astype(dtype) for _ in range(2))
    c = (-a * b).astype(dtype)
    found = evaluate(ew.FMA, [a, b, c])
    exact = [
        Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z)) for x, y, z in zip(a, b, c)
    ]
    assert np.array_equal(found, np.array([float(value) for value in exact]).astype(dtype))
    tie = np.array([1 + 2.0**-23], np.float32)  # (1 + u)^2 + tiny: a tie that the tiny part breaks
    tiny = np.array([2.0**-80], np.float32)
    assert evaluate(ew.FMA, [tie, tie, tiny])[0] == np.float32(1 + 2.0**-22)
    assert evaluate(ew.FMA, [tie * 0, tie, -tie * 0]).tolist() == [0.0]


def test_pairs_that_no_integer_dtype_holds() -> None:
    assert ("int64", "uint64") not in dtype_cases(ew.AND)
    assert len(dtype_cases(ew.ADD)) == len(DTYPES) ** 2
