"""Facades of indexing: `Subtensor`, `IncSubtensor` and the ones with index arrays.

In the graph every bound is an operand, as in Theano, and `props["slices"]` writes `@` for it.
`lowered` and `literal_entries` put constant bounds back into the entries, for type inference and
for the IR: `x[0]` is `Subtensor{int64}(x, Constant{0})` here and `slices = "0"` below.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from tetractys.dialects import tensor_signatures as sigs
from tetractys.dialects.signature import Signature
from tetractys.dialects.tensor_signatures import Bound, Index, format_slices, parse_slices
from tetractys.graph.op import Op
from tetractys.graph.variable import Apply, Constant, Variable
from tetractys.tensor.constants import as_tensor_variable
from tetractys.tensor.native import NativeOp, Props, facade
from tetractys.tensor.type import Scalar

DtypeBound: TypeAlias = str | None
Entry: TypeAlias = DtypeBound | tuple[DtypeBound, DtypeBound, DtypeBound]
"""An index as it prints: the dtype of each operand, None for a bound left out."""


def entries_text(entries: Sequence[Entry]) -> str:
    """`int64, ::, int64:int64:` for `[0, :, 1:2]`."""

    def text(entry: Entry) -> str:
        if not isinstance(entry, tuple):
            return str(entry)
        return ":".join("" if bound is None else bound for bound in entry)

    return ", ".join(text(entry) for entry in entries)


def _slices_of(entries: Sequence[Entry]) -> str:
    def index(entry: Entry) -> Index:
        if not isinstance(entry, tuple):
            return "@"
        start, stop, step = (None if bound is None else "@" for bound in entry)
        return (start, stop, step)

    return format_slices([index(entry) for entry in entries])


def _entries_of(slices: str) -> tuple[Entry, ...]:
    """How a `slices` property prints when no dtypes are known: every bound as int64."""

    def dtype(bound: Bound) -> DtypeBound:
        return None if bound is None else "int64"

    return tuple(
        (dtype(entry[0]), dtype(entry[1]), dtype(entry[2]))
        if isinstance(entry, tuple)
        else dtype(entry)
        for entry in parse_slices(slices)
    )


def _as_index(value: Any) -> Variable:
    """A bound as an operand: scalars stay scalars."""
    if isinstance(value, Variable) and isinstance(value.type, Scalar):
        return value
    return as_tensor_variable(value)


class _Indexed(NativeOp):
    """What reading and writing a region share; `first` is the position of the first bound."""

    first = 1

    def __init__(
        self, signature: Signature, entries: Sequence[Entry], props: dict[str, object]
    ) -> None:
        super().__init__(signature, {"slices": _slices_of(entries), **props})
        self.entries = tuple(entries)

    def key(self) -> tuple[object, ...]:
        return (*super().key(), self.entries)

    def make_node(self, *inputs: Any) -> Apply:
        arrays = [as_tensor_variable(value) for value in inputs[: self.first]]
        return self.node([*arrays, *(_as_index(value) for value in inputs[self.first :])])

    def literal_entries(self, node: Apply) -> list[Index]:
        """The entries with constant bounds as numbers, `@` for those computed at run time."""
        return self._fold(node.inputs)[0]

    def lowered(self, node: Apply) -> tuple[Props, Sequence[Variable]]:
        """Properties and operands with constant bounds moved into `slices`."""
        entries, operands = self._fold(node.inputs)
        return {**self.props, "slices": format_slices(entries)}, operands

    def infer(self, variables: Sequence[Variable]) -> Sequence[Any]:
        entries, operands = self._fold(variables)
        props = {**self.props, "slices": format_slices(entries)}
        return self.signature.infer([operand.type.spec for operand in operands], props)

    def _fold(self, inputs: Sequence[Variable]) -> tuple[list[Index], list[Variable]]:
        operands = list(inputs[: self.first])
        bounds = iter(inputs[self.first :])

        def fold(bound: Bound) -> Bound:
            if bound != "@":
                return bound
            operand = next(bounds)
            if isinstance(operand, Constant):
                return int(operand.data)
            operands.append(operand)
            return "@"

        entries: list[Index] = []
        for entry in parse_slices(str(self.props["slices"])):
            if isinstance(entry, tuple):
                entries.append((fold(entry[0]), fold(entry[1]), fold(entry[2])))
            else:
                entries.append(fold(entry))
        return entries, operands


class Subtensor(_Indexed):
    """x[entries]: integers and slices."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        super().__init__(sigs.SUBTENSOR, entries, {})

    def __str__(self) -> str:
        return f"Subtensor{{{entries_text(self.entries)}}}"


class IncSubtensor(_Indexed):
    """x with a value added to, or stored at, x[entries]. Operands: x, the value, the bounds."""

    first = 2

    def __init__(self, entries: Sequence[Entry], set_instead_of_inc: bool = False) -> None:
        super().__init__(sigs.INC_SUBTENSOR, entries, {"set": set_instead_of_inc})
        self.set_instead_of_inc = set_instead_of_inc

    def __str__(self) -> str:
        verb = "Set" if self.set_instead_of_inc else "Inc"
        return f"IncSubtensor{{{verb};{entries_text(self.entries)}}}"


@facade("tensor.subtensor")
def _make_subtensor(signature: Signature, props: dict[str, Any]) -> Op:
    op = Subtensor(_entries_of(props["slices"]))
    op.props = props
    return op


@facade("tensor.inc_subtensor")
def _make_inc_subtensor(signature: Signature, props: dict[str, Any]) -> Op:
    op = IncSubtensor(_entries_of(props["slices"]), bool(props.get("set")))
    op.props = {"slices": props["slices"], "set": bool(props.get("set"))}
    return op


class AdvancedSubtensor1(NativeOp):
    """x[i] for one integer vector."""

    def __init__(self) -> None:
        super().__init__(sigs.ADVANCED_SUBTENSOR, {})


class AdvancedSubtensor(NativeOp):
    """x[i, j, ...] for integer vectors."""

    def __init__(self) -> None:
        super().__init__(sigs.ADVANCED_SUBTENSOR, {})


class _AdvancedSubtensorByArity(NativeOp):
    """Picks the facade by the number of index vectors, as Theano's two classes do."""

    def make_node(self, *inputs: Any) -> Apply:
        return (ADVANCED_1 if len(inputs) == 2 else ADVANCED).make_node(*inputs)


class AdvancedIncSubtensor1(NativeOp):
    """x with a value added to, or stored at, x[i] for one integer vector."""

    def __init__(self, set_instead_of_inc: bool = False) -> None:
        super().__init__(sigs.ADVANCED_INC_SUBTENSOR, {"set": set_instead_of_inc})
        self.set_instead_of_inc = set_instead_of_inc

    def __str__(self) -> str:
        return f"AdvancedIncSubtensor1{{no_inplace,{'set' if self.set_instead_of_inc else 'inc'}}}"


class AdvancedIncSubtensor(NativeOp):
    """x with a value added to, or stored at, x[i, j, ...] for integer vectors."""

    def __init__(self, set_instead_of_inc: bool = False) -> None:
        super().__init__(sigs.ADVANCED_INC_SUBTENSOR, {"set": set_instead_of_inc})
        self.set_instead_of_inc = set_instead_of_inc

    def __str__(self) -> str:
        return (
            f"AdvancedIncSubtensor{{inplace=False,  set_instead_of_inc={self.set_instead_of_inc}}}"
        )


class _AdvancedIncByArity(NativeOp):
    """As `_AdvancedSubtensorByArity`, for writing."""

    def make_node(self, *inputs: Any) -> Apply:
        return advanced_inc_op(len(inputs) - 2, bool(self.props.get("set"))).make_node(*inputs)


ADVANCED_1 = AdvancedSubtensor1()
ADVANCED = AdvancedSubtensor()
_advanced_inc: dict[tuple[bool, bool], NativeOp] = {
    (single, put): (AdvancedIncSubtensor1 if single else AdvancedIncSubtensor)(put)
    for single in (False, True)
    for put in (False, True)
}


def advanced_inc_op(count: int, put: bool) -> NativeOp:
    """The op that adds to (or with `put` stores at) the places named by `count` index vectors."""
    return _advanced_inc[count == 1, put]


@facade("tensor.advanced_subtensor")
def _make_advanced(signature: Signature, props: dict[str, Any]) -> Op:
    return _AdvancedSubtensorByArity(signature, props)


@facade("tensor.advanced_inc_subtensor")
def _make_advanced_inc(signature: Signature, props: dict[str, Any]) -> Op:
    return _AdvancedIncByArity(signature, props)
