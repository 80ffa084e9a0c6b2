// RUN: tt-opt %s --split-input-file | tt-opt --split-input-file | filecheck %s

// Every kind of result; a size known at entry and its check.
func.func @kinds(%x: tensor<?x?xf64>, %y: tensor<?xf64>) -> (tensor<?x?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xi64>, f64) {
  %n = loops.dim %x, 0 : tensor<?x?xf64>
  %d = loops.dim %x, 1 : tensor<?x?xf64>
  %m = loops.dim %y, 0 : tensor<?xf64>
  loops.check %n, %m {message = "found {0} and {1}", kind = "ValueError"} : (index, index) -> ()
  %t, %s, %b, %p, %z = loops.nest (%i < %n, %k < %d) ins(%a = %x[%i, %k] : tensor<?x?xf64>, %c = %y[%i] : tensor<?xf64>)
      -> (collect[%k, %i] : tensor<?x?xf64>, add[%i] : tensor<?xf64>, max[%i] : tensor<?xf64>, argmax[%i] : tensor<?xi64>, mul[] : f64)
      schedule {vector = 8 : i64} {
    %u = elemwise.mul %a, %c : f64
    %q = elemwise.cast %k {dtype = i64} : (index) -> i64
    loops.yield %u, %u, %a, %q, %a : f64, f64, f64, i64, f64
  }
  func.return %t, %s, %b, %p, %z : tensor<?x?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xi64>, f64
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @kinds(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?x?xf64>, %[[Y:[^ ,:]+]]: tensor<?xf64>) -> (tensor<?x?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xi64>, f64) {
// CHECK-NEXT: %[[N:.+]] = loops.dim %[[X]], 0 : tensor<?x?xf64>
// CHECK-NEXT: %[[D:.+]] = loops.dim %[[X]], 1 : tensor<?x?xf64>
// CHECK-NEXT: %[[M:.+]] = loops.dim %[[Y]], 0 : tensor<?xf64>
// CHECK-NEXT: loops.check %[[N]], %[[M]] {message = "found {0} and {1}", kind = "ValueError"} : (index, index) -> ()
// CHECK-NEXT: %[[T:[^ ,:]+]], %[[S:[^ ,:]+]], %[[B:[^ ,:]+]], %[[P:[^ ,:]+]], %[[Z:[^ ,:]+]] = loops.nest (%[[I:[^ ,:]+]] < %[[N]], %[[K:[^ ,:]+]] < %[[D]]) ins(%[[A:[^ ,:]+]] = %[[X]][%[[I]], %[[K]]] : tensor<?x?xf64>, %[[C:[^ ,:]+]] = %[[Y]][%[[I]]] : tensor<?xf64>) -> (collect[%[[K]], %[[I]]] : tensor<?x?xf64>, add[%[[I]]] : tensor<?xf64>, max[%[[I]]] : tensor<?xf64>, argmax[%[[I]]] : tensor<?xi64>, mul[] : f64) schedule {vector = 8 : i64} {
// CHECK-NEXT: %[[U:.+]] = elemwise.mul %[[A]], %[[C]] : f64
// CHECK-NEXT: %[[Q:.+]] = elemwise.cast %[[K]] {dtype = i64} : (index) -> i64
// CHECK-NEXT: loops.yield %[[U]], %[[U]], %[[A]], %[[Q]], %[[A]] : f64, f64, f64, i64, f64
// CHECK-NEXT: }
// CHECK-NEXT: func.return %[[T]], %[[S]], %[[B]], %[[P]], %[[Z]] : tensor<?x?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xi64>, f64
// CHECK-NEXT: }
// -----
// A row of the input, an inner nest, a row that is combined.
func.func @rows(%x: tensor<?x?xf64>, %w: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
  %n = loops.dim %x, 0 : tensor<?x?xf64>
  %d = loops.dim %x, 1 : tensor<?x?xf64>
  %s, %g = loops.nest (%i < %n) ins(%r = %x[%i, :] : tensor<?x?xf64>) -> (collect[%i] : tensor<?xf64>, add[:] : tensor<?xf64>) {
    %t = loops.nest (%k < %d) ins(%a = %r[%k] : tensor<?xf64>, %b = %w[%k] : tensor<?xf64>) -> (add[] : f64) {
      %u = elemwise.mul %a, %b : f64
      loops.yield %u : f64
    }
    loops.yield %t, %r : f64, tensor<?xf64>
  }
  func.return %s, %g : tensor<?xf64>, tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @rows(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?x?xf64>, %[[W:[^ ,:]+]]: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
// CHECK-NEXT: %[[N:.+]] = loops.dim %[[X]], 0 : tensor<?x?xf64>
// CHECK-NEXT: %[[D:.+]] = loops.dim %[[X]], 1 : tensor<?x?xf64>
// CHECK-NEXT: %[[S:[^ ,:]+]], %[[G:[^ ,:]+]] = loops.nest (%[[I:[^ ,:]+]] < %[[N]]) ins(%[[R:[^ ,:]+]] = %[[X]][%[[I]], :] : tensor<?x?xf64>) -> (collect[%[[I]]] : tensor<?xf64>, add[:] : tensor<?xf64>) {
// CHECK-NEXT: %[[T:[^ ,:]+]] = loops.nest (%[[K:[^ ,:]+]] < %[[D]]) ins(%[[A:[^ ,:]+]] = %[[R]][%[[K]]] : tensor<?xf64>, %[[B:[^ ,:]+]] = %[[W]][%[[K]]] : tensor<?xf64>) -> (add[] : f64) {
// CHECK-NEXT: %[[U:.+]] = elemwise.mul %[[A]], %[[B]] : f64
// CHECK-NEXT: loops.yield %[[U]] : f64
// CHECK-NEXT: }
// CHECK-NEXT: loops.yield %[[T]], %[[R]] : f64, tensor<?xf64>
// CHECK-NEXT: }
// CHECK-NEXT: func.return %[[S]], %[[G]] : tensor<?xf64>, tensor<?xf64>
// CHECK-NEXT: }
// -----
// Dimensions of static size 1 have no loop.
func.func @ones(%x: tensor<1x?xf64>) -> tensor<?x1xf64> {
  %n = loops.dim %x, 1 : tensor<1x?xf64>
  %t = loops.nest (%i < %n) ins(%a = %x[0, %i] : tensor<1x?xf64>) -> (collect[%i, 0] : tensor<?x1xf64>) {
    loops.yield %a : f64
  }
  func.return %t : tensor<?x1xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @ones(
// CHECK-SAME: %[[X:.+]]: tensor<1x?xf64>) -> tensor<?x1xf64> {
// CHECK-NEXT: %[[N:.+]] = loops.dim %[[X]], 1 : tensor<1x?xf64>
// CHECK-NEXT: %[[T:[^ ,:]+]] = loops.nest (%[[I:[^ ,:]+]] < %[[N]]) ins(%[[A:[^ ,:]+]] = %[[X]][0, %[[I]]] : tensor<1x?xf64>) -> (collect[%[[I]], 0] : tensor<?x1xf64>) {
// CHECK-NEXT: loops.yield %[[A]] : f64
// CHECK-NEXT: }
// CHECK-NEXT: func.return %[[T]] : tensor<?x1xf64>
// CHECK-NEXT: }
// -----
// Computed indices: gather, scatter; a view and a library call.
func.func @indices(%x: tensor<?x?xf64>, %i: tensor<?xi64>, %z: tensor<?xf64>) -> tensor<?xf64> {
  %n = loops.dim %i, 0 : tensor<?xi64>
  %g, %s = loops.nest (%r < %n) ins(%at = %i[%r] : tensor<?xi64>) -> (collect[%r] : tensor<?xf64>, scatter_add(%z)[?] : tensor<?xf64>) {
    %k = elemwise.cast %at {dtype = index} : (i64) -> index
    %e = loops.gather %x, %r, %k {axes = array<i64: 1, 0>} : (tensor<?x?xf64>, index, index) -> f64
    loops.yield %e, %e, %k : f64, f64, index
  }
  %v = loops.view %g, %n, %n : (tensor<?xf64>, index, index) -> tensor<?x?xf64>
  %p = loops.call %v, %v {callee = "gemm"} : (tensor<?x?xf64>, tensor<?x?xf64>) -> tensor<?x?xf64>
  func.return %s : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @indices(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?x?xf64>, %[[I:[^ ,:]+]]: tensor<?xi64>, %[[Z:[^ ,:]+]]: tensor<?xf64>) -> tensor<?xf64> {
// CHECK-NEXT: %[[N:.+]] = loops.dim %[[I]], 0 : tensor<?xi64>
// CHECK-NEXT: %[[G:[^ ,:]+]], %[[S:[^ ,:]+]] = loops.nest (%[[R:[^ ,:]+]] < %[[N]]) ins(%[[AT:[^ ,:]+]] = %[[I]][%[[R]]] : tensor<?xi64>) -> (collect[%[[R]]] : tensor<?xf64>, scatter_add(%[[Z]])[?] : tensor<?xf64>) {
// CHECK-NEXT: %[[K:.+]] = elemwise.cast %[[AT]] {dtype = index} : (i64) -> index
// CHECK-NEXT: %[[E:.+]] = loops.gather %[[X]], %[[R]], %[[K]] {axes = array<i64: 1, 0>} : (tensor<?x?xf64>, index, index) -> f64
// CHECK-NEXT: loops.yield %[[E]], %[[E]], %[[K]] : f64, f64, index
// CHECK-NEXT: }
// CHECK-NEXT: %[[V:.+]] = loops.view %[[G]], %[[N]], %[[N]] : (tensor<?xf64>, index, index) -> tensor<?x?xf64>
// CHECK-NEXT: %[[P:.+]] = loops.call %[[V]], %[[V]] {callee = "gemm"} : (tensor<?x?xf64>, tensor<?x?xf64>) -> tensor<?x?xf64>
// CHECK-NEXT: func.return %[[S]] : tensor<?xf64>
// CHECK-NEXT: }
// -----
// An index as a place from 0 on, and a scatter to such places.
func.func @places(%x: tensor<?x?xf64>, %i: tensor<?xi64>) -> tensor<?x?xf64> {
  %n = loops.dim %i, 0 : tensor<?xi64>
  %s = loops.nest (%r < %n) ins(%at = %i[%r] : tensor<?xi64>) -> (scatter_set(%x)[%r, ?] : tensor<?x?xf64>) {
    %k = elemwise.cast %at {dtype = index} : (i64) -> index
    %p = loops.locate %x, %k {axis = 1 : i64} : (tensor<?x?xf64>, index) -> index
    %0 = elemwise.constant 1.0 : f64
    loops.yield %0, %p : f64, index
  } attributes {inbounds}
  func.return %s : tensor<?x?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @places(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?x?xf64>, %[[I:[^ ,:]+]]: tensor<?xi64>) -> tensor<?x?xf64> {
// CHECK-NEXT: %[[N:.+]] = loops.dim %[[I]], 0 : tensor<?xi64>
// CHECK-NEXT: %[[S:[^ ,:]+]] = loops.nest (%[[R:[^ ,:]+]] < %[[N]]) ins(%[[AT:[^ ,:]+]] = %[[I]][%[[R]]] : tensor<?xi64>) -> (scatter_set(%[[X]])[%[[R]], ?] : tensor<?x?xf64>) {
// CHECK-NEXT: %[[K:.+]] = elemwise.cast %[[AT]] {dtype = index} : (i64) -> index
// CHECK-NEXT: %[[P:.+]] = loops.locate %[[X]], %[[K]] {axis = 1 : i64} : (tensor<?x?xf64>, index) -> index
// CHECK-NEXT: %[[V0:.+]] = elemwise.constant 1.000000e+00 : f64
// CHECK-NEXT: loops.yield %[[V0]], %[[P]] : f64, index
// CHECK-NEXT: } attributes {inbounds}
// CHECK-NEXT: func.return %[[S]] : tensor<?x?xf64>
// CHECK-NEXT: }
// -----
// After bufferize: results go into memory, what is combined over everything stays a value.
func.func @memory(%x: memref<?xf64>, %o: memref<f64>) -> f64 {
  %n = loops.dim %x, 0 : memref<?xf64>
  %m = loops.alloc %n : (index) -> memref<?xf64>
  %s = loops.nest (%i < %n) ins(%a = %x[%i] : memref<?xf64>) -> (collect[%i] into %m : memref<?xf64>, add[] : f64) {
    %u = elemwise.sqr %a : f64
    loops.yield %u, %a : f64, f64
  }
  loops.store %s, %o : (f64, memref<f64>) -> ()
  func.return %s : f64
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @memory(
// CHECK-SAME: %[[X:[^ ,:]+]]: memref<?xf64>, %[[O:[^ ,:]+]]: memref<f64>) -> f64 {
// CHECK-NEXT: %[[N:.+]] = loops.dim %[[X]], 0 : memref<?xf64>
// CHECK-NEXT: %[[M:.+]] = loops.alloc %[[N]] : (index) -> memref<?xf64>
// CHECK-NEXT: %[[S:[^ ,:]+]] = loops.nest (%[[I:[^ ,:]+]] < %[[N]]) ins(%[[A:[^ ,:]+]] = %[[X]][%[[I]]] : memref<?xf64>) -> (collect[%[[I]]] into %[[M]] : memref<?xf64>, add[] : f64) {
// CHECK-NEXT: %[[U:.+]] = elemwise.sqr %[[A]] : f64
// CHECK-NEXT: loops.yield %[[U]], %[[A]] : f64, f64
// CHECK-NEXT: }
// CHECK-NEXT: loops.store %[[S]], %[[O]] : (f64, memref<f64>) -> ()
// CHECK-NEXT: func.return %[[S]] : f64
// CHECK-NEXT: }
// -----
// Parts: an index drops a dimension, a range keeps it, `:` is the whole one; what is put in place.
func.func @parts(%x: tensor<?x?xf64>, %v: tensor<?xf64>, %i: index, %n: index) -> (tensor<?xf64>, tensor<?x?xf64>) {
  %a = loops.subview %x[%i, :] : tensor<?x?xf64> -> tensor<?xf64>
  %b = loops.subview %x[%i for %n by -2, %i for %n by %n] : tensor<?x?xf64> -> tensor<?x?xf64>
  %c = loops.subview %b[%i for %n, %i] {inbounds} : tensor<?x?xf64> -> tensor<?xf64>
  %d = loops.insert %v into %x[%i for %n, %i] : tensor<?xf64> into tensor<?x?xf64>
  %e = loops.insert %a into %d[%i, :] {inbounds, inplace} : tensor<?xf64> into tensor<?x?xf64>
  func.return %c, %e : tensor<?xf64>, tensor<?x?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @parts(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?x?xf64>, %[[V:[^ ,:]+]]: tensor<?xf64>, %[[I:[^ ,:]+]]: index, %[[N:[^ ,:]+]]: index) -> (tensor<?xf64>, tensor<?x?xf64>) {
// CHECK-NEXT: %[[A:.+]] = loops.subview %[[X]][%[[I]], :] : tensor<?x?xf64> -> tensor<?xf64>
// CHECK-NEXT: %[[B:.+]] = loops.subview %[[X]][%[[I]] for %[[N]] by -2, %[[I]] for %[[N]] by %[[N]]] : tensor<?x?xf64> -> tensor<?x?xf64>
// CHECK-NEXT: %[[C:.+]] = loops.subview %[[B]][%[[I]] for %[[N]], %[[I]]] {inbounds} : tensor<?x?xf64> -> tensor<?xf64>
// CHECK-NEXT: %[[D:.+]] = loops.insert %[[V]] into %[[X]][%[[I]] for %[[N]], %[[I]]] : tensor<?xf64> into tensor<?x?xf64>
// CHECK-NEXT: %[[E:.+]] = loops.insert %[[A]] into %[[D]][%[[I]], :] {inbounds, inplace} : tensor<?xf64> into tensor<?x?xf64>
// CHECK-NEXT: func.return %[[C]], %[[E]] : tensor<?xf64>, tensor<?x?xf64>
// CHECK-NEXT: }
// -----
// An array that is put together from parts.
func.func @empty(%a: tensor<?xf64>, %b: tensor<?xf64>, %i: index, %n: index) -> tensor<?xf64> {
  %e = loops.empty %n : (index) -> tensor<?xf64>
  %0 = loops.insert %a into %e[%i for %i] : tensor<?xf64> into tensor<?xf64>
  func.return %0 : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @empty(
// CHECK-SAME: %[[A:[^ ,:]+]]: tensor<?xf64>, %[[B:[^ ,:]+]]: tensor<?xf64>, %[[I:[^ ,:]+]]: index, %[[N:[^ ,:]+]]: index) -> tensor<?xf64> {
// CHECK-NEXT: %[[E:.+]] = loops.empty %[[N]] : (index) -> tensor<?xf64>
// CHECK-NEXT: %[[V0:.+]] = loops.insert %[[A]] into %[[E]][%[[I]] for %[[I]]] : tensor<?xf64> into tensor<?xf64>
// CHECK-NEXT: func.return %[[V0]] : tensor<?xf64>
// CHECK-NEXT: }
