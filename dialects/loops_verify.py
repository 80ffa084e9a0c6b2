"""The verifiers of the `loops` dialect: what passes take for granted of a nest and its kin.

Apart from the classes, because only `tt-opt`, DebugMode and tests verify.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    ArrayAttr,
    DenseArrayBase,
    IntegerAttr,
    IntegerType,
    MemRefType,
    StringAttr,
    TensorType,
    VectorType,
    i64,
)
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.utils.exceptions import VerifyException

from tetractys.dialects import loops, types
from tetractys.dialects.loops import (
    INDEX,
    KINDS,
    SCATTERS,
    SLICE,
    YIELDED,
    ZERO,
    Map,
    NestOp,
    rank_of,
)
from tetractys.dialects.signature import DISCRETE, FLOATS

if TYPE_CHECKING:
    from tetractys.dialects.loops import AllocOp, CallOp, CheckOp, GatherOp, Result, ViewOp

MAX_LANES = 64
"""Elements of the widest vector: 64 bytes of the smallest type."""


def verify_nest(nest: NestOp) -> None:
    """Maps name iterators, argument types are slices, results fit their kinds."""
    _verify_properties(nest)
    _verify_schedule(nest)
    _verify_inputs(nest)
    _verify_numbers(nest)
    for number in range(len(nest.kinds)):
        _verify_kind(nest, number)
    for part in nest.parts():
        _verify_part(nest, part)
    _verify_inplace(nest)


# Properties.


def _verify_properties(nest: NestOp) -> None:
    for name in ("maps", "result_maps"):
        for item in cast("ArrayAttr[Attribute]", nest.properties[name]):
            if not _is_integers(item):
                raise VerifyException(
                    f"loops.nest: found {item} in `{name}`; expected array<i64: ...>"
                )
    for item in cast("ArrayAttr[Attribute]", nest.properties["kinds"]):
        if not isinstance(item, StringAttr) or item.data not in KINDS:
            found = repr(item.data) if isinstance(item, StringAttr) else str(item)
            raise VerifyException(f"loops.nest: found kind {found}; expected one of {KINDS}")


def _is_integers(attribute: Attribute) -> bool:
    return isinstance(attribute, DenseArrayBase) and isinstance(attribute.elt_type, IntegerType)


def _verify_schedule(nest: NestOp) -> None:
    if nest.schedule is None:
        return
    for name, value in nest.schedule.data.items():
        if not isinstance(value, IntegerAttr) or value.value.data < 0:
            raise VerifyException(
                f"loops.nest: found {name} = {value} in the schedule; expected a number, 0 or more"
            )
    lanes = nest.scheduled("vector", 1)
    if lanes > MAX_LANES or lanes & (lanes - 1):
        raise VerifyException(
            f"loops.nest: found vector = {lanes} in the schedule; expected a power of two of at "
            f"most {MAX_LANES}"
        )
    for name in ("jam", "accumulators"):
        if nest.scheduled(name) > MAX_LANES:
            raise VerifyException(
                f"loops.nest: found {name} = {nest.scheduled(name)} in the schedule; expected at "
                f"most {MAX_LANES}"
            )


# Inputs.


def _verify_inputs(nest: NestOp) -> None:
    if len(nest.block.args) != nest.rank + len(nest.inputs) or len(nest.maps) != len(nest.inputs):
        raise VerifyException(
            "loops.nest: found a body, maps and inputs of different numbers; "
            "expected one argument an iterator, one argument and one map an input"
        )
    if any(argument.type != INDEX for argument in nest.iterators):
        raise VerifyException("loops.nest: expected iterators of type index")
    for value, entries, argument in zip(nest.inputs, nest.input_maps, nest.elements):
        if not isinstance(value.type, TensorType | MemRefType):
            raise VerifyException(
                f"loops.nest: found input of type {value.type}; expected a tensor or "
                "memref; scalars are used in the body directly"
            )
        if len(entries) != len(value.type.get_shape()):
            raise VerifyException(
                f"loops.nest: found a map of {len(entries)} entries for "
                f"{value.type}; expected one entry a dimension"
            )
        _verify_map(nest, entries, value.type)
        _verify_element(nest, value, entries, argument)


def _verify_element(nest: NestOp, value: SSAValue, entries: Map, argument: SSAValue) -> None:
    wanted = loops.slice_type(value.type, entries)
    found = argument.type
    moves = nest.rank > 0 and nest.rank - 1 in entries
    if isinstance(found, VectorType) and moves:
        if found.get_shape() == (nest.scheduled("vector", 1),):
            found = found.element_type
    same = type(found) is type(wanted) or not isinstance(wanted, TensorType | MemRefType)
    if isinstance(found, VectorType) or not same or _dtype(found) != _dtype(wanted) or (
        rank_of(found) != rank_of(wanted)
    ):
        raise VerifyException(
            f"loops.nest: found body argument of type {argument.type}; "
            f"expected {wanted}, the slice of {value.type}, or vectors of it of the schedule's "
            "width where it moves with the last iterator"
        )


def _dtype(type_: Attribute) -> str:
    return types.dtype_of(type_)


def _verify_map(nest: NestOp, entries: Map, type_: Attribute, *, scatter: bool = False) -> None:
    named = [entry for entry in entries if entry >= 0]
    known = all(ZERO <= entry < nest.rank and (scatter or entry != YIELDED) for entry in entries)
    assert isinstance(type_, TensorType | MemRefType)
    if any(entry == ZERO and n != 1 for entry, n in zip(entries, type_.get_shape())):
        raise VerifyException(
            f"loops.nest: found `0` in a map for {type_}; expected it only for a "
            "dimension of static size 1"
        )
    if not known or len(set(named)) != len(named):
        raise VerifyException(
            f"loops.nest: found map {list(entries)}; expected iterators of this nest, "
            "each at most once, or `:`"
        )


# Results.


def _verify_numbers(nest: NestOp) -> None:
    """As many values, results and memories as the kinds and maps say."""
    if not isinstance(nest.block.last_op, loops.YieldOp):
        raise VerifyException("loops.nest: expected a body that ends in loops.yield")
    kinds, maps = nest.kind_names, nest.result_map_list
    yields = sum(1 + entries.count(YIELDED) for entries in maps)
    if len(kinds) != len(maps) or yields != len(nest.yield_.arguments):
        raise VerifyException(
            f"loops.nest: found {len(nest.yield_.arguments)} yielded values; "
            f"expected {yields}, one a result and one an index of a scatter"
        )
    if len(nest.results_) + len(nest.outs_) != len(kinds):
        raise VerifyException("loops.nest: expected one result or out for each kind")
    arrays = sum(1 for entries in maps if entries)
    if len(nest.outs_) not in (0, arrays):
        raise VerifyException(
            f"loops.nest: found {len(nest.outs_)} outs for {arrays} array results; expected one "
            "each, or none"
        )
    scatters = sum(1 for kind in kinds if kind in SCATTERS)
    if not nest.outs_ and len(nest.inits) != scatters:
        raise VerifyException(
            f"loops.nest: found {len(nest.inits)} bases for {scatters} scatters on values; "
            "expected one each: scatter_add(%base)[...]"
        )


def _verify_kind(nest: NestOp, number: int) -> None:
    kinds, maps = nest.kind_names, nest.result_map_list
    kind, entries = kinds[number], maps[number]
    named = {entry for entry in entries if entry >= 0}
    if kind == "collect" and len(named) != nest.rank:
        raise VerifyException(
            "loops.nest: found a collect that leaves out an iterator; "
            "expected every iterator in its map; combine by a monoid instead"
        )
    if kind == "argmax" and (
        number == 0 or (kinds[number - 1], maps[number - 1]) != ("max", entries)
    ):
        raise VerifyException("loops.nest: found argmax without a max of the same map before it")


def _verify_part(nest: NestOp, part: Result) -> None:
    if part.map and rank_of(part.type) == len(part.map):
        _verify_map(nest, part.map, part.type, scatter=part.kind in SCATTERS)
    found = part.value.type
    lanes = found.get_shape() if isinstance(found, VectorType) else None
    if lanes is not None and lanes != (nest.scheduled("vector", 1),):
        raise VerifyException(
            f"loops.nest: found a yielded {found}; expected vectors of the schedule's width"
        )
    if (
        rank_of(part.type) != len(part.map)
        or rank_of(found) != part.map.count(SLICE)
        or (not part.map and isinstance(part.type, TensorType | MemRefType))
    ):
        raise VerifyException(
            f"loops.nest: found {part.kind}{list(part.map)} of type {part.type} "
            f"from a yielded {found}; expected equal ranks"
        )
    dtype = _dtype(part.type)
    if dtype != _dtype(found):
        raise VerifyException(
            f"loops.nest: found {part.type} from a yielded {found}; expected equal element types"
        )
    _verify_dtype(part.kind, dtype)
    if part.init is not None and part.init.type != part.type:
        raise VerifyException(
            f"loops.nest: found a base of type {part.init.type} for {part.type}; expected one type"
        )
    for index in part.indices:
        if index.type not in (INDEX, i64):
            raise VerifyException(
                f"loops.nest: found {index.type} as a yielded index; expected index or i64; "
                "cast it first"
            )


def _verify_dtype(kind: str, dtype: str) -> None:
    """A monoid on a dtype that it is defined for."""
    if kind in ("and", "or") and dtype not in DISCRETE:
        raise VerifyException(f"loops.nest: found {kind} of {dtype}; expected bool or integers")
    if kind == "argmax" and dtype != "int64":
        raise VerifyException(f"loops.nest: found argmax of {dtype}; expected the position, i64")


def _verify_inplace(nest: NestOp) -> None:
    found = nest.attributes.get("inplace")
    if found is None:
        return
    pairs = found.data if isinstance(found, ArrayAttr) else None
    inputs, outs = [*nest.inputs, *nest.inits], [part.type for part in nest.parts()]
    for pair in pairs or ():
        numbers = _integers(pair)
        fits = len(numbers) == 2 and 0 <= numbers[0] < len(outs) and 0 <= numbers[1] < len(inputs)
        if not fits or _dtype(outs[numbers[0]]) != _dtype(inputs[numbers[1]].type):
            pairs = None
    if pairs is None:
        raise VerifyException(
            f"loops.nest: found inplace = {found}; expected pairs array<i64: result, operand> of "
            "this nest, of equal element types"
        )


def _integers(attribute: Attribute) -> Sequence[int]:
    if not _is_integers(attribute):
        return ()
    return loops.map_entries(cast("DenseArrayBase", attribute))


# The other operations.


def verify_check(op: CheckOp) -> None:
    """A message that can be formatted, an exception that exists, at the function's level."""
    verify_message(op.name, op.message, op.kind)
    if isinstance(op.parent_op(), NestOp):
        raise VerifyException("loops.check: found in a nest; expected it at the function's level")


def verify_message(name: str, message: Attribute | None, kind: Attribute | None) -> None:
    """A message with no placeholders but {0} and {1}, and the name of a Python exception."""
    text = message.data if isinstance(message, StringAttr) else ""
    try:
        text.format(0, 0)
    except (LookupError, ValueError, AttributeError):
        raise VerifyException(
            f"{name}: found message {text!r}; expected no braces but {{0}} and {{1}}, the values"
        ) from None
    class_ = getattr(builtins, kind.data, None) if isinstance(kind, StringAttr) else ValueError
    if not (isinstance(class_, type) and issubclass(class_, Exception)):
        raise VerifyException(f"{name}: found kind {kind}; expected the name of a Python exception")


def verify_gather(op: GatherOp) -> None:
    """One index a dimension, and the element as the result."""
    source = cast("TensorType[Attribute] | MemRefType[Attribute]", op.source.type)
    if rank_of(source) != len(op.indices):
        raise VerifyException(
            f"loops.gather: found {len(op.indices)} indices for {source}; expected one a dimension"
        )
    if sorted(op.named_axes) != list(range(len(op.indices))):
        raise VerifyException(
            f"loops.gather: found axes {op.named_axes}; expected each dimension's number once"
        )
    if not 0 <= op.checked_axes <= len(op.indices):
        raise VerifyException(
            f"loops.gather: found {op.checked_axes} indices to check; expected at most the "
            f"{len(op.indices)} that there are"
        )
    type_ = op.out.type
    if (type_.element_type if isinstance(type_, VectorType) else type_) != source.element_type:
        raise VerifyException(
            f"loops.gather: found a result of type {op.out.type}; expected "
            f"{source.element_type}, the element of {source}"
        )


def verify_view(op: ViewOp) -> None:
    """The same elements, and one size for each dimension, or for each that the type leaves open."""
    source, result = op.source.type, op.out.type
    if type(source) is not type(result) or _dtype(source) != _dtype(result):
        raise VerifyException(
            f"loops.view: found {result} as a view of {source}; expected the same elements, both "
            "tensors or both memrefs"
        )
    shape = result.get_shape()
    if len(op.sizes) not in (len(shape), shape.count(DYNAMIC_INDEX)):
        raise VerifyException(
            f"loops.view: found {len(op.sizes)} sizes for {result}; expected one a dimension"
        )


def verify_call(op: CallOp) -> None:
    """A matrix product takes two matrices and makes one, or fills the last operand."""
    if op.callee.data != "gemm":
        return  # the lowering says what it knows
    found = [value.type for value in (*op.operands, *op.results)]
    matrices = all(isinstance(t, TensorType | MemRefType) and rank_of(t) == 2 for t in found)
    into_memory = not op.results and isinstance(found[-1] if found else None, MemRefType)
    if (
        len(found) != 3
        or not (len(op.results) == 1 or into_memory)
        or not matrices
        or len({_dtype(type_) for type_ in found}) != 1
        or _dtype(found[0]) not in FLOATS
    ):
        raise VerifyException(
            f"loops.call: found gemm of ({', '.join(map(str, found))}); expected two matrices and "
            "the product, all of one floating-point type"
        )


def verify_alloc(op: AllocOp) -> None:
    """One size for each dimension that the type leaves open; a place of its own or a row."""
    type_ = op.out.type
    wanted = type_.get_shape().count(DYNAMIC_INDEX)
    _dtype(type_)
    if len(op.sizes) != wanted:
        raise VerifyException(
            f"loops.alloc: found {len(op.sizes)} sizes for {type_}; expected {wanted}, one for "
            "each `?`"
        )
    for name, least in (("slot", 0), ("rows", 1), ("result", 0)):
        value = op.properties.get(name)
        if value is not None and _number(value) < least:
            raise VerifyException(
                f"loops.alloc: found {name} = {value}; expected a number, {least} or more"
            )
    _verify_place(op, op.parent_op())


def _number(attribute: Attribute) -> int:
    return attribute.value.data if isinstance(attribute, IntegerAttr) else -1


def _verify_place(op: AllocOp, outer: Operation | None) -> None:
    if op.result is None:
        return
    count = len(outer.kinds) if isinstance(outer, NestOp) else 0
    if _number(op.result) >= count:
        raise VerifyException(
            f"loops.alloc: found result = {_number(op.result)}; expected one of the {count} "
            "results of the nest around it"
        )
