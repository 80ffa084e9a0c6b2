"""Every tensor operation, lowered, fused and scheduled, against both interpreters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from tetractys.dialects import elemwise_signatures as ew
from tetractys.dialects import tensor_signatures as ts
from tetractys.dialects.signature import Spec
from tetractys.oracle.judge import judge
from tetractys.oracle.program import program
from tetractys.passes.lower_to_loops import RULES

RNG = np.random.default_rng(0)
V: Spec = ("float64", (-1,))
M: Spec = ("float64", (-1, -1))
T3: Spec = ("float64", (-1, -1, -1))
S: Spec = ("float64", ())
COL: Spec = ("float64", (-1, 1))
ROW: Spec = ("float64", (1, -1))
INT: Spec = ("int64", ())
IV: Spec = ("int64", (-1,))


def real(*shape: int) -> Any:
    return RNG.standard_normal(shape)


def ints(*values: int) -> Any:
    return np.array(values, np.int64)


def scalar(value: int) -> Any:
    return np.array(value, np.int64)


Case = tuple[str, Sequence[Spec], Callable[..., Any], Sequence[Sequence[Any]]]
CASES: list[Case] = []


def case(name: str, specs: Sequence[Spec], body: Callable[..., Any], *runs: Sequence[Any]) -> None:
    """One program and the arguments of its runs."""
    CASES.append((name, specs, body, runs))


def op(name: str, count: int, **props: Any) -> Callable[..., Any]:
    """A body of one operation on all arguments."""
    return lambda b, *args: list(b.all(ts.SIGNATURES[name], args, props))[:count]


# Shape work.
X34, X43 = real(3, 4), real(4, 3)
for order in ((1, 0), (0, -1, 1), (-1, 1, 0, -1)):
    case(f"dimshuffle {order}", [M], op("dimshuffle", 1, order=order), [X34], [real(0, 2)])
case("dimshuffle drops", [COL], op("dimshuffle", 1, order=(0,)), [real(3, 1)])
case("dimshuffle to rank 0", [("float64", (1, 1))], op("dimshuffle", 1, order=()), [real(1, 1)])
case("dimshuffle of a scalar", [S], op("dimshuffle", 1, order=(-1, -1)), [real()])
case(
    "reshape",
    [M, IV],
    op("reshape_to", 1, ndim=2, ones=()),
    [X34, ints(2, 6)],
    [X34, ints(-1, 3)],
    [X34, ints(5, 2)],
    [X34, ints(-1, 5)],
    [real(0, 3), ints(3, 0)],
    [X34, ints(2, 3, 2)],
    [X34, ints(-2, -6)],
)
case(
    "flatten",
    [M],
    lambda b, x: b(
        ts.RESHAPE_TO, x, b(ts.MAKE_VECTOR, b.constant(-1, INT), dtype="int64"), ndim=1, ones=()
    ),
    [X34],
    [real(0, 3)],
)
case(
    "flatten of a computed transpose",
    [M],
    lambda b, x: b(
        ts.RESHAPE_TO,
        b(ts.DIMSHUFFLE, b(ew.SQR, x), order=(1, 0)),
        b(ts.MAKE_VECTOR, b.constant(-1, INT), dtype="int64"),
        ndim=1,
        ones=(),
    ),
    [X34],
)
case(
    "reshape that adds ones",
    [M],
    lambda b, x: b(
        ts.RESHAPE_TO,
        x,
        b(
            ts.MAKE_VECTOR,
            b(ts.SIZE, x, dim=0),
            b.constant(1, INT),
            b(ts.SIZE, x, dim=1),
            dtype="int64",
        ),
        ndim=3,
        ones=(1,),
    ),
    [X34],
)
case(
    "reshape to rank 0",
    [M, S],
    lambda b, x, s: b(ts.RESHAPE_TO, x, b(ts.SHAPE, s), ndim=0, ones=()),
    [real(1, 1), real()],
    [X34, real()],
)
case(
    "reshape by another's shape",
    [M, M],
    lambda b, x, y: b(ts.RESHAPE_TO, x, b(ts.SHAPE, y), ndim=2, ones=()),
    [X34, X43],
    [X34, real(2, 5)],
)
case(
    "reshape by dynamic sizes",
    [V, INT, INT],
    lambda b, x, n, m: b(ts.RESHAPE_TO, x, b(ts.MAKE_VECTOR, n, m, dtype="int64"), ndim=2, ones=()),
    [real(6), scalar(2), scalar(3)],
    [real(6), scalar(-1), scalar(3)],
    [real(6), scalar(3), scalar(-1)],
    [real(6), scalar(4), scalar(-1)],
)
case("shape", [M], op("shape", 1), [X34])
case("size", [M], op("size", 1, dim=1), [X34])
case(
    "make_vector",
    [INT, INT, INT],
    op("make_vector", 1, dtype="float64"),
    [scalar(1), scalar(2), scalar(3)],
)
case("make_vector of one", [INT], op("make_vector", 1, dtype="int64"), [scalar(5)])
case(
    "alloc",
    [V, INT, INT],
    op("alloc", 1, ones=()),
    [real(3), scalar(2), scalar(3)],
    [real(3), scalar(0), scalar(3)],
    [real(3), scalar(2), scalar(4)],
    [real(3), scalar(-2), scalar(3)],
)
case(
    "alloc with ones",
    [S, INT],
    lambda b, v, n: b(ts.ALLOC, v, b.constant(1, INT), n, ones=(0,)),
    [real(), scalar(3)],
)
case(
    "arange",
    [INT, INT, INT],
    op("arange", 1, dtype="int64"),
    [scalar(0), scalar(5), scalar(1)],
    [scalar(1), scalar(10), scalar(3)],
    [scalar(10), scalar(1), scalar(-4)],
    [scalar(3), scalar(1), scalar(1)],
)
case(
    "arange of floats",
    [S, S, S],
    op("arange", 1, dtype="float64"),
    [np.array(0.5), np.array(3.2), np.array(0.3)],
    [np.array(2.0), np.array(-1.0), np.array(-0.5)],
)
case(
    "second",
    [M, S],
    lambda b, x, s: b(ew.SECOND, x, b(ts.DIMSHUFFLE, s, order=(-1, -1))),
    [X34, real()],
)
case(
    "second of an array",
    [M, M],
    lambda b, x, y: b(ew.SECOND, x, y),
    [X34, real(3, 4)],
    [X34, real(3, 1)],
)

case(
    "flatten by a constant vector",
    [M],
    lambda b, x: b(ts.RESHAPE_TO, x, b.constant(-1, ("int64", (1,))), ndim=1, ones=()),
    [X34],
)
case(
    "flatten by a scalar made a vector",
    [M, INT],
    lambda b, x, n: b(ts.RESHAPE_TO, x, b(ts.DIMSHUFFLE, n, order=(-1,)), ndim=1, ones=()),
    [X34, scalar(-1)],
    [X34, scalar(11)],
)

# Reductions.
for kind in ts.REDUCTIONS:
    for dtype in ("float64", "float32", "int32", "bool"):
        if dtype.startswith("float") and kind in ("and", "or"):
            continue
        values = (RNG.standard_normal((3, 4)) * 3).astype(dtype)
        for axes in ((0,), (1,), (0, 1), ()):
            case(
                f"reduce {kind} {dtype} {axes}",
                [(dtype, (-1, -1))],
                op("reduce", 1, kind=kind, axes=axes),
                [values],
                [values[:, :0]],
                [values[:0]],
            )
case(
    "reduce in a wider accumulator",
    [("float32", (-1, -1))],
    op("reduce", 1, kind="add", axes=(1,), dtype="float32", acc_dtype="float64"),
    [real(3, 4).astype(np.float32)],
)
case(
    "reduce to a scalar in a wider accumulator",
    [("float32", (-1,))],
    op("reduce", 1, kind="add", axes=(0,), dtype="float32", acc_dtype="float64"),
    [real(4).astype(np.float32)],
)
case("reduce of a static 1", [COL], op("reduce", 1, kind="add", axes=(1,)), [real(3, 1)])
case("reduce a row over everything", [ROW], op("reduce", 1, kind="max", axes=(0, 1)), [real(1, 3)])
case(
    "reduce of 1 x 1", [("float64", (1, 1))], op("reduce", 1, kind="add", axes=(0, 1)), [real(1, 1)]
)
case("reduce three dimensions", [T3], op("reduce", 1, kind="max", axes=(0, 2)), [real(2, 3, 4)])
TIES = np.array([[1.0, 3.0, 3.0], [3.0, np.nan, 0.0], [2.0, 2.0, 2.0]])
for axes in ((0,), (1,), (0, 1)):
    case(
        f"max_and_argmax {axes}",
        [M],
        op("max_and_argmax", 2, axes=axes),
        [TIES],
        [X34],
        [real(0, 3)],
    )
    case(
        f"argmax {axes}",
        [M],
        lambda b, x, axes=axes: b.all(ts.MAX_AND_ARGMAX, [x], {"axes": axes})[1],
        [TIES],
    )
case(
    "max_and_argmax of three dimensions",
    [T3],
    op("max_and_argmax", 2, axes=(0, 2)),
    [real(2, 3, 4)],
)
case("max_and_argmax over static 1", [COL], op("max_and_argmax", 2, axes=(1,)), [real(3, 1)])

# Products.
for first, second, args in (
    (V, V, (real(3), real(3))),
    (M, V, (X34, real(4))),
    (V, M, (real(3), X34)),
    (M, M, (X34, X43)),
    (M, M, (X34, real(3, 4))),
    (V, V, (real(0), real(0))),
    (M, COL, (X34, real(4, 1))),
    (ROW, M, (real(1, 3), X34)),
    (COL, ROW, (real(3, 1), real(1, 4))),
    (ROW, COL, (real(1, 3), real(3, 1))),
):
    case(f"dot {len(first[1])} {len(second[1])}", [first, second], op("dot", 1), args)
case(
    "dot of ints and floats",
    [("int32", (-1, -1)), V],
    op("dot", 1),
    [RNG.integers(-3, 3, (3, 4)).astype(np.int32), real(4)],
)
case("dot of bools", [("bool", (-1, -1)), ("bool", (-1,))], op("dot", 1), [X34 > 0, real(4) > 0])
for a in (False, True):
    for b_ in (False, True):
        case(
            f"gemm {a} {b_}",
            [M, M],
            op("gemm", 1, transpose_a=a, transpose_b=b_),
            [X43 if a else X34, X34 if b_ else X43],
        )
case(
    "gemm of a view",
    [M, M],
    lambda b, x, y: b(ts.GEMM, b(ts.DIMSHUFFLE, x, order=(1, 0)), b(ew.SQR, y)),
    [X34, real(3, 2)],
    [X34, real(4, 2)],
)
case(
    "gemm of a slice",
    [M, M],
    lambda b, x, y: b(ts.GEMM, b(ts.SUBTENSOR, x, slices="1:"), y),
    [X34, X43],
)

# Indexing.
for slices in (
    "0",
    "-1",
    "7",
    "1:",
    ":2",
    "::2",
    "::-1",
    "-2:",
    "5:1",
    ":, 1",
    ":, ::-2",
    "1, 1:3",
    "2:0:-1, 1",
    "-9:9",
    "0, 0",
    ":-1, -1:",
    "1:3, 4",
):
    case(f"subtensor {slices}", [M], op("subtensor", 1, slices=slices), [X34], [real(0, 5)])
    shape = np.zeros((5, 5))[eval(f"np.s_[{slices}]") if "7" not in slices else 0].shape
    spec: Spec = ("float64", (-1,) * len(shape))
    region = [real(*X34[eval(f"np.s_[{slices}]")].shape)] if slices not in ("7", "1:3, 4") else None
    for how in (True, False):
        if region is not None:
            case(
                f"inc_subtensor {slices} {how}",
                [M, spec],
                op("inc_subtensor", 1, slices=slices, set=how),
                [X34, *region],
            )
for bounds in ((0, 3, 1), (-2, 9, 1), (3, 0, -1), (-1, -9, -2), (1, 1, 1), (9, -9, -3), (5, 1, 2)):
    case(
        f"subtensor of dynamic bounds {bounds}",
        [V, INT, INT, INT],
        op("subtensor", 1, slices="@:@:@"),
        [real(4), *(scalar(n) for n in bounds)],
        [real(0), *(scalar(n) for n in bounds)],
    )
case(
    "subtensor of a dynamic index",
    [M, INT],
    op("subtensor", 1, slices=":, @"),
    [X34, scalar(2)],
    [X34, scalar(-1)],
    [X34, scalar(4)],
    [X34, scalar(-5)],
)
case(
    "slice of a slice",
    [M],
    lambda b, x: b(
        ts.SUBTENSOR,
        b(ts.DIMSHUFFLE, b(ts.SUBTENSOR, x, slices="1:, ::2"), order=(1, 0)),
        slices="::-1, 0",
    ),
    [X34],
)
case(
    "index out of a slice",
    [V],
    lambda b, x: b(ts.SUBTENSOR, b(ts.SUBTENSOR, x, slices="1:3"), slices="-3"),
    [real(5)],
)
case(
    "slices added",
    [V, V],
    lambda b, x, y: b(ew.MUL, b(ts.SUBTENSOR, x, slices="1:"), b(ts.SUBTENSOR, y, slices=":-1")),
    [real(4), real(4)],
    [real(4), real(5)],
)
case("index of a shape", [M], lambda b, x: b(ts.SUBTENSOR, b(ts.SHAPE, x), slices="-1"), [X34])
case(
    "slice of a vector of scalars",
    [INT, INT, INT],
    lambda b, x, y, z: b(ts.SUBTENSOR, b(ts.MAKE_VECTOR, x, y, z, dtype="int64"), slices="::-1"),
    [scalar(1), scalar(2), scalar(3)],
)
case(
    "inc_subtensor broadcasts",
    [M, ROW],
    op("inc_subtensor", 1, slices="1:"),
    [X34, real(1, 4)],
    [X34, real(1, 3)],
)
case(
    "inc_subtensor of a scalar",
    [V, S],
    op("inc_subtensor", 1, slices="0"),
    [real(3), real()],
    [real(0), real()],
)
case(
    "inc_subtensor of a dynamic index",
    [V, S, INT],
    op("inc_subtensor", 1, slices="@", set=True),
    [real(3), real(), scalar(-1)],
    [real(3), real(), scalar(3)],
)
case(
    "advanced_subtensor",
    [M, IV],
    op("advanced_subtensor", 1),
    [X34, ints(2, 0, -1, 2)],
    [X34, ints(3)],
    [X34, ints()],
)
case(
    "advanced_subtensor of two",
    [M, IV, IV],
    op("advanced_subtensor", 1),
    [X34, ints(2, 0, -1), ints(0, 0, 3)],
    [X34, ints(2, 0), ints(0, 0, 3)],
    [X34, ints(0), ints(4)],
)
case(
    "p[arange(n), y]",
    [M, ("int32", (-1,))],
    lambda b, p, y: b(
        ts.ADVANCED_SUBTENSOR,
        p,
        b(ts.ARANGE, b.constant(0, INT), b(ts.SIZE, y, dim=0), b.constant(1, INT), dtype="int64"),
        y,
    ),
    [X34, np.array([1, 0, 3], np.int32)],
    [X34, np.array([1, 0, 3, 1], np.int32)],
)
for how in (True, False):
    case(
        f"advanced_inc_subtensor {how}",
        [M, M, IV],
        op("advanced_inc_subtensor", 1, set=how),
        [X34, real(4, 4), ints(2, 0, 2, -3)],
        [X34, real(1, 4), ints(3)],
    )
    case(
        f"advanced_inc_subtensor of two {how}",
        [M, V, IV, IV],
        op("advanced_inc_subtensor", 1, set=how),
        [X34, real(3), ints(2, 0, 2), ints(1, -4, 1)],
    )

# Together.
case(
    "elementwise with static ones",
    [M, ROW, COL, S],
    lambda b, x, r, c, s: [
        b(ew.ADD, b(ew.MUL, x, r), b(ew.MUL, c, b(ts.DIMSHUFFLE, s, order=(-1, -1)))),
        b(ew.ADD, r, c),
        b(ew.SQR, r),
    ],
    [X34, real(1, 4), real(3, 1), real()],
    [X34, real(1, 3), real(3, 1), real()],
    [real(1, 1), real(1, 1), real(1, 1), real()],
)
case("mismatch", [V, V], lambda b, x, y: b(ew.ADD, x, y), [real(3), real(4)], [real(3), real(1)])
case(
    "x + x transposed",
    [M],
    lambda b, x: b(ew.ADD, x, b(ts.DIMSHUFFLE, x, order=(1, 0))),
    [real(3, 3)],
    [X34],
)
case(
    "results are arguments and twice the same",
    [V, S],
    lambda b, x, s: [x, x, s, s, b(ew.SQR, x)],
    [real(3), real()],
)
case(
    "a constant result",
    [],
    lambda b: [b.constant(2.5, S), b.constant(2.5, ("float64", (1, 1)))],
    [],
)
case(
    "fill of computed sizes",
    [V],
    lambda b, x: b(
        ts.ALLOC, b.constant(1.0, S), b(ew.MUL, b(ts.SIZE, x, dim=0), b.constant(2, INT)), ones=()
    ),
    [real(3)],
)
case(
    "a size from data",
    [V, IV],
    lambda b, x, i: b(
        ew.SQR, b(ts.SUBTENSOR, x, b(ts.REDUCE, i, kind="max", axes=(0,)), slices=":@")
    ),
    [real(5), ints(1, 3)],
)
case(
    "a check of a size from data",
    [V, V, IV],
    lambda b, x, y, i: b(
        ew.ADD, y, b(ts.SUBTENSOR, x, b(ts.REDUCE, i, kind="max", axes=(0,)), slices=":@")
    ),
    [real(5), real(3), ints(1, 3)],
    [real(5), real(2), ints(1, 3)],
)


@pytest.mark.parametrize("number", range(len(CASES)), ids=[entry[0] for entry in CASES])
def test_operation(number: int) -> None:
    """The passes leave the results, or the kind of error, as they were."""
    _, specs, body, runs = CASES[number]
    for args in runs:
        judge(program(specs, body), args)


def test_every_operation_lowers() -> None:
    """Each tensor operation has a rule, but for those that earlier passes replace."""
    replaced = {"tensor.grad", "tensor.softmax", "tensor.log_softmax"}
    assert {signature.name for signature in ts.SIGNATURES.values()} == set(RULES) | replaced


def test_what_must_be_replaced_before() -> None:
    module = program([M], lambda b, x: b(ts.SOFTMAX, x))
    with pytest.raises(NotImplementedError, match="found tensor.softmax; run decompose first"):
        judge(module, [X34], ["lower-to-loops"])
