"""`In`, `Out`: inputs and outputs of a function with options; and how arguments are converted."""

from __future__ import annotations

from typing import Any

from tetractys.graph.site import format_site
from tetractys.graph.variable import Variable


class In:
    """An input of a function.

    variable: what it stands for. name: its keyword; the variable's name if not given. value: used
    where a call leaves the argument out. update: a new value for the next call, computed by each
    call. mutable: the function may overwrite the array it is given. borrow: it may keep it. strict:
    nothing is converted. allow_downcast: every cast is made; None only that of a Python float to
    floatX.
    """

    def __init__(
        self,
        variable: Variable,
        name: str | None = None,
        value: Any = None,
        update: Variable | None = None,
        mutable: bool | None = None,
        strict: bool = False,
        allow_downcast: bool | None = None,
        autoname: bool = True,
        implicit: bool | None = None,
        borrow: bool | None = None,
        shared: bool = False,
    ) -> None:
        if not isinstance(variable, Variable):
            raise TypeError(
                f"In: found {variable!r} of type {type(variable).__name__}; expected a variable"
            )
        if name is not None and not isinstance(name, str):
            raise TypeError(f"name must be a string! (got: {name})")
        self.variable = variable
        self.name = variable.name if autoname and name is None else name
        self.value = value
        self.strict = strict
        self.allow_downcast = allow_downcast
        self.implicit = bool(implicit)
        self.shared = shared
        self.update = self._checked_update(update)
        self.mutable = update is not None if mutable is None else mutable
        self.borrow = self.mutable if borrow is None else borrow
        if self.mutable and not self.borrow:
            raise AssertionError(
                f"Symbolic input for variable {variable} (name={self.name}) has flags "
                f"mutable=True, "
                "borrow=False. This combination is incompatible since mutable=True implies that "
                "the input "
                "variable may be both aliased (borrow=True) and overwritten."
            )

    def _checked_update(self, update: Variable | None) -> Variable | None:
        if update is None:
            return None
        update = (
            self.variable.type.filter_variable(update, allow_convert=True)
            if not isinstance(update, Variable)
            else update
        )
        if update.type != self.variable.type:
            raise TypeError(
                f"Variable '{self.variable}' has type {self.variable.type} but an update of type "
                f"{update.type}. The type of the update should be the same as the type of the "
                f"variable"
            )
        return update

    def filter(self, value: Any, function_name: str, index: int) -> Any:
        """`value` as an argument; TypeError or ValueError that names the function, the place and
        the line.

        The words are Theano's: `Bad input argument to tetractys function with name ... at index
        ...`.
        """
        if isinstance(value, Variable):
            raise TypeError(
                bad_input(self.variable, function_name, index)
                + (
                    "Expected an array-like object, but found a Variable: maybe you are trying "
                    "to call a "
                    "function on a (possibly shared) variable instead of a numeric array?"
                )
            )
        try:
            return self.variable.type.filter(value, self.strict, self.allow_downcast)
        except (TypeError, ValueError, OverflowError) as error:
            first = error.args[0] if error.args else ""
            message = bad_input(self.variable, function_name, index) + str(first)
            error.args = (message, *error.args[1:])
            raise

    def __repr__(self) -> str:
        update = f" -> {self.update}" if self.update is not None else ""
        return f"In({self.variable}{update})"


def bad_input(variable: Variable, function_name: str, index: int) -> str:
    """The head of the message about an argument that does not fit."""
    return (
        f'Bad input argument to tetractys function with name "{function_name}" at index {index} '
        f"(0-based).  "
        f"\nBacktrace when that variable is created:\n\n{format_site(variable.site)}\n"
    )


class Out:
    """An output of a function. borrow: it may alias memory that the function keeps."""

    def __init__(self, variable: Variable, borrow: bool = False) -> None:
        self.variable = variable
        self.borrow = borrow

    def __repr__(self) -> str:
        return f"Out({self.variable},{self.borrow})"


SymbolicInput = In
SymbolicOutput = Out
Param = In
