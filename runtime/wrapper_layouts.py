"""Arrays whose last dimension is not dense: taken in another order of dimensions, or copied.

Text in the language of `wrapper_text`.
"""

from __future__ import annotations

TAKE_ORDERED = """
; The same for an operand with an order (see `order.py`): dimensions go to their places, 15 is one
; of size 1 that the array does not have; -1 for an array of another order, and for one that the
; first version takes.
define internal i64 @take_ordered(ptr %obj, ptr %row, ptr %slot, i64 %n, i64 %order) {
entry:
  %dims = get ptr %obj[ARRAY_DIMS]
  %strides = get ptr %obj[ARRAY_STRIDES]
  %mask = get i64 %row[ROW_MASK]
  %itemsize = get i64 %row[ROW_ITEMSIZE]
  %to_dims = getelementptr i8, ptr %slot, i64 8
  %behind = mul i64 %n, 4
  %tail = lshr i64 %order, %behind
  %open = icmp ne i64 %tail, 0
  %extra = zext i1 %open to i64
  %places = add i64 %n, %extra
  %to_strides = getelementptr i64, ptr %to_dims, i64 %places
  %end = sub i64 %n, 1
  %end_dim = item i64 %dims[%end]
  %end_stride = item i64 %strides[%end]
  %end_short = icmp ule i64 %end_dim, 1
  %end_dense = icmp eq i64 %end_stride, %itemsize
  %first_version = or i1 %end_short, %end_dense
  br i1 %first_version, label %no, label %place
place:
  %d = phi i64 [0, %entry], [%d1, %next]
  %rest = phi i64 [%order, %entry], [%rest1, %next]
  %before = phi i64 [-1, %entry], [%far, %next]
  %count = phi i64 [1, %entry], [%count1, %next]
  %p = and i64 %rest, 15
  %rest1 = lshr i64 %rest, 4
  %dim = item i64 %dims[%p]
  %stride = item i64 %strides[%p]
  setitem i64 %dim, %to_dims[%d]
  setitem i64 %stride, %to_strides[%d]
  %bits = lshr i64 %mask, %d
  %bit = and i64 %bits, 1
  %free = icmp eq i64 %bit, 0
  %unit = icmp eq i64 %dim, 1
  %may = or i1 %free, %unit
  %minus = sub i64 0, %stride
  %backwards = icmp slt i64 %stride, 0
  %positive = select i1 %backwards, i64 %minus, i64 %stride
  %resting = icmp eq i64 %stride, 0
  %short = icmp ule i64 %dim, 1
  %still = or i1 %resting, %short
  %distance = select i1 %still, i64 $FARTHEST, i64 %positive
  %high = shl i64 %distance, 6
  %later = sub i64 63, %p
  %far = or i64 %high, %later
  %falling = icmp ult i64 %far, %before
  %good = and i1 %may, %falling
  br i1 %good, label %next, label %no
next:
  %count1 = mul i64 %count, %dim
  %d1 = add i64 %d, 1
  %more = icmp ult i64 %d1, %n
  br i1 %more, label %place, label %last
last:                        ; the extra dimension stands where the last one is not dense
  %dense = icmp eq i64 %stride, %itemsize
  %moves = icmp ugt i64 %dim, 1
  %rows = and i1 %dense, %moves
  %wanted = xor i1 %rows, %open
  %bytes = mul i64 %count1, %itemsize
  %large = icmp ugt i64 %bytes, $PACK_BYTES
  %most = get i64 %row[ROW_MOST]
  %bearable = icmp ule i64 %bytes, %most
  %middling = and i1 %large, %bearable
  %none = icmp eq i64 %dim, 0
  %divisor = select i1 %none, i64 1, i64 %dim
  %row_bytes = udiv i64 %bytes, %divisor
  %most_row = get i64 %row[ROW_MOST_ROW]
  %short_rows = icmp ule i64 %row_bytes, %most_row
  %taken = and i1 %middling, %short_rows
  %b = and i1 %wanted, %taken
  br i1 %b, label %finish, label %no
finish:
  br i1 %open, label %unit_place, label %yes
unit_place:
  setitem i64 1, %to_dims[%n]
  setitem i64 %itemsize, %to_strides[%n]
  br label %yes
yes:
  ret i64 %count1
no:
  ret i64 -1
}
"""

_ELEMENTS = """copyN:
  br i1 %by_four, label %fourN, label %restN
fourN:
  %iN = phi i64 [0, %copyN], [%iNn, %fourN]
  %aN = phi ptr [%in, %copyN], [%aNn, %fourN]
  %bN = getelementptr i8, ptr %aN, i64 %step
  %cN = getelementptr i8, ptr %bN, i64 %step
  %dN = getelementptr i8, ptr %cN, i64 %step
  %aNn = getelementptr i8, ptr %dN, i64 %step
  %vaN = load iBITS, ptr %aN, align N
  %vbN = load iBITS, ptr %bN, align N
  %vcN = load iBITS, ptr %cN, align N
  %vdN = load iBITS, ptr %dN, align N
  %taN = getelementptr iBITS, ptr %out, i64 %iN
  %tbN = getelementptr iBITS, ptr %taN, i64 1
  %tcN = getelementptr iBITS, ptr %taN, i64 2
  %tdN = getelementptr iBITS, ptr %taN, i64 3
  store iBITS %vaN, ptr %taN, align N
  store iBITS %vbN, ptr %tbN, align N
  store iBITS %vcN, ptr %tcN, align N
  store iBITS %vdN, ptr %tdN, align N
  %iNn = add i64 %iN, 4
  %moreN = icmp ult i64 %iNn, %fours
  br i1 %moreN, label %fourN, label %restN
restN:
  %jN = phi i64 [0, %copyN], [%iNn, %fourN], [%jNn, %oneN]
  %eN = phi ptr [%in, %copyN], [%aNn, %fourN], [%eNn, %oneN]
  %leftN = icmp ult i64 %jN, %length
  br i1 %leftN, label %oneN, label %row_done
oneN:
  %veN = load iBITS, ptr %eN, align N
  %teN = getelementptr iBITS, ptr %out, i64 %jN
  store iBITS %veN, ptr %teN, align N
  %jNn = add i64 %jN, 1
  %eNn = getelementptr i8, ptr %eN, i64 %step
  br label %restN
"""
"""The elements of one row, of N bytes each: four at a time, then the rest."""

_COPY = """
; Copies an array that `take_array` described and refused for its strides, of %bytes: rows to %to,
; which takes its place in the slot.
define internal void @copy_rows(ptr %row, ptr %flat, i64 %bytes, ptr %to) {
entry:
  %at = get i64 %row[ROW_SLOT]
  %slot = getelementptr i8, ptr %flat, i64 %at
  %nd32 = get i32 %row[ROW_ND]
  %nd = zext i32 %nd32 to i64
  %itemsize = get i64 %row[ROW_ITEMSIZE]
  %dims = getelementptr i8, ptr %slot, i64 8
  %strides = getelementptr i64, ptr %dims, i64 %nd
  %from = load ptr, ptr %slot
  %last = sub i64 %nd, 1
  %length = item i64 %dims[%last]
  %step = item i64 %strides[%last]
  %row_bytes = mul i64 %length, %itemsize
  %to_end = getelementptr i8, ptr %to, i64 %bytes
  %fours = and i64 %length, -4
  %by_four = icmp ne i64 %fours, 0
  br label %row_head
row_head:
  %r = phi i64 [0, %entry], [%r1, %row_done]
  %out = phi ptr [%to, %entry], [%out_end, %row_done]
  br label %place_test
place_test:                  ; where row number %r stands: its digits in the sizes before the last
  %left = phi i64 [%last, %row_head], [%d, %place]
  %rest = phi i64 [%r, %row_head], [%quotient, %place]
  %offset = phi i64 [0, %row_head], [%offset1, %place]
  %placing = icmp ugt i64 %left, 1
  br i1 %placing, label %place, label %place_first
place:
  %d = sub i64 %left, 1
  %base = item i64 %dims[%d]
  %stride = item i64 %strides[%d]
  %quotient = udiv i64 %rest, %base
  %whole = mul i64 %quotient, %base
  %digit = sub i64 %rest, %whole
  %move = mul i64 %digit, %stride
  %offset1 = add i64 %offset, %move
  br label %place_test
place_first:                 ; the last digit is what is left; none of a vector
  %first_stride = load i64, ptr %strides
  %first_move = mul i64 %rest, %first_stride
  %offset2 = add i64 %offset, %first_move
  %in = getelementptr i8, ptr %from, i64 %offset2
  switch i64 %itemsize, label %copy8 [i64 1, label %copy1  i64 2, label %copy2  i64 4, label %copy4]
<ELEMENTS>row_done:
  %out_end = getelementptr i8, ptr %out, i64 %row_bytes
  %r1 = add i64 %r, 1
  %more_rows = icmp ult ptr %out_end, %to_end
  br i1 %more_rows, label %row_head, label %describe
describe:
  store ptr %to, ptr %slot
  br label %stride_back
stride_back:
  %k = phi i64 [%nd, %describe], [%k1, %stride_back]
  %far = phi i64 [%itemsize, %describe], [%far1, %stride_back]
  %k1 = sub i64 %k, 1
  setitem i64 %far, %strides[%k1]
  %own = item i64 %dims[%k1]
  %far1 = mul i64 %far, %own
  %striding = icmp ne i64 %k1, 0
  br i1 %striding, label %stride_back, label %done
done:
  ret void
}
"""

COPY = _COPY.replace(
    "<ELEMENTS>",
    "".join(_ELEMENTS.replace("N", str(n)).replace("BITS", str(8 * n)) for n in (1, 2, 4, 8)),
)
TEXT = TAKE_ORDERED + COPY
