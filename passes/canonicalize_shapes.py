"""Canonical forms of shape work. All rules are *exact*.

Sizes are asked of the value that they come from, shapes become vectors of sizes, dimshuffles meet
and vanish, reductions see through them. A rule may drop the size check of an operation that becomes
dead (in a pipeline `hoist-checks` has made it an operation before); it never drops one of an
operation that stays.
"""

from __future__ import annotations

from typing import cast

from xdsl.ir import Operation, SSAValue

from tetractys.dialects import elemwise, tensor, types
from tetractys.dialects.build import SignatureOp, props_of
from tetractys.dialects.signature import is_float
from tetractys.dialects.tensor_signatures import Bound, Index, format_slices, parse_slices
from tetractys.passes.dimension_roots import DimensionRoots, Root
from tetractys.passes.matching import made_by, number_of, shape_of
from tetractys.passes.rewriting import PatternTable, Rewriter

SHAPES = PatternTable("canonicalize shapes")

_INT64 = types.tensor_type(("int64", ()))


def roots_of(rw: Rewriter) -> DimensionRoots:
    """The walk's dimension roots."""
    return cast(DimensionRoots, rw.shared.setdefault(DimensionRoots, DimensionRoots()))


def build_size(rw: Rewriter, root: Root) -> SSAValue:
    """A root as an int64 scalar."""
    if isinstance(root, int):
        return rw.constant(root, _INT64)
    if isinstance(root, tuple):
        return rw.make(tensor.SizeOp, root[0], dim=root[1])
    return root if root.type == _INT64 else rw.make(elemwise.CastOp, root, dtype="int64")


def order_of(op: Operation) -> tuple[int, ...]:
    """The `order` of a dimshuffle."""
    return cast("tuple[int, ...]", props_of(cast(tensor.TensorOp, op))["order"])


# Dimshuffle.

@SHAPES.on(tensor.DimshuffleOp)
def identity_dimshuffle(rw: Rewriter, op: Operation) -> bool:
    """dimshuffle(x, 0, 1, ...) -> x."""
    order = order_of(op)
    is_identity = order == tuple(range(len(shape_of(op.operands[0]))))
    return is_identity and rw.replace(op.operands[0])


@SHAPES.on(tensor.DimshuffleOp)
def dimshuffle_of_dimshuffle(rw: Rewriter, op: Operation) -> bool:
    """dimshuffle(dimshuffle(x)) -> dimshuffle(x)."""
    inner = made_by(op.operands[0], tensor.DimshuffleOp)
    if inner is None:
        return False
    first = order_of(inner)
    order = tuple(first[axis] if axis >= 0 else -1 for axis in order_of(op))
    return rw.replace_by(tensor.DimshuffleOp, inner.operands[0], order=order)


@SHAPES.on(tensor.DimshuffleOp, tensor.ReshapeToOp)
def view_of_constant(rw: Rewriter, op: Operation) -> bool:
    """dimshuffle(c), reshape(c) -> c of the other rank, where all sizes are 1."""
    number = number_of(op.operands[0])
    if number is None or any(size != 1 for size in shape_of(op.results[0])):
        return False
    return rw.replace(rw.constant(number, op.results[0].type))


# Sizes and shapes.

@SHAPES.on(tensor.SizeOp)
def size_at_its_root(rw: Rewriter, op: Operation) -> bool:
    """size(exp(x), 0) -> size(x, 0); of a static size the number."""
    value = op.operands[0]
    dim = cast(int, props_of(cast(tensor.TensorOp, op))["dim"])
    root = roots_of(rw).get(value, dim)
    return root != (value, dim) and rw.replace(build_size(rw, root))


@SHAPES.on(tensor.ShapeOp)
def shape_as_sizes(rw: Rewriter, op: Operation) -> bool:
    """shape(x) -> make_vector(size(x, 0), ...); of rank 1 and 0 it stays where it is used whole."""
    value = op.operands[0]
    if len(shape_of(value)) < 2:  # make_vector of one operand has another type than shape
        return False
    sizes = [build_size(rw, roots_of(rw).get(value, dim)) for dim in range(len(shape_of(value)))]
    return rw.replace_by(tensor.MakeVectorOp, *sizes, dtype="int64")


@SHAPES.on(tensor.ShapeOp)
def shape_at_its_root(rw: Rewriter, op: Operation) -> bool:
    """shape(exp(x)) -> shape(x)."""
    value = op.operands[0]
    roots = [roots_of(rw).get(value, dim) for dim in range(len(shape_of(value)))]
    if not roots or not isinstance(roots[0], tuple):
        return False
    source = roots[0][0]
    if source is value or roots != [(source, dim) for dim in range(len(shape_of(source)))]:
        return False
    return rw.replace_by(tensor.ShapeOp, source)


def _static_index(op: Operation) -> int | None:
    """`i` of a subtensor x[i] with a literal index."""
    entries = parse_slices(cast(str, props_of(cast(tensor.TensorOp, op))["slices"]))
    return entries[0] if len(entries) == 1 and isinstance(entries[0], int) else None


@SHAPES.on(tensor.SubtensorOp)
def element_of_shape(rw: Rewriter, op: Operation) -> bool:
    """shape(x)[i] -> size(x, i)."""
    source = made_by(op.operands[0], tensor.ShapeOp)
    index = _static_index(op)
    if source is None or index is None:
        return False
    rank = len(shape_of(source.operands[0]))
    if not -rank <= index < rank:
        return False  # an error at run time
    return rw.replace(build_size(rw, roots_of(rw).get(source.operands[0], index % rank)))


@SHAPES.on(tensor.SubtensorOp)
def element_of_vector(rw: Rewriter, op: Operation) -> bool:
    """make_vector(a, b)[i] -> a cast to the vector's dtype; a slice of it -> a shorter one."""
    source = made_by(op.operands[0], tensor.MakeVectorOp)
    if source is None or len(op.operands) != 1:
        return False
    entries = parse_slices(cast(str, props_of(cast(tensor.TensorOp, op))["slices"]))
    if len(entries) != 1:
        return False
    entry, dtype = entries[0], types.dtype_of(op.results[0].type)
    if isinstance(entry, tuple):
        kept = list(source.operands)[slice(*cast("tuple[int | None, ...]", entry))]
        return len(kept) > 1 and rw.replace_by(tensor.MakeVectorOp, *kept, dtype=dtype)
    if not isinstance(entry, int) or not -len(source.operands) <= entry < len(source.operands):
        return False
    element = source.operands[entry]
    if types.dtype_of(element.type) != dtype:
        element = rw.make(elemwise.CastOp, element, dtype=dtype)
    return rw.replace(element)


@SHAPES.on(tensor.SubtensorOp)
def element_of_cast(rw: Rewriter, op: Operation) -> bool:
    """cast(v)[i] -> cast(v[i]): Theano's mean divides by an element of a cast shape."""
    cast_ = made_by(op.operands[0], elemwise.CastOp)
    if cast_ is None or len(op.operands) != 1 or _static_index(op) is None:
        return False
    if shape_of(op.results[0]):
        return False
    element = rw.remake(cast(SignatureOp, op), [cast_.operands[0]])
    return rw.replace_by(elemwise.CastOp, element, dtype=types.dtype_of(op.results[0].type))


@SHAPES.on(tensor.SubtensorOp)
def whole_subtensor(rw: Rewriter, op: Operation) -> bool:
    """x[:, :] -> x."""
    entries = parse_slices(cast(str, props_of(cast(tensor.TensorOp, op))["slices"]))
    is_whole = all(entry in ((None, None, None), (None, None, 1)) for entry in entries)
    return is_whole and op.operands[0].type == op.results[0].type and rw.replace(op.operands[0])


_FIRST_BOUND = {tensor.SubtensorOp: 1, tensor.IncSubtensorOp: 2}


@SHAPES.on(*_FIRST_BOUND)
def literal_bound(rw: Rewriter, op: Operation) -> bool:
    """x[@] with a constant operand -> x[3]: later patterns see which element is meant."""
    first = _FIRST_BOUND[type(op)]  # pyright: ignore[reportArgumentType]
    bounds = list(op.operands)[first:]
    if all(number_of(bound) is None for bound in bounds):
        return False
    props = props_of(cast(SignatureOp, op))
    left = iter(bounds)
    kept: list[SSAValue] = []

    def literal(entry: Bound) -> Bound:
        if entry != "@":
            return entry
        bound = next(left)
        if (number := number_of(bound)) is None:
            kept.append(bound)
            return "@"
        return int(number)

    entries: list[Index] = [
        tuple(literal(part) for part in entry) if isinstance(entry, tuple) else literal(entry)
        for entry in parse_slices(cast(str, props["slices"]))
    ]  # pyright: ignore[reportAssignmentType]
    if any(isinstance(entry, tuple) and entry[2] == 0 for entry in entries):
        return False  # an error at run time
    operands = [*list(op.operands)[:first], *kept]
    props = {**props, "slices": format_slices(entries)}
    return rw.replace(rw.remake(cast(SignatureOp, op), operands, props))


@SHAPES.on(tensor.ReshapeToOp)
def reshape_to_own_shape(rw: Rewriter, op: Operation) -> bool:
    """reshape(x, shape(x)) -> x."""
    value, sizes = op.operands
    if value.type != op.results[0].type:
        return False
    if (shape := made_by(sizes, tensor.ShapeOp)) is not None:
        return shape.operands[0] is value and rw.replace(value)
    vector = made_by(sizes, tensor.MakeVectorOp)
    if vector is None or len(vector.operands) != len(shape_of(value)):
        return False
    roots = roots_of(rw)
    for dim, size in enumerate(vector.operands):
        number = number_of(size)
        asked = size.owner
        if isinstance(asked, tensor.SizeOp):
            wanted = roots.get(asked.operands[0], cast(int, props_of(asked)["dim"]))
        else:
            wanted = size if number is None else int(number)
        if wanted != roots.get(value, dim):
            return False
    return rw.replace(value)


@SHAPES.on(tensor.ReshapeToOp)
def reshape_of_reshape(rw: Rewriter, op: Operation) -> bool:
    """reshape(reshape(x, a), b) -> reshape(x, b)."""
    inner = made_by(op.operands[0], tensor.ReshapeToOp)
    if inner is None:
        return False
    props = props_of(cast(tensor.TensorOp, op))
    return rw.replace_by(tensor.ReshapeToOp, inner.operands[0], op.operands[1], **props)


@SHAPES.on(tensor.CheckEqualOp)
def check_of_the_same(rw: Rewriter, op: Operation) -> bool:
    """A check that a size equals itself goes."""
    first, second = op.operands
    number = number_of(first)
    if first is second or (number is not None and number == number_of(second)):
        return rw.erase()
    if isinstance(first.owner, tensor.SizeOp) and isinstance(second.owner, tensor.SizeOp):
        roots = [roots_of(rw).get(size.operands[0], cast(int, props_of(size)["dim"]))
                 for size in (first.owner, second.owner)]
        return roots[0] == roots[1] and rw.erase()
    return False


# Reductions.

def _reduce_props(op: Operation) -> tuple[str, tuple[int, ...], dict[str, object]]:
    props = props_of(cast(tensor.TensorOp, op))
    return cast(str, props["kind"]), cast("tuple[int, ...]", props["axes"]), props


@SHAPES.on(tensor.ReduceOp)
def reduction_of_one_element(rw: Rewriter, op: Operation) -> bool:
    """A reduction over dimensions of static size 1 -> dimshuffle; over no dimension -> x.

    A sum of floats is x + 0.0: sums start at 0.0, so the sum of one -0.0 is 0.0.
    """
    operand = op.operands[0]
    shape = shape_of(operand)
    kind, axes, props = _reduce_props(op)
    single = [axis for axis in axes if shape[axis] == 1]
    if (axes and not single) or "acc_dtype" in props:
        return False
    rest = [axis for axis in axes if shape[axis] != 1]
    kept = [axis for axis in range(len(shape)) if axis not in single]
    value = rw.make(tensor.DimshuffleOp, operand, order=tuple(kept)) if single else operand
    if rest:
        return rw.replace_by(tensor.ReduceOp, value,
                             **{**props, "axes": tuple(kept.index(axis) for axis in rest)})
    dtype = types.dtype_of(op.results[0].type)
    if types.dtype_of(value.type) != dtype:
        value = rw.make(elemwise.CastOp, value, dtype=dtype)
    if kind == "add" and is_float(dtype):
        value = rw.make(elemwise.AddOp, value, rw.constant_like(0.0, value))
    return rw.replace(value)


@SHAPES.on(tensor.ReduceOp)
def reduction_of_dimshuffle(rw: Rewriter, op: Operation) -> bool:
    """reduce(dimshuffle(x)) -> dimshuffle(reduce(x)); axes of a permutation, inserted ones kept."""
    inner = made_by(op.operands[0], tensor.DimshuffleOp)
    if inner is None:
        return False
    order = order_of(inner)
    _, axes, props = _reduce_props(op)
    if any(order[axis] < 0 for axis in axes):
        return False  # reduction_of_one_element takes those first
    reduced = tuple(sorted(order[axis] for axis in axes))
    left = [axis for axis in range(len(shape_of(inner.operands[0]))) if axis not in reduced]
    new = rw.make(tensor.ReduceOp, inner.operands[0], **{**props, "axes": reduced})
    kept = (source for axis, source in enumerate(order) if axis not in axes)
    return rw.replace_by(tensor.DimshuffleOp, new,
                         order=tuple(left.index(axis) if axis >= 0 else -1 for axis in kept))


@SHAPES.on(tensor.ReduceOp)
def extremum_of_extremum(rw: Rewriter, op: Operation) -> bool:
    """max(max(x, 1), 0) -> max(x, (0, 1)); the same of min, and, or: no rounding in them."""
    inner = made_by(op.operands[0], tensor.ReduceOp)
    kind, axes, props = _reduce_props(op)
    if inner is None or kind not in ("max", "min", "and", "or"):
        return False
    inner_kind, inner_axes, inner_props = _reduce_props(inner)
    if inner_kind != kind or len(props) + len(inner_props) != 4:
        return False
    kept = [axis for axis in range(len(shape_of(inner.operands[0]))) if axis not in inner_axes]
    both = tuple(sorted([*inner_axes, *(kept[axis] for axis in axes)]))
    return rw.replace_by(tensor.ReduceOp, inner.operands[0], kind=kind, axes=both)


@SHAPES.on(tensor.ReduceOp)
def reduction_of_vector(rw: Rewriter, op: Operation) -> bool:
    """prod(make_vector(a, b)) -> a * b, sum too: of integers, which do not round."""
    vector = made_by(op.operands[0], tensor.MakeVectorOp)
    kind, axes, _ = _reduce_props(op)
    if vector is None or kind not in ("add", "mul") or len(axes) != 1 or not vector.operands:
        return False
    dtype = types.dtype_of(op.results[0].type)
    if dtype not in ("int64", "uint64") or types.dtype_of(op.operands[0].type) != dtype:
        return False
    if any(types.dtype_of(element.type) != dtype for element in vector.operands):
        return False
    value = vector.operands[0]
    for element in list(vector.operands)[1:]:
        value = rw.make(elemwise.AddOp if kind == "add" else elemwise.MulOp, value, element)
    return rw.replace(value)
