"""Shared variables whose value is an array."""

from __future__ import annotations

from typing import Any

import numpy as np

from tetractys.runtime.aligned import aligned_copy
from tetractys.sharedvalue import SharedVariable
from tetractys.tensor.protocol import TensorProtocol
from tetractys.tensor.type import TensorType


class TensorSharedVariable(TensorProtocol, SharedVariable):
    """A symbolic array with a value of its own."""

    __slots__ = ()

    def _filter(self, value: Any) -> np.ndarray:
        """As kernels take it: an exact ndarray, in native byte order."""
        array = super()._filter(value)
        return array if type(array) is np.ndarray else np.asarray(array)

    def get_value(self, borrow: bool = False, return_internal_type: bool = False) -> np.ndarray:
        """A copy of the array, or with `borrow` the very array, which an update replaces."""
        with self.container.lock:
            value: np.ndarray = self.container.value
            return value if borrow else value.copy()

    def set_value(self, new_value: Any, borrow: bool = False) -> None:
        """Replaces the value by a copy, or with `borrow` by the very array; its shape may change.

        Raises TypeError, and changes nothing, for another rank, or a dtype that is not stored
        without loss.
        """
        array = self._filter(new_value)
        if array is new_value and not borrow:
            array = aligned_copy(array)
        with self.container.lock:
            self.container.value = array


class ScalarSharedVariable(TensorSharedVariable):
    """A symbolic number with a value of its own."""

    __slots__ = ()


TensorType.SharedVariable = TensorSharedVariable

__all__ = ["ScalarSharedVariable", "SharedVariable", "TensorSharedVariable"]
