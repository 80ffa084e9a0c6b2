"""A request becomes object code: import, passes, text, code generation, cache.

With the object in the cache, nothing of xDSL or LLVM's parser is imported: `compile_request` loads
the bytes and the little it must know beside them, `Facts`.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from tetractys.compile.compiled import CompiledFunction
from tetractys.compile.definitions import cheap_definitions
from tetractys.compile.request import Request
from tetractys.dialects.tensor_signatures import DOT
from tetractys.pipeline import PIPELINES, Step, pass_options
from tetractys.runtime import cache, jit, products
from tetractys.runtime.callable import prepare
from tetractys.runtime.spec import ErrorEntry

if TYPE_CHECKING:
    from xdsl.context import Context
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.passes import ModulePass

    from tetractys.passes.llvm_frame import Finished
    from tetractys.passes.lower_loops_to_llvm import LowerLoopsToLlvmPass


class Facts(NamedTuple):
    """What the call path must know of an object beside the graph.

    errors: (kind, message, number of the user's line in `Request.sites`, operation, number of the
    Apply in `Request.nodes`, -1 where the line is all that is known). inplace: (result, argument),
    a call may pass one memory for both. reads_columns: a version for other orders would have scalar
    loops over columns: packing is cheaper, and there is no object. loads_lanes: it loads columns
    lane by lane: packing is cheaper for large arrays. copies_columns: it copies some rows at once
    of columns, for which the arena has room: packing is cheaper for long rows.
    """

    externs: tuple[str, ...]
    errors: tuple[tuple[str, str, int, str, int], ...]
    has_shape: bool
    inplace: tuple[tuple[int, int], ...] = ()
    reads_columns: bool = False
    loads_lanes: bool = False
    copies_columns: bool = False

    def entries(self, request: Request) -> tuple[ErrorEntry, ...]:
        """The errors with the user's lines of this very request."""
        return tuple(
            ErrorEntry(kind, message, *request.sites[site], op, apply)
            for kind, message, site, op, apply in self.errors
        )


class Compiled(NamedTuple):
    """Object code with its facts, and the times (seconds) that its steps took."""

    object: bytes
    facts: Facts
    times: dict[str, float]
    from_cache: bool = False


Observer = Callable[[Step, "ModulePass", "ModuleOp"], None]


def compile_request(request: Request, mode: str) -> Compiled:
    """Object code for `request`, from the cache where it is there."""
    times: dict[str, float] = {}
    with _without_collector():
        with _timed(times, "import llvmlite"):
            jit.host()
        key = cache.key(request.key, mode)
        if (entry := cache.get_entry(key)) is not None:
            return Compiled(entry.object, Facts(**entry.metadata), times, from_cache=True)
        prepare(CompiledFunction)  # the trampoline, in a thread, beside the passes
        _prepare_products(request)
        columns: dict[str, bool] = {}
        observer = _note_columns(columns) if request.orders else None
        from tetractys.compile.code_generation import CodeGeneration  # not with a warm cache

        with CodeGeneration(columns) as generation:
            module = run_pipeline(
                request, mode, times=times, observer=observer, finished=generation.add
            )
            facts = read_facts(module, request)._replace(**columns)
            with _timed(times, "llvm"):
                object_code = b"" if facts.reads_columns else generation.finish()
    cache.put(key, object_code, facts._asdict())
    return Compiled(object_code, facts, times)


def _prepare_products(request: Request) -> None:
    """Products of matrices want code of the runtime's own: it is made beside the passes, too."""
    for node in request.nodes:
        if node.op.signature is DOT and all(operand.ndim == 2 for operand in node.inputs):
            name = {"float32": "sgemm", "float64": "dgemm"}.get(node.outputs[0].dtype)
            if name is not None:
                products.prepare(name)


def _note_columns(found: dict[str, bool]) -> Observer:
    """Notes whether nests stay scalar, load lane by lane, or copy, because they read columns."""

    def observe(step: Step, pass_: Any, module: ModuleOp) -> None:
        if step.name == "vectorize":
            from tetractys.passes.vectorize import COLUMNS, copies_columns, loads_lanes

            found["reads_columns"] = any(COLUMNS in reason for reason in pass_.reasons())
            found["loads_lanes"] = loads_lanes(module)
            found["copies_columns"] = copies_columns(module)

    return observe


def run_pipeline(
    request: Request,
    mode: str,
    *,
    until: str | None = None,
    observer: Observer | None = None,
    times: dict[str, float] | None = None,
    finished: Finished | None = None,
) -> ModuleOp:
    """The module after the passes of `mode`, or after the last pass named `until`.

    observer: called after each pass with its step, the pass object and the module. finished: called
    with each function of level 3, while the next is not there yet.
    Raises ValueError when no pass of the mode is named `until`.
    """
    times = {} if times is None else times
    steps = _steps_until(PIPELINES[mode], until)
    with _timed(times, "import xdsl"), cheap_definitions():
        import_module("xdsl.dialects.func")
        import_module("xdsl.dialects.llvm")
    with _timed(times, "operation classes"), cheap_definitions():
        from tetractys.compile.to_ir import graph_to_ir
    with _timed(times, "import passes"), cheap_definitions():
        classes = [_pass_class(step.name) for step in steps]
        import_module("tetractys.passes.llvm_modules")
    with _timed(times, "graph to IR"):
        module = graph_to_ir(request)
    context = make_context()
    for step, class_ in zip(steps, classes):
        with _timed(times, step.name), _in_words(step.name, request, mode):
            pass_ = class_(**host_options(step.name))
            if finished is not None and step.name == "lower-loops-to-llvm":
                cast("LowerLoopsToLlvmPass", pass_).lower(module, finished)
            else:
                pass_.apply(context, module)
        if observer is not None:
            observer(step, pass_, module)
    return module


def host_options(name: str) -> dict[str, int]:
    """What a pass must be told of this machine; passes may not ask the runtime."""
    return pass_options(name, jit.host())


def _steps_until(steps: tuple[Step, ...], until: str | None) -> tuple[Step, ...]:
    if until is None:
        return steps
    names = [step.name for step in steps]
    if until not in names:
        raise ValueError(
            f"pipeline: found no pass named {until!r}; expected one of {', '.join(names)}"
        )
    last = len(names) - names[::-1].index(until)
    return steps[:last]


def make_context() -> Context:
    """A context without dialects: passes build operations, they look up none."""
    from xdsl.context import Context

    return Context()


def _pass_class(name: str) -> type[ModulePass]:
    from tetractys.passes import registry

    return registry.load_pass(name)


def read_facts(module: ModuleOp, request: Request) -> Facts:
    """The facts that `lower-loops-to-llvm` left in the module's attributes."""
    from tetractys.passes.storage import leave_of

    numbers = {site: number for number, site in enumerate(request.sites)}

    def entry(error: Any) -> tuple[str, str, int, str, int]:
        data = error.data
        site = (data["file"].data, data["line"].value.data)
        return (
            data["kind"].data,
            data["message"].data,
            numbers.get(site, len(numbers) - 1),
            data["operation"].data,
            data["apply"].value.data if "apply" in data else -1,
        )

    attributes: Any = module.attributes
    return Facts(
        externs=tuple(name.data for name in attributes["tt.externs"]),
        errors=tuple(entry(error) for error in attributes["tt.errors"]),
        has_shape="tt.no_shape" not in attributes,
        inplace=tuple(leave_of(module)),
    )


class _without_collector:
    """No collections of cycles inside: imports and IR make many objects that live on (-35 ms)."""

    def __enter__(self) -> None:
        self.was_enabled = gc.isenabled()
        self.had_xdsl = "xdsl.ir" in sys.modules
        gc.disable()

    def __exit__(self, *exception: object) -> None:
        if not self.was_enabled:
            return
        if not self.had_xdsl and gc.get_freeze_count() == 0:
            # All there is goes to the oldest generation, in no time: the very next collection would
            # walk every object of xDSL (-25 ms). Later compilations leave only garbage behind.
            gc.freeze()
            gc.unfreeze()
        gc.enable()


class _timed:
    def __init__(self, times: dict[str, float], name: str) -> None:
        self.times, self.name = times, name

    def __enter__(self) -> None:
        self.start = time.perf_counter()

    def __exit__(self, *exception: object) -> None:
        spent = time.perf_counter() - self.start
        self.times[self.name] = self.times.get(self.name, 0.0) + spent


class _in_words:
    """What a pass raises inside comes out in words, with the user's line."""

    def __init__(self, name: str, request: Request, mode: str) -> None:
        self.name, self.request, self.mode = name, request, mode

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, MemoryError):
            from tetractys.compile.refusals import refuse  # not on the way to the first result

            refuse(error, self.name, self.request, self.mode)
