"""Tetractys: symbolic tensor expressions, compiled to machine code by dialects and passes."""

from __future__ import annotations

from typing import Any

# `import compiler` from the repository root would load every class twice.
if __name__ != "tetractys":
    raise ImportError(
        f"tetractys: imported as {__name__!r}; expected 'tetractys'; write `import tetractys`"
    )

__version__ = "0.1.0"


_NAMES: dict[str, tuple[str, ...]] = {
    "tetractys.configparser": ("change_flags", "config"),
    "tetractys.graph": ("Apply", "Constant", "Op", "Type", "Variable", "clone"),
    "tetractys.gradient": ("Lop", "Rop", "grad", "subgraph_grad"),
    "tetractys.inputs": ("In", "Out"),
    "tetractys.compile": ("function",),
    "tetractys.printing": ("debugprint", "pp"),
    "tetractys.sharedvalue": ("SharedVariable", "shared"),
    "tetractys.tensor.constants": ("as_tensor_variable",),
}
"""Public names by the module that holds them; each is imported when it is first asked for."""

_MODULES = ("compile", "configparser", "gof", "gradient", "graph", "inputs", "printing", "tensor")

_HOME = {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
    elif name in _MODULES:
        value = import_module(f"tetractys.{name}")
    else:
        raise AttributeError(f"module 'tetractys' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME, *_MODULES})
