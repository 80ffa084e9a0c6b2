"""`grad` and `Lop`: Theano's interface to reverse-mode differentiation of a graph."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from tetractys.dialects.signature import is_float
from tetractys.gradient.graph_rules import GraphEmitter, float_dtype, steps_of
from tetractys.gradient.null import (
    DisconnectedInputError,
    DisconnectedType,
    NullType,
    NullTypeGradError,
    disconnected_type,
)
from tetractys.graph import Variable, at_site, creation_site, format_site, toposort
from tetractys.graph.site import move_site
from tetractys.passes.vjp import DISCONNECTED, ZERO, Undefined, backpropagate


def grad(
    cost: Variable | None,
    wrt: Variable | Sequence[Variable],
    consider_constant: Iterable[Variable] | None = None,
    disconnected_inputs: str = "raise",
    add_names: bool = True,
    known_grads: Mapping[Variable, Variable] | None = None,
    return_disconnected: str = "zero",
    null_gradients: str = "raise",
) -> Any:
    """Gradients of a scalar by one variable, or by each of a list or tuple of them.

    consider_constant: variables not to differentiate through. disconnected_inputs: what to do where
    the cost does not depend on a variable: "raise" DisconnectedInputError, "warn" or "ignore"; then
    return_disconnected tells what stands for the gradient: "zero", "None" or "Disconnected".
    add_names: gradients are named (dcost/dx). known_grads: variable -> its gradient, which is
    used instead of the one computed; with it `cost` may be None. null_gradients: "raise"
    NullTypeGradError where a gradient is undefined, or "return" the variable of NullType.

    A gradient has the dtype of its variable; by an integer variable it is of floatX, or the dtype
    that the computation gives (integers count as real numbers there).
    """
    _check_cost(cost, known_grads)
    targets = _targets(wrt)
    constants = _constants(consider_constant)
    emitter = GraphEmitter(cost.name if add_names and cost is not None else None)
    options = (disconnected_inputs, return_disconnected, null_gradients)
    with at_site(site := creation_site(1)):
        seeds = _seeds(emitter, cost, known_grads or {})
        steps = steps_of(toposort(seeds))
        found = backpropagate(emitter, steps, seeds, targets, constants)
        move_site(site)
        gradients = [_result(emitter, g, v, *options) for g, v in zip(found, targets)]
    return like(wrt, gradients)


def like(model: Any, values: list[Any]) -> Any:
    """`values` as a list or tuple if `model` is one, else the only one."""
    if isinstance(model, list):
        return values
    return tuple(values) if isinstance(model, tuple) else values[0]


def listed(values: Variable | Sequence[Variable]) -> list[Variable]:
    """One variable, or a list or tuple of them, as a list."""
    return list(values) if isinstance(values, (list, tuple)) else [cast(Variable, values)]


def _check_cost(cost: Variable | None, known_grads: Mapping[Variable, Variable] | None) -> None:
    if cost is None:
        if known_grads is None:
            raise AssertionError("cost and known_grads can't both be None.")
        return
    if not isinstance(cost, Variable):
        raise TypeError(
            f"cost must be a scalar. Expected Variable, got {cost} of type {type(cost)}"
        )
    if isinstance(cost.type, NullType):
        raise ValueError(f"Can't differentiate a NaN cost.cost is NaN because {cost.type.why_null}")
    if getattr(cost.type, "ndim", None) != 0:
        raise TypeError("cost must be a scalar.")


def _targets(wrt: Variable | Sequence[Variable]) -> list[Variable]:
    if isinstance(wrt, set):
        raise TypeError(
            "wrt must not be a set. sets have no defined iteration order, so we can't return "
            "gradients "
            "in a  matching order."
        )
    targets = listed(wrt)
    for target in targets:
        if not isinstance(target, Variable):
            raise TypeError(f"Expected Variable, got {target} of type {type(target)}")
    return targets


def _constants(consider_constant: Iterable[Variable] | None) -> list[Variable]:
    if consider_constant is None:
        return []
    if not isinstance(consider_constant, Iterable):
        raise TypeError(
            f"consider_constant must be an iterable collection, got {type(consider_constant)}"
        )
    constants = list(consider_constant)
    for variable in constants:
        if not isinstance(variable, Variable):
            raise TypeError(
                f"Elements of consider_constant must be variables, but got {type(variable)}"
            )
    return constants


def _seeds(
    emitter: GraphEmitter, cost: Variable | None, known: Mapping[Variable, Variable]
) -> dict[Variable, Variable | Undefined]:
    """The gradients that propagation starts from: that of the cost is 1."""
    seeds: dict[Variable, Variable | Undefined] = {}
    if cost is not None and cost not in known:
        seeds[cost] = emitter.fill_like(cost, 1.0, float_dtype(emitter, cost))
    for variable, gradient in known.items():
        if not isinstance(gradient, Variable):
            raise TypeError(
                "output grads must be theano variables.Ambiguous whether "
                f"{type(gradient)} should be made into tensor or sparse theano variable"
            )
        if isinstance(gradient.type, DisconnectedType):
            continue
        if isinstance(gradient.type, NullType):
            seeds[variable] = Undefined(gradient)
            continue
        if not is_float(emitter.type_of(gradient)[0]):
            raise TypeError(
                "Gradients must always be NullType, DisconnectedType, or continuous, but grad was "
                f"given a known_grad of type {gradient.type}"
            )
        seeds[variable] = gradient
    return seeds


def _result(
    emitter: GraphEmitter,
    gradient: Any,
    variable: Variable,
    disconnected_inputs: str,
    return_disconnected: str,
    null_gradients: str,
) -> Any:
    """What the caller gets for what the driver found."""
    if isinstance(gradient, Undefined):
        if null_gradients == "raise":
            raise NullTypeGradError(
                f"tensor.grad encountered a NaN. {gradient.reason.type.why_null}"
            )
        assert null_gradients == "return", null_gradients
        return gradient.reason
    if gradient is ZERO:
        return float_zeros_like(emitter, variable)
    if gradient is not DISCONNECTED:
        return gradient
    report_disconnected(
        "grad method was asked to compute the gradient with respect to a variable that is not "
        "part of "
        "the computational graph of the cost, or is used only by a non-differentiable operator: "
        f"{variable}",
        variable,
        disconnected_inputs,
    )
    return disconnected_value(emitter, variable, return_disconnected)


def report_disconnected(message: str, variable: Variable, action: str) -> None:
    """Raises, warns or ignores, as `action` says."""
    if action == "raise":
        raise DisconnectedInputError(
            f"{message}\nBacktrace when that variable is created:\n\n{format_site(variable.site)}"
        )
    if action == "warn":
        warnings.warn(message, stacklevel=4)
    elif action != "ignore":
        raise ValueError(
            "Invalid value for keyword 'disconnected_inputs', valid values are 'ignore', 'warn' "
            "and "
            "'raise'."
        )


def disconnected_value(emitter: GraphEmitter, variable: Variable, form: str) -> Any:
    """What stands for a gradient that does not depend on the variable."""
    if form.lower() == "zero":
        return float_zeros_like(emitter, variable)
    if form.lower() == "none":
        return None
    if form.lower() == "disconnected":
        return disconnected_type()
    raise ValueError(
        "Invalid value for keyword 'return_disconnected', valid values are 'zero', 'None' and "
        "'Disconnected'."
    )


def float_zeros_like(emitter: GraphEmitter, variable: Variable) -> Variable:
    """Zeros of the shape of `variable`, of its dtype or of floatX."""
    return emitter.fill_like(variable, 0.0, float_dtype(emitter, variable))


def Lop(
    f: Variable | Sequence[Variable],
    wrt: Variable | Sequence[Variable],
    eval_points: Variable | Sequence[Variable],
    consider_constant: Iterable[Variable] | None = None,
    disconnected_inputs: str = "raise",
) -> Any:
    """The Jacobian of `f` by `wrt`, times `eval_points` (one for each of `f`) from the left."""
    outputs, points = listed(f), listed(eval_points)
    if len(outputs) != len(points):
        raise AssertionError(
            f"Lop: found {len(points)} eval_points for {len(outputs)} outputs; expected one for "
            "each"
        )
    return grad(
        None,
        wrt,
        consider_constant=consider_constant,
        disconnected_inputs=disconnected_inputs,
        known_grads=dict(zip(outputs, points)),
    )


def subgraph_grad(
    wrt: list[Variable],
    end: list[Variable],
    start: Mapping[Variable, Variable] | None = None,
    cost: Variable | None = None,
    details: bool = False,
) -> Any:
    """Gradients of `cost` and of known gradients `start` by `wrt` and by `end`, where they stop.

    Returns the two lists; with `details` also the gradients from `start` and from `cost` alone.
    """
    assert cost is not None or start is not None
    assert isinstance(end, list) and isinstance(wrt, list)
    params = list(dict.fromkeys([*wrt, *end]))

    def part(cost: Variable | None, known: Mapping[Variable, Variable] | None) -> list[Variable]:
        return grad(
            cost, params, consider_constant=end, disconnected_inputs="ignore", known_grads=known
        )

    from_start = None if start is None else part(None, start)
    from_cost = None if cost is None else part(cost, None)
    total = from_cost if from_start is None else from_start
    if from_start is not None and from_cost is not None:
        emitter = GraphEmitter()
        total = [emitter.accumulate(first, second) for first, second in zip(from_start, from_cost)]
    by_param = dict(zip(params, total or []))
    result = ([by_param[v] for v in wrt], [by_param[v] for v in end])
    return (*result, from_start, from_cost) if details else result
