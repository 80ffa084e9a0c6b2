"""Holds the passes between levels 1 and 2 against both interpreters, one pass after another.

`judge(module, args)` runs level 1 on the arguments, then each pass, and the interpreter of the
level that it leaves after it: equal dtype, shape, NaN positions, and values within a bound; or
the same kind of exception.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from tetractys.oracle import loops, tensor
from tetractys.oracle.agreement import assert_agree
from tetractys.passes.registry import load_pass

LEVEL_2 = ("hoist-checks", "lower-to-loops", "fuse-nests", "schedule-cpu")
"""The passes that are judged unless others are named."""


class Disagreement(AssertionError):
    """A pass that changed what a function gives."""


def judge(
    module: ModuleOp,
    args: Sequence[Any],
    passes: Sequence[str | ModulePass] = LEVEL_2,
    *,
    ulps: float = 0,
    scale: float = 1e-13,
    lowered: bool = False,
) -> dict[str, ModulePass]:
    """Runs the passes on `module`, in place, verified and compared after each; the pass objects.

    lowered: the module is at level 2 already.
    scale: the bound for sums, whose order is not specified, relative to the largest value.
    """
    wanted = outcome(loops if lowered else tensor, module, args)
    done: dict[str, ModulePass] = {}
    for entry in passes:
        pass_ = load_pass(entry)() if isinstance(entry, str) else entry
        pass_.apply(Context(), module)
        done[pass_.name] = pass_
        module.verify()
        lowered = lowered or pass_.name == "lower-to-loops"
        found = outcome(loops if lowered else tensor, module, args)
        compare(pass_.name, found, wanted, ulps, scale)
    return done


def outcome(level: Any, module: ModuleOp, args: Sequence[Any]) -> list[Any] | Exception:
    """What a function gives: its results, or its exception."""
    try:
        return level.run(module, args)
    except (ValueError, IndexError, ZeroDivisionError) as error:
        return error


def compare(
    name: str,
    found: list[Any] | Exception,
    wanted: list[Any] | Exception,
    ulps: float,
    scale: float,
) -> None:
    """Raises Disagreement unless both are the same kind of exception, or results that agree."""
    if isinstance(wanted, Exception) or isinstance(found, Exception):
        if type(found) is not type(wanted):
            raise Disagreement(f"after {name}: found {found!r}; expected {wanted!r}")
        return
    if len(found) != len(wanted):
        raise Disagreement(f"after {name}: found {len(found)} results; expected {len(wanted)}")
    for number, (mine, right) in enumerate(zip(found, wanted)):
        finite = np.abs(right[np.isfinite(right)]) if right.dtype.kind == "f" else np.zeros(0)
        slack = max(1.0, float(finite.max(initial=0.0)))
        slack *= scale * (1e9 if right.dtype == np.float32 else 1)
        same = np.allclose(mine, right, rtol=0, atol=slack, equal_nan=True)
        if (
            mine.dtype == right.dtype
            and mine.shape == right.shape
            and right.dtype.kind == "f"
            and same
        ):
            continue
        assert_agree(mine, right, ulps, what=f"after {name}, result {number}")
