"""Where the boxes of a directed acyclic graph go: layers by longest path, rows by barycentre.

After Sugiyama, Tagawa, Toda (1981), the two steps that matter for pictures of a few hundred nodes.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)


def layers(order: Sequence[Node], parents: Mapping[Node, Sequence[Node]]) -> list[list[Node]]:
    """The nodes of `order` (parents first) in layers; every node below all of its parents."""
    depth: dict[Node, int] = {}
    for node in order:
        depth[node] = 1 + max((depth[parent] for parent in parents[node]), default=-1)
    result: list[list[Node]] = [[] for _ in range(1 + max(depth.values(), default=-1))]
    for node in order:
        result[depth[node]].append(node)
    return result


def place(
    order: Sequence[Node], parents: Mapping[Node, Sequence[Node]], sweeps: int = 4
) -> dict[Node, tuple[int, float]]:
    """(layer, position) of each node; positions of a layer are 0.5, 1.5, ... around a common
    middle.
    """
    rows = layers(order, parents)
    children: dict[Node, list[Node]] = {node: [] for node in order}
    for node in order:
        for parent in parents[node]:
            children[parent].append(node)
    position = {node: float(i) for row in rows for i, node in enumerate(row)}
    for sweep in range(sweeps):
        near = parents if sweep % 2 == 0 else children
        for row in rows if sweep % 2 == 0 else reversed(rows):
            row.sort(key=lambda node: _mean(position, near[node], position[node]))
            for i, node in enumerate(row):
                position[node] = i - len(row) / 2
    return {node: (depth, position[node]) for depth, row in enumerate(rows) for node in row}


def _mean(position: Mapping[Node, float], nodes: Sequence[Node], default: float) -> float:
    return sum(position[node] for node in nodes) / len(nodes) if nodes else default
