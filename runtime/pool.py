"""The thread pool of the process: made at the first kernel that asks for it, and its life.

`address("tt_run")` and its like are what a kernel finds in its table of external functions.
The threads themselves are made by the pool's own code (`pool_text`), at the first job that wants
them; so after a fork, too, where `os.register_at_fork` has the child forget its parent's.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import sys
from functools import cache
from typing import Any

from tetractys.runtime import cache as object_cache
from tetractys.runtime import jit, pool_gemm_text
from tetractys.runtime.fork_lock import fork_lock
from tetractys.runtime.pool_platform import FUTEX, PAUSE, SERIAL, SERIAL_SYMBOLS
from tetractys.runtime.pool_text import (
    MOST_WORKERS,
    SOURCE,
    SPIN_NANOSECONDS,
    STACK_BYTES,
    SYMBOLS,
)
from tetractys.runtime.pool_text import RUN as RUN_SOURCE
from tetractys.runtime.threads import processors
from tetractys.runtime.wrapper_text import expand

PARALLEL = "tt_parallel"
RUN = "tt_run"
NAMES = frozenset({PARALLEL, RUN})
"""What a spec may name in `externs`."""

_CRASHES = 1 << 3 | 1 << 4 | 1 << 6 | 1 << 7 | 1 << 10  # SIGILL, TRAP, BUS, FPE, SEGV
_lock = fork_lock()


def _machine() -> str:
    return os.uname().machine if hasattr(os, "uname") else ""


def is_parallel() -> bool:
    """Whether this platform has a pool; without one `tt_parallel` leaves all to its caller."""
    return sys.platform == "linux" and _machine() in PAUSE and sys.maxsize > 1 << 32


def text() -> str:
    """The pool's LLVM IR for this machine."""
    if not is_parallel():
        return expand(SERIAL + RUN_SOURCE, {})
    machine = _machine()
    values = {
        "FUTEX": FUTEX[machine],
        "MOST_WORKERS": MOST_WORKERS,
        "SPIN_NANOSECONDS": SPIN_NANOSECONDS,
        "STACK_BYTES": STACK_BYTES,
        "SIGNALS": ~_CRASHES,
        **pool_gemm_text.CONSTANTS,
    }
    return expand(PAUSE[machine] + SOURCE, values)


def address(name: str) -> int:
    """The address of one of the pool's functions. Raises KeyError where this platform lacks it."""
    return load()[name]


def load() -> jit.Code:
    """The pool's code, from the object cache if it is there; it lives as long as the process."""
    with _lock:
        return _load()


@cache
def _load() -> jit.Code:
    source = text()
    code = object_cache.load_or_make(
        object_cache.key("pool", source),
        SYMBOLS if is_parallel() else SERIAL_SYMBOLS,
        # The fastest code generation: 10 ms less, and a fork and join still take 0.3 us.
        lambda: jit.compile_text(source, opt=0, baseline=True),
    )
    # Sleeping workers stand in this code until the very end: it is never unloaded.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(code))
    if is_parallel():
        _attend(code)
    return code


def _attend(code: jit.Code) -> None:
    """Tells the pool the number of processors, and has it told of forks and of the end."""
    _function(code, "tt_pool_start", ctypes.c_int)(processors())
    os.register_at_fork(after_in_child=_function(code, "tt_pool_forked"))
    atexit.register(_function(code, "tt_pool_stop"))


def _function(code: jit.Code, name: str, *kinds: Any) -> Any:
    return ctypes.PYFUNCTYPE(None, *kinds)(code[name])


def workers() -> int:
    """The number of threads that the pool has made in this process, callers not counted."""
    if not is_parallel() or not _load.cache_info().currsize:
        return 0
    return ctypes.CFUNCTYPE(ctypes.c_int)(load()["tt_pool_workers"])()
