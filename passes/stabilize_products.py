"""Products in normal form: sign, powers of sigmoids and exponentials, powers of everything else.

Across chains of mul, true_div, neg, sqr and integer pow,

    exp(u) = s / r,   1 + exp(u) = 1 / r   where  s = sigmoid(u), r = sigmoid(-u)

so a product is +-1 times s^a r^b for each u, times leaves^k. `factors` reads that off the IR
without changing it; `build_product` writes the stable form of one. Who decides is
`stabilize_collect`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias, cast

from xdsl.ir import Operation, SSAValue

from tetractys.dialects import elemwise, tensor
from tetractys.dialects.build import props_of
from tetractys.passes.matching import argument_of, is_float_type, is_number, number_of
from tetractys.passes.rewriting import Rewriter
from tetractys.passes.stabilize_patterns import one_plus_exp
from tetractys.passes.stabilize_ranges import is_nonzero_real

LIMIT = 16
"""Products of more factors are leaves: the walk stays linear."""

Argument: TypeAlias = "tuple[SSAValue, tuple[int, ...] | None]"
"""The u of sigmoid(u), and the order of a dimshuffle that it is seen through."""

PRODUCTS = (
    elemwise.MulOp, elemwise.TrueDivOp, elemwise.NegOp, elemwise.SqrOp, elemwise.PowOp,
)  # fmt: skip


@dataclass
class Product:
    """+-1 * prod(sigmoid(u)^a * sigmoid(-u)^b) * prod(leaf^k).

    count: how many sigmoids, exponentials and ranged divisions the IR spends on it.
    vanished: the leaves and arguments that cancelled.
    """

    negative: bool = False
    sigmoids: dict[Argument, tuple[int, int]] = field(default_factory=dict)
    leaves: dict[SSAValue, int] = field(default_factory=dict)
    count: int = 0
    vanished: frozenset[SSAValue] = frozenset()

    def times(self, other: Product, power: int = 1) -> Product:
        """self * other^power; exponents that become 0 vanish."""
        sigmoids, leaves = dict(self.sigmoids), dict(self.leaves)
        vanished = {*self.vanished, *other.vanished}
        for key, (a, b) in other.sigmoids.items():
            old_a, old_b = sigmoids.pop(key, (0, 0))
            if (new := (old_a + power * a, old_b + power * b)) != (0, 0):
                sigmoids[key] = new
            else:
                vanished.add(key[0])
        for leaf, exponent in other.leaves.items():
            if (total := leaves.pop(leaf, 0) + power * exponent) != 0:
                leaves[leaf] = total
            else:
                vanished.add(leaf)
        negative = self.negative ^ (other.negative and power % 2 == 1)
        count = self.count + abs(power) * other.count
        return Product(negative, sigmoids, leaves, count, frozenset(vanished))

    def may_divide(self, other: Product) -> bool:
        """Whether what cancels in self / other is never 0 and never infinite as a real number."""
        return all(k * self.leaves.get(leaf, 0) <= 0 or is_nonzero_real(leaf)
                   for leaf, k in other.leaves.items())

    @property
    def size(self) -> int:
        """Number of different factors."""
        return len(self.sigmoids) + len(self.leaves)

    @property
    def cost(self) -> int:
        """How many sigmoids and exponentials `build_product` spends, and ranged divisions."""
        return (sum(max(abs(a), abs(b)) if a * b < 0 else abs(a) + abs(b)
                    for a, b in self.sigmoids.values())
                + sum(abs(k) for leaf, k in self.leaves.items() if k < 0 and is_nonzero_real(leaf)))

    @property
    def has_denominator(self) -> bool:
        """Whether a sigmoid or a leaf that is known to be no zero stands below the line."""
        return (any(a < 0 or b < 0 for a, b in self.sigmoids.values())
                or any(k < 0 and is_nonzero_real(leaf) for leaf, k in self.leaves.items()))


def negated(product: Product) -> Product:
    """-product."""
    return replace(product, negative=not product.negative)


# Reading.

def _argument(value: SSAValue, order: tuple[int, ...] | None = None) -> tuple[Argument, bool]:
    """The key of an argument, and whether it is the negative of the key's."""
    inner = argument_of(value, elemwise.NegOp)
    return (value if inner is None else inner, order), inner is not None


def _sigmoid_powers(value: SSAValue, powers: tuple[int, int]) -> Product:
    key, is_negated = _argument(value)
    a, b = powers
    return Product(sigmoids={key: (b, a) if is_negated else (a, b)}, count=1)


class Factors:
    """The products of a block's values, each found once."""

    def __init__(self) -> None:
        self._known: dict[SSAValue, Product | None] = {}

    def get(self, value: SSAValue) -> Product | None:
        """The product of a value that was visited; None if it is a leaf like any other."""
        return self._known.get(value)

    def note(self, value: SSAValue, product: Product) -> None:
        """`value` was built from `product`."""
        self._known[value] = replace(product, count=product.cost, vanished=frozenset())

    def product(self, value: SSAValue) -> Product:
        """The product of any value; of a constant its sign stands apart, and 1 vanishes."""
        known = self._known.get(value)
        if known is not None:
            return known
        if (inner := argument_of(value, elemwise.NegOp)) is not None:
            return negated(self.product(inner))  # canonical IR has no chains of neg
        if is_number(value, 1):
            return Product()
        return Product(leaves={value: 1})

    def visit(self, op: Operation) -> Product | None:
        """Finds the product of an operation's result; its operands were visited before."""
        if len(op.results) != 1 or not is_float_type(op.results[0].type):
            return None
        found = self._read(op)
        if found is not None and found.size > LIMIT:
            found = None
        if found is not None:
            self._known[op.results[0]] = found
        return found

    def _read(self, op: Operation) -> Product | None:
        match op:
            case elemwise.SigmoidOp():
                return _sigmoid_powers(op.operands[0], (1, 0))
            case elemwise.ExpOp():
                return _sigmoid_powers(op.operands[0], (1, -1))
            case elemwise.AddOp():
                argument = one_plus_exp(op.results[0])
                if argument is None or argument.type != op.results[0].type:
                    return None
                return _sigmoid_powers(argument, (0, -1))
            case tensor.DimshuffleOp():
                return self._through(op)
            case elemwise.MulOp() | elemwise.TrueDivOp():
                return self._binary(op)
            case elemwise.NegOp() | elemwise.SqrOp() | elemwise.PowOp():
                return self._unary(op)
            case _:
                return None

    def _through(self, op: Operation) -> Product | None:
        """dimshuffle(sigmoid(u)) is the sigmoid of dimshuffle(u)."""
        inner = self.get(op.operands[0])
        if inner is None or inner.leaves or len(inner.sigmoids) != 1:
            return None
        ((value, order), powers), = inner.sigmoids.items()
        if order is not None:
            return None
        order = cast("tuple[int, ...]", props_of(cast(tensor.TensorOp, op))["order"])
        return replace(inner, sigmoids={(value, order): powers})

    def _binary(self, op: Operation) -> Product | None:
        first, second = op.operands
        power = 1 if isinstance(op, elemwise.MulOp) else -1
        is_ranged = power < 0 and is_nonzero_real(second)
        if self.get(first) is None and self.get(second) is None and not is_ranged:
            return None
        above, below = self.product(first), self.product(second)
        if not above.may_divide(below if power < 0 else Product().times(below, -1)):
            return None
        result = above.times(below, power)
        result.count += is_ranged and self.get(second) is None
        return result

    def _unary(self, op: Operation) -> Product | None:
        inner = self.get(op.operands[0])
        if inner is None:
            return None
        if isinstance(op, elemwise.NegOp):
            return negated(inner)
        exponent = 2 if isinstance(op, elemwise.SqrOp) else number_of(op.operands[1])
        if exponent is None or exponent != int(exponent) or not 2 <= exponent <= 4:
            return None
        return Product().times(inner, int(exponent))


# Writing.

def _materialise(rw: Rewriter, argument: Argument) -> SSAValue:
    value, order = argument
    return value if order is None else rw.make(tensor.DimshuffleOp, value, order=order)


def _power(rw: Rewriter, value: SSAValue, exponent: int) -> SSAValue:
    """value^exponent by multiplications."""
    result = value
    if exponent >= 2:
        square = rw.make(elemwise.SqrOp, value)
        result = square if exponent < 4 else rw.make(elemwise.SqrOp, square)
        for _ in range(exponent % 2 if exponent < 4 else exponent - 4):
            result = rw.make(elemwise.MulOp, result, value)
    return result


def _sigmoid_factors(
    rw: Rewriter, argument: Argument, powers: tuple[int, int]
) -> Iterable[tuple[SSAValue, int]]:
    """sigmoid(u)^a sigmoid(-u)^b, with exp(m u) for the part of opposite exponents."""
    a, b = powers
    u = _materialise(rw, argument)
    if a * b < 0:
        exponent = min(abs(a), abs(b)) * (1 if a > 0 else -1)
        scaled = u
        if exponent == -1:
            scaled = rw.make(elemwise.NegOp, u)
        elif exponent != 1:
            scaled = rw.make(elemwise.MulOp, u, rw.constant_like(float(exponent), u))
        yield rw.make(elemwise.ExpOp, scaled), 1
        a, b = a - exponent, b + exponent
    if a:
        yield rw.make(elemwise.SigmoidOp, u), a
    if b:
        yield rw.make(elemwise.SigmoidOp, rw.make(elemwise.NegOp, u)), b


def build_product(rw: Rewriter, product: Product, like: SSAValue) -> SSAValue:
    """The product as operations; an empty one is the constant 1 of the rank of `like`."""
    factors: list[tuple[SSAValue, int]] = list(product.leaves.items())
    for argument, powers in product.sigmoids.items():
        factors.extend(_sigmoid_factors(rw, argument, powers))
    above = [_power(rw, value, k) for value, k in factors if k > 0]
    below = [_power(rw, value, -k) for value, k in factors if k < 0]
    value = _multiply(rw, above) if above else rw.constant_like(1.0, like)
    if below:
        value = rw.make(elemwise.TrueDivOp, value, _multiply(rw, below))
    return rw.make(elemwise.NegOp, value) if product.negative else value


def _multiply(rw: Rewriter, values: list[SSAValue]) -> SSAValue:
    result = values[0]
    for value in values[1:]:
        result = rw.make(elemwise.MulOp, result, value)
    return result


def common_leaves(products: Iterable[Product]) -> Mapping[SSAValue, int]:
    """The leaves that all products have with one exponent."""
    first, *rest = products
    return {leaf: k for leaf, k in first.leaves.items()
            if k > 0 and all(other.leaves.get(leaf) == k for other in rest)}
