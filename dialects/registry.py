"""The dialects by name, loaded when an operation or type of theirs is first met.

`tensor` is one dialect object: upstream's operations plus ours. That is why xDSL's own table of
dialects (its "universe") is not used: it would register a second dialect of that name. Importing
this table imports no xDSL.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from xdsl.ir import Dialect

DIALECTS = {
    "builtin": ("xdsl.dialects.builtin", "Builtin"),
    "func": ("xdsl.dialects.func", "Func"),
    "llvm": ("xdsl.dialects.llvm", "LLVM"),
    "llvmx": ("tetractys.dialects.llvm_ext", "LlvmExt"),
    "elemwise": ("tetractys.dialects.elemwise", "Elemwise"),
    "tensor": ("tetractys.dialects.tensor", "tensor_with_upstream"),
    "loops": ("tetractys.dialects.loops", "Loops"),
}
"""Dialect name -> (module, name in it of the dialect object, or of a function that makes it)."""


def load_dialect(name: str) -> Dialect:
    """Import the dialect called `name`; `KeyError` for a name that is not in the table."""
    if name not in DIALECTS:
        raise KeyError(f"dialect {name!r}: unknown name; expected one of {', '.join(DIALECTS)}")
    module, attribute = DIALECTS[name]
    found = getattr(import_module(module), attribute)
    return cast("Dialect", found() if callable(found) else found)
