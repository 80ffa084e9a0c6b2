"""A builder that keeps our IR clean by itself: it hoists, it shares, it writes loops.

No LLVM pass runs over what we emit, so what `licm` and `early-cse` would do happens while building.
Every value has a *depth*, that of the innermost loop it depends on. A pure instruction goes to the
depth of its operands: in front of the loop that does not change it. The same instruction on the
same operands is built once.

    inside a loop over %i, `mul(%n, %m)` of two values of depth 0 is built before the loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from xdsl.dialects import llvm
from xdsl.dialects.builtin import IntegerAttr, i1, i8, i32, i64
from xdsl.ir import Attribute, Block, Operation, SSAValue

from tetractys.dialects import llvm_ext
from tetractys.dialects.create import create, insert_before
from tetractys.passes.llvm_builder import (
    PTR,
    LLVMBuilder,
    access_properties,
    default_properties,
    itemsize,
    mangled,
    vector_of,
)
from tetractys.passes.llvm_types import integer

_FIXED = (llvm.LoadOp, llvm.StoreOp, llvm.AllocaOp, llvm_ext.CallOp)
"""Instructions that stay where they are built."""

Carried = Sequence[SSAValue]


class _Scope:
    """The body of a loop or branch, and the jump in front of it."""

    __slots__ = ("before", "shared")

    def __init__(self, before: Operation | None) -> None:
        self.before = before
        self.shared: dict[object, tuple[SSAValue, object]] = {}


class ScopedBuilder(LLVMBuilder):
    """See the module."""

    def __init__(self, entry: Block, extern: Callable[[str], SSAValue] | None = None) -> None:
        super().__init__(entry, extern)
        self._scopes = [_Scope(None)]
        self._depths: dict[int, int] = {}  # by identity: hashing a value is slow

    def add(self, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """Sum of indices; nothing for a zero."""
        if rhs is self.index(0):
            return lhs
        return rhs if lhs is self.index(0) else super().add(lhs, rhs)

    def sub(self, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """Difference of indices; nothing for a zero."""
        return lhs if rhs is self.index(0) else super().sub(lhs, rhs)

    def mul(self, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """Product of indices; nothing for a one."""
        if rhs is self.index(1):
            return lhs
        return rhs if lhs is self.index(1) else super().mul(lhs, rhs)

    def offset(
        self, base: SSAValue, index: SSAValue | int, element: Attribute = i8
    ) -> SSAValue:
        """The address `index` elements behind `base`; `base` for none."""
        if isinstance(index, int) or index is not self.index(0):
            return super().offset(base, index, element)
        return base

    @property
    def depth(self) -> int:
        """The number of loops and branches around what is being built."""
        return len(self._scopes) - 1

    def depth_of(self, value: SSAValue) -> int:
        """The depth at which a value is known; constants and arguments at 0."""
        return self._depths.get(id(value), 0)

    def emit(
        self,
        op_class: type[Operation],
        operands: Sequence[SSAValue],
        result_type: Attribute | None,
        properties: Mapping[str, Attribute] | None = None,
    ) -> SSAValue:
        """Builds a pure instruction as far out as its operands allow, once; others here."""
        if result_type is None or op_class in _FIXED:
            value = super().emit(op_class, operands, result_type, properties)
            if result_type is not None:
                self._depths[id(value)] = self.depth
            return value
        depth, known = 0, self._depths
        for operand in operands:
            found = known.get(id(operand), 0)
            if found > depth:
                depth = found
        return self._emit_at(depth, op_class, operands, result_type, properties)

    def _emit_at(
        self,
        depth: int,
        op_class: type[Operation],
        operands: Sequence[SSAValue],
        result_type: Attribute,
        properties: Mapping[str, Attribute] | None,
    ) -> SSAValue:
        scope = self._scopes[depth]
        key = (op_class, id(result_type), id(properties), *map(id, operands))
        found = scope.shared.get(key)
        if found is not None:
            return found[0]
        if depth == len(self._scopes) - 1:
            value = super().emit(op_class, operands, result_type, properties)
        else:
            value = self._emit_before(depth, op_class, operands, result_type, properties)
        self._depths[id(value)] = depth
        scope.shared[key] = (value, properties)  # keeps the identities in the key alive
        return value

    def _emit_before(
        self,
        depth: int,
        op_class: type[Operation],
        operands: Sequence[SSAValue],
        result_type: Attribute,
        properties: Mapping[str, Attribute] | None,
    ) -> SSAValue:
        anchor = self._scopes[depth + 1].before
        assert anchor is not None
        given = default_properties(op_class) if properties is None else properties
        op = create(op_class, operands, (result_type,), given, self.location)
        insert_before(op, anchor)
        (result,) = op.results
        return result

    def load_invariant(self, pointer: SSAValue, type_: Attribute) -> SSAValue:
        """A load of memory that does not change: as far out as the address allows, once."""
        properties = access_properties(itemsize(type_))
        return self._emit_at(self.depth_of(pointer), llvm.LoadOp, (pointer,), type_, properties)

    def load_at(self, depth: int, pointer: SSAValue, type_: Attribute) -> SSAValue:
        """A load of memory that nothing writes from `depth` inwards."""
        depth = max(depth, self.depth_of(pointer))
        properties = access_properties(itemsize(type_))
        if depth == self.depth:
            value = LLVMBuilder.emit(self, llvm.LoadOp, (pointer,), type_, properties)
        else:
            value = self._emit_before(depth, llvm.LoadOp, (pointer,), type_, properties)
        self._depths[id(value)] = depth
        return value

    def masked_load(self, pointer: SSAValue, type_: Attribute, mask: SSAValue) -> SSAValue:
        """A vector load of the lanes in the mask; zeros elsewhere."""
        operands = (pointer, mask, self.constant(0, type_))
        name = f"llvm.masked.load.{mangled(type_)}.p0"
        value = LLVMBuilder.intrinsic_here(self, name, operands, type_)
        self._depths[id(value)] = self.depth
        return value

    def masked_store(self, value: SSAValue, pointer: SSAValue, mask: SSAValue) -> None:
        """A vector store of the lanes in the mask."""
        name = f"llvm.masked.store.{mangled(value.type)}.p0"
        self.intrinsic_named(name, (value, pointer, mask), None)

    def stack(self, type_: Attribute, count: int = 1, alignment: int = 8) -> SSAValue:
        """A place on the stack for so many values, made once at the function's entry."""
        first = self.constant(count, i64).owner
        op = llvm.AllocaOp.create(
            operands=[self.constant(count, i64)],
            result_types=[PTR],
            properties={"elem_type": type_, "alignment": IntegerAttr(alignment, i64)},
        )
        assert isinstance(first, Operation)
        self.entry.insert_op_after(op, first)
        return op.results[0]

    def remove_unused(self) -> None:
        """Removes what the entry computes and nothing uses (a size that no loop needs)."""
        op = self.entry.last_op
        while op is not None:
            before = op.prev_op
            if op.results and op.results[0].first_use is None and type(op) is not llvm_ext.CallOp:
                op.detach()
                op.erase()
            op = before

    # ---- masks

    def lane_mask(self, count: SSAValue, lanes: int) -> SSAValue:
        """The first `count` lanes, for 1 <= count; all of them from `lanes` on."""
        shown = self.smin(count, self.index(lanes))
        shift = self.sub(self.index(64), shown)
        bits = self.emit(llvm.LShrOp, (self.index(-1), shift), i64)
        if lanes < 64:
            bits = self.emit(llvm.TruncOp, (bits,), integer(lanes))
        return self.emit(llvm.BitcastOp, (bits,), vector_of(i1, lanes))

    # ---- control

    def _enter(self, block: Block) -> None:
        self._scopes.append(_Scope(self.block.last_op))
        self._open(block)

    def _leave(self, block: Block) -> None:
        self._scopes.pop()
        self._open(block)

    def _open(self, block: Block) -> None:
        region = self.entry.parent
        assert region is not None
        region.add_block(block)
        self.block = block
        for argument in block.args:
            self._depths[id(argument)] = self.depth

    def loop(
        self,
        start: SSAValue,
        stop: SSAValue,
        step: int,
        carried: Carried,
        body: Callable[[SSAValue, Carried], Carried],
    ) -> Carried:
        """`for i in range(start, stop, step)`: `body(i, carried)` gives the next carried values."""
        types = [value.type for value in carried]
        header, after = Block(arg_types=[i64, *types]), Block(arg_types=types)
        self.branch_if(self.icmp("slt", start, stop), header, [start, *carried], after, carried)
        self._enter(header)
        index, *values = header.args
        new = body(index, values)
        following = self.add(index, self.index(step))
        again = self.icmp("slt", following, stop)
        self.branch_if(again, header, [self._opaque(following), *new], after, new)
        self._leave(after)
        return list(after.args)

    def _opaque(self, index: SSAValue) -> SSAValue:
        """The same number, but not a recurrence in LLVM's eyes.

        Its loop strength reduction takes a third of code generation and gains nothing here: our
        addresses are a base and an index already. Two casts that cost no instruction hide the
        counter from it.
        """
        hidden = self.emit(llvm.BitcastOp, (index,), vector_of(i64, 1))
        return self.emit(llvm.BitcastOp, (hidden,), i64)

    def overlapping_loop(
        self,
        stop: SSAValue,
        step: int,
        body: Callable[[SSAValue], None],
        start: SSAValue | None = None,
    ) -> None:
        """Steps of `step` from `start` (0) to `stop`; the last one is moved back to end at `stop`.

        With fewer elements than a step the only index is `start`.
        """
        start = self.index(0) if start is None else start
        last = self.smax(self.sub(stop, self.index(step)), start)
        header, after = Block(arg_types=[i64]), Block()
        self.branch_if(self.icmp("sgt", stop, start), header, [start], after)
        self._enter(header)
        index = header.args[0]
        body(index)
        following = self.smin(self.add(index, self.index(step)), last)
        self.branch_if(self.icmp("slt", index, last), header, [following], after)
        self._leave(after)

    def repeat(
        self,
        carried: Carried,
        body: Callable[[Carried], Carried],
        goes_on: Callable[[Carried], SSAValue],
    ) -> Carried:
        """As in the base; what the loop does not change is built in front of it."""
        types = [value.type for value in carried]
        header, after = Block(arg_types=types), Block(arg_types=types)
        self.branch(header, carried)
        self._enter(header)
        new = body(header.args)
        self.branch_if(goes_on(new), header, new, after, new)
        self._leave(after)
        return list(after.args)

    def choose(
        self, condition: SSAValue, then: Callable[[], Carried], others: Carried
    ) -> Carried:
        """As in the base; what does not depend on the branch is built in front of it."""
        inside, after = Block(), Block(arg_types=[other.type for other in others])
        self.branch_if(condition, inside, (), after, others)
        self._enter(inside)
        self.branch(after, then())
        self._leave(after)
        return list(after.args)

    def when(self, condition: SSAValue, then: Callable[[], None]) -> None:
        """Does `then` only if the condition holds."""
        inside, after = Block(), Block()
        self.branch_if(condition, inside, (), after)
        self._enter(inside)
        then()
        self.branch(after)
        self._leave(after)

    def either(
        self, condition: SSAValue, then: Callable[[], None], other: Callable[[], None]
    ) -> None:
        """Does `then` if the condition holds, `other` if not."""
        blocks, after, before = (Block(), Block()), Block(), self.block
        self.branch_if(condition, blocks[0], (), blocks[1])
        for block, build in zip(blocks, (then, other)):
            self.block = before
            self._enter(block)
            build()
            self.branch(after)
            self._scopes.pop()
        self._open(after)

    def leave_if(self, condition: SSAValue, then: Callable[[], None], status: int) -> None:
        """Does `then` and returns `status` from the function if the condition holds."""
        inside, after = Block(), Block()
        self.branch_if(condition, inside, (), after)
        self._enter(inside)
        then()
        value = self.constant(status, i32)
        self.block.add_op(llvm.ReturnOp.create(operands=[value]))
        self._leave(after)

    def new_block(self, argument_types: Sequence[Attribute] = ()) -> Block:
        """A block whose arguments are known at the current depth."""
        block = super().new_block(argument_types)
        for argument in block.args:
            self._depths[id(argument)] = self.depth
        return block
