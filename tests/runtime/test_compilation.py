"""Modules compiled side by side: linked with each other, in any number of threads."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from tetractys.runtime import jit, threads
from tetractys.runtime.compilation import Compilation

PART = """
define i32 @part{n}(i32 %x) {{
  %y = add i32 %x, {n}
  ret i32 %y
}}
"""
KERNEL = """
declare i32 @part0(i32)
declare i32 @part1(i32)
declare i32 @part2(i32)
define i32 @tt_kernel(ptr %flat) {
  %a = call i32 @part0(i32 100)
  %b = call i32 @part1(i32 %a)
  %c = call i32 @part2(i32 %b)
  ret i32 %c
}
"""


def compiled() -> bytes:
    compilation = Compilation()
    for number in range(3):
        compilation.add(PART.format(n=number))
    compilation.add(KERNEL)
    try:
        return compilation.finish()
    finally:
        compilation.stop()


def called(code: bytes) -> int:
    loaded = jit.load(code)
    return ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(loaded.kernel)(None)


@pytest.mark.parametrize("processors", [1, 2])
def test_modules_find_each_other(processors: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "processors", lambda: processors)
    assert called(compiled()) == 103


def test_the_same_object_however_it_went(monkeypatch: pytest.MonkeyPatch) -> None:
    first = compiled()
    monkeypatch.setattr(threads, "processors", lambda: 1)
    assert compiled() == first


def test_a_single_module_is_its_object() -> None:
    compilation = Compilation()
    text = "define i32 @tt_kernel(ptr %flat) {\n  ret i32 5\n}\n"
    compilation.add(text)
    code = compilation.finish()
    compilation.stop()
    assert code == jit.compile_text(text) and called(code) == 5


@pytest.mark.parametrize("cut", [lambda code: code[:-9], lambda code: code[:30],
                                 lambda code: code[:20]])
def test_joined_objects_that_are_cut(cut: Callable[[bytes], bytes]) -> None:
    with pytest.raises(jit.LinkError):
        jit.load(cut(compiled()))


def test_bad_text_is_refused_where_it_is_added() -> None:
    compilation = Compilation()
    compilation.add(PART.format(n=0))
    with pytest.raises(jit.IRError, match="expected top-level entity"):
        compilation.add("garbage")
    compilation.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "tetractys code"]


def test_many_threads_at_once() -> None:
    """LLVM is in several threads: each module has a context, each thread a target machine."""
    found: list[int] = []
    workers = [threading.Thread(target=lambda: found.append(called(compiled()))) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == [103] * 6


FORK = """
import os
from tetractys.runtime import jit
from tetractys.runtime.compilation import Compilation
lines = [f"  %y{n} = fadd double %{f'y{n - 1}' if n else 'x'}, %x" for n in range(2000)]
for turn in range(3):
    compilation = Compilation()
    for number in range(4):
        head = f"define double @f{number}(double %x) {{"
        compilation.add("\\n".join([head, *lines, "  ret double %y1999", "}"]))
    child = os.fork()
    if child == 0:
        jit.compile_text("define void @g() {\\n ret void\\n}\\n")
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert len(compilation.finish()) > 1000
    compilation.stop()
print("done")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no fork here")
def test_a_child_forked_meanwhile_can_compile() -> None:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", FORK],
                          capture_output=True, text=True, timeout=60)  # fmt: skip
    assert done.stdout == "done\n", done.stderr
