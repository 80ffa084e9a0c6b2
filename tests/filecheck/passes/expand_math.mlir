// RUN: tt-opt %s -p expand-math --split-input-file | filecheck %s

// All functions become arithmetic; no name is left.
// CHECK-LABEL: func.func @functions
// CHECK-NOT: elemwise.{{exp|log|log1p|expm1|tanh|sigmoid|softplus|sqr}} %
// CHECK: elemwise.bitcast
// CHECK-NOT: elemwise.{{exp|log|log1p|expm1|tanh|sigmoid|softplus|sqr}} %
// CHECK: func.return
func.func @functions(%x: f64, %y: f32) -> (f64, f32) {
  %0 = elemwise.exp %x : f64
  %1 = elemwise.log %0 : f64
  %2 = elemwise.log1p %1 : f64
  %3 = elemwise.expm1 %2 : f64
  %4 = elemwise.tanh %3 : f64
  %5 = elemwise.sigmoid %4 : f64
  %6 = elemwise.softplus %5 : f64
  %7 = elemwise.tanh %y : f32
  func.return %6, %7 : f64, f32
}

// -----

// A square is a product of its operand with itself.
// CHECK-LABEL: func.func @square
// CHECK-SAME: (%[[X:.+]]: f64)
// CHECK-NEXT: %[[S:.+]] = elemwise.mul %[[X]], %[[X]] : f64
// CHECK-NEXT: func.return %[[S]]
func.func @square(%x: f64) -> f64 {
  %0 = elemwise.sqr %x : f64
  func.return %0 : f64
}

// -----

// A power of floats is libm's; one of integers is left to its own lowering.
// CHECK-LABEL: func.func @powers
// CHECK-SAME: (%[[X:.+]]: f64, %[[I:.+]]: i32)
// CHECK-DAG: elemwise.libm_pow %[[X]], %[[X]] : f64
// CHECK-DAG: elemwise.pow %[[I]], %[[I]] : i32
func.func @powers(%x: f64, %i: i32) -> (f64, i32) {
  %0 = elemwise.pow %x, %x : f64
  %1 = elemwise.pow %i, %i : i32
  func.return %0, %1 : f64, i32
}

// -----

// An integer operand is converted first.
// CHECK-LABEL: func.func @integer_operand
// CHECK-SAME: (%[[I:.+]]: i32)
// CHECK: %[[X:.+]] = elemwise.cast %[[I]] {dtype = f64} : (i32) -> f64
// CHECK: elemwise.lt %[[X]]
func.func @integer_operand(%i: i32) -> f64 {
  %0 = elemwise.exp %i : (i32) -> f64
  func.return %0 : f64
}

// -----

// Vectors take the same way, with constants of their type; level 1 is not touched.
// CHECK-LABEL: func.func @vectors_and_tensors
// CHECK: elemwise.constant 1.4426950408889634 : vector<8xf64>
// CHECK: elemwise.fma %{{.+}}, %{{.+}}, %{{.+}} : vector<8xf64>
// CHECK: elemwise.exp %{{.+}} : tensor<?xf64>
func.func @vectors_and_tensors(%v: vector<8xf64>, %t: tensor<?xf64>) -> (vector<8xf64>, tensor<?xf64>) {
  %0 = elemwise.exp %v : vector<8xf64>
  %1 = elemwise.exp %t : tensor<?xf64>
  func.return %0, %1 : vector<8xf64>, tensor<?xf64>
}

// -----

// Constants stand at the top of their block, each once, however many functions use it.
// CHECK-LABEL: func.func @shared_constants
// CHECK: loops.nest
// CHECK-COUNT-1: elemwise.constant 1.4426950408889634 : f64
// CHECK-NOT: elemwise.constant 1.4426950408889634 : f64
// CHECK: loops.yield
func.func @shared_constants(%x: tensor<?xf64>) -> tensor<?xf64> {
  %n = loops.dim %x, 0 : tensor<?xf64>
  %r = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %0 = elemwise.exp %a : f64
    %1 = elemwise.tanh %0 : f64
    %2 = elemwise.sigmoid %1 : f64
    loops.yield %2 : f64
  }
  func.return %r : tensor<?xf64>
}

// -----

// The argument is known to be <= 0: the power needs one factor (biased by 2**64), nothing overflows.
// CHECK-LABEL: func.func @minus_square
// CHECK-DAG: elemwise.constant 5.4210108624275222e-20 : f64
// CHECK-NOT: elemwise.shr
// CHECK: func.return
func.func @minus_square(%x: f64) -> f64 {
  %0 = elemwise.mul %x, %x : f64
  %1 = elemwise.neg %0 : f64
  %2 = elemwise.exp %1 : f64
  func.return %2 : f64
}

// -----

// The same by a negative constant and an absolute value, and after an exp that is itself expanded.
// CHECK-LABEL: func.func @other_signs
// CHECK-COUNT-2: elemwise.mul %{{.+}}, %{{.+}} : f64
// CHECK-NOT: elemwise.shr
// CHECK: func.return
func.func @other_signs(%x: f64) -> f64 {
  %c = elemwise.constant -0.5 : f64
  %0 = elemwise.abs %x : f64
  %1 = elemwise.mul %c, %0 : f64
  %2 = elemwise.exp %1 : f64
  %3 = elemwise.neg %2 : f64
  %4 = elemwise.exp %3 : f64
  func.return %4 : f64
}

// -----

// Nothing is known of a product of two values: the full range, in two factors.
// CHECK-LABEL: func.func @unknown_sign
// CHECK: elemwise.shr
func.func @unknown_sign(%x: f64, %y: f64) -> f64 {
  %0 = elemwise.mul %x, %y : f64
  %1 = elemwise.neg %0 : f64
  %2 = elemwise.exp %1 : f64
  func.return %2 : f64
}

// -----

// Softmax in one row nest: x - max(x) is <= 0.
// CHECK-LABEL: func.func @softmax_row
// CHECK-NOT: elemwise.shr
// CHECK: func.return
func.func @softmax_row(%x: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %n = loops.dim %x, 0 : tensor<?x?xf64>
  %d = loops.dim %x, 1 : tensor<?x?xf64>
  %r = loops.nest (%i < %n) ins(%row = %x[%i, :] : tensor<?x?xf64>) -> (collect[%i, :] : tensor<?x?xf64>) {
    %m = loops.nest (%k < %d) ins(%a = %row[%k] : tensor<?xf64>) -> (max[] : f64) {
      loops.yield %a : f64
    }
    %e = loops.nest (%k < %d) ins(%a = %row[%k] : tensor<?xf64>) -> (collect[%k] : tensor<?xf64>) {
      %0 = elemwise.sub %a, %m : f64
      %1 = elemwise.exp %0 : f64
      loops.yield %1 : f64
    }
    loops.yield %e : tensor<?xf64>
  }
  func.return %r : tensor<?x?xf64>
}

// -----

// Softmax in two nests, the maxima in memory between them (keepdims), x transposed in both.
// CHECK-LABEL: func.func @softmax_unfused
// CHECK-NOT: elemwise.shr
// CHECK: func.return
func.func @softmax_unfused(%x: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %d = loops.dim %x, 0 : tensor<?x?xf64>
  %n = loops.dim %x, 1 : tensor<?x?xf64>
  %m = loops.nest (%i < %n, %k < %d) ins(%a = %x[%k, %i] : tensor<?x?xf64>) -> (max[%i, 0] : tensor<?x1xf64>) {
    loops.yield %a : f64
  }
  %r = loops.nest (%i < %n, %k < %d) ins(%a = %x[%k, %i] : tensor<?x?xf64>, %b = %m[%i, 0] : tensor<?x1xf64>)
      -> (collect[%i, %k] : tensor<?x?xf64>) {
    %0 = elemwise.sub %a, %b : f64
    %1 = elemwise.exp %0 : f64
    loops.yield %1 : f64
  }
  func.return %r : tensor<?x?xf64>
}

// -----

// The maximum of what the same nest stores: after fusion x is not read again, but y.
// CHECK-LABEL: func.func @softmax_of_stored
// CHECK-NOT: elemwise.shr
// CHECK: func.return
func.func @softmax_of_stored(%x: tensor<?xf64>) -> tensor<?xf64> {
  %n = loops.dim %x, 0 : tensor<?xf64>
  %y, %m = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>, max[] : f64) {
    %0 = elemwise.neg %a : f64
    loops.yield %0, %0 : f64, f64
  }
  %r = loops.nest (%i < %n) ins(%a = %y[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %0 = elemwise.sub %a, %m : f64
    %1 = elemwise.exp %0 : f64
    loops.yield %1 : f64
  }
  func.return %r : tensor<?xf64>
}

// -----

// Near miss: what is stored is not what is combined.
// CHECK-LABEL: func.func @stored_otherwise
// CHECK: elemwise.shr
func.func @stored_otherwise(%x: tensor<?xf64>) -> tensor<?xf64> {
  %n = loops.dim %x, 0 : tensor<?xf64>
  %y, %m = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>, max[] : f64) {
    %0 = elemwise.neg %a : f64
    loops.yield %a, %0 : f64, f64
  }
  %r = loops.nest (%i < %n) ins(%a = %y[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %0 = elemwise.sub %a, %m : f64
    %1 = elemwise.exp %0 : f64
    loops.yield %1 : f64
  }
  func.return %r : tensor<?xf64>
}

// -----

// The maximum of another array bounds nothing.
// CHECK-LABEL: func.func @other_array
// CHECK: elemwise.shr
func.func @other_array(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %n = loops.dim %x, 0 : tensor<?xf64>
  %m = loops.nest (%i < %n) ins(%a = %y[%i] : tensor<?xf64>) -> (max[] : f64) {
    loops.yield %a : f64
  }
  %r = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %0 = elemwise.sub %a, %m : f64
    %1 = elemwise.exp %0 : f64
    loops.yield %1 : f64
  }
  func.return %r : tensor<?xf64>
}

// -----

// The maximum of row i, used for an element of row k: bounds nothing.
// CHECK-LABEL: func.func @other_row
// CHECK: elemwise.shr
func.func @other_row(%x: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %n = loops.dim %x, 0 : tensor<?x?xf64>
  %m = loops.nest (%i < %n, %k < %n) ins(%a = %x[%i, %k] : tensor<?x?xf64>) -> (max[%i] : tensor<?xf64>) {
    loops.yield %a : f64
  }
  %r = loops.nest (%i < %n, %k < %n) ins(%a = %x[%i, %k] : tensor<?x?xf64>, %b = %m[%k] : tensor<?xf64>)
      -> (collect[%i, %k] : tensor<?x?xf64>) {
    %0 = elemwise.sub %a, %b : f64
    %1 = elemwise.exp %0 : f64
    loops.yield %1 : f64
  }
  func.return %r : tensor<?x?xf64>
}

// -----

// A minimum, or the maximum of something computed from x, bounds nothing either.
// CHECK-LABEL: func.func @no_maximum
// CHECK-COUNT-2: elemwise.shr
func.func @no_maximum(%x: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
  %n = loops.dim %x, 0 : tensor<?xf64>
  %m, %o = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (min[] : f64, max[] : f64) {
    %0 = elemwise.neg %a : f64
    loops.yield %a, %0 : f64, f64
  }
  %r, %s = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>)
      -> (collect[%i] : tensor<?xf64>, collect[%i] : tensor<?xf64>) {
    %0 = elemwise.sub %a, %m : f64
    %1 = elemwise.exp %0 : f64
    %2 = elemwise.sub %a, %o : f64
    %3 = elemwise.exp %2 : f64
    loops.yield %1, %3 : f64, f64
  }
  func.return %r, %s : tensor<?xf64>, tensor<?xf64>
}

// -----

// The sign of a magnitude's operand is dropped: softplus(-x) and softplus(x) share all but a select.
// CHECK-LABEL: func.func @magnitude
// CHECK-SAME: (%[[X:.+]]: f64)
// CHECK: elemwise.abs %[[X]]
// CHECK: elemwise.abs %[[X]]
// CHECK: func.return
func.func @magnitude(%x: f64) -> (f64, f64) {
  %0 = elemwise.neg %x : f64
  %1 = elemwise.softplus %0 : f64
  %2 = elemwise.softplus %x : f64
  func.return %1, %2 : f64, f64
}
