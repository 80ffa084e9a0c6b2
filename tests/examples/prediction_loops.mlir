// The same as one nest over the rows of x, with an inner nest for the dot product of a row.
func.func @main(%x: tensor<?x?xf64>, %w: tensor<?xf64>, %b: f64) -> tensor<?xf64> {
  %n = loops.dim %x, 0 : tensor<?x?xf64>
  %d = loops.dim %x, 1 : tensor<?x?xf64>
  %m = loops.dim %w, 0 : tensor<?xf64>
  loops.check %d, %m {message = "shapes not aligned: {0} != {1}"} : (index, index) -> ()
  %p = loops.nest (%i < %n) ins(%row = %x[%i, :] : tensor<?x?xf64>) -> (collect[%i] : tensor<?xf64>) {
    %t = loops.nest (%k < %d) ins(%a = %row[%k] : tensor<?xf64>, %c = %w[%k] : tensor<?xf64>) -> (add[] : f64) {
      %u = elemwise.mul %a, %c : f64
      loops.yield %u : f64
    }
    %s = elemwise.add %t, %b : f64
    %q = elemwise.sigmoid %s : f64
    loops.yield %q : f64
  }
  func.return %p : tensor<?xf64>
}
