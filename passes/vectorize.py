"""`vectorize`: the innermost dimension of scheduled nests gets explicit vector types.

Pre-condition: `schedule-cpu` has put `vector = W` on leaf nests and the contiguous iterator last.
Post-condition: in each such nest, elements that move with the last iterator, what is computed from
them, and all yielded values are `vector<WxT>`; or the nest is as it was, without its `vector`
entry, and the attribute `scalar_because` says why (so does `reasons()`, for `f.explain()`).

    %r = loops.nest (%i < %n, %k < %d) ins(%a = %x[%i, %k] : ..., %b = %y[%i] : ...)
        -> (collect[%i, %k] : ...) schedule {vector = 8} {
      %0 = elemwise.add %a, %b : f64
      loops.yield %0 : f64
becomes
        ins(%a = %x[%i, %k] : ... as vector<8xf64>, %b = %y[%i] : ...)
      %b_8 = elemwise.splat %b : f64 to vector<8xf64>
      %0 = elemwise.add %a, %b_8 : vector<8xf64>
      loops.yield %0 : vector<8xf64>

What does not depend on the last iterator stays scalar, computed once. The last, partial step is the
lowering's business. It runs after `expand-math`, so that functions are vectors by themselves.

A body that is one long chain gets `unroll`: so many vectors run side by side, because a processor
that waits for the chain does not see far enough to begin the next vector meanwhile.
"""

from __future__ import annotations

from typing import cast

from xdsl.context import Context
from xdsl.dialects.builtin import (
    DictionaryAttr,
    IntegerAttr,
    ModuleOp,
    StringAttr,
    VectorType,
    i64,
)
from xdsl.ir import Block, BlockArgument, Operation, OpResult, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from tetractys.dialects import elemwise
from tetractys.dialects.loops import (
    MONOIDS,
    SCATTERS,
    SLICE,
    ZERO,
    GatherOp,
    Map,
    NestOp,
    is_leaf,
    walk_nests,
)
from tetractys.dialects.loops_views import AT, SubviewOp
from tetractys.dialects.types import vector_of
from tetractys.passes.naming import name_of

MOST_LOADS = 32
"""Loads of single lanes in the body of a vectorised nest."""

CHAIN = 14
"""A chain of twice as many operations gets two vectors side by side, of thrice as many three.

An operation takes 4 cycles and the next one waits for it; some 100 may wait, of this vector and the
next ones, while 2 a cycle could be done. Most functions by themselves gain nothing (20 deep), erf
1.3 (33), pow 1.4 (57).
"""
MOST_AT_ONCE = 4
"""Vectors side by side: more gain little (66, 39, 29, 24, 23 ns an element of 50 functions) and
cost code.
"""

COLUMNS = "an input that is not contiguous along the last iterator"
"""Why a nest that reads columns, more than single lanes are worth, stays scalar."""

SCALAR_BECAUSE = "scalar_because"
"""The attribute of a nest that was to be vectorised and could not be: the reason."""


# Predicates.

def refusal(nest: NestOp) -> str | None:
    """Why a nest must stay scalar; None if it may become vectors."""
    if nest.rank == 0:
        return "no iterator"
    last = nest.rank - 1
    return (
        _refusal_of_body(nest)
        or _refusal_of_inputs(nest, last)
        or _refusal_of_results(nest, last)
    )


def _refusal_of_body(nest: NestOp) -> str | None:
    for op in nest.block.ops:
        if isinstance(op, NestOp):
            return "a nest inside"
        if isinstance(op, GatherOp):
            if not is_row(nest, op):
                return "a gather"
            continue
        if not isinstance(op, elemwise.ElemwiseOp | elemwise.SplatOp) and op is not nest.yield_:
            return f"{op.name} in the body"
        if isinstance(op, elemwise.SplatOp):
            return "vectors already"
    uses = nest.iterators[nest.rank - 1].uses
    if any(not isinstance(use.operation, GatherOp) for use in uses):
        return "the last iterator used as a value"
    return None


def is_row(nest: NestOp, gather: GatherOp) -> bool:
    """Whether a gather goes along dense rows: its last index is the last iterator, which nothing
    that decides about the others moves with.
    """
    last = nest.rank - 1
    *others, along = gather.indices
    if along is not nest.iterators[last] or gather.named_axes[-1] < gather.checked_axes:
        return False
    if isinstance(nest.parent_op(), NestOp) or step_of(gather.source) != 1:
        return False
    moving: set[SSAValue] = {nest.iterators[last]}
    moving.update(element for element, entries in zip(nest.elements, nest.input_maps)
                  if last in entries)  # fmt: skip
    for op in nest.block.ops:
        if any(operand in moving for operand in op.operands):
            moving.update(op.results)
    return not any(index in moving for index in others)


def _refusal_of_inputs(nest: NestOp, last: int) -> str | None:
    lanes = 0
    for value, entries in zip(nest.inputs, nest.input_maps):
        if SLICE in entries:
            return "a slice as an element"
        if last in entries and step_along(value, entries, last) not in (1, -1):
            lanes += 0 if is_tiled(nest, value, entries) else nest.scheduled("vector")
    if lanes > MOST_LOADS or (lanes and isinstance(nest.parent_op(), NestOp)):
        return COLUMNS
    return None


def is_tiled(nest: NestOp, value: SSAValue, entries: Map) -> bool:
    """Whether an input is read by tiles: its neighbours are the last iterator but one's."""
    return bool(nest.scheduled("tile")) and step_along(value, entries, nest.rank - 2) == 1


def _refusal_of_results(nest: NestOp, last: int) -> str | None:
    for part, result in zip(nest.parts(), nest.results):
        if part.kind in (*SCATTERS, "argmax"):
            return f"a result of kind {part.kind}"
        assert part.kind == "collect" or part.kind in MONOIDS
        if SLICE in part.map:
            return "a result of rows"
        if last in part.map and not (_ends_in(part.map, last, owned=True) and step_of(result) == 1):
            return "a result that is not contiguous along the last iterator"
    return None


def step_along(value: SSAValue, entries: Map, last: int) -> int | None:
    """The elements between neighbours along the last iterator, -1 if they stand backwards.

    None: not known, or in another dimension than the last.
    """
    return step_of(value) if _ends_in(entries, last, owned=_is_made_by_nest(value)) else None


def step_of(value: SSAValue) -> int | None:
    """The elements between neighbours along the last dimension of an array, None if not known.

    Not so in a column of a matrix, `%x[:, %j]`, that an outer nest reads or gives, or a view.
    """
    if isinstance(value, BlockArgument):
        outer = value.block.parent_op()
        if not isinstance(outer, NestOp) or value.index < outer.rank:
            return 1
        number = value.index - outer.rank
        source = outer.inputs[number]
        row = _ends_in(outer.input_maps[number], SLICE, owned=_is_made_by_nest(source))
        return step_of(source) if row else None
    owner = value.owner
    assert isinstance(owner, Operation)
    if isinstance(owner, SubviewOp):
        last, step = owner.part[-1], step_of(owner.source)
        if last.kind == AT or step is None or not isinstance(last.step, int):
            return None
        return step * last.step
    outer = owner.parent_op()
    if not isinstance(outer, NestOp):
        return 1
    rows = all(
        _ends_in(part.map, SLICE, owned=True) and step_of(result) == 1
        for part, result in zip(outer.parts(), outer.results)
        if part.value is value
    )
    return 1 if rows else None


def _ends_in(entries: Map, wanted: int, *, owned: bool) -> bool:
    """Whether an entry is that of the last dimension.

    owned: made here, hence row-major: dimensions of size 1 may follow (not so in an argument).
    """
    while owned and entries and entries[-1] == ZERO:
        entries = entries[:-1]
    return bool(entries) and entries[-1] == wanted


def _is_made_by_nest(value: SSAValue) -> bool:
    return isinstance(value, OpResult) and isinstance(value.op, NestOp)


def loads_lanes(module: ModuleOp) -> bool:
    """Whether a vectorised nest reads an argument of the function along another dimension than the
    last (that of an array of one column, as it comes with gaps, excepted).
    """
    for nest in walk_nests(module):
        last = nest.rank - 1
        for value, entries in zip(nest.inputs, nest.input_maps):
            if (
                nest.scheduled("vector")
                and last in entries
                and entries[-1] not in (last, ZERO)
                and isinstance(value, BlockArgument)
                and not isinstance(value.block.parent_op(), NestOp)
                and not is_tiled(nest, value, entries)
            ):
                return True
    return False


def copies_columns(module: ModuleOp) -> bool:
    """Whether a nest around others copies columns to rows (`schedule_tiles`)."""
    return any(nest.scheduled("tile") and not is_leaf(nest) for nest in walk_nests(module))


# The rewriting.

def apply_vectorize(nest: NestOp, width: int) -> None:
    """Gives vector types to all that moves with the last iterator; splats the rest where needed."""
    last = nest.rank - 1
    for element, entries in zip(list(nest.elements), nest.input_maps):
        if last in entries:
            Rewriter.replace_value_with_new_type(element, vector_of(element.type, width))
    splats = _Splats(nest.block, width)
    for op in list(nest.block.ops):
        if op is nest.yield_:
            continue
        if isinstance(op, GatherOp):
            Rewriter.replace_value_with_new_type(op.out, vector_of(op.out.type, width))
        elif any(isinstance(operand.type, VectorType) for operand in op.operands):
            splats.widen_operands(op)
            result = op.results[0]
            Rewriter.replace_value_with_new_type(result, vector_of(result.type, width))
    splats.widen_operands(nest.yield_)
    splats.erase_unused_constants()


class _Splats:
    """The vectors of scalars in one body, each made once."""

    def __init__(self, block: Block, width: int) -> None:
        self.block = block
        self.width = width
        self.found: dict[SSAValue, SSAValue] = {}

    def widen_operands(self, op: Operation) -> None:
        """Replaces the scalar operands of an operation by vectors."""
        for number, operand in enumerate(op.operands):
            if not isinstance(operand.type, VectorType):
                op.operands[number] = self.of(operand)

    def of(self, value: SSAValue) -> SSAValue:
        """A scalar in every lane; of a constant the constant vector."""
        found = self.found.get(value)
        if found is None:
            found = self.found[value] = self._make(value)
        return found

    def _make(self, value: SSAValue) -> SSAValue:
        owner = value.owner
        if isinstance(owner, elemwise.ConstantOp):
            op: Operation = elemwise.ConstantOp.create(
                result_types=[vector_of(value.type, self.width)],
                properties=owner.properties,
                location=owner.location,
            )
        else:
            location = owner.location if isinstance(owner, Operation) else None
            op = elemwise.SplatOp.make(value, self.width, location)
        op.results[0].name_hint = value.name_hint
        if isinstance(owner, Operation) and owner.parent is self.block:
            self.block.insert_op_after(op, owner)
        else:
            self.block.insert_op_before(op, cast(Operation, self.block.first_op))
        return op.results[0]

    def erase_unused_constants(self) -> None:
        """Scalar constants whose every use has become a vector."""
        for value in self.found:
            owner = value.owner
            if isinstance(owner, elemwise.ConstantOp) and owner.parent is self.block:
                if value.first_use is None:
                    self.block.erase_op(owner)


def vectors_at_once(nest: NestOp) -> int:
    """How many vectors should run side by side: several only where each stores its own results."""
    if any(part.kind != "collect" or SLICE in part.map for part in nest.parts()):
        return 1
    if any(isinstance(op, GatherOp) for op in nest.block.ops):
        return 1
    depths: dict[SSAValue, int] = {}
    for op in nest.block.ops:
        longest = max((depths.get(operand, 0) for operand in op.operands), default=0)
        for result in op.results:
            depths[result] = longest + 1
    return min(max(max(depths.values(), default=0) // CHAIN, 1), MOST_AT_ONCE)


def apply_unroll(nest: NestOp, number: int) -> None:
    """Puts `unroll` into the schedule; what is set already stays."""
    assert nest.schedule is not None
    entry = {"unroll": IntegerAttr(number, i64)}
    nest.properties["schedule"] = DictionaryAttr(entry | dict(nest.schedule.data))


def drop_vector(nest: NestOp, reason: str) -> None:
    """Takes `vector` out of the schedule and keeps the reason."""
    assert nest.schedule is not None
    rest = {name: value for name, value in nest.schedule.data.items() if name != "vector"}
    if rest:
        nest.properties["schedule"] = DictionaryAttr(rest)
    else:
        del nest.properties["schedule"]
    nest.attributes[SCALAR_BECAUSE] = StringAttr(reason)


class VectorizePass(ModulePass):
    """Vectorises the nests whose schedule says so."""

    name = "vectorize"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Takes one nest after another; `reasons` then says what stayed scalar."""
        reasons: list[str] = []
        object.__setattr__(self, "_reasons", reasons)
        for nest in list(walk_nests(op)):
            width = nest.scheduled("vector")
            if width < 1:
                continue
            reason = refusal(nest)
            if reason is None:
                apply_vectorize(nest, width)
                if (number := vectors_at_once(nest)) > 1:
                    apply_unroll(nest, number)
            else:
                drop_vector(nest, reason)
                reasons.append(f"{name_of(nest)} stays scalar: {reason}")

    def reasons(self) -> list[str]:
        """Why nests stayed scalar in the last `apply`, a sentence each."""
        return getattr(self, "_reasons", [])
