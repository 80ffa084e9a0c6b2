"""Runs basedpyright on the tree: `python -m tetractys.tools.typecheck [arguments of basedpyright]`.

Type checkers cannot follow an editable install whose folders are not called what they are imported
as. So this makes a view of the tree under the import names, `.typecheck/tetractys/`, of symbolic
links, checks that, and prints the places under the names of the tree.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VIEW = ROOT / ".typecheck" / "tetractys"
FOLDERS = ("dialects", "passes", "runtime", "tools")


def make_view() -> None:
    """Make the view anew: real folders (basedpyright does not follow links to folders) of links."""
    if VIEW.exists():
        shutil.rmtree(VIEW)
    for folder in ("compiler", *FOLDERS):
        target = VIEW if folder == "compiler" else VIEW / folder
        for source in (ROOT / folder).rglob("*.py"):
            link = target / source.relative_to(ROOT / folder)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(source)


def write_settings() -> None:
    """Write pyproject's settings for the view: the same, with the folders under their import
    names.
    """
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    settings = pyproject["tool"]["basedpyright"]
    settings["include"] = ["tetractys"]
    settings["extraPaths"] = ["."]
    for environment in settings["executionEnvironments"]:
        environment["root"] = f"tetractys/{environment['root']}"
    (VIEW.parent / "pyrightconfig.json").write_text(json.dumps(settings, indent=2))


def tree_names(output: str) -> str:
    """`output` with the view's paths replaced by those of the tree."""
    folders = "|".join(FOLDERS)
    output = re.sub(rf"{VIEW}/({folders})/", r"\1/", output)
    return output.replace(f"{VIEW}/", "compiler/")


def main() -> int:
    """The command; returns basedpyright's exit code."""
    make_view()
    write_settings()
    command = [sys.executable, "-m", "basedpyright", "--project", str(VIEW.parent)]
    command += ["--pythonpath", sys.executable]
    done = subprocess.run(
        [*command, *sys.argv[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    sys.stdout.write(tree_names(done.stdout))
    sys.stderr.write(done.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
