"""IRDL classes made from signatures, and the two ways across: `build` and `props_of`.

`operation(signature, base)` gives the class; `build` infers the result types and creates an
operation without verifying it; the verifier calls the same inference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from xdsl.dialects.builtin import (
    AnyFloat,
    BoolAttr,
    DenseArrayBase,
    FloatAttr,
    FunctionType,
    IntegerAttr,
    IntegerType,
    LocationAttr,
    StringAttr,
    TensorType,
    VectorType,
    f32,
    f64,
    i64,
)
from xdsl.ir import Attribute, Operation, Region, SSAValue
from xdsl.irdl import (
    irdl_op_definition,
    opt_prop_def,
    prop_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from tetractys.dialects import types
from tetractys.dialects.create import QuickOp
from tetractys.dialects.signature import Signature
from tetractys.dialects.syntax import parse_operand_names

APPLY = "tt.apply"
"""An attribute of operations as imported, and later of checks and of what takes indices: the number
of the graph's Apply, which an error names.
"""


def name_apply(op: Operation, origin: Operation) -> None:
    """Says that an operation's errors are those of `origin`'s Apply."""
    if (apply := origin.attributes.get(APPLY)) is not None:
        op.attributes[APPLY] = apply


class SignatureOp(QuickOp):
    """What every operation made from a signature has: operands, results, printing, verification."""

    if TYPE_CHECKING:  # set by `operation`; IRDL takes no such class attribute in its definition
        signature: ClassVar[Signature]

    arguments = var_operand_def()
    outs = var_result_def()

    @property
    def out(self) -> SSAValue:
        """The first result."""
        return self.results[0]

    def verify_(self) -> None:
        """Holds the result types against what the signature infers."""
        from tetractys.dialects.signature_verify import verify_elements, verify_properties

        verify_properties(self)
        try:
            verify_elements(self)
            inferred = infer_types(self.signature, [v.type for v in self.operands], props_of(self))
        except (ValueError, TypeError) as error:
            raise VerifyException(str(error)) from error
        found = [result.type for result in self.results]
        if len(found) != len(inferred):
            raise VerifyException(
                f"{self.name}: found {len(found)} results; expected {len(inferred)}"
            )
        for type_, wanted in zip(found, inferred):
            if type_ != wanted:
                raise VerifyException(
                    f"{self.name}: found result type {type_}; expected {wanted}; "
                    "the operands' types decide it"
                )

    def print(self, printer: Printer) -> None:
        """`%a, %b {prop = 1} : type` where all types are equal, else a functional type."""
        if self.operands:
            printer.print_string(" ")
            printer.print_list(self.operands, printer.print_ssa_value)
        printer.print_op_attributes({**self.properties, **self.attributes})
        printer.print_string(" : ")
        kinds = {v.type for v in (*self.operands, *self.results)}
        if len(kinds) == 1 and len(self.results) == 1:
            printer.print_attribute(self.results[0].type)
        else:
            printer.print_function_type(self.operand_types, self.result_types)

    @classmethod
    def parse(cls, parser: Parser) -> SignatureOp:
        """The inverse of `print`."""
        start = parser.pos
        unresolved = parse_operand_names(parser)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        type_ = parser.parse_type()
        if isinstance(type_, FunctionType):
            inputs, outputs = list(type_.inputs), list(type_.outputs)
        else:
            inputs, outputs = [type_] * len(unresolved), [type_]
        if len(inputs) != len(unresolved):
            parser.raise_error(
                f"{cls.name}: found {len(unresolved)} operands and {len(inputs)} types; "
                "expected as many of each", start, parser.pos)
        operands = parser.resolve_operands(unresolved, inputs, start)
        properties = {k: v for k, v in attributes.items() if k in cls.signature.props}
        rest = {k: v for k, v in attributes.items() if k not in cls.signature.props}
        for name, kind in cls.signature.props.items():
            if name not in properties and not kind.endswith("?"):
                parser.raise_error(f"{cls.name}: found no property {name!r}; "
                                   f"expected {{{name} = ...}}", start, parser.pos)
        return cls.create(
            operands=operands, result_types=outputs, properties=properties, attributes=rest
        )


OpT = TypeVar("OpT", bound=SignatureOp)
_CLASSES: dict[Signature, type[SignatureOp]] = {}


def operation(signature: Signature, base: type[OpT], *, pure: bool = True) -> type[OpT]:
    """The IRDL class of a signature, a subclass of the family's `base`."""
    body: dict[str, object] = {
        "name": signature.name,
        "__doc__": signature.doc,
        "__module__": base.__module__,
        "traits": traits_def(Pure()) if pure else traits_def(),
    }
    for name, kind in signature.props.items():
        body[name] = opt_prop_def(Attribute) if kind.endswith("?") else prop_def(Attribute)
    title = "".join(part.capitalize() for part in signature.short.split("_"))
    class_ = irdl_op_definition(type(f"{title}Op", (base,), body))
    class_.signature = signature
    _CLASSES[signature] = class_
    return cast("type[OpT]", class_)


def operation_class(signature: Signature) -> type[SignatureOp]:
    """The IRDL class made from `signature`."""
    if signature not in _CLASSES:
        import_module("tetractys.dialects.elemwise")  # these fill the table
        import_module("tetractys.dialects.tensor")
    return _CLASSES[signature]


def infer_types(
    signature: Signature, operands: Sequence[Attribute], props: Mapping[str, object]
) -> list[Attribute]:
    """The result types from the operand types: tensors, or (elementwise) scalars or vectors."""
    if operands and not any(isinstance(type_, TensorType) for type_ in operands):
        return _infer_scalars(signature, operands, props)
    if any(not isinstance(type_, TensorType) for type_ in operands):
        raise ValueError(f"{signature.name}: found tensors beside scalars; expected only tensors")
    if not operands and props.get("rank") is None:
        specs = signature.infer([], props)
        return [types.element_type(spec[0]) for spec in specs]
    specs = signature.infer([types.spec_of(type_) for type_ in operands], props)
    rank = cast("int | None", props.get("rank"))
    if rank is not None:
        specs = [(specs[0][0], (1,) * rank)]
    return [types.tensor_type(spec) for spec in specs]


@cache
def _widths(types_: tuple[Attribute, ...]) -> tuple[int, ...] | None:
    shapes = {t.get_shape() if isinstance(t, VectorType) else None for t in types_}
    if len(shapes) != 1:
        raise ValueError("found vectors of several widths or beside scalars; expected one width; "
                         "use elemwise.splat")
    return shapes.pop()


def _infer_scalars(
    signature: Signature, operands: Sequence[Attribute], props: Mapping[str, object]
) -> list[Attribute]:
    width = _widths(tuple(operands))
    specs = signature.infer([(types.dtype_of(type_), ()) for type_ in operands], props)
    elements = [types.element_type(spec[0]) for spec in specs]
    return [types.vector_of(e, width[0]) if width else e for e in elements]


def build(
    signature: Signature,
    operands: Sequence[SSAValue],
    props: Mapping[str, object] | None = None,
    location: LocationAttr | None = None,
    regions: Sequence[Region] = (),
) -> SignatureOp:
    """Infers the result types and creates the operation; nothing else is verified."""
    given = props or {}
    class_ = operation_class(signature)
    result_types = infer_types(signature, [operand.type for operand in operands], given)
    return class_.create(
        operands=operands,
        result_types=result_types,
        properties=properties_of(signature, given),
        location=location,
        regions=regions,
    )


def properties_of(signature: Signature, props: Mapping[str, object]) -> dict[str, Attribute]:
    """Plain Python properties as attributes."""
    return {
        name: _attribute(signature.props[name].rstrip("?"), value, props)
        for name, value in props.items()
        if value is not None and not (value is False and signature.props[name].startswith("bool"))
    }


def _attribute(kind: str, value: object, props: Mapping[str, object]) -> Attribute:
    match kind:
        case "dtype":
            return types.element_type(str(value))
        case "int":
            return _int_attribute(cast(int, value))
        case "ints":
            return _ints_attribute(tuple(cast("Sequence[int]", value)))
        case "str":
            return StringAttr(str(value))
        case "bool":
            return BoolAttr.from_bool(bool(value))
        case _:
            dtype = str(props["dtype"])
            if isinstance(value, float):  # by bits: 0.0 == -0.0
                return _float_attribute(value.hex(), dtype)
            return _number_attribute(value, dtype)


@cache
def _ints_attribute(values: tuple[int, ...]) -> DenseArrayBase:
    return DenseArrayBase.from_list(i64, values)


@cache
def _int_attribute(value: int) -> Attribute:
    return IntegerAttr(value, i64)


@lru_cache(maxsize=4096)
def _float_attribute(bits: str, dtype: str) -> Attribute:
    return _number_attribute(float.fromhex(bits), dtype)


def _number_attribute(value: object, dtype: str) -> Attribute:
    element = types.element_type(dtype)
    if element in (f32, f64):
        return FloatAttr(float(cast(float, value)), cast(AnyFloat, element))
    return IntegerAttr(int(cast(int, value)), cast(IntegerType, element))


def props_of(op: SignatureOp) -> dict[str, object]:
    """The plain Python properties of an operation."""
    props: dict[str, object] = {}
    for name, attribute in op.properties.items():
        match attribute:
            case StringAttr():
                props[name] = attribute.data
            case DenseArrayBase():
                props[name] = tuple(cast("DenseArrayBase[IntegerType]", attribute).get_values())
            case FloatAttr():
                props[name] = attribute.value.data
            case IntegerAttr():
                value = attribute.value.data
                is_bool = op.signature.props[name].startswith("bool")
                props[name] = bool(value) if is_bool else value
            case _:
                props[name] = types.dtype_of(attribute)
    return props
