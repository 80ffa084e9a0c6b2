"""`explicit-casts`: operands get the element type that their operation computes in.

Before: any valid level-1 IR, where operands of mixed element types follow Theano's rules (D2 to
D4). After (`check_uniform` holds it): operands of arithmetic have the result's element type, those
of a comparison one common type, a condition is `i1`, a reduction has the result's type and no
`acc_dtype`, sizes, bounds and shape vectors are `i64`, stored values have the type of what they are
stored into.

    %1 = elemwise.mul %x, %n : (tensor<?xf64>, tensor<1xi8>) -> tensor<?xf64>
    // becomes
    %0 = elemwise.cast %n {dtype = f64} : (tensor<1xi8>) -> tensor<1xf64>
    %1 = elemwise.mul %x, %0 : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>

A division of integers wider than 16 bits whose result is float32 computes in float64, as NumPy
does; `isnan` and `isinf` of integers, which are false, become `x != x`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from xdsl.context import Context
from xdsl.dialects.builtin import LocationAttr, ModuleOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from tetractys.dialects import elemwise, tensor, types
from tetractys.dialects.build import SignatureOp, props_of
from tetractys.dialects.elemwise import ConstantOp
from tetractys.dialects.signature import is_float, upcast
from tetractys.passes.rewriting import create, erase, function_blocks, operations_of, unit_type

Targets: TypeAlias = "list[str | None]"
"""The dtype that each operand gets; None leaves it."""

_EXACT_IN_FLOAT32 = ("bool", "int8", "int16", "uint8", "uint16", "float32")
_WIDENED = ("bool", "int8", "int16", "int32", "uint8", "uint16", "uint32")

AS_RESULT = (
    elemwise.AddOp, elemwise.SubOp, elemwise.MulOp, elemwise.TrueDivOp, elemwise.IntDivOp,
    elemwise.ModOp, elemwise.PowOp, elemwise.NegOp, elemwise.AbsOp, elemwise.SgnOp, elemwise.SqrOp,
    elemwise.MaximumOp, elemwise.MinimumOp, elemwise.SqrtOp, elemwise.ExpOp, elemwise.LogOp,
    elemwise.Log2Op, elemwise.Log10Op, elemwise.Log1pOp, elemwise.Expm1Op, elemwise.TanhOp,
    elemwise.SigmoidOp, elemwise.SoftplusOp, elemwise.SinOp, elemwise.CosOp, elemwise.TanOp,
    elemwise.ArctanOp, elemwise.SinhOp, elemwise.CoshOp, elemwise.ErfOp, elemwise.ErfcOp,
    elemwise.GammalnOp, elemwise.PsiOp, elemwise.TriGammaOp,
    elemwise.AndOp, elemwise.OrOp, elemwise.XorOp, elemwise.InvertOp,
    tensor.DotOp, tensor.MakeVectorOp,
)  # fmt: skip
"""Operations that compute in the element type of their result."""

COMPARISONS = (
    elemwise.EqOp, elemwise.NeqOp, elemwise.LtOp, elemwise.LeOp, elemwise.GtOp, elemwise.GeOp,
)  # fmt: skip


# The dtypes that operands should have.

def _of_result(op: Operation, dtypes: Sequence[str]) -> Targets:
    return [types.dtype_of(op.results[0].type)] * len(dtypes)


def _common(op: Operation, dtypes: Sequence[str]) -> Targets:
    return [upcast(*dtypes)] * len(dtypes)


def _branches(op: Operation, dtypes: Sequence[str]) -> Targets:
    result = types.dtype_of(op.results[0].type)
    return [None, result, result]


def _any(op: Operation, dtypes: Sequence[str]) -> Targets:
    return [None] * len(dtypes)


def _arange(op: Operation, dtypes: Sequence[str]) -> Targets:
    return [upcast(types.dtype_of(op.results[0].type), *dtypes)] * len(dtypes)


def _sizes_behind(first: int) -> Callable[[Operation, Sequence[str]], Targets]:
    """The operands from number `first` on are sizes or bounds."""
    return lambda op, dtypes: [None] * first + ["int64"] * (len(dtypes) - first)


def _stored(first: int, behind: str | None) -> Callable[[Operation, Sequence[str]], Targets]:
    """The second operand is stored into the first; those from number `first` on get `behind`."""
    return lambda op, dtypes: [None, dtypes[0]] + [behind] * (len(dtypes) - first)


_TARGETS: dict[type[Operation], Callable[[Operation, Sequence[str]], Targets]] = {
    **dict.fromkeys(AS_RESULT, _of_result),
    **dict.fromkeys(COMPARISONS, _common),
    elemwise.SwitchOp: _branches,
    tensor.ArangeOp: _arange,
    tensor.AllocOp: _sizes_behind(1),
    tensor.ReshapeToOp: _any,  # a cast vector would be a temporary: its elements are cast instead
    tensor.SubtensorOp: _sizes_behind(1),
    tensor.CheckEqualOp: _sizes_behind(0),
    tensor.IncSubtensorOp: _stored(2, "int64"),
    tensor.AdvancedIncSubtensorOp: _stored(2, None),
}


def operand_targets(op: Operation) -> Targets | None:
    """The dtype that each operand of `op` should have; None where any will do."""
    if (rule := _TARGETS.get(type(op))) is None:
        return None
    return rule(op, [types.dtype_of(operand.type) for operand in op.operands])


# Rewriting.

def _cast(value: SSAValue, dtype: str, before: Operation) -> SSAValue:
    block = before.parent
    assert block is not None
    cast = create(elemwise.CastOp, [value], before.location, {"dtype": dtype})
    block.insert_op_before(cast, before)
    return cast.results[0]


class _Casts:
    """The casts of one block, each made once and used again by later operations."""

    def __init__(self) -> None:
        self.known: dict[tuple[SSAValue, str], SSAValue] = {}

    def get(self, value: SSAValue, dtype: str, before: Operation) -> SSAValue:
        if types.dtype_of(value.type) == dtype:
            return value
        key = (value, dtype)
        if key not in self.known:
            self.known[key] = _cast(value, dtype, before)
        return self.known[key]


def _make(
    class_: type[SignatureOp],
    operands: Sequence[SSAValue],
    before: Operation,
    location: LocationAttr,
    **props: object,
) -> SSAValue:
    op = create(class_, operands, location, props)
    op.attributes.update(before.attributes)  # it stands for the same Apply
    assert before.parent is not None
    before.parent.insert_op_before(op, before)
    return op.results[0]


def _put(op: Operation, value: SSAValue) -> None:
    op.results[0].replace_all_uses_with(value)
    erase(op)


def apply_reduce(op: Operation, casts: _Casts) -> None:
    """reduce(x) {dtype, acc_dtype} -> cast(reduce(cast(x, acc_dtype)), dtype)."""
    assert isinstance(op, tensor.ReduceOp)
    props = props_of(op)
    result = types.dtype_of(op.results[0].type)
    accumulator = str(props.get("acc_dtype") or result)
    operand = casts.get(op.operands[0], accumulator, op)
    wanted = {"kind": props["kind"], "axes": props["axes"]}
    if props["kind"] in ("add", "mul") and accumulator in _WIDENED:
        wanted["dtype"] = accumulator  # else inference would widen it
    if props == wanted:
        op.operands[0] = operand
        return
    new = _make(tensor.ReduceOp, [operand], op, op.location, **wanted)
    _put(op, casts.get(new, result, op))


def apply_true_div(op: Operation, casts: _Casts) -> None:
    """The quotient in the result's dtype, or of wide integers in float64 with a cast behind."""
    result = types.dtype_of(op.results[0].type)
    narrow = all(types.dtype_of(v.type) in _EXACT_IN_FLOAT32 for v in op.operands)
    wide = "float32" if result == "float32" and narrow else "float64"
    operands = [casts.get(operand, wide, op) for operand in op.operands]
    if wide == result and not op.properties:
        op.operands = operands
        return
    new = _make(elemwise.TrueDivOp, operands, op, op.location)
    _put(op, casts.get(new, result, op))


def apply_switch(op: Operation, casts: _Casts) -> None:
    """switch(c, a, b) with a condition that is not bool -> switch(c != 0, a, b)."""
    condition = op.operands[0]
    dtype = types.dtype_of(condition.type)
    if dtype == "bool":
        return
    assert op.parent is not None
    zero = ConstantOp.make(0, unit_type(condition.type), op.location)
    op.parent.insert_op_before(zero, op)
    op.operands[0] = _make(elemwise.NeqOp, [condition, zero.results[0]], op, op.location)


def apply_is_special(op: Operation, casts: _Casts) -> None:
    """isnan(n), isinf(n) of an integer -> n != n, which is false of the same shape."""
    operand = op.operands[0]
    if not is_float(types.dtype_of(operand.type)):
        _put(op, _make(elemwise.NeqOp, [operand, operand], op, op.location))


_SPECIAL: dict[type[Operation], Callable[[Operation, _Casts], None]] = {
    tensor.ReduceOp: apply_reduce,
    elemwise.TrueDivOp: apply_true_div,
    elemwise.SwitchOp: apply_switch,
    elemwise.IsnanOp: apply_is_special,
    elemwise.IsinfOp: apply_is_special,
}


def apply_to_block(block: Block) -> None:
    """Makes the casts of one block explicit: one sweep."""
    casts = _Casts()
    for op in operations_of(block):
        if op.parent is not block:  # inside a composite all is uniform already
            continue
        if (special := _SPECIAL.get(type(op))) is not None:
            special(op, casts)
            if op.parent is None:
                continue
        targets = operand_targets(op) or ()
        for index, (operand, target) in enumerate(zip(op.operands, targets)):
            if target is not None and types.dtype_of(operand.type) != target:
                op.operands[index] = casts.get(operand, target, op)


# The post-condition.

def not_uniform(op: Operation) -> str | None:
    """Why `op` breaks the post-condition of the pass; None if it keeps it."""
    found = [types.dtype_of(operand.type) for operand in op.operands]
    for index, target in enumerate(operand_targets(op) or ()):
        if target not in (None, found[index]):
            return f"{op.name}: found {found[index]} in operand {index}; expected {target}"
    if isinstance(op, tensor.ReduceOp):
        result = types.dtype_of(op.results[0].type)
        if found[0] != result or "acc_dtype" in op.properties:
            return (
                f"{op.name}: found an accumulation of {found[0]} for {result}; expected one dtype"
            )
    if isinstance(op, elemwise.SwitchOp) and found[0] != "bool":
        return f"{op.name}: found a condition of {found[0]}; expected bool"
    if isinstance(op, elemwise.IsnanOp | elemwise.IsinfOp) and not is_float(found[0]):
        return f"{op.name}: found {found[0]}; expected floats"
    return None


def check_uniform(ops: Iterable[Operation]) -> None:
    """Raises ValueError where an operation breaks the post-condition of the pass."""
    for op in ops:
        if (reason := not_uniform(op)) is not None:
            raise ValueError(f"{reason}; run explicit-casts first")


class ExplicitCastsPass(ModulePass):
    """Makes the casts that Theano's dtype rules imply operations of their own."""

    name = "explicit-casts"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Rewrites every function of the module."""
        for block in function_blocks(op):
            apply_to_block(block)
