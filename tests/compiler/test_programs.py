"""Whole programs in Theano's manner, their results held against NumPy written out by hand.

Each is what a user of Theano brings along: the classes of the deep-learning tutorials, shared
datasets behind `givens`, accumulators, Newton's method. Only the import differs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tetractys as theano
import tetractys.tensor as T


@pytest.fixture(params=["float64", "float32"])
def floatX(request: pytest.FixtureRequest) -> Iterator[str]:
    """Both values of `config.floatX`, by assignment."""
    before = theano.config.floatX
    theano.config.floatX = request.param
    yield request.param
    theano.config.floatX = before


def classes(count: int, features: int, kinds: int) -> tuple[np.ndarray, np.ndarray]:
    """Points around a centre for each kind, and the kinds."""
    rng = np.random.default_rng(7)
    kind = rng.integers(0, kinds, count)
    centres = 2 * rng.standard_normal((kinds, features))
    return centres[kind] + rng.standard_normal((count, features)), kind


def shared_dataset(x: np.ndarray, y: np.ndarray) -> tuple[Any, Any]:
    """The tutorial's: everything in floatX, the labels cast back to integers in the graph."""
    shared_x = theano.shared(np.asarray(x, dtype=theano.config.floatX), borrow=True)
    shared_y = theano.shared(np.asarray(y, dtype=theano.config.floatX), borrow=True)
    return shared_x, T.cast(shared_y, "int32")


class LogisticRegression:
    """logistic_sgd.py of the deep-learning tutorials."""

    def __init__(self, input: Any, n_in: int, n_out: int) -> None:
        self.W = theano.shared(
            value=np.zeros((n_in, n_out), dtype=theano.config.floatX), name="W", borrow=True
        )
        self.b = theano.shared(
            value=np.zeros((n_out,), dtype=theano.config.floatX), name="b", borrow=True
        )
        self.p_y_given_x = T.nnet.softmax(T.dot(input, self.W) + self.b)
        self.y_pred = T.argmax(self.p_y_given_x, axis=1)
        self.params = [self.W, self.b]
        self.input = input

    def negative_log_likelihood(self, y: Any) -> Any:
        """The mean of -log p of the right class."""
        return -T.mean(T.log(self.p_y_given_x)[T.arange(y.shape[0]), y])

    def errors(self, y: Any) -> Any:
        """The share of wrong predictions."""
        if y.ndim != self.y_pred.ndim:
            raise TypeError(
                "y should have the same shape as self.y_pred",
                ("y", y.type, "y_pred", self.y_pred.type),
            )
        if y.dtype.startswith("int"):
            return T.mean(T.neq(self.y_pred, y))
        raise NotImplementedError


class HiddenLayer:
    """mlp.py of the deep-learning tutorials."""

    def __init__(self, rng: Any, input: Any, n_in: int, n_out: int, activation: Any) -> None:
        bound = np.sqrt(6.0 / (n_in + n_out))
        values = np.asarray(
            rng.uniform(low=-bound, high=bound, size=(n_in, n_out)), dtype=theano.config.floatX
        )
        self.W = theano.shared(value=values, name="W", borrow=True)
        self.b = theano.shared(np.zeros((n_out,), dtype=theano.config.floatX), name="b")
        linear = T.dot(input, self.W) + self.b
        self.output = linear if activation is None else activation(linear)
        self.params = [self.W, self.b]


def softmax(values: np.ndarray) -> np.ndarray:
    """Rows of probabilities."""
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def close(value: Any, wanted: Any, floatX: str) -> None:
    """Equal up to the rounding of floatX over a short training."""
    tolerance = 1e-9 if floatX == "float64" else 2e-3
    np.testing.assert_allclose(value, wanted, rtol=tolerance, atol=tolerance)


def test_logistic_sgd(floatX: str) -> None:
    """Minibatches out of shared arrays by `givens`, an index as the only input."""
    data, labels = classes(60, 5, 3)
    train_x, train_y = shared_dataset(data, labels)
    index = T.lscalar("index")
    x, y = T.matrix("x"), T.ivector("y")
    classifier = LogisticRegression(input=x, n_in=5, n_out=3)
    cost = classifier.negative_log_likelihood(y)
    g_W = T.grad(cost=cost, wrt=classifier.W)
    g_b = T.grad(cost=cost, wrt=classifier.b)
    batch = slice(index * 20, (index + 1) * 20)
    givens = {x: train_x[batch], y: train_y[batch]}
    step = theano.function(
        inputs=[index],
        outputs=cost,
        updates=[
            (classifier.W, classifier.W - 0.13 * g_W),
            (classifier.b, classifier.b - 0.13 * g_b),
        ],
        givens=givens,
    )
    errors = theano.function(inputs=[index], outputs=classifier.errors(y), givens=givens)
    W, b = np.zeros((5, 3)), np.zeros(3)
    for _epoch in range(5):
        for number in range(3):
            rows = data[number * 20 : (number + 1) * 20]
            kinds = labels[number * 20 : (number + 1) * 20]
            p = softmax(rows @ W + b)
            found = step(number)
            assert found.dtype == floatX and found.shape == ()
            close(found, -np.log(p[np.arange(20), kinds]).mean(), floatX)
            wrong = p - np.eye(3)[kinds]
            W, b = W - 0.13 * rows.T @ wrong / 20, b - 0.13 * wrong.mean(axis=0)
    close(classifier.W.get_value(), W, floatX)
    close(classifier.b.get_value(), b, floatX)
    wanted = [(softmax(data[i : i + 20] @ W + b).argmax(1) != labels[i : i + 20]).mean()
              for i in (0, 20, 40)]  # fmt: skip
    found = [errors(i) for i in range(3)]
    assert found[0].dtype == "float64"
    np.testing.assert_allclose(found, wanted)
    with pytest.raises(ValueError):
        theano.function([x, y], classifier.p_y_given_x, on_unused_input="ignore")(
            np.zeros((2, 4), floatX), np.zeros(2, "int32")
        )


def test_multilayer_perceptron(floatX: str) -> None:
    """Two layers, L1 and L2 weight decay, momentum, one list of updates."""
    data, labels = classes(50, 4, 3)
    train_x, train_y = shared_dataset(data, labels)
    rng = np.random.RandomState(1234)
    x, y = T.matrix("x"), T.ivector("y")
    hidden = HiddenLayer(rng, x, 4, 6, T.tanh)
    last = LogisticRegression(hidden.output, 6, 3)
    L1 = abs(hidden.W).sum() + abs(last.W).sum()
    L2_sqr = (hidden.W**2).sum() + (last.W**2).sum()
    cost = last.negative_log_likelihood(y) + 0.001 * L1 + 0.0001 * L2_sqr
    params = hidden.params + last.params
    before = [param.get_value() for param in params]
    updates = []
    for param, gparam in zip(params, T.grad(cost, params)):
        velocity = theano.shared(param.get_value() * 0, broadcastable=param.broadcastable)
        updates.append((velocity, 0.9 * velocity - 0.1 * gparam))
        updates.append((param, param + 0.9 * velocity - 0.1 * gparam))
    train = theano.function([], [cost, last.errors(y)], updates=updates,
                            givens={x: train_x, y: train_y})  # fmt: skip
    W1, b1, W2, b2 = [np.asarray(value, "float64") for value in before]
    velocities = [np.zeros_like(value) for value in (W1, b1, W2, b2)]
    for _step in range(30):
        h = np.tanh(data @ W1 + b1)
        p = softmax(h @ W2 + b2)
        decay = 0.001 * (abs(W1).sum() + abs(W2).sum()) + 1e-4 * ((W1**2).sum() + (W2**2).sum())
        found, error = train()
        close(found, -np.log(p[np.arange(50), labels]).mean() + decay, floatX)
        np.testing.assert_allclose(error, (p.argmax(1) != labels).mean(), atol=1e-6)
        d2 = (p - np.eye(3)[labels]) / 50
        d1 = (d2 @ W2.T) * (1 - h**2)
        decays = [0.001 * np.sign(W) + 2e-4 * W for W in (W1, W2)]
        gradients = [data.T @ d1 + decays[0], d1.sum(0), h.T @ d2 + decays[1], d2.sum(0)]
        velocities = [0.9 * v - 0.1 * g for v, g in zip(velocities, gradients)]
        W1, b1, W2, b2 = [value + v for value, v in zip((W1, b1, W2, b2), velocities)]
    for param, wanted in zip(params, (W1, b1, W2, b2)):
        close(param.get_value(), wanted, floatX)
    assert train()[1] < 0.2


def test_crossentropy_with_class_numbers(floatX: str) -> None:
    """`categorical_crossentropy` with integer targets, its value and its gradient."""
    x, t = T.matrix("x"), T.lvector("t")
    p = T.nnet.softmax(x)
    loss = T.nnet.categorical_crossentropy(p, t)
    f = theano.function([x, t], [loss, T.grad(loss.mean(), x), T.argmax(p, axis=1) * 0.5])
    values, kinds = np.random.default_rng(0).standard_normal((7, 4)), [3, 0, 1, 1, 2, 0, 3]
    losses, slopes, halves = f(values.astype(floatX), kinds)
    probabilities = softmax(values)
    close(losses, -np.log(probabilities[np.arange(7), kinds]), floatX)
    close(slopes, (probabilities - np.eye(4)[kinds]) / 7, floatX)
    np.testing.assert_array_equal(halves, probabilities.argmax(1) * 0.5)
    losses, slopes, _ = f(np.array([[2000.0, 0.0, 0.0, 0.0]], floatX), [1])  # p is exactly 1 and 0
    close(losses, [2000.0], floatX)
    close(slopes, [[1.0, -1.0, 0.0, 0.0]], floatX)


def test_accumulators() -> None:
    """Several functions on one state, an update of a variable that is not read, and default
    values.
    """
    state, calls = theano.shared(0), theano.shared(np.int64(0), name="calls")
    inc = T.iscalar("inc")
    up = theano.function(
        [theano.In(inc, value=1)], state, updates=[(state, state + inc), (calls, calls + 1)]
    )
    reset = theano.function([], [], updates={state: np.int64(0)})
    down = theano.function([inc], [state, state - inc, state], updates={state: state - inc})
    assert [int(up()), int(up(300)), int(up(inc=2))] == [0, 1, 301]
    assert [int(value) for value in down(3)] == [303, 300, 303]
    assert reset() == [] and state.get_value() == 0
    assert calls.get_value() == 3 and state.get_value().dtype == "int64"


def test_polynomial() -> None:
    """A power basis by broadcasting; Horner's rule unrolled in Python; both and their slopes."""
    coefficients, x = T.dvector("coefficients"), T.dscalar("x")
    basis = (coefficients * x ** T.arange(coefficients.shape[0])).sum()
    f = theano.function([coefficients, x], [basis, T.grad(basis, x), T.grad(basis, coefficients)])
    horner = x * 0
    for number in (4.0, -3.0, 2.0, -1.0):
        horner = horner * x + number
    g = theano.function([x], [horner, T.grad(horner, x), T.grad(T.grad(horner, x), x)])
    wanted = np.polynomial.Polynomial([-1.0, 2.0, -3.0, 4.0])
    for point in (-2.0, 0.25, 0.5, 3.0):
        value, slope, powers = f([-1.0, 2.0, -3.0, 4.0], point)
        first, second, third = g(point)
        np.testing.assert_allclose([value, first], wanted(point), rtol=1e-14)
        np.testing.assert_allclose([slope, second], wanted.deriv()(point), rtol=1e-14)
        np.testing.assert_allclose(third, wanted.deriv(2)(point), rtol=1e-14)
        np.testing.assert_allclose(powers, [1.0, point, point**2, point**3], rtol=1e-14)


def test_newtons_method() -> None:
    """A shared point, its second derivative, and a Hessian-vector product by `Rop`."""
    x = theano.shared(3.0, name="x")
    f = x**4 / 4 - 2 * x
    slope = T.grad(f, x)
    step = theano.function([], slope, updates=[(x, x - slope / T.grad(slope, x))])
    assert [bool(abs(step()) < 1e-9) for _ in range(9)][-1]
    np.testing.assert_allclose(x.get_value(), 2 ** (1 / 3), rtol=1e-12)
    point, direction = T.dvector("point"), T.dvector("direction")
    rosenbrock = (100 * (point[1:] - point[:-1] ** 2) ** 2 + (1 - point[:-1]) ** 2).sum()
    gradient = T.grad(rosenbrock, point)
    product = theano.function([point, direction], T.Rop(gradient, point, direction))
    again = theano.function([point, direction], T.grad(T.dot(gradient, direction), point))
    a, d = np.array([0.5, -1.0, 2.0, 1.5]), np.array([1.0, 0.5, -2.0, 0.25])
    hessian = np.zeros((4, 4))
    for i in range(3):
        hessian[i, i] += 1200 * a[i] ** 2 - 400 * a[i + 1] + 2
        hessian[i, i + 1] = hessian[i + 1, i] = -400 * a[i]
        hessian[i + 1, i + 1] += 200
    np.testing.assert_allclose(product(a, d), hessian @ d, rtol=1e-12)
    np.testing.assert_allclose(again(a, d), hessian @ d, rtol=1e-12)


def test_switch_slices_and_set_subtensor() -> None:
    """Regions read backwards, replaced and added to, with what flows back through them."""
    x, y = T.dvector("x"), T.dvector("y")
    clipped = T.switch(T.lt(x, 0), 0.1 * x, x)
    z = T.inc_subtensor(T.set_subtensor(clipped[::2], y)[1:3], x[::-1][:2])
    cost = (z * T.arange(1, 7)).sum()
    f = theano.function([x, y], [z, *T.grad(cost, [x, y]), x[::-1]])
    a, b = np.array([1.0, -2.0, 3.0, -4.0, 5.0, -6.0]), np.array([7.0, 8.0, 9.0])
    wanted = np.where(a < 0, 0.1 * a, a)
    wanted[::2] = b
    wanted[1:3] += a[::-1][:2]
    weights = np.arange(1.0, 7.0)
    slope = np.where(a < 0, 0.1, 1.0) * weights
    slope[::2] = 0.0
    slope[::-1][:2] += weights[1:3]
    value, by_x, by_y, backwards = f(a, b)
    np.testing.assert_allclose(value, wanted, rtol=1e-15)
    np.testing.assert_allclose(by_x, slope, rtol=1e-15)
    np.testing.assert_array_equal(by_y, weights[::2])
    np.testing.assert_array_equal(backwards, a[::-1])
    with pytest.raises(ValueError, match="test_programs"):
        f(a, np.zeros(2))


def test_k_means(floatX: str) -> None:
    """Distances by broadcasting three axes, argmin, and centres through a table of memberships."""
    data, _ = classes(40, 2, 3)
    centres = theano.shared(data[:3].astype(floatX), name="centres")
    x = T.matrix("x")
    distances = ((x.dimshuffle(0, "x", 1) - centres.dimshuffle("x", 0, 1)) ** 2).sum(axis=2)
    nearest = T.argmin(distances, axis=1)
    member = T.eq(nearest.dimshuffle(0, "x"), T.arange(3).dimshuffle("x", 0))
    member = T.cast(member, theano.config.floatX)
    moved = T.dot(member.T, x) / member.sum(axis=0).dimshuffle(0, "x")
    step = theano.function([x], [nearest, distances.min(axis=1).mean()], updates={centres: moved})
    wanted = data[:3]
    for _step in range(4):
        square = ((data[:, None] - wanted[None]) ** 2).sum(axis=2)
        found, mean = step(data.astype(floatX))
        np.testing.assert_array_equal(found, square.argmin(axis=1))
        close(mean, square.min(axis=1).mean(), floatX)
        wanted = np.array([data[square.argmin(axis=1) == kind].mean(axis=0) for kind in range(3)])
    close(centres.get_value(), wanted, floatX)
