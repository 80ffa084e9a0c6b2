"""Functions of level 3 become machine code in a thread, while the passes build the next ones."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from tetractys.runtime.compilation import Compilation

if TYPE_CHECKING:
    from xdsl.dialects.llvm import FuncOp

    from tetractys.passes.llvm_modules import Modules


class CodeGeneration:
    """Takes the functions of a kernel, and gives its object code in the end.

    columns: what the passes note meanwhile (`Facts`): code that `reads_columns` is not wanted.
    """

    def __init__(self, columns: Mapping[str, bool]) -> None:
        self._columns = columns
        self._compilation = Compilation()

    @cached_property
    def _modules(self) -> Modules:
        from tetractys.passes.llvm_modules import Modules  # of xDSL, which is not there yet

        return Modules(self._compilation.add)

    def add(self, function: FuncOp) -> None:
        """Takes a function that is finished."""
        if not self._columns.get("reads_columns"):
            self._modules.add(function)

    def finish(self) -> bytes:
        """The object code of all functions."""
        self._modules.close()
        return self._compilation.finish()

    def __enter__(self) -> CodeGeneration:
        return self

    def __exit__(self, *exception: object) -> None:
        self._compilation.stop()
