"""Hoists every shape check to the function's entry: after them, equal sizes are one value.

Level 1 says by its types and operations which sizes must agree; this pass says it by
`tensor.check_equal`, once an equation, none that earlier ones imply, each with the location of the
operation that needs it, the number of its Apply (`tt.apply`) and Theano's words. Checks that are
there already are merged and hoisted like the others. It runs before any pass that removes
operations: whatever becomes of an operation, the sizes that it needs are checked. Pre-condition:
level 1. Post-condition: `SizeAnalysis` finds no equation that is not checked, and no check that
others imply; those of arguments stand first.

    %0 = elemwise.add %x, %y : tensor<?xf64>
 to
    %n = tensor.size %x {dim = 0}
    %m = tensor.size %y {dim = 0}
    tensor.check_equal %n, %m {message = "Input dimension mis-match. (input[0].shape[0] = {0}, ..."}
    %0 = elemwise.add %x, %y : tensor<?xf64>
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp, StringAttr, TensorType
from xdsl.ir import Block, BlockArgument, Operation, OpResult, SSAValue
from xdsl.passes import ModulePass

from tetractys.dialects import elemwise_signatures, tensor_signatures, types
from tetractys.dialects.build import APPLY, build, name_apply
from tetractys.dialects.elemwise import ElemwiseOp
from tetractys.dialects.signature import Signature
from tetractys.dialects.tensor import (
    AdvancedIncSubtensorOp,
    AdvancedSubtensorOp,
    CheckEqualOp,
    IncSubtensorOp,
    SizeOp,
    SubtensorOp,
)
from tetractys.passes.rewriting import erase
from tetractys.passes.size_expressions import Size, operands_of, postorder
from tetractys.passes.sizes import Equation, SizeAnalysis

_FAILING = (CheckEqualOp, SubtensorOp, IncSubtensorOp, AdvancedSubtensorOp, AdvancedIncSubtensorOp)


def is_scalar_operation(op: Operation) -> bool:
    """Whether an operation works on scalars and may move to the entry: elementwise or a size."""
    if isinstance(op, SizeOp):
        return isinstance(op.operands[0], BlockArgument)
    return isinstance(op, ElemwiseOp) and all(is_scalar(result) for result in op.results)


def is_scalar(value: SSAValue) -> bool:
    """Whether a level-1 value has rank 0."""
    return isinstance(value.type, TensorType) and not value.type.get_shape()


def leaves_of(size: Size) -> Iterable[SSAValue]:
    """The level-1 values that an expression reads."""
    pending = [size]
    seen: set[Size] = set()
    while pending:
        node = pending.pop()
        if node in seen:
            continue
        seen.add(node)
        pending.extend(operands_of(node))
        if node.rank in (1, 2):
            yield cast(SSAValue, node.key[1])


class ScalarEmitter:
    """Emits expressions as int64 scalars of level 1, before one place of a block."""

    def __init__(self, block: Block, anchor: Operation) -> None:
        self.block = block
        self.anchor = anchor
        self._values: dict[Size, SSAValue] = {}
        self._clones: dict[SSAValue, SSAValue] = {}

    def emit(self, size: Size, origin: Operation) -> SSAValue:
        """The value of an expression; new operations get the location of `origin`."""
        for node in postorder(size, self._values):
            self._values[node] = self._node(node, origin)
        return self._values[size]

    def _node(self, node: Size, origin: Operation) -> SSAValue:
        kind = cast(str, node.key[0])
        if kind == "const":
            return self._build(
                "elemwise.constant", [], origin, value=node.key[1], dtype="int64", rank=0
            )
        if kind == "scalar":
            return self._int64(self._at_entry(cast(SSAValue, node.key[1])), origin)
        if kind in ("dim", "arange"):
            source, axis = cast(SSAValue, node.key[1]), 0 if kind == "arange" else node.key[2]
            return self._build("tensor.size", [source], origin, dim=axis)
        if kind == "element":
            source = cast(SSAValue, node.key[1])
            element = self._build("tensor.subtensor", [source], origin, slices=str(node.key[2]))
            return self._int64(element, origin)
        if kind == "is_zero":
            number = self._at_entry(cast(SSAValue, node.key[1]))
            dtype = types.dtype_of(number.type)
            zero = self._build("elemwise.constant", [], origin, value=0.0, dtype=dtype, rank=0)
            return self._int64(self._build("elemwise.eq", [number, zero], origin), origin)
        operands = [self._values[operand] for operand in operands_of(node)]
        return self._build(f"elemwise.{kind}", operands, origin)

    def _build(
        self, name: str, operands: list[SSAValue], origin: Operation, **props: object
    ) -> SSAValue:
        dialect, _, short = name.partition(".")
        table = elemwise_signatures if dialect == "elemwise" else tensor_signatures
        signature: Signature = table.SIGNATURES[short]
        op = build(signature, operands, props, origin.location)
        self.block.insert_op_before(op, self.anchor)
        return op.results[0]

    def _int64(self, value: SSAValue, origin: Operation) -> SSAValue:
        if types.dtype_of(value.type) == "int64":
            return value
        return self._build("elemwise.cast", [value], origin, dtype="int64")

    def _at_entry(self, value: SSAValue) -> SSAValue:
        """A scalar, computed again before the anchor where it is computed later."""
        pending = [value]
        while pending:
            owner = pending[-1].owner
            if pending[-1] in self._clones or not isinstance(owner, Operation):
                pending.pop()
                continue
            missing = [
                operand
                for operand in owner.operands
                if operand not in self._clones and isinstance(operand, OpResult)
            ]
            if missing:
                pending.extend(missing)
                continue
            clone = owner.clone(self._clones)
            clone.location = owner.location
            self.block.insert_op_before(clone, self.anchor)
            self._clones.update(zip(owner.results, clone.results))
        return self._clones.get(value, value)


def latest_leaf(equation: Equation, positions: dict[Operation, int]) -> Operation | None:
    """The last operation that an equation must wait for; None if it can stand at the entry."""
    late: list[Operation] = []
    pending = [v for size in (equation.lhs, equation.rhs) for v in leaves_of(size)]
    seen: set[SSAValue] = set()
    while pending:
        value = pending.pop()
        owner = value.owner
        if value in seen or not isinstance(owner, Operation):
            continue
        seen.add(value)
        if is_scalar_operation(owner):
            pending.extend(owner.operands)
        else:
            late.append(owner)
    return max(late, key=positions.__getitem__, default=None)


def build_check(emitter: ScalarEmitter, equation: Equation) -> None:
    """Inserts one check at the emitter's place."""
    operation = equation.operation
    operands = [emitter.emit(size, operation) for size in (equation.lhs, equation.rhs)]
    properties = {"message": StringAttr(equation.message)}
    if equation.kind != "ValueError":
        properties["kind"] = StringAttr(equation.kind)
    check = CheckEqualOp.create(
        operands=operands, properties=properties, location=operation.location
    )
    name_apply(check, operation)
    emitter.block.insert_op_before(check, emitter.anchor)


def entry_of(block: Block) -> set[Operation]:
    """The operations of the entry: sizes, integer scalars and checks, up to the first other one."""
    entry: set[Operation] = set()
    for op in block.ops:
        if not isinstance(op, CheckEqualOp) and not is_scalar_operation(op):
            break
        entry.add(op)
    return entry


def hoist_checks(block: Block) -> None:
    """Checks every equation of a block once, at its entry where its sizes are known there."""
    analysis = SizeAnalysis(block)
    for op in analysis.implied:
        erase(op)
    equations, first = list(analysis.equations), block.first_op
    if first is None:
        return
    if analysis.checks:
        entry = entry_of(block)
        equations += [check for check in analysis.checks if check.operation not in entry]
        first = next(op for op in block.ops if op not in entry)  # those there know their Apply
    if not equations:
        return
    emitter = ScalarEmitter(block, first)
    positions: dict[Operation, int] = {}
    for equation in equations:
        if not positions and any(size.rank > 1 for size in (equation.lhs, equation.rhs)):
            positions = {op: number for number, op in enumerate(block.ops)}
        late = latest_leaf(equation, positions)
        is_check = isinstance(equation.operation, CheckEqualOp)
        if late is None:
            build_check(emitter, equation)
            if is_check:
                erase(equation.operation)
        elif not is_check:
            assert late.next_op is not None
            build_check(ScalarEmitter(block, late.next_op), equation)


def forget_applies(block: Block) -> None:
    """Takes the numbers of Applies from all but checks and indexing, which can fail later on."""
    for op in block.ops:
        if op.attributes and not isinstance(op, _FAILING):
            op.attributes.pop(APPLY, None)


class HoistChecksPass(ModulePass):
    """See the module."""

    name = "hoist-checks"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Hoists the checks of every function."""
        for function in op.ops:
            if isinstance(function, func.FuncOp) and function.body.blocks:
                hoist_checks(function.body.block)
                forget_applies(function.body.block)
