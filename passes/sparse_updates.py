"""Updates of a table by the gradient of some of its rows: the part of `move-indexing` for what is a
step of gradient descent on an embedding.

The gradient of `W[idx]` is an array of zeros with rows added, as large as W, and `W - lr *
gradient` goes through both; but a row that `idx` does not name keeps its bits, as W - lr * 0 is W.
So only rows are looked at:

    %0 = tensor.advanced_inc_subtensor %zeros, %g, %idx                       // zeros of W's sizes
    %1 = elemwise.mul %lr, %0
    %2 = elemwise.sub %W, %1
    func.return %2                                                            // W's new value
    // becomes, with m the length of %idx and o = arange(m)
    %unset = tensor.alloc %z, %n {unset}                                      // n numbers of rows
    %last = tensor.advanced_inc_subtensor %unset, %o, %idx {set}
    %k = tensor.advanced_subtensor %last, %idx            // the last position that names the row
    %sum = tensor.advanced_inc_subtensor %few_zeros, %g, %k                   // m rows
    %new = %W[%idx] - %lr * %sum[%k]
    %2 = tensor.advanced_inc_subtensor %W, %new, %idx {set}

*Exact*: a row's gradients are added in the order in which they were added before, the difference is
the same one, rounded as before, and a row that stands twice is stored twice, the same both times.
Untouched rows keep their bits iff what is subtracted is +0 there (what is added is -0), that is,
for a finite learning rate that is not negative. That is asked at run time, together with whether
the rows are few (at most half): `rows` are m or 0 of them, and where they are 0 all of W is taken:

    %2 = inc_subtensor(%W, %W[:all] - %lr * (zeros of `all` rows, with idx[rows:] added)) {set}

comes in between, with `all` 0 or the number of W's rows. Only for a shared value that the result
replaces, which is then written in place.
"""

from __future__ import annotations

from typing import NamedTuple, cast

from xdsl.ir import Operation, SSAValue

from tetractys.dialects import elemwise, tensor
from tetractys.dialects.build import SignatureOp, props_of
from tetractys.passes.canonicalize_fills import is_zero_fill
from tetractys.passes.canonicalize_shapes import build_size, roots_of
from tetractys.passes.matching import is_float_type, shape_of
from tetractys.passes.rewriting import PatternTable, Rewriter
from tetractys.passes.scaled_zeros import build_is_kept, build_scaled, find_scaled, is_updated

SPARSE = PatternTable("sparse updates")

class SparseUpdate(NamedTuple):
    """`table` -+ `scale` of zeros with `rows` added at `index`.

    scale: the operations on the gradient, first to last.
    """

    table: SSAValue
    scatter: SignatureOp
    scale: tuple[SignatureOp, ...]

    @property
    def rows(self) -> SSAValue:
        """What is added."""
        return self.scatter.operands[1]

    @property
    def places(self) -> SSAValue:
        """Where."""
        return self.scatter.operands[2]


# Predicates.


def find(op: Operation) -> SparseUpdate | None:
    """The update that a sum or difference is."""
    table, change = op.operands
    if not is_updated(table, op.results[0]) or table.type != op.results[0].type:
        return None
    found = find_scaled(change, tensor.AdvancedIncSubtensorOp)
    if found is None:
        return None
    scatter, scale, sign = found
    if sign != (1 if isinstance(op, elemwise.SubOp) else -1):
        return None
    base = scatter.operands[0]
    wanted = len(scatter.operands) == 3 and base.type == table.type and is_float_type(base.type)
    if not wanted or props_of(scatter).get("set") or not is_zero_fill(base):
        return None
    if shape_of(scatter.operands[2])[0] == 1 or shape_of(table)[0] == 1:
        return None
    return SparseUpdate(table, scatter, scale)


# Builders.


class _Builder:
    """The operations that replace a sum or difference."""

    def __init__(self, rw: Rewriter, op: Operation, update: SparseUpdate) -> None:
        self.rw = rw
        self.op = op
        self.update = update
        roots = [roots_of(rw).get(update.table, d) for d in range(len(shape_of(update.table)))]
        self.sizes = [build_size(rw, root) for root in roots]
        self.count = build_size(rw, roots_of(rw).get(update.places, 0))
        self.zero = rw.constant(0, self.count.type)

    def few(self, kept: SSAValue | bool) -> SSAValue:
        """Whether only rows shall be looked at: they are few, and the others are kept."""
        rw = self.rw
        twice = rw.make(elemwise.AddOp, self.count, self.count)
        few = rw.make(elemwise.LeOp, twice, self.sizes[0])
        return few if isinstance(kept, bool) else rw.make(elemwise.AndOp, few, kept)

    def difference(self, table: SSAValue, gradient: SSAValue) -> SSAValue:
        """The sum or difference, of other rows."""
        for op in self.update.scale:
            gradient = build_scaled(self.rw, op, gradient)
        return self.rw.remake(cast(SignatureOp, self.op), [table, gradient])

    def add_rows(
        self, size: SSAValue, rows: SSAValue, index: SSAValue
    ) -> SSAValue:
        """Zeros of so many rows, with rows added."""
        zero = self.rw.constant_like(0, self.update.table)
        ones = tuple(d for d, n in enumerate(shape_of(self.update.table)) if n == 1)
        zeros = self.rw.make(tensor.AllocOp, zero, size, *self.sizes[1:], ones=ones)
        return self.rw.remake(self.update.scatter, [zeros, rows, index])

    def part(self, value: SSAValue, bound: SSAValue, *, behind: bool = False) -> SSAValue:
        """value[:bound] or value[bound:]; itself, if it has one row for all."""
        if shape_of(value)[0] == 1:
            return value
        slices = "@:" if behind else ":@"
        return self.rw.make(tensor.SubtensorOp, value, bound, slices=slices)

    def stored(self, table: SSAValue, rows: SSAValue, index: SSAValue) -> SSAValue:
        """A table with rows replaced."""
        props = {**props_of(self.update.scatter), "set": True}
        return self.rw.remake(self.update.scatter, [table, rows, index], props)

    def all_rows(self, number: SSAValue, done: SSAValue) -> SSAValue:
        """The table with its first `number` rows updated by all but the first `done` ones."""
        update = self.update
        rows, index = (self.part(v, done, behind=True) for v in (update.rows, update.places))
        gradient = self.add_rows(number, rows, index)
        new = self.difference(self.part(update.table, number), gradient)
        return self.rw.make(
            tensor.IncSubtensorOp, update.table, new, number, slices=":@", set=True
        )

    def some_rows(self, number: SSAValue, table: SSAValue) -> SSAValue:
        """`table` with the rows that the first `number` indices name updated."""
        rw, update = self.rw, self.update
        rows, index = (self.part(v, number) for v in (update.rows, update.places))
        unset = rw.make(tensor.AllocOp, self.zero, self.sizes[0], ones=(), unset=True)
        one = rw.constant(1, self.count.type)
        positions = rw.make(tensor.ArangeOp, self.zero, number, one, dtype="int64")
        last = self.stored(unset, positions, index)
        names = rw.make(tensor.AdvancedSubtensorOp, last, index)
        gradient = self.add_rows(number, rows, names)
        old = rw.make(tensor.AdvancedSubtensorOp, update.table, index)
        own = rw.make(tensor.AdvancedSubtensorOp, gradient, names)
        return self.stored(table, self.difference(old, own), index)


# Patterns.


@SPARSE.on(elemwise.SubOp, elemwise.AddOp)
def update_of_rows(rw: Rewriter, op: Operation) -> bool:
    """W - lr * (zeros[idx] += g) -> W, its rows idx replaced; see the module."""
    update = find(op)
    if update is None:
        return False
    zero = rw.constant_like(0, update.table)
    if (kept := build_is_kept(rw, op, update.scale, zero)) is False:
        return False
    builder = _Builder(rw, op, update)
    few = builder.few(kept)
    some = rw.make(elemwise.SwitchOp, few, builder.count, builder.zero)
    every = rw.make(elemwise.SwitchOp, few, builder.zero, builder.sizes[0])
    return rw.replace(builder.some_rows(some, builder.all_rows(every, some)))

