"""RUN lines of FileCheck tests and command lines of READMEs, run in this process.

    // RUN: tt-opt %s -p fuse-elemwise --split-input-file | filecheck %s
    // RUN: tt-opt %s | tt-opt | filecheck %s --check-prefix=ROUND
    // RUN: not tt-opt %s 2>&1 | filecheck %s

The commands are `tt-opt` and `filecheck`; `not`, pipes, `2>&1` and `%s` (this file) mean what they
mean to LLVM's `lit`, and a command that fails fails its line. A new process would cost half a
second a line; here it is a few milliseconds.
"""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass, replace
from pathlib import Path

_RUN = re.compile(r"(?://|;|#)\s*RUN:\s*(.*)$")


@dataclass(frozen=True)
class Command:
    """One command of a pipeline."""

    words: tuple[str, ...]
    negated: bool = False
    """Written behind `not`: it must fail."""
    merges_stderr: bool = False

    def __str__(self) -> str:
        text = ("not " if self.negated else "") + shlex.join(self.words)
        return text + (" 2>&1" if self.merges_stderr else "")


@dataclass(frozen=True)
class Outcome:
    """What a pipeline left behind; `failure` says which command failed and how, or is empty."""

    stdout: str
    failure: str = ""


class CheckFailure(Exception):
    """A RUN line did not do what it should; the message shows what it did."""


def check_file(path: Path) -> None:
    """Run the RUN lines of a test file; `CheckFailure` for the first that fails."""
    for pipeline in _pipelines(path):
        outcome = execute(pipeline)
        if outcome.failure:
            raise CheckFailure(outcome.failure)


def check_file_without_pass(path: Path) -> None:
    """Run the RUN lines that name the file's pass without it; `CheckFailure` for one that succeeds.

    A check that passes without its pass checks nothing. A file none of whose lines runs its pass
    fails too.
    """
    name = pass_of_file(path)
    tried = 0
    for pipeline in _pipelines(path):
        changed = [without_pass(command, name) for command in pipeline]
        if not any(changed):
            continue
        tried += 1
        commands = [new or old for new, old in zip(changed, pipeline, strict=True)]
        if not execute(commands).failure:
            line = " | ".join(str(command) for command in pipeline)
            raise CheckFailure(f"succeeds although '{name}' is left out; it proves nothing: {line}")
    if not tried:
        raise CheckFailure(f"{path}: no RUN line has '{name}' in its -p list")


def pass_of_file(path: Path) -> str:
    """The pass that `fuse_elemwise.mlir` or `fuse_elemwise-limits.mlir` is about."""
    from tetractys.passes.registry import PASSES

    stem = path.stem.replace("_", "-")
    names = [name for name in PASSES if stem == name or stem.startswith(name + "-")]
    if not names:
        message = "no pass of this name; expected <pass>.mlir or <pass>-<topic>.mlir"
        raise CheckFailure(f"{path.name}: {message}")
    return max(names, key=len)


def _pipelines(path: Path) -> list[list[Command]]:
    lines = read_run_lines(path.read_text(encoding="utf-8"))
    if not lines:
        raise CheckFailure(f"{path}: no RUN line; expected `// RUN: tt-opt %s | filecheck %s`")
    try:
        return [parse_pipeline(line, path) for line in lines]
    except ValueError as error:
        raise CheckFailure(f"{path}: {error}") from error


def read_run_lines(text: str) -> list[str]:
    """The RUN lines of a test file, continued lines joined."""
    lines: list[str] = []
    continued = False
    for line in text.split("\n"):
        if (match := _RUN.search(line)) is None:
            continue
        part = match[1].rstrip()
        if continued:
            lines[-1] += " " + part.removesuffix("\\").strip()
        else:
            lines.append(part.removesuffix("\\").strip())
        continued = part.endswith("\\")
    return lines


def parse_pipeline(line: str, path: Path) -> list[Command]:
    """The commands of one line, `%s` replaced by `path`; `ValueError` for a line that is not
    understood.
    """
    commands: list[Command] = []
    words: list[str] = []
    for word in [*shlex.split(line), "|"]:
        if word != "|":
            words.append(word.replace("%s", str(path)))
            continue
        commands.append(_command(words, line))
        words = []
    return commands


def _command(words: list[str], line: str) -> Command:
    negated = words[:1] == ["not"]
    merges = "2>&1" in words
    words = [word for word in words[1 if negated else 0 :] if word != "2>&1"]
    if not words or words[0].lower() not in ("tt-opt", "filecheck"):
        found = repr(words[0]) if words else "nothing"
        raise ValueError(f"RUN line: found {found}; expected tt-opt, filecheck or not: {line}")
    return Command(tuple(words), negated, merges)


def without_pass(command: Command, name: str) -> Command | None:
    """`command` with the pass `name` taken out of its `-p` list; None when it does not run that
    pass.
    """
    from xdsl.utils.arg_spec import parse_pipeline as parse_passes

    words = list(command.words)
    for i, word in enumerate(words[:-1]):
        if word not in ("-p", "--passes"):
            continue
        passes = list(parse_passes(words[i + 1]))
        kept = [one for one in passes if one.name != name]
        if len(kept) < len(passes):
            words[i + 1] = ",".join(str(one) for one in kept)
            return replace(command, words=tuple(words))
    return None


def execute(commands: Sequence[Command], stdin: str | None = None) -> Outcome:
    """Run a pipeline up to its first failure."""
    text = stdin
    for command in commands:
        run = _filecheck if command.words[0].lower() == "filecheck" else _opt
        code, stdout, stderr = run(command.words[1:], text)
        if (code != 0) != command.negated:
            verdict = "succeeded; expected it to fail" if command.negated else f"exit code {code}"
            shown = "\n".join(part for part in (f"$ {command}", stderr.rstrip(), verdict) if part)
            if run is _filecheck:
                shown += f"\n--- what it checked:\n{text or ''}"
            return Outcome(stdout, shown)
        text = stderr + stdout if command.merges_stderr else stdout
    return Outcome(text or "")


def _opt(args: Sequence[str], stdin: str | None) -> tuple[int, str, str]:
    from tetractys.tools import opt

    result = opt.run(args, stdin or "")
    return result.code, result.stdout, result.stderr


def _filecheck(args: Sequence[str], stdin: str | None) -> tuple[int, str, str]:
    """The `filecheck` package on `stdin`, through its Python interface."""
    from filecheck.finput import FInput
    from filecheck.matcher import Matcher
    from filecheck.options import parse_argv_options
    from filecheck.parser import Parser

    stderr = io.StringIO()
    with redirect_stderr(stderr):
        options = parse_argv_options(["filecheck", *args])
        matcher = Matcher(options, FInput("<stdin>", stdin or ""), Parser.from_opts(options))
        code = matcher.run()
    return code, "", stderr.getvalue()
