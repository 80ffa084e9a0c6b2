// RUN: tt-opt %s --split-input-file | tt-opt --split-input-file | filecheck %s

// What xDSL's llvm dialect lacks, on vectors and scalars.
func.func @all(%p: !llvm.ptr, %x: f64, %v: vector<8xf64>, %i: i64) {
  %a = llvmx.fcmp %v, %v {predicate = "olt"} : (vector<8xf64>, vector<8xf64>) -> vector<8xi1>
  %b = llvmx.select %a, %v, %v : (vector<8xi1>, vector<8xf64>, vector<8xf64>) -> vector<8xf64>
  %c = llvmx.splat %x : (f64) -> vector<8xf64>
  %d = llvmx.extractelement %v {position = 3 : i64} : (vector<8xf64>) -> f64
  %e = llvmx.insertelement %v, %x {position = 0 : i64} : (vector<8xf64>, f64) -> vector<8xf64>
  %f = llvmx.uitofp %i : (i64) -> f64
  %g = llvmx.fptosi %x : (f64) -> i64
  %h = llvmx.fptoui %x : (f64) -> i64
  %k = llvmx.call %p, %x : (!llvm.ptr, f64) -> f64
  func.return
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @all(
// CHECK-SAME: %[[P:[^ ,:]+]]: !llvm.ptr, %[[X:[^ ,:]+]]: f64, %[[V:[^ ,:]+]]: vector<8xf64>, %[[I:[^ ,:]+]]: i64) {
// CHECK-NEXT: %[[A:.+]] = llvmx.fcmp %[[V]], %[[V]] {predicate = "olt"} : (vector<8xf64>, vector<8xf64>) -> vector<8xi1>
// CHECK-NEXT: %[[B:.+]] = llvmx.select %[[A]], %[[V]], %[[V]] : (vector<8xi1>, vector<8xf64>, vector<8xf64>) -> vector<8xf64>
// CHECK-NEXT: %[[C:.+]] = llvmx.splat %[[X]] : (f64) -> vector<8xf64>
// CHECK-NEXT: %[[D:.+]] = llvmx.extractelement %[[V]] {position = 3 : i64} : (vector<8xf64>) -> f64
// CHECK-NEXT: %[[E:.+]] = llvmx.insertelement %[[V]], %[[X]] {position = 0 : i64} : (vector<8xf64>, f64) -> vector<8xf64>
// CHECK-NEXT: %[[F:.+]] = llvmx.uitofp %[[I]] : (i64) -> f64
// CHECK-NEXT: %[[G:.+]] = llvmx.fptosi %[[X]] : (f64) -> i64
// CHECK-NEXT: %[[H:.+]] = llvmx.fptoui %[[X]] : (f64) -> i64
// CHECK-NEXT: %[[K:.+]] = llvmx.call %[[P]], %[[X]] : (!llvm.ptr, f64) -> f64
// CHECK-NEXT: func.return
// CHECK-NEXT: }
