"""Reverse-mode differentiation: one table of rules, one driver, no IR of its own.

A *rule* is the vector-Jacobian product of one operation (`@vjp(elemwise_signatures.TANH)`). It sees
an emitter, the operands, results, cotangents of the results and the properties, and returns one
thunk an operand (None: the cotangent is zero); only thunks that are needed are called. Rules emit
operations that have rules, so derivatives of any order work.

`backpropagate` drives the rules over a list of steps. `T.grad` runs it on the graph, the pass
`autodiff` on a block of IR: they differ in the emitter only. Here, and only here, are

* accumulation: terms are added in Theano's order, a walk from the outputs, operands in turn;
* un-broadcasting: a cotangent is summed over dimensions where only its operand has static size 1;
* connection: an operand whose elements do not reach a result (a shape, an index, the first operand
  of `second`) is disconnected; one that reaches them through integers only has gradient zero;
* dtypes: the cotangent of a float32 value is float32; that of an integer one stays floating point.

Walks are iterative: a chain of 20,000 operations differentiates.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from importlib import import_module
from typing import Any, Generic, TypeAlias, TypeVar, cast

from tetractys.dialects import elemwise_signatures as ew
from tetractys.dialects import tensor_signatures as ts
from tetractys.dialects.signature import Signature, Spec, is_float

V = TypeVar("V", bound=Hashable)
Props: TypeAlias = Mapping[str, object]
Thunk: TypeAlias = Callable[[], Any]


class Emitter(ABC, Generic[V]):
    """What a rule may do: emit an operation, make a constant, ask for a type."""

    @abstractmethod
    def __call__(self, signature: Signature, *operands: V | float, **props: object) -> V:
        """Emits an operation and returns its first result.

        A Python number among the operands of an elementwise operation is a constant of size 1 in
        every dimension, in the smallest dtype that holds it (Theano's rule for constants).
        """

    @abstractmethod
    def constant(self, number: float, dtype: str, rank: int) -> V:
        """A constant of size 1 in each of `rank` dimensions."""

    @abstractmethod
    def type_of(self, value: V) -> Spec:
        """The dtype and shape of a value."""

    def enter(self, step: Step[V]) -> None:
        """Called before the rule of `step`: what it emits may take the place of the operation."""

    def finished(self, value: V, cotangent: V) -> None:
        """Called when the cotangent of a value is complete."""

    def fill_like(self, value: V, number: float, dtype: str | None = None) -> V:
        """`number` in every place of an array of the shape of `value`."""
        found, shape = self.type_of(value)
        return self(ew.SECOND, value, self.constant(number, dtype or found, len(shape)))

    def transpose(self, value: V) -> V:
        """The transpose of a matrix."""
        return self(ts.DIMSHUFFLE, value, order=(1, 0))

    def accumulate(self, total: V, term: V) -> V:
        """The sum of two cotangents of one value."""
        return self(ew.ADD, total, term)


class Undefined:
    """A cotangent that does not exist; `reason` is the emitter's own object for it."""

    __slots__ = ("reason",)

    def __init__(self, reason: Any) -> None:
        self.reason = reason


class _Mark:
    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


ZERO = _Mark("ZERO")
"""What `backpropagate` returns for a value that reaches the outputs, but with no influence."""
DISCONNECTED = _Mark("DISCONNECTED")
"""What `backpropagate` returns for a value that does not reach the outputs."""

RuleFunction: TypeAlias = Callable[
    [Emitter[Any], Sequence[Any], Sequence[Any], Sequence[Any], Props], Sequence[Thunk | None]
]


class Rule:
    """The vector-Jacobian product of an operation.

    connected: the operands whose elements reach the results; None: all of them.
    """

    __slots__ = ("connected", "function")

    def __init__(self, function: RuleFunction, connected: tuple[int, ...] | None) -> None:
        self.function = function
        self.connected = connected


RULES: dict[Signature, Rule] = {}
"""The rule of each operation that has a derivative, zero included."""


def vjp(
    *signatures: Signature, connected: tuple[int, ...] | None = None
) -> Callable[[RuleFunction], RuleFunction]:
    """Declares the rule of one or more operations."""

    def enter(function: RuleFunction) -> RuleFunction:
        for signature in signatures:
            RULES[signature] = Rule(function, connected)
        return function

    return enter


class Step(Generic[V]):
    """One operation of the program, in an order where operands come first.

    rule: for operations that are not of a dialect; pattern: `pattern[operand][result]` says what is
    connected there. origin: the emitter's own object for the operation.
    """

    __slots__ = ("operands", "origin", "pattern", "props", "results", "rule", "signature")

    def __init__(
        self,
        signature: Signature | None,
        props: Props,
        operands: Sequence[V],
        results: Sequence[V],
        rule: RuleFunction | None = None,
        pattern: Sequence[Sequence[bool]] | None = None,
        origin: Any = None,
    ) -> None:
        self.signature = signature
        self.props = props
        self.operands = operands
        self.results = results
        self.rule = rule
        self.pattern = pattern
        self.origin = origin

    def connects(self, operand: int, result: int) -> bool:
        """Whether elements of an operand reach a result."""
        if self.pattern is not None:
            return self.pattern[operand][result]
        rule = find_rule(self.signature)
        return rule is not None and (rule.connected is None or operand in rule.connected)


@cache
def _load_rules() -> None:
    """Fills `RULES`; a thread that comes while another one does so waits for its imports."""
    import_module("tetractys.passes.vjp_rules_elemwise")
    import_module("tetractys.passes.vjp_rules_tensor")


def find_rule(signature: Signature | None) -> Rule | None:
    """The rule of an operation; None where it has none."""
    _load_rules()
    return RULES.get(cast(Signature, signature))


class NoRuleError(NotImplementedError):
    """An operation without a derivative stands between the outputs and what is asked for."""


def backpropagate(
    emitter: Emitter[V],
    steps: Sequence[Step[V]],
    seeds: Mapping[V, V | Undefined],
    wrt: Sequence[V],
    constants: Collection[V] = (),
) -> list[V | Undefined | _Mark]:
    """The cotangent of each of `wrt`: a value, `Undefined`, `ZERO` or `DISCONNECTED`.

    steps: the operations that compute the seeded values. seeds: value -> its cotangent, which
    replaces what would flow there. constants: values not to propagate through.
    """
    return _Driver(emitter, steps, seeds, wrt, frozenset(constants)).run()


class _Driver(Generic[V]):
    def __init__(
        self,
        emitter: Emitter[V],
        steps: Sequence[Step[V]],
        seeds: Mapping[V, V | Undefined],
        wrt: Sequence[V],
        constants: frozenset[V],
    ) -> None:
        self.emitter = emitter
        self.steps = steps
        self.seeds = seeds
        self.wrt = wrt
        self.constants = constants
        self.varying = self._find_varying()
        # A value that is reached has an entry: what made each term, and the term.
        self.terms: dict[V, list[tuple[Step[V], int, V | Undefined]]] = {}
        self.final: dict[V, V | Undefined | _Mark] = {
            value: seed if isinstance(seed, Undefined) else fit(emitter, seed, value)
            for value, seed in seeds.items()
        }

    def _find_varying(self) -> set[V]:
        """The values that elements of `wrt` reach."""
        varying = set(self.wrt)
        for step in self.steps:
            touched = [number for number, operand in enumerate(step.operands) if operand in varying]
            for number, result in enumerate(step.results):
                if result not in self.constants and any(step.connects(i, number) for i in touched):
                    varying.add(result)
        return varying

    def run(self) -> list[V | Undefined | _Mark]:
        for step in reversed(self.steps):
            self._propagate(step)
        return [self._cotangent(value) for value in self.wrt]

    def _cotangent(self, value: V) -> V | Undefined | _Mark:
        """The finished cotangent: the terms added up, in the dtype of the value."""
        found = self.final.get(value)
        if found is None:
            found = self.final[value] = self._add_up(value)
            if not isinstance(found, (_Mark, Undefined)):
                self.emitter.finished(value, found)
        return found

    def _add_up(self, value: V) -> V | Undefined | _Mark:
        if value not in self.terms:
            return DISCONNECTED
        terms = self._in_order(value, self.terms.pop(value))
        for term in terms:
            if isinstance(term, Undefined):
                return term
        if not terms:
            return ZERO
        total = cast(V, terms[0])
        for term in terms[1:]:
            total = self.emitter.accumulate(total, cast(V, term))
        dtype = self.emitter.type_of(value)[0]
        return cast_to(self.emitter, total, dtype) if is_float(dtype) else total

    def _in_order(
        self, value: V, terms: list[tuple[Step[V], int, V | Undefined]]
    ) -> list[V | Undefined]:
        if len(terms) > 1:
            order = self.order
            terms = sorted(terms, key=lambda term: (order[term[0], value], term[1]))
        return [term for _, _, term in terms]

    @cached_property
    def order(self) -> dict[tuple[Step[V], V], int]:
        """When a depth-first walk from the outputs first meets an operand of a step."""
        producer = {result: step for step in self.steps for result in step.results}
        order: dict[tuple[Step[V], V], int] = {}
        walked: set[V] = set()
        pending: list[tuple[Step[V], Iterator[tuple[int, V]]]] = []

        def enter(value: V) -> None:
            walked.add(value)
            if value in producer:
                pending.append((producer[value], enumerate(producer[value].operands)))

        for seed in self.seeds:
            if seed not in walked:
                enter(seed)
            while pending:
                step, operands = pending[-1]
                for number, operand in operands:
                    if not any(step.connects(number, i) for i in range(len(step.results))):
                        continue
                    order.setdefault((step, operand), len(order))
                    if operand not in walked:
                        enter(operand)
                        break
                else:
                    pending.pop()
        return order

    def _propagate(self, step: Step[V]) -> None:
        found = [
            self._cotangent(result) if result not in self.constants else DISCONNECTED
            for result in step.results
        ]
        reached = [
            number for number, cotangent in enumerate(found) if cotangent is not DISCONNECTED
        ]
        wanted = [
            number
            for number, operand in enumerate(step.operands)
            if operand in self.varying and any(step.connects(number, result) for result in reached)
        ]
        if not wanted:
            return
        undefined = [(i, c) for i, c in enumerate(found) if isinstance(c, Undefined)]
        if undefined:
            self._spread_undefined(step, wanted, undefined)
            wanted = [i for i in wanted if not any(step.connects(i, r) for r, _ in undefined)]
        self._apply_rule(step, wanted, found)

    def _spread_undefined(
        self, step: Step[V], wanted: Sequence[int], undefined: Sequence[tuple[int, Undefined]]
    ) -> None:
        for number in wanted:
            for result, cotangent in undefined:
                if step.connects(number, result):
                    self._reach(step.operands[number]).append((step, number, cotangent))

    def _reach(self, value: V) -> list[tuple[Step[V], int, V | Undefined]]:
        """The terms of a value, which from now on is connected."""
        return self.terms.setdefault(value, [])

    def _apply_rule(
        self, step: Step[V], wanted: Sequence[int], found: Sequence[V | Undefined | _Mark]
    ) -> None:
        cotangents = [
            None if isinstance(c, (_Mark, Undefined)) or not self._is_float(result) else c
            for result, c in zip(step.results, found)
        ]
        if not wanted or all(cotangent is None for cotangent in cotangents):
            for number in wanted:
                self._reach(step.operands[number])
            return
        self.emitter.enter(step)
        rule = step.rule or _rule_function(step)
        thunks = rule(self.emitter, step.operands, step.results, cotangents, step.props)
        for number in reversed(wanted):
            thunk = thunks[number] if number < len(thunks) else None
            term = None if thunk is None else thunk()
            if term is DISCONNECTED:
                continue
            terms = self._reach(step.operands[number])
            if term is not None:
                operand = step.operands[number]
                is_value = not isinstance(term, Undefined)
                term = fit(self.emitter, term, operand) if is_value else term
                terms.append((step, number, term))

    def _is_float(self, value: V) -> bool:
        return is_float(self.emitter.type_of(value)[0])


def _rule_function(step: Step[Any]) -> RuleFunction:
    rule = find_rule(step.signature)
    if rule is None:
        name = step.signature.name if step.signature is not None else "an operation"
        raise NoRuleError(
            f"{name}: found no gradient rule; expected an operation with a derivative; "
            "declare one with @vjp"
        )
    return rule.function


# What rules share.


def cast_to(e: Emitter[V], value: V, dtype: str) -> V:
    """`value` in `dtype`."""
    return value if e.type_of(value)[0] == dtype else e(ew.CAST, value, dtype=dtype)


def sum_over(e: Emitter[V], value: V, axes: Sequence[int]) -> V:
    """The sum over `axes` in the dtype of `value`, accumulated in float64."""
    dtype = e.type_of(value)[0]
    accumulator = "float64" if is_float(dtype) else dtype
    return e(ts.REDUCE, value, kind="add", axes=tuple(axes), dtype=dtype, acc_dtype=accumulator)


def expand(e: Emitter[V], value: V, axes: Sequence[int]) -> V:
    """`value` with dimensions of size 1 put in at `axes`, numbered as in the result."""
    rank = len(e.type_of(value)[1]) + len(axes)
    kept = iter(range(rank))
    order = tuple(-1 if axis in axes else next(kept) for axis in range(rank))
    return e(ts.DIMSHUFFLE, value, order=order) if axes else value


def fit(e: Emitter[V], cotangent: V, operand: V) -> V:
    """A cotangent in the shape of its operand.

    Summed over dimensions where only the operand has static size 1 (it was broadcast there), and
    spread over those where only the cotangent has (its operand's run-time size is 1 there).
    """
    shape, wanted = e.type_of(cotangent)[1], e.type_of(operand)[1]
    if len(shape) != len(wanted):
        raise ValueError(
            f"gradient: found a term with {len(shape)} dimensions, but {len(wanted)} are required"
        )
    axes = [axis for axis, (size, goal) in enumerate(zip(shape, wanted)) if goal == 1 != size]
    if axes:
        cotangent = expand(e, sum_over(e, cotangent, axes), axes)
        shape = e.type_of(cotangent)[1]
    if any(size == 1 != goal for size, goal in zip(shape, wanted)):
        cotangent = e(ew.SECOND, operand, cotangent)
    return cotangent
