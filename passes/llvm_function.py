"""What builds one function of level 3: the operations that are not mere arithmetic.

`Body` lowers nests, temporaries and checks into a frame. The kernel and the shape function
(`lower_loops_to_llvm`) and the function of a nest's chunks (`llvm_parallel`) are bodies.
"""

from __future__ import annotations

from functools import partial
from typing import cast

from xdsl.ir import Operation

from tetractys.dialects import elemwise, loops
from tetractys.dialects.loops import NestOp
from tetractys.passes.llvm_calls import lower_call
from tetractys.passes.llvm_empty import check_empty
from tetractys.passes.llvm_frame import (
    Frame,
    lower_constant,
    lower_dim,
    lower_splat,
    lower_store,
    lower_view,
)
from tetractys.passes.llvm_nest import NestLowering
from tetractys.passes.llvm_transfer import lower_gather
from tetractys.passes.llvm_views import lower_subview
from tetractys.passes.llvm_workspace import Workspace, lower_alloc


class Body:
    """The operations of one function, built one after another; `nests` are those around."""

    def __init__(self, frame: Frame, workspace: Workspace) -> None:
        self.frame = frame
        self.builder = frame.builder
        self.workspace = workspace
        self.nests: list[NestLowering] = []
        frame.lowerings = {
            elemwise.ConstantOp: lower_constant,
            elemwise.SplatOp: lower_splat,
            loops.DimOp: lower_dim,
            loops.StoreOp: lower_store,
            loops.ViewOp: lower_view,
            loops.SubviewOp: lower_subview,
            loops.GatherOp: lower_gather,
            loops.CallOp: lower_call,
            loops.AllocOp: partial(self._alloc),
            NestOp: self._nest,
            loops.CheckOp: self._check,
        }

    def _nest(self, frame: Frame, op: Operation) -> None:
        nest = cast(NestOp, op)
        if not self.nests:
            check_empty(frame, nest)
        self.emit(NestLowering(frame, nest))

    def emit(self, lowering: NestLowering) -> None:
        """Builds a nest; what is inside finds it around."""
        self.nests.append(lowering)
        lowering.emit()
        self.nests.pop()

    def _alloc(self, frame: Frame, op: Operation) -> None:
        lower_alloc(frame, self.workspace, self.nests, op)

    def _check(self, frame: Frame, op: Operation) -> None:
        check = cast(loops.CheckOp, op)
        kind = check.kind.data if check.kind is not None else "ValueError"
        code = frame.tables.error(kind, check.message.data, op)
        values = [frame.scalar(value) for value in op.operands]
        failed = self.builder.icmp("ne", values[0], values[1])
        frame.fail_if(failed, code, values)
