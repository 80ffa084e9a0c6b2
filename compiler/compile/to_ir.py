"""From the symbolic graph to level-1 IR: one `func.func @main`, one operation an Apply.

Pre-condition: every Apply between the inputs and the results is native. The operations carry the
user's file and line and the number of the Apply; the arguments are the inputs, the shared values,
then the constants of rank 1 or more, whose values stay out of the IR. An input that comes with its
dimensions permuted (`Request.orders`) is put in order by a `tensor.dimshuffle`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from xdsl.dialects import func
from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    DictionaryAttr,
    FunctionType,
    IntegerAttr,
    ModuleOp,
    StringAttr,
    UnitAttr,
    i64,
)
from xdsl.ir import Attribute, Block, BlockArgument, Region, SSAValue

from tetractys.compile.request import usual_sizes
from tetractys.dialects import elemwise, types
from tetractys.dialects.build import APPLY, build
from tetractys.dialects.signature import Spec
from tetractys.dialects.tensor_signatures import DIMSHUFFLE
from tetractys.graph import Constant, Variable
from tetractys.runtime.order import UNIT, in_order
from tetractys.runtime.spec import Order

if TYPE_CHECKING:
    from tetractys.compile.request import Request


def graph_to_ir(request: Request) -> ModuleOp:
    """The module of a compilation request: `@main(inputs, shareds, constants) -> (results)`."""
    arguments = request.arguments
    orders = [*request.orders, *[()] * (len(arguments) - len(request.orders))]
    specs = [_permuted(v.type.spec, order) for v, order in zip(arguments, orders)]
    block = Block(arg_types=[types.tensor_type(spec) for spec in specs])
    values: dict[Variable, SSAValue] = {}
    for variable, argument, order in zip(arguments, block.args, orders):
        argument.location = types.location(*variable.site)
        _hint(argument, variable.name)
        values[variable] = _in_order(argument, order, block) if order else argument
    for number, node in enumerate(request.nodes):
        assert node.op.signature is not None
        props, inputs = node.op.lowered(node)
        operands = [_operand(variable, values, block) for variable in inputs]
        op = build(node.op.signature, operands, props, types.location(*node.site))
        op.attributes[APPLY] = _number(number)
        block.add_op(op)
        for variable, result in zip(node.outputs, op.results):
            values[variable] = result
            _hint(result, variable.name)
    results = [_operand(variable, values, block) for variable in request.results]
    block.add_op(func.ReturnOp.create(operands=results, location=types.location(*request.site)))
    return _module(block, [value.type for value in results], _argument_attributes(request), request)


def _permuted(spec: Spec, order: Order) -> Spec:
    dtype, shape = spec
    return dtype, in_order(shape, order, 1)


def _in_order(argument: BlockArgument, order: Order, block: Block) -> SSAValue:
    """The array as the user sees it, of an argument that has its dimensions permuted."""
    back = tuple(place for _, place in sorted((d, k) for k, d in enumerate(order) if d != UNIT))
    op = build(DIMSHUFFLE, [argument], {"order": back}, argument.location)
    block.add_op(op)
    return op.results[0]


@lru_cache(maxsize=4096)
def _number(number: int) -> IntegerAttr:
    return IntegerAttr(number, i64)


def _operand(variable: Variable, values: dict[Variable, SSAValue], block: Block) -> SSAValue:
    if variable not in values:
        assert isinstance(variable, Constant), f"{variable} has no value"
        type_ = types.tensor_type(variable.type.spec)
        constant = elemwise.ConstantOp.make(
            variable.data.item(), type_, types.location(*variable.site)
        )
        block.add_op(constant)
        values[variable] = constant.results[0]
    return values[variable]


def _hint(value: SSAValue, name: str | None) -> None:
    """Keeps the user's name where it can be an SSA name."""
    if name and name.replace("_", "a").isalnum() and name.isascii() and not name[0].isdigit():
        value.name_hint = name


def _sizes(variable: Variable) -> dict[str, Attribute]:
    sizes = usual_sizes(variable)
    return {"tt.sizes": DenseArrayBase.from_list(i64, sizes)} if sizes else {}


def _order(order: Order) -> dict[str, Attribute]:
    """Of an array that comes with its dimensions permuted, which has rows of bearable length."""
    return {"tt.order": DenseArrayBase.from_list(i64, order)} if order else {}


def _argument_attributes(request: Request) -> list[Attribute]:
    updated = dict(request.updated)
    orders = dict(zip(request.inputs, request.orders))
    return [
        DictionaryAttr(
            {
                "tt.kind": StringAttr(kind),
                **({"tt.name": StringAttr(variable.name)} if variable.name else {}),
                **({"tt.donated": UnitAttr()} if variable in request.donated else {}),
                **({"tt.update": _number(updated[variable])} if variable in updated else {}),
                **_sizes(variable),
                **_order(orders.get(variable, ())),
            }
        )
        for kind, variable in request.argument_kinds()
    ]


def _module(
    block: Block, results: Sequence[Attribute], attributes: Sequence[Attribute], request: Request
) -> ModuleOp:
    inputs = [argument.type for argument in block.args]
    main = func.FuncOp.create(
        properties={
            "sym_name": StringAttr("main"),
            "function_type": FunctionType.from_lists(inputs, results),
            "arg_attrs": ArrayAttr(attributes),
        },
        regions=[Region(block)],
        location=types.location(*request.site),
    )
    module = ModuleOp([main])
    module.location = main.location
    return module
