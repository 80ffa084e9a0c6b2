"""A small macro language over LLVM IR text, in which the trampoline is written.

Addressing a field takes two instructions and calling through the table three; the macros make them
one line:

    %x = get ptr %base[FIELD]          load the field at byte offset FIELD
    put i64 %v, %base[FIELD]           store it
    %x = item ptr %base[%i]            load element %i of an array
    setitem ptr %v, %base[%i]          store it
    %x = capi ptr PyList_New(i64 %n)   call what stands in `%table` under that name
    for %i below %n, done              what follows for %i from 0 to %n - 1; at `done` afterwards
    next %i                            the end of that; the body may leave by a branch of its own

`FIELD` and any `$NAME` elsewhere are looked up in one dictionary of offsets and constants.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_GET = r"^(%\S+) = get (\S+) (%\S+)\[(\w+)\]$"
_PUT = r"^put (\S+) (\S+), (%\S+)\[(\w+)\]$"
_ITEM = r"^(%\S+) = item (\S+) (%\S+)\[(%\S+)\]$"
_SETITEM = r"^setitem (\S+) (\S+), (%\S+)\[(%\S+)\]$"
_CAPI = r"^(?:(%\S+) = )?capi (\S+) (\w+)\((.*)\)$"
_FOR = r"^for %(\w+) below (%\S+), (\w+)$"
_NEXT = r"^next %(\w+)$"
_CONSTANT = r"\$(\w+)"

Expand = Callable[[re.Match[str], Mapping[str, int], str], list[str]]


def _expand_get(match: re.Match[str], values: Mapping[str, int], fresh: str) -> list[str]:
    result, kind, base, name = match.groups()
    return [
        f"{fresh} = getelementptr i8, ptr {base}, i64 {values[name]}",
        f"{result} = load {kind}, ptr {fresh}",
    ]


def _expand_put(match: re.Match[str], values: Mapping[str, int], fresh: str) -> list[str]:
    kind, value, base, name = match.groups()
    return [
        f"{fresh} = getelementptr i8, ptr {base}, i64 {values[name]}",
        f"store {kind} {value}, ptr {fresh}",
    ]


def _expand_item(match: re.Match[str], values: Mapping[str, int], fresh: str) -> list[str]:
    result, kind, base, index = match.groups()
    return [
        f"{fresh} = getelementptr {kind}, ptr {base}, i64 {index}",
        f"{result} = load {kind}, ptr {fresh}",
    ]


def _expand_setitem(match: re.Match[str], values: Mapping[str, int], fresh: str) -> list[str]:
    kind, value, base, index = match.groups()
    return [
        f"{fresh} = getelementptr {kind}, ptr {base}, i64 {index}",
        f"store {kind} {value}, ptr {fresh}",
    ]


def _expand_capi(match: re.Match[str], values: Mapping[str, int], fresh: str) -> list[str]:
    result, kind, name, arguments = match.groups()
    left = f"{result} = " if result else ""
    return [
        f"{fresh}a = getelementptr i8, ptr %table, i64 {values[name]}",
        f"{fresh} = load ptr, ptr {fresh}a",
        f"{left}call {kind} {fresh}({arguments})",
    ]


_MACROS: dict[str, tuple[str, Expand]] = {
    "get": (_GET, _expand_get),
    "put": (_PUT, _expand_put),
    "item": (_ITEM, _expand_item),
    "setitem": (_SETITEM, _expand_setitem),
    "capi": (_CAPI, _expand_capi),
}


class _Loops:
    """The loops of a text: which block a line stands in, and the counters that are not closed."""

    def __init__(self) -> None:
        self.block = "0"
        self.open: dict[str, tuple[int, str]] = {}

    def follow(self, line: str) -> None:
        """Notes which block begins; a function's first one has no name, but a number."""
        if line.endswith(":"):
            self.block = line[:-1]
        elif line.startswith("define "):
            self.block = "0"

    def begin(self, lines: list[str], name: str, count: str, after: str) -> None:
        """The test in front of a body; the counter's line waits for the block it comes back from.
        """
        lines += [f"br label %{name}_test", f"{name}_test:"]
        self.open[name] = len(lines), self.block
        lines += [
            "",
            f"%{name}_more = icmp ult i64 %{name}, {count}",
            f"br i1 %{name}_more, label %{name}_body, label %{after}",
            f"{name}_body:",
        ]
        self.block = f"{name}_body"

    def end(self, lines: list[str], name: str) -> None:
        """The way back."""
        place, before = self.open.pop(name)
        lines[place] = f"%{name} = phi i64 [0, %{before}], [%{name}_next, %{self.block}]"
        lines += [f"%{name}_next = add i64 %{name}, 1", f"br label %{name}_test"]


def expand(text: str, values: Mapping[str, int]) -> str:
    """LLVM IR of a text with macros. Raises `KeyError` for a name that `values` lacks."""
    lines: list[str] = []
    loops = _Loops()
    for number, line in enumerate(text.splitlines()):
        stripped = line.partition(";")[0].strip()
        if "$" in stripped:
            stripped = re.sub(_CONSTANT, lambda match: str(values[match[1]]), stripped)
        if stripped.startswith("define "):
            # Nothing here unwinds, and frame tables are a quarter of the time of code generation.
            stripped = stripped.replace(") {", ") nounwind {")
        head = stripped.split(" ", 3)
        word = head[2] if len(head) > 3 and head[1] == "=" else head[0]
        macro = _MACROS.get(word)
        match = re.match(macro[0], stripped) if macro else None
        if macro and match:
            lines += macro[1](match, values, f"%m{number}")
        elif word == "for" and (found := re.match(_FOR, stripped)):
            loops.begin(lines, *found.groups())
        elif word == "next" and (found := re.match(_NEXT, stripped)):
            loops.end(lines, found[1])
        elif stripped:
            loops.follow(stripped)
            lines.append(stripped)
    return "\n".join(lines) + "\n"
