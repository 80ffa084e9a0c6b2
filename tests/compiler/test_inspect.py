"""`f.explain()` and `f.svg()`: every array has one name, what is said is so, boxes stay apart."""

from __future__ import annotations

import re
import xml.etree.ElementTree as xml
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tetractys as tt
import tetractys.tensor as T
from tetractys.inspect import layout


def two_layers() -> Any:
    """Two weights of one name, an unnamed shared array, a slice by a symbolic index."""
    index, x = T.lscalar("index"), T.dmatrix("x")
    data = tt.shared(np.zeros((6, 3)))
    first, second = (tt.shared(np.ones((3, 3)), name="W") for _ in range(2))
    cost = T.nnet.softmax(T.dot(T.tanh(T.dot(x, first)), second)).max(axis=1).sum()
    updates = [(w, w - g) for w, g in zip((first, second), T.grad(cost, [first, second]))]
    batch = data[index * 2 : (index + 1) * 2]
    return tt.function([index], cost, updates=updates, givens={x: batch}, name="step")


def columns() -> Any:
    """Sums over rows, which are needed whole for each row."""
    x = T.dmatrix("x")
    shifted = x + x.sum(axis=0)
    return tt.function([x], T.grad((shifted**2).sum(), x))


def power() -> Any:
    """A long expansion in one nest."""
    x, y = T.dvector("x"), T.dvector("y")
    return tt.function([x, y], x**y)


@pytest.mark.parametrize(
    ("make", "lines"),
    [
        (two_layers, [
            r"library call gemm\(<shared test_inspect.py:\d+>\[\? for n, :\], W",
            r"library call gemm\(\w+, W\)",
            r"library calls: gemm \(5 times\), dgemm",
        ]),
        (columns, [r"reads mul\[i, j\], sum_2\[j\]"]),
        (power, [r"for i < \w\.shape\[0\] \(vector \d+, threads over i\)"]),
    ],
)  # fmt: skip
def test_explain(make: Callable[[], Any], lines: list[str]) -> None:
    text = make().explain()
    for line in lines:
        assert re.search(line, text), text
    made = re.findall(r"([\w]+): (?:collect|add|max|argmax|scatter)", text)
    assert len(made) == len(set(made)), "a name stands for two arrays"
    assert "a temporary" not in text and "argument" not in text and "a size" not in text


@pytest.mark.parametrize("make", [two_layers, columns, power])
def test_svg(make: Callable[[], Any]) -> None:
    """Well-formed; no two boxes of the graph overlap; nothing lies outside the picture."""
    root = xml.fromstring(make().svg())
    space = "{http://www.w3.org/2000/svg}"
    boxes = [
        tuple(float(box.attrib[key]) for key in ("x", "y", "width", "height"))
        for group in root.iter(f"{space}g")
        for box in group.iter(f"{space}rect")
    ]
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for number, (x, y, w, h) in enumerate(boxes):
        assert 0 <= x and x + w <= width and 0 <= y and y + h <= height
        for a, b, c, d in boxes[:number]:
            assert x + w <= a or a + c <= x or y + h <= b or b + d <= y


def test_edges_pass_beside_the_boxes() -> None:
    """An edge over several layers has a lane in each, one for all that start at the same node."""
    parents = {"x": [], "a": ["x"], "b": ["a"], "c": ["b", "x", "late"], "late": []}
    order = ["x", "late", "a", "b", "c"]
    placed = layout.place(order, parents)
    assert {node: placed.at[node][0] for node in order} == {
        "x": 0, "a": 1, "b": 2, "late": 2, "c": 3,
    }  # fmt: skip
    lanes = [node for node in placed.at if isinstance(node, layout.Lane)]
    assert {(lane.source, lane.layer) for lane in lanes} == {("x", 1), ("x", 2)}
    for first, second in placed.edges:
        assert placed.at[second][0] == placed.at[first][0] + 1
    positions = list(placed.at.values())
    assert len(set(positions)) == len(positions)


def test_explain_names_parts_of_arrays() -> None:
    """A slice is read where it is, as the user wrote it; what is made for a part says so."""
    x = T.dvector("x")
    text = tt.function([x], T.exp(x[10:-5]) * x[::-1][3:-12]).explain()
    assert "reads x[10 for n][i], x[-1 for x.shape[0] by -1][3 for n][i]" in text
    text = tt.function([x], T.grad((x[10:-10] ** 2).sum(), x)).explain()
    assert ", for inc_subtensor" in text and "gives fill: collect[i]" in text


def test_explain_says_what_memory_a_call_takes() -> None:
    x, y = T.dmatrix("x"), T.dmatrix("y")
    w = tt.shared(np.ones((30, 40)), "w")  # a smaller one has a spare buffer
    product = T.dot(x, y)
    f = tt.function([x, y], T.exp(product).sum(axis=0), updates=[(w, w * 2.0)], name="f")
    said = f.explain()
    assert "memory:\n    workspace: 8 * x.shape[0] * y.shape[1]" in said
    assert "result 0: 8 * y.shape[1] bytes\n" in said
    assert "result 1: 8 * w.shape[0] * w.shape[1] bytes, or none: it may be written over w" in said
    assert "the last call" not in said
    f(np.ones((5, 6)), np.ones((6, 7)))
    assert "of workspace and 56 of results; " in f.explain()
