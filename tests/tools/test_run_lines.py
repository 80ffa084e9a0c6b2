"""The FileCheck collector: what a RUN line means, and that a check which proves nothing is
caught.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass

from tetractys.passes import registry
from tetractys.tools import golden, readme, run_lines

IDENTITY = (
    "func.func @main(%x: tensor<?xf64>) -> tensor<?xf64> {\n  func.return %x : tensor<?xf64>\n}\n"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "test.mlir"


def run(file: Path, text: str) -> str:
    """The first failure of the RUN lines of `text`, or nothing."""
    file.write_text(text)
    outcomes = [
        run_lines.execute(run_lines.parse_pipeline(line, file))
        for line in run_lines.read_run_lines(text)
    ]
    assert outcomes
    return "".join(outcome.failure for outcome in outcomes)


def test_read_run_lines() -> None:
    text = "// RUN: tt-opt %s \\\n// RUN:   -p cse | filecheck %s\n// text\n// RUN: tt-opt %s\n"
    assert run_lines.read_run_lines(text) == ["tt-opt %s -p cse | filecheck %s", "tt-opt %s"]


@pytest.mark.parametrize(
    "line",
    [
        "tt-opt %s | filecheck %s",
        "tt-opt %s | tt-opt | FileCheck %s",
        "tt-opt %s | filecheck %s --check-prefix=OTHER",
        "tt-opt %s | filecheck %s --check-prefixes=OTHER,NONE",
        "not tt-opt %s -p nonsense 2>&1 | filecheck %s --check-prefix BAD",
        "tt-opt %s | not filecheck %s --check-prefix ABSENT",
    ],
)
def test_lines_that_hold(file: Path, line: str) -> None:
    checks = (
        "// CHECK: func.return %[[X:.+]] :\n// OTHER: func.return\n"
        "// BAD: unknown name\n// ABSENT: elemwise\n"
    )
    assert run(file, f"// RUN: {line}\n{IDENTITY}{checks}") == ""


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("tt-opt %s | filecheck %s", 'Couldn\'t match "elemwise.exp"'),
        ("not tt-opt %s", "succeeded; expected it to fail"),
        ("tt-opt %s -p nonsense | filecheck %s", "pass 'nonsense': unknown name"),
        ("tt-opt %s | filecheck %s --check-prefix=NONE", "No check strings found"),
    ],
)
def test_lines_that_fail(file: Path, line: str, complaint: str) -> None:
    failure = run(file, f"// RUN: {line}\n{IDENTITY}// CHECK: elemwise.exp\n")
    assert complaint in failure
    assert failure.startswith(("$ tt-opt", "$ not tt-opt", "$ filecheck"))


def test_a_failed_check_shows_what_it_checked(file: Path) -> None:
    failure = run(file, f"// RUN: tt-opt %s | filecheck %s\n{IDENTITY}// CHECK: elemwise.exp\n")
    assert "--- what it checked:\nbuiltin.module {" in failure


def test_unknown_programs_are_refused(file: Path) -> None:
    with pytest.raises(ValueError, match=r"found 'rm'; expected tt-opt, filecheck or not"):
        run(file, "// RUN: rm -r %s")


def test_without_pass(file: Path) -> None:
    (command,) = run_lines.parse_pipeline('tt-opt %s -p "cse,fuse-nests{limit=3},cse"', file)
    without = run_lines.without_pass(command, "cse")
    assert without is not None
    assert without.words[-1] == "fuse-nests{limit=3}"
    assert run_lines.without_pass(command, "bufferize") is None


@pytest.fixture
def toy_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """`rename`, the only pass of the table."""

    @dataclass(frozen=True)
    class RenamePass(ModulePass):
        name = "rename"

        def apply(self, ctx: Context, op: ModuleOp) -> None:
            for inner in op.walk():
                if isinstance(inner, FuncOp):
                    inner.properties["sym_name"] = StringAttr("renamed")

    monkeypatch.setattr(registry, "PASSES", ("rename",))
    monkeypatch.setattr(registry, "load_pass", {"rename": RenamePass}.__getitem__)


RUN = "// RUN: tt-opt %s -p rename | filecheck %s\n"


@pytest.mark.usefixtures("toy_pass")
@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (f"{RUN}{IDENTITY}// CHECK: @renamed\n", ""),
        (f"{RUN}{IDENTITY}// CHECK: func.func\n", "succeeds although 'rename' is left out"),
        (
            f"// RUN: tt-opt %s | filecheck %s\n{IDENTITY}// CHECK: @main",
            "no RUN line has 'rename'",
        ),
        (IDENTITY, "no RUN line; expected"),
        ("// RUN: rm %s", "found 'rm'"),
    ],
)
def test_a_file_without_its_pass(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "rename-topic.mlir"
    path.write_text(text)
    if not complaint:
        run_lines.check_file(path)
        run_lines.check_file_without_pass(path)
        return
    with pytest.raises(run_lines.CheckFailure, match=complaint):
        run_lines.check_file_without_pass(path)


def test_the_pass_of_a_file() -> None:
    assert run_lines.pass_of_file(Path("fuse_elemwise.mlir")) == "fuse-elemwise"
    assert run_lines.pass_of_file(Path("fuse_nests-near_misses.mlir")) == "fuse-nests"
    with pytest.raises(run_lines.CheckFailure, match="no pass of this name"):
        run_lines.pass_of_file(Path("fuse_everything.mlir"))


def test_golden_lines(file: Path) -> None:
    head = f"// RUN: tt-opt %s --split-input-file | filecheck %s\n{IDENTITY}"
    text = f"{head}{golden.MARKER}\nwrong\n// -----\n{IDENTITY}// CHECK-LABEL: @main\n"
    file.write_text(text)
    assert golden.update_file(file)
    new = file.read_text()
    assert "// CHECK-LABEL: func.func @main(\n// CHECK-SAME: %[[X:" in new
    assert "// CHECK-NEXT: func.return %[[X]] : tensor<?xf64>\n" in new
    assert "wrong" not in new
    assert run(file, new) == ""
    assert not golden.update_file(file), "a second time changes nothing"


def test_readme_examples(tmp_path: Path) -> None:
    (tmp_path / "a.mlir").write_text(IDENTITY)
    page = tmp_path / "README.md"
    page.write_text("# Page\n\n```sh\n$ tt-opt a.mlir\n```\n\ngives\n\n```mlir\nold\n```\n\nEnd\n")
    (example,) = readme.read_examples(page)
    assert (example.commands, example.shown) == (("tt-opt a.mlir",), "old")
    readme.update(page, tmp_path)
    (example,) = readme.read_examples(page)
    assert example.shown == example.run(tmp_path)
    assert example.shown.startswith("builtin.module {")
    assert page.read_text().endswith("```\n\nEnd\n")
