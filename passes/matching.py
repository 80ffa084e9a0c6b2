"""What the patterns of level 1 ask of values, in one place."""

from __future__ import annotations

from typing import TypeVar

from xdsl.ir import Attribute, Operation, SSAValue

from tetractys.dialects import types
from tetractys.dialects.elemwise import ConstantOp
from tetractys.dialects.signature import is_float

OpT = TypeVar("OpT", bound=Operation)


def made_by(value: SSAValue, class_: type[OpT]) -> OpT | None:
    """The operation that makes `value`, if it is of this very class."""
    owner = value.owner
    return owner if type(owner) is class_ else None  # pyright: ignore[reportReturnType]


def argument_of(value: SSAValue, class_: type[Operation]) -> SSAValue | None:
    """`x` if `value` is `class_(x, ...)`."""
    owner = value.owner
    return owner.operands[0] if isinstance(owner, Operation) and type(owner) is class_ else None


def number_of(value: SSAValue) -> int | float | bool | None:
    """The number, if `value` is a constant."""
    owner = value.owner
    return owner.number if isinstance(owner, ConstantOp) else None


def is_number(value: SSAValue, number: float) -> bool:
    """Whether `value` is a constant equal to `number`; zeros of both signs are equal."""
    owner = value.owner
    return isinstance(owner, ConstantOp) and owner.number == number


def is_float_type(type_: Attribute) -> bool:
    """Whether the elements of a type are floating-point numbers."""
    return is_float(types.dtype_of(type_))


def shape_of(value: SSAValue) -> tuple[int, ...]:
    """The static shape, -1 where a size is known at run time only."""
    return types.spec_of(value.type)[1]
