"""The wheel holds every module of the tree: one left out works in an editable install and is
missing for users.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {
    "compiler": "tetractys",
    "dialects": "tetractys/dialects",
    "passes": "tetractys/passes",
    "runtime": "tetractys/runtime",
    "tools": "tetractys/tools",
}
DATA = {".py", ".json", ".typed"}


def test_the_wheel_is_complete(tmp_path: Path) -> None:
    source = tmp_path / "source"
    ignore = shutil.ignore_patterns("__pycache__")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, source / folder, ignore=ignore)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation"]
    done = subprocess.run(
        [*command, "--quiet", "--wheel-dir", str(tmp_path), str(source)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("tetractys-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if not name.split("/")[0].endswith("-info")}
    assert held == expected()


def expected() -> set[str]:
    """The modules and data files of the tree, under the names that they are installed by."""
    names: set[str] = set()
    for folder, package in FOLDERS.items():
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in DATA and "__pycache__" not in path.parts:
                names.add(f"{package}/{path.relative_to(ROOT / folder).as_posix()}")
    return names
