"""Which values share memory, and how long it is needed: the alias sets and live ranges of
`bufferize`.

A view shares its source's memory, and a result that `mark-inplace` gave an input's memory shares
that. The first value of such a chain stands for all of them: its *root*.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from xdsl.dialects.builtin import DenseArrayBase, IntegerAttr, IntegerType, TensorType
from xdsl.ir import Attribute, Block, BlockArgument, Operation, SSAValue

from tetractys.dialects import loops
from tetractys.dialects.loops import NestOp


def inplace_of(nest: Operation) -> dict[int, int]:
    """Result number -> number of the input whose memory it takes."""
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


class Storage:
    """The memory of the values of a function's block."""

    def __init__(self, block: Block) -> None:
        self._roots: dict[SSAValue, SSAValue] = {}
        self._last: dict[SSAValue, int] = {}
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
        while isinstance(owner := value.owner, Operation):
            if isinstance(owner, loops.ViewOp):
                return True
            pairs = inplace_of(owner)
            number = [*owner.results].index(value)  # type: ignore[arg-type]
            if number not in pairs:
                return False
            value = owner.operands[len(cast(NestOp, owner).sizes) + pairs[number]]
        return False

    def _note(self, op: Operation, position: int) -> None:
        for inner in op.walk():
            for operand in inner.operands:
                if type(operand.type) is TensorType:
                    self._last[self.root(operand)] = position
        if isinstance(op, loops.ViewOp):
            self._roots[op.results[0]] = self.root(op.operands[0])
        elif isinstance(op, NestOp):
            self._note_inplace(op)
        for result in op.results:
            self._last[self.root(result)] = position

    def _note_inplace(self, nest: NestOp) -> None:
        pairs = inplace_of(nest)
        if not pairs:
            return
        given = [*nest.inputs]
        for result, number in pairs.items():
            root = self.root(given[number])
            if isinstance(root, BlockArgument):
                nest.emit_error("bufferize: found a result in the memory of an argument; expected "
                                "that of a temporary", ValueError())
            self._roots[nest.results[result]] = root
