// RUN: tt-opt %s -p move-indexing --split-input-file | filecheck %s

// A gather along a range takes elements of what the array is made from; dimensions of size 1 are not indexed.
func.func @gather(%x: tensor<?x?xf64>, %s: tensor<?x1xf64>, %r: tensor<1x1xf64>, %y: tensor<?xi64>, %n: tensor<i64>) -> tensor<?xf64> {
  %zero = elemwise.constant 0 : tensor<i64>
  %one = elemwise.constant 1 : tensor<i64>
  %i = tensor.arange %zero, %n, %one {dtype = i64} : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %0 = elemwise.sub %x, %s : (tensor<?x?xf64>, tensor<?x1xf64>) -> tensor<?x?xf64>
  %1 = elemwise.mul %0, %r : (tensor<?x?xf64>, tensor<1x1xf64>) -> tensor<?x?xf64>
  %2 = tensor.advanced_subtensor %1, %i, %y : (tensor<?x?xf64>, tensor<?xi64>, tensor<?xi64>) -> tensor<?xf64>
  func.return %2 : tensor<?xf64>
}
// CHECK-LABEL: func.func @gather
// CHECK: %[[I:.+]] = tensor.arange
// CHECK-NEXT: %[[X:.+]] = tensor.advanced_subtensor %x, %[[I]], %y
// CHECK-NEXT: %[[S:.+]] = tensor.dimshuffle %s {order = array<i64: 0>}
// CHECK-NEXT: %[[G:.+]] = tensor.advanced_subtensor %[[S]], %[[I]] :
// CHECK-NEXT: %[[D:.+]] = elemwise.sub %[[X]], %[[G]] : tensor<?xf64>
// CHECK-NEXT: %[[R:.+]] = tensor.dimshuffle %r {order = array<i64: -1>}
// CHECK-NEXT: %[[P:.+]] = elemwise.mul %[[D]], %[[R]]
// CHECK-NEXT: func.return %[[P]]

// -----

// Any other index may name a place many times: the array is computed once.
func.func @repeated(%x: tensor<?x?xf64>, %i: tensor<?xi64>, %y: tensor<?xi64>) -> tensor<?xf64> {
  %0 = elemwise.exp %x : tensor<?x?xf64>
  %1 = tensor.advanced_subtensor %0, %i, %y : (tensor<?x?xf64>, tensor<?xi64>, tensor<?xi64>) -> tensor<?xf64>
  func.return %1 : tensor<?xf64>
}
// CHECK-LABEL: func.func @repeated
// CHECK-NEXT: elemwise.exp %x
// CHECK-NEXT: tensor.advanced_subtensor

// -----

// A range of step 0 names one place.
func.func @standing(%x: tensor<?xf64>, %n: tensor<i64>) -> tensor<?xf64> {
  %zero = elemwise.constant 0 : tensor<i64>
  %i = tensor.arange %zero, %n, %zero {dtype = i64} : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %0 = elemwise.exp %x : tensor<?xf64>
  %1 = tensor.advanced_subtensor %0, %i : (tensor<?xf64>, tensor<?xi64>) -> tensor<?xf64>
  func.return %1 : tensor<?xf64>
}
// CHECK-LABEL: func.func @standing
// CHECK: elemwise.exp %x
// CHECK-NEXT: tensor.advanced_subtensor

// -----

// Elements added to zeros, in a sum and a difference: they are added to the rest instead.
func.func @scattered(%x: tensor<?x?xf64>, %b: tensor<?x?xf64>, %v: tensor<?xf64>, %y: tensor<?xi64>, %n: tensor<i64>) -> (tensor<?x?xf64>, tensor<?x?xf64>) {
  %zero = elemwise.constant 0 : tensor<i64>
  %one = elemwise.constant 1 : tensor<i64>
  %i = tensor.arange %zero, %n, %one {dtype = i64} : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %c = elemwise.constant 0.0 : tensor<1x1xf64>
  %zeros = elemwise.second %x, %c : (tensor<?x?xf64>, tensor<1x1xf64>) -> tensor<?x?xf64>
  %0 = tensor.advanced_inc_subtensor %zeros, %v, %i, %y : (tensor<?x?xf64>, tensor<?xf64>, tensor<?xi64>, tensor<?xi64>) -> tensor<?x?xf64>
  %1 = elemwise.sub %0, %b : tensor<?x?xf64>
  %2 = tensor.advanced_inc_subtensor %zeros, %v, %y, %i : (tensor<?x?xf64>, tensor<?xf64>, tensor<?xi64>, tensor<?xi64>) -> tensor<?x?xf64>
  %3 = elemwise.sub %b, %2 : tensor<?x?xf64>
  func.return %1, %3 : tensor<?x?xf64>, tensor<?x?xf64>
}
// CHECK-LABEL: func.func @scattered
// CHECK: %[[I:.+]] = tensor.arange
// CHECK: %[[Z:.+]] = elemwise.constant 0.000000e+00 : tensor<1x1xf64>
// CHECK-NEXT: %[[D:.+]] = elemwise.sub %[[Z]], %b
// CHECK-NEXT: %[[R0:.+]] = tensor.advanced_inc_subtensor %[[D]], %v, %[[I]], %y
// CHECK: %[[A:.+]] = elemwise.add %v, %{{.+}} :
// CHECK-NEXT: %[[N:.+]] = elemwise.neg %[[A]]
// CHECK-NEXT: %[[R1:.+]] = tensor.advanced_inc_subtensor %b, %[[N]], %y, %[[I]]
// CHECK-NEXT: func.return %[[R0]], %[[R1]]

// -----

// Its sum along the rows is the elements, where the array itself is there to look the places up.
func.func @row_sums(%x: tensor<?x?xf32>, %b: tensor<?x?xf32>, %v: tensor<?xf32>, %y: tensor<?xi64>, %n: tensor<i64>) -> (tensor<?x?xf32>, tensor<?xf64>) {
  %zero = elemwise.constant 0 : tensor<i64>
  %one = elemwise.constant 1 : tensor<i64>
  %i = tensor.arange %zero, %n, %one {dtype = i64} : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %c = elemwise.constant 0.0 : tensor<1x1xf32>
  %zeros = elemwise.second %x, %c : (tensor<?x?xf32>, tensor<1x1xf32>) -> tensor<?x?xf32>
  %0 = tensor.advanced_inc_subtensor %zeros, %v, %i, %y : (tensor<?x?xf32>, tensor<?xf32>, tensor<?xi64>, tensor<?xi64>) -> tensor<?x?xf32>
  %1 = elemwise.cast %0 {dtype = f64} : (tensor<?x?xf32>) -> tensor<?x?xf64>
  %2 = tensor.reduce %1 {kind = "add", axes = array<i64: 1>} : (tensor<?x?xf64>) -> tensor<?xf64>
  %3 = elemwise.add %0, %b : tensor<?x?xf32>
  func.return %3, %2 : tensor<?x?xf32>, tensor<?xf64>
}
// CHECK-LABEL: func.func @row_sums
// CHECK: %[[I:.+]] = tensor.arange
// CHECK: %[[Z:.+]] = tensor.alloc
// CHECK: %[[V:.+]] = elemwise.cast %v {dtype = f64}
// CHECK: %[[S:.+]] = tensor.advanced_inc_subtensor %[[Z]], %[[V]], %[[I]] :
// CHECK: %[[B:.+]] = elemwise.add %{{.+}}, %b
// CHECK-NEXT: %[[R:.+]] = tensor.advanced_inc_subtensor %[[B]], %v, %[[I]], %y
// CHECK-NEXT: func.return %[[R]], %[[S]]

// -----

// Not so where nothing else would find an index out of range, where the elements replace, or the zeros are -0.
func.func @kept(%x: tensor<?x?xf64>, %b: tensor<?x?xf64>, %v: tensor<?xf64>, %y: tensor<?xi64>, %n: tensor<i64>) -> (tensor<?xf64>, tensor<?x?xf64>, tensor<?x?xf64>) {
  %zero = elemwise.constant 0 : tensor<i64>
  %one = elemwise.constant 1 : tensor<i64>
  %i = tensor.arange %zero, %n, %one {dtype = i64} : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %c = elemwise.constant 0.0 : tensor<1x1xf64>
  %m = elemwise.constant -0.0 : tensor<1x1xf64>
  %zeros = elemwise.second %x, %c : (tensor<?x?xf64>, tensor<1x1xf64>) -> tensor<?x?xf64>
  %minus = elemwise.second %x, %m : (tensor<?x?xf64>, tensor<1x1xf64>) -> tensor<?x?xf64>
  %0 = tensor.advanced_inc_subtensor %zeros, %v, %i, %y : (tensor<?x?xf64>, tensor<?xf64>, tensor<?xi64>, tensor<?xi64>) -> tensor<?x?xf64>
  %1 = tensor.reduce %0 {kind = "add", axes = array<i64: 1>} : (tensor<?x?xf64>) -> tensor<?xf64>
  %2 = tensor.advanced_inc_subtensor %zeros, %v, %i, %y {set = true} : (tensor<?x?xf64>, tensor<?xf64>, tensor<?xi64>, tensor<?xi64>) -> tensor<?x?xf64>
  %3 = elemwise.add %2, %b : tensor<?x?xf64>
  %4 = tensor.advanced_inc_subtensor %minus, %v, %i, %y : (tensor<?x?xf64>, tensor<?xf64>, tensor<?xi64>, tensor<?xi64>) -> tensor<?x?xf64>
  %5 = elemwise.add %4, %b : tensor<?x?xf64>
  func.return %1, %3, %5 : tensor<?xf64>, tensor<?x?xf64>, tensor<?x?xf64>
}
// CHECK-LABEL: func.func @kept
// CHECK: %[[A:.+]] = tensor.advanced_inc_subtensor
// CHECK-NEXT: tensor.reduce %[[A]]
// CHECK-NEXT: %[[B:.+]] = tensor.advanced_inc_subtensor
// CHECK-NEXT: elemwise.add %[[B]], %b
// CHECK-NEXT: %[[C:.+]] = tensor.advanced_inc_subtensor
// CHECK-NEXT: elemwise.add %[[C]], %b

// -----

// A range from below 0 names places twice: -1 is the last one.
func.func @wrapping(%x: tensor<?xf64>, %b: tensor<?xf64>, %v: tensor<?xf64>, %n: tensor<i64>) -> tensor<?xf64> {
  %start = elemwise.constant -2 : tensor<i64>
  %one = elemwise.constant 1 : tensor<i64>
  %i = tensor.arange %start, %n, %one {dtype = i64} : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %c = elemwise.constant 0.0 : tensor<1xf64>
  %zeros = elemwise.second %x, %c : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %0 = tensor.advanced_inc_subtensor %zeros, %v, %i : (tensor<?xf64>, tensor<?xf64>, tensor<?xi64>) -> tensor<?xf64>
  %1 = elemwise.sub %0, %b : tensor<?xf64>
  func.return %1 : tensor<?xf64>
}
// CHECK-LABEL: func.func @wrapping
// CHECK: %[[S:.+]] = tensor.advanced_inc_subtensor
// CHECK-NEXT: elemwise.sub %[[S]], %b
