"""Theano's `gof.graph`."""

from __future__ import annotations

from tetractys.graph import (
    Apply,
    Constant,
    Variable,
    ancestors,
    clone_get_equiv,
    general_toposort,
    inputs,
    io_toposort,
    is_in_ancestors,
    is_same_graph,
    list_of_nodes,
    ops,
    orphans,
    variables,
)
from tetractys.graph import clone_graph as clone

__all__ = [
    "Apply",
    "Constant",
    "Variable",
    "ancestors",
    "clone",
    "clone_get_equiv",
    "general_toposort",
    "inputs",
    "io_toposort",
    "is_in_ancestors",
    "is_same_graph",
    "list_of_nodes",
    "ops",
    "orphans",
    "variables",
]
