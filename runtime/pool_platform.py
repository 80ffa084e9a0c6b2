"""What the thread pool needs of a machine, and what stands for it where there is none."""

from __future__ import annotations

PAUSE = {
    "x86_64": """
declare void @llvm.x86.sse2.pause()
define internal void @pause() {
  call void @llvm.x86.sse2.pause()
  ret void
}
""",
    "aarch64": """
declare void @llvm.aarch64.hint(i32)
define internal void @pause() {
  call void @llvm.aarch64.hint(i32 1)
  ret void
}
""",
    "riscv64": """
define internal void @pause() {
  ret void
}
""",
}
"""Telling the processor that this thread only looks; also the list of machines with a pool."""

FUTEX = {"x86_64": 202, "aarch64": 98, "riscv64": 98}
"""Linux' number of the system call."""

SERIAL = """
define void @tt_parallel(ptr %body, ptr %env, i64 %chunks, i64 %threads) {
entry:
  %some = icmp sgt i64 %chunks, 0
  br i1 %some, label %run, label %done
run:
  %chunk = phi i64 [0, %entry], [%chunk1, %run]
  call void %body(ptr %env, i64 %chunk)
  %chunk1 = add i64 %chunk, 1
  %more = icmp slt i64 %chunk1, %chunks
  br i1 %more, label %run, label %done
done:
  ret void
}
"""
"""The pool of a platform without futexes: the caller does everything."""

SERIAL_SYMBOLS = ("tt_parallel", "tt_run")
