"""What the compiler promises about the seed's training step, read from the compiled function."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import tetractys
import tetractys.tensor as T


def seed_functions(extra: bool = False, **options: Any) -> tuple[Any, Any, dict[str, Any]]:
    """(train, predict, shared values) of the tutorial's logistic regression, weights set to fit
    F=5.
    """
    rng = np.random.default_rng(1)
    x, y = T.dmatrix("x"), T.dvector("y")
    w = tetractys.shared(rng.standard_normal(5), name="w")
    b = tetractys.shared(0.1, name="b")
    p_1 = 1 / (1 + T.exp(-T.dot(x, w) - b))
    xent = -y * T.log(p_1) - (1 - y) * T.log(1 - p_1)
    cost = xent.mean() + 0.01 * (w**2).sum()
    gw, gb = T.grad(cost, [w, b])
    outputs = [p_1 > 0.5, xent] + ([p_1 * 2] if extra else [])
    train = tetractys.function(
        [x, y], outputs, updates=((w, w - 0.1 * gw), (b, b - 0.1 * gb)), name="train", **options
    )
    predict = tetractys.function([x], p_1 > 0.5, name="predict", **options)
    return train, predict, {"w": w, "b": b}


def nests_reading(ir: str, argument: str) -> int:
    """The number of nests whose `ins` name an argument."""
    return len(re.findall(rf"ins\([^)]*%\w+ = %{argument}\[", ir))


@pytest.mark.parametrize("extra", [False, True])
def test_the_step_reads_x_in_exactly_one_nest(extra: bool) -> None:
    """Both products and everything between them in one pass, with a third output too."""
    train, _, _ = seed_functions(extra)
    assert nests_reading(train.ir("loops"), "x") == 1


def test_no_library_and_no_host_call() -> None:
    """`f.explain()` lists them; the seed has none, a matrix product has gemm, a sine of
    float32 the library's for large arguments, one of float64 and a power nothing.
    """
    train, predict, _ = seed_functions()
    assert "library calls: none" in train.explain()
    assert "library calls: none" in predict.explain()
    a, b = T.dmatrix("a"), T.dmatrix("b")
    assert "library calls: gemm, dgemm" in tetractys.function([a, b], T.dot(a, b)).explain()
    assert "library calls: none" in tetractys.function([a], T.sin(a)).explain()
    f = T.fmatrix("f")
    assert "library calls: sinf" in tetractys.function([f], T.sin(f)).explain()
    assert "library calls: none" in tetractys.function([a, b], a**b).explain()
    v = T.dvector("v")
    assert "library calls: none" in tetractys.function([a, v], T.dot(a, v)).explain()


def test_no_fast_math_flag_anywhere() -> None:
    """`reassoc` on the last horizontal sum only; never fast, nnan, ninf, nsz."""
    for function in seed_functions()[:2]:
        text = function.ir("llvm")
        assert not re.search(r"\b(fast|nnan|ninf|nsz|arcp|contract|afn)\b", text)
        for line in text.splitlines():
            assert "reassoc" not in line or "vector.reduce" in line


def test_no_exponential_of_llvm() -> None:
    """`llvm.exp` and its kin would be eight scalar calls a vector."""
    for function in seed_functions()[:2]:
        assert not re.search(r"llvm\.(exp|log|tanh|pow|sin|cos)", function.ir("llvm"))


def test_every_operation_of_level_two_knows_its_line() -> None:
    """No unknown location in the seed's loops."""
    for function in seed_functions()[:2]:
        text = function.ir("loops", debuginfo=True)
        assert "loc(unknown)" not in text
        assert __file__ in text


def test_explain_names_kernels_lines_and_refusals() -> None:
    """A kernel's iteration space, the user's lines, and the clause that kept two nests apart."""
    text = seed_functions()[0].explain()
    assert re.search(r"for i < [xy]\.shape\[0\]", text)
    assert "test_promises.py:" in text
    assert "fuse-nests:" in text


def test_a_changed_constant_is_caught_by_the_oracle(monkeypatch: pytest.MonkeyPatch) -> None:
    """One constant changed behind the oracle's back, in the text that LLVM gets, must be found."""
    from tetractys.compile.debug import BadOptimization
    from tetractys.runtime.compilation import Compilation

    x = T.dvector("x")
    value = np.linspace(-1, 1, 11)
    honest = tetractys.function([x], T.exp(x) * 0.75, mode="DebugMode")
    np.testing.assert_allclose(honest(value), np.exp(value) * 0.75, rtol=1e-14)
    add, changed = Compilation.add, []

    def tampered(self: Compilation, text: str) -> None:
        found = re.search(r"0x3FE8000000000000|0\.75|7\.5\d*e-01", text)
        changed.append(found)
        add(self, text if found is None else text.replace(found[0], "0x3FE8000001000000"))

    monkeypatch.setattr(Compilation, "add", tampered)
    monkeypatch.setenv("TETRACTYS_CACHE", "off")
    with pytest.raises(BadOptimization, match="machine code changed result 0"):
        tetractys.function([x], T.exp(x) * 0.75, mode="DebugMode")(value)
    assert any(changed)


def test_raw_gradient_is_finite_where_p_is_exactly_one() -> None:
    """Theano trains because it cancels; so do we."""
    train, _, shared = seed_functions()
    x = np.full((4, 5), 100.0) * np.sign(shared["w"].get_value())
    y = np.array([0.0, 1.0, 0.0, 1.0])
    prediction, xent = train(x, y)
    assert prediction.all() and np.isfinite(xent).all()
    assert np.isfinite(shared["w"].get_value()).all()
