// The cross-entropy of a logistic prediction, and its gradient as the chain rule gives it.
func.func @main(%t: tensor<?xf64>, %y: tensor<?xf64>) -> (tensor<?xf64>, tensor<?xf64>) {
  %one = elemwise.constant 1.0 : tensor<1xf64>
  %minus_t = elemwise.neg %t : tensor<?xf64>
  %e = elemwise.exp %minus_t : tensor<?xf64>
  %d = elemwise.add %one, %e : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
  %p = elemwise.true_div %one, %d : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
  %log = elemwise.log %p : tensor<?xf64>
  %loss = elemwise.mul %y, %log : tensor<?xf64>
  %g = elemwise.true_div %y, %p : tensor<?xf64>
  %dd = elemwise.mul %d, %d : tensor<?xf64>
  %g_d = elemwise.true_div %g, %dd : tensor<?xf64>
  %g_t = elemwise.mul %g_d, %e : tensor<?xf64>
  func.return %loss, %g_t : tensor<?xf64>, tensor<?xf64>
}
