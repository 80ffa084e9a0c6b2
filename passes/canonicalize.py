"""`canonicalize`: one form for what can be written in several ways, and dead code away.

Only *exact* rewrites: the same value on every input, NaN, infinities and signed zeros included.
Pre-condition: none, but `explicit-casts` before lets more patterns apply. Post-condition: no
pattern of `canonicalize_arithmetic`, `canonicalize_shapes`, `canonicalize_elements`,
`canonicalize_fills` applies; no dead pure operation.

    %one = elemwise.constant 1 : tensor<i8>
    %0 = tensor.dimshuffle %one {order = array<i64: -1>} : (tensor<i8>) -> tensor<1xi8>
    %1 = elemwise.cast %0 {dtype = f64} : (tensor<1xi8>) -> tensor<1xf64>
    %2 = elemwise.neg %x : tensor<?xf64>
    %3 = elemwise.add %1, %2 : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
    // becomes
    %0 = elemwise.constant 1.0 : tensor<1xf64>
    %1 = elemwise.sub %0, %x : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
"""

from __future__ import annotations

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from tetractys.passes.canonicalize_arithmetic import ARITHMETIC
from tetractys.passes.canonicalize_elements import ELEMENTS
from tetractys.passes.canonicalize_fills import FILLS
from tetractys.passes.canonicalize_shapes import SHAPES
from tetractys.passes.rewriting import PatternTable, apply_patterns

PATTERNS = PatternTable("canonicalize", SHAPES, ELEMENTS, FILLS, ARITHMETIC)


class CanonicalizePass(ModulePass):
    """Brings level 1 to one form by exact rewrites, and removes dead code."""

    name = "canonicalize"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Rewrites every function of the module."""
        apply_patterns(op, PATTERNS)
