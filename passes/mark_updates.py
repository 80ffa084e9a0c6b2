"""Results that may lie in the memory of an argument: the half of `mark-inplace` for what the caller
owns.

    func.func @main(%w: tensor<?xf64> {tt.update = 0 : i64}, ...) -> tensor<?xf64> {
      %v = loops.nest (%i < %n) ins(%a = %w[%i], %g = ...) -> (collect[%i]) {...}
      func.return %v
becomes
    func.func @main(...) attributes {tt.inplace = [array<i64: 0, 0>]} {       // result, argument
      %v = loops.nest ... {...} attributes {inplace = [array<i64: 0, 0>]}

`tt.update = r`: the argument is a shared value that result r replaces; `tt.donated`: an array that
the user gave away. A pair is leave, not a command: at each call the caller passes result r either
memory of its own or the argument's very memory, as it finds (nobody else holds it, nothing overlaps
it), and the code is right both ways. It is given iff

1. the result is made by a *chain* of writers: a first one, then scatters into and inserts into what
   the one before made. The first one is a nest that collects the result by the same injective full
   map by which it reads the argument, over that one's whole sizes, and reads it in no other way; or
   a scatter into the argument, which it does not read otherwise, or an insert into it; or a nest or
   library call that does not read it at all;
2. nothing behind the first writer reads the argument;
3. nothing that may fail runs in a writer or behind the first: an error finds every argument as it
   was. (Indices of scatters and inserts are checked in front of them: `mark_places`.)

Writers are moved behind what reads the argument and what may fail, so that 2 and 3 hold more often;
`lower-loops-to-llvm` ends the function in front of the first of them if an error stands. Where the
caller passes other memory, a chain that begins with a scatter or insert begins with a copy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

from xdsl.dialects import func
from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    DictionaryAttr,
    IntegerAttr,
    TensorType,
    i64,
)
from xdsl.ir import Block, BlockArgument, Operation, SSAValue

from tetractys.dialects import loops
from tetractys.dialects.loops import (
    INBOUNDS,
    SCATTERS,
    YIELDED,
    ZERO,
    InsertOp,
    Map,
    NestOp,
    Result,
)
from tetractys.dialects.loops_views import AT, PartOp
from tetractys.passes.storage import LEAVE

if TYPE_CHECKING:
    from tetractys.passes.mark_inplace import Facts, Memory

UPDATE, DONATED = "tt.update", "tt.donated"


Writer: TypeAlias = "NestOp | InsertOp | loops.CallOp"

COLLECTS, BEGINS, OVERWRITES = "collects", "begins", "overwrites"
"""How the first writer of a chain goes about the argument: element by element, by writing parts of
it (a scatter, an insert), or without reading it."""


class Update(NamedTuple):
    """A result of the function that may lie in an argument's memory: what makes it, first to last.

    kind: how the first writer goes about the argument, which it reads as its operand `number`: of
    inputs, and inits behind them. part: of a nest, the number of its result.
    """

    result: int
    argument: BlockArgument
    kind: str
    writers: tuple[Writer, ...]
    part: int = 0
    number: int = 0

    @property
    def first(self) -> Writer:
        """The first writer."""
        return self.writers[0]

    @property
    def movable(self) -> list[Operation]:
        """The writers, and nests whose one result an insert of theirs puts in place."""
        feeders = [op.value.owner for op in self.writers
                   if isinstance(op, InsertOp) and op.value.has_one_use()]  # fmt: skip
        return [*[op for op in feeders if isinstance(op, NestOp) and len(op.results) == 1],
                *self.writers]


# Predicates.


def can_fail(op: Operation) -> bool:
    """Whether running an operation may end in an error."""
    return any(_fails(inner) for inner in op.walk())


def _fails(op: Operation) -> bool:
    if isinstance(op, PartOp):
        return not op.is_safe and any(entry.kind == AT for entry in op.part)
    if isinstance(op, loops.GatherOp):
        return "inbounds" not in op.properties
    if isinstance(op, loops.LocateOp):
        return True
    if isinstance(op, NestOp):
        return any(
            (kind in SCATTERS and YIELDED in entries and INBOUNDS not in op.attributes)
            or (kind in ("max", "min") and len(set(entries) & set(range(op.rank))) < op.rank)
            for kind, entries in zip(op.kind_names, op.result_map_list)
        )
    return False  # checks of sizes run before the kernel


def is_same_full_map(nest: NestOp, part: Result, entries: Map) -> bool:
    """Whether a collected result and an input are indexed alike, by every iterator once."""
    if part.kind != "collect" or part.map != entries:
        return False
    iterators = [entry for entry in entries if entry != ZERO]
    return sorted(iterators) == list(range(nest.rank))


def can_update(facts: Facts, update: Update, barrier: int) -> bool:
    """Clauses 1 to 3 of the module; barrier: the position of the last operation that may fail."""
    memory, first, argument = facts.memory, update.first, update.argument
    if memory.positions[first] <= barrier:
        return False
    if update.kind == OVERWRITES:
        taken = isinstance(first, NestOp) and any(
            memory.may_write(value, first) for value in (*first.inputs, *first.inits)
        )  # then the result is where such a value is, and that is written earlier
        return not taken and memory.last_use(argument) < memory.positions[first]
    if not memory.is_dead_after(argument, first):
        return False
    if isinstance(first, InsertOp):
        return memory.root(first.value) is not argument
    assert isinstance(first, NestOp)
    if not memory.is_only_read(first, update.number):
        return False
    if update.kind == BEGINS:
        return True
    entries = first.input_maps[update.number]
    same = is_same_full_map(first, first.parts()[update.part], entries)
    return same and facts.classes.is_whole(first, argument, entries)


# What may be updated.


def candidates(function: func.FuncOp) -> list[Update]:
    """Results made by chains of writers that an argument may be given for; each argument once."""
    block = function.body.block
    updated, donated = _marked(function)
    if not updated and not donated:
        return []
    found: list[Update] = []
    seen: set[SSAValue] = set()
    for result, value in enumerate(cast(Operation, block.last_op).operands):
        if value in seen or not isinstance(value.type, TensorType):
            continue
        seen.add(value)
        own = updated.get(result)
        wanted = {*([own] if own is not None else ()), *donated}
        wanted = {argument for argument in wanted if argument.type == value.type}
        update = find_chain(block, result, value, wanted) if wanted else None
        if update is None and own in wanted and isinstance(value.owner, NestOp | loops.CallOp):
            if value.has_one_use():
                update = Update(result, cast(BlockArgument, own), OVERWRITES, (value.owner,))
        if update is not None:
            found.append(update)
            donated.discard(update.argument)
    return found


def find_chain(
    block: Block, result: int, value: SSAValue, wanted: set[SSAValue]
) -> Update | None:
    """The writers from one of the arguments `wanted` to a result of the function."""
    writers: list[Writer] = []
    while True:
        owner = value.owner
        if not isinstance(owner, NestOp | InsertOp) or owner.parent is not block:
            return None
        writers.insert(0, owner)
        number, part = 0, 0
        if isinstance(owner, InsertOp):
            source = owner.base
        else:
            part = _part(owner, [*owner.results].index(value))  # type: ignore[arg-type]
            init = owner.parts()[part].init
            if init is None:
                return _collecting(result, owner, part, tuple(writers), wanted)
            if len(owner.results) > 1:
                return None
            source, number = init, len(owner.inputs)
        if source in wanted:
            argument = cast(BlockArgument, source)
            return Update(result, argument, BEGINS, tuple(writers), part, number)
        value = source


def _collecting(
    result: int, nest: NestOp, part: int, writers: tuple[Writer, ...], wanted: set[SSAValue]
) -> Update | None:
    """The chain that begins with a nest that reads one of the arguments `wanted` as an input."""
    for number, given in enumerate(nest.inputs):
        if given in wanted:
            argument = cast(BlockArgument, given)
            return Update(result, argument, COLLECTS, writers, part, number)
    return None


def _part(nest: NestOp, result: int) -> int:
    """The number of the part that makes SSA result `result`."""
    value = nest.results[result]
    return next(k for k, part in enumerate(nest.parts()) if part.result is value)


def _marked(function: func.FuncOp) -> tuple[dict[int, SSAValue], set[SSAValue]]:
    """By result number the argument that it replaces; and the donated arguments."""
    given = function.properties.get("arg_attrs")
    updated: dict[int, SSAValue] = {}
    donated: set[SSAValue] = set()
    if isinstance(given, ArrayAttr):
        marks = cast("ArrayAttr[DictionaryAttr]", given)
        for argument, mark in zip(function.body.block.args, marks):
            if UPDATE in mark.data:
                updated[cast("IntegerAttr", mark.data[UPDATE]).value.data] = argument
            elif DONATED in mark.data:
                donated.add(argument)
    return updated, donated


# The rewriting.


def check_places(found: list[Update]) -> list[Update]:
    """Puts what may fail of the writers in front of them; gives the updates, of new writers."""
    changed: dict[Writer, Writer] = {}
    for update in found:
        for writer in update.writers:
            if isinstance(writer, loops.CallOp) or not can_fail(writer):
                continue
            from tetractys.passes import mark_places  # few functions need it

            if isinstance(writer, InsertOp):
                mark_places.apply_checked_insert(writer, update.argument)
            elif mark_places.is_unchecked(writer):
                changed[writer] = mark_places.apply_checked_scatter(writer, update.argument)
    return [update._replace(writers=tuple(changed.get(op, op) for op in update.writers))
            for update in found]  # fmt: skip


def move_updates(block: Block, memory: Memory, found: list[Update]) -> bool:
    """Moves the writers of updates behind what may fail or reads their argument, where nothing in
    between uses their results; whether any moved.
    """
    ops = list(block.ops)
    barrier = max((k for k, op in enumerate(ops) if can_fail(op)), default=-1)
    positions = dict(memory.positions)
    moved = False
    writers: dict[Operation, list[Update]] = {}
    for update in found:
        for op in update.movable:
            writers.setdefault(op, []).append(update)
    for op in sorted(writers, key=lambda op: -positions[op]):
        behind = barrier
        for update in writers[op]:
            readers = memory.readers_of(update.argument)
            own = update.movable
            behind = max([behind, *(positions[one] for one in readers if one not in own)])
        behind = min(behind, len(ops) - 2)
        if behind <= positions[op] or can_fail(op):
            continue
        if all(_user(use.operation, block, positions) > behind
               for value in op.results for use in value.uses):
            op.detach()
            block.insert_op_after(op, ops[behind])
            positions[op] = behind + 1  # and so is what came there before: both are behind it
            moved = True
    return moved


def _user(op: Operation, block: Block, positions: dict[Operation, int]) -> int:
    """The position of the operation of the function's own block that `op` is, or is in."""
    own = block.find_ancestor_op_in_block(op)
    assert own is not None
    return positions[own]


def apply_mark_updates(function: func.FuncOp, facts: Facts, found: list[Update]) -> list[Update]:
    """Notes the pairs that may be on the function; gives the updates."""
    block = function.body.block
    barrier = max((k for op, k in facts.memory.positions.items() if can_fail(op)), default=-1)
    kept = [update for update in found if can_update(facts, update, barrier)]
    if kept:
        arguments = list(block.args)
        function.attributes[LEAVE] = ArrayAttr(
            [DenseArrayBase.from_list(i64, [update.result, arguments.index(update.argument)])
             for update in kept]
        )
    for update in kept:
        if update.kind == BEGINS:
            writers = [op for op in update.movable if facts.memory.positions[op] > barrier]
            facts.memory.lend(update.argument, writers)
    return kept
