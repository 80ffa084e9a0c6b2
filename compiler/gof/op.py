"""Theano's `gof.op`."""

from __future__ import annotations

from tetractys.graph import MethodNotDefined, Op

__all__ = ["MethodNotDefined", "Op"]
