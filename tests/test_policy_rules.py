"""Precision by name: rules of a policy, and islands; each equal bit for bit to casts that are written out."""

import itertools
import json
from dataclasses import fields, replace

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.learn import (
    Chain,
    Config,
    FunctionModel,
    LayerNorm,
    Linear,
    Policy,
    ReLU,
    Samples,
    Tensor,
    gradients,
    island,
    load_model,
    train,
)
from fp16sim.learn.model.autograd import consumers_first
from fp16sim.learn.model.in_force import ByName, put_in_force
from fp16sim.learn.model.layers import call_part
from fp16sim.learn.model.transformer import GPT
from fp16sim.learn.precision import Precision, Products
from fp16sim.learn.rules import PARTS_OF_POLICY, layer_of
from fp16sim.learn.run.checkpoint import Model, save_model
from fp16sim.learn.run.engine import Engine

X = np.random.default_rng(1).normal(size=(3, 4)) * 30
W = np.random.default_rng(2).normal(size=(4, 2))
PAIRS = [("binary16", "binary32"), ("bfloat16", "binary32"), ("binary32", "bfloat16"), ("binary16", "bfloat16")]


def tensors(fmt):
    return {name: Tensor(fs.array(x, fmt), name=name) for name, x in (("x", X), ("w", W))}


def assert_same(one, other):
    assert (one.fmt, one.shape) == (other.fmt, other.shape)
    np.testing.assert_array_equal(one.codes, other.codes)


def assert_same_gradients(y, expected, given, wanted):
    assert_same(y.value, expected.value)
    found, right = gradients(y.sum(), given), gradients(expected.sum(), wanted)
    for name in given:
        assert_same(found[name], right[name])


def norm(x):
    return x / (x.square().mean(axis=-1, keepdims=True) + 1e-5).sqrt()


# --- islands --------------------------------------------------------------------------------------------------------

BODIES = {
    "a square": lambda x, w: x * x,
    "a norm": lambda x, w: norm(x),
    "a softmax": lambda x, w: (x / 10).softmax(),
    "a residual": lambda x, w: x + x.tanh(),
    "a product": lambda x, w: x @ w,
    "a vector's product": lambda x, w: x[0] @ w,
    "one parameter twice": lambda x, w: (x @ w) @ w.T + x,
    "data": lambda x, w: x * X + 0.1,
    "a product with data": lambda x, w: x @ W,
    "numbers from the left": lambda x, w: 1 - 0.1 * x,
    "data in NumPy's functions": lambda x, w: np.multiply(X, x) + np.where(X > 0, x, 0.1),
    "data beside tensors": lambda x, w: fs.learn.concatenate([X, x]) + fs.learn.stack([x[0], X[0]]).sum(),
}


@pytest.mark.parametrize(("fmt", "wide"), PAIRS)
@pytest.mark.parametrize("name", BODIES)
def test_an_island_equals_casts_that_are_written_out(name, fmt, wide):
    given, wanted = tensors(fmt), tensors(fmt)
    with island(wide):
        inside = BODIES[name](given["x"], given["w"])
    x, w = (wanted[one].cast(wide) for one in ("x", "w"))
    expected = BODIES[name](x, w).cast(fmt)
    assert inside.value.fmt == fs.get_format(wide)
    assert_same_gradients(inside.tanh(), expected.tanh(), given, wanted)


def test_what_leaves_an_island_twice_is_cast_once_so_that_its_gradients_meet_outside():
    given, wanted = tensors("bfloat16"), tensors("bfloat16")
    with island("binary32"):
        inside = given["x"].square()
    expected = wanted["x"].cast("binary32").square().cast("bfloat16")
    y = inside * 0.3 + inside.tanh()
    assert_same_gradients(y, expected * 0.3 + expected.tanh(), given, wanted)
    assert [x.value.fmt for x in consumers_first(y) if x.operation == "cast"] == [fs.BFLOAT16, fs.BINARY32]


def test_a_product_in_an_island_in_an_island_returns_to_the_outside_too():
    given = tensors("binary16")
    with island("binary32"):
        y = given["x"] * 0.1
        with island("bfloat16"):
            z = y @ given["w"]
    assert (z * 1).value.fmt == fs.BINARY16


def test_an_island_in_an_island_returns_to_the_outer_one_and_what_leaves_both_returns_to_the_outside():
    given, wanted = tensors("binary16"), tensors("binary16")
    with island("binary32"):
        y = given["x"] * 0.1
        with island("bfloat16"):
            z = y.exp()
        total = z + y
    y32 = wanted["x"].cast("binary32") * 0.1
    expected = (y32.cast("bfloat16").exp().cast("binary32") + y32).cast("binary16")
    assert_same_gradients(total.tanh(), expected.tanh(), given, wanted)


def test_an_explicit_cast_stays_outside_islands_and_rounds_in_them():
    x = tensors("binary16")["x"].cast("binary32")
    assert (x * x).value.fmt == fs.BINARY32
    with island("bfloat16"):
        assert (x.cast("binary16") * 2).value.fmt == fs.BFLOAT16


def test_the_policys_accumulator_holds_in_an_island_unless_it_is_too_narrow():
    kahan = fs.accumulators.Kahan("binary16")
    with put_in_force(products=Products(kahan)):
        with island("binary32"):
            y = tensors("binary16")["x"].matmul(tensors("binary16")["w"])
            assert y.settings["accumulator"] is None
            assert tensors("binary16")["x"].matmul(W, kahan).settings["accumulator"] is None
        with island("e5m2"):
            assert tensors("binary16")["x"].matmul(W).settings["accumulator"] is kahan
    with island("binary32"), pytest.raises(ValueError, match="narrower"):
        tensors("binary16")["x"].matmul(W, kahan)


# --- rules for layers and operations ---------------------------------------------------------------------------------


def forward(policy, model, x):
    """The output of a model under a policy, and its parameters, as a run computes it."""
    policy = Policy.of(policy)
    params = {name: Tensor(policy.param_of(name).array(w), name=name) for name, w in model.draw(3).items()}
    by_name = ByName(policy, Products.of(policy))
    data = Tensor(policy.compute.array(x), wanted=False)
    with put_in_force(by_name=by_name):
        cast = {name: w.cast(policy.compute_of(name)) for name, w in params.items()}
        return model(cast, data, by_name.usual.products), params


def own(params, x):
    hidden = (x @ params["first.weight"] + params["first.bias"]).tanh()
    scaled = norm(hidden * params["norm.scale"])
    return scaled @ params["last.weight"] + hidden.mean()


SHAPES = {"first.weight": (4, 5), "first.bias": (5,), "norm.scale": (5,), "last.weight": (5, 2)}


@pytest.mark.parametrize("fmt", ["binary16", "bfloat16"])
def test_a_rule_for_a_layer_of_a_function_equals_casts_that_are_written_out(fmt):
    found, given = forward(Policy(fmt, rules={"norm": "binary32"}), FunctionModel(own, SHAPES), X / 30)

    def written_out(params, x):
        hidden = (x @ params["first.weight"] + params["first.bias"]).tanh()
        scaled = norm(hidden.cast("binary32") * params["norm.scale"]).cast(fmt)
        return scaled @ params["last.weight"] + hidden.mean()

    params = {n: Tensor(w.value, name=n) for n, w in given.items()}
    assert given["norm.scale"].value.fmt == fs.BINARY32
    expected = written_out(params, Tensor(fs.array(X / 30, fmt), wanted=False))
    assert_same_gradients(found, expected, given, params)


def test_rules_for_layers_of_a_chain_equal_casts_that_are_written_out():
    chain = Chain((("in", Linear(4, 5)), ("norm1", LayerNorm(5)), ("relu", ReLU()), ("out", Linear(5, 2))))
    policy = Policy("binary16", rules={"norm*": "binary32", "norm*:param": "bfloat16", "out:accumulator": "kahan"})
    found, given = forward(policy, chain, X)
    params = {n: Tensor(w.value, name=n) for n, w in given.items()}
    assert given["norm1.scale"].value.fmt == fs.BFLOAT16
    layers = dict(chain.layers)
    h = layers["in"]({k: params[f"in.{k}"] for k in ("weight", "bias")}, Tensor(fs.array(X, "binary16"), wanted=False))
    own_of_norm = {k: params[f"norm1.{k}"].cast("binary32") for k in ("scale", "shift")}
    h = layers["relu"]({}, layers["norm1"](own_of_norm, h.cast("binary32")).cast("binary16"))
    how = Products(fs.accumulators.Kahan("binary16"))
    expected = layers["out"]({k: params[f"out.{k}"] for k in ("weight", "bias")}, h, how)
    assert_same_gradients(found, expected, given, params)


@pytest.mark.parametrize("key", ["*/softmax", "attention/softmax", "att*/soft*"])
def test_a_rule_for_an_operation_equals_casts_that_are_written_out(key):
    model = FunctionModel(lambda params, x: (x @ params["attention.w"]).softmax() * 3, {"attention.w": (4, 6)})
    found, given = forward(Policy("bfloat16", rules={key: "binary32"}), model, X / 10)
    params = {n: Tensor(w.value, name=n) for n, w in given.items()}
    x = Tensor(fs.array(X / 10, "bfloat16"), wanted=False)
    expected = (x @ params["attention.w"]).cast("binary32").softmax().cast("bfloat16") * 3
    assert_same_gradients(found, expected, given, params)


def test_a_rule_can_give_an_operation_another_accumulator_but_not_one_that_the_code_has_chosen():
    pairwise = fs.accumulators.Pairwise("binary16")

    def sums(params, x):
        return x.sum_rows() * x.sum_rows(pairwise) + params["w"]

    y, _ = forward(Policy("binary16", rules={"*/sum_rows:accumulator": "exact"}), FunctionModel(sums, {"w": (3,)}), X)
    used = [x.settings["accumulator"] for x in y.arguments[0].arguments]
    assert [type(x) for x in used] == [fs.accumulators.Exact, fs.accumulators.Pairwise]


def test_a_rule_for_an_operation_changes_the_accumulator_that_layers_pass_on():
    chain = Chain((("norm", LayerNorm(4)), ("out", Linear(4, 2))))
    policy = Policy("binary16", accumulator="kahan", rules={"*/sum_rows:accumulator": "exact"})
    y, _ = forward(policy, chain, X)
    used = {x.operation: type(x.settings["accumulator"]) for x in consumers_first(y) if x.settings.get("accumulator")}
    assert used == {
        "sum_rows": fs.accumulators.Exact,
        **dict.fromkeys(("add", "multiply", "matmul"), fs.accumulators.Kahan),
    }


def test_a_view_of_a_parameter_belongs_to_its_layer():
    def turned(params, x):
        return (x * params["first.w"]) @ params["last.w"].T

    model = FunctionModel(turned, {"first.w": (4,), "last.w": (2, 4)})
    y, _ = forward(Policy("binary16", rules={"last": "binary32"}), model, X)
    assert {x.operation: x.value.fmt for x in consumers_first(y)}["matmul"] == fs.BINARY32


def test_each_layer_casts_what_it_is_given_for_itself():
    x = tensors("binary16")["x"]
    with put_in_force(by_name=ByName(Policy("binary16", rules={"*": "binary32"}), Products())):
        y = call_part("a", ReLU(), {}, x, Products()) + call_part("b", ReLU(), {}, x, Products())
    assert sum(z.operation == "cast" and z.arguments[0] is x for z in consumers_first(y)) == 2


def test_a_run_casts_its_parameters_to_the_format_of_their_layer_alone():
    run = Engine(Config("compute=binary16 layer2=binary32", layers=(3,)), fs.learn.load_digits())
    params, images = run.start().params, run.data.test_images[:5]
    hidden = fs.matmul(fs.round_to(images, "binary16"), params["layer1.weight"].values, "binary16")
    hidden = np.maximum(fs.add(hidden, params["layer1.bias"].values, "binary16"), 0)
    logits = fs.add(
        fs.matmul(hidden, params["layer2.weight"].values, "binary32"), params["layer2.bias"].values, "binary32"
    )
    np.testing.assert_array_equal(run.predict(params, images), fs.round_to(logits, "binary16"))


def test_a_square_is_an_operation_of_its_own_for_rules():
    model = FunctionModel(lambda params, x: x * x * params["w"], {"w": (4,)})
    y, _ = forward("compute=binary16 */square=binary32", model, X)
    square = y.arguments[0].arguments[0]
    assert (y.arguments[0].operation, square.operation, square.value.fmt) == ("cast", "multiply", fs.BINARY32)


def test_rules_find_layers_within_layers_and_the_head_of_a_language_model():
    model = GPT(7, {"width": 8, "heads": 2, "blocks": 1, "context": 3})
    rules = {"*norm*": "binary32", "block1.attention/softmax": "binary32", "head": "tf32"}
    x = np.array([[1, 2, 3]])
    params = {n: Tensor(fs.array(w, "bfloat16"), name=n) for n, w in model.draw(0).items()}
    policy = Policy("bfloat16", rules=rules)
    with put_in_force(by_name=ByName(policy, Products())):
        y = model(params, x)
    found = {
        x.layer: x.value.fmt.name for x in consumers_first(y) if x.operation == "rsqrt" or x.operation == "softmax"
    }
    assert found == dict.fromkeys(("block1.norm1", "block1.attention", "block1.norm2", "norm"), "binary32")
    products = {x.layer: x.value.fmt.name for x in consumers_first(y) if x.operation == "matmul"}
    assert products["head"] == "tf32"
    assert {fmt for layer, fmt in products.items() if layer != "head"} == {"bfloat16"}


def test_a_rule_for_blocks_keeps_the_residual_stream_in_its_format_from_block_to_block():
    model = GPT(7, {"width": 8, "heads": 2, "blocks": 2, "context": 3})
    params = {n: Tensor(fs.array(w, "binary16"), name=n) for n, w in model.draw(0).items()}
    with put_in_force(by_name=ByName(Policy("binary16", rules={"block?": "binary32"}), Products())):
        y = model(params, np.array([[1, 2, 3]]))
    sums = [x for x in consumers_first(y) if x.operation == "add" and x.layer in ("block1", "block2")]
    assert len(sums) == 4
    assert {x.value.fmt for x in sums} == {fs.BINARY32}
    assert all(later.arguments[0] is earlier for later, earlier in itertools.pairwise(sums))
    assert {x.value.fmt for x in consumers_first(y) if x.operation == "matmul"} == {fs.BINARY16}


def test_the_last_of_several_rules_holds_and_parts_hold_alone():
    policy = Policy(
        "binary16", rules={"*": "bfloat16", "n*": "binary32", "norm2:compute": "tf32", "norm2:operand": "e5m2"}
    )
    assert policy.of_layer("norm2").compute == Precision.of("tf32")
    assert policy.of_layer("norm2").operand == Precision.of("e5m2")
    assert policy.param_of("norm2.scale") == Precision.of("binary32")
    assert policy.param_of("x") == policy.of_layer("x").compute == Precision.of("bfloat16")
    assert policy.param == Precision.of("binary16")


def test_without_a_rule_a_master_copy_is_the_weight_of_all():
    policy = Policy("binary16", master="binary32", rules={"a*": "bfloat16"})
    assert policy.weights_of("a.w") == Precision.of("binary32")
    assert replace(policy, master=None).weights_of("a.w") == Precision.of("bfloat16")


def test_a_layer_whose_format_the_policys_accumulator_does_not_take_sums_in_sequence():
    policy = Policy("binary16", accumulator="volta", rules={"a": "binary32", "b:operand": "e5m2", "c": "bfloat16"})
    assert [policy.of_layer(x).accumulator for x in "abcd"] == ["sequential", "volta", "sequential", "volta"]
    with pytest.raises(ValueError, match="layer a: accumulator='volta' with compute=binary32"):
        Policy("binary16", rules={"a": "binary32", "a:accumulator": "volta"}).of_layer("a")


# --- as text and as data ----------------------------------------------------------------------------------------------

TEXTS = [
    "compute=binary16 norm*=binary32 *.weight=bfloat16:stochastic",
    "compute=bfloat16 operand=e4m3fn layer3:operand=none",
    "compute=binary16 accumulator=blas */softmax=binary32 layer?/sum:accumulator=kahan [w]:param=binary32",
    "compute=binary16 norm=binary32 [o]utput=binary32 [m]astr=binary32",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_policy_with_rules_survives_text_and_json(text):
    policy = Policy.of(text)
    assert str(policy) == text
    assert Policy.of(str(policy)) == policy
    assert Policy.from_plain(json.loads(json.dumps(policy.to_dict())), "policy") == policy
    assert Policy(**policy.to_dict()) == policy
    assert Config(policy).label == text.removeprefix("compute=")
    assert Config.from_dict(json.loads(json.dumps(Config(policy).to_dict()))).policy == policy


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ({"norm*:acumulator": "kahan"}, "did you mean 'accumulator'"),
        ({"norm*/": "binary32"}, "PATTERN or PATTERN/OPERATION"),
        ({"norm *": "binary32"}, "without spaces"),
        ({"*/softmax:param": "binary32"}, "after ':' comes one of compute, accumulator"),
        ({"norm*": "binary23"}, r"rules\['norm\*'\]: fmt='binary23' is not a known format; did you mean 'binary32'"),
        ({"norm*": None}, r"rules\['norm\*'\]"),
        ({"norm*:accumulator": 3}, "3 is not the name of an accumulator"),
        ({3: "binary32"}, "rules has the key 3"),
        ("norm*", "is not a dict of patterns and formats"),
    ],
)
def test_rules_that_cannot_be_are_refused(rules, says):
    with pytest.raises((ValueError, TypeError), match=says):
        Policy("binary16", rules=rules)


def test_rules_alone_are_added_to_the_policy_of_a_recipe_or_config():
    mixed = fs.learn.get_config("mixed-binary16")
    ruled = fs.learn.get_config("mixed-binary16", policy="layer2=binary32 layer1:operand=e5m2")
    assert ruled == replace(
        mixed, recipe="", policy=replace(mixed.policy, rules={"layer2": "binary32", "layer1:operand": "e5m2"})
    )
    more = fs.learn.get_config(ruled, policy="*.bias=bfloat16")
    assert str(more.policy) == f"{ruled.policy} *.bias=bfloat16"
    with pytest.raises(ValueError, match=r"rules for names alone; .* as in 'compute=binary16 norm\*=binary32'"):
        Config("norm*=binary32")


def test_the_parts_of_a_policys_text_are_its_fields():
    assert tuple(field.name for field in fields(Policy) if field.name != "rules") == PARTS_OF_POLICY


def test_a_misspelt_part_is_no_pattern():
    with pytest.raises(ValueError, match="did you mean 'master'"):
        Policy.of("compute=binary16 mastr=binary32")
    with pytest.raises(ValueError, match=r"did you mean 'output'\?.*; write a layer of this name as \[o\]ut$"):
        Policy.of("compute=binary16 out=binary32")


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        (
            {"nrom*": "binary32"},
            "matches no name; the layers are layer1, relu1 and layer2; the parameters are layer1.weight",
        ),
        ({"*.wieght:param": "binary32"}, "no name; the parameters are layer1.weight, layer1.bias"),
        ({"relu1:param": "binary32"}, "matches no name; the parameters are layer1.weight"),
        ({"*/tanh": "binary32"}, "matches no name; the operations are layer1/matmul, layer1/add"),
        ({"layer1": "binary32", "layer1:accumulator": "volta"}, "layer layer1: accumulator='volta' with"),
    ],
)
def test_a_pattern_that_matches_nothing_is_refused_before_training(rules, says):
    with pytest.raises(ValueError, match=says):
        train(Config(Policy("binary16", rules=rules)), epochs=1)


# --- runs -------------------------------------------------------------------------------------------------------------

RULED = "compute=binary16 layer2=binary32 layer1.weight=bfloat16 */relu=bfloat16"


def test_a_run_with_rules_stores_and_resumes_each_parameter_in_its_format(tmp_path):
    config = Config(RULED, epochs=2, update="kahan", batch=256)
    whole = train(config)
    formats = {name: x.fmt.name for name, x in whole.params.items()}
    assert formats == {
        "layer1.weight": "bfloat16", "layer1.bias": "binary16", "layer2.weight": "binary32", "layer2.bias": "binary32"
    }  # fmt: skip
    path = tmp_path / "run.npz"
    train(replace(config, epochs=1), checkpoint_path=path)
    resumed = train(config, checkpoint_path=path, resume=True)
    for name, x in whole.params.items():
        assert_same(resumed.params[name], x)
    stored = load_model(path)
    assert {name: x.fmt.name for name, x in stored.params.items()} == formats
    save_model(tmp_path / "model.npz", Model(config, whole.params, stored.image_shape, stored.classes))
    assert load_model(tmp_path / "model.npz").config.policy == Policy.of(RULED)
    assert fs.learn.evaluate(stored, fs.learn.load_digits(), ["binary16"])[0].trained.accuracy == whole.answers.accuracy


def test_the_microscope_names_the_format_of_what_enters_a_layer_of_another_format():
    seen = train(Config("compute=binary16 layer2=binary32", epochs=1, batch=512), look_every=1).telemetry.surveys
    assert seen["weight gradient", "layer2.weight"].fmt == fs.BINARY32
    assert seen["activation gradient", "layer2 (binary16)"].fmt == fs.BINARY16
    assert fs.learn.diagnose(train(Config("compute=binary16 layer2=binary32", epochs=1, batch=512))) is not None


def test_costs_count_each_parameter_in_its_format():
    plain, ruled = (fs.learn.costs(Config(text)) for text in ("binary16", "compute=binary16 layer2=binary32"))
    assert ruled.weights - plain.weights == 2 * (32 * 10 + 10)


def test_costs_count_micro_batches_and_averages():
    plain, parts, average = (
        fs.learn.costs(Config("binary16", batch=10, **options))
        for options in ({}, {"accumulate": 3, "accumulate_in": "binary32"}, {"ema": 0.9, "ema_in": "binary32"})
    )
    n = plain.parameters
    assert parts.multiply_adds == plain.multiply_adds
    assert parts.gradients == plain.gradients + 4 * n
    assert parts.activations < plain.activations / 2
    assert (average.master - plain.master, average.checkpoint - plain.checkpoint) == (4 * n, 4 * n)
    assert average.elementwise - plain.elementwise == 3 * n


def test_a_model_of_ones_own_trains_with_rules():
    data = Samples.of((X.astype(np.float32) / 300, np.array([0, 1, 1])))
    config = Config("compute=binary16 nor*=binary32", model=FunctionModel(own, SHAPES), epochs=1, batch=3)
    assert train(config, data=data).params["norm.scale"].fmt == fs.BINARY32
    with pytest.raises(ValueError, match="the layers are first, norm and last"):
        train(replace(config, policy="compute=binary16 mean*=binary32"), data=data)


def test_the_layer_of_a_parameter_is_its_name_up_to_the_last_dot():
    assert [layer_of(name) for name in ("block1.norm.scale", "w")] == ["block1.norm", "model"]


def test_an_engine_without_rules_puts_none_in_force():
    assert Engine(Config("binary16"), fs.learn.load_digits()).by_name is None


# --- advice -----------------------------------------------------------------------------------------------------------


def test_squares_that_overflow_in_a_layer_are_cured_by_the_rule_that_the_diagnosis_gives():
    model = [Linear(4, 8), LayerNorm(8), Linear(8, 2)]
    data = Samples.of((np.float32(X * 50), np.array([0, 1, 1])))
    config = Config("binary16", model=model, epochs=1, batch=3, loss_scale="none", unscale=True)
    (advice,) = (a for a in fs.learn.diagnose(train(config, data=data, look_every=1)) if a.topic == "squares")
    assert advice.options == '--policy "compute=binary16 layernorm1=binary32"'
    cured = train(config, data=data, look_every=1, **advice.change)
    assert "squares" not in [advice.topic for advice in fs.learn.diagnose(cured)]


def test_a_check_knows_which_accumulator_and_which_format_a_layer_has():
    config = Config("bfloat16", data="mnist", constants="binary64", lr=1e-2)
    assert "accumulator" in [advice.topic for advice in fs.learn.check(config)]
    for rules in ({"layer1:accumulator": "blas"}, {"layer1": "binary32"}, {"*/matmul:accumulator": "exact"}):
        policy = Policy("bfloat16", rules=rules)
        assert "accumulator" not in [advice.topic for advice in fs.learn.check(replace(config, policy=policy))]
    slow = replace(config, lr=1e-4)
    assert "absorbed updates" in [advice.topic for advice in fs.learn.check(slow)]
    wide = replace(slow, policy=Policy("bfloat16", rules={"*.weight": "binary32"}))
    assert "absorbed updates" not in [advice.topic for advice in fs.learn.check(wide)]


@pytest.mark.parametrize("ask", [fs.learn.check, fs.learn.costs])
def test_what_is_asked_before_a_run_refuses_unknown_names_too(ask):
    with pytest.raises(ValueError, match=r"'nrom\*', which matches no name"):
        ask(Config("compute=binary16 nrom*=binary32"))
