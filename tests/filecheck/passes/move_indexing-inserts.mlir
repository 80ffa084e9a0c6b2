// RUN: tt-opt %s -p move-indexing --split-input-file | filecheck %s

// An update by the gradient of a slice: of the slice alone, if the learning rate keeps the rest.
// CHECK-LABEL: func.func @slice
// CHECK: %[[V:.+]] = elemwise.add %{{.+}}, %g
// CHECK: %[[STEP:.+]] = elemwise.mul %{{.+}}, %[[V]]
// CHECK: %[[OLD:.+]] = tensor.subtensor %w, %a {slices = "@::", tt.apply = 4 : i64}
// CHECK: %[[NEW:.+]] = elemwise.sub %[[OLD]], %[[STEP]]
// CHECK: %[[Z:.+]] = elemwise.mul %lr
// CHECK: %[[KEPT:.+]] = elemwise.and
// CHECK: %[[N:.+]] = tensor.size %w {dim = 0 : i64}
// CHECK: %[[ALL:.+]] = elemwise.switch %[[KEPT]], %{{.+}}, %[[N]]
// CHECK: tensor.subtensor %w, %[[ALL]] {slices = ":@"
// CHECK: %[[REST:.+]] = tensor.inc_subtensor %w, %{{.+}}, %[[ALL]] {slices = ":@", set = true}
// CHECK: %[[R:.+]] = tensor.inc_subtensor %[[REST]], %[[NEW]], %a {slices = "@:", set = true, tt.apply = 4 : i64}
// CHECK: func.return %[[R]]
func.func @slice(%w: tensor<?x?xf64> {tt.update = 0 : i64}, %g: tensor<?x?xf64>, %a: tensor<i64>, %lr: tensor<f64>) -> tensor<?x?xf64> {
  %0 = elemwise.constant 0.0 : tensor<1x1xf64>
  %1 = elemwise.second %w, %0 : (tensor<?x?xf64>, tensor<1x1xf64>) -> tensor<?x?xf64>
  %2 = tensor.inc_subtensor %1, %g, %a {slices = "@:", tt.apply = 4 : i64} : (tensor<?x?xf64>, tensor<?x?xf64>, tensor<i64>) -> tensor<?x?xf64>
  %3 = tensor.dimshuffle %lr {order = array<i64: -1, -1>} : (tensor<f64>) -> tensor<1x1xf64>
  %4 = elemwise.mul %3, %2 : (tensor<1x1xf64>, tensor<?x?xf64>) -> tensor<?x?xf64>
  %5 = elemwise.sub %w, %4 {tt.apply = 5 : i64} : tensor<?x?xf64>
  func.return %5 : tensor<?x?xf64>
}

// -----

// Of a constant rate the rest is kept, and nothing asked; a row drops a dimension.
// CHECK-LABEL: func.func @row
// CHECK: %[[OLD:.+]] = tensor.subtensor %w {slices = "3"}
// CHECK: %[[NEW:.+]] = elemwise.sub %[[OLD]], %{{.+}} : tensor<?xf64>
// CHECK: %[[R:.+]] = tensor.inc_subtensor %w, %[[NEW]] {slices = "3", set = true}
// CHECK: func.return %[[R]]
func.func @row(%w: tensor<?x?xf64>, %g: tensor<?xf64>) -> tensor<?x?xf64> {
  %0 = elemwise.constant 0.0 : tensor<1x1xf64>
  %1 = elemwise.second %w, %0 : (tensor<?x?xf64>, tensor<1x1xf64>) -> tensor<?x?xf64>
  %2 = tensor.inc_subtensor %1, %g {slices = "3"} : (tensor<?x?xf64>, tensor<?xf64>) -> tensor<?x?xf64>
  %3 = elemwise.constant 0.5 : tensor<1x1xf64>
  %4 = elemwise.mul %3, %2 : (tensor<1x1xf64>, tensor<?x?xf64>) -> tensor<?x?xf64>
  %5 = elemwise.sub %w, %4 : tensor<?x?xf64>
  func.return %5 : tensor<?x?xf64>
}

// -----

// Where +0 is added all are computed: -0 becomes +0. So too where the array is subtracted.
// CHECK-LABEL: func.func @rest
// CHECK: %[[A:.+]] = elemwise.add %w, %{{.+}} : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
// CHECK: tensor.inc_subtensor %[[A]], %{{.+}} {slices = "3:", set = true}
// CHECK: %[[B:.+]] = elemwise.sub %{{.+}}, %w : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
// CHECK: tensor.inc_subtensor %[[B]], %{{.+}} {slices = "3:", set = true}
func.func @rest(%w: tensor<?xf64> {tt.update = 0 : i64}, %g: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
  %0 = elemwise.constant 0.0 : tensor<1xf64>
  %1 = elemwise.second %w, %0 : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %2 = tensor.inc_subtensor %1, %g {slices = "3:"} : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %3 = elemwise.constant 0.5 : tensor<1xf64>
  %4 = elemwise.mul %3, %2 : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
  %5 = elemwise.add %w, %4 : tensor<?xf64>
  %6 = tensor.inc_subtensor %1, %g {slices = "3:"} : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %7 = elemwise.mul %3, %6 : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
  %8 = elemwise.sub %7, %w : tensor<?xf64>
  func.return %5, %8 : tensor<?xf64>, tensor<?xf64>
}

// -----

// Gradients of several slices are added one into the other: what +0 was added to is never -0.
// CHECK-LABEL: func.func @slices
// CHECK-NOT: elemwise.add
// CHECK: %[[A:.+]] = tensor.inc_subtensor %{{.+}}, %g {slices = "3:"}
// CHECK: %[[B:.+]] = tensor.inc_subtensor %[[A]], %g {slices = ":3"}
// CHECK: %[[C:.+]] = tensor.inc_subtensor %[[B]], %g {slices = "2:5"}
// CHECK: func.return %[[C]]
func.func @slices(%x: tensor<?xf64>, %g: tensor<?xf64>) -> tensor<?xf64> {
  %0 = elemwise.constant 0.0 : tensor<1xf64>
  %1 = elemwise.second %x, %0 : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %2 = tensor.inc_subtensor %1, %g {slices = ":3"} : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %3 = tensor.inc_subtensor %1, %g {slices = "3:"} : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %4 = tensor.inc_subtensor %1, %g {slices = "2:5"} : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %5 = elemwise.add %2, %3 : tensor<?xf64>
  %6 = elemwise.add %5, %4 : tensor<?xf64>
  func.return %6 : tensor<?xf64>
}

// -----

// Not where the sum is used further, the gradient is, other numbers are around the slice, or the sum
// broadcasts it.
// CHECK-LABEL: func.func @whole
// CHECK-NOT: tensor.subtensor
// CHECK-NOT: set
func.func @whole(%w: tensor<?xf64>, %m: tensor<?x?xf64>, %g: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?x?xf64>) {
  %0 = elemwise.constant 0.0 : tensor<1xf64>
  %1 = elemwise.second %w, %0 : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %2 = tensor.inc_subtensor %1, %g {slices = "3:"} : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %3 = elemwise.constant 0.5 : tensor<1xf64>
  %4 = elemwise.mul %3, %2 : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
  %5 = elemwise.sub %w, %4 : tensor<?xf64>
  %6 = elemwise.sqr %5 : tensor<?xf64>
  %7 = tensor.inc_subtensor %1, %g {slices = "4:"} : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %8 = elemwise.mul %3, %7 : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
  %9 = elemwise.sub %w, %8 : tensor<?xf64>
  %10 = elemwise.second %w, %3 : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %11 = tensor.inc_subtensor %10, %g {slices = "5:"} : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %12 = elemwise.mul %3, %11 : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
  %13 = elemwise.sub %w, %12 : tensor<?xf64>
  %14 = tensor.inc_subtensor %1, %g {slices = "6:"} : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %15 = elemwise.mul %3, %14 : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
  %16 = tensor.dimshuffle %15 {order = array<i64: -1, 0>} : (tensor<?xf64>) -> tensor<1x?xf64>
  %17 = elemwise.sub %m, %16 : (tensor<?x?xf64>, tensor<1x?xf64>) -> tensor<?x?xf64>
  func.return %5, %6, %9, %7, %17 : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?x?xf64>
}
