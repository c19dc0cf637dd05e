"""Layers and losses, forward and backward, equal the same expressions written with fs.add, fs.multiply, ... by code."""

from dataclasses import replace

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.accumulators import Sequential
from fp16sim.learn import (
    RNN,
    Activation,
    LayerNorm,
    Linear,
    Tensor,
    cross_entropy,
    cross_entropy_of_probabilities,
    gradients,
    l1_penalty,
    l2_penalty,
    mean_squared_error,
    one_hot_cross_entropy,
)
from fp16sim.learn.model.vjps import OPERATIONS
from fp16sim.learn.precision import DEFAULT_PRODUCTS, Precision, Products

from .support import assert_same_codes

FORMATS = ("binary16", "bfloat16")
ACCUMULATORS = {"own": None, "binary32": Sequential("binary32")}


class Ops:
    """The operations of the package on plain values, in one format, with one accumulator."""

    def __init__(self, fmt, accumulator):
        self.fmt, self.acc, self.how = fmt, accumulator, Products(accumulator) if accumulator else DEFAULT_PRODUCTS

    def __getattr__(self, name):
        return lambda *operands: getattr(fs, name)(*operands, self.fmt)

    def sum(self, x, axis=None):
        return fs.sum(x, self.fmt, axis=axis, accumulator=self.acc)

    def rows(self, x):
        """Sums along the last axis, as a column."""
        return self.sum(x, -1)[..., None]

    def matmul(self, a, b):
        return fs.matmul(a, b, self.fmt, accumulator=self.acc)

    def negative(self, x):
        return -np.asarray(x)

    def draw(self, *shape, rng=0, scale=1.0):
        x = np.random.default_rng(rng).standard_normal(shape) * scale
        return fs.round_to(x.astype(np.float32), self.fmt)

    def tensor(self, x, **options):
        return Tensor(fs.array(x, self.fmt), **options)

    def same(self, actual, expected):
        assert actual.fmt.name == self.fmt
        assert actual.shape == np.shape(expected)
        assert_same_codes(actual.values, expected, fs.get_format(self.fmt), "learning")


@pytest.fixture(params=[(fmt, name) for fmt in FORMATS for name in ACCUMULATORS], ids=", ".join)
def ops(request):
    fmt, name = request.param
    return Ops(fmt, ACCUMULATORS[name])


def run(ops, layer, params, x):
    """Output, and the gradients of params and x for a cotangent that is no power of two."""
    tensors = {name: ops.tensor(value) for name, value in {**params, "x": x}.items()}
    y = layer(tensors, tensors["x"], ops.how)
    g = ops.draw(*y.value.shape, rng=9)
    return y.value, g, gradients(y * ops.tensor(g, wanted=False), tensors)


def test_a_linear_layer(ops):
    x, w, b = ops.draw(5, 40), ops.draw(40, 3, rng=1), ops.draw(3, rng=2)
    y, g, found = run(ops, Linear(40, 3), {"weight": w, "bias": b}, x)
    ops.same(y, ops.add(ops.matmul(x, w), b))
    ops.same(found["weight"], ops.matmul(x.T, g))
    ops.same(found["bias"], ops.sum(g, 0))
    ops.same(found["x"], ops.matmul(g, w.T))


ELEMENTWISE = {
    "tanh": lambda ops, x: ops.tanh(x),
    "sigmoid": lambda ops, x: ops.sigmoid(x),
    "relu": lambda ops, x: np.where(x > 0, x, 0),
}
SLOPES = {
    "tanh": lambda ops, y, g: ops.multiply(g, ops.subtract(1, ops.multiply(y, y))),
    "sigmoid": lambda ops, y, g: ops.multiply(g, ops.multiply(y, ops.subtract(1, y))),
    "relu": lambda ops, y, g: np.where(y > 0, g, 0),
}


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_an_activation(ops, name):
    x = ops.draw(30, 10, scale=3)
    y, g, found = run(ops, Activation(name), {}, x)
    expected = ELEMENTWISE[name](ops, x)
    ops.same(y, expected)
    ops.same(found["x"], SLOPES[name](ops, expected, g))


def shifted_exponentials(ops, x):
    shifted = ops.subtract(x, x.max(axis=-1, keepdims=True))
    return shifted, ops.exp(shifted)


def test_softmax(ops):
    x = ops.draw(6, 20, scale=4)
    y, g, found = run(ops, Activation("softmax"), {}, x)
    _, e = shifted_exponentials(ops, x)
    p = ops.divide(e, ops.rows(e))
    ops.same(y, p)
    ops.same(found["x"], ops.multiply(p, ops.subtract(g, ops.rows(ops.multiply(g, p)))))


def test_layer_norm(ops):
    x, scale, shift = ops.draw(6, 20, scale=2), ops.draw(20, rng=1), ops.draw(20, rng=2)
    y, g, found = run(ops, LayerNorm(20, 1e-3), {"scale": scale, "shift": shift}, x)
    centred = ops.subtract(x, ops.divide(ops.rows(x), 20))
    deviation = ops.sqrt(ops.add(ops.divide(ops.rows(ops.multiply(centred, centred)), 20), 1e-3))
    normal = ops.divide(centred, deviation)
    ops.same(y, ops.add(ops.multiply(normal, scale), shift))
    ops.same(found["shift"], ops.sum(g, 0))
    ops.same(found["scale"], ops.sum(ops.multiply(g, normal), 0))


def test_a_recurrent_layer(ops):
    x, w, u, b = ops.draw(4, 2, 3), ops.draw(3, 5, rng=1), ops.draw(5, 5, rng=2), ops.draw(5, rng=3)
    y, g, found = run(ops, RNN(3, 5), {"input": w, "recurrent": u, "bias": b}, x)
    first = ops.tanh(ops.add(ops.matmul(x[:, 0], w), b))
    z = ops.add(ops.add(ops.matmul(x[:, 1], w), b), ops.matmul(first, u))
    second = ops.tanh(z)
    ops.same(y, second)
    back = SLOPES["tanh"](ops, second, g)
    ops.same(found["recurrent"], ops.matmul(first.T, back))
    earlier = SLOPES["tanh"](ops, first, ops.matmul(back, u.T))
    ops.same(found["input"], ops.add(ops.matmul(x[:, 1].T, back), ops.matmul(x[:, 0].T, earlier)))
    ops.same(found["bias"], ops.add(ops.sum(back, 0), ops.sum(earlier, 0)))


ARITHMETIC = {
    "add": lambda do, g, y, a, b: (g, g),
    "subtract": lambda do, g, y, a, b: (g, -g),
    "multiply": lambda do, g, y, a, b: (do.multiply(g, b), do.multiply(g, a)),
    "divide": lambda do, g, y, a, b: (do.divide(g, b), do.divide(-do.multiply(g, y), b)),
    "exp": lambda do, g, y, x: (do.multiply(g, y),),
    "log": lambda do, g, y, x: (do.divide(g, x),),
    "sqrt": lambda do, g, y, x: (do.divide(g, do.add(y, y)),),
    "negate": lambda do, g, y, x: (-g,),
    "absolute": lambda do, g, y, x: (do.multiply(g, np.sign(x)),),
}
UNARY = {"negate": np.negative, "absolute": np.abs}


@pytest.mark.parametrize("name", ARITHMETIC)
def test_an_operation_and_its_vjps(ops, name, quiet):
    count = len(OPERATIONS[name].vjps)
    given = [np.abs(ops.draw(300, rng=k, scale=3)) for k in range(count)]
    g = ops.draw(300, rng=9)
    tensors = {str(k): ops.tensor(x) for k, x in enumerate(given)}
    y = next(iter(tensors.values()))._apply(name, *list(tensors.values())[1:])
    expected = UNARY[name](*given) if name in UNARY else getattr(ops, name)(*given)
    ops.same(y.value, expected)
    found = gradients(y * ops.tensor(g, wanted=False), tensors)
    for k, part in enumerate(ARITHMETIC[name](ops, g, expected, *given)):
        ops.same(found[str(k)], part)


# --- losses ---------------------------------------------------------------------------------------------------------


def run_loss(ops, loss, x):
    t = ops.tensor(x)
    y = loss(t)
    return y.value, gradients(y, {"x": t}, scale=64)["x"]


def log_softmax(ops, x):
    shifted, e = shifted_exponentials(ops, x)
    return ops.subtract(shifted, ops.log(ops.rows(e)))


def one_hot(labels, classes):
    return np.eye(classes)[labels]


LABELS = [3, 0, 7, 7, 1, 9]


def test_cross_entropy_from_logits(ops):
    x = ops.draw(6, 10, scale=3)
    value, found = run_loss(ops, lambda t: cross_entropy(t, LABELS, accumulator=ops.acc), x)
    log_p = log_softmax(ops, x)
    ops.same(value, ops.divide(-ops.sum(log_p[np.arange(6), LABELS]), 6))
    g = one_hot(LABELS, 10) * -ops.divide(64, 6)
    ops.same(found, ops.subtract(g, ops.multiply(ops.exp(log_p), ops.rows(g))))


def test_cross_entropy_of_rows_of_probabilities(ops):
    x = ops.draw(6, 10, scale=3)
    targets = fs.round_to(np.random.default_rng(4).dirichlet(np.ones(10), 6), "binary32")
    value, found = run_loss(ops, lambda t: one_hot_cross_entropy(t, targets, accumulator=ops.acc), x)
    log_p = log_softmax(ops, x)
    held = fs.round_to(targets, ops.fmt)
    ops.same(value, ops.divide(-ops.sum(ops.sum(ops.multiply(log_p, held), -1)), 6))
    g = ops.multiply(-ops.divide(64, 6), held)
    ops.same(found, ops.subtract(g, ops.multiply(ops.exp(log_p), ops.rows(g))))


def test_cross_entropy_of_probabilities(ops):
    _, e = shifted_exponentials(ops, ops.draw(6, 10))
    p = ops.divide(e, ops.rows(e))
    value, found = run_loss(ops, lambda t: cross_entropy_of_probabilities(t, LABELS, clip=1e-2, accumulator=ops.acc), p)
    chosen = ops.add(p[np.arange(6), LABELS], 1e-2)
    ops.same(value, ops.divide(-ops.sum(ops.log(chosen)), 6))
    expected = np.zeros((6, 10))
    expected[np.arange(6), LABELS] = ops.divide(-ops.divide(64, 6), chosen)
    ops.same(found, expected)


def test_mean_squared_error(ops):
    x, targets = ops.draw(6, 7), ops.draw(6, 7, rng=1)
    value, found = run_loss(ops, lambda t: mean_squared_error(t, targets, accumulator=ops.acc), x)
    d = ops.subtract(x, targets)
    ops.same(value, ops.divide(ops.sum(ops.multiply(d, d)), 42))
    part = ops.multiply(ops.divide(64, 42), d)
    ops.same(found, ops.add(part, part))


def test_penalties(ops):
    x = ops.draw(6, 50)
    value, found = run_loss(ops, lambda t: l2_penalty([t], ops.acc), x)
    ops.same(value, ops.sum(ops.multiply(x, x)))
    ops.same(found, ops.add(ops.multiply(64, x), ops.multiply(64, x)))
    value, found = run_loss(ops, lambda t: l1_penalty([t], ops.acc), x)
    ops.same(value, ops.sum(np.abs(x)))
    ops.same(found, 64 * np.sign(x))


# --- signs of zero, and formats -------------------------------------------------------------------------------------


def test_relu_of_both_zeros_is_plus_zero_and_its_gradient_zero():
    x = Tensor(fs.array([-0.0, 0.0, 2.0, -2.0, np.nan, np.inf], "binary16"))
    y = x.relu()
    assert y.value.codes.tolist() == [0, 0, 0x4000, 0, 0x7E00, 0x7C00]
    assert gradients(y, {"x": x})["x"].values.tolist() == [0, 0, 1, 0, 0, 1]


def test_cross_entropy_is_finite_where_another_class_has_log_p_of_minus_infinity(quiet):
    logits = Tensor(fs.array([[60000.0, -60000.0, 60000.0]], "binary16"))
    loss = cross_entropy(logits, [0])
    assert float(loss.value) == fs.log(2.0, "binary16")
    assert np.isfinite(gradients(loss, {"x": logits})["x"].values).all()


@pytest.mark.parametrize("fmt", ["e4m3fn", "e5m2", "bfloat16"])
def test_narrowed_factors_and_cotangents_equal_explicit_rounding(fmt, quiet):
    wide = Ops("binary16", None)
    x, w, g = (wide.draw(*shape, rng=k, scale=40) for k, shape in enumerate([(5, 6), (6, 4), (5, 4)]))
    w /= 64
    x[0, 0], g[0, 0] = 60000, -60000  # beyond fp8: saturated
    how = Products(operand=Precision.of(fmt), cotangent=Precision.of("e5m2"))
    a, b = wide.tensor(x), wide.tensor(w)
    y = a.matmul(b, how)
    found = gradients(y * wide.tensor(g, wanted=False), {"a": a, "b": b})
    narrow_x, narrow_w = (fs.round_to(v, replace(fs.get_format(fmt), saturate=True)) for v in (x, w))
    narrow_g = fs.round_to(g, replace(fs.E5M2, saturate=True))
    wide.same(y.value, wide.matmul(narrow_x, narrow_w))
    wide.same(found["a"], wide.matmul(narrow_g, narrow_w.T))
    wide.same(found["b"], wide.matmul(narrow_x.T, narrow_g))
    assert not np.array_equal(narrow_x, x)
