"""The largest error of elementary functions over all float32 numbers, against float64.

    python -m tetractys.tools.every_float32                  all functions: some minutes each
    python -m tetractys.tools.every_float32 sin --step 101   every 101st number

What it found stands in `WORST` of `tests/passes/test_expand_math.py`, which tries a sample.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np

from tetractys.runtime import blas, jit
from tetractys.tools.scalar_loop import ScalarLoop, operation_function

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
CHUNK = 1 << 22


def _special(name: str) -> Callable[[Array], Array]:
    """Of SciPy, or one by one of Python's `math`."""
    try:
        from scipy import special
    except ImportError:
        one_by_one = np.frompyfunc(getattr(math, name), 1, 1)
        return lambda x: np.asarray(one_by_one(x), np.float64)
    return getattr(special, name)


FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    **{name: getattr(np, name) for name in (
        "exp", "expm1", "log", "log2", "log10", "log1p", "tanh", "sin", "cos", "tan", "arctan",
        "sinh", "cosh",
    )},
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
    "erf": lambda x: _special("erf")(x),
    "erfc": lambda x: _special("erfc")(x),
}  # fmt: skip
"""The references, of float64."""


def numbers(step: int) -> Iterator[Array]:
    """Every `step`-th float32, in pieces."""
    for start in range(-(2**31), 2**31, CHUNK * step):
        stop = min(start + CHUNK * step, 2**31)
        yield np.arange(start, stop, step, dtype=np.int64).astype(np.int32).view(np.float32)


def errors(found: Array, exact: Array) -> Array:
    """In units of the last place of float32; infinite where only one is a finite number."""
    info = np.finfo(np.float32)
    exponent = np.maximum(np.frexp(exact)[1] - 1, info.minexp)
    error = np.abs(found - exact) / np.ldexp(1.0, exponent - info.nmant)
    rounded = exact.astype(np.float32)
    same = (found == rounded) | (np.isnan(found) & np.isnan(rounded))
    error = np.where(same & ~np.isfinite(rounded), 0, error)
    return np.where(~same & ~(np.isfinite(found) & np.isfinite(rounded)), np.inf, error)


def worst(name: str, step: int) -> tuple[float, float]:
    """The largest error of a function, and where."""
    addresses = {f"{called}f": blas.address(f"{called}f") for called in ("sin", "cos", "tan")}
    function, scales = operation_function(name, ["float32"]), jit.host().scales
    loop = ScalarLoop(function, 16, addresses=addresses, scales=scales)
    largest, place = -1.0, math.nan
    with np.errstate(all="ignore"):
        for x in numbers(step):
            error = errors(loop(x)[0], FUNCTIONS[name](x.astype(np.float64)))
            at = int(np.argmax(error))
            if error[at] > largest:
                largest, place = float(error[at]), float(x[at])
    return largest, place


def main() -> None:
    """Prints a line a function."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", choices=[*FUNCTIONS, []], help="of functions")
    parser.add_argument("--step", type=int, default=1, help="tries only every STEP-th number")
    given = parser.parse_args()
    for name in given.names or FUNCTIONS:
        error, place = worst(name, given.step)
        print(f"{name}: {error:.3f} ulp at {place!r}", flush=True)


if __name__ == "__main__":
    main()
