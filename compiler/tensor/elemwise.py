"""Facades of elementwise operations, dimshuffle and reductions: Theano's class names and texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tetractys.configparser import config
from tetractys.dialects import elemwise_signatures, tensor_signatures
from tetractys.dialects.signature import DISCRETE, Signature
from tetractys.graph.op import Op
from tetractys.graph.site import creation_site
from tetractys.graph.variable import Apply, Variable
from tetractys.tensor.constants import as_tensor_variable
from tetractys.tensor.native import NativeOp, facade, make_output, native_op
from tetractys.tensor.type import scalar_type

_SCALAR_NAMES = {
    "abs": "abs_",
    "and": "and_",
    "or": "or_",
    "sigmoid": "scalar_sigmoid",
    "softplus": "scalar_softplus",
}
"""Names of scalar functions where Theano's differ from the dialect's."""

_CLASS_NAMES = {
    **{name: name.upper() for name in ("eq", "neq", "lt", "le", "gt", "ge", "and", "or", "xor")},
    "abs": "Abs",
    "invert": "Invert",
    "isinf": "IsInf",
    "isnan": "IsNan",
    "switch": "Switch",
}
"""How scalar functions print where a gradient made them, if not by name: Theano's class names."""

_PLAIN_NAMES = {"sigmoid": "sigmoid", "softplus": "softplus"}
"""Operations of the front end that print without `Elemwise{...}`."""


class Elemwise(NativeOp):
    """A scalar function applied element by element; operands of lower rank are padded on the left.

    name: "Elemwise{mul,no_inplace}" where the front end made it, None where a gradient did.
    """

    def __init__(
        self, signature: Signature, props: dict[str, object], name: str | None = None
    ) -> None:
        super().__init__(signature, props)
        self.name = name
        cast = f"Cast{{{props['dtype']}}}" if signature.short == "cast" else None
        self.__doc__ = signature.doc
        self.scalar_name = cast or _SCALAR_NAMES.get(signature.short, signature.short)

    def __call__(self, *inputs: Any, **kwargs: Any) -> Any:
        """Applies the function; `add` and `mul` take any number of operands, from left to right."""
        if len(inputs) > 2 and self.signature.short in ("add", "mul"):
            first = self(*inputs[:-1])
            return super().__call__(first, inputs[-1], **kwargs)
        if len(inputs) == 1 and self.signature.short in ("add", "mul"):
            return as_tensor_variable(inputs[0])
        return super().__call__(*inputs, **kwargs)

    def make_node(self, *inputs: Any) -> Apply:
        """An Apply on `inputs`, padded to the largest rank."""
        variables = [as_tensor_variable(value) for value in inputs]
        short = self.signature.short
        if short == "true_div" and "dtype" not in self.props and _all_discrete(variables):
            return self._integer_division().node(pad_ranks(variables))
        if short in _BITWISE:
            _check_bits(variables)
        return self.node(pad_ranks(variables))

    def _integer_division(self) -> Elemwise:
        """This true_div for integers: its result is of floatX (THEANO_SEMANTICS D3)."""
        if config.int_division == "raise":
            raise TypeError(
                "/: found integers while config.int_division is 'raise'; expected floats; "
                "use // or cast an operand"
            )
        if self.name is not None:
            return elemwise_op("true_div", dtype=config.floatX)
        return native_op(self.signature, {"dtype": config.floatX})  # type: ignore[return-value]

    def node(self, variables: Sequence[Variable]) -> Apply:
        """An Apply on variables of equal rank."""
        spec = self.signature.infer([variable.type.spec for variable in variables], self.props)[0]
        site = creation_site(2)
        return Apply(self, variables, [make_output(spec, site)], site)

    def key(self) -> tuple[object, ...]:
        """What two equal ops have in common: how they print as well."""
        return (*super().key(), self.name)

    def __str__(self) -> str:
        if self.name is not None:
            return self.name
        return f"Elemwise{{{_CLASS_NAMES.get(self.signature.short, self.scalar_name)}}}"


_BITWISE = ("and", "or", "xor", "invert")


def _all_discrete(variables: Sequence[Variable]) -> bool:
    return all(variable.type.dtype in DISCRETE for variable in variables)


def _check_bits(variables: Sequence[Variable]) -> None:
    """Raises TypeError, in Theano's words, for an operand without bits, or bool beside integers."""
    mixed = len({variable.type.dtype == "bool" for variable in variables}) > 1
    for variable in variables:
        if variable.type.dtype not in DISCRETE or (mixed and variable.type.dtype == "bool"):
            bools = "be all bools" if len(variables) > 1 else "bool"
            raise TypeError(
                "input to a BitOp must have type (u)int8, (u)int16, (u)int32 or (u)int64 or "
                f"{bools} not {variable.type.dtype}"
            )


def pad_ranks(variables: list[Any]) -> list[Any]:
    """Broadcastable dimensions put in front, so that all ranks are equal."""
    rank = max((variable.type.ndim for variable in variables), default=0)
    for position, variable in enumerate(variables):
        missing = rank - variable.type.ndim
        if missing:
            order = (-1,) * missing + tuple(range(variable.type.ndim))
            variables[position] = dimshuffle_op(order).node([variable]).outputs[0]
    return variables


_named: dict[tuple[object, ...], Elemwise] = {}


def elemwise_op(short: str, **props: object) -> Elemwise:
    """The Op of an elementwise operation as the front end names it (`Elemwise{add,no_inplace}`)."""
    key = (short, *props.items())
    op = _named.get(key)
    if op is None:
        signature = elemwise_signatures.SIGNATURES[short]
        op = Elemwise(signature, dict(props))
        if short == "cast":
            op.name = str(op)
        else:
            op.name = _PLAIN_NAMES.get(short, f"Elemwise{{{op.scalar_name},no_inplace}}")
        _named[key] = op
    return op


class DimShuffle(NativeOp):
    """Dimensions permuted, dropped (broadcastable ones) and inserted.

    input_broadcastable: flags of the operand. new_order: axes of the operand, 'x' inserts.
    """

    def __init__(
        self,
        input_broadcastable: Sequence[bool] | None,
        new_order: Sequence[int | str],
        inplace: bool = True,
    ) -> None:
        order = tuple(-1 if axis == "x" else int(axis) for axis in new_order)
        super().__init__(tensor_signatures.DIMSHUFFLE, {"order": order})
        self.new_order = tuple("x" if axis < 0 else axis for axis in order)
        self.input_broadcastable = (
            None if input_broadcastable is None else tuple(input_broadcastable)
        )
        self.inplace = inplace

    def __str__(self) -> str:
        return f"InplaceDimShuffle{{{','.join(map(str, self.new_order))}}}"


_dimshuffles: dict[tuple[int, ...], DimShuffle] = {}


def dimshuffle_op(order: tuple[int, ...]) -> DimShuffle:
    """The dimshuffle of an order, where -1 inserts a dimension."""
    op = _dimshuffles.get(order)
    if op is None:
        op = _dimshuffles[order] = DimShuffle(None, ["x" if axis < 0 else axis for axis in order])
    return op


@facade("tensor.dimshuffle")
def _make_dimshuffle(signature: Signature, props: dict[str, object]) -> Op:
    return dimshuffle_op(props["order"])  # type: ignore[arg-type]


def _listed(axes: Sequence[int]) -> str:
    return ", ".join(map(str, axes))


class CAReduce(NativeOp):
    """A reduction by a monoid over `axis`, a tuple of axes, or None for all of them.

    `axis` is for printing; the axes reduced are `props["axes"]`.
    """

    kind = ""

    def __init__(self, props: dict[str, object], axis: tuple[int, ...] | None) -> None:
        super().__init__(tensor_signatures.REDUCE, {"kind": self.kind, **props})
        self.axis = axis
        self.dtype = props.get("dtype")
        self.acc_dtype = props.get("acc_dtype")

    def key(self) -> tuple[object, ...]:
        """What two equal ops have in common: how they print as well."""
        return (*super().key(), self.axis)

    def __str__(self) -> str:
        axes = "" if self.axis is None else f"{{{_listed(self.axis)}}}"
        return f"Reduce{{{self.kind}}}{axes}"


class CAReduceDtype(CAReduce):
    """A reduction whose result and accumulator have dtypes of their own."""


class Sum(CAReduceDtype):
    """Sum."""

    kind = "add"

    def __str__(self) -> str:
        axis = "" if self.axis is None else f"axis=[{_listed(self.axis)}], "
        return f"Sum{{{axis}acc_dtype={self.acc_dtype}}}"


class Prod(CAReduceDtype):
    """Product."""

    kind = "mul"

    def __str__(self) -> str:
        return f"Prod{{axis={self.axis}, dtype={self.dtype!r}, acc_dtype={self.acc_dtype!r}}}"


class Max(CAReduce):
    """Largest value, without its position."""

    kind = "max"


class Min(CAReduce):
    """Smallest value."""

    kind = "min"


class _Logical(CAReduce):
    def __str__(self) -> str:
        axes = "" if self.axis is None else f"{{{_listed(self.axis)}}}"
        return type(self).__name__ + axes


class All(_Logical):
    """Whether all are true."""

    kind = "and"


class Any_(_Logical):
    """Whether any is true."""

    kind = "or"


Any_.__name__ = Any_.__qualname__ = "Any"

_REDUCTIONS: dict[str, type[CAReduce]] = {
    kind.kind: kind for kind in (Sum, Prod, Max, Min, All, Any_)
}
_reductions: dict[tuple[object, ...], CAReduce] = {}


def reduce_op(
    kind: str,
    axes: tuple[int, ...],
    axis: tuple[int, ...] | None,
    dtype: str | None = None,
    acc_dtype: str | None = None,
) -> CAReduce:
    """The reduction `kind` over `axes`; `axis` is how it prints, None for all axes."""
    key = (kind, axes, axis, dtype, acc_dtype)
    op = _reductions.get(key)
    if op is None:
        props: dict[str, object] = {"axes": axes}
        if dtype is not None:
            props["dtype"] = dtype
        if acc_dtype is not None:
            props["acc_dtype"] = acc_dtype
        op = _reductions[key] = _REDUCTIONS[kind](props, axis)
    return op


@facade("tensor.reduce")
def _make_reduce(signature: Signature, props: dict[str, object]) -> Op:
    axes: tuple[int, ...] = props["axes"]  # type: ignore[assignment]
    dtype, accumulator = props.get("dtype"), props.get("acc_dtype")
    return reduce_op(
        str(props["kind"]),
        axes,
        axes,
        None if dtype is None else str(dtype),
        None if accumulator is None else str(accumulator),
    )


class MaxAndArgmax(NativeOp):
    """The largest value over `axis` and its first position in row-major order."""

    def __init__(self, axis: Sequence[int]) -> None:
        self.axis = tuple(axis)
        super().__init__(tensor_signatures.MAX_AND_ARGMAX, {"axes": self.axis})

    def __str__(self) -> str:
        return f"MaxAndArgmax{{axis={self.axis}}}"


@facade("tensor.max_and_argmax")
def _make_max_and_argmax(signature: Signature, props: dict[str, object]) -> Op:
    return MaxAndArgmax(props["axes"])  # type: ignore[arg-type]


class _Identity(NativeOp):
    """Between a 0-d array and a scalar: below the graph the two are one, an empty dimshuffle."""

    def __init__(self) -> None:
        super().__init__(tensor_signatures.DIMSHUFFLE, {"order": ()})


class TensorFromScalar(_Identity):
    """A scalar as a 0-d array."""

    def make_node(self, *inputs: Any) -> Apply:
        """An Apply on a scalar variable."""
        return self.node(inputs)


class ScalarFromTensor(_Identity):
    """A 0-d array as a scalar, for an index."""

    def make_node(self, *inputs: Any) -> Apply:
        """An Apply on a 0-d tensor variable."""
        (variable,) = (as_tensor_variable(value) for value in inputs)
        site = creation_site(2)
        output = scalar_type(variable.type.dtype).make_variable()
        return Apply(self, [variable], [output], site)


_tensor_from_scalar = TensorFromScalar()
_scalar_from_tensor = ScalarFromTensor()


def tensor_from_scalar(value: Variable) -> Variable:
    """A scalar variable as a tensor one."""
    owner = value.owner
    if owner is not None and isinstance(owner.op, ScalarFromTensor):
        return owner.inputs[0]
    return _tensor_from_scalar.make_node(value).outputs[0]


def scalar_from_tensor(value: Variable) -> Variable:
    """A 0-d tensor variable as a scalar one."""
    owner = value.owner
    if owner is not None and isinstance(owner.op, TensorFromScalar):
        return owner.inputs[0]
    return _scalar_from_tensor.make_node(value).outputs[0]


__all__ = [
    "All",
    "Any_",
    "CAReduce",
    "CAReduceDtype",
    "DimShuffle",
    "Elemwise",
    "Max",
    "MaxAndArgmax",
    "Min",
    "Prod",
    "ScalarFromTensor",
    "Sum",
    "TensorFromScalar",
    "dimshuffle_op",
    "elemwise_op",
    "native_op",
    "pad_ranks",
    "reduce_op",
    "scalar_from_tensor",
    "tensor_from_scalar",
]
