"""What a call costs: `x + y` on next to nothing, in twenty kinds of call.

Three have bars of their own; the others must not be slower than the best peer that has such a call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..job import Job
from ..row import Bar, Inputs, Row, bars


class Kind(NamedTuple):
    """A kind of call.

    theano: from the API to the function. numpy: makes the same function in plain Python (a fresh
    one: some keep a state). arguments, keywords: what it is called with. numba: Numba can compile
    the Python function. expected: the results, where they are not those of `numpy`.
    """

    name: str
    title: str
    theano: Callable[[Any], Any]
    numpy: Callable[[], Callable[..., Any]]
    arguments: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = {}
    numba: bool = False


def _add_scalars(api: Any) -> Any:
    x, y = api.T.dscalar("x"), api.T.dscalar("y")
    return api.function([x, y], x + y)


def _add_vectors(api: Any, dtype: str = "d") -> Any:
    x, y = (getattr(api.T, f"{dtype}vector")(name) for name in "xy")
    return api.function([x, y], x + y)


def _scalars_to(make: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
    def function(api: Any) -> Any:
        x, y = api.T.dscalar("x"), api.T.dscalar("y")
        return api.function([x, y], make(x, y))

    return function


def _five(x: Any, y: Any) -> list[Any]:
    return [x + y, x - y, x * y, y - x, x + x]


def _update(api: Any, outputs: bool) -> Any:
    T = api.T
    x, w = (T.dvector("x") if outputs else T.dscalar("x")), api.shared(np.zeros(10), name="w")
    w = w if outputs else api.shared(np.asarray(0.0), name="w")
    return api.function([x], w + x if outputs else [], updates=[(w, w + x)])


def _read_shared(api: Any) -> Any:
    return api.function([], api.shared(np.asarray(1.5)) * 2.0)


def _counter(api: Any) -> Any:
    count = api.shared(np.asarray(0, dtype="int64"))
    return api.function([], count, updates=[(count, count + 1)])


def _default(api: Any) -> Any:
    x, y = api.T.dscalar("x"), api.T.dscalar("y")
    return api.function([x, api.In(y, value=2.25)], x + y)


def _ten(api: Any) -> Any:
    variables = [api.T.dscalar() for _ in range(10)]
    total = variables[0]
    for variable in variables[1:]:
        total = total + variable
    return api.function(variables, total)


def _mixed(first: str, second: str) -> Callable[[Any], Any]:
    def function(api: Any) -> Any:
        x, y = getattr(api.T, first)("x"), getattr(api.T, second)("y")
        return api.function([x, y], x + y)

    return function


def _numpy_update() -> Callable[..., Any]:
    state = [np.zeros(())]

    def update(x: Any) -> list[Any]:
        state[0] = np.add(state[0], x)
        return []

    return update


def _numpy_update_output() -> Callable[..., Any]:
    state = [np.zeros(10)]

    def update(x: Any) -> Any:
        state[0] = np.add(state[0], x)
        return state[0].copy()

    return update


def _numpy_counter() -> Callable[..., Any]:
    state = [np.zeros((), "int64")]

    def update() -> Any:
        old = state[0]
        state[0] = np.add(old, 1)
        return old

    return update


def _sum_ten(*values: Any) -> Any:
    total = values[0]
    for value in values[1:]:
        total = np.add(total, value)
    return total


SCALARS = (np.array(1.5), np.array(2.25))
TEN = np.arange(10.0)

KINDS = (
    Kind("0d", "two 0-d arrays", _add_scalars, lambda: np.add, SCALARS, numba=True),
    Kind("floats", "two Python floats", _add_scalars, lambda: np.add, (1.5, 2.25), numba=True),
    Kind("10-vectors", "two vectors of 10", _add_vectors, lambda: np.add, (TEN, TEN), numba=True),
    Kind("keywords", "by keyword", _add_scalars, lambda: lambda x, y: np.add(x, y), (),
         {"x": SCALARS[0], "y": SCALARS[1]}, numba=True),
    Kind("list", "one output in a list", _scalars_to(lambda x, y: [x + y]),
         lambda: lambda x, y: [np.add(x, y)], SCALARS),
    Kind("two-outputs", "two outputs", _scalars_to(lambda x, y: [x + y, x - y]),
         lambda: lambda x, y: [np.add(x, y), np.subtract(x, y)], SCALARS),
    Kind("five-outputs", "five outputs", _scalars_to(_five), lambda: _five, SCALARS),
    Kind("dict", "two outputs in a dict", _scalars_to(lambda x, y: {"a": x + y, "b": x - y}),
         lambda: lambda x, y: {"a": np.add(x, y), "b": np.subtract(x, y)}, SCALARS),
    Kind("update", "a 0-d update, no output", partial(_update, outputs=False), _numpy_update,
         SCALARS[:1]),
    Kind("update-output", "update and output, vector of 10", partial(_update, outputs=True),
         _numpy_update_output, (TEN,)),
    Kind("read-shared", "no argument, a shared value read", _read_shared,
         lambda: lambda: np.multiply(SCALARS[0], 2.0)),
    Kind("counter", "no argument, a counter", _counter, _numpy_counter),
    Kind("default", "a default value taken", _default,
         lambda: lambda x, y=2.25: np.add(x, y), SCALARS[:1]),
    Kind("ten-inputs", "ten 0-d arrays", _ten, lambda: _sum_ten,
         tuple(np.asarray(float(i)) for i in range(10))),
    Kind("matrices", "two matrices of 3x3", _mixed("dmatrix", "dmatrix"), lambda: np.add,
         (np.ones((3, 3)), np.ones((3, 3))), numba=True),
    Kind("broadcast", "matrix of 3x10 and vector of 10", _mixed("dmatrix", "dvector"),
         lambda: np.add, (np.ones((3, 10)), TEN), numba=True),
    Kind("python-ints", "two Python ints", _mixed("lscalar", "lscalar"), lambda: np.add, (3, 4)),
    Kind("lists", "two lists of 10 floats (slow path)", _add_vectors, lambda: np.add,
         (TEN.tolist(), TEN.tolist())),
    Kind("cast", "float32 vectors into float64 (slow path)", _add_vectors,
         lambda: lambda x, y: np.add(x, y, dtype="float64"),
         (TEN.astype("float32"), TEN.astype("float32"))),
    Kind("strided", "every second element of a vector", _add_vectors, lambda: np.add,
         (np.arange(20.0)[::2], np.arange(20.0)[::2])),
)  # fmt: skip


def _inputs() -> Inputs:
    return {}


def _by_numpy(d: Inputs, column: Any, kind: Kind) -> Job:
    return Job(kind.numpy(), kind.arguments, kind.keywords)


def _by_numba(d: Inputs, column: Any, kind: Kind) -> Job:
    import numba as nb  # pyright: ignore[reportMissingImports]

    @nb.njit(fastmath=True)
    def add(x: Any, y: Any) -> Any:
        return x + y

    return Job(add, kind.arguments, kind.keywords)


def _by_theano(d: Inputs, api: Any, kind: Kind) -> Job:
    return Job(kind.theano(api), kind.arguments, kind.keywords)


def _by_jax(d: Inputs, column: Any, kind: Kind) -> Job:
    import jax  # pyright: ignore[reportMissingImports]
    import jax.numpy as jnp  # pyright: ignore[reportMissingImports]

    values = [v if isinstance(v, float) else jnp.array(v) for v in kind.arguments]
    return Job(jax.jit(lambda x, y: x + y), values, None, lambda out: out.block_until_ready())


def _by_torch(d: Inputs, column: Any, kind: Kind) -> Job | None:
    import torch  # pyright: ignore[reportMissingImports]

    if isinstance(kind.arguments[0], float):
        return None
    values = [torch.from_numpy(value) for value in kind.arguments]
    add = torch.compile(lambda x, y: x + y, dynamic=False) if column.compiled else torch.add
    return Job(add, values)


def _expected(d: Inputs, kind: Kind) -> list[Any]:
    return _by_numpy(d, None, kind).check()


def _row(kind: Kind) -> Row:
    main = kind.name in ("0d", "floats", "10-vectors")
    setups = {"numpy": _by_numpy, "theano": _by_theano}
    if kind.numba:
        setups["numba"] = _by_numba
    if main:
        setups |= {"jax": _by_jax, "torch": _by_torch}
    limits = (Bar(1 / 0.4, "numpy"), Bar(1 / 0.8, "numba"))
    return Row(
        name=f"call-{kind.name}",
        title=f"call x + y: {kind.title}",
        inputs=_inputs,
        reference=partial(_expected, kind=kind),
        setups={name: partial(setup, kind=kind) for name, setup in setups.items()},
        made_by="no pass: runtime's native call path",
        bars={1: limits, 2: limits} if main else bars(1.0),
    )


ROWS = tuple(_row(kind) for kind in KINDS)
