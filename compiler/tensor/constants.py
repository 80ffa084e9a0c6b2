"""Python and NumPy values as symbolic constants (THEANO_SEMANTICS D1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tetractys.configparser import config
from tetractys.dialects.signature import DTYPES
from tetractys.graph.variable import Apply, Variable
from tetractys.tensor.type import Scalar, TensorType, dtype_name, intern_type

if TYPE_CHECKING:
    from tetractys.tensor.var import TensorVariable


class AsTensorError(TypeError):
    """A value that cannot become a tensor variable."""


class NotScalarConstantError(Exception):
    """A variable that is no constant scalar."""


class EmptyConstantError(NotScalarConstantError):
    """A constant without elements, where one number is asked for."""


_CAPACITY = (("int8", 7), ("int16", 15), ("int32", 31), ("int64", 63))


def autocast(value: int | float) -> np.ndarray:
    """A Python number in the smallest dtype that holds it exactly.

    Integers: int8 to int64, then uint64. Floats: float32 if exact or if floatX is float32, else
    float64; floatX takes no other part.
    """
    if isinstance(value, int):
        bits = (value if value >= 0 else ~value).bit_length()
        for dtype, capacity in _CAPACITY:
            if bits <= capacity:
                return np.array(value, dtype=dtype)
        if value >= 0 and bits == 64:
            return np.array(value, dtype="uint64")
        raise OverflowError("Python int too large to convert to C long")
    with np.errstate(over="ignore"):
        single = np.array(value, dtype="float32")
    if config.floatX == "float32" or float(single) == value:
        return single
    return np.array(value, dtype="float64")


def as_array(value: Any, dtype: Any = None) -> np.ndarray:
    """A new array of a constant's value; TypeError for what is no array of numbers."""
    if dtype is not None:
        return np.array(value, dtype=dtype_name(dtype))
    if type(value) in (int, float, bool):
        return autocast(value)
    if isinstance(value, (list, tuple)) and not value:
        return np.array(value, dtype=config.floatX)
    array = np.array(value)
    if array.dtype.name not in DTYPES or not array.dtype.isnative:
        if array.dtype.newbyteorder("=").name in DTYPES:
            return array.astype(array.dtype.newbyteorder("="))
        raise TypeError(f"Could not convert {value} to TensorType", type(value))
    return array


_cache: dict[tuple[str, bytes], Any] = {}
_by_value: dict[tuple[type, int | float, str], Any] = {}
"""Shared constants by Python value and floatX, but 0.0 and -0.0: the quick way to `_cache`."""


def constant(
    value: Any, name: str | None = None, ndim: int | None = None, dtype: Any = None
) -> Any:
    """A constant of a number, an array or a list; dimensions of size 1 are broadcastable.

    ndim: size-1 dimensions are put in front to reach it. dtype: converts, as NumPy does.
    Anonymous scalars between -10 and 10 are shared: asking twice gives the same object.
    """
    from tetractys.tensor.var import TensorConstant

    array = as_array(value, dtype)
    if ndim is not None and array.ndim < ndim:
        array = array.reshape((1,) * (ndim - array.ndim) + array.shape)
    if ndim is not None and array.ndim > ndim:
        raise ValueError(f"ndarray could not be cast to have {ndim} dimensions")
    array.flags.writeable = False
    shareable = array.ndim == 0 and name is None and -10 <= array <= 10
    key = (array.dtype.name, array.tobytes()) if shareable else None
    if key in _cache:
        return _cache[key]  # type: ignore[index]
    found = TensorConstant(
        intern_type(array.dtype.name, [size == 1 for size in array.shape]), array, name
    )
    if key is not None:
        _cache[key] = found
    return found


def as_tensor_variable(
    value: Any, name: str | None = None, ndim: int | None = None
) -> TensorVariable:
    """`value` as a tensor variable: itself, an Apply's output, a constant, or a stack of a list.

    ndim: broadcastable dimensions are added or dropped in front to reach it.
    Raises AsTensorError for anything else.
    """
    if type(value) in (int, float) and ndim is None and name is None:
        quick = (type(value), value, config.floatX)
        if quick in _by_value:
            return _by_value[quick]
        found = constant(value)
        if value and -10 <= value <= 10:
            _by_value[quick] = found
        return found
    if isinstance(value, Variable):
        plain: Any = value
        return plain if ndim is None and type(value.type) is TensorType else _variable(value, ndim)
    if hasattr(value, "_as_TensorVariable"):
        return value._as_TensorVariable()
    if isinstance(value, Apply):
        if len(value.outputs) != 1:
            raise ValueError(
                "It is ambiguous which output of a multi-output Op has to be fetched.", value
            )
        return as_tensor_variable(value.outputs[0], name, ndim)
    if isinstance(value, (list, tuple)) and _has_variable(value):
        return _variable(_stack_list(value), ndim)
    if isinstance(value, bool):
        raise AsTensorError(
            "Cannot cast True or False as a tensor variable. Please use np.array(True) or "
            "np.array(False) if you need these constants. This error might be caused by using "
            "the == operator on Variables. v == w does not do what you think it does, use "
            "tetractys.tensor.eq(v, w) instead."
        )
    try:
        return constant(value, name=name, ndim=ndim)
    except (TypeError, ValueError) as error:
        if isinstance(error, ValueError) and ndim is not None:
            raise
        shown = str(value) if len(str(value)) < 200 else str(value)[:200] + "..."
        raise AsTensorError(f"Cannot convert {shown} to TensorType", type(value)) from error


as_tensor = as_tensor_variable


def _has_variable(values: Sequence[Any]) -> bool:
    return any(
        isinstance(item, Variable) or (isinstance(item, (list, tuple)) and _has_variable(item))
        for item in values
    )


def _variable(value: Any, ndim: int | None) -> TensorVariable:
    if isinstance(value.type, Scalar):
        from tetractys.tensor.elemwise import tensor_from_scalar

        value = tensor_from_scalar(value)
    if not isinstance(value.type, TensorType):
        raise AsTensorError("Variable type field must be a TensorType.", value, value.type)
    if ndim is None or value.type.ndim == ndim:
        return value
    extra = value.type.ndim - ndim
    if extra < 0:
        return value.dimshuffle(["x"] * -extra + list(range(value.type.ndim)))
    if not all(value.type.broadcastable[:extra]):
        raise ValueError(f"TensorType could not be cast to have {ndim} dimensions", value.type)
    return value.dimshuffle(list(range(value.type.ndim))[extra:])


def _stack_list(values: Sequence[Any]) -> TensorVariable:
    from tetractys.tensor.functions_shape import stack

    return stack([as_tensor_variable(item) for item in values])


def get_scalar_constant_value(value: Any) -> np.ndarray:
    """The number that `value` is known to be; raises NotScalarConstantError if it is not known.

    Sees through casts, dimshuffles, fills, and indices into known shapes.
    """
    from tetractys.tensor.known import known_scalar

    found = known_scalar(value if isinstance(value, Variable) else constant(value))
    if found is None:
        raise NotScalarConstantError(value)
    return found
