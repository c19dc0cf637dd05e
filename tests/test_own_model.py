"""Models, losses and data of one's own: trained by the same engine as the built-in ones, and refused with a reason."""

import json
from dataclasses import replace

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import report
from fp16sim.learn import (
    MLP,
    RECIPES,
    Activation,
    Chain,
    Config,
    Dataset,
    FunctionModel,
    Linear,
    Model,
    ReLU,
    Samples,
    Tensor,
    check,
    costs,
    cross_entropy,
    diagnose,
    evaluate,
    gradients,
    load_digits,
    load_model,
    mean_squared_error,
    save_model,
    survey,
    train,
)
from fp16sim.learn.model.own import name_by_parameters
from fp16sim.learn.observe.telemetry import BackwardObserver

from .support import first

DIGITS = load_digits()
FEW = Dataset(
    "digits",
    DIGITS.train_images[:96],
    DIGITS.train_labels[:96],
    DIGITS.test_images[:50],
    DIGITS.test_labels[:50],
    image_shape=(8, 8),
)
X = np.linspace(-2, 2, 64).reshape(-1, 1)
CURVE = (X, np.sin(2 * X), X[::4], np.sin(2 * X[::4]))


def bits(history):
    return {name: x.codes.tolist() for name, x in history.params.items()}


def curve(params, x):
    hidden = (x @ params["hidden.weight"] + params["hidden.bias"]).tanh()
    return hidden @ params["out.weight"] + params["out.bias"]


SHAPES = {"hidden.weight": (1, 8), "hidden.bias": (8,), "out.weight": (8, 1), "out.bias": (1,)}
MODEL = FunctionModel(curve, SHAPES)


def squares(output, targets):
    difference = output - targets
    return (difference * difference).mean()


def run(policy="binary32", data=CURVE, **options):
    given = {"model": MODEL, "loss": squares, "epochs": 2, "batch": 16, "lr": 0.01, **options}
    return train(Config(policy) if not isinstance(policy, Config) else policy, data, **given)


# --- the same engine ------------------------------------------------------------------------------------------------


def two_layers(params, x):
    hidden = (x @ params["layer1.weight"] + params["layer1.bias"]).relu()
    return hidden @ params["layer2.weight"] + params["layer2.bias"]


TELLING = ("fp8-mixed", "mixed-binary16")
"""Recipes whose products are summed in another format, or take factors of another one."""


@pytest.mark.parametrize("recipe", first(2, sorted(RECIPES, key=lambda name: name not in TELLING)))
def test_the_mlp_written_as_a_function_has_the_bits_of_the_built_in_one(recipe):
    sizes = (64, 32, 10)
    drawn = MLP(sizes).draw(0, RECIPES[recipe].options.get("init", ""))
    built_in = train(recipe, FEW, epochs=1, batch=32)
    own = train(
        recipe,
        FEW,
        model=FunctionModel(two_layers, drawn),
        loss=lambda logits, labels: cross_entropy(logits, labels),
        epochs=1,
        batch=32,
    )
    assert bits(own) == bits(built_in)
    assert own.epochs[0].test_accuracy == built_in.epochs[0].test_accuracy
    if built_in.death is None:
        seen = {key: s.binades for key, s in own.telemetry.surveys.items() if key[0] in ("weight", "weight gradient")}
        assert seen == {key: built_in.telemetry.surveys[key].binades for key in seen}
        assert len(seen) == 8


def test_a_chain_and_a_list_of_layers_are_models_too():
    built_in = train("bfloat16-kahan", FEW, epochs=1)
    chain = train("bfloat16-kahan", FEW, epochs=1, model=MLP((64, 32, 10)))
    layers = train("bfloat16-kahan", FEW, epochs=1, model=[Linear(64, 32), ReLU(), Linear(32, 10)])
    assert bits(chain) == bits(built_in)
    assert list(bits(layers)) == ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]
    assert list(bits(layers).values()) == list(bits(built_in).values())
    assert ("activation", "relu1") in layers.telemetry.surveys


def test_the_trial_before_the_first_step_draws_no_random_number_of_the_run():
    config = Config("bfloat16:stochastic", epochs=1)
    assert bits(train(config, FEW, model=MLP((64, 32, 10)))) == bits(train(config, FEW))


def test_products_of_stacks_are_seen_by_the_microscope_as_binary64_has_them():
    rng = np.random.default_rng(0)
    a, b = fs.round_to(rng.standard_normal((3, 2, 4)) * 1e-4), fs.round_to(rng.standard_normal((4, 2)) * 1e-4)
    t, u = (Tensor(fs.array(x, "binary16"), name=name, layer="stacks") for x, name in ((a, "t"), (b, "u")))
    observer = BackwardObserver()
    gradients(((t @ u) * 1e-4).sum(), {"t": t, "u": u}, observer=observer)
    g = np.full((3, 2, 2), float(fs.round_to(1e-4)))
    expected = {"t": g @ b.T, "u": (a.swapaxes(1, 2) @ g).sum(axis=0)}
    seen = {name: found for _, name, found in observer.seen if name in expected}
    assert {name: found.binades for name, found in seen.items()} == {
        name: survey(x, "binary16").binades for name, x in expected.items()
    }


def test_weights_are_drawn_by_a_rule_and_biases_start_at_0_and_arrays_as_given():
    model = FunctionModel(curve, {**SHAPES, "out.weight": np.full((8, 1), 0.1)})
    drawn = model.draw(3)
    assert drawn["hidden.weight"].tolist() == fs.learn.Chain((("a", Linear(1, 8)),)).draw(3)["a.weight"].tolist()
    assert not drawn["hidden.bias"].any()
    assert drawn["out.weight"].tolist() == [[0.1]] * 8
    assert (model.draw(3, "xavier")["hidden.weight"] != drawn["hidden.weight"]).all()
    assert model.shapes() == SHAPES


def test_the_policy_of_the_run_holds_in_a_function():
    seen = {}

    def looked_at(params, x):
        y = x @ params["hidden.weight"] + params["hidden.bias"]
        z = y.mean(0)
        seen.update(product=y.arguments[0].settings, mean=z.settings, fmt=y.value.fmt.name)
        return curve(params, x) + z.sum() * 0

    run("compute=binary16 accumulator=pairwise:binary32", model=FunctionModel(looked_at, SHAPES), epochs=1)
    assert seen["fmt"] == "binary16"
    assert str(seen["product"]["accumulator"]) == str(seen["mean"]["accumulator"]) != "None"


def test_integers_reach_a_function_as_they_are_so_that_rows_can_be_taken():
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 3000, (32, 2))  # beyond 2048, which binary16 and bfloat16 would round

    def apply(params, x):
        assert x.dtype.kind == "i"
        return params["table.rows"].take(x).mean(axis=1) @ params["out.weight"]

    model = FunctionModel(apply, {"table.rows": (3000, 4), "out.weight": (4, 2)})
    data = Samples("ids", ids, ids[:, 0] % 2, ids[:10], ids[:10, 0] % 2)
    history = train("bfloat16-plain", data, model=model, epochs=2, batch=16, lr=0.1)
    assert history.epochs[-1].loss < history.epochs[0].loss
    assert history.answers.images == 10
    assert {layer for kind, layer in history.telemetry.surveys if kind == "activation"} == {"table", "out"}


def test_operations_belong_to_the_layer_of_their_parameters_or_else_of_their_operands():
    params = {name: Tensor(fs.array(np.ones((2, 2)), "binary16"), name=name) for name in ("a.b.w", "c.w", "d")}
    x = Tensor(fs.array(np.ones((2, 2)), "binary16"), wanted=False)
    first_one = (x * 2.0) @ params["a.b.w"].T
    y = (first_one.relu() @ params["c.w"]) + params["d"]
    name_by_parameters(y, params)
    assert (y.layer, y.arguments[0].layer, y.arguments[0].arguments[0].layer, first_one.layer) == (
        "model",
        "c",
        "a.b",
        "a.b",
    )
    assert [x.layer for x in first_one.arguments] == ["model", "a.b"]


# --- what is reported -----------------------------------------------------------------------------------------------


def test_targets_that_are_not_classes_have_no_accuracy_but_the_loss_of_the_test_samples():
    history = run(epochs=5, validation=0.25)
    end = history.epochs[-1]
    assert (end.test_accuracy, end.validation_accuracy, history.answers) == (None, None, None)
    params = {name: Tensor(x) for name, x in history.params.items()}
    output = curve(params, Tensor(fs.array(CURVE[2], "binary32")))
    assert end.test_loss == pytest.approx(float(squares(output, CURVE[3]).value), rel=1e-5)
    assert 0 < end.test_loss < history.epochs[0].test_loss
    assert f"test accuracy -, loss {end.loss:.4f} (test {end.test_loss:.4f})" in str(history)
    assert "model curve, loss squares" in str(history)
    assert json.loads(json.dumps(history.to_dict()))["config"]["model"]["shapes"]["hidden.weight"] == [1, 8]
    assert run(data=CURVE[:2]).epochs[0].test_loss is None


def test_numbers_that_only_look_like_classes_have_no_accuracy():
    counts = (np.arange(64) % 5, np.arange(64) % 5 * 1.0)
    for targets in counts:  # integers beside an output of one column, and real numbers
        data = Samples("counts", X, targets, X, targets)
        history = train("pure-binary32", data, model=MODEL, loss=lambda y, t: (y[:, 0] - t).square().mean(), epochs=1)
        assert history.answers is None
        assert history.epochs[0].test_loss > 0
    assert (Samples.of((X, counts[0])).classes, Samples.of((X, counts[1])).classes) == (5, 0)


def test_a_model_without_products_on_data_that_have_a_name_can_be_diagnosed():
    def scaled(params, x):
        return (x * params["scale"])[:, :10]

    model = FunctionModel(scaled, {"scale": np.ones(64)})
    history = train("bfloat16-plain", "digits", model=model, epochs=1, batch=719, look_every=0)
    assert history.config.model.image_shape == (8, 8)
    assert diagnose(history) == diagnose(replace(history))
    assert check(history.config) == check("bfloat16-plain", data=DIGITS, model=model, epochs=1, batch=719)


def test_a_report_of_own_models_has_every_part():
    died = run(Config("binary16", epsilon=1e-8), lr=0.5)
    text = report.html([run(), run("bfloat16", loss="mean_squared_error"), died])
    for part in ("own data, the model curve", "Test loss", "ends with a training loss of", "hidden.weight", "squares"):
        assert part in text
    assert "fs.learn.train(Config(" in report.command(run().config, lr=0.5)
    assert report.command(run().config, lr=0.5).endswith("lr=0.5)")


def test_check_costs_and_diagnose_know_a_model_of_ones_own():
    data = Samples.of(CURVE)
    topics = [advice.topic for advice in check("pure-bfloat16", data=data, model=MODEL, loss=squares)]
    assert "beta2" in topics
    found = costs("mixed-binary16", data=data, model=MODEL, loss=squares, batch=16)
    assert (found.parameters, found.multiply_adds) == (25, 16 * 8 * 2 + 16 * 8 * 3)
    died = run(Config("binary16", epsilon=1e-8), data=(X * 0, X))
    assert died.death.tensor.startswith("the step of")
    assert any(advice.change.get("epsilon") for advice in diagnose(died))
    with pytest.raises(ValueError, match=r"model='curve' is your own, and its data are unknown; give them: data="):
        costs("mixed-binary16", model=MODEL)


def test_the_first_cause_of_a_death_names_the_layer_of_the_function():
    def overflows(params, x):
        return (curve(params, x) * params["scale.factor"] * 60000.0) * 60000.0

    model = FunctionModel(overflows, {**SHAPES, "scale.factor": np.ones(1)})
    death = run("binary16", model=model).death
    assert (death.phase, death.layer, death.operation) == ("forward", "scale", "multiply")


# --- files ----------------------------------------------------------------------------------------------------------


class Stop(Exception):
    pass


@pytest.mark.parametrize("policy", first(1, ["bfloat16:stochastic", "compute=binary16 master=binary32 state=binary32"]))
def test_an_interrupted_run_goes_on_with_the_same_bits(tmp_path, policy):
    whole = run(policy, epochs=3)

    def stop(step, steps):
        if step == 6:
            raise Stop

    path = tmp_path / "run.npz"
    with pytest.raises(Stop):
        run(policy, epochs=3, checkpoint_path=path, checkpoint_seconds=0, on_step=stop)
    resumed = run(policy, epochs=3, checkpoint_path=path, resume=True)
    assert bits(resumed) == bits(whole)
    assert resumed.epochs == whole.epochs
    other = FunctionModel(curve, {**SHAPES, "hidden.bias": (1, 8)})
    with pytest.raises(ValueError, match=r"belongs to another configuration .model=curve there and curve here"):
        run(policy, epochs=3, model=other, checkpoint_path=path, resume=True)
    with pytest.raises(ValueError, match="loss=squares there and mean_squared_error here"):
        run(policy, epochs=3, loss="mean_squared_error", checkpoint_path=path, resume=True)


def test_a_file_has_the_parameters_and_takes_the_code_back(tmp_path):
    path, data = tmp_path / "model.npz", Samples("two", X, (X[:, 0] > 0).astype(int), X, (X[:, 0] > 0).astype(int))
    model = FunctionModel(curve, {**SHAPES, "out.weight": (8, 2), "out.bias": (2,)})
    history = train("pure-binary32", data, model=model, epochs=5, batch=8, lr=0.05)
    save_model(path, Model(history.config, history.params, data.image_shape, data.classes))
    bare, whole = load_model(path), load_model(path, model=model)
    assert {name: x.codes.tolist() for name, x in bare.params.items()} == bits(history)
    assert evaluate(whole, data, ["binary16"])[0].trained.accuracy == history.epochs[-1].test_accuracy
    with pytest.raises(ValueError, match=r"model='curve' is not built in, .* as in load_model\(path, model="):
        evaluate(bare, data, ["binary16"])
    losses = run()
    with pytest.raises(
        ValueError, match="data='own data' has targets that are not class numbers, and evaluate measures"
    ):
        evaluate(Model(losses.config, losses.params, (1,), 0), Samples.of(CURVE), ["binary16"])
    with pytest.raises(ValueError, match=r"model has the parameters .* give its own model"):
        load_model(path, model=MODEL)
    tuned = train("pure-binary32", data, model=model, epochs=1, start_from=path)
    assert tuned.epochs[0].test_accuracy is not None


# --- what is refused ------------------------------------------------------------------------------------------------


def unused(params, x):
    return x @ params["hidden.weight"] @ params["out.weight"]


REFUSED = {
    "wrong shapes": (
        {"model": FunctionModel(curve, {**SHAPES, "out.weight": (7, 1)})},
        r"model='curve' failed with x of shape=\(2, 1\): ValueError: .*\(2, 8\).*\(7, 1\)",
    ),
    "an unknown parameter": (
        {"model": FunctionModel(curve, {"w": (1, 1)})},
        "model='curve' failed .*KeyError: 'hidden",
    ),
    "no tensor": ({"model": FunctionModel(lambda params, x: 3.0, SHAPES)}, "model='<lambda>' gave 3.0, not a Tensor"),
    "not a number": (
        {"loss": lambda output, targets: output - targets},
        r"loss='<lambda>' gave shape=\(2, 1\), not a single number; use the mean or the sum",
    ),
    "a plain number": ({"loss": lambda output, targets: 0.0}, "loss='<lambda>' gave type=float, not a single number"),
    "a loss that fails": (
        {"loss": lambda output, targets: cross_entropy(output, targets)},
        r"loss='<lambda>' failed with an output of shape=\(2, 1\) and targets of shape=\(2, 1\): ValueError",
    ),
    "unused parameters": (
        {"model": FunctionModel(unused, SHAPES)},
        r"model='unused' never uses its parameter '?hidden.bias'? and '?out.bias'?; use it, or leave it out",
    ),
    "a function alone": ({"model": curve}, r"model=<function curve.*give its parameters too: FunctionModel\(apply"),
    "no model": ({"model": 3}, "model=3 is not a model; give 'mlp', 'cnn', a list of layers, or a FunctionModel"),
    "a misspelt name": ({"model": "mpl"}, "model='mpl' is unknown; did you mean 'mlp'"),
    "a misspelt loss": (
        {"loss": "mean_square_error"},
        "loss='mean_square_error' is unknown; did you mean",
    ),
    "no loss": ({"loss": 3}, "loss=3 is not a function of the output and the targets"),
    "the layers of the mlp": ({"layers": (3,)}, r"layers=\(3,\) would have no effect: a model of your own has its own"),
    "no data": ({"data": [1, 2]}, r"data=\[1, 2\] is not data; give a name, a Dataset, Samples, or a tuple"),
    "texts": ({"data": (np.array(["a", "b"]), X[:2])}, "own data: train inputs have dtype=<U1"),
    "a NaN": ({"data": (X * np.nan, X)}, "own data: train inputs have a NaN or an infinity"),
    "counts that differ": ({"data": (X, X[:5])}, "own data: 64 train inputs and 5 train targets; give one of each"),
    "other test inputs": (
        {"data": (X, X, X[:, [0, 0]], X)},
        r"own data: test inputs have shape=\(64, 2\), and those to train on \(64, 1\)",
    ),
    "nothing": ({"data": (X[:0], X[:0])}, "own data: train inputs are empty"),
    "a penalty for nothing": (
        {"l2": 0.1, "model": FunctionModel(lambda params, x: x * params["w"], {"w": (1,)})},
        "l2=0.1 would have no effect: it is for parameters of two axes or more, and model='<lambda>' has none",
    ),
    "a batch that is too large": ({"batch": 65}, "batch=65 is more than the 64 training samples"),
    "too little memory": ({"max_bytes": 1000}, "batch=16 needs about .* GiB of memory with this model"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_trained_is_refused_before_the_first_step_with_its_value(name):
    options, says = REFUSED[name]
    with pytest.raises((ValueError, TypeError), match=f"^{says}"):
        run(**options)


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"w": (0, 3)}, r"params\['w'\]=\(0, 3\) is not a shape"),
        ({"w": ["a"]}, r"params\['w'\] has dtype=<U1; give finite real numbers"),
        ({"w": [np.inf]}, r"params\['w'\] has dtype=float64; give finite"),
        ({"a/b": (1,)}, "params has the name 'a/b'"),
        ({}, "params={} is not a dict"),
    ],
)
def test_parameters_that_are_neither_shapes_nor_numbers_are_refused(params, says):
    with pytest.raises((ValueError, TypeError), match=says):
        FunctionModel(curve, params)


def test_a_built_in_loss_is_known_by_its_name_also_if_it_is_given_as_a_function():
    assert Config(loss=mean_squared_error) == Config(loss="mean_squared_error")
    assert Config(loss=squares).to_dict()["loss"] == "squares"
    assert Config.from_dict(Config().to_dict()) == Config()
    assert replace(Config(model=Chain((("out", Linear(2, 2)),))), lr=0.5).model.name == "chain"
    assert str(Activation("relu")) != ""
