// The seed's training function as the front end makes it: forward pass, and the gradient by Theano's rules.
func.func @train(%x: tensor<?x?xf64>, %y: tensor<?xf64>, %w: tensor<?xf64>, %b: tensor<f64>) -> (tensor<?xi1>, tensor<?xf64>, tensor<?xf64>, tensor<f64>, tensor<?xf64>) {
  // p_1 = 1 / (1 + T.exp(-T.dot(x, w) - b))
  %dot = tensor.dot %x, %w : (tensor<?x?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %neg_dot = elemwise.neg %dot : tensor<?xf64>
  %b_1 = tensor.dimshuffle %b {order = array<i64: -1>} : (tensor<f64>) -> tensor<1xf64>
  %s = elemwise.sub %neg_dot, %b_1 : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %e = elemwise.exp %s : tensor<?xf64>
  %one = elemwise.constant 1 : tensor<i8>
  %one_1 = tensor.dimshuffle %one {order = array<i64: -1>} : (tensor<i8>) -> tensor<1xi8>
  %d = elemwise.add %one_1, %e : (tensor<1xi8>, tensor<?xf64>) -> tensor<?xf64>
  %one_2 = tensor.dimshuffle %one {order = array<i64: -1>} : (tensor<i8>) -> tensor<1xi8>
  %p = elemwise.true_div %one_2, %d : (tensor<1xi8>, tensor<?xf64>) -> tensor<?xf64>
  // prediction = p_1 > 0.5
  %half = elemwise.constant 5.0e-01 : tensor<f32>
  %half_1 = tensor.dimshuffle %half {order = array<i64: -1>} : (tensor<f32>) -> tensor<1xf32>
  %prediction = elemwise.gt %p, %half_1 : (tensor<?xf64>, tensor<1xf32>) -> tensor<?xi1>
  // xent = -y * T.log(p_1) - (1-y) * T.log(1-p_1)
  %neg_y = elemwise.neg %y : tensor<?xf64>
  %log_p = elemwise.log %p : tensor<?xf64>
  %left = elemwise.mul %neg_y, %log_p : tensor<?xf64>
  %one_3 = tensor.dimshuffle %one {order = array<i64: -1>} : (tensor<i8>) -> tensor<1xi8>
  %not_y = elemwise.sub %one_3, %y : (tensor<1xi8>, tensor<?xf64>) -> tensor<?xf64>
  %one_4 = tensor.dimshuffle %one {order = array<i64: -1>} : (tensor<i8>) -> tensor<1xi8>
  %q = elemwise.sub %one_4, %p : (tensor<1xi8>, tensor<?xf64>) -> tensor<?xf64>
  %log_q = elemwise.log %q : tensor<?xf64>
  %right = elemwise.mul %not_y, %log_q : tensor<?xf64>
  %xent = elemwise.sub %left, %right : tensor<?xf64>
  // cost = xent.mean() + 0.01 * (w ** 2).sum()
  %sum = tensor.reduce %xent {kind = "add", axes = array<i64: 0>, acc_dtype = f64} : (tensor<?xf64>) -> tensor<f64>
  %shape = tensor.shape %xent : (tensor<?xf64>) -> tensor<?xi64>
  %n = tensor.subtensor %shape {slices = "0"} : (tensor<?xi64>) -> tensor<i64>
  %nf = elemwise.cast %n {dtype = f64} : (tensor<i64>) -> tensor<f64>
  %mean = elemwise.true_div %sum, %nf : tensor<f64>
  %two = elemwise.constant 2 : tensor<i8>
  %two_1 = tensor.dimshuffle %two {order = array<i64: -1>} : (tensor<i8>) -> tensor<1xi8>
  %w2 = elemwise.pow %w, %two_1 : (tensor<?xf64>, tensor<1xi8>) -> tensor<?xf64>
  %sumw = tensor.reduce %w2 {kind = "add", axes = array<i64: 0>, acc_dtype = f64} : (tensor<?xf64>) -> tensor<f64>
  %c = elemwise.constant 1.0e-02 : tensor<f64>
  %reg = elemwise.mul %c, %sumw : tensor<f64>
  %cost = elemwise.add %mean, %reg : tensor<f64>
  // the gradient
  %onef = elemwise.constant 1.0 : tensor<f64>
  %g0 = elemwise.second %cost, %onef : tensor<f64>
  %g_sum = elemwise.true_div %g0, %nf : tensor<f64>
  %g_sum1 = tensor.dimshuffle %g_sum {order = array<i64: -1>} : (tensor<f64>) -> tensor<1xf64>
  %g_xent = elemwise.second %xent, %g_sum1 : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %g_right = elemwise.neg %g_xent : tensor<?xf64>
  %g_logp = elemwise.mul %g_xent, %neg_y : tensor<?xf64>
  %g_logq = elemwise.mul %g_right, %not_y : tensor<?xf64>
  %g_p1 = elemwise.true_div %g_logp, %p : tensor<?xf64>
  %g_q = elemwise.true_div %g_logq, %q : tensor<?xf64>
  %g_p2 = elemwise.neg %g_q : tensor<?xf64>
  %g_p = elemwise.add %g_p1, %g_p2 : tensor<?xf64>
  %g_dn = elemwise.neg %g_p : tensor<?xf64>
  %one_5 = tensor.dimshuffle %one {order = array<i64: -1>} : (tensor<i8>) -> tensor<1xi8>
  %g_dm = elemwise.mul %g_dn, %one_5 : (tensor<?xf64>, tensor<1xi8>) -> tensor<?xf64>
  %dd = elemwise.mul %d, %d : tensor<?xf64>
  %g_d = elemwise.true_div %g_dm, %dd : tensor<?xf64>
  %g_s = elemwise.mul %g_d, %e : tensor<?xf64>
  %g_negdot = elemwise.neg %g_s : tensor<?xf64>
  %g_b1 = elemwise.neg %g_s : tensor<?xf64>
  %g_b = tensor.reduce %g_b1 {kind = "add", axes = array<i64: 0>, acc_dtype = f64} : (tensor<?xf64>) -> tensor<f64>
  %xT = tensor.dimshuffle %x {order = array<i64: 1, 0>} : (tensor<?x?xf64>) -> tensor<?x?xf64>
  %g_w1 = tensor.dot %xT, %g_negdot : (tensor<?x?xf64>, tensor<?xf64>) -> tensor<?xf64>
  %g_reg = elemwise.mul %g0, %c : tensor<f64>
  %g_reg1 = tensor.dimshuffle %g_reg {order = array<i64: -1>} : (tensor<f64>) -> tensor<1xf64>
  %g_w2 = elemwise.second %w2, %g_reg1 : (tensor<?xf64>, tensor<1xf64>) -> tensor<?xf64>
  %g_w2a = elemwise.mul %g_w2, %two_1 : (tensor<?xf64>, tensor<1xi8>) -> tensor<?xf64>
  %one_6 = tensor.dimshuffle %one {order = array<i64: -1>} : (tensor<i8>) -> tensor<1xi8>
  %exponent = elemwise.sub %two_1, %one_6 : tensor<1xi8>
  %w1 = elemwise.pow %w, %exponent : (tensor<?xf64>, tensor<1xi8>) -> tensor<?xf64>
  %g_w3 = elemwise.mul %g_w2a, %w1 : tensor<?xf64>
  %g_w = elemwise.add %g_w1, %g_w3 : tensor<?xf64>
  // updates
  %rate = elemwise.constant 1.0e-01 : tensor<f64>
  %rate_1 = tensor.dimshuffle %rate {order = array<i64: -1>} : (tensor<f64>) -> tensor<1xf64>
  %step_w = elemwise.mul %rate_1, %g_w : (tensor<1xf64>, tensor<?xf64>) -> tensor<?xf64>
  %new_w = elemwise.sub %w, %step_w : tensor<?xf64>
  %step_b = elemwise.mul %rate, %g_b : tensor<f64>
  %new_b = elemwise.sub %b, %step_b : tensor<f64>
  func.return %prediction, %xent, %new_w, %new_b, %g_negdot : tensor<?xi1>, tensor<?xf64>, tensor<?xf64>, tensor<f64>, tensor<?xf64>
}
