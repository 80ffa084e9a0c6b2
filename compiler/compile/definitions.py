"""xDSL imported in two thirds of the time: what its definitions compile is compiled when used.

Half of xDSL's import is Python's compiler at work on the methods of 250 data classes (1100 texts),
and a tenth is the parsing of 45 assembly formats, none of which a compilation prints or parses.
Inside `with cheap_definitions():` (-90 of 200 ms)

* a method of a data class is compiled when it is first called, and shares the code object, which
  nobody can change, with those of the same text;
* a data class without a docstring gets its name for one, without the signature (-5 ms);
* an assembly format is parsed when an operation with it is first printed or parsed.

Otherwise the classes behave as ever. From Python 3.13 on a data class is one text: then only equal
ones gain.

Why not something plainer: importing less of xDSL does not help. `builtin`, `ir`, `irdl` and what
they import themselves (the parser and the formats too) are 200 of the 245 ms; only `dialects.llvm`
is our choice, and level 3 is made of it. Counted in instructions, which no other load disturbs
(cachegrind): the import takes 938 million as it is and 440 million in here; the graph, gradient,
passes and text of the logistic regression's step together take 460 million. Leaving this module out
is safe and costs that difference: nothing but the driver, which imports xDSL, knows it.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, cached_property
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xdsl.ir import Operation
    from xdsl.irdl import OpDef
    from xdsl.irdl.declarative_assembly_format import FormatProgram
    from xdsl.parser import Parser
    from xdsl.printer import Printer

_DEFERRED = re.compile(r"def __create_fn__\(.*\):\n def (__\w+__)\(self\b")
"""How `dataclasses` begins the text of a method; up to Python 3.12 it returns that method alone."""


class _Inspect:
    """The module `inspect` for `dataclasses`, which asks it for signatures to write docstrings."""

    def __getattr__(self, name: str) -> Any:
        return getattr(inspect, name)

    def signature(self, class_: type, **options: Any) -> str:
        return ""


@contextmanager
def cheap_definitions() -> Iterator[None]:
    """Definitions inside cost less; the hooks are gone afterwards, and other threads may meet them.
    """
    module: Any = dataclasses
    module.exec = _execute  # a global of that name is found before the built-in function
    module.inspect = _Inspect()
    try:
        from xdsl.irdl.declarative_assembly_format import FormatProgram

        program: Any = FormatProgram
        parse_at_once = _parser_of_formats()
        program.from_str = staticmethod(_Format)
        try:
            yield
        finally:
            program.from_str = staticmethod(parse_at_once)
    finally:
        module.inspect = inspect
        module.__dict__.pop("exec", None)


@cache
def _parser_of_formats() -> Callable[[str, OpDef], FormatProgram]:
    """xDSL's own; asked for before it is replaced, and remembered."""
    from xdsl.irdl.declarative_assembly_format import FormatProgram

    return FormatProgram.from_str


class _Format:
    """A `FormatProgram` that is not parsed yet."""

    def __init__(self, text: str, definition: OpDef) -> None:
        self.text, self.definition = text, definition

    @cached_property
    def program(self) -> FormatProgram:
        return _parser_of_formats()(self.text, self.definition)

    def parse(self, parser: Parser, class_: Any) -> Operation:
        return self.program.parse(parser, class_)

    def print(self, printer: Printer, op: Any) -> None:
        self.program.print(printer, op)


@cache
def _compiled(text: str) -> CodeType:
    return compile(text, "<string>", "exec")


def _execute(text: str, scope: dict[str, Any] | None, names: dict[str, Any]) -> None:
    """`exec` as `dataclasses` calls it."""
    found = _DEFERRED.match(text)
    if found is None or not text.endswith(f"\n return {found[1]}"):
        exec(_compiled(text), scope, names)
    else:
        names["__create_fn__"] = lambda **captured: _deferred(found[1], text, scope, captured)


def _deferred(
    name: str, text: str, scope: dict[str, Any] | None, captured: dict[str, Any]
) -> FunctionType:
    """The method `name` that `text` makes of the values in `captured`, compiled when called."""

    def make(class_: type) -> Callable[..., Any]:
        names: dict[str, Any] = {}
        exec(_compiled(text), scope, names)
        made: Any = names["__create_fn__"](**captured)
        if made.__closure__ is None:
            method.__code__, method.__defaults__ = made.__code__, made.__defaults__
            method.__kwdefaults__ = made.__kwdefaults__
            return made
        for owner in class_.__mro__:
            if owner.__dict__.get(name) is method:
                setattr(owner, name, made)
        return made

    method = FunctionType(_first_call.__code__, {} if scope is None else scope, name)
    method.__kwdefaults__ = {"_make": make}
    return method


def _first_call(
    self: Any, *values: Any, _make: Callable[[type], Callable[..., Any]], **named: Any
) -> Any:
    """The body of a method that is not compiled yet; from the next call on it is the real one."""
    return _make(self.__class__)(self, *values, **named)
