"""How the elements of a level-1 value are reached from a loop nest: the lazy half of
`lower-to-loops`.

A dimshuffle, a broadcast or a range makes no array. It is an `Access`: it knows, for given
positions along the value's dimensions, how to get the element. Only what must be an array (a
function's result, an operand of a library call or of a reshape) is collected by a nest. A slice is
an array, a `loops.subview`, but one that costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from xdsl.ir import SSAValue

from tetractys.dialects import elemwise_signatures as scalar
from tetractys.dialects import types
from tetractys.dialects.loops import ZERO
from tetractys.passes.size_expressions import Size

if TYPE_CHECKING:
    from tetractys.passes.lower_nests import ScalarBuilder

Positions: TypeAlias = Sequence[int]
"""For each dimension of a value, an iterator of the nest being built, or ZERO."""


class ArrayAccess(NamedTuple):
    """Elements of an array of level 2.

    entries: for each of *its* dimensions, the value's dimension that indexes it, or ZERO.
    """

    base: SSAValue
    entries: tuple[int, ...]

    def dimshuffle(self, order: Sequence[int]) -> ArrayAccess:
        """The value with its dimensions in another order; dropped ones have size 1."""
        where = {axis: position for position, axis in enumerate(order) if axis >= 0}
        return ArrayAccess(self.base, tuple(where.get(old, ZERO) for old in self.entries))

    def element(self, nest: ScalarBuilder, positions: Positions) -> SSAValue:
        """An input of the nest."""
        entries = [ZERO if entry == ZERO else positions[entry] for entry in self.entries]
        return nest.input(self.base, tuple(entries))

    def is_whole(self, rank: int) -> bool:
        """Whether the value is the array itself."""
        return self.entries == tuple(range(rank))


class ScalarAccess(NamedTuple):
    """The same scalar everywhere: a broadcast one."""

    value: SSAValue

    def dimshuffle(self, order: Sequence[int]) -> ScalarAccess:
        """Itself."""
        return self

    def element(self, nest: ScalarBuilder, positions: Positions) -> SSAValue:
        """The scalar."""
        return self.value


class ConstantAccess(NamedTuple):
    """The same number everywhere."""

    number: float
    dtype: str

    def dimshuffle(self, order: Sequence[int]) -> ConstantAccess:
        """Itself."""
        return self

    def element(self, nest: ScalarBuilder, positions: Positions) -> SSAValue:
        """A constant in the body."""
        return nest.constant(self.number, self.dtype)


class SizeAccess(NamedTuple):
    """An int64 scalar that is a size; converted only where it is used as a number."""

    size: Size

    def dimshuffle(self, order: Sequence[int]) -> SizeAccess:
        """Itself."""
        return self

    def element(self, nest: ScalarBuilder, positions: Positions) -> SSAValue:
        """The size as int64, computed outside the nest."""
        return nest.int64(self.size)


class RangeAccess(NamedTuple):
    """`start + step * position` along `axis`; of floats with NumPy's rounding of the step."""

    start: SSAValue
    step: SSAValue
    axis: int

    def dimshuffle(self, order: Sequence[int]) -> RangeAccess:
        """The dimension of the range elsewhere."""
        where = order.index(self.axis) if self.axis in order else ZERO
        return RangeAccess(self.start, self.step, where)

    def element(self, nest: ScalarBuilder, positions: Positions) -> SSAValue:
        """Computed from the iterator."""
        if self.axis == ZERO or positions[self.axis] == ZERO:
            return self.start
        dtype = types.dtype_of(self.start.type)
        number = nest.op(scalar.CAST, nest.position(positions[self.axis]), dtype=dtype)
        return nest.op(scalar.ADD, self.start, nest.op(scalar.MUL, number, self.step))


class VectorAccess(NamedTuple):
    """A vector of separate scalars along `axis`."""

    elements: tuple[ScalarAccess | ConstantAccess | SizeAccess, ...]
    axis: int

    def dimshuffle(self, order: Sequence[int]) -> VectorAccess:
        """The dimension of the vector elsewhere."""
        where = order.index(self.axis) if self.axis in order else ZERO
        return VectorAccess(self.elements, where)

    def element(self, nest: ScalarBuilder, positions: Positions) -> SSAValue:
        """Chosen by the iterator."""
        if not self.elements:  # the shape of a scalar: no element is ever asked for
            return nest.constant(0, "int64")
        values = [element.element(nest, ()) for element in self.elements]
        if self.axis == ZERO or positions[self.axis] == ZERO:
            return values[0]
        result = values[-1]
        position = nest.position(positions[self.axis])
        for number in range(len(values) - 2, -1, -1):
            found = nest.op(scalar.EQ, position, nest.constant(number, "index"))
            result = nest.op(scalar.SWITCH, found, values[number], result)
        return result


Access: TypeAlias = (
    ArrayAccess | ScalarAccess | ConstantAccess | SizeAccess | RangeAccess | VectorAccess
)


def whole_entries(rank: int) -> tuple[int, ...]:
    """The entries of an array itself."""
    return tuple(range(rank))
