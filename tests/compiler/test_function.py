"""`function`: forms of outputs, updates, givens, keywords, several functions on one state."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest

import tetractys
import tetractys.tensor as T
from tetractys import In, Out, function, shared


def test_forms_of_outputs() -> None:
    """One variable gives an array, a list a list, a dict a dict in sorted order, None `[]`."""
    x = T.dscalar("x")
    one = function([x], x * 2)(3.0)
    assert isinstance(one, np.ndarray) and one.shape == () and one == 6.0
    assert function([x], [x * 2, x + 1])(3.0) == [6.0, 4.0]
    assert list(function([x], {"b": x * 2, "a": x + 1})(3.0).items()) == [("a", 4.0), ("b", 6.0)]
    state = shared(0.0)
    assert function([x], None, updates=[(state, state + x)])(3.0) == []
    assert function([x], [], updates=[(state, state + x)])(1.0) == []
    assert state.get_value() == 4.0
    assert function([x], Out(x * 3, borrow=True))(2.0) == 6.0


def test_all_right_hand_sides_read_the_old_values() -> None:
    """Updates take effect together, behind the outputs."""
    a, b = shared(1.0, name="a"), shared(2.0, name="b")
    swap = function([], [a, b], updates={a: b, b: a})
    assert swap() == [1.0, 2.0]
    assert (a.get_value(), b.get_value()) == (2.0, 1.0)
    assert swap() == [2.0, 1.0]


def test_keywords_and_defaults() -> None:
    """Inputs by name, defaults by `In(value=)`, in any mixture."""
    x, y = T.dvector("x"), T.dscalar("y")
    f = function([x, In(y, value=10.0)], x * y)
    np.testing.assert_array_equal(f([1.0, 2.0]), [10.0, 20.0])
    np.testing.assert_array_equal(f([1.0, 2.0], 2.0), [2.0, 4.0])
    np.testing.assert_array_equal(f(x=[1.0, 2.0], y=3.0), [3.0, 6.0])
    np.testing.assert_array_equal(f(y=3.0, x=np.array([1.0, 2.0])), [3.0, 6.0])
    named = function([In(x, name="data")], x + 1)
    np.testing.assert_array_equal(named(data=[1.0]), [2.0])


def test_givens_replace_before_compiling() -> None:
    """The idiom of the deep-learning tutorials: a slice of a shared array stands for the input."""
    x, index = T.dmatrix("x"), T.lscalar("index")
    data = shared(np.arange(12.0).reshape(6, 2))
    f = function([index], x.sum(), givens={x: data[index * 2 : (index + 1) * 2]})
    assert [float(f(i)) for i in range(3)] == [6.0, 22.0, 38.0]


def test_several_functions_share_one_state() -> None:
    """The seed's accumulator and decrementor."""
    state = shared(0)
    inc = T.iscalar("inc")
    up = function([inc], state, updates=[(state, state + inc)])
    down = function([inc], state, updates=[(state, state - inc)])
    assert [int(up(3)), int(down(1)), int(up(2))] == [0, 3, 2]
    assert state.get_value() == 4


def test_default_update_and_its_exclusions() -> None:
    """D7: a default update runs unless excluded or overridden."""
    counter = shared(0)
    counter.default_update = counter + 1
    f = function([], counter)
    assert [int(f()), int(f())] == [0, 1]
    g = function([], counter, no_default_updates=True)
    assert [int(g()), int(g())] == [2, 2]
    h = function([], counter, no_default_updates=[counter])
    assert [int(h()), int(h())] == [2, 2]
    k = function([], counter, updates={counter: counter + 10})
    k()
    assert counter.get_value() == 12


def test_outputs_alias_nothing() -> None:
    """An output that is an input, a shared value or another output is a copy."""
    x = T.dvector("x")
    state = shared(np.zeros(3))
    f = function([x], [x, x, state, x + 0.0])
    given = np.arange(3.0)
    first, second, third, _ = f(given)
    first[0] = 99.0
    third[0] = 77.0
    assert given[0] == 0.0 and second[0] == 0.0 and state.get_value()[0] == 0.0


def test_shared_values_are_copied_in_and_out() -> None:
    """Borrowing is asked for, never the default."""
    mine = np.zeros(3)
    s = shared(mine)
    mine[0] = 5.0
    assert s.get_value()[0] == 0.0
    out = s.get_value()
    out[1] = 5.0
    assert s.get_value()[1] == 0.0
    kept = s.get_value(borrow=True)
    function([], None, updates={s: s + 1})()
    assert kept[0] == 0.0 and s.get_value()[0] == 1.0


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE", "DebugMode"])
def test_modes_agree(mode: str) -> None:
    """The three pipelines give the same numbers."""
    rng = np.random.default_rng(0)
    x, w = T.dmatrix("x"), shared(rng.standard_normal(3), name="w")
    p = 1 / (1 + T.exp(-T.dot(x, w)))
    cost = -T.log(p).mean()
    f = function([x], [cost, T.grad(cost, w)], mode=mode)
    value = rng.standard_normal((5, 3))
    probability = 1 / (1 + np.exp(-value @ w.get_value()))
    cost_value, gradient = f(value)
    np.testing.assert_allclose(cost_value, -np.log(probability).mean(), rtol=1e-12)
    np.testing.assert_allclose(gradient, ((probability - 1) / 5) @ value, rtol=1e-12)


def test_config_mode_is_the_default() -> None:
    """`config.mode` decides when `mode` is not given."""
    x = T.dscalar("x")
    with tetractys.config.change_flags(mode="FAST_COMPILE"):
        assert function([x], x + 1).maker.mode == "FAST_COMPILE"
    assert function([x], x + 1).maker.mode == "FAST_RUN"


def test_eval() -> None:
    """`z.eval({x: 1})` compiles once and calls."""
    x, y = T.dscalar("x"), T.dscalar("y")
    z = x + y
    assert z.eval({x: 1, y: 2}) == 3.0
    assert z.eval({x: 2, y: 2}) == 4.0


def test_looking_inside() -> None:
    """Each level can be printed; the levels below hold no operation of those above."""
    x, w = T.dmatrix("x"), shared(np.zeros(3), name="w")
    f = function([x], T.tanh(T.dot(x, w)).sum())
    assert "tensor.dot" in f.ir("tensor")
    assert "loops.nest" in f.ir("loops") and "tensor.dot" not in f.ir("loops")
    assert "define" in f.ir("llvm") and "tt_kernel" in f.ir("llvm")
    assert "tt_kernel" in f.asm()
    assert f.svg().startswith("<svg")
    assert "x" in f.explain()
    with pytest.raises(
        ValueError, match="found level 'graph'; expected one of tensor, loops, llvm"
    ):
        f.ir("graph")


def test_printing_compiled_functions() -> None:
    """`pp` gives the formulas, `debugprint` the operations of level 1 with their lines."""
    x, s = T.dscalar("x"), shared(1.0, name="s")
    f = function([x], x * 2, updates={s: s + x})
    assert tetractys.pp(f) == "(x * TensorConstant{2})\ns <- (s + x)"
    text = tetractys.debugprint(f, file="str")
    assert "elemwise.add" in text and __file__ in text


def test_an_input_keeps_no_state() -> None:
    """`In(update=)` is refused in words; shared variables are for that."""
    x = T.dscalar("x")
    with pytest.raises(NotImplementedError, match="use tetractys.shared and `updates`"):
        function([In(x, value=1.0, update=x + 1)], x)


def test_a_warm_cache_imports_no_compiler(tmp_path: object) -> None:
    """The second process loads the object: no xDSL is imported."""
    import os
    import subprocess
    import sys

    program = (
        "import sys, numpy as np, tetractys, tetractys.tensor as T\n"
        "x = T.dvector('x'); f = tetractys.function([x], T.exp(x).sum())\n"
        "print(f([0.0, 0.0]), 'xdsl' in sys.modules)\n"
    )
    environment = {**os.environ, "TETRACTYS_CACHE": str(tmp_path)}
    runs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for _ in range(2)
    ]
    assert runs == [["2.0", "True"], ["2.0", "False"]]


def test_two_threads_update_one_state() -> None:
    """Every update counts: calls lock what they update."""
    total = shared(np.zeros(100_000))
    x = T.dvector("x")
    f = function([x], None, updates={total: total + x})
    ones = np.ones(100_000)

    def work() -> None:
        for _ in range(50):
            f(ones)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(total.get_value(), np.full(100_000, 100.0))


def test_one_compilation_serves_all_shapes() -> None:
    """Sizes 0 and 1 among them."""
    x, y = T.dmatrix("x"), T.dmatrix("y")
    f = function([x, y], [T.exp(x) + y, T.dot(x, y.T), (x * y).sum(axis=0)])
    rng = np.random.default_rng(0)
    for shape in [(0, 0), (0, 3), (3, 0), (1, 1), (1, 5), (5, 1), (7, 9), (64, 33)]:
        a, b = rng.standard_normal(shape), rng.standard_normal(shape)
        first, second, third = f(a, b)
        np.testing.assert_allclose(first, np.exp(a) + b, rtol=1e-14, atol=1e-15)
        np.testing.assert_allclose(second, a @ b.T, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(third, (a * b).sum(axis=0), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("length", [20_000])
def test_long_chains_build_differentiate_and_compile(length: int) -> None:
    """No recursion anywhere."""
    x = T.dscalar("x")
    y = x
    for _ in range(length):
        y = y * 1.0000001
    f = function([x], [y, T.grad(y, x)])
    value, slope = f(1.0)
    np.testing.assert_allclose([value, slope], np.float64(1.0000001) ** length, rtol=1e-9)


class Twice(tetractys.Op):
    """A user's own operation, run in Python."""

    itypes = [T.dvector]
    otypes = [T.dvector]

    def perform(self, node: object, inputs: list[np.ndarray], outputs: list[list[object]]) -> None:
        """Doubles; refuses a first element of 13."""
        if inputs[0].size and inputs[0][0] == 13.0:
            raise RuntimeError("unlucky")
        outputs[0][0] = 2 * inputs[0]


def test_host_operations_run_between_native_stages() -> None:
    """Two of them in a row, with native work before, between and behind."""
    x, s = T.dvector("x"), shared(np.ones(3), name="s")
    first = Twice()(x + s)
    second = Twice()(first * 10)
    f = function([x], [second - 1, first], updates={s: s + second})
    a, b = f([0.0, 1.0, 2.0])
    np.testing.assert_array_equal(b, [2.0, 4.0, 6.0])
    np.testing.assert_array_equal(a, [39.0, 79.0, 119.0])
    np.testing.assert_array_equal(s.get_value(), [41.0, 81.0, 121.0])


def test_an_exception_of_a_host_operation_changes_nothing() -> None:
    """It comes through, with the node and the user's line as a note."""
    x, s = T.dvector("x"), shared(np.zeros(2), name="s")
    f = function([x], Twice()(x), updates={s: s + 1})
    with pytest.raises(RuntimeError, match="unlucky") as caught:
        f([13.0, 0.0])
    assert __file__ in caught.value.__notes__[0]
    np.testing.assert_array_equal(s.get_value(), [0.0, 0.0])


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE", "DebugMode"])
def test_a_pickled_function_is_compiled_anew(mode: str) -> None:
    """Its copy has the name, the keywords, the default values, and shared values of its own."""
    x, w = T.dvector("x"), shared(np.ones(2), name="w")
    k = In(T.dscalar("k"), value=2.0)
    f = function([x, k], {"sum": (w * x).sum() * k.variable}, updates={w: w + x}, name="mine",
                 mode=mode, threads=1)  # fmt: skip
    f([1.0, 2.0])
    data = pickle.dumps(f)
    for twin in (pickle.loads(data), copy.deepcopy(f)):
        assert type(twin) is type(f) and (twin.name, twin.maker.mode) == ("mine", f.maker.mode)
        assert twin(x=[1.0, 1.0]) == {"sum": 10.0}
        assert twin([1.0, 1.0], k=1.0) == {"sum": 7.0}
        assert twin.recipe.spec.threads == 1
    np.testing.assert_array_equal(w.get_value(), [2.0, 3.0])
    program = "import pickle, sys; print(pickle.load(sys.stdin.buffer)([1.0, 1.0])['sum'])"
    done = subprocess.run([sys.executable, "-c", program], input=data, capture_output=True)
    assert (done.stdout.decode().strip(), done.returncode) == ("10.0", 0), done.stderr.decode()


def test_copies_of_a_function_and_its_shared_value() -> None:
    """Copied together, they belong together; a shallow copy has the same shared value."""
    w = shared(1.0, name="w")
    f = function([], w * 1, updates={w: w * 2})
    twin_w, twin = copy.deepcopy([w, f])
    assert (twin(), twin_w.get_value(), w.get_value()) == (1.0, 2.0, 1.0)
    assert (copy.copy(f)(), f(), w.get_value()) == (1.0, 2.0, 4.0)


def test_functions_with_host_operations_are_copied() -> None:
    """The whole of it, cut into stages again."""
    x, s = T.dvector("x"), shared(np.ones(2), name="s")
    f = function([x], Twice()(x + s) + 1, updates={s: s + x}, name="staged")
    for twin in (copy.copy(f), copy.deepcopy(f)):
        np.testing.assert_array_equal(twin([0.0, 1.0]), [3.0, 5.0])
        assert twin.name == "staged"
    np.testing.assert_array_equal(s.get_value(), [1.0, 2.0])
