"""Random expressions: machine code, the passes alone, and gradients, against the oracles.

Expressions are drawn step by step over leaves of a few common sizes (0 and 1 among them): chains
with broadcasting, reductions, products, transpositions, slices, writes, softmax, switch. Each
element is held to a bound of its own, computed along the graph (`oracle.bounds`); an error of the
oracle must be an error everywhere, but for an index out of range whose element nobody reads. The
seed is fixed; `TETRACTYS_EXAMPLES=20 pytest tests/properties` draws twenty times as many.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from xdsl.context import Context

import tetractys
import tetractys.tensor as T
from tetractys.compile.to_ir import graph_to_ir
from tetractys.oracle import difference, loops, tensor
from tetractys.oracle.bounds import run_bounded
from tetractys.oracle.reference import imported
from tetractys.passes.registry import load_pass
from tetractys.pipeline import PIPELINES

SIZES = (0, 1, 2, 3, 4, 7, 9, 17, 33)
LEAVES: dict[str, tuple[str, tuple[str, ...]]] = {
    "s": ("float64", ()),
    "v": ("float64", ("A",)),
    "u": ("float64", ("B",)),
    "x": ("float64", ("A", "B")),
    "y": ("float64", ("A", "B")),
    "z": ("float64", ("B", "C")),
    "row": ("float64", ("1", "B")),
    "col": ("float64", ("A", "1")),
    "f": ("float32", ("A", "B")),
    "i": ("int32", ("A", "B")),
    "k": ("int8", ("B",)),
}
"""Name -> dtype and sizes; "1" broadcasts, equal letters are equal sizes."""

SMOOTH: dict[str, Callable[[Any], Any]] = {
    "tanh": T.tanh,
    "sigmoid": T.nnet.sigmoid,
    "softplus": T.nnet.softplus,
    "sqr": lambda a: T.tanh(a) ** 2,
    "neg": lambda a: -a,
    "exp": lambda a: T.exp(T.tanh(a)),
    "log": lambda a: T.log(1 + a * a),
    "log1p": lambda a: T.log1p(abs(a)),
    "sqrt": lambda a: T.sqrt(1 + a * a),
    "abs": abs,
    "expm1": lambda a: T.expm1(-abs(a)),
    "half": lambda a: a / 2,
    "plus": lambda a: a + 1,
    "inverse": lambda a: 1 / (2 + T.tanh(a)),
    "minus": lambda a: 1 - a,
}
PAIRS: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / (2 + T.tanh(b)),
    "maximum": T.maximum,
    "minimum": T.minimum,
    "second": lambda a, b: T.second(a, b),
}
REDUCTIONS: dict[str, Callable[..., Any]] = {
    "sum": T.sum,
    "mean": T.mean,
    "max": T.max,
    "min": T.min,
    "squares": lambda a, axis: (a * a).sum(axis=axis),
    "keep": lambda a, axis: a - a.mean(axis=axis, keepdims=True),
}
SLICES = (
    slice(None, None, -1),
    slice(1, None),
    slice(None, -1),
    slice(None, None, 2),
    slice(-3, None),
)


@dataclass
class Term:
    """An expression and its sizes, a letter each (a slice of A is another size)."""

    variable: Any
    dims: tuple[str, ...]


@dataclass
class Program:
    """Leaves, terms built from them, and the steps for a failing example's report."""

    leaves: dict[str, Any]
    terms: list[Term]
    log: list[str] = field(default_factory=list)

    def add(self, text: str, variable: Any, dims: tuple[str, ...]) -> None:
        """One more term."""
        flags = tuple(size == "1" for size in dims)
        assert variable.type.broadcastable == flags, (text, variable.type, dims)
        self.terms.append(Term(variable, dims))
        self.log.append(text)


def broadcast(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[str, ...] | None:
    """The sizes of an elementwise result; None if the operands do not fit."""
    rank = max(len(a), len(b))
    first, second = (("1",) * (rank - len(dims)) + dims for dims in (a, b))
    if any(m != n and "1" not in (m, n) for m, n in zip(first, second)):
        return None
    return tuple(n if m == "1" else m for m, n in zip(first, second))


class Grower:
    """Draws one step after another."""

    def __init__(self, draw: Any, program: Program) -> None:
        self.draw, self.program = draw, program

    def pick(self, wanted: Callable[[Term], bool] = lambda term: True) -> tuple[int, Term] | None:
        """A term, of late ones more often."""
        numbers = [n for n, term in enumerate(self.program.terms) if wanted(term)]
        if not numbers:
            return None
        number = self.draw(st.sampled_from([*numbers, *numbers[-3:], *numbers[-3:]]))
        return number, self.program.terms[number]

    def unary(self) -> None:
        """A smooth function."""
        found = self.pick()
        assert found
        name = self.draw(st.sampled_from(sorted(SMOOTH)))
        self.program.add(f"{name}(t{found[0]})", SMOOTH[name](found[1].variable), found[1].dims)

    def pair(self) -> None:
        """An operation on two terms that broadcast."""
        found = self.pick()
        assert found
        first = found[1]
        other = self.pick(lambda term: broadcast(first.dims, term.dims) is not None)
        assert other
        name = self.draw(st.sampled_from(sorted(PAIRS)))
        dims = broadcast(first.dims, other[1].dims)
        assert dims is not None
        result = PAIRS[name](first.variable, other[1].variable)
        self.program.add(f"{name}(t{found[0]}, t{other[0]})", result, dims)

    def reduction(self) -> None:
        """A reduction of one axis or of all."""
        found = self.pick(lambda term: len(term.dims) > 0)
        assert found
        name = self.draw(st.sampled_from(sorted(REDUCTIONS)))
        rank = len(found[1].dims)
        axis = self.draw(st.sampled_from([None, *range(rank)]))
        result = REDUCTIONS[name](found[1].variable, axis=axis)
        left = () if axis is None else found[1].dims[:axis] + found[1].dims[axis + 1 :]
        dims = found[1].dims if name == "keep" else left
        self.program.add(f"{name}(t{found[0]}, {axis})", result, dims)

    def dot(self) -> None:
        """A product whose inner sizes agree."""
        found = self.pick(lambda term: 1 <= len(term.dims) <= 2)
        assert found
        a = found[1].dims
        other = self.pick(lambda term: 1 <= len(term.dims) <= 2 and term.dims[0] == a[-1])
        if other is None:
            return self.unary()
        result = T.dot(found[1].variable, other[1].variable)
        self.program.add(f"dot(t{found[0]}, t{other[0]})", result, a[:-1] + other[1].dims[1:])

    def shuffle(self) -> None:
        """A transposition, or a new dimension."""
        found = self.pick(lambda term: 1 <= len(term.dims) <= 2)
        assert found
        dims = found[1].dims
        if len(dims) == 2:
            return self.program.add(f"t{found[0]}.T", found[1].variable.T, dims[::-1])
        front = self.draw(st.booleans())
        order = ("x", 0) if front else (0, "x")
        result = found[1].variable.dimshuffle(*order)
        self.program.add(
            f"t{found[0]}.dimshuffle{order}", result, ("1", *dims) if front else (*dims, "1")
        )

    def slice(self) -> None:
        """A slice of one axis."""
        found = self.pick(lambda term: len(term.dims) > 0 and "1" not in term.dims)
        if found is None:
            return self.unary()
        axis = self.draw(st.integers(0, len(found[1].dims) - 1))
        which = self.draw(st.integers(0, len(SLICES) - 1))
        index = (slice(None),) * axis + (SLICES[which],)
        size = found[1].dims[axis] if which == 0 else f"{found[1].dims[axis]}[{which}]"
        dims = (*found[1].dims[:axis], size, *found[1].dims[axis + 1 :])
        self.program.add(f"t{found[0]}[{index}]", found[1].variable[index], dims)

    def index(self) -> None:
        """One place of one axis, which sizes of 0 to 2 may not have."""
        found = self.pick(lambda term: len(term.dims) > 0 and "1" not in term.dims)
        if found is None:
            return self.unary()
        axis = self.draw(st.integers(0, len(found[1].dims) - 1))
        place = self.draw(st.sampled_from([0, -1, 2, -3]))
        index = (slice(None),) * axis + (place,)
        dims = found[1].dims[:axis] + found[1].dims[axis + 1 :]
        self.program.add(f"t{found[0]}[{index}]", found[1].variable[index], dims)

    def write(self) -> None:
        """A region replaced by, or increased by, a scalar."""
        found = self.pick(lambda term: len(term.dims) > 0 and "1" not in term.dims)
        if found is None:
            return self.unary()
        region = found[1].variable[self.draw(st.sampled_from(SLICES))]
        function = self.draw(st.sampled_from([T.set_subtensor, T.inc_subtensor]))
        result = function(region, T.cast(self.program.leaves["s"], region.dtype))
        self.program.add(f"{function.__name__}(t{found[0]}, s)", result, found[1].dims)

    def softmax(self) -> None:
        """Rows of a matrix."""
        found = self.pick(
            lambda term: (
                len(term.dims) == 2
                and "float" in term.variable.dtype
                and term.dims[0] != "1" != term.dims[1]
            )
        )
        if found is None:
            return self.unary()
        name = self.draw(st.sampled_from(["softmax", "logsoftmax"]))
        result = getattr(T.nnet, name)(found[1].variable)
        self.program.add(f"{name}(t{found[0]})", result, found[1].dims)

    def switch(self) -> None:
        """A choice by leaves, which rounding cannot change."""
        found = self.pick(lambda term: broadcast(term.dims, ("A", "B")) is not None)
        if found is None:
            return self.unary()
        leaves = self.program.leaves
        result = T.switch(T.lt(leaves["x"], leaves["y"]), found[1].variable, leaves["s"])
        self.program.add(f"switch(x < y, t{found[0]}, s)", result, ("A", "B"))


STEPS = (
    "unary",
    "unary",
    "pair",
    "pair",
    "pair",
    "reduction",
    "reduction",
    "dot",
    "shuffle",
    "slice",
    "index",
    "write",
    "softmax",
    "switch",
)


@st.composite
def programs(
    draw: Any, dtypes: tuple[str, ...] = ("float64", "float32", "int32", "int8"), most: int = 9
) -> Program:
    """A random program; `dtypes` says which leaves it may use."""
    leaves = {
        name: T.TensorType(dtype, [size == "1" for size in dims])(name)
        for name, (dtype, dims) in LEAVES.items()
    }
    terms = [Term(leaves[name], dims) for name, (dtype, dims) in LEAVES.items() if dtype in dtypes]
    program = Program(
        leaves, terms, [f"{name}" for name, (dtype, _) in LEAVES.items() if dtype in dtypes]
    )
    grower = Grower(draw, program)
    for step in draw(st.lists(st.sampled_from(STEPS), min_size=2, max_size=most)):
        getattr(grower, step)()
    return program


def values(seed: int, sizes: tuple[int, int, int]) -> dict[str, Any]:
    """A value of each leaf."""
    rng = np.random.default_rng(seed)
    known = dict(zip("ABC", sizes)) | {"1": 1}
    return {
        name: np.asarray(
            rng.standard_normal([known[d] for d in dims]) * (3 if "int" in dtype else 1)
        ).astype(dtype)
        for name, (dtype, dims) in LEAVES.items()
    }


def budget(examples: int) -> settings:
    """Always the same examples; `TETRACTYS_EXAMPLES=20` multiplies their number."""
    factor = int(os.environ.get("TETRACTYS_EXAMPLES", "1"))
    return settings(
        max_examples=examples * factor,
        derandomize=True,
        deadline=None,
        database=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )


SHAPES = st.tuples(*[st.sampled_from(SIZES)] * 3)
FINITE = st.integers(0, 2**31)


def outputs_of(program: Program, most: int = 4) -> list[Any]:
    """The terms drawn last."""
    made = [term.variable for term in program.terms if term.variable.owner is not None]
    return made[-most:]


ERRORS = (ValueError, IndexError)


def outcome(run: Callable[[], Any]) -> Any:
    """Results, or the kind of the exception that sizes may raise."""
    try:
        return run()
    except ERRORS as error:
        return type(error)


@dataclass
class Wanted:
    """What the oracle says of a module on its arguments.

    results, bounds: None after an error. errors: the kinds of all errors of operations whose
    operands have none; must: whether one of them may not vanish.
    """

    results: Any = None
    bounds: Any = None
    errors: frozenset[type] = frozenset()
    must: bool = False

    def check(self, found: Any, what: str) -> None:
        """Holds results, or the kind of an exception, against it."""
        if isinstance(found, type):
            assert found in self.errors, (found, what)
            return
        assert not self.must, (self.errors, what)
        if self.results is None:
            return
        assert len(found) == len(self.results), what
        for number, (mine, right) in enumerate(zip(found, self.results)):
            problem = difference(mine, right, bound=self.bounds[number])
            assert problem is None, (problem, f"result {number}", what)


def wanted_of(module: Any, args: list[Any], real: bool = True) -> Wanted:
    """The oracle's results within twice their distance to the real numbers; or its errors.

    real: otherwise within what another evaluation of just these operations may give.
    """
    errors = errors_of(module, args)
    if errors:
        return Wanted(
            errors=frozenset(type(error) for _, error in errors),
            must=any(not may_vanish(op, error) for op, error in errors),
        )
    results, bounds = run_bounded(module, args, real=real)
    return Wanted(results, [2 * bound for bound in bounds])


def errors_of(module: Any, args: list[Any]) -> list[tuple[Any, Exception]]:
    """Every operation that fails on operands that there are."""
    block = tensor.find_function(module).body.block
    known, failed = dict(zip(block.args, args)), []
    for op in list(block.ops)[:-1]:
        if all(operand in known for operand in op.operands):
            try:
                with np.errstate(all="ignore"):
                    results = tensor.apply(op, [known[operand] for operand in op.operands])
                known.update(zip(op.results, results, strict=True))
            except ERRORS as error:
                failed.append((op, error))
    return failed


def may_vanish(op: Any, error: Exception) -> bool:
    """A check of a value, an index, whose element nobody reads; a check of sizes never does."""
    return isinstance(error, IndexError) and not is_read(op)


def is_read(op: Any) -> bool:
    """Whether elements of an operation's results reach a result of the function."""
    pending, seen = [op], set()
    while pending:
        user = pending.pop()
        if user.name == "func.return":
            return True
        if user in seen:
            continue
        seen.add(user)
        pending += [use.operation for result in user.results for use in result.uses if reads(use)]
    return False


def reads(use: Any) -> bool:
    """Whether a use is of elements, and not of sizes alone."""
    name = use.operation.name
    return name not in ("tensor.shape", "tensor.size") and (name, use.index) != (
        "elemwise.second",
        0,
    )


def wanted_of_function(function: Any, args: list[Any]) -> Wanted:
    """What a compiled function should do."""
    return wanted_of(*imported(function, args))


def check_machine_code(program: Program, given_values: dict[str, Any], mode: str) -> None:
    """The compiled function against the interpreter of the imported graph."""
    inputs, args = list(program.leaves.values()), list(given_values.values())
    outputs = outputs_of(program)
    function = tetractys.function(inputs, outputs, on_unused_input="ignore", mode=mode)
    found = outcome(lambda: function(*args))
    wanted_of_function(function, args).check(found, "\n".join([mode, *program.log]))


@budget(80)
@given(programs(), SHAPES, FINITE)
def test_machine_code_is_the_oracle(program: Program, sizes: Any, seed: int) -> None:
    """FAST_RUN, FAST_COMPILE and the interpreter of the imported graph."""
    for mode in ("FAST_RUN", "FAST_COMPILE"):
        check_machine_code(program, values(seed, sizes), mode)


@budget(60)
@given(programs(most=6), SHAPES, FINITE, st.sampled_from(sorted(LEAVES)), st.integers(0, 1))
def test_wrong_sizes(program: Program, sizes: Any, seed: int, name: str, axis: int) -> None:
    """One leaf has a row or a column too many: each operation that does not fit says so."""
    dims = LEAVES[name][1]
    assume(axis < len(dims) and dims[axis] != "1")
    given_values = values(seed, sizes)
    spoiled = np.ones([n + (i == axis) for i, n in enumerate(given_values[name].shape)])
    given_values[name] = spoiled.astype(LEAVES[name][0])
    check_machine_code(program, given_values, "FAST_RUN")


@budget(40)
@given(programs(), SHAPES, FINITE)
def test_updates(program: Program, sizes: Any, seed: int) -> None:
    """Outputs and new values of two shared variables, called twice."""
    given_values = values(seed, sizes)
    x, v = (tetractys.shared(given_values[name], name=name) for name in ("x", "v"))
    leaves = program.leaves
    rest = {name: leaf for name, leaf in leaves.items() if name not in ("x", "v")}
    terms = {
        term.dims: term.variable for term in program.terms if term.variable.type.dtype == "float64"
    }
    updates = [(x, T.tanh(terms[("A", "B")])), (v, leaves["v"] * 0.5 + terms[("A",)])]
    outputs = outputs_of(program, 2)
    function = tetractys.function(
        list(rest.values()),
        outputs,
        updates=updates,
        givens={leaves["x"]: x, leaves["v"]: v},
        on_unused_input="ignore",
    )
    args = [given_values[name] for name in rest]
    for _ in range(2):
        before = [x.get_value(), v.get_value()]
        wanted = wanted_of_function(function, args)
        found = outcome(lambda: function(*args))
        if not isinstance(found, type):
            found = [*found, x.get_value(), v.get_value()]
        else:
            for now, then in zip([x.get_value(), v.get_value()], before):
                assert difference(now, then) is None, "state after an error"
        wanted.check(found, "\n".join(program.log))


def has_kink(program: Program) -> bool:
    """Whether a step is not differentiable everywhere, or shares a gradient among ties."""
    return any(word in text for text in program.log for word in ("max", "min", "abs(", "log1p"))


@budget(40)
@given(programs(("float64",), 6), SHAPES, FINITE)
def test_gradients_against_finite_differences(program: Program, sizes: Any, seed: int) -> None:
    """The slope along a random direction."""
    assume(not has_kink(program) and 0 not in sizes)
    cost = sum((T.tanh(output).sum() for output in outputs_of(program, 2)), T.constant(0.0))
    leaves = {name: leaf for name, leaf in program.leaves.items() if leaf.dtype == "float64"}
    gradients = T.grad(cost, list(leaves.values()), disconnected_inputs="ignore")
    function = tetractys.function(
        list(leaves.values()), [cost, *gradients], on_unused_input="ignore"
    )
    known, rng = values(seed, sizes), np.random.default_rng(seed)
    point = [known[name] for name in leaves]
    direction = [rng.standard_normal(value.shape) for value in point]
    found = outcome(lambda: function(*point))
    if isinstance(found, type):
        return
    step = 1e-5
    ahead, behind = (
        float(function(*(p + sign * step * d for p, d in zip(point, direction)))[0])
        for sign in (1, -1)
    )
    slope = sum(float((g * d).sum()) for g, d in zip(found[1:], direction))
    size = sum(float(np.abs(g * d).sum()) for g, d in zip(found[1:], direction))
    wanted = (ahead - behind) / (2 * step)
    assert abs(slope - wanted) <= 2e-5 * (1 + size), ("\n".join(program.log), slope, wanted)


LEVEL_1 = tuple(
    dict.fromkeys(
        step.name
        for step in PIPELINES["FAST_RUN"]
        if step.level == "tensor" and step.name not in ("explicit-casts", "hoist-checks")
    )
)
LEVEL_2 = ("fuse-nests", "schedule-cpu", "expand-math", "cse", "vectorize", "mark-inplace")
DOWN = ("decompose", "lower-to-loops")


def run_passes(module: Any, names: tuple[str, ...]) -> Any:
    """A verified copy after passes."""
    copy = module.clone()
    for name in names:
        load_pass(name)().apply(Context(), copy)
    copy.verify()
    return copy


@budget(50)
@given(programs(most=6), st.tuples(*[st.sampled_from((0, 1, 2, 5))] * 3), FINITE)
def test_every_pass_alone(program: Program, sizes: Any, seed: int) -> None:
    """Each pass by itself behind the least that it needs, judged by its level's interpreter."""
    outputs = outputs_of(program, 3)
    inputs = list(program.leaves.values())
    args = list(values(seed, sizes).values())
    function = tetractys.function(inputs, outputs, on_unused_input="ignore", mode="FAST_COMPILE")
    request = function.maker.request
    module = graph_to_ir(request)
    arguments = [*args, *(np.asarray(constant.data) for constant in request.constants)]
    text = "\n".join(program.log)
    checked = run_passes(module, ("explicit-casts", "hoist-checks"))
    wanted = wanted_of(checked, arguments, real=False)
    for name in LEVEL_1:
        after = run_passes(checked, (name,))
        measure = wanted_of(checked, arguments) if name == "stabilize" else wanted
        measure.check(outcome(partial(tensor.run, after, arguments)), f"{name}: {text}")
    lowered = run_passes(checked, DOWN)
    for name in ("", *LEVEL_2):
        after = run_passes(lowered, (name,) if name else ())
        found = outcome(partial(loops.run, after, arguments))
        wanted.check(found, f"lowered, {name}: {text}")
