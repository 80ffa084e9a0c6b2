"""Where in the user's program a node was made: (file, line), found in about a microsecond.

Frames of this package are skipped, so that the line is the one the user wrote. A node remembers it
from its creation, and every level below the graph carries it on.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeAlias

Site: TypeAlias = tuple[str, int]
"""A file name and a line number."""

UNKNOWN: Site = ("<unknown>", 0)

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_TREE = os.path.dirname(_ROOT)
# Installed, every folder of the package lies under one root; in a checkout they lie side by side.
_OWN_ROOTS = [_ROOT + os.sep]
if os.path.basename(_ROOT) == "compiler":
    _OWN_ROOTS += [os.path.join(_TREE, name) + os.sep for name in ("dialects", "passes", "runtime")]

_is_own: dict[str, bool] = {}


class _Override(threading.local):
    """The sites of the `at_site` blocks that this thread is in."""

    def __init__(self) -> None:
        self.sites: list[Site] = []


_override = _Override()


def _classify(file: str) -> bool:
    """Whether code in `file` is ours; the demo (`__main__.py`) counts as a user's."""
    path = os.path.abspath(file)
    own = any(path.startswith(root) for root in _OWN_ROOTS)
    own = own and path != os.path.join(_ROOT, "__main__.py")
    _is_own[file] = result = own or file.startswith("<frozen")
    return result


def creation_site(depth: int = 1) -> Site:
    """The innermost user frame, starting `depth` frames above the caller of this function."""
    if sites := _override.sites:
        return sites[-1]
    frame: FrameType | None = sys._getframe(depth)
    own = _is_own
    while frame is not None:
        file = frame.f_code.co_filename
        if not (own[file] if file in own else _classify(file)):
            return (file, frame.f_lineno)
        frame = frame.f_back
    return UNKNOWN


@contextmanager
def at_site(site: Site) -> Iterator[None]:
    """Nodes made inside the block get `site`: for graphs derived from a node of the user's."""
    _override.sites.append(site)
    try:
        yield
    finally:
        _override.sites.pop()


def move_site(site: Site) -> None:
    """Inside `at_site`: what is made from here on gets `site`."""
    _override.sites[-1] = site


def format_site(site: Site) -> str:
    """`File "FILE", line LINE`, and the source line below it where it can be read."""
    import linecache

    file, line = site
    source = linecache.getline(file, line).strip()
    return f'  File "{file}", line {line}' + (f"\n    {source}" if source else "")
