"""What `fuse-nests` knows of a block: who reads what, which nests run together, who depends on
whom.

An `Item` is an operation of the block, a `Group` a set of items that will share one loop. Groups
are merged, never split; the graph between them stays free of cycles. Sets are merged small into
large, so that a chain of n nests costs O(n log n).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from xdsl.ir import Block, Operation, OpResult, SSAValue

from tetractys.dialects.loops import SLICE, ZERO, Map, NestOp

VISITS = 2000
"""Groups that one search for paths looks at before it gives up."""


class Item:
    """One operation of a block, or a nest made by splitting one.

    position: the place in the program; an operand's is lower.
    depth: for a nest, its loops and those inside it.
    reads: value -> maps by which a nest's `ins` read it.
    captured: values of this block that the item uses in any other way.
    """

    def __init__(
        self,
        op: Operation,
        position: float,
        depth: int,
        reads: dict[SSAValue, list[Map]],
        captured: set[SSAValue],
    ) -> None:
        self.op = op
        self.position = position
        self.depth = depth
        self.reads = reads
        self.captured = captured
        self.producers: dict[Item, list[SSAValue]] = {}
        self.consumers: dict[Item, list[SSAValue]] = {}

    @property
    def nest(self) -> NestOp | None:
        """The nest, None for any other operation."""
        return self.op if isinstance(self.op, NestOp) else None


class Group:
    """Items that share one loop; `iterators` says which of each nest's it is.

    first: the lowest position of a member; order: the group's place in a topological order.
    """

    def __init__(
        self,
        members: list[Item],
        iterators: dict[Item, int],
        first: float,
        order: float,
        depth: int,
    ) -> None:
        self.members = members
        self.iterators = iterators
        self.first = first
        self.order = order
        self.depth = depth
        self.before: set[Group] = set()
        self.after: set[Group] = set()

    @property
    def is_nests(self) -> bool:
        """Whether it is made of nests, not another operation."""
        return self.members[0].nest is not None


class BlockGraph:
    """The items and groups of one block."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self.items: list[Item] = []
        self._owner: dict[SSAValue, Item] = {}
        self._group: dict[Item, Group] = {}
        self._halvings = 0
        for position, op in enumerate(block.ops):
            self.add(op, float(position))

    def add(self, op: Operation, position: float) -> Item:
        """Adds an operation whose operands' operations are there."""
        item = make_item(op, position, self.block)
        self.items.append(item)
        group = Group([item], {}, position, position, item.depth)
        self._group[item] = group
        for result in op.results:
            self._owner[result] = item
        for value in (*item.reads, *item.captured):
            producer = self._owner.get(value)
            if producer is not None and producer is not item:
                self.connect(producer, item, value)
        return item

    def connect(self, producer: Item, consumer: Item, value: SSAValue) -> None:
        """Records that one item uses a value of another."""
        values = producer.consumers.setdefault(consumer, [])
        if value not in values:
            values.append(value)
        consumer.producers[producer] = values
        source, target = self._group[producer], self._group[consumer]
        if source is not target:
            source.after.add(target)
            target.before.add(source)

    def replace(
        self,
        item: Item,
        ops: Sequence[Operation],
        consumers: dict[Item, list[SSAValue]],
        renamed: dict[SSAValue, SSAValue],
    ) -> list[Item]:
        """Operations in place of one that is alone in its group; `renamed`: what its results are
        now.
        """
        order = self._group[item].order
        users = list(item.consumers)
        step = self._gap(item.position, [user.position for user in users])
        stride = self._gap(order, [self._group[user].order for user in users])
        self._forget(item)
        made: list[Item] = []
        for number, op in enumerate(ops):
            made.append(self.add(op, item.position + number * step))
            self._group[made[-1]].order = order + number * stride
        for consumer, values in consumers.items():
            for value in values:
                new = renamed[value]
                if value in consumer.reads:
                    consumer.reads[new] = consumer.reads.pop(value)
                if value in consumer.captured:
                    consumer.captured.discard(value)
                    consumer.captured.add(new)
                self.connect(self._owner[new], consumer, new)
        return made

    def _gap(self, place: float, places: Iterable[float]) -> float:
        """A step to a new place behind one and before others; no two steps are alike."""
        self._halvings += 1
        return (min([place + 1.0, *places]) - place) * (0.25 + 0.5 * (self._halvings * 0.618 % 1.0))

    def _forget(self, item: Item) -> None:
        group = self._group.pop(item)
        self.items.remove(item)
        for other in item.producers:
            other.consumers.pop(item, None)
        for other in item.consumers:
            other.producers.pop(item, None)
        for other_group in group.before:
            other_group.after.discard(group)
        for other_group in group.after:
            other_group.before.discard(group)

    def owner(self, value: SSAValue) -> Item | None:
        """The item that makes a value, None where it comes from outside of the block."""
        return self._owner.get(value)

    def group_of(self, item: Item) -> Group:
        """The group of an item."""
        return self._group[item]

    def groups(self) -> list[Group]:
        """All groups, in the order of their first item."""
        return list(dict.fromkeys(self._group[item] for item in self.items))

    def between(self, first: Group, second: Group) -> set[Group] | None:
        """The groups on paths between two, both included; None: too many to look at."""
        if first.order > second.order:
            first, second = second, first
        reached = self._reach({first}, forward=True, limit=second.order)
        if reached is None or second not in reached:
            return reached and set()
        back = self._reach({second}, forward=False, limit=first.order)
        return None if back is None else reached & back

    def _reach(
        self, start: set[Group], *, forward: bool, limit: float, visits: int = VISITS
    ) -> set[Group] | None:
        """Groups reachable along or against uses, up to a place in the topological order."""
        seen = set(start)
        pending = list(start)
        while pending:
            group = pending.pop()
            for other in group.after if forward else group.before:
                beyond = other.order > limit if forward else other.order < limit
                if other not in seen and not beyond:
                    seen.add(other)
                    pending.append(other)
            if len(seen) > visits:
                return None
        return seen

    def _reorder(self, groups: set[Group], kept: Group) -> None:
        """A topological order in which `groups` are one (Pearce and Kelly's, for a contraction)."""
        low = min(group.order for group in groups)
        high = max(group.order for group in groups)
        everything = len(self.items)
        after = self._reach(groups, forward=True, limit=high, visits=everything)
        before = self._reach(groups, forward=False, limit=low, visits=everything)
        assert after is not None and before is not None
        pool = sorted(group.order for group in before | after)
        earlier = sorted(before - groups, key=lambda group: group.order)
        later = sorted(after - groups, key=lambda group: group.order)
        for group, order in zip(earlier, pool):
            group.order = order
        kept.order = pool[len(earlier)]
        for group, order in zip(reversed(later), reversed(pool)):
            group.order = order

    def merge(self, groups: Iterable[Group], iterators: dict[Item, int]) -> Group:
        """Makes several groups one; `iterators` are those of every member."""
        ordered = sorted(groups, key=lambda group: (-len(group.members), group.first))
        kept = ordered[0]
        self._reorder(set(ordered), kept)
        kept.iterators.update(iterators)
        for group in ordered[1:]:
            kept.members += group.members
            kept.first = min(kept.first, group.first)
            kept.depth = max(kept.depth, group.depth)
            for item in group.members:
                self._group[item] = kept
            kept.before = self._move(kept, group, kept.before, group.before, forward=False)
            kept.after = self._move(kept, group, kept.after, group.after, forward=True)
        return kept

    @staticmethod
    def _move(
        kept: Group, group: Group, mine: set[Group], others: set[Group], *, forward: bool
    ) -> set[Group]:
        for other in others:
            links = other.before if forward else other.after
            links.discard(group)
            if other is not kept:
                links.add(kept)
        if len(others) > len(mine):
            mine, others = others, mine
        mine |= others
        mine -= {kept, group}
        return mine


def make_item(op: Operation, position: float, block: Block) -> Item:
    """Looks at an operation's operands and at what its regions use."""
    reads: dict[SSAValue, list[Map]] = {}
    captured: set[SSAValue] = set()
    depth = 0
    if isinstance(op, NestOp):
        for value, entries in zip(op.input_values, op.input_maps):
            reads.setdefault(value, []).append(entries)
        captured.update(value for value in op.operands if value not in reads)
        captured.update(used_from(op, block))
        depth = depth_of(op)
    else:
        captured.update(op.operands)
        captured.update(used_from(op, block))
    return Item(op, position, depth, reads, captured)


def used_from(op: Operation, block: Block) -> Iterator[SSAValue]:
    """The results of operations of a block that an operation's regions use."""
    for region in op.regions:
        for inner in region.walk():
            for value in inner.operands:
                if isinstance(value, OpResult) and value.op.parent is block:
                    yield value


def depth_of(nest: NestOp) -> int:
    """The loops of a nest and of the deepest nest inside it."""
    deepest, pending = 0, [(nest, nest.rank)]
    while pending:
        outer, depth = pending.pop()
        deepest = max(deepest, depth)
        pending += [(op, depth + op.rank) for op in outer.block.ops if isinstance(op, NestOp)]
    return deepest


def extent(entries: Map) -> int:
    """The number of dimensions of an array that a map runs over or takes whole."""
    return sum(entry >= 0 or entry == SLICE for entry in entries if entry != ZERO)
