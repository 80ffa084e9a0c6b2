"""What `tt-opt -t` writes besides IR: LLVM IR text, and assembly of any machine we know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.target import Target


def _text(module: ModuleOp) -> str:
    from tetractys.passes.emit_llvm import emit

    return emit(module)


@dataclass(frozen=True)
class LLVMTarget(Target):
    """LLVM IR text from our own emitter; the module must be in the `llvm` dialect (after
    `lower-loops-to-llvm`).
    """

    name = "llvm"

    def emit(self, ctx: Context, module: ModuleOp, output: IO[str]) -> None:
        """Write the text of `module` to `output`."""
        output.write(_text(module))


@dataclass(frozen=True)
class AsmTarget(Target):
    """Assembly as LLVM generates it from that text, for a machine of `runtime.machines`; for this
    one by default.
    """

    name = "asm"
    machine: str | None = None

    def emit(self, ctx: Context, module: ModuleOp, output: IO[str]) -> None:
        """Write the assembly of `module` to `output`; IRError for text that LLVM refuses."""
        from tetractys.runtime import jit
        from tetractys.runtime.machines import MACHINES

        host = None if self.machine is None else MACHINES[self.machine]
        output.write(jit.asm(_text(module), machine=host))
