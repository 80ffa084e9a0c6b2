"""The process of one column: sets rows up, checks them, and times a round when asked.

Speaks JSON lines: `setup`, `round`, `drop` and `quit` on standard input, an answer each on what was
standard output (prints of the libraries go to standard error).
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from typing import Any

import numpy as np

from .columns import COLUMNS, Column, pin
from .job import Job, worst_error
from .row import Inputs, Row
from .rows import find

SHORTEST = 2e-4
"""A sample lasts at least this many seconds: as many calls as that takes."""


class Worker:
    """The jobs that are set up in this process, by name, and how many calls a sample has."""

    def __init__(self, column: Column) -> None:
        self.column = column
        self._jobs: dict[str, Job] = {}
        self._calls: dict[str, int] = {}
        self._references: dict[str, list[np.ndarray]] = {}

    def setup(self, row: str, reference: str, warm_up: float) -> dict[str, Any]:
        """Builds a row's job, checks its results, warms it up for so many seconds."""
        found_row = find(row)
        if self.column.framework not in found_row.setups:
            return {"skip": True}
        job = make_job(found_row, self.column, found_row.inputs())
        if job is None:
            return {"skip": True}
        found = job.check()
        with np.load(reference) as stored:
            error = worst_error(found, [stored[key] for key in stored.files])
        del found
        self._jobs[row] = job
        self._calls[row] = _calibrate(job, warm_up)
        return {"error_size": error}

    def round(self, row: str, seconds: float) -> dict[str, Any]:
        """Samples for about `seconds`: the collector is off, the threads are scheduled first."""
        job, calls = self._jobs[row], self._calls[row]
        gc.collect()
        gc.disable()
        _schedule(first=True)
        try:
            job.seconds(1)
            samples: list[float] = []
            end = time.perf_counter() + seconds
            while len(samples) < 2 or time.perf_counter() < end:
                samples.append(job.seconds(calls) / calls)
        finally:
            _schedule(first=False)
            gc.enable()
        return {"samples": samples}

    def drop(self, row: str) -> dict[str, Any]:
        """Forgets a row and its arrays."""
        self._jobs.pop(row, None)
        gc.collect()
        return {}


def make_job(row: Row, column: Column, inputs: Inputs) -> Job | None:
    """The job of a row in a column; None where the framework has no such thing."""
    setup = row.setups.get(column.framework)
    if setup is None:
        return None
    if column.framework == "torch":
        import torch  # pyright: ignore[reportMissingImports]

        torch.set_num_threads(column.threads)
        if column.compiled:
            torch._dynamo.reset()  # its limit of recompilations counts all rows of one source line
    if column.framework == "theano":
        from .theano import TheanoAPI

        api = TheanoAPI(column)
        job = setup(inputs, api)
        if job is not None:
            api.trust(job)
        return job
    return setup(inputs, column)


def _calibrate(job: Job, warm_up: float) -> int:
    job.seconds(1)
    calls = 1
    end = time.perf_counter() + warm_up
    while True:
        seconds = job.seconds(calls)
        if seconds < SHORTEST:
            calls = min(calls * 4, 4096)
        if time.perf_counter() >= end:
            return calls


def _schedule(*, first: bool) -> None:
    """All threads of this process: real-time inside a round, where that is permitted.

    Else a job at nice 19 on the second core is enough for spinning barriers (OpenBLAS, libgomp) to
    turn 3 ms into 100.
    """
    if not hasattr(os, "sched_setscheduler"):
        return
    policy, priority = (os.SCHED_RR, 1) if first else (os.SCHED_OTHER, 0)
    for task in os.listdir("/proc/self/task"):
        try:
            os.sched_setscheduler(int(task), policy, os.sched_param(priority))
        except OSError:
            return


def main(arguments: list[str]) -> None:
    """`main([column, threads])`: answers until told to quit."""
    column = COLUMNS[arguments[0]]._replace(threads=int(arguments[1]))
    pin(column)
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    worker = Worker(column)
    for line in sys.stdin:
        message = json.loads(line)
        command = message.pop("command")
        if command == "quit":
            break
        try:
            answer = getattr(worker, command)(**message)
        except Exception as error:
            words = f"{type(error).__name__}: {error}".splitlines()[0][:300]
            sys.excepthook(type(error), error, error.__traceback__)
            answer = {"error": words}
        answers.write(json.dumps(answer) + "\n")
