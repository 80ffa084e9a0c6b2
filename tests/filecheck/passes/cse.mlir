// RUN: tt-opt %s -p cse --split-input-file | filecheck %s

// Equal operations meet, chains of them too; operands of commutative ones in any order.

func.func @equal(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %0 = elemwise.mul %x, %y : tensor<?xf64>
  %1 = elemwise.exp %0 : tensor<?xf64>
  %2 = elemwise.mul %y, %x : tensor<?xf64>
  %3 = elemwise.exp %2 : tensor<?xf64>
  %4 = elemwise.sub %1, %3 : tensor<?xf64>
  func.return %4 : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @equal(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[Y:[^ ,:]+]]: tensor<?xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V0:.+]] = elemwise.mul %[[X]], %[[Y]] : tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.exp %[[V0]] : tensor<?xf64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.sub %[[V1]], %[[V1]] : tensor<?xf64>
// CHECK-NEXT: func.return %[[V2]] : tensor<?xf64>
// CHECK-NEXT: }
// -----

// Different order of a difference, different properties, zeros of different sign, equal values of
// different dtypes stay. (The repeated last constant goes.)

func.func @different(%x: tensor<?xf64>, %y: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf32>, tensor<?xi32>, tensor<f64>, tensor<f64>, tensor<f32>, tensor<f64>) {
  %0 = elemwise.sub %x, %y : tensor<?xf64>
  %1 = elemwise.sub %y, %x : tensor<?xf64>
  %2 = elemwise.cast %x {dtype = f32} : (tensor<?xf64>) -> tensor<?xf32>
  %3 = elemwise.cast %x {dtype = i32} : (tensor<?xf64>) -> tensor<?xi32>
  %4 = elemwise.constant 0.0 : tensor<f64>
  %5 = elemwise.constant -0.0 : tensor<f64>
  %6 = elemwise.constant 0.0 : tensor<f32>
  %7 = elemwise.constant 0.0 : tensor<f64>
  func.return %0, %1, %2, %3, %4, %5, %6, %7 : tensor<?xf64>, tensor<?xf64>, tensor<?xf32>, tensor<?xi32>, tensor<f64>, tensor<f64>, tensor<f32>, tensor<f64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @different(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[Y:[^ ,:]+]]: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf32>, tensor<?xi32>, tensor<f64>, tensor<f64>, tensor<f32>, tensor<f64>) {
// CHECK-NEXT: %[[V0:.+]] = elemwise.sub %[[X]], %[[Y]] : tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.sub %[[Y]], %[[X]] : tensor<?xf64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.cast %[[X]] {dtype = f32} : (tensor<?xf64>) -> tensor<?xf32>
// CHECK-NEXT: %[[V3:.+]] = elemwise.cast %[[X]] {dtype = i32} : (tensor<?xf64>) -> tensor<?xi32>
// CHECK-NEXT: %[[V4:.+]] = elemwise.constant 0.000000e+00 : tensor<f64>
// CHECK-NEXT: %[[V5:.+]] = elemwise.constant -0.000000e+00 : tensor<f64>
// CHECK-NEXT: %[[V6:.+]] = elemwise.constant 0.000000e+00 : tensor<f32>
// CHECK-NEXT: func.return %[[V0]], %[[V1]], %[[V2]], %[[V3]], %[[V4]], %[[V5]], %[[V6]], %[[V4]] : tensor<?xf64>, tensor<?xf64>, tensor<?xf32>, tensor<?xi32>, tensor<f64>, tensor<f64>, tensor<f32>, tensor<f64>
// CHECK-NEXT: }
// -----

// Operations with effects stay, dead pure ones go.

func.func @effects(%n: tensor<i64>, %m: tensor<i64>, %x: tensor<?xf64>) {
  tensor.check_equal %n, %m {message = "no"} : (tensor<i64>, tensor<i64>) -> ()
  tensor.check_equal %n, %m {message = "no"} : (tensor<i64>, tensor<i64>) -> ()
  %0 = elemwise.exp %x : tensor<?xf64>
  %1 = elemwise.log %0 : tensor<?xf64>
  func.return
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @effects(
// CHECK-SAME: %[[N:[^ ,:]+]]: tensor<i64>, %[[M:[^ ,:]+]]: tensor<i64>, %[[X:[^ ,:]+]]: tensor<?xf64>) {
// CHECK-NEXT: tensor.check_equal %[[N]], %[[M]] {message = "no"} : (tensor<i64>, tensor<i64>) -> ()
// CHECK-NEXT: tensor.check_equal %[[N]], %[[M]] {message = "no"} : (tensor<i64>, tensor<i64>) -> ()
// CHECK-NEXT: func.return
// CHECK-NEXT: }
// -----

// Composites of the same structure meet, after what repeats inside them went.

func.func @composites(%x: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) {
  %0 = elemwise.composite (%a = %x : tensor<?xf64>) -> tensor<?xf64> {
    %1 = elemwise.exp %a : f64
    %2 = elemwise.exp %a : f64
    %3 = elemwise.mul %1, %2 : f64
    elemwise.yield %3 : f64
  }
  %4 = elemwise.composite (%b = %x : tensor<?xf64>) -> tensor<?xf64> {
    %5 = elemwise.exp %b : f64
    %6 = elemwise.mul %5, %5 : f64
    elemwise.yield %6 : f64
  }
  %7 = elemwise.composite (%c = %x : tensor<?xf64>) -> tensor<?xf64> {
    %8 = elemwise.exp %c : f64
    %9 = elemwise.mul %8, %c : f64
    elemwise.yield %9 : f64
  }
  func.return %0, %4, %7 : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @composites(
// CHECK-SAME: %[[X:.+]]: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) {
// CHECK-NEXT: %[[V0:[^ ,:]+]] = elemwise.composite (%[[A:[^ ,:]+]] = %[[X]] : tensor<?xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V1:.+]] = elemwise.exp %[[A]] : f64
// CHECK-NEXT: %[[V2:.+]] = elemwise.mul %[[V1]], %[[V1]] : f64
// CHECK-NEXT: elemwise.yield %[[V2]] : f64
// CHECK-NEXT: }
// CHECK-NEXT: %[[V3:[^ ,:]+]] = elemwise.composite (%[[C:[^ ,:]+]] = %[[X]] : tensor<?xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V4:.+]] = elemwise.exp %[[C]] : f64
// CHECK-NEXT: %[[V5:.+]] = elemwise.mul %[[V4]], %[[C]] : f64
// CHECK-NEXT: elemwise.yield %[[V5]] : f64
// CHECK-NEXT: }
// CHECK-NEXT: func.return %[[V0]], %[[V0]], %[[V3]] : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
// CHECK-NEXT: }
// -----

// In a nest, an operation takes the result of an equal one outside; not one of a nest beside it.

func.func @nests(%x: tensor<?xf64>, %s: f64, %n: index) -> (f64, tensor<?xf64>, tensor<?xf64>) {
  %0 = elemwise.exp %s : f64
  %1 = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %2 = elemwise.exp %s : f64
    %3 = elemwise.sqrt %s : f64
    %4 = elemwise.mul %a, %2 : f64
    %5 = elemwise.mul %4, %3 : f64
    loops.yield %5 : f64
  }
  %6 = loops.nest (%j < %n) ins(%b = %x[%j] : tensor<?xf64>) -> (collect[%j] : tensor<?xf64>) {
    %7 = elemwise.sqrt %s : f64
    %8 = elemwise.add %b, %7 : f64
    loops.yield %8 : f64
  }
  func.return %0, %1, %6 : f64, tensor<?xf64>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @nests(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[S:[^ ,:]+]]: f64, %[[N:[^ ,:]+]]: index) -> (f64, tensor<?xf64>, tensor<?xf64>) {
// CHECK-NEXT: %[[V0:.+]] = elemwise.exp %[[S]] : f64
// CHECK-NEXT: %[[V1:[^ ,:]+]] = loops.nest (%[[I:[^ ,:]+]] < %[[N]]) ins(%[[A:[^ ,:]+]] = %[[X]][%[[I]]] : tensor<?xf64>) -> (collect[%[[I]]] : tensor<?xf64>) {
// CHECK-NEXT: %[[V2:.+]] = elemwise.sqrt %[[S]] : f64
// CHECK-NEXT: %[[V3:.+]] = elemwise.mul %[[A]], %[[V0]] : f64
// CHECK-NEXT: %[[V4:.+]] = elemwise.mul %[[V3]], %[[V2]] : f64
// CHECK-NEXT: loops.yield %[[V4]] : f64
// CHECK-NEXT: }
// CHECK-NEXT: %[[V5:[^ ,:]+]] = loops.nest (%[[J:[^ ,:]+]] < %[[N]]) ins(%[[B:[^ ,:]+]] = %[[X]][%[[J]]] : tensor<?xf64>) -> (collect[%[[J]]] : tensor<?xf64>) {
// CHECK-NEXT: %[[V6:.+]] = elemwise.sqrt %[[S]] : f64
// CHECK-NEXT: %[[V7:.+]] = elemwise.add %[[B]], %[[V6]] : f64
// CHECK-NEXT: loops.yield %[[V7]] : f64
// CHECK-NEXT: }
// CHECK-NEXT: func.return %[[V0]], %[[V1]], %[[V5]] : f64, tensor<?xf64>, tensor<?xf64>
// CHECK-NEXT: }
