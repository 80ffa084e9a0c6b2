"""Library calls at level 3: `gemm` by a BLAS (Fortran's interface, 32-bit sizes).

A module has one function a dtype for all its products, `tt_dgemm_rows` or `tt_sgemm_rows`: what to
do with an empty sum, with rows that BLAS cannot be told of, and the call itself stand there once.

Our arrays are row-major, BLAS takes column-major ones: C = A B is asked for as C' = B' A', whose
operands lie in memory as they are. Rows that lie in reverse order or over each other are not BLAS'
business: such products are loops.

    loops.call @gemm(%a, %b, %c) {transpose_a}
becomes
    call void @tt_dgemm_rows(%flat, %a, %stride_a, %b, %stride_b, %c, %stride_c, m, n, k, 1, 0)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

from xdsl.dialects import llvm
from xdsl.dialects.builtin import f64, i1, i8, i32, i64
from xdsl.ir import Attribute, Operation, SSAValue

from tetractys.dialects import loops
from tetractys.passes.llvm_builder import PTR, VOID, itemsize, llvm_type, memory_type
from tetractys.passes.llvm_frame import Frame, Machine, Tables
from tetractys.passes.llvm_memory import Buffer, address, number_of
from tetractys.passes.llvm_scopes import ScopedBuilder
from tetractys.passes.llvm_transfer import fill

_ARGUMENTS = (PTR, *(PTR, i64) * 3, i64, i64, i64, i1, i1)
"""The flat block; A, B, C, each with its rows' stride in bytes; rows, columns, inner size;
whether A and B are transposed.
"""


def lower_call(frame: Frame, op: Operation) -> None:
    """`loops.call` of gemm: a call of the module's function for products of the dtype."""
    call = cast(loops.CallOp, op)
    if call.callee.data != "gemm":
        op.emit_error(f"lower-loops-to-llvm: found a call of {call.callee.data!r}; expected gemm",
                      NotImplementedError())
    builder = frame.builder
    a, b, c = [frame.buffer(operand) for operand in op.operands]
    flags = call.options.data if call.options is not None else {}
    inner = a.sizes[0 if "transpose_a" in flags else 1]
    arguments: list[SSAValue] = [frame.flat]
    for array in (a, b, c):
        arguments += [cast(SSAValue, array.pointer), number_of(builder, array.strides[0])]
    arguments += [*c.sizes, inner]
    arguments += [builder.constant(name in flags, i1) for name in ("transpose_a", "transpose_b")]
    name = "dgemm" if llvm_type(c.element) == f64 else "sgemm"
    symbol = f"tt_{name}_rows"
    if symbol not in frame.tables.functions:
        frame.tables.functions[symbol] = build_gemm(symbol, name, c.element, frame.tables,
                                                    frame.machine)
    builder.call_symbol(symbol, arguments, None)


# ---- the function of all products


class Product(NamedTuple):
    """C = A B, with A or B transposed or not."""

    a: Buffer
    b: Buffer
    c: Buffer
    inner: SSAValue
    transpose_a: SSAValue
    transpose_b: SSAValue


def build_gemm(
    symbol: str, name: str, element: Attribute, tables: Tables, machine: Machine
) -> llvm.FuncOp:
    """The function: nothing for an empty result, zeros for an empty sum."""
    frame = Frame(symbol, tables, machine, _ARGUMENTS)
    builder = frame.builder
    _, pa, sa, pb, sb, pc, sc, rows, columns, inner, ta, tb = builder.entry.args
    product = Product(
        _matrix(builder, element, pa, sa, rows, inner, ta),
        _matrix(builder, element, pb, sb, inner, columns, tb),
        Buffer(pc, element, (rows, columns), (sc, itemsize(element))),
        inner, ta, tb,
    )

    def multiply() -> None:
        fit = _fits(builder, product.a)
        for array in (product.b, product.c):
            fit = builder.binary(llvm.AndOp, fit, _fits(builder, array))
        builder.when(fit, lambda: _call_blas(builder, name, product))
        no = builder.icmp("eq", fit, builder.constant(0, i1))
        builder.when(no, lambda: _multiply(frame, product))

    def whole() -> None:
        builder.when(builder.icmp("sgt", inner, builder.index(0)), multiply)
        builder.when(builder.icmp("sle", inner, builder.index(0)),
                     lambda: _fill_rows(builder, product.c))

    elements = builder.mul(rows, columns)
    builder.when(builder.icmp("sgt", elements, builder.index(0)), whole)
    builder.block.add_op(llvm.ReturnOp.create())
    return frame.function(llvm.LLVMFunctionType(list(_ARGUMENTS), VOID), "internal")


def _matrix(
    builder: ScopedBuilder,
    element: Attribute,
    pointer: SSAValue,
    stride: SSAValue,
    rows: SSAValue,
    columns: SSAValue,
    transposed: SSAValue,
) -> Buffer:
    """An operand as it lies in memory."""
    sizes = (builder.select(transposed, columns, rows), builder.select(transposed, rows, columns))
    return Buffer(pointer, element, sizes, (stride, itemsize(element)))


def _fill_rows(builder: ScopedBuilder, c: Buffer) -> None:
    """Zeros, a row after another: they need not lie one behind the other."""

    def row(i: SSAValue, _: object) -> list[SSAValue]:
        fill(builder, c.drop([1], address(builder, c, [(0, i)])), 0)
        return []

    builder.loop(builder.index(0), c.sizes[0], 1, [], row)


def _leading(builder: ScopedBuilder, buffer: Buffer) -> SSAValue:
    """The leading dimension: the row stride in elements, but at least the row's length and 1."""
    return builder.smax(_stride(builder, buffer), builder.smax(buffer.sizes[1], builder.index(1)))


def _stride(builder: ScopedBuilder, buffer: Buffer) -> SSAValue:
    shift = {4: 2, 8: 3}[itemsize(buffer.element)]
    stride = number_of(builder, buffer.strides[0])
    return builder.emit(llvm.AShrOp, (stride, builder.index(shift)), i64)


def _fits(builder: ScopedBuilder, buffer: Buffer) -> SSAValue:
    """Whether BLAS can be told where the rows lie: apart (not reversed, not one row over and over),
    and in numbers of 32 bits.
    """
    rows, columns = buffer.sizes
    stride = _stride(builder, buffer)
    apart = builder.icmp("sge", stride, columns)
    single = builder.icmp("sle", rows, builder.index(1))
    largest = builder.smax(builder.smax(rows, columns), stride)
    small = builder.icmp("slt", largest, builder.index(2**31))
    return builder.binary(llvm.AndOp, builder.binary(llvm.OrOp, apart, single), small)


def _steps(
    builder: ScopedBuilder, array: Buffer, transposed: SSAValue
) -> tuple[SSAValue, SSAValue]:
    """The bytes from a row to the next and from a column to the next of an operand as it is used.
    """
    stride, size = number_of(builder, array.strides[0]), builder.index(itemsize(array.element))
    return builder.select(transposed, size, stride), builder.select(transposed, stride, size)


def _multiply(frame: Frame, product: Product) -> None:
    """The product element by element, for operands that BLAS does not take."""
    builder, c = frame.builder, product.c
    zero, type_ = builder.constant(0, llvm_type(c.element)), memory_type(c.element)
    down_a, along_a = _steps(builder, product.a, product.transpose_a)
    down_b, along_b = _steps(builder, product.b, product.transpose_b)

    def at(array: Buffer, *moves: tuple[SSAValue, SSAValue]) -> SSAValue:
        pointer = cast(SSAValue, array.pointer)
        for index, step in moves:
            pointer = builder.offset(pointer, builder.mul(index, step))
        return builder.load(pointer, type_)

    def element(i: SSAValue, j: SSAValue) -> None:
        def term(k: SSAValue, total: Sequence[SSAValue]) -> Sequence[SSAValue]:
            x = at(product.a, (i, down_a), (k, along_a))
            y = at(product.b, (j, along_b), (k, down_b))
            return [frame.multiply_add(x, y, total[0])]

        total = builder.loop(builder.index(0), product.inner, 1, [zero], term)
        builder.store(total[0], cast(SSAValue, address(builder, c, ((0, i), (1, j)))))

    def row(i: SSAValue, _: object) -> list[SSAValue]:
        def place(j: SSAValue, _: object) -> list[SSAValue]:
            element(i, j)
            return []

        builder.loop(builder.index(0), c.sizes[1], 1, [], place)
        return []

    builder.loop(builder.index(0), c.sizes[0], 1, [], row)


def _call_blas(builder: ScopedBuilder, name: str, product: Product) -> None:
    a, b, c = product.a, product.b, product.c

    def cell(value: SSAValue) -> SSAValue:
        """The address of a place on the stack that holds a value."""
        place = builder.stack(value.type)
        builder.store(value, place)
        return place

    def small(value: SSAValue) -> SSAValue:
        return cell(builder.emit(llvm.TruncOp, (value,), i32))

    def letter(transposed: SSAValue) -> SSAValue:
        letters = [builder.constant(ord(one), i8) for one in "TN"]
        return cell(builder.select(transposed, *letters))

    element = llvm_type(c.element)
    scale, keep = cell(builder.constant(1, element)), cell(builder.constant(0, element))
    leading = [small(_leading(builder, array)) for array in (b, a, c)]
    pointers = [cast(SSAValue, array.pointer) for array in (b, a, c)]
    builder.call_extern(name, [
        letter(product.transpose_b), letter(product.transpose_a),
        small(c.sizes[1]), small(c.sizes[0]), small(product.inner),
        scale, pointers[0], leading[0], pointers[1], leading[1], keep, pointers[2], leading[2],
    ], None)
