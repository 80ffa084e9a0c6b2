"""Ops that pass a value on and bend its gradient: `zero_grad`, `grad_clip`, ...

Below the graph each is a dimshuffle that permutes nothing, which `canonicalize` removes.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from tetractys.dialects import tensor_signatures as ts
from tetractys.gradient.null import disconnected_type, grad_undefined
from tetractys.graph import Apply, Op, Variable
from tetractys.tensor.constants import as_tensor_variable


class _View(Op):
    """The operand itself."""

    signature = ts.DIMSHUFFLE
    view_map: Mapping[int, list[int]] = {0: [0]}
    __props__ = ()

    def make_node(self, *inputs: Any) -> Apply:
        """An Apply with an output of the operand's type."""
        (x,) = (as_tensor_variable(value) for value in inputs)
        return Apply(self, [x], [x.type()])

    def lowered(self, node: Apply) -> tuple[Mapping[str, object], Sequence[Variable]]:
        """A dimshuffle in the operand's own order."""
        return {"order": tuple(range(node.inputs[0].type.ndim))}, node.inputs


class ZeroGrad(_View):
    """The gradient is zero; the variable counts as connected."""

    def grad(self, inputs: Sequence[Variable], output_grads: Sequence[Variable]) -> list[Variable]:
        """Zeros."""
        return [gradient.zeros_like() for gradient in output_grads]

    def R_op(self, inputs: Sequence[Variable], eval_points: Sequence[Any]) -> list[Any]:
        """Zeros."""
        return [None if point is None else point.zeros_like() for point in eval_points]


class ConsiderConstant(ZeroGrad):
    """An old name of `ZeroGrad`, without its derivative in the other direction."""

    def R_op(self, inputs: Sequence[Variable], eval_points: Sequence[Any]) -> list[Any]:
        """Nothing: there is no derivative."""
        return [None for _ in eval_points]


class DisconnectedGrad(_View):
    """No gradient flows: the variable counts as disconnected."""

    def grad(self, inputs: Sequence[Variable], output_grads: Sequence[Variable]) -> list[Variable]:
        """Disconnected."""
        return [disconnected_type() for _ in output_grads]

    def R_op(self, inputs: Sequence[Variable], eval_points: Sequence[Any]) -> list[Any]:
        """Nothing: there is no derivative."""
        return [None]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Not connected."""
        return [[False]]


class UndefinedGrad(_View):
    """The gradient is undefined: asking for it is an error."""

    def grad(self, inputs: Sequence[Variable], output_grads: Sequence[Variable]) -> list[Variable]:
        """Variables of NullType."""
        return [grad_undefined(self, i, x) for i, x in enumerate(inputs)]

    def R_op(self, inputs: Sequence[Variable], eval_points: Sequence[Any]) -> list[Any]:
        """Nothing: there is no derivative."""
        return [None]


class GradClip(_View):
    """The gradient is clipped to [clip_lower_bound, clip_upper_bound]."""

    __props__ = ("clip_lower_bound", "clip_upper_bound")

    def __init__(self, clip_lower_bound: float, clip_upper_bound: float) -> None:
        assert clip_upper_bound >= clip_lower_bound
        self.clip_lower_bound = clip_lower_bound
        self.clip_upper_bound = clip_upper_bound

    def grad(self, inputs: Sequence[Variable], output_grads: Sequence[Variable]) -> list[Variable]:
        """The clipped gradients."""
        from tetractys.tensor import clip

        low, high = self.clip_lower_bound, self.clip_upper_bound
        return [clip(gradient, low, high) for gradient in output_grads]


class GradScale(_View):
    """The gradient is multiplied by a number."""

    __props__ = ("multiplier",)

    def __init__(self, multiplier: float) -> None:
        self.multiplier = multiplier

    def grad(self, inputs: Sequence[Variable], output_grads: Sequence[Variable]) -> list[Variable]:
        """The scaled gradients."""
        from tetractys.tensor import mul

        return [mul(self.multiplier, gradient) for gradient in output_grads]


consider_constant_ = ConsiderConstant()
zero_grad_ = ZeroGrad()
disconnected_grad_ = DisconnectedGrad()


def consider_constant(x: Any) -> Variable:
    """`x` as a constant to gradients. Deprecated: `zero_grad` or `disconnected_grad` say which."""
    warnings.warn(
        "consider_constant() is deprecated, use zero_grad() or disconnected_grad() instead.",
        stacklevel=3,
    )
    return consider_constant_(x)


def zero_grad(x: Any) -> Variable:
    """`x` with gradient zero."""
    return zero_grad_(x)


def disconnected_grad(x: Any) -> Variable:
    """`x`, disconnected from what it is computed from."""
    return disconnected_grad_(x)


def undefined_grad(x: Any) -> Variable:
    """`x` with an undefined gradient."""
    return UndefinedGrad()(x)


def grad_clip(x: Any, lower_bound: float, upper_bound: float) -> Variable:
    """`x` with its gradient clipped to the bounds."""
    return GradClip(lower_bound, upper_bound)(x)


def grad_scale(x: Any, multiplier: float) -> Variable:
    """`x` with its gradient multiplied."""
    return GradScale(multiplier)(x)
