"""Elementwise operations and composites to scalar operations (rank 0) or one nest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, Operation, SSAValue

from tetractys.dialects.elemwise import CompositeOp, ConstantOp, ElemwiseOp, SecondOp
from tetractys.passes.lower_access import (
    ConstantAccess,
    ScalarAccess,
    SizeAccess,
    VectorAccess,
)
from tetractys.passes.lower_nests import FunctionLowering, NestBuilder, ScalarBuilder, shape_of

_SEPARATE = (ConstantAccess, ScalarAccess, SizeAccess, VectorAccess)
"""Accesses whose elements are scalars of the function."""


def lower_elemwise(lowering: FunctionLowering, op: Operation) -> None:
    """One operation or composite; constants and fills make nothing."""
    if isinstance(op, ConstantOp):
        value = op.value
        lowering.set_access(op.results[0], ConstantAccess(op.number, _dtype(value)))
    elif isinstance(op, SecondOp):
        broadcast(lowering, op.operands[1], op.results[0])
    elif not shape_of(op.results[0]):
        operands = [lowering.scalar(operand) for operand in op.operands]
        for result, value in zip(op.results, _apply(lowering, op, operands)):
            lowering.set_access(result, ScalarAccess(value))
    elif not _lower_elements(lowering, op):
        _lower_arrays(lowering, op)


def _lower_elements(lowering: FunctionLowering, op: Operation) -> bool:
    """An operation on a short vector of separate scalars (a shape) works on these one by one."""
    if isinstance(op, CompositeOp) or len(shape_of(op.results[0])) != 1:
        return False
    accesses = [lowering.access(operand) for operand in op.operands]
    lengths = {len(access.elements) for access in accesses if isinstance(access, VectorAccess)}
    if not lengths or not all(isinstance(access, _SEPARATE) for access in accesses):
        return False
    made: list[ScalarAccess] = []
    for position in range(max(lengths)):
        operands = [
            access.elements[position % len(access.elements)].element(lowering, ())
            if isinstance(access, VectorAccess) else access.element(lowering, ())
            for access in accesses
        ]  # fmt: skip
        made.append(ScalarAccess(_apply(lowering, op, operands)[0]))
    lowering.set_access(op.results[0], VectorAccess(tuple(made), 0))
    return True


def broadcast(lowering: FunctionLowering, value: SSAValue, result: SSAValue) -> None:
    """`result` is `value` along the trailing dimensions, where its static size is not 1."""
    shape = shape_of(value)
    padding = len(shape_of(result)) - len(shape)
    order = [-1] * padding + [-1 if n == 1 else axis for axis, n in enumerate(shape)]
    lowering.set_access(result, lowering.access(value).dimshuffle(order))


def _dtype(attribute: Attribute) -> str:
    from tetractys.dialects import types

    return types.dtype_of(attribute.type)  # type: ignore[attr-defined]


def _lower_arrays(lowering: FunctionLowering, op: Operation) -> None:
    nest = NestBuilder(lowering, op.location)
    first = op.results[0]
    positions = nest.iterate(lowering.analysis.of(first), shape_of(first))
    values = _apply(nest, op, [nest.element(operand, positions) for operand in op.operands])
    count = len(op.results)
    types_ = [result.type for result in op.results]
    arrays = nest.finish(["collect"] * count, [positions] * count, types_, values)
    for result, array, value in zip(op.results, arrays, values):
        if isinstance(op, CompositeOp) and isinstance(value.owner, ElemwiseOp):
            lowering.hint = value.owner.signature.short
        lowering.set(result, array)


def _apply(
    builder: ScalarBuilder, op: Operation, operands: Sequence[SSAValue]
) -> Sequence[SSAValue]:
    """The operation on scalars, at the end of the builder's block; a composite's body moves
    there.
    """
    if isinstance(op, CompositeOp):
        return _inline(builder, op, operands)
    result = cast("TensorType[Attribute]", op.results[0].type).element_type
    made = type(op).create(
        operands=operands,
        result_types=[result],
        properties=op.properties,
        location=op.location,
    )
    made.results[0].name_hint = op.results[0].name_hint
    builder.block.add_op(made)
    return made.results


def _inline(
    builder: ScalarBuilder, op: CompositeOp, operands: Sequence[SSAValue]
) -> Sequence[SSAValue]:
    block = op.block
    for argument, operand in zip(block.args, operands):
        argument.replace_all_uses_with(operand)
    last = block.last_op
    assert last is not None
    values = list(last.operands)
    for inner in list(block.ops):
        if inner is not last:
            inner.detach()
            builder.block.add_op(inner)
    return values
