"""Library calls at level 3: `gemm` by the BLAS of SciPy (Fortran's interface, 32-bit sizes).

Our arrays are row-major, BLAS takes column-major ones: C = A B is asked for as C' = B' A', whose
operands lie in memory as they are. Rows that lie in reverse order or over each other are not BLAS'
business: such products are loops.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import cast

from xdsl.dialects import llvm
from xdsl.dialects.builtin import f64, i1, i8, i32, i64
from xdsl.ir import Operation, SSAValue

from tetractys.dialects import loops
from tetractys.passes.llvm_builder import PTR, itemsize, llvm_type, memory_type
from tetractys.passes.llvm_frame import Frame
from tetractys.passes.llvm_memory import Buffer, address, number_of
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


def _fits(builder: ScopedBuilder, buffer: Buffer) -> SSAValue:
    """Whether BLAS can be told where the rows lie: apart (not reversed, not one row over and over),
    and in numbers of 32 bits.
    """
    rows, columns = buffer.sizes
    shift = {4: 2, 8: 3}[itemsize(buffer.element)]
    stride = number_of(builder, buffer.strides[0])
    stride = builder.emit(llvm.AShrOp, (stride, builder.index(shift)), i64)
    apart = builder.icmp("sge", stride, columns)
    single = builder.icmp("sle", rows, builder.index(1))
    largest = builder.smax(builder.smax(rows, columns), stride)
    small = builder.icmp("slt", largest, builder.index(2**31))
    return builder.binary(llvm.AndOp, builder.binary(llvm.OrOp, apart, single), small)


def _product(
    frame: Frame, a: Buffer, b: Buffer, c: Buffer, inner: SSAValue, flags: Container[str]
) -> None:
    """The product element by element, for operands that BLAS does not take."""
    builder = frame.builder
    zero = builder.constant(0, llvm_type(c.element))

    def element(i: SSAValue, j: SSAValue) -> None:
        def term(k: SSAValue, total: Sequence[SSAValue]) -> Sequence[SSAValue]:
            rows = ((0, k), (1, i)) if "transpose_a" in flags else ((0, i), (1, k))
            columns = ((0, j), (1, k)) if "transpose_b" in flags else ((0, k), (1, j))
            x, y = [
                builder.load(cast(SSAValue, address(builder, one, place)), memory_type(one.element))
                for one, place in ((a, rows), (b, columns))
            ]
            return [frame.multiply_add(x, y, total[0])]

        total = builder.loop(builder.index(0), inner, 1, [zero], term)
        builder.store(total[0], cast(SSAValue, address(builder, c, ((0, i), (1, j)))))

    def row(i: SSAValue, _: object) -> list[SSAValue]:
        def place(j: SSAValue, _: object) -> list[SSAValue]:
            element(i, j)
            return []

        builder.loop(builder.index(0), c.sizes[1], 1, [], place)
        return []

    builder.loop(builder.index(0), c.sizes[0], 1, [], row)


def lower_call(frame: Frame, op: Operation) -> None:
    """`loops.call` of gemm: nothing for an empty result, zeros for an empty sum."""
    call = cast(loops.CallOp, op)
    if call.callee.data != "gemm":
        op.emit_error(f"lower-loops-to-llvm: found a call of {call.callee.data!r}; expected gemm",
                      NotImplementedError())
    builder = frame.builder
    a, b, c = [frame.buffer(operand) for operand in op.operands]
    flags = call.options.data if call.options is not None else {}
    inner = a.sizes[0 if "transpose_a" in flags else 1]
    elements = builder.mul(c.sizes[0], c.sizes[1])

    def product() -> None:
        fit = builder.binary(llvm.AndOp, _fits(builder, a), _fits(builder, b))
        fit = builder.binary(llvm.AndOp, fit, _fits(builder, c))
        builder.when(fit, lambda: _gemm(frame, call, inner))
        no = builder.icmp("eq", fit, builder.constant(0, i1))
        builder.when(no, lambda: _product(frame, a, b, c, inner, flags))

    def whole() -> None:
        builder.when(builder.icmp("sgt", inner, builder.index(0)), product)
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
