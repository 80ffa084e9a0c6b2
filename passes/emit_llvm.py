"""The text of LLVM IR from a module of `llvm` and `llvmx` operations: one table, one row an
operation.

    %0 = llvm.fadd %a, %b : vector<8xf64>       ->   %5 = fadd <8 x double> %3, %4
    llvm.br ^bb2(%i : i64)               ->   br label %b2, and in b2: %7 = phi i64 [%6, %b1]

Pre-condition: the module comes from `lower-loops-to-llvm` (or is of the operations in `_ROWS`).
Constants have no line of their own, they are printed where they are used. Intrinsics need no
declaration since LLVM 19. No flag of fast-math exists here, so none can be printed. Blocks of
thousands of operations are divided first (`llvm_large_blocks`).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from typing import cast

from xdsl.dialects import llvm
from xdsl.dialects.builtin import (
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IntegerAttr,
    IntegerType,
    ModuleOp,
    StringAttr,
    VectorType,
    f32,
    f64,
)
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.utils.exceptions import DiagnosticException

from tetractys.dialects import llvm_ext
from tetractys.dialects.create import operands_of
from tetractys.passes.llvm_large_blocks import divide_large_blocks
from tetractys.passes.llvm_types import by_identity, itemsize, mangled

_ICMP = [flag.value for flag in llvm.ICmpPredicateFlag]
_SCALARS: dict[Attribute, str] = {
    f32: "float", f64: "double", llvm.LLVMPointerType(): "ptr", llvm.LLVMVoidType(): "void",
}  # fmt: skip


def type_text(type_: Attribute) -> str:
    """A type as LLVM writes it."""
    if isinstance(type_, VectorType):
        return f"<{type_.get_shape()[0]} x {type_text(type_.element_type)}>"
    if isinstance(type_, IntegerType):
        return f"i{type_.width.data}"
    if type_ not in _SCALARS:
        raise DiagnosticException(f"emit-llvm: found type {type_}; expected an LLVM type")
    return _SCALARS[type_]


def _number_text(number: float, element: Attribute) -> str:
    if isinstance(element, IntegerType):
        if element.width.data == 1:
            return "true" if number else "false"
        return str(int(number))
    if element == f32:  # a float constant is written as the double of the same value
        number = struct.unpack("<f", struct.pack("<f", number))[0]
    return "0x" + struct.pack(">d", number).hex().upper()


@by_identity
def _constant_text(value: Attribute, type_: Attribute) -> str:
    if isinstance(value, FloatAttr | IntegerAttr):
        return _number_text(value.value.data, type_)
    if not isinstance(value, DenseIntOrFPElementsAttr) or not isinstance(type_, VectorType):
        raise DiagnosticException(f"emit-llvm: found constant {value}; expected a number or vector")
    element = type_.element_type
    prefix = type_text(element)
    numbers = cast("Sequence[float]", value.get_values())
    if value.is_splat():
        return f"splat ({prefix} {_number_text(numbers[0], element)})"
    return "<" + ", ".join(f"{prefix} {_number_text(n, element)}" for n in numbers) + ">"


class _FunctionText:
    """Names and lines of one function."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.names: dict[int, str] = {}  # by identity, as the types: hashing is slow
        self.types: dict[int, tuple[str, Attribute]] = {}
        self.blocks: dict[Block, str] = {}
        self.symbols: dict[str, None] = {}
        self.next = 0

    def type(self, type_: Attribute) -> str:
        """The text of a type."""
        found = self.types.get(id(type_))
        if found is None:
            found = self.types[id(type_)] = (type_text(type_), type_)  # the type stays alive
        return found[0]

    def name(self, value: SSAValue) -> str:
        """The name of a value, or a constant's text; given at the first mention."""
        key, names = id(value), self.names
        if key in names:
            return names[key]
        found = names[key] = f"%v{self.next}"
        self.next += 1
        return found

    def typed(self, value: SSAValue) -> str:
        """`double %v3`."""
        return f"{self.type(value.type)} {self.name(value)}"

    def all_typed(self, values: Iterable[SSAValue]) -> str:
        """`double %v3, i64 %v4`."""
        type_, name = self.type, self.name
        return ", ".join([f"{type_(v.type)} {name(v)}" for v in values])

    def result(self, op: Operation) -> str:
        """`%v5 = ` of an operation with a result, else nothing."""
        return f"{self.name(op.results[0])} = " if op.results else ""


_Row = Callable[[_FunctionText, Operation], str]


@by_identity
def _integers(attribute: Attribute) -> Sequence[int]:
    return cast("DenseArrayBase[IntegerType]", attribute).get_values()


def _binary(mnemonic: str) -> _Row:
    def row(text: _FunctionText, op: Operation) -> str:
        name, (lhs, rhs), (result,) = text.name, operands_of(op), op.results
        return f"{name(result)} = {mnemonic} {text.type(lhs.type)} {name(lhs)}, {name(rhs)}"

    return row


def _overflow(mnemonic: str) -> _Row:
    plain, nsw = _binary(mnemonic), _binary(f"{mnemonic} nsw")

    def row(text: _FunctionText, op: Operation) -> str:
        flags = op.properties.get("overflowFlags")
        return (nsw if flags is not None and cast(IntegerAttr, flags).value.data else plain)(
            text, op
        )

    return row


def _cast(mnemonic: str) -> _Row:
    def row(text: _FunctionText, op: Operation) -> str:
        result = op.results[0]
        return (f"{text.name(result)} = {mnemonic} {text.typed(operands_of(op)[0])} "
                f"to {text.type(result.type)}")

    return row


def _intrinsic(mnemonic: str) -> _Row:
    """An operation that has a class of its own but is an intrinsic, mangled by its result."""
    def row(text: _FunctionText, op: Operation) -> str:
        (result,) = op.results
        type_ = result.type
        return (f"{text.name(result)} = call {text.type(type_)} "
                f"@{mnemonic}.{mangled(type_)}({text.all_typed(operands_of(op))})")

    return row


def _icmp(text: _FunctionText, op: Operation) -> str:
    predicate = _ICMP[cast(IntegerAttr, op.properties["predicate"]).value.data]
    return _compare(text, op, "icmp", predicate)


def _fcmp(text: _FunctionText, op: Operation) -> str:
    return _compare(text, op, "fcmp", cast(StringAttr, op.properties["predicate"]).data)


def _compare(text: _FunctionText, op: Operation, mnemonic: str, predicate: str) -> str:
    lhs, rhs = operands_of(op)
    return (f"{text.name(op.results[0])} = {mnemonic} {predicate} {text.type(lhs.type)} "
            f"{text.name(lhs)}, {text.name(rhs)}")


def _select(text: _FunctionText, op: Operation) -> str:
    return f"{text.result(op)}select {text.all_typed(operands_of(op))}"


def _fneg(text: _FunctionText, op: Operation) -> str:
    return f"{text.result(op)}fneg {text.typed(operands_of(op)[0])}"


def _align(op: Operation) -> str:
    alignment = op.properties.get("alignment")
    return "" if alignment is None else f", align {cast(IntegerAttr, alignment).value.data}"


def _load(text: _FunctionText, op: Operation) -> str:
    result = op.results[0]
    return (f"{text.name(result)} = load {text.type(result.type)}, ptr "
            f"{text.name(operands_of(op)[0])}{_align(op)}")


def _store(text: _FunctionText, op: Operation) -> str:
    value, pointer = operands_of(op)
    past = ", !nontemporal !0" if "nontemporal" in op.properties else ""
    return f"store {text.typed(value)}, ptr {text.name(pointer)}{_align(op)}{past}"


def _gep(text: _FunctionText, op: Operation) -> str:
    indices = _integers(op.properties["rawConstantIndices"])
    dynamic = iter(operands_of(op)[1:])
    shown = [
        text.typed(next(dynamic)) if i == llvm.GEP_USE_SSA_VAL else f"i64 {i}" for i in indices
    ]
    inbounds = " inbounds" if "inbounds" in op.properties else ""
    return (f"{text.name(op.results[0])} = getelementptr{inbounds} "
            f"{text.type(op.properties['elem_type'])}, ptr {text.name(operands_of(op)[0])}, "
            + ", ".join(shown))


def _call_intrinsic(text: _FunctionText, op: Operation) -> str:
    name = cast(StringAttr, op.properties["intrin"]).data
    returned = text.type(op.results[0].type) if op.results else "void"
    arguments = text.all_typed(operands_of(op))
    if name.startswith("llvm.masked."):
        arguments = _aligned(text, op)
    return f"{text.result(op)}call {returned} @{name}({arguments})"


def _aligned(text: _FunctionText, op: Operation) -> str:
    """The arguments of a masked access: its pointer carries the element's alignment."""
    data = op.results[0] if op.results else operands_of(op)[0]
    pointer = f"ptr align {itemsize(data.type)} "
    return ", ".join(
        pointer + text.name(value) if isinstance(value.type, llvm.LLVMPointerType)
        else text.typed(value) for value in op.operands
    )


def _call(text: _FunctionText, op: Operation) -> str:
    callee, *arguments = operands_of(op)
    returned = text.type(op.results[0].type) if op.results else "void"
    return f"{text.result(op)}call {returned} {text.name(callee)}({text.all_typed(arguments)})"


def _splat(text: _FunctionText, op: Operation) -> str:
    result = op.results[0]
    type_ = text.type(result.type)
    name = text.name(result)
    return (f"{name}s = insertelement {type_} poison, {text.typed(operands_of(op)[0])}, i64 0\n"
            f"  {name} = shufflevector {type_} {name}s, {type_} poison, "
            f"<{cast(VectorType, result.type).get_shape()[0]} x i32> zeroinitializer")


def _extract(text: _FunctionText, op: Operation) -> str:
    position = cast(IntegerAttr, op.properties["position"]).value.data
    return f"{text.result(op)}extractelement {text.typed(operands_of(op)[0])}, i64 {position}"


def _insert(text: _FunctionText, op: Operation) -> str:
    position = cast(IntegerAttr, op.properties["position"]).value.data
    return f"{text.result(op)}insertelement {text.all_typed(operands_of(op))}, i64 {position}"


def _shuffle(text: _FunctionText, op: Operation) -> str:
    lanes = _integers(op.properties["mask"])
    mask = ", ".join([f"i32 {lane}" if lane >= 0 else "i32 poison" for lane in lanes])
    return (f"{text.result(op)}shufflevector {text.all_typed(operands_of(op))}, "
            f"<{len(lanes)} x i32> <{mask}>")


def _alloca(text: _FunctionText, op: Operation) -> str:
    return (f"{text.result(op)}alloca {text.type(op.properties['elem_type'])}, "
            f"{text.typed(operands_of(op)[0])}{_align(op)}")


def _br(text: _FunctionText, op: Operation) -> str:
    return f"br label %{text.blocks[op.successors[0]]}"


def _cond_br(text: _FunctionText, op: Operation) -> str:
    then, other = op.successors
    return (f"br {text.typed(operands_of(op)[0])}, label %{text.blocks[then]}, "
            f"label %{text.blocks[other]}")


def _return(text: _FunctionText, op: Operation) -> str:
    return f"ret {text.typed(operands_of(op)[0])}" if op.operands else "ret void"


_ROWS: dict[type[Operation], _Row] = {
    llvm.AddOp: _overflow("add"), llvm.SubOp: _overflow("sub"), llvm.MulOp: _overflow("mul"),
    llvm.UDivOp: _binary("udiv"), llvm.SDivOp: _binary("sdiv"),
    llvm.URemOp: _binary("urem"), llvm.SRemOp: _binary("srem"),
    llvm.AndOp: _binary("and"), llvm.OrOp: _binary("or"), llvm.XOrOp: _binary("xor"),
    llvm.ShlOp: _binary("shl"), llvm.LShrOp: _binary("lshr"), llvm.AShrOp: _binary("ashr"),
    llvm.FAddOp: _binary("fadd"), llvm.FSubOp: _binary("fsub"), llvm.FMulOp: _binary("fmul"),
    llvm.FDivOp: _binary("fdiv"), llvm.FRemOp: _binary("frem"), llvm.FNegOp: _fneg,
    llvm.TruncOp: _cast("trunc"), llvm.ZExtOp: _cast("zext"), llvm.SExtOp: _cast("sext"),
    llvm.FPExtOp: _cast("fpext"), llvm.FPTruncOp: _cast("fptrunc"), llvm.SIToFPOp: _cast("sitofp"),
    llvm.BitcastOp: _cast("bitcast"), llvm.PtrToIntOp: _cast("ptrtoint"),
    llvm.IntToPtrOp: _cast("inttoptr"), llvm_ext.UIToFPOp: _cast("uitofp"),
    llvm_ext.FPToSIOp: _cast("fptosi"), llvm_ext.FPToUIOp: _cast("fptoui"),
    llvm.FMAOp: _intrinsic("llvm.fma"), llvm.FAbsOp: _intrinsic("llvm.fabs"),
    llvm.FSqrtOp: _intrinsic("llvm.sqrt"), llvm.FFloorOp: _intrinsic("llvm.floor"),
    llvm.FCeilOp: _intrinsic("llvm.ceil"), llvm.FCopySignOp: _intrinsic("llvm.copysign"),
    llvm.ICmpOp: _icmp, llvm_ext.FCmpOp: _fcmp, llvm_ext.SelectOp: _select,
    llvm.LoadOp: _load, llvm.StoreOp: _store, llvm.GEPOp: _gep, llvm.AllocaOp: _alloca,
    llvm.CallIntrinsicOp: _call_intrinsic, llvm_ext.CallOp: _call,
    llvm_ext.SplatOp: _splat, llvm_ext.ExtractElementOp: _extract,
    llvm_ext.InsertElementOp: _insert, llvm.ShuffleVectorOp: _shuffle,
    llvm.BrOp: _br, llvm.CondBrOp: _cond_br, llvm.ReturnOp: _return,
}  # fmt: skip
"""How each operation is written."""


def _edges(block: Block) -> Iterable[tuple[Block, Sequence[SSAValue]]]:
    """The successors of a block with the values given to their arguments."""
    last = block.last_op
    if isinstance(last, llvm.BrOp):
        return [(last.successors[0], list(last.operands))]
    if isinstance(last, llvm.CondBrOp):
        middle = 1 + _integers(last.properties["operandSegmentSizes"])[1]
        return [(last.successors[0], list(last.operands[1:middle])),
                (last.successors[1], list(last.operands[middle:]))]
    return []


def _phis(
    text: _FunctionText, block: Block, incoming: list[tuple[str, Sequence[SSAValue]]]
) -> None:
    for number, argument in enumerate(block.args):
        choices = ", ".join(
            [f"[{text.name(values[number])}, %{name}]" for name, values in incoming]
        )
        text.lines.append(f"  {text.name(argument)} = phi {text.type(argument.type)} {choices}")


def emit_function(
    function: llvm.FuncOp, lines: list[str], *, is_linked: bool = False
) -> Iterable[str]:
    """Appends the lines of a function; the symbols that it mentions. is_linked: others of another
    module may call it.
    """
    divide_large_blocks(function)
    text = _FunctionText(lines)
    blocks = list(function.body.blocks)
    incoming: dict[Block, list[tuple[str, Sequence[SSAValue]]]] = {}
    for number, block in enumerate(blocks):
        text.blocks[block] = f"b{number}"
        incoming[block] = []
    for block in blocks:
        for target, values in _edges(block):
            incoming[target].append((text.blocks[block], values))
    type_ = function.function_type
    arguments = text.all_typed(blocks[0].args)
    is_internal = function.linkage.linkage.data == "internal" and not is_linked
    linkage = "internal " if is_internal else ""
    name = function.sym_name.data
    start, head = len(lines), f"define {linkage}{text.type(type_.output)} @{name}({arguments})"
    lines.append("")
    for block in blocks:
        lines.append(f"{text.blocks[block]}:")
        if block is not blocks[0]:
            _phis(text, block, incoming[block])
        _emit_block(text, block)
    # Vectors that LLVM keeps on the stack (constants of long polynomials) are aligned there: one
    # across two cache lines costs a load more, up to a third of a function like sin.
    has_vectors = any(" x " in line for line in lines[start:])
    lines[start] = head + (' nounwind "stackrealign" {' if has_vectors else " nounwind {")
    lines.append("}")
    return text.symbols


def _emit_block(text: _FunctionText, block: Block) -> None:
    lines = text.lines
    for op in block.ops:
        row = _ROWS.get(type(op))
        if row is not None:
            lines.append("  " + row(text, op))
        elif isinstance(op, llvm.ConstantOp):
            text.names[id(op.results[0])] = _constant_text(op.value, op.results[0].type)
        elif isinstance(op, llvm.UndefOp):
            text.names[id(op.results[0])] = "poison"
        elif isinstance(op, llvm.AddressOfOp):
            symbol = op.global_name.root_reference.data
            text.symbols[symbol] = None
            text.names[id(op.results[0])] = f"@{symbol}"
        else:
            op.emit_error(f"emit-llvm: found {op.name}; expected an operation that the emitter's "
                          "table has", DiagnosticException())


def module_text(lines: list[str]) -> str:
    """The text of a module from the lines of its functions."""
    if any(line.endswith("!nontemporal !0") for line in lines):
        lines = [*lines, "!0 = !{i32 1}"]
    return "\n".join(lines) + "\n"


def emit(module: ModuleOp) -> str:
    """The LLVM IR text of a module in the `llvm` and `llvmx` dialects."""
    lines: list[str] = []
    for op in module.body.block.ops:
        if not isinstance(op, llvm.FuncOp):
            op.emit_error(f"emit-llvm: found {op.name}; expected llvm.func; run "
                          "lower-loops-to-llvm first", DiagnosticException())
        emit_function(op, lines)
    return module_text(lines)
