// RUN: tt-opt %s -p canonicalize --split-input-file | filecheck %s

// Constants move to the right of commutative operations and comparisons, not of a difference.

func.func @constants_on_the_right(%x: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xi1>, tensor<?xf64>) {
  %c = elemwise.constant 2.0 : tensor<1xf64>
  %0 = elemwise.mul %c, %x : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
  %1 = elemwise.lt %c, %x : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xi1>
  %2 = elemwise.sub %c, %x : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
  func.return %0, %1, %2 : tensor<?xf64>, tensor<?xi1>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @constants_on_the_right(
// CHECK-SAME: %[[X:.+]]: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xi1>, tensor<?xf64>) {
// CHECK-NEXT: %[[C:.+]] = elemwise.constant 2.000000e+00 : tensor<1xf64>
// CHECK-NEXT: %[[V0:.+]] = elemwise.mul %[[X]], %[[C]] : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.gt %[[X]], %[[C]] : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xi1>
// CHECK-NEXT: %[[V2:.+]] = elemwise.sub %[[C]], %[[X]] : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
// CHECK-NEXT: func.return %[[V0]], %[[V1]], %[[V2]] : tensor<?xf64>, tensor<?xi1>, tensor<?xf64>
// CHECK-NEXT: }
// -----

// x * 1, x / 1, x ** 1, x - 0.0, x + -0.0 are x.

func.func @neutral(%x: tensor<?xf64>) -> (tensor<?xf64>) {
  %c = elemwise.constant 1.0 : tensor<1xf64>
  %0 = elemwise.mul %x, %c : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %1 = elemwise.true_div %0, %c : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %2 = elemwise.pow %1, %c : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %z = elemwise.constant 0.0 : tensor<1xf64>
  %3 = elemwise.sub %2, %z : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %m = elemwise.constant -0.0 : tensor<1xf64>
  %4 = elemwise.add %3, %m : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  func.return %4 : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @neutral(
// CHECK-SAME: %[[X:.+]]: tensor<?xf64>) -> tensor<?xf64> {
// CHECK-NEXT: func.return %[[X]] : tensor<?xf64>
// CHECK-NEXT: }
// -----

// x + 0.0 is no -0.0, x * 0 and x - x may be NaN: they stay. exp(x) is never -0.0.

func.func @not_neutral(%x: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) {
  %z = elemwise.constant 0.0 : tensor<1xf64>
  %m = elemwise.constant -0.0 : tensor<1xf64>
  %0 = elemwise.add %x, %z : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %1 = elemwise.sub %x, %m : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %2 = elemwise.mul %x, %z : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %3 = elemwise.sub %x, %x : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %4 = elemwise.exp %x : tensor<?xf64>
  %5 = elemwise.add %4, %z : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  func.return %0, %1, %2, %3, %5 : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @not_neutral(
// CHECK-SAME: %[[X:.+]]: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) {
// CHECK-NEXT: %[[Z:.+]] = elemwise.constant 0.000000e+00 : tensor<1xf64>
// CHECK-NEXT: %[[M:.+]] = elemwise.constant -0.000000e+00 : tensor<1xf64>
// CHECK-NEXT: %[[V0:.+]] = elemwise.add %[[X]], %[[Z]] : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.sub %[[X]], %[[M]] : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.mul %[[X]], %[[Z]] : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V3:.+]] = elemwise.sub %[[X]], %[[X]] : tensor<?xf64>
// CHECK-NEXT: %[[V4:.+]] = elemwise.exp %[[X]] : tensor<?xf64>
// CHECK-NEXT: func.return %[[V0]], %[[V1]], %[[V2]], %[[V3]], %[[V4]] : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
// CHECK-NEXT: }
// -----

// Of integers x + 0 and x // 1 are x, and -(a - b) is b - a.

func.func @integers(%n: tensor<?xi32>) -> (tensor<?xi32>) {
  %z = elemwise.constant 0 : tensor<1xi32>
  %o = elemwise.constant 1 : tensor<1xi32>
  %0 = elemwise.add %n, %z : (tensor<?xi32>, tensor<1xi32>) -> tensor<?xi32>
  %1 = elemwise.int_div %0, %o : (tensor<?xi32>, tensor<1xi32>) -> tensor<?xi32>
  %2 = elemwise.sub %1, %n : (tensor<?xi32>, tensor<?xi32>) -> tensor<?xi32>
  %3 = elemwise.neg %2 : tensor<?xi32>
  func.return %3 : tensor<?xi32>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @integers(
// CHECK-SAME: %[[N:.+]]: tensor<?xi32>) -> tensor<?xi32> {
// CHECK-NEXT: %[[V0:.+]] = elemwise.sub %[[N]], %[[N]] : tensor<?xi32>
// CHECK-NEXT: func.return %[[V0]] : tensor<?xi32>
// CHECK-NEXT: }
// -----

// x // 1 of floats is floor(x). (The repeated neg goes.)

func.func @integer_division_of_floats(%x: tensor<?xf64>) -> (tensor<?xf64>) {
  %o = elemwise.constant 1.0 : tensor<1xf64>
  %0 = elemwise.int_div %x, %o : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %1 = elemwise.neg %0 : tensor<?xf64>
  %2 = elemwise.neg %1 : tensor<?xf64>
  func.return %2 : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @integer_division_of_floats(
// CHECK-SAME: %[[X:.+]]: tensor<?xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[O:.+]] = elemwise.constant 1.000000e+00 : tensor<1xf64>
// CHECK-NEXT: %[[V0:.+]] = elemwise.int_div %[[X]], %[[O]] : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
// CHECK-NEXT: func.return %[[V0]] : tensor<?xf64>
// CHECK-NEXT: }
// -----

// x ** 2 and x * x are sqr(x), x ** -1 is 1 / x; x ** 0.5 is no root (of -inf and -0.0).

func.func @powers(%x: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) {
  %t = elemwise.constant 2.0 : tensor<1xf64>
  %m = elemwise.constant -1.0 : tensor<1xf64>
  %h = elemwise.constant 0.5 : tensor<1xf64>
  %0 = elemwise.pow %x, %t : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %1 = elemwise.pow %x, %m : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %2 = elemwise.pow %x, %h : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %3 = elemwise.mul %x, %x : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  func.return %0, %1, %2, %3 : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @powers(
// CHECK-SAME: %[[X:.+]]: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) {
// CHECK-NEXT: %[[H:.+]] = elemwise.constant 5.000000e-01 : tensor<1xf64>
// CHECK-NEXT: %[[V0:.+]] = elemwise.sqr %[[X]] : tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.constant 1.000000e+00 : tensor<1xf64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.true_div %[[V1]], %[[X]] : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V3:.+]] = elemwise.pow %[[X]], %[[H]] : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V4:.+]] = elemwise.sqr %[[X]] : tensor<?xf64>
// CHECK-NEXT: func.return %[[V0]], %[[V2]], %[[V3]], %[[V4]] : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
// CHECK-NEXT: }
// -----

// A division by a power of two is a product; by 3 or by a subnormal number it stays; by -1 it negates.

func.func @division_by_constants(%x: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) {
  %f = elemwise.constant 4.0 : tensor<1xf64>
  %t = elemwise.constant 3.0 : tensor<1xf64>
  %s = elemwise.constant 1.0e-310 : tensor<1xf64>
  %m = elemwise.constant -1.0 : tensor<1xf64>
  %0 = elemwise.true_div %x, %f : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %1 = elemwise.true_div %x, %t : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %2 = elemwise.true_div %x, %s : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %3 = elemwise.true_div %x, %m : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  func.return %0, %1, %2, %3 : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @division_by_constants(
// CHECK-SAME: %[[X:.+]]: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) {
// CHECK-NEXT: %[[T:.+]] = elemwise.constant 3.000000e+00 : tensor<1xf64>
// CHECK-NEXT: %[[S:.+]] = elemwise.constant 1.000000e-310 : tensor<1xf64>
// CHECK-NEXT: %[[V0:.+]] = elemwise.constant 2.500000e-01 : tensor<1xf64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.mul %[[X]], %[[V0]] : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.true_div %[[X]], %[[T]] : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V3:.+]] = elemwise.true_div %[[X]], %[[S]] : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V4:.+]] = elemwise.neg %[[X]] : tensor<?xf64>
// CHECK-NEXT: func.return %[[V1]], %[[V2]], %[[V3]], %[[V4]] : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
// CHECK-NEXT: }
// -----

// Negations leave products and vanish in sums.

func.func @negations(%x: tensor<?xf64>, %y: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) {
  %a = elemwise.neg %x : tensor<?xf64>
  %b = elemwise.neg %y : tensor<?xf64>
  %0 = elemwise.mul %a, %b : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %1 = elemwise.mul %a, %y : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %2 = elemwise.true_div %x, %b : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %3 = elemwise.add %x, %b : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %4 = elemwise.sub %x, %b : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %5 = elemwise.add %a, %y : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  func.return %0, %1, %2, %3, %4, %5 : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @negations(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[Y:[^ ,:]+]]: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) {
// CHECK-NEXT: %[[V0:.+]] = elemwise.mul %[[X]], %[[Y]] : tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.mul %[[X]], %[[Y]] : tensor<?xf64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.neg %[[V1]] : tensor<?xf64>
// CHECK-NEXT: %[[V3:.+]] = elemwise.true_div %[[X]], %[[Y]] : tensor<?xf64>
// CHECK-NEXT: %[[V4:.+]] = elemwise.neg %[[V3]] : tensor<?xf64>
// CHECK-NEXT: %[[V5:.+]] = elemwise.sub %[[X]], %[[Y]] : tensor<?xf64>
// CHECK-NEXT: %[[V6:.+]] = elemwise.add %[[X]], %[[Y]] : tensor<?xf64>
// CHECK-NEXT: %[[V7:.+]] = elemwise.sub %[[Y]], %[[X]] : tensor<?xf64>
// CHECK-NEXT: func.return %[[V0]], %[[V2]], %[[V4]], %[[V5]], %[[V6]], %[[V7]] : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
// CHECK-NEXT: }
// -----

// (-x) - y and -(x - y) stay: a zero would change its sign.

func.func @negations_stay(%x: tensor<?xf64>, %y: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
  %a = elemwise.neg %x : tensor<?xf64>
  %0 = elemwise.sub %a, %y : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %1 = elemwise.sub %x, %y : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %2 = elemwise.neg %1 : tensor<?xf64>
  func.return %0, %2 : tensor<?xf64>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @negations_stay(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[Y:[^ ,:]+]]: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
// CHECK-NEXT: %[[A:.+]] = elemwise.neg %[[X]] : tensor<?xf64>
// CHECK-NEXT: %[[V0:.+]] = elemwise.sub %[[A]], %[[Y]] : tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.sub %[[X]], %[[Y]] : tensor<?xf64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.neg %[[V1]] : tensor<?xf64>
// CHECK-NEXT: func.return %[[V0]], %[[V2]] : tensor<?xf64>, tensor<?xf64>
// CHECK-NEXT: }
// -----

// A constant takes the sign; squares and absolute values lose it.

func.func @negated_factors(%x: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) {
  %c = elemwise.constant 3.0 : tensor<1xf64>
  %a = elemwise.neg %x : tensor<?xf64>
  %0 = elemwise.mul %a, %c : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %1 = elemwise.true_div %x, %c : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %2 = elemwise.neg %1 : tensor<?xf64>
  %3 = elemwise.sqr %a : tensor<?xf64>
  %4 = elemwise.abs %a : tensor<?xf64>
  func.return %0, %2, %3, %4 : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @negated_factors(
// CHECK-SAME: %[[X:.+]]: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) {
// CHECK-NEXT: %[[V0:.+]] = elemwise.constant -3.000000e+00 : tensor<1xf64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.mul %[[X]], %[[V0]] : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.constant -3.000000e+00 : tensor<1xf64>
// CHECK-NEXT: %[[V3:.+]] = elemwise.true_div %[[X]], %[[V2]] : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V4:.+]] = elemwise.sqr %[[X]] : tensor<?xf64>
// CHECK-NEXT: %[[V5:.+]] = elemwise.abs %[[X]] : tensor<?xf64>
// CHECK-NEXT: func.return %[[V1]], %[[V3]], %[[V4]], %[[V5]] : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
// CHECK-NEXT: }
// -----

// Casts behind one that loses nothing meet; int64 -> float64 loses.

func.func @casts(%f: tensor<?xf32>, %k: tensor<?xi64>, %b: tensor<?xi1>) -> (tensor<?xf32>, tensor<?xf64>, tensor<?xi64>) {
  %0 = elemwise.cast %f {dtype = f64} : (tensor<?xf32>) -> tensor<?xf64>
  %1 = elemwise.cast %0 {dtype = f32} : (tensor<?xf64>) -> tensor<?xf32>
  %2 = elemwise.cast %b {dtype = i8} : (tensor<?xi1>) -> tensor<?xi8>
  %3 = elemwise.cast %2 {dtype = f64} : (tensor<?xi8>) -> tensor<?xf64>
  %4 = elemwise.cast %k {dtype = f64} : (tensor<?xi64>) -> tensor<?xf64>
  %5 = elemwise.cast %4 {dtype = i64} : (tensor<?xf64>) -> tensor<?xi64>
  func.return %1, %3, %5 : tensor<?xf32>, tensor<?xf64>, tensor<?xi64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @casts(
// CHECK-SAME: %[[F:[^ ,:]+]]: tensor<?xf32>, %[[K:[^ ,:]+]]: tensor<?xi64>, %[[B:[^ ,:]+]]: tensor<?xi1>) -> (tensor<?xf32>, tensor<?xf64>, tensor<?xi64>) {
// CHECK-NEXT: %[[V0:.+]] = elemwise.cast %[[B]] {dtype = f64} : (tensor<?xi1>) -> tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.cast %[[K]] {dtype = f64} : (tensor<?xi64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.cast %[[V1]] {dtype = i64} : (tensor<?xf64>) -> tensor<?xi64>
// CHECK-NEXT: func.return %[[F]], %[[V0]], %[[V2]] : tensor<?xf32>, tensor<?xf64>, tensor<?xi64>
// CHECK-NEXT: }
// -----

// Constants take dimshuffles and casts into themselves.

func.func @cast_constant() -> (tensor<1x1xf64>, tensor<i8>) {
  %0 = elemwise.constant 1 : tensor<i8>
  %1 = tensor.dimshuffle %0 {order = array<i64: -1, -1>} : (tensor<i8>) -> tensor<1x1xi8>
  %2 = elemwise.cast %1 {dtype = f64} : (tensor<1x1xi8>) -> tensor<1x1xf64>
  %3 = elemwise.constant 300 : tensor<i32>
  %4 = elemwise.cast %3 {dtype = i8} : (tensor<i32>) -> tensor<i8>
  func.return %2, %4 : tensor<1x1xf64>, tensor<i8>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @cast_constant(
// CHECK-SAME: ) -> (tensor<1x1xf64>, tensor<i8>) {
// CHECK-NEXT: %[[V0:.+]] = elemwise.constant 1.000000e+00 : tensor<1x1xf64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.constant 44 : tensor<i8>
// CHECK-NEXT: func.return %[[V0]], %[[V1]] : tensor<1x1xf64>, tensor<i8>
// CHECK-NEXT: }
// -----

// Arithmetic of truth values is logic; ~(a == b) is a != b; switch(~c, a, b) exchanges.

func.func @bools(%b: tensor<?xi1>, %c: tensor<?xi1>) -> (tensor<?xi1>, tensor<?xi1>) {
  %0 = elemwise.add %b, %c : (tensor<?xi1>, tensor<?xi1>) -> tensor<?xi1>
  %1 = elemwise.mul %0, %c : (tensor<?xi1>, tensor<?xi1>) -> tensor<?xi1>
  %z = elemwise.constant false : tensor<1xi1>
  %2 = elemwise.neq %1, %z : (tensor<?xi1>, tensor<1xi1>) -> tensor<?xi1>
  %3 = elemwise.eq %2, %c : (tensor<?xi1>, tensor<?xi1>) -> tensor<?xi1>
  %4 = elemwise.invert %3 : tensor<?xi1>
  %5 = elemwise.switch %4, %b, %c : (tensor<?xi1>, tensor<?xi1>, tensor<?xi1>) -> tensor<?xi1>
  %6 = elemwise.invert %b : tensor<?xi1>
  %7 = elemwise.switch %6, %b, %5 : (tensor<?xi1>, tensor<?xi1>, tensor<?xi1>) -> tensor<?xi1>
  func.return %5, %7 : tensor<?xi1>, tensor<?xi1>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @bools(
// CHECK-SAME: %[[B:[^ ,:]+]]: tensor<?xi1>, %[[C:[^ ,:]+]]: tensor<?xi1>) -> (tensor<?xi1>, tensor<?xi1>) {
// CHECK-NEXT: %[[V0:.+]] = elemwise.or %[[B]], %[[C]] : tensor<?xi1>
// CHECK-NEXT: %[[V1:.+]] = elemwise.and %[[V0]], %[[C]] : tensor<?xi1>
// CHECK-NEXT: %[[V2:.+]] = elemwise.neq %[[V1]], %[[C]] : tensor<?xi1>
// CHECK-NEXT: %[[V3:.+]] = elemwise.switch %[[V2]], %[[B]], %[[C]] : tensor<?xi1>
// CHECK-NEXT: %[[V4:.+]] = elemwise.switch %[[B]], %[[V3]], %[[B]] : tensor<?xi1>
// CHECK-NEXT: func.return %[[V3]], %[[V4]] : tensor<?xi1>, tensor<?xi1>
// CHECK-NEXT: }
// -----

// ~(x < y) is no x >= y: of a NaN both are false. (The cast of a cast goes.)

func.func @comparison_inverted(%x: tensor<?xf64>, %y: tensor<?xf64>) -> (tensor<?xi1>) {
  %0 = elemwise.lt %x, %y : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xi1>
  %1 = elemwise.invert %0 : tensor<?xi1>
  %2 = elemwise.cast %1 {dtype = i1} : tensor<?xi1>
  func.return %2 : tensor<?xi1>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @comparison_inverted(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[Y:[^ ,:]+]]: tensor<?xf64>) -> tensor<?xi1> {
// CHECK-NEXT: %[[V0:.+]] = elemwise.lt %[[X]], %[[Y]] : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xi1>
// CHECK-NEXT: %[[V1:.+]] = elemwise.invert %[[V0]] : tensor<?xi1>
// CHECK-NEXT: func.return %[[V1]] : tensor<?xi1>
// CHECK-NEXT: }
