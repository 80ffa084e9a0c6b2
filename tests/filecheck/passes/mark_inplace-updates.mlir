// RUN: tt-opt %s -p mark-inplace --split-input-file | filecheck %s
// RUN: tt-opt %s -p mark-inplace,bufferize --split-input-file | filecheck %s --check-prefix=BUF

// Rows added to a table: the indices are checked in a nest of their own, then the table is written.
// CHECK-LABEL: func.func @rows
// CHECK-SAME: tt.inplace = [array<i64: 0, 0>]
// CHECK: %[[P:.+]] = loops.nest (%[[I:.+]] < %{{.+}}) ins(%{{.+}} = %at[%[[I]]] : tensor<?xi64>) -> (collect[%[[I]]] : tensor<?xi64>) {
// CHECK-NEXT: %[[K:.+]] = elemwise.cast
// CHECK-NEXT: loops.locate %w, %[[K]] {axis = 0 : i64} : (tensor<?x?xf64>, index) -> index
// CHECK: %{{.+}} = %[[P]][%{{.+}}] : tensor<?xi64>) -> (scatter_add(%w)[?, %{{.+}}] : tensor<?x?xf64>) {
// CHECK-NEXT: elemwise.cast
// CHECK-NEXT: loops.yield
// CHECK-NEXT: } attributes {inbounds, inplace = [array<i64: 0, 3>]}
// BUF-LABEL: func.func @rows
// BUF: loops.locate
// BUF: loops.nest {{.*}} = %w[{{.*}} into %r0
// BUF: } attributes {unless_there}
// BUF: scatter_add{{.*}} into %r0
func.func @rows(%w: tensor<?x?xf64> {tt.update = 0 : i64}, %g: tensor<?x?xf64>, %at: tensor<?xi64>) -> tensor<?x?xf64> {
  %n = loops.dim %at, 0 : tensor<?xi64>
  %d = loops.dim %w, 1 : tensor<?x?xf64>
  %r = loops.nest (%i < %n, %k < %d) ins(%v = %g[%i, %k] : tensor<?x?xf64>, %j = %at[%i] : tensor<?xi64>)
      -> (scatter_add(%w)[?, %k] : tensor<?x?xf64>) {
    %0 = elemwise.cast %j {dtype = index} : (i64) -> index
    loops.yield %v, %0 : f64, index
  }
  func.return %r : tensor<?x?xf64>
}

// -----

// Two scatters, one after another: both are checked against the argument, in front of the first.
// CHECK-LABEL: func.func @chain
// CHECK-SAME: tt.inplace = [array<i64: 0, 0>]
// CHECK: loops.locate %w
// CHECK: loops.locate %w
// CHECK: scatter_add(%w)
// CHECK: } attributes {inbounds, inplace
// CHECK: scatter_set(%{{.+}})
// CHECK: } attributes {inbounds, inplace
// BUF-LABEL: func.func @chain
// BUF: scatter_add{{.*}} into %r0
// BUF-NOT: collect
// BUF: scatter_set{{.*}} into %r0
func.func @chain(%w: tensor<?xf64> {tt.update = 0 : i64}, %at: tensor<?xi64>) -> tensor<?xf64> {
  %n = loops.dim %at, 0 : tensor<?xi64>
  %one = elemwise.constant 1.0 : f64
  %a = loops.nest (%i < %n) ins(%j = %at[%i] : tensor<?xi64>) -> (scatter_add(%w)[?] : tensor<?xf64>) {
    %0 = elemwise.cast %j {dtype = index} : (i64) -> index
    loops.yield %one, %0 : f64, index
  }
  %b = loops.nest (%i < %n) ins(%j = %at[%i] : tensor<?xi64>) -> (scatter_set(%a)[?] : tensor<?xf64>) {
    %0 = elemwise.cast %j {dtype = index} : (i64) -> index
    %1 = elemwise.add %0, %0 : index
    loops.yield %one, %1 : f64, index
  }
  func.return %b : tensor<?xf64>
}

// -----

// A scatter behind a nest that begins in the argument; a place that no iterator changes is a number.
// CHECK-LABEL: func.func @mixed
// CHECK-SAME: tt.inplace = [array<i64: 0, 0>]
// CHECK: %[[P:.+]] = loops.nest () -> (collect[] : i64) {
// CHECK: loops.locate %w, %k
// CHECK: %[[A:.+]] = loops.nest {{.*}} = %w[
// CHECK: } attributes {inplace = [array<i64: 0, 0>]}
// CHECK: scatter_set(%[[A]])[?]
// CHECK-NEXT: elemwise.cast %[[P]] {dtype = index}
// CHECK: } attributes {inbounds, inplace = [array<i64: 0, 0>]}
func.func @mixed(%w: tensor<?xf64> {tt.update = 0 : i64}, %k: index) -> tensor<?xf64> {
  %n = loops.dim %w, 0 : tensor<?xf64>
  %one = elemwise.constant 1.0 : f64
  %a = loops.nest (%i < %n) ins(%v = %w[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %0 = elemwise.mul %v, %v : f64
    loops.yield %0 : f64
  }
  %b = loops.nest () -> (scatter_set(%a)[?] : tensor<?xf64>) {
    loops.yield %one, %k : f64, index
  }
  func.return %b : tensor<?xf64>
}

// -----

// An insert of what was computed from the same part: read and written element by element. Its index,
// and that of the view, are one checked place.
// CHECK-LABEL: func.func @row
// CHECK-SAME: tt.inplace = [array<i64: 0, 0>]
// CHECK: %[[P:.+]] = loops.locate %w, %at {axis = 0 : i64}
// CHECK-NEXT: %[[V:.+]] = loops.subview %w[%[[P]], :] {inbounds}
// CHECK: } attributes {inplace = [array<i64: 0, 0>]}
// CHECK: loops.insert %{{.+}} into %w[%[[P]], :] {inbounds, direct, inplace}
// BUF-LABEL: func.func @row
// BUF: loops.locate
// BUF: } attributes {unless_there}
// BUF: %[[R:.+]] = loops.subview %r0
// BUF: into %[[R]]
func.func @row(%w: tensor<?x?xf64> {tt.update = 0 : i64}, %at: index) -> tensor<?x?xf64> {
  %d = loops.dim %w, 1 : tensor<?x?xf64>
  %old = loops.subview %w[%at, :] : tensor<?x?xf64> -> tensor<?xf64>
  %new = loops.nest (%k < %d) ins(%v = %old[%k] : tensor<?xf64>) -> (collect[%k] : tensor<?xf64>) {
    %0 = elemwise.mul %v, %v : f64
    loops.yield %0 : f64
  }
  %r = loops.insert %new into %w[%at, :] : tensor<?xf64> into tensor<?x?xf64>
  func.return %r : tensor<?x?xf64>
}

// -----

// A product in place of a matrix that is read before it alone.
// CHECK-LABEL: func.func @product
// CHECK-SAME: tt.inplace = [array<i64: 0, 0>]
// BUF-LABEL: func.func @product
// BUF: loops.call %{{.+}}, %x, %r0
func.func @product(%w: tensor<?x?xf64> {tt.update = 0 : i64}, %x: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %n = loops.dim %w, 0 : tensor<?x?xf64>
  %d = loops.dim %w, 1 : tensor<?x?xf64>
  %a = loops.nest (%i < %n, %k < %d) ins(%v = %w[%i, %k] : tensor<?x?xf64>) -> (collect[%i, %k] : tensor<?x?xf64>) {
    %0 = elemwise.mul %v, %v : f64
    loops.yield %0 : f64
  }
  %r = loops.call %a, %x {callee = "gemm"} : (tensor<?x?xf64>, tensor<?x?xf64>) -> tensor<?x?xf64>
  func.return %r : tensor<?x?xf64>
}

// -----

// Two values that change places: the first is written when the second has been read, not both.
// CHECK-LABEL: func.func @swap
// CHECK-SAME: tt.inplace = [array<i64: 0, 1>]
// CHECK: ins(%{{.+}} = %f
// CHECK: ins(%{{.+}} = %e
func.func @swap(%e: tensor<?xf64> {tt.update = 1 : i64}, %f: tensor<?xf64> {tt.update = 0 : i64}) -> (tensor<?xf64>, tensor<?xf64>) {
  %u = loops.dim %e, 0 : tensor<?xf64>
  %v = loops.dim %f, 0 : tensor<?xf64>
  %0 = loops.nest (%i < %u) ins(%x = %e[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %2 = elemwise.neg %x : f64
    loops.yield %2 : f64
  }
  %1 = loops.nest (%i < %v) ins(%x = %f[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %2 = elemwise.neg %x : f64
    loops.yield %2 : f64
  }
  func.return %0, %1 : tensor<?xf64>, tensor<?xf64>
}

// -----

// The table is read in front of the scatter: fine. Gathered from where the values are computed: fine,
// that nest comes first.
// CHECK-LABEL: func.func @read_before
// CHECK-SAME: tt.inplace = [array<i64: 1, 0>]
// CHECK: loops.gather %w
// CHECK: -> (add[] : f64)
// CHECK: scatter_add(%w)
func.func @read_before(%w: tensor<?xf64> {tt.update = 1 : i64}, %at: tensor<?xi64>) -> (f64, tensor<?xf64>) {
  %n = loops.dim %at, 0 : tensor<?xi64>
  %d = loops.dim %w, 0 : tensor<?xf64>
  %g = loops.nest (%i < %n) ins(%j = %at[%i] : tensor<?xi64>) -> (collect[%i] : tensor<?xf64>) {
    %0 = elemwise.cast %j {dtype = index} : (i64) -> index
    %1 = loops.gather %w, %0 : (tensor<?xf64>, index) -> f64
    loops.yield %1 : f64
  }
  %r = loops.nest (%i < %n) ins(%v = %g[%i] : tensor<?xf64>, %j = %at[%i] : tensor<?xi64>) -> (scatter_add(%w)[?] : tensor<?xf64>) {
    %0 = elemwise.cast %j {dtype = index} : (i64) -> index
    loops.yield %v, %0 : f64, index
  }
  %s = loops.nest (%i < %d) ins(%v = %w[%i] : tensor<?xf64>) -> (add[] : f64) {
    loops.yield %v : f64
  }
  func.return %s, %r : f64, tensor<?xf64>
}

// -----

// Not where the scatter's body gathers from the table, the table is returned too, the value to insert
// is a view of it, a part of it is read in another way by the nest that would write there, or the
// argument is nobody's.
// CHECK-LABEL: func.func @no_parts
// CHECK-NOT: tt.inplace
// CHECK: func.return
func.func @no_parts(%a: tensor<?xf64> {tt.update = 0 : i64}, %b: tensor<?xf64> {tt.update = 1 : i64}, %c: tensor<?xf64> {tt.update = 2 : i64}, %e: tensor<?xf64>, %at: tensor<?xi64>, %o: index, %z: index)
    -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) {
  %n = loops.dim %at, 0 : tensor<?xi64>
  %one = elemwise.constant 1.0 : f64
  %0 = loops.nest (%i < %n) ins(%j = %at[%i] : tensor<?xi64>) -> (scatter_add(%a)[?] : tensor<?xf64>) {
    %5 = elemwise.cast %j {dtype = index} : (i64) -> index
    %6 = loops.gather %a, %5 : (tensor<?xf64>, index) -> f64
    loops.yield %6, %5 : f64, index
  }
  %1 = loops.nest (%i < %n) ins(%j = %at[%i] : tensor<?xi64>) -> (scatter_add(%b)[?] : tensor<?xf64>) {
    %5 = elemwise.cast %j {dtype = index} : (i64) -> index
    loops.yield %one, %5 : f64, index
  }
  %v = loops.subview %c[%o for %z] : tensor<?xf64> -> tensor<?xf64>
  %2 = loops.insert %v into %c[%z for %z] : tensor<?xf64> into tensor<?xf64>
  %4 = loops.nest (%i < %n) ins(%j = %at[%i] : tensor<?xi64>) -> (scatter_add(%e)[?] : tensor<?xf64>) {
    %5 = elemwise.cast %j {dtype = index} : (i64) -> index
    loops.yield %one, %5 : f64, index
  }
  func.return %0, %1, %2, %b, %4 : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
}

// -----

// Rows of the table that move to others: computed first, then put in place.
// CHECK-LABEL: func.func @shift
// CHECK-SAME: tt.inplace = [array<i64: 0, 0>]
// CHECK: loops.insert %{{.+}} into %d[%z for %z] {inplace}
func.func @shift(%d: tensor<?xf64> {tt.update = 0 : i64}, %o: index, %z: index) -> tensor<?xf64> {
  %u = loops.subview %d[%o for %z] : tensor<?xf64> -> tensor<?xf64>
  %w = loops.nest (%i < %z) ins(%x = %u[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %6 = elemwise.neg %x : f64
    loops.yield %6 : f64
  }
  %3 = loops.insert %w into %d[%z for %z] : tensor<?xf64> into tensor<?xf64>
  func.return %3 : tensor<?xf64>
}
