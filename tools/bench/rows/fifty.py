"""A chain of fifty random elementwise operations that stays in every function's domain.

Each step takes the value before it (so all are needed) and, for two operands, an earlier one.
Intervals are carried along, so that no step leaves its domain or overflows; the program is Python
text, which every framework runs on its own arrays and Numba compiles for scalars.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import random

LENGTH = 50
Interval = tuple[float, float]


def program(seed: int) -> tuple[Callable[[Any, Any, Any], Any], Callable[[Any, Any], Any]]:
    """The chain as a function of (module, x, y), and as one of scalars (x, y), for Numba."""
    from random import Random  # not at start-up, which is measured

    body = "\n".join(f"    {line}" for line in _lines(Random(seed)))
    scope: dict[str, Any] = {"m": np}
    exec(f"def chain(m, x, y):\n{body}\ndef scalar(x, y):\n{body}", scope)
    return scope["chain"], scope["scalar"]


def _lines(rng: random.Random) -> list[str]:
    values: list[tuple[str, Interval]] = [("y", (-6.0, 6.0)), ("x", (-6.0, 6.0))]
    lines: list[str] = []
    while len(lines) < LENGTH:
        last, bounds = values[-1]
        if rng.random() < 0.5:
            other, second = rng.choice(values[:-1])
            text, found = _binary(rng, last, bounds, other, second)
        else:
            text, found = _unary(rng, last, bounds)
        if not text or max(map(abs, found)) > 50.0:
            continue
        name = f"v{len(lines)}"
        lines.append(f"{name} = {text}")
        values.append((name, found))
    return [*lines, f"return v{LENGTH - 1}"]


def _binary(rng: random.Random, a: str, p: Interval, b: str, q: Interval) -> tuple[str, Interval]:
    kind = rng.choice(("+", "-", "*", "maximum", "minimum"))
    if kind == "+":
        return f"{a} + {b}", (p[0] + q[0], p[1] + q[1])
    if kind == "-":
        return f"{a} - {b}", (p[0] - q[1], p[1] - q[0])
    if kind == "*":
        corners = [u * v for u in p for v in q]
        return f"{a} * {b}", (min(corners), max(corners))
    chosen = max if kind == "maximum" else min
    return f"m.{kind}({a}, {b})", (chosen(p[0], q[0]), chosen(p[1], q[1]))


def _unary(rng: random.Random, a: str, p: Interval) -> tuple[str, Interval]:
    kind = rng.choice(("tanh", "sin", "cos", "exp", "log1p", "sqrt", "abs", "neg"))
    if kind in ("sin", "cos"):
        return f"m.{kind}({a})", (-1.0, 1.0)
    if kind == "neg":
        return f"-{a}", (-p[1], -p[0])
    if kind == "abs":
        return f"abs({a})", (0.0 if p[0] < 0 < p[1] else min(map(abs, p)), max(map(abs, p)))
    if (kind == "exp" and p[1] > 3) or (kind == "log1p" and p[0] < -0.5) or (
            kind == "sqrt" and p[0] < 0.01):  # fmt: skip
        return "", p
    function = getattr(math, kind)
    return f"m.{kind}({a})", (function(p[0]), function(p[1]))
