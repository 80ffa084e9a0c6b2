"""The rule of nest fusion: when two nests may share a loop, and why they may not.

Nests A before B, along dimension a of A and b of B, may be fused iff
  (1) the two dimensions' sizes are one SSA value;
  (2) every result of A that B uses is collected along a, and B reads it only through `ins` with b
      there;
  (3) no value outside the two lies on a path from A to B;
  (4) neither has effects.
Nests between the two that satisfy the same clauses are fused with them. It is worth it when the
array that is no longer read or stored has the rank of the deeper nest, and no array is stored
column by column, or read so but for one that a loop that stores rows reads so already: other work,
elementwise and not on the way to a second use of a row, stays in its own nest, vectorised along its
own dimension.
"""

from __future__ import annotations

from typing import NamedTuple, cast

from xdsl.dialects.builtin import LocationAttr, TensorType
from xdsl.ir import Attribute, Operation, OpResult, SSAValue

from tetractys.dialects.loops import SCATTERS, Map, NestOp
from tetractys.passes.fuse_graph import BlockGraph, Group, Item
from tetractys.passes.naming import name_of, name_of_value

PROFIT = 0
"""Stands for the number of a clause where fusion is legal and does not pay."""


class Refusal(NamedTuple):
    """Why two nests did not become one: a clause's number (0: profit) and a sentence."""

    first: str
    second: str
    clause: int
    sentence: str
    locations: tuple[LocationAttr, ...] = ()

    def __str__(self) -> str:
        why = f"clause ({self.clause})" if self.clause else "no profit"
        return f"{self.first} and {self.second}: {why}: {self.sentence}"


class Fused(NamedTuple):
    """Nests that became one, and the array whose sharing made it worth while."""

    names: tuple[str, ...]
    array: str

    def __str__(self) -> str:
        return f"fused {', '.join(self.names)}: share {self.array}"


class FusionLog:
    """What was fused and what was refused."""

    def __init__(self) -> None:
        self.fused: list[Fused] = []
        self.refusals: list[Refusal] = []

    def clauses(self) -> list[int]:
        """The numbers of the clauses that refused, in order."""
        return [refusal.clause for refusal in self.refusals]

    def reasons(self) -> list[str]:
        """One sentence each; not for pairs that met in one nest all the same, by way of others."""
        apart = [
            refusal
            for refusal in self.refusals
            if not any({refusal.first, refusal.second} <= set(one.names) for one in self.fused)
        ]
        return [str(entry) for entry in (*self.fused, *apart)]


class No(Exception):
    """A refusal on its way out: clause and sentence."""

    def __init__(self, clause: int, sentence: str) -> None:
        super().__init__(sentence)
        self.clause = clause
        self.sentence = sentence


class Candidate(NamedTuple):
    """Two nests that touch one array: `value` at dimension `axis`, by an iterator of each."""

    first: Item
    second: Item
    value: SSAValue
    axis: int
    iterators: tuple[int, int]
    gain: int


def check_group(graph: BlockGraph, candidate: Candidate, groups: set[Group]) -> dict[Item, int]:
    """The iterator of each nest if the groups may share a loop; raises `No`."""
    ordered = sorted(groups, key=lambda group: group.first)
    for group in ordered:
        if not group.is_nests:
            raise No(3, f"{name_of(group.members[0].op)} lies on the way from one to the other")
        for item in group.members if len(group.members) == 1 else ():
            check_effects(item)
    iterators: dict[Item, int] = {}
    largest = max(ordered, key=lambda group: len(group.iterators))  # not copied: chains are long
    if not largest.iterators:
        largest = None
    for group in ordered:
        iterators.update(group.iterators if group is not largest else {})
    for item, iterator in zip((candidate.first, candidate.second), candidate.iterators):
        fixed = graph.group_of(item).iterators.get(item, iterator)
        if fixed != iterator:
            raise No(1, f"{name_of(item.op)} already shares a loop along another dimension")
        iterators[item] = iterator
    fresh = sorted((item for group in ordered if group is not largest for item in group.members),
                   key=lambda item: item.position)  # fmt: skip
    known = _Known(iterators, largest.iterators if largest is not None else {})
    for item in fresh:
        _check_uses(item, known, groups, graph)
    _check_sizes(candidate, iterators)
    members = {item.op for group in groups for item in group.members}
    for item, iterator in iterators.items():
        check_peel(item, iterator)
        check_columns(item, iterator, members)
    return iterators


class _Known:
    """The iterators that are known: of new members, and of the largest group without a copy."""

    def __init__(self, new: dict[Item, int], old: dict[Item, int]) -> None:
        self.new, self.old = new, old

    def get(self, item: Item) -> int | None:
        """The iterator of a nest, None while it is open."""
        found = self.new.get(item)
        return self.old.get(item) if found is None else found


def check_effects(item: Item) -> None:
    """Clause (4), of a nest."""
    assert item.nest is not None
    for kind in item.nest.kind_names:
        if kind in SCATTERS:
            raise No(4, f"{name_of(item.op)} scatters into an array")


def _check_uses(item: Item, known: _Known, groups: set[Group], graph: BlockGraph) -> None:
    """Clause (2) for the values between an item and the others; finds its iterator on the way."""
    for producer, values in item.producers.items():
        if graph.group_of(producer) in groups:
            for value in values:
                _check_use(producer, item, value, known)
    for consumer, values in item.consumers.items():
        if known.get(consumer) is not None and graph.group_of(consumer) in groups:
            for value in values:
                _check_use(item, consumer, value, known)


def _check_use(producer: Item, consumer: Item, value: SSAValue, known: _Known) -> None:
    iterator = known.get(producer)
    assert iterator is not None and producer.nest is not None
    name = f"{name_of_value(value)} of {name_of(producer.op)}"
    entries = map_of_result(producer.nest, value)
    if iterator not in entries:
        raise No(
            2,
            f"{name} is combined, not collected, along that dimension: "
            f"{name_of(consumer.op)} needs all of it",
        )
    if value in consumer.captured or value not in consumer.reads:
        raise No(2, f"{name_of(consumer.op)} uses {name} elsewhere than through ins")
    axis = entries.index(iterator)
    for read in consumer.reads[value]:
        wanted = known.get(consumer)
        if wanted is None and read[axis] >= 0:
            known.new[consumer] = wanted = read[axis]
        if read[axis] != wanted:
            raise No(
                2, f"{name_of(consumer.op)} reads {name} at other places than the one just made"
            )


def map_of_result(nest: NestOp, value: SSAValue) -> Map:
    """The map of a result of a nest that is still on values."""
    assert isinstance(value, OpResult)
    return nest.result_map_list[value.index]


def _check_sizes(candidate: Candidate, iterators: dict[Item, int]) -> None:
    """Clause (1)."""
    assert candidate.first.nest is not None
    size = candidate.first.nest.operands[candidate.iterators[0]]
    for item, iterator in iterators.items():
        assert item.nest is not None
        if item.nest.operands[iterator] is not size:
            raise No(
                1,
                f"{name_of_value(size)} and {name_of_value(item.nest.operands[iterator])} "
                "are not one size",
            )


def check_peel(item: Item, iterator: int) -> None:
    """Whether a nest's results survive when one of its loops becomes the outer one."""
    nest = item.nest
    assert nest is not None
    for kind, entries in zip(nest.kind_names, nest.result_map_list):
        combined = [n for n in range(nest.rank) if n not in entries]
        if kind == "argmax" and iterator in combined and iterator != combined[0]:
            raise No(2, f"{name_of(item.op)} finds a first position along several dimensions")
        if kind == "argmax" and iterator in combined and len(combined) < nest.rank:
            raise No(2, f"{name_of(item.op)} finds first positions of whole rows at once")


def check_columns(item: Item, iterator: int, members: set[Operation]) -> None:
    """Whether what the loop gives are rows of an array that is stored, not its columns.

    One column at a time is slow: a vector of neighbours is what the other order stores at once.
    """
    nest = item.nest
    assert nest is not None
    for entries, result in zip(nest.result_map_list, nest.results):
        inner = [entry for entry in entries if entry >= 0 and entry != iterator]
        if not inner or entries[-1] != iterator:
            continue
        if any(use.operation not in members for use in result.uses):
            raise No(PROFIT, f"the loop would store {name_of_value(result)} column by column")


def stores_rows(group: Group) -> bool:
    """Whether a loop stores rows of an array: it goes along them, whatever it reads."""
    members = {item.op for item in group.members}
    for item, iterator in group.iterators.items():
        assert item.nest is not None
        for entries, result in zip(item.nest.result_map_list, item.nest.results):
            rows = iterator in entries and entries[-1] >= 0 and entries[-1] != iterator
            if rows and any(use.operation not in members for use in result.uses):
                return True
    return False


def check_profit(candidate: Candidate, depth: int, *, by_columns: bool) -> None:
    """Whether sharing the array is worth sharing a loop around `depth - 1` others.

    by_columns: one of them is in a loop that stores rows, and so reads the array by columns anyway.
    """
    if candidate.gain < depth:
        raise No(
            PROFIT,
            f"they share {name_of_value(candidate.value)} of rank {candidate.gain} in "
            f"{depth} loops; what is not on the way to a second use of a row stays in "
            "its own nest",
        )
    if candidate.gain > 1 and candidate.axis == rank_of(candidate.value) - 1 and not by_columns:
        raise No(
            PROFIT,
            f"they share {name_of_value(candidate.value)} by columns, whose elements do not stand "
            "side by side",
        )


def rank_of(value: SSAValue) -> int:
    """The number of dimensions of an array."""
    return len(cast("TensorType[Attribute]", value.type).shape)


def check_rows(found: int, limit: int) -> None:
    """Whether the rows of a step stay in the cache until their second use."""
    if found > limit:
        raise No(
            PROFIT,
            f"the rows in use would take {found} bytes, more than the {limit} "
            "that half the L2 cache holds",
        )
