"""`stabilize`: expressions that floating point computes badly, in the form that it computes well.

The only pass whose rewrites may change a result, and only towards the real number that the
expression denotes, where floating point overflowed, underflowed or cancelled: class *stabilising*.
NaN gives NaN, an infinite operand the limit. Pre-condition: `explicit-casts`, `canonicalize`,
`cse`. Local patterns stand in `stabilize_patterns`, products over several operations in
`stabilize_collect`, the range table in `stabilize_ranges`. Linear time.

    %0 = elemwise.exp %t : tensor<?xf64>
    %1 = elemwise.add %0, %one : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
    %2 = elemwise.true_div %one, %1 : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
    %3 = elemwise.log %2 : tensor<?xf64>
    // becomes
    %0 = elemwise.softplus %t : tensor<?xf64>
    %3 = elemwise.neg %0 : tensor<?xf64>
"""

from __future__ import annotations

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block
from xdsl.passes import ModulePass

from tetractys.passes.cse import apply_to_block as apply_cse
from tetractys.passes.rewriting import Rewriter, function_blocks
from tetractys.passes.stabilize_collect import collect
from tetractys.passes.stabilize_patterns import LOCAL

_ROUNDS = 4


def apply_to_block(block: Block) -> None:
    """Local patterns, then products, and again while products change."""
    changed = Rewriter(LOCAL).walk(block)
    for _ in range(_ROUNDS):
        if changed:
            apply_cse(block)  # equal factors must be one value to cancel
        if not collect(block, LOCAL):
            return
        changed = Rewriter(LOCAL).walk(block) + 1


class StabilizePass(ModulePass):
    """Rewrites expressions that overflow, underflow or cancel into ones that do not."""

    name = "stabilize"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Rewrites every function of the module."""
        for block in function_blocks(op):
            apply_to_block(block)
