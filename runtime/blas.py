"""Addresses of library functions that kernels call: libm, BLAS and LAPACK, and our thread pool.

Looked up only for the names in a spec's `externs`. BLAS names follow Fortran's convention: every
argument by pointer, 32-bit integers. They come from the OpenBLAS in SciPy's wheel (`openblas`),
else through SciPy's Cython capsules.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.machinery
import importlib.util
import sys
from array import array
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from tetractys.runtime import openblas, pool, products

LIBM = frozenset(
    name + suffix
    for name in (
        "pow fmod exp log log1p expm1 tanh sin cos tan atan2 cbrt erf erfc lgamma tgamma hypot"
    ).split()
    for suffix in ("", "f")
)
_FAR_ANGLES = ("tt_sin", "tt_cos", "tt_tan")
_IN_PIECES = ("dgemm", "sgemm")
_MODULES = ("scipy.linalg.cython_blas", "scipy.linalg.cython_lapack")
_SUFFIXES = tuple(importlib.machinery.EXTENSION_SUFFIXES)


class ExternError(LookupError):
    """A library function that no library here has."""


class Table(NamedTuple):
    """What word 1 of the flat block points to, and the function to call with the block."""

    words: array[int]
    address: int
    kernel: int


@cache
def address(name: str) -> int:
    """The address of a BLAS, LAPACK or libm function, of `tt_parallel`, `tt_run` or `tt_sin`.

    Raises `ExternError`.
    """
    if name in LIBM:
        return ctypes.cast(getattr(_libm(), name), ctypes.c_void_p).value or 0
    if name in pool.NAMES:
        return pool.address(name)
    if name in _FAR_ANGLES:
        from tetractys.runtime import far_angles

        return far_angles.address(name)
    if name in _IN_PIECES and _attached():
        products.install(name)
        return pool.address(f"tt_{name}")
    return _library_address(name)


def _library_address(name: str) -> int:
    library = openblas.bundled()
    found = 0 if library is None else library.find(name)
    return found or _capsule_address(name)


@cache
def _attached() -> bool:
    """Whether BLAS is an OpenBLAS whose threads are ours; the threads of another are its own
    affair.
    """
    found = [_library_address(name) for name in _IN_PIECES]
    library = openblas.bundled() or openblas.mapped()
    return library is not None and library.attach(*found)


def _capsule_address(name: str) -> int:
    for module in _MODULES:
        capsules: dict[str, Any] = _cython_module(module).__pyx_capi__
        if name in capsules:
            return _capsule_pointer(capsules[name])
    raise ExternError(f"library function {name!r} not found; expected one of libm, BLAS or LAPACK")


def table(externs: tuple[str, ...], kernel: int) -> Table:
    """The table of a kernel's functions. One that calls BLAS is called by way of the pool's
    `tt_blas_kernel`, which sees to OpenBLAS' number of threads.
    """
    words = array("q", [address(name) for name in externs] or [0])
    if all(name in LIBM or name in pool.NAMES for name in externs):
        return Table(words, words.buffer_info()[0], kernel)
    if not _attached():
        return Table(words, words.buffer_info()[0], kernel)
    words = array("q", [kernel]) + words
    return Table(words, words.buffer_info()[0] + 8, pool.address("tt_blas_kernel"))


@cache
def _cython_module(name: str) -> ModuleType:
    """A module of `scipy.linalg`, without the package's own import where that can be: 40 ms instead
    of 240.
    """
    if name not in sys.modules and "scipy.linalg" not in sys.modules:
        import scipy  # sets up its shared libraries

        folder = Path(scipy.__file__).parent / "linalg"
        stem = name.rpartition(".")[2] + "."
        for path in folder.glob(stem + "*"):
            if path.name.endswith(_SUFFIXES):
                return _load_extension(name, path)
    return importlib.import_module(name)


def _load_extension(name: str, path: Path) -> ModuleType:
    """The extension module of a file. Its name is left free: a later ordinary import, which
    also makes it an attribute of its package, gets the same module from Cython.
    """
    loader = importlib.machinery.ExtensionFileLoader(name, str(path))
    spec = importlib.util.spec_from_loader(name, loader)
    if spec is None:
        return importlib.import_module(name)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        loader.exec_module(module)
    finally:
        del sys.modules[name]
    return module


@cache
def _libm() -> ctypes.CDLL:
    if sys.platform == "darwin":
        return ctypes.CDLL("libSystem.dylib")
    return ctypes.CDLL("ucrtbase" if sys.platform == "win32" else "libm.so.6")


def _capsule_pointer(capsule: Any) -> int:
    name = ctypes.PYFUNCTYPE(ctypes.c_char_p, ctypes.py_object)(
        ("PyCapsule_GetName", ctypes.pythonapi)
    )
    pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", ctypes.pythonapi)
    )
    return pointer(capsule, name(capsule))
