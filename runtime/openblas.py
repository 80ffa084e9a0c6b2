"""OpenBLAS, as SciPy's wheels carry it: loaded without SciPy, its threads given to our pool.

Loading the one library takes 2 ms; through `scipy.linalg.cython_blas` it is 20 to 30, and importing
`scipy.linalg` 200. It is the very library that SciPy uses, loaded once: a later import of SciPy
finds it here. (The wheel `scipy-openblas32` would be one more copy for the same two milliseconds.)

In our kernels OpenBLAS computes pieces, each on one thread (`pool_gemm_text`). Where others use its
threads, `scipy.linalg` for one, they are our pool's, by its callback: two pools on one machine wait
for each other's spinning threads (34 us become 4 ms: LOOPS 6).
"""

from __future__ import annotations

import ctypes
import importlib.util
import sys
from functools import cache
from pathlib import Path
from typing import Any

from tetractys.runtime import pool

_PREFIXES = ("scipy_", "")


class Library:
    """A loaded OpenBLAS with 32-bit integers."""

    def __init__(self, handle: ctypes.CDLL, prefix: str) -> None:
        self._handle = handle
        self._prefix = prefix

    def find(self, name: str) -> int:
        """The address of a BLAS or LAPACK function by its Fortran name; 0 if it has none."""
        return self._symbol(self._prefix + name + "_")

    def _symbol(self, *names: str) -> int:
        for name in names:
            if hasattr(self._handle, name):
                return ctypes.cast(getattr(self._handle, name), ctypes.c_void_p).value or 0
        return 0

    def attach(self, dgemm: int, sgemm: int) -> bool:
        """Gives its threads to the pool, and its products to `tt_dgemm`, `tt_sgemm`; False where
        that is impossible.
        """
        setter = self._symbol(f"{self._prefix}openblas_set_num_threads")
        getter = self._symbol(f"{self._prefix}openblas_get_num_threads")
        if not (setter and getter and pool.is_parallel()):
            return False
        attach = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4)(pool.address("tt_blas_attach"))
        attach(setter, getter, dgemm, sgemm)
        name = "openblas_set_threads_callback_function"
        callback = self._symbol(self._prefix + name, name)
        if callback:
            ctypes.CFUNCTYPE(None, ctypes.c_void_p)(callback)(pool.address("tt_gang"))
        return True


@cache
def bundled() -> Library | None:
    """The library in SciPy's wheel, SciPy not imported; None where there is no such file."""
    found = importlib.util.find_spec("scipy")
    if found is None or not found.submodule_search_locations or sys.platform != "linux":
        return None
    folder = Path(found.submodule_search_locations[0]).parent / "scipy.libs"
    return next(filter(None, map(_open, sorted(folder.glob("libscipy_openblas*.so*")))), None)


@cache
def mapped() -> Library | None:
    """The library that something else has loaded: for a SciPy that was not installed as a wheel."""
    try:
        lines = Path("/proc/self/maps").read_text().splitlines()
    except OSError:
        return None
    paths = dict.fromkeys(line[line.index("/") :] for line in lines if "openblas" in line)
    return next(filter(None, map(_open, map(Path, paths))), None)


def _open(path: Path) -> Library | None:
    """A library with `dgemm_` under one of the known prefixes: those with 64-bit integers, NumPy's
    copy among them, call it otherwise.
    """
    try:
        handle: Any = ctypes.CDLL(str(path))
    except OSError:
        return None
    for prefix in _PREFIXES:
        if hasattr(handle, f"{prefix}dgemm_"):
            return Library(handle, prefix)
    return None
