// RUN: tt-opt %s --split-input-file --verify-diagnostics

// A dimension twice.
func.func @f(%x: tensor<?x?xf64>) {
  // expected-error @below {{tensor.dimshuffle: found order [0, 0] for rank 2}}
  %0 = tensor.dimshuffle %x {order = array<i64: 0, 0>} : tensor<?x?xf64>
  func.return
}

// -----

// Only a static 1 can be dropped.
func.func @f(%x: tensor<?x?xf64>) {
  // expected-error @below {{tensor.dimshuffle: found a dropped dimension 1 that is not broadcastable}}
  %0 = tensor.dimshuffle %x {order = array<i64: 0>} : (tensor<?x?xf64>) -> tensor<?xf64>
  func.return
}

// -----

// An axis that is not there.
func.func @f(%x: tensor<?xf64>) {
  // expected-error @below {{tensor.reduce: found axes [1] for rank 1}}
  %0 = tensor.reduce %x {kind = "add", axes = array<i64: 1>} : (tensor<?xf64>) -> tensor<?xf64>
  func.return
}

// -----

// No such monoid.
func.func @f(%x: tensor<?xf64>) {
  // expected-error @below {{tensor.reduce: found kind 'xor'}}
  %0 = tensor.reduce %x {kind = "xor", axes = array<i64: 0>} : (tensor<?xf64>) -> tensor<f64>
  func.return
}

// -----

// Logic of floating point.
func.func @f(%x: tensor<?xf64>) {
  // expected-error @below {{tensor.reduce: found and of float64; expected bool}}
  %0 = tensor.reduce %x {kind = "and", axes = array<i64: 0>} : (tensor<?xf64>) -> tensor<f64>
  func.return
}

// -----

// Scalars have no dot.
func.func @f(%x: tensor<f64>) {
  // expected-error @below {{tensor.dot: found ranks 0 and 0; expected 1 or 2}}
  %0 = tensor.dot %x, %x : tensor<f64>
  func.return
}

// -----

// Inner sizes that cannot agree.
func.func @f(%x: tensor<?x1xf64>, %y: tensor<3xf64>) {
  // expected-error @below {{tensor.dot: found inner sizes 1 and 3; expected equal ones}}
  %0 = tensor.dot %x, %y : (tensor<?x1xf64>, tensor<3xf64>) -> tensor<?xf64>
  func.return
}

// -----

// A gemm of two dtypes.
func.func @f(%x: tensor<?x?xf64>, %y: tensor<?x?xf32>) {
  // expected-error @below {{tensor.gemm: expected two matrices of one floating-point dtype}}
  %0 = tensor.gemm %x, %y : (tensor<?x?xf64>, tensor<?x?xf32>) -> tensor<?x?xf64>
  func.return
}

// -----

// More indices than dimensions.
func.func @f(%x: tensor<?xf64>) {
  // expected-error @below {{too many indices for array: found 2 for rank 1}}
  %0 = tensor.subtensor %x {slices = "0, 1"} : (tensor<?xf64>) -> tensor<f64>
  func.return
}

// -----

// A bound is missing.
func.func @f(%x: tensor<?xf64>) {
  // expected-error @below {{tensor.subtensor: found 0 dynamic bounds; expected 1, one for each @}}
  %0 = tensor.subtensor %x {slices = "@"} : (tensor<?xf64>) -> tensor<f64>
  func.return
}

// -----

// A step of zero.
func.func @f(%x: tensor<?xf64>) {
  // expected-error @below {{tensor.subtensor: slice step cannot be zero}}
  %0 = tensor.subtensor %x {slices = "::0"} : (tensor<?xf64>) -> tensor<?xf64>
  func.return
}

// -----

// An index that is no integer.
func.func @f(%x: tensor<?xf64>) {
  // expected-error @below {{tensor.advanced_subtensor: found an index of dtype float64 and rank 1}}
  %0 = tensor.advanced_subtensor %x, %x : tensor<?xf64>
  func.return
}

// -----

// A value that would lose bits.
func.func @f(%x: tensor<?xf32>, %v: tensor<f64>) {
  // expected-error @below {{tensor.inc_subtensor: found a value of dtype float64 for float32}}
  %0 = tensor.inc_subtensor %x, %v {slices = "0"} : (tensor<?xf32>, tensor<f64>) -> tensor<?xf32>
  func.return
}

// -----

// Softmax of integers.
func.func @f(%x: tensor<?xi64>) {
  // expected-error @below {{softmax: found int64 of rank 1; expected floats of rank 1 or more}}
  %0 = tensor.softmax %x : tensor<?xi64>
  func.return
}

// -----

// The gradient of something that is no scalar.
func.func @f(%x: tensor<?xf64>) {
  // expected-error @below {{cost must be a scalar.}}
  %0 = tensor.grad %x, %x : tensor<?xf64>
  func.return
}

// -----

// A size that is no integer.
func.func @f(%x: tensor<f64>) {
  // expected-error @below {{tensor.check_equal: found a size of dtype float64 and rank 0}}
  tensor.check_equal %x, %x {message = ""} : (tensor<f64>, tensor<f64>) -> ()
  func.return
}

// -----

// Two results for one.
func.func @f(%x: tensor<?xf64>) {
  // expected-error @below {{tensor.softmax: found 2 results; expected 1}}
  %0, %1 = tensor.softmax %x : (tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>)
  func.return
}

// -----

// Axes are a list.
func.func @f(%x: tensor<?xf64>) {
  // expected-error @below {{tensor.reduce: found axes = 0 : i64; expected integers, as array<i64: 0, 1>}}
  %0 = tensor.reduce %x {kind = "add", axes = 0} : (tensor<?xf64>) -> tensor<f64>
  func.return
}

// -----

// A flag is true or false.
func.func @f(%x: tensor<?x?xf64>) {
  // expected-error @below {{tensor.gemm: found transpose_a = "x"; expected true or false}}
  %0 = tensor.gemm %x, %x {transpose_a = "x"} : tensor<?x?xf64>
  func.return
}

// -----

// Slices are numbers.
func.func @f(%x: tensor<?xf64>) {
  // expected-error @below {{found 'a' in slices 'a:'; expected numbers, `@` and `:`}}
  %0 = tensor.subtensor %x {slices = "a:"} : tensor<?xf64>
  func.return
}

// -----

// A slice has three bounds.
func.func @f(%x: tensor<?xf64>) {
  // expected-error @below {{found ':::' in slices ':::'; expected start:stop:step}}
  %0 = tensor.subtensor %x {slices = ":::"} : tensor<?xf64>
  func.return
}

// -----

// Dimensions of size 1 are dimensions of the result.
func.func @f(%x: tensor<?xf64>, %s: tensor<?xi64>) {
  // expected-error @below {{found ones [5] of 1 dimensions}}
  %0 = tensor.reshape_to %x, %s {ndim = 1, ones = array<i64: 5>} : (tensor<?xf64>, tensor<?xi64>) -> tensor<?xf64>
  func.return
}
