"""The sizes of ranges of numbers, of slices, and of what index vectors take out of an array.

Rules of `size_rules`, which see. None of them overflows: a length is counted in whole steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from xdsl.ir import Operation, SSAValue

from tetractys.dialects import types
from tetractys.dialects.build import SignatureOp
from tetractys.dialects.signature import DISCRETE
from tetractys.passes.matching import number_of
from tetractys.passes.size_elements import note_element
from tetractys.passes.size_expressions import Size, is_nonnegative, slice_range, steps_within

if TYPE_CHECKING:
    from tetractys.passes.sizes import SizeAnalysis


def visit_arange(analysis: SizeAnalysis, op: Operation) -> None:
    """The steps between its ends, which are not infinitely many; integers are counted as sizes."""
    table = analysis.table
    is_float = any(types.dtype_of(operand.type) not in DISCRETE for operand in op.operands)
    message = "Maximum allowed size exceeded: found an arange with step 0"
    if types.dtype_of(op.operands[2].type) in DISCRETE:
        _require_step(analysis, op, analysis.scalar(op.operands[2]), message)
    elif (number := number_of(op.operands[2])) is not None:
        analysis.require_number(table.const(int(number == 0)), table.const(0), message, op)
    else:
        analysis.require_number(table.is_zero(op.operands[2]), table.const(0), message, op)
    if is_float:  # computed in floating point, see lower-to-loops
        length = table.arange(op.results[0])
        message = ("Maximum allowed size exceeded: found an arange of numbers that are infinite, "
                   "too far apart or NaN")  # fmt: skip
        analysis.require_number(table.op("maximum", length, 0), length, message, op)
        analysis.set(op.results[0], [length])
    else:
        start, stop, step = (analysis.scalar(operand) for operand in op.operands)
        analysis.set(op.results[0], [_arange_length(analysis, op, start, stop, step)])


def _require_step(analysis: SizeAnalysis, op: Operation, step: Size, message: str) -> None:
    """A step is not 0."""
    table = analysis.table
    is_zero = table.op("switch", table.op("eq", step, 0), 1, 0)
    analysis.require_number(is_zero, table.const(0), message, op)


def _arange_length(
    analysis: SizeAnalysis, op: Operation, start: Size, stop: Size, step: Size
) -> Size:
    """max(0, ceil((stop - start) / step)); `start` and `stop` may be any int64 numbers."""
    table = analysis.table
    if step.constant is not None:
        return _steps_towards(analysis, op, start, stop, step, 1 if step.constant > 0 else -1)
    return table.op(
        "switch",
        table.op("lt", step, 0),
        _steps_towards(analysis, op, start, stop, step, -1),
        _steps_towards(analysis, op, start, stop, step, 1),
    )


def _steps_towards(
    analysis: SizeAnalysis, op: Operation, start: Size, stop: Size, step: Size, sign: int
) -> Size:
    """The steps of `sign` from start to stop; ends more than 2**63 - 1 apart are refused."""
    table = analysis.table
    first, last = (start, stop) if sign > 0 else (stop, start)
    distance = table.op("sub", table.op("maximum", last, first), first)
    if not is_nonnegative(first):
        message = "Maximum allowed size exceeded: found an arange whose ends are too far apart"
        analysis.require_number(table.op("minimum", distance, 0), table.const(0), message, op)
    return steps_within(table, distance, step, sign)


def _region(analysis: SizeAnalysis, op: Operation, first_bound: int) -> list[Size]:
    """The sizes of x[slices]."""
    sizes = analysis.of(op.operands[0])
    entries = analysis.slices(cast(SignatureOp, op), first_bound)
    kept: list[Size] = []
    for size, entry in zip(sizes, entries):
        if isinstance(entry, tuple):
            _require_step(analysis, op, entry[2], "slice step cannot be zero")
            kept.append(slice_range(analysis.table, size, entry)[1])
    return [*kept, *sizes[len(entries) :]]


def visit_subtensor(analysis: SizeAnalysis, op: Operation) -> None:
    """The lengths of the slices; an element of a vector that is known by itself."""
    vector = analysis.vector(op.operands[0])
    result = op.results[0]
    analysis.set(result, _region(analysis, op, 1))
    if vector is None:
        note_element(analysis, op)
        return
    (entry,) = analysis.slices(cast(SignatureOp, op), 1)
    if isinstance(entry, tuple):
        numbers = [None if bound is None else bound.constant for bound in entry]
        if all(bound is None or n is not None for bound, n in zip(entry, numbers)):
            analysis.set_vector(result, vector[slice(*numbers)])
    elif entry.constant is not None and -len(vector) <= entry.constant < len(vector):
        analysis.set_scalar(result, vector[entry.constant])


def _require_region(
    analysis: SizeAnalysis, op: Operation, value: SSAValue, region: Sequence[Size]
) -> None:
    """A stored value broadcasts to the region along dimensions of static size 1."""
    for mine, size in zip(analysis.of(value), region):
        if mine.constant != 1:
            analysis.require(
                mine, size, "could not broadcast input array from size {0} into size {1}", op
            )


def visit_inc_subtensor(analysis: SizeAnalysis, op: Operation) -> None:
    """As large as what is written to; what is written fits its part."""
    _require_region(analysis, op, op.operands[1], _region(analysis, op, 2))
    analysis.set(op.results[0], analysis.of(op.operands[0]))


def _advanced_region(
    analysis: SizeAnalysis, op: Operation, indices: Sequence[SSAValue]
) -> list[Size]:
    length = analysis.table.const(1)
    for index in indices:
        (size,) = analysis.of(index)
        if size.constant == 1:
            continue
        if length.constant == 1:
            length = size
        else:
            analysis.require(
                length,
                size,
                "shape mismatch: indexing arrays could not be broadcast together "
                "with shapes ({0},) ({1},)",
                op,
                "IndexError",
            )
    return [length, *analysis.of(op.operands[0])[len(indices) :]]


def visit_advanced_subtensor(analysis: SizeAnalysis, op: Operation) -> None:
    """One dimension for the index vectors, then those that none of them indexes."""
    analysis.set(op.results[0], _advanced_region(analysis, op, op.operands[1:]))


def visit_advanced_inc_subtensor(analysis: SizeAnalysis, op: Operation) -> None:
    """As large as what is written to; what is written fits what is indexed."""
    region = _advanced_region(analysis, op, op.operands[2:])
    _require_region(analysis, op, op.operands[1], region)
    analysis.set(op.results[0], analysis.of(op.operands[0]))
