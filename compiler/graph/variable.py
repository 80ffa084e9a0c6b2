"""`Variable`, `Constant` and `Apply`: the nodes of the graph.

An Apply is one application of an Op to input variables; it owns its output variables. Variables
without an owner are inputs, shared variables or constants.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tetractys.graph.site import Site, creation_site

if TYPE_CHECKING:
    from tetractys.graph.op import Op
    from tetractys.graph.type import Type


class Scratchpad:
    """`variable.tag`: a place for anybody's attributes (`tag.test_value`, ...)."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...

    def clear(self) -> None:
        """Removes every attribute."""
        self.__dict__.clear()

    def __update__(self, other: Scratchpad) -> Scratchpad:
        self.__dict__.update(other.__dict__)
        return self

    def __repr__(self) -> str:
        return f"scratchpad{self.__dict__}"


class Tagged:
    """A node of the graph: anybody may hang attributes on its `tag`."""

    __slots__ = ("_tag",)
    _tag: Scratchpad | None

    @property
    def tag(self) -> Scratchpad:
        """A place for anybody's attributes, made on first use."""
        if self._tag is None:
            self._tag = Scratchpad()
        return self._tag

    @tag.setter
    def tag(self, value: Scratchpad) -> None:
        self._tag = value

    def _copy_tag(self, other: Tagged) -> None:
        if other._tag is not None:
            self._tag = Scratchpad().__update__(other._tag)


class Variable(Tagged):
    """A typed value of the graph.

    type: what it may hold. owner: the Apply that computes it, or None. index: which output of the
    owner it is. name: for printing and keyword arguments. site: the user's file and line.
    Equality is identity: `x == y` asks whether they are the same variable.
    """

    __slots__ = ("type", "owner", "index", "_name", "site", "__dict__", "__weakref__")

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...  # tensors have methods; users add more

    def __init__(
        self,
        type: Type,
        owner: Apply | None = None,
        index: int | None = None,
        name: str | None = None,
        site: Site | None = None,
    ) -> None:
        self.type = type
        self.owner = owner
        self.index = index
        self._tag = None
        self._name: str | None = None
        if name is not None:
            self.name = name
        self.site = creation_site(2) if site is None else site

    @property
    def name(self) -> str | None:
        """The name for printing and for keyword arguments; None if anonymous."""
        return self._name

    @name.setter
    def name(self, value: str | None) -> None:
        if value is not None and not isinstance(value, str):
            raise TypeError("name must be a string", value)
        self._name = value

    def __str__(self) -> str:
        if self.name is not None:
            return self.name
        if self.owner is None:
            return f"<{self.type}>"
        op = self.owner.op
        return f"{op}.out" if self.index == op.default_output else f"{op}.{self.index}"

    def __repr__(self) -> str:
        return str(self)

    def clone(self) -> Variable:
        """A new variable of the same type and name, without an owner."""
        copy = self.__class__(self.type, None, None, self.name, site=self.site)
        copy._copy_tag(self)
        return copy

    def get_parents(self) -> list[Apply]:
        """The owner in a list, or nothing."""
        return [] if self.owner is None else [self.owner]

    def eval(self, inputs_to_values: Mapping[Variable, Any] | None = None) -> Any:
        """The value, given those of the inputs; compiled once for the same inputs."""
        values = {} if inputs_to_values is None else inputs_to_values
        if not isinstance(values, Mapping):
            raise TypeError(
                f"eval: found {type(values).__name__}; expected a dict from input variables to "
                f"values; "
                "write z.eval({x: 1, y: 2})"
            )
        from tetractys import function

        inputs = tuple(values)
        compiled = self.__dict__.setdefault("_compiled", {})
        key = frozenset(map(id, inputs))
        if key not in compiled:
            compiled[key] = (inputs, function(list(inputs), self))
        order, compiled_function = compiled[key]
        return compiled_function(*(values[variable] for variable in order))

    def __getstate__(self) -> tuple[dict[str, Any], dict[str, Any]]:
        attributes = {key: value for key, value in self.__dict__.items() if key != "_compiled"}
        slots = {key: getattr(self, key) for key in _STATE}
        return attributes, slots

    def __setstate__(self, state: tuple[dict[str, Any], dict[str, Any]]) -> None:
        attributes, slots = state
        self.__dict__.update(attributes)
        for key, value in slots.items():
            setattr(self, key, value)


_STATE = ("type", "owner", "index", "_name", "_tag", "site")


class Constant(Variable):
    """A variable whose value, `data`, is known and never changes."""

    __slots__ = ("data",)

    def __init__(
        self, type: Type, data: Any, name: str | None = None, site: Site | None = None
    ) -> None:
        super().__init__(type, None, None, name, creation_site(2) if site is None else site)
        self.data = type.filter(data)

    def equals(self, other: Variable) -> bool:
        """Whether `other` is a constant of the same type and value."""
        return isinstance(other, Constant) and self.signature() == other.signature()

    def signature(self) -> tuple[object, ...]:
        """Equal for constants that may stand for one another."""
        return (self.type, self.data)

    @property
    def value(self) -> Any:
        """The value; read only."""
        return self.data

    def clone(self) -> Constant:
        """A constant of the same value and name."""
        copy = self.__class__(self.type, self.data, self.name, site=self.site)
        copy._copy_tag(self)
        return copy

    def __str__(self) -> str:
        if self.name is not None:
            return self.name
        text = str(self.data)
        if len(text) > 20:
            text = f"{text[:10]}...{text[-10:]}"
        return f"{self.__class__.__name__}{{{text}}}"

    def __getstate__(self) -> tuple[dict[str, Any], dict[str, Any]]:
        attributes, slots = super().__getstate__()
        return attributes, {**slots, "data": self.data}


class Apply(Tagged):
    """One application of `op` to `inputs`, computing `outputs`; `site` is the user's line."""

    __slots__ = ("op", "inputs", "outputs", "site", "__dict__", "__weakref__")

    def __init__(
        self,
        op: Op,
        inputs: Sequence[Variable],
        outputs: Sequence[Variable],
        site: Site | None = None,
    ) -> None:
        self.op = op
        self.inputs: list[Any] = list(inputs)
        self.outputs: list[Any] = list(outputs)
        self._tag = None
        self.site = creation_site(2) if site is None else site
        for variable in self.inputs:
            if not isinstance(variable, Variable):
                raise TypeError(
                    f"The 'inputs' argument to Apply must contain Variable instances, not "
                    f"{variable}"
                )
        for index, output in enumerate(self.outputs):
            if not isinstance(output, Variable):
                raise TypeError(
                    f"The 'outputs' argument to Apply must contain Variable instances, not {output}"
                )
            if output.owner is None:
                output.owner = self
                output.index = index
            elif output.owner is not self or output.index != index:
                raise ValueError("All output variables passed to Apply must belong to it.")

    @property
    def nin(self) -> int:
        """The number of inputs."""
        return len(self.inputs)

    @property
    def nout(self) -> int:
        """The number of outputs."""
        return len(self.outputs)

    @property
    def out(self) -> Variable:
        """The default output."""
        return self.default_output()

    def default_output(self) -> Variable:
        """The output that stands for the node: the only one, or the op's `default_output`."""
        which = self.op.default_output
        if which is None:
            if len(self.outputs) != 1:
                raise ValueError(
                    f"{self.op}.default_output should be an output index: found "
                    f"{len(self.outputs)} outputs"
                )
            which = 0
        return self.outputs[which]

    def get_parents(self) -> list[Variable]:
        """The inputs."""
        return list(self.inputs)

    def clone(self) -> Apply:
        """A copy on the same inputs with new outputs."""
        return self._copy(self.inputs)

    def clone_with_new_inputs(self, inputs: Sequence[Variable], strict: bool = True) -> Apply:
        """A copy on other inputs.

        strict: an input whose type differs is converted, or refused with TypeError; otherwise the
        op makes a new node and so infers its outputs anew.
        """
        inputs = list(inputs)
        remake = False
        for position, (old, new) in enumerate(zip(self.inputs, inputs)):
            if old is new or old.type == new.type:
                continue
            if strict:
                inputs[position] = old.type.filter_variable(new)
            else:
                remake = True
        if not remake:
            return self._copy(inputs)
        from tetractys.graph.site import at_site

        with at_site(self.site):
            node = self.op.make_node(*inputs)
        for old, new in zip(self.outputs, node.outputs):
            new.name = old.name
        return node

    def _copy(self, inputs: Sequence[Variable]) -> Apply:
        outputs = [output.clone() for output in self.outputs]
        node = self.__class__(self.op, inputs, outputs, site=self.site)
        node._copy_tag(self)
        return node

    def __iter__(self) -> Iterator[Variable]:
        return iter(self.outputs)

    def __str__(self) -> str:
        return f"{self.op}({', '.join(map(str, self.inputs))})"

    def __repr__(self) -> str:
        return str(self)
