"""Where the size of a dimension comes from, traced through operations that keep it.

    %1 = elemwise.exp %x            // dimension 0 of %1 is dimension 0 of %x
    %2 = tensor.dimshuffle %1 {order = [-1, 0]}     // dimension 1 of %2 too

A *root* is a number (a static size), an integer scalar (a size given to `alloc`), or a pair
(value, dimension). Equal roots are equal sizes. Different roots may be equal sizes too: an
elementwise operation demands that of its operands, and only the first one's is followed, because a
check must not be dropped for the sake of an equation that the same check would have made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, cast

from xdsl.ir import Operation, SSAValue

from tetractys.dialects import elemwise, tensor
from tetractys.dialects.build import props_of
from tetractys.dialects.signature import DYNAMIC
from tetractys.dialects.tensor_signatures import parse_slices
from tetractys.passes.matching import number_of, shape_of

Place: TypeAlias = tuple[SSAValue, int]
"""A dimension of a value."""
Root: TypeAlias = "int | SSAValue | Place"


def _ints(op: Operation, name: str) -> tuple[int, ...]:
    return tuple(cast("tuple[int, ...]", op.properties[name].get_values()))  # type: ignore[attr-defined]


def _of_scalar(value: SSAValue) -> Root:
    """The root of an integer that is used as a size."""
    owner = value.owner
    while isinstance(owner, elemwise.CastOp):
        value = owner.operands[0]
        owner = value.owner
    if isinstance(owner, tensor.SizeOp):
        return owner.operands[0], owner.properties["dim"].value.data  # type: ignore[attr-defined]
    number = number_of(value)
    return value if number is None else int(number)


def _of_elemwise(op: Operation, dim: int) -> Root | None:
    for operand in op.operands:
        if shape_of(operand)[dim] != 1:
            return operand, dim
    return None


def _of_kept(op: Operation, dim: int) -> Root | None:
    axes = _ints(op, "axes")
    kept = [axis for axis in range(len(shape_of(op.operands[0]))) if axis not in axes]
    return op.operands[0], kept[dim]


def _of_product(op: Operation, dim: int) -> Root | None:
    first, second = op.operands
    if dim < len(shape_of(first)) - 1:
        return first, dim
    return second, len(shape_of(second)) - 1


def _of_gemm(op: Operation, dim: int) -> Root | None:
    props = props_of(cast("tensor.TensorOp", op))
    if dim == 0:
        return op.operands[0], 1 if props.get("transpose_a") else 0
    return op.operands[1], 0 if props.get("transpose_b") else 1


def _of_subtensor(op: Operation, dim: int) -> Root | None:
    entries = parse_slices(op.properties["slices"].data)  # type: ignore[attr-defined]
    kept = [axis for axis, entry in enumerate(entries) if isinstance(entry, tuple)]
    if dim >= len(kept):
        return op.operands[0], dim - len(kept) + len(entries)
    if entries[kept[dim]] in ((None, None, None), (None, None, -1)):
        return op.operands[0], kept[dim]
    return None


def _of_reshape(op: Operation, dim: int) -> Root | None:
    sizes = op.operands[1].owner
    if not isinstance(sizes, tensor.MakeVectorOp):
        return None
    root = _of_scalar(sizes.operands[dim])
    if isinstance(root, SSAValue) or (isinstance(root, int) and root < 0):
        return None  # it may be -1 at run time
    return root


def _of_arange(op: Operation, dim: int) -> Root | None:
    start, stop, step = op.operands
    if number_of(start) != 0 or number_of(step) != 1:
        return None
    root = _of_scalar(stop)
    return None if isinstance(root, SSAValue) else root if isinstance(root, tuple) else max(root, 0)


_STEPS: dict[type[Operation], Callable[[Operation, int], Root | None]] = {
    tensor.DimshuffleOp: lambda op, dim: (op.operands[0], _ints(op, "order")[dim]),
    tensor.ReduceOp: _of_kept,
    tensor.MaxAndArgmaxOp: _of_kept,
    tensor.SoftmaxOp: lambda op, dim: (op.operands[0], dim),
    tensor.LogSoftmaxOp: lambda op, dim: (op.operands[0], dim),
    tensor.IncSubtensorOp: lambda op, dim: (op.operands[0], dim),
    tensor.AdvancedIncSubtensorOp: lambda op, dim: (op.operands[0], dim),
    tensor.AdvancedSubtensorOp: lambda op, dim: (
        (op.operands[1], 0) if dim == 0 else (op.operands[0], dim + len(op.operands) - 2)
    ),
    tensor.DotOp: _of_product,
    tensor.GemmOp: _of_gemm,
    tensor.SubtensorOp: _of_subtensor,
    tensor.AllocOp: lambda op, dim: _of_scalar(op.operands[1 + dim]),
    tensor.ReshapeToOp: _of_reshape,
    tensor.ArangeOp: _of_arange,
    tensor.MakeVectorOp: lambda op, dim: len(op.operands),
    tensor.ShapeOp: lambda op, dim: len(shape_of(op.operands[0])),
}


class DimensionRoots:
    """The roots met so far. Rewrites keep sizes, so they stay true; erased ones are traced anew."""

    def __init__(self) -> None:
        self._known: dict[Place, Root] = {}

    def get(self, value: SSAValue, dim: int) -> Root:
        """The root of dimension `dim` of `value`."""
        static = shape_of(value)[dim]
        if static != DYNAMIC:
            return static
        place: Place = (value, dim)
        passed: list[Place] = []
        while True:
            known = self._known.get(place)
            if known is not None and _is_alive(known):
                break
            passed.append(place)
            step = _step(*place)
            if not isinstance(step, tuple):
                known = step
                break
            if step == place:
                known = place
                break
            place = step
        self._known.update((each, known) for each in passed)
        return known


def _is_alive(root: Root) -> bool:
    value = root[0] if isinstance(root, tuple) else root
    if isinstance(value, int):
        return True
    owner = value.owner
    return not isinstance(owner, Operation) or owner.parent is not None


def _step(value: SSAValue, dim: int) -> Root:
    """One step towards the root; (value, dim) itself at the root."""
    static = shape_of(value)[dim]
    if static != DYNAMIC:
        return static
    owner = value.owner
    if isinstance(owner, elemwise.ElemwiseOp | elemwise.CompositeOp):
        found = _of_elemwise(owner, dim)
    elif isinstance(owner, Operation) and (rule := _STEPS.get(type(owner))) is not None:
        found = rule(owner, dim)
    else:
        found = None
    return (value, dim) if found is None else found
