"""Canonical forms of single elements of vectors: what shapes are computed from. All rules are
*exact*.

A size must be known before an array is made, so it may not be read from an array that is computed.
An element of what is computed from vectors is computed from their elements:

    %0 = elemwise.mul %z, %c2 : (tensor<?xi32>, tensor<1xi32>) -> tensor<?xi32>
    %1 = tensor.reshape_to %x, %0 {ndim = 2 : i64}
    // becomes
    %a = tensor.subtensor %z {slices = "0"} ...
    %b = tensor.subtensor %z {slices = "1"} ...
    %0 = tensor.make_vector %a * 2, %b * 2
    %1 = tensor.reshape_to %x, %0 {ndim = 2 : i64}
"""

from __future__ import annotations

from typing import cast

from xdsl.ir import Operation, SSAValue

from tetractys.dialects import elemwise, tensor, types
from tetractys.dialects.build import SignatureOp, props_of
from tetractys.dialects.signature import INTEGERS
from tetractys.dialects.tensor_signatures import parse_slices
from tetractys.passes.matching import number_of, shape_of
from tetractys.passes.rewriting import PatternTable, Rewriter

ELEMENTS = PatternTable("canonicalize elements")

_MAPPABLE = tuple(
    class_ for class_ in elemwise.OPERATIONS
    if class_ not in (elemwise.ConstantOp, elemwise.SecondOp)
)
_DEPTH = 16
"""Operations that a chain may have of whose vectors elements are looked up."""
_COMPUTED = (*_MAPPABLE, tensor.AdvancedSubtensorOp, tensor.IncSubtensorOp)


# Predicates.


def index_of_element(op: Operation) -> int | None:
    """`i` of a subtensor x[i] with a literal index, where x is a vector."""
    entries = parse_slices(cast(str, props_of(cast(tensor.TensorOp, op))["slices"]))
    if len(shape_of(op.operands[0])) != 1 or len(entries) != 1 or not isinstance(entries[0], int):
        return None
    return entries[0]


def is_taken_apart(vector: SSAValue) -> bool:
    """Whether a vector is one of integers, of which few are ever used, or only looked up in."""
    return types.dtype_of(vector.type) in INTEGERS or _is_only_looked_up(vector, _DEPTH)


def _is_only_looked_up(vector: SSAValue, depth: int) -> bool:
    """Whether literal elements alone are used of a vector, and of what is computed from it."""
    if depth == 0:
        return False
    for use in vector.uses:
        user = use.operation
        if type(user) in _MAPPABLE:
            if not _is_only_looked_up(user.results[0], depth - 1):
                return False
        elif isinstance(user, tensor.SubtensorOp):
            if index_of_element(user) is None:
                return False
        elif not isinstance(user, tensor.ReshapeToOp) or use.index != 1:
            return False  # of a shape only elements will be used, see below
    return True


# Patterns.


@ELEMENTS.on(tensor.SubtensorOp)
def element_of_elementwise(rw: Rewriter, op: Operation) -> bool:
    """f(v, w)[i] -> f(v[i], w[i])."""
    made, index = op.operands[0].owner, index_of_element(op)
    if index is None or type(made) not in _MAPPABLE or not is_taken_apart(op.operands[0]):
        return False
    if shape_of(op.operands[0]) == (1,):
        return False  # the index is checked
    assert isinstance(made, SignatureOp)
    elements = [
        rw.make(tensor.DimshuffleOp, operand, order=()) if shape_of(operand) == (1,)
        else rw.remake(cast(SignatureOp, op), [operand])
        for operand in made.operands
    ]  # fmt: skip
    return rw.replace(rw.remake(made, elements))


@ELEMENTS.on(tensor.SubtensorOp)
def element_of_gather(rw: Rewriter, op: Operation) -> bool:
    """v[indices][i] -> v[indices[i]]."""
    gather = op.operands[0].owner
    if index_of_element(op) is None or not isinstance(gather, tensor.AdvancedSubtensorOp):
        return False
    if len(gather.operands) != 2 or not is_taken_apart(op.operands[0]):
        return False
    vector, indices = gather.operands
    index = rw.remake(cast(SignatureOp, op), [indices])
    return rw.replace(rw.remake(cast(SignatureOp, op), [vector, index], {"slices": "@"}))


@ELEMENTS.on(tensor.SubtensorOp)
def element_of_range(rw: Rewriter, op: Operation) -> bool:
    """arange(3, 9, 2)[1] -> 5, of known numbers, and where there is such an element."""
    range_, index = op.operands[0].owner, index_of_element(op)
    if index is None or not isinstance(range_, tensor.ArangeOp):
        return False
    start, stop, step = (number_of(operand) for operand in range_.operands)
    if not (isinstance(start, int) and isinstance(stop, int) and isinstance(step, int)) or not step:
        return False
    numbers = range(start, stop, step)
    if not -len(numbers) <= index < len(numbers):
        return False  # an error at run time
    return rw.replace(rw.constant(numbers[index], op.results[0].type))


@ELEMENTS.on(tensor.SubtensorOp)
def element_of_set(rw: Rewriter, op: Operation) -> bool:
    """(v[j] = a)[i] -> a where i is j, else v[i]; of literal indices that count from one end."""
    insert, index = op.operands[0].owner, index_of_element(op)
    if index is None or not isinstance(insert, tensor.IncSubtensorOp):
        return False
    (place,) = parse_slices(str(props_of(insert)["slices"])) or (None,)
    if not isinstance(place, int) or not props_of(insert).get("set") or (place < 0) != (index < 0):
        return False
    vector, value = insert.operands[:2]
    if place != index:
        return rw.replace(rw.remake(cast(SignatureOp, op), [vector]))
    dtype = types.dtype_of(op.results[0].type)
    if types.dtype_of(value.type) == dtype:
        return rw.replace(value)
    return rw.replace_by(elemwise.CastOp, value, dtype=dtype)


@ELEMENTS.on(tensor.ReshapeToOp)
def reshape_to_elements(rw: Rewriter, op: Operation) -> bool:
    """reshape(x, f(v)) -> reshape(x, make_vector(f(v)[0], f(v)[1])).

    That the vector has so many elements is checked by what `hoist-checks` has made of it.
    """
    value, sizes = op.operands
    if type(sizes.owner) not in _COMPUTED or shape_of(sizes) == (1,):
        return False
    props = props_of(cast(SignatureOp, op))
    elements = [rw.make(tensor.SubtensorOp, sizes, slices=str(k))
                for k in range(cast(int, props["ndim"]))]  # fmt: skip
    if len(elements) < 2:
        return False
    vector = rw.make(tensor.MakeVectorOp, *elements, dtype=types.dtype_of(sizes.type))
    return rw.replace(rw.remake(cast(SignatureOp, op), [value, vector]))
