"""Advice: that it is given when it should be, says what is so, and helps when it is followed."""

import dataclasses
import functools

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.learn import Config, Policy, Telemetry, check, diagnose, get_config, load_digits, survey, train
from fp16sim.learn.advise.advice import Advice
from fp16sim.learn.advise.checks import CHECKS
from fp16sim.learn.advise.diagnose import FINDERS
from fp16sim.learn.run.engine import Engine
from fp16sim.learn.scaling import PATIENCE

from .support import first

ALL = load_digits()
DIGITS = dataclasses.replace(ALL, train_images=ALL.train_images[:704], train_labels=ALL.train_labels[:704])
"""Half of the digits: enough to tell a run that learns from one that does not."""


def run(config, **options):
    return train(config, DIGITS, look_every=5, **options)


def advice_on(topic, pieces):
    return next(advice for advice in pieces if advice.topic == topic)


def followed(history, topic):
    """The run with the advice on a topic followed."""
    return run(history.config, **advice_on(topic, diagnose(history)).change)


def accuracy(history):
    return history.epochs[-1].test_accuracy


SMALL = {"epochs": 4, "layers": (32,)}
NARROW_STATE = Policy("bfloat16", state="binary16")
OVERFLOWS_IN_STATE = {"policy": NARROW_STATE, "loss_scale": 2.0**100, "unscale": False, "epsilon": 1e-3}
DIVERGES = {"optimizer": "sgd", "lr": 100.0}

# Runs that go wrong, each with the topic of the advice that mends it.
WRONG = {
    "epsilon is 0": (("pure-binary16",), {}, "epsilon"),
    "epsilon is small": (("pure-binary16",), {"epsilon": 1e-7}, "epsilon"),
    "beta2 is 1": (("pure-bfloat16",), {"lr": 1e-2}, "beta2"),
    "the decay of rmsprop is 1": (("pure-bfloat16",), {"optimizer": "rmsprop", "beta2": 0.999, "lr": 1e-2}, "beta2"),
    "the learning rate is 0": (("pure-binary16-scaled",), {"lr": 1e-9}, "learning rate"),
    "a loss scale that the format does not hold": (("pure-binary16-scaled",), {"loss_scale": 1e6}, "loss scale"),
    "gradients overflow": (("pure-binary16-scaled",), {"loss_scale": 1e6}, "gradient overflow"),
    "steps are absorbed": (("bfloat16-plain",), {"lr": 1e-4}, "absorbed updates"),
    "squares overflow": (("pure-binary16-scaled",), {"loss_scale": 2.0**15, "lr": 1e-2}, "second moment overflow"),
    "constants vanish that are Python numbers": (("pure-binary16",), {"constants": "binary64"}, "epsilon"),
    "the learning rate is infinite": (("pure-binary16",), {"optimizer": "sgd", "lr": 1e9}, "learning rate"),
    "two constants vanish": (("pure-binary32",), {"policy": "e5m2"}, "beta2"),
    "clipped gradients are too small": (("pure-binary16-scaled",), {"clip_norm": 1e-7, "epochs": 2}, "clip norm"),
    "the factor that clips is 0": (("pure-binary16-scaled",), {"clip_norm": 1e-9, "epochs": 2}, "clip norm"),
    "the loss scale collapses": (("mixed-binary16",), {"lr": 30.0}, "learning rate"),
    "gradients overflow, and the run diverges": (("pure-binary16-scaled",), DIVERGES, "gradient overflow"),
    "gradients overflow in the state": (("bfloat16-plain",), OVERFLOWS_IN_STATE, "gradient overflow"),
    "it diverges and lives": (("pure-binary32",), {"lr": 30.0}, "learning rate"),
    "it diverges and skips": (("mixed-binary16",), {"lr": 10.0, "epochs": 6}, "skipped steps"),
    "the loss overflows from the start": (("pure-binary16-scaled",), {"l2": 1e4}, "range"),
    "cotangents saturate": (("fp8-mixed",), {"loss_scale": 2.0**40}, "saturated gradients"),
    "squares vanish": (
        ("pure-binary32",),
        {"policy": Policy("binary32", state="e4m3fn"), "epsilon": 0.03, "constants": "binary64"},
        "second moment",
    ),
}
DECAY = {"optimizer": "adamw", "weight_decay": 0.1, "lr": 1e-2}
OTHERS = (
    get_config("mixed-binary16", growth_interval=2, epochs=8),
    get_config("pure-binary32", policy=Policy("e5m2", accumulator="blas"), epsilon=1e-4, epochs=1, batch=704),
    get_config("fp8-delayed", factors="amax_compute_algo=most_recent", optimizer="sgd", lr=10.0, epochs=1),
    get_config("fp8-current", factors="backward=e4m3fn", lr=0.1, epochs=2),
)


ADDED = (
    (
        {"layers": (32,), "epochs": 1, "batch": 96, "accumulate": 24, "accumulate_in": "e5m2"},
        "accumulated gradients",
        "absorbed_gradients",
    ),
    ({"layers": (32,), "epochs": 2, "ema": 0.999, "lr": 1e-2}, "moving average", "absorbed_average"),
)
"""What is added up over time: options, the topic of the advice, and the counts of an epoch."""


@functools.cache
def wrong_run(name):
    recipe, options, _ = WRONG[name]
    return run(*recipe, **{**SMALL, **options})


@pytest.mark.parametrize("name", first(5, list(WRONG)))
def test_a_run_that_goes_wrong_is_told_what_helps_and_it_helps(name):
    wrong = wrong_run(name)
    mended = followed(wrong, WRONG[name][-1])
    assert mended.death is None
    assert wrong.death is not None or accuracy(mended) > accuracy(wrong) + 0.02, (accuracy(wrong), accuracy(mended))


@pytest.mark.parametrize(("options", "topic", "counted"), ADDED, ids=[case[1] for case in ADDED])
def test_after_the_advice_almost_nothing_that_is_added_is_absorbed(options, topic, counted):
    wrong = run("bfloat16-plain", **options)
    shares = [getattr(history.epochs[-1], counted).value for history in (wrong, followed(wrong, topic))]
    assert shares[0] > 0.2 > 0.01 > shares[1]


@pytest.mark.exhaustive
def test_a_moment_that_is_the_sum_of_all_gradients_learns_less_in_a_long_run():
    wrong = run("pure-bfloat16", optimizer="sgd", momentum=0.999, lr=1e-2, epochs=20)
    assert accuracy(followed(wrong, "momentum")) > accuracy(wrong) + 0.02


def test_gradients_that_would_be_lost_when_they_are_divided_by_the_scale_are_not_divided():
    narrow, options = Policy("e5m2", accumulator="blas"), {"optimizer": "sgd", "lr": 0.1, "batch": 704, "epochs": 1}
    config = Config(narrow, loss_scale=1.0, unscale=True, **options)
    assert advice_on("loss scale", diagnose(run(config))).change["unscale"] is False
    wide = dataclasses.replace(config, policy=Policy("e5m2", gradient="binary32", accumulator="blas"))
    assert "unscale" not in advice_on("loss scale", diagnose(run(wide))).change


def test_lost_gradients_are_saved_by_the_loss_scale_that_is_named():
    # The gradients of a large batch, in a format with a narrow range.
    policy = Policy("e5m2", state="binary32", master="binary32", loss="binary32", accumulator="blas")
    wrong = run(Config(policy, loss_scale="none", unscale=True, epsilon=1e-4, batch=704, epochs=2, lr=1e-3))
    advice = advice_on("loss scale", diagnose(wrong))
    assert "become zero in e5m2: a loss scale of 2^" in advice.text
    mended = run(wrong.config, **advice.change)
    assert mended.epochs[0].lost_gradients.value < wrong.epochs[0].lost_gradients.value / 2


@pytest.mark.parametrize(("lr", "says"), [(1e4, "Activations overflowed"), (1e3, "Numbers in the loss overflowed")])
def test_the_advice_to_a_run_that_explodes_says_where_the_numbers_overflowed_and_it_learns_at_once(lr, says):
    history = train(Config("binary16", optimizer="sgd", lr=lr, loss_scale=1), ALL)
    advice = advice_on("learning rate", diagnose(history))
    assert advice.text == f"{says}: {history.death}."
    assert advice.change == {"lr": 0.1}
    assert accuracy(run(history.config, **{**SMALL, **advice.change})) > 0.9


def test_a_scale_that_grows_too_eagerly_skips_fewer_steps_after_the_advice():
    eager = run(OTHERS[0])
    calmer = followed(eager, "skipped steps")
    assert calmer.totals()["skipped"] < eager.totals()["skipped"]


def test_a_scale_that_only_falls_is_not_said_to_grow_and_the_run_is_dead():
    history = wrong_run("the loss scale collapses")
    scales = [scale for _, scale in history.telemetry.scales]
    assert scales == sorted(scales, reverse=True)
    assert history.death.skipped == PATIENCE
    assert history.steps < 50
    (advice,) = diagnose(history)
    assert advice.change == {"lr": 1e-3}
    assert advice.text.startswith("Activations overflowed: died at step")
    skipping = advice_on("skipped steps", diagnose(wrong_run("it diverges and skips")))
    assert "the loss scale fell to 2^7: the gradients become larger and larger" in skipping.text


def test_the_search_for_a_loss_scale_is_not_held_against_a_run():
    config = get_config("mixed-binary16", policy=Policy("binary32", gradient="e4m3fn"), batch=64)
    history = run(config, epochs=10, loss_scale="dynamic", lr=1e-2, l2=1.0)
    assert history.telemetry.skipped == list(range(1, history.totals()["skipped"] + 1))
    assert history.totals()["skipped"] >= 0.05 * history.steps
    assert diagnose(history) == ()


def test_squares_of_gradients_are_judged_after_they_were_divided_by_the_loss_scale(quiet):
    # Multiplied by 2^15 their squares are infinite in binary16, as the same run without unscaling shows.
    options = {**SMALL, "loss_scale": 2.0**15, "lr": 1e-2}
    assert "second moment overflow" not in topics(run("pure-binary16-scaled", **options, unscale=True))
    assert "second moment overflow" in topics(wrong_run("squares overflow"))
    vanishing = {"policy": Policy("binary32", state="e5m2"), "epsilon": 0.03, "constants": "binary64", "unscale": True}
    for scale in (1.0, 1024.0):
        assert "second moment" in topics(run(Config(**vanishing, loss_scale=scale, epochs=1)))


def topics(history):
    return {advice.topic for advice in diagnose(history)}


@pytest.mark.parametrize(("exponent", "expected"), [(-150, set()), (-140, {"loss scale"})])
def test_numbers_that_no_sum_could_notice_are_not_missed(exponent, expected):
    # Both are 0 in bfloat16. The largest of the tensor is 2^-120, and 2^-144 is 2^-24 of it.
    seen = survey([2.0**-120] * 50 + [2.0**exponent] * 50, "bfloat16")
    assert seen.fate().underflowed == 50
    telemetry = Telemetry(surveys={("activation gradient", "layer1"): seen})
    history = dataclasses.replace(run("bfloat16-plain", epochs=1), telemetry=telemetry)
    assert topics(history) & {"loss scale"} == expected


def test_a_loss_scale_that_is_rounded_a_little_is_shown_with_the_digits_that_differ():
    (advice,) = (x for x in check(Config("binary32", loss_scale=1000.1)) if x.topic == "loss scale")
    assert advice.text == "A loss scale of 1000.1 is 1000.0999755859375 in binary32, the loss's format."


def test_no_step_is_said_to_be_absorbed_where_sums_are_rounded_stochastically():
    stochastic = Policy("bfloat16:stochastic")
    assert check("bfloat16-plain", policy=stochastic, lr=1e-5) == ()
    assert diagnose(run("bfloat16-plain", policy=stochastic, lr=1e-5, epochs=1)) == ()


def test_clipping_to_a_usual_norm_lets_binary16_learn_as_well_as_without(quiet):
    wanted, found = (train("pure-binary16-scaled", epochs=2, clip_norm=norm) for norm in (0.0, 1.0))
    assert accuracy(found) > accuracy(wanted) - 0.01 > 0.6
    assert topics(found) == {"accumulator"}  # for 2,410 equal squares in binary16
    mended = train(found.config, **advice_on("accumulator", diagnose(found)).change)
    assert accuracy(mended) > accuracy(wanted) - 0.01
    assert check(mended.config) == diagnose(mended) == ()


def test_a_norm_to_clip_to_for_which_the_factor_can_become_0_is_named_with_the_norm_from_which_on_it_is(quiet):
    config = get_config("pure-binary16", optimizer="sgd", lr=0.1, clip_norm=1e-3)
    advice = advice_on("clip norm", check(config))
    assert advice.text.startswith(
        "From a norm of 3.4e+04 on, the factor that clips gradients to 0.001 is 0 in binary16"
    )
    assert advice.change == {"clip_norm": 1.0}
    for constants, moves in (("rounded", False), ("binary64", True)):
        optimizer = dataclasses.replace(config, constants=constants).make_optimizer()
        for largest, moved in ((3.3e4, True), (3.4e4, moves)):
            grads = {"w": fs.array([largest], "binary16")}
            assert optimizer.update(grads, optimizer.init(grads))[0]["w"].values.any() == moved
    assert "clip norm" not in {a.topic for a in check(config, constants="binary64")}


def test_no_absorbed_step_is_regretted_in_a_run_that_diverges():
    history = run("pure-binary16-scaled", optimizer="sgd", lr=10.0, epochs=4)
    assert history.totals()["absorbed_updates"] > 0.2
    assert topics(history) == {"learning rate"}


def test_the_norm_to_clip_to_is_that_of_gradients_without_a_loss_scale():
    options = {"policy": "binary32", "optimizer": "sgd", "lr": 0.125, "clip_norm": 0.5, "epochs": 1}
    plain, scaled = (run(Config(**options, loss_scale=scale, unscale=False)) for scale in (1.0, 1024.0))
    for name, x in plain.params.items():
        assert x.codes.tolist() == scaled.params[name].codes.tolist()


def test_weight_decay_of_the_field_changes_no_weight_in_bfloat16():
    config = get_config("bfloat16-plain", optimizer="adamw", lr=1e-4, weight_decay=0.01)
    advice = advice_on("weight decay", check(config))
    assert advice.evidence["still"] == 1
    assert "leaves 100% of the initial weights unchanged: a step takes 1e-06 of a weight" in advice.text
    weights = {"w": fs.array(np.random.default_rng(0).standard_normal(10_000), "bfloat16")}
    zero = {"w": weights["w"] * 0.0}
    optimizer = config.make_optimizer()
    steps, _ = optimizer.update(zero, optimizer.init(weights), weights)
    assert (weights["w"] + steps["w"]).codes.tolist() == weights["w"].codes.tolist()
    tiny = get_config("bfloat16-plain", policy="binary16", optimizer="adamw", lr=1e-6, weight_decay=0.01, epsilon=1e-3)
    assert advice_on("weight decay", check(tiny)).change["policy"].weights.fmt is fs.BINARY32  # the step itself is 0


def test_weight_decay_that_does_nothing_is_named_and_stochastic_rounding_lets_it_work():
    config = get_config("bfloat16-plain", **DECAY)
    advice = advice_on("weight decay", check(config))
    start = {"w": fs.array(np.ones(2000), "bfloat16")}

    def after(config):
        engine, weights = Engine(config, DIGITS), start
        optimizer, state = engine.optimizer, engine.optimizer.init(start)
        still = {"w": fs.array(np.zeros(2000), "bfloat16")}
        for _ in range(100):
            steps, state = optimizer.update(still, state, weights)
            weights, _ = engine.update.add(weights, steps, {}, engine.rng)
        return float(weights["w"].values.mean())

    assert after(config) == 1
    assert after(get_config(config, **advice.change)) == pytest.approx((1 - 1e-3) ** 100, abs=0.01)


def test_long_sums_in_a_narrow_format_are_named_and_a_wider_accumulator_is_closer():
    config = get_config("bfloat16-plain", data="mnist")
    advice = advice_on("accumulator", check(config))
    assert advice.evidence == {"terms": 784, "stall": 256}
    accumulator = fs.accumulators.Sequential(advice.change["policy"].accumulator.partition(":")[2])
    ones = np.ones((1, 784), np.float32)
    assert fs.matmul(ones, ones.T, "bfloat16")[0, 0] == 256
    assert fs.matmul(ones, ones.T, "bfloat16", accumulator=accumulator)[0, 0] == 784


def test_an_advised_accumulator_is_wide_enough_for_the_terms():
    policy = Policy("binary64", state="bfloat16")
    change = advice_on("accumulator", check("pure-binary32", policy=policy, clip_norm=1.0)).change
    assert change["policy"].accumulator == "sequential:binary64"


def test_nothing_is_said_of_runs_in_which_nothing_is_wrong():
    for recipe in ("pure-binary32", "mixed-binary16", "bfloat16-kahan", "bfloat16-stochastic"):
        assert check(recipe, data="mnist", model="cnn") == ()
        assert diagnose(run(recipe, epochs=2, lr=1e-2)) == ()


def test_every_finder_and_every_check_is_provoked_by_a_run_of_this_file(quiet):
    histories = [*map(wrong_run, WRONG), *map(run, OTHERS), *(run("bfloat16-plain", **case[0]) for case in ADDED)]
    configs = [history.config for history in histories]
    configs += [get_config("bfloat16-plain", **change) for change in (DECAY, {"data": "mnist"})]
    assert {find for find in FINDERS if any(map(find, histories))} == set(FINDERS)
    assert {find for find in CHECKS if any(map(find, configs))} == set(CHECKS)


def test_an_advice_reads_as_a_sentence_and_as_options_of_the_command_line():
    advice = Advice("x", "So it is.", {"loss_scale": 1024.0, "unscale": False, "policy": Policy("bfloat16")})
    assert str(advice) == 'So it is. Try --loss-scale 1024 --no-unscale --policy "compute=bfloat16".'
    assert str(Advice("x", "So.", {"loss_scale": 2.0**24})) == "So. Try --loss-scale 16777216."


def test_the_share_in_the_text_of_an_advice_is_the_share_that_was_counted():
    history = run("bfloat16-plain", lr=1e-4, epochs=1)
    advice = advice_on("absorbed updates", diagnose(history))
    assert advice.text.startswith(f"{100 * history.epochs[0].absorbed_updates.value:.1f}% of the updates")
