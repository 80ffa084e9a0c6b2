"""The elementary functions through the real path (expand-math, LLVM, code), against mpmath.

`WORST` is the accuracy table: the largest error seen in ulps, rounded up, by much denser sweeps
than these (see there). A test fails if it finds more than the table says; nothing may exceed 2.5.
"""

from __future__ import annotations

from collections.abc import Callable

import mpmath
import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Region

from tetractys.dialects import elemwise, types
from tetractys.dialects import elemwise_signatures as ew
from tetractys.dialects.build import build
from tetractys.passes.expand_math import EXPANSIONS, ExpandMathPass
from tetractys.tools.scalar_loop import Array, ScalarLoop, operation_function

LIMIT = 2.5
WORST = {
    # name: (float64, float32), over 4e6 random numbers near the worst spots / every 997th float32,
    # and of sigmoid and tanh every third float32 of the worst octaves.
    "exp": (0.90, 0.85),
    "log": (0.80, 0.80),
    "log1p": (1.25, 1.35),
    "expm1": (1.40, 1.25),
    "tanh": (2.40, 2.45),
    "sigmoid": (2.00, 2.00),
    "softplus": (1.75, 1.65),
    "exp of a non-positive number": (0.90, 0.85),
}
NAMES = [name for name in WORST if " " not in name]


def sigmoid_of(x: mpmath.mpf) -> mpmath.mpf:
    return 1 / (1 + mpmath.exp(-x))


def softplus_of(x: mpmath.mpf) -> mpmath.mpf:
    return mpmath.log1p(mpmath.exp(x))


EXACT: dict[str, Callable[[mpmath.mpf], mpmath.mpf]] = {
    "exp": mpmath.exp,
    "log": mpmath.log,
    "log1p": mpmath.log1p,
    "expm1": mpmath.expm1,
    "tanh": mpmath.tanh,
    "sigmoid": sigmoid_of,
    "softplus": softplus_of,
}


def wide_sigmoid(x: Array) -> Array:
    return np.where(x > 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(x) / (1 + np.exp(-np.abs(x))))


def wide_softplus(x: Array) -> Array:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


WIDE: dict[str, Callable[[Array], Array]] = {
    "exp": np.exp, "log": np.log, "log1p": np.log1p, "expm1": np.expm1, "tanh": np.tanh,
    "sigmoid": wide_sigmoid, "softplus": wide_softplus,
}  # fmt: skip
"""The same in the next wider format."""


def ulps(got: Array, wanted: Array) -> Array:
    """Distance to a wider reference, in units of the last place of the format of `got`.

    0 where both are the same number, infinity or NaN; infinite where only one is.
    """
    info = np.finfo(got.dtype)
    with np.errstate(all="ignore"):
        rounded = wanted.astype(got.dtype)
        exponent = np.maximum(np.frexp(np.abs(wanted))[1] - 1, info.minexp)
        unit = np.ldexp(np.ones(1, wanted.dtype), exponent - info.nmant)
        error = np.abs(got.astype(wanted.dtype) - wanted) / unit
    same = (got == rounded) | (np.isnan(got) & np.isnan(rounded))
    error = np.where(same & ~np.isfinite(rounded), 0, error)
    return np.where(~same & ~(np.isfinite(got) & np.isfinite(rounded)), np.inf, error)


def line_of(dtype: str, step: int) -> Array:
    """Every `step`-th number of a format, NaNs and infinities among them."""
    integer = np.int32 if dtype == "float32" else np.int64
    info = np.iinfo(integer)
    return np.arange(info.min, info.max - step, step, dtype=integer).view(dtype)


def hard_points(dtype: str) -> Array:
    """Random numbers of every size, and neighbours of where range reductions change over."""
    rng = np.random.default_rng(11)
    size = 4000
    most = 709.0 if dtype == "float64" else 88.0
    parts = [rng.uniform(-s, s, size) for s in (0.3, 0.7, 2, 20, most)]
    parts += [sign * np.exp(rng.uniform(-most, most, size)) for sign in (1, -1)]
    steps = rng.integers(-1080, 1025, size) + 0.5
    parts.append(steps * np.log(2) * (1 + rng.uniform(-1, 1, size) * 1e-9))
    near_one = 1 + rng.normal(size=size) * 1e-8
    parts.append(np.sqrt(2) * 2.0 ** rng.integers(-126, 126, size) * near_one)
    parts.append(1 + rng.uniform(-1, 1, size) * 2.0 ** -rng.integers(1, 30, size))
    parts.append(-rng.uniform(0.95, 1.06, size) * most)
    with np.errstate(over="ignore"):
        return np.concatenate(parts).astype(dtype)


def minus_abs(loop_of: str) -> func.FuncOp:
    """`exp(-|x|)`: its argument is known to be <= 0."""
    block = Block(arg_types=[types.element_type(loop_of)])
    magnitude = build(ew.ABS, block.args)
    minus = build(ew.NEG, magnitude.results)
    result = build(ew.EXP, minus.results)
    block.add_ops([magnitude, minus, result, func.ReturnOp(*result.results)])
    return func.FuncOp("f", ([block.args[0].type], [block.args[0].type]), Region(block))


def function_of(name: str, dtype: str) -> func.FuncOp:
    return operation_function(name, [dtype]) if name in NAMES else minus_abs(dtype)


@pytest.fixture(scope="module")
def loops() -> dict[tuple[str, str], ScalarLoop]:
    """Each function, compiled for vectors."""
    return {
        (name, dtype): ScalarLoop(function_of(name, dtype), width)
        for name in WORST for dtype, width in (("float64", 8), ("float32", 16))
    }


def worst_of(name: str, loop: ScalarLoop, x: Array) -> tuple[float, float]:
    """The largest error and where."""
    wide = np.longdouble if x.dtype == np.float64 else np.float64
    (got,) = loop(x)
    with np.errstate(all="ignore"):
        argument = x.astype(wide)
        wanted = WIDE[name](argument) if name in NAMES else np.exp(-np.abs(argument))
    errors = ulps(got, wanted)
    place = int(np.argmax(errors))
    return float(errors[place]), float(x[place])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", WORST)
def test_accuracy(loops: dict[tuple[str, str], ScalarLoop], name: str, dtype: str) -> None:
    """Over the whole line of the format and near the hard points."""
    bound = WORST[name][dtype == "float32"]
    assert bound <= LIMIT
    step = 9973 if dtype == "float32" else 2**64 // 300_001
    x = np.concatenate([line_of(dtype, step), hard_points(dtype)])
    error, place = worst_of(name, loops[name, dtype], x)
    assert error <= bound, f"{name} {dtype}: {error:.3f} ulp at {place!r}"


@pytest.mark.parametrize("name", WORST)
def test_accuracy_of_every_997th_float32(
    loops: dict[tuple[str, str], ScalarLoop], name: str
) -> None:
    error, place = worst_of(name, loops[name, "float32"], line_of("float32", 997))
    assert error <= WORST[name][1], f"{error:.3f} ulp at {place!r}"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", NAMES)
def test_against_mpmath(loops: dict[tuple[str, str], ScalarLoop], name: str, dtype: str) -> None:
    """A sample with a reference that shares no code with any library's functions."""
    x = np.random.default_rng(5).choice(hard_points(dtype), 400, replace=False)
    x = x[(x > 0) if name == "log" else (x > -1) if name == "log1p" else np.isfinite(x)]
    (got,) = loops[name, dtype](x)
    with mpmath.workprec(1200), np.errstate(over="ignore"):
        exact = [EXACT[name](mpmath.mpf(float(v))) for v in x]
        # In two parts, because one wider number may not hold what the last place needs.
        head = np.array([float(v) for v in exact], dtype)
        rest = [
            float(v - mpmath.mpf(float(h))) if np.isfinite(h) else 0.0 for v, h in zip(exact, head)
        ]
    unit = np.spacing(np.maximum(np.abs(head), np.finfo(dtype).tiny)).astype(np.float64)
    finite = np.isfinite(head) & np.isfinite(got)
    assert np.array_equal(got[~finite], head[~finite])
    found, wanted = got[finite].astype(np.longdouble), head[finite].astype(np.longdouble)
    error = np.abs((found - wanted) - np.array(rest)[finite]) / unit[finite]
    # `spacing` of a power of two is that above it: an ulp below is half of one.
    assert error.max() <= WORST[name][dtype == "float32"]


SPECIAL = {
    # at NaN, inf, -inf, 0, -0
    "exp": (np.nan, np.inf, 0.0, 1.0, 1.0),
    "log": (np.nan, np.inf, np.nan, -np.inf, -np.inf),
    "log1p": (np.nan, np.inf, np.nan, 0.0, -0.0),
    "expm1": (np.nan, np.inf, -1.0, 0.0, -0.0),
    "tanh": (np.nan, 1.0, -1.0, 0.0, -0.0),
    "sigmoid": (np.nan, 1.0, 0.0, 0.5, 0.5),
    "softplus": (np.nan, np.inf, 0.0, np.log(2), np.log(2)),
    "exp of a non-positive number": (np.nan, 0.0, 0.0, 1.0, 1.0),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", WORST)
def test_special_values(loops: dict[tuple[str, str], ScalarLoop], name: str, dtype: str) -> None:
    x = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0], dtype)
    (got,) = loops[name, dtype](x)
    wanted = np.array(SPECIAL[name], dtype)
    np.testing.assert_array_equal(got, wanted)
    numbers = ~np.isnan(wanted)
    assert np.array_equal(np.signbit(got[numbers]), np.signbit(wanted[numbers]))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_ends_of_the_range(loops: dict[tuple[str, str], ScalarLoop], dtype: str) -> None:
    """The last finite results, the first infinity, the smallest subnormal, and identity near 0."""
    info = np.finfo(dtype)
    least = info.smallest_subnormal
    last = np.array([np.log(info.max)], dtype)
    if np.exp(last.astype(np.longdouble))[0] > info.max:
        last = np.nextafter(last, np.array([0], dtype))
    beyond = np.nextafter(last, np.array([np.inf], dtype))
    for name in ("exp", "expm1"):
        assert np.isfinite(loops[name, dtype](last)[0]).all()
        assert np.isinf(loops[name, dtype](beyond)[0]).all()
    low = np.array([np.log(np.longdouble(least)) - 0.5], dtype)
    assert loops["exp", dtype](low)[0] == least
    assert loops["sigmoid", dtype](low)[0] == least
    assert loops["softplus", dtype](low)[0] == least
    assert loops["exp", dtype](low - 1)[0] == 0
    tiny = np.array([least, -least, info.tiny, -info.tiny, info.tiny * 1.5], dtype)
    for name in ("log1p", "expm1", "tanh"):
        np.testing.assert_array_equal(loops[name, dtype](tiny)[0], tiny)
    assert np.isfinite(loops["log", dtype](np.array([least, info.max], dtype))[0]).all()
    assert np.isfinite(loops["log1p", dtype](np.array([info.max], dtype))[0]).all()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", WORST)
def test_same_bits_at_every_width(
    loops: dict[tuple[str, str], ScalarLoop], name: str, dtype: str
) -> None:
    """Scalar code, half vectors and whole ones."""
    x = hard_points(dtype)[::7]
    (whole,) = loops[name, dtype](x)
    for width in (0, loops[name, dtype].width // 2):
        (other,) = ScalarLoop(function_of(name, dtype), width)(x)
        assert whole.tobytes() == other.tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_without_fused_multiply_add(name: str) -> None:
    """A machine without the instruction multiplies and adds: an ulp or so is lost, no more."""
    x = hard_points("float64")
    (got,) = ScalarLoop(operation_function(name, ["float64"]), 8, fused=False)(x)
    with np.errstate(all="ignore"):
        assert ulps(got, WIDE[name](x.astype(np.longdouble))).max() <= LIMIT + 1.5


def test_every_function_is_in_the_table() -> None:
    functions = {class_ for class_ in EXPANSIONS if class_ not in (elemwise.SqrOp, elemwise.PowOp)}
    assert {class_.name for class_ in functions} == {f"elemwise.{name}" for name in NAMES}


def test_locations_and_names_stay() -> None:
    """Every new operation has the place of the one that it replaces."""
    function = operation_function("softplus", ["float64"])
    op = function.body.block.first_op
    assert op is not None
    op.location = types.location("model.py", 7)
    op.results[0].name_hint = "cost"
    ExpandMathPass().apply(Context(), ModuleOp([function]))
    *ops, returned = function.body.block.ops
    assert all(op.location == types.location("model.py", 7) for op in ops)
    assert returned.operands[0].name_hint == "cost"
