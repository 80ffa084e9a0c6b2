"""Machine code of nests: numbers, dtypes, sizes, layouts and errors, against NumPy."""

from __future__ import annotations

import importlib.util
import math
import platform
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tetractys.dialects import elemwise_signatures as ew
from tetractys.dialects import tensor_signatures as ts
from tetractys.dialects.signature import DTYPES, FLOATS, INTEGERS
from tetractys.oracle import tensor as level_1
from tetractys.oracle.judge import compare, outcome
from tetractys.oracle.program import program
from tetractys.passes.lower_loops_to_llvm import LowerLoopsToLlvmPass
from tetractys.passes.registry import load_pass
from tetractys.pipeline import pass_options
from tetractys.runtime import jit
from tetractys.runtime.machines import MACHINES

RNG = np.random.default_rng(7)
SIZES = (0, 1, 2, 7, 8, 9, 31, 32, 33, 64, 100, 515, 1030)
IR = {
    "bool": "i1",
    "float32": "f32",
    "float64": "f64",
    **{f"int{n}": f"i{n}" for n in (8, 16, 32, 64)},
    **{f"uint{n}": f"ui{n}" for n in (8, 16, 32, 64)},
}
WIDTH = {dtype: 64 // np.dtype(dtype).itemsize for dtype in DTYPES}

Compile = Callable[..., Any]


def values(dtype: str, *shape: int) -> Any:
    """Random numbers that do not overflow in sums of a few."""
    if dtype in FLOATS:
        return RNG.standard_normal(shape).astype(dtype)
    return RNG.integers(0, 2 if dtype == "bool" else 50, shape).astype(dtype)


def layouts(array: Any) -> Sequence[Any]:
    """The array with other leading strides: as it is, with gaps, reversed, broadcast."""
    found = [array]
    if array.ndim >= 2:
        wide = np.zeros((array.shape[0] * 2, *array.shape[1:]), array.dtype)
        wide[::2] = array
        found += [wide[::2], array[::-1], np.broadcast_to(array[:1], array.shape)]
        gaps = np.zeros((*array.shape[:-1], array.shape[-1] + 3), array.dtype)
        gaps[..., : array.shape[-1]] = array
        found.append(gaps[..., : array.shape[-1]])
    return found


# The corpus of lower-to-loops, through machine code.


def _corpus() -> Sequence[Any]:
    path = Path(__file__).with_name("test_lower_to_loops.py")
    spec = importlib.util.spec_from_file_location("lower_to_loops_corpus", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.CASES


CORPUS = _corpus()


@pytest.mark.parametrize("number", range(len(CORPUS)), ids=[entry[0] for entry in CORPUS])
def test_corpus(compile_kernel: Compile, number: int) -> None:
    name, specs, body, runs = CORPUS[number]
    wanted = [outcome(level_1, program(specs, body), args) for args in runs]
    kernel = compile_kernel(program(specs, body))
    for args, right in zip(runs, wanted):
        try:
            found: Any = kernel(*args)
        except (ValueError, IndexError) as error:
            found = error
        compare(name, found, right, 4, 1e-13)


# Maps.


@pytest.mark.parametrize("dtype", DTYPES)
def test_map_of_every_dtype_and_size(compile_kernel: Compile, dtype: str) -> None:
    both = compile_kernel(
        program([(dtype, (-1,))] * 2, lambda b, x, y: [b(ew.MAXIMUM, x, y), b(ew.EQ, x, y)])
    )
    for size in SIZES:
        x, y = values(dtype, size), values(dtype, size)
        larger, equal = both(x, y)
        np.testing.assert_array_equal(larger, np.maximum(x, y))
        np.testing.assert_array_equal(equal, x == y)
        assert larger.dtype == dtype and equal.dtype == np.bool_


@pytest.mark.parametrize("dtype", ["float64", "int8"])
@pytest.mark.parametrize("columns", [0, 1, 3, 8, 67])
def test_map_of_layouts(compile_kernel: Compile, dtype: str, columns: int) -> None:
    kernel = compile_kernel(program([(dtype, (-1, -1))] * 2, lambda b, x, y: b(ew.ADD, x, y)))
    x, y = values(dtype, 5, columns), values(dtype, 5, columns)
    for first in layouts(x):
        for second in layouts(y):
            np.testing.assert_array_equal(kernel(first, second)[0], first + second)


def test_map_of_three_dimensions(compile_kernel: Compile) -> None:
    specs = [("float64", (-1, -1, -1)), ("float64", (1, -1, 1)), ("float64", (-1, 1, -1))]
    kernel = compile_kernel(program(specs, lambda b, x, y, z: b(ew.SUB, b(ew.MUL, x, y), z)))
    for shape in ((2, 3, 4), (3, 2, 17), (0, 2, 3), (2, 0, 3), (2, 3, 0)):
        x, y, z = (
            values("float64", *shape),
            values("float64", 1, shape[1], 1),
            values("float64", shape[0], 1, shape[2]),
        )
        for layout in layouts(x):
            np.testing.assert_array_equal(kernel(layout, y, z)[0], layout * y - z)


def test_rank_0(compile_kernel: Compile) -> None:
    kernel = compile_kernel(
        program(
            [("float64", ()), ("int32", ())],
            lambda b, x, n: [b(ew.SUB, x, b(ew.CAST, n, dtype="float64")), b(ew.NEG, n)],
        )
    )
    difference, negated = kernel(np.float64(2.5), np.int32(4))
    assert difference == -1.5 and negated == -4
    assert (difference.dtype, negated.dtype) == (np.float64, np.int32)


# Reductions.


REDUCTIONS = [
    (kind, dtype)
    for kind in ("add", "mul", "max", "min", "and", "or")
    for dtype in (*FLOATS, *INTEGERS, "bool")
    if kind not in ("and", "or") or dtype not in FLOATS
]


@pytest.mark.parametrize(("kind", "dtype"), REDUCTIONS)
def test_reduction(compile_kernel: Compile, kind: str, dtype: str) -> None:
    function = {
        "add": np.add,
        "mul": np.multiply,
        "max": np.maximum,
        "min": np.minimum,
        "and": np.bitwise_and,
        "or": np.bitwise_or,
    }[kind]
    spec = (dtype, (-1, -1))
    kernels = {
        axes: compile_kernel(
            program([spec], lambda b, x, axes=axes: b(ts.REDUCE, x, kind=kind, axes=axes))
        )
        for axes in ((0,), (1,), (0, 1))
    }
    for shape in ((1, 1), (3, 5), (4, 33), (40, 8), (2, 600)):
        x = values(dtype, *shape)
        for axes, kernel in kernels.items():
            found = kernel(x)[0]
            right = function.reduce(x, axis=axes, dtype=found.dtype)
            tolerance = {"float64": 1e-12, "float32": 2e-5}.get(dtype, 0)
            np.testing.assert_allclose(found, right, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("kind", ["max", "min"])
@pytest.mark.parametrize("size", [1, 8, 31, 40, 100])
def test_nan_wins(compile_kernel: Compile, kind: str, size: int) -> None:
    kernel = compile_kernel(
        program([("float64", (-1,))], lambda b, x: b(ts.REDUCE, x, kind=kind, axes=(0,)))
    )
    function = np.maximum if kind == "max" else np.minimum
    for place in {0, size // 2, size - 1}:
        x = values("float64", size)
        assert kernel(x)[0] == function.reduce(x)
        x[place] = np.nan
        assert np.isnan(kernel(x)[0])
    assert kernel(np.full(size, np.inf if kind == "min" else -np.inf))[0] == (
        np.inf if kind == "min" else -np.inf
    )


@pytest.mark.parametrize("kind", ["max", "min"])
def test_nothing_has_no_maximum(compile_kernel: Compile, kind: str) -> None:
    message = f"zero-size array to reduction operation {kind}imum which has no identity"
    kernel = compile_kernel(
        program([("float64", (-1, -1))], lambda b, x: b(ts.REDUCE, x, kind=kind, axes=(1,)))
    )
    assert kernel(np.zeros((0, 3)))[0].shape == (0,)
    for rows in (0, 3):  # NumPy asks about the reduced axis, not whether there is a result
        with pytest.raises(ValueError, match=message):
            kernel(np.zeros((rows, 0)))


def test_sums_of_nothing(compile_kernel: Compile) -> None:
    kernel = compile_kernel(
        program(
            [("float64", (-1, -1))],
            lambda b, x: [
                b(ts.REDUCE, x, kind="add", axes=(0,)),
                b(ts.REDUCE, x, kind="mul", axes=(0, 1)),
            ],
        )
    )
    total, product = kernel(np.zeros((0, 3)))
    assert (total == 0).all() and total.shape == (3,) and product == 1


@pytest.mark.parametrize("dtype", FLOATS)
def test_long_sums_are_as_accurate_as_numpys(compile_kernel: Compile, dtype: str) -> None:
    kernel = compile_kernel(program([(dtype, (-1,))], lambda b, x: b(
        ts.REDUCE, x, kind="add", axes=(0,), dtype=dtype, acc_dtype=dtype)))
    for x in (np.full(10**6, 0.1, dtype), RNG.random(300_001).astype(dtype),
              values(dtype, 10**5)):
        exact = math.fsum(x.astype(np.float64))
        scale = float(np.abs(x.astype(np.float64)).sum())
        error = abs(float(kernel(x)[0]) - exact) / scale
        assert error <= max(abs(float(x.sum()) - exact) / scale, 2 * np.finfo(dtype).eps)


def test_sums_of_infinities(compile_kernel: Compile) -> None:
    kernel = compile_kernel(program([("float64", (-1,))], lambda b, x: b(
        ts.REDUCE, x, kind="add", axes=(0,))))
    for numbers in ([np.inf, 1, 2], [-np.inf] * 2000, [np.inf, -np.inf], [np.nan, np.inf],
                    [1e308] * 900, [-0.0] * 9):
        x = np.array(numbers)
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(kernel(x)[0], x.sum())


@pytest.mark.parametrize("shape", [(40, 3), (1, 30), (7, 1), (5, 2, 3), (2, 3, 5)])
def test_rows_that_lie_together(compile_kernel: Compile, shape: tuple[int, ...]) -> None:
    """Collapsed loops, and the same kernel on arrays whose rows are apart."""
    spec = ("float64", (-1,) * len(shape))
    kernel = compile_kernel(program([spec, spec], lambda b, x, y: [
        b(ew.MUL, x, y), b(ts.REDUCE, x, kind="add", axes=tuple(range(len(shape))))]))
    x, y = values("float64", *shape), values("float64", *shape)
    for first in layouts(x):
        for second in layouts(y):
            product, total = kernel(first, second)
            np.testing.assert_array_equal(product, first * second)
            np.testing.assert_allclose(total, first.sum(), rtol=1e-13, atol=1e-13)


# Rows.

SOFTMAX = """
func.func @main(%x: tensor<?x?x{t}>) -> (tensor<?x?x{t}>, tensor<?x{t}>) {{
  %n = loops.dim %x, 0 : tensor<?x?x{t}>
  %d = loops.dim %x, 1 : tensor<?x?x{t}>
  %p, %s = loops.nest (%i < %n) ins(%xi = %x[%i, :] : tensor<?x?x{t}>)
      -> (collect[%i, :] : tensor<?x?x{t}>, collect[%i] : tensor<?x{t}>)
          schedule {{jam = {rows} : i64}} {{
    %m = loops.nest (%k < %d) ins(%a = %xi[%k] : tensor<?x{t}>)
        -> (max[] : {t}) schedule {{vector = {w} : i64}} {{
      loops.yield %a : {t}
    }}
    %e, %z = loops.nest (%k < %d) ins(%a = %xi[%k] : tensor<?x{t}>)
        -> (collect[%k] : tensor<?x{t}>, add[] : {t}) schedule {{vector = {w} : i64}} {{
      %c = elemwise.sub %a, %m : {t}
      %f = elemwise.exp %c : {t}
      loops.yield %f, %f : {t}, {t}
    }}
    %one = elemwise.constant 1.0 : {t}
    %r = elemwise.true_div %one, %z : {t}
    %q = loops.nest (%k < %d) ins(%f = %e[%k] : tensor<?x{t}>)
        -> (collect[%k] : tensor<?x{t}>) schedule {{vector = {w} : i64}} {{
      %v = elemwise.mul %f, %r : {t}
      loops.yield %v : {t}
    }}
    loops.yield %q, %z : tensor<?x{t}>, {t}
  }}
  func.return %p, %s : tensor<?x?x{t}>, tensor<?x{t}>
}}
"""


@pytest.mark.parametrize("rows", [1, 2, 4, 8])
@pytest.mark.parametrize(
    ("dtype", "ir", "width"), [("float64", "f64", 8), ("float32", "f32", 16), ("float64", "f64", 4)]
)
def test_softmax_rows(compile_kernel: Compile, rows: int, dtype: str, ir: str, width: int) -> None:
    """Temporary rows of the arena, one set a jammed row."""
    kernel = compile_kernel(SOFTMAX.format(t=ir, rows=rows, w=width))
    for shape in ((1, 1), (3, 5), (9, 40), (8, 33), (4, 1), (13, 100), (0, 4)):
        x = values(dtype, *shape)
        for layout in layouts(x) if shape[0] else [x]:
            e = np.exp(layout - layout.max(1, keepdims=True))
            found, total = kernel(layout)
            tolerance = 1e-13 if dtype == "float64" else 1e-5
            np.testing.assert_allclose(found, e / e.sum(1, keepdims=True), rtol=tolerance)
            np.testing.assert_allclose(total, e.sum(1), rtol=tolerance)


GEMV_PAIR = """
func.func @main(%x: tensor<?x?xf64>, %w: tensor<?xf64>, %y: tensor<?xf64>) -> ({results}) {{
  %n = loops.dim %x, 0 : tensor<?x?xf64>
  %d = loops.dim %x, 1 : tensor<?x?xf64>
  %t, %g, %c, %m = loops.nest (%i < %n)
      ins(%xi = %x[%i, :] : tensor<?x?xf64>, %yi = %y[%i] : tensor<?xf64>)
      -> (collect[%i] : tensor<?xf64>, {kind}[:] : tensor<?xf64>, add[] : f64, max[] : f64)
      schedule {{jam = {rows} : i64}} {{
    %dot = loops.nest (%k < %d) ins(%a = %xi[%k] : tensor<?xf64>, %wk = %w[%k] : tensor<?xf64>)
        -> (add[] : f64) schedule {{vector = 8 : i64}} {{
      %p = elemwise.mul %a, %wk : f64
      loops.yield %p : f64
    }}
    %r = elemwise.sub %dot, %yi : f64
    %u = loops.nest (%k < %d) ins(%a = %xi[%k] : tensor<?xf64>)
        -> (collect[%k] : tensor<?xf64>) schedule {{vector = 8 : i64}} {{
      %v = elemwise.mul %a, %r : f64
      loops.yield %v : f64
    }}
    loops.yield %r, %u, %r, %r : f64, tensor<?xf64>, f64, f64
  }}
  func.return %t, %g, %c, %m : tensor<?xf64>, tensor<?xf64>, f64, f64
}}
"""


def gemv_pair(rows: int, kind: str = "add", prefetch: bool = False) -> str:
    """A row nest with a dot, a sum of rows, and two scalars combined over the rows."""
    text = GEMV_PAIR.format(rows=rows, kind=kind, results="tensor<?xf64>, tensor<?xf64>, f64, f64")
    jam = f"jam = {rows} : i64"
    assert jam in text
    return text.replace(jam, f"{jam}, prefetch = 1 : i64") if prefetch else text


ROWS_OF_ROWS = """
func.func @main(%x: tensor<?x?x?x?xf64>) -> tensor<?x?xf64> {{
  %n = loops.dim %x, 0 : tensor<?x?x?x?xf64>
  %m = loops.dim %x, 1 : tensor<?x?x?x?xf64>
  %k = loops.dim %x, 2 : tensor<?x?x?x?xf64>
  %l = loops.dim %x, 3 : tensor<?x?x?x?xf64>
  %r = loops.nest (%i < %n) ins(%a = %x[%i, :, :, :] : tensor<?x?x?x?xf64>)
      -> ({outer}[:, :] : tensor<?x?xf64>) {{
    %s = loops.nest (%j < %m) ins(%b = %a[%j, :, :] : tensor<?x?x?xf64>)
        -> (collect[%j, :] : tensor<?x?xf64>) {{
      %t = loops.nest (%p < %k) ins(%c = %b[%p, :] : tensor<?x?xf64>)
          -> ({inner}[:] : tensor<?xf64>) schedule {{jam = {rows} : i64}} {{
        %u = loops.nest (%q < %l) ins(%d = %c[%q] : tensor<?xf64>)
            -> (collect[%q] : tensor<?xf64>) schedule {{vector = 8 : i64}} {{
          loops.yield %d : f64
        }}
        loops.yield %u : tensor<?xf64>
      }}
      loops.yield %t : tensor<?xf64>
    }}
    loops.yield %s : tensor<?x?xf64>
  }}
  func.return %r : tensor<?x?xf64>
}}
"""


@pytest.mark.parametrize("rows", [1, 4])
@pytest.mark.parametrize("inner", ["add", "max"])
@pytest.mark.parametrize("outer", ["add", "max", "mul"])
def test_rows_of_rows(compile_kernel: Compile, outer: str, inner: str, rows: int) -> None:
    """Rows that are themselves combined, in rows that a nest around combines at once."""
    kernel = compile_kernel(ROWS_OF_ROWS.format(outer=outer, inner=inner, rows=rows))
    numpys = {"add": np.add, "max": np.maximum, "mul": np.multiply}
    for shape in ((1, 1, 1, 1), (2, 3, 4, 5), (3, 2, 5, 17), (2, 0, 3, 4), (3, 2, 9, 8)):
        x = values("float64", *shape)
        wanted = numpys[outer].reduce(numpys[inner].reduce(x, axis=2), axis=0)
        np.testing.assert_allclose(kernel(x)[0], wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("rows", [1, 2, 4, 8])
def test_rows_combined(compile_kernel: Compile, rows: int) -> None:
    kernel = compile_kernel(gemv_pair(rows))
    for n, d in ((1, 1), (3, 40), (4, 16), (11, 17), (16, 100), (5, 0)):
        x, w, y = values("float64", n, d), values("float64", d), values("float64", n)
        for layout in layouts(x) if d else [x]:
            r = layout @ w - y
            for found, right in zip(kernel(layout, w, y), (r, layout.T @ r, r.sum(), r.max())):
                np.testing.assert_allclose(found, right, rtol=1e-11, atol=1e-12)


def test_prefetch_asks_for_the_next_rows(compile_kernel: Compile) -> None:
    """In the last inner loop that reads the rows, and in no other; the numbers stay."""
    kernel = compile_kernel(gemv_pair(2, prefetch=True))
    plain = compile_kernel(gemv_pair(2))
    first_level = "i32 0, i32 3, i32 1)"
    assert kernel.text.count(first_level) == 2 and first_level not in plain.text
    x, w, y = values("float64", 7, 40), values("float64", 40), values("float64", 7)
    for mine, other in zip(kernel(x, w, y), plain(x, w, y)):
        np.testing.assert_array_equal(mine, other)


def test_rows_maximum(compile_kernel: Compile) -> None:
    """A maximum of rows goes to the result at once, too; NaN stays."""
    kernel = compile_kernel(gemv_pair(4, "max"))
    x, w, y = values("float64", 11, 37), values("float64", 37), values("float64", 11)
    np.testing.assert_allclose(kernel(x, w, y)[1], (x * (x @ w - y)[:, None]).max(0), rtol=1e-12)
    x[5, 3] = np.nan
    assert np.isnan(kernel(x, w, y)[1]).all()


def test_rows_have_the_same_bits_at_any_jam(compile_kernel: Compile) -> None:
    """A row's sum does not depend on how many rows run together, or on which are left over."""
    kernels = [compile_kernel(gemv_pair(rows)) for rows in (2, 4, 8)]
    for n, d in ((7, 333), (8, 64), (13, 5)):
        x, w, y = values("float64", n, d), values("float64", d), values("float64", n)
        first, *others = [kernel(x, w, y) for kernel in kernels]
        for other in others:
            np.testing.assert_array_equal(first[0], other[0])
            np.testing.assert_array_equal(first[1], other[1])
        alone = np.array([kernels[1](x[i : i + 1], w, y[i : i + 1])[0][0] for i in range(n)])
        np.testing.assert_array_equal(first[0], alone)


# The same bits in vectors, tails and scalars.

CHAIN = """
func.func @main(%x: tensor<?x{t}>, %y: tensor<?x{t}>) -> tensor<?x{t}> {{
  %n = loops.dim %x, 0 : tensor<?x{t}>
  %r = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?x{t}>, %b = %y[%i] : tensor<?x{t}>)
      -> (collect[%i] : tensor<?x{t}>) {schedule} {{
    %0 = elemwise.mul %a, %b : {t}
    %1 = elemwise.add %0, %a : {t}
    %2 = elemwise.tanh %1 : {t}
    %3 = elemwise.exp %b : {t}
    %4 = elemwise.mul %2, %3 : {t}
    %5 = elemwise.log1p %3 : {t}
    %6 = elemwise.sub %4, %5 : {t}
    loops.yield %6 : {t}
  }}
  func.return %r : tensor<?x{t}>
}}
"""


@pytest.mark.parametrize("ir", ["f64", "f32"])
def test_same_bits(compile_kernel: Compile, ir: str) -> None:
    dtype = "float64" if ir == "f64" else "float32"
    schedules = ["", *(f"schedule {{vector = {w} : i64}}" for w in (4, 8, 16))]
    kernels = [compile_kernel(CHAIN.format(t=ir, schedule=s)) for s in schedules]
    for size in (*SIZES, *RNG.integers(1, 3000, 5)):
        x, y = values(dtype, int(size)), values(dtype, int(size))
        first, *others = [kernel(x, y)[0] for kernel in kernels]
        for other in others:
            np.testing.assert_array_equal(first.view(np.uint8), other.view(np.uint8))


def test_no_masks_no_difference(compile_kernel: Compile) -> None:
    """Hosts without cheap masks get two bodies instead of one masked one: the same bits."""
    text = CHAIN.format(t="f64", schedule="schedule {vector = 8 : i64}")
    before = ("expand-math", "vectorize", "bufferize")
    plain = compile_kernel(text, [*before, LowerLoopsToLlvmPass(masks=False)])
    masked = compile_kernel(text, [*before, LowerLoopsToLlvmPass()])
    assert plain.text != masked.text
    for size in SIZES:
        x, y = values("float64", size), values("float64", size)
        np.testing.assert_array_equal(plain(x, y)[0], masked(x, y)[0])


@pytest.mark.skipif(platform.machine() != "x86_64", reason="code of other x86 processors")
@pytest.mark.parametrize("name", ["avx512", "avx2", "sse2"])
def test_other_processors(
    compile_kernel: Compile, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """AVX2 and plain SSE2: their own vector widths, no masks, no fused instruction."""
    machine = MACHINES[name]
    if jit.host().vector_bytes < machine.vector_bytes:
        pytest.skip("this processor is older")
    monkeypatch.setattr(jit, "host", lambda: machine)
    schedule, expand, lower = [load_pass(one)(**pass_options(one, machine))
                               for one in ("schedule-cpu", "expand-math", "lower-loops-to-llvm")]
    tail = [expand, "cse", "vectorize", "mark-inplace", "bufferize", lower]
    passes = ["hoist-checks", "lower-to-loops", "fuse-nests", schedule]
    kernel = compile_kernel(program([("float64", (-1, -1)), ("float64", (-1,))], lambda b, x, w: [
        b(ts.DOT, x, w), b(ts.REDUCE, x, kind="add", axes=(0, 1)),
        b(ts.REDUCE, x, kind="max", axes=(1,)), b(ew.SUB, b(ew.MUL, x, x), x)]), passes + tail)
    rows = [compile_kernel(gemv_pair(count), tail) for count in (1, 4)]
    rows.append(compile_kernel(gemv_pair(2, prefetch=True), tail))
    assert name != "sse2" or "llvm.fma" not in rows[0].text
    totals = []
    for n, d in ((1, 1), (5, 33), (7, 100), (40, 16)):
        x, w, y = (np.random.default_rng(n).standard_normal(s) for s in ((n, d), d, n))
        dot, total, largest, mapped = kernel(x, w)
        np.testing.assert_allclose(dot, x @ w, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(total, x.sum(), rtol=1e-12, atol=1e-13)
        np.testing.assert_array_equal(largest, x.max(1))
        np.testing.assert_array_equal(mapped, x * x - x)
        r = x @ w - y
        for one in rows:
            for mine, right in zip(one(x, w, y), (r, x.T @ r, r.sum(), r.max())):
                np.testing.assert_allclose(mine, right, rtol=1e-11, atol=1e-12)
        totals.append(total)
    TOTALS.setdefault("sums", totals)
    np.testing.assert_array_equal(TOTALS["sums"], totals, "sums have the same bits everywhere")


TOTALS: dict[str, list[Any]] = {}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="code of other x86 processors")
@pytest.mark.parametrize("name", ["avx512", "avx2", "sse2"])
@pytest.mark.parametrize("function", [ew.NEG, ew.EXP], ids=["light", "heavy"])
def test_parts_on_other_processors(
    compile_kernel: Compile, monkeypatch: pytest.MonkeyPatch, function: Any, name: str
) -> None:
    """Rows, rows backwards, gaps, a column: vectors whose elements are no neighbours."""
    machine = MACHINES[name]
    if jit.host().vector_bytes < machine.vector_bytes:
        pytest.skip("this processor is older")
    monkeypatch.setattr(jit, "host", lambda: machine)
    schedule, expand, lower = [load_pass(one)(**pass_options(one, machine))
                               for one in ("schedule-cpu", "expand-math", "lower-loops-to-llvm")]
    passes = ["hoist-checks", "lower-to-loops", schedule, expand, "cse", "vectorize",
              "mark-inplace", "bufferize", lower]
    parts = ("1:", "::-1, ::-1", ":, ::2", "::-2, 3:", ":, -1", "0, ::-3")
    kernel = compile_kernel(
        program([("float64", (-1, -1))], lambda b, x: [
            b(function, b(ts.SUBTENSOR, x, slices=part)) for part in parts]), passes)
    right = np.negative if function is ew.NEG else np.exp
    for shape in ((1, 4), (2, 33), (7, 100), (40, 16), (5, 3)):
        x = np.random.default_rng(1).standard_normal(shape)
        wanted = [x[1:], x[::-1, ::-1], x[:, ::2], x[::-2, 3:], x[:, -1], x[0, ::-3]]
        for mine, part in zip(kernel(x), wanted, strict=True):
            np.testing.assert_allclose(mine, right(part), rtol=1e-14)


# In place.


@pytest.mark.parametrize("size", SIZES)
def test_in_place_tails(compile_kernel: Compile, size: int) -> None:
    """A result in its operand's memory: no element may be done twice."""
    text = """
    func.func @main(%x: tensor<?xf64>) -> (tensor<?xf64>, f64) {
      %n = loops.dim %x, 0 : tensor<?xf64>
      %t = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>)
          -> (collect[%i] : tensor<?xf64>) schedule {vector = 8 : i64} {
        %0 = elemwise.add %a, %a : f64
        loops.yield %0 : f64
      }
      %u, %s = loops.nest (%i < %n) ins(%a = %t[%i] : tensor<?xf64>)
          -> (collect[%i] : tensor<?xf64>, add[] : f64) schedule {vector = 8 : i64} {
        %0 = elemwise.exp %a : f64
        loops.yield %0, %a : f64, f64
      }
      %v = loops.nest (%i < %n) ins(%a = %u[%i] : tensor<?xf64>)
          -> (collect[%i] : tensor<?xf64>) schedule {vector = 8 : i64} {
        %0 = elemwise.expm1 %a : f64
        %1 = elemwise.add %0, %s : f64
        loops.yield %1 : f64
      }
      func.return %v, %s : tensor<?xf64>, f64
    }"""
    kernel = compile_kernel(text)
    x = values("float64", size)
    found, total = kernel(x)
    np.testing.assert_allclose(total, (2 * x).sum(), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(found, np.expm1(np.exp(2 * x)) + total, rtol=1e-12)
    assert kernel.workspace == 0, "all in the result's memory"


# Errors and hygiene.


def test_first_index_error_is_reported(compile_kernel: Compile) -> None:
    kernel = compile_kernel(
        program(
            [("float64", (-1, -1)), ("int64", (-1,))],
            lambda b, x, i: b(ts.ADVANCED_SUBTENSOR, x, i),
        )
    )
    x = values("float64", 4, 3)
    with pytest.raises(IndexError, match="index 7 is out of bounds for axis 0 with size 4"):
        kernel(x, np.array([0, 7, -9, 3]))
    with pytest.raises(IndexError, match="index -5 is out of bounds for axis 0 with size 4"):
        kernel(x, np.array([-5]))
    with pytest.raises(IndexError, match="index 0 is out of bounds for axis 0 with size 0"):
        kernel(np.zeros((0, 3)), np.array([0]))
    np.testing.assert_array_equal(kernel(x, np.array([-4, 3]))[0], x[[-4, 3]])


def test_integers_never_trap(compile_kernel: Compile) -> None:
    for dtype in INTEGERS:
        lowest = np.iinfo(dtype).min
        x = np.array([lowest, 5, lowest, 7] * 9, dtype)
        y = np.array([0, 0, -1 if lowest else 1, 2] * 9).astype(dtype)
        kernel = compile_kernel(
            program([(dtype, (-1,))] * 2, lambda b, a, c: [b(ew.INT_DIV, a, c), b(ew.MOD, a, c)])
        )
        with np.errstate(all="ignore"):
            quotient, remainder = kernel(x, y)
            np.testing.assert_array_equal(quotient, x // y)
            np.testing.assert_array_equal(remainder, x % y)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("second", [False, True])
def test_gemm(compile_kernel: Compile, dtype: str, first: bool, second: bool) -> None:
    kernel = compile_kernel(
        program(
            [(dtype, (-1, -1))] * 2,
            lambda b, x, y: b(ts.GEMM, x, y, transpose_a=first, transpose_b=second),
        )
    )
    for n, k, m in ((3, 4, 5), (1, 7, 1), (0, 2, 3), (2, 0, 3), (2, 3, 0), (40, 30, 20)):
        a = values(dtype, *((k, n) if first else (n, k)))
        b = values(dtype, *((m, k) if second else (k, m)))
        right = (a.T if first else a) @ (b.T if second else b)
        np.testing.assert_allclose(kernel(a, b)[0], right, rtol=1e-4, atol=1e-5)
        if a.size and b.size:
            wide = np.zeros((a.shape[0], a.shape[1] + 5), dtype)
            wide[:, : a.shape[1]] = a
            np.testing.assert_allclose(
                kernel(wide[:, : a.shape[1]], b)[0], right, rtol=1e-4, atol=1e-5
            )


def test_no_flag_that_changes_values(compile_kernel: Compile) -> None:
    texts = [
        compile_kernel(gemv_pair(4)).text,
        compile_kernel(SOFTMAX.format(t="f32", rows=2, w=16)).text,
    ]
    for text in texts:
        for word in (
            "fast",
            "nnan",
            "ninf",
            "nsz",
            "arcp",
            "contract",
            "afn",
            "reassoc",
            "llvm.exp",
        ):
            assert f" {word} " not in text and f"@{word}" not in text


@pytest.mark.parametrize("dtype", FLOATS)
def test_vectors_side_by_side(compile_kernel: Compile, dtype: str) -> None:
    """A long chain, on several vectors at once: the same bits at every length, nothing behind."""

    def chain(b: Any, x: Any) -> Any:
        value = x
        for _ in range(6):
            value = b(ew.TANH, b(ew.EXP, value))
        return [value, b(ew.ADD, value, x)]

    kernel = compile_kernel(program([(dtype, (-1,))], chain))
    assert kernel.text.count("llvm.masked.load") >= 2
    given = values(dtype, 200)
    whole = kernel(given)
    np.testing.assert_allclose(whole[1], whole[0] + given)
    for length in (0, 1, 7, 8, 9, 15, 16, 17, 31, 33, 47, 48, 49, 64, 100):
        for part, all_of_it in zip(kernel(given[:length]), whole):
            assert part.tobytes() == all_of_it[:length].tobytes()


def test_vectors_side_by_side_share_a_branch(compile_kernel: Compile) -> None:
    """Behind a branch for each, one would be computed after another."""

    def chain(b: Any, x: Any) -> Any:
        value = x
        for _ in range(5):
            value = b(ew.SIN, b(ew.EXP, value))
        return [value]

    kernel = compile_kernel(program([("float64", (-1,))], chain))
    assert kernel.text.count("@llvm.masked.load") >= 2
    assert kernel.text.count("call i1 @llvm.vector.reduce.or") == 5
    given = np.linspace(-3, 40, 203)  # to either side of where sin calls the C library
    (whole,) = kernel(given)
    for length in (1, 31, 32, 33, 100):
        (part,) = kernel(given[:length])
        assert part.tobytes() == whole[:length].tobytes()
