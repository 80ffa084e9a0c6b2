"""Signs of values at level 2, by looking a few operations up: which `exp` may take the short core.

A NaN is allowed everywhere: "non-positive" means <= 0 or NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from xdsl.dialects.builtin import StringAttr
from xdsl.ir import BlockArgument, Operation, OpResult, SSAValue

from tetractys.dialects import elemwise, types
from tetractys.dialects.loops import SLICE, ZERO, Map, NestOp, Result
from tetractys.dialects.signature import UNSIGNED

_DEPTH = 6
"""How far up to look. The cost grows with the depth; the idioms in question are short."""


def is_nonpositive(value: SSAValue, depth: int = _DEPTH) -> bool:
    """Whether `value` is known to be <= 0 or NaN."""
    rule = _rule(_NONPOSITIVE, value, depth)
    return rule is not None and rule(cast(OpResult, value).op, depth - 1)


def is_nonnegative(value: SSAValue, depth: int = _DEPTH) -> bool:
    """Whether `value` is known to be >= 0 or NaN."""
    if types.dtype_of(value.type) in (*UNSIGNED, "bool", "index"):
        return True
    rule = _rule(_NONNEGATIVE, value, depth)
    return rule is not None and rule(cast(OpResult, value).op, depth - 1)


_Rule = Callable[[Operation, int], bool]


def _rule(table: dict[type[Operation], _Rule], value: SSAValue, depth: int) -> _Rule | None:
    if depth == 0 or not isinstance(value, OpResult):
        return None
    return table.get(type(value.op))


def _always(op: Operation, depth: int) -> bool:
    return True


def _number(op: Operation) -> float:
    return cast(Any, op).number


def _same_sign(op: Operation, depth: int) -> bool:
    """Product or quotient of operands of equal sign; a square."""
    a, b = op.operands
    if a is b and isinstance(op, elemwise.MulOp):
        return True
    return (is_nonnegative(a, depth) and is_nonnegative(b, depth)) or (
        is_nonpositive(a, depth) and is_nonpositive(b, depth)
    )


def _opposite_sign(op: Operation, depth: int) -> bool:
    a, b = op.operands
    return (is_nonnegative(a, depth) and is_nonpositive(b, depth)) or (
        is_nonpositive(a, depth) and is_nonnegative(b, depth)
    )


def _all(predicate: Callable[[SSAValue, int], bool], start: int = 0) -> _Rule:
    return lambda op, depth: all(predicate(v, depth) for v in list(op.operands)[start:])


def _any(predicate: Callable[[SSAValue, int], bool]) -> _Rule:
    return lambda op, depth: any(predicate(v, depth) for v in op.operands)


def _minus_maximum(op: Operation, depth: int) -> bool:
    """`x - max(x)`, the argument of a softmax; or operands of opposite signs."""
    a, b = op.operands
    if is_nonpositive(a, depth) and is_nonnegative(b, depth):
        return True
    return bounds_from_above(b, a)


def _is_float_cast(op: Operation) -> bool:
    """Conversions to narrower integers may wrap; those to a float keep the sign."""
    return types.dtype_of(op.results[0].type) in ("float32", "float64")


_NONNEGATIVE: dict[type[Operation], _Rule] = {
    elemwise.ConstantOp: lambda op, depth: not _number(op) < 0,
    elemwise.SqrOp: lambda op, depth: types.dtype_of(op.results[0].type).startswith("float"),
    elemwise.AbsOp: lambda op, depth: types.dtype_of(op.results[0].type).startswith("float"),
    elemwise.SqrtOp: _always,
    elemwise.ExpOp: _always,
    elemwise.SigmoidOp: _always,
    elemwise.SoftplusOp: _always,
    elemwise.CoshOp: _always,
    elemwise.ErfcOp: _always,
    elemwise.NegOp: _all(is_nonpositive),
    elemwise.AddOp: _all(is_nonnegative),
    elemwise.MulOp: _same_sign,
    elemwise.TrueDivOp: _same_sign,
    elemwise.MaximumOp: _any(is_nonnegative),
    elemwise.MinimumOp: _all(is_nonnegative),
    elemwise.SwitchOp: _all(is_nonnegative, 1),
    elemwise.CastOp: lambda op, depth: _is_float_cast(op) and is_nonnegative(op.operands[0], depth),
}

_NONPOSITIVE: dict[type[Operation], _Rule] = {
    elemwise.ConstantOp: lambda op, depth: not _number(op) > 0,
    elemwise.NegOp: _all(is_nonnegative),
    elemwise.AddOp: _all(is_nonpositive),
    elemwise.SubOp: _minus_maximum,
    elemwise.MulOp: _opposite_sign,
    elemwise.TrueDivOp: _opposite_sign,
    elemwise.MaximumOp: _all(is_nonpositive),
    elemwise.MinimumOp: _any(is_nonpositive),
    elemwise.SwitchOp: _all(is_nonpositive, 1),
    elemwise.CastOp: lambda op, depth: _is_float_cast(op) and is_nonpositive(op.operands[0], depth),
}


def bounds_from_above(bound: SSAValue, element: SSAValue) -> bool:
    """Whether `bound` is a maximum over a set of elements that `element` belongs to.

    `element` is read from an array; `bound` is the result of a `max` over that array, or over what
    the same nest stores in it, either directly or read back at the same indices. Dimensions that
    the maximum keeps must be read by the same index on both sides; all others were combined over
    their whole size.
    """
    element_read = _read(element)
    if element_read is None:
        return False
    bound_read = _read(bound)
    maximum = bound if bound_read is None else bound_read[0]
    if not isinstance(maximum, OpResult) or not isinstance(maximum.op, NestOp):
        return False
    kept = () if bound_read is None else bound_read[1]
    return _is_maximum_of(maximum.op, maximum.index, kept, element_read)


_Index = SSAValue | int
_Read = tuple[SSAValue, tuple[_Index, ...]]


def _read(value: SSAValue) -> _Read | None:
    """The array that an element of a nest's body comes from, and its index, slices seen through."""
    source = _input_of(value)
    if source is None:
        return None
    array, index = source
    outer = _read(array) if isinstance(array, BlockArgument) else None
    if outer is None:
        return array, index
    inner = iter(index)
    return outer[0], tuple(next(inner) if entry == SLICE else entry for entry in outer[1])


def _input_of(value: SSAValue) -> _Read | None:
    if not isinstance(value, BlockArgument):
        return None
    nest = value.owner.parent_op()
    if not isinstance(nest, NestOp) or value.index < nest.rank:
        return None
    number = value.index - nest.rank
    return nest.inputs[number], tuple(
        nest.iterators[entry] if entry >= 0 else entry for entry in nest.input_maps[number]
    )


def _is_maximum_of(nest: NestOp, number: int, kept: tuple[_Index, ...], element: _Read) -> bool:
    """Whether result `number` of `nest`, read at `kept`, is the maximum of a set with `element`."""
    if len(nest.outs_) or cast(StringAttr, nest.kinds.data[number]).data != "max":
        return False
    part = nest.parts()[number]
    index = _index_of(nest, part, element[0])
    if index is None or SLICE in part.map:
        return False
    place = _kept_places(nest, part.map, kept)
    for own, other in zip(index, element[1]):
        if own in place:
            if place[own] is not other:
                return False
        elif own not in nest.iterators and own is not other and own != ZERO:
            return False  # an index of an enclosing nest
    return True


def _index_of(nest: NestOp, part: Result, array: SSAValue) -> tuple[_Index, ...] | None:
    """Where in `array` stands what a result combines: read from there, or collected there too."""
    read = _read(part.value)
    if read is not None and read[0] is array:
        return read[1]
    for other in nest.parts():
        is_stored = other.result is array and other.kind == "collect" and SLICE not in other.map
        if is_stored and other.value is part.value:
            return tuple(nest.iterators[entry] if entry >= 0 else entry for entry in other.map)
    return None


def _kept_places(nest: NestOp, map_: Map, kept: tuple[_Index, ...]) -> dict[_Index, _Index]:
    """Iterator of the maximum's nest -> the index at which the result is read."""
    return {nest.iterators[entry]: index for entry, index in zip(map_, kept) if entry >= 0}


