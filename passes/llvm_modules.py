"""The functions of level 3 as several modules of text, which are compiled apart and then linked.

Code generation needs nothing but a function's text, so it can begin while the next functions are
being built. A function that another module calls is not `internal`, and declared there:

    define internal void @tt_part0 ...        define void @tt_part0 ...
    define i32 @tt_kernel ...            ->   // and in the other module
                                              declare void @tt_part0(ptr, i64)
                                              define i32 @tt_kernel ...
"""

from __future__ import annotations

from collections.abc import Callable

from xdsl.dialects import llvm

from tetractys.passes.emit_llvm import emit_function, module_text, type_text

LINES = 150
"""Of a module at least: code generation of so many takes 5 ms, and 2 ms more for being a module."""


class Modules:
    """See the module. give: gets the text of each."""

    def __init__(self, give: Callable[[str], None]) -> None:
        self._give = give
        self._types: dict[str, llvm.LLVMFunctionType] = {}
        self._begin()

    def _begin(self) -> None:
        self._lines: list[str] = []
        self._here: set[str] = set()
        self._mentioned: set[str] = set()

    def add(self, function: llvm.FuncOp) -> None:
        """Takes a finished function; those that it mentions came before."""
        name = function.sym_name.data
        self._types[name] = function.function_type
        self._here.add(name)
        self._mentioned.update(emit_function(function, self._lines, is_linked=True))
        if len(self._lines) >= LINES:
            self.close()

    def close(self) -> None:
        """Gives the functions that are left."""
        if self._lines:
            elsewhere = sorted(self._mentioned - self._here)
            self._give(module_text([*map(self._declaration, elsewhere), *self._lines]))
            self._begin()

    def _declaration(self, name: str) -> str:
        type_ = self._types[name]
        arguments = ", ".join(map(type_text, type_.inputs))
        return f"declare {type_text(type_.output)} @{name}({arguments})"
