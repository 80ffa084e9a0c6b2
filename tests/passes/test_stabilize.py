"""`stabilize`: the seed's gradient, and every rule against mpmath where floats go wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp

from tetractys.oracle.tensor import run

Compiled = Callable[..., ModuleOp]

Array = np.ndarray[Any, np.dtype[Any]]

BEFORE = ("explicit-casts", "canonicalize", "cse")
AFTER = ("constant-fold", "canonicalize", "cse")
SEED = Path(__file__).parent / "logistic_regression.mlir"


def names_in(module: ModuleOp) -> set[str]:
    return {op.name for op in module.walk()}


# ---- The seed.

def seed_arguments(seed: int = 0, rows: int = 400, features: int = 784) -> list[Array]:
    """Its own kind of data: standard normal, so that p is exactly 1.0 in some rows."""
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((rows, features)), rng.integers(0, 2, rows).astype(np.float64),
            rng.standard_normal(features), np.asarray(0.0)]


def test_raw_gradient_of_the_seed_is_nan_and_the_stabilised_one_is_not(compiled: Compiled) -> None:
    arguments = seed_arguments()
    raw = run(compiled(SEED.read_text(), *BEFORE, *AFTER), arguments)
    assert np.isnan(raw[4]).any()
    stable = run(compiled(SEED.read_text(), *BEFORE, "stabilize", *AFTER), arguments)
    assert all(np.isfinite(result).all() for result in stable)
    x, y, w, b = arguments
    with mpmath.workprec(200):
        for t, target, row in zip(x @ w + b, y, stable[4]):
            p = 1 / (1 + mpmath.exp(-mpmath.mpf(float(t))))
            expected = (p - mpmath.mpf(float(target))) / len(y)
            assert abs(row - expected) <= 1e-12 * abs(expected) + mpmath.mpf(10) ** -300


def test_seed_needs_no_exponential_no_quotient_of_arrays(compiled: Compiled) -> None:
    module = compiled(SEED.read_text(), *BEFORE, "stabilize", *AFTER)
    assert "elemwise.exp" not in names_in(module)
    assert "elemwise.log" not in names_in(module)
    quotients = [op for op in module.walk() if op.name == "elemwise.true_div"]
    assert [str(op.results[0].type) for op in quotients] == ["tensor<f64>"]  # 1 / N


def test_seed_descends_as_its_formula_does(compiled: Compiled) -> None:
    module = compiled(SEED.read_text(), *BEFORE, "stabilize", *AFTER)
    x, y, w, b = seed_arguments(rows=30, features=50)
    plain_w, plain_b = w, float(b)
    for _ in range(50):
        _, _, w, b, _ = run(module, [x, y, w, b])
        error = 1 / (1 + np.exp(-(x @ plain_w) - plain_b)) - y
        plain_w, plain_b = (plain_w - 0.1 * (x.T @ error / len(y) + 0.02 * plain_w),
                            plain_b - 0.1 * error.mean())
    np.testing.assert_allclose(w, plain_w, rtol=1e-9)
    np.testing.assert_allclose(b, plain_b, rtol=1e-9)


# ---- Single rules.

POINTS = (0.0, -0.0, 1e-300, 1e-20, -1e-20, 1e-9, -1e-9, 0.5, -0.5, 3.0, -3.0, 30.0, -30.0, 40.0,
          -40.0, 700.0, -700.0, 720.0, -720.0, 750.0, -750.0, 1e5, -1e5)

ONE = "%c = elemwise.constant 1.0 : tensor<1xf64>\n"
LOGISTIC = ONE + """%n = elemwise.neg %x : tensor<?xf64>
  %e = elemwise.exp %n : tensor<?xf64>
  %d = elemwise.add %c, %e : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
  %p = elemwise.true_div %c, %d : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
"""
SIGMOID = ONE + """%p = elemwise.sigmoid %x : tensor<?xf64>
  %q = elemwise.sub %c, %p : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
"""
EXP = ONE + """%e = elemwise.exp %x : tensor<?xf64>
  %d = elemwise.add %e, %c : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
"""


def unary(name: str, operand: str) -> str:
    return f"%r = elemwise.{name} {operand} : tensor<?xf64>"


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + mpmath.exp(-x))


RULES: dict[str, tuple[str, Callable[[Any], Any], set[str]]] = {
    # body, real function, operations that must be gone
    "logistic": (LOGISTIC + unary("abs", "%p"),
                 _sigmoid, {"elemwise.exp"}),
    "one minus sigmoid": (SIGMOID + unary("neg", "%q"), lambda x: -_sigmoid(-x), {"elemwise.sub"}),
    "log of sigmoid": (SIGMOID + unary("log", "%p"), lambda x: mpmath.log(_sigmoid(x)),
                       {"elemwise.log"}),
    "log of 1 - sigmoid": (SIGMOID + unary("log", "%q"), lambda x: mpmath.log(_sigmoid(-x)),
                           {"elemwise.log"}),
    "log of 1 + exp": (EXP + unary("log", "%d"), lambda x: mpmath.log(1 + mpmath.exp(x)),
                       {"elemwise.log", "elemwise.exp"}),
    "log1p of exp": (EXP + unary("log1p", "%e"), lambda x: mpmath.log(1 + mpmath.exp(x)),
                     {"elemwise.log1p"}),
    "exp - 1": (EXP + "%r = elemwise.sub %e, %c : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>",
                mpmath.expm1, {"elemwise.exp"}),
    "1 - exp": (EXP + "%r = elemwise.sub %c, %e : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>",
                lambda x: -mpmath.expm1(x), {"elemwise.exp"}),
    "log of exp": (EXP + unary("log", "%e"), lambda x: x, {"elemwise.log", "elemwise.exp"}),
    "log of 1 + x": (ONE + """%s = elemwise.sqr %x : tensor<?xf64>
  %d = elemwise.add %s, %c : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  """ + unary("log", "%d"), lambda x: mpmath.log(1 + x * x), {"elemwise.log"}),
    "root of square": ("%s = elemwise.sqr %x : tensor<?xf64>\n" + unary("sqrt", "%s"), abs,
                       {"elemwise.sqrt"}),
    "exp / (1 + exp)": (EXP + "%r = elemwise.true_div %e, %d : tensor<?xf64>", _sigmoid,
                        {"elemwise.exp", "elemwise.true_div"}),
    "exp / (1 + exp)^2": (EXP + """%dd = elemwise.mul %d, %d : tensor<?xf64>
  %r = elemwise.true_div %e, %dd : tensor<?xf64>""", lambda x: _sigmoid(x) * _sigmoid(-x),
                          {"elemwise.exp", "elemwise.true_div"}),
    "s * exp(-t)": (EXP + """%n = elemwise.neg %x : tensor<?xf64>
  %s = elemwise.sigmoid %n : tensor<?xf64>
  %r = elemwise.mul %s, %e : tensor<?xf64>""", _sigmoid, {"elemwise.exp"}),
    "log of logistic through everything": (EXP + """%p = elemwise.true_div %e, %d : tensor<?xf64>
  """ + unary("log", "%p"), lambda x: mpmath.log(_sigmoid(x)), {"elemwise.log", "elemwise.exp"}),
}


def function(body: str) -> str:
    return f"""func.func @main(%x: tensor<?xf64>) -> tensor<?xf64> {{
  {body}
  func.return %r : tensor<?xf64>
}}"""


@pytest.mark.parametrize("rule", RULES)
def test_rule_gives_the_real_number(compiled: Compiled, rule: str) -> None:
    body, real, gone = RULES[rule]
    module = compiled(function(body), *BEFORE, "stabilize", *AFTER)
    assert not gone & names_in(module)
    (found,) = run(module, [np.asarray(POINTS)])
    with mpmath.workprec(4000):
        for point, value in zip(POINTS, found):
            expected = real(mpmath.mpf(point))
            if abs(expected) < 1e-300:
                assert abs(value) < 1e-300
            elif abs(expected) > 1e308:
                assert value == np.inf * float(mpmath.sign(expected))
            else:
                assert abs((mpmath.mpf(float(value)) - expected) / expected) < 1e-14, (point, value)


LIMITS = {  # at -inf and inf
    "logistic": (0.0, 1.0), "one minus sigmoid": (-1.0, 0.0), "log of sigmoid": (-np.inf, 0.0),
    "log of 1 - sigmoid": (0.0, -np.inf), "log of 1 + exp": (0.0, np.inf),
    "log1p of exp": (0.0, np.inf),
    "exp - 1": (-1.0, np.inf), "1 - exp": (1.0, -np.inf), "log of exp": (-np.inf, np.inf),
    "log of 1 + x": (np.inf, np.inf), "root of square": (np.inf, np.inf),
    "exp / (1 + exp)": (0.0, 1.0),
    "exp / (1 + exp)^2": (0.0, 0.0), "s * exp(-t)": (0.0, 1.0),
    "log of logistic through everything": (-np.inf, 0.0),
}


@pytest.mark.parametrize("rule", RULES)
def test_nan_stays_nan_and_infinities_give_limits(compiled: Compiled, rule: str) -> None:
    module = compiled(function(RULES[rule][0]), *BEFORE, "stabilize", *AFTER)
    (found,) = run(module, [np.array([np.nan, -np.inf, np.inf])])
    assert np.isnan(found[0])
    np.testing.assert_array_equal(found[1:], LIMITS[rule])


def test_what_cancels_must_still_be_looked_at(compiled: Compiled) -> None:
    """x * f / f stays where f's argument would be gone: a NaN in it is a NaN of the result."""
    text = """func.func @main(%x: tensor<?xf64>, %t: tensor<?xf64>) -> tensor<?xf64> {
  %e = elemwise.exp %t : tensor<?xf64>
  %a = elemwise.mul %x, %e : tensor<?xf64>
  %r = elemwise.true_div %a, %e : tensor<?xf64>
  func.return %r : tensor<?xf64>
}"""
    module = compiled(text, *BEFORE, "stabilize", *AFTER)
    assert "elemwise.true_div" in names_in(module)
    module = compiled(text.replace("mul %x", "mul %t"), *BEFORE, "stabilize", *AFTER)
    assert "elemwise.true_div" not in names_in(module)
    (found,) = run(module, [np.zeros(3), np.array([1000.0, -1000.0, np.nan])])
    np.testing.assert_array_equal(found, [1000.0, -1000.0, np.nan])


def test_nothing_cancels_that_may_be_zero(compiled: Compiled) -> None:
    text = """func.func @main(%x: tensor<?xf64>) -> tensor<?xf64> {
  %a = elemwise.sqr %x : tensor<?xf64>
  %s = elemwise.sub %x, %a : tensor<?xf64>
  %m = elemwise.mul %x, %s : tensor<?xf64>
  %r = elemwise.true_div %m, %s : tensor<?xf64>
  func.return %r : tensor<?xf64>
}"""
    assert "elemwise.true_div" in names_in(compiled(text, *BEFORE, "stabilize", *AFTER))


@pytest.mark.parametrize("source, target", [("f32", "f64"), ("f64", "f32")])
def test_patterns_see_through_views_and_casts(compiled: Compiled, source: str, target: str) -> None:
    text = f"""func.func @main(%x: tensor<?x?x{source}>) -> tensor<?x?x{target}> {{
  %p = elemwise.sigmoid %x : tensor<?x?x{source}>
  %t = tensor.dimshuffle %p {{order = array<i64: 1, 0>}} : tensor<?x?x{source}>
  %c = elemwise.cast %t {{dtype = {target}}} : (tensor<?x?x{source}>) -> tensor<?x?x{target}>
  %r = elemwise.log %c : tensor<?x?x{target}>
  func.return %r : tensor<?x?x{target}>
}}"""
    module = compiled(text, *BEFORE, "stabilize", *AFTER)
    assert "elemwise.log" not in names_in(module)
    x = np.array([[-1000.0, 0.0, 3.0]]).astype({"f32": "float32", "f64": "float64"}[source])
    (found,) = run(module, [x])
    np.testing.assert_allclose(found, [[-1000.0], [np.log(0.5)], [-0.04858735]], rtol=1e-6)


# ---- Softmax.

ROWS = """func.func @main(%x: tensor<?x?xf64>, %y: tensor<?xi64>) -> (tensor<?xf64>, tensor<?x?xf64>) {
  %s = tensor.softmax %x : tensor<?x?xf64>
  %n = tensor.size %y {dim = 0 : i64} : (tensor<?xi64>) -> tensor<i64>
  %zero = elemwise.constant 0 : tensor<i64>
  %one = elemwise.constant 1 : tensor<i64>
  %i = tensor.arange %zero, %n, %one {dtype = i64} : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %c = elemwise.constant -1.0 : tensor<1xf64>
  %f = elemwise.constant 0.0 : tensor<1x1xf64>
  %z = elemwise.second %s, %f : (tensor<?x?xf64>, tensor<1x1xf64>) -> tensor<?x?xf64>
  BODY
  %gs = elemwise.mul %g, %s : tensor<?x?xf64>
  %sum = tensor.reduce %gs {kind = "add", axes = array<i64: 1>} : (tensor<?x?xf64>) -> tensor<?xf64>
  %col = tensor.dimshuffle %sum {order = array<i64: 0, -1>} : (tensor<?xf64>) -> tensor<?x1xf64>
  %d = elemwise.sub %g, %col : (tensor<?x?xf64>, tensor<?x1xf64>) -> tensor<?x?xf64>
  %gx = elemwise.mul %d, %s : tensor<?x?xf64>
  func.return %l, %gx : tensor<?xf64>, tensor<?x?xf64>
}"""  # noqa: E501

LOG_THEN_PICK = """%log = elemwise.log %s : tensor<?x?xf64>
  %l = tensor.advanced_subtensor %log, %i, %y : (tensor<?x?xf64>, tensor<?xi64>, tensor<?xi64>) -> tensor<?xf64>
  %v = elemwise.second %l, %c : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %gl = tensor.advanced_inc_subtensor %z, %v, %i, %y : (tensor<?x?xf64>, tensor<?xf64>, tensor<?xi64>, tensor<?xi64>) -> tensor<?x?xf64>
  %g = elemwise.true_div %gl, %s : tensor<?x?xf64>"""  # noqa: E501

PICK_THEN_LOG = """%pick = tensor.advanced_subtensor %s, %i, %y : (tensor<?x?xf64>, tensor<?xi64>, tensor<?xi64>) -> tensor<?xf64>
  %l = elemwise.log %pick : tensor<?xf64>
  %v = elemwise.second %l, %c : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %gp = elemwise.true_div %v, %pick : tensor<?xf64>
  %g = tensor.advanced_inc_subtensor %z, %gp, %i, %y : (tensor<?x?xf64>, tensor<?xf64>, tensor<?xi64>, tensor<?xi64>) -> tensor<?x?xf64>"""  # noqa: E501


@pytest.mark.parametrize("body", [LOG_THEN_PICK, PICK_THEN_LOG], ids=["log, pick", "pick, log"])
def test_cross_entropy_of_softmax_with_its_gradient(compiled: Compiled, body: str) -> None:
    module = compiled(ROWS.replace("BODY", body), *BEFORE, "stabilize", *AFTER)
    assert not {"elemwise.log", "elemwise.true_div"} & names_in(module)
    x = np.array([[1000.0, -1000.0, 0.0], [0.0, 1.0, 2.0], [0.0, np.nan, 1.0]])
    y = np.array([1, 2, 0])
    log_p, gradient = run(module, [x, y])
    assert log_p[0] == -2000
    np.testing.assert_allclose(gradient[0], [1.0, -1.0, 0.0])
    powers = np.exp(x[1])
    np.testing.assert_allclose(gradient[1], powers / powers.sum() - [0, 0, 1], rtol=1e-14)
    assert np.isnan(gradient[2]).all()


def test_nothing_that_may_be_zero_cancels_deep_inside(compiled: Compiled) -> None:
    """((sigmoid(t) * f) / f) * exp(-t) simplifies in t, and keeps f / f."""
    text = """func.func @main(%t: tensor<?xf64>, %f: tensor<?xf64>) -> tensor<?xf64> {
  %s = elemwise.sigmoid %t : tensor<?xf64>
  %a = elemwise.mul %s, %f : tensor<?xf64>
  %b = elemwise.true_div %a, %f : tensor<?xf64>
  %n = elemwise.neg %t : tensor<?xf64>
  %e = elemwise.exp %n : tensor<?xf64>
  %r = elemwise.mul %b, %e : tensor<?xf64>
  func.return %r : tensor<?xf64>
}"""
    module = compiled(text, *BEFORE, "stabilize", *AFTER)
    (found,) = run(module, [np.array([-800.0, 1.0, 1.0]), np.array([2.0, 0.0, np.nan])])
    assert np.isnan(found[1:]).all()


def test_gradient_of_the_front_end_on_the_seed() -> None:
    """The same with `T.grad` in place of the gradient by hand, through all of level 1."""
    import tetractys as tt
    import tetractys.tensor as T
    from tetractys.compile.driver import run_pipeline
    from tetractys.compile.request import Request

    x, y = T.dmatrix("x"), T.dvector("y")
    w, b = tt.shared(np.zeros(784), name="w"), tt.shared(0.0, name="b")
    p_1 = 1 / (1 + T.exp(-T.dot(x, w) - b))
    xent = -y * T.log(p_1) - (1 - y) * T.log(1 - p_1)
    cost = xent.mean() + 0.01 * (w**2).sum()
    site = (__file__, 1)
    request = Request([x, y], [w, b], [xent, *T.grad(cost, [w, b])], site)
    module = run_pipeline(request, "FAST_RUN", until="fuse-elemwise")
    composites = [op for op in module.walk() if op.name == "elemwise.composite"]
    assert len(composites) == 2  # one a row, one a weight
    arguments = seed_arguments()
    loss, gw, gb = run(module, arguments)
    x_, y_, w_, b_ = arguments
    t = x_ @ w_ + b_
    error = (1 / (1 + np.exp(-t)) - y_) / len(y_)
    np.testing.assert_allclose(gw, x_.T @ error + 0.02 * w_, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(gb, error.sum(), rtol=1e-9)
    np.testing.assert_allclose(loss, np.logaddexp(0, np.where(y_, -t, t)), rtol=1e-9)
