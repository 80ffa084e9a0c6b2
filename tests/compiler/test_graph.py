"""Level 0: traversal, clone, givens, sameness, creation sites, host Ops; chains of 20,000 nodes."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import tetractys
import tetractys.tensor as T
from tetractys import gof
from tetractys.graph import (
    Apply,
    InconsistencyError,
    MethodNotDefined,
    Op,
    Variable,
    ancestors,
    apply_givens,
    at_site,
    clone,
    clone_graph,
    creation_site,
    general_toposort,
    inputs,
    io_toposort,
    is_same_graph,
    ops,
    orphans,
    substitute,
    toposort,
    variables,
)

x, y, s = T.dmatrix("x"), T.dvector("y"), T.dscalar("s")


class Twice(Op):
    """A user's operation."""

    __props__ = ("times",)

    def __init__(self, times: int) -> None:
        self.times = times

    def make_node(self, value: Any) -> Apply:
        value = T.as_tensor_variable(value)
        return Apply(self, [value], [value.type()])

    def perform(
        self,
        node: Apply,
        inputs: Sequence[Any],
        output_storage: Sequence[list[Any]],
        params: Any = None,
    ) -> None:
        output_storage[0][0] = inputs[0] * self.times


def here() -> int:
    frame = inspect.currentframe()
    assert frame is not None and frame.f_back is not None
    return frame.f_back.f_lineno


def test_sites_are_the_users_lines() -> None:
    v, line = T.dvector("v"), here()
    assert v.site == (__file__, line)
    first = here()
    values = [
        v + 1,
        v.mean(),
        v[0],
        T.nnet.softmax(v),
        T.dot(v, v),
        v.reshape((2, 2)),
        np.ones(3) * v,
        T.set_subtensor(v[0], 1),
    ]
    for position, value in enumerate(values):
        for node in toposort([value]):
            assert node.site == (__file__, first + 2 + position), node
            assert all(output.site == node.site for output in node.outputs)
    state, line = tetractys.shared(1.0), here()
    assert state.site == (__file__, line)
    host, line = Twice(2)(v), here()
    assert host.owner.site == (__file__, line)


def test_sites_can_be_given() -> None:
    with at_site(("there.py", 7)):
        assert (x + 1).owner.site == ("there.py", 7)
        assert creation_site() == ("there.py", 7)
    assert (x + 1).owner.site[0] == __file__


def test_a_given_site_is_that_of_its_thread() -> None:
    """Another thread, which builds a graph meanwhile, keeps its own lines."""
    with at_site(("there.py", 7)), ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: (x + 1).owner.site[0]).result() == __file__


def test_padding_and_copies_keep_the_site() -> None:
    z = x + y
    assert z.owner.inputs[1].owner.site == z.owner.site
    assert clone(z).owner.site == z.owner.site
    assert z.owner.clone().site == z.owner.site


def test_traversal() -> None:
    a = T.exp(x)
    b = a + y
    shuffled = b.owner.inputs[1]
    assert ancestors([b]) == [b, a, x, shuffled, y]
    assert inputs([b]) == [x, y]
    assert inputs([a, b]) == [x, y]
    assert ancestors([b], blockers=[a]) == [b, a, shuffled, y]
    assert [str(node.op) for node in toposort([b])] == [
        "Elemwise{exp,no_inplace}",
        "InplaceDimShuffle{x,0}",
        "Elemwise{add,no_inplace}",
    ]
    assert io_toposort([a], [b]) == [shuffled.owner, b.owner]
    assert ops([x], [b]) == {a.owner, shuffled.owner, b.owner}
    assert variables([x], [b]) == {x, y, a, b, shuffled}
    assert orphans([x], [b]) == {y}
    assert gof.graph.inputs([b]) == [x, y] and gof.graph.is_in_ancestors(b.owner, a.owner)
    assert not gof.graph.is_in_ancestors(a.owner, b.owner)


def test_orderings_and_cycles() -> None:
    a, b = T.exp(s), T.log(s)
    order = io_toposort([s], [a, b], {a.owner: [b.owner]})
    assert order == [b.owner, a.owner]
    with pytest.raises(InconsistencyError, match="found a cycle"):
        io_toposort([s], [a, b], {a.owner: [b.owner], b.owner: [a.owner]})
    assert general_toposort([a.owner], lambda node: []) == [a.owner]


def test_clone_and_replace() -> None:
    z = T.exp(x) + y
    copy = clone(z)
    assert copy is not z and is_same_graph(copy, z) and inputs([copy]) == [x, y]
    w = T.dmatrix("w")
    changed = clone(z, replace={x: w})
    assert inputs([changed]) == [w, y] and inputs([z]) == [x, y]
    assert clone([z, x], replace=[(x, w)])[1] is w
    onto_itself = clone(z, replace={x: x + 1})
    assert is_same_graph(onto_itself, T.exp(x + 1) + y)
    swapped = clone(x[0] - y, replace={x: T.outer(y, y), y: x[1]})
    assert is_same_graph(swapped, T.outer(y, y)[0] - x[1])
    fresh = inputs([clone(z, share_inputs=False)])
    assert [v.name for v in fresh] == ["x", "y"] and fresh[0] is not x
    with pytest.raises(TypeError, match="Cannot convert Type TensorType"):
        clone(z, replace={x: T.fmatrix()})
    assert clone(z, replace={x: T.fmatrix()}, strict=False).type == T.dmatrix
    assert clone(T.exp(x), replace={x: T.fmatrix()}, strict=False).type == T.fmatrix
    old, new = clone_graph([x, y], [z])
    assert old[0] is not x and inputs(new) == old


def test_substitute_shares_what_does_not_change() -> None:
    a, b = T.exp(x), T.log(y)
    z = a + b
    changed = substitute([z], {y: y * 2})[0]
    assert changed.owner.inputs[0] is a


def test_names_and_tags_survive_copies() -> None:
    z = T.exp(x)
    z.name = "z"
    z.tag.mark = 5
    copy = clone(z, replace={x: x * 2})
    assert copy.name == "z" and copy.tag.mark == 5


def test_givens() -> None:
    z = x + s
    (changed,) = apply_givens([z], {s: T.dscalar("t")})
    assert inputs([changed])[1].name == "t"
    assert apply_givens([z], None) == [z]
    with pytest.raises(
        AssertionError, match="you can not have a new_v variable depend on an old_v one"
    ):
        apply_givens([z], {x: y.dimshuffle(0, "x"), y: x[0]})
    with pytest.raises(TypeError, match="Cannot convert Type"):
        apply_givens([z], {s: T.fscalar()})
    with pytest.raises(ValueError, match="neither a dictionary, list, tuple or None"):
        apply_givens([z], 3)  # type: ignore[arg-type]


def test_is_same_graph() -> None:
    assert is_same_graph(x + 1, x + 1)
    assert is_same_graph(x * 300, x * 300)
    assert not is_same_graph(x + 1, x + 2)
    assert not is_same_graph(x + 1, 1 + x)
    assert not is_same_graph(x - s, s - x)
    assert not is_same_graph(x.sum(axis=0), x.sum(axis=1))
    w = T.dmatrix("w")
    assert not is_same_graph(x + 1, w + 1)
    assert is_same_graph(x + 1, w + 1, givens={w: x})
    assert is_same_graph(x + 1, w + 1, givens=[(x, w)])
    first, second = T.max_and_argmax(x, axis=1)
    assert not is_same_graph(T.cast(first, "int64"), second)


def test_host_ops() -> None:
    z = Twice(3)(y)
    assert z.type == T.dvector and str(z) == "Twice{times=3}.0"
    assert Twice(3) == Twice(3) and hash(Twice(3)) == hash(Twice(3)) and Twice(3) != Twice(4)
    assert z.owner.op.signature is None and z.owner.default_output() is z
    storage = [[None]]
    z.owner.op.perform(z.owner, [np.ones(2)], storage)
    assert storage[0][0].tolist() == [3, 3]
    with pytest.raises(MethodNotDefined, match="grad: not defined by Twice"):
        Twice(1).grad([y], [y])

    class Typed(Op):
        itypes = [T.dvector]
        otypes = [T.dscalar, T.lscalar]

    first, second = Typed()(y)
    assert first.type == T.dscalar and second.index == 1
    with pytest.raises(ValueError, match="We expected 1 inputs but got 2"):
        Typed()(y, y)
    with pytest.raises(TypeError, match="Cannot convert Type"):
        Typed()(x)
    with pytest.raises(NotImplementedError, match="found neither make_node nor itypes"):
        Op()(x)


def test_applies_check_their_variables() -> None:
    with pytest.raises(TypeError, match="The 'inputs' argument to Apply must contain Variable"):
        Apply(T.add, [3], [])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="must belong to it"):
        Apply(T.exp, [x], [T.exp(x)])


def test_native_nodes_say_what_lowering_needs() -> None:
    z = x[1:, 0]
    node = z.owner
    assert node.op.signature.name == "tensor.subtensor"
    assert node.op.props == {"slices": "@::, @"} and len(node.inputs) == 3
    assert node.op.lowered(node) == ({"slices": "1::, 0"}, [x])
    node = x.sum(axis=0).owner
    assert node.op.props["axes"] == (0,) and node.op.lowered(node) == (node.op.props, node.inputs)


def deep(length: int) -> Variable:
    value = s
    for _ in range(length):
        value = value + 1
    return value


def test_chains_of_20000_nodes() -> None:
    length = 20_000
    top = deep(length)
    assert len(toposort([top])) == length
    assert inputs([top])[0] is s
    assert len(ancestors([top])) == length + 2
    copy = clone(top, replace={s: s * 2})
    assert len(toposort([copy])) == length + 1
    assert is_same_graph(top, deep(length))
    assert len(clone_graph([s], [top])[1]) == 1
    (given,) = apply_givens([top], {s: T.dscalar("t")})
    assert len(toposort([given])) == length
    assert (
        len(general_toposort([top.owner], lambda n: [v.owner for v in n.inputs if v.owner]))
        == length
    )
