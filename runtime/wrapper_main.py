"""The trampoline's main line, and the text of the whole trampoline (in the language of
`wrapper_text`).
"""

from __future__ import annotations

from collections.abc import Mapping

from tetractys.runtime import (
    wrapper_aligned,
    wrapper_arguments,
    wrapper_donors,
    wrapper_execute,
    wrapper_results,
)
from tetractys.runtime.wrapper_text import expand

CALL_SYMBOL = "tt_call"
CLOSED_SYMBOL = "tt_closed"

EXECUTE = """
; From a filled flat block to the answer; null with Python's error set; 1: start the call again.
define internal ptr @execute(ptr %self, ptr %state, ptr %table, ptr %flat, \
ptr %objects, ptr %argv, i64 %elements) {
entry:
  %total = alloca i64
  %writing = alloca i64
  %n_objects = get i64 %state[N_OBJECTS]
  %n_shared = get i64 %state[N_SHARED]
  %outputs = getelementptr ptr, ptr %objects, i64 %n_shared
  %externs = get ptr %state[EXTERNS]
  %threads_at = get ptr %state[THREADS_AT]
  %threads = load i64, ptr %threads_at
  %shape = get ptr %state[SHAPE]
  put i64 0, %flat[FLAT_WORKSPACE]
  put ptr %externs, %flat[FLAT_EXTERNS]
  put i64 0, %flat[FLAT_ERROR]
  put i64 %threads, %flat[FLAT_THREADS]
  put i64 0, %flat[FLAT_STREAM]
  br label %zero
zero:
  %z = phi i64 [0, %entry], [%z1, %zero]
  setitem ptr null, %objects[%z]
  %z1 = add i64 %z, 1
  %zeroing = icmp ult i64 %z1, %n_objects
  br i1 %zeroing, label %zero, label %begin
begin:
  %form = get i64 %state[FORM]
  %contained = icmp uge i64 %form, $FORM_LIST
  br i1 %contained, label %contain, label %shared_test
contain:
  %made = call ptr @new_container(ptr %table, ptr %state, i64 %form)
  %no_container = icmp eq ptr %made, null
  br i1 %no_container, label %nothing, label %shared_test
nothing:
  ret ptr null

shared_test:
  %container = phi ptr [null, %begin], [%made, %contain]
  %flags = get i64 %state[FLAGS]
  %quiet = icmp eq i64 %flags, 0
  br i1 %quiet, label %sizes, label %prepare
prepare:
  %shared = call i64 @take_shared(ptr %table, ptr %state, ptr %flat, ptr %objects)
  %usable = icmp sge i64 %shared, 0
  br i1 %usable, label %template, label %settle
template:
  call void @copy_template(ptr %state, ptr %flat)
  br label %sizes
sizes:
  %more = phi i64 [0, %shared_test], [%shared, %template]
  %sum = add i64 %elements, %more
  store i64 %sum, ptr %total
  store i64 0, ptr %writing
  %shaped = icmp ne ptr %shape, null
  br i1 %shaped, label %call_shape, label %results
call_shape:
  %refused = call i32 %shape(ptr %flat)
  %fits = icmp eq i32 %refused, 0
  br i1 %fits, label %results, label %error

results:
  %good = call zeroext i1 @make_results(ptr %table, ptr %state, ptr %flat, ptr %argv, \
ptr %objects, ptr %total, ptr %writing)
  br i1 %good, label %place, label %failed
place:
  br i1 %contained, label %fill, label %workspace
fill:
  %filled = call zeroext i1 @fill_container(ptr %table, ptr %state, i64 %form, \
ptr %container, ptr %outputs)
  br i1 %filled, label %workspace, label %failed
workspace:
  %bytes = get i64 %flat[FLAT_WORKSPACE]
  put i64 %bytes, %state[LAST_WORKSPACE]
  %needs = icmp ne i64 %bytes, 0
  br i1 %needs, label %take, label %run
take:
  %taken = call ptr @take_arena(ptr %table, ptr %state, i64 %bytes)
  put ptr %taken, %flat[FLAT_WORKSPACE]
  %room = icmp ne ptr %taken, null
  br i1 %room, label %run, label %failed

run:
  %arena = phi ptr [null, %workspace], [%taken, %take]
  %kernel = get ptr %state[KERNEL]
  %threshold = get i64 %state[GIL_ELEMENTS]
  %work = load i64, ptr %total
  %long = icmp uge i64 %work, %threshold
  br i1 %long, label %unlocked, label %locked
locked:
  %status_locked = call i32 %kernel(ptr %flat)
  br label %ran
unlocked:
  %writes = load i64, ptr %writing
  %over = icmp ne i64 %writes, 0
  %status_unlocked = call i32 @run_unlocked(ptr %table, ptr %state, ptr %flat, i1 %over)
  %contended = icmp eq i32 %status_unlocked, -2
  br i1 %contended, label %put_back, label %ran
put_back:
  call void @return_arena(ptr %table, ptr %state, ptr %arena)
  br label %settle
ran:
  %status = phi i32 [%status_locked, %locked], [%status_unlocked, %unlocked]
  call void @return_arena(ptr %table, ptr %state, ptr %arena)
  %success = icmp eq i32 %status, 0
  br i1 %success, label %finish, label %ran_badly
ran_badly:
  br i1 %long, label %bad_unlock, label %error
bad_unlock:
  call void @unlock_all(ptr %table, ptr %state, i32 %status)
  br label %error

finish:
  call void @commit(ptr %state, ptr %objects)
  br i1 %long, label %good_unlock, label %answer
good_unlock:
  call void @unlock_all(ptr %table, ptr %state, i32 0)
  br label %answer
answer:
  %is_one = icmp eq i64 %form, $FORM_ONE
  br i1 %is_one, label %one, label %not_one
not_one:
  %is_none = icmp eq i64 %form, $FORM_NONE
  br i1 %is_none, label %none, label %drop_all
one:
  %single = load ptr, ptr %outputs
  store ptr null, ptr %outputs
  br label %drop_all
none:
  %nil = get ptr %table[None]
  capi void Py_IncRef(ptr %nil)
  br label %drop_all
drop_all:
  %result = phi ptr [%container, %not_one], [%single, %one], [%nil, %none]
  call void @drop(ptr %table, ptr %state, ptr %objects)
  ret ptr %result

settle:
  call void @drop(ptr %table, ptr %state, ptr %objects)
  call void @drop_container(ptr %table, ptr %container)
  %settled = call ptr @ask(ptr %table, ptr %state, ptr null)
  ret ptr %settled
failed:
  call void @drop(ptr %table, ptr %state, ptr %objects)
  call void @drop_container(ptr %table, ptr %container)
  ret ptr null
error:
  %code = phi i32 [%refused, %call_shape], [%status, %ran_badly], [%status, %bad_unlock]
  call void @drop(ptr %table, ptr %state, ptr %objects)
  call void @drop_container(ptr %table, ptr %container)
  %own = icmp eq i32 %code, -1
  br i1 %own, label %python_error, label %raise
python_error:
  ret ptr null
raise:
  %raised = call ptr @ask(ptr %table, ptr %state, ptr %flat)
  ret ptr %raised
}
"""

HELPERS = """
define internal void @drop_container(ptr %table, ptr %container) {
  %some = icmp ne ptr %container, null
  br i1 %some, label %drop, label %done
drop:
  capi void Py_DecRef(ptr %container)
  br label %done
done:
  ret void
}

; After a run without the GIL: nothing is locked when locking itself failed (status -1 comes only
; from there, for a kernel that sets Python's errors never drops the GIL).
define internal void @unlock_all(ptr %table, ptr %state, i32 %status) {
  %none = icmp eq i32 %status, -1
  br i1 %none, label %done, label %all
all:
  %n = get i64 %state[N_UPD]
  call void @unlock(ptr %table, ptr %state, i64 %n)
  br label %done
done:
  ret void
}

; The words of the flat block that never change: constants, and the sizes of results when there is
; no tt_shape.
define internal void @copy_template(ptr %state, ptr %flat) {
  %from = get i64 %state[TEMPLATE_BEGIN]
  %to = get i64 %state[TEMPLATE_END]
  %template = get ptr %state[TEMPLATE]
  br label %test
test:
  %i = phi i64 [%from, %0], [%i1, %copy]
  %more = icmp ult i64 %i, %to
  br i1 %more, label %copy, label %done
copy:
  %word = item i64 %template[%i]
  setitem i64 %word, %flat[%i]
  %i1 = add i64 %i, 1
  br label %test
done:
  ret void
}

; Python decides: with a flat block, `raise_` (an answer of it is the call's result); without,
; `settle`, then again.
define internal ptr @ask(ptr %table, ptr %state, ptr %flat) {
  %argument = alloca ptr
  %address = ptrtoint ptr %flat to i64
  %raising = icmp ne ptr %flat, null
  %raise = get ptr %state[RAISE]
  %settle = get ptr %state[SETTLE]
  %method = select i1 %raising, ptr %raise, ptr %settle
  %number = capi ptr PyLong_FromLongLong(i64 %address)
  %made = icmp ne ptr %number, null
  br i1 %made, label %call, label %failed
call:
  store ptr %number, ptr %argument
  %answer = capi ptr PyObject_Vectorcall(ptr %method, ptr %argument, i64 1, ptr null)
  capi void Py_DecRef(ptr %number)
  %none = icmp eq ptr %answer, null
  %end = or i1 %raising, %none
  br i1 %end, label %give, label %again
give:
  ret ptr %answer
again:
  capi void Py_DecRef(ptr %answer)
  ret ptr inttoptr (i64 1 to ptr)
failed:
  ret ptr null
}
"""

SOURCE = (
    wrapper_arguments.TEXT
    + wrapper_aligned.TEXT
    + wrapper_donors.TEXT
    + wrapper_results.TEXT
    + wrapper_execute.SHARED
    + wrapper_execute.COMMIT
    + wrapper_execute.WORKSPACE
    + wrapper_execute.UNLOCKED
    + HELPERS
    + EXECUTE
)


def wrapper_text(values: Mapping[str, int]) -> str:
    """LLVM IR of the trampoline for the offsets of this Python and NumPy."""
    return expand(SOURCE, values)
