"""`pp` and `debugprint`: graphs as text, exactly as Theano writes them (THEANO_SEMANTICS D10).

Both are iterative: a chain of any length prints.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from tetractys.graph.variable import Apply, Variable

Part = str | Variable
"""A piece of a formula: text, or a variable whose formula stands there."""


# debugprint.
class _Ids:
    """`[id A]` of each Apply, or variable without one, in the order of appearance."""

    def __init__(self, kind: str) -> None:
        if kind not in ("id", "int", "CHAR", ""):
            raise ValueError(f"debugprint: found ids={kind!r}; expected 'id', 'int', 'CHAR' or ''")
        self.kind = kind
        self.used: dict[object, str] = {}

    def __call__(self, item: object) -> str:
        if item not in self.used:
            number = len(self.used)
            text = {
                "id": str(id(item)),
                "int": str(number),
                "CHAR": char_from_number(number),
                "": "",
            }[self.kind]
            self.used[item] = f"[id {text}]" if self.kind else ""
        return self.used[item]


def char_from_number(number: int) -> str:
    """A, B, ..., Z, BA, BB, ...: the number in base 26."""
    text = ""
    while number or not text:
        number, digit = divmod(number, 26)
        text = chr(ord("A") + digit) + text
    return text


def debugprint(
    obj: Any,
    depth: int = -1,
    print_type: bool = False,
    file: TextIO | str | None = None,
    ids: str = "CHAR",
    stop_on_name: bool = False,
    done: dict[Apply, str] | None = None,
) -> Any:
    """Writes the graph of a variable, an Apply, a compiled function, or a list of these, as a tree.

    depth: how many levels; -1 is all. print_type: also the types. ids: how nodes are numbered:
    "CHAR", "int", "id" (of the Python object) or "" for not at all. stop_on_name: named "
    "variables are
    not opened. file: an open file, stdout if None; "str" returns the text.
    """
    printer = _TreePrinter(print_type, _Ids(ids), stop_on_name, {} if done is None else done)
    lines: list[str] = []
    for item in obj if isinstance(obj, (list, tuple, set)) else [obj]:
        if hasattr(item, "debugprint_lines"):  # a compiled function words itself
            lines.extend(item.debugprint_lines(depth=depth, print_type=print_type, ids=ids))
        else:
            printer.print(_root(item), depth, lines)
    text = "".join(line + "\n" for line in lines)
    if file == "str":
        return text
    target = sys.stdout if file is None else file
    target.write(text)  # type: ignore[union-attr]
    return target


def _root(item: Any) -> Variable:
    if isinstance(item, Variable):
        return item
    if isinstance(item, Apply):
        return item.outputs[0]
    raise TypeError(
        f"debugprint cannot print an object of this type: {type(item).__name__}; "
        "expected a variable, an Apply, a function or a list of them"
    )


class _TreePrinter:
    """The tree under a variable, a line a node; an Apply is opened once."""

    def __init__(
        self, print_type: bool, ids: _Ids, stop_on_name: bool, done: dict[Apply, str]
    ) -> None:
        self.print_type = print_type
        self.ids = ids
        self.stop_on_name = stop_on_name
        self.done = done

    def print(self, root: Variable, depth: int, lines: list[str]) -> None:
        """Adds the lines of the tree under `root`."""
        stack = [(root, "", "", depth)]
        while stack:
            variable, prefix, child_prefix, depth = stack.pop()
            if depth == 0:
                continue
            lines.append(prefix + self._line(variable))
            node = variable.owner
            if node is None or node in self.done:
                continue
            self.done[node] = ""
            if self.stop_on_name and variable.name is not None:
                continue
            last = len(node.inputs) - 1
            stack.extend(
                (
                    operand,
                    child_prefix + " |",
                    child_prefix + ("  " if position == last else " |"),
                    depth - 1,
                )
                for position, operand in reversed(list(enumerate(node.inputs)))
            )

    def _line(self, variable: Variable) -> str:
        node = variable.owner
        type_text = f" <{variable.type}>" if self.print_type else ""
        if node is None:
            return f"{variable} {self.ids(variable)}{type_text}"
        which = "" if len(node.outputs) == 1 else f".{variable.index}"
        return f"{node.op}{which} {self.ids(node)}{type_text} '{variable.name or ''}'   "


# pp.
_INFIX = {"add": "+", "sub": "-", "mul": "*", "true_div": "/", "int_div": "//", "pow": "**"}
_CALLS = {"second": "fill", "and": "and_", "or": "or_", "abs": "abs_"}


def _call(name: str, operands: Sequence[Part]) -> list[Part]:
    return [f"{name}(", *_joined(operands, ", "), ")"]


def _joined(parts: Iterable[Part], separator: str) -> list[Part]:
    result: list[Part] = []
    for part in parts:
        result += [separator, part] if result else [part]
    return result


def _elemwise(op: Any, inputs: Sequence[Variable]) -> list[Part]:
    short = op.signature.short
    if short in _INFIX:
        return ["(", *_joined(inputs, f" {_INFIX[short]} "), ")"]
    if short == "neg":
        return ["(-", inputs[0], ")"]
    if short == "abs":
        return ["|", inputs[0], "|"]
    if op.name == "Elemwise{identity}":
        return [inputs[0]]
    if short == "cast":
        return _call(str(op.props["dtype"]), inputs)
    return _call(str(_CALLS.get(short, short)), inputs)


def _dimshuffle(op: Any, inputs: Sequence[Variable]) -> list[Part]:
    """Leading new dimensions do not show; a reversal is `.T`."""
    order = list(op.new_order)
    while order and order[0] == "x":
        order.pop(0)
    rank = inputs[0].type.ndim  # type: ignore[attr-defined]
    if order == list(range(rank)):
        return [inputs[0]]
    if order == list(range(rank - 1, -1, -1)):
        return [inputs[0], ".T"]
    return _call(f"DimShuffle{{{', '.join(map(str, order))}}}", inputs)


def _subtensor(op: Any, inputs: Sequence[Variable]) -> list[Part]:
    """Slices show dtypes; integers their operands, taken from the end, as Theano does."""
    operands = list(inputs)
    entries: list[list[Part]] = []
    for entry in op.entries:
        if not isinstance(entry, tuple):
            entries.append([operands.pop()])
            continue
        start, stop, step = ("" if bound is None else bound for bound in entry)
        entries.append([f"{start}:{stop}" + (f":{step}" if step else "")])
    text: list[Part] = [inputs[0], "["]
    for position, parts in enumerate(entries):
        text += [", ", *parts] if position else parts
    return [*text, "]"]


def _parts(variable: Variable) -> list[Part]:
    """The formula of a computed variable, one level deep."""
    node = variable.owner
    assert node is not None
    op: Any = node.op
    kind = type(op).__name__
    name = op.signature.name if op.signature is not None else ""
    if name.startswith("elemwise."):
        return _elemwise(op, node.inputs)
    if kind == "DimShuffle":
        return _dimshuffle(op, node.inputs)
    if kind == "Subtensor":
        return _subtensor(op, node.inputs)
    if kind == "Dot":
        return ["(", node.inputs[0], " \\dot ", node.inputs[1], ")"]
    if kind == "MakeVector":
        return ["[", *_joined(node.inputs, ", "), "]"]
    if kind == "Alloc":
        return _call("alloc", node.inputs)
    return _call(str(op), node.inputs)


def pp(variable: Variable) -> str:
    """The formula of `variable`: `(x + y)`; names of intermediate results do not show."""
    if isinstance(variable, Apply):
        variable = variable.outputs[0]
    if not isinstance(variable, Variable):
        if hasattr(variable, "pp"):
            return variable.pp()
        raise TypeError(f"pp: found {type(variable).__name__}; expected a variable")
    text: list[str] = []
    stack: list[Part] = [variable]
    while stack:
        part = stack.pop()
        if isinstance(part, str):
            text.append(part)
        elif part.owner is None:
            text.append(str(part))
        else:
            stack.extend(reversed(_parts(part)))
    return "".join(text)


pprint = pp


# min_informative_str.
def min_informative_str(obj: Variable, indent_level: int = 0) -> str:
    """The graph of a variable as a tree of letters: what is shared shows once, then as `<B>`."""
    lines: list[str] = []
    tags: dict[Variable, str] = {}
    stack = [(obj, indent_level)]
    while stack:
        variable, level = stack.pop()
        indent = " " * level
        if variable in tags:
            lines.append(f"{indent}<{tags[variable]}>")
            continue
        tags[variable] = tag = char_from_number(len(tags))
        owner = variable.owner
        shown = variable.name or (str(owner.op) if owner is not None else str(variable))
        lines.append(f"{indent}{tag}. {shown}")
        if owner is not None and variable.name is None:
            stack.extend((operand, level + 1) for operand in reversed(owner.inputs))
    return "\n".join(lines)


def var_descriptor(obj: Any) -> str:
    """`min_informative_str` on one line a list or a variable."""
    if isinstance(obj, (list, tuple)):
        return "[" + ",".join(var_descriptor(item) for item in obj) + "]"
    return min_informative_str(obj) if isinstance(obj, Variable) else str(obj)
