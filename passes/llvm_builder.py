"""Building level 3: LLVM instructions as operations of xDSL's `llvm` dialect and of our `llvmx`.

`LLVMBuilder` appends to a current block. Nothing is verified; the emitter's text is, by LLVM.
Instructions on vectors are those on scalars with vector types. Integers are signless here: the
dtype of the operation being lowered decides between `udiv` and `sdiv`, `zext` and `sext`, the
predicates. `bool` is `i1` in registers and `i8` in memory.

Constants are made once a function, stand at its entry, and are printed at their uses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, cast

from xdsl.dialects import llvm
from xdsl.dialects.builtin import (
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    Float64Type,
    FloatAttr,
    IntegerAttr,
    IntegerType,
    LocationAttr,
    StringAttr,
    SymbolRefAttr,
    UnitAttr,
    VectorType,
    i1,
    i8,
    i32,
    i64,
)
from xdsl.ir import Attribute, Block, Operation, SSAValue

from tetractys.dialects import llvm_ext
from tetractys.dialects.create import append, create
from tetractys.dialects.llvm_ext import lanes_of
from tetractys.passes.llvm_types import (
    by_identity,
    element_of,
    itemsize,
    llvm_type,
    mangled,
    memory_type,
    vector_of,
)

PTR = llvm.LLVMPointerType()
VOID = llvm.LLVMVoidType()
_NO_FLAGS: dict[str, Attribute] = {"fastmathFlags": llvm.FastMathAttr(None)}
_DEFAULTS: dict[type[Operation], dict[str, Attribute]] = dict.fromkeys(
    (llvm.FAddOp, llvm.FSubOp, llvm.FMulOp, llvm.FDivOp, llvm.FRemOp, llvm.FNegOp, llvm.FMAOp,
     llvm.FAbsOp, llvm.FSqrtOp, llvm.FFloorOp, llvm.FCopySignOp),
    _NO_FLAGS,
)
_NSW: dict[str, Attribute] = {"overflowFlags": IntegerAttr(1, i32)}
_ICMP = {
    flag.value: {"predicate": IntegerAttr(flag.to_int(), i64)} for flag in llvm.ICmpPredicateFlag
}
_FCMP = {predicate: {"predicate": StringAttr(predicate)} for predicate in llvm_ext.FCMP_PREDICATES}
_ORDERING = IntegerAttr(0, i64)


def default_properties(op_class: type[Operation]) -> dict[str, Attribute]:
    """The properties of an instruction that is given none."""
    return _DEFAULTS.get(op_class, {})


@cache
def _intrinsic_properties(name: str, operands: int) -> dict[str, Attribute]:
    return {
        **_NO_FLAGS,
        "intrin": StringAttr(name),
        "op_bundle_sizes": DenseArrayBase.from_list(i32, ()),
        "operandSegmentSizes": DenseArrayBase.from_list(i32, (operands, 0)),
    }


@cache
def _cond_br_properties(then: int, other: int) -> dict[str, Attribute]:
    return {"operandSegmentSizes": DenseArrayBase.from_list(i32, (1, then, other))}


@by_identity
def _gep_properties(element: Attribute, constant: int | None) -> dict[str, Attribute]:
    index = llvm.GEP_USE_SSA_VAL if constant is None else constant
    return {
        "elem_type": element,
        "noWrapFlags": IntegerAttr(0, i32),
        "rawConstantIndices": DenseArrayBase.from_list(i32, (index,)),
        "inbounds": UnitAttr(),
    }


@cache
def access_properties(alignment: int) -> dict[str, Attribute]:
    """The properties of an aligned load or store."""
    return {"ordering": _ORDERING, "alignment": IntegerAttr(alignment, i64)}


@cache
def _position_properties(position: int) -> dict[str, Attribute]:
    return {"position": IntegerAttr(position, i64)}


@cache
def _mask_properties(lanes: tuple[int, ...]) -> dict[str, Attribute]:
    return {"mask": DenseArrayBase.from_list(i32, lanes)}


@cache
def _constant_properties(
    key: str, type_: Attribute, number: float | None
) -> dict[str, Attribute]:
    """The value of a constant; `number` is None for the lanes' numbers, `key` tells numbers
    apart.
    """
    element = element_of(type_)
    if number is None:
        lanes = range(lanes_of(type_))
        return {"value": DenseIntOrFPElementsAttr.from_list(cast(Any, type_), lanes)}
    if isinstance(element, IntegerType):
        width = element.width.data
        bits = int(number) & ((1 << width) - 1)
        value = bits - (1 << width) if width > 1 and bits >> (width - 1) else bits
        attribute: FloatAttr | IntegerAttr = IntegerAttr(value, element)
    else:
        attribute = FloatAttr(float(number), cast(Float64Type, element))
    if not isinstance(type_, VectorType):
        return {"value": attribute}
    numbers = [cast(Any, attribute.value.data)]
    return {"value": DenseIntOrFPElementsAttr.from_list(cast(Any, type_), numbers)}


class LLVMBuilder:
    """Appends instructions to `block`.

    entry: the function's first block; constants stand there, in front.
    extern: gives the address of an external function by name (see `call_extern`).
    location: given to every operation built, the user's line of what is being lowered.
    """

    def __init__(self, entry: Block, extern: Callable[[str], SSAValue] | None = None) -> None:
        self.entry = entry
        self.block = entry
        self.extern = extern
        self.location: LocationAttr | None = None
        self._constants: dict[tuple[str, int], SSAValue] = {}
        self._indices: dict[int, SSAValue] = {}
        self._last_constant: Operation | None = None

    # ---- the general forms

    def emit(
        self,
        op_class: type[Operation],
        operands: Sequence[SSAValue],
        result_type: Attribute | None,
        properties: Mapping[str, Attribute] | None = None,
    ) -> SSAValue:
        """Appends an operation and returns its result (without a result type: its last operand)."""
        given = _DEFAULTS.get(op_class, {}) if properties is None else properties
        result_types = () if result_type is None else (result_type,)
        op = create(op_class, operands, result_types, given, self.location)
        append(self.block, op)
        if result_type is None:
            return operands[-1]
        (result,) = op.results
        return result

    def intrinsic(
        self, name: str, operands: Sequence[SSAValue], result_type: Attribute | None
    ) -> SSAValue:
        """Calls an intrinsic overloaded on its result: `intrinsic("llvm.fma", [a, b, c], f64)`."""
        full = name if result_type is None else f"{name}.{mangled(result_type)}"
        return self.intrinsic_named(full, operands, result_type)

    def intrinsic_named(
        self, name: str, operands: Sequence[SSAValue], result_type: Attribute | None
    ) -> SSAValue:
        """Calls an intrinsic by its full name."""
        properties = _intrinsic_properties(name, len(operands))
        return self.emit(llvm.CallIntrinsicOp, operands, result_type, properties)

    def call_extern(
        self, name: str, operands: Sequence[SSAValue], result_type: Attribute | None
    ) -> SSAValue:
        """Calls a C function of the process through the table of external addresses."""
        if self.extern is None:
            raise NotImplementedError(f"call of {name}: found no table of external functions here; "
                                      "expected a kernel")
        return self.emit(llvm_ext.CallOp, [self.extern(name), *operands], result_type)

    def call_symbol(
        self, name: str, operands: Sequence[SSAValue], result_type: Attribute | None
    ) -> SSAValue:
        """Calls a function of the module."""
        return self.emit(llvm_ext.CallOp, [self.symbol(name), *operands], result_type)

    def intrinsic_here(
        self, name: str, operands: Sequence[SSAValue], result_type: Attribute | None
    ) -> SSAValue:
        """Calls an intrinsic at this very place, whatever a subclass does with pure ones."""
        properties = _intrinsic_properties(name, len(operands))
        return LLVMBuilder.emit(self, llvm.CallIntrinsicOp, operands, result_type, properties)

    # ---- constants

    def constant(self, number: float, type_: Attribute) -> SSAValue:
        """A number in a scalar type, or in every lane of a vector type."""
        key = repr(number)
        found = self._constants.get((key, id(type_)))
        return found if found is not None else self._constant(key, type_, number)

    def lane_numbers(self, type_: Attribute) -> SSAValue:
        """The constant vector 0, 1, 2, ..."""
        found = self._constants.get(("lanes", id(type_)))
        return found if found is not None else self._constant("lanes", type_, None)

    def _constant(self, key: str, type_: Attribute, number: float | None) -> SSAValue:
        properties = _constant_properties(key, type_, number)
        op = create(llvm.ConstantOp, (), (type_,), properties)
        self._insert_at_entry(op)
        self._constants[key, id(type_)] = op.results[0]
        return op.results[0]

    def _insert_at_entry(self, op: Operation) -> None:
        if self._last_constant is not None:
            self.entry.insert_op_after(op, self._last_constant)
        elif self.entry.first_op is not None:
            self.entry.insert_op_before(op, self.entry.first_op)
        else:
            self.entry.add_op(op)
        self._last_constant = op

    def poison(self, type_: Attribute) -> SSAValue:
        """A value that is not looked at: the start of a chain of insertions."""
        found = self._constants.get(("undef", id(type_)))
        if found is None:
            op = create(llvm.UndefOp, (), (type_,), {})
            self._insert_at_entry(op)
            found = self._constants["undef", id(type_)] = op.results[0]
        return found

    def symbol(self, name: str) -> SSAValue:
        """The address of a function of the module."""
        found = self._constants.get((name, id(PTR)))
        if found is None:
            op = create(llvm.AddressOfOp, (), (PTR,), {"global_name": SymbolRefAttr(name)})
            self._insert_at_entry(op)
            found = self._constants[name, id(PTR)] = op.results[0]
        return found

    def index(self, number: int) -> SSAValue:
        """An i64 constant."""
        found = self._indices.get(number)
        if found is None:
            found = self._indices[number] = self.constant(number, i64)
        return found

    # ---- arithmetic

    def binary(self, op_class: type[Operation], lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """An instruction whose result has its operands' type."""
        return self.emit(op_class, (lhs, rhs), lhs.type)

    def add(self, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """Sum of indices; they never wrap."""
        return self.emit(llvm.AddOp, (lhs, rhs), lhs.type, _NSW)

    def sub(self, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """Difference of indices; they never wrap."""
        return self.emit(llvm.SubOp, (lhs, rhs), lhs.type, _NSW)

    def mul(self, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """Product of indices; they never wrap."""
        return self.emit(llvm.MulOp, (lhs, rhs), lhs.type, _NSW)

    def smin(self, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """The smaller signed integer."""
        return self.intrinsic("llvm.smin", (lhs, rhs), lhs.type)

    def smax(self, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """The larger signed integer."""
        return self.intrinsic("llvm.smax", (lhs, rhs), lhs.type)

    def fma(self, a: SSAValue, b: SSAValue, c: SSAValue) -> SSAValue:
        """a * b + c, rounded once."""
        return self.emit(llvm.FMAOp, (a, b, c), a.type)

    def icmp(self, predicate: str, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """Comparison of integers: eq ne slt sle sgt sge ult ule ugt uge."""
        type_ = vector_of(i1, lanes_of(lhs.type))
        return self.emit(llvm.ICmpOp, (lhs, rhs), type_, _ICMP[predicate])

    def fcmp(self, predicate: str, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """Comparison of floating-point numbers: olt, une, uno, ..."""
        type_ = vector_of(i1, lanes_of(lhs.type))
        return self.emit(llvm_ext.FCmpOp, (lhs, rhs), type_, _FCMP[predicate])

    def select(self, condition: SSAValue, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
        """`lhs` where the condition holds, else `rhs`; lane by lane for a vector condition."""
        return self.emit(llvm_ext.SelectOp, (condition, lhs, rhs), lhs.type)

    def convert(self, op_class: type[Operation], value: SSAValue, element: Attribute) -> SSAValue:
        """A conversion to another element type, lanes kept; nothing if it is the same."""
        type_ = vector_of(element, lanes_of(value.type))
        return value if type_ == value.type else self.emit(op_class, (value,), type_)

    # ---- vectors

    def splat(self, value: SSAValue, lanes: int) -> SSAValue:
        """A scalar in every lane; constants stay constants; 0 lanes: the scalar."""
        if not lanes:
            return value
        owner = value.owner
        if isinstance(owner, llvm.ConstantOp) and isinstance(owner.value, FloatAttr | IntegerAttr):
            return self.constant(owner.value.value.data, vector_of(value.type, lanes))
        return self.emit(llvm_ext.SplatOp, (value,), vector_of(value.type, lanes))

    def extract(self, vector: SSAValue, lane: int) -> SSAValue:
        """One lane."""
        properties = _position_properties(lane)
        return self.emit(llvm_ext.ExtractElementOp, (vector,), element_of(vector.type), properties)

    def insert(self, vector: SSAValue, value: SSAValue, lane: int) -> SSAValue:
        """The vector with one lane replaced."""
        properties = _position_properties(lane)
        return self.emit(llvm_ext.InsertElementOp, (vector, value), vector.type, properties)

    def pack(self, values: Sequence[SSAValue]) -> SSAValue:
        """Scalars as the lanes of one vector."""
        result = self.poison(vector_of(values[0].type, len(values)))
        for lane, value in enumerate(values):
            result = self.insert(result, value, lane)
        return result

    def shuffle(self, lhs: SSAValue, rhs: SSAValue, lanes: Sequence[int]) -> SSAValue:
        """Lanes of the two vectors, those of `rhs` counted on behind those of `lhs`."""
        type_ = vector_of(element_of(lhs.type), len(lanes))
        return self.emit(llvm.ShuffleVectorOp, (lhs, rhs), type_, _mask_properties(tuple(lanes)))

    def reduce_or(self, vector: SSAValue) -> SSAValue:
        """Whether any lane of a vector of i1 is set."""
        name = f"llvm.vector.reduce.or.{mangled(vector.type)}"
        return self.intrinsic_named(name, (vector,), i1)

    # ---- memory

    def offset(self, base: SSAValue, index: SSAValue | int, element: Attribute = i8) -> SSAValue:
        """The address `index` elements (bytes, unless a type is given) behind `base`."""
        if isinstance(index, int):
            if not index:
                return base
            return self.emit(llvm.GEPOp, (base,), PTR, _gep_properties(element, index))
        return self.emit(llvm.GEPOp, (base, index), PTR, _gep_properties(element, None))

    def load(self, pointer: SSAValue, type_: Attribute) -> SSAValue:
        """A scalar or vector, element-aligned, as it is in memory."""
        return self.emit(llvm.LoadOp, (pointer,), type_, access_properties(itemsize(type_)))

    def store(self, value: SSAValue, pointer: SSAValue) -> None:
        """Stores a scalar or vector as it is."""
        properties = access_properties(itemsize(value.type))
        self.emit(llvm.StoreOp, (value, pointer), None, properties)

    def store_past_caches(self, value: SSAValue, pointer: SSAValue, alignment: int) -> None:
        """Stores a vector that is aligned and not read again soon."""
        properties = {**access_properties(alignment), "nontemporal": UnitAttr()}
        self.emit(llvm.StoreOp, (value, pointer), None, properties)

    def fence_stores(self) -> None:
        """Other threads see these stores before the later ones (x86)."""
        properties = _intrinsic_properties("llvm.x86.sse.sfence", 0)
        self.block.add_op(llvm.CallIntrinsicOp.create(properties=properties))

    # ---- control

    def branch(self, target: Block, arguments: Sequence[SSAValue] = ()) -> None:
        """Ends the block with a jump."""
        self.block.add_op(llvm.BrOp.create(operands=arguments, successors=[target]))

    def repeat(
        self,
        carried: Sequence[SSAValue],
        body: Callable[[Sequence[SSAValue]], Sequence[SSAValue]],
        goes_on: Callable[[Sequence[SSAValue]], SSAValue],
    ) -> Sequence[SSAValue]:
        """Does `body` on the carried values as long as `goes_on` of the new ones; at least once."""
        types = [value.type for value in carried]
        block, after = self.new_block(types), self.new_block(types)
        self.branch(block, carried)
        self.block = block
        new = body(block.args)
        self.branch_if(goes_on(new), block, new, after, new)
        self.block = after
        return after.args

    def choose(
        self,
        condition: SSAValue,
        then: Callable[[], Sequence[SSAValue]],
        others: Sequence[SSAValue],
    ) -> Sequence[SSAValue]:
        """What `then` builds, which is only done if the condition holds; else `others`."""
        inside, after = self.new_block(), self.new_block([other.type for other in others])
        self.branch_if(condition, inside, (), after, others)
        self.block = inside
        self.branch(after, then())
        self.block = after
        return after.args

    def branch_if(
        self,
        condition: SSAValue,
        then: Block,
        then_arguments: Sequence[SSAValue],
        other: Block,
        other_arguments: Sequence[SSAValue] = (),
    ) -> None:
        """Ends the block with a choice of two different blocks."""
        assert then is not other
        self.block.add_op(llvm.CondBrOp.create(
            operands=[condition, *then_arguments, *other_arguments],
            successors=[then, other],
            properties=_cond_br_properties(len(then_arguments), len(other_arguments)),
        ))

    def new_block(self, argument_types: Sequence[Attribute] = ()) -> Block:
        """A block with arguments at the end of the function; the current one stays."""
        block = Block(arg_types=argument_types)
        region = self.entry.parent
        assert region is not None
        region.add_block(block)
        return block


__all__ = ["PTR", "VOID", "LLVMBuilder", "access_properties", "default_properties", "element_of",
           "itemsize", "lanes_of", "llvm_type", "mangled", "memory_type", "vector_of"]
