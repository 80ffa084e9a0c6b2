// RUN: tt-opt %s -p lower-to-loops --split-input-file | filecheck %s

// Rank 0 becomes scalars, in the signature too.
func.func @scalars(%x: tensor<f64>, %y: tensor<f64>) -> tensor<f64> {
  %0 = elemwise.mul %x, %y : tensor<f64>
  func.return %0 : tensor<f64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @scalars(
// CHECK-SAME: %[[X:[^ ,:]+]]: f64, %[[Y:[^ ,:]+]]: f64) -> f64 {
// CHECK-NEXT: %[[V0:.+]] = elemwise.mul %[[X]], %[[Y]] : f64
// CHECK-NEXT: func.return %[[V0]] : f64
// CHECK-NEXT: }
// -----

// One nest; a dimshuffle vanishes into its maps, static 1 is index 0, a constant stands in the body.
func.func @elementwise(%x: tensor<?x?xf64>, %r: tensor<1x?xf64>, %s: tensor<f64>) -> tensor<?x?xf64> {
  %0 = tensor.dimshuffle %x {order = array<i64: 1, 0>} : tensor<?x?xf64>
  %1 = tensor.dimshuffle %s {order = array<i64: -1, -1>} : (tensor<f64>) -> tensor<1x1xf64>
  %two = elemwise.constant 2.0 : tensor<1x1xf64>
  %2 = elemwise.mul %0, %two : (tensor<?x?xf64>, tensor<1x1xf64>) -> tensor<?x?xf64>
  %3 = elemwise.composite (%a = %2 : tensor<?x?xf64>, %b = %r : tensor<1x?xf64>, %c = %1 : tensor<1x1xf64>) -> tensor<?x?xf64> {
    %4 = elemwise.add %a, %b : f64
    %5 = elemwise.sub %4, %c : f64
    elemwise.yield %5 : f64
  }
  func.return %3 : tensor<?x?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @elementwise(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?x?xf64>, %[[R:[^ ,:]+]]: tensor<1x?xf64>, %[[S:[^ ,:]+]]: f64) -> tensor<?x?xf64> {
// CHECK-NEXT: %[[V0:.+]] = loops.dim %[[X]], 0 : tensor<?x?xf64>
// CHECK-NEXT: %[[V1:.+]] = loops.dim %[[R]], 1 : tensor<1x?xf64>
// CHECK-NEXT: %[[V2:.+]] = loops.dim %[[X]], 1 : tensor<?x?xf64>
// CHECK-NEXT: loops.check %[[V0]], %[[V1]] {message = "Input dimension mis-match. (input[0].shape[1] = {0}, input[1].shape[1] = {1})"} : (index, index) -> ()
// CHECK-NEXT: %[[MUL:[^ ,:]+]] = loops.nest (%[[I:[^ ,:]+]] < %[[V2]], %[[J:[^ ,:]+]] < %[[V0]]) ins(%[[X_1:[^ ,:]+]] = %[[X]][%[[J]], %[[I]]] : tensor<?x?xf64>) -> (collect[%[[I]], %[[J]]] : tensor<?x?xf64>) {
// CHECK-NEXT: %[[V3:.+]] = elemwise.constant 2.000000e+00 : f64
// CHECK-NEXT: %[[V4:.+]] = elemwise.mul %[[X_1]], %[[V3]] : f64
// CHECK-NEXT: loops.yield %[[V4]] : f64
// CHECK-NEXT: }
// CHECK-NEXT: %[[SUB:[^ ,:]+]] = loops.nest (%[[I_1:[^ ,:]+]] < %[[V2]], %[[J_1:[^ ,:]+]] < %[[V0]]) ins(%[[MUL_1:[^ ,:]+]] = %[[MUL]][%[[I_1]], %[[J_1]]] : tensor<?x?xf64>, %[[R_1:[^ ,:]+]] = %[[R]][0, %[[J_1]]] : tensor<1x?xf64>) -> (collect[%[[I_1]], %[[J_1]]] : tensor<?x?xf64>) {
// CHECK-NEXT: %[[V5:.+]] = elemwise.add %[[MUL_1]], %[[R_1]] : f64
// CHECK-NEXT: %[[V6:.+]] = elemwise.sub %[[V5]], %[[S]] : f64
// CHECK-NEXT: loops.yield %[[V6]] : f64
// CHECK-NEXT: }
// CHECK-NEXT: func.return %[[SUB]] : tensor<?x?xf64>
// CHECK-NEXT: }
// -----

// A transposed product: the iterators that the result leaves out are combined.
func.func @product(%x: tensor<?x?xf64>, %e: tensor<?xf64>) -> tensor<?xf64> {
  %0 = tensor.dimshuffle %x {order = array<i64: 1, 0>} : tensor<?x?xf64>
  %1 = tensor.dot %0, %e : (tensor<?x?xf64>, tensor<?xf64>) -> tensor<?xf64>
  func.return %1 : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @product(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?x?xf64>, %[[E:[^ ,:]+]]: tensor<?xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V0:.+]] = loops.dim %[[X]], 0 : tensor<?x?xf64>
// CHECK-NEXT: %[[V1:.+]] = loops.dim %[[E]], 0 : tensor<?xf64>
// CHECK-NEXT: %[[V2:.+]] = loops.dim %[[X]], 1 : tensor<?x?xf64>
// CHECK-NEXT: loops.check %[[V0]], %[[V1]] {message = "shapes not aligned: {0} (dim 1) != {1} (dim 0)"} : (index, index) -> ()
// CHECK-NEXT: %[[DOT:[^ ,:]+]] = loops.nest (%[[I:[^ ,:]+]] < %[[V2]], %[[J:[^ ,:]+]] < %[[V0]]) ins(%[[X_1:[^ ,:]+]] = %[[X]][%[[J]], %[[I]]] : tensor<?x?xf64>, %[[E_1:[^ ,:]+]] = %[[E]][%[[J]]] : tensor<?xf64>) -> (add[%[[I]]] : tensor<?xf64>) {
// CHECK-NEXT: %[[V3:.+]] = elemwise.mul %[[X_1]], %[[E_1]] {contract} : f64
// CHECK-NEXT: loops.yield %[[V3]] : f64
// CHECK-NEXT: }
// CHECK-NEXT: func.return %[[DOT]] : tensor<?xf64>
// CHECK-NEXT: }
// -----

// A library call takes a transposed view as a flag.
func.func @gemm(%x: tensor<?x?xf64>, %y: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %0 = tensor.dimshuffle %x {order = array<i64: 1, 0>} : tensor<?x?xf64>
  %1 = tensor.gemm %0, %y : tensor<?x?xf64>
  func.return %1 : tensor<?x?xf64>
}
// CHECK-LABEL: func.func @gemm
// CHECK: loops.call %x, %y {callee = "gemm", options = {transpose_a = true}}

// -----

// Reductions: a narrow result of a wide accumulator is cast behind; bools add up by `or`.
func.func @reductions(%x: tensor<?x?xf32>, %b: tensor<?xi1>) -> (tensor<?xf32>, tensor<i1>) {
  %0 = tensor.reduce %x {kind = "add", axes = array<i64: 1>, acc_dtype = f64} : (tensor<?x?xf32>) -> tensor<?xf32>
  %1 = tensor.reduce %b {kind = "max", axes = array<i64: 0>} : (tensor<?xi1>) -> tensor<i1>
  func.return %0, %1 : tensor<?xf32>, tensor<i1>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @reductions(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?x?xf32>, %[[B:[^ ,:]+]]: tensor<?xi1>) -> (tensor<?xf32>, i1) {
// CHECK-NEXT: %[[V0:.+]] = loops.dim %[[B]], 0 : tensor<?xi1>
// CHECK-NEXT: %[[V1:.+]] = elemwise.constant 1 : index
// CHECK-NEXT: %[[V2:.+]] = loops.dim %[[X]], 0 : tensor<?x?xf32>
// CHECK-NEXT: %[[V3:.+]] = loops.dim %[[X]], 1 : tensor<?x?xf32>
// CHECK-NEXT: %[[V4:.+]] = elemwise.minimum %[[V0]], %[[V1]] : index
// CHECK-NEXT: loops.check %[[V4]], %[[V1]] {message = "zero-size array to reduction operation maximum which has no identity"} : (index, index) -> ()
// CHECK-NEXT: %[[V5:[^ ,:]+]] = loops.nest (%[[I:[^ ,:]+]] < %[[V2]], %[[J:[^ ,:]+]] < %[[V3]]) ins(%[[X_1:[^ ,:]+]] = %[[X]][%[[I]], %[[J]]] : tensor<?x?xf32>) -> (add[%[[I]]] : tensor<?xf64>) {
// CHECK-NEXT: %[[V6:.+]] = elemwise.cast %[[X_1]] {dtype = f64} : (f32) -> f64
// CHECK-NEXT: loops.yield %[[V6]] : f64
// CHECK-NEXT: }
// CHECK-NEXT: %[[SUM:[^ ,:]+]] = loops.nest (%[[I_1:[^ ,:]+]] < %[[V2]]) ins(%[[V7:[^ ,:]+]] = %[[V5]][%[[I_1]]] : tensor<?xf64>) -> (collect[%[[I_1]]] : tensor<?xf32>) {
// CHECK-NEXT: %[[V8:.+]] = elemwise.cast %[[V7]] {dtype = f32} : (f64) -> f32
// CHECK-NEXT: loops.yield %[[V8]] : f32
// CHECK-NEXT: }
// CHECK-NEXT: %[[MAX:[^ ,:]+]] = loops.nest (%[[I_2:[^ ,:]+]] < %[[V0]]) ins(%[[B_1:[^ ,:]+]] = %[[B]][%[[I_2]]] : tensor<?xi1>) -> (or[] : i1) {
// CHECK-NEXT: loops.yield %[[B_1]] : i1
// CHECK-NEXT: }
// CHECK-NEXT: func.return %[[SUM]], %[[MAX]] : tensor<?xf32>, i1
// CHECK-NEXT: }
// -----

// The position of a maximum over two dimensions counts them in row-major order.
func.func @argmax(%x: tensor<?x?xf64>) -> (tensor<f64>, tensor<i64>) {
  %0, %1 = tensor.max_and_argmax %x {axes = array<i64: 0, 1>} : (tensor<?x?xf64>) -> (tensor<f64>, tensor<i64>)
  func.return %0, %1 : tensor<f64>, tensor<i64>
}
// CHECK-LABEL: func.func @argmax
// CHECK: loops.nest (%[[I:.+]] < %{{.+}}, %[[J:.+]] < %[[M:.+]]) ins(%[[X:.+]] = %x[%[[I]], %[[J]]] : tensor<?x?xf64>) -> (max[] : f64, argmax[] : i64) {
// CHECK-NEXT: %[[A:.+]] = elemwise.mul %[[I]], %[[M]] : index
// CHECK-NEXT: %[[B:.+]] = elemwise.add %[[A]], %[[J]] : index
// CHECK-NEXT: %[[C:.+]] = elemwise.cast %[[B]] {dtype = i64} : (index) -> i64
// CHECK-NEXT: loops.yield %[[X]], %[[C]] : f64, i64

// -----

// Fills and ranges make no array of their own; only a result is collected.
func.func @fills(%x: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xi64>) {
  %n = tensor.size %x {dim = 0} : (tensor<?xf64>) -> tensor<i64>
  %one = elemwise.constant 1.0 : tensor<f64>
  %0 = tensor.alloc %one, %n {ones = array<i64>} : (tensor<f64>, tensor<i64>) -> tensor<?xf64>
  %1 = elemwise.add %x, %0 : tensor<?xf64>
  %zero = elemwise.constant 0 : tensor<i64>
  %step = elemwise.constant 1 : tensor<i64>
  %2 = tensor.arange %zero, %n, %step {dtype = i64} : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  func.return %1, %2 : tensor<?xf64>, tensor<?xi64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @fills(
// CHECK-SAME: %[[X:.+]]: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xi64>) {
// CHECK-NEXT: %[[V0:.+]] = loops.dim %[[X]], 0 : tensor<?xf64>
// CHECK-NEXT: %[[ADD:[^ ,:]+]] = loops.nest (%[[I:[^ ,:]+]] < %[[V0]]) ins(%[[X_1:[^ ,:]+]] = %[[X]][%[[I]]] : tensor<?xf64>) -> (collect[%[[I]]] : tensor<?xf64>) {
// CHECK-NEXT: %[[V1:.+]] = elemwise.constant 1.000000e+00 : f64
// CHECK-NEXT: %[[V2:.+]] = elemwise.add %[[X_1]], %[[V1]] : f64
// CHECK-NEXT: loops.yield %[[V2]] : f64
// CHECK-NEXT: }
// CHECK-NEXT: %[[V3:.+]] = elemwise.constant 0 : i64
// CHECK-NEXT: %[[V4:.+]] = elemwise.constant 1 : i64
// CHECK-NEXT: %[[V5:[^ ,:]+]] = loops.nest (%[[I_1:[^ ,:]+]] < %[[V0]]) -> (collect[%[[I_1]]] : tensor<?xi64>) {
// CHECK-NEXT: %[[V6:.+]] = elemwise.cast %[[I_1]] {dtype = i64} : (index) -> i64
// CHECK-NEXT: %[[V7:.+]] = elemwise.mul %[[V6]], %[[V4]] : i64
// CHECK-NEXT: %[[V8:.+]] = elemwise.add %[[V3]], %[[V7]] : i64
// CHECK-NEXT: loops.yield %[[V8]] : i64
// CHECK-NEXT: }
// CHECK-NEXT: func.return %[[ADD]], %[[V5]] : tensor<?xf64>, tensor<?xi64>
// CHECK-NEXT: }
// -----

// x.T[i, j]: an element of x itself; an error names the axes of the transposed array.
func.func @turned(%x: tensor<?x?xf64>, %i: tensor<?xi64>, %j: tensor<?xi64>) -> tensor<?xf64> {
  %0 = tensor.dimshuffle %x {order = array<i64: 1, 0>} : (tensor<?x?xf64>) -> tensor<?x?xf64>
  %1 = tensor.advanced_subtensor %0, %i, %j : (tensor<?x?xf64>, tensor<?xi64>, tensor<?xi64>) -> tensor<?xf64>
  func.return %1 : tensor<?xf64>
}
// CHECK-LABEL: func.func @turned
// CHECK: %[[I:.+]] = elemwise.cast %i_{{.+}} {dtype = index}
// CHECK: %[[J:.+]] = elemwise.cast %j_{{.+}} {dtype = index}
// CHECK: loops.gather %x, %[[J]], %[[I]] {axes = array<i64: 1, 0>} : (tensor<?x?xf64>, index, index) -> f64

// -----

// p[arange(n), y]: the range is the iterator; an index out of range is found by the gather.
func.func @pick(%p: tensor<?x?xf64>, %y: tensor<?xi64>) -> tensor<?xf64> {
  %n = tensor.size %y {dim = 0} : (tensor<?xi64>) -> tensor<i64>
  %zero = elemwise.constant 0 : tensor<i64>
  %step = elemwise.constant 1 : tensor<i64>
  %r = tensor.arange %zero, %n, %step {dtype = i64} : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %0 = tensor.advanced_subtensor %p, %r, %y : (tensor<?x?xf64>, tensor<?xi64>, tensor<?xi64>) -> tensor<?xf64>
  func.return %0 : tensor<?xf64>
}
// CHECK-LABEL: func.func @pick
// CHECK: loops.nest (%[[I:.+]] < %{{.+}}) ins(%{{.+}} = %y[%[[I]]] : tensor<?xi64>) -> (collect[%[[I]]] : tensor<?xf64>)
// CHECK: loops.gather %p, %{{.+}}, %{{.+}} : (tensor<?x?xf64>, index, index) -> f64

// -----

// A slice is a view, which the nest reads like any array.
func.func @slice(%x: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %0 = tensor.subtensor %x {slices = "::2, :"} : (tensor<?x?xf64>) -> tensor<?x?xf64>
  %1 = elemwise.exp %0 : tensor<?x?xf64>
  func.return %1 : tensor<?x?xf64>
}
// CHECK-LABEL: func.func @slice
// CHECK: %[[V:.+]] = loops.subview %x[%{{.+}} for %[[N:.+]] by 2, :] : tensor<?x?xf64> -> tensor<?x?xf64>
// CHECK: loops.nest (%[[I:.+]] < %[[N]], %[[J:.+]] < %{{.+}}) ins(%{{.+}} = %[[V]][%[[I]], %[[J]]] : tensor<?x?xf64>)

// -----

// Of a transposed array the view is of the array, the nest reads it transposed; a negative step; one
// known at run time; a single index, which may be out of range.
func.func @slices(%x: tensor<?x?xf64>, %k: tensor<i64>) -> (tensor<?x?xf64>, tensor<?xf64>) {
  %0 = tensor.dimshuffle %x {order = array<i64: 1, 0>} : (tensor<?x?xf64>) -> tensor<?x?xf64>
  %1 = tensor.subtensor %0, %k {slices = "1:, ::@"} : (tensor<?x?xf64>, tensor<i64>) -> tensor<?x?xf64>
  %2 = elemwise.exp %1 : tensor<?x?xf64>
  %3 = tensor.subtensor %x, %k {slices = "@, ::-1"} : (tensor<?x?xf64>, tensor<i64>) -> tensor<?xf64>
  %4 = elemwise.exp %3 : tensor<?xf64>
  func.return %2, %4 : tensor<?x?xf64>, tensor<?xf64>
}
// CHECK-LABEL: func.func @slices
// CHECK: %[[V:.+]] = loops.subview %x[%{{.+}} for %[[N:.+]] by %{{.+}}, %{{.+}} for %[[M:.+]]] : tensor<?x?xf64> -> tensor<?x?xf64>
// CHECK: loops.nest (%[[I:.+]] < %[[M]], %[[J:.+]] < %[[N]]) ins(%{{.+}} = %[[V]][%[[J]], %[[I]]] : tensor<?x?xf64>)
// CHECK: loops.subview %x[%{{.+}}, %{{.+}} for %{{.+}} by -1] : tensor<?x?xf64> -> tensor<?xf64>

// -----

// One element is a scalar of the function; nothing of a slice is copied but what is returned.
func.func @element(%x: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
  %0 = tensor.subtensor %x {slices = "-1"} : (tensor<?xf64>) -> tensor<f64>
  %1 = tensor.dimshuffle %0 {order = array<i64: -1>} : (tensor<f64>) -> tensor<1xf64>
  %2 = elemwise.mul %x, %1 : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %3 = tensor.subtensor %x {slices = "1:"} : (tensor<?xf64>) -> tensor<?xf64>
  func.return %2, %3 : tensor<?xf64>, tensor<?xf64>
}
// CHECK-LABEL: func.func @element
// CHECK: %[[E:.+]] = loops.gather %x, %{{.+}} : (tensor<?xf64>, index) -> f64
// CHECK: elemwise.mul %{{.+}}, %[[E]] : f64
// CHECK: %[[V:.+]] = loops.subview %x
// CHECK: %[[C:.+]] = loops.nest {{.+}} ins(%{{.+}} = %[[V]][
// CHECK: func.return %{{.+}}, %[[C]]

// -----

// The library gets rows that stand in order as they are, others as a copy.
func.func @product(%x: tensor<?x?xf64>, %w: tensor<?x?xf64>, %k: tensor<i64>) -> (tensor<?x?xf64>, tensor<?x?xf64>) {
  %0 = tensor.subtensor %x, %k {slices = "@:, 1:"} : (tensor<?x?xf64>, tensor<i64>) -> tensor<?x?xf64>
  %1 = tensor.gemm %0, %w : (tensor<?x?xf64>, tensor<?x?xf64>) -> tensor<?x?xf64>
  %2 = tensor.subtensor %x {slices = "::-1"} : (tensor<?x?xf64>) -> tensor<?x?xf64>
  %3 = tensor.gemm %2, %w : (tensor<?x?xf64>, tensor<?x?xf64>) -> tensor<?x?xf64>
  func.return %1, %3 : tensor<?x?xf64>, tensor<?x?xf64>
}
// CHECK-LABEL: func.func @product
// CHECK: %[[V:.+]] = loops.subview %x
// CHECK-NEXT: loops.call %[[V]], %w
// CHECK: %[[R:.+]] = loops.subview %x[%{{.+}} for %{{.+}} by -1, :]
// CHECK: %[[C:.+]] = loops.nest {{.+}} ins(%{{.+}} = %[[R]][
// CHECK: loops.call %[[C]], %w

// -----

// An increment reads a part of the array and puts the sum in its place.
func.func @increment(%x: tensor<?x?xf64>, %v: tensor<?xf64>, %k: tensor<i64>) -> tensor<?x?xf64> {
  %0 = tensor.inc_subtensor %x, %v, %k {slices = "@, :"} : (tensor<?x?xf64>, tensor<?xf64>, tensor<i64>) -> tensor<?x?xf64>
  func.return %0 : tensor<?x?xf64>
}
// CHECK-LABEL: func.func @increment
// CHECK: %[[P:.+]] = loops.subview %x[%[[K:.+]], :] : tensor<?x?xf64> -> tensor<?xf64>
// CHECK: %[[S:.+]] = loops.nest (%[[J:.+]] < %{{.+}}) ins(%[[V:.+]] = %v[%[[J]]] : tensor<?xf64>, %[[O:.+]] = %[[P]][%[[J]]] : tensor<?xf64>) -> (collect[%[[J]]] : tensor<?xf64>)
// CHECK: elemwise.add %[[O]], %[[V]]
// CHECK: loops.insert %[[S]] into %x[%[[K]], :] : tensor<?xf64> into tensor<?x?xf64>

// -----

// Around a range, what is all the same is filled, and it is not read; what is stored is not read either; one element is scattered.
func.func @stored(%z: tensor<?xf64>, %v: tensor<?xf64>, %k: tensor<i64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) {
  %n = tensor.size %z {dim = 0} : (tensor<?xf64>) -> tensor<i64>
  %zero = elemwise.constant 0.0 : tensor<f64>
  %a = tensor.alloc %zero, %n {ones = array<i64>} : (tensor<f64>, tensor<i64>) -> tensor<?xf64>
  %0 = tensor.inc_subtensor %a, %v {slices = "1:"} : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %1 = tensor.inc_subtensor %z, %v {slices = "1:", set = true} : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %2 = tensor.inc_subtensor %z, %zero, %k {slices = "@"} : (tensor<?xf64>, tensor<f64>, tensor<i64>) -> tensor<?xf64>
  func.return %0, %1, %2 : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
}
// CHECK-LABEL: func.func @stored
// CHECK: %[[A:.+]] = loops.empty %[[N:.+]] : (index) -> tensor<?xf64>
// CHECK-NOT: loops.subview
// CHECK: elemwise.add %{{.+}}, %{{.+}} : f64
// CHECK: %[[B:.+]] = loops.insert %{{.+}} into %[[A]][%[[F:.+]] for %[[M:.+]]]
// CHECK: %[[E:.+]] = elemwise.add %[[F]], %[[M]] : index
// CHECK: %[[L:.+]] = elemwise.sub %[[N]], %[[E]] : index
// CHECK: %[[V:.+]] = loops.nest (%{{.+}} < %[[F]]) ->
// CHECK: %[[C:.+]] = loops.insert %[[V]] into %[[B]][%{{.+}} for %[[F]]]
// CHECK: %[[W:.+]] = loops.nest (%{{.+}} < %[[L]]) ->
// CHECK: loops.insert %[[W]] into %[[C]][%[[E]] for %[[L]]]
// CHECK-NOT: loops.subview
// CHECK: loops.insert %{{.+}} into %z[
// CHECK: scatter_add(%z)[?]

// -----

// A number has no region: it is added to, or replaced.
func.func @number(%x: tensor<f64>, %v: tensor<i8>) -> (tensor<f64>, tensor<f64>) {
  %0 = tensor.inc_subtensor %x, %v {slices = ""} : (tensor<f64>, tensor<i8>) -> tensor<f64>
  %1 = tensor.inc_subtensor %x, %v {slices = "", set = true} : (tensor<f64>, tensor<i8>) -> tensor<f64>
  func.return %0, %1 : tensor<f64>, tensor<f64>
}
// CHECK-LABEL: func.func @number(%x: f64, %v: i8) -> (f64, f64) {
// CHECK-NEXT: %[[A:.+]] = elemwise.cast %v {dtype = f64} : (i8) -> f64
// CHECK-NEXT: %[[S:.+]] = elemwise.add %x, %[[A]] : f64
// CHECK-NEXT: %[[B:.+]] = elemwise.cast %v {dtype = f64} : (i8) -> f64
// CHECK-NEXT: func.return %[[S]], %[[B]] : f64, f64

// -----

// A reshape that only adds dimensions of size 1 vanishes; another is a view of a copy of the caller's array.
func.func @reshapes(%x: tensor<?x?xf64>) -> (tensor<?x1x?xf64>, tensor<?xf64>) {
  %n = tensor.size %x {dim = 0} : (tensor<?x?xf64>) -> tensor<i64>
  %m = tensor.size %x {dim = 1} : (tensor<?x?xf64>) -> tensor<i64>
  %one = elemwise.constant 1 : tensor<i64>
  %s = tensor.make_vector %n, %one, %m {dtype = i64} : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %0 = tensor.reshape_to %x, %s {ndim = 3, ones = array<i64: 1>} : (tensor<?x?xf64>, tensor<?xi64>) -> tensor<?x1x?xf64>
  %all = elemwise.constant -1 : tensor<i64>
  %f = tensor.make_vector %all {dtype = i64} : (tensor<i64>) -> tensor<1xi64>
  %1 = tensor.reshape_to %x, %f {ndim = 1, ones = array<i64>} : (tensor<?x?xf64>, tensor<1xi64>) -> tensor<?xf64>
  func.return %0, %1 : tensor<?x1x?xf64>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @reshapes(
// CHECK-SAME: %[[X:.+]]: tensor<?x?xf64>) -> (tensor<?x1x?xf64>, tensor<?xf64>) {
// CHECK-NEXT: %[[V0:.+]] = loops.dim %[[X]], 0 : tensor<?x?xf64>
// CHECK-NEXT: %[[V1:.+]] = loops.dim %[[X]], 1 : tensor<?x?xf64>
// CHECK-NEXT: %[[X_1:[^ ,:]+]] = loops.nest (%[[I:[^ ,:]+]] < %[[V0]], %[[J:[^ ,:]+]] < %[[V1]]) ins(%[[X_2:[^ ,:]+]] = %[[X]][%[[I]], %[[J]]] : tensor<?x?xf64>) -> (collect[%[[I]], %[[J]]] : tensor<?x?xf64>) {
// CHECK-NEXT: loops.yield %[[X_2]] : f64
// CHECK-NEXT: }
// CHECK-NEXT: %[[V2:.+]] = elemwise.mul %[[V0]], %[[V1]] : index
// CHECK-NEXT: %[[RESHAPE_TO:.+]] = loops.view %[[X_1]], %[[V2]] : (tensor<?x?xf64>, index) -> tensor<?xf64>
// CHECK-NEXT: %[[V3:[^ ,:]+]] = loops.nest (%[[I_1:[^ ,:]+]] < %[[V0]], %[[J_1:[^ ,:]+]] < %[[V1]]) ins(%[[X_3:[^ ,:]+]] = %[[X]][%[[I_1]], %[[J_1]]] : tensor<?x?xf64>) -> (collect[%[[I_1]], 0, %[[J_1]]] : tensor<?x1x?xf64>) {
// CHECK-NEXT: loops.yield %[[X_3]] : f64
// CHECK-NEXT: }
// CHECK-NEXT: func.return %[[V3]], %[[RESHAPE_TO]] : tensor<?x1x?xf64>, tensor<?xf64>
// CHECK-NEXT: }
// -----

// An argument that is returned is copied, and a value returned twice.
func.func @copies(%x: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) {
  %0 = elemwise.neg %x : tensor<?xf64>
  func.return %x, %0, %0 : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @copies(
// CHECK-SAME: %[[X:.+]]: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) {
// CHECK-NEXT: %[[V0:.+]] = loops.dim %[[X]], 0 : tensor<?xf64>
// CHECK-NEXT: %[[NEG:[^ ,:]+]] = loops.nest (%[[I:[^ ,:]+]] < %[[V0]]) ins(%[[X_1:[^ ,:]+]] = %[[X]][%[[I]]] : tensor<?xf64>) -> (collect[%[[I]]] : tensor<?xf64>) {
// CHECK-NEXT: %[[V1:.+]] = elemwise.neg %[[X_1]] : f64
// CHECK-NEXT: loops.yield %[[V1]] : f64
// CHECK-NEXT: }
// CHECK-NEXT: %[[X_2:[^ ,:]+]] = loops.nest (%[[I_1:[^ ,:]+]] < %[[V0]]) ins(%[[X_3:[^ ,:]+]] = %[[X]][%[[I_1]]] : tensor<?xf64>) -> (collect[%[[I_1]]] : tensor<?xf64>) {
// CHECK-NEXT: loops.yield %[[X_3]] : f64
// CHECK-NEXT: }
// CHECK-NEXT: %[[V2:[^ ,:]+]] = loops.nest (%[[I_2:[^ ,:]+]] < %[[V0]]) ins(%[[NEG_1:[^ ,:]+]] = %[[NEG]][%[[I_2]]] : tensor<?xf64>) -> (collect[%[[I_2]]] : tensor<?xf64>) {
// CHECK-NEXT: loops.yield %[[NEG_1]] : f64
// CHECK-NEXT: }
// CHECK-NEXT: func.return %[[X_2]], %[[NEG]], %[[V2]] : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
// CHECK-NEXT: }
// -----

// What nothing uses makes no nest; its check stays.
func.func @dead(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %0 = elemwise.add %x, %y : tensor<?xf64>
  %1 = elemwise.exp %0 : tensor<?xf64>
  %2 = elemwise.neg %x : tensor<?xf64>
  func.return %2 : tensor<?xf64>
}
// CHECK-LABEL: func.func @dead
// CHECK: loops.check
// CHECK-NOT: elemwise.exp
// CHECK: elemwise.neg
