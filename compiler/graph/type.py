"""`Type`: what values a variable may hold, and how a Python value becomes one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tetractys.graph.variable import Constant, Variable


class Type:
    """Base of all types. A subclass gives `filter` (or `is_valid_value`), `__eq__`, `__hash__`.

    Types are immutable and compared by value; variables of one type may stand for one another.
    """

    Variable = Variable
    Constant = Constant
    SharedVariable: type[Variable] | None = None

    spec: Any = None
    """The `Spec`, (dtype, shape), of an array type, which native operations need; else None."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...  # array types have dtype, ndim, broadcastable

    def filter(self, data: Any, strict: bool = False, allow_downcast: bool | None = None) -> Any:
        """Returns `data` or a conversion of it that is a value of this type; else raises TypeError.

        strict: no conversion. allow_downcast: True allows every cast, False none that loses
        anything, None only that of a Python float to floatX.
        """
        raise NotImplementedError(
            f"{type(self).__name__}.filter: not defined; define it to accept values"
        )

    def filter_variable(self, other: Any, allow_convert: bool = True) -> Variable:
        """Returns `other` as a variable of this type; raises TypeError if it cannot be one."""
        if not isinstance(other, Variable):
            other = self.make_constant(other)
        if other.type != self and allow_convert:
            converted = self.convert_variable(other)
            if converted is not None:
                return converted
        if other.type != self:
            raise TypeError(
                f"Cannot convert Type {other.type} (of Variable {other}) into Type {self}. "
                f"You can try to manually convert {other} into a {self}."
            )
        return other

    def convert_variable(self, variable: Variable) -> Variable | None:
        """`variable` as one of this type where that is only a matter of typing; else None."""
        return variable if self == variable.type else None

    def is_valid_value(self, value: Any) -> bool:
        """Whether `filter(value, strict=True)` accepts `value`."""
        try:
            self.filter(value, strict=True)
        except (TypeError, ValueError):
            return False
        return True

    def make_variable(self, name: str | None = None) -> Variable:
        """A new variable of this type without a value."""
        return self.Variable(self, name=name)

    def make_constant(self, value: Any, name: str | None = None) -> Constant:
        """A constant of this type."""
        return self.Constant(self, value, name=name)

    def __call__(self, name: str | None = None) -> Variable:
        """A new variable of this type."""
        return self.make_variable(name)

    def values_eq(self, first: Any, second: Any) -> bool:
        """Whether two values are equal; overridden where `==` does not say so."""
        return bool(first == second)

    def values_eq_approx(self, first: Any, second: Any) -> bool:
        """Whether two values are equal up to rounding."""
        return self.values_eq(first, second)


class Generic(Type):
    """Any Python object; the type of shared variables that hold no array."""

    def filter(self, data: Any, strict: bool = False, allow_downcast: bool | None = None) -> Any:
        """Returns `data`: every object is a value."""
        return data

    def is_valid_value(self, value: Any) -> bool:
        """Always true."""
        return True

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(Generic)

    def __str__(self) -> str:
        return "Generic"

    __repr__ = __str__


generic = Generic()
