"""Products of vectors and matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tetractys.dialects import tensor_signatures as sigs
from tetractys.tensor.constants import as_tensor_variable
from tetractys.tensor.functions_elemwise import mul
from tetractys.tensor.functions_shape import dimshuffle, flatten
from tetractys.tensor.native import apply_native

if TYPE_CHECKING:
    from tetractys.tensor.var import TensorVariable


def dot(a: Any, b: Any) -> TensorVariable:
    """The product of vectors and matrices; with a scalar, multiplication."""
    first, second = as_tensor_variable(a), as_tensor_variable(b)
    ranks = (first.type.ndim, second.type.ndim)
    if 0 in ranks:
        return mul(first, second)
    if max(ranks) > 2:
        raise NotImplementedError(
            f"dot: found operands of ranks {ranks[0]} and {ranks[1]}; expected at most 2; "
            "reshape them to matrices, multiply, and reshape the result"
        )
    return apply_native(sigs.DOT, [first, second])[0]


def outer(x: Any, y: Any) -> TensorVariable:
    """The outer product of two vectors, a matrix."""
    first, second = as_tensor_variable(x), as_tensor_variable(y)
    first = first if first.type.ndim == 1 else flatten(first)
    second = second if second.type.ndim == 1 else flatten(second)
    return dot(dimshuffle(first, [0, "x"]), dimshuffle(second, ["x", 0]))


__all__ = ["dot", "outer"]
