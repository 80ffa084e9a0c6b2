"""Examples in READMEs: a command line and the IR that it prints, kept true by a test.

A fenced `sh` block with a line that starts with `tt-opt` (or `$ tt-opt`), followed by a fenced
`mlir`, `llvm` or `text` block, is an example: the second block is what the command prints, run from
the root of the repository.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path

from tetractys.tools import run_lines

_FENCE = re.compile(r"^```(\w*)\s*$")
_COMMAND = re.compile(r"^(?:\$ )?((?:not )?tt-opt .*)$")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language and the lines between its fences, `lines[first:last]` of the
    file.
    """

    language: str
    first: int
    last: int


@dataclass(frozen=True)
class Example:
    """A command and its output as a README shows them."""

    readme: Path
    commands: tuple[str, ...]
    output: Block

    @property
    def shown(self) -> str:
        """The output in the README."""
        lines = self.readme.read_text(encoding="utf-8").split("\n")
        return trimmed("\n".join(lines[self.output.first : self.output.last]))

    def run(self, root: Path) -> str:
        """What the commands print now; `ValueError` when one fails."""
        outputs: list[str] = []
        with contextlib.chdir(root):
            for command in self.commands:
                outcome = run_lines.execute(run_lines.parse_pipeline(command, self.readme))
                if outcome.failure:
                    raise ValueError(f"{self.readme}: {outcome.failure}")
                outputs.append(outcome.stdout)
        return trimmed("".join(outputs))


def trimmed(text: str) -> str:
    """`text` without trailing blanks and without empty lines at either end."""
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")


def read_examples(readme: Path) -> list[Example]:
    """All examples of a README, in order."""
    lines = readme.read_text(encoding="utf-8").split("\n")
    blocks = _blocks(lines)
    examples: list[Example] = []
    for block, following in zip(blocks, blocks[1:], strict=False):
        if block.language != "sh" or following.language not in ("mlir", "llvm", "text"):
            continue
        matches = [_COMMAND.match(line) for line in lines[block.first : block.last]]
        commands = tuple(match[1] for match in matches if match)
        if commands:
            examples.append(Example(readme, commands, following))
    return examples


def _blocks(lines: list[str]) -> list[Block]:
    blocks: list[Block] = []
    opened: tuple[str, int] | None = None
    for number, line in enumerate(lines):
        if opened is None and (match := _FENCE.match(line)):
            opened = match[1], number + 1
        elif opened is not None and line.rstrip() == "```":
            blocks.append(Block(opened[0], opened[1], number))
            opened = None
    return blocks


def update(readme: Path, root: Path) -> None:
    """Rewrite the outputs of all examples of a README with what the commands print now."""
    # From the end: the lines before an example keep their numbers.
    for example in reversed(read_examples(readme)):
        lines = readme.read_text(encoding="utf-8").split("\n")
        lines[example.output.first : example.output.last] = example.run(root).split("\n")
        readme.write_text("\n".join(lines), encoding="utf-8")
