"""Every Python session that a README shows gives what it shows."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("compiler", "dialects", "passes", "runtime", "tests", "tools")
READMES = [ROOT / "README.md", *sorted(p for f in FOLDERS for p in (ROOT / f).rglob("README.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)
SESSIONS = {str(path.relative_to(ROOT)): BLOCK.findall(path.read_text()) for path in READMES}


@pytest.mark.parametrize("name", [name for name, blocks in SESSIONS.items() if blocks])
def test_sessions_are_true(name: str) -> None:
    """The blocks of one README are one session."""
    text = "\n".join(SESSIONS[name])
    example = doctest.DocTestParser().get_doctest(text, {}, name, name, 0)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    report: list[str] = []
    runner.run(example, out=report.append)
    assert example.examples, "a block without >>> is not run"
    assert not runner.failures, "".join(report)


def test_the_readme_has_a_session() -> None:
    """Nothing is proved by READMEs without Python."""
    assert SESSIONS["README.md"]
