"""Products of our own, where the machine has vectors of 64 bytes: made when a function wants one.

The code of a precision is compiled once and then comes from the object cache; the pool's `tt_sgemm`
and `tt_dgemm` choose between it and the library by the sizes of a product.
"""

from __future__ import annotations

import ctypes
import threading
from functools import cache
from pathlib import Path

from tetractys.runtime import cache as object_cache
from tetractys.runtime import jit, pool
from tetractys.runtime.fork_lock import fork_lock

_FILES = ("gemm_text.py", "gemm_tile_text.py", "gemm_pack_text.py")
_lock = fork_lock()


def is_fit() -> bool:
    """Whether this machine runs them well: AVX-512, and threads of the pool's kind."""
    return pool.is_parallel() and jit.host().vector_bytes == 64


@cache
def install(name: str) -> None:
    """Gives the pool our product of a precision, `sgemm` or `dgemm`, if the machine is fit."""
    if not is_fit():
        return
    with _lock:  # a thread of `prepare` may be at it
        code = _load(name)
    give = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p)(pool.address("tt_blas_own"))
    give(name == "sgemm", code[_symbol(name)])


@cache
def prepare(name: str) -> None:
    """Starts to make a precision's code in a thread, for a compiler that has other work before:
    LLVM takes 100 ms for it, and drops the GIL.
    """

    def work() -> None:
        with _lock:
            _load(name)

    if is_fit():
        threading.Thread(target=work, name=f"tetractys {name}").start()


@cache
def _load(name: str) -> jit.Code:
    """The code of a precision; the pool may call it as long as it lives."""

    def make() -> bytes:
        from tetractys.runtime import gemm_text

        return jit.compile_text(gemm_text.source(name))

    key = object_cache.key("product", name, *_makers())
    code = object_cache.load_or_make(key, (_symbol(name),), make)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(code))
    return code


def _symbol(name: str) -> str:
    return f"tt_own_{name}"


def _makers() -> list[bytes]:
    """The files that make the text: read in a tenth of the time that they take to make it."""
    here = Path(__file__)
    return [here.with_name(file).read_bytes() for file in _FILES]
