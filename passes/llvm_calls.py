"""Library calls at level 3: `gemm` by the BLAS of SciPy (Fortran's interface, 32-bit sizes).

Our arrays are row-major, BLAS takes column-major ones: C = A B is asked for as C' = B' A', whose
operands lie in memory as they are.
"""

from __future__ import annotations

from typing import cast

from xdsl.dialects import llvm
from xdsl.dialects.builtin import f64, i8, i32, i64
from xdsl.ir import Operation, SSAValue

from tetractys.dialects import loops
from tetractys.passes.llvm_builder import PTR, itemsize, llvm_type
from tetractys.passes.llvm_frame import Frame
from tetractys.passes.llvm_memory import Buffer, number_of
from tetractys.passes.llvm_scopes import ScopedBuilder
from tetractys.passes.llvm_transfer import fill


def _cell(builder: ScopedBuilder, value: SSAValue) -> SSAValue:
    """The address of a place on the stack that holds a value."""
    place = builder.stack(value.type)
    builder.store(value, place)
    return place


def _small(builder: ScopedBuilder, value: SSAValue) -> SSAValue:
    return builder.emit(llvm.TruncOp, (value,), i32)


def _leading(builder: ScopedBuilder, buffer: Buffer) -> SSAValue:
    """The leading dimension: the row stride in elements, but at least the row's length and 1."""
    shift = {4: 2, 8: 3}[itemsize(buffer.element)]
    stride = number_of(builder, buffer.strides[0])
    elements = builder.emit(llvm.AShrOp, (stride, builder.index(shift)), i64)
    return builder.smax(elements, builder.smax(buffer.sizes[1], builder.index(1)))


def lower_call(frame: Frame, op: Operation) -> None:
    """`loops.call` of gemm: nothing for an empty result, zeros for an empty sum."""
    call = cast(loops.CallOp, op)
    if call.callee.data != "gemm":
        op.emit_error(f"lower-loops-to-llvm: found a call of {call.callee.data!r}; expected gemm",
                      NotImplementedError())
    builder = frame.builder
    a, c = frame.buffer(op.operands[0]), frame.buffer(op.operands[2])
    flags = call.options.data if call.options is not None else {}
    inner = a.sizes[0 if "transpose_a" in flags else 1]
    elements = builder.mul(c.sizes[0], c.sizes[1])

    def whole() -> None:
        builder.when(
            builder.icmp("sgt", inner, builder.index(0)), lambda: _gemm(frame, call, inner)
        )
        builder.when(builder.icmp("sle", inner, builder.index(0)), lambda: fill(builder, c, 0))

    builder.when(builder.icmp("sgt", elements, builder.index(0)), whole)


def _gemm(frame: Frame, call: loops.CallOp, inner: SSAValue) -> None:
    builder = frame.builder
    a, b, c = [frame.buffer(operand) for operand in call.operands]
    flags = call.options.data if call.options is not None else {}
    letters = [ord("T") if name in flags else ord("N") for name in ("transpose_b", "transpose_a")]
    element = llvm_type(c.element)
    one, zero = builder.constant(1, element), builder.constant(0, element)
    cells = [_cell(builder, builder.constant(letter, i8)) for letter in letters]
    cells += [_cell(builder, _small(builder, size)) for size in (c.sizes[1], c.sizes[0], inner)]
    scale, keep = _cell(builder, one), _cell(builder, zero)
    leading = [_cell(builder, _small(builder, _leading(builder, array))) for array in (b, a, c)]
    name = "dgemm" if element == f64 else "sgemm"
    pointers = [cast(SSAValue, array.pointer) for array in (b, a, c)]
    assert all(pointer.type == PTR for pointer in pointers)
    builder.call_extern(
        name,
        [
            *cells,
            scale,
            pointers[0],
            leading[0],
            pointers[1],
            leading[1],
            keep,
            pointers[2],
            leading[2],
        ],
        None,
    )
