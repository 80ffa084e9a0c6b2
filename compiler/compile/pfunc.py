"""`function`: from symbolic inputs, outputs and updates to something that can be called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tetractys.compile.normalize import (
    check_missing,
    check_unused,
    normalize_inputs,
    normalize_outputs,
    normalize_updates,
)
from tetractys.compile.request import Request
from tetractys.configparser import config
from tetractys.graph import Variable, apply_givens, creation_site
from tetractys.graph.traverse import inputs as graph_inputs
from tetractys.inputs import In
from tetractys.pipeline import MODES
from tetractys.runtime.threads import check as check_threads
from tetractys.sharedvalue import SharedVariable


def function(
    inputs: Any,
    outputs: Any = None,
    mode: Any = None,
    updates: Any = None,
    givens: Any = None,
    no_default_updates: Any = False,
    accept_inplace: bool = False,
    name: str | None = None,
    rebuild_strict: bool = True,
    allow_input_downcast: bool | None = None,
    profile: Any = None,
    on_unused_input: str | None = None,
    threads: int | None = None,
) -> Any:
    """Compiles a callable that computes `outputs` from `inputs`, and then carries out `updates`.

    inputs: a list of variables or `In`s. outputs: None, a variable, a list or a dict with string
    keys; variables or `Out`s. updates: pairs (shared variable, new value) or a dict: all take
    effect
    together, after the outputs are computed from the old values. givens: pairs or a dict of
    replacements made before compiling. mode: FAST_RUN, FAST_COMPILE or DebugMode.
    on_unused_input: `raise`, `warn` or `ignore`. allow_input_downcast: True casts every argument,
    False none with loss, None only Python floats to floatX. threads: how many a call may use, 0: as
    many as there are processors, None: what `config.threads` says at the time of the call; the
    results are the same bits. `accept_inplace` and `profile` are taken for Theano's sake and change
    nothing.

    Raises TypeError, ValueError, MissingInputError, UnusedInputError with Theano's words.
    https://theano-pymc.readthedocs.io/en/latest/library/compile/function.html
    """
    site = creation_site(2)
    if threads is not None:
        threads = check_threads(threads, "function(threads=...)")
    items = normalize_inputs(inputs, allow_input_downcast)
    output_variables, form, keys = normalize_outputs(outputs)
    targets = normalize_updates(updates)
    if isinstance(givens, Mapping):
        givens = list(givens.items())
    _refuse_given_inputs(items, givens)
    changed = apply_givens([*output_variables, *targets.values()], givens, strict=rebuild_strict)
    results = changed[: len(output_variables)]
    new_values = dict(zip(targets, changed[len(output_variables) :]))
    input_variables = [item.variable for item in items]
    _add_default_updates(new_values, input_variables, results, no_default_updates)
    for target, value in new_values.items():
        if value.type != target.type:
            raise TypeError(
                "An update must have the same type as the original shared variable "
                f"(shared_var={target}, shared_var.type={target.type}, "
                f"update_val={value}, update_val.type={value.type})."
            )
    everything = [*results, *new_values.values()]
    check_unused(items, everything, on_unused_input or config.on_unused_input)
    shareds = _shared_leaves(input_variables, everything)
    check_missing([*input_variables, *shareds], everything)
    request = Request(
        inputs=input_variables,
        shareds=shareds,
        results=everything,
        site=site,
        donated=frozenset(item.variable for item in items if item.mutable),
        updated=tuple((target, len(results) + k) for k, target in enumerate(new_values)),
    )
    from tetractys.compile.build import build_function
    from tetractys.compile.compiled import Manner

    name = name or f"{site[0]}:{site[1]}"
    manner = Manner(list(new_values), form, keys, mode_name(mode), name, threads)
    return build_function(request, items, manner)


def _refuse_given_inputs(items: Sequence[In], givens: Any) -> None:
    """Raises RuntimeError where `givens` replaces an input: the input would have no effect."""
    keys = [pair[0] for pair in givens] if isinstance(givens, (list, tuple)) else ()
    for item in items:
        if any(item.variable is key for key in keys):
            raise RuntimeError(
                f"You are trying to replace variable '{item.variable}' through the `givens` "
                "parameter, but this variable is an input to your function. Replacing inputs is "
                "currently forbidden because it has no effect. One way to modify an input `x` to "
                "a function evaluating f(x) is to define a new input `y` and use "
                "`tetractys.function([y], f(x), givens={x: g(y)})`. Another solution consists in "
                "using `tetractys.clone`, e.g. like this: "
                "`tetractys.function([x], tetractys.clone(f(x), replace={x: g(x)}))`."
            )


def mode_name(mode: Any) -> str:
    """The pipeline's name for Theano's `mode`: None, a name, or an object with such a name."""
    if mode is None:
        mode = config.mode
    found = mode if isinstance(mode, str) else getattr(mode, "pipeline", None)
    if found not in MODES:
        raise ValueError(
            f"No predefined mode exist for string: {mode}; expected one of "
            f"{', '.join(sorted(MODES))}"
        )
    return MODES[found]


def _shared_leaves(inputs: list[Variable], results: list[Variable]) -> list[SharedVariable]:
    given = set(inputs)
    leaves = dict.fromkeys(graph_inputs(results, inputs))
    return [v for v in leaves if isinstance(v, SharedVariable) and v not in given]


def _add_default_updates(
    new_values: dict[SharedVariable, Variable],
    inputs: list[Variable],
    results: list[Variable],
    excluded: Any,
) -> None:
    """Adds the `default_update` of every shared variable used; Theano D7."""
    if excluded is True:
        return
    skipped = set(excluded or ())
    pending = _shared_leaves(inputs, [*results, *new_values.values()])
    seen: set[SharedVariable] = set()
    while pending:
        variable = pending.pop()
        if variable in seen:
            continue
        seen.add(variable)
        update = getattr(variable, "default_update", None)
        if update is None or variable in new_values or variable in skipped:
            continue
        if not isinstance(update, Variable):
            update = variable.type.filter_variable(update)
        new_values[variable] = update
        pending += _shared_leaves(inputs, [update])
