"""T.grad and its relatives: Theano's interface, words and printed graphs; numbers by the oracle."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import tetractys
from tetractys import gradient, pp
from tetractys import tensor as T
from tetractys.compile.request import Request
from tetractys.compile.to_ir import graph_to_ir
from tetractys.gradient import (
    DisconnectedInputError,
    DisconnectedType,
    NullTypeGradError,
    grad_not_implemented,
    grad_undefined,
)
from tetractys.graph import Apply, Op, Variable
from tetractys.oracle.tensor import run

V = np.array([0.5, -1.0, 2.0])
X = np.array([[1.0, 2.0, -3.0], [4.0, -5.0, 6.0]])


def value_of(outputs: Any, values: dict[Variable, Any]) -> Any:
    """The values of variables, by the level-1 oracle."""
    listed = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
    request = Request(list(values), [], listed, ("test", 1))
    module = graph_to_ir(request)
    module.verify()
    args = [np.asarray(v, k.type.dtype) for k, v in values.items()]
    found = run(module, [*args, *(np.asarray(c.data) for c in request.constants)])
    return found if isinstance(outputs, (list, tuple)) else found[0]


# Recorded from Theano 1.0.5: pp(T.grad(expression, v)).
RECORDED = [
    (
        lambda x: x**2,
        "((fill((x ** TensorConstant{2}), TensorConstant{1.0}) * TensorConstant{2}) * "
        "(x ** (TensorConstant{2} - TensorConstant{1})))",
    ),
    (T.exp, "(fill(exp(x), TensorConstant{1.0}) * exp(x))"),
    (T.log, "(fill(log(x), TensorConstant{1.0}) / x)"),
    (T.tanh, "(fill(tanh(x), TensorConstant{1.0}) * (TensorConstant{1} - sqr(tanh(x))))"),
    (
        T.nnet.sigmoid,
        "((fill(sigmoid(x), TensorConstant{1.0}) * sigmoid(x)) * "
        "(TensorConstant{1.0} - sigmoid(x)))",
    ),
    (T.log2, "(fill(log2(x), TensorConstant{1.0}) / (x * TensorConstant{0.6931471805599453}))"),
    (T.log10, "(fill(log10(x), TensorConstant{1.0}) / (x * TensorConstant{2.302585092994046}))"),
    (T.sin, "(fill(sin(x), TensorConstant{1.0}) * cos(x))"),
    (T.cos, "((-fill(cos(x), TensorConstant{1.0})) * sin(x))"),
    (T.tan, "(fill(tan(x), TensorConstant{1.0}) / sqr(cos(x)))"),
    (T.arctan, "(fill(arctan(x), TensorConstant{1.0}) / (TensorConstant{1.0} + sqr(x)))"),
    (T.sinh, "(fill(sinh(x), TensorConstant{1.0}) * cosh(x))"),
    (T.cosh, "(fill(cosh(x), TensorConstant{1.0}) * sinh(x))"),
    (
        T.erf,
        "((fill(erf(x), TensorConstant{1.0}) * TensorConstant{1.1283791670955126}) * "
        "exp(((-x) * x)))",
    ),
    (
        T.erfc,
        "(((-fill(erfc(x), TensorConstant{1.0})) * TensorConstant{1.1283791670955126}) * "
        "exp(((-x) * x)))",
    ),
    (T.gammaln, "(fill(gammaln(x), TensorConstant{1.0}) * psi(x))"),
    (T.psi, "(fill(psi(x), TensorConstant{1.0}) * tri_gamma(x))"),
    (T.sqrt, "((fill(sqrt(x), TensorConstant{1.0}) * TensorConstant{0.5}) / sqrt(x))"),
    (T.sqr, "((fill(sqr(x), TensorConstant{1.0}) * x) * TensorConstant{2})"),
    (T.nnet.softplus, "(fill(softplus(x), TensorConstant{1.0}) * sigmoid(x))"),
    (abs, "(fill(|x|, TensorConstant{1.0}) * sgn(x))"),
    (T.log1p, "(fill(log1p(x), TensorConstant{1.0}) / (TensorConstant{1} + x))"),
    (T.expm1, "(fill(expm1(x), TensorConstant{1.0}) * exp(x))"),
    (T.sgn, "fill(x, TensorConstant{0.0})"),
    (lambda x: -x, "(-fill((-x), TensorConstant{1.0}))"),
    (lambda x: x / 3, "(fill((x / TensorConstant{3}), TensorConstant{1.0}) / TensorConstant{3})"),
    (
        lambda x: 3 / x,
        "((-(fill((TensorConstant{3} / x), TensorConstant{1.0}) * TensorConstant{3})) / (x * x))",
    ),
    (
        lambda x: T.maximum(x, 0),
        "(eq(maximum(x, TensorConstant{0}), x) * "
        "fill(maximum(x, TensorConstant{0}), TensorConstant{1.0}))",
    ),
]
VECTORS = [
    (lambda v: v.sum(), "fill(v, fill(Sum{acc_dtype=float64}(v), TensorConstant{1.0}))"),
    (
        T.max,
        "(eq(MaxAndArgmax{axis=(0,)}(v), v) * "
        "fill(MaxAndArgmax{axis=(0,)}(v), TensorConstant{1.0}))",
    ),
    (
        lambda v: T.dot(v, v),
        "((fill((v \\dot v), TensorConstant{1.0}) * v) + "
        "(fill((v \\dot v), TensorConstant{1.0}) * v))",
    ),
    (
        lambda v: v[1],
        "IncSubtensor{Inc;int64}(fill(v, TensorConstant{0.0}), "
        "fill(v[Constant{1}], TensorConstant{1.0}), Constant{1})",
    ),
    (
        lambda v: v[1:].sum(),
        "IncSubtensor{Inc;int64::}(fill(v, TensorConstant{0.0}), "
        "fill(v[int64:], fill(Sum{acc_dtype=float64}(v[int64:]), "
        "TensorConstant{1.0})), Constant{1})",
    ),
]


@pytest.mark.parametrize("case", RECORDED + VECTORS, ids=lambda case: case[1][:40])
def test_printed_gradients_are_theanos(case: tuple[Any, str]) -> None:
    variable = T.dscalar("x") if case in RECORDED else T.dvector("v")
    assert pp(T.grad(case[0](variable), variable)) == case[1]


def test_the_form_of_the_result_is_that_of_wrt() -> None:
    x, y = T.dscalars("x", "y")
    cost = x * y
    assert isinstance(T.grad(cost, [x, y]), list) and isinstance(T.grad(cost, (x,)), tuple)
    assert value_of(T.grad(cost, x), {x: 2, y: 3}) == 3
    assert value_of(T.grad(cost, [y, x]), {x: 2, y: 3}) == [2, 3]
    assert value_of(T.grad(cost, cost), {x: 2, y: 3}) == 1


def test_names() -> None:
    x = T.dscalar("x")
    cost = x**2
    cost.name = "cost"
    assert T.grad(cost, x).name == "(dcost/dx)"
    assert T.grad(cost, x, add_names=False).name is None


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x, v: T.grad(v, v), TypeError, "^cost must be a scalar."),
        (lambda x, v: T.grad(None, v), AssertionError, "cost and known_grads can't both be None."),
        (
            lambda x, v: T.grad(x, {x}),
            TypeError,
            "wrt must not be a set. sets have no defined iteration",
        ),
        (lambda x, v: T.grad(x, "x"), TypeError, "Expected Variable, got x of type <class 'str'>"),
        (lambda x, v: T.grad(3.0, x), TypeError, "^cost must be a scalar."),
        (
            lambda x, v: T.grad(x, x, consider_constant=3),
            TypeError,
            "consider_constant must be an iterable collection, got <class 'int'>",
        ),
        (
            lambda x, v: T.grad(x, x, consider_constant=[[x]]),
            TypeError,
            "Elements of consider_constant must be variables, but got <class 'list'>",
        ),
        (
            lambda x, v: T.grad(x, v),
            DisconnectedInputError,
            "grad method was asked to compute the gradient with respect to a variable that is "
            "not part of",
        ),
        (
            lambda x, v: T.grad(x, v),
            DisconnectedInputError,
            r"(?s)Backtrace when that variable is created:.*test_gradient.py",
        ),
        (
            lambda x, v: T.grad(v.shape[0] * 1.0, v),
            DisconnectedInputError,
            "non-differentiable operator",
        ),
        (
            lambda x, v: T.grad(x, v, disconnected_inputs="no"),
            ValueError,
            "Invalid value for keyword 'disconnected_inputs', valid values are 'ignore', 'warn' "
            "and 'raise'",
        ),
        (
            lambda x, v: T.grad(x, v, disconnected_inputs="ignore", return_disconnected="no"),
            ValueError,
            "Invalid value for keyword 'return_disconnected'",
        ),
        (
            lambda x, v: T.grad(None, x, known_grads={x: 1.0}),
            TypeError,
            "output grads must be theano",
        ),
        (
            lambda x, v: T.grad(None, x, known_grads={x: T.iscalar()}),
            TypeError,
            "Gradients must always be NullType, DisconnectedType, or continuous",
        ),
        (lambda x, v: T.grad(None, x, known_grads={x: v}), ValueError, "are required"),
        (
            lambda x, v: T.Rop(x, x, v),
            ValueError,
            "Element 0 of wrt/eval_point have mismatched dimensionality: 0 versus 1",
        ),
        (lambda x, v: T.Rop(x, v, v), DisconnectedInputError, "Rop method was asked to compute"),
        (lambda x, v: T.jacobian(v * 2, v), NotImplementedError, "needs? scan"),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_bad_input(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call(T.dscalar("x"), T.dvector("v"))


def test_disconnected_inputs() -> None:
    x, v, n = T.dscalar("x"), T.fvector("v"), T.ivector("n")
    zero = T.grad(x, v, disconnected_inputs="ignore")
    assert zero.dtype == "float32" and value_of(zero, {v: V}).tolist() == [0, 0, 0]
    assert T.grad(x, n, disconnected_inputs="ignore").dtype == "float64"
    options = {"disconnected_inputs": "ignore"}
    assert T.grad(x, v, **options, return_disconnected="None") is None
    found = T.grad(x, v, **options, return_disconnected="Disconnected")
    assert isinstance(found.type, DisconnectedType)
    with pytest.warns(UserWarning, match="not part of the computational graph of the cost"):
        T.grad(x, v, disconnected_inputs="warn")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        T.grad(x, v, disconnected_inputs="ignore")


def test_integers() -> None:
    n, x = T.ivector("n"), T.dvector("x")
    zero = T.grad(n.sum(), n)
    assert zero.dtype == "float64" and value_of(zero, {n: [1, 2]}).tolist() == [0, 0]
    assert value_of(T.grad(T.argmax(x) * 1.0, x), {x: V}).tolist() == [0, 0, 0]
    through = T.grad((T.cast(x, "int32") * x).sum(), x)
    assert value_of(through, {x: V}).tolist() == [0, -1, 2]
    assert value_of(T.grad((n * x).sum(), n), {n: [1, 2, 3], x: V}).tolist() == V.tolist()


def test_dtype_of_a_gradient_is_that_of_its_variable() -> None:
    x, z = T.fscalar("x"), T.lscalar("z")
    y = x * 2
    cost = y + z
    by_cost, by_y, by_z, by_x = T.grad(cost, [cost, y, z, x])
    assert by_cost.dtype == "float64" and by_z.dtype == "float64"
    assert by_y.dtype == by_x.dtype == "float32"


def test_consider_constant_and_known_grads() -> None:
    x = T.dscalar("x")
    y = x**2
    assert value_of(T.grad(y * x, x, consider_constant=[y]), {x: 3}) == 9
    assert value_of(T.grad(y * x, y, consider_constant=[y]), {x: 3}) == 3
    known = T.dscalar("known")
    assert value_of(T.grad(None, x, known_grads={y: known}), {x: 3, known: 10}) == 60
    both = T.grad(y * x, x, known_grads={y: known})  # replaces what flows to y
    assert value_of(both, {x: 3, known: 10}) == 9 + 60
    assert T.grad(y, y, known_grads={y: known}) is known
    ends = gradient.subgraph_grad([x], [y], cost=T.exp(y) + x)
    assert value_of([ends[0][0], ends[1][0]], {x: 1.0})[0] == 1


def test_second_derivatives() -> None:
    x, v = T.dscalar("x"), T.dvector("v")
    third = x**3
    for wanted in (12.0, 12.0, 6.0):
        third = T.grad(third, x)
        assert value_of(third, {x: 2.0}) == pytest.approx(wanted)
    first = T.grad(T.tanh(v).sum(), v)
    second = T.grad(first.sum(), v)
    t = np.tanh(V)
    np.testing.assert_allclose(value_of(second, {v: V}), -2 * t * (1 - t**2), rtol=1e-12)
    assert value_of(T.hessian(x**3, x), {x: 2.0}) == pytest.approx(12.0)


@pytest.mark.slow  # `test_function` compiles one that is as long, and its gradient
def test_a_chain_of_20000_operations() -> None:
    x = T.dscalar("x")
    y = x
    for _ in range(20_000):
        y = -y
    assert value_of(T.grad(y, x), {x: 1.0}) == 1


def test_lop_and_rop_against_the_jacobian() -> None:
    x, w, u, t = T.dmatrix("x"), T.dvector("w"), T.dvector("u"), T.dvector("t")
    y = T.tanh(T.dot(x, w)) * w[0]
    values = {x: X / 10, w: V, u: np.array([0.3, -2.0]), t: np.array([1.0, 0.5, -0.25])}
    inner = np.tanh(X / 10 @ V)
    jacobian = ((1 - inner**2) * V[0])[:, None] * X / 10
    jacobian[:, 0] += inner
    lop = value_of(T.Lop(y, w, u), {k: values[k] for k in (x, w, u)})
    rop = value_of(T.Rop(y, w, t), {k: values[k] for k in (x, w, t)})
    np.testing.assert_allclose(lop, values[u] @ jacobian, rtol=1e-12)
    np.testing.assert_allclose(rop, jacobian @ values[t], rtol=1e-12)
    assert isinstance(T.Rop([y], [w], [t]), list) and isinstance(T.Lop(y, (w,), u), tuple)


def test_rop_of_a_gradient_is_the_hessian_times_a_vector() -> None:
    w, t = T.dvector("w"), T.dvector("t")
    cost = (T.exp(w).sum()) ** 2 + T.dot(w, w) * w.prod()
    product = value_of(T.Rop(T.grad(cost, w), w, t), {w: V, t: np.array([1.0, -1.0, 0.5])})
    step, direction = 1e-6, np.array([1.0, -1.0, 0.5])
    ahead = value_of(T.grad(cost, w), {w: V + step * direction})
    behind = value_of(T.grad(cost, w), {w: V - step * direction})
    np.testing.assert_allclose(product, (ahead - behind) / (2 * step), rtol=1e-6)


def test_what_bends_a_gradient() -> None:
    x = T.dscalar("x")
    at = {x: 3.0}
    assert value_of(T.grad(gradient.zero_grad(x) * x, x), at) == 3
    assert value_of(T.grad(gradient.zero_grad(x), x), at) == 0
    assert value_of(T.grad(gradient.disconnected_grad(x) * x, x), at) == 3
    with pytest.raises(DisconnectedInputError):
        T.grad(gradient.disconnected_grad(x), x)
    assert value_of(T.grad(gradient.grad_clip(x * 10, -1, 5), x), at) == 10
    assert value_of(T.grad(gradient.grad_clip(x, -1, 5) * 10, x), at) == 5
    assert value_of(T.grad(gradient.grad_scale(x, -2.0) * x, x), at) == -6 + 3
    with pytest.warns(UserWarning, match="consider_constant.. is deprecated"):
        assert value_of(T.grad(gradient.consider_constant(x) * x, x), at) == 3
    with pytest.raises(NullTypeGradError, match="mathematically undefined"):
        T.grad(gradient.undefined_grad(x), x)
    assert value_of(gradient.zero_grad(x) + gradient.disconnected_grad(x), at) == 6


class Cube(Op):
    """A host operation with a gradient of its own."""

    __props__ = ("form",)

    def __init__(self, form: str) -> None:
        self.form = form

    def make_node(self, x: Any, y: Any) -> Apply:
        return Apply(self, [x, y], [x.type()])

    def perform(self, node: Any, inputs: Any, storage: Any, params: Any = None) -> None:
        storage[0][0] = np.asarray(inputs[0] ** 3)

    def grad(self, inputs: Sequence[Variable], output_grads: Sequence[Variable]) -> Any:
        x, y = inputs
        by_x = 3 * x**2 * output_grads[0]
        match self.form:
            case "None":
                return [by_x, None]
            case "nothing":
                return None
            case "short":
                return [by_x]
            case "integer":
                return [by_x, T.cast(y, "int32")]
            case "undefined":
                return [by_x, grad_undefined(self, 1, y, "because.")]
            case "missing":
                return [by_x, grad_not_implemented(self, 1, y)]
            case _:
                return [by_x, gradient.disconnected_type()]


class CubeWithPattern(Cube):
    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[True], [False]]

    def R_op(self, inputs: Sequence[Variable], eval_points: Sequence[Any]) -> list[Any]:
        return [3 * inputs[0] ** 2 * eval_points[0]]


def compiled(output: Variable, values: dict[Variable, Any]) -> Any:
    """The value of a variable by a compiled function, which runs host operations too."""
    run_it = tetractys.function(list(values), output, on_unused_input="ignore")
    return run_it(*values.values())


def test_host_operations() -> None:
    x, y = T.dscalars("x", "y")
    at, cube = {x: 2.0, y: 5.0}, CubeWithPattern("disconnected")(x, y)
    assert compiled(T.grad(cube, x), at) == 12
    assert compiled(T.grad(T.grad(cube, x), x), at) == 12
    assert compiled(T.Rop(cube, x, y), at) == 60
    with pytest.raises(DisconnectedInputError):
        T.grad(cube, y)
    unsaid = Cube("disconnected")(x, y)
    with pytest.warns(UserWarning, match="grad returned DisconnectedType for input 1. You may"):
        assert compiled(T.Rop(unsaid, x, y), at) == 60
    with pytest.warns(UserWarning, match="pattern"), pytest.raises(DisconnectedInputError):
        T.grad(unsaid, y)


def test_the_methods_of_native_operations() -> None:
    """Users' own `grad` and `R_op` call those of native Ops (Theano's do)."""
    x, g = T.dscalar("x"), T.dscalar("g")
    assert pp(T.exp.grad([x], [g])[0]) == "(g * exp(x))"
    assert pp(T.exp.L_op([x], [T.exp(x)], [g])[0]) == "(g * exp(x))"
    assert value_of(T.exp.R_op([x], [g])[0], {x: 0.0, g: 3.0}) == 3
    assert value_of(T.sgn.grad([x], [g])[0], {x: 2.0}) == 0
    first, second = T.second.grad([x, x * 1], [g])
    assert isinstance(first.type, DisconnectedType) and second is g


@pytest.mark.parametrize(
    ("form", "error", "words"),
    [
        ("None", TypeError, "grad returned None for a gradient term, this is prohibited"),
        ("nothing", TypeError, "grad returned NoneType, expected iterable"),
        ("short", ValueError, "returned the wrong number of gradient terms"),
        (
            "integer",
            TypeError,
            "illegally  returned an integer-valued variable. .Input index 1, dtype int32",
        ),
        (
            "undefined",
            NullTypeGradError,
            "tensor.grad encountered a NaN. This variable is Null because the grad method for "
            "input 1 .*of the Cube.* op is mathematically undefined. because.",
        ),
        ("missing", NullTypeGradError, "op is not implemented"),
    ],
)
def test_host_operations_that_do_wrong(form: str, error: type[Exception], words: str) -> None:
    x, y = T.dscalars("x", "y")
    with pytest.raises(error, match=words):
        T.grad(Cube(form)(x, y * 2), [x, y])


def test_null_gradients_spread_and_can_be_returned() -> None:
    x, y = T.dscalars("x", "y")
    cost = T.exp(Cube("undefined")(x, T.tanh(y) + y)) * y
    found = T.grad(cost, [x, y], null_gradients="return")
    assert isinstance(found[1].type, gradient.NullType)
    assert not isinstance(found[0].type, gradient.NullType)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_verify_grad(dtype: str) -> None:
    rng = np.random.RandomState(0)
    T.verify_grad(lambda x, v: T.tanh(T.dot(x, v)), [X.astype(dtype), V.astype(dtype)], rng=rng)
    wrong = lambda x: T.sqr(x) + gradient.zero_grad(x)  # noqa: E731
    with pytest.raises(T.verify_grad.E_grad, match="numeric gradient and analytic gradient exceed"):
        T.verify_grad(wrong, [V.astype(dtype)], rng=rng)
    with pytest.raises(TypeError, match="verify_grad can work only with floating point inputs"):
        T.verify_grad(wrong, [np.arange(3)], rng=rng)
    with pytest.raises(TypeError, match="rng should be a valid instance"):
        T.verify_grad(wrong, [V])
