"""DebugMode: every pass verified, every stage run by its level's NumPy oracle, and compared.

A call runs the graph as imported, then the module after each pass, on the very arguments; then the
machine code. The first stage that disagrees is named in `BadOptimization`, and the shared values
are as before the call. Each element has a bound of its own (`oracle.bounds`), computed along the
graph; `stabilize` may leave what the graph gives as far as rounding has moved that from the real
number, and what it gives is the measure for all behind it. Slow by design: level 2 goes index by
index.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from tetractys.compile.arguments import bind
from tetractys.compile.compiled import CompiledFunction
from tetractys.compile.driver import run_pipeline
from tetractys.compile.to_ir import graph_to_ir
from tetractys.dialects.verify import verify_module
from tetractys.oracle import difference, loops, tensor
from tetractys.oracle.bounds import run_bounded
from tetractys.passes import preconditions
from tetractys.pipeline import PIPELINES

Results: TypeAlias = "tuple[list[np.ndarray], list[np.ndarray]]"
"""Values, and how far each of their elements may be off."""

STABILISING = "stabilize"
"""The pass that may change a result, towards the real number it denotes."""


class BadOptimization(Exception):
    """A pass, or code generation, that changed a result."""


class DebugFunction:
    """A compiled function whose every call is checked level by level."""

    def __init__(self, function: CompiledFunction) -> None:
        self._function = function
        self._stages: list[tuple[str, str, Any]] = []
        maker = function.maker
        self._stages.append(("the graph", "tensor", graph_to_ir(maker.request)))
        names = iter([step.name for step in PIPELINES[maker.mode]])
        _judge(self._stages[0][2], next(names))

        def keep(step: Any, pass_: Any, module: Any) -> None:
            _judge(module, next(names, ""))
            if step.level != "llvm" and step.name != "bufferize":
                self._stages.append((step.name, step.level, module.clone()))

        run_pipeline(maker.request, maker.mode, observer=keep)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._function, name)

    def __reduce__(self) -> Any:
        return self._function.__reduce__()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Runs all stages and the machine code; raises BadOptimization where two disagree."""
        maker = self._function.maker
        items = maker.inputs
        values = bind(items, args, kwargs)
        arrays = [
            item.filter(value, self._function.name or "", index)
            for index, (item, value) in enumerate(zip(items, values))
        ]
        cells = self._function.recipe.cells
        before = [np.array(cell.value) for cell in cells]
        shared = before[: len(maker.request.shareds)]
        constants = [np.asarray(constant.data) for constant in maker.request.constants]
        try:
            expected, bounds = self._run_stages([*arrays, *shared, *constants])
        except BadOptimization:
            raise
        except Exception:
            self._explain(arrays, cells, before)
            raise
        answer = self._function.call_clean(arrays)
        outputs = self._outputs(answer)
        updated = [cells[index].value for index in self._function.recipe.spec.update_cells]
        try:
            compare("machine code", [*outputs, *updated], expected, bounds)
        except BadOptimization:
            for cell, value in zip(cells, before):
                cell.set(value)
            raise
        return answer

    def _explain(
        self, arrays: Sequence[np.ndarray], cells: Sequence[Any], before: Sequence[np.ndarray]
    ) -> None:
        """Lets machine code raise its error for what an oracle refused: with the user's line.

        Where it does not (it may leave out the index check of a value that nobody reads), the
        shared values become what they were before the call.
        """
        self._function.call_clean(arrays)
        for cell, value in zip(cells, before):
            cell.set(value)

    def _run_stages(self, arguments: Sequence[np.ndarray]) -> Results:
        """The results of the graph, stabilised, and their bounds; each stage is held to them."""
        measure = run_bounded(self._stages[0][2], _copies(arguments))
        for name, level, module in self._stages[1:]:
            if name == STABILISING:
                before, slack = run_bounded(self._stages[0][2], _copies(arguments), real=True)
                after, more = run_bounded(module, _copies(arguments), real=True)
                compare(name, after, before, [a + b for a, b in zip(slack, more)])
                measure = run_bounded(module, _copies(arguments))
                continue
            run = tensor.run if level == "tensor" else loops.run
            compare(name, run(module, _copies(arguments)), *measure)
        return measure

    def _outputs(self, answer: Any) -> list[np.ndarray]:
        spec = self._function.recipe.spec
        if spec.output_form == "one":
            return [answer]
        return list(answer.values()) if spec.output_form == "dict" else list(answer or [])


def _copies(arguments: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [np.array(argument) for argument in arguments]


def compare(
    stage: str,
    found: Sequence[Any],
    expected: Sequence[np.ndarray],
    bounds: Sequence[np.ndarray],
) -> None:
    """Raises BadOptimization for the first result with an element beyond its bound."""
    for number, (value, wanted, bound) in enumerate(zip(found, expected, bounds, strict=True)):
        problem = difference(np.asarray(value), wanted, bound=bound)
        if problem is not None:
            raise BadOptimization(f"DebugMode: {stage} changed result {number}: {problem}")


def _judge(module: Any, following: str) -> None:
    """Raises where a module is not valid, or not what the pass that follows runs on."""
    verify_module(module)
    preconditions.check(following, module)
