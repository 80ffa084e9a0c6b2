"""The trampoline's second half: from a filled flat block to the answer (text in the language of
`wrapper_text`).

Order of a call: container, shared values (with a reference each), sizes, results, workspace,
kernel, commit, drop. From the reading of shared values to the commit no Python code runs and, in a
short call, the GIL is kept: that is the short call's lock.  A long call takes the locks of the
cells that it updates without waiting; where one is taken, everything is undone and `settle` in
Python waits, then the call starts again.
"""

from __future__ import annotations

SHARED = """
; References to all shared values, in %objects; the elements, or -1: a cell is locked or its value
; is not clean, or being written.
define internal i64 @take_shared(ptr %table, ptr %state, ptr %flat, ptr %objects) {
  %n = get i64 %state[N_SHARED]
  %n_upd = get i64 %state[N_UPD]
  %cells = get ptr %state[CELLS]
  %updated = get ptr %state[UPDATE_CELLS]
  %rows = get ptr %state[ROWS_SHARED]
  %none = get ptr %table[None]
  %writing = get ptr %table[False]
  br label %free_test
free_test:
  %u = phi i64 [0, %0], [%u1, %look]
  %looking = icmp ult i64 %u, %n_upd
  br i1 %looking, label %look, label %test
look:
  %mine = item ptr %updated[%u]
  %held = get ptr %mine[CELL_HELD]
  %free = icmp eq ptr %held, %none
  %u1 = add i64 %u, 1
  br i1 %free, label %free_test, label %failed
test:
  %i = phi i64 [0, %free_test], [%i1, %taken]
  %total = phi i64 [0, %free_test], [%total1, %taken]
  %more = icmp ult i64 %i, %n
  br i1 %more, label %read, label %done
read:
  %cell = item ptr %cells[%i]
  %value = get ptr %cell[CELL_VALUE]
  %set = icmp ne ptr %value, null
  %state_now = get ptr %cell[CELL_HELD]
  %whole = icmp ne ptr %state_now, %writing
  %readable = and i1 %set, %whole
  br i1 %readable, label %take, label %failed
take:
  %row_at = mul i64 %i, $ROW_SIZE
  %row = getelementptr i8, ptr %rows, i64 %row_at
  %count = call i64 @take_array(ptr %table, ptr %value, ptr %row, ptr %flat)
  %clean = icmp sge i64 %count, 0
  br i1 %clean, label %taken, label %failed
taken:
  capi void Py_IncRef(ptr %value)
  setitem ptr %value, %objects[%i]
  %total1 = add i64 %total, %count
  %i1 = add i64 %i, 1
  br label %test
done:
  ret i64 %total
failed:
  ret i64 -1
}
"""

COMMIT = """
; Every update into its cell; the value that it replaces becomes the spare buffer; the former spare
; is dropped later.  One that was written over its old value is there already and needs no spare.
define internal void @commit(ptr %state, ptr %objects) {
  %n_shared = get i64 %state[N_SHARED]
  %n_out = get i64 %state[N_OUT]
  %n_upd = get i64 %state[N_UPD]
  %updated = get ptr %state[UPDATE_CELLS]
  %keep = get ptr %state[KEEP]
  %first = add i64 %n_shared, %n_out
  %news = getelementptr ptr, ptr %objects, i64 %first
  %spares = getelementptr ptr, ptr %keep, i64 %n_out
  for %i below %n_upd, done
  %new = item ptr %news[%i]
  %spare = item ptr %spares[%i]
  setitem ptr %spare, %news[%i]
  %there = icmp eq ptr %new, null
  br i1 %there, label %forget, label %replace
forget:
  setitem ptr null, %spares[%i]
  br label %next
replace:
  %cell = item ptr %updated[%i]
  %old = get ptr %cell[CELL_VALUE]
  put ptr %new, %cell[CELL_VALUE]
  setitem ptr %old, %spares[%i]
  br label %next
next:
  next %i
done:
  ret void
}

; Drops what the call still owns.
define internal void @drop(ptr %table, ptr %state, ptr %objects) {
  %n = get i64 %state[N_OBJECTS]
  for %i below %n, done
  %object = item ptr %objects[%i]
  %some = icmp ne ptr %object, null
  br i1 %some, label %release, label %next
release:
  setitem ptr null, %objects[%i]
  capi void Py_DecRef(ptr %object)
  br label %next
next:
  next %i
done:
  ret void
}
"""

WORKSPACE = """
; A 64-byte aligned block of at least %bytes: the one that the function keeps, or, when that is out
; with another call or too small, a new one.  Its base and size stand in the 16 bytes before it.
define internal ptr @take_arena(ptr %table, ptr %state, i64 %bytes) {
  %kept = get ptr %state[ARENA]
  put ptr null, %state[ARENA]
  %some = icmp ne ptr %kept, null
  br i1 %some, label %measure, label %fresh
measure:
  %size_at = getelementptr i64, ptr %kept, i64 -2
  %size = load i64, ptr %size_at
  %enough = icmp uge i64 %size, %bytes
  br i1 %enough, label %use, label %discard
use:
  ret ptr %kept
discard:
  call void @free_arena(ptr %table, ptr %kept)
  br label %fresh
fresh:
  %room = add i64 %bytes, 128
  %base = capi ptr PyMem_RawMalloc(i64 %room)
  %made = icmp ne ptr %base, null
  br i1 %made, label %align, label %no_memory
align:
  %address = ptrtoint ptr %base to i64
  %up = add i64 %address, 79
  %aligned = and i64 %up, -64
  %offset = sub i64 %aligned, %address
  %block = getelementptr i8, ptr %base, i64 %offset
  %new_size_at = getelementptr i64, ptr %block, i64 -2
  store i64 %bytes, ptr %new_size_at
  %base_at = getelementptr i64, ptr %block, i64 -1
  store ptr %base, ptr %base_at
  ret ptr %block
no_memory:
  %error = capi ptr PyErr_NoMemory()
  ret ptr null
}

define internal void @free_arena(ptr %table, ptr %block) {
  %base_at = getelementptr i64, ptr %block, i64 -1
  %base = load ptr, ptr %base_at
  capi void PyMem_RawFree(ptr %base)
  ret void
}

; Keeps the block for the next call, unless there is one already or it is very large.
define internal void @return_arena(ptr %table, ptr %state, ptr %block) {
  %some = icmp ne ptr %block, null
  br i1 %some, label %look, label %done
look:
  %kept = get ptr %state[ARENA]
  %size_at = getelementptr i64, ptr %block, i64 -2
  %size = load i64, ptr %size_at
  %modest = icmp ule i64 %size, $ARENA_KEEP_BYTES
  %empty = icmp eq ptr %kept, null
  %keep = and i1 %modest, %empty
  br i1 %keep, label %store, label %free
store:
  put ptr %block, %state[ARENA]
  ret void
free:
  call void @free_arena(ptr %table, ptr %block)
  ret void
done:
  ret void
}
"""

UNLOCKED = """
; The kernel without the GIL, the updated cells locked; %writing: whether a value may be written
; over, so that nobody else may read it.  -2: another call holds one of them; -1: Python's error is
; set.
define internal i32 @run_unlocked(ptr %table, ptr %state, ptr %flat, i1 %writing) {
  %argument = alloca ptr
  %n = get i64 %state[N_UPD]
  %cells = get ptr %state[UPDATE_CELLS_SORTED]
  %acquire = get ptr %state[ACQUIRE]
  %kernel = get ptr %state[KERNEL]
  %false = get ptr %table[False]
  %true = get ptr %table[True]
  %sign = select i1 %writing, ptr %false, ptr %true
  store ptr %false, ptr %argument
  br label %test
test:
  %i = phi i64 [0, %0], [%i1, %mark]
  %more = icmp ult i64 %i, %n
  br i1 %more, label %lock, label %run
lock:
  %method = item ptr %acquire[%i]
  %got = capi ptr PyObject_Vectorcall(ptr %method, ptr %argument, i64 1, ptr null)
  %failed = icmp eq ptr %got, null
  br i1 %failed, label %undo, label %answered
answered:
  capi void Py_DecRef(ptr %got)
  %yes = icmp eq ptr %got, %true
  br i1 %yes, label %mark, label %undo
mark:
  %cell = item ptr %cells[%i]
  call void @set_held(ptr %table, ptr %cell, ptr %sign)
  %i1 = add i64 %i, 1
  br label %test
undo:
  %status0 = phi i32 [-1, %lock], [-2, %answered]
  call void @unlock(ptr %table, ptr %state, i64 %i)
  ret i32 %status0
run:
  %thread = capi ptr PyEval_SaveThread()
  %status = call i32 %kernel(ptr %flat)
  capi void PyEval_RestoreThread(ptr %thread)
  ret i32 %status
}

; Frees the first %n updated cells.
define internal void @unlock(ptr %table, ptr %state, i64 %n) {
  %cells = get ptr %state[UPDATE_CELLS_SORTED]
  %methods = get ptr %state[RELEASE]
  %none = get ptr %table[None]
  for %i below %n, done
  %cell = item ptr %cells[%i]
  call void @set_held(ptr %table, ptr %cell, ptr %none)
  %method = item ptr %methods[%i]
  %answer = capi ptr PyObject_Vectorcall(ptr %method, ptr null, i64 0, ptr null)
  %good = icmp ne ptr %answer, null
  br i1 %good, label %drop, label %clear
drop:
  capi void Py_DecRef(ptr %answer)
  br label %next
clear:
  capi void PyErr_Clear()
  br label %next
next:
  next %i
done:
  ret void
}

define internal void @set_held(ptr %table, ptr %cell, ptr %value) {
  %old = get ptr %cell[CELL_HELD]
  capi void Py_IncRef(ptr %value)
  put ptr %value, %cell[CELL_HELD]
  capi void Py_DecRef(ptr %old)
  ret void
}
"""
