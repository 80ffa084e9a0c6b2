"""`canonicalize`: run-time checks of what stays are not lost; numbers are in `test_exactness`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp

from tetractys.oracle.tensor import run

Compiled = Callable[..., ModuleOp]


@pytest.mark.parametrize("body", [
    "%m = elemwise.second %x, %v : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>\n"
    "  %r = elemwise.mul %m, %y : tensor<?xf64>",
    "%r = elemwise.second %x, %y : tensor<?xf64>",
    "%t = elemwise.constant true : tensor<1xi1>\n"
    "  %r = elemwise.switch %t, %x, %y "
    ": (tensor<1xi1>, tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>",
    "%m = elemwise.second %x, %v : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>\n"
    "  %k = elemwise.second %y, %v : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>\n"
    "  %r = elemwise.add %m, %k : tensor<?xf64>",
])  # fmt: skip
def test_sizes_that_differ_are_still_an_error(compiled: Compiled, body: str) -> None:
    arguments = "%x: tensor<?xf64>, %y: tensor<?xf64>, %v: tensor<1xf64>"
    text = f"""func.func @main({arguments}) -> tensor<?xf64> {{
  {body}
  func.return %r : tensor<?xf64>
}}"""
    module = compiled(text, "canonicalize", "cse")
    assert "elemwise.second" not in {op.name for op in module.walk()} or "add" in body
    for size in (3, 2, 1):  # a run-time 1 is no broadcast
        with pytest.raises(ValueError, match="mis-match"):
            run(module, [np.ones(size), np.ones(4), np.ones(1)])
    np.testing.assert_array_equal(run(module, [np.ones(4)] * 2 + [np.ones(1)])[0].shape, (4,))
