"""The lab: losses and what they refuse, models and their parameters, the digits; docstrings that list fields."""

import dataclasses
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.learn import (
    CNN,
    MLP,
    SimpleRNN,
    Tensor,
    accuracy,
    adam,
    cross_entropy,
    cross_entropy_of_probabilities,
    data,
    gradients,
    l2_penalty,
    load_digits,
    mean_squared_error,
    one_hot_cross_entropy,
    sgd,
)

from .support import assert_same_codes


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
        ([0], r"labels has shape=\(1,\) and dtype=int64; give 2 integers"),
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


def params(*values, fmt="binary64"):
    return {"w": fs.array(list(values), fmt)}


def test_sgd_with_momentum_takes_its_textbook_steps():
    optimizer = sgd(lr=0.5, momentum=0.5)
    state = optimizer.init(params(1.0))
    steps, state = optimizer.update(params(2.0), state)
    assert steps["w"].values.tolist() == [-1.0]
    steps, state = optimizer.update(params(2.0), state)
    assert steps["w"].values.tolist() == [-1.5]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: sgd(lr=-1), "lr=-1 must be positive"),
        (lambda: adam(beta2=1.0), "beta2=1.0 must be 0 or more and less than 1"),
        (lambda: adam(epsilon=-1e-8), "epsilon=-1e-08 is negative"),
        (lambda: MLP((3,)), r"sizes=\(3,\) is not a network"),
        (lambda: MLP((3, 2), "swish"), "activation='swish' is unknown"),
        (lambda: load_digits(1.5), "test_share=1.5"),
    ],
)
def test_impossible_settings_are_refused_with_the_way_out(make, says):
    with pytest.raises(ValueError, match=says):
        make()


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


# --- losses that are mixed up ---------------------------------------------------------------------------------------

ROWS = [[1, 0, 0], [0, 0, 1]]


def logits():
    return Tensor(fs.array([[0.5, -1.0, 2.0], [0.0, 0.25, 1.0]], "binary16"))


def test_class_numbers_and_one_hot_rows_are_the_same_loss():
    a, b = cross_entropy(logits(), [0, 2]), one_hot_cross_entropy(logits(), ROWS)
    assert a.value.codes == b.value.codes


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: cross_entropy(logits(), ROWS), "one-hot rows, but this loss takes class numbers; use one_hot_cross"),
        (
            lambda: one_hot_cross_entropy(logits(), [0, 2]),
            "class numbers, but this loss takes one-hot rows; use cross_",
        ),
        (lambda: cross_entropy_of_probabilities(logits(), ROWS), "one-hot rows"),
        (lambda: cross_entropy_of_probabilities(logits(), [0, 3]), "labels contain 3"),
        (
            lambda: one_hot_cross_entropy(logits(), [[1, 0], [0, 1]]),
            r"targets has shape=\(2, 2\) and logits has shape=\(2, 3\)",
        ),
        (lambda: one_hot_cross_entropy(logits(), [[1, 1, 0], [0, 0, 1]]), "a row of invalid probabilities"),
        (lambda: one_hot_cross_entropy(logits(), [[2, -1, 0], [0, 0, 1]]), "a row of invalid probabilities"),
        (lambda: one_hot_cross_entropy(logits(), [[np.nan, 0, 0], [0, 0, 1]]), "a row of invalid probabilities"),
        (lambda: cross_entropy(Tensor(fs.array([0.0, 1.0])), [0]), r"shape=\(2,\) and must have \(batch, classes\)"),
        (lambda: mean_squared_error(logits(), [0.0, 1.0, 2.0]), "give one target for each prediction"),
        (lambda: l2_penalty([]), "weights is empty"),
    ],
)
def test_losses_that_are_mixed_up_are_refused_with_the_way_out(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_a_probability_of_0_gives_infinity_unless_it_is_clipped(quiet):
    p = Tensor(fs.array([[1.0, 0.0]], "binary16"))
    assert float(cross_entropy_of_probabilities(p, [1]).value) == np.inf
    assert float(cross_entropy_of_probabilities(p, [1], clip=1e-7).value) == -fs.log(2.0**-23, "binary16")
    assert float(cross_entropy_of_probabilities(p, [1], clip=1e-8).value) == np.inf  # 1e-8 is 0 in binary16


# --- models ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "shapes"),
    [
        (MLP((4, 3, 2)), {"layer1.weight": (4, 3), "layer1.bias": (3,), "layer2.weight": (3, 2), "layer2.bias": (2,)}),
        (
            SimpleRNN(2, 3, 4),
            {"rnn.input": (2, 3), "rnn.recurrent": (3, 3), "rnn.bias": (3,), "out.weight": (3, 4), "out.bias": (4,)},
        ),
    ],
)
def test_parameters_are_named_by_layer_drawn_in_binary64_and_rounded_once(model, shapes):
    drawn, held = model.draw(5), model.init("bfloat16", rng=5)
    assert {name: x.shape for name, x in held.items()} == shapes
    assert drawn.keys() == held.keys()
    for name, x in model.init("bfloat16", rng=5).items():
        assert x.codes.tolist() == held[name].codes.tolist()
        assert x.codes.tolist() == fs.array(model.draw(np.random.default_rng(5))[name], "bfloat16").codes.tolist()
    assert (model.draw(6)[next(iter(shapes))] != drawn[next(iter(shapes))]).any()


def test_the_articles_network_has_its_shapes_and_names_its_layers(quiet):
    model = CNN()
    params = {name: Tensor(x, name=name) for name, x in model.init("bfloat16", rng=0).items()}
    assert sum(x.value.size for x in params.values()) == 93_322
    y = model(params, Tensor(fs.array(np.full((2, 784), 0.5), "bfloat16"), wanted=False))
    found, stack = {}, [y]
    while stack:
        x = stack.pop(0)
        found.setdefault(x.layer, x.value.shape) if x.layer else None
        stack += x.arguments
    assert found == {
        "dense2": (2, 10), "relu4": (2, 64), "dense1": (2, 64), "flatten": (2, 576), "relu3": (2, 3, 3, 64),
        "conv3": (2, 3, 3, 64), "pool2": (2, 5, 5, 64), "relu2": (2, 11, 11, 64), "conv2": (2, 11, 11, 64),
        "pool1": (2, 13, 13, 32), "relu1": (2, 26, 26, 32), "conv1": (2, 26, 26, 32), "images": (2, 28, 28, 1),
    }  # fmt: skip
    with pytest.raises(ValueError, match=r"shape=\(8, 8\) is too small for the CNN; use images of at least 18 x 18"):
        CNN((8, 8))


@pytest.mark.parametrize("init", ["he", "xavier", "small"])
def test_an_initialiser_has_the_deviation_that_it_promises(init):
    weight = MLP((300, 200, 10)).draw(0, init)["layer1.weight"]
    expected = {"he": np.sqrt(2 / 300), "xavier": np.sqrt(2 / 500), "small": 0.01}[init]
    assert weight.std() == pytest.approx(expected, rel=0.02)
    assert abs(weight.mean()) < 0.02 * expected
    if init == "xavier":
        assert np.abs(weight).max() <= np.sqrt(6 / 500)


# --- docstrings -----------------------------------------------------------------------------------------------------


def test_the_reading_orders_name_modules_and_those_of_the_data_are_all_there():
    def named(package):
        return set(re.findall(r"`(\w+)`", package.__doc__))

    def modules(package):
        return {path.stem for path in Path(package.__file__).parent.rglob("*.py")} - {"__init__"}

    packages = {path.parent.name for path in Path(fs.learn.__file__).parent.glob("*/__init__.py")}
    assert packages <= named(fs.learn) <= modules(fs.learn) | packages
    assert named(data) == modules(data)


FIELDS = re.compile(r"(?:Attributes|Parameters)\n-+\n(.*?)(?=\n\n|\Z)", re.DOTALL)


def records():
    """The dataclasses of the lab whose docstrings have a section on their fields, with these sections."""
    for module in pkgutil.walk_packages(fs.learn.__path__, "fp16sim.learn."):
        for name, found in inspect.getmembers(importlib.import_module(module.name), dataclasses.is_dataclass):
            section = FIELDS.search(inspect.getdoc(found) or "")
            if section and found.__module__ == module.name:
                yield pytest.param(found, section[1], id=name)


@pytest.mark.parametrize(("record", "section"), [*records()])
def test_the_docstring_of_a_record_lists_its_fields(record, section):
    lines = [line.partition(" : ")[0] for line in section.splitlines() if not line.startswith(" ")]
    listed = {name for line in lines for name in re.split(r", | and ", line)}
    fields = {field.name for field in dataclasses.fields(record) if not field.name.startswith("_")}
    derived = {name for name, value in vars(record).items() if isinstance(value, property)}
    assert fields <= listed <= fields | derived
