"""The call path in plain Python and ctypes: the same interface and the same results, some 10 us a
call.

It serves where the layout check fails (another Python, a free-threaded one) and, in the tests, as
the second opinion on the trampoline.  Locks are always taken here, for without a GIL nothing else
protects a short call.
"""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np

from tetractys.runtime.binding import bind_arguments
from tetractys.runtime.layout import CLEAN_MARK, CLOSED_TEXT
from tetractys.runtime.order import in_order
from tetractys.runtime.pack import is_clean, pack
from tetractys.runtime.spec import (
    STATUS_PYTHON_ERROR,
    VALUE_WORDS,
    WORD_ERROR,
    WORD_EXTERNS,
    WORD_THREADS,
    WORD_VALUES,
    WORD_WORKSPACE,
    KernelSpec,
    Operand,
)
from tetractys.runtime.state import flat_template
from tetractys.runtime.threads import resolve

if TYPE_CHECKING:
    from tetractys.runtime.callable import Function, Recipe

_PLAIN_SCALARS = {"float64": (float, int), "int64": (int,)}


class PythonEngine:
    """What one function needs to be called from Python; the counterpart of the trampoline's
    state.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.versions: list[PythonEngine] = []
        self.recipe = recipe
        self.spec: KernelSpec = recipe.spec
        self.cells = recipe.cells
        self.template = flat_template(self.spec, recipe.constants)
        self.template[WORD_EXTERNS] = recipe.externs.address
        keeps_gil = self.spec.gil_elements is None
        kind = ctypes.PYFUNCTYPE if keeps_gil else ctypes.CFUNCTYPE
        self.kernel = kind(ctypes.c_int32, ctypes.c_void_p)(recipe.externs.kernel)
        shape = recipe.code.shape if self.spec.has_shape else 0
        self.shape = ctypes.PYFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)(shape) if shape else None
        self.updated = [self.cells[index] for index in self.spec.update_cells]

    def run(self, function: Function, arrays: Sequence[np.ndarray]) -> Any:
        """One call with clean arrays."""
        if not self.updated:
            return self._run_locked(function, arrays)
        with ExitStack() as stack:
            for cell in sorted(self.updated, key=id):
                stack.enter_context(cell.lock)
            for cell in self.updated:  # a short call of the trampoline looks at `held` only
                cell.held = True
                stack.callback(setattr, cell, "held", None)
            return self._run_locked(function, arrays)

    def _run_locked(self, function: Function, arrays: Sequence[np.ndarray]) -> Any:
        spec = self.spec
        flat = array("q", self.template)
        flat[WORD_THREADS] = resolve(spec.threads)
        at = flat.buffer_info()[0]
        shared = [  # the cells that this call updates are its own by now
            pack(cell.value if cell in self.updated else cell.get(), operand)
            for cell, operand in zip(self.cells, spec.shareds, strict=False)
        ]
        for operand, offset, value in zip(
            spec.operands, spec.offsets, [*arrays, *shared], strict=False
        ):
            describe(flat, operand, offset, value)
        if self.shape is not None and (status := self.shape(at)):
            return self._fail(function, flat, status)
        results = self._results(flat)
        workspace = np.empty(flat[WORD_WORKSPACE] + 63, np.uint8) if flat[WORD_WORKSPACE] else None
        if workspace is not None:
            flat[WORD_WORKSPACE] = (workspace.ctypes.data + 63) & -64
        if status := self.kernel(at):
            return self._fail(function, flat, status)
        outputs = results[: len(spec.outputs)]
        for cell, value in zip(self.updated, results[len(spec.outputs) :], strict=True):
            cell.value = value
        return self._answer(outputs)

    def _results(self, flat: array[int]) -> list[np.ndarray]:
        """Fresh arrays of the sizes that stand in the flat block."""
        spec = self.spec
        first = len(spec.operands) - len(spec.outputs) - len(spec.updates)
        results: list[np.ndarray] = []
        for operand, offset in zip(spec.operands[first:], spec.offsets[first:], strict=True):
            result = np.empty(tuple(flat[offset + 1 : offset + 1 + operand.ndim]), operand.dtype)
            describe(flat, operand, offset, result)
            results.append(result)
        return results

    def _answer(self, outputs: list[np.ndarray]) -> Any:
        form = self.spec.output_form
        if form == "none":
            return None
        if form == "one":
            return outputs[0]
        return outputs if form == "list" else dict(zip(self.spec.output_keys, outputs, strict=True))

    def _fail(self, function: Function, flat: array[int], status: int) -> Any:
        if status == STATUS_PYTHON_ERROR:
            raise RuntimeError(
                f"{self.spec.name or 'kernel'}: a Python error was set outside of Python"
            )
        values = tuple(flat[WORD_VALUES : WORD_VALUES + VALUE_WORDS])
        return function.report(flat[WORD_ERROR] - 1, values, self.recipe)


def describe(flat: array[int], operand: Operand, offset: int, value: np.ndarray) -> None:
    """Writes an array's pointer, sizes and strides into its part of the flat block."""
    flat[offset] = value.__array_interface__["data"][0]
    shape = in_order(value.shape, operand.order, 1)
    strides = in_order(value.strides, operand.order, operand.itemsize)
    if operand.ndim:
        flat[offset + 1 : offset + operand.words] = array("q", shape + strides)


def accept(value: Any, operand: Operand) -> np.ndarray | None:
    """The array for an argument that the trampoline's fast path takes; None for what must go to the
    slow path.
    """
    if is_clean(value, operand):
        return value
    if operand.ndim:
        return None
    if type(value) is np.dtype(operand.dtype).type or type(value) in _PLAIN_SCALARS.get(
        operand.dtype, ()
    ):
        try:
            return np.array(value, operand.dtype)
        except OverflowError:
            return None
    return None


def call(function: Function, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """`function(*args, **kwargs)`."""
    engine: PythonEngine | None = function.engine
    if engine is None:
        raise RuntimeError(CLOSED_TEXT.decode())
    spec = engine.spec
    refuse = len(args) == len(spec.inputs) + 1 and args[-1] is CLEAN_MARK
    try:
        values = bind_arguments(
            spec, function.recipe.defaults, args[:-1] if refuse else args, kwargs
        )
    except TypeError:
        return function.slow_entry(*args, **kwargs)
    for version in (engine, *engine.versions):
        arrays = [accept(value, one) for value, one in zip(values, version.spec.inputs)]
        clean = [value for value in arrays if value is not None]
        if len(clean) == len(arrays):
            return version.run(function, clean)
    return function.refuse(*values) if refuse else function.slow_entry(*args, **kwargs)
