"""Maxima and minima of nothing: NumPy's error, reported before the nest runs."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import llvm
from xdsl.ir import SSAValue

from tetractys.dialects.loops import NestOp
from tetractys.passes.llvm_frame import Frame
from tetractys.passes.llvm_scopes import ScopedBuilder

_NAMES = {"max": "maximum", "min": "minimum"}


def check_empty(frame: Frame, nest: NestOp, around: SSAValue | None = None) -> None:
    """Reports each `max` or `min` of the nest, and of those inside, that has nothing to combine.

    An empty result is none: NumPy gives an empty array then. around: whether the nest is reached.
    """
    builder = frame.builder
    zero = builder.index(0)
    sizes = [frame.scalar(size) for size in nest.sizes]
    for number, part in enumerate(nest.parts()):
        combined = [size for level, size in enumerate(sizes) if level not in part.map]
        if part.kind not in _NAMES or not combined:
            continue
        builder.location = nest.location
        failed = builder.icmp("eq", combined[0], zero)
        for size in combined[1:]:
            failed = builder.binary(llvm.OrOp, failed, builder.icmp("eq", size, zero))
        collected = [size for level, size in enumerate(sizes) if level in part.map]
        failed = _and(builder, failed, _and_sizes(builder, around, collected))
        code = frame.tables.error("ValueError", _message(nest, number), nest)
        frame.fail_if(failed, code, [])
    for op in nest.block.ops:
        if isinstance(op, NestOp):
            check_empty(frame, op, _and_sizes(builder, around, sizes))


def _and(builder: ScopedBuilder, lhs: SSAValue | None, rhs: SSAValue | None) -> SSAValue:
    found = [value for value in (lhs, rhs) if value is not None]
    return builder.binary(llvm.AndOp, *found) if len(found) == 2 else found[0]


def _and_sizes(
    builder: ScopedBuilder, start: SSAValue | None, sizes: Sequence[SSAValue]
) -> SSAValue | None:
    """Whether `start` holds and no size is 0."""
    found = start
    for size in sizes:
        found = _and(builder, found, builder.icmp("ne", size, builder.index(0)))
    return found


def _message(nest: NestOp, number: int) -> str:
    parts = nest.parts()
    if number + 1 < len(parts) and parts[number + 1].kind == "argmax":
        return "attempt to get argmax of an empty sequence"
    kind = _NAMES[parts[number].kind]
    return f"zero-size array to reduction operation {kind} which has no identity"
