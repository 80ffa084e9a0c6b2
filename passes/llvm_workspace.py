"""Temporaries at level 3: the arena's slots, and rows that are part of a result.

Slots stand one behind the other in the workspace, each on a cache line; the sizes are those of the
allocations, so both functions compute the same offsets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xdsl.dialects import llvm
from xdsl.dialects.builtin import DYNAMIC_INDEX, IntegerAttr, i32, i64
from xdsl.ir import Attribute, Operation, SSAValue

from tetractys.dialects import loops
from tetractys.dialects.loops import MONOIDS, SLICE
from tetractys.passes.llvm_builder import PTR, itemsize
from tetractys.passes.llvm_frame import WORD_WORKSPACE, Frame, Sink
from tetractys.passes.llvm_memory import Buffer, address, row_major
from tetractys.passes.llvm_types import LINE

if TYPE_CHECKING:
    from tetractys.passes.llvm_nest import NestLowering



class Workspace:
    """The offsets of the slots in one function.

    is_checked: bytes beyond 2**63 are as many as there can be, so that the runtime, which is told
    them, finds no memory; kernels run only where that did not happen.
    """

    def __init__(self, frame: Frame, *, is_checked: bool = False) -> None:
        self.frame = frame
        self.is_checked = is_checked
        self.end: SSAValue = frame.builder.index(0)
        self._offsets: dict[int, SSAValue] = {}

    def sizes(self, alloc: loops.AllocOp) -> list[SSAValue]:
        """The sizes of an allocation, one a dimension."""
        type_ = alloc.out.type
        given = iter(alloc.sizes)
        return [
            self.frame.scalar(next(given)) if n == DYNAMIC_INDEX else self.frame.builder.index(n)
            for n in type_.get_shape()
        ]

    def row_bytes(self, alloc: loops.AllocOp) -> SSAValue:
        """The bytes of one array, rounded up to whole lines."""
        builder = self.frame.builder
        element = alloc.out.type.element_type
        total = builder.index(itemsize(element))
        for size in self.sizes(alloc):
            total = self._times(size, total)
        rounded = self._plus(total, builder.index(LINE - 1))
        return builder.emit(llvm.AndOp, (rounded, builder.index(-LINE)), i64)

    def offset(self, alloc: loops.AllocOp) -> SSAValue:
        """Where an allocation's slot begins; the first one of a slot makes it."""
        slot = _number(alloc.slot)
        found = self._offsets.get(slot)
        if found is None:
            found = self._offsets[slot] = self.end
            builder = self.frame.builder
            rows = builder.index(_number(alloc.rows, 1))
            self.end = self._plus(self.end, self._times(self.row_bytes(alloc), rows))
        return found

    def _times(self, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        builder = self.frame.builder
        if not self.is_checked:
            return builder.mul(lhs, rhs)
        return builder.intrinsic("llvm.smul.fix.sat", (lhs, rhs, builder.constant(0, i32)), i64)

    def _plus(self, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        builder = self.frame.builder
        if not self.is_checked:
            return builder.add(lhs, rhs)
        return builder.intrinsic("llvm.sadd.sat", (lhs, rhs), i64)

    def base(self, alloc: loops.AllocOp) -> SSAValue:
        """The address of an allocation's slot."""
        return self.frame.builder.offset(self.frame.word(WORD_WORKSPACE, PTR), self.offset(alloc))


def _number(attribute: Attribute | None, default: int = 0) -> int:
    return default if attribute is None else cast("IntegerAttr", attribute).value.data


def lower_alloc(
    frame: Frame, workspace: Workspace, nests: list[NestLowering], op: Operation
) -> None:
    """`loops.alloc`: a slot, a row a lane of a slot, or a row of an enclosing nest's result."""
    alloc = cast(loops.AllocOp, op)
    if alloc.result is not None:
        frame.env[alloc.out] = _row_of_result(nests[-1], _number(alloc.result))
        return
    if alloc.out in frame.tiled:
        frame.env[alloc.out] = frame.tiled[alloc.out].row(frame.builder, nests[-1])
        return
    builder = frame.builder
    base = workspace.base(alloc)
    element = alloc.out.type.element_type
    sizes = workspace.sizes(alloc)
    pointer: SSAValue | tuple[SSAValue, ...] = base
    if frame.rows.count > 1:
        step = workspace.row_bytes(alloc)
        pointer = tuple(builder.offset(base, builder.mul(step, builder.index(row)))
                        for row in range(frame.rows.count))
    strides = tuple(row_major(builder, element, sizes))
    frame.env[alloc.out] = Buffer(pointer, element, tuple(sizes), strides)


def _row_of_result(lowering: NestLowering, number: int) -> Buffer | Sink:
    plan = lowering.plans[number]
    target = lowering.out(plan)
    array = target.row if isinstance(target, Sink) else target
    kept = [d for d, entry in enumerate(plan.part.map) if entry == SLICE]
    place = address(lowering.builder, array, lowering.indices(plan.part.map))
    row = array.drop(kept, place)
    if isinstance(target, Sink):
        return Sink(target.kind, row)
    return Sink(plan.part.kind, row) if plan.part.kind in MONOIDS and plan.in_memory else row
