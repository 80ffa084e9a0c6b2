"""Offsets and addresses of CPython's and NumPy's C level, each checked against this very process.

The trampoline reads objects through these offsets. They are ABI (public inline accessors of both
projects use them), yet nothing is taken on trust: `find` compares every field with what Python says
about probe objects, and raises `LayoutError` where one differs; functions then go by the plain
ctypes path. Runs in half a millisecond.
"""

from __future__ import annotations

import ctypes
import importlib
import sys
from array import array
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from tetractys.runtime.cell import Cell
from tetractys.runtime.spec import ITEMSIZE, Operand

PYTHON_FUNCTIONS = (
    "Py_IncRef",
    "Py_DecRef",
    "PyTuple_Size",
    "PyList_New",
    "PyList_SetItem",
    "PyDict_New",
    "PyDict_SetItem",
    "PyLong_AsDouble",
    "PyLong_AsLongLongAndOverflow",
    "PyLong_FromLongLong",
    "PyObject_Vectorcall",
    "PyErr_Occurred",
    "PyErr_Clear",
    "PyErr_NoMemory",
    "PyErr_SetString",
    "PyEval_SaveThread",
    "PyEval_RestoreThread",
    "PyMem_RawMalloc",
    "PyMem_RawFree",
)
PYTHON_OBJECTS: dict[str, Any] = {
    "None": None,
    "True": True,
    "False": False,
    "PyFloat_Type": float,
    "PyLong_Type": int,
    "PyList_Type": list,
    "PyTuple_Type": tuple,
    "CLOSED_ERROR": RuntimeError,
    "UINT8": np.dtype("uint8"),
}
ARRAY_API = {
    "PyArray_Type": 2,
    "PyArray_FromAny": 69,
    "PyArray_NewFromDescr": 94,
    "PyArray_FromArray": 109,
    "PyArray_SetBaseObject": 282,
}
ARRAY_OFFSETS = {
    "DATA": 0,
    "ND": 8,
    "DIMS": 16,
    "STRIDES": 24,
    "BASE": 32,
    "DESCR": 40,
    "FLAGS": 48,
    "WEAK": 56,
}
OWN_FLAGS = 0x1 | 0x4 | 0x100 | 0x400
"""C-contiguous, own data, aligned, writeable."""
DONOR_FLAGS = 0x1 | 0x100 | 0x400
"""The same, but for whose data it is."""


class LayoutError(RuntimeError):
    """This Python or NumPy is laid out in a way that the native call path does not know."""


class CleanMark:
    """The last argument of a call from `call_clean`: the arguments before it must not go to the
    slow path again.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "<clean arguments>"


CLEAN_MARK = CleanMark()
CLOSED_TEXT = b"function: called after it was closed; expected a live compiled function"


class Layout(NamedTuple):
    """What the trampoline must know of this process. `values`: its named offsets; the table holds
    addresses.
    """

    values: dict[str, int]
    table: array[int]
    dtypes: dict[str, tuple[int, int, tuple[int, int], int]]
    free_functions: tuple[Any, Any]
    keep: tuple[Any, ...]

    @property
    def table_address(self) -> int:
        """Address of the table of types, objects and functions."""
        return self.table.buffer_info()[0]

    def row(self, operand: Operand, slot: int) -> list[int]:
        """The trampoline's row of an operand whose part of the flat block starts at byte `slot`."""
        from tetractys.runtime.state import operand_row

        return operand_row(operand, slot, *self.dtypes[operand.dtype])


@cache
def find() -> Layout:
    """The layout of this process. Raises `LayoutError` (a cached success, a repeated search
    otherwise).
    """
    require(sys.implementation.name == "cpython", "not CPython")
    require(ctypes.sizeof(ctypes.c_void_p) == 8, "not a 64-bit process")
    require("free-threading" not in sys.version, "a free-threaded Python")
    size = object.__basicsize__
    api = _array_api()
    _check_objects(size)
    _check_arrays(size)
    _check_cell(size)
    table, offsets = _table(api)
    values = {f"ARRAY_{name}": size + offset for name, offset in ARRAY_OFFSETS.items()} | offsets
    values |= {
        "OBJECT_SIZE": size,
        "OBJECT_TYPE": size - 8,
        "OBJECT_REFCOUNT": 0 if sys.byteorder == "little" else 4,
        "TUPLE_ITEMS": tuple.__basicsize__,
        "DESCR_ORDER": size + 10,
        "DESCR_NUM": size + 12,
        "FOREIGN_ORDER": ord(">" if sys.byteorder == "little" else "<"),
        "OWN_FLAGS": OWN_FLAGS,
        "DONOR_FLAGS": DONOR_FLAGS,
        "CELL_VALUE": _slot_offset(Cell, "value", size),
        "CELL_HELD": _slot_offset(Cell, "held", size),
    }
    python = ctypes.pythonapi
    decref = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)(("Py_DecRef", python))
    free = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)(("PyMem_RawFree", python))
    dtypes = {name: _dtype_row(name) for name in ITEMSIZE}
    return Layout(values, table, dtypes, (decref, free), (CLOSED_TEXT, CLEAN_MARK))


def require(condition: bool, what: str) -> None:
    """Raises `LayoutError` unless the condition holds."""
    if not condition:
        raise LayoutError(f"native call path: {what} found; functions go by the plain Python path")


def _word(address: int) -> int:
    return ctypes.c_int64.from_address(address).value


def _int32(address: int) -> int:
    return ctypes.c_int32.from_address(address).value


def _array_api() -> int:
    """Address of NumPy's function table, its versions and types checked before any function is
    called.
    """
    umath = importlib.import_module("numpy._core._multiarray_umath")

    capsule = umath._ARRAY_API
    name = ctypes.PYFUNCTYPE(ctypes.c_char_p, ctypes.py_object)(
        ("PyCapsule_GetName", ctypes.pythonapi)
    )
    pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", ctypes.pythonapi)
    )
    api = pointer(capsule, name(capsule))
    require(_word(api + 8 * 2) == id(np.ndarray), "an unknown order of NumPy's function table")
    require(_word(api + 8 * 3) == id(np.dtype), "an unknown order of NumPy's function table")
    require(_word(api + 8 * 31) == id(np.float64), "an unknown order of NumPy's function table")
    version = ctypes.PYFUNCTYPE(ctypes.c_uint)(_word(api))()
    require(version >> 24 in (1, 2), f"NumPy's ABI version {version:#x}")
    return api


def _check_objects(size: int) -> None:
    """Heads of objects, values of floats and of NumPy's scalars, items of tuples, reference
    counts.
    """
    probe = 1234.5
    require(_word(id(probe) + size - 8) == id(float), "an unknown object head")
    require(
        ctypes.c_double.from_address(id(probe) + size).value == probe, "an unknown layout of float"
    )
    pair = (probe, size)
    require(_word(id(pair) + tuple.__basicsize__) == id(probe), "an unknown layout of tuple")
    for name in ITEMSIZE:
        scalar = np.dtype(name).type(1)
        stored = ctypes.string_at(id(scalar) + size, scalar.nbytes)
        require(stored == scalar.tobytes(), f"an unknown layout of numpy.{name}")
    fresh = object()
    before = _int32(id(fresh))
    other = [fresh]
    require(_int32(id(fresh)) == before + 1, "an unknown layout of reference counts")
    del other


def _check_arrays(size: int) -> None:
    """Every field of arrays of several kinds against what Python says of them."""
    base = np.arange(24.0).reshape(4, 6)
    odd = np.zeros(17, dtype=np.uint8)[1:].view(np.float64)
    probes = (
        base,
        base[::-2, 1::2],
        np.array(3.5),
        np.empty((0, 3), np.int32),
        base.astype(">i4"),
        odd,
    )
    for probe in probes:
        at = id(probe) + size
        nd = _int32(at + 8)
        require(nd == probe.ndim, "an unknown layout of arrays (rank)")
        dims, strides = _word(at + 16), _word(at + 24)
        shape = tuple(_word(dims + 8 * d) for d in range(nd))
        steps = tuple(_word(strides + 8 * d) for d in range(nd))
        require(_word(at) == probe.ctypes.data, "an unknown layout of arrays (data)")
        require(
            shape == probe.shape and steps == probe.strides, "an unknown layout of arrays (sizes)"
        )
        require(
            _word(at + 32) == (0 if probe.base is None else id(probe.base)),
            "an unknown layout of arrays (base)",
        )
        require(_word(at + 40) == id(probe.dtype), "an unknown layout of arrays (dtype)")
        require(_int32(at + 48) == probe.flags.num, "an unknown layout of arrays (flags)")
        require(_word(at + 56) == 0, "an unknown layout of arrays (weak references)")
    import weakref

    reference = weakref.ref(base)
    require(
        _word(id(base) + size + 56) == id(reference),
        "an unknown layout of arrays (weak references)",
    )
    for name in (*ITEMSIZE, ">i4", "longlong"):
        dtype = np.dtype(name)
        require(_int32(id(dtype) + size + 12) == dtype.num, "an unknown layout of dtypes")
        order = ctypes.c_char.from_address(id(dtype) + size + 10).value
        require(order == dtype.byteorder.encode(), "an unknown layout of dtypes")


def _slot_offset(cls: type, name: str, size: int) -> int:
    """Byte offset of a `__slots__` member, found on a probe that holds a value of its own there."""
    probe, mark = cls(None), object()
    setattr(probe, name, mark)
    for offset in range(size, cls.__basicsize__, 8):
        if _word(id(probe) + offset) == id(mark):
            return offset
    raise LayoutError(f"native call path: no slot {name} found in {cls.__name__}")


def _check_cell(size: int) -> None:
    require(
        _slot_offset(Cell, "value", size) != _slot_offset(Cell, "held", size),
        "an unknown layout of slots",
    )


def _table(api: int) -> tuple[array[int], dict[str, int]]:
    """The table of addresses and the byte offset of every name in it."""
    entries = {name: id(value) for name, value in PYTHON_OBJECTS.items()}
    entries |= {name: _word(api + 8 * index) for name, index in ARRAY_API.items()}
    for name in PYTHON_FUNCTIONS:
        entries[name] = ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value or 0
    entries["CLEAN_MARK"] = id(CLEAN_MARK)
    entries["CLOSED_TEXT"] = ctypes.cast(ctypes.c_char_p(CLOSED_TEXT), ctypes.c_void_p).value or 0
    return array("q", entries.values()), {name: 8 * k for k, name in enumerate(entries)}


def _dtype_row(name: str) -> tuple[int, int, tuple[int, int], int]:
    """Descriptor, scalar type, the type numbers that mean this dtype (two where C has two names for
    it), and a bit for the number of each dtype that widens to it, itself among them.
    """
    dtype = np.dtype(name)
    smaller = [np.dtype(code) for code in "?bhilqBHILQfd"]
    wider = sum(1 << one.num for one in smaller if np.promote_types(one, dtype) == dtype)
    twins = [np.dtype(code) for code in "lqLQ" if np.dtype(code) == dtype]
    numbers = (dtype.num, next((twin.num for twin in twins if twin.num != dtype.num), dtype.num))
    return id(dtype), id(dtype.type), numbers, wider
