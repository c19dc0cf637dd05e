"""Policies and recipes: how they are read and refused, and that each kind of number gets the format it was given."""

import json
from dataclasses import fields, replace

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import accumulators
from fp16sim.learn import RECIPES, Config, Dataset, Policy, Precision, Tensor, get_config
from fp16sim.learn.precision import OPTIONAL, PRECISIONS, get_accumulator
from fp16sim.learn.run.engine import Engine

FLUSHING = replace(fs.BINARY16, name="binary16_flushing", subnormals="flush_to_zero")


def test_a_precision_is_read_from_names_formats_and_dtypes():
    half = Precision(fs.BINARY16, fs.Rounding.TIES_TO_EVEN)
    for given in ("binary16", "fp16", "half:ties_to_even", fs.BINARY16, np.float16, half):
        assert Precision.of(given) == half
    assert Precision.of("bf16:stochastic") == (fs.BFLOAT16, fs.Rounding.STOCHASTIC)
    assert str(Precision.of("bf16:toward_zero")) == "bfloat16:toward_zero"


def test_an_array_in_its_own_precision_is_left_alone_and_any_other_is_rounded_once():
    x = fs.array([1.0, 0.1], "binary32")
    assert Precision.of("binary32").array(x) is x
    assert Precision.of("binary16").array(x).codes.tolist() == fs.array(x.values, "binary16").codes.tolist()
    other = Precision.of("binary32:toward_zero").array(x)
    assert other.mode is fs.Rounding.TOWARD_ZERO
    assert other.values is x.values
    rng = np.random.default_rng(0)
    assert Precision.of("binary32:stochastic").array(x, rng).rng is rng


def test_what_a_policy_does_not_say_follows_compute_and_the_optional_parts_are_absent():
    policy = Policy("binary16", state="binary32")
    for name in PRECISIONS:
        expected = {"state": Precision.of("binary32")}.get(name, None if name in OPTIONAL else Precision.of("binary16"))
        assert getattr(policy, name) == expected
    assert {f.name for f in fields(Policy)} == {*PRECISIONS, "accumulator", "rules"}
    assert policy.weights == policy.param
    assert replace(policy, master="binary32").weights == Precision.of("binary32")
    assert not policy.stochastic
    assert replace(policy, operand="e4m3fn:stochastic").stochastic


POLICIES = [
    *(recipe.options["policy"] for recipe in RECIPES.values()),
    Policy("bfloat16:stochastic"),
    Policy("binary16", master="binary16", output="bfloat16:toward_zero", accumulator="pairwise:binary32:toward_zero"),
    Policy("binary16", operand="e4m3fn", cotangent="e5m2:stochastic", accumulator="kahan"),
]


@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_a_policys_text_and_its_plain_data_are_read_back(policy):
    assert Policy.of(str(policy)) == policy
    assert Policy(**json.loads(json.dumps(policy.to_dict()))) == policy


def test_the_plain_data_of_a_policy_call_named_formats_by_name():
    told = Policy("bfloat16", master="binary32").to_dict()
    assert json.dumps(told).count("bfloat16") == 6  # compute, and what follows it
    assert told["master"] == Precision.of("binary32").to_plain()
    assert "width" not in json.dumps(told)


def test_the_text_of_a_policy_leaves_out_what_follows_compute():
    assert str(Policy("bfloat16")) == "compute=bfloat16"
    given = Policy("binary16", param="bfloat16", master="binary32", accumulator="blas")
    assert str(given) == "compute=binary16 param=bfloat16 master=binary32 accumulator=blas"


def test_a_format_that_its_name_does_not_tell_survives_being_stored():
    config = Config(Policy(FLUSHING, state=replace(fs.E4M3FN, saturate=True), master="binary32:toward_zero"))
    again = Config.from_dict(json.loads(json.dumps(config.to_dict())))
    assert again == config
    assert again.policy.compute.fmt.subnormals is fs.formats.Subnormals.FLUSH_TO_ZERO
    assert again.policy.state.fmt.saturate
    assert again.policy.compute.fmt.name == "binary16_flushing"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("fp17", "fmt='fp17' is not a known format"),
        ("binary16:up", "mode='up' is unknown"),
        (
            "compute=binary16 weights=binary32",
            "'weights=binary32' must be PART=VALUE, where PART is one of compute, param",
        ),
        ("compute=binary16 binary32", "'binary32' must be PART=VALUE"),
        ("compute=binary16 master=", "'master=' must be PART=VALUE"),
        ("compute=binary16 compute=binary32", "gives a part twice"),
        ("compute=binary16 accumulator=wide", "accumulator='wide' is unknown; use one of 'sequential'"),
        ("compute=binary16 accumulator=pairwise:fp17", "fmt='fp17'"),
        (
            "compute=binary32 accumulator=sequential:binary16",
            r"with compute=binary32: accumulator Sequential\(binary16\) is narrower than fmt=binary32",
        ),
        ("compute=bfloat16 accumulator=pairwise:binary16", r"Pairwise\(binary16\) is narrower than fmt=bfloat16"),
        ("compute=binary64 accumulator=blas", r"Blas\(binary32\) is narrower than fmt=binary64.*use .*Exact\(\)"),
        ("compute=binary32 accumulator=volta", "accumulator='volta' with compute=binary32: factors=binary32"),
        ("compute=binary16 accumulator=exact:binary32", "takes no format; use 'exact'"),
    ],
)
def test_an_impossible_policy_is_refused_at_once(given, says):
    with pytest.raises(ValueError, match=says):
        Policy.of(given)


def test_accumulators_by_name():
    half, wide = Precision.of("binary16:toward_zero"), fs.BINARY32
    assert get_accumulator("sequential", half) is None
    assert get_accumulator("sequential:binary32", half) == accumulators.Sequential(wide)
    assert get_accumulator("binary32", half) == accumulators.Sequential(wide)
    assert get_accumulator("pairwise", half) == accumulators.Pairwise(*half)
    assert get_accumulator("kahan:bfloat16", half) == accumulators.Kahan(fs.BFLOAT16)
    assert get_accumulator("exact", half) == accumulators.Exact(*half)
    assert get_accumulator("blas", half) == accumulators.Blas()
    assert str(Policy("binary16", accumulator="SEQUENTIAL")) == "compute=binary16"
    rng = np.random.default_rng(0)
    assert get_accumulator("pairwise:binary32:stochastic", half, rng).rng is rng
    assert get_accumulator("pairwise", half, rng).rng is None


# --- in a step ------------------------------------------------------------------------------------------------------


def toy():
    rng = np.random.default_rng(0)
    return Dataset("toy", rng.random((8, 3)), np.arange(8) % 2, rng.random((4, 3)), [0, 1, 0, 1])


MIXED = Policy(
    "binary16",
    param="bfloat16",
    output="tf32",
    loss="binary32",
    gradient="binary32:toward_zero",
    state="binary64",
    master="binary32",
)


def test_each_kind_of_number_has_the_format_that_the_policy_gives_it(quiet):
    run = Engine(Config(MIXED, layers=(4,), unscale=True), toy())
    start = run.start()
    loss, backward = run.graph(start, np.arange(8))
    grads = backward(None)
    received = run.received(grads, start.loss_scale)
    steps, state = run.optimizer_steps(start, received)
    after = run.step(start, np.arange(8)).after
    logits = run.logits({name: Tensor(x) for name, x in start.params.items()}, toy().train_images)

    def kinds(arrays):
        return {str(Precision(x.fmt, x.mode)) for x in arrays.values()}

    assert loss.value.fmt == fs.BINARY32
    assert logits.value.fmt == fs.TF32
    assert kinds(grads) == kinds(start.params) == kinds(after.params) == {"bfloat16"}
    assert kinds(received) == {"binary32:toward_zero"}
    assert kinds(steps) == kinds(state.m) == kinds(state.v) == kinds(after.state.v) == {"binary64"}
    assert kinds(start.weights) == kinds(after.weights) == {"binary32"}
    for name, x in after.params.items():
        assert x.codes.tolist() == fs.array(after.weights[name].values, "bfloat16").codes.tolist()
        assert (x.values != after.weights[name].values).any()


def test_a_cast_rounds_forward_and_its_gradient_comes_back_rounded_to_the_argument():
    x = Tensor(fs.array([1 + 2.0**-9, 3.0], "binary16"))
    y = x.cast(Precision.of("e5m2")).cast(Precision.of("binary32"))
    z = y * Tensor(fs.array([1 + 2.0**-12, 1.0], "binary32"), wanted=False)
    assert y.value.values.tolist() == [1.0, 3.0]
    found = fs.learn.gradients(z, {"x": x, "y": y})
    assert found["y"].values.tolist() == [1 + 2.0**-12, 1.0]
    assert found["x"].fmt == fs.BINARY16
    assert found["x"].values.tolist() == [1.0, 1.0]  # through e5m2
    assert x.cast(Precision.of("binary16")) is x


# --- recipes --------------------------------------------------------------------------------------------------------


def test_the_recipes_are_those_that_were_promised():
    assert list(RECIPES) == [
        *("pure-binary32", "pure-binary16", "pure-binary16-scaled", "mixed-binary16", "pure-bfloat16"),
        *("bfloat16-plain", "bfloat16-kahan", "bfloat16-stochastic", "fp8-mixed"),
        *("fp8-current", "fp8-delayed", "fp8-block", "mxfp8", "nvfp4"),
    ]
    for name, recipe in RECIPES.items():
        assert get_config(name).label == name
        assert 20 < len(recipe.description) < 100
    assert len({recipe.description for recipe in RECIPES.values()}) == len(RECIPES)


@pytest.mark.parametrize("name", ["pure-binary32", "pure-binary16", "pure-bfloat16"])
def test_pure_means_that_all_numbers_and_constants_have_the_format(name):
    config = get_config(name)
    assert config.policy == Policy(name.removeprefix("pure-"))
    assert (config.constants, config.update, config.epsilon, config.loss_scale) == ("rounded", "plain", 1e-8, "none")


def test_mixed_binary16_is_micikevicius():
    config = get_config("mixed-binary16")
    policy, wide = config.policy, Precision.of("binary32")
    assert (policy.compute.fmt, policy.param.fmt) == (fs.BINARY16, fs.BINARY16)
    assert policy.master == policy.state == policy.loss == wide
    assert get_accumulator(policy.accumulator, policy.compute).fmt == fs.BINARY32
    assert config.make_loss_scale().scale == 65536
    assert config.unscale


def test_an_explicit_option_overrides_the_recipes():
    config = get_config("pure-binary16-scaled", epsilon=1e-3, loss_scale=8.0, epochs=2, accumulator="pairwise")
    assert (config.epsilon, config.loss_scale, config.epochs) == (1e-3, 8.0, 2)
    assert config.policy == Policy("binary16", accumulator="pairwise")
    assert config.beta2 == 0.999
    assert get_config("mixed-binary16", accumulator="exact").policy.accumulator == "exact"
    assert get_config("mixed-binary16", model="cnn").policy == RECIPES["mixed-binary16"].options["policy"]
    assert get_config("bfloat16-plain", model="cnn", data="mnist").policy.accumulator == "blas"
    assert get_config(config, lr=0.5) == replace(config, lr=0.5)
    assert get_config(config, lr=None) == config


@pytest.mark.parametrize("name", RECIPES)
def test_no_recipe_has_the_name_of_a_format(name):
    with pytest.raises(ValueError, match="is not a known format"):
        fs.get_format(name)


@pytest.mark.parametrize("name", ["binary32", "bf16", "float16"])
def test_a_format_that_is_given_as_a_recipe_is_told_apart(name):
    fmt = fs.get_format(name).name
    says = rf"recipe='{name}' is a format, not a recipe; to train in it, give Config\('{fmt}'\) \(--format {fmt}\); use"
    with pytest.raises(ValueError, match=says):
        get_config(name)


def test_a_recipe_with_another_policy_is_no_longer_called_by_its_name():
    assert get_config("mixed-binary16", policy="bfloat16").label == "bfloat16"
    assert get_config(get_config("pure-binary32"), policy="bfloat16").label == "bfloat16"
    assert get_config("pure-binary32", policy="binary32").label == "pure-binary32"
    assert get_config("pure-binary32", accumulator="blas", lr=0.1).label == "pure-binary32"
    assert get_config(Config("binary32", recipe="mine"), policy="bfloat16").label == "mine"


def test_an_unknown_recipe_or_option_is_refused():
    with pytest.raises(ValueError, match="recipe='pure' is unknown; use one of pure-binary32, pure-binary16"):
        get_config("pure")
    with pytest.raises(TypeError, match="learning_rate"):
        get_config("bfloat16-plain", learning_rate=0.1)
    with pytest.raises(ValueError, match=r"config.speed is unknown; was this written by another version\?"):
        Config.from_dict({**Config().to_dict(), "speed": 9})


def test_a_norm_to_clip_to_is_summed_in_the_states_format_if_the_accumulator_is_narrower(quiet):
    policy = Policy("binary16", state="binary64", accumulator="blas")
    run = Engine(Config(policy, layers=(4,), clip_norm=1e-3, unscale=True), toy())
    assert run.step(run.start(), np.arange(8)).after.death is None
