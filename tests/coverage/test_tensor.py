"""Every tensor operation x every dtype it takes x every layout: machine code against the oracle.

One function a dtype returns the results of all applications that are defined for all sizes; those
that need elements (an index, a maximum) sit in a second one. Both run on operands of all layouts;
the judge is the level-1 interpreter on the imported graph. Without elements there is a third
function of what is defined then, and of each operation an application that may be refused.

A cell of the table that nothing fills is a failure, unless `MEANINGLESS` gives the reason; and what
is declared there must stay empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pytest

import tetractys
from tetractys.dialects import tensor_signatures as ts
from tetractys.dialects.scalar_domains import Domain
from tetractys.dialects.signature import DISCRETE, DTYPES, FLOATS, INTEGERS, Signature, is_float
from tetractys.oracle import difference
from tetractys.oracle.layouts import LAYOUTS
from tetractys.oracle.reference import expected, reference
from tetractys.tensor.native import apply_native
from tetractys.tensor.type import tensor_type

Form = TypeVar("Form")
UNDEFINED = {
    "grad": "a marker in textual IR; graphs come differentiated",
    "check_equal": "has no result; passes make it, and every size mismatch in tests meets it",
}
KINDS = ("0-d", "broadcast", *LAYOUTS)
NUMBERS = "takes numbers, no arrays"
RANK_2 = "a product of matrices"
NO_PLACE = "a number has no place to take by an index vector"
MEANINGLESS: dict[tuple[str, str], str] = {
    **{(name, kind): NUMBERS for name in ("make_vector", "arange") for kind in KINDS[1:]},
    ("size", "0-d"): "a number has no dimension",
    ("dot", "0-d"): "the front end multiplies by a number",
    ("gemm", "0-d"): RANK_2,
    ("softmax", "0-d"): "is along the last axis",
    ("log_softmax", "0-d"): "is along the last axis",
    ("advanced_subtensor", "0-d"): NO_PLACE,
    ("advanced_inc_subtensor", "0-d"): NO_PLACE,
}
"""(operation, layout) -> why there is no such thing."""
PARTLY = {
    "softmax": FLOATS,
    "log_softmax": FLOATS,
    "gemm": FLOATS,
    "arange": (*INTEGERS, *FLOATS),
}
"""Operations that do not take every dtype."""
WHOLE = ("bool", "int8", "int64", *FLOATS)
"""Dtypes in which every form of an application is tried each time. Of the other ones, which differ
from these in width and sign alone, each takes a third of the forms; the whole of them is slow."""
SLICES = (
    "",
    ":",
    "::-1",
    ":, ::-1",
    "1:",
    ":-1",
    "::2",
    "1::2, ::-2",
    "-3:",
    "100:",
    ":-100:-1",
    "5:2",
    "::-3, 1:-1",
    "@:",
    ":@",
    "@:@:@",
    ":, @:@",
    "@:, :@:2",
)
ELEMENTS = ("0", "-1", "@", ":, @", "@, @", "@, ::-1", "::2, 0", "-1, 0")
AXES = {
    0: [()],
    1: [(0,)],
    2: [(0,), (1,), (0, 1), ()],
    3: [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)],
}
SHAPES: dict[str, tuple[int, ...]] = {
    "s": (),
    "v": (-1,),
    "w": (-1,),
    "m": (-1, -1),
    "m2": (-1, -1),
    "p": (-1, -1),
    "t": (-1,) * 3,
    "row": (1, -1),
    "col": (-1, 1),
    "e": (-1, -1),
    "g": (-1, -1),
}
"""`e` has no rows, `g` no columns."""
INDICES: dict[str, tuple[str, tuple[int, ...]]] = {
    "r": ("int64", ()),
    "c": ("int64", ()),
    "start": ("int64", ()),
    "step": ("int8", ()),
    "z1": ("int64", (-1,)),
    "z2": ("int64", (-1,)),
    "z3": ("int32", (-1,)),
    "q": ("int64", (-1,)),
    "i": ("int64", (-1,)),
    "j": ("int32", (-1,)),
    "u": ("uint8", (-1,)),
    "one": ("int64", (-1,)),
    "none": ("int64", (-1,)),
}


@dataclass(frozen=True)
class Application:
    """One result of one application: how it is compared.

    ulps: None is exact but for the sign of zero; summed: the scale is that of a sum of products of
    so many operands' values.
    """

    operation: str
    result: Any
    ulps: float = 0
    summed: int = 0

    def kinds(self) -> set[str]:
        """The columns of the table that it belongs to: by the types of its operands."""
        arrays = [x for x in self.result.owner.inputs if x.name not in INDICES]
        kinds = {"0-d"} if self.operation == "arange" else set()
        for operand in arrays:
            kinds.update(LAYOUTS if operand.type.ndim else ["0-d"])
            if any(operand.type.broadcastable):
                kinds.add("broadcast")
        return kinds


class Builder:
    """Applies operations to the variables of one dtype."""

    def __init__(self, dtype: str, is_whole: bool) -> None:
        self.dtype, self.is_whole = dtype, is_whole
        self.variables: dict[str, Any] = {
            **{name: tensor_type((dtype, shape))(name) for name, shape in SHAPES.items()},
            **{name: tensor_type(spec)(name) for name, spec in INDICES.items()},
        }
        self.made: list[Application] = []

    def some(self, forms: Sequence[Form]) -> Sequence[Form]:
        """All the forms, or a third: two dtypes one behind the other take different ones."""
        is_whole = self.is_whole or len(forms) < 4
        return forms if is_whole else forms[DTYPES.index(self.dtype) % 3 :: 3]

    def __call__(
        self, signature: Signature, *operands: Any, ulps: float = 0, summed: int = 0, **props: Any
    ) -> Any:
        """Applies an operation to variables, or to their names; keeps all results."""
        given = [self.variables[x] if isinstance(x, str) else x for x in operands]
        results = apply_native(signature, given, props)
        self.made += [Application(signature.short, result, ulps, summed) for result in results]
        return results[0]


def shape_work(b: Builder) -> None:
    """Dimshuffle, reshape, sizes, and operations that make arrays."""
    for name, orders in {
        "s": [(-1,), (-1, -1)],
        "v": [(0,), (-1, 0), (0, -1)],
        "row": [(1,), (1, 0), (0, 1)],
        "m": [(1, 0), (0, 1), (0, -1, 1), (-1, 1, 0, -1)],
        "t": [(0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0), (1, -1, 0, 2)],
    }.items():
        for order in orders:
            b(ts.DIMSHUFFLE, name, order=order)
    b(ts.RESHAPE_TO, "m", "z2", ndim=2, ones=())
    b(ts.RESHAPE_TO, "p", "z1", ndim=1, ones=())
    b(ts.RESHAPE_TO, "m", "z3", ndim=3, ones=(0,))
    b(ts.RESHAPE_TO, b(ts.DIMSHUFFLE, "m", order=(1, 0)), "z1", ndim=1, ones=())
    b(ts.RESHAPE_TO, "s", "one", ndim=1, ones=())
    b(ts.RESHAPE_TO, "col", "z1", ndim=1, ones=())
    b(ts.MAKE_VECTOR, "s", "s", "s", dtype=b.dtype)
    b(ts.MAKE_VECTOR, "s", dtype=b.dtype)
    b(ts.SHAPE, "s")
    for name in ("v", "m", "t", "row"):
        b(ts.SHAPE, name)
        for dim in range(len(SHAPES[name])):
            b(ts.SIZE, name, dim=dim)
    b(ts.ALLOC, "s", "r", "c", ones=())
    b(ts.ALLOC, "v", "r", "c", ones=())
    b(ts.ALLOC, "row", "r", "c", ones=())
    b(ts.ALLOC, "col", "r", "c", ones=())
    b(ts.ALLOC, "m", "start", "r", "c", ones=())
    if b.dtype != "bool":
        b(ts.ARANGE, "start", "c", "step", dtype=b.dtype)
        b(ts.ARANGE, "c", "start", "step", dtype=b.dtype)


def products(b: Builder) -> None:
    """Sums, products, dot in all pairs of ranks, gemm, softmax."""
    for name in ("s", "v", "m", "t", "row", "col"):
        for axes in b.some(AXES[len(SHAPES[name])]):
            b(ts.REDUCE, name, kind="add", axes=axes, ulps=200, summed=1)
            b(ts.REDUCE, name, kind="mul", axes=axes, ulps=400)
            if b.dtype in DISCRETE:
                b(ts.REDUCE, name, kind="and", axes=axes)
                b(ts.REDUCE, name, kind="or", axes=axes)
    if b.dtype == "float32":
        for wide in FLOATS:
            b(ts.REDUCE, "m", kind="add", axes=(1,), acc_dtype=wide, ulps=200, summed=1)
            b(ts.REDUCE, "m", kind="add", axes=(0,), dtype=wide, ulps=200, summed=1)
    for first, second in (
        ("v", "v"),
        ("m", "v"),
        ("w", "m"),
        ("m", "p"),
        ("p", "m"),
        ("row", "p"),
        ("p", "w"),
        ("col", "row"),
    ):
        b(ts.DOT, first, second, ulps=400, summed=2)
    if not is_float(b.dtype):
        return
    for name, other, flags in (
        ("m", "p", {}),
        ("m", "m2", {"transpose_b": True}),
        ("m", "m2", {"transpose_a": True}),
        ("p", "m", {"transpose_a": True, "transpose_b": True}),
        ("row", "p", {}),
    ):
        b(ts.GEMM, name, other, ulps=400, summed=2, **flags)


def bounds_of(slices: str) -> list[str]:
    """The dynamic bounds of a subtensor: start, stop and step by their place."""
    names: list[str] = []
    for entry in ts.parse_slices(slices):
        if entry == "@":
            names.append("start")
        elif isinstance(entry, tuple):
            places = zip(entry, ("start", "r", "step"))
            names += [name for bound, name in places if bound == "@"]
    return names


def indexing(b: Builder, slices: tuple[str, ...]) -> None:
    """Reading and writing regions: in the same form, with a value of the region's shape."""
    for text in b.some(slices):
        bounds = bounds_of(text)
        region = b(ts.SUBTENSOR, "m", *bounds, slices=text)
        b(ts.SUBTENSOR, "t", *bounds, slices=text)
        value = apply_native(
            ts.SUBTENSOR, [b.variables["m2"], *(b.variables[x] for x in bounds)], {"slices": text}
        )[0]
        filled = apply_native(
            ts.DIMSHUFFLE, [b.variables["s"]], {"order": (-1,) * region.type.ndim}
        )[0]
        for put in (True, False):
            if value.type.broadcastable == region.type.broadcastable:
                b(ts.INC_SUBTENSOR, "m", value, *bounds, slices=text, set=put)
            b(ts.INC_SUBTENSOR, "m", filled, *bounds, slices=text, set=put)


def total(b: Builder) -> None:
    """What is defined for all sizes."""
    shape_work(b)
    products(b)
    indexing(b, SLICES)
    b(ts.SUBTENSOR, "s", slices="")
    b(ts.SUBTENSOR, "row", slices=":, ::-1")
    b(ts.INC_SUBTENSOR, "s", "s", slices="", set=False)


def partial(b: Builder) -> None:
    """What needs elements."""
    indexing(b, ELEMENTS)
    for name in ("s", "v", "m", "t", "row", "col"):
        for axes in b.some(AXES[len(SHAPES[name])]):
            b(ts.REDUCE, name, kind="max", axes=axes)
            b(ts.REDUCE, name, kind="min", axes=axes)
            b(ts.MAX_AND_ARGMAX, name, axes=axes)
    for indices in (("i",), ("j",), ("u",), ("i", "j"), ("j", "u")):
        for name in ("m", "t"):
            b(ts.ADVANCED_SUBTENSOR, name, *indices)
        value = apply_native(ts.ADVANCED_SUBTENSOR, [b.variables[x] for x in ("m2", *indices)])[0]
        b(ts.ADVANCED_INC_SUBTENSOR, "m", value, *indices, set=False, ulps=4, summed=1)
        b(ts.ADVANCED_INC_SUBTENSOR, "m", value, *indices, set=True)
    for name in ("v", "m", "t", "row") if is_float(b.dtype) else ():
        b(ts.SOFTMAX, name, ulps=200)
        b(ts.LOG_SOFTMAX, name, ulps=200, summed=1)
    b(ts.ADVANCED_SUBTENSOR, "v", "u")
    column = b(ts.ADVANCED_SUBTENSOR, "col", "i")
    b(ts.ADVANCED_INC_SUBTENSOR, "m", column, "i", set=False, ulps=4, summed=1)
    b(ts.ADVANCED_INC_SUBTENSOR, "v", "v", "q", set=False, ulps=4, summed=1)


def hollow(b: Builder) -> None:
    """What needs elements and yet is defined without: of an axis that is not asked for."""
    for name, axis, text in (("e", 1, ":, @"), ("g", 0, "@")):
        b(ts.REDUCE, name, kind="max", axes=(axis,))
        b(ts.REDUCE, name, kind="min", axes=(axis,))
        b(ts.MAX_AND_ARGMAX, name, axes=(axis,))
        region = b(ts.SUBTENSOR, name, "start", slices=text)
        for put in (True, False):
            b(ts.INC_SUBTENSOR, name, region, "start", slices=text, set=put)
    for name, index in (("e", "none"), ("g", "i"), ("m", "none")):
        value = b(ts.ADVANCED_SUBTENSOR, name, index)
        for put in (True, False):
            b(ts.ADVANCED_INC_SUBTENSOR, name, value, index, set=put)
    for operation in (ts.SOFTMAX, ts.LOG_SOFTMAX) if is_float(b.dtype) else ():
        b(operation, "e", ulps=200)


def operands(dtype: str, form: Callable[[Any], Any], shape: tuple[int, int]) -> dict[str, Any]:
    """The value of every variable; arrays of rank 2 and 3 in a layout."""
    rng = np.random.default_rng(5)
    domain = Domain(0.5, 1.5)
    rows, columns = shape

    def array(*sizes: int) -> Any:
        values = domain.random(dtype, int(np.prod(sizes)), rng).reshape(sizes)
        return values * rng.choice([-1, 1], sizes).astype(dtype) if is_float(dtype) else values

    m = form(array(rows, columns))
    r, c = m.shape
    values: dict[str, Any] = {
        "s": array(),
        "m": m,
        "m2": form(array(rows, columns)).copy(order="K").reshape(r, c),
        "p": form(array(columns, rows)) if form(m[:0]).shape == (0, c) == (r, 0) else array(c, r),
        "v": m[-1] if r else array(c),
        "w": m[:, 0] if c else array(r),
        "t": array(r, 3, c),
        "row": m[:1] if r else array(1, c),
        "col": m[:, :1] if c else array(r, 1),
        "e": array(0, columns),
        "g": array(rows, 0),
    }
    if 0 not in values["t"].shape and (laid := form(values["t"])).shape == values["t"].shape:
        values["t"] = laid
    return {**values, **indices(r, c)}


def indices(rows: int, columns: int) -> dict[str, Any]:
    """Sizes, bounds and index vectors that fit a matrix."""
    short = min(rows, columns)
    return {
        "r": rows,
        "c": columns,
        "start": min(1, max(short - 1, 0)),
        "step": np.int8(2),
        "z1": [-1],
        "z2": [columns, rows],
        "z3": [1, rows, columns],
        "i": np.arange(-min(short, 3), 0),
        "j": np.arange(min(short, 3)),
        "q": np.arange(columns) // 2,
        "u": np.arange(min(short, 3))[::-1],
        "one": [1],
        "none": np.zeros(0, int),
    }


def scale_of(application: Application, found: Any, values: dict[str, Any]) -> Any:
    """The magnitude of the sums that a result is one of."""
    if not application.summed or not is_float(found.dtype.name):
        return None
    largest = max(float(np.max(np.abs(values[x]), initial=1)) for x in ("m", "m2", "p", "t", "s"))
    return np.full(found.shape, largest**application.summed * max(values["t"].size, 8))


def compile_all(
    dtype: str, applications: Callable[[Builder], None], is_whole: bool = True
) -> tuple[Any, Builder]:
    """One function of everything that `applications` makes."""
    b = Builder(dtype, is_whole)
    applications(b)
    results = [application.result for application in b.made]
    function = tetractys.function(
        list(b.variables.values()), results, on_unused_input="ignore", name="coverage"
    )
    return function, b


def shapes_of(kind: str) -> Iterator[tuple[int, int]]:
    """The sizes with which a layout is tried."""
    yield 5, 7
    if kind in ("contiguous", "Fortran", "reversed"):
        yield 3, 40


def arguments(b: Builder, values: dict[str, Any]) -> list[Any]:
    """The values in the order of the variables and in their dtypes; layouts are kept."""
    return [np.asarray(values[name], variable.type.dtype) for name, variable in b.variables.items()]


def check(
    function: Any, judge: Callable[..., Any], b: Builder, kind: str, values: dict[str, Any]
) -> None:
    """One call against the oracle."""
    args = arguments(b, values)
    wanted, found = judge(args), function(*args)
    for application, mine, right in zip(b.made, found, wanted, strict=True):
        scale = scale_of(application, mine, values)
        if problem := difference(mine, right, application.ulps, scale=scale):
            node = application.result.owner
            raise AssertionError(f"{node.op} {node.inputs} of {b.dtype}, {kind}: {problem}")


def run_layouts(
    dtype: str, applications: Callable[[Builder], None], covered: Any, is_whole: bool
) -> None:
    """All applications in all layouts that they are defined for."""
    function, b = compile_all(dtype, applications, is_whole)
    judge = reference(function)
    for kind, forms in LAYOUTS.items():
        if applications is partial and kind == "empty":
            continue
        for form in forms:
            for shape in shapes_of(kind):
                check(function, judge, b, kind, operands(dtype, form, shape))
        for application in b.made:
            for column in application.kinds() & {kind, "0-d", "broadcast"}:
                covered.add(application.operation, column, dtype)


def run_hollow(dtype: str, covered: Any) -> None:
    """What is defined without elements."""
    function, b = compile_all(dtype, hollow)
    check(function, reference(function), b, "empty", operands(dtype, np.array, (5, 7)))
    for application in b.made:
        covered.add(application.operation, "empty", dtype)


def run_refused(dtype: str) -> None:
    """An application of each operation that needs elements, alone on an empty array.

    The oracle's kind of error, or its result; each dtype tries another application.
    """
    values = operands(dtype, lambda x: x[:0], (5, 7))
    for index in ("i", "j", "u"):
        values[index] = np.zeros(1, int)
    b = Builder(dtype, True)
    partial(b)
    groups: dict[str, list[Application]] = {}
    for application in b.made:
        groups.setdefault(application.operation, []).append(application)
    refused = 0
    for group in groups.values():
        application = group[7 * DTYPES.index(dtype) % len(group)]
        function = tetractys.function(
            list(b.variables.values()), application.result, on_unused_input="ignore"
        )
        args = arguments(b, values)
        try:
            wanted = expected(function, args)
        except (ValueError, IndexError) as error:
            refused += 1
            with pytest.raises(type(error)):
                function(*args)
            continue
        scale = scale_of(application, wanted[0], values)
        assert difference(function(*args), wanted[0], application.ulps, scale=scale) is None
    assert refused


def expected_of(dtype: str) -> dict[str, list[str]]:
    """The operations that take a dtype."""
    names = set(ts.SIGNATURES) - set(UNDEFINED)
    return {name: [dtype] for name in sorted(names) if dtype in PARTLY.get(name, DTYPES)}


@pytest.mark.parametrize("dtype", DTYPES)
def test_operations(dtype: str, covered: Any) -> None:
    """All operations in all layouts; a hole in the table that is not declared is a failure."""
    for applications in (total, partial):
        run_layouts(dtype, applications, covered, dtype in WHOLE)
    run_hollow(dtype, covered)
    run_refused(dtype)
    wanted = expected_of(dtype)
    holes = {(name, kind) for name, kind, _ in covered.holes(wanted, KINDS)}
    declared = {cell for cell in MEANINGLESS if cell[0] in wanted}
    assert holes == declared, (holes - declared, declared - holes)
    reasons: dict[tuple[str, str], list[str]] = {}
    for name, kind in sorted(declared):
        reasons.setdefault((name, MEANINGLESS[name, kind]), []).append(kind)
    for (name, reason), kinds in reasons.items():
        covered.refuse(name, f"{reason}: {', '.join(kinds)}")


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [dtype for dtype in DTYPES if dtype not in WHOLE])
def test_all_forms(dtype: str, covered: Any) -> None:
    """All forms in the dtypes that take a third of them above."""
    for applications in (total, partial):
        run_layouts(dtype, applications, covered, True)


def test_every_operation_is_covered() -> None:
    """The applications above are of the operations that take a dtype, and of no others."""
    for dtype in DTYPES:
        b = Builder(dtype, dtype in WHOLE)
        total(b)
        partial(b)
        assert {application.operation for application in b.made} == set(expected_of(dtype))


SPECIAL = np.array(
    [
        [0.0, -0.0, np.nan, np.inf],
        [-0.0, 0.0, 1.0, -np.inf],
        [-0.0, -0.0, 5.0, 5.0],
        [np.nan, np.nan, np.nan, np.nan],
        [np.inf, -np.inf, np.inf, 0.0],
    ]
)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("repeat", [1, 9])
def test_reductions_of_special_values(dtype: str, repeat: int) -> None:
    """NaN, infinities and zeros through every reduction, short rows and long."""
    b = Builder(dtype, True)
    for axes in AXES[2]:
        for kind in ("add", "mul", "max", "min"):
            b(ts.REDUCE, "m", kind=kind, axes=axes)
        b(ts.MAX_AND_ARGMAX, "m", axes=axes)
    b(ts.SOFTMAX, "m", ulps=8)
    b(ts.LOG_SOFTMAX, "m", ulps=8)
    function = tetractys.function([b.variables["m"]], [one.result for one in b.made])
    for value in (SPECIAL, SPECIAL.T, SPECIAL[::-1], SPECIAL[:, ::-1], SPECIAL[:3, :2]):
        value = np.tile(value, (repeat, repeat)).astype(dtype)
        for application, mine, right in zip(b.made, function(value), expected(function, [value])):
            problem = difference(mine, right, application.ulps)
            assert problem is None, (application.result.owner.op, value, problem)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("size", [1, 2, 7, 8, 9, 31, 33, 64, 71, 300])
def test_zeros_of_extrema(dtype: str, size: int) -> None:
    """Of zeros +0 is the larger one, wherever it stands (NumPy's answer depends on its vectors)."""
    x = tensor_type((dtype, (-1, -1)))("x")
    kinds = [(kind, axes) for kind in ("max", "min") for axes in AXES[2] if axes]
    results = [apply_native(ts.REDUCE, [x], {"kind": k, "axes": a})[0] for k, a in kinds]
    results += apply_native(ts.MAX_AND_ARGMAX, [x], {"axes": (1,)})
    function = tetractys.function([x], results)
    rng = np.random.default_rng(size)
    for odds in (0.0, 1.0, 1 / size, 1 - 1 / size, 0.5):
        zeros = np.where(rng.random((9, size)) < odds, 0.0, -0.0).astype(dtype)
        for value in (zeros, zeros.T, zeros[:, ::-1], zeros[::2, ::3]):
            negative = np.signbit(value)
            for (kind, axes), found in zip(kinds, function(value)):
                wanted = (np.all if kind == "max" else np.any)(negative, axis=axes)
                assert np.array_equal(np.signbit(found), wanted), (kind, axes, value)
            assert np.array_equal(np.signbit(function(value)[-2]), np.all(negative, axis=1))
