"""The text of a nest, printed and parsed; `loops` says what it looks like."""

from __future__ import annotations

from typing import TypeAlias, cast

from xdsl.dialects.builtin import DictionaryAttr, MemRefType, TensorType, VectorType
from xdsl.ir import Attribute, SSAValue
from xdsl.parser import Parser
from xdsl.printer import Printer

from tetractys.dialects.loops import (
    INDEX,
    KINDS,
    SLICE,
    YIELDED,
    ZERO,
    Map,
    NestOp,
    Result,
    slice_type,
)


class NestPrinter:
    """Prints a nest in the module's form."""

    def __init__(self, nest: NestOp, printer: Printer) -> None:
        self.nest = nest
        self.printer = printer

    def print(self) -> None:
        """Prints sizes, inputs, results, schedule and body."""
        nest, printer = self.nest, self.printer
        printer.print_string(" (")
        printer.print_list(list(zip(nest.iterators, nest.sizes)), self._size)
        printer.print_string(")")
        if nest.inputs:
            printer.print_string(" ins(")
            printer.print_list(list(zip(nest.elements, nest.inputs, nest.input_maps)), self._input)
            printer.print_string(")")
        printer.print_string(" -> (")
        printer.print_list(nest.parts(), self._result)
        printer.print_string(")")
        if nest.schedule is not None:
            printer.print_string(" schedule ")
            printer.print_attribute(nest.schedule)
        printer.print_string(" ")
        printer.print_region(nest.body, print_entry_block_args=False)
        if nest.attributes:
            printer.print_op_attributes(nest.attributes, print_keyword=True)

    def _size(self, pair: tuple[SSAValue, SSAValue]) -> None:
        self.printer.print_ssa_value(pair[0])
        self.printer.print_string(" < ")
        self.printer.print_ssa_value(pair[1])

    def _input(self, row: tuple[SSAValue, SSAValue, Map]) -> None:
        element, value, entries = row
        self.printer.print_ssa_value(element)
        self.printer.print_string(" = ")
        self.printer.print_ssa_value(value)
        self._map(entries)
        self.printer.print_string(" : ")
        self.printer.print_attribute(value.type)
        if isinstance(element.type, VectorType):
            self.printer.print_string(" as ")
            self.printer.print_attribute(element.type)

    def _map(self, entries: Map) -> None:
        def entry(number: int) -> None:
            if number >= 0:
                self.printer.print_ssa_value(self.nest.iterators[number])
            else:
                self.printer.print_string({SLICE: ":", YIELDED: "?", ZERO: "0"}[number])

        self.printer.print_string("[")
        self.printer.print_list(entries, entry)
        self.printer.print_string("]")

    def _result(self, part: Result) -> None:
        self.printer.print_string(part.kind)
        base = part.init if part.init is not None else part.partial
        if base is not None:
            self.printer.print_string("(")
            self.printer.print_ssa_value(base)
            self.printer.print_string(")")
        self._map(part.map)
        if part.out is not None:
            self.printer.print_string(" into ")
            self.printer.print_ssa_value(part.out)
        self.printer.print_string(" : ")
        self.printer.print_attribute(part.type)


_ParsedInput: TypeAlias = tuple[Parser.UnresolvedArgument, SSAValue, Map, Attribute]
_ParsedResult: TypeAlias = tuple[str, Map, SSAValue | None, SSAValue | None, Attribute]


class NestParser:
    """Parses a nest in the module's form."""

    def __init__(self, parser: Parser) -> None:
        self.parser = parser
        self.names: list[str] = []

    def parse(self) -> NestOp:
        """The inverse of the printer."""
        parser = self.parser
        sizes = parser.parse_comma_separated_list(parser.Delimiter.PAREN, self._size)
        self.names = [argument.name.text.removeprefix("%") for argument, _ in sizes]
        inputs: list[_ParsedInput] = []
        if parser.parse_optional_keyword("ins"):
            inputs = parser.parse_comma_separated_list(parser.Delimiter.PAREN, self._input)
        parser.parse_punctuation("->")
        results = parser.parse_comma_separated_list(parser.Delimiter.PAREN, self._result)
        schedule = parser.parse_attribute() if parser.parse_optional_keyword("schedule") else None
        arguments = [argument.resolve(INDEX) for argument, _ in sizes]
        arguments += [row[0].resolve(row[3]) for row in inputs]
        body = parser.parse_region(arguments)
        extra = parser.parse_optional_attr_dict_with_keyword()
        nest = NestOp.make(
            [value for _, value in sizes],
            [row[1] for row in inputs],
            [row[2] for row in inputs],
            [row[0] for row in results],
            [row[1] for row in results],
            [row[4] for row in results if row[3] is None],
            body,
            inits=[row[2] for row in results if row[2] is not None],
            outs=[row[3] for row in results if row[3] is not None],
            schedule=cast("DictionaryAttr | None", schedule),
        )
        if extra is not None:
            nest.attributes.update(extra.data)
        return nest

    def _size(self) -> tuple[Parser.UnresolvedArgument, SSAValue]:
        parser = self.parser
        argument = parser.parse_argument(expect_type=False)
        parser.parse_punctuation("<")
        return argument, parser.resolve_operand(parser.parse_unresolved_operand(), INDEX)

    def _map(self) -> Map:
        parser = self.parser
        return tuple(parser.parse_comma_separated_list(parser.Delimiter.SQUARE, self._entry))

    def _entry(self) -> int:
        parser = self.parser
        if parser.parse_optional_punctuation(":") is not None:
            return SLICE
        if parser.parse_optional_punctuation("?") is not None:
            return YIELDED
        start = parser.pos
        if (number := parser.parse_optional_integer()) is not None:
            if number != 0:
                self._refuse(str(number), start)
            return ZERO
        name = parser.parse_unresolved_operand().operand_name
        if name not in self.names:
            self._refuse(f"%{name}", start)
        return self.names.index(name)

    def _refuse(self, found: str, start: int) -> None:
        message = f"loops.nest: found {found} in a map; expected `0`, an iterator, `:` or `?`"
        self.parser.raise_error(message, start, self.parser.pos)

    def _input(self) -> _ParsedInput:
        parser = self.parser
        argument = parser.parse_argument(expect_type=False)
        parser.parse_punctuation("=")
        operand = parser.parse_unresolved_operand()
        entries = self._map()
        parser.parse_punctuation(":")
        value = parser.resolve_operand(operand, parser.parse_type())
        if not isinstance(value.type, TensorType | MemRefType):
            parser.raise_error(f"loops.nest: found input of type {value.type}; expected a tensor")
        if parser.parse_optional_keyword("as"):
            return argument, value, entries, parser.parse_type()
        return argument, value, entries, slice_type(value.type, entries)

    def _result(self) -> _ParsedResult:
        parser = self.parser
        start = parser.pos
        kind = parser.parse_identifier()
        if kind not in KINDS:
            message = f"loops.nest: found kind {kind!r}; expected one of {KINDS}"
            parser.raise_error(message, start, parser.pos)
        base = None
        if parser.parse_optional_punctuation("("):
            base = parser.parse_unresolved_operand()
            parser.parse_punctuation(")")
        entries = self._map()
        out = parser.parse_unresolved_operand() if parser.parse_optional_keyword("into") else None
        parser.parse_punctuation(":")
        type_ = parser.parse_type()
        init = None if base is None else parser.resolve_operand(base, type_)
        memory = None if out is None else parser.resolve_operand(out, type_)
        return kind, entries, init, memory, type_
