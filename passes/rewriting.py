"""The walker of ours: a worklist of operations, patterns found by operation class.

A *pattern* is a function `(rw, op) -> bool` registered for operation classes in a `PatternTable`;
it looks at `op`, and if it applies, rewrites through `rw` and returns True. The walker

* visits each operation once, producers first, and again only what a rewrite touched (no sweeps);
* erases pure operations without users, and then looks at their operands;
* gives each new operation the location of the one that the pattern matched;
* stops with `RewriteLimitError` after a number of rewrites that no terminating table reaches.

xDSL's own rewriter drops locations, has no cap and costs several times as much a rewrite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias, TypeVar

from xdsl.dialects.builtin import (
    ArrayAttr,
    FusedLoc,
    LocationAttr,
    ModuleOp,
    NoneAttr,
    UnknownLoc,
)
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.traits import IsTerminator, Pure

from tetractys.dialects import types
from tetractys.dialects.build import (
    SignatureOp,
    infer_types,
    name_apply,
    properties_of,
    props_of,
)
from tetractys.dialects.elemwise import ConstantOp

Pattern: TypeAlias = "Callable[[Rewriter, Operation], bool]"
PatternT = TypeVar("PatternT", bound="Callable[..., bool]")
OpT = TypeVar("OpT", bound=Operation)

REWRITES_PER_OPERATION = 64
"""The iteration cap: so many rewrites for each operation that the walk started with."""


class RewriteLimitError(RuntimeError):
    """A set of patterns that does not come to an end."""


class PatternTable:
    """Patterns by operation class, in the order in which they were added."""

    def __init__(self, name: str, *others: PatternTable) -> None:
        self.name = name
        self.by_class: dict[type[Operation], list[Pattern]] = {}
        for other in others:
            for class_, patterns in other.by_class.items():
                self.by_class.setdefault(class_, []).extend(patterns)

    def on(self, *classes: type[Operation]) -> Callable[[PatternT], PatternT]:
        """Registers the decorated pattern for operations of these very classes."""

        def register(pattern: PatternT) -> PatternT:
            for class_ in classes:
                self.by_class.setdefault(class_, []).append(pattern)
            return pattern

        return register


_ERASABLE: dict[type[Operation], bool] = {}


def is_erasable(op: Operation) -> bool:
    """Whether `op` may go when nobody uses its results: pure and no terminator."""
    class_ = type(op)
    if (known := _ERASABLE.get(class_)) is None:
        known = class_.has_trait(Pure) and not class_.has_trait(IsTerminator)
        _ERASABLE[class_] = known
    return known


def is_dead(op: Operation) -> bool:
    """Whether `op` has no effect and nobody uses any of its results."""
    if not op.results or not is_erasable(op):
        return False
    return all(result.first_use is None for result in op.results)


def erase(op: Operation) -> None:
    """Erases an operation whose results nobody uses (xDSL's own `erase_op` checks that again)."""
    assert op.parent is not None
    op.parent.detach_op(op)
    op.drop_all_references()


def operations_of(block: Block) -> list[Operation]:
    """The operations of a block and of all regions inside, each before what it contains."""
    found: list[Operation] = []
    pending: list[Operation | None] = [block.first_op]
    while pending:
        op = pending.pop()
        while op is not None:
            found.append(op)
            if op.regions:
                pending.append(op.next_op)
                pending.extend(inner.first_op for region in reversed(op.regions)
                               for inner in reversed(tuple(region.blocks)))
                break
            op = op.next_op
    return found


def function_blocks(module: ModuleOp) -> list[Block]:
    """The bodies of the functions of a module."""
    regions = [region for op in module.body.block.ops for region in op.regions]
    return [block for region in regions for block in region.blocks]


def erase_dead(ops: Iterable[Operation]) -> None:
    """Erases the dead ones of `ops`; given in reverse order, whole dead chains go."""
    for op in ops:
        if op.parent is not None and is_dead(op):
            erase(op)


def fuse_locations(*locations: LocationAttr) -> LocationAttr:
    """The union of locations: each once, in order; unknown ones are left out."""
    parts: dict[Attribute, None] = {}
    for location in dict.fromkeys(locations):
        inner = location.locations if isinstance(location, FusedLoc) else (location,)
        assert isinstance(inner, ArrayAttr | tuple)
        parts.update((part, None) for part in inner if not isinstance(part, UnknownLoc))
    if not parts:
        return locations[0] if locations else UnknownLoc()
    if len(parts) == 1:
        (only,) = parts
        assert isinstance(only, LocationAttr)
        return only
    return FusedLoc(ArrayAttr(parts), NoneAttr())


_INFERRED: dict[object, list[Attribute]] = {}


def create(
    class_: type[SignatureOp],
    operands: Sequence[SSAValue],
    location: LocationAttr | None,
    props: dict[str, object] | None = None,
) -> SignatureOp:
    """`dialects.build.build` by class, with the inference remembered: half the time."""
    signature = class_.signature
    kinds = [operand.type for operand in operands]
    key = (class_, *kinds, *props.items()) if props else (class_, *kinds)
    result_types = _INFERRED.get(key)
    if result_types is None:
        if len(_INFERRED) > 20_000:
            _INFERRED.clear()
        result_types = _INFERRED[key] = infer_types(signature, kinds, props or {})
    return class_.create(
        operands=operands,
        result_types=result_types,
        properties=properties_of(signature, props) if props else {},
        location=location,
    )


class Rewriter:
    """What a pattern may do: make operations before the matched one, and replace it.

    op: the matched operation; new operations stand before it and have its location.
    shared: what patterns of one walk remember, by any key.
    """

    def __init__(self, table: PatternTable) -> None:
        self.table = table
        self.shared: dict[object, object] = {}
        self._stack: list[Operation] = []
        self._queued: set[Operation] = set()
        self.op: Operation | None = None
        self.rewrites = 0

    # ---- what patterns call

    def make(
        self, class_: type[SignatureOp], *operands: SSAValue, **props: object
    ) -> SSAValue:
        """The first result of a new operation."""
        return self.make_op(class_, operands, props).results[0]

    def make_op(
        self, class_: type[SignatureOp], operands: Sequence[SSAValue], props: dict[str, object]
    ) -> SignatureOp:
        """A new operation with its result types inferred."""
        assert self.op is not None
        return self.insert(create(class_, operands, self.op.location, props))

    def remake(
        self, op: SignatureOp, operands: Sequence[SSAValue], props: dict[str, object] | None = None
    ) -> SSAValue:
        """The first result of an operation on other operands; its errors name the same Apply."""
        new = self.make_op(type(op), operands, props_of(op) if props is None else props)
        name_apply(new, op)
        return new.results[0]

    def constant(self, number: float, type_: Attribute) -> SSAValue:
        """A constant; tensors have all sizes 1."""
        assert self.op is not None
        return self.insert(ConstantOp.make(number, type_, self.op.location)).results[0]

    def constant_like(self, number: float, value: SSAValue) -> SSAValue:
        """A constant of the element type and rank of `value`."""
        return self.constant(number, unit_type(value.type))

    def insert(self, op: OpT) -> OpT:
        """Puts a new operation before the matched one."""
        assert self.op is not None and self.op.parent is not None
        self.op.parent.insert_op_before(op, self.op)
        self._push(op)
        return op

    def replace(self, *values: SSAValue) -> bool:
        """Puts `values` in place of the matched operation's results, and erases it. True."""
        op = self.op
        assert op is not None and op.parent is not None
        for old, new in zip(op.results, values, strict=True):
            self._replace_value(old, new)
        for operand in op.operands:
            self._push_owner(operand)
        erase(op)
        return True

    def replace_value(self, old: SSAValue, new: SSAValue) -> bool:
        """Puts `new` in place of one value, whose operation stays. True."""
        self._replace_value(old, new)
        self._push_owner(old)
        return True

    def set_operand(self, index: int, value: SSAValue) -> bool:
        """Exchanges one operand of the matched operation. True."""
        op = self.op
        assert op is not None
        old = op.operands[index]
        op.operands[index] = value
        self._push_owner(old)
        self._push(op)
        self._push_users(op.results)
        return True

    def replace_by(self, class_: type[SignatureOp], *operands: SSAValue, **props: object) -> bool:
        """Puts a new operation of one result in place of the matched one. True."""
        return self.replace(self.make(class_, *operands, **props))

    def erase(self) -> bool:
        """Erases the matched operation, which has no users. True."""
        return self.replace()

    # ---- the walk

    def walk(self, block: Block) -> int:
        """Applies the table until nothing matches; the number of rewrites."""
        ops = operations_of(block)
        erase_dead(reversed(ops))
        ops = [op for op in ops if op.parent is not None]
        limit = REWRITES_PER_OPERATION * (len(ops) + 16)
        self._stack, self._queued = ops[::-1], set(ops)
        stack, queued, by_class = self._stack, self._queued, self.table.by_class
        while stack:
            op = stack.pop()
            queued.discard(op)
            if op.parent is None:
                continue
            patterns = by_class.get(type(op))
            if is_dead(op):
                self._erase_dead(op)
            elif patterns is not None and self._apply(op, patterns) and self.rewrites > limit:
                raise RewriteLimitError(
                    f"{self.table.name}: found no end after {self.rewrites} rewrites of "
                    f"{len(ops)} operations, the last one of {op.name}; expected patterns that "
                    "terminate; this is a bug of Tetractys: please report it"
                )
        return self.rewrites

    def _apply(self, op: Operation, patterns: Sequence[Pattern]) -> bool:
        self.op = op
        for pattern in patterns:
            if pattern(self, op):
                self.rewrites += 1
                return True
        return False

    def _erase_dead(self, op: Operation) -> None:
        operands = tuple(op.operands)
        erase(op)
        for operand in operands:
            self._push_owner(operand)

    def _replace_value(self, old: SSAValue, new: SSAValue) -> None:
        if old is new:
            return
        self._push_users((old,))
        old.replace_all_uses_with(new)

    def _push(self, op: Operation) -> None:
        if op not in self._queued:
            self._queued.add(op)
            self._stack.append(op)

    def _push_owner(self, value: SSAValue) -> None:
        owner = value.owner
        if isinstance(owner, Operation):
            self._push(owner)

    def _push_users(self, values: Iterable[SSAValue]) -> None:
        for value in values:
            for use in value.uses:
                self._push(use.operation)


def unit_type(type_: Attribute) -> Attribute:
    """`tensor<?x4xf64>` -> `tensor<1x1xf64>`: the type of a constant that broadcasts against it."""
    dtype, shape = types.spec_of(type_)
    return types.tensor_type((dtype, (1,) * len(shape)))


def apply_patterns(module: ModuleOp, table: PatternTable) -> int:
    """Applies a table to every function of a module; the number of rewrites."""
    return sum(Rewriter(table).walk(block) for block in function_blocks(module))

