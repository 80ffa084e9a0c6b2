"""The notebook this project started from, cell by cell, with only `theano` renamed.

`tests/examples/seed.txt` is the notebook as recorded. Each cell must run and display what the
notebook displays; module paths are mapped by the same renaming, addresses are ignored.
"""

from __future__ import annotations

import ast
import contextlib
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SEED = Path(__file__).parent.parent / "examples" / "seed.txt"

SHOWN = {
    4: "theano.tensor.var.TensorVariable",
    5: "TensorType(float64, scalar)",
    6: "TensorType(float64, scalar)",
    7: "True",
    9: "(x + y)",
    11: "array(5.)",
    13: "array([[11., 22.],\n       [33., 44.]])",
    14: "array([[11., 22.],\n       [33., 44.]])",
    16: "0",
    17: "array(0)",
    18: "1",
    19: "array(1)",
    20: "301",
    22: "array(-1)",
    23: "2",
    25: "array(2)",
    26: "0",
    36: "theano.gof.graph.Apply",
    38: "'Elemwise{mul,no_inplace}'",
    39: "2",
    42: "x",
    43: "InplaceDimShuffle{x,x}.0",
    44: "theano.tensor.var.TensorVariable",
    45: "theano.gof.graph.Apply",
    46: "<theano.tensor.elemwise.DimShuffle at 0x115018d68>",
    47: "[TensorConstant{2}]",
    33: "'((fill((x ** TensorConstant{2}), TensorConstant{1.0}) * TensorConstant{2}) * "
    "(x ** (TensorConstant{2} - TensorConstant{1})))'\n\narray(8.)",
}
"""What each cell displays in the notebook; cells that are not here display nothing."""

LONG_CELLS = {33, None}
"""Cells whose code holds blank lines; the others end at the first one."""


def cells() -> list[tuple[int | None, str, str]]:
    """(number, code, the notebook's text behind the code) of every cell, in the notebook's order.
    """
    text = SEED.read_text()
    starts = list(re.finditer(r"^In \[(\d+|None)\]:\n", text, re.M))
    found = []
    for start, following in zip(starts, [*starts[1:], None]):
        number = None if start[1] == "None" else int(start[1])
        body = text[start.end() : following.start() if following else len(text)]
        if number in LONG_CELLS:
            code = body.split("\n\n'((", 1)[0].rstrip() + "\n"
        else:
            code = body.split("\n\n", 1)[0] + "\n"
        found.append((number, code, body[len(code) :]))
    return found


def rename(text: str) -> str:
    """The notebook's Theano, ours."""
    return text.replace("theano", "tetractys")


def show(value: Any) -> str:
    """How IPython displays a value."""
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    if type(value).__repr__ is object.__repr__:
        return f"<{type(value).__module__}.{type(value).__qualname__} at {id(value):#x}>"
    return repr(value)


def run_cell(code: str, namespace: dict[str, Any]) -> str:
    """Executes a cell; returns what it prints and displays."""
    tree = ast.parse(code)
    last = tree.body[-1] if isinstance(tree.body[-1], ast.Expr) else None
    if last is not None:
        tree.body.pop()
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(tree, "<seed>", "exec"), namespace)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), "<seed>", "eval"), namespace)
            if value is not None:
                print(show(value))
    return output.getvalue().strip()


def without_addresses(text: str) -> str:
    """The text with every address and module path made the same."""
    text = re.sub(r"0x[0-9a-f]+", "0x", text)
    return re.sub(r"tetractys\.(gof\.graph|graph\.variable)\.Apply", "tetractys.Apply", text)


def test_the_recorded_displays_stand_in_the_notebook() -> None:
    """SHOWN is the notebook's, not ours."""
    texts = {number: after for number, _, after in cells()}
    for number, shown in SHOWN.items():
        collapsed = re.sub(r"\s+", " ", texts[number])
        for line in shown.split("\n\n"):
            assert re.sub(r"\s+", " ", line) in collapsed, number


def test_every_cell_runs_and_shows_what_the_notebook_shows() -> None:
    """All cells in the notebook's order in one namespace; the training cell for 10,000 steps."""
    import tetractys

    namespace: dict[str, Any] = {"tetractys": tetractys}
    namespace["display"] = lambda value: print(show(value) + "\n")
    np.random.seed(0)
    count = 0
    for number, code, _ in cells():
        shown = run_cell(rename(code), namespace)
        count += 1
        if number is None:
            continue
        assert without_addresses(shown) == without_addresses(rename(SHOWN.get(number, ""))), number
    assert count == 40
    samples, predicted = namespace["D"][1], namespace["predict"](namespace["D"][0])
    assert np.mean(samples == predicted) > 0.95
    assert np.isfinite(namespace["w"].get_value()).all()


@pytest.mark.parametrize("steps", [10_000])
def test_training_agrees_with_the_gradient_written_by_hand(steps: int) -> None:
    """w and x standard normal, p_1 reaching exactly 1.0; against `p - y` in NumPy, to 1e-6."""
    import tetractys
    import tetractys.tensor as T

    rng = np.random.default_rng(7)
    n, features = 400, 784
    x_value, y_value = rng.standard_normal((n, features)), rng.integers(0, 2, n).astype("float64")
    w_value, b_value = rng.standard_normal(features), 0.0
    x, y = T.dmatrix("x"), T.dvector("y")
    w, b = tetractys.shared(w_value.copy(), name="w"), tetractys.shared(0.0, name="b")
    p_1 = 1 / (1 + T.exp(-T.dot(x, w) - b))
    xent = -y * T.log(p_1) - (1 - y) * T.log(1 - p_1)
    cost = xent.mean() + 0.01 * (w**2).sum()
    gw, gb = T.grad(cost, [w, b])
    train = tetractys.function(
        [x, y], [p_1 > 0.5, xent], updates=((w, w - 0.1 * gw), (b, b - 0.1 * gb))
    )
    with np.errstate(over="ignore"):
        assert (1 / (1 + np.exp(-(x_value @ w_value))) == 1.0).any()
        for _ in range(steps):
            train(x_value, y_value)
            p = 1 / (1 + np.exp(-(x_value @ w_value) - b_value))
            d = (p - y_value) / n
            w_value = w_value - 0.1 * (d @ x_value + 0.02 * w_value)
            b_value = b_value - 0.1 * d.sum()
    assert np.isfinite(w.get_value()).all()
    np.testing.assert_allclose(w.get_value(), w_value, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(b.get_value(), b_value, rtol=1e-6, atol=1e-9)
