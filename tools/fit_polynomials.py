"""Fits the polynomials of `passes/math_coefficients.py`: Remez' exchange, in mpmath.

    python -m tetractys.tools.fit_polynomials            all of them, with their largest errors
    python -m tetractys.tools.fit_polynomials SIN_PI     some of them

Each row of `FITS` says what is approximated, where, in which power of the variable, and by which
factor an error of the polynomial becomes an error of the result. Of most, the first coefficients
are rounded to the format one after another, and what is left is fitted again: they matter most.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

try:
    import mpmath
except ImportError:  # of the extras `test` and `dev`: users' installations need no fits
    mpmath = None
mp: Any = mpmath

Function = Callable[[Any], Any]
POINTS = 20
"""Of the grid, for each coefficient."""


class Fit(NamedTuple):
    """A polynomial P of `terms` coefficients in `power(x)`, near `function` on [low, high].

    weight: relative error of the result = weight(x) (P - function). settled: how many
    coefficients are rounded first.
    """

    function: Function
    low: Any
    high: Any
    terms: int
    weight: Function = lambda x: 1
    power: Function = lambda x: x
    dtype: str = "float64"
    settled: int = 0


def fit(row: Fit) -> tuple[tuple[float, ...], Any]:
    """The coefficients, and the largest weighted error before rounding."""
    low, high, size = mp.mpf(row.low), mp.mpf(row.high), POINTS * row.terms
    points = [
        (low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * i / size) for i in range(size + 1)
    ]
    values = [row.function(x) for x in points]
    weights = [mp.mpf(row.weight(x)) for x in points]
    powers = [row.power(x) for x in points]
    known: list[float] = []
    found, error = exchange(values, weights, powers, 0, row.terms)
    while len(known) < min(row.settled, row.terms - 1):
        known.append(_rounded(found[0], row.dtype))
        degree = len(known) - 1
        values = [v - mp.mpf(known[-1]) * p**degree for v, p in zip(values, powers)]
        found, error = exchange(values, weights, powers, degree + 1, row.terms)
    return (*known, *(_rounded(c, row.dtype) for c in found)), error


def _rounded(number: Any, dtype: str) -> float:
    return float(np.float32(float(number))) if dtype == "float32" else float(number)


def exchange(
    values: Sequence[Any], weights: Sequence[Any], powers: Sequence[Any], first: int, stop: int
) -> tuple[list[Any], Any]:
    """The minimax polynomial with the powers from `first` to before `stop`, on a grid."""
    count, last = stop - first, len(values) - 1
    chosen = [round(i * last / count) for i in range(count + 1)]
    best: tuple[list[Any], Any] | None = None
    for _ in range(12):
        matrix, right = mp.matrix(count + 1, count + 1), mp.matrix(count + 1, 1)
        for line, i in enumerate(chosen):
            for column in range(count):
                matrix[line, column] = powers[i] ** (first + column)
            matrix[line, count] = (-1) ** line / weights[i]
            right[line] = values[i]
        solution = mp.lu_solve(matrix, right)
        found = [solution[i] for i in range(count)]
        errors = [
            w * (v - sum(c * p ** (first + k) for k, c in enumerate(found)))
            for v, w, p in zip(values, weights, powers)
        ]
        largest = max(abs(error) for error in errors)
        if best is None or largest < best[1]:
            best = found, largest
        extrema = _alternating(errors, count + 1)
        if len(extrema) <= count or extrema == chosen:
            break
        chosen = extrema
    assert best is not None
    return best


def _alternating(errors: Sequence[Any], count: int) -> list[int]:
    """Places of `count` extrema of alternating sign, the largest that there are."""
    runs = [[0]]
    for i in range(1, len(errors)):
        if (errors[i] > 0) == (errors[runs[-1][-1]] > 0):
            runs[-1].append(i)
        else:
            runs.append([i])
    found = [max(run, key=lambda i: abs(errors[i])) for run in runs]
    while len(found) > count:
        if len(found) == count + 1:
            found.pop(0 if abs(errors[found[0]]) < abs(errors[found[-1]]) else -1)
            continue
        pairs = zip(found, found[1:])
        sizes = [max(abs(errors[a]), abs(errors[b])) for a, b in pairs]
        least = sizes.index(min(sizes))
        del found[least : least + 2]
    return found


# What is approximated.


def _square(x: Any) -> Any:
    return x * x


def _log_tail(f: Any) -> Any:
    return mp.mpf(1) / 3 if abs(f) < mp.mpf("1e-12") else (mp.log(1 + f) - f + f * f / 2) / f**3


def _scaled_erfc(t: Any) -> Any:
    """exp(x**2) erfc(x) (x + 3) of t = (x - 3) / (x + 3); far out by the asymptotic series."""
    x = 3 * (1 + t) / (1 - t)
    if x < 20:
        return mp.exp(x * x) * mp.erfc(x) * (x + 3)
    term = total = mp.mpf(1)
    for k in range(1, 60):
        following = -term * (2 * k - 1) / (2 * x * x)
        if abs(following) > abs(term):
            break
        term = following
        total += term
    return total / (x * mp.sqrt(mp.pi)) * (x + 3)


def _stirling(w: Any) -> Any:
    x = 1 / mp.sqrt(w)
    plain = (x - mp.mpf(1) / 2) * mp.log(x) - x + mp.log(2 * mp.pi) / 2
    return (mp.loggamma(x) - plain) * x


def _digamma(w: Any) -> Any:
    x = 1 / mp.sqrt(w)
    return (mp.log(x) - 1 / (2 * x) - mp.digamma(x)) * x * x


def _trigamma(w: Any) -> Any:
    x = 1 / mp.sqrt(w)
    return (mp.polygamma(1, x) - 1 / x - 1 / (2 * x * x)) * x**3


def _quotient(function: Function, at_zero: Any) -> Function:
    """f(x) / x."""
    return lambda x: function(x) / x if abs(x) > 1e-20 else at_zero


def fits() -> dict[str, list[Fit]]:
    """By the name of the coefficients; float64 and float32 where both differ."""
    wider, tiny = 1 + mp.mpf(2) ** -20, mp.mpf("1e-6")
    quarter, eighth = mp.pi / 4 * wider, (mp.sqrt(2) - 1) * wider
    half_ln2 = mp.log(2) / 2 * (1 + mp.mpf(2) ** -10)

    def both(function: Function, high: Any, counts: tuple[int, int], weight: Function) -> list[Fit]:
        return [
            Fit(function, tiny, high, count, weight, _square, dtype, 2)
            for count, dtype in zip(counts, ("float64", "float32"))
        ]

    return {
        "F64.log, F32.log": [
            Fit(lambda s: (2 * mp.atanh(s) - 2 * s) / s**3, tiny, mp.mpf("0.2") * wider, count,
                lambda s: s**3 / (2 * mp.atanh(s)), _square, dtype, 1)
            for count, dtype in ((7, "float64"), (3, "float32"))],
        "LOG_TAIL": [Fit(_log_tail, mp.mpf("-0.25") * wider, mp.mpf("0.5") * wider, 9,
                         lambda f: abs(f**3 / mp.log(1 + f)), dtype="float32", settled=2)],
        "TAN_SIN": both(lambda x: (mp.sin(x) - x) / x**3, quarter, (6, 3),
                        lambda x: x**3 / mp.sin(x)),
        "TAN_COS": both(lambda x: (mp.cos(x) - 1 + x * x / 2) / x**4, quarter, (6, 3),
                        lambda x: x**4 / mp.cos(x)),
        "SINH": both(lambda x: (mp.sinh(x) - x) / x**3, half_ln2, (5, 2),
                     lambda x: x**3 / mp.sinh(x)),
        "COSH": both(lambda x: (mp.cosh(x) - 1) / x**2, half_ln2, (6, 3), _square),
        "ARCTAN": both(lambda x: (mp.atan(x) - x) / x**3, eighth, (11, 5),
                       lambda x: x**3 / mp.atan(x)),
        "POW_LOG": [Fit(lambda s: (2 * mp.atanh(s) - 2 * s - 2 * s**3 / 3) / s**5, 1e-5,
                        mp.mpf("0.2") * wider, 8,
                        lambda s: s**5 / mp.atanh(s), _square, settled=2)],
        "POWF_LOG2": [Fit(_quotient(lambda f: mp.log(1 + f) / mp.log(2), 1 / mp.log(2)),
                          mp.mpf("-0.25") * wider, mp.mpf("0.5") * wider, 13)],
        "POWF_EXP2": [Fit(_quotient(lambda r: mp.mpf(2) ** r - 1, mp.log(2)), -0.5, 0.5, 6)],
        "ERF_LOW": [Fit(lambda x: mp.erf(x) / x, tiny, 1, 12, lambda x: x / mp.erf(x), _square)],
        "ERF_HIGH": [Fit(lambda x: mp.log(mp.erfc(x)), 1, mp.mpf("5.95"), 18, mp.erfc)],
        "ERFC": [Fit(_scaled_erfc, -1, mp.mpf(25) / 31, count, lambda t: 1 / _scaled_erfc(t))
                 for count in (24, 12)],
        "SIN_PI": [Fit(lambda x: mp.sin(mp.pi * x) / x, tiny, 0.5, 9,
                       lambda x: x / mp.sin(mp.pi * x), _square, settled=2)],
        "STIRLING": [Fit(_stirling, mp.mpf("1e-7"), mp.mpf(1) / 49, 7)],
        "DIGAMMA": [Fit(_digamma, mp.mpf("1e-7"), mp.mpf(1) / 49, 7)],
        "TRIGAMMA": [Fit(_trigamma, mp.mpf("1e-7"), mp.mpf(1) / 49, 8)],
        "GAMMALN_NEAR_1": [Fit(_quotient(lambda u: mp.loggamma(1 + u), -mp.euler),
                               mp.mpf("-0.3"), mp.mpf("0.3"), 19)],
    }  # fmt: skip


def main() -> None:
    """Prints coefficients and errors."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", help="of tables in math_coefficients.py; all of them")
    names = parser.parse_args().names
    if mp is None:
        parser.error("mpmath is not installed; pip install 'tetractys[dev]'")
    with mp.workprec(200):
        for name, rows in fits().items():
            for row in rows if not names or name in names else []:
                coefficients, error = fit(row)
                print(f"{name} {row.dtype}: {coefficients}  # 2**{float(mp.log(error, 2)):.1f}")


if __name__ == "__main__":
    main()
