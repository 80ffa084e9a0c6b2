"""`dialects.create` makes what `Operation.create` makes."""

from __future__ import annotations

import pytest
from xdsl.dialects import llvm
from xdsl.dialects.builtin import UnknownLoc, f64
from xdsl.ir import Block, Dialect, Operation, Region, SSAValue
from xdsl.irdl import IRDLOperation, OptionalDef

from tetractys.dialects.create import QuickOp, append, create, insert_before
from tetractys.dialects.elemwise import Elemwise
from tetractys.dialects.loops import Loops, NestOp
from tetractys.dialects.tensor import Tensor


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


def test_our_operations_as_xdsl_makes_them() -> None:
    keywords = {"properties": {"a": f64}, "attributes": {"b": f64}, "result_types": [f64]}
    (_, ours), (_, theirs) = _block(), _block()
    mine = NestOp.create(operands=ours, regions=[Region(Block())], **keywords)
    other = super(QuickOp, NestOp).create(operands=theirs, regions=[Region(Block())], **keywords)
    left, right = _fields(mine), _fields(other)
    assert left.keys() == right.keys()
    assert [type(v) for v in left.values()] == [type(v) for v in right.values()]
    assert mine.properties == other.properties and mine.attributes == other.attributes
    assert mine.regions[0].parent is mine and other.regions[0].parent is other
    with pytest.raises(ValueError, match="loops.nest: found successors"):
        NestOp.create(successors=[Block()])


@pytest.mark.parametrize("dialect", [Elemwise, Tensor, Loops], ids=lambda dialect: dialect.name)
def test_what_quick_operations_leave_out_is_not_there(dialect: Dialect) -> None:
    """No successors, and no default that `create` would have to fill in."""
    for class_ in dialect.operations:
        assert issubclass(class_, IRDLOperation)
        definition = class_.get_irdl_definition()
        assert not definition.successors, class_.name
        for field in (*definition.properties.values(), *definition.attributes.values()):
            assert isinstance(field, OptionalDef) or field.default_value is None, class_.name
