"""Every elementwise operation x every dtype it takes x every layout: machine code against NumPy.

The parameters come from the dialect's table of signatures and the scalar table's domains. For each
tuple of dtypes one function is compiled for the operations that give one dtype and share a domain:
few compilations, and yet no nest whose vector width another operation's dtype decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

import tetractys
import tetractys.tensor as T
from tetractys.dialects import elemwise_signatures as ew
from tetractys.dialects.scalar_domains import Domain, cast_domain
from tetractys.dialects.scalar_table import TABLE, default_props, dtype_cases, evaluate
from tetractys.dialects.signature import DTYPES, DYNAMIC, FLOATS, ElemwiseSignature, is_float
from tetractys.oracle import difference
from tetractys.oracle.layouts import LAYOUTS
from tetractys.tensor.native import apply_native
from tetractys.tensor.type import tensor_type

GRAPH = [signature for signature in ew.SIGNATURES.values() if not signature.machine]
KINDS = ("0-d", "broadcast", *LAYOUTS)
COLUMNS = 71
"""Longer than any vector (64 lanes of int8), and no multiple of one: bodies and tails both run."""

MATRIX, ROW, COLUMN = (DYNAMIC, DYNAMIC), (1, DYNAMIC), (DYNAMIC, 1)
Case = tuple[ElemwiseSignature, Mapping[str, object]]


def tuples_of(arity: int) -> list[tuple[str, ...]]:
    """All dtypes of operands that some operation of this arity takes or might take."""
    if arity == 1:
        return [(dtype,) for dtype in DTYPES]
    if arity == 2:
        return [(first, second) for first in DTYPES for second in DTYPES]
    return dtype_cases(ew.SWITCH)


def props_of(signature: ElemwiseSignature, dtypes: Sequence[str]) -> list[Mapping[str, object]]:
    """Every choice of the operation's properties."""
    if signature is ew.CAST:
        return [{"dtype": dtype} for dtype in DTYPES]
    if signature is ew.TRUE_DIV and not any(is_float(dtype) for dtype in dtypes):
        return [{"dtype": dtype} for dtype in FLOATS]
    return [default_props(signature)]


def domains_of(case: Case, dtypes: Sequence[str]) -> tuple[Domain, ...]:
    """What decides an operation's operands beside their dtypes."""
    signature, props = case
    if signature is ew.CAST:
        return (cast_domain(dtypes[0], str(props["dtype"])),)
    return TABLE[signature].domains


def groups_of(dtypes: tuple[str, ...], covered: Any) -> Iterator[list[Case]]:
    """The operations that take these dtypes, by domains, and by dtype of the result.

    The latter only where operands need no cast: where they do, widths are mixed anyhow.
    """
    groups: dict[object, list[Case]] = {}
    for signature in GRAPH:
        if signature.arity != len(dtypes):
            continue
        for props in props_of(signature, dtypes):
            variables = [tensor_type((dtype, MATRIX))() for dtype in dtypes]
            try:
                result = apply_native(signature, variables, props)[0]
            except TypeError as refusal:
                covered.refuse(signature.short, str(refusal))
                continue
            dtype = result.type.dtype if len(set(dtypes)) == 1 else ""
            key = (dtype, domains_of((signature, props), dtypes))
            groups.setdefault(key, []).append((signature, props))
    yield from groups.values()


class Group:
    """Operations on common operands, compiled into one function for all types of operands.

    patterns: the shapes of the operands: 0-d, matrices, then each with static sizes 1.
    """

    def __init__(self, cases: Sequence[Case], dtypes: tuple[str, ...], covered: Any) -> None:
        self.cases, self.dtypes, self.covered = cases, dtypes, covered
        signature, props = cases[0]
        operands = TABLE[signature].operands(dtypes, props, np.random.default_rng(7))
        rows = -(-len(operands[0]) // COLUMNS)
        self.operands = [np.resize(x, (rows, COLUMNS)) for x in operands]
        self.broadcast = broadcast_patterns(dtypes)
        self.patterns = [[()] * len(dtypes), [MATRIX] * len(dtypes), *self.broadcast]
        self.function = self.compile()

    def compile(self) -> Any:
        """A function of all operations on operands of each of the patterns."""
        inputs: list[Any] = []
        outputs: list[Any] = []
        for shapes in self.patterns:
            own = [tensor_type((dtype, shape))() for dtype, shape in zip(self.dtypes, shapes)]
            inputs += own
            outputs += [apply_native(signature, own, props)[0] for signature, props in self.cases]
        return tetractys.function(inputs, outputs, name="coverage")

    def run(self) -> None:
        """All layouts; each call takes other 0-d values."""
        places = np.random.default_rng(1).permutation(self.operands[0].size)
        forms = [(kind, form) for kind, forms in LAYOUTS.items() for form in forms]
        picked = [x.reshape(-1)[places[: len(forms)]] for x in self.operands]
        scalars: list[Sequence[Any]] = []
        for number, (kind, form) in enumerate(forms):
            matrices = [form(x) for x in self.operands]
            cuts = self.cuts(LAYOUTS["contiguous" if kind in ("empty", "size 1") else kind][0])
            given = [[x[number] for x in picked], matrices, *cuts]
            found = self.function(*(x for own in given for x in own))
            count = len(self.cases)
            parts = [found[at : at + count] for at in range(0, len(found), count)]
            scalars.append(parts[0])
            self.compare(kind, parts[1], matrices)
            for part, own in zip(parts[2:], cuts):
                self.compare("broadcast", part, own)
        assert all(answer.shape == () for part in scalars for answer in part)
        self.compare("0-d", [np.array(column) for column in zip(*scalars)], picked)

    def cuts(self, form: Any) -> list[list[np.ndarray]]:
        """The operands of the patterns with static sizes 1, in a layout."""
        cut = {MATRIX: np.s_[:, :], ROW: np.s_[:1], COLUMN: np.s_[:, :1]}
        return [
            [form(x[cut[shape]]) for x, shape in zip(self.operands, shapes)]
            for shapes in self.broadcast
        ]

    def compare(self, kind: str, found: Sequence[Any], operands: Sequence[np.ndarray]) -> None:
        """Holds results against NumPy's and records the cells."""
        shape = np.broadcast_shapes(*(x.shape for x in operands))
        for (signature, props), mine in zip(self.cases, found, strict=True):
            wanted = np.broadcast_to(evaluate(signature, operands, props), shape)
            if problem := difference(np.asarray(mine), wanted, TABLE[signature].ulps):
                what = f"{signature.name}{self.dtypes} {dict(props)} {kind}"
                raise AssertionError(f"{what}: {problem}")
            self.covered.add(signature.short, kind, (self.dtypes, props.get("dtype")))


def broadcast_patterns(dtypes: Sequence[str]) -> list[list[Any]]:
    """Shapes of the operands, one of which at a time has a dimension of static size 1."""
    if len(dtypes) == 1:
        return [[ROW], [COLUMN]]
    if len(dtypes) == 3:
        return [[COLUMN, MATRIX, ROW], [MATRIX, ROW, COLUMN]]
    if len(set(dtypes)) == 1:
        return [[MATRIX, ROW], [COLUMN, MATRIX], [ROW, COLUMN]]
    return [[COLUMN, MATRIX] if dtypes[0] > dtypes[1] else [MATRIX, ROW]]


def expected_of(dtypes: tuple[str, ...]) -> dict[str, list[object]]:
    """The cells that the dialect's table demands: what the dtype rules accept."""
    expected: dict[str, list[object]] = {}
    for signature in GRAPH:
        if signature.arity != len(dtypes):
            continue
        for props in props_of(signature, dtypes):
            if dtypes in dtype_cases(signature, props):
                expected.setdefault(signature.short, []).append((dtypes, props.get("dtype")))
    return expected


ALL = [dtypes for arity in (1, 2, 3) for dtypes in tuples_of(arity)]


def is_mirrored(dtypes: tuple[str, ...]) -> bool:
    """Whether the other order of two dtypes is tried each time: by turns, (a, b) or (b, a).

    Casts are all that such a pair adds to the dtype it is computed in, and they are alike.
    """
    first, second = (DTYPES.index(dtype) for dtype in dtypes[:2]) if len(dtypes) == 2 else (0, 0)
    return first != second and (first < second) == bool((first + second) % 2)


PARAMETERS = [
    pytest.param(dtypes, marks=[pytest.mark.slow] * is_mirrored(dtypes)) for dtypes in ALL
]


@pytest.mark.parametrize("dtypes", PARAMETERS, ids="-".join)
def test_operations(dtypes: tuple[str, ...], covered: Any) -> None:
    """All operations that take these dtypes, in all layouts; a hole in the table is a failure."""
    for cases in groups_of(dtypes, covered):
        Group(cases, dtypes, covered).run()
    holes = covered.holes(expected_of(dtypes), KINDS)
    mixed = {"and", "or", "xor"} if len(set(dtypes)) == 2 and "bool" in dtypes else set()
    # Theano's front end takes no bool beside an integer there, though the dialect does.
    assert {hole[0] for hole in holes} <= mixed, holes


@pytest.mark.parametrize("dtype", DTYPES)
def test_constant(dtype: str, covered: Any) -> None:
    """A constant has no operand: rank 0, and size 1 in every dimension."""
    info = np.finfo(dtype) if is_float(dtype) else None
    bounds = None if dtype == "bool" or info else np.iinfo(dtype)
    values: list[Any] = [0, 1]
    values += (
        [info.max, info.tiny, info.smallest_subnormal, np.inf, -np.inf, np.nan, -0.0]
        if (info)
        else []
    )
    values += [bounds.min, bounds.max] if bounds else []
    arrays = [np.array(value, dtype) for value in values]
    arrays += [array.reshape(1, 1) for array in arrays]
    function = tetractys.function([], [T.constant(array) for array in arrays])
    for mine, array in zip(function(), arrays, strict=True):
        assert difference(mine, array) is None
    covered.add("constant", "0-d", dtype)
    covered.add("constant", "size 1", dtype)


def test_every_operation_is_of_an_arity_above() -> None:
    """No signature escapes the parameters."""
    assert {signature.arity for signature in GRAPH} == {0, 1, 2, 3}
    pairs = [pair for pair in tuples_of(2) if not is_mirrored(pair)]
    assert {frozenset(pair) for pair in pairs} == {frozenset(pair) for pair in tuples_of(2)}
    assert set(GRAPH) <= set(TABLE)
