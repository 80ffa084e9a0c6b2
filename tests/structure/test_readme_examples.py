"""Every IR that a README shows is what `tt-opt` prints; `pytest --update-golden` rewrites it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tetractys.tools import readme

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("compiler", "dialects", "passes", "runtime", "tests", "tools")
READMES = [ROOT / "README.md", *sorted(p for f in FOLDERS for p in (ROOT / f).rglob("README.md"))]


@pytest.mark.parametrize("path", READMES, ids=lambda path: str(path.relative_to(ROOT)))
def test_examples_are_true(path: Path, update_golden: bool) -> None:
    if update_golden:
        readme.update(path, ROOT)
    for example in readme.read_examples(path):
        assert example.shown == example.run(ROOT), "pytest --update-golden rewrites the README"


@pytest.mark.parametrize("folder", FOLDERS)
def test_levels_show_their_ir(folder: str) -> None:
    assert readme.read_examples(ROOT / folder / "README.md"), f"{folder}/README.md shows no IR"
