"""`explicit-casts`: uniform afterwards, and the numbers of the oracle for mixed dtypes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region

from tetractys.dialects import elemwise, elemwise_signatures, types
from tetractys.dialects.build import build
from tetractys.dialects.scalar_table import TABLE, default_props, dtype_cases
from tetractys.dialects.signature import ElemwiseSignature
from tetractys.oracle.agreement import difference
from tetractys.oracle.tensor import run
from tetractys.passes.explicit_casts import ExplicitCastsPass, check_uniform
from tetractys.tools.opt import OptMain

Compiled = Callable[..., ModuleOp]


def cases() -> Iterator[ElemwiseSignature]:
    for signature in elemwise_signatures.SIGNATURES.values():
        if not signature.machine and signature is not elemwise_signatures.CONSTANT:
            yield signature


def module_of(
    signature: ElemwiseSignature, dtypes: tuple[str, ...], props: dict[str, object]
) -> ModuleOp:
    block = Block(arg_types=[types.tensor_type((dtype, (-1,))) for dtype in dtypes])
    op = build(signature, block.args, props)
    block.add_ops([op, ReturnOp.create(operands=op.results)])
    kinds = ([a.type for a in block.args], [op.results[0].type])
    return ModuleOp([FuncOp("main", kinds, Region(block))])


@pytest.mark.parametrize("signature", list(cases()), ids=lambda signature: signature.short)
def test_numbers_are_those_of_mixed_operands(signature: ElemwiseSignature) -> None:
    rng = np.random.default_rng(0)
    for dtypes in dtype_cases(signature, props := default_props(signature)):
        arguments = TABLE[signature].operands(dtypes, props, rng, size=8)
        module = module_of(signature, dtypes, props)
        (expected,) = run(module, arguments)
        ExplicitCastsPass().apply(OptMain(["/dev/null"]).ctx, module)
        module.verify()
        check_uniform(module.walk())
        (found,) = run(module, arguments)
        assert (why := difference(found, expected)) is None, (dtypes, why)


def test_the_check_names_what_is_not_uniform(compiled: Compiled) -> None:
    text = """func.func @main(%x: tensor<?xf64>, %n: tensor<?xi8>) -> tensor<?xf64> {
  %0 = elemwise.mul %x, %n : (tensor<?xf64>, tensor<?xi8>) -> tensor<?xf64>
  func.return %0 : tensor<?xf64>
}"""
    with pytest.raises(ValueError, match="elemwise.mul: found int8 in operand 1; expected float64"):
        check_uniform(compiled(text).walk())
    check_uniform(compiled(text, "explicit-casts").walk())


def test_casts_have_the_location_of_their_user(compiled: Compiled) -> None:
    module = compiled("""func.func @main(%x: tensor<?xf64>, %n: tensor<?xi8>) -> tensor<?xf64> {
  %0 = elemwise.mul %x, %n : (tensor<?xf64>, tensor<?xi8>) -> tensor<?xf64>
  func.return %0 : tensor<?xf64>
}""", "explicit-casts")
    casts = [op for op in module.walk() if isinstance(op, elemwise.CastOp)]
    assert [str(op.location) for op in casts] == ['loc("test.mlir":2:3)']
