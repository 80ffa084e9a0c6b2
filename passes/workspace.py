"""Sizes of arrays at level 2, and the function that computes them before a kernel runs.

`build_shape_function` cuts out of a bufferized function what decides sizes: the checks, the sizes
of the results, and one allocation a slot of the arena.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias, cast

from xdsl.dialects import func
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    FunctionType,
    IndexType,
    MemRefType,
    StringAttr,
    TensorType,
)
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from tetractys.dialects import elemwise, loops
from tetractys.dialects.loops import SLICE, YIELDED, NestOp, Result
from tetractys.dialects.loops_views import AT

Dimension: TypeAlias = "SSAValue | tuple[SSAValue, int] | int"
"""A size: an index value, a dimension of an argument, or a number."""


class Sizes:
    """The sizes of a function's arrays, found where they are made."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self._known: dict[SSAValue, list[Dimension]] = {}
        self._read: dict[tuple[SSAValue, int], SSAValue] = {}
        for op in block.ops:
            if isinstance(op, loops.DimOp) and op.source.owner is block:
                self._read.setdefault((op.source, op.dim.value.data), op.results[0])

    def of(self, value: SSAValue) -> list[Dimension]:
        """One size a dimension of an array of the function's own block."""
        found = self._known.get(value)
        if found is None:
            found = self._known[value] = self._find(value)
        return found

    def rename(self, new: dict[SSAValue, SSAValue]) -> None:
        """Gives the buffers that replace values their sizes."""
        for old, buffer in new.items():
            self._known[buffer] = self.of(old)

    def _find(self, value: SSAValue) -> list[Dimension]:
        shape = cast("TensorType[Attribute] | MemRefType[Attribute]", value.type).get_shape()
        owner = value.owner
        if isinstance(owner, Block):
            return [n if n != DYNAMIC_INDEX else (value, d) for d, n in enumerate(shape)]
        if isinstance(owner, NestOp):
            for part in owner.parts():  # all of them: a nest may have hundreds
                if part.result is not None:
                    self._known.setdefault(part.result, self.of_part(owner, part))
            return self._known[value]
        if isinstance(owner, loops.ViewOp):
            return list(owner.operands[1:])
        if isinstance(owner, loops.SubviewOp):
            return [
                size if entry.size is None else entry.size
                for size, entry in zip(self.of(owner.source), owner.part)
                if entry.kind != AT
            ]
        if isinstance(owner, loops.InsertOp):
            return self.of(owner.base)
        if isinstance(owner, loops.CallOp):
            return self._of_call(owner)
        if isinstance(owner, loops.AllocOp | loops.EmptyOp):
            given = iter(owner.operands)
            return [n if n != DYNAMIC_INDEX else next(given) for n in shape]
        owner.emit_error(
            f"bufferize: found an array made by {owner.name}; expected a nest, a view or a call",
            NotImplementedError(),
        )

    def _of_call(self, call: loops.CallOp) -> list[Dimension]:
        if call.callee.data != "gemm":
            call.emit_error(f"bufferize: found a call of {call.callee.data!r}; expected gemm",
                            NotImplementedError())
        flags = call.options.data if call.options is not None else {}
        rows = self.of(call.operands[0])[1 if "transpose_a" in flags else 0]
        columns = self.of(call.operands[1])[0 if "transpose_b" in flags else 1]
        return [rows, columns]

    def of_part(self, nest: NestOp, part: Result) -> list[Dimension]:
        """The sizes of one result of a nest at any depth."""
        if part.init is not None:
            return self.of(part.init)
        row = iter(self._of_row(nest, part.value)) if SLICE in part.map else iter(())
        return [
            nest.sizes[entry] if entry >= 0 else next(row) if entry == SLICE else 1
            for entry in part.map if entry != YIELDED
        ]

    def _of_row(self, nest: NestOp, value: SSAValue) -> list[Dimension]:
        """The sizes of a row that a body yields."""
        owner = value.owner
        if isinstance(owner, NestOp):
            return self.of_part(owner, next(p for p in owner.parts() if p.result is value))
        if owner is nest.block:
            number = [*nest.elements].index(value)  # type: ignore[arg-type]
            whole = self.of_element(nest, number)
            return [n for n, entry in zip(whole, nest.input_maps[number]) if entry == SLICE]
        return self.of(value)

    def of_element(self, nest: NestOp, number: int) -> list[Dimension]:
        """The sizes of a nest's input."""
        source = nest.inputs[number]
        outer = nest.parent_op()
        if isinstance(outer, NestOp) and source.owner is outer.block:
            return self._of_row(outer, source)
        if isinstance(source.owner, NestOp) and isinstance(outer, NestOp):
            return self._of_row(outer, source)
        return self.of(source)

    # ---- as values

    def value(self, size: Dimension, before: Operation) -> SSAValue:
        """A size as an index value; a dimension of an argument is read at the function's entry."""
        if isinstance(size, SSAValue):
            return size
        if isinstance(size, int):
            constant = elemwise.ConstantOp.make(size, IndexType(), before.location)
            anchor = self.block.find_ancestor_op_in_block(before)
            assert anchor is not None
            self.block.insert_op_before(constant, anchor)
            return constant.results[0]
        found = self._read.get(size)
        if found is None:
            dim = loops.DimOp.make(size[0], size[1], before.location)
            first = self.block.first_op
            assert first is not None
            self.block.insert_op_before(dim, first)
            found = self._read[size] = dim.results[0]
        return found

    def dimension(self, value: SSAValue, number: int, before: Operation) -> SSAValue:
        """A dimension of an array as an index value."""
        return self.value(self.of(value)[number], before)


# ---- the shape function


def build_shape_function(
    function: func.FuncOp,
    result_sizes: Sequence[Sequence[Dimension]],
    slots: Iterable[loops.AllocOp],
) -> func.FuncOp:
    """`@main_shape`: the checks, the sizes of the array results, an allocation a slot.

    slots: the first allocation of each, in order.
    """
    return _Slicer(function, result_sizes, list(slots)).run()


class _Slicer:
    """Copies what sizes depend on, in order."""

    def __init__(
        self,
        function: func.FuncOp,
        result_sizes: Sequence[Sequence[Dimension]],
        slots: Sequence[loops.AllocOp],
    ) -> None:
        self.function = function
        self.slots = slots
        self.source = function.body.block
        self.result_sizes = result_sizes
        inputs = [a.type for a in self.source.args]
        self.block = Block(arg_types=inputs)
        self.made: dict[Dimension, SSAValue] = {}
        self.map: dict[SSAValue, SSAValue] = dict(zip(self.source.args, self.block.args))
        for old, new in zip(self.source.args, self.block.args):
            new.name_hint = old.name_hint

    def run(self) -> func.FuncOp:
        """Builds the function and takes the checks out of the other one."""
        needed = self._needed()
        for op in list(self.source.ops):
            if isinstance(op, loops.CheckOp):
                op.detach()
                op.operands = [self.map[value] for value in op.operands]
                self.block.add_op(op)
            elif op in needed:
                self._copy(op)
        for alloc in self.slots:
            self._allocate(alloc)
        returned = [self._value(size) for sizes in self.result_sizes for size in sizes]
        self.block.add_op(func.ReturnOp.create(operands=returned))
        return self._function([value.type for value in returned])

    def _needed(self) -> set[Operation]:
        waiting = [value for sizes in self.result_sizes for size in sizes
                   for value in _values_of(size)]
        for op in self.source.ops:
            if isinstance(op, loops.CheckOp):
                waiting += op.operands
        for alloc in self.slots:
            waiting += alloc.operands
        found: set[Operation] = set()
        while waiting:
            owner = waiting.pop().owner
            if isinstance(owner, Operation) and owner not in found:
                found.add(owner)
                waiting += self._operands(owner)
        return found

    def _operands(self, op: Operation) -> list[SSAValue]:
        """What an operation and its body use of the function's block."""
        used = [operand for inner in op.walk() for operand in inner.operands]
        return [v for v in used if v.owner is self.source or (
            isinstance(v.owner, Operation) and v.owner.parent is self.source)]

    def _copy(self, op: Operation) -> None:
        if isinstance(op, loops.AllocOp):
            return
        if any(isinstance(v.type, MemRefType) and v not in self.map for v in op.operands) or (
                isinstance(op, NestOp) and len(op.outs_)):
            op.emit_error(
                "bufferize: found a size that depends on the elements of a computed array; "
                "expected sizes computed from arguments and single numbers; compute that array in "
                "a function of its own and pass it in",
                NotImplementedError(),
            )
        clone = op.clone(self.map)
        self.block.add_op(clone)

    def _allocate(self, alloc: loops.AllocOp) -> None:
        self.block.add_op(loops.AllocOp.create(
            operands=[self.map[size] for size in alloc.operands],
            result_types=[alloc.results[0].type],
            properties=dict(alloc.properties),
            location=alloc.location,
        ))

    def _value(self, size: Dimension) -> SSAValue:
        if isinstance(size, SSAValue):
            return self.map[size]
        found = self.made.get(size)
        if found is None:
            if isinstance(size, int):
                op: Operation = elemwise.ConstantOp.make(size, IndexType())
            else:
                op = loops.DimOp.make(self.map[size[0]], size[1])
            self.block.add_op(op)
            found = self.made[size] = op.results[0]
        return found

    def _function(self, outputs: list[Attribute]) -> func.FuncOp:
        inputs = [argument.type for argument in self.block.args]
        return func.FuncOp.create(
            regions=[Region(self.block)],
            properties={
                "sym_name": StringAttr(f"{self.function.sym_name.data}_shape"),
                "function_type": FunctionType.from_lists(inputs, outputs),
            },
            location=self.function.location,
        )


def _values_of(size: Dimension) -> list[SSAValue]:
    return [size] if isinstance(size, SSAValue) else []
