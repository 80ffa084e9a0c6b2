"""`mark-inplace`: results of nests take the memory of operands that nobody needs any more.

Pre-condition: level 2, scheduled; the last pass but `bufferize`, which honours what stands here.
Post-condition: a nest's attribute `inplace` lists pairs (result, operand): inputs count from 0, the
inits of scatters behind them. A result may take an input's memory iff that value

1. is owned: made in this function (by a nest, call or insert, or a view of such a value), or lent
   to this nest by the caller (`mark_updates`); and whole, not a `loops.subview`;
2. is dead afterwards, and with it every view of it;
3. has elements of the same type (the same width would do, but memory has one type at level 3);
4. is read by the same injective full map that the result is collected by, over the same sizes;
5. is read by nothing else in the nest.

A scatter may take its init's by 1, 2 and 5: then nothing is copied.

    %y = loops.nest (%i < %n) ins(%a = %t[%i] : ...) -> (collect[%i] : tensor<?xf64>) {...}
becomes, where %t is a temporary that is not used again
    %y = loops.nest ... {...} attributes {inplace = [array<i64: 0, 0>]}

Nothing of the user's is written: an argument is not owned. Which results the caller may put where a
donated argument or the old value of an update is, is said in `mark_updates` (the indices of what is
written there are checked first: `mark_places`); where a `loops.insert` writes is decided in
`mark_inserts`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    ModuleOp,
    TensorType,
    i64,
)
from xdsl.ir import Attribute, Block, BlockArgument, Operation, SSAValue
from xdsl.passes import ModulePass

from tetractys.dialects import loops
from tetractys.dialects.loops import ZERO, Map, NestOp, Result
from tetractys.passes.mark_inserts import Inserts
from tetractys.passes.mark_updates import (
    COLLECTS,
    OVERWRITES,
    apply_mark_updates,
    candidates,
    check_places,
    is_same_full_map,
    move_updates,
)
from tetractys.passes.naming import name_of, name_of_value
from tetractys.passes.storage import direct_insert
from tetractys.passes.workspace import Sizes

_MAKERS = (NestOp, loops.CallOp, loops.InsertOp, loops.EmptyOp)
"""What gives a value memory of its own."""
_Size: TypeAlias = "SSAValue | tuple[SSAValue, int] | int"


# What is known of a function's memory and sizes.

class Memory:
    """Which values of a block share memory, and where it is used last."""

    def __init__(self, block: Block) -> None:
        self._roots: dict[SSAValue, SSAValue] = {}
        self._last: dict[SSAValue, int] = {}
        self._readers: dict[SSAValue, dict[Operation, None]] = {}
        self._parts: set[SSAValue] = set()
        self._lent: dict[SSAValue, Collection[Operation]] = {}
        self.positions: dict[Operation, int] = {}
        for position, op in enumerate(block.ops):
            self.positions[op] = position
            if isinstance(op, loops.ViewOp | loops.SubviewOp):
                self._note_view(op)
                continue
            for inner in op.walk():
                for operand in inner.operands:
                    root = self.root(operand)
                    self._last[root] = position
                    if isinstance(root.type, TensorType):
                        self._readers.setdefault(root, {})[op] = None

    def _note_view(self, op: loops.ViewOp | loops.SubviewOp) -> None:
        """A view reads nothing; whoever reads it reads the memory."""
        source, view = op.operands[0], op.results[0]
        self._roots[view] = self.root(source)
        if isinstance(op, loops.SubviewOp) or source in self._parts:
            self._parts.add(view)
        self._last[self.root(view)] = self.positions[op]

    def root(self, value: SSAValue) -> SSAValue:
        """The value that stands for all that share this one's memory."""
        return self._roots.get(value, value)

    def lend(self, argument: SSAValue, writers: Collection[Operation]) -> None:
        """Lets some operations write into an argument's memory."""
        self._lent[argument] = writers

    def may_write(self, value: SSAValue, op: Operation) -> bool:
        """Whether an operation may write the memory: a temporary's, or one lent to it."""
        root = self.root(value)
        return isinstance(root.owner, _MAKERS) or op in self._lent.get(root, ())

    def is_part(self, value: SSAValue) -> bool:
        """Whether a value is but a part of its memory."""
        return value in self._parts

    def is_dead_after(self, value: SSAValue, op: Operation) -> bool:
        """Whether nothing behind `op` reads the memory."""
        return self.last_use(value) <= self.positions[op]

    def last_use(self, value: SSAValue) -> int:
        """The position of the last operation that uses the memory."""
        return self._last.get(self.root(value), -1)

    def readers_of(self, value: SSAValue) -> list[Operation]:
        """What reads the memory."""
        return list(self._readers.get(self.root(value), ()))

    def readers(self, value: SSAValue, first: Operation, end: Operation) -> list[Operation]:
        """What reads the memory from operation `first` on, before operation `end`."""
        start, stop = self.positions[first], self.positions[end]
        found = self._readers.get(self.root(value), {})
        return [op for op in found if start <= self.positions[op] < stop]

    def is_only_read(self, nest: NestOp, number: int) -> bool:
        """Whether a nest reads the memory of operand `number` (input or init) only as that."""
        given = [*nest.inputs, *nest.inits]
        root = self.root(given[number])
        others = [v for k, v in enumerate(given) if k != number]
        inside = [v for op in nest.body.walk() for v in op.operands]
        return all(self.root(value) is not root for value in (*others, *inside))

    def share(self, result: SSAValue, value: SSAValue) -> None:
        """Notes that `result` takes the memory of `value`, for as long as it is used itself."""
        old, root = self.root(result), self.root(value)
        for known, its_root in list(self._roots.items()):
            if its_root is old:  # views of the result
                self._roots[known] = root
        self._roots[result] = root
        self._last[root] = max(self._last.get(root, -1), self._last.pop(old, -1))
        self._readers.setdefault(root, {}).update(self._readers.pop(old, {}))


class SizeClasses:
    """Which sizes are equal: one value, the same dimension of one array, or checked to be."""

    def __init__(self, block: Block) -> None:
        self.sizes = Sizes(block)
        self._parents: dict[_Size, _Size] = {}
        for op in block.ops:
            if isinstance(op, loops.DimOp):
                self._join(op.results[0], (op.source, op.dim.value.data))
            elif isinstance(op, loops.CheckOp):
                self._join(op.lhs, op.rhs)

    def _class(self, size: _Size) -> _Size:
        while (parent := self._parents.get(size)) is not None:
            size = parent
        return size

    def _join(self, first: _Size, second: _Size) -> None:
        first, second = self._class(first), self._class(second)
        if first != second:
            self._parents[first] = second

    def is_whole(self, nest: NestOp, value: SSAValue, entries: Map) -> bool:
        """Whether the iterators of a map run over the whole of each dimension of `value`."""
        return all(
            entry == ZERO or self._class(size) == self._class(nest.sizes[entry])
            for size, entry in zip(self.sizes.of(value), entries)
        )


class Facts(NamedTuple):
    """What the predicates look at."""

    memory: Memory
    classes: SizeClasses


# Predicates.

def can_share(facts: Facts, nest: NestOp, part: Result, number: int) -> bool:
    """Whether a result may take the memory of input `number`: clauses 1 to 5 of the module."""
    value, memory = nest.inputs[number], facts.memory
    return (
        memory.may_write(value, nest)
        and not memory.is_part(value)
        and memory.is_dead_after(value, nest)
        and part.result is not None
        and _element(value.type) == _element(part.result.type)
        and is_same_full_map(nest, part, nest.input_maps[number])
        and facts.classes.is_whole(nest, value, nest.input_maps[number])
        and memory.is_only_read(nest, number)
    )


def can_take_init(facts: Facts, nest: NestOp, part: Result, number: int) -> bool:
    """Whether a scatter may write into the memory of its init, operand `number`."""
    init, memory = part.init, facts.memory
    return (
        init is not None
        and memory.may_write(init, nest)
        and not memory.is_part(init)
        and memory.is_dead_after(init, nest)
        and memory.is_only_read(nest, number)
    )


def _element(type_: Attribute) -> Attribute:
    assert isinstance(type_, TensorType)
    return type_.element_type


# The rewriting.

def apply_mark_inplace(function: func.FuncOp) -> list[str]:
    """Marks the nests of a function's own block, first to last; gives a sentence for each mark."""
    block = function.body.block
    found = check_places(candidates(function))
    reasons: list[str] = []
    memory = Memory(block)
    if found and move_updates(block, memory, found):
        memory = Memory(block)
    writers = [op for op in block.ops if isinstance(op, NestOp | loops.InsertOp)]
    if not writers and not found:
        return reasons
    facts = Facts(memory, SizeClasses(block))
    updates = apply_mark_updates(function, facts, found) if found else []
    reasons += [f"{name_of(update.first)} may take the memory of {name_of_value(update.argument)}"
                for update in updates if update.kind == OVERWRITES]  # fmt: skip
    inserts = Inserts(facts.memory)
    for op in writers:
        if isinstance(op, loops.InsertOp):
            if inserts.visit_insert(op):
                reasons.append(f"{name_of(op)} {_takes(op.base)} {name_of_value(op.base)}")
            continue
        own = inserts.visit_nest(op)
        leave = [(update.part, update.number) for update in updates
                 if update.first is op and update.kind == COLLECTS]  # fmt: skip
        pairs = _pairs(facts, op, leave)
        if own or pairs or leave:
            op.attributes["inplace"] = ArrayAttr(
                [DenseArrayBase.from_list(i64, pair) for pair in (*own, *leave, *pairs)]
            )
        reasons += [_sentence(op, pair) for pair in (*leave, *pairs)]
    return reasons


def _sentence(nest: NestOp, pair: tuple[int, int]) -> str:
    value = [*nest.inputs, *nest.inits][pair[1]]
    return f"{name_of(nest)}: result {pair[0]} {_takes(value)} {name_of_value(value)}"


def _takes(value: SSAValue) -> str:
    """Of an argument, the caller decides at each call."""
    verb = "may take" if isinstance(value, BlockArgument) else "takes"
    return f"{verb} the memory of"


def _pairs(
    facts: Facts, nest: NestOp, leave: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Each result takes the first input that it may, a scatter its init; each is taken once.

    leave: the results that may lie in an argument's memory; that is worth more.
    """
    pairs: list[tuple[int, int]] = []
    taken: set[int] = set()
    inits = len(nest.inputs)
    for result, part in enumerate(nest.parts()):
        if part.result is None or not isinstance(part.result.type, TensorType):
            continue
        if part.init is not None:
            if can_take_init(facts, nest, part, inits):
                pairs.append((result, inits))
            inits += 1
            continue
        if direct_insert(part.result) is not None or any(result == one for one, _ in leave):
            continue
        for number in range(len(nest.inputs)):
            if number not in taken and can_share(facts, nest, part, number):
                pairs.append((result, number))
                taken.add(number)
                break
    given = [*nest.inputs, *nest.inits]
    for result, number in pairs:
        facts.memory.share(nest.results[result], given[number])
    return pairs


@dataclass(frozen=True)
class MarkInplacePass(ModulePass):
    """Decides, once and for all, which results are written in place."""

    name = "mark-inplace"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Takes every function that has a body; `reasons` then says what is written in place."""
        reasons: list[str] = []
        object.__setattr__(self, "_reasons", reasons)
        for function in op.body.block.ops:
            if isinstance(function, func.FuncOp) and function.body.blocks:
                reasons += apply_mark_inplace(function)

    def reasons(self) -> list[str]:
        """What the last `apply` marked, a sentence each."""
        return getattr(self, "_reasons", [])
