"""`f.explain()`: which operations became which kernel, why each remaining pair did not.

The text is derived anew: the passes run on the graph again, with their logs kept. Each statement
comes from the pass that decided (fusion's clauses, the vectoriser's reasons, the arena's size).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from xdsl.dialects.builtin import FileLineColLoc, FusedLoc
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation

from tetractys.compile.driver import run_pipeline
from tetractys.dialects import loops
from tetractys.graph.site import Site
from tetractys.inspect.memory import memory_lines
from tetractys.inspect.svg import Kernel, picture
from tetractys.inspect.words import Words, short

if TYPE_CHECKING:
    from tetractys.compile.compiled import CompiledFunction
    from tetractys.pipeline import Step

LAST = "schedule-cpu"
"""The pass behind which kernels are described: before the elementary functions are expanded."""


@dataclass
class Findings:
    """What the passes left: the module at level 2 in values, and in memory; the reasons by pass."""

    module: Any = None
    sizes: Any = None
    reasons: dict[str, list[str]] = field(default_factory=dict)
    facts: Any = None


def findings(function: CompiledFunction) -> Findings:
    """Runs the pipeline of a function again and keeps what its passes say."""
    from tetractys.compile.driver import read_facts

    found = Findings()

    def observe(step: Step, pass_: Any, module: Any) -> None:
        for reason in getattr(pass_, "reasons", list)():
            found.reasons.setdefault(step.name, []).append(str(reason))
        if step.level == "loops" and (step.name in (LAST, "lower-to-loops")):
            found.module = module.clone()
        if step.name == "bufferize":
            found.sizes = module.clone()

    maker = function.maker
    module = run_pipeline(maker.request, maker.mode, observer=observe)
    found.facts = read_facts(module, maker.request)
    return found


def explain(function: CompiledFunction) -> str:
    """The text of `f.explain()`."""
    found = findings(function)
    kernels = list(top_level(found.module))
    calls = [op for op in kernels if isinstance(op, loops.CallOp)]
    lines = [f"{function.name}: {function.maker.mode}, {len(kernels)} kernels"]
    words = Words(main_of(found.module))
    for number, op in enumerate(kernels, 1):
        lines.append("")
        first, *rest = words.describe(op)
        lines.append(f"kernel {number}: {first}")
        lines += [f"    {line}" for line in rest]
        lines.append(f"    from {', '.join(short(site) for site in sites(op)) or 'the compiler'}")
    lines += ["", f"library calls: {_library(calls, found.facts.externs)}"]
    lines.append(f"layouts: {'; '.join(['rows', *_layouts(function)])}")
    lines += ["", "memory:", *(f"    {line}" for line in memory_lines(function, found.sizes))]
    for step, reasons in found.reasons.items():
        lines += ["", f"{step}:"]
        lines += [f"    {reason}" for reason in dict.fromkeys(reasons)]
    return "\n".join(lines) + "\n"


def _layouts(function: CompiledFunction) -> Iterator[str]:
    """The orders of arguments that versions were compiled for, or that are packed."""
    for orders, spec in function.versions.items():
        names = [f"{operand.name or f'input {number}'} by dimensions {order}"
                 for number, (operand, order) in enumerate(zip(function.spec.inputs, orders))
                 if order]  # fmt: skip
        yield " and ".join(names) + ("" if spec is not None else " (packed)")


def draw(function: CompiledFunction) -> str:
    """The text of `f.svg()`."""
    found = findings(function)
    kernels = []
    words = Words(main_of(found.module))
    for number, op in enumerate(top_level(found.module), 1):
        first, *details = words.describe(op)
        kernels.append(Kernel(f"kernel {number}: {first}", details, frozenset(sites(op))))
    return picture(function.name or "function", function.maker.request.nodes, kernels)


def _library(calls: list[loops.CallOp], externs: tuple[str, ...]) -> str:
    """Each name once, with its number of calls; then the addresses behind them, but for those of
    our own runtime.
    """
    names = Counter(call.callee.data for call in calls)
    shown = [name if count == 1 else f"{name} ({count} times)" for name, count in names.items()]
    return ", ".join([*shown, *(name for name in externs
                                if name not in names and not name.startswith("tt_"))]) or "none"


def main_of(module: Any) -> FuncOp:
    """The function of a module."""
    return next(op for op in module.ops if isinstance(op, FuncOp))


def top_level(module: Any) -> Iterator[Operation]:
    """The nests and library calls of the function, in order."""
    for op in main_of(module).body.block.ops:
        if isinstance(op, (loops.NestOp, loops.CallOp)):
            yield op


def sites(op: Operation) -> list[Site]:
    """The user's lines that went into an operation and all inside it."""
    found: dict[Site, None] = {}
    for inner in op.walk():
        pending = [inner.location]
        while pending:
            location = pending.pop()
            if isinstance(location, FileLineColLoc):
                found[(location.filename.data, location.line.data)] = None
            elif isinstance(location, FusedLoc):
                pending += list(location.locations)  # type: ignore[arg-type]
    return sorted(found)
