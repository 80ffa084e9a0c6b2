"""Where a `loops.insert` writes: the half of `mark-inplace` for parts of arrays.

    %v = loops.nest ... -> (collect[%i] : tensor<?xf64>)
    %r = loops.insert %v into %t[%o for %n]
becomes, where %t is a temporary that nobody reads any more, and nobody in between,
    %r = loops.insert %v into %t[%o for %n] {direct, inplace}

*inplace*: the result takes the memory of the array. It may iff that is owned, dead afterwards,
whole, and does not hold the value. *direct*: the nest writes the value into the part, not somewhere
else first. It may iff the part is all that the value is used for, is laid out in rows or nearly so,
and can be addressed before the nest (the array, unless it is empty, and the indices come before
it); and, where the memory is the array's own, nothing from the nest on reads it, but for the nest
itself, the same part, element by element.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdsl.dialects.builtin import UnitAttr
from xdsl.ir import BlockArgument, Operation, SSAValue

from tetractys.dialects.loops import SLICE, EmptyOp, InsertOp, NestOp, Result, SubviewOp
from tetractys.dialects.loops_views import AT, part_operands
from tetractys.passes.storage import DIRECT, INPLACE

if TYPE_CHECKING:
    from tetractys.passes.mark_inplace import Memory


MOST_APART = 4
"""The elements between neighbours up to which a vector of them is a few masked stores."""

# Predicates.


def can_take_memory(memory: Memory, insert: InsertOp) -> bool:
    """Whether an insert may write into the memory of its array."""
    return (
        memory.may_write(insert.base, insert)
        and memory.is_dead_after(insert.base, insert)
        and not memory.is_part(insert.base)
        and memory.root(insert.value) is not memory.root(insert.base)
    )


def can_write_part(memory: Memory, nest: NestOp, part: Result, insert: InsertOp) -> bool:
    """Whether a nest may write a result right where an insert would put it."""
    value = part.result
    return (
        part.kind == "collect"
        and value is not None
        and value.has_one_use()
        and insert.value is value
        and insert.parent is nest.parent
        and is_near(insert)
        and is_known_before(memory, insert, nest)
    )


def is_near(insert: InsertOp) -> bool:
    """Whether neighbours in the part's last dimension are near each other in memory: vectors of
    them are stored there as they are computed.
    """
    last = insert.part[-1]
    return last.kind != AT and isinstance(last.step, int) and abs(last.step) <= MOST_APART


def is_known_before(memory: Memory, insert: InsertOp, nest: NestOp) -> bool:
    """Whether the array and the indices are there when the nest begins; an empty array may be."""
    base, start = insert.base.owner, memory.positions[nest]
    needed = [insert.base] if not isinstance(base, EmptyOp) else list(base.sizes)
    return all(
        isinstance(value, BlockArgument)
        or (isinstance(owner := value.owner, Operation) and memory.positions[owner] < start)
        for value in (*needed, *insert.operands[InsertOp.BEFORE :])
    )


def is_free(memory: Memory, nest: NestOp, part: Result, insert: InsertOp) -> bool:
    """Whether nothing reads the array from the nest up to the insert, but the nest the part."""
    own = own_input(nest, part, insert)
    readers = memory.readers(insert.base, nest, insert)
    if not readers:
        return True
    return readers == [nest] and own is not None and memory.is_only_read(nest, own)


def own_input(nest: NestOp, part: Result, insert: InsertOp) -> int | None:
    """The input by which a nest reads the very part that a result goes to, element by element."""
    for number, (value, entries) in enumerate(zip(nest.inputs, nest.input_maps)):
        if entries == part.map and SLICE not in entries and is_same_part(value, insert):
            return number
    return None


def is_same_part(value: SSAValue, insert: InsertOp) -> bool:
    """Whether a value is the part that an insert replaces."""
    view = value.owner
    if not isinstance(view, SubviewOp) or view.source is not insert.base:
        return False
    names = ("kinds", "steps")
    return part_operands(view.part) == part_operands(insert.part) and all(
        view.properties[name] == insert.properties[name] for name in names
    )


# The rewriting.


class Inserts:
    """The inserts of a block, decided once each."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.decided: set[Operation] = set()

    def visit_nest(self, nest: NestOp) -> list[tuple[int, int]]:
        """Results that are written into their part; of those that read it too, (result, input)."""
        pairs: list[tuple[int, int]] = []
        for number, part in enumerate(nest.parts()):
            use = part.result.first_use if part.result is not None else None
            insert = use.operation if use is not None else None
            if not isinstance(insert, InsertOp):
                continue
            if not can_write_part(self.memory, nest, part, insert):
                continue
            taken = can_take_memory(self.memory, insert)
            if taken and not self.memory.may_write(insert.base, nest):
                continue  # it is lent to the insert alone
            if taken and not is_free(self.memory, nest, part, insert):
                continue
            own = own_input(nest, part, insert) if taken else None
            if own is not None:
                pairs.append((number, own))
            insert.attributes[DIRECT] = UnitAttr()
            self._decide(insert, taken)
            assert part.result is not None
            self.memory.share(part.result, insert.base if taken else insert.out)
        return pairs

    def visit_insert(self, insert: InsertOp) -> bool:
        """Whether it takes the memory of its array."""
        if insert not in self.decided:
            self._decide(insert, can_take_memory(self.memory, insert))
        return INPLACE in insert.attributes

    def _decide(self, insert: InsertOp, taken: bool) -> None:
        self.decided.add(insert)
        if taken:
            insert.attributes[INPLACE] = UnitAttr()
            self.memory.share(insert.out, insert.base)
