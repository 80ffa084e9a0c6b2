"""Classes defined the cheap way behave as ever, and the hooks leave nothing behind."""

from __future__ import annotations

import dataclasses
import inspect
import subprocess
import sys
from typing import Any

import pytest

from tetractys.compile.definitions import cheap_definitions

FRESH = """
from tetractys.compile.definitions import cheap_definitions
with cheap_definitions():
    import xdsl.dialects.func, xdsl.dialects.llvm
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin
from xdsl.dialects.llvm import LLVM
from xdsl.parser import Parser
context = Context()
context.load_dialect(Builtin)
context.load_dialect(LLVM)
text = '''builtin.module {
  llvm.func @f(%a : i64) -> i64 {
    %0 = llvm.add %a, %a overflow<nsw> : i64
    llvm.return %0 : i64
  }
}'''
module = Parser(context, text).parse_module()
module.verify()
print(module)
"""


def test_methods() -> None:
    with cheap_definitions():

        @dataclasses.dataclass(frozen=True)
        class Point:
            x: int
            y: int = 2

        @dataclasses.dataclass(frozen=True)
        class Other:
            x: int
            y: int = 2

    assert repr(Point(1)).endswith("Point(x=1, y=2)")
    assert repr(Other(1)).endswith("Other(x=1, y=2)")
    assert Point.__doc__ == "Point" and str(inspect.signature(Point)).startswith("(x: ")
    assert Point(1) == Point(1) and Point(1) != Point(2) and Point(1) != Other(1)
    assert hash(Point(1)) == hash(Point(1))
    with pytest.raises(dataclasses.FrozenInstanceError, match="assign to field 'x'"):
        Point(1).x = 3  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError, match="delete field 'y'"):
        del Point(1).y  # type: ignore[misc]


ONE_METHOD = "def __create_fn__(cls):\n def __repr__(self):\n  return cls\n return __repr__"
A_CLASS = ("def __create_fn__(cls):\n def __repr__(self):\n  return cls\n"
           " def __hash__(self):\n  return 7\n return (__repr__,__hash__,)")


def test_the_text_of_a_whole_class_gives_all_of_its_methods() -> None:
    # Python 3.13 writes such texts; a method on its own is what 3.11 and 3.12 write.
    with cheap_definitions():
        names: dict[str, Any] = {}
        run: Any = vars(dataclasses)["exec"]
        run(ONE_METHOD, {}, names)
        method = names["__create_fn__"](cls="it")
        run(A_CLASS, {}, names)
        both = names["__create_fn__"](cls="them")
    assert method("self") == "it"
    assert [one("self") for one in both] == ["them", 7]


def test_the_hooks_go() -> None:
    from xdsl.irdl.declarative_assembly_format import FormatProgram

    before = FormatProgram.from_str
    with cheap_definitions(), cheap_definitions():
        pass
    assert "exec" not in vars(dataclasses) and vars(dataclasses)["inspect"] is inspect
    assert FormatProgram.from_str is before


def test_formats_parse_and_print() -> None:
    done = subprocess.run([sys.executable, "-c", FRESH], capture_output=True, text=True, check=True)
    assert "%0 = llvm.add %a, %a overflow<nsw> : i64" in done.stdout


def test_a_program_without_the_hooks_says_the_same() -> None:
    plain = FRESH.replace("with cheap_definitions():", "if True:")
    assert plain != FRESH
    texts = [subprocess.run([sys.executable, "-c", text], capture_output=True, text=True,
                            check=True).stdout for text in (FRESH, plain)]
    assert texts[0] == texts[1] != ""


def test_an_error_inside_removes_the_hooks() -> None:
    with pytest.raises(ZeroDivisionError), cheap_definitions():
        raise ZeroDivisionError
    assert "exec" not in vars(dataclasses) and vars(dataclasses)["inspect"] is inspect
