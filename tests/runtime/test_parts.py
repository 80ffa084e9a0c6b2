"""Specs, the layout check, constants, workspaces, library functions, the callable's Python side."""

from __future__ import annotations

import copy
import inspect
import math
import os
import pickle
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest

from tetractys.runtime import blas, jit, layout
from tetractys.runtime.callable import Function, make_callable
from tetractys.runtime.cell import Cell
from tetractys.runtime.pack import pack
from tetractys.runtime.spec import HEADER_WORDS, ErrorEntry, KernelSpec, Operand

ADD = "  %r = fadd double %a0, %a1"


def test_spec_round_trip() -> None:
    spec = KernelSpec(
        inputs=(Operand("float64", 2, (True, False), "x"), Operand("int8", 0)),
        shareds=(Operand("bool", 1),),
        constants=(Operand("uint16", 3),),
        outputs=(Operand("float32", 1),),
        updates=(Operand("bool", 1),),
        update_cells=(0,),
        output_form="dict",
        output_keys=("k",),
        externs=("dgemm", "pow"),
        errors=(ErrorEntry("ValueError", "{0}", "f.py", 3, "add"),),
    )
    again = KernelSpec.from_json(spec.dumps())
    assert again == spec
    assert KernelSpec.from_json(spec.to_json()) == spec
    assert spec.offsets == (16, 21, 22, 25, 32, 35) and spec.flat_words == 38
    assert spec.n_cells == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"output_form": "one"}, "0 outputs; expected 1"),
        ({"output_form": "none", "outputs": (Operand("float64", 0),)}, "expected none"),
        ({"updates": (Operand("float64", 0),)}, "one cell index"),
        ({"updates": (Operand("float64", 0),) * 2, "update_cells": (0, 0)}, "updated twice"),
        ({"has_shape": False, "outputs": (Operand("float64", 1),)}, "expected a tt_shape"),
        ({"output_form": "dict", "outputs": (Operand("float64", 0),)}, "one key"),
    ],
)
def test_bad_specs(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        KernelSpec(**fields)


def test_bad_operands() -> None:
    with pytest.raises(TypeError, match="dtype 'complex64'"):
        Operand("complex64", 0)
    with pytest.raises(ValueError, match="1 broadcast flags; expected 2"):
        Operand("float64", 2, (True,))


def test_layout_refuses_what_it_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    layout.find()
    with pytest.raises(layout.LayoutError, match="an unknown layout of arrays"):
        layout._check_arrays(object.__basicsize__ + 8)
    with pytest.raises(layout.LayoutError, match="an unknown object head"):
        layout._check_objects(object.__basicsize__ + 8)

    def unknown() -> Any:
        raise layout.LayoutError("probe")

    monkeypatch.setattr("tetractys.runtime.callable.find", unknown)
    f = scalar_function(path=None)
    assert not f.native and f(1.0, 2.0) == 3.0


def test_path_by_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert scalar_function(path=None).native
    monkeypatch.setenv("TETRACTYS_CALLPATH", "python")
    assert not scalar_function(path=None).native


def scalar_function(path: str | None = "native", **options: Any) -> Any:
    from textwrap import dedent

    text = dedent("""
    define i32 @tt_kernel(ptr %f) {
      %a.at = getelementptr i64, ptr %f, i64 16
      %b.at = getelementptr i64, ptr %f, i64 17
      %c.at = getelementptr i64, ptr %f, i64 18
      %a = load ptr, ptr %a.at
      %b = load ptr, ptr %b.at
      %c = load ptr, ptr %c.at
      %x = load double, ptr %a
      %y = load double, ptr %b
      %z = fadd double %x, %y
      store double %z, ptr %c
      ret i32 0
    }""")
    x, y, z = (Operand("float64", 0, name=name) for name in ("x", "y", None))
    spec = KernelSpec(inputs=(x, y), outputs=(z,), output_form="one", has_shape=False, name="add")
    return make_callable(
        spec, jit.load(jit.compile_text(text), ("tt_kernel",)), path=path, **options
    )


def test_callable_protocol(path: str) -> None:
    f = scalar_function(path)
    assert callable(f) and isinstance(f, Function)
    assert list(inspect.signature(f).parameters) == ["x", "y"]
    f.trust_input, f.name, f.anything = True, "mine", 3
    assert "mine" in repr(f)
    twin = copy.copy(f)
    assert twin is not f and twin(1.0, 2.0) == 3.0 and twin.anything == 3
    assert type(twin) is type(f)
    with pytest.raises(TypeError, match="cannot pickle the compiled function 'mine'"):
        pickle.dumps(f)
    with pytest.raises(TypeError):
        type(f)()(1.0) if path == "native" else f()


def test_a_subclass_as_base(path: str) -> None:
    class Base(Function):
        """Documented."""

        extra = 5

        def twice(self, x: float) -> Any:
            return self(x, x)

    f = scalar_function(path, base=Base)
    assert isinstance(f, Base) and f.extra == 5 and f.twice(2.0) == 4.0
    assert type(f).__name__ == "Base" and type(f).__doc__ == "Documented."
    assert type(scalar_function(path, base=Base)) is type(f)


def test_closed(path: str) -> None:
    f = scalar_function(path)
    f.close()
    with pytest.raises(RuntimeError, match="called after it was closed"):
        f(1.0, 2.0)


def test_called_from_a_finaliser(path: str) -> None:
    """A cycle torn down by the collector may still call its members."""
    answers: list[Any] = []

    class Friend:
        def __del__(self) -> None:
            try:
                answers.append(self.f(1.0, 2.0))
            except (RuntimeError, AttributeError) as error:
                answers.append(error)

    import gc

    for _ in range(5):
        friend = Friend()
        friend.f = scalar_function(path)  # type: ignore[attr-defined]
        friend.f.friend = friend  # type: ignore[attr-defined]
        del friend
        gc.collect()
    assert len(answers) == 5


def test_constants(path: str, ir: Any) -> None:
    x, c, z = Operand("float64", 1, name="x"), Operand("float64", 1), Operand("float64", 1)
    spec = KernelSpec(inputs=(x,), constants=(c,), outputs=(z,), output_form="one")
    code = jit.load(jit.compile_text(ir(1, 2, [ADD])))
    f = make_callable(spec, code, constants=[np.arange(8.0)[::2]], path=path)
    np.testing.assert_array_equal(f(np.ones(4)), [1, 3, 5, 7])
    with pytest.raises(ValueError, match="0 cells and 0 constants given; expected 0 and 1"):
        make_callable(spec, code)


def test_results_of_size_one_without_shape_function(path: str, ir: Any) -> None:
    one = Operand("float64", 2, (True, True), "x")
    text = ir(2, 1, ["  %r = fadd double %a0, 1.0"])
    text = text[text.index("define i32 @tt_kernel") :]
    spec = KernelSpec(inputs=(one,), outputs=(one,), output_form="one", has_shape=False)
    f = make_callable(spec, jit.load(jit.compile_text(text), ("tt_kernel",)), path=path)
    assert f(np.array([[2.0]])).tolist() == [[3.0]]


WORKSPACE = f"""
define i32 @tt_shape(ptr %flat) {{
  %n.at = getelementptr i64, ptr %flat, i64 {HEADER_WORDS + 1}
  %n = load i64, ptr %n.at
  %bytes = mul i64 %n, 8
  store i64 %bytes, ptr %flat
  %out.at = getelementptr i64, ptr %flat, i64 {HEADER_WORDS + 4}
  store i64 %n, ptr %out.at
  ret i32 0
}}
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
define i32 @tt_kernel(ptr %flat) {{
  %n.at = getelementptr i64, ptr %flat, i64 {HEADER_WORDS + 1}
  %n = load i64, ptr %n.at
  %bytes = mul i64 %n, 8
  %x.at = getelementptr i64, ptr %flat, i64 {HEADER_WORDS}
  %x = load ptr, ptr %x.at
  %out.at = getelementptr i64, ptr %flat, i64 {HEADER_WORDS + 3}
  %out = load ptr, ptr %out.at
  %room = load ptr, ptr %flat
  %address = ptrtoint ptr %room to i64
  %low = and i64 %address, 63
  %bad = icmp ne i64 %low, 0
  br i1 %bad, label %error, label %good
good:
  br label %round
round:
  %t = phi i64 [0, %good], [%t1, %round]
  call void @llvm.memcpy.p0.p0.i64(ptr %room, ptr %x, i64 %bytes, i1 false)
  call void @llvm.memcpy.p0.p0.i64(ptr %out, ptr %room, i64 %bytes, i1 false)
  %t1 = add i64 %t, 1
  %again = icmp slt i64 %t1, 20
  br i1 %again, label %round, label %done
done:
  ret i32 0
error:
  ret i32 1
}}
"""


def workspace_function(path: str, gil_elements: int | None) -> Any:
    spec = KernelSpec(
        inputs=(Operand("float64", 1, name="x"),),
        outputs=(Operand("float64", 1),),
        output_form="one",
        gil_elements=gil_elements,
    )
    return make_callable(spec, jit.load(jit.compile_text(WORKSPACE)), path=path)


def test_workspaces(path: str, rng: np.random.Generator) -> None:
    f = workspace_function(path, None)
    for n in (0, 3, 1000, 10, 100_000, 1):
        x = rng.normal(size=n)
        np.testing.assert_array_equal(f(x), x)


def test_a_workspace_belongs_to_one_call(path: str, rng: np.random.Generator) -> None:
    f = workspace_function(path, 0)
    wrong: list[int] = []

    def work(k: int) -> None:
        x = np.full(5000, float(k))
        for _ in range(300):
            if not np.array_equal(f(x), x):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_library_functions(path: str) -> None:
    text = """
define i32 @tt_kernel(ptr %f) {
  %t.at = getelementptr i64, ptr %f, i64 1
  %t = load ptr, ptr %t.at
  %pow.at = getelementptr ptr, ptr %t, i64 1
  %pow = load ptr, ptr %pow.at
  %a.at = getelementptr i64, ptr %f, i64 16
  %b.at = getelementptr i64, ptr %f, i64 17
  %a = load ptr, ptr %a.at
  %b = load ptr, ptr %b.at
  %x = load double, ptr %a
  %y = call double %pow(double %x, double 3.0)
  store double %y, ptr %b
  ret i32 0
}"""
    x = Operand("float64", 0, name="x")
    spec = KernelSpec(
        inputs=(x,), outputs=(x,), output_form="one", has_shape=False, externs=("dgemm", "pow")
    )
    f = make_callable(spec, jit.load(jit.compile_text(text), ("tt_kernel",)), path=path)
    assert f(2.5) == math.pow(2.5, 3.0)
    assert blas.address("ddot") and blas.address("dgesv") and blas.address("powf")
    with pytest.raises(blas.ExternError, match="'nothing' not found"):
        blas.address("nothing")


def test_unknown_errors_of_compiled_code(path: str, ir: Any) -> None:
    x = Operand("float64", 1, name="x")
    spec = KernelSpec(inputs=(x,), outputs=(x,), output_form="one", name="odd")
    code = jit.load(jit.compile_text(ir(1, 1, ["  %r = fadd double %a0, %a0"])))
    f = make_callable(spec, code, path=path)
    with pytest.raises(RuntimeError, match="odd: compiled code reported the unknown error 1"):
        f(np.array([666.0]))


def test_very_many_operands_go_by_python(ir: Any) -> None:
    names = [f"x{k}" for k in range(6000)]
    scalar = Operand("float64", 1)
    spec = KernelSpec(
        inputs=tuple(scalar._replace(name=name) for name in names),
        outputs=(scalar,),
        output_form="one",
    )
    code = jit.load(jit.compile_text(WORKSPACE))
    assert not make_callable(spec, code).native


def test_pack_keeps_clean_arrays() -> None:
    x = np.ones((2, 3))
    operand = Operand("float64", 2)
    assert pack(x, operand) is x and pack(x[::-1], operand).strides == (-24, 8)
    assert pack(x[:, ::-1], operand).flags.c_contiguous
    assert pack(x.view(np.matrix), operand).base is not None


def test_cells() -> None:
    cell = Cell(np.ones(2))
    assert "Cell" in repr(cell)
    cell.set(3)
    assert cell.get() == 3


def test_blas_comes_without_an_import_of_scipy() -> None:
    script = """
import sys, pathlib
from tetractys.runtime import blas
assert blas.address("dgemm") and blas.address("dgesv")
assert "scipy" not in sys.modules
from scipy.linalg import solve
assert solve([[2.0]], [4.0]) == 2.0
maps = pathlib.Path("/proc/self/maps").read_text().split()
print(len({word for word in maps if "libscipy_openblas-" in word}))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "1\n"  # SciPy's own, loaded once


def test_without_the_wheel_blas_does_not_import_the_whole_of_scipy_linalg() -> None:
    script = """
import sys
from tetractys.runtime import blas, openblas
openblas.bundled = lambda: None
assert blas.address("dgemm") and blas.address("dgesv")
assert blas._attached()
assert "scipy.linalg" not in sys.modules
import scipy.linalg.cython_blas, scipy.linalg.interpolative
from scipy.linalg import cython_lapack, solve
assert solve([[2.0]], [4.0]) == 2.0
print(blas._library_address("dgemm") == blas._capsule_pointer(
    scipy.linalg.cython_blas.__pyx_capi__["dgemm"]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"


def test_fork_during_preparation() -> None:
    """A child forked while the trampoline is being made can make and call functions."""
    script = """
import os
import numpy
from tetractys.runtime import callable, jit
from tetractys.runtime.spec import KernelSpec
callable.prepare()
code = jit.load(jit.compile_text("define i32 @tt_kernel(ptr %f) { ret i32 0 }"))
child = os.fork()
f = callable.make_callable(KernelSpec(output_form="none", has_shape=False), code)
assert f() is None
if child == 0:
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, "TETRACTYS_CACHE": "off"},
    )
    assert done.stdout == "0\n", done.stderr
