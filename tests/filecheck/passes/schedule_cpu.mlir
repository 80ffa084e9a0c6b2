// RUN: tt-opt %s -p "schedule-cpu{vector_bytes=64}" --split-input-file | filecheck %s
// RUN: tt-opt %s -p "schedule-cpu{vector_bytes=32 row_elements=784 rows=40000}" --split-input-file | filecheck %s --check-prefix=SIZES

// The widest element decides the lanes; a bool does not.
func.func @lanes(%x: tensor<?xf32>, %n: index) -> tensor<?xi1> {
  %0 = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf32>) -> (collect[%i] : tensor<?xi1>) {
    %1 = elemwise.gt %a, %a : (f32, f32) -> i1
    loops.yield %1 : i1
  }
  func.return %0 : tensor<?xi1>
}
// CHECK-LABEL: func.func @lanes
// CHECK: schedule {split = 0 : i64, vector = 16 : i64}
// SIZES-LABEL: func.func @lanes
// SIZES: schedule {split = 0 : i64, vector = 8 : i64}

// -----

// A sum along the innermost loop has four accumulators.
func.func @sum(%x: tensor<?xf64>, %n: index) -> f64 {
  %0 = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (add[] : f64) {
    loops.yield %a : f64
  }
  func.return %0 : f64
}
// CHECK-LABEL: func.func @sum
// CHECK: schedule {accumulators = 4 : i64, split = 0 : i64, vector = 8 : i64}
// SIZES-LABEL: func.func @sum
// SIZES: schedule {accumulators = 4 : i64, split = 0 : i64, vector = 4 : i64}

// -----

// The contiguous dimension is innermost; a heavy body gets no rows at a time.
func.func @order(%x: tensor<?x?xf64>, %n: index, %m: index) -> tensor<?xf64> {
  %0 = loops.nest (%j < %m, %i < %n) ins(%a = %x[%i, %j] : tensor<?x?xf64>) -> (add[%j] : tensor<?xf64>) {
    %1 = elemwise.exp %a : f64
    loops.yield %1 : f64
  }
  func.return %0 : tensor<?xf64>
}
// CHECK-LABEL: func.func @order
// CHECK: loops.nest (%i < %n, %j < %m) ins(%{{.+}} = %x[%i, %j] : tensor<?x?xf64>) -> (add[%j] : tensor<?xf64>) schedule {split = 1 : i64, vector = 8 : i64}
// SIZES-LABEL: func.func @order

// -----

// A matrix-vector product: rows share the load of w.
func.func @gemv(%x: tensor<?x?xf64>, %w: tensor<?xf64>, %n: index, %m: index) -> tensor<?xf64> {
  %0 = loops.nest (%i < %n, %k < %m) ins(%a = %x[%i, %k] : tensor<?x?xf64>, %b = %w[%k] : tensor<?xf64>) -> (add[%i] : tensor<?xf64>) {
    %1 = elemwise.mul %a, %b : f64
    loops.yield %1 : f64
  }
  func.return %0 : tensor<?xf64>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @gemv(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?x?xf64>, %[[W:[^ ,:]+]]: tensor<?xf64>, %[[N:[^ ,:]+]]: index, %[[M:[^ ,:]+]]: index) -> tensor<?xf64> {
// CHECK-NEXT: %[[V0:[^ ,:]+]] = loops.nest (%[[I:[^ ,:]+]] < %[[N]]) ins(%[[X_1:[^ ,:]+]] = %[[X]][%[[I]], :] : tensor<?x?xf64>) -> (collect[%[[I]]] : tensor<?xf64>) schedule {jam = 4 : i64, split = 0 : i64} {
// CHECK-NEXT: %[[V1:[^ ,:]+]] = loops.nest (%[[K:[^ ,:]+]] < %[[M]]) ins(%[[A:[^ ,:]+]] = %[[X_1]][%[[K]]] : tensor<?xf64>, %[[B:[^ ,:]+]] = %[[W]][%[[K]]] : tensor<?xf64>) -> (add[] : f64) schedule {accumulators = 4 : i64, vector = 8 : i64} {
// CHECK-NEXT: %[[V2:.+]] = elemwise.mul %[[A]], %[[B]] : f64
// CHECK-NEXT: loops.yield %[[V2]] : f64
// CHECK-NEXT: }
// CHECK-NEXT: loops.yield %[[V1]] : f64
// CHECK-NEXT: }
// CHECK-NEXT: func.return %[[V0]] : tensor<?xf64>
// CHECK-NEXT: }
// -----

// A sum along rows shares nothing between rows: one flat nest.
func.func @row_sums(%x: tensor<?x?xf64>, %n: index, %m: index) -> tensor<?xf64> {
  %0 = loops.nest (%i < %n, %k < %m) ins(%a = %x[%i, %k] : tensor<?x?xf64>) -> (add[%i] : tensor<?xf64>) {
    loops.yield %a : f64
  }
  func.return %0 : tensor<?xf64>
}
// CHECK-LABEL: func.func @row_sums
// CHECK: loops.nest (%i < %n, %k < %m) {{.*}} schedule {accumulators = 4 : i64, split = 0 : i64, vector = 8 : i64}
// SIZES-LABEL: func.func @row_sums

// -----

// The first of equal maxima, and the last of duplicate stores, depend on the order: it stays.
func.func @ordered(%x: tensor<?x?xf64>, %n: index, %m: index) -> (f64, i64) {
  %0, %1 = loops.nest (%j < %m, %i < %n) ins(%a = %x[%i, %j] : tensor<?x?xf64>) -> (max[] : f64, argmax[] : i64) {
    %2 = elemwise.cast %i {dtype = i64} : (index) -> i64
    loops.yield %a, %2 : f64, i64
  }
  func.return %0, %1 : f64, i64
}
// CHECK-LABEL: func.func @ordered
// CHECK: loops.nest (%j < %m, %i < %n)
// SIZES-LABEL: func.func @ordered

// -----

// What is set by hand stays.
func.func @by_hand(%x: tensor<?xf64>, %n: index) -> tensor<?xf64> {
  %0 = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) schedule {vector = 2 : i64} {
    %1 = elemwise.neg %a : f64
    loops.yield %1 : f64
  }
  func.return %0 : tensor<?xf64>
}
// CHECK-LABEL: func.func @by_hand
// CHECK: schedule {split = 0 : i64, vector = 2 : i64}
// SIZES-LABEL: func.func @by_hand

// -----

// Threads: the range of an iterator that all results collect is cut, be it not the outermost.
func.func @columns(%x: tensor<?x?xf64>, %n: index, %m: index) -> tensor<?xf64> {
  %0 = loops.nest (%i < %n, %k < %m) ins(%a = %x[%i, %k] : tensor<?x?xf64>) -> (add[%k] : tensor<?xf64>) {
    %1 = elemwise.exp %a : f64
    loops.yield %1 : f64
  }
  func.return %0 : tensor<?xf64>
}
// CHECK-LABEL: func.func @columns
// CHECK: schedule {split = 1 : i64, vector = 8 : i64}

// -----

// Not that of a scatter, whose iterations may meet, nor of a position among all elements.
func.func @meeting(%x: tensor<?xf64>, %at: tensor<?xi64>, %base: tensor<?xf64>, %n: index) -> (tensor<?xf64>, f64, i64) {
  %0 = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>, %j = %at[%i] : tensor<?xi64>) -> (scatter_add(%base)[?] : tensor<?xf64>) {
    loops.yield %a, %j : f64, i64
  }
  %1, %2 = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (max[] : f64, argmax[] : i64) {
    %3 = elemwise.cast %i {dtype = i64} : (index) -> i64
    loops.yield %a, %3 : f64, i64
  }
  func.return %0, %1, %2 : tensor<?xf64>, f64, i64
}
// CHECK-LABEL: func.func @meeting
// CHECK-NOT: split
// CHECK: func.return

// -----

// Inner nests belong to the chunk of the one around them.
func.func @inner(%x: tensor<?x?xf64>, %n: index, %m: index) -> tensor<?xf64> {
  %0 = loops.nest (%i < %n) ins(%row = %x[%i, :] : tensor<?x?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %1 = loops.nest (%k < %m) ins(%a = %row[%k] : tensor<?xf64>) -> (max[] : f64) {
      loops.yield %a : f64
    }
    loops.yield %1 : f64
  }
  func.return %0 : tensor<?xf64>
}
// CHECK-LABEL: func.func @inner
// CHECK: schedule {split = 0 : i64} {
// CHECK-NOT: split
// CHECK: func.return

// -----

// What the rows' length usually is decides how many run together; it is known of an equal size.
func.func @usual(%x: tensor<?x?xf64>, %w: tensor<?xf64> {tt.sizes = array<i64: 853>}, %y: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
  %n = loops.dim %x, 0 : tensor<?x?xf64>
  %m = loops.dim %x, 1 : tensor<?x?xf64>
  %d = loops.dim %w, 0 : tensor<?xf64>
  loops.check %m, %d {message = "{0} != {1}"} : (index, index) -> ()
  %0, %1 = loops.nest (%i < %n) ins(%row = %x[%i, :] : tensor<?x?xf64>) -> (collect[%i] : tensor<?xf64>, add[:] : tensor<?xf64>) {
    %2 = loops.nest (%k < %m) ins(%a = %row[%k] : tensor<?xf64>, %b = %w[%k] : tensor<?xf64>) -> (add[] : f64) {
      %3 = elemwise.mul %a, %b : f64
      loops.yield %3 : f64
    }
    %4 = loops.nest (%k < %m) ins(%a = %row[%k] : tensor<?xf64>) -> (collect[%k] : tensor<?xf64>) {
      %5 = elemwise.mul %a, %2 : f64
      loops.yield %5 : f64
    }
    loops.yield %2, %4 : f64, tensor<?xf64>
  }
  func.return %0, %1 : tensor<?xf64>, tensor<?xf64>
}
// CHECK-LABEL: func.func @usual
// CHECK: schedule {jam = 2 : i64, prefetch = 1 : i64, split = 0 : i64}

// -----

// Two sums along the rows of x: they do not ask for the loop over columns, however many they are.
func.func @two_products(%x: tensor<?x?xf64>, %u: tensor<?xf64>, %v: tensor<?xf64>, %n: index, %m: index) -> (tensor<?xf64>, tensor<?xf64>) {
  %0, %1 = loops.nest (%i < %n, %j < %m) ins(%a = %x[%i, %j] : tensor<?x?xf64>, %b = %u[%j] : tensor<?xf64>, %c = %v[%j] : tensor<?xf64>) -> (add[%i] : tensor<?xf64>, add[%i] : tensor<?xf64>) {
    %2 = elemwise.mul %a, %b {contract} : f64
    %3 = elemwise.mul %a, %c {contract} : f64
    loops.yield %2, %3 : f64, f64
  }
  func.return %0, %1 : tensor<?xf64>, tensor<?xf64>
}
// CHECK-LABEL: func.func @two_products
// CHECK: loops.nest (%[[I:.+]] < %n) ins(%[[ROW:.+]] = %x[%[[I]], :]
// CHECK-NEXT: loops.nest (%[[J:.+]] < %m) ins(%{{.+}} = %[[ROW]][%[[J]]] : {{.*}} -> (add[] : f64, add[] : f64) schedule {accumulators = 4 : i64, vector = 8 : i64}
