"""Parts of arrays at level 2: `loops.subview` reads one, `loops.insert` puts one in its place;
`loops.empty` is an array to put parts into.

The first two name a *part*, one entry a dimension of the whole array, as maps of nests do:

    %x[%i, :]              index %i of the first dimension, which is dropped; all of the second
    %x[%o for %n, :]       %n indices from %o on
    %x[%o for %n by -2]    the indices %o, %o - 2, ...; a step may also be a run-time `by %s`

A range lies inside the array: `lower-to-loops` clips it as Python does. An index may be negative,
then it counts from the end; out of range it stops the function with NumPy's `IndexError`, unless
`inbounds` promises that neither occurs. A step is not 0. MLIR's `memref.subview`,
`tensor.extract_slice` and `tensor.insert_slice` say the same in three lists.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, NamedTuple, TypeVar, cast

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    DenseArrayBase,
    IndexType,
    IntegerType,
    LocationAttr,
    MemRefType,
    TensorType,
    UnitAttr,
    i64,
)
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser, UnresolvedOperand
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from tetractys.dialects import types
from tetractys.dialects.create import QuickOp
from tetractys.dialects.syntax import PlainOp

AT = 0
"""Kind of an entry: one index; the dimension is dropped."""
RANGE = 1
"""Kind of an entry: a first index, a number of them and a step."""
WHOLE = 2
"""Kind of an entry: the whole dimension, `:`."""


class Entry(NamedTuple):
    """How one dimension is indexed.

    first: the index, or the first one of a range; size: of a range; step: of a range, a number
    where it is known.
    """

    kind: int
    first: SSAValue | None = None
    size: SSAValue | None = None
    step: SSAValue | int = 1


FULL = Entry(WHOLE)


def part_shape(shape: Sequence[int], part: Sequence[Entry]) -> list[int]:
    """The static sizes of the dimensions that a part keeps."""
    return [
        n if entry.kind == WHOLE else DYNAMIC_INDEX
        for n, entry in zip(shape, part)
        if entry.kind != AT
    ]


class PartOp(QuickOp):
    """An operation on a part of an array; its last operands are the indices, in order."""

    BEFORE: ClassVar[int] = 1
    """The number of operands before the indices."""
    traits = traits_def(Pure())

    @property
    def is_safe(self) -> bool:
        """Whether every single index is promised to be in bounds and not negative."""
        return "inbounds" in self.properties

    @property
    def part(self) -> list[Entry]:
        """One entry a dimension of the whole array."""
        values = iter(self.operands[self.BEFORE :])
        found: list[Entry] = []
        for kind, step in zip(_numbers(self, "kinds"), _numbers(self, "steps"), strict=True):
            if kind == WHOLE:
                found.append(FULL)
            elif kind == AT:
                found.append(Entry(AT, next(values)))
            else:
                first, size = next(values), next(values)
                known = int(step) != DYNAMIC_INDEX
                found.append(Entry(RANGE, first, size, int(step) if known else next(values)))
        return found

    def _verify_part(self, whole: Attribute, shown: Attribute) -> None:
        """One entry a dimension, enough indices, and the type of what is read or written."""
        assert isinstance(whole, TensorType | MemRefType)
        kinds, steps = _numbers(self, "kinds"), _numbers(self, "steps")
        rank = len(whole.get_shape())
        if len(kinds) != rank or len(steps) != rank:
            raise VerifyException(
                f"{self.name}: found {len(kinds)} entries for {whole}; expected one a dimension"
            )
        if any(kind == RANGE and step == 0 for kind, step in zip(kinds, steps)):
            raise VerifyException(f"{self.name}: found a step of 0; expected another number")
        expected = sum({AT: 1, WHOLE: 0}.get(kind, 2 + (step == DYNAMIC_INDEX))
                       for kind, step in zip(kinds, steps))  # fmt: skip
        if len(self.operands) - self.BEFORE != expected:
            raise VerifyException(
                f"{self.name}: found {len(self.operands) - self.BEFORE} indices; expected "
                f"{expected}, those of its entries"
            )
        assert isinstance(shown, TensorType | MemRefType)
        wanted = part_shape(whole.get_shape(), self.part)
        found = shown.get_shape()
        fits = len(found) == len(wanted) and all(
            a == b for a, b in zip(found, wanted) if b != DYNAMIC_INDEX
        )
        if not fits or types.dtype_of(shown) != types.dtype_of(whole):
            raise VerifyException(
                f"{self.name}: found a part of type {shown}; expected rank {len(wanted)} and the "
                f"elements and kept sizes of {whole}"
            )


def _numbers(op: PartOp, name: str) -> tuple[int, ...]:
    found = cast("DenseArrayBase[IntegerType]", op.properties[name])
    return tuple(int(number) for number in found.get_values())


def part_properties(part: Sequence[Entry], *, inbounds: bool = False) -> dict[str, Attribute]:
    """The properties of an operation on a part."""
    steps = [entry.step if isinstance(entry.step, int) else DYNAMIC_INDEX for entry in part]
    properties: dict[str, Attribute] = {
        "kinds": DenseArrayBase.from_list(i64, [entry.kind for entry in part]),
        "steps": DenseArrayBase.from_list(i64, steps),
    }
    if inbounds:
        properties["inbounds"] = UnitAttr()
    return properties


def part_operands(part: Sequence[Entry]) -> list[SSAValue]:
    """The indices of a part, in order."""
    return [
        value
        for entry in part
        for value in (entry.first, entry.size, entry.step)
        if isinstance(value, SSAValue)
    ]


@irdl_op_definition
class SubviewOp(PartOp):
    """A part of an array, in place: `loops.subview %x[%o for %n, :] : tensor<?x?xf64> ->
    tensor<?x?xf64>`.

    Bufferized, it is a pointer that is moved and strides that are scaled.
    """

    name = "loops.subview"

    source = operand_def(TensorType | MemRefType)
    indices = var_operand_def(IndexType)
    kinds = prop_def(DenseArrayBase)
    steps = prop_def(DenseArrayBase)
    inbounds = opt_prop_def(UnitAttr)
    out = result_def(TensorType | MemRefType)

    def verify_(self) -> None:
        """See `PartOp`."""
        self._verify_part(self.source.type, self.out.type)

    def print(self, printer: Printer) -> None:
        """See the class."""
        printer.print_string(" ")
        _print_part(printer, self.source, self)
        printer.print_string(" : ")
        printer.print_attribute(self.source.type)
        printer.print_string(" -> ")
        printer.print_attribute(self.out.type)

    @classmethod
    def parse(cls, parser: Parser) -> SubviewOp:
        """The inverse of `print`."""
        source, part = parser.parse_unresolved_operand(), _parse_part(parser)
        parser.parse_punctuation(":")
        operand = parser.resolve_operand(source, parser.parse_type())
        parser.parse_punctuation("->")
        return _finish(cls, parser, [operand], part, parser.parse_type())


@irdl_op_definition
class InsertOp(PartOp):
    """An array with a part replaced: `loops.insert %v into %x[%o for %n, :] : tensor<?x?xf64> into
    tensor<?x?xf64>`.

    `mark-inplace` says `inplace` where it takes the array's memory, and `direct` where the nest
    that makes the value writes it into the part.
    """

    name = "loops.insert"
    BEFORE: ClassVar[int] = 2

    value = operand_def(TensorType)
    base = operand_def(TensorType | MemRefType)
    indices = var_operand_def(IndexType)
    kinds = prop_def(DenseArrayBase)
    steps = prop_def(DenseArrayBase)
    inbounds = opt_prop_def(UnitAttr)
    out = result_def(TensorType)

    def verify_(self) -> None:
        """See `PartOp`; the result has the type of the array."""
        self._verify_part(self.base.type, self.value.type)
        if self.out.type != self.base.type:
            raise VerifyException(
                f"loops.insert: found a result of type {self.out.type}; expected "
                f"{self.base.type}, the array's"
            )

    def print(self, printer: Printer) -> None:
        """See the class."""
        printer.print_string(" ")
        printer.print_ssa_value(self.value)
        printer.print_string(" into ")
        _print_part(printer, self.base, self)
        printer.print_string(" : ")
        printer.print_attribute(self.value.type)
        printer.print_string(" into ")
        printer.print_attribute(self.base.type)

    @classmethod
    def parse(cls, parser: Parser) -> InsertOp:
        """The inverse of `print`."""
        value = parser.parse_unresolved_operand()
        parser.parse_characters("into")
        base, part = parser.parse_unresolved_operand(), _parse_part(parser)
        parser.parse_punctuation(":")
        first = parser.resolve_operand(value, parser.parse_type())
        parser.parse_characters("into")
        type_ = parser.parse_type()
        return _finish(cls, parser, [first, parser.resolve_operand(base, type_)], part, type_)


@irdl_op_definition
class EmptyOp(PlainOp):
    """An array whose elements are not set: `loops.empty %n : (index) -> tensor<?xf64>`.

    Its sizes are those that the type leaves open. Every element is inserted before it is read.
    """

    name = "loops.empty"

    sizes = var_operand_def(IndexType)
    out = result_def(TensorType)
    traits = traits_def(Pure())

    def verify_(self) -> None:
        """One size for each that the type leaves open."""
        type_ = self.out.type
        assert isinstance(type_, TensorType)
        wanted = sum(n == DYNAMIC_INDEX for n in type_.get_shape())
        if len(self.operands) != wanted:
            raise VerifyException(
                f"loops.empty: found {len(self.operands)} sizes for {type_}; expected {wanted}"
            )


# ---- text


class _ParsedPart(NamedTuple):
    kinds: list[int]
    steps: list[int]
    indices: list[UnresolvedOperand]
    attributes: dict[str, Attribute]


def _print_part(printer: Printer, whole: SSAValue, op: PartOp) -> None:
    printer.print_ssa_value(whole)
    printer.print_string("[")
    printer.print_list(op.part, lambda entry: _print_entry(printer, entry))
    printer.print_string("]")
    shown: dict[str, Attribute] = {"inbounds": UnitAttr()} if op.is_safe else {}
    printer.print_op_attributes({**shown, **op.attributes})


def _print_entry(printer: Printer, entry: Entry) -> None:
    if entry.first is None:
        printer.print_string(":")
        return
    printer.print_ssa_value(entry.first)
    if entry.size is None:
        return
    printer.print_string(" for ")
    printer.print_ssa_value(entry.size)
    if isinstance(entry.step, SSAValue):
        printer.print_string(" by ")
        printer.print_ssa_value(entry.step)
    elif entry.step != 1:
        printer.print_string(f" by {entry.step}")


def _parse_part(parser: Parser) -> _ParsedPart:
    part = _ParsedPart([], [], [], {})
    parser.parse_comma_separated_list(
        parser.Delimiter.SQUARE, lambda: _parse_entry(parser, part)
    )
    part.attributes.update(parser.parse_optional_attr_dict())
    return part


def _parse_entry(parser: Parser, part: _ParsedPart) -> None:
    kind, step = WHOLE, 1
    if parser.parse_optional_punctuation(":") is None:
        kind = AT
        part.indices.append(parser.parse_unresolved_operand())
        if parser.parse_optional_keyword("for"):
            kind = RANGE
            part.indices.append(parser.parse_unresolved_operand())
            if parser.parse_optional_keyword("by"):
                dynamic = parser.parse_optional_unresolved_operand()
                step = parser.parse_integer() if dynamic is None else DYNAMIC_INDEX
                part.indices.extend([] if dynamic is None else [dynamic])
    part.kinds.append(kind)
    part.steps.append(step)


_Kind = TypeVar("_Kind", bound=PartOp)


def _finish(
    cls: type[_Kind],
    parser: Parser,
    operands: Sequence[SSAValue],
    part: _ParsedPart,
    type_: Attribute,
) -> _Kind:
    indices: Iterator[SSAValue] = (
        parser.resolve_operand(index, IndexType()) for index in part.indices
    )
    properties: dict[str, Attribute] = {
        "kinds": DenseArrayBase.from_list(i64, part.kinds),
        "steps": DenseArrayBase.from_list(i64, part.steps),
    }
    given = dict(part.attributes)
    if "inbounds" in given:
        properties["inbounds"] = given.pop("inbounds")
    return cls.create(
        operands=[*operands, *indices],
        result_types=[type_],
        properties=properties,
        attributes=given,
    )


def make_subview(
    source: SSAValue,
    part: Sequence[Entry],
    type_: Attribute,
    *,
    inbounds: bool = False,
    location: LocationAttr | None = None,
) -> SubviewOp:
    """Creates the operation without verifying it."""
    return SubviewOp.create(
        operands=[source, *part_operands(part)],
        result_types=[type_],
        properties=part_properties(part, inbounds=inbounds),
        location=location,
    )
