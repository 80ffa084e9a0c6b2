"""`TensorType`: arrays of one dtype and rank, each dimension broadcastable or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tetractys.configparser import config
from tetractys.dialects.signature import DTYPES, DYNAMIC, Spec
from tetractys.graph.type import Type
from tetractys.graph.variable import Variable

_ALIASES: dict[tuple[bool, ...], str] = {
    (): "scalar",
    (False,): "vector",
    (False, True): "col",
    (True, False): "row",
    (False, False): "matrix",
}


class TensorType(Type):
    """The type of an array.

    dtype: a name ("float64") or "floatX". broadcastable: one flag a dimension; True means that its
    size is always 1 and that it broadcasts. Two types are equal if these two are.
    """

    def __init__(
        self,
        dtype: Any,
        broadcastable: Sequence[Any],
        name: str | None = None,
        sparse_grad: bool = False,
    ) -> None:
        self.dtype = dtype_name(dtype)
        self.broadcastable = tuple(bool(flag) for flag in broadcastable)
        self.ndim = len(self.broadcastable)
        self.name = name
        self.numpy_dtype = np.dtype(self.dtype)
        self.spec: Spec = (self.dtype, tuple(1 if flag else DYNAMIC for flag in self.broadcastable))
        self._hash = hash(self.spec)
        self._unit_flags = self.broadcastable if any(self.broadcastable) else ()
        self._widened: dict[np.dtype[Any], bool] = {}

    sparse_grad = False

    def __eq__(self, other: object) -> bool:
        return self is other or (type(other) is type(self) and self.spec == other.spec)

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.dtype, self.broadcastable, self.name))

    def clone(self, dtype: Any = None, broadcastable: Sequence[Any] | None = None) -> TensorType:
        """This type with another dtype or other broadcastable flags."""
        flags = self.broadcastable if broadcastable is None else broadcastable
        return type(self)(self.dtype if dtype is None else dtype, flags, name=self.name)

    def __str__(self) -> str:
        if self.name:
            return self.name
        flags = self.broadcastable
        if flags in _ALIASES:
            text = _ALIASES[flags]
        elif any(flags):
            text = str(flags)
        else:
            text = f"{len(flags)}D"
        return f"TensorType({self.dtype}, {text})"

    __repr__ = __str__

    def filter(
        self, data: Any, strict: bool = False, allow_downcast: bool | None = None
    ) -> np.ndarray:
        """`data` as an array of this type, itself where it is one; TypeError where that loses."""
        if type(data) is not np.ndarray or (
            data.dtype is not self.numpy_dtype and data.dtype != self.numpy_dtype
        ):
            data = self._converted(data, strict, allow_downcast)
        if data.ndim != self.ndim:
            raise TypeError(
                f"Wrong number of dimensions: expected {self.ndim}, got {data.ndim} with shape "
                f"{data.shape}."
            )
        for flag, size in zip(self._unit_flags, data.shape):
            if flag and size != 1:
                raise TypeError(
                    "Non-unit value on shape on a broadcastable dimension.",
                    data.shape,
                    self.broadcastable,
                )
        return data

    def _converted(self, data: Any, strict: bool, allow_downcast: bool | None) -> np.ndarray:
        if isinstance(data, Variable):
            raise TypeError(
                "Expected an array-like object, but found a Variable: maybe you are trying to "
                "call a "
                "function on a (possibly shared) variable instead of a numeric array?"
            )
        if strict:
            return self._strict(data)
        if allow_downcast:
            return self._downcast(data)
        if isinstance(data, np.ndarray):
            return self._upcast_array(data)
        if allow_downcast is None and type(data) is float and self.dtype == config.floatX:
            return np.asarray(data, dtype=self.numpy_dtype)
        return self._exact(data)

    def _downcast(self, data: Any) -> np.ndarray:
        """Whatever NumPy's cast makes of an array; of numbers, NaN for an integer is refused."""
        if not isinstance(data, np.ndarray):
            try:
                return np.asarray(data, dtype=self.numpy_dtype)
            except OverflowError:
                pass  # a Python int too large for the dtype: wraps around, as in an array
        return np.asarray(data).astype(self.numpy_dtype)

    def _strict(self, data: Any) -> np.ndarray:
        if not isinstance(data, np.ndarray):
            raise TypeError(f"{self} expected a ndarray object.", data, type(data))
        if data.dtype != self.numpy_dtype:
            raise TypeError(
                f"{self} expected a ndarray object with dtype = {self.dtype} (got {data.dtype})."
            )
        return np.asarray(data)

    def _upcast_array(self, data: np.ndarray) -> np.ndarray:
        """An array of a smaller dtype, widened; of another one, refused."""
        if self._widens(data.dtype):
            return np.asarray(data, dtype=self.numpy_dtype)
        raise TypeError(
            f"{self} cannot store a value of dtype {data.dtype} without risking loss of precision. "
            f"If you do not mind this loss, you can: 1) explicitly cast your data to "
            f"{self.dtype}, or "
            f'2) set "allow_input_downcast=True" when calling "function". Value: "{data!r}"'
        )

    def _widens(self, dtype: np.dtype[Any]) -> bool:
        """Whether numbers of another dtype become numbers of this one without a check."""
        known = self._widened.get(dtype)
        if known is None:
            known = dtype.kind in "biuf" and (
                np.promote_types(dtype, self.numpy_dtype) == self.numpy_dtype
            )
            if len(self._widened) < 64:  # dtypes with metadata are many
                self._widened[dtype] = known
        return known

    def _exact(self, data: Any) -> np.ndarray:
        """A Python number, a list or a NumPy scalar, where its very value can be stored."""
        found = np.asarray(data)
        if self._widens(found.dtype):
            is_fresh = found.dtype is self.numpy_dtype and type(data) in (list, tuple, float, int)
            return found if is_fresh else found.astype(self.numpy_dtype)
        if found.dtype.kind in "OSUVMm":
            if found.dtype.kind == "O" and _holds_big_int(found):
                raise OverflowError("Python int too large to convert to C long")
            np.asarray(data, dtype=self.numpy_dtype)  # NumPy words the error: could not convert ...
            raise TypeError(
                f"{self} cannot store {data!r} of type {type(data).__name__}; expected numbers"
            )
        if found.dtype.kind == "c":
            raise TypeError(f"{self} cannot store the complex {data!r}; expected real numbers")
        with np.errstate(all="ignore"):
            converted = found.astype(self.numpy_dtype)
            same = (found == converted) | ((found != found) & (converted != converted))
        if np.all(same):
            return converted
        raise TypeError(
            f"{self} cannot store accurately value {data!s}, it would be represented as "
            f"{converted!s}. "
            "If you do not mind this precision loss, you can: 1) explicitly convert your data "
            "to a numpy "
            f'array of dtype {self.dtype}, or 2) set "allow_input_downcast=True" when calling '
            f'"function".',
            data,
        )

    def filter_variable(self, other: Any, allow_convert: bool = True) -> Variable:
        """`other` as a variable of this type; a value becomes a constant."""
        if not isinstance(other, Variable):
            from tetractys.tensor.var import TensorConstant

            other = TensorConstant(self, other)
        return super().filter_variable(other, allow_convert)

    def values_eq(self, first: Any, second: Any, force_same_dtype: bool = True) -> bool:
        """Same dtype, shape and values, NaN equal to NaN."""
        first, second = np.asarray(first), np.asarray(second)
        if first.shape != second.shape or (force_same_dtype and first.dtype != second.dtype):
            return False
        return bool(np.all((first == second) | ((first != first) & (second != second))))

    def values_eq_approx(
        self, first: Any, second: Any, rtol: float | None = None, atol: float | None = None
    ) -> bool:
        """Same dtype, shape and, up to rounding, values; NaN equal to NaN."""
        first, second = np.asarray(first), np.asarray(second)
        if first.shape != second.shape or first.dtype != second.dtype:
            return False
        single = first.dtype == np.float32
        return bool(
            np.allclose(
                first,
                second,
                rtol=rtol or (1e-4 if single else 1e-5),
                atol=atol or (1e-5 if single else 1e-8),
                equal_nan=True,
            )
        )

    @staticmethod
    def may_share_memory(first: Any, second: Any) -> bool:
        """Whether two arrays may overlap in memory."""
        arrays = isinstance(first, np.ndarray) and isinstance(second, np.ndarray)
        return arrays and np.may_share_memory(first, second)

    def value_zeros(self, shape: Sequence[int]) -> np.ndarray:
        """An array of zeros of this dtype."""
        return np.zeros(shape, dtype=self.numpy_dtype)


def _holds_big_int(values: np.ndarray) -> bool:
    return all(isinstance(value, int) for value in values.flat)


def dtype_name(dtype: Any) -> str:
    """The canonical name of a dtype; raises TypeError for one that arrays cannot have here."""
    if dtype == "floatX":
        return config.floatX
    try:
        name = np.dtype(dtype).name if dtype is not None else "None"
    except TypeError:
        name = str(dtype)
    if name not in DTYPES:
        raise TypeError(f"Unsupported dtype for TensorType: {name}")
    return name


_interned: dict[Spec, TensorType] = {}


def tensor_type(spec: Spec) -> TensorType:
    """The type of a (dtype, shape), one object a spec; sizes other than 1 count as unknown."""
    found = _interned.get(spec)
    if found is None:
        dtype, shape = spec
        found = TensorType(dtype, [size == 1 for size in shape])
        found = _interned[spec] = _interned.setdefault(found.spec, found)
    return found


def intern_type(dtype: str, broadcastable: Sequence[bool]) -> TensorType:
    """The one type object of a dtype and flags."""
    return tensor_type((dtype, tuple(1 if flag else DYNAMIC for flag in broadcastable)))


class Scalar(Type):
    """A number outside of any array: the type of the indices of a Subtensor."""

    ndim = 0
    broadcastable = ()

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype
        self.spec: Spec = (dtype, ())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scalar) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash((Scalar, self.dtype))

    def __reduce__(self) -> tuple[Any, ...]:
        return (Scalar, (self.dtype,))

    def filter(
        self, data: Any, strict: bool = False, allow_downcast: bool | None = None
    ) -> np.ndarray:
        """`data` as a 0-d array."""
        return intern_type(self.dtype, ()).filter(np.asarray(data), strict, allow_downcast)

    def __str__(self) -> str:
        return self.dtype

    def __repr__(self) -> str:
        return f"Scalar({self.dtype})"


_scalars: dict[str, Scalar] = {}


def scalar_type(dtype: str) -> Scalar:
    """The one Scalar of a dtype."""
    return _scalars.setdefault(dtype, Scalar(dtype))
