"""The graph as the gradient driver sees it: an emitter that applies Ops, and Applies as steps."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tetractys.configparser import config
from tetractys.dialects.signature import DISCRETE, Signature, Spec, is_float
from tetractys.gradient.null import DisconnectedType, NullType, disconnected_type
from tetractys.graph import Apply, Op, Variable, at_site, creation_site
from tetractys.graph.site import move_site
from tetractys.passes.vjp import (
    DISCONNECTED,
    ZERO,
    Emitter,
    Props,
    Step,
    Thunk,
    Undefined,
    backpropagate,
)
from tetractys.tensor.constants import as_tensor_variable, constant
from tetractys.tensor.elemwise import Elemwise, dimshuffle_op, elemwise_op
from tetractys.tensor.native import NativeOp, native_op

_NOT_AN_ARRAY: Spec = ("object", ())


class GraphEmitter(Emitter[Variable]):
    """Applies Ops, named as gradients name them in Theano: `Elemwise{mul}`, not `,no_inplace`.

    It works inside `at_site`: new nodes get the place in the user's program of the node that is
    being differentiated.
    """

    def __init__(self, cost_name: str | None = None) -> None:
        self.cost_name = cost_name

    def __call__(
        self, signature: Signature, *operands: Variable | float, **props: object
    ) -> Variable:
        """See `Emitter`."""
        variables = [value for value in operands if isinstance(value, Variable)]
        if len(variables) != len(operands):
            pad = dimshuffle_op((-1,) * variables[0].type.ndim)
            variables = [
                value if isinstance(value, Variable) else pad.node([constant(value)]).outputs[0]
                for value in operands
            ]
        op = native_op(signature, props)
        if isinstance(op, Elemwise):  # of one rank by now: nothing to convert
            return op.node(variables).outputs[0]
        return op.make_node(*variables).outputs[0]

    def constant(self, number: float, dtype: str, rank: int) -> Variable:
        """See `Emitter`."""
        scalar = constant(np.array(number, dtype))
        return dimshuffle_op((-1,) * rank).node([scalar]).outputs[0] if rank else scalar

    def type_of(self, value: Variable) -> Spec:
        """See `Emitter`; for other values than arrays a dtype that is none of an array."""
        return value.type.spec or _NOT_AN_ARRAY

    def enter(self, step: Step[Variable]) -> None:
        """See `Emitter`."""
        move_site(step.origin.site)

    def fill_like(self, value: Variable, number: float, dtype: str | None = None) -> Variable:
        """See `Emitter`; named as `T.zeros_like` names it."""
        found, shape = self.type_of(value)
        filler = self.constant(number, dtype or found, len(shape))
        return elemwise_op("second").make_node(value, filler).outputs[0]

    def transpose(self, value: Variable) -> Variable:
        """See `Emitter`; named as `value.T`."""
        transposed = super().transpose(value)
        if value.name is not None:
            transposed.name = f"{value.name}.T"
        return transposed

    def accumulate(self, total: Variable, term: Variable) -> Variable:
        """See `Emitter`; named as `total + term`."""
        return elemwise_op("add").make_node(total, term).outputs[0]

    def finished(self, value: Variable, cotangent: Variable) -> None:
        """Names the gradient `(dcost/dx)` where both have names."""
        if self.cost_name is not None and value.name is not None:
            cotangent.name = f"(d{self.cost_name}/d{value.name})"


def steps_of(nodes: Iterable[Apply]) -> list[Step[Variable]]:
    """The steps of Applies that come in an order where what they need comes first."""
    return [_step(node) for node in nodes]


def _step(node: Apply) -> Step[Variable]:
    op = node.op
    if op.signature is not None and not has_own_gradient(op):
        return Step(op.signature, op.props, node.inputs, node.outputs, origin=node)
    return Step(
        None, {}, node.inputs, node.outputs, host_rule, connection_pattern(node), origin=node
    )


def has_own_gradient(op: Op) -> bool:
    """Whether the Op's class defines `grad` or `L_op` itself."""
    return overrides(op, "L_op") or overrides(op, "grad")


def overrides(op: Op, method: str) -> bool:
    """Whether the Op's class, or one of the user's that it derives from, defines a method."""
    definer = next(class_ for class_ in type(op).__mro__ if method in vars(class_))
    return definer not in (Op, NativeOp)


def native_gradients(
    op: NativeOp,
    inputs: Sequence[Variable],
    outputs: Sequence[Variable],
    output_grads: Sequence[Variable],
) -> list[Any]:
    """What a user's own `grad` gets who calls that of a native Op: the driver on one step."""
    emitter = GraphEmitter()
    seeds: dict[Variable, Variable | Undefined] = {
        output: gradient
        for output, gradient in zip(outputs, output_grads)
        if not isinstance(gradient.type, DisconnectedType)
    }
    step = Step(op.signature, op.props, inputs, outputs, origin=outputs[0].owner)
    gradients: list[Any] = []
    with at_site(creation_site(1)):
        found = backpropagate(emitter, [step], seeds, list(inputs))
        for variable, gradient in zip(inputs, found):
            if gradient is DISCONNECTED:
                gradients.append(disconnected_type())
            elif gradient is ZERO:
                gradients.append(emitter.fill_like(variable, 0.0, float_dtype(emitter, variable)))
            else:
                gradients.append(gradient)
    return gradients


def float_dtype(emitter: GraphEmitter, variable: Variable) -> str:
    """The dtype of a gradient of zero: the variable's own, or floatX."""
    dtype = emitter.type_of(variable)[0]
    return dtype if is_float(dtype) else config.floatX


def connection_pattern(node: Apply) -> list[list[bool]]:
    """`pattern[input][output]`: what the Op says is connected; all, if it says nothing."""
    op = node.op
    method = getattr(op, "connection_pattern", None)
    if method is None:
        return [[True] * len(node.outputs) for _ in node.inputs]
    pattern = method(node)
    if not isinstance(pattern, list) or not all(isinstance(row, list) for row in pattern):
        raise TypeError(
            "Op.connection_pattern should return list of list of bool, but for "
            f"Op={op} got {pattern} with type {type(pattern)}."
        )
    if len(pattern) != len(node.inputs) or any(len(row) != len(node.outputs) for row in pattern):
        raise ValueError(
            f"{op}.connection_pattern should have {len(node.inputs)} rows of {len(node.outputs)} "
            "but "
            f"has {len(pattern)} rows."
        )
    return pattern


def host_rule(
    e: Emitter[Any], xs: Sequence[Any], outs: Sequence[Any], cts: Sequence[Any], props: Props
) -> Sequence[Thunk | None]:
    """The rule of an Op with `grad` or `L_op` of its own; what it returns is checked."""
    node: Apply = outs[0].owner
    op = node.op
    given = [disconnected_type() if cotangent is None else cotangent for cotangent in cts]
    terms = op.L_op(list(xs), list(outs), given)
    if terms is None:
        raise TypeError(f"{op}.grad returned NoneType, expected iterable.")
    if len(terms) != len(xs):
        raise ValueError(f"{op} returned the wrong number of gradient terms.")
    checked = [_checked(node, position, term) for position, term in enumerate(terms)]
    return [lambda term=term: term for term in checked]


def _checked(node: Apply, position: int, term: Any) -> Any:
    """A gradient term as the driver takes it."""
    op = node.op
    if term is None:
        raise TypeError(
            f"{op}.grad returned None for a gradient term, this is prohibited. Instead of None, "
            "return "
            "zeros_like(input), disconnected_type(), or a NullType variable such as those made "
            "with "
            "the grad_undefined or grad_unimplemented helper functions."
        )
    variable = term if isinstance(term, Variable) else as_tensor_variable(term)
    if isinstance(variable.type, NullType):
        return Undefined(variable)
    if isinstance(variable.type, DisconnectedType):
        if not hasattr(op, "connection_pattern"):
            warnings.warn(
                f"{op}.grad returned DisconnectedType for input {position}. You may want to "
                "implement "
                "a connection_pattern method for it.",
                stacklevel=2,
            )
        return DISCONNECTED
    if variable.type.spec is not None and variable.type.spec[0] in DISCRETE:
        raise TypeError(
            f"{op}.grad illegally  returned an integer-valued variable. (Input index {position}, "
            f"dtype {variable.type.spec[0]})"
        )
    return variable
