"""The definition of every operation on whole arrays: name, arity, properties, type inference.

`SIGNATURES` collects them by name. Axes are non-negative here; the front end normalises them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

from tetractys.dialects.signature import (
    DISCRETE,
    DYNAMIC,
    INTEGERS,
    InferError,
    InferRule,
    InferTypeError,
    Props,
    Signature,
    Spec,
    is_float,
    upcast,
)

SIGNATURES: dict[str, Signature] = {}
"""Every tensor operation by its short name."""

REDUCTIONS = ("add", "mul", "max", "min", "and", "or")
"""The monoids of `tensor.reduce`."""

Bound: TypeAlias = int | str | None
"""A literal, None where left out, or "@" for the next dynamic operand."""
Index: TypeAlias = Bound | tuple[Bound, Bound, Bound]
"""One entry of a subtensor: an integer index, or (start, stop, step)."""


def parse_slices(text: str) -> list[Index]:
    """The entries of a `slices` property: `"0, @:5:, ::-1"` -> `[0, ("@", 5, None), ...]`."""

    def bound(part: str) -> Bound:
        part = part.strip()
        if part and part != "@" and not part.removeprefix("-").isdecimal():
            raise InferError(f"found {part!r} in slices {text!r}; expected numbers, `@` and `:`")
        return None if not part else part if part == "@" else int(part)

    def entry(part: str) -> Index:
        if ":" not in part:
            return bound(part)
        bounds = [bound(piece) for piece in part.split(":")]
        if len(bounds) > 3:
            raise InferError(f"found {part!r} in slices {text!r}; expected start:stop:step")
        bounds += [None] * (3 - len(bounds))
        return (bounds[0], bounds[1], bounds[2])

    return [entry(part) for part in text.split(",")] if text.strip() else []


def format_slices(entries: Sequence[Index]) -> str:
    """The inverse of `parse_slices`."""

    def bound(value: Bound) -> str:
        return "" if value is None else str(value)

    return ", ".join(
        ":".join(bound(value) for value in entry) if isinstance(entry, tuple) else bound(entry)
        for entry in entries
    )


def _define(
    name: str, arity: int | None, infer: InferRule, doc: str, props: Mapping[str, str] | None = None
) -> Signature:
    def checked(operands: Sequence[Spec], found: Props) -> list[Spec]:
        signature.check_arity(len(operands))
        return infer(operands, found)

    signature = Signature(f"tensor.{name}", arity, checked, props or {}, doc)
    SIGNATURES[name] = signature
    return signature


def _ints(props: Props, name: str) -> tuple[int, ...]:
    return cast("tuple[int, ...]", props[name])


def _need_integer(operation: str, what: str, spec: Spec, rank: int = 0) -> None:
    if spec[0] not in INTEGERS or len(spec[1]) != rank:
        raise InferTypeError(
            f"{operation}: found {what} of dtype {spec[0]} and rank {len(spec[1])}; "
            f"expected an integer of rank {rank}; cast it first"
        )


def _dimshuffle(operands: Sequence[Spec], props: Props) -> list[Spec]:
    dtype, shape = operands[0]
    order = _ints(props, "order")
    kept = [axis for axis in order if axis >= 0]
    if len(set(kept)) != len(kept) or any(axis >= len(shape) for axis in kept):
        raise InferError(f"tensor.dimshuffle: found order {list(order)} for rank {len(shape)}; "
                         "expected each dimension at most once; -1 inserts a dimension")
    for axis, size in enumerate(shape):
        if axis not in kept and size != 1:
            raise InferError(f"tensor.dimshuffle: found a dropped dimension {axis} that is not "
                             "broadcastable; expected a static size 1; reduce or index it instead")
    return [(dtype, tuple(shape[axis] if axis >= 0 else 1 for axis in order))]


def _kept(shape: tuple[int, ...], axes: Sequence[int], operation: str) -> tuple[int, ...]:
    if any(not 0 <= axis < len(shape) for axis in axes) or len(set(axes)) != len(axes):
        raise InferError(f"{operation}: found axes {list(axes)} for rank {len(shape)}; "
                         "expected distinct axes of the operand")
    return tuple(size for axis, size in enumerate(shape) if axis not in axes)


def _reduce(operands: Sequence[Spec], props: Props) -> list[Spec]:
    dtype, shape = operands[0]
    kind = props["kind"]
    if kind not in REDUCTIONS:
        raise InferError(f"tensor.reduce: found kind {kind!r}; expected one of {REDUCTIONS}")
    result = dtype
    if kind in ("add", "mul"):
        result = "int64" if dtype in ("bool", "int8", "int16", "int32") else dtype
        result = "uint64" if dtype in ("uint8", "uint16", "uint32") else result
    elif kind in ("and", "or"):
        if dtype not in DISCRETE:
            raise InferTypeError(f"tensor.reduce: found {kind} of {dtype}; expected bool; cast it")
    return [
        (str(props.get("dtype") or result), _kept(shape, _ints(props, "axes"), "tensor.reduce"))
    ]


def _max_and_argmax(operands: Sequence[Spec], props: Props) -> list[Spec]:
    dtype, shape = operands[0]
    kept = _kept(shape, _ints(props, "axes"), "tensor.max_and_argmax")
    return [(dtype, kept), ("int64", kept)]


def _dot(operands: Sequence[Spec], props: Props) -> list[Spec]:
    (first_dtype, first), (second_dtype, second) = operands
    if not 1 <= len(first) <= 2 or not 1 <= len(second) <= 2:
        raise InferError(
            f"tensor.dot: found ranks {len(first)} and {len(second)}; expected 1 or 2; "
            "use multiplication for scalars"
        )
    inner, other = first[-1], second[0]
    if DYNAMIC not in (inner, other) and inner != other:
        raise InferError(f"tensor.dot: found inner sizes {inner} and {other}; expected equal ones")
    return [(upcast(first_dtype, second_dtype), first[:-1] + second[1:])]


def _shape(operands: Sequence[Spec], props: Props) -> list[Spec]:
    return [("int64", (DYNAMIC,))]


def _size(operands: Sequence[Spec], props: Props) -> list[Spec]:
    if not 0 <= cast(int, props["dim"]) < len(operands[0][1]):
        raise InferError(f"tensor.size: found dim {props['dim']} of rank {len(operands[0][1])}")
    return [("int64", ())]


def _with_ones(rank: int, ones: Sequence[int]) -> tuple[int, ...]:
    if rank < 0 or any(not 0 <= axis < rank for axis in ones):
        raise InferError(f"found ones {list(ones)} of {rank} dimensions; expected dimensions of "
                         "the result, from 0 on")
    return tuple(1 if axis in ones else DYNAMIC for axis in range(rank))


def _reshape(operands: Sequence[Spec], props: Props) -> list[Spec]:
    _need_integer("tensor.reshape_to", "a shape", operands[1], 1)
    return [(operands[0][0], _with_ones(cast(int, props["ndim"]), _ints(props, "ones")))]


def _make_vector(operands: Sequence[Spec], props: Props) -> list[Spec]:
    if any(spec[1] for spec in operands):
        raise InferError("tensor.make_vector: found an operand that is no scalar; expected rank 0")
    dtype = str(props["dtype"])
    return [(dtype, (1,) if len(operands) == 1 else (DYNAMIC,))]


def _alloc(operands: Sequence[Spec], props: Props) -> list[Spec]:
    for size in operands[1:]:
        _need_integer("tensor.alloc", "a size", size)
    shape = _with_ones(len(operands) - 1, _ints(props, "ones"))
    value = operands[0][1]
    if len(value) > len(shape):
        raise InferError(
            f"tensor.alloc: found a value of rank {len(value)} for {len(shape)} sizes; "
            "expected at most as many dimensions as sizes"
        )
    return [(operands[0][0], shape)]


def _arange(operands: Sequence[Spec], props: Props) -> list[Spec]:
    if any(spec[1] for spec in operands):
        raise InferError("tensor.arange: found an operand that is no scalar; expected rank 0")
    return [(str(props["dtype"]), (DYNAMIC,))]


def subtensor_shape(shape: tuple[int, ...], entries: Sequence[Index]) -> tuple[int, ...]:
    """The shape of `x[entries]`: integers drop a dimension, a full slice keeps a size 1."""
    if len(entries) > len(shape):
        raise InferError(f"too many indices for array: found {len(entries)} for rank {len(shape)}")
    kept = [
        size if entry in ((None, None, None), (None, None, -1)) else DYNAMIC
        for size, entry in zip(shape, entries)
        if isinstance(entry, tuple)
    ]
    return (*kept, *shape[len(entries):])


def _check_bounds(operation: str, entries: Sequence[Index], bounds: Sequence[Spec]) -> None:
    flat = [
        value for entry in entries for value in (entry if isinstance(entry, tuple) else (entry,))
    ]
    if flat.count("@") != len(bounds):
        raise InferTypeError(f"{operation}: found {len(bounds)} dynamic bounds; "
                             f"expected {flat.count('@')}, one for each @")
    for bound in bounds:
        _need_integer(operation, "a bound", bound)
    if any(isinstance(entry, tuple) and entry[2] == 0 for entry in entries):
        raise InferError(f"{operation}: slice step cannot be zero")


def _subtensor(operands: Sequence[Spec], props: Props) -> list[Spec]:
    entries = parse_slices(str(props["slices"]))
    _check_bounds("tensor.subtensor", entries, operands[1:])
    dtype, shape = operands[0]
    return [(dtype, subtensor_shape(shape, entries))]


def _inc_subtensor(operands: Sequence[Spec], props: Props) -> list[Spec]:
    entries = parse_slices(str(props["slices"]))
    _check_bounds("tensor.inc_subtensor", entries, operands[2:])
    region = subtensor_shape(operands[0][1], entries)
    _need_value("tensor.inc_subtensor", operands[0], operands[1], region)
    return [operands[0]]


def _need_value(operation: str, target: Spec, value: Spec, region: tuple[int, ...]) -> None:
    if len(value[1]) != len(region):
        raise InferError(f"{operation}: found a value of rank {len(value[1])}; "
                         f"expected rank {len(region)}, the region's; use dimshuffle to pad it")
    if upcast(target[0], value[0]) != target[0]:
        raise InferTypeError(f"{operation}: found a value of dtype {value[0]} for {target[0]}; "
                             "expected one that is stored without loss; cast it first")


def _advanced_shape(
    operation: str, shape: tuple[int, ...], indices: Sequence[Spec]
) -> tuple[int, ...]:
    if not 1 <= len(indices) <= len(shape):
        raise InferError(f"{operation}: found {len(indices)} index vectors for rank {len(shape)}")
    for index in indices:
        _need_integer(operation, "an index", index, 1)
    length = 1 if all(index[1] == (1,) for index in indices) else DYNAMIC
    return (length, *shape[len(indices):])


def _advanced_subtensor(operands: Sequence[Spec], props: Props) -> list[Spec]:
    dtype, shape = operands[0]
    return [(dtype, _advanced_shape("tensor.advanced_subtensor", shape, operands[1:]))]


def _advanced_inc_subtensor(operands: Sequence[Spec], props: Props) -> list[Spec]:
    name = "tensor.advanced_inc_subtensor"
    region = _advanced_shape(name, operands[0][1], operands[2:])
    _need_value(name, operands[0], operands[1], region)
    return [operands[0]]


def _softmax(operands: Sequence[Spec], props: Props) -> list[Spec]:
    dtype, shape = operands[0]
    if not is_float(dtype) or not shape:
        raise InferTypeError(
            f"softmax: found {dtype} of rank {len(shape)}; expected floats of rank 1 "
            "or more; cast it first"
        )
    return [operands[0]]


def _gemm(operands: Sequence[Spec], props: Props) -> list[Spec]:
    (dtype, first), (other, second) = operands
    if dtype != other or not is_float(dtype) or len(first) != 2 or len(second) != 2:
        raise InferTypeError("tensor.gemm: expected two matrices of one floating-point dtype")
    rows = first[1] if props.get("transpose_a") else first[0]
    columns = second[0] if props.get("transpose_b") else second[1]
    return [(dtype, (rows, columns))]


def _grad(operands: Sequence[Spec], props: Props) -> list[Spec]:
    if operands[0][1]:
        raise InferTypeError("cost must be a scalar.")
    return [(spec[0] if is_float(spec[0]) else "float64", spec[1]) for spec in operands[1:]]


def _check_equal(operands: Sequence[Spec], props: Props) -> list[Spec]:
    for operand in operands:
        _need_integer("tensor.check_equal", "a size", operand)
    return []


# Shape work.
DIMSHUFFLE = _define("dimshuffle", 1, _dimshuffle,
                     "Dimensions permuted, dropped (size 1 only) and inserted (`-1` in `order`).",
                     {"order": "ints"})
RESHAPE_TO = _define("reshape_to", 2, _reshape,
                     "The elements in row-major order under the shape given by an integer vector, "
                     "one size of which may be -1; `ones` are the dimensions known to be 1.",
                     {"ndim": "int", "ones": "ints"})
SHAPE = _define("shape", 1, _shape, "The sizes, an int64 vector.")
SIZE = _define("size", 1, _size, "The size of dimension `dim`, an int64 scalar.", {"dim": "int"})

# Making arrays.
MAKE_VECTOR = _define("make_vector", None, _make_vector, "A vector of scalars.", {"dtype": "dtype"})
ALLOC = _define("alloc", None, _alloc,
                "The first operand broadcast to the sizes that follow; `unset`: each element is "
                "stored before it is read, so what it is first does not matter.",
                {"ones": "ints", "unset": "bool?"})
ARANGE = _define("arange", 3, _arange, "start, start + step, ... below stop.", {"dtype": "dtype"})

# Reductions and products.
REDUCE = _define("reduce", 1, _reduce,
                 "Reduction by a monoid over `axes`; of sums and products, small integers give "
                 "64-bit ones; `acc_dtype` is the dtype of the accumulator, `dtype` the result's. "
                 "`max` and `min` give NaN if there is one; of zeros +0 is the larger one.",
                 {"kind": "str", "axes": "ints", "dtype": "dtype?", "acc_dtype": "dtype?"})
MAX_AND_ARGMAX = _define("max_and_argmax", 1, _max_and_argmax,
                         "The largest value over `axes` and its first position in row-major order.",
                         {"axes": "ints"})
DOT = _define("dot", 2, _dot, "Product of vectors and matrices, as NumPy's dot for ranks 1 and 2.")
GEMM = _define("gemm", 2, _gemm, "A matrix product that the BLAS library does.",
               {"transpose_a": "bool?", "transpose_b": "bool?"})
SOFTMAX = _define("softmax", 1, _softmax, "exp(x) / sum(exp(x)) along the last axis, shifted.")
LOG_SOFTMAX = _define("log_softmax", 1, _softmax, "log(softmax(x)) along the last axis.")

# Indexing.
SUBTENSOR = _define("subtensor", None, _subtensor,
                    "x[slices]; `@` in `slices` takes the next integer operand.", {"slices": "str"})
INC_SUBTENSOR = _define("inc_subtensor", None, _inc_subtensor,
                        "x with a value added to x[slices], or stored there if `set`.",
                        {"slices": "str", "set": "bool?"})
ADVANCED_SUBTENSOR = _define("advanced_subtensor", None, _advanced_subtensor,
                             "x[i, j, ...] for integer vectors, one for each leading dimension.")
ADVANCED_INC_SUBTENSOR = _define("advanced_inc_subtensor", None, _advanced_inc_subtensor,
                                 "x with a value added at [i, j, ...], duplicates accumulated, "
                                 "or stored there if `set`.", {"set": "bool?"})

# Markers.
GRAD = _define("grad", None, _grad, "Gradients of a scalar by each further operand; `autodiff` "
               "replaces it.")
CHECK_EQUAL = _define("check_equal", 2, _check_equal,
                      "Stops with `message` ({0}, {1}: the operands) unless two sizes are equal; "
                      "`kind` is the exception's name, ValueError where left out.",
                      {"message": "str", "kind": "str?"})
