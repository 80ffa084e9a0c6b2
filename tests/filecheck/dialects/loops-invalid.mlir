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
