"""Arguments in every layout: NumPy's values, from a version or of packed arrays."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tetractys as tt
import tetractys.tensor as T
from tetractys.compile import driver
from tetractys.runtime import python_path
from tetractys.runtime.order import PACK_BYTES, UNIT, order_of
from tetractys.runtime.versions import MOST

SHAPES = {2: (40, 70), 3: (12, 10, 30)}
TURN = (1, 0)


def layouts(values: np.ndarray) -> Iterator[np.ndarray]:
    """The values in every order of dimensions: dense, with gaps, backwards."""
    for order in itertools.permutations(range(values.ndim)):
        back = tuple(int(d) for d in np.argsort(order))
        turned = np.ascontiguousarray(values.transpose(order))
        wide = np.zeros(tuple(2 * size for size in turned.shape), values.dtype)
        gaps = wide[tuple([slice(None, None, 2)] * values.ndim)]
        gaps[...] = turned
        backwards = np.ascontiguousarray(turned[::-1])[::-1]
        for one in (turned, gaps, backwards):
            yield one.transpose(back)


def tensor(rank: int, name: str, dtype: str = "float64") -> Any:
    return T.TensorType(dtype, (False,) * rank)(name)


def exp_and_its_sum(x: Any) -> list[Any]:
    """What is combined beside a result in rows: no tiles, columns are loaded lane by lane."""
    return [T.exp(x), T.exp(x).sum()]


FUNCTIONS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "exp": (T.exp, np.exp),
    "sum of all": (lambda x: x.sum(), np.sum),
    "sum of rows": (lambda x: x.sum(axis=-1), lambda x: x.sum(-1)),
    "sum of columns": (lambda x: x.sum(axis=0), lambda x: x.sum(0)),
    "variance": (lambda x: x.var(axis=0), lambda x: x.var(0)),
    "part": (lambda x: x[1:, ::-2] * 2.0, lambda x: x[1:, ::-2] * 2.0),
    "transposed": (lambda x: x.T + 1.0, lambda x: x.T + 1.0),
    "softmax": (
        lambda x: T.exp(x) / T.exp(x).sum(axis=-1, keepdims=True),
        lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True),
    ),
    "flat": (lambda x: x.flatten(), np.ravel),
}


@pytest.mark.parametrize("rank", SHAPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_in_every_layout(rank: int, name: str) -> None:
    build, expected = FUNCTIONS[name]
    x = tensor(rank, "x")
    f = tt.function([x], build(x))
    values = np.random.default_rng(3).normal(size=SHAPES[rank])
    for _ in range(2):
        for argument in layouts(values):
            result = f(argument)
            np.testing.assert_allclose(result, expected(values), rtol=1e-12, atol=1e-13)
            assert result.flags.c_contiguous
    made = [spec for spec in f.versions.values() if spec is not None]
    assert len(made) < MOST


@pytest.mark.parametrize("dtypes", [("float64", "float64"), ("float32", "int8"), ("bool", "int64")])
def test_two_arguments_in_all_pairs_of_layouts(dtypes: tuple[str, str]) -> None:
    x, y = tensor(2, "x", dtypes[0]), tensor(2, "y", dtypes[1])
    f = tt.function([x, y], [x + y, T.dot(x, y.T)])
    rng = np.random.default_rng(5)
    a, b = (
        np.asarray(rng.integers(0, 2 if d == "bool" else 5, (120, 110)), d) for d in dtypes
    )
    for c, d in itertools.product((a, np.asfortranarray(a)), (b, np.asfortranarray(b), b[::-1])):
        total, product = f(c, d)
        np.testing.assert_array_equal(total, c + d)
        np.testing.assert_allclose(product, np.dot(c, d.T))


def test_products_take_both_layouts() -> None:
    x, y = T.dmatrices("xy")
    f = tt.function([x, y], T.dot(x, y))
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(90, 80)), rng.normal(size=(80, 100))
    for c, d in itertools.product((a, np.asfortranarray(a)), (b, np.asfortranarray(b))):
        np.testing.assert_allclose(f(c, d), a @ b, rtol=1e-12, atol=1e-12)
    assert set(f.versions) == {(TURN, TURN), (TURN, ()), ((), TURN)}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_products_of_arrays_with_gaps(dtype: str) -> None:
    x, y = tensor(2, "x", dtype), tensor(2, "y", dtype)
    v = tensor(1, "v", dtype)
    rng = np.random.default_rng(5)
    a, b = (np.asarray(rng.normal(size=s), dtype) for s in ((180, 160), (80, 200)))
    w = np.asarray(rng.normal(size=6000), dtype)
    tolerance = 1e-12 if dtype == "float64" else 1e-4
    f = tt.function([x, y], T.dot(x, y))
    for c, d in ((a[::2, ::2], b), (a[::2, ::-2], b.T[::2].T), (a.T[:90, 100:], b[:, ::-1])):
        np.testing.assert_allclose(f(c, d), np.dot(c, d), rtol=tolerance, atol=tolerance)
    g = tt.function([v], [T.dot(v, v), v.sum(), T.exp(v), v[::-1] * 2.0])
    for c in (w[::2], w[::-1], w[::-3], np.broadcast_to(w[:1], 3000)):
        for found, expected in zip(g(c), (np.dot(c, c), c.sum(), np.exp(c), c[::-1] * 2.0)):
            np.testing.assert_allclose(found, expected, rtol=10 * tolerance, atol=10 * tolerance)
    assert list(g.versions) == [((0, UNIT),)]


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("rank", [1, 2, 3, 4])
def test_small_arrays_of_every_layout_are_copied(dtype: str, rank: int) -> None:
    x = tensor(rank, "x", dtype)
    f = tt.function([x], T.eq(x, 1))
    values = np.asarray(np.random.default_rng(3).integers(0, 3, (4, 3, 5, 2)[:rank]), dtype)
    for argument in layouts(values):
        np.testing.assert_array_equal(f(argument), argument == 1)
    repeated = np.broadcast_to(values[:1], values.shape)
    np.testing.assert_array_equal(f(repeated), repeated == 1)
    assert f.versions == {}


def test_one_version_for_each_combination_and_four_at_most(monkeypatch: Any) -> None:
    compiled: list[Any] = []
    real = driver.compile_request
    from tetractys.compile import build

    monkeypatch.setattr(build, "compile_request", lambda *a: compiled.append(a[0]) or real(*a))
    x = tensor(3, "x")
    f = tt.function([x], x.sum(axis=0) * 2.0)
    values = np.random.default_rng(3).normal(size=(12, 10, 30))
    for _ in range(3):
        for order in itertools.permutations(range(3)):
            argument = np.ascontiguousarray(values.transpose(order)).transpose(np.argsort(order))
            np.testing.assert_allclose(f(argument), values.sum(0) * 2.0, rtol=1e-12, atol=1e-13)
    assert len(compiled) == MOST
    assert sum(spec is not None for spec in f.versions.values()) == MOST - 1


def test_small_arrays_are_packed() -> None:
    x = T.dmatrix("x")
    f = tt.function([x], x * 2.0)
    small = np.random.default_rng(3).normal(size=(8, PACK_BYTES // 64)).T
    np.testing.assert_array_equal(f(small), small * 2.0)
    assert f.versions == {}
    large = np.random.default_rng(3).normal(size=(9, PACK_BYTES // 64)).T
    np.testing.assert_array_equal(f(large), large * 2.0)
    assert list(f.versions) == [(TURN,)]
    np.testing.assert_array_equal(f(small), small * 2.0)


SIZES = [(1, 300), (300, 1), (7, 41), (16, 64), (17, 65), (129, 33), (40, 300), (300, 200)]


@pytest.mark.parametrize("dtype", ["float64", "float32", "int16", "bool"])
def test_mixed_orders_go_by_tiles(dtype: str) -> None:
    """The bits of rows, for every size of the last tile and any number of threads."""
    x, y = tensor(2, "x", dtype), tensor(2, "y", "float64")
    value = T.exp(y) * T.tanh(x) + T.log1p(T.abs_(x * y))
    functions = [tt.function([x, y], [value, x + y], threads=n) for n in (1, 2, 3)]
    rng = np.random.default_rng(3)
    for size in SIZES:
        a = np.asarray(rng.integers(0, 2, size=size), dtype)
        b = rng.normal(size=size)
        expected = functions[0](a, b)
        np.testing.assert_array_equal(expected[1], a + b)
        for c, d in itertools.product((a, np.asfortranarray(a)), (b, np.asfortranarray(b))):
            for f in functions:
                for found, wanted in zip(f(c, d), expected):
                    np.testing.assert_array_equal(found, wanted)
                    assert found.flags.c_contiguous
    assert len(functions[0].versions) == 3
    assert all(spec.inputs[0].most_bytes > 1 << 60 for spec in functions[0].versions.values())


def test_tiles_of_what_the_function_makes() -> None:
    """A computed array read both ways; more dimensions than a tile has."""
    x, t = T.dmatrix("x"), tensor(3, "t")
    total = T.dot(x, x)
    f = tt.function([x, t], [total + total.T * 2.0, t.dimshuffle(2, 1, 0) * 3.0 - 1.0])
    assert f.explain().count("tile 16") == 2
    rng = np.random.default_rng(3)
    for n in (1, 5, 70, 131):
        a, c = rng.normal(size=(n, n)), rng.normal(size=(n, 9, 75))
        both, turned = f(a, c)
        np.testing.assert_allclose(both, a @ a + (a @ a).T * 2.0, rtol=1e-11, atol=1e-11)
        np.testing.assert_array_equal(turned, c.T * 3.0 - 1.0)


@pytest.mark.parametrize("path", ["native", "python"])
def test_large_columns_are_packed_where_they_would_be_loaded_lane_by_lane(
    path: str, monkeypatch: Any
) -> None:
    monkeypatch.setenv("TETRACTYS_CALLPATH", path)
    x = T.dmatrix("x")
    f = tt.function([x], exp_and_its_sum(x))
    rng = np.random.default_rng(3)
    for sizes in ((60, 50), (600, 500), (60, 50), (600, 500), (601, 500)):
        values = np.asfortranarray(rng.normal(size=sizes))
        result, total = f(values)
        np.testing.assert_allclose(result, np.exp(values), rtol=1e-14)
        np.testing.assert_allclose(total, np.exp(values).sum(), rtol=1e-12)
        np.testing.assert_array_equal(f(values)[0], result)
    (spec,) = f.versions.values()
    assert spec is not None and spec.inputs[0].most_bytes == 1 << 16
    assert f.spares or path == "python"
    f.free()
    assert not f.spares
    g = tt.function([x], x.sum(axis=0))
    g(np.asfortranarray(rng.normal(size=(600, 500))))
    (spec,) = g.versions.values()
    assert spec is not None and spec.inputs[0].most_bytes > 1 << 60


def test_a_packed_copy_is_not_written_over_while_somebody_has_it() -> None:
    """A donated argument's copy may be the result."""
    x = T.dmatrix("x")
    f = tt.function([tt.In(x, mutable=True)], exp_and_its_sum(x))
    rng = np.random.default_rng(3)
    arguments = [np.asfortranarray(rng.normal(size=(600, 500))) for _ in range(3)]
    expected = [np.exp(argument) for argument in arguments]
    results = [f(argument)[0] for argument in arguments]
    for result, wanted in zip(results, expected):
        np.testing.assert_allclose(result, wanted, rtol=1e-14)


def test_the_bits_do_not_depend_on_the_calls_before() -> None:
    """Arrays that more than one version could take go to the same one always."""
    x = T.dmatrix("x")
    rng = np.random.default_rng(3)
    column, row = rng.normal(size=(3000, 1)), rng.normal(size=(1, 3000))
    windows = np.lib.stride_tricks.sliding_window_view(rng.normal(size=2000), 50)
    turned = rng.normal(size=(300, 40)).T
    f = tt.function([x], x.sum())
    arguments = [column, row, np.asfortranarray(row), np.asfortranarray(column), windows]
    before = [f(argument) for argument in arguments]
    first = f(turned)
    assert list(f.versions) == [(TURN,)]
    for argument, expected in zip(arguments, before):
        assert f(turned) == first
        assert f(argument) == expected


def test_a_size_error_has_the_same_words_in_every_layout() -> None:
    x, y = T.dmatrix("x"), T.dmatrix("y")
    f = tt.function([x, y], (x + y).sum())
    a, b = np.ones((50, 60)), np.ones((50, 61))
    words = []
    for c, d in itertools.product((a, np.asfortranarray(a)), (b, np.asfortranarray(b))):
        for _ in range(2):
            with pytest.raises(ValueError, match="Input dimension mis-match") as caught:
                f(c, d)
            words.append(str(caught.value))
    assert "(input[0].shape[1] = 60, input[1].shape[1] = 61)" in words[0]
    assert set(words) == {words[0]}
    assert len(f.versions) == 3


def test_a_broadcastable_dimension_keeps_its_check() -> None:
    x = T.TensorType("float64", (False, True, False))("x")
    f = tt.function([x], x + T.ones((1, 4, 1)))
    values = np.random.default_rng(3).normal(size=(90, 1, 50))
    turned = np.ascontiguousarray(values.T).T
    np.testing.assert_array_equal(f(turned), values + np.ones((1, 4, 1)))
    assert list(f.versions) == [((1, 2, 0),)]
    with pytest.raises(TypeError, match="broadcastable dimension"):
        f(np.ones((50, 2, 90)).T)
    np.testing.assert_array_equal(f(turned), values + np.ones((1, 4, 1)))


def test_updates_and_shared_values() -> None:
    x = T.dmatrix("x")
    w = tt.shared(np.zeros(60), name="w")
    f = tt.function([x], T.dot(x, w).sum(), updates=[(w, w + x.sum(axis=0))])
    values = np.random.default_rng(3).normal(size=(50, 60))
    total = np.zeros(60)
    for argument in (values, np.asfortranarray(values), values, np.asfortranarray(values)):
        np.testing.assert_allclose(f(argument), (values @ total).sum(), rtol=1e-10, atol=1e-10)
        total = total + values.sum(0)
        np.testing.assert_allclose(w.get_value(), total, rtol=1e-12, atol=1e-13)
    w.set_value(np.ones((60, 2)).T[0])
    np.testing.assert_allclose(f(np.asfortranarray(values)), values.sum(), rtol=1e-10)


def test_keywords_and_defaults() -> None:
    x, y = T.dmatrix("x"), T.dmatrix("y")
    values = np.random.default_rng(3).normal(size=(50, 60))
    f = tt.function([x, tt.In(y, value=np.asfortranarray(values))], x - y)
    for _ in range(2):
        np.testing.assert_array_equal(f(x=np.asfortranarray(values)), 0.0 * values)
        np.testing.assert_array_equal(f(y=values, x=np.asfortranarray(values)), 0.0 * values)
        np.testing.assert_array_equal(f(values), 0.0 * values)


def test_versions_come_from_the_cache(tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("TETRACTYS_CACHE", str(tmp_path))
    values = np.asfortranarray(np.random.default_rng(3).normal(size=(50, 60)))
    ran: list[str] = []
    real = driver.run_pipeline
    monkeypatch.setattr(
        driver, "run_pipeline", lambda *a, **k: ran.append("") or real(*a, **k)
    )
    for runs in (2, 2):
        x = T.dmatrix("x")
        f = tt.function([x], x.sum(axis=1))
        np.testing.assert_allclose(f(values), values.sum(1), rtol=1e-12, atol=1e-13)
        assert len(ran) == runs


def test_many_threads_ask_for_one_version() -> None:
    x = T.dmatrix("x")
    f = tt.function([x], x.sum(axis=1))
    values = np.random.default_rng(3).normal(size=(50, 60))
    wrong: list[Any] = []

    def work() -> None:
        for argument in [values, np.asfortranarray(values)] * 200:
            if not np.allclose(f(argument), values.sum(1)):
                wrong.append(argument)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and list(f.versions) == [(TURN,)]


def test_a_closed_function_stays_closed() -> None:
    x = T.dmatrix("x")
    f = tt.function([x], x.sum(axis=1))
    values = np.asfortranarray(np.ones((50, 60)))
    f(values)
    f.close()
    for argument in (values, values.T):
        with pytest.raises(RuntimeError, match="closed"):
            f(argument)


def test_the_python_path_has_versions_too(monkeypatch: Any) -> None:
    monkeypatch.setenv("TETRACTYS_CALLPATH", "python")
    x = T.dmatrix("x")
    f = tt.function([x], x.sum(axis=1))
    ran: list[Any] = []
    real = python_path.PythonEngine.run
    monkeypatch.setattr(
        python_path.PythonEngine, "run", lambda s, *a: ran.append(s.spec) or real(s, *a)
    )
    values = np.random.default_rng(3).normal(size=(50, 60))
    for argument in (np.asfortranarray(values), values, np.asfortranarray(values)):
        np.testing.assert_allclose(f(argument), values.sum(1), rtol=1e-12, atol=1e-13)
    assert [spec.inputs[0].order for spec in ran] == [TURN, (), TURN]
    assert not f.native


def test_explain_names_the_layouts() -> None:
    x = T.dmatrix("x")
    f = tt.function([x], x.sum(axis=1))
    assert "layouts: rows\n" in f.explain()
    f(np.asfortranarray(np.ones((50, 60))))
    assert "layouts: rows; x by dimensions (1, 0)\n" in f.explain()


def test_debug_mode_checks_versions() -> None:
    x = T.dmatrix("x")
    f = tt.function([x], x.sum(axis=1), mode="DebugMode")
    values = np.random.default_rng(3).normal(size=(36, 32))
    np.testing.assert_allclose(f(np.asfortranarray(values)), values.sum(1), rtol=1e-12, atol=1e-13)
    assert list(f.versions) == [(TURN,)]


def test_order_of() -> None:
    big = np.zeros((30, 40, 50))
    assert order_of(big) == () and order_of(big.T) == (2, 1, 0)
    assert order_of(big.transpose(0, 2, 1)) == (0, 2, 1)
    assert order_of(big.transpose(2, 0, 1)) == (1, 2, 0)
    assert order_of(big[::-1, :, ::-1].T) == (2, 1, 0, UNIT)
    assert order_of(big[::-1].T) == (2, 1, 0)
    assert order_of(np.broadcast_to(np.zeros(2000)[:, None], (2000, 5))) == (1, 0)
    assert order_of(np.zeros((5, 5)).T) == () and order_of(np.zeros(5000)[::2]) == (0, UNIT)
    assert order_of(np.zeros(5000)[::-1]) == (0, UNIT) and order_of(np.zeros(200)[::-1]) == ()
    assert order_of(np.broadcast_to(np.zeros(1), 3000)) == (0, UNIT)


def test_elements_looked_up_in_a_transposed_array() -> None:
    """Its own axes are checked, in NumPy's order and words, in every layout."""
    x, i, j = T.dmatrix("x"), T.lvector("i"), T.lvector("j")
    f = tt.function([x, i, j], x.T[i, j])
    values = np.random.default_rng(3).normal(size=(60, 70))
    rows, columns = np.array([1, -1, 69]), np.array([2, 3, -60])
    for argument in (values, np.asfortranarray(values)):
        np.testing.assert_array_equal(f(argument, rows, columns), values.T[rows, columns])
        for k, n in (([1, 70], [0, 0]), ([0, 0], [1, 60]), ([70], [60])):
            bad = np.array(k), np.array(n)
            with pytest.raises(IndexError) as expected:
                values.T[bad]
            with pytest.raises(IndexError, match=str(expected.value)):
                f(argument, *bad)
    assert "copy" not in f.explain() and len(f.versions) == 1


def softmax_with_totals(x: Any) -> list[Any]:
    """Rows that are read again and again, some results combined over them."""
    y = T.exp(x - x.max(axis=1, keepdims=True))
    p = y / y.sum(axis=1, keepdims=True)
    return [p, x.max(axis=1), p.sum(axis=0), (p * p).sum()]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_rows_of_columns_are_copied_some_at_a_time(dtype: str) -> None:
    """For every size of the last tile, any number of threads and any alignment."""
    x = tensor(2, "x", dtype)
    functions = [tt.function([x], softmax_with_totals(x), threads=n) for n in (1, 2, 3)]
    simple = tt.function([x], softmax_with_totals(x)[:2])
    rng = np.random.default_rng(3)
    tolerance = 1e-12 if dtype == "float64" else 1e-5
    for rows, columns in ((1, 600), (600, 1), (31, 65), (64, 64), (65, 33), (300, 201)):
        values = np.asarray(rng.normal(size=(rows, columns)), dtype)
        by_rows = functions[0](values)
        found = functions[0](np.asfortranarray(values))
        for one, wanted in zip(found, by_rows):
            np.testing.assert_allclose(one, wanted, rtol=tolerance)
        for one, wanted in zip(simple(np.asfortranarray(values)), simple(values)):
            np.testing.assert_array_equal(one, wanted)
        for shift in (0, 1, 5):
            room = np.empty(values.size + shift, dtype)[shift:].reshape(columns, rows)
            room[...] = values.T
            for f in functions:
                for one, wanted in zip(f(room.T), found):
                    np.testing.assert_array_equal(one, wanted)
    assert all(spec is not None for f in (*functions, simple) for spec in f.versions.values())


@pytest.mark.parametrize("path", ["native", "python"])
def test_long_rows_are_packed(path: str, monkeypatch: Any) -> None:
    monkeypatch.setenv("TETRACTYS_CALLPATH", path)
    x = T.dmatrix("x")
    f = tt.function([x], softmax_with_totals(x)[0])
    rng = np.random.default_rng(3)
    for columns in (100, 5000, 200, 5000, 4096, 4097):
        values = rng.normal(size=(20, columns))
        np.testing.assert_array_equal(f(np.asfortranarray(values)), f(values))
    (spec,) = f.versions.values()
    assert spec is not None and spec.inputs[0].most_row_bytes == 4096 * 8


@pytest.mark.parametrize("rank", [5, 8, 11])
@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
def test_many_dimensions(mode: str, rank: int) -> None:
    """Reductions of every second axis, a transposition and a gradient."""
    x = T.TensorType("float64", (False,) * rank)("x")
    even, odd = tuple(range(0, rank, 2)), tuple(range(1, rank, 2))
    centred = x - x.mean(axis=even, keepdims=True)
    outputs = [x.sum(axis=even), x.prod(axis=odd), x.T * 2, centred, x.max(axis=odd).sum()]
    f = tt.function([x], [*outputs, T.grad((x**2).sum(), x)], mode=mode)
    value = np.random.default_rng(0).standard_normal([2, 3, 1, 2, 3, 2, 1, 2, 2, 1, 2][:rank])
    wanted = [value.sum(even), value.prod(odd), value.T * 2,
              value - value.mean(even, keepdims=True), value.max(odd).sum(), 2 * value]  # fmt: skip
    for found, right in zip(f(value), wanted, strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("size", [(3, 7), (41, 50), (200, 301), (1001, 1100)])
def test_arrays_that_several_nests_go_over(size: tuple[int, int]) -> None:
    """The second one goes backwards, unless the array is large; of no size that shows."""
    x, w, v = T.dmatrix("x"), T.dvector("w"), T.dvector("v")
    z = T.dot(w, x)
    outputs = [z, T.dot(x, T.tanh(z)), T.dot(x, v)]
    functions = [tt.function([x, w, v], outputs, threads=n) for n in (1, 2, 3)]
    assert "backwards" in functions[0].explain()
    rng = np.random.default_rng(3)
    a, b, c = rng.normal(size=size), rng.normal(size=size[0]), rng.normal(size=size[1])
    expected = [b @ a, a @ np.tanh(b @ a), a @ c]
    first = functions[0](a, b, c)
    for f in functions:
        for found, bits, wanted in zip(f(a, b, c), first, expected):
            np.testing.assert_array_equal(found, bits)
            np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-10)
