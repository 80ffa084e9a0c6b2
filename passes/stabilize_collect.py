"""Collects sigmoid powers, exponentials and f / f across mul, true_div and neg chains.

Three rules, all *stabilising*, on the products of `stabilize_products`:

* a product is written again if its normal form needs fewer sigmoids, exponentials and divisions:
  exp(t) * sigmoid(-t) -> sigmoid(t);  x * f / f -> x  where f is no 0 and no infinity as a real
  number;
* a factor moves into a sum if that removes every division by it:
  (a / s + b / r) * s * r -> a * r + b * s,  s = sigmoid(t), r = sigmoid(-t): the gradient of binary
  cross-entropy, which is 0 * inf where s rounds to 1;
* the gradient of softmax: (g - sum(g * s)) * s with g = G / s -> G - s * sum(G).

Condition of all: what is cancelled is still an operand of what remains, so a NaN stays a NaN.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, Block, Operation, SSAValue

from tetractys.dialects import elemwise, tensor, types
from tetractys.dialects.build import SignatureOp, props_of
from tetractys.passes.canonicalize_fills import is_zero_fill
from tetractys.passes.matching import argument_of, made_by
from tetractys.passes.rewriting import PatternTable, Rewriter, operations_of
from tetractys.passes.stabilize_products import (
    PRODUCTS,
    Factors,
    Product,
    build_product,
    common_leaves,
    negated,
)
from tetractys.passes.stabilize_ranges import is_nonzero_real

_TERMS = 8
_SEARCH = 24
"""How many operations up a cancelled value is looked for."""

_HIDES_NAN = (
    elemwise.SwitchOp, elemwise.EqOp, elemwise.NeqOp, elemwise.LtOp, elemwise.LeOp, elemwise.GtOp,
    elemwise.GeOp, elemwise.IsnanOp, elemwise.IsinfOp, elemwise.SecondOp, elemwise.PowOp,
)  # fmt: skip


# Predicates.

def _depends(values: Iterable[SSAValue], wanted: SSAValue) -> bool:
    """Whether a NaN in `wanted` reaches one of `values` through operations that keep NaN."""
    pending = list(values)
    for _ in range(_SEARCH):
        if not pending:
            return False
        value = pending.pop()
        if value is wanted:
            return True
        owner = value.owner
        keeps = isinstance(owner, elemwise.ElemwiseOp) and type(owner) not in _HIDES_NAN
        if isinstance(owner, Operation) and (keeps or type(owner) is tensor.DimshuffleOp):
            pending.extend(owner.operands)
    return False


def _keeps_nan(products: Iterable[Product], others: Iterable[SSAValue] = ()) -> bool:
    """Whether every argument and leaf that vanished is still looked at."""
    products = list(products)
    left = list(others)
    for product in products:
        left.extend(product.leaves)
        left.extend(value for value, _ in product.sigmoids)
    return all(_depends(left, value) for product in products for value in product.vanished)


def _is_root(op: Operation) -> bool:
    """Whether somebody uses the product as something else than a factor."""
    uses = op.results[0].uses
    return type(op) is not elemwise.NegOp and any(
        type(use.operation) not in PRODUCTS for use in uses
    )


# Rules.

class Collector:
    """One sweep over a block."""

    def __init__(self, rw: Rewriter) -> None:
        self.rw = rw
        self.factors = Factors()
        self.changed = 0

    def run(self, block: Block) -> int:
        """Visits operations in order; returns how many were rewritten."""
        for op in operations_of(block):
            if op.parent is not block:
                continue
            product = self.factors.visit(op)
            self.rw.op = op
            if isinstance(op, elemwise.MulOp) and self._softmax_gradient(op):
                self.changed += 1
            elif product is None or type(op) not in PRODUCTS or not _is_root(op):
                continue
            elif self._into_sum(op, product) or self._collected(op, product):
                self.changed += 1
        return self.changed

    def _put(self, op: Operation, value: SSAValue) -> bool:
        """`value` for the result of `op`; broadcast again where the cancelled factor was larger."""
        old = op.results[0]
        for operand in op.operands:
            if value.type != old.type:
                value = self.rw.make(elemwise.SecondOp, operand, value)
        if value.type != old.type:
            return False
        old.replace_all_uses_with(value)
        return True

    def _collected(self, op: Operation, product: Product) -> bool:
        """x * exp(t) * sigmoid(-t) -> x * sigmoid(t)."""
        if product.cost >= product.count or not _keeps_nan([product]):
            return False
        value = build_product(self.rw, product, op.results[0])
        self.factors.note(value, product)
        return self._put(op, value)

    def _into_sum(self, op: Operation, product: Product) -> bool:
        """(a / s + b / r) * s * r -> a * r + b * s."""
        sums = [leaf for leaf, k in product.leaves.items()
                if k == 1 and isinstance(leaf.owner, elemwise.AddOp | elemwise.SubOp)]
        if len(sums) != 1:
            return False
        terms = self._terms(sums[0])
        factor, rest = _split(product, sums[0])
        if not terms or (not factor.sigmoids and not factor.leaves):
            return False
        if not any(term.has_denominator for term in terms):
            return False
        new = [term.times(factor) for term in terms]
        if any(term.has_denominator for term in new):
            return False
        if not _keeps_nan(new, rest.leaves):
            return False
        return self._put(op, self._build_sum(new, rest, op))

    def _terms(self, value: SSAValue) -> list[Product]:
        """The terms of a sum of sums, at most eight."""
        done: list[Product] = []
        pending = [(value, False)]
        while pending:
            term, is_negative = pending.pop()
            owner = term.owner
            splits = term is value or self.factors.get(term) is None
            if splits and isinstance(owner, elemwise.AddOp | elemwise.SubOp):
                second = is_negative ^ (type(owner) is elemwise.SubOp)
                pending += [(owner.operands[1], second), (owner.operands[0], is_negative)]
            else:
                product = self.factors.product(term)
                done.append(negated(product) if is_negative else product)
            if len(done) + len(pending) > _TERMS:
                return []
        return done

    def _build_sum(self, terms: list[Product], rest: Product, op: Operation) -> SSAValue:
        common = common_leaves(terms)
        outside = rest.times(Product(leaves=dict(common)))
        inside = [term.times(Product(leaves=dict(common)), -1) for term in terms]
        if all(term.negative for term in inside):
            outside, inside = negated(outside), [negated(term) for term in inside]
        inside.sort(key=lambda term: term.negative)
        rw, like = self.rw, op.results[0]
        total = build_product(rw, inside[0], like)
        for term in inside[1:]:
            class_ = elemwise.SubOp if term.negative else elemwise.AddOp
            bare = negated(term) if term.negative else term
            total = rw.make(class_, total, build_product(rw, bare, like))
        if not outside.leaves and not outside.sigmoids:
            return rw.make(elemwise.NegOp, total) if outside.negative else total
        return rw.make(elemwise.MulOp, build_product(rw, outside, like), total)

    # ---- softmax

    def _softmax_gradient(self, op: Operation) -> bool:
        """(g - sum(g * s)) * s with g = G / s -> G - s * sum(G)."""
        for soft, difference in (tuple(op.operands), tuple(op.operands)[::-1]):
            inner = made_by(difference, elemwise.SubOp)
            if inner is None or made_by(soft, tensor.SoftmaxOp) is None:
                continue
            gradient, expanded = inner.operands
            if not self._is_sum_of(expanded, gradient, soft):
                continue
            if (cancelled := self._times_softmax(gradient, soft)) is None:
                continue
            return self._put(op, self._build_gradient(cancelled, expanded, soft))
        return False

    def _is_sum_of(self, expanded: SSAValue, gradient: SSAValue, soft: SSAValue) -> bool:
        """Whether `expanded` is sum(gradient * soft) along the last axis, as a column.

        A float32 sum is one of products cast to float64, cast back.
        """
        reduced = argument_of(expanded, tensor.DimshuffleOp)
        reduce = None if reduced is None else made_by(_uncast(reduced), tensor.ReduceOp)
        if reduce is None:
            return False
        summed = _uncast(reduce.operands[0])
        if element_type(summed) != element_type(gradient):
            return False
        props = props_of(reduce)
        last = len(_order(expanded)) - 1
        order = (*range(last), -1)
        if props["kind"] != "add" or props["axes"] != (last,) or _order(expanded) != order:
            return False
        found = self.factors.product(summed)
        if (known := self.factors.get(summed)) is None:
            product = made_by(summed, elemwise.MulOp)
            return product is not None and set(product.operands) == {gradient, soft}
        wanted = self.factors.product(gradient).times(Product(leaves={soft: 1}))
        return known is found and (found.negative, found.sigmoids, found.leaves) == (
            wanted.negative, wanted.sigmoids, wanted.leaves)

    def _times_softmax(self, gradient: SSAValue, soft: SSAValue) -> SSAValue | None:
        """G as operations, where gradient = G / soft; also of rows of which one entry is set."""
        product = self.factors.product(gradient)
        if product.leaves.get(soft) == -1:
            value = build_product(self.rw, product.times(Product(leaves={soft: 1})), gradient)
            return value if value.type == gradient.type else None
        scatter = made_by(gradient, tensor.AdvancedIncSubtensorOp)
        if scatter is None:
            return None
        base, stored, *indices = scatter.operands
        if not is_zero_fill(base):
            return None
        stored_product = self.factors.product(stored)
        for leaf, k in stored_product.leaves.items():
            part = made_by(leaf, tensor.AdvancedSubtensorOp)
            if k == -1 and part is not None and list(part.operands) == [soft, *indices]:
                value = stored_product.times(Product(leaves={leaf: 1}))
                new = build_product(self.rw, value, stored)
                if new.type != stored.type:
                    new = self.rw.make(elemwise.SecondOp, stored, new)
                return self.rw.remake(scatter, [base, new, *indices])
        return None

    def _build_gradient(self, cancelled: SSAValue, expanded: SSAValue, soft: SSAValue) -> SSAValue:
        order = _order(expanded)
        reduced = argument_of(expanded, tensor.DimshuffleOp)
        assert reduced is not None
        reduce = made_by(_uncast(reduced), tensor.ReduceOp)
        assert reduce is not None
        wide = self._cast(cancelled, reduce.operands[0])
        total = self.rw.make(tensor.ReduceOp, wide, kind="add", axes=(len(order) - 1,))
        column = self.rw.make(tensor.DimshuffleOp, self._cast(total, reduced), order=order)
        return self.rw.make(elemwise.SubOp, cancelled, self.rw.make(elemwise.MulOp, soft, column))

    def _cast(self, value: SSAValue, like: SSAValue) -> SSAValue:
        """`value` in the element type of `like`."""
        if element_type(value) == element_type(like):
            return value
        return self.rw.make(elemwise.CastOp, value, dtype=types.dtype_of(like.type))


def _uncast(value: SSAValue) -> SSAValue:
    """What a cast is made from; else the value."""
    argument = argument_of(value, elemwise.CastOp)
    return value if argument is None else argument


def element_type(value: SSAValue) -> Attribute:
    """The type of an array's elements."""
    return cast("TensorType[Attribute]", value.type).element_type


def _order(value: SSAValue) -> tuple[int, ...]:
    return cast("tuple[int, ...]", props_of(cast(SignatureOp, value.owner))["order"])


def _split(product: Product, total: SSAValue) -> tuple[Product, Product]:
    """The part that may move into the sum (sigmoids, leaves never 0), and the rest."""
    moving = {
        leaf: k for leaf, k in product.leaves.items() if leaf is not total and is_nonzero_real(leaf)
    }
    rest = {
        leaf: k for leaf, k in product.leaves.items() if leaf is not total and leaf not in moving
    }
    factor = Product(sigmoids=product.sigmoids, leaves=moving, vanished=product.vanished)
    return factor, Product(product.negative, leaves=rest)


def collect(block: Block, table: PatternTable) -> int:
    """Applies the three rules to a block; the number of rewrites."""
    return Collector(Rewriter(table)).run(block)
