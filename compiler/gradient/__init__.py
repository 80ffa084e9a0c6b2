"""Gradients of graphs: `grad`, `Lop`, `Rop`, `verify_grad`, what bends a gradient.

The rules and the driver are in `tetractys.passes.vjp`; here are Theano's interface and its words.
"""

from __future__ import annotations

from typing import Any

from tetractys.gradient.null import (
    DisconnectedInputError,
    DisconnectedType,
    NullType,
    NullTypeGradError,
    disconnected_type,
    grad_not_implemented,
    grad_undefined,
    null_type,
)
from tetractys.gradient.reverse import Lop, grad, subgraph_grad

_LAZY = {
    **dict.fromkeys(
        ("DisconnectedGrad", "GradClip", "GradScale", "ZeroGrad", "consider_constant",
         "consider_constant_", "disconnected_grad", "disconnected_grad_", "grad_clip", "grad_scale",
         "undefined_grad", "zero_grad", "zero_grad_"), "views"),
    **dict.fromkeys(("Rop", "hessian", "jacobian"), "forward"),
    **dict.fromkeys(("GradientError", "numeric_grad", "verify_grad"), "numeric"),
}  # fmt: skip
"""What an ordinary program does not use is imported when it is asked for."""

__all__ = [
    "DisconnectedInputError", "DisconnectedType", "Lop", "NullType", "NullTypeGradError",
    "disconnected_type", "grad", "grad_not_implemented", "grad_undefined", "null_type",
    "subgraph_grad",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'tetractys.gradient' has no attribute {name!r}")
    from importlib import import_module

    found = getattr(import_module(f"tetractys.gradient.{_LAZY[name]}"), name)
    globals()[name] = found
    return found
