"""Level 0: the graph of what the user wrote. See README.md."""

from __future__ import annotations

from tetractys.graph.errors import InconsistencyError, MethodNotDefined, MissingInputError
from tetractys.graph.op import Op
from tetractys.graph.rebuild import apply_givens, clone, clone_get_equiv, clone_graph, substitute
from tetractys.graph.same import is_same_graph
from tetractys.graph.site import Site, at_site, creation_site, format_site
from tetractys.graph.traverse import (
    ancestors,
    general_toposort,
    inputs,
    io_toposort,
    is_in_ancestors,
    list_of_nodes,
    ops,
    orphans,
    toposort,
    variables,
)
from tetractys.graph.type import Generic, Type, generic
from tetractys.graph.variable import Apply, Constant, Scratchpad, Variable

__all__ = [
    "Apply",
    "Constant",
    "Generic",
    "InconsistencyError",
    "MethodNotDefined",
    "MissingInputError",
    "Op",
    "Scratchpad",
    "Site",
    "Type",
    "Variable",
    "ancestors",
    "apply_givens",
    "at_site",
    "clone",
    "clone_get_equiv",
    "clone_graph",
    "creation_site",
    "format_site",
    "general_toposort",
    "generic",
    "inputs",
    "io_toposort",
    "is_in_ancestors",
    "is_same_graph",
    "list_of_nodes",
    "ops",
    "orphans",
    "substitute",
    "toposort",
    "variables",
]
