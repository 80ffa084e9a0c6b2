"""Lowers level 1 to level 2: whole-array operations to loop nests.

Every operation becomes one nest over its iteration space, or nothing: a dimshuffle vanishes into
maps, a constant or a fill into the body that uses it, a size is an `index` value of the entry.
Rank-0 arrays become scalars, in the signature too. Checks that `hoist-checks` has not made are made
here. Pre-condition: level 1 without `tensor.grad`, `softmax`, `log_softmax`. Post-condition:
`loops`, scalar `elemwise`, `func`.

    %0 = tensor.dimshuffle %x {order = [1, 0]} : (tensor<?x?xf64>) -> tensor<?x?xf64>
    %1 = tensor.dot %0, %e : (tensor<?x?xf64>, tensor<?xf64>) -> tensor<?xf64>
 to
    %1 = loops.nest (%k < %d, %i < %n) ins(%a = %x[%i, %k] : ..., %b = %e[%i] : ...)
           -> (add[%k] : tensor<?xf64>) { %2 = elemwise.mul %a, %b : f64  loops.yield %2 : f64 }
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import FunctionType, ModuleOp, TensorType
from xdsl.ir import Block, BlockArgument, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from tetractys.dialects.elemwise import ElemwiseOp
from tetractys.dialects.loops import (
    CallOp,
    DimOp,
    EmptyOp,
    GatherOp,
    InsertOp,
    NestOp,
    SubviewOp,
    ViewOp,
)
from tetractys.passes.hoist_checks import hoist_checks
from tetractys.passes.lower_elemwise import lower_elemwise
from tetractys.passes.lower_indexing import (
    lower_advanced_inc_subtensor,
    lower_advanced_subtensor,
    lower_inc_subtensor,
    lower_subtensor,
)
from tetractys.passes.lower_nests import FunctionLowering, is_view
from tetractys.passes.lower_reductions import (
    lower_check_equal,
    lower_dot,
    lower_gemm,
    lower_max_and_argmax,
    lower_reduce,
)
from tetractys.passes.lower_shapes import (
    lower_alloc,
    lower_arange,
    lower_dimshuffle,
    lower_make_vector,
    lower_reshape,
    lower_shape,
    lower_size,
)

RULES: dict[str, Callable[..., None]] = {
    "tensor.dimshuffle": lower_dimshuffle,
    "tensor.reshape_to": lower_reshape,
    "tensor.shape": lower_shape,
    "tensor.size": lower_size,
    "tensor.make_vector": lower_make_vector,
    "tensor.alloc": lower_alloc,
    "tensor.arange": lower_arange,
    "tensor.reduce": lower_reduce,
    "tensor.max_and_argmax": lower_max_and_argmax,
    "tensor.dot": lower_dot,
    "tensor.gemm": lower_gemm,
    "tensor.subtensor": lower_subtensor,
    "tensor.inc_subtensor": lower_inc_subtensor,
    "tensor.advanced_subtensor": lower_advanced_subtensor,
    "tensor.advanced_inc_subtensor": lower_advanced_inc_subtensor,
    "tensor.check_equal": lower_check_equal,
}
"""How each `tensor` operation lowers."""

_DECOMPOSED = {"tensor.grad": "autodiff", "tensor.softmax": "decompose",
               "tensor.log_softmax": "decompose"}  # fmt: skip


def lower_operation(lowering: FunctionLowering, op: Operation) -> None:
    """Lowers one operation of level 1."""
    lowering.operation, lowering.location = op, op.location
    lowering.hint = op.name.partition(".")[2]
    if op.name in RULES:
        RULES[op.name](lowering, op)
    elif op.name.startswith("elemwise."):
        lower_elemwise(lowering, op)
    else:
        hint = _DECOMPOSED.get(op.name)
        why = f"run {hint} first" if hint else "it has no rule in passes/lower_to_loops.py"
        raise NotImplementedError(f"lower-to-loops: found {op.name}; {why}")


def build_return(lowering: FunctionLowering, op: func.ReturnOp) -> None:
    """Returns arrays of the function's own: arguments, views, what is returned twice are copied."""
    returned: list[SSAValue] = []
    for value in op.operands:
        assert isinstance(value.type, TensorType)
        lowering.location = op.location
        if not value.type.get_shape():
            returned.append(lowering.scalar(value))
            continue
        array = lowering.array(value)
        if isinstance(array, BlockArgument) or is_view(array) or array in returned:
            array = lowering.copy(value)
        returned.append(array)
    lowering.block.add_op(func.ReturnOp.create(operands=returned, location=op.location))


_ERASABLE = (ElemwiseOp, DimOp, GatherOp, NestOp, ViewOp, CallOp, SubviewOp, InsertOp,
              EmptyOp)  # fmt: skip


def erase_dead(block: Block) -> None:
    """Erases the function's operations that nothing uses; checks stay."""
    op = block.last_op
    while op is not None:
        before = op.prev_op
        if isinstance(op, _ERASABLE) and all(result.first_use is None for result in op.results):
            op.detach()
            op.erase()
        op = before


def lower_function(function: func.FuncOp) -> None:
    """Replaces the body of a function."""
    old = function.body.block
    hoist_checks(old)
    lowering = FunctionLowering(old, function.location)
    for op in old.ops:
        if isinstance(op, func.ReturnOp):
            build_return(lowering, op)
        else:
            lower_operation(lowering, op)
    new = lowering.block
    erase_dead(new)
    last = new.last_op
    assert last is not None
    function.body.detach_block(old)
    function.body.add_block(new)
    function.properties["function_type"] = FunctionType.from_lists(
        [argument.type for argument in new.args], [value.type for value in last.operands]
    )
    drop(old)


def drop(block: Block) -> None:
    """Lets go of a detached block, so that its operations count as users of nothing."""
    for op in reversed(list(block.ops)):
        op.drop_all_references()


@dataclass(frozen=True)
class LowerToLoopsPass(ModulePass):
    """See the module."""

    name = "lower-to-loops"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Lowers every function that has a body."""
        for function in op.ops:
            if isinstance(function, func.FuncOp) and function.body.blocks:
                lower_function(function)


__all__ = ["LowerToLoopsPass", "Region", "lower_function"]
