"""Functions that make arrays and change shapes: `dimshuffle`, `reshape`, `alloc`, `arange`, ..."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tetractys.configparser import config
from tetractys.dialects import tensor_signatures as sigs
from tetractys.dialects.signature import INTEGERS, upcast
from tetractys.graph.variable import Constant, Variable
from tetractys.tensor.constants import as_tensor_variable, constant
from tetractys.tensor.elemwise import dimshuffle_op
from tetractys.tensor.functions_elemwise import cast, second
from tetractys.tensor.known import known_int, vector_length
from tetractys.tensor.native import apply_native
from tetractys.tensor.type import dtype_name

if TYPE_CHECKING:
    from tetractys.tensor.var import TensorVariable


def shape(value: Any) -> TensorVariable:
    """The sizes of `value`, an int64 vector."""
    variable = value if isinstance(value, Variable) else as_tensor_variable(value)
    return apply_native(sigs.SHAPE, [variable])[0]


def dimshuffle(value: Any, pattern: Sequence[Any]) -> TensorVariable:
    """Dimensions of `value` in the order of `pattern`; 'x' inserts a broadcastable one.

    Raises ValueError for a dimension named twice, out of range, or dropped without being
    broadcastable; TypeError for an entry that is no axis.
    """
    variable = as_tensor_variable(value)
    flags = variable.type.broadcastable
    order: list[int] = []
    for position, axis in enumerate(pattern):
        if isinstance(axis, str) and axis == "x":
            order.append(-1)
            continue
        if not hasattr(axis, "__index__"):
            raise TypeError(
                f"DimShuffle indices must be python ints. Got: '{axis}' of type '{type(axis)}'."
            )
        axis = operator.index(axis)  # pyright: ignore[reportArgumentType]
        if not 0 <= axis < len(flags):
            raise ValueError(
                f"new_order[{position}] is {axis}, but the input only has {len(flags)} axes."
            )
        if axis in order:
            raise ValueError(
                "The same input dimension may not appear twice in the list of output dimensions",
                tuple(pattern),
            )
        order.append(axis)
    if any(axis not in order and not flag for axis, flag in enumerate(flags)):
        raise ValueError(
            "You cannot drop a non-broadcastable dimension.", (list(flags), tuple(pattern))
        )
    return dimshuffle_op(tuple(order)).node([variable]).outputs[0]


def transpose(value: Any, axes: Sequence[int] | None = None) -> TensorVariable:
    """Dimensions reversed, or in the order of `axes`; named `x.T` after a named variable."""
    variable = as_tensor_variable(value)
    order = range(variable.type.ndim - 1, -1, -1) if axes is None else axes
    result = dimshuffle(variable, list(order))
    if variable.name and axes is None:
        result.name = f"{variable.name}.T"
    return result


def swapaxes(value: Any, axis1: int, axis2: int) -> TensorVariable:
    """Two dimensions exchanged."""
    variable = as_tensor_variable(value)
    order = list(range(variable.type.ndim))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return dimshuffle(variable, order)


def shape_padleft(value: Any, n_ones: int = 1) -> TensorVariable:
    """`n_ones` broadcastable dimensions put in front."""
    variable = as_tensor_variable(value)
    return dimshuffle(variable, ["x"] * n_ones + list(range(variable.type.ndim)))


def shape_padright(value: Any, n_ones: int = 1) -> TensorVariable:
    """`n_ones` broadcastable dimensions put behind."""
    variable = as_tensor_variable(value)
    return dimshuffle(variable, list(range(variable.type.ndim)) + ["x"] * n_ones)


def shape_padaxis(value: Any, axis: int) -> TensorVariable:
    """A broadcastable dimension put at `axis`."""
    variable = as_tensor_variable(value)
    rank = variable.type.ndim + 1
    if not -rank <= axis < rank:
        raise IndexError(f"axis {axis} is out of bounds [-{rank}, {rank})")
    order: list[Any] = list(range(rank - 1))
    order.insert(axis % rank, "x")
    return dimshuffle(variable, order)


def squeeze(value: Any) -> TensorVariable:
    """Broadcastable dimensions dropped."""
    variable = as_tensor_variable(value)
    return dimshuffle(
        variable, [axis for axis, flag in enumerate(variable.type.broadcastable) if not flag]
    )


def reshape(value: Any, newshape: Any, ndim: int | None = None) -> TensorVariable:
    """The elements of `value` in row-major order under `newshape`; one size may be -1.

    newshape: sizes, symbolic or not, or an integer vector; a vector of unknown length needs `ndim`.
    """
    variable = as_tensor_variable(value)
    sizes = _shape_vector(newshape)
    if ndim is None:
        try:
            ndim = vector_length(sizes)
        except ValueError:
            raise ValueError(
                f"The length of the provided shape ({newshape}) cannot be automatically "
                f"determined, so "
                "Tetractys is not able to know what the number of dimensions of the reshaped "
                "variable will "
                "be. You can provide the 'ndim' keyword argument to 'reshape' to avoid this "
                "problem."
            ) from None
    else:
        _check_ndim(sizes, ndim)
    ones = tuple(axis for axis, size in enumerate(_known_sizes(sizes, ndim)) if size == 1)
    return apply_native(sigs.RESHAPE_TO, [variable, sizes], {"ndim": ndim, "ones": ones})[0]


def _check_ndim(sizes: Variable, ndim: int) -> None:
    """Raises ValueError where `ndim` cannot be the length of `sizes`."""
    if not isinstance(ndim, int):
        raise ValueError(f"Expected ndim to be an integer, is {type(ndim)}")
    try:
        length = vector_length(sizes)
    except ValueError:
        return
    if length != ndim:
        raise ValueError(
            f"reshape: found {length} sizes and ndim={ndim}; expected ndim to be their number"
        )


def _shape_vector(newshape: Any) -> TensorVariable:
    """`newshape` as an integer vector."""
    if isinstance(newshape, (list, tuple)):
        if not newshape:
            return constant([], dtype="int64")
        if any(isinstance(size, Variable) for size in newshape):
            vector = make_vector(newshape)
        else:
            vector = constant(newshape)
    else:
        vector = as_tensor_variable(newshape)
    if vector.type.ndim != 1:
        raise TypeError(
            "New shape in reshape must be a vector or a list/tuple of scalar. Got "
            f"{vector} after conversion to a vector."
        )
    if vector.type.dtype not in INTEGERS:
        raise TypeError("Shape must be integers", vector, vector.type.dtype)
    return vector


def _known_sizes(sizes: Variable, ndim: int) -> list[int | None]:
    if isinstance(sizes, Constant):
        return [int(size) for size in sizes.data]
    owner = sizes.owner
    name = owner.op.signature.name if owner is not None and owner.op.signature is not None else ""
    if owner is not None and name == "tensor.make_vector":
        return [known_int(size) for size in owner.inputs]
    if owner is not None and name == "tensor.shape":
        return [1 if flag else None for flag in owner.inputs[0].type.broadcastable]
    return [None] * ndim


def make_vector(scalars: Sequence[Any], dtype: str | None = None) -> TensorVariable:
    """A vector of scalars, each cast to the common dtype."""
    variables = [as_tensor_variable(scalar) for scalar in scalars]
    common = dtype or upcast(*(variable.type.dtype for variable in variables))
    operands = [cast(variable, common) for variable in variables]
    return apply_native(sigs.MAKE_VECTOR, operands, {"dtype": common})[0]


def flatten(value: Any, ndim: int | None = None, outdim: int | None = None) -> TensorVariable:
    """The trailing dimensions made one, so that `ndim` (default 1) remain."""
    variable = as_tensor_variable(value)
    if ndim is None:
        ndim = 1 if outdim is None else outdim
    rank = variable.type.ndim
    if not 1 <= ndim <= max(rank, 1):
        raise ValueError(f"ndim {ndim} out of bound [1, {rank + 1})")
    flags = variable.type.broadcastable
    if ndim == 1:
        sizes = _shape_vector((-1,))
    else:
        leading = shape(variable)[: ndim - 1]
        sizes = _shape_vector((*(leading[axis] for axis in range(ndim - 1)), -1))
    merged = [*flags[: ndim - 1], all(flags[ndim - 1 :])]
    ones = tuple(axis for axis, flag in enumerate(merged) if flag)
    return apply_native(sigs.RESHAPE_TO, [variable, sizes], {"ndim": ndim, "ones": ones})[0]


def alloc(value: Any, *sizes: Any) -> TensorVariable:
    """`value` broadcast to `sizes`; a constant size 1 makes a broadcastable dimension."""
    variable = as_tensor_variable(value)
    scalars: list[Variable] = []
    for position, size in enumerate(sizes):
        scalar = as_tensor_variable(size)
        if scalar.type.dtype not in INTEGERS or scalar.type.ndim:
            raise TypeError(
                f"Shape arguments to Alloc must be integers, but argument {position} is not "
                f"for apply node: {scalar}"
            )
        scalars.append(scalar)
    if variable.type.ndim > len(scalars):
        raise TypeError(
            "The Alloc value to use has more dimensions than the specified dimensions",
            variable.type.ndim,
            len(scalars),
        )
    ones = tuple(axis for axis, size in enumerate(scalars) if known_int(size) == 1)
    return apply_native(sigs.ALLOC, [variable, *scalars], {"ones": ones})[0]


def _sizes(sizes: Any) -> list[Any]:
    """A shape as a list of sizes: from a list, a number, or a vector of known length."""
    if isinstance(sizes, Variable):
        vector = as_tensor_variable(sizes)
        scalar = vector.type.ndim == 0
        return [vector] if scalar else [vector[at] for at in range(vector_length(vector))]
    return list(sizes) if hasattr(sizes, "__len__") else [sizes]


def zeros(shape: Any, dtype: Any = None) -> TensorVariable:
    """Zeros in floatX, or in `dtype`."""
    return alloc(constant(0, dtype=dtype_name(dtype or config.floatX)), *_sizes(shape))


def ones(shape: Any, dtype: Any = None) -> TensorVariable:
    """Ones in floatX, or in `dtype`."""
    return alloc(constant(1, dtype=dtype_name(dtype or config.floatX)), *_sizes(shape))


def zeros_like(model: Any, dtype: Any = None, opt: bool = False) -> TensorVariable:
    """Zeros in the shape of `model`."""
    return _full_like(model, 0, dtype)


def ones_like(model: Any, dtype: Any = None, opt: bool = False) -> TensorVariable:
    """Ones in the shape of `model`."""
    return _full_like(model, 1, dtype)


def _full_like(model: Any, value: int, dtype: Any) -> TensorVariable:
    variable = as_tensor_variable(model)
    name = variable.type.dtype if dtype is None else dtype_name(dtype)
    return second(variable, constant(value, dtype=name))


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> TensorVariable:
    """start, start + step, ... below stop; integers give int64, other dtypes their common one."""
    if stop is None:
        start, stop = 0, start
    operands = [as_tensor_variable(bound) for bound in (start, stop, step)]
    if any(operand.type.ndim for operand in operands):
        raise TypeError(
            f"arange: found a bound of {max(operand.type.ndim for operand in operands)} "
            "dimensions; expected scalars"
        )
    if dtype is None:
        dtype = upcast(*(operand.type.dtype for operand in operands))
        dtype = "int64" if dtype in INTEGERS and not dtype.startswith("u") else dtype
        dtype = "uint64" if dtype.startswith("u") else dtype
    return apply_native(sigs.ARANGE, operands, {"dtype": dtype_name(dtype)})[0]


def stack(*tensors: Any, axis: int = 0) -> TensorVariable:
    """Scalars as a vector. Arrays of higher rank wait for `join`."""
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        tensors = tuple(tensors[0])
    if not tensors:
        raise ValueError("stack: found no tensors; expected at least one")
    variables = [as_tensor_variable(tensor) for tensor in tensors]
    if any(variable.type.ndim for variable in variables):
        raise NotImplementedError(
            f"stack: found an operand of {max(variable.type.ndim for variable in variables)} "
            f"dimensions; "
            "expected scalars; stacking of arrays needs tensor.join, which this version lacks"
        )
    return make_vector(variables)


def patternbroadcast(value: Any, broadcastable: Sequence[bool]) -> TensorVariable:
    """`value` with other flags; a dimension newly flagged is checked at run time to be 1."""
    variable = as_tensor_variable(value)
    flags = tuple(bool(flag) for flag in broadcastable)
    if flags == variable.type.broadcastable:
        return variable
    if len(flags) != variable.type.ndim:
        raise ValueError(
            f"patternbroadcast: found {len(flags)} flags for rank {variable.type.ndim}"
        )
    ones = tuple(axis for axis, flag in enumerate(flags) if flag)
    return apply_native(
        sigs.RESHAPE_TO, [variable, shape(variable)], {"ndim": len(flags), "ones": ones}
    )[0]


def addbroadcast(value: Any, *axes: int) -> TensorVariable:
    """`value` with `axes` broadcastable; their size must be 1, checked at run time."""
    variable = as_tensor_variable(value)
    axes = tuple(axis % max(variable.type.ndim, 1) for axis in axes)
    return patternbroadcast(
        variable, [flag or axis in axes for axis, flag in enumerate(variable.type.broadcastable)]
    )


def unbroadcast(value: Any, *axes: int) -> TensorVariable:
    """`value` with `axes` not broadcastable."""
    variable = as_tensor_variable(value)
    return patternbroadcast(
        variable,
        [flag and axis not in axes for axis, flag in enumerate(variable.type.broadcastable)],
    )


__all__ = [
    "addbroadcast",
    "alloc",
    "arange",
    "dimshuffle",
    "flatten",
    "make_vector",
    "ones",
    "ones_like",
    "patternbroadcast",
    "reshape",
    "shape",
    "shape_padaxis",
    "shape_padleft",
    "shape_padright",
    "squeeze",
    "stack",
    "swapaxes",
    "transpose",
    "unbroadcast",
    "zeros",
    "zeros_like",
]
