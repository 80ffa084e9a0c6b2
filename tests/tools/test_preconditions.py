"""Passes on IR of another level: `tt-opt` says what it found, where, and which pass comes first."""

from __future__ import annotations

import pytest

from tetractys.passes import preconditions, registry
from tetractys.tools import opt

ARRAYS = """func.func @main(%x: tensor<?xf64>) -> tensor<?xf64> {
  %y = elemwise.exp %x : tensor<?xf64>
  func.return %y : tensor<?xf64>
}
"""
TO_VALUES = "lower-to-loops"
TO_MEMORY = f"{TO_VALUES},expand-math,bufferize"
ONE_LEVEL_DOWN = "expected arrays, the operations of tensor and elemwise on tensors"


@pytest.mark.parametrize(
    ("before", "name", "message"),
    [
        ("", "bufferize", "found elemwise.exp of tensor<?xf64>; expected loop nests on values; "
         "run lower-to-loops first"),
        ("", "vectorize", "run lower-to-loops, then schedule-cpu, first"),
        ("", "lower-loops-to-llvm", "found an argument of type tensor<?xf64>; expected loop nests "
         "in memory; run bufferize first"),
        (TO_VALUES, "stabilize", f"found loops.dim; {ONE_LEVEL_DOWN}; this pass comes"),
        (TO_VALUES, "lower-loops-to-llvm", "run bufferize first"),
        (TO_MEMORY, "vectorize", "found an argument of type memref<?xf64, strided<[1]>>; expected "
         "loop nests on values; this pass comes before bufferize"),
        (TO_MEMORY, "canonicalize", "this pass comes before lower-to-loops"),
        (f"{TO_MEMORY},lower-loops-to-llvm", "cse", "found llvm.func beside the functions"),
    ],
)  # fmt: skip
def test_the_message_names_what_comes_first(before: str, name: str, message: str) -> None:
    text = opt.run(["-p", before], ARRAYS).stdout if before else ARRAYS
    result = opt.run(["-p", name], text)
    first = result.stderr.partition("\n")[0]
    assert result.code == 1
    assert message in first, first
    assert f": error: pass '{name}': " in first
    assert first.startswith(("<stdin>:1:", "<stdin>:2:", "<stdin>:3:")), first


def test_every_pass_says_what_it_expects() -> None:
    assert set(preconditions.EXPECTATIONS) == set(registry.PASSES)


def test_branches_are_refused() -> None:
    text = """func.func @main() {
  "llvm.br"()[^bb1] : () -> ()
^bb1:
  func.return
}
"""
    result = opt.run(["-p", "cse"], text)
    message = "<stdin>:1:1: error: pass 'cse': found @main with branches; expected one block"
    assert message in result.stderr


def test_a_verifier_can_be_switched_off() -> None:
    """`--disable-verify` runs the pass all the same."""
    result = opt.run(["-p", "vectorize", "--disable-verify"], ARRAYS)
    assert "expected loop nests" not in result.stderr
