"""Results that go past the caches: stores of whole lines that are not read again soon.

A vector store first reads the lines that it fills; a *streaming* one does not, and leaves what is
in the caches there: `x * 2` of 80 MB moves 160 MB instead of 240 (LOOPS 7). It pays in large memory
that was used before, which only the caller knows: bit r of word 9 of the flat block says so of
result r. The kernel looks at that bit, and at the first address, in front of a loop; in the loop it
branches. Only light bodies ask: heavy ones do not wait for memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xdsl.dialects import llvm
from xdsl.dialects.builtin import VectorType, i64
from xdsl.ir import BlockArgument, SSAValue

from tetractys.passes.llvm_builder import itemsize, lanes_of
from tetractys.passes.llvm_memory import Buffer, address, to_memory
from tetractys.passes.llvm_types import LINE
from tetractys.passes.storage import inplace_of

if TYPE_CHECKING:
    from tetractys.passes.llvm_nest import NestLowering
    from tetractys.passes.llvm_plan import Plan
    from tetractys.passes.llvm_scopes import ScopedBuilder

WIDTHS = (16, 32, 64)
"""Bytes of vectors that x86 can store past the caches; those of a line leave together."""
WORD_STREAM = 9


def may_stream(lowering: NestLowering, plan: Plan) -> bool:
    """Whether a result is one of the function's, filled by this nest and looked at by no other."""
    out, streams = plan.part.out, lowering.frame.tables.streams
    return (
        lowering.frame.machine.streams
        and not plan.in_memory
        and isinstance(out, BlockArgument)
        and out in streams
        and out.has_one_use()
        and lowering.nest.rank - 1 in plan.part.map[-1:]
        and plan.number not in inplace_of(lowering.nest)
        and isinstance(plan.part.value.type, VectorType)
    )


def find_streams(lowering: NestLowering, level: int) -> dict[int, SSAValue]:
    """By result number, whether a loop from index 0 may fill whole lines past the caches."""
    builder, frame = lowering.builder, lowering.frame
    found: dict[int, SSAValue] = {}
    for plan in lowering.plans:
        if not may_stream(lowering, plan):
            continue
        lowering.bind_iterator(level, builder.index(0))
        target = lowering.out(plan)
        assert isinstance(target, Buffer)
        if lowering.width * itemsize(target.element) not in WIDTHS:
            continue
        pointer = address(builder, target, lowering.indices(plan.part.map))
        if isinstance(pointer, tuple):
            continue
        bit = 1 << frame.tables.streams[cast(SSAValue, plan.part.out)]
        asked = builder.binary(llvm.AndOp, frame.word(WORD_STREAM), builder.index(bit))
        place = builder.emit(llvm.PtrToIntOp, (pointer,), i64)
        off = builder.binary(llvm.AndOp, place, builder.index(LINE - 1))
        zero = builder.index(0)
        found[plan.number] = builder.binary(
            llvm.AndOp, builder.icmp("ne", asked, zero), builder.icmp("eq", off, zero)
        )
    return found


def store_stream(
    builder: ScopedBuilder, value: SSAValue, pointer: SSAValue, streams: SSAValue
) -> None:
    """A vector, past the caches if `streams` holds."""
    shown = to_memory(builder, value)
    alignment = itemsize(shown.type) * lanes_of(shown.type)
    builder.either(
        streams,
        lambda: builder.store_past_caches(shown, pointer, alignment),
        lambda: builder.store(shown, pointer),
    )


def finish_streams(builder: ScopedBuilder, streams: dict[int, SSAValue]) -> None:
    """Behind the loop: other threads see what went past the caches."""
    for condition in streams.values():
        builder.when(condition, builder.fence_stores)
