"""The names of a pass agree: command line, class, file, test file; each dialect has its file and
its tests.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tetractys.dialects.registry import DIALECTS, load_dialect
from tetractys.passes.registry import PASSES, class_name, load_pass, module_name

ROOT = Path(__file__).resolve().parents[2]
FILECHECK = ROOT / "tests" / "filecheck"

OUR_DIALECTS = [name for name, (module, _) in DIALECTS.items() if module.startswith("tetractys.")]


def test_names_by_rule() -> None:
    assert class_name("fuse-elemwise") == "FuseElemwisePass"
    assert class_name("cse") == "CsePass"
    assert module_name("lower-loops-to-llvm") == "tetractys.passes.lower_loops_to_llvm"


@pytest.mark.parametrize("name", PASSES)
def test_names_of_a_pass_agree(name: str) -> None:
    pass_class = load_pass(name)
    file_name = name.replace("-", "_")
    assert pass_class.name == name
    assert pass_class.__name__ == class_name(name)
    assert (ROOT / "passes" / f"{file_name}.py").is_file()
    assert (FILECHECK / "passes" / f"{file_name}.mlir").is_file()


def test_every_pass_is_in_the_registry() -> None:
    """A class that ends in `Pass` and stands at the top of a module of `passes/` has its line."""
    from xdsl.passes import ModulePass

    files = {path.stem for path in (ROOT / "passes").glob("*.py")}
    registered = {name.replace("-", "_") for name in PASSES}
    for path in (ROOT / "passes").glob("*.py"):
        if "(ModulePass)" in path.read_text(encoding="utf-8"):
            assert path.stem in registered, f"{path.name} is not in passes/registry.py"
    assert registered <= files
    assert all(issubclass(load_pass(name), ModulePass) for name in PASSES)


def test_the_readme_lists_every_pass() -> None:
    page = (ROOT / "passes" / "README.md").read_text(encoding="utf-8")
    assert [name for name in PASSES if f"| `{name}` |" not in page] == []


def test_pipelines_are_of_registered_passes() -> None:
    """And every pass stands in one: a pass that never runs is not kept true by users."""
    from tetractys.pipeline import PIPELINES

    assert {step.name for steps in PIPELINES.values() for step in steps} == set(PASSES)


@pytest.mark.parametrize("name", OUR_DIALECTS)
def test_names_of_a_dialect_agree(name: str) -> None:
    dialect = load_dialect(name)
    assert dialect.name == name
    assert list((FILECHECK / "dialects").glob(f"{name}*.mlir")), "no FileCheck file"
    names = [op.name for op in dialect.operations]
    assert len(set(names)) == len(names), "an operation of upstream's is redefined"
    for op in dialect.operations:
        assert op.name.startswith(f"{name}."), op.name
        assert op.__name__.endswith("Op"), op.__name__


@pytest.mark.parametrize("name", OUR_DIALECTS)
def test_operations_are_called_like_their_classes(name: str) -> None:
    for op in load_dialect(name).operations:
        if op.__module__.startswith("tetractys."):
            words = op.name.partition(".")[2].replace(".", "_").split("_")
            expected = "".join(word.capitalize() for word in words) + "Op"
            assert op.__name__.lower() == expected.lower(), op.name


@pytest.mark.parametrize("name", OUR_DIALECTS)
def test_every_operation_has_a_round_trip(name: str) -> None:
    files = (FILECHECK / "dialects").glob(f"{name}*.mlir")
    checks = "\n".join(
        line
        for path in files
        for line in path.read_text(encoding="utf-8").split("\n")
        if "CHECK" in line
    )
    ours = [o for o in load_dialect(name).operations if o.__module__.startswith("tetractys.")]
    missing = [op.name for op in ours if not re.search(rf"{re.escape(op.name)}\b", checks)]
    assert not missing, "no CHECK line shows them"
