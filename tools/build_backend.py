"""The build backend: setuptools, with the package list read from the tree.

The folders at the top of the repository are not called what they are imported as (`compiler/` is
`tetractys`, `dialects/` is `tetractys.dialects`), so setuptools' own discovery cannot find them,
and a list written by hand forgets a new sub-package: it then works in an editable install and is
silently missing from the wheel. Here every folder that holds an `__init__.py` is a package;
`tests/structure` compares the wheel with the tree.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import setuptools
from setuptools import build_meta

ROOT = Path(__file__).resolve().parent.parent

FOLDERS = {
    "tetractys": "compiler",
    "tetractys.dialects": "dialects",
    "tetractys.passes": "passes",
    "tetractys.runtime": "runtime",
    "tetractys.tools": "tools",
}
"""Import name -> folder; the same mapping as DESIGN's and as the type checker's view."""


def find_packages(root: Path = ROOT) -> list[str]:
    """The import names of all packages in the tree, parents before children."""
    packages: list[str] = []
    for name, folder in FOLDERS.items():
        for init in sorted((root / folder).rglob("__init__.py")):
            parts = init.parent.relative_to(root / folder).parts
            packages.append(".".join((name, *parts)))
    return packages


class _Backend(build_meta._BuildMetaBackend):  # the extension point that setuptools documents
    """setuptools' backend with `packages` and `package_dir` filled in."""

    def run_setup(self, setup_script: str = "setup.py") -> None:
        """Run `setup()` in this process; there is no `setup.py`.

        The build folder is a temporary one: setuptools puts whatever a `build/` of an earlier build
        still holds into the wheel, deleted modules included.
        """
        with tempfile.TemporaryDirectory() as build_base:
            setuptools.setup(
                packages=find_packages(),
                package_dir=dict(FOLDERS),
                options={"build": {"build_base": build_base}},
            )


_backend = _Backend()
get_requires_for_build_wheel = _backend.get_requires_for_build_wheel
get_requires_for_build_sdist = _backend.get_requires_for_build_sdist
get_requires_for_build_editable = _backend.get_requires_for_build_editable
prepare_metadata_for_build_wheel = _backend.prepare_metadata_for_build_wheel
prepare_metadata_for_build_editable = _backend.prepare_metadata_for_build_editable
build_wheel = _backend.build_wheel
build_sdist = _backend.build_sdist
build_editable = _backend.build_editable
