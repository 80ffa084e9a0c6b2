// RUN: tt-opt %s -p expand-math --split-input-file | filecheck %s
// RUN: tt-opt %s -p "expand-math{fused=false}" --split-input-file | filecheck %s --check-prefix=UNFUSED

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

// A power of floats: y times a logarithm in two parts (`mul_low`), then the exponential of both.
// CHECK-LABEL: func.func @power
// CHECK-NOT: elemwise.pow
// CHECK: elemwise.true_div
// CHECK-COUNT-4: elemwise.mul_low %{{.+}}, %{{.+}} : f64
// CHECK: elemwise.mul_low %{{.+}}, %{{.+}} : f64
// CHECK-NOT: elemwise.pow
func.func @power(%x: f64, %y: f64) -> f64 {
  %0 = elemwise.pow %x, %y : f64
  func.return %0 : f64
}

// -----

// In float32 one float64 is enough, and no division; a power of integers has its own lowering.
// CHECK-LABEL: func.func @other_powers
// CHECK-SAME: (%[[X:.+]]: f32, %[[I:.+]]: i32)
// CHECK-NOT: elemwise.mul_low
// CHECK-NOT: elemwise.true_div
// CHECK: elemwise.cast %{{.+}} {dtype = f32} : (f64) -> f32
// CHECK-NOT: elemwise.mul_low
// CHECK: elemwise.pow %[[I]], %[[I]] : i32
func.func @other_powers(%x: f32, %i: i32) -> (f32, i32) {
  %0 = elemwise.pow %x, %x : f32
  %1 = elemwise.pow %i, %i : i32
  func.return %0, %1 : f32, i32
}

// -----

// Known exponents: 3 is two products; 2.5 asks no question about whole numbers, which -3 does not
// either; an exponent of 0 or infinity takes the way of unknown ones.
// CHECK-LABEL: func.func @known_exponents
// CHECK-SAME: (%[[X:.+]]: f64)
// CHECK: %[[S:.+]] = elemwise.mul %[[X]], %[[X]] : f64
// CHECK-NEXT: %[[CUBE:.+]] = elemwise.mul %[[S]], %[[X]] : f64
// CHECK-NOT: elemwise.floor
// CHECK: elemwise.mul_low
// CHECK-NOT: elemwise.floor
// CHECK: func.return %[[CUBE]]
func.func @known_exponents(%x: f64) -> (f64, f64, f64) {
  %three = elemwise.constant 3.0 : f64
  %broken = elemwise.constant 2.5 : f64
  %odd = elemwise.constant -3.0 : f64
  %0 = elemwise.pow %x, %three : f64
  %1 = elemwise.pow %x, %broken : f64
  %2 = elemwise.pow %x, %odd : f64
  func.return %0, %1, %2 : f64, f64, f64
}

// -----

// CHECK-LABEL: func.func @infinite_exponent
// CHECK: elemwise.floor
func.func @infinite_exponent(%x: f64) -> f64 {
  %infinity = elemwise.constant 0x7ff0000000000000 : f64
  %0 = elemwise.pow %x, %infinity : f64
  func.return %0 : f64
}

// -----

// x - n pi in four parts; from 2**23 on a call.
// CHECK-LABEL: func.func @sine
// CHECK-SAME: (%[[X:.+]]: f64)
// CHECK-DAG: %[[INVERSE:.+]] = elemwise.constant 0.31830988618379069 : f64
// CHECK-DAG: %[[FAR:.+]] = elemwise.constant 0x4160000000000000 : f64
// CHECK: elemwise.fma %[[X]], %[[INVERSE]], %{{.+}} : f64
// CHECK: elemwise.xor
// CHECK: %[[A:.+]] = elemwise.abs %[[X]] : f64
// CHECK: %[[IS_FAR:.+]] = elemwise.gt %[[A]], %[[FAR]]
// CHECK: elemwise.libm_where %[[IS_FAR]], %[[X]], %{{.+}} {function = "tt_sin"}
func.func @sine(%x: f64) -> f64 {
  %0 = elemwise.sin %x : f64
  func.return %0 : f64
}

// -----

// In float32 pi is three numbers; what rounding the product with the second loses is kept. Without
// fused operations the reduction alone is done in float64: two parts of pi, then the angle is
// rounded.
// CHECK-LABEL: func.func @cosine_and_tangent
// UNFUSED-LABEL: func.func @cosine_and_tangent
// CHECK-NOT: elemwise.cast
// CHECK: elemwise.mul_low
// UNFUSED: elemwise.cast %{{.+}} {dtype = f64} : (f32) -> f64
// UNFUSED: elemwise.cast %{{.+}} {dtype = f32} : (f64) -> f32
// UNFUSED: elemwise.libm_where
// CHECK: elemwise.libm_where %{{.+}}, %{{.+}}, %{{.+}} {function = "cosf"} : (i1, f32, f32) -> f32
// CHECK: elemwise.true_div %{{.+}}, %{{.+}} : f32
// CHECK: elemwise.libm_where %{{.+}}, %{{.+}}, %{{.+}} {function = "tanf"} : (i1, f32, f32) -> f32
func.func @cosine_and_tangent(%x: f32) -> (f32, f32) {
  %0 = elemwise.cos %x : f32
  %1 = elemwise.tan %x : f32
  func.return %0, %1 : f32, f32
}

// -----

// One division, of which three cases choose the operands; nothing is called.
// CHECK-LABEL: func.func @arctangent
// CHECK-DAG: elemwise.constant 0.4142135623730950{{.*}} : f64
// CHECK-COUNT-1: elemwise.true_div
// CHECK-NOT: elemwise.{{true_div|libm_where|arctan}}
// CHECK: elemwise.copysign
func.func @arctangent(%x: f64) -> f64 {
  %0 = elemwise.arctan %x : f64
  func.return %0 : f64
}

// -----

// The logarithm's two parts times the factor's two parts, and the exponent as it is.
// CHECK-LABEL: func.func @other_bases
// CHECK-DAG: elemwise.constant 2.0355273740931033e-17 : f64
// CHECK-DAG: elemwise.constant 1.098319650216765{{.*}}e-17 : f64
// CHECK-NOT: elemwise.{{log2|log10}}
func.func @other_bases(%x: f64) -> (f64, f64) {
  %0 = elemwise.log2 %x : f64
  %1 = elemwise.log10 %x : f64
  func.return %0, %1 : f64, f64
}

// -----

// No division: 2**n and 2**-n are both made of exponent fields.
// CHECK-LABEL: func.func @hyperbolic
// CHECK-NOT: elemwise.{{true_div|sinh|cosh}}
// CHECK: elemwise.minimum %{{.+}}, %{{.+}} : i64
// CHECK-NOT: elemwise.{{true_div|sinh|cosh}}
// CHECK: func.return
func.func @hyperbolic(%x: f64) -> (f64, f64) {
  %0 = elemwise.sinh %x : f64
  %1 = elemwise.cosh %x : f64
  func.return %0, %1 : f64, f64
}

// -----

// erf has no division; erfc has two, and the square of x in two parts.
// CHECK-LABEL: func.func @error_functions
// CHECK-NOT: elemwise.{{erf|true_div|mul_low}}
// CHECK: elemwise.copysign
// CHECK-COUNT-2: elemwise.true_div
// CHECK: elemwise.mul_low %[[A:.+]], %[[A]] : f64
// CHECK-NOT: elemwise.{{erf|true_div}}
// CHECK: func.return
func.func @error_functions(%x: f64) -> (f64, f64) {
  %0 = elemwise.erf %x : f64
  %1 = elemwise.erfc %x : f64
  func.return %0, %1 : f64, f64
}

// -----

// erf of float32 stays in it; erfc is computed in float64, where x**2 needs no second part.
// CHECK-LABEL: func.func @error_functions_32
// CHECK-NOT: elemwise.cast
// CHECK: elemwise.copysign %{{.+}}, %{{.+}} : f32
// CHECK: elemwise.cast %{{.+}} {dtype = f64} : (f32) -> f64
// CHECK-NOT: elemwise.mul_low
// CHECK: func.return
func.func @error_functions_32(%x: f32) -> (f32, f32) {
  %0 = elemwise.erf %x : f32
  %1 = elemwise.erfc %x : f32
  func.return %0, %1 : f32, f32
}

// -----

// gammaln needs two logarithms, psi one, tri_gamma none; fractions by rounding, which is exact.
// CHECK-LABEL: func.func @gammas
// CHECK-NOT: elemwise.{{gammaln|psi|tri_gamma}}
// CHECK-COUNT-3: elemwise.round %{{.+}} : f64
// CHECK-NOT: elemwise.{{gammaln|psi|tri_gamma}}
// CHECK: func.return
func.func @gammas(%x: f64) -> (f64, f64, f64) {
  %0 = elemwise.gammaln %x : f64
  %1 = elemwise.psi %x : f64
  %2 = elemwise.tri_gamma %x : f64
  func.return %0, %1, %2 : f64, f64, f64
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
