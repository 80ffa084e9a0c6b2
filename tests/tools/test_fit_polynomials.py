"""The tool that fitted the polynomials gives those that stand in `math_coefficients.py`."""

from __future__ import annotations

from operator import attrgetter

import mpmath
import pytest

from tetractys.passes import math_coefficients
from tetractys.tools.fit_polynomials import fit, fits


@pytest.mark.parametrize("name", ["SINH", "TAN_COS", "POWF_EXP2", "SIN_PI"])
def test_coefficients_are_those_of_the_tool(name: str) -> None:
    with mpmath.workprec(200):
        for row in fits()[name]:
            table = getattr(math_coefficients, name)
            known = table[row.dtype] if isinstance(table, dict) else table
            found, error = fit(row)
            assert found == pytest.approx(known, rel=1e-9)
            assert error < 2.0**-25


def test_every_fit_has_a_table() -> None:
    with mpmath.workprec(60):
        names = [one for name in fits() for one in name.split(", ")]
    assert all(attrgetter(name)(math_coefficients) for name in names)
