// RUN: tt-opt %s -p stabilize --split-input-file | filecheck %s

// 1 / (1 + exp(t)) is sigmoid(-t).

func.func @logistic(%t: tensor<?xf64>) -> (tensor<?xf64>) {
  %c = elemwise.constant 1.0 : tensor<1xf64>
  %e = elemwise.exp %t : tensor<?xf64>
  %d = elemwise.add %e, %c : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %p = elemwise.true_div %c, %d : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
  func.return %p : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @logistic(
// CHECK-SAME: %[[T:.+]]: tensor<?xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V0:.+]] = elemwise.neg %[[T]] : tensor<?xf64>
// CHECK-NEXT: %[[P:.+]] = elemwise.sigmoid %[[V0]] : tensor<?xf64>
// CHECK-NEXT: func.return %[[P]] : tensor<?xf64>
// CHECK-NEXT: }
// -----

// -x - y under it is -(x + y): exp does not see the sign of a zero.

func.func @logistic_of_sum(%x: tensor<?xf64>, %y: tensor<?xf64>) -> (tensor<?xf64>) {
  %c = elemwise.constant 1.0 : tensor<1xf64>
  %m = elemwise.neg %x : tensor<?xf64>
  %s = elemwise.sub %m, %y : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %e = elemwise.exp %s : tensor<?xf64>
  %d = elemwise.add %c, %e : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
  %p = elemwise.true_div %c, %d : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
  func.return %p : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @logistic_of_sum(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[Y:[^ ,:]+]]: tensor<?xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V0:.+]] = elemwise.add %[[X]], %[[Y]] : tensor<?xf64>
// CHECK-NEXT: %[[P:.+]] = elemwise.sigmoid %[[V0]] : tensor<?xf64>
// CHECK-NEXT: func.return %[[P]] : tensor<?xf64>
// CHECK-NEXT: }
// -----

// 1 / (2 + exp(t)) is none. (log(exp(t)) is t.)

func.func @no_logistic(%t: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
  %c = elemwise.constant 2.0 : tensor<1xf64>
  %k = elemwise.constant 1.0 : tensor<1xf64>
  %e = elemwise.exp %t : tensor<?xf64>
  %d = elemwise.add %e, %c : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %p = elemwise.true_div %k, %d : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
  %g = elemwise.log %e : tensor<?xf64>
  func.return %p, %g : tensor<?xf64>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @no_logistic(
// CHECK-SAME: %[[T:.+]]: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
// CHECK-NEXT: %[[C:.+]] = elemwise.constant 2.000000e+00 : tensor<1xf64>
// CHECK-NEXT: %[[K:.+]] = elemwise.constant 1.000000e+00 : tensor<1xf64>
// CHECK-NEXT: %[[E:.+]] = elemwise.exp %[[T]] : tensor<?xf64>
// CHECK-NEXT: %[[D:.+]] = elemwise.add %[[E]], %[[C]] : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[P:.+]] = elemwise.true_div %[[K]], %[[D]] : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
// CHECK-NEXT: func.return %[[P]], %[[T]] : tensor<?xf64>, tensor<?xf64>
// CHECK-NEXT: }
// -----

// 1 - sigmoid(t), and the logarithms of both.

func.func @one_minus_sigmoid(%t: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) {
  %c = elemwise.constant 1.0 : tensor<1xf64>
  %p = elemwise.sigmoid %t : tensor<?xf64>
  %q = elemwise.sub %c, %p : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
  %0 = elemwise.log %q : tensor<?xf64>
  %1 = elemwise.log %p : tensor<?xf64>
  func.return %q, %0, %1 : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @one_minus_sigmoid(
// CHECK-SAME: %[[T:.+]]: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) {
// CHECK-NEXT: %[[V0:.+]] = elemwise.neg %[[T]] : tensor<?xf64>
// CHECK-NEXT: %[[Q:.+]] = elemwise.sigmoid %[[V0]] : tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.softplus %[[T]] : tensor<?xf64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.neg %[[V1]] : tensor<?xf64>
// CHECK-NEXT: %[[V3:.+]] = elemwise.softplus %[[V0]] : tensor<?xf64>
// CHECK-NEXT: %[[V4:.+]] = elemwise.neg %[[V3]] : tensor<?xf64>
// CHECK-NEXT: func.return %[[Q]], %[[V2]], %[[V4]] : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
// CHECK-NEXT: }
// -----

// log(1 + exp(t)).

func.func @softplus(%t: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
  %c = elemwise.constant 1.0 : tensor<1xf64>
  %e = elemwise.exp %t : tensor<?xf64>
  %d = elemwise.add %e, %c : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %0 = elemwise.log %d : tensor<?xf64>
  %1 = elemwise.log1p %e : tensor<?xf64>
  func.return %0, %1 : tensor<?xf64>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @softplus(
// CHECK-SAME: %[[T:.+]]: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
// CHECK-NEXT: %[[V0:.+]] = elemwise.softplus %[[T]] : tensor<?xf64>
// CHECK-NEXT: func.return %[[V0]], %[[V0]] : tensor<?xf64>, tensor<?xf64>
// CHECK-NEXT: }
// -----

// log(1 + x), log(1 - x); not log(2 + x).

func.func @near_one(%x: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) {
  %c = elemwise.constant 1.0 : tensor<1xf64>
  %0 = elemwise.add %x, %c : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %1 = elemwise.log %0 : tensor<?xf64>
  %2 = elemwise.sub %c, %x : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
  %3 = elemwise.log %2 : tensor<?xf64>
  %h = elemwise.constant 2.0 : tensor<1xf64>
  %4 = elemwise.add %x, %h : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %5 = elemwise.log %4 : tensor<?xf64>
  func.return %1, %3, %5 : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @near_one(
// CHECK-SAME: %[[X:.+]]: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) {
// CHECK-NEXT: %[[V0:.+]] = elemwise.log1p %[[X]] : tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.neg %[[X]] : tensor<?xf64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.log1p %[[V1]] : tensor<?xf64>
// CHECK-NEXT: %[[H:.+]] = elemwise.constant 2.000000e+00 : tensor<1xf64>
// CHECK-NEXT: %[[V3:.+]] = elemwise.add %[[X]], %[[H]] : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V4:.+]] = elemwise.log %[[V3]] : tensor<?xf64>
// CHECK-NEXT: func.return %[[V0]], %[[V2]], %[[V4]] : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
// CHECK-NEXT: }
// -----

// exp(x) - 1, 1 - exp(x); not exp(x) - 2.

func.func @expm1(%x: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) {
  %c = elemwise.constant 1.0 : tensor<1xf64>
  %e = elemwise.exp %x : tensor<?xf64>
  %0 = elemwise.sub %e, %c : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %1 = elemwise.sub %c, %e : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
  %h = elemwise.constant 2.0 : tensor<1xf64>
  %2 = elemwise.sub %e, %h : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  func.return %0, %1, %2 : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @expm1(
// CHECK-SAME: %[[X:.+]]: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) {
// CHECK-NEXT: %[[E:.+]] = elemwise.exp %[[X]] : tensor<?xf64>
// CHECK-NEXT: %[[V0:.+]] = elemwise.expm1 %[[X]] : tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.neg %[[V0]] : tensor<?xf64>
// CHECK-NEXT: %[[H:.+]] = elemwise.constant 2.000000e+00 : tensor<1xf64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.sub %[[E]], %[[H]] : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
// CHECK-NEXT: func.return %[[V0]], %[[V1]], %[[V2]] : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
// CHECK-NEXT: }
// -----

// sqrt(sqr(x)) is |x|.

func.func @root_of_square(%x: tensor<?xf64>) -> (tensor<?xf64>) {
  %0 = elemwise.sqr %x : tensor<?xf64>
  %1 = elemwise.sqrt %0 : tensor<?xf64>
  func.return %1 : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @root_of_square(
// CHECK-SAME: %[[X:.+]]: tensor<?xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V0:.+]] = elemwise.abs %[[X]] : tensor<?xf64>
// CHECK-NEXT: func.return %[[V0]] : tensor<?xf64>
// CHECK-NEXT: }
// -----

// Through a dimshuffle and a widening cast, which moves to where the precision is needed.

func.func @views(%x: tensor<?x?xf32>) -> (tensor<?x?xf64>) {
  %0 = elemwise.sigmoid %x : tensor<?x?xf32>
  %1 = tensor.dimshuffle %0 {order = array<i64: 1, 0>} : tensor<?x?xf32>
  %2 = elemwise.cast %1 {dtype = f64} : (tensor<?x?xf32>) -> tensor<?x?xf64>
  %3 = elemwise.log %2 : tensor<?x?xf64>
  func.return %3 : tensor<?x?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @views(
// CHECK-SAME: %[[X:.+]]: tensor<?x?xf32>) -> tensor<?x?xf64> {
// CHECK-NEXT: %[[V0:.+]] = elemwise.cast %[[X]] {dtype = f64} : (tensor<?x?xf32>) -> tensor<?x?xf64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.neg %[[V0]] : tensor<?x?xf64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.softplus %[[V1]] : tensor<?x?xf64>
// CHECK-NEXT: %[[V3:.+]] = elemwise.neg %[[V2]] : tensor<?x?xf64>
// CHECK-NEXT: %[[V4:.+]] = tensor.dimshuffle %[[V3]] {order = array<i64: 1, 0>} : tensor<?x?xf64>
// CHECK-NEXT: func.return %[[V4]] : tensor<?x?xf64>
// CHECK-NEXT: }
// -----

// log(softmax(x)), whole and of one class a row.

func.func @log_softmax(%x: tensor<?x?xf64>, %i: tensor<?xi64>, %j: tensor<?xi64>) -> (tensor<?x?xf64>, tensor<?xf64>) {
  %0 = tensor.softmax %x : tensor<?x?xf64>
  %1 = elemwise.log %0 : tensor<?x?xf64>
  %2 = tensor.advanced_subtensor %0, %i, %j : (tensor<?x?xf64>, tensor<?xi64>, tensor<?xi64>) -> tensor<?xf64>
  %3 = elemwise.log %2 : tensor<?xf64>
  func.return %1, %3 : tensor<?x?xf64>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @log_softmax(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?x?xf64>, %[[I:[^ ,:]+]]: tensor<?xi64>, %[[J:[^ ,:]+]]: tensor<?xi64>) -> (tensor<?x?xf64>, tensor<?xf64>) {
// CHECK-NEXT: %[[V0:.+]] = tensor.log_softmax %[[X]] : tensor<?x?xf64>
// CHECK-NEXT: %[[V1:.+]] = tensor.advanced_subtensor %[[V0]], %[[I]], %[[J]] : (tensor<?x?xf64>, tensor<?xi64>, tensor<?xi64>) -> tensor<?xf64>
// CHECK-NEXT: func.return %[[V0]], %[[V1]] : tensor<?x?xf64>, tensor<?xf64>
// CHECK-NEXT: }
