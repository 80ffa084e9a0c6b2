"""The schedule: measured rules for rows at a time, the order of loops, and what stays as it is."""

from __future__ import annotations

import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from tetractys.dialects.loops import SLICE, ZERO, NestOp, walk_nests
from tetractys.oracle.judge import judge
from tetractys.oracle.program import parse
from tetractys.passes.schedule_cpu import ScheduleCpuPass, rows_at_a_time

L2 = 2 << 20
RNG = np.random.default_rng(2)


@pytest.mark.parametrize(
    ("features", "rows", "wanted"),
    [
        (0, 0, (4, False)),  # sizes not known
        (784, 400, (2, True)),  # 2.5 MB of rows do not fit the L2: two blocks of 2 rows and w in L1
        (784, 200, (4, False)),  # they do: no prefetch, one block of 4
        (784, 40000, (2, True)),
        (100, 40000, (8, True)),
        (2000, 40000, (2, False)),  # no block fits
    ],
)
def test_the_measured_rule(features: int, rows: int, wanted: tuple[int, bool]) -> None:
    """LOOPS 1: the largest of 2, 4, 8 rows that fits, prefetched where the rows leave the L2."""
    options = ScheduleCpuPass(row_elements=features, rows=rows, l2_bytes=L2)
    assert rows_at_a_time(8 * features, options) == wanted


def scheduled(text: str, **options: int) -> list[NestOp]:
    """The nests of a function after the pass, outer before inner."""
    module = parse(text)
    ScheduleCpuPass(**options).apply(Context(), module)
    module.verify()
    return list(walk_nests(module))


def nest(space: str, inputs: str, results: str, body: str, kinds: str) -> str:
    """A function of one nest over x (?x?), w and y."""
    return f"""func.func @main(%x: tensor<?x?xf64>, %w: tensor<?xf64>, %n: index, %m: index)
        -> {kinds} {{
      %r = loops.nest ({space}) ins({inputs}) -> ({results}) {{
        {body}
      }}
      func.return %r : {kinds}
    }}"""


X, W, V = "tensor<?x?xf64>", "tensor<?xf64>", "tensor<?xf64>"
PRODUCT = "%0 = elemwise.mul %a, %b : f64 loops.yield %0 : f64"
GEMV = nest(
    "%k < %m, %i < %n", f"%a = %x[%i, %k] : {X}, %b = %w[%k] : {W}", f"add[%i] : {V}", PRODUCT, V
)
TURNED = nest(
    "%k < %m, %i < %n", f"%a = %x[%i, %k] : {X}, %b = %w[%i] : {W}", f"add[%k] : {V}", PRODUCT, V
)


def test_a_dimension_of_size_1_behind_the_others_is_no_row() -> None:
    """An array with gaps has rows of one element: its loops go along the dimension before."""
    text = f"""func.func @main(%x: tensor<?x?x1xf64>, %n: index, %m: index) -> {V} {{
      %r = loops.nest (%k < %m, %i < %n) ins(%a = %x[%i, %k, 0] : tensor<?x?x1xf64>)
          -> (max[%k] : {V}) {{
        loops.yield %a : f64
      }}
      func.return %r : {V}
    }}"""
    assert [one.input_maps[0] for one in scheduled(text)] == [(0, SLICE, ZERO), (0,)]
    judge(parse(text), [RNG.normal(size=(5, 3, 1)), 5, 3], ["schedule-cpu"], lowered=True)


@pytest.mark.parametrize("text", [GEMV, TURNED])
def test_products_become_row_nests(text: str) -> None:
    row, leaf = scheduled(text, vector_bytes=32)
    assert row.scheduled("jam") == 4 and row.input_maps[0] == (0, -1)
    assert leaf.scheduled("vector") == 4 and leaf.input_maps[0] == (0,)
    assert leaf.scheduled("accumulators") == (4 if text is GEMV else 0)


@pytest.mark.parametrize(("text", "length"), [(GEMV, 4), (TURNED, 3)])
def test_they_give_the_same_numbers(text: str, length: int) -> None:
    args = [RNG.standard_normal((3, 4)), RNG.standard_normal(length), 3, 4]
    judge(parse(text), args, ["schedule-cpu"], lowered=True)


def test_heavy_bodies_get_no_rows_at_a_time() -> None:
    body = "%0 = elemwise.mul %a, %b : f64 %1 = elemwise.exp %0 : f64 loops.yield %1 : f64"
    (flat,) = scheduled(GEMV.replace(PRODUCT, body))
    assert flat.rank == 2 and flat.scheduled("jam") == 0 and flat.scheduled("accumulators") == 4


def test_lanes_of_the_widest_element() -> None:
    text = """func.func @main(%x: tensor<?xf32>, %n: index) -> tensor<?xf64> {
      %r = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf32>) -> (collect[%i] : tensor<?xf64>) {
        %0 = elemwise.cast %a {dtype = f64} : (f32) -> f64
        loops.yield %0 : f64
      }
      func.return %r : tensor<?xf64>
    }"""
    assert scheduled(text)[0].scheduled("vector") == 8


def test_scheduling_twice_changes_nothing() -> None:
    module: ModuleOp = parse(GEMV)
    ScheduleCpuPass().apply(Context(), module)
    once = str(module)
    ScheduleCpuPass().apply(Context(), module)
    assert str(module) == once


def test_results_are_stored_in_rows() -> None:
    """Two inputs by columns do not outweigh the result: its scalars would be stored one by one."""
    text = f"""func.func @main(%x: {X}, %y: {X}, %n: index, %m: index) -> {X} {{
      %r = loops.nest (%j < %m, %i < %n) ins(%a = %x[%j, %i] : {X}, %b = %y[%j, %i] : {X})
          -> (collect[%i, %j] : {X}) {{
        {PRODUCT}
      }}
      func.return %r : {X}
    }}"""
    (one,) = scheduled(text)
    assert one.result_map_list == [(0, 1)] and one.input_maps == [(1, 0), (1, 0)]
    judge(parse(text), [RNG.normal(size=(3, 5)), RNG.normal(size=(3, 5)), 5, 3], ["schedule-cpu"],
          lowered=True)  # fmt: skip
