"""An example of every tensor operation: what tests of gradients, passes and code generation run.

A case that fits no NumPy rule of thumb is written out: every rank pair of `dot`, both signs of
steps, duplicated indices, ties. `test_every_tensor_operation_has_a_case` holds the table complete.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from tetractys.dialects import tensor_signatures as ts
from tetractys.dialects.signature import Signature, Spec

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Case:
    """One application of an operation.

    args: its operands. props: its properties. smooth: the operands by which finite differences
    may differentiate it. static: for each operand the dimensions that are of static size 1.
    """

    signature: Signature
    args: tuple[Array, ...]
    props: dict[str, object] = field(default_factory=dict)
    smooth: tuple[int, ...] = (0,)
    static: dict[int, tuple[int, ...]] = field(default_factory=dict)

    @property
    def specs(self) -> list[Spec]:
        """The operands' types."""
        return [
            (a.dtype.name, tuple(1 if i in self.static.get(n, ()) else -1 for i in range(a.ndim)))
            for n, a in enumerate(self.args)
        ]


def _case(
    signature: Signature,
    *args: Any,
    smooth: tuple[int, ...] = (0,),
    static: Any = None,
    **props: object,
) -> Case:
    return Case(signature, tuple(np.asarray(a) for a in args), props, smooth, static or {})


_RNG = np.random.default_rng(3)
_X = _RNG.uniform(0.5, 1.5, (2, 3))
_V, _W = _RNG.uniform(0.5, 1.5, 3), _RNG.uniform(0.5, 1.5, 2)
_Y = _RNG.uniform(0.5, 1.5, (3, 4))
_N, _I = np.array(1), np.array([1, 0, 1])
_LOGITS = _RNG.standard_normal((2, 3))
_BOTH = (0, 1)

TENSOR_CASES: dict[str, Case] = {
    "dimshuffle": _case(ts.DIMSHUFFLE, _X, order=(1, -1, 0)),
    "dimshuffle drop": _case(ts.DIMSHUFFLE, _V[None], order=(1,), static={0: (0,)}),
    "reshape": _case(ts.RESHAPE_TO, _X, np.array([3, -1]), ndim=2, ones=()),
    "shape": _case(ts.SHAPE, _X, smooth=()),
    "size": _case(ts.SIZE, _X, dim=1, smooth=()),
    "make_vector": _case(ts.MAKE_VECTOR, _V[0], _V[1], dtype="float64", smooth=_BOTH),
    "alloc": _case(ts.ALLOC, _V, _N + 1, _N + 2, ones=()),
    "alloc row": _case(ts.ALLOC, _V[None], _N + 1, _N + 2, ones=(), static={0: (0,)}),
    "alloc scalar": _case(ts.ALLOC, _V[0], _N + 1, ones=()),
    "arange": _case(ts.ARANGE, 0.5, 3.25, 0.5, dtype="float64", smooth=(0, 2)),
    "sum": _case(ts.REDUCE, _X, kind="add", axes=(0,)),
    "sum float32": _case(ts.REDUCE, _X.astype("float32"), kind="add", axes=(1,), smooth=()),
    "sum bool": _case(ts.REDUCE, _X > 1, kind="add", axes=(0, 1), smooth=()),
    "prod": _case(ts.REDUCE, _X, kind="mul", axes=(1,)),
    "max": _case(ts.REDUCE, _X, kind="max", axes=(0, 1)),
    "min": _case(ts.REDUCE, _X, kind="min", axes=(1,)),
    "all": _case(ts.REDUCE, _X > 1, kind="and", axes=(1,), smooth=()),
    "any": _case(ts.REDUCE, _X > 1, kind="or", axes=(0,), smooth=()),
    "max_and_argmax": _case(ts.MAX_AND_ARGMAX, _X, axes=(1,)),
    "max_and_argmax all": _case(ts.MAX_AND_ARGMAX, _X, axes=(0, 1)),
    "dot vv": _case(ts.DOT, _V, _V + 1, smooth=_BOTH),
    "dot mv": _case(ts.DOT, _X, _V, smooth=_BOTH),
    "dot vm": _case(ts.DOT, _W, _X, smooth=_BOTH),
    "dot mm": _case(ts.DOT, _X, _Y, smooth=_BOTH),
    "gemm": _case(ts.GEMM, _X, _Y, smooth=_BOTH),
    "gemm ta": _case(ts.GEMM, _X.T.copy(), _Y, smooth=_BOTH, transpose_a=True),
    "gemm tb": _case(ts.GEMM, _X, _Y.T.copy(), smooth=_BOTH, transpose_b=True),
    "gemm ta tb": _case(
        ts.GEMM, _X.T.copy(), _Y.T.copy(), smooth=_BOTH, transpose_a=True, transpose_b=True
    ),
    "softmax": _case(ts.SOFTMAX, _LOGITS),
    "log_softmax": _case(ts.LOG_SOFTMAX, _LOGITS),
    "subtensor": _case(ts.SUBTENSOR, _X, _N, slices="@, ::-1"),
    "subtensor step": _case(ts.SUBTENSOR, _Y, slices="1:, ::2"),
    "inc_subtensor": _case(ts.INC_SUBTENSOR, _X, _V, _N, slices="@", smooth=_BOTH),
    "inc_subtensor row": _case(
        ts.INC_SUBTENSOR, _X, _V[None], slices=":", smooth=_BOTH, static={1: (0,)}
    ),
    "set_subtensor": _case(ts.INC_SUBTENSOR, _X, _V, _N, slices="@", smooth=_BOTH, set=True),
    "advanced_subtensor": _case(ts.ADVANCED_SUBTENSOR, _X, _I),
    "advanced_subtensor 2": _case(ts.ADVANCED_SUBTENSOR, _X, _I, -_I),
    "advanced_inc_subtensor": _case(ts.ADVANCED_INC_SUBTENSOR, _X, _X[_I] * 2, _I, smooth=_BOTH),
    "advanced_set_subtensor": _case(
        ts.ADVANCED_INC_SUBTENSOR, _X, _X[:1] * 2, _I[:1], smooth=_BOTH, set=True
    ),
    "check_equal": _case(ts.CHECK_EQUAL, _N, _N, message="{0} and {1}", smooth=()),
}
"""A name -> a case; `tensor.grad`, which no interpreter runs, has none."""
