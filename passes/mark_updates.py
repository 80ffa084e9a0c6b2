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

1. the result is collected by the same injective full map by which its nest reads the argument, over
   the argument's whole sizes, and that nest reads it in no other way;
2. nothing behind the nest reads the argument;
3. nothing that may fail runs in the nest or behind it: an error finds every argument as it was.

Nests whose results only the caller reads are moved behind what reads the argument and what may
fail, so that 2 and 3 hold more often; `lower-loops-to-llvm` ends the function in front of the first
of them if an error stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

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
from tetractys.dialects.loops import SCATTERS, YIELDED, ZERO, Map, NestOp, Result
from tetractys.dialects.loops_views import AT, PartOp
from tetractys.passes.storage import LEAVE

if TYPE_CHECKING:
    from tetractys.passes.mark_inplace import Facts, Memory

UPDATE, DONATED = "tt.update", "tt.donated"


class Update(NamedTuple):
    """A result of the function that may lie in an argument's memory: result `part` of `nest`, which
    reads the argument as its input `number`.
    """

    result: int
    argument: BlockArgument
    nest: NestOp
    part: int
    number: int


# Predicates.


def can_fail(op: Operation) -> bool:
    """Whether running an operation may end in an error."""
    return any(_fails(inner) for inner in op.walk())


def _fails(op: Operation) -> bool:
    if isinstance(op, PartOp):
        return not op.is_safe and any(entry.kind == AT for entry in op.part)
    if isinstance(op, loops.GatherOp):
        return "inbounds" not in op.properties
    if isinstance(op, NestOp):
        return any(
            (kind in SCATTERS and YIELDED in entries)
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
    memory, nest = facts.memory, update.nest
    part, entries = nest.parts()[update.part], nest.input_maps[update.number]
    return (
        is_same_full_map(nest, part, entries)
        and facts.classes.is_whole(nest, update.argument, entries)
        and memory.is_only_read(nest, update.number)
        and memory.is_dead_after(update.argument, nest)
        and memory.positions[nest] > barrier
    )


# What may be updated.


def candidates(function: func.FuncOp) -> list[Update]:
    """Results made by nests that read an argument which may be theirs; each argument once."""
    block = function.body.block
    updated, donated = _marked(function)
    if not updated and not donated:
        return []
    found: list[Update] = []
    seen: set[SSAValue] = set()
    for result, value in enumerate(cast(Operation, block.last_op).operands):
        nest = value.owner
        if value in seen or not isinstance(nest, NestOp) or not isinstance(value.type, TensorType):
            continue
        seen.add(value)
        own = updated.get(result)
        for number, given in enumerate(nest.inputs):
            if given.type == value.type and (given is own or given in donated):
                argument = cast(BlockArgument, given)
                part = [*nest.results].index(value)  # type: ignore[arg-type]
                found.append(Update(result, argument, nest, _part(nest, part), number))
                donated.discard(argument)
                break
    return found


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


def move_updates(block: Block, memory: Memory, found: list[Update]) -> bool:
    """Moves nests of updates behind what may fail or reads their argument, where nothing in between
    uses their results; whether any moved.
    """
    ops = list(block.ops)
    barrier = max((k for k, op in enumerate(ops) if can_fail(op)), default=-1)
    positions = dict(memory.positions)
    moved = False
    for nest in sorted({update.nest for update in found}, key=lambda n: -positions[n]):
        behind = barrier
        for update in found:
            if update.nest is nest:
                readers = memory.readers_of(update.argument)
                behind = max([behind, *(positions[op] for op in readers if op is not nest)])
        behind = min(behind, len(ops) - 2)
        if behind <= positions[nest] or can_fail(nest):
            continue
        if all(_user(use.operation, block, positions) > behind
               for value in nest.results for use in value.uses):
            nest.detach()
            block.insert_op_after(nest, ops[behind])
            positions[nest] = behind + 1  # and so is what came there before: both are behind it
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
    return kept
