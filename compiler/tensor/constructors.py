"""Types by name, functions that make variables: `dscalar`, `matrix('x')`, `dmatrices('ab')`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tetractys.configparser import config
from tetractys.graph.variable import Variable
from tetractys.tensor.type import TensorType, dtype_name, intern_type

PREFIXES = {"b": "int8", "w": "int16", "i": "int32", "l": "int64", "f": "float32", "d": "float64"}
"""The letter in front of a constructor's name, and its dtype; none means floatX."""

PATTERNS: dict[str, tuple[bool, ...]] = {
    "scalar": (),
    "vector": (False,),
    "matrix": (False, False),
    "row": (True, False),
    "col": (False, True),
    "tensor3": (False,) * 3,
    "tensor4": (False,) * 4,
    "tensor5": (False,) * 5,
}

PLURALS = {
    "scalar": "scalars",
    "vector": "vectors",
    "matrix": "matrices",
    "row": "rows",
    "col": "cols",
    "tensor3": "tensor3s",
    "tensor4": "tensor4s",
    "tensor5": "tensor5s",
}

_ARTICLES = {
    "scalar": "A 0-d array",
    "vector": "A vector",
    "matrix": "A matrix",
    "row": "A matrix of one row, which broadcasts",
    "col": "A matrix of one column, which broadcasts",
}


def _constructor(name: str, flags: tuple[bool, ...]) -> Callable[..., Variable]:
    def make(name: str | None = None, dtype: Any = None) -> Variable:
        return intern_type(
            config.floatX if dtype is None else dtype_name(dtype), flags
        ).make_variable(name)

    make.__name__ = make.__qualname__ = name
    article = _ARTICLES.get(name, f"An array of {len(flags)} dimensions")
    make.__doc__ = f"{article}, in floatX or `dtype`."
    return make


def _plural(
    name: str, single: Callable[..., Variable] | TensorType
) -> Callable[..., list[Variable]]:
    def make(*names: Any, **options: Any) -> list[Variable]:
        if len(names) == 1 and isinstance(names[0], int):
            return [single(**options) for _ in range(names[0])]
        wanted: Sequence[str] = names[0] if len(names) == 1 else names
        return [single(name, **options) for name in wanted]

    make.__name__ = make.__qualname__ = name
    make.__doc__ = "Several variables: `('x', 'y')`, `'xy'`, or their number."
    return make


def tensor(*args: Any, **kwargs: Any) -> Variable:
    """A variable of `TensorType(*args, **kwargs)`, named `name`."""
    name = kwargs.pop("name", None)
    return TensorType(*args, **kwargs)(name=name)


def _names() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, flags in PATTERNS.items():
        found[name] = _constructor(name, flags)
        found[PLURALS[name]] = _plural(PLURALS[name], found[name])
        for prefix, dtype in PREFIXES.items():
            found[prefix + name] = intern_type(dtype, flags)
            found[prefix + PLURALS[name]] = _plural(prefix + PLURALS[name], found[prefix + name])
    return found


_NAMES = _names()
globals().update(_NAMES)

__all__ = ["tensor", *_NAMES]  # noqa: PLE0604  # pyright: ignore[reportUnsupportedDunderAll]  (tables)
