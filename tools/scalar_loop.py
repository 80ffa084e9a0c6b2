"""A function of scalars compiled to one loop over arrays: how tests run single operations.

    loop = ScalarLoop(operation_function("exp", ["float64"]), width=8)
    (y,) = loop(x)

The path is the product's (`expand-math`, `llvm_scalars`, the emitter, code generation); only the
loop around it is made here: it runs to a multiple of the width, over padded copies of the operands.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from xdsl.context import Context
from xdsl.dialects import func, llvm
from xdsl.dialects.builtin import ModuleOp, i1, i64
from xdsl.ir import Attribute, Block, Region, SSAValue

from tetractys.dialects import elemwise_signatures, types
from tetractys.dialects.build import build
from tetractys.passes import emit_llvm, llvm_scalars
from tetractys.passes.expand_math import ExpandMathPass
from tetractys.passes.llvm_builder import (
    PTR,
    LLVMBuilder,
    element_of,
    llvm_type,
    memory_type,
    vector_of,
)
from tetractys.runtime import jit

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
_SYMBOL = "tt_scalar_loop"


def operation_function(
    name: str, dtypes: Sequence[str], props: Mapping[str, object] | None = None
) -> func.FuncOp:
    """`func.func @f(%0: .., ..) { %r = elemwise.<name> ..; return %r }` on scalars."""
    block = Block(arg_types=[types.element_type(dtype) for dtype in dtypes])
    op = build(elemwise_signatures.SIGNATURES[name], block.args, props)
    block.add_ops([op, func.ReturnOp(*op.results)])
    inputs = [argument.type for argument in block.args]
    return func.FuncOp("f", (inputs, [v.type for v in op.results]), Region(block))


class ScalarLoop:
    """The loop: one array an argument, one array a result."""

    def __init__(
        self,
        function: func.FuncOp,
        width: int = 0,
        *,
        fused: bool = True,
        addresses: Mapping[str, int] | None = None,
        scales: bool = False,
    ) -> None:
        """width: lanes of a vector, 0 for scalars. addresses: of the C functions that it calls.

        scales: as in `lower-loops-to-llvm`.
        """
        self.width = max(width, 1)
        self._dtypes = [types.dtype_of(v.type) for v in function.body.block.args]
        if function.parent is None:
            ModuleOp([function])
        module = function.get_toplevel_object()
        assert isinstance(module, ModuleOp)
        ExpandMathPass(scales, fused).apply(Context(), module)
        returned = function.body.block.last_op
        assert returned is not None
        self.results: list[str] = [types.dtype_of(v.type) for v in returned.operands]
        lowered = _lowered(function, width, addresses or {}, fused=fused, scales=scales)
        self.text = emit_llvm.emit(lowered)
        self._code = jit.load(jit.compile_text(self.text), (_SYMBOL,))
        pointers = [ctypes.c_void_p] * (len(self._dtypes) + len(self.results))
        self.native = ctypes.CFUNCTYPE(None, *pointers, ctypes.c_int64)(self._code[_SYMBOL])

    def __call__(self, *operands: Array) -> list[Array]:
        """The results of operands of one length and of the declared dtypes."""
        (length,) = {len(operand) for operand in operands}
        padded = -(-max(length, 1) // self.width) * self.width
        arrays = []
        for operand, dtype in zip(operands, self._dtypes, strict=True):
            assert operand.dtype.name == ("int64" if dtype == "index" else dtype)
            array = np.ones(padded, operand.dtype)
            array[:length] = operand
            arrays.append(array)
        results = [np.empty(padded, dtype) for dtype in self.results]
        self.native(*(array.ctypes.data for array in (*arrays, *results)), padded)
        return [result[:length] for result in results]


def _lowered(
    function: func.FuncOp, lanes: int, addresses: Mapping[str, int], **machine: bool
) -> ModuleOp:
    """`void @tt_scalar_loop(ptr, .., i64 n)`."""
    source = function.body.block
    returned = source.last_op
    assert returned is not None
    arguments = [PTR] * (len(source.args) + len(returned.operands)) + [i64]
    entry = Block(arg_types=arguments)
    target = llvm.FuncOp(
        _SYMBOL, llvm.LLVMFunctionType(arguments, llvm.LLVMVoidType()),
        linkage=llvm.LinkageAttr("external"), body=Region(entry),
    )
    b = LLVMBuilder(entry, lambda name: b.emit(
        llvm.IntToPtrOp, (b.constant(addresses[name], i64),), PTR))
    loop, done = b.new_block([i64]), b.new_block()
    b.branch(loop, (b.constant(0, i64),))
    b.block = loop
    index = loop.args[0]
    values: dict[SSAValue, SSAValue] = {}
    for argument, pointer in zip(source.args, entry.args):
        values[argument] = _load(b, pointer, index, argument.type, lanes)
    for op in list(source.ops)[:-1]:
        operands = [values[operand] for operand in op.operands]
        values[op.results[0]] = llvm_scalars.lower(op, operands, b, lanes, **machine)
    for value, pointer in zip(returned.operands, entry.args[len(source.args) :]):
        _store(b, pointer, index, values[value])
    following = b.add(index, b.constant(max(lanes, 1), i64))
    b.branch_if(b.icmp("slt", following, entry.args[-1]), loop, (following,), done)
    b.block = done
    b.block.add_op(llvm.ReturnOp.create())
    return ModuleOp([target])


def _load(
    b: LLVMBuilder, pointer: SSAValue, index: SSAValue, type_: Attribute, lanes: int
) -> SSAValue:
    element = memory_type(type_)
    value = b.load(b.offset(pointer, index, element), vector_of(element, lanes))
    return b.convert(llvm.TruncOp, value, i1) if llvm_type(type_) == i1 else value


def _store(b: LLVMBuilder, pointer: SSAValue, index: SSAValue, value: SSAValue) -> None:
    element = element_of(memory_type(value.type))
    b.store(b.convert(llvm.ZExtOp, value, element), b.offset(pointer, index, element))
