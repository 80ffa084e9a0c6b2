"""`tensor.nnet`: activation functions, softmax, cross-entropies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tetractys.dialects import tensor_signatures as sigs
from tetractys.dialects.signature import FLOATS, INTEGERS
from tetractys.tensor import functions_elemwise as elementwise
from tetractys.tensor.constants import as_tensor_variable
from tetractys.tensor.functions_elemwise import sigmoid, softplus
from tetractys.tensor.functions_index import index
from tetractys.tensor.functions_reduce import sum as sum_
from tetractys.tensor.functions_shape import arange, dimshuffle, shape
from tetractys.tensor.native import apply_native
from tetractys.tensor.shaping import LogSoftmax, Softmax
from tetractys.tensor.type import TensorType

if TYPE_CHECKING:
    from tetractys.tensor.var import TensorVariable


def _rows(value: Any) -> TensorVariable:
    """`value` as a matrix of floats; a vector as a matrix of one row."""
    variable = as_tensor_variable(value)
    if variable.type.dtype not in FLOATS or variable.type.ndim not in (1, 2):
        raise ValueError(f"x must be 1-d or 2-d tensor of floats. Got {variable.type}")
    return dimshuffle(variable, ["x", 0]) if variable.type.ndim == 1 else variable


def softmax(c: Any) -> TensorVariable:
    """exp(x) / sum(exp(x)) of each row; of a vector a matrix of one row, as in Theano."""
    return apply_native(sigs.SOFTMAX, [_rows(c)])[0]


def logsoftmax(c: Any) -> TensorVariable:
    """log(softmax(x)) of each row, without overflow; of a vector a matrix of one row."""
    return apply_native(sigs.LOG_SOFTMAX, [_rows(c)])[0]


def relu(x: Any, alpha: Any = 0) -> TensorVariable:
    """max(x, alpha * x), written 0.5 * (x + |x|) where alpha is 0, so that its gradient at 0 is
    0.5."""
    x = as_tensor_variable(x)
    if isinstance(alpha, (int, float)) and alpha == 0:
        return 0.5 * (x + elementwise.abs_(x))
    alpha = as_tensor_variable(alpha)
    return 0.5 * (1 + alpha) * x + 0.5 * (1 - alpha) * elementwise.abs_(x)


def binary_crossentropy(output: Any, target: Any) -> TensorVariable:
    """-(target * log(output) + (1 - target) * log(1 - output)), element by element."""
    output, target = as_tensor_variable(output), as_tensor_variable(target)
    return -(target * elementwise.log(output) + (1.0 - target) * elementwise.log(1.0 - output))


def sigmoid_binary_crossentropy(output: Any, target: Any) -> TensorVariable:
    """`binary_crossentropy(sigmoid(output), target)` without overflow."""
    output, target = as_tensor_variable(output), as_tensor_variable(target)
    return target * softplus(-output) + (1.0 - target) * softplus(output)


def categorical_crossentropy(coding_dist: Any, true_dist: Any) -> TensorVariable:
    """Cross-entropy of each row: with a distribution a row, or with the class's number a row.

    coding_dist: a matrix of probabilities. true_dist: a matrix, or a vector of integers.
    """
    coding, true = as_tensor_variable(coding_dist), as_tensor_variable(true_dist)
    if true.type.ndim == coding.type.ndim:
        return -sum_(true * elementwise.log(coding), axis=coding.type.ndim - 1)
    if true.type.ndim != coding.type.ndim - 1:
        raise TypeError("rank mismatch between coding and true distributions")
    if true.type.dtype not in INTEGERS:
        raise TypeError(
            "integer vector required for argument: true_one_of_n"
            f"(got type: {true.type} instead of: {TensorType('int64', (False,))})"
        )
    if coding.type.ndim != 2:
        raise TypeError(f"matrix required for argument: coding_dist (got type: {coding.type})")
    rows = arange(shape(true)[0])
    return -elementwise.log(index(coding, (rows, true)))


__all__ = [
    "LogSoftmax",
    "Softmax",
    "binary_crossentropy",
    "categorical_crossentropy",
    "logsoftmax",
    "relu",
    "sigmoid",
    "sigmoid_binary_crossentropy",
    "softmax",
    "softplus",
]
