"""`expand-math`: elementary functions become arithmetic, comparisons and bit operations.

Pre-condition: level 2; the functions of `EXPANSIONS` stand on scalars (or vectors) of float32 or
float64, in the bodies of nests or at function level.
Post-condition: none of them is left; `pow` only of integers. Results are within 2.5 ulp (`gammaln`,
`psi`, `tri_gamma`: 1e-13 away from their zeros), right at NaN, infinities, signed zeros and
subnormals, and the same bits at any vector width.

    %1 = elemwise.expm1 %0 : f64
becomes (much shortened)
    %c = elemwise.constant 1.4426950408889634 : f64          // constants at the top of the block
    %t = elemwise.fma %0, %c, %magic : f64                   // n in the low bits
    %n = elemwise.sub %t, %magic : f64
    %r = elemwise.fma %n, %minus_ln2, %0 : f64
    %p = elemwise.fma %q, %r, %one : f64                     // Horner, every contraction spelled

It stands late because it swamps the passes before it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from tetractys.dialects import elemwise, types
from tetractys.dialects import elemwise_signatures as signatures
from tetractys.dialects.build import build
from tetractys.passes.math_emitter import ScalarEmitter
from tetractys.passes.math_ranges import is_nonpositive

Expansion = Callable[..., SSAValue]
"""(emitter, operand, ..) -> result."""

EXPANSIONS: dict[type[Operation], tuple[str, str]] = {
    elemwise.ExpOp: ("math_exp", "exp"),
    elemwise.LogOp: ("math_log", "log"),
    elemwise.Log2Op: ("math_log", "log2"),
    elemwise.Log10Op: ("math_log", "log10"),
    elemwise.Log1pOp: ("math_log", "log1p"),
    elemwise.Expm1Op: ("math_exp", "expm1"),
    elemwise.TanhOp: ("math_exp", "tanh"),
    elemwise.SigmoidOp: ("math_exp", "sigmoid"),
    elemwise.SoftplusOp: ("math_log", "softplus"),
    elemwise.SinhOp: ("math_exp", "sinh"),
    elemwise.CoshOp: ("math_exp", "cosh"),
    elemwise.SinOp: ("math_trig", "sin"),
    elemwise.CosOp: ("math_trig", "cos"),
    elemwise.TanOp: ("math_trig", "tan"),
    elemwise.ArctanOp: ("math_trig", "arctan"),
    elemwise.ErfOp: ("math_erf", "erf"),
    elemwise.ErfcOp: ("math_erf", "erfc"),
    elemwise.GammalnOp: ("math_gamma", "gammaln"),
    elemwise.PsiOp: ("math_gamma", "psi"),
    elemwise.TriGammaOp: ("math_gamma", "tri_gamma"),
    elemwise.SqrOp: ("", ""),
    elemwise.PowOp: ("math_pow", "pow"),
}
"""One row a function: where its expansion stands. A family is imported when a function of it is
met."""


def is_expandable(op: Operation) -> bool:
    """A function of the table, not on tensors; a power only of floats."""
    if type(op) not in EXPANSIONS:
        return False
    type_ = op.results[0].type
    return not isinstance(type_, TensorType) and not (
        isinstance(op, elemwise.PowOp) and not types.dtype_of(type_).startswith("float")
    )


def choose_expansion(op: Operation) -> Expansion:
    """The function's row, or the short core of an `exp` whose argument is known to be <= 0."""
    if isinstance(op, elemwise.SqrOp):
        return ScalarEmitter.mul
    if isinstance(op, elemwise.ExpOp) and is_nonpositive(op.operands[0]):
        return _loaded("math_exp", "exp_nonpositive")
    return _loaded(*EXPANSIONS[type(op)])


def _loaded(module: str, name: str) -> Expansion:
    return getattr(import_module(f"tetractys.passes.{module}"), name)


def apply_expansion(e: ScalarEmitter, op: Operation, expansion: Expansion) -> None:
    """Replaces `op` by what `expansion` emits."""
    result = op.results[0]
    if isinstance(op, elemwise.SqrOp):
        value = _insert(op, build(signatures.MUL, [op.operands[0]] * 2, location=op.location))
    else:
        e.at(op, result.type)
        value = expansion(e, *(_converted(op, operand) for operand in op.operands))
    value.name_hint = result.name_hint
    result.replace_all_uses_with(value)
    e.block.erase_op(op)


def _insert(anchor: Operation, op: Operation) -> SSAValue:
    block = anchor.parent_block()
    assert block is not None
    block.insert_op_before(op, anchor)
    return op.results[0]


def _converted(op: Operation, operand: SSAValue) -> SSAValue:
    """The operand in the result's dtype: functions take integers too."""
    dtype = types.dtype_of(op.results[0].type)
    if types.dtype_of(operand.type) == dtype:
        return operand
    return _insert(op, build(signatures.CAST, [operand], {"dtype": dtype}, op.location))


@dataclass(frozen=True)
class ExpandMathPass(ModulePass):
    """Expands every elementary function of a module.

    scales: whether the machine multiplies by powers of 2 in one instruction; bits are the same.
    fused: whether it multiplies and adds in one.
    """

    name = "expand-math"
    scales: bool = False
    fused: bool = True

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Decides for all functions first: an expanded operand would hide its range."""
        chosen = [(found, choose_expansion(found)) for found in op.walk() if is_expandable(found)]
        emitters: dict[Block, ScalarEmitter] = {}
        for found, expansion in chosen:
            block = found.parent_block()
            assert block is not None
            emitter = emitters.get(block)
            if emitter is None:
                emitter = ScalarEmitter(block, scales=self.scales, fused=self.fused)
                emitters[block] = emitter
            apply_expansion(emitter, found, expansion)
