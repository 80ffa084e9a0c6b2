"""Every gradient rule against finite differences, first and second order.

Programs are expanded by the pass `autodiff` and run by the level-1 oracle.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from xdsl.context import Context
from xdsl.ir import SSAValue

from tetractys.dialects import elemwise_signatures as ew
from tetractys.dialects import tensor_signatures as ts
from tetractys.dialects.scalar_table import LAST, NONE, SMOOTH, TABLE, ZERO, default_props
from tetractys.dialects.signature import Spec
from tetractys.oracle.cases import TENSOR_CASES
from tetractys.oracle.program import Builder, program
from tetractys.oracle.tensor import run
from tetractys.passes.autodiff import AutodiffPass
from tetractys.passes.vjp import RULES, find_rule

Body = Callable[..., SSAValue]
RNG = np.random.default_rng(3)


def spec(array: np.ndarray, *ones: int) -> Spec:
    return (array.dtype.name, tuple(1 if axis in ones else -1 for axis in range(array.ndim)))


def weighted(b: Builder, value: SSAValue, seed: int) -> SSAValue:
    """A scalar that depends on every element of `value` in another way."""
    from tetractys.dialects import types

    dtype, shape = types.spec_of(value.type)
    if not shape:
        return b(ew.MUL, value, b.constant(0.7 + seed, (dtype, ())))
    total = value
    for axis in range(len(shape)):
        size = b(ts.SIZE, value, dim=axis)
        zero, one = (b.constant(n, ("int64", ())) for n in (0, 1))
        ramp = b(ts.ARANGE, zero, size, one, dtype="float64")
        order = tuple(0 if i == axis else -1 for i in range(len(shape)))
        if shape[axis] == 1:
            continue
        bent = b(ew.TANH, b(ew.ADD, ramp, b.constant(0.3 + seed, ("float64", (1,)))))
        total = b(ew.MUL, total, b(ts.DIMSHUFFLE, bent, order=order))
    axes = tuple(range(len(shape)))
    return b(ts.REDUCE, total, kind="add", axes=axes, acc_dtype="float64")


def expanded(module: Any) -> Any:
    module.verify()
    AutodiffPass().apply(Context(), module)
    module.verify()
    return module


def check(
    specs: Sequence[Spec],
    body: Body,
    args: Sequence[np.ndarray],
    wrt: Sequence[int],
    order: int = 2,
) -> None:
    """Gradients of weighted(body) by each of `wrt`, and gradients of a weighting of those."""
    args = [np.asarray(a) for a in args]

    def scalar(b: Builder, *xs: SSAValue) -> SSAValue:
        return weighted(b, body(b, *xs), 0)

    for _ in range(order):
        compare(specs, scalar, args, wrt)
        scalar = derived(scalar, wrt)


def derived(scalar: Body, wrt: Sequence[int]) -> Body:
    """A weighting of all gradients of `scalar`: what the next order differentiates."""

    def body(b: Builder, *xs: SSAValue) -> SSAValue:
        gradients = b.all(ts.GRAD, [scalar(b, *xs), *(xs[i] for i in wrt)], {})
        parts = [weighted(b, g, k) for k, g in enumerate(gradients)]
        total = parts[0]
        for part in parts[1:]:
            total = b(ew.ADD, total, part)
        return total

    return body


def compare(
    specs: Sequence[Spec], scalar: Body, args: Sequence[np.ndarray], wrt: Sequence[int]
) -> None:
    value = expanded(program(specs, scalar))
    gradients = run(
        expanded(
            program(
                specs, lambda b, *xs: b.all(ts.GRAD, [scalar(b, *xs), *(xs[i] for i in wrt)], {})
            )
        ),
        args,
    )
    for position, gradient in zip(wrt, gradients):
        assert gradient.dtype == args[position].dtype
        wanted = np.zeros_like(args[position])
        for place in np.ndindex(wanted.shape):
            step = 1e-5
            shifted = []
            for sign in (1, -1):
                moved = [a.copy() for a in args]
                moved[position][place] += sign * step
                shifted.append(float(run(value, moved)[0]))
            wanted[place] = (shifted[0] - shifted[1]) / (2 * step)
        np.testing.assert_allclose(gradient, wanted, rtol=2e-6, atol=2e-7)


def test_every_operation_has_a_rule() -> None:
    find_rule(ew.ADD)
    lowering = {s for s in TABLE if TABLE[s].gradient == NONE}
    assert set(RULES) == (set(TABLE) | set(ts.SIGNATURES.values())) - lowering - {
        ts.GRAD,
        ts.CHECK_EQUAL,
    }


@pytest.mark.parametrize("name", [s.short for s in TABLE if TABLE[s].gradient == SMOOTH])
@pytest.mark.parametrize(
    "shapes",
    [((3,), (3,), (3,)), ((2, 3), (1, 3), (2, 1)), ((1, 2), (2, 2), (2, 2))],
    ids=["equal", "broadcast", "first broadcast"],
)
def test_elementwise(name: str, shapes: tuple[tuple[int, ...], ...]) -> None:
    signature = ew.SIGNATURES[name]
    row, props = TABLE[signature], default_props(signature)
    args = [RNG.uniform(*bounds, shape) for bounds, shape in zip(row.smooth, shapes)]
    specs: list[Spec] = [("float64", tuple(1 if n == 1 else -1 for n in a.shape)) for a in args]
    wrt = [1] if name == "second" else list(range(len(args)))
    check(specs, lambda b, *xs: b(signature, *xs, **props), args, wrt, row.orders)


@pytest.mark.parametrize(
    "name", [s.short for s in TABLE if TABLE[s].gradient == ZERO and s.arity]
)
def test_steps_have_gradient_zero(name: str) -> None:
    signature = ew.SIGNATURES[name]
    discrete = name in ("and", "or", "xor", "invert")

    def scalar(b: Builder, *xs: SSAValue) -> SSAValue:
        chosen = [b(ew.CAST, x, dtype="int64") if discrete else x for x in xs]
        steps = b(signature, *chosen)
        return b(
            ts.REDUCE, b(ew.MUL, b(ew.CAST, steps, dtype="float64"), xs[0]), kind="add", axes=(0,)
        )

    args = [RNG.uniform(1, 2, 3) for _ in range(signature.arity or 0)]
    specs: list[Spec] = [("float64", (-1,))] * len(args)
    compare(specs, scalar, args, [0])


@pytest.mark.parametrize("name", [s.short for s in TABLE if TABLE[s].gradient == LAST])
def test_a_derivative_that_no_operation_computes_is_refused(name: str) -> None:
    signature = ew.SIGNATURES[name]
    with pytest.raises(NotImplementedError, match=f"{name}: found its derivative asked for"):
        check([("float64", (-1,))], lambda b, x: b(signature, x), [np.ones(2)], [0], 1)


SMOOTH_CASES = [name for name, case in TENSOR_CASES.items() if case.smooth]


@pytest.mark.parametrize("name", SMOOTH_CASES)
def test_tensor(name: str) -> None:
    case = TENSOR_CASES[name]
    is_arange = case.signature is ts.ARANGE  # its length changes with its operands' squares

    def body(b: Builder, *xs: SSAValue) -> SSAValue:
        bent = [b(ew.SQR, x) if i in case.smooth and not is_arange else x for i, x in enumerate(xs)]
        return b(case.signature, *bent, **case.props)

    check(case.specs, body, case.args, case.smooth, 1 if is_arange else 2)


def test_every_tensor_operation_has_a_case() -> None:
    assert {case.signature for case in TENSOR_CASES.values()} == set(ts.SIGNATURES.values()) - {
        ts.GRAD
    }
    covered = {TENSOR_CASES[name].signature for name in SMOOTH_CASES}
    assert covered == set(ts.SIGNATURES.values()) - {ts.GRAD, ts.CHECK_EQUAL, ts.SHAPE, ts.SIZE}


@pytest.mark.parametrize("zeros", [0, 1, 2, 3])
def test_product_with_zeros(zeros: int) -> None:
    values = np.array([2.0, -3.0, 0.5])
    values[:zeros] = 0
    check(
        [("float64", (-1,))], lambda b, x: b(ts.REDUCE, x, kind="mul", axes=(0,)), [values], [0], 1
    )


def gradient(body: Body, *args: np.ndarray, wrt: Sequence[int] = (0,)) -> list[np.ndarray]:
    specs = [spec(a) for a in args]
    return run(
        expanded(
            program(specs, lambda b, *xs: b.all(ts.GRAD, [body(b, *xs), *(xs[i] for i in wrt)], {}))
        ),
        args,
    )


def test_every_tie_of_a_maximum_gets_the_gradient() -> None:
    for signature, props in (
        (ts.REDUCE, {"kind": "max", "axes": (0,)}),
        (ts.MAX_AND_ARGMAX, {"axes": (0,)}),
    ):
        found = gradient(lambda b, x, s=signature, p=props: b(s, x, **p), np.array([1.0, 1.0, 0.0]))
        assert found[0].tolist() == [1, 1, 0]


def test_subgradients_are_theanos() -> None:
    zero, bound = np.array(0.0), ("float64", ())
    assert gradient(lambda b, x: b(ew.ABS, x), zero)[0] == 0
    assert gradient(lambda b, x: b(ew.MAXIMUM, x, b.constant(0, bound)), zero)[0] == 1
    assert gradient(lambda b, x: b(ew.MAXIMUM, b.constant(0, bound), x), zero)[0] == 0
    assert gradient(lambda b, x: b(ew.SQRT, x), zero)[0] == np.inf
    assert gradient(lambda b, x: b(ew.POW, x, b.constant(2, bound)), zero)[0] == 0


def test_integers_and_disconnected_values_have_gradient_zero() -> None:
    n, x = np.array([3, 4]), np.array([1.5, 2.5])

    def body(b: Builder, x: SSAValue, n: SSAValue, unused: SSAValue) -> SSAValue:
        rounded = b(ew.CAST, b(ew.CAST, x, dtype="int32"), dtype="float64")
        return b(ts.REDUCE, b(ew.MUL, rounded, b(ew.MUL, n, x)), kind="add", axes=(0,))

    by_x, by_n, by_unused = gradient(body, x, n, x, wrt=(0, 1, 2))
    assert by_x.tolist() == [3.0, 8.0] and by_unused.tolist() == [0, 0]
    assert by_n.dtype == np.float64 and by_n.tolist() == [
        1.5,
        5.0,
    ]  # a float result: n counts as real


def test_dtypes_of_gradients_are_those_of_values() -> None:
    single, double = np.array([1.0, 2.0], np.float32), np.array([3.0, 4.0])
    by_single, by_double = gradient(
        lambda b, x, y: b(ts.REDUCE, b(ew.MUL, x, y), kind="add", axes=(0,)),
        single,
        double,
        wrt=(0, 1),
    )
    assert (by_single.dtype, by_double.dtype) == (np.float32, np.float64)
    assert by_single.tolist() == [3, 4] and by_double.tolist() == [1, 2]


def test_a_chain_of_20000_operations() -> None:
    def body(b: Builder, x: SSAValue) -> SSAValue:
        for _ in range(20_000):
            x = b(ew.NEG, x)
        return x

    assert gradient(body, np.array(2.0))[0] == 1.0


def test_rules_are_all_there_when_one_is_looked_up() -> None:
    """Also where the first of their files is loaded: another thread may be at the second."""
    text = """
import tetractys.passes.vjp_rules_elemwise
from tetractys.dialects import tensor_signatures
from tetractys.passes.vjp import find_rule
assert find_rule(tensor_signatures.DOT) is not None
"""
    subprocess.run([sys.executable, "-c", text], check=True)
