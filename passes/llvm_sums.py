"""Long sums of floats at level 3: blocks, and the rounding errors between blocks kept.

A block of 4 KB is summed in the accumulators of the loop; its sum is added to the running one, and
what that addition rounds away is added up too (Knuth's two-sum, lane by lane). The result is at
least as accurate as NumPy's pairwise sum, whatever the length, at no measurable cost (LOOPS 4):

    t = s + x;  z = t - s;  e += (s - (t - z)) + (x - z);  s = t

The block grid is fixed by the index. The state has a fixed number of lanes, as the accumulators.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xdsl.dialects import llvm
from xdsl.ir import SSAValue

from tetractys.dialects.loops import NestOp
from tetractys.passes import llvm_monoids as monoids
from tetractys.passes.llvm_monoids import Monoid
from tetractys.passes.llvm_scopes import ScopedBuilder

if TYPE_CHECKING:
    from tetractys.passes.llvm_nest import NestLowering
    from tetractys.passes.llvm_plan import Plan

BLOCK_BYTES = 4096
STATE_BYTES = 64
"""The bytes of the running sum, in one or more vectors."""


def block_length(itemsize: int) -> int:
    """The elements of a block."""
    return BLOCK_BYTES // itemsize


def is_compensated(lowering: NestLowering, plan: Plan) -> bool:
    """Whether a result is summed by blocks: a sum of floats of a nest that is in no other.

    The rows of a nest around are short (they fit a cache), and there are many.
    """
    monoid = plan.monoid
    return (monoid is not None and monoid.kind == "add" and monoid.is_float
            and not isinstance(lowering.nest.parent_op(), NestOp))


def sum_identities(lowering: NestLowering, plan: Plan, vector_bytes: int) -> list[SSAValue]:
    """Zero sums, then zero errors."""
    assert plan.monoid is not None
    zero = monoids.identity(lowering.builder, plan.monoid, lowering.width)
    return [zero] * (2 * max(STATE_BYTES // vector_bytes, 1))


def add_block(
    builder: ScopedBuilder,
    state: Sequence[SSAValue],
    accumulators: Sequence[SSAValue],
    vector_bytes: int,
) -> list[SSAValue]:
    """The state with a block's accumulators added."""
    held = max(STATE_BYTES // vector_bytes, 1)
    level = list(accumulators)
    while len(level) > held:
        half = len(level) // 2
        level = [builder.binary(llvm.FAddOp, a, b) for a, b in zip(level[:half], level[half:])]
    pairs = [
        _two_sum(builder, s, e, x) for s, e, x in zip(state[:held], state[held:], level)
    ]
    return [s for s, _ in pairs] + [e for _, e in pairs]


def _two_sum(
    builder: ScopedBuilder, total: SSAValue, error: SSAValue, value: SSAValue
) -> tuple[SSAValue, SSAValue]:
    new = builder.binary(llvm.FAddOp, total, value)
    part = builder.binary(llvm.FSubOp, new, total)
    lost = builder.binary(llvm.FSubOp, total, builder.binary(llvm.FSubOp, new, part))
    rest = builder.binary(llvm.FSubOp, value, part)
    both = builder.binary(llvm.FAddOp, lost, rest)
    return new, builder.binary(llvm.FAddOp, error, both)


def total_of(builder: ScopedBuilder, monoid: Monoid, state: Sequence[SSAValue]) -> SSAValue:
    """Sums and errors as one vector; the errors of infinite sums are NaN and left out."""
    held = len(state) // 2
    vectors: list[SSAValue] = []
    for total, error in zip(state[:held], state[held:]):
        both = builder.binary(llvm.FAddOp, total, error)
        vectors.append(builder.select(monoids.is_nan(builder, error), total, both))
    return monoids.fold(builder, monoid, vectors)
