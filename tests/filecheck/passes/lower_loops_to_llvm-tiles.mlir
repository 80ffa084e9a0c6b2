// RUN: tt-opt %s -p "vectorize,bufferize,lower-loops-to-llvm" | filecheck %s

// Eight columns at once, transposed in three rounds of eight exchanges, stored as pieces of rows;
// the loop over the tile's rows asks for columns of the next tile.
func.func @main(%x: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %n = loops.dim %x, 1 : tensor<?x?xf64>
  %m = loops.dim %x, 0 : tensor<?x?xf64>
  %0 = loops.nest (%i < %n, %j < %m) ins(%a = %x[%j, %i] : tensor<?x?xf64>) -> (collect[%i, %j] : tensor<?x?xf64>) schedule {tile = 16 : i64, vector = 8 : i64} {
    %1 = elemwise.neg %a : f64
    loops.yield %1 : f64
  }
  func.return %0 : tensor<?x?xf64>
}
// CHECK-LABEL: llvm.func @tt_kernel
// CHECK: llvm.alloca {{.*}}alignment = 64
// CHECK-COUNT-8: llvm.masked.load.v8f64.p0
// CHECK-COUNT-24: llvm.shufflevector
// CHECK-COUNT-8: llvm.store {{.*}}vector<8xf64>
// CHECK: llvm.prefetch.p0
// CHECK: llvm.load {{.*}}vector<8xf64>
// CHECK: llvm.fneg
