"""Theano's names for the graph: `gof.Apply`, `gof.graph.inputs`: all from `tetractys.graph`."""

from __future__ import annotations

from tetractys.gof import graph, op, type
from tetractys.graph import (
    Apply,
    Constant,
    InconsistencyError,
    MethodNotDefined,
    MissingInputError,
    Op,
    Type,
    Variable,
    generic,
)

__all__ = [
    "Apply",
    "Constant",
    "InconsistencyError",
    "MethodNotDefined",
    "MissingInputError",
    "Op",
    "Type",
    "Variable",
    "generic",
    "graph",
    "op",
    "type",
]
