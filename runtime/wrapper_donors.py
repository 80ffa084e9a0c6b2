"""The trampoline's results in memory that is there already: an update's old value, an array that
the user gave away (text in the language of `wrapper_text`).

The kernel allows it for some pairs (`spec.inplace`); whether it is done is decided at each call. A
shared value may be written over iff nobody else can see it: the cell and this call hold the only
two references to the array, no weak reference is out, and its memory is its own, or that of an
array which it alone refers to (how `shared` aligns); for less than 4 kB the spare buffer is
quicker. An argument that was given away may be anyone
else's; that is what its owner said. Both must be laid out in rows, writeable, of the result's
sizes, and share no byte with any other argument or shared value.
"""

from __future__ import annotations

OVERLAP = """
; The first byte of an operand and the one behind its last; twice 0 for an empty one.
define internal void @extent(ptr %row, ptr %flat, ptr %out) {
  %at = get i64 %row[ROW_SLOT]
  %slot = getelementptr i8, ptr %flat, i64 %at
  %data = load i64, ptr %slot
  %itemsize = get i64 %row[ROW_ITEMSIZE]
  %one = add i64 %data, %itemsize
  %nd32 = get i32 %row[ROW_ND]
  %nd = zext i32 %nd32 to i64
  %dims = getelementptr i64, ptr %slot, i64 1
  %order = get i64 %row[ROW_ORDER]
  %behind = mul i64 %nd, 4
  %tail = lshr i64 %order, %behind
  %open = icmp ne i64 %tail, 0
  %extra = zext i1 %open to i64                   ; a dimension that the array does not have
  %places = add i64 %nd, %extra
  %strides = getelementptr i64, ptr %dims, i64 %places
  %end_at = getelementptr i64, ptr %out, i64 1
  br label %test
test:
  %d = phi i64 [0, %0], [%d1, %size]
  %low = phi i64 [%data, %0], [%low1, %size]
  %high = phi i64 [%one, %0], [%high1, %size]
  %empty = phi i1 [false, %0], [%empty1, %size]
  %more = icmp ult i64 %d, %nd
  br i1 %more, label %size, label %done
size:
  %dim = item i64 %dims[%d]
  %stride = item i64 %strides[%d]
  %last = sub i64 %dim, 1
  %way = mul i64 %last, %stride
  %back = icmp slt i64 %way, 0
  %down = select i1 %back, i64 %way, i64 0
  %up = select i1 %back, i64 0, i64 %way
  %low1 = add i64 %low, %down
  %high1 = add i64 %high, %up
  %none = icmp eq i64 %dim, 0
  %empty1 = or i1 %empty, %none
  %d1 = add i64 %d, 1
  br label %test
done:
  %first = select i1 %empty, i64 0, i64 %low
  %end = select i1 %empty, i64 0, i64 %high
  store i64 %first, ptr %out
  store i64 %end, ptr %end_at
  ret void
}

; Whether operand number %mine shares memory with another input or shared value.  (The rows of
; shared values stand behind those of the inputs.)
define internal zeroext i1 @overlaps(ptr %state, ptr %flat, i64 %mine) {
  %ends = alloca [2 x i64]
  %high_at = getelementptr i64, ptr %ends, i64 1
  %n_in = get i64 %state[N_IN]
  %n_shared = get i64 %state[N_SHARED]
  %n = add i64 %n_in, %n_shared
  %rows = get ptr %state[ROWS_IN]
  %mine_at = mul i64 %mine, $ROW_SIZE
  %my_row = getelementptr i8, ptr %rows, i64 %mine_at
  call void @extent(ptr %my_row, ptr %flat, ptr %ends)
  %my_low = load i64, ptr %ends
  %my_high = load i64, ptr %high_at
  for %i below %n, no
  %self = icmp eq i64 %i, %mine
  br i1 %self, label %next, label %other
other:
  %row_at = mul i64 %i, $ROW_SIZE
  %row = getelementptr i8, ptr %rows, i64 %row_at
  call void @extent(ptr %row, ptr %flat, ptr %ends)
  %low = load i64, ptr %ends
  %high = load i64, ptr %high_at
  %below = icmp ult i64 %low, %my_high
  %above = icmp ult i64 %my_low, %high
  %both = and i1 %below, %above
  br i1 %both, label %yes, label %next
next:
  next %i
yes:
  ret i1 true
no:
  ret i1 false
}
"""

ALONE = """
; Whether nobody but its cell and this call can see the array of a shared value, or its memory.
define internal zeroext i1 @is_alone(ptr %table, ptr %array) {
  %count = get i32 %array[OBJECT_REFCOUNT]
  %two = icmp eq i32 %count, 2
  %weak = get ptr %array[ARRAY_WEAK]
  %unwatched = icmp eq ptr %weak, null
  %a = and i1 %two, %unwatched
  br i1 %a, label %whose, label %no
whose:
  %owns = call zeroext i1 @owns_memory(ptr %table, ptr %array)
  ret i1 %owns
no:
  ret i1 false
}
"""

TAKE = """
; The array of operand %donor, if the result that %row describes may be written into it; its pointer
; and strides then stand in the result's part of the flat block.  Else null.
define internal ptr @take_donor(ptr %table, ptr %state, ptr %flat, ptr %argv, ptr %shared, \
i64 %donor, ptr %row, ptr %total) {
  %n_in = get i64 %state[N_IN]
  %is_input = icmp ult i64 %donor, %n_in
  br i1 %is_input, label %input, label %value
input:
  %given = item ptr %argv[%donor]
  %type = get ptr %given[OBJECT_TYPE]
  %ndarray = get ptr %table[PyArray_Type]
  %exact = icmp eq ptr %type, %ndarray
  br i1 %exact, label %look, label %no
value:
  %k = sub i64 %donor, %n_in
  %held = item ptr %shared[%k]
  br label %look
look:
  %array = phi ptr [%given, %input], [%held, %value]
  %flags = get i32 %array[ARRAY_FLAGS]
  %three = and i32 %flags, $DONOR_FLAGS
  %rows_fit = icmp eq i32 %three, $DONOR_FLAGS
  %data = get ptr %array[ARRAY_DATA]
  %its_rows = get ptr %state[ROWS_IN]
  %its_at = mul i64 %donor, $ROW_SIZE
  %its_row = getelementptr i8, ptr %its_rows, i64 %its_at
  %its_word = get i64 %its_row[ROW_SLOT]
  %its_slot = getelementptr i8, ptr %flat, i64 %its_word
  %read = load ptr, ptr %its_slot
  %read_there = icmp eq ptr %read, %data          ; not a copy
  %fit = and i1 %rows_fit, %read_there
  br i1 %fit, label %sizes, label %no
sizes:
  %at = get i64 %row[ROW_SLOT]
  %slot = getelementptr i8, ptr %flat, i64 %at
  %dims = getelementptr i8, ptr %slot, i64 8
  %nd32 = get i32 %row[ROW_ND]
  %nd = zext i32 %nd32 to i64
  %old_dims = get ptr %array[ARRAY_DIMS]
  %old_strides = get ptr %array[ARRAY_STRIDES]
  %strides = getelementptr i64, ptr %dims, i64 %nd
  br label %test
test:
  %i = phi i64 [0, %sizes], [%i1, %equal]
  %n = phi i64 [1, %sizes], [%n1, %equal]
  %more = icmp ult i64 %i, %nd
  br i1 %more, label %compare, label %apart
compare:
  %x = item i64 %old_dims[%i]
  %y = item i64 %dims[%i]
  %same = icmp eq i64 %x, %y
  br i1 %same, label %equal, label %no
equal:
  %stride = item i64 %old_strides[%i]
  setitem i64 %stride, %strides[%i]
  %n1 = mul i64 %n, %x
  %i1 = add i64 %i, 1
  br label %test
apart:
  br i1 %is_input, label %disjoint, label %large
large:
  %itemsize = get i64 %row[ROW_ITEMSIZE]
  %bytes = mul i64 %n, %itemsize
  %pays = icmp sge i64 %bytes, $OVERWRITE_BYTES
  br i1 %pays, label %whose, label %no
whose:
  %alone = call zeroext i1 @is_alone(ptr %table, ptr %array)
  br i1 %alone, label %disjoint, label %no
disjoint:
  %meets = call zeroext i1 @overlaps(ptr %state, ptr %flat, i64 %donor)
  br i1 %meets, label %no, label %yes
yes:
  store ptr %data, ptr %slot
  %sum = load i64, ptr %total
  %sum1 = add i64 %sum, %n
  store i64 %sum1, ptr %total
  ret ptr %array
no:
  ret ptr null
}
"""

TEXT = OVERLAP + ALONE + TAKE
