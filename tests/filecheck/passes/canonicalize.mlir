// RUN: tt-opt %s -p canonicalize --split-input-file | filecheck %s
// RUN: tt-opt %s -p explicit-casts,canonicalize,canonicalize --split-input-file | filecheck %s
// Arithmetic, shapes and fills have files of their own; here they work together, and twice is as once.

func.func @one_minus_x(%x: tensor<?xf64>) -> (tensor<?xf64>) {
  %one = elemwise.constant 1 : tensor<i8>
  %0 = tensor.dimshuffle %one {order = array<i64: -1>} : (tensor<i8>) -> tensor<1xi8>
  %1 = elemwise.cast %0 {dtype = f64} : (tensor<1xi8>) -> tensor<1xf64>
  %2 = elemwise.neg %x : tensor<?xf64>
  %3 = elemwise.add %1, %2 : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
  func.return %3 : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @one_minus_x(
// CHECK-SAME: %[[X:.+]]: tensor<?xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V0:.+]] = elemwise.constant 1.000000e+00 : tensor<1xf64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.sub %[[V0]], %[[X]] : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
// CHECK-NEXT: func.return %[[V1]] : tensor<?xf64>
// CHECK-NEXT: }
// -----

// Dead code goes, whole chains of it; a check has an effect.

func.func @dead(%x: tensor<?xf64>, %n: tensor<i64>, %m: tensor<i64>) -> (tensor<?xf64>) {
  %0 = elemwise.exp %x : tensor<?xf64>
  %1 = elemwise.log %0 : tensor<?xf64>
  %2 = elemwise.maximum %n, %m : tensor<i64>
  tensor.check_equal %2, %n {message = "no"} : (tensor<i64>, tensor<i64>) -> ()
  func.return %x : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @dead(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[N:[^ ,:]+]]: tensor<i64>, %[[M:[^ ,:]+]]: tensor<i64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V0:.+]] = elemwise.maximum %[[N]], %[[M]] : tensor<i64>
// CHECK-NEXT: tensor.check_equal %[[V0]], %[[N]] {message = "no"} : (tensor<i64>, tensor<i64>) -> ()
// CHECK-NEXT: func.return %[[X]] : tensor<?xf64>
// CHECK-NEXT: }
