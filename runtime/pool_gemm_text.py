"""Products on the thread pool, as LLVM IR: whose code computes them, and in which pieces.

`tt_dgemm` and `tt_sgemm` take BLAS' arguments. With more than one thread they cut the product into
pieces, each computed by one thread, by OpenBLAS or by code of our own (`products`).

OpenBLAS' own threads would wait for each other (beside a busy processor a product took 30 ms
instead of 5), and give other bits than one thread in 240 of 400 random cases. Its pieces give the
same bits where they start at multiples of 24 columns (any dimension in single precision) and stay
large: OpenBLAS computes tiles, and small products otherwise. Measured and tested; each piece packs
an operand again, 5 to 10 % of its time, so one thread takes the product whole.
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

PARAMETERS = (
    "ptr %ta, ptr %tb, ptr %m, ptr %n, ptr %k, ptr %alpha, ptr %a, ptr %lda, ptr %b, ptr %ldb, "
    "ptr %beta, ptr %c, ptr %ldc"
)

SOURCE = """
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

; Columns of c, or rows where that is better and the bits allow it, in pieces. Whose product it is
; depends on the whole sizes, so the bits do not depend on the pieces.
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
