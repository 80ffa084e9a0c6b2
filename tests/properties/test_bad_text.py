"""Damaged IR text: `tt-opt` answers with a message and a place, never with a traceback or a crash.

The texts are those of the examples and FileCheck files, cut, with pieces removed, doubled, swapped
or replaced by others that are tokens of the language.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest

from tetractys.tools import opt

TESTS = Path(__file__).resolve().parent.parent
FILES = sorted([*(TESTS / "examples").glob("*.mlir"), *(TESTS / "filecheck").glob("*/*.mlir")])
TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|[%@#!^]?\w+(?:\.\w+)*|->|\s+|.', re.DOTALL)
PLACES = re.compile(r"^.*:\d+:\d+: error: |^error: ", re.MULTILINE)
STRANGE = (
    "",
    " ",
    "?",
    "x",
    "-1",
    "0",
    "18446744073709551616",
    "1e999",
    "0x7FF8000000000000",
    "nan",
    "tensor<?xf64>",
    "tensor<?x?xf64>",
    "f64",
    "index",
    "i1",
    "%x",
    "%0",
    "%%",
    "@main",
    "^bb0",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "<",
    ">",
    ",",
    ":",
    "->",
    "=",
    '"',
    "'",
    "\\",
    "\0",
    "é",
    "☃",
    "//",
    "func.func",
    "loops.nest",
    "elemwise.add",
    "tensor.reduce",
    "loops.yield",
    "unit",
    "dense<0>",
    "#loc",
    "loc(unknown)",
    "\r\n",
)


def parts_of(path: Path) -> list[str]:
    """The functions of a file, without its comments."""
    text = path.read_text()
    pieces = re.split(r"^// -----.*$", text, flags=re.MULTILINE)
    return [re.sub(r"^\s*//.*$", "", piece, flags=re.MULTILINE).strip() + "\n" for piece in pieces]


def damage(text: str, rng: np.random.Generator) -> str:
    """One to three random changes."""
    tokens = [token for token in TOKEN.findall(text) if token]
    for _ in range(int(rng.integers(1, 4))):
        if not tokens:
            break
        at, other = (int(n) for n in rng.integers(0, len(tokens), 2))
        match int(rng.integers(7)):
            case 0:
                tokens = tokens[:at]
            case 1:
                del tokens[at]
            case 2:
                tokens.insert(at, tokens[other])
            case 3:
                tokens[at], tokens[other] = tokens[other], tokens[at]
            case 4:
                tokens[at] = STRANGE[int(rng.integers(len(STRANGE)))]
            case 5:
                tokens.insert(at, STRANGE[int(rng.integers(len(STRANGE)))])
            case _:
                token = tokens[at]
                cut = int(rng.integers(0, len(token) + 1))
                tokens[at] = token[:cut] + chr(int(rng.integers(32, 127))) + token[cut + 1 :]
    return "".join(tokens)


def check(text: str, args: list[str]) -> None:
    """The answer is a module or a message with its place; never a traceback."""
    result = opt.run(args, text)
    assert result.code in (0, 1), (result.code, text)
    assert "Traceback" not in result.stderr + result.stdout, (result.stderr, text)
    assert "internal error" not in result.stderr, (result.stderr, text)
    if result.code:
        assert PLACES.search(result.stderr), (result.stderr, text)
    else:
        assert result.stdout.strip() or not text.strip() or True


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_damaged_text(path: Path) -> None:
    """Parsed and verified; what is still right must print."""
    rng = np.random.default_rng(len(path.name))
    parts = [part for part in parts_of(path) if part.strip()]
    for _ in range(8 * int(os.environ.get("TETRACTYS_EXAMPLES", "1"))):
        check(damage(parts[int(rng.integers(len(parts)))], rng), [])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0",
        "{",
        '"',
        "%",
        "@",
        "//",
        "\ufeff",
        "module",
        "=" * 4000,
        "(" * 3000,
        "{" * 3000,
        "[" * 3000,
        "<" * 3000,
        "func.func @f(" * 500,
        "tensor<" * 999,
        "!" * 50,
        "#" * 50,
        "0x",
        "1e",
        "-",
        "^bb0",
        "\r",
        "é",
    ],
)
def test_strange_text(text: str) -> None:
    """Text that is no IR at all, and deep nesting."""
    check(text, [])
