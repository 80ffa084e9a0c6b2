"""Reductions, argmax and matrix products to nests whose results combine iterators."""

from __future__ import annotations

from typing import cast

from xdsl.dialects.builtin import BoolAttr, DictionaryAttr, StringAttr, UnitAttr
from xdsl.ir import Attribute, Operation, SSAValue

from tetractys.dialects import elemwise_signatures as scalar
from tetractys.dialects import types
from tetractys.dialects.build import SignatureOp, props_of
from tetractys.dialects.loops import CONTRACT, ZERO, CallOp, SubviewOp
from tetractys.dialects.loops_views import AT
from tetractys.dialects.signature import upcast
from tetractys.passes.lower_access import ArrayAccess
from tetractys.passes.lower_nests import FunctionLowering, NestBuilder, shape_of

_OF_BOOLS = {"add": "or", "max": "or", "mul": "and", "min": "and"}
"""Monoids of bool that are the same function."""


_NAMES = {"add": "sum", "mul": "prod", "and": "all", "or": "any"}
"""What the result of a reduction is called where the user gave no name."""


def monoid(kind: str, dtype: str) -> str:
    """The kind of a nest's result that reduces by `kind` in `dtype`."""
    return _OF_BOOLS.get(kind, kind) if dtype == "bool" else kind


def scalar_or(type_: Attribute) -> Attribute:
    """A level-1 type at level 2: of rank 0 the scalar."""
    dtype, shape = types.spec_of(type_)
    return type_ if shape else types.element_type(dtype)


def lower_reduce(lowering: FunctionLowering, op: SignatureOp) -> None:
    """Accumulates in `acc_dtype`; a narrower result is cast behind the nest."""
    props = props_of(op)
    lowering.hint = _NAMES.get(str(props["kind"]), str(props["kind"]))
    axes = cast("tuple[int, ...]", props["axes"])
    (operand,), result = op.operands, op.results[0]
    shape = shape_of(operand)
    dtype = types.dtype_of(result.type)
    wide = str(props.get("acc_dtype") or dtype)
    nest = NestBuilder(lowering, op.location)
    positions = nest.iterate(lowering.analysis.of(operand), shape)
    element = nest.cast(nest.element(operand, positions), wide)
    kept = [entry for axis, entry in enumerate(positions) if axis not in axes]
    combines = any(positions[axis] != ZERO for axis in axes)
    if not combines:
        element = nest.cast(element, dtype)
    elif wide != dtype:
        _cast_behind(lowering, nest, op, element, kept, monoid(str(props["kind"]), wide))
        return
    kind = monoid(str(props["kind"]), dtype) if combines or not kept else "collect"
    lowering.set(result, nest.finish([kind], [kept], [scalar_or(result.type)], [element])[0])


def _cast_behind(
    lowering: FunctionLowering,
    nest: NestBuilder,
    op: SignatureOp,
    element: SSAValue,
    kept: list[int],
    kind: str,
) -> None:
    result = op.results[0]
    dtype, shape = types.spec_of(result.type)
    wide = types.dtype_of(element.type)
    wide_type = types.tensor_type((wide, shape)) if shape else types.element_type(wide)
    (sums,) = nest.finish([kind], [kept], [wide_type], [element])
    if not shape:
        lowering.set(result, lowering.cast(sums, dtype))
        return
    narrow = NestBuilder(lowering, op.location)
    positions = narrow.iterate(lowering.analysis.of(result), shape)
    value = narrow.cast(narrow.input(sums, tuple(positions)), dtype)
    lowering.set(result, narrow.collect(value, positions, result.type))


def lower_max_and_argmax(lowering: FunctionLowering, op: SignatureOp) -> None:
    """The position counts the reduced dimensions in row-major order."""
    axes = cast("tuple[int, ...]", props_of(op)["axes"])
    (operand,) = op.operands
    sizes = lowering.analysis.of(operand)
    nest = NestBuilder(lowering, op.location)
    positions = nest.iterate(sizes, shape_of(operand))
    element = nest.element(operand, positions)
    kept = [entry for axis, entry in enumerate(positions) if axis not in axes]
    position: SSAValue | None = None
    for axis in sorted(axes):
        if positions[axis] == ZERO:
            continue
        index = nest.position(positions[axis])
        if position is not None:
            index = nest.op(
                scalar.ADD, nest.op(scalar.MUL, position, nest.size(sizes[axis])), index
            )
        position = index
    found = [scalar_or(result.type) for result in op.results]
    if position is None:  # nothing is reduced
        kinds, values = ["collect", "collect"], [element, nest.constant(0, "int64")]
        kinds = kinds if kept else ["max", "max"]
    else:
        kinds, values = ["max", "argmax"], [element, nest.cast(position, "int64")]
    for result, value in zip(op.results, nest.finish(kinds, [kept, kept], found, values)):
        lowering.set(result, value)


def lower_dot(lowering: FunctionLowering, op: SignatureOp) -> None:
    """Iterators in the order rows, inner, columns, that of the operands' dimensions."""
    first, second = op.operands
    result = op.results[0]
    dtype = upcast(types.dtype_of(first.type), types.dtype_of(second.type))
    nest = NestBuilder(lowering, op.location)
    left, right = lowering.analysis.of(first), lowering.analysis.of(second)
    shape, other = shape_of(first), shape_of(second)
    inner = 1 if 1 in (shape[-1], other[0]) else shape[-1]
    found = nest.iterate([*left, *right[1:]], [*shape[:-1], inner, *other[1:]])
    rank = len(shape)
    values = [nest.element(first, found[:rank]), nest.element(second, found[rank - 1 :])]
    product = nest.op(scalar.MUL, *[nest.cast(value, dtype) for value in values])
    cast(Operation, product.owner).attributes[CONTRACT] = UnitAttr()
    kept = found[: rank - 1] + found[rank:]
    combines = found[rank - 1] != ZERO
    kind = monoid("add", dtype) if combines or not kept else "collect"
    lowering.set(result, nest.finish([kind], [kept], [scalar_or(result.type)], [product])[0])


def lower_gemm(lowering: FunctionLowering, op: SignatureOp) -> None:
    """A library call; transposed views become flags."""
    props = props_of(op)
    flags: dict[str, Attribute] = {}
    arrays: list[SSAValue] = []
    for operand, name in zip(op.operands, ("transpose_a", "transpose_b")):
        array, turned = _matrix(lowering, operand)
        arrays.append(array)
        if turned != bool(props.get(name)):
            flags[name] = BoolAttr.from_bool(True)
    result = op.results[0]
    call = CallOp.create(
        operands=arrays,
        result_types=[result.type],
        properties={"callee": StringAttr("gemm"), "options": DictionaryAttr(flags)},
        location=op.location,
    )
    lowering.block.add_op(call)
    lowering.set(result, call.results[0])


def _matrix(lowering: FunctionLowering, value: SSAValue) -> tuple[SSAValue, bool]:
    access = lowering.access(value)
    if isinstance(access, ArrayAccess):
        if not can_call(access.base):  # the library takes matrices of rows in order
            return lowering.copy(value), False
        if access.entries == (1, 0):
            return access.base, True
    return lowering.array(value), False


def can_call(array: SSAValue) -> bool:
    """Whether a view has dense rows, one behind the other, as far as that is known."""
    view = array.owner
    if not isinstance(view, SubviewOp):
        return True
    kept = [entry for entry in view.part if entry.kind != AT]
    forwards = all(isinstance(entry.step, int) and entry.step > 0 for entry in kept)
    dense = view.part[-1].kind != AT and view.part[-1].step == 1
    return forwards and dense and can_call(view.source)


def lower_check_equal(lowering: FunctionLowering, op: Operation) -> None:
    """A check on `index` values, each operand's own size even where both are of one class."""
    from tetractys.dialects.loops import CheckOp

    operands = [
        lowering.index(lowering.analysis.scalar(operand), exact=True) for operand in op.operands
    ]
    check = CheckOp.create(
        operands=operands,
        properties=dict(op.properties),
        attributes=dict(op.attributes),
        location=op.location,
    )
    lowering.block.add_op(check)
