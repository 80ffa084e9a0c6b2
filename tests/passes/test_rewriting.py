"""The walker: order, locations, dead code, the cap."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from xdsl.dialects.builtin import FusedLoc, ModuleOp, UnknownLoc
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Operation, Region

from tetractys.dialects import elemwise, types
from tetractys.passes.rewriting import (
    PatternTable,
    RewriteLimitError,
    Rewriter,
    apply_patterns,
    create,
    fuse_locations,
    operations_of,
)

VECTOR = types.tensor_type(("float64", (-1,)))
Compiled = Callable[..., ModuleOp]


def chain(length: int) -> ModuleOp:
    """exp and neg in turns, one line each."""
    block = Block(arg_types=[VECTOR])
    value = block.args[0]
    for number in range(length):
        class_ = elemwise.NegOp if number % 2 else elemwise.ExpOp
        op = create(class_, [value], types.location("user.py", number))
        block.add_op(op)
        value = op.results[0]
    block.add_op(ReturnOp.create(operands=[value]))
    return ModuleOp([FuncOp("main", ([VECTOR], [VECTOR]), Region(block))])


def body(module: ModuleOp) -> list[Operation]:
    function = module.body.block.first_op
    assert isinstance(function, FuncOp)
    return list(function.body.block.ops)


def test_new_operations_have_the_location_of_the_matched_one() -> None:
    table = PatternTable("test")

    @table.on(elemwise.NegOp)
    def two_for_one(rw: Rewriter, op: Operation) -> bool:
        (value,) = op.operands
        return rw.replace_by(elemwise.SubOp, rw.make(elemwise.AbsOp, value), value)

    module = chain(4)
    assert apply_patterns(module, table) == 2
    lines = [str(op.location) for op in body(module)[:-1]]
    assert lines == [str(types.location("user.py", n)) for n in (0, 1, 1, 2, 3, 3)]


def test_dead_operations_go_and_what_only_they_used() -> None:
    module = chain(10)
    last = body(module)[-1]
    last.operands[0] = body(module)[2].results[0]
    apply_patterns(module, PatternTable("nothing"))
    assert len(body(module)) == 4


def test_producers_are_visited_before_users_and_each_once() -> None:
    table, seen = PatternTable("test"), []

    @table.on(elemwise.NegOp, elemwise.ExpOp)
    def look(rw: Rewriter, op: Operation) -> bool:
        seen.append(op)
        return False

    module = chain(50)
    apply_patterns(module, table)
    assert seen == body(module)[:-1]


def test_patterns_without_end_stop_with_an_error_that_names_them() -> None:
    table = PatternTable("ping-pong")

    @table.on(elemwise.NegOp)
    def there(rw: Rewriter, op: Operation) -> bool:
        return rw.replace_by(elemwise.AbsOp, op.operands[0])

    @table.on(elemwise.AbsOp)
    def back(rw: Rewriter, op: Operation) -> bool:
        return rw.replace_by(elemwise.NegOp, op.operands[0])

    with pytest.raises(RewriteLimitError, match="ping-pong: found no end after"):
        apply_patterns(chain(4), table)


def test_operations_inside_regions_are_visited_too(compiled: Compiled) -> None:
    module = compiled("""func.func @main(%x: tensor<?xf64>) -> tensor<?xf64> {
  %0 = elemwise.composite (%a = %x : tensor<?xf64>) -> tensor<?xf64> {
    %1 = elemwise.neg %a : f64
    %2 = elemwise.neg %1 : f64
    elemwise.yield %2 : f64
  }
  func.return %0 : tensor<?xf64>
}""")
    block = body(module)[0].parent
    assert block is not None
    names = [op.name for op in operations_of(block)]
    assert names == ["elemwise.composite", "elemwise.neg", "elemwise.neg", "elemwise.yield",
                     "func.return"]


def test_fused_locations() -> None:
    first, second = types.location("a.py", 1), types.location("a.py", 2)
    assert fuse_locations(first, first) is first
    assert fuse_locations(UnknownLoc(), first) is first
    both = fuse_locations(first, second)
    assert isinstance(both, FusedLoc)
    assert fuse_locations(both, second) == both
    assert fuse_locations(UnknownLoc(), UnknownLoc()) == UnknownLoc()
