"""What each pass expects of its input, asked by `tt-opt` and DebugMode before they run it.

    tt-opt x.mlir -p lower-loops-to-llvm
    x.mlir:3:3: error: pass 'lower-loops-to-llvm': found elemwise.add of tensor<?xf64>;
    expected loop nests in memory; run bufferize first

A pass is written for one level of IR and takes it for granted; the compiler runs passes in the
order of `compiler/pipeline.py` and need not ask. One table says the level of each pass; a level is
a predicate on operations: why one does not belong there, None where it does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from xdsl.dialects import func
from xdsl.dialects.builtin import IntegerAttr, MemRefType, ModuleOp, TensorType
from xdsl.ir import Attribute, Block, Operation
from xdsl.utils.exceptions import PassFailedException

from tetractys.dialects import elemwise, loops, tensor, types
from tetractys.passes.rewriting import operations_of

Predicate: TypeAlias = Callable[[Operation], str | None]
"""What is wrong with an operation, None if nothing is."""


class Level(NamedTuple):
    """A kind of IR: its name, the predicate of its operations and of its functions' arguments."""

    name: str
    problem: Predicate
    argument: Callable[[Attribute], bool]


# Predicates on types.


def is_number(type_: Attribute) -> bool:
    """Whether a type is a scalar or a vector of ours."""
    if isinstance(type_, TensorType | MemRefType):
        return False
    return is_element(type_)


def is_element(type_: Attribute) -> bool:
    """Whether what a type holds is of a dtype of ours."""
    try:
        types.dtype_of(type_)
    except ValueError:
        return False
    return True


def is_array(type_: Attribute) -> bool:
    """Whether a type is a tensor of level 1: numbers, not indices."""
    return isinstance(type_, TensorType) and is_element(type_) and types.dtype_of(type_) != "index"


def is_value(type_: Attribute) -> bool:
    """Whether a type is one of level 2 before memory: a number, or a tensor of rank 1 or more."""
    return is_number(type_) or (is_array(type_) and types.spec_of(type_)[1] != ())


def is_memory(type_: Attribute) -> bool:
    """Whether a type is one of level 2 in memory: a number or a memref."""
    return is_number(type_) or (isinstance(type_, MemRefType) and is_element(type_))


def odd_type(op: Operation, accepted: Callable[[Attribute], bool]) -> str | None:
    """The operation with the first type that is not accepted, in words."""
    for value in (*op.operands, *op.results):
        if not accepted(value.type):
            return f"{op.name} of {value.type}"
    for region in op.regions:
        for block in region.blocks:
            for argument in block.args:
                if not accepted(argument.type):
                    return f"{op.name} over {argument.type}"
    return None


def odd_results(op: func.FuncOp) -> str | None:
    """What `bufferize` cannot have left as the number of results, in words."""
    found = op.attributes.get("tt.results")
    if found is None:
        return None
    count = found.value.data if isinstance(found, IntegerAttr) else -1
    return None if 0 <= count <= len(op.body.block.args) else f"tt.results = {found}"


# Predicates on operations, one a level.


def not_arrays(op: Operation) -> str | None:
    """Why an operation is not of level 1."""
    if isinstance(op, func.ReturnOp):
        return odd_type(op, is_array)
    if isinstance(op.parent_op(), elemwise.CompositeOp):
        wanted = elemwise.ElemwiseOp | elemwise.YieldOp
        return odd_type(op, is_number) if isinstance(op, wanted) else op.name
    if isinstance(op, elemwise.CompositeOp):
        return None  # its verifier knows
    if isinstance(op, elemwise.ElemwiseOp | tensor.TensorOp):
        if isinstance(op, elemwise.ConstantOp) and is_number(op.results[0].type):
            return f"{op.name} of {op.results[0].type}"
        return odd_type(op, is_array)
    return op.name


_LOOPS = (elemwise.ElemwiseOp, elemwise.SplatOp, func.ReturnOp, *loops.Loops.operations)
_MADE_BY_BUFFERIZE = (loops.AllocOp, loops.StoreOp)


def _not_loops(op: Operation, accepted: Callable[[Attribute], bool]) -> str | None:
    if isinstance(op, elemwise.ElemwiseOp | elemwise.SplatOp):
        return odd_type(op, is_number)
    return odd_type(op, accepted) or (None if isinstance(op, _LOOPS) else op.name)


def not_values(op: Operation) -> str | None:
    """Why an operation is not of level 2 on values."""
    return _not_loops(op, is_value) or (op.name if isinstance(op, _MADE_BY_BUFFERIZE) else None)


def not_memory(op: Operation) -> str | None:
    """Why an operation is not of level 2 in memory."""
    return _not_loops(op, is_memory)


def not_ours(op: Operation) -> str | None:
    """Why an operation is neither of level 1 nor of level 2."""
    known = (*_LOOPS, tensor.TensorOp, elemwise.CompositeOp, elemwise.YieldOp)
    if not isinstance(op, known):
        return op.name
    return odd_type(op, lambda t: is_memory(t) or is_array(t))


ARRAYS = Level("arrays, the operations of tensor and elemwise on tensors", not_arrays, is_array)
VALUES = Level("loop nests on values", not_values, is_value)
MEMORY = Level("loop nests in memory", not_memory, is_memory)
EITHER = Level("arrays or loop nests", not_ours, lambda t: is_memory(t) or is_array(t))


class Expectation(NamedTuple):
    """What a pass runs on, and the pass that makes it (empty: what level 1 begins with)."""

    level: Level
    after: str = ""


_LATE = "this pass comes before lower-to-loops"

EXPECTATIONS = {
    "explicit-casts": Expectation(ARRAYS),
    "canonicalize": Expectation(ARRAYS),
    "cse": Expectation(EITHER),
    "stabilize": Expectation(ARRAYS),
    "constant-fold": Expectation(ARRAYS),
    "autodiff": Expectation(ARRAYS),
    "hoist-checks": Expectation(ARRAYS),
    "choose-blas": Expectation(ARRAYS),
    "decompose": Expectation(ARRAYS),
    "move-indexing": Expectation(ARRAYS),
    "fuse-elemwise": Expectation(ARRAYS),
    "lower-to-loops": Expectation(ARRAYS),
    "fuse-nests": Expectation(VALUES, "lower-to-loops"),
    "schedule-cpu": Expectation(VALUES, "lower-to-loops"),
    "expand-math": Expectation(EITHER),  # it leaves arrays as they are
    "vectorize": Expectation(VALUES, "lower-to-loops, then schedule-cpu,"),
    "mark-inplace": Expectation(VALUES, "lower-to-loops"),
    "bufferize": Expectation(VALUES, "lower-to-loops"),
    "lower-loops-to-llvm": Expectation(MEMORY, "bufferize"),
}
"""By the pass's name; a pass that is not here takes any IR."""


def check(name: str, module: ModuleOp) -> None:
    """Raises PassFailedException where `module` is not what the pass called `name` runs on."""
    expectation = EXPECTATIONS.get(name)
    if expectation is None:
        return
    for op in module.body.block.ops:
        if not isinstance(op, func.FuncOp):
            found = f"{op.name} beside the functions"
            raise _refusal(name, op, found, "func.func", _advice(op, expectation))
        if op.body.blocks:
            _check_function(name, op, expectation)


def _check_function(name: str, op: func.FuncOp, expectation: Expectation) -> None:
    level = expectation.level
    if len(op.body.blocks) != 1 or not isinstance(op.body.block.last_op, func.ReturnOp):
        found = f"@{op.sym_name.data} with branches"
        raise _refusal(name, op, found, "one block that ends in func.return", "")
    for argument in op.body.block.args:
        if not level.argument(argument.type):
            found = f"an argument of type {argument.type}"
            raise _refusal(name, op, found, level.name, _advice_of_type(argument.type, expectation))
    if level is MEMORY and (found := odd_results(op)) is not None:
        raise _refusal(name, op, found, "the number of result arguments, as 1 : i64", "")
    _check_block(name, op.body.block, expectation)


def _check_block(name: str, block: Block, expectation: Expectation) -> None:
    for op in operations_of(block):
        if (found := expectation.level.problem(op)) is not None:
            raise _refusal(name, op, found, expectation.level.name, _advice(op, expectation))


def _refusal(name: str, op: Operation, found: str, wanted: str, advice: str) -> Exception:
    # `op` is in the frame that raises, and that is where the place is taken from.
    return PassFailedException(f"pass '{name}': found {found}; expected {wanted}{advice}")


def _advice(op: Operation, expectation: Expectation) -> str:
    if expectation.level is ARRAYS and op.name.startswith("loops."):
        return f"; {_LATE}"
    for value in (*op.operands, *op.results):
        if not expectation.level.argument(value.type):
            return _advice_of_type(value.type, expectation)
    if op.name.startswith("llvm") or isinstance(op, _MADE_BY_BUFFERIZE):
        return "; this pass comes before " + _next_of(expectation.level)
    return f"; run {expectation.after} first" if expectation.after else ""


def _advice_of_type(type_: Attribute, expectation: Expectation) -> str:
    if not is_element(type_):
        return "; use a type of ours: " + ", ".join(types.element_names())
    if expectation.level is ARRAYS:
        return f"; {_LATE}" if isinstance(type_, MemRefType) else "; use tensor<f64> for a number"
    if isinstance(type_, MemRefType):
        return "; this pass comes before bufferize"
    return f"; run {expectation.after} first" if expectation.after else ""


def _next_of(level: Level) -> str:
    return {ARRAYS.name: "lower-to-loops", VALUES.name: "bufferize"}.get(
        level.name, "lower-loops-to-llvm"
    )
