// RUN: tt-opt %s --split-input-file --verify-diagnostics

// The result follows from the operands.
func.func @f(%x: tensor<?xf64>) {
  // expected-error @below {{elemwise.exp: found result type tensor<?xf32>; expected tensor<?xf64>}}
  %0 = elemwise.exp %x : (tensor<?xf64>) -> tensor<?xf32>
  func.return
}

// -----

// Ranks are equal.
func.func @f(%x: tensor<?xf64>, %y: tensor<?x?xf64>) {
  // expected-error @below {{elemwise.add: found operands of ranks 1, 2; expected equal ranks}}
  %0 = elemwise.add %x, %y : (tensor<?xf64>, tensor<?x?xf64>) -> tensor<?x?xf64>
  func.return
}

// -----

// A wrong number of operands.
func.func @f(%x: f64) {
  // expected-error @below {{elemwise.add: found 1 operands; expected 2}}
  %0 = elemwise.add %x : (f64) -> f64
  func.return
}

// -----

// Tensors and scalars do not mix.
func.func @f(%x: f64, %y: tensor<?xf64>) {
  // expected-error @below {{elemwise.add: found tensors beside scalars; expected only tensors}}
  %0 = elemwise.add %x, %y : (f64, tensor<?xf64>) -> tensor<?xf64>
  func.return
}

// -----

// Nor do vectors and scalars.
func.func @f(%x: f64, %y: vector<8xf64>) {
  // expected-error @below {{found vectors of several widths or beside scalars; expected one width}}
  %0 = elemwise.add %x, %y : (f64, vector<8xf64>) -> vector<8xf64>
  func.return
}

// -----

// Bits of floating point.
func.func @f(%x: f64) {
  // expected-error @below {{found float64, float64; expected bool or integers}}
  %0 = elemwise.and %x, %x : f64
  func.return
}

// -----

// No bool result of a difference.
func.func @f(%p: i1) {
  // expected-error @below {{bool output not supported; expected a number}}
  %0 = elemwise.sub %p, %p : i1
  func.return
}

// -----

// A property is missing.
func.func @f(%x: f64) {
  // expected-error @below {{elemwise.cast: found no property 'dtype'; expected {dtype = ...}}}
  %0 = elemwise.cast %x : (f64) -> f32
  func.return
}

// -----

// A cast that says one type and gives another.
func.func @f(%x: f64) {
  // expected-error @below {{elemwise.cast: found result type f32; expected i32}}
  %0 = elemwise.cast %x {dtype = i32} : (f64) -> f32
  func.return
}

// -----

// A number of another type.
func.func @f() {
  // expected-error @below {{elemwise.constant: found 1.5 for i32; expected an integer}}
  %0 = elemwise.constant 1.5 : i32
  func.return
}

// -----

// A number that the type does not hold.
func.func @f() {
  // expected-error @below {{Integer value 300 is out of range for type i8 which supports values in the range [-128, 256)}}
  %0 = elemwise.constant 300 : i8
  func.return
}

// -----

// A constant is a splat of dimensions of size 1.
func.func @f() {
  // expected-error @below {{elemwise.constant: found tensor<?xf64>; expected dimensions of static size 1}}
  %0 = elemwise.constant 1.5 : tensor<?xf64>
  func.return
}

// -----

// A dtype that Theano does not have.
func.func @f(%x: bf16) {
  // expected-error @below {{type bf16: found no dtype of ours}}
  %0 = elemwise.exp %x : bf16
  func.return
}

// -----

// The lanes have another type.
func.func @f(%x: f32) {
  // expected-error @below {{elemwise.splat: found f32; expected f64, the vector's element}}
  %0 = elemwise.splat %x : f32 to vector<8xf64>
  func.return
}

// -----

// A composite's results have the common shape.
func.func @f(%x: tensor<?xf64>) {
  // expected-error @below {{elemwise.composite: found result type tensor<1xf64>; expected tensor<?xf64>}}
  %0 = elemwise.composite (%a = %x : tensor<?xf64>) -> tensor<1xf64> {
    elemwise.yield %a : f64
  }
  func.return
}

// -----

// A composite ends in a yield of every result.
func.func @f(%x: tensor<?xf64>) {
  // expected-error @below {{elemwise.composite: expected a body that ends in elemwise.yield with one value a result}}
  %0 = elemwise.composite (%a = %x : tensor<?xf64>) -> tensor<?xf64> {
    elemwise.yield %a, %a : f64, f64
  }
  func.return
}

// -----

// Bits keep their number.
func.func @f(%x: f64) {
  // expected-error @below {{found float64 as the bits of int32; expected a dtype of equal width}}
  %0 = elemwise.bitcast %x {dtype = i32} : (f64) -> i32
  func.return
}

// -----

// A dtype is a type.
func.func @f(%x: f64) {
  // expected-error @below {{elemwise.cast: found dtype = 3 : i64; expected an element type}}
  %0 = elemwise.cast %x {dtype = 3} : (f64) -> i32
  func.return
}

// -----

// Arrays hold numbers.
func.func @f(%x: tensor<?xindex>) {
  // expected-error @below {{elemwise.neg: found tensor<?xindex>; expected an array of numbers}}
  %0 = elemwise.neg %x : tensor<?xindex>
  func.return
}

// -----

// Scalars only in the body of a composite.
func.func @f(%x: tensor<?xf64>) {
  // expected-error @below {{elemwise.composite: found tensor.shape in the body; expected elemwise operations}}
  %0 = elemwise.composite (%a = %x : tensor<?xf64>) -> tensor<?xf64> {
    %s = tensor.shape %x : (tensor<?xf64>) -> tensor<?xi64>
    elemwise.yield %a : f64
  }
  func.return
}
