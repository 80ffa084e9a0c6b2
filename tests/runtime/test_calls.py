"""Calls by both paths: arguments of every kind, forms of outputs, strides, keywords, defaults."""

from __future__ import annotations

import inspect
import pickle
from typing import Any

import numpy as np
import pytest

from tetractys.runtime.pack import OperandError

ADD = "  %r = fadd double %a0, %a1"
DOUBLE = "  %r = fadd double %a0, %a0"


@pytest.fixture
def add0(make: Any) -> Any:
    return make(0, "xy", [ADD])


@pytest.fixture
def add1(make: Any) -> Any:
    return make(1, "xy", [ADD])


@pytest.fixture
def double2(make: Any) -> Any:
    return make(2, "x", [DOUBLE])


def test_scalars_of_every_kind(add0: Any) -> None:
    kinds: list[Any] = [np.array(2.0), 2.0, 2, np.float64(2.0)]
    for x in kinds:
        for y in kinds:
            result = add0(x, y)
            assert type(result) is np.ndarray and result.shape == () and result.dtype == "float64"
            assert result == 4.0


def test_keywords(add0: Any) -> None:
    assert add0(1.0, y=2.0) == 3.0
    assert add0(y=2.0, x=1.0) == 3.0
    assert add0(**{"".join(["x"]): 1.0, "y": 5.0}) == 6.0


@pytest.mark.parametrize(
    ("args", "kwargs", "words"),
    [
        ((1.0,), {}, "missing the argument 'y'"),
        ((1.0, 2.0, 3.0), {}, "takes 2 arguments; 3 given"),
        ((1.0, 2.0), {"x": 1.0}, "multiple values for argument 'x'"),
        ((1.0,), {"z": 1.0}, "unexpected keyword argument 'z'"),
        ((1.0,), {"y": 1.0, "z": 2.0}, "unexpected keyword argument 'z'"),
        (("a", 2.0), {}, "dtype <U1 found; expected float64"),
        ((1.0, np.zeros(2)), {}, "1 dimensions found; expected 0"),
        ((1.0, None), {}, "dtype object found"),
        ((10**400, 1.0), {}, "dtype object found"),
    ],
)
def test_bad_arguments(add0: Any, args: Any, kwargs: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        add0(*args, **kwargs)
    assert add0(1.0, 2.0) == 3.0


def test_defaults(make: Any) -> None:
    f = make(0, "xy", [ADD], defaults={"y": np.array(10.0)})
    assert f(1.0) == 11.0 and f(1.0, 2.0) == 3.0 and f(x=1.0) == 11.0 and f(1.0, y=3.0) == 4.0
    with pytest.raises(TypeError, match="missing the argument 'x'"):
        f(y=1.0)
    assert inspect.signature(f).parameters["y"].default == 10.0


@pytest.mark.parametrize("n", [0, 1, 2, 7, 1000, 30000])
def test_vectors(add1: Any, rng: np.random.Generator, n: int) -> None:
    x, y = rng.normal(size=n), rng.normal(size=n)
    for _ in range(3):
        np.testing.assert_array_equal(add1(x, y), x + y)


def test_results_are_never_reused_under_the_caller(add1: Any) -> None:
    one = np.ones(3)
    first = add1(one, one)
    view, second = first[1:], add1(one, 2 * one)
    del first
    third = add1(one, 3 * one)
    np.testing.assert_array_equal(view, 2.0)
    np.testing.assert_array_equal(second, 3.0)
    np.testing.assert_array_equal(third, 4.0)
    memory = memoryview(third)
    del third
    assert add1(one, one)[0] == 2.0 and memory[0] == 4.0
    frozen = add1(one, one)
    frozen.flags.writeable = False
    del frozen
    assert add1(one, one).flags.writeable
    reshaped = add1(one, one)
    reshaped.shape = (3, 1)
    del reshaped
    assert add1(one, one).shape == (3,)


def layouts(base: np.ndarray) -> dict[str, np.ndarray]:
    """The values of a matrix in many layouts."""
    n, m = base.shape
    wide = np.zeros((2 * n, 3 * m))
    wide[::2, ::3] = base
    room = np.zeros(base.nbytes + 8, np.uint8)[1 : base.nbytes + 1]
    misaligned = room.view(np.float64).reshape(base.shape)
    misaligned[...] = base
    read_only = base.copy()
    read_only.flags.writeable = False
    return {
        "plain": base,
        "fortran": np.asfortranarray(base),
        "strided": wide[::2, ::3],
        "rows strided": np.vstack([base, base])[: 2 * n : 1][:n],
        "reversed rows": base[::-1].copy()[::-1],
        "reversed columns": base[:, ::-1].copy()[:, ::-1],
        "misaligned": misaligned,
        "swapped": base.astype(">f8"),
        "read only": read_only,
        "unpickled": pickle.loads(pickle.dumps(base)),
        "matrix": base.view(np.matrix),
        "overlapping": np.lib.stride_tricks.as_strided(base, (n, m), (8, 8)),
        "repeated": np.broadcast_to(base[0], (n, m)),
        "one column": base[:, :1].copy(),
        "empty": base[:0],
        "no columns": base[:, :0],
        "column of columns": wide[::2, 1:2],
    }


@pytest.mark.parametrize("name", list(layouts(np.zeros((3, 4)))))
def test_layouts(double2: Any, rng: np.random.Generator, name: str) -> None:
    x = layouts(rng.normal(size=(3, 4)))[name]
    before = np.array(x)
    result = double2(x)
    assert type(result) is np.ndarray and result.flags.c_contiguous
    np.testing.assert_array_equal(result, 2 * before)
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(double2.call_clean([x]), 2 * before)


@pytest.mark.parametrize(
    ("form", "keys", "expect"),
    [
        ("list", (), lambda r: type(r) is list and [v.tolist() for v in r] == [[3.0], [2.0]]),
        (
            "dict",
            ("b", "a"),
            lambda r: list(r) == ["b", "a"] and r["a"] == [2.0] and r["b"] == [3.0],
        ),
    ],
)
def test_forms(make: Any, form: str, keys: Any, expect: Any) -> None:
    f = make(1, "xy", [ADD, DOUBLE], form=form, keys=keys)
    for _ in range(3):
        assert expect(f(np.array([1.0]), np.array([2.0])))


def test_no_outputs(make: Any) -> None:
    assert make(1, "x", [], form="none")(np.ones(3)) is None
    assert make(0, "", [], form="none")() is None
    assert make(1, "x", [], form="list")(np.ones(3)) == []


def test_other_dtypes_have_their_rows(path: str) -> None:
    from tetractys.runtime import jit
    from tetractys.runtime.callable import make_callable
    from tetractys.runtime.spec import ITEMSIZE, KernelSpec, Operand

    for dtype, size in ITEMSIZE.items():
        bits = f"i{8 * size}"
        text = f"""define i32 @tt_kernel(ptr %f) {{
  %a.at = getelementptr i64, ptr %f, i64 16
  %b.at = getelementptr i64, ptr %f, i64 17
  %a = load ptr, ptr %a.at
  %b = load ptr, ptr %b.at
  %v = load {bits}, ptr %a
  store {bits} %v, ptr %b
  ret i32 0 }}"""
        spec = KernelSpec(
            inputs=(Operand(dtype, 0, name="x"),),
            outputs=(Operand(dtype, 0),),
            output_form="one",
            has_shape=False,
        )
        f = make_callable(spec, jit.load(jit.compile_text(text), ("tt_kernel",)), path=path)
        for value in (np.array(1, dtype), np.dtype(dtype).type(1)):
            result = f(value)
            assert result == 1 and result.dtype == dtype
        with pytest.raises(TypeError):
            f(np.array(1, "float32" if dtype == "float64" else "float64"))


def test_int64_of_either_c_type(path: str) -> None:
    from tetractys.runtime.pack import is_clean
    from tetractys.runtime.spec import Operand

    assert is_clean(np.zeros(3, "longlong"), Operand("int64", 1))
    assert is_clean(np.zeros(3, "long"), Operand("int64", 1))


def test_broadcast_flags(path: str, ir: Any) -> None:
    from tetractys.runtime import jit
    from tetractys.runtime.callable import make_callable
    from tetractys.runtime.spec import KernelSpec, Operand

    row = Operand("float64", 2, (True, False), "x")
    spec = KernelSpec(inputs=(row,), outputs=(row,), output_form="one")
    f = make_callable(spec, jit.load(jit.compile_text(ir(2, 1, [DOUBLE]))), path=path)
    np.testing.assert_array_equal(f(np.ones((1, 3))), np.full((1, 3), 2.0))
    with pytest.raises(OperandError, match="x: size 2 in dimension 0 found; expected 1"):
        f(np.ones((2, 3)))


def test_call_clean_never_goes_slow(make: Any) -> None:
    def slow(f: Any, args: Any, kwargs: Any) -> Any:
        raise AssertionError("slow path")

    f = make(1, "xy", [ADD], slow=slow)
    x = np.arange(6.0)[::2]
    np.testing.assert_array_equal(f.call_clean([x, x]), 2 * x)
    with pytest.raises(TypeError, match="dtype int64 found; expected float64"):
        f.call_clean([x, np.arange(3)])
    with pytest.raises(TypeError, match="1 arrays given; expected 2"):
        f.call_clean([x])


def test_slow_closure_gets_what_was_given(make: Any) -> None:
    seen: list[Any] = []

    def slow(f: Any, args: Any, kwargs: Any) -> Any:
        seen.append((args, kwargs))
        return f.call_clean([np.asarray(v, float) for v in (*args, *kwargs.values())])

    f = make(1, "xy", [ADD], slow=slow)
    assert f([1, 2], y=[3, 4]).tolist() == [4.0, 6.0]
    assert seen == [(([1, 2],), {"y": [3, 4]})]


def test_many_operands(make: Any) -> None:
    names = "abcdefghijklmnopqrstuvwxyz"
    f = make(2, names, [ADD] * 30, form="list")
    values = [np.full((2, 3), float(k)) for k in range(26)]
    assert all((r == 1.0).all() for r in f(*values)) and len(f(*values)) == 30
