"""Which values share memory, and how long it is needed: the alias sets and live ranges of
`bufferize`.

A view shares its source's memory, and a result that `mark-inplace` gave an input's memory shares
that; so does a value that is computed right where a `loops.insert` would put it. The first value of
such a chain stands for all of them: its *root*.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

from xdsl.dialects.builtin import DenseArrayBase, IntegerAttr, IntegerType, TensorType
from xdsl.ir import Attribute, Block, BlockArgument, Operation, OpResult, SSAValue

from tetractys.dialects import loops
from tetractys.dialects.loops import NestOp


def inplace_of(nest: Operation) -> dict[int, int]:
    """Result number -> number of the input, or behind those init, whose memory it takes."""
    found = nest.attributes.get("inplace")
    if found is None:
        return {}
    numbers: list[int] = []
    for item in cast("Iterable[Attribute]", found):
        if isinstance(item, IntegerAttr):
            numbers.append(item.value.data)
        else:
            numbers.extend(cast("DenseArrayBase[IntegerType]", item).get_values())
    return dict(zip(numbers[::2], numbers[1::2]))


LEAVE = "tt.inplace"
"""Attribute of a function, pairs (result, argument): a call may pass one memory for both."""


def leave_of(function: Operation) -> list[tuple[int, int]]:
    """The pairs of a function's attribute `tt.inplace`."""
    found = cast("Iterable[DenseArrayBase[IntegerType]]", function.attributes.get(LEAVE, ()))
    return [cast("tuple[int, int]", tuple(pair.get_values())) for pair in found]


UNLESS_THERE = "unless_there"
"""Attribute of a bufferized nest that copies: it is left out where the caller has passed one memory
for the result and the argument."""

DIRECT, INPLACE = "direct", "inplace"
"""Attributes of a `loops.insert`, given by `mark-inplace`: see there."""


def direct_insert(value: SSAValue) -> loops.InsertOp | None:
    """The insert whose part a value is computed in, if it is."""
    use = value.first_use
    if use is None or not isinstance(op := use.operation, loops.InsertOp):
        return None
    return op if DIRECT in op.attributes and op.value is value else None


class Storage:
    """The memory of the values of a function's block."""

    def __init__(self, block: Block) -> None:
        self._roots: dict[SSAValue, SSAValue] = {}
        self._last: dict[SSAValue, int] = {}
        self._inplace: dict[Operation, dict[int, int]] = {}
        function = block.parent_op()
        self._lent = {one for _, one in leave_of(function)} if function is not None else set[int]()
        for position, op in enumerate(block.ops):
            self._note(op, position)

    def root(self, value: SSAValue) -> SSAValue:
        """The value that stands for all that share this one's memory."""
        return self._roots.get(value, value)

    def last_use(self, value: SSAValue) -> int:
        """The position of the last operation that needs the memory."""
        return self._last.get(self.root(value), -1)

    def is_reshaped(self, value: SSAValue) -> bool:
        """Whether a view lies between a value and its root: same memory, other sizes."""
        return any(isinstance(op, loops.ViewOp) for op in self._chain(value))

    def is_part(self, value: SSAValue) -> bool:
        """Whether a value is but a part of its root's memory."""
        return any(isinstance(op, loops.SubviewOp) for op in self._chain(value))

    def _chain(self, value: SSAValue) -> Iterator[Operation]:
        """The operations from a value to its root."""
        while isinstance(owner := value.owner, Operation):
            yield owner
            if isinstance(owner, loops.ViewOp | loops.SubviewOp):
                value = owner.operands[0]
            elif isinstance(owner, loops.InsertOp):
                if INPLACE not in owner.attributes:
                    return
                value = owner.base
            else:
                pairs = self._inplace.get(owner)
                if pairs is None:
                    pairs = self._inplace[owner] = inplace_of(owner)
                number = cast("OpResult", value).index
                if number not in pairs:
                    return
                value = owner.operands[len(cast(NestOp, owner).sizes) + pairs[number]]

    def _note(self, op: Operation, position: int) -> None:
        for inner in op.walk():
            for operand in inner.operands:
                if type(operand.type) is TensorType:
                    self._last[self.root(operand)] = position
        if isinstance(op, loops.ViewOp | loops.SubviewOp):
            self._roots[op.results[0]] = self.root(op.operands[0])
        elif isinstance(op, loops.InsertOp):
            if INPLACE in op.attributes and not isinstance(self.root(op.base), BlockArgument):
                self._roots[op.results[0]] = self.root(op.base)  # else the caller decides
        elif isinstance(op, NestOp):
            self._note_inplace(op)
        for result in op.results:
            self._last[self.root(result)] = position

    def _note_inplace(self, nest: NestOp) -> None:
        for result in nest.results:
            insert = direct_insert(result)
            if insert is not None:
                whole = insert.base if INPLACE in insert.attributes else insert.out
                self._roots[result] = self.root(whole)
        pairs = inplace_of(nest)
        if not pairs:
            return
        given = [*nest.inputs, *nest.inits]
        for result, number in pairs.items():
            if direct_insert(nest.results[result]) is not None:
                continue  # it reads the part that it is computed in
            root = self.root(given[number])
            if isinstance(root, BlockArgument):
                if root.index not in self._lent:
                    nest.emit_error("bufferize: found a result in the memory of an argument; "
                                    "expected that of a temporary", ValueError())
                continue  # the caller decides, at each call
            self._roots[nest.results[result]] = root
