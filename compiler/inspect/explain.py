"""`f.explain()`: which operations became which kernel, why each remaining pair did not.

The text is derived anew: the passes run on the graph again, with their logs kept. Each statement
comes from the pass that decided (fusion's clauses, the vectoriser's reasons, the arena's size).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from xdsl.dialects.builtin import FileLineColLoc, FusedLoc
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, BlockArgument, Operation, SSAValue

from tetractys.compile.driver import run_pipeline
from tetractys.dialects import elemwise, loops
from tetractys.graph.site import Site
from tetractys.inspect.svg import Kernel, picture

if TYPE_CHECKING:
    from tetractys.compile.compiled import CompiledFunction
    from tetractys.pipeline import Step

LAST = "schedule-cpu"
"""The pass behind which kernels are described: before the elementary functions are expanded."""


@dataclass
class Findings:
    """What the passes left: the module at level 2, and the reasons by pass."""

    module: Any = None
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
    for number, op in enumerate(kernels, 1):
        lines.append("")
        first, *rest = describe(op)
        lines.append(f"kernel {number}: {first}")
        lines += [f"    {line}" for line in rest]
        lines.append(f"    from {', '.join(_short(site) for site in sites(op)) or 'the compiler'}")
    lines += ["", f"library calls: {_library(calls, found.facts.externs)}"]
    for step, reasons in found.reasons.items():
        lines += ["", f"{step}:"]
        lines += [f"    {reason}" for reason in dict.fromkeys(reasons)]
    return "\n".join(lines) + "\n"


def draw(function: CompiledFunction) -> str:
    """The text of `f.svg()`."""
    found = findings(function)
    kernels = []
    for number, op in enumerate(top_level(found.module), 1):
        first, *details = describe(op)
        kernels.append(Kernel(f"kernel {number}: {first}", details, frozenset(sites(op))))
    return picture(function.name or "function", function.maker.request.nodes, kernels)


def _library(calls: list[loops.CallOp], externs: tuple[str, ...]) -> str:
    names = [call.callee.data for call in calls]
    return ", ".join([*names, *(name for name in externs if name not in names)]) or "none"


def top_level(module: Any) -> Iterator[Operation]:
    """The nests and library calls of the function, in order."""
    main = next(op for op in module.ops if isinstance(op, FuncOp))
    for op in main.body.block.ops:
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


def describe(op: Operation) -> list[str]:
    """A kernel in words: its iteration space, what it reads, computes and gives."""
    if isinstance(op, loops.CallOp):
        return [f"library call {op.callee.data}({', '.join(name_of(v) for v in op.operands)})"]
    assert isinstance(op, loops.NestOp)
    return _describe_nest(op)


def _describe_nest(nest: loops.NestOp) -> list[str]:
    letters = [name_of(iterator) for iterator in nest.iterators]
    space = ", ".join(f"{letter} < {name_of(size)}" for letter, size in zip(letters, nest.sizes))
    how = ", ".join(
        f"{key} {cast(Any, value).value.data}"
        for key, value in (nest.schedule.data.items() if nest.schedule is not None else ())
    )
    lines = [f"for {space}" + (f" ({how})" if how else "") if space else "once"]
    reads = [
        f"{name_of(value)}{_map(entries, letters)}"
        for value, entries in zip(nest.inputs, nest.input_maps)
    ]
    if reads:
        lines.append("reads " + ", ".join(reads))
    lines += _describe_body(nest.block)
    gives = [f"{part.kind}{_map(part.map, letters)}" for part in nest.parts()]
    return [*lines, "gives " + ", ".join(gives)]


def _describe_body(block: Block) -> list[str]:
    lines: list[str] = []
    run: Counter[str] = Counter()

    def flush() -> None:
        if run:
            lines.append(
                "computes "
                + ", ".join(
                    name if count == 1 else f"{count} {name}" for name, count in run.items()
                )
            )
            run.clear()

    for op in block.ops:
        if isinstance(op, loops.NestOp):
            flush()
            first, *rest = _describe_nest(op)
            lines += [first, *(f"    {line}" for line in rest)]
        elif isinstance(op, loops.GatherOp):
            run["gather"] += 1
        elif isinstance(op, elemwise.ElemwiseOp) and not isinstance(op, elemwise.ConstantOp):
            run[op.signature.short] += 1
    flush()
    return lines


def _map(entries: loops.Map, letters: list[str]) -> str:
    names = [letters[e] if e >= 0 else ":" if e == loops.SLICE else "?" for e in entries]
    return f"[{', '.join(names)}]"


def name_of(value: SSAValue) -> str:
    """How a value is called: the user's name, a size as `x.shape[0]`, a number, or a letter."""
    owner = value.owner
    if isinstance(owner, loops.DimOp):
        return f"{name_of(owner.source)}.shape[{owner.dim.value.data}]"
    if isinstance(owner, elemwise.ConstantOp):
        return str(owner.number)
    if value.name_hint:
        return value.name_hint
    if isinstance(value, BlockArgument):
        nest = value.block.parent_op()
        if isinstance(nest, loops.NestOp):
            depth, outer = 0, nest.parent_op()
            while isinstance(outer, loops.NestOp):
                depth, outer = depth + outer.rank, outer.parent_op()
            if value.index < nest.rank:
                return "ijklmnpq"[(depth + value.index) % 8]
            return name_of(nest.inputs[value.index - nest.rank])
        return f"argument {value.index}"
    return f"a {'size' if value.type == loops.INDEX else 'temporary'}"


def _short(site: Site) -> str:
    return f"{os.path.basename(site[0])}:{site[1]}"
