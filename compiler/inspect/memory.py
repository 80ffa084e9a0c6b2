"""How much memory a call takes beside its arguments: expressions of sizes, and numbers of the last
call.

    workspace: 8 * x.shape[0] + 4 * x.shape[0] * w.shape[1] bytes
    result 0: 8 * x.shape[0] bytes
    the last call took 1,024 bytes of workspace and 800 of results; 1,824 are kept for the next
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from xdsl.dialects.builtin import DYNAMIC_INDEX, IntegerAttr, MemRefType
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue

from tetractys.dialects import elemwise, loops
from tetractys.inspect.words import Words
from tetractys.passes.llvm_types import itemsize

if TYPE_CHECKING:
    from tetractys.compile.compiled import CompiledFunction

_SIGNS: dict[type[Operation], str] = {
    elemwise.AddOp: "({} + {})",
    elemwise.SubOp: "({} - {})",
    elemwise.MulOp: "{} * {}",
    elemwise.MinimumOp: "min({}, {})",
    elemwise.MaximumOp: "max({}, {})",
    elemwise.IntDivOp: "({} // {})",
    elemwise.SwitchOp: "({1} if {0} else {2})",
    elemwise.AndOp: "({} and {})",
    elemwise.LtOp: "{} < {}",
    elemwise.LeOp: "{} <= {}",
    elemwise.GtOp: "{} > {}",
    elemwise.EqOp: "{} == {}",
}


def memory_lines(function: CompiledFunction, module: Any) -> Iterator[str]:
    """What `f.explain()` says of memory; module: the bufferized one."""
    main, shape = [f for f in module.ops if isinstance(f, FuncOp)]
    words = Words(main)
    for argument, own in zip(shape.body.block.args, main.body.block.args):
        words.names[argument] = words.names[own]
    terms: Counter[str] = Counter()
    for op in shape.body.block.ops:
        if isinstance(op, loops.AllocOp):
            rows = op.properties.get("rows")
            unit = rows.value.data if isinstance(rows, IntegerAttr) else 1
            text, bytes_ = _product(words, op.results[0].type, list(op.operands))
            terms[text] += unit * bytes_
    yield f"workspace: {_sum(terms)}"
    last: Any = shape.body.block.last_op
    sizes = iter(last.operands)
    arguments = shape.body.block.args
    results = len(function.maker.request.results)
    for number, argument in enumerate(arguments[len(arguments) - results :]):
        type_: Any = argument.type
        given = [next(sizes) for _ in type_.get_shape()]
        text, bytes_ = _product(words, type_, [
            size for size, n in zip(given, type_.get_shape()) if n == DYNAMIC_INDEX])
        yield f"result {number}: {_sum(Counter({text: bytes_}))}{_over(function, number)}"
    spent = function.memory()
    if any(spent.values()):
        yield (
            f"the last call took {spent['workspace']:,} bytes of workspace and "
            f"{spent['results']:,} of results; {spent['kept']:,} are kept for the next "
            "(f.free() gives them back)"
        )


def _over(function: CompiledFunction, number: int) -> str:
    """Which argument's memory a result may take."""
    maker = function.maker
    for result, operand in function.spec.inplace:
        if result == number:
            return f", or none: it may be written over {maker.request.arguments[operand]}"
    return ""


def _product(words: Words, type_: Any, sizes: Sequence[SSAValue]) -> tuple[str, int]:
    """The open sizes multiplied, and the bytes of what is known."""
    assert isinstance(type_, MemRefType)
    bytes_ = itemsize(type_.element_type)
    for n in type_.get_shape():
        bytes_ *= n if n != DYNAMIC_INDEX else 1
    return " * ".join(size_text(words, size) for size in sizes), bytes_


def _sum(terms: Counter[str]) -> str:
    shown = [f"{count} * {text}" if text else str(count) for text, count in terms.items() if count]
    return f"{' + '.join(shown) or 'none'}{' bytes' if shown else ''}"


def size_text(words: Words, value: SSAValue) -> str:
    """A size in the names of arguments."""
    owner = value.owner
    if isinstance(owner, elemwise.CastOp):
        return size_text(words, owner.operands[0])
    sign = _SIGNS.get(type(owner)) if isinstance(owner, Operation) else None
    if sign is None or not isinstance(owner, Operation):
        return words.of(value)
    return sign.format(*(size_text(words, operand) for operand in owner.operands))
