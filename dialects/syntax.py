"""Forms of text that the dialects share: typed operands, and operands with a functional type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from xdsl.dialects.builtin import FunctionType
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import traits_def, var_operand_def
from xdsl.parser import Parser, UnresolvedOperand
from xdsl.printer import Printer
from xdsl.traits import IsTerminator, Pure

from tetractys.dialects.create import QuickOp


def print_typed_operands(printer: Printer, operands: Sequence[SSAValue]) -> None:
    """Prints ` %a, %b : f64, i1`; nothing without operands."""
    if not operands:
        return
    printer.print_string(" ")
    printer.print_list(operands, printer.print_ssa_value)
    printer.print_string(" : ")
    printer.print_list([operand.type for operand in operands], printer.print_attribute)


def parse_typed_operands(parser: Parser) -> list[SSAValue]:
    """The inverse of `print_typed_operands`."""
    start = parser.pos
    unresolved = parse_operand_names(parser)
    if not unresolved:
        return []
    parser.parse_punctuation(":")
    kinds = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
    return list(parser.resolve_operands(unresolved, kinds, start))


def parse_operand_names(parser: Parser) -> list[UnresolvedOperand]:
    """Operands between commas, types not known yet; possibly none."""
    return (
        parser.parse_optional_undelimited_comma_separated_list(
            parser.parse_optional_unresolved_operand, parser.parse_unresolved_operand
        )
        or []
    )


def parse_function_type(parser: Parser) -> tuple[list[Attribute], list[Attribute]]:
    """The inputs and outputs of `(f64, index) -> f64`."""
    start = parser.pos
    type_ = parser.parse_type()
    if not isinstance(type_, FunctionType):
        parser.raise_error(f"found type {type_}; expected (operand types) -> result types",
                           start, parser.pos)
    return list(type_.inputs), list(type_.outputs)


class YieldBase(QuickOp):
    """Ends a body with values: `yield %a, %b : f64, i1`."""

    arguments = var_operand_def()
    traits = traits_def(IsTerminator(), Pure())

    def print(self, printer: Printer) -> None:
        """See the class."""
        print_typed_operands(printer, self.arguments)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        """The inverse of `print`."""
        return cls.create(operands=parse_typed_operands(parser))


class PlainOp(QuickOp):
    """Operands, a dictionary of properties and attributes, a functional type."""

    def print(self, printer: Printer) -> None:
        """`%a, %b {p = 1} : (index, index) -> ()`."""
        if self.operands:
            printer.print_string(" ")
            printer.print_list(self.operands, printer.print_ssa_value)
        shown = {k: v for k, v in self.properties.items() if k != "operandSegmentSizes"}
        printer.print_op_attributes({**shown, **self.attributes})
        printer.print_string(" : ")
        printer.print_function_type(self.operand_types, self.result_types)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        """The inverse of `print`."""
        start = parser.pos
        unresolved = parse_operand_names(parser)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        inputs, outputs = parse_function_type(parser)
        if len(inputs) != len(unresolved):
            parser.raise_error(
                f"{cls.name}: found {len(unresolved)} operands and {len(inputs)} types; "
                "expected as many of each", start, parser.pos)
        declared = cls.get_irdl_definition().properties
        return cls.create(
            operands=parser.resolve_operands(unresolved, inputs, start),
            result_types=outputs,
            properties={k: v for k, v in attributes.items() if k in declared},
            attributes={k: v for k, v in attributes.items() if k not in declared},
        )
