// RUN: tt-opt %s -p constant-fold --split-input-file | filecheck %s

// Floats in their own precision, elementary functions rounded once.

func.func @floats() -> (tensor<f64>, tensor<f32>, tensor<f64>, tensor<f64>) {
  %0 = elemwise.constant 0.1 : tensor<f64>
  %1 = elemwise.constant 0.2 : tensor<f64>
  %2 = elemwise.add %0, %1 : tensor<f64>
  %3 = elemwise.constant 0.1 : tensor<f32>
  %4 = elemwise.mul %3, %3 : tensor<f32>
  %5 = elemwise.sqrt %1 : tensor<f64>
  %6 = elemwise.constant 0.0 : tensor<f64>
  %7 = elemwise.log %6 : tensor<f64>
  func.return %2, %4, %5, %7 : tensor<f64>, tensor<f32>, tensor<f64>, tensor<f64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @floats(
// CHECK-SAME: ) -> (tensor<f64>, tensor<f32>, tensor<f64>, tensor<f64>) {
// CHECK-NEXT: %[[V0:.+]] = elemwise.constant 0.30000000000000004 : tensor<f64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.constant 0.0100000007 : tensor<f32>
// CHECK-NEXT: %[[V2:.+]] = elemwise.constant 0.44721359549995793 : tensor<f64>
// CHECK-NEXT: %[[V3:.+]] = elemwise.constant 0xfff0000000000000 : tensor<f64>
// CHECK-NEXT: func.return %[[V0]], %[[V1]], %[[V2]], %[[V3]] : tensor<f64>, tensor<f32>, tensor<f64>, tensor<f64>
// CHECK-NEXT: }
// -----

// Integers wrap; a division by zero is 0; the smallest one divided by -1 is itself.

func.func @integers() -> (tensor<i8>, tensor<i32>, tensor<i32>, tensor<i64>) {
  %0 = elemwise.constant 127 : tensor<i8>
  %1 = elemwise.constant 1 : tensor<i8>
  %2 = elemwise.add %0, %1 : tensor<i8>
  %3 = elemwise.constant 7 : tensor<i32>
  %4 = elemwise.constant 0 : tensor<i32>
  %5 = elemwise.int_div %3, %4 : tensor<i32>
  %6 = elemwise.mod %3, %4 : tensor<i32>
  %7 = elemwise.constant -9223372036854775808 : tensor<i64>
  %8 = elemwise.constant -1 : tensor<i64>
  %9 = elemwise.int_div %7, %8 : tensor<i64>
  func.return %2, %5, %6, %9 : tensor<i8>, tensor<i32>, tensor<i32>, tensor<i64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @integers(
// CHECK-SAME: ) -> (tensor<i8>, tensor<i32>, tensor<i32>, tensor<i64>) {
// CHECK-NEXT: %[[V0:.+]] = elemwise.constant -128 : tensor<i8>
// CHECK-NEXT: %[[V1:.+]] = elemwise.constant 0 : tensor<i32>
// CHECK-NEXT: %[[V2:.+]] = elemwise.constant 0 : tensor<i32>
// CHECK-NEXT: %[[V3:.+]] = elemwise.constant -9223372036854775808 : tensor<i64>
// CHECK-NEXT: func.return %[[V0]], %[[V1]], %[[V2]], %[[V3]] : tensor<i8>, tensor<i32>, tensor<i32>, tensor<i64>
// CHECK-NEXT: }
// -----

// Comparisons, selections and casts; splats and their dimshuffles.

func.func @others() -> (tensor<i1>, tensor<f32>, tensor<1x1xf64>) {
  %0 = elemwise.constant 2.5 : tensor<f64>
  %1 = elemwise.constant 2.0 : tensor<f64>
  %2 = elemwise.lt %1, %0 : (tensor<f64>, tensor<f64>) -> tensor<i1>
  %3 = elemwise.switch %2, %0, %1 : (tensor<i1>, tensor<f64>, tensor<f64>) -> tensor<f64>
  %4 = elemwise.cast %3 {dtype = f32} : (tensor<f64>) -> tensor<f32>
  %5 = tensor.dimshuffle %0 {order = array<i64: -1, -1>} : (tensor<f64>) -> tensor<1x1xf64>
  %6 = elemwise.neg %5 : tensor<1x1xf64>
  func.return %2, %4, %6 : tensor<i1>, tensor<f32>, tensor<1x1xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @others(
// CHECK-SAME: ) -> (tensor<i1>, tensor<f32>, tensor<1x1xf64>) {
// CHECK-NEXT: %[[V0:.+]] = elemwise.constant true : tensor<i1>
// CHECK-NEXT: %[[V1:.+]] = elemwise.constant 2.500000e+00 : tensor<f32>
// CHECK-NEXT: %[[V2:.+]] = elemwise.constant -2.500000e+00 : tensor<1x1xf64>
// CHECK-NEXT: func.return %[[V0]], %[[V1]], %[[V2]] : tensor<i1>, tensor<f32>, tensor<1x1xf64>
// CHECK-NEXT: }
// -----

// One operand that is no constant is enough to keep an operation, and constants of a sum stay apart:
// (x + c) + c would round differently.

func.func @kept(%x: tensor<f64>) -> tensor<f64> {
  %0 = elemwise.constant 1.5 : tensor<f64>
  %1 = elemwise.add %x, %0 : tensor<f64>
  %2 = elemwise.add %1, %0 : tensor<f64>
  func.return %2 : tensor<f64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @kept(
// CHECK-SAME: %[[X:.+]]: tensor<f64>) -> tensor<f64> {
// CHECK-NEXT: %[[V0:.+]] = elemwise.constant 1.500000e+00 : tensor<f64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.add %[[X]], %[[V0]] : tensor<f64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.add %[[V1]], %[[V0]] : tensor<f64>
// CHECK-NEXT: func.return %[[V2]] : tensor<f64>
// CHECK-NEXT: }
