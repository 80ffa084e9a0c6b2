// RUN: tt-opt %s -p move-indexing --split-input-file | filecheck %s

// A slice and an index go to the arguments; dimensions that an operand repeats are dropped, or stay.
// CHECK-LABEL: func.func @element
// CHECK: %[[X:.+]] = tensor.subtensor %x, %j {slices = "::, @", tt.apply = 3 : i64} : (tensor<?x?xf64>, tensor<i64>) -> tensor<?xf64>
// CHECK-NEXT: %[[S:.+]] = tensor.dimshuffle %s {order = array<i64: 0>}
// CHECK-NEXT: %[[A:.+]] = elemwise.add %[[X]], %[[S]] : tensor<?xf64>
// CHECK-NEXT: %[[R:.+]] = tensor.subtensor %r, %j {slices = "::, @", tt.apply = 3 : i64} : (tensor<1x?xf64>, tensor<i64>) -> tensor<1xf64>
// CHECK-NEXT: %[[B:.+]] = elemwise.mul %[[A]], %[[R]]
// CHECK-NEXT: func.return %[[B]]
func.func @element(%x: tensor<?x?xf64>, %s: tensor<?x1xf64>, %r: tensor<1x?xf64>, %j: tensor<i64>) -> tensor<?xf64> {
  %0 = elemwise.add %x, %s : (tensor<?x?xf64>, tensor<?x1xf64>) -> tensor<?x?xf64>
  %1 = elemwise.mul %0, %r : (tensor<?x?xf64>, tensor<1x?xf64>) -> tensor<?x?xf64>
  %2 = tensor.subtensor %1, %j {slices = ":, @", tt.apply = 3 : i64} : (tensor<?x?xf64>, tensor<i64>) -> tensor<?xf64>
  func.return %2 : tensor<?xf64>
}

// -----

// A range of rows: what has one row for all is not sliced; a factor that stands twice is sliced once.
// CHECK-LABEL: func.func @range
// CHECK: %[[X:.+]] = tensor.subtensor %x, %a {slices = "@:10:2"}
// CHECK: %[[Q:.+]] = elemwise.mul %[[X]], %[[X]]
// CHECK-NEXT: %[[A:.+]] = elemwise.add %[[Q]], %r
// CHECK-NEXT: func.return %[[A]]
func.func @range(%x: tensor<?x?xf64>, %r: tensor<1x?xf64>, %a: tensor<i64>) -> tensor<?x?xf64> {
  %0 = elemwise.mul %x, %x : tensor<?x?xf64>
  %1 = elemwise.add %0, %r : (tensor<?x?xf64>, tensor<1x?xf64>) -> tensor<?x?xf64>
  %2 = tensor.subtensor %1, %a {slices = "@:10:2"} : (tensor<?x?xf64>, tensor<i64>) -> tensor<?x?xf64>
  func.return %2 : tensor<?x?xf64>
}

// -----

// A dimension that is 1 for all is indexed in all: only 0 and -1 are in range.
// CHECK-LABEL: func.func @ones
// CHECK: %[[X:.+]] = tensor.subtensor %x, %a {slices = "@, ::-1"}
// CHECK-NEXT: %[[Y:.+]] = tensor.subtensor %y, %a {slices = "@, ::-1"}
// CHECK-NEXT: elemwise.sub %[[X]], %[[Y]]
func.func @ones(%x: tensor<1x?xf64>, %y: tensor<1x?xf64>, %a: tensor<i64>) -> tensor<?xf64> {
  %0 = elemwise.sub %x, %y : tensor<1x?xf64>
  %1 = tensor.subtensor %0, %a {slices = "@, ::-1"} : (tensor<1x?xf64>, tensor<i64>) -> tensor<?xf64>
  func.return %1 : tensor<?xf64>
}

// -----

// Through a transposition.
// CHECK-LABEL: func.func @transposed
// CHECK: %[[X:.+]] = tensor.subtensor %x, %a {slices = "1:2:, @"}
// CHECK-NEXT: %[[E:.+]] = elemwise.exp %[[X]] : tensor<?xf64>
// CHECK-NEXT: %[[R:.+]] = tensor.dimshuffle %[[E]] {order = array<i64: -1, 0>}
// CHECK-NEXT: func.return %[[R]]
func.func @transposed(%x: tensor<?x?xf64>, %a: tensor<i64>) -> tensor<1x?xf64> {
  %0 = elemwise.exp %x : tensor<?x?xf64>
  %1 = tensor.dimshuffle %0 {order = array<i64: 1, -1, 0>} : (tensor<?x?xf64>) -> tensor<?x1x?xf64>
  %2 = tensor.subtensor %1, %a {slices = "@, :, 1:2"} : (tensor<?x1x?xf64>, tensor<i64>) -> tensor<1x?xf64>
  func.return %2 : tensor<1x?xf64>
}

// -----

// A few single indices are taken one by one.
// CHECK-LABEL: func.func @few
// CHECK-COUNT-2: elemwise.exp %{{.+}} : tensor<?xf64>
// CHECK-NOT: elemwise.exp
func.func @few(%x: tensor<?x?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
  %0 = elemwise.exp %x : tensor<?x?xf64>
  %1 = tensor.subtensor %0 {slices = "0"} : (tensor<?x?xf64>) -> tensor<?xf64>
  %2 = tensor.subtensor %0 {slices = "-1"} : (tensor<?x?xf64>) -> tensor<?xf64>
  func.return %1, %2 : tensor<?xf64>, tensor<?xf64>
}

// -----

// Not where the whole is used, two ranges are taken, of a reduction, or a dimension that a dimshuffle adds
// is indexed.
// CHECK-LABEL: func.func @whole
// CHECK: elemwise.exp %{{.+}} : tensor<?x?xf64>
// CHECK: elemwise.log %{{.+}} : tensor<?x?xf64>
// CHECK: elemwise.sqrt %{{.+}} : tensor<?x?xf64>
func.func @whole(%x: tensor<?x?xf64>, %a: tensor<i64>) -> (tensor<?x?xf64>, tensor<?xf64>, tensor<?x?xf64>, tensor<?x?xf64>, tensor<f64>, tensor<?x?xf64>) {
  %0 = elemwise.exp %x : tensor<?x?xf64>
  %1 = tensor.subtensor %0 {slices = "0"} : (tensor<?x?xf64>) -> tensor<?xf64>
  %2 = elemwise.log %x : tensor<?x?xf64>
  %3 = tensor.subtensor %2 {slices = "1:"} : (tensor<?x?xf64>) -> tensor<?x?xf64>
  %4 = tensor.subtensor %2 {slices = ":-1"} : (tensor<?x?xf64>) -> tensor<?x?xf64>
  %5 = tensor.reduce %x {kind = "add", axes = array<i64: 1>} : (tensor<?x?xf64>) -> tensor<?xf64>
  %6 = tensor.subtensor %5 {slices = "0"} : (tensor<?xf64>) -> tensor<f64>
  %7 = elemwise.sqrt %x : tensor<?x?xf64>
  %8 = tensor.dimshuffle %7 {order = array<i64: -1, 0, 1>} : (tensor<?x?xf64>) -> tensor<1x?x?xf64>
  %9 = tensor.subtensor %8, %a {slices = "@"} : (tensor<1x?x?xf64>, tensor<i64>) -> tensor<?x?xf64>
  func.return %0, %1, %3, %4, %6, %9 : tensor<?x?xf64>, tensor<?xf64>, tensor<?x?xf64>, tensor<?x?xf64>, tensor<f64>, tensor<?x?xf64>
}
