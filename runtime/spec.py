"""What the compiler tells the runtime about one kernel: operands, results, errors, and the flat
block's layout.

A `KernelSpec` is plain data: it goes to JSON and back (the object cache keeps it beside the object
code), and it is all that the call path knows of a function.  The *flat block* is the one argument
of compiled code, an array of 64-bit words: a header of `HEADER_WORDS` words, then for every
operand, in the order inputs, shared values, constants, outputs, updates, its data pointer, its dims
and its strides in bytes (`1 + 2 * ndim` words).
"""

from __future__ import annotations

import sys
from functools import cached_property
from typing import Any, Literal, NamedTuple

ABI_VERSION = 1
"""Number of the flat ABI; part of every cache key."""

HEADER_WORDS = 16
WORD_WORKSPACE = 0
WORD_EXTERNS = 1
WORD_ERROR = 2
WORD_VALUES = 3
VALUE_WORDS = 5
WORD_THREADS = 8
WORD_STREAM = 9

STATUS_PYTHON_ERROR = -1
"""Status of a kernel that has set a Python exception itself (needs the GIL:
`gil_elements=None`).
"""

DEFAULT_GIL_ELEMENTS = 20_000
"""Elements of all operands from which a call drops the GIL: about 20 us of elementwise work."""

ITEMSIZE = {
    "bool": 1,
    "int8": 1,
    "int16": 2,
    "int32": 4,
    "int64": 8,
    "uint8": 1,
    "uint16": 2,
    "uint32": 4,
    "uint64": 8,
    "float32": 4,
    "float64": 8,
}
"""Bytes of an element, for every dtype that compiled code knows."""

MAX_BYTES = (1 << 63) - 1

OutputForm = Literal["none", "one", "list", "dict"]
Order = tuple[int, ...]
"""Which dimension of an array stands at which place of the operand; empty: each at its own."""


# Named tuples: a frozen dataclass takes 0.8 ms to define, and these are on the way to every call.


class _Operand(NamedTuple):
    dtype: str
    ndim: int
    broadcast: tuple[bool, ...]
    name: str | None
    kind: str
    order: Order
    widens: bool
    most_bytes: int
    most_row_bytes: int


class Operand(_Operand):
    """One array of a kernel; `broadcast[d]` says that dimension `d` has size 1 by type.

    `order`: the kernel is given the array with its dimensions permuted: dimension `d` of the
    operand is dimension `order[d]` of the array, or one of size 1 that the array does not have
    (see `runtime.order`). `widens`: arrays of smaller dtypes, and lists, are taken too: their
    numbers are all numbers of this dtype (as NumPy promotes). `most_bytes`, `most_row_bytes`:
    larger arrays of this order, or of more bytes for each index of the dense dimension, are packed.
    """

    __slots__ = ()

    def __new__(
        cls,
        dtype: str,
        ndim: int,
        broadcast: tuple[bool, ...] = (),
        name: str | None = None,
        kind: str = "input",
        order: Order = (),
        widens: bool = False,
        most_bytes: int = MAX_BYTES,
        most_row_bytes: int = MAX_BYTES,
    ) -> Operand:
        """Raises TypeError for a dtype, ValueError for a number of flags that cannot be."""
        if dtype not in ITEMSIZE:
            raise TypeError(
                f"runtime operand: dtype {dtype!r}; expected one of {', '.join(ITEMSIZE)}"
            )
        flags = tuple(bool(b) for b in broadcast) or (False,) * ndim
        if len(flags) != ndim:
            raise ValueError(f"runtime operand: {len(flags)} broadcast flags; expected {ndim}")
        # the trampoline compares keywords by identity
        return super().__new__(
            cls,
            dtype,
            ndim,
            flags,
            None if name is None else sys.intern(name),
            kind,
            tuple(order),
            widens,
            most_bytes,
            most_row_bytes,
        )

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return ITEMSIZE[self.dtype]

    @property
    def array_ndim(self) -> int:
        """The rank of the arrays that it is given."""
        return self.ndim - (-1 in self.order)

    @property
    def words(self) -> int:
        """Words of the flat block that describe this operand."""
        return 1 + 2 * self.ndim


class ErrorEntry(NamedTuple):
    """One error that compiled code can report: a Python exception's name and a format string over
    {0}..{4}.

    apply: the number of the graph's Apply; -1 where only the line is known.
    """

    kind: str
    message: str
    file: str | None = None
    line: int | None = None
    op: str | None = None
    apply: int = -1


class _KernelSpec(NamedTuple):
    inputs: tuple[Operand, ...] = ()
    shareds: tuple[Operand, ...] = ()
    constants: tuple[Operand, ...] = ()
    outputs: tuple[Operand, ...] = ()
    updates: tuple[Operand, ...] = ()
    update_cells: tuple[int, ...] = ()
    output_form: OutputForm = "list"
    output_keys: tuple[str, ...] = ()
    externs: tuple[str, ...] = ()
    errors: tuple[ErrorEntry, ...] = ()
    has_shape: bool = True
    inplace: tuple[tuple[int, int], ...] = ()
    gil_elements: int | None = DEFAULT_GIL_ELEMENTS
    threads: int | None = None
    name: str | None = None


class KernelSpec(_KernelSpec):
    """All that the call path knows of a compiled function.

    `updates[k]` is the operand that replaces the value of cell `update_cells[k]`. The cells given
    to `make_callable` are those of `shareds`, in order, then the ones that are only written.
    `inplace`: pairs (result, operand), a call may pass that input's or shared value's memory for
    the result's. `threads`: how many a call may use; None: the process' number at the time of the
    call.
    """

    def __init__(self, *fields: object, **named: object) -> None:
        """Takes the fields of the tuple; raises ValueError where they contradict each other."""
        if len(self.updates) != len(self.update_cells):
            raise ValueError("kernel spec: one cell index for each update expected")
        if len(set(self.update_cells)) != len(self.update_cells):
            raise ValueError("kernel spec: a cell is updated twice")
        if self.output_form == "one" and len(self.outputs) != 1:
            raise ValueError(
                f"kernel spec: {len(self.outputs)} outputs; expected 1 for the form 'one'"
            )
        if self.output_form == "none" and self.outputs:
            raise ValueError("kernel spec: outputs given; expected none for the form 'none'")
        if self.output_form == "dict" and len(self.output_keys) != len(self.outputs):
            raise ValueError("kernel spec: one key for each output expected")
        if not self.has_shape:
            self._refuse_unknown_sizes()

    def _refuse_unknown_sizes(self) -> None:
        for operand in (*self.outputs, *self.updates):
            if not all(operand.broadcast):
                raise ValueError(
                    "kernel spec: has_shape=False with a result whose sizes are not all 1; "
                    "expected a tt_shape function"
                )

    @cached_property
    def operands(self) -> tuple[Operand, ...]:
        """All operands in the order of the flat block."""
        return self.inputs + self.shareds + self.constants + self.outputs + self.updates

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """Word index of each operand's data pointer, in the order of `operands`."""
        return operand_offsets(self.operands)

    @cached_property
    def flat_words(self) -> int:
        """Words of the whole flat block."""
        return HEADER_WORDS + sum(operand.words for operand in self.operands)

    @cached_property
    def n_cells(self) -> int:
        """Number of shared cells: those read, then those only written."""
        return max([len(self.shareds), *(cell + 1 for cell in self.update_cells)])

    def to_json(self) -> dict[str, Any]:
        """A dictionary that `json.dumps` takes and `from_json` reads back."""
        groups = ("inputs", "shareds", "constants", "outputs", "updates", "errors")
        listed = {name: [entry._asdict() for entry in getattr(self, name)] for name in groups}
        return self._asdict() | listed

    def dumps(self) -> str:
        """The spec as JSON text."""
        import json

        return json.dumps(self.to_json(), separators=(",", ":"))

    @classmethod
    def from_json(cls, data: dict[str, Any] | str) -> KernelSpec:
        """The inverse of `to_json` and `dumps`."""
        import json

        values: dict[str, Any] = dict(json.loads(data) if isinstance(data, str) else data)
        for key in ("inputs", "shareds", "constants", "outputs", "updates"):
            values[key] = tuple(
                Operand(**{**operand, "broadcast": tuple(operand["broadcast"])})
                for operand in values[key]
            )
        values["errors"] = tuple(ErrorEntry(**entry) for entry in values["errors"])
        for key in ("update_cells", "output_keys", "externs"):
            values[key] = tuple(values[key])
        values["inplace"] = tuple(tuple(pair) for pair in values.get("inplace", ()))
        return cls(**values)


def operand_offsets(operands: tuple[Operand, ...]) -> tuple[int, ...]:
    """Word index in the flat block of each operand's data pointer (its dims follow, then its
    strides).
    """
    offsets: list[int] = []
    word = HEADER_WORDS
    for operand in operands:
        offsets.append(word)
        word += operand.words
    return tuple(offsets)
