// RUN: tt-opt %s -p explicit-casts --split-input-file | filecheck %s

// Arithmetic computes in the dtype of the result; a cast is made once.

func.func @arithmetic(%x: tensor<?xf64>, %n: tensor<?xi32>) -> (tensor<?xf64>, tensor<?xf64>) {
  %0 = elemwise.mul %x, %n : (tensor<?xf64>, tensor<?xi32>) -> tensor<?xf64>
  %1 = elemwise.add %0, %n : (tensor<?xf64>, tensor<?xi32>) -> tensor<?xf64>
  func.return %0, %1 : tensor<?xf64>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @arithmetic(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[N:[^ ,:]+]]: tensor<?xi32>) -> (tensor<?xf64>, tensor<?xf64>) {
// CHECK-NEXT: %[[V0:.+]] = elemwise.cast %[[N]] {dtype = f64} : (tensor<?xi32>) -> tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.mul %[[X]], %[[V0]] : tensor<?xf64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.add %[[V1]], %[[V0]] : tensor<?xf64>
// CHECK-NEXT: func.return %[[V1]], %[[V2]] : tensor<?xf64>, tensor<?xf64>
// CHECK-NEXT: }
// -----

// Equal dtypes stay as they are; the model of a fill and the index vectors of a gather too.

func.func @nothing_to_do(%x: tensor<?xf32>, %n: tensor<?xi8>) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>) {
  %0 = elemwise.sub %x, %x : tensor<?xf32>
  %1 = elemwise.second %n, %x : (tensor<?xi8>, tensor<?xf32>) -> tensor<?xf32>
  %2 = tensor.advanced_subtensor %x, %n : (tensor<?xf32>, tensor<?xi8>) -> tensor<?xf32>
  func.return %0, %1, %2 : tensor<?xf32>, tensor<?xf32>, tensor<?xf32>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @nothing_to_do(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf32>, %[[N:[^ ,:]+]]: tensor<?xi8>) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>) {
// CHECK-NEXT: %[[V0:.+]] = elemwise.sub %[[X]], %[[X]] : tensor<?xf32>
// CHECK-NEXT: %[[V1:.+]] = elemwise.second %[[N]], %[[X]] : (tensor<?xi8>, tensor<?xf32>) -> tensor<?xf32>
// CHECK-NEXT: %[[V2:.+]] = tensor.advanced_subtensor %[[X]], %[[N]] : (tensor<?xf32>, tensor<?xi8>) -> tensor<?xf32>
// CHECK-NEXT: func.return %[[V0]], %[[V1]], %[[V2]] : tensor<?xf32>, tensor<?xf32>, tensor<?xf32>
// CHECK-NEXT: }
// -----

// Comparisons compare in the common dtype.

func.func @comparison(%x: tensor<?xf32>, %n: tensor<?xi32>) -> tensor<?xi1> {
  %0 = elemwise.lt %x, %n : (tensor<?xf32>, tensor<?xi32>) -> tensor<?xi1>
  func.return %0 : tensor<?xi1>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @comparison(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf32>, %[[N:[^ ,:]+]]: tensor<?xi32>) -> tensor<?xi1> {
// CHECK-NEXT: %[[V0:.+]] = elemwise.cast %[[X]] {dtype = f64} : (tensor<?xf32>) -> tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = elemwise.cast %[[N]] {dtype = f64} : (tensor<?xi32>) -> tensor<?xf64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.lt %[[V0]], %[[V1]] : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xi1>
// CHECK-NEXT: func.return %[[V2]] : tensor<?xi1>
// CHECK-NEXT: }
// -----

// A condition becomes bool, the branches get the dtype of the result.

func.func @switch(%c: tensor<?xi8>, %x: tensor<?xf64>, %n: tensor<?xi32>) -> tensor<?xf64> {
  %0 = elemwise.switch %c, %x, %n : (tensor<?xi8>, tensor<?xf64>, tensor<?xi32>) -> tensor<?xf64>
  func.return %0 : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @switch(
// CHECK-SAME: %[[C:[^ ,:]+]]: tensor<?xi8>, %[[X:[^ ,:]+]]: tensor<?xf64>, %[[N:[^ ,:]+]]: tensor<?xi32>) -> tensor<?xf64> {
// CHECK-NEXT: %[[V0:.+]] = elemwise.constant 0 : tensor<1xi8>
// CHECK-NEXT: %[[V1:.+]] = elemwise.neq %[[C]], %[[V0]] : (tensor<?xi8>, tensor<1xi8>) -> tensor<?xi1>
// CHECK-NEXT: %[[V2:.+]] = elemwise.cast %[[N]] {dtype = f64} : (tensor<?xi32>) -> tensor<?xf64>
// CHECK-NEXT: %[[V3:.+]] = elemwise.switch %[[V1]], %[[X]], %[[V2]] : (tensor<?xi1>, tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
// CHECK-NEXT: func.return %[[V3]] : tensor<?xf64>
// CHECK-NEXT: }
// -----

// Elementary functions of integers.

func.func @float_of_int(%n: tensor<?xi8>, %m: tensor<?xi64>) -> (tensor<?xf32>, tensor<?xf64>) {
  %0 = elemwise.exp %n : (tensor<?xi8>) -> tensor<?xf32>
  %1 = elemwise.sqrt %m : (tensor<?xi64>) -> tensor<?xf64>
  func.return %0, %1 : tensor<?xf32>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @float_of_int(
// CHECK-SAME: %[[N:[^ ,:]+]]: tensor<?xi8>, %[[M:[^ ,:]+]]: tensor<?xi64>) -> (tensor<?xf32>, tensor<?xf64>) {
// CHECK-NEXT: %[[V0:.+]] = elemwise.cast %[[N]] {dtype = f32} : (tensor<?xi8>) -> tensor<?xf32>
// CHECK-NEXT: %[[V1:.+]] = elemwise.exp %[[V0]] : tensor<?xf32>
// CHECK-NEXT: %[[V2:.+]] = elemwise.cast %[[M]] {dtype = f64} : (tensor<?xi64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V3:.+]] = elemwise.sqrt %[[V2]] : tensor<?xf64>
// CHECK-NEXT: func.return %[[V1]], %[[V3]] : tensor<?xf32>, tensor<?xf64>
// CHECK-NEXT: }
// -----

// Quotients of integers: narrow ones directly in float32, wide ones in float64 and then rounded.

func.func @quotients(%n: tensor<?xi8>, %m: tensor<?xi32>) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf64>) {
  %0 = elemwise.true_div %n, %n {dtype = f32} : (tensor<?xi8>, tensor<?xi8>) -> tensor<?xf32>
  %1 = elemwise.true_div %m, %m {dtype = f32} : (tensor<?xi32>, tensor<?xi32>) -> tensor<?xf32>
  %2 = elemwise.true_div %m, %m : (tensor<?xi32>, tensor<?xi32>) -> tensor<?xf64>
  func.return %0, %1, %2 : tensor<?xf32>, tensor<?xf32>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @quotients(
// CHECK-SAME: %[[N:[^ ,:]+]]: tensor<?xi8>, %[[M:[^ ,:]+]]: tensor<?xi32>) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf64>) {
// CHECK-NEXT: %[[V0:.+]] = elemwise.cast %[[N]] {dtype = f32} : (tensor<?xi8>) -> tensor<?xf32>
// CHECK-NEXT: %[[V1:.+]] = elemwise.true_div %[[V0]], %[[V0]] : tensor<?xf32>
// CHECK-NEXT: %[[V2:.+]] = elemwise.cast %[[M]] {dtype = f64} : (tensor<?xi32>) -> tensor<?xf64>
// CHECK-NEXT: %[[V3:.+]] = elemwise.true_div %[[V2]], %[[V2]] : tensor<?xf64>
// CHECK-NEXT: %[[V4:.+]] = elemwise.cast %[[V3]] {dtype = f32} : (tensor<?xf64>) -> tensor<?xf32>
// CHECK-NEXT: %[[V5:.+]] = elemwise.true_div %[[V2]], %[[V2]] : tensor<?xf64>
// CHECK-NEXT: func.return %[[V1]], %[[V4]], %[[V5]] : tensor<?xf32>, tensor<?xf32>, tensor<?xf64>
// CHECK-NEXT: }
// -----

// isnan of integers is false everywhere; of floats it stays.

func.func @isnan(%n: tensor<?xi8>, %x: tensor<?xf32>) -> (tensor<?xi1>, tensor<?xi1>) {
  %0 = elemwise.isnan %n : (tensor<?xi8>) -> tensor<?xi1>
  %1 = elemwise.isnan %x : (tensor<?xf32>) -> tensor<?xi1>
  func.return %0, %1 : tensor<?xi1>, tensor<?xi1>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @isnan(
// CHECK-SAME: %[[N:[^ ,:]+]]: tensor<?xi8>, %[[X:[^ ,:]+]]: tensor<?xf32>) -> (tensor<?xi1>, tensor<?xi1>) {
// CHECK-NEXT: %[[V0:.+]] = elemwise.neq %[[N]], %[[N]] : (tensor<?xi8>, tensor<?xi8>) -> tensor<?xi1>
// CHECK-NEXT: %[[V1:.+]] = elemwise.isnan %[[X]] : (tensor<?xf32>) -> tensor<?xi1>
// CHECK-NEXT: func.return %[[V0]], %[[V1]] : tensor<?xi1>, tensor<?xi1>
// CHECK-NEXT: }
// -----

// A reduction happens in the accumulator's dtype, and then becomes the result's.

func.func @reductions(%x: tensor<?xf32>, %n: tensor<?xi32>) -> (tensor<f32>, tensor<i64>, tensor<i32>, tensor<i32>) {
  %0 = tensor.reduce %x {kind = "add", axes = array<i64: 0>, acc_dtype = f64} : (tensor<?xf32>) -> tensor<f32>
  %1 = tensor.reduce %n {kind = "add", axes = array<i64: 0>} : (tensor<?xi32>) -> tensor<i64>
  %2 = tensor.reduce %n {kind = "mul", axes = array<i64: 0>, dtype = i32} : (tensor<?xi32>) -> tensor<i32>
  %3 = tensor.reduce %n {kind = "max", axes = array<i64: 0>} : (tensor<?xi32>) -> tensor<i32>
  func.return %0, %1, %2, %3 : tensor<f32>, tensor<i64>, tensor<i32>, tensor<i32>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @reductions(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf32>, %[[N:[^ ,:]+]]: tensor<?xi32>) -> (tensor<f32>, tensor<i64>, tensor<i32>, tensor<i32>) {
// CHECK-NEXT: %[[V0:.+]] = elemwise.cast %[[X]] {dtype = f64} : (tensor<?xf32>) -> tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = tensor.reduce %[[V0]] {kind = "add", axes = array<i64: 0>} : (tensor<?xf64>) -> tensor<f64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.cast %[[V1]] {dtype = f32} : (tensor<f64>) -> tensor<f32>
// CHECK-NEXT: %[[V3:.+]] = elemwise.cast %[[N]] {dtype = i64} : (tensor<?xi32>) -> tensor<?xi64>
// CHECK-NEXT: %[[V4:.+]] = tensor.reduce %[[V3]] {kind = "add", axes = array<i64: 0>} : (tensor<?xi64>) -> tensor<i64>
// CHECK-NEXT: %[[V5:.+]] = tensor.reduce %[[N]] {kind = "mul", axes = array<i64: 0>, dtype = i32} : (tensor<?xi32>) -> tensor<i32>
// CHECK-NEXT: %[[V6:.+]] = tensor.reduce %[[N]] {kind = "max", axes = array<i64: 0>} : (tensor<?xi32>) -> tensor<i32>
// CHECK-NEXT: func.return %[[V2]], %[[V4]], %[[V5]], %[[V6]] : tensor<f32>, tensor<i64>, tensor<i32>, tensor<i32>
// CHECK-NEXT: }
// -----

// Products, stored values, sizes and bounds.

func.func @arrays(%x: tensor<?x?xf64>, %v: tensor<?xf32>, %k: tensor<i32>, %n: tensor<i32>) -> (tensor<?xf64>, tensor<?x?xf64>, tensor<?xf32>, tensor<?xf64>) {
  %0 = tensor.dot %x, %v : (tensor<?x?xf64>, tensor<?xf32>) -> tensor<?xf64>
  %1 = tensor.inc_subtensor %x, %v, %k {slices = "@"} : (tensor<?x?xf64>, tensor<?xf32>, tensor<i32>) -> tensor<?x?xf64>
  %2 = tensor.alloc %v, %n {ones = array<i64>} : (tensor<?xf32>, tensor<i32>) -> tensor<?xf32>
  %3 = tensor.make_vector %k, %k {dtype = f64} : (tensor<i32>, tensor<i32>) -> tensor<?xf64>
  func.return %0, %1, %2, %3 : tensor<?xf64>, tensor<?x?xf64>, tensor<?xf32>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @arrays(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?x?xf64>, %[[V:[^ ,:]+]]: tensor<?xf32>, %[[K:[^ ,:]+]]: tensor<i32>, %[[N:[^ ,:]+]]: tensor<i32>) -> (tensor<?xf64>, tensor<?x?xf64>, tensor<?xf32>, tensor<?xf64>) {
// CHECK-NEXT: %[[V0:.+]] = elemwise.cast %[[V]] {dtype = f64} : (tensor<?xf32>) -> tensor<?xf64>
// CHECK-NEXT: %[[V1:.+]] = tensor.dot %[[X]], %[[V0]] : (tensor<?x?xf64>, tensor<?xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[V2:.+]] = elemwise.cast %[[K]] {dtype = i64} : (tensor<i32>) -> tensor<i64>
// CHECK-NEXT: %[[V3:.+]] = tensor.inc_subtensor %[[X]], %[[V0]], %[[V2]] {slices = "@"} : (tensor<?x?xf64>, tensor<?xf64>, tensor<i64>) -> tensor<?x?xf64>
// CHECK-NEXT: %[[V4:.+]] = elemwise.cast %[[N]] {dtype = i64} : (tensor<i32>) -> tensor<i64>
// CHECK-NEXT: %[[V5:.+]] = tensor.alloc %[[V]], %[[V4]] {ones = array<i64>} : (tensor<?xf32>, tensor<i64>) -> tensor<?xf32>
// CHECK-NEXT: %[[V6:.+]] = elemwise.cast %[[K]] {dtype = f64} : (tensor<i32>) -> tensor<f64>
// CHECK-NEXT: %[[V7:.+]] = tensor.make_vector %[[V6]], %[[V6]] {dtype = f64} : (tensor<f64>, tensor<f64>) -> tensor<?xf64>
// CHECK-NEXT: func.return %[[V1]], %[[V3]], %[[V5]], %[[V7]] : tensor<?xf64>, tensor<?x?xf64>, tensor<?xf32>, tensor<?xf64>
// CHECK-NEXT: }
