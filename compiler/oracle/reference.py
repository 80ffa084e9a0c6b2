"""What a compiled function should give: the level-1 interpreter on the graph as it was imported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from xdsl.dialects.builtin import ModuleOp

from tetractys.oracle import tensor

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


def expected(function: Any, args: Sequence[Any]) -> list[Array]:
    """Outputs, then new values of shared variables, of a compiled function; nothing is changed.

    The shared variables have the values they have now. Raises what the interpreter raises.
    """
    return tensor.run(*imported(function, args))


def reference(function: Any) -> Callable[[Sequence[Any]], list[Array]]:
    """`expected` of one function for many calls: its graph is imported once."""
    from tetractys.compile.to_ir import graph_to_ir

    module = graph_to_ir(function.maker.request)
    return lambda args: tensor.run(module, all_values(function, args))


def imported(function: Any, args: Sequence[Any]) -> tuple[ModuleOp, list[Array]]:
    """The graph of a compiled function at level 1, and the values of all its arguments."""
    from tetractys.compile.to_ir import graph_to_ir

    return graph_to_ir(function.maker.request), all_values(function, args)


def all_values(function: Any, args: Sequence[Any]) -> list[Array]:
    """The values of a compiled function's inputs, shared variables and constants."""
    request = function.maker.request
    inputs = [
        np.array(value, item.variable.type.dtype)
        for value, item in zip(args, function.maker.inputs, strict=True)
    ]
    shared = [np.array(variable.get_value()) for variable in request.shareds]
    constants = [np.asarray(constant.data) for constant in request.constants]
    return [*inputs, *shared, *constants]
