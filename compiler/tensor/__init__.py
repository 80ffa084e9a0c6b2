"""The front end: `import tetractys.tensor as T`. See README.md."""

# ruff: noqa: F401, F403
from __future__ import annotations

from typing import Any

from tetractys.graph.op import Op
from tetractys.graph.variable import Apply, Constant, Variable
from tetractys.tensor import elemwise, type, var
from tetractys.tensor.basic import *

_LAZY = {
    "nnet": ("tetractys.tensor.nnet", None),
    "sharedvar": ("tetractys.tensor.sharedvar", None),
    "grad": ("tetractys.gradient", "grad"),
    "jacobian": ("tetractys.gradient", "jacobian"),
    "hessian": ("tetractys.gradient", "hessian"),
    "Lop": ("tetractys.gradient", "Lop"),
    "Rop": ("tetractys.gradient", "Rop"),
    "verify_grad": ("tetractys.gradient", "verify_grad"),
    "consider_constant": ("tetractys.gradient", "consider_constant"),
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'tetractys.tensor' has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _LAZY[name]
    found = import_module(module)
    value = found if attribute is None else getattr(found, attribute)
    globals()[name] = value
    return value
