// RUN: tt-opt %s -p vectorize --split-input-file | filecheck %s

// Elements along the last iterator are vectors, and what is computed from them; comparisons too.
// CHECK-LABEL: func.func @map
// CHECK: loops.nest (%[[I:.+]] < %{{.+}}, %[[K:.+]] < %{{.+}}) ins(%[[A:.+]] = %{{.+}}[%[[I]], %[[K]]] : tensor<?x?xf64> as vector<8xf64>)
// CHECK-NEXT: %[[C:.+]] = elemwise.constant 2.000000e+00 : vector<8xf64>
// CHECK-NEXT: %[[L:.+]] = elemwise.lt %[[A]], %[[C]] : (vector<8xf64>, vector<8xf64>) -> vector<8xi1>
// CHECK-NEXT: loops.yield %[[L]] : vector<8xi1>
func.func @map(%x: tensor<?x?xf64>) -> tensor<?x?xi1> {
  %n = loops.dim %x, 0 : tensor<?x?xf64>
  %d = loops.dim %x, 1 : tensor<?x?xf64>
  %r = loops.nest (%i < %n, %k < %d) ins(%a = %x[%i, %k] : tensor<?x?xf64>)
      -> (collect[%i, %k] : tensor<?x?xi1>) schedule {vector = 8} {
    %c = elemwise.constant 2.0 : f64
    %0 = elemwise.lt %a, %c : (f64, f64) -> i1
    loops.yield %0 : i1
  }
  func.return %r : tensor<?x?xi1>
}

// -----

// What does not move with the last iterator stays scalar and is splatted where a vector needs it:
// an element of another iterator, what is computed from it, and a captured value.
// CHECK-LABEL: func.func @invariant
// CHECK-SAME: %[[S:[^:]+]]: f64)
// CHECK: ins(%[[A:.+]] = %{{.+}} as vector<4xf64>, %[[B:.+]] = %{{.+}}[%{{.+}}] : tensor<?xf64>)
// CHECK-DAG: %[[SV:.+]] = elemwise.splat %[[S]] : f64 to vector<4xf64>
// CHECK-DAG: %[[N:.+]] = elemwise.neg %[[B]] : f64
// CHECK-DAG: %[[NV:.+]] = elemwise.splat %[[N]] : f64 to vector<4xf64>
// CHECK: %[[P:.+]] = elemwise.add %[[A]], %[[NV]] : vector<4xf64>
// CHECK: %[[Q:.+]] = elemwise.mul %[[P]], %[[SV]] : vector<4xf64>
// CHECK: %[[R:.+]] = elemwise.mul %[[Q]], %[[NV]] : vector<4xf64>
// CHECK: loops.yield %[[R]] : vector<4xf64>
func.func @invariant(%x: tensor<?x?xf64>, %y: tensor<?xf64>, %s: f64) -> tensor<?x?xf64> {
  %n = loops.dim %x, 0 : tensor<?x?xf64>
  %d = loops.dim %x, 1 : tensor<?x?xf64>
  %r = loops.nest (%i < %n, %k < %d) ins(%a = %x[%i, %k] : tensor<?x?xf64>, %b = %y[%i] : tensor<?xf64>)
      -> (collect[%i, %k] : tensor<?x?xf64>) schedule {vector = 4} {
    %0 = elemwise.neg %b : f64
    %1 = elemwise.add %a, %0 : f64
    %2 = elemwise.mul %1, %s : f64
    %3 = elemwise.mul %2, %0 : f64
    loops.yield %3 : f64
  }
  func.return %r : tensor<?x?xf64>
}

// -----

// Reductions yield vectors: along the last iterator, across it, and of a value that does not move.
// CHECK-LABEL: func.func @reductions
// CHECK: add[] : f64, max[%{{.+}}] : tensor<?xf64>, add[] : f64
// CHECK: %[[O:.+]] = elemwise.constant 1.000000e+00 : vector<8xf64>
// CHECK-NOT: elemwise.constant 1.000000e+00 : f64
// CHECK: loops.yield %[[A:.+]], %[[A]], %[[O]] : vector<8xf64>, vector<8xf64>, vector<8xf64>
func.func @reductions(%x: tensor<?x?xf64>) -> (f64, tensor<?xf64>, f64) {
  %n = loops.dim %x, 0 : tensor<?x?xf64>
  %d = loops.dim %x, 1 : tensor<?x?xf64>
  %s, %m, %c = loops.nest (%i < %n, %k < %d) ins(%a = %x[%i, %k] : tensor<?x?xf64>)
      -> (add[] : f64, max[%k] : tensor<?xf64>, add[] : f64) schedule {vector = 8} {
    %one = elemwise.constant 1.0 : f64
    loops.yield %a, %a, %one : f64, f64, f64
  }
  func.return %s, %m, %c : f64, tensor<?xf64>, f64
}

// -----

// Inner nests are vectorised along their own last iterator; the nest around stays as it is.
// CHECK-LABEL: func.func @rows
// CHECK: ins(%[[ROW:.+]] = %{{.+}}[%{{.+}}, :] : tensor<?x?xf64>)
// CHECK: ins(%{{.+}} = %[[ROW]][%{{.+}}] : tensor<?xf64> as vector<8xf64>)
// CHECK: loops.yield %{{.+}} : vector<8xf64>
// CHECK: loops.yield %{{.+}} : f64
func.func @rows(%x: tensor<?x?xf64>) -> tensor<?xf64> {
  %n = loops.dim %x, 0 : tensor<?x?xf64>
  %d = loops.dim %x, 1 : tensor<?x?xf64>
  %r = loops.nest (%i < %n) ins(%row = %x[%i, :] : tensor<?x?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %s = loops.nest (%k < %d) ins(%a = %row[%k] : tensor<?xf64>) -> (add[] : f64) schedule {vector = 8} {
      loops.yield %a : f64
    }
    loops.yield %s : f64
  }
  func.return %r : tensor<?xf64>
}

// -----

// The rest of a schedule is kept; a nest without the entry is not touched.
// CHECK-LABEL: func.func @schedules
// CHECK: schedule {jam = 4 : i64, vector = 8 : i64}
// CHECK: loops.yield %{{.+}} : vector<8xf64>
// CHECK: loops.nest
// CHECK: loops.yield %{{.+}} : f64
func.func @schedules(%x: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
  %n = loops.dim %x, 0 : tensor<?xf64>
  %r = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) schedule {jam = 4, vector = 8} {
    loops.yield %a : f64
  }
  %s = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    loops.yield %a : f64
  }
  func.return %r, %s : tensor<?xf64>, tensor<?xf64>
}

// -----

// Trailing dimensions of size 1 keep a value that is made here contiguous.
// CHECK-LABEL: func.func @keepdims
// CHECK: collect[%{{.+}}, 0] : tensor<?x1xf64>
// CHECK: loops.yield %{{.+}} : vector<8xf64>
// CHECK: ins(%{{.+}} = %{{.+}}[%{{.+}}, 0] : tensor<?x1xf64> as vector<8xf64>)
func.func @keepdims(%x: tensor<?xf64>) -> tensor<?xf64> {
  %n = loops.dim %x, 0 : tensor<?xf64>
  %r = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i, 0] : tensor<?x1xf64>) schedule {vector = 8} {
    loops.yield %a : f64
  }
  %s = loops.nest (%i < %n) ins(%a = %r[%i, 0] : tensor<?x1xf64>) -> (collect[%i] : tensor<?xf64>) schedule {vector = 8} {
    loops.yield %a : f64
  }
  func.return %s : tensor<?xf64>
}

// -----

// An argument may have any stride in front of a size 1: a load a lane.
// CHECK-LABEL: func.func @column_argument
// CHECK: ins(%{{.+}} = %{{.+}}[%{{.+}}, 0] : tensor<?x1xf64> as vector<8xf64>)
// CHECK-NOT: scalar_because
func.func @column_argument(%x: tensor<?x1xf64>) -> tensor<?xf64> {
  %n = loops.dim %x, 0 : tensor<?x1xf64>
  %r = loops.nest (%i < %n) ins(%a = %x[%i, 0] : tensor<?x1xf64>) -> (collect[%i] : tensor<?xf64>) schedule {vector = 8} {
    loops.yield %a : f64
  }
  func.return %r : tensor<?xf64>
}

// -----

// Elements that are not neighbours are loaded one by one.
// CHECK-LABEL: func.func @transposed_input
// CHECK: ins(%{{.+}} = %{{.+}}[%{{.+}}, %{{.+}}] : tensor<?x?xf64> as vector<8xf64>)
// CHECK-NOT: scalar_because
func.func @transposed_input(%x: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %n = loops.dim %x, 0 : tensor<?x?xf64>
  %d = loops.dim %x, 1 : tensor<?x?xf64>
  %r = loops.nest (%i < %d, %k < %n) ins(%a = %x[%k, %i] : tensor<?x?xf64>)
      -> (collect[%i, %k] : tensor<?x?xf64>) schedule {vector = 8} {
    loops.yield %a : f64
  }
  func.return %r : tensor<?x?xf64>
}

// -----

// But not too many.
// CHECK-LABEL: func.func @many_loads
// CHECK-NOT: schedule
// CHECK: attributes {scalar_because = "an input that is not contiguous along the last iterator"}
func.func @many_loads(%x: tensor<?x?xi8>) -> tensor<?x?xi8> {
  %n = loops.dim %x, 0 : tensor<?x?xi8>
  %d = loops.dim %x, 1 : tensor<?x?xi8>
  %r = loops.nest (%i < %d, %k < %n) ins(%a = %x[%k, %i] : tensor<?x?xi8>)
      -> (collect[%i, %k] : tensor<?x?xi8>) schedule {vector = 64} {
    loops.yield %a : i8
  }
  func.return %r : tensor<?x?xi8>
}

// -----

// Views: of rows, backwards, of a column, of every second element; a row nest takes rows, also
// backwards, but no columns.
// CHECK-LABEL: func.func @views
// CHECK-COUNT-4: as vector<8xf64>
// CHECK: as vector<8xf64>
// CHECK: scalar_because = "an input that is not contiguous along the last iterator"
func.func @views(%x: tensor<?x?xf64>, %o: index, %n: index) -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) {
  %x0 = loops.subview %x[%o, :] : tensor<?x?xf64> -> tensor<?xf64>
  %x1 = loops.subview %x[%o, %o for %n by -1] : tensor<?x?xf64> -> tensor<?xf64>
  %x2 = loops.subview %x[%o for %n, %o] : tensor<?x?xf64> -> tensor<?xf64>
  %x3 = loops.subview %x0[%o for %n by 2] : tensor<?xf64> -> tensor<?xf64>
  %r0 = loops.nest (%i < %n) ins(%a = %x0[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) schedule {vector = 8} {
    loops.yield %a : f64
  }
  %r1 = loops.nest (%i < %n) ins(%a = %x1[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) schedule {vector = 8} {
    loops.yield %a : f64
  }
  %r2 = loops.nest (%i < %n) ins(%a = %x2[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) schedule {vector = 8} {
    loops.yield %a : f64
  }
  %r3 = loops.nest (%i < %n) ins(%a = %x3[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) schedule {vector = 8} {
    loops.yield %a : f64
  }
  %x4 = loops.subview %x[%o for %n, %o for %n by -1] : tensor<?x?xf64> -> tensor<?x?xf64>
  %r4 = loops.nest (%i < %n) ins(%c = %x4[%i, :] : tensor<?x?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %s = loops.nest (%k < %n) ins(%a = %c[%k] : tensor<?xf64>) -> (add[] : f64) schedule {vector = 8} {
      loops.yield %a : f64
    }
    loops.yield %s : f64
  }
  %r5 = loops.nest (%i < %n) -> (collect[%i] : tensor<?xf64>) {
    %s = loops.nest (%k < %n) ins(%a = %x2[%k] : tensor<?xf64>) -> (add[] : f64) schedule {vector = 8} {
      loops.yield %a : f64
    }
    loops.yield %s : f64
  }
  func.return %r0, %r1, %r2, %r3, %r4, %r5 : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
}

// -----

// A column that an outer nest reads is not contiguous, nor is one that it gives; a row is.
// CHECK-LABEL: func.func @columns
// CHECK: scalar_because = "an input that is not contiguous along the last iterator"
// CHECK: scalar_because = "a result that is not contiguous along the last iterator"
// CHECK: as vector<8xf64>
func.func @columns(%x: tensor<?x?xf64>, %v: tensor<?xf64>) -> (tensor<?xf64>, tensor<?x?xf64>, tensor<?xf64>) {
  %n = loops.dim %x, 0 : tensor<?x?xf64>
  %d = loops.dim %x, 1 : tensor<?x?xf64>
  %r = loops.nest (%k < %d) ins(%c = %x[:, %k] : tensor<?x?xf64>) -> (collect[%k] : tensor<?xf64>) {
    %s = loops.nest (%i < %n) ins(%a = %c[%i] : tensor<?xf64>) -> (add[] : f64) schedule {vector = 8} {
      loops.yield %a : f64
    }
    loops.yield %s : f64
  }
  %t = loops.nest (%k < %d) -> (collect[:, %k] : tensor<?x?xf64>) {
    %c = loops.nest (%i < %n) ins(%a = %v[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) schedule {vector = 8} {
      loops.yield %a : f64
    }
    loops.yield %c : tensor<?xf64>
  }
  %u = loops.nest (%i < %n) ins(%c = %x[%i, :] : tensor<?x?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %s = loops.nest (%k < %d) ins(%a = %c[%k] : tensor<?xf64>) -> (add[] : f64) schedule {vector = 8} {
      loops.yield %a : f64
    }
    loops.yield %s : f64
  }
  func.return %r, %t, %u : tensor<?xf64>, tensor<?x?xf64>, tensor<?xf64>
}

// -----

// CHECK-LABEL: func.func @transposed_result
// CHECK: scalar_because = "a result that is not contiguous along the last iterator"
func.func @transposed_result(%x: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %n = loops.dim %x, 0 : tensor<?x?xf64>
  %d = loops.dim %x, 1 : tensor<?x?xf64>
  %r = loops.nest (%i < %n, %k < %d) ins(%a = %x[%i, %k] : tensor<?x?xf64>)
      -> (collect[%k, %i] : tensor<?x?xf64>) schedule {vector = 8} {
    loops.yield %a : f64
  }
  func.return %r : tensor<?x?xf64>
}

// -----

// Rows that are looked up: the last index is the last iterator, which no other index moves with.
// CHECK-LABEL: func.func @rows
// CHECK: %[[K:.+]] = elemwise.cast %{{.+}} {dtype = index} : (i64) -> index
// CHECK-NEXT: %[[V:.+]] = loops.gather %x, %[[K]], %{{.+}} {checked = 1 : i64} : (tensor<?x?xf64>, index, index) -> vector<8xf64>
// CHECK-NEXT: elemwise.mul %[[V]], %[[V]] : vector<8xf64>
func.func @rows(%x: tensor<?x?xf64>, %y: tensor<?xi64>) -> tensor<?x?xf64> {
  %n = loops.dim %y, 0 : tensor<?xi64>
  %d = loops.dim %x, 1 : tensor<?x?xf64>
  %r = loops.nest (%i < %n, %k < %d) ins(%j = %y[%i] : tensor<?xi64>) -> (collect[%i, %k] : tensor<?x?xf64>) schedule {vector = 8} {
    %0 = elemwise.cast %j {dtype = index} : (i64) -> index
    %1 = loops.gather %x, %0, %k {checked = 1} : (tensor<?x?xf64>, index, index) -> f64
    %2 = elemwise.mul %1, %1 : f64
    loops.yield %2 : f64
  }
  func.return %r : tensor<?x?xf64>
}

// -----

// Not where that index may be out of range, is another iterator or stands in another place, or another
// index moves with it.
// CHECK-LABEL: func.func @no_rows
// CHECK-COUNT-4: scalar_because = "a gather"
func.func @no_rows(%x: tensor<?x?xf64>, %y: tensor<?xi64>) -> (tensor<?x?xf64>, tensor<?x?xf64>, tensor<?x?xf64>, tensor<?x?xf64>) {
  %n = loops.dim %y, 0 : tensor<?xi64>
  %d = loops.dim %x, 1 : tensor<?x?xf64>
  %r = loops.nest (%i < %n, %k < %d) ins(%j = %y[%i] : tensor<?xi64>) -> (collect[%i, %k] : tensor<?x?xf64>) schedule {vector = 8} {
    %0 = elemwise.cast %j {dtype = index} : (i64) -> index
    %1 = loops.gather %x, %0, %k : (tensor<?x?xf64>, index, index) -> f64
    loops.yield %1 : f64
  }
  %s = loops.nest (%i < %n, %k < %d) ins(%j = %y[%i] : tensor<?xi64>) -> (collect[%i, %k] : tensor<?x?xf64>) schedule {vector = 8} {
    %0 = elemwise.cast %j {dtype = index} : (i64) -> index
    %1 = loops.gather %x, %0, %i {checked = 1} : (tensor<?x?xf64>, index, index) -> f64
    loops.yield %1 : f64
  }
  %t = loops.nest (%i < %n, %k < %d) ins(%j = %y[%i] : tensor<?xi64>) -> (collect[%i, %k] : tensor<?x?xf64>) schedule {vector = 8} {
    %0 = elemwise.cast %j {dtype = index} : (i64) -> index
    %1 = loops.gather %x, %k, %0 {axes = array<i64: 1, 0>, checked = 1} : (tensor<?x?xf64>, index, index) -> f64
    loops.yield %1 : f64
  }
  %u = loops.nest (%i < %n, %k < %d) ins(%j = %y[%k] : tensor<?xi64>) -> (collect[%i, %k] : tensor<?x?xf64>) schedule {vector = 8} {
    %0 = elemwise.cast %j {dtype = index} : (i64) -> index
    %1 = loops.gather %x, %0, %k {checked = 1} : (tensor<?x?xf64>, index, index) -> f64
    loops.yield %1 : f64
  }
  func.return %r, %s, %t, %u : tensor<?x?xf64>, tensor<?x?xf64>, tensor<?x?xf64>, tensor<?x?xf64>
}

// -----

// The jam of the schedule outlives the vector.
// CHECK-LABEL: func.func @gather
// CHECK: schedule {jam = 2 : i64}
// CHECK: scalar_because = "a gather"
func.func @gather(%x: tensor<?xf64>, %y: tensor<?xi64>) -> tensor<?xf64> {
  %n = loops.dim %y, 0 : tensor<?xi64>
  %r = loops.nest (%i < %n) ins(%a = %y[%i] : tensor<?xi64>) -> (collect[%i] : tensor<?xf64>) schedule {jam = 2, vector = 8} {
    %0 = elemwise.cast %a {dtype = index} : (i64) -> index
    %1 = loops.gather %x, %0 : (tensor<?xf64>, index) -> f64
    loops.yield %1 : f64
  }
  func.return %r : tensor<?xf64>
}

// -----

// CHECK-LABEL: func.func @iterator_as_value
// CHECK: scalar_because = "the last iterator used as a value"
func.func @iterator_as_value(%n: index) -> tensor<?xi64> {
  %r = loops.nest (%i < %n) -> (collect[%i] : tensor<?xi64>) schedule {vector = 8} {
    %0 = elemwise.cast %i {dtype = i64} : (index) -> i64
    loops.yield %0 : i64
  }
  func.return %r : tensor<?xi64>
}

// -----

// CHECK-LABEL: func.func @argmax
// CHECK: scalar_because = "a result of kind argmax"
func.func @argmax(%x: tensor<?xf64>, %y: tensor<?xi64>) -> (f64, i64) {
  %n = loops.dim %x, 0 : tensor<?xf64>
  %m, %a = loops.nest (%i < %n) ins(%v = %x[%i] : tensor<?xf64>, %p = %y[%i] : tensor<?xi64>)
      -> (max[] : f64, argmax[] : i64) schedule {vector = 8} {
    loops.yield %v, %p : f64, i64
  }
  func.return %m, %a : f64, i64
}

// -----

// CHECK-LABEL: func.func @scatter
// CHECK: scalar_because = "a result of kind scatter_add"
func.func @scatter(%x: tensor<?xf64>, %base: tensor<?xf64>, %j: index) -> tensor<?xf64> {
  %n = loops.dim %x, 0 : tensor<?xf64>
  %r = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (scatter_add(%base)[?] : tensor<?xf64>) schedule {vector = 8} {
    loops.yield %a, %j : f64, index
  }
  func.return %r : tensor<?xf64>
}

// -----

// Calls of the C library, where a condition holds, are vectors too: lowering calls lane by lane.
// CHECK-LABEL: func.func @libm
// CHECK: elemwise.libm_where %{{.+}}, %{{.+}}, %{{.+}} {function = "sin"} : (vector<8xi1>, vector<8xf64>, vector<8xf64>) -> vector<8xf64>
func.func @libm(%x: tensor<?xf64>) -> tensor<?xf64> {
  %n = loops.dim %x, 0 : tensor<?xf64>
  %r = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) schedule {vector = 8} {
    %c = elemwise.gt %a, %a : (f64, f64) -> i1
    %0 = elemwise.libm_where %c, %a, %a {function = "sin"} : (i1, f64, f64) -> f64
    loops.yield %0 : f64
  }
  func.return %r : tensor<?xf64>
}

// -----

// A nest that holds others, or takes slices, has no vectors of its own.
// CHECK-LABEL: func.func @outer_nest
// CHECK: scalar_because = "a nest inside"
func.func @outer_nest(%x: tensor<?x?xf64>) -> tensor<?xf64> {
  %n = loops.dim %x, 0 : tensor<?x?xf64>
  %d = loops.dim %x, 1 : tensor<?x?xf64>
  %r = loops.nest (%i < %n) ins(%row = %x[%i, :] : tensor<?x?xf64>) -> (collect[%i] : tensor<?xf64>) schedule {vector = 8} {
    %s = loops.nest (%k < %d) ins(%a = %row[%k] : tensor<?xf64>) -> (add[] : f64) {
      loops.yield %a : f64
    }
    loops.yield %s : f64
  }
  func.return %r : tensor<?xf64>
}

// -----

// CHECK-LABEL: func.func @slices
// CHECK: scalar_because = "a slice as an element"
func.func @slices(%x: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %n = loops.dim %x, 0 : tensor<?x?xf64>
  %r = loops.nest (%i < %n) ins(%row = %x[%i, :] : tensor<?x?xf64>) -> (collect[%i, :] : tensor<?x?xf64>) schedule {vector = 8} {
    loops.yield %row : tensor<?xf64>
  }
  func.return %r : tensor<?x?xf64>
}

// -----

// CHECK-LABEL: func.func @one_position
// CHECK: scalar_because = "no iterator"
func.func @one_position(%x: tensor<1xf64>) -> tensor<1xf64> {
  %r = loops.nest () ins(%a = %x[0] : tensor<1xf64>) -> (collect[0] : tensor<1xf64>) schedule {vector = 8} {
    loops.yield %a : f64
  }
  func.return %r : tensor<1xf64>
}

// -----

// Rows that come from outside, the same for every i.
// CHECK-LABEL: func.func @captured_rows
// CHECK: scalar_because = "a result of rows"
func.func @captured_rows(%x: tensor<?xf64>, %y: tensor<?xf64>) -> tensor<?x?xf64> {
  %n = loops.dim %x, 0 : tensor<?xf64>
  %r = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i, :] : tensor<?x?xf64>) schedule {vector = 8} {
    loops.yield %y : tensor<?xf64>
  }
  func.return %r : tensor<?x?xf64>
}

// -----

// A chain of 69 products: four vectors side by side. (Sums have several accumulators anyway.)
func.func @chain(%x: tensor<?xf64>, %n: index) -> (tensor<?xf64>, f64) {
  %r = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) schedule {vector = 8 : i64} {
    %1 = elemwise.mul %a, %a : f64
    %2 = elemwise.mul %1, %a : f64
    %3 = elemwise.mul %2, %a : f64
    %4 = elemwise.mul %3, %a : f64
    %5 = elemwise.mul %4, %a : f64
    %6 = elemwise.mul %5, %a : f64
    %7 = elemwise.mul %6, %a : f64
    %8 = elemwise.mul %7, %a : f64
    %9 = elemwise.mul %8, %a : f64
    %10 = elemwise.mul %9, %a : f64
    %11 = elemwise.mul %10, %a : f64
    %12 = elemwise.mul %11, %a : f64
    %13 = elemwise.mul %12, %a : f64
    %14 = elemwise.mul %13, %a : f64
    %15 = elemwise.mul %14, %a : f64
    %16 = elemwise.mul %15, %a : f64
    %17 = elemwise.mul %16, %a : f64
    %18 = elemwise.mul %17, %a : f64
    %19 = elemwise.mul %18, %a : f64
    %20 = elemwise.mul %19, %a : f64
    %21 = elemwise.mul %20, %a : f64
    %22 = elemwise.mul %21, %a : f64
    %23 = elemwise.mul %22, %a : f64
    %24 = elemwise.mul %23, %a : f64
    %25 = elemwise.mul %24, %a : f64
    %26 = elemwise.mul %25, %a : f64
    %27 = elemwise.mul %26, %a : f64
    %28 = elemwise.mul %27, %a : f64
    %29 = elemwise.mul %28, %a : f64
    %30 = elemwise.mul %29, %a : f64
    %31 = elemwise.mul %30, %a : f64
    %32 = elemwise.mul %31, %a : f64
    %33 = elemwise.mul %32, %a : f64
    %34 = elemwise.mul %33, %a : f64
    %35 = elemwise.mul %34, %a : f64
    %36 = elemwise.mul %35, %a : f64
    %37 = elemwise.mul %36, %a : f64
    %38 = elemwise.mul %37, %a : f64
    %39 = elemwise.mul %38, %a : f64
    %40 = elemwise.mul %39, %a : f64
    %41 = elemwise.mul %40, %a : f64
    %42 = elemwise.mul %41, %a : f64
    %43 = elemwise.mul %42, %a : f64
    %44 = elemwise.mul %43, %a : f64
    %45 = elemwise.mul %44, %a : f64
    %46 = elemwise.mul %45, %a : f64
    %47 = elemwise.mul %46, %a : f64
    %48 = elemwise.mul %47, %a : f64
    %49 = elemwise.mul %48, %a : f64
    %50 = elemwise.mul %49, %a : f64
    %51 = elemwise.mul %50, %a : f64
    %52 = elemwise.mul %51, %a : f64
    %53 = elemwise.mul %52, %a : f64
    %54 = elemwise.mul %53, %a : f64
    %55 = elemwise.mul %54, %a : f64
    %56 = elemwise.mul %55, %a : f64
    %57 = elemwise.mul %56, %a : f64
    %58 = elemwise.mul %57, %a : f64
    %59 = elemwise.mul %58, %a : f64
    %60 = elemwise.mul %59, %a : f64
    %61 = elemwise.mul %60, %a : f64
    %62 = elemwise.mul %61, %a : f64
    %63 = elemwise.mul %62, %a : f64
    %64 = elemwise.mul %63, %a : f64
    %65 = elemwise.mul %64, %a : f64
    %66 = elemwise.mul %65, %a : f64
    %67 = elemwise.mul %66, %a : f64
    %68 = elemwise.mul %67, %a : f64
    %69 = elemwise.mul %68, %a : f64
    loops.yield %69 : f64
  }
  %s = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (add[] : f64) schedule {accumulators = 4 : i64, vector = 8 : i64} {
    %1 = elemwise.mul %a, %a : f64
    %2 = elemwise.mul %1, %a : f64
    %3 = elemwise.mul %2, %a : f64
    %4 = elemwise.mul %3, %a : f64
    %5 = elemwise.mul %4, %a : f64
    %6 = elemwise.mul %5, %a : f64
    %7 = elemwise.mul %6, %a : f64
    %8 = elemwise.mul %7, %a : f64
    %9 = elemwise.mul %8, %a : f64
    %10 = elemwise.mul %9, %a : f64
    %11 = elemwise.mul %10, %a : f64
    %12 = elemwise.mul %11, %a : f64
    %13 = elemwise.mul %12, %a : f64
    %14 = elemwise.mul %13, %a : f64
    %15 = elemwise.mul %14, %a : f64
    %16 = elemwise.mul %15, %a : f64
    %17 = elemwise.mul %16, %a : f64
    %18 = elemwise.mul %17, %a : f64
    %19 = elemwise.mul %18, %a : f64
    %20 = elemwise.mul %19, %a : f64
    %21 = elemwise.mul %20, %a : f64
    %22 = elemwise.mul %21, %a : f64
    %23 = elemwise.mul %22, %a : f64
    %24 = elemwise.mul %23, %a : f64
    %25 = elemwise.mul %24, %a : f64
    %26 = elemwise.mul %25, %a : f64
    %27 = elemwise.mul %26, %a : f64
    %28 = elemwise.mul %27, %a : f64
    %29 = elemwise.mul %28, %a : f64
    %30 = elemwise.mul %29, %a : f64
    %31 = elemwise.mul %30, %a : f64
    %32 = elemwise.mul %31, %a : f64
    %33 = elemwise.mul %32, %a : f64
    %34 = elemwise.mul %33, %a : f64
    %35 = elemwise.mul %34, %a : f64
    %36 = elemwise.mul %35, %a : f64
    %37 = elemwise.mul %36, %a : f64
    %38 = elemwise.mul %37, %a : f64
    %39 = elemwise.mul %38, %a : f64
    %40 = elemwise.mul %39, %a : f64
    %41 = elemwise.mul %40, %a : f64
    %42 = elemwise.mul %41, %a : f64
    %43 = elemwise.mul %42, %a : f64
    %44 = elemwise.mul %43, %a : f64
    %45 = elemwise.mul %44, %a : f64
    %46 = elemwise.mul %45, %a : f64
    %47 = elemwise.mul %46, %a : f64
    %48 = elemwise.mul %47, %a : f64
    %49 = elemwise.mul %48, %a : f64
    %50 = elemwise.mul %49, %a : f64
    %51 = elemwise.mul %50, %a : f64
    %52 = elemwise.mul %51, %a : f64
    %53 = elemwise.mul %52, %a : f64
    %54 = elemwise.mul %53, %a : f64
    %55 = elemwise.mul %54, %a : f64
    %56 = elemwise.mul %55, %a : f64
    %57 = elemwise.mul %56, %a : f64
    %58 = elemwise.mul %57, %a : f64
    %59 = elemwise.mul %58, %a : f64
    %60 = elemwise.mul %59, %a : f64
    %61 = elemwise.mul %60, %a : f64
    %62 = elemwise.mul %61, %a : f64
    %63 = elemwise.mul %62, %a : f64
    %64 = elemwise.mul %63, %a : f64
    %65 = elemwise.mul %64, %a : f64
    %66 = elemwise.mul %65, %a : f64
    %67 = elemwise.mul %66, %a : f64
    %68 = elemwise.mul %67, %a : f64
    %69 = elemwise.mul %68, %a : f64
    loops.yield %69 : f64
  }
  func.return %r, %s : tensor<?xf64>, f64
}
// CHECK-LABEL: func.func @chain
// CHECK: schedule {unroll = 4 : i64, vector = 8 : i64}
// CHECK: schedule {accumulators = 4 : i64, vector = 8 : i64}

// -----

// A chain of 30: two.
func.func @shorter_chain(%x: tensor<?xf64>, %n: index) -> tensor<?xf64> {
  %r = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) schedule {vector = 8 : i64} {
    %1 = elemwise.mul %a, %a : f64
    %2 = elemwise.mul %1, %a : f64
    %3 = elemwise.mul %2, %a : f64
    %4 = elemwise.mul %3, %a : f64
    %5 = elemwise.mul %4, %a : f64
    %6 = elemwise.mul %5, %a : f64
    %7 = elemwise.mul %6, %a : f64
    %8 = elemwise.mul %7, %a : f64
    %9 = elemwise.mul %8, %a : f64
    %10 = elemwise.mul %9, %a : f64
    %11 = elemwise.mul %10, %a : f64
    %12 = elemwise.mul %11, %a : f64
    %13 = elemwise.mul %12, %a : f64
    %14 = elemwise.mul %13, %a : f64
    %15 = elemwise.mul %14, %a : f64
    %16 = elemwise.mul %15, %a : f64
    %17 = elemwise.mul %16, %a : f64
    %18 = elemwise.mul %17, %a : f64
    %19 = elemwise.mul %18, %a : f64
    %20 = elemwise.mul %19, %a : f64
    %21 = elemwise.mul %20, %a : f64
    %22 = elemwise.mul %21, %a : f64
    %23 = elemwise.mul %22, %a : f64
    %24 = elemwise.mul %23, %a : f64
    %25 = elemwise.mul %24, %a : f64
    %26 = elemwise.mul %25, %a : f64
    %27 = elemwise.mul %26, %a : f64
    %28 = elemwise.mul %27, %a : f64
    %29 = elemwise.mul %28, %a : f64
    %30 = elemwise.mul %29, %a : f64
    loops.yield %30 : f64
  }
  func.return %r : tensor<?xf64>
}
// CHECK-LABEL: func.func @shorter_chain
// CHECK: schedule {unroll = 2 : i64, vector = 8 : i64}
