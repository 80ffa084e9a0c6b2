"""The object cache: checked, private, and silent when it cannot work."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tetractys.runtime import cache, jit

CODE = b"object code" * 50


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "objects"
    monkeypatch.setenv(cache.ENVIRONMENT, str(path))
    return path


def entry_file(where: Path) -> Path:
    (path,) = [p for p in where.rglob("*") if p.is_file()]
    return path


def test_round_trip(where: Path) -> None:
    key = cache.key("source", b"more")
    assert cache.get(key) is None
    assert cache.put(key, CODE, {"spec": {"inputs": [1, 2]}})
    assert cache.get(key) == CODE
    entry = cache.get_entry(key)
    assert entry is not None and entry.metadata == {"spec": {"inputs": [1, 2]}}
    assert cache.put(key, CODE + b"2") and cache.get(key) == CODE + b"2"
    assert stat.S_IMODE(where.stat().st_mode) == 0o700
    assert stat.S_IMODE(entry_file(where).stat().st_mode) == 0o600


def test_keys_do_not_collide() -> None:
    assert (
        len({cache.key("ab", "c"), cache.key("a", "bc"), cache.key("abc"), cache.key("abc", "")})
        == 4
    )
    assert cache.key("a") == cache.key(b"a")


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:10],
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data[:-5] + bytes([data[-5] ^ 1]) + data[-4:],
        lambda data: b"x" + data[1:],
        lambda data: data[:60] + b"\xff" * 8 + data[68:],
        lambda data: bytes(len(data)),
    ],
)
def test_damaged_entries_are_misses(where: Path, damage: object) -> None:
    key = cache.key("x")
    cache.put(key, CODE, {"a": 1})
    path = entry_file(where)
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    assert cache.get(key) is None
    assert cache.put(key, CODE) and cache.get(key) == CODE


def test_another_compiler_has_other_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stamp sees every folder of the compiler, and a changed file."""
    before = cache.compiler_stamp()
    for file in ("stabilize.py", "elemwise.py", "jit.py", "driver.py"):
        assert f"'{file}'" in before
    (tmp_path / "runtime").mkdir()
    (tmp_path / "passes").mkdir()
    (tmp_path / "passes" / "cse.py").write_text("one")
    monkeypatch.setattr(cache, "__file__", str(tmp_path / "runtime" / "cache.py"))
    first = cache.compiler_stamp()
    (tmp_path / "passes" / "cse.py").write_text("other")
    assert first != cache.compiler_stamp() != before


def test_off_by_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("", "0", "off"):
        monkeypatch.setenv(cache.ENVIRONMENT, value)
        assert cache.directory() is None
        assert not cache.put(cache.key("a"), CODE) and cache.get(cache.key("a")) is None


def test_unusable_directories(tmp_path: Path) -> None:
    key = cache.key("a")
    file = tmp_path / "file"
    file.write_text("")
    for where in (file, file / "below", Path("/proc/none"), Path("/dev/null/x")):
        assert not cache.put(key, CODE, where=where) and cache.get(key, where) is None


def test_a_directory_that_others_may_write_is_not_used(tmp_path: Path) -> None:
    where = tmp_path / "open"
    assert cache.put(cache.key("a"), CODE, where=where)
    where.chmod(0o777)
    assert cache.get(cache.key("a"), where) is None
    assert not cache.put(cache.key("b"), CODE, where=where)


def test_pruning_keeps_what_was_used_last(where: Path) -> None:
    keys = [cache.key(str(k)) for k in range(10)]

    def age() -> None:
        for number, key in enumerate(keys):
            os.utime(where / key[:2] / f"{key[2:]}.o", (1e9 + number, 1e9 + number))

    for key in keys:
        cache.put(key, bytes(1000))
    cache.prune(where, 1 << 20)
    assert all(cache.get(key) for key in keys)
    age()
    cache.prune(where, 5000)
    assert [cache.get(key) is not None for key in keys] == [False] * 8 + [True] * 2


def test_write_errors_are_silent(where: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    key = cache.key("a")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail)
        assert not cache.put(key, CODE)
    assert not [p for p in where.rglob("*") if p.is_file()]
    assert cache.get(key) is None


def test_an_object_of_garbage_is_compiled_anew(where: Path) -> None:
    """A well-formed entry whose object does not load (the trampoline's own) is replaced."""
    script = f"""
import numpy, os
os.environ["TETRACTYS_CACHE"] = {str(where)!r}
from tetractys.runtime import cache, native, callable, jit
kind = native.native_type(callable.Function)
from tetractys.runtime import wrapper
code = wrapper.load(kind.native_offset + 8)
print(code["tt_call"] > 0)
"""
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        )
        assert done.stdout == "True\n" and not done.stderr
        path = entry_file(where)
        good = path.read_bytes()
        path.write_bytes(cache._encode(b"not an object", {}))
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n" and entry_file(where).read_bytes() == good


def test_what_the_linker_refuses_is_made_anew(where: Path) -> None:
    """`load_or_make`, which the pool, the trampoline and our products use."""
    key, symbols = cache.key("own"), ("tt_kernel",)
    made: list[bool] = []

    def make() -> bytes:
        made.append(True)
        return jit.compile_text("define i32 @tt_kernel(ptr %f) {\n  ret i32 7\n}\n")

    for stored, compilations in ((None, 1), (b"not an object", 2), (None, 2)):
        if stored is not None:
            cache.put(key, stored)
        assert cache.load_or_make(key, symbols, make).kernel
        assert len(made) == compilations
    assert cache.get(key) == make()


def test_objects_survive_the_cache(where: Path) -> None:
    data = jit.compile_text("define i32 @tt_kernel(ptr %f) {\n  ret i32 0\n}\n")
    key = cache.key("kernel")
    cache.put(key, data)
    stored = cache.get(key)
    assert stored == data and jit.load(stored, ("tt_kernel",)).kernel
