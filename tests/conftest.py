"""FileCheck tests as pytest items, and the options that tests share.

Every `tests/filecheck/**/*.mlir` is collected: one item runs its RUN lines; for a file of a pass
(`passes/cse.mlir`, `passes/cse-regions.mlir`) a second item runs them with the pass left out, and
demands that every line that names the pass then fails: a check that passes without its pass checks
nothing.
"""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILECHECK = ROOT / "tests" / "filecheck"


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden` rewrites expected outputs: README examples and generated CHECK lines."""
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite README examples and generated CHECK lines with what tt-opt prints now",
    )


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether expected outputs are to be rewritten instead of compared."""
    return request.config.getoption("--update-golden")


@pytest.fixture
def leaves_nothing() -> Callable[..., None]:
    """`leaves_nothing(call, watched, calls)`: after many calls references and memory are as before.
    """

    def run(call: Callable[[], Any], watched: Sequence[Any], calls: int) -> None:
        for _ in range(20):
            call()
        gc.collect()
        tracemalloc.start()
        call()
        counts = [sys.getrefcount(value) for value in watched]
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(calls):
            call()
        gc.collect()
        call()
        after = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        changes = [sys.getrefcount(value) - count for value, count in zip(watched, counts)]
        # A leak would show once a call; a few references come and go with what `call` itself keeps.
        assert all(abs(change) < 50 for change in changes), changes
        assert after - before < 16384  # a leak would be some bytes a call

    return run


def pytest_collect_file(parent: pytest.Collector, file_path: Path) -> pytest.Collector | None:
    """Collect the FileCheck files."""
    if file_path.suffix == ".mlir" and FILECHECK in file_path.parents:
        return CheckFile.from_parent(parent, path=file_path)
    return None


class CheckFile(pytest.File):
    """One FileCheck file."""

    def collect(self) -> Iterator[pytest.Item]:
        """The item that runs it, and for a file of a pass the one that leaves the pass out."""
        yield CheckItem.from_parent(self, name="check")
        if self.path.parent == FILECHECK / "passes":
            yield WithoutPassItem.from_parent(self, name="without the pass")


class CheckItem(pytest.Item):
    """Runs all RUN lines of a file."""

    def runtest(self) -> None:
        """Fail when a RUN line fails."""
        from tetractys.tools import golden, run_lines

        if self.config.getoption("--update-golden"):
            golden.update_file(self.path)
        run_lines.check_file(self.path)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        """The output alone for a failed check; the traceback for anything else."""
        from tetractys.tools.run_lines import CheckFailure

        if isinstance(excinfo.value, CheckFailure):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the item stands, for reports."""
        return self.path, 0, f"{self.path.relative_to(ROOT)} [{self.name}]"


class WithoutPassItem(CheckItem):
    """Runs the RUN lines that name the file's pass without it: each must fail."""

    def runtest(self) -> None:
        """Fail when a RUN line succeeds although its pass did not run."""
        from tetractys.tools import run_lines

        run_lines.check_file_without_pass(self.path)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what the coverage tests recorded: operations x layouts, counted in dtypes."""
    tested: dict[str, dict[str, int]] = {}
    undefined: dict[str, dict[str, int]] = {}
    for report in terminalreporter.getreports(""):  # set-up and teardown that passed
        for name, value in report.user_properties:
            if name != "coverage" or report.when != "teardown":
                continue
            for operation, layout, count in value["tested"]:
                row = tested.setdefault(operation, {})
                row[layout] = row.get(layout, 0) + count
            for operation, reason, count in value["undefined"]:
                row = undefined.setdefault(operation, {})
                row[reason] = row.get(reason, 0) + count
    if not tested:
        return
    layouts = list(dict.fromkeys(layout for row in tested.values() for layout in row))
    width = max(map(len, tested))
    terminalreporter.section("coverage: tuples of dtypes an operation and layout", sep="-")
    terminalreporter.write_line(" " * width + "  " + "  ".join(layouts))
    for operation, row in tested.items():
        cells = (str(row.get(layout, "-")).rjust(len(layout)) for layout in layouts)
        terminalreporter.write_line(f"{operation:{width}}  {'  '.join(cells)}")
    terminalreporter.write_line("undefined, each for a reason that was checked:")
    for operation, reasons in undefined.items():
        for reason, count in reasons.items():
            terminalreporter.write_line(f"  {operation} ({count}): {reason[:110]}")
