"""What is to be compiled: a `Request`, and the key under which its object code is cached.

A request is the graph after givens and default updates, with its leaves sorted: inputs, shared
values, constants of rank 1 or more. Nothing here imports xDSL: with a warm cache nothing does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from tetractys.graph import Apply, Constant, Variable
from tetractys.graph.site import Site
from tetractys.graph.traverse import io_toposort
from tetractys.runtime import jit
from tetractys.runtime.versions import Orders
from tetractys.sharedvalue import SharedVariable


class _Request(NamedTuple):
    inputs: Sequence[Variable]
    shareds: Sequence[Variable]
    results: Sequence[Variable]
    site: Site
    donated: frozenset[Variable] = frozenset()
    updated: tuple[tuple[Variable, int], ...] = ()
    orders: Orders = ()
    options: tuple[tuple[str, str], ...] = ()


class Request(_Request):
    """One function to compile.

    inputs: the user's arguments; results: outputs, then the new values of shared variables.
    shareds: the shared variables that are read; donated: inputs whose buffers may be overwritten.
    updated: shared variables, each with the number of the result that replaces its value.
    orders: for each input the order that its dimensions come in (`runtime.order`); empty: all have
    rows.
    """

    @cached_property
    def nodes(self) -> list[Apply]:
        """The Applies in an order in which they can run."""
        return io_toposort([*self.inputs, *self.shareds], self.results)

    @cached_property
    def constants(self) -> list[Constant]:
        """Constants passed as arguments: those with more than one element, by type."""
        leaves = [v for node in self.nodes for v in node.inputs] + list(self.results)
        found = dict.fromkeys(v for v in leaves if isinstance(v, Constant) and is_argument(v))
        return list(found)

    @cached_property
    def arguments(self) -> list[Variable]:
        """The arguments of the compiled function, in the order of the flat ABI."""
        return [*self.inputs, *self.shareds, *self.constants]

    def argument_kinds(self) -> Iterator[tuple[str, Variable]]:
        """Each argument with `input`, `shared` or `constant`."""
        for kind, group in (
            ("input", self.inputs),
            ("shared", self.shareds),
            ("constant", self.constants),
        ):
            for variable in group:
                yield kind, variable

    @cached_property
    def sites(self) -> list[Site]:
        """The distinct user lines of the graph, in a fixed order; errors name them by number."""
        return list(dict.fromkeys([*(node.site for node in self.nodes), self.site]))

    @cached_property
    def key(self) -> str:
        """A digest of everything that decides the object code; lines count by identity only."""
        digest = jit.blake2b(digest_size=24)
        for part in self._parts():
            digest.update(repr(part).encode())
        return digest.hexdigest()

    def _parts(self) -> Iterator[object]:
        numbers: dict[Variable, int] = {}
        sites = {site: number for number, site in enumerate(self.sites)}
        yield self.options
        yield [(self.shareds.index(v), k) for v, k in self.updated if v in self.shareds]
        yield self.orders
        for kind, variable in self.argument_kinds():
            numbers[variable] = len(numbers)
            sizes = usual_sizes(variable)
            yield kind, variable.type.spec, variable in self.donated, sizes

        def number(variable: Variable) -> object:
            if variable in numbers:
                return numbers[variable]
            assert isinstance(variable, Constant)
            return variable.type.spec, variable.data.tobytes().hex()

        for node in self.nodes:
            assert node.op.signature is not None
            props, inputs = node.op.lowered(node)
            operands = [number(variable) for variable in inputs]
            yield node.op.signature.name, sorted(props.items()), operands, sites[node.site]
            for variable in node.outputs:
                numbers[variable] = len(numbers)
        yield [number(variable) for variable in self.results]


def usual_sizes(variable: Variable) -> tuple[int, ...]:
    """The size that a shared vector has now, rounded: a hint for the schedule, nothing more.

    Rounded up to 2**k or 5/3 * 2**k, between which the schedule's rules change, so that vectors of
    nearly the same length share object code. () for other arguments.
    """
    if not isinstance(variable, SharedVariable) or variable.type.ndim != 1:
        return ()
    size = len(variable.get_value(borrow=True))
    power = 1 << max(size - 1, 0).bit_length()
    lower = power * 5 // 6
    return (lower if size <= lower else power,)


def is_argument(constant: Constant) -> bool:
    """Whether a constant is passed as an argument: unless all its dimensions have size 1 by type.
    """
    spec = constant.type.spec
    return spec is None or any(size != 1 for size in spec[1])
