"""`CompiledFunction`: what `tetractys.function` returns, and how to look inside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tetractys.compile.request import Request
from tetractys.runtime.callable import Function

if TYPE_CHECKING:
    from tetractys.graph import Variable
    from tetractys.inputs import In
    from tetractys.sharedvalue import SharedVariable

LEVELS = {"tensor": "fuse-elemwise", "loops": "schedule-cpu", "llvm": "lower-loops-to-llvm"}
"""The pass behind which `ir(level)` looks: the last of level 1, level 2 before the functions are
expanded, level 3."""


class Manner(NamedTuple):
    """How a function is made, called and answers, whatever it computes.

    targets: the shared variables that its last results update. form, keys: the container of its
    outputs. threads: how many a call may use; None: `config.threads` at the time of the call.
    """

    targets: Sequence[SharedVariable]
    form: str
    keys: tuple[str, ...]
    mode: str
    name: str
    threads: int | None = None


class Maker(NamedTuple):
    """What a function was made from; `ir`, `explain`, pickles and Theano's `f.maker` read it."""

    request: Request
    inputs: Sequence[In]
    manner: Manner

    @property
    def targets(self) -> Sequence[SharedVariable]:
        """The shared variables that are updated."""
        return self.manner.targets

    @property
    def mode(self) -> str:
        """The pipeline's name."""
        return self.manner.mode

    @property
    def outputs(self) -> Sequence[Variable]:
        """The output variables."""
        count = len(self.request.results) - len(self.targets)
        return self.request.results[:count]

    def reduced(self, name: str | None) -> tuple[Any, ...]:
        """For `__reduce__`: the graph, from which the copy is compiled (or loaded) anew.

        Shared variables are pickled with their values, so that a copy has its own.
        """
        from tetractys.compile.build import rebuild

        manner = self.manner._replace(name=name or self.manner.name)
        return rebuild, (tuple(self.request), self.inputs, manner)


class CompiledFunction(Function):
    """A compiled function: call it with arrays, Python numbers or lists, by position or by name.

    It returns arrays in the form that `outputs` had (one, a list, a dict). Attributes: `name`,
    `maker` (what it was made from), `times` (seconds of each compile step; empty when the object
    came from the cache).
    """

    maker: Maker
    times: dict[str, float]

    def ir(
        self, level: str = "tensor", *, after: str | None = None, debuginfo: bool = False
    ) -> str:
        """The IR as text at a level, `tensor`, `loops` or `llvm`, or after the pass named `after`.

        Derived anew from the graph (a function from the cache never had it). debuginfo: print the
        user's file and line of every operation. Raises ValueError for an unknown level or pass.
        """
        from tetractys.compile.driver import run_pipeline
        from tetractys.passes.emit_llvm import emit
        from tetractys.pipeline import PIPELINES

        if after is None:
            if level not in LEVELS:
                raise ValueError(f"ir: found level {level!r}; expected one of {', '.join(LEVELS)}")
            names = [step.name for step in PIPELINES[self.maker.mode]]
            steps = [step.name for step in PIPELINES[self.maker.mode] if step.level == level]
            after = LEVELS[level] if LEVELS[level] in names else steps[-1]
        module = run_pipeline(self.maker.request, self.maker.mode, until=after)
        return emit(module) if after == LEVELS["llvm"] else print_module(module, debuginfo)

    def asm(self) -> str:
        """The assembly that LLVM makes of it, for this machine."""
        from tetractys.runtime import jit

        return jit.asm(self.ir("llvm"))

    def explain(self) -> str:
        """Which operations became which kernel, why each remaining pair did not, what is called."""
        from tetractys.inspect.explain import explain

        return explain(self)

    def svg(self) -> str:
        """A picture of the graph and of its kernels, as SVG text."""
        from tetractys.inspect.explain import draw

        return draw(self)

    def pp(self) -> str:
        """The formulas of the outputs, then of the updates, as the user wrote them, a line each."""
        from tetractys.printing import pp

        outputs = [pp(variable) for variable in self.maker.outputs]
        updated = zip(self.maker.targets, self.maker.request.results[len(outputs) :])
        return "\n".join([*outputs, *(f"{target} <- {pp(value)}" for target, value in updated)])

    def debugprint_lines(self, **options: object) -> list[str]:
        """What `debugprint(f)` shows: the operations after level 1, each with the user's line.

        `depth`, `print_type` and `ids`, which trees of variables take, say nothing here.
        """
        return self.ir("tensor", debuginfo=True).splitlines()

    def get_shared(self) -> list[SharedVariable]:
        """The shared variables that it reads or updates."""
        return list(dict.fromkeys([*self.maker.request.shareds, *self.maker.targets]))  # type: ignore[list-item]

    def __reduce__(self) -> Any:
        return self.maker.reduced(self.name)


def print_module(module: Any, debuginfo: bool = False) -> str:
    """A module as text."""
    from io import StringIO

    from xdsl.printer import Printer

    stream = StringIO()
    Printer(stream=stream, print_debuginfo=debuginfo).print_op(module)
    return stream.getvalue() + "\n"
