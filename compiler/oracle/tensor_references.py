"""What each `tensor` operation computes, in NumPy: `REFERENCES[signature]`.

A reference takes the operands, their specs and the properties, and returns the list of results.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, cast

import numpy as np

from tetractys.dialects import tensor_signatures as ts
from tetractys.dialects.signature import Signature, Spec, is_float, upcast

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Props: TypeAlias = Mapping[str, object]
Reference: TypeAlias = Callable[[Sequence[Array], Sequence[Spec], Props], list[Array]]

REFERENCES: dict[Signature, Reference] = {}


def _reference(signature: Signature) -> Callable[[Reference], Reference]:
    def enter(function: Reference) -> Reference:
        REFERENCES[signature] = function
        return function

    return enter


def _ints(props: Props, name: str) -> tuple[int, ...]:
    return tuple(cast("Sequence[int]", props[name]))


@_reference(ts.DIMSHUFFLE)
def _dimshuffle(operands: Sequence[Array], specs: Sequence[Spec], props: Props) -> list[Array]:
    value, order = operands[0], _ints(props, "order")
    kept = [axis for axis in order if axis >= 0]
    dropped = [axis for axis in range(value.ndim) if axis not in kept]
    moved = value.transpose([*dropped, *kept])
    return [moved.reshape([value.shape[axis] if axis >= 0 else 1 for axis in order]).copy()]


@_reference(ts.RESHAPE_TO)
def _reshape(operands: Sequence[Array], specs: Sequence[Spec], props: Props) -> list[Array]:
    value, shape = operands
    if len(shape) != props["ndim"]:
        raise ValueError(
            f"shape argument to Reshape has incorrect length {len(shape)}, "
            f"should be {props['ndim']}"
        )
    result = np.reshape(value, [int(size) for size in shape]).copy()
    for axis in _ints(props, "ones"):
        if result.shape[axis] != 1:
            is_kept = result.shape == value.shape
            words = "in Rebroadcast's input was" if is_kept else "of Reshape's result was"
            found = result.shape[axis]
            raise ValueError(f"Dimension {axis} {words} supposed to be 1 (got {found} instead)")
    return [result]


@_reference(ts.SHAPE)
def _shape(operands: Sequence[Array], specs: Sequence[Spec], props: Props) -> list[Array]:
    return [np.array(operands[0].shape, np.int64)]


@_reference(ts.SIZE)
def _size(operands: Sequence[Array], specs: Sequence[Spec], props: Props) -> list[Array]:
    return [np.array(operands[0].shape[cast(int, props["dim"])], np.int64)]


@_reference(ts.MAKE_VECTOR)
def _make_vector(operands: Sequence[Array], specs: Sequence[Spec], props: Props) -> list[Array]:
    result = np.empty(len(operands), str(props["dtype"]))
    for position, value in enumerate(operands):
        result[position] = value.astype(result.dtype)
    return [result]


@_reference(ts.ALLOC)
def _alloc(operands: Sequence[Array], specs: Sequence[Spec], props: Props) -> list[Array]:
    value, sizes = operands[0], [int(size) for size in operands[1:]]
    if any(size < 0 for size in sizes):
        raise ValueError("negative dimensions are not allowed")
    if any(sizes[axis] != 1 for axis in _ints(props, "ones")):
        raise ValueError(
            f"Alloc: found sizes {sizes}; expected 1 in dimensions {_ints(props, 'ones')}"
        )
    _fit(value, specs[0], tuple(sizes), "Alloc")
    return [np.broadcast_to(value, sizes).copy()]


def _fit(value: Array, spec: Spec, shape: tuple[int, ...], what: str) -> None:
    """Raises ValueError unless `value` broadcasts to `shape` by its static sizes 1 alone."""
    inner = shape[len(shape) - value.ndim :]
    for static, size, wanted in zip(spec[1], value.shape, inner):
        if static != 1 and size != wanted:
            raise ValueError(
                f"{what}: could not broadcast input array from shape {value.shape} "
                f"into shape {shape}"
            )


@_reference(ts.ARANGE)
def _arange(operands: Sequence[Array], specs: Sequence[Spec], props: Props) -> list[Array]:
    dtype = str(props["dtype"])
    # Python's numbers: NumPy's unsigned ones wrap around where stop is below start.
    start, stop, step = (cast(float, value.astype(dtype).item()) for value in operands)
    if step == 0:
        raise ValueError("Maximum allowed size exceeded: found an arange with step 0")
    with np.errstate(all="ignore"):
        quotient = (np.float64(stop) - np.float64(start)) / np.float64(step)
    if is_float(dtype) and not abs(quotient) < 2.0**63:
        raise ValueError("Maximum allowed size exceeded: found an arange of numbers that are "
                         "infinite, too far apart or NaN")
    return [np.arange(start, stop, step, dtype=dtype)]


@_reference(ts.REDUCE)
def _reduce(operands: Sequence[Array], specs: Sequence[Spec], props: Props) -> list[Array]:
    value, axes = operands[0], _ints(props, "axes")
    kind, dtype = str(props["kind"]), ts.REDUCE.infer([specs[0]], props)[0][0]
    if kind in ("add", "mul"):
        accumulator = str(props.get("acc_dtype") or _accumulator(dtype))
        function = np.add if kind == "add" else np.multiply
        total = function.reduce(value.astype(accumulator), axis=axes, dtype=accumulator)
        return [np.asarray(total).astype(dtype)]
    if kind in ("max", "min"):
        return [np.asarray(_extreme(value, axes, kind == "max")).astype(dtype)]
    function = np.bitwise_and if kind == "and" else np.bitwise_or
    return [np.asarray(function.reduce(value, axis=axes)).astype(dtype)]


def _accumulator(dtype: str) -> str:
    return "float64" if is_float(dtype) else dtype


def _extreme(value: Array, axes: tuple[int, ...], largest: bool) -> Array:
    """Maximum or minimum; NaN if there is one, and of zeros +0 is the larger one.

    ValueError where an axis has no elements, even if the result has none either.
    """
    function = np.max if largest else np.min
    result = function(value, axis=axes)
    if not is_float(value.dtype.name):
        return result
    negative = np.signbit(value) | (value != 0)  # true but for +0
    negative_zero = (
        np.all(negative, axis=axes)
        if largest
        else np.any(np.signbit(value) & (value == 0), axis=axes)
    )
    zero = np.where(negative_zero, value.dtype.type(-0.0), value.dtype.type(0.0))
    return np.where(result == 0, zero, result)


@_reference(ts.MAX_AND_ARGMAX)
def _max_and_argmax(operands: Sequence[Array], specs: Sequence[Spec], props: Props) -> list[Array]:
    value, axes = operands[0], sorted(_ints(props, "axes"))
    kept = [axis for axis in range(value.ndim) if axis not in axes]
    rows = value.transpose([*kept, *axes])
    rows = (
        rows.reshape(rows.shape[: len(kept)] + (-1,))
        if value.size
        else rows.reshape([*rows.shape[: len(kept)], int(np.prod(rows.shape[len(kept) :]))])
    )
    largest = _extreme(value, tuple(axes), True)
    return [largest, np.asarray(np.argmax(rows, axis=-1), np.int64)]


@_reference(ts.DOT)
def _dot(operands: Sequence[Array], specs: Sequence[Spec], props: Props) -> list[Array]:
    dtype = upcast(*(spec[0] for spec in specs))
    return [np.asarray(np.dot(*(value.astype(dtype) for value in operands)))]


@_reference(ts.GEMM)
def _gemm(operands: Sequence[Array], specs: Sequence[Spec], props: Props) -> list[Array]:
    first, second = operands
    return [
        np.dot(
            first.T if props.get("transpose_a") else first,
            second.T if props.get("transpose_b") else second,
        )
    ]


def _shifted(value: Array) -> Array:
    wide = value.astype(np.float64)
    return wide - np.max(wide, axis=-1, keepdims=True)  # ValueError for rows without elements


@_reference(ts.SOFTMAX)
def _softmax(operands: Sequence[Array], specs: Sequence[Spec], props: Props) -> list[Array]:
    powers = np.exp(_shifted(operands[0]))
    return [(powers / np.sum(powers, axis=-1, keepdims=True)).astype(operands[0].dtype)]


@_reference(ts.LOG_SOFTMAX)
def _log_softmax(operands: Sequence[Array], specs: Sequence[Spec], props: Props) -> list[Array]:
    shifted = _shifted(operands[0])
    total = np.sum(np.exp(shifted), axis=-1, keepdims=True)
    return [(shifted - np.log(total)).astype(operands[0].dtype)]


def _index(props: Props, bounds: Sequence[Array]) -> tuple[int | slice, ...]:
    """The NumPy index of a `slices` property, its `@` taken from `bounds` in order."""
    dynamic = iter(bounds)

    def bound(entry: ts.Bound) -> int | None:
        return int(next(dynamic)) if entry == "@" else cast("int | None", entry)

    return tuple(
        slice(*[bound(part) for part in entry])
        if isinstance(entry, tuple)
        else cast(int, bound(entry))
        for entry in ts.parse_slices(str(props["slices"]))
    )


@_reference(ts.SUBTENSOR)
def _subtensor(operands: Sequence[Array], specs: Sequence[Spec], props: Props) -> list[Array]:
    return [np.array(operands[0][_index(props, operands[1:])])]


@_reference(ts.INC_SUBTENSOR)
def _inc_subtensor(operands: Sequence[Array], specs: Sequence[Spec], props: Props) -> list[Array]:
    result, value = operands[0].copy(), operands[1].astype(operands[0].dtype)
    index = _index(props, operands[2:])
    _fit(value, specs[1], result[index].shape, "IncSubtensor")
    result[index] = value if props.get("set") else result[index] + value
    return [result]


@_reference(ts.ADVANCED_SUBTENSOR)
def _advanced(operands: Sequence[Array], specs: Sequence[Spec], props: Props) -> list[Array]:
    return [operands[0][_vectors(operands[1:], specs[1:])].copy()]


def _vectors(vectors: Sequence[Array], specs: Sequence[Spec]) -> tuple[Array, ...]:
    lengths = {len(vector) for vector, spec in zip(vectors, specs) if spec[1] != (1,)}
    if len(lengths) > 1:
        raise IndexError(
            "shape mismatch: indexing arrays could not be broadcast together with shapes "
            + " ".join(f"({len(vector)},)" for vector in vectors)
        )
    return tuple(vector.astype(np.int64) for vector in vectors)


@_reference(ts.ADVANCED_INC_SUBTENSOR)
def _advanced_inc(operands: Sequence[Array], specs: Sequence[Spec], props: Props) -> list[Array]:
    result, value = operands[0].copy(), operands[1].astype(operands[0].dtype)
    index = _vectors(operands[2:], specs[2:])
    _fit(value, specs[1], result[index].shape, "AdvancedIncSubtensor")
    if props.get("set"):
        result[index] = value
    else:
        np.add.at(result, index, value)
    return [result]


@_reference(ts.CHECK_EQUAL)
def _check_equal(operands: Sequence[Array], specs: Sequence[Spec], props: Props) -> list[Array]:
    first, second = (int(value) for value in operands)
    if first != second:
        kind = getattr(builtins, str(props.get("kind", "ValueError")))
        raise kind(str(props["message"]).format(first, second))
    return []


@_reference(ts.GRAD)
def _grad(operands: Sequence[Array], specs: Sequence[Spec], props: Props) -> list[Array]:
    raise NotImplementedError(
        "tensor.grad: found a marker; expected a program without one; run the pass autodiff first"
    )
