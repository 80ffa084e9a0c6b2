"""`choose-blas`: products of two matrices become calls of the BLAS library.

A `tensor.dot` of two floating-point matrices becomes `tensor.gemm`; a transposition (dimshuffle 1,
0) of an operand becomes a flag, and so does one of a result that nobody else uses. Products with a
vector stay `dot`: they become nests, which fuse with what stands around them, and so do integer
products, which BLAS does not have. Class: *exact*, but for the order of the sums, which nothing
prescribes.

    %0 = tensor.dimshuffle %x {order = array<i64: 1, 0>} : tensor<?x?xf64>
    %1 = tensor.dot %0, %y : tensor<?x?xf64>
    // becomes
    %1 = tensor.gemm %x, %y {transpose_a = true} : tensor<?x?xf64>
"""

from __future__ import annotations

from typing import cast

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from tetractys.dialects import tensor, types
from tetractys.dialects.build import SignatureOp, props_of
from tetractys.dialects.signature import is_float
from tetractys.passes.matching import made_by, shape_of
from tetractys.passes.rewriting import PatternTable, Rewriter, apply_patterns

PATTERNS = PatternTable("choose-blas")


# Predicates.

def why_no_gemm(op: Operation) -> str | None:
    """Why a product is no matrix product of the library; None if it is one."""
    first, second = (types.spec_of(operand.type) for operand in op.operands)
    if len(first[1]) != 2 or len(second[1]) != 2:
        return "an operand is a vector: a nest, which can fuse"
    if not is_float(first[0]):
        return f"BLAS has no products of {first[0]}"
    if first[0] != second[0]:
        return f"the operands are {first[0]} and {second[0]}: run explicit-casts first"
    return None


def transposed(value: SSAValue) -> SSAValue | None:
    """`x` if `value` is the transposed matrix x."""
    view = made_by(value, tensor.DimshuffleOp)
    if view is None or props_of(view)["order"] != (1, 0) or len(shape_of(view.operands[0])) != 2:
        return None
    return view.operands[0]


# Patterns.

@PATTERNS.on(tensor.DotOp)
def product_of_matrices(rw: Rewriter, op: Operation) -> bool:
    """dot(X, Y) -> gemm(X, Y) of two floating-point matrices."""
    return why_no_gemm(op) is None and rw.replace_by(tensor.GemmOp, *op.operands)


@PATTERNS.on(tensor.GemmOp)
def transposed_operand(rw: Rewriter, op: Operation) -> bool:
    """gemm(X.T, Y) -> gemm(X, Y) with the flag turned."""
    props = props_of(cast(SignatureOp, op))
    for index, flag in enumerate(("transpose_a", "transpose_b")):
        if (inner := transposed(op.operands[index])) is not None:
            operands = list(op.operands)
            operands[index] = inner
            props[flag] = not props.get(flag, False)
            return rw.replace_by(tensor.GemmOp, *operands, **props)
    return False


@PATTERNS.on(tensor.DimshuffleOp)
def transposed_product(rw: Rewriter, op: Operation) -> bool:
    """gemm(X, Y).T -> gemm(Y, X) with both flags turned and exchanged, where nobody else uses
    it.
    """
    inner = transposed(op.results[0])
    product = None if inner is None else made_by(inner, tensor.GemmOp)
    if product is None or not product.results[0].has_one_use():
        return False
    props = props_of(product)
    turned = {"transpose_a": not props.get("transpose_b", False),
              "transpose_b": not props.get("transpose_a", False)}
    return rw.replace_by(tensor.GemmOp, product.operands[1], product.operands[0], **turned)


class ChooseBlasPass(ModulePass):
    """Gives products of matrices to the BLAS library, transpositions with them."""

    name = "choose-blas"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Rewrites every function of the module."""
        apply_patterns(op, PATTERNS)
