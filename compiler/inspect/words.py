"""Kernels in words: what each loop reads, computes and gives, every array by a name of its own."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from typing import Any, cast

from xdsl.dialects.builtin import FileLineColLoc, LocationAttr, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, BlockArgument, Operation, SSAValue

from tetractys.dialects import elemwise, loops
from tetractys.dialects.loops_views import PartOp
from tetractys.graph.site import Site
from tetractys.passes.vectorize import refusal

_MAKERS = (loops.NestOp, loops.CallOp, loops.ViewOp, loops.InsertOp, loops.EmptyOp)
"""Operations whose results are called by a name."""


class Words:
    """The names of one function's values, and its kernels in these names.

    The user's names; of unnamed arguments their kind and line; of results the operation's. A name
    that is taken gets a number. Sizes that are computed are `n`, `n_1`, ...
    """

    def __init__(self, main: FuncOp) -> None:
        self.names: dict[SSAValue, str] = {}
        self._taken: Counter[str] = Counter()
        for number, argument in enumerate(main.body.block.args):
            self._name(argument, argument.name_hint or _unnamed(main, number, argument.location))
        for op in main.walk():
            for size in op.sizes if isinstance(op, loops.NestOp) else ():
                if size not in self.names and not isinstance(size.owner, _SIZES):
                    self._name(size, "n")
            if isinstance(op, _MAKERS):
                for result in op.results:
                    self._name(result, result.name_hint or "t")

    def _name(self, value: SSAValue, name: str) -> None:
        count = self._taken[name]
        self._taken[name] += 1
        self.names[value] = f"{name}_{count}" if count else name

    def describe(self, op: Operation) -> list[str]:
        """A kernel: its iteration space, what it reads, computes and gives."""
        if isinstance(op, loops.CallOp):
            operands = ", ".join(self.of(value) for value in op.operands)
            gives = ", ".join(self.of(result) for result in op.results)
            return [f"library call {op.callee.data}({operands})", f"gives {gives}"]
        return self._nest(cast(loops.NestOp, op))

    def of(self, value: SSAValue) -> str:
        """How a value is called: its name, a size as `x.shape[0]`, a number, or a letter."""
        owner = value.owner
        if isinstance(owner, loops.DimOp):
            return f"{self.of(owner.source)}.shape[{owner.dim.value.data}]"
        if isinstance(owner, elemwise.ConstantOp):
            return str(owner.number)
        if value in self.names:
            return self.names[value]
        if isinstance(owner, loops.SubviewOp):
            return self._part(owner.source, owner)
        if isinstance(value, BlockArgument):
            nest = cast(loops.NestOp, value.block.parent_op())
            if value.index < nest.rank:
                return "ijklmnpq"[(_depth(nest) + value.index) % 8]
            return self.of(nest.inputs[value.index - nest.rank])
        return value.name_hint or "a scalar"

    def place(self, value: SSAValue, indices: Sequence[str]) -> str:
        """`x[i, j]`: an element or slice of an array, also where an outer loop sliced it first."""
        nest = value.block.parent_op() if isinstance(value, BlockArgument) else None
        if isinstance(nest, loops.NestOp) and isinstance(value, BlockArgument):
            number = value.index - nest.rank
            inner = iter(indices)
            entries = [
                next(inner) if entry == loops.SLICE else self._index(entry, nest)
                for entry in nest.input_maps[number]
            ]
            return self.place(nest.inputs[number], entries)
        return f"{self.of(value)}[{', '.join(indices)}]"

    def _part(self, whole: SSAValue, op: PartOp) -> str:
        """A part of an array as the dialect writes it: `x[10 for n, i]`, `x[-1 for n by -1]`."""
        shown: list[str] = []
        for entry in op.part:
            text = ":" if entry.first is None else self._bound(entry.first)
            if entry.size is not None:
                text += f" for {self._bound(entry.size)}"
            if entry.step != 1:
                step = entry.step
                text += f" by {step if isinstance(step, int) else self._bound(step)}"
            shown.append(text)
        return f"{self.of(whole)}[{', '.join(shown)}]"

    def _bound(self, value: SSAValue) -> str:
        """An index as the user may have written it, where it was clipped to the array; else `?`."""
        owner = value.owner
        if value in self.names or isinstance(owner, _SIZES):
            return self.of(value)
        if isinstance(owner, elemwise.CastOp):
            return self._bound(owner.operands[0])
        if isinstance(owner, elemwise.MinimumOp | elemwise.MaximumOp | elemwise.AddOp):
            first, second = owner.operands
            constant = isinstance(first.owner, elemwise.ConstantOp)
            other = second if constant or isinstance(owner, elemwise.AddOp) else first
            return self._bound(first if constant else other)
        if isinstance(owner, elemwise.SubOp) and isinstance(owner.operands[0].owner, loops.DimOp):
            return f"-{self._bound(owner.operands[1])}"
        return "?"

    def _index(self, entry: int, nest: loops.NestOp) -> str:
        if entry >= 0:
            return self.of(nest.iterators[entry])
        return {loops.SLICE: ":", loops.ZERO: "0"}.get(entry, "?")

    def _nest(self, nest: loops.NestOp) -> list[str]:
        space = ", ".join(
            f"{self.of(letter)} < {self.of(size)}"
            for letter, size in zip(nest.iterators, nest.sizes)
        )
        how = self._how(nest)
        lines = [f"for {space}" + (f" ({how})" if how else "") if space else "once"]
        reads = [
            self.place(value, [self._index(entry, nest) for entry in entries])
            for value, entries in zip(nest.inputs, nest.input_maps)
        ]
        reads += [self._gather(op) for op in nest.block.ops if isinstance(op, loops.GatherOp)]
        if reads:
            lines.append("reads " + ", ".join(dict.fromkeys(reads)))
        lines += self._body(nest.block)
        gives = [
            f"{self.of(result)}: {part.kind}"
            f"[{', '.join(self._index(entry, nest) for entry in part.map)}]{self._goes(result)}"
            for part, result in zip(nest.parts(), nest.results)
        ]
        return [*lines, "gives " + ", ".join(gives)]

    def _goes(self, result: SSAValue) -> str:
        """The part of an array that a result is made for."""
        inserts = [use.operation for use in result.uses]
        if len(inserts) != 1 or not isinstance(inserts[0], loops.InsertOp):
            return ""
        return f", for {self._part(inserts[0].out, inserts[0])}"

    def _how(self, nest: loops.NestOp) -> str:
        """The schedule in words; `scalar` and why where it asks for vectors that cannot be."""
        schedule = nest.schedule.data if nest.schedule is not None else {}
        words = {key: cast(Any, value).value.data for key, value in schedule.items()}
        split = words.pop("split", None)
        shown = [] if split is None else [f"threads over {self.of(nest.iterators[split])}"]
        if words.get("vector", 0) < 2:
            words.pop("vector", None)
        elif reason := refusal(nest):
            return ", ".join([*shown, f"scalar: {reason}"])
        return ", ".join([*(f"{key} {value}" for key, value in words.items()), *shown])

    def _gather(self, op: loops.GatherOp) -> str:
        """An element at computed indices, which are `?`."""
        indices = [
            self.of(index) if isinstance(index, BlockArgument) else "?" for index in op.indices
        ]
        return self.place(op.source, indices)

    def _body(self, block: Block) -> list[str]:
        lines: list[str] = []
        run: Counter[str] = Counter()

        def flush() -> None:
            if run:
                counted = (name if n == 1 else f"{n} {name}" for name, n in run.items())
                lines.append("computes " + ", ".join(counted))
                run.clear()

        for op in block.ops:
            if isinstance(op, loops.NestOp):
                flush()
                first, *rest = self._nest(op)
                lines += [first, *(f"    {line}" for line in rest)]
            elif isinstance(op, elemwise.ElemwiseOp) and not _is_index_work(op):
                run[op.signature.short] += 1
        flush()
        return lines


_SIZES = (loops.DimOp, elemwise.ConstantOp)


def _unnamed(main: FuncOp, number: int, location: LocationAttr) -> str:
    """`<shared train.py:7>`: an argument without a name by its kind and where it was made."""
    attributes = main.arg_attrs.data[number] if main.arg_attrs is not None else None
    kind = cast(Any, attributes).data.get("tt.kind") if attributes is not None else None
    what = kind.data if isinstance(kind, StringAttr) else f"argument {number}"
    if isinstance(location, FileLineColLoc):
        what += f" {short((location.filename.data, location.line.data))}"
    return f"<{what}>"


def _depth(nest: loops.NestOp) -> int:
    """How many iterators there are around a nest."""
    depth, outer = 0, nest.parent_op()
    while isinstance(outer, loops.NestOp):
        depth, outer = depth + outer.rank, outer.parent_op()
    return depth


def _is_index_work(op: Operation) -> bool:
    """Whether an operation is a constant, or computes with indices only."""
    if isinstance(op, elemwise.ConstantOp) or op.results[0].type == loops.INDEX:
        return True
    return bool(op.operands) and all(value.type == loops.INDEX for value in op.operands)


def short(site: Site) -> str:
    """`file.py:7`."""
    return f"{os.path.basename(site[0])}:{site[1]}"


__all__ = ["Words", "short"]
