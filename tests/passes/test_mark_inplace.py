"""In-place results: the numbers are those of fresh memory, and nothing of the user's is written."""

from __future__ import annotations

import re

import numpy as np
import pytest

import tetractys as tt
import tetractys.tensor as T
from tetractys.tools import opt

AT_LEVEL_2 = "lower-to-loops,fuse-nests,schedule-cpu,expand-math,cse,vectorize,mark-inplace"


def marks(function: object) -> list[str]:
    """The `inplace` attributes that a compiled function's IR gets."""
    text = function.ir("tensor")  # type: ignore[attr-defined]
    result = opt.run(["-", "-p", AT_LEVEL_2], stdin=text)
    assert result.code == 0, result.stderr
    return re.findall(r"inplace = \[([^\]]*)\]", result.stdout)


@pytest.mark.parametrize("rows, columns", [(0, 3), (1, 1), (3, 0), (5, 8), (7, 13), (16, 33)])
def test_product_and_activation(rows: int, columns: int) -> None:
    """The activation overwrites the product: the one array that this function makes."""
    x, w, b = T.dmatrix("x"), T.dmatrix("w"), T.dvector("b")
    function = tt.function([x, w, b], T.tanh(T.dot(x, w) + b))
    assert marks(function) == ["array<i64: 0, 0>"]
    rng = np.random.default_rng(1)
    values = [rng.normal(size=shape) for shape in ((rows, 4), (4, columns), (columns,))]
    kept = [value.copy() for value in values]
    np.testing.assert_allclose(function(*values), np.tanh(values[0] @ values[1] + values[2]),
                               rtol=1e-13, atol=1e-15)
    for value, before in zip(values, kept):
        assert value.tobytes() == before.tobytes()


@pytest.mark.parametrize("columns", [1, 7, 8, 9, 31])
def test_heavy_body_on_its_own_memory(columns: int) -> None:
    """A heavy body's last vector overlaps the one before; not where that one is overwritten."""
    x, w = T.dmatrix(), T.dmatrix()
    function = tt.function([x, w], T.nnet.softplus(T.log1p(T.exp(T.dot(x, w)))))
    assert marks(function)
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(3, 2)), rng.normal(size=(2, columns))
    wanted = np.log1p(np.exp(np.log1p(np.exp(a @ b))))
    np.testing.assert_allclose(function(a, b), wanted, rtol=1e-13)


def test_integers_do_not_lie_in_memory_of_floats() -> None:
    """Positions of maxima as float64, of the same width: another array."""
    x = T.dmatrix("x")
    function = tt.function([x], T.argmax(x, axis=1) * 0.5)
    assert marks(function) == []
    value = np.random.default_rng(4).normal(size=(9, 8))
    np.testing.assert_array_equal(function(value), value.argmax(axis=1) * 0.5)


def test_a_product_that_is_returned_too() -> None:
    """It is not dead: both results must be right."""
    x, w = T.dmatrix(), T.dmatrix()
    product = T.dot(x, w)
    function = tt.function([x, w], [T.exp(product), product])
    assert marks(function) == []
    a, b = np.random.default_rng(3).normal(size=(2, 5, 5))
    first, second = function(a, b)
    np.testing.assert_allclose(second, a @ b, rtol=1e-13)
    np.testing.assert_allclose(first, np.exp(a @ b), rtol=1e-13)


def test_of_inputs_and_shared_values_only_what_an_update_replaces_is_overwritten() -> None:
    """A map of an input into an output, and of a shared value into its update."""
    x = T.dvector("x")
    state = tt.shared(np.arange(9.0), name="state")
    function = tt.function([x], T.exp(x) * state, updates=[(state, state + x)])
    assert set(marks(function)) == {"array<i64: 1, 1>"}  # the update, and the shared value
    value = np.linspace(0, 1, 9)
    before = value.copy()
    np.testing.assert_allclose(function(value), np.exp(before) * np.arange(9.0), rtol=1e-14)
    np.testing.assert_array_equal(value, before)
    np.testing.assert_array_equal(state.get_value(), np.arange(9.0) + before)


def test_explain_tells_it() -> None:
    """`f.explain()` names the line and the array."""
    x, w = T.dmatrix(), T.dmatrix()
    text = tt.function([x, w], T.exp(T.dot(x, w))).explain()
    assert re.search(r"test_mark_inplace.py:\d+\): result 0 takes the memory of", text)


def copies(function: object) -> int:
    """The nests that copy an array, after `bufferize`."""
    text = function.ir("loops", after="bufferize")  # type: ignore[attr-defined]
    return len(re.findall(r"-> \(collect[^(\n]*\) schedule [^\n]*\{\n *loops\.yield", text))


@pytest.mark.parametrize("mode", ["FAST_RUN", "DebugMode"])
def test_a_scatter_takes_a_dead_init_and_copies_another(mode: str) -> None:
    """Cross-entropy's gradient scatters into what the nest of softmax has made; an argument is
    copied.
    """
    rng = np.random.default_rng(5)
    x, y = T.dmatrix("x"), T.lvector("y")
    cost = T.nnet.categorical_crossentropy(T.nnet.softmax(x), y).sum()
    function = tt.function([x, y], tt.grad(cost, x), mode=mode)
    assert copies(function) == 0
    value, labels = rng.normal(size=(9, 11)), rng.integers(0, 11, 9)
    e = np.exp(value - value.max(axis=1, keepdims=True))
    wanted = e / e.sum(axis=1, keepdims=True) - np.eye(11)[labels]
    np.testing.assert_allclose(function(value, labels), wanted, atol=1e-14)
    added = tt.function([x, y], T.inc_subtensor(x[y], 1.0), mode=mode)
    assert copies(added) == 1
    before = value.copy()
    np.testing.assert_array_equal(added(value, labels % 9)[labels % 9] > before[labels % 9], True)
    assert value.tobytes() == before.tobytes()
