"""The sizes of each operation's results, and what its operands' sizes must satisfy.

One rule an operation, in `RULES` by name; elementwise operations share one. The words are NumPy's
and Theano's; {0} and {1} stand for the numbers found. Those of ranges, slices and index vectors
stand in `size_rules_indexing`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Operation, SSAValue

from tetractys.dialects import elemwise, types
from tetractys.dialects.build import SignatureOp, props_of
from tetractys.dialects.signature import DISCRETE, INTEGERS
from tetractys.passes import size_rules_indexing as indexing
from tetractys.passes.matching import number_of
from tetractys.passes.size_elements import SCALAR_OPERATIONS, element_of, visit_vector
from tetractys.passes.size_expressions import Size, is_nonnegative

if TYPE_CHECKING:
    from tetractys.passes.sizes import SizeAnalysis


def visit_elemwise(analysis: SizeAnalysis, op: Operation) -> None:
    """Dimensions that are not of static size 1 are equal, and the result's."""
    results = [result for result in op.results if isinstance(result.type, TensorType)]
    if not results:
        return
    rank = len(types.spec_of(results[0].type)[1])
    if rank == 0:
        _visit_scalar(analysis, op)
        for result in results:
            analysis.set(result, ())
        return
    if rank == 1:
        visit_vector(analysis, op)
    operands = [analysis.of(operand) for operand in op.operands]
    sizes: list[Size] = []
    for axis in range(rank):
        chosen, number = analysis.table.const(1), 0
        for position, operand in enumerate(operands):
            if operand[axis].constant == 1:
                continue
            if chosen.constant == 1:
                chosen, number = operand[axis], position
            else:
                analysis.require(
                    chosen,
                    operand[axis],
                    f"Input dimension mis-match. (input[{number}].shape[{axis}] = {{0}}, "
                    f"input[{position}].shape[{axis}] = {{1}})",
                    op,
                )
        sizes.append(chosen)
    for result in results:
        analysis.set(result, sizes)


def _visit_scalar(analysis: SizeAnalysis, op: Operation) -> None:
    """Integer arithmetic on scalars becomes an expression."""
    result = op.results[0]
    dtypes = {types.dtype_of(value.type) for value in (*op.operands, result)}
    if not dtypes.issubset(DISCRETE):
        if isinstance(op, elemwise.EqOp) and number_of(op.operands[1]) == 0:
            analysis.set_scalar(result, analysis.table.is_zero(op.operands[0]))
        return
    if isinstance(op, elemwise.ConstantOp):
        analysis.set_scalar(result, analysis.table.const(int(op.number)))
    elif isinstance(op, elemwise.CastOp):
        if types.dtype_of(result.type) == "int64":
            analysis.set_scalar(result, analysis.scalar(op.operands[0]))
    elif isinstance(op, elemwise.SqrOp) and dtypes == {"int64"}:
        number = analysis.scalar(op.operands[0])
        analysis.set_scalar(result, analysis.table.op("mul", number, number, value=result))
    elif op.name in SCALAR_OPERATIONS and dtypes.issubset(("int64", "bool")):
        if (types.dtype_of(result.type) == "bool") != (op.name in ("elemwise.eq", "elemwise.lt")):
            return
        operands = [analysis.scalar(operand) for operand in op.operands]
        name = SCALAR_OPERATIONS[op.name]
        analysis.set_scalar(result, analysis.table.op(name, *operands, value=result))


def _is_integer(value: SSAValue) -> bool:
    return types.dtype_of(value.type) in INTEGERS


def _props(op: Operation) -> dict[str, object]:
    return props_of(cast(SignatureOp, op))


def _ints(op: Operation, name: str) -> tuple[int, ...]:
    return cast("tuple[int, ...]", _props(op)[name])


def _dimshuffle(analysis: SizeAnalysis, op: Operation) -> None:
    sizes = analysis.of(op.operands[0])
    one = analysis.table.const(1)
    analysis.set(op.results[0], [sizes[a] if a >= 0 else one for a in _ints(op, "order")])
    if not sizes and _ints(op, "order") == (-1,) and _is_integer(op.operands[0]):
        analysis.set_vector(op.results[0], [analysis.scalar(op.operands[0])])


def _reshape(analysis: SizeAnalysis, op: Operation) -> None:
    table = analysis.table
    source, shape = op.operands
    rank = len(cast(TensorType, op.results[0].type).get_shape())
    analysis.require(
        analysis.of(shape)[0],
        table.const(rank),
        "Shape argument to Reshape has incorrect length: {0}, should be {1}",
        op,
    )
    wanted = [element_of(analysis, shape, axis) for axis in range(rank)]
    _require_ones(analysis, op, wanted)
    total = table.product(analysis.of(source))
    known = table.product(_unless_unknown(analysis, size) for size in wanted)
    sizes = [_reshaped(analysis, op, size, total, known) for size in wanted]
    analysis.set(op.results[0], sizes)
    elements = table.product(analysis.of(op.results[0]))
    if not analysis.is_known(total, elements):
        _require_product(analysis, op, analysis.of(op.results[0]))
    analysis.require_number(
        total,
        elements,
        "Cannot reshape input of {0} elements to a shape of {1} elements",
        op,
    )


def _require_product(analysis: SizeAnalysis, op: Operation, sizes: Sequence[Size]) -> None:
    """The product of sizes is below 2**63: each factor divides out of it."""
    table = analysis.table
    product = table.const(1)
    for size in sizes:
        before, product = product, table.op("mul", product, size)
        if None not in (before.constant, size.constant) or 1 in (before.constant, size.constant):
            continue
        others = table.op("int_div", product, size)
        analysis.require_number(
            before,
            table.op("switch", table.op("eq", size, 0), before, others),
            "Cannot reshape: found sizes whose product is 2**63 or more",
            op,
        )


def _require_ones(analysis: SizeAnalysis, op: Operation, wanted: Sequence[Size]) -> None:
    """Dimensions that are of size 1 by type; a shape that stays is Theano's Rebroadcast."""
    sizes = analysis.of(op.operands[0])
    is_kept = len(sizes) == len(wanted) and all(map(analysis.table.same, sizes, wanted))
    words = "in Rebroadcast's input was" if is_kept else "of Reshape's result was"
    for axis in _ints(op, "ones"):
        analysis.require(
            wanted[axis],
            analysis.table.const(1),
            f"Dimension {axis} {words} supposed to be 1 (got {{0}} instead)",
            op,
        )


def _unless_unknown(analysis: SizeAnalysis, size: Size) -> Size:
    """A wanted size, 1 where it is -1."""
    table = analysis.table
    if is_nonnegative(size):
        return size
    return table.op("switch", table.op("eq", size, -1), 1, size)


def _reshaped(analysis: SizeAnalysis, op: Operation, size: Size, total: Size, known: Size) -> Size:
    """The size of a dimension: as wanted, or what is left where -1 is wanted."""
    table = analysis.table
    if is_nonnegative(size):
        return size
    rest = _quotient(analysis, total, known)
    if size.constant is None:
        analysis.require_number(
            table.op("maximum", size, -1), size, "Cannot reshape: found a negative size {1}", op
        )
    return table.op("switch", table.op("eq", size, -1), rest, size)


def _quotient(analysis: SizeAnalysis, total: Size, known: Size) -> Size:
    """total / known, simplified where `known` is made of factors of `total`; 0 / 0 is 0."""
    left, right = _factors(analysis, total), _factors(analysis, known)
    for factor in list(right):
        same = next((f for f in left if analysis.table.same(f, factor)), None)
        if same is not None and same.constant not in (0,):
            left.remove(same)
            right.remove(factor)
    return analysis.table.op("int_div", analysis.table.product(left), analysis.table.product(right))


def _factors(analysis: SizeAnalysis, size: Size) -> list[Size]:
    """The factors of a product, flat."""
    pending, factors = [size], []
    while pending:
        size = pending.pop()
        if size.key[0] == "mul":
            pending.extend(cast("Sequence[Size]", size.key[:0:-1]))
        elif size.constant != 1:
            factors.append(size)
    return factors


def _shape(analysis: SizeAnalysis, op: Operation) -> None:
    sizes = analysis.of(op.operands[0])
    analysis.set_vector(op.results[0], sizes)
    analysis.set(op.results[0], [analysis.table.const(len(sizes))])


def _size(analysis: SizeAnalysis, op: Operation) -> None:
    axis = cast(int, _props(op)["dim"])
    analysis.set_scalar(op.results[0], analysis.of(op.operands[0])[axis])
    analysis.set(op.results[0], ())


def _make_vector(analysis: SizeAnalysis, op: Operation) -> None:
    if all(types.dtype_of(operand.type) in DISCRETE for operand in op.operands):
        analysis.set_vector(op.results[0], [analysis.scalar(operand) for operand in op.operands])
    analysis.set(op.results[0], [analysis.table.const(len(op.operands))])


def _alloc(analysis: SizeAnalysis, op: Operation) -> None:
    table = analysis.table
    wanted = [analysis.scalar(operand) for operand in op.operands[1:]]
    for size in wanted:
        if not is_nonnegative(size):
            analysis.require_number(
                table.op("maximum", size, 0), size, "negative dimensions are not allowed: {1}", op
            )
    value = analysis.of(op.operands[0])
    for mine, size in zip(value, wanted[len(wanted) - len(value) :]):
        if mine.constant != 1:
            analysis.require(
                mine, size, "could not broadcast input array from size {0} into size {1}", op
            )
    ones = _ints(op, "ones")
    for axis, size in enumerate(wanted):
        if axis in ones:
            analysis.require(
                size,
                table.const(1),
                "Alloc: found size {0} for a broadcastable dimension; expected {1}",
                op,
            )
    analysis.set(op.results[0], wanted)


def _reduce(analysis: SizeAnalysis, op: Operation) -> None:
    axes = _ints(op, "axes")
    sizes = analysis.of(op.operands[0])
    kept = [size for axis, size in enumerate(sizes) if axis not in axes]
    kind = _props(op).get("kind", "max")
    if kind in ("max", "min"):
        _require_elements(analysis, op, [sizes[axis] for axis in axes], f"{kind}imum")
    for result in op.results:
        analysis.set(result, kept)


def _require_elements(
    analysis: SizeAnalysis, op: Operation, reduced: Sequence[Size], name: str
) -> None:
    """A maximum needs an element along its axes, as in NumPy also where it has no result."""
    table = analysis.table
    analysis.require_number(
        table.op("minimum", table.product(reduced), 1),
        table.const(1),
        f"zero-size array to reduction operation {name} which has no identity",
        op,
    )


def _softmax(analysis: SizeAnalysis, op: Operation) -> None:
    """Shifted by the largest element of a row, which there must be."""
    _require_elements(analysis, op, analysis.of(op.operands[0])[-1:], "maximum")
    _same(analysis, op)


def _dot(analysis: SizeAnalysis, op: Operation) -> None:
    first, second = (analysis.of(operand) for operand in op.operands)
    analysis.require(
        first[-1],
        second[0],
        f"shapes not aligned: {{0}} (dim {len(first) - 1}) != {{1}} (dim 0)",
        op,
    )
    analysis.set(op.results[0], [*first[:-1], *second[1:]])


def _gemm(analysis: SizeAnalysis, op: Operation) -> None:
    props = _props(op)
    first, second = (analysis.of(operand) for operand in op.operands)
    turned = bool(props.get("transpose_a")), bool(props.get("transpose_b"))
    rows, inner = reversed(first) if turned[0] else first
    other, columns = reversed(second) if turned[1] else second
    analysis.require(inner, other, "shapes not aligned: {0} (dim 1) != {1} (dim 0)", op)
    analysis.set(op.results[0], [rows, columns])


def _same(analysis: SizeAnalysis, op: Operation) -> None:
    for result in op.results:
        analysis.set(result, analysis.of(op.operands[0]))


def _grad(analysis: SizeAnalysis, op: Operation) -> None:
    for result, operand in zip(op.results, op.operands[1:]):
        analysis.set(result, analysis.of(operand))


def _check_equal(analysis: SizeAnalysis, op: Operation) -> None:
    lhs, rhs = (analysis.scalar(operand) for operand in op.operands)
    props = _props(op)
    kind = str(props.get("kind", "ValueError"))
    analysis.check(lhs, rhs, str(props["message"]), op, kind)


RULES: dict[str, Callable[[SizeAnalysis, Operation], None]] = {
    "tensor.dimshuffle": _dimshuffle,
    "tensor.reshape_to": _reshape,
    "tensor.shape": _shape,
    "tensor.size": _size,
    "tensor.make_vector": _make_vector,
    "tensor.alloc": _alloc,
    "tensor.arange": indexing.visit_arange,
    "tensor.reduce": _reduce,
    "tensor.max_and_argmax": _reduce,
    "tensor.dot": _dot,
    "tensor.gemm": _gemm,
    "tensor.softmax": _softmax,
    "tensor.log_softmax": _softmax,
    "tensor.grad": _grad,
    "tensor.subtensor": indexing.visit_subtensor,
    "tensor.inc_subtensor": indexing.visit_inc_subtensor,
    "tensor.advanced_subtensor": indexing.visit_advanced_subtensor,
    "tensor.advanced_inc_subtensor": indexing.visit_advanced_inc_subtensor,
    "tensor.check_equal": _check_equal,
}
"""The rule of each `tensor` operation."""
