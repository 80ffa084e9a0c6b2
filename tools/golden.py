"""Rewrites the expected outputs that people need not write by hand: `pytest --update-golden`.

Two kinds: the IR that a README shows behind a `tt-opt` command, and CHECK lines behind a line

    // GOLDEN (pytest --update-golden)

in a FileCheck file. The lines are made from the output of the part of the file (between `// -----`
lines) that they stand in; SSA names become captures, so a renumbering does not break them. What
they then say is for their author to read.
"""

from __future__ import annotations

import re
from pathlib import Path

from tetractys.tools import run_lines

MARKER = "// GOLDEN (pytest --update-golden)"
_SEPARATOR = "// -----"
_NAME = re.compile(r"%([A-Za-z0-9_.$-]+)")


def update_file(path: Path) -> bool:
    """Regenerate the CHECK lines behind the markers of `path`; whether the file changed."""
    source = path.read_text(encoding="utf-8")
    if MARKER not in source:
        return False
    line = run_lines.read_run_lines(source)[0]
    pipeline = run_lines.parse_pipeline(line, path)
    commands = [command for command in pipeline if command.words[0] == "tt-opt"]
    prefix = _prefix(pipeline[-1])
    parts = re.split(r"^// -----[ \t]*\n", source, flags=re.MULTILINE)
    new_parts = [_update_part(part, commands, path, prefix) for part in parts]
    text = (_SEPARATOR + "\n").join(new_parts)
    if text != source:
        path.write_text(text, encoding="utf-8")
    return text != source


def _update_part(part: str, commands: list[run_lines.Command], path: Path, prefix: str) -> str:
    if MARKER not in part:
        return part
    head = part[: part.index(MARKER)]
    outcome = run_lines.execute([_on_stdin(command, path) for command in commands], head)
    if outcome.failure:
        raise ValueError(f"{path}: cannot regenerate:\n{outcome.failure}")
    return head + MARKER + "\n" + "\n".join(check_lines(outcome.stdout, prefix)) + "\n"


def _on_stdin(command: run_lines.Command, path: Path) -> run_lines.Command:
    words = tuple(w for w in command.words if w not in (str(path), "--split-input-file"))
    return run_lines.Command(words, command.negated, command.merges_stderr)


def _prefix(command: run_lines.Command) -> str:
    for word in command.words:
        if word.startswith("--check-prefix="):
            return word.removeprefix("--check-prefix=")
    return "CHECK"


def check_lines(output: str, prefix: str = "CHECK") -> list[str]:
    """CHECK lines that match `output`, the text of a module, line by line."""
    lines: list[str] = []
    known: dict[str, str] = {}
    body = [line for line in output.split("\n") if line.strip() and line != "}"]
    for line in body:
        if line.startswith("builtin.module"):
            continue
        if "func.func" in line and "(" in line:
            known = {}
            label, rest = line.strip().split("(", 1)
            lines += [f"// {prefix}-LABEL: {label}(", f"// {prefix}-SAME: {_capture(rest, known)}"]
        else:
            directive = f"{prefix}-NEXT" if lines else prefix
            lines.append(f"// {directive}: {_capture(line.strip(), known)}")
    return lines


def _capture(text: str, known: dict[str, str]) -> str:
    """`text` as a pattern: the first mention of an SSA name captures it, later ones use the
    capture.
    """

    pattern = ".+" if len(set(_NAME.findall(text)) - known.keys()) == 1 else "[^ ,:]+"

    def mention(match: re.Match[str]) -> str:
        name = match[1]
        if name in known:
            return f"%[[{known[name]}]]"
        base = re.sub(r"\W", "_", name).upper()
        base = f"V{base}" if base[0].isdigit() else base
        while base in known.values():  # `%x` and `%X`
            base += "_"
        known[name] = base
        return f"%[[{known[name]}:{pattern}]]"

    return _NAME.sub(mention, text.replace("[[", r"{{\[\[}}"))
