"""The container of one shared value, and its lock.

Native code reads and writes the slot `value` directly. An update goes to a fresh or spare array
that replaces the old one at the commit, or is written over the old one where nobody else can see it
(`wrapper_donors`): so whoever holds an old value keeps it.

The lock's rules: a *long* call (one that drops the GIL) holds `lock` of every cell that it updates,
from reading to commit, and says so in `held`: True, or False while it writes over a value, which
then nobody may read.  A *short* call keeps the GIL throughout and only looks at `held`.  `get` and
`set` take `lock`.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Any


class Cell:
    """A shared value. `value` is an array (what kernels take: see `pack`), `held` is None except
    during a long update.
    """

    __slots__ = ("__weakref__", "held", "lock", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self.held: bool | None = None
        self.lock = threading.Lock()
        _cells.add(self)

    def get(self) -> Any:
        """The present value itself, not a copy; waits for a long call that is updating it."""
        with self.lock:
            return self.value

    def set(self, value: Any) -> None:
        """Replaces the value; waits for a long call that is updating it."""
        with self.lock:
            self.value = value

    def wait(self) -> None:
        """Returns when no long call holds the cell (another one may take it at once)."""
        with self.lock:
            pass

    def __repr__(self) -> str:
        return f"<Cell {self.value!r}>"


_cells: weakref.WeakSet[Cell] = weakref.WeakSet()


def _finish_writing() -> None:
    """Before a fork: a value that is half written would stay so in the child."""
    while any(cell.held is False for cell in list(_cells)):
        for cell in list(_cells):
            if cell.held is False:
                cell.wait()


def _free_all() -> None:
    """In a forked child no thread is left that could free a cell which was held at the fork."""
    for cell in list(_cells):
        cell.held = None
        cell.lock._at_fork_reinit()  # type: ignore[attr-defined]  # what CPython's own modules use


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_finish_writing, after_in_child=_free_all)
