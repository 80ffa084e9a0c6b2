"""Integer expressions over sizes: hash-consed, folded, and merged into classes of equal ones.

`SizeTable` is a union-find whose nodes are expressions; `slice_range` is Python's `slice.indices`
on them. `passes/sizes.py` finds the expressions of a function.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from typing import TypeAlias, cast

from xdsl.ir import SSAValue

Key: TypeAlias = tuple[object, ...]


class Size:
    """An integer expression: one node of the union-find.

    key: ("const", n), ("dim", argument, d), ("scalar", value), ("element", vector, position),
        ("arange", result), ("is_zero", scalar), or an operation's name and its operands.
    value: the level-1 scalar that is this number, where there is one.
    """

    __slots__ = ("key", "parent", "rank", "value")

    def __init__(self, key: Key, rank: int, value: SSAValue | None = None) -> None:
        self.key = key
        self.parent = self
        self.rank = rank
        self.value = value

    @property
    def constant(self) -> int | None:
        """The number, where it is known; of this very node, not of its class."""
        return cast(int, self.key[1]) if self.key[0] == "const" else None

    def __repr__(self) -> str:
        return f"<size {self.key[0]} {self.key[1:]}>"


_RANKS = {"const": 0, "dim": 1, "scalar": 2, "element": 2, "arange": 2, "is_zero": 2}
_FOLD: dict[str, Callable[..., int]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "maximum": max,
    "minimum": min,
    "int_div": lambda a, b: a // b if b else 0,
    "eq": lambda a, b: int(a == b),
    "lt": lambda a, b: int(a < b),
    "switch": lambda a, b, c: b if a else c,
}


def find(size: Size) -> Size:
    """The representative of a size's class: a constant, an argument's dimension, or else the
    oldest.
    """
    root = size
    while root.parent is not root:
        root = root.parent
    while size.parent is not root:
        size.parent, size = root, size.parent
    return root


class SizeTable:
    """Hash-consed, folded expressions and their classes."""

    def __init__(self) -> None:
        self._nodes: dict[Key, Size] = {}
        self.merged: list[Size] = []  # representatives that are none any more, in order

    def _node(self, key: Key, value: SSAValue | None = None) -> Size:
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = Size(key, _RANKS.get(cast(str, key[0]), 3), value)
        return node

    def const(self, number: int) -> Size:
        """A known number."""
        return self._node(("const", number))

    def dim(self, argument: SSAValue, axis: int) -> Size:
        """A dimension of an argument."""
        return self._node(("dim", argument, axis))

    def opaque(self, value: SSAValue) -> Size:
        """The number in an integer scalar."""
        return self._node(("scalar", value), value)

    def element(self, vector: SSAValue, position: int) -> Size:
        """The number at a position of an integer vector."""
        return self._node(("element", vector, position))

    def arange(self, result: SSAValue) -> Size:
        """The length of a range of floating-point numbers, known by its result; -1: it has none."""
        return self._node(("arange", result))

    def is_zero(self, scalar: SSAValue) -> Size:
        """1 if a floating-point number is 0, else 0."""
        return self._node(("is_zero", scalar))

    def op(self, name: str, *operands: Size | int, value: SSAValue | None = None) -> Size:
        """An expression: add, sub, mul, maximum, minimum, int_div, eq, lt, switch."""
        sizes = [self.const(o) if isinstance(o, int) else find(o) for o in operands]
        numbers = [size.constant for size in sizes]
        if None not in numbers:
            return self.const(_FOLD[name](*numbers))
        return self._simple(name, sizes, numbers) or self._node((name, *sizes), value)

    def _simple(self, name: str, sizes: list[Size], numbers: list[int | None]) -> Size | None:
        """An operand that is the result: neutral elements, sizes not below 0."""
        if name == "switch":
            return None if numbers[0] is None else sizes[1 if numbers[0] else 2]
        first, second = sizes
        neutral = {"add": 0, "mul": 1}.get(name)
        if neutral is not None and numbers[0] == neutral:
            return second
        if numbers[1] == {"sub": 0, "int_div": 1}.get(name, neutral) and numbers[1] is not None:
            return first
        if first is second and name in ("maximum", "minimum"):
            return first
        if name in ("maximum", "minimum"):
            for number, other in ((numbers[0], second), (numbers[1], first)):
                if number is not None and number <= 0 and is_nonnegative(other):
                    return other if name == "maximum" else self.const(number)
        if name == "lt" and numbers[1] is not None and numbers[1] <= 0 and is_nonnegative(first):
            return self.const(0)
        return None

    def product(self, sizes: Iterable[Size]) -> Size:
        """The product of sizes."""
        result = self.const(1)
        for size in sizes:
            result = self.op("mul", result, size)
        return result

    def same(self, first: Size, second: Size) -> bool:
        """Whether two sizes are known to be equal."""
        if find(first) is find(second):
            return True
        if first.rank < 3 and second.rank < 3:
            return False
        return self.canonical(first) is self.canonical(second)

    def canonical(self, size: Size) -> Size:
        """The node of today's representatives: classes may have merged since it was made."""
        return self.representatives(size)[find(size)]

    def representatives(self, size: Size) -> dict[Size, Size]:
        """The node of today's representatives for each part of an expression, and for all of it."""
        done: dict[Size, Size] = {}
        for node in postorder(find(size), done):
            parts = [done[part] for part in operands_of(node)]
            done[node] = find(self.op(cast(str, node.key[0]), *parts) if parts else node)
        return done

    def union(self, first: Size, second: Size) -> None:
        """Makes two sizes one class."""
        first, second = find(first), find(second)
        if first is not second:
            if second.rank < first.rank:
                first, second = second, first
            second.parent = first
            self.merged.append(second)


class EqualPairs:
    """Pairs of numbers that are equal although they are not of one class.

    A pair is found by the canonical nodes of its two numbers. When classes merge, only the pairs
    in which a representative stood that is none any more are looked at again.
    """

    def __init__(self, table: SizeTable) -> None:
        self._table = table
        self._known: set[tuple[Size, Size]] = set()
        self._users: dict[Size, set[tuple[Size, Size]]] = {}
        self._taken_in = 0

    def add(self, first: Size, second: Size) -> None:
        """Two numbers are equal from here on."""
        nodes: list[Size] = []
        users: set[Size] = set()
        for size in (first, second):
            found = self._table.representatives(size)
            root = find(size)
            nodes.append(found[root])
            users.update((root, *found.values()))
        self._known.add((nodes[0], nodes[1]))
        for node in users:
            self._users.setdefault(node, set()).add((first, second))

    def has(self, first: Size, second: Size) -> bool:
        """Whether a pair of canonical nodes was added."""
        merged = self._table.merged
        while self._taken_in < len(merged):
            self._taken_in += 1
            for pair in self._users.pop(merged[self._taken_in - 1], ()):
                self.add(*pair)
        return (first, second) in self._known


def is_nonnegative(size: Size, depth: int = 8) -> bool:
    """Whether a size cannot be below 0; expressions deeper than `depth` are not looked through."""
    size = find(size)
    kind = size.key[0]
    if kind == "const":
        return cast(int, size.key[1]) >= 0
    if depth > 0 and kind == "maximum":
        return any(is_nonnegative(part, depth - 1) for part in operands_of(size))
    if depth > 0 and kind in ("mul", "minimum", "add"):
        return all(is_nonnegative(part, depth - 1) for part in operands_of(size))
    return kind == "dim"


def operands_of(size: Size) -> tuple[Size, ...]:
    """The operands of an expression; none of a leaf."""
    return cast("tuple[Size, ...]", size.key[1:]) if size.rank == 3 else ()


def postorder(size: Size, done: Container[Size]) -> Iterator[Size]:
    """The nodes of an expression that are not done, operands first; the caller does each in turn.

    Operands as the expression was written, not the representatives of today: a check must not read
    what only a later check makes equal.
    """
    pending = [size]
    while pending:
        node = pending[-1]
        if node in done:
            pending.pop()
            continue
        missing = [part for part in operands_of(node) if part not in done]
        if missing:
            pending.extend(missing)
        else:
            yield pending.pop()


def slice_range(
    table: SizeTable, length: Size, bounds: tuple[Size | None, Size | None, Size]
) -> tuple[Size, Size]:
    """First index and number of elements of a slice, as Python's `slice.indices`."""
    step = bounds[2]
    op = table.op
    if step.constant is None:
        forward = slice_range_of_sign(table, length, bounds, 1)
        backward = slice_range_of_sign(table, length, bounds, -1)
        negative = op("lt", step, 0)
        return (
            op("switch", negative, backward[0], forward[0]),
            op("switch", negative, backward[1], forward[1]),
        )
    return slice_range_of_sign(table, length, bounds, 1 if step.constant > 0 else -1)


def slice_range_of_sign(
    table: SizeTable, length: Size, bounds: tuple[Size | None, Size | None, Size], sign: int
) -> tuple[Size, Size]:
    """`slice_range` for a step of known sign."""
    op = table.op
    lower = table.const(0 if sign > 0 else -1)
    upper = length if sign > 0 else op("sub", length, 1)

    def clip(bound: Size | None, default: Size) -> Size:
        if bound is None:
            return default
        if bound.constant is not None:
            if bound.constant < 0:
                return op("maximum", op("add", length, bound), lower)
            return op("minimum", bound, upper)
        if is_nonnegative(bound):
            return op("minimum", bound, upper)
        wrapped = op("maximum", op("add", length, bound), lower)
        return op("switch", op("lt", bound, 0), wrapped, op("minimum", bound, upper))

    first = clip(bounds[0], lower if sign > 0 else upper)
    stop = clip(bounds[1], upper if sign > 0 else lower)
    distance = op("sub", stop, first) if sign > 0 else op("sub", first, stop)
    if bounds[0] is None and bounds[1] is None:
        distance = length
    return first, op("maximum", steps_within(table, distance, bounds[2], sign), 0)


def steps_within(table: SizeTable, distance: Size, step: Size, sign: int) -> Size:
    """The steps of `sign` that begin within a distance: ceil(distance / abs(step)), of any step.

    By floor divisions of negated numbers, which do not overflow; nothing else is negated, for
    -2**63 has no counterpart. A step of 0 gives 0.
    """
    op = table.op
    if step.constant == sign:
        return distance
    return op("sub", 0, op("int_div", op("sub", 0, distance) if sign > 0 else distance, step))
