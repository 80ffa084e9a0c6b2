"""The trampoline's large results: at cache lines, which NumPy's own are not, so that vectors of
results do not cross lines and may go past the caches (text in the language of `wrapper_text`).

Such an array lies in an array of bytes that only it refers to, as `aligned_copy` makes them.
"""

from __future__ import annotations

OWNS = """
; Whether the memory of an array is its own, or that of another array which it alone refers to.
define internal zeroext i1 @owns_memory(ptr %table, ptr %array) {
  %base = get ptr %array[ARRAY_BASE]
  %own = icmp eq ptr %base, null
  br i1 %own, label %owner, label %based
based:
  %type = get ptr %base[OBJECT_TYPE]
  %ndarray = get ptr %table[PyArray_Type]
  %exact = icmp eq ptr %type, %ndarray
  br i1 %exact, label %second, label %no
second:
  %base_count = get i32 %base[OBJECT_REFCOUNT]
  %one = icmp eq i32 %base_count, 1
  %base_weak = get ptr %base[ARRAY_WEAK]
  %unwatched = icmp eq ptr %base_weak, null
  %third = get ptr %base[ARRAY_BASE]
  %last = icmp eq ptr %third, null
  %b = and i1 %one, %unwatched
  %c = and i1 %b, %last
  br i1 %c, label %owner, label %no
owner:
  %memory = phi ptr [%array, %0], [%base, %second]
  %flags = get i32 %memory[ARRAY_FLAGS]
  %bit = and i32 %flags, 4
  %owns = icmp ne i32 %bit, 0
  ret i1 %owns
no:
  ret i1 false
}
"""

NEW = """
; A new array at a cache line; null: Python's error is set.
define internal ptr @new_aligned(ptr %table, ptr %row, ptr %dims, i64 %bytes) {
  %room = alloca i64
  %more = add i64 %bytes, 63
  store i64 %more, ptr %room
  %type = get ptr %table[PyArray_Type]
  %byte = get ptr %table[UINT8]
  capi void Py_IncRef(ptr %byte)
  %base = capi ptr PyArray_NewFromDescr(ptr %type, ptr %byte, i32 1, \
ptr %room, ptr null, ptr null, i32 0, ptr null)
  %some = icmp ne ptr %base, null
  br i1 %some, label %view, label %failed
view:
  %data = get ptr %base[ARRAY_DATA]
  %address = ptrtoint ptr %data to i64
  %up = add i64 %address, 63
  %line = and i64 %up, -64
  %offset = sub i64 %line, %address
  %start = getelementptr i8, ptr %data, i64 %offset
  %descr = get ptr %row[ROW_DESCR]
  %nd = get i32 %row[ROW_ND]
  capi void Py_IncRef(ptr %descr)
  %new = capi ptr PyArray_NewFromDescr(ptr %type, ptr %descr, i32 %nd, \
ptr %dims, ptr null, ptr %start, i32 $DONOR_FLAGS, ptr null)
  %made = icmp ne ptr %new, null
  br i1 %made, label %tie, label %drop_base
drop_base:
  capi void Py_DecRef(ptr %base)
  ret ptr null
tie:                         ; takes the reference to %base, also when it fails
  %bad = capi i32 PyArray_SetBaseObject(ptr %new, ptr %base)
  %tied = icmp eq i32 %bad, 0
  br i1 %tied, label %done, label %drop_new
drop_new:
  capi void Py_DecRef(ptr %new)
  ret ptr null
done:
  ret ptr %new
failed:
  ret ptr null
}
"""

TEXT = OWNS + NEW
