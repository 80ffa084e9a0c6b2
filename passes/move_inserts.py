"""Sums with arrays of zeros in which a part is set: the part of `move-indexing` for the gradients
of slices.

The gradient of `x[a:b]` is as large as x, zeros but for that part, and what is usually done with it
is one sum: with other gradients, or `w - lr * gradient`. The sum is taken of the part alone:

    %0 = tensor.inc_subtensor %zeros, %g, %a, %b {slices = "@:@"}
    %1 = elemwise.mul %lr, %0
    %2 = elemwise.sub %w, %1
    func.return %2                                                            // w's new value
    // becomes
    %old = tensor.subtensor %w, %a, %b {slices = "@:@"}
    %new = %old - %lr * (0 + %g)
    %1 = inc_subtensor(%w, %w[:all] - %lr * 0, all) {set}
    %2 = tensor.inc_subtensor %1, %new, %a, %b {slices = "@:@", set}

*Exact*: each element of the part is computed as before, the others are `w - lr * 0`. Those keep
their bits if that product is +0 (`scaled_zeros`), so `all` is 0 then, and the number of w's rows
else; for a constant learning rate it is known, for what is no shared value's update all of them are
computed. Only of sums that are results of the function: others may be fused with what uses them.
(Where nothing is multiplied, `move_indexing.sum_with_scattered` does better.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

from xdsl.dialects import func
from xdsl.ir import Operation, SSAValue

from tetractys.dialects import elemwise, tensor
from tetractys.dialects.build import SignatureOp, props_of
from tetractys.passes.canonicalize_fills import filled_value
from tetractys.passes.canonicalize_shapes import build_size, roots_of
from tetractys.passes.matching import is_float_type, is_number, shape_of
from tetractys.passes.move_slices import Entry, build_broadcast_slice, entries_of
from tetractys.passes.rewriting import PatternTable, Rewriter
from tetractys.passes.scaled_zeros import (
    Scaled,
    build_is_kept,
    build_scaled,
    find_scaled,
    is_scalar,
    is_updated,
)

INSERTS = PatternTable("move inserts")


class Change(NamedTuple):
    """What a sum or difference adds to `other`: its operand `number`, a multiple of an insert."""

    number: int
    scaled: Scaled
    other: SSAValue

    @property
    def insert(self) -> SignatureOp:
        """The `tensor.inc_subtensor`."""
        return self.scaled.made


# Predicates.


def is_result(value: SSAValue) -> bool:
    """Whether a value is a result of the function, and nothing else."""
    return isinstance(value.get_user_of_unique_use(), func.ReturnOp)


def zero_around(insert: Operation) -> SSAValue | None:
    """The number, 0, around the part that an insert sets or adds to; None if it is another one."""
    zero = filled_value(insert.operands[0])
    return zero if zero is not None and is_scalar(zero) and is_number(zero, 0) else None


def find(op: Operation) -> Change | None:
    """The sum of a whole array and a multiple of an insert into zeros."""
    result = op.results[0]
    if not is_result(result) or not is_float_type(result.type):
        return None
    for number, operand in enumerate(op.operands):
        found, other = find_scaled(operand, tensor.IncSubtensorOp), op.operands[1 - number]
        if (
            found is not None
            and (found.scale or props_of(found.made).get("set"))
            and other.type == result.type == found.made.results[0].type
            and zero_around(found.made) is not None
        ):
            return Change(number, found, other)
    return None


# Builders.


class _Builder:
    """The operations that replace a sum or difference."""

    def __init__(self, rw: Rewriter, op: Operation, change: Change) -> None:
        self.rw = rw
        self.op = cast(SignatureOp, op)
        self.change = change

    def sum(self, other: SSAValue, added: SSAValue) -> SSAValue:
        """The operation itself, of other operands."""
        operands = [other, added] if self.change.number else [added, other]
        return self.rw.remake(self.op, operands)

    def part(self, zero: SSAValue) -> SSAValue:
        """The part of the result where the insert is."""
        rw, insert = self.rw, self.change.insert
        entries, full = entries_of(insert), shape_of(self.change.other)
        value = insert.operands[1]
        if not props_of(insert).get("set"):
            around = self._of_part(zero, full, entries)
            value = rw.make(elemwise.AddOp, around, value)
        for op in self.change.scaled.scale:
            operands = [self._of_part(v, full, entries) if is_scalar(v) else value
                        for v in op.operands]  # fmt: skip
            value = rw.remake(op, operands)
        return self.sum(self._of_part(self.change.other, full, entries), value)

    def _of_part(
        self, value: SSAValue, full: Sequence[int], entries: Sequence[Entry]
    ) -> SSAValue:
        return build_broadcast_slice(self.rw, value, full, entries, self.change.insert)

    def around(self, zero: SSAValue) -> SSAValue:
        """The result elsewhere: an array of which the part does not matter."""
        rw, other = self.rw, self.change.other
        kept: SSAValue | bool = False
        if self.change.number == 1 or isinstance(self.op, elemwise.AddOp):
            kept = build_is_kept(rw, self.op, self.change.scaled.scale, zero)
        for op in self.change.scaled.scale:
            zero = build_scaled(rw, op, zero)
        if kept is True:
            return other
        if kept is False or not is_updated(other, self.op.results[0]) or shape_of(other)[0] == 1:
            return self.sum(other, zero)
        rows = build_size(rw, roots_of(rw).get(other, 0))
        number = rw.make(elemwise.SwitchOp, kept, rw.constant(0, rows.type), rows)
        some = rw.make(tensor.SubtensorOp, other, number, slices=":@")
        new = self.sum(some, zero)
        return rw.make(tensor.IncSubtensorOp, other, new, number, slices=":@", set=True)


# Patterns.


@INSERTS.on(elemwise.AddOp, elemwise.SubOp)
def sum_of_insert(rw: Rewriter, op: Operation) -> bool:
    """w - c * (zeros[s] += v) -> (w - c * 0)[s] = w[s] - c * (0 + v)."""
    change = find(op)
    if change is None:
        return False
    zero = zero_around(change.insert)
    assert zero is not None
    builder = _Builder(rw, op, change)
    part, around = builder.part(zero), builder.around(zero)
    bounds = list(change.insert.operands)[2:]
    props = {**props_of(change.insert), "set": True}
    return rw.replace(rw.remake(change.insert, [around, part, *bounds], props))
