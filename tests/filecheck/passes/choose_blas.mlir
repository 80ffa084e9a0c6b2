// RUN: tt-opt %s -p choose-blas --split-input-file | filecheck %s

// A product of two matrices.

func.func @gemm(%x: tensor<?x?xf64>, %y: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %0 = tensor.dot %x, %y : tensor<?x?xf64>
  func.return %0 : tensor<?x?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @gemm(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?x?xf64>, %[[Y:[^ ,:]+]]: tensor<?x?xf64>) -> tensor<?x?xf64> {
// CHECK-NEXT: %[[V0:.+]] = tensor.gemm %[[X]], %[[Y]] : tensor<?x?xf64>
// CHECK-NEXT: func.return %[[V0]] : tensor<?x?xf64>
// CHECK-NEXT: }
// -----

// Transposed operands become flags; twice transposed is not transposed.

func.func @transposed(%x: tensor<?x?xf32>, %y: tensor<?x?xf32>) -> (tensor<?x?xf32>, tensor<?x?xf32>) {
  %0 = tensor.dimshuffle %x {order = array<i64: 1, 0>} : tensor<?x?xf32>
  %1 = tensor.dimshuffle %y {order = array<i64: 1, 0>} : tensor<?x?xf32>
  %2 = tensor.dot %0, %1 : tensor<?x?xf32>
  %3 = tensor.gemm %0, %y {transpose_a = true} : tensor<?x?xf32>
  func.return %2, %3 : tensor<?x?xf32>, tensor<?x?xf32>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @transposed(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?x?xf32>, %[[Y:[^ ,:]+]]: tensor<?x?xf32>) -> (tensor<?x?xf32>, tensor<?x?xf32>) {
// CHECK-NEXT: %[[V0:.+]] = tensor.gemm %[[X]], %[[Y]] {transpose_a = true, transpose_b = true} : tensor<?x?xf32>
// CHECK-NEXT: %[[V1:.+]] = tensor.gemm %[[X]], %[[Y]] : tensor<?x?xf32>
// CHECK-NEXT: func.return %[[V0]], %[[V1]] : tensor<?x?xf32>, tensor<?x?xf32>
// CHECK-NEXT: }
// -----

// A transposed product, used once: the factors change places.

func.func @transposed_result(%x: tensor<?x?xf64>, %y: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %0 = tensor.dimshuffle %x {order = array<i64: 1, 0>} : tensor<?x?xf64>
  %1 = tensor.dot %0, %y : tensor<?x?xf64>
  %2 = tensor.dimshuffle %1 {order = array<i64: 1, 0>} : tensor<?x?xf64>
  func.return %2 : tensor<?x?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @transposed_result(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?x?xf64>, %[[Y:[^ ,:]+]]: tensor<?x?xf64>) -> tensor<?x?xf64> {
// CHECK-NEXT: %[[V0:.+]] = tensor.gemm %[[Y]], %[[X]] {transpose_a = true} : tensor<?x?xf64>
// CHECK-NEXT: func.return %[[V0]] : tensor<?x?xf64>
// CHECK-NEXT: }
// -----

// Used twice, it is computed once and transposed.

func.func @shared_result(%x: tensor<?x?xf64>, %y: tensor<?x?xf64>) -> (tensor<?x?xf64>, tensor<?x?xf64>) {
  %0 = tensor.dot %x, %y : tensor<?x?xf64>
  %1 = tensor.dimshuffle %0 {order = array<i64: 1, 0>} : tensor<?x?xf64>
  func.return %0, %1 : tensor<?x?xf64>, tensor<?x?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @shared_result(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?x?xf64>, %[[Y:[^ ,:]+]]: tensor<?x?xf64>) -> (tensor<?x?xf64>, tensor<?x?xf64>) {
// CHECK-NEXT: %[[V0:.+]] = tensor.gemm %[[X]], %[[Y]] : tensor<?x?xf64>
// CHECK-NEXT: %[[V1:.+]] = tensor.dimshuffle %[[V0]] {order = array<i64: 1, 0>} : tensor<?x?xf64>
// CHECK-NEXT: func.return %[[V0]], %[[V1]] : tensor<?x?xf64>, tensor<?x?xf64>
// CHECK-NEXT: }
// -----

// Vectors, integers and dimshuffles that only insert a dimension stay.

func.func @kept(%x: tensor<?x?xf64>, %v: tensor<?xf64>, %n: tensor<?x?xi64>) -> (tensor<?xf64>, tensor<f64>, tensor<?x?xi64>) {
  %0 = tensor.dot %x, %v : (tensor<?x?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %1 = tensor.dot %v, %v : (tensor<?xf64>, tensor<?xf64>) -> tensor<f64>
  %2 = tensor.dot %n, %n : tensor<?x?xi64>
  func.return %0, %1, %2 : tensor<?xf64>, tensor<f64>, tensor<?x?xi64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @kept(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?x?xf64>, %[[V:[^ ,:]+]]: tensor<?xf64>, %[[N:[^ ,:]+]]: tensor<?x?xi64>) -> (tensor<?xf64>, tensor<f64>, tensor<?x?xi64>) {
// CHECK-NEXT: %[[V0:.+]] = tensor.dot %[[X]], %[[V]] : (tensor<?x?xf64>, tensor<?xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = tensor.dot %[[V]], %[[V]] : (tensor<?xf64>, tensor<?xf64>) -> tensor<f64>
// CHECK-NEXT: %[[V2:.+]] = tensor.dot %[[N]], %[[N]] : tensor<?x?xi64>
// CHECK-NEXT: func.return %[[V0]], %[[V1]], %[[V2]] : tensor<?xf64>, tensor<f64>, tensor<?x?xi64>
// CHECK-NEXT: }
