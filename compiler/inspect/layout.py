"""Where the boxes of a directed acyclic graph go, and the edges between them.

After Sugiyama, Tagawa, Toda (1981): layers by longest path, a lane in each layer that an edge
crosses, rows ordered by barycentre. For pictures of a few hundred nodes.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)

LANE = 0.16
"""The width of a lane, in widths of a node."""


@dataclass(frozen=True)
class Lane:
    """Where the edges from `source` pass through a layer that they do not end in."""

    source: Hashable
    layer: int


@dataclass(frozen=True)
class Placed:
    """(layer, position) of each node and lane, and the pieces of edges as pairs of these."""

    at: Mapping[Hashable, tuple[int, float]]
    edges: Sequence[tuple[Hashable, Hashable]]


def depths(order: Sequence[Node], parents: Mapping[Node, Sequence[Node]]) -> dict[Node, int]:
    """The layer of each node of `order` (parents first): below all of its parents.

    Nodes without parents stand right above the first that reads them.
    """
    depth: dict[Node, int] = {}
    for node in order:
        depth[node] = 1 + max((depth[parent] for parent in parents[node]), default=-1)
    highest: dict[Node, int] = {}
    for node in order:
        for parent in parents[node]:
            highest[parent] = min(highest.get(parent, depth[node]), depth[node])
    for node in order:
        if not parents[node] and node in highest:
            depth[node] = highest[node] - 1
    return depth


def place(order: Sequence[Node], parents: Mapping[Node, Sequence[Node]], sweeps: int = 4) -> Placed:
    """Positions in each layer: widths around a common middle, crossings kept few."""
    depth = depths(order, parents)
    rows: list[list[Hashable]] = [[] for _ in range(1 + max(depth.values(), default=-1))]
    for node in order:
        rows[depth[node]].append(node)
    edges: dict[tuple[Hashable, Hashable], None] = {}
    for node in order:
        for parent in parents[node]:
            last: Hashable = parent
            for layer in range(depth[parent] + 1, depth[node]):
                lane = Lane(parent, layer)
                if (last, lane) not in edges:
                    rows[layer].append(lane)
                    edges[last, lane] = None
                last = lane
            edges[last, node] = None
    position = _order_rows(rows, list(edges), sweeps)
    at = {node: (number, position[node]) for number, row in enumerate(rows) for node in row}
    return Placed(at, list(edges))


def _order_rows(
    rows: list[list[Hashable]], edges: Sequence[tuple[Hashable, Hashable]], sweeps: int
) -> dict[Hashable, float]:
    """Sorts each row by the mean of its neighbours, above and below in turn."""
    above: dict[Hashable, list[Hashable]] = {node: [] for row in rows for node in row}
    below: dict[Hashable, list[Hashable]] = {node: [] for row in rows for node in row}
    for first, second in edges:
        above[second].append(first)
        below[first].append(second)
    position: dict[Hashable, float] = {}
    for row in rows:
        position.update(_spread(row))
    for sweep in range(sweeps):
        near = above if sweep % 2 == 0 else below
        for row in rows if sweep % 2 == 0 else reversed(rows):
            row.sort(key=lambda node: _mean(position, near[node], position[node]))
            position.update(_spread(row))
    return position


def _spread(row: Sequence[Hashable]) -> dict[Hashable, float]:
    """The middles of the nodes of a row, side by side around 0."""
    widths = [LANE if isinstance(node, Lane) else 1.0 for node in row]
    left = -sum(widths) / 2
    middles: dict[Hashable, float] = {}
    for node, width in zip(row, widths):
        middles[node] = left + width / 2
        left += width
    return middles


def _mean(position: Mapping[Hashable, float], nodes: Sequence[Hashable], default: float) -> float:
    return sum(position[node] for node in nodes) / len(nodes) if nodes else default
