"""The JIT: bad text and bad objects become Python errors, never an abort."""

from __future__ import annotations

import ctypes
import gc
import re

import pytest

from tetractys.runtime import jit
from tetractys.runtime.machines import MACHINES
from tetractys.runtime.wrapper_text import expand

GOOD = """define i32 @tt_kernel(ptr %f) {
  ret i32 0
}
define i32 @tt_shape(ptr %f) {
  ret i32 0
}
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("garbage", "expected top-level entity"),
        ("define i32 @f() { ret i64 0 }", "value doesn't match function result type 'i32'"),
        ("define void @f() {", "end of file"),
        ("define i32 @f(i32 %x) { %y = add i32 %x, %z\n ret i32 %y }", "undefined value '%z'"),
        ("define i32 @f() {\na:\n br label %b\nb:\n %x = phi i32 [1, %c]\n ret i32 %x }", "%c"),
        (
            "define i32 @f(i1 %c) {\n br i1 %c, label %a, label %b\na:\n %x = add i32 1, 2\n"
            " br label %b\nb:\n ret i32 %x }",
            "does not dominate all uses",
        ),
        ('define void @f() {\n call void asm sideeffect "ud2", ""()\n ret void }', "line 2"),
        ('module asm "garbage"', "inline assembly"),
        ("declare double @llvm.nonsense.f64(double)\n", "llvm.nonsense.f64 found"),
        ("define void @f() {\n call void @llvm.nonsense()\n ret void }", "llvm.nonsense"),
        ("a\0b", "NUL character"),
        ("\ud800", "surrogates"),
    ],
)
def test_refused_text(text: str, words: str) -> None:
    with pytest.raises(jit.IRError, match=re.escape(words)):
        jit.compile_text(text)
    with pytest.raises(jit.IRError):
        jit.asm(text)


def test_a_foreign_target_in_the_text_is_overruled() -> None:
    text = 'target triple = "nvptx64-nvidia-cuda"\ntarget datalayout = "e-p:32:32"\n' + GOOD
    code = jit.load(jit.compile_text(text))
    assert ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(code.kernel)(None) == 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text" * 100,
        b"\x7fELF" + bytes(200),
        jit.compile_text(GOOD)[:300],
        jit.compile_text(GOOD[GOOD.index("define i32 @tt_shape") :]),
        jit.compile_text(
            "declare void @no_such_function()\n"
            "define i32 @tt_kernel(ptr %f) {\n  call void @no_such_function()\n  ret i32 0\n}\n"
            "define i32 @tt_shape(ptr %f) {\n  ret i32 0\n}\n"
        ),
    ],
    ids=["empty", "text", "header only", "cut", "symbol missing", "unresolved"],
)
def test_refused_objects(data: bytes) -> None:
    with pytest.raises(jit.LinkError):
        jit.load(data)
    assert jit.load(jit.compile_text(GOOD)).kernel


def test_the_shape_function_is_optional() -> None:
    code = jit.load(jit.compile_text(GOOD[: GOOD.index("define i32 @tt_shape")]))
    assert code.kernel and code.shape == 0


def test_equal_objects_are_loaded_once_and_freed() -> None:
    data = jit.compile_text(GOOD)
    first, second = jit.load(data), jit.load(bytes(data))
    assert first is second and first.kernel != first.shape
    identity = first.identity
    del first, second
    gc.collect()
    assert identity not in jit._loaded


def test_assembly_names_the_kernel() -> None:
    assert "tt_kernel:" in jit.asm(GOOD)


def test_assembly_for_every_machine() -> None:
    for name, machine in MACHINES.items():
        assert "tt_kernel:" in jit.asm(GOOD, machine=machine), name


@pytest.mark.parametrize(("machine", "call"), [
    ("aarch64", "void @llvm.x86.sse2.pause()"),
    ("sse2", "void @llvm.x86.avx.vzeroall()"),
    ("avx512", "void @llvm.aarch64.isb(i32 1)"),
])
def test_another_processor_s_instruction_is_refused(machine: str, call: str) -> None:
    declared = call.replace("i32 1", "i32")
    text = f"declare {declared}\ndefine void @f() {{\n  call {call}\n  ret void\n}}\n"
    with pytest.raises(jit.IRError, match="expected no instruction that is not of every"):
        jit.asm(text, machine=MACHINES[machine])


def test_memory_functions_are_found() -> None:
    text = """
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
define i32 @tt_kernel(ptr %f) {
  %to = getelementptr i8, ptr %f, i64 4096
  %n = load i64, ptr %f
  call void @llvm.memcpy.p0.p0.i64(ptr %to, ptr %f, i64 %n, i1 false)
  %a = load double, ptr %f
  %b = frem double %a, 3.0
  store double %b, ptr %to
  ret i32 0
}
"""
    assert jit.load(jit.compile_text(text), ("tt_kernel",)).kernel


def test_level_0_only_without_wide_vectors() -> None:
    with pytest.raises(ValueError, match="expected opt >= 1, or baseline=True"):
        jit.compile_text(GOOD, opt=0)
    assert jit.compile_text(GOOD, opt=0, baseline=True)


LOOP = """
define i64 @sum(ptr %numbers, i64 %n, i64 %limit) {
entry:
  %total = alloca i64
  store i64 0, ptr %total
  for %i below %n, done
  %number = item i64 %numbers[%i]
  %large = icmp ugt i64 %number, %limit
  br i1 %large, label %next, label %small
small:
  %before = load i64, ptr %total
  %after = add i64 %before, %number
  store i64 %after, ptr %total
  br label %next
next:
  next %i
done:
  %sum = load i64, ptr %total
  ret i64 %sum
}
"""


@pytest.mark.parametrize("count", [0, 1, 5])
def test_loops_of_the_trampoline_s_language(count: int) -> None:
    code = jit.load(jit.compile_text(expand(LOOP, {})), ("sum",))
    numbers = (ctypes.c_int64 * 5)(1, 20, 3, 40, 5)
    kinds = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64]
    total = ctypes.CFUNCTYPE(ctypes.c_int64, *kinds)(code["sum"])(numbers, count, 10)
    assert total == sum(n for n in numbers[:count] if n <= 10)


def test_host() -> None:
    host = jit.host()
    assert host.vector_bytes in (16, 32, 64) and host.cpu and "LLVM" in host.versions
