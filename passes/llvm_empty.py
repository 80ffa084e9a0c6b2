"""Maxima and minima of nothing: NumPy's error, reported before the nest runs."""

from __future__ import annotations

from xdsl.dialects import llvm
from xdsl.dialects.builtin import i1
from xdsl.ir import SSAValue

from tetractys.dialects.loops import NestOp
from tetractys.passes.llvm_frame import Frame

_NAMES = {"max": "maximum", "min": "minimum"}


def check_empty(frame: Frame, nest: NestOp, around: SSAValue | None = None) -> None:
    """Reports each `max` or `min` of the nest, and of those inside, that has nothing to combine.

    An empty result is none: NumPy gives an empty array then. around: whether the nest is reached.
    """
    builder = frame.builder
    zero = builder.index(0)
    sizes = [frame.scalar(size) for size in nest.sizes]
    reached = around if around is not None else builder.constant(1, i1)
    for number, part in enumerate(nest.parts()):
        combined = [size for level, size in enumerate(sizes) if level not in part.map]
        if part.kind not in _NAMES or not combined:
            continue
        builder.location = nest.location
        failed = reached
        for size in (size for level, size in enumerate(sizes) if level in part.map):
            failed = builder.binary(llvm.AndOp, failed, builder.icmp("ne", size, zero))
        empty = builder.icmp("eq", combined[0], zero)
        for size in combined[1:]:
            empty = builder.binary(llvm.OrOp, empty, builder.icmp("eq", size, zero))
        failed = builder.binary(llvm.AndOp, failed, empty)
        code = frame.tables.error("ValueError", _message(nest, number), nest)
        frame.fail_if(failed, code, [])
    for op in nest.block.ops:
        if isinstance(op, NestOp):
            inside = reached
            for size in sizes:
                inside = builder.binary(llvm.AndOp, inside, builder.icmp("ne", size, zero))
            check_empty(frame, op, inside)


def _message(nest: NestOp, number: int) -> str:
    parts = nest.parts()
    if number + 1 < len(parts) and parts[number + 1].kind == "argmax":
        return "attempt to get argmax of an empty sequence"
    kind = _NAMES[parts[number].kind]
    return f"zero-size array to reduction operation {kind} which has no identity"
