"""xDSL's parser, with the place of every operation kept and every failure given one.

MLIR's parser gives an operation that is written without `loc(...)` its place in the file; xDSL's
leaves it unknown, so an ill-typed operation could not be pointed at, and a pass that loses
locations could not be caught.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable

from xdsl.context import Context
from xdsl.dialects.builtin import (
    FileLineColLoc,
    IntAttr,
    LocationAttr,
    ModuleOp,
    StringAttr,
    UnknownLoc,
)
from xdsl.ir import Operation, Region
from xdsl.parser import Parser
from xdsl.parser.generic_parser import ParserState
from xdsl.utils.exceptions import ParseError
from xdsl.utils.lexer import Input, Span
from xdsl.utils.mlir_lexer import MLIRLexer

from tetractys.tools.diagnostics import message_of


class _Lexer(MLIRLexer):
    """xDSL's lexer; its pattern of a string takes exponential time where the end quote is
    missing.
    """

    _unescaped_characters_regex = re.compile(
        r'"(?:[^"\\\n\v\f]++|\\(?:["nt\\]|[0-9A-Fa-f]{2}))*+"'
    )


class LocatingParser(Parser):
    """Parses a module; operations and block arguments without a location get their place in the
    file.
    """

    def __init__(self, ctx: Context, text: str, file: str) -> None:
        super().__init__(ctx, "", file)
        self._parser_state = ParserState(_Lexer(Input(text, file)))
        self._file = StringAttr(file)
        self._line_starts = [0, *(i + 1 for i, char in enumerate(text) if char == "\n")]

    def parse_operation(self) -> Operation:
        """Parse an operation; a failure that names no place is reported at its first token."""
        start = self.pos
        try:
            op = super().parse_operation()
        except (ParseError, RecursionError):
            raise
        except Exception as error:
            # Attributes verify themselves while they are parsed, and know no place.
            message = message_of(error, "parsing")
            raise ParseError(Span(start, start, self.lexer.input), message) from error
        if isinstance(op.location, UnknownLoc):
            op.location = self._location(start)
        return op

    def parse_optional_region(
        self, arguments: Iterable[Parser.Argument] | None = None
    ) -> Region | None:
        """Parse a region, if there is one."""
        if arguments is not None:
            arguments = list(arguments)
            for argument in arguments:
                if argument.location is None:
                    argument.location = self._location(argument.name.start)
        return super().parse_optional_region(arguments)

    def parse_module(self, allow_implicit_module: bool = True) -> ModuleOp:
        """Parse a whole file; the module that it stands for lies at its first character."""
        module = super().parse_module(allow_implicit_module)
        if isinstance(module.location, UnknownLoc):
            module.location = self._location(0)
        return module

    def _location(self, position: int) -> LocationAttr:
        line = bisect_right(self._line_starts, position)
        column = position - self._line_starts[line - 1] + 1
        return FileLineColLoc(self._file, IntAttr(line), IntAttr(column))
