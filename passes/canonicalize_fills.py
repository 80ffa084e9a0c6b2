"""Fills (`elemwise.second`, `tensor.alloc`): one value everywhere. All rules are *exact*.

`second(m, v)` needs `m` only for its shape, and an elementwise operation broadcasts by itself. So a
fill sinks through elementwise operations until it is gone, or stands where its shape is needed:

    %1 = elemwise.second %m, %v : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
    %2 = elemwise.mul %1, %y : tensor<?xf64>
    // becomes, where %m and %y have the same dimension root
    %2 = elemwise.mul %v, %y : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>

Where the roots differ, the size check that the fill made stays, as `tensor.check_equal`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.ir import Operation, SSAValue

from tetractys.dialects import elemwise, tensor, types
from tetractys.dialects.build import SignatureOp, props_of
from tetractys.dialects.signature import DYNAMIC
from tetractys.passes.canonicalize_shapes import build_size, roots_of
from tetractys.passes.matching import is_number, made_by, number_of, shape_of
from tetractys.passes.rewriting import PatternTable, Rewriter

FILLS = PatternTable("canonicalize fills")

MISMATCH = ("Input dimension mis-match. (input[{first}].shape[{dim}] = {{0}}, "
            "input[{second}].shape[{dim}] = {{1}})")
"""Theano's words."""

_MAPPABLE = tuple(
    class_ for class_ in elemwise.OPERATIONS
    if class_ not in (elemwise.ConstantOp, elemwise.SecondOp)
)


# Predicates.

def filled_value(value: SSAValue) -> SSAValue | None:
    """`v` if `value` is a fill with `v` of the same rank."""
    owner = value.owner
    if isinstance(owner, elemwise.SecondOp):
        return owner.operands[1]
    if isinstance(owner, tensor.AllocOp) and len(shape_of(owner.operands[0])) == len(
        shape_of(value)
    ):
        return owner.operands[0]
    return None


def is_zero_fill(value: SSAValue) -> bool:
    """Whether an array is +0 everywhere."""
    filled = filled_value(value)
    if filled is None:
        return False
    while isinstance(filled.owner, tensor.DimshuffleOp):
        filled = filled.owner.operands[0]
    return is_number(filled, 0) and str(number_of(filled)) != "-0.0"


def join(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The shape that valid elementwise operands broadcast to."""
    return tuple(
        next((size for size in sizes if size not in (1, DYNAMIC)),
             DYNAMIC if DYNAMIC in sizes else 1)
        for sizes in zip(*shapes)
    )


# Builders.

def build_check(
    rw: Rewriter, first: tuple[SSAValue, int], second: tuple[SSAValue, int], dim: int
) -> None:
    """Holds dimension `dim` of two operands (value, operand number) equal, if it is not known."""
    roots = [roots_of(rw).get(value, dim) for value, _ in (first, second)]
    if roots[0] == roots[1]:
        return
    sizes = [build_size(rw, root) for root in roots]
    message = MISMATCH.format(first=first[1], second=second[1], dim=dim)
    rw.make_op(tensor.CheckEqualOp, sizes, {"message": message})


def build_checks(rw: Rewriter, removed: SSAValue, index: int, others: Sequence[SSAValue]) -> None:
    """The checks that vanish when operand `index`, `removed`, no longer gives its sizes."""
    for dim, size in enumerate(shape_of(removed)):
        if size == 1:
            continue
        for number, other in enumerate(others):
            if number != index and shape_of(other)[dim] != 1:
                build_check(rw, (removed, index), (other, number), dim)
                break


# Patterns.

@FILLS.on(*_MAPPABLE)
def fill_sinks(rw: Rewriter, op: Operation) -> bool:
    """f(second(m, v), y) -> f(v, y), or second(m, f(v, y)) where only m has the full shape."""
    for index, operand in enumerate(op.operands):
        value = filled_value(operand)
        if value is None:
            continue
        others = [value if number == index else other for number, other in enumerate(op.operands)]
        full = shape_of(op.results[0])
        shape = join([shape_of(other) for other in others])
        if shape == full:
            build_checks(rw, operand, index, others)
            return rw.set_operand(index, value)
        if shape_of(operand) != full:
            continue  # neither this fill nor the rest has the whole shape
        build_checks(rw, operand, index, others)
        new = rw.make(_class_of(op), *others, **props_of(cast(SignatureOp, op)))
        owner = cast(Operation, operand.owner)
        if isinstance(owner, elemwise.SecondOp):
            return rw.replace_by(elemwise.SecondOp, owner.operands[0], new)
        return rw.replace_by(tensor.AllocOp, new, *list(owner.operands)[1:],
                             **props_of(cast(SignatureOp, owner)))
    return False


def _class_of(op: Operation) -> type[SignatureOp]:
    return type(op)  # pyright: ignore[reportReturnType]


@FILLS.on(elemwise.SecondOp)
def fill_of_own_shape(rw: Rewriter, op: Operation) -> bool:
    """second(m, y) -> y where y has the whole shape."""
    model, value = op.operands
    if value.type != op.results[0].type:
        return False
    build_checks(rw, model, 0, [model, value])
    return rw.replace(value)


@FILLS.on(elemwise.SecondOp)
def fill_of_fill(rw: Rewriter, op: Operation) -> bool:
    """second(m, second(k, v)) -> second(m, v) where m has the whole shape."""
    model, fill = op.operands
    value = filled_value(fill)
    if value is None or join([shape_of(model), shape_of(value)]) != shape_of(op.results[0]):
        return False
    build_checks(rw, fill, 1, [model, value])
    return rw.set_operand(1, value)


@FILLS.on(elemwise.SecondOp)
def fill_at_its_root(rw: Rewriter, op: Operation) -> bool:
    """second(exp(x), v) -> second(x, v): the model is where the sizes come from."""
    model, value = op.operands
    if not isinstance(model.owner, Operation):
        return False
    shape = shape_of(model)
    roots = [roots_of(rw).get(model, dim) for dim in range(len(shape))]
    needed = [dim for dim, size in enumerate(shape) if size != 1]
    sources = {root[0] for dim in needed if isinstance(root := roots[dim], tuple)}
    if len(sources) == 1 and model not in sources:
        (source,) = sources
        if len(shape_of(source)) == len(shape) and all(
            roots[dim] == (source, dim) for dim in needed
        ):
            if join([shape_of(source), shape_of(value)]) == shape_of(op.results[0]):
                return rw.set_operand(0, source)
    if model in sources or not needed or any(isinstance(roots[dim], int) for dim in needed):
        return False  # it is its own root, or has a static size that `alloc` would forget
    if any(shape_of(value)[dim] != 1 for dim in needed):
        return False
    return _as_alloc(rw, op)


def _as_alloc(rw: Rewriter, op: Operation) -> bool:
    """second(m, v) -> alloc(v, size(m, 0), ...), where the sizes have several sources."""
    model, value = op.operands
    roots = roots_of(rw)
    full = shape_of(op.results[0])
    sizes = [
        roots.get(value if shape_of(model)[dim] == 1 else model, dim) for dim in range(len(full))
    ]
    ones = tuple(dim for dim, size in enumerate(full) if size == 1)
    return rw.replace_by(
        tensor.AllocOp, value, *[build_size(rw, size) for size in sizes], ones=ones
    )


@FILLS.on(tensor.DimshuffleOp)
def dimshuffle_of_fill(rw: Rewriter, op: Operation) -> bool:
    """dimshuffle(second(m, v)) -> second(dimshuffle(m), dimshuffle(v))."""
    fill = op.operands[0].owner
    if not isinstance(fill, elemwise.SecondOp):
        return False
    props = props_of(cast(SignatureOp, op))
    model, value = (rw.make(tensor.DimshuffleOp, operand, **props) for operand in fill.operands)
    return rw.replace_by(elemwise.SecondOp, model, value)


@FILLS.on(tensor.AllocOp)
def alloc_of_padded_value(rw: Rewriter, op: Operation) -> bool:
    """alloc(v, n, m) -> alloc(dimshuffle(v), n, m): the value gets the rank of the result."""
    value = op.operands[0]
    missing = len(shape_of(op.results[0])) - len(shape_of(value))
    if missing == 0:
        return False
    order = (*[-1] * missing, *range(len(shape_of(value))))
    padded = rw.make(tensor.DimshuffleOp, value, order=order)
    return rw.set_operand(0, padded)


@FILLS.on(tensor.AllocOp)
def alloc_of_own_shape(rw: Rewriter, op: Operation) -> bool:
    """alloc(x, n, m) -> x where x has those very sizes."""
    value, *sizes = op.operands
    if value.type != op.results[0].type:
        return False
    roots = roots_of(rw)
    for dim, size in enumerate(sizes):
        owner, number = size.owner, number_of(size)
        if isinstance(owner, tensor.SizeOp):
            wanted = roots.get(owner.operands[0], cast(int, props_of(owner)["dim"]))
        else:
            wanted = size if number is None else int(number)
        if wanted != roots.get(value, dim):
            return False
    return rw.replace(value)


# Selection, whose branches broadcast too.

@FILLS.on(elemwise.SwitchOp)
def decided_switch(rw: Rewriter, op: Operation) -> bool:
    """switch(true, a, b) -> a, switch(c, x, x) -> x; broadcast against what is left out."""
    condition, first, second = op.operands
    number = number_of(condition)
    if number is None and first is not second:
        return False
    chosen, left_out = (first, second) if number is None or number else (second, first)
    if types.dtype_of(chosen.type) != types.dtype_of(op.results[0].type):
        return False
    for model in (left_out, condition):
        chosen = rw.make(elemwise.SecondOp, model, chosen)
    return rw.replace(chosen)


# Parts of fills.


def is_sum_from_zero(value: SSAValue) -> bool:
    """Whether values were added into an array of zeros: then no element is -0.0."""
    while (owner := made_by(value, tensor.IncSubtensorOp)) is not None:
        if props_of(owner).get("set"):
            return False
        value = owner.operands[0]
        if is_zero_fill(value):
            return True
    return False


@FILLS.on(elemwise.AddOp)
def sum_of_parts(rw: Rewriter, op: Operation) -> bool:
    """add(inc(0, a, i), inc(0, b, j)) -> inc(inc(0, a, i), b, j), where nobody else uses them.

    Gradients of several slices of one array meet like this. Exact, as a sum from 0 is never -0.0.
    """
    first, second = op.operands
    last = made_by(second, tensor.IncSubtensorOp)
    if last is None or not (is_sum_from_zero(first) and is_sum_from_zero(second)):
        return False
    whole = op.results[0].type
    if not is_zero_fill(last.operands[0]) or first.type != whole or second.type != whole:
        return False
    if not (first.has_one_use() and second.has_one_use()):
        return False
    for dim, size in enumerate(shape_of(first)):
        if size != 1:
            build_check(rw, (first, 0), (second, 1), dim)
    return rw.replace_by(
        tensor.IncSubtensorOp, first, *list(last.operands)[1:], **props_of(last)
    )
