"""Functions with host operations: native stages with the user's `perform` between them.

A host operation runs in Python, so it cuts the graph: what its inputs need is one compiled stage,
and its outputs are inputs of the stages behind it. The last stage computes the results and commits
the updates, so an exception in a `perform` leaves every shared value as it was. What two stages
both
need is computed in both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tetractys.compile.arguments import bind
from tetractys.compile.compiled import Maker
from tetractys.compile.request import Request
from tetractys.graph import Apply, Variable, ancestors, format_site
from tetractys.inputs import In
from tetractys.sharedvalue import SharedVariable

Build = Callable[[Request, Sequence[In], bool], Any]
"""Builds one native stage: (request, inputs, whether it is the last one) -> callable."""


class Stage(NamedTuple):
    """A host operation, the compiled function of its inputs, and the variables that it takes."""

    node: Apply
    function: Any
    needs: tuple[Variable, ...]


class StagedFunction:
    """A function with host operations; called as any other, it also has its last stage's
    attributes.
    """

    def __init__(
        self, maker: Maker, stages: Sequence[Stage], last: Any, extra: Sequence[Variable]
    ) -> None:
        self.maker = maker
        self._stages = stages
        self._last = last
        self._extra = extra
        self.name = maker.manner.name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._last, attribute)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Filters the arguments, runs the stages in order, and answers as the last stage does."""
        items = self.maker.inputs
        values = bind(items, args, kwargs)
        known: dict[Variable, Any] = {
            item.variable: item.filter(value, self.name, index)
            for index, (item, value) in enumerate(zip(items, values))
        }
        for stage in self._stages:
            arguments = stage.function.call_clean([known[variable] for variable in stage.needs])
            known.update(zip(stage.node.outputs, perform(stage.node, arguments)))
        last = [known[item.variable] for item in items]
        return self._last.call_clean([*last, *(known[variable] for variable in self._extra)])

    def __reduce__(self) -> Any:
        return self.maker.reduced(self.name)


def perform(node: Apply, values: Sequence[Any]) -> list[Any]:
    """Runs a host operation; its outputs, each held against its variable's type."""
    storage: list[list[Any]] = [[None] for _ in node.outputs]
    try:
        node.op.perform(node, list(values), storage)
        return [
            v.type.filter(cell[0], allow_downcast=False) for v, cell in zip(node.outputs, storage)
        ]
    except Exception as error:
        error.add_note(f"Apply node that caused the error: {node.op}\n{format_site(node.site)}")
        raise


def host_nodes(request: Request) -> list[Apply]:
    """The host operations of a request, in an order in which they can run."""
    return [node for node in request.nodes if node.op.signature is None]


def build_staged(maker: Maker, build: Build) -> StagedFunction:
    """Cuts a request at its host operations and builds every stage."""
    request, items = maker.request, maker.inputs
    known: list[Variable] = list(request.inputs)
    stages: list[Stage] = []
    for node in host_nodes(request):
        leaves = ancestors(node.inputs, known)
        needs = tuple(variable for variable in known if variable in set(leaves))
        part = request._replace(
            inputs=needs,
            shareds=_shareds(leaves),
            results=tuple(node.inputs),
            donated=frozenset(),
            updated=(),
        )
        stages.append(Stage(node, build(part, [In(v) for v in needs], False), needs))
        known += node.outputs
    leaves = ancestors(request.results, known)
    used = set(leaves)
    extra = [variable for variable in known[len(request.inputs) :] if variable in used]
    whole = request._replace(inputs=(*request.inputs, *extra), shareds=_shareds(leaves))
    last = build(whole, [*items, *(In(variable) for variable in extra)], True)
    return StagedFunction(maker, stages, last, extra)


def _shareds(leaves: Sequence[Variable]) -> list[Variable]:
    return [variable for variable in leaves if isinstance(variable, SharedVariable)]
