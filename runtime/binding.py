"""Positional and keyword arguments of a call to the operands of its spec, with Python's words where
that fails.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tetractys.runtime.spec import KernelSpec


def bind_arguments(
    spec: KernelSpec, defaults: Sequence[Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> list[Any]:
    """One value for every input, in order; `defaults[k]` is None where input `k` has no default.

    Raises `TypeError` for too many, missing, doubled or unknown arguments.
    """
    label = f"{spec.name or 'function'}()"
    count = len(spec.inputs)
    if len(args) > count:
        raise TypeError(f"{label} takes {count} arguments; {len(args)} given")
    if not kwargs and len(args) == count:
        return list(args)
    values: list[Any] = [*args, *[None] * (count - len(args))]
    given = [True] * len(args) + [False] * (count - len(args))
    positions = {
        operand.name: k for k, operand in enumerate(spec.inputs) if operand.name is not None
    }
    for name, value in kwargs.items():
        if name not in positions:
            raise TypeError(f"{label} got an unexpected keyword argument {name!r}")
        if given[positions[name]]:
            raise TypeError(f"{label} got multiple values for argument {name!r}")
        values[positions[name]], given[positions[name]] = value, True
    for k, operand in enumerate(spec.inputs):
        if given[k]:
            continue
        if defaults[k] is None:
            raise TypeError(f"{label} missing the argument {operand.name or k!r}")
        values[k] = defaults[k]
    return values
