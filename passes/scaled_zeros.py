"""A value plus or minus a multiple of zeros: what the patterns of `sparse_updates` and
`move_inserts` share.

A step of gradient descent is `w - lr * g`. Where the gradient g is +0, the value keeps its bits iff
what is subtracted is +0 (what is added is -0): `lr` is finite and not negative. Of a constant that
is known here, of a number that the user gives it is asked at run time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

from xdsl.dialects import func
from xdsl.dialects.builtin import IntegerAttr
from xdsl.ir import BlockArgument, Operation, SSAValue

from tetractys.dialects import elemwise, tensor, types
from tetractys.dialects.build import SignatureOp
from tetractys.passes.constant_fold import fold
from tetractys.passes.matching import number_of, shape_of
from tetractys.passes.rewriting import Rewriter

_SCALED = (elemwise.MulOp, elemwise.TrueDivOp, elemwise.NegOp)


class Scaled(NamedTuple):
    """`made`, times numbers: the operations in between, first to last; their sign, +1 or -1, if no
    number that the user gives is negative.
    """

    made: SignatureOp
    scale: tuple[SignatureOp, ...]
    sign: int


# Predicates.


def is_updated(value: SSAValue, result: SSAValue) -> bool:
    """Whether a value is an argument that `result`, which nothing else uses, is to replace."""
    use = result.get_user_of_unique_use()
    if not isinstance(value, BlockArgument) or not isinstance(use, func.ReturnOp):
        return False
    function = value.block.parent_op()
    if not isinstance(function, func.FuncOp) or function.arg_attrs is None:
        return False
    number = function.arg_attrs.data[value.index].data.get("tt.update")
    if not isinstance(number, IntegerAttr):
        return False
    return use.operands[number.value.data] is result


def find_scaled(value: SSAValue, class_: type[SignatureOp]) -> Scaled | None:
    """The operation of a class that a value is a multiple of, and nothing else uses."""
    scale: list[SignatureOp] = []
    sign = 1
    while value.has_one_use():
        owner = value.owner
        if isinstance(owner, class_):
            return Scaled(owner, tuple(reversed(scale)), sign)
        if type(owner) not in _SCALED:
            return None
        assert isinstance(owner, SignatureOp)
        if len(owner.operands) == 1:
            sign, value = -sign, owner.operands[0]
        else:
            left, right = owner.operands
            number, value = (right, left) if is_scalar(right) else (left, right)
            if not is_scalar(number) or (value is right and type(owner) is elemwise.TrueDivOp):
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


# Builders.


def build_scaled(
    rw: Rewriter, op: SignatureOp, value: SSAValue, *, scalar: bool = False
) -> SSAValue:
    """An operation of a scale on another value; scalar: of rank 0."""
    operands = [value if not is_scalar(v) else as_rank_0(rw, v) if scalar else v
                for v in op.operands]  # fmt: skip
    made = rw.remake(op, operands)
    number = fold(cast(Operation, made.owner))
    return made if number is None else rw.constant(number, made.type)


def as_rank_0(rw: Rewriter, value: SSAValue) -> SSAValue:
    """A number of the function, as `is_scalar` knows them, not broadcast."""
    known = number_of(value)
    if known is not None:
        return rw.constant(known, types.tensor_type((types.dtype_of(value.type), ())))
    return cast(Operation, value.owner).operands[0]


def build_is_kept(
    rw: Rewriter, op: Operation, scale: Sequence[SignatureOp], zero: SSAValue
) -> SSAValue | bool:
    """Whether a sum or difference leaves a number as it is, bit for bit, where what is scaled and
    then added or subtracted is `zero`; of rank 0, True or False where it is known.
    """
    change = as_rank_0(rw, zero)
    for one in scale:
        change = build_scaled(rw, one, change, scalar=True)
    number = number_of(change)
    if number is not None:
        wanted = "0.0" if isinstance(op, elemwise.SubOp) else "-0.0"
        return str(float(number)) == wanted
    none, one = (rw.constant_like(number, change) for number in (0, 1))
    is_zero = rw.make(elemwise.EqOp, change, none)
    turned = rw.make(elemwise.TrueDivOp, one, change)  # infinite, with the sign of the zero
    wanted = elemwise.GtOp if isinstance(op, elemwise.SubOp) else elemwise.LtOp
    return rw.make(elemwise.AndOp, is_zero, rw.make(wanted, turned, none))
