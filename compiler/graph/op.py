"""`Op`: what an Apply applies.

A *native* Op is a dialect signature and plain properties: everything below the graph is made from
these two. A *host* Op is the user's own object, run in Python by its `perform`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from tetractys.graph.errors import MethodNotDefined
from tetractys.graph.site import at_site, creation_site
from tetractys.graph.variable import Apply, Variable

if TYPE_CHECKING:
    from tetractys.graph.type import Type

_NO_PROPS: Mapping[str, object] = {}


class Op:
    """Base of all operations; subclass it for a host operation.

    A host Op defines `make_node` (or `itypes` and `otypes`), `perform`, and, where it has a
    derivative, `grad` or `L_op`. With `__props__`, a tuple of attribute names, equality, hash and
    text follow from these attributes.
    """

    signature: Any = None
    """The dialect's `Signature` of a native operation; None for a host operation."""
    props: Mapping[str, object] = _NO_PROPS
    """The properties of a native operation: plain hashable values."""

    default_output: int | None = None
    view_map: Mapping[int, list[int]] = {}
    destroy_map: Mapping[int, list[int]] = {}
    itypes: Sequence[Type] | None = None
    otypes: Sequence[Type] | None = None
    __props__: ClassVar[tuple[str, ...] | None] = None

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...  # facades add attributes of their own

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        if "__props__" not in cls.__dict__:
            return
        for method, default in (
            ("__eq__", _props_eq),
            ("__hash__", _props_hash),
            ("__str__", _props_str),
        ):
            if method not in cls.__dict__:
                setattr(cls, method, default)

    def make_node(self, *inputs: Any) -> Apply:
        """An Apply of this op; the default checks `itypes` and makes outputs of `otypes`."""
        if self.itypes is None or self.otypes is None:
            raise NotImplementedError(
                f"{type(self).__name__}: found neither make_node nor itypes and otypes; define "
                f"one of them"
            )
        if len(inputs) != len(self.itypes):
            raise ValueError(f"We expected {len(self.itypes)} inputs but got {len(inputs)}.")
        checked = [itype.filter_variable(value) for itype, value in zip(self.itypes, inputs)]
        return Apply(self, checked, [otype() for otype in self.otypes])

    def __call__(self, *inputs: Any, **kwargs: Any) -> Any:
        """Applies the op: its only (or default) output, or the list of its outputs."""
        return_list = kwargs.pop("return_list", False)
        name = kwargs.pop("name", None)
        if self.signature is None:  # the user's line is that of the call, not one in his make_node
            with at_site(creation_site(2)):
                node = self.make_node(*inputs, **kwargs)
        else:
            node = self.make_node(*inputs, **kwargs)
        if name is not None and len(node.outputs) == 1:
            node.outputs[0].name = name
        if self.default_output is not None:
            result = node.outputs[self.default_output]
            return [result] if return_list else result
        return node.outputs if return_list or len(node.outputs) != 1 else node.outputs[0]

    def lowered(self, node: Apply) -> tuple[Mapping[str, object], Sequence[Variable]]:
        """Properties and operands for the IR, where they differ from `props` and `node.inputs`."""
        return self.props, node.inputs

    def perform(
        self,
        node: Apply,
        inputs: Sequence[Any],
        output_storage: Sequence[list[Any]],
        params: Any = None,
    ) -> None:
        """Computes the outputs from the inputs' values into `output_storage[i][0]`."""
        raise MethodNotDefined(
            f"perform: not defined by {type(self).__name__}; define it to run the op"
        )

    def L_op(
        self,
        inputs: Sequence[Variable],
        outputs: Sequence[Variable],
        output_grads: Sequence[Variable],
    ) -> Sequence[Variable]:
        """Gradients by each input, given those by each output; the default calls `grad`."""
        return self.grad(inputs, output_grads)

    def grad(
        self, inputs: Sequence[Variable], output_grads: Sequence[Variable]
    ) -> Sequence[Variable]:
        """Gradients by each input, given those by each output."""
        raise MethodNotDefined(f"grad: not defined by {type(self).__name__}; define grad or L_op")

    def R_op(
        self, inputs: Sequence[Variable], eval_points: Sequence[Variable | None]
    ) -> Sequence[Variable | None]:
        """The directional derivative along `eval_points`."""
        raise MethodNotDefined(f"R_op: not defined by {type(self).__name__}")

    def __str__(self) -> str:
        name = getattr(self, "name", None)
        return name if isinstance(name, str) else type(self).__name__


def _props_values(op: Op) -> tuple[object, ...]:
    return tuple(getattr(op, name) for name in op.__props__ or ())


def _props_eq(self: Op, other: object) -> bool:
    return type(self) is type(other) and _props_values(self) == _props_values(other)  # type: ignore[arg-type]


def _props_hash(self: Op) -> int:
    return hash((type(self), _props_values(self)))


def _props_str(self: Op) -> str:
    names = self.__props__ or ()
    if not names:
        return type(self).__name__
    values = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
    return f"{type(self).__name__}{{{values}}}"
