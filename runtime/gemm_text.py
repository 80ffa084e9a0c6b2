"""Matrix products of our own as LLVM IR, for machines with vectors of 64 bytes (AVX-512).

The loops are those of Goto and van de Geijn ("Anatomy of high-performance matrix multiplication",
2008): blocks of B, and of A unless its rows are dense, are copied into the order in which they are
read by the innermost loop, a tile of 12 rows by 2 vectors kept in 24 registers. Its every
step is two vectors of B and twelve numbers of A for 24 multiply-adds.

An element is the sum of its terms in order, in blocks of `DEPTH`; so its bits depend neither on the
other sizes nor on how a product is cut into pieces. What C held before is never read.

`tt_own_sgemm` takes the arguments of BLAS (column by column; alpha must be 1 and beta 0, they are
not looked at) and computes the transposed product row by row.
"""

from __future__ import annotations

VECTOR_BYTES = 64
ROWS, VECTORS = 12, 2
"""The tile: 24 accumulators, of 32 registers."""
GROUP = 3
"""Rows of A that are addressed from one register: at once, twice and no times their distance."""
DEPTH = 256
"""Terms of a block: a panel of B then fills half of the L1 cache (256 * 2 vectors = 32 KB)."""
HEIGHT, WIDTH_PANELS = 96, 16
"""Rows of a block of A (96 KB of single precision), panels of a block of B (512 KB)."""


class _Kind:
    """The names of one precision."""

    def __init__(self, letter: str, scalar: str, bits: int) -> None:
        self.letter = letter
        self.scalar = scalar
        self.bytes = bits // 8
        self.lanes = VECTOR_BYTES // self.bytes
        self.vector = f"<{self.lanes} x {scalar}>"
        self.mangled = f"v{self.lanes}f{bits}"
        self.mask = f"<{self.lanes} x i1>"
        self.zero = f"{self.vector} zeroinitializer"


SINGLE = _Kind("s", "float", 32)
SYMBOL = "tt_own_sgemm"


def source() -> str:
    """The text; it exports `SYMBOL`."""
    return _pack(SINGLE) + _tile(SINGLE) + _product(SINGLE)


def _mask(kind: _Kind, name: str, count: str) -> str:
    """The first `count` lanes as `%name`: none for 0 and below, all from their number on."""
    lanes = kind.lanes
    return f"""  %{name}_some = call i64 @llvm.smax.i64(i64 {count}, i64 0)
  %{name}_least = call i64 @llvm.smin.i64(i64 %{name}_some, i64 {lanes})
  %{name}_above = shl i64 1, %{name}_least
  %{name}_bits = sub i64 %{name}_above, 1
  %{name}_few = trunc i64 %{name}_bits to i{lanes}
  %{name} = bitcast i{lanes} %{name}_few to {kind.mask}
"""


def _pack(kind: _Kind) -> str:
    """A panel: for each of `depth` terms, `room` elements along the panel, zeros from `count` on.
    Elements lie `along` bytes apart, terms `down` bytes; a term is written `step` bytes behind the
    one before.
    """
    k, vector, mask = kind, kind.vector, kind.mask
    numbers = ", ".join(f"i64 {lane}" for lane in range(k.lanes))
    return f"""
define internal void @{k.letter}_pack(ptr %from, i64 %along, i64 %down, i64 %count, i64 %depth,
                                      ptr %to, i64 %step, i64 %room) {{
entry:
  %dense = icmp eq i64 %along, {k.bytes}
  %one = insertelement <{k.lanes} x i64> poison, i64 %along, i64 0
  %each = shufflevector <{k.lanes} x i64> %one, <{k.lanes} x i64> poison,
    <{k.lanes} x i32> zeroinitializer
  %lanes = mul <{k.lanes} x i64> %each, <{numbers}>
  br label %vectors
vectors:
  %done = phi i64 [0, %entry], [%done1, %after]
  %left = sub i64 %count, %done
  %space = sub i64 %room, %done
{_mask(k, "mask", "%left")}{_mask(k, "kept", "%space")}  %moved = mul i64 %done, %along
  %start = getelementptr i8, ptr %from, i64 %moved
  %shift = mul i64 %done, {k.bytes}
  %target = getelementptr i8, ptr %to, i64 %shift
  br i1 %dense, label %copy, label %gather
copy:
  %i = phi i64 [0, %vectors], [%i1, %copy]
  %at = mul i64 %i, %down
  %source = getelementptr i8, ptr %start, i64 %at
  %read = call {vector} @llvm.masked.load.{k.mangled}.p0(ptr align {k.bytes} %source, {mask} %mask,
    {k.zero})
  %place = mul i64 %i, %step
  %put = getelementptr i8, ptr %target, i64 %place
  call void @llvm.masked.store.{k.mangled}.p0({vector} %read, ptr align {k.bytes} %put,
    {mask} %kept)
  %i1 = add i64 %i, 1
  %more = icmp slt i64 %i1, %depth
  br i1 %more, label %copy, label %after
gather:
  %j = phi i64 [0, %vectors], [%j1, %gather]
  %at2 = mul i64 %j, %down
  %source2 = getelementptr i8, ptr %start, i64 %at2
  %sources = getelementptr i8, ptr %source2, <{k.lanes} x i64> %lanes
  %found = call {vector} @llvm.masked.gather.{k.mangled}.v{k.lanes}p0(
    <{k.lanes} x ptr> align {k.bytes} %sources, {mask} %mask, {k.zero})
  %place2 = mul i64 %j, %step
  %put2 = getelementptr i8, ptr %target, i64 %place2
  call void @llvm.masked.store.{k.mangled}.p0({vector} %found, ptr align {k.bytes} %put2,
    {mask} %kept)
  %j1 = add i64 %j, 1
  %more2 = icmp slt i64 %j1, %depth
  br i1 %more2, label %gather, label %after
after:
  %done1 = add i64 %done, {k.lanes}
  %again = icmp slt i64 %done1, %room
  br i1 %again, label %vectors, label %end
end:
  ret void
}}
"""


def _tile(kind: _Kind) -> str:
    """A tile of C: from `ROWS` rows of A, `along` bytes apart, whose terms are `down` bytes apart,
    and a panel of B; stored or (`adds`) added in the rows and columns that exist.
    """
    k, vector = kind, kind.vector
    groups = range(ROWS // GROUP)
    starts = "".join(
        f"  %d{g} = mul i64 %along, {g * GROUP}\n  %s{g}_0 = getelementptr i8, ptr %a, i64 %d{g}\n"
        for g in groups
    ) + "".join(f"  %row{q} = mul i64 %along, {q}\n" for q in range(GROUP))
    moving = "".join(
        f"  %g{g} = phi ptr [%s{g}_0, %entry], [%g{g}_1, %loop]\n" for g in groups)
    moves = "".join(f"  %g{g}_1 = getelementptr i8, ptr %g{g}, i64 %down\n" for g in groups)
    cells = [(row, v) for row in range(ROWS) for v in range(VECTORS)]
    phis = "".join(
        f"  %c{r}_{v} = phi {vector} [zeroinitializer, %entry], [%n{r}_{v}, %loop]\n"
        for r, v in cells
    )
    loads = "".join(
        f"  %pb{v} = getelementptr {vector}, ptr %b, i64 {v}\n"
        f"  %b{v} = load {vector}, ptr %pb{v}, align 64\n" for v in range(VECTORS)
    ).replace("ptr %b, i64", "ptr %bk, i64")
    steps = "".join(
        f"  %pa{r} = getelementptr i8, ptr %g{r // GROUP}, i64 %row{r % GROUP}\n"
        f"  %a{r} = load {k.scalar}, ptr %pa{r}, align {k.bytes}\n"
        f"  %i{r} = insertelement {vector} poison, {k.scalar} %a{r}, i64 0\n"
        f"  %s{r} = shufflevector {vector} %i{r}, {vector} poison, "
        f"<{k.lanes} x i32> zeroinitializer\n"
        + "".join(f"  %n{r}_{v} = call {vector} @llvm.fma.{k.mangled}({vector} %s{r}, "
                  f"{vector} %b{v}, {vector} %c{r}_{v})\n" for v in range(VECTORS))
        for r in range(ROWS)
    )
    masks = "".join(
        f"  %left{v} = sub i64 %columns, {v * k.lanes}\n" + _mask(k, f"m{v}", f"%left{v}")
        for v in range(VECTORS)
    )
    keeps = "".join(
        f"  %h{r}_{v} = getelementptr {vector}, ptr %held, i64 {r * VECTORS + v}\n"
        f"  store {vector} %n{r}_{v}, ptr %h{r}_{v}, align 64\n" for r, v in cells
    )
    writes = "".join(
        f"  %f{v} = getelementptr {vector}, ptr %from, i64 {v}\n"
        f"  %sum{v} = load {vector}, ptr %f{v}, align 64\n"
        f"  %q{v} = getelementptr {vector}, ptr %to, i64 {v}\n"
        f"  %old{v} = call {vector} @llvm.masked.load.{k.mangled}.p0(ptr align {k.bytes} %q{v}, "
        f"{k.mask} %old_m{v}, {k.zero})\n"
        f"  %new{v} = fadd {vector} %old{v}, %sum{v}\n"
        f"  %out{v} = select i1 %adds, {vector} %new{v}, {vector} %sum{v}\n"
        f"  call void @llvm.masked.store.{k.mangled}.p0({vector} %out{v}, "
        f"ptr align {k.bytes} %q{v}, {k.mask} %m{v})\n" for v in range(VECTORS)
    )
    reads = "".join(
        f"  %old_m{v} = select i1 %adds, {k.mask} %m{v}, {k.mask} zeroinitializer\n"
        for v in range(VECTORS)
    )
    return f"""
define internal void @{k.letter}_tile(ptr %a, i64 %along, i64 %down, ptr %b, i64 %depth, ptr %c,
                                      i64 %stride, i64 %rows, i64 %columns, i1 %adds) {{
entry:
  %held = alloca [{ROWS * VECTORS} x {vector}], align 64
  %least = call i64 @llvm.smin.i64(i64 %rows, i64 {ROWS})
{starts}  br label %loop
loop:
  %k = phi i64 [0, %entry], [%k1, %loop]
{moving}{phis}  %bo = mul i64 %k, {VECTORS * VECTOR_BYTES}
  %bk = getelementptr i8, ptr %b, i64 %bo
{loads}{steps}{moves}  %k1 = add i64 %k, 1
  %more = icmp slt i64 %k1, %depth
  br i1 %more, label %loop, label %store
store:
{masks}{reads}{keeps}  br label %row
row:
  %r = phi i64 [0, %store], [%r1, %row]
  %ro = mul i64 %r, {VECTORS * VECTOR_BYTES}
  %from = getelementptr i8, ptr %held, i64 %ro
  %co = mul i64 %r, %stride
  %to = getelementptr i8, ptr %c, i64 %co
{writes}  %r1 = add i64 %r, 1
  %again = icmp slt i64 %r1, %least
  br i1 %again, label %row, label %end
end:
  ret void
}}
"""


def _product(kind: _Kind) -> str:
    """The loops over blocks."""
    k = kind
    columns = VECTORS * k.lanes
    width = WIDTH_PANELS * columns
    a_bytes = (HEIGHT // ROWS) * ROWS * DEPTH * k.bytes
    b_bytes = width * DEPTH * k.bytes
    return f"""
define internal void @{k.letter}_zeros(ptr %c, i64 %stride, i64 %rows, i64 %columns) {{
entry:
  %size = mul i64 %columns, {k.bytes}
  br label %row
row:
  %i = phi i64 [0, %entry], [%i1, %row]
  %offset = mul i64 %i, %stride
  %at = getelementptr i8, ptr %c, i64 %offset
  call void @llvm.memset.p0.i64(ptr %at, i8 0, i64 %size, i1 false)
  %i1 = add i64 %i, 1
  %more = icmp slt i64 %i1, %rows
  br i1 %more, label %row, label %end
end:
  ret void
}}

; C[rows, columns] = A B; strides in bytes, of A and B along rows and columns.
define internal void @{k.letter}_product(ptr %a, i64 %ar, i64 %ac, ptr %b, i64 %br, i64 %bc,
    ptr %c, i64 %stride, i64 %rows, i64 %columns, i64 %depth) {{
entry:
  %pa = alloca [{a_bytes} x i8], align 64
  %pb = alloca [{b_bytes} x i8], align 64
  %loose = icmp ne i64 %ac, {k.bytes}               ; A's rows are not dense: panels are copied
  %no_rows = icmp slt i64 %rows, 1
  %no_columns = icmp slt i64 %columns, 1
  %nothing = or i1 %no_rows, %no_columns
  br i1 %nothing, label %end, label %ask
ask:
  %terms = icmp sgt i64 %depth, 0
  br i1 %terms, label %across, label %empty
empty:
  call void @{k.letter}_zeros(ptr %c, i64 %stride, i64 %rows, i64 %columns)
  ret void
across:                                             ; blocks of columns
  %j = phi i64 [0, %ask], [%j1, %across_next]
  %j_left = sub i64 %columns, %j
  %jn = call i64 @llvm.smin.i64(i64 %j_left, i64 {width})
  br label %deep
deep:                                               ; blocks of terms
  %p = phi i64 [0, %across], [%p1, %deep_next]
  %p_left = sub i64 %depth, %p
  %pn = call i64 @llvm.smin.i64(i64 %p_left, i64 {DEPTH})
  %adds = icmp sgt i64 %p, 0
  %b_down = mul i64 %p, %br
  %b_along = mul i64 %j, %bc
  %b_offset = add i64 %b_down, %b_along
  %b_block = getelementptr i8, ptr %b, i64 %b_offset
  %panel_bytes = mul i64 %pn, {VECTORS * VECTOR_BYTES}
  br label %pack_b
pack_b:
  %jp = phi i64 [0, %deep], [%jp1, %pack_b]
  %jp_left = sub i64 %jn, %jp
  %jp_n = call i64 @llvm.smin.i64(i64 %jp_left, i64 {columns})
  %jp_panel = udiv i64 %jp, {columns}
  %jp_to = mul i64 %jp_panel, %panel_bytes
  %jp_at = getelementptr i8, ptr %pb, i64 %jp_to
  %jp_from = mul i64 %jp, %bc
  %jp_source = getelementptr i8, ptr %b_block, i64 %jp_from
  call void @{k.letter}_pack(ptr %jp_source, i64 %bc, i64 %br, i64 %jp_n, i64 %pn, ptr %jp_at,
    i64 {VECTORS * VECTOR_BYTES}, i64 {columns})
  %jp1 = add i64 %jp, {columns}
  %jp_more = icmp slt i64 %jp1, %jn
  br i1 %jp_more, label %pack_b, label %down
down:                                               ; blocks of rows
  %i = phi i64 [0, %pack_b], [%i1, %down_next]
  %i_left = sub i64 %rows, %i
  %in = call i64 @llvm.smin.i64(i64 %i_left, i64 {HEIGHT})
  %a_down = mul i64 %i, %ar
  %a_along = mul i64 %p, %ac
  %a_offset = add i64 %a_down, %a_along
  %a_block = getelementptr i8, ptr %a, i64 %a_offset
  %a_panel = mul i64 %pn, {ROWS * k.bytes}
  br label %pack_a
pack_a:
  %ip = phi i64 [0, %down], [%ip1, %pack_a_next]
  %ip_left = sub i64 %in, %ip
  %ip_part = icmp slt i64 %ip_left, {ROWS}
  %ip_copies = or i1 %loose, %ip_part
  br i1 %ip_copies, label %copy_a, label %pack_a_next
copy_a:
  %ip_n = call i64 @llvm.smin.i64(i64 %ip_left, i64 {ROWS})
  %ip_panel = udiv i64 %ip, {ROWS}
  %ip_to = mul i64 %ip_panel, %a_panel
  %ip_at = getelementptr i8, ptr %pa, i64 %ip_to
  %ip_from = mul i64 %ip, %ar
  %ip_source = getelementptr i8, ptr %a_block, i64 %ip_from
  call void @{k.letter}_pack(ptr %ip_source, i64 %ar, i64 %ac, i64 %ip_n, i64 %pn, ptr %ip_at,
    i64 {ROWS * k.bytes}, i64 {ROWS})
  br label %pack_a_next
pack_a_next:
  %ip1 = add i64 %ip, {ROWS}
  %ip_more = icmp slt i64 %ip1, %in
  br i1 %ip_more, label %pack_a, label %tiles
tiles:
  %jt = phi i64 [0, %pack_a_next], [%jt1, %tiles_next]
  %jt_panel = udiv i64 %jt, {columns}
  %jt_to = mul i64 %jt_panel, %panel_bytes
  %jt_b = getelementptr i8, ptr %pb, i64 %jt_to
  %jt_left = sub i64 %jn, %jt
  %jt_column = add i64 %j, %jt
  %jt_bytes = mul i64 %jt_column, {k.bytes}
  br label %tile
tile:
  %it = phi i64 [0, %tiles], [%it1, %tile]
  %it_panel = udiv i64 %it, {ROWS}
  %it_to = mul i64 %it_panel, %a_panel
  %it_panel_at = getelementptr i8, ptr %pa, i64 %it_to
  %it_left = sub i64 %in, %it
  %it_part = icmp slt i64 %it_left, {ROWS}
  %it_copied = or i1 %loose, %it_part
  %it_from = mul i64 %it, %ar
  %it_there = getelementptr i8, ptr %a_block, i64 %it_from
  %it_a = select i1 %it_copied, ptr %it_panel_at, ptr %it_there
  %it_along = select i1 %it_copied, i64 {k.bytes}, i64 %ar
  %it_down = select i1 %it_copied, i64 {ROWS * k.bytes}, i64 {k.bytes}
  %it_row = add i64 %i, %it
  %it_offset = mul i64 %it_row, %stride
  %it_at = add i64 %it_offset, %jt_bytes
  %it_c = getelementptr i8, ptr %c, i64 %it_at
  call void @{k.letter}_tile(ptr %it_a, i64 %it_along, i64 %it_down, ptr %jt_b, i64 %pn,
    ptr %it_c, i64 %stride, i64 %it_left, i64 %jt_left, i1 %adds)
  %it1 = add i64 %it, {ROWS}
  %it_more = icmp slt i64 %it1, %in
  br i1 %it_more, label %tile, label %tiles_next
tiles_next:
  %jt1 = add i64 %jt, {columns}
  %jt_more = icmp slt i64 %jt1, %jn
  br i1 %jt_more, label %tiles, label %down_next
down_next:
  %i1 = add i64 %i, {HEIGHT}
  %i_more = icmp slt i64 %i1, %rows
  br i1 %i_more, label %down, label %deep_next
deep_next:
  %p1 = add i64 %p, {DEPTH}
  %p_more = icmp slt i64 %p1, %depth
  br i1 %p_more, label %deep, label %across_next
across_next:
  %j1 = add i64 %j, {width}
  %j_more = icmp slt i64 %j1, %columns
  br i1 %j_more, label %across, label %end
end:
  ret void
}}
{_interface(k)}"""


def _interface(kind: _Kind) -> str:
    """BLAS' arguments; C' = B' A' row by row."""
    k = kind
    reads = "".join(
        f"  %{name}0 = load i32, ptr %{name}p\n  %{name} = sext i32 %{name}0 to i64\n"
        for name in ("m", "n", "k", "lda", "ldb", "ldc")
    )
    strides = "".join(
        f"  %{x}_letter = load i8, ptr %t{x}\n"
        f"  %{x}_low = or i8 %{x}_letter, 32\n"
        f"  %{x}_plain = icmp eq i8 %{x}_low, 110\n"  # n
        f"  %{x}_far = mul i64 %ld{x}, {k.bytes}\n"
        f"  %{x}_first = select i1 %{x}_plain, i64 {k.bytes}, i64 %{x}_far\n"
        f"  %{x}_second = select i1 %{x}_plain, i64 %{x}_far, i64 {k.bytes}\n"
        for x in "ab"
    )
    return f"""
define void @tt_own_{k.letter}gemm(ptr %ta, ptr %tb, ptr %mp, ptr %np, ptr %kp, ptr %alpha, ptr %a,
    ptr %ldap, ptr %b, ptr %ldbp, ptr %beta, ptr %c, ptr %ldcp) {{
{reads}{strides}  %stride = mul i64 %ldc, {k.bytes}
  call void @{k.letter}_product(ptr %b, i64 %b_second, i64 %b_first, ptr %a, i64 %a_second,
    i64 %a_first, ptr %c, i64 %stride, i64 %n, i64 %m, i64 %k)
  ret void
}}
"""
