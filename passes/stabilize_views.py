"""Seeing through what does not change numbers: dimshuffle, reshape, casts between floats.

`f(view(g(t)))` becomes `view(h(t))`, where h is the stable form of f(g(t)). A widening cast moves
onto t, so that h computes in the wider type; a narrowing one stays behind h.
"""

from __future__ import annotations

from typing import NamedTuple, cast

from xdsl.ir import Operation, SSAValue

from tetractys.dialects import elemwise, tensor, types
from tetractys.dialects.build import SignatureOp
from tetractys.dialects.signature import is_float
from tetractys.passes.matching import argument_of
from tetractys.passes.rewriting import Rewriter

_LIMIT = 8


class Peeled(NamedTuple):
    """A value and the views between it and where it is used, outermost first."""

    core: SSAValue
    views: list[SignatureOp]
    widened: str | None = None

    def made_by(self, class_: type[Operation]) -> SSAValue | None:
        """`t` if the core is `class_(t)`."""
        return argument_of(self.core, class_)

    def argument(self, rw: Rewriter, value: SSAValue) -> SSAValue:
        """`value`, an operand of the core's operation, in the type to compute in."""
        return (
            value if self.widened is None else rw.make(elemwise.CastOp, value, dtype=self.widened)
        )

    def wrap(self, rw: Rewriter, value: SSAValue) -> SSAValue:
        """The views on a new core."""
        for view in reversed(self.views):
            operands = [value, *list(view.operands)[1:]]
            value = rw.remake(view, operands)
        return value


def peel(value: SSAValue) -> Peeled:
    """Takes off the views of a value."""
    views: list[SignatureOp] = []
    widened: str | None = None
    core = value
    for _ in range(_LIMIT):
        owner = core.owner
        if isinstance(owner, tensor.DimshuffleOp | tensor.ReshapeToOp):
            views.append(cast(SignatureOp, owner))
        elif isinstance(owner, elemwise.CastOp):
            source, target = (types.dtype_of(v.type) for v in (owner.operands[0], core))
            if not (is_float(source) and is_float(target)):
                break
            if source == "float32":
                widened = target
            elif widened is not None:
                break
            else:
                views.append(cast(SignatureOp, owner))
        else:
            break
        core = owner.operands[0]
    if widened is not None and any(isinstance(view, elemwise.CastOp) for view in views):
        return Peeled(value, [])  # widened and narrowed: left alone
    return Peeled(core, views, widened)
