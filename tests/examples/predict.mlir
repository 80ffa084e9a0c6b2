// 1 / (1 + exp(-(x . w) - b)) > 0.5, as the graph of the tutorial says it.
func.func @main(%x: tensor<?x?xf64>, %w: tensor<?xf64>, %b: tensor<f64>) -> tensor<?xi1> {
  %one = elemwise.constant 1 : tensor<i8>
  %ones = tensor.dimshuffle %one {order = array<i64: -1>} : (tensor<i8>) -> tensor<1xi8>
  %z = tensor.dot %x, %w : (tensor<?x?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %m = elemwise.neg %z : tensor<?xf64>
  %bs = tensor.dimshuffle %b {order = array<i64: -1>} : (tensor<f64>) -> tensor<1xf64>
  %t = elemwise.sub %m, %bs : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %e = elemwise.exp %t : tensor<?xf64>
  %d = elemwise.add %ones, %e : (tensor<1xi8>, tensor<?xf64>) -> tensor<?xf64>
  %p = elemwise.true_div %ones, %d : (tensor<1xi8>, tensor<?xf64>) -> tensor<?xf64>
  %half = elemwise.constant 5.0e-01 : tensor<f32>
  %halves = tensor.dimshuffle %half {order = array<i64: -1>} : (tensor<f32>) -> tensor<1xf32>
  %g = elemwise.gt %p, %halves : (tensor<?xf64>, tensor<1xf32>) -> tensor<?xi1>
  func.return %g : tensor<?xi1>
}
