// RUN: tt-opt %s -p lower-loops-to-llvm --split-input-file --verify-diagnostics | filecheck %s
// RUN: tt-opt %s -p "lower-loops-to-llvm{streams=true}" --split-input-file --verify-diagnostics | filecheck %s --check-prefix=STREAM

// The flat block: %x at word 16 (pointer, size, stride), %s at 19, the result's pointer at 20. The error word is
// cleared, and its final state is the status. A scalar loop is entered only if it runs, and tested at its end.
// CHECK: builtin.module attributes {tt.errors = [], tt.externs = []} {
// CHECK-LABEL: llvm.func @tt_kernel(
// CHECK-SAME: %[[F:[0-9]+]]: !llvm.ptr) -> i32 {
// CHECK: getelementptr inbounds %[[F]][136]
// CHECK: %[[N:[0-9]+]] = llvm.load %{{[0-9]+}} {alignment = 8 : i64} : !llvm.ptr -> i64
// CHECK: getelementptr inbounds %[[F]][128]
// CHECK: %[[X:[0-9]+]] = llvm.load %{{[0-9]+}} {alignment = 8 : i64} : !llvm.ptr -> !llvm.ptr
// CHECK: getelementptr inbounds %[[F]][152]
// CHECK: %[[S:[0-9]+]] = llvm.load %{{[0-9]+}} {alignment = 8 : i64} : !llvm.ptr -> f64
// CHECK: getelementptr inbounds %[[F]][160]
// CHECK: llvm.store %[[ZERO:[0-9]+]], %{{[0-9]+}}
// CHECK: %[[C:[0-9]+]] = llvm.icmp "slt" %[[ZERO]], %[[N]] : i64
// CHECK: llvm.cond_br %[[C]], ^bb1(%[[ZERO]] : i64), ^bb2
// CHECK: ^bb1(%[[I:[0-9]+]]: i64):
// CHECK: %[[P:[0-9]+]] = llvm.getelementptr inbounds %[[X]][%[[I]]] : (!llvm.ptr, i64) -> !llvm.ptr, f64
// CHECK: %[[A:[0-9]+]] = llvm.load %[[P]] {alignment = 8 : i64} : !llvm.ptr -> f64
// CHECK: llvm.fadd %[[A]], %[[S]] : f64
// CHECK: llvm.cond_br %{{[0-9]+}}, ^bb1(%{{[0-9]+}} : i64), ^bb2
// CHECK: ^bb2:
// CHECK: %[[E:[0-9]+]] = llvm.icmp "ne"
// CHECK: %[[R:[0-9]+]] = llvm.zext %[[E]] : i1 to i32
// CHECK: llvm.return %[[R]] : i32
func.func @abi(%x: memref<?xf64, strided<[1]>>, %s: f64, %r: memref<?xf64>) attributes {tt.results = 1 : i64} {
  %n = loops.dim %x, 0 : memref<?xf64, strided<[1]>>
  loops.nest (%i < %n) ins(%a = %x[%i] : memref<?xf64, strided<[1]>>) -> (collect[%i] into %r : memref<?xf64>) {
    %0 = elemwise.add %a, %s : f64
    loops.yield %0 : f64
  }
  func.return
}

// -----

// What does not change in the inner loop is in front of it; the same element is loaded once.
// CHECK-LABEL: llvm.func @tt_kernel
// CHECK: ^bb1(
// CHECK: %[[B:[0-9]+]] = llvm.load
// CHECK: %[[Q:[0-9]+]] = llvm.fmul %[[B]], %[[B]] : f64
// CHECK: llvm.cond_br
// CHECK: ^bb2(
// CHECK-NOT: llvm.fmul
// CHECK: %[[A:[0-9]+]] = llvm.load
// CHECK-NEXT: llvm.fadd %[[A]], %[[Q]] : f64
func.func @invariant(%x: memref<?x?xf64, strided<[?, 1]>>, %y: memref<?xf64, strided<[1]>>, %r: memref<?x?xf64>) attributes {tt.results = 1 : i64} {
  %n = loops.dim %x, 0 : memref<?x?xf64, strided<[?, 1]>>
  %d = loops.dim %x, 1 : memref<?x?xf64, strided<[?, 1]>>
  loops.nest (%i < %n, %k < %d) ins(%a = %x[%i, %k] : memref<?x?xf64, strided<[?, 1]>>, %b = %y[%i] : memref<?xf64, strided<[1]>>, %c = %y[%i] : memref<?xf64, strided<[1]>>)
      -> (collect[%i, %k] into %r : memref<?x?xf64>) {
    %0 = elemwise.mul %b, %c : f64
    %1 = elemwise.add %a, %0 : f64
    loops.yield %1 : f64
  }
  func.return
}

// -----

// A light body: whole vectors, then a masked one for the rest.
// CHECK-LABEL: llvm.func @tt_kernel
// CHECK: llvm.and %[[N:[0-9]+]], %{{[0-9]+}} : i64
// CHECK: ^bb1(
// CHECK: llvm.load %{{[0-9]+}} {alignment = 8 : i64} : !llvm.ptr -> vector<8xf64>
// CHECK: llvm.store %{{[0-9]+}}, %{{[0-9]+}} {alignment = 8 : i64} : vector<8xf64>, !llvm.ptr
// CHECK: ^bb{{[0-9]+}}:
// CHECK: %[[LEFT:[0-9]+]] = llvm.sub %[[N]], %{{[0-9]+}}
// CHECK: "llvm.smin.i64"(%[[LEFT]],
// CHECK: %[[M:[0-9]+]] = llvm.bitcast %{{[0-9]+}} : i8 to vector<8xi1>
// CHECK: "llvm.masked.load.v8f64.p0"(%{{[0-9]+}}, %[[M]],
// CHECK: "llvm.masked.store.v8f64.p0"(%{{[0-9]+}}, %{{[0-9]+}}, %[[M]])
func.func @light(%x: memref<?xf64, strided<[1]>>, %r: memref<?xf64>) attributes {tt.results = 1 : i64} {
  %n = loops.dim %x, 0 : memref<?xf64, strided<[1]>>
  loops.nest (%i < %n) ins(%a = %x[%i] : memref<?xf64, strided<[1]>> as vector<8xf64>) -> (collect[%i] into %r : memref<?xf64>) schedule {vector = 8 : i64} {
    %0 = elemwise.add %a, %a : vector<8xf64>
    loops.yield %0 : vector<8xf64>
  }
  func.return
}

// -----

// A heavy body stands once, with a mask that does not change; its last vector is moved back to end at the size.
// Where the argument is large it asks for one line ahead.
// CHECK-LABEL: llvm.func @tt_kernel
// CHECK: %[[M:[0-9]+]] = llvm.bitcast %{{[0-9]+}} : i8 to vector<8xi1>
// CHECK: ^bb1(%[[I:[0-9]+]]: i64):
// CHECK: "llvm.masked.load.v8f64.p0"(%{{[0-9]+}}, %[[M]],
// CHECK-COUNT-15: llvm.fmul
// CHECK-NOT: llvm.fmul
// CHECK: "llvm.masked.store.v8f64.p0"(%{{[0-9]+}}, %{{[0-9]+}}, %[[M]])
// CHECK: "llvm.prefetch.p0"
// CHECK-NOT: prefetch
// CHECK: %[[NEXT:[0-9]+]] = llvm.call_intrinsic "llvm.smin.i64"
// CHECK: %[[MORE:[0-9]+]] = llvm.icmp "slt" %[[I]],
// CHECK: llvm.cond_br %[[MORE]], ^bb1(%[[NEXT]] : i64), ^bb4
func.func @heavy(%x: memref<?xf64, strided<[1]>>, %r: memref<?xf64>) attributes {tt.results = 1 : i64} {
  %n = loops.dim %x, 0 : memref<?xf64, strided<[1]>>
  loops.nest (%i < %n) ins(%a = %x[%i] : memref<?xf64, strided<[1]>> as vector<8xf64>) -> (collect[%i] into %r : memref<?xf64>) schedule {vector = 8 : i64} {
    %0 = elemwise.mul %a, %a : vector<8xf64>
    %1 = elemwise.mul %0, %a : vector<8xf64>
    %2 = elemwise.mul %1, %a : vector<8xf64>
    %3 = elemwise.mul %2, %a : vector<8xf64>
    %4 = elemwise.mul %3, %a : vector<8xf64>
    %5 = elemwise.mul %4, %a : vector<8xf64>
    %6 = elemwise.mul %5, %a : vector<8xf64>
    %7 = elemwise.mul %6, %a : vector<8xf64>
    %8 = elemwise.mul %7, %a : vector<8xf64>
    %9 = elemwise.mul %8, %a : vector<8xf64>
    %10 = elemwise.mul %9, %a : vector<8xf64>
    %11 = elemwise.mul %10, %a : vector<8xf64>
    %12 = elemwise.mul %11, %a : vector<8xf64>
    %13 = elemwise.mul %12, %a : vector<8xf64>
    %14 = elemwise.mul %13, %a : vector<8xf64>
    loops.yield %14 : vector<8xf64>
  }
  func.return
}

// -----

// The same in place: no element may be done twice, so each step has the mask of what is left.
// CHECK-LABEL: llvm.func @tt_kernel
// CHECK: ^bb1(%[[I:[0-9]+]]: i64):
// CHECK: llvm.sub %{{[0-9]+}}, %[[I]]
// CHECK: %[[M:[0-9]+]] = llvm.bitcast %{{[0-9]+}} : i8 to vector<8xi1>
// CHECK: "llvm.masked.load.v8f64.p0"(%{{[0-9]+}}, %[[M]],
// CHECK: llvm.add %[[I]], %{{[0-9]+}} overflow<nsw> : i64
// CHECK-NOT: smin
// CHECK: llvm.cond_br
func.func @heavy_in_place(%x: memref<?xf64, strided<[1]>>, %r: memref<?xf64>) attributes {tt.results = 1 : i64} {
  %n = loops.dim %x, 0 : memref<?xf64, strided<[1]>>
  loops.nest (%i < %n) ins(%a = %r[%i] : memref<?xf64> as vector<8xf64>) -> (collect[%i] into %r : memref<?xf64>) schedule {vector = 8 : i64} {
    %0 = elemwise.mul %a, %a : vector<8xf64>
    %1 = elemwise.mul %0, %a : vector<8xf64>
    %2 = elemwise.mul %1, %a : vector<8xf64>
    %3 = elemwise.mul %2, %a : vector<8xf64>
    %4 = elemwise.mul %3, %a : vector<8xf64>
    %5 = elemwise.mul %4, %a : vector<8xf64>
    %6 = elemwise.mul %5, %a : vector<8xf64>
    %7 = elemwise.mul %6, %a : vector<8xf64>
    %8 = elemwise.mul %7, %a : vector<8xf64>
    %9 = elemwise.mul %8, %a : vector<8xf64>
    %10 = elemwise.mul %9, %a : vector<8xf64>
    %11 = elemwise.mul %10, %a : vector<8xf64>
    %12 = elemwise.mul %11, %a : vector<8xf64>
    %13 = elemwise.mul %12, %a : vector<8xf64>
    %14 = elemwise.mul %13, %a : vector<8xf64>
    loops.yield %14 : vector<8xf64>
  } attributes {inplace = [array<i64: 0, 0>]}
  func.return
}

// -----

// A sum: blocks of 512, each in four accumulators that take the products over; in the rest of the last block a masked
// step, the accumulators turning. Between blocks, what the addition rounds away is added up too. Where the first array
// begins behind a line (and is long, and may be in a cache), a block has two parts: one masked step that begins with that line and hides what
// stands before the block, and all the others, which begin with lines then.
// CHECK-LABEL: llvm.func @tt_kernel
// CHECK: %[[LONG:[0-9]+]] = llvm.icmp "sge" %{{[0-9]+}}, %{{[0-9]+}} : i64
// CHECK: %[[PLACE:[0-9]+]] = llvm.ptrtoint
// CHECK-NEXT: %[[BEHIND:[0-9]+]] = llvm.and %[[PLACE]],
// CHECK-NEXT: %[[LANES:[0-9]+]] = llvm.lshr %[[BEHIND]],
// CHECK-NEXT: %[[SUITS:[0-9]+]] = llvmx.select %[[LONG]], %[[LANES]], %[[ZERO:[0-9]+]]
// CHECK: %[[FAR:[0-9]+]] = llvm.icmp "sge"
// CHECK-NEXT: %[[PHASE:[0-9]+]] = llvmx.select %[[FAR]], %[[ZERO]], %[[SUITS]]
// CHECK-NEXT: %[[STRADDLES:[0-9]+]] = llvm.icmp "ne" %[[PHASE]], %[[ZERO]]
// CHECK-NEXT: %[[FIRST:[0-9]+]] = llvmx.select %[[STRADDLES]], %[[ZERO]],
// CHECK: ^bb1(%[[I:[0-9]+]]: i64, %[[S:[0-9]+]]: vector<8xf64>, %[[E:[0-9]+]]: vector<8xf64>):
// CHECK: llvm.sub %[[I]], %[[PHASE]]
// CHECK: ^bb2(%[[PART:[0-9]+]]: i64, {{.*}}vector<8xf64>):
// CHECK-NEXT: %[[HEAD:[0-9]+]] = llvm.icmp "eq" %[[PART]], %[[ZERO]]
// CHECK-NEXT: %[[HIDDEN:[0-9]+]] = llvmx.select %[[HEAD]], %[[PHASE]], %[[ZERO]]
// CHECK-NEXT: llvm.shl %{{[0-9]+}}, %[[HIDDEN]]
// CHECK: %[[SHOWN:[0-9]+]] = llvm.bitcast %{{[0-9]+}} : i8 to vector<8xi1>
// CHECK: ^bb3(%{{[0-9]+}}: i64, %[[A0:[0-9]+]]: vector<8xf64>, %[[A1:[0-9]+]]: vector<8xf64>, %[[A2:[0-9]+]]: vector<8xf64>, %[[A3:[0-9]+]]: vector<8xf64>):
// CHECK: llvm.intr.fma(%{{[0-9]+}}, %{{[0-9]+}}, %[[A0]])
// CHECK: llvm.intr.fma(%{{[0-9]+}}, %{{[0-9]+}}, %[[A1]])
// CHECK: llvm.intr.fma(%{{[0-9]+}}, %{{[0-9]+}}, %[[A2]])
// CHECK: llvm.intr.fma(%{{[0-9]+}}, %{{[0-9]+}}, %[[A3]])
// CHECK: ^bb[[REST:[0-9]+]](%{{[0-9]+}}: i64, %[[B0:[0-9]+]]: vector<8xf64>, %[[B1:[0-9]+]]: vector<8xf64>, %[[B2:[0-9]+]]: vector<8xf64>, %[[B3:[0-9]+]]: vector<8xf64>):
// CHECK: %[[M:[0-9]+]] = llvm.and %{{[0-9]+}}, %[[SHOWN]] : vector<8xi1>
// CHECK: "llvm.masked.load.v8f64.p0"(%{{[0-9]+}}, %[[M]],
// CHECK: %[[NEW:[0-9]+]] = llvm.intr.fma(%{{[0-9]+}}, %{{[0-9]+}}, %[[B0]])
// CHECK: %[[KEPT:[0-9]+]] = llvmx.select %[[M]], %[[NEW]], %[[B0]]
// CHECK: llvm.cond_br %{{[0-9]+}}, ^bb[[REST]](%{{[0-9]+}}, %[[B1]], %[[B2]], %[[B3]], %[[KEPT]]
// CHECK: llvm.cond_br %{{[0-9]+}}, ^bb2(
// CHECK: ^bb{{[0-9]+}}(%[[C0:[0-9]+]]: vector<8xf64>, %[[C1:[0-9]+]]: vector<8xf64>, %[[C2:[0-9]+]]: vector<8xf64>, %[[C3:[0-9]+]]: vector<8xf64>):
// CHECK: llvm.fadd %[[C0]], %[[C2]]
// CHECK: llvm.fadd %[[C1]], %[[C3]]
// CHECK: %[[X:[0-9]+]] = llvm.fadd
// CHECK-NEXT: %[[T:[0-9]+]] = llvm.fadd %[[S]], %[[X]]
// CHECK-NEXT: %[[Z:[0-9]+]] = llvm.fsub %[[T]], %[[S]]
// CHECK-NEXT: %[[Y:[0-9]+]] = llvm.fsub %[[T]], %[[Z]]
// CHECK-NEXT: %[[L:[0-9]+]] = llvm.fsub %[[S]], %[[Y]]
// CHECK-NEXT: %[[R:[0-9]+]] = llvm.fsub %[[X]], %[[Z]]
// CHECK-NEXT: %[[B:[0-9]+]] = llvm.fadd %[[L]], %[[R]]
// CHECK-NEXT: llvm.fadd %[[E]], %[[B]]
// CHECK-NOT: llvm.fmul
// CHECK: llvm.return
func.func @dot(%x: memref<?xf64, strided<[1]>>, %y: memref<?xf64, strided<[1]>>, %r: memref<f64>) attributes {tt.results = 1 : i64} {
  %n = loops.dim %x, 0 : memref<?xf64, strided<[1]>>
  %s = loops.nest (%i < %n) ins(%a = %x[%i] : memref<?xf64, strided<[1]>> as vector<8xf64>, %b = %y[%i] : memref<?xf64, strided<[1]>> as vector<8xf64>) -> (add[] : f64) schedule {vector = 8 : i64} {
    %0 = elemwise.mul %a, %b {contract} : vector<8xf64>
    loops.yield %0 : vector<8xf64>
  }
  loops.store %s, %r : (f64, memref<f64>) -> ()
  func.return
}

// -----

// A shared variable begins with a line; a column is loaded lane by lane: both sums begin at the first element.
// CHECK-LABEL: llvm.func @tt_kernel
// CHECK-NOT: ptrtoint
// CHECK: llvm.return
func.func @begins_at_the_first(%w: memref<?xf64, strided<[1]>> {tt.kind = "shared"}, %y: memref<?xf64, strided<[1]>>, %x: memref<?x?xf64, strided<[?, 1]>>, %r: memref<f64>, %u: memref<f64>) attributes {tt.results = 2 : i64} {
  %n = loops.dim %x, 0 : memref<?x?xf64, strided<[?, 1]>>
  %m = loops.dim %x, 1 : memref<?x?xf64, strided<[?, 1]>>
  %s = loops.nest (%i < %n) ins(%a = %w[%i] : memref<?xf64, strided<[1]>> as vector<8xf64>) -> (add[] : f64) schedule {vector = 8 : i64} {
    loops.yield %a : vector<8xf64>
  }
  loops.store %s, %r : (f64, memref<f64>) -> ()
  %t = loops.nest (%k < %m, %i < %n) ins(%a = %y[%i] : memref<?xf64, strided<[1]>> as vector<8xf64>, %b = %x[%i, %k] : memref<?x?xf64, strided<[?, 1]>> as vector<8xf64>) -> (add[] : f64) schedule {vector = 8 : i64} {
    %0 = elemwise.mul %a, %b : vector<8xf64>
    loops.yield %0 : vector<8xf64>
  }
  loops.store %t, %u : (f64, memref<f64>) -> ()
  func.return
}

// -----

// Where an argument is more than the caches hold, each step of a sum, of four vectors, asks for the four lines that
// stand 4 KB ahead of it: a matrix with nothing between its rows, or with long ones. The vector that is small as a rule
// is not looked at, and neither is the rest of a block.
// CHECK-LABEL: llvm.func @tt_kernel
// CHECK: %[[ROW:[0-9]+]] = llvm.mul %{{[0-9]+}}, %{{[0-9]+}} overflow<nsw> : i64
// CHECK: %[[BYTES:[0-9]+]] = llvm.mul %[[ROW]], %{{[0-9]+}}
// CHECK: %[[LARGE:[0-9]+]] = llvm.icmp "sge" %[[BYTES]], %{{[0-9]+}} : i64
// CHECK: %[[LONG:[0-9]+]] = llvm.icmp "sge" %[[ROW]], %{{[0-9]+}}
// CHECK: %[[DENSE:[0-9]+]] = llvm.icmp "eq" %{{[0-9]+}}, %[[ROW]]
// CHECK: %[[ROWS:[0-9]+]] = llvm.or %[[DENSE]], %[[LONG]]
// CHECK: %[[FAR:[0-9]+]] = llvm.and %[[LARGE]], %[[ROWS]]
// CHECK: ^bb{{[0-9]+}}(%{{[0-9]+}}: i64, %{{[0-9]+}}: vector<8xf64>, %{{[0-9]+}}: vector<8xf64>, %{{[0-9]+}}: vector<8xf64>, %{{[0-9]+}}: vector<8xf64>):
// CHECK-COUNT-4: llvm.fadd
// CHECK: llvm.cond_br %[[FAR]], ^bb[[ASK:[0-9]+]], ^bb[[GO:[0-9]+]]
// CHECK: ^bb[[ASK]]:
// CHECK-NEXT: "llvm.prefetch.p0"
// CHECK-NEXT: "llvm.prefetch.p0"
// CHECK-NEXT: "llvm.prefetch.p0"
// CHECK-NEXT: "llvm.prefetch.p0"
// CHECK-NEXT: llvm.br ^bb[[GO]]
// CHECK-NOT: prefetch
// CHECK: llvm.return
func.func @far(%x: memref<?x?xf64, strided<[?, 1]>>, %w: memref<?xf64, strided<[1]>> {tt.sizes = array<i64: 853>}, %r: memref<f64>) attributes {tt.results = 1 : i64} {
  %n = loops.dim %x, 0 : memref<?x?xf64, strided<[?, 1]>>
  %d = loops.dim %x, 1 : memref<?x?xf64, strided<[?, 1]>>
  %s = loops.nest (%i < %n, %k < %d) ins(%a = %x[%i, %k] : memref<?x?xf64, strided<[?, 1]>> as vector<8xf64>, %b = %w[%k] : memref<?xf64, strided<[1]>> as vector<8xf64>) -> (add[] : f64) schedule {vector = 8 : i64} {
    %0 = elemwise.mul %a, %b : vector<8xf64>
    loops.yield %0 : vector<8xf64>
  }
  loops.store %s, %r : (f64, memref<f64>) -> ()
  func.return
}

// -----

// Two rows of one size at once ask for their lines of the next two; the nest that reads them again does not. Neither
// does one that reads an array which the function made itself.
// CHECK-LABEL: llvm.func @tt_kernel
// CHECK: llvm.mul
// CHECK: llvm.mul
// CHECK-NEXT: llvm.icmp "sge"
// CHECK-NEXT: %[[LONG:[0-9]+]] = llvm.icmp "sge"
// CHECK-NEXT: llvm.icmp "eq"
// CHECK-NEXT: llvm.or %{{[0-9]+}}, %[[LONG]]
// CHECK: %[[NEXT:[0-9]+]] = llvm.mul
// CHECK-NEXT: %[[DISTANCE:[0-9]+]] = llvmx.select %[[LONG]], %{{[0-9]+}}, %[[NEXT]]
// CHECK: llvm.getelementptr inbounds %{{[0-9]+}}[%[[DISTANCE]]]
// CHECK: llvm.getelementptr inbounds %{{[0-9]+}}[%[[DISTANCE]]]
// CHECK: llvm.cond_br %{{[0-9]+}}, ^bb[[ASK:[0-9]+]], ^bb[[GO:[0-9]+]]
// CHECK: ^bb[[ASK]]:
// CHECK-COUNT-4: "llvm.prefetch.p0"
// CHECK-NEXT: llvm.br ^bb[[GO]]
// CHECK-NOT: prefetch
// CHECK: llvm.return
func.func @far_rows(%x: memref<?x?xf64, strided<[?, 1]>>, %u: memref<?xf64>, %v: memref<?xf64>) attributes {tt.results = 2 : i64} {
  %n = loops.dim %x, 0 : memref<?x?xf64, strided<[?, 1]>>
  %d = loops.dim %x, 1 : memref<?x?xf64, strided<[?, 1]>>
  %p = loops.alloc %n {slot = 0 : i64} : (index) -> memref<?xf64>
  loops.nest (%i < %n) ins(%x_1 = %x[%i, :] : memref<?x?xf64, strided<[?, 1]>>) -> (collect[%i] into %p : memref<?xf64>, collect[%i] into %u : memref<?xf64>) schedule {jam = 2 : i64} {
    %sum = loops.nest (%k < %d) ins(%a = %x_1[%k] : memref<?xf64> as vector<8xf64>) -> (add[] : f64) schedule {vector = 8 : i64} {
      loops.yield %a : vector<8xf64>
    }
    %squares = loops.nest (%k < %d) ins(%a = %x_1[%k] : memref<?xf64> as vector<8xf64>) -> (add[] : f64) schedule {vector = 8 : i64} {
      %c = elemwise.splat %sum : f64 to vector<8xf64>
      %0 = elemwise.mul %a, %c : vector<8xf64>
      loops.yield %0 : vector<8xf64>
    }
    loops.yield %sum, %squares : f64, f64
  }
  loops.nest (%i < %n) ins(%a = %p[%i] : memref<?xf64> as vector<8xf64>) -> (collect[%i] into %v : memref<?xf64>) schedule {vector = 8 : i64} {
    loops.yield %a : vector<8xf64>
  }
  func.return
}

// -----

// A product that is used elsewhere too keeps its rounding, and so does one that is not a dot product's.
// CHECK-LABEL: llvm.func @tt_kernel
// CHECK-NOT: fma
// CHECK: llvm.fmul
// CHECK: llvm.fmul
// CHECK-NOT: fma
// CHECK: llvm.return
func.func @product_used_twice(%x: memref<?xf64, strided<[1]>>, %r: memref<f64>, %p: memref<?xf64>) attributes {tt.results = 2 : i64} {
  %n = loops.dim %x, 0 : memref<?xf64, strided<[1]>>
  %s, %t = loops.nest (%i < %n) ins(%a = %x[%i] : memref<?xf64, strided<[1]>> as vector<8xf64>) -> (add[] : f64, add[] : f64, collect[%i] into %p : memref<?xf64>) schedule {vector = 8 : i64} {
    %0 = elemwise.mul %a, %a {contract} : vector<8xf64>
    %1 = elemwise.mul %a, %0 : vector<8xf64>
    loops.yield %0, %1, %0 : vector<8xf64>, vector<8xf64>, vector<8xf64>
  }
  %u = elemwise.add %s, %t : f64
  loops.store %u, %r : (f64, memref<f64>) -> ()
  func.return
}

// -----

// A maximum: comparison and select, a mask of lanes that saw a NaN in one of two vectors; of nothing, NumPy's error.
// CHECK: tt.errors = [{kind = "ValueError", message = "zero-size array to reduction operation maximum which has no identity"
// CHECK-LABEL: llvm.func @tt_kernel
// CHECK: %[[EMPTY:[0-9]+]] = llvm.icmp "eq" %[[N:[0-9]+]],
// CHECK: llvm.cond_br %[[EMPTY]], ^bb1, ^bb
// CHECK: ^bb[[PARTS:[0-9]+]](%{{[0-9]+}}: i64, {{.*}}vector<8xi1>):
// CHECK: ^bb{{[0-9]+}}(%{{[0-9]+}}: i64, %[[A:[0-9]+]]: vector<8xf64>, {{.*}}, %[[NAN:[0-9]+]]: vector<8xi1>):
// CHECK: %[[X:[0-9]+]] = llvm.load %{{[0-9]+}} {alignment = 8 : i64} : !llvm.ptr -> vector<8xf64>
// CHECK: %[[C:[0-9]+]] = llvmx.fcmp %[[X]], %[[A]] {predicate = "ogt"}
// CHECK: llvmx.select %[[C]], %[[X]], %[[A]]
// CHECK: %[[Y:[0-9]+]] = llvm.load %{{[0-9]+}} {alignment = 8 : i64} : !llvm.ptr -> vector<8xf64>
// CHECK: %[[U:[0-9]+]] = llvmx.fcmp %[[X]], %[[Y]] {predicate = "uno"}
// CHECK: llvm.or %[[NAN]], %[[U]]
func.func @maximum(%x: memref<?xf64, strided<[1]>>, %r: memref<f64>) attributes {tt.results = 1 : i64} {
  %n = loops.dim %x, 0 : memref<?xf64, strided<[1]>>
  %s = loops.nest (%i < %n) ins(%a = %x[%i] : memref<?xf64, strided<[1]>> as vector<8xf64>) -> (max[] : f64) schedule {vector = 8 : i64} {
    loops.yield %a : vector<8xf64>
  }
  loops.store %s, %r : (f64, memref<f64>) -> ()
  func.return
}

// -----

// Integers have no NaN and need no mask; unsigned ones compare so.
// CHECK-LABEL: llvm.func @tt_kernel
// CHECK-NOT: llvmx.fcmp
// CHECK: "llvm.umax.v8i64"
// CHECK-NOT: llvmx.fcmp
// CHECK: llvm.return
func.func @maximum_unsigned(%x: memref<?xui64, strided<[1]>>, %r: memref<ui64>) attributes {tt.results = 1 : i64} {
  %n = loops.dim %x, 0 : memref<?xui64, strided<[1]>>
  %s = loops.nest (%i < %n) ins(%a = %x[%i] : memref<?xui64, strided<[1]>> as vector<8xui64>) -> (max[] : ui64) schedule {vector = 8 : i64} {
    loops.yield %a : vector<8xui64>
  }
  loops.store %s, %r : (ui64, memref<ui64>) -> ()
  func.return
}

// -----

// Rows that lie one behind the other are one row: a single loop of n * d elements, if the argument's stride says so.
// CHECK-LABEL: llvm.func @tt_kernel
// CHECK: %[[ROW:[0-9]+]] = llvm.mul %[[D:[0-9]+]], %{{[0-9]+}} overflow<nsw> : i64
// CHECK: %[[C:[0-9]+]] = llvm.icmp "eq" %{{[0-9]+}}, %[[ROW]]
// CHECK: %[[ALL:[0-9]+]] = llvm.mul %[[N:[0-9]+]], %[[D]]
// CHECK: %[[COLS:[0-9]+]] = llvmx.select %{{[0-9]+}}, %[[ALL]], %[[D]]
// CHECK: %[[ROWS:[0-9]+]] = llvmx.select %{{[0-9]+}}, %{{[0-9]+}}, %[[N]]
// CHECK: llvm.icmp "slt" %{{[0-9]+}}, %[[ROWS]]
func.func @collapse(%x: memref<?x?xf64, strided<[?, 1]>>, %r: memref<?x?xf64>) attributes {tt.results = 1 : i64} {
  %n = loops.dim %x, 0 : memref<?x?xf64, strided<[?, 1]>>
  %d = loops.dim %x, 1 : memref<?x?xf64, strided<[?, 1]>>
  loops.nest (%i < %n, %k < %d) ins(%a = %x[%i, %k] : memref<?x?xf64, strided<[?, 1]>>) -> (collect[%i, %k] into %r : memref<?x?xf64>) {
    loops.yield %a : f64
  }
  func.return
}

// -----

// Not where an array is indexed by one of the two, or in another order.
// CHECK-LABEL: llvm.func @tt_kernel
// CHECK-NOT: llvm.icmp "eq"
// CHECK: llvm.return
func.func @no_collapse(%x: memref<?x?xf64, strided<[?, 1]>>, %r: memref<?x?xf64>) attributes {tt.results = 1 : i64} {
  %n = loops.dim %x, 0 : memref<?x?xf64, strided<[?, 1]>>
  %d = loops.dim %x, 1 : memref<?x?xf64, strided<[?, 1]>>
  loops.nest (%i < %n, %k < %d) ins(%a = %x[%i, %k] : memref<?x?xf64, strided<[?, 1]>>) -> (collect[%k, %i] into %r : memref<?x?xf64>) {
    loops.yield %a : f64
  }
  func.return
}

// -----

// Four rows that are added to one begin with the lines of the first, if the second stands as far behind one: what they
// are added to is loaded and stored but once for all. (The nest of two rows below begins at its first element there.)
// CHECK-LABEL: llvm.func @tt_kernel
// CHECK: %[[P0:[0-9]+]] = llvm.ptrtoint
// CHECK: %[[P1:[0-9]+]] = llvm.ptrtoint
// CHECK: %[[APART:[0-9]+]] = llvm.sub %[[P1]], %[[P0]]
// CHECK: %[[WITHIN:[0-9]+]] = llvm.and %[[APART]],
// CHECK: llvm.icmp "eq" %[[WITHIN]],
// CHECK: %[[BEHIND:[0-9]+]] = llvm.and %[[P0]],
// CHECK: %[[LANES:[0-9]+]] = llvm.lshr %[[BEHIND]],
// CHECK: %[[SUITS:[0-9]+]] = llvmx.select %{{[0-9]+}}, %[[LANES]],
// CHECK: %[[PHASE:[0-9]+]] = llvmx.select %{{[0-9]+}}, %{{[0-9]+}}, %[[SUITS]]
// CHECK: %[[HIDDEN:[0-9]+]] = llvmx.select %{{[0-9]+}}, %[[PHASE]],
// CHECK-NEXT: %[[BITS:[0-9]+]] = llvm.shl %{{[0-9]+}}, %[[HIDDEN]]
// CHECK-NEXT: %[[SOME:[0-9]+]] = llvm.trunc %[[BITS]]
// CHECK-NEXT: %[[SHOWN:[0-9]+]] = llvm.bitcast %[[SOME]] : i8 to vector<8xi1>
// CHECK: %[[M:[0-9]+]] = llvm.and %{{[0-9]+}}, %[[SHOWN]] : vector<8xi1>
// CHECK-COUNT-4: "llvm.masked.load.v8f64.p0"(%{{[0-9]+}}, %[[M]],
// CHECK: "llvm.masked.store.v8f64.p0"(%{{[0-9]+}}, %{{[0-9]+}}, %[[M]])
// CHECK-NOT: ptrtoint
// CHECK: llvm.return
func.func @four_rows(%x: memref<?x?xf64, strided<[?, 1]>>, %g: memref<?xf64>) attributes {tt.results = 1 : i64} {
  %n = loops.dim %x, 0 : memref<?x?xf64, strided<[?, 1]>>
  %d = loops.dim %x, 1 : memref<?x?xf64, strided<[?, 1]>>
  loops.nest (%i < %n) ins(%x_1 = %x[%i, :] : memref<?x?xf64, strided<[?, 1]>>) -> (add[:] into %g : memref<?xf64>) schedule {jam = 4 : i64} {
    %u = loops.alloc %d {result = 0 : i64} : (index) -> memref<?xf64>
    loops.nest (%k < %d) ins(%a = %x_1[%k] : memref<?xf64> as vector<8xf64>) -> (collect[%k] into %u : memref<?xf64>) schedule {vector = 8 : i64} {
      loops.yield %a : vector<8xf64>
    }
    loops.yield %u : memref<?xf64>
  }
  func.return
}

// -----

// Two rows at once: one load of w for both, two accumulators a row, the rows' sums by one tree of shuffles; the
// scalars of the body are vectors of a lane a row; one load and one store of the sum of rows. The second row may not
// exist: it reads the last one's memory then, and is neither added nor stored.
// CHECK-LABEL: llvm.func @tt_kernel
// CHECK: ^bb3(%[[I:[0-9]+]]: i64):
// CHECK-NEXT: %[[LEFT:[0-9]+]] = llvm.sub %{{[0-9]+}}, %[[I]]
// CHECK: %[[J:[0-9]+]] = llvm.add %[[I]],
// CHECK: "llvm.smin.i64"(%[[J]],
// CHECK: ^bb{{[0-9]+}}(%{{[0-9]+}}: i64, {{.*}}vector<8xf64>):
// CHECK: ^bb{{[0-9]+}}(%{{[0-9]+}}: i64, %[[A0:[0-9]+]]: vector<8xf64>, %[[A1:[0-9]+]]: vector<8xf64>, %[[A2:[0-9]+]]: vector<8xf64>, %[[A3:[0-9]+]]: vector<8xf64>):
// CHECK: llvm.load {{.*}} -> vector<8xf64>
// CHECK: llvm.load {{.*}} -> vector<8xf64>
// CHECK: %[[W:[0-9]+]] = llvm.load {{.*}} -> vector<8xf64>
// CHECK-NEXT: llvm.intr.fma(%{{[0-9]+}}, %[[W]], %[[A0]])
// CHECK-NEXT: llvm.intr.fma(%{{[0-9]+}}, %[[W]], %[[A1]])
// CHECK: llvm.shufflevector %[[S0:[0-9]+]], %[[S1:[0-9]+]] [0, 1, 2, 3, 8, 9, 10, 11]
// CHECK: llvm.shufflevector %[[S0]], %[[S1]] [4, 5, 6, 7, 12, 13, 14, 15]
// CHECK: %[[D:[0-9]+]] = llvm.fadd {{.*}} : vector<2xf64>
// CHECK: %[[L0:[0-9]+]] = llvmx.extractelement %[[D]] {position = 0 : i64}
// CHECK: %[[V0:[0-9]+]] = llvmx.splat %[[L0]]
// CHECK: %[[L1:[0-9]+]] = llvmx.extractelement %[[D]] {position = 1 : i64}
// CHECK: %[[V1:[0-9]+]] = llvmx.splat %[[L1]]
// CHECK: %[[E:[0-9]+]] = llvm.icmp "sgt" %[[LEFT]],
// CHECK: %[[B:[0-9]+]] = llvm.sext %[[E]] : i1 to i8
// CHECK: %[[M:[0-9]+]] = llvm.bitcast %[[B]] : i8 to vector<8xi1>
// CHECK: %[[X0:[0-9]+]] = llvm.load
// CHECK: %[[X1:[0-9]+]] = llvm.load
// CHECK: %[[G:[0-9]+]] = llvm.load
// CHECK-NEXT: %[[F:[0-9]+]] = llvm.intr.fma(%[[X0]], %[[V0]], %[[G]])
// CHECK-NEXT: %[[H:[0-9]+]] = llvm.intr.fma(%[[X1]], %[[V1]], %[[F]])
// CHECK-NEXT: %[[S:[0-9]+]] = llvmx.select %[[M]], %[[H]], %[[F]]
// CHECK-NEXT: llvm.store %[[S]]
// CHECK: "llvm.masked.store.v2f64.p0"(%[[D]],
func.func @rows(%x: memref<?x?xf64, strided<[?, 1]>>, %w: memref<?xf64, strided<[1]>>, %t: memref<?xf64>, %g: memref<?xf64>) attributes {tt.results = 2 : i64} {
  %n = loops.dim %x, 0 : memref<?x?xf64, strided<[?, 1]>>
  %d = loops.dim %x, 1 : memref<?x?xf64, strided<[?, 1]>>
  loops.nest (%i < %n) ins(%x_1 = %x[%i, :] : memref<?x?xf64, strided<[?, 1]>>) -> (collect[%i] into %t : memref<?xf64>, add[:] into %g : memref<?xf64>) schedule {jam = 2 : i64} {
    %dot = loops.nest (%k < %d) ins(%a = %x_1[%k] : memref<?xf64> as vector<8xf64>, %b = %w[%k] : memref<?xf64, strided<[1]>> as vector<8xf64>) -> (add[] : f64) schedule {vector = 8 : i64} {
      %0 = elemwise.mul %a, %b {contract} : vector<8xf64>
      loops.yield %0 : vector<8xf64>
    }
    %u = loops.alloc %d {result = 1 : i64} : (index) -> memref<?xf64>
    loops.nest (%k < %d) ins(%a = %x_1[%k] : memref<?xf64> as vector<8xf64>) -> (collect[%k] into %u : memref<?xf64>) schedule {vector = 8 : i64} {
      %s = elemwise.splat %dot : f64 to vector<8xf64>
      %0 = elemwise.mul %a, %s {contract} : vector<8xf64>
      loops.yield %0 : vector<8xf64>
    }
    loops.yield %dot, %u : f64, memref<?xf64>
  }
  func.return
}

// -----

// An index of the program's: counted from the end if negative; out of range, the error is recorded, and the flat
// block is read instead. One that is promised to fit is not tested.
// CHECK: tt.errors = [{kind = "IndexError", message = "index {0} is out of bounds for axis {1} with size {2}"
// CHECK-LABEL: llvm.func @tt_kernel(
// CHECK-SAME: %[[F:[0-9]+]]: !llvm.ptr
// CHECK: ^bb1(
// CHECK: %[[I:[0-9]+]] = llvm.load %{{[0-9]+}} {alignment = 8 : i64} : !llvm.ptr -> i64
// CHECK: %[[NEG:[0-9]+]] = llvm.icmp "slt" %[[I]],
// CHECK: %[[W:[0-9]+]] = llvmx.select %[[NEG]]
// CHECK: %[[BAD:[0-9]+]] = llvm.icmp "uge" %[[W]],
// CHECK: llvm.cond_br %[[BAD]],
// CHECK: llvmx.select %[[BAD]], %[[F]], %{{[0-9]+}} : (i1, !llvm.ptr, !llvm.ptr) -> !llvm.ptr
// CHECK-NOT: llvm.icmp "uge"
// CHECK: llvm.return
func.func @gather(%x: memref<?xf64, strided<[1]>>, %j: memref<?xi64, strided<[1]>>, %r: memref<?xf64>) attributes {tt.results = 1 : i64} {
  %n = loops.dim %j, 0 : memref<?xi64, strided<[1]>>
  loops.nest (%i < %n) ins(%k = %j[%i] : memref<?xi64, strided<[1]>>) -> (collect[%i] into %r : memref<?xf64>) {
    %c = elemwise.cast %k {dtype = index} : (i64) -> index
    %a = loops.gather %x, %c : (memref<?xf64, strided<[1]>>, index) -> f64
    %b = loops.gather %x, %i {inbounds} : (memref<?xf64, strided<[1]>>, index) -> f64
    %s = elemwise.add %a, %b : f64
    loops.yield %s : f64
  }
  func.return
}

// -----

// A module has one function for all its products of a dtype. A library call goes through the table of addresses;
// nothing is called for an empty result or an empty sum.
// CHECK: tt.externs = ["sgemm"]
// CHECK-LABEL: llvm.func @tt_kernel(
// CHECK-COUNT-2: llvmx.call
// CHECK-LABEL: llvm.func internal @tt_sgemm_rows(
// CHECK-SAME: %[[F:[0-9]+]]: !llvm.ptr
// CHECK: llvm.icmp "sgt"
// CHECK: llvm.icmp "sgt"
// CHECK: llvm.getelementptr inbounds %[[F]][8]
// CHECK: %[[T:[0-9]+]] = llvm.load
// CHECK: %[[G:[0-9]+]] = llvm.load %[[T]] {alignment = 8 : i64} : !llvm.ptr -> !llvm.ptr
// CHECK: llvmx.call %[[G]],
// CHECK: "llvm.masked.store.v16f32.p0"
func.func @gemm(%x: memref<?x?xf32, strided<[?, 1]>>, %y: memref<?x?xf32, strided<[?, 1]>>, %r: memref<?x?xf32>) attributes {tt.results = 1 : i64} {
  loops.call %x, %y, %r {callee = "gemm", options = {transpose_b = true}} : (memref<?x?xf32, strided<[?, 1]>>, memref<?x?xf32, strided<[?, 1]>>, memref<?x?xf32>) -> ()
  loops.call %y, %x, %r {callee = "gemm"} : (memref<?x?xf32, strided<[?, 1]>>, memref<?x?xf32, strided<[?, 1]>>, memref<?x?xf32>) -> ()
  func.return
}

// -----

// The shape function: a check that fails ends it; sizes go to the result's words, the arena's size to word 0.
// CHECK: tt.errors = [{kind = "ValueError", message = "{0} != {1}", file = "{{.*}}lower_loops_to_llvm.mlir", line = {{[0-9]+}} : i64, operation = "loops.check"}]
// CHECK-LABEL: llvm.func @tt_kernel(
// CHECK: llvm.func @tt_shape(%[[F:[0-9]+]]: !llvm.ptr) -> i32 {
// CHECK: %[[BAD:[0-9]+]] = llvm.icmp "ne" %[[N:[0-9]+]], %[[M:[0-9]+]] : i64
// CHECK: llvm.cond_br %[[BAD]], ^[[OUT:bb[0-9]+]], ^[[ON:bb[0-9]+]]
// CHECK: ^[[OUT]]:
// CHECK: llvm.store %{{[0-9]+}}, %{{[0-9]+}}
// CHECK: llvm.store %[[N]], %{{[0-9]+}}
// CHECK: llvm.store %[[M]], %{{[0-9]+}}
// CHECK: llvm.return
// CHECK: ^[[ON]]:
// CHECK: %[[P:[0-9]+]] = llvm.getelementptr inbounds %[[F]][184]
// CHECK: llvm.store %[[N]], %[[P]]
// CHECK: llvm.store %{{[0-9]+}}, %[[F]] {alignment = 8 : i64} : i64, !llvm.ptr
func.func @shape(%x: memref<?xf64, strided<[1]>>, %y: memref<?xf64, strided<[1]>>, %r: memref<?xf64>) attributes {tt.results = 1 : i64} {
  func.return
}
func.func @shape_shape(%x: memref<?xf64, strided<[1]>>, %y: memref<?xf64, strided<[1]>>, %r: memref<?xf64>) -> index {
  %n = loops.dim %x, 0 : memref<?xf64, strided<[1]>>
  %m = loops.dim %y, 0 : memref<?xf64, strided<[1]>>
  loops.check %n, %m {message = "{0} != {1}"} : (index, index) -> ()
  %t = loops.alloc %n {slot = 0 : i64} : (index) -> memref<?xf64>
  func.return %n : index
}

// -----

// A kernel is one function.
func.func @one() attributes {tt.results = 0 : i64} {
  func.return
}
// expected-error @+1 {{found 2 functions; expected one kernel a module}}
func.func @two() attributes {tt.results = 0 : i64} {
  func.return
}

// -----

// Chunks for threads: what the nest uses goes by an environment, the runtime has the chunks done, and the kernel
// combines what they give, in their order.
// CHECK: tt.externs = ["tt_run"]
// CHECK-LABEL: llvm.func @tt_kernel
// CHECK: %[[PART:[0-9]+]] = llvm.mlir.addressof @tt_part0 : !llvm.ptr
// CHECK: %[[ENV:[0-9]+]] = llvm.alloca %{{[0-9]+}} x i64
// CHECK: llvmx.call %{{[0-9]+}}, %[[ENV]], %[[PART]]
// CHECK: ^bb1(
// CHECK: llvm.fadd
// CHECK: llvm.return
// CHECK: llvm.func internal @tt_part0(%{{[0-9]+}}: !llvm.ptr, %[[CHUNK:[0-9]+]]: i64)
// CHECK: llvm.mul %[[CHUNK]], %{{[0-9]+}}
// CHECK: llvm.return{{$}}
func.func @chunks(%x: memref<?xf64, strided<[1]>>, %r: memref<f64>) attributes {tt.results = 1 : i64} {
  %n = loops.dim %x, 0 : memref<?xf64, strided<[1]>>
  %0 = loops.nest (%i < %n) ins(%a = %x[%i] : memref<?xf64, strided<[1]>>) -> (add[] : f64) schedule {split = 0 : i64} {
    loops.yield %a : f64
  }
  loops.store %0, %r : (f64, memref<f64>) -> ()
  func.return
}

// -----

// Without a place for what chunks combine, there are none.
// CHECK-LABEL: llvm.func @tt_kernel
// CHECK-NOT: tt_part
func.func @no_place(%x: memref<?x?xf64, strided<[?, 1]>>, %r: memref<?xf64>) attributes {tt.results = 1 : i64} {
  %n = loops.dim %x, 0 : memref<?x?xf64, strided<[?, 1]>>
  %m = loops.dim %x, 1 : memref<?x?xf64, strided<[?, 1]>>
  loops.nest (%i < %n, %k < %m) ins(%a = %x[%i, %k] : memref<?x?xf64, strided<[?, 1]>>) -> (add[%k] into %r : memref<?xf64>) schedule {split = 0 : i64} {
    loops.yield %a : f64
  }
  func.return
}

// -----

// A part is a moved pointer: an index out of range ends the call at once, as no address would be safe. Elements
// that stand backwards are a load and a shuffle, others a load each.
func.func @parts(%x: memref<?x?xf64, strided<[?, 1]>>, %i: index, %n: index, %r: memref<?xf64>, %s: memref<?xf64>) attributes {tt.results = 2 : i64} {
  %a = loops.subview %x[%i, %i for %n by -1] : memref<?x?xf64, strided<[?, 1]>> -> memref<?xf64, strided<[-1]>>
  loops.nest (%k < %n) ins(%e = %a[%k] : memref<?xf64, strided<[-1]>> as vector<4xf64>) -> (collect[%k] into %r : memref<?xf64>) schedule {vector = 4 : i64} {
    loops.yield %e : vector<4xf64>
  }
  %b = loops.subview %x[%i for %n, %i] {inbounds} : memref<?x?xf64, strided<[?, 1]>> -> memref<?xf64, strided<[?]>>
  loops.nest (%k < %n) ins(%e = %b[%k] : memref<?xf64, strided<[?]>> as vector<4xf64>) -> (collect[%k] into %s : memref<?xf64>) schedule {vector = 4 : i64} {
    loops.yield %e : vector<4xf64>
  }
  func.return
}
// CHECK: kind = "IndexError"
// CHECK-LABEL: llvm.func @tt_kernel(
// CHECK: llvm.icmp "uge"
// CHECK: llvm.cond_br %{{[0-9]+}}, ^bb[[FAIL:[0-9]+]], ^bb[[GO:[0-9]+]]
// CHECK: ^bb[[FAIL]]:
// CHECK: llvm.return %{{[0-9]+}} : i32
// CHECK: ^bb[[GO]]:
// CHECK: %[[V:[0-9]+]] = llvm.load %{{[0-9]+}} {alignment = 8 : i64} : !llvm.ptr -> vector<4xf64>
// CHECK-NEXT: llvm.shufflevector %[[V]], %[[V]] [3, 2, 1, 0]
// CHECK-NOT: "uge"
// CHECK: llvmx.insertelement
// CHECK: llvm.store %{{[0-9]+}}, %{{[0-9]+}} {alignment = 8 : i64} : vector<4xf64>

// -----

// A result that may lie in an argument's memory: the kernel ends in front of it if an error stands.
// CHECK: tt.inplace = [array<i64: 1, 0>]
// CHECK: %[[BAD:[0-9]+]] = llvm.icmp "ne"
// CHECK-NEXT: llvm.cond_br %[[BAD]], ^[[END:bb[0-9]+]]
// CHECK-NEXT: ^[[END]]:
// CHECK-NEXT: llvm.return
// CHECK: llvm.fmul
func.func @lent(%w: memref<?xf64, strided<[1]>>, %k: memref<?xi64, strided<[1]>>, %r0: memref<f64>, %r1: memref<?xf64>) attributes {tt.results = 2 : i64, tt.inplace = [array<i64: 1, 0>]} {
  %n = loops.dim %w, 0 : memref<?xf64, strided<[1]>>
  %c = elemwise.constant 0 : index
  %i = loops.gather %k, %c {inbounds} : (memref<?xi64, strided<[1]>>, index) -> i64
  %j = elemwise.cast %i {dtype = index} : (i64) -> index
  %e = loops.gather %w, %j : (memref<?xf64, strided<[1]>>, index) -> f64
  loops.store %e, %r0 : (f64, memref<f64>) -> ()
  loops.nest (%q < %n) ins(%a = %w[%q] : memref<?xf64, strided<[1]>>) -> (collect[%q] into %r1 : memref<?xf64>) {
    %0 = elemwise.mul %a, %a : f64
    loops.yield %0 : f64
  } attributes {inplace = [array<i64: 0, 0>]}
  func.return
}

// -----

// Nothing that may fail comes behind it.
func.func @lent_too_early(%w: memref<?xf64, strided<[1]>>, %k: memref<?xf64, strided<[1]>>, %r0: memref<f64>, %r1: memref<?xf64>) attributes {tt.results = 2 : i64, tt.inplace = [array<i64: 1, 0>]} {
  %n = loops.dim %w, 0 : memref<?xf64, strided<[1]>>
  loops.nest (%q < %n) ins(%a = %w[%q] : memref<?xf64, strided<[1]>>) -> (collect[%q] into %r1 : memref<?xf64>) {
    loops.yield %a : f64
  } attributes {inplace = [array<i64: 0, 0>]}
  // expected-error @+1 {{found what may fail behind a result in an argument's memory; expected it before}}
  %e = loops.gather %k, %n : (memref<?xf64, strided<[1]>>, index) -> f64
  loops.store %e, %r0 : (f64, memref<f64>) -> ()
  func.return
}

// -----

// A vector of neighbours at a looked-up row: the row's index is checked, a wrong one reads the flat block;
// the last vector is masked.
// CHECK: kind = "IndexError"
// CHECK: %[[BAD:[0-9]+]] = llvm.icmp "uge"
// CHECK: %[[AT:[0-9]+]] = llvmx.select %[[BAD]], %0, %{{[0-9]+}} : (i1, !llvm.ptr, !llvm.ptr) -> !llvm.ptr
// CHECK-NEXT: llvm.load %[[AT]] {{.*}} -> vector<8xf64>
// CHECK: %[[REST:[0-9]+]] = llvmx.select %[[BAD]], %0
// CHECK: llvm.call_intrinsic "llvm.masked.load.v8f64.p0"(%[[REST]],
func.func @row(%x: memref<?x?xf64, strided<[?, 1]>>, %y: memref<?xi64, strided<[1]>>, %r0: memref<?x?xf64>) attributes {tt.results = 1 : i64} {
  %n = loops.dim %y, 0 : memref<?xi64, strided<[1]>>
  %d = loops.dim %x, 1 : memref<?x?xf64, strided<[?, 1]>>
  loops.nest (%i < %n, %k < %d) ins(%j = %y[%i] : memref<?xi64, strided<[1]>>) -> (collect[%i, %k] into %r0 : memref<?x?xf64>) schedule {vector = 8} {
    %0 = elemwise.cast %j {dtype = index} : (i64) -> index
    %1 = loops.gather %x, %0, %k {checked = 1} : (memref<?x?xf64, strided<[?, 1]>>, index, index) -> vector<8xf64>
    loops.yield %1 : vector<8xf64>
  }
  func.return
}

// -----

// Every second element: the lanes are spread, each half of them stored under a mask. Backwards: turned,
// behind the pointer.
// CHECK: llvm.func @tt_kernel
// CHECK: llvm.shufflevector %{{[0-9]+}}, %{{[0-9]+}} [0, 0, 1, 1]
// CHECK: %[[M:[0-9]+]] = llvm.shufflevector %{{[0-9]+}}, %{{[0-9]+}} [0, 4, 1, 4]
// CHECK: "llvm.masked.store.v4f64.p0"(%{{[0-9]+}}, %{{[0-9]+}}, %[[M]])
// CHECK: llvm.shufflevector %{{[0-9]+}}, %{{[0-9]+}} [2, 2, 3, 3]
// CHECK: "llvm.masked.store.v4f64.p0"
// CHECK: llvm.shufflevector %{{[0-9]+}}, %{{[0-9]+}} [3, 2, 1, 0]
// CHECK: llvm.store %{{[0-9]+}}, %{{[0-9]+}} {alignment = 8 : i64} : vector<4xf64>
func.func @gaps(%x: memref<?xf64, strided<[1]>>, %o: index, %r0: memref<?xf64>, %r1: memref<?xf64>) attributes {tt.results = 2 : i64} {
  %n = loops.dim %x, 0 : memref<?xf64, strided<[1]>>
  %p = loops.subview %r0[%o for %n by 2] : memref<?xf64> -> memref<?xf64, strided<[?]>>
  loops.nest (%i < %n) ins(%a = %x[%i] : memref<?xf64, strided<[1]>> as vector<4xf64>) -> (collect[%i] into %p : memref<?xf64, strided<[?]>>) schedule {vector = 4} {
    loops.yield %a : vector<4xf64>
  }
  %q = loops.subview %r1[%n for %n by -1] : memref<?xf64> -> memref<?xf64, strided<[?]>>
  loops.nest (%i < %n) ins(%a = %x[%i] : memref<?xf64, strided<[1]>> as vector<4xf64>) -> (collect[%i] into %q : memref<?xf64, strided<[?]>>) schedule {vector = 4} {
    loops.yield %a : vector<4xf64>
  }
  func.return
}

// -----

// A large result may go past the caches: if bit 1 of word 9 is set and the first address is a line's,
// whole vectors do; a fence stands behind the loop. Not a result that is read again, or the memory of
// an argument.
// STREAM: tt.inplace = [array<i64: 2, 0>]
// STREAM-NOT: nontemporal
// STREAM: %[[ONE:[0-9]+]] = llvm.mlir.constant(2) : i64
// STREAM: %[[AT:[0-9]+]] = llvm.getelementptr inbounds %{{[0-9]+}}[72]
// STREAM: %[[WORD:[0-9]+]] = llvm.load %[[AT]]
// STREAM: llvm.and %[[WORD]], %[[ONE]]
// STREAM: %[[PLACE:[0-9]+]] = llvm.ptrtoint
// STREAM: llvm.and %[[PLACE]]
// STREAM: llvm.store {{.*}}alignment = 64 : i64{{.*}} : vector<8xf64>
// STREAM: llvm.store {{.*}}alignment = 8 : i64{{.*}} : vector<8xf64>
// STREAM: llvm.call_intrinsic "llvm.x86.sse.sfence"
// STREAM-NOT: alignment = 64
func.func @streams(%w: memref<?xf64, strided<[1]>>, %r0: memref<?xf64>, %r1: memref<?xf64>, %r2: memref<?xf64>, %r3: memref<?xf64>) attributes {tt.results = 4 : i64, tt.inplace = [array<i64: 2, 0>]} {
  %n = loops.dim %w, 0 : memref<?xf64, strided<[1]>>
  loops.nest (%q < %n) ins(%a = %w[%q] : memref<?xf64, strided<[1]>> as vector<8xf64>) -> (collect[%q] into %r0 : memref<?xf64>, collect[%q] into %r1 : memref<?xf64>, collect[%q] into %r2 : memref<?xf64>) schedule {vector = 8 : i64} {
    %0 = elemwise.mul %a, %a : vector<8xf64>
    loops.yield %a, %0, %0 : vector<8xf64>, vector<8xf64>, vector<8xf64>
  } attributes {inplace = [array<i64: 2, 0>]}
  loops.nest (%q < %n) ins(%a = %r0[%q] : memref<?xf64> as vector<8xf64>) -> (collect[%q] into %r3 : memref<?xf64>) schedule {vector = 8 : i64} {
    loops.yield %a : vector<8xf64>
  } attributes {inplace = [array<i64: 0, 0>]}
  func.return
}

// -----

// Places are checked in loops of their own; if one was wrong, the function ends before the copy. What is
// copied only where the result is not the argument itself stands behind a comparison of the addresses;
// the scatter checks nothing.
// CHECK: tt.inplace = [array<i64: 0, 0>]
// CHECK: llvm.icmp "uge"
// CHECK: %[[BAD:[0-9]+]] = llvm.icmp "ne"
// CHECK-NEXT: llvm.cond_br %[[BAD]]
// CHECK: %[[W:[0-9]+]] = llvm.ptrtoint
// CHECK-NEXT: %[[R:[0-9]+]] = llvm.ptrtoint
// CHECK-NEXT: %[[APART:[0-9]+]] = llvm.icmp "ne" %[[W]], %[[R]]
// CHECK: llvm.cond_br %[[APART]]
// CHECK-NOT: "uge"
// CHECK: llvm.fadd
// CHECK-NOT: "uge"
func.func @places(%w: memref<?xf64, strided<[1]>>, %k: memref<?xi64, strided<[1]>>, %r0: memref<?xf64>) attributes {tt.results = 1 : i64, tt.inplace = [array<i64: 0, 0>]} {
  %n = loops.dim %w, 0 : memref<?xf64, strided<[1]>>
  %m = loops.dim %k, 0 : memref<?xi64, strided<[1]>>
  %one = elemwise.constant 1.0 : f64
  %p = loops.alloc %m {slot = 0 : i64} : (index) -> memref<?xi64>
  loops.nest (%i < %m) ins(%j = %k[%i] : memref<?xi64, strided<[1]>>) -> (collect[%i] into %p : memref<?xi64>) {
    %0 = elemwise.cast %j {dtype = index} : (i64) -> index
    %1 = loops.locate %w, %0 {axis = 0 : i64} : (memref<?xf64, strided<[1]>>, index) -> index
    %2 = elemwise.cast %1 {dtype = i64} : (index) -> i64
    loops.yield %2 : i64
  }
  loops.nest (%i < %n) ins(%a = %w[%i] : memref<?xf64, strided<[1]>>) -> (collect[%i] into %r0 : memref<?xf64>) {
    loops.yield %a : f64
  } attributes {unless_there}
  loops.nest (%i < %m) ins(%j = %p[%i] : memref<?xi64>) -> (scatter_add[?] into %r0 : memref<?xf64>) {
    %0 = elemwise.cast %j {dtype = index} : (i64) -> index
    loops.yield %one, %0 : f64, index
  } attributes {inbounds}
  func.return
}
