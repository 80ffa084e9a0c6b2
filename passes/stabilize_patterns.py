"""Local patterns of `stabilize`. Class of all: *stabilising*, unless a docstring says *exact*.

Each replaces an expression by one of the same real number that neither overflows, underflows nor
cancels where the real number does not. NaN gives NaN, an infinite operand the limit. Patterns see
through dimshuffle, reshape and float casts (`stabilize_views`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from xdsl.ir import Operation, SSAValue

from tetractys.dialects import elemwise, tensor
from tetractys.dialects.build import SignatureOp
from tetractys.passes.matching import argument_of, is_float_type, is_number, made_by, number_of
from tetractys.passes.rewriting import PatternTable, Rewriter
from tetractys.passes.stabilize_views import Peeled, peel

LOCAL = PatternTable("stabilize")


# Predicates.

def one_plus(value: SSAValue) -> SSAValue | None:
    """`x` if `value` is 1 + x."""
    owner = value.owner
    if not isinstance(owner, elemwise.AddOp):
        return None
    first, second = owner.operands
    if is_number(second, 1):
        return first
    return second if is_number(first, 1) else None


def one_plus_exp(value: SSAValue) -> SSAValue | None:
    """`t` if `value` is 1 + exp(t)."""
    inner = one_plus(value)
    return None if inner is None else argument_of(inner, elemwise.ExpOp)


# Builders.

def build_negated(rw: Rewriter, value: SSAValue) -> SSAValue:
    """-t where the sign of a zero does not matter: under sigmoid, softplus and exp."""
    owner = value.owner
    if isinstance(owner, elemwise.NegOp):
        return owner.operands[0]
    if isinstance(owner, elemwise.SubOp):
        return rw.make(elemwise.SubOp, owner.operands[1], owner.operands[0])
    if (number := number_of(value)) is not None:
        return rw.constant(-number, value.type)
    return rw.make(elemwise.NegOp, value)


Build: TypeAlias = Callable[[SSAValue], SSAValue]


def build_under(rw: Rewriter, peeled: Peeled, argument: SSAValue | None, build: Build) -> bool:
    """Replaces the matched operation by `build(argument)` under the views; None: no match."""
    if argument is None:
        return False
    return rw.replace(peeled.wrap(rw, build(peeled.argument(rw, argument))))


# Sigmoid and softplus.

@LOCAL.on(elemwise.ExpOp, elemwise.SigmoidOp, elemwise.SoftplusOp)
def negation_out_of_argument(rw: Rewriter, op: Operation) -> bool:
    """f(-a - b) -> f(-(a + b)) for exp, sigmoid, softplus; *exact*: they do not see a zero's
    sign.
    """
    difference = made_by(op.operands[0], elemwise.SubOp)
    if difference is None:
        return False
    a = argument_of(difference.operands[0], elemwise.NegOp)
    if a is None or a.type != difference.operands[0].type:
        return False
    total = rw.make(elemwise.AddOp, a, difference.operands[1])
    return rw.set_operand(0, rw.make(elemwise.NegOp, total))


@LOCAL.on(elemwise.TrueDivOp)
def logistic(rw: Rewriter, op: Operation) -> bool:
    """1 / (1 + exp(t)) -> sigmoid(-t); the difference of a rounding, no overflow in exp."""
    one, denominator = op.operands
    if not is_number(one, 1):
        return False
    peeled = peel(denominator)
    return build_under(rw, peeled, one_plus_exp(peeled.core),
                       lambda t: rw.make(elemwise.SigmoidOp, build_negated(rw, t)))


@LOCAL.on(elemwise.SubOp)
def one_minus_sigmoid(rw: Rewriter, op: Operation) -> bool:
    """1 - sigmoid(t) -> sigmoid(-t): no cancellation where sigmoid(t) rounds to 1."""
    one, subtrahend = op.operands
    if not is_number(one, 1):
        return False
    peeled = peel(subtrahend)
    return build_under(rw, peeled, peeled.made_by(elemwise.SigmoidOp),
                       lambda t: rw.make(elemwise.SigmoidOp, build_negated(rw, t)))


@LOCAL.on(elemwise.LogOp)
def log_of_sigmoid(rw: Rewriter, op: Operation) -> bool:
    """log(sigmoid(t)) -> -softplus(-t): no log(0) where sigmoid(t) underflows."""
    peeled = peel(op.operands[0])

    def build(t: SSAValue) -> SSAValue:
        return rw.make(elemwise.NegOp, rw.make(elemwise.SoftplusOp, build_negated(rw, t)))

    return build_under(rw, peeled, peeled.made_by(elemwise.SigmoidOp), build)


@LOCAL.on(elemwise.LogOp, elemwise.Log1pOp)
def log_of_one_plus_exp(rw: Rewriter, op: Operation) -> bool:
    """log(1 + exp(t)), log1p(exp(t)) -> softplus(t): no overflow in exp."""
    peeled = peel(op.operands[0])
    if isinstance(op, elemwise.LogOp):
        argument = one_plus_exp(peeled.core)
    else:
        argument = peeled.made_by(elemwise.ExpOp)
    return build_under(rw, peeled, argument, lambda t: rw.make(elemwise.SoftplusOp, t))


# Logarithms and exponentials.

@LOCAL.on(elemwise.LogOp)
def log_of_one_plus(rw: Rewriter, op: Operation) -> bool:
    """log(1 + x) -> log1p(x), log(1 - x) -> log1p(-x): no cancellation near x = 0."""
    operand = op.operands[0]
    if not is_float_type(operand.type):
        return False
    if (value := one_plus(operand)) is not None:
        return value.type == operand.type and rw.replace_by(elemwise.Log1pOp, value)
    difference = made_by(operand, elemwise.SubOp)
    if difference is None or not is_number(difference.operands[0], 1):
        return False
    value = difference.operands[1]
    if value.type != operand.type:
        return False
    return rw.replace_by(elemwise.Log1pOp, rw.make(elemwise.NegOp, value))


@LOCAL.on(elemwise.SubOp)
def exp_minus_one(rw: Rewriter, op: Operation) -> bool:
    """exp(x) - 1 -> expm1(x), 1 - exp(x) -> -expm1(x): no cancellation near x = 0."""
    first, second = op.operands
    if is_number(second, 1):
        argument = argument_of(first, elemwise.ExpOp)
        return (argument is not None and argument.type == op.results[0].type
                and rw.replace_by(elemwise.Expm1Op, argument))
    argument = argument_of(second, elemwise.ExpOp) if is_number(first, 1) else None
    if argument is None or argument.type != op.results[0].type:
        return False
    return rw.replace_by(elemwise.NegOp, rw.make(elemwise.Expm1Op, argument))


@LOCAL.on(elemwise.AddOp)
def exp_plus_minus_one(rw: Rewriter, op: Operation) -> bool:
    """exp(x) + (-1) -> expm1(x)."""
    argument = argument_of(op.operands[0], elemwise.ExpOp)
    if argument is None or not is_number(op.operands[1], -1) or argument.type != op.results[0].type:
        return False
    return rw.replace_by(elemwise.Expm1Op, argument)


@LOCAL.on(elemwise.LogOp)
def log_of_exp(rw: Rewriter, op: Operation) -> bool:
    """log(exp(x)) -> x: no overflow, no underflow."""
    peeled = peel(op.operands[0])
    return build_under(rw, peeled, peeled.made_by(elemwise.ExpOp), lambda t: t)


@LOCAL.on(elemwise.SqrtOp)
def root_of_square(rw: Rewriter, op: Operation) -> bool:
    """sqrt(sqr(x)) -> |x| of floats: the square neither overflows nor underflows."""
    inner = argument_of(op.operands[0], elemwise.SqrOp)
    if inner is None or inner.type != op.results[0].type:
        return False
    return rw.replace_by(elemwise.AbsOp, inner)


# Softmax.

@LOCAL.on(elemwise.LogOp)
def log_of_softmax(rw: Rewriter, op: Operation) -> bool:
    """log(softmax(x)) -> log_softmax(x): no log(0) where a probability underflows."""
    peeled = peel(op.operands[0])
    return build_under(rw, peeled, peeled.made_by(tensor.SoftmaxOp),
                       lambda x: rw.make(tensor.LogSoftmaxOp, x))


@LOCAL.on(elemwise.LogOp)
def log_of_part_of_softmax(rw: Rewriter, op: Operation) -> bool:
    """log(softmax(x)[i, j]) -> log_softmax(x)[i, j]: the cross-entropy of one class a row."""
    part = op.operands[0].owner
    if not isinstance(part, tensor.AdvancedSubtensorOp | tensor.SubtensorOp):
        return False
    argument = argument_of(part.operands[0], tensor.SoftmaxOp)
    if argument is None:
        return False
    assert isinstance(part, SignatureOp)
    value = rw.make(tensor.LogSoftmaxOp, argument)
    return rw.replace(rw.remake(part, [value, *list(part.operands)[1:]]))


@LOCAL.on(elemwise.Log1pOp)
def log1p_of_minus_sigmoid(rw: Rewriter, op: Operation) -> bool:
    """log1p(-sigmoid(t)) -> -softplus(t): no log(0) where sigmoid(t) rounds to 1."""
    negated = argument_of(op.operands[0], elemwise.NegOp)
    argument = None if negated is None else argument_of(negated, elemwise.SigmoidOp)
    if argument is None:
        return False
    return rw.replace_by(elemwise.NegOp, rw.make(elemwise.SoftplusOp, argument))
