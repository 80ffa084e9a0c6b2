// RUN: tt-opt %s --split-input-file --verify-diagnostics

// No such predicate.
func.func @f(%x: f64, %v: vector<8xf64>, %u: vector<4xf64>) {
  // expected-error @below {{llvmx.fcmp: found predicate 'lt'}}
  %0 = llvmx.fcmp %x, %x {predicate = "lt"} : (f64, f64) -> i1
  func.return
}

// -----

// As many lanes as the operands.
func.func @f(%x: f64, %v: vector<8xf64>, %u: vector<4xf64>) {
  // expected-error @below {{llvmx.fcmp: found vector<8xf64>, vector<8xf64> -> i1}}
  %0 = llvmx.fcmp %v, %v {predicate = "olt"} : (vector<8xf64>, vector<8xf64>) -> i1
  func.return
}

// -----

// Three equal types.
func.func @f(%x: f64, %v: vector<8xf64>, %u: vector<4xf64>, %p: i1) {
  // expected-error @below {{llvmx.select: found vector<8xf64>, vector<4xf64> -> vector<8xf64>}}
  %0 = llvmx.select %p, %v, %u : (i1, vector<8xf64>, vector<4xf64>) -> vector<8xf64>
  func.return
}

// -----

// One condition or one a lane.
func.func @f(%x: f64, %v: vector<8xf64>, %u: vector<4xf64>, %p: vector<4xi1>) {
  // expected-error @below {{llvmx.select: found condition vector<4xi1> for vector<8xf64>}}
  %0 = llvmx.select %p, %v, %v : (vector<4xi1>, vector<8xf64>, vector<8xf64>) -> vector<8xf64>
  func.return
}

// -----

// The element's type.
func.func @f(%x: f64, %v: vector<8xf64>, %u: vector<4xf64>) {
  // expected-error @below {{llvmx.splat: found f64; expected f32, the element of vector<8xf32>}}
  %0 = llvmx.splat %x : (f64) -> vector<8xf32>
  func.return
}

// -----

// The lane exists.
func.func @f(%x: f64, %v: vector<8xf64>, %u: vector<4xf64>) {
  // expected-error @below {{llvmx.extractelement: found position 8}}
  %0 = llvmx.extractelement %v {position = 8 : i64} : (vector<8xf64>) -> f64
  func.return
}

// -----

// As many lanes behind as before.
func.func @f(%x: f64, %v: vector<8xf64>, %u: vector<4xf64>) {
  // expected-error @below {{llvmx.fptosi: found vector<8xf64> -> vector<4xi64>; expected as many lanes}}
  %0 = llvmx.fptosi %v : (vector<8xf64>) -> vector<4xi64>
  func.return
}
