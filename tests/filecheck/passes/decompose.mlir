// RUN: tt-opt %s -p decompose --split-input-file | filecheck %s

// softmax: shifted by the row's maximum, the exponentials once.

func.func @softmax(%x: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %0 = tensor.softmax %x : tensor<?x?xf64>
  func.return %0 : tensor<?x?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @softmax(
// CHECK-SAME: %[[X:.+]]: tensor<?x?xf64>) -> tensor<?x?xf64> {
// CHECK-NEXT: %[[V0:.+]] = tensor.reduce %[[X]] {kind = "max", axes = array<i64: 1>} : (tensor<?x?xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = tensor.dimshuffle %[[V0]] {order = array<i64: 0, -1>} : (tensor<?xf64>) -> tensor<?x1xf64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.sub %[[X]], %[[V1]] : (tensor<?x?xf64>, tensor<?x1xf64>) -> tensor<?x?xf64>
// CHECK-NEXT: %[[V3:.+]] = elemwise.exp %[[V2]] : tensor<?x?xf64>
// CHECK-NEXT: %[[V4:.+]] = tensor.reduce %[[V3]] {kind = "add", axes = array<i64: 1>} : (tensor<?x?xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V5:.+]] = tensor.dimshuffle %[[V4]] {order = array<i64: 0, -1>} : (tensor<?xf64>) -> tensor<?x1xf64>
// CHECK-NEXT: %[[V6:[^ ,:]+]] = elemwise.constant 1.000000e+00 : tensor<1x1xf64>
// CHECK-NEXT: %[[V7:[^ ,:]+]] = elemwise.true_div %[[V6]], %[[V5]] : (tensor<1x1xf64>, tensor<?x1xf64>) -> tensor<?x1xf64>
// CHECK-NEXT: %[[V8:[^ ,:]+]] = elemwise.mul %[[V3]], %[[V7]] : (tensor<?x?xf64>, tensor<?x1xf64>) -> tensor<?x?xf64>
// CHECK-NEXT: func.return %[[V8]] : tensor<?x?xf64>
// CHECK-NEXT: }
// -----

func.func @log_softmax(%x: tensor<?xf32>) -> tensor<?xf32> {
  %0 = tensor.log_softmax %x : tensor<?xf32>
  func.return %0 : tensor<?xf32>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @log_softmax(
// CHECK-SAME: %[[X:.+]]: tensor<?xf32>) -> tensor<?xf32> {
// CHECK-NEXT: %[[V0:.+]] = tensor.reduce %[[X]] {kind = "max", axes = array<i64: 0>} : (tensor<?xf32>) -> tensor<f32>
// CHECK-NEXT: %[[V1:.+]] = tensor.dimshuffle %[[V0]] {order = array<i64: -1>} : (tensor<f32>) -> tensor<1xf32>
// CHECK-NEXT: %[[V2:.+]] = elemwise.sub %[[X]], %[[V1]] : (tensor<?xf32>, tensor<1xf32>) -> tensor<?xf32>
// CHECK-NEXT: %[[V3:.+]] = elemwise.exp %[[V2]] : tensor<?xf32>
// CHECK-NEXT: %[[V4:.+]] = tensor.reduce %[[V3]] {kind = "add", axes = array<i64: 0>} : (tensor<?xf32>) -> tensor<f32>
// CHECK-NEXT: %[[V5:.+]] = tensor.dimshuffle %[[V4]] {order = array<i64: -1>} : (tensor<f32>) -> tensor<1xf32>
// CHECK-NEXT: %[[V6:.+]] = elemwise.log %[[V5]] : tensor<1xf32>
// CHECK-NEXT: %[[V7:.+]] = elemwise.sub %[[V2]], %[[V6]] : (tensor<?xf32>, tensor<1xf32>) -> tensor<?xf32>
// CHECK-NEXT: func.return %[[V7]] : tensor<?xf32>
// CHECK-NEXT: }
// -----

// A largest value is a reduction, with its position and without.

func.func @largest(%x: tensor<?x?xf64>) -> (tensor<?xf64>, tensor<f64>, tensor<i64>) {
  %0, %1 = tensor.max_and_argmax %x {axes = array<i64: 1>} : (tensor<?x?xf64>) -> (tensor<?xf64>, tensor<?xi64>)
  %2, %3 = tensor.max_and_argmax %x {axes = array<i64: 0, 1>} : (tensor<?x?xf64>) -> (tensor<f64>, tensor<i64>)
  func.return %0, %2, %3 : tensor<?xf64>, tensor<f64>, tensor<i64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @largest(
// CHECK-SAME: %[[X:.+]]: tensor<?x?xf64>) -> (tensor<?xf64>, tensor<f64>, tensor<i64>) {
// CHECK-NEXT: %[[V0:.+]] = tensor.reduce %[[X]] {kind = "max", axes = array<i64: 1>} : (tensor<?x?xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = tensor.reduce %[[X]] {kind = "max", axes = array<i64: 0, 1>} : (tensor<?x?xf64>) -> tensor<f64>
// CHECK-NEXT: %[[V2:[^ ,:]+]], %[[V3:[^ ,:]+]] = tensor.max_and_argmax %[[X]] {axes = array<i64: 0, 1>} : (tensor<?x?xf64>) -> (tensor<f64>, tensor<i64>)
// CHECK-NEXT: func.return %[[V0]], %[[V1]], %[[V3]] : tensor<?xf64>, tensor<f64>, tensor<i64>
// CHECK-NEXT: }

// -----

// Both of one array share the maximum, the exponentials and their sum.
func.func @both(%x: tensor<?x?xf64>) -> (tensor<?x?xf64>, tensor<?x?xf64>) {
  %0 = tensor.softmax %x : tensor<?x?xf64>
  %1 = tensor.log_softmax %x : tensor<?x?xf64>
  func.return %0, %1 : tensor<?x?xf64>, tensor<?x?xf64>
}
// CHECK-LABEL: func.func @both
// CHECK: %[[E:.+]] = elemwise.exp
// CHECK-NOT: elemwise.exp
// CHECK-NOT: kind = "max"
// CHECK: func.return
