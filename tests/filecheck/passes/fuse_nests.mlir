// RUN: tt-opt %s -p lower-to-loops,fuse-nests --split-input-file | filecheck %s
// RUN: tt-opt %s -p lower-to-loops,fuse-nests --split-input-file | filecheck %s --check-prefix=COUNT

// Producer and consumer, and siblings: one flat nest, the intermediate vanishes, x is read once.
func.func @elementwise(%x: tensor<?x?xf64>) -> (tensor<?x?xf64>, tensor<?xf64>, tensor<?xf64>) {
  %0 = elemwise.exp %x : tensor<?x?xf64>
  %1 = elemwise.add %0, %x : tensor<?x?xf64>
  %2 = tensor.reduce %0 {kind = "add", axes = array<i64: 0>} : (tensor<?x?xf64>) -> tensor<?xf64>
  %3 = tensor.reduce %x {kind = "mul", axes = array<i64: 1>} : (tensor<?x?xf64>) -> tensor<?xf64>
  func.return %1, %2, %3 : tensor<?x?xf64>, tensor<?xf64>, tensor<?xf64>
}
// COUNT-LABEL: func.func @elementwise
// COUNT: loops.nest
// COUNT-NOT: loops.nest
// COUNT: func.return
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @elementwise(
// CHECK-SAME: %[[X:.+]]: tensor<?x?xf64>) -> (tensor<?x?xf64>, tensor<?xf64>, tensor<?xf64>) {
// CHECK-NEXT: %[[V0:.+]] = loops.dim %[[X]], 0 : tensor<?x?xf64>
// CHECK-NEXT: %[[V1:.+]] = loops.dim %[[X]], 1 : tensor<?x?xf64>
// CHECK-NEXT: %[[ADD:[^ ,:]+]], %[[SUM:[^ ,:]+]], %[[PROD:[^ ,:]+]] = loops.nest (%[[I:[^ ,:]+]] < %[[V0]], %[[J:[^ ,:]+]] < %[[V1]]) ins(%[[X_1:[^ ,:]+]] = %[[X]][%[[I]], %[[J]]] : tensor<?x?xf64>) -> (collect[%[[I]], %[[J]]] : tensor<?x?xf64>, add[%[[J]]] : tensor<?xf64>, mul[%[[I]]] : tensor<?xf64>) {
// CHECK-NEXT: %[[EXP:.+]] = elemwise.exp %[[X_1]] : f64
// CHECK-NEXT: %[[ADD_1:.+]] = elemwise.add %[[EXP]], %[[X_1]] : f64
// CHECK-NEXT: loops.yield %[[ADD_1]], %[[EXP]], %[[X_1]] : f64, f64, f64
// CHECK-NEXT: }
// CHECK-NEXT: func.return %[[ADD]], %[[SUM]], %[[PROD]] : tensor<?x?xf64>, tensor<?xf64>, tensor<?xf64>
// CHECK-NEXT: }
// -----

// Softmax is one pass over the rows.
func.func @softmax(%x: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %m = tensor.reduce %x {kind = "add", axes = array<i64: 1>} : (tensor<?x?xf64>) -> tensor<?xf64>
  %m1 = tensor.dimshuffle %m {order = array<i64: 0, -1>} : (tensor<?xf64>) -> tensor<?x1xf64>
  %d = elemwise.sub %x, %m1 : (tensor<?x?xf64>, tensor<?x1xf64>) -> tensor<?x?xf64>
  %e = elemwise.exp %d : tensor<?x?xf64>
  %s = tensor.reduce %e {kind = "add", axes = array<i64: 1>} : (tensor<?x?xf64>) -> tensor<?xf64>
  %s1 = tensor.dimshuffle %s {order = array<i64: 0, -1>} : (tensor<?xf64>) -> tensor<?x1xf64>
  %r = elemwise.true_div %e, %s1 : (tensor<?x?xf64>, tensor<?x1xf64>) -> tensor<?x?xf64>
  func.return %r : tensor<?x?xf64>
}
// COUNT-LABEL: func.func @softmax
// COUNT: ins(%{{.+}} = %x[%{{.+}}, :] : tensor<?x?xf64>)
// COUNT-NOT: = %x[
// COUNT: func.return
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @softmax(
// CHECK-SAME: %[[X:.+]]: tensor<?x?xf64>) -> tensor<?x?xf64> {
// CHECK-NEXT: %[[V0:.+]] = loops.dim %[[X]], 0 : tensor<?x?xf64>
// CHECK-NEXT: %[[V1:.+]] = loops.dim %[[X]], 1 : tensor<?x?xf64>
// CHECK-NEXT: %[[R:[^ ,:]+]] = loops.nest (%[[I:[^ ,:]+]] < %[[V0]]) ins(%[[X_1:[^ ,:]+]] = %[[X]][%[[I]], :] : tensor<?x?xf64>) -> (collect[%[[I]], :] : tensor<?x?xf64>) {
// CHECK-NEXT: %[[M:[^ ,:]+]] = loops.nest (%[[J:[^ ,:]+]] < %[[V1]]) ins(%[[X_2:[^ ,:]+]] = %[[X_1]][%[[J]]] : tensor<?xf64>) -> (add[] : f64) {
// CHECK-NEXT: loops.yield %[[X_2]] : f64
// CHECK-NEXT: }
// CHECK-NEXT: %[[E:[^ ,:]+]], %[[S:[^ ,:]+]] = loops.nest (%[[J_1:[^ ,:]+]] < %[[V1]]) ins(%[[X_3:[^ ,:]+]] = %[[X_1]][%[[J_1]]] : tensor<?xf64>) -> (collect[%[[J_1]]] : tensor<?xf64>, add[] : f64) {
// CHECK-NEXT: %[[D:.+]] = elemwise.sub %[[X_3]], %[[M]] : f64
// CHECK-NEXT: %[[E_1:.+]] = elemwise.exp %[[D]] : f64
// CHECK-NEXT: loops.yield %[[E_1]], %[[E_1]] : f64, f64
// CHECK-NEXT: }
// CHECK-NEXT: %[[R_1:[^ ,:]+]] = loops.nest (%[[J_2:[^ ,:]+]] < %[[V1]]) ins(%[[E_2:[^ ,:]+]] = %[[E]][%[[J_2]]] : tensor<?xf64>) -> (collect[%[[J_2]]] : tensor<?xf64>) {
// CHECK-NEXT: %[[R_2:.+]] = elemwise.true_div %[[E_2]], %[[S]] : f64
// CHECK-NEXT: loops.yield %[[R_2]] : f64
// CHECK-NEXT: }
// CHECK-NEXT: loops.yield %[[R_1]] : tensor<?xf64>
// CHECK-NEXT: }
// CHECK-NEXT: func.return %[[R]] : tensor<?x?xf64>
// CHECK-NEXT: }
// -----

// Both products of a gradient step: x is read once, and what only the loss needs stays out.
func.func @step(%x: tensor<?x?xf64>, %w: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
  %t = tensor.dot %x, %w : (tensor<?x?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %d, %l = elemwise.composite (%a = %t : tensor<?xf64>) -> tensor<?xf64>, tensor<?xf64> {
    %p = elemwise.sigmoid %a : f64
    %s = elemwise.softplus %a : f64
    elemwise.yield %p, %s : f64, f64
  }
  %y = tensor.dimshuffle %x {order = array<i64: 1, 0>} : tensor<?x?xf64>
  %g = tensor.dot %y, %d : (tensor<?x?xf64>, tensor<?xf64>) -> tensor<?xf64>
  func.return %g, %l : tensor<?xf64>, tensor<?xf64>
}
// COUNT-LABEL: func.func @step
// COUNT: ins(%{{.+}} = %x[%{{.+}}, :] : tensor<?x?xf64>)
// COUNT-NOT: = %x[
// COUNT: func.return
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @step(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?x?xf64>, %[[W:[^ ,:]+]]: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
// CHECK-NEXT: %[[V0:.+]] = loops.dim %[[X]], 1 : tensor<?x?xf64>
// CHECK-NEXT: %[[V1:.+]] = loops.dim %[[W]], 0 : tensor<?xf64>
// CHECK-NEXT: %[[V2:.+]] = loops.dim %[[X]], 0 : tensor<?x?xf64>
// CHECK-NEXT: loops.check %[[V0]], %[[V1]] {message = "shapes not aligned: {0} (dim 1) != {1} (dim 0)"} : (index, index) -> ()
// CHECK-NEXT: %[[T:[^ ,:]+]], %[[G:[^ ,:]+]] = loops.nest (%[[I:[^ ,:]+]] < %[[V2]]) ins(%[[X_1:[^ ,:]+]] = %[[X]][%[[I]], :] : tensor<?x?xf64>) -> (collect[%[[I]]] : tensor<?xf64>, add[:] : tensor<?xf64>) {
// CHECK-NEXT: %[[T_1:[^ ,:]+]] = loops.nest (%[[J:[^ ,:]+]] < %[[V0]]) ins(%[[X_2:[^ ,:]+]] = %[[X_1]][%[[J]]] : tensor<?xf64>, %[[W_1:[^ ,:]+]] = %[[W]][%[[J]]] : tensor<?xf64>) -> (add[] : f64) {
// CHECK-NEXT: %[[V3:.+]] = elemwise.mul %[[X_2]], %[[W_1]] {contract} : f64
// CHECK-NEXT: loops.yield %[[V3]] : f64
// CHECK-NEXT: }
// CHECK-NEXT: %[[P:.+]] = elemwise.sigmoid %[[T_1]] : f64
// CHECK-NEXT: %[[G_1:[^ ,:]+]] = loops.nest (%[[I_1:[^ ,:]+]] < %[[V0]]) ins(%[[X_3:[^ ,:]+]] = %[[X_1]][%[[I_1]]] : tensor<?xf64>) -> (collect[%[[I_1]]] : tensor<?xf64>) {
// CHECK-NEXT: %[[V4:.+]] = elemwise.mul %[[X_3]], %[[P]] {contract} : f64
// CHECK-NEXT: loops.yield %[[V4]] : f64
// CHECK-NEXT: }
// CHECK-NEXT: loops.yield %[[T_1]], %[[G_1]] : f64, tensor<?xf64>
// CHECK-NEXT: }
// CHECK-NEXT: %[[L:[^ ,:]+]] = loops.nest (%[[I_2:[^ ,:]+]] < %[[V2]]) ins(%[[T_2:[^ ,:]+]] = %[[T]][%[[I_2]]] : tensor<?xf64>) -> (collect[%[[I_2]]] : tensor<?xf64>) {
// CHECK-NEXT: %[[S:.+]] = elemwise.softplus %[[T_2]] : f64
// CHECK-NEXT: loops.yield %[[S]] : f64
// CHECK-NEXT: }
// CHECK-NEXT: func.return %[[G]], %[[L]] : tensor<?xf64>, tensor<?xf64>
// CHECK-NEXT: }
// -----

// Clause (2): the sum is needed whole.
func.func @clause_2(%x: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %s = tensor.reduce %x {kind = "add", axes = array<i64: 0>} : (tensor<?x?xf64>) -> tensor<?xf64>
  %t = tensor.dimshuffle %s {order = array<i64: 0, -1>} : (tensor<?xf64>) -> tensor<?x1xf64>
  %0 = elemwise.sub %x, %t : (tensor<?x?xf64>, tensor<?x1xf64>) -> tensor<?x?xf64>
  func.return %0 : tensor<?x?xf64>
}
// CHECK-LABEL: func.func @clause_2
// CHECK-COUNT-2: loops.nest
// COUNT-LABEL: func.func @clause_2

// -----

// Clause (3): a scalar operation on the way.
func.func @clause_3(%x: tensor<?xf64>) -> tensor<?xf64> {
  %s = tensor.reduce %x {kind = "add", axes = array<i64: 0>} : (tensor<?xf64>) -> tensor<f64>
  %r = elemwise.sqrt %s : tensor<f64>
  %t = tensor.dimshuffle %r {order = array<i64: -1>} : (tensor<f64>) -> tensor<1xf64>
  %0 = elemwise.sub %x, %t : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  func.return %0 : tensor<?xf64>
}
// CHECK-LABEL: func.func @clause_3
// CHECK: loops.nest
// CHECK: elemwise.sqrt
// CHECK: loops.nest
// COUNT-LABEL: func.func @clause_3

// -----

// Clause (4): a scatter.
func.func @clause_4(%x: tensor<?xf64>, %at: tensor<?xi64>) -> (tensor<?xf64>, tensor<?xf64>) {
  %e = elemwise.exp %x : tensor<?xf64>
  %0 = tensor.advanced_inc_subtensor %x, %e, %at : (tensor<?xf64>, tensor<?xf64>, tensor<?xi64>) -> tensor<?xf64>
  func.return %0, %e : tensor<?xf64>, tensor<?xf64>
}
// CHECK-LABEL: func.func @clause_4
// CHECK-COUNT-2: loops.nest
// COUNT-LABEL: func.func @clause_4

// -----

// No profit: the sigmoid is not on the way to a second use of a row.
func.func @profit(%x: tensor<?x?xf64>, %w: tensor<?xf64>) -> tensor<?xf64> {
  %t = tensor.dot %x, %w : (tensor<?x?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %p = elemwise.sigmoid %t : tensor<?xf64>
  func.return %p : tensor<?xf64>
}
// CHECK-LABEL: func.func @profit
// CHECK: loops.nest (%{{.+}} < %{{.+}}, %{{.+}} < %{{.+}})
// CHECK: loops.nest (%{{.+}} < %{{.+}}) ins
// CHECK: elemwise.sigmoid
// COUNT-LABEL: func.func @profit

// -----

// No profit: a loop over the columns would store the result column by column.
func.func @columns(%x: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %m = tensor.reduce %x {kind = "add", axes = array<i64: 0>} : (tensor<?x?xf64>) -> tensor<?xf64>
  %m1 = tensor.dimshuffle %m {order = array<i64: -1, 0>} : (tensor<?xf64>) -> tensor<1x?xf64>
  %r = elemwise.sub %x, %m1 : (tensor<?x?xf64>, tensor<1x?xf64>) -> tensor<?x?xf64>
  func.return %r : tensor<?x?xf64>
}
// CHECK-LABEL: func.func @columns
// CHECK: loops.nest {{.*}}add[%{{.+}}]
// CHECK-NOT: collect[:, %{{.+}}]
// CHECK: loops.nest {{.*}}collect[%{{.+}}, %{{.+}}]
// COUNT-LABEL: func.func @columns

// -----

// No profit: a loop over the columns would read x column by column.
func.func @column_sums(%x: tensor<?x?xf64>) -> tensor<?xf64> {
  %t = tensor.dimshuffle %x {order = array<i64: 1, 0>} : (tensor<?x?xf64>) -> tensor<?x?xf64>
  %m = tensor.reduce %t {kind = "add", axes = array<i64: 1>} : (tensor<?x?xf64>) -> tensor<?xf64>
  %m1 = tensor.dimshuffle %m {order = array<i64: 0, -1>} : (tensor<?xf64>) -> tensor<?x1xf64>
  %c = elemwise.sub %t, %m1 : (tensor<?x?xf64>, tensor<?x1xf64>) -> tensor<?x?xf64>
  %r = tensor.reduce %c {kind = "add", axes = array<i64: 1>} : (tensor<?x?xf64>) -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
// CHECK-LABEL: func.func @column_sums
// CHECK-NOT: = %x[:, %{{.+}}]
// CHECK: loops.nest (%{{.+}} < %{{.+}}, %{{.+}} < %{{.+}}) ins(%{{.+}} = %x[
// CHECK: loops.nest (%{{.+}} < %{{.+}}, %{{.+}} < %{{.+}}) ins(%{{.+}} = %x[
// COUNT-LABEL: func.func @column_sums

// -----

// Nests that read parts of one size of an array fuse as those that read arrays do; not around an insert.
func.func @parts(%x: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
  %0 = tensor.subtensor %x {slices = "::-1"} : (tensor<?xf64>) -> tensor<?xf64>
  %1 = elemwise.exp %0 : tensor<?xf64>
  %2 = elemwise.mul %x, %1 : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %3 = tensor.inc_subtensor %2, %x {slices = "::-1"} : (tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %4 = elemwise.neg %3 : tensor<?xf64>
  func.return %4, %2 : tensor<?xf64>, tensor<?xf64>
}
// CHECK-LABEL: func.func @parts
// CHECK: %[[V:.+]] = loops.subview %x
// CHECK: loops.nest {{.+}} ins(%[[R:.+]] = %[[V]][%{{.+}}] : tensor<?xf64>, %{{.+}} = %x[%{{.+}}] : tensor<?xf64>)
// CHECK-NEXT: elemwise.exp %[[R]]
// CHECK-NEXT: elemwise.mul
// CHECK: loops.nest
// CHECK: loops.insert
// CHECK: loops.nest
// COUNT-LABEL: func.func @parts

// -----

// A loop that stores rows reads the columns of x anyway: what else reads them shares it.
func.func @turned_softmax(%x: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %t = tensor.dimshuffle %x {order = array<i64: 1, 0>} : (tensor<?x?xf64>) -> tensor<?x?xf64>
  %m = tensor.reduce %t {kind = "max", axes = array<i64: 1>} : (tensor<?x?xf64>) -> tensor<?xf64>
  %m1 = tensor.dimshuffle %m {order = array<i64: 0, -1>} : (tensor<?xf64>) -> tensor<?x1xf64>
  %c = elemwise.sub %t, %m1 : (tensor<?x?xf64>, tensor<?x1xf64>) -> tensor<?x?xf64>
  %e = elemwise.exp %c : tensor<?x?xf64>
  %s = tensor.reduce %e {kind = "add", axes = array<i64: 1>} : (tensor<?x?xf64>) -> tensor<?xf64>
  %s1 = tensor.dimshuffle %s {order = array<i64: 0, -1>} : (tensor<?xf64>) -> tensor<?x1xf64>
  %r = elemwise.true_div %e, %s1 : (tensor<?x?xf64>, tensor<?x1xf64>) -> tensor<?x?xf64>
  func.return %r : tensor<?x?xf64>
}
// CHECK-LABEL: func.func @turned_softmax
// CHECK: loops.nest (%[[I:.+]] < %{{.+}}) ins(%[[C:.+]] = %x[:, %[[I]]] : {{.*}}) -> (collect[%[[I]], :] : {{.*}}) {
// CHECK-NEXT: loops.nest {{.*}} = %[[C]][{{.*}} -> (max[] : f64)
// CHECK: loops.nest {{.*}} = %[[C]][{{.*}}add[] : f64)
// CHECK-NOT: %x[
// CHECK: func.return
// COUNT-LABEL: func.func @turned_softmax
