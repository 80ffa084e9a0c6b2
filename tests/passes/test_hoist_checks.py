"""The checks of sizes: their words, their lines, what is left out, and what they find."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import FileLineColLoc, ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation

from tetractys.dialects import elemwise_signatures as ew
from tetractys.dialects import tensor_signatures as ts
from tetractys.dialects import types
from tetractys.dialects.build import build
from tetractys.dialects.signature import Spec
from tetractys.oracle import tensor
from tetractys.oracle.program import program
from tetractys.passes.hoist_checks import HoistChecksPass
from tetractys.passes.sizes import SizeAnalysis

V: Spec = ("float64", (-1,))
M: Spec = ("float64", (-1, -1))
S: Spec = ("float64", ())
INT: Spec = ("int64", ())


def hoisted(specs: Sequence[Spec], body: Callable[..., Any]) -> tuple[ModuleOp, list[Operation]]:
    """The module after the pass, and its checks."""
    module = program(specs, body)
    HoistChecksPass().apply(Context(), module)
    module.verify()
    return module, [op for op in module.walk() if op.name == "tensor.check_equal"]


def messages(checks: Sequence[Operation]) -> list[str]:
    """The texts of checks."""
    found = [check.properties["message"] for check in checks]
    return [text.data for text in found if isinstance(text, StringAttr)]


CASES: list[tuple[Sequence[Spec], Callable[..., Any], Sequence[Any], str]] = [
    ([V, V], lambda b, x, y: b(ew.ADD, x, y), [np.ones(1), np.ones(3)],
     "Input dimension mis-match. (input[0].shape[0] = 1, input[1].shape[0] = 3)"),
    ([M, M, M], lambda b, x, y, z: b(ew.SWITCH, x, y, z),
     [np.ones((2, 3)), np.ones((2, 3)), np.ones((2, 4))],
     "Input dimension mis-match. (input[0].shape[1] = 3, input[2].shape[1] = 4)"),
    ([M, V], lambda b, x, y: b(ts.DOT, x, y), [np.ones((2, 3)), np.ones(2)],
     "shapes not aligned: 3 (dim 1) != 2 (dim 0)"),
    ([V, V], lambda b, x, y: b(ts.DOT, x, y), [np.ones(3), np.ones(2)],
     "shapes not aligned: 3 (dim 0) != 2 (dim 0)"),
    ([V, INT], lambda b, x, n: b(ts.ALLOC, x, n, ones=()), [np.ones(3), np.array(2)],
     "could not broadcast input array from size 3 into size 2"),
    ([S, INT], lambda b, x, n: b(ts.ALLOC, x, n, ones=()), [np.array(0.0), np.array(-2)],
     "negative dimensions are not allowed: -2"),
    ([V], lambda b, x: b(ts.REDUCE, x, kind="max", axes=(0,)), [np.ones(0)],
     "zero-size array to reduction operation maximum which has no identity"),
    ([M, INT], lambda b, x, n: b(
        ts.RESHAPE_TO, x, b(ts.MAKE_VECTOR, n, dtype="int64"), ndim=1, ones=()),
     [np.ones((2, 3)), np.array(5)], "Cannot reshape input of 6 elements to a shape of 5 elements"),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case[3][:40] for case in CASES])
def test_words(number: int) -> None:
    """Theano's and NumPy's leading words, with the numbers found."""
    specs, body, args, words = CASES[number]
    module, checks = hoisted(specs, body)
    assert checks
    with pytest.raises(ValueError) as caught:
        tensor.run(module, args)
    assert str(caught.value) == words


def test_the_users_line() -> None:
    """A check stands at the entry and keeps the line of the operation that needs it."""

    def body(b: Any, x: Any, y: Any) -> Any:
        b.block.add_op(first := build(ew.EXP, [x], {}, types.location("model.py", 6)))
        b.block.add_op(
            op := build(ew.ADD, [first.results[0], y], {}, types.location("model.py", 7))
        )
        return op.results[0]

    module, (check,) = hoisted([V, V], body)
    location = check.location
    assert isinstance(location, FileLineColLoc)
    assert (location.filename.data, location.line.data) == ("model.py", 7)
    block = check.parent
    assert block is not None and [op.name for op in block.ops][2:4] == [
        "tensor.check_equal", "elemwise.exp"]  # fmt: skip


def test_chains_need_one_check_an_argument() -> None:
    """x + y, (x + y) * z, ...: equal sizes are one class, however long the chain."""

    def body(b: Any, x: Any, y: Any, z: Any) -> Any:
        for number in range(100):
            x = b(ew.ADD if number % 2 else ew.MUL, x, (y, z)[number // 2 % 2])
        return x

    _, checks = hoisted([M, M, M], body)
    assert len(checks) == 4


def test_slices_of_equal_arrays_are_equal() -> None:
    """x[1:] * y[1:] needs only what x and y need for x + y."""

    def body(b: Any, x: Any, y: Any) -> Any:
        whole = b(ew.ADD, x, y)
        part = b(ew.MUL, b(ts.SUBTENSOR, x, slices="1:"), b(ts.SUBTENSOR, y, slices="1:"))
        return b(ew.ADD, b(ts.SUBTENSOR, whole, slices="1:"), part)

    assert len(hoisted([V, V], body)[1]) == 1


def test_running_it_twice_adds_nothing() -> None:
    module, checks = hoisted([V, V, M], lambda b, x, y, m: b(ew.ADD, b(ew.ADD, x, y), b(
        ts.REDUCE, m, kind="max", axes=(0,))))  # fmt: skip
    HoistChecksPass().apply(Context(), module)
    assert len([op for op in module.walk() if op.name == "tensor.check_equal"]) == len(checks)


def test_sizes_that_merge_later_are_known_to_be_checked() -> None:
    """After x + y, a maximum of y needs what a maximum of x has needed before."""

    def body(b: Any, x: Any, y: Any, z: Any) -> list[Any]:
        largest = [b(ts.REDUCE, value, kind="max", axes=(0,)) for value in (x, z)]
        whole = b(ew.ADD, b(ew.ADD, z, y), x)  # z, and then y, take the representative of x
        return [*largest, whole, b(ts.REDUCE, y, kind="max", axes=(0,))]

    _, checks = hoisted([V, V, V], body)
    assert [text.split()[0] for text in messages(checks)] == [
        "zero-size", "zero-size", "Input", "Input"]  # fmt: skip


@pytest.mark.parametrize("is_merged", [False, True])
def test_many_checks_of_numbers(is_merged: bool) -> None:
    """A thousand vectors, each with its maximum: 30 times as long when every check met all."""

    def body(b: Any, *vectors: Any) -> list[Any]:
        whole, largest = vectors[0], []
        for vector in vectors:
            largest.append(b(ts.REDUCE, vector, kind="max", axes=(0,)))
            if is_merged:
                whole = b(ew.ADD, whole, vector)
        return [whole, *largest]

    module = program([V] * 1000, body)
    block = next(op for op in module.ops if isinstance(op, FuncOp)).body.block
    before = time.process_time()
    analysis = SizeAnalysis(block)
    assert time.process_time() - before < 5
    assert len(analysis.equations) == (1999 if is_merged else 1000)


def test_an_unknown_operation_is_refused() -> None:
    """A new operation needs a rule of its sizes."""
    from tetractys.passes.size_rules import RULES

    kept = RULES.pop("tensor.dimshuffle")
    try:
        with pytest.raises(NotImplementedError, match="tensor.dimshuffle: no rule says the sizes"):
            hoisted([M], lambda b, x: b(ts.DIMSHUFFLE, x, order=(1, 0)))
    finally:
        RULES["tensor.dimshuffle"] = kept
    assert set(RULES) == {signature.name for signature in ts.SIGNATURES.values()}
