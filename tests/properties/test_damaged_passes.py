"""Damaged IR sent through passes: valid output, or a message with its place in words of ours.

`test_bad_text` damages characters, and most of that is no IR any more. Here types, ranks, numbers,
attributes, operands and whole lines of every function of the examples and FileCheck files are
exchanged for others, so that much still parses, and then passes run on it: the file's own, one of
any level, or the pipeline from the function's level on. TETRACTYS_EXAMPLES multiplies the sample.
"""

from __future__ import annotations

import os
import re
import signal
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import llvmlite.binding as llvm
import numpy as np
import pytest

from tetractys.passes import registry
from tetractys.pipeline import PIPELINES
from tetractys.tools import opt

TESTS = Path(__file__).resolve().parent.parent
FILES = sorted([*(TESTS / "examples").glob("*.mlir"), *(TESTS / "filecheck").glob("**/*.mlir")])
STEPS = PIPELINES["FAST_RUN"]
LEVEL_1 = [step.name for step in STEPS if step.level == "tensor"]
LEVEL_2 = [step.name for step in STEPS if step.level == "loops"][1:]
LOWERING = [step.name for step in STEPS if step.level == "llvm"]
SECONDS = 30

RUN = re.compile(r'// RUN:.*?tt-opt.*? -p (?:"([^"]*)"|(\S+))')
TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|[%@#!^]?\w+(?:\.\w+)*|->|\s+|.', re.DOTALL)
ELEMENT = re.compile(r"(?:\b|(?<=x))(?:f32|f64|u?i\d+|index)\b")
SHAPED = re.compile(r"(?:tensor|memref|vector)<[^<>]*(?:<[^<>]*>)?[^<>]*>")
NUMBER = re.compile(r"(?<![\w%.])-?\d+(?:\.\d+e[+-]?\d+)?(?![\w.])")
NAME = re.compile(r"%\w+")
OPERATION = re.compile(r"\b(?:elemwise|tensor|loops|llvm|llvmx)\.\w+")
ATTRIBUTE = re.compile(r"(?<== )(?:array<[^>]*>|\"[^\"\n]*\"|-?\d+(?: : i64)?|[a-z]\w*)(?=[,}])")

ELEMENTS = ("f32", "f64", "i1", "i8", "i64", "ui8", "ui64", "index", "i128", "f16", "bf16")
ARRAYS = (
    "tensor<f64>", "tensor<?xf64>", "tensor<1xf64>", "tensor<?x?xf64>", "tensor<3xf64>",
    "tensor<?xi64>", "tensor<*xf64>", "memref<?xf64>", "vector<8xf64>", "f64", "index", "i1",
    "none", "!llvm.ptr", "tensor<?xindex>", "tensor<0xf64>", "(f64) -> f64",
)  # fmt: skip
NUMBERS = (
    "-1", "0", "1", "2", "3", "7", "8", "100", "-9223372036854775808", "9223372036854775807",
    "2.5", "true",
)  # fmt: skip
ATTRIBUTES = (
    "unit", "f64", '"x"', "dense<1> : tensor<2xi64>", "array<i64>", "array<i64: 0, 0>", "[1]", "{}",
    "3 : i64", "@f", "-1",
)  # fmt: skip

PLACE = re.compile(r"^[^\n:]+:\d+:\d+: error: .")
PYTHON = re.compile(
    r"\w*(?:Error|Exception): |Traceback|NoneType|has no attribute|out of range\b(?! for)|"
    r"not subscriptable|not iterable|positional argument|values to unpack|invalid literal|"
    r"defect of Tetractys"  # the last resort: a check that is missing
)
"""Words of Python's own errors, and of `tt-opt` where it has nothing better to say."""


class Part(NamedTuple):
    """One function of a file: its text without comments, and the pipelines of the RUN lines."""

    text: str
    pipelines: Sequence[str]

    @property
    def stages(self) -> list[str]:
        """The passes that follow the text's own level."""
        if "memref" in self.text:
            return LOWERING
        if "loops." in self.text:
            return [*LEVEL_2, *LOWERING]
        return [*LEVEL_1, "lower-to-loops", *LEVEL_2, *LOWERING]


def parts_of(path: Path) -> list[Part]:
    """The functions of a file."""
    text = path.read_text()
    pipelines = [quoted or plain for quoted, plain in RUN.findall(text)]
    pieces = re.split(r"^// -----.*$", text, flags=re.MULTILINE)
    bodies = [re.sub(r"^\s*//.*\n", "", piece, flags=re.MULTILINE).strip() for piece in pieces]
    return [Part(body + "\n", pipelines) for body in bodies if body]


def pick(choices: Sequence[str], rng: np.random.Generator) -> str:
    """One of the choices."""
    return choices[int(rng.integers(len(choices)))]


def exchange(
    text: str, pattern: re.Pattern[str], choices: Sequence[str], rng: np.random.Generator
) -> str:
    """One match of the pattern replaced by one of the choices, or by another match of it."""
    found = list(pattern.finditer(text))
    if not found:
        return text
    match = found[int(rng.integers(len(found)))]
    others = choices or [other.group() for other in found]
    return text[: match.start()] + pick(others, rng) + text[match.end() :]


def exchange_everywhere(text: str, rng: np.random.Generator) -> str:
    """One type of the text replaced by another wherever it stands."""
    found = sorted(set(SHAPED.findall(text)))
    return text.replace(pick(found, rng), pick([*ARRAYS, *found], rng)) if found else text


def rearrange(pieces: list[str], rng: np.random.Generator) -> list[str]:
    """One piece deleted, doubled, or swapped with another."""
    here, there = (int(n) for n in rng.integers(0, len(pieces), 2))
    match int(rng.integers(3)):
        case 0:
            del pieces[here]
        case 1:
            pieces.insert(there, pieces[here])
        case _:
            pieces[here], pieces[there] = pieces[there], pieces[here]
    return pieces


def damage(text: str, rng: np.random.Generator) -> str:
    """One or two changes."""
    for _ in range(int(rng.integers(1, 3))):
        match int(rng.integers(10)):
            case 0 | 1:
                text = "\n".join(rearrange(text.split("\n"), rng))
            case 2:
                text = "".join(rearrange(TOKEN.findall(text) or [""], rng))
            case 3:
                text = exchange(text, ELEMENT, ELEMENTS, rng)
            case 4:
                text = exchange(text, SHAPED, ARRAYS, rng)
            case 5:
                text = exchange_everywhere(text, rng)
            case 6:
                text = exchange(text, NUMBER, NUMBERS, rng)
            case 7:
                text = exchange(text, NAME, (), rng)
            case 8:
                text = exchange(text, OPERATION, (), rng)
            case _:
                text = exchange(text, ATTRIBUTE, ATTRIBUTES, rng)
    return text


def arguments(part: Part, rng: np.random.Generator) -> list[str]:
    """What to run on a part."""
    if "llvm." in part.text and "loops." not in part.text:
        return ["-t", "llvm"]
    match int(rng.integers(5)):
        case 0 if part.pipelines:
            return ["-p", pick(part.pipelines, rng)]
        case 1:
            return ["-p", pick(registry.PASSES, rng)]
        case 2:
            return ["-p", ",".join(part.stages[: int(rng.integers(1, len(part.stages) + 1))])]
        case _:
            return ["-p", ",".join(part.stages), "-t", "llvm"]


@contextmanager
def no_longer_than(seconds: int) -> Iterator[None]:
    """Fails the test instead of hanging."""

    def stop(*_: object) -> None:
        pytest.fail(f"tt-opt ran longer than {seconds} s")

    previous = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


def check(text: str, args: Sequence[str]) -> None:
    """Output that verifies, or an error with its place."""
    with no_longer_than(SECONDS):
        result = opt.run(args, text)
    shown = f"tt-opt {' '.join(args)}\n{result.stderr}\n{text}"
    if result.code:
        message = result.stderr.partition("\n")[0]
        assert result.code == 1, shown
        assert PLACE.search(message), shown
        assert not PYTHON.search(message), shown
        assert "Traceback" not in result.stderr, shown
    elif "-t" in args:
        llvm.parse_assembly(result.stdout).verify()
    else:
        again = opt.run([], result.stdout)
        assert again.code == 0, f"{again.stderr}\n{shown}"


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="needs a POSIX alarm against hangs")
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_damaged_passes(path: Path) -> None:
    """A fixed sample of each file."""
    rng = np.random.default_rng(zlib.crc32(path.name.encode()))
    parts = parts_of(path)
    for _ in range(6 * int(os.environ.get("TETRACTYS_EXAMPLES", "1"))):
        part = parts[int(rng.integers(len(parts)))]
        check(damage(part.text, rng), arguments(part, rng))


def test_the_sample_gets_through_the_parser() -> None:
    """The damage is not so heavy that only the parser is tested."""
    rng = np.random.default_rng(0)
    parts = [part for path in FILES if "invalid" not in path.name for part in parts_of(path)]
    sample = [damage(parts[int(rng.integers(len(parts)))].text, rng) for _ in range(60)]
    parsed = sum(opt.run(["--disable-verify"], text).code == 0 for text in sample)
    assert parsed >= 10
