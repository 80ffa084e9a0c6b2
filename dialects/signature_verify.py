"""Verification of an operation made from a signature, before its types are inferred.

Apart from the classes, because only `tt-opt`, DebugMode and tests verify.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import (
    DenseArrayBase,
    FloatAttr,
    IntegerAttr,
    IntegerType,
    MemRefType,
    StringAttr,
    TensorType,
    VectorType,
    i1,
)
from xdsl.ir import Attribute
from xdsl.utils.exceptions import VerifyException

from tetractys.dialects import types

if TYPE_CHECKING:
    from tetractys.dialects.build import SignatureOp


def _is_dtype(value: Attribute) -> bool:
    if isinstance(value, TensorType | MemRefType | VectorType):
        return False
    try:
        types.dtype_of(value)
    except ValueError:
        return False
    return True


def _is_integers(value: Attribute) -> bool:
    return isinstance(value, DenseArrayBase) and isinstance(value.elt_type, IntegerType)


def _is_int(value: Attribute) -> bool:
    return isinstance(value, IntegerAttr) and value.type != i1


def _is_bool(value: Attribute) -> bool:
    return isinstance(value, IntegerAttr) and value.type == i1


KINDS: Mapping[str, tuple[Callable[[Attribute], bool], str]] = {
    "dtype": (_is_dtype, "an element type, as f64"),
    "int": (_is_int, "an integer, as 1 : i64"),
    "ints": (_is_integers, "integers, as array<i64: 0, 1>"),
    "str": (lambda value: isinstance(value, StringAttr), 'a string, as "x"'),
    "bool": (_is_bool, "true or false"),
    "number": (lambda value: isinstance(value, FloatAttr | IntegerAttr), "a number, as 1.0 : f64"),
}
"""Kind of a property -> its predicate, and what to say is expected."""


def verify_properties(op: SignatureOp) -> None:
    """Every property is of the kind that the signature names."""
    for name, attribute in op.properties.items():
        kind = op.signature.props[name].rstrip("?")
        fits, expected = KINDS[kind]
        if not fits(attribute):
            raise VerifyException(
                f"{op.name}: found {name} = {attribute}; expected {expected}"
            )


def verify_elements(op: SignatureOp) -> None:
    """Arrays hold numbers: `index` is the type of sizes and loop counters, always a scalar."""
    for value in (*op.operands, *op.results):
        if isinstance(value.type, TensorType) and types.dtype_of(value.type) == "index":
            raise VerifyException(
                f"{op.name}: found {value.type}; expected an array of numbers; use i64 for sizes"
            )
