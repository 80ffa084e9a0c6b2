"""Which nests read columns by tiles: the part of `schedule-cpu` for arrays in mixed orders.

A nest's lanes run along its innermost iterator, as its results do. An input whose neighbours in
memory belong to another iterator, a column where the others have rows, would be loaded lane by
lane. Instead the nest gets `tile = R`: of R iterations of that other iterator, which goes next to
the innermost one, such inputs are first copied to a tile in which they are rows, in vectors that
are transposed in registers (`llvm_tiles`); the loops then run over the tile. Nothing changes in
what is computed.

    loops.nest (%j < %m, %i < %n) ins(%x[%i, %j], %y[%j, %i]) -> (collect[%i, %j])
 to
    loops.nest (%i < %n, %j < %m) ins(%x[%i, %j], %y[%j, %i]) -> (collect[%i, %j])
        schedule {tile = 16, vector = 8}
"""

from __future__ import annotations

from collections import Counter
from typing import cast

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, SSAValue

from tetractys.dialects.loops import GatherOp, NestOp
from tetractys.passes.llvm_types import itemsize
from tetractys.passes.vectorize import step_along

TILE_BYTES = 128
"""Bytes of a column that a tile takes at once: two lines, as the processor fetches them."""
MOST_TILES = 8
"""Inputs of one nest that may have tiles: each takes 24 KB of the stack."""


def columns_of(nest: NestOp) -> list[tuple[int, SSAValue]]:
    """The inputs that are columns to the innermost iterator, each with the iterator that its
    neighbours in memory belong to.
    """
    last = nest.rank - 1
    found: list[tuple[int, SSAValue]] = []
    for value, entries in zip(nest.inputs, nest.input_maps):
        if last in entries and step_along(value, entries, last) not in (1, -1):
            near = next((e for e in entries if e >= 0 and step_along(value, entries, e) == 1), -1)
            found += [(near, value)] if near >= 0 else []
    return found


def tiled_iterator(nest: NestOp) -> int:
    """The iterator that tiles should go along, beside the innermost one; negative for none.

    Every result collects: what is combined would be combined in another order. A body that looks
    elements up stays scalar.
    """
    if nest.rank < 2 or any(kind != "collect" for kind in nest.kind_names):
        return -1
    columns = columns_of(nest)
    if not columns or len(columns) > MOST_TILES:
        return -1
    if any(isinstance(op, GatherOp) for op in nest.block.ops):
        return -1
    return Counter(near for near, _ in columns).most_common(1)[0][0]


def tile_rows(nest: NestOp) -> int:
    """How many iterations a tile takes of the iterator next to the innermost one."""
    types = [cast("TensorType[Attribute]", value.type) for _, value in columns_of(nest)]
    return max(TILE_BYTES // max(itemsize(type_.element_type) for type_ in types), 8)
