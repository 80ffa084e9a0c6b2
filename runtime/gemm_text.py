"""Matrix products of our own as LLVM IR, for machines with vectors of 64 bytes (AVX-512).

The loops are those of Goto and van de Geijn ("Anatomy of high-performance matrix multiplication",
2008), with rows for columns: a block of B is copied into panels as wide as a tile
(`gemm_pack_text`), which stay in the L2 cache while 8 rows of A after 8 go over them
(`gemm_tile_text`). Rows of A are read where they lie; of an A stored by columns 64 rows at a time
are made. Panels of B that are read once, as A has 8 rows or fewer, or whose rows lie near each
other are read where they lie, too.

An element is the sum of its terms in order, in blocks whose length follows from the number of terms
alone; so its bits depend neither on the other sizes nor on how a product is cut into pieces. What C
held before is never read.

`tt_own_sgemm` and `tt_own_dgemm` take the arguments of BLAS (column by column; alpha must be 1 and
beta 0, they are not looked at) and compute the transposed product row by row.
"""

from __future__ import annotations

from tetractys.runtime.gemm_pack_text import copy, turn
from tetractys.runtime.gemm_tile_text import ROWS, VECTOR_BYTES, VECTORS, Kind, tile

DEPTH = 512
"""Terms of a block at most: 8 rows of A are 16 or 32 KB."""
WIDTH = 8 * VECTORS
"""Vectors of a block of B at most: 768 KB. Twice as many were slower, up to 10 % where another
machine's thread shares a core's L2 cache of 2 MB.
"""
NEAR = 1024
"""Bytes from a row of B to the next at most for panels that are read where they lie: their lines
then are on few pages and on many sets of the L1 cache (7 % of a product of 64 x 64).
"""
TOGETHER = 8
"""Rows of B that are copied together, so that memory is read along them: 3 % of a large product."""
TURNED = 64
"""Rows of A made at a time, for which a whole line after another of it is read."""

SINGLE, DOUBLE = Kind("s", "float", 4), Kind("d", "double", 8)
KINDS = {"sgemm": SINGLE, "dgemm": DOUBLE}


def symbol(name: str) -> str:
    """What `source(name)` exports, for `sgemm` or `dgemm`."""
    return f"tt_own_{name}"


def source(name: str) -> str:
    """The text of a precision."""
    k = KINDS[name]
    tiles = "".join(tile(k, vectors) for vectors in range(1, VECTORS + 1))
    return tiles + copy(k) + turn(k) + _zeros(k) + _product(k) + _interface(k)


def _zeros(kind: Kind) -> str:
    """An empty sum."""
    return f"""
define internal void @{kind.letter}_zeros(ptr %c, i64 %stride, i64 %rows, i64 %columns) {{
entry:
  %size = mul i64 %columns, {kind.bytes}
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
"""


def _even(name: str, whole: str, most: int, unit: int) -> str:
    """`name`: the size of equal parts of at most `most`, in whole units."""
    return f"""  {name}_up = add i64 {whole}, {most - 1}
  {name}_parts = udiv i64 {name}_up, {most}
  {name}_less = sub i64 {name}_parts, 1
  {name}_sum = add i64 {whole}, {name}_less
  {name}_share = udiv i64 {name}_sum, {name}_parts
  {name}_over = add i64 {name}_share, {unit - 1}
  {name}_units = udiv i64 {name}_over, {unit}
  {name} = mul i64 {name}_units, {unit}
"""


def _panel(kind: Kind, p: str, at: str) -> str:
    """The panel at column `at` of a block: its vectors (3, but 2 and 2 of the last four), how many
    columns fit and are there, whether it is read where it lies.
    """
    k = kind
    return f"""  %{p}_left = sub i64 %jn, {at}
  %{p}_up = add i64 %{p}_left, {k.lanes - 1}
  %{p}_rest = udiv i64 %{p}_up, {k.lanes}
  %{p}_four = icmp eq i64 %{p}_rest, {VECTORS + 1}
  %{p}_most = select i1 %{p}_four, i64 {VECTORS - 1}, i64 {VECTORS}
  %{p}_vectors = call i64 @llvm.smin.i64(i64 %{p}_rest, i64 %{p}_most)
  %{p}_width = mul i64 %{p}_vectors, {k.lanes}
  %{p}_columns = call i64 @llvm.smin.i64(i64 %{p}_left, i64 %{p}_width)
  %{p}_step = mul i64 %{p}_vectors, {VECTOR_BYTES}
  %{p}_full = icmp eq i64 %{p}_columns, %{p}_width
  %{p}_there = and i1 %direct, %{p}_full
  %{p}_size0 = mul i64 %{p}_step, %pn
  %{p}_size = select i1 %{p}_there, i64 0, i64 %{p}_size0
"""


def _row_bytes(kind: Kind) -> int:
    """From a row of A that we made to the next: they fall on different sets of the L1 cache."""
    return DEPTH * kind.bytes + VECTOR_BYTES


def _product(kind: Kind) -> str:
    """The loops over blocks."""
    k = kind
    a_bytes = TURNED * _row_bytes(k)
    b_bytes = (WIDTH * DEPTH + VECTORS * k.lanes) * VECTOR_BYTES  # what `turn` writes too much
    return f"""
; C[rows, columns] = A B; strides in bytes, of A and B along rows and columns.
define internal void @{k.letter}_product(ptr %a, i64 %ar, i64 %ac, ptr %b, i64 %br, i64 %bc,
    ptr %c, i64 %stride, i64 %rows, i64 %columns, i64 %depth) {{
entry:
  %pa = alloca [{a_bytes} x i8], align 64
  %pb = alloca [{b_bytes} x i8], align 64
  %no_rows = icmp slt i64 %rows, 1
  %no_columns = icmp slt i64 %columns, 1
  %nothing = or i1 %no_rows, %no_columns
  br i1 %nothing, label %end, label %ask
ask:
  %terms = icmp sgt i64 %depth, 0
  br i1 %terms, label %begin, label %empty
empty:
  call void @{k.letter}_zeros(ptr %c, i64 %stride, i64 %rows, i64 %columns)
  ret void
begin:
  %a_loose = icmp ne i64 %ac, {k.bytes}             ; rows that are not dense are made
  %b_loose = icmp ne i64 %bc, {k.bytes}
  %b_dense = xor i1 %b_loose, 1
  %few = icmp sle i64 %rows, {ROWS}
  %near = icmp sle i64 %br, {NEAR}
  %good = or i1 %few, %near
  %direct = and i1 %good, %b_dense
{_even("%deep_by", "%depth", DEPTH, 4)}{_even("%wide_by", "%columns", WIDTH * k.lanes,
                                                  VECTORS * k.lanes)}  br label %across
across:                                             ; blocks of columns
  %j = phi i64 [0, %begin], [%j1, %across_next]
  %j_left = sub i64 %columns, %j
  %jn = call i64 @llvm.smin.i64(i64 %j_left, i64 %wide_by)
  %j_bytes = mul i64 %j, {k.bytes}
  %c_block = getelementptr i8, ptr %c, i64 %j_bytes
  br label %deep
deep:                                               ; blocks of terms
  %p = phi i64 [0, %across], [%p1, %deep_next]
  %p_left = sub i64 %depth, %p
  %pn = call i64 @llvm.smin.i64(i64 %p_left, i64 %deep_by)
  %adds = icmp sgt i64 %p, 0
  %b_down = mul i64 %p, %br
  %b_along = mul i64 %j, %bc
  %b_offset = add i64 %b_down, %b_along
  %b_block = getelementptr i8, ptr %b, i64 %b_offset
  %a_along = mul i64 %p, %ac
  %a_block = getelementptr i8, ptr %a, i64 %a_along
  br label %lines
{_panels(k)}{_strips(k)}deep_next:
  %p1 = add i64 %p, %deep_by
  %p_more = icmp slt i64 %p1, %depth
  br i1 %p_more, label %deep, label %across_next
across_next:
  %j1 = add i64 %j, %wide_by
  %j_more = icmp slt i64 %j1, %columns
  br i1 %j_more, label %across, label %end
end:
  ret void
}}
"""


def _panels(kind: Kind) -> str:
    """The panels of a block of B, copied but where they are read where they lie."""
    k = kind
    return f"""lines:                                     ; a few rows of B, or all its columns
  %x = phi i64 [0, %deep], [%x1, %lines_next]
  %x_left = sub i64 %pn, %x
  %x_few = call i64 @llvm.smin.i64(i64 %x_left, i64 {TOGETHER})
  %xn = select i1 %b_loose, i64 %pn, i64 %x_few
  %x_down = mul i64 %x, %br
  %x_block = getelementptr i8, ptr %b_block, i64 %x_down
  br label %pack
pack:                                               ; panels of B
  %g = phi i64 [0, %lines], [%g1, %pack_next]
  %g_panel = phi ptr [%pb, %lines], [%g_panel1, %pack_next]
{_panel(k, "g", "%g")}  %g_from = mul i64 %g, %bc
  %g_at = getelementptr i8, ptr %x_block, i64 %g_from
  %g_down = mul i64 %x, %g_step
  %g_to = getelementptr i8, ptr %g_panel, i64 %g_down
  br i1 %b_loose, label %turn_b, label %copy_b
copy_b:
  br i1 %g_there, label %pack_next, label %straight
straight:
  call void @{k.letter}_copy(ptr %g_at, i64 %br, i64 %g_vectors, i64 %g_columns, i64 %xn, ptr %g_to)
  br label %pack_next
turn_b:
  %v = phi i64 [0, %pack], [%v1, %turn_b]
  %v_left = sub i64 %g_columns, %v
  %v_lines = call i64 @llvm.smin.i64(i64 %v_left, i64 {k.lanes})
  %v_from = mul i64 %v, %bc
  %v_at = getelementptr i8, ptr %g_at, i64 %v_from
  %v_to = getelementptr {k.scalar}, ptr %g_to, i64 %v
  call void @{k.letter}_turn(ptr %v_at, i64 %bc, i64 %v_lines, i64 %pn, ptr %v_to, i64 %g_step)
  %v1 = add i64 %v, {k.lanes}
  %v_more = icmp slt i64 %v1, %g_columns
  br i1 %v_more, label %turn_b, label %pack_next
pack_next:
  %g1 = add i64 %g, %g_width
  %g_panel1 = getelementptr i8, ptr %g_panel, i64 %g_size
  %g_more = icmp slt i64 %g1, %jn
  br i1 %g_more, label %pack, label %lines_next
lines_next:
  %x1 = add i64 %x, %xn
  %x_more = icmp slt i64 %x1, %pn
  br i1 %x_more, label %lines, label %down
"""


def _strips(kind: Kind) -> str:
    """Rows of A, 8 by 8, over the panels."""
    k, row_bytes = kind, _row_bytes(kind)
    return f"""down:                                               ; rows, 8 by 8
  %i = phi i64 [0, %lines_next], [%i1, %down_next]
  %i_left = sub i64 %rows, %i
  %i_rows = call i64 @llvm.smin.i64(i64 %i_left, i64 {ROWS})
  %i_within = and i64 %i, {TURNED - 1}
  %i_first = icmp eq i64 %i_within, 0
  %a_down = mul i64 %i, %ar
  %a_there = getelementptr i8, ptr %a_block, i64 %a_down
  %turns = and i1 %a_loose, %i_first
  br i1 %turns, label %turn_a, label %strip
turn_a:
  %u = phi i64 [0, %down], [%u1, %turn_a]
  %u_left = sub i64 %pn, %u
  %u_lines = call i64 @llvm.smin.i64(i64 %u_left, i64 {k.lanes})
  %u_from = mul i64 %u, %ac
  %u_at = getelementptr i8, ptr %a_there, i64 %u_from
  %u_to = getelementptr {k.scalar}, ptr %pa, i64 %u
  %u_count = call i64 @llvm.smin.i64(i64 %i_left, i64 {TURNED})
  call void @{k.letter}_turn(ptr %u_at, i64 %ac, i64 %u_lines, i64 %u_count, ptr %u_to,
    i64 {row_bytes})
  %u1 = add i64 %u, {k.lanes}
  %u_more = icmp slt i64 %u1, %pn
  br i1 %u_more, label %turn_a, label %strip
strip:
  %made_from = mul i64 %i_within, {row_bytes}
  %made = getelementptr i8, ptr %pa, i64 %made_from
  %i_a = select i1 %a_loose, ptr %made, ptr %a_there
  %i_along = select i1 %a_loose, i64 {row_bytes}, i64 %ar
  %c_down = mul i64 %i, %stride
  %i_c = getelementptr i8, ptr %c_block, i64 %c_down
  br label %panel
panel:
  %h = phi i64 [0, %strip], [%h1, %panel]
  %h_packed = phi ptr [%pb, %strip], [%h_packed1, %panel]
{_panel(k, "h", "%h")}  %h_at = getelementptr {k.scalar}, ptr %b_block, i64 %h
  %h_b = select i1 %h_there, ptr %h_at, ptr %h_packed
  %h_down = select i1 %h_there, i64 %br, i64 %h_step
  %h_c = getelementptr {k.scalar}, ptr %i_c, i64 %h
  %h_one = icmp eq i64 %h_vectors, 1
  %h_two = icmp eq i64 %h_vectors, 2
  %h_small = select i1 %h_one, ptr @{k.letter}_tile1, ptr @{k.letter}_tile2
  %h_less = or i1 %h_one, %h_two
  %h_tile = select i1 %h_less, ptr %h_small, ptr @{k.letter}_tile3
  call void %h_tile(ptr %i_a, i64 %i_along, ptr %h_b, i64 %h_down, i64 %pn, ptr %h_c, i64 %stride,
    i64 %i_rows, i64 %h_columns, i1 %adds)
  %h1 = add i64 %h, %h_width
  %h_packed1 = getelementptr i8, ptr %h_packed, i64 %h_size
  %h_more = icmp slt i64 %h1, %jn
  br i1 %h_more, label %panel, label %down_next
down_next:
  %i1 = add i64 %i, {ROWS}
  %i_more = icmp slt i64 %i1, %rows
  br i1 %i_more, label %down, label %deep_next
"""


def _interface(kind: Kind) -> str:
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
define void @{symbol(k.letter + "gemm")}(ptr %ta, ptr %tb, ptr %mp, ptr %np, ptr %kp, ptr %alpha,
    ptr %a, ptr %ldap, ptr %b, ptr %ldbp, ptr %beta, ptr %c, ptr %ldcp) {{
{reads}{strides}  %stride = mul i64 %ldc, {k.bytes}
  call void @{k.letter}_product(ptr %b, i64 %b_second, i64 %b_first, ptr %a, i64 %a_second,
    i64 %a_first, ptr %c, i64 %stride, i64 %n, i64 %m, i64 %k)
  ret void
}}
"""
