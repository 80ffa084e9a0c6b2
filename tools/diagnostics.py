"""Diagnostics of `tt-opt`: one place and one sentence each, and the `expected-error` comments that
tests write.

Exceptions of xDSL and of our passes come in many classes, with the place in many forms or in none.
`from_exception` makes a `Diagnostic` of any of them; `Expectations` compares what was reported with
what the file announces, as `mlir-opt --verify-diagnostics` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.utils.exceptions import DiagnosticException, MultipleSpansParseError, ParseError

from tetractys.dialects.signature import InferError, InferTypeError
from tetractys.dialects.types import UnknownDtypeError
from tetractys.passes.faults import emitted_message, first_location, operation_at_fault


@dataclass(frozen=True)
class Diagnostic:
    """An error at a place; `line` and `column` count from 1, and line 0 is "place unknown"."""

    file: str
    line: int
    column: int
    message: str
    is_syntax: bool = False
    """Whether it comes from the parser."""

    def render(self, source: str | None = None) -> str:
        """`file:line:column: error: message`, then, where it is a line of `source`, the line and a
        caret.
        """
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        text = f"{place}: error: {self.message}"
        lines = source.split("\n") if source is not None else []
        if not 0 < self.line <= len(lines):
            return text
        line = lines[self.line - 1]
        # Tabs stay tabs below the line, so that the caret stands right whatever their width.
        indent = "".join("\t" if char == "\t" else " " for char in line[: self.column - 1])
        return f"{text}\n{line}\n{indent}^"


def from_exception(
    error: BaseException, file: str, stage: str, module: ModuleOp | None = None
) -> Diagnostic:
    """The diagnostic for `error`, raised while doing `stage` ("parsing", "pass 'cse'", ...).

    module: what was worked on; its place stands for that of an unknown operation.
    """
    op = None if isinstance(error, ParseError) else operation_at_fault(error)
    message = message_of(error, stage, op)
    if isinstance(error, ParseError):
        place = error.span.get_location()
        return Diagnostic(place.file, place.line, place.col, message, is_syntax=True)
    location = first_location(op.location) if op is not None else None
    if location is None and module is not None:  # what was worked on, as a whole
        location = first_location(module.location)
    if location is None:
        return Diagnostic(file, 0, 0, message)
    return Diagnostic(location.filename.data, location.line.data, location.column.data, message)


def message_of(error: BaseException, stage: str, op: Operation | None = None) -> str:
    """The text of the message for `error`; `op` is the operation that was looked at."""
    if isinstance(error, MultipleSpansParseError):
        details = [f"{span.get_location()}: {note}" for span, note in error.refs]
        return "\n".join([error.msg.strip(), *details])
    if isinstance(error, ParseError):
        return error.msg.strip()
    text = str(error).strip()
    if not text and (text := emitted_message(error)):
        return text
    if isinstance(error, _WORDED) and text:
        return text
    # The last resort: what the verifiers and `passes/preconditions.py` should have refused, or a
    # defect of ours. A Python error tells its reader nothing; --debug shows it to whom it does.
    where = f" on {op.name}" if op is not None else ""
    if isinstance(error, RecursionError):
        return f"{stage} failed{where}: the input is nested too deeply"
    return (
        f"{stage} failed{where}: found IR that it cannot handle and that no check before refused; "
        "this is a defect of Tetractys, please report it; --debug shows the Python traceback"
    )


_WORDED = (
    DiagnosticException,
    NotImplementedError,
    InferError,
    InferTypeError,
    UnknownDtypeError,
)
"""Exceptions whose text is a message to the user."""


_ANNOTATION = re.compile(
    r"expected-(?P<kind>error|warning|remark|note)(?P<regex>-re)?\s*"
    r"(?:@(?P<where>[+-]\d+|above|below|unknown))?\s*\{\{(?P<text>.*)\}\}\s*$"
)


@dataclass
class Expectation:
    """One `// expected-error @+1 {{text}}` comment; `line` is the line that it speaks of, 0 for an
    unknown place.
    """

    line: int
    written_at: int
    kind: str
    text: str
    pattern: re.Pattern[str]
    met: bool = False


@dataclass
class Expectations:
    """All annotations of one chunk of a file."""

    file: str
    items: list[Expectation] = field(default_factory=list[Expectation])

    @staticmethod
    def parse(file: str, source: str) -> Expectations:
        """Read the annotations of `source`; `above` and `below` mean the nearest line without
        one.
        """
        lines = source.split("\n")
        matches = {number: _ANNOTATION.search(line) for number, line in enumerate(lines, start=1)}
        result = Expectations(file)
        for number, match in matches.items():
            if match is None:
                continue
            line = _target_line(match["where"], number, {n for n, m in matches.items() if m})
            pattern = _pattern(match["text"], is_regex=match["regex"] is not None)
            result.items.append(Expectation(line, number, match["kind"], match["text"], pattern))
        return result

    def mismatches(self, reported: list[Diagnostic]) -> Iterator[Diagnostic]:
        """What was reported and not expected, then what was expected and not reported."""
        for diagnostic in reported:
            if not self._meet(diagnostic):
                yield Diagnostic(
                    diagnostic.file,
                    diagnostic.line,
                    diagnostic.column,
                    f"unexpected error: {diagnostic.message}",
                )
        for item in self.items:
            if not item.met:
                message = f'expected {item.kind} "{item.text}" was not produced'
                yield Diagnostic(self.file, item.written_at, 1, message)

    def _meet(self, diagnostic: Diagnostic) -> bool:
        for item in self.items:
            same_place = item.line == diagnostic.line and diagnostic.file in (self.file, "")
            if item.line == 0:
                same_place = diagnostic.line == 0
            if same_place and item.kind == "error" and item.pattern.search(diagnostic.message):
                item.met = True
                return True
        return False


def _target_line(where: str | None, line: int, annotated: set[int]) -> int:
    if where is None:
        return line
    if where == "unknown":
        return 0
    if where not in ("above", "below"):
        return line + int(where)
    step = -1 if where == "above" else 1
    line += step
    while line in annotated:
        line += step
    return line


def _pattern(text: str, *, is_regex: bool) -> re.Pattern[str]:
    if not is_regex:
        return re.compile(re.escape(text))
    pieces = re.split(r"\{\{(.*?)\}\}", text)  # text and regular expressions in turn
    quoted = [piece if i % 2 else re.escape(piece) for i, piece in enumerate(pieces)]
    return re.compile("".join(quoted))
