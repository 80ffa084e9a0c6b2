"""What an operation is, without any IR: name, arity, properties, type inference.

A signature is the one definition of an operation. The symbolic graph applies signatures to
variables, the gradient rules are keyed by them, and the IRDL classes of the dialects are made from
them. Nothing here imports xDSL, so that building a graph, or starting from a cached object, costs
no compiler import.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TypeAlias

import numpy as np

DYNAMIC = -1
"""A size known at run time only."""

Spec: TypeAlias = tuple[str, tuple[int, ...]]
"""An array type: (dtype name, shape); 1 broadcasts, `DYNAMIC` is any size."""

Props: TypeAlias = Mapping[str, object]
DtypeRule: TypeAlias = Callable[[Sequence[str], Props], str]
InferRule: TypeAlias = Callable[[Sequence[Spec], Props], list[Spec]]

FLOATS = ("float32", "float64")
SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
INTEGERS = SIGNED + UNSIGNED
DISCRETE = ("bool", *INTEGERS)
DTYPES = (*DISCRETE, *FLOATS)
"""Every dtype of an array. Level 2 adds `index`, the type of sizes and of loop counters."""


class InferError(ValueError):
    """Operands whose shapes do not fit an operation."""


class InferTypeError(TypeError):
    """Operands whose dtypes an operation does not take."""


@cache
def upcast(first: str, *others: str) -> str:
    """The dtype that holds all of `first` and `others` (NumPy's promotion of arrays, Theano D2)."""
    result = first
    for other in others:
        if result == other:
            continue
        if "index" in (result, other):
            raise InferTypeError(
                f"index and {other} do not mix; expected an explicit elemwise.cast"
            )
        result = np.promote_types(result, other).name
    return result


def bytes_of(dtype: str) -> int:
    """The bytes of one element in memory."""
    return {"bool": 1, "index": 8}.get(dtype) or int(dtype.lstrip("uintfloa")) // 8


def is_float(dtype: str) -> bool:
    """Whether `dtype` is a floating-point one."""
    return dtype in FLOATS


class Signature:
    """The definition of one operation.

    name: dialect-qualified, `elemwise.add`.
    arity: number of operands, None for any number.
    infer: result specs from operand specs and properties; raises `InferError`, `InferTypeError`.
    props: property name -> kind, one of `dtype int ints str bool number`; a `?` suffix marks an
        optional one. Values are plain Python: a dtype's name, an int, a tuple of ints, ...
    """

    def __init__(
        self,
        name: str,
        arity: int | None,
        infer: InferRule,
        props: Mapping[str, str] | None = None,
        doc: str = "",
        commutative: bool = False,
    ) -> None:
        self.name = name
        self.arity = arity
        self.infer = infer
        self.props: Mapping[str, str] = props or {}
        self.doc = doc
        self.commutative = commutative

    @property
    def short(self) -> str:
        """The name without its dialect: `add`."""
        return self.name.partition(".")[2]

    def check_arity(self, found: int) -> None:
        """Raises InferTypeError unless `found` operands are what the operation takes."""
        if self.arity is not None and found != self.arity:
            raise InferTypeError(
                f"{self.name}: found {found} operands; expected {self.arity}; "
                "pass exactly as many as the operation takes"
            )

    def __repr__(self) -> str:
        return f"<signature {self.name}>"


class ElemwiseSignature(Signature):
    """An operation on scalars, applied element by element.

    dtype_rule gives the dtype of the result from those of the operands.
    machine: made by lowering passes only; the graph has no such operation.
    """

    def __init__(
        self,
        name: str,
        arity: int | None,
        infer: InferRule,
        props: Mapping[str, str] | None = None,
        doc: str = "",
        commutative: bool = False,
        dtype_rule: DtypeRule = lambda dtypes, props: upcast(*dtypes),
        machine: bool = False,
    ) -> None:
        super().__init__(name, arity, infer, props, doc, commutative)
        self.dtype_rule = dtype_rule
        self.machine = machine


def broadcast_shapes(name: str, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The shape of an elementwise result: equal ranks, and only a static 1 broadcasts."""
    rank = len(shapes[0])
    if any(len(shape) != rank for shape in shapes):
        ranks = ", ".join(str(len(shape)) for shape in shapes)
        raise InferError(f"{name}: found operands of ranks {ranks}; expected equal ranks; "
                         "use dimshuffle to add broadcastable dimensions")
    return tuple(_broadcast_size(name, axis, sizes) for axis, sizes in enumerate(zip(*shapes)))


def _broadcast_size(name: str, axis: int, sizes: tuple[int, ...]) -> int:
    result = 1
    for size in sizes:
        if size in (1, result):
            continue
        if result in (1, DYNAMIC):
            result = size
        elif size != DYNAMIC:
            raise InferError(f"{name}: found sizes {result} and {size} in dimension {axis}; "
                             "expected equal sizes; only a static size 1 broadcasts")
    return result


def elemwise(
    name: str,
    arity: int,
    dtype_rule: DtypeRule,
    doc: str,
    *,
    props: Mapping[str, str] | None = None,
    commutative: bool = False,
    machine: bool = False,
) -> ElemwiseSignature:
    """Defines an elementwise operation `elemwise.<name>`."""

    full = f"elemwise.{name}"

    def infer(operands: Sequence[Spec], found: Props) -> list[Spec]:
        signature.check_arity(len(operands))
        shape = broadcast_shapes(full, [spec[1] for spec in operands]) if operands else ()
        return [(dtype_rule([spec[0] for spec in operands], found), shape)]

    signature = ElemwiseSignature(
        full, arity, infer, props or {}, doc, commutative, dtype_rule, machine
    )
    return signature
