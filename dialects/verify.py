"""Verification of a whole module, as `tt-opt` and DebugMode do it; the product path has none.

xDSL's own verifier asks each operation. It does not ask whether a value is defined before it is
used, nor does it say where a value from another function is used; every pass relies on both.
"""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Region, SSAValue
from xdsl.irdl.dominance import DominanceInfo
from xdsl.traits import IsolatedFromAbove, IsTerminator
from xdsl.utils.exceptions import VerifyException


def verify_module(module: ModuleOp) -> None:
    """Raises VerifyException, or what xDSL's verifier raises, where `module` is not valid."""
    verify_uses(module)
    module.verify()


def verify_uses(module: ModuleOp) -> None:
    """Every operand is defined above its use, in the same block or one around it."""
    for region in module.regions:
        _verify_region(region, set())


def _verify_region(region: Region, outer: set[SSAValue]) -> None:
    blocks = list(region.blocks)
    dominance = DominanceInfo(region) if len(blocks) > 1 else None
    for block in blocks:
        known = set(outer)
        if dominance is not None:
            for other in blocks:
                if dominance.strictly_dominates(other, block):
                    known.update(_values_of(other))
        _verify_block(block, known)


def _values_of(block: Block) -> list[SSAValue]:
    return [*block.args, *(result for op in block.ops for result in op.results)]


def _verify_block(block: Block, known: set[SSAValue]) -> None:
    known.update(block.args)
    for op in block.ops:
        for number, operand in enumerate(op.operands):
            if operand not in known:
                name = f" %{operand.name_hint}" if operand.name_hint else ""
                raise VerifyException(
                    f"{op.name}: found operand {number},{name or ' a value'} that is not defined "
                    "above; expected a value of this block or one around it, defined before its use"
                )
        if op.has_trait(IsTerminator) and op is not block.last_op:
            raise VerifyException(
                f"{op.name}: found in the middle of a block; expected it at the end; "
                "nothing may stand behind a terminator"
            )
        for region in op.regions:
            _verify_region(region, set() if op.has_trait(IsolatedFromAbove) else known)
        known.update(op.results)
