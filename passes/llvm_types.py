"""Types at level 3: what a dialect type is in a register and in memory, and its name in intrinsics.

Integers are signless and `index` is i64; `bool` is i1 in registers and i8 in memory. Types are
interned, and these functions keep what they found by identity: see `by_identity`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import TypeVar, cast

from xdsl.dialects.builtin import (
    Float32Type,
    Float64Type,
    IndexType,
    IntegerType,
    VectorType,
    f32,
    i1,
    i8,
    i16,
    i32,
    i64,
)
from xdsl.ir import Attribute

LINE = 64
"""Bytes of a cache line."""
BITS = 64
"""The bits of an index: masks of fewer lanes can be shifted."""

_INTEGERS = {1: i1, 8: i8, 16: i16, 32: i32, 64: i64}
_Convert = TypeVar("_Convert", bound=Callable[..., object])


def by_identity(function: _Convert) -> _Convert:
    """A cache for a function of one or two attributes or numbers, keyed by which objects they are.

    Hashing a type takes several microseconds, and lowering asks thousands of times.
    """
    known: dict[tuple[int, object], tuple[object, tuple[object, ...]]] = {}

    @wraps(function)
    def cached(first: object, *second: object) -> object:
        number = second[0] if second else None
        key = id(first), number if number is None or type(number) is int else id(number)
        found = known.get(key)
        if found is None:
            if len(known) > 10_000:
                known.clear()
            found = known[key] = function(first, *second), (first, second)  # they stay alive
        return found[0]

    return cast(_Convert, cached)


@cache
def integer(width: int) -> IntegerType:
    """A signless integer type."""
    return _INTEGERS.get(width) or IntegerType(width)


@by_identity
def llvm_type(type_: Attribute) -> Attribute:
    """The register type of a scalar or vector type of ours: signless, `index` as i64."""
    if isinstance(type_, VectorType):
        return vector_of(llvm_type(type_.element_type), type_.get_shape()[0])
    if isinstance(type_, IndexType):
        return i64
    if isinstance(type_, IntegerType):
        return _INTEGERS.get(type_.width.data, type_)
    return _interned(type_)


@cache
def _interned(type_: Attribute) -> Attribute:
    return type_


@by_identity
def memory_type(type_: Attribute) -> Attribute:
    """The type in memory: `i1` is a byte there."""
    if isinstance(type_, VectorType):
        return vector_of(memory_type(type_.element_type), type_.get_shape()[0])
    register = llvm_type(type_)
    return i8 if register == i1 else register


@by_identity
def vector_of(type_: Attribute, lanes: int) -> Attribute:
    """`lanes` elements of an LLVM scalar type; the type itself for 0."""
    return _vector(_interned(type_), lanes) if lanes else _interned(type_)


@cache
def _vector(type_: Attribute, lanes: int) -> Attribute:
    return VectorType(type_, [lanes])


def element_of(type_: Attribute) -> Attribute:
    """The element of a vector type; a scalar type is its own."""
    return type_.element_type if type(type_) is VectorType else type_


@by_identity
def itemsize(type_: Attribute) -> int:
    """Bytes of one element in memory."""
    scalar = memory_type(element_of(type_))
    if isinstance(scalar, IntegerType):
        return scalar.width.data // 8
    return 4 if scalar == f32 else 8


@by_identity
def mangled(type_: Attribute) -> str:
    """A type in an intrinsic's name: `f64`, `v8f64`, `i64`, `p0`."""
    if isinstance(type_, VectorType):
        return f"v{type_.get_shape()[0]}{mangled(type_.element_type)}"
    if isinstance(type_, IntegerType):
        return f"i{type_.width.data}"
    if isinstance(type_, Float32Type | Float64Type):
        return "f32" if isinstance(type_, Float32Type) else "f64"
    return "p0"
