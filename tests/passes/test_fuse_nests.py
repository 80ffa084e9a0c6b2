"""Fusion of nests: what becomes one, what must not, and the numbers, by both interpreters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from tetractys.dialects import elemwise_signatures as ew
from tetractys.dialects import tensor_signatures as ts
from tetractys.dialects.loops import SLICE, NestOp
from tetractys.dialects.signature import Spec
from tetractys.oracle.judge import LEVEL_2, judge
from tetractys.oracle.program import parse, program
from tetractys.passes.fuse_nests import FuseNestsPass
from tetractys.passes.fuse_rule import FusionLog
from tetractys.passes.registry import load_pass

RNG = np.random.default_rng(1)
V: Spec = ("float64", (-1,))
M: Spec = ("float64", (-1, -1))
S: Spec = ("float64", ())
MAX, ADD = "max", "add"


def real(*shape: int) -> Any:
    return RNG.standard_normal(shape)


def fuse(
    specs: Sequence[Spec],
    body: Callable[..., Any],
    *runs: Sequence[Any],
    fuser: FuseNestsPass | None = None,
) -> tuple[ModuleOp, FusionLog]:
    """The module after all passes of level 2, judged on each run's arguments, and the log."""
    passes = [fuser or name if name == "fuse-nests" else name for name in LEVEL_2]
    module = ModuleOp([])
    log = FusionLog()
    for args in runs:
        module = program(specs, body)
        done = judge(module, args, passes)
        fused = done["fuse-nests"]
        assert isinstance(fused, FuseNestsPass)
        log = fused.log
    return module, log


def top(module: ModuleOp) -> list[NestOp]:
    """The nests of the function, outermost ones only."""
    return [op for op in module.body.block.first_op.body.block.ops if isinstance(op, NestOp)]  # type: ignore[union-attr]


def readers(module: ModuleOp, argument: int) -> int:
    """How many nests of the function read an argument."""
    value = module.body.block.first_op.body.block.args[argument]  # type: ignore[union-attr]
    return sum(value in nest.input_values for nest in top(module))


def column_reads(module: Any, argument: int) -> int:
    """How many reads of an argument are of columns, `%x[:, %i]`."""
    value = module.body.block.first_op.body.block.args[argument]
    return sum(
        read is value and entries[0] == SLICE
        for nest in top(module)
        for read, entries in zip(nest.inputs, nest.input_maps)
    )


def dot(b: Any, x: SSAValue, y: SSAValue) -> SSAValue:
    return b(ts.DOT, x, y)


def turn(b: Any, x: SSAValue) -> SSAValue:
    return b(ts.DIMSHUFFLE, x, order=(1, 0))


def spread(b: Any, x: SSAValue, *order: int) -> SSAValue:
    return b(ts.DIMSHUFFLE, x, order=order)


def total(b: Any, x: SSAValue, *axes: int, kind: str = ADD) -> SSAValue:
    return b(ts.REDUCE, x, kind=kind, axes=axes)


# -- the logistic-regression step


def step(
    b: Any,
    x: SSAValue,
    y: SSAValue,
    w: SSAValue,
    bias: SSAValue,
    *,
    flip: bool = False,
    third: bool = False,
) -> list[SSAValue]:
    """Prediction, cross entropy, new weights and bias; `flip`: x comes transposed."""
    rows = turn(b, x) if flip else x
    t = b(ew.ADD, dot(b, rows, w), spread(b, bias, -1))
    p = b(ew.SIGMOID, t)
    xent = b(
        ew.ADD,
        b(ew.MUL, y, b(ew.SOFTPLUS, b(ew.NEG, t))),
        b(ew.MUL, b(ew.SUB, b.constant(1.0, ("float64", (1,))), y), b(ew.SOFTPLUS, t)),
    )
    d = b(ew.SUB, p, y)
    g = dot(b, turn(b, rows), d)
    rate = b.constant(0.1, ("float64", (1,)))
    outputs = [
        b(ew.GT, p, b.constant(0.5, ("float64", (1,)))),
        xent,
        b(ew.SUB, w, b(ew.MUL, rate, g)),
        b(ew.SUB, bias, b(ew.MUL, b.constant(0.1, S), total(b, d, 0))),
    ]
    return [*outputs, p] if third else outputs


SIZES = [(5, 3), (1, 3), (5, 1), (1, 1), (0, 3), (5, 0), (0, 0)]


@pytest.mark.parametrize("third", [False, True])
def test_the_step_reads_x_once(third: bool) -> None:
    runs = [(real(n, f), real(n), real(f), real()) for n, f in SIZES]
    module, log = fuse([M, V, V, S], lambda *a: step(*a, third=third), *runs)
    assert readers(module, 0) == 1
    (row,) = [
        nest for nest in top(module) if not all(op.name != "loops.nest" for op in nest.block.ops)
    ]
    inside = [op.name for op in row.block.ops]
    assert inside.count("loops.nest") == 2 and "elemwise.softplus" not in inside
    assert {0} <= set(log.clauses()) <= {0, 3}


def test_the_step_of_a_transposed_matrix_reads_no_columns() -> None:
    """Both products go along its rows: two passes, three times as fast as one over columns."""
    runs = [(real(f, n), real(n), real(f), real()) for n, f in SIZES]
    module, _ = fuse([M, V, V, S], lambda *a: step(*a, flip=True), *runs)
    assert readers(module, 0) == 2
    assert column_reads(module, 0) == 0


def test_the_step_with_permuted_operands() -> None:
    """w x^T instead of x w, and the gradient as d^T x."""

    def body(b: Any, w: SSAValue, x: SSAValue, y: SSAValue) -> list[SSAValue]:
        d = b(ew.SUB, b(ew.SIGMOID, dot(b, w, turn(b, x))), y)
        return [b(ew.SUB, w, dot(b, d, x)), d]

    module, _ = fuse([V, M, V], body, *[(real(f), real(n, f), real(n)) for n, f in SIZES])
    assert readers(module, 1) == 1


def test_two_gradients() -> None:
    """Two weight vectors and both their gradients from one pass over x."""

    def body(b: Any, x: SSAValue, u: SSAValue, v: SSAValue) -> list[SSAValue]:
        d = b(ew.MUL, b(ew.TANH, dot(b, x, u)), b(ew.SIGMOID, dot(b, x, v)))
        e = b(ew.SQR, d)
        return [dot(b, turn(b, x), d), dot(b, turn(b, x), e)]

    module, _ = fuse([M, V, V], body, *[(real(n, f), real(f), real(f)) for n, f in SIZES])
    assert readers(module, 0) == 1


def test_a_composite_is_split() -> None:
    """Of one composite only what the gradient needs runs in the row nest."""
    text = """func.func @main(%x: tensor<?x?xf64>, %w: tensor<?xf64>)
        -> (tensor<?xf64>, tensor<?xf64>) {
      %t = tensor.dot %x, %w : (tensor<?x?xf64>, tensor<?xf64>) -> tensor<?xf64>
      %d, %l = elemwise.composite (%a = %t : tensor<?xf64>) -> tensor<?xf64>, tensor<?xf64> {
        %0 = elemwise.exp %a : f64
        %1 = elemwise.sqr %0 : f64
        %2 = elemwise.log1p %0 : f64
        %3 = elemwise.neg %2 : f64
        elemwise.yield %1, %3 : f64, f64
      }
      %y = tensor.dimshuffle %x {order = array<i64: 1, 0>} : (tensor<?x?xf64>) -> tensor<?x?xf64>
      %g = tensor.dot %y, %d : (tensor<?x?xf64>, tensor<?xf64>) -> tensor<?xf64>
      func.return %g, %l : tensor<?xf64>, tensor<?xf64>
    }"""
    for n, f in SIZES:
        module = parse(text)
        judge(module, [real(n, f), real(f)])
        row, rest = top(module)
        assert "elemwise.log1p" not in [op.name for op in row.block.ops]
        assert [op.name for op in rest.block.ops][:2] == ["elemwise.log1p", "elemwise.neg"]


# -- softmax and other row passes


def softmax(b: Any, x: SSAValue) -> SSAValue:
    e = b(ew.EXP, b(ew.SUB, x, spread(b, total(b, x, 1, kind=MAX), 0, -1)))
    return b(ew.TRUE_DIV, e, spread(b, total(b, e, 1), 0, -1))


def test_softmax_is_one_row_pass() -> None:
    module, _ = fuse([M], softmax, *[(real(n, k),) for n, k in SIZES if k])
    (row,) = top(module)
    assert row.rank == 1 and [op.name for op in row.block.ops].count("loops.nest") == 3


def test_sums_of_columns_are_passes_over_rows() -> None:
    """Mean and variance of each column: a loop over the columns would jump from row to row."""

    def body(b: Any, x: SSAValue) -> list[SSAValue]:
        y = turn(b, x)
        mean = total(b, y, 1)
        return [mean, total(b, b(ew.SQR, b(ew.SUB, y, spread(b, mean, 0, -1))), 1)]

    module, _ = fuse([M], body, (real(3, 4),), (real(5, 1),))
    assert readers(module, 0) == 2 and column_reads(module, 0) == 0


def test_mean_and_variance() -> None:
    def body(b: Any, x: SSAValue) -> list[SSAValue]:
        count = b(ew.CAST, b(ts.SIZE, x, dim=1), dtype="float64")
        mean = b(ew.TRUE_DIV, total(b, x, 1), spread(b, count, -1))
        centred = b(ew.SUB, x, spread(b, mean, 0, -1))
        return [mean, total(b, b(ew.SQR, centred), 1)]

    module, _ = fuse([M], body, *[(real(n, k),) for n, k in SIZES])
    assert readers(module, 0) == 1 and len(top(module)) == 1


def test_elementwise_work_and_reductions_over_each_dimension_are_one_flat_nest() -> None:
    def body(b: Any, x: SSAValue, y: SSAValue) -> list[SSAValue]:
        c = b(ew.ADD, b(ew.EXP, b(ew.MUL, x, y)), x)
        return [c, total(b, c, 0, 1), total(b, c, 0), total(b, c, 1, kind=MAX)]

    module, _ = fuse([M, M], body, *[(real(n, k), real(n, k)) for n, k in SIZES if k])
    (nest,) = top(module)
    assert nest.rank == 2 and len(nest.input_values) == 2 and len(nest.results) == 4


def test_argmax_along_a_row_fuses() -> None:
    def body(b: Any, x: SSAValue) -> list[SSAValue]:
        e = b(ew.SQR, x)
        best, where = b.all(ts.MAX_AND_ARGMAX, [e], {"axes": (1,)})
        return [best, where, total(b, e, 1)]

    module, _ = fuse([M], body, (real(3, 4),), (real(2, 1),))
    assert len(top(module)) == 1


# -- near misses, one a clause, and others


def refusal(log: FusionLog, clause: int) -> str:
    """The first sentence of a clause."""
    return next(entry.sentence for entry in log.refusals if entry.clause == clause)


TWO_SIZES = """func.func @main(%x: tensor<?xf64>, %n: index, %m: index)
    -> (tensor<?xf64>, tensor<?xf64>) {
  %squares = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>)
      -> (collect[%i] : tensor<?xf64>) {
    %0 = elemwise.sqr %a : f64
    loops.yield %0 : f64
  }
  %doubles = loops.nest (%i < SIZE) ins(%a = %x[%i] : tensor<?xf64>)
      -> (collect[%i] : tensor<?xf64>) {
    %0 = elemwise.add %a, %a : f64
    loops.yield %0 : f64
  }
  func.return %squares, %doubles : tensor<?xf64>, tensor<?xf64>
}"""


@pytest.mark.parametrize(("size", "nests"), [("%n", 1), ("%m", 2)])
def test_clause_1_two_sizes(size: str, nests: int) -> None:
    """Loops over one array whose sizes are not one SSA value, and the same with one."""
    module = parse(TWO_SIZES.replace("SIZE", size))
    done = judge(module, [real(4), 4, 4], ["fuse-nests"], lowered=True)["fuse-nests"]
    assert isinstance(done, FuseNestsPass)
    assert len(top(module)) == nests
    if nests == 2:
        assert refusal(done.log, 1) == "%n and %m are not one size"


def test_rows_and_columns_of_one_matrix() -> None:
    """e is normalised along its rows and its columns: one of the two cannot share its loop."""
    module, log = fuse(
        [M],
        lambda b, x: [
            b(ew.MUL, e := b(ew.EXP, x), spread(b, total(b, e, 1), 0, -1)),
            b(ew.SUB, e, spread(b, total(b, e, 0), -1, 0)),
        ],
        (real(2, 2),),
        (real(3, 1),),
    )
    assert len(top(module)) == 2 and {1, 2} & set(log.clauses())


def test_clause_2_combined() -> None:
    """Normalising by the whole sum needs all of it first."""
    module, log = fuse(
        [V],
        lambda b, x: b(ew.TRUE_DIV, b(ew.EXP, x), spread(b, total(b, b(ew.EXP, x), 0), -1)),
        (real(4),),
        (real(0),),
    )
    assert len(top(module)) == 2 and 2 in log.clauses()
    assert "is combined, not collected, along that dimension" in refusal(log, 2)


def test_clause_2_read_elsewhere() -> None:
    """x^T of a computed matrix is not at the place just made."""
    module, log = fuse([M], lambda b, x: b(ew.ADD, e := b(ew.EXP, x), turn(b, e)), (real(3, 3),))
    assert len(top(module)) == 2
    assert "reads %exp" in refusal(log, 2) and "at other places" in refusal(log, 2)


def test_clause_2_gathered() -> None:
    """A gather from what the nest before it makes."""
    module, log = fuse(
        [V, ("int64", (-1,))],
        lambda b, x, i: b(
            ew.MUL,
            e := b(ew.EXP, x),
            b(ts.ADVANCED_SUBTENSOR, e, b(ew.ADD, i, b(ew.CAST, e, dtype="int64"))),
        ),
        (np.zeros(3), np.array([0, 1, 1])),
    )
    assert 2 in log.clauses()
    assert "elsewhere than through ins" in refusal(log, 2)


def test_clause_3_a_value_between() -> None:
    """The scalar between two passes over x is no nest."""
    module, log = fuse(
        [V],
        lambda b, x: b(ew.MUL, x, spread(b, b(ew.SQRT, total(b, b(ew.SQR, x), 0)), -1)),
        (real(4),),
    )
    assert len(top(module)) == 2 and 3 in log.clauses()
    assert "lies on the way from one to the other" in refusal(log, 3)


def test_clause_3_a_library_call_between() -> None:
    module, log = fuse(
        [M, M],
        lambda b, x, y: b(ew.ADD, e := b(ew.EXP, x), b(ts.GEMM, e, y)),
        (real(3, 3), real(3, 3)),
    )
    assert len(top(module)) == 2 and 3 in log.clauses()
    assert "loops.call" in refusal(log, 3) or "%gemm" in refusal(log, 3)


def test_clause_4_a_scatter() -> None:
    module, log = fuse(
        [V, ("int64", (-1,))],
        lambda b, x, at: b(ts.ADVANCED_INC_SUBTENSOR, x, b(ew.EXP, x), at),
        (real(4), np.arange(4)),
    )
    assert 4 in log.clauses() and "scatters into an array" in refusal(log, 4)


def test_profit_a_lower_rank() -> None:
    """A sigmoid behind a matrix-vector product stays in its own nest: no row is used again."""
    module, log = fuse([M, V], lambda b, x, w: b(ew.SIGMOID, dot(b, x, w)), (real(3, 4), real(4)))
    assert len(top(module)) == 2
    assert "stays in its own nest" in refusal(log, 0)


def test_profit_rows_too_long() -> None:
    """Rows that would not stay in the cache until their second use."""
    module, log = fuse([M], softmax, (real(3, 4),), fuser=FuseNestsPass(row_elements=1 << 20))
    assert len(top(module)) > 1 and "half the L2 cache" in refusal(log, 0)


def test_what_does_not_touch_stays_apart() -> None:
    module, log = fuse([V, V], lambda b, x, y: [b(ew.EXP, x), b(ew.EXP, y)], (real(3), real(2)))
    assert len(top(module)) == 2 and not log.refusals and not log.fused


def test_a_row_and_a_column_sum_share_the_read() -> None:
    module, _ = fuse(
        [M], lambda b, x: [total(b, x, 0), total(b, x, 1)], *[(real(*s),) for s in SIZES]
    )
    assert readers(module, 0) == 1


def test_names_of_users_stand_in_the_log() -> None:
    text = """func.func @main(%x: tensor<?xf64>) -> tensor<?xf64> {
      %squares = elemwise.sqr %x : tensor<?xf64>
      %sum = tensor.reduce %squares {kind = "add", axes = array<i64: 0>}
          : (tensor<?xf64>) -> tensor<f64>
      %spread = tensor.dimshuffle %sum {order = array<i64: -1>} : (tensor<f64>) -> tensor<1xf64>
      %scaled = elemwise.mul %squares, %spread : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
      func.return %scaled : tensor<?xf64>
    }"""
    fused = judge(parse(text), [real(3)])["fuse-nests"]
    assert isinstance(fused, FuseNestsPass)
    assert any(line.startswith("fused %squares, %sum: share %squares") for line in fused.reasons())
    assert any(
        "%sum and %scaled: clause (2): %sum of %sum is combined" in line
        or "%squares and %scaled: clause (2)" in line
        for line in fused.reasons()
    )


def test_long_chains_in_linear_time() -> None:
    """A chain of operations that nothing fused before becomes one nest."""

    def body(b: Any, x: SSAValue, y: SSAValue) -> SSAValue:
        for number in range(1000):
            x = b(ew.ADD if number % 2 else ew.MUL, x, y)
        return x

    module = program([V, V], body)
    for name in LEVEL_2:
        load_pass(name)().apply(Context(), module)
    (nest,) = top(module)
    assert len(list(nest.block.ops)) == 1001


# -- random programs


def random_program(rng: np.random.Generator) -> Callable[..., Any]:
    """A body over x (n, k), y (n), w (k): elementwise work, products, reductions, transposes."""

    def body(b: Any, x: SSAValue, y: SSAValue, w: SSAValue) -> list[SSAValue]:
        pools: dict[str, list[SSAValue]] = {
            "nk": [x],
            "n": [y],
            "k": [w],
            "kn": [turn(b, x)],
            "": [],
        }
        spreads = {
            ("n", "nk"): (0, -1),
            ("k", "nk"): (-1, 0),
            ("n", "kn"): (-1, 0),
            ("k", "kn"): (0, -1),
            ("", "n"): (-1,),
            ("", "k"): (-1,),
            ("", "nk"): (-1, -1),
            ("", "kn"): (-1, -1),
        }

        def pick(kind: str) -> SSAValue:
            return pools[kind][int(rng.integers(len(pools[kind])))]

        for _ in range(int(rng.integers(4, 14))):
            kind = str(rng.choice(["nk", "n", "k", "kn"]))
            action = int(rng.integers(6))
            if action == 0:
                pools[kind].append(b([ew.TANH, ew.SQR, ew.NEG][int(rng.integers(3))], pick(kind)))
            elif action == 1:
                pools[kind].append(
                    b([ew.ADD, ew.MUL, ew.SUB][int(rng.integers(3))], pick(kind), pick(kind))
                )
            elif action == 2:
                small = str(
                    rng.choice([a for (a, c) in spreads if c == kind and pools[a]] or [kind])
                )
                other = pick(small)
                other = other if small == kind else spread(b, other, *spreads[small, kind])
                pools[kind].append(b(ew.ADD if rng.integers(2) else ew.MUL, pick(kind), other))
            elif action == 3:
                axis = int(rng.integers(len(kind)))
                how = ADD if rng.integers(3) else "mul"
                rest = kind[:axis] + kind[axis + 1 :]
                pools[rest].append(b(ew.TANH, total(b, pick(kind), axis, kind=how)))
            elif action == 4 and len(kind) == 2:
                pools[kind[::-1]].append(turn(b, pick(kind)))
            elif action == 5 and len(kind) == 2:
                pools[kind[0]].append(b(ew.TANH, dot(b, pick(kind), pick(kind[1]))))
        values = [value for pool in pools.values() for value in pool if value not in (x, y, w)]
        chosen = rng.permutation(len(values))[: int(rng.integers(1, 6))]
        return [values[number] for number in chosen]

    return body


@pytest.mark.parametrize("seed", range(60))
def test_random_programs(seed: int) -> None:
    for n, k in [(3, 4), (1, 3), (0, 2)][: 1 + (seed % 3)]:
        body = random_program(np.random.default_rng(seed))
        judge(program([M, V, V], body), [real(n, k), real(n), real(k)], scale=1e-11)
