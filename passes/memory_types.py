"""The memrefs that `bufferize` makes: of arguments, of contiguous arrays, of parts of arrays."""

from __future__ import annotations

from xdsl.dialects.builtin import MemRefType, NoneAttr, StridedLayoutAttr, TensorType
from xdsl.ir import Attribute

from tetractys.dialects.loops import SubviewOp
from tetractys.dialects.loops_views import AT
from tetractys.passes.llvm_types import by_identity


@by_identity
def argument_type(type_: TensorType[Attribute]) -> MemRefType[Attribute]:
    """An argument's array: any strides but a dense last dimension."""
    shape = type_.get_shape()
    if not shape:
        return MemRefType(type_.element_type, [])
    strides = [NoneAttr()] * (len(shape) - 1)
    return MemRefType(type_.element_type, shape, StridedLayoutAttr([*strides, 1]))


@by_identity
def buffer_type(type_: Attribute) -> MemRefType[Attribute]:
    """A contiguous array, or the place of a scalar."""
    if isinstance(type_, TensorType):
        return MemRefType(type_.element_type, type_.get_shape())
    return MemRefType(type_, [])


def view_type(view: SubviewOp) -> MemRefType[Attribute]:
    """A part of an array in memory: strides are known where they are counted in elements."""
    known = strides_of(view.source.type)
    strides = [
        None if stride is None or not isinstance(entry.step, int) else stride * entry.step
        for stride, entry in zip(known, view.part)
        if entry.kind != AT
    ]
    type_ = view.out.type
    shown = [NoneAttr() if stride is None else stride for stride in strides]
    return MemRefType(type_.element_type, type_.get_shape(), StridedLayoutAttr(shown))


def strides_of(type_: Attribute) -> list[int | None]:
    """The elements between neighbours along each dimension, None where not known."""
    assert isinstance(type_, MemRefType)
    layout, rank = type_.layout, type_.get_num_dims()
    if not isinstance(layout, StridedLayoutAttr):
        return [*[None] * (rank - 1), 1][:rank]
    return [
        None if isinstance(stride, NoneAttr) else stride.data for stride in layout.strides.data
    ]


def is_dense(type_: Attribute) -> bool:
    """Whether neighbours along the last dimension are neighbours in memory."""
    return strides_of(type_)[-1] == 1
