"""What operations and values are called in the sentences that passes give to `f.explain()`."""

from __future__ import annotations

from typing import cast

from xdsl.dialects.builtin import ArrayAttr, FileLineColLoc, FusedLoc, LocationAttr
from xdsl.ir import Operation, SSAValue


def name_of_value(value: SSAValue) -> str:
    """What a value is called in a sentence."""
    return f"%{value.name_hint}" if value.name_hint else "an unnamed value"


def name_of(op: Operation) -> str:
    """What an operation is called in a sentence: its results, and the user's line."""
    names = [result.name_hint for result in op.results if result.name_hint]
    name = ", ".join(f"%{n}" for n in names[:3]) or op.name
    location = op.location
    if isinstance(location, FusedLoc):
        location = cast("ArrayAttr[LocationAttr]", location.locations).data[0]
    if isinstance(location, FileLineColLoc):
        file = location.filename.data.rpartition("/")[2]
        name += f" ({file}:{location.line.data})"
    return name
