"""Runs the columns: one process each, all alive side by side, rounds interleaved A B C .. C B A."""

from __future__ import annotations

import json
import select
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from .columns import OURS, Column, environment
from .interpreters import Interpreters
from .row import AnyRow, ProcessRow, Row, ShapesRow
from .rows import find

BOOT = (
    "import sys; sys.path.insert(0, {folder!r}); import {package} as p; del sys.path[0]; "
    "from {package}.{module} import main; main({arguments!r})"
)
"""How a process starts: peers' interpreters need not have Tetractys, so this package is imported
from its folder under its last name (it holds no class of the compiler's)."""

PATIENCE = 400.0
"""Seconds after which a process that does not answer is given up."""


@dataclass
class Cell:
    """What one column did in one row: a list of seconds, or why there is none."""

    samples: list[float] = field(default_factory=list)
    error_size: float = 0.0
    wrong: bool = False
    problem: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def median(self) -> float:
        """The median in seconds."""
        return statistics.median(self.samples)

    @property
    def least(self) -> float:
        """The least in seconds."""
        return min(self.samples)

    @property
    def usable(self) -> bool:
        """Measured, and right."""
        return bool(self.samples) and not self.wrong


@dataclass
class Plan:
    """What a run measures with: the columns' interpreters, and for how long."""

    interpreters: Interpreters
    columns: Sequence[Column]
    rounds: int
    seconds: float
    folder: Path
    cache: Path
    say: Callable[[str], None]

    @property
    def ours(self) -> Column:
        """Our column."""
        return next(column for column in self.columns if column.name == OURS)


def command(python: str, module: str, arguments: list[str]) -> list[str]:
    """The command of a process that runs a module of this package."""
    here = Path(__file__).parent
    code = BOOT.format(folder=str(here.parent), package=here.name, module=module,
                       arguments=arguments)  # fmt: skip
    return [python, "-c", code]


class Process:
    """A column's worker."""

    def __init__(self, column: Column, plan: Plan) -> None:
        self.column = column
        self._log: IO[str] = open(plan.folder / "stderr", "a")
        self._process = subprocess.Popen(
            command(plan.interpreters.path(column.module), "worker",
                    [column.name, str(column.threads)]),
            env=environment(column, plan.cache / f"{column.name}-{column.threads}"),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True,
        )  # fmt: skip

    def ask(self, **message: Any) -> dict[str, Any]:
        """The answer to a message, or {"error": why there is none}."""
        self.tell(**message)
        return self.answer()

    def tell(self, **message: Any) -> None:
        """Sends a message; a process that has ended is noticed when it does not answer."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass

    def answer(self) -> dict[str, Any]:
        """The next answer."""
        stdout = self._process.stdout
        assert stdout is not None
        if not select.select([stdout], [], [], PATIENCE)[0]:
            self._process.kill()
            return {"error": f"no answer in {PATIENCE:.0f} s"}
        line = stdout.readline()
        return json.loads(line) if line else {"error": f"ended with {self._process.wait()}"}

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """Ends it."""
        if self.alive:
            self.tell(command="quit")
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._log):
            if stream is not None:
                stream.close()


class Workers:
    """The processes of all columns; one that died is started anew for the next row."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._processes: dict[Column, Process] = {}

    def of(self, column: Column) -> Process:
        """The column's process."""
        process = self._processes.get(column)
        if process is None or not process.alive:
            if process is not None:
                process.close()
            process = self._processes[column] = Process(column, self._plan)
        return process

    def close(self) -> None:
        """Ends all."""
        for process in self._processes.values():
            process.close()


@contextmanager
def workers(plan: Plan) -> Iterator[Workers]:
    """Workers that are ended at the end."""
    result = Workers(plan)
    try:
        yield result
    finally:
        result.close()


def time_row(row: Row, plan: Plan, pool: Workers) -> dict[str, Cell]:
    """The cells of a row; of a variant, ours and, as `its row`, ours on the base row."""
    entrants = [(column.name, column, row) for column in plan.columns]
    if row.base:
        entrants = [(OURS, plan.ours, row), ("its row", plan.ours, find(row.base))]
    cells: dict[str, Cell] = {}
    live: list[tuple[str, Process, Row]] = []
    references = {entrant.name: _store_reference(entrant, plan.folder)
                  for _, _, entrant in entrants}  # fmt: skip
    processes = [pool.of(column) for _, column, _ in entrants]
    # All are told first: what they compile, they compile side by side.
    for process, (_, _, entrant) in zip(processes, entrants):
        path = str(references[entrant.name])
        process.tell(command="setup", row=entrant.name, reference=path, warm_up=plan.seconds)
    for process, (name, _, entrant) in zip(processes, entrants):
        answer = process.answer()
        if answer.get("skip"):
            continue
        size = answer.get("error_size", 0.0)
        cells[name] = Cell([], size, not size <= entrant.tolerance, answer.get("error", ""))
        if not cells[name].problem:
            live.append((name, process, entrant))
    for path in references.values():
        path.unlink()
    for number in range(plan.rounds):
        for name, process, entrant in live if number % 2 == 0 else live[::-1]:
            if cells[name].problem:
                continue
            time.sleep(0.01)
            answer = process.ask(command="round", row=entrant.name, seconds=plan.seconds)
            cells[name].samples += answer.get("samples", [])
            cells[name].problem = answer.get("error", "")
    for _, process, entrant in live:
        if process.alive:
            process.ask(command="drop", row=entrant.name)
    return cells


def _store_reference(row: Row, folder: Path) -> Path:
    path = folder / f"reference-{row.name}.npz"
    arrays = {f"r{number:03}": array for number, array in enumerate(row.expected())}
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return path


def time_processes(rows: Sequence[ProcessRow], plan: Plan) -> dict[str, dict[str, Cell]]:
    """Cells by row name, for rows of one task and one `of`: each round runs every column with an
    empty cache, then with what that left there.
    """
    of = find(rows[0].of)
    cells: dict[str, dict[str, Cell]] = {row.name: {} for row in rows}
    columns = [column for column in plan.columns
               if column.framework in of.setups and column.name != "numpy"
               and not (rows[0].task == "compile" and column.name == "torch")]  # fmt: skip
    patient = dict.fromkeys(columns, True)
    for _ in range(plan.rounds):
        for column in [column for column in columns if patient[column]]:
            started = time.perf_counter()
            with tempfile.TemporaryDirectory(dir=plan.folder) as cache:
                for warm in (False, True):
                    answer = fresh(rows[0].task, column, of.name, plan, Path(cache))
                    for row in rows:
                        if row.warm == warm:
                            _note(cells[row.name].setdefault(column.name, Cell()), answer)
            patient[column] = time.perf_counter() - started < 8.0  # once is enough for a minute
    return cells


def time_shapes(row: ShapesRow, plan: Plan) -> dict[str, Cell]:
    """Cells of a row about many shapes: the `static` one only of ours."""
    cells: dict[str, Cell] = {}
    for _ in range(min(plan.rounds, 3) if row.task == "shapes" else 1):
        for column in plan.columns if row.task == "shapes" else [plan.ours]:
            if column.framework in ("torch", "numpy"):  # neither compiles for sizes it has not met
                continue
            with tempfile.TemporaryDirectory(dir=plan.folder) as cache:
                answer = fresh(row.task, column, "", plan, Path(cache))
            _note(cells.setdefault(column.name, Cell()), answer)
    return cells


def _note(cell: Cell, answer: dict[str, Any]) -> None:
    if "error" in answer:
        cell.problem = answer["error"]
        return
    if "total" in answer:
        cell.samples.append(answer.pop("total"))
    cell.error_size = answer.pop("error_size", 0.0)
    cell.wrong |= cell.error_size > 1e-9
    cell.details = answer


def fresh(task: str, column: Column, row: str, plan: Plan, cache: Path) -> dict[str, Any]:
    """The answer of a fresh process, or {"error": why there is none}."""
    python = plan.interpreters.path(column.module)
    line = command(python, "fresh", [task, column.name, str(column.threads), row])
    try:
        done = subprocess.run(line, env=environment(column, cache), capture_output=True, text=True,
                              check=True, timeout=PATIENCE)  # fmt: skip
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or ["no words"]
        words = [line for line in lines if "Error: " in line.partition(" ")[0] + " "] or lines
        return {"error": words[-1][:300]}
    except subprocess.TimeoutExpired:
        return {"error": f"no answer in {PATIENCE:.0f} s"}
    return json.loads(done.stdout.splitlines()[-1])


def run_rows(rows: Sequence[AnyRow], plan: Plan) -> Iterator[tuple[AnyRow, dict[str, Cell]]]:
    """Every row with its cells, as they are measured."""
    done: dict[str, dict[str, Cell]] = {}
    with workers(plan) as pool:
        for row in rows:
            plan.say(row.name)
            if isinstance(row, Row):
                yield row, time_row(row, plan, pool)
            elif isinstance(row, ShapesRow):
                yield row, time_shapes(row, plan)
            else:
                if row.name not in done:
                    group = [other for other in rows if isinstance(other, ProcessRow)
                             and (other.task, other.of) == (row.task, row.of)]  # fmt: skip
                    done |= time_processes(group, plan)
                yield row, done[row.name]
