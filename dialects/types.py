"""dtype names, light specs and xDSL types: one table, interned.

`bool` is `i1`, `int32` `i32`, `uint8` `ui8`, `float64` `f64`, and `index` is itself. A `Spec` of
rank 0 is `tensor<f64>` at level 1.
"""

from __future__ import annotations

from functools import cache, lru_cache

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    FileLineColLoc,
    IndexType,
    IntAttr,
    IntegerType,
    LocationAttr,
    MemRefType,
    Signedness,
    StringAttr,
    TensorType,
    VectorType,
    f32,
    f64,
    i1,
    i8,
    i16,
    i32,
    i64,
)
from xdsl.ir import Attribute

from tetractys.dialects.signature import DYNAMIC, Spec

_ELEMENTS: dict[str, Attribute] = {
    "bool": i1, "int8": i8, "int16": i16, "int32": i32, "int64": i64,
    **{f"uint{bits}": IntegerType(bits, Signedness.UNSIGNED) for bits in (8, 16, 32, 64)},
    "float32": f32, "float64": f64, "index": IndexType(),
}  # fmt: skip
_NAMES = {element: name for name, element in _ELEMENTS.items()}


def element_type(dtype: str) -> Attribute:
    """The xDSL type of one element of `dtype`."""
    return _ELEMENTS[dtype]


class UnknownDtypeError(ValueError):
    """A type whose elements are of no dtype of ours."""


def element_names() -> list[str]:
    """The element types of ours, as IR spells them."""
    return [str(type_) for type_ in _NAMES]


_known: dict[int, tuple[str, Attribute]] = {}


def dtype_of(type_: Attribute) -> str:
    """The dtype name of a scalar, vector, tensor or memref type; UnknownDtypeError for any other.

    What was found is kept by identity: hashing a type costs 3 us, and each operation is asked.
    """
    found = _known.get(id(type_))
    if found is None:
        if len(_known) > 10_000:
            _known.clear()
        found = _known[id(type_)] = _dtype_of(type_), type_  # the type stays alive
    return found[0]


def _dtype_of(type_: Attribute) -> str:
    if isinstance(type_, TensorType | VectorType | MemRefType):
        type_ = type_.element_type
    try:
        return _NAMES[type_]
    except KeyError:
        raise UnknownDtypeError(f"type {type_}: found no dtype of ours; expected one of "
                                f"{', '.join(element_names())}") from None


@cache
def tensor_type(spec: Spec) -> TensorType[Attribute]:
    """The tensor type of a spec."""
    dtype, shape = spec
    sizes = [DYNAMIC_INDEX if size == DYNAMIC else size for size in shape]
    return TensorType(_ELEMENTS[dtype], sizes)


@cache
def spec_of(type_: Attribute) -> Spec:
    """The spec of a tensor type, or of a scalar or vector type (rank 0)."""
    if isinstance(type_, TensorType | MemRefType):
        shape = type_.get_shape()
        return dtype_of(type_), tuple(DYNAMIC if n == DYNAMIC_INDEX else n for n in shape)
    return dtype_of(type_), ()


@cache
def vector_of(element: Attribute, lanes: int) -> VectorType[Attribute]:
    """The type of `lanes` elements in one register, interned: making one costs 40 us."""
    return VectorType(element, [lanes])


@lru_cache(maxsize=4096)
def location(file: str, line: int) -> LocationAttr:
    """The location of a line of the user's program."""
    return FileLineColLoc(StringAttr(file), IntAttr(line), IntAttr(0))
