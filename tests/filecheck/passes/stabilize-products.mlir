// RUN: tt-opt %s -p stabilize --split-input-file | filecheck %s

// x * exp(t) * sigmoid(-t) is x * sigmoid(t).

func.func @exp_times_sigmoid(%x: tensor<?xf64>, %t: tensor<?xf64>) -> (tensor<?xf64>) {
  %m = elemwise.neg %t : tensor<?xf64>
  %e = elemwise.exp %t : tensor<?xf64>
  %s = elemwise.sigmoid %m : tensor<?xf64>
  %0 = elemwise.mul %x, %e : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %1 = elemwise.mul %0, %s : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  func.return %1 : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @exp_times_sigmoid(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[T:[^ ,:]+]]: tensor<?xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V0:.+]] = elemwise.sigmoid %[[T]] : tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.mul %[[X]], %[[V0]] : tensor<?xf64>
// CHECK-NEXT: func.return %[[V1]] : tensor<?xf64>
// CHECK-NEXT: }
// -----

// exp(t) / (1 + exp(t))^2 is sigmoid(t) * sigmoid(-t).

func.func @exp_over_one_plus_exp(%t: tensor<?xf64>) -> (tensor<?xf64>) {
  %c = elemwise.constant 1.0 : tensor<1xf64>
  %e = elemwise.exp %t : tensor<?xf64>
  %d = elemwise.add %e, %c : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %s = elemwise.sqr %d : tensor<?xf64>
  %0 = elemwise.true_div %e, %s : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  func.return %0 : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @exp_over_one_plus_exp(
// CHECK-SAME: %[[T:.+]]: tensor<?xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V0:.+]] = elemwise.sigmoid %[[T]] : tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.neg %[[T]] : tensor<?xf64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.sigmoid %[[V1]] : tensor<?xf64>
// CHECK-NEXT: %[[V3:.+]] = elemwise.mul %[[V0]], %[[V2]] : tensor<?xf64>
// CHECK-NEXT: func.return %[[V3]] : tensor<?xf64>
// CHECK-NEXT: }
// -----

// sigmoid(t) / sigmoid(-t) is exp(t).

func.func @odds(%t: tensor<?xf64>) -> (tensor<?xf64>) {
  %m = elemwise.neg %t : tensor<?xf64>
  %p = elemwise.sigmoid %t : tensor<?xf64>
  %q = elemwise.sigmoid %m : tensor<?xf64>
  %0 = elemwise.true_div %p, %q : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  func.return %0 : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @odds(
// CHECK-SAME: %[[T:.+]]: tensor<?xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V0:.+]] = elemwise.exp %[[T]] : tensor<?xf64>
// CHECK-NEXT: func.return %[[V0]] : tensor<?xf64>
// CHECK-NEXT: }
// -----

// Powers of one sigmoid stay as they are written. (log(exp(x)) is x.)

func.func @nothing_gained(%x: tensor<?xf64>, %t: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
  %p = elemwise.sigmoid %t : tensor<?xf64>
  %0 = elemwise.mul %x, %p : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %1 = elemwise.mul %0, %p : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %e = elemwise.exp %x : tensor<?xf64>
  %l = elemwise.log %e : tensor<?xf64>
  func.return %1, %l : tensor<?xf64>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @nothing_gained(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[T:[^ ,:]+]]: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
// CHECK-NEXT: %[[P:.+]] = elemwise.sigmoid %[[T]] : tensor<?xf64>
// CHECK-NEXT: %[[V0:.+]] = elemwise.mul %[[X]], %[[P]] : tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.mul %[[V0]], %[[P]] : tensor<?xf64>
// CHECK-NEXT: func.return %[[V1]], %[[X]] : tensor<?xf64>, tensor<?xf64>
// CHECK-NEXT: }
// -----

// (y / q - x / p) * p * q is y * p - x * q: the gradient of binary cross-entropy.

func.func @cross_entropy(%x: tensor<?xf64>, %y: tensor<?xf64>, %t: tensor<?xf64>) -> (tensor<?xf64>) {
  %m = elemwise.neg %t : tensor<?xf64>
  %p = elemwise.sigmoid %t : tensor<?xf64>
  %q = elemwise.sigmoid %m : tensor<?xf64>
  %0 = elemwise.true_div %x, %p : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %1 = elemwise.true_div %y, %q : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %2 = elemwise.sub %1, %0 : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %3 = elemwise.mul %2, %p : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %4 = elemwise.mul %3, %q : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  func.return %4 : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @cross_entropy(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[Y:[^ ,:]+]]: tensor<?xf64>, %[[T:[^ ,:]+]]: tensor<?xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V0:.+]] = elemwise.sigmoid %[[T]] : tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.mul %[[Y]], %[[V0]] : tensor<?xf64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.neg %[[T]] : tensor<?xf64>
// CHECK-NEXT: %[[V3:.+]] = elemwise.sigmoid %[[V2]] : tensor<?xf64>
// CHECK-NEXT: %[[V4:.+]] = elemwise.mul %[[X]], %[[V3]] : tensor<?xf64>
// CHECK-NEXT: %[[V5:.+]] = elemwise.sub %[[V1]], %[[V4]] : tensor<?xf64>
// CHECK-NEXT: func.return %[[V5]] : tensor<?xf64>
// CHECK-NEXT: }
// -----

// (y / q + x / p) * p would keep a division by q: it stays. (log(exp(x)) is x.)

func.func @a_denominator_is_left(%x: tensor<?xf64>, %y: tensor<?xf64>, %t: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
  %m = elemwise.neg %t : tensor<?xf64>
  %p = elemwise.sigmoid %t : tensor<?xf64>
  %q = elemwise.sigmoid %m : tensor<?xf64>
  %0 = elemwise.true_div %x, %p : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %1 = elemwise.true_div %y, %q : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %2 = elemwise.add %1, %0 : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %3 = elemwise.mul %2, %p : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %e = elemwise.exp %x : tensor<?xf64>
  %l = elemwise.log %e : tensor<?xf64>
  func.return %3, %l : tensor<?xf64>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @a_denominator_is_left(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[Y:[^ ,:]+]]: tensor<?xf64>, %[[T:[^ ,:]+]]: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
// CHECK-NEXT: %[[M:.+]] = elemwise.neg %[[T]] : tensor<?xf64>
// CHECK-NEXT: %[[P:.+]] = elemwise.sigmoid %[[T]] : tensor<?xf64>
// CHECK-NEXT: %[[Q:.+]] = elemwise.sigmoid %[[M]] : tensor<?xf64>
// CHECK-NEXT: %[[V0:.+]] = elemwise.true_div %[[X]], %[[P]] : tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.true_div %[[Y]], %[[Q]] : tensor<?xf64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.add %[[V1]], %[[V0]] : tensor<?xf64>
// CHECK-NEXT: %[[V3:.+]] = elemwise.mul %[[V2]], %[[P]] : tensor<?xf64>
// CHECK-NEXT: func.return %[[V3]], %[[X]] : tensor<?xf64>, tensor<?xf64>
// CHECK-NEXT: }
// -----

// f / f stays where f may be 0; exp(y) is not.

func.func @not_of_zero(%x: tensor<?xf64>, %y: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
  %s = elemwise.sqr %y : tensor<?xf64>
  %0 = elemwise.mul %x, %s : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %1 = elemwise.true_div %0, %s : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %e = elemwise.exp %y : tensor<?xf64>
  %2 = elemwise.mul %y, %e : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %3 = elemwise.true_div %2, %e : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  func.return %1, %3 : tensor<?xf64>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @not_of_zero(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[Y:[^ ,:]+]]: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
// CHECK-NEXT: %[[S:.+]] = elemwise.sqr %[[Y]] : tensor<?xf64>
// CHECK-NEXT: %[[V0:.+]] = elemwise.mul %[[X]], %[[S]] : tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.true_div %[[V0]], %[[S]] : tensor<?xf64>
// CHECK-NEXT: func.return %[[V1]], %[[Y]] : tensor<?xf64>, tensor<?xf64>
// CHECK-NEXT: }
// -----

// x * f / f stays where the NaN of f would be lost. (log(exp(y)) is y.)

func.func @nan_must_stay(%x: tensor<?xf64>, %y: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
  %e = elemwise.exp %y : tensor<?xf64>
  %2 = elemwise.mul %x, %e : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %3 = elemwise.true_div %2, %e : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %l = elemwise.log %e : tensor<?xf64>
  func.return %3, %l : tensor<?xf64>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @nan_must_stay(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[Y:[^ ,:]+]]: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
// CHECK-NEXT: %[[E:.+]] = elemwise.exp %[[Y]] : tensor<?xf64>
// CHECK-NEXT: %[[V0:.+]] = elemwise.mul %[[X]], %[[E]] : tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.true_div %[[V0]], %[[E]] : tensor<?xf64>
// CHECK-NEXT: func.return %[[V1]], %[[Y]] : tensor<?xf64>, tensor<?xf64>
// CHECK-NEXT: }
// -----

// (G / s - sum(G / s * s)) * s is G - s * sum(G).

func.func @softmax_gradient(%z: tensor<?x?xf64>, %g: tensor<?x?xf64>) -> (tensor<?x?xf64>) {
  %s = tensor.softmax %z : tensor<?x?xf64>
  %0 = elemwise.true_div %g, %s : (tensor<?x?xf64>, tensor<?x?xf64>) -> tensor<?x?xf64>
  %1 = elemwise.mul %0, %s : (tensor<?x?xf64>, tensor<?x?xf64>) -> tensor<?x?xf64>
  %2 = tensor.reduce %1 {kind = "add", axes = array<i64: 1>} : (tensor<?x?xf64>) -> tensor<?xf64>
  %3 = tensor.dimshuffle %2 {order = array<i64: 0, -1>} : (tensor<?xf64>) -> tensor<?x1xf64>
  %4 = elemwise.sub %0, %3 : (tensor<?x?xf64>, tensor<?x1xf64>) -> tensor<?x?xf64>
  %5 = elemwise.mul %4, %s : (tensor<?x?xf64>, tensor<?x?xf64>) -> tensor<?x?xf64>
  func.return %5 : tensor<?x?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @softmax_gradient(
// CHECK-SAME: %[[Z:[^ ,:]+]]: tensor<?x?xf64>, %[[G:[^ ,:]+]]: tensor<?x?xf64>) -> tensor<?x?xf64> {
// CHECK-NEXT: %[[S:.+]] = tensor.softmax %[[Z]] : tensor<?x?xf64>
// CHECK-NEXT: %[[V0:.+]] = tensor.reduce %[[G]] {kind = "add", axes = array<i64: 1>} : (tensor<?x?xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = tensor.dimshuffle %[[V0]] {order = array<i64: 0, -1>} : (tensor<?xf64>) -> tensor<?x1xf64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.mul %[[S]], %[[V1]] : (tensor<?x?xf64>, tensor<?x1xf64>) -> tensor<?x?xf64>
// CHECK-NEXT: %[[V3:.+]] = elemwise.sub %[[G]], %[[V2]] : tensor<?x?xf64>
// CHECK-NEXT: func.return %[[V3]] : tensor<?x?xf64>
// CHECK-NEXT: }
// -----

// The same in float32, whose sums are taken in float64.

func.func @softmax_gradient_of_float32(%z: tensor<?x?xf32>, %g: tensor<?x?xf32>) -> (tensor<?x?xf32>) {
  %s = tensor.softmax %z : tensor<?x?xf32>
  %0 = elemwise.true_div %g, %s : (tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  %1 = elemwise.mul %0, %s : (tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  %2 = elemwise.cast %1 {dtype = f64} : (tensor<?x?xf32>) -> tensor<?x?xf64>
  %3 = tensor.reduce %2 {kind = "add", axes = array<i64: 1>} : (tensor<?x?xf64>) -> tensor<?xf64>
  %4 = elemwise.cast %3 {dtype = f32} : (tensor<?xf64>) -> tensor<?xf32>
  %5 = tensor.dimshuffle %4 {order = array<i64: 0, -1>} : (tensor<?xf32>) -> tensor<?x1xf32>
  %6 = elemwise.sub %0, %5 : (tensor<?x?xf32>, tensor<?x1xf32>) -> tensor<?x?xf32>
  %7 = elemwise.mul %6, %s : (tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  func.return %7 : tensor<?x?xf32>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @softmax_gradient_of_float32(
// CHECK-SAME: %[[Z:[^ ,:]+]]: tensor<?x?xf32>, %[[G:[^ ,:]+]]: tensor<?x?xf32>) -> tensor<?x?xf32> {
// CHECK-NEXT: %[[S:.+]] = tensor.softmax %[[Z]] : tensor<?x?xf32>
// CHECK-NEXT: %[[V0:.+]] = elemwise.cast %[[G]] {dtype = f64} : (tensor<?x?xf32>) -> tensor<?x?xf64>
// CHECK-NEXT: %[[V1:.+]] = tensor.reduce %[[V0]] {kind = "add", axes = array<i64: 1>} : (tensor<?x?xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.cast %[[V1]] {dtype = f32} : (tensor<?xf64>) -> tensor<?xf32>
// CHECK-NEXT: %[[V3:.+]] = tensor.dimshuffle %[[V2]] {order = array<i64: 0, -1>} : (tensor<?xf32>) -> tensor<?x1xf32>
// CHECK-NEXT: %[[V4:.+]] = elemwise.mul %[[S]], %[[V3]] : (tensor<?x?xf32>, tensor<?x1xf32>) -> tensor<?x?xf32>
// CHECK-NEXT: %[[V5:.+]] = elemwise.sub %[[G]], %[[V4]] : tensor<?x?xf32>
// CHECK-NEXT: func.return %[[V5]] : tensor<?x?xf32>
// CHECK-NEXT: }
