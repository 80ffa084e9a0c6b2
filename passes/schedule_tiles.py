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

A nest around others whose rows are an input's columns copies them to rows first, R of them at once
(a whole row is needed at a time here, so these tiles lie in the arena).

    loops.nest (%i < %n) ins(%c = %x[:, %i]) -> ... { loops.nest (%k < %d) ins(%c[%k]) -> ... }
 to
    loops.nest (%i < %n) ins(%c = %x[:, %i]) -> ... schedule {tile = 16} {
      %r = loops.nest (%k < %d) ins(%e = %c[%k]) -> (collect[%k]) schedule {tile = 16} { yield %e }
      loops.nest (%k < %d) ins(%r[%k]) -> ... }
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import cast

from xdsl.dialects import func
from xdsl.dialects.builtin import DictionaryAttr, IntegerAttr, TensorType, i64
from xdsl.ir import Attribute, BlockArgument, SSAValue

from tetractys.dialects.loops import SLICE, ZERO, GatherOp, NestOp, YieldOp, is_leaf
from tetractys.passes.llvm_types import itemsize
from tetractys.passes.vectorize import step_along

TILE_BYTES = 128
"""Bytes of a column that a tile takes at once: two lines, as the processor fetches them."""
ROW_TILE_BYTES = 256
"""The same where nobody asks for the next tile."""
MOST_TILES = 8
"""Inputs of one nest that may have tiles: each takes 8 KB of the stack."""
CHUNKS = 8
"""Of a nest that copies columns to rows: each has room for a tile, all of which should stay in the
L2 cache.
"""


# Leaf nests.


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
    return _rows_of([value for _, value in columns_of(nest)], TILE_BYTES)


def _rows_of(values: Sequence[SSAValue], size: int) -> int:
    """The rows of tiles of some arrays."""
    types = [cast("TensorType[Attribute]", value.type) for value in values]
    return size // max(itemsize(type_.element_type) for type_ in types)


# Rows of nests.


def copy_columns(nest: NestOp) -> dict[str, int]:
    """Copies the columns that the nests inside read to rows; the schedule of the nest for it.

    Only of arguments of which the caller says that they come in another order (`tt.order`): it
    packs those whose rows are too long for the arena.
    """
    if nest.rank != 1:
        return {}
    found: list[tuple[BlockArgument, SSAValue, SSAValue]] = []
    for element, value, entries in zip(nest.elements, nest.inputs, nest.input_maps):
        kept = [entry for entry in entries if entry != ZERO]
        if kept == [SLICE, 0] and _is_turned(value) and step_along(value, entries, 0) == 1:
            length = _length(nest, element)
            found += [(element, value, length)] if length is not None else []
    if not found:
        return {}
    rows = _rows_of([value for _, value, _ in found], ROW_TILE_BYTES)
    for element, _, length in reversed(found):
        _copy(nest, element, length, rows)
    return {"tile": rows, "chunks": CHUNKS}


def _is_turned(value: SSAValue) -> bool:
    function = value.block.parent_op() if isinstance(value, BlockArgument) else None
    if not isinstance(function, func.FuncOp) or function.arg_attrs is None:
        return False
    return "tt.order" in function.arg_attrs.data[value.index].data  # type: ignore[attr-defined]


def _length(nest: NestOp, row: SSAValue) -> SSAValue | None:
    """The size of a row of the nest, as a nest inside has it that goes along the row."""
    for inner in nest.block.ops:
        if isinstance(inner, NestOp) and is_leaf(inner) and row in inner.inputs:
            (entry,) = inner.input_maps[[*inner.inputs].index(row)]
            if entry >= 0:
                return inner.size_values[entry]
    return None


def _copy(nest: NestOp, column: BlockArgument, length: SSAValue, rows: int) -> None:
    """Puts the copy of a column in front of a body, for all that used the column."""
    block = NestOp.block_for(1, [column], [(0,)])
    block.add_op(YieldOp.create(operands=[block.args[1]], location=nest.location))
    schedule = DictionaryAttr({"tile": IntegerAttr(rows, i64)})
    copy = NestOp.make([length], [column], [(0,)], ["collect"], [(0,)], [column.type], block,
                       schedule=schedule, location=nest.location)  # fmt: skip
    copy.results[0].name_hint = column.name_hint
    column.replace_uses_with_if(copy.results[0], lambda use: use.operation is not copy)
    first = nest.block.first_op
    assert first is not None
    nest.block.insert_op_before(copy, first)
