// RUN: tt-opt %s -p canonicalize --split-input-file | filecheck %s

// Dimshuffles meet; the identity goes.

func.func @dimshuffles(%x: tensor<?x?xf64>) -> (tensor<?x?xf64>, tensor<?x?x1xf64>) {
  %0 = tensor.dimshuffle %x {order = array<i64: 1, -1, 0>} : (tensor<?x?xf64>) -> tensor<?x1x?xf64>
  %1 = tensor.dimshuffle %0 {order = array<i64: 2, 0>} : (tensor<?x1x?xf64>) -> tensor<?x?xf64>
  %2 = tensor.dimshuffle %0 {order = array<i64: 2, 0, -1>} : (tensor<?x1x?xf64>) -> tensor<?x?x1xf64>
  func.return %1, %2 : tensor<?x?xf64>, tensor<?x?x1xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @dimshuffles(
// CHECK-SAME: %[[X:.+]]: tensor<?x?xf64>) -> (tensor<?x?xf64>, tensor<?x?x1xf64>) {
// CHECK-NEXT: %[[V0:.+]] = tensor.dimshuffle %[[X]] {order = array<i64: 0, 1, -1>} : (tensor<?x?xf64>) -> tensor<?x?x1xf64>
// CHECK-NEXT: func.return %[[X]], %[[V0]] : tensor<?x?xf64>, tensor<?x?x1xf64>
// CHECK-NEXT: }
// -----

// A size is asked of the argument that it comes from; a static one is a number.

func.func @sizes(%x: tensor<?x?xf64>, %w: tensor<?xf64>) -> (tensor<i64>, tensor<i64>, tensor<i64>) {
  %0 = tensor.dot %x, %w : (tensor<?x?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %1 = elemwise.exp %0 : tensor<?xf64>
  %2 = tensor.shape %1 : (tensor<?xf64>) -> tensor<?xi64>
  %3 = tensor.subtensor %2 {slices = "0"} : (tensor<?xi64>) -> tensor<i64>
  %4 = tensor.dimshuffle %1 {order = array<i64: -1, 0>} : (tensor<?xf64>) -> tensor<1x?xf64>
  %5 = tensor.size %4 {dim = 0 : i64} : (tensor<1x?xf64>) -> tensor<i64>
  %6 = tensor.size %4 {dim = 1 : i64} : (tensor<1x?xf64>) -> tensor<i64>
  func.return %3, %5, %6 : tensor<i64>, tensor<i64>, tensor<i64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @sizes(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?x?xf64>, %[[W:[^ ,:]+]]: tensor<?xf64>) -> (tensor<i64>, tensor<i64>, tensor<i64>) {
// CHECK-NEXT: %[[V0:.+]] = tensor.size %[[X]] {dim = 0 : i64} : (tensor<?x?xf64>) -> tensor<i64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.constant 1 : tensor<i64>
// CHECK-NEXT: %[[V2:.+]] = tensor.size %[[X]] {dim = 0 : i64} : (tensor<?x?xf64>) -> tensor<i64>
// CHECK-NEXT: func.return %[[V0]], %[[V1]], %[[V2]] : tensor<i64>, tensor<i64>, tensor<i64>
// CHECK-NEXT: }
// -----

// The product of a shape is one of sizes; a reshape to the own shape goes.

func.func @shapes(%x: tensor<?x?xf64>) -> (tensor<i64>, tensor<?x?xf64>) {
  %0 = tensor.shape %x : (tensor<?x?xf64>) -> tensor<?xi64>
  %1 = tensor.reduce %0 {kind = "mul", axes = array<i64: 0>} : (tensor<?xi64>) -> tensor<i64>
  %2 = tensor.reshape_to %x, %0 {ndim = 2 : i64, ones = array<i64>} : (tensor<?x?xf64>, tensor<?xi64>) -> tensor<?x?xf64>
  func.return %1, %2 : tensor<i64>, tensor<?x?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @shapes(
// CHECK-SAME: %[[X:.+]]: tensor<?x?xf64>) -> (tensor<i64>, tensor<?x?xf64>) {
// CHECK-NEXT: %[[V0:.+]] = tensor.size %[[X]] {dim = 0 : i64} : (tensor<?x?xf64>) -> tensor<i64>
// CHECK-NEXT: %[[V1:.+]] = tensor.size %[[X]] {dim = 1 : i64} : (tensor<?x?xf64>) -> tensor<i64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.mul %[[V0]], %[[V1]] : tensor<i64>
// CHECK-NEXT: func.return %[[V2]], %[[X]] : tensor<i64>, tensor<?x?xf64>
// CHECK-NEXT: }
// -----

// An index out of range stays, for its error at run time. (The negations go.)

func.func @out_of_range(%x: tensor<?xf64>) -> (tensor<i64>, tensor<?xf64>) {
  %0 = tensor.shape %x : (tensor<?xf64>) -> tensor<?xi64>
  %1 = tensor.subtensor %0 {slices = "1"} : (tensor<?xi64>) -> tensor<i64>
  %2 = elemwise.neg %x : tensor<?xf64>
  %3 = elemwise.neg %2 : tensor<?xf64>
  func.return %1, %3 : tensor<i64>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @out_of_range(
// CHECK-SAME: %[[X:.+]]: tensor<?xf64>) -> (tensor<i64>, tensor<?xf64>) {
// CHECK-NEXT: %[[V0:.+]] = tensor.shape %[[X]] : (tensor<?xf64>) -> tensor<?xi64>
// CHECK-NEXT: %[[V1:.+]] = tensor.subtensor %[[V0]] {slices = "1"} : (tensor<?xi64>) -> tensor<i64>
// CHECK-NEXT: func.return %[[V1]], %[[X]] : tensor<i64>, tensor<?xf64>
// CHECK-NEXT: }
// -----

// Elements and slices of a vector of scalars; the whole slice.

func.func @vectors(%n: tensor<i64>, %m: tensor<i64>) -> (tensor<i64>, tensor<?xi64>, tensor<?xi64>) {
  %0 = tensor.make_vector %n, %m, %n {dtype = i64} : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %1 = tensor.subtensor %0 {slices = "-2"} : (tensor<?xi64>) -> tensor<i64>
  %2 = tensor.subtensor %0 {slices = "1:"} : (tensor<?xi64>) -> tensor<?xi64>
  %3 = tensor.subtensor %0 {slices = ":"} : (tensor<?xi64>) -> tensor<?xi64>
  func.return %1, %2, %3 : tensor<i64>, tensor<?xi64>, tensor<?xi64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @vectors(
// CHECK-SAME: %[[N:[^ ,:]+]]: tensor<i64>, %[[M:[^ ,:]+]]: tensor<i64>) -> (tensor<i64>, tensor<?xi64>, tensor<?xi64>) {
// CHECK-NEXT: %[[V0:.+]] = tensor.make_vector %[[M]], %[[N]] {dtype = i64} : (tensor<i64>, tensor<i64>) -> tensor<?xi64>
// CHECK-NEXT: %[[V1:.+]] = tensor.make_vector %[[N]], %[[M]], %[[N]] {dtype = i64} : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
// CHECK-NEXT: func.return %[[M]], %[[V0]], %[[V1]] : tensor<i64>, tensor<?xi64>, tensor<?xi64>
// CHECK-NEXT: }
// -----

// Constant bounds become literals, others stay.

func.func @literal_bounds(%x: tensor<?xf64>, %k: tensor<i64>) -> (tensor<?xf64>) {
  %0 = elemwise.constant 3 : tensor<i64>
  %1 = tensor.subtensor %x, %0, %k {slices = "@:@"} : (tensor<?xf64>, tensor<i64>, tensor<i64>) -> tensor<?xf64>
  func.return %1 : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @literal_bounds(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[K:[^ ,:]+]]: tensor<i64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V0:.+]] = tensor.subtensor %[[X]], %[[K]] {slices = "3:@:"} : (tensor<?xf64>, tensor<i64>) -> tensor<?xf64>
// CHECK-NEXT: func.return %[[V0]] : tensor<?xf64>
// CHECK-NEXT: }
// -----

// A reshape of a reshape.

func.func @reshapes(%x: tensor<?x?xf64>, %s: tensor<?xi64>, %t: tensor<?xi64>) -> (tensor<?x?xf64>) {
  %0 = tensor.reshape_to %x, %s {ndim = 1 : i64, ones = array<i64>} : (tensor<?x?xf64>, tensor<?xi64>) -> tensor<?xf64>
  %1 = tensor.reshape_to %0, %t {ndim = 2 : i64, ones = array<i64>} : (tensor<?xf64>, tensor<?xi64>) -> tensor<?x?xf64>
  func.return %1 : tensor<?x?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @reshapes(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?x?xf64>, %[[S:[^ ,:]+]]: tensor<?xi64>, %[[T:[^ ,:]+]]: tensor<?xi64>) -> tensor<?x?xf64> {
// CHECK-NEXT: %[[V0:.+]] = tensor.reshape_to %[[X]], %[[T]] {ndim = 2 : i64, ones = array<i64>} : (tensor<?x?xf64>, tensor<?xi64>) -> tensor<?x?xf64>
// CHECK-NEXT: func.return %[[V0]] : tensor<?x?xf64>
// CHECK-NEXT: }
// -----

// Reductions of one element are none; maxima of maxima meet, sums of sums (which round) stay.

func.func @reductions(%x: tensor<?x1xf64>, %z: tensor<?x?xf64>) -> (tensor<?xf64>, tensor<?x?xf64>, tensor<f64>, tensor<f64>) {
  %0 = tensor.reduce %x {kind = "add", axes = array<i64: 1>} : (tensor<?x1xf64>) -> tensor<?xf64>
  %1 = tensor.reduce %z {kind = "add", axes = array<i64>} : (tensor<?x?xf64>) -> tensor<?x?xf64>
  %2 = tensor.reduce %z {kind = "max", axes = array<i64: 0>} : (tensor<?x?xf64>) -> tensor<?xf64>
  %3 = tensor.reduce %2 {kind = "max", axes = array<i64: 0>} : (tensor<?xf64>) -> tensor<f64>
  %4 = tensor.reduce %z {kind = "add", axes = array<i64: 0>} : (tensor<?x?xf64>) -> tensor<?xf64>
  %5 = tensor.reduce %4 {kind = "add", axes = array<i64: 0>} : (tensor<?xf64>) -> tensor<f64>
  func.return %0, %1, %3, %5 : tensor<?xf64>, tensor<?x?xf64>, tensor<f64>, tensor<f64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @reductions(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?x1xf64>, %[[Z:[^ ,:]+]]: tensor<?x?xf64>) -> (tensor<?xf64>, tensor<?x?xf64>, tensor<f64>, tensor<f64>) {
// CHECK-NEXT: %[[V0:.+]] = tensor.dimshuffle %[[X]] {order = array<i64: 0>} : (tensor<?x1xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.constant 0.000000e+00 : tensor<1xf64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.add %[[V0]], %[[V1]] : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V3:.+]] = elemwise.constant 0.000000e+00 : tensor<1x1xf64>
// CHECK-NEXT: %[[V4:.+]] = elemwise.add %[[Z]], %[[V3]] : (tensor<?x?xf64>, tensor<1x1xf64>) -> tensor<?x?xf64>
// CHECK-NEXT: %[[V5:.+]] = tensor.reduce %[[Z]] {kind = "max", axes = array<i64: 0, 1>} : (tensor<?x?xf64>) -> tensor<f64>
// CHECK-NEXT: %[[V6:.+]] = tensor.reduce %[[Z]] {kind = "add", axes = array<i64: 0>} : (tensor<?x?xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V7:.+]] = tensor.reduce %[[V6]] {kind = "add", axes = array<i64: 0>} : (tensor<?xf64>) -> tensor<f64>
// CHECK-NEXT: func.return %[[V2]], %[[V4]], %[[V5]], %[[V7]] : tensor<?xf64>, tensor<?x?xf64>, tensor<f64>, tensor<f64>
// CHECK-NEXT: }
// -----

// Reductions see through dimshuffles.

func.func @reduction_of_dimshuffle(%x: tensor<?x?xf64>) -> (tensor<?xf64>) {
  %0 = tensor.dimshuffle %x {order = array<i64: 1, -1, 0>} : (tensor<?x?xf64>) -> tensor<?x1x?xf64>
  %1 = tensor.reduce %0 {kind = "add", axes = array<i64: 0, 1>} : (tensor<?x1x?xf64>) -> tensor<?xf64>
  func.return %1 : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @reduction_of_dimshuffle(
// CHECK-SAME: %[[X:.+]]: tensor<?x?xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V0:.+]] = tensor.reduce %[[X]] {kind = "add", axes = array<i64: 1>} : (tensor<?x?xf64>) -> tensor<?xf64>
// CHECK-NEXT: func.return %[[V0]] : tensor<?xf64>
// CHECK-NEXT: }
// -----

// A check of a size against itself goes, of two arguments stays.

func.func @checks(%x: tensor<?xf64>, %y: tensor<?xf64>, %n: tensor<i64>) -> (tensor<?xf64>) {
  %0 = tensor.size %x {dim = 0 : i64} : (tensor<?xf64>) -> tensor<i64>
  %1 = elemwise.exp %x : tensor<?xf64>
  %2 = tensor.size %1 {dim = 0 : i64} : (tensor<?xf64>) -> tensor<i64>
  tensor.check_equal %0, %2 {message = "same"} : (tensor<i64>, tensor<i64>) -> ()
  %3 = tensor.size %y {dim = 0 : i64} : (tensor<?xf64>) -> tensor<i64>
  tensor.check_equal %0, %3 {message = "other"} : (tensor<i64>, tensor<i64>) -> ()
  func.return %1 : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @checks(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[Y:[^ ,:]+]]: tensor<?xf64>, %[[N:[^ ,:]+]]: tensor<i64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V0:.+]] = tensor.size %[[X]] {dim = 0 : i64} : (tensor<?xf64>) -> tensor<i64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.exp %[[X]] : tensor<?xf64>
// CHECK-NEXT: %[[V2:.+]] = tensor.size %[[Y]] {dim = 0 : i64} : (tensor<?xf64>) -> tensor<i64>
// CHECK-NEXT: tensor.check_equal %[[V0]], %[[V2]] {message = "other"} : (tensor<i64>, tensor<i64>) -> ()
// CHECK-NEXT: func.return %[[V1]] : tensor<?xf64>
// CHECK-NEXT: }
// -----

// The whole shape is that of the argument; an element of a cast vector is a cast element.

func.func @mean_sizes(%x: tensor<?xf64>) -> (tensor<?xi64>, tensor<f64>) {
  %0 = elemwise.exp %x : tensor<?xf64>
  %1 = tensor.shape %0 : (tensor<?xf64>) -> tensor<?xi64>
  %2 = elemwise.cast %1 {dtype = f64} : (tensor<?xi64>) -> tensor<?xf64>
  %3 = tensor.subtensor %2 {slices = "0"} : (tensor<?xf64>) -> tensor<f64>
  func.return %1, %3 : tensor<?xi64>, tensor<f64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @mean_sizes(
// CHECK-SAME: %[[X:.+]]: tensor<?xf64>) -> (tensor<?xi64>, tensor<f64>) {
// CHECK-NEXT: %[[V0:.+]] = tensor.shape %[[X]] : (tensor<?xf64>) -> tensor<?xi64>
// CHECK-NEXT: %[[V1:.+]] = tensor.size %[[X]] {dim = 0 : i64} : (tensor<?xf64>) -> tensor<i64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.cast %[[V1]] {dtype = f64} : (tensor<i64>) -> tensor<f64>
// CHECK-NEXT: func.return %[[V0]], %[[V2]] : tensor<?xi64>, tensor<f64>
// CHECK-NEXT: }
