"""A kernel as machine code behind the flat ABI, called with NumPy arrays: `compile_kernel`."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, IntegerAttr, ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass

from tetractys.dialects import types
from tetractys.oracle.program import parse
from tetractys.passes.emit_llvm import emit
from tetractys.passes.registry import load_pass
from tetractys.runtime import blas, jit
from tetractys.tools.ir_parser import LocatingParser
from tetractys.tools.opt import OptMain

LEVEL_2 = ("expand-math", "vectorize", "mark-inplace", "bufferize", "lower-loops-to-llvm")
"""From scheduled loops to LLVM."""
PIPELINE = (
    "hoist-checks",
    "lower-to-loops",
    "fuse-nests",
    "schedule-cpu",
    "expand-math",
    "cse",
    "vectorize",
    "mark-inplace",
    "bufferize",
    "lower-loops-to-llvm",
)
"""From level 1 to LLVM."""

Entry = str | ModulePass
_EXCEPTIONS = {"ValueError": ValueError, "IndexError": IndexError, "TypeError": TypeError}


class Kernel:
    """A compiled module. Calling it gives the results, or raises what the kernel reports."""

    def __init__(self, module: ModuleOp, passes: Sequence[Entry], *, verify: bool = True) -> None:
        function = next(op for op in module.ops if isinstance(op, FuncOp))
        self.results = [types.spec_of(type_) for type_ in function.function_type.outputs.data]
        for entry in passes:
            pass_ = load_pass(entry)() if isinstance(entry, str) else entry
            pass_.apply(Context(), module)
            if verify:
                module.verify()
        self.module = module
        self.text = emit(module)
        self.code = jit.load(jit.compile_text(self.text))
        call = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)
        self.kernel, self.shape = call(self.code.kernel), call(self.code.shape)
        self.errors = [_error(entry) for entry in _entries(module, "tt.errors")]
        names = [entry.data for entry in _entries(module, "tt.externs")]
        self.externs = np.array([blas.address(name) for name in names], np.int64)
        self.workspace = 0

    def __call__(self, *args: Any) -> list[Any]:
        """Runs the kernel on arrays as they are; results are new arrays, filled with rubbish
        before.
        """
        arrays = [np.asarray(arg) for arg in args]
        words = sum(1 + 2 * a.ndim for a in arrays) + sum(1 + 2 * len(s) for _, s in self.results)
        flat = np.zeros(16 + words, np.int64)
        word = 16
        for array in arrays:
            word = self._describe(flat, word, array)
        self._check(flat, self.shape(flat.ctypes.data))
        self.workspace = int(flat[0])
        memory = np.full(self.workspace + 64, 0xA5, np.uint8)
        flat[0] = (memory.ctypes.data + 63) & -64
        flat[1] = self.externs.ctypes.data
        results = []
        for dtype, shape in self.results:
            sizes = tuple(flat[word + 1 : word + 1 + len(shape)])
            result = np.frombuffer(
                bytearray(b"\xa5" * (int(np.prod(sizes)) * np.dtype(dtype).itemsize)), dtype
            ).reshape(sizes)
            word = self._describe(flat, word, result)
            results.append(result)
        self._check(flat, self.kernel(flat.ctypes.data))
        end = flat[0] - memory.ctypes.data + self.workspace
        assert (memory[end:] == 0xA5).all(), "the kernel wrote behind its workspace"
        return results

    def _describe(self, flat: Any, word: int, array: Any) -> int:
        flat[word] = array.ctypes.data
        flat[word + 1 : word + 1 + array.ndim] = array.shape
        flat[word + 1 + array.ndim : word + 1 + 2 * array.ndim] = array.strides
        return word + 1 + 2 * array.ndim

    def _check(self, flat: Any, status: int) -> None:
        assert (status != 0) == (flat[2] != 0)
        if status:
            kind, message = self.errors[flat[2] - 1]
            raise _EXCEPTIONS[kind](message.format(*flat[3:8]))


def _entries(module: ModuleOp, name: str) -> Sequence[Any]:
    entries = module.attributes[name]
    assert isinstance(entries, ArrayAttr)
    return entries.data


def _error(entry: Any) -> tuple[str, str]:
    assert isinstance(entry, DictionaryAttr)
    kind, message, line = (entry.data[name] for name in ("kind", "message", "line"))
    assert isinstance(kind, StringAttr) and isinstance(message, StringAttr)
    assert isinstance(line, IntegerAttr)
    return kind.data, message.data


@pytest.fixture(scope="session")
def compile_kernel() -> Callable[..., Kernel]:
    """`compile_kernel(text or module, passes=LEVEL_2)` gives a `Kernel`."""

    def compile_(source: str | ModuleOp, passes: Sequence[Entry] | None = None) -> Kernel:
        if isinstance(source, str):
            return Kernel(parse(source), LEVEL_2 if passes is None else passes)
        return Kernel(source, PIPELINE if passes is None else passes)

    return compile_


@pytest.fixture
def compiled() -> Callable[..., ModuleOp]:
    """`compiled(text, "canonicalize", "cse")`: the module after these passes, verified."""

    def compile_(text: str, *names: str) -> ModuleOp:
        context = OptMain(["/dev/null"]).ctx
        module = LocatingParser(context, text, "test.mlir").parse_module()
        module.verify()
        for name in names:
            load_pass(name)().apply(context, module)
        module.verify()
        return module

    return compile_
