"""The temporaries of a function: which slot of the arena each has, and from where to where it
lives.

A slot is a piece of the workspace of one size. A temporary takes a slot that is free by then and
has its very size (the same size values, as nothing more is known while compiling), or else a new
one; slots stand one behind the other. So no temporary is copied or moved, and the workspace is as
large as its slots.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from xdsl.ir import SSAValue

SlotSize: TypeAlias = "tuple[tuple[SSAValue, ...], int]"
"""The sizes that the type leaves open, and bytes times rows."""


class Arena:
    """Slots given out while the function's operations are gone through in order."""

    def __init__(self) -> None:
        self.free: dict[SlotSize, list[int]] = {}
        self.taken: list[tuple[int, int, SlotSize]] = []
        self.count = 0

    def take(self, sizes: Sequence[SSAValue], unit: int, last_use: int) -> int:
        """A slot for a temporary that is used up to the operation at `last_use`."""
        size = (tuple(sizes), unit)
        waiting = self.free.get(size)
        slot = waiting.pop() if waiting else self.count
        if slot == self.count:
            self.count += 1
        self.taken.append((last_use, slot, size))
        return slot

    def release(self, position: int) -> None:
        """Frees what was last used before the operation at `position`."""
        kept: list[tuple[int, int, SlotSize]] = []
        for last_use, slot, size in self.taken:
            if last_use < position:
                self.free.setdefault(size, []).append(slot)
            else:
                kept.append((last_use, slot, size))
        self.taken = kept
