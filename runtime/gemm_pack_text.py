"""Copies of operands for our matrix products, in the order in which the tile reads them."""

from __future__ import annotations

from tetractys.runtime.gemm_tile_text import VECTOR_BYTES, Kind


def copy(kind: Kind) -> str:
    """`depth` rows of B, `down` bytes apart, one behind the other: `columns` of them fill `vectors`
    vectors, the last perhaps in part; zeros behind.
    """
    k = kind
    return f"""
define internal void @{k.letter}_copy(ptr %from, i64 %down, i64 %vectors, i64 %columns, i64 %depth,
                                      ptr %to) {{
entry:
  %full = sub i64 %vectors, 1
  %before = mul i64 %full, {k.lanes}
  %left = sub i64 %columns, %before
{k.some("%m", "%left")}  %step = mul i64 %vectors, {VECTOR_BYTES}
  %end_at = mul i64 %full, {VECTOR_BYTES}
  %middle_at = sub i64 %end_at, {VECTOR_BYTES}
  %alone = icmp eq i64 %full, 0
  br label %row
row:
  %i = phi i64 [0, %entry], [%i1, %next]
  %f = phi ptr [%from, %entry], [%f1, %next]
  %t = phi ptr [%to, %entry], [%t1, %next]
  %end_f = getelementptr i8, ptr %f, i64 %end_at
  %end_t = getelementptr i8, ptr %t, i64 %end_at
{k.load("%x2", "%end_f", "%m")}  store {k.vector} %x2, ptr %end_t, align {VECTOR_BYTES}
  br i1 %alone, label %next, label %more
more:                                               ; the first and the last but one: one, or two
  %middle_f = getelementptr i8, ptr %f, i64 %middle_at
  %middle_t = getelementptr i8, ptr %t, i64 %middle_at
  %x0 = load {k.vector}, ptr %f, align {k.bytes}
  %x1 = load {k.vector}, ptr %middle_f, align {k.bytes}
  store {k.vector} %x0, ptr %t, align {VECTOR_BYTES}
  store {k.vector} %x1, ptr %middle_t, align {VECTOR_BYTES}
  br label %next
next:
  %f1 = getelementptr i8, ptr %f, i64 %down
  %t1 = getelementptr i8, ptr %t, i64 %step
  %i1 = add i64 %i, 1
  %again = icmp slt i64 %i1, %depth
  br i1 %again, label %row, label %end
end:
  ret void
}}
"""


def turn(kind: Kind) -> str:
    """Dense lines become columns: `lines` of them (up to a vector's lanes), `from_step` bytes apart
    and `count` long, make `count` rows of a vector, `to_step` bytes apart. Where fewer lines are
    there, the last stands for the others; up to a vector's lanes of rows too many are written.
    """
    k = kind
    numbers = range(k.lanes)
    reads = "".join(
        f"  %line{i} = call i64 @llvm.smin.i64(i64 %last, i64 {i})\n"
        f"  %fo{i} = mul i64 %line{i}, %from_step\n"
        f"  %fp{i} = getelementptr i8, ptr %f, i64 %fo{i}\n" + k.load(f"%x0_{i}", f"%fp{i}", "%m")
        for i in numbers
    )
    text, made = _transposed(k)
    writes = "".join(
        f"  %to{i} = mul i64 %to_step, {i}\n  %tp{i} = getelementptr i8, ptr %t, i64 %to{i}\n"
        f"  store {k.vector} %{made}_{i}, ptr %tp{i}, align {k.bytes}\n"
        for i in numbers
    )
    return f"""
define internal void @{k.letter}_turn(ptr %from, i64 %from_step, i64 %lines, i64 %count, ptr %to,
                                      i64 %to_step) {{
entry:
  %last = sub i64 %lines, 1
  br label %block
block:
  %at = phi i64 [0, %entry], [%at1, %block]
  %t = phi ptr [%to, %entry], [%t1, %block]
  %left = sub i64 %count, %at
{k.some("%m", "%left")}  %f = getelementptr {k.scalar}, ptr %from, i64 %at
{reads}{text}{writes}  %size = mul i64 %to_step, {k.lanes}
  %t1 = getelementptr i8, ptr %t, i64 %size
  %at1 = add i64 %at, {k.lanes}
  %more = icmp slt i64 %at1, %count
  br i1 %more, label %block, label %end
end:
  ret void
}}
"""


def _transposed(kind: Kind) -> tuple[str, str]:
    """The square of vectors x0_0, x0_1, ... transposed, and the name of the result.

    Each stage zips the first half of the square with the second: the bits of an element's place,
    row above column, rotate by one; after as many stages as the column has bits they are swapped.
    """
    lanes, half = kind.lanes, kind.lanes // 2
    lines = []
    stages = lanes.bit_length() - 1
    for stage in range(stages):
        for i in range(half):
            for upper in range(2):
                order = ", ".join(f"i32 {lane}, i32 {lane + lanes}"
                                  for lane in range(half * upper, half * (upper + 1)))
                lines.append(
                    f"  %x{stage + 1}_{2 * i + upper} = shufflevector {kind.vector} "
                    f"%x{stage}_{i}, {kind.vector} %x{stage}_{i + half}, "
                    f"<{lanes} x i32> <{order}>\n")
    return "".join(lines), f"x{stages}"
