"""`fuse-elemwise`: connected elementwise operations of one shape become one `elemwise.composite`.

Groups are connected by producer-consumer edges between results of one static shape (so of equal
sizes: the operations themselves check that), convex (no path leaves a group and comes back), and as
large as a labelling in linear time makes them; a value that is used outside is a further result.
Constants go into the body as scalars, smaller operands broadcast, dimshuffles stay outside. Scalars
(rank 0) and lone operations stay as they are. Every edge that does not fuse has a reason, for
`explain()`.

    %0 = elemwise.mul %x, %y : tensor<?xf64>
    %1 = elemwise.exp %0 : tensor<?xf64>
    // becomes
    %1 = elemwise.composite (%a = %x : tensor<?xf64>, %b = %y : tensor<?xf64>) -> tensor<?xf64> {
      %2 = elemwise.mul %a, %b : f64
      %3 = elemwise.exp %2 : f64
      elemwise.yield %3 : f64
    }

The labelling: `level(op)` is the largest over its operands of the producer's level, plus 1 where
the edge leaves a fusible operation without fusing; then, last operations first, each moves up to
the level of its users where they allow it. Equal levels fuse. An edge out of a group always goes up
a level, so no path comes back, and groups form no cycle.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from tetractys.dialects import types
from tetractys.dialects.elemwise import CompositeOp, ConstantOp, ElemwiseOp, YieldOp
from tetractys.passes.matching import shape_of
from tetractys.passes.naming import name_of
from tetractys.passes.rewriting import erase, erase_dead, function_blocks, fuse_locations


class Refusal(NamedTuple):
    """Why a producer and its consumer did not become one composite."""

    producer: Operation
    consumer: Operation
    reason: str

    def __str__(self) -> str:
        return f"{name_of(self.producer)} and {name_of(self.consumer)}: {self.reason}"


# Predicates.

def is_fusible(op: Operation) -> bool:
    """Whether `op` may be part of a composite: elementwise, on arrays, no constant."""
    return (isinstance(op, ElemwiseOp) and not isinstance(op, ConstantOp)
            and isinstance(op.results[0].type, TensorType) and bool(shape_of(op.results[0])))


def why_not(producer: Operation, consumer: Operation) -> str | None:
    """Why the edge cannot fuse whatever stands around it; None if it can."""
    if not is_fusible(producer):
        return f"{producer.name} is no elementwise operation on arrays"
    if not is_fusible(consumer):
        return f"{consumer.name} is no elementwise operation on arrays"
    first, second = shape_of(producer.results[0]), shape_of(consumer.results[0])
    if first != second:
        return (f"shapes {list(first)} and {list(second)} differ: "
                "the smaller value would be computed again for each element of the larger")
    return None


# The labelling.

class _Levels:
    """Levels of the operations of a block, and the edges that may fuse."""

    def __init__(self, ops: Sequence[Operation]) -> None:
        self.ops = ops
        self.shapes = [shape_of(op.results[0]) if is_fusible(op) else None for op in ops]
        self.number = {op: index for index, op in enumerate(ops)}
        self.producers = [self._producers(op) for op in ops]
        self.consumers: list[list[int]] = [[] for _ in ops]
        for index, producers in enumerate(self.producers):
            for producer in producers:
                self.consumers[producer].append(index)
        self.level = [0] * len(ops)
        self._earliest()
        self._latest()

    def _producers(self, op: Operation) -> list[int]:
        """Numbers of the operations that make the operands, those captured in regions too."""
        owners = [operand.owner for operand in op.operands]
        if op.regions:
            owners += [operand.owner for inner in op.walk() for operand in inner.operands]
        numbers = (self.number.get(owner) for owner in owners if isinstance(owner, Operation))
        return list(dict.fromkeys(n for n in numbers if n is not None))

    def can_fuse(self, producer: int, consumer: int) -> bool:
        return self.shapes[producer] is not None and self.shapes[producer] == self.shapes[consumer]

    def _leaves(self, producer: int, consumer: int) -> bool:
        """Whether the edge leaves a fusible operation without fusing."""
        return self.shapes[producer] is not None and not self.can_fuse(producer, consumer)

    def _earliest(self) -> None:
        for consumer, producers in enumerate(self.producers):
            self.level[consumer] = max(
                (self.level[p] + self._leaves(p, consumer) for p in producers), default=0
            )

    def _latest(self) -> None:
        """Moves operations up to their users, where that cuts no more edges than it joins."""
        for op in range(len(self.ops) - 1, -1, -1):
            consumers = self.consumers[op]
            if not consumers:
                continue
            level = min(self.level[c] - self._leaves(op, c) for c in consumers)
            if level <= self.level[op]:
                continue
            if self.shapes[op] is None:
                self.level[op] = level
                continue
            joined = sum(self.can_fuse(op, c) and self.level[c] == level for c in consumers)
            cut = sum(self.can_fuse(p, op) and self.level[p] == self.level[op]
                      and len(self.consumers[p]) > 1 for p in self.producers[op])
            if joined > cut:
                self.level[op] = level

    def groups(self) -> list[int]:
        """For each operation the number of its group's first operation."""
        parent = list(range(len(self.ops)))

        def find(op: int) -> int:
            while parent[op] != op:
                parent[op] = parent[parent[op]]
                op = parent[op]
            return op

        for consumer, producers in enumerate(self.producers):
            for producer in producers:
                if (
                    self.can_fuse(producer, consumer)
                    and self.level[producer] == self.level[consumer]
                ):
                    first, second = sorted((find(producer), find(consumer)))
                    parent[second] = first
        return [find(op) for op in range(len(self.ops))]


# Builders.

def build_composite(ops: Sequence[Operation]) -> CompositeOp:
    """One composite for a group, detached; its results are the values used outside the group."""
    inside = set(ops)
    block = Block()
    mapping: dict[SSAValue, SSAValue] = {}
    operands: dict[SSAValue, None] = {}
    for op in ops:
        for operand in op.operands:
            if operand not in mapping and operand.owner not in inside:
                mapping[operand] = _enter(operand, block, operands)
        block.add_op(_as_scalar(op, mapping))
        mapping[op.results[0]] = block.last_op.results[0]  # pyright: ignore[reportOptionalMemberAccess]
    results = [op.results[0] for op in ops
               if any(use.operation not in inside for use in op.results[0].uses)]
    location = fuse_locations(*(op.location for op in ops))
    block.add_op(YieldOp.create(operands=[mapping[v] for v in results], location=location))
    composite = CompositeOp.make(
        list(operands), [v.type for v in results], Region(block), location
    )
    for old, new in zip(results, composite.results):
        new.name_hint = old.name_hint
    return composite


def _enter(operand: SSAValue, block: Block, operands: dict[SSAValue, None]) -> SSAValue:
    """The scalar that stands for an operand in the body: an argument, or a constant again."""
    element = types.element_type(types.dtype_of(operand.type))
    if isinstance(operand.owner, ConstantOp):
        constant = ConstantOp.make(operand.owner.number, element, operand.owner.location)
        block.add_op(constant)
        return constant.results[0]
    operands[operand] = None
    argument = block.insert_arg(element, len(block.args))
    argument.name_hint = operand.name_hint
    return argument


def _as_scalar(op: Operation, mapping: dict[SSAValue, SSAValue]) -> Operation:
    element: Attribute = types.element_type(types.dtype_of(op.results[0].type))
    scalar = type(op).create(
        operands=[mapping[operand] for operand in op.operands], result_types=[element],
        properties=op.properties, location=op.location,
    )
    scalar.results[0].name_hint = op.results[0].name_hint
    return scalar


# The pass.

def _order_units(levels: _Levels, group_of: list[int]) -> list[list[int]]:
    """Groups and single operations, each behind all that it uses; else in the order of the
    block.
    """
    members: dict[int, list[int]] = {}
    for op, group in enumerate(group_of):
        members.setdefault(group, []).append(op)
    ordered: list[list[int]] = []
    done: set[int] = set()
    for group in group_of:
        pending = [group]
        while pending:
            unit = pending[-1]
            if unit in done:
                pending.pop()
                continue
            needed = {group_of[p] for op in members[unit] for p in levels.producers[op]}
            missing = [other for other in needed if other != unit and other not in done]
            if missing:
                pending.extend(sorted(missing, reverse=True))
            else:
                done.add(unit)
                ordered.append(members[unit])
                pending.pop()
    return ordered


def _report(levels: _Levels, group_of: list[int], report: list[Refusal]) -> None:
    for consumer, producers in enumerate(levels.producers):
        if levels.shapes[consumer] is None:
            continue
        for producer in producers:
            if group_of[producer] == group_of[consumer]:
                continue
            first, second = levels.ops[producer], levels.ops[consumer]
            if isinstance(first, ConstantOp):
                continue
            reason = why_not(first, second) or (
                "another operand of the consumer is made from the producer's group by an operation "
                "that does not fuse, so one kernel could not compute both"
            )
            report.append(Refusal(first, second, reason))


def fuse_block(block: Block, report: list[Refusal] | None = None) -> int:
    """Fuses the elementwise operations of one block; the number of composites made."""
    ops = list(block.ops)
    erase_dead(reversed(ops))
    ops = [op for op in ops if op.parent is not None]
    levels = _Levels(ops)
    group_of = levels.groups()
    if report is not None:
        _report(levels, group_of, report)
    cursor = block.first_op
    made = 0
    for unit in _order_units(levels, group_of):
        group = [ops[index] for index in unit]
        if len(group) == 1:
            cursor = _place(group[0], cursor, block)
            continue
        composite = build_composite(group)
        made += 1
        inside = set(group)
        while cursor in inside:
            cursor = cursor.next_op  # pyright: ignore[reportOptionalMemberAccess]
        _place(composite, cursor, block)
        _replace(group, composite)
    erase_dead(op for op in ops if isinstance(op, ConstantOp))
    return made


def _place(op: Operation, cursor: Operation | None, block: Block) -> Operation | None:
    """Puts `op` before the cursor, unless it stands there; the operation behind it."""
    if op is cursor:
        return op.next_op
    if op.parent is not None:
        op.detach()
    if cursor is None:
        block.add_op(op)
    else:
        block.insert_op_before(op, cursor)
    return cursor


def _replace(group: Sequence[Operation], composite: CompositeOp) -> None:
    inside = set(group)
    results = iter(composite.results)
    for op in group:
        if any(use.operation not in inside for use in op.results[0].uses):
            op.results[0].replace_all_uses_with(next(results))
    for op in reversed(group):
        erase(op)


def fuse_module(module: ModuleOp, report: list[Refusal] | None = None) -> int:
    """Fuses the functions of a module; `report` gets the reasons for what did not fuse."""
    return sum(fuse_block(block, report) for block in function_blocks(module))


class FuseElemwisePass(ModulePass):
    """Makes one composite of connected elementwise operations of one shape."""

    name = "fuse-elemwise"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Rewrites every function of the module; `reasons` then says what stayed apart."""
        report: list[Refusal] = []
        fuse_module(op, report)
        pairs = [r for r in report if is_fusible(r.producer) and is_fusible(r.consumer)]
        object.__setattr__(self, "_reasons", [str(refusal) for refusal in pairs])

    def reasons(self) -> list[str]:
        """Why each remaining pair of the last module did not become one, a sentence each."""
        return getattr(self, "_reasons", [])
