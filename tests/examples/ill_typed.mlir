func.func @main(%x: tensor<?x?xf64>, %y: tensor<?xf64>) -> tensor<?x?xf64> {
  %0 = elemwise.add %x, %y : (tensor<?x?xf64>, tensor<?xf64>) -> tensor<?x?xf64>
  func.return %0 : tensor<?x?xf64>
}
