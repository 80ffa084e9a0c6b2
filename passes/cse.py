"""`cse`: of equal pure operations one stays.

Equal are operations of one class with the same operands (of commutative ones in any order: all of
ours are commutative to the bit), properties, attributes, result types and, where they have regions,
bodies of the same structure. An operation inside a region may be replaced by one outside that comes
before; regions are searched first, so equal nests meet even if their bodies differed in
repetitions. Works at level 1 and 2; one sweep, linear time. Class: *exact*. Dead code goes too.

    %0 = elemwise.exp %x : tensor<?xf64>
    %1 = elemwise.exp %x : tensor<?xf64>
    %2 = elemwise.mul %0, %1 : tensor<?xf64>
    // becomes
    %0 = elemwise.exp %x : tensor<?xf64>
    %2 = elemwise.mul %0, %0 : tensor<?xf64>
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import NamedTuple

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.passes import ModulePass

from tetractys.dialects.build import APPLY, SignatureOp
from tetractys.dialects.elemwise import ConstantOp
from tetractys.passes.rewriting import (
    erase,
    erase_dead,
    function_blocks,
    is_erasable,
    operations_of,
)

# Keys.

def _operands(op: Operation) -> tuple[SSAValue, ...]:
    operands = tuple(op.operands)
    if (
        isinstance(op, SignatureOp)
        and op.signature.commutative
        and id(operands[0]) > id(operands[1])
    ):
        return (operands[1], operands[0])
    return operands


def _details(op: Operation) -> Hashable:
    """What an operation is, but for its operands and regions."""
    names = op.properties if len(op.properties) < 2 else sorted(op.properties)
    properties = tuple((name, op.properties[name]) for name in names)
    attributes: tuple[tuple[str, Attribute], ...] = ()
    if op.attributes:  # whose error it is does not matter: the first one's
        attributes = tuple(sorted(item for item in op.attributes.items() if item[0] != APPLY))
    if isinstance(op, SignatureOp) and not isinstance(op, ConstantOp):
        return properties, attributes  # the result types follow
    return properties, attributes, tuple(result.type for result in op.results)


def _key(op: Operation) -> Hashable:
    return type(op), _operands(op), _details(op)


def _structure(op: Operation) -> Hashable:
    """The regions of an operation with the values defined inside replaced by numbers."""
    numbers: dict[SSAValue, int] = {}
    parts: list[Hashable] = []
    blocks = [block for region in op.regions for block in region.blocks]
    for block in blocks:
        parts.append(_heading(block, numbers))
        for inner in operations_of(block):
            operands = tuple(numbers.get(operand, operand) for operand in inner.operands)
            parts.append((type(inner), operands, _details(inner)))
            for result in inner.results:
                numbers[result] = len(numbers)
            parts.extend(_heading(deeper, numbers)
                         for region in inner.regions for deeper in region.blocks)
    return tuple(parts)


def _heading(block: Block, numbers: dict[SSAValue, int]) -> Hashable:
    """Types of the arguments and number of operations: with it the flat list is unambiguous."""
    for argument in block.args:
        numbers[argument] = len(numbers)
    return tuple(argument.type for argument in block.args), len(block.ops)


# The sweep.

class _Frame(NamedTuple):
    """A block in progress, the keys it added, and the operation that waits for its regions."""

    ops: Iterator[Operation]
    owner: Operation | None
    added: list[Hashable]


class _Sweep:
    def __init__(self) -> None:
        self.first: dict[Hashable, list[Operation]] = {}
        self.frames: list[_Frame] = []
        self.erased = 0

    def run(self, block: Block) -> None:
        """Visits every operation, those of regions before the operation that holds them."""
        self._enter(block, None)
        while self.frames:
            frame = self.frames[-1]
            op = next(frame.ops, None)
            if op is None:
                self._leave()
            elif op.regions:
                blocks = [block for region in op.regions for block in region.blocks]
                for number, inner in enumerate(blocks):
                    self._enter(inner, None if number else op)
                if not blocks:
                    self._visit(op, frame)
            else:
                self._visit(op, frame)

    def _enter(self, block: Block, owner: Operation | None) -> None:
        self.frames.append(_Frame(iter(tuple(block.ops)), owner, []))

    def _leave(self) -> None:
        frame = self.frames.pop()
        for key in frame.added:
            self.first[key].pop()
        if frame.owner is not None:  # the last of its blocks is done
            self._visit(frame.owner, self.frames[-1])

    def _visit(self, op: Operation, frame: _Frame) -> None:
        if not op.results or not is_erasable(op):
            return
        key = _key(op)
        candidates = self.first.setdefault(key, [])
        for earlier in candidates if not op.regions else _same_structure(op, candidates):
            for old, new in zip(op.results, earlier.results):
                old.replace_all_uses_with(new)
            erase(op)
            self.erased += 1
            return
        candidates.append(op)
        frame.added.append(key)


def _same_structure(op: Operation, candidates: list[Operation]) -> Iterator[Operation]:
    if candidates:
        structure = _structure(op)
        yield from (other for other in candidates if _structure(other) == structure)


def apply_to_block(block: Block) -> int:
    """Removes repeated operations of a block and of the regions inside; how many there were."""
    erase_dead(reversed(operations_of(block)))
    sweep = _Sweep()
    sweep.run(block)
    return sweep.erased


class CsePass(ModulePass):
    """Removes repeated pure operations, in nests and composites too, and dead ones."""

    name = "cse"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Rewrites every function of the module."""
        for block in function_blocks(op):
            apply_to_block(block)
