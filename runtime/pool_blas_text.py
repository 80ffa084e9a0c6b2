"""BLAS on the thread pool, as LLVM IR: kernels that call it, and threads for OpenBLAS itself.

`tt_blas_kernel` sees to OpenBLAS' number of threads while a kernel of ours runs; the products
themselves are in `pool_gemm_text`.

`tt_gang` is for whoever else calls this OpenBLAS with threads: they are the pool's, for two pools
on one machine wait for each other.
"""

from __future__ import annotations

from tetractys.runtime import pool_gemm_text

GLOBALS = """
@gang_lock = internal global [128 x i8] zeroinitializer, align 128
@blas_lock = internal global [128 x i8] zeroinitializer, align 128
@blas_users = internal global i64 0, align 8
@blas_rest = internal global i32 0, align 4   ; OpenBLAS' number of threads between our calls
@blas_threads = internal global i64 0, align 8  ; the number of the latest call
@blas_set = internal global ptr null, align 8
@blas_get = internal global ptr null, align 8
@blas_dgemm = internal global ptr null, align 8
@blas_sgemm = internal global ptr null, align 8
@own_dgemm = internal global ptr null, align 8   ; products of our own, null where there are none
@own_sgemm = internal global ptr null, align 8

; In the child of a fork.
define internal void @blas_forked() {
  call void @llvm.memset.p0.i64(ptr @gang_lock, i8 0, i64 128, i1 false)
  call void @llvm.memset.p0.i64(ptr @blas_lock, i8 0, i64 128, i1 false)
  store i64 0, ptr @blas_users
  ret void
}
"""

GANG = """
; OpenBLAS' jobs 0 to %count - 1, each on a thread of its own: workers, or, where the pool has
; another job, threads made for this.
define void @tt_gang(i32 %sync, ptr %job, i32 %count32, i64 %size, ptr %data, i32 %extra) {
entry:
  %call = alloca { ptr, ptr, i64, i32 }
  %count = sext i32 %count32 to i64
  %data_at = getelementptr i8, ptr %call, i64 8
  %size_at = getelementptr i8, ptr %call, i64 16
  %extra_at = getelementptr i8, ptr %call, i64 24
  store ptr %job, ptr %call
  store ptr %data, ptr %data_at
  store i64 %size, ptr %size_at
  store i32 %extra, ptr %extra_at
  ; Two gangs at once would share OpenBLAS' buffers.
  %locked = call i32 @pthread_mutex_lock(ptr @gang_lock)
  %several = icmp sgt i64 %count, 1
  br i1 %several, label %claim, label %only
only:
  call void @gang_body(ptr %call, i64 0)
  br label %done
claim:
  %others = sub i64 %count, 1
  %got = cmpxchg ptr @owner, i32 0, i32 1 acquire monotonic
  %mine = extractvalue { i32, i1 } %got, 1
  br i1 %mine, label %gather, label %strangers
gather:
  %have = call i64 @grow(i64 %others)
  %stopped = load atomic i32, ptr @stopped monotonic, align 4
  %live = icmp eq i32 %stopped, 0
  %enough = icmp uge i64 %have, %others
  %served = and i1 %live, %enough
  br i1 %served, label %run, label %give_back
run:
  call void @open(ptr @gang_body, ptr %call, i64 %count, i64 %others, i64 1)
  call void @gang_body(ptr %call, i64 0)
  call void @await(i64 %others)
  call void @close()
  store atomic i32 0, ptr @owner release, align 4
  br label %done
give_back:
  store atomic i32 0, ptr @owner release, align 4
  br label %strangers
strangers:
  call void @hire(ptr %call, i64 %count)
  br label %done
done:
  %unlocked = call i32 @pthread_mutex_unlock(ptr @gang_lock)
  ret void
}

define internal void @gang_body(ptr %call, i64 %index) {
  %data_at = getelementptr i8, ptr %call, i64 8
  %size_at = getelementptr i8, ptr %call, i64 16
  %extra_at = getelementptr i8, ptr %call, i64 24
  %job = load ptr, ptr %call
  %data = load ptr, ptr %data_at
  %size = load i64, ptr %size_at
  %extra = load i32, ptr %extra_at
  %offset = mul i64 %index, %size
  %mine = getelementptr i8, ptr %data, i64 %offset
  %index32 = trunc i64 %index to i32
  call void %job(i32 %index32, ptr %mine, i32 %extra)
  ret void
}

; A gang on threads of its own, which end with it.
define internal void @hire(ptr %call, i64 %count) {
entry:
  %rows = alloca { ptr, i64, i64 }, i64 %count  ; the gang, the job, the thread
  br label %fill
fill:
  %i = phi i64 [1, %entry], [%i1, %made]
  %row = getelementptr { ptr, i64, i64 }, ptr %rows, i64 %i
  %index_at = getelementptr i8, ptr %row, i64 8
  %thread_at = getelementptr i8, ptr %row, i64 16
  store ptr %call, ptr %row
  store i64 %i, ptr %index_at
  br label %create
create:
  %failed = call i32 @pthread_create(ptr %thread_at, ptr null, ptr @hired, ptr %row)
  %good = icmp eq i32 %failed, 0
  br i1 %good, label %made, label %yield
yield:  ; the jobs wait for each other: there is nothing else to do
  %yielded = call i32 @sched_yield()
  br label %create
made:
  %i1 = add i64 %i, 1
  %more = icmp slt i64 %i1, %count
  br i1 %more, label %fill, label %own
own:
  call void @gang_body(ptr %call, i64 0)
  br label %join
join:
  %k = phi i64 [1, %own], [%k1, %join]
  %last_row = getelementptr { ptr, i64, i64 }, ptr %rows, i64 %k
  %last_at = getelementptr i8, ptr %last_row, i64 16
  %thread = load i64, ptr %last_at
  %joined = call i32 @pthread_join(i64 %thread, ptr null)
  %k1 = add i64 %k, 1
  %waiting = icmp slt i64 %k1, %count
  br i1 %waiting, label %join, label %done
done:
  ret void
}

define internal ptr @hired(ptr %row) {
  %index_at = getelementptr i8, ptr %row, i64 8
  %call = load ptr, ptr %row
  %index = load i64, ptr %index_at
  call void @gang_body(ptr %call, i64 %index)
  ret ptr null
}
"""

KERNEL = """
define void @tt_blas_attach(ptr %set, ptr %get, ptr %dgemm, ptr %sgemm) {
  store ptr %set, ptr @blas_set
  store ptr %get, ptr @blas_get
  store ptr %dgemm, ptr @blas_dgemm
  store ptr %sgemm, ptr @blas_sgemm
  ret void
}

; A kernel that calls BLAS; its address stands one word before its table of functions. OpenBLAS has
; one number of threads for the process: 1 as long as a kernel of ours runs, then what it was.
define i32 @tt_blas_kernel(ptr %flat) {
  %table_at = getelementptr i64, ptr %flat, i64 1
  %table = load ptr, ptr %table_at
  %kernel_at = getelementptr i64, ptr %table, i64 -1
  %kernel = load ptr, ptr %kernel_at
  %threads_at = getelementptr i64, ptr %flat, i64 8
  %threads = load i64, ptr %threads_at
  store atomic i64 %threads, ptr @blas_threads monotonic, align 8
  call void @blas_begin()
  %status = call i32 %kernel(ptr %flat)
  call void @blas_end()
  ret i32 %status
}

define internal void @blas_begin() {
  %locked = call i32 @pthread_mutex_lock(ptr @blas_lock)
  %users = load i64, ptr @blas_users
  %users1 = add i64 %users, 1
  store i64 %users1, ptr @blas_users
  %first = icmp eq i64 %users, 0
  br i1 %first, label %note, label %done
note:
  %get = load ptr, ptr @blas_get
  %has = call i32 %get()
  store i32 %has, ptr @blas_rest
  call void @blas_number(i32 1, i32 %has)
  br label %done
done:
  %unlocked = call i32 @pthread_mutex_unlock(ptr @blas_lock)
  ret void
}

define internal void @blas_end() {
  %locked = call i32 @pthread_mutex_lock(ptr @blas_lock)
  %users = load i64, ptr @blas_users
  %users1 = sub i64 %users, 1
  store i64 %users1, ptr @blas_users
  %last = icmp eq i64 %users1, 0
  br i1 %last, label %restore, label %done
restore:
  %rest = load i32, ptr @blas_rest
  call void @blas_number(i32 %rest, i32 1)
  br label %done
done:
  %unlocked = call i32 @pthread_mutex_unlock(ptr @blas_lock)
  ret void
}

define internal void @blas_number(i32 %wanted, i32 %has) {
  %same = icmp eq i32 %wanted, %has
  br i1 %same, label %done, label %change
change:
  %set = load ptr, ptr @blas_set
  call void %set(i32 %wanted)
  br label %done
done:
  ret void
}
"""

SOURCE = GLOBALS + GANG + KERNEL + pool_gemm_text.SOURCE
