"""`tt-opt`: what it prints, where it points, and that no input makes it show a traceback."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import PassFailedException

from tetractys.passes import registry
from tetractys.tools import opt

IDENTITY = """\
func.func @main(%x: tensor<?xf64>) -> tensor<?xf64> {
  func.return %x : tensor<?xf64>
}
"""

ILL_TYPED = """\
func.func @main(%x: tensor<?xf64>) -> tensor<?xf32> {
  func.return %x : tensor<?xf64>
}
"""


@dataclass(frozen=True)
class RenamePass(ModulePass):
    """Gives every function the name `to`."""

    name = "rename"
    to: str = "renamed"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        from xdsl.dialects.builtin import StringAttr

        for function in op.walk():
            if isinstance(function, FuncOp):
                function.properties["sym_name"] = StringAttr(self.to)


@dataclass(frozen=True)
class RefusePass(ModulePass):
    """Complains about every return."""

    name = "refuse"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for inner in op.walk():
            if isinstance(inner, ReturnOp):
                inner.emit_error("no", PassFailedException("func.return: not wanted here"))


@dataclass(frozen=True)
class CrashPass(ModulePass):
    """Has a bug."""

    name = "crash"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        raise KeyError("lost")


@dataclass(frozen=True)
class BreakPass(ModulePass):
    """Leaves ill-typed IR behind."""

    name = "break"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for inner in op.walk():
            if isinstance(inner, ReturnOp):
                inner.operands = []


@pytest.fixture(autouse=True)
def passes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The table with four passes of these tests, so that no real pass decides about the driver."""
    table = {one.name: one for one in (RenamePass, RefusePass, CrashPass, BreakPass)}
    monkeypatch.setattr(registry, "PASSES", tuple(table))
    monkeypatch.setattr(registry, "load_pass", table.__getitem__)
    yield


def test_round_trip() -> None:
    once = opt.run([], IDENTITY)
    assert (once.code, once.stderr) == (0, "")
    assert opt.run([], once.stdout).stdout == once.stdout


def test_passes_run_in_order_with_options() -> None:
    result = opt.run(["-p", 'rename{to="a"},rename{to="b"}'], IDENTITY)
    assert "func.func @b(" in result.stdout


def test_split_input_file() -> None:
    result = opt.run(["--split-input-file", "-p", "rename"], f"{IDENTITY}// -----\n{IDENTITY}")
    assert result.stdout.count("@renamed") == 2
    assert result.stdout.count("\n// -----\n") == 1


def test_dumps_are_in_mlirs_format() -> None:
    result = opt.run(["-p", "rename", "--print-ir-before-all", "--print-ir-after-all"], IDENTITY)
    headers = [line for line in result.stderr.splitlines() if line.startswith("//")]
    assert headers == [
        "// -----// IR Dump Before RenamePass (rename) //----- //",
        "// -----// IR Dump After RenamePass (rename) //----- //",
    ]
    assert "@main" in result.stderr.split(headers[1])[0]
    assert "@renamed" in result.stderr.split(headers[1])[1]
    assert "IR Dump" not in result.stdout


def test_dumps_of_one_pass() -> None:
    args = ["-p", "rename,break", "--disable-verify", "--print-ir-after=break"]
    result = opt.run(args, IDENTITY)
    assert result.stderr.count("IR Dump") == 1
    assert "// -----// IR Dump After BreakPass (break) //----- //" in result.stderr


def test_dump_of_a_failed_pass() -> None:
    result = opt.run(["-p", "refuse", "--print-ir-after-all"], IDENTITY)
    assert "// -----// IR Dump After RefusePass Failed (refuse) //----- //" in result.stderr
    assert result.code == 1


def test_debuginfo_gives_each_operation_its_place() -> None:
    result = opt.run(["--print-debuginfo"], IDENTITY)
    assert 'func.return %x : tensor<?xf64> loc("<stdin>":2:3)' in result.stdout
    assert '%x: tensor<?xf64> loc("<stdin>":1:17)' in result.stdout
    assert "loc(unknown)" not in result.stdout


def test_debuginfo_stands_once_and_is_read_again() -> None:
    """Operations with a type in parentheses too; the text goes through once more unchanged."""
    text = (
        "func.func @main(%x: tensor<?x?xf64>, %i: tensor<i64>) -> tensor<?xf64> {\n"
        '  %0 = tensor.subtensor %x, %i {slices = "@"} : (tensor<?x?xf64>, tensor<i64>)'
        " -> tensor<?xf64>\n  func.return %0 : tensor<?xf64>\n}\n"
    )
    printed = opt.run(["--print-debuginfo"], text).stdout
    assert printed.count("loc(") == 6
    assert opt.run(["--print-debuginfo"], printed).stdout == printed


def test_debuginfo_keeps_a_written_location() -> None:
    text = IDENTITY.replace("f64>\n}", 'f64> loc("user.py":7:3)\n}')
    assert 'loc("user.py":7:3)' in opt.run(["--print-debuginfo"], text).stdout


@pytest.mark.parametrize(
    ("text", "args", "message"),
    [
        ("func.func @main(", [], "<stdin>:1:17: error: "),
        ("\n  elemwise.nonsense", [], "<stdin>:2:20: error: Operation elemwise.nonsense is not "),
        (IDENTITY.replace("%x :", "%y :"), [], "error: values used but not defined: [%y]"),
        (ILL_TYPED, [], "<stdin>:2:3: error: Expected arguments to have the same types as the "),
        (
            "func.func @main(%x: f32) {\n}",
            [],
            "<stdin>:1:1: error: Operation func.func contains empty",
        ),
        (IDENTITY, ["-p", "refuse"], "<stdin>:2:3: error: func.return: not wanted here\n"),
        (IDENTITY, ["-p", "crash"], "<stdin>:1:1: error: pass 'crash' failed: found IR that it"),
        (IDENTITY, ["-p", "break"], "<stdin>:2:3: error: Expected arguments to have the same "),
        (IDENTITY, ["-p", "nonsense"], "tt-opt: error: pass 'nonsense': unknown name; expected "),
        (IDENTITY, ["-p", "rename{"], "tt-opt: error: Error parsing pass pipeline specification"),
        (IDENTITY, ["-p", "rename{n=2}"], "tt-opt: error: -p 'rename{n=2}': "),
        (IDENTITY, ["--print-ir-after=x"], "tt-opt: error: pass 'x': unknown name; expected one "),
        ("", ["no/such/file.mlir"], "tt-opt: error: cannot read 'no/such/file.mlir': No such file"),
        (
            IDENTITY,
            ["-o", "no/such/folder/out"],
            "tt-opt: error: cannot write 'no/such/folder/out': ",
        ),
        ("(" * 100_000, [], "<stdin>:1:1: error: "),
        ('"' + "a" * 200 + "\n", [], "<stdin>:1:1: error: "),  # xDSL's own lexer: 2**200 steps
        ('%0 = "a.b"() ({' * 5000, ["--allow-unregistered-dialect"], "error: "),
    ],
)
def test_bad_input_is_one_message(text: str, args: list[str], message: str) -> None:
    result = opt.run(args, text)
    assert message in result.stderr
    assert result.stderr.count("error: ") == 1
    assert "Traceback" not in result.stderr
    assert (result.code, result.stdout) == (1, "")


def test_llvm_text() -> None:
    text = """\
llvm.func @twice(%x: f64) -> f64 {
  %0 = llvm.fadd %x, %x : f64
  llvm.return %0 : f64
}
"""
    result = opt.run(["-t", "llvm"], text)
    assert result.stderr == ""
    assert "define double @twice(double %" in result.stdout
    assert "fadd double" in result.stdout


def test_llvm_text_of_another_dialect() -> None:
    result = opt.run(["-t", "llvm"], IDENTITY)
    assert result.stderr.startswith("<stdin>:1:1: error: emit-llvm: found func.func; expected ")
    assert (result.code, result.stdout) == (1, "")


def test_the_message_shows_the_line() -> None:
    _, line, caret = opt.run([], ILL_TYPED).stderr.splitlines()
    assert line == "  func.return %x : tensor<?xf64>"
    assert caret == "  ^"


def test_places_count_from_the_top_of_a_split_file() -> None:
    result = opt.run(["--split-input-file"], f"{IDENTITY}// -----\n{ILL_TYPED}")
    assert result.stderr.startswith("<stdin>:6:3: error: ")
    assert "func.return %x : tensor<?xf64>\n  ^" in result.stderr
    assert "@main" in result.stdout, "the good part is still printed"


def test_debug_shows_the_traceback() -> None:
    assert "Traceback" in opt.run(["-p", "crash", "--debug"], IDENTITY).stderr


def test_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "bad.mlir"
    path.write_bytes(b"func.func\n @\xff")
    result = opt.run([str(path)])
    assert f"{path}:2:3: error: byte 0xff is not UTF-8 text" in result.stderr
    assert result.code == 1


EXPECTED = "// expected-error @below {{Expected arguments to have the same types}}\n" + ILL_TYPED


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (ILL_TYPED.replace("tensor<?xf64>\n", "tensor<?xf64> // expected-error {{same ty}}\n"), ""),
        (ILL_TYPED.replace("\n}", "\n// expected-error @above {{same types}}\n}"), ""),
        (ILL_TYPED.replace("\n}", "\n// expected-error @-1 {{same types}}\n}"), ""),
        (ILL_TYPED.replace("\n}", "\n// expected-error-re @-1 {{[{{tensor<\\?xf32>}}]}}\n}"), ""),
        (EXPECTED, "<stdin>:3:3: error: unexpected error: Expected arguments"),
        (
            EXPECTED,
            '<stdin>:1:1: error: expected error "Expected arguments to have the same types"',
        ),
        (IDENTITY + "// expected-error {{x}}", 'error: expected error "x" was not produced'),
    ],
)
def test_verify_diagnostics(text: str, complaint: str) -> None:
    result = opt.run(["--verify-diagnostics"], text)
    assert complaint in result.stderr
    assert result.code == (1 if complaint else 0)


def test_verify_diagnostics_without_annotations_is_xdsls() -> None:
    """The message is the output, and the exit code 0."""
    result = opt.run(["--verify-diagnostics"], ILL_TYPED)
    assert (result.code, result.stderr) == (0, "")
    assert result.stdout.startswith("<stdin>:2:3: error: Expected arguments")
    assert opt.run(["--verify-diagnostics"], "func.func @").code == 1
    assert opt.run(["--parsing-diagnostics"], "func.func @").code == 0


def test_a_run_leaves_the_verifier_on() -> None:
    """`--disable-verify` switches the attributes' verifier off for the process; `run` undoes it."""
    opt.run(["--disable-verify"], IDENTITY)
    assert opt.run([], ILL_TYPED).code == 1


def test_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tetractys.tools.opt", "-"],
        input=IDENTITY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "func.func @main" in done.stdout


def test_a_closed_pipe_is_no_error() -> None:
    command = f"{sys.executable} -m tetractys.tools.opt - | true"
    text = "\n".join(IDENTITY.replace("@main", f"@f{i}") for i in range(2000))
    done = subprocess.run(
        ["bash", "-c", command], input=text, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
