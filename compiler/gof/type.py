"""Theano's `gof.type`."""

from __future__ import annotations

from tetractys.graph import Generic, Type, generic

__all__ = ["Generic", "Type", "generic"]
