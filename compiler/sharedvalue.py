"""`shared`: variables that keep a value between calls (THEANO_SEMANTICS D7).

The value lies in a `Cell` of the runtime, which compiled functions read and replace. An update puts
a new array into the cell; it never writes into one that the user got from `get_value(borrow=True)`.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from tetractys.dialects.signature import DTYPES
from tetractys.graph.site import Site, creation_site
from tetractys.graph.type import Type, generic
from tetractys.graph.variable import Variable
from tetractys.runtime.aligned import aligned_copy
from tetractys.runtime.cell import Cell


class SharedVariable(Variable):
    """A variable with a value of its own; the base class holds any Python object.

    container: the Cell of the value; clones share it. default_update: a new value that every
    function using the variable gives it, unless its updates say otherwise.
    """

    __slots__ = ("container", "strict", "allow_downcast")

    default_update: Variable

    def __init__(
        self,
        name: str | None,
        type: Type,
        value: Any,
        strict: bool = False,
        allow_downcast: bool | None = None,
        container: Cell | None = None,
        site: Site | None = None,
    ) -> None:
        super().__init__(type, None, None, name, creation_site(2) if site is None else site)
        self.strict = strict
        self.allow_downcast = allow_downcast
        self.container = Cell(self._filter(value)) if container is None else container

    def _filter(self, value: Any) -> Any:
        try:
            return self.type.filter(value, strict=self.strict, allow_downcast=self.allow_downcast)
        except (TypeError, ValueError) as error:
            error.args = (*error.args, f'Container name "{self.name}"')
            raise

    def get_value(self, borrow: bool = False, return_internal_type: bool = False) -> Any:
        """A copy of the value, or with `borrow` the very object."""
        with self.container.lock:
            value = self.container.value
        return value if borrow else copy.deepcopy(value)

    def set_value(self, new_value: Any, borrow: bool = False) -> None:
        """Replaces the value by a copy of `new_value`, or with `borrow` by that very object.

        Raises TypeError, and changes nothing, if the type does not take it.
        """
        value = self._filter(new_value if borrow else copy.deepcopy(new_value))
        with self.container.lock:
            self.container.value = value

    def get_test_value(self) -> Any:
        """The value."""
        return self.get_value(borrow=True)

    def zero(self, borrow: bool = False) -> None:
        """Sets every element to 0."""
        self.set_value(0 * self.get_value(borrow=True), borrow=True)

    def clone(self) -> SharedVariable:
        """Another variable of the same value: both read and write one cell."""
        twin = self.__class__(
            self.name,
            self.type,
            None,
            self.strict,
            self.allow_downcast,
            container=self.container,
            site=self.site,
        )
        twin._copy_tag(self)
        return twin

    @property
    def value(self) -> Any:
        """Not there: raises."""
        raise Exception(
            "sharedvar.value does not exist anymore. Use sharedvar.get_value() or "
            "sharedvar.set_value() instead."
        )

    def __getstate__(self) -> tuple[dict[str, Any], dict[str, Any]]:
        attributes, slots = super().__getstate__()
        return attributes, {
            **slots,
            "strict": self.strict,
            "allow_downcast": self.allow_downcast,
            "_pickled_value": self.get_value(borrow=True),
        }

    def __setstate__(self, state: tuple[dict[str, Any], dict[str, Any]]) -> None:
        attributes, slots = state
        value = slots.pop("_pickled_value")
        super().__setstate__((attributes, slots))
        self.container = Cell(value)


def shared(
    value: Any,
    name: str | None = None,
    strict: bool = False,
    allow_downcast: bool | None = None,
    borrow: bool = False,
    broadcastable: Sequence[bool] | None = None,
    **kwargs: Any,
) -> SharedVariable:
    """A shared variable of `value`.

    Arrays of numbers and Python numbers (int64, float64, bool) make tensor variables; anything
    else, lists
    included, makes a generic one. An array is copied unless `borrow`. strict: `set_value` converts
    nothing. allow_downcast: it casts whatever it gets. broadcastable: flags of the dimensions; all
    False if not given. `target` is accepted and must be "cpu".

    Raises TypeError for symbolic values, unknown arguments, and flags that do not fit.
    https://theano-pymc.readthedocs.io/en/latest/library/compile/shared.html
    """
    if isinstance(value, Variable):
        raise TypeError(
            "Shared variable constructor needs numeric values and not symbolic variables."
        )
    if kwargs.get("target", "cpu") == "cpu":
        kwargs.pop("target", None)
    if kwargs:
        raise TypeError(_no_constructor(value, kwargs))
    if name is not None and not isinstance(name, str):
        raise TypeError("name must be a string", name)
    array = _as_array(value)
    site = creation_site(2)
    if array is None:
        if broadcastable is not None:
            raise TypeError(_no_constructor(value, {"broadcastable": broadcastable}))
        return SharedVariable(name, generic, value, strict, allow_downcast, site=site)
    return _tensor_shared(value, array, name, strict, allow_downcast, borrow, broadcastable, site)


def _no_constructor(value: Any, parameters: dict[str, Any]) -> str:
    return (
        "No suitable SharedVariable constructor could be found. Are you sure all kwargs are "
        "supported? "
        f'We do not support the parameter dtype or type. value="{value}". parameters="{parameters}"'
    )


def _as_array(value: Any) -> np.ndarray | None:
    """The array of a tensor's value; None for what is no array of numbers. Never a copy."""
    if isinstance(value, (bool, int, float, np.number, np.bool_)):
        try:
            array = np.asarray(value)
        except OverflowError:
            return None
    elif isinstance(value, np.ndarray):
        array = value
    else:
        return None
    return array if array.dtype.name in DTYPES else None


def _tensor_shared(
    value: Any,
    array: np.ndarray,
    name: str | None,
    strict: bool,
    allow_downcast: bool | None,
    borrow: bool,
    broadcastable: Sequence[bool] | None,
    site: Site,
) -> SharedVariable:
    from tetractys.tensor.sharedvar import ScalarSharedVariable, TensorSharedVariable
    from tetractys.tensor.type import intern_type

    flags = (False,) * array.ndim if broadcastable is None else tuple(broadcastable)
    scalar = not isinstance(value, np.ndarray)
    kind = ScalarSharedVariable if scalar else TensorSharedVariable
    kept = array if borrow else aligned_copy(array)
    try:
        if len(flags) != array.ndim:
            raise TypeError("broadcastable: wrong length")
        return kind(
            name, intern_type(array.dtype.name, flags), kept, strict, allow_downcast, site=site
        )
    except TypeError as error:
        raise TypeError(_no_constructor(value, {"broadcastable": broadcastable})) from error
