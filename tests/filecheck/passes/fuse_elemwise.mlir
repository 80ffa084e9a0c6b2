// RUN: tt-opt %s -p fuse-elemwise --split-input-file | filecheck %s

// A chain becomes one composite.

func.func @chain(%x: tensor<?xf64>, %y: tensor<?xf64>) -> (tensor<?xf64>) {
  %0 = elemwise.mul %x, %y : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %1 = elemwise.exp %0 : tensor<?xf64>
  func.return %1 : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @chain(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[Y:[^ ,:]+]]: tensor<?xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V0:[^ ,:]+]] = elemwise.composite (%[[X_1:[^ ,:]+]] = %[[X]] : tensor<?xf64>, %[[Y_1:[^ ,:]+]] = %[[Y]] : tensor<?xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V1:.+]] = elemwise.mul %[[X_1]], %[[Y_1]] : f64
// CHECK-NEXT: %[[V2:.+]] = elemwise.exp %[[V1]] : f64
// CHECK-NEXT: elemwise.yield %[[V2]] : f64
// CHECK-NEXT: }
// CHECK-NEXT: func.return %[[V0]] : tensor<?xf64>
// CHECK-NEXT: }
// -----

// A value used outside is one more result.

func.func @several_results(%x: tensor<?xf64>, %y: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xi1>) {
  %0 = elemwise.mul %x, %y : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %1 = elemwise.exp %0 : tensor<?xf64>
  %2 = elemwise.lt %1, %x : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xi1>
  func.return %0, %2 : tensor<?xf64>, tensor<?xi1>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @several_results(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[Y:[^ ,:]+]]: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xi1>) {
// CHECK-NEXT: %[[V0:[^ ,:]+]], %[[V1:[^ ,:]+]] = elemwise.composite (%[[X_1:[^ ,:]+]] = %[[X]] : tensor<?xf64>, %[[Y_1:[^ ,:]+]] = %[[Y]] : tensor<?xf64>) -> tensor<?xf64>, tensor<?xi1> {
// CHECK-NEXT: %[[V2:.+]] = elemwise.mul %[[X_1]], %[[Y_1]] : f64
// CHECK-NEXT: %[[V3:.+]] = elemwise.exp %[[V2]] : f64
// CHECK-NEXT: %[[V4:.+]] = elemwise.lt %[[V3]], %[[X_1]] : (f64, f64) -> i1
// CHECK-NEXT: elemwise.yield %[[V2]], %[[V4]] : f64, i1
// CHECK-NEXT: }
// CHECK-NEXT: func.return %[[V0]], %[[V1]] : tensor<?xf64>, tensor<?xi1>
// CHECK-NEXT: }
// -----

// Constants go inside, operands of size 1 broadcast.

func.func @constants_and_small_operands(%x: tensor<?xf64>, %v: tensor<1xf64>) -> (tensor<?xf64>) {
  %c = elemwise.constant 2.0 : tensor<1xf64>
  %0 = elemwise.mul %x, %c : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %1 = elemwise.add %0, %v : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  func.return %1 : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @constants_and_small_operands(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[V:[^ ,:]+]]: tensor<1xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V0:[^ ,:]+]] = elemwise.composite (%[[X_1:[^ ,:]+]] = %[[X]] : tensor<?xf64>, %[[V_1:[^ ,:]+]] = %[[V]] : tensor<1xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V1:.+]] = elemwise.constant 2.000000e+00 : f64
// CHECK-NEXT: %[[V2:.+]] = elemwise.mul %[[X_1]], %[[V1]] : f64
// CHECK-NEXT: %[[V3:.+]] = elemwise.add %[[V2]], %[[V_1]] : f64
// CHECK-NEXT: elemwise.yield %[[V3]] : f64
// CHECK-NEXT: }
// CHECK-NEXT: func.return %[[V0]] : tensor<?xf64>
// CHECK-NEXT: }
// -----

// Operations that are not connected stay alone, scalars too. (The last two are connected.)

func.func @lonely(%x: tensor<?xf64>, %y: tensor<?xf64>, %a: tensor<f64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<f64>, tensor<?xf64>) {
  %0 = elemwise.exp %x : tensor<?xf64>
  %1 = elemwise.exp %y : tensor<?xf64>
  %2 = elemwise.neg %a : tensor<f64>
  %3 = elemwise.exp %2 : tensor<f64>
  %4 = elemwise.log %x : tensor<?xf64>
  %5 = elemwise.sqrt %4 : tensor<?xf64>
  func.return %0, %1, %3, %5 : tensor<?xf64>, tensor<?xf64>, tensor<f64>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @lonely(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[Y:[^ ,:]+]]: tensor<?xf64>, %[[A:[^ ,:]+]]: tensor<f64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<f64>, tensor<?xf64>) {
// CHECK-NEXT: %[[V0:.+]] = elemwise.exp %[[X]] : tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.exp %[[Y]] : tensor<?xf64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.neg %[[A]] : tensor<f64>
// CHECK-NEXT: %[[V3:.+]] = elemwise.exp %[[V2]] : tensor<f64>
// CHECK-NEXT: %[[V4:[^ ,:]+]] = elemwise.composite (%[[X_1:[^ ,:]+]] = %[[X]] : tensor<?xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V5:.+]] = elemwise.log %[[X_1]] : f64
// CHECK-NEXT: %[[V6:.+]] = elemwise.sqrt %[[V5]] : f64
// CHECK-NEXT: elemwise.yield %[[V6]] : f64
// CHECK-NEXT: }
// CHECK-NEXT: func.return %[[V0]], %[[V1]], %[[V3]], %[[V4]] : tensor<?xf64>, tensor<?xf64>, tensor<f64>, tensor<?xf64>
// CHECK-NEXT: }
// -----

// Not across a reduction, even where an edge goes round it; behind it.

func.func @across_a_reduction(%x: tensor<?xf64>) -> (tensor<?xf64>) {
  %0 = elemwise.exp %x : tensor<?xf64>
  %1 = tensor.reduce %0 {kind = "add", axes = array<i64: 0>} : (tensor<?xf64>) -> tensor<f64>
  %2 = tensor.dimshuffle %1 {order = array<i64: -1>} : (tensor<f64>) -> tensor<1xf64>
  %3 = elemwise.true_div %0, %2 : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %4 = elemwise.sqrt %3 : tensor<?xf64>
  func.return %4 : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @across_a_reduction(
// CHECK-SAME: %[[X:.+]]: tensor<?xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V0:.+]] = elemwise.exp %[[X]] : tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = tensor.reduce %[[V0]] {kind = "add", axes = array<i64: 0>} : (tensor<?xf64>) -> tensor<f64>
// CHECK-NEXT: %[[V2:.+]] = tensor.dimshuffle %[[V1]] {order = array<i64: -1>} : (tensor<f64>) -> tensor<1xf64>
// CHECK-NEXT: %[[V3:[^ ,:]+]] = elemwise.composite (%[[V4:[^ ,:]+]] = %[[V0]] : tensor<?xf64>, %[[V5:[^ ,:]+]] = %[[V2]] : tensor<1xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V6:.+]] = elemwise.true_div %[[V4]], %[[V5]] : f64
// CHECK-NEXT: %[[V7:.+]] = elemwise.sqrt %[[V6]] : f64
// CHECK-NEXT: elemwise.yield %[[V7]] : f64
// CHECK-NEXT: }
// CHECK-NEXT: func.return %[[V3]] : tensor<?xf64>
// CHECK-NEXT: }
// -----

// Not across shapes: the row would be computed again for each row of the matrix.

func.func @different_shapes(%x: tensor<?x?xf64>, %v: tensor<1x?xf64>) -> (tensor<?x?xf64>) {
  %0 = elemwise.exp %v : tensor<1x?xf64>
  %1 = elemwise.neg %0 : tensor<1x?xf64>
  %2 = elemwise.mul %x, %1 : (tensor<?x?xf64>, tensor<1x?xf64>) -> tensor<?x?xf64>
  %3 = elemwise.sqrt %2 : tensor<?x?xf64>
  func.return %3 : tensor<?x?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @different_shapes(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?x?xf64>, %[[V:[^ ,:]+]]: tensor<1x?xf64>) -> tensor<?x?xf64> {
// CHECK-NEXT: %[[V0:[^ ,:]+]] = elemwise.composite (%[[V_1:[^ ,:]+]] = %[[V]] : tensor<1x?xf64>) -> tensor<1x?xf64> {
// CHECK-NEXT: %[[V1:.+]] = elemwise.exp %[[V_1]] : f64
// CHECK-NEXT: %[[V2:.+]] = elemwise.neg %[[V1]] : f64
// CHECK-NEXT: elemwise.yield %[[V2]] : f64
// CHECK-NEXT: }
// CHECK-NEXT: %[[V3:[^ ,:]+]] = elemwise.composite (%[[X_1:[^ ,:]+]] = %[[X]] : tensor<?x?xf64>, %[[V4:[^ ,:]+]] = %[[V0]] : tensor<1x?xf64>) -> tensor<?x?xf64> {
// CHECK-NEXT: %[[V5:.+]] = elemwise.mul %[[X_1]], %[[V4]] : f64
// CHECK-NEXT: %[[V6:.+]] = elemwise.sqrt %[[V5]] : f64
// CHECK-NEXT: elemwise.yield %[[V6]] : f64
// CHECK-NEXT: }
// CHECK-NEXT: func.return %[[V3]] : tensor<?x?xf64>
// CHECK-NEXT: }
// -----

// An operation moves behind a reduction that it has nothing to do with.

func.func @moved_behind(%x: tensor<?xf64>, %y: tensor<?xf64>) -> (tensor<?xf64>) {
  %0 = elemwise.exp %x : tensor<?xf64>
  %1 = tensor.reduce %y {kind = "add", axes = array<i64: 0>} : (tensor<?xf64>) -> tensor<f64>
  %2 = tensor.dimshuffle %1 {order = array<i64: -1>} : (tensor<f64>) -> tensor<1xf64>
  %3 = elemwise.mul %0, %2 : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  func.return %3 : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @moved_behind(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[Y:[^ ,:]+]]: tensor<?xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V0:.+]] = tensor.reduce %[[Y]] {kind = "add", axes = array<i64: 0>} : (tensor<?xf64>) -> tensor<f64>
// CHECK-NEXT: %[[V1:.+]] = tensor.dimshuffle %[[V0]] {order = array<i64: -1>} : (tensor<f64>) -> tensor<1xf64>
// CHECK-NEXT: %[[V2:[^ ,:]+]] = elemwise.composite (%[[X_1:[^ ,:]+]] = %[[X]] : tensor<?xf64>, %[[V3:[^ ,:]+]] = %[[V1]] : tensor<1xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V4:.+]] = elemwise.exp %[[X_1]] : f64
// CHECK-NEXT: %[[V5:.+]] = elemwise.mul %[[V4]], %[[V3]] : f64
// CHECK-NEXT: elemwise.yield %[[V5]] : f64
// CHECK-NEXT: }
// CHECK-NEXT: func.return %[[V2]] : tensor<?xf64>
// CHECK-NEXT: }
// -----

// Nor does it matter which group comes first: exp and neg join the product behind.

func.func @moved_up(%x: tensor<?xf64>, %y: tensor<?xf64>) -> (tensor<?xf64>) {
  %0 = elemwise.sqr %y : tensor<?xf64>
  %1 = tensor.reduce %0 {kind = "add", axes = array<i64: 0>} : (tensor<?xf64>) -> tensor<f64>
  %2 = tensor.dimshuffle %1 {order = array<i64: -1>} : (tensor<f64>) -> tensor<1xf64>
  %3 = elemwise.exp %x : tensor<?xf64>
  %4 = elemwise.neg %3 : tensor<?xf64>
  %5 = elemwise.mul %4, %2 : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  func.return %5 : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @moved_up(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[Y:[^ ,:]+]]: tensor<?xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V0:.+]] = elemwise.sqr %[[Y]] : tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = tensor.reduce %[[V0]] {kind = "add", axes = array<i64: 0>} : (tensor<?xf64>) -> tensor<f64>
// CHECK-NEXT: %[[V2:.+]] = tensor.dimshuffle %[[V1]] {order = array<i64: -1>} : (tensor<f64>) -> tensor<1xf64>
// CHECK-NEXT: %[[V3:[^ ,:]+]] = elemwise.composite (%[[X_1:[^ ,:]+]] = %[[X]] : tensor<?xf64>, %[[V4:[^ ,:]+]] = %[[V2]] : tensor<1xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V5:.+]] = elemwise.exp %[[X_1]] : f64
// CHECK-NEXT: %[[V6:.+]] = elemwise.neg %[[V5]] : f64
// CHECK-NEXT: %[[V7:.+]] = elemwise.mul %[[V6]], %[[V4]] : f64
// CHECK-NEXT: elemwise.yield %[[V7]] : f64
// CHECK-NEXT: }
// CHECK-NEXT: func.return %[[V3]] : tensor<?xf64>
// CHECK-NEXT: }
