"""What Python operators and attributes mean on variables (THEANO_SEMANTICS D11)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from tetractys.tensor.constants import AsTensorError

if TYPE_CHECKING:
    from tetractys.tensor.type import TensorType
    from tetractys.tensor.var import TensorVariable


def _functions() -> Any:
    """The front end's functions; imported late, since they need variables."""
    from tetractys.tensor import basic

    return basic


def _binary(name: str, reflected: bool = False) -> Any:
    def operator(self: Any, other: Any) -> Any:
        try:
            function = getattr(_functions(), name)
            return function(other, self) if reflected else function(self, other)
        except (NotImplementedError, AsTensorError):
            return NotImplemented

    return operator


def _comparison(name: str) -> Any:
    def operator(self: Any, other: Any) -> Any:
        result = getattr(_functions(), name)(self, other)
        result._is_nonzero = False
        return result

    return operator


class TensorProtocol:
    """Operators, methods and attributes that all tensor variables share."""

    __slots__ = ()

    if TYPE_CHECKING:
        type: TensorType

    __array_priority__ = 1000
    _is_nonzero = True

    # Identity: `==` does not compare values, so that variables are keys of dicts.
    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        if self._is_nonzero:
            return True
        raise TypeError("Variables do not support boolean operations.")

    __lt__ = _comparison("lt")
    __le__ = _comparison("le")
    __gt__ = _comparison("gt")
    __ge__ = _comparison("ge")

    __add__ = _binary("add")
    __sub__ = _binary("sub")
    __mul__ = _binary("mul")
    __truediv__ = _binary("true_div")
    __floordiv__ = _binary("int_div")
    __mod__ = _binary("mod")
    __pow__ = _binary("pow")
    __and__ = _binary("and_")
    __or__ = _binary("or_")
    __xor__ = _binary("xor")
    __radd__ = _binary("add", reflected=True)
    __rsub__ = _binary("sub", reflected=True)
    __rmul__ = _binary("mul", reflected=True)
    __rtruediv__ = _binary("true_div", reflected=True)
    __rfloordiv__ = _binary("int_div", reflected=True)
    __rmod__ = _binary("mod", reflected=True)
    __rpow__ = _binary("pow", reflected=True)
    __rand__ = _binary("and_", reflected=True)
    __ror__ = _binary("or_", reflected=True)
    __rxor__ = _binary("xor", reflected=True)

    def __divmod__(self, other: Any) -> tuple[TensorVariable, TensorVariable]:
        return (self // other, self % other)  # type: ignore[operator]

    def __rdivmod__(self, other: Any) -> tuple[TensorVariable, TensorVariable]:
        return (other // self, other % self)

    def __abs__(self) -> TensorVariable:
        return _functions().abs_(self)

    def __neg__(self) -> TensorVariable:
        return _functions().neg(self)

    def __invert__(self) -> TensorVariable:
        return _functions().invert(self)

    def __getitem__(self, index: Any) -> TensorVariable:
        return _functions().getitem(self, index)

    def __iter__(self) -> Iterator[TensorVariable]:
        from tetractys.tensor.known import vector_length

        try:
            length = vector_length(self)  # type: ignore[arg-type]
        except TypeError:
            raise TypeError(
                "TensorType does not support iteration. Maybe you are using builtin.sum instead of "
                "tetractys.tensor.sum? (Maybe .max?)"
            ) from None
        return (self[position] for position in range(length))

    # Types and shapes.
    @property
    def dtype(self) -> str:
        """The dtype's name."""
        return self.type.dtype

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self.type.ndim

    @property
    def broadcastable(self) -> tuple[bool, ...]:
        """One flag a dimension: size 1, and broadcasts."""
        return self.type.broadcastable

    @property
    def shape(self) -> TensorVariable:
        """The sizes, an int64 vector."""
        return _functions().shape(self)

    @property
    def size(self) -> TensorVariable:
        """The number of elements."""
        if self.type.ndim == 1:
            return self.shape[0]
        return _functions().prod(self.shape)

    @property
    def T(self) -> TensorVariable:
        """The transpose."""
        return _functions().transpose(self)

    def dimshuffle(self, *pattern: Any) -> TensorVariable:
        """Dimensions in the order of `pattern`; 'x' inserts a broadcastable one."""
        if len(pattern) == 1 and isinstance(pattern[0], (list, tuple)):
            pattern = tuple(pattern[0])
        return _functions().dimshuffle(self, pattern)

    def transpose(self, *axes: Any) -> TensorVariable:
        """Dimensions permuted; reversed without arguments."""
        if len(axes) == 0:
            return _functions().transpose(self)
        order = axes[0] if len(axes) == 1 and isinstance(axes[0], (list, tuple)) else axes
        return _functions().transpose(self, order)

    def swapaxes(self, axis1: int, axis2: int) -> TensorVariable:
        """Two dimensions exchanged."""
        return _functions().swapaxes(self, axis1, axis2)

    def reshape(self, shape: Any, ndim: int | None = None) -> TensorVariable:
        """The elements in row-major order under another shape; -1 stands for the size left over."""
        return _functions().reshape(self, shape, ndim=ndim)

    def flatten(self, ndim: int = 1) -> TensorVariable:
        """The trailing dimensions made one, so that `ndim` remain."""
        return _functions().flatten(self, ndim)

    def ravel(self) -> TensorVariable:
        """All dimensions made one."""
        return _functions().flatten(self)

    def squeeze(self) -> TensorVariable:
        """Broadcastable dimensions dropped."""
        return _functions().squeeze(self)

    # Elementwise methods.
    def astype(self, dtype: Any) -> TensorVariable:
        """`tensor.cast`."""
        return _functions().cast(self, dtype)

    def clip(self, a_min: Any, a_max: Any) -> TensorVariable:
        """Values kept between two bounds."""
        return _functions().clip(self, a_min, a_max)

    def copy(self, name: str | None = None) -> TensorVariable:
        """A variable equal to this one, under another name."""
        result = _functions().tensor_copy(self)
        result.name = name
        return result

    def fill(self, value: Any) -> TensorVariable:
        """An array of this shape full of `value`."""
        return _functions().fill(self, value)

    def zeros_like(self, dtype: Any = None) -> TensorVariable:
        """Zeros in this shape."""
        return _functions().zeros_like(self, dtype)

    def ones_like(self, dtype: Any = None) -> TensorVariable:
        """Ones in this shape."""
        return _functions().ones_like(self, dtype)

    # Products and reductions.
    def dot(self, other: Any) -> TensorVariable:
        """`tensor.dot`."""
        return _functions().dot(self, other)

    __dot__ = dot

    def __matmul__(self, other: Any) -> TensorVariable:
        return _functions().dot(self, other)

    def __rmatmul__(self, other: Any) -> TensorVariable:
        return _functions().dot(other, self)

    def sum(
        self, axis: Any = None, dtype: Any = None, keepdims: bool = False, acc_dtype: Any = None
    ) -> TensorVariable:
        """`tensor.sum`."""
        return _functions().sum(
            self, axis=axis, dtype=dtype, keepdims=keepdims, acc_dtype=acc_dtype
        )

    def prod(
        self, axis: Any = None, dtype: Any = None, keepdims: bool = False, acc_dtype: Any = None
    ) -> TensorVariable:
        """`tensor.prod`."""
        return _functions().prod(
            self, axis=axis, dtype=dtype, keepdims=keepdims, acc_dtype=acc_dtype
        )

    def mean(
        self, axis: Any = None, dtype: Any = None, keepdims: bool = False, acc_dtype: Any = None
    ) -> TensorVariable:
        """`tensor.mean`."""
        return _functions().mean(
            self, axis=axis, dtype=dtype, keepdims=keepdims, acc_dtype=acc_dtype
        )

    def var(self, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> TensorVariable:
        """`tensor.var`."""
        return _functions().var(self, axis=axis, ddof=ddof, keepdims=keepdims)

    def std(self, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> TensorVariable:
        """`tensor.std`."""
        return _functions().std(self, axis=axis, ddof=ddof, keepdims=keepdims)

    def norm(self, L: Any, axis: Any = None, keepdims: bool = False) -> TensorVariable:
        """The L-norm of all elements, or along `axis`."""
        return _functions().norm(self, L, axis=axis, keepdims=keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> TensorVariable:
        """`tensor.max`."""
        return _functions().max(self, axis=axis, keepdims=keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> TensorVariable:
        """`tensor.min`."""
        return _functions().min(self, axis=axis, keepdims=keepdims)

    def argmax(self, axis: Any = None, keepdims: bool = False) -> TensorVariable:
        """`tensor.argmax`."""
        return _functions().argmax(self, axis=axis, keepdims=keepdims)

    def argmin(self, axis: Any = None, keepdims: bool = False) -> TensorVariable:
        """`tensor.argmin`."""
        return _functions().argmin(self, axis=axis, keepdims=keepdims)

    def any(self, axis: Any = None, keepdims: bool = False) -> TensorVariable:
        """`tensor.any`."""
        return _functions().any(self, axis=axis, keepdims=keepdims)

    def all(self, axis: Any = None, keepdims: bool = False) -> TensorVariable:
        """`tensor.all`."""
        return _functions().all(self, axis=axis, keepdims=keepdims)

    def get_scalar_constant_value(self) -> np.ndarray:
        """The number this is known to be; NotScalarConstantError if it is not known."""
        return _functions().get_scalar_constant_value(self)
