"""Compiling functions: from `function(inputs, outputs, ...)` to a native callable. See README.md.

Theano's `theano.compile` names are here too: `SharedVariable`, `In`, `Out`, `UnusedInputError`.
"""

from __future__ import annotations

from tetractys.compile.normalize import UnusedInputError
from tetractys.compile.pfunc import function
from tetractys.inputs import In, Out
from tetractys.sharedvalue import SharedVariable, shared

__all__ = ["In", "Out", "SharedVariable", "UnusedInputError", "function", "shared"]
