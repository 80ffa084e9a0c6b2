"""`TensorVariable` and `TensorConstant`: what expressions are made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from tetractys.graph.site import Site, creation_site
from tetractys.graph.variable import Constant, Variable
from tetractys.tensor.constants import AsTensorError
from tetractys.tensor.protocol import TensorProtocol
from tetractys.tensor.type import Scalar, TensorType

__all__ = ["AsTensorError", "ScalarConstant", "ScalarVariable", "TensorConstant", "TensorVariable"]


class TensorVariable(TensorProtocol, Variable):
    """A symbolic array."""

    __slots__ = ()


class TensorConstant(TensorProtocol, Constant):
    """A constant array; its data cannot be written."""

    __slots__ = ()

    def __init__(
        self, type: TensorType, data: object, name: str | None = None, site: Site | None = None
    ) -> None:
        super().__init__(type, data, name, creation_site(2) if site is None else site)
        if self.data.flags.writeable:
            self.data = self.data.copy()
            self.data.flags.writeable = False

    def __setstate__(self, state: tuple[dict[str, Any], dict[str, Any]]) -> None:
        super().__setstate__(state)
        self.data.flags.writeable = False

    def signature(self) -> tuple[object, ...]:
        """Equal for constants of one type, shape and bits."""
        found = self.__dict__.get("_signature")
        if found is None:
            found = self._signature = (self.type.spec, self.data.shape, self.data.tobytes())
        return found

    def __str__(self) -> str:
        unique = unique_value(self.data)
        text = str(self.data) if unique is None else f"{self.data.shape} of {unique}"
        if len(text) > 20:
            text = f"{text[:10]}..{text[-10:]}"
        return f"TensorConstant{{{text}}}"


def unique_value(data: np.ndarray) -> object | None:
    """The number that an array with dimensions is full of, or None."""
    if data.ndim == 0 or data.size == 0:
        return None
    first = data.flat[0]
    return first if np.all(data == first) else None


class ScalarVariable(Variable):
    """A symbolic number outside of any array: a bound of an index."""

    __slots__ = ()

    @property
    def dtype(self) -> str:
        """The dtype's name."""
        return self.type.dtype  # type: ignore[attr-defined]

    ndim = 0
    broadcastable = ()


class ScalarConstant(Constant):
    """A known number outside of any array; prints as `Constant{3}`."""

    __slots__ = ()

    ndim = 0
    broadcastable = ()

    @property
    def dtype(self) -> str:
        """The dtype's name."""
        return self.type.dtype  # type: ignore[attr-defined]

    def signature(self) -> tuple[object, ...]:
        """Equal for equal numbers of one dtype."""
        return (self.type, self.data.tobytes())

    def __str__(self) -> str:
        return f"Constant{{{self.data}}}"


TensorType.Variable = TensorVariable
TensorType.Constant = TensorConstant
Scalar.Variable = ScalarVariable
Scalar.Constant = ScalarConstant
