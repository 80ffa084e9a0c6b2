"""The sizes of every operation that the user wrote are checked, also where nobody reads its value.

Each case holds in FAST_RUN, FAST_COMPILE and DebugMode: the kind of error, Theano's words, this
file. Beside each stands the same function with sizes that fit, which answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest

import tetractys
import tetractys.tensor as T

MODES = ("FAST_RUN", "FAST_COMPILE", "DebugMode")
MISMATCH = "Input dimension mis-match. (input["
ALIGNED = "shapes not aligned: "
RESHAPE = "Cannot reshape input of 6 elements to a shape of 16 elements"
EMPTY = "zero-size array to reduction operation maximum which has no identity"
BROADCAST = "could not broadcast input array from size "
STEP = "Maximum allowed size exceeded: found an arange with step 0"
APART = "Maximum allowed size exceeded: found an arange whose ends are too far apart"
PRODUCT = "Cannot reshape: found sizes whose product is 2**63 or more"
ENDLESS = "Maximum allowed size exceeded: found an arange of numbers that are infinite, too far"


class Case(NamedTuple):
    """inputs and output by `build`; arguments that fit, and those that do not."""

    name: str
    build: Callable[..., Any]
    good: Sequence[Any]
    bad: Sequence[Any]
    words: str
    kind: type[Exception] = ValueError


def ones(*shape: int) -> np.ndarray:
    """An array of ones."""
    return np.ones(shape)


def numbers(*values: int) -> np.ndarray:
    """An int64 vector."""
    return np.array(values, np.int64)


FIT, MISFIT = (ones(5), ones(5)), (ones(5), ones(4))

CASES = [
    Case("add", lambda x, y: x + y, FIT, MISFIT, MISMATCH + "0].shape[0] = 5, input[1]"),
    Case("shape", lambda x, y: (x + y).shape, FIT, MISFIT, MISMATCH),
    Case("length", lambda x, y: (x * y).shape[0] + 1, FIT, MISFIT, MISMATCH),
    Case("zeros_like", lambda x, y: T.zeros_like(x + y), FIT, MISFIT, MISMATCH),
    Case("fill", lambda x, y: T.fill(x - y, 2.0), FIT, MISFIT, MISMATCH),
    Case("times 0", lambda x, y: T.zeros_like(x) * (x + y), FIT, MISFIT, MISMATCH),
    Case("front", lambda x, y: (x + y)[:0], FIT, MISFIT, MISMATCH),
    Case("switch", lambda x, y: T.switch(T.constant(True), x, x + y), FIT, MISFIT, MISMATCH),
    Case("grad add", lambda x, y: T.grad((x + y).sum(), x), FIT, MISFIT, MISMATCH),
    Case("grad mul", lambda x, y: T.grad((x * y).sum(), x), FIT, MISFIT, MISMATCH),
    Case("grad of mean", lambda x, y: T.grad(((x - y) ** 2).mean(), y), FIT, MISFIT, MISMATCH),
    Case("second grad", lambda x, y: T.grad(T.grad((x**2 * y).sum(), x).sum(), y),
         FIT, MISFIT, MISMATCH),
    Case("entropy", lambda x, y: T.grad(T.nnet.binary_crossentropy(T.nnet.sigmoid(x), y).sum(), x),
         FIT, MISFIT, MISMATCH),
    Case("dot vv", T.dot, FIT, MISFIT, ALIGNED + "5 (dim 0) != 4 (dim 0)"),
    Case("grad dot vv", lambda x, y: T.grad(T.dot(x, y), x), FIT, MISFIT, ALIGNED),
    Case("grad dot mv", lambda m, x: T.grad(T.dot(m, x).sum(), m), (ones(2, 3), ones(3)),
         (ones(2, 3), ones(5)), ALIGNED + "3 (dim 1) != 5 (dim 0)"),
    Case("grad dot mv, vector", lambda m, x: T.grad(T.dot(m, x).sum(), x), (ones(2, 3), ones(3)),
         (ones(2, 3), ones(5)), ALIGNED + "3 (dim 1) != 5 (dim 0)"),
    Case("grad dot vm", lambda x, m: T.grad(T.dot(x, m).sum(), m), (ones(2), ones(2, 3)),
         (ones(5), ones(2, 3)), ALIGNED + "5 (dim 0) != 2 (dim 0)"),
    Case("grad dot mm", lambda m, n: T.grad(T.dot(m, n).sum(), m), (ones(2, 3), ones(3, 5)),
         (ones(2, 3), ones(4, 5)), ALIGNED + "3 (dim 1) != 4 (dim 0)"),
    Case("grad dot mm, right", lambda m, n: T.grad(T.dot(m, n).sum(), n), (ones(2, 3), ones(3, 5)),
         (ones(2, 3), ones(4, 5)), ALIGNED + "3 (dim 1) != 4 (dim 0)"),
    Case("shape of dot", lambda m, n: T.dot(m, n).sum(axis=0).shape, (ones(2, 3), ones(3, 5)),
         (ones(2, 3), ones(4, 5)), ALIGNED),
    Case("reshape", lambda m, k: m.reshape((k, k)).shape, (ones(2, 8), 4), (ones(2, 3), 4),
         RESHAPE),
    Case("grad reshape", lambda m, k: T.grad(m.reshape((k, k)).sum(), m), (ones(2, 8), 4),
         (ones(2, 3), 4), RESHAPE),
    Case("reshape by a vector", lambda m, z: T.ones_like(m.reshape(z, ndim=2)),
         (ones(2, 3), numbers(3, 2)), (ones(2, 3), numbers(4, 4)), RESHAPE),
    Case("reshape by computed numbers", lambda m, z: m.reshape(z * 2 - 1, ndim=2),
         (ones(3, 3), numbers(1, 5)), (ones(2, 3), numbers(1, 8)),
         "Cannot reshape input of 6 elements to a shape of 15"),
    Case("product of sizes", lambda x, i, k: x.reshape((i, k)), (ones(4), 2, 2),
         (ones(4), 2**62 + 1, 4), PRODUCT),
    Case("product of sizes, nothing", lambda x, i, k: x.reshape((i, k, 2)).sum(axis=0),
         (ones(0), 3, 0), (ones(0), 2**32, 2**32), PRODUCT),
    Case("step", lambda x, k: x[::k], (ones(4), 2**63 - 1), (ones(4), 0),
         "slice step cannot be zero"),
    Case("step of a write", lambda x, i, k: T.set_subtensor(x[i:0:k], 1.0),
         (ones(4), 3, -(2**63)), (ones(4), 3, 0), "slice step cannot be zero"),
    Case("length of a shape", lambda m, z: T.ones_like(m.reshape(z * 2, ndim=2)),
         (ones(2, 4), numbers(1, 2)), (ones(2, 4), numbers(1, 2, 1)),
         "Shape argument to Reshape has incorrect length: 3, should be 2"),
    Case("alloc", lambda x, k: T.alloc(x, k).shape, (ones(5), 5), (ones(5), 4),
         BROADCAST + "5 into size 4"),
    Case("negative alloc", lambda x, k: T.zeros((k,)).shape + x.shape, (ones(5), 2), (ones(5), -1),
         "negative dimensions are not allowed"),
    Case("set_subtensor", lambda x, y: T.set_subtensor(x[:3], y).shape, (ones(5), ones(3)),
         (ones(5), ones(4)), BROADCAST + "4 into size 3"),
    Case("grad inc_subtensor", lambda x, y: T.grad(T.inc_subtensor(x[:3], y).sum(), x),
         (ones(5), ones(3)), (ones(5), ones(4)), BROADCAST + "4 into size 3"),
    Case("advanced", lambda m, z: T.zeros_like(m[z, T.arange(3)]), (ones(2, 3), numbers(0, 1, 1)),
         (ones(2, 3), numbers(0, 1)), "shape mismatch: indexing arrays", IndexError),
    Case("addbroadcast", lambda m: T.addbroadcast(m, 0) * 0, (ones(1, 3),), (ones(2, 3),),
         "Dimension 0 in Rebroadcast's input was supposed to be 1 (got 2 instead)"),
    Case("patternbroadcast", lambda m: T.patternbroadcast(m, (False, True)), (ones(2, 1),),
         (ones(2, 3),), "Dimension 1 in Rebroadcast's input was supposed to be 1 (got 3 instead)"),
    Case("arange", lambda k: T.arange(0, 10, k), (3,), (0,), STEP),
    Case("arange downwards", lambda k: T.arange(10, 0, k), (-3,), (0,), STEP),
    Case("arange from below", lambda i, k: T.arange(i, k), (-2, 3), (-(2**63), 1), APART),
    Case("arange down from above", lambda i, k, s: T.arange(i, k, s), (2**63 - 1, 2**61, -(2**62)),
         (2**63 - 1, -1, -(2**62)), APART),
    Case("arange of floats", lambda v: T.arange(0.0, 10.0, v), (0.5,), (0.0,), STEP),
    Case("shape of arange", lambda v: T.arange(0.0, 10.0, v * 2).shape, (0.5,), (-0.0,), STEP),
    Case("arange to infinity", T.arange, (3.5,), (np.inf,), ENDLESS),
    Case("arange to nowhere", T.arange, (3.5,), (np.nan,), ENDLESS),
    Case("arange from far", lambda v: T.arange(v, 1.0), (-2.0,), (-1e300,), ENDLESS),
    Case("arange by infinity", lambda u, v: T.arange(0.0, u, v), (1.0, np.inf), (np.inf, np.inf),
         ENDLESS),
    Case("arange by nothing", lambda v: T.arange(0.0, 1.0, v).shape, (0.5,), (np.nan,), ENDLESS),
    Case("unread arange", lambda v: T.zeros_like(T.arange(v))[:0], (2.5,), (-np.inf,), ENDLESS),
    # What NumPy's reductions say of an axis without elements, the result being empty or not.
    Case("max", lambda m: m.max(axis=1), (ones(0, 3),), (ones(3, 0),), EMPTY),
    Case("max of nothing", lambda m: m.max(axis=1), (ones(0, 3),), (ones(0, 0),), EMPTY),
    Case("unread max", lambda m: T.zeros_like(m.max(axis=0)), (ones(3, 0),), (ones(0, 0),), EMPTY),
    Case("grad max", lambda x: T.grad(x.max(), x), (ones(2),), (ones(0),), EMPTY),
    Case("min", lambda m: m.min(axis=0), (ones(3, 0),), (ones(0, 0),), EMPTY),
    Case("argmax", lambda m: m.argmax(axis=0), (ones(3, 0),), (ones(0, 0),), EMPTY),
    Case("max of all", lambda m: m.max(), (ones(1, 3),), (ones(0, 3),), EMPTY),
    # exp(x - x.max(axis=1, keepdims=True)) / ... in NumPy raises for (3, 0) and (0, 0) alike.
    Case("softmax", T.nnet.softmax, (ones(0, 3),), (ones(3, 0),), EMPTY),
    Case("softmax of nothing", T.nnet.softmax, (ones(0, 3),), (ones(0, 0),), EMPTY),
    Case("unread softmax", lambda m: T.zeros_like(T.nnet.softmax(m)), (ones(2, 3),), (ones(2, 0),),
         EMPTY),
    Case("log of softmax", lambda m: T.log(T.nnet.softmax(m)), (ones(2, 3),), (ones(0, 0),), EMPTY),
]  # fmt: skip


def variable(value: Any, number: int) -> Any:
    """An input for such a value."""
    array = np.asarray(value)
    dtype = "int64" if array.dtype.kind == "i" else "float64"
    return T.TensorType(dtype, (False,) * array.ndim)(f"x{number}")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_sizes_are_checked(case: Case, mode: str) -> None:
    """Sizes that do not fit raise; those that fit do not."""
    inputs = [variable(value, number) for number, value in enumerate(case.good)]
    f = tetractys.function(inputs, case.build(*inputs), mode=mode, on_unused_input="ignore")
    f(*case.good)
    with pytest.raises(case.kind) as caught:
        f(*case.bad)
    assert case.words in str(caught.value)
    assert f'File "{__file__}", line ' in str(caught.value)
    f(*case.good)  # and nothing is left behind


def test_an_update_checks_the_sizes_of_what_it_drops() -> None:
    """Nothing of a call happens where an operation behind an update does not fit."""
    w = tetractys.shared(np.zeros(3), "w")
    x = T.dvector("x")
    f = tetractys.function([x], [], updates=[(w, w + 1 + 0 * T.zeros_like(T.dot(w, x)))])
    with pytest.raises(ValueError, match="shapes not aligned: 3 "):
        f(ones(4))
    np.testing.assert_array_equal(w.get_value(), np.zeros(3))
    f(ones(3))
    np.testing.assert_array_equal(w.get_value(), np.ones(3))


@pytest.mark.parametrize("step", [1, 2, 3, 2**62, 2**63 - 1, -1, -2, -(2**62), -(2**63)])
def test_steps_of_any_length(step: int) -> None:
    """Slices and ranges by steps that no sum holds, known and not, are Python's."""
    x, k = T.dvector("x"), T.lscalar("k")
    value = np.arange(4.0)
    wanted = [value[::step], value[1:3:step], value[3:0:step]]
    slices = tetractys.function([x, k], [x[::k], x[1:3:k], x[3:0:k]])
    known = tetractys.function([x], [x[::step], x[1:3:step], x[3:0:step]])
    for found in (slices(value, step), known(value)):
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(one, other)
    ranges = tetractys.function([k], [T.arange(7, 0, k), T.arange(0, 7, k), T.arange(0, 7, step)])
    for one, ends in zip(ranges(step), [(7, 0), (0, 7), (0, 7)], strict=True):
        np.testing.assert_array_equal(one, list(range(*ends, step)))


@pytest.mark.parametrize("path", ["native", "python"])
def test_temporaries_beyond_all_memory(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes of a workspace are not taken modulo 2**64: there is no memory, and all is as before."""
    monkeypatch.setenv("TETRACTYS_CALLPATH", path)
    n = T.lscalar("n")
    powers = T.exp(T.arange(n) * 0.5)
    f = tetractys.function([n], (powers - powers.sum())[::-1].max())
    wanted = f(3)
    for length in (2**58, 2**61, 2**62):
        with pytest.raises(MemoryError):
            f(length)
    np.testing.assert_array_equal(f(3), wanted)


def test_a_size_is_checked_once() -> None:
    """Checks that rewrites leave behind, and those that others imply, are merged."""
    m, x, y = T.dmatrix("m"), T.dvector("x"), T.dvector("y")
    error = T.dot(m, x) - y
    f = tetractys.function([m, x, y], T.grad((error**2).sum(), [m, x]))
    assert f.ir("loops").count("loops.check") == 2


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", ["int64", "int8"])
def test_reshape_by_computed_numbers(mode: str, dtype: str) -> None:
    """A shape may be computed from a vector, number by number; broadcast constants too."""
    m, z = T.dmatrix("m"), T.TensorType(dtype, (False,))("z")
    sizes = T.maximum(T.cast(z, "int64") * 2 - z, 1) // 1
    value = np.arange(6.0).reshape(2, 3)
    f = tetractys.function([m, z], m.reshape(sizes, ndim=2), mode=mode)
    np.testing.assert_array_equal(f(value, np.array([3, 2], dtype)), value.reshape(3, 2))
    np.testing.assert_array_equal(f(value, np.array([-3, 6], dtype)), value.reshape(1, 6))


NUMBERS: dict[str, tuple[str, Callable[[Any], Any], Sequence[float]]] = {
    "narrow": ("int8", lambda z: z * 2, (1, 3)),
    "that wraps": ("int8", lambda z: z * 2, (-127, -125)),
    "unsigned": ("uint8", lambda z: z + 1, (1, 5)),
    "backwards": ("int32", lambda z: z[::-1], (6, 2)),
    "of floats": ("float64", lambda z: T.cast(z * 0.5, "int64"), (4.0, 12.0)),
    "of exponentials": ("float64", lambda z: T.cast(T.exp(z) + 0.5, "int64"), (0.7, 1.8)),
    "looked up": ("int64", lambda z: z[T.arange(1, -1, -1)], (6, 2)),
    "of which one is set": ("int64", lambda z: T.set_subtensor(z[0], 2), (7, 6)),
}
"""How a shape of two numbers is computed from a vector: its dtype, how, a value that gives 2, 6."""


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", NUMBERS)
def test_a_shape_of_numbers(name: str, mode: str) -> None:
    """Each by itself, whatever they are computed from; the vector is as long as the shape."""
    dtype, compute, given = NUMBERS[name]
    x, z = T.dvector("x"), T.TensorType(dtype, (False,))("z")
    whole = x.reshape(compute(z), ndim=2)
    f = tetractys.function([x, z], [whole, whole.shape], mode=mode)
    value = np.arange(12.0)
    found, shape = f(value, np.array(given, dtype))
    np.testing.assert_array_equal(found, value.reshape(2, 6))
    assert shape.tolist() == [2, 6]
    if name not in ("looked up", "of which one is set"):
        with pytest.raises(ValueError, match="incorrect length: 3, should be 2"):
            f(value, np.array([*given, 1], dtype))
    with pytest.raises((ValueError, IndexError)):
        f(value, np.array(given[:1], dtype))


COMPUTED = "found a size that depends on the elements of a computed array; expected sizes computed"


@pytest.mark.parametrize("mode", MODES)
def test_what_a_pass_refuses_is_said_in_words(mode: str) -> None:
    """A shape out of a product: unsupported, with the Apply, the line, and no dump of IR."""
    m, z = T.dmatrix("m"), T.dvector("z")
    sizes = T.cast(T.dot(m, z), "int64")
    reshaped = m.reshape(sizes, ndim=2)
    with pytest.raises(NotImplementedError) as caught:
        tetractys.function([m, z], reshaped, mode=mode)
    text = str(caught.value)
    assert COMPUTED in text and "\nApply node that cannot be compiled: " in text
    assert f'File "{__file__}", line ' in text and "m.reshape(sizes, ndim=2)" in text
    assert "loops." not in text and "builtin.module" not in text
    notes = "".join(getattr(caught.value, "__notes__", []))
    assert ("loops.gather" in notes) is (mode == "DebugMode")
    assert "builtin.module" not in notes
    assert caught.value.__cause__ is None or mode == "DebugMode"


def test_what_a_pass_did_not_foresee_is_said_to_be_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other exception of a pass names the pass and the user's line, and stays the cause."""
    from tetractys.compile.refusals import CompileError
    from tetractys.passes import canonicalize

    def broken(*_: object) -> None:
        raise KeyError("lost")

    monkeypatch.setattr(canonicalize, "apply_patterns", broken)
    x = T.dvector("x")
    with pytest.raises(CompileError, match="canonicalize: found KeyError: 'lost'") as caught:
        tetractys.function([x], T.exp(x) * 1.2345)
    assert f'File "{__file__}", line ' in str(caught.value)
    assert isinstance(caught.value.__cause__, KeyError)


ONE_LINE: list[tuple[Callable[..., Any], Sequence[Any], str]] = [
    (lambda x, y: (x + 1) * (y - 2) + (x - y) * 3, MISFIT,
     "Elemwise{mul,no_inplace}(Elemwise{add,no_inplace}.0, Elemwise{sub,no_inplace}.0)"),
    (lambda x, y: (x[1:] + x[:-1]).sum() + (y[1:] + y[:-1]).sum() + (x - y).sum(), MISFIT,
     "Elemwise{sub,no_inplace}(x0, x1)"),
    (lambda x, y, z: (x + y).sum() + (y + z).sum(), (ones(4), ones(4), ones(5)),
     "Elemwise{add,no_inplace}(x1, x2)"),
    (lambda x, y, z: T.dot(x, y) + T.dot(y, z), (ones(4), ones(4), ones(5)), "dot(x1, x2)"),
    (lambda x, y, z: T.grad((x / y).sum() + T.dot(y, z), y), (ones(3), ones(4), ones(4)),
     "Elemwise{true_div,no_inplace}(x0, x1)"),
    (lambda m, k: m.reshape((k, 3)).sum() + m.reshape((3, k)).sum() + m.reshape((k, k)).sum(),
     (ones(2, 6), 4), "Reshape{2}(x0, MakeVector{dtype='int64'}.0)"),
    (lambda m, i, j: m[i, 1] + m[0, j], (ones(2, 3), 0, 5),
     "Subtensor{int64, int64}(x0, Constant{0}, ScalarFromTensor.0)"),
    (lambda m, i, j: m[i].sum() + m[:, j].sum(), (ones(2, 3), 2, 1),
     "Subtensor{int64}(x0, ScalarFromTensor.0)"),
    (lambda m, i, j: T.log(m)[T.arange(2), i].sum() + T.exp(m)[j].sum(),
     (ones(2, 3), numbers(0, 3), numbers(1, 0)),
     "AdvancedSubtensor(Elemwise{log,no_inplace}.0, ARange{dtype='int64'}.0, x1)"),
    (lambda x, i, j: T.inc_subtensor(x[i], 1.0).sum() * T.inc_subtensor(x[j], 2.0).sum(),
     (ones(3), numbers(0, 2), numbers(1, 3)),
     "AdvancedIncSubtensor1{no_inplace,inc}(x0, InplaceDimShuffle{x}.0, x2)"),
    (lambda x, i, j: T.set_subtensor(x[i], 1.0).sum() * T.set_subtensor(x[j], 2.0).sum(),
     (ones(3), 0, 4), "IncSubtensor{Set;int64}(x0, TensorConstant{2.0}, ScalarFromTensor.0)"),
    (lambda m, n: m.max(axis=1).sum() + n.max(axis=1).sum(), (ones(2, 3), ones(2, 0)),
     "MaxAndArgmax{axis=(1,)}(x1)"),
]  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("number", range(len(ONE_LINE)))
def test_the_one_apply_that_failed_is_named(number: int, mode: str) -> None:
    """Of several Applies on one line that could fail in the same words."""
    build, values, apply = ONE_LINE[number]
    inputs = [variable(value, number) for number, value in enumerate(values)]
    for _ in range(2):  # compiled, then from the cache
        f = tetractys.function(inputs, build(*inputs), mode=mode)
        with pytest.raises((ValueError, IndexError)) as caught:
            f(*values)
        assert f"\nApply node that caused the error: {apply}\nBack" in str(caught.value)
