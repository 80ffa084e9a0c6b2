"""Calls that the native path does not take: bound, filtered and cast here, or refused in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tetractys.inputs import In
from tetractys.runtime.callable import Function

_MISSING = object()


def slow_path(
    items: Sequence[In], name: str
) -> Callable[[Function, tuple[Any, ...], dict[str, Any]], Any]:
    """The function that the runtime calls for unusual arguments."""

    quick = [(item.variable.type.filter, item.strict, item.allow_downcast) for item in items]

    def slow(function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        values = bind(items, args, kwargs) if kwargs or len(args) != len(items) else args
        try:
            arrays = [
                convert(value, strict, downcast)
                for (convert, strict, downcast), value in zip(quick, values)
            ]
        except Exception:  # once more, in words that name the function and the place
            arrays = [
                item.filter(value, name, index)
                for index, (item, value) in enumerate(zip(items, values))
            ]
        return function.call_clean(arrays)

    return slow


def bind(items: Sequence[In], args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Any]:
    """One value an input, from positional and keyword arguments and defaults; Theano's TypeErrors.
    """
    if len(args) > len(items):
        raise TypeError(
            f"Too many parameter passed to tetractys function: found {len(args)}; "
            f"expected at most {len(items)}"
        )
    values: list[Any] = [*args, *[_MISSING] * (len(items) - len(args))]
    names = [item.name or item.variable.name for item in items]
    for keyword, value in kwargs.items():
        index = _position(keyword, names)
        if values[index] is not _MISSING:
            raise TypeError(
                f"Multiple values for input: {keyword}; found one by position and one by keyword"
            )
        values[index] = value
    for index, item in enumerate(items):
        if values[index] is not _MISSING:
            continue
        if item.value is None:
            what = item.name or item.variable.name or f"number {index} ({item.variable})"
            raise TypeError(f"Missing required input: {what}")
        values[index] = item.value
    return values


def _position(keyword: str, names: Sequence[str | None]) -> int:
    """The index of the input called `keyword`; TypeError where there is none, or more than one."""
    if names.count(keyword) > 1:
        raise TypeError(
            f"Ambiguous name: {keyword} - please check the names of the inputs of your function "
            "for duplicates."
        )
    if keyword in names:
        return names.index(keyword)
    known = [name for name in names if name]
    if known:
        plural = "s" if len(known) > 1 else ""
        what = f"The function has {len(known)} named input{plural} ({', '.join(known)})."
    else:
        what = "None of its inputs has a name (use 'name=...' in a Variable's constructor)."
    raise TypeError(f"Unknown input or state: {keyword}. {what}")
