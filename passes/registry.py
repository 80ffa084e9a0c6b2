"""The passes by their command-line name, loaded when asked for.

Everything about a pass follows from its name by rule: `fuse-elemwise` is the class
`FuseElemwisePass` in `passes/fuse_elemwise.py`, tested by
`tests/filecheck/passes/fuse_elemwise.mlir`. A new pass is one line here. Importing this table
imports no pass and no xDSL.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xdsl.passes import ModulePass

PASSES = (
    # Level 1: whole arrays.
    "explicit-casts",
    "canonicalize",
    "cse",
    "stabilize",
    "constant-fold",
    "autodiff",
    "hoist-checks",
    "choose-blas",
    "decompose",
    "move-indexing",
    "fuse-elemwise",
    # Level 2: loop nests.
    "lower-to-loops",
    "fuse-nests",
    "schedule-cpu",
    "expand-math",
    "vectorize",
    "mark-inplace",
    "bufferize",
    # Level 3.
    "lower-loops-to-llvm",
)
"""The names of all passes; `compiler/pipeline.py` says in which order they run, and why."""


def module_name(name: str) -> str:
    """`fuse-elemwise` -> `tetractys.passes.fuse_elemwise`."""
    return "tetractys.passes." + name.replace("-", "_")


def class_name(name: str) -> str:
    """`fuse-elemwise` -> `FuseElemwisePass`; acronyms are words too: `cse` -> `CsePass`."""
    return "".join(word.capitalize() for word in name.split("-")) + "Pass"


def load_pass(name: str) -> type[ModulePass]:
    """Import the pass called `name` and return its class; `KeyError` for a name that is not in the
    table.
    """
    if name not in PASSES:
        raise KeyError(f"pass {name!r}: unknown name; expected one of {', '.join(PASSES)}")
    return getattr(import_module(module_name(name)), class_name(name))
