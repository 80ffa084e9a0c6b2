"""Functions of level 3 as modules of their own: what each declares, and that numbers stay."""

from __future__ import annotations

import numpy as np
import pytest

import tetractys
import tetractys.tensor as T
from tetractys.compile.driver import run_pipeline
from tetractys.passes import llvm_modules
from tetractys.passes.llvm_modules import Modules
from tetractys.runtime import jit


def function() -> tetractys.compile.CompiledFunction:
    """Two nests that several threads may do, and a product of matrices."""
    x, y = T.dmatrices("x", "y")
    return tetractys.function([x, y], [T.exp(x).sum(axis=1), T.dot(x, y), (x * x).sum()])


def modules(lines: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(llvm_modules, "LINES", lines)
    texts: list[str] = []
    made = Modules(texts.append)
    run_pipeline(function().maker.request, "FAST_RUN", finished=made.add)
    made.close()
    return texts


def test_each_function_declares_what_it_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = modules(1, monkeypatch)
    kernel = next(text for text in texts if "define i32 @tt_kernel" in text)
    assert "declare void @tt_part0(ptr, i64)\n" in kernel
    assert "declare void @tt_dgemm_rows(ptr, ptr, i64, ptr," in kernel
    assert all(text.count("\ndefine ") + text.startswith("define ") == 1 for text in texts)
    for text in texts:
        jit.compile_text(text)


def test_functions_of_one_module_are_not_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    (text,) = modules(10**6, monkeypatch)
    assert "declare" not in text and "internal" not in text


@pytest.mark.parametrize("lines", [1, 10**6])
def test_the_same_numbers(lines: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TETRACTYS_CACHE", "off")
    x, y = np.random.default_rng(0).standard_normal((2, 30, 30))
    wanted = function()(x, y)
    monkeypatch.setattr(llvm_modules, "LINES", lines)
    for mine, other in zip(function()(x, y), wanted, strict=True):
        np.testing.assert_array_equal(mine, other)
