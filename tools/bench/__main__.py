"""`python -m tetractys.tools.bench [startup] [step] [calls]`: the table of ratios; see the package.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tetractys.tools.bench import workloads

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
LEVEL_3 = ("bufferize", "lower-loops-to-llvm", "text")
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
"""DESIGN 9's joint budget: a row, the phases that count in it, seconds."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures the named parts (all of them by default) and prints their tables."""
    parser = argparse.ArgumentParser(prog="python -m tetractys.tools.bench", description=__doc__)
    parts: dict[str, Callable[[int], None]] = {"startup": startup, "step": step, "calls": calls}
    parser.add_argument("parts", nargs="*", choices=[*parts, []], help="which tables (all)")
    parser.add_argument("--rounds", type=int, default=7, help="interleaved rounds (7)")
    options = parser.parse_args(arguments)
    for part in options.parts or parts:
        parts[part](options.rounds)
    return 0


def peers(table: Mapping[str, Any]) -> list[str]:
    """The libraries of a table that are installed here, ours first."""
    return [name for name in table if name == "tetractys" or importlib.util.find_spec(name)]


def startup(rounds: int) -> None:
    """Fresh processes, empty cache (`tetractys`) and filled cache (`tetractys, warm`)."""
    names = [name for name in peers(workloads.STEPS) if name != "numpy"]
    columns = ["tetractys", "tetractys, warm", *names[1:]]
    found: dict[str, list[dict[str, float]]] = {column: [] for column in columns}
    with tempfile.TemporaryDirectory() as warm:
        _start("tetractys", warm)
        for _ in range(rounds):
            for column in columns:
                with tempfile.TemporaryDirectory() as empty:
                    cache = warm if column.endswith("warm") else empty
                    found[column].append(_start(column.partition(",")[0], cache))
    print(f"\nfresh process beyond `import numpy`, logistic regression, median of {rounds} [s]")
    for column in columns:
        totals = [phases["total"] for phases in found[column]]
        print(f"  {column:22s} {statistics.median(totals):.3f}   (least {min(totals):.3f})")
    _print_budget(found["tetractys"])


def _start(library: str, cache: str) -> dict[str, float]:
    command = [sys.executable, "-m", "tetractys.tools.bench.startup", library]
    environment = {**os.environ, "TETRACTYS_CACHE": cache, "OPENBLAS_NUM_THREADS": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # as installed packages run: from bytecode
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def _print_budget(runs: list[dict[str, float]]) -> None:
    print("  of which (median, least; the budget's row):")
    seen: set[str] = {"total"}
    for row, phases, limit in BUDGET:
        sums = [sum(run.get(phase, 0.0) for phase in phases) for run in runs]
        print(f"    {row:26s} {statistics.median(sums):.3f}  {min(sums):.3f}  <= {limit:.3f}")
        seen |= set(phases)
    rest = [sum(value for phase, value in run.items() if phase not in seen) for run in runs]
    print(f"    {'everything else':26s} {statistics.median(rest):.3f}  {min(rest):.3f}")


def step(rounds: int) -> None:
    """One training step, N=400, one thread: us, interleaved rounds."""
    x, y, w = workloads.data()
    steps = {name: workloads.STEPS[name](w.copy()) for name in peers(workloads.STEPS)}
    arguments = dict.fromkeys(steps, (x, y))
    _print_table("training step, N=400, F=784, float64", steps, arguments, rounds, 200)


def calls(rounds: int) -> None:
    """`x + y` on 0-d arrays: us."""
    adds = {name: workloads.ADDS[name]() for name in peers(workloads.ADDS)}
    two = np.array(2.0), np.array(3.0)
    _print_table("x + y on 0-d arrays", adds, dict.fromkeys(adds, two), rounds, 50_000)


def _print_table(
    title: str,
    functions: Mapping[str, Callable[..., Any]],
    arguments: Mapping[str, tuple[Any, ...]],
    rounds: int,
    repeat: int,
) -> None:
    times = interleaved(functions, arguments, rounds, repeat)
    ours = statistics.median(times["tetractys"])
    print(f"\n{title} [us]: median, least, ratio of medians to ours")
    for name, values in times.items():
        median = statistics.median(values)
        print(f"  {name:12s} {median * 1e6:10.3f} {min(values) * 1e6:10.3f} {median / ours:8.2f}")


def interleaved(
    functions: Mapping[str, Callable[..., Any]],
    arguments: Mapping[str, tuple[Any, ...]],
    rounds: int,
    repeat: int,
) -> dict[str, list[float]]:
    """Seconds a call, one figure a round, A B C then C B A, after a warm-up."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    order = list(functions)
    for name in order:
        _seconds(functions[name], arguments[name], max(1, repeat // 10))
    for number in range(rounds):
        for name in order if number % 2 == 0 else order[::-1]:
            times[name].append(_seconds(functions[name], arguments[name], repeat))
    return times


def _seconds(function: Callable[..., Any], arguments: tuple[Any, ...], repeat: int) -> float:
    loop = range(repeat)
    if len(arguments) == 2:
        first, second = arguments
        start = time.perf_counter()
        for _ in loop:
            function(first, second)
    else:
        start = time.perf_counter()
        for _ in loop:
            function(*arguments)
    return (time.perf_counter() - start) / repeat


if __name__ == "__main__":
    sys.exit(main())
