"""The level-2 interpreter: kinds of results, slices, vectors, gathers, and its scalars."""

from __future__ import annotations

import numpy as np
import pytest

from tetractys.dialects import elemwise_signatures as ew
from tetractys.dialects.scalar_table import TABLE, default_props, dtype_cases, evaluate
from tetractys.oracle import assert_agree, scalars
from tetractys.oracle.loops import run
from tetractys.oracle.program import parse

X = np.array([[1.0, 2.0, -3.0], [4.0, -5.0, 6.0]])
TARGETS = ("bool", "int8", "uint8", "int32", "uint64", "float32", "float64")


@pytest.mark.parametrize("name", [name for name in ew.SIGNATURES if name != "constant"])
def test_scalars_agree_with_the_table(name: str) -> None:
    """Two implementations that share nothing: Python's numbers, and NumPy's arrays."""
    signature, rng = ew.SIGNATURES[name], np.random.default_rng(0)
    needs = "dtype" in signature.props and not signature.props["dtype"].endswith("?")
    for dtype in TARGETS if needs else ("float64",):
        props = default_props(signature, dtype)
        for dtypes in dtype_cases(signature, props):
            operands = TABLE[signature].operands(dtypes, props, rng, 5)
            wanted = evaluate(signature, operands, props)
            rows = zip(*(operand.tolist() for operand in operands))
            found = [scalars.apply(name, row, dtypes, wanted.dtype.name, props) for row in rows]
            assert_agree(
                np.array(found, wanted.dtype), wanted, TABLE[signature].ulps, what=str(dtypes)
            )


def test_the_fused_row_nest() -> None:
    text = """func.func @main(%x: tensor<?x?xf64>, %w: tensor<?xf64>)
        -> (tensor<?xf64>, tensor<?xf64>, f64) {
      %n = loops.dim %x, 0 : tensor<?x?xf64>
      %d = loops.dim %x, 1 : tensor<?x?xf64>
      %p, %g, %s = loops.nest (%i < %n) ins(%xi = %x[%i, :] : tensor<?x?xf64>)
          -> (collect[%i] : tensor<?xf64>, add[:] : tensor<?xf64>, max[] : f64) {
        %dot = loops.nest (%k < %d) ins(%a = %xi[%k] : tensor<?xf64>, %b = %w[%k] : tensor<?xf64>)
            -> (add[] : f64) {
          %m = elemwise.mul %a, %b : f64
          loops.yield %m : f64
        }
        %u = loops.nest (%k < %d) ins(%a = %xi[%k] : tensor<?xf64>)
            -> (collect[%k] : tensor<?xf64>) {
          %m = elemwise.mul %a, %dot : f64
          loops.yield %m : f64
        }
        loops.yield %dot, %u, %dot : f64, tensor<?xf64>, f64
      }
      func.return %p, %g, %s : tensor<?xf64>, tensor<?xf64>, f64
    }"""
    w = np.array([0.5, -1.0, 2.0])
    p, g, s = run(parse(text), [X, w])
    assert_agree(p, X @ w)
    assert_agree(g, X.T @ (X @ w))
    assert_agree(s, np.max(X @ w))
    p, g, s = run(parse(text), [X[:0], w])  # no row: the slice's size is known all the same
    assert p.shape == (0,) and g.tolist() == [0, 0, 0] and s == -np.inf
    with pytest.raises(TypeError, match="argument 1: found rank 2; expected 1"):
        run(parse(text), [X, X])


@pytest.mark.parametrize("kind", ["add", "mul", "max", "min"])
def test_monoids(kind: str) -> None:
    text = f"""func.func @main(%x: tensor<?x?xf64>) -> (tensor<?xf64>, f64) {{
      %n = loops.dim %x, 0 : tensor<?x?xf64>
      %d = loops.dim %x, 1 : tensor<?x?xf64>
      %r, %s = loops.nest (%i < %n, %k < %d) ins(%a = %x[%i, %k] : tensor<?x?xf64>)
          -> ({kind}[%k] : tensor<?xf64>, {kind}[] : f64) {{
        loops.yield %a, %a : f64, f64
      }}
      func.return %r, %s : tensor<?xf64>, f64
    }}"""
    function = {"add": np.add, "mul": np.multiply, "max": np.maximum, "min": np.minimum}[kind]
    row, total = run(parse(text), [X])
    assert_agree(row, function.reduce(X, axis=0))
    assert_agree(total, function.reduce(X, axis=None))
    broken = X.copy()
    broken[1, 1] = np.nan
    assert np.isnan(run(parse(text), [broken])[0]).tolist() == [False, True, False]


def test_logical_monoids_and_their_identities() -> None:
    text = """func.func @main(%x: tensor<?xi1>, %y: tensor<?xi8>) -> (i1, i1, i8, i8) {
      %n = loops.dim %x, 0 : tensor<?xi1>
      %a, %o, %b, %p = loops.nest (%i < %n)
          ins(%e = %x[%i] : tensor<?xi1>, %f = %y[%i] : tensor<?xi8>)
          -> (and[] : i1, or[] : i1, and[] : i8, or[] : i8) {
        loops.yield %e, %e, %f, %f : i1, i1, i8, i8
      }
      func.return %a, %o, %b, %p : i1, i1, i8, i8
    }"""
    bits, numbers = np.array([True, False]), np.array([6, 3], np.int8)
    assert [r.item() for r in run(parse(text), [bits, numbers])] == [False, True, 2, 7]
    assert [r.item() for r in run(parse(text), [bits[:0], numbers[:0]])] == [True, False, -1, 0]


def test_argmax_is_the_first_and_a_nan_is_the_largest() -> None:
    text = """func.func @main(%x: tensor<?x?xf64>) -> (tensor<?xf64>, tensor<?xi64>) {
      %n = loops.dim %x, 0 : tensor<?x?xf64>
      %d = loops.dim %x, 1 : tensor<?x?xf64>
      %m, %p = loops.nest (%k < %d, %i < %n) ins(%a = %x[%i, %k] : tensor<?x?xf64>)
          -> (max[%i] : tensor<?xf64>, argmax[%i] : tensor<?xi64>) {
        %position = elemwise.cast %k {dtype = i64} : (index) -> i64
        loops.yield %a, %position : f64, i64
      }
      func.return %m, %p : tensor<?xf64>, tensor<?xi64>
    }"""
    values = np.array([[1.0, 3.0, 3.0], [2.0, np.nan, np.nan], [-1.0, -2.0, -1.0]])
    largest, position = run(parse(text), [values])
    assert_agree(largest, np.array([3.0, np.nan, -1.0]))
    assert_agree(position, np.array([1, 1, 0]))


def test_gather_and_scatter() -> None:
    text = """func.func @main(%x: tensor<?xf64>, %i: tensor<?xi64>)
        -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) {
      %n = loops.dim %i, 0 : tensor<?xi64>
      %g, %s, %t = loops.nest (%k < %n) ins(%j = %i[%k] : tensor<?xi64>)
          -> (collect[%k] : tensor<?xf64>, scatter_add(%x)[?] : tensor<?xf64>,
              scatter_set(%x)[?] : tensor<?xf64>) {
        %place = elemwise.cast %j {dtype = index} : (i64) -> index
        %v = loops.gather %x, %place : (tensor<?xf64>, index) -> f64
        %ten = elemwise.constant 10.0 : f64
        loops.yield %v, %ten, %place, %ten, %place : f64, f64, index, f64, index
      }
      func.return %g, %s, %t : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
    }"""
    x, i = np.array([1.0, 2.0, 3.0]), np.array([0, -1, 0])
    found = run(parse(text), [x, i])
    assert [f.tolist() for f in found] == [[1, 3, 1], [21, 2, 13], [10, 2, 10]]
    assert x.tolist() == [1, 2, 3]
    with pytest.raises(IndexError, match="index 3 is out of bounds for axis 0 with size 3"):
        run(parse(text), [x, np.array([3])])


@pytest.mark.parametrize("size", [0, 1, 3, 4, 9])
def test_vectors_and_their_tails(size: int) -> None:
    text = """func.func @main(%x: tensor<?xf64>, %c: f64) -> (tensor<?xf64>, f64, f64) {
      %n = loops.dim %x, 0 : tensor<?xf64>
      %r, %s, %m = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64> as vector<4xf64>)
          -> (collect[%i] : tensor<?xf64>, add[] : f64, max[] : f64) schedule {vector = 4 : i64} {
        %v = elemwise.splat %c : f64 to vector<4xf64>
        %p = elemwise.mul %a, %v : vector<4xf64>
        loops.yield %p, %p, %a : vector<4xf64>, vector<4xf64>, vector<4xf64>
      }
      func.return %r, %s, %m : tensor<?xf64>, f64, f64
    }"""
    x = np.arange(1.0, size + 1)
    scaled, total, largest = run(parse(text), [x, np.array(2.0)])
    assert_agree(scaled, 2 * x)
    assert (total, largest) == ((2 * x).sum(), x.max(initial=-np.inf))


def test_views_calls_checks_and_the_only_position() -> None:
    text = """func.func @main(%x: tensor<?x?xf64>, %b: tensor<1x?xf64>)
        -> (tensor<?xf64>, tensor<?x?xf64>, tensor<1x?xf64>) {
      %n = loops.dim %x, 0 : tensor<?x?xf64>
      %d = loops.dim %x, 1 : tensor<?x?xf64>
      %e = loops.dim %b, 1 : tensor<1x?xf64>
      loops.check %d, %e {message = "sizes {0} and {1}"} : (index, index) -> ()
      %t = elemwise.mul %n, %d : index
      %v = loops.view %x, %t : (tensor<?x?xf64>, index) -> tensor<?xf64>
      %g = loops.call %x, %x {callee = "gemm", options = {transpose_b = true}}
          : (tensor<?x?xf64>, tensor<?x?xf64>) -> tensor<?x?xf64>
      %r = loops.nest (%k < %d) ins(%a = %b[0, %k] : tensor<1x?xf64>)
          -> (collect[0, %k] : tensor<1x?xf64>) {
        %s = elemwise.neg %a : f64
        loops.yield %s : f64
      }
      func.return %v, %g, %r : tensor<?xf64>, tensor<?x?xf64>, tensor<1x?xf64>
    }"""
    row = np.array([[7.0, 8.0, 9.0]])
    view, product, negated = run(parse(text), [X, row])
    assert_agree(view, X.ravel())
    assert_agree(product, X @ X.T)
    assert_agree(negated, -row)
    with pytest.raises(ValueError, match="sizes 3 and 2"):
        run(parse(text), [X, row[:, :2]])
    with pytest.raises(ValueError, match="not contiguous"):
        run(parse(text), [X.T[:, [0, 1, 0]].T.copy(order="F"), row[:, :3]])


def test_sums_are_exact() -> None:
    assert scalars.sum_exactly([1e16, 1.0, -1e16], "float64") == 1.0
    assert scalars.sum_exactly([100, 100], "int8") == -56
    assert scalars.sum_exactly([float("inf"), 1.0, -float("inf")], "float64") != 0
    assert scalars.convert(2**60 + 2**36 + 1, "int64", "float32") == 2.0**60 + 2.0**37
