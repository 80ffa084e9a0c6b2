// RUN: tt-opt %s -p "schedule-cpu{vector_bytes=64}" --split-input-file | filecheck %s

// Columns beside rows: tiles along what is dense in the column, which goes next to the innermost.
func.func @mixed(%x: tensor<?x?xf64>, %y: tensor<?x?xf64>, %n: index, %m: index) -> tensor<?x?xf64> {
  %0 = loops.nest (%j < %m, %i < %n) ins(%a = %x[%j, %i] : tensor<?x?xf64>, %b = %y[%i, %j] : tensor<?x?xf64>) -> (collect[%i, %j] : tensor<?x?xf64>) {
    %1 = elemwise.add %a, %b : f64
    loops.yield %1 : f64
  }
  func.return %0 : tensor<?x?xf64>
}
// CHECK-LABEL: func.func @mixed
// CHECK: loops.nest (%i < %n, %j < %m) ins({{.*}} = %x[%j, %i] {{.*}}) -> (collect[%i, %j] : {{.*}}) schedule {split = 0 : i64, tile = 16 : i64, vector = 8 : i64}

// -----

// Smaller elements: more of them in the two lines that a tile takes of a column. Other loops stay
// outside.
func.func @batch(%x: tensor<?x?x?xf32>, %n: index, %m: index, %p: index) -> tensor<?x?x?xf32> {
  %0 = loops.nest (%i < %n, %j < %m, %k < %p) ins(%a = %x[%k, %j, %i] : tensor<?x?x?xf32>) -> (collect[%i, %j, %k] : tensor<?x?x?xf32>) {
    %1 = elemwise.exp %a : f32
    loops.yield %1 : f32
  }
  func.return %0 : tensor<?x?x?xf32>
}
// CHECK-LABEL: func.func @batch
// CHECK: loops.nest (%j < %m, %i < %n, %k < %p) ins({{.*}} = %x[%k, %j, %i] {{.*}}) -> (collect[%i, %j, %k] : {{.*}}) schedule {split = 0 : i64, tile = 32 : i64, vector = 16 : i64}

// -----

// All arrays in one order: none is a column to the innermost loop.
func.func @rows(%x: tensor<?x?xf64>, %y: tensor<?xf64>, %n: index, %m: index) -> tensor<?x?xf64> {
  %0 = loops.nest (%i < %n, %j < %m) ins(%a = %x[%i, %j] : tensor<?x?xf64>, %b = %y[%i] : tensor<?xf64>) -> (collect[%i, %j] : tensor<?x?xf64>) {
    %1 = elemwise.add %a, %b : f64
    loops.yield %1 : f64
  }
  func.return %0 : tensor<?x?xf64>
}
// CHECK-LABEL: func.func @rows
// CHECK-NOT: tile
// CHECK: func.return

// -----

// What is combined keeps the order of its terms.
func.func @combined(%x: tensor<?x?xf64>, %y: tensor<?x?xf64>, %n: index, %m: index) -> (tensor<?x?xf64>, f64) {
  %0, %1 = loops.nest (%i < %n, %j < %m) ins(%a = %x[%j, %i] : tensor<?x?xf64>, %b = %y[%i, %j] : tensor<?x?xf64>) -> (collect[%i, %j] : tensor<?x?xf64>, add[] : f64) {
    %2 = elemwise.add %a, %b : f64
    loops.yield %2, %2 : f64, f64
  }
  func.return %0, %1 : tensor<?x?xf64>, f64
}
// CHECK-LABEL: func.func @combined
// CHECK-NOT: tile
// CHECK: func.return

// -----

// A view of every other element has no neighbours to load at once.
func.func @gaps(%x: tensor<?x?xf64>, %n: index, %m: index) -> tensor<?x?xf64> {
  %0 = elemwise.constant 0 : index
  %1 = loops.subview %x[:, %0 for %n by 2] : tensor<?x?xf64> -> tensor<?x?xf64>
  %2 = loops.nest (%i < %n, %j < %m) ins(%a = %1[%j, %i] : tensor<?x?xf64>) -> (collect[%i, %j] : tensor<?x?xf64>) {
    %3 = elemwise.exp %a : f64
    loops.yield %3 : f64
  }
  func.return %2 : tensor<?x?xf64>
}
// CHECK-LABEL: func.func @gaps
// CHECK-NOT: tile
// CHECK: func.return

// -----

// A body that looks elements up stays scalar.
func.func @gather(%x: tensor<?x?xf64>, %w: tensor<?xf64>, %n: index, %m: index) -> tensor<?x?xf64> {
  %0 = loops.nest (%i < %n, %j < %m) ins(%a = %x[%j, %i] : tensor<?x?xf64>) -> (collect[%i, %j] : tensor<?x?xf64>) {
    %1 = loops.gather %w, %i : (tensor<?xf64>, index) -> f64
    %2 = elemwise.add %a, %1 : f64
    loops.yield %2 : f64
  }
  func.return %0 : tensor<?x?xf64>
}
// CHECK-LABEL: func.func @gather
// CHECK-NOT: tile
// CHECK: func.return

// -----

// Rows of a nest that are columns of an argument in another order: copied to rows first, for all
// that use them; a nest inside says how long they are.
func.func @softmax(%x: tensor<?x?xf32> {tt.order = array<i64: 1, 0>}, %n: index, %m: index) -> tensor<?x?xf32> {
  %0 = loops.nest (%i < %n) ins(%c = %x[:, %i] : tensor<?x?xf32>) -> (collect[%i, :] : tensor<?x?xf32>) {
    %1 = loops.nest (%k < %m) ins(%a = %c[%k] : tensor<?xf32>) -> (max[] : f32) {
      loops.yield %a : f32
    }
    %2 = loops.nest (%k < %m) ins(%a = %c[%k] : tensor<?xf32>) -> (collect[%k] : tensor<?xf32>) {
      %3 = elemwise.sub %a, %1 : f32
      loops.yield %3 : f32
    }
    loops.yield %2 : tensor<?xf32>
  }
  func.return %0 : tensor<?x?xf32>
}
// CHECK-LABEL: func.func @softmax
// CHECK: ins(%[[C:.+]] = %x[:, %i] : {{.*}} schedule {chunks = 8 : i64, split = 0 : i64, tile = 64 : i64} {
// CHECK-NEXT: %[[ROW:.+]] = loops.nest (%[[K:.+]] < %m) ins(%[[E:.+]] = %[[C]][%[[K]]] : tensor<?xf32>) -> (collect[%[[K]]] : tensor<?xf32>) schedule {tile = 64 : i64} {
// CHECK-NEXT: loops.yield %[[E]]
// CHECK: ins(%{{.+}} = %[[ROW]][%{{.+}}] : {{.*}} -> (max[] : f32) schedule {accumulators = 4 : i64, vector = 16 : i64}
// CHECK: ins(%{{.+}} = %[[ROW]][%{{.+}}] : {{.*}} -> (collect[%{{.+}}] : {{.*}} schedule {vector = 16 : i64}

// -----

// An argument in rows may have columns of any length: no room for them.
func.func @long(%x: tensor<?x?xf32>, %n: index, %m: index) -> tensor<?xf32> {
  %0 = loops.nest (%i < %n) ins(%c = %x[:, %i] : tensor<?x?xf32>) -> (collect[%i] : tensor<?xf32>) {
    %1 = loops.nest (%k < %m) ins(%a = %c[%k] : tensor<?xf32>) -> (max[] : f32) {
      loops.yield %a : f32
    }
    %2 = elemwise.exp %1 : f32
    loops.yield %2 : f32
  }
  func.return %0 : tensor<?xf32>
}
// CHECK-LABEL: func.func @long
// CHECK-NOT: tile
// CHECK: func.return

// -----

// Rows stay where they are; what only a number of each is read of is no row.
func.func @dense(%x: tensor<?x?xf32> {tt.order = array<i64: 1, 0>}, %y: tensor<?xf32> {tt.order = array<i64: 0>}, %n: index, %m: index) -> tensor<?xf32> {
  %0 = loops.nest (%i < %n) ins(%c = %x[%i, :] : tensor<?x?xf32>, %b = %y[%i] : tensor<?xf32>) -> (collect[%i] : tensor<?xf32>) {
    %1 = loops.nest (%k < %m) ins(%a = %c[%k] : tensor<?xf32>) -> (max[] : f32) {
      loops.yield %a : f32
    }
    %2 = elemwise.mul %1, %b : f32
    loops.yield %2 : f32
  }
  func.return %0 : tensor<?xf32>
}
// CHECK-LABEL: func.func @dense
// CHECK-NOT: tile
// CHECK: func.return
