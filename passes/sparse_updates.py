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

from xdsl.dialects import func
from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, IntegerAttr
from xdsl.ir import BlockArgument, Operation, SSAValue

from tetractys.dialects import elemwise, tensor, types
from tetractys.dialects.build import SignatureOp, props_of
from tetractys.passes.canonicalize_fills import is_zero_fill
from tetractys.passes.canonicalize_shapes import build_size, roots_of
from tetractys.passes.matching import is_float_type, number_of, shape_of
from tetractys.passes.rewriting import PatternTable, Rewriter

SPARSE = PatternTable("sparse updates")

_SCALED = (elemwise.MulOp, elemwise.TrueDivOp, elemwise.NegOp)


class SparseUpdate(NamedTuple):
    """`table` -+ `scale` of zeros with `rows` added at `index`.

    scale: the operations on the gradient, first to last. sign: +1 or -1, what becomes of the
    gradient's sign if no number that the user gives is negative.
    """

    table: SSAValue
    scatter: SignatureOp
    scale: tuple[SignatureOp, ...]
    sign: int

    @property
    def rows(self) -> SSAValue:
        """What is added."""
        return self.scatter.operands[1]

    @property
    def index(self) -> SSAValue:
        """Where."""
        return self.scatter.operands[2]


# Predicates.


def is_updated(value: SSAValue, result: SSAValue) -> bool:
    """Whether a value is an argument that `result`, which nothing else uses, is to replace."""
    use = result.get_user_of_unique_use()
    if not isinstance(value, BlockArgument) or not isinstance(use, func.ReturnOp):
        return False
    function = value.block.parent_op()
    if not isinstance(function, func.FuncOp) or function.arg_attrs is None:
        return False
    marks = cast("ArrayAttr[DictionaryAttr]", function.arg_attrs).data[value.index]
    number = marks.data.get("tt.update")
    if not isinstance(number, IntegerAttr):
        return False
    return use.operands[number.value.data] is result


def scaled_scatter(value: SSAValue) -> tuple[SignatureOp, tuple[SignatureOp, ...], int] | None:
    """The scatter that a value is a multiple of, the operations in between, their sign."""
    scale: list[SignatureOp] = []
    sign = 1
    while value.has_one_use():
        owner = value.owner
        if isinstance(owner, tensor.AdvancedIncSubtensorOp):
            return owner, tuple(reversed(scale)), sign
        if not isinstance(owner, _SCALED):
            return None
        if isinstance(owner, elemwise.NegOp):
            sign, value = -sign, owner.operands[0]
        else:
            left, right = owner.operands
            number, value = (right, left) if is_scalar(right) else (left, right)
            if not is_scalar(number) or (value is right and isinstance(owner, elemwise.TrueDivOp)):
                return None
            sign = -sign if is_negative(number) else sign
        scale.append(owner)
    return None


def is_scalar(value: SSAValue) -> bool:
    """Whether a value is a number of the function, broadcast."""
    source = value.owner.operands[0] if isinstance(value.owner, tensor.DimshuffleOp) else value
    return number_of(value) is not None or (
        source is not value and not shape_of(source) and all(n == 1 for n in shape_of(value))
    )


def is_negative(number: SSAValue) -> bool:
    """Whether a number is below 0, or the negative of one that the user gives."""
    known = number_of(number)
    if known is not None:
        return known < 0
    return isinstance(cast(Operation, number.owner).operands[0].owner, elemwise.NegOp)


def find(op: Operation) -> SparseUpdate | None:
    """The update that a sum or difference is."""
    table, change = op.operands
    if not is_updated(table, op.results[0]) or table.type != op.results[0].type:
        return None
    found = scaled_scatter(change)
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
    return SparseUpdate(table, scatter, scale, sign)


# Builders.


class _Builder:
    """The operations that replace a sum or difference."""

    def __init__(self, rw: Rewriter, op: Operation, update: SparseUpdate) -> None:
        self.rw = rw
        self.op = op
        self.update = update
        roots = [roots_of(rw).get(update.table, d) for d in range(len(shape_of(update.table)))]
        self.sizes = [build_size(rw, root) for root in roots]
        self.count = build_size(rw, roots_of(rw).get(update.index, 0))
        self.zero = rw.constant(0, self.count.type)

    def few(self) -> SSAValue:
        """Whether only rows shall be looked at: they are few, and the others keep their bits."""
        rw = self.rw
        twice = rw.make(elemwise.AddOp, self.count, self.count)
        few = rw.make(elemwise.LeOp, twice, self.sizes[0])
        change = self._change_of_zero()
        if change is None:
            return few
        zero, one = (rw.constant_like(number, change) for number in (0, 1))
        kept = rw.make(elemwise.EqOp, change, zero)
        turned = rw.make(elemwise.TrueDivOp, one, change)
        wanted = elemwise.GtOp if isinstance(self.op, elemwise.SubOp) else elemwise.LtOp
        for one_more in (kept, rw.make(wanted, turned, zero)):
            few = rw.make(elemwise.AndOp, few, one_more)
        return few

    def _change_of_zero(self) -> SSAValue | None:
        """What is added or subtracted where the gradient is +0, as a number; None: it is known."""
        numbers = [v for op in self.update.scale for v in op.operands if is_scalar(v)]
        if all(self._is_harmless(number) for number in numbers):
            return None
        dtype = types.dtype_of(self.update.table.type)
        value = self.rw.constant(0, types.tensor_type((dtype, ())))
        for op in self.update.scale:
            value = self._remade(op, value, scalar=True)
        return value

    def _is_harmless(self, number: SSAValue) -> bool:
        """Whether a zero times or by a number is a zero: the sign has been seen to."""
        known = number_of(number)
        return known is not None and 0 < abs(known) < float("inf")

    def _remade(self, op: SignatureOp, value: SSAValue, *, scalar: bool = False) -> SSAValue:
        """An operation of the scale on another value; scalar: of rank 0."""
        if isinstance(op, elemwise.NegOp):
            return self.rw.make(elemwise.NegOp, value)
        operands = [(self._number(v) if scalar else v) if is_scalar(v) else value
                    for v in op.operands]  # fmt: skip
        return self.rw.remake(op, operands)

    def _number(self, value: SSAValue) -> SSAValue:
        known = number_of(value)
        if known is not None:
            return self.rw.constant(known, types.tensor_type((types.dtype_of(value.type), ())))
        return cast(Operation, value.owner).operands[0]

    def difference(self, table: SSAValue, gradient: SSAValue) -> SSAValue:
        """The sum or difference, of other rows."""
        for op in self.update.scale:
            gradient = self._remade(op, gradient)
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
        rows, index = (self.part(v, done, behind=True) for v in (update.rows, update.index))
        gradient = self.add_rows(number, rows, index)
        new = self.difference(self.part(update.table, number), gradient)
        return self.rw.make(
            tensor.IncSubtensorOp, update.table, new, number, slices=":@", set=True
        )

    def some_rows(self, number: SSAValue, table: SSAValue) -> SSAValue:
        """`table` with the rows that the first `number` indices name updated."""
        rw, update = self.rw, self.update
        rows, index = (self.part(v, number) for v in (update.rows, update.index))
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
    builder = _Builder(rw, op, update)
    few = builder.few()
    some = rw.make(elemwise.SwitchOp, few, builder.count, builder.zero)
    every = rw.make(elemwise.SwitchOp, few, builder.zero, builder.sizes[0])
    return rw.replace(builder.some_rows(some, builder.all_rows(every, some)))

