"""What a newcomer finds: a README in each folder, a docstring in each module, files that can be
read in one sitting.
"""

from __future__ import annotations

import ast
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("compiler", "dialects", "passes", "runtime", "tests", "tools")
TOP_LEVEL = {*FOLDERS, "README.md", "pyproject.toml", "LICENSE"}

LONG_FILE, LONG_DIALECT, LONG_FUNCTION = 400, 700, 40


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_folder_has_a_readme(folder: str) -> None:
    assert (ROOT / folder / "README.md").is_file()


def test_the_top_level_is_small() -> None:
    """Nothing beside the folders and files that the README explains; what git ignores does not
    count.
    """
    ignored = {line.strip("/\n") for line in (ROOT / ".gitignore").read_text().splitlines()}
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert {name for name in found - TOP_LEVEL - ignored if not name.endswith(".egg-info")} == set()


def test_every_module_has_a_docstring() -> None:
    missing = [
        str(path.relative_to(ROOT))
        for path in sources(*FOLDERS)
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not missing


def test_every_folder_with_modules_is_a_package() -> None:
    """A folder without `__init__.py` works in an editable install and is missing from the wheel."""
    folders = {path.parent for path in sources(*FOLDERS) if ROOT / "tests" not in path.parents}
    assert not [str(f.relative_to(ROOT)) for f in folders if not (f / "__init__.py").is_file()]


def test_tests_are_no_package() -> None:
    """xDSL's wheel installs a top-level package `tests`; ours must not be one (import-mode
    importlib).
    """
    assert not list((ROOT / "tests").rglob("__init__.py"))


def test_report_long_files() -> None:
    """A report, not a verdict: a good reason beats a number."""
    long: list[str] = []
    for path in sources("compiler", "dialects", "passes", "runtime", "tools"):
        text = path.read_text(encoding="utf-8")
        length, limit = text.count("\n"), LONG_DIALECT if "dialects" in path.parts else LONG_FILE
        if length > limit:
            long.append(f"{path.relative_to(ROOT)}: {length} lines (about {limit})")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and node.end_lineno is not None:
                lines = node.end_lineno - node.lineno + 1
                if lines > LONG_FUNCTION:
                    place = f"{path.relative_to(ROOT)}:{node.lineno}"
                    long.append(f"{place}: {node.name}: {lines} lines (about {LONG_FUNCTION})")
    if long:
        warnings.warn("long files and functions:\n" + "\n".join(long), stacklevel=1)
