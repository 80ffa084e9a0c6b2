"""Small programs for the interpreters: from text, or from Python that emits signatures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region, SSAValue
from xdsl.parser import Parser

from tetractys.dialects import elemwise, types
from tetractys.dialects.build import build
from tetractys.dialects.registry import load_dialect
from tetractys.dialects.signature import Signature, Spec


def parse(text: str) -> ModuleOp:
    """A verified module from text in the dialects of levels 1 and 2."""
    context = Context()
    for name in ("builtin", "func", "elemwise", "tensor", "loops"):
        context.load_dialect(load_dialect(name))
    module = Parser(context, text).parse_module()
    module.verify()
    return module


class Builder:
    """Emits level-1 operations at the end of a block: `b(signature, x, y, dtype="int32")`."""

    def __init__(self, block: Block) -> None:
        self.block = block

    def __call__(self, signature: Signature, *operands: SSAValue, **props: object) -> SSAValue:
        """Emits an operation and returns its first result."""
        return self.all(signature, operands, props)[0]

    def all(
        self, signature: Signature, operands: Sequence[SSAValue], props: Mapping[str, object]
    ) -> Sequence[SSAValue]:
        """Emits an operation and returns all its results."""
        op = build(signature, operands, props)
        self.block.add_op(op)
        return op.results

    def constant(self, number: float, spec: Spec) -> SSAValue:
        """A splat of sizes 1."""
        op = elemwise.ConstantOp.make(number, types.tensor_type(spec))
        self.block.add_op(op)
        return op.results[0]


def program(specs: Sequence[Spec], body: Callable[..., SSAValue | Sequence[SSAValue]]) -> ModuleOp:
    """A module of one function `main`: `body(builder, *arguments)` gives what it returns."""
    block = Block(arg_types=[types.tensor_type(spec) for spec in specs])
    returned = body(Builder(block), *block.args)
    results = [returned] if isinstance(returned, SSAValue) else list(returned)
    block.add_op(ReturnOp(*results))
    kinds = ([argument.type for argument in block.args], [result.type for result in results])
    return ModuleOp([FuncOp("main", kinds, Region(block))])
