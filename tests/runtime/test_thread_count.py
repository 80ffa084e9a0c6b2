"""How many threads a call may use: the function's number, the process', the environment's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tetractys.runtime import jit
from tetractys.runtime.callable import make_callable
from tetractys.runtime.spec import KernelSpec, Operand

_KERNEL = """
define i32 @tt_kernel(ptr %flat) {
  %threads_at = getelementptr i64, ptr %flat, i64 8
  %threads = load i64, ptr %threads_at
  %number = sitofp i64 %threads to double
  %result_at = getelementptr i64, ptr %flat, i64 17
  %result = load ptr, ptr %result_at
  store double %number, ptr %result
  ret i32 0
}
"""


def counting(path: str, **options: Any) -> Any:
    """A function that returns its number of threads."""
    x = Operand("float64", 0, name="x")
    spec = KernelSpec(inputs=(x,), outputs=(x,), output_form="one", has_shape=False, **options)
    return make_callable(spec, jit.load(jit.compile_text(_KERNEL)), path=path)


def test_the_number_of_a_call(path: str) -> None:
    from tetractys import config
    from tetractys.runtime import threads

    own, free, default = (
        counting(path, threads=3),
        counting(path, threads=None),
        counting(path, threads=0),
    )
    assert own(0.0) == 3 and default(0.0) == threads.default() == free(0.0)
    with config.change_flags(threads=5):
        assert free(0.0) == 5 and own(0.0) == 3 and default(0.0) == threads.default()
        assert free.__copy__()(0.0) == 5 and own.__copy__()(0.0) == 3
    assert free(0.0) == threads.default()


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (-1, ValueError, "found -1; expected at least 1, or 0"),
        (1.5, TypeError, "found 1.5, no integer; expected at least 1"),
        ("two", TypeError, "found 'two', no integer"),
        (True, TypeError, "found True, no integer"),
        (2**64, ValueError, f"found {2**64}; expected at most 65536"),
    ],
)
def test_wrong_numbers(value: Any, error: type[Exception], words: str) -> None:
    import tetractys as tt
    import tetractys.tensor as T

    x = T.dvector("x")
    with pytest.raises(error, match=rf"function\(threads=\.\.\.\): {words}"):
        tt.function([x], x + 1.0, threads=value)
    if not isinstance(value, str):
        with pytest.raises(error, match=f"config.threads: {words}"):
            tt.config.threads = value
    assert tt.config.threads == 0


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"OMP_NUM_THREADS": "7"}, "0 7"),
        ({"OMP_NUM_THREADS": "6,2"}, "0 6"),
        ({"OMP_NUM_THREADS": "many"}, "0 all"),
        ({"OMP_NUM_THREADS": "0"}, "0 all"),
        ({"OMP_NUM_THREADS": "9" * 30}, "0 all"),
        ({"OMP_NUM_THREADS": "\u00b2"}, "0 all"),
        ({"TETRACTYS_FLAGS": "threads=3"}, "3 3"),
        ({"TETRACTYS_FLAGS": "threads=2", "OMP_NUM_THREADS": "7"}, "2 2"),
        ({}, "0 all"),
    ],
)
def test_environment(environment: dict[str, str], expected: str) -> None:
    script = "import tetractys as tt; from tetractys.runtime import threads as t; "
    script += "print(tt.config.threads, t.process())"
    clean = {k: v for k, v in os.environ.items() if k not in ("OMP_NUM_THREADS", "TETRACTYS_FLAGS")}
    done = subprocess.run(
        [sys.executable, "-c", script], env=clean | environment, capture_output=True, text=True
    )
    from tetractys.runtime import threads

    assert done.stdout.strip() == expected.replace("all", str(threads.processors())), done.stderr


@pytest.mark.parametrize(
    ("files", "share"),
    [
        ({}, None),
        ({"cpu.max": "max 100000"}, None),
        ({"cpu.max": "150000 100000"}, 2),
        ({"cpu.max": "nonsense"}, None),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ({"cpu/cpu.cfs_quota_us": "400000", "cpu/cpu.cfs_period_us": "100000"}, 4),
    ],
)
def test_the_share_of_a_container(tmp_path: Path, files: dict[str, str], share: int | None) -> None:
    from tetractys.runtime.threads import container_share

    (tmp_path / "cpu").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text + "\n")
    assert container_share(str(tmp_path)) == share
