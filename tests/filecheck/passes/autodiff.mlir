// RUN: tt-opt %s -p autodiff --split-input-file | filecheck %s

// The gradient starts with 1 in the shape of the cost and follows Theano's formula g * y * x ** (y - 1).

// CHECK-LABEL: func.func @square
func.func @square(%x: tensor<f64>) -> tensor<f64> {
  %two = elemwise.constant 2.0 : tensor<f64>
  %c = elemwise.pow %x, %two : tensor<f64>
  %g = tensor.grad %c, %x : tensor<f64>
  func.return %g : tensor<f64>
}
// CHECK: %[[TWO:.+]] = elemwise.constant 2.000000e+00
// CHECK: %[[C:.+]] = elemwise.pow %x, %[[TWO]]
// CHECK: %[[ONE:.+]] = elemwise.constant 1.000000e+00
// CHECK: %[[G:.+]] = elemwise.second %[[C]], %[[ONE]]
// CHECK: %[[GY:.+]] = elemwise.mul %[[G]], %[[TWO]]
// CHECK: %[[Y1:.+]] = elemwise.sub %[[TWO]], %{{.+}}
// CHECK: %[[P:.+]] = elemwise.pow %x, %[[Y1]]
// CHECK: %[[R:.+]] = elemwise.mul %[[GY]], %[[P]]
// CHECK-NOT: tensor.grad
// CHECK: func.return %[[R]]

// -----

// A broadcast operand gets the sum over the dimension that it was broadcast along.

// CHECK-LABEL: func.func @unbroadcast
func.func @unbroadcast(%x: tensor<?x?xf64>, %b: tensor<1x?xf64>) -> tensor<1x?xf64> {
  %s = elemwise.add %x, %b : (tensor<?x?xf64>, tensor<1x?xf64>) -> tensor<?x?xf64>
  %c = tensor.reduce %s {kind = "add", axes = array<i64: 0, 1>} : (tensor<?x?xf64>) -> tensor<f64>
  %g = tensor.grad %c, %b : (tensor<f64>, tensor<1x?xf64>) -> tensor<1x?xf64>
  func.return %g : tensor<1x?xf64>
}
// CHECK: %[[S:.+]] = elemwise.second %{{.+}}, %{{.+}} : (tensor<?x?xf64>, tensor<1x1xf64>) -> tensor<?x?xf64>
// CHECK: %[[SUM:.+]] = tensor.reduce %[[S]] {{.*}}axes = array<i64: 0>{{.*}} : (tensor<?x?xf64>) -> tensor<?xf64>
// CHECK: %[[R:.+]] = tensor.dimshuffle %[[SUM]] {order = array<i64: -1, 0>}
// CHECK: func.return %[[R]]

// -----

// Uses add up, in the order of the operations that use the value; only what is asked for is emitted.

// CHECK-LABEL: func.func @uses
func.func @uses(%x: tensor<f64>, %y: tensor<f64>) -> tensor<f64> {
  %e = elemwise.exp %x : tensor<f64>
  %m = elemwise.mul %e, %x : tensor<f64>
  %c = elemwise.mul %m, %y : tensor<f64>
  %g = tensor.grad %c, %x : tensor<f64>
  func.return %g : tensor<f64>
}
// CHECK: %[[G:.+]] = elemwise.second %c
// CHECK-NEXT: %[[GM:.+]] = elemwise.mul %[[G]], %y
// CHECK-NEXT: %[[BYX:.+]] = elemwise.mul %[[GM]], %e
// CHECK-NEXT: %[[GE:.+]] = elemwise.mul %[[GM]], %x
// CHECK-NEXT: %[[EXP:.+]] = elemwise.exp %x
// CHECK-NEXT: %[[BYE:.+]] = elemwise.mul %[[GE]], %[[EXP]]
// CHECK-NEXT: %[[SUM:.+]] = elemwise.add %[[BYE]], %[[BYX]]
// CHECK-NEXT: func.return %[[SUM]]

// -----

// What the cost does not depend on, or only through integers, has gradient zero.

// CHECK-LABEL: func.func @zero
func.func @zero(%x: tensor<f64>, %y: tensor<?xf64>) -> (tensor<f64>, tensor<?xf64>) {
  %i = elemwise.cast %x {dtype = i32} : (tensor<f64>) -> tensor<i32>
  %c = elemwise.cast %i {dtype = f64} : (tensor<i32>) -> tensor<f64>
  %g:2 = tensor.grad %c, %x, %y : (tensor<f64>, tensor<f64>, tensor<?xf64>) -> (tensor<f64>, tensor<?xf64>)
  func.return %g#0, %g#1 : tensor<f64>, tensor<?xf64>
}
// CHECK: %[[ZX:.+]] = elemwise.second %x, %{{.+}} : tensor<f64>
// CHECK: %[[ZY:.+]] = elemwise.second %y, %{{.+}} : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
// CHECK: func.return %[[ZX]], %[[ZY]]

// -----

// A gradient of a gradient: the second marker differentiates what the first one became.

// CHECK-LABEL: func.func @twice
func.func @twice(%x: tensor<f64>) -> tensor<f64> {
  %c = elemwise.exp %x : tensor<f64>
  %g = tensor.grad %c, %x : tensor<f64>
  %h = tensor.grad %g, %x : tensor<f64>
  func.return %h : tensor<f64>
}
// CHECK: %[[G:.+]] = elemwise.mul
// CHECK-NOT: tensor.grad
// CHECK: %[[ONE:.+]] = elemwise.second %[[G]]
// CHECK: elemwise.exp %x
// CHECK-NEXT: %[[H:.+]] = elemwise.mul
// CHECK-NEXT: func.return %[[H]]

// -----

// A float32 value gets a float32 gradient, with explicit casts.

// CHECK-LABEL: func.func @mixed
func.func @mixed(%x: tensor<f32>, %y: tensor<f64>) -> tensor<f32> {
  %c = elemwise.mul %x, %y : (tensor<f32>, tensor<f64>) -> tensor<f64>
  %g = tensor.grad %c, %x : (tensor<f64>, tensor<f32>) -> tensor<f32>
  func.return %g : tensor<f32>
}
// CHECK: %[[G:.+]] = elemwise.second
// CHECK-NEXT: %[[M:.+]] = elemwise.mul %[[G]], %y : tensor<f64>
// CHECK-NEXT: %[[R:.+]] = elemwise.cast %[[M]] {dtype = f32}
// CHECK: func.return %[[R]]
