"""The thread pool as LLVM IR: one job at a time, cut into chunks that any thread may claim.

`tt_parallel` opens a job, works on it, closes it and waits for those who joined. A worker joins by
compare-and-swap on the ticket, so a worker that the machine does not let run is not waited for: its
chunks are done by others. An idle worker looks at the ticket for a while, then sleeps on a futex.
Nothing here touches Python or allocates; threads are made at the first job that wants them.

A job of a *gang* is for OpenBLAS (`pool_blas_text`), whose jobs wait for each other: each has a
live thread of its own, and all are waited for. Source: LOOPS 6; the sleep is the usual futex
protocol (U. Drepper, "Futexes are tricky").
"""

from __future__ import annotations

from tetractys.runtime import pool_blas_text

SPIN_NANOSECONDS = 1_000_000
"""How long an idle worker looks for the next job before it sleeps. Waking it takes 20 to 100 us."""

STACK_BYTES = 2 << 20
MOST_WORKERS = 1023

# The ticket, one word: number of the job << 32 | workers wanted << 17 | open << 16 | joined.
GLOBALS = """
@owner = internal global i32 0, align 128     ; 1: somebody's job is here
@ticket = internal global i64 0, align 128
@next = internal global i64 0, align 128      ; the next chunk to be claimed
@left = internal global i64 0, align 128      ; workers that joined and are through
@body = internal global ptr null, align 128
@env = internal global ptr null, align 8
@chunks = internal global i64 0, align 8
@gang = internal global i64 0, align 8
@sleepers = internal global i32 0, align 128
@alarm = internal global i32 0, align 4       ; the futex
@workers = internal global i32 0, align 128
@processors = internal global i32 1, align 4
@stopped = internal global i32 0, align 4     ; 1: no thread is made, none waits any more
@title = private constant [10 x i8] c"tetractys\\00"

declare i64 @syscall(i64, ...)
declare i32 @prctl(i32, ...)
declare i32 @pthread_create(ptr, ptr, ptr, ptr)
declare i32 @pthread_join(i64, ptr)
declare i32 @pthread_attr_init(ptr)
declare i32 @pthread_attr_destroy(ptr)
declare i32 @pthread_attr_setstacksize(ptr, i64)
declare i32 @pthread_attr_setdetachstate(ptr, i32)
declare i32 @pthread_sigmask(i32, ptr, ptr)
declare i32 @pthread_mutex_lock(ptr)
declare i32 @pthread_mutex_unlock(ptr)
declare i32 @sched_yield()
declare i32 @clock_gettime(i32, ptr)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)

define internal i64 @now() {
  %time = alloca { i64, i64 }
  %status = call i32 @clock_gettime(i32 1, ptr %time)
  %seconds = load i64, ptr %time
  %rest_at = getelementptr i64, ptr %time, i64 1
  %rest = load i64, ptr %rest_at
  %whole = mul i64 %seconds, 1000000000
  %sum = add i64 %whole, %rest
  ret i64 %sum
}
"""

JOB = """
; Opens a job for up to %helpers workers, and wakes as many as are missing.
define internal void @open(ptr %body, ptr %env, i64 %chunks, i64 %helpers, i64 %gang) {
  store ptr %body, ptr @body
  store ptr %env, ptr @env
  store i64 %chunks, ptr @chunks
  store i64 %gang, ptr @gang
  store atomic i64 %gang, ptr @next monotonic, align 8  ; a gang's chunk 0 is the master's
  store atomic i64 0, ptr @left monotonic, align 8
  %old = load atomic i64, ptr @ticket monotonic, align 8
  %number = lshr i64 %old, 32
  %number1 = add i64 %number, 1
  %high = shl i64 %number1, 32
  %wanted = shl i64 %helpers, 17
  %low = or i64 %wanted, 65536
  %new = or i64 %high, %low
  %was = atomicrmw xchg ptr @ticket, i64 %new seq_cst
  ; A worker counts itself asleep before its last look at the ticket: one of us sees the other.
  %asleep = load atomic i32, ptr @sleepers seq_cst, align 4
  %any = icmp ne i32 %asleep, 0
  br i1 %any, label %count, label %done
count:
  %workers = load atomic i32, ptr @workers monotonic, align 4
  %awake = sub i32 %workers, %asleep
  %helpers32 = trunc i64 %helpers to i32
  %missing = sub i32 %helpers32, %awake
  %needed = icmp sgt i32 %missing, 0
  br i1 %needed, label %wake, label %done
wake:
  call void @ring(i32 %missing)
  br label %done
done:
  ret void
}

define internal void @ring(i32 %count) {
  %old = atomicrmw add ptr @alarm, i32 1 seq_cst
  %woken = call i64 (i64, ...) @syscall(i64 $FUTEX, ptr @alarm, i32 129, i32 %count, \
ptr null, ptr null, i32 0)
  ret void
}

; Claims chunks and does them, until there are no more; in a gang, one.
define internal void @work() {
entry:
  %body = load ptr, ptr @body
  %env = load ptr, ptr @env
  %chunks = load i64, ptr @chunks
  %gang = load i64, ptr @gang
  %one = icmp ne i64 %gang, 0
  br label %claim
claim:
  %chunk = atomicrmw add ptr @next, i64 1 monotonic
  %more = icmp slt i64 %chunk, %chunks
  br i1 %more, label %run, label %done
run:
  call void %body(ptr %env, i64 %chunk)
  br i1 %one, label %done, label %claim
done:
  ret void
}

; Lets nobody else join and returns when all who did are through.
define internal void @close() {
  %last = atomicrmw and ptr @ticket, i64 -65537 seq_cst
  %joined = and i64 %last, 65535
  call void @await(i64 %joined)
  ret void
}

define internal void @await(i64 %joined) {
entry:
  br label %look
look:
  %turn = phi i64 [0, %entry], [%turn1, %again]
  %left = load atomic i64, ptr @left acquire, align 8
  %through = icmp eq i64 %left, %joined
  br i1 %through, label %done, label %wait
wait:
  call void @pause()
  %turn1 = add i64 %turn, 1
  %long = icmp ugt i64 %turn1, 2048
  br i1 %long, label %yield, label %again
yield:  ; whom we wait for may stand in line for this very processor
  %yielded = call i32 @sched_yield()
  br label %again
again:
  br label %look
done:
  ret void
}

; The number of workers, after threads were made if there are fewer than %wanted. For the owner.
define internal i64 @grow(i64 %wanted) {
entry:
  %attributes = alloca [128 x i8], align 16
  %all = alloca [16 x i64], align 16
  %mask = alloca [16 x i64], align 16
  %thread = alloca i64
  %have32 = load atomic i32, ptr @workers monotonic, align 4
  %have = zext i32 %have32 to i64
  %enough = icmp uge i64 %have, %wanted
  br i1 %enough, label %plenty, label %test
plenty:
  ret i64 %have
test:
  %stopped = load atomic i32, ptr @stopped monotonic, align 4
  %final = icmp ne i32 %stopped, 0
  br i1 %final, label %plenty, label %prepare
prepare:  ; signals are for Python's threads, but for those that say that something crashed
  call void @llvm.memset.p0.i64(ptr %all, i8 -1, i64 128, i1 false)
  store i64 $SIGNALS, ptr %all
  %masked = call i32 @pthread_sigmask(i32 0, ptr %all, ptr %mask)
  %made = call i32 @pthread_attr_init(ptr %attributes)
  %sized = call i32 @pthread_attr_setstacksize(ptr %attributes, i64 $STACK_BYTES)
  %loose = call i32 @pthread_attr_setdetachstate(ptr %attributes, i32 1)
  br label %create
create:
  %count = phi i64 [%have, %prepare], [%count1, %counted]
  %index = inttoptr i64 %count to ptr
  %failed = call i32 @pthread_create(ptr %thread, ptr %attributes, ptr @worker, ptr %index)
  %good = icmp eq i32 %failed, 0
  br i1 %good, label %counted, label %end
counted:
  %count1 = add i64 %count, 1
  %less = icmp ult i64 %count1, %wanted
  br i1 %less, label %create, label %end
end:
  %now = phi i64 [%count, %create], [%count1, %counted]
  %now32 = trunc i64 %now to i32
  store atomic i32 %now32, ptr @workers release, align 4
  %destroyed = call i32 @pthread_attr_destroy(ptr %attributes)
  %restored = call i32 @pthread_sigmask(i32 2, ptr %mask, ptr null)
  ret i64 %now
}

; body(env, 0), ..., body(env, chunks - 1), each once, on up to %threads threads.
define void @tt_parallel(ptr %body, ptr %env, i64 %chunks, i64 %threads) {
entry:
  %several = icmp sgt i64 %chunks, 1
  %allowed = icmp sgt i64 %threads, 1
  %both = and i1 %several, %allowed
  br i1 %both, label %claim, label %alone
claim:  ; taken: by another thread's job, or this is a chunk of one
  %got = cmpxchg ptr @owner, i32 0, i32 1 acquire monotonic
  %mine = extractvalue { i32, i1 } %got, 1
  br i1 %mine, label %gather, label %alone
gather:
  %fewer = icmp slt i64 %chunks, %threads
  %useful = select i1 %fewer, i64 %chunks, i64 %threads
  %others = sub i64 %useful, 1
  %modest = icmp ult i64 %others, $MOST_WORKERS
  %wanted = select i1 %modest, i64 %others, i64 $MOST_WORKERS
  %have = call i64 @grow(i64 %wanted)
  %short = icmp ult i64 %have, %wanted
  %helpers = select i1 %short, i64 %have, i64 %wanted
  call void @open(ptr %body, ptr %env, i64 %chunks, i64 %helpers, i64 0)
  call void @work()
  call void @close()
  store atomic i32 0, ptr @owner release, align 4
  ret void
alone:
  %some = icmp sgt i64 %chunks, 0
  br i1 %some, label %run, label %done
run:
  %chunk = phi i64 [0, %alone], [%chunk1, %run]
  call void %body(ptr %env, i64 %chunk)
  %chunk1 = add i64 %chunk, 1
  %more = icmp slt i64 %chunk1, %chunks
  br i1 %more, label %run, label %done
done:
  ret void
}
"""

RUN = """
; The iterations of a nest, %size of them, in chunks of a multiple of %multiple, about %wanted of
; them: part(env, chunk) does one. Word 0 of the environment is the flat block of the call, word 1
; becomes the length of a chunk. Returns their number. If chunks combine something (%combines) it
; may not depend on the number of threads; without, a single thread does all in one.
define i32 @tt_run(ptr %env, ptr %part, i64 %size, i64 %multiple, i64 %wanted, i64 %combines) {
entry:
  %length_at = getelementptr i64, ptr %env, i64 1
  %several = icmp sgt i64 %wanted, 1
  br i1 %several, label %ask, label %whole
whole:
  store i64 %size, ptr %length_at
  call void %part(ptr %env, i64 0)
  ret i32 1
ask:
  %flat = load ptr, ptr %env
  %threads_at = getelementptr i64, ptr %flat, i64 8
  %threads = load i64, ptr %threads_at
  %single = icmp sle i64 %threads, 1
  %free = icmp eq i64 %combines, 0
  %one = and i1 %single, %free
  br i1 %one, label %whole, label %cut
cut:
  %wanted1 = sub i64 %wanted, 1
  %raised = add i64 %size, %wanted1
  %even = udiv i64 %raised, %wanted
  %multiple1 = sub i64 %multiple, 1
  %even_raised = add i64 %even, %multiple1
  %units = udiv i64 %even_raised, %multiple
  %units_or_one = call i64 @llvm.umax.i64(i64 %units, i64 1)
  %length = mul i64 %units_or_one, %multiple
  store i64 %length, ptr %length_at
  %length1 = sub i64 %length, 1
  %size_raised = add i64 %size, %length1
  %found = udiv i64 %size_raised, %length
  %chunks = call i64 @llvm.umax.i64(i64 %found, i64 1)
  call void @tt_parallel(ptr %part, ptr %env, i64 %chunks, i64 %threads)
  %status = trunc i64 %chunks to i32
  ret i32 %status
}
"""

WORKER = """
; Whether the ticket is of a job after number %seen that still takes workers.
define internal zeroext i1 @joinable(i64 %ticket, i64 %seen) {
  %bit = and i64 %ticket, 65536
  %open = icmp ne i64 %bit, 0
  %number = lshr i64 %ticket, 32
  %other = icmp ne i64 %number, %seen
  %joined = and i64 %ticket, 65535
  %shifted = lshr i64 %ticket, 17
  %wanted = and i64 %shifted, 32767
  %room = icmp ult i64 %joined, %wanted
  %new = and i1 %open, %other
  %yes = and i1 %new, %room
  ret i1 %yes
}

define internal ptr @worker(ptr %argument) {
entry:
  %index = ptrtoint ptr %argument to i64
  %named = call i32 (i32, ...) @prctl(i32 15, ptr @title)
  %processors32 = load i32, ptr @processors
  %processors = zext i32 %processors32 to i64
  %with_master = add i64 %index, 2
  %spins = icmp ule i64 %with_master, %processors  ; one too many would take the others' time
  %patience = select i1 %spins, i64 $SPIN_NANOSECONDS, i64 0
  br label %idle
idle:
  %seen = phi i64 [0, %entry], [%number, %run], [%seen, %asleep]
  %start = call i64 @now()
  %deadline = add i64 %start, %patience
  br label %look
look:
  %turn = phi i64 [0, %idle], [%turn, %join], [%turn1, %pause], [%turn1, %clock]
  %ticket = load atomic i64, ptr @ticket acquire, align 8
  %wanted = call zeroext i1 @joinable(i64 %ticket, i64 %seen)
  br i1 %wanted, label %join, label %pause
join:
  %ticket1 = add i64 %ticket, 1
  %pair = cmpxchg ptr @ticket, i64 %ticket, i64 %ticket1 acq_rel monotonic
  %joined = extractvalue { i64, i1 } %pair, 1
  br i1 %joined, label %run, label %look
run:
  %number = lshr i64 %ticket, 32
  call void @work()
  %gone = atomicrmw add ptr @left, i64 1 release
  br label %idle
pause:
  call void @pause()
  %turn1 = add i64 %turn, 1
  %low = and i64 %turn1, 31
  %look_up = icmp eq i64 %low, 0
  br i1 %look_up, label %clock, label %look
clock:
  %time = call i64 @now()
  %late = icmp sge i64 %time, %deadline
  br i1 %late, label %lie_down, label %look
lie_down:
  %before = atomicrmw add ptr @sleepers, i32 1 seq_cst
  %alarm = load atomic i32, ptr @alarm seq_cst, align 4
  %stopped = load atomic i32, ptr @stopped seq_cst, align 4
  %final = icmp ne i32 %stopped, 0
  br i1 %final, label %exit, label %last_look
last_look:
  %ticket2 = load atomic i64, ptr @ticket seq_cst, align 8
  %wanted2 = call zeroext i1 @joinable(i64 %ticket2, i64 %seen)
  br i1 %wanted2, label %asleep, label %sleep
sleep:
  %woken = call i64 (i64, ...) @syscall(i64 $FUTEX, ptr @alarm, i32 128, i32 %alarm, \
ptr null, ptr null, i32 0)
  br label %asleep
asleep:
  %after = atomicrmw sub ptr @sleepers, i32 1 seq_cst
  br label %idle
exit:  ; counted asleep for good: nobody waits for it
  ret ptr null
}
"""

LIFE = """
define void @tt_pool_start(i32 %processors) {
  store i32 %processors, ptr @processors
  ret void
}

; In the child of a fork: no thread but this one is there, and no lock is held that counts.
define void @tt_pool_forked() {
  store atomic i32 0, ptr @workers seq_cst, align 4
  store atomic i32 0, ptr @sleepers seq_cst, align 4
  %old = load atomic i64, ptr @ticket monotonic, align 8
  %shut = and i64 %old, -65537
  store atomic i64 %shut, ptr @ticket seq_cst, align 8
  call void @blas_forked()
  store atomic i32 0, ptr @owner seq_cst, align 4
  ret void
}

; For the end of the process: workers end when they are through, later jobs are done by the caller.
define void @tt_pool_stop() {
  store atomic i32 1, ptr @stopped seq_cst, align 4
  call void @ring(i32 2147483647)
  ret void
}

define i32 @tt_pool_workers() {
  %workers = load atomic i32, ptr @workers acquire, align 4
  ret i32 %workers
}
"""

SYMBOLS = (
    "tt_parallel",
    "tt_run",
    "tt_gang",
    "tt_blas_kernel",
    "tt_blas_attach",
    "tt_blas_own",
    "tt_dgemm",
    "tt_sgemm",
    "tt_pool_start",
    "tt_pool_forked",
    "tt_pool_stop",
    "tt_pool_workers",
)
SOURCE = GLOBALS + JOB + RUN + WORKER + pool_blas_text.SOURCE + LIFE
