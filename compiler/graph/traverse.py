"""Walks over the graph. All are iterative: chains of any length work."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from tetractys.graph.errors import InconsistencyError
from tetractys.graph.variable import Apply, Variable


def ancestors(
    variables: Iterable[Variable], blockers: Collection[Variable] | None = None
) -> list[Variable]:
    """`variables` and all they are computed from, depth first; not beyond `blockers`."""
    blocked = set(blockers or ())
    found: dict[Variable, None] = {}
    stack = list(variables)
    while stack:
        variable = stack.pop()
        if variable in found:
            continue
        found[variable] = None
        if variable.owner is not None and variable not in blocked:
            stack.extend(reversed(variable.owner.inputs))
    return list(found)


def inputs(
    variables: Iterable[Variable], blockers: Collection[Variable] | None = None
) -> list[Variable]:
    """The variables without owner that `variables` are computed from."""
    return [variable for variable in ancestors(variables, blockers) if variable.owner is None]


def _walk_applies(targets: Iterable[Variable], stop: Collection[Variable]) -> list[Apply]:
    """The Applies between `stop` and `targets`, each after those it needs."""
    done: set[Apply] = set()
    order: list[Apply] = []
    stack = [variable.owner for variable in targets if variable.owner and variable not in stop]
    stack.reverse()
    open_nodes: set[Apply] = set()
    while stack:
        node = stack[-1]
        if node in done:
            stack.pop()
            continue
        if node in open_nodes:
            stack.pop()
            done.add(node)
            order.append(node)
            continue
        open_nodes.add(node)
        for variable in reversed(node.inputs):
            owner = variable.owner
            if owner is None or owner in done or variable in stop:
                continue
            if owner in open_nodes:
                raise InconsistencyError(f"graph: found a cycle through {owner}; expected none")
            stack.append(owner)
    return order


def io_toposort(
    given: Iterable[Variable],
    outputs: Iterable[Variable],
    orderings: dict[Apply, list[Apply]] | None = None,
) -> list[Apply]:
    """The Applies between `given` and `outputs`, each after those it needs.

    orderings: Apply -> further Applies that must come before it.
    """
    stop = set(given)
    if not orderings:
        return _walk_applies(outputs, stop)

    def needed(node: Apply) -> list[Apply]:
        before = [v.owner for v in node.inputs if v.owner is not None and v not in stop]
        return before + list(orderings.get(node, ()))

    roots = [v.owner for v in outputs if v.owner is not None and v not in stop]
    return general_toposort(roots, needed)


def toposort(outputs: Iterable[Variable]) -> list[Apply]:
    """All Applies that `outputs` need, each after those it needs."""
    return _walk_applies(outputs, ())


def general_toposort(
    roots: Iterable[Apply], needed: Callable[[Apply], Sequence[Apply]]
) -> list[Apply]:
    """`roots` and all they need, each after what `needed` gives; InconsistencyError on a cycle."""
    done: dict[Apply, None] = {}
    active: set[Apply] = set()
    stack: list[tuple[Apply, bool]] = [(root, False) for root in reversed(list(roots))]
    while stack:
        node, finished = stack.pop()
        if finished:
            active.discard(node)
            done[node] = None
            continue
        if node in done:
            continue
        if node in active:
            raise InconsistencyError(f"graph: found a cycle through {node}; expected none")
        active.add(node)
        stack.append((node, True))
        for other in reversed(needed(node)):
            if other in active:
                raise InconsistencyError(f"graph: found a cycle through {other}; expected none")
            if other not in done:
                stack.append((other, False))
    return list(done)


def ops(given: Iterable[Variable], outputs: Iterable[Variable]) -> set[Apply]:
    """The Applies between `given` and `outputs`."""
    return set(_walk_applies(outputs, set(given)))


def variables(given: Iterable[Variable], outputs: Iterable[Variable]) -> set[Variable]:
    """All variables between `given` and `outputs`, both included."""
    given = list(given)
    outputs = list(outputs)
    result = {*given, *outputs}
    for node in _walk_applies(outputs, set(given)):
        result.update(node.inputs)
        result.update(node.outputs)
    return result


def orphans(given: Iterable[Variable], outputs: Iterable[Variable]) -> set[Variable]:
    """Variables without owner between `given` and `outputs`, beside `given`: constants, ..."""
    given = list(given)
    return {v for v in variables(given, outputs) if v.owner is None and v not in given}


def list_of_nodes(given: Iterable[Variable], outputs: Iterable[Variable]) -> list[Apply]:
    """The Applies between `given` and `outputs`, the last first."""
    return _walk_applies(outputs, set(given))[::-1]


def is_in_ancestors(node: Apply, other: Apply) -> bool:
    """Whether `node` needs `other`."""
    return any(variable.owner is other for variable in ancestors(node.outputs))
