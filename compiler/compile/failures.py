"""Errors of compiled code in the user's terms: the numbers, the Apply, the line as it was written.

Compiled code reports the number of an entry; the entry knows the line and, of a check of sizes, the
Apply. Which other Applies of a line can fail in such words is looked up only when it has happened,
so that it costs a call nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tetractys.graph import Apply, Variable, format_site
from tetractys.runtime import errors
from tetractys.tensor.shaping import Shape

if TYPE_CHECKING:
    from tetractys.compile.compiled import CompiledFunction
    from tetractys.runtime.spec import KernelSpec

CAUSES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Input dimension mis-match", ("elemwise.",)),
    ("shapes not aligned", ("tensor.dot",)),
    ("Cannot reshape", ("tensor.reshape",)),
    ("could not broadcast", ("tensor.alloc", "subtensor")),
    ("negative dimensions", ("tensor.alloc",)),
    ("zero-size array", ("tensor.reduce", "tensor.max_and_argmax", "softmax")),
    ("index ", ("subtensor",)),
    ("shape mismatch: indexing arrays", ("subtensor",)),
)
"""How a message begins, and parts of the names of the operations that it can be about."""


def raise_error(function: Any, spec: KernelSpec, code: int, values: Sequence[int]) -> Any:
    """Raises what compiled code reported, with Theano's account of where it comes from."""
    error = errors.exception(spec, code, values)
    entries = spec.errors
    entry = entries[code] if 0 <= code < len(entries) else None
    if entry is not None and entry.file is not None and entry.line is not None:
        text = entry.message.format(*values)
        error.args = (text + account(function, text, (entry.file, entry.line), entry.apply),)
    raise error


def account(
    function: CompiledFunction, text: str, site: tuple[str, int], apply: int = -1
) -> str:
    """The lines behind the message: the Apply, or the Applies it can be of a line, and that line.
    """
    nodes = function.maker.request.nodes
    if apply >= 0:
        suspects = [nodes[apply]]
    else:
        suspects = _suspects([node for node in nodes if node.site == site], text)
    shown = [describe(node) for node in suspects]
    what = "" if not shown else f"\nApply node that caused the error: {' or '.join(shown)}"
    return f"{what}\nBacktrace when the node is created:\n{format_site(site)}"


def _suspects(nodes: Sequence[Apply], text: str) -> list[Apply]:
    parts = next((parts for head, parts in CAUSES if text.startswith(head)), ("",))
    return [
        node
        for node in nodes
        if any(part in getattr(node.op.signature, "name", "") for part in parts)
        and not (parts == ("elemwise.",) and sum(map(_is_long, node.inputs)) < 2)
        and not isinstance(getattr(node.inputs[0].owner, "op", None), Shape)
    ]


def _is_long(variable: Variable) -> bool:
    """Whether some dimension is not of size 1 by type."""
    flags: tuple[bool, ...] = getattr(variable.type, "broadcastable", ())
    return not all(flags)


def describe(node: Apply) -> str:
    """`Elemwise{add,no_inplace}(x, y)`, long operands cut."""
    inputs = (str(variable) for variable in node.inputs)
    return f"{node.op}({', '.join(s if len(s) < 60 else s[:57] + '...' for s in inputs)})"
