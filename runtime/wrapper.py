"""The trampoline in this process: its text for this layout, compiled once, or loaded from the
object cache.
"""

from __future__ import annotations

import threading
from functools import cache

from tetractys.runtime import cache as object_cache
from tetractys.runtime import jit, pool
from tetractys.runtime.fork_lock import fork_lock
from tetractys.runtime.layout import Layout, find
from tetractys.runtime.state import constants
from tetractys.runtime.wrapper_main import CALL_SYMBOL, CLOSED_SYMBOL, SOURCE, wrapper_text

_SYMBOLS = (CALL_SYMBOL, CLOSED_SYMBOL)
_lock = fork_lock()


def text(layout: Layout, self_state: int) -> str:
    """The trampoline's LLVM IR, for functions whose state pointer stands at byte `self_state`."""
    return wrapper_text(_values(layout, self_state))


def _values(layout: Layout, self_state: int) -> dict[str, int]:
    return layout.values | constants() | {"SELF_STATE": self_state}


def load(self_state: int) -> jit.Code:
    """The compiled trampoline (symbols `tt_call`, `tt_closed`), for functions whose state pointer
    stands at byte `self_state`; it lives as long as the process.
    """
    with _lock:  # a thread of `prepare` may be at it
        return _load(self_state)


@cache
def prepare(self_state: int) -> None:
    """Starts to make the trampoline in a thread: llvmlite drops the GIL, so it costs no waiting.
    The same thread then makes the thread pool, which most functions with arrays will want, and
    LLVM's first acquaintance with vectors (`jit.warm_up`).
    """

    def work() -> None:
        load(self_state)
        pool.load()
        jit.warm_up()

    threading.Thread(target=work, name="tetractys trampoline").start()


@cache
def _load(self_state: int) -> jit.Code:
    values = _values(find(), self_state)
    # The key is made from the macro text: expanding it takes a millisecond that a warm start need
    # not pay.
    return object_cache.load_or_make(
        object_cache.key("trampoline", SOURCE, repr(sorted(values.items()))),
        _SYMBOLS,
        # Scalar glue: baseline target, fastest code generation (5 ms against 24).
        lambda: jit.compile_text(wrapper_text(values), opt=0, baseline=True),
    )
