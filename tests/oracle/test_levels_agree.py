"""Every operation through the whole pipeline, judged by the interpreters after each pass.

Level 1's and level 2's interpreters share no code: where they agree on every operation, before and
after each pass up to `bufferize`, a common error would have to be made twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from xdsl.context import Context

from tetractys.dialects import elemwise_signatures as ew
from tetractys.dialects import scalar_table as table
from tetractys.dialects.signature import FLOATS, Spec, is_float
from tetractys.oracle import assert_agree, loops, tensor
from tetractys.oracle.cases import TENSOR_CASES
from tetractys.oracle.program import parse, program
from tetractys.passes.registry import load_pass
from tetractys.pipeline import PIPELINES

STEPS = [step for step in PIPELINES["FAST_RUN"] if step.level != "llvm"]
FUNCTIONS = [s.short for s, row in table.TABLE.items() if row.gradient != table.NONE and s.arity]


def judge(
    specs: Sequence[Spec],
    args: Sequence[np.ndarray],
    body: Callable[..., Any],
    ulps: float,
    *,
    sums: bool,
) -> None:
    module = program(specs, body)
    module.verify()
    wanted = tensor.run(module, args)
    for step in STEPS:
        load_pass(step.name)().apply(Context(), module)
        module.verify()
        run = tensor.run if step.level == "tensor" else loops.run
        for found, right in zip(run(module, [a.copy() for a in args]), wanted, strict=True):
            is_sum = sums and right.dtype.kind == "f"  # in another order: ulps of the largest
            scale = np.abs(right[np.isfinite(right)]).max(initial=0) if is_sum else None
            assert_agree(found, right, ulps, scale=scale, what=f"after {step.name}")


@pytest.mark.parametrize("name", TENSOR_CASES)
def test_tensor_operation(name: str) -> None:
    case = TENSOR_CASES[name]
    judge(case.specs, case.args, lambda b, *xs: b.all(case.signature, xs, case.props), 4, sums=True)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int8", "uint8", "bool"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_elementwise_operation(name: str, dtype: str) -> None:
    signature = ew.SIGNATURES[name]
    props, dtypes = table.default_props(signature), (dtype,) * (signature.arity or 0)
    if dtypes not in table.dtype_cases(signature, props):
        return  # refused by type inference; the dialect's own tests hold the refusals
    row = table.TABLE[signature]
    result = signature.dtype_rule(dtypes, props)
    if is_float(result) and dtype not in FLOATS and dtype != "int64" and signature is not ew.CAST:
        return  # a cast, as of int64, and then what float32 and float64 have shown
    args = row.operands(dtypes, props, np.random.default_rng(0), 11)
    specs: list[Spec] = [(dtype, (-1,))] * len(args)
    judge(specs, args, lambda b, *xs: b(signature, *xs, **props), row.ulps, sums=False)


def test_slots_of_the_arena_are_one_memory() -> None:
    """A value that is read after its slot was given away shows: the interpreter overwrites it."""
    text = """func.func @main(%x: memref<?xf64>, %r: memref<f64>) {
      %n = loops.dim %x, 0 : memref<?xf64>
      %a = loops.alloc %n {slot = 0 : i64} : (index) -> memref<?xf64>
      loops.nest (%i < %n) ins(%e = %x[%i] : memref<?xf64>)
          -> (collect[%i] into %a : memref<?xf64>) {
        loops.yield %e : f64
      }
      %b = loops.alloc %n {slot = SLOT : i64} : (index) -> memref<?xf64>
      %s = loops.nest (%i < %n) ins(%e = %a[%i] : memref<?xf64>) -> (add[] : f64) {
        loops.yield %e : f64
      }
      loops.store %s, %r : (f64, memref<f64>) -> ()
      func.return
    }
    func.func @main_shape(%x: memref<?xf64>, %r: memref<f64>) {
      func.return
    }"""
    x = np.array([1.0, 2.0])
    assert loops.run(parse(text.replace("SLOT", "1")), [x])[0] == 3
    assert np.isnan(loops.run(parse(text.replace("SLOT", "0")), [x])[0])
