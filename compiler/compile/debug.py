"""DebugMode: every pass verified, every stage run by its level's NumPy oracle, and compared.

A call runs the graph as imported, then the module after each pass, on the very arguments; then the
machine code. The first stage that disagrees with the one before it is named in `BadOptimization`,
and the shared values are as before the call. Slow by design: level 2 goes index by index.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tetractys.compile.arguments import bind
from tetractys.compile.compiled import CompiledFunction
from tetractys.compile.driver import run_pipeline
from tetractys.compile.to_ir import graph_to_ir
from tetractys.oracle import difference, loops, tensor

STABILISING = {"stabilize"}
"""Passes that may change a result, towards the real number it denotes."""

TOLERANCE = {"float64": 2.0**14, "float32": 2.0**8}
"""Ulps of a result's largest magnitude that reordered sums and other elementary functions may
differ
by; about 4e-12 and 3e-5 of it."""


class BadOptimization(Exception):
    """A pass, or code generation, that changed a result."""


class DebugFunction:
    """A compiled function whose every call is checked level by level."""

    def __init__(self, function: CompiledFunction) -> None:
        self._function = function
        self._stages: list[tuple[str, str, Any]] = []
        maker = function.maker
        self._stages.append(("the graph", "tensor", graph_to_ir(maker.request)))
        self._stages[0][2].verify()

        def keep(step: Any, pass_: Any, module: Any) -> None:
            module.verify()
            if step.level != "llvm" and step.name != "bufferize":
                self._stages.append((step.name, step.level, module.clone()))

        run_pipeline(maker.request, maker.mode, observer=keep)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._function, name)

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
            expected = self._run_stages([*arrays, *shared, *constants])
        except BadOptimization:
            raise
        except Exception:
            self._explain(arrays, cells, before)
            raise
        answer = self._function.call_clean(arrays)
        outputs = self._outputs(answer)
        updated = [cells[index].value for index in self._function.recipe.spec.update_cells]
        try:
            _compare("machine code", [*outputs, *updated], expected)
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

    def _run_stages(self, arguments: Sequence[np.ndarray]) -> list[np.ndarray]:
        expected: list[np.ndarray] | None = None
        for name, level, module in self._stages:
            run = tensor.run if level == "tensor" else loops.run
            found = [np.asarray(value) for value in run(module, [np.array(a) for a in arguments])]
            if expected is not None and name not in STABILISING:
                _compare(name, found, expected)
            expected = found
        assert expected is not None
        return expected

    def _outputs(self, answer: Any) -> list[np.ndarray]:
        spec = self._function.recipe.spec
        if spec.output_form == "one":
            return [answer]
        return list(answer.values()) if spec.output_form == "dict" else list(answer or [])


def _compare(stage: str, found: Sequence[Any], expected: Sequence[np.ndarray]) -> None:
    for number, (value, wanted) in enumerate(zip(found, expected)):
        value = np.asarray(value)
        finite = np.abs(wanted[np.isfinite(wanted)]) if wanted.dtype.kind == "f" else wanted
        scale = np.full(wanted.shape, finite.max(initial=0)) if wanted.dtype.kind == "f" else None
        ulps = TOLERANCE.get(wanted.dtype.name, 0)
        problem = difference(value, wanted, ulps, scale=scale, zeros=False)
        if problem is not None:
            raise BadOptimization(f"DebugMode: {stage} changed result {number}: {problem}")
