"""What nests combine with: identities, one step, and the tree that ends a vector reduction.

Kinds are `add mul max min and or`; of bools `add` and `max` are `or`, `mul` and `min` are `and`. A
maximum keeps a NaN: in a loop by a mask of lanes that saw one (a comparison and a select a step,
LOOPS 4), elsewhere by a select. Of zeros +0 is the larger one, whatever the order: a maximum is
negative iff all its values are, so a loop keeps the `and` of their bits (of a minimum the `or`),
and elsewhere the sign is put right at each step. The tree adds virtual lane v to v + half, so that
the number of lanes of the host does not change the bits, and neither does a rotation of the
accumulators.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from xdsl.dialects import llvm
from xdsl.dialects.builtin import IntegerType
from xdsl.ir import Attribute, SSAValue

from tetractys.dialects import types
from tetractys.passes.llvm_builder import element_of, itemsize, lanes_of, llvm_type, vector_of
from tetractys.passes.llvm_scopes import ScopedBuilder

_IDENTITIES = {"add": 0, "or": 0, "mul": 1, "and": -1}
_AS_BOOL = {"add": "or", "max": "or", "or": "or", "mul": "and", "min": "and", "and": "and"}


class Monoid(NamedTuple):
    """A kind on a dtype."""

    kind: str
    dtype: str

    @staticmethod
    def of(kind: str, element: Attribute) -> Monoid:
        """The monoid of a result kind on elements of a dialect type."""
        dtype = types.dtype_of(element)
        if kind == "scatter_add":
            kind = "add"
        return Monoid(_AS_BOOL[kind] if dtype == "bool" else kind, dtype)

    @property
    def is_float(self) -> bool:
        """Whether it combines floating-point numbers."""
        return self.dtype.startswith("float")

    @property
    def is_extremum(self) -> bool:
        """Whether a loop carries a mask of NaNs and the signs for it."""
        return self.is_float and self.kind in ("max", "min")

    @property
    def element(self) -> Attribute:
        """The LLVM type of one element."""
        return llvm_type(types.element_type(self.dtype))

    def identity(self) -> float:
        """The value that changes nothing."""
        if self.kind in _IDENTITIES:
            return _IDENTITIES[self.kind]
        if self.is_float:
            return -math.inf if self.kind == "max" else math.inf
        return self._extreme()

    def _extreme(self) -> int:
        width = element_width(self.element)
        unsigned = self.dtype.startswith("uint") or self.dtype == "bool"
        lowest, highest = (0, (1 << width) - 1) if unsigned else (
            -(1 << (width - 1)), (1 << (width - 1)) - 1)
        return lowest if self.kind == "max" else highest


def element_width(element: Attribute) -> int:
    """The bits of an LLVM integer type."""
    assert isinstance(element, IntegerType)
    return element.width.data


_INSTRUCTIONS = {
    ("add", True): llvm.FAddOp, ("add", False): llvm.AddOp,
    ("mul", True): llvm.FMulOp, ("mul", False): llvm.MulOp,
    ("and", False): llvm.AndOp, ("or", False): llvm.OrOp,
}  # fmt: skip


def identity(builder: ScopedBuilder, monoid: Monoid, lanes: int) -> SSAValue:
    """The identity as a scalar (0 lanes) or vector."""
    return builder.constant(monoid.identity(), vector_of(monoid.element, lanes))


def combine(builder: ScopedBuilder, monoid: Monoid, acc: SSAValue, value: SSAValue) -> SSAValue:
    """One step, right for NaNs: the first NaN stays."""
    instruction = _INSTRUCTIONS.get((monoid.kind, monoid.is_float))
    if instruction is not None:
        return builder.binary(instruction, acc, value)
    if monoid.is_float:
        better = builder.fcmp("ogt" if monoid.kind == "max" else "olt", acc, value)
        keeps = builder.binary(llvm.OrOp, better, builder.fcmp("uno", acc, acc))
        return _signed(builder, monoid, builder.select(keeps, acc, value), acc, value)
    sign = "u" if monoid.dtype.startswith("uint") else "s"
    return builder.intrinsic(f"llvm.{sign}{monoid.kind}", (acc, value), acc.type)


def combine_ordered(
    builder: ScopedBuilder, monoid: Monoid, acc: SSAValue, value: SSAValue
) -> SSAValue:
    """One step of a maximum or minimum without NaNs and signs of zeros: the loop carries them."""
    better = builder.fcmp("ogt" if monoid.kind == "max" else "olt", value, acc)
    return builder.select(better, value, acc)


def is_nan(builder: ScopedBuilder, value: SSAValue) -> SSAValue:
    """Lane by lane."""
    return builder.fcmp("uno", value, value)


def put_nan(builder: ScopedBuilder, acc: SSAValue, mask: SSAValue) -> SSAValue:
    """NaN in the lanes of the mask."""
    return builder.select(mask, builder.constant(math.nan, acc.type), acc)


def no_signs(builder: ScopedBuilder, monoid: Monoid, lanes: int) -> SSAValue:
    """The signs of no value at all, in integers as wide as the values."""
    element = IntegerType(8 * itemsize(monoid.element))
    return builder.constant(-1 if monoid.kind == "max" else 0, vector_of(element, lanes))


def keep_signs(
    builder: ScopedBuilder, monoid: Monoid, signs: SSAValue, value: SSAValue
) -> SSAValue:
    """The signs of the values so far and of one more: negative if all are, of a minimum if any."""
    instruction = llvm.AndOp if monoid.kind == "max" else llvm.OrOp
    return builder.binary(instruction, signs, _bits(builder, value, element_of(signs.type)))


def put_signs(
    builder: ScopedBuilder, monoid: Monoid, result: SSAValue, signs: SSAValue
) -> SSAValue:
    """An extremum with its sign: it was right but for zeros, of which any was taken."""
    integer = element_of(signs.type)
    bits, sign = _bits(builder, result, integer), 1 << (element_width(integer) - 1)
    if monoid.kind == "max":
        allowed = builder.binary(llvm.OrOp, signs, builder.constant(sign - 1, signs.type))
        fixed = builder.binary(llvm.AndOp, bits, allowed)
    else:
        found = builder.binary(llvm.AndOp, signs, builder.constant(-sign, signs.type))
        fixed = builder.binary(llvm.OrOp, bits, found)
    return builder.convert(llvm.BitcastOp, fixed, element_of(result.type))


def _bits(builder: ScopedBuilder, value: SSAValue, integer: Attribute) -> SSAValue:
    return builder.convert(llvm.BitcastOp, value, integer)


def _signed(
    builder: ScopedBuilder, monoid: Monoid, result: SSAValue, acc: SSAValue, value: SSAValue
) -> SSAValue:
    """An extremum of two values with its sign."""
    signs = _bits(builder, acc, IntegerType(8 * itemsize(monoid.element)))
    return put_signs(builder, monoid, result, keep_signs(builder, monoid, signs, value))


def fold(builder: ScopedBuilder, monoid: Monoid, accumulators: Sequence[SSAValue]) -> SSAValue:
    """Several accumulators to one: j with j + half, as the lanes; of extrema still without NaNs."""
    step = combine_ordered if monoid.is_extremum else combine
    level = list(accumulators)
    while len(level) > 1:
        half = len(level) // 2
        level = [step(builder, monoid, a, b) for a, b in zip(level[:half], level[half:])]
    return level[0]


def reduce_lanes(builder: ScopedBuilder, monoid: Monoid, vector: SSAValue) -> SSAValue:
    """The lanes of one vector to a scalar."""
    if lanes_of(vector.type) == 1:
        return builder.extract(vector, 0)
    pair = _halve(builder, monoid, vector, 1, until=2)
    return combine(builder, monoid, builder.extract(pair, 0), builder.extract(pair, 1))


def _halve(
    builder: ScopedBuilder, monoid: Monoid, vector: SSAValue, rows: int, *, until: int
) -> SSAValue:
    """Lanes of `rows` rows, side by side, combined until so many are left."""
    while (lanes := lanes_of(vector.type)) > until:
        width = lanes // rows
        low = [row * width + lane for row in range(rows) for lane in range(width // 2)]
        lhs = builder.shuffle(vector, vector, low)
        rhs = builder.shuffle(vector, vector, [lane + width // 2 for lane in low])
        vector = combine(builder, monoid, lhs, rhs)
    return vector


def reduce_rows(builder: ScopedBuilder, monoid: Monoid, vectors: Sequence[SSAValue]) -> SSAValue:
    """One vector a row to one vector of a lane a row, by a tree of shuffles.

    Each row's lanes are combined in the order of `reduce_lanes`.
    """
    lanes, rows = lanes_of(vectors[0].type), len(vectors)
    if rows == 1:
        return reduce_lanes(builder, monoid, vectors[0])
    if rows & (rows - 1) or rows > lanes:
        return builder.pack([reduce_lanes(builder, monoid, vector) for vector in vectors])
    level, held = list(vectors), 1
    while len(level) > 1:
        width = lanes // held
        low = [row * width + lane for row in range(held) for lane in range(width // 2)]
        low += [lanes + lane for lane in low]
        high = [lane + width // 2 for lane in low]
        level = [
            combine(builder, monoid, builder.shuffle(a, b, low), builder.shuffle(a, b, high))
            for a, b in zip(level[::2], level[1::2])
        ]
        held *= 2
    return _halve(builder, monoid, level[0], rows, until=rows)


def combine_position(
    builder: ScopedBuilder,
    monoid: Monoid,
    acc: Sequence[SSAValue],
    value: SSAValue,
    position: SSAValue,
) -> list[SSAValue]:
    """One step of an argmax: the first largest value, a NaN the largest, and its position.

    Of zeros it is the first one, whatever its sign: the value is the element at the position.
    """
    best, where = acc
    if monoid.is_float:
        larger = builder.fcmp("ugt", value, best)  # or one is a NaN; a NaN that stands stays
        better = builder.binary(llvm.AndOp, larger, builder.fcmp("ord", best, best))
    else:
        unsigned = monoid.dtype.startswith("uint") or monoid.dtype == "bool"
        better = builder.icmp("ugt" if unsigned else "sgt", value, best)
    return [builder.select(better, value, best), builder.select(better, position, where)]
