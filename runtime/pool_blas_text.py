"""BLAS on the thread pool, as LLVM IR: products in pieces, and threads for OpenBLAS itself.

`tt_dgemm` and `tt_sgemm` take BLAS' arguments. With more than one thread they cut the product into
pieces, each a product by OpenBLAS on one thread. OpenBLAS' own threads would wait for each other
(beside a busy processor a product took 30 ms instead of 5), and give other bits than one thread in
240 of 400 random cases. Pieces give the same bits where they start at multiples of 24 columns (any
dimension in single precision) and stay large: OpenBLAS computes tiles, and small products
otherwise. Measured and tested; each piece packs an operand again, 5 to 10 % of its time, so one
thread takes the product whole.

`tt_gang` is for whoever else calls this OpenBLAS with threads: they are the pool's, for two pools
on one machine wait for each other.
"""

from __future__ import annotations

LEAST_WORK = 1 << 20
"""Multiplications of a piece: 20 to 40 us, and more than OpenBLAS has small products be."""

LEAST_WIDTH, TILE = 96, 24

OWN_TILE = 16
"""Products of our own start anywhere, best at whole vectors."""

OWN_SIDE, OWN_WORK = 4, 1 << 18
"""Products whose result has so many rows and columns, and of so much work, are ours where
`products` has them: they take 0.75 to 0.95 of OpenBLAS' time. Of a row or a column OpenBLAS makes
a product with a vector; below this work its small kernels are as fast, or faster.
"""

GEMM_FIELDS = "REAL TA TB M N K ALPHA A LDA B LDB BETA C LDC BYTES WIDTH PIECES COLUMNS".split()

CONSTANTS = {
    "LEAST_WORK": LEAST_WORK,
    "LEAST_WIDTH": LEAST_WIDTH,
    "TILE": TILE,
    "OWN_TILE": OWN_TILE,
    "OWN_WIDE": 2 * LEAST_WIDTH,
    "OWN_SIDE": OWN_SIDE,
    "OWN_WORK": OWN_WORK,
    **{name: 8 * k for k, name in enumerate(GEMM_FIELDS)},
}

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

PARAMETERS = (
    "ptr %ta, ptr %tb, ptr %m, ptr %n, ptr %k, ptr %alpha, ptr %a, ptr %lda, ptr %b, ptr %ldb, "
    "ptr %beta, ptr %c, ptr %ldc"
)

GEMM = """
define void @tt_dgemm(PARAMETERS) {
  %real = load ptr, ptr @blas_dgemm
  call void @gemm(ptr %real, i64 8, PARAMETERS)
  ret void
}

define void @tt_sgemm(PARAMETERS) {
  %real = load ptr, ptr @blas_sgemm
  call void @gemm(ptr %real, i64 4, PARAMETERS)
  ret void
}

define void @tt_blas_own(i32 %single, ptr %product) {
  %short = icmp ne i32 %single, 0
  %where = select i1 %short, ptr @own_sgemm, ptr @own_dgemm
  store ptr %product, ptr %where
  ret void
}

define internal i64 @integer(ptr %at) {
  %short = load i32, ptr %at
  %long = sext i32 %short to i64
  ret i64 %long
}

define internal i64 @least(i64 %x, i64 %y) {
  %less = icmp slt i64 %x, %y
  %least = select i1 %less, i64 %x, i64 %y
  ret i64 %least
}

; Columns of c, or rows where there are more of them and the bits allow it, in pieces.
; Whether a product is neither scaled nor added to what is there.
define internal zeroext i1 @plain(i1 %single, ptr %alpha, ptr %beta) {
  br i1 %single, label %short, label %long
short:
  %scale32 = load i32, ptr %alpha
  %keep32 = load i32, ptr %beta
  %one32 = icmp eq i32 %scale32, 1065353216
  %zero32 = icmp eq i32 %keep32, 0
  %both32 = and i1 %one32, %zero32
  ret i1 %both32
long:
  %scale = load i64, ptr %alpha
  %keep = load i64, ptr %beta
  %one = icmp eq i64 %scale, 4607182418800017408
  %zero = icmp eq i64 %keep, 0
  %both = and i1 %one, %zero
  ret i1 %both
}

; Whose product it is depends on the whole sizes, so the bits do not depend on the pieces.
define internal void @gemm(ptr %library, i64 %bytes, PARAMETERS) {
entry:
  %env = alloca [20 x i64], align 16
  %rows = call i64 @integer(ptr %m)
  %columns = call i64 @integer(ptr %n)
  %depth = call i64 @integer(ptr %k)
  %area = mul i64 %rows, %columns
  %work = mul i64 %area, %depth
  %single = icmp eq i64 %bytes, 4
  %own_at = select i1 %single, ptr @own_sgemm, ptr @own_dgemm
  %own = load ptr, ptr %own_at
  %has = icmp ne ptr %own, null
  %shorter = call i64 @least(i64 %rows, i64 %columns)
  %wide = icmp sge i64 %shorter, $OWN_SIDE
  %large = icmp sge i64 %work, $OWN_WORK
  %sized = and i1 %wide, %large
  %plain = call zeroext i1 @plain(i1 %single, ptr %alpha, ptr %beta)
  %suits = and i1 %sized, %plain
  %ours = and i1 %has, %suits
  %real = select i1 %ours, ptr %own, ptr %library
  %threads = load atomic i64, ptr @blas_threads monotonic, align 8
  %several = icmp sgt i64 %threads, 1
  br i1 %several, label %measure, label %whole
measure:
  %by_work = udiv i64 %work, $LEAST_WORK
  %tall = icmp sgt i64 %rows, %columns
  %library_rows = and i1 %single, %tall
  ; Ours copies a in any case, and b where it is transposed: pieces of rows do that anew.
  %b_given = load i8, ptr %tb
  %b_low = or i8 %b_given, 32
  %b_made = icmp ne i8 %b_low, 110            ; n
  %long = icmp sgt i64 %columns, %rows
  %b_costs = and i1 %b_made, %long
  %b_cheap = xor i1 %b_costs, 1
  %enough = icmp sge i64 %rows, $OWN_WIDE
  %own_rows = and i1 %enough, %b_cheap
  %by_rows = select i1 %ours, i1 %own_rows, i1 %library_rows
  %tile = select i1 %ours, i64 $OWN_TILE, i64 $TILE
  %size = select i1 %by_rows, i64 %rows, i64 %columns
  %by_width = udiv i64 %size, $LEAST_WIDTH
  %possible = call i64 @least(i64 %by_work, i64 %by_width)
  %pieces0 = call i64 @least(i64 %possible, i64 %threads)
  %worth = icmp sgt i64 %pieces0, 1
  br i1 %worth, label %cut, label %whole
cut:
  %share = udiv i64 %size, %pieces0
  %tiles = udiv i64 %share, %tile
  %width = mul i64 %tiles, %tile
  %pieces = udiv i64 %size, %width
  %along = zext i1 %by_rows to i64
  %column_wise = xor i64 %along, 1
  put ptr %real, %env[REAL]
  put ptr %ta, %env[TA]
  put ptr %tb, %env[TB]
  put ptr %m, %env[M]
  put ptr %n, %env[N]
  put ptr %k, %env[K]
  put ptr %alpha, %env[ALPHA]
  put ptr %a, %env[A]
  put ptr %lda, %env[LDA]
  put ptr %b, %env[B]
  put ptr %ldb, %env[LDB]
  put ptr %beta, %env[BETA]
  put ptr %c, %env[C]
  put ptr %ldc, %env[LDC]
  put i64 %bytes, %env[BYTES]
  put i64 %width, %env[WIDTH]
  put i64 %pieces, %env[PIECES]
  put i64 %column_wise, %env[COLUMNS]
  call void @tt_parallel(ptr @gemm_piece, ptr %env, i64 %pieces, i64 %threads)
  ret void
whole:
  call void %real(PARAMETERS)
  ret void
}

; Elements from one index of %which to the next in an operand with a letter and leading dimension.
define internal i64 @stride(ptr %letter, ptr %leading, i8 %if) {
  %given = load i8, ptr %letter
  %low = or i8 %given, 32
  %plain = icmp eq i8 %low, 110               ; n
  %asked = icmp eq i8 %if, 110
  %far = icmp eq i1 %plain, %asked
  %long = call i64 @integer(ptr %leading)
  %stride = select i1 %far, i64 %long, i64 1
  ret i64 %stride
}

define internal void @gemm_piece(ptr %env, i64 %index) {
entry:
  %count = alloca i32
  %real = get ptr %env[REAL]
  %ta = get ptr %env[TA]
  %tb = get ptr %env[TB]
  %m0 = get ptr %env[M]
  %n0 = get ptr %env[N]
  %k = get ptr %env[K]
  %alpha = get ptr %env[ALPHA]
  %a0 = get ptr %env[A]
  %lda = get ptr %env[LDA]
  %b0 = get ptr %env[B]
  %ldb = get ptr %env[LDB]
  %beta = get ptr %env[BETA]
  %c0 = get ptr %env[C]
  %ldc = get ptr %env[LDC]
  %bytes = get i64 %env[BYTES]
  %width = get i64 %env[WIDTH]
  %pieces = get i64 %env[PIECES]
  %column_wise = get i64 %env[COLUMNS]
  %columns = icmp ne i64 %column_wise, 0
  %size_at = select i1 %columns, ptr %n0, ptr %m0
  %size = call i64 @integer(ptr %size_at)
  %first = mul i64 %index, %width
  %rest = sub i64 %size, %first
  %next = add i64 %index, 1
  %last = icmp eq i64 %next, %pieces
  %mine = select i1 %last, i64 %rest, i64 %width   ; the last piece takes what is over
  %mine32 = trunc i64 %mine to i32
  store i32 %mine32, ptr %count
  %m = select i1 %columns, ptr %m0, ptr %count
  %n = select i1 %columns, ptr %count, ptr %n0
  %a_stride = call i64 @stride(ptr %ta, ptr %lda, i8 116)
  %b_stride = call i64 @stride(ptr %tb, ptr %ldb, i8 110)
  %c_stride = call i64 @integer(ptr %ldc)
  %a_step = select i1 %columns, i64 0, i64 %a_stride
  %b_step = select i1 %columns, i64 %b_stride, i64 0
  %c_step = select i1 %columns, i64 %c_stride, i64 1
  %start = mul i64 %first, %bytes
  %a_offset = mul i64 %start, %a_step
  %b_offset = mul i64 %start, %b_step
  %c_offset = mul i64 %start, %c_step
  %a = getelementptr i8, ptr %a0, i64 %a_offset
  %b = getelementptr i8, ptr %b0, i64 %b_offset
  %c = getelementptr i8, ptr %c0, i64 %c_offset
  call void %real(PARAMETERS)
  ret void
}
""".replace("PARAMETERS", PARAMETERS)

SOURCE = GLOBALS + GANG + KERNEL + GEMM
