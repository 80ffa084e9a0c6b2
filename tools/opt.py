"""`tt-opt`: runs any of our passes on textual IR, as `mlir-opt` does.

    tt-opt input.mlir -p "explicit-casts,cse,fuse-elemwise"
    tt-opt input.mlir -p lower-to-loops --print-ir-after-all
    tt-opt input.mlir -p FAST_RUN -t asm --machine avx2

It is xDSL's driver with our dialects and passes in place of xDSL's, with MLIR's dumps between
passes, MLIR's `--verify-diagnostics`, and errors of one message with its line and column instead of
a traceback.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from functools import partial

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute
from xdsl.passes import ModulePass, PassPipeline
from xdsl.printer import Printer
from xdsl.targets.mlir import MLIRTarget
from xdsl.utils.arg_spec import ArgSpec, parse_pipeline
from xdsl.utils.exceptions import ArgSpecParseError
from xdsl.xdsl_opt_main import xDSLOptMain

from tetractys.dialects import registry as dialects
from tetractys.passes import registry as passes
from tetractys.runtime.machines import MACHINES
from tetractys.tools.diagnostics import Diagnostic, Expectations, from_exception
from tetractys.tools.ir_parser import LocatingParser
from tetractys.tools.targets import AsmTarget, LLVMTarget

_SEPARATOR = re.compile(r"^[ \t]*// -----[ \t]*$", re.MULTILINE)


class UsageError(Exception):
    """The command line asks for something that does not exist; the message says what does."""


class OptMain(xDSLOptMain):
    """The driver: one object a command line."""

    version_format = "tt-opt, with xdsl {xdsl_version}"

    def __init__(self, args: Sequence[str] | None = None, stdin: str | None = None) -> None:
        self.stdin = stdin
        self.stage = "parsing"
        """What is being done now, for messages."""
        self._start = 0.0
        self._running: ModulePass | None = None
        super().__init__(description="Tetractys' optimizer driver: passes on textual IR", args=args)

    # ---- tables

    def register_all_dialects(self) -> None:
        """Our dialects and the few of xDSL's that we use."""
        for name in dialects.DIALECTS:
            self.ctx.register_dialect(name, partial(dialects.load_dialect, name))

    def register_all_passes(self) -> None:
        """Our passes; none of xDSL's."""
        for name in passes.PASSES:
            self.register_pass(name, partial(passes.load_pass, name))

    def register_all_targets(self) -> None:
        """Textual IR, LLVM IR and assembly."""
        self.available_targets = {
            "mlir": lambda: MLIRTarget,
            "llvm": lambda: LLVMTarget,
            "asm": lambda: AsmTarget,
        }

    def register_all_arguments(self, arg_parser: argparse.ArgumentParser) -> None:
        """xDSL's options, and MLIR's for dumps."""
        arg_parser.prog = "tt-opt"
        super().register_all_arguments(arg_parser)
        for when in ("before", "after"):
            for prefix in ("print-ir", "mlir-print-ir"):
                dest = f"print_ir_{when}"
                arg_parser.add_argument(
                    f"--{prefix}-{when}-all",
                    dest=f"{dest}_all",
                    action="store_true",
                    help=f"Print the IR {when} each pass, to stderr",
                )
                arg_parser.add_argument(
                    f"--{prefix}-{when}",
                    dest=dest,
                    metavar="PASSES",
                    default=None,
                    help=f"Print the IR {when} these passes (a list with commas), to stderr",
                )
        arg_parser.add_argument(
            "--machine",
            choices=MACHINES,
            help="The machine that passes schedule for and -t asm generates code for; without it "
            "passes have their own defaults and -t asm means this machine",
        )
        arg_parser.add_argument(
            "--debug", action="store_true", help="Show the Python traceback of every error"
        )

    # ---- passes

    def setup_pipeline(self) -> None:
        """Build the pipeline that `-p` spells; the passes named are imported here, no others."""
        try:
            specs = [told for spec in parse_pipeline(self.args.passes) for told in self._told(spec)]
            named = [spec.name for spec in specs]
            for option in (self.args.print_ir_before, self.args.print_ir_after):
                named += option.split(",") if option else []
            for name in named:
                if name not in self.available_passes:
                    known = ", ".join(self.available_passes)
                    raise UsageError(f"pass '{name}': unknown name; expected one of {known}")
            chosen = [self.available_passes[spec.name]().from_pass_spec(spec) for spec in specs]
            self.pipeline = PassPipeline(tuple(chosen), self._between_passes)
        except ArgSpecParseError as error:  # a BaseException
            raise UsageError(str(error)) from error
        except UsageError:
            raise
        except Exception as error:
            raise UsageError(f"-p '{self.args.passes}': {type(error).__name__}: {error}") from error

    def _told(self, spec: ArgSpec) -> list[ArgSpec]:
        """The passes that a name means, a mode all of its own, told about the machine where the
        command line does not.
        """
        from tetractys.pipeline import PIPELINES, pass_options

        machine = MACHINES.get(self.args.machine)
        given = spec.normalize_parameter_names().parameters
        told: list[ArgSpec] = []
        for name in [step.name for step in PIPELINES.get(spec.name, ())] or [spec.name]:
            options = {} if machine is None else pass_options(name, machine)
            told.append(ArgSpec(name, {key: (options[key],) for key in options} | given))
        return told

    def _between_passes(
        self, previous: ModulePass | None, module: ModuleOp, following: ModulePass | None
    ) -> None:
        if previous is not None:
            self._end_pass(previous, module, last=following is None)
        elif not self.args.disable_verify:
            self._verify(module, "verifying the input")
        self._module = module
        if following is not None:
            self.stage, self._running = f"pass '{following.name}'", following
            self._expect(following, module)
            if self._wants_dump("before", following):
                self._dump(f"Before {_title(following)}", module)
        self._start = time.perf_counter()

    def _end_pass(self, done: ModulePass, module: ModuleOp, *, last: bool) -> None:
        self._running = None
        if self.args.time_passes:
            seconds = time.perf_counter() - self._start
            print(f"Pass {done.name} took {seconds} seconds", file=sys.stderr)
        if self._wants_dump("after", done):
            self._dump(f"After {_title(done)}", module)
        elif self.args.print_between_passes and not last:
            self._dump(f"After {_title(done)}", module)
        if not self.args.disable_verify:
            self._verify(module, f"verifying after pass '{done.name}'")

    def _verify(self, module: ModuleOp, stage: str) -> None:
        from tetractys.dialects.verify import verify_module  # imports dialects

        self.stage = stage
        verify_module(module)

    def _expect(self, following: ModulePass, module: ModuleOp) -> None:
        """Refuse IR of another level than the pass is for; `--disable-verify` lets it run."""
        if not self.args.disable_verify:
            from tetractys.passes import preconditions

            preconditions.check(following.name, module)

    def _wants_dump(self, when: str, of: ModulePass) -> bool:
        names: str | None = getattr(self.args, f"print_ir_{when}")
        if getattr(self.args, f"print_ir_{when}_all"):
            return True
        return names is not None and of.name in names.split(",")

    def _dump(self, title: str, module: ModuleOp) -> None:
        print(f"// -----// IR Dump {title} //----- //", file=sys.stderr)
        printer = Printer(
            stream=sys.stderr,
            print_generic_format=self.args.print_op_generic,
            print_debuginfo=self.args.print_debuginfo,
        )
        printer.print_op(module)
        print("\n", file=sys.stderr)

    def _dump_failed(self, module: ModuleOp) -> None:
        """MLIR's dump of what a failing pass left behind, where dumps after it were asked for."""
        running = self._running
        if running is None or not self._wants_dump("after", running):
            return
        title = f"After {type(running).__name__} Failed ({running.name})"
        with suppress(Exception):  # broken IR may not print
            self._dump(title, module)

    # ---- running

    def execute(self) -> int:
        """Process the input and return the exit code."""
        name = self.args.input_file or "<stdin>"
        source = self._read(name)
        strict = self.args.verify_diagnostics and bool(Expectations.parse(name, source).items)
        outputs: list[str] = []
        code = 0
        for chunk in self._chunks(source):
            text, error = self._process(chunk, name)
            reported = [error] if error is not None else []
            if strict:
                reported = list(Expectations.parse(name, chunk).mismatches(reported))
            elif error is not None and self._is_tolerated(error):
                text, reported = error.render(source) + "\n", []
            for diagnostic in reported:
                print(diagnostic.render(source), file=sys.stderr)
                code = 1
            if text is not None:
                outputs.append(text)
        if code == 0 or self.args.output_file in (None, "-"):
            self._write("// -----\n".join(outputs))
        return code

    def _process(self, chunk: str, name: str) -> tuple[str | None, Diagnostic | None]:
        """Parse, transform and print one chunk: its text, or what went wrong."""
        module: ModuleOp | None = None
        try:
            self.stage = "parsing"
            parser = LocatingParser(self.ctx, chunk, name)
            module = parser.parse_module(not self.args.no_implicit_module)
            self._running = None
            try:
                self.apply_passes(module)
            except Exception:
                self._dump_failed(module)
                raise
            self.stage = f"target '{self.args.target}'"
            return self._output(module), None
        except Exception as error:
            if self.args.debug:
                traceback.print_exc()
            return None, from_exception(error, name, self.stage, module)

    def _output(self, module: ModuleOp) -> str:
        if self.args.target == AsmTarget.name and self.args.machine is not None:
            self.args.target = f'{AsmTarget.name}{{machine="{self.args.machine}"}}'
        return self.output_resulting_program(module)

    def _is_tolerated(self, error: Diagnostic) -> bool:
        """xDSL's behaviour for files without annotations: the error is the output, and the exit
        code 0.
        """
        args = self.args
        return args.parsing_diagnostics if error.is_syntax else args.verify_diagnostics

    def _read(self, name: str) -> str:
        try:
            if self.args.input_file not in (None, "-"):
                with open(name, "rb") as file:
                    data = file.read()
            elif self.stdin is not None:
                return self.stdin
            else:
                data = sys.stdin.buffer.read()
        except OSError as error:
            raise UsageError(f"cannot read '{name}': {error.strerror}") from error
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            before = data[: error.start]
            line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
            message = f"byte 0x{data[error.start]:02x} is not UTF-8 text"
            raise UsageError(Diagnostic(name, line, column, message).render()) from error

    def _chunks(self, source: str) -> list[str]:
        """The parts between `// -----` lines, each behind so many empty lines that its places are
        the file's.
        """
        if not self.args.split_input_file:
            return [source]
        chunks: list[str] = []
        line = start = 0
        for separator in _SEPARATOR.finditer(source):
            chunks.append("\n" * line + source[start : separator.start()])
            start = separator.end()
            line = source.count("\n", 0, start)
        return [*chunks, "\n" * line + source[start:]]

    def _write(self, text: str) -> None:
        """Write the output only now, when all of it exists: an input file may be its own output."""
        if self.args.output_file in (None, "-"):
            sys.stdout.write(text)
            sys.stdout.flush()
            return
        try:
            with open(self.args.output_file, "w", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            message = f"cannot write '{self.args.output_file}': {error.strerror}"
            raise UsageError(message) from error


def _title(of: ModulePass) -> str:
    return f"{type(of).__name__} ({of.name})"


@dataclass(frozen=True)
class Result:
    """What a run of `tt-opt` left behind."""

    code: int
    stdout: str
    stderr: str


def run(args: Sequence[str], stdin: str | None = None) -> Result:
    """Run `tt-opt` in this process, as tests and documentation do: some 100 times faster than a new
    one.
    """
    stdout, stderr = io.StringIO(), io.StringIO()
    verify_attributes = Attribute.__post_init__
    with redirect_stdout(stdout), redirect_stderr(stderr):
        try:
            code = main(args, stdin)
        except SystemExit as stop:  # argparse: `--help`, a wrong option
            code = stop.code if isinstance(stop.code, int) else 1
        finally:
            Attribute.__post_init__ = verify_attributes  # `--disable-verify` replaces it for good
    return Result(code, stdout.getvalue(), stderr.getvalue())


def main(args: Sequence[str] | None = None, stdin: str | None = None) -> int:
    """The command; returns the exit code: 0, 1 after an error in the input, 2 for a wrong
    option.
    """
    try:
        return OptMain(args, stdin).execute()
    except UsageError as error:
        print(f"tt-opt: error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # `tt-opt ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


if __name__ == "__main__":
    sys.exit(main())
