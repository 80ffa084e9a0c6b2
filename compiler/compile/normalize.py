"""The arguments of `function` brought into one form, each fault with Theano's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tetractys.graph import Constant, MissingInputError, Variable, ancestors, format_site
from tetractys.graph.traverse import io_toposort
from tetractys.inputs import In, Out
from tetractys.sharedvalue import SharedVariable


class UnusedInputError(Exception):
    """An input of a function that no output or update needs, or one that is given twice."""


def normalize_inputs(inputs: object, allow_downcast: bool | None) -> list[In]:
    """Each input as an `In`; refuses what is no list, shared variables and duplicates."""
    if not isinstance(inputs, (list, tuple)):
        raise Exception(
            "Input variables of a Tetractys function should be contained in a list, "
            "even when there is a single input."
        )
    result = [_as_in(item, allow_downcast) for item in inputs]
    seen: dict[Variable, int] = {}
    for index, item in enumerate(result):
        variable = item.variable
        if isinstance(variable, SharedVariable):
            raise TypeError(
                f"Cannot use a shared variable ({variable}) as explicit input. Consider "
                "substituting a non-shared variable via the `givens` parameter"
            )
        if item.update is not None:
            raise NotImplementedError(
                f"In: found an update of input {variable}; expected none, inputs keep no state; "
                "use tetractys.shared and `updates`"
            )
        if isinstance(variable, Constant):
            raise TypeError(f"Constants not allowed in param list: {variable}")
        if variable in seen:
            raise UnusedInputError(
                f"Variable {variable} is used twice in inputs to tetractys.function, at indices "
                f"{seen[variable]} and {index}.  This would result in values provided for it being "
                "ignored. Please do not duplicate variables in the inputs list."
            )
        seen[variable] = index
    return result


def _as_in(item: object, allow_downcast: bool | None) -> In:
    if isinstance(item, In):
        if item.allow_downcast is None and allow_downcast is not None:
            item.allow_downcast = allow_downcast
        return item
    if isinstance(item, (list, tuple)) and len(item) == 2 and isinstance(item[0], Variable):
        return In(item[0], value=item[1], allow_downcast=allow_downcast)
    if not isinstance(item, Variable):
        raise TypeError(f"Unknown parameter type: {type(item)}")
    return In(item, allow_downcast=allow_downcast)


def normalize_outputs(outputs: object) -> tuple[list[Variable], str, tuple[str, ...]]:
    """(variables, form, keys); form is `one`, `list` or `dict` (None gives `[]`, D6), keys sorted
    as Theano does.
    """
    if outputs is None:
        return [], "list", ()
    if isinstance(outputs, Mapping):
        for key in outputs:
            if not isinstance(key, str):
                raise AssertionError(f"Keys in outputs dict must be strings, found {key!r}")
        keys = tuple(sorted(outputs))
        return [_as_output(outputs[key]) for key in keys], "dict", keys
    if isinstance(outputs, (list, tuple)):
        return [_as_output(item) for item in outputs], "list", ()
    return [_as_output(outputs)], "one", ()


def _as_output(item: object) -> Variable:
    if isinstance(item, Out):
        item = item.variable
    if not isinstance(item, Variable):
        raise TypeError(
            "Outputs must be tetractys Variable or Out instances. "
            f"Received {item} of type {type(item)}"
        )
    return item


_UPDATES = (
    "The updates parameter must be an OrderedDict/dict or a list of lists/tuples with 2 elements, "
    "(shared variable, expression); found {!r}"
)


def normalize_updates(updates: Any) -> dict[SharedVariable, Variable]:
    """Target -> expression of its very type; refuses wrong targets, duplicates and other types."""
    pairs: Any = updates.items() if isinstance(updates, Mapping) else updates or ()
    if not isinstance(pairs, Iterable):
        raise ValueError(_UPDATES.format(updates))
    result: dict[SharedVariable, Variable] = {}
    for pair in pairs:
        if not isinstance(pair, Sequence) or len(pair) != 2:
            raise ValueError(_UPDATES.format(pair))
        target, value = pair
        if not isinstance(target, SharedVariable):
            raise TypeError("update target must be a SharedVariable", target)
        if target in result:
            raise ValueError(
                "this shared variable already has an update expression", (target, result[target])
            )
        result[target] = _as_update(target, value)
    return result


def _as_update(target: SharedVariable, value: Any) -> Variable:
    try:
        return target.type.filter_variable(value)
    except TypeError as error:
        raise TypeError(
            "An update must have the same type as the original shared variable "
            f"(shared_var={target}, shared_var.type={target.type}, update_val={value}, "
            f"update_val.type={getattr(value, 'type', type(value))}).",
            "If the difference is related to the broadcast pattern, you can call the "
            "tensor.unbroadcast(var, axis_to_unbroadcast[, ...]) function to remove broadcastable "
            "dimensions.",
        ) from error


def check_unused(inputs: Sequence[In], results: Sequence[Variable], what: str) -> None:
    """Raises or warns, as `what` says, about inputs that no result needs."""
    if what not in ("raise", "warn", "ignore"):
        raise ValueError(
            f"Invalid value for keyword on_unused_input of tetractys.function: {what!r}.\n"
            "Valid values are 'raise', 'warn', and 'ignore'."
        )
    if what == "ignore":
        return
    used = set(ancestors(results))
    for index, item in enumerate(inputs):
        if item.variable in used:
            continue
        message = (
            "tetractys.function was asked to create a function computing outputs given certain "
            f"inputs, but the provided input variable at index {index} is not part of the "
            "computational graph needed to compute the outputs: "
            f"{item.variable}.\n"
        )
        if what == "warn":
            import warnings

            warnings.warn(
                message + "To make this warning into an error, you can pass the parameter "
                "on_unused_input='raise' to tetractys.function. To disable it completely, "
                "use on_unused_input='ignore'.",
                stacklevel=4,
            )
            continue
        raise UnusedInputError(
            message + "To make this error into a warning, you can pass the parameter "
            "on_unused_input='warn' to tetractys.function. To disable it completely, use "
            "on_unused_input='ignore'."
        )


def check_missing(given: Sequence[Variable], results: Sequence[Variable]) -> None:
    """Raises MissingInputError for a leaf that has no value: no input, shared or constant."""
    known = set(given)
    for node in io_toposort(list(given), results):
        for index, variable in enumerate(node.inputs):
            if (
                variable.owner is None
                and not isinstance(variable, Constant)
                and variable not in known
            ):
                raise MissingInputError(
                    f"Input {index} of the graph (indices start from 0), used to compute "
                    f"{node.op}({', '.join(map(str, node.inputs))}), was not provided and not "
                    f"given a "
                    f"value: {variable}. Add it to the inputs of tetractys.function.\n"
                    f"Backtrace when that variable is created:\n{format_site(variable.site)}",
                )
    for result in results:
        if result.owner is None and not isinstance(result, Constant) and result not in known:
            raise MissingInputError(
                f"An output of the function is {result}, which was not provided and not given "
                f"a value. "
                f"Add it to the inputs of tetractys.function.\n{format_site(result.site)}"
            )
