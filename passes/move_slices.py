"""Slices and single indices towards the arguments: the part of `move-indexing` for basic indexing.

    %0 = elemwise.add %x, %s : (tensor<?x?xf64>, tensor<?x1xf64>) -> tensor<?x?xf64>
    %1 = elemwise.exp %0
    %2 = tensor.subtensor %1, %i {slices = ":, @"} : ... -> tensor<?xf64>
    // becomes
    %0 = tensor.subtensor %x, %i {slices = ":, @"} : ... -> tensor<?xf64>
    %1 = tensor.dimshuffle %s {order = array<i64: 0>} : (tensor<?x1xf64>) -> tensor<?xf64>
    %2 = elemwise.add %0, %1
    %3 = elemwise.exp %2

*Exact*. No more elements are computed than before: what is sliced is used for nothing else, or each
use takes one index of a dimension. An index is checked as before, by the operand that has all of
the dimension; a dimension of size 1 broadcasts, and is not indexed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.ir import Operation, SSAValue

from tetractys.dialects import elemwise, tensor
from tetractys.dialects.build import SignatureOp, name_apply, props_of
from tetractys.dialects.tensor_signatures import Bound, Index, format_slices, parse_slices
from tetractys.passes.canonicalize_shapes import order_of
from tetractys.passes.matching import shape_of
from tetractys.passes.rewriting import PatternTable, Rewriter

SLICES = PatternTable("move slices")

MOST_INDICES = 4
"""Uses of an array, of one index each, up to which it is not worth computing as a whole."""

FULL: Index = (None, None, None)
Entry = tuple[Index, tuple[SSAValue, ...]]
"""How a dimension is indexed, with the run-time bounds that `@` stands for."""

_MAPPABLE = tuple(
    class_ for class_ in elemwise.OPERATIONS
    if class_ not in (elemwise.ConstantOp, elemwise.SecondOp)
)


# Predicates.


def is_only_sliced(value: SSAValue) -> bool:
    """Whether nothing but one slice, or a few single indices, is taken of an array."""
    if value.has_one_use():
        return True
    users = [use.operation for use in value.uses]
    return len(users) <= MOST_INDICES and all(
        isinstance(user, tensor.SubtensorOp)
        and user.operands[0] is value
        and any(not isinstance(entry, tuple) for entry, _ in entries_of(user))
        for user in users
    )


def entries_of(op: Operation) -> list[Entry]:
    """One entry a dimension of what a subtensor indexes, or an inc_subtensor."""
    first = 2 if isinstance(op, tensor.IncSubtensorOp) else 1
    bounds = iter(list(op.operands)[first:])
    found: list[Entry] = []
    for entry in parse_slices(str(props_of(cast(SignatureOp, op))["slices"])):
        parts: Sequence[Bound] = entry if isinstance(entry, tuple) else (entry,)
        found.append((entry, tuple(next(bounds) for part in parts if part == "@")))
    return found + [(FULL, ())] * (len(shape_of(op.operands[0])) - len(found))


# Builders.


def build_slice(
    rw: Rewriter, value: SSAValue, entries: Sequence[Entry], origin: Operation
) -> SSAValue:
    """`value[entries]`, whose errors are those of `origin`; itself where that is all of it."""
    given = list(entries)
    while given and given[-1][0] == FULL:
        given.pop()
    if not given:
        return value
    bounds = [bound for _, values in given for bound in values]
    slices = format_slices([entry for entry, _ in given])
    part = rw.make_op(tensor.SubtensorOp, [value, *bounds], {"slices": slices})
    name_apply(part, origin)
    return part.out


def build_broadcast_slice(
    rw: Rewriter,
    value: SSAValue,
    full: Sequence[int],
    entries: Sequence[Entry],
    origin: Operation,
) -> SSAValue:
    """The same of an operand: a dimension that it repeats is dropped or stays as it is.

    full: the static sizes of what was indexed.
    """
    shape = shape_of(value)
    repeats = [size == 1 and wanted != 1 for size, wanted in zip(shape, full)]
    dropped = [again and not isinstance(entry, tuple)
               for again, (entry, _) in zip(repeats, entries)]  # fmt: skip
    if any(dropped):
        kept = tuple(d for d, gone in enumerate(dropped) if not gone)
        value = rw.make(tensor.DimshuffleOp, value, order=kept)
    left = [(FULL, ()) if again else entry
            for again, gone, entry in zip(repeats, dropped, entries) if not gone]  # fmt: skip
    return build_slice(rw, value, left, origin)


# Patterns.


@SLICES.on(tensor.SubtensorOp)
def slice_of_elementwise(rw: Rewriter, op: Operation) -> bool:
    """f(a, b)[i, j:k] -> f(a[i, j:k], b[i, j:k])."""
    value = op.operands[0]
    made = value.owner
    if type(made) not in _MAPPABLE or not is_only_sliced(value):
        return False
    assert isinstance(made, SignatureOp)
    entries, full = entries_of(op), shape_of(value)
    found: dict[SSAValue, SSAValue] = {}
    for operand in made.operands:
        if operand not in found:
            found[operand] = build_broadcast_slice(rw, operand, full, entries, op)
    return rw.replace(rw.remake(made, [found[operand] for operand in made.operands]))


@SLICES.on(tensor.SubtensorOp)
def slice_of_dimshuffle(rw: Rewriter, op: Operation) -> bool:
    """x.T[i, j:k] -> x[j:k, i], transposed, where that brings the slice to elementwise work.

    Dimensions that the dimshuffle adds are taken whole.
    """
    shuffle = op.operands[0].owner
    if not isinstance(shuffle, tensor.DimshuffleOp) or not is_only_sliced(op.operands[0]):
        return False
    source = shuffle.operands[0]
    if type(source.owner) not in _MAPPABLE or not is_only_sliced(source):
        return False
    order, entries = order_of(shuffle), entries_of(op)
    if any(axis < 0 and entry != FULL for axis, (entry, _) in zip(order, entries)):
        return False
    inner: list[Entry] = [(FULL, ())] * len(shape_of(source))
    for axis, entry in zip(order, entries):
        if axis >= 0:
            inner[axis] = entry
    part = build_slice(rw, source, inner, op)
    kept = [axis for axis, (entry, _) in enumerate(inner) if isinstance(entry, tuple)]
    left = [axis for axis, (entry, _) in zip(order, entries) if isinstance(entry, tuple)]
    back = tuple(kept.index(axis) if axis >= 0 else -1 for axis in left)
    return rw.replace_by(tensor.DimshuffleOp, part, order=back)
