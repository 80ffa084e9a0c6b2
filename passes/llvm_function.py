"""What builds one function of level 3: the operations that are not mere arithmetic.

`Body` lowers nests, temporaries and checks into a frame. The kernel and the shape function
(`lower_loops_to_llvm`) and the function of a nest's chunks (`llvm_parallel`) are bodies.
"""

from __future__ import annotations

from functools import partial
from typing import cast

from xdsl.dialects import llvm
from xdsl.dialects.builtin import i64
from xdsl.ir import Operation, SSAValue

from tetractys.dialects import elemwise, loops
from tetractys.dialects.loops import INBOUNDS, NestOp
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
from tetractys.passes.llvm_transfer import gather_index, lower_gather
from tetractys.passes.llvm_views import lower_subview
from tetractys.passes.llvm_workspace import Workspace, lower_alloc
from tetractys.passes.storage import UNLESS_THERE


class Body:
    """The operations of one function, built one after another; `nests` are those around."""

    def __init__(self, frame: Frame, workspace: Workspace) -> None:
        self.frame = frame
        self.builder = frame.builder
        self.workspace = frame.workspace = workspace
        self.nests: list[NestLowering] = []
        frame.lowerings = {
            elemwise.ConstantOp: lower_constant,
            elemwise.SplatOp: lower_splat,
            loops.DimOp: lower_dim,
            loops.StoreOp: lower_store,
            loops.ViewOp: lower_view,
            loops.SubviewOp: lower_subview,
            loops.GatherOp: lower_gather,
            loops.LocateOp: self._locate,
            loops.CallOp: lower_call,
            loops.AllocOp: partial(self._alloc),
            NestOp: self._nest,
            loops.CheckOp: self._check,
        }

    def _nest(self, frame: Frame, op: Operation) -> None:
        nest = cast(NestOp, op)
        if any(out in frame.tiled for out in nest.outs_):
            return  # the copy of a column: done for all rows of the tile
        if not self.nests:
            check_empty(frame, nest)
        if INBOUNDS in nest.attributes and not self.nests:
            frame.leave_if_failed()  # places that were found wrong are not written to
        if UNLESS_THERE in nest.attributes:
            pointers = [cast(SSAValue, frame.buffer(v).pointer)
                        for v in (nest.inputs[0], nest.outs_[0])]  # fmt: skip
            places = [self.builder.emit(llvm.PtrToIntOp, (one,), i64) for one in pointers]
            apart = self.builder.icmp("ne", *places)
            self.builder.when(apart, lambda: self.emit(NestLowering(frame, nest)))
        else:
            self.emit(NestLowering(frame, nest))

    def emit(self, lowering: NestLowering) -> None:
        """Builds a nest; what is inside finds it around."""
        self.nests.append(lowering)
        lowering.emit()
        self.nests.pop()

    def _alloc(self, frame: Frame, op: Operation) -> None:
        lower_alloc(frame, self.workspace, self.nests, op)

    def _locate(self, frame: Frame, op: Operation) -> None:
        """`loops.locate`: out of range, the call fails: there and then, or at the end of the loops
        around, and the index is anything.
        """
        axis = cast(loops.LocateOp, op).axis.value.data
        size, index = frame.buffer(op.operands[0]).sizes[axis], frame.scalar(op.operands[1])
        frame.env[op.results[0]], _ = gather_index(
            frame, op, index, axis, size, stop=not self.nests
        )

    def _check(self, frame: Frame, op: Operation) -> None:
        check = cast(loops.CheckOp, op)
        kind = check.kind.data if check.kind is not None else "ValueError"
        code = frame.tables.error(kind, check.message.data, op)
        values = [frame.scalar(value) for value in op.operands]
        failed = self.builder.icmp("ne", values[0], values[1])
        frame.fail_if(failed, code, values)
