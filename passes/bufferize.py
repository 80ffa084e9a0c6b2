"""`bufferize`: values become memory, and a second function says how much of it is needed.

Pre-condition: level 2, scheduled; nothing is fused or reordered behind this pass.
Post-condition: arrays are memrefs. The arguments' last dimension is dense, the results are trailing
contiguous arguments; a scalar result is stored. Each tensor result of a nest has an `out`: a result
of the function, a slot of the arena (`loops.alloc`), or the memory of an input (`inplace`). Rows
that a nest's body makes are `loops.alloc` in that body (see there). The checks move to
`@main_shape`, which returns the sizes of the results and allocates each slot once.

    %y = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>)
        -> (collect[%i] : tensor<?xf64>) {...}
    func.return %y : tensor<?xf64>
becomes
    loops.nest (%i < %n) ins(%a = %x[%i] : memref<?xf64, strided<[1]>>)
        -> (collect[%i] into %r : memref<?xf64>) {...}                     // %r: an argument
    func.return
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    DictionaryAttr,
    FunctionType,
    IntegerAttr,
    MemRefType,
    ModuleOp,
    TensorType,
    UnitAttr,
    VectorType,
    i64,
)
from xdsl.ir import Attribute, BlockArgument, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from tetractys.dialects import loops
from tetractys.dialects.build import name_apply
from tetractys.dialects.loops import NestOp
from tetractys.passes.llvm_types import itemsize
from tetractys.passes.memory_types import argument_type, buffer_type, is_dense, view_type
from tetractys.passes.placement import Placement
from tetractys.passes.storage import DIRECT, INPLACE, UNLESS_THERE, direct_insert, inplace_of
from tetractys.passes.workspace import Sizes, build_shape_function

VECTOR_BYTES = 64

# Predicates.


def is_tensor(value: SSAValue) -> bool:
    """Whether a value is an array."""
    return isinstance(value.type, TensorType)


def is_array(value: SSAValue) -> bool:
    """Whether a value is an array, be it memory by now."""
    return isinstance(value.type, TensorType | MemRefType)


def is_filled_by(op: Operation, array: SSAValue) -> bool:
    """Whether an operation puts a part into an array, and does nothing else with it."""
    return isinstance(op, loops.InsertOp) and op.base is array and op.value is not array


# Builders.

class Bufferizer:
    """The pass on one function."""

    def __init__(self, function: func.FuncOp) -> None:
        self.function = function
        self.block = function.body.block
        self.wholes: dict[SSAValue, SSAValue] = {}
        self.empties: list[loops.EmptyOp] = []

    def run(self) -> func.FuncOp:
        """Rewrites the function and returns the one that computes sizes."""
        self._bind_arguments()
        self.sizes = Sizes(self.block)
        self.placement = Placement(self.block, self.sizes, self.returned, self.results)
        result_sizes = [self.sizes.of(value) for value in self.returned if is_array(value)]
        for position, op in enumerate(list(self.block.ops)):
            self.placement.move_to(position)
            self._rewrite(op)
        for empty in self.empties:
            empty.detach()
            empty.erase()
        self._update_type()
        return build_shape_function(self.function, result_sizes, self.placement.slots.values())

    # ---- arguments and results

    def _bind_arguments(self) -> None:
        for argument in list(self.block.args):
            if is_tensor(argument):
                type_ = argument_type(cast("TensorType[Attribute]", argument.type))
                Rewriter.replace_value_with_new_type(argument, type_)
        self.arguments = set(self.block.args)
        self.returned = list(cast(Operation, self.block.last_op).operands)
        self.results: list[BlockArgument] = []
        for number, value in enumerate(self.returned):
            result = self.block.insert_arg(buffer_type(_array_type(value)), len(self.block.args))
            result.name_hint = f"r{number}"
            self.results.append(result)

    def _update_type(self) -> None:
        inputs = [argument.type for argument in self.block.args]
        self.function.properties["function_type"] = FunctionType.from_lists(inputs, [])
        given = self.function.properties.get("arg_attrs")
        if isinstance(given, ArrayAttr):
            extra = [DictionaryAttr({})] * len(self.results)
            self.function.properties["arg_attrs"] = ArrayAttr([*given.data, *extra])
        self.function.properties.pop("res_attrs", None)
        self.function.attributes["tt.results"] = IntegerAttr(len(self.results), i64)

    # ---- operations

    def _rewrite(self, op: Operation) -> None:
        if isinstance(op, NestOp):
            self._nest(op)
        elif isinstance(op, loops.CallOp):
            self._call(op)
        elif isinstance(op, loops.ViewOp):
            if is_tensor(op.results[0]):
                type_ = buffer_type(op.results[0].type)
                Rewriter.replace_value_with_new_type(op.results[0], type_)
        elif isinstance(op, loops.SubviewOp):
            if is_tensor(op.out):
                Rewriter.replace_value_with_new_type(op.out, view_type(op))
        elif isinstance(op, loops.InsertOp):
            self._insert(op)
        elif isinstance(op, loops.EmptyOp):
            self.empties.append(op)
            if not all(is_filled_by(use.operation, op.out) for use in op.out.uses):
                self._empty(op, op)
        elif isinstance(op, func.ReturnOp):
            self._return(op)

    def _return(self, op: func.ReturnOp) -> None:
        for value, result in zip(list(op.operands), self.results):
            if isinstance(value.type, MemRefType):
                if not self.placement.is_filled(result):
                    self._copy(value, result, op)
            else:
                store = loops.StoreOp.create(operands=[value, result], location=op.location)
                self.block.insert_op_before(store, op)
        op.operands = []

    def _copy(
        self, source: SSAValue, target: SSAValue, before: Operation, *, unless_there: bool = False
    ) -> None:
        """A nest that copies a whole array, in vectors.

        unless_there: both may be the same memory at run time, where the caller says so.
        """
        type_ = cast("MemRefType[Attribute]", source.type)
        shape = type_.get_shape()
        dynamic = [d for d, n in enumerate(shape) if n != 1]
        entries = tuple(dynamic.index(d) if n != 1 else loops.ZERO for d, n in enumerate(shape))
        sizes = [self.sizes.dimension(source, d, before) for d in dynamic]
        body = NestOp.block_for(len(sizes), [source], [entries])
        schedule = None
        if shape and shape[-1] != 1 and is_dense(target.type):
            width = VECTOR_BYTES // itemsize(type_.element_type)
            vector = VectorType(type_.element_type, [width])
            Rewriter.replace_value_with_new_type(body.args[-1], vector)
            schedule = DictionaryAttr({"vector": IntegerAttr(width, i64)})
        body.add_op(loops.YieldOp.create(operands=[body.args[-1]]))
        nest = NestOp.make(sizes, [source], [entries], ["collect"], [entries], [], body,
                           outs=[target], schedule=schedule, location=before.location)
        if unless_there:
            nest.attributes[UNLESS_THERE] = UnitAttr()
        self.block.insert_op_before(nest, before)

    def _call(self, op: loops.CallOp) -> None:
        target = self._place(op.results[0], op)
        new = loops.CallOp.create(
            operands=[*op.operands, target],
            properties=dict(op.properties),
            attributes=dict(op.attributes),
            location=op.location,
        )
        self.block.insert_op_before(new, op)
        op.results[0].replace_all_uses_with(target)
        op.detach()
        op.erase()

    def _nest(self, nest: NestOp) -> None:
        parts = nest.parts()
        outs = [self._place(part.result, nest) for part in parts
                if part.result is not None and is_tensor(part.result)]
        targets, taken = iter(outs), inplace_of(nest)
        for number, part in enumerate(parts):
            if part.result is not None and is_tensor(part.result):
                target = next(targets)
                lent = part.init in self.arguments
                if part.init is not None and (lent or number not in taken):
                    self._copy(part.init, target, nest, unless_there=number in taken)
        partials = [self.placement.partial(nest, part) for part in parts
                    if part.result is not None and is_tensor(part.result)
                    and nest.is_split(part.kind, part.map)]
        self.sizes.rename(dict(zip([p.result for p in parts if p.result is not None
                                    and is_tensor(p.result)], outs)))
        self._rebuild(nest, outs, partials)

    def _insert(self, insert: loops.InsertOp) -> None:
        """Its result is the array with the part in it; what is there already is not copied."""
        target = self._whole(insert, insert)
        if DIRECT not in insert.attributes:
            self._copy(insert.value, self._part(insert, target, insert), insert)
        self.sizes.rename({insert.out: target})
        insert.out.replace_all_uses_with(target)
        insert.detach()
        insert.erase()

    def _whole(self, insert: loops.InsertOp, before: Operation) -> SSAValue:
        """The memory of an insert's result, which holds the array from here on."""
        base = insert.base.owner
        taken = INPLACE in insert.attributes
        if taken and insert.base not in self.arguments:
            return self._empty(base, before) if isinstance(base, loops.EmptyOp) else insert.base
        target = self.wholes.get(insert.out)
        if target is None:
            target = self.wholes[insert.out] = self._place(insert.out, before)
            if not isinstance(base, loops.EmptyOp):
                self._copy(insert.base, target, before, unless_there=taken)
        return target

    def _empty(self, op: loops.EmptyOp, before: Operation) -> SSAValue:
        """An array that nothing is in yet: memory from where it is needed first."""
        target = self._place(op.out, before)
        self.sizes.rename({op.out: target})
        op.out.replace_all_uses_with(target)
        return target

    def _part(self, insert: loops.InsertOp, target: SSAValue, before: Operation) -> SSAValue:
        """The place in `target` where an insert's value goes."""
        view = loops.SubviewOp.create(
            operands=[target, *insert.operands[insert.BEFORE :]],
            result_types=[insert.value.type],
            properties={name: insert.properties[name] for name in ("kinds", "steps")},
            location=insert.location,
        )
        name_apply(view, insert)
        if insert.is_safe:
            view.properties["inbounds"] = insert.properties["inbounds"]
        Rewriter.replace_value_with_new_type(view.out, view_type(view))
        self.block.insert_op_before(view, before)
        return view.out

    def _place(self, value: SSAValue | None, op: Operation) -> SSAValue:
        """The memory of a result: a part that an insert would put it in, or what it is given."""
        assert value is not None
        insert = direct_insert(value)
        if insert is not None:
            return self._part(insert, self._whole(insert, op), op)
        return self.placement.of(value, op)

    def _rebuild(
        self, nest: NestOp, outs: list[SSAValue], partials: Sequence[SSAValue] = ()
    ) -> NestOp:
        """The nest with `outs`; its body's arrays become memory too."""
        self._body(nest)
        parts = nest.parts()
        scalars = [p.result for p in parts if p.result is not None and not is_tensor(p.result)]
        if not outs:
            return nest
        new = NestOp.make(
            list(nest.sizes), list(nest.inputs), nest.input_maps, [p.kind for p in parts],
            [p.map for p in parts], [value.type for value in scalars], nest.detach_region(0),
            inits=partials, outs=outs, schedule=nest.schedule, location=nest.location,
        )
        new.attributes.update(nest.attributes)
        _forget_inits(new)
        block = nest.parent
        assert block is not None
        block.insert_op_before(new, nest)
        for old, value in zip(scalars, new.results):
            value.name_hint = old.name_hint
            old.replace_all_uses_with(value)
        tensors = [p.result for p in parts if p.result is not None and is_tensor(p.result)]
        for old, out in zip(tensors, outs):
            old.replace_all_uses_with(out)
        nest.detach()
        nest.erase()
        return new

    # ---- rows inside a nest

    def _body(self, nest: NestOp) -> None:
        for element, source, entries in zip(list(nest.elements), nest.inputs, nest.input_maps):
            if isinstance(element.type, TensorType):
                type_ = loops.slice_type(source.type, entries)
                Rewriter.replace_value_with_new_type(element, type_)
        for op in list(nest.block.ops):
            if isinstance(op, NestOp):
                outs = [self.placement.row(nest, op, part) for part in op.parts()
                        if part.result is not None and is_tensor(part.result)]
                self._rebuild(op, outs)

def _forget_inits(nest: NestOp) -> None:
    """Of the pairs of `inplace` only those that name an input: in memory a scatter has no init."""
    pairs = [list(pair) for pair in inplace_of(nest).items() if pair[1] < len(nest.inputs)]
    if pairs:
        nest.attributes["inplace"] = ArrayAttr(
            [DenseArrayBase.from_list(i64, pair) for pair in pairs]
        )
    else:
        nest.attributes.pop("inplace", None)


def _array_type(value: SSAValue) -> Attribute:
    """The type of a result: of an argument returned as it is, its tensor's."""
    type_ = value.type
    return (
        TensorType(type_.element_type, type_.get_shape())
        if isinstance(type_, MemRefType)
        else type_
    )


class BufferizePass(ModulePass):
    """See the module."""

    name = "bufferize"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Rewrites every function that has a body and adds its shape function."""
        for function in [f for f in op.body.block.ops if isinstance(f, func.FuncOp)]:
            if function.body.blocks:
                shape = Bufferizer(function).run()
                op.body.block.insert_op_after(shape, function)

