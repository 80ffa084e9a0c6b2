"""The versions of a function: one kernel for each combination of orders that its arguments come in.

The first version takes rows (`order.py`). When arguments come in another order, the compiler's
`vary` is asked for a version, once, and `MOST` are kept in all; where it declines, or there are
`MOST`, such arguments are packed. The trampoline tries the version used last, then the others:
a version's state names the next one's, in a ring.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tetractys.runtime import jit
from tetractys.runtime.fork_lock import fork_lock
from tetractys.runtime.order import is_bearable, order_of
from tetractys.runtime.spec import KernelSpec, Operand, Order

if TYPE_CHECKING:
    from tetractys.runtime.callable import Function

MOST = 4
"""Versions of one function, the first among them."""

Orders = tuple[Order, ...]
"""One order for each input."""

_lock = fork_lock()


class Version(NamedTuple):
    """What the compiler gives for some orders: as in the function's recipe."""

    spec: KernelSpec
    code: jit.Code
    raise_: Callable[[Any, int, tuple[int, ...]], Any] | None


Vary = Callable[[Orders], "Version | None"]
"""Compiles a version; None where packing is cheaper."""


def inputs_for(function: Function, arrays: Sequence[Any]) -> Sequence[Operand]:
    """The operands of the version that takes `arrays`, made if it is not there yet."""
    first = function.recipe.spec.inputs
    if function.recipe.vary is None:
        return first
    orders = tuple(
        order_of(value) if type(value) is np.ndarray and value.ndim == operand.ndim else ()
        for value, operand in zip(arrays, first, strict=True)
    )
    if not any(orders):
        return first
    if orders not in function.versions:
        with _lock:
            if orders not in function.versions:
                function.versions[orders] = _made(function, orders)
    spec = function.versions[orders]
    if spec is None or any(
        one.order and not is_bearable(value, one) for value, one in zip(arrays, spec.inputs)
    ):
        return first
    return spec.inputs


def _made(function: Function, orders: Orders) -> KernelSpec | None:
    vary = function.recipe.vary
    assert vary is not None
    if 1 + sum(spec is not None for spec in function.versions.values()) >= MOST:
        return None
    version = vary(orders)
    if version is None:
        return None
    function.add_version(version)
    return version.spec
