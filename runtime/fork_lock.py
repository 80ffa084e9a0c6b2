"""Locks that a fork waits for.

A child has only the thread that forked: a lock that another one held would stay taken in it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable


def fork_lock() -> threading.RLock:
    """A lock that a fork takes; of several that one thread takes, the outer is made later."""
    lock = threading.RLock()
    _register(lock.acquire, lock.release)
    return lock


class Visitors:
    """Threads that may be at something at the same time, but not while a fork is made."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._inside: list[int] = []
        _register(self._keep_out, self._change.release)

    def __enter__(self) -> None:
        with self._change:
            self._inside.append(threading.get_ident())

    def __exit__(self, *exception: object) -> None:
        with self._change:
            self._inside.remove(threading.get_ident())
            self._change.notify_all()

    def _keep_out(self) -> None:
        """Waits for all but the thread that forks, and lets nobody in."""
        self._change.acquire()
        own = threading.get_ident()
        self._change.wait_for(lambda: all(thread == own for thread in self._inside))


def _register(before: Callable[[], object], after: Callable[[], object]) -> None:
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=before, after_in_parent=after, after_in_child=after)
