// RUN: tt-opt %s -p fuse-nests --split-input-file | filecheck %s

// Clause (1): one array, two sizes.
func.func @clause_1(%x: tensor<?xf64>, %n: index, %m: index) -> (tensor<?xf64>, tensor<?xf64>) {
  %0 = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %2 = elemwise.sqr %a : f64
    loops.yield %2 : f64
  }
  %1 = loops.nest (%i < %m) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %2 = elemwise.neg %a : f64
    loops.yield %2 : f64
  }
  func.return %0, %1 : tensor<?xf64>, tensor<?xf64>
}
// CHECK-LABEL: func.func @clause_1
// CHECK: loops.nest (%{{.+}} < %n)
// CHECK: loops.nest (%{{.+}} < %m)

// -----

// Clause (1), satisfied: one size.
func.func @one_size(%x: tensor<?xf64>, %n: index) -> (tensor<?xf64>, tensor<?xf64>) {
  %0 = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %2 = elemwise.sqr %a : f64
    loops.yield %2 : f64
  }
  %1 = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %2 = elemwise.neg %a : f64
    loops.yield %2 : f64
  }
  func.return %0, %1 : tensor<?xf64>, tensor<?xf64>
}
// CHECK-LABEL: func.func @one_size
// CHECK: loops.nest (%{{.+}} < %n) ins(%[[A:.+]] = %x[%{{.+}}] : tensor<?xf64>) -> (collect[%{{.+}}] : tensor<?xf64>, collect[%{{.+}}] : tensor<?xf64>)
// CHECK-NOT: loops.nest

