// RUN: tt-opt %s -p canonicalize --split-input-file | filecheck %s

// A fill sinks into an operation whose other operand has the same shape, by construction.

func.func @sinks(%x: tensor<?xf64>, %v: tensor<1xf64>) -> (tensor<?xf64>) {
  %e = elemwise.exp %x : tensor<?xf64>
  %0 = elemwise.second %e, %v : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %1 = elemwise.mul %0, %x : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  func.return %1 : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @sinks(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[V:[^ ,:]+]]: tensor<1xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V0:.+]] = elemwise.mul %[[V]], %[[X]] : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
// CHECK-NEXT: func.return %[[V0]] : tensor<?xf64>
// CHECK-NEXT: }
// -----

// Of two arguments the sizes may differ: the check stays.

func.func @sinks_with_check(%x: tensor<?xf64>, %y: tensor<?xf64>, %v: tensor<1xf64>) -> (tensor<?xf64>) {
  %0 = elemwise.second %x, %v : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %1 = elemwise.mul %y, %0 : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  func.return %1 : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @sinks_with_check(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[Y:[^ ,:]+]]: tensor<?xf64>, %[[V:[^ ,:]+]]: tensor<1xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V0:.+]] = tensor.size %[[X]] {dim = 0 : i64} : (tensor<?xf64>) -> tensor<i64>
// CHECK-NEXT: %[[V1:.+]] = tensor.size %[[Y]] {dim = 0 : i64} : (tensor<?xf64>) -> tensor<i64>
// CHECK-NEXT: tensor.check_equal %[[V0]], %[[V1]] {message = "Input dimension mis-match. (input[1].shape[0] = {0}, input[0].shape[0] = {1})"} : (tensor<i64>, tensor<i64>) -> ()
// CHECK-NEXT: %[[V2:.+]] = elemwise.mul %[[Y]], %[[V]] : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
// CHECK-NEXT: func.return %[[V2]] : tensor<?xf64>
// CHECK-NEXT: }
// -----

// With nothing of the full shape beside it, it computes on the small value and fills behind.

func.func @sinks_deep(%x: tensor<?xf64>, %v: tensor<1xf64>) -> (tensor<?xf64>) {
  %0 = elemwise.second %x, %v : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %1 = elemwise.exp %0 : tensor<?xf64>
  %2 = elemwise.neg %1 : tensor<?xf64>
  func.return %2 : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @sinks_deep(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[V:[^ ,:]+]]: tensor<1xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V0:.+]] = elemwise.exp %[[V]] : tensor<1xf64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.neg %[[V0]] : tensor<1xf64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.second %[[X]], %[[V1]] : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
// CHECK-NEXT: func.return %[[V2]] : tensor<?xf64>
// CHECK-NEXT: }
// -----

// A fill that gives one dimension, where another operand gives the other, stays. (The negations go.)

func.func @different_rank_of_ones(%x: tensor<?xf64>, %v: tensor<1xf64>, %w: tensor<?x1xf64>, %z: tensor<1x?xf64>, %u: tensor<1x1xf64>) -> (tensor<?x?xf64>, tensor<?xf64>) {
  %0 = elemwise.second %w, %u : (tensor<?x1xf64>, tensor<1x1xf64>) -> tensor<?x1xf64>
  %1 = elemwise.mul %0, %z : (tensor<?x1xf64>, tensor<1x?xf64>) -> tensor<?x?xf64>
  %2 = elemwise.neg %x : tensor<?xf64>
  %3 = elemwise.neg %2 : tensor<?xf64>
  func.return %1, %3 : tensor<?x?xf64>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @different_rank_of_ones(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[V:[^ ,:]+]]: tensor<1xf64>, %[[W:[^ ,:]+]]: tensor<?x1xf64>, %[[Z:[^ ,:]+]]: tensor<1x?xf64>, %[[U:[^ ,:]+]]: tensor<1x1xf64>) -> (tensor<?x?xf64>, tensor<?xf64>) {
// CHECK-NEXT: %[[V0:.+]] = elemwise.second %[[W]], %[[U]] : (tensor<?x1xf64>, tensor<1x1xf64>) -> tensor<?x1xf64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.mul %[[V0]], %[[Z]] : (tensor<?x1xf64>, tensor<1x?xf64>) -> tensor<?x?xf64>
// CHECK-NEXT: func.return %[[V1]], %[[X]] : tensor<?x?xf64>, tensor<?xf64>
// CHECK-NEXT: }
// -----

// A fill with a value of the whole shape is the value, and a check.

func.func @own_shape(%x: tensor<?xf64>, %y: tensor<?xf64>) -> (tensor<?xf64>) {
  %0 = elemwise.second %x, %y : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  func.return %0 : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @own_shape(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[Y:[^ ,:]+]]: tensor<?xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V0:.+]] = tensor.size %[[X]] {dim = 0 : i64} : (tensor<?xf64>) -> tensor<i64>
// CHECK-NEXT: %[[V1:.+]] = tensor.size %[[Y]] {dim = 0 : i64} : (tensor<?xf64>) -> tensor<i64>
// CHECK-NEXT: tensor.check_equal %[[V0]], %[[V1]] {message = "Input dimension mis-match. (input[0].shape[0] = {0}, input[1].shape[0] = {1})"} : (tensor<i64>, tensor<i64>) -> ()
// CHECK-NEXT: func.return %[[Y]] : tensor<?xf64>
// CHECK-NEXT: }
// -----

// The model is where the sizes come from; if that is no array of the same shape, the fill allocates.

func.func @at_its_root(%x: tensor<?xf64>, %w: tensor<?x?xf64>, %v: tensor<1xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
  %0 = tensor.dot %w, %x : (tensor<?x?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %1 = elemwise.second %0, %v : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %2 = elemwise.exp %x : tensor<?xf64>
  %3 = elemwise.second %2, %v : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  func.return %1, %3 : tensor<?xf64>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @at_its_root(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[W:[^ ,:]+]]: tensor<?x?xf64>, %[[V:[^ ,:]+]]: tensor<1xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
// CHECK-NEXT: %[[V0:.+]] = tensor.size %[[W]] {dim = 0 : i64} : (tensor<?x?xf64>) -> tensor<i64>
// CHECK-NEXT: %[[V1:.+]] = tensor.alloc %[[V]], %[[V0]] {ones = array<i64>} : (tensor<1xf64>, tensor<i64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.second %[[X]], %[[V]] : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
// CHECK-NEXT: func.return %[[V1]], %[[V2]] : tensor<?xf64>, tensor<?xf64>
// CHECK-NEXT: }
// -----

// Fills come out of dimshuffles.

func.func @dimshuffled(%x: tensor<?xf64>, %v: tensor<1xf64>) -> (tensor<?x1xf64>) {
  %0 = elemwise.second %x, %v : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %1 = tensor.dimshuffle %0 {order = array<i64: 0, -1>} : (tensor<?xf64>) -> tensor<?x1xf64>
  func.return %1 : tensor<?x1xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @dimshuffled(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[V:[^ ,:]+]]: tensor<1xf64>) -> tensor<?x1xf64> {
// CHECK-NEXT: %[[V0:.+]] = tensor.dimshuffle %[[V]] {order = array<i64: 0, -1>} : (tensor<1xf64>) -> tensor<1x1xf64>
// CHECK-NEXT: %[[V1:.+]] = tensor.size %[[X]] {dim = 0 : i64} : (tensor<?xf64>) -> tensor<i64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.constant 1 : tensor<i64>
// CHECK-NEXT: %[[V3:.+]] = tensor.alloc %[[V0]], %[[V1]], %[[V2]] {ones = array<i64: 1>} : (tensor<1x1xf64>, tensor<i64>, tensor<i64>) -> tensor<?x1xf64>
// CHECK-NEXT: func.return %[[V3]] : tensor<?x1xf64>
// CHECK-NEXT: }
// -----

// An alloc sinks as a fill does: by the known size, or with a check.

func.func @allocs(%x: tensor<?xf64>, %s: tensor<f64>, %n: tensor<i64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) {
  %0 = tensor.size %x {dim = 0 : i64} : (tensor<?xf64>) -> tensor<i64>
  %1 = tensor.alloc %s, %0 {ones = array<i64>} : (tensor<f64>, tensor<i64>) -> tensor<?xf64>
  %2 = elemwise.mul %1, %x : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %3 = tensor.alloc %s, %n {ones = array<i64>} : (tensor<f64>, tensor<i64>) -> tensor<?xf64>
  %4 = elemwise.mul %3, %x : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %5 = tensor.alloc %x, %0 {ones = array<i64>} : (tensor<?xf64>, tensor<i64>) -> tensor<?xf64>
  func.return %2, %4, %5 : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @allocs(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[S:[^ ,:]+]]: tensor<f64>, %[[N:[^ ,:]+]]: tensor<i64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) {
// CHECK-NEXT: %[[V0:.+]] = tensor.dimshuffle %[[S]] {order = array<i64: -1>} : (tensor<f64>) -> tensor<1xf64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.mul %[[V0]], %[[X]] : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V2:.+]] = tensor.dimshuffle %[[S]] {order = array<i64: -1>} : (tensor<f64>) -> tensor<1xf64>
// CHECK-NEXT: %[[V3:.+]] = tensor.size %[[X]] {dim = 0 : i64} : (tensor<?xf64>) -> tensor<i64>
// CHECK-NEXT: tensor.check_equal %[[N]], %[[V3]] {message = "Input dimension mis-match. (input[0].shape[0] = {0}, input[1].shape[0] = {1})"} : (tensor<i64>, tensor<i64>) -> ()
// CHECK-NEXT: %[[V4:.+]] = elemwise.mul %[[V2]], %[[X]] : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
// CHECK-NEXT: func.return %[[V1]], %[[V4]], %[[X]] : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
// CHECK-NEXT: }
// -----

// A decided switch is its branch, with the checks of what is left out.

func.func @decided_switch(%x: tensor<?xf64>, %y: tensor<?xf64>, %c: tensor<?xi1>) -> (tensor<?xf64>, tensor<?xf64>) {
  %t = elemwise.constant true : tensor<1xi1>
  %0 = elemwise.switch %t, %x, %y : (tensor<1xi1>, tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %1 = elemwise.switch %c, %x, %x : (tensor<?xi1>, tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  func.return %0, %1 : tensor<?xf64>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @decided_switch(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[Y:[^ ,:]+]]: tensor<?xf64>, %[[C:[^ ,:]+]]: tensor<?xi1>) -> (tensor<?xf64>, tensor<?xf64>) {
// CHECK-NEXT: %[[V0:.+]] = tensor.size %[[Y]] {dim = 0 : i64} : (tensor<?xf64>) -> tensor<i64>
// CHECK-NEXT: %[[V1:.+]] = tensor.size %[[X]] {dim = 0 : i64} : (tensor<?xf64>) -> tensor<i64>
// CHECK-NEXT: tensor.check_equal %[[V0]], %[[V1]] {message = "Input dimension mis-match. (input[0].shape[0] = {0}, input[1].shape[0] = {1})"} : (tensor<i64>, tensor<i64>) -> ()
// CHECK-NEXT: %[[V2:.+]] = tensor.size %[[C]] {dim = 0 : i64} : (tensor<?xi1>) -> tensor<i64>
// CHECK-NEXT: %[[V3:.+]] = tensor.size %[[X]] {dim = 0 : i64} : (tensor<?xf64>) -> tensor<i64>
// CHECK-NEXT: tensor.check_equal %[[V2]], %[[V3]] {message = "Input dimension mis-match. (input[0].shape[0] = {0}, input[1].shape[0] = {1})"} : (tensor<i64>, tensor<i64>) -> ()
// CHECK-NEXT: func.return %[[X]], %[[X]] : tensor<?xf64>, tensor<?xf64>
// CHECK-NEXT: }
// -----

// Parts that are added into zeros and then to each other are added one after the other.

func.func @sum_of_parts(%x: tensor<?xf64>, %a: tensor<1xf64>, %b: tensor<1xf64>) -> (tensor<?xf64>) {
  %zero = elemwise.constant 0.0 : tensor<1xf64>
  %z = elemwise.second %x, %zero : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %0 = tensor.inc_subtensor %z, %a {slices = "1:"} : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %1 = tensor.inc_subtensor %z, %b {slices = ":-1"} : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %2 = elemwise.add %0, %1 : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  func.return %2 : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @sum_of_parts(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[A:[^ ,:]+]]: tensor<1xf64>, %[[B:[^ ,:]+]]: tensor<1xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[ZERO:.+]] = elemwise.constant 0.000000e+00 : tensor<1xf64>
// CHECK-NEXT: %[[Z:.+]] = elemwise.second %[[X]], %[[ZERO]] : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V0:.+]] = tensor.inc_subtensor %[[Z]], %[[A]] {slices = "1:"} : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = tensor.inc_subtensor %[[V0]], %[[B]] {slices = ":-1"} : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
// CHECK-NEXT: func.return %[[V1]] : tensor<?xf64>
// CHECK-NEXT: }
// -----

// Not into what may hold -0.0, and not where one of them is used again.

func.func @no_sum_of_parts(%x: tensor<?xf64>, %a: tensor<1xf64>, %b: tensor<1xf64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) {
  %zero = elemwise.constant 0.0 : tensor<1xf64>
  %minus = elemwise.constant -0.0 : tensor<1xf64>
  %z = elemwise.second %x, %zero : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %m = elemwise.second %x, %minus : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %0 = tensor.inc_subtensor %m, %a {slices = "1:"} : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %1 = tensor.inc_subtensor %z, %b {slices = ":-1"} : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %2 = elemwise.add %0, %1 : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %3 = elemwise.add %x, %1 : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %4 = tensor.inc_subtensor %z, %b {slices = "2:"} : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %5 = elemwise.add %4, %1 : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  func.return %2, %3, %5 : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @no_sum_of_parts(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[A:[^ ,:]+]]: tensor<1xf64>, %[[B:[^ ,:]+]]: tensor<1xf64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) {
// CHECK-NEXT: %[[ZERO:.+]] = elemwise.constant 0.000000e+00 : tensor<1xf64>
// CHECK-NEXT: %[[MINUS:.+]] = elemwise.constant -0.000000e+00 : tensor<1xf64>
// CHECK-NEXT: %[[Z:.+]] = elemwise.second %[[X]], %[[ZERO]] : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[M:.+]] = elemwise.second %[[X]], %[[MINUS]] : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V0:.+]] = tensor.inc_subtensor %[[M]], %[[A]] {slices = "1:"} : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = tensor.inc_subtensor %[[Z]], %[[B]] {slices = ":-1"} : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.add %[[V0]], %[[V1]] : tensor<?xf64>
// CHECK-NEXT: %[[V3:.+]] = elemwise.add %[[X]], %[[V1]] : tensor<?xf64>
// CHECK-NEXT: %[[V4:.+]] = tensor.inc_subtensor %[[Z]], %[[B]] {slices = "2:"} : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V5:.+]] = elemwise.add %[[V4]], %[[V1]] : tensor<?xf64>
// CHECK-NEXT: func.return %[[V2]], %[[V3]], %[[V5]] : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
// CHECK-NEXT: }
