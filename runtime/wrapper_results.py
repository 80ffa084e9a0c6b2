"""The trampoline's results: buffers kept between calls, fresh arrays, and the container that holds
the outputs.

A result's buffer is reused when nobody but its keeper refers to it: reference count 1, no weak
reference, the same type, rank and sizes, memory of its own (a large one's lies in an array of
bytes). The caller cannot tell; a small output costs 50 ns less, one of 80 MB 8 ms (fresh memory is
faulted in). (NumPy arrays are never immortal, and the low half of the reference count is read, so
this holds on every CPython with a GIL.)
"""

from __future__ import annotations

REUSABLE = """
; Whether the kept array %old may serve as the result that %row and the dims in the flat block
; describe.
define internal zeroext i1 @reusable(ptr %table, ptr %old, ptr %row, ptr %dims, i64 %nd) {
  %some = icmp ne ptr %old, null
  br i1 %some, label %look, label %no
look:
  %count = get i32 %old[OBJECT_REFCOUNT]
  %unique = icmp eq i32 %count, 1
  br i1 %unique, label %kind, label %no
kind:
  %type = get ptr %old[OBJECT_TYPE]
  %ndarray = get ptr %table[PyArray_Type]
  %exact = icmp eq ptr %type, %ndarray
  br i1 %exact, label %fields, label %no
fields:
  %descr = get ptr %old[ARRAY_DESCR]
  %want = get ptr %row[ROW_DESCR]
  %same = icmp eq ptr %descr, %want
  %old_nd = get i32 %old[ARRAY_ND]
  %wide_nd = zext i32 %old_nd to i64
  %rank = icmp eq i64 %wide_nd, %nd
  %flags = get i32 %old[ARRAY_FLAGS]
  %three = and i32 %flags, $DONOR_FLAGS
  %own = icmp eq i32 %three, $DONOR_FLAGS
  %weak = get ptr %old[ARRAY_WEAK]
  %unwatched = icmp eq ptr %weak, null
  %no_base = call zeroext i1 @owns_memory(ptr %table, ptr %old)
  %a = and i1 %same, %rank
  %b = and i1 %own, %unwatched
  %c = and i1 %a, %b
  %d = and i1 %c, %no_base
  br i1 %d, label %sizes, label %no
sizes:
  %old_dims = get ptr %old[ARRAY_DIMS]
  for %i below %nd, yes
  %x = item i64 %old_dims[%i]
  %y = item i64 %dims[%i]
  %equal = icmp eq i64 %x, %y
  br i1 %equal, label %next, label %no
next:
  next %i
yes:
  ret i1 true
no:
  ret i1 false
}
"""

MAKE_RESULT = """
; One result: a new reference in %owned, its pointer and strides in the flat block.  A replaced kept
; array goes to %stash, to be dropped after the commit, since dropping may run Python code.  Of
; large arrays two are kept, the newer in %keep, the older in %second; a very large one that is used
; again gets bit %number of the flat block's word.  False: an error is set.
define internal zeroext i1 @make_result(ptr %table, ptr %state, ptr %row, ptr %flat, \
ptr %keep, ptr %second, ptr %owned, ptr %stash, i64 %number, i1 %keeps, ptr %total) {
  %at = get i64 %row[ROW_SLOT]
  %slot = getelementptr i8, ptr %flat, i64 %at
  %dims = getelementptr i8, ptr %slot, i64 8
  %nd32 = get i32 %row[ROW_ND]
  %nd = zext i32 %nd32 to i64
  %scalar = icmp eq i32 %nd32, 0
  br i1 %scalar, label %counted, label %count
count:
  %i = phi i64 [0, %0], [%i1, %count]
  %n = phi i64 [1, %0], [%n1, %count]
  %dim = item i64 %dims[%i]
  %n1 = mul i64 %n, %dim
  %i1 = add i64 %i, 1
  %more = icmp ult i64 %i1, %nd
  br i1 %more, label %count, label %counted
counted:
  %elements = phi i64 [1, %0], [%n1, %count]
  %sum = load i64, ptr %total
  %sum1 = add i64 %sum, %elements
  store i64 %sum1, ptr %total
  %itemsize = get i64 %row[ROW_ITEMSIZE]
  %bytes = mul i64 %elements, %itemsize
  %made_before = get i64 %state[LAST_RESULTS]
  %all_bytes = add i64 %made_before, %bytes
  put i64 %all_bytes, %state[LAST_RESULTS]
  %newer = load ptr, ptr %keep
  %again = call zeroext i1 @reusable(ptr %table, ptr %newer, ptr %row, ptr %dims, i64 %nd)
  br i1 %again, label %reuse, label %other
other:
  %older = load ptr, ptr %second
  %again2 = call zeroext i1 @reusable(ptr %table, ptr %older, ptr %row, ptr %dims, i64 %nd)
  br i1 %again2, label %reuse, label %fresh
reuse:
  %old = phi ptr [%newer, %counted], [%older, %other]
  capi void Py_IncRef(ptr %old)
  %streams = icmp sge i64 %bytes, $STREAM_BYTES
  %counts = icmp ult i64 %number, 64
  %line = and i1 %streams, %counts
  br i1 %line, label %mark, label %ready
mark:
  %marks = get i64 %flat[FLAT_STREAM]
  %mark_bit = shl i64 1, %number
  %marks1 = or i64 %marks, %mark_bit
  put i64 %marks1, %flat[FLAT_STREAM]
  br label %ready
fresh:
  %enough = icmp sge i64 %bytes, $RECYCLE_BYTES
  br i1 %enough, label %aligned, label %plain
aligned:
  %new_aligned = call ptr @new_aligned(ptr %table, ptr %row, ptr %dims, i64 %bytes)
  br label %fresh_made
plain:
  %descr = get ptr %row[ROW_DESCR]
  %type = get ptr %table[PyArray_Type]
  capi void Py_IncRef(ptr %descr)
  %new_plain = capi ptr PyArray_NewFromDescr(ptr %type, ptr %descr, i32 %nd32, \
ptr %dims, ptr null, ptr null, i32 0, ptr null)
  br label %fresh_made
fresh_made:
  %new = phi ptr [%new_aligned, %aligned], [%new_plain, %plain]
  %made = icmp ne ptr %new, null
  br i1 %made, label %keeping, label %failed
keeping:
  br i1 %keeps, label %size_test, label %ready
size_test:
  %small = icmp sle i64 %bytes, $KEEP_BYTES
  br i1 %small, label %keep_it, label %large_test
keep_it:
  capi void Py_IncRef(ptr %new)
  store ptr %newer, ptr %stash
  store ptr %new, ptr %keep
  br label %ready
large_test:
  %modest = icmp sle i64 %bytes, $RECYCLE_MOST_BYTES
  %large = and i1 %enough, %modest
  br i1 %large, label %keep_two, label %ready
keep_two:
  capi void Py_IncRef(ptr %new)
  store ptr %older, ptr %stash
  store ptr %newer, ptr %second
  store ptr %new, ptr %keep
  br label %ready
ready:
  %array = phi ptr [%old, %reuse], [%new, %keeping], [%new, %keep_it], [%new, %large_test], \
[%new, %keep_two], [%old, %mark]
  store ptr %array, ptr %owned
  %data = get ptr %array[ARRAY_DATA]
  store ptr %data, ptr %slot
  br i1 %scalar, label %done, label %describe
describe:
  %strides = get ptr %array[ARRAY_STRIDES]
  %to = getelementptr i64, ptr %dims, i64 %nd
  br label %stride
stride:
  %k = phi i64 [0, %describe], [%k1, %stride]
  %bytes1 = item i64 %strides[%k]
  setitem i64 %bytes1, %to[%k]
  %k1 = add i64 %k, 1
  %again1 = icmp ult i64 %k1, %nd
  br i1 %again1, label %stride, label %done
done:
  ret i1 true
failed:
  ret i1 false
}
"""

MAKE_RESULTS = """
; All results, outputs then updates.  Only outputs are kept here; an update's spare is the value
; that it replaced.  %writing counts the updates that are written over their old values: they own
; nothing.
define internal zeroext i1 @make_results(ptr %table, ptr %state, ptr %flat, ptr %argv, \
ptr %objects, ptr %total, ptr %writing) {
  %n_shared = get i64 %state[N_SHARED]
  %n_out = get i64 %state[N_OUT]
  %n_upd = get i64 %state[N_UPD]
  %n = add i64 %n_out, %n_upd
  %rows = get ptr %state[ROWS_RESULT]
  %keep = get ptr %state[KEEP]
  %donors = get ptr %state[DONORS]
  %owned = getelementptr ptr, ptr %objects, i64 %n_shared
  %stash = getelementptr ptr, ptr %owned, i64 %n
  %seconds = getelementptr ptr, ptr %keep, i64 %n
  put i64 0, %state[LAST_RESULTS]
  br label %test
test:
  %i = phi i64 [0, %0], [%i1, %made], [%i1, %give], [%i1, %over]
  %more = icmp ult i64 %i, %n
  br i1 %more, label %make, label %done
make:
  %i1 = add i64 %i, 1
  %row_at = mul i64 %i, $ROW_SIZE
  %row = getelementptr i8, ptr %rows, i64 %row_at
  %keep_i = getelementptr ptr, ptr %keep, i64 %i
  %owned_i = getelementptr ptr, ptr %owned, i64 %i
  %stash_i = getelementptr ptr, ptr %stash, i64 %i
  %is_output = icmp ult i64 %i, %n_out
  %donor = item i64 %donors[%i]
  %may = icmp sge i64 %donor, 0
  br i1 %may, label %ask, label %new
ask:
  %array = call ptr @take_donor(ptr %table, ptr %state, ptr %flat, ptr %argv, ptr %objects, \
i64 %donor, ptr %row, ptr %total)
  %taken = icmp ne ptr %array, null
  br i1 %taken, label %use, label %new
use:
  br i1 %is_output, label %give, label %over
give:
  capi void Py_IncRef(ptr %array)
  store ptr %array, ptr %owned_i
  br label %test
over:
  %count = load i64, ptr %writing
  %count1 = add i64 %count, 1
  store i64 %count1, ptr %writing
  br label %test
new:
  %second_i = getelementptr ptr, ptr %seconds, i64 %i
  %good = call zeroext i1 @make_result(ptr %table, ptr %state, ptr %row, ptr %flat, ptr %keep_i, \
ptr %second_i, ptr %owned_i, ptr %stash_i, i64 %i, i1 %is_output, ptr %total)
  br i1 %good, label %made, label %failed
made:
  br label %test
done:
  ret i1 true
failed:
  ret i1 false
}
"""

CONTAINER = """
; The empty list or dict, made before anything is read: making one may run Python code (the
; collector, to 3.11).
define internal ptr @new_container(ptr %table, ptr %state, i64 %form) {
  %is_list = icmp eq i64 %form, $FORM_LIST
  br i1 %is_list, label %list, label %dict
list:
  %n_out = get i64 %state[N_OUT]
  %l = capi ptr PyList_New(i64 %n_out)
  ret ptr %l
dict:
  %d = capi ptr PyDict_New()
  ret ptr %d
}

; Moves the outputs from %owned into the container.
define internal zeroext i1 @fill_container(ptr %table, ptr %state, i64 %form, \
ptr %container, ptr %owned) {
  %n_out = get i64 %state[N_OUT]
  %keys = get ptr %state[KEYS]
  %is_list = icmp eq i64 %form, $FORM_LIST
  for %i below %n_out, done
  %array = item ptr %owned[%i]
  br i1 %is_list, label %list, label %dict
list:
  setitem ptr null, %owned[%i]
  %a = capi i32 PyList_SetItem(ptr %container, i64 %i, ptr %array)
  br label %next
dict:
  %key = item ptr %keys[%i]
  %b = capi i32 PyDict_SetItem(ptr %container, ptr %key, ptr %array)
  %bad = icmp ne i32 %b, 0
  br i1 %bad, label %failed, label %next
next:
  next %i
done:
  ret i1 true
failed:
  ret i1 false
}
"""

TEXT = REUSABLE + MAKE_RESULT + MAKE_RESULTS + CONTAINER
