// RUN: tt-opt %s -p hoist-checks --split-input-file | filecheck %s

// An elementwise operation needs equal sizes; static 1 broadcasts and needs none.
func.func @elementwise(%x: tensor<?x?xf64>, %y: tensor<1x?xf64>) -> tensor<?x?xf64> {
  %0 = elemwise.add %x, %y : (tensor<?x?xf64>, tensor<1x?xf64>) -> tensor<?x?xf64>
  func.return %0 : tensor<?x?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @elementwise(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?x?xf64>, %[[Y:[^ ,:]+]]: tensor<1x?xf64>) -> tensor<?x?xf64> {
// CHECK-NEXT: %[[V0:.+]] = tensor.size %[[X]] {dim = 1 : i64} : (tensor<?x?xf64>) -> tensor<i64>
// CHECK-NEXT: %[[V1:.+]] = tensor.size %[[Y]] {dim = 1 : i64} : (tensor<1x?xf64>) -> tensor<i64>
// CHECK-NEXT: tensor.check_equal %[[V0]], %[[V1]] {message = "Input dimension mis-match. (input[0].shape[1] = {0}, input[1].shape[1] = {1})"} : (tensor<i64>, tensor<i64>) -> ()
// CHECK-NEXT: %[[V2:.+]] = elemwise.add %[[X]], %[[Y]] : (tensor<?x?xf64>, tensor<1x?xf64>) -> tensor<?x?xf64>
// CHECK-NEXT: func.return %[[V2]] : tensor<?x?xf64>
// CHECK-NEXT: }
// -----

// The second operation's equation follows from the first one's: one check.
func.func @implied(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %0 = elemwise.add %x, %y : tensor<?xf64>
  %1 = elemwise.exp %x : tensor<?xf64>
  %2 = elemwise.mul %1, %y : tensor<?xf64>
  %3 = elemwise.sub %0, %2 : tensor<?xf64>
  func.return %3 : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @implied(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[Y:[^ ,:]+]]: tensor<?xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V0:.+]] = tensor.size %[[X]] {dim = 0 : i64} : (tensor<?xf64>) -> tensor<i64>
// CHECK-NEXT: %[[V1:.+]] = tensor.size %[[Y]] {dim = 0 : i64} : (tensor<?xf64>) -> tensor<i64>
// CHECK-NEXT: tensor.check_equal %[[V0]], %[[V1]] {message = "Input dimension mis-match. (input[0].shape[0] = {0}, input[1].shape[0] = {1})"} : (tensor<i64>, tensor<i64>) -> ()
// CHECK-NEXT: %[[V2:.+]] = elemwise.add %[[X]], %[[Y]] : tensor<?xf64>
// CHECK-NEXT: %[[V3:.+]] = elemwise.exp %[[X]] : tensor<?xf64>
// CHECK-NEXT: %[[V4:.+]] = elemwise.mul %[[V3]], %[[Y]] : tensor<?xf64>
// CHECK-NEXT: %[[V5:.+]] = elemwise.sub %[[V2]], %[[V4]] : tensor<?xf64>
// CHECK-NEXT: func.return %[[V5]] : tensor<?xf64>
// CHECK-NEXT: }
// -----

// A product's inner sizes; what comes out has sizes of the operands.
func.func @product(%x: tensor<?x?xf64>, %w: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %0 = tensor.dot %x, %w : (tensor<?x?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %1 = elemwise.sub %0, %y : tensor<?xf64>
  func.return %1 : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @product(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?x?xf64>, %[[W:[^ ,:]+]]: tensor<?xf64>, %[[Y:[^ ,:]+]]: tensor<?xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V0:.+]] = tensor.size %[[X]] {dim = 1 : i64} : (tensor<?x?xf64>) -> tensor<i64>
// CHECK-NEXT: %[[V1:.+]] = tensor.size %[[W]] {dim = 0 : i64} : (tensor<?xf64>) -> tensor<i64>
// CHECK-NEXT: tensor.check_equal %[[V0]], %[[V1]] {message = "shapes not aligned: {0} (dim 1) != {1} (dim 0)"} : (tensor<i64>, tensor<i64>) -> ()
// CHECK-NEXT: %[[V2:.+]] = tensor.size %[[X]] {dim = 0 : i64} : (tensor<?x?xf64>) -> tensor<i64>
// CHECK-NEXT: %[[V3:.+]] = tensor.size %[[Y]] {dim = 0 : i64} : (tensor<?xf64>) -> tensor<i64>
// CHECK-NEXT: tensor.check_equal %[[V2]], %[[V3]] {message = "Input dimension mis-match. (input[0].shape[0] = {0}, input[1].shape[0] = {1})"} : (tensor<i64>, tensor<i64>) -> ()
// CHECK-NEXT: %[[V4:.+]] = tensor.dot %[[X]], %[[W]] : (tensor<?x?xf64>, tensor<?xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V5:.+]] = elemwise.sub %[[V4]], %[[Y]] : tensor<?xf64>
// CHECK-NEXT: func.return %[[V5]] : tensor<?xf64>
// CHECK-NEXT: }
// -----

// A fill of x's own size needs no check, and sizes of one operation none either.
func.func @nothing_to_check(%x: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %zero = elemwise.constant 0.0 : tensor<f64>
  %n = tensor.size %x {dim = 0} : (tensor<?x?xf64>) -> tensor<i64>
  %m = tensor.size %x {dim = 1} : (tensor<?x?xf64>) -> tensor<i64>
  %0 = tensor.alloc %zero, %n, %m {ones = array<i64>} : (tensor<f64>, tensor<i64>, tensor<i64>) -> tensor<?x?xf64>
  %1 = tensor.dimshuffle %x {order = array<i64: 1, 0>} : tensor<?x?xf64>
  %2 = tensor.dimshuffle %1 {order = array<i64: 1, 0>} : tensor<?x?xf64>
  %3 = elemwise.add %0, %2 : tensor<?x?xf64>
  func.return %3 : tensor<?x?xf64>
}
// CHECK-LABEL: func.func @nothing_to_check
// CHECK-NOT: tensor.check_equal

// -----

// A size computed from integer arguments is computed again at the entry.
func.func @computed_size(%x: tensor<?xf64>, %n: tensor<i64>) -> tensor<?xf64> {
  %e = elemwise.exp %x : tensor<?xf64>
  %two = elemwise.constant 2 : tensor<i64>
  %m = elemwise.mul %n, %two : tensor<i64>
  %s = tensor.subtensor %e, %n {slices = ":@"} : (tensor<?xf64>, tensor<i64>) -> tensor<?xf64>
  %t = tensor.arange %two, %m, %two {dtype = f64} : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xf64>
  %0 = elemwise.add %s, %t : tensor<?xf64>
  func.return %0 : tensor<?xf64>
}
// CHECK-LABEL: func.func @computed_size
// CHECK: tensor.check_equal {{.*}} {message = "Input dimension mis-match. (input[0].shape[0] = {0}, input[1].shape[0] = {1})"}
// CHECK-NEXT: elemwise.exp

// -----

// A size from an array's elements is known only behind them.
func.func @late(%x: tensor<?xf64>, %y: tensor<?xf64>, %i: tensor<?xi64>) -> tensor<?xf64> {
  %n = tensor.reduce %i {kind = "add", axes = array<i64: 0>} : (tensor<?xi64>) -> tensor<i64>
  %s = tensor.subtensor %x, %n {slices = ":@"} : (tensor<?xf64>, tensor<i64>) -> tensor<?xf64>
  %0 = elemwise.add %s, %y : tensor<?xf64>
  func.return %0 : tensor<?xf64>
}
// CHECK-LABEL: func.func @late
// CHECK: tensor.reduce
// CHECK: tensor.check_equal
// CHECK: tensor.subtensor

// -----

// A maximum needs an element, wherever there is a result.
func.func @maximum(%x: tensor<?x?xf64>) -> tensor<?xf64> {
  %0 = tensor.reduce %x {kind = "max", axes = array<i64: 1>} : (tensor<?x?xf64>) -> tensor<?xf64>
  func.return %0 : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @maximum(
// CHECK-SAME: %[[X:.+]]: tensor<?x?xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V0:.+]] = elemwise.constant 1 : tensor<i64>
// CHECK-NEXT: %[[V1:.+]] = tensor.size %[[X]] {dim = 1 : i64} : (tensor<?x?xf64>) -> tensor<i64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.minimum %[[V1]], %[[V0]] : tensor<i64>
// CHECK-NEXT: tensor.check_equal %[[V2]], %[[V0]] {message = "zero-size array to reduction operation maximum which has no identity"} : (tensor<i64>, tensor<i64>) -> ()
// CHECK-NEXT: %[[V3:.+]] = tensor.reduce %[[X]] {kind = "max", axes = array<i64: 1>} : (tensor<?x?xf64>) -> tensor<?xf64>
// CHECK-NEXT: func.return %[[V3]] : tensor<?xf64>
// CHECK-NEXT: }
// -----

// Index vectors of two lengths are an IndexError, as in NumPy.
func.func @index_vectors(%x: tensor<?x?xf64>, %i: tensor<?xi64>, %j: tensor<?xi64>) -> tensor<?xf64> {
  %0 = tensor.advanced_subtensor %x, %i, %j : (tensor<?x?xf64>, tensor<?xi64>, tensor<?xi64>) -> tensor<?xf64>
  func.return %0 : tensor<?xf64>
}
// CHECK-LABEL: func.func @index_vectors
// CHECK: tensor.check_equal {{.*}} {message = "shape mismatch: indexing arrays could not be broadcast together with shapes ({0},) ({1},)", kind = "IndexError"}

// -----

// A check of the program that an earlier one implies goes, whatever it says.
func.func @merged(%x: tensor<?xf64>, %y: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %n = tensor.size %x {dim = 0} : (tensor<?xf64>) -> tensor<i64>
  %m = tensor.size %y {dim = 0} : (tensor<?xf64>) -> tensor<i64>
  %k = tensor.size %z {dim = 0} : (tensor<?xf64>) -> tensor<i64>
  tensor.check_equal %n, %m {message = "first"} : (tensor<i64>, tensor<i64>) -> ()
  tensor.check_equal %m, %k {message = "second"} : (tensor<i64>, tensor<i64>) -> ()
  tensor.check_equal %n, %k {message = "implied"} : (tensor<i64>, tensor<i64>) -> ()
  %0 = elemwise.add %x, %z : tensor<?xf64>
  func.return %0 : tensor<?xf64>
}
// CHECK-LABEL: func.func @merged
// CHECK: message = "first"
// CHECK-NEXT: message = "second"
// CHECK-NOT: tensor.check_equal

// -----

// A check that stands late although its sizes are known at the entry moves there.
func.func @late(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %0 = elemwise.exp %x : tensor<?xf64>
  %n = tensor.size %0 {dim = 0} : (tensor<?xf64>) -> tensor<i64>
  %m = tensor.size %y {dim = 0} : (tensor<?xf64>) -> tensor<i64>
  tensor.check_equal %n, %m {message = "late"} : (tensor<i64>, tensor<i64>) -> ()
  func.return %0 : tensor<?xf64>
}
// CHECK-LABEL: func.func @late
// CHECK: tensor.check_equal
// CHECK: elemwise.exp
// CHECK-NOT: tensor.check_equal

// -----

// The equation of an operation that nobody reads is checked too.
func.func @unread(%x: tensor<?x?xf64>, %w: tensor<?xf64>) -> tensor<i64> {
  %0 = tensor.dot %x, %w : (tensor<?x?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %n = tensor.size %0 {dim = 0} : (tensor<?xf64>) -> tensor<i64>
  func.return %n : tensor<i64>
}
// CHECK-LABEL: func.func @unread
// CHECK: tensor.check_equal {{.*}}shapes not aligned

// -----

// A range's step is not 0; elements of a computed vector are computed from those of arguments.
func.func @numbers(%x: tensor<?xf64>, %z: tensor<?xi64>, %s: tensor<f64>) -> (tensor<?xf64>, tensor<?x?xf64>) {
  %zero = elemwise.constant 0.0 : tensor<f64>
  %one = elemwise.constant 1.0 : tensor<f64>
  %two = elemwise.constant 2 : tensor<1xi64>
  %0 = tensor.arange %zero, %one, %s {dtype = f64} : (tensor<f64>, tensor<f64>, tensor<f64>) -> tensor<?xf64>
  %1 = elemwise.mul %z, %two : (tensor<?xi64>, tensor<1xi64>) -> tensor<?xi64>
  %2 = tensor.reshape_to %x, %1 {ndim = 2, ones = array<i64>} : (tensor<?xf64>, tensor<?xi64>) -> tensor<?x?xf64>
  func.return %0, %2 : tensor<?xf64>, tensor<?x?xf64>
}
// CHECK-LABEL: func.func @numbers(%x: {{.*}}, %z: {{.*}}, %s:
// CHECK: %[[STEP:.+]] = elemwise.eq %s, %{{.+}}
// CHECK: %[[ZERO:.+]] = elemwise.cast %[[STEP]] {dtype = i64}
// CHECK: tensor.check_equal %[[ZERO]], {{.*}}Maximum allowed size exceeded
// CHECK: %[[FIRST:.+]] = tensor.subtensor %z {slices = "0"}
// CHECK: elemwise.mul %[[FIRST]], %{{.+}} : tensor<i64>
// CHECK: elemwise.mul %z
