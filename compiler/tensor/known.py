"""What is known of a variable without computing it: constant scalars, lengths of vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from tetractys.dialects.tensor_signatures import Index
from tetractys.graph.variable import Constant, Variable
from tetractys.tensor.type import TensorType


def known_scalar(variable: Variable) -> np.ndarray | None:
    """The one number that all elements of `variable` are known to be; None if that is not known."""
    while variable.owner is not None:
        op = variable.owner.op
        inputs = variable.owner.inputs
        name = op.signature.name if op.signature is not None else ""
        if name == "tensor.subtensor":
            return _known_element(variable)
        if name == "elemwise.cast":
            inner = known_scalar(inputs[0])
            return None if inner is None else inner.astype(variable.type.dtype)
        if name in ("tensor.dimshuffle", "tensor.alloc", "elemwise.second"):
            variable = inputs[1] if name == "elemwise.second" else inputs[0]
            continue
        return None
    if isinstance(variable, Constant) and isinstance(variable.data, np.ndarray):
        data = variable.data
        if data.size and np.all(data == data.flat[0]):
            return np.asarray(data.flat[0])
    return None


def known_int(variable: Variable) -> int | None:
    """`known_scalar` as an int; None also for a number that is no integer."""
    found = known_scalar(variable)
    return int(found) if found is not None and found.dtype.kind in "iub" else None


def _known_element(variable: Variable) -> np.ndarray | None:
    """`x.shape[i]` of a broadcastable dimension, `[a, b][i]`, element of a constant."""
    node = variable.owner
    assert node is not None
    entries: list[Index] = node.op.literal_entries(node)  # type: ignore[attr-defined]
    if len(entries) != 1 or not isinstance(entries[0], int):
        return None
    source, position = node.inputs[0], entries[0]
    if (
        isinstance(source, Constant)
        and source.type.ndim == 1
        and -len(source.data) <= position < len(source.data)
    ):
        return np.asarray(source.data[position])
    owner = source.owner
    if owner is None or owner.op.signature is None:
        return None
    if owner.op.signature.name == "tensor.shape":
        flags = owner.inputs[0].type.broadcastable
        known = -len(flags) <= position < len(flags) and flags[position]
        return np.array(1, dtype="int64") if known else None
    if owner.op.signature.name == "tensor.make_vector" and -len(owner.inputs) <= position < len(
        owner.inputs
    ):
        return known_scalar(owner.inputs[position])
    return None


def vector_length(variable: Variable) -> int:
    """The number of elements of a vector, known from how it is made.

    Raises TypeError for what is no vector, ValueError where the length is not known.
    """
    if not isinstance(variable.type, TensorType) or variable.type.ndim != 1:
        raise TypeError(f"argument must be symbolic vector, got '{variable}'")
    if variable.type.broadcastable[0]:
        return 1
    if isinstance(variable, Constant):
        return len(variable.data)
    owner = variable.owner
    name = owner.op.signature.name if owner is not None and owner.op.signature is not None else ""
    if owner is not None:
        if name == "tensor.make_vector":
            return len(owner.inputs)
        if name == "tensor.shape":
            return owner.inputs[0].type.ndim
        if name in ("elemwise.cast", "tensor.dimshuffle"):
            return vector_length(owner.inputs[0])
        if name == "tensor.alloc" and (length := known_int(owner.inputs[1])) is not None:
            return length
        if name == "tensor.subtensor" and (length := _slice_length(variable)) is not None:
            return length
    from tetractys.printing import debugprint

    raise ValueError(f"length not known: {debugprint(variable, file='str')}")


def _as_slice(entry: tuple[Any, Any, Any]) -> slice:
    return slice(*entry)


def _slice_length(variable: Variable) -> int | None:
    """The length of `v[a:b:c]` for constant bounds and a vector of known length."""
    node = variable.owner
    assert node is not None
    entries: list[Index] = node.op.literal_entries(node)  # type: ignore[attr-defined]
    if len(entries) != 1 or not isinstance(entries[0], tuple) or "@" in entries[0]:
        return None
    return len(range(vector_length(node.inputs[0]))[_as_slice(entries[0])])
