"""From a request to a callable: compile or load the object, describe it to the runtime, bind."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from tetractys.compile.arguments import slow_path
from tetractys.compile.compiled import CompiledFunction, Maker, Manner
from tetractys.compile.driver import Compiled, compile_request
from tetractys.compile.request import Request
from tetractys.compile.staged import build_staged, host_nodes
from tetractys.graph import Variable
from tetractys.inputs import In
from tetractys.runtime import jit
from tetractys.runtime.callable import make_callable
from tetractys.runtime.order import in_order
from tetractys.runtime.spec import MAX_BYTES, KernelSpec, Operand, Order
from tetractys.runtime.versions import Orders, Version
from tetractys.sharedvalue import SharedVariable

LANES_BYTES = 1 << 16
"""The largest array whose columns a kernel loads lane by lane: 3 ns an element, and 1.4 to pack."""

ROW_BYTES = 1 << 15
"""The longest rows that a kernel copies from columns, up to 512 of them at once."""


def build_function(request: Request, items: Sequence[In], manner: Manner) -> Any:
    """The callable for a request."""
    if host_nodes(request):
        between = manner._replace(targets=(), form="list", keys=())

        def stage(part: Request, inputs: Sequence[In], is_last: bool) -> Any:
            return build_native(part, inputs, manner if is_last else between)

        return build_staged(Maker(request, tuple(items), manner), stage)
    function = build_native(request, items, manner)
    if manner.mode == "DebugMode":
        from tetractys.compile.debug import DebugFunction

        return DebugFunction(function)
    return function


def rebuild(request: tuple[Any, ...], items: Sequence[In], manner: Manner) -> Any:
    """The callable that a pickle holds."""
    return build_function(Request(*request), items, manner)


def build_native(request: Request, items: Sequence[In], manner: Manner) -> CompiledFunction:
    """The native callable for a request without host operations."""
    refuse_foreign_types(request)
    compiled = compile_request(request, manner.mode)
    written = [target for target in manner.targets if target not in request.shareds]
    cells = [*request.shareds, *written]
    spec = kernel_spec(request, compiled, items, cells, manner)

    def vary(orders: Orders) -> Version | None:
        varied = request._replace(orders=orders)
        compiled = compile_request(varied, manner.mode)
        if compiled.facts.reads_columns:
            return None
        spec = kernel_spec(varied, compiled, items, cells, manner)
        return Version(spec, jit.load(compiled.object), partial(_raise, spec))

    function = make_callable(
        spec,
        jit.load(compiled.object),
        [variable.container for variable in cells],
        [np.asarray(constant.data) for constant in request.constants],
        slow=slow_path(items, manner.name),
        raise_=partial(_raise, spec),
        defaults=[
            None if item.value is None else item.variable.type.filter(item.value) for item in items
        ],
        base=CompiledFunction,
        vary=vary if any(operand.ndim for operand in spec.inputs) else None,
    )
    function.name = manner.name
    function.maker = Maker(request, tuple(items), manner)
    function.times = compiled.times
    return function


def _raise(spec: KernelSpec, function: Any, code: int, values: tuple[int, ...]) -> Any:
    from tetractys.compile.failures import raise_error  # not on the way to the first result

    return raise_error(function, spec, code, values)


def kernel_spec(
    request: Request,
    compiled: Compiled,
    items: Sequence[In],
    cells: Sequence[SharedVariable],
    manner: Manner,
) -> KernelSpec:
    """What the runtime must know: operands, results, cells, errors with this request's lines."""
    form: Any = manner.form
    outputs = len(request.results) - len(manner.targets)
    names = [item.name or item.variable.name for item in items]
    return KernelSpec(
        inputs=tuple(  # a name that stands twice is none: the slow path refuses it as a keyword
            operand(item.variable, name if names.count(name) == 1 else None, order=order)._replace(
                widens=not item.strict,
                most_bytes=LANES_BYTES if order and compiled.facts.loads_lanes else MAX_BYTES,
                most_row_bytes=ROW_BYTES if compiled.facts.copies_columns else MAX_BYTES,
            )
            for item, name, order in zip(items, names, request.orders or [()] * len(items))
        ),
        shareds=tuple(operand(v, v.name, "shared") for v in request.shareds),
        constants=tuple(operand(v, None, "constant") for v in request.constants),
        outputs=tuple(operand(v, v.name, "output") for v in request.results[:outputs]),
        updates=tuple(operand(v, v.name, "update") for v in request.results[outputs:]),
        update_cells=tuple(cells.index(target) for target in manner.targets),
        output_form=form,
        output_keys=manner.keys,
        externs=compiled.facts.externs,
        errors=compiled.facts.entries(request),
        has_shape=compiled.facts.has_shape,
        inplace=compiled.facts.inplace,
        threads=manner.threads,
        name=manner.name,
    )


def operand(
    variable: Variable, name: str | None, kind: str = "input", order: Order = ()
) -> Operand:
    """How the runtime sees a variable, of an array of an order."""
    spec: Any = variable.type.spec
    dtype, shape = spec
    flags = tuple(size == 1 for size in in_order(shape, order, 1))
    return Operand(dtype, len(flags), flags, name, kind, order)


def refuse_foreign_types(request: Request) -> None:
    """Raises NotImplementedError for values that are no arrays."""
    for variable in [*request.arguments, *request.results]:
        if variable.type.spec is None:
            raise NotImplementedError(
                f"function: found {variable} of type {variable.type}; expected arrays of a "
                f"fixed dtype and "
                "rank; give a shared variable a NumPy array"
            )
