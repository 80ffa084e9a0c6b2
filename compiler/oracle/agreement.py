"""When two results agree: dtype, shape, places of NaN, signs of zero, and a bound in ulps.

There is no blanket tolerance. `ulps` counts representable numbers between the two; where a sum was
done in another order, `scale` (say, the sum of absolute values) gives the size of the ulp. A whole
program's results are held against the bounds, one an element, that `bounds.run_bounded` gives.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


def ulps_between(first: Array, second: Array) -> Array:
    """The number of representable values between two arrays of one floating-point dtype.

    0 for equal values (zeros of both signs included) and where both are NaN; the largest int64
    where only one is. An infinity stands one behind the largest number.
    """
    bits = np.int64 if first.dtype == np.float64 else np.int32
    sign = np.iinfo(bits).min

    def position(values: Array) -> Array:
        found = np.atleast_1d(values).view(bits)
        return np.where(found < 0, sign - found, found)

    one, other = position(first), position(second)
    low, high = np.minimum(one, other), np.maximum(one, other)
    spread = (
        high.astype(object) - low.astype(object)
        if bits is np.int64
        else high.astype(np.int64) - low
    )
    distance = np.minimum(spread, np.iinfo(np.int64).max).astype(np.int64)
    first_nan, second_nan = np.isnan(np.atleast_1d(first)), np.isnan(np.atleast_1d(second))
    distance = np.where(first_nan & second_nan, 0, distance)
    distance = np.where(first_nan != second_nan, np.iinfo(np.int64).max, distance)
    return distance.reshape(np.shape(first))


def difference(
    found: Any, wanted: Any, ulps: float = 0, *, scale: Any = None, bound: Any = None
) -> str | None:
    """What sets two results apart, in a sentence; None if they agree.

    ulps: how many units of the last place they may be apart. scale: the ulp is that of these
    magnitudes where they are larger than the values. bound: instead of both, how far apart each
    element may be; an infinite one admits anything, 0 no other sign of a zero.
    """
    found, wanted = np.asarray(found), np.asarray(wanted)
    if found.dtype != wanted.dtype:
        return f"found dtype {found.dtype}; expected {wanted.dtype}"
    if found.shape != wanted.shape:
        return f"found shape {found.shape}; expected {wanted.shape}"
    if bound is not None:
        return _beyond(found, wanted, np.asarray(bound))
    if found.dtype.kind != "f":
        return _first(found != wanted, found, wanted, "unequal")
    wrong = _first(np.isnan(found) != np.isnan(wanted), found, wanted, "NaN in one of them")
    if wrong is None and scale is None:
        wrong = _first(_other_zeros(found, wanted), found, wanted, "zeros of other sign")
    if wrong is not None:
        return wrong
    distance = ulps_between(found, wanted)
    far = distance > ulps
    if scale is not None:
        with np.errstate(all="ignore"):
            unit = np.spacing(np.abs(np.asarray(scale, found.dtype)))
            far &= ~(np.abs(found - wanted) <= ulps * unit)
    return _first(
        far, found, wanted, f"up to {int(np.max(distance, initial=0))} ulps apart, allowed {ulps}"
    )


def _other_zeros(found: Array, wanted: Array) -> Array:
    return (found == 0) & (wanted == 0) & (np.signbit(found) != np.signbit(wanted))


def _beyond(found: Array, wanted: Array, bound: Array) -> str | None:
    """Elements further apart than their bounds."""
    with np.errstate(all="ignore"):
        near = np.abs(found.astype(np.float64) - wanted.astype(np.float64)) <= bound
    same = found == wanted
    if found.dtype.kind == "f":
        same = same & ~_other_zeros(found, wanted) | np.isnan(found) & np.isnan(wanted)
        near &= (bound > 0) | same
    else:
        near &= bound > 0
    far = ~(same | near | np.isinf(bound))
    place = np.unravel_index(np.argmax(far), far.shape) if np.any(far) else ()
    allowed = float(bound[place]) if np.any(far) else 0.0
    return _first(far, found, wanted, f"apart by more than {allowed:.3g} allowed there")


def _first(wrong: Array, found: Array, wanted: Array, what: str) -> str | None:
    if not np.any(wrong):
        return None
    place = tuple(int(i) for i in np.argwhere(np.atleast_1d(wrong))[0])[: found.ndim]
    return (
        f"{what} at {int(np.count_nonzero(wrong))} of {found.size} places, first at {place}: "
        f"found {found[place]!r}; expected {wanted[place]!r}"
    )


def agree(
    found: Any, wanted: Any, ulps: float = 0, *, scale: Any = None, bound: Any = None
) -> bool:
    """Whether two results agree; see `difference`."""
    return difference(found, wanted, ulps, scale=scale, bound=bound) is None


def assert_agree(
    found: Any,
    wanted: Any,
    ulps: float = 0,
    *,
    scale: Any = None,
    bound: Any = None,
    what: str = "",
) -> None:
    """Raises AssertionError with the first difference."""
    problem = difference(found, wanted, ulps, scale=scale, bound=bound)
    if problem is not None:
        raise AssertionError(f"{what}: {problem}" if what else problem)
