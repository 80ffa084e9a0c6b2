// RUN: tt-opt %s --split-input-file --verify-diagnostics

// A collect keeps every iterator.
func.func @f(%n: index, %x: tensor<?xf64>, %w: tensor<?x?xf64>) {
  // expected-error @below {{loops.nest: found a collect that leaves out an iterator}}
  %0 = loops.nest (%i < %n, %k < %n) ins(%a = %w[%i, %k] : tensor<?x?xf64>) -> (collect[%i] : tensor<?xf64>) {
    loops.yield %a : f64
  }
  func.return
}

// -----

// A map has one entry a dimension.
func.func @f(%n: index, %x: tensor<?xf64>, %w: tensor<?x?xf64>) {
  // expected-error @below {{loops.nest: found a map of 2 entries for tensor<?xf64>}}
  %0 = loops.nest (%i < %n) ins(%a = %x[%i, %i] : tensor<?xf64>) -> (add[] : f64) {
    loops.yield %a : f64
  }
  func.return
}

// -----

// An iterator stands once in a map.
func.func @f(%n: index, %x: tensor<?xf64>, %w: tensor<?x?xf64>) {
  // expected-error @below {{loops.nest: found map [0, 0]}}
  %0 = loops.nest (%i < %n) ins(%a = %w[%i, %i] : tensor<?x?xf64>) -> (add[] : f64) {
    loops.yield %a : f64
  }
  func.return
}

// -----

// Only iterators of this nest.
func.func @f(%n: index, %x: tensor<?xf64>, %w: tensor<?x?xf64>) {
  // expected-error @below {{loops.nest: found %n in a map; expected `0`, an iterator, `:` or `?`}}
  %0 = loops.nest (%i < %n) ins(%a = %x[%n] : tensor<?xf64>) -> (add[] : f64) {
    loops.yield %a : f64
  }
  func.return
}

// -----

// No other position than 0 can be written.
func.func @f(%n: index, %x: tensor<?xf64>, %w: tensor<?x?xf64>) {
  // expected-error @below {{loops.nest: found 1 in a map; expected `0`, an iterator, `:` or `?`}}
  %0 = loops.nest (%i < %n) ins(%a = %x[1] : tensor<?xf64>) -> (add[] : f64) {
    loops.yield %a : f64
  }
  func.return
}

// -----

// `0` is for dimensions of static size 1.
func.func @f(%n: index, %x: tensor<?xf64>, %w: tensor<?x?xf64>) {
  // expected-error @below {{loops.nest: found `0` in a map for tensor<?xf64>}}
  %0 = loops.nest (%i < %n) ins(%a = %x[0] : tensor<?xf64>) -> (add[] : f64) {
    loops.yield %a : f64
  }
  func.return
}

// -----

// No such kind.
func.func @f(%n: index, %x: tensor<?xf64>, %w: tensor<?x?xf64>) {
  // expected-error @below {{loops.nest: found kind 'xor'}}
  %0 = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (xor[] : f64) {
    loops.yield %a : f64
  }
  func.return
}

// -----

// An argmax has its max before it.
func.func @f(%n: index, %x: tensor<?xf64>, %w: tensor<?x?xf64>) {
  // expected-error @below {{loops.nest: found argmax without a max of the same map before it}}
  %0 = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (argmax[] : i64) {
    %j = elemwise.cast %i {dtype = i64} : (index) -> i64
    loops.yield %j : i64
  }
  func.return
}

// -----

// One yielded value a result.
func.func @f(%n: index, %x: tensor<?xf64>, %w: tensor<?x?xf64>) {
  // expected-error @below {{loops.nest: found 2 yielded values}}
  %0 = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (add[] : f64) {
    loops.yield %a, %a : f64, f64
  }
  func.return
}

// -----

// The yielded value has the result's type.
func.func @f(%n: index, %x: tensor<?xf64>, %w: tensor<?x?xf64>) {
  // expected-error @below {{loops.nest: found f32 from a yielded f64; expected equal element types}}
  %0 = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (add[] : f32) {
    loops.yield %a : f64
  }
  func.return
}

// -----

// A scalar is used, not read.
func.func @f(%n: index, %s: f64) {
  // expected-error @below {{loops.nest: found input of type f64; expected a tensor}}
  %0 = loops.nest (%i < %n) ins(%a = %s[] : f64) -> (add[] : f64) {
    loops.yield %a : f64
  }
  func.return
}

// -----

// A dimension that is not there.
func.func @f(%n: index, %x: tensor<?xf64>, %w: tensor<?x?xf64>) {
  // expected-error @below {{loops.dim: found dimension 1; expected one of the 1 of tensor<?xf64>}}
  %0 = loops.dim %x, 1 : tensor<?xf64>
  func.return
}

// -----

// One index a dimension.
func.func @f(%n: index, %x: tensor<?xf64>, %w: tensor<?x?xf64>) {
  // expected-error @below {{loops.gather: found 1 indices for tensor<?x?xf64>; expected one a dimension}}
  %0 = loops.gather %w, %n : (tensor<?x?xf64>, index) -> f64
  func.return
}

// -----

// No more indices are checked than there are.
func.func @f(%n: index, %x: tensor<?xf64>) {
  // expected-error @below {{loops.gather: found 2 indices to check; expected at most the 1 that there are}}
  %0 = loops.gather %x, %n {checked = 2 : i64} : (tensor<?xf64>, index) -> f64
  func.return
}

// -----

// A place is one of a dimension that is there.
func.func @f(%n: index, %x: tensor<?xf64>) {
  // expected-error @below {{loops.locate: found dimension 1; expected one of the 1 of tensor<?xf64>}}
  %0 = loops.locate %x, %n {axis = 1 : i64} : (tensor<?xf64>, index) -> index
  func.return
}

// -----

// Sizes are of type index.
func.func @f(%n: i64, %x: tensor<?xf64>) {
  // expected-error @below {{operand is used with type index, but has been previously used or defined with type i64}}
  %0 = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (add[] : f64) {
    loops.yield %a : f64
  }
  func.return
}

// -----

// A body ends in a yield.
func.func @f(%n: index, %x: tensor<?xf64>, %w: tensor<?x?xf64>) {
  %0 = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (add[] : f64) {
    // expected-error @below {{Operation elemwise.sqr terminates block in single-block region but is not a terminator}}
    %b = elemwise.sqr %a : f64
  }
  func.return
}

// -----

// One entry a dimension.
func.func @f(%n: index, %x: tensor<?x?xf64>) {
  // expected-error @below {{loops.subview: found 1 entries for tensor<?x?xf64>; expected one a dimension}}
  %0 = loops.subview %x[%n] : tensor<?x?xf64> -> tensor<?xf64>
  func.return
}

// -----

// A step leads somewhere.
func.func @f(%n: index, %x: tensor<?xf64>) {
  // expected-error @below {{loops.subview: found a step of 0; expected another number}}
  %0 = loops.subview %x[%n for %n by 0] : tensor<?xf64> -> tensor<?xf64>
  func.return
}

// -----

// An index drops its dimension.
func.func @f(%n: index, %x: tensor<?x?xf64>) {
  // expected-error @below {{loops.subview: found a part of type tensor<?x?xf64>; expected rank 1 and the elements and kept sizes of tensor<?x?xf64>}}
  %0 = loops.subview %x[%n, :] : tensor<?x?xf64> -> tensor<?x?xf64>
  func.return
}

// -----

// What is put in place has the type of the part.
func.func @f(%n: index, %x: tensor<?x?xf64>, %v: tensor<?xf32>) {
  // expected-error @below {{loops.insert: found a part of type tensor<?xf32>; expected rank 1}}
  %0 = loops.insert %v into %x[%n, :] : tensor<?xf32> into tensor<?x?xf64>
  func.return
}

// -----

// The numbers of a schedule are numbers.
func.func @f(%n: index, %x: tensor<?xf64>) {
  // expected-error @below {{loops.nest: found vector = "x" in the schedule; expected a number}}
  %0 = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (add[] : f64) schedule {vector = "x"} {
    loops.yield %a : f64
  }
  func.return
}

// -----

// LLVM takes vectors of a power of two.
func.func @f(%n: index, %x: tensor<?xf64>) {
  // expected-error @below {{loops.nest: found vector = 100 in the schedule; expected a power of two}}
  %0 = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (add[] : f64) schedule {vector = 100} {
    loops.yield %a : f64
  }
  func.return
}

// -----

// Rows at a time are registers.
func.func @f(%n: index, %x: tensor<?xf64>) {
  // expected-error @below {{loops.nest: found jam = 1000 in the schedule; expected at most 64}}
  %0 = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (add[] : f64) schedule {jam = 1000} {
    loops.yield %a : f64
  }
  func.return
}

// -----

// Vectors have the width of the schedule.
func.func @f(%n: index, %x: tensor<?xf64>) {
  // expected-error @below {{loops.nest: found body argument of type vector<8xf64>; expected f64}}
  %0 = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64> as vector<8xf64>) -> (add[] : f64) schedule {vector = 4} {
    loops.yield %a : vector<8xf64>
  }
  func.return
}

// -----

// What does not move with the last iterator is no vector.
func.func @f(%n: index, %x: tensor<?xf64>) {
  // expected-error @below {{loops.nest: found body argument of type vector<8xf64>}}
  %0 = loops.nest (%i < %n, %k < %n) ins(%a = %x[%i] : tensor<?xf64> as vector<8xf64>) -> (add[] : f64) schedule {vector = 8} {
    loops.yield %a : vector<8xf64>
  }
  func.return
}

// -----

// Yielded vectors, too.
func.func @f(%n: index, %x: tensor<?xf64>) {
  // expected-error @below {{loops.nest: found a yielded vector<4xf64>; expected vectors of the schedule}}
  %0 = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (add[] : f64) schedule {vector = 8} {
    %v = elemwise.splat %a : f64 to vector<4xf64>
    loops.yield %v : vector<4xf64>
  }
  func.return
}

// -----

// Bits of floats are not combined.
func.func @f(%n: index, %x: tensor<?xf64>) {
  // expected-error @below {{loops.nest: found and of float64; expected bool or integers}}
  %0 = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (and[] : f64) {
    loops.yield %a : f64
  }
  func.return
}

// -----

// A position is an i64.
func.func @f(%n: index, %x: tensor<?xf64>) {
  // expected-error @below {{loops.nest: found argmax of float64; expected the position, i64}}
  %0, %1 = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (max[] : f64, argmax[] : f64) {
    loops.yield %a, %a : f64, f64
  }
  func.return
}

// -----

// A scatter on values starts from a base.
func.func @f(%n: index, %x: tensor<?xf64>) {
  // expected-error @below {{loops.nest: found 0 bases for 1 scatters on values}}
  %0 = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (scatter_add[?] : tensor<?xf64>) {
    loops.yield %a, %i : f64, index
  }
  func.return
}

// -----

// A position to write to is an index.
func.func @f(%n: index, %x: tensor<?xf64>, %p: i32) {
  // expected-error @below {{loops.nest: found i32 as a yielded index; expected index or i64; cast it first}}
  %0 = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (scatter_add(%x)[?] : tensor<?xf64>) {
    loops.yield %a, %p : f64, i32
  }
  func.return
}

// -----

// There are no arrays of rank 0 at this level.
func.func @f(%n: index, %x: tensor<?xf64>) {
  // expected-error @below {{loops.nest: found add[] of type tensor<f64> from a yielded f64; expected equal ranks}}
  %0 = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (add[] : tensor<f64>) {
    loops.yield %a : f64
  }
  func.return
}

// -----

// A result takes the memory of one of the inputs.
func.func @f(%n: index, %x: tensor<?xf64>) {
  // expected-error @below {{loops.nest: found inplace = [array<i64: 0, 1>]; expected pairs}}
  %0 = loops.nest (%i < %n) ins(%a = %x[%i] : tensor<?xf64>) -> (collect[%i] : tensor<?xf64>) {
    loops.yield %a : f64
  } attributes {inplace = [array<i64: 0, 1>]}
  func.return
}

// -----

// A loop counter is not defined before its nest.
func.func @f(%n: index) {
  // expected-error @below {{elemwise.add: found operand 0, %b that is not defined above}}
  %a = elemwise.add %b, %b : index
  %b = elemwise.add %n, %n : index
  func.return
}

// -----

// A view has the elements of its source.
func.func @f(%n: index, %x: tensor<?xf64>) {
  // expected-error @below {{loops.view: found tensor<?xf32> as a view of tensor<?xf64>}}
  %0 = loops.view %x, %n : (tensor<?xf64>, index) -> tensor<?xf32>
  func.return
}

// -----

// A view has a size a dimension.
func.func @f(%n: index, %x: tensor<?xf64>) {
  // expected-error @below {{loops.view: found 1 sizes for tensor<?x?xf64>; expected one a dimension}}
  %0 = loops.view %x, %n : (tensor<?xf64>, index) -> tensor<?x?xf64>
  func.return
}

// -----

// An element is read as it is.
func.func @f(%n: index, %x: tensor<?xf64>) {
  // expected-error @below {{loops.gather: found a result of type f32; expected f64}}
  %0 = loops.gather %x, %n : (tensor<?xf64>, index) -> f32
  func.return
}

// -----

// A product is one of matrices.
func.func @f(%n: index, %x: tensor<?xf64>) {
  // expected-error @below {{loops.call: found gemm of (tensor<?xf64>, tensor<?xf64>, tensor<?x?xf64>)}}
  %0 = loops.call %x, %x {callee = "gemm"} : (tensor<?xf64>, tensor<?xf64>) -> tensor<?x?xf64>
  func.return
}

// -----

// Memory has the sizes that its type leaves open.
func.func @f(%n: index, %x: tensor<?xf64>) {
  // expected-error @below {{loops.alloc: found 0 sizes for memref<?xf64>; expected 1}}
  %0 = loops.alloc {slot = 0} : () -> memref<?xf64>
  func.return
}

// -----

// A slot is a number.
func.func @f(%n: index, %x: tensor<?xf64>) {
  // expected-error @below {{loops.alloc: found slot = -1 : i64; expected a number, 0 or more}}
  %0 = loops.alloc %n {slot = -1} : (index) -> memref<?xf64>
  func.return
}

// -----

// A row belongs to a nest.
func.func @f(%n: index, %x: tensor<?xf64>) {
  // expected-error @below {{loops.alloc: found result = 0; expected one of the 0 results of the nest around it}}
  %0 = loops.alloc %n {result = 0} : (index) -> memref<?xf64>
  func.return
}

// -----

// The message of a check holds two values.
func.func @f(%n: index, %x: tensor<?xf64>) {
  // expected-error @below {{loops.check: found message '{2}'; expected no braces but {0} and {1}}}
  loops.check %n, %n {message = "{2}"} : (index, index) -> ()
  func.return
}

// -----

// A check raises an exception that exists.
func.func @f(%n: index, %x: tensor<?xf64>) {
  // expected-error @below {{loops.check: found kind "Oops"; expected the name of a Python exception}}
  loops.check %n, %n {message = "", kind = "Oops"} : (index, index) -> ()
  func.return
}

// -----

// An empty array has the sizes that its type leaves open.
func.func @f(%n: index) {
  // expected-error @below {{loops.empty: found 1 sizes for tensor<?x?xf64>; expected 2}}
  %0 = loops.empty %n : (index) -> tensor<?x?xf64>
  func.return
}

// -----

// The axes that an error names are all of them.
func.func @f(%n: index, %w: tensor<?x?xf64>) {
  // expected-error @below {{loops.gather: found axes (1, 1); expected each dimension's number once}}
  %0 = loops.gather %w, %n, %n {axes = array<i64: 1, 1>} : (tensor<?x?xf64>, index, index) -> f64
  func.return
}
