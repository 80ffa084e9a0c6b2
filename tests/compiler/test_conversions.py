"""Arguments of other kinds than the array that is wanted: values, refusals, nothing left over."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tetractys as tt
import tetractys.tensor as T

DTYPES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32",
    "float64",
)  # fmt: skip
FOREIGN = ("float16", ">f8", ">i4", "longlong", "ulonglong", "complex64", "U3", "object")


def vector(dtype: str, **options: Any) -> tuple[Any, Any]:
    x = T.TensorType(dtype, (False,))("x")
    return tt.function([tt.In(x, **options)], x.copy() if dtype == "bool" else x + x), x.type


def double(values: np.ndarray) -> np.ndarray:
    return values if values.dtype == bool else values + values


@pytest.mark.parametrize("path", ["native", "python"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_and_lists_of_every_dtype(
    dtype: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `filter` takes the call takes, with the same values; the rest is refused in its words.
    """
    monkeypatch.setenv("TETRACTYS_CALLPATH", path)
    f, type_ = vector(dtype)
    for found in (*DTYPES, *FOREIGN):
        array = np.asarray([0, 1, 1], found)
        for value in (array, array[::-1], list(array), tuple(array.tolist()), array[:0]):
            try:
                expected = type_.filter(value)
            except (TypeError, ValueError) as error:
                with pytest.raises(type(error), match="Bad input argument") as caught:
                    f(value)
                assert str(caught.value.args[0]).endswith(str(error.args[0])[-40:])
            else:
                result = f(value)
                np.testing.assert_array_equal(result, double(expected))
                assert result.dtype == dtype


@pytest.mark.parametrize("value", [[1.5, 2.0], [1, 2**53 + 1], [2**70], [True], [None], ["a"],
                                   [1, [2]], [[1.0]], [float("nan")], (), 3.0, None, {}, "1.0"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int8", "bool"])
def test_python_values(dtype: str, value: Any) -> None:
    f, type_ = vector(dtype)
    try:
        expected = type_.filter(value)
    except (TypeError, ValueError, OverflowError) as error:
        with pytest.raises(type(error), match="Bad input argument"):
            f(value)
    else:
        np.testing.assert_array_equal(f(value), double(expected))


def test_strict_takes_arrays_of_its_dtype_only() -> None:
    f, _ = vector("float64", strict=True)
    np.testing.assert_array_equal(f(np.ones(3)), 2.0)
    for value in ([1.0], np.ones(3, "float32"), np.ones(3, "int8")):
        with pytest.raises(TypeError, match="expected a ndarray object"):
            f(value)


def test_wrong_ranks_and_sizes_of_lists() -> None:
    x = T.TensorType("float64", (False, True))("x")
    f = tt.function([x], x * 2.0)
    np.testing.assert_array_equal(f([[1], [2]]), [[2.0], [4.0]])
    with pytest.raises(TypeError, match="Wrong number of dimensions: expected 2, got 1"):
        f([1.0, 2.0])
    with pytest.raises(TypeError, match="Non-unit value on shape on a broadcastable dimension"):
        f([[1.0, 2.0]])
    with pytest.raises(ValueError, match="inhomogeneous"):
        f([[1.0, 2.0], [1.0]])


class Bad:
    """A number that is none."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self.act = act

    def __float__(self) -> float:
        self.act()
        raise RuntimeError("no number")


def test_python_code_in_a_list() -> None:
    """What stands in a list may call the function, or close it."""
    f, _ = vector("float64")
    inner: list[Any] = []
    with pytest.raises((TypeError, RuntimeError)):
        f([1.0, Bad(lambda: inner.append(f([1, 2])))])
    for one in inner:
        np.testing.assert_array_equal(one, [2.0, 4.0])
    with pytest.raises((TypeError, RuntimeError)):
        f([1.0, Bad(f.close)])


def test_nothing_is_left_over(leaves_nothing: Callable[..., None]) -> None:
    x, y = T.dvectors("xy")
    f = tt.function([x, y], x + y)
    good, small, listed = np.arange(10.0), np.arange(10, dtype="float32"), [1.0] * 10
    strided, large, wrong = np.arange(20.0)[::2], np.ones(5000)[::2], [1.0] * 11
    double, long = np.dtype("float64"), np.ones(2500)
    watched = [good, small, listed, strided, large, wrong, double, f, list, np.ndarray]
    leaves_nothing(lambda: f(small, listed), watched, 3000)
    leaves_nothing(lambda: f(strided, strided[::-1]), watched, 3000)
    leaves_nothing(lambda: (f(large, long), f(long, large), f(good, strided)), watched, 3000)
    assert len(f.versions) == 2

    def failing() -> None:
        for pair in ((listed, wrong), (strided, wrong), (small, "text"), (strided, None)):
            with pytest.raises((ValueError, TypeError)):
                f(*pair)

    leaves_nothing(failing, watched, 300)


def test_a_version_goes_with_its_function() -> None:
    x = T.dmatrix("x")
    f = tt.function([x], x.sum(axis=0))
    values = np.asfortranarray(np.ones((50, 60)))
    f(values)
    import weakref

    state = weakref.ref(f)
    count = sys.getrefcount(values)
    del f
    gc.collect()
    assert state() is None and sys.getrefcount(values) == count
