"""Indexing: `x[...]`, `set_subtensor`, `inc_subtensor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tetractys.dialects.signature import INTEGERS, upcast
from tetractys.graph.variable import Apply, Variable
from tetractys.tensor.constants import as_tensor_variable, autocast, constant
from tetractys.tensor.elemwise import scalar_from_tensor
from tetractys.tensor.functions_elemwise import cast, second
from tetractys.tensor.functions_shape import dimshuffle, flatten, make_vector, reshape, shape
from tetractys.tensor.native import NativeOp
from tetractys.tensor.subtensor import (
    ADVANCED,
    ADVANCED_1,
    AdvancedIncSubtensor1,
    Entry,
    IncSubtensor,
    Subtensor,
    advanced_inc_op,
)
from tetractys.tensor.type import Scalar, scalar_type
from tetractys.tensor.var import ScalarConstant

if TYPE_CHECKING:
    from tetractys.tensor.var import TensorVariable

_FULL = slice(None, None, None)


def index(value: Variable, key: Any) -> TensorVariable:
    """`value[key]`: integers, slices, None, Ellipsis, and integer arrays; all may be symbolic."""
    items = _items(value, key)
    if any(item is None for item in items):
        return _with_new_axes(value, items)
    if any(_is_array(item) for item in items):
        return _advanced(value, items)
    return _basic(value, items)


def _items(value: Variable, key: Any) -> list[Any]:
    """The key as a list of one entry a dimension (None adds one), Ellipsis expanded."""
    if isinstance(key, list):
        items = (
            [np.asarray(key)]
            if not any(isinstance(item, (slice, type(None))) for item in key)
            else key
        )
    else:
        items = list(key) if isinstance(key, tuple) else [key]
    given = sum(item is not None and item is not Ellipsis for item in items)
    rank = value.type.ndim
    if given > rank:
        raise IndexError("too many indices for array")
    dots = [position for position, item in enumerate(items) if item is Ellipsis]
    if len(dots) > 1:
        raise IndexError("an index can only have a single Ellipsis (`...`)")
    if dots:
        items[dots[0] : dots[0] + 1] = [_FULL] * (rank - given)
    return [_checked(item) for item in items]


def _checked(item: Any) -> Any:
    """An entry of the key, a list or boolean refused or made an array."""
    if isinstance(item, (bool, np.bool_)):
        raise NotImplementedError(
            "x[True]: found a boolean index; expected integers, slices or integer "
            "arrays; use switch, or nonzero positions made with NumPy"
        )
    if item is None or isinstance(item, (slice, int, np.integer)):
        return item
    if isinstance(item, (list, np.ndarray)):
        item = constant(item)
    if not isinstance(item, Variable):
        if isinstance(item, (float, np.floating)):
            raise TypeError("index must be integers or a boolean mask")
        raise TypeError(f"index must be integers, found {item!r} of type {type(item).__name__}")
    if item.type.dtype == "bool":
        raise NotImplementedError(
            "x[mask]: found a boolean index; expected integers, slices or integer "
            "arrays; its result's size is known only at run time, which this "
            "version lacks"
        )
    if item.type.dtype not in INTEGERS:
        raise TypeError("index must be integers")
    return item


def _is_array(item: Any) -> bool:
    return isinstance(item, Variable) and item.type.ndim > 0


def _with_new_axes(value: Variable, items: list[Any]) -> TensorVariable:
    """New axes first, by a dimshuffle; then the rest of the index."""
    pattern: list[Any] = []
    rest: list[Any] = []
    position = 0
    for item in items:
        pattern.append("x" if item is None else position)
        rest.append(_FULL if item is None else item)
        position += item is not None
    pattern.extend(range(position, value.type.ndim))
    view = _stage(dimshuffle(value, pattern))
    if all(isinstance(item, slice) and item == _FULL for item in rest):
        return view
    return index(view, tuple(rest))


# Basic indexing.
def _bound(value: Any) -> tuple[str, Variable]:
    """The dtype of a bound, and the scalar operand for it."""
    if isinstance(value, (int, np.integer)):
        number = autocast(int(value))
        if number.dtype == np.uint64:
            raise IndexError(f"index {value} does not fit int64")
        return "int64", ScalarConstant(scalar_type("int64"), number.astype("int64"))
    if isinstance(value, Variable) and isinstance(value.type, Scalar):
        return value.type.dtype, value
    variable = as_tensor_variable(value)
    if variable.type.ndim or variable.type.dtype not in INTEGERS:
        raise TypeError(f"Expected an integer, found {variable} of type {variable.type}")
    return variable.type.dtype, scalar_from_tensor(variable)


def _entries(items: list[Any]) -> tuple[list[Entry], list[Variable]]:
    """The printed entries of a basic index, and its bounds as operands."""
    entries: list[Entry] = []
    operands: list[Variable] = []

    def add(value: Any) -> str:
        dtype, operand = _bound(value)
        operands.append(operand)
        return dtype

    for item in items:
        if not isinstance(item, slice):
            entries.append(add(item))
            continue
        if isinstance(item.step, (int, np.integer)) and item.step == 0:
            raise ValueError("slice step cannot be zero")
        start, stop, step = (
            None if bound is None else add(bound) for bound in (item.start, item.stop, item.step)
        )
        entries.append((start, stop, step))
    return entries, operands


def _basic(value: Variable, items: list[Any]) -> TensorVariable:
    entries, operands = _entries(items)
    return Subtensor(entries).node([value, *operands]).outputs[0]


# Indexing with integer arrays.
def _advanced(value: Variable, items: list[Any]) -> TensorVariable:
    """Slices and index arrays: the arrays' dimensions go to the front, are indexed, and go back."""
    items = items + [_FULL] * (value.type.ndim - len(items))
    places = [position for position, item in enumerate(items) if not isinstance(item, slice)]
    others = [position for position in range(len(items)) if position not in places]
    if any(items[position] != _FULL for position in others):
        sliced = _stage(
            _basic(value, [item if isinstance(item, slice) else _FULL for item in items])
        )
        return _advanced(sliced, [_FULL if isinstance(item, slice) else item for item in items])
    order = places + others
    front = value if order == sorted(order) else _stage(dimshuffle(value, order))
    gathered, rank = _gather(front, [items[position] for position in places])
    first = places[0] if places == list(range(places[0], places[-1] + 1)) else 0
    if first == 0:
        return gathered
    back = [*range(rank, rank + first), *range(rank), *range(rank + first, gathered.type.ndim)]
    return dimshuffle(gathered, back)


def _gather(value: Variable, arrays: list[Any]) -> tuple[TensorVariable, int]:
    """`value[arrays]` on the leading dimensions, and the rank of the arrays."""
    variables = [as_tensor_variable(item) for item in arrays]
    rank = max(variable.type.ndim for variable in variables)
    if rank > 1 and len(variables) > 1:
        raise NotImplementedError(
            f"x[i, j]: found index arrays of rank {rank}; expected vectors, or a single index "
            f"array; "
            "flatten them first"
        )
    if rank > 1:
        flat = ADVANCED_1.make_node(value, flatten(variables[0])).outputs[0]
        sizes = [shape(variables[0])[axis] for axis in range(rank)]
        sizes += [shape(value)[axis] for axis in range(1, value.type.ndim)]
        return reshape(flat, sizes, ndim=len(sizes)), rank
    vectors = [
        variable if variable.type.ndim else make_vector([variable]) for variable in variables
    ]
    op = ADVANCED_1 if len(vectors) == 1 else ADVANCED
    return op.make_node(value, *vectors).outputs[0], 1


# Writing.
def set_subtensor(
    x: Variable, y: Any, inplace: bool = False, tolerate_inplace_aliasing: bool = False
) -> TensorVariable:
    """A copy of `z` with `y` stored at the region, for `x = z[region]`; `y` broadcasts."""
    return _write(x, y, put=True)


def inc_subtensor(
    x: Variable,
    y: Any,
    inplace: bool = False,
    set_instead_of_inc: bool = False,
    tolerate_inplace_aliasing: bool = False,
    ignore_duplicates: bool = False,
) -> TensorVariable:
    """A copy of `z` with `y` added at the region, for `x = z[region]`; duplicates add up."""
    if ignore_duplicates:
        raise NotImplementedError(
            "inc_subtensor: found ignore_duplicates=True; expected False; "
            "duplicate indices always add up here"
        )
    return _write(x, y, put=set_instead_of_inc)


def _stage(variable: TensorVariable) -> TensorVariable:
    """Marks a step of one indexing expression: a write to the whole goes on through it."""
    variable.tag.index_stage = True
    return variable


def _write(region: Any, value: Any, put: bool) -> TensorVariable:
    """A copy of what `region` was taken from, with `value` stored or added there."""
    node = region.owner if isinstance(region, Variable) else None
    if node is None or not _is_region(region):
        raise TypeError("x must be the result of a subtensor operation")
    name, source = node.op.signature.name, node.inputs[0]
    new = _fit(as_tensor_variable(value), region)
    if name == "tensor.dimshuffle":
        return _write(source, _undo_dimshuffle(node, new), put)
    if name == "tensor.reshape_to":
        return _write(source, reshape(second(region, new), shape(source), source.type.ndim), put)
    return _finish(source, _write_op(node, put).make_node(source, new, *node.inputs[1:]).outputs[0])


def _is_region(variable: Variable) -> bool:
    """Whether `variable` is part of an array, seen through dimshuffles and reshapes."""
    name = ""
    while variable.owner is not None and variable.owner.op.signature is not None:
        name = variable.owner.op.signature.name
        if name not in ("tensor.dimshuffle", "tensor.reshape_to"):
            break
        variable = variable.owner.inputs[0]
    return variable.owner is not None and name in (
        "tensor.subtensor",
        "tensor.advanced_subtensor",
    )


def _write_op(node: Apply, put: bool) -> NativeOp:
    """The op that writes where `node` reads."""
    if node.op.signature.name == "tensor.advanced_subtensor":
        return advanced_inc_op(len(node.inputs) - 1, put)
    op = IncSubtensor(node.op.entries, put)
    op.props = {"slices": node.op.props["slices"], "set": put}
    return op


def _undo_dimshuffle(node: Apply, value: TensorVariable) -> TensorVariable:
    """`value`, shaped as the output of a dimshuffle, in the shape of its operand."""
    order: Any = node.op.props["order"]
    rank = node.inputs[0].type.ndim
    return dimshuffle(value, [order.index(axis) if axis in order else "x" for axis in range(rank)])


def _finish(target: Any, written: TensorVariable) -> TensorVariable:
    """Carries a written stage of an index, `x[1:, i]`'s `x[1:]`, back to the array itself."""
    while getattr(target.tag, "index_stage", False):
        node = target.owner
        if node.op.signature.name == "tensor.dimshuffle":
            written = _undo_dimshuffle(node, written)
        else:
            op = _write_op(node, put=True)
            written = op.make_node(node.inputs[0], written, *node.inputs[1:]).outputs[0]
        target = node.inputs[0]
    return written


def _fit(value: Any, region: Variable) -> TensorVariable:
    """`value` in the region's rank and dtype; as in Theano a cast may lose."""
    missing = region.type.ndim - value.type.ndim
    if missing < 0:
        raise TypeError(
            f"Trying to increment a {region.type.ndim}-dimensional subtensor with a "
            f"{value.type.ndim}-dimensional value."
        )
    if upcast(region.type.dtype, value.type.dtype) != region.type.dtype:
        value = cast(value, region.type.dtype)
    if missing:
        return dimshuffle(value, ["x"] * missing + list(range(value.type.ndim)))
    return value


__all__ = ["AdvancedIncSubtensor1", "inc_subtensor", "index", "set_subtensor"]
