"""The block of words that drives the trampoline for one function, and the offsets of everything in
it.
"""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tetractys.runtime import threads
from tetractys.runtime.layout import Layout
from tetractys.runtime.order import FARTHEST, PACK_BYTES, order_word
from tetractys.runtime.spec import (
    HEADER_WORDS,
    WORD_ERROR,
    WORD_EXTERNS,
    WORD_STREAM,
    WORD_THREADS,
    WORD_WORKSPACE,
    KernelSpec,
    Operand,
)

if TYPE_CHECKING:
    from tetractys.runtime.callable import Recipe

STATE_FIELDS = (
    "TABLE KERNEL SHAPE FLAGS N_IN N_SHARED N_OUT N_UPD FORM N_OBJECTS SCRATCH_WORDS "
    "NUMBERS_AT ARGV_AT OBJECTS_AT ROWS_IN ROWS_SHARED ROWS_RESULT NAMES DEFAULTS KEYS CELLS "
    "UPDATE_CELLS UPDATE_CELLS_SORTED ACQUIRE RELEASE KEEP DONORS EXTERNS TEMPLATE TEMPLATE_BEGIN "
    "TEMPLATE_END LAST_RESULTS LAST_WORKSPACE GIL_ELEMENTS THREADS THREADS_AT SLOW REFUSE SETTLE "
    "RAISE ARENA NEXT CASTS_AT "
).split()
ROW_FIELDS = (
    "ROW_DESCR ROW_SCALAR ROW_ND ROW_MASK ROW_SLOT ROW_NUMS ROW_ITEMSIZE ROW_KIND "
    "ROW_ORDER ROW_WIDER ROW_MOST ROW_MOST_ROW"
).split()
ROW_SIZE = 8 * len(ROW_FIELDS)
FORMS = {"none": 0, "one": 1, "list": 2, "dict": 3}

KEEP_BYTES = 65536
"""Outputs up to this size are kept for the next call: it saves 50 ns, and pins this much memory."""

OVERWRITE_BYTES = 4096
"""Updates from this size on may be written over their old values: below, looking costs more (17 ns)
than a second buffer.
"""

RECYCLE_BYTES = 1 << 24
RECYCLE_MOST_BYTES = 1 << 29
"""Outputs of sizes between these are kept too, two of each: `y = f(x)` in a loop holds one while
the next is made. Memory that the system gives anew costs a page fault for each 4 KB or 2 MB; below
16 MB the C library has some that was used before.
"""

STREAM_BYTES = 1 << 25
"""Outputs from this size on may go past the caches, into memory that was used before: a bit of word
9 tells the kernel (LOOPS 7: 80 MB in 8 ms instead of 12.5).
"""

ARENA_KEEP_BYTES = 1 << 28
"""Workspaces beyond this size are given back after each call."""


def constants() -> dict[str, int]:
    """Offsets and numbers that the trampoline's text names, those of Python and NumPy apart."""
    values = {name: 8 * k for k, name in enumerate(STATE_FIELDS)}
    values |= {name: 8 * k for k, name in enumerate(ROW_FIELDS)}
    values |= {
        "ROW_NUM_A": values["ROW_NUMS"],
        "ROW_NUM_B": values["ROW_NUMS"] + 4,
        "ROW_SIZE": ROW_SIZE,
    }
    values |= {
        "FLAT_WORKSPACE": 8 * WORD_WORKSPACE,
        "FLAT_EXTERNS": 8 * WORD_EXTERNS,
        "FLAT_ERROR": 8 * WORD_ERROR,
        "FLAT_THREADS": 8 * WORD_THREADS,
        "FLAT_STREAM": 8 * WORD_STREAM,
        "STREAM_BYTES": STREAM_BYTES,
        "KEEP_BYTES": KEEP_BYTES,
        "OVERWRITE_BYTES": OVERWRITE_BYTES,
        "RECYCLE_BYTES": RECYCLE_BYTES,
        "RECYCLE_MOST_BYTES": RECYCLE_MOST_BYTES,
        "PACK_BYTES": PACK_BYTES,
        "FARTHEST": FARTHEST,
        "CARRAY_FLAGS": 0x1 | 0x100,
        "ARENA_KEEP_BYTES": ARENA_KEEP_BYTES,
    }
    return values | {f"FORM_{name.upper()}": number for name, number in FORMS.items()}


class State:
    """Owns the words, the kept buffers and the workspace; the function's recipe owns the objects.

    The words of `STATE_FIELDS` come first, then the arrays that they point to, all in one `array`.
    `callbacks` (SLOW, REFUSE, SETTLE, RAISE) are kept alive by the function, not here.
    """

    __slots__ = ("_free", "_keep", "_methods", "_n_keep", "_words", "address")

    def __init__(self, layout: Layout, recipe: Recipe, callbacks: dict[str, Any]) -> None:
        spec = recipe.spec
        self._keep = 0
        self._n_keep = 2 * (len(spec.outputs) + len(spec.updates))
        self._free = layout.free_functions
        self._words = array("q", bytes(8 * _state_words(spec)))
        self.address = self._words.buffer_info()[0]
        values = _numbers(spec) | {name: id(function) for name, function in callbacks.items()}
        values["TABLE"] = layout.table_address
        values["KERNEL"] = recipe.externs.kernel
        values["SHAPE"] = recipe.code.shape if spec.has_shape else 0
        values["EXTERNS"] = recipe.externs.address
        own_word = self.address + 8 * STATE_FIELDS.index("THREADS")
        values["THREADS_AT"] = threads.process_word() if spec.threads is None else own_word
        end = len(STATE_FIELDS)
        for name, words in self._arrays(layout, recipe).items():
            self._words[end : end + len(words)] = array("q", words)
            values[name] = self.address + 8 * end
            end += len(words)
        for index, name in enumerate(STATE_FIELDS):
            self._words[index] = values.get(name, 0)
        self._keep = (values["KEEP"] - self.address) // 8
        self.link(self.address)

    def _arrays(self, layout: Layout, recipe: Recipe) -> dict[str, list[int]]:
        """The arrays that fields point to, as words."""
        spec, cells = recipe.spec, recipe.cells
        n_in, n_shared, n_const = len(spec.inputs), len(spec.shareds), len(spec.constants)
        rows = [
            layout.row(operand, 8 * offset)
            for operand, offset in zip(spec.operands, spec.offsets, strict=True)
        ]
        updated = [cells[index] for index in spec.update_cells]
        in_order = sorted(updated, key=id)
        acquire = [cell.lock.acquire for cell in in_order]
        release = [cell.lock.release for cell in in_order]
        self._methods = (acquire, release)
        return {
            "ROWS_IN": [word for row in rows[:n_in] for word in row],
            "ROWS_SHARED": [word for row in rows[n_in : n_in + n_shared] for word in row],
            "ROWS_RESULT": [word for row in rows[n_in + n_shared + n_const :] for word in row],
            "NAMES": [id(operand.name) for operand in spec.inputs],
            "DEFAULTS": [0 if value is None else id(value) for value in recipe.defaults],
            "KEYS": [id(key) for key in spec.output_keys],
            "CELLS": [id(cell) for cell in cells],
            "UPDATE_CELLS": [id(cell) for cell in updated],
            "UPDATE_CELLS_SORTED": [id(cell) for cell in in_order],
            "ACQUIRE": [id(method) for method in acquire],
            "RELEASE": [id(method) for method in release],
            "KEEP": [0] * self._n_keep,
            "DONORS": donors(spec),
            "TEMPLATE": flat_template(spec, recipe.constants),
        }

    def link(self, following: int) -> None:
        """Names the state to be tried where this one's operands do not fit: a ring."""
        self._words[STATE_FIELDS.index("NEXT")] = following

    def release(self) -> None:
        """Drops the kept buffers and the workspace; later calls keep theirs again.

        A call of another thread may be running: it has references of its own and has taken the
        workspace. (Between a word's reading and its clearing no thread switches: there is no call.)
        """
        decref, free_raw = self._free
        for index in range(self._keep, self._keep + self._n_keep if self._keep else 0):
            kept, self._words[index] = self._words[index], 0
            if kept:
                decref(kept)
        arena_at = STATE_FIELDS.index("ARENA")
        arena, self._words[arena_at] = self._words[arena_at], 0
        if arena:
            free_raw(ctypes.c_void_p.from_address(arena - 8).value)

    def memory(self) -> dict[str, int]:
        """Bytes: of the last call's `results` and `workspace`, and `kept` for the next."""
        field = {name: self._words[STATE_FIELDS.index(name)] for name in STATE_FIELDS}
        arena = field["ARENA"]
        kept = ctypes.c_int64.from_address(arena - 16).value if arena else 0
        for address in self._words[self._keep : self._keep + self._n_keep]:
            kept += ctypes.cast(address, ctypes.py_object).value.nbytes if address else 0
        last = {"results": field["LAST_RESULTS"], "workspace": field["LAST_WORKSPACE"]}
        return last | {"kept": kept}

    def __del__(self) -> None:
        self.release()


def flat_template(spec: KernelSpec, constants: Sequence[np.ndarray]) -> list[int]:
    """The flat block with its constant words: constants, and ones as the sizes of results."""
    words = [0] * spec.flat_words
    first_constant = len(spec.inputs) + len(spec.shareds)
    for index, (operand, offset) in enumerate(zip(spec.operands, spec.offsets, strict=True)):
        k = index - first_constant
        if 0 <= k < len(spec.constants):
            value = constants[k]
            words[offset : offset + operand.words] = [
                value.ctypes.data,
                *value.shape,
                *value.strides,
            ]
        else:
            words[offset + 1 : offset + 1 + operand.ndim] = [1] * operand.ndim
    return words


def donors(spec: KernelSpec) -> list[int]:
    """For each result the operand whose memory it may take, -1 for none.

    An output may take an input's, an update that of the value it replaces: with anything else two
    owners would have one memory.
    """
    n_in, n_out = len(spec.inputs), len(spec.outputs)
    found = [-1] * (n_out + len(spec.updates))
    for result, operand in spec.inplace:
        if result < n_out:
            allowed = operand < n_in
        else:
            allowed = operand == n_in + spec.update_cells[result - n_out]
        if allowed:
            found[result] = operand
    return found


def _state_words(spec: KernelSpec) -> int:
    results = len(spec.outputs) + len(spec.updates)
    rows = len(spec.inputs) + len(spec.shareds) + results
    return (
        len(STATE_FIELDS)
        + len(ROW_FIELDS) * rows
        + 2 * len(spec.inputs)
        + len(spec.output_keys)
        + spec.n_cells
        + 4 * len(spec.updates)
        + 3 * results
        + spec.flat_words
    )


def _numbers(spec: KernelSpec) -> dict[str, int]:
    """The counts and sizes among the fields."""
    n_in, n_shared = len(spec.inputs), len(spec.shareds)
    n_out, n_upd = len(spec.outputs), len(spec.updates)
    n_objects = n_shared + 2 * (n_out + n_upd)  # shared values, results, replaced kept arrays
    begin = HEADER_WORDS + sum(operand.words for operand in (*spec.inputs, *spec.shareds))
    end = begin + sum(operand.words for operand in spec.constants)
    ranked = any(operand.ndim for operand in (*spec.outputs, *spec.updates))
    if not spec.has_shape and ranked:
        end = spec.flat_words
    return {
        "FLAGS": int(n_shared + n_upd > 0 or end > begin),
        "N_IN": n_in,
        "N_SHARED": n_shared,
        "N_OUT": n_out,
        "N_UPD": n_upd,
        "FORM": FORMS[spec.output_form],
        "N_OBJECTS": n_objects,
        "SCRATCH_WORDS": spec.flat_words + 3 * n_in + n_objects + 1,
        "NUMBERS_AT": spec.flat_words,
        "ARGV_AT": spec.flat_words + n_in,
        "CASTS_AT": spec.flat_words + 2 * n_in,
        "OBJECTS_AT": spec.flat_words + 3 * n_in,
        "TEMPLATE_BEGIN": begin,
        "TEMPLATE_END": end,
        "GIL_ELEMENTS": -1 if spec.gil_elements is None else spec.gil_elements,
        "THREADS": threads.resolve(spec.threads),
    }


def operand_row(
    operand: Operand, slot: int, descr: int, scalar: int, numbers: tuple[int, int], wider: int
) -> list[int]:
    """The words of one row (`ROW_FIELDS`)."""
    mask = sum(1 << d for d, flag in enumerate(operand.broadcast) if flag)
    kind = {"float64": 1, "int64": 2}.get(operand.dtype, 0)
    packed = numbers[0] | numbers[1] << 32
    order = order_word(operand.order)
    wide = wider if operand.widens else 0
    head = [descr, scalar, operand.array_ndim, mask, slot, packed, operand.itemsize, kind]
    return [*head, order, wide, operand.most_bytes, operand.most_row_bytes]
