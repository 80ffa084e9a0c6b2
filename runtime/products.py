"""Products of our own, where the machine has vectors of 64 bytes: made when a function wants one.

The code is compiled once and then comes from the object cache; the pool's `tt_sgemm` chooses
between it and the library by the sizes of a product. Of double precision OpenBLAS is the faster one
(ours took 0.9 to 1.2 of its time on narrow shapes, measured), so there are none.
"""

from __future__ import annotations

import ctypes
from functools import cache

from tetractys.runtime import cache as object_cache
from tetractys.runtime import jit, pool

_NAME = "sgemm"


def is_fit() -> bool:
    """Whether this machine runs them well: AVX-512, and threads of the pool's kind."""
    return pool.is_parallel() and jit.host().vector_bytes == 64


@cache
def install(name: str) -> None:
    """Gives the pool our product of a precision, where there is one and the machine is fit."""
    if name != _NAME or not is_fit():
        return
    from tetractys.runtime import gemm_text

    source = gemm_text.source()
    code = object_cache.load_or_make(
        object_cache.key("product", source),
        (gemm_text.SYMBOL,),
        lambda: jit.compile_text(source),
    )
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(code))  # the pool may call it as long as it lives
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(pool.address("tt_blas_own"))(code[gemm_text.SYMBOL])
