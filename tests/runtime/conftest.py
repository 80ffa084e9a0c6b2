"""Hand-written LLVM IR kernels of the flat ABI, and the two call paths as a parameter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tetractys.runtime import jit
from tetractys.runtime.callable import make_callable
from tetractys.runtime.cell import Cell
from tetractys.runtime.spec import HEADER_WORDS, ErrorEntry, KernelSpec, Operand

ERRORS = (
    ErrorEntry("ValueError", "add: sizes {0} and {1} in dimension {2}", "model.py", 12, "add"),
    ErrorEntry("IndexError", "element {0} is forbidden", "model.py", 13, "guard"),
)


def kernel_text(nd: int, n_in: int, results: Sequence[str], repeat: int = 1) -> str:
    """LLVM IR of an elementwise kernel on float64 operands of rank 0, 1 or 2, all of one size.

    `results`: for each result the instructions that compute `%r` from `%a0`, `%a1`, ... . A first
    operand of 666 is error 1, reported after the results before it were written; sizes that differ
    are error 0. The work is done `repeat` times.
    """
    words = 1 + 2 * nd
    at = [HEADER_WORDS + k * words for k in range(n_in + len(results))]
    return _shape_text(nd, n_in, at) + _kernel_text(nd, n_in, at, results, repeat)


def _word(name: str, kind: str, index: int) -> str:
    return (
        f"  %{name}.at = getelementptr i64, ptr %flat, i64 {index}\n"
        f"  %{name} = load {kind}, ptr %{name}.at\n"
    )


def _shape_text(nd: int, n_in: int, at: list[int]) -> str:
    text = "define i32 @tt_shape(ptr %flat) {\n"
    for d in range(nd):
        text += _word(f"n{d}", "i64", at[0] + 1 + d)
        for k in range(1, n_in):
            text += _word(f"m{k}.{d}", "i64", at[k] + 1 + d)
            text += f"  %same{k}.{d} = icmp eq i64 %n{d}, %m{k}.{d}\n"
            text += f"  br i1 %same{k}.{d}, label %good{k}.{d}, label %bad{k}.{d}\n"
            text += (
                f"bad{k}.{d}:\n" + _store(2, "1", f"b{k}.{d}") + _store(3, f"%n{d}", f"c{k}.{d}")
            )
            text += _store(4, f"%m{k}.{d}", f"d{k}.{d}") + _store(5, str(d), f"e{k}.{d}")
            text += f"  ret i32 1\ngood{k}.{d}:\n"
        for k in range(n_in, len(at)):
            text += _store(at[k] + 1 + d, f"%n{d}", f"out{k}.{d}")
    return text + "  ret i32 0\n}\n"


def _store(index: int, value: str, name: str) -> str:
    pointer = f"  %{name} = getelementptr i64, ptr %flat, i64 {index}\n"
    return f"{pointer}  store i64 {value}, ptr %{name}\n"


def _kernel_text(nd: int, n_in: int, at: list[int], results: Sequence[str], repeat: int) -> str:
    text = "define i32 @tt_kernel(ptr %flat) {\nentry:\n"
    for k, word in enumerate(at):
        text += _word(f"p{k}", "ptr", word)
        for d in range(2):
            have = d < nd
            text += _word(f"s{k}.{d}", "i64", word + 1 + nd + d) if have else ""
            text += f"  %st{k}.{d} = add i64 0, {f'%s{k}.{d}' if have else '0'}\n"
    for d in range(2):
        text += _word(f"size{d}", "i64", at[0] + 1 + d) if d < nd else ""
        text += f"  %n{d} = add i64 0, {f'%size{d}' if d < nd else '1'}\n"
    text += """  br label %round
round:
  %t = phi i64 [0, %entry], [%t1, %round.next]
  br label %row
row:
  %i = phi i64 [0, %round], [%i1, %row.next]
  %i.more = icmp slt i64 %i, %n0
  br i1 %i.more, label %col, label %round.next
col:
  %j = phi i64 [0, %row], [%j1, %col.next]
  %j.more = icmp slt i64 %j, %n1
  br i1 %j.more, label %body, label %row.next
body:
"""
    for k in range(len(at)):
        text += f"""  %o{k}.0 = mul i64 %i, %st{k}.0
  %o{k}.1 = mul i64 %j, %st{k}.1
  %o{k} = add i64 %o{k}.0, %o{k}.1
  %q{k} = getelementptr i8, ptr %p{k}, i64 %o{k}
"""
    text += "".join(f"  %a{k} = load double, ptr %q{k}\n" for k in range(n_in))
    if n_in:
        text += "  %forbidden = fcmp oeq double %a0, 666.0\n"
        text += "  br i1 %forbidden, label %error, label %store\nerror:\n"
        text += _store(2, "2", "e0") + _store(3, "%i", "e1") + "  ret i32 1\nstore:\n"
    for k, body in enumerate(results):
        text += body.replace("%r", f"%r{k}").replace("%v", f"%v{k}") + "\n"
        text += f"  store double %r{k}, ptr %q{n_in + k}\n"
    return (
        text
        + f"""  br label %col.next
col.next:
  %j1 = add i64 %j, 1
  br label %col
row.next:
  %i1 = add i64 %i, 1
  br label %row
round.next:
  %t1 = add i64 %t, 1
  %again = icmp slt i64 %t1, {repeat}
  br i1 %again, label %round, label %done
done:
  ret i32 0
}}
"""
    )


def operand(nd: int, name: str | None = None, dtype: str = "float64") -> Operand:
    return Operand(dtype, nd, (), name)


Maker = Callable[..., Any]


@pytest.fixture(params=["native", "python"])
def path(request: pytest.FixtureRequest) -> str:
    """The call path."""
    return request.param


@pytest.fixture
def make(path: str) -> Maker:
    """`make(nd, names, results, shared=cells, updates=indices)`: a function by the path."""

    def build(
        nd: int,
        names: str,
        results: Sequence[str],
        *,
        shared: Sequence[Cell] = (),
        updates: Sequence[int] = (),
        form: str = "one",
        keys: tuple[str, ...] = (),
        gil_elements: int | None = 20_000,
        repeat: int = 1,
        cells: Sequence[Cell] = (),
        **options: Any,
    ) -> Any:
        n_out = len(results) - len(updates)
        text = kernel_text(nd, len(names) + len(shared), results, repeat)
        spec = KernelSpec(
            inputs=tuple(operand(nd, name) for name in names),
            shareds=tuple(operand(nd) for _ in shared),
            outputs=tuple(operand(nd) for _ in range(n_out)),
            updates=tuple(operand(nd) for _ in updates),
            update_cells=tuple(updates),
            output_form=form,  # type: ignore[arg-type]
            output_keys=keys,
            errors=ERRORS,
            gil_elements=gil_elements,
        )
        code = jit.load(jit.compile_text(text))
        return make_callable(spec, code, [*shared, *cells], path=path, **options)

    return build


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The session's own object cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TETRACTYS_CACHE", str(tmp_path_factory.mktemp("objects")))
        yield


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers, the same in every run."""
    return np.random.default_rng(7)


@pytest.fixture
def ir(tmp_path: Path) -> Callable[..., str]:
    """`kernel_text`, for tests that build their own spec."""
    return kernel_text
