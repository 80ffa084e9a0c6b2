// The gradient of sum(tanh(x)), asked for by a marker.
func.func @main(%x: tensor<?xf64>) -> tensor<?xf64> {
  %t = elemwise.tanh %x : tensor<?xf64>
  %c = tensor.reduce %t {kind = "add", axes = array<i64: 0>} : (tensor<?xf64>) -> tensor<f64>
  %g = tensor.grad %c, %x : (tensor<f64>, tensor<?xf64>) -> tensor<?xf64>
  func.return %g : tensor<?xf64>
}
