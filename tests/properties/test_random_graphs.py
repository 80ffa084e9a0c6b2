"""Random expressions: machine code, the passes alone, and gradients, against the oracles.

Expressions are drawn step by step over leaves of a few common sizes (0 and 1 among them): chains
with broadcasting, reductions, products, transpositions, slices, writes, softmax, switch. The seed
is fixed; `TETRACTYS_EXAMPLES=20 pytest tests/properties` draws twenty times as many.
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
from tetractys.graph.traverse import ancestors
from tetractys.oracle import loops, tensor
from tetractys.oracle.reference import expected
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


def tolerance(variables: list[Any]) -> float:
    """Relative to a result's largest value: single precision anywhere makes it coarse."""
    single = any(variable.type.dtype == "float32" for variable in ancestors(variables))
    return 2e-4 if single else 1e-10


def outcome(run: Callable[[], Any]) -> Any:
    """Results, or the kind of the exception that sizes of 0 may raise."""
    try:
        return run()
    except (ValueError, IndexError) as error:
        return type(error)


def assert_close(found: Any, wanted: Any, bound: float, what: str) -> None:
    """Equal exceptions, or results of equal dtype and shape whose values agree within `bound`.

    An error of a value whose elements nobody reads may vanish with the value.
    """
    if isinstance(wanted, type) and not isinstance(found, type):
        return
    if isinstance(found, type):
        assert found == wanted, what
        return
    assert len(found) == len(wanted), what
    for number, (mine, right) in enumerate(zip(found, wanted)):
        mine, right = np.asarray(mine), np.asarray(right)
        assert (mine.dtype, mine.shape) == (right.dtype, right.shape), f"{what}, result {number}"
        if right.dtype.kind != "f":
            assert np.array_equal(mine, right), (what, number, mine, right)
            continue
        finite = np.abs(right[np.isfinite(right)])
        slack = bound * max(1.0, float(finite.max(initial=0.0)))
        same = np.allclose(mine, right, rtol=0, atol=slack, equal_nan=True)
        assert same, (what, number, mine, right)


@budget(80)
@given(programs(), SHAPES, FINITE)
def test_machine_code_is_the_oracle(program: Program, sizes: Any, seed: int) -> None:
    """FAST_RUN, FAST_COMPILE and the interpreter of the imported graph."""
    outputs = outputs_of(program)
    inputs = list(program.leaves.values())
    args = list(values(seed, sizes).values())
    bound = tolerance(outputs)
    fast = tetractys.function(inputs, outputs, on_unused_input="ignore")
    wanted = outcome(lambda: expected(fast, args))
    assert_close(outcome(lambda: fast(*args)), wanted, bound, "\n".join(program.log))
    slow = tetractys.function(inputs, outputs, on_unused_input="ignore", mode="FAST_COMPILE")
    assert_close(outcome(lambda: slow(*args)), wanted, bound, "\n".join(program.log))


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
    bound = tolerance([*outputs, *(new for _, new in updates)])
    args = [given_values[name] for name in rest]
    for _ in range(2):
        before = [x.get_value(), v.get_value()]
        wanted = outcome(lambda: expected(function, args))
        found = outcome(lambda: function(*args))
        if not isinstance(found, type):
            found = [*found, x.get_value(), v.get_value()]
        else:
            assert_close([x.get_value(), v.get_value()], before, 0, "state after an error")
        assert_close(found, wanted, bound, "\n".join(program.log))


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
        if step.level == "tensor" and step.name != "explicit-casts"
    )
)
LEVEL_2 = ("fuse-nests", "schedule-cpu", "expand-math", "cse", "vectorize", "mark-inplace")
DOWN = ("explicit-casts", "decompose", "hoist-checks", "lower-to-loops")


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
    wanted = outcome(lambda: tensor.run(module, arguments))
    bound, text = tolerance(outputs), "\n".join(program.log)
    for name in LEVEL_1:
        after = run_passes(module, ("explicit-casts", name))
        assert_close(
            outcome(partial(tensor.run, after, arguments)), wanted, bound, f"{name}: {text}"
        )
    lowered = run_passes(module, DOWN)
    for name in ("", *LEVEL_2):
        after = run_passes(lowered, (name,) if name else ())
        found = outcome(partial(loops.run, after, arguments))
        assert_close(found, wanted, bound, f"lowered, {name}: {text}")
