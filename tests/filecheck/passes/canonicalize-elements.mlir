// RUN: tt-opt %s -p canonicalize --split-input-file | filecheck %s

// A shape computed from narrow integers, or from floats: each of its numbers by itself. (Random numbers
// are out_of_range.)
// CHECK-LABEL: func.func @narrow
// CHECK: %[[A:.+]] = tensor.subtensor %z {slices = "0"} : (tensor<?xi8>) -> tensor<i8>
// CHECK: %[[X:.+]] = elemwise.mul %[[A]], %{{.+}} : tensor<i8>
// CHECK: %[[B:.+]] = tensor.subtensor %z {slices = "1"} : (tensor<?xi8>) -> tensor<i8>
// CHECK: %[[Y:.+]] = elemwise.mul %[[B]], %{{.+}} : tensor<i8>
// CHECK: %[[S:.+]] = tensor.make_vector %[[X]], %[[Y]] {dtype = i8}
// CHECK: tensor.reshape_to %x, %[[S]]
func.func @narrow(%x: tensor<?xf64>, %z: tensor<?xi8>) -> tensor<?x?xf64> {
  %0 = elemwise.constant 2 : tensor<1xi8>
  %1 = elemwise.mul %z, %0 : (tensor<?xi8>, tensor<1xi8>) -> tensor<?xi8>
  %2 = tensor.reshape_to %x, %1 {ndim = 2 : i64, ones = array<i64>} : (tensor<?xf64>, tensor<?xi8>) -> tensor<?x?xf64>
  func.return %2 : tensor<?x?xf64>
}

// -----

// (out_of_range)
// CHECK-LABEL: func.func @floats
// CHECK-COUNT-2: elemwise.sqr %{{.+}} : tensor<f64>
// CHECK-NOT: elemwise.sqr
// CHECK: tensor.make_vector
func.func @floats(%x: tensor<?xf64>, %z: tensor<?xf64>) -> tensor<?x?xf64> {
  %0 = elemwise.mul %z, %z : tensor<?xf64>
  %1 = elemwise.cast %0 {dtype = i64} : (tensor<?xf64>) -> tensor<?xi64>
  %2 = tensor.reshape_to %x, %1 {ndim = 2 : i64, ones = array<i64>} : (tensor<?xf64>, tensor<?xi64>) -> tensor<?x?xf64>
  func.return %2 : tensor<?x?xf64>
}

// -----

// Elements looked up elsewhere, and of a vector in which one is set.
// CHECK-LABEL: func.func @looked_up
// CHECK-DAG: %[[A:.+]] = tensor.subtensor %z {slices = "2"}
// CHECK-DAG: %[[I:.+]] = tensor.subtensor %i {slices = "1"}
// CHECK-DAG: %[[B:.+]] = tensor.subtensor %z, %[[I]] {slices = "@"}
// CHECK-DAG: %[[C:.+]] = tensor.subtensor %z {slices = "1"}
// CHECK: func.return %[[A]], %[[B]], %a, %[[C]]
func.func @looked_up(%z: tensor<?xi64>, %i: tensor<?xi64>, %a: tensor<i64>) -> (tensor<i64>, tensor<i64>, tensor<i64>, tensor<i64>) {
  %0 = elemwise.constant 2 : tensor<i64>
  %1 = elemwise.constant -1 : tensor<i64>
  %2 = elemwise.constant -1 : tensor<i64>
  %3 = tensor.arange %0, %1, %2 {dtype = i64} : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %4 = tensor.advanced_subtensor %z, %3 : tensor<?xi64>
  %5 = tensor.subtensor %4 {slices = "0"} : (tensor<?xi64>) -> tensor<i64>
  %6 = tensor.advanced_subtensor %z, %i : tensor<?xi64>
  %7 = tensor.subtensor %6 {slices = "1"} : (tensor<?xi64>) -> tensor<i64>
  %8 = tensor.inc_subtensor %z, %a {slices = "0", set = true} : (tensor<?xi64>, tensor<i64>) -> tensor<?xi64>
  %9 = tensor.subtensor %8 {slices = "0"} : (tensor<?xi64>) -> tensor<i64>
  %10 = tensor.subtensor %8 {slices = "1"} : (tensor<?xi64>) -> tensor<i64>
  func.return %5, %7, %9, %10 : tensor<i64>, tensor<i64>, tensor<i64>, tensor<i64>
}

// -----

// Not of floats that are used as a whole, of one element that broadcasts, added in place, or from both
// ends.
// CHECK-LABEL: func.func @whole
// CHECK: tensor.subtensor
// CHECK: tensor.subtensor
// CHECK: tensor.subtensor
// CHECK: tensor.subtensor
func.func @whole(%x: tensor<?xf64>, %z: tensor<?xi64>, %o: tensor<1xi64>, %a: tensor<i64>) -> (tensor<?xf64>, tensor<f64>, tensor<i64>, tensor<i64>, tensor<i64>) {
  %0 = elemwise.mul %x, %x : tensor<?xf64>
  %1 = tensor.subtensor %0 {slices = "0"} : (tensor<?xf64>) -> tensor<f64>
  %2 = elemwise.mul %o, %o : tensor<1xi64>
  %3 = tensor.subtensor %2 {slices = "0"} : (tensor<1xi64>) -> tensor<i64>
  %4 = tensor.inc_subtensor %z, %a {slices = "0"} : (tensor<?xi64>, tensor<i64>) -> tensor<?xi64>
  %5 = tensor.subtensor %4 {slices = "0"} : (tensor<?xi64>) -> tensor<i64>
  %6 = tensor.inc_subtensor %z, %a {slices = "-1", set = true} : (tensor<?xi64>, tensor<i64>) -> tensor<?xi64>
  %7 = tensor.subtensor %6 {slices = "0"} : (tensor<?xi64>) -> tensor<i64>
  func.return %0, %1, %3, %5, %7 : tensor<?xf64>, tensor<f64>, tensor<i64>, tensor<i64>, tensor<i64>
}

// -----

// Behind a range's end: out_of_range.
// CHECK-LABEL: func.func @range
// CHECK: tensor.subtensor
func.func @range() -> tensor<i64> {
  %0 = elemwise.constant 3 : tensor<i64>
  %1 = elemwise.constant 9 : tensor<i64>
  %2 = elemwise.constant 2 : tensor<i64>
  %3 = tensor.arange %0, %1, %2 {dtype = i64} : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %4 = tensor.subtensor %3 {slices = "3"} : (tensor<?xi64>) -> tensor<i64>
  func.return %4 : tensor<i64>
}
