// RUN: tt-opt %s -p "schedule-cpu{vector_bytes=64}" --split-input-file | filecheck %s

// The second nest finds the end of x in the cache; the third its beginning, as it is again last.
func.func @logistic(%x: tensor<?x?xf64>, %w: tensor<?xf64>, %n: index, %m: index) -> (tensor<?xf64>, tensor<?xf64>) {
  %0 = loops.nest (%i < %n, %j < %m) ins(%a = %x[%i, %j] : tensor<?x?xf64>, %b = %w[%i] : tensor<?xf64>) -> (add[%j] : tensor<?xf64>) {
    %1 = elemwise.mul %a, %b {contract} : f64
    loops.yield %1 : f64
  }
  %2 = loops.nest (%i < %n, %j < %m) ins(%a = %x[%i, %j] : tensor<?x?xf64>, %b = %0[%j] : tensor<?xf64>) -> (add[%i] : tensor<?xf64>) {
    %3 = elemwise.mul %a, %b {contract} : f64
    loops.yield %3 : f64
  }
  %4 = loops.nest (%i < %n, %j < %m) ins(%a = %x[%i, %j] : tensor<?x?xf64>, %b = %2[%i] : tensor<?xf64>, %c = %0[%j] : tensor<?xf64>) -> (add[%i] : tensor<?xf64>) {
    %5 = elemwise.add %a, %b : f64
    %6 = elemwise.mul %5, %c {contract} : f64
    loops.yield %6 : f64
  }
  func.return %2, %4 : tensor<?xf64>, tensor<?xf64>
}
// CHECK-LABEL: func.func @logistic
// CHECK: -> (add[:] : tensor<?xf64>) schedule {jam = 4 : i64, split = 0 : i64}
// CHECK: -> (collect[%{{.+}}] : tensor<?xf64>) schedule {backwards = 1 : i64, jam = 4 : i64, split = 0 : i64}
// CHECK: -> (collect[%{{.+}}] : tensor<?xf64>) schedule {jam = 4 : i64, split = 0 : i64}

// -----

// Along another dimension; over another array; what is combined over the rows keeps their order.
func.func @forwards(%x: tensor<?x?xf64>, %y: tensor<?x?xf64>, %w: tensor<?xf64>, %v: tensor<?xf64>, %n: index, %m: index) -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) {
  %0 = loops.nest (%i < %n, %j < %m) ins(%a = %x[%i, %j] : tensor<?x?xf64>, %b = %w[%j] : tensor<?xf64>) -> (add[%i] : tensor<?xf64>) {
    %1 = elemwise.mul %a, %b {contract} : f64
    loops.yield %1 : f64
  }
  %2 = loops.nest (%i < %n, %j < %m) ins(%a = %y[%i, %j] : tensor<?x?xf64>, %b = %w[%j] : tensor<?xf64>) -> (add[%i] : tensor<?xf64>) {
    %3 = elemwise.mul %a, %b {contract} : f64
    loops.yield %3 : f64
  }
  %4 = loops.nest (%i < %n, %j < %m) ins(%a = %x[%i, %j] : tensor<?x?xf64>, %b = %v[%i] : tensor<?xf64>) -> (add[%j] : tensor<?xf64>) {
    %5 = elemwise.mul %a, %b {contract} : f64
    loops.yield %5 : f64
  }
  %6 = loops.nest (%j < %m) ins(%c = %y[:, %j] : tensor<?x?xf64>) -> (collect[%j] : tensor<?xf64>) {
    %7 = loops.nest (%i < %n) ins(%a = %c[%i] : tensor<?xf64>) -> (max[] : f64) {
      loops.yield %a : f64
    }
    loops.yield %7 : f64
  }
  func.return %0, %2, %4, %6 : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
}
// CHECK-LABEL: func.func @forwards
// CHECK-NOT: backwards
// CHECK: func.return
