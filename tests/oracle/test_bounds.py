"""The bounds beside the oracle's values: wide enough, and narrow enough to say something."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tetractys
import tetractys.tensor as T
from tetractys.compile.debug import BadOptimization, compare
from tetractys.dialects import elemwise_signatures as ew
from tetractys.dialects.scalar_table import TABLE
from tetractys.dialects.signature import ElemwiseSignature
from tetractys.oracle import tensor
from tetractys.oracle.bounds import run_bounded
from tetractys.oracle.cases import TENSOR_CASES, Case
from tetractys.oracle.program import program
from tetractys.oracle.reference import imported

SMOOTH = [signature for signature, row in TABLE.items() if row.smooth and not signature.machine]


def widths(body: Any, args: list[Any], ones: list[tuple[int, ...]]) -> tuple[Any, Any, Any]:
    """Values and bounds of a program in float32, and the values of the same one in float64."""
    narrow = [a.astype("float32") if a.dtype == np.float64 else a for a in args]
    wide = [a.astype("float64") if a.dtype == np.float32 else a for a in narrow]
    modules = [
        program([(a.dtype.name, shape) for a, shape in zip(given, ones)], body)
        for given in (narrow, wide)
    ]
    values, bounds = run_bounded(modules[0], narrow, real=True)
    return values, bounds, tensor.run(modules[1], wide)


@pytest.mark.parametrize("signature", SMOOTH, ids=lambda s: s.short)
def test_float32_stays_within_its_bounds(signature: ElemwiseSignature) -> None:
    """Two roundings before the operation: what they do to it is in the bound, and not much more."""
    rng = np.random.default_rng(1)
    args = [rng.uniform(low, high, 200) for low, high in TABLE[signature].smooth]
    props = {"dtype": "float32"} if signature is ew.CAST else {}

    def body(b: Any, *xs: Any) -> Any:
        return b(signature, *(b(ew.SQRT, b(ew.MUL, x, x)) for x in xs), **props)

    (value,), (bound,), (wanted,) = widths(body, args, [(-1,)] * len(args))
    assert np.all(np.abs(value - wanted) <= bound)
    units = 200 + TABLE[signature].ulps
    assert np.all(bound <= units * np.spacing(np.maximum(np.abs(value), 1)))


CASES = {
    name: case
    for name, case in TENSOR_CASES.items()
    if case.smooth and "dtype" not in case.props  # they ask for float64
}


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_float32_arrays_stay_within_their_bounds(case: Case) -> None:
    """Whole arrays likewise; the operands are products, so that they have bounds."""
    args = [np.asarray(a) for a in case.args]

    def body(b: Any, *xs: Any) -> Any:
        given = [b(ew.MUL, x, x) if n in case.smooth else x for n, x in enumerate(xs)]
        return list(b.all(case.signature, given, case.props))

    values, bounds, wanted = widths(body, args, [shape for _, shape in case.specs])
    for value, bound, right in zip(values, bounds, wanted):
        assert bound.shape == value.shape
        assert np.all(np.abs(value - right) <= bound)
        assert np.all(bound <= 1e-4)


def test_poles_jumps_and_overflow_are_not_bounded() -> None:
    """Where an operand's range meets one the result may be anything; elsewhere it may not."""
    x = np.array([0.25, 1.0, 2.0])

    def body(b: Any, x: Any) -> Any:
        s = b(ew.SUB, b(ew.MUL, x, x), b.constant(1.0, ("float64", (1,))))
        return [
            b(ew.TRUE_DIV, b.constant(1.0, ("float64", (1,))), s),
            b(ew.GT, s, b.constant(0.0, ("float64", (1,)))),
            b(ew.EXP, b(ew.MUL, b.constant(300.0, ("float64", (1,))), x)),
            b(ew.MUL, x, x),
        ]

    module = program([("float64", (-1,))], body)
    _, (pole, jump, large, plain) = run_bounded(module, [x], real=True)
    assert np.isinf(pole).tolist() == [False, True, False] and pole[2] < 1e-15
    assert jump.tolist() == [0, 1, 0]
    assert np.isinf(large).tolist() == [False, False, False]
    assert np.all(plain == np.spacing(x * x) / 2)
    assert not np.any(run_bounded(module, [x])[1][3])
    assert np.isinf(run_bounded(module, [np.array([2.5])], real=True)[1][2])


def test_debug_mode_holds_small_elements() -> None:
    """An error of 1e-9 in an element of 1e-6, beside one of 1e8, is an error."""
    x = T.dvector("x")
    function = tetractys.function([x], T.exp(x) * 0.75, mode="FAST_COMPILE")
    values, bounds = run_bounded(*imported(function, [np.array([-14.0, 18.0])]))
    compare("nothing", [values[0] * (1 + 2e-16)], values, bounds)
    with pytest.raises(BadOptimization, match=r"a pass changed result 0: .* first at \(0,\)"):
        compare("a pass", [values[0] * [1 + 1e-9, 1]], values, bounds)
