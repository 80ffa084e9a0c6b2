"""`decompose`: operations with a name of their own, as reductions and elementwise operations.

softmax and log_softmax are one operation for the passes that know their algebra, and a maximum, a
sum and a few elementwise operations for those that fuse. They stay shifted by the row's maximum:
exact as the oracle defines them. A largest value is a plain reduction, a `max_and_argmax` beside it
gives the position if somebody asks for it: of zeros the reduction takes +0, the position is first.

    %0 = tensor.softmax %x : tensor<?x?xf64>
    // becomes
    %0 = tensor.reduce %x {kind = "max", axes = array<i64: 1>} : (tensor<?x?xf64>) -> tensor<?xf64>
    %1 = tensor.dimshuffle %0 {order = array<i64: 0, -1>} : (tensor<?xf64>) -> tensor<?x1xf64>
    %2 = elemwise.sub %x, %1 : (tensor<?x?xf64>, tensor<?x1xf64>) -> tensor<?x?xf64>
    %3 = elemwise.exp %2 : tensor<?x?xf64>      // then %3 * (1 / its sum along the last axis)

A softmax and a log_softmax of one array share all that they can.
"""

from __future__ import annotations

from typing import NamedTuple, cast

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from tetractys.dialects import elemwise, tensor
from tetractys.dialects.build import SignatureOp, props_of
from tetractys.passes.matching import shape_of
from tetractys.passes.rewriting import PatternTable, Rewriter, apply_patterns

PATTERNS = PatternTable("decompose")


# Builders.

def build_reduced_column(rw: Rewriter, value: SSAValue, kind: str) -> SSAValue:
    """A reduction along the last axis, which stays with size 1."""
    last = len(shape_of(value)) - 1
    reduced = rw.make(tensor.ReduceOp, value, kind=kind, axes=(last,))
    return rw.make(tensor.DimshuffleOp, reduced, order=(*range(last), -1))


class Powers(NamedTuple):
    """s = x - max(x) along the last axis, of which no exponential overflows; exp(s); its sum."""

    shifted: SSAValue
    powers: SSAValue
    total: SSAValue


def build_powers(rw: Rewriter, value: SSAValue) -> Powers:
    """The parts of a softmax, made once for each array."""
    found = rw.shared.get(value)
    if found is None:
        shifted = rw.make(elemwise.SubOp, value, build_reduced_column(rw, value, "max"))
        powers = rw.make(elemwise.ExpOp, shifted)
        found = Powers(shifted, powers, build_reduced_column(rw, powers, "add"))
        rw.shared[value] = found
    return cast(Powers, found)


# Patterns.

@PATTERNS.on(tensor.SoftmaxOp)
def softmax(rw: Rewriter, op: Operation) -> bool:
    """softmax(x) -> e * (1 / sum(e)), e = exp(x - max(x)): one division a row."""
    _, powers, total = build_powers(rw, op.operands[0])
    share = rw.make(elemwise.TrueDivOp, rw.constant_like(1, total), total)
    return rw.replace_by(elemwise.MulOp, powers, share)


@PATTERNS.on(tensor.LogSoftmaxOp)
def log_softmax(rw: Rewriter, op: Operation) -> bool:
    """log_softmax(x) -> s - log(sum(exp(s))), s = x - max(x)."""
    shifted, _, total = build_powers(rw, op.operands[0])
    return rw.replace_by(elemwise.SubOp, shifted, rw.make(elemwise.LogOp, total))


@PATTERNS.on(tensor.MaxAndArgmaxOp)
def largest_value(rw: Rewriter, op: Operation) -> bool:
    """max_and_argmax(x) whose value is used -> reduce max."""
    value = op.results[0]
    if value.first_use is None:
        return False
    axes = props_of(cast(SignatureOp, op))["axes"]
    return rw.replace_value(value, rw.make(tensor.ReduceOp, op.operands[0], kind="max", axes=axes))


class DecomposePass(ModulePass):
    """Writes softmax, log_softmax and maxima as reductions and elementwise operations."""

    name = "decompose"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Rewrites every function of the module."""
        apply_patterns(op, PATTERNS)
