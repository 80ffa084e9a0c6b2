"""Which nests go backwards: the part of `schedule-cpu` for arrays that several nests read.

A nest that has gone over an array leaves its end in the cache. The next one that goes over it in
the same direction begins where the cache holds nothing, and by the time it comes to the end that is
gone, too; the other way round it finds what is there. So of nests that follow each other over one
array, along the same of its dimensions, every other one gets `backwards`. Only nests around others
whose results all collect their loop: their rows do not see each other. Whether the array is small
enough for this to help is asked when the kernel runs (`NestLowering.turned`).

    loops.nest (%i < %n) ins(%x[%i, :]) -> (add[:]) {...}
    loops.nest (%i < %n) ins(%x[%i, :]) -> (collect[%i]) {...}    // gets backwards = 1
"""

from __future__ import annotations

from collections.abc import Iterator

from xdsl.ir import Block, SSAValue

from tetractys.dialects.loops import NestOp, is_leaf


def nests_backwards(block: Block) -> list[NestOp]:
    """The nests of a function's block that should go backwards; all are scheduled."""
    found: list[NestOp] = []
    last: dict[SSAValue, tuple[int, bool]] = {}
    for nest in (op for op in block.ops if isinstance(op, NestOp) and op.rank):
        along = list(_arrays_along(nest))
        back = may_turn(nest) and any(last.get(value) == (d, False) for value, d in along)
        if back:
            found.append(nest)
        for value, d in along:
            last[value] = d, back
    return found


def may_turn(nest: NestOp) -> bool:
    """Whether it does not show in which order a nest's rows are done, and nothing depends on it."""
    if nest.rank != 1 or is_leaf(nest) or nest.scheduled("tile") or nest.scheduled("prefetch"):
        return False
    return all(kind == "collect" for kind in nest.kind_names)


def _arrays_along(nest: NestOp) -> Iterator[tuple[SSAValue, int]]:
    """The matrices and larger that the outermost loop goes along, each with the dimension."""
    results = zip(nest.results, nest.result_map_list)
    for value, entries in (*zip(nest.inputs, nest.input_maps), *results):
        if len(entries) > 1 and 0 in entries:
            yield value, entries.index(0)
