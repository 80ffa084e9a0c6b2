func.func @main(%x: tensor<?x1xf64>) -> tensor<?x1xf64> {
  func.return %x : tensor<?x1xf64>
}
