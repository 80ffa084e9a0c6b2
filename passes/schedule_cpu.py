"""Says how each nest runs on a CPU: the order of its loops, vector width, rows at a time, prefetch.

Iterators are put in the order of the loops, the last one innermost: the one that most arrays run
along contiguously. A leaf nest gets `vector`, the lanes of its widest element, and `accumulators`
where it combines its innermost loop. A nest whose rows share work (one load of w for several rows
of x, one pass over the gradient's row for several) becomes a row nest, one loop around an inner
nest, with `jam`, the rows at a time, and `prefetch`. A nest of the function's own level gets
`split`, the iterator whose range may be cut for several threads: the outermost one that all
results collect, else the outermost. Nests that read columns where their results are rows get `tile`
(`schedule_tiles`), every other one of those that go over one array `backwards` (`schedule_turns`).
Nothing here changes what is computed, up to the order of a sum's terms.

    loops.nest (%k < %d, %i < %n) ins(%x[%i, %k], %w[%k]) -> (add[%i])
 to
    loops.nest (%i < %n) ins(%xi = %x[%i, :]) -> (collect[%i]) schedule {jam = 4} {
      loops.nest (%k < %d) ins(%xi[%k], %w[%k]) -> (add[]) schedule {accumulators = 4, vector = 8} }
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias, cast

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    DictionaryAttr,
    IntegerAttr,
    IntegerType,
    ModuleOp,
    TensorType,
    f32,
    f64,
    i64,
)
from xdsl.ir import Attribute, Block, SSAValue
from xdsl.passes import ModulePass

from tetractys.dialects import elemwise
from tetractys.dialects.loops import (
    GRAIN,
    MONOIDS,
    SCATTERS,
    ZERO,
    CheckOp,
    DimOp,
    Map,
    NestOp,
    YieldOp,
    is_leaf,
    map_attribute,
    map_entries,
)
from tetractys.passes.fuse_build import build_fused
from tetractys.passes.schedule_tiles import copy_columns, tile_rows, tiled_iterator
from tetractys.passes.schedule_turns import nests_backwards

Lengths: TypeAlias = "dict[SSAValue, int]"
"""What some sizes usually are."""

ACCUMULATORS = 4
"""Independent vector accumulators of a reduction: enough to hide the latency of an addition."""
ROWS = (8, 4, 2)
"""Numbers of rows that may be jammed."""
BODY = 16
"""Operations of an inner loop on all rows: more of them repeat code that is long to compile."""


@dataclass(frozen=True)
class ScheduleCpuPass(ModulePass):
    """See the module.

    vector_bytes: the width of a vector register.
    row_elements, rows: the sizes of the arrays of rows, 0 where they are not known: then a row is
        as long as `tt.sizes` of an argument says, and there are many.
    l1_bytes: what two blocks of rows may fill of the L1 cache.
    l2_bytes: a thread's share of the L2 cache.
    grain: the least work of a chunk of a nest on several threads, in operations on an element.
    """

    name = "schedule-cpu"

    vector_bytes: int = 64
    row_elements: int = 0
    rows: int = 0
    l1_bytes: int = 40960
    l2_bytes: int = 2 << 20
    grain: int = GRAIN

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Schedules every nest of every function."""
        for function in op.ops:
            if isinstance(function, func.FuncOp) and function.body.blocks:
                schedule_block(function.body.block, self, usual_lengths(function))
                for nest in nests_backwards(function.body.block):
                    apply_schedule(nest, {"backwards": 1})


def usual_lengths(function: func.FuncOp) -> dict[SSAValue, int]:
    """The sizes for which an argument's `tt.sizes` says what they usually are.

    A size that is checked to equal another is as that one.
    """
    attributes = function.arg_attrs.data if function.arg_attrs is not None else ()
    hints = {
        argument: map_entries(cast(DenseArrayBase, given.data["tt.sizes"]))
        for argument, given in zip(function.body.block.args, attributes)
        if "tt.sizes" in given.data
    }
    found: dict[SSAValue, int] = {}
    for op in function.body.block.ops if hints else ():
        if isinstance(op, DimOp) and op.source in hints:
            found[op.out] = hints[op.source][op.dim.value.data]  # type: ignore[index]
    for op in function.body.block.ops if hints else ():
        if isinstance(op, CheckOp):
            for one, other in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
                if other in found:
                    found.setdefault(one, found[other])
    return found


def schedule_block(block: Block, options: ScheduleCpuPass, lengths: Lengths) -> None:
    """Schedules the nests of a block and those inside them."""
    pending = [block]
    while pending:
        block = pending.pop()
        at_top = not isinstance(block.parent_op(), NestOp)
        for nest in [op for op in block.ops if isinstance(op, NestOp)]:
            tile: dict[str, int] = {}
            if is_leaf(nest):
                permute(nest, loop_order(nest))
                tile = tile_columns(nest) if at_top else {}
                nest = nest if tile else peel_rows(nest)
            elif at_top:
                tile = copy_columns(nest)
            split = split_schedule(nest, options) if at_top else {}
            if not at_top and nest.scheduled("tile"):
                continue  # the copy of a column
            if is_leaf(nest):
                apply_schedule(nest, split | tile | leaf_schedule(nest, options))
            else:
                apply_schedule(nest, split | tile | row_schedule(nest, options, lengths))
                pending.append(nest.block)


def is_ordered(nest: NestOp) -> bool:
    """Whether the order of iterations shows: a scatter's duplicates, the first of equal maxima."""
    return any(kind in SCATTERS or kind == "argmax" for kind in nest.kind_names)


# -- the order of loops


def loop_order(nest: NestOp) -> list[int]:
    """The iterators, outermost first: the innermost runs along most arrays' last dimension.

    Collected results come before inputs: what is stored column by column is computed by scalars,
    while the lanes of an input may be loaded one by one.
    """
    numbers = list(range(nest.rank))
    if nest.rank < 2 or is_ordered(nest):
        return numbers
    arrays = [(entries, 2) for entries in nest.input_maps]
    most = 2 * len(arrays) + 1
    arrays += [
        (part.map, most if part.kind == "collect" else 2) for part in nest.parts() if part.map
    ]

    def contiguity(iterator: int) -> int:
        score = 0
        for entries, weight in arrays:
            if iterator in entries:
                score += weight if _nearest(entries) == iterator else -weight
        return score

    innermost = max(numbers, key=lambda iterator: (contiguity(iterator), iterator))
    strides = {iterator: _outerness(iterator, [entries for entries, _ in arrays])
               for iterator in numbers}  # fmt: skip
    outer = sorted((n for n in numbers if n != innermost), key=lambda n: (strides[n], n))
    return [*outer, innermost]


def _nearest(entries: Map) -> int:
    """The entry of the last dimension but those of size 1."""
    return next((entry for entry in reversed(entries) if entry != ZERO), ZERO)


def _outerness(iterator: int, maps: Sequence[Map]) -> float:
    """The mean distance of an iterator from the first dimension of the arrays it indexes."""
    places = [
        entries.index(iterator) for entries in maps if iterator in entries and len(entries) > 1
    ]
    return sum(places) / len(places) if places else 0.0


def permute(nest: NestOp, order: list[int]) -> None:
    """Puts the iterators in another order, in place."""
    rank = nest.rank
    if order == list(range(rank)):
        return
    where = {old: new for new, old in enumerate(order)}

    def renamed(attribute: Attribute) -> DenseArrayBase:
        assert isinstance(attribute, DenseArrayBase)
        return map_attribute(tuple(where.get(int(e), int(e)) for e in attribute.get_values()))

    sizes = list(nest.operands[:rank])
    for new, old in enumerate(order):
        nest.operands[new] = sizes[old]
    nest.properties["maps"] = ArrayAttr([renamed(m) for m in nest.maps.data])
    nest.properties["result_maps"] = ArrayAttr([renamed(m) for m in nest.result_maps.data])
    block = nest.block
    counters = [block.args[old] for old in order]
    # xDSL has no public way to move arguments.
    block._args = (*counters, *block.args[rank:])  # pyright: ignore[reportPrivateUsage]
    for index, argument in enumerate(counters):
        argument.index = index


def tile_columns(nest: NestOp) -> dict[str, int]:
    """For a nest that reads columns, `tile` with the iterator along them next to the innermost."""
    near = tiled_iterator(nest)
    if near < 0:
        return {}
    last = nest.rank - 1
    permute(nest, [n for n in range(last) if n != near] + [near, last])
    return {"tile": tile_rows(nest)}


# -- rows

_FREE = (elemwise.ConstantOp, YieldOp)
_CHEAP = (
    elemwise.AddOp, elemwise.SubOp, elemwise.MulOp, elemwise.NegOp, elemwise.AbsOp, elemwise.SqrOp,
    elemwise.FmaOp, elemwise.MaximumOp, elemwise.MinimumOp, elemwise.CastOp, elemwise.ConstantOp,
    YieldOp,
)  # fmt: skip


def is_cheap(nest: NestOp) -> bool:
    """Whether a leaf nest costs loads and stores; else rows at a time only repeat code."""
    ops = list(nest.block.ops)
    return len(ops) <= 8 and all(isinstance(op, _CHEAP) for op in ops)


def shares_rows(nest: NestOp, outer: int, inner: int) -> bool:
    """Whether iterations of one loop, run together, share loads or stores of the inner loop."""
    if not is_cheap(nest):
        return False
    parts = nest.parts()
    rows = [part for part in parts if inner in part.map and outer not in part.map]
    if rows:
        return all(part.kind in MONOIDS for part in rows)
    combines = any(part.kind in MONOIDS and inner not in part.map for part in parts)
    return combines and any(
        inner in entries and outer not in entries for entries in nest.input_maps
    )


def peel_rows(nest: NestOp) -> NestOp:
    """One loop around another for each but the innermost, where rows share work; else the nest."""
    rank = nest.rank
    if rank < 2 or is_ordered(nest) or not shares_rows(nest, rank - 2, rank - 1):
        return nest
    top, block = nest, nest.parent
    assert block is not None
    for depth in range(rank - 1):
        behind = nest.next_op
        nest.detach()
        peeled = build_fused([(nest, 0)])
        assert block is not None and behind is not None
        block.insert_op_before(peeled, behind)
        top = peeled if depth == 0 else top
        block = peeled.block
        inner = block.first_op
        assert isinstance(inner, NestOp)
        nest = inner
    return top


def row_schedule(
    nest: NestOp, options: ScheduleCpuPass, lengths: Lengths
) -> dict[str, int]:
    """Rows at a time for a loop around leaf nests that share something between rows."""
    inner = [op for op in nest.block.ops if isinstance(op, NestOp)]
    if (
        nest.rank != 1
        or not all(is_leaf(op) and is_cheap(op) for op in inner)
        or not _has_shared_rows(nest, inner)
    ):
        return {}
    length = options.row_elements
    if not length:
        length = max((lengths.get(op.size_values[-1], 0) for op in inner if op.rank), default=0)
    jam, prefetch = rows_at_a_time(_row_bytes(nest, length), options)
    longest = max(sum(not isinstance(one, _FREE) for one in op.block.ops) for op in inner)
    jam = next((rows for rows in ROWS if rows <= jam and rows * longest <= BODY), ROWS[-1])
    return {"jam": jam, "prefetch": 1} if prefetch else {"jam": jam}


def _has_shared_rows(nest: NestOp, inner: Sequence[NestOp]) -> bool:
    if any(part.kind in MONOIDS and part.map for part in nest.parts()):
        return True
    inside = {nest.block}
    return any(
        "collect" not in op.kind_names
        and any(value.owner not in inside and getattr(value.owner, "parent", None) not in inside
                for value in op.input_values)
        for op in inner
    )  # fmt: skip


def _row_bytes(nest: NestOp, length: int) -> int:
    """The bytes of one row of the largest array; length: its elements, 0 where not known."""
    largest = 0
    for argument in nest.elements:
        if isinstance(argument.type, TensorType):
            count = 1
            for size in argument.type.get_shape():
                count *= size if size >= 0 else length
            largest = max(largest, count * width_of(argument.type.element_type))
    return largest


def rows_at_a_time(row_bytes: int, options: ScheduleCpuPass) -> tuple[int, bool]:
    """The measured rule: two blocks of rows with w and the gradient's row fit the L1 cache.

    Prefetching the next block pays when it fits too, and the rows do not all stay in the L2 cache.
    """
    if row_bytes == 0:
        return 4, False
    fixed = 2 * row_bytes
    prefetched = [r for r in ROWS if 2 * r * row_bytes + fixed <= options.l1_bytes]
    if prefetched and (not options.rows or options.rows * row_bytes > options.l2_bytes):
        return prefetched[0], True
    fitting = [r for r in ROWS if r * row_bytes + fixed <= options.l1_bytes]
    return (fitting or [ROWS[-1]])[0], False


# -- threads


def split_schedule(nest: NestOp, options: ScheduleCpuPass) -> dict[str, int]:
    """The iterator to cut in chunks, if there is one."""
    parts = nest.parts()
    if not nest.rank or any(part.kind in SCATTERS for part in parts):
        return {}
    collected = [n for n in range(nest.rank) if all(n in part.map for part in parts)]
    if not collected and any(part.kind == "argmax" for part in parts):
        return {}
    split = collected[0] if collected else 0
    found = {"split": split}
    if options.grain != GRAIN:
        found["grain"] = options.grain
    return found


# -- leaves


def leaf_schedule(nest: NestOp, options: ScheduleCpuPass) -> dict[str, int]:
    """Lanes of the widest element; independent accumulators along a combined innermost loop."""
    if nest.rank == 0:
        return {}
    schedule = {"vector": max(1, options.vector_bytes // widest(nest))}
    last = nest.rank - 1
    if any(part.kind in MONOIDS and last not in part.map for part in nest.parts()):
        schedule["accumulators"] = ACCUMULATORS
    return schedule


def widest(nest: NestOp) -> int:
    """The bytes of the widest element that the body reads, computes or yields."""
    width = 1
    for argument in nest.elements:
        width = max(width, width_of(argument.type))
    for op in nest.block.ops:
        for result in op.results:
            width = max(width, width_of(result.type))
    return width


@cache
def width_of(type_: Attribute) -> int:
    """The bytes of an element in memory; of an index, which no array holds, 1."""
    if isinstance(type_, TensorType):
        type_ = type_.element_type
    if isinstance(type_, IntegerType):
        return max(1, type_.width.data // 8)
    return {f32: 4, f64: 8}.get(type_, 1)  # type: ignore[call-overload]


@cache
def schedule_attribute(entries: tuple[tuple[str, int], ...]) -> DictionaryAttr:
    """A schedule, interned."""
    return DictionaryAttr({name: IntegerAttr(number, i64) for name, number in sorted(entries)})


def apply_schedule(nest: NestOp, schedule: dict[str, int]) -> None:
    """Adds entries to a nest's schedule; what is set already stays."""
    given = dict(nest.schedule.data) if nest.schedule is not None else {}
    added = schedule_attribute(tuple(schedule.items())).data
    if schedule or given:
        nest.properties["schedule"] = DictionaryAttr({**added, **given})


__all__ = ["ScheduleCpuPass", "loop_order", "rows_at_a_time", "schedule_block"]
