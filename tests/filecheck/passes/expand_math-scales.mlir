// RUN: tt-opt %s -p "expand-math{scales=true}" --split-input-file | filecheck %s

// A machine that multiplies by powers of 2 in one instruction: exp is scaled once, after it was
// bounded from above alone; what underflows is masked.
// CHECK-LABEL: func.func @exp
// CHECK-NOT: elemwise.{{shl|shr}}
// CHECK: %[[BIG:.+]] = elemwise.gt %[[X:.+]], %{{.+}} : (f64, f64) -> i1
// CHECK: %[[V:.+]] = elemwise.scale %{{.+}}, %{{.+}} : f64
// CHECK-NEXT: %[[SMALL:.+]] = elemwise.lt %[[X]], %{{.+}} : (f64, f64) -> i1
// CHECK-NEXT: %[[R:.+]] = elemwise.switch %[[SMALL]], %{{.+}}, %[[V]]
// CHECK-NEXT: func.return %[[R]]
func.func @exp(%x: f64) -> f64 {
  %0 = elemwise.exp %x : f64
  func.return %0 : f64
}

// -----

// Nor from above where the argument is known to be negative.
// CHECK-LABEL: func.func @bell
// CHECK-NOT: elemwise.gt
// CHECK: elemwise.scale
// CHECK: elemwise.lt
func.func @bell(%x: f64) -> f64 {
  %0 = elemwise.mul %x, %x : f64
  %1 = elemwise.neg %0 : f64
  %2 = elemwise.exp %1 : f64
  func.return %2 : f64
}

// -----

// log1p is made of the argument itself; the rounded sum gives only the exponent, and the edges.
// CHECK-LABEL: func.func @log1p
// CHECK-SAME: (%[[X:.+]]: f32)
// CHECK: %[[U:.+]] = elemwise.add %[[X]], %[[ONE:.+]] : f32
// CHECK-NEXT: %[[N:.+]] = elemwise.minus_exponent %[[U]] {normal = true} : f32
// CHECK-NEXT: %[[A:.+]] = elemwise.scale %[[X]], %[[N]] : f32
// CHECK-NEXT: %[[B:.+]] = elemwise.scale %[[ONE]], %[[N]] : f32
// CHECK-NOT: elemwise.true_div
// CHECK: elemwise.log_edges %{{.+}}, %[[U]] : f32
func.func @log1p(%x: f32) -> f32 {
  %0 = elemwise.log1p %x : f32
  func.return %0 : f32
}
