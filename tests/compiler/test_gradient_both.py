"""The driver on the graph and the driver on the IR give the same gradients, for every operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from xdsl.context import Context
from xdsl.ir import SSAValue

from tetractys import tensor as T
from tetractys.compile.request import Request
from tetractys.compile.to_ir import graph_to_ir
from tetractys.dialects import elemwise_signatures as ew
from tetractys.dialects import tensor_signatures as ts
from tetractys.dialects.scalar_table import SMOOTH, TABLE, default_props
from tetractys.dialects.signature import Spec, is_float
from tetractys.graph import Variable
from tetractys.oracle import assert_agree
from tetractys.oracle.cases import TENSOR_CASES
from tetractys.oracle.program import Builder, program
from tetractys.oracle.tensor import run
from tetractys.passes.autodiff import AutodiffPass
from tetractys.tensor.native import apply_native
from tetractys.tensor.type import tensor_type

RNG = np.random.default_rng(11)


def by_graph(
    specs: Sequence[Spec],
    apply: Callable[..., Variable],
    weights: np.ndarray,
    args: Sequence[np.ndarray],
    wrt: Sequence[int],
) -> list[np.ndarray]:
    """T.grad of sum(weights * apply(...)), imported and run by the oracle."""
    inputs = [tensor_type(spec)() for spec in specs]
    weight = tensor_type((weights.dtype.name, (-1,) * weights.ndim))()
    cost = (weight * apply(*inputs)).sum()
    gradients = T.grad(cost, [inputs[i] for i in wrt])
    request = Request([*inputs, weight], [], gradients, ("test", 1))
    module = graph_to_ir(request)
    module.verify()
    constants = [np.asarray(constant.data) for constant in request.constants]
    return run(module, [*args, weights, *constants])


def by_block(
    specs: Sequence[Spec],
    apply: Callable[..., SSAValue],
    weights: np.ndarray,
    args: Sequence[np.ndarray],
    wrt: Sequence[int],
) -> list[np.ndarray]:
    """The same through `tensor.grad` and the pass."""
    weight: Spec = (weights.dtype.name, (-1,) * weights.ndim)

    def body(b: Builder, *xs: SSAValue) -> Sequence[SSAValue]:
        product = b(ew.MUL, xs[-1], apply(b, *xs[:-1]))
        axes = tuple(range(weights.ndim))
        cost = b(ts.REDUCE, product, kind="add", axes=axes, acc_dtype="float64")
        return b.all(ts.GRAD, [cost, *(xs[i] for i in wrt)], {})

    module = program([*specs, weight], body)
    AutodiffPass().apply(Context(), module)
    module.verify()
    return run(module, [*args, weights])


def compare(
    signature: Any,
    specs: Sequence[Spec],
    args: Sequence[np.ndarray],
    wrt: Sequence[int],
    props: dict[str, object],
) -> None:
    value = run(program(specs, lambda b, *xs: b(signature, *xs, **props)), args)[0]
    weights = RNG.uniform(0.5, 1.5, value.shape).astype("float64")
    graph = by_graph(specs, lambda *xs: apply_native(signature, xs, props)[0], weights, args, wrt)
    block = by_block(specs, lambda b, *xs: b(signature, *xs, **props), weights, args, wrt)
    for position, one, other in zip(wrt, graph, block):
        wanted = (
            args[position].dtype if is_float(args[position].dtype.name) else np.dtype("float64")
        )
        assert one.dtype == wanted
        assert_agree(one, other, 4, what=f"operand {position}")


@pytest.mark.parametrize("name", [s.short for s in TABLE if TABLE[s].gradient == SMOOTH])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_elementwise(name: str, dtype: str) -> None:
    signature = ew.SIGNATURES[name]
    row = TABLE[signature]
    shapes = [(2, 3), (1, 3), (2, 1)]
    args = [
        RNG.uniform(*low_high, shape).astype(dtype) for low_high, shape in zip(row.smooth, shapes)
    ]
    specs: list[Spec] = [(dtype, tuple(1 if n == 1 else -1 for n in a.shape)) for a in args]
    wrt = [1] if name == "second" else list(range(len(args)))
    compare(signature, specs, args, wrt, default_props(signature))


@pytest.mark.parametrize("name", [name for name, case in TENSOR_CASES.items() if case.smooth])
def test_tensor(name: str) -> None:
    case = TENSOR_CASES[name]
    compare(case.signature, case.specs, case.args, case.smooth, case.props)


def check_rop(
    signature: Any,
    specs: Sequence[Spec],
    args: Sequence[np.ndarray],
    wrt: Sequence[int],
    props: dict[str, object],
) -> None:
    """T.Rop along random directions against central differences."""
    inputs = [tensor_type(spec)() for spec in specs]
    points = [inputs[i].type() for i in wrt]
    output = apply_native(signature, inputs, props)[0]
    tangent = T.Rop(output, [inputs[i] for i in wrt], points)
    assert tangent.type == output.type
    directions = [np.asarray(RNG.standard_normal(args[i].shape)) for i in wrt]
    used = [*inputs, *points]
    request = Request(used, [], [tangent], ("test", 1))
    constants = [np.asarray(constant.data) for constant in request.constants]
    (found,) = run(graph_to_ir(request), [*args, *directions, *constants])
    module = program(specs, lambda b, *xs: b(signature, *xs, **props))
    ends = []
    for step in (1e-6, -1e-6):
        moved = [a.copy() for a in args]
        for i, direction in zip(wrt, directions):
            moved[i] = np.asarray(moved[i] + step * direction)
        ends.append(run(module, moved)[0])
    np.testing.assert_allclose(found, (ends[0] - ends[1]) / 2e-6, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", [s.short for s in TABLE if TABLE[s].gradient == SMOOTH])
def test_rop_elementwise(name: str) -> None:
    signature = ew.SIGNATURES[name]
    row = TABLE[signature]
    shapes = [(2, 3), (1, 3), (2, 1)]
    args = [RNG.uniform(*bounds, shape) for bounds, shape in zip(row.smooth, shapes)]
    specs: list[Spec] = [("float64", tuple(1 if n == 1 else -1 for n in a.shape)) for a in args]
    wrt = [1] if name == "second" else list(range(len(args)))
    check_rop(signature, specs, args, wrt, default_props(signature))


@pytest.mark.parametrize("name", [name for name, case in TENSOR_CASES.items() if case.smooth])
def test_rop_tensor(name: str) -> None:
    case = TENSOR_CASES[name]
    check_rop(case.signature, case.specs, case.args, case.smooth, case.props)
