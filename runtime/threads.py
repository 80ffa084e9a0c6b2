"""How many threads a call may use: the function's own number, or the process' (`config.threads`).

The process' number is one word of memory that is read at every call, so it may change between
calls; compiled code does not depend on it.
"""

from __future__ import annotations

import os
from array import array
from contextlib import suppress
from functools import cache
from operator import index

_process = array("q", [0])
"""What calls read; 0 until the first function is made."""
_setting = 0
MOST = 1 << 16
"""More threads than that are a mistake, or a number that no word of memory holds."""


def check(value: object, what: str) -> int:
    """A number of threads; 0 stands for the default. Raises TypeError or ValueError."""
    expected = "expected at least 1, or 0 for as many threads as there are processors"
    try:
        number = index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise TypeError(f"{what}: found {value!r}, no integer; {expected}")
    if number < 0:
        raise ValueError(f"{what}: found {value!r}; {expected}")
    if number > MOST:
        raise ValueError(f"{what}: found {value!r}; expected at most {MOST}")
    return number


def set_process(number: int) -> None:
    """Sets the number for functions without one of their own; 0: the default."""
    global _setting
    _setting = number
    if _process[0]:  # otherwise `process_word` will
        _process[0] = number or default()


def process_word() -> int:
    """The address of the word that holds the process' number."""
    return _filled().buffer_info()[0]


def process() -> int:
    """The process' number of threads."""
    return _filled()[0]


def _filled() -> array[int]:
    if not _process[0]:
        _process[0] = _setting or default()
    return _process


def resolve(number: int | None) -> int:
    """The threads of a function that was given `number`; None: as the process."""
    if number is None:
        return process()
    return number or default()


@cache
def default() -> int:
    """`OMP_NUM_THREADS`, as Theano has it, or the number of processors."""
    first = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if first.isdecimal() and 0 < int(first) <= MOST:
        return int(first)
    return processors()


@cache
def processors() -> int:
    """The processors that this process may run on, and a container's share of them, rounded up."""
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    share = container_share("/sys/fs/cgroup")
    return max(1, count if share is None else min(count, share))


def container_share(root: str) -> int | None:
    """The processors that a control group's quota comes to, rounded up; None without one."""
    with suppress(OSError, ValueError):
        with open(f"{root}/cpu.max") as file:  # version 2
            quota, period = file.read().split()
        return None if quota == "max" else -(-int(quota) // int(period))
    with suppress(OSError, ValueError):
        with open(f"{root}/cpu/cpu.cfs_quota_us") as file:
            limit = int(file.read())
        with open(f"{root}/cpu/cpu.cfs_period_us") as file:
            return -(-limit // int(file.read())) if limit > 0 else None
    return None
