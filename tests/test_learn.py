"""The lab: gradients by the same code path in float64, losses, optimizers, and what the telemetry counts."""

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.learn import MLP, Tensor, accuracy, adam, cross_entropy, gradients, load_digits, mean_squared_error, sgd
from fp16sim.learn.telemetry import GradientLoss, Share, apply_steps
from fp16sim.learn.vjps import OPERATIONS

from .support import assert_same_codes

A = np.array([[0.7, -1.3, 0.2], [1.9, 0.4, -0.6]])
B = np.array([[1.1, 0.3, 2.5], [-0.8, 1.7, 0.9]])

EXPRESSIONS = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "negate": lambda a, b: -a * b,
    "matmul": lambda a, b: a @ Tensor(b.value.T, wanted=False) + b @ Tensor(a.value.T, wanted=False),
    "exp": lambda a, b: (a * b).exp(),
    "log": lambda a, b: (a * a + b * b).log(),
    "sqrt": lambda a, b: (a * a + b * b).sqrt(),
    "tanh": lambda a, b: (a * b).tanh(),
    "relu": lambda a, b: (a * b).relu(),
    "sum": lambda a, b: a.sum() * b.sum(),
    "sum_rows": lambda a, b: a.sum_rows() * b.sum_rows(),
    "log_softmax": lambda a, b: a.log_softmax() * b,
}


def scalar(f, a, b):
    y = f(a, b)
    return (y * y).sum()


def test_every_operation_of_the_table_has_an_expression_here():
    assert EXPRESSIONS.keys() == OPERATIONS.keys()


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_gradients_agree_with_central_differences_in_binary64(name):
    def value(a, b):
        arguments = (Tensor(fs.array(x, "binary64")) for x in (a, b))
        return scalar(EXPRESSIONS[name], *arguments).value.values[()]

    tensors = {"a": Tensor(fs.array(A, "binary64")), "b": Tensor(fs.array(B, "binary64"))}
    found = gradients(scalar(EXPRESSIONS[name], *tensors.values()), tensors)
    # For matmul the transposed operands are constants to the graph; differences must hold them too.
    if name == "matmul":

        def value(a, b):
            ta, tb = Tensor(fs.array(a, "binary64")), Tensor(fs.array(b, "binary64"))
            y = ta @ Tensor(fs.array(B.T, "binary64")) + tb @ Tensor(fs.array(A.T, "binary64"))
            return (y * y).sum().value.values[()]

    h = 1e-5
    for key, x in (("a", A), ("b", B)):
        for at in np.ndindex(x.shape):
            d = np.zeros(x.shape)
            d[at] = h
            up, down = ((A + s * d, B) if key == "a" else (A, B + s * d) for s in (1, -1))
            slope = (value(*up) - value(*down)) / (2 * h)
            assert found[key].values[at] == pytest.approx(slope, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("shapes", [((2, 3), (3,)), ((2, 3), (1, 3)), ((2, 3), (2, 1)), ((2, 3), ())], ids=str)
def test_the_gradient_of_a_broadcast_argument_is_summed_back(shapes):
    a, b = (Tensor(fs.array(np.full(shape, 2.0), "binary64")) for shape in shapes)
    found = gradients((a * b).sum(), {"b": b})["b"]
    assert found.shape == shapes[1]
    assert float(found.sum()) == 12


def test_a_tensor_used_twice_gets_both_cotangents_and_an_unused_one_zeros():
    x, unused = Tensor(fs.array([3.0], "binary16")), Tensor(fs.array([1.0, 2.0], "binary16"))
    found = gradients((x * x + x).sum(), {"x": x, "unused": unused})
    assert found["x"].values.tolist() == [7.0]
    assert found["unused"].values.tolist() == [0.0, 0.0]


def test_a_graph_deeper_than_pythons_stack_is_walked():
    x = y = Tensor(fs.array([1.0], "binary64"))
    for _ in range(5000):
        y = y + 0.0
    assert gradients(y, {"x": x})["x"].values.tolist() == [1.0]


@pytest.mark.parametrize("fmt", ["binary16", "bfloat16"])
def test_a_layers_forward_and_backward_are_the_rounded_operations_bit_for_bit(fmt):
    rng = np.random.default_rng(0)
    x, w, b = (fs.round_to(rng.standard_normal(s).astype(np.float32), fmt) for s in ((5, 4), (4, 3), (3,)))
    params = {"w": Tensor(fs.array(w, fmt)), "b": Tensor(fs.array(b, fmt))}
    y = (Tensor(fs.array(x, fmt), wanted=False) @ params["w"] + params["b"]).tanh()
    found = gradients(y, params)
    z = fs.tanh(fs.add(fs.matmul(x, w, fmt), b, fmt), fmt)
    g = fs.multiply(1, fs.subtract(1, fs.multiply(z, z, fmt), fmt), fmt)
    assert_same_codes(y.value.values, z, fs.get_format(fmt))
    assert_same_codes(found["w"].values, fs.matmul(x.T, g, fmt), fs.get_format(fmt))
    assert_same_codes(found["b"].values, fs.sum(g, fmt, axis=0), fs.get_format(fmt))


def test_softmax_is_stable_where_the_naive_one_overflows():
    logits = Tensor(fs.array([[12.0, 11.0, 10.0]], "binary16"))
    p = logits.log_softmax().value.exp().values[0]
    assert p.round(4).tolist() == pytest.approx([0.6655, 0.2446, 0.0900], abs=5e-4)
    with np.errstate(over="ignore"):
        assert np.isinf(logits.value.exp().values[0, 0])


def test_cross_entropy_of_equal_logits_is_the_logarithm_of_the_classes():
    loss = cross_entropy(Tensor(fs.array(np.zeros((4, 10)), "binary64")), [0, 3, 9, 1])
    assert float(loss.value) == pytest.approx(np.log(10), rel=1e-12)


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ([0, 3], "labels contain 3.*3 classes; use 0 to 2"),
        ([0, -1], "labels contain -1"),
        ([[1, 0, 0], [0, 1, 0]], "one-hot"),
        ([0.0, 1.0], "float64"),
        ([0], r"labels of shape \(1,\)"),
    ],
)
def test_labels_that_are_no_class_numbers_are_refused(labels, says):
    with pytest.raises(ValueError, match=says):
        cross_entropy(Tensor(fs.array(np.zeros((2, 3)), "binary16")), labels)


def test_mean_squared_error_and_its_gradient():
    x = Tensor(fs.array([1.0, 2.0, 4.0, 8.0], "binary16"))
    loss = mean_squared_error(x, [0.0, 2.0, 2.0, 0.0])
    assert float(loss.value) == 17.25
    assert gradients(loss, {"x": x})["x"].values.tolist() == [0.5, 0.0, 1.0, 4.0]


def test_the_loss_scale_is_where_the_walk_starts():
    x = Tensor(fs.array([3.0], "binary16"))
    assert gradients((x * x).sum(), {"x": x}, scale=1024)["x"].values.tolist() == [6144.0]


def params(*values, fmt="binary64"):
    return {"w": fs.array(list(values), fmt)}


def test_sgd_with_momentum_takes_its_textbook_steps():
    optimizer = sgd(lr=0.5, momentum=0.5)
    state = optimizer.init(params(1.0))
    steps, state = optimizer.update(params(2.0), state)
    assert steps["w"].values.tolist() == [-1.0]
    steps, state = optimizer.update(params(2.0), state)
    assert steps["w"].values.tolist() == [-1.5]


def test_adam_agrees_with_its_formula_in_binary64():
    optimizer = adam(lr=0.1, beta1=0.9, beta2=0.99, epsilon=1e-8)
    state, m, v = optimizer.init(params(0.0)), 0.0, 0.0
    for t, g in enumerate((1.0, -2.0, 0.5), start=1):
        steps, state = optimizer.update(params(g), state)
        m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g * g
        expected = -0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.99**t)) + 1e-8)
        assert float(steps["w"].values[0]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("fmt", "constants"),
    [("binary16", {"epsilon": 1e-8, "beta2": 0.99}), ("bfloat16", {"epsilon": 1e-4, "beta2": 0.999})],
)
def test_adams_first_step_is_not_finite_where_a_constant_of_it_vanishes(fmt, constants):
    optimizer = adam(**constants)
    with np.errstate(all="ignore"):
        steps, _ = optimizer.update(params(1e-4, 0.0, fmt=fmt), optimizer.init(params(1.0, 1.0, fmt=fmt)))
    assert not np.isfinite(steps["w"].values).all()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: sgd(lr=-1), "lr=-1 must be positive"),
        (lambda: adam(beta2=1.0), "beta2=1.0 must be from 0"),
        (lambda: adam(epsilon=-1e-8), "epsilon=-1e-08 is negative"),
        (lambda: MLP((3,)), r"sizes=\(3,\) is no network"),
        (lambda: MLP((3, 2), "gelu"), "activation='gelu' is unknown"),
        (lambda: load_digits(1.5), "test_share=1.5"),
    ],
)
def test_impossible_settings_are_refused_with_the_way_out(make, says):
    with pytest.raises(ValueError, match=says):
        make()


def test_absorbed_updates_are_the_nonzero_ones_that_change_nothing():
    new, absorbed = apply_steps(
        params(1.0, 1.0, 2048.0, 5.0, fmt="binary16"), params(0.5, 1e-4, 1.0, 0.0, fmt="binary16")
    )
    assert new["w"].values.tolist() == [1.5, 1.0, 2048.0, 5.0]
    assert absorbed == Share(2, 3)


def test_lost_gradients_are_those_that_binary64_would_have_kept():
    x = Tensor(fs.array([2.0**-20, 1.0], "binary16"))
    watch = GradientLoss()
    gradients((x * Tensor(fs.array([2.0**-20, 1.0], "binary16"), wanted=False)).sum(), {"x": x}, observer=watch)
    assert watch.share == Share(0, 4)
    y = Tensor(fs.array([[2.0**-15], [1.0]], "binary16"), wanted=False)
    watch = GradientLoss()
    gradients((x * x * y.value.values[:, 0].tolist()[0]).sum(), {"x": x}, scale=2.0**-5, observer=watch)
    assert watch.share.count > 0


def test_the_digits_are_all_there_and_the_split_is_fixed():
    digits = load_digits()
    assert len(digits.train_labels) + len(digits.test_labels) == 1797
    assert digits.classes == 10
    images = np.concatenate([digits.train_images, digits.test_images])
    assert images.min() == 0
    assert images.max() == 1
    assert (images * 16 == (images * 16).astype(int)).all()
    assert digits.test_labels[:8].tolist() == load_digits().test_labels[:8].tolist()


def test_accuracy_counts_a_row_with_nan_as_wrong():
    assert accuracy([[np.nan, 1.0], [0.0, 1.0]], [1, 1]) == 0.5
