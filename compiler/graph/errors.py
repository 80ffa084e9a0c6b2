"""Errors of graphs, under Theano's names."""

from __future__ import annotations


class MissingInputError(Exception):
    """A graph needs a variable that is neither an input, nor shared, nor constant."""


class MethodNotDefined(NotImplementedError):
    """An Op leaves out a method that is needed (`perform`, `grad`, ...)."""


class InconsistencyError(Exception):
    """A graph that cannot be ordered: a cycle."""
