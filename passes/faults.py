"""What an exception of a pass is about: the words that the pass gave, the operation, its place.

Exceptions of xDSL and of our passes carry these in many forms or in none, so they are looked up in
the frames of the traceback, when an error has happened. `tt-opt` and the compile driver read them.
"""

from __future__ import annotations

import traceback
from types import FrameType
from typing import Any

from xdsl.dialects.builtin import (
    ArrayAttr,
    CallSiteLoc,
    FileLineColLoc,
    FusedLoc,
    ModuleOp,
    NameLoc,
)
from xdsl.ir import Attribute, Block, BlockArgument, Operation, OpResult, Region


def first_location(location: Attribute) -> FileLineColLoc | None:
    """The first file and line in a location, or None when it holds none."""
    match location:
        case FileLineColLoc():
            return location
        case CallSiteLoc():
            return first_location(location.callee)
        case NameLoc():
            return first_location(location.location)
        case FusedLoc():
            parts = location.locations.data if isinstance(location.locations, ArrayAttr) else ()
            found = (first_location(part) for part in parts)
            return next((part for part in found if part is not None), None)
        case _:
            return None


def emitted_message(error: BaseException) -> str:
    """What `Operation.emit_error` was given, for an exception that was raised without a text."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code is Operation.emit_error.__code__:
            return str(frame.f_locals["message"])
    return ""


def operation_at_fault(error: BaseException) -> Operation | None:
    """The operation that was being verified, rewritten or complained about when `error` was raised.

    The exceptions do not carry it; the frames of the traceback do, and the innermost one that knows
    is right. A frame knows by what it calls `op`; failing that, by any operation or value it holds.
    """
    frames = [frame for frame, _ in reversed(list(traceback.walk_tb(error.__traceback__)))]
    for of_frame in (_operation_of_frame, _any_operation_of_frame):
        for frame in frames:
            op = of_frame(frame)
            if op is None or isinstance(op, ModuleOp):
                continue
            if of_frame is _operation_of_frame or first_location(op.location) is not None:
                return op
    return None


def _operation_of_frame(frame: FrameType) -> Operation | None:
    if frame.f_code in _METHODS_OF_IR:
        owner: Any = frame.f_locals.get("self")
        while isinstance(owner, (Block, Region)):
            owner = owner.parent
        return owner if isinstance(owner, Operation) else None
    # By convention `op` is what a pattern or a predicate looks at.
    op: Any = frame.f_locals.get("op")
    return op if isinstance(op, Operation) else None


def _any_operation_of_frame(frame: FrameType) -> Operation | None:
    values: list[Any] = list(frame.f_locals.values())
    values += [value.owner for value in values if isinstance(value, (OpResult, BlockArgument))]
    values = [value.parent_op() if isinstance(value, Block) else value for value in values]
    operations = (value for value in values if isinstance(value, Operation))
    return next((op for op in operations if not isinstance(op, ModuleOp)), None)


_METHODS_OF_IR = frozenset(
    method.__code__
    for method in (Operation.emit_error, Operation.verify, Block.verify, Region.verify)
)
