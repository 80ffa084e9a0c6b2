"""The `tensor` dialect of ours: operations on whole arrays.

The definitions stand in `tensor_signatures`. The dialect that `tt-opt` registers is upstream's
`tensor` operations and these (`tensor_with_upstream`); no name of upstream's is used again. The
compiler itself makes none of upstream's, and does not import them.
"""

from __future__ import annotations

from xdsl.ir import Dialect

from tetractys.dialects import tensor_signatures as signatures
from tetractys.dialects.build import SignatureOp, operation


class TensorOp(SignatureOp):
    """An operation of the dialect."""


DimshuffleOp = operation(signatures.DIMSHUFFLE, TensorOp)
ReshapeToOp = operation(signatures.RESHAPE_TO, TensorOp)
ShapeOp = operation(signatures.SHAPE, TensorOp)
SizeOp = operation(signatures.SIZE, TensorOp)
MakeVectorOp = operation(signatures.MAKE_VECTOR, TensorOp)
AllocOp = operation(signatures.ALLOC, TensorOp)
ArangeOp = operation(signatures.ARANGE, TensorOp)
ReduceOp = operation(signatures.REDUCE, TensorOp)
MaxAndArgmaxOp = operation(signatures.MAX_AND_ARGMAX, TensorOp)
DotOp = operation(signatures.DOT, TensorOp)
GemmOp = operation(signatures.GEMM, TensorOp)
SoftmaxOp = operation(signatures.SOFTMAX, TensorOp)
LogSoftmaxOp = operation(signatures.LOG_SOFTMAX, TensorOp)
SubtensorOp = operation(signatures.SUBTENSOR, TensorOp)
IncSubtensorOp = operation(signatures.INC_SUBTENSOR, TensorOp)
AdvancedSubtensorOp = operation(signatures.ADVANCED_SUBTENSOR, TensorOp)
AdvancedIncSubtensorOp = operation(signatures.ADVANCED_INC_SUBTENSOR, TensorOp)
GradOp = operation(signatures.GRAD, TensorOp)
CheckEqualOp = operation(signatures.CHECK_EQUAL, TensorOp, pure=False)

OPERATIONS = [v for v in list(globals().values())
              if isinstance(v, type) and issubclass(v, TensorOp) and v is not TensorOp]

Tensor = Dialect("tensor", [*OPERATIONS], [])


def tensor_with_upstream() -> Dialect:
    """Upstream's `tensor` and ours in one dialect, for textual IR that mixes them."""
    from xdsl.dialects import tensor as upstream

    return Dialect("tensor", [*upstream.Tensor.operations, *OPERATIONS],
                   list(upstream.Tensor.attributes))
