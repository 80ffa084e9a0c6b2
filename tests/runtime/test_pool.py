"""The thread pool: every chunk once, for any number of threads, beside whatever else the process
does.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tetractys.runtime import blas, jit, openblas, pool
from tetractys.runtime.callable import make_callable
from tetractys.runtime.spec import KernelSpec, Operand

pytestmark = pytest.mark.skipif(not pool.is_parallel(), reason="needs a platform with a pool")

BODIES = """
; Adds 1 to word %k.
define void @bump(ptr %env, i64 %k) {
  %at = getelementptr i64, ptr %env, i64 %k
  %old = load i64, ptr %at
  %new = add i64 %old, 1
  store i64 %new, ptr %at
  ret void
}

; Word %k becomes the caller's word 8 * k of the block behind the first 1024 words, plus k.
define void @copy(ptr %env, i64 %k) {
  %to = getelementptr i64, ptr %env, i64 %k
  %from8 = mul i64 %k, 8
  %from = add i64 %from8, 1024
  %at = getelementptr i64, ptr %env, i64 %from
  %value = load i64, ptr %at
  %sum = add i64 %value, %k
  store i64 %sum, ptr %to
  ret void
}

; The thread that did chunk %k, after a wait of a few milliseconds that lets others come.
define void @who(ptr %env, i64 %k) {
  %slept = call i32 @usleep(i32 5000)
  %self = call i64 @pthread_self()
  %at = getelementptr i64, ptr %env, i64 %k
  store i64 %self, ptr %at
  ret void
}

; Chunk %k is itself a job of 16 chunks.
define void @nested(ptr %env, i64 %k) {
  %parallel = load ptr, ptr %env
  %first = mul i64 %k, 16
  %word = add i64 %first, 1
  %mine = getelementptr i64, ptr %env, i64 %word
  call void %parallel(ptr @bump, ptr %mine, i64 16, i64 4)
  ret void
}

; Some microseconds of arithmetic, its result in word 8 * k.
define void @spin(ptr %env, i64 %k) {
entry:
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%j, %loop]
  %x = phi double [1.0, %entry], [%y, %loop]
  %y = call double @llvm.fma.f64(double %x, double 0.9999, double 0.5)
  %j = add i64 %i, 1
  %more = icmp ult i64 %j, 10000
  br i1 %more, label %loop, label %end
end:
  %word = mul i64 %k, 8
  %at = getelementptr double, ptr %env, i64 %word
  store double %y, ptr %at
  ret void
}

; %count jobs, one after the other; between two of them the caller reads and clears what the chunks
; wrote: the number of words that were not 1.
define i64 @many(ptr %parallel, ptr %env, i64 %chunks, i64 %threads, i64 %count) {
entry:
  br label %job
job:
  %n = phi i64 [0, %entry], [%n1, %next]
  %bad = phi i64 [0, %entry], [%bad2, %next]
  call void %parallel(ptr @bump, ptr %env, i64 %chunks, i64 %threads)
  br label %look
look:
  %k = phi i64 [0, %job], [%k1, %look]
  %bad1 = phi i64 [%bad, %job], [%bad2, %look]
  %at = getelementptr i64, ptr %env, i64 %k
  %value = load i64, ptr %at
  store i64 0, ptr %at
  %wrong = icmp ne i64 %value, 1
  %one = zext i1 %wrong to i64
  %bad2 = add i64 %bad1, %one
  %k1 = add i64 %k, 1
  %more = icmp slt i64 %k1, %chunks
  br i1 %more, label %look, label %next
next:
  %n1 = add i64 %n, 1
  %again = icmp slt i64 %n1, %count
  br i1 %again, label %job, label %done
done:
  ret i64 %bad2
}
; Job %k of a gang: waits until all %count jobs have come, then notes its thread.
define void @meet(i32 %k, ptr %data, i32 %count) {
entry:
  %index = sext i32 %k to i64
  %back = mul i64 %index, -8
  %first = getelementptr i8, ptr %data, i64 %back
  %counter = getelementptr i8, ptr %first, i64 -8
  %old = atomicrmw add ptr %counter, i64 1 seq_cst
  %all = sext i32 %count to i64
  br label %wait
wait:
  %come = load atomic i64, ptr %counter seq_cst, align 8
  %enough = icmp sge i64 %come, %all
  %yielded = call i32 @sched_yield()
  br i1 %enough, label %go, label %wait
go:
  %self = call i64 @pthread_self()
  store i64 %self, ptr %data
  ret void
}

; A gang of 3 in each chunk of a job: the pool is taken.
define void @hiring(ptr %env, i64 %k) {
  %gang = load ptr, ptr %env
  %row = mul i64 %k, 4
  %word = add i64 %row, 2
  %data = getelementptr i64, ptr %env, i64 %word
  call void %gang(i32 1, ptr @meet, i32 3, i64 8, ptr %data, i32 3)
  ret void
}
; %count gangs of 2, after waits of every length up to some microseconds.
define void @gangs(ptr %gang, ptr %data, i64 %count) {
entry:
  %counter = getelementptr i8, ptr %data, i64 -8
  br label %turn
turn:
  %n = phi i64 [0, %entry], [%n1, %meet]
  %odd = mul i64 %n, 7
  %wait = urem i64 %odd, 4001
  br label %loop
loop:
  %i = phi i64 [0, %turn], [%i1, %loop]
  %i1 = add i64 %i, 1
  store volatile i64 %i1, ptr %data
  %more = icmp ult i64 %i1, %wait
  br i1 %more, label %loop, label %meet
meet:
  store i64 0, ptr %counter
  call void %gang(i32 1, ptr @meet, i32 2, i64 8, ptr %data, i32 2)
  %n1 = add i64 %n, 1
  %again = icmp ult i64 %n1, %count
  br i1 %again, label %turn, label %done
done:
  ret void
}
declare i32 @sched_yield()
declare i32 @usleep(i32)
declare i64 @pthread_self()
declare double @llvm.fma.f64(double, double, double)
"""
_NAMES = ("bump", "copy", "who", "nested", "spin", "many", "meet", "hiring", "gangs")


class Bodies:
    """The functions above, and the pool's entry."""

    def __init__(self) -> None:
        self.code = jit.load(jit.compile_text(BODIES), _NAMES)
        self.entry = pool.address("tt_parallel")
        kinds = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64]
        self._parallel = ctypes.CFUNCTYPE(None, *kinds)(self.entry)
        self._many = ctypes.CFUNCTYPE(ctypes.c_int64, *kinds, ctypes.c_int64)(self.code["many"])

    def parallel(self, body: str, env: np.ndarray, chunks: int, threads: int) -> None:
        """One job."""
        self._parallel(self.code[body], env.ctypes.data, chunks, threads)

    def many(self, chunks: int, threads: int, count: int) -> int:
        """`count` jobs; the chunks that were not done exactly once."""
        env = np.zeros(max(chunks, 1), np.int64)
        return self._many(self.entry, env.ctypes.data, chunks, threads, count)


@pytest.fixture(scope="module")
def bodies() -> Bodies:
    """The chunk functions."""
    return Bodies()


@pytest.mark.parametrize("threads", [-1, 0, 1, 2, 3, 4, 9])
@pytest.mark.parametrize("chunks", [-1, 0, 1, 2, 3, 4, 7, 8, 64, 1000, 100_000])
def test_every_chunk_exactly_once(bodies: Bodies, chunks: int, threads: int) -> None:
    counts = np.zeros(max(chunks, 0) + 1, np.int64)
    bodies.parallel("bump", counts, chunks, threads)
    assert (counts[:-1] == 1).all() and counts[-1] == 0


def test_chunks_see_the_caller_and_the_caller_sees_them(bodies: Bodies) -> None:
    env = np.zeros(1024 + 8 * 64, np.int64)
    for turn in range(3000):
        env[1024::8] = turn
        bodies.parallel("copy", env, 64, 2 + turn % 3)
        assert (env[:64] == turn + np.arange(64)).all()


@pytest.mark.parametrize("threads", [2, 3, 4])
def test_thousands_of_jobs(bodies: Bodies, threads: int) -> None:
    for chunks in (2, 3, 8, 33):
        assert bodies.many(chunks, threads, 5000) == 0


def threads_of_a_job(bodies: Bodies, threads: int, chunks: int = 12) -> int:
    """The number of threads that did a job's chunks; each takes some milliseconds."""
    seen = np.zeros(chunks, np.int64)
    bodies.parallel("who", seen, chunks, threads)
    assert threading.get_ident() in set(seen)
    return len(set(seen))


@pytest.mark.parametrize("threads", [4, 2, 1, 3])
def test_threads_take_part_and_no_more_than_were_asked_for(bodies: Bodies, threads: int) -> None:
    counts = [threads_of_a_job(bodies, threads) for _ in range(5)]
    assert max(counts) == threads  # less where the machine lets a worker wait


def test_sleeping_workers_are_woken(bodies: Bodies) -> None:
    counts: list[int] = []
    for _ in range(8):
        time.sleep(0.01)  # ten times as long as a worker looks for work
        counts.append(threads_of_a_job(bodies, 2, 4))
    assert counts.count(2) >= 4


def test_gaps_of_every_length(bodies: Bodies) -> None:
    """Jobs that meet the workers just as they lie down."""
    for k in range(300):
        assert bodies.many(8, 4, 3) == 0
        end = time.perf_counter() + 0.0009 + 1e-6 * k
        while time.perf_counter() < end:
            pass


def test_a_job_in_a_chunk(bodies: Bodies) -> None:
    for _ in range(200):
        env = np.zeros(1 + 16 * 8, np.int64)
        env[0] = bodies.entry
        bodies.parallel("nested", env, 8, 4)
        assert (env[1:] == 1).all()


@pytest.mark.parametrize("callers", [2, 4])
def test_several_python_threads_at_once(bodies: Bodies, callers: int) -> None:
    wrong = in_threads(callers, lambda k: bodies.many(8 + k, 2 + k % 3, 20_000))
    assert wrong == [0] * callers


def in_threads(count: int, work: Callable[[int], Any]) -> list[Any]:
    """What `work(0)`, `work(1)`, ... return, run at the same time."""
    results: list[Any] = [None] * count

    def run(k: int) -> None:
        results[k] = work(k)

    started = [threading.Thread(target=run, args=(k,)) for k in range(count)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join(60)
        assert not thread.is_alive()
    return results


@pytest.fixture
def busy_processors() -> Iterator[None]:
    """A process that spins on every processor but one."""
    code = "while True: pass"
    count = max(1, len(os.sched_getaffinity(0)) - 1)
    others = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(count)]
    yield
    for other in others:
        other.kill()
        other.wait()


def test_beside_a_busy_processor(bodies: Bodies, busy_processors: None) -> None:
    assert bodies.many(8, 2, 20_000) == 0
    env = np.zeros(64)
    took: list[float] = []
    for _ in range(100):
        begin = time.perf_counter()
        bodies.parallel("spin", env, 8, 2)
        took.append(time.perf_counter() - begin)
    # A static share would wait for the other process at every turn: 4 ms and more.
    assert sorted(took)[50] < 0.003


def test_signals_are_for_python(bodies: Bodies) -> None:
    bodies.many(8, 4, 10)
    found = 0
    for task in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{task}/status") as file:
            fields = dict(line.split(":", 1) for line in file)
        if fields["Name"].strip() == "tetractys":
            found += 1
            blocked = int(fields["SigBlk"], 16)
            assert blocked >> 1 & 1 and blocked >> 14 & 1  # SIGINT, SIGTERM
            assert not blocked >> 10 & 1  # SIGSEGV
    assert found == pool.workers() >= 3


# Forks


def in_child(work: Callable[[], bool]) -> None:
    """Runs `work` in a forked child, which must answer True within a minute."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if work() else 1)
        finally:
            os._exit(2)
    end = time.monotonic() + 60
    while (ended := os.waitpid(child, os.WNOHANG))[0] == 0:
        if time.monotonic() > end:
            os.kill(child, 9)
            os.waitpid(child, 0)
            pytest.fail("the forked child hangs")
        time.sleep(0.005)
    assert os.waitstatus_to_exitcode(ended[1]) == 0


def test_a_forked_child_makes_its_own_workers(bodies: Bodies) -> None:
    assert bodies.many(8, 3, 100) == 0

    def work() -> bool:
        if pool.workers():
            return False
        counts = [threads_of_a_job(bodies, 3) for _ in range(5)]
        return max(counts) == 3 and pool.workers() == 2 and bodies.many(8, 3, 1000) == 0

    for _ in range(5):
        in_child(work)
        assert bodies.many(8, 3, 100) == 0


def test_a_fork_while_another_thread_has_the_pool(bodies: Bodies) -> None:
    stop = threading.Event()
    wrong: list[int] = []

    def run() -> None:
        while not stop.is_set():
            wrong.append(bodies.many(8, 3, 200))

    other = threading.Thread(target=run)
    other.start()
    try:
        for _ in range(10):
            in_child(lambda: bodies.many(8, 3, 1000) == 0)
    finally:
        stop.set()
        other.join()
    assert not any(wrong)


def _product(size: int) -> float:
    a = np.ones((size, size))
    return float(gemm_function(2)(a, a)[0, 0])


def test_multiprocessing(bodies: Bodies) -> None:
    assert bodies.many(8, 3, 100) == 0 and _product(300) == 300.0
    with multiprocessing.get_context("fork").Pool(2) as processes:
        assert processes.map(_product, [256, 301, 302, 303]) == [256.0, 301.0, 302.0, 303.0]


# The end of the process

_SCRIPT = """
import ctypes, os, sys, threading, time
import numpy as np
from tetractys.runtime import jit, pool
text = "define void @f(ptr %e, i64 %k) {\\n  ret void\\n}"
code = jit.load(jit.compile_text(text), ("f",))
kinds = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64]
parallel = ctypes.CFUNCTYPE(None, *kinds)(pool.address("tt_parallel"))
def job():
    parallel(code["f"], None, 64, 4)
job()
assert pool.workers() == 3
"""


@pytest.mark.parametrize(
    "end",
    [
        "",
        "time.sleep(0.02)",
        "sys.exit(0)",
        "os._exit(0)",
        "import atexit; atexit.register(job); job()",
        "threading.Thread(target=lambda: [job() for _ in range(1000000)], daemon=True).start()",
        "threading.Thread(target=lambda: [job() for _ in range(30000)]).start()",
        "class A:\n  def __del__(self): job()\na = A(); a.me = a",
        "if os.fork() == 0: job(); sys.exit(0)\nos.wait()",
    ],
)
def test_exit(end: str) -> None:
    script = _SCRIPT + end
    # From Python 3.12 on a fork beside any thread warns, on standard error too.
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-W", "ignore::DeprecationWarning", "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


# BLAS

_GEMM = """
define i32 @tt_shape(ptr %flat) {
  %n_at = getelementptr i64, ptr %flat, i64 17
  %n = load i64, ptr %n_at
  %r0 = getelementptr i64, ptr %flat, i64 27
  %r1 = getelementptr i64, ptr %flat, i64 28
  store i64 %n, ptr %r0
  store i64 %n, ptr %r1
  ret i32 0
}
define i32 @tt_kernel(ptr %flat) {
  %n_at = getelementptr i64, ptr %flat, i64 17
  %a_at = getelementptr i64, ptr %flat, i64 16
  %b_at = getelementptr i64, ptr %flat, i64 21
  %c_at = getelementptr i64, ptr %flat, i64 26
  %a = load ptr, ptr %a_at
  %b = load ptr, ptr %b_at
  %c = load ptr, ptr %c_at
  %table_at = getelementptr i64, ptr %flat, i64 1
  %table = load ptr, ptr %table_at
  %gemm = load ptr, ptr %table
  %letter = alloca i8
  store i8 78, ptr %letter
  %one = alloca double
  store double 1.0, ptr %one
  %zero = alloca double
  store double 0.0, ptr %zero
  call void %gemm(ptr %letter, ptr %letter, ptr %n_at, ptr %n_at, ptr %n_at, ptr %one, ptr %b, \
ptr %n_at, ptr %a, ptr %n_at, ptr %zero, ptr %c, ptr %n_at)
  ret i32 0
}
"""


def gemm_function(threads: int | None, path: str = "native") -> Any:
    """`dot` of two square matrices, by BLAS."""
    matrix = Operand("float64", 2, name="a")
    spec = KernelSpec(
        inputs=(matrix, matrix._replace(name="b")),
        outputs=(matrix,),
        output_form="one",
        externs=("dgemm",),
        threads=threads,
    )
    return make_callable(spec, jit.load(jit.compile_text(_GEMM)), path=path)


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_each_job_of_a_gang_has_its_own_live_thread(bodies: Bodies, count: int) -> None:
    kinds = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_int64, ctypes.c_void_p]
    gang = ctypes.CFUNCTYPE(None, *kinds, ctypes.c_int)(pool.address("tt_gang"))
    for _ in range(50):
        words = np.zeros(1 + count, np.int64)
        gang(1, bodies.code["meet"], count, 8, words.ctypes.data + 8, count)
        assert words[0] == count and len(set(words[1:])) == count
        assert words[1] == threading.get_ident()
    assert bodies.many(8, 3, 100) == 0


def test_a_gang_gets_threads_where_the_pool_is_taken(bodies: Bodies) -> None:
    for _ in range(20):
        words = np.zeros(1 + 4 * 6, np.int64)
        words[0] = pool.address("tt_gang")
        bodies.parallel("hiring", words, 6, 2)
        rows = words[1:].reshape(6, 4)
        assert (rows[:, 0] == 3).all() and all(len(set(row[1:])) == 3 for row in rows)


def test_no_wake_up_is_lost(bodies: Bodies, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second pool whose workers lie down almost at once: a gang would wait for one for ever."""
    monkeypatch.setattr(pool, "SPIN_NANOSECONDS", 300)
    names = ("tt_gang", "tt_pool_start", "tt_pool_stop")
    code = jit.load(jit.compile_text(pool.text(), opt=0, baseline=True), names)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(code))  # its workers outlive the test
    ctypes.CFUNCTYPE(None, ctypes.c_int)(code["tt_pool_start"])(64)
    gangs = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
    words = np.zeros(4, np.int64)
    done = threading.Event()

    def run() -> None:
        gangs(bodies.code["gangs"])(code["tt_gang"], words.ctypes.data + 8, 20_000)
        done.set()

    threading.Thread(target=run, daemon=True).start()
    assert done.wait(60)
    ctypes.CFUNCTYPE(None)(code["tt_pool_stop"])()


@pytest.fixture
def library() -> Iterator[openblas.Library]:
    """OpenBLAS, if that is what BLAS is; its number of threads afterwards as it was."""
    if not blas._attached():
        pytest.skip("needs an OpenBLAS")
    found = openblas.bundled() or openblas.mapped()
    assert found is not None
    rest = number(found)()
    yield found
    number(found)(rest)


def number(library: openblas.Library) -> Callable[..., int]:
    """OpenBLAS' number of threads: read, or set."""
    handle: Any = library._handle
    getter = getattr(handle, f"{library._prefix}openblas_get_num_threads")
    setter = getattr(handle, f"{library._prefix}openblas_set_num_threads")
    return lambda *value: setter(*value) if value else getter()


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_products(library: openblas.Library, path: str, threads: int) -> None:
    f = gemm_function(threads, path)
    rest = number(library)()
    rng = np.random.default_rng(threads)
    for n in (1, 2, 33, 128, 200, 384):
        a, b = rng.standard_normal((2, n, n))
        np.testing.assert_allclose(f(a, b), a @ b, rtol=1e-12, atol=1e-10)
    assert number(library)() == rest


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_products_have_the_same_bits_for_any_number_of_threads(
    library: openblas.Library, bodies: Bodies, dtype: Any
) -> None:
    """All letters, shapes around the edges of pieces, leading dimensions, scales."""
    name = "dgemm" if dtype == np.float64 else "sgemm"
    kinds = [ctypes.c_void_p] * 13
    whole = ctypes.CFUNCTYPE(None, *kinds)(blas._library_address(name))
    pieces = ctypes.CFUNCTYPE(None, *kinds)(blas.address(name))
    callers = {threads: gemm_function(threads) for threads in (1, 2, 3, 8)}
    rng = np.random.default_rng(11)
    number(library)(1)
    cut = 0
    for _ in range(60):
        m, n, k = (int(size) for size in rng.integers(60, 500, 3))
        letters = np.array([rng.choice([78, 84, 110, 116]) for _ in "ab"], np.uint8)
        plain = [chr(letter) in "nN" for letter in letters]
        pads = rng.integers(0, 3, 3)
        ints = np.array([m, n, k, 0, 0, m + pads[2]], np.int32)
        ints[3] = (m if plain[0] else k) + pads[0]
        ints[4] = (k if plain[1] else n) + pads[1]
        a = rng.standard_normal(ints[3] * (k if plain[0] else m)).astype(dtype)
        b = rng.standard_normal(ints[4] * (n if plain[1] else k)).astype(dtype)
        c = rng.standard_normal(ints[5] * n).astype(dtype)
        scales = np.array([1.5, 0.5], dtype)
        results = []
        for function, threads in ((whole, 1), (pieces, 1), (pieces, 2), (pieces, 3), (pieces, 8)):
            callers[threads](np.ones((1, 1)), np.ones((1, 1)))  # the number of the latest call
            result = c.copy()
            at = ints.ctypes.data
            sizes = (letters.ctypes.data, letters.ctypes.data + 1, at, at + 4, at + 8)
            alpha = scales.ctypes.data
            beta = alpha + scales.itemsize
            left, right = (a.ctypes.data, at + 12), (b.ctypes.data, at + 16)
            function(*sizes, alpha, *left, *right, beta, result.ctypes.data, at + 20)
            results.append(result)
        cut += m * n * k >= 2 << 20
        for result in results[1:]:
            np.testing.assert_array_equal(result, results[0], f"{m} {n} {k} {letters} {pads}")
    assert cut > 30


def test_openblas_works_on_the_pool_and_only_there(library: openblas.Library) -> None:
    """In a fresh process: its own threads, made when it is loaded, do not run."""
    script = textwrap.dedent("""
        import os, sys, time
        sys.path.insert(0, {folder!r})
        import numpy as np
        from test_pool import gemm_function
        from tetractys.runtime import pool
        def spent():
            names = dict()
            for task in os.listdir("/proc/self/task"):
                with open(f"/proc/self/task/{{task}}/stat") as file:
                    text = file.read()
                fields = text.rpartition(")")[2].split()
                mine = text.partition("(")[2].partition(")")[0] == "tetractys"
                if int(task) != os.getpid():
                    names[mine] = names.get(mine, 0) + int(fields[11]) + int(fields[12])
            return names
        f = gemm_function(2)
        a = np.ones((500, 500))
        f(a, a)
        time.sleep(0.3)
        before = spent()
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            f(a, a)
        after = spent()
        print(pool.workers(), after[True] > before[True] + 2, after[False] - before[False] <= 1)
    """)
    script = script.format(folder=os.path.dirname(__file__))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.split() == ["1", "True", "True"], done.stderr


def test_products_beside_jobs(library: openblas.Library, bodies: Bodies) -> None:
    """Products and jobs from several Python threads: each finds the pool taken at times."""
    rng = np.random.default_rng(3)
    a = rng.standard_normal((200, 200))
    expected = a @ a
    functions = [gemm_function(threads) for threads in (2, 3)]

    def work(k: int) -> int:
        if k >= 2:
            return bodies.many(8, 2, 20_000)
        products = [functions[k](a, a) for _ in range(20)]
        return sum(not np.allclose(product, expected) for product in products)

    rest = number(library)()
    assert in_threads(4, work) == [0] * 4
    assert number(library)() == rest


def test_products_in_a_forked_child(library: openblas.Library, bodies: Bodies) -> None:
    f, a = gemm_function(3), np.ones((300, 300))
    assert f(a, a)[0, 0] == 300.0

    def work() -> bool:
        right = all((f(a, a) == 300.0).all() for _ in range(20))
        return right and pool.workers() == 2 and bodies.many(8, 3, 100) == 0

    for _ in range(2):
        in_child(work)


def test_the_users_number_of_blas_threads_is_put_back(library: openblas.Library) -> None:
    a = np.ones((100, 100))
    change = number(library)
    for wanted in (1, 2, 3):
        change(wanted)
        gemm_function(2)(a, a)
        assert change() == wanted


def test_products_of_another_package_run_on_the_pool(library: openblas.Library) -> None:
    linalg = pytest.importorskip("scipy.linalg")
    rng = np.random.default_rng(5)
    a = rng.standard_normal((400, 400))
    gemm_function(2)(a, a)
    x = rng.standard_normal(400)
    np.testing.assert_allclose(linalg.solve(a, a @ x), x, rtol=1e-6, atol=1e-8)
    s = linalg.svdvals(a)
    np.testing.assert_allclose(s.max(), np.linalg.norm(a, 2), rtol=1e-10)


def test_the_serial_pool_of_other_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "is_parallel", lambda: False)
    code = jit.load(jit.compile_text(pool.text(), opt=0, baseline=True), ("tt_parallel",))
    kinds = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64]
    bodies, counts = Bodies(), np.zeros(9, np.int64)
    ctypes.CFUNCTYPE(None, *kinds)(code["tt_parallel"])(
        bodies.code["bump"], counts.ctypes.data, 8, 4
    )
    assert counts.tolist() == [1] * 8 + [0]


@pytest.mark.parametrize("machine", sorted(pool.PAUSE))
def test_other_machines(machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text names only what the machine has; LLVM reads it."""
    monkeypatch.setattr(pool, "_machine", lambda: machine)
    text = pool.text()
    if machine == "x86_64":
        assert jit.parse(text)
    assert ("x86" in text) == (machine == "x86_64")
    assert str(pool.FUTEX[machine]) in text
