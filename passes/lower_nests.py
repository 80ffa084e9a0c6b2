"""What `lower-to-loops` builds with: the state of one function, and a builder of one nest.

`FunctionLowering` holds the new block, the access of each level-1 value and one `index` value a
class of equal sizes. `NestBuilder` collects inputs and body operations and makes the `loops.nest`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.dialects.builtin import LocationAttr, TensorType
from xdsl.ir import Attribute, Block, Operation, SSAValue

from tetractys.dialects import elemwise_signatures as scalar
from tetractys.dialects import types
from tetractys.dialects.build import name_apply, operation_class, properties_of
from tetractys.dialects.elemwise import ConstantOp
from tetractys.dialects.loops import (
    INDEX,
    SLICE,
    YIELDED,
    ZERO,
    DimOp,
    GatherOp,
    Map,
    NestOp,
    SubviewOp,
    YieldOp,
    slice_type,
)
from tetractys.dialects.signature import ElemwiseSignature
from tetractys.passes.lower_access import Access, ArrayAccess, ScalarAccess
from tetractys.passes.matching import shape_of
from tetractys.passes.size_expressions import Size, find, operands_of, postorder
from tetractys.passes.sizes import SizeAnalysis

__all__ = ["SLICE", "YIELDED", "ZERO", "FunctionLowering", "NestBuilder", "shape_of"]


_ITERATORS = "ijkl"


class ScalarBuilder:
    """Scalar operations at the end of a block."""

    def __init__(self, lowering: FunctionLowering, block: Block, location: LocationAttr) -> None:
        self.lowering = lowering
        self.block = block
        self.location = location
        self._constants: dict[tuple[str, str], SSAValue] = {}

    def op(self, signature: ElemwiseSignature, *operands: SSAValue, **props: object) -> SSAValue:
        """Appends an elementwise operation on scalars."""
        dtypes = [types.dtype_of(operand.type) for operand in operands]
        op = operation_class(signature).create(
            operands=operands,
            result_types=[types.element_type(signature.dtype_rule(dtypes, props))],
            properties=properties_of(signature, props),
            location=self.location,
        )
        self.block.add_op(op)
        return op.results[0]

    def cast(self, value: SSAValue, dtype: str) -> SSAValue:
        """The value in another dtype."""
        if types.dtype_of(value.type) == dtype:
            return value
        return self.op(scalar.CAST, value, dtype=dtype)

    def constant(self, number: float, dtype: str) -> SSAValue:
        """A number, once a block."""
        key = repr(number), dtype
        if key not in self._constants:
            op = ConstantOp.make(number, types.element_type(dtype), self.location)
            self.block.add_op(op)
            self._constants[key] = op.results[0]
        return self._constants[key]

    def size(self, size: Size) -> SSAValue:
        """A size as an `index`; a known one stands in this block."""
        size = find(size)
        if size.constant is not None:
            return self.constant(size.constant, "index")
        return self.lowering.index(size)

    def int64(self, size: Size) -> SSAValue:
        """A size as an int64."""
        size = find(size)
        if size.constant is not None:
            return self.constant(size.constant, "int64")
        return self.lowering.int64(size)

    def gather(
        self,
        base: SSAValue,
        indices: Sequence[SSAValue],
        inbounds: bool,
        location: LocationAttr | None = None,
        axes: Map = (),
        checked: int | None = None,
    ) -> SSAValue:
        """One element of an array at computed indices; location: that of what computes here."""
        location = location or self.location
        op = GatherOp.make(base, indices, inbounds=inbounds, axes=axes, checked=checked,
                           location=location)
        if not inbounds and self.lowering.operation is not None:
            name_apply(op, self.lowering.operation)
        self.block.add_op(op)
        return op.results[0]

    def input(self, base: SSAValue, entries: Map) -> SSAValue:
        """An element outside a nest: all dimensions have size 1."""
        return self.gather(base, [self.constant(0, "index")] * len(entries), True)

    def position(self, entry: int) -> SSAValue:
        """An index: there are no iterators here."""
        assert entry == ZERO
        return self.constant(0, "index")


class NestBuilder(ScalarBuilder):
    """One `loops.nest`: sizes first, then elements and scalar operations, then `finish`."""

    def __init__(self, lowering: FunctionLowering, location: LocationAttr) -> None:
        super().__init__(lowering, Block(), location)
        self.sizes: list[SSAValue] = []
        self._inputs: dict[tuple[SSAValue, Map], SSAValue] = {}

    def iterate(self, sizes: Sequence[Size], shape: Sequence[int]) -> list[int]:
        """Adds an iterator for each dimension whose static size is not 1; the positions."""
        assert not self._inputs
        positions: list[int] = []
        for size, static in zip(sizes, shape):
            if static == 1:
                positions.append(ZERO)
                continue
            positions.append(len(self.sizes))
            self.sizes.append(self.lowering.index(size))
            iterator = self.block.insert_arg(INDEX, len(self.block.args))
            iterator.name_hint = _ITERATORS[min(iterator.index, len(_ITERATORS) - 1)]
        return positions

    def element(self, value: SSAValue, positions: Sequence[int]) -> SSAValue:
        """The element of a level-1 value; its dimensions of static size 1 broadcast."""
        shape = shape_of(value)
        found = [ZERO if n == 1 else entry for n, entry in zip(shape, positions, strict=True)]
        return self.lowering.access(value).element(self, found)

    def input(self, base: SSAValue, entries: Map) -> SSAValue:
        """The body's argument for an input, one an equal pair of array and map."""
        key = base, entries
        if key not in self._inputs:
            argument = self.block.insert_arg(slice_type(base.type, entries), len(self.block.args))
            argument.name_hint = base.name_hint
            self._inputs[key] = argument
        return self._inputs[key]

    def position(self, entry: int) -> SSAValue:
        """An iterator's value."""
        return self.constant(0, "index") if entry == ZERO else self.block.args[entry]

    def finish(
        self,
        kinds: Sequence[str],
        maps: Sequence[Sequence[int]],
        result_types: Sequence[Attribute],
        values: Sequence[SSAValue],
        inits: Sequence[SSAValue] = (),
    ) -> Sequence[SSAValue]:
        """Ends the body, appends the nest to the function, and gives its results."""
        self.block.add_op(YieldOp.create(operands=values, location=self.location))
        nest = NestOp.make(
            self.sizes,
            [base for base, _ in self._inputs],
            [entries for _, entries in self._inputs],
            kinds,
            [tuple(entries) for entries in maps],
            result_types,
            self.block,
            inits=inits,
            location=self.location,
        )
        self.lowering.block.add_op(nest)
        return nest.results

    def collect(self, value: SSAValue, positions: Sequence[int], type_: Attribute) -> SSAValue:
        """Ends the body with one collected result."""
        return self.finish(["collect"], [positions], [type_], [value])[0]


class FunctionLowering(ScalarBuilder):
    """The state of one function: its new block, and what each level-1 value has become."""

    def __init__(self, old: Block, location: LocationAttr) -> None:
        self.analysis = SizeAnalysis(old)
        arguments = [_argument_type(argument.type) for argument in old.args]
        super().__init__(self, Block(arg_types=arguments), location)
        self._accesses: dict[SSAValue, Access] = {}
        self._arrays: dict[SSAValue, SSAValue] = {}
        self._indices: dict[Size, SSAValue] = {}
        self._int64s: dict[Size, SSAValue] = {}
        self._last_entry: Operation | None = None
        self.operation: Operation | None = None
        """The operation of level 1 that is being lowered."""
        self.hint: str | None = None
        for before, after in zip(old.args, self.block.args):
            after.name_hint = before.name_hint
            after.location = before.location
            self._accesses[before] = whole(after)

    # -- values

    def access(self, value: SSAValue) -> Access:
        """How the elements of a level-1 value are reached."""
        return self._accesses[value]

    def set_access(self, value: SSAValue, access: Access) -> None:
        """Says what a level-1 value has become."""
        self._accesses[value] = access

    def set(self, value: SSAValue, array: SSAValue) -> None:
        """A level-1 value has become this array or scalar; its name, or that of its operation."""
        if array.name_hint is None:
            array.name_hint = value.name_hint or self.hint
        self._accesses[value] = whole(array)

    def scalar(self, value: SSAValue) -> SSAValue:
        """A level-1 value of rank 0 as a scalar of the function."""
        result = self._accesses[value].element(self, ())
        if not isinstance(self._accesses[value], ScalarAccess):
            self._accesses[value] = ScalarAccess(result)
        return result

    def array(self, value: SSAValue) -> SSAValue:
        """A level-1 value as an array, collected by a nest if it is none."""
        access = self._accesses[value]
        if isinstance(access, ArrayAccess) and access.is_whole(len(shape_of(value))):
            return access.base
        if value not in self._arrays:
            self._arrays[value] = self.copy(value)
        return self._arrays[value]

    def permuted_array(self, value: SSAValue) -> tuple[SSAValue, Map]:
        """The same, but for an array with its dimensions in another order that very array; and of
        each of its dimensions the value's.
        """
        access, numbers = self._accesses[value], tuple(range(len(shape_of(value))))
        if isinstance(access, ArrayAccess) and tuple(sorted(access.entries)) == numbers:
            return access.base, access.entries
        return self.array(value), numbers

    def copy(self, value: SSAValue) -> SSAValue:
        """A fresh array with the elements of a level-1 value."""
        nest = NestBuilder(self, location_of(value, self.location))
        positions = nest.iterate(self.analysis.of(value), shape_of(value))
        element = nest.element(value, positions)
        result = nest.collect(element, positions, value.type)
        result.name_hint = value.name_hint
        return result

    # -- sizes

    def index(self, size: Size, *, exact: bool = False) -> SSAValue:
        """The one `index` value of a class of equal sizes; exact: this very size's."""
        size = size if exact else find(size)
        for node in postorder(size, self._indices):
            self._indices[node] = self._index(node)
        return self._indices[size]

    def _index(self, node: Size) -> SSAValue:
        kind = cast(str, node.key[0])
        if kind == "dim":
            source = self._accesses[cast(SSAValue, node.key[1])]
            assert isinstance(source, ArrayAccess)
            return self._at_entry(DimOp.make(source.base, cast(int, node.key[2]), self.location))
        if kind == "const":
            return self._at_entry(ConstantOp.make(cast(int, node.key[1]), INDEX, self.location))
        if kind == "scalar":
            return self.cast(self.scalar(cast(SSAValue, node.key[1])), "index")
        if kind == "element":
            vector, axis = self.array(cast(SSAValue, node.key[1])), cast(int, node.key[2])
            return self.cast(self.gather(vector, [self.constant(axis, "index")], True), "index")
        if kind == "is_zero":
            number = self.scalar(cast(SSAValue, node.key[1]))
            zero = self.constant(0.0, types.dtype_of(number.type))
            return self.cast(self.op(scalar.EQ, number, zero), "index")
        operands = [self._indices[operand] for operand in operands_of(node)]
        return self.op(scalar.SIGNATURES[kind], *operands)

    def set_index(self, size: Size, value: SSAValue) -> None:
        """Gives a size that is computed, not derived from other sizes."""
        self._indices[size] = value

    def int64(self, size: Size) -> SSAValue:
        """A size as an int64 scalar of the function."""
        size = find(size)
        if size not in self._int64s:
            self._int64s[size] = self.op(scalar.CAST, self.index(size), dtype="int64")
        return self._int64s[size]

    def _at_entry(self, op: Operation) -> SSAValue:
        """Inserts behind the other operations of the entry."""
        if self._last_entry is not None:
            self.block.insert_op_after(op, self._last_entry)
        elif self.block.first_op is not None:
            self.block.insert_op_before(op, self.block.first_op)
        else:
            self.block.add_op(op)
        self._last_entry = op
        return op.results[0]


def is_view(array: SSAValue) -> bool:
    """Whether an array of level 2 is a part of another one's memory."""
    return isinstance(array.owner, SubviewOp)


def whole(value: SSAValue) -> Access:
    """The access of an array or scalar of level 2 itself."""
    if isinstance(value.type, TensorType):
        return ArrayAccess(value, tuple(range(len(value.type.get_shape()))))
    return ScalarAccess(value)


def _argument_type(type_: Attribute) -> Attribute:
    if isinstance(type_, TensorType) and not type_.get_shape():
        return type_.element_type
    return type_


def location_of(value: SSAValue, default: LocationAttr) -> LocationAttr:
    """The location of the operation that makes a value."""
    owner = value.owner
    return owner.location if isinstance(owner, Operation) else default
