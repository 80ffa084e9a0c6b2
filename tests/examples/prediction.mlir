// The predictions of a logistic regression, whole arrays: sigmoid(x.w + b).
func.func @main(%x: tensor<?x?xf64>, %w: tensor<?xf64>, %b: tensor<f64>) -> tensor<?xf64> {
  %0 = tensor.dot %x, %w : (tensor<?x?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %1 = tensor.dimshuffle %b {order = array<i64: -1>} : (tensor<f64>) -> tensor<1xf64>
  %2 = elemwise.add %0, %1 : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %3 = elemwise.sigmoid %2 : tensor<?xf64>
  func.return %3 : tensor<?xf64>
}
