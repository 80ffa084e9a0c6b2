"""Shape work: views where nothing moves, nests where elements are made."""

from __future__ import annotations

from typing import cast

from xdsl.ir import BlockArgument, SSAValue

from tetractys.dialects import elemwise_signatures as scalar
from tetractys.dialects import types
from tetractys.dialects.build import SignatureOp, props_of
from tetractys.dialects.loops import ViewOp
from tetractys.dialects.signature import DISCRETE
from tetractys.passes.lower_access import (
    ConstantAccess,
    RangeAccess,
    ScalarAccess,
    SizeAccess,
    VectorAccess,
)
from tetractys.passes.lower_elemwise import broadcast
from tetractys.passes.lower_indexing import build_empty
from tetractys.passes.lower_nests import FunctionLowering, is_view, shape_of


def lower_dimshuffle(lowering: FunctionLowering, op: SignatureOp) -> None:
    """Vanishes into maps; of rank 0 the one element."""
    order = cast("tuple[int, ...]", props_of(op)["order"])
    result = op.results[0]
    lowering.set_access(result, lowering.access(op.operands[0]).dimshuffle(order))


def lower_size(lowering: FunctionLowering, op: SignatureOp) -> None:
    """A size that is already known as an index."""
    lowering.set_access(op.results[0], SizeAccess(lowering.analysis.scalar(op.results[0])))


def lower_shape(lowering: FunctionLowering, op: SignatureOp) -> None:
    """A vector of sizes."""
    sizes = lowering.analysis.of(op.operands[0])
    lowering.set_access(op.results[0], VectorAccess(tuple(SizeAccess(n) for n in sizes), 0))


def lower_make_vector(lowering: FunctionLowering, op: SignatureOp) -> None:
    """A vector of scalars, cast to its dtype."""
    dtype = types.dtype_of(op.results[0].type)
    elements: list[ScalarAccess | ConstantAccess | SizeAccess] = []
    for operand in op.operands:
        access = lowering.access(operand)
        is_kept = types.dtype_of(operand.type) == dtype
        if is_kept and isinstance(access, ConstantAccess | SizeAccess | ScalarAccess):
            elements.append(access)
        else:
            elements.append(ScalarAccess(lowering.cast(lowering.scalar(operand), dtype)))
    lowering.set_access(op.results[0], VectorAccess(tuple(elements), 0))


def lower_alloc(lowering: FunctionLowering, op: SignatureOp) -> None:
    """A broadcast; an array only where one is needed, or where elements are only stored."""
    if props_of(op).get("unset"):
        lowering.set(op.results[0], build_empty(lowering, op.results[0]))
        return
    broadcast(lowering, op.operands[0], op.results[0])


def lower_arange(lowering: FunctionLowering, op: SignatureOp) -> None:
    """A range is computed from the iterator wherever it is used."""
    result = op.results[0]
    dtype = types.dtype_of(result.type)
    start, stop, step = (lowering.scalar(operand) for operand in op.operands)
    first, delta = lowering.cast(start, dtype), lowering.cast(step, dtype)
    if any(types.dtype_of(value.type) not in DISCRETE for value in (start, stop, step)):
        (size,) = lowering.analysis.of(result)
        length = _float_length(lowering, start, stop, step)
        lowering.set_index(size, length)
        # As NumPy: the difference of the first two elements, where there are two (a step may be
        # infinite).
        second = lowering.op(scalar.ADD, first, delta)
        several = lowering.op(scalar.LT, lowering.constant(1, "index"), length)
        delta = lowering.op(scalar.SWITCH, several, lowering.op(scalar.SUB, second, first),
                            lowering.constant(0, dtype))  # fmt: skip
    lowering.set_access(result, RangeAccess(first, delta, 0))


def _float_length(
    lowering: FunctionLowering, start: SSAValue, stop: SSAValue, step: SSAValue
) -> SSAValue:
    """max(0, ceil((stop - start) / step)) as an index; -1 where no index is so large.

    At least 1 where a step goes towards `stop`, however small the quotient.
    """
    wide = [lowering.cast(value, "float64") for value in (start, stop, step)]
    distance, zero = lowering.op(scalar.SUB, wide[1], wide[0]), lowering.constant(0.0, "float64")
    quotient = lowering.op(scalar.TRUE_DIV, distance, wide[2])
    negated = lowering.op(scalar.FLOOR, lowering.op(scalar.NEG, quotient))
    length = lowering.op(scalar.CAST, lowering.op(scalar.NEG, negated), dtype="index")
    signs = [lowering.op(scalar.LT, zero, value) for value in (distance, wide[2])]
    some = lowering.op(scalar.AND, lowering.op(scalar.NEQ, distance, zero),
                       lowering.op(scalar.EQ, *signs))  # fmt: skip
    length = lowering.op(scalar.MAXIMUM, length, lowering.cast(some, "index"))
    size = lowering.op(scalar.ABS, quotient)
    fits = lowering.op(scalar.LT, size, lowering.constant(2.0**63, "float64"))  # False for NaN
    return lowering.op(scalar.SWITCH, fits, length, lowering.constant(-1, "index"))


def lower_reshape(lowering: FunctionLowering, op: SignatureOp) -> None:
    """Dimensions of size 1 come and go freely; else a view of a contiguous array."""
    source, result = op.operands[0], op.results[0]
    sizes = lowering.analysis.of(result)
    order = _order_of_ones(lowering, source, result)
    if order is not None:
        lowering.set_access(result, lowering.access(source).dimshuffle(order))
        return
    if not shape_of(result):  # an array of one element
        zeros = [lowering.constant(0, "index")] * len(shape_of(source))
        lowering.set(result, lowering.gather(lowering.array(source), zeros, True))
        return
    if not shape_of(source):
        order = [-1] * len(sizes)
        lowering.set_access(result, lowering.access(source).dimshuffle(order))
        return
    array = lowering.array(source)
    if isinstance(array, BlockArgument) or is_view(array):  # maybe with gaps between its rows
        array = lowering.copy(source)
    view = ViewOp.create(
        operands=[array, *[lowering.index(size) for size in sizes]],
        result_types=[result.type],
        location=op.location,
    )
    lowering.block.add_op(view)
    lowering.set(result, view.results[0])


def _order_of_ones(
    lowering: FunctionLowering, source: SSAValue, result: SSAValue
) -> list[int] | None:
    """The dimshuffle that a reshape is, if it only adds and drops dimensions of static size 1."""
    same = lowering.analysis.table.same
    before, after = shape_of(source), shape_of(result)
    kept = [axis for axis, n in enumerate(before) if n != 1]
    wanted = [axis for axis, n in enumerate(after) if n != 1]
    sizes, found = lowering.analysis.of(source), lowering.analysis.of(result)
    pairs = list(zip(kept, wanted))
    if len(kept) != len(wanted) or not all(same(sizes[a], found[b]) for a, b in pairs):
        return None
    order = [-1] * len(after)
    for axis, place in pairs:
        order[place] = axis
    return order
