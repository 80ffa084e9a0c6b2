"""Arguments that NumPy makes arrays of the right dtype of: smaller dtypes, lists and tuples.

Only where the dtype that NumPy finds widens to the operand's (`Operand.widens`): then no number
changes, and Theano asks for no check. Text in the language of `wrapper_text`.
"""

from __future__ import annotations

TEXT = """
; A new array of the row's dtype of an array of a smaller one, or of a list or tuple of such
; numbers; null for anything else.  May run Python code: of what stands in the list.
define internal ptr @cast(ptr %table, ptr %obj, ptr %row) {
entry:
  %wider = get i64 %row[ROW_WIDER]
  %order = get i64 %row[ROW_ORDER]
  %none = icmp eq i64 %wider, 0
  %turned = icmp ne i64 %order, 0
  %never = or i1 %none, %turned
  br i1 %never, label %no, label %look
look:
  %type = get ptr %obj[OBJECT_TYPE]
  %ndarray = get ptr %table[PyArray_Type]
  %exact = icmp eq ptr %type, %ndarray
  br i1 %exact, label %weigh, label %sequence
sequence:
  %list = get ptr %table[PyList_Type]
  %tuple = get ptr %table[PyTuple_Type]
  %is_list = icmp eq ptr %type, %list
  %is_tuple = icmp eq ptr %type, %tuple
  %either = or i1 %is_list, %is_tuple
  br i1 %either, label %read, label %no
read:
  %array = capi ptr PyArray_FromAny(ptr %obj, ptr null, i32 0, i32 0, i32 0, ptr null)
  %made = icmp ne ptr %array, null
  br i1 %made, label %weigh, label %clear
weigh:
  %from = phi ptr [%obj, %look], [%array, %read]
  %descr = get ptr %from[ARRAY_DESCR]
  %want = get ptr %row[ROW_DESCR]
  %same = icmp eq ptr %descr, %want
  %fresh = xor i1 %exact, true
  %ready = and i1 %same, %fresh
  br i1 %ready, label %give, label %number
give:
  ret ptr %from
number:
  %num = get i32 %descr[DESCR_NUM]
  %small = icmp ult i32 %num, 24
  br i1 %small, label %bit, label %drop
bit:
  %wide_num = zext i32 %num to i64
  %bits = lshr i64 %wider, %wide_num
  %one = and i64 %bits, 1
  %widens = icmp ne i64 %one, 0
  br i1 %widens, label %convert, label %drop
convert:                     ; takes a reference to the descriptor
  capi void Py_IncRef(ptr %want)
  %new = capi ptr PyArray_FromArray(ptr %from, ptr %want, i32 $CARRAY_FLAGS)
  br i1 %exact, label %check, label %release
release:
  capi void Py_DecRef(ptr %from)
  br label %check
check:
  %good = icmp ne ptr %new, null
  br i1 %good, label %yes, label %clear
drop:
  br i1 %exact, label %no, label %forget
forget:
  capi void Py_DecRef(ptr %from)
  br label %no
clear:
  capi void PyErr_Clear()
  br label %no
yes:
  ret ptr %new
no:
  ret ptr null
}

; Drops the cast arrays of a call.
define internal void @drop_casts(ptr %table, ptr %casts, ptr %n_casts) {
entry:
  %n = load i64, ptr %n_casts
  store i64 0, ptr %n_casts
  for %i below %n, done
  %array = item ptr %casts[%i]
  capi void Py_DecRef(ptr %array)
  next %i
done:
  ret void
}
"""
