"""Where each library lives: the interpreters of the columns, and what is installed in them."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from .columns import OURS, Column

VARIABLE = "TETRACTYS_BENCH_PYTHON"
"""Environment variable with what `--python` takes, separated by commas."""


class Interpreters:
    """Where each library lives: an interpreter's path by module name.

    given: `PEER=path` for one library, or a path with `{peer}` in it for all of them. A library
    that nothing is said of is looked for in this interpreter.
    """

    def __init__(self, given: Iterable[str] = ()) -> None:
        self._paths: dict[str, str] = {}
        self._template = ""
        self._versions: dict[str, str] = {}
        for text in (*filter(None, os.environ.get(VARIABLE, "").split(",")), *given):
            name, equals, path = text.partition("=")
            if equals:
                self._paths[name] = path
            elif "{peer}" in text:
                self._template = text
            else:
                raise ValueError(f"--python: found {text!r}; expected PEER=path or a path with "
                                 "{peer} in it")  # fmt: skip

    def path(self, module: str) -> str:
        """The interpreter for a library."""
        if module in self._paths:
            return self._paths[module]
        there = self._template.replace("{peer}", module)
        return there if module != OURS and there and Path(there).exists() else sys.executable

    def version(self, module: str) -> str:
        """The library's version in its interpreter, or the empty string: not installed."""
        if module not in self._versions:
            self._versions[module] = _version(module, self.path(module))
        return self._versions[module]

    def installed(self, column: Column) -> bool:
        """Whether the column can run here."""
        has_compiler = shutil.which("g++") is not None
        needs_compiler = column.compiled or column.c_linker
        return bool(self.version(column.module)) and (has_compiler or not needs_compiler)


def _version(module: str, python: str) -> str:
    if python == sys.executable:
        try:
            return importlib.metadata.version(module)
        except importlib.metadata.PackageNotFoundError:
            return ""
    code = f"import importlib.metadata as m; print(m.version({module!r}))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip()
