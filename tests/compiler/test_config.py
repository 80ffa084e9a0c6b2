"""Flags: by assignment, for a while, from the environment; wrong ones in Theano's words."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

import tetractys
import tetractys.tensor as T
from tetractys.configparser import parse_flags


def test_assignment_takes_effect_at_once() -> None:
    old = tetractys.config.floatX
    try:
        tetractys.config.floatX = "float32"
        assert T.matrix().dtype == "float32" and T.zeros((2,)).dtype == "float32"
        assert (T.ivector() / 2).dtype == "float32"
    finally:
        tetractys.config.floatX = old
    assert T.matrix().dtype == "float64"


def test_change_flags() -> None:
    @tetractys.change_flags(floatX="float32")
    def inside() -> str:
        return tetractys.config.floatX

    assert inside() == "float32" and tetractys.config.floatX == "float64"
    with pytest.raises(KeyError), tetractys.config.change_flags(floatX="float32"):
        raise KeyError
    assert tetractys.config.floatX == "float64"
    with tetractys.change_flags({"traceback.limit": 3}):
        assert tetractys.config.traceback.limit == 3
    with pytest.raises(AttributeError), tetractys.change_flags(floatX="float32", nothing=1):
        pass
    assert tetractys.config.floatX == "float64"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        (
            "floatX",
            "float8",
            r'Invalid value \("float8"\) for configuration variable "floatX". Valid options are',
        ),
        ("floatX", "float16", r'Invalid value \("float16"\) for configuration variable "floatX"'),
        (
            "compute_test_value",
            "xx",
            r"Valid options are \('off', 'ignore', 'warn', 'raise', 'pdb'\)",
        ),
        ("exception_verbosity", "foo", r"Valid options are \('low', 'high'\)"),
        ("on_unused_input", "foo", r"Valid options are \('raise', 'warn', 'ignore'\)"),
        ("mode", "foo", "Expected one of those string 'Mode', 'DebugMode', 'FAST_RUN'"),
        ("allow_gc", "foo", 'for configuration variable "allow_gc"'),
        ("openmp_elemwise_minsize", "x", "expected an integer"),
    ],
)
def test_wrong_values(name: str, value: Any, words: str) -> None:
    old = getattr(tetractys.config, name)
    with pytest.raises(ValueError, match=words):
        setattr(tetractys.config, name, value)
    assert getattr(tetractys.config, name) == old


def test_wrong_names() -> None:
    with pytest.raises(AttributeError, match="found no flag 'flaotX'"):
        tetractys.config.flaotX = "float32"  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="'Config' object has no attribute 'nothing'"):
        tetractys.config.nothing  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(
        Exception, match="Can't change the value of this config parameter after init"
    ):
        tetractys.config.device = "cuda"  # type: ignore[attr-defined]


def test_accepted_for_theanos_sake() -> None:
    with tetractys.change_flags(
        compute_test_value="ignore",
        mode="FAST_COMPILE",
        optimizer="None",
        linker="cvm_nogc",
        openmp="true",
        exception_verbosity="high",
    ):
        assert tetractys.config.openmp is True
    assert "floatX = 'float64'" in str(tetractys.config)


def run(flags: str) -> subprocess.CompletedProcess[str]:
    code = "import tetractys; print(tetractys.config.floatX, tetractys.config.allow_gc)"
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={"TETRACTYS_FLAGS": flags, "PATH": ""},
    )


def test_environment() -> None:
    done = run(" floatX=float32, allow_gc=True,allow_gc=False")
    assert done.stdout == "float32 False\n"
    done = run("nothing=1")
    assert (
        "Tetractys does not recognise this flag: nothing" in done.stderr
        and "float64" in done.stdout
    )
    done = run("floatX=float8")
    assert 'Invalid value ("float8") for configuration variable "floatX"' in done.stderr
    assert done.returncode != 0


def test_parse_flags() -> None:
    assert parse_flags("a=b,,c=d=e, a=f") == {"a": "f", "c": "d=e"}
    with pytest.warns(UserWarning, match="Config key 'floatX' has no value, ignoring it"):
        assert parse_flags("floatX") == {}
