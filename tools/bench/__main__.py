"""`python -m tetractys.tools.bench table`: the table; `startup`, `step`, `calls`: parts of it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tetractys.tools.bench import budget, table


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a subcommand, `table` by default, and gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tetractys.tools.bench", description=__doc__)
    parts = parser.add_subparsers(dest="part")
    whole = parts.add_parser("table", help="all rows of the CPU table against every peer")
    step = parts.add_parser("step", help="the table's rows `logistic*`")
    calls = parts.add_parser("calls", help="the table's rows `call-*`")
    for part in (whole, step, calls):
        table.add_options(part)
    step.set_defaults(rows="logistic")
    calls.set_defaults(rows="calls")
    startup = parts.add_parser("startup", help="the start-up budget, phase by phase")
    startup.add_argument("--rounds", type=int, default=7, help="fresh processes (7)")
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = parser.parse_args(given if given and given[0] in _WORDS else ["table", *given])
    if options.part == "startup":
        return budget.run(options.rounds)
    return table.run(options)


_WORDS = ("table", "step", "calls", "startup", "-h", "--help")

if __name__ == "__main__":
    sys.exit(main())
