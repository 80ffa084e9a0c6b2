"""`fuse-elemwise`: reasons, locations, long chains; numbers are in `test_exactness`."""

from __future__ import annotations

import time
from collections.abc import Callable

from xdsl.dialects.builtin import FusedLoc, ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region

from tetractys.dialects import elemwise, types
from tetractys.passes import registry
from tetractys.passes.fuse_elemwise import Refusal, fuse_module
from tetractys.passes.rewriting import create
from tetractys.tools.opt import OptMain

Compiled = Callable[..., ModuleOp]
VECTOR = types.tensor_type(("float64", (-1,)))

ROUND_A_SUM = """func.func @main(%x: tensor<?xf64>) -> tensor<?xf64> {
  %0 = elemwise.exp %x : tensor<?xf64>
  %1 = tensor.reduce %0 {kind = "add", axes = array<i64: 0>} : (tensor<?xf64>) -> tensor<f64>
  %2 = tensor.dimshuffle %1 {order = array<i64: -1>} : (tensor<f64>) -> tensor<1xf64>
  %3 = elemwise.sqrt %2 : tensor<1xf64>
  %4 = elemwise.true_div %0, %3 : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  func.return %4 : tensor<?xf64>
}"""


def test_every_edge_that_does_not_fuse_has_a_reason(compiled: Compiled) -> None:
    report: list[Refusal] = []
    assert fuse_module(compiled(ROUND_A_SUM), report) == 0
    reasons = {(r.producer.name, r.consumer.name): r.reason for r in report}
    assert reasons == {
        ("tensor.dimshuffle", "elemwise.sqrt"):
            "tensor.dimshuffle is no elementwise operation on arrays",
        ("elemwise.sqrt", "elemwise.true_div"):
            "shapes [1] and [-1] differ: the smaller value would be computed again for each "
            "element of the larger",
        ("elemwise.exp", "elemwise.true_div"):
            "another operand of the consumer is made from the producer's group by an operation "
            "that does not fuse, so one kernel could not compute both",
    }


def test_composites_have_the_lines_of_all_their_operations(compiled: Compiled) -> None:
    module = compiled("""func.func @main(%x: tensor<?xf64>) -> tensor<?xf64> {
  %0 = elemwise.exp %x : tensor<?xf64>
  %1 = elemwise.neg %0 : tensor<?xf64>
  func.return %1 : tensor<?xf64>
}""", "fuse-elemwise")
    (composite,) = [op for op in module.walk() if isinstance(op, elemwise.CompositeOp)]
    assert isinstance(composite.location, FusedLoc)
    assert [":2:" in str(composite.location), ":3:" in str(composite.location)] == [True, True]
    assert [str(op.location) for op in composite.block.ops][:2] == [
        'loc("test.mlir":2:3)', 'loc("test.mlir":3:3)']


def chain(length: int) -> ModuleOp:
    """Elementwise operations on one vector, with edges that skip some."""
    classes = [elemwise.SigmoidOp, elemwise.NegOp, elemwise.ExpOp, elemwise.LogOp, elemwise.SqrOp]
    block = Block(arg_types=[VECTOR, VECTOR])
    values = list(block.args)
    for number in range(length):
        if number % 7 == 0:
            op = create(elemwise.MulOp, [values[-1], values[max(0, len(values) - 4)]], None)
        elif number % 11 == 0:
            op = create(elemwise.AddOp, [values[-1], block.args[1]], None)
        else:
            op = create(classes[number % 5], [values[-1]], None)
        block.add_op(op)
        values.append(op.results[0])
    block.add_op(ReturnOp.create(operands=[values[-1]]))
    return ModuleOp([FuncOp("main", ([VECTOR, VECTOR], [VECTOR]), Region(block))])


def test_twenty_thousand_operations_through_all_of_level_one() -> None:
    """Linear: ten times as many operations take less than thirty times as long."""
    context = OptMain(["/dev/null"]).ctx
    seconds = []
    for length in (2_000, 20_000):
        module = chain(length)
        start = time.process_time()
        for name in ("explicit-casts", "canonicalize", "cse", "stabilize", "constant-fold",
                     "canonicalize", "cse", "decompose", "choose-blas", "fuse-elemwise"):
            registry.load_pass(name)().apply(context, module)
        seconds.append(time.process_time() - start)
    function = module.body.block.first_op
    assert isinstance(function, FuncOp)
    assert [op.name for op in function.body.block.ops] == ["elemwise.composite", "func.return"]
    assert seconds[1] < 30 * max(seconds[0], 0.05)
