// RUN: tt-opt %s -p mark-inplace --split-input-file | filecheck %s
// RUN: tt-opt %s -p mark-inplace,bufferize --split-input-file | filecheck %s --check-prefix=BUF

// A temporary that is read by the same full map and is dead afterwards; of two results one takes it.
// CHECK-LABEL: func.func @temporary
// CHECK: loops.nest
// CHECK-NOT: inplace
// CHECK: loops.nest
// CHECK: } attributes {inplace = [array<i64: 0, 0>]}
func.func @temporary(%x: tensor<?x?xf64>) -> (tensor<?x?xf64>, tensor<?x?xf64>) {
  %n = loops.dim %x, 0 : tensor<?x?xf64>
  %d = loops.dim %x, 1 : tensor<?x?xf64>
  %t = loops.nest (%i < %n, %k < %d) ins(%a = %x[%i, %k] : tensor<?x?xf64>) -> (collect[%i, %k] : tensor<?x?xf64>) {
    %0 = elemwise.neg %a : f64
    loops.yield %0 : f64
  }
  %r, %s = loops.nest (%i < %n, %k < %d) ins(%a = %t[%i, %k] : tensor<?x?xf64>)
      -> (collect[%i, %k] : tensor<?x?xf64>, collect[%i, %k] : tensor<?x?xf64>) {
    loops.yield %a, %a : f64, f64
  }
  func.return %r, %s : tensor<?x?xf64>, tensor<?x?xf64>
}

// -----

// A chain stays in one memory; two results take two inputs; permuted maps are full maps too.
// CHECK-LABEL: func.func @chain
// CHECK: } attributes {inplace = [array<i64: 0, 1>, array<i64: 1, 0>]}
// CHECK: } attributes {inplace = [array<i64: 0, 0>]}
func.func @chain(%x: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %n = loops.dim %x, 0 : tensor<?x?xf64>
  %d = loops.dim %x, 1 : tensor<?x?xf64>
  %t, %u = loops.nest (%i < %n, %k < %d) ins(%a = %x[%i, %k] : tensor<?x?xf64>)
      -> (collect[%i, %k] : tensor<?x?xf64>, collect[%k, %i] : tensor<?x?xf64>) {
    loops.yield %a, %a : f64, f64
  }
  %v, %w = loops.nest (%i < %n, %k < %d) ins(%a = %t[%i, %k] : tensor<?x?xf64>, %b = %u[%k, %i] : tensor<?x?xf64>)
      -> (collect[%k, %i] : tensor<?x?xf64>, collect[%i, %k] : tensor<?x?xf64>) {
    loops.yield %a, %b : f64, f64
  }
  %r = loops.nest (%i < %n, %k < %d) ins(%a = %w[%i, %k] : tensor<?x?xf64>, %b = %v[%k, %i] : tensor<?x?xf64>)
      -> (collect[%i, %k] : tensor<?x?xf64>) {
    %0 = elemwise.add %a, %b : f64
    loops.yield %0 : f64
  }
  func.return %r : tensor<?x?xf64>
}

// -----

// A library call's result and a view of a temporary are owned; equal sizes may be two values by a check.
// CHECK-LABEL: func.func @call_and_view
// CHECK: } attributes {inplace = [array<i64: 0, 0>]}
// CHECK: } attributes {inplace = [array<i64: 0, 0>]}
func.func @call_and_view(%x: tensor<?x?xf64>, %y: tensor<?x?xf64>, %b: tensor<?xf64>) -> tensor<?xf64> {
  %n = loops.dim %x, 0 : tensor<?x?xf64>
  %d = loops.dim %y, 1 : tensor<?x?xf64>
  %e = loops.dim %b, 0 : tensor<?xf64>
  loops.check %d, %e {message = "sizes"} : (index, index) -> ()
  %g = loops.call %x, %y {callee = "gemm"} : (tensor<?x?xf64>, tensor<?x?xf64>) -> tensor<?x?xf64>
  %t = loops.nest (%i < %n, %k < %e) ins(%a = %g[%i, %k] : tensor<?x?xf64>, %c = %b[%k] : tensor<?xf64>)
      -> (collect[%i, %k] : tensor<?x?xf64>) {
    %0 = elemwise.add %a, %c : f64
    loops.yield %0 : f64
  }
  %m = elemwise.mul %n, %e : index
  %v = loops.view %t, %m : (tensor<?x?xf64>, index) -> tensor<?xf64>
  %r = loops.nest (%i < %m) ins(%a = %v[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %0 = elemwise.neg %a : f64
    loops.yield %0 : f64
  }
  func.return %r : tensor<?xf64>
}

// -----

// Size-1 dimensions in both maps.
// CHECK-LABEL: func.func @size_one
// CHECK: } attributes {inplace = [array<i64: 0, 0>]}
func.func @size_one(%x: tensor<?xf64>) -> tensor<?x1xf64> {
  %n = loops.dim %x, 0 : tensor<?xf64>
  %t = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i, 0] : tensor<?x1xf64>) {
    loops.yield %a : f64
  }
  %r = loops.nest (%i < %n) ins(%a = %t[%i, 0] : tensor<?x1xf64>) -> (collect[%i, 0] : tensor<?x1xf64>) {
    %0 = elemwise.neg %a : f64
    loops.yield %0 : f64
  }
  func.return %r : tensor<?x1xf64>
}

// -----

// Clause 1: an argument belongs to the caller, also through a view.
// CHECK-LABEL: func.func @argument
// CHECK-NOT: inplace
func.func @argument(%x: tensor<?xf64>, %y: tensor<?xf64> {tt.kind = "shared"}) -> (tensor<?xf64>, tensor<?xf64>) {
  %n = loops.dim %x, 0 : tensor<?xf64>
  %v = loops.view %x, %n : (tensor<?xf64>, index) -> tensor<?xf64>
  %r = loops.nest (%i < %n) ins(%a = %v[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    loops.yield %a : f64
  }
  %m = loops.dim %y, 0 : tensor<?xf64>
  %s = loops.nest (%i < %m) ins(%a = %y[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    loops.yield %a : f64
  }
  func.return %r, %s : tensor<?xf64>, tensor<?xf64>
}

// -----

// A donated argument may be the result's memory, if the caller says so at a call.
// CHECK-LABEL: func.func @donated
// CHECK-SAME: tt.inplace = [array<i64: 0, 0>]
// CHECK: } attributes {inplace = [array<i64: 0, 0>]}
func.func @donated(%x: tensor<?xf64> {tt.donated}) -> tensor<?xf64> {
  %n = loops.dim %x, 0 : tensor<?xf64>
  %r = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    loops.yield %a : f64
  }
  func.return %r : tensor<?xf64>
}

// -----

// An update takes its own old value, not the other one's; what reads that and what may fail goes first.
// CHECK-LABEL: func.func @updates
// CHECK-SAME: tt.inplace = [array<i64: 1, 1>, array<i64: 2, 0>]
// CHECK: loops.gather
// CHECK: elemwise.sub
// CHECK: } attributes {inplace = [array<i64: 0, 1>]}
// CHECK: elemwise.mul
// CHECK: elemwise.add
// CHECK: } attributes {inplace = [array<i64: 0, 0>]}
func.func @updates(%p: tensor<?xf64> {tt.update = 2 : i64}, %v: tensor<?xf64> {tt.update = 1 : i64}, %g: tensor<?xf64>, %k: tensor<?xi64>) -> (f64, tensor<?xf64>, tensor<?xf64>) {
  %n = loops.dim %p, 0 : tensor<?xf64>
  %m = loops.dim %v, 0 : tensor<?xf64>
  %e = loops.dim %g, 0 : tensor<?xf64>
  loops.check %n, %m {message = "sizes"} : (index, index) -> ()
  loops.check %n, %e {message = "sizes"} : (index, index) -> ()
  %w = loops.nest (%i < %n) ins(%b = %g[%i] : tensor<?xf64>, %a = %v[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %0 = elemwise.sub %a, %b : f64
    loops.yield %0 : f64
  }
  %q = loops.nest (%i < %n) ins(%a = %p[%i] : tensor<?xf64>, %b = %w[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %0 = elemwise.add %a, %b : f64
    loops.yield %0 : f64
  }
  %h = loops.dim %k, 0 : tensor<?xi64>
  %c = loops.nest (%i < %h) ins(%j = %k[%i] : tensor<?xi64>) -> (add[] : f64) {
    %0 = elemwise.cast %j {dtype = index} : (i64) -> index
    %1 = loops.gather %g, %0 : (tensor<?xf64>, index) -> f64
    loops.yield %1 : f64
  }
  %s = loops.nest (%i < %n) ins(%a = %p[%i] : tensor<?xf64>) -> (add[] : f64) {
    %0 = elemwise.mul %a, %a : f64
    loops.yield %0 : f64
  }
  %d = elemwise.add %c, %s : f64
  func.return %d, %w, %q : f64, tensor<?xf64>, tensor<?xf64>
}

// -----

// Not where the nest itself may fail, the old value is returned, read in another order or not whole.
// CHECK-LABEL: func.func @no_updates
// CHECK-NOT: inplace
func.func @no_updates(%a: tensor<?xf64> {tt.update = 0 : i64}, %b: tensor<?xf64> {tt.update = 1 : i64}, %c: tensor<?x?xf64> {tt.update = 2 : i64}, %d: tensor<?xf64> {tt.update = 3 : i64}, %k: tensor<?xi64>)
    -> (tensor<?xf64>, tensor<?xf64>, tensor<?x?xf64>, tensor<?xf64>, tensor<?xf64>) {
  %n = loops.dim %a, 0 : tensor<?xf64>
  %h = loops.dim %k, 0 : tensor<?xi64>
  %0 = loops.nest (%i < %n) ins(%x = %a[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %y = loops.gather %k, %i : (tensor<?xi64>, index) -> i64
    %z = elemwise.cast %y {dtype = f64} : (i64) -> f64
    %s = elemwise.add %x, %z : f64
    loops.yield %s : f64
  }
  %m = loops.dim %b, 0 : tensor<?xf64>
  %1 = loops.nest (%i < %m) ins(%x = %b[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %y = elemwise.neg %x : f64
    loops.yield %y : f64
  }
  %r = loops.dim %c, 0 : tensor<?x?xf64>
  %t = loops.dim %c, 1 : tensor<?x?xf64>
  %2 = loops.nest (%i < %r, %j < %t) ins(%x = %c[%i, %j] : tensor<?x?xf64>) -> (collect[%j, %i] : tensor<?x?xf64>) {
    loops.yield %x : f64
  }
  %3 = loops.nest (%i < %h) ins(%x = %d[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    loops.yield %x : f64
  }
  func.return %0, %1, %2, %3, %b : tensor<?xf64>, tensor<?xf64>, tensor<?x?xf64>, tensor<?xf64>, tensor<?xf64>
}

// -----

// Clause 2: the temporary is returned, or read later, or a view of it is.
// CHECK-LABEL: func.func @alive
// CHECK-NOT: inplace
func.func @alive(%x: tensor<?xf64>) -> (tensor<?xf64>, f64, f64) {
  %n = loops.dim %x, 0 : tensor<?xf64>
  %t, %u, %w = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>)
      -> (collect[%i] : tensor<?xf64>, collect[%i] : tensor<?xf64>, collect[%i] : tensor<?xf64>) {
    loops.yield %a, %a, %a : f64, f64, f64
  }
  %v = loops.view %w, %n : (tensor<?xf64>, index) -> tensor<?xf64>
  %r = loops.nest (%i < %n) ins(%a = %t[%i] : tensor<?xf64>, %b = %u[%i] : tensor<?xf64>, %c = %w[%i] : tensor<?xf64>)
      -> (collect[%i] : tensor<?xf64>) {
    loops.yield %a : f64
  }
  %s = loops.nest (%i < %n) ins(%a = %u[%i] : tensor<?xf64>) -> (add[] : f64) {
    loops.yield %a : f64
  }
  %q = loops.nest (%i < %n) ins(%a = %v[%i] : tensor<?xf64>, %b = %r[%i] : tensor<?xf64>) -> (add[] : f64) {
    %0 = elemwise.add %a, %b : f64
    loops.yield %0 : f64
  }
  func.return %t, %s, %q : tensor<?xf64>, f64, f64
}

// -----

// Clause 3: elements of another type, be it of the same width.
// CHECK-LABEL: func.func @element_type
// CHECK-NOT: inplace
func.func @element_type(%x: tensor<?xf64>) -> tensor<?xi64> {
  %n = loops.dim %x, 0 : tensor<?xf64>
  %t = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    loops.yield %a : f64
  }
  %r = loops.nest (%i < %n) ins(%a = %t[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xi64>) {
    %0 = elemwise.cast %a {dtype = i64} : (f64) -> i64
    loops.yield %0 : i64
  }
  func.return %r : tensor<?xi64>
}

// -----

// Clause 4: another order of the iterators.
// CHECK-LABEL: func.func @permuted
// CHECK-NOT: inplace
func.func @permuted(%x: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %n = loops.dim %x, 0 : tensor<?x?xf64>
  %t = loops.nest (%i < %n, %k < %n) ins(%a = %x[%i, %k] : tensor<?x?xf64>) -> (collect[%i, %k] : tensor<?x?xf64>) {
    loops.yield %a : f64
  }
  %r = loops.nest (%i < %n, %k < %n) ins(%a = %t[%i, %k] : tensor<?x?xf64>) -> (collect[%k, %i] : tensor<?x?xf64>) {
    loops.yield %a : f64
  }
  func.return %r : tensor<?x?xf64>
}

// -----

// Clause 4: a map that is not full (a row, broadcast), a slice, a result that combines.
// CHECK-LABEL: func.func @not_full
// CHECK-NOT: inplace
func.func @not_full(%x: tensor<?x?xf64>) -> (tensor<?x?xf64>, tensor<?xf64>, tensor<?x?xf64>) {
  %n = loops.dim %x, 0 : tensor<?x?xf64>
  %d = loops.dim %x, 1 : tensor<?x?xf64>
  %t, %u, %v = loops.nest (%i < %n, %k < %d) ins(%a = %x[%i, %k] : tensor<?x?xf64>)
      -> (add[%k] : tensor<?xf64>, collect[%i, %k] : tensor<?x?xf64>, collect[%i, %k] : tensor<?x?xf64>) {
    loops.yield %a, %a, %a : f64, f64, f64
  }
  %r, %s = loops.nest (%i < %n, %k < %d) ins(%a = %t[%k] : tensor<?xf64>, %b = %u[%i, %k] : tensor<?x?xf64>)
      -> (max[%i, %k] : tensor<?x?xf64>, add[%k] : tensor<?xf64>) {
    loops.yield %a, %b : f64, f64
  }
  %w = loops.nest (%i < %n) ins(%a = %v[%i, :] : tensor<?x?xf64>) -> (collect[%i, :] : tensor<?x?xf64>) {
    loops.yield %a : tensor<?xf64>
  }
  func.return %r, %s, %w : tensor<?x?xf64>, tensor<?xf64>, tensor<?x?xf64>
}

// -----

// Clause 4: sizes that are not known to be those of the whole value.
// CHECK-LABEL: func.func @part
// CHECK-NOT: inplace
func.func @part(%x: tensor<?xf64>, %m: index) -> tensor<?xf64> {
  %n = loops.dim %x, 0 : tensor<?xf64>
  %t = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    loops.yield %a : f64
  }
  %r = loops.nest (%i < %m) ins(%a = %t[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    loops.yield %a : f64
  }
  func.return %r : tensor<?xf64>
}

// -----

// Clause 5: the nest reads it a second time, by another map, by a gather, or through a view.
// CHECK-LABEL: func.func @read_twice
// CHECK-NOT: inplace
func.func @read_twice(%x: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<?x?xf64>) {
  %n = loops.dim %x, 0 : tensor<?xf64>
  %t, %u, %w = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>)
      -> (collect[%i] : tensor<?xf64>, collect[%i] : tensor<?xf64>, collect[%i] : tensor<?xf64>) {
    loops.yield %a, %a, %a : f64, f64, f64
  }
  %zero = elemwise.constant 0 : index
  %r = loops.nest (%i < %n) ins(%a = %t[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %0 = loops.gather %t, %zero : (tensor<?xf64>, index) -> f64
    %1 = elemwise.add %a, %0 : f64
    loops.yield %1 : f64
  }
  %v = loops.view %u, %n : (tensor<?xf64>, index) -> tensor<?xf64>
  %s = loops.nest (%i < %n) ins(%a = %u[%i] : tensor<?xf64>, %b = %v[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %0 = elemwise.add %a, %b : f64
    loops.yield %0 : f64
  }
  %q = loops.nest (%i < %n, %k < %n) ins(%a = %w[%i] : tensor<?xf64>, %b = %w[%k] : tensor<?xf64>)
      -> (collect[%i, %k] : tensor<?x?xf64>) {
    %0 = elemwise.add %a, %b : f64
    loops.yield %0 : f64
  }
  func.return %r, %s, %q : tensor<?xf64>, tensor<?xf64>, tensor<?x?xf64>
}

// -----

// A part is written where it belongs, in memory that is dead; neighbours need not be rows for that.
// CHECK-LABEL: func.func @insert
// CHECK: loops.insert %v into %t[%o for %m] {direct, inplace}
func.func @insert(%x: tensor<?xf64>, %n: index, %m: index, %o: index) -> (tensor<?xf64>) {
  %t = loops.nest (%i < %n) -> (collect[%i] : tensor<?xf64>) {
    %c = elemwise.constant 0.0 : f64
    loops.yield %c : f64
  }
  %v = loops.nest (%i < %m) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %u = elemwise.neg %a : f64
    loops.yield %u : f64
  }
  %r = loops.insert %v into %t[%o for %m] : tensor<?xf64> into tensor<?xf64>
  func.return %r : tensor<?xf64>
}


// -----

// Into a copy of what is not ours.
// CHECK-LABEL: func.func @insert_into_argument
// CHECK: loops.insert %v into %x[%o for %m] {direct}
func.func @insert_into_argument(%x: tensor<?xf64>, %n: index, %m: index, %o: index) -> (tensor<?xf64>) {
  %v = loops.nest (%i < %m) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %u = elemwise.neg %a : f64
    loops.yield %u : f64
  }
  %r = loops.insert %v into %x[%o for %m] : tensor<?xf64> into tensor<?xf64>
  func.return %r : tensor<?xf64>
}


// -----

// Or of what is read again.
// CHECK-LABEL: func.func @insert_alive
// CHECK: loops.insert %v into %t[%o for %m] {direct}
func.func @insert_alive(%x: tensor<?xf64>, %n: index, %m: index, %o: index) -> (tensor<?xf64>, tensor<?xf64>) {
  %t = loops.nest (%i < %n) -> (collect[%i] : tensor<?xf64>) {
    %c = elemwise.constant 0.0 : f64
    loops.yield %c : f64
  }
  %v = loops.nest (%i < %m) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %u = elemwise.neg %a : f64
    loops.yield %u : f64
  }
  %r = loops.insert %v into %t[%o for %m] : tensor<?xf64> into tensor<?xf64>
  func.return %r, %t : tensor<?xf64>, tensor<?xf64>
}


// -----

// The nest may read the very part that it writes, element by element.
// CHECK-LABEL: func.func @insert_own_part
// CHECK: attributes {inplace = [array<i64: 0, 0>]}
// CHECK: loops.insert %v into %t[%o for %m] {direct, inplace}
func.func @insert_own_part(%x: tensor<?xf64>, %n: index, %m: index, %o: index) -> (tensor<?xf64>) {
  %t = loops.nest (%i < %n) -> (collect[%i] : tensor<?xf64>) {
    %c = elemwise.constant 0.0 : f64
    loops.yield %c : f64
  }
  %p = loops.subview %t[%o for %m] : tensor<?xf64> -> tensor<?xf64>
  %v = loops.nest (%i < %m) ins(%a = %p[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %u = elemwise.neg %a : f64
    loops.yield %u : f64
  }
  %r = loops.insert %v into %t[%o for %m] : tensor<?xf64> into tensor<?xf64>
  func.return %r : tensor<?xf64>
}


// -----

// Not another one: it may have been written by then.
// CHECK-LABEL: func.func @insert_other_part
// CHECK-NOT: inplace =
// CHECK: loops.insert %v into %t[%o for %m] {inplace}
func.func @insert_other_part(%x: tensor<?xf64>, %n: index, %m: index, %o: index) -> (tensor<?xf64>) {
  %t = loops.nest (%i < %n) -> (collect[%i] : tensor<?xf64>) {
    %c = elemwise.constant 0.0 : f64
    loops.yield %c : f64
  }
  %p = loops.subview %t[%n for %m] : tensor<?xf64> -> tensor<?xf64>
  %v = loops.nest (%i < %m) ins(%a = %p[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %u = elemwise.neg %a : f64
    loops.yield %u : f64
  }
  %r = loops.insert %v into %t[%o for %m] : tensor<?xf64> into tensor<?xf64>
  func.return %r : tensor<?xf64>
}


// -----

// What is read in between must not have been written yet.
// CHECK-LABEL: func.func @insert_read_between
// CHECK: loops.insert %v into %t[%o for %m] {inplace}
func.func @insert_read_between(%x: tensor<?xf64>, %n: index, %m: index, %o: index) -> (tensor<?xf64>, f64) {
  %t = loops.nest (%i < %n) -> (collect[%i] : tensor<?xf64>) {
    %c = elemwise.constant 0.0 : f64
    loops.yield %c : f64
  }
  %v = loops.nest (%i < %m) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %u = elemwise.neg %a : f64
    loops.yield %u : f64
  }
  %s = loops.nest (%i < %n) ins(%a = %t[%i] : tensor<?xf64>) -> (add[] : f64) {
    loops.yield %a : f64
  }
  %r = loops.insert %v into %t[%o for %m] : tensor<?xf64> into tensor<?xf64>
  func.return %r, %s : tensor<?xf64>, f64
}


// -----

// With small gaps, or backwards, they are written where they belong.
// CHECK-LABEL: func.func @insert_near
// CHECK: loops.insert %v into %t[%o for %m by 2] {direct, inplace}
// CHECK: loops.insert %w into %r[%o for %m by -4] {direct, inplace}
func.func @insert_near(%x: tensor<?xf64>, %n: index, %m: index, %o: index) -> tensor<?xf64> {
  %t = loops.nest (%i < %n) -> (collect[%i] : tensor<?xf64>) {
    %c = elemwise.constant 0.0 : f64
    loops.yield %c : f64
  }
  %v = loops.nest (%i < %m) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %u = elemwise.neg %a : f64
    loops.yield %u : f64
  }
  %r = loops.insert %v into %t[%o for %m by 2] : tensor<?xf64> into tensor<?xf64>
  %w = loops.nest (%i < %m) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %u = elemwise.neg %a : f64
    loops.yield %u : f64
  }
  %q = loops.insert %w into %r[%o for %m by -4] : tensor<?xf64> into tensor<?xf64>
  func.return %q : tensor<?xf64>
}


// -----

// Elements with wide gaps between them, or unknown ones, and a value that is used again, are put there later.
// CHECK-LABEL: func.func @insert_gaps
// CHECK: loops.insert %v into %t[%o for %m by 5] {inplace}
// CHECK: loops.insert %w into %r[%o for %m] {inplace}
// CHECK: loops.insert %z into %q[%o for %m by %n] {inplace}
func.func @insert_gaps(%x: tensor<?xf64>, %n: index, %m: index, %o: index) -> (tensor<?xf64>, tensor<?xf64>) {
  %t = loops.nest (%i < %n) -> (collect[%i] : tensor<?xf64>) {
    %c = elemwise.constant 0.0 : f64
    loops.yield %c : f64
  }
  %v = loops.nest (%i < %m) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %u = elemwise.neg %a : f64
    loops.yield %u : f64
  }
  %w = loops.nest (%i < %m) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %u = elemwise.neg %a : f64
    loops.yield %u : f64
  }
  %r = loops.insert %v into %t[%o for %m by 5] : tensor<?xf64> into tensor<?xf64>
  %q = loops.insert %w into %r[%o for %m] : tensor<?xf64> into tensor<?xf64>
  %z = loops.nest (%i < %m) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %u = elemwise.neg %a : f64
    loops.yield %u : f64
  }
  %k = loops.insert %z into %q[%o for %m by %n] : tensor<?xf64> into tensor<?xf64>
  func.return %k, %w : tensor<?xf64>, tensor<?xf64>
}


// -----

// A part of the array itself is moved: the array must stay until then.
// CHECK-LABEL: func.func @insert_own_elements
// CHECK: loops.insert %p into %t[%o for %m] :
func.func @insert_own_elements(%x: tensor<?xf64>, %n: index, %m: index, %o: index) -> (tensor<?xf64>) {
  %t = loops.nest (%i < %n) -> (collect[%i] : tensor<?xf64>) {
    %c = elemwise.constant 0.0 : f64
    loops.yield %c : f64
  }
  %p = loops.subview %t[%n for %m] : tensor<?xf64> -> tensor<?xf64>
  %r = loops.insert %p into %t[%o for %m] : tensor<?xf64> into tensor<?xf64>
  func.return %r : tensor<?xf64>
}


// -----

// An array of nothing is there when it is needed; a later nest writes behind an earlier one.
// CHECK-LABEL: func.func @insert_into_empty
// CHECK: loops.insert %v into %e[%o for %m] {direct, inplace}
// CHECK: loops.insert %w into %r[%n for %m] {direct, inplace}
func.func @insert_into_empty(%x: tensor<?xf64>, %n: index, %m: index, %o: index) -> (tensor<?xf64>) {
  %v = loops.nest (%i < %m) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %u = elemwise.neg %a : f64
    loops.yield %u : f64
  }
  %e = loops.empty %n : (index) -> tensor<?xf64>
  %r = loops.insert %v into %e[%o for %m] : tensor<?xf64> into tensor<?xf64>
  %w = loops.nest (%i < %m) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %u = elemwise.neg %a : f64
    loops.yield %u : f64
  }
  %q = loops.insert %w into %r[%n for %m] : tensor<?xf64> into tensor<?xf64>
  func.return %q : tensor<?xf64>
}


// -----

// A part of a temporary is no place for a result: it is not one array.
// CHECK-LABEL: func.func @part_of_a_temporary
// CHECK-NOT: inplace
func.func @part_of_a_temporary(%x: tensor<?xf64>, %n: index, %m: index, %o: index) -> (tensor<?xf64>) {
  %t = loops.nest (%i < %n) -> (collect[%i] : tensor<?xf64>) {
    %c = elemwise.constant 0.0 : f64
    loops.yield %c : f64
  }
  %p = loops.subview %t[%o for %m] : tensor<?xf64> -> tensor<?xf64>
  %v = loops.nest (%i < %m) ins(%a = %p[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %u = elemwise.neg %a : f64
    loops.yield %u : f64
  }
  func.return %v : tensor<?xf64>
}


// -----

// A scatter takes the memory of its init: operand 1, behind the one input.
// CHECK-LABEL: func.func @scatter
// CHECK: scatter_add
// CHECK: } attributes {inplace = [array<i64: 0, 1>]}
// BUF-LABEL: func.func @scatter
// BUF-NOT: loops.alloc
// BUF: collect{{.*}} into %r0
// BUF-NOT: collect
// BUF: scatter_add{{.*}} into %r0
// BUF-NOT: inplace
func.func @scatter(%x: tensor<?xf64>, %y: tensor<?xi64>) -> tensor<?xf64> {
  %n = loops.dim %x, 0 : tensor<?xf64>
  %m = loops.dim %y, 0 : tensor<?xi64>
  %t = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %0 = elemwise.neg %a : f64
    loops.yield %0 : f64
  }
  %r = loops.nest (%i < %m) ins(%j = %y[%i] : tensor<?xi64>) -> (scatter_add(%t)[?] : tensor<?xf64>) {
    %0 = elemwise.constant 1.0 : f64
    loops.yield %0, %j : f64, i64
  }
  func.return %r : tensor<?xf64>
}

// -----

// Not where the init is the caller's, is used again, is read by the nest, or has two scatters.
// CHECK-LABEL: func.func @scatter_copies
// CHECK-NOT: inplace
func.func @scatter_copies(%x: tensor<?xf64>, %y: tensor<?xi64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) {
  %n = loops.dim %x, 0 : tensor<?xf64>
  %m = loops.dim %y, 0 : tensor<?xi64>
  %t, %u, %v = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>)
      -> (collect[%i] : tensor<?xf64>, collect[%i] : tensor<?xf64>, collect[%i] : tensor<?xf64>) {
    loops.yield %a, %a, %a : f64, f64, f64
  }
  %p = loops.nest (%i < %m) ins(%j = %y[%i] : tensor<?xi64>) -> (scatter_add(%x)[?] : tensor<?xf64>) {
    %0 = elemwise.constant 1.0 : f64
    loops.yield %0, %j : f64, i64
  }
  %q = loops.nest (%i < %m) ins(%j = %y[%i] : tensor<?xi64>) -> (scatter_add(%t)[?] : tensor<?xf64>) {
    %0 = elemwise.constant 1.0 : f64
    loops.yield %0, %j : f64, i64
  }
  %r = loops.nest (%i < %m) ins(%j = %y[%i] : tensor<?xi64>) -> (scatter_set(%u)[?] : tensor<?xf64>) {
    %0 = loops.gather %u, %i : (tensor<?xf64>, index) -> f64
    loops.yield %0, %j : f64, i64
  }
  %s, %w = loops.nest (%i < %m) ins(%j = %y[%i] : tensor<?xi64>)
      -> (scatter_set(%v)[?] : tensor<?xf64>, scatter_add(%v)[?] : tensor<?xf64>) {
    %0 = elemwise.constant 1.0 : f64
    loops.yield %0, %j, %0, %j : f64, i64, f64, i64
  }
  func.return %t, %p, %q, %r, %s, %w : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
}
