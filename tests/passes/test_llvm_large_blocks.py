"""Large blocks are divided: the same bits, no block beyond the limit, verified IR."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from xdsl.dialects import llvm

import tetractys
import tetractys.tensor as T
from tetractys.compile.driver import run_pipeline
from tetractys.passes import emit_llvm
from tetractys.passes.llvm_large_blocks import LIMIT, SPAN, divide_large_blocks

X = np.linspace(-2, 2, 37)


def chain(length: int, dtype: str = "float64") -> tuple[Any, list[Any]]:
    """Every other value of the way there is used on the way back, as far as can be."""
    x = T.vector("x", dtype=dtype)
    y = x
    for number in range(length):
        y = T.tanh(y) if number % 2 else y * np.asarray(1.5, dtype)
    return x, [y, T.grad(y.sum(), x), y > 0]


def functions_of(length: int) -> list[llvm.FuncOp]:
    """The functions of a chain at level 3: the kernel, its parts for threads, the shape."""
    x, results = chain(length)
    module = run_pipeline(tetractys.function([x], results).maker.request, "FAST_RUN")
    return [op for op in module.body.block.ops if isinstance(op, llvm.FuncOp)]


def allocas_of(functions: list[llvm.FuncOp]) -> list[llvm.AllocaOp]:
    return [op for function in functions for op in function.walk()
            if isinstance(op, llvm.AllocaOp)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("span", "far"), [(1, 0), (7, 5), (50, 3)])
def test_same_bits(
    monkeypatch: pytest.MonkeyPatch, dtype: str, span: int, far: int
) -> None:
    x, results = chain(9, dtype)
    value = X.astype(dtype)
    expected = tetractys.function([x], results)(value)
    monkeypatch.setenv("TETRACTYS_CACHE", "off")
    divided: list[int] = []

    def divide(function: llvm.FuncOp) -> None:
        divided.append(divide_large_blocks(function, limit=10, span=span, far=far))

    monkeypatch.setattr(emit_llvm, "divide_large_blocks", divide)
    found = tetractys.function([x], results)(value)
    assert sum(divided) > 0
    assert [a.tobytes() for a in found] == [a.tobytes() for a in expected]


def test_values_far_away_wait_on_the_stack() -> None:
    functions = functions_of(9)
    before = allocas_of(functions)
    assert sum(divide_large_blocks(f, limit=10, span=20, far=5) for f in functions) > 0
    for function in functions:
        function.verify()
    slots = [op for op in allocas_of(functions) if op not in before]
    assert len(slots) > 5
    for slot in slots:  # stored once, loaded elsewhere
        users = [use.operation for use in slot.res.uses]
        assert sum(isinstance(user, llvm.StoreOp) for user in users) == 1
        assert any(isinstance(user, llvm.LoadOp) for user in users)


def test_only_large_blocks_change() -> None:
    for function in functions_of(9):
        text = str(function)
        assert divide_large_blocks(function) == 0 and str(function) == text


def test_no_block_stays_large() -> None:
    functions = functions_of(300)
    assert max(len(block.ops) for f in functions for block in f.body.blocks) > LIMIT
    for function in functions:
        divide_large_blocks(function)
        for block in list(function.body.blocks)[1:]:  # the first has the constants and the slots
            assert len(block.ops) <= SPAN * 3
