"""The columns: a framework in one configuration, in a process and an interpreter of its own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

OURS = "tetractys"


class Column(NamedTuple):
    """A column. framework: the key in a row's `setups`. module: what must be installed.

    compiled: through torch.compile. c_linker: PyTensor's C code instead of Numba.
    """

    name: str
    framework: str
    module: str
    threads: int = 1
    compiled: bool = False
    c_linker: bool = False

    @property
    def parallel(self) -> bool:
        """On more than one thread."""
        return self.threads > 1


COLUMNS = {
    column.name: column
    for column in (
        Column(OURS, "theano", "tetractys"),
        Column("numpy", "numpy", "numpy"),
        Column("numba", "numba", "numba"),
        Column("jax", "jax", "jax"),
        Column("torch", "torch", "torch"),
        Column("torch.compile", "torch", "torch", compiled=True),
        Column("pytensor", "theano", "pytensor"),
        Column("pytensor-c", "theano", "pytensor", c_linker=True),
    )
}
PEERS = tuple(name for name in COLUMNS if name != OURS)

def environment(column: Column, cache: Path) -> dict[str, str]:
    """The environment of the column's process; everything that it keeps on disk is under `cache`.

    A user's own PYTENSOR_FLAGS (where the C linker finds BLAS) stand behind ours.
    """
    result = dict(os.environ)
    result.pop("PYTHONDONTWRITEBYTECODE", None)  # as installed packages run: from bytecode
    result |= {f"{library}_NUM_THREADS": str(column.threads)
               for library in ("OMP", "OPENBLAS", "MKL", "NUMBA")}  # fmt: skip
    result |= _OF_FRAMEWORK.get(column.module, {})
    result |= {
        "TETRACTYS_CACHE": f"{cache}/tetractys",
        "NUMBA_CACHE_DIR": f"{cache}/numba",
        "TORCHINDUCTOR_CACHE_DIR": f"{cache}/inductor",
        "JAX_COMPILATION_CACHE_DIR": f"{cache}/jax",
    }
    if column.module == "pytensor":
        flags = [f"base_compiledir={cache}/pytensor"]
        if column.c_linker:
            flags += ["linker=cvm", *(["openmp=True"] if column.parallel else [])]
        result["PYTENSOR_FLAGS"] = ",".join([*flags, *filter(None, [os.environ.get(
            "PYTENSOR_FLAGS")])])  # fmt: skip
    return result


_OF_FRAMEWORK: Mapping[str, dict[str, str]] = {
    "jax": {
        "JAX_PLATFORMS": "cpu",
        "JAX_ENABLE_X64": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    },
    "torch": {"TORCHINDUCTOR_COMPILE_THREADS": "1"},
}
"""JAX compiles float64 only when told; its cache keeps short compilations only when told."""


def pin(column: Column) -> None:
    """Called in the column's process before anything is imported: XLA's pool has no working switch
    but the processor set, so one thread means one processor (the last allowed one).
    """
    if column.module == "jax" and not column.parallel and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
