"""Facades of the operations that make arrays and change shapes, with Theano's class names."""

from __future__ import annotations

from typing import Any

from tetractys.dialects import tensor_signatures as sigs
from tetractys.dialects.signature import Signature
from tetractys.graph.op import Op
from tetractys.tensor.native import NativeOp, facade


class Shape(NativeOp):
    """The sizes of an array."""

    def __init__(self) -> None:
        super().__init__(sigs.SHAPE, {})


class Reshape(NativeOp):
    """The elements under another shape of `ndim` dimensions."""

    def __init__(self, ndim: int, ones: tuple[int, ...] = ()) -> None:
        super().__init__(sigs.RESHAPE_TO, {"ndim": ndim, "ones": ones})
        self.ndim = ndim

    def __str__(self) -> str:
        return f"Reshape{{{self.ndim}}}"


class MakeVector(NativeOp):
    """A vector of scalars."""

    def __init__(self, dtype: str = "int64") -> None:
        super().__init__(sigs.MAKE_VECTOR, {"dtype": dtype})
        self.dtype = dtype

    def __str__(self) -> str:
        return f"MakeVector{{dtype={self.dtype!r}}}"


class Alloc(NativeOp):
    """A value broadcast to the sizes that follow; `ones` are the dimensions known to be 1."""

    def __init__(self, ones: tuple[int, ...] = ()) -> None:
        super().__init__(sigs.ALLOC, {"ones": ones})


class ARange(NativeOp):
    """start, start + step, ... below stop."""

    def __init__(self, dtype: str) -> None:
        super().__init__(sigs.ARANGE, {"dtype": dtype})
        self.dtype = dtype

    def __str__(self) -> str:
        return f"ARange{{dtype={self.dtype!r}}}"


class Dot(NativeOp):
    """Product of vectors and matrices."""

    def __init__(self) -> None:
        super().__init__(sigs.DOT, {})

    def __str__(self) -> str:
        return "dot"


class Softmax(NativeOp):
    """Softmax of each row."""

    def __init__(self) -> None:
        super().__init__(sigs.SOFTMAX, {})


class LogSoftmax(NativeOp):
    """Logarithm of the softmax of each row."""

    def __init__(self) -> None:
        super().__init__(sigs.LOG_SOFTMAX, {})


@facade("tensor.reshape_to")
def _make_reshape(signature: Signature, props: dict[str, Any]) -> Op:
    return Reshape(props["ndim"], props["ones"])


@facade("tensor.make_vector")
def _make_vector(signature: Signature, props: dict[str, Any]) -> Op:
    return MakeVector(props["dtype"])


@facade("tensor.alloc")
def _make_alloc(signature: Signature, props: dict[str, Any]) -> Op:
    return Alloc(props["ones"])


@facade("tensor.arange")
def _make_arange(signature: Signature, props: dict[str, Any]) -> Op:
    return ARange(props["dtype"])


for _signature, _kind in (
    (sigs.SHAPE, Shape),
    (sigs.DOT, Dot),
    (sigs.SOFTMAX, Softmax),
    (sigs.LOG_SOFTMAX, LogSoftmax),
):
    facade(_signature.name)(lambda signature, props, kind=_kind: kind())  # type: ignore[misc]
