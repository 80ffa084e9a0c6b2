"""The elements of integer vectors as sizes: shapes that the user computes, one number at a time.

A vector whose elements are known one by one (a shape, `make_vector`) has them in
`SizeAnalysis.vector`; of any other, `element_of` asks for one, looking through elementwise integer
work, so that `x.reshape(z * 2)` reads `z` only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xdsl.dialects.builtin import TensorType
from xdsl.ir import BlockArgument, Operation, OpResult, SSAValue

from tetractys.dialects import elemwise, types
from tetractys.dialects.build import SignatureOp, props_of
from tetractys.dialects.signature import INTEGERS
from tetractys.dialects.tensor_signatures import parse_slices
from tetractys.passes.size_expressions import Size

if TYPE_CHECKING:
    from tetractys.passes.sizes import SizeAnalysis

SCALAR_OPERATIONS = {"elemwise.add": "add", "elemwise.sub": "sub", "elemwise.mul": "mul",
                     "elemwise.maximum": "maximum", "elemwise.minimum": "minimum",
                     "elemwise.int_div": "int_div", "elemwise.eq": "eq",
                     "elemwise.lt": "lt", "elemwise.switch": "switch"}  # fmt: skip
"""Elementwise operations that sizes know, and their names there."""

_ON_ELEMENTS = ("add", "sub", "mul", "maximum", "minimum", "int_div")

_DEPTH = 16
"""Operations that `element_of` looks through: a longer chain is computed as an array."""


def visit_vector(analysis: SizeAnalysis, op: Operation) -> None:
    """A constant of one element, and a cast to int64, have elements that are known one by one."""
    result = op.results[0]
    if types.dtype_of(result.type) not in INTEGERS:
        return
    if isinstance(op, elemwise.ConstantOp):
        analysis.set_vector(result, [analysis.table.const(int(op.number))])
    elif isinstance(op, elemwise.CastOp) and types.dtype_of(result.type) == "int64":
        known = analysis.vector(op.operands[0])
        if known is not None:
            analysis.set_vector(result, known)


def note_element(analysis: SizeAnalysis, op: Operation) -> None:
    """Remembers `vector[2]`, an integer of the program, as that element of the vector."""
    vector, result = op.operands[0], op.results[0]
    if types.dtype_of(result.type) not in INTEGERS or _rank(vector) != 1:
        return
    (entry,) = parse_slices(str(props_of(cast(SignatureOp, op))["slices"])) or (None,)
    if isinstance(entry, int) and entry >= 0:
        analysis.set_element(vector, entry, analysis.scalar(result))


def element_of(analysis: SizeAnalysis, vector: SSAValue, position: int) -> Size:
    """The number at a position of an integer vector that is long enough."""
    return _look(analysis, vector, position, 0) or analysis.table.element(vector, position)


def _look(analysis: SizeAnalysis, value: SSAValue, position: int, depth: int) -> Size | None:
    """`element_of` for vectors and for the scalars of a composite's body; None where unknown."""
    if isinstance(value.type, TensorType):
        known = analysis.vector(value)
        if known is not None:
            position = 0 if _is_one(value) else position
            return known[position] if position < len(known) else None
        found = analysis.element(value, position) or _through(analysis, value, position, depth)
        return found or analysis.table.element(value, position)
    if isinstance(value, BlockArgument):
        composite = value.block.parent_op()
        assert composite is not None
        return _look(analysis, composite.operands[value.index], position, depth + 1)
    if isinstance(value.owner, elemwise.ConstantOp):
        return analysis.table.const(int(value.owner.number))
    return _through(analysis, value, position, depth)


def _through(analysis: SizeAnalysis, value: SSAValue, position: int, depth: int) -> Size | None:
    """An element of what integer work computes from elements."""
    op = value.owner
    if depth == _DEPTH or types.dtype_of(value.type) != "int64":
        return None  # narrower ones wrap around
    if isinstance(op, elemwise.CompositeOp):
        last = op.block.last_op
        assert last is not None and isinstance(value, OpResult)
        return _look(analysis, last.operands[value.index], position, depth + 1)
    name = SCALAR_OPERATIONS.get(op.name) if isinstance(op, Operation) else None
    is_cast = isinstance(op, elemwise.CastOp) and types.dtype_of(op.operands[0].type) in INTEGERS
    if not isinstance(op, Operation) or not (name in _ON_ELEMENTS or is_cast):
        return None
    parts = [_look(analysis, operand, position, depth + 1) for operand in op.operands]
    found = [part for part in parts if part is not None]
    if len(found) != len(parts):
        return None
    return analysis.table.op(name, *found) if name else found[0]


def _rank(value: SSAValue) -> int:
    return len(cast(TensorType, value.type).get_shape())


def _is_one(vector: SSAValue) -> bool:
    """Whether a vector has one element by type, which broadcasts."""
    return types.spec_of(vector.type)[1] == (1,)
