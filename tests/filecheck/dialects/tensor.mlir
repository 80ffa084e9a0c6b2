// RUN: tt-opt %s --split-input-file | tt-opt --split-input-file | filecheck %s

// Dimensions permuted, inserted and dropped; shapes and sizes.
func.func @shapes(%x: tensor<?x?xf64>, %v: tensor<2xi64>, %r: tensor<1x?xf64>) {
  %a = tensor.dimshuffle %x {order = array<i64: 1, 0>} : tensor<?x?xf64>
  %b = tensor.dimshuffle %r {order = array<i64: 1, -1>} : (tensor<1x?xf64>) -> tensor<?x1xf64>
  %c = tensor.reshape_to %x, %v {ndim = 2 : i64, ones = array<i64: 1>} : (tensor<?x?xf64>, tensor<2xi64>) -> tensor<?x1xf64>
  %d = tensor.shape %x : (tensor<?x?xf64>) -> tensor<?xi64>
  %e = tensor.size %x {dim = 1 : i64} : (tensor<?x?xf64>) -> tensor<i64>
  func.return
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @shapes(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?x?xf64>, %[[V:[^ ,:]+]]: tensor<2xi64>, %[[R:[^ ,:]+]]: tensor<1x?xf64>) {
// CHECK-NEXT: %[[A:.+]] = tensor.dimshuffle %[[X]] {order = array<i64: 1, 0>} : tensor<?x?xf64>
// CHECK-NEXT: %[[B:.+]] = tensor.dimshuffle %[[R]] {order = array<i64: 1, -1>} : (tensor<1x?xf64>) -> tensor<?x1xf64>
// CHECK-NEXT: %[[C:.+]] = tensor.reshape_to %[[X]], %[[V]] {ndim = 2 : i64, ones = array<i64: 1>} : (tensor<?x?xf64>, tensor<2xi64>) -> tensor<?x1xf64>
// CHECK-NEXT: %[[D:.+]] = tensor.shape %[[X]] : (tensor<?x?xf64>) -> tensor<?xi64>
// CHECK-NEXT: %[[E:.+]] = tensor.size %[[X]] {dim = 1 : i64} : (tensor<?x?xf64>) -> tensor<i64>
// CHECK-NEXT: func.return
// CHECK-NEXT: }
// -----
// Arrays from nothing.
func.func @makers(%n: tensor<i64>, %x: tensor<f64>) {
  %a = tensor.make_vector %n, %n {dtype = i64} : (tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %b = tensor.alloc %x, %n, %n {ones = array<i64: 1>} : (tensor<f64>, tensor<i64>, tensor<i64>) -> tensor<?x1xf64>
  %c = tensor.arange %n, %n, %n {dtype = i64} : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  func.return
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @makers(
// CHECK-SAME: %[[N:[^ ,:]+]]: tensor<i64>, %[[X:[^ ,:]+]]: tensor<f64>) {
// CHECK-NEXT: %[[A:.+]] = tensor.make_vector %[[N]], %[[N]] {dtype = i64} : (tensor<i64>, tensor<i64>) -> tensor<?xi64>
// CHECK-NEXT: %[[B:.+]] = tensor.alloc %[[X]], %[[N]], %[[N]] {ones = array<i64: 1>} : (tensor<f64>, tensor<i64>, tensor<i64>) -> tensor<?x1xf64>
// CHECK-NEXT: %[[C:.+]] = tensor.arange %[[N]], %[[N]], %[[N]] {dtype = i64} : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
// CHECK-NEXT: func.return
// CHECK-NEXT: }
// -----
// Reductions by a monoid; products; softmax.
func.func @reductions(%x: tensor<?x?xf32>, %i: tensor<?x?xi8>, %v: tensor<?xf32>) {
  %a = tensor.reduce %x {kind = "add", axes = array<i64: 0>} : (tensor<?x?xf32>) -> tensor<?xf32>
  %b = tensor.reduce %i {kind = "add", axes = array<i64: 0, 1>} : (tensor<?x?xi8>) -> tensor<i64>
  %c = tensor.reduce %x {kind = "mul", axes = array<i64: 1>, dtype = f64, acc_dtype = f64} : (tensor<?x?xf32>) -> tensor<?xf64>
  %d, %e = tensor.max_and_argmax %x {axes = array<i64: 1>} : (tensor<?x?xf32>) -> (tensor<?xf32>, tensor<?xi64>)
  %f = tensor.dot %x, %v : (tensor<?x?xf32>, tensor<?xf32>) -> tensor<?xf32>
  %g = tensor.gemm %x, %x {transpose_a = true} : tensor<?x?xf32>
  %h = tensor.softmax %x : tensor<?x?xf32>
  %k = tensor.log_softmax %x : tensor<?x?xf32>
  func.return
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @reductions(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?x?xf32>, %[[I:[^ ,:]+]]: tensor<?x?xi8>, %[[V:[^ ,:]+]]: tensor<?xf32>) {
// CHECK-NEXT: %[[A:.+]] = tensor.reduce %[[X]] {kind = "add", axes = array<i64: 0>} : (tensor<?x?xf32>) -> tensor<?xf32>
// CHECK-NEXT: %[[B:.+]] = tensor.reduce %[[I]] {kind = "add", axes = array<i64: 0, 1>} : (tensor<?x?xi8>) -> tensor<i64>
// CHECK-NEXT: %[[C:.+]] = tensor.reduce %[[X]] {kind = "mul", axes = array<i64: 1>, dtype = f64, acc_dtype = f64} : (tensor<?x?xf32>) -> tensor<?xf64>
// CHECK-NEXT: %[[D:[^ ,:]+]], %[[E:[^ ,:]+]] = tensor.max_and_argmax %[[X]] {axes = array<i64: 1>} : (tensor<?x?xf32>) -> (tensor<?xf32>, tensor<?xi64>)
// CHECK-NEXT: %[[F:.+]] = tensor.dot %[[X]], %[[V]] : (tensor<?x?xf32>, tensor<?xf32>) -> tensor<?xf32>
// CHECK-NEXT: %[[G:.+]] = tensor.gemm %[[X]], %[[X]] {transpose_a = true} : tensor<?x?xf32>
// CHECK-NEXT: %[[H:.+]] = tensor.softmax %[[X]] : tensor<?x?xf32>
// CHECK-NEXT: %[[K:.+]] = tensor.log_softmax %[[X]] : tensor<?x?xf32>
// CHECK-NEXT: func.return
// CHECK-NEXT: }
// -----
// Slices, integers and index vectors.
func.func @indexing(%x: tensor<?x?xf64>, %n: tensor<i64>, %i: tensor<?xi64>, %v: tensor<?xf64>) {
  %a = tensor.subtensor %x, %n {slices = "@, 1:5:2"} : (tensor<?x?xf64>, tensor<i64>) -> tensor<?xf64>
  %b = tensor.inc_subtensor %x, %v {slices = "0"} : (tensor<?x?xf64>, tensor<?xf64>) -> tensor<?x?xf64>
  %c = tensor.inc_subtensor %x, %v {slices = "0", set = true} : (tensor<?x?xf64>, tensor<?xf64>) -> tensor<?x?xf64>
  %d = tensor.advanced_subtensor %x, %i, %i : (tensor<?x?xf64>, tensor<?xi64>, tensor<?xi64>) -> tensor<?xf64>
  %e = tensor.advanced_inc_subtensor %x, %v, %i, %i {set = true} : (tensor<?x?xf64>, tensor<?xf64>, tensor<?xi64>, tensor<?xi64>) -> tensor<?x?xf64>
  func.return
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @indexing(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?x?xf64>, %[[N:[^ ,:]+]]: tensor<i64>, %[[I:[^ ,:]+]]: tensor<?xi64>, %[[V:[^ ,:]+]]: tensor<?xf64>) {
// CHECK-NEXT: %[[A:.+]] = tensor.subtensor %[[X]], %[[N]] {slices = "@, 1:5:2"} : (tensor<?x?xf64>, tensor<i64>) -> tensor<?xf64>
// CHECK-NEXT: %[[B:.+]] = tensor.inc_subtensor %[[X]], %[[V]] {slices = "0"} : (tensor<?x?xf64>, tensor<?xf64>) -> tensor<?x?xf64>
// CHECK-NEXT: %[[C:.+]] = tensor.inc_subtensor %[[X]], %[[V]] {slices = "0", set = true} : (tensor<?x?xf64>, tensor<?xf64>) -> tensor<?x?xf64>
// CHECK-NEXT: %[[D:.+]] = tensor.advanced_subtensor %[[X]], %[[I]], %[[I]] : (tensor<?x?xf64>, tensor<?xi64>, tensor<?xi64>) -> tensor<?xf64>
// CHECK-NEXT: %[[E:.+]] = tensor.advanced_inc_subtensor %[[X]], %[[V]], %[[I]], %[[I]] {set = true} : (tensor<?x?xf64>, tensor<?xf64>, tensor<?xi64>, tensor<?xi64>) -> tensor<?x?xf64>
// CHECK-NEXT: func.return
// CHECK-NEXT: }
// -----
// Markers, and an operation of upstream's dialect beside ours.
func.func @markers(%c: tensor<f64>, %w: tensor<?xf64>, %n: tensor<i64>) {
  %g = tensor.grad %c, %w : (tensor<f64>, tensor<?xf64>) -> tensor<?xf64>
  tensor.check_equal %n, %n {message = "found {0} and {1}"} : (tensor<i64>, tensor<i64>) -> ()
  %0 = tensor.cast %w : tensor<?xf64> to tensor<4xf64>
  func.return
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @markers(
// CHECK-SAME: %[[C:[^ ,:]+]]: tensor<f64>, %[[W:[^ ,:]+]]: tensor<?xf64>, %[[N:[^ ,:]+]]: tensor<i64>) {
// CHECK-NEXT: %[[G:.+]] = tensor.grad %[[C]], %[[W]] : (tensor<f64>, tensor<?xf64>) -> tensor<?xf64>
// CHECK-NEXT: tensor.check_equal %[[N]], %[[N]] {message = "found {0} and {1}"} : (tensor<i64>, tensor<i64>) -> ()
// CHECK-NEXT: %[[V0:.+]] = tensor.cast %[[W]] : tensor<?xf64> to tensor<4xf64>
// CHECK-NEXT: func.return
// CHECK-NEXT: }
