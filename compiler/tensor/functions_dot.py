"""Products of vectors and matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tetractys.dialects import tensor_signatures as sigs
from tetractys.tensor.constants import as_tensor_variable, constant
from tetractys.tensor.functions_elemwise import mul
from tetractys.tensor.functions_shape import dimshuffle, flatten, make_vector, reshape, shape
from tetractys.tensor.native import apply_native

if TYPE_CHECKING:
    from tetractys.tensor.var import TensorVariable


def dot(a: Any, b: Any) -> TensorVariable:
    """The product over the last axis of `a` and the last but one of `b`, or its only one.

    With a scalar, multiplication. Beyond rank 2 the operands are reshaped to matrices.
    """
    first, second = as_tensor_variable(a), as_tensor_variable(b)
    ranks = (first.type.ndim, second.type.ndim)
    if 0 in ranks:
        return mul(first, second)
    if max(ranks) > 2:
        return _dot_of_arrays(first, second)
    return apply_native(sigs.DOT, [first, second])[0]


def _dot_of_arrays(first: TensorVariable, second: TensorVariable) -> TensorVariable:
    """`dot` with an operand of rank 3 or more, as a product of matrices (or a vector)."""
    summed = max(second.type.ndim - 2, 0)
    others = [axis for axis in range(second.type.ndim) if axis != summed]
    rows, columns = _sizes(first)[:-1], [_sizes(second)[axis] for axis in others]
    if first.type.ndim > 2:
        first = reshape(first, make_vector([_product(rows), _sizes(first)[-1]]), ndim=2)
    if second.type.ndim > 2:
        count = make_vector([_sizes(second)[summed], _product(columns)])
        second = reshape(dimshuffle(second, [summed, *others]), count, ndim=2)
    product = apply_native(sigs.DOT, [first, second])[0]
    return reshape(product, make_vector([*rows, *columns]), ndim=len(rows) + len(columns))


def _sizes(variable: TensorVariable) -> list[Any]:
    """The size of each dimension, the constant 1 where it is so by type."""
    return [
        constant(1, dtype="int64") if flag else shape(variable)[axis]
        for axis, flag in enumerate(variable.type.broadcastable)
    ]


def _product(sizes: list[Any]) -> Any:
    result = constant(1, dtype="int64")
    for size in sizes:
        result = result * size
    return result


def outer(x: Any, y: Any) -> TensorVariable:
    """The outer product of two vectors, a matrix."""
    first, second = as_tensor_variable(x), as_tensor_variable(y)
    first = first if first.type.ndim == 1 else flatten(first)
    second = second if second.type.ndim == 1 else flatten(second)
    return dot(dimshuffle(first, [0, "x"]), dimshuffle(second, ["x", 0]))


__all__ = ["dot", "outer"]
