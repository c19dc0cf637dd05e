"""Gradients of every operation, layer and loss in binary64, by the code that every format uses: central differences."""

import operator

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.learn import (
    GPT,
    RNN,
    Activation,
    Block,
    CausalAttention,
    Chain,
    Compound,
    Conv2d,
    Dropout,
    Embedding,
    FeedForward,
    Flatten,
    Images,
    Layer,
    LayerNorm,
    LearnedPositions,
    Linear,
    MaxPool2d,
    MeanPool,
    RMSNorm,
    SimpleRNN,
    Tensor,
    cross_entropy,
    cross_entropy_of_probabilities,
    dropout_on,
    gradients,
    l1_penalty,
    l2_penalty,
    mean_squared_error,
    one_hot_cross_entropy,
)
from fp16sim.learn.model import losses
from fp16sim.learn.model.in_force import put_in_force
from fp16sim.learn.model.layers import ACTIVATIONS
from fp16sim.learn.model.vjps import OPERATIONS
from fp16sim.learn.precision import Precision, Products

from .support import first

A = np.array([[0.7, -1.3, 0.2], [1.9, 0.4, -0.6]])
B = np.array([[1.1, 0.3, 2.5], [-0.8, 1.7, 0.9]])
WIDE = Precision(fs.BINARY64)


def tensor(x):
    return Tensor(fs.array(x, "binary64"))


def check(loss_of, values):
    """The gradients of a scalar function of named arrays against central differences, element by element."""
    tensors = {name: tensor(x) for name, x in values.items()}
    found = gradients(loss_of(tensors), tensors)

    def at(changed):
        return float(loss_of({name: tensor(x) for name, x in changed.items()}).value)

    h = 1e-5
    for name, x in values.items():
        assert found[name].fmt == fs.BINARY64
        assert found[name].shape == x.shape
        slopes = np.empty(x.shape)
        for index in np.ndindex(x.shape):
            d = np.zeros(x.shape)
            d[index] = h
            slopes[index] = (at({**values, name: x + d}) - at({**values, name: x - d})) / (2 * h)
        np.testing.assert_allclose(found[name].values, slopes, rtol=1e-6, atol=1e-8, err_msg=name)


# --- operations -----------------------------------------------------------------------------------------------------


def images(a, b):
    return (a * b).reshape(1, 2, 3, 1)


EXPRESSIONS = {
    "add": lambda a, b: a + b * 2.0 + 1.0,
    "subtract": lambda a, b: 1.0 - (a - b),
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b + 2.0 / b,
    "negate": lambda a, b: -a * b,
    "matmul": lambda a, b: a @ b.reshape(3, 2) + np.ones((2, 3)) @ b.reshape(3, 2),
    "exp": lambda a, b: (a * b).exp(),
    "log": lambda a, b: (a * a + b * b).log(),
    "sqrt": lambda a, b: (a * a + b * b).sqrt(),
    "tanh": lambda a, b: (a * b).tanh(),
    "sigmoid": lambda a, b: (a * b).sigmoid(),
    "relu": lambda a, b: (a * b).relu(),
    "absolute": lambda a, b: abs(a * b) * a,
    "sum": lambda a, b: a.sum() * b.sum(),
    "sum_rows": lambda a, b: a.sum_rows() * b.sum_rows(),
    "log_softmax": lambda a, b: a.log_softmax() * b,
    "softmax": lambda a, b: a.softmax() * b,
    "cast": lambda a, b: a.cast(Precision.of("binary64:toward_zero")).cast(WIDE) * b,
    "narrow": lambda a, b: a.narrow(WIDE) * b,
    "narrow_back": lambda a, b: a.matmul(b.reshape(3, 2), Products(operand=WIDE, cotangent=WIDE)),
    "where": lambda a, b: a.where(A > 0.3, b * 2.0) * a.where(A < 0.3, 3.0),
    "reshape": lambda a, b: a.reshape(3, 2) * b.reshape(3, 2),
    "select": lambda a, b: a[:, 1:] * b[..., :2] + a[0, 2] + b[-1, None, ::2],
    "pick": lambda a, b: a.pick([2, 0]) * b.pick([1, 1]),
    "patches": lambda a, b: images(a, b).patches((2, 2), stride=1, padding=1) * 0.5,
    "max_pool": lambda a, b: images(a, b).max_pool(2),
    "mean": lambda a, b: a.mean(0) * b.mean(-1, keepdims=True) + a.mean() * b.mean((0, 1)),
    "power": lambda a, b: abs(a) ** b + 2.0**a + (a * a + 1.0) ** -0.5,
    "rsqrt": lambda a, b: (a * a + b * b).rsqrt(),
    "sin": lambda a, b: (a * b).sin(),
    "cos": lambda a, b: (a * b).cos(),
    "erf": lambda a, b: (a * b).erf(),
    "gelu": lambda a, b: (a * b).gelu() + a.gelu("tanh"),
    "softplus": lambda a, b: (a * b).softplus() + a.silu(),
    "clip": lambda a, b: a.clip(-0.7, 1.0) * b.clip(max=1.0) * b.clip(0.5),
    "maximum": lambda a, b: a.maximum(b) * b.maximum(0.5),
    "minimum": lambda a, b: a.minimum(b) * b.minimum(0.5),
    "transpose": lambda a, b: (
        (a.T @ b).swapaxes(0, -1) * np.arange(9.0).reshape(3, 3) + (a[None] * b).moveaxis(2, 0)[:, :, 0][:, :1]
    ),
    "broadcast": lambda a, b: a.broadcast_to(2, 2, 3) * b,
    "concatenate": lambda a, b: fs.learn.concatenate([a, A, b * a], 1) * 0.5,
    "take": lambda a, b: a.take([[0, 1], [1, -1]]) * b.take([2, 0, 2], axis=1) + a[[1, 1]][0],
    "scatter_add": lambda a, b: a.scatter_add([1, 1, 0], (b @ b.T)[:1, :1]).scatter_add([[0]], b[:1]) * b,
    "masked": lambda a, b: a[A > 0] * b[np.array([True, False])].sum(),
    "max": lambda a, b: a.max() * b.max(1, keepdims=True) * a.max((0, 1)),
    "min": lambda a, b: a.min(axis=0) * b.min(-1)[:, None],
}


NUMBERS = {
    "x + 3": lambda x: x + 3,
    "3 - x": lambda x: 3 - x,
    "x - 3": lambda x: x - 3,
    "x * 0.3": lambda x: x * 0.3,
    "x / 3": lambda x: x / 3,
    "3 / x": lambda x: 3 / x,
    "x**3": lambda x: x**3,
    "3**x": lambda x: 3**x,
}


def _with_numbers(a, b):
    with put_in_force(scalars="binary64"):
        return sum((function(a) for function in NUMBERS.values()), start=b)


EXPRESSIONS["with_number"] = _with_numbers


def test_no_operation_of_the_table_is_without_an_expression_here():
    assert EXPRESSIONS.keys() == OPERATIONS.keys()


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_expression_uses_the_operation_it_stands_for_and_every_argument_of_it(name):
    found, stack = [], [EXPRESSIONS[name](tensor(A), tensor(B))]
    while stack:
        y = stack.pop()
        found += [y] if y.operation == name else []
        stack += y.arguments
    wanted = {k for y in found for k, x in enumerate(y.arguments) if x.wanted}
    assert wanted >= set(range(len(OPERATIONS[name].vjps)))


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_gradients_of_an_operation_agree_with_central_differences(name):
    def loss(t):
        y = EXPRESSIONS[name](t["a"], t["b"])
        return (y * y).sum()

    check(loss, {"a": A, "b": B})


# --- layers ---------------------------------------------------------------------------------------------------------

LAYERS = {
    "linear": (Linear(3, 2), (4, 3)),
    "conv": (Conv2d(2, 3, kernel=2), (2, 3, 4, 2)),
    "conv, stride 2, padding 1": (Conv2d(1, 2, kernel=3, stride=2, padding=1), (1, 5, 6, 1)),
    "conv, stride 3 that leaves pixels out": (Conv2d(1, 1, kernel=2, stride=3), (1, 6, 7, 1)),
    "pool": (MaxPool2d(2), (2, 5, 4, 2)),
    "flatten": (Flatten(), (2, 2, 3, 1)),
    "images": (Images(2, 3), (2, 6)),
    **{name: (Activation(name), (3, 4)) for name in ACTIVATIONS},
    "layer norm": (LayerNorm(4, epsilon=0.1), (3, 4)),
    "layer norm of sequences": (LayerNorm(3), (2, 2, 3)),
    "linear of sequences without bias": (Linear(3, 2, bias=False), (2, 2, 3)),
    "rms norm": (RMSNorm(3), (2, 2, 3)),
    "positions": (LearnedPositions(5, 3), (2, 4, 3)),
    "mean pool": (MeanPool(), (2, 3, 2)),
    "dropout": (Dropout(0.5), (4, 5)),
    **{
        f"{form} attention": (CausalAttention(4, 2, form, positions, tile=2), (2, 3, 4))
        for form, positions in (("stable", "rotary"), ("naive", "none"), ("online", "rotary-wide"))
    },
    "feed forward": (FeedForward(3, 4), (2, 2, 3)),
    "swiglu": (FeedForward(3, 4, "swiglu"), (2, 2, 3)),
    "block": (Block(CausalAttention(4, 1), FeedForward(4, 3), dropout=0.2), (1, 3, 4)),
    "rnn": (RNN(2, 3, gain=1.1), (2, 4, 2)),
    "rnn of sigmoids": (RNN(2, 2, activation="sigmoid"), (2, 3, 2)),
}


def test_no_layer_is_without_a_gradient_test():
    known = {kind for kind in vars(fs.learn).values() if isinstance(kind, type) and issubclass(kind, Layer)}
    assert {type(layer) for layer, _ in LAYERS.values()} == known - {Layer, Compound, Embedding}
    assert {layer.name for layer, _ in LAYERS.values() if isinstance(layer, Activation)} == set(ACTIVATIONS)


DEEP = ("block", "naive attention", "online attention")


@pytest.mark.parametrize("name", first(len(LAYERS) - len(DEEP), sorted(LAYERS, key=DEEP.__contains__)))
def test_gradients_of_a_layer_agree_with_central_differences(name):
    layer, shape = LAYERS[name]
    rng = np.random.default_rng(1)
    values = {key: x + 0.1 * rng.standard_normal(x.shape) for key, x in layer.draw(rng).items()}
    weights = rng.standard_normal(1000)  # so that no two outputs count alike

    def loss(t):
        with dropout_on(3):
            y = layer({key: t[key] for key in values}, t["x"])
        y = y.reshape(y.value.size)
        return (y * y * weights[: y.value.size] + y).sum()

    check(loss, {**values, "x": rng.standard_normal(shape)})


def test_gradients_of_a_chain_go_through_all_of_its_layers():
    rng = np.random.default_rng(2)
    model = Chain(
        (
            ("images", Images(6, 6)),
            ("conv", Conv2d(1, 2, 3)),
            ("pool", MaxPool2d(2)),
            ("relu", Activation("tanh")),
            ("flatten", Flatten()),
            ("norm", LayerNorm(8, 0.01)),
            ("out", Linear(8, 3)),
        )
    )
    x = rng.standard_normal((2, 36))
    check(lambda t: cross_entropy(model(t, tensor(x)), [2, 0]), model.draw(rng))


def test_gradients_of_the_recurrent_model_go_back_to_the_first_step():
    model, x = SimpleRNN(2, 3, 2), np.random.default_rng(3).standard_normal((2, 5, 2))
    check(lambda t: cross_entropy(model(t, t["x"]), [1, 0]), {**model.draw(0), "x": x})


@pytest.mark.parametrize("tie", first(1, [True, False]))
def test_gradients_of_the_language_model_go_back_to_the_rows_of_its_embedding(tie):
    model, x = GPT(3, {"context": 3, "width": 2, "heads": 1, "blocks": 1, "hidden": 2, "tie": tie}), [[0, 2, 0]]
    values = {name: w + 0.3 for name, w in model.draw(0).items()}
    check(lambda t: cross_entropy(model(t, np.array(x)), [[2, 1, 0]]), values)
    assert ("head.weight" in values) is not tie


# --- losses ---------------------------------------------------------------------------------------------------------

TARGETS = [[0.2, 0.5, 0.3], [0.0, 1.0, 0.0]]
LOSSES = {
    "cross_entropy": lambda t: cross_entropy(t["a"], [2, 0]),
    "one_hot_cross_entropy": lambda t: one_hot_cross_entropy(t["a"], TARGETS),
    "cross_entropy_of_probabilities": lambda t: cross_entropy_of_probabilities(t["a"].softmax(), [1, 2], clip=1e-3),
    "mean_squared_error": lambda t: mean_squared_error(t["a"], t["b"]) + mean_squared_error(t["b"], A),
    "l1_penalty": lambda t: l1_penalty(t.values()),
    "l2_penalty": lambda t: l2_penalty(t.values()),
}


def test_no_loss_is_without_a_gradient_test():
    own = {name for name, x in vars(losses).items() if getattr(x, "__module__", "") == losses.__name__}
    assert LOSSES.keys() == {name for name in own if not name.startswith(("_", "check_"))}


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_of_a_loss_agree_with_central_differences(name):
    check(LOSSES[name], {"a": A, "b": B})


# --- the graph ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shapes", [((2, 3), (3,)), ((2, 3), (1, 3)), ((2, 3), (2, 1)), ((2, 3), ())], ids=str)
def test_the_gradient_of_a_broadcast_argument_is_summed_back(shapes):
    a, b = (tensor(np.full(shape, 2.0)) for shape in shapes)
    found = gradients((a * b).sum(), {"b": b})["b"]
    assert found.shape == shapes[1]
    assert float(found.sum()) == 12


def test_a_tensor_used_twice_gets_both_cotangents_and_an_unused_one_zeros():
    x, unused = (Tensor(fs.array(v, "binary16")) for v in ([3.0], [1.0, np.inf, np.nan]))
    found = gradients((x * x + x).sum(), {"x": x, "unused": unused})
    assert found["x"].values.tolist() == [7.0]
    assert found["unused"].codes.tolist() == [0, 0, 0]


def test_a_tensor_reached_by_paths_of_different_length_waits_for_all_of_them():
    x = Tensor(fs.array([2.0], "binary64"))
    y = x * 3.0
    z = y * y + (y + y).exp().log() * y  # y^2 + 2 y^2
    assert gradients(z, {"x": x})["x"].values == pytest.approx([6 * 6 * 3], rel=1e-12)


def test_a_graph_deeper_than_pythons_stack_is_walked():
    x = y = Tensor(fs.array([1.0], "binary64"))
    for _ in range(5000):
        y = y + 0.0
    assert gradients(y, {"x": x})["x"].values.tolist() == [1.0]


def test_a_graph_can_be_walked_again_and_a_loss_scale_is_where_the_walk_starts():
    x = Tensor(fs.array([3.0], "binary16"))
    loss = (x * x).sum()
    found = [gradients(loss, {"x": x}, scale=scale)["x"].values.tolist() for scale in (1, 1024, 1)]
    assert found == [[6.0], [6144.0], [6.0]]


def test_an_array_of_numpy_on_the_left_is_an_operand_and_not_a_container():
    x = Tensor(fs.array([[1.0, 2.0]], "binary16"))
    for y in (np.array([[2.0, 4.0]]) * x, np.float64(2) + x, np.ones((1, 1)) @ x, np.array([3.0, 3.0]) - x):
        assert isinstance(y, Tensor)
        assert y.value.fmt == fs.BINARY16


def test_a_product_with_a_number_by_the_operator_of_matrices_is_refused():
    with pytest.raises(ValueError, match=r"a.shape=\(2, 3\) and b.shape=\(\) are not both matrices"):
        tensor(A) @ 2.0


def test_an_index_with_an_array_among_slices_is_refused_since_it_could_name_an_element_twice():
    with pytest.raises(TypeError, match="is not made of integers"):
        tensor(A)[:, [1, 1]]


REFLECTED = {
    "add": (lambda c, x: c + x, lambda c, x: 1 + 0 * x),
    "subtract": (lambda c, x: c - x, lambda c, x: -1 + 0 * x),
    "multiply": (lambda c, x: c * x, lambda c, x: c + 0 * x),
    "divide": (lambda c, x: c / x, lambda c, x: -c / x**2),
}


@pytest.mark.parametrize("name", REFLECTED)
def test_a_number_may_stand_on_the_left(name):
    value, slope = REFLECTED[name]
    x, numbers = tensor([2.0, -4.0]), np.array([2.0, -4.0])
    y = value(3.0, x)
    assert y.value.values.tolist() == value(3.0, numbers).tolist()
    assert gradients(y, {"x": x})["x"].values.tolist() == slope(3.0, numbers).tolist()


@pytest.mark.parametrize("operation", [operator.add, operator.sub, operator.mul, operator.truediv, operator.matmul])
@pytest.mark.parametrize("left", [fs.array([[1.0, 2.0], [0.5, 4.0]], "binary64"), np.array([[1.0, 2.0], [0.5, 4.0]])])
def test_an_array_may_stand_on_the_left_of_a_tensor(operation, left):
    x, constant = tensor([[3.0, -2.0], [5.0, 1.0]]), Tensor(fs.array(left, "binary64"), wanted=False)
    found, expected = operation(left, x), operation(constant, x)
    assert found.value.values.tolist() == expected.value.values.tolist()
    assert gradients(found, {"x": x})["x"].tolist() == gradients(expected, {"x": x})["x"].tolist()


def test_an_array_to_which_a_tensor_is_added_in_place_becomes_a_tensor_and_keeps_its_numbers():
    before = left = fs.array([1.0, 2.0], "binary64")
    left += tensor([3.0, 5.0])
    assert isinstance(left, Tensor)
    assert left.value.tolist() == [4.0, 7.0]
    assert before.tolist() == [1.0, 2.0]
