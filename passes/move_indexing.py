"""`move-indexing`: gathers move towards the arguments, scattered additions towards the results.

So do slices and single indices (`move_slices`), and what is added to slices (`move_inserts`).

The loss of a classifier reads one element a row of a whole array of log-probabilities, and its
gradient is an array of zeros with one element a row, used where arrays of that size are added. Both
arrays vanish: the gather takes elements of what the array is made from, and the elements are added
to the sum instead of to zeros.

    %0 = elemwise.sub %x, %s : (tensor<?x?xf64>, tensor<?x1xf64>) -> tensor<?x?xf64>
    %1 = tensor.advanced_subtensor %0, %i, %y : ... -> tensor<?xf64>           // %i = arange(n)
    // becomes
    %0 = tensor.advanced_subtensor %x, %i, %y : ... -> tensor<?xf64>
    %1 = tensor.dimshuffle %s {order = array<i64: 0>} : (tensor<?x1xf64>) -> tensor<?xf64>
    %2 = tensor.advanced_subtensor %1, %i : ... -> tensor<?xf64>
    %3 = elemwise.sub %0, %2 : tensor<?xf64>

Only *exact* rewrites, and only where one of the index vectors is an `arange`: then no two places
are the same, so no sum changes its order, and no more elements are computed than before. (A step of
gradient descent on rows of a table, whatever their indices, is the business of `sparse_updates`.)
Pre-condition: `decompose`, so that what is indexed is elementwise work; zeros are fills, as
`canonicalize` leaves them. Post-condition: no pattern here applies.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import cast

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from tetractys.dialects import elemwise, tensor, types
from tetractys.dialects.build import SignatureOp, props_of
from tetractys.passes.canonicalize_fills import is_zero_fill
from tetractys.passes.canonicalize_shapes import build_size, roots_of
from tetractys.passes.matching import is_float_type, number_of, shape_of
from tetractys.passes.rewriting import PatternTable, Rewriter, apply_patterns, function_blocks

PATTERNS = PatternTable("move indexing")

_INDEXING = (tensor.SubtensorOp, tensor.IncSubtensorOp, tensor.AdvancedSubtensorOp,
             tensor.AdvancedIncSubtensorOp)
_MAPPABLE = tuple(
    class_ for class_ in elemwise.OPERATIONS
    if class_ not in (elemwise.ConstantOp, elemwise.SecondOp)
)


# Predicates.


def is_range(index: SSAValue) -> bool:
    """Whether an index vector names no place twice: it rises from 0 or above.

    (-1 and the last index are one place.)
    """
    owner = index.owner
    if not isinstance(owner, tensor.ArangeOp):
        return False
    start, step = (number_of(owner.operands[k]) for k in (0, 2))
    return start is not None and step is not None and start >= 0 and step > 0


def scattered(value: SSAValue) -> SignatureOp | None:
    """The operation if `value` is zeros with a value of its type added at places of a range."""
    owner = value.owner
    if not isinstance(owner, tensor.AdvancedIncSubtensorOp) or props_of(owner).get("set"):
        return None
    base, added, *indices = owner.operands
    same = types.spec_of(base.type)[0] == types.spec_of(added.type)[0]
    if not same or not is_float_type(base.type) or not any(map(is_range, indices)):
        return None
    return owner if is_zero_fill(base) else None


def added_part(value: SSAValue) -> SignatureOp | None:
    """The operation if `value` is zeros with a value of its type added to a slice."""
    owner = value.owner
    if not isinstance(owner, tensor.IncSubtensorOp) or props_of(owner).get("set"):
        return None
    base, added, *_ = owner.operands
    same = types.spec_of(base.type)[0] == types.spec_of(added.type)[0]
    return owner if same and is_float_type(base.type) and is_zero_fill(base) else None


def is_never_minus_zero(value: SSAValue) -> bool:
    """Whether no element can be -0: what +0 is added to, and what is added to such a value."""
    owner = value.owner
    if isinstance(owner, elemwise.AddOp):
        return any(str(number_of(v)) == "0.0" or is_never_minus_zero(v) for v in owner.operands)
    if isinstance(owner, tensor.IncSubtensorOp | tensor.AdvancedIncSubtensorOp):
        base = owner.operands[0]
        return not props_of(owner).get("set") and (is_zero_fill(base) or is_never_minus_zero(base))
    return False


# Builders.


def build_gather(rw: Rewriter, value: SSAValue, indices: Sequence[SSAValue]) -> SSAValue:
    """`value[indices]`, where dimensions of size 1 broadcast: only the others are indexed.

    As the matched operation does with another array.
    """
    shape = shape_of(value)
    count, gather = len(indices), cast(SignatureOp, rw.op)
    kept = [index for index, size in zip(indices, shape) if size != 1]
    if len(kept) == count:
        return rw.remake(gather, [value, *indices])
    places = [d for d in range(len(shape)) if d >= count or shape[d] != 1]
    if kept:
        dropped = rw.make(tensor.DimshuffleOp, value, order=tuple(places))
        return rw.remake(gather, [dropped, *kept])
    return rw.make(tensor.DimshuffleOp, value, order=(-1, *places))


# Patterns.


@PATTERNS.on(tensor.AdvancedSubtensorOp)
def gather_of_elementwise(rw: Rewriter, op: Operation) -> bool:
    """f(a, b)[range, j] -> f(a[range, j], b[range, j])."""
    source, *indices = op.operands
    producer = source.owner
    if type(producer) not in _MAPPABLE or not any(map(is_range, indices)):
        return False
    made = cast(SignatureOp, producer)
    operands = [build_gather(rw, operand, indices) for operand in made.operands]
    return rw.replace_by(type(made), *operands, **props_of(made))


@PATTERNS.on(tensor.ReduceOp)
def sum_of_scattered(rw: Rewriter, op: Operation) -> bool:
    """sum over the other dimensions of (zeros[range, j] += v) -> zeros[range] += v.

    The places are still looked up where the array is used otherwise, so that they are checked.
    """
    props = props_of(cast(SignatureOp, op))
    value = op.operands[0]
    cast_op = value.owner if isinstance(value.owner, elemwise.CastOp) else None
    source = cast_op.operands[0] if cast_op is not None else value
    scatter = scattered(source)
    if props["kind"] != "add" or scatter is None or not _is_used_otherwise(source, cast_op, op):
        return False
    base, added, *indices = scatter.operands
    rank = len(shape_of(base))
    left = [d for d in range(rank) if d not in cast("tuple[int, ...]", props["axes"])]
    result = op.results[0]
    if len(indices) != rank or len(left) != 1 or shape_of(result) == (1,):
        return False
    if not is_range(indices[left[0]]):
        return False
    zero = rw.constant_like(0, result)
    size = build_size(rw, roots_of(rw).get(base, left[0]))
    zeros = rw.make(tensor.AllocOp, zero, size, ones=())
    if cast_op is not None:
        added = rw.make(elemwise.CastOp, added, **props_of(cast(SignatureOp, cast_op)))
    return rw.replace_by(tensor.AdvancedIncSubtensorOp, zeros, added, indices[left[0]])


def _is_used_otherwise(
    source: SSAValue, cast_op: Operation | None, op: Operation
) -> bool:
    through = cast_op if cast_op is not None else op
    return any(use.operation is not through for use in source.uses)


@PATTERNS.on(elemwise.AddOp, elemwise.SubOp)
def sum_with_scattered(rw: Rewriter, op: Operation) -> bool:
    """(zeros[range, j] += v) - b -> (0 - b)[range, j] += v, and its like for `+` and from behind,
    and of slices.

    A zero of the sum is the same: 0 - b and b + 0 are rounded as what stood there.
    """
    for number, operand in enumerate(op.operands):
        scatter, other = scattered(operand) or added_part(operand), op.operands[1 - number]
        if scatter is None or not operand.has_one_use():
            continue
        if shape_of(other) != shape_of(op.results[0]):
            continue  # the sum broadcasts the other one
        _, added, *indices = scatter.operands
        if number == 1 and isinstance(op, elemwise.SubOp):
            whole = rw.make(elemwise.AddOp, added, rw.constant_like(0, added))  # -0 is +0 there
            base, added = other, rw.make(elemwise.NegOp, whole)
        elif isinstance(op, elemwise.AddOp) and is_never_minus_zero(other):
            base = other
        else:
            base = rw.make(_class_of(op), rw.constant_like(0, other), other)
        return rw.replace(rw.remake(scatter, [base, added, *indices]))
    return False


def _class_of(op: Operation) -> type[SignatureOp]:
    return type(op)  # pyright: ignore[reportReturnType]


@cache
def all_patterns() -> PatternTable:
    """The patterns here and in the other files of the pass, which few functions need."""
    from tetractys.passes.move_inserts import INSERTS
    from tetractys.passes.move_slices import SLICES
    from tetractys.passes.sparse_updates import SPARSE

    return PatternTable("move indexing", INSERTS, PATTERNS, SLICES, SPARSE)


class MoveIndexingPass(ModulePass):
    """Gathers towards the arguments, scattered additions towards the results."""

    name = "move-indexing"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Rewrites every function of the module that indexes."""
        blocks = function_blocks(op)
        if any(isinstance(inner, _INDEXING) for block in blocks for inner in block.ops):
            apply_patterns(op, all_patterns())
