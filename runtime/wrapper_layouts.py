"""Arrays whose last dimension is not dense: taken in another order of dimensions, or copied.

Text in the language of `wrapper_text`.
"""

from __future__ import annotations

TAKE_ORDERED = """
; The same for an operand with an order (see `order.py`): dimensions go to their places; -1 for an
; array of another order, and for one that the first version takes.
define internal i64 @take_ordered(ptr %obj, ptr %row, ptr %slot, i64 %n, i64 %order) {
entry:
  %dims = get ptr %obj[ARRAY_DIMS]
  %strides = get ptr %obj[ARRAY_STRIDES]
  %mask = get i64 %row[ROW_MASK]
  %itemsize = get i64 %row[ROW_ITEMSIZE]
  %to_dims = getelementptr i8, ptr %slot, i64 8
  %to_strides = getelementptr i64, ptr %to_dims, i64 %n
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
last:
  %dense = icmp eq i64 %stride, %itemsize
  %moves = icmp ugt i64 %dim, 1
  %bytes = mul i64 %count1, %itemsize
  %large = icmp ugt i64 %bytes, $PACK_BYTES
  %a = and i1 %dense, %moves
  %b = and i1 %a, %large
  br i1 %b, label %yes, label %no
yes:
  ret i64 %count1
no:
  ret i64 -1
}
"""

PACK = """
; A clean copy of an array that `take_array` would take but for its strides; null where a version
; of the function may take it as it is, or without memory.
define internal ptr @pack(ptr %table, ptr %obj, ptr %row) {
entry:
  %nd32 = get i32 %obj[ARRAY_ND]
  %nd = zext i32 %nd32 to i64
  %dims = get ptr %obj[ARRAY_DIMS]
  %strides = get ptr %obj[ARRAY_STRIDES]
  %itemsize = get i64 %row[ROW_ITEMSIZE]
  br label %look
look:
  %d = phi i64 [0, %entry], [%d1, %look]
  %bytes = phi i64 [%itemsize, %entry], [%bytes1, %look]
  %some = phi i1 [false, %entry], [%some1, %look]
  %dim = item i64 %dims[%d]
  %stride = item i64 %strides[%d]
  %bytes1 = mul i64 %bytes, %dim
  %moves = icmp ugt i64 %dim, 1
  %dense = icmp eq i64 %stride, %itemsize
  %both = and i1 %moves, %dense
  %some1 = or i1 %some, %both
  %d1 = add i64 %d, 1
  %more = icmp ult i64 %d1, %nd
  br i1 %more, label %look, label %decide
decide:
  %large = icmp ugt i64 %bytes1, $PACK_BYTES
  %leave = and i1 %large, %some1
  br i1 %leave, label %no, label %copy
copy:
  %new = capi ptr PyArray_NewCopy(ptr %obj, i32 0)
  %made = icmp ne ptr %new, null
  br i1 %made, label %yes, label %clear
clear:
  capi void PyErr_Clear()
  br label %no
yes:
  ret ptr %new
no:
  ret ptr null
}

; Drops the copies of a call.
define internal void @drop_packed(ptr %table, ptr %packed, ptr %n_packed) {
entry:
  %n = load i64, ptr %n_packed
  store i64 0, ptr %n_packed
  br label %test
test:
  %i = phi i64 [0, %entry], [%i1, %one]
  %more = icmp ult i64 %i, %n
  br i1 %more, label %one, label %done
one:
  %array = item ptr %packed[%i]
  capi void Py_DecRef(ptr %array)
  %i1 = add i64 %i, 1
  br label %test
done:
  ret void
}
"""

TEXT = TAKE_ORDERED + PACK
