"""The trampoline's first half: from Python's arguments to the flat block (text in the language of
`wrapper_text`).

A row describes one operand (`state.ROW_FIELDS`). Everything unusual answers -1, false or null, and
`tt_call` then goes to the slow path in Python: native code never words a message.
"""

from __future__ import annotations

from tetractys.runtime import wrapper_casts, wrapper_layouts

TAKE_ARRAY = """
; Writes data, dims and strides of %obj into its slot; the number of elements, or -1 when it is no
; such array, -2 less the elements when it is one that has only to be copied: no dense last
; dimension.
define internal i64 @take_array(ptr %table, ptr %obj, ptr %row, ptr %flat) {
  %type = get ptr %obj[OBJECT_TYPE]
  %ndarray = get ptr %table[PyArray_Type]
  %exact = icmp eq ptr %type, %ndarray
  br i1 %exact, label %array, label %no
array:
  %descr = get ptr %obj[ARRAY_DESCR]
  %want = get ptr %row[ROW_DESCR]
  %same = icmp eq ptr %descr, %want
  br i1 %same, label %layout, label %other
other:                       ; unpickled, or longlong for long: another descr object, one type
  %num = get i32 %descr[DESCR_NUM]
  %num_a = get i32 %row[ROW_NUM_A]
  %num_b = get i32 %row[ROW_NUM_B]
  %is_a = icmp eq i32 %num, %num_a
  %is_b = icmp eq i32 %num, %num_b
  %is = or i1 %is_a, %is_b
  %order = get i8 %descr[DESCR_ORDER]
  %native = icmp ne i8 %order, $FOREIGN_ORDER
  %fits = and i1 %is, %native
  br i1 %fits, label %layout, label %no
layout:
  %nd = get i32 %obj[ARRAY_ND]
  %want_nd = get i32 %row[ROW_ND]
  %flags = get i32 %obj[ARRAY_FLAGS]
  %aligned_bit = and i32 %flags, 256
  %aligned = icmp ne i32 %aligned_bit, 0
  %rank = icmp eq i32 %nd, %want_nd
  %good = and i1 %rank, %aligned
  br i1 %good, label %copy, label %no
copy:
  %at = get i64 %row[ROW_SLOT]
  %slot = getelementptr i8, ptr %flat, i64 %at
  %data = get ptr %obj[ARRAY_DATA]
  store ptr %data, ptr %slot
  %n = zext i32 %nd to i64
  %scalar = icmp eq i32 %nd, 0
  br i1 %scalar, label %one, label %ranked
one:
  ret i64 1
ranked:
  %permutation = get i64 %row[ROW_ORDER]
  %plain = icmp eq i64 %permutation, 0
  br i1 %plain, label %sizes, label %ordered
ordered:
  %ordered_count = call i64 @take_ordered(ptr %obj, ptr %row, ptr %slot, i64 %n, i64 %permutation)
  ret i64 %ordered_count
sizes:
  %dims = get ptr %obj[ARRAY_DIMS]
  %strides = get ptr %obj[ARRAY_STRIDES]
  %mask = get i64 %row[ROW_MASK]
  %to_dims = getelementptr i8, ptr %slot, i64 8
  %to_strides = getelementptr i64, ptr %to_dims, i64 %n
  br label %size
size:
  %d = phi i64 [0, %sizes], [%d1, %next]
  %count = phi i64 [1, %sizes], [%count1, %next]
  %dim = item i64 %dims[%d]
  %stride = item i64 %strides[%d]
  setitem i64 %dim, %to_dims[%d]
  setitem i64 %stride, %to_strides[%d]
  %bits = lshr i64 %mask, %d
  %bit = and i64 %bits, 1
  %free = icmp eq i64 %bit, 0
  %unit = icmp eq i64 %dim, 1
  %may = or i1 %free, %unit
  br i1 %may, label %next, label %no
next:
  %count1 = mul i64 %count, %dim
  %d1 = add i64 %d, 1
  %more = icmp ult i64 %d1, %n
  br i1 %more, label %size, label %last
last:                        ; kernels assume a contiguous last dimension
  %itemsize = get i64 %row[ROW_ITEMSIZE]
  %dense = icmp eq i64 %stride, %itemsize
  %short = icmp ule i64 %dim, 1
  %empty = icmp eq i64 %count1, 0 ; strides of empty arrays may be anything (NumPy 2.4 gives 0)
  %rows = or i1 %dense, %short
  %fine = or i1 %rows, %empty
  br i1 %fine, label %yes, label %copied
yes:
  ret i64 %count1
copied:
  %strided = sub i64 -2, %count1
  ret i64 %strided
no:
  ret i64 -1
}
"""

TAKE_SCALAR = """
; Rank 0 from a Python float, a Python int or the very numpy scalar type; %number is room for a
; converted one.
define internal zeroext i1 @take_scalar(ptr %table, ptr %obj, ptr %row, ptr %flat, ptr %number) {
  %overflow = alloca i32
  %want_nd = get i32 %row[ROW_ND]
  %rank0 = icmp eq i32 %want_nd, 0
  br i1 %rank0, label %scalar, label %no
scalar:
  %at = get i64 %row[ROW_SLOT]
  %slot = getelementptr i8, ptr %flat, i64 %at
  %type = get ptr %obj[OBJECT_TYPE]
  %numpy = get ptr %row[ROW_SCALAR]
  %is_numpy = icmp eq ptr %type, %numpy
  br i1 %is_numpy, label %inside, label %python
python:
  %kind = get i64 %row[ROW_KIND]
  %is_float64 = icmp eq i64 %kind, 1
  br i1 %is_float64, label %float64, label %not_float64
not_float64:
  %is_int64 = icmp eq i64 %kind, 2
  br i1 %is_int64, label %int64, label %no
float64:
  %float = get ptr %table[PyFloat_Type]
  %is_float = icmp eq ptr %type, %float
  br i1 %is_float, label %inside, label %to_double
inside:                      ; the value itself stands right behind the object's head
  %value = getelementptr i8, ptr %obj, i64 $OBJECT_SIZE
  store ptr %value, ptr %slot
  ret i1 true
to_double:
  %long = get ptr %table[PyLong_Type]
  %is_long = icmp eq ptr %type, %long
  br i1 %is_long, label %double, label %no
double:
  %x = capi double PyLong_AsDouble(ptr %obj)
  store double %x, ptr %number
  store ptr %number, ptr %slot
  %suspect = fcmp oeq double %x, -1.0
  br i1 %suspect, label %check, label %yes
check:
  %error = capi ptr PyErr_Occurred()
  %clean = icmp eq ptr %error, null
  br i1 %clean, label %yes, label %clear
clear:
  capi void PyErr_Clear()
  ret i1 false
int64:
  %long2 = get ptr %table[PyLong_Type]
  %is_long2 = icmp eq ptr %type, %long2
  br i1 %is_long2, label %integer, label %no
integer:
  store i32 0, ptr %overflow
  %i = capi i64 PyLong_AsLongLongAndOverflow(ptr %obj, ptr %overflow)
  store i64 %i, ptr %number
  store ptr %number, ptr %slot
  %over = load i32, ptr %overflow
  %inside64 = icmp eq i32 %over, 0
  ret i1 %inside64
yes:
  ret i1 true
no:
  ret i1 false
}
"""

BIND = """
; Keywords and defaults: the arguments in order in %argv, or false.  Names are compared by identity
; (interned).
define internal zeroext i1 @bind(ptr %table, ptr %state, ptr %args, i64 %nargs, \
ptr %kwnames, ptr %argv) {
entry:
  %n_in = get i64 %state[N_IN]
  %names = get ptr %state[NAMES]
  %defaults = get ptr %state[DEFAULTS]
  %too_many = icmp ugt i64 %nargs, %n_in
  br i1 %too_many, label %no, label %fill_test
fill_test:
  %i = phi i64 [0, %entry], [%i1, %fill_next]
  %filling = icmp ult i64 %i, %n_in
  br i1 %filling, label %fill, label %keywords
fill:
  %given = icmp ult i64 %i, %nargs
  br i1 %given, label %positional, label %empty
positional:
  %arg = item ptr %args[%i]
  setitem ptr %arg, %argv[%i]
  br label %fill_next
empty:
  setitem ptr null, %argv[%i]
  br label %fill_next
fill_next:
  %i1 = add i64 %i, 1
  br label %fill_test
keywords:
  %none = icmp eq ptr %kwnames, null
  br i1 %none, label %rest, label %some
some:
  %n_kw = capi i64 PyTuple_Size(ptr %kwnames)
  %kw_items = getelementptr i8, ptr %kwnames, i64 $TUPLE_ITEMS
  %kw_args = getelementptr ptr, ptr %args, i64 %nargs
  for %k below %n_kw, rest
  br label %keyword
keyword:
  %name = item ptr %kw_items[%k]
  br label %search_test
search_test:
  %j = phi i64 [%nargs, %keyword], [%j1, %search_next]
  %searching = icmp ult i64 %j, %n_in
  br i1 %searching, label %search, label %no
search:
  %candidate = item ptr %names[%j]
  %hit = icmp eq ptr %candidate, %name
  br i1 %hit, label %found, label %search_next
search_next:
  %j1 = add i64 %j, 1
  br label %search_test
found:
  %kw_arg = item ptr %kw_args[%k]
  setitem ptr %kw_arg, %argv[%j]
  next %k
rest:
  br label %rest_test
rest_test:
  %r = phi i64 [%nargs, %rest], [%r1, %rest_next]
  %checking = icmp ult i64 %r, %n_in
  br i1 %checking, label %check, label %yes
check:
  %value = item ptr %argv[%r]
  %missing = icmp eq ptr %value, null
  br i1 %missing, label %default, label %rest_next
default:
  %stored = item ptr %defaults[%r]
  %absent = icmp eq ptr %stored, null
  br i1 %absent, label %no, label %use
use:
  setitem ptr %stored, %argv[%r]
  br label %rest_next
rest_next:
  %r1 = add i64 %r, 1
  br label %rest_test
yes:
  ret i1 true
no:
  ret i1 false
}
"""

CALL = """
; The vectorcall entry of every compiled function.
define ptr @tt_call(ptr %self, ptr %args, i64 %nargsf, ptr %kwnames) {
entry:
  %state = get ptr %self[SELF_STATE]
  %table = get ptr %state[TABLE]
  %n_in = get i64 %state[N_IN]
  %words = get i64 %state[SCRATCH_WORDS]
  %flat = alloca i64, i64 %words, align 16
  %numbers_at = get i64 %state[NUMBERS_AT]
  %numbers = getelementptr i64, ptr %flat, i64 %numbers_at
  %argv_at = get i64 %state[ARGV_AT]
  %argbuf = getelementptr i64, ptr %flat, i64 %argv_at
  %objects_at = get i64 %state[OBJECTS_AT]
  %objects = getelementptr i64, ptr %flat, i64 %objects_at
  %casts_at = get i64 %state[CASTS_AT]
  %casts = getelementptr i64, ptr %flat, i64 %casts_at
  %n_casts = alloca i64
  store i64 0, ptr %n_casts
  %nargs = and i64 %nargsf, 9223372036854775807
  br label %restart
restart:
  %complete = icmp eq i64 %nargs, %n_in
  %plain = icmp eq ptr %kwnames, null
  %easy = and i1 %complete, %plain
  br i1 %easy, label %take_all, label %marked
marked:
  %clean = call zeroext i1 @is_clean_call(ptr %table, ptr %args, i64 %nargs, i64 %n_in)
  br i1 %clean, label %take_all, label %bind
bind:
  %bound = call zeroext i1 @bind(ptr %table, ptr %state, ptr %args, i64 %nargs, \
ptr %kwnames, ptr %argbuf)
  br i1 %bound, label %take_all, label %slow
take_all:
  %argv = phi ptr [%args, %restart], [%args, %marked], [%argbuf, %bind]
  br label %version
version:                     ; the one used last, then round the ring
  %now = phi ptr [%state, %take_all], [%next, %mismatch]
  %rows = get ptr %now[ROWS_IN]
  br label %take_test
take_test:
  %i = phi i64 [0, %version], [%i1, %taken]
  %total = phi i64 [0, %version], [%total1, %taken]
  %taking = icmp ult i64 %i, %n_in
  br i1 %taking, label %take, label %go
take:
  %obj = item ptr %argv[%i]
  %row_at = mul i64 %i, $ROW_SIZE
  %row = getelementptr i8, ptr %rows, i64 %row_at
  %count = call i64 @take_array(ptr %table, ptr %obj, ptr %row, ptr %flat)
  %array = icmp sge i64 %count, 0
  br i1 %array, label %taken, label %no_array
no_array:
  %strided = icmp slt i64 %count, -2
  br i1 %strided, label %copy, label %scalar
copy:                        ; a small one on the stack; a version may take a large one as it is
  %strided_count = sub i64 -2, %count
  %itemsize = get i64 %row[ROW_ITEMSIZE]
  %bytes = mul i64 %strided_count, %itemsize
  %small = icmp ule i64 %bytes, $PACK_BYTES
  br i1 %small, label %keep, label %mismatch
keep:                        ; a small array counts as one element: it is no long call because of it
  %room = alloca i8, i64 %bytes, align 16
  call void @copy_rows(ptr %row, ptr %flat, i64 %bytes, ptr %room)
  br label %taken
scalar:
  %number = getelementptr i64, ptr %numbers, i64 %i
  %is_scalar = call zeroext i1 @take_scalar(ptr %table, ptr %obj, ptr %row, ptr %flat, ptr %number)
  br i1 %is_scalar, label %taken, label %cast
cast:
  %wide = call ptr @cast(ptr %table, ptr %obj, ptr %row)
  %widened = icmp ne ptr %wide, null
  br i1 %widened, label %own, label %mismatch
own:
  %c = load i64, ptr %n_casts
  setitem ptr %wide, %casts[%c]
  %c1 = add i64 %c, 1
  store i64 %c1, ptr %n_casts
  %wide_count = call i64 @take_array(ptr %table, ptr %wide, ptr %row, ptr %flat)
  %fits = icmp sge i64 %wide_count, 0
  br i1 %fits, label %taken, label %mismatch
taken:
  %elements = phi i64 [%count, %take], [1, %keep], [1, %scalar], [%wide_count, %own]
  %total1 = add i64 %total, %elements
  %i1 = add i64 %i, 1
  br label %take_test
mismatch:
  call void @drop_casts(ptr %table, ptr %casts, ptr %n_casts)
  %next = get ptr %now[NEXT]
  %round = icmp eq ptr %next, %state
  br i1 %round, label %slow, label %version
go:
  %same = icmp eq ptr %now, %state
  br i1 %same, label %run, label %other
other:                       ; the next call begins here, unless the function was closed meanwhile
  %head = get ptr %self[SELF_STATE]
  %open = icmp eq ptr %head, %state
  br i1 %open, label %promote, label %run
promote:
  put ptr %now, %self[SELF_STATE]
  br label %run
run:
  %result = call ptr @execute(ptr %self, ptr %now, ptr %table, ptr %flat, \
ptr %objects, ptr %argv, i64 %total)
  call void @drop_casts(ptr %table, ptr %casts, ptr %n_casts)
  %again = icmp eq ptr %result, inttoptr (i64 1 to ptr)
  br i1 %again, label %restart, label %done
done:
  ret ptr %result
slow:
  %refused = call zeroext i1 @is_clean_call(ptr %table, ptr %args, i64 %nargs, i64 %n_in)
  br i1 %refused, label %refuse, label %python
refuse:
  %refusal = get ptr %state[REFUSE]
  %r1 = capi ptr PyObject_Vectorcall(ptr %refusal, ptr %args, i64 %n_in, ptr null)
  ret ptr %r1
python:
  %closure = get ptr %state[SLOW]
  %r2 = capi ptr PyObject_Vectorcall(ptr %closure, ptr %args, i64 %nargsf, ptr %kwnames)
  ret ptr %r2
}

; Whether a last argument, the mark, says that the others come from `call_clean` and must not go
; slow again.
define internal zeroext i1 @is_clean_call(ptr %table, ptr %args, i64 %nargs, i64 %n_in) {
  %n = add i64 %n_in, 1
  %one_more = icmp eq i64 %nargs, %n
  br i1 %one_more, label %look, label %no
look:
  %last = item ptr %args[%n_in]
  %mark = get ptr %table[CLEAN_MARK]
  %is = icmp eq ptr %last, %mark
  ret i1 %is
no:
  ret i1 false
}

; What a function answers after `close` or while it is torn down.
define ptr @tt_closed(ptr %self, ptr %args, i64 %nargsf, ptr %kwnames) {
  %state = get ptr %self[SELF_STATE]
  %table = get ptr %state[TABLE]
  %kind = get ptr %table[CLOSED_ERROR]
  %text = get ptr %table[CLOSED_TEXT]
  capi void PyErr_SetString(ptr %kind, ptr %text)
  ret ptr null
}
"""

TEXT = TAKE_ARRAY + wrapper_layouts.TEXT + wrapper_casts.TEXT + TAKE_SCALAR + BIND + CALL
