"""`Rop`: the Jacobian times a vector, node by node, from the same rules as `grad`.

The tangent of a node needs no rule of its own. Its vector-Jacobian product is linear in the
cotangents u, so its derivative by u, applied to the operands' tangents, is the Jacobian-vector
product: the rule is emitted with a dummy u and differentiated by it. (The dummy's value never
matters: it is `zeros_like` of the result, and what remains of it is its shape.) An Op of the user's
may define `R_op`; where it does not, the same works with its `grad`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tetractys.dialects.signature import is_float
from tetractys.gradient.graph_rules import GraphEmitter, overrides, steps_of
from tetractys.gradient.reverse import disconnected_value, grad, like, listed, report_disconnected
from tetractys.graph import Apply, Op, Variable, at_site, creation_site, io_toposort
from tetractys.graph.site import move_site
from tetractys.passes.vjp import (
    Step,
    Thunk,
    Undefined,
    backpropagate,
    cast_to,
    find_rule,
    fit,
)
from tetractys.tensor.constants import as_tensor_variable

Tangents = dict[Variable, Variable]


def Rop(
    f: Variable | Sequence[Variable],
    wrt: Variable | Sequence[Variable],
    eval_points: Any,
    disconnected_outputs: str = "raise",
    return_disconnected: str = "zero",
) -> Any:
    """The Jacobian of `f` by `wrt`, times `eval_points` (one for each of `wrt`).

    disconnected_outputs, return_disconnected: as for `grad`, for an output that does not depend on
    `wrt`. Raises ValueError where an eval point has another rank than its variable.
    """
    outputs, targets, points = listed(f), listed(wrt), listed(eval_points)
    if len(targets) != len(points):
        raise AssertionError(
            f"Rop: found {len(points)} eval_points for {len(targets)} variables; expected one "
            "for each"
        )
    emitter, options = GraphEmitter(), (disconnected_outputs, return_disconnected)
    with at_site(site := creation_site(1)):
        tangents = {
            variable: _start(emitter, number, variable, point)
            for number, (variable, point) in enumerate(zip(targets, points))
        }
        for node in io_toposort(targets, outputs):
            _push(emitter, node, tangents)
        move_site(site)
        found = [_finish(emitter, output, tangents, *options) for output in outputs]
    return like(f, found)


def _start(emitter: GraphEmitter, number: int, variable: Variable, point: Any) -> Variable:
    """An eval point in the type of its variable."""
    tangent = as_tensor_variable(point)
    rank, found = variable.type.ndim, tangent.type.ndim
    if rank != found:
        raise ValueError(
            f"Element {number} of wrt/eval_point have mismatched dimensionality: {rank} versus "
            f"{found}"
        )
    dtype = variable.type.dtype
    return fit(emitter, cast_to(emitter, tangent, dtype) if is_float(dtype) else tangent, variable)


def _finish(
    emitter: GraphEmitter, output: Variable, tangents: Tangents, action: str, form: str
) -> Any:
    if output in tangents:
        return tangents[output]
    report_disconnected(
        "Rop method was asked to compute the gradient with respect to a variable that is not "
        "part of "
        "the computational graph of variables in wrt, or is used only by a non-differentiable "
        f"operator: {output}",
        output,
        action,
    )
    return disconnected_value(emitter, output, form)


def _push(emitter: GraphEmitter, node: Apply, tangents: Tangents) -> None:
    """Adds the tangents of a node's outputs, where its inputs have any."""
    if not any(variable in tangents for variable in node.inputs):
        return
    (step,) = steps_of([node])
    emitter.enter(step)
    if overrides(node.op, "R_op"):
        points = [tangents.get(variable) for variable in node.inputs]
        found = node.op.R_op(list(node.inputs), points)
        pairs = zip(node.outputs, found)
        tangents.update((output, value) for output, value in pairs if value is not None)
        return
    for number, output in enumerate(node.outputs):
        if is_float(emitter.type_of(output)[0]):
            _push_output(emitter, step, number, tangents)


def native_tangents(
    op: Op, inputs: Sequence[Variable], eval_points: Sequence[Variable | None]
) -> list[Variable | None]:
    """What a user's own `R_op` gets who calls that of a native Op."""
    node = op.make_node(*inputs)
    tangents = {v: p for v, p in zip(node.inputs, eval_points) if p is not None}
    with at_site(creation_site(1)):
        _push(GraphEmitter(), node, tangents)
    return [tangents.get(output) for output in node.outputs]


def _push_output(
    emitter: GraphEmitter, step: Step[Variable], number: int, tangents: Tangents
) -> None:
    """The tangent of one output: what each input's tangent adds, by the transposed rule."""
    output = step.results[number]
    touched = [i for i, v in enumerate(step.operands) if v in tangents and step.connects(i, number)]
    if not touched:
        return
    dummy = emitter.fill_like(output, 0.0)
    thunks = _thunks(emitter, step, number, dummy)
    total: Variable | None = None
    for i in touched:
        thunk = thunks[i] if i < len(thunks) else None
        term = None if thunk is None else thunk()
        if isinstance(term, Undefined):
            return
        if not isinstance(term, Variable):
            continue
        part = _transposed(emitter, step, dummy, fit(emitter, term, step.operands[i]), tangents, i)
        total = part if total is None else emitter.accumulate(total, part)
    tangents[output] = emitter.fill_like(output, 0.0) if total is None else total


def _thunks(
    emitter: GraphEmitter, step: Step[Variable], number: int, dummy: Variable
) -> Sequence[Thunk | None]:
    """The rule of a step for the cotangent `dummy` of one of its results."""
    cotangents = [dummy if i == number else None for i in range(len(step.results))]
    rule = find_rule(step.signature) if step.rule is None else None
    function = step.rule or (rule.function if rule is not None else None)
    if function is None:
        raise NotImplementedError(f"Rop: found {step.origin.op} without a gradient rule")
    return function(emitter, step.operands, step.results, cotangents, step.props)


def _transposed(
    emitter: GraphEmitter,
    step: Step[Variable],
    dummy: Variable,
    cotangent: Variable,
    tangents: Tangents,
    operand: int,
) -> Variable:
    """`cotangent`, which is linear in `dummy`, transposed, applied to the operand's tangent."""
    tangent = tangents[step.operands[operand]]
    if cotangent is dummy:
        return fit(emitter, cast_to(emitter, tangent, emitter.type_of(dummy)[0]), dummy)
    nodes = io_toposort([dummy, *step.operands, *step.results], [cotangent])
    (found,) = backpropagate(emitter, steps_of(nodes), {cotangent: tangent}, [dummy])
    return found if isinstance(found, Variable) else emitter.fill_like(dummy, 0.0)


def jacobian(
    expression: Variable,
    wrt: Any,
    consider_constant: Any = None,
    disconnected_inputs: str = "raise",
) -> Any:
    """The gradient of a 0-d `expression`; that of a vector, row by row, needs `scan`."""
    if expression.type.ndim != 0:
        raise NotImplementedError(
            f"jacobian: found an expression of rank {expression.type.ndim}; expected rank 0: rows "
            "of unknown number need scan; use Rop or Lop for products with the Jacobian"
        )
    return grad(expression, wrt, consider_constant, disconnected_inputs)


def hessian(
    cost: Variable, wrt: Any, consider_constant: Any = None, disconnected_inputs: str = "raise"
) -> Any:
    """The second derivative by 0-d variables; of a vector, row by row, it needs `scan`."""
    targets = wrt if isinstance(wrt, (list, tuple)) else [wrt]
    if any(target.type.ndim != 0 for target in targets):
        raise NotImplementedError(
            "hessian: found a variable of rank 1 or more; expected rank 0: rows of unknown number "
            "need scan; use Rop of the gradient for products with the Hessian"
        )
    options = (consider_constant, disconnected_inputs)
    return like(wrt, [grad(grad(cost, t, *options), t, *options) for t in targets])
