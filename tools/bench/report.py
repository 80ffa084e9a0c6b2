"""From cells to the printed table: ratios, bars, verdicts."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .columns import OURS, PEERS
from .driver import Cell
from .interpreters import Interpreters
from .row import STATIC, VARIANT, AnyRow, ProcessRow, Row, ShapesRow


class Line(NamedTuple):
    """A row measured: the best peer, best peer's median / ours, the bar as words, the verdict.

    held: None where ours was not measured or there is nothing to compare it with.
    """

    row: AnyRow
    threads: int
    cells: Mapping[str, Cell]
    best: str
    ratio: float | None
    bar: str
    held: bool | None
    wrong: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """The word in the table."""
        if self.wrong:
            return f"WRONG ({', '.join(self.wrong)})"
        return {True: "yes", False: "NO", None: "-"}[self.held]


def judge(row: AnyRow, threads: int, cells: Mapping[str, Cell]) -> Line:
    """The line of a row."""
    wrong = tuple(name for name, cell in cells.items() if cell.wrong)
    ours = cells.get(OURS, Cell())
    peers = {name: cell.median for name, cell in cells.items() if name != OURS and cell.usable}
    best = min(peers, key=peers.__getitem__) if peers else ""
    ratio = peers[best] / ours.median if best and ours.usable else None
    if isinstance(row, ShapesRow):
        ratio, bar, held = _judge_shapes(row, ours, ratio)
    elif isinstance(row, ProcessRow):
        bar = f"<= {row.limit:.2f} s"
        held = ours.median <= row.limit if ours.usable else None
    elif row.base:
        ratio = ratio and ratio * row.work / _work(row.base)
        bar = f">= {1 / VARIANT:.2f}"
        held = None if ratio is None else ratio >= 1 / VARIANT
    else:
        bar, held = _judge_bars(row, threads, ours, peers, ratio)
    return Line(row, threads, cells, best, ratio, bar, held and not ours.wrong, wrong)


def _work(name: str) -> float:
    from .rows import find

    return find(name).work


def _judge_shapes(
    row: ShapesRow, ours: Cell, ratio: float | None
) -> tuple[float | None, str, bool | None]:
    if row.task == "shapes":
        count = ours.details.get("compilations")
        return ratio, f"1 compilation (found {count})", count == 1 if ours.usable else None
    ratio = ours.details.get("ratio")
    return ratio, f">= {1 / STATIC:.2f}", None if ratio is None else ratio >= 1 / STATIC


def _judge_bars(
    row: Row, threads: int, ours: Cell, peers: Mapping[str, float], ratio: float | None
) -> tuple[str, bool | None]:
    limits = row.bars.get(threads, row.bars[max(row.bars)])
    words = " and ".join(map(str, limits))
    if not ours.usable or ratio is None:
        return words, None
    held = [
        (peers[bar.against] / ours.median if bar.against else ratio) >= bar.ratio
        for bar in limits
        if not bar.against or bar.against in peers
    ]
    return words, all(held) if held else None


def seconds_in_words(seconds: float) -> str:
    """Three digits and a unit."""
    for scale, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds * 1e9:.0f} ns"


def _cell_words(cell: Cell | None) -> str:
    if cell is None or not cell.samples:
        return "-"
    return f"{seconds_in_words(cell.median)}{' WRONG' if cell.wrong else ''}"


def header(peers: Sequence[str]) -> list[str]:
    """The columns of the table."""
    return ["row", "threads", "ours", "least", *peers, "best peer", "ratio", "bar", "held", "by"]


def fields(line: Line, peers: Sequence[str]) -> list[str]:
    """The line's fields, as `header` names them."""
    ours = line.cells.get(OURS)
    shown = [_cell_words(line.cells.get(name)) for name in peers]
    least = seconds_in_words(ours.least) if ours and ours.samples else "-"
    ratio = "-" if line.ratio is None else f"{line.ratio:.2f}"
    return [line.row.name, str(line.threads), _cell_words(ours), least, *shown, line.best or "-",
            ratio, line.bar, line.verdict, line.row.made_by]  # fmt: skip


def widths(peers: Sequence[str], names: Sequence[str]) -> list[int]:
    """The widths of the text table's fields, which is printed while it is measured."""
    longest = max([3, *map(len, names)])
    return [longest, 7, 8, 8, *(max(8, len(name)) for name in peers), 13, 6, 30, 6, 0]


def text_line(values: Sequence[str], sizes: Sequence[int]) -> str:
    """One line of the text table."""
    return "  ".join(value.ljust(size) for value, size in zip(values, sizes)).rstrip()


def markdown(lines: Sequence[Line], peers: Sequence[str], heading: str) -> str:
    """The table as Markdown under a heading that names the machine and the date."""
    rows = [header(peers), ["---"] * len(header(peers)), *(fields(line, peers) for line in lines)]
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    return f"{heading}\n\n{table}\n"


def machine(interpreters: Interpreters, peers: Sequence[str]) -> str:
    """Date, processor, and versions in one paragraph."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        found = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = found[0].partition(":")[2].strip() if found else model
    modules = dict.fromkeys(name.partition("-c")[0].partition(".")[0] for name in peers)
    versions = [f"{name} {interpreters.version(name)}" for name in modules]
    return (
        f"{time.strftime('%Y-%m-%d')}, {model}, {os.cpu_count()} processors, "
        f"Python {platform.python_version()}; {', '.join(versions)}. "
        "Medians of interleaved rounds; ratio = best peer / ours."
    )


def as_json(lines: Sequence[Line], heading: str, path: Path) -> None:
    """Writes all that was measured."""
    rows: list[dict[str, Any]] = []
    for line in lines:
        cells = {
            name: {
                "median": cell.median if cell.samples else None,
                "least": cell.least if cell.samples else None,
                "samples": len(cell.samples),
                "error": cell.error_size,
                "problem": cell.problem,
                **cell.details,
            }
            for name, cell in line.cells.items()
        }
        rows.append({"row": line.row.name, "title": line.row.title, "threads": line.threads,
                     "cells": cells, "best": line.best, "ratio": line.ratio, "bar": line.bar,
                     "held": line.held, "wrong": line.wrong, "by": line.row.made_by})  # fmt: skip
    path.write_text(json.dumps({"heading": heading, "rows": rows}, indent=1) + "\n")


def problems(lines: Sequence[Line]) -> list[str]:
    """Why a column is missing from a row, and which results were wrong."""
    found = [f"{line.row.name}, {name}, {line.threads} threads: {cell.problem}"
             for line in lines for name, cell in line.cells.items() if cell.problem]  # fmt: skip
    found += [f"{line.row.name}, {name}, {line.threads} threads: WRONG, relative error "
              f"{cell.error_size:.1e}" for line in lines for name, cell in line.cells.items()
              if cell.wrong]  # fmt: skip
    return found


def summary(lines: Sequence[Line]) -> str:
    """How many bars are held."""
    held = sum(line.held is True for line in lines)
    missed = [f"{line.row.name} ({line.threads}t)" for line in lines if line.held is False]
    words = f"{held} of {held + len(missed)} bars held"
    return words + (f"; not: {', '.join(missed)}" if missed else "")


def installed_peers(interpreters: Interpreters, wanted: Sequence[str]) -> list[str]:
    """The peers of `wanted` (all if empty) that are installed; ValueError for an unknown one."""
    from .columns import COLUMNS

    unknown = [name for name in wanted if name not in PEERS]
    if unknown:
        words = ", ".join(map(repr, unknown))
        raise ValueError(f"--peers: found {words}; expected some of {', '.join(PEERS)}")
    return [name for name in wanted or PEERS if interpreters.installed(COLUMNS[name])]
