"""`dialects.create` makes what `Operation.create` makes."""

from __future__ import annotations

import pytest
from xdsl.dialects import llvm
from xdsl.dialects.builtin import UnknownLoc, f64
from xdsl.ir import Block, Operation, SSAValue

from tetractys.dialects.create import append, create, insert_before


def _block() -> tuple[Block, list[SSAValue]]:
    block = Block(arg_types=[f64, f64])
    return block, list(block.args)


def _fields(op: Operation) -> dict[str, object]:
    return {name: getattr(op, name) for name in vars(op)} | {"parent": op.parent}


def test_same_fields_as_xdsl() -> None:
    properties = {"fastmathFlags": llvm.FastMathAttr(None)}
    (_, ours), (_, theirs) = _block(), _block()
    mine = create(llvm.FAddOp, [ours[0], ours[0]], [f64], properties)
    other = llvm.FAddOp.create(operands=[theirs[0], theirs[0]], result_types=[f64],
                               properties=properties)
    left, right = _fields(mine), _fields(other)
    assert left.keys() == right.keys()
    for name in ("properties", "attributes", "location", "regions", "_successors",
                 "_successor_uses", "parent"):
        assert left[name] == right[name], name
    assert isinstance(mine.location, UnknownLoc)
    assert [type(v) for v in left.values()] == [type(v) for v in right.values()]
    assert [u.index for u in ours[0].uses] == [u.index for u in theirs[0].uses]
    assert mine.results[0].type == f64 and mine.results[0].owner is mine


def test_uses_can_be_removed_again() -> None:
    block, (a, b) = _block()
    op = create(llvm.FAddOp, [a, b], [f64], {})
    append(block, op)
    a.replace_all_uses_with(b)
    assert list(op.operands) == [b, b] and a.first_use is None
    op.detach()
    op.erase()
    assert b.first_use is None and block.first_op is None


@pytest.mark.parametrize("count", [1, 3])
def test_order_in_the_block(count: int) -> None:
    block, (a, b) = _block()
    ops = [create(llvm.FAddOp, [a, b], [f64], {}) for _ in range(count)]
    for op in ops:
        append(block, op)
    first, middle = (create(llvm.FMulOp, [a, b], [f64], {}) for _ in range(2))
    insert_before(first, ops[0])
    insert_before(middle, ops[-1])
    expected = [first, *ops[:-1], middle, ops[-1]]
    assert list(block.ops) == expected
    assert [op.prev_op for op in expected] == [None, *expected[:-1]]
    assert all(op.parent is block for op in expected)
