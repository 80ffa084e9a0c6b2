// RUN: tt-opt %s -p move-indexing --split-input-file | filecheck %s

// A step of gradient descent on the rows of a table: rows instead of all of it, if they are few and
// the learning rate is finite and not negative; else all of it, and no rows.
// CHECK-LABEL: func.func @step
// CHECK: %[[Z:.+]] = elemwise.mul %lr, %{{.+}} : tensor<f64>
// CHECK: %[[EQ:.+]] = elemwise.eq %[[Z]]
// CHECK: %[[INF:.+]] = elemwise.true_div %{{.+}}, %[[Z]]
// CHECK: %[[GT:.+]] = elemwise.gt %[[INF]]
// CHECK: %[[KEPT:.+]] = elemwise.and %[[EQ]], %[[GT]]
// CHECK-DAG: %[[M:.+]] = tensor.size %idx {dim = 0 : i64}
// CHECK-DAG: %[[N:.+]] = tensor.size %w {dim = 0 : i64}
// CHECK: %[[TWICE:.+]] = elemwise.add %[[M]], %[[M]]
// CHECK: %[[FEW:.+]] = elemwise.le %[[TWICE]], %[[N]]
// CHECK: %[[OK:.+]] = elemwise.and %[[FEW]], %[[KEPT]]
// CHECK: %[[SOME:.+]] = elemwise.switch %[[OK]], %[[M]]
// CHECK: %[[ALL:.+]] = elemwise.switch %[[OK]], %{{.+}}, %[[N]]
// CHECK: %[[REST:.+]] = tensor.subtensor %g, %[[SOME]] {slices = "@:"}
// CHECK: tensor.advanced_inc_subtensor %{{.+}}, %[[REST]]
// CHECK: %[[WHOLE:.+]] = tensor.inc_subtensor %w, %{{.+}}, %[[ALL]] {slices = ":@", set = true}
// CHECK: %[[G:.+]] = tensor.subtensor %g, %[[SOME]] {slices = ":@"}
// CHECK: %[[I:.+]] = tensor.subtensor %idx, %[[SOME]] {slices = ":@"}
// CHECK: %[[UNSET:.+]] = tensor.alloc %{{.+}}, %[[N]] {{.*}}unset = true
// CHECK: %[[LAST:.+]] = tensor.advanced_inc_subtensor %[[UNSET]], %{{.+}}, %[[I]] {set = true, tt.apply = 7
// CHECK: %[[K:.+]] = tensor.advanced_subtensor %[[LAST]], %[[I]]
// CHECK: %[[SUM:.+]] = tensor.advanced_inc_subtensor %{{.+}}, %[[G]], %[[K]] {tt.apply = 7
// CHECK: %[[OLD:.+]] = tensor.advanced_subtensor %w, %[[I]]
// CHECK: %[[OWN:.+]] = tensor.advanced_subtensor %[[SUM]], %[[K]]
// CHECK: %[[STEP:.+]] = elemwise.mul %{{.+}}, %[[OWN]]
// CHECK: %[[NEW:.+]] = elemwise.sub %[[OLD]], %[[STEP]]
// CHECK: %[[R:.+]] = tensor.advanced_inc_subtensor %[[WHOLE]], %[[NEW]], %[[I]] {set = true, tt.apply = 7
// CHECK: func.return %[[R]]
func.func @step(%w: tensor<?x?xf64> {tt.update = 0 : i64}, %g: tensor<?x?xf64>, %idx: tensor<?xi64>, %lr: tensor<f64>) -> tensor<?x?xf64> {
  %0 = elemwise.constant 0.0 : tensor<1x1xf64>
  %1 = elemwise.second %w, %0 : (tensor<?x?xf64>, tensor<1x1xf64>) -> tensor<?x?xf64>
  %2 = tensor.advanced_inc_subtensor %1, %g, %idx {tt.apply = 7 : i64} : (tensor<?x?xf64>, tensor<?x?xf64>, tensor<?xi64>) -> tensor<?x?xf64>
  %3 = tensor.dimshuffle %lr {order = array<i64: -1, -1>} : (tensor<f64>) -> tensor<1x1xf64>
  %4 = elemwise.mul %3, %2 : (tensor<1x1xf64>, tensor<?x?xf64>) -> tensor<?x?xf64>
  %5 = elemwise.sub %w, %4 : tensor<?x?xf64>
  func.return %5 : tensor<?x?xf64>
}

// -----

// Of a constant learning rate nothing is asked; added is what is negative; a divisor, a second factor.
// CHECK-LABEL: func.func @constant
// CHECK-NOT: elemwise.eq
// CHECK: unset
// CHECK: unset
// CHECK-NOT: elemwise.eq
func.func @constant(%w: tensor<?xf64> {tt.update = 0 : i64}, %b: tensor<?xf64> {tt.update = 1 : i64}, %g: tensor<?xf64>, %idx: tensor<?xi64>) -> (tensor<?xf64>, tensor<?xf64>) {
  %0 = elemwise.constant 0.0 : tensor<1xf64>
  %1 = elemwise.second %w, %0 : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %2 = tensor.advanced_inc_subtensor %1, %g, %idx : (tensor<?xf64>, tensor<?xf64>, tensor<?xi64>) -> tensor<?xf64>
  %3 = elemwise.constant -0.1 : tensor<1xf64>
  %4 = elemwise.mul %2, %3 : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %5 = elemwise.add %w, %4 : tensor<?xf64>
  %6 = elemwise.second %b, %0 : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %7 = tensor.advanced_inc_subtensor %6, %g, %idx : (tensor<?xf64>, tensor<?xf64>, tensor<?xi64>) -> tensor<?xf64>
  %8 = elemwise.true_div %7, %3 : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %9 = elemwise.neg %8 : tensor<?xf64>
  %10 = elemwise.sub %b, %9 : tensor<?xf64>
  func.return %5, %10 : tensor<?xf64>, tensor<?xf64>
}

// -----

// Not where +0 is added (-0 + 0 is +0), the table is no update or another one's, the rows start from
// other numbers, are set, are used otherwise, or are divided by; nor where the result is used.
// CHECK-LABEL: func.func @dense
// CHECK-NOT: unset
func.func @dense(%w: tensor<?xf64> {tt.update = 0 : i64}, %b: tensor<?xf64> {tt.update = 2 : i64}, %c: tensor<?xf64>, %d: tensor<?xf64> {tt.update = 3 : i64}, %e: tensor<?xf64> {tt.update = 4 : i64}, %f: tensor<?xf64> {tt.update = 5 : i64}, %h: tensor<?xf64> {tt.update = 6 : i64}, %k: tensor<?xf64> {tt.update = 8 : i64}, %g: tensor<?xf64>, %idx: tensor<?xi64>)
    -> (tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>) {
  %0 = elemwise.constant 0.0 : tensor<1xf64>
  %one = elemwise.constant 1.0 : tensor<1xf64>
  %1 = elemwise.second %w, %0 : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %2 = tensor.advanced_inc_subtensor %1, %g, %idx : (tensor<?xf64>, tensor<?xf64>, tensor<?xi64>) -> tensor<?xf64>
  %3 = elemwise.add %w, %2 : tensor<?xf64>
  %4 = elemwise.second %c, %0 : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %5 = tensor.advanced_inc_subtensor %4, %g, %idx : (tensor<?xf64>, tensor<?xf64>, tensor<?xi64>) -> tensor<?xf64>
  %6 = elemwise.sub %c, %5 : tensor<?xf64>
  %7 = elemwise.second %d, %one : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %8 = tensor.advanced_inc_subtensor %7, %g, %idx : (tensor<?xf64>, tensor<?xf64>, tensor<?xi64>) -> tensor<?xf64>
  %9 = elemwise.sub %d, %8 : tensor<?xf64>
  %10 = elemwise.second %e, %0 : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %11 = tensor.advanced_inc_subtensor %10, %g, %idx {set = true} : (tensor<?xf64>, tensor<?xf64>, tensor<?xi64>) -> tensor<?xf64>
  %12 = elemwise.sub %e, %11 : tensor<?xf64>
  %13 = elemwise.second %f, %0 : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %14 = tensor.advanced_inc_subtensor %13, %g, %idx : (tensor<?xf64>, tensor<?xf64>, tensor<?xi64>) -> tensor<?xf64>
  %15 = elemwise.sub %f, %14 : tensor<?xf64>
  %16 = elemwise.second %h, %0 : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %17 = tensor.advanced_inc_subtensor %16, %g, %idx : (tensor<?xf64>, tensor<?xf64>, tensor<?xi64>) -> tensor<?xf64>
  %18 = elemwise.true_div %one, %17 : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
  %19 = elemwise.sub %h, %18 : tensor<?xf64>
  %20 = elemwise.second %k, %0 : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %21 = tensor.advanced_inc_subtensor %20, %g, %idx : (tensor<?xf64>, tensor<?xf64>, tensor<?xi64>) -> tensor<?xf64>
  %22 = elemwise.sub %k, %21 : tensor<?xf64>
  %23 = elemwise.neg %22 : tensor<?xf64>
  func.return %3, %6, %23, %9, %12, %15, %19, %14, %22 : tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>, tensor<?xf64>
}
