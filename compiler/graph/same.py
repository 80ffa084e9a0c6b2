"""Whether two variables are computed the same way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from tetractys.graph.traverse import io_toposort
from tetractys.graph.variable import Constant, Variable

Givens: TypeAlias = Mapping[Variable, Variable] | Iterable[tuple[Variable, Variable]]


def is_same_graph(first: Variable, second: Variable, givens: Givens | None = None) -> bool:
    """Whether both denote the same expression of the same inputs.

    Equal constants are the same; other inputs only if they are one variable, or if `givens`, a dict
    or a list of pairs, takes one to the other.
    """
    pairs: list[Any] = list(givens.items()) if isinstance(givens, Mapping) else list(givens or ())
    numbering = _Numbering()
    for old, new in pairs:
        numbering.add([new])
        numbering.of[old] = numbering.of[new]
    numbering.add([first, second])
    return numbering.of[first] == numbering.of[second]


class _Numbering:
    """Value numbering: equal numbers, equal expressions."""

    def __init__(self) -> None:
        self.of: dict[Variable, int] = {}
        self._keys: dict[object, int] = {}

    def _number(self, key: object) -> int:
        return self._keys.setdefault(key, len(self._keys))

    def _leaf(self, variable: Variable) -> int:
        if variable not in self.of:
            constant = isinstance(variable, Constant)
            self.of[variable] = self._number(variable.signature() if constant else variable)
        return self.of[variable]

    def add(self, outputs: list[Variable]) -> None:
        """Numbers the graphs of `outputs`; what has a number keeps it."""
        for node in io_toposort(list(self.of), outputs):
            operands = tuple(self._leaf(variable) for variable in node.inputs)
            for index, output in enumerate(node.outputs):
                self.of.setdefault(output, self._number((node.op, operands, index)))
        for output in outputs:
            self._leaf(output)
