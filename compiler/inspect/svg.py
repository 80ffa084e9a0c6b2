"""One picture of a function: its graph, coloured by the kernel that computes each part.

Left the symbolic graph, inputs on top; right the kernels, each with its iteration space and the
user's lines that went into it. Plain SVG text without scripts or fonts of its own.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from tetractys.graph import Apply, Constant, Variable
from tetractys.inspect import layout

COLOURS = ("#8ecae6", "#ffb703", "#a7c957", "#e5989b", "#cdb4db", "#f4a261", "#90be6d", "#b8c0ff")
WIDTH, HEIGHT, GAP_X, GAP_Y = 118, 26, 14, 30
LETTER = 6.7
"""The width of a letter."""
STYLE = (
    "text{font:11px monospace;text-anchor:middle;dominant-baseline:central}"
    ".left{text-anchor:start}path{fill:none;stroke:#888;stroke-width:1}rect{stroke:#555}"
)


@dataclass(frozen=True)
class Kernel:
    """What the picture says of one kernel: a title, further lines of text, the user's lines."""

    title: str
    details: Sequence[str]
    sites: frozenset[tuple[str, int]]


def picture(name: str, nodes: Sequence[Apply], kernels: Sequence[Kernel]) -> str:
    """The SVG text for the Applies `nodes` (in topological order) and their kernels."""
    leaves = dict.fromkeys(v for node in nodes for v in node.inputs if v.owner is None)
    order: list[Apply | Variable] = [*leaves, *nodes]
    parents: dict[Apply | Variable, list[Apply | Variable]] = {leaf: [] for leaf in leaves}
    known = set(nodes)
    for node in nodes:
        parents[node] = [
            v.owner if v.owner in known else v
            for v in node.inputs
            if v.owner in known or v in leaves
        ]
    placed = layout.place(order, parents)
    left = min((x for _, x in placed.at.values()), default=0.0)
    centres = {
        node: (20 + (x - left + 0.5) * (WIDTH + GAP_X), 50 + depth * (HEIGHT + GAP_Y))
        for node, (depth, x) in placed.at.items()
    }
    graph_width = max((x for x, _ in centres.values()), default=0.0) + WIDTH
    parts = [f'<text class="left" x="20" y="18">{escape(name)}: the graph and its kernels</text>']
    parts += [_edge(centres, first, second) for first, second in placed.edges]
    parts += [_box(node, centres[node], _colour(node, kernels)) for node in order]
    legend, legend_height = _legend(kernels, graph_width + 30)
    height = max([y for _, y in centres.values()] + [legend_height]) + 40
    longest = max((len(line) for k in kernels for line in (k.title, *k.details)), default=0)
    width = graph_width + 30 + 44 + LETTER * longest
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}">'
        f"<style>{STYLE}</style>" + "\n".join([*parts, *legend]) + "</svg>\n"
    )


def _colour(node: Apply | Variable, kernels: Sequence[Kernel]) -> str:
    if isinstance(node, Variable):
        return "#ffffff"
    for number, kernel in enumerate(kernels):
        if node.site in kernel.sites:
            return COLOURS[number % len(COLOURS)]
    return "#eeeeee"


def _label(node: Apply | Variable) -> str:
    text = str(node.op) if isinstance(node, Apply) else str(node)
    if isinstance(node, Constant):
        text = text.partition("{")[2].removesuffix("}") or text
    elif text.startswith("Elemwise{"):
        text = text.removeprefix("Elemwise{").removesuffix("}").removesuffix(",no_inplace")
    text = text.replace("InplaceDimShuffle", "DimShuffle")
    return text if len(text) <= 17 else text[:16] + "…"


def _box(node: Apply | Variable, centre: tuple[float, float], colour: str) -> str:
    x, y = centre
    radius = 3 if isinstance(node, Apply) else HEIGHT // 2
    title = (
        f"{node.op} at {node.site[0]}:{node.site[1]}"
        if isinstance(node, Apply)
        else repr(node.type)
    )
    return (
        f'<g><title>{escape(title)}</title><rect x="{x - WIDTH / 2:.0f}" y="{y - HEIGHT / 2:.0f}" '
        f'width="{WIDTH}" height="{HEIGHT}" rx="{radius}" fill="{colour}"/>'
        f'<text x="{x:.0f}" y="{y:.0f}">{escape(_label(node))}</text></g>'
    )


def _edge(
    centres: Mapping[Hashable, tuple[float, float]], first: Hashable, second: Hashable
) -> str:
    """A bend from below a box to above another; a lane is passed straight."""
    (x0, y0), (x1, y1) = centres[first], centres[second]
    start = y0 - HEIGHT / 2 if isinstance(first, layout.Lane) else y0 + HEIGHT / 2
    y0, y1 = y0 + HEIGHT / 2, y1 - HEIGHT / 2
    middle = (y0 + y1) / 2
    bend = f"C{x0:.0f} {middle:.0f} {x1:.0f} {middle:.0f} {x1:.0f} {y1:.0f}"
    return f'<path d="M{x0:.0f} {start:.0f}L{x0:.0f} {y0:.0f}{bend}"/>'


def _legend(kernels: Sequence[Kernel], x: float) -> tuple[list[str], float]:
    parts: list[str] = []
    y = 50.0
    for number, kernel in enumerate(kernels):
        colour = COLOURS[number % len(COLOURS)]
        parts.append(f'<rect x="{x:.0f}" y="{y - 8:.0f}" width="16" height="16" fill="{colour}"/>')
        for offset, line in enumerate([kernel.title, *kernel.details]):
            indent = 24 + LETTER * (len(line) - len(line.lstrip()))
            place = f'x="{x + indent:.0f}" y="{y + 16 * offset:.0f}"'
            parts.append(f'<text class="left" {place}>{escape(line.lstrip())}</text>')
        y += 16 * (len(kernel.details) + 1) + 14
    return parts, y
