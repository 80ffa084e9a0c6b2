// RUN: tt-opt %s -p bufferize --split-input-file --verify-diagnostics | filecheck %s

// Arguments have any strides but a dense last dimension; results are trailing arguments; scalars are stored.
// CHECK-LABEL: func.func @results
// CHECK-SAME: %[[X:[a-z0-9_]+]]: memref<?x?xf64, strided<[?, 1]>>, %[[S:[a-z0-9_]+]]: f64, %[[R:[a-z0-9_]+]]: memref<?xf64>, %[[T:[a-z0-9_]+]]: memref<f64>
// CHECK: loops.nest {{.*}} into %[[R]] : memref<?xf64>
// CHECK: loops.store %[[S]], %[[T]] : (f64, memref<f64>) -> ()
// CHECK-NEXT: func.return
// CHECK-NEXT: }
// CHECK: func.func @results_shape
// CHECK: %[[N:[a-z0-9_]+]] = loops.dim %{{[a-z0-9_]+}}, 0
// CHECK: func.return %[[N]] : index
func.func @results(%x: tensor<?x?xf64>, %s: f64) -> (tensor<?xf64>, f64) {
  %n = loops.dim %x, 0 : tensor<?x?xf64>
  %k = loops.dim %x, 1 : tensor<?x?xf64>
  %r = loops.nest (%i < %n, %j < %k) ins(%a = %x[%i, %j] : tensor<?x?xf64>) -> (add[%i] : tensor<?xf64>) {
    loops.yield %a : f64
  }
  func.return %r, %s : tensor<?xf64>, f64
}

// -----

// A temporary whose last use is past gives its slot to one of the same size; another size has its own.
// CHECK-LABEL: func.func @slots
// CHECK: loops.alloc %[[N:[a-z0-9_]+]] {slot = 0 : i64} : (index) -> memref<?xf64>
// CHECK: loops.alloc %[[N]] {slot = 1 : i64} : (index) -> memref<?xf64>
// CHECK: loops.alloc %[[N]] {slot = 0 : i64} : (index) -> memref<?xf64>
// CHECK: loops.alloc %[[N]] {slot = 2 : i64} : (index) -> memref<?xf32>
// CHECK: func.func @slots_shape
// CHECK-COUNT-3: loops.alloc
// CHECK-NOT: loops.alloc
func.func @slots(%x: tensor<?xf64>) -> tensor<?xf32> {
  %n = loops.dim %x, 0 : tensor<?xf64>
  %a = loops.nest (%i < %n) ins(%e = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    loops.yield %e : f64
  }
  %b = loops.nest (%i < %n) ins(%e = %a[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    loops.yield %e : f64
  }
  %c = loops.nest (%i < %n) ins(%e = %b[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    loops.yield %e : f64
  }
  %d = loops.nest (%i < %n) ins(%e = %c[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf32>) {
    %f = elemwise.cast %e {dtype = f32} : (f64) -> f32
    loops.yield %f : f32
  }
  %e = loops.nest (%i < %n) ins(%e = %d[%i] : tensor<?xf32>) -> (collect[%i] : tensor<?xf32>) {
    loops.yield %e : f32
  }
  func.return %e : tensor<?xf32>
}

// -----

// A result in the memory of an input: all in the memory of the function's result, which is that of the last one.
// CHECK-LABEL: func.func @inplace
// CHECK-SAME: %[[R:[a-z0-9_]+]]: memref<?xf64>) attributes
// CHECK-NOT: loops.alloc
// CHECK: collect[%{{[a-z0-9_]+}}] into %[[R]]
// CHECK: collect[%{{[a-z0-9_]+}}] into %[[R]]
func.func @inplace(%x: tensor<?xf64>) -> tensor<?xf64> {
  %n = loops.dim %x, 0 : tensor<?xf64>
  %a = loops.nest (%i < %n) ins(%e = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    loops.yield %e : f64
  }
  %b = loops.nest (%i < %n) ins(%e = %a[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    loops.yield %e : f64
  } attributes {inplace = [array<i64: 0, 0>]}
  func.return %b : tensor<?xf64>
}

// -----

// An argument's memory is the caller's.
func.func @argument(%x: tensor<?xf64>) -> tensor<?xf64> {
  %n = loops.dim %x, 0 : tensor<?xf64>
  // expected-error @+1 {{found a result in the memory of an argument; expected that of a temporary}}
  %a = loops.nest (%i < %n) ins(%e = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    loops.yield %e : f64
  } attributes {inplace = [array<i64: 0, 0>]}
  func.return %a : tensor<?xf64>
}

// -----

// What is returned twice, or is an argument, is copied, in vectors.
// CHECK-LABEL: func.func @copies
// CHECK-SAME: %[[X:[a-z0-9_]+]]: memref<?x1xf32, strided<[?, 1]>>, %[[R0:[a-z0-9_]+]]: memref<?xf32>, %[[R1:[a-z0-9_]+]]: memref<?xf32>, %[[R2:[a-z0-9_]+]]: memref<?x1xf32>
// CHECK: loops.nest {{.*}} into %[[R0]]
// CHECK: loops.nest {{.*}}%[[R0]][%{{[a-z0-9_]+}}] : memref<?xf32> as vector<16xf32>) -> (collect[%{{[a-z0-9_]+}}] into %[[R1]] : memref<?xf32>) schedule {vector = 16 : i64}
// CHECK: loops.nest {{.*}}%[[X]][%[[I:[a-z0-9_]+]], 0] : memref<?x1xf32, strided<[?, 1]>>) -> (collect[%[[I]], 0] into %[[R2]] : memref<?x1xf32>) {
func.func @copies(%x: tensor<?x1xf32>) -> (tensor<?xf32>, tensor<?xf32>, tensor<?x1xf32>) {
  %n = loops.dim %x, 0 : tensor<?x1xf32>
  %a = loops.nest (%i < %n) ins(%e = %x[%i, 0] : tensor<?x1xf32>) -> (collect[%i] : tensor<?xf32>) {
    loops.yield %e : f32
  }
  func.return %a, %a, %x : tensor<?xf32>, tensor<?xf32>, tensor<?x1xf32>
}

// -----

// The checks are the shape function's; what only they need stays there too.
// CHECK-LABEL: func.func @checks(
// CHECK-NOT: loops.check
// CHECK: func.func @checks_shape
// CHECK: loops.check %[[N:[a-z0-9_]+]], %{{[a-z0-9_]+}} {message = "{0} != {1}"}
// CHECK: func.return %[[N]] : index
func.func @checks(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?xf64> {
  %n = loops.dim %x, 0 : tensor<?xf64>
  %m = loops.dim %y, 0 : tensor<?xf64>
  loops.check %n, %m {message = "{0} != {1}"} : (index, index) -> ()
  %a = loops.nest (%i < %n) ins(%e = %x[%i] : tensor<?xf64>, %f = %y[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %g = elemwise.add %e, %f : f64
    loops.yield %g : f64
  }
  func.return %a : tensor<?xf64>
}

// -----

// A view is the same memory: made in the result, seen under the sizes it is made with.
// CHECK-LABEL: func.func @view
// CHECK-SAME: %[[R:[a-z0-9_]+]]: memref<?xf64>) attributes
// CHECK: %[[V:[a-z0-9_]+]] = loops.view %[[R]], %{{[a-z0-9_]+}}, %{{[a-z0-9_]+}} : (memref<?xf64>, index, index) -> memref<?x?xf64>
// CHECK: into %[[V]] : memref<?x?xf64>
// CHECK-NOT: loops.nest
// CHECK: return
func.func @view(%x: tensor<?x?xf64>) -> tensor<?xf64> {
  %n = loops.dim %x, 0 : tensor<?x?xf64>
  %m = loops.dim %x, 1 : tensor<?x?xf64>
  %s = elemwise.mul %n, %m : index
  %a = loops.nest (%i < %n, %j < %m) ins(%e = %x[%i, %j] : tensor<?x?xf64>) -> (collect[%i, %j] : tensor<?x?xf64>) {
    loops.yield %e : f64
  }
  %v = loops.view %a, %s : (tensor<?x?xf64>, index) -> tensor<?xf64>
  func.return %v : tensor<?xf64>
}

// -----

// A row that is collected is made in its place, and read there; a row that is only summed is summed at once;
// one that the body reads and then sums needs memory, for as many rows as run together.
// CHECK-LABEL: func.func @rows
// CHECK: loops.nest
// CHECK: %[[E:[a-z0-9_]+]] = loops.alloc %{{[a-z0-9_]+}} {result = 0 : i64} : (index) -> memref<?xf64>
// CHECK: into %[[E]]
// CHECK: %[[F:[a-z0-9_]+]] = loops.alloc %{{[a-z0-9_]+}} {result = 1 : i64} : (index) -> memref<?xf64>
// CHECK: loops.nest {{.*}}%[[E]][%{{[a-z0-9_]+}}]{{.*}} into %[[F]]
// CHECK: %[[G:[a-z0-9_]+]] = loops.alloc %{{[a-z0-9_]+}} {slot = 0 : i64, rows = 4 : i64} : (index) -> memref<?xf64>
// CHECK: into %[[G]]
// CHECK: loops.nest {{.*}}%[[G]][%{{[a-z0-9_]+}}]
// CHECK: loops.yield %[[E]], %[[F]], %[[G]], %{{[a-z0-9_]+}} : memref<?xf64>, memref<?xf64>, memref<?xf64>, f64
// CHECK: func.func @rows_shape
// CHECK: loops.alloc %{{[a-z0-9_]+}} {slot = 0 : i64, rows = 4 : i64} : (index) -> memref<?xf64>
func.func @rows(%x: tensor<?x?xf64>) -> (tensor<?x?xf64>, tensor<?xf64>, tensor<?xf64>, f64) {
  %n = loops.dim %x, 0 : tensor<?x?xf64>
  %m = loops.dim %x, 1 : tensor<?x?xf64>
  %p, %q, %r, %s = loops.nest (%i < %n) ins(%x_1 = %x[%i, :] : tensor<?x?xf64>)
      -> (collect[%i, :] : tensor<?x?xf64>, add[:] : tensor<?xf64>, add[:] : tensor<?xf64>, add[] : f64) schedule {jam = 4 : i64} {
    %e = loops.nest (%j < %m) ins(%a = %x_1[%j] : tensor<?xf64>) -> (collect[%j] : tensor<?xf64>) {
      loops.yield %a : f64
    }
    %f = loops.nest (%j < %m) ins(%a = %e[%j] : tensor<?xf64>) -> (collect[%j] : tensor<?xf64>) {
      loops.yield %a : f64
    }
    %g = loops.nest (%j < %m) ins(%a = %x_1[%j] : tensor<?xf64>) -> (collect[%j] : tensor<?xf64>) {
      loops.yield %a : f64
    }
    %h = loops.nest (%j < %m) ins(%a = %g[%j] : tensor<?xf64>) -> (add[] : f64) {
      loops.yield %a : f64
    }
    loops.yield %e, %f, %g, %h : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, f64
  }
  func.return %p, %q, %r, %s : tensor<?x?xf64>, tensor<?xf64>, tensor<?xf64>, f64
}

// -----

// Rows that are collected for rows that are summed at once stand nowhere either: what is combined into them is
// made in memory of its own.
// CHECK-LABEL: func.func @rows_of_rows
// CHECK: %[[S:[a-z0-9_]+]] = loops.alloc %m, %l {result = 0 : i64} : (index, index) -> memref<?x?xf64>
// CHECK: (collect[%j, :] into %[[S]]
// CHECK: %[[T:[a-z0-9_]+]] = loops.alloc %l {slot = 0 : i64, rows = 1 : i64} : (index) -> memref<?xf64>
// CHECK: (max[:] into %[[T]]
// CHECK: %[[U:[a-z0-9_]+]] = loops.alloc %l {result = 0 : i64} : (index) -> memref<?xf64>
// CHECK: (collect[%q] into %[[U]]
func.func @rows_of_rows(%x: tensor<?x?x?x?xf64>) -> tensor<?x?xf64> {
  %n = loops.dim %x, 0 : tensor<?x?x?x?xf64>
  %m = loops.dim %x, 1 : tensor<?x?x?x?xf64>
  %k = loops.dim %x, 2 : tensor<?x?x?x?xf64>
  %l = loops.dim %x, 3 : tensor<?x?x?x?xf64>
  %r = loops.nest (%i < %n) ins(%a = %x[%i, :, :, :] : tensor<?x?x?x?xf64>) -> (add[:, :] : tensor<?x?xf64>) {
    %s = loops.nest (%j < %m) ins(%b = %a[%j, :, :] : tensor<?x?x?xf64>) -> (collect[%j, :] : tensor<?x?xf64>) {
      %t = loops.nest (%p < %k) ins(%c = %b[%p, :] : tensor<?x?xf64>) -> (max[:] : tensor<?xf64>) {
        %u = loops.nest (%q < %l) ins(%d = %c[%q] : tensor<?xf64>) -> (collect[%q] : tensor<?xf64>) {
          loops.yield %d : f64
        }
        loops.yield %u : tensor<?xf64>
      }
      loops.yield %t : tensor<?xf64>
    }
    loops.yield %s : tensor<?x?xf64>
  }
  func.return %r : tensor<?x?xf64>
}

// -----

// A call writes its last operand; a scatter starts from a copy.
// CHECK-LABEL: func.func @call
// CHECK-SAME: %[[X:[a-z0-9_]+]]: memref<?x?xf64, strided<[?, 1]>>, %[[R0:[a-z0-9_]+]]: memref<?x?xf64>, %[[R1:[a-z0-9_]+]]: memref<?x?xf64>
// CHECK: loops.call %[[X]], %[[X]], %[[R0]] {callee = "gemm", options = {transpose_b = true}}
// CHECK: loops.nest {{.*}} into %[[R1]]
// CHECK: loops.nest {{.*}}(scatter_add[%{{[a-z0-9_]+}}, ?] into %[[R1]] : memref<?x?xf64>)
func.func @call(%x: tensor<?x?xf64>) -> (tensor<?x?xf64>, tensor<?x?xf64>) {
  %n = loops.dim %x, 0 : tensor<?x?xf64>
  %g = loops.call %x, %x {callee = "gemm", options = {transpose_b = true}} : (tensor<?x?xf64>, tensor<?x?xf64>) -> tensor<?x?xf64>
  %s = loops.nest (%i < %n) -> (scatter_add(%x)[%i, ?] : tensor<?x?xf64>) {
    %one = elemwise.constant 1.0 : f64
    loops.yield %one, %i : f64, index
  }
  func.return %g, %s : tensor<?x?xf64>, tensor<?x?xf64>
}

// -----

// A size that depends on the contents of a temporary array cannot be told before the kernel runs.
func.func @data(%x: tensor<?xi64>) -> tensor<?xf64> {
  %n = loops.dim %x, 0 : tensor<?xi64>
  // expected-error @+1 {{found a size that depends on the elements of a computed array; expected sizes computed from arguments and single numbers}}
  %t, %s = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xi64>) -> (collect[%i] : tensor<?xi64>, add[] : i64) {
    loops.yield %a, %a : i64, i64
  }
  %k = elemwise.cast %s {dtype = index} : (i64) -> index
  %r = loops.nest (%i < %k) -> (collect[%i] : tensor<?xf64>) {
    %one = elemwise.constant 1.0 : f64
    loops.yield %one : f64
  }
  %z = loops.nest (%i < %n) ins(%a = %t[%i] : tensor<?xi64>) -> (add[] : i64) {
    loops.yield %a : i64
  }
  func.return %r : tensor<?xf64>
}

// -----

// A nest in chunks: those behind the first combine in memory of their own, a row of it each.
func.func @chunks(%x: tensor<?x?xf64>, %n: index, %m: index) -> (tensor<?xf64>, f64) {
  %0, %1 = loops.nest (%i < %n, %k < %m) ins(%a = %x[%i, %k] : tensor<?x?xf64>) -> (add[%k] : tensor<?xf64>, max[] : f64) schedule {split = 0 : i64, chunks = 8 : i64} {
    loops.yield %a, %a : f64, f64
  }
  func.return %0, %1 : tensor<?xf64>, f64
}
// CHECK-LABEL: func.func @chunks
// CHECK: %[[P:.+]] = loops.alloc %m {slot = 0 : i64, rows = 7 : i64} : (index) -> memref<?xf64>
// CHECK: loops.nest {{.*}} -> (add(%[[P]])[%{{.+}}] into %r0 : memref<?xf64>, max[] : f64)

// -----

// The rows that an inner nest makes exist once a chunk that may run.
func.func @rows(%x: tensor<?x?xf64>, %n: index, %m: index) -> tensor<?xf64> {
  %0 = loops.nest (%i < %n) ins(%row = %x[%i, :] : tensor<?x?xf64>) -> (collect[%i] : tensor<?xf64>) schedule {split = 0 : i64, chunks = 8 : i64} {
    %1 = loops.nest (%k < %m) ins(%a = %row[%k] : tensor<?xf64>) -> (collect[%k] : tensor<?xf64>) {
      %2 = elemwise.mul %a, %a : f64
      loops.yield %2 : f64
    }
    %3 = loops.nest (%k < %m) ins(%a = %1[%k] : tensor<?xf64>) -> (max[] : f64) {
      loops.yield %a : f64
    }
    loops.yield %3 : f64
  }
  func.return %0 : tensor<?xf64>
}
// CHECK-LABEL: func.func @rows
// CHECK: loops.alloc %m {slot = 0 : i64, rows = 8 : i64}

// -----

// Parts: strides are known where the array's are; what is returned is a copy of one.
func.func @parts(%x: tensor<?x?xf64>, %o: index, %n: index) -> (tensor<?x?xf64>, tensor<?xf64>, tensor<?xf64>) {
  %a = loops.subview %x[%o for %n by 2, %o for %n by -1] : tensor<?x?xf64> -> tensor<?x?xf64>
  %b = loops.subview %x[%o for %n, %o] : tensor<?x?xf64> -> tensor<?xf64>
  %c = loops.subview %b[%o for %n] : tensor<?xf64> -> tensor<?xf64>
  %d = loops.subview %x[%o, :] : tensor<?x?xf64> -> tensor<?xf64>
  func.return %a, %c, %d : tensor<?x?xf64>, tensor<?xf64>, tensor<?xf64>
}
// CHECK-LABEL: func.func @parts
// CHECK: loops.subview %x[%o for %n by 2, %o for %n by -1] : memref<?x?xf64, strided<[?, 1]>> -> memref<?x?xf64, strided<[?, -1]>>
// CHECK: %b = loops.subview %x[%o for %n, %o] : memref<?x?xf64, strided<[?, 1]>> -> memref<?xf64, strided<[?]>>
// CHECK: loops.subview %b[%o for %n] : memref<?xf64, strided<[?]>> -> memref<?xf64, strided<[?]>>
// CHECK: loops.subview %x[%o, :] : memref<?x?xf64, strided<[?, 1]>> -> memref<?xf64, strided<[1]>>
// CHECK: as vector<8xf64>) -> (collect[%{{.+}}, %{{.+}}] into %r0
// CHECK: as vector<8xf64>) -> (collect[%{{.+}}] into %r1
// CHECK: as vector<8xf64>) -> (collect[%{{.+}}] into %r2
// CHECK: func.func @parts_shape
// CHECK: func.return %{{.+}}, %{{.+}}, %{{.+}}, %{{.+}} : index, index, index, index

// -----

// An insert into what is not ours: a copy of it, then the part, in vectors if its rows are dense.
func.func @inserts(%x: tensor<?xf64>, %v: tensor<?xf64>, %o: index, %n: index) -> (tensor<?xf64>, tensor<?xf64>) {
  %a = loops.insert %v into %x[%o for %n] : tensor<?xf64> into tensor<?xf64>
  %b = loops.insert %v into %x[%o for %n by 2] : tensor<?xf64> into tensor<?xf64>
  func.return %a, %b : tensor<?xf64>, tensor<?xf64>
}
// CHECK-LABEL: func.func @inserts
// CHECK: ins(%{{.+}} = %x[%{{.+}}] : memref<?xf64, strided<[1]>> as vector<8xf64>) -> (collect[%{{.+}}] into %r0 : memref<?xf64>)
// CHECK: %[[A:.+]] = loops.subview %r0[%o for %n] : memref<?xf64> -> memref<?xf64, strided<[1]>>
// CHECK-NEXT: ins(%{{.+}} = %v[%{{.+}}] : memref<?xf64, strided<[1]>> as vector<8xf64>) -> (collect[%{{.+}}] into %[[A]]
// CHECK: ins(%{{.+}} = %x[%{{.+}}] : memref<?xf64, strided<[1]>> as vector<8xf64>) -> (collect[%{{.+}}] into %r1 : memref<?xf64>)
// CHECK: %[[B:.+]] = loops.subview %r1[%o for %n by 2] : memref<?xf64> -> memref<?xf64, strided<[2]>>
// CHECK-NEXT: ins(%{{.+}} = %v[%{{.+}}] : memref<?xf64, strided<[1]>>) -> (collect[%{{.+}}] into %[[B]]

// -----

// What mark-inplace found is honoured: nothing is copied, also where the array is there late.
func.func @marked(%x: tensor<?xf64>, %o: index, %n: index, %m: index) -> tensor<?xf64> {
  %v = loops.nest (%i < %m) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    loops.yield %a : f64
  }
  %e = loops.empty %n : (index) -> tensor<?xf64>
  %r = loops.insert %v into %e[%o for %m] {direct, inplace} : tensor<?xf64> into tensor<?xf64>
  func.return %r : tensor<?xf64>
}
// CHECK-LABEL: func.func @marked
// CHECK-NEXT: %[[P:.+]] = loops.subview %r0[%o for %m] : memref<?xf64> -> memref<?xf64, strided<[1]>>
// CHECK-NEXT: loops.nest (%{{.+}} < %m) ins(%{{.+}} = %x[%{{.+}}] : memref<?xf64, strided<[1]>>) -> (collect[%{{.+}}] into %[[P]]
// CHECK-NOT: loops.nest
// CHECK: func.return
// CHECK-NOT: loops.empty
