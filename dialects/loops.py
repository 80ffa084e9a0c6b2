"""The `loops` dialect: iteration spaces, still on values until `bufferize`.

One operation says nearly everything:

    %p, %g = loops.nest (%i < %n, %k < %d)
        ins(%a = %x[%i, %k] : tensor<?x?xf64>, %r = %w[:] : tensor<?xf64>)
        -> (collect[%i] : tensor<?xf64>, add[%k] : tensor<?xf64>) { ... }

*Sizes* are `index` values; every iteration is independent and their order is unspecified. *Inputs*:
for each dimension an iterator of this nest, or `:` for the whole slice; the body's argument is the
element (a scalar) or the slice (a tensor of the `:` dimensions). Broadcasting is an iterator that a
map leaves out, transposition a permuted map; `0` stands for the only position of a dimension of
static size 1, in inputs and results, so that no loop runs over it (a nest may have no iterator).
The body is pure; it holds `elemwise` operations on scalars, inner nests, gathers, and may use any
value defined above the nest, the iterators (of type `index`) included.

*Results* have a kind and a map. `collect` stores the yielded value at its iterators' position.
Iterators that a map leaves out are *combined* by the kind's monoid: `add mul max min and or`. A
`collect` result has every iterator in its map. A yielded tensor (a row) fills the `:` dimensions,
and combines element by element. `argmax` stands right behind a `max` of the same map, takes the
yielded i64 position, and gives that of the first largest value (a NaN is the largest). A result
that combines everything and keeps no `:` is a scalar. `scatter_add`, `scatter_set` start from an
init operand: `scatter_add(%base)[?, %k]`; each `?` is an index yielded behind the value, and
treated as one of a `loops.gather`: negative counts from the end, out of range stops the function
with `IndexError`. The attribute `inbounds` promises that neither occurs; such are the indices that
`loops.locate` gives.

A part of an array, `x[a:b, i]`, is a `loops.subview`, which a nest reads like any other array, and
`loops.insert` gives an array with a part replaced: see `loops_views`.

Of rank 0 there are only scalars at this level: `f64`, never `tensor<f64>`, in signatures too. A
*schedule* dictionary (`vector`, `jam`, `prefetch`, ...) says how, never what.

`bufferize` turns tensor results into `outs`, memrefs written in place: `collect[%i] into %m :
memref`.

Of a nest of the function's own level, a schedule's `split` numbers the iterator whose range may be
cut in chunks that run on several threads: at most `chunks` (16), of at least `grain` (2**18, some
10 us) operations. Their number depends on sizes only. Chunks combine results for themselves, and
those are combined in the chunks' order; bufferized, an array has a place for them:
`add(%partial)[:] into %m`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import NamedTuple, cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    DictionaryAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    LocationAttr,
    MemRefType,
    StringAttr,
    TensorType,
    UnitAttr,
    i32,
    i64,
)
from xdsl.ir import Attribute, Block, BlockArgument, Dialect, Operation, Region, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import NoMemoryEffect, Pure, RecursiveMemoryEffect
from xdsl.utils.exceptions import VerifyException

from tetractys.dialects import types
from tetractys.dialects.create import QuickOp
from tetractys.dialects.loops_views import EmptyOp, InsertOp, SubviewOp
from tetractys.dialects.syntax import PlainOp, YieldBase

SLICE = -1
"""In a map: the whole dimension, `:`."""
YIELDED = -2
"""In a scatter's map: an index that the body yields, `?`."""
ZERO = -3
"""In a map: the only position of a dimension of static size 1, `0`."""

CHUNKS, GRAIN = 16, 1 << 18
"""What a schedule that splits means if it does not say."""
INBOUNDS = "inbounds"
"""Attribute of a nest: the indices that its scatters yield are in range and not negative."""

MONOIDS = ("add", "mul", "max", "min", "and", "or")
SCATTERS = ("scatter_add", "scatter_set")
KINDS = ("collect", *MONOIDS, "argmax", *SCATTERS)

CONTRACT = "contract"
"""Attribute of the multiplication in a dot product: it may be rounded together with the sum (fma),
as a BLAS library does. No other operation's bits depend on what it is fused with."""

Map = tuple[int, ...]
"""One entry a dimension: an iterator's number, `SLICE`, `YIELDED`, or `ZERO`."""

INDEX = IndexType()


@cache
def map_attribute(entries: Map) -> DenseArrayBase:
    """A map as an attribute, interned."""
    return DenseArrayBase.from_list(i64, entries)


@lru_cache(maxsize=4096)
def map_entries(attribute: DenseArrayBase) -> Map:
    """The inverse of `map_attribute`."""
    return tuple(cast("DenseArrayBase[IntegerType]", attribute).get_values())


def slice_type(type_: Attribute, entries: Map) -> Attribute:
    """The type of a body argument: the element, or the slice of the `:` dimensions."""
    assert isinstance(type_, TensorType | MemRefType)
    sizes = [n for n, entry in zip(type_.get_shape(), entries) if entry == SLICE]
    if not sizes:
        return type_.element_type
    if isinstance(type_, MemRefType):
        return MemRefType(type_.element_type, sizes)
    return TensorType(type_.element_type, sizes)


class Result(NamedTuple):
    """One result of a nest: what is yielded, how it is kept, and where it goes.

    value: the yielded value; indices: the yielded indices of a scatter.
    result: the SSA result, None once bufferized; out: the memref then; init: a scatter's base.
    partial: bufferized, where the chunks of a split nest but the first one combine for themselves.
    """

    kind: str
    map: Map
    value: SSAValue
    indices: tuple[SSAValue, ...]
    result: SSAValue | None
    out: SSAValue | None
    init: SSAValue | None
    partial: SSAValue | None = None

    @property
    def type(self) -> Attribute:
        """The type of what the nest makes."""
        value = self.result if self.result is not None else self.out
        assert value is not None
        return value.type


@irdl_op_definition
class YieldOp(YieldBase):
    """Ends the body of a nest: one value a result, a scatter's indices behind its value."""

    name = "loops.yield"


@irdl_op_definition
class NestOp(QuickOp):
    """A loop nest; see the module."""

    name = "loops.nest"

    sizes = var_operand_def(IndexType)
    inputs = var_operand_def()
    inits = var_operand_def()
    outs_ = var_operand_def(MemRefType)
    results_ = var_result_def()

    maps = prop_def(ArrayAttr)
    kinds = prop_def(ArrayAttr)
    result_maps = prop_def(ArrayAttr)
    schedule = opt_prop_def(DictionaryAttr)
    body = region_def("single_block")

    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(RecursiveMemoryEffect())

    @staticmethod
    def make(
        sizes: Sequence[SSAValue],
        inputs: Sequence[SSAValue],
        maps: Sequence[Map],
        kinds: Sequence[str],
        result_maps: Sequence[Map],
        result_types: Sequence[Attribute],
        body: Region | Block,
        *,
        inits: Sequence[SSAValue] = (),
        outs: Sequence[SSAValue] = (),
        schedule: DictionaryAttr | None = None,
        location: LocationAttr | None = None,
    ) -> NestOp:
        """Creates a nest without verifying it.

        body: its block has the iterators, then one argument an input (`block_for` makes it).
        result_types: of the SSA results only (bufferized results have none).
        """
        properties: dict[str, Attribute] = {
            "maps": ArrayAttr([map_attribute(tuple(entries)) for entries in maps]),
            "kinds": ArrayAttr([_kind(kind) for kind in kinds]),
            "result_maps": ArrayAttr([map_attribute(tuple(entries)) for entries in result_maps]),
            "operandSegmentSizes": _segments_attribute(
                len(sizes), len(inputs), len(inits), len(outs)
            ),
        }
        if schedule is not None:
            properties["schedule"] = schedule
        return NestOp.create(
            operands=[*sizes, *inputs, *inits, *outs],
            result_types=result_types,
            properties=properties,
            regions=[body if isinstance(body, Region) else Region(body)],
            location=location,
        )

    @staticmethod
    def block_for(rank: int, inputs: Sequence[SSAValue], maps: Sequence[Map]) -> Block:
        """An empty body block for a nest of `rank` iterators over `inputs`."""
        slices = [slice_type(value.type, entries) for value, entries in zip(inputs, maps)]
        return Block(arg_types=[*[INDEX] * rank, *slices])

    @property
    def block(self) -> Block:
        """The body's block."""
        return self.body.block

    @property
    def rank(self) -> int:
        """The number of iterators."""
        return self._segments[0]

    @property
    def _segments(self) -> tuple[int, ...]:
        return map_entries(cast(DenseArrayBase, self.properties["operandSegmentSizes"]))

    @property
    def iterators(self) -> Sequence[BlockArgument]:
        """The loop counters, `index` values of the body."""
        return self.block.args[: self.rank]

    @property
    def elements(self) -> Sequence[BlockArgument]:
        """The body's view of each input: an element or a slice."""
        return self.block.args[self.rank :]

    @property
    def size_values(self) -> Sequence[SSAValue]:
        """`sizes`, without IRDL's look-up of the segment (which passes ask for often)."""
        return self.operands[: self.rank]

    @property
    def input_values(self) -> Sequence[SSAValue]:
        """`inputs`, likewise."""
        first, count = self._segments[:2]
        return self.operands[first : first + count]

    @property
    def input_maps(self) -> list[Map]:
        """The map of each input."""
        maps = cast("ArrayAttr[DenseArrayBase]", self.properties["maps"])
        return [map_entries(entries) for entries in maps.data]

    @property
    def result_map_list(self) -> list[Map]:
        """The map of each result."""
        maps = cast("ArrayAttr[DenseArrayBase]", self.properties["result_maps"])
        return [map_entries(entries) for entries in maps.data]

    @property
    def kind_names(self) -> list[str]:
        """The kind of each result."""
        kinds = cast("ArrayAttr[StringAttr]", self.properties["kinds"])
        return [kind.data for kind in kinds.data]

    @property
    def yield_(self) -> YieldOp:
        """The operation that ends the body."""
        return cast(YieldOp, self.block.last_op)

    def parts(self) -> list[Result]:
        """The results, one record each."""
        kinds, maps = self.kind_names, self.result_map_list
        values = iter(self.yield_.operands)
        sizes, inputs, inits_, outs_ = self._segments
        inits = iter(self.operands[sizes + inputs : sizes + inputs + inits_])
        results, outs = iter(self.results), iter(self.operands[sizes + inputs + inits_ :])
        parts: list[Result] = []
        bufferized = outs_ > 0
        for kind, entries in zip(kinds, maps):
            value = next(values)
            indices = tuple(next(values) for _ in range(entries.count(YIELDED)))
            init = next(inits) if kind in SCATTERS and not bufferized else None
            into_memory = bufferized and (len(entries) > 0)
            partial = next(inits, None) if into_memory and self.is_split(kind, entries) else None
            parts.append(
                Result(
                    kind,
                    entries,
                    value,
                    indices,
                    None if into_memory else next(results),
                    next(outs) if into_memory else None,
                    init,
                    partial,
                )
            )
        return parts

    def scheduled(self, name: str, default: int = 0) -> int:
        """An integer of the schedule."""
        if self.schedule is None or name not in self.schedule.data:
            return default
        return cast("IntegerAttr[IndexType]", self.schedule.data[name]).value.data

    def is_split(self, kind: str, entries: Map) -> bool:
        """Whether the schedule cuts an iterator that a result combines."""
        split = self.scheduled("split", -1)
        return split >= 0 and kind in MONOIDS and split not in entries

    @property
    def chunks(self) -> int:
        """The most chunks that may run at once; 1 for a nest that is not split."""
        return self.scheduled("chunks", CHUNKS) if self.scheduled("split", -1) >= 0 else 1

    def verify_(self) -> None:
        """Maps name iterators, argument types are slices, results fit their kinds."""
        from tetractys.dialects.loops_verify import verify_nest  # only verification needs it

        verify_nest(self)

    def print(self, printer: Printer) -> None:
        """See the module."""
        from tetractys.dialects.loops_syntax import NestPrinter  # only text needs it

        NestPrinter(self, printer).print()

    @classmethod
    def parse(cls, parser: Parser) -> NestOp:
        """The inverse of `print`."""
        from tetractys.dialects.loops_syntax import NestParser

        return NestParser(parser).parse()


@cache
def _segments_attribute(*lengths: int) -> DenseArrayBase:
    return DenseArrayBase.from_list(i32, lengths)


def rank_of(type_: Attribute) -> int:
    """The number of dimensions of an array; 0 of a scalar or vector."""
    return len(type_.get_shape()) if isinstance(type_, TensorType | MemRefType) else 0


@cache
def _kind(kind: str) -> StringAttr:
    return StringAttr(kind)


@irdl_op_definition
class DimOp(QuickOp):
    """The size of a dimension: `%n = loops.dim %x, 0 : tensor<?xf64>`."""

    name = "loops.dim"

    source = operand_def(TensorType | MemRefType)
    out = result_def(IndexType)
    dim = prop_def(IntegerAttr)
    traits = traits_def(Pure())

    @staticmethod
    def make(source: SSAValue, dim: int, location: LocationAttr | None = None) -> DimOp:
        """Creates the operation without verifying it."""
        return DimOp.create(
            operands=[source],
            result_types=[INDEX],
            location=location,
            properties={"dim": IntegerAttr(dim, i64)},
        )

    def verify_(self) -> None:
        """The dimension exists."""
        rank = rank_of(self.source.type)
        if not 0 <= self.dim.value.data < rank:
            raise VerifyException(
                f"loops.dim: found dimension {self.dim.value.data}; "
                f"expected one of the {rank} of {self.source.type}"
            )

    def print(self, printer: Printer) -> None:
        """See the class."""
        printer.print_string(" ")
        printer.print_ssa_value(self.source)
        printer.print_string(f", {self.dim.value.data}")
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.source.type)

    @classmethod
    def parse(cls, parser: Parser) -> DimOp:
        """The inverse of `print`."""
        operand = parser.parse_unresolved_operand()
        parser.parse_punctuation(",")
        dim = parser.parse_integer()
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        op = cls.make(parser.resolve_operand(operand, parser.parse_type()), dim)
        op.attributes.update(attributes)
        return op


@irdl_op_definition
class CheckOp(PlainOp):
    """Stops the function with `message` unless two sizes are equal; stands at its entry.

    `message` may name {0} and {1}, the values found; `kind` is the Python exception's name.
    """

    name = "loops.check"

    lhs = operand_def(IndexType)
    rhs = operand_def(IndexType)
    message = prop_def(StringAttr)
    kind = opt_prop_def(StringAttr)

    def verify_(self) -> None:
        """See `loops_verify`."""
        from tetractys.dialects.loops_verify import verify_check

        verify_check(self)

@irdl_op_definition
class GatherOp(PlainOp):
    """One element at computed indices: `loops.gather %x, %i, %j : (tensor<?x?xf64>, index, index)
    -> f64`.

    A negative index counts from the end; one out of range stops the function with NumPy's
    `IndexError`. `inbounds` promises that neither occurs. `axes` are the numbers of the dimensions
    that the error names, where the array has them in another order than the user. `checked = n`
    promises that neither occurs but for the first n of these: the others are iterators over theirs.
    A vector is an element and its next neighbours in the last dimension: `vectorize` makes it where
    the last index is the last iterator.
    """

    name = "loops.gather"

    source = operand_def(TensorType | MemRefType)
    indices = var_operand_def(IndexType)
    out = result_def()
    inbounds = opt_prop_def(Attribute)
    axes = opt_prop_def(Attribute)
    checked = opt_prop_def(IntegerAttr)
    traits = traits_def(NoMemoryEffect())

    @staticmethod
    def make(
        source: SSAValue,
        indices: Sequence[SSAValue],
        *,
        inbounds: bool = False,
        axes: Map = (),
        checked: int | None = None,
        location: LocationAttr | None = None,
    ) -> GatherOp:
        """Creates the operation without verifying it."""
        assert isinstance(source.type, TensorType | MemRefType)
        properties: dict[str, Attribute] = {"inbounds": UnitAttr()} if inbounds else {}
        if axes:
            properties["axes"] = map_attribute(axes)
        if checked is not None:
            properties["checked"] = IntegerAttr(checked, i64)
        return GatherOp.create(
            operands=[source, *indices],
            result_types=[source.type.element_type],
            properties=properties,
            location=location,
        )

    @property
    def checked_axes(self) -> int:
        """How many of the dimensions, by these numbers, have an index that may not fit."""
        if "inbounds" in self.properties:
            return 0
        return self.checked.value.data if self.checked else len(self.operands) - 1

    @property
    def named_axes(self) -> Map:
        """For each dimension the number that an error names."""
        count = len(self.operands) - 1
        return map_entries(cast(DenseArrayBase, self.axes)) if self.axes else tuple(range(count))

    def verify_(self) -> None:
        """See `loops_verify`."""
        from tetractys.dialects.loops_verify import verify_gather

        verify_gather(self)


@irdl_op_definition
class LocateOp(PlainOp):
    """An index as a place from 0 on: `loops.locate %x, %i {axis = 0} : (tensor<?xf64>, index) ->
    index`.

    What `loops.gather` does with each index, without reading: a negative one counts from the end of
    that dimension, one out of range stops the function with `IndexError`.
    """

    name = "loops.locate"

    source = operand_def(TensorType | MemRefType)
    index = operand_def(IndexType)
    out = result_def(IndexType)
    axis = prop_def(IntegerAttr)
    traits = traits_def(NoMemoryEffect())

    @staticmethod
    def make(
        source: SSAValue, axis: int, index: SSAValue, location: LocationAttr | None = None
    ) -> LocateOp:
        """Creates the operation without verifying it."""
        return LocateOp.create(
            operands=[source, index],
            result_types=[INDEX],
            properties={"axis": IntegerAttr(axis, i64)},
            location=location,
        )

    def verify_(self) -> None:
        """The dimension exists."""
        rank = rank_of(self.source.type)
        if not 0 <= self.axis.value.data < rank:
            raise VerifyException(
                f"loops.locate: found dimension {self.axis.value.data}; "
                f"expected one of the {rank} of {self.source.type}"
            )


@irdl_op_definition
class ViewOp(PlainOp):
    """The elements of a contiguous array under other sizes: `loops.view %x, %n, %m : (...) ->
    tensor<?x?xf64>`.
    """

    name = "loops.view"

    source = operand_def(TensorType | MemRefType)
    sizes = var_operand_def(IndexType)
    out = result_def(TensorType | MemRefType)
    traits = traits_def(Pure())

    def verify_(self) -> None:
        """See `loops_verify`."""
        from tetractys.dialects.loops_verify import verify_view

        verify_view(self)

@irdl_op_definition
class CallOp(PlainOp):
    """A library call on whole arrays: `loops.call %a, %b {callee = "gemm"} : (...) ->
    tensor<?x?xf64>`.

    Bufferized, the destination is the last operand and there is no result.
    """

    name = "loops.call"

    arguments = var_operand_def()
    outs = var_result_def()
    callee = prop_def(StringAttr)
    options = opt_prop_def(DictionaryAttr)

    def verify_(self) -> None:
        """See `loops_verify`."""
        from tetractys.dialects.loops_verify import verify_call

        verify_call(self)

@irdl_op_definition
class AllocOp(PlainOp):
    """Memory for a temporary: `loops.alloc %n, %m {slot = 0} : (index, index) -> memref<?x?xf64>`.

    Its sizes are those that the type leaves open. It stands in the arena at `slot`; equal slots
    share memory. In the body of a nest it is a row of each iteration's own: `rows` of them exist
    side by side, or it is no memory of its own but the row of the nest's result number `result`.
    """

    name = "loops.alloc"

    sizes = var_operand_def(IndexType)
    out = result_def(MemRefType)
    slot = opt_prop_def(IntegerAttr)
    rows = opt_prop_def(IntegerAttr)
    result = opt_prop_def(IntegerAttr)

    def verify_(self) -> None:
        """See `loops_verify`."""
        from tetractys.dialects.loops_verify import verify_alloc

        verify_alloc(self)

@irdl_op_definition
class StoreOp(PlainOp):
    """Puts a scalar result in its place: `loops.store %v, %m : (f64, memref<f64>) -> ()`."""

    name = "loops.store"

    value = operand_def()
    target = operand_def(MemRefType)

    def verify_(self) -> None:
        """A scalar into an array of rank 0 of the same element type."""
        if rank_of(self.target.type) or types.dtype_of(self.value.type) != types.dtype_of(
            self.target.type
        ):
            raise VerifyException(
                f"loops.store: found {self.value.type} into {self.target.type}; "
                "expected a memref of rank 0 of the same element type"
            )


def walk_nests(operation: Operation) -> Iterator[NestOp]:
    """Every nest inside, outer before inner."""
    return (op for op in operation.walk() if isinstance(op, NestOp))


def is_leaf(nest: NestOp) -> bool:
    """Whether no nest is inside."""
    return not any(type(op) is NestOp for op in nest.block.ops)


Loops = Dialect(
    "loops",
    [NestOp, YieldOp, DimOp, CheckOp, GatherOp, LocateOp, ViewOp, CallOp, AllocOp, StoreOp,
     SubviewOp, InsertOp, EmptyOp],
    [],
)  # fmt: skip
