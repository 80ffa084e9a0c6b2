"""What a user can do wrong: Theano's kind of error and leading words, the user's line, nothing
lost.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import tetractys
import tetractys.tensor as T
from tetractys import function, shared

HERE = __file__


def line_of(error: BaseException) -> str:
    """The text of an error, all arguments of it."""
    return " ".join(str(argument) for argument in error.args)


def refused(
    kind: type[BaseException], words: str, call: Callable[[], Any], *, line: bool = True
) -> None:
    """`call` raises `kind`; its text has `words`, and names this file unless `line` is False."""
    with pytest.raises(kind) as caught:
        call()
    text = line_of(caught.value)
    assert words in text, text
    if line:
        assert HERE in text, text


def test_wrong_dtype() -> None:
    """A float64 array for a float32 matrix."""
    x = T.fmatrix("x")
    f = function([x], x + 1)
    refused(
        TypeError, "Bad input argument to tetractys function with name", lambda: f(np.zeros((2, 2)))
    )
    refused(
        TypeError,
        "cannot store a value of dtype float64 without risking loss of precision",
        lambda: f(np.zeros((2, 2))),
    )
    refused(TypeError, "at index 0 (0-based)", lambda: f(np.zeros((2, 2))))


def test_complex_numbers() -> None:
    """None is taken, not one without an imaginary part, and NumPy has nothing to warn of."""
    for x, values in ((T.dscalar("x"), (3j, 3 + 0j, np.complex64(1))), (T.dvector("x"), ([1j],))):
        f = function([x], x + 1)
        for value in values:
            refused(TypeError, "cannot store the complex ", partial(f, value))


def test_wrong_rank() -> None:
    """A vector for a matrix."""
    x = T.dmatrix("x")
    f = function([x], x + 1)
    refused(
        TypeError,
        "Wrong number of dimensions: expected 2, got 1 with shape (3,).",
        lambda: f(np.zeros(3)),
    )


def test_sizes_that_do_not_fit() -> None:
    """Elementwise and dot, found at entry, with the numbers and the line."""
    x, y = T.dmatrix("x"), T.dmatrix("y")
    f = function([x, y], x + y)
    refused(
        ValueError,
        "Input dimension mis-match. (input[0].shape[0] = 2, input[1].shape[0] = 3)",
        lambda: f(np.zeros((2, 2)), np.zeros((3, 2))),
    )
    g = function([x, y], T.dot(x, y))
    refused(ValueError, "4", lambda: g(np.zeros((2, 3)), np.zeros((4, 2))))


def test_run_time_one_against_n() -> None:
    """Broadcasting is by type, not by run-time shape."""
    x, y = T.dmatrix("x"), T.dmatrix("y")
    f = function([x, y], x * y)
    refused(
        ValueError,
        "Input dimension mis-match. (input[0].shape[0] = 1, input[1].shape[0] = 3)",
        lambda: f(np.zeros((1, 3)), np.zeros((3, 3))),
    )


def test_arity() -> None:
    """Too few and too many arguments, and unknown names."""
    x, y = T.dscalar("x"), T.dscalar("y")
    f = function([x, y], x + y)
    refused(TypeError, "Missing required input: y", lambda: f(1.0), line=False)
    refused(
        TypeError,
        "Too many parameter passed to tetractys function",
        lambda: f(1.0, 2.0, 3.0),
        line=False,
    )
    refused(
        TypeError,
        "Unknown input or state: z. The function has 2 named inputs (x, y).",
        lambda: f(1.0, z=2.0),
        line=False,
    )


def test_inputs_of_function() -> None:
    """Not a list, missing, unused, duplicated, shared."""
    x, y = T.dscalar("x"), T.dscalar("y")
    refused(
        Exception,
        "should be contained in a list, even when there is a single input.",
        lambda: function(x, x),
        line=False,
    )
    refused(
        tetractys.gof.MissingInputError,
        "was not provided and not given a value",
        lambda: function([x], x + y),
    )
    refused(
        tetractys.compile.UnusedInputError,
        "is not part of the computational graph needed",
        lambda: function([x, y], x),
        line=False,
    )
    refused(
        tetractys.compile.UnusedInputError,
        "Variable x is used twice in inputs to tetractys.function, at indices 0 and 1.",
        lambda: function([x, x], x),
        line=False,
    )
    with pytest.warns(UserWarning, match="not part of the computational graph"):
        function([x, y], x, on_unused_input="warn")
    function([x, y], x, on_unused_input="ignore")
    refused(
        TypeError,
        "Cannot use a shared variable (s) as explicit input.",
        lambda: function([shared(1.0, name="s")], x),
        line=False,
    )


def test_gradients() -> None:
    """A cost that is no scalar; a variable that the cost does not depend on."""
    x, y = T.dvector("x"), T.dscalar("y")
    refused(TypeError, "cost must be a scalar.", lambda: T.grad(x, x), line=False)
    refused(tetractys.gradient.DisconnectedInputError, "", lambda: T.grad(x.sum(), y), line=False)


def test_index_out_of_range() -> None:
    """The kernel reports it; the updates of the call do not happen."""
    p, y = T.dmatrix("p"), T.lvector("y")
    count = shared(np.arange(4.0))
    f = function([p, y], p[T.arange(y.shape[0]), y], updates={count: count + 1})
    before = count.get_value().tobytes()
    refused(
        IndexError,
        "index 7 is out of bounds for axis 1 with size 3",
        lambda: f(np.zeros((2, 3)), [0, 7]),
    )
    assert count.get_value().tobytes() == before
    np.testing.assert_array_equal(f(np.eye(2, 3), [0, -2]), [1.0, 1.0])
    assert count.get_value()[0] == 1.0


def test_integer_division() -> None:
    """NumPy's values, no trap: by zero 0, the smallest integer by -1 itself."""
    for kind in (T.ivector, T.lvector):
        a, b = kind("a"), kind("b")
        f = function([a, b], [a // b, a % b])
        dtype = a.dtype
        smallest = np.iinfo(dtype).min
        first = np.array([7, -7, smallest, 0, smallest], dtype)
        second = np.array([0, 0, -1, 0, 1], dtype)
        quotient, remainder = f(first, second)
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(quotient, first // second)
            np.testing.assert_array_equal(remainder, first % second)


def test_updates_of_the_wrong_type() -> None:
    """dtype, rank, target, duplicates; the words of pfunc."""
    s = shared(np.zeros(3, "float32"), name="s")
    x = T.dvector("x")
    refused(
        TypeError,
        "An update must have the same type as the original shared variable (shared_var=s",
        lambda: function([x], [], updates={s: s + x}),
        line=False,
    )
    refused(
        TypeError,
        "update target must be a SharedVariable",
        lambda: function([x], [], updates={x: x + 1}),
        line=False,
    )
    refused(
        ValueError,
        "this shared variable already has an update expression",
        lambda: function([], [], updates=[(s, s), (s, s)]),
        line=False,
    )


def test_set_value_of_the_wrong_type() -> None:
    """float64 into a float32 shared variable."""
    s = shared(np.zeros(3, "float32"), name="s")
    with pytest.raises(TypeError):
        s.set_value(np.zeros(3))
    assert s.get_value().dtype == np.float32


def test_a_failed_call_leaves_every_shared_value() -> None:
    """Byte for byte, whatever the update had been."""
    s, x = shared(np.arange(3.0), name="s"), T.dvector("x")
    t = shared(np.arange(5.0), name="t")
    f = function([x], [], updates={s: s + x, t: t * 2})
    before = s.get_value().tobytes(), t.get_value().tobytes()
    refused(ValueError, "Input dimension mis-match.", lambda: f(np.zeros(4)))
    assert (s.get_value().tobytes(), t.get_value().tobytes()) == before


def unusual_layouts() -> dict[str, np.ndarray]:
    """The same 3 by 4 values in layouts that kernels do not take as they are."""
    values = np.arange(12.0).reshape(3, 4)
    wide = np.zeros((6, 8))
    wide[::2, ::2] = values
    raw = np.zeros(12 * 8 + 1, np.uint8)
    misaligned = raw[1:].view(np.float64).reshape(3, 4)
    misaligned[...] = values
    read_only = values.copy()
    read_only.flags.writeable = False
    return {
        "strided": wide[::2, ::2],
        "reversed": values[::-1, ::-1].copy()[::-1, ::-1],
        "fortran": np.asfortranarray(values),
        "misaligned": misaligned,
        "read-only": read_only,
        "byte-swapped": values.astype(">f8"),
        "broadcast": np.broadcast_to(values, (1, 3, 4))[0],
        "subclass": values.view(np.matrix),
    }


@pytest.mark.parametrize("layout", unusual_layouts())
def test_unusual_layouts_are_taken_and_left_alone(layout: str) -> None:
    """Values as NumPy's, the argument unchanged."""
    x = T.dmatrix("x")
    f = function([x], [x * 2 + 1, x.sum(axis=0), x.sum()])
    given = unusual_layouts()[layout]
    before = np.array(given)
    first, second, third = f(given)
    np.testing.assert_array_equal(first, before * 2 + 1)
    np.testing.assert_array_equal(second, before.sum(axis=0))
    assert third == before.sum()
    np.testing.assert_array_equal(np.array(given), before)


def test_overlapping_arguments() -> None:
    """Two arguments that share memory, and a shared value that was borrowed out of one of them."""
    base = np.arange(10.0)
    x, y = T.dvector("x"), T.dvector("y")
    s = shared(base[2:7], borrow=True)
    f = function([x, y], x + y, updates={s: s + x})
    np.testing.assert_array_equal(f(base[:5], base[1:6]), np.arange(5.0) * 2 + 1)
    np.testing.assert_array_equal(base, np.arange(10.0))
    np.testing.assert_array_equal(s.get_value(), np.arange(2.0, 7.0) + np.arange(5.0))


def test_an_unwritable_cache_directory(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiles all the same."""
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    monkeypatch.setenv("TETRACTYS_CACHE", str(blocked / "cache"))
    x = T.dscalar("x")
    assert function([x], x * 3.25 + 1)(2.0) == 7.5
