"""The callable: a Python class with everything but the call, and two ways to call it.

`make_callable` gives an object whose type derives from `Function` (or from a subclass that the
compiler passes as `base`) and whose call goes straight to machine code: `native_type(base)` is a
heap type made by `PyType_FromSpecWithBases` with two words behind the base's own: the vectorcall
pointer and the state's address. Attributes, methods, weak references and garbage collection are
Python's.  Where the layout check fails, `python_type(base)` has an ordinary `__call__`.
"""

from __future__ import annotations

import ctypes
import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from operator import is_
from typing import Any, NamedTuple

import numpy as np

from tetractys.runtime import blas, errors, jit, native
from tetractys.runtime.binding import bind_arguments
from tetractys.runtime.cell import Cell
from tetractys.runtime.layout import CLEAN_MARK, LayoutError, find
from tetractys.runtime.pack import TILED_BYTES, OperandError, is_clean, pack, take_spare
from tetractys.runtime.spec import VALUE_WORDS, WORD_ERROR, WORD_VALUES, KernelSpec
from tetractys.runtime.state import State
from tetractys.runtime.versions import Orders, Vary, Version, inputs_for

Slow = Callable[["Function", tuple[Any, ...], dict[str, Any]], Any]
"""Filters the arguments of an unusual call and answers with `function.call_clean(arrays)`, or
raises.
"""

Raise = Callable[["Function", int, tuple[int, ...]], Any]
"""Gets the index into `spec.errors` and five integers; raises (or answers, which is then the call's
result).
"""

ENVIRONMENT = "TETRACTYS_CALLPATH"
MAX_FLAT_WORDS = 1 << 12
"""Functions with a larger flat block go by the Python path: the trampoline keeps the block on the C
stack.
"""


class Recipe(NamedTuple):
    """All that a callable is made of."""

    spec: KernelSpec
    code: jit.Code
    cells: tuple[Cell, ...]
    constants: tuple[np.ndarray, ...]
    defaults: tuple[Any, ...]
    slow: Slow | None
    raise_: Raise | None
    externs: blas.Table
    vary: Vary | None = None


class Function:
    """Base of every compiled function.

    versions: the specs for other orders of the arguments; None for orders that are packed.
    spares: the packed arguments of the last call that had large ones, to be written over.
    """

    recipe: Recipe
    engine: Any
    versions: dict[Orders, KernelSpec | None]
    spares: dict[int, np.ndarray]
    native: bool
    name: str | None = None
    trust_input: bool = False

    @property
    def spec(self) -> KernelSpec:
        """What the function takes and gives."""
        return self.recipe.spec

    def call_clean(self, arrays: Sequence[Any]) -> Any:
        """Calls with one array of the right dtype and rank for each input; strides and alignment
        may be any.

        Raises `OperandError` (a TypeError) for a wrong dtype or rank; never goes to the slow path.
        """
        inputs = self.recipe.spec.inputs
        if len(arrays) != len(inputs):
            raise TypeError(f"{len(arrays)} arrays given; expected {len(inputs)}")
        return self(*arrays, CLEAN_MARK)  # type: ignore[operator]  # the derived types are callable

    def slow_entry(self, *args: Any, **kwargs: Any) -> Any:
        """Where the call path sends what it does not take."""
        slow = self.recipe.slow
        if slow is not None:
            return slow(self, args, kwargs)
        return self.call_clean(bind_arguments(self.recipe.spec, self.recipe.defaults, args, kwargs))

    def refuse(self, *args: Any) -> Any:
        """Arrays from `call_clean` that were not taken: calls again with a version for them, or
        with them packed; where there is nothing of the kind to be done, raises.
        """
        inputs = inputs_for(self, args)
        spares, self.spares = self.spares, {}
        packed = [
            pack(value, operand, take_spare(spares, number))
            for number, (value, operand) in enumerate(zip(args, inputs, strict=True))
        ]
        if inputs is self.recipe.spec.inputs and all(map(is_, packed, args)):
            raise OperandError("an argument changed while the function was called with it")
        answer = self(*packed, CLEAN_MARK)  # type: ignore[operator]
        self.spares = {
            number: one
            for number, (one, value) in enumerate(zip(packed, args, strict=True))
            if one is not value and one.nbytes >= TILED_BYTES
        }
        return answer

    def settle(self, _: int = 0) -> None:
        """Waits for cells that another call updates and repacks values; then the call path starts
        again.
        """
        recipe = self.recipe
        for index, cell in enumerate(recipe.cells):
            if cell.held is not None or index in recipe.spec.update_cells:
                cell.wait()
        for cell, operand in zip(recipe.cells, recipe.spec.shareds, strict=False):
            if not is_clean(cell.value, operand):
                cell.set(pack(cell.value, operand))

    def report_at(self, recipe: Recipe, flat: int) -> Any:
        """Reports the error of a version that stands in the flat block at address `flat`."""
        words = (ctypes.c_int64 * (WORD_VALUES + VALUE_WORDS)).from_address(flat)
        return self.report(words[WORD_ERROR] - 1, tuple(words[WORD_VALUES:]), recipe)

    def report(self, code: int, values: tuple[int, ...], recipe: Recipe) -> Any:
        """Raises the error `code` of compiled code, or lets the recipe's `raise_` do it."""
        if recipe.raise_ is not None:
            return recipe.raise_(self, code, values)
        raise errors.exception(recipe.spec, code, values)

    def add_version(self, version: Version) -> None:
        """From now on calls whose arguments fit the operands of `version` go to its kernel."""
        recipe = self.recipe._replace(
            spec=version.spec,
            code=version.code,
            raise_=version.raise_,
            externs=blas.table(version.spec.externs, version.code.kernel),
        )
        if not self.native:
            self.engine.versions.append(python_engine(recipe))
            native.own(self, recipe.code, recipe.externs)
            return
        callbacks = self.engine[0] | {"RAISE": partial(self.report_at, recipe)}
        self.engine.append(callbacks)
        state = State(find(), recipe, callbacks)
        native.own(self, state, recipe.code, recipe.externs)
        native.join(self, state)

    def free(self) -> None:
        """Gives back the memory that is kept between calls: outputs that nobody else has any more,
        spare buffers of updates, the workspace. The next calls keep theirs again.
        """
        self.spares = {}
        for state in native.states(self):
            state.release()

    def memory(self) -> dict[str, int]:
        """Bytes: of the last call's `results` and `workspace`, and `kept` for the next ones.

        An update that is written over its old value needs none. All 0 without native calls.
        """
        found = [state.memory() for state in native.states(self)]
        last = found[0] if found else {"results": 0, "workspace": 0}
        return last | {"kept": sum(one["kept"] for one in found)}

    def close(self) -> None:
        """Later calls raise RuntimeError.  A call that is running ends as usual."""
        if self.native:
            native.close(self)
        else:
            self.engine = None

    @property
    def __signature__(self) -> inspect.Signature:
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        parameters: list[inspect.Parameter] = []
        for k, (operand, value) in enumerate(
            zip(self.spec.inputs, self.recipe.defaults, strict=True)
        ):
            name = operand.name if operand.name and operand.name.isidentifier() else f"_{k}"
            default = inspect.Parameter.empty if value is None else value
            parameters.append(inspect.Parameter(name, kind, default=default))
        return inspect.Signature(parameters, __validate_parameters__=False)

    def __copy__(self) -> Function:
        recipe = self.recipe
        twin = build(recipe, type(self).__mro__[1], self.native)
        for key, value in vars(self).items():
            twin.__dict__.setdefault(key, value)
        return twin

    def __reduce__(self) -> Any:
        raise TypeError(
            f"cannot pickle the compiled function {self.name or self.spec.name or ''!r}"
        )

    def __repr__(self) -> str:
        name = self.name or self.spec.name or "of"
        return f"<{type(self).__name__} {name} {len(self.spec.inputs)} inputs>"

    def __del__(self) -> None:
        if native is not None:  # pyright: ignore  (None at the very end of the interpreter)
            native.close(self)
            if not getattr(self, "native", True):
                self.engine = None
            native.disown(self)


@cache
def python_type(base: type[Function]) -> type[Function]:
    """The class derived from `base` whose call goes by Python."""

    def __call__(self: Function, *args: Any, **kwargs: Any) -> Any:
        from tetractys.runtime import python_path

        return python_path.call(self, args, kwargs)

    body = {"__call__": __call__, "__module__": base.__module__, "__doc__": base.__doc__}
    return type(base.__name__, (base,), body)


def is_native() -> bool:
    """Whether new functions go by the trampoline: the layout is known and `TETRACTYS_CALLPATH` is
    not `python`.
    """
    if os.environ.get(ENVIRONMENT, "") == "python":
        return False
    try:
        find()
    except LayoutError:
        return False
    return True


def prepare(base: type[Function] = Function) -> None:
    """Has the trampoline made in another thread, if new functions need it and it is not there yet.

    For the compile driver, before its own work: 15 ms less to wait for in a first process.
    """
    if is_native():
        native.prepare(base)


def make_callable(
    spec: KernelSpec,
    code: jit.Code,
    cells: Sequence[Cell] = (),
    constants: Sequence[np.ndarray] = (),
    slow: Slow | None = None,
    raise_: Raise | None = None,
    *,
    defaults: Mapping[str, Any] | Sequence[Any] | None = None,
    base: type[Function] = Function,
    path: str | None = None,
    vary: Vary | None = None,
) -> Any:
    """The callable of a compiled kernel.

    `cells`: one for every shared value read, then those only written (`spec.n_cells` in all).
    `constants`: arrays, packed here. `defaults`: clean arrays by input name, or one (or None) for
    each input. `slow`, `raise_`: see their types; without them arguments are taken as they are, and
    errors worded by `runtime.errors`. `base`: a subclass of `Function`; `path`: "native" or
    "python", by default what `is_native` says. `vary`: makes versions for other orders of the
    arguments; without it they are packed.
    """
    if len(cells) != spec.n_cells or len(constants) != len(spec.constants):
        raise ValueError(
            f"make_callable: {len(cells)} cells and {len(constants)} constants given; "
            f"expected {spec.n_cells} and {len(spec.constants)}"
        )
    if defaults is None or isinstance(defaults, Mapping):
        named = defaults or {}
        defaults = [named.get(operand.name or "") for operand in spec.inputs]
    recipe = Recipe(
        spec=spec,
        code=code,
        cells=tuple(cells),
        constants=tuple(
            pack(value, operand) for value, operand in zip(constants, spec.constants, strict=True)
        ),
        defaults=tuple(defaults),
        slow=slow,
        raise_=raise_,
        externs=blas.table(spec.externs, code.kernel),
        vary=vary,
    )
    wanted = is_native() if path is None else path == "native"
    return build(recipe, base, wanted)


def python_engine(recipe: Recipe) -> Any:
    """The engine of a recipe for the Python path."""
    from tetractys.runtime.python_path import PythonEngine

    return PythonEngine(recipe)


def build(recipe: Recipe, base: type[Function], wanted: bool) -> Function:
    """A callable from its recipe; `wanted`: by the trampoline, if the flat block is not too large
    for it.
    """
    if not wanted or recipe.spec.flat_words > MAX_FLAT_WORDS:
        function = python_type(base).__new__(python_type(base))
        function.recipe, function.native = recipe, False
        function.versions, function.spares = {}, {}
        function.engine = python_engine(recipe)
        native.own(function, recipe.code, recipe.externs)
        return function
    function = native.native_type(base).__new__(native.native_type(base))
    function.recipe, function.native = recipe, True
    function.versions, function.spares = {}, {}
    # The state refers to these by address: the bound methods live in `callbacks`, which the
    # function owns.
    callbacks = {
        "SLOW": function.slow_entry,
        "REFUSE": function.refuse,
        "SETTLE": function.settle,
        "RAISE": partial(function.report_at, recipe),
    }
    state = State(find(), recipe, callbacks)
    function.engine = [callbacks]
    native.own(function, state, recipe.code, recipe.externs)
    native.install(function, base, state)
    return function
