"""The gallery of divergence: how runs die or stand still in 16 bits, the fact behind each, the advice that names it."""

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.learn import (
    MLP,
    RNN,
    Tensor,
    adam,
    check,
    cross_entropy,
    cross_entropy_of_probabilities,
    diagnose,
    gradients,
    load_digits,
    train,
)
from fp16sim.learn.observe.exponents import survey

DIGITS = load_digits()


def topics(advice):
    return [piece.topic for piece in advice]


# --- constants that vanish ------------------------------------------------------------------------------------------

FIRST_STEPS = {
    # recipe: (topic of the advice, the fact)
    "pure-binary16": ("epsilon", "epsilon=1e-08 is 0 in binary16"),
    "pure-bfloat16": ("beta2", "beta2=0.999 is 1 in bfloat16"),
}


@pytest.mark.parametrize("recipe", FIRST_STEPS)
def test_a_pure_recipe_dies_at_step_1_and_everybody_says_why(recipe):
    topic, fact = FIRST_STEPS[recipe]
    (known,) = check(recipe)
    assert (known.topic, fact in known.text) == (topic, True)
    history = train(recipe, DIGITS)
    assert history.death.step == history.steps == 1
    assert history.death.tensor == "the step of layer1.weight"
    assert fact in history.death.reason
    assert "divide in the optimizer's step raised invalid" in history.death.reason
    (said,) = [piece for piece in diagnose(history) if piece.topic == topic]
    assert fact in said.text
    cured = train(recipe, DIGITS, epochs=1, batch=256, **said.change)
    assert cured.death is None


@pytest.mark.parametrize(
    ("fmt", "constants", "kept"),
    [("binary16", {"epsilon": 1e-8}, 0.0), ("bfloat16", {"epsilon": 1e-4, "beta2": 0.999}, 1.0)],
)
def test_adams_first_step_is_0_by_0_where_the_gradient_or_its_square_is_0(fmt, constants, kept):
    assert fs.round_to(list(constants.values())[-1], fmt) == kept
    grads = {"w": fs.array([1e-4, 0.0], fmt)}
    optimizer = adam(**constants)
    with np.errstate(all="ignore"):
        steps, _ = optimizer.update(grads, optimizer.init(grads))
    assert np.isnan(steps["w"].values[1])
    assert not np.isfinite(steps["w"].values[0])
    assert fs.multiply(1e-4, 1e-4, "binary16") == 0


def test_without_bias_correction_adams_first_steps_are_three_times_as_large():
    grads = {"w": fs.array([0.5, -2.0], "binary32")}
    found = []
    for correction in (True, False):
        optimizer = adam(bias_correction=correction)
        found.append(optimizer.update(grads, optimizer.init(grads))[0]["w"].values)
    np.testing.assert_allclose(found[1] / found[0], 0.1 / np.sqrt(0.001), rtol=1e-3)


# --- softmax --------------------------------------------------------------------------------------------------------


def test_the_naive_softmax_is_nan_where_the_shifted_one_is_right(quiet):
    x = Tensor(fs.array([[12.0, 11.0, 10.0]], "binary16"))
    e = x.exp()
    naive = (e / e.sum_rows().reshape(1, 1)).value.values[0]
    assert np.isinf(e.value.values[0, 0])  # exp is finite up to 11.0859375
    assert np.isnan(naive[0])
    assert naive[1:].tolist() == [0, 0]
    assert np.isfinite(fs.exp(11.0859375, "binary16"))
    assert np.isinf(fs.exp(fs.next_up(11.0859375, "binary16"), "binary16"))
    stable = x.softmax().value.values[0]
    np.testing.assert_allclose(stable, [0.66553, 0.24475, 0.09009], rtol=1e-3)
    np.testing.assert_allclose(np.exp(x.log_softmax().value.values[0]), stable, rtol=2e-3)


@pytest.mark.parametrize("fmt", ["binary16", "bfloat16", "binary64"])
def test_a_softmax_taken_twice_flattens_the_gradients_of_a_confident_mistake(fmt):
    """What from_logits=True makes of probabilities: the loss cannot leave [log(1 + 9/e), log(9 + e)] either."""
    values = np.zeros((1, 10))
    values[0, 0] = 8.0  # sure of class 0, and the label is 1
    logits = Tensor(fs.array(values, fmt))
    once = gradients(cross_entropy(logits, [1]), {"x": logits})["x"].values
    twice = gradients(cross_entropy(logits.softmax(), [1]), {"x": logits})["x"].values
    assert np.abs(once).max() > 0.9
    assert np.abs(twice).max() < 0.005
    losses = [float(cross_entropy(logits.softmax(), [label]).value) for label in (0, 1)]
    assert 1.45 < losses[0] < losses[1] < 2.47
    # From its probabilities the loss is that of the logits.
    assert float(cross_entropy_of_probabilities(logits.softmax(), [1]).value) == pytest.approx(
        float(cross_entropy(logits, [1]).value), rel=0.01
    )


# --- standing still -------------------------------------------------------------------------------------------------


def test_a_sum_of_ones_stalls_at_2048_and_with_it_a_bias_gradient():
    x = Tensor(fs.array(np.ones((3000, 1)), "binary16"), wanted=False)
    bias = Tensor(fs.array([0.0], "binary16"))
    for accumulator, total in ((None, 2048.0), (fs.accumulators.Sequential("binary32"), 3000.0)):
        found = gradients(x.add(bias, accumulator), {"bias": bias})["bias"]
        assert found.values.tolist() == [total]
    assert float(Tensor(fs.array(np.ones(500), "bfloat16")).sum().value) == 256


def test_a_weight_that_decays_by_less_than_half_an_ulp_does_not_move():
    """AdamW's lr * weight_decay = 1e-5 of a weight, and half an ulp is 2.4e-4 of it, or more."""
    how = {"optimizer": "adamw", "weight_decay": 1e-2, "lr": 1e-3, "epochs": 1, "batch": 512, "loss_scale": 1.0}
    weight = "layer1.weight"
    dark = np.flatnonzero(DIGITS.train_images.max(axis=0) == 0)  # these pixels' weights have no gradient
    assert dark.size
    moved = {}
    for name in ("pure-binary16-scaled", "pure-binary32"):
        start = train(name, DIGITS, **{**how, "lr": 1e-30, "weight_decay": 0.0}).params
        ended = train(name, DIGITS, start_from=start, **how).params
        moved[name] = (
            np.count_nonzero(start[weight].values[dark] != ended[weight].values[dark]) / start[weight][dark].size
        )
    assert moved["pure-binary16-scaled"] < 0.01
    assert moved["pure-binary32"] > 0.99
    assert "weight decay" in topics(check("pure-binary16-scaled", **how))
    assert "weight decay" not in topics(check("pure-binary32", **how))


def test_steps_that_are_absorbed_are_kept_by_kahans_update():
    start = train("bfloat16-plain", DIGITS, lr=1e-30, epochs=1, batch=500).params

    def run(recipe, **change):
        history = train(recipe, DIGITS, lr=1e-4, epochs=1, batch=256, start_from=start, **change)
        return history, sum(np.abs(x.values - start[name].values).sum() for name, x in history.params.items())

    (plain, crept), (_, truth) = run("bfloat16-plain"), run("pure-binary32")
    assert plain.epochs[0].absorbed_updates.value > 0.8
    (said,) = [piece for piece in diagnose(plain) if piece.topic == "absorbed updates"]
    _, moved = run("bfloat16-plain", **said.change)
    assert crept < 0.25 * truth
    assert moved > 0.75 * truth


# --- gradients that vanish and explode ------------------------------------------------------------------------------


def step_by_step(gain, fmt, steps=24):
    """The cotangents of a recurrent layer's states, the first step's first."""
    layer = RNN(2, 8, gain)
    params = {name: Tensor(fs.array(x, fmt)) for name, x in layer.draw(np.random.default_rng(0)).items()}
    x = Tensor(fs.array(np.random.default_rng(1).standard_normal((4, steps, 2)) / 64, fmt), wanted=False)
    states = layer.states(params, x)
    found = gradients(states[-1].sum(), {str(t): h for t, h in enumerate(states)}, scale=2.0**-6)
    return [found[str(t)].values for t in range(steps)]


def test_a_recurrent_layers_gradients_vanish_below_gain_1_and_explode_above(quiet):
    vanishing = [np.abs(g).max() for g in step_by_step(0.5, "binary64")]
    np.testing.assert_allclose(np.array(vanishing[1:]) / vanishing[:-1], 2, rtol=0.5)
    exploding = [np.abs(g).max() for g in step_by_step(1.5, "binary64")]
    assert exploding[0] > 30 * exploding[-1]
    kept = [np.linalg.norm(g) for g in step_by_step(1.0, "binary64")]
    np.testing.assert_allclose(kept, kept[-1], rtol=0.2)


def test_in_binary16_they_underflow_step_by_step(quiet):
    zeros = [np.count_nonzero(g == 0) for g in step_by_step(0.5, "binary16")]
    assert zeros[0] == 32  # nothing arrives at the first step
    assert zeros[-1] == 0
    assert sorted(zeros, reverse=True) == zeros
    assert all(np.all(g != 0) for g in step_by_step(0.5, "bfloat16"))
    # The survey of what binary64 has tells the same, and the scale that would save them.
    wide = step_by_step(0.5, "binary64")
    seen = survey(np.array(wide), "binary16")
    assert seen.fate().underflowed > 32
    assert seen.fate(seen.best_shift()).underflowed == 0


def deep(weight, layers=12, fmt="binary16"):
    """The gradients of a deep chain of equal weights, the first layer's first."""
    model = MLP((8,) * (layers + 1))
    rng = np.random.default_rng(0)
    params = {
        name: Tensor(fs.array(np.abs(rng.standard_normal(x.shape)) * weight if x.ndim == 2 else x, fmt))
        for name, x in model.draw(0).items()
    }
    y = model(params, Tensor(fs.array(np.full((2, 8), 0.01), fmt), wanted=False))
    found = gradients(y.sum(), params)
    return [found[f"layer{k}.bias"].values for k in range(1, layers + 1)]


def test_a_deep_chains_gradients_underflow_and_overflow_layer_by_layer(quiet):
    small = [np.count_nonzero(g == 0) for g in deep(0.02)]
    assert (small[0], small[-1]) == (8, 0)
    assert sorted(small, reverse=True) == small
    large = [np.count_nonzero(~np.isfinite(g)) for g in deep(1.0)]
    assert (large[0], large[-1]) == (8, 0)
    assert sorted(large, reverse=True) == large
    assert all(np.isfinite(g).all() for g in deep(1.0, fmt="bfloat16"))
