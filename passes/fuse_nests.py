"""Fuses loop nests by the rule of `passes/fuse_rule.py`, then what is inside them again.

Candidates are pairs of nests that touch one array: a producer and a consumer, or two readers. The
array of the highest rank comes first. The nests on the way from one to the other come along if they
may; of an elementwise one only what is on the way, the rest is split off (`passes/fuse_split.py`).
A fused nest peels one loop of each member; what one member makes for another is a row or a scalar
of the body, equal reads are one, and arrays used only inside vanish. Pre-condition: level 2 on
values. Post-condition: the same values; `reasons()` says what was fused, and the clause that
refused each other pair.

    %m = loops.nest (%i < %n, %k < %d) ins(%x[%i, %k]) -> (max[%i])
    %e = loops.nest (%i < %n, %k < %d) ins(%x[%i, %k], %m[%i]) -> (collect[%i, %k])
 to
    %e = loops.nest (%i < %n) ins(%xi = %x[%i, :]) -> (collect[%i, :]) {
      %mi = loops.nest (%k < %d) ins(%xi[%k]) -> (max[])
      %ei = loops.nest (%k < %d) ins(%xi[%k]) -> (collect[%k])   // uses %mi
    }
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.ir import Block, SSAValue
from xdsl.passes import ModulePass

from tetractys.dialects import types
from tetractys.dialects.loops import SLICE, ZERO, Map, NestOp
from tetractys.dialects.signature import bytes_of
from tetractys.passes.fuse_build import build_fused, can_flatten, flatten
from tetractys.passes.fuse_graph import BlockGraph, Group, Item, extent
from tetractys.passes.fuse_rule import (
    Candidate,
    Fused,
    FusionLog,
    No,
    Refusal,
    check_group,
    check_profit,
    check_rows,
    map_of_result,
    name_of,
    name_of_value,
    stores_rows,
)
from tetractys.passes.fuse_split import build_split, can_split

PAIRS = 12
"""Of an array that more nests than this touch, only neighbours in the program are paired."""
SWEEPS = 8
"""Searches of one block; each but the last fuses something."""

Touch = tuple[Item, Map]


@dataclass(frozen=True)
class FuseNestsPass(ModulePass):
    """See the module.

    row_elements: the length of a row that is assumed where its size is not known.
    jam: the rows that a row nest will run at a time.
    l2_bytes: the size of the L2 cache; the rows in use may fill half of it.
    """

    name = "fuse-nests"

    row_elements: int = 1024
    jam: int = 4
    l2_bytes: int = 2 << 20

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Fuses the nests of every function; `log` then says what became of them."""
        log = FusionLog()
        object.__setattr__(self, "_log", log)
        for function in op.ops:
            if isinstance(function, func.FuncOp) and function.body.blocks:
                fuse_function(function.body.block, log, self)

    @property
    def log(self) -> FusionLog:
        """What the last `apply` fused and refused."""
        return getattr(self, "_log", None) or FusionLog()

    def reasons(self) -> list[str]:
        """The log, a sentence an entry."""
        return self.log.reasons()


def fuse_function(block: Block, log: FusionLog, options: FuseNestsPass) -> None:
    """Fuses a block's nests, then those in the bodies, and flattens bodies of one nest."""
    pending, fused = [block], []
    while pending:
        block = pending.pop()
        fused += FuseBlock(block, log, options).run()
        for op in block.ops:
            if isinstance(op, NestOp) and any(isinstance(inner, NestOp) for inner in op.block.ops):
                pending.append(op.block)
    for nest in reversed(fused):  # inner ones came later
        if can_flatten(nest):
            flatten(nest)


class FuseBlock:
    """The fusion of the nests that stand in one block."""

    def __init__(self, block: Block, log: FusionLog, options: FuseNestsPass) -> None:
        self.graph = BlockGraph(block)
        self.log = log
        self.options = options
        self._rows: dict[Group, dict[SSAValue, int]] = {}

    def run(self) -> list[NestOp]:
        """Sweeps until nothing more fuses, then builds; the nests that were made."""
        refusals: dict[tuple[Item, Item], Refusal] = {}
        for _ in range(SWEEPS):
            refusals.clear()
            if not self._sweep(refusals):
                break
        self.log.refusals += refusals.values()
        return self._build()

    def _sweep(self, refusals: dict[tuple[Item, Item], Refusal]) -> bool:
        found = False
        for candidate in sorted(self._candidates(), key=_order):
            first, second = candidate.first, candidate.second
            if first.op.parent is None or second.op.parent is None:
                continue  # split meanwhile; its halves are candidates of the next sweep
            groups = self.graph.group_of(first), self.graph.group_of(second)
            if groups[0] is groups[1]:
                refusals.pop((first, second), None)
                continue
            try:
                self._fuse(candidate, *groups)
            except No as no:
                refusals.setdefault(
                    (first, second),
                    Refusal(
                        name_of(first.op),
                        name_of(second.op),
                        no.clause,
                        no.sentence,
                        (first.op.location, second.op.location),
                    ),
                )
            else:
                found = True
        return found

    # -- candidates

    def _candidates(self) -> Iterator[Candidate]:
        """Pairs of nests that touch an array with an iterator of each at one dimension."""
        touches: dict[SSAValue, list[Touch]] = {}
        for item in self.graph.items:
            nest = item.nest
            if nest is None:
                continue
            for value, maps in item.reads.items():
                touches.setdefault(value, []).extend((item, entries) for entries in maps)
            for result in nest.results:
                if isinstance(result.type, TensorType):
                    touches.setdefault(result, []).append((item, map_of_result(nest, result)))
        for value, touching in touches.items():
            touching.sort(key=lambda touch: touch[0].position)
            pairs = combinations(touching, 2) if len(touching) <= PAIRS else _neighbours(touching)
            for first, second in pairs:
                if first[0] is not second[0]:
                    yield from self._of_pair(value, first, second)

    def _of_pair(self, value: SSAValue, first: Touch, second: Touch) -> Iterator[Candidate]:
        gain = min(extent(first[1]), extent(second[1]))
        for axis, (a, b) in enumerate(zip(first[1], second[1])):
            if a >= 0 and b >= 0:
                yield Candidate(first[0], second[0], value, axis, (a, b), gain)

    # -- one candidate

    def _fuse(self, candidate: Candidate, first: Group, second: Group) -> None:
        """Merges two groups and those between them; raises `No`."""
        depth = max(first.depth, second.depth)
        ends = zip((candidate.first, candidate.second), candidate.iterators, (first, second))
        by_columns = any(
            group.iterators.get(item) == iterator and stores_rows(group)
            for item, iterator, group in ends
        )
        check_profit(candidate, depth, by_columns=by_columns)
        between = self.graph.between(first, second)
        if between is None:
            raise No(3, "too much lies between them to look for a way from one to the other")
        groups = {first, second} | between
        iterators = check_group(self.graph, candidate, groups)
        rows, total = self._row_bytes(depth, groups, iterators)
        check_rows(total, self.options.l2_bytes // 2)
        groups = self._split(groups, {first, second}, candidate.gain, iterators)
        self._rows[self.graph.merge(groups, iterators)] = rows

    def _split(
        self, groups: set[Group], ends: set[Group], depth: int, iterators: dict[Item, int]
    ) -> set[Group]:
        """Splits what the fused nest does not need off the elementwise nests between the ends."""
        result = set(groups)
        for group in sorted(groups - ends, key=lambda group: group.first):
            (item, *others) = group.members
            nest = item.nest
            if others or nest is None or item.depth >= depth:
                continue
            needed = {value for consumer, values in item.consumers.items()
                      if self.graph.group_of(consumer) in groups for value in values}  # fmt: skip
            parts = nest.parts()
            if can_split(nest, parts, needed):
                result.discard(group)
                made = {v for v in item.reads if (owner := self.graph.owner(v)) is not None
                        and self.graph.group_of(owner) in groups}  # fmt: skip
                half = self._split_item(item, needed, set(item.reads) - made)
                iterators[half] = iterators.pop(item)
                result.add(self.graph.group_of(half))
        return result

    def _split_item(self, item: Item, needed: set[SSAValue], stored: set[SSAValue]) -> Item:
        nest = item.nest
        assert nest is not None
        consumers = dict(item.consumers)
        first, second, renamed = build_split(nest, nest.parts(), needed, stored)
        return self.graph.replace(item, (first, second), consumers, renamed)[0]

    def _row_bytes(
        self, depth: int, groups: set[Group], iterators: dict[Item, int]
    ) -> tuple[dict[SSAValue, int], int]:
        """The rows that the fused nest reads from outside, and their bytes in all."""
        largest = max(groups, key=lambda group: (len(group.members), -group.first))
        rows = self._rows.get(largest, {})
        if depth < 2:
            return rows, 0
        fresh: dict[SSAValue, int] = {}
        for group in groups:
            for item in group.members if group is not largest or not rows else ():
                for value, maps in item.reads.items():
                    owner = self.graph.owner(value)
                    if owner is None or self.graph.group_of(owner) not in groups:
                        fresh[value] = self._bytes(value, maps[0], iterators.get(item))
        rows = {**rows, **fresh} if len(rows) < 64 else rows
        return rows, sum(rows.values())

    def _bytes(self, value: SSAValue, entries: Map, iterator: int | None) -> int:
        """The bytes of an array that one step of the outer loop touches."""
        dtype, shape = types.spec_of(value.type)
        count = self.options.jam if iterator in entries else 1
        for size, entry in zip(shape, entries):
            if entry not in (iterator, ZERO) and (entry >= 0 or entry == SLICE):
                count *= size if size >= 0 else self.options.row_elements
        return count * bytes_of(dtype)

    # -- building

    def _build(self) -> list[NestOp]:
        """Makes each group of several nests one, and puts the block in a valid order."""
        groups = self.graph.groups()
        if all(len(group.members) == 1 for group in groups):
            return []
        block = self.graph.block
        order = _in_order(groups)
        for item in self.graph.items:
            item.op.detach()
        made: list[NestOp] = []
        for group in order:
            group.members.sort(key=lambda item: item.position)
            if len(group.members) == 1:
                block.add_op(group.members[0].op)
                continue
            self.log.fused.append(
                Fused(tuple(name_of(item.op) for item in group.members[:8]), self._shared(group))
            )
            members = [(item.op, group.iterators[item]) for item in group.members]
            fused = build_fused(members)  # type: ignore[arg-type]
            block.add_op(fused)
            made.append(fused)
        return made

    def _shared(self, group: Group) -> str:
        """The arrays that more than one member touches, in words."""
        touched: dict[SSAValue, int] = {}
        for item in group.members:
            for value in (*item.reads, *item.op.results):
                if isinstance(value.type, TensorType):
                    touched[value] = touched.get(value, 0) + 1
        names = [name_of_value(value) for value, count in touched.items() if count > 1]
        return ", ".join(names[:8]) or "a loop"


def _order(candidate: Candidate) -> tuple[float, ...]:
    return (-candidate.gain, candidate.second.position, -candidate.first.position, candidate.axis)


def _neighbours(touching: list[Touch]) -> Iterator[tuple[Touch, Touch]]:
    yield from zip(touching, touching[1:])


def _in_order(groups: list[Group]) -> list[Group]:
    """Producers before consumers, else as in the program."""
    waiting = {group: len(group.before) for group in groups}
    ready = [(group.first, number) for number, group in enumerate(groups) if not group.before]
    numbers = {group: number for number, group in enumerate(groups)}
    heapq.heapify(ready)
    order: list[Group] = []
    while ready:
        group = groups[heapq.heappop(ready)[1]]
        order.append(group)
        for other in group.after:
            waiting[other] -= 1
            if waiting[other] == 0:
                heapq.heappush(ready, (other.first, numbers[other]))
    assert len(order) == len(groups), "a cycle between fused nests"
    return order
