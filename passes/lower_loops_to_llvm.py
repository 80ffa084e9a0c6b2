"""`lower-loops-to-llvm`: loop nests in memory become LLVM instructions.

Pre-condition: bufferized, vectorised where it pays, elementary functions expanded. Post-condition:
`llvm.func @tt_kernel(ptr) -> i32` and `@tt_shape` by the flat ABI (`runtime/spec.py`); module
attributes `tt.errors` (what a code in the flat block means), `tt.externs` (the C functions that the
table of addresses must hold) and `tt.inplace` (see `mark_updates`). No LLVM pass is needed: loops
are rotated, invariants are in front of them, equal instructions are one, nothing is on the stack
but the arguments of library calls.

    loops.nest (%i < %n) ins(%a = %x[%i] : memref<?xf64, strided<[1]>> as vector<8xf64>)
        -> (collect[%i] into %r : memref<?xf64>) { ... loops.yield %v : vector<8xf64> }
becomes, much shortened,
    ^bb1(%i : i64):
      %p = llvm.getelementptr inbounds %x[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f64
      %a = llvm.load %p {alignment = 8 : i64} : !llvm.ptr -> vector<8xf64>
      ...
      llvm.store %v, %q {alignment = 8 : i64} : vector<8xf64>, !llvm.ptr
      %next = llvm.add %i, %c8 : i64
      llvm.cond_br %more, ^bb1(%next : i64), ^bb2

The parts: `llvm_frame` (the function, the ABI, operations), `llvm_function` (what is not mere
arithmetic), `llvm_parallel` (chunks for threads), `llvm_nest` (loops), `llvm_vectors`
(the innermost one; of the memory it reads and fills, `llvm_phase`, `llvm_ahead`, `llvm_streams`),
`llvm_rows` (jam), `llvm_monoids` (reductions), `llvm_memory` (addresses), `llvm_workspace` (the
arena), `llvm_transfer` (rows, gathers), `llvm_calls`, and below them `llvm_scopes` and
`llvm_builder`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from xdsl.context import Context
from xdsl.dialects import func, llvm
from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    IntegerAttr,
    MemRefType,
    ModuleOp,
    StringAttr,
    i32,
    i64,
)
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import PassFailedException

from tetractys.dialects.loops import NestOp
from tetractys.passes.llvm_empty import check_empty
from tetractys.passes.llvm_frame import (
    HEADER_WORDS,
    KERNEL_TYPE,
    WORD_ERROR,
    WORD_WORKSPACE,
    ErrorSite,
    Finished,
    Frame,
    Machine,
    Tables,
    file_and_line,
)
from tetractys.passes.llvm_function import Body
from tetractys.passes.llvm_parallel import ParallelNest, is_parallel
from tetractys.passes.llvm_workspace import Workspace
from tetractys.passes.storage import LEAVE, leave_of

KERNEL, SHAPE = "tt_kernel", "tt_shape"


class FunctionLowering(Body):
    """One function of ours becoming one of level 3."""

    def __init__(
        self, source: func.FuncOp, name: str, tables: Tables, results_from: int, machine: Machine
    ) -> None:
        self.source = source
        self.block = source.body.block
        self.results_from = results_from
        frame = Frame(name, tables, machine)
        frame.leaves_early = name == SHAPE
        super().__init__(frame, Workspace(frame, is_checked=name == SHAPE))
        self.parts: list[llvm.FuncOp] = []
        """The functions of the chunks of nests that may run on several threads."""

    def run(self) -> llvm.FuncOp:
        """Builds the function."""
        frame, builder = self.frame, self.builder
        leave = leave_of(self.source)
        frame.bind_arguments(self.block.args, results_from=self.results_from,
                             overwritten=[argument for _, argument in leave])
        frame.store_word(builder.index(0), WORD_ERROR)
        arguments = self.block.args
        if frame.name == KERNEL:
            frame.tables.streams = {
                argument: number for number, argument in enumerate(arguments[self.results_from :])
            }
        shared = {arguments[self.results_from + result] for result, _ in leave}
        for op in self.block.ops:
            if shared and not shared.isdisjoint(op.operands):
                self._begin_writing()
                shared = set()
            if isinstance(op, func.ReturnOp):
                self._return(op)
            else:
                frame.lower(op)
        frame.tables.is_writing = False
        return frame.function(KERNEL_TYPE)

    def _begin_writing(self) -> None:
        """In front of the first nest that may write into an argument: an error ends the kernel."""
        self.frame.leave_if_failed()
        self.frame.tables.is_writing = True

    def _nest(self, frame: Frame, op: Operation) -> None:
        nest = cast(NestOp, op)
        if self.nests or frame.leaves_early or not is_parallel(nest):
            super()._nest(frame, op)
            return
        check_empty(frame, nest)
        self.parts.append(ParallelNest(self, nest, f"tt_part{len(self.parts)}").emit())

    def _return(self, op: func.ReturnOp) -> None:
        builder = self.builder
        if self.frame.name == SHAPE:
            self._store_sizes([self.frame.scalar(value) for value in op.operands])
        code = builder.load(builder.offset(self.frame.flat, 8 * WORD_ERROR), i64)
        failed = builder.icmp("ne", code, builder.index(0))
        status = builder.emit(llvm.ZExtOp, (failed,), i32)
        builder.block.add_op(llvm.ReturnOp.create(operands=[status]))

    def _store_sizes(self, sizes: list[SSAValue]) -> None:
        """The sizes of the results and of the workspace into the flat block."""
        remaining = iter(sizes)
        word = HEADER_WORDS
        for number, argument in enumerate(self.block.args):
            rank = _rank(argument.type)
            if number >= self.results_from:
                for dimension in range(rank):
                    self.frame.store_word(next(remaining), word + 1 + dimension)
            word += 1 + 2 * rank
        self.frame.store_word(self.workspace.end, WORD_WORKSPACE)


def _rank(type_: Attribute) -> int:
    return len(type_.get_shape()) if isinstance(type_, MemRefType) else 0


def _error_attribute(site: ErrorSite) -> DictionaryAttr:
    file, line = file_and_line(site.location)
    return DictionaryAttr({
        "kind": StringAttr(site.kind),
        "message": StringAttr(site.message),
        "file": StringAttr(file),
        "line": IntegerAttr(line, i64),
        "operation": StringAttr(site.operation),
        **({"apply": site.apply} if site.apply is not None else {}),
    })


def lower_functions(
    main: func.FuncOp, shape: func.FuncOp | None, machine: Machine, finished: Finished
) -> tuple[list[Operation], Tables]:
    """The functions of level 3 for a kernel and its shape function, and their tables."""
    tables = Tables(finished)
    arguments = main.body.block.args
    results = _results_from(main, len(arguments))
    kernel = FunctionLowering(main, KERNEL, tables, results, machine)
    lowered: list[Operation] = [kernel.run(), *kernel.parts]
    lowered += tables.functions.values()
    if shape is not None:
        lowered.append(FunctionLowering(shape, SHAPE, tables, results, machine).run())
    return lowered, tables


def _results_from(main: func.FuncOp, count: int) -> int:
    """The number of the first result among the arguments."""
    found = main.attributes.get("tt.results")
    return count - cast("IntegerAttr", found).value.data if found is not None else count


@dataclass(frozen=True)
class LowerLoopsToLlvmPass(ModulePass):
    """See the module.

    masks: whether masked loads and stores are cheap (AVX-512): heavy bodies are then built once.
    fused: whether the machine multiplies and adds in one instruction. streams: whether large
    results may go past the caches (`llvm_streams`). scales: whether the machine takes numbers apart
    and scales them in one instruction (AVX-512).
    """

    name = "lower-loops-to-llvm"
    masks: bool = True
    fused: bool = True
    streams: bool = False
    scales: bool = False

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Replaces `@main` and `@main_shape`, or each function of a file of tests."""
        self.lower(op, lambda function: None)

    def lower(self, op: ModuleOp, finished: Finished) -> None:
        """The pass, for a caller that is glad of each function as soon as it is built."""
        functions = [f for f in op.body.block.ops if isinstance(f, func.FuncOp)]
        by_name = {f.sym_name.data: f for f in functions}
        kernels = [f for f in functions if not f.sym_name.data.endswith("_shape")]
        if len(kernels) > 1:
            kernels[1].emit_error(f"lower-loops-to-llvm: found {len(kernels)} functions; "
                                  "expected one kernel a module", PassFailedException())
        for function in functions:
            name = function.sym_name.data
            if name.endswith("_shape") and name.removesuffix("_shape") in by_name:
                continue
            machine = Machine(self.masks, self.fused, self.streams, self.scales)
            lowered, tables = lower_functions(function, by_name.get(f"{name}_shape"), machine,
                                              finished)
            for new in lowered:
                op.body.block.insert_op_before(new, function)
            op.attributes["tt.errors"] = ArrayAttr([_error_attribute(e) for e in tables.errors])
            if LEAVE in function.attributes:
                op.attributes[LEAVE] = function.attributes[LEAVE]
            op.attributes["tt.externs"] = ArrayAttr([StringAttr(name) for name in tables.externs])
        for function in functions:
            function.detach()  # erasing, too, would walk through all of it
