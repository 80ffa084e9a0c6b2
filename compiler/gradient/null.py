"""Gradients that do not exist: the types of their variables, and the errors about them."""

from __future__ import annotations

from typing import Any

from tetractys.graph import Op, Type, Variable


class DisconnectedInputError(ValueError):
    """A gradient was asked for by a variable that the cost does not depend on."""


class NullTypeGradError(TypeError):
    """A gradient was asked for that is undefined, or that an Op does not implement."""


class NullType(Type):
    """The type of a gradient that does not exist; `why_null` says why.

    Such a variable has no value; an Op's `grad` returns one to say so.
    """

    def __init__(self, why_null: str = "(no explanation given)") -> None:
        self.why_null = why_null

    def filter(self, data: Any, strict: bool = False, allow_downcast: bool | None = None) -> Any:
        """Raises ValueError: there are no values."""
        raise ValueError("No values may be assigned to a NullType")

    def filter_variable(self, other: Any, allow_convert: bool = True) -> Variable:
        """Raises ValueError: there are no values."""
        raise ValueError("No values may be assigned to a NullType")

    def values_eq(self, first: Any, second: Any) -> bool:
        """Raises ValueError: there are no values."""
        raise ValueError("NullType has no values to compare")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(NullType)

    def __str__(self) -> str:
        return "NullType"


class DisconnectedType(Type):
    """The type of the gradient by a variable that the cost does not depend on."""

    def filter(self, data: Any, strict: bool = False, allow_downcast: bool | None = None) -> Any:
        """Raises AssertionError: there are no values."""
        raise AssertionError(
            "If you're assigning to a DisconnectedType you're doing something wrong. It should "
            "only be "
            "used as a symbolic placeholder."
        )

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(DisconnectedType)

    def __str__(self) -> str:
        return "DisconnectedType"


null_type = NullType()
disconnected_type = DisconnectedType()


def grad_not_implemented(op: Op, x_pos: int, x: Variable, comment: str = "") -> Variable:
    """What an Op's `grad` returns for an input whose gradient it does not implement."""
    return NullType(
        f"This variable is Null because the grad method for input {x_pos} ({x}) of the {op} op "
        "is not "
        f"implemented. {comment}"
    )()


def grad_undefined(op: Op, x_pos: int, x: Variable, comment: str = "") -> Variable:
    """What an Op's `grad` returns for an input by which there is no derivative."""
    return NullType(
        f"This variable is Null because the grad method for input {x_pos} ({x}) of the {op} op is "
        f"mathematically undefined. {comment}"
    )()
