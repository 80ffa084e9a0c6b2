"""Large basic blocks divided, so that code generation takes time in proportion to their length.

LLVM's instruction selection, scheduling and register allocation are made for blocks of hundreds of
instructions: a block twice as long takes four times as long, from some thousand on (a fused chain
of 2,000 operations and its gradient is one block of 37,000: 5.8 s). So a block of more than `LIMIT`
operations becomes blocks of `SPAN`, and a value that is used more than `FAR` operations away waits
on the stack, where the register allocator would put it in the end:

    %a = llvm.fadd %x, %y : vector<8xf64>        %a = llvm.fadd %x, %y : vector<8xf64>
    ...                                          llvm.store %a, %slot : vector<8xf64>, !llvm.ptr
    (more than FAR operations)            ->     llvm.cond_br %true, ^next, ^never     // SPAN
    ...                                          ^next:
    %b = llvm.fmul %a, %c : vector<8xf64>        %a1 = llvm.load %slot : !llvm.ptr -> vector<8xf64>
                                                 %b = llvm.fmul %a1, %c : vector<8xf64>

A plain jump would not do: LLVM joins blocks that have but one way through. The condition is that
the function's first argument, the address of the flat block or of a nest's environment, is not
null, which LLVM cannot know. Nothing else changes, and no number.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import llvm
from xdsl.dialects.builtin import IntegerAttr, i1, i32, i64
from xdsl.ir import Attribute, Block, Operation, SSAValue

from tetractys.dialects.create import create, insert_before
from tetractys.passes.llvm_builder import PTR, LLVMBuilder, access_properties
from tetractys.passes.llvm_types import element_of, itemsize

LIMIT, SPAN, FAR = 2000, 300, 200
_AT_ENTRY = (llvm.ConstantOp, llvm.UndefOp, llvm.AllocaOp)


def divide_large_blocks(
    function: llvm.FuncOp, limit: int = LIMIT, span: int = SPAN, far: int = FAR
) -> int:
    """Divides the blocks of more than `limit` operations; their number."""
    large = [ops for ops in map(_operations, function.body.blocks) if len(ops) > limit]
    if not large:
        return 0
    entry = function.body.blocks.first
    assert entry is not None
    builder = LLVMBuilder(entry)
    conditions = _Conditions(function, builder)
    for ops in large:
        _Division(builder, conditions, ops, span, far).run()
    return len(large)


def _operations(block: Block) -> list[Operation]:
    """What counts in a block: constants and the like are no instructions."""
    return [op for op in block.ops if not isinstance(op, _AT_ENTRY)]


class _Conditions:
    """What every division of one function needs: a condition that holds, and where not."""

    def __init__(self, function: llvm.FuncOp, builder: LLVMBuilder) -> None:
        entry = builder.entry
        first = _operations(entry)[0]
        (given, *_) = entry.args
        zero, one = builder.index(0), builder.constant(1, i32)
        address = create(llvm.PtrToIntOp, (given,), (i64,), {})
        holds = create(llvm.ICmpOp, (address.results[0], zero), (i1,),
                       {"predicate": IntegerAttr(llvm.ICmpPredicateFlag.NE.to_int(), i64)})
        insert_before(address, first)
        insert_before(holds, first)
        self.holds: SSAValue = holds.results[0]
        self.never = Block()
        function.body.add_block(self.never)
        returned = [one] if function.function_type.output == i32 else []
        self.never.add_op(llvm.ReturnOp.create(operands=returned))


class _Division:
    """One block being divided."""

    def __init__(
        self, builder: LLVMBuilder, conditions: _Conditions, ops: Sequence[Operation],
        span: int, far: int,
    ) -> None:
        self.builder, self.conditions, self.ops = builder, conditions, ops
        self.span, self.far = span, far
        self.place = {op: number for number, op in enumerate(ops)}

    def run(self) -> None:
        """Values that wait go to the stack first, as that counts in operations of before."""
        for op in self.ops:
            for value in op.results:
                if can_wait(value.type):
                    self._keep(op, value)
        for op in reversed(self.ops[self.span :: self.span]):  # each split moves what is behind
            block = op.parent
            assert block is not None
            following = block.split_before(op)
            self.builder.block = block
            self.builder.branch_if(self.conditions.holds, following, (), self.conditions.never)

    def _keep(self, op: Operation, value: SSAValue) -> None:
        """Puts a value with uses far away on the stack, and loads it once a span there."""
        last = self.place[op] + self.far
        uses = [use for use in value.uses if self.place.get(use.operation, 0) > last]
        if not uses:
            return
        slot = self._slot(value)
        loaded: dict[int, SSAValue] = {}
        for use in sorted(uses, key=lambda use: self.place[use.operation]):
            number = self.place[use.operation] // self.span
            if number not in loaded:
                load = create(llvm.LoadOp, (slot,), (value.type,),
                              access_properties(itemsize(value.type)), op.location)
                insert_before(load, use.operation)
                loaded[number] = load.results[0]
            use.operation.operands[use.index] = loaded[number]
        store = create(llvm.StoreOp, (value, slot), (), access_properties(itemsize(value.type)),
                       op.location)
        assert op.next_op is not None
        insert_before(store, op.next_op)

    def _slot(self, value: SSAValue) -> SSAValue:
        one = self.builder.constant(1, i64)
        alloca = create(llvm.AllocaOp, (one,), (PTR,),
                        {"elem_type": value.type, "alignment": IntegerAttr(8, i64)})
        owner = one.owner
        assert isinstance(owner, Operation) and owner.next_op is not None
        insert_before(alloca, owner.next_op)
        return alloca.results[0]


def can_wait(type_: Attribute) -> bool:
    """Numbers may; addresses are cheap to make again, and LLVM folds them; masks have no bytes."""
    return type_ != PTR and element_of(type_) != i1
