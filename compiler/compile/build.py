"""From a request to a callable: compile or load the object, describe it to the runtime, bind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tetractys.compile.arguments import slow_path
from tetractys.compile.driver import compile_request
from tetractys.compile.compiled import CompiledFunction, Maker
from tetractys.compile.request import Request
from tetractys.graph import Variable
from tetractys.inputs import In
from tetractys.runtime import jit
from tetractys.runtime.callable import make_callable
from tetractys.runtime.spec import KernelSpec, Operand
from tetractys.sharedvalue import SharedVariable


def build_function(
    request: Request,
    items: Sequence[In],
    targets: Sequence[SharedVariable],
    form: str,
    keys: tuple[str, ...],
    mode: str,
    name: str,
) -> Any:
    """The callable for a request; `targets` are the shared variables that its last results update."""
    refuse_foreign_types(request)
    compiled = compile_request(request, mode)
    written = [target for target in targets if target not in request.shareds]
    cells = [*request.shareds, *written]
    outputs = len(request.results) - len(targets)
    spec = KernelSpec(
        inputs=tuple(operand(item.variable, item.name or item.variable.name) for item in items),
        shareds=tuple(operand(v, v.name, "shared") for v in request.shareds),
        constants=tuple(operand(v, None, "constant") for v in request.constants),
        outputs=tuple(operand(v, v.name, "output") for v in request.results[:outputs]),
        updates=tuple(operand(v, v.name, "update") for v in request.results[outputs:]),
        update_cells=tuple(cells.index(target) for target in targets),
        output_form=form,
        output_keys=keys,
        externs=compiled.facts.externs,
        errors=compiled.facts.entries(request),
        has_shape=compiled.facts.has_shape,
        name=name,
    )
    function = make_callable(
        spec,
        jit.load(compiled.object),
        [variable.container for variable in cells],
        [np.asarray(constant.data) for constant in request.constants],
        slow=slow_path(items, name),
        defaults=[None if item.value is None else item.variable.type.filter(item.value) for item in items],
        base=CompiledFunction,
    )
    function.name = name
    function.maker = Maker(request, tuple(items), tuple(targets), mode)
    function.times = compiled.times
    if mode == "DebugMode":
        from tetractys.compile.debug import DebugFunction

        return DebugFunction(function)
    return function


def operand(variable: Variable, name: str | None, kind: str = "input") -> Operand:
    """How the runtime sees a variable."""
    spec: Any = variable.type.spec
    dtype, shape = spec
    return Operand(dtype, len(shape), tuple(size == 1 for size in shape), name, kind)


def refuse_foreign_types(request: Request) -> None:
    """Raises NotImplementedError for what cannot be compiled: host operations, non-array types."""
    for node in request.nodes:
        if node.op.signature is None:
            raise NotImplementedError(
                f"{node.op}: found a host operation (a Python `perform`); compiled functions hold native "
                "operations only; express it by tetractys.tensor operations, or call its perform outside\n"
                f'  File "{node.site[0]}", line {node.site[1]}'
            )
    for variable in [*request.arguments, *request.results]:
        if variable.type.spec is None:
            raise NotImplementedError(
                f"function: found {variable} of type {variable.type}; expected arrays of a fixed dtype and "
                "rank; give a shared variable a NumPy array"
            )
