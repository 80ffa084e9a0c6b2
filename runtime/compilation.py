"""The modules of one function, compiled by a second thread while the caller makes the rest.

LLVM needs neither Python nor the caller: it generates the code of a module that is there while the
passes lower the next nest. `finish` has the caller help with what is left.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue

from tetractys.runtime import jit, threads


class Compilation:
    """See the module. It ends with `stop`."""

    def __init__(self) -> None:
        self._units: list[jit.Unit] = []
        self._waiting: SimpleQueue[jit.Unit | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def add(self, text: str) -> None:
        """Has the LLVM IR of a module compiled. Raises `jit.IRError`."""
        unit = jit.Unit(text)
        self._units.append(unit)
        self._waiting.put(unit)
        if self._thread is None and threads.processors() > 1:
            self._thread = threading.Thread(target=self._work, name="tetractys code")
            self._thread.start()

    def finish(self) -> bytes:
        """The object code of all modules, in the order in which they came."""
        for unit in self._left():
            unit.generate()
        self._join()
        return jit.join([unit.object() for unit in self._units])

    def stop(self) -> None:
        """Lets the modules go; the thread has ended."""
        for _ in self._left():
            pass
        self._join()
        for unit in self._units:
            unit.close()
        self._units = []

    def _left(self) -> Iterator[jit.Unit]:
        with suppress(Empty):
            while (unit := self._waiting.get_nowait()) is not None:
                yield unit

    def _work(self) -> None:
        while (unit := self._waiting.get()) is not None:
            unit.generate()

    def _join(self) -> None:
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()
            self._thread = None
