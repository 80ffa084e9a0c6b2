"""The heap type behind native functions: making it, and pointing its instances at machine code.

An instance carries two words behind those of its Python base: the vectorcall pointer at
`base.__basicsize__`, and the address of the state that the trampoline reads.  Nothing of CPython is
patched.  An instance that is closed, or torn down by the collector, points at `tt_closed`, which
raises: never at code or state that may be gone.
"""

from __future__ import annotations

import ctypes
from array import array
from functools import cache
from typing import Any

from tetractys.runtime import wrapper
from tetractys.runtime.layout import find
from tetractys.runtime.state import STATE_FIELDS, State
from tetractys.runtime.wrapper_main import CALL_SYMBOL, CLOSED_SYMBOL

_TPFLAGS = 1 << 18 | 1 << 10 | 1 << 11  # DEFAULT, BASETYPE, HAVE_VECTORCALL
_SLOT_MEMBERS, _SLOT_CALL = 72, 50
_T_PYSSIZET, _READONLY = 19, 1


class _Slot(ctypes.Structure):
    _fields_ = (("slot", ctypes.c_int), ("pfunc", ctypes.c_void_p))


class _Member(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("type", ctypes.c_int),
        ("offset", ctypes.c_ssize_t),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


class _Spec(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("basicsize", ctypes.c_int),
        ("itemsize", ctypes.c_int),
        ("flags", ctypes.c_uint),
        ("slots", ctypes.POINTER(_Slot)),
    )


_alive: list[Any] = []  # type specs and their texts: CPython keeps pointers into them


@cache
def native_type(base: type) -> Any:
    """The type derived from `base` whose instances are called through vectorcall."""
    find()
    offset = base.__basicsize__
    members = (_Member * 2)(_Member(b"__vectorcalloffset__", _T_PYSSIZET, offset, _READONLY, None))
    call = ctypes.cast(ctypes.pythonapi.PyVectorcall_Call, ctypes.c_void_p).value
    slots = (_Slot * 3)(
        _Slot(_SLOT_MEMBERS, ctypes.cast(members, ctypes.c_void_p).value), _Slot(_SLOT_CALL, call)
    )
    name = f"{base.__module__}.{base.__qualname__}".encode()
    spec = _Spec(name, offset + 16, 0, _TPFLAGS, slots)
    _alive.extend((members, slots, name, spec))
    make = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.py_object)(
        ("PyType_FromSpecWithBases", ctypes.pythonapi)
    )
    made = make(ctypes.addressof(spec), (base,))
    made.__doc__ = base.__doc__
    made.native_offset = offset
    return made


def prepare(base: type) -> None:
    """Starts to make the trampoline of `native_type(base)`'s instances in another thread."""
    wrapper.prepare(base.__basicsize__ + 8)


_owned: dict[int, tuple[Any, ...]] = {}
_NEXT = STATE_FIELDS.index("NEXT")


def own(function: Any, *resources: Any) -> None:
    """Keeps resources, the machine code first of all, until the function's finaliser disowns them.

    The collector runs the finalisers of a cycle in any order, and one of them may call a function
    of the cycle: code that only the cycle holds could be unloaded by then. So it is held from here,
    and the resources must not refer back to the function.
    """
    _owned[id(function)] = (*_owned.get(id(function), ()), *resources)


def states(function: Any) -> list[State]:
    """The states of a function's versions, the one used last first."""
    found = [one for one in _owned.get(id(function), ()) if isinstance(one, State)]
    offset = getattr(type(function), "native_offset", None)
    if offset is None:
        return []
    head = ctypes.c_int64.from_address(id(function) + offset + 8).value
    return sorted(found, key=lambda state: state.address != head)


def disown(function: Any) -> None:
    """Lets the resources of a function go; its calls lead to `tt_closed` by now."""
    _owned.pop(id(function), None)


@cache
def _closed_state() -> array[int]:
    """A state for closed functions: nothing in it but the table."""
    words = array("q", bytes(8 * len(STATE_FIELDS)))
    words[STATE_FIELDS.index("TABLE")] = find().table_address
    return words


def install(function: Any, base: type, state: State) -> None:
    """Points an instance of `native_type(base)` at the trampoline and its state."""
    offset = base.__basicsize__
    code = wrapper.load(offset + 8)
    words = (ctypes.c_int64 * 2).from_address(id(function) + offset)
    words[1] = state.address
    words[0] = code[CALL_SYMBOL]


def join(function: Any, state: State) -> None:
    """Puts the state of one more version into the function's ring, unless it is closed."""
    offset = type(function).native_offset
    head = ctypes.c_int64.from_address(id(function) + offset + 8).value
    if head == _closed_state().buffer_info()[0]:
        return
    link = ctypes.c_int64.from_address(head + 8 * _NEXT)
    state.link(link.value)
    link.value = state.address


def close(function: Any) -> None:
    """Points it at `tt_closed` for good; harmless where nothing is installed."""
    offset = getattr(type(function), "native_offset", None)
    if offset is None:
        return
    words = (ctypes.c_int64 * 2).from_address(id(function) + offset)
    if not words[0]:
        return  # CPython itself refuses the call
    code = wrapper.load(offset + 8)
    words[1] = _closed_state().buffer_info()[0]
    words[0] = code[CLOSED_SYMBOL]
