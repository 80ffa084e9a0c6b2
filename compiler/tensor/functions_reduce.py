"""Reductions of the front end: `sum`, `mean`, `max`, `argmax`, `var`, ... (THEANO_SEMANTICS D4)."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from tetractys.dialects import tensor_signatures as sigs
from tetractys.dialects.signature import DISCRETE
from tetractys.graph.variable import Constant, Variable
from tetractys.tensor.constants import as_tensor_variable, constant
from tetractys.tensor.elemwise import reduce_op
from tetractys.tensor.functions_elemwise import (
    abs_,
    cast,
    invert,
    maximum,
    neg,
    neq,
    pow,
    sqrt,
    sub,
    true_div,
)
from tetractys.tensor.functions_shape import dimshuffle, shape
from tetractys.tensor.known import known_int
from tetractys.tensor.native import apply_native
from tetractys.tensor.type import dtype_name

if TYPE_CHECKING:
    from tetractys.tensor.var import TensorVariable

_WIDE = {
    "bool": "int64",
    "int8": "int64",
    "int16": "int64",
    "int32": "int64",
    "uint8": "uint64",
    "uint16": "uint64",
    "uint32": "uint64",
}


def _axes(variable: Variable, axis: Any) -> tuple[int, ...] | None:
    """`axis` as sorted non-negative axes; None for all.

    Raises ValueError for one out of range, TypeError for what is no integer.
    """
    if axis is None:
        return None
    if isinstance(axis, Variable):
        known = axis.data if isinstance(axis, Constant) else known_int(axis)
        if known is None:
            raise TypeError(
                f"axis: found the symbolic {axis}; expected a number known when the graph is built"
            )
        axis = known
    listed = np.atleast_1d(np.asarray(axis, dtype=object)).tolist()
    rank = variable.type.ndim
    for item in listed:
        if not hasattr(item, "__index__"):
            kind = type(item).__name__
            raise TypeError(f"axis: found {item!r} of type {kind}; expected an integer")
        if not -rank <= item < rank:
            raise ValueError(f"Not enough dimensions on {variable} to reduce on axis {item}")
    return tuple(sorted({operator.index(item) % rank for item in listed}))


def _all_axes(variable: Variable) -> tuple[int, ...]:
    return tuple(range(variable.type.ndim))


def _keep_dims(source: Variable, reduced: Variable, axes: tuple[int, ...] | None) -> TensorVariable:
    """`reduced` with the axes it lost put back as broadcastable ones."""
    lost = _all_axes(source) if axes is None else axes
    order: list[Any] = []
    position = 0
    for axis in range(source.type.ndim):
        if axis in lost:
            order.append("x")
        else:
            order.append(position)
            position += 1
    return dimshuffle(reduced, order)


def _accumulate(
    kind: str, value: Any, axis: Any, dtype: Any, keepdims: bool, acc_dtype: Any
) -> TensorVariable:
    """Sum or product: dtype of the result and of the accumulator as Theano chooses them."""
    variable = as_tensor_variable(value)
    axes = _axes(variable, axis)
    own = variable.type.dtype
    result = _WIDE.get(own, own) if dtype is None else dtype_name(dtype)
    if acc_dtype is None:
        accumulator = "float64" if own == "float32" else _WIDE.get(own, own)
    else:
        accumulator = dtype_name(acc_dtype)
    op = reduce_op(kind, _all_axes(variable) if axes is None else axes, axes, result, accumulator)
    reduced = op.make_node(variable).outputs[0]
    return _keep_dims(variable, reduced, axes) if keepdims else reduced


def sum(
    input: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, acc_dtype: Any = None
) -> TensorVariable:
    """Sum over `axis`; small integers give int64, float32 adds up in float64."""
    return _accumulate("add", input, axis, dtype, keepdims, acc_dtype)


def prod(
    input: Any,
    axis: Any = None,
    dtype: Any = None,
    keepdims: bool = False,
    acc_dtype: Any = None,
    no_zeros_in_input: bool = False,
) -> TensorVariable:
    """Product over `axis`; dtypes as for `sum`."""
    return _accumulate("mul", input, axis, dtype, keepdims, acc_dtype)


def mean(
    input: Any,
    axis: Any = None,
    dtype: Any = None,
    op: bool = False,
    keepdims: bool = False,
    acc_dtype: Any = None,
) -> TensorVariable:
    """Mean over `axis`: of integers in float64, of floats in their dtype."""
    variable = as_tensor_variable(input)
    axes = _axes(variable, axis)
    total = sum(variable, axis=axis, dtype=dtype, keepdims=keepdims, acc_dtype=acc_dtype)
    sizes = cast(shape(variable), "float32" if total.type.dtype == "float32" else "float64")
    for position in _all_axes(variable) if axes is None else axes:
        total = true_div(total, sizes[position])
    if total.type.dtype in DISCRETE:  # a scalar: nothing was divided
        total = cast(total, "float64")
    total.name = "mean"
    return total


def var(
    input: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False, corrected: bool = False
) -> TensorVariable:
    """Variance over `axis`, the mean of squared distances from the mean; `ddof` lessens the count.

    corrected: the rounding error of the mean is taken out as well.
    """
    variable = as_tensor_variable(input)
    if not isinstance(ddof, int):
        raise ValueError(f"Parameter keepdims must be an integer, got {ddof!r}")
    axes = _axes(variable, axis)
    listed = _all_axes(variable) if axes is None else axes
    centered = sub(variable, mean(variable, listed, keepdims=True))
    two = constant(2, dtype=centered.type.dtype)
    squares = pow(centered, two)
    if ddof == 0:
        result = mean(squares, listed, keepdims=keepdims)
    else:
        counts = cast(shape(variable), centered.type.dtype)
        count = counts[listed[0]]
        for position in listed[1:]:
            count = count * counts[position]
        result = true_div(sum(squares, axis=listed, keepdims=keepdims), sub(count, ddof))
    if corrected:
        error = pow(mean(centered, listed, keepdims=keepdims), two)
        result = sub(result, error)
    result.name = "var"
    return result


def std(
    input: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False, corrected: bool = False
) -> TensorVariable:
    """The square root of `var`."""
    result = sqrt(var(input, axis, ddof=ddof, keepdims=keepdims, corrected=corrected))
    result.name = "std"
    return result


def max_and_argmax(input: Any, axis: Any = None, keepdims: bool = False) -> list[TensorVariable]:
    """The largest value over `axis` and its first position (in row-major order of these axes)."""
    variable = as_tensor_variable(input)
    axes = _axes(variable, axis)
    listed = _all_axes(variable) if axes is None else axes
    largest, position = apply_native(sigs.MAX_AND_ARGMAX, [variable], {"axes": listed})
    largest.name, position.name = "max", "argmax"
    if keepdims:
        return [_keep_dims(variable, result, axes) for result in (largest, position)]
    return [largest, position]


def max(input: Any, axis: Any = None, keepdims: bool = False) -> TensorVariable:
    """The largest value over `axis`; NaN if one is."""
    return max_and_argmax(input, axis, keepdims)[0]


def argmax(input: Any, axis: Any = None, keepdims: bool = False) -> TensorVariable:
    """The position, int64, of the first largest value over `axis`."""
    return max_and_argmax(input, axis, keepdims)[1]


def _reversed(variable: Variable) -> TensorVariable:
    """An order-reversing map without overflow: negation of floats, complement of the others."""
    return invert(variable) if variable.type.dtype in DISCRETE else neg(variable)


def min(input: Any, axis: Any = None, keepdims: bool = False) -> TensorVariable:
    """The smallest value over `axis`; NaN if one is."""
    variable = as_tensor_variable(input)
    return _reversed(max(_reversed(variable), axis, keepdims))


def argmin(input: Any, axis: Any = None, keepdims: bool = False) -> TensorVariable:
    """The position, int64, of the first smallest value over `axis`."""
    return argmax(_reversed(as_tensor_variable(input)), axis, keepdims)


def _logical(kind: str, value: Any, axis: Any, keepdims: bool) -> TensorVariable:
    variable = as_tensor_variable(value)
    if variable.type.dtype != "bool":
        variable = neq(variable, 0)
    axes = _axes(variable, axis)
    op = reduce_op(kind, _all_axes(variable) if axes is None else axes, axes)
    reduced = op.make_node(variable).outputs[0]
    return _keep_dims(variable, reduced, axes) if keepdims else reduced


def all(x: Any, axis: Any = None, keepdims: bool = False) -> TensorVariable:
    """Whether all elements over `axis` are true (not 0)."""
    return _logical("and", x, axis, keepdims)


def any(x: Any, axis: Any = None, keepdims: bool = False) -> TensorVariable:
    """Whether any element over `axis` is true (not 0)."""
    return _logical("or", x, axis, keepdims)


def ptp(a: Any, axis: Any = None) -> TensorVariable:
    """The largest minus the smallest value over `axis`."""
    variable = as_tensor_variable(a)
    result = sub(max(variable, axis), min(variable, axis))
    result.name = "ptp"
    return result


def norm(value: Any, L: Any, axis: Any = None, keepdims: bool = False) -> TensorVariable:
    """The L-norm, `sum(|x| ** L) ** (1 / L)`; L = 0 counts what is not 0, inf takes the largest."""
    variable = as_tensor_variable(value)
    if L == 0:
        return sum(neq(variable, 0), axis=axis, keepdims=keepdims)
    if L == float("inf"):
        return max(abs_(variable), axis=axis, keepdims=keepdims)
    return pow(sum(pow(abs_(variable), L), axis=axis, keepdims=keepdims), 1.0 / L)


def largest(*values: Any) -> TensorVariable:
    """The largest of several arrays, element by element."""
    result: Any = values[0]
    for value in values[1:]:
        result = maximum(result, value)
    return as_tensor_variable(result)


__all__ = [
    "all",
    "any",
    "argmax",
    "argmin",
    "largest",
    "max",
    "max_and_argmax",
    "mean",
    "min",
    "norm",
    "prod",
    "ptp",
    "std",
    "sum",
    "var",
]
