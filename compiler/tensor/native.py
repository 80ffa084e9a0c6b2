"""Native Ops: a dialect signature, plain properties, and a facade with Theano's name.

`native_op(signature, props)` gives the one Op object of an operation; gradients, the front end and
tests all make their nodes through it, so that a node always has the facade Theano's users know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tetractys.dialects.signature import Signature
from tetractys.graph.op import Op
from tetractys.graph.site import Site, creation_site
from tetractys.graph.variable import Apply, Variable
from tetractys.tensor.type import tensor_type

if TYPE_CHECKING:
    from tetractys.tensor.var import TensorVariable

Props = Mapping[str, object]


class NativeOp(Op):
    """An operation of a dialect. `signature` and `props` are all that lowering knows of it."""

    signature: Signature
    props: Props

    def __init__(self, signature: Signature, props: Props) -> None:
        self.signature = signature
        self.props = props

    def key(self) -> tuple[object, ...]:
        """What two equal ops have in common."""
        return (self.signature.name, tuple(sorted(self.props.items())))

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, NativeOp) or type(self) is not type(other):
            return False
        return self.key() == other.key()

    def __hash__(self) -> int:
        found = self.__dict__.get("_hash")
        if found is None:
            found = self._hash = hash((type(self), self.key()))
        return found

    def __copy__(self) -> NativeOp:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> NativeOp:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        state = {key: value for key, value in self.__dict__.items() if key != "_hash"}
        return (_restore, (type(self), self.signature.name, {**state, "signature": None}))

    def make_node(self, *inputs: Any) -> Apply:
        """An Apply whose output types are inferred by the signature."""
        from tetractys.tensor.constants import as_tensor_variable

        return self.node([as_tensor_variable(value) for value in inputs])

    def node(self, variables: Sequence[Variable]) -> Apply:
        """An Apply on variables that need no conversion."""
        specs = self.infer(variables)
        site = creation_site(2)
        outputs = [make_output(spec, site) for spec in specs]
        return Apply(self, variables, outputs, site)

    def infer(self, variables: Sequence[Variable]) -> Sequence[Any]:
        """The specs of the outputs."""
        return self.signature.infer([variable.type.spec for variable in variables], self.props)

    def L_op(
        self,
        inputs: Sequence[Variable],
        outputs: Sequence[Variable],
        output_grads: Sequence[Variable],
    ) -> Sequence[Variable]:
        """Gradients by each input, by the operation's rule."""
        from tetractys.gradient.graph_rules import native_gradients

        return native_gradients(self, inputs, outputs, output_grads)

    def grad(
        self, inputs: Sequence[Variable], output_grads: Sequence[Variable]
    ) -> Sequence[Variable]:
        """Gradients by each input, by the operation's rule."""
        return self.L_op(inputs, self.make_node(*inputs).outputs, output_grads)

    def R_op(
        self, inputs: Sequence[Variable], eval_points: Sequence[Variable | None]
    ) -> Sequence[Variable | None]:
        """The directional derivative along `eval_points`, by the operation's rule."""
        from tetractys.gradient.forward import native_tangents

        return native_tangents(self, inputs, eval_points)

    def __str__(self) -> str:
        return type(self).__name__


def _restore(kind: type[NativeOp], signature: str, state: dict[str, Any]) -> NativeOp:
    """The op that `__reduce__` took apart: a signature is pickled by name."""
    from tetractys.dialects import elemwise_signatures, tensor_signatures

    dialect, _, short = signature.partition(".")
    table = elemwise_signatures if dialect == "elemwise" else tensor_signatures
    op = kind.__new__(kind)
    op.__dict__.update(state, signature=table.SIGNATURES[short])
    return op


def make_output(spec: Any, site: Site) -> TensorVariable:
    """A variable of the type of `spec`."""
    from tetractys.tensor.var import TensorVariable

    return TensorVariable(tensor_type(spec), None, None, None, site)


Maker = Callable[[Signature, dict[str, object]], Op]
_makers: dict[str, Maker] = {}
_ops: dict[tuple[object, ...], Op] = {}


def facade(name: str) -> Callable[[Maker], Maker]:
    """Declares how the Op of the operation `name` (a signature's name) is made."""

    def register(maker: Maker) -> Maker:
        _makers[name] = maker
        return maker

    return register


def native_op(signature: Signature, props: Props | None = None) -> Op:
    """The one Op of an operation, named as gradients name it (without `no_inplace`)."""
    key = (signature.name, *sorted(props.items())) if props else (signature.name,)
    op = _ops.get(key)
    if op is None:
        found = dict(props or {})
        op = _ops[key] = _makers.get(signature.name, _default)(signature, found)
    return op


def apply_native(
    signature: Signature, inputs: Sequence[Any], props: Props | None = None
) -> list[TensorVariable]:
    """Applies an operation to variables or values; gives all outputs."""
    return native_op(signature, props).make_node(*inputs).outputs


def _default(signature: Signature, props: dict[str, object]) -> Op:
    from tetractys.tensor.elemwise import Elemwise

    if signature.name.startswith("elemwise."):
        return Elemwise(signature, props)
    return NamedOp(signature, props)


class NamedOp(NativeOp):
    """An operation whose facade is only its name: `shape` prints as `Shape`."""

    def __str__(self) -> str:
        return "".join(part.capitalize() for part in self.signature.short.split("_"))
