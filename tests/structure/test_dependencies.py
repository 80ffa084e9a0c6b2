"""Who may import whom (DESIGN: folders), what a start may cost, and which imports would load a
class twice.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

FOLDERS = ("dialects", "passes", "runtime", "tools")
"""The folders under their own names; everything else in `tetractys` is `compiler`."""

MAY_IMPORT = {
    "dialects": {"dialects", "xdsl", "numpy"},
    "passes": {"passes", "dialects", "xdsl", "numpy"},
    "runtime": {"runtime", "numpy", "llvmlite", "scipy"},
    "compiler": {"compiler", "dialects", "passes", "runtime", "xdsl", "numpy", "llvmlite", "scipy"},
}
"""Folder -> our folders and the distributions of others that it may import; the standard library is
free.
"""

LIGHT = (
    "dialects/registry.py",
    "dialects/scalar_table*.py",
    "dialects/signature.py",
    "dialects/*_signatures.py",
    "passes/registry.py",
    "passes/vjp*.py",
    "runtime/**/*.py",
    "*/__init__.py",
)
"""Modules that a warm start loads: they import no xDSL when they are loaded (200 ms)."""

WALKERS = {"PatternRewriteWalker", "PatternRewriter", "GreedyRewritePatternApplier"}


@dataclass(frozen=True)
class Import:
    """One imported name: `module` is dotted, `at_load` whether loading the importing module loads
    it; `level`: the dots of a relative one.
    """

    path: Path
    line: int
    module: str
    at_load: bool
    level: int

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: imports {self.module}"

    @property
    def target(self) -> str:
        """The folder of ours, or the distribution of others, that it comes from."""
        top, _, rest = self.module.partition(".")
        if top != "tetractys":
            return top
        first = rest.partition(".")[0]
        return first if first in FOLDERS else "compiler"


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@cache
def imports(path: Path) -> tuple[Import, ...]:
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[Import]:
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    lazy = {id(inner) for node in ast.walk(tree) if is_lazy(node) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        at_load = id(node) not in lazy
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(path, node.lineno, alias.name, at_load, 0)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                module = f"{base_of(path, node)}.{alias.name}"
                yield Import(path, node.lineno, module, at_load, node.level)


def is_lazy(node: ast.AST) -> bool:
    """Whether the code in `node` does not run when its module is loaded."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        return True
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def base_of(path: Path, node: ast.ImportFrom) -> str:
    """The dotted module that `from ... import` names; relative ones resolved in the tree."""
    if not node.level:
        return node.module or ""
    folder, *inner = path.relative_to(ROOT).parts[:-1]
    package = ["tetractys"] if folder == "compiler" else ["tetractys", folder]
    parts = [*package, *inner]
    parts = parts[: len(parts) - node.level + 1]
    return ".".join([*parts, node.module] if node.module else parts)


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_dependency_rule(folder: str) -> None:
    allowed = MAY_IMPORT[folder] | set(sys.stdlib_module_names)
    wrong = [i for path in sources(folder) for i in imports(path) if i.target not in allowed]
    assert not wrong, "\n".join(map(str, wrong))


def test_nothing_imports_tools() -> None:
    folders = MAY_IMPORT
    wrong = [
        i for f in folders for path in sources(f) for i in imports(path) if i.target == "tools"
    ]
    assert not wrong, "\n".join(map(str, wrong))


def test_no_bare_folder_names() -> None:
    """`import compiler` from the root of the repository would load every class a second time."""
    bare = {"compiler", *FOLDERS}
    wrong: list[Import] = []
    for folder in (*bare, "tests"):
        for path in sources(folder):
            wrong += [i for i in imports(path) if i.module.partition(".")[0] in bare]
    assert not wrong, "\n".join(map(str, wrong))


def test_imports_across_folders_are_absolute() -> None:
    wrong: list[Import] = []
    for folder in ("compiler", *FOLDERS):
        for path in sources(folder):
            depth = len(path.relative_to(ROOT).parts) - 1
            wrong += [i for i in imports(path) if i.level > depth]
    assert not wrong, "\n".join(map(str, wrong))


def test_rewriting_goes_through_our_walker() -> None:
    """xDSL's walker drops locations and has no iteration cap."""
    wrong: list[Import] = []
    for folder in ("compiler", *FOLDERS):
        for path in sources(folder):
            if path == ROOT / "passes" / "rewriting.py":
                continue
            found = [i for i in imports(path) if i.module.startswith("xdsl.")]
            wrong += [i for i in found if i.module.rpartition(".")[2] in WALKERS]
            wrong += [i for i in found if i.module == "xdsl.pattern_rewriter"]
    assert not wrong, "\n".join(map(str, wrong))


def test_light_modules_load_no_xdsl() -> None:
    paths = {path for pattern in LIGHT for path in ROOT.glob(pattern)}
    paths -= set(sources("tests")) | set(sources("tools"))
    heavy = {"xdsl", "llvmlite", "scipy"}
    wrong = [i for path in sorted(paths) for i in imports(path) if i.at_load and i.target in heavy]
    assert not wrong, "\n".join(map(str, wrong))


def test_importing_the_front_end_loads_no_compiler() -> None:
    """A start with a warm cache pays for neither xDSL, llvmlite nor SciPy."""
    code = (
        "import sys, tetractys, tetractys.tensor\n"
        "print([m for m in ('xdsl', 'llvmlite', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT.parent
    )
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


@pytest.mark.parametrize("folder", ["compiler"])
def test_the_root_refuses_other_names(folder: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import {folder}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 1
    assert "import tetractys" in done.stderr.splitlines()[-1]
