"""Symbolic sizes of a level-1 function: which dimensions are equal, and what must be checked for
it.

Every dimension of every value is a `Size`, an integer expression over the dimensions of the
arguments and over integer scalars. Sizes that an operation needs to be equal are merged
(union-find), and the need is recorded as an `Equation` unless earlier ones imply it. Expressions
are hash-consed and folded, so that `zeros_like(x) + x` or `x[1:] * y[1:]` need no equation beyond
those of x and y.

    analysis = SizeAnalysis(block)
    analysis.of(value)        # one Size a dimension
    analysis.equations        # what must hold and is not checked, in the order of the program
    analysis.checks           # what the program checks
    analysis.implied          # its checks that say nothing new
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias, cast

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Block, Operation, SSAValue

from tetractys.dialects import types
from tetractys.dialects.build import SignatureOp, props_of
from tetractys.dialects.signature import DYNAMIC
from tetractys.dialects.tensor_signatures import Bound, parse_slices
from tetractys.passes.size_expressions import EqualPairs, Size, SizeTable
from tetractys.passes.size_rules import RULES, visit_elemwise

SliceSizes: TypeAlias = tuple[Size | None, Size | None, Size]
"""The bounds of a slice: start, stop (None where left out) and step."""


class Equation(NamedTuple):
    """Two sizes that `operation` needs to be equal; `message` may name {0} and {1}."""

    lhs: Size
    rhs: Size
    message: str
    kind: str
    operation: Operation


class SizeAnalysis:
    """The sizes of every value of a block of level-1 operations, and the equations they need."""

    def __init__(self, block: Block) -> None:
        self.table = SizeTable()
        self.equations: list[Equation] = []
        self.checks: list[Equation] = []
        self.implied: list[Operation] = []
        self._sizes: dict[SSAValue, tuple[Size, ...]] = {}
        self._scalars: dict[SSAValue, Size] = {}
        self._vectors: dict[SSAValue, tuple[Size, ...]] = {}
        self._elements: dict[tuple[SSAValue, int], Size] = {}
        self._checked = EqualPairs(self.table)
        for argument in block.args:
            self._sizes[argument] = self._declared(argument)
        for op in block.ops:
            self.visit(op)

    def of(self, value: SSAValue) -> tuple[Size, ...]:
        """One size a dimension of a value."""
        return self._sizes[value]

    def scalar(self, value: SSAValue) -> Size:
        """The number in an integer scalar of level 1."""
        size = self._scalars.get(value)
        if size is None:
            size = self._scalars[value] = self.table.opaque(value)
        return size

    def vector(self, value: SSAValue) -> tuple[Size, ...] | None:
        """The elements of an integer vector, where they are known one by one."""
        return self._vectors.get(value)

    def element(self, vector: SSAValue, position: int) -> Size | None:
        """One element of an integer vector, where the program has read it."""
        return self._elements.get((vector, position))

    def slices(self, op: SignatureOp, first_bound: int) -> list[SliceSizes | Size]:
        """The entries of a subtensor with sizes as bounds: an integer index, or (start, stop,
        step).
        """
        dynamic = iter(op.operands[first_bound:])

        def bound(value: Bound) -> Size | None:
            if value is None:
                return None
            return (
                self.scalar(next(dynamic)) if value == "@" else self.table.const(cast(int, value))
            )

        entries: list[SliceSizes | Size] = []
        for entry in parse_slices(str(props_of(op)["slices"])):
            if isinstance(entry, tuple):
                start, stop, step = (bound(value) for value in entry)
                entries.append((start, stop, step or self.table.const(1)))
            else:
                entries.append(cast(Size, bound(entry)))
        return entries

    def visit(self, op: Operation) -> None:
        """Records the sizes of an operation's results."""
        rule = RULES.get(op.name)
        if rule is not None:
            rule(self, op)
        elif op.name.startswith("elemwise."):
            visit_elemwise(self, op)
        for result in op.results:
            if result not in self._sizes and isinstance(result.type, TensorType):
                self._sizes[result] = self._unknown(op, result)

    def _unknown(self, op: Operation, result: SSAValue) -> tuple[Size, ...]:
        sizes = self._declared(result)
        if any(size.rank > 0 for size in sizes):
            raise NotImplementedError(
                f"{op.name}: no rule says the sizes of its result; "
                "expected an entry in passes/sizes.py"
            )
        return sizes

    def _declared(self, value: SSAValue) -> tuple[Size, ...]:
        if not isinstance(value.type, TensorType):
            return ()
        shape = types.spec_of(value.type)[1]
        return tuple(self.table.dim(value, axis) if n == DYNAMIC else self.table.const(n)
                     for axis, n in enumerate(shape))  # fmt: skip

    def set(self, result: SSAValue, sizes: Sequence[Size]) -> None:
        """Records the sizes of a result; a static size in its type wins."""
        shape = types.spec_of(result.type)[1]
        self._sizes[result] = tuple(
            size if n == DYNAMIC else self.table.const(n) for n, size in zip(shape, sizes)
        )

    def set_scalar(self, result: SSAValue, size: Size) -> None:
        """Records the number in an integer scalar."""
        self._scalars[result] = size

    def set_vector(self, result: SSAValue, elements: Sequence[Size]) -> None:
        """Records the elements of an integer vector."""
        self._vectors[result] = tuple(elements)

    def set_element(self, vector: SSAValue, position: int, size: Size) -> None:
        """Records one element of an integer vector."""
        self._elements.setdefault((vector, position), size)

    def require(
        self, lhs: Size, rhs: Size, message: str, op: Operation, kind: str = "ValueError"
    ) -> None:
        """Two sizes must be equal: an equation unless known, and one class from here on."""
        if not self.table.same(lhs, rhs):
            if not self.is_known(lhs, rhs):
                self.equations.append(Equation(lhs, rhs, message, kind, op))
            self.table.union(lhs, rhs)

    def require_number(self, lhs: Size, rhs: Size, message: str, op: Operation) -> None:
        """As `require` for numbers that are no sizes of their own (a maximum of two, say)."""
        if not self.is_known(lhs, rhs):
            self._checked.add(lhs, rhs)
            self.equations.append(Equation(lhs, rhs, message, "ValueError", op))

    def check(
        self, lhs: Size, rhs: Size, message: str, op: Operation, kind: str = "ValueError"
    ) -> None:
        """The program itself checks an equation; `implied` where what is before it does so too."""
        if self.is_known(lhs, rhs):
            self.implied.append(op)
            return
        self.checks.append(Equation(lhs, rhs, message, kind, op))
        self._checked.add(lhs, rhs)
        if lhs.rank < 3 and rhs.rank < 3:
            self.table.union(lhs, rhs)

    def is_known(self, lhs: Size, rhs: Size) -> bool:
        """Whether two numbers are the same, or a check has compared them."""
        first, second = self.table.canonical(lhs), self.table.canonical(rhs)
        if first is second:
            return True
        if lhs.rank < 3 and rhs.rank < 3:
            return False  # a check would have merged them
        return self._checked.has(first, second)
