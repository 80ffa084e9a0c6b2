// RUN: tt-opt %s --split-input-file | tt-opt --split-input-file | filecheck %s

// One operand, tensors of one type.
func.func @unary(%x: tensor<?x1xf64>) {
  %neg = elemwise.neg %x : tensor<?x1xf64>
  %abs = elemwise.abs %x : tensor<?x1xf64>
  %sgn = elemwise.sgn %x : tensor<?x1xf64>
  %sqr = elemwise.sqr %x : tensor<?x1xf64>
  %sqrt = elemwise.sqrt %x : tensor<?x1xf64>
  %exp = elemwise.exp %x : tensor<?x1xf64>
  %log = elemwise.log %x : tensor<?x1xf64>
  %log1p = elemwise.log1p %x : tensor<?x1xf64>
  %expm1 = elemwise.expm1 %x : tensor<?x1xf64>
  %tanh = elemwise.tanh %x : tensor<?x1xf64>
  %sigmoid = elemwise.sigmoid %x : tensor<?x1xf64>
  %softplus = elemwise.softplus %x : tensor<?x1xf64>
  %log2 = elemwise.log2 %x : tensor<?x1xf64>
  %log10 = elemwise.log10 %x : tensor<?x1xf64>
  %sin = elemwise.sin %x : tensor<?x1xf64>
  %cos = elemwise.cos %x : tensor<?x1xf64>
  %tan = elemwise.tan %x : tensor<?x1xf64>
  %arctan = elemwise.arctan %x : tensor<?x1xf64>
  %sinh = elemwise.sinh %x : tensor<?x1xf64>
  %cosh = elemwise.cosh %x : tensor<?x1xf64>
  %erf = elemwise.erf %x : tensor<?x1xf64>
  %erfc = elemwise.erfc %x : tensor<?x1xf64>
  %gammaln = elemwise.gammaln %x : tensor<?x1xf64>
  %psi = elemwise.psi %x : tensor<?x1xf64>
  %tri_gamma = elemwise.tri_gamma %x : tensor<?x1xf64>
  %floor = elemwise.floor %x : tensor<?x1xf64>
  %round = elemwise.round %x : tensor<?x1xf64>
  func.return
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @unary(
// CHECK-SAME: %[[X:.+]]: tensor<?x1xf64>) {
// CHECK-NEXT: %[[NEG:.+]] = elemwise.neg %[[X]] : tensor<?x1xf64>
// CHECK-NEXT: %[[ABS:.+]] = elemwise.abs %[[X]] : tensor<?x1xf64>
// CHECK-NEXT: %[[SGN:.+]] = elemwise.sgn %[[X]] : tensor<?x1xf64>
// CHECK-NEXT: %[[SQR:.+]] = elemwise.sqr %[[X]] : tensor<?x1xf64>
// CHECK-NEXT: %[[SQRT:.+]] = elemwise.sqrt %[[X]] : tensor<?x1xf64>
// CHECK-NEXT: %[[EXP:.+]] = elemwise.exp %[[X]] : tensor<?x1xf64>
// CHECK-NEXT: %[[LOG:.+]] = elemwise.log %[[X]] : tensor<?x1xf64>
// CHECK-NEXT: %[[LOG1P:.+]] = elemwise.log1p %[[X]] : tensor<?x1xf64>
// CHECK-NEXT: %[[EXPM1:.+]] = elemwise.expm1 %[[X]] : tensor<?x1xf64>
// CHECK-NEXT: %[[TANH:.+]] = elemwise.tanh %[[X]] : tensor<?x1xf64>
// CHECK-NEXT: %[[SIGMOID:.+]] = elemwise.sigmoid %[[X]] : tensor<?x1xf64>
// CHECK-NEXT: %[[SOFTPLUS:.+]] = elemwise.softplus %[[X]] : tensor<?x1xf64>
// CHECK-NEXT: %[[LOG2:.+]] = elemwise.log2 %[[X]] : tensor<?x1xf64>
// CHECK-NEXT: %[[LOG10:.+]] = elemwise.log10 %[[X]] : tensor<?x1xf64>
// CHECK-NEXT: %[[SIN:.+]] = elemwise.sin %[[X]] : tensor<?x1xf64>
// CHECK-NEXT: %[[COS:.+]] = elemwise.cos %[[X]] : tensor<?x1xf64>
// CHECK-NEXT: %[[TAN:.+]] = elemwise.tan %[[X]] : tensor<?x1xf64>
// CHECK-NEXT: %[[ARCTAN:.+]] = elemwise.arctan %[[X]] : tensor<?x1xf64>
// CHECK-NEXT: %[[SINH:.+]] = elemwise.sinh %[[X]] : tensor<?x1xf64>
// CHECK-NEXT: %[[COSH:.+]] = elemwise.cosh %[[X]] : tensor<?x1xf64>
// CHECK-NEXT: %[[ERF:.+]] = elemwise.erf %[[X]] : tensor<?x1xf64>
// CHECK-NEXT: %[[ERFC:.+]] = elemwise.erfc %[[X]] : tensor<?x1xf64>
// CHECK-NEXT: %[[GAMMALN:.+]] = elemwise.gammaln %[[X]] : tensor<?x1xf64>
// CHECK-NEXT: %[[PSI:.+]] = elemwise.psi %[[X]] : tensor<?x1xf64>
// CHECK-NEXT: %[[TRI_GAMMA:.+]] = elemwise.tri_gamma %[[X]] : tensor<?x1xf64>
// CHECK-NEXT: %[[FLOOR:.+]] = elemwise.floor %[[X]] : tensor<?x1xf64>
// CHECK-NEXT: %[[ROUND:.+]] = elemwise.round %[[X]] : tensor<?x1xf64>
// CHECK-NEXT: func.return
// CHECK-NEXT: }
// -----
// Two operands of one type.
func.func @binary(%x: tensor<?x1xf64>, %y: tensor<?x1xf64>) {
  %add = elemwise.add %x, %y : tensor<?x1xf64>
  %sub = elemwise.sub %x, %y : tensor<?x1xf64>
  %mul = elemwise.mul %x, %y : tensor<?x1xf64>
  %true_div = elemwise.true_div %x, %y : tensor<?x1xf64>
  %int_div = elemwise.int_div %x, %y : tensor<?x1xf64>
  %mod = elemwise.mod %x, %y : tensor<?x1xf64>
  %pow = elemwise.pow %x, %y : tensor<?x1xf64>
  %maximum = elemwise.maximum %x, %y : tensor<?x1xf64>
  %minimum = elemwise.minimum %x, %y : tensor<?x1xf64>
  %copysign = elemwise.copysign %x, %y : tensor<?x1xf64>
  func.return
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @binary(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?x1xf64>, %[[Y:[^ ,:]+]]: tensor<?x1xf64>) {
// CHECK-NEXT: %[[ADD:.+]] = elemwise.add %[[X]], %[[Y]] : tensor<?x1xf64>
// CHECK-NEXT: %[[SUB:.+]] = elemwise.sub %[[X]], %[[Y]] : tensor<?x1xf64>
// CHECK-NEXT: %[[MUL:.+]] = elemwise.mul %[[X]], %[[Y]] : tensor<?x1xf64>
// CHECK-NEXT: %[[TRUE_DIV:.+]] = elemwise.true_div %[[X]], %[[Y]] : tensor<?x1xf64>
// CHECK-NEXT: %[[INT_DIV:.+]] = elemwise.int_div %[[X]], %[[Y]] : tensor<?x1xf64>
// CHECK-NEXT: %[[MOD:.+]] = elemwise.mod %[[X]], %[[Y]] : tensor<?x1xf64>
// CHECK-NEXT: %[[POW:.+]] = elemwise.pow %[[X]], %[[Y]] : tensor<?x1xf64>
// CHECK-NEXT: %[[MAXIMUM:.+]] = elemwise.maximum %[[X]], %[[Y]] : tensor<?x1xf64>
// CHECK-NEXT: %[[MINIMUM:.+]] = elemwise.minimum %[[X]], %[[Y]] : tensor<?x1xf64>
// CHECK-NEXT: %[[COPYSIGN:.+]] = elemwise.copysign %[[X]], %[[Y]] : tensor<?x1xf64>
// CHECK-NEXT: func.return
// CHECK-NEXT: }
// -----
// The result is a bool: a functional type.
func.func @predicates(%x: f64, %y: f64) {
  %eq = elemwise.eq %x, %y : (f64, f64) -> i1
  %neq = elemwise.neq %x, %y : (f64, f64) -> i1
  %lt = elemwise.lt %x, %y : (f64, f64) -> i1
  %le = elemwise.le %x, %y : (f64, f64) -> i1
  %gt = elemwise.gt %x, %y : (f64, f64) -> i1
  %ge = elemwise.ge %x, %y : (f64, f64) -> i1
  %isnan = elemwise.isnan %x : (f64) -> i1
  %isinf = elemwise.isinf %x : (f64) -> i1
  func.return
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @predicates(
// CHECK-SAME: %[[X:[^ ,:]+]]: f64, %[[Y:[^ ,:]+]]: f64) {
// CHECK-NEXT: %[[EQ:.+]] = elemwise.eq %[[X]], %[[Y]] : (f64, f64) -> i1
// CHECK-NEXT: %[[NEQ:.+]] = elemwise.neq %[[X]], %[[Y]] : (f64, f64) -> i1
// CHECK-NEXT: %[[LT:.+]] = elemwise.lt %[[X]], %[[Y]] : (f64, f64) -> i1
// CHECK-NEXT: %[[LE:.+]] = elemwise.le %[[X]], %[[Y]] : (f64, f64) -> i1
// CHECK-NEXT: %[[GT:.+]] = elemwise.gt %[[X]], %[[Y]] : (f64, f64) -> i1
// CHECK-NEXT: %[[GE:.+]] = elemwise.ge %[[X]], %[[Y]] : (f64, f64) -> i1
// CHECK-NEXT: %[[ISNAN:.+]] = elemwise.isnan %[[X]] : (f64) -> i1
// CHECK-NEXT: %[[ISINF:.+]] = elemwise.isinf %[[X]] : (f64) -> i1
// CHECK-NEXT: func.return
// CHECK-NEXT: }
// -----
// Operands of several dtypes: Theano's rule decides the result's.
func.func @upcast(%x: tensor<?xf32>, %i: tensor<?xi64>, %u: tensor<?xui8>) {
  %a = elemwise.add %x, %i : (tensor<?xf32>, tensor<?xi64>) -> tensor<?xf64>
  %b = elemwise.mul %x, %u : (tensor<?xf32>, tensor<?xui8>) -> tensor<?xf32>
  %c = elemwise.true_div %i, %u : (tensor<?xi64>, tensor<?xui8>) -> tensor<?xf64>
  %d = elemwise.true_div %i, %u {dtype = f32} : (tensor<?xi64>, tensor<?xui8>) -> tensor<?xf32>
  func.return
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @upcast(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf32>, %[[I:[^ ,:]+]]: tensor<?xi64>, %[[U:[^ ,:]+]]: tensor<?xui8>) {
// CHECK-NEXT: %[[A:.+]] = elemwise.add %[[X]], %[[I]] : (tensor<?xf32>, tensor<?xi64>) -> tensor<?xf64>
// CHECK-NEXT: %[[B:.+]] = elemwise.mul %[[X]], %[[U]] : (tensor<?xf32>, tensor<?xui8>) -> tensor<?xf32>
// CHECK-NEXT: %[[C:.+]] = elemwise.true_div %[[I]], %[[U]] : (tensor<?xi64>, tensor<?xui8>) -> tensor<?xf64>
// CHECK-NEXT: %[[D:.+]] = elemwise.true_div %[[I]], %[[U]] {dtype = f32} : (tensor<?xi64>, tensor<?xui8>) -> tensor<?xf32>
// CHECK-NEXT: func.return
// CHECK-NEXT: }
// -----
// A static 1 broadcasts.
func.func @broadcast(%x: tensor<?x?xf64>, %r: tensor<1x?xf64>, %c: tensor<?x1xf64>) {
  %a = elemwise.add %x, %r : (tensor<?x?xf64>, tensor<1x?xf64>) -> tensor<?x?xf64>
  %b = elemwise.add %r, %c : (tensor<1x?xf64>, tensor<?x1xf64>) -> tensor<?x?xf64>
  func.return
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @broadcast(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?x?xf64>, %[[R:[^ ,:]+]]: tensor<1x?xf64>, %[[C:[^ ,:]+]]: tensor<?x1xf64>) {
// CHECK-NEXT: %[[A:.+]] = elemwise.add %[[X]], %[[R]] : (tensor<?x?xf64>, tensor<1x?xf64>) -> tensor<?x?xf64>
// CHECK-NEXT: %[[B:.+]] = elemwise.add %[[R]], %[[C]] : (tensor<1x?xf64>, tensor<?x1xf64>) -> tensor<?x?xf64>
// CHECK-NEXT: func.return
// CHECK-NEXT: }
// -----
// Integers and bools.
func.func @bits(%i: tensor<?xi32>, %p: tensor<?xi1>) {
  %and = elemwise.and %i, %i : tensor<?xi32>
  %or = elemwise.or %i, %i : tensor<?xi32>
  %xor = elemwise.xor %i, %i : tensor<?xi32>
  %invert = elemwise.invert %p : tensor<?xi1>
  func.return
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @bits(
// CHECK-SAME: %[[I:[^ ,:]+]]: tensor<?xi32>, %[[P:[^ ,:]+]]: tensor<?xi1>) {
// CHECK-NEXT: %[[AND:.+]] = elemwise.and %[[I]], %[[I]] : tensor<?xi32>
// CHECK-NEXT: %[[OR:.+]] = elemwise.or %[[I]], %[[I]] : tensor<?xi32>
// CHECK-NEXT: %[[XOR:.+]] = elemwise.xor %[[I]], %[[I]] : tensor<?xi32>
// CHECK-NEXT: %[[INVERT:.+]] = elemwise.invert %[[P]] : tensor<?xi1>
// CHECK-NEXT: func.return
// CHECK-NEXT: }
// -----
// What expand-math uses: scalars and vectors.
func.func @machine(%x: f64, %v: vector<8xf64>, %i: i64, %w: vector<8xi64>) {
  %a = elemwise.fma %x, %x, %x : f64
  %b = elemwise.fma %v, %v, %v : vector<8xf64>
  %c = elemwise.bitcast %v {dtype = i64} : (vector<8xf64>) -> vector<8xi64>
  %d = elemwise.shl %w, %w : vector<8xi64>
  %e = elemwise.shr %i, %i : i64
  %f = elemwise.sar %i, %i : i64
  %g = elemwise.mul_low %x, %x : f64
  %m = elemwise.scale %v, %v : vector<8xf64>
  %n = elemwise.mantissa %x : f64
  %o = elemwise.minus_exponent %x {normal = true} : f64
  %q = elemwise.log_edges %x, %x : f64
  %k = elemwise.lt %v, %v : (vector<8xf64>, vector<8xf64>) -> vector<8xi1>
  %l = elemwise.libm_where %k, %v, %v {function = "sin"} : (vector<8xi1>, vector<8xf64>, vector<8xf64>) -> vector<8xf64>
  %h = elemwise.splat %x : f64 to vector<8xf64>
  func.return
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @machine(
// CHECK-SAME: %[[X:[^ ,:]+]]: f64, %[[V:[^ ,:]+]]: vector<8xf64>, %[[I:[^ ,:]+]]: i64, %[[W:[^ ,:]+]]: vector<8xi64>) {
// CHECK-NEXT: %[[A:.+]] = elemwise.fma %[[X]], %[[X]], %[[X]] : f64
// CHECK-NEXT: %[[B:.+]] = elemwise.fma %[[V]], %[[V]], %[[V]] : vector<8xf64>
// CHECK-NEXT: %[[C:.+]] = elemwise.bitcast %[[V]] {dtype = i64} : (vector<8xf64>) -> vector<8xi64>
// CHECK-NEXT: %[[D:.+]] = elemwise.shl %[[W]], %[[W]] : vector<8xi64>
// CHECK-NEXT: %[[E:.+]] = elemwise.shr %[[I]], %[[I]] : i64
// CHECK-NEXT: %[[F:.+]] = elemwise.sar %[[I]], %[[I]] : i64
// CHECK-NEXT: %[[G:.+]] = elemwise.mul_low %[[X]], %[[X]] : f64
// CHECK-NEXT: %[[M:.+]] = elemwise.scale %[[V]], %[[V]] : vector<8xf64>
// CHECK-NEXT: %[[N:.+]] = elemwise.mantissa %[[X]] : f64
// CHECK-NEXT: %[[O:.+]] = elemwise.minus_exponent %[[X]] {normal = true} : f64
// CHECK-NEXT: %[[Q:.+]] = elemwise.log_edges %[[X]], %[[X]] : f64
// CHECK-NEXT: %[[K:.+]] = elemwise.lt %[[V]], %[[V]] : (vector<8xf64>, vector<8xf64>) -> vector<8xi1>
// CHECK-NEXT: %[[L:.+]] = elemwise.libm_where %[[K]], %[[V]], %[[V]] {function = "sin"} : (vector<8xi1>, vector<8xf64>, vector<8xf64>) -> vector<8xf64>
// CHECK-NEXT: %[[H:.+]] = elemwise.splat %[[X]] : f64 to vector<8xf64>
// CHECK-NEXT: func.return
// CHECK-NEXT: }
// -----
// Conversions, selection.
func.func @others(%x: tensor<?xf64>, %p: tensor<?xi1>, %i: i32) {
  %a = elemwise.cast %x {dtype = f32} : (tensor<?xf64>) -> tensor<?xf32>
  %b = elemwise.cast %i {dtype = i64} : (i32) -> i64
  %c = elemwise.second %p, %x : (tensor<?xi1>, tensor<?xf64>) -> tensor<?xf64>
  %d = elemwise.switch %p, %x, %x : (tensor<?xi1>, tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
  func.return
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @others(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[P:[^ ,:]+]]: tensor<?xi1>, %[[I:[^ ,:]+]]: i32) {
// CHECK-NEXT: %[[A:.+]] = elemwise.cast %[[X]] {dtype = f32} : (tensor<?xf64>) -> tensor<?xf32>
// CHECK-NEXT: %[[B:.+]] = elemwise.cast %[[I]] {dtype = i64} : (i32) -> i64
// CHECK-NEXT: %[[C:.+]] = elemwise.second %[[P]], %[[X]] : (tensor<?xi1>, tensor<?xf64>) -> tensor<?xf64>
// CHECK-NEXT: %[[D:.+]] = elemwise.switch %[[P]], %[[X]], %[[X]] : (tensor<?xi1>, tensor<?xf64>, tensor<?xf64>) -> tensor<?xf64>
// CHECK-NEXT: func.return
// CHECK-NEXT: }
// -----
// Constants come back as the same number; NaN and infinities are written as bits.
func.func @constants() {
  %a = elemwise.constant 0.1 : f64
  %a1 = elemwise.constant 0.30000000000000004 : f64
  %b = elemwise.constant -3 : i8
  %c = elemwise.constant true : i1
  %d = elemwise.constant 1.0 : tensor<1x1xf32>
  %e = elemwise.constant 0x7FF0000000000000 : f64
  %f = elemwise.constant 0x7FC00000 : f32
  %g = elemwise.constant -0.0 : f64
  %h = elemwise.constant 18446744073709551615 : ui64
  func.return
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @constants(
// CHECK-SAME: ) {
// CHECK-NEXT: %[[A:.+]] = elemwise.constant 1.000000e-01 : f64
// CHECK-NEXT: %[[A1:.+]] = elemwise.constant 0.30000000000000004 : f64
// CHECK-NEXT: %[[B:.+]] = elemwise.constant -3 : i8
// CHECK-NEXT: %[[C:.+]] = elemwise.constant true : i1
// CHECK-NEXT: %[[D:.+]] = elemwise.constant 1.000000e+00 : tensor<1x1xf32>
// CHECK-NEXT: %[[E:.+]] = elemwise.constant 0x7ff0000000000000 : f64
// CHECK-NEXT: %[[F:.+]] = elemwise.constant 0x7fc00000 : f32
// CHECK-NEXT: %[[G:.+]] = elemwise.constant -0.000000e+00 : f64
// CHECK-NEXT: %[[H:.+]] = elemwise.constant 18446744073709551615 : ui64
// CHECK-NEXT: func.return
// CHECK-NEXT: }
// -----
// Attributes that no operation declares are kept.
func.func @attributes(%x: f64) {
  %a = elemwise.exp %x {note = "kept"} : f64
  func.return
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @attributes(
// CHECK-SAME: %[[X:.+]]: f64) {
// CHECK-NEXT: %[[A:.+]] = elemwise.exp %[[X]] {note = "kept"} : f64
// CHECK-NEXT: func.return
// CHECK-NEXT: }
// -----
// Several operations as one.
func.func @composite(%x: tensor<?xf64>, %y: tensor<1xf64>) -> (tensor<?xf64>, tensor<?xi1>) {
  %r, %p = elemwise.composite (%a = %x : tensor<?xf64>, %b = %y : tensor<1xf64>) -> tensor<?xf64>, tensor<?xi1> {
    %0 = elemwise.mul %a, %b : f64
    %1 = elemwise.lt %0, %b : (f64, f64) -> i1
    elemwise.yield %0, %1 : f64, i1
  }
  func.return %r, %p : tensor<?xf64>, tensor<?xi1>
}
// GOLDEN (pytest --update-golden)
// CHECK-LABEL: func.func @composite(
// CHECK-SAME: %[[X:[^ ,:]+]]: tensor<?xf64>, %[[Y:[^ ,:]+]]: tensor<1xf64>) -> (tensor<?xf64>, tensor<?xi1>) {
// CHECK-NEXT: %[[R:[^ ,:]+]], %[[P:[^ ,:]+]] = elemwise.composite (%[[A:[^ ,:]+]] = %[[X]] : tensor<?xf64>, %[[B:[^ ,:]+]] = %[[Y]] : tensor<1xf64>) -> tensor<?xf64>, tensor<?xi1> {
// CHECK-NEXT: %[[V0:.+]] = elemwise.mul %[[A]], %[[B]] : f64
// CHECK-NEXT: %[[V1:.+]] = elemwise.lt %[[V0]], %[[B]] : (f64, f64) -> i1
// CHECK-NEXT: elemwise.yield %[[V0]], %[[V1]] : f64, i1
// CHECK-NEXT: }
// CHECK-NEXT: func.return %[[R]], %[[P]] : tensor<?xf64>, tensor<?xi1>
// CHECK-NEXT: }
