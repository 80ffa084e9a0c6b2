"""`bench startup`: fresh processes of the logistic regression, phase by phase beside the budget."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .columns import COLUMNS, OURS
from .driver import Plan, fresh
from .interpreters import Interpreters

LEVEL_1 = (
    "explicit-casts",
    "canonicalize",
    "autodiff",
    "stabilize",
    "constant-fold",
    "decompose",
    "choose-blas",
    "hoist-checks",
    "fuse-elemwise",
    "cse",
)
LEVEL_2 = (
    "lower-to-loops",
    "fuse-nests",
    "schedule-cpu",
    "expand-math",
    "vectorize",
    "mark-inplace",
)
LEVEL_3 = ("bufferize", "lower-loops-to-llvm")
BUDGET = (
    ("xDSL import", ("import xdsl",), 0.210),
    ("llvmlite import and host", ("import llvmlite",), 0.030),
    ("our modules", ("import tetractys", "import passes"), 0.050),
    ("operation classes", ("operation classes",), 0.020),
    ("graph and gradient", ("graph and gradient", "graph to IR"), 0.005),
    ("level 1", LEVEL_1, 0.020),
    ("level 2", LEVEL_2, 0.010),
    ("level 3 and text", LEVEL_3, 0.015),
    ("LLVM", ("llvm",), 0.050),
)
"""DESIGN 9's joint budget: a row, the phases that count in it, seconds. The text of a function is
made where the pass finishes it; LLVM's row is what the compiler waits for behind the last pass.
"""


def run(rounds: int) -> int:
    """Measures `rounds` fresh processes with an empty cache, as many with a filled one."""
    runs: dict[bool, list[dict[str, Any]]] = {False: [], True: []}
    with tempfile.TemporaryDirectory(prefix="tetractys-bench-") as folder:
        here = Path(folder)
        plan = Plan(Interpreters(), [COLUMNS[OURS]], rounds, 0.0, here, here, lambda _: None)
        for _ in range(rounds):
            with tempfile.TemporaryDirectory(dir=folder) as cache:
                for warm in (False, True):
                    found = fresh("startup", COLUMNS[OURS], "logistic-400", plan, Path(cache))
                    if "error" in found:
                        print(found["error"])
                        return 1
                    runs[warm].append(found)
    print(f"fresh process beyond `import numpy`, logistic regression, median of {rounds} [s]")
    for warm, words, limit in ((False, "empty cache", 0.40), (True, "warm cache", 0.25)):
        totals = [found["total"] for found in runs[warm]]
        print(f"  {words:12s} {statistics.median(totals):.3f}  least {min(totals):.3f}"
              f"  <= {limit:.2f}")  # fmt: skip
    _print_phases(runs[False])
    return 0


def _print_phases(runs: Sequence[dict[str, Any]]) -> None:
    print("  of the empty cache's (median, least; the budget's row):")
    seen: set[str] = {"total"}
    for row, phases, limit in BUDGET:
        sums = [sum(run.get(phase, 0.0) for phase in phases) for run in runs]
        print(f"    {row:26s} {statistics.median(sums):.3f}  {min(sums):.3f}  <= {limit:.3f}")
        seen |= set(phases)
    rest = [sum(value for phase, value in run.items() if phase not in seen) for run in runs]
    print(f"    {'everything else':26s} {statistics.median(rest):.3f}  {min(rest):.3f}")
