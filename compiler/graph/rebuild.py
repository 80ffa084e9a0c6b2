"""Copies of graphs: clone, replacement, givens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from tetractys.graph.traverse import ancestors, io_toposort
from tetractys.graph.traverse import inputs as graph_inputs
from tetractys.graph.variable import Constant, Variable

Pairs: TypeAlias = Mapping[Variable, Any] | Iterable[tuple[Variable, Any]]


def substitute(
    outputs: Sequence[Variable],
    replace: Mapping[Variable, Variable],
    strict: bool = True,
    copy_all: bool = False,
) -> list[Variable]:
    """`outputs` with every variable of `replace` exchanged, all at once, for its replacement.

    Replacements themselves stay as they are. Applies that need no change are shared with the old
    graph unless `copy_all`. strict: a replacement must have (or convert to) the type it replaces;
    otherwise types are inferred anew.
    """
    image: dict[Any, Any] = {}
    for old, new in replace.items():
        image[old] = old.type.filter_variable(new) if strict else new
    for node in io_toposort(list(image), outputs):
        new_inputs = [image.get(variable, variable) for variable in node.inputs]
        if not copy_all and all(old is new for old, new in zip(node.inputs, new_inputs)):
            continue
        copy = node.clone_with_new_inputs(new_inputs, strict=strict)
        for old, new in zip(node.outputs, copy.outputs):
            image.setdefault(old, new)
    return [image.get(output, output) for output in outputs]


def clone_get_equiv(
    inputs: Sequence[Variable], outputs: Sequence[Variable], copy_inputs: bool = True
) -> dict[Any, Any]:
    """Copies the graph between `inputs` and `outputs`; gives old -> new, Applies included."""
    memo: dict[Any, Any] = {v: v.clone() if copy_inputs else v for v in inputs}
    for node in io_toposort(list(inputs), outputs):
        for variable in node.inputs:
            if variable not in memo:
                copied = copy_inputs and isinstance(variable, Constant)
                memo[variable] = variable.clone() if copied else variable
        copy = node.clone_with_new_inputs([memo[variable] for variable in node.inputs])
        memo[node] = copy
        for old, new in zip(node.outputs, copy.outputs):
            memo.setdefault(old, new)
    for output in outputs:
        if output not in memo:
            memo[output] = output.clone() if copy_inputs else output
    return memo


def clone_graph(
    inputs: Sequence[Variable], outputs: Sequence[Variable], copy_inputs: bool = True
) -> tuple[list[Variable], list[Variable]]:
    """A copy of the graph between `inputs` and `outputs` (Theano's `gof.graph.clone`)."""
    memo = clone_get_equiv(inputs, outputs, copy_inputs)
    return [memo[variable] for variable in inputs], [memo[variable] for variable in outputs]


def as_pairs(replace: Pairs | None, what: str) -> list[tuple[Variable, Any]]:
    """The pairs of a dict or of a list of pairs; raises ValueError for anything else."""
    if replace is None:
        return []
    given: Any = replace
    if not isinstance(given, (list, tuple, Mapping)):
        raise ValueError(
            f"{what} is neither a dictionary, list, tuple or None ! The value provided is "
            f"{given},of type {type(given)}"
        )
    pairs = given.items() if isinstance(given, Mapping) else given
    return [(old, new) for old, new in pairs]


def clone(
    output: Variable | Sequence[Variable],
    replace: Pairs | None = None,
    strict: bool = True,
    share_inputs: bool = True,
    copy_inputs: bool | None = None,
) -> Any:
    """A copy of `output` (one variable or a list) with `replace` carried out.

    share_inputs: the copy is computed from the very inputs of the original, else from copies.
    """
    if copy_inputs is not None:
        share_inputs = copy_inputs
    outputs: list[Any] = list(output) if isinstance(output, (list, tuple)) else [output]
    image: dict[Variable, Variable] = {}
    for old, new in as_pairs(replace, "replace argument of clone"):
        image[old] = new if isinstance(new, Variable) else old.type.filter_variable(new)
    if not share_inputs:
        leaves = [v for v in graph_inputs(outputs, list(image)) if not isinstance(v, Constant)]
        image = {
            **{leaf: leaf.clone() for leaf in leaves if not hasattr(leaf, "container")},
            **image,
        }
    results = substitute(outputs, image, strict=strict, copy_all=True)
    return results if isinstance(output, (list, tuple)) else results[0]


def apply_givens(
    outputs: Sequence[Variable], givens: Pairs | None, strict: bool = True
) -> list[Variable]:
    """`outputs` (expressions of updates included) with `givens` carried out, as `function` does.

    Raises TypeError where a replacement's type does not fit, and AssertionError where one
    replacement is computed from a variable that is itself to be replaced.
    """
    pairs = as_pairs(givens, "givens")
    if not pairs:
        return list(outputs)
    image: dict[Variable, Variable] = {}
    for old, new in pairs:
        if not isinstance(old, Variable):
            raise TypeError("given keys must be Variable", old)
        if not isinstance(new, Variable):
            new = old.type.filter_variable(new)
        if old in image and image[old] is not new:
            raise AssertionError(
                f"When using 'givens', each old_v may stand once: {old} is replaced twice."
            )
        image[old] = new
    _refuse_dependent(image)
    return substitute(outputs, image, strict=strict)


def _refuse_dependent(image: Mapping[Variable, Variable]) -> None:
    for new in image.values():
        for variable in ancestors([new]):
            if variable in image and not (variable is new and image.get(new) is new):
                raise AssertionError(
                    "When using 'givens' or 'replace' with several (old_v, new_v) replacement "
                    "pairs, "
                    "you can not have a new_v variable depend on an old_v one. For instance, "
                    "givens = {a:b, b:(a+1)} is not allowed. Here, the old_v "
                    f"{variable} is used to compute other new_v's, but it is scheduled to be "
                    f"replaced "
                    f"by {image[variable]}."
                )
