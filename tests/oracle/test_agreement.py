"""What counts as agreement."""

from __future__ import annotations

import numpy as np
import pytest

from tetractys.oracle import agree, assert_agree, difference, ulps_between


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_ulps_count_representable_numbers(dtype: str) -> None:
    one = np.array([1.0, -1.0, 0.0, 5e-324 if dtype == "float64" else 1e-45], dtype)
    assert ulps_between(one, np.nextafter(one, np.array(np.inf, dtype))).tolist() == [1, 1, 1, 1]
    assert ulps_between(one[2:3], -one[2:3]).tolist() == [0]
    assert ulps_between(one[:1], -one[:1])[0] == 2 * int(one[:1].view(f"int{one.itemsize * 8}")[0])
    assert agree(one[0], np.nextafter(one[0], np.array(2, dtype)), 1)
    assert not agree(one[0], np.nextafter(one[0], np.array(2, dtype)))


def test_what_differs_is_said() -> None:
    one = np.array([1.0, 2.0])
    assert difference(one, one.astype("float32")) == "found dtype float64; expected float32"
    assert difference(one, one[:1]) == "found shape (2,); expected (1,)"
    assert "NaN in one of them at 1 of 2 places, first at (1,)" in str(
        difference(one, np.array([1, np.nan]))
    )
    assert "zeros of other sign" in str(difference(np.array(0.0), np.array(-0.0)))
    assert agree(np.array(0.0), np.array(-0.0), bound=1e-300)
    assert "unequal at 1 of 1 places" in str(difference(np.array(1), np.array(2)))
    assert agree(np.array([np.nan, np.inf]), np.array([np.nan, np.inf]))
    assert not agree(np.array(np.inf), np.array(-np.inf), 10)
    with pytest.raises(
        AssertionError, match="result 0: up to 4503599627370496 ulps apart, allowed 2"
    ):
        assert_agree(np.array(1.0), np.array(2.0), 2, what="result 0")


def test_scale_sets_the_size_of_the_ulp() -> None:
    assert not agree(np.array(1e-17), np.array(0.0), 1)
    assert agree(np.array(1e-17), np.array(0.0), 1, scale=1.0)
    assert not agree(np.array(1e-15), np.array(0.0), 1, scale=1.0)


def test_bounds_are_one_an_element() -> None:
    """A small element is held to its own bound, whatever the largest one is."""
    wanted = np.array([1e8, 1e-8, 0.0, np.nan, np.inf])
    bound = np.array([1e-7, 1e-23, 0, 0, 0])
    assert agree(wanted + [5e-8, 5e-24, 0, 0, 0], wanted, bound=bound)
    assert "apart by more than 1e-23 allowed there at 1 of 5 places, first at (1,)" in str(
        difference(wanted + [0, 1e-20, 0, 0, 0], wanted, bound=bound)
    )
    assert not agree(-wanted, wanted, bound=bound)
    assert not agree(wanted * [1, 1, -1, 1, 1], wanted, bound=bound)
    assert not agree(wanted[::-1], wanted, bound=bound)
    assert agree(wanted[::-1], wanted, bound=np.full(5, np.inf))
    assert not agree(np.array(3), np.array(4), bound=0.0) and agree(3, 4, bound=1.0)
