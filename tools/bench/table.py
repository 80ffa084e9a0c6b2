"""`bench table`: measures the chosen rows on every installed peer and prints the table."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from . import report
from .columns import COLUMNS, OURS
from .driver import Plan, run_rows
from .interpreters import VARIABLE, Interpreters
from .row import Row
from .rows import choose
from .theano import takes_threads


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `bench table`."""
    parser.add_argument("--rows", default="", help="names, families, `variants` or patterns: a,b*")
    parser.add_argument("--peers", default="", help="some of the installed peers: numpy,jax")
    parser.add_argument("--threads", default="", help="1, 2 or 1,2 (what ours can)")
    parser.add_argument("--rounds", type=int, default=7, help="interleaved rounds (7)")
    parser.add_argument("--seconds", type=float, default=0.1, help="samples of a round (0.1 s)")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--json", type=Path, help="also write all that was measured to this file")
    parser.add_argument("--cache", type=Path, help="keep what is compiled for timed rows here")
    parser.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="PEER=PATH",
        help="the interpreter of a peer, or a path with {peer} for all; "
        f"{VARIABLE} holds the same, separated by commas",
    )


def run(options: argparse.Namespace) -> int:
    """Measures and prints; 1 if a result was wrong or ours failed, 2 for unknown names."""
    try:
        rows = choose(_split(options.rows))
        interpreters = Interpreters(options.python)
        peers = report.installed_peers(interpreters, _split(options.peers))
        threads = [int(number) for number in _split(options.threads)] or ([1, 2] if takes_threads()
                                                                          else [1])  # fmt: skip
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    heading = report.machine(interpreters, peers)
    sizes = report.widths(peers, [row.name for row in rows])
    if not options.markdown:
        print(f"{heading}\n\n{report.text_line(report.header(peers), sizes)}", flush=True)
    lines: list[report.Line] = []
    for count in threads:
        columns = [COLUMNS[name]._replace(threads=count) for name in (OURS, *peers)]
        with tempfile.TemporaryDirectory(prefix="tetractys-bench-") as folder:
            cache = (options.cache or Path(folder) / "cache").resolve()
            plan = Plan(interpreters, columns, options.rounds, options.seconds, Path(folder), cache,
                        _say)  # fmt: skip
            # Start-up, compilation and many shapes have no second column of threads.
            some = [row for row in rows if count == threads[0] or isinstance(row, Row)]
            for row, cells in run_rows(some, plan):
                lines.append(report.judge(row, count, cells))
                if not options.markdown:
                    print(report.text_line(report.fields(lines[-1], peers), sizes), flush=True)
                if options.json:
                    report.as_json(lines, heading, options.json)
    _print_end(lines, peers, heading, options.markdown)
    failed = any(line.cells[OURS].problem for line in lines if OURS in line.cells)
    return int(failed or any(line.wrong for line in lines))


def _print_end(
    lines: Sequence[report.Line], peers: Sequence[str], heading: str, as_markdown: bool
) -> None:
    if as_markdown:
        print(report.markdown(lines, peers, heading))
    print(f"\n{report.summary(lines)}")
    if found := report.problems(lines):
        print("\nnot measured, or wrong:\n  " + "\n  ".join(found))


def _split(text: str) -> list[str]:
    return [part for part in text.split(",") if part]


def _say(words: str) -> None:
    """Progress, on a terminal only."""
    if sys.stderr.isatty():
        print(f"\r{words:40}\r", end="", file=sys.stderr, flush=True)
