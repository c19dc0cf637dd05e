"""Advice: that it is given when it should be, says what is so, and helps when it is followed."""

import dataclasses
import functools

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.learn import Config, Policy, check, diagnose, get_config, load_digits, train
from fp16sim.learn.advise.advice import Advice
from fp16sim.learn.advise.checks import CHECKS
from fp16sim.learn.advise.diagnose import FINDERS
from fp16sim.learn.run.engine import Engine

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
    "squares vanish": (
        ("pure-binary32",),
        {"policy": Policy("binary32", state="e4m3fn"), "epsilon": 0.03, "constants": "binary64"},
        "second moment",
    ),
}
DECAY = {"optimizer": "adamw", "weight_decay": 0.1, "lr": 1e-2}
OTHERS = (
    get_config("pure-binary16", optimizer="sgd", lr=1e3, epochs=2),  # it explodes
    get_config("mixed-binary16", growth_interval=2, epochs=8),
    get_config("pure-binary32", policy=Policy("e5m2", accumulator="blas"), epsilon=1e-4, epochs=1, batch=704),
)


@functools.cache
def wrong_run(name):
    recipe, options, _ = WRONG[name]
    return run(*recipe, **{**SMALL, **options})


@pytest.mark.parametrize("name", WRONG)
def test_a_run_that_goes_wrong_is_told_what_helps_and_it_helps(name):
    wrong = wrong_run(name)
    mended = followed(wrong, WRONG[name][-1])
    assert mended.death is None
    assert wrong.death is not None or accuracy(mended) > accuracy(wrong) + 0.02, (accuracy(wrong), accuracy(mended))


def test_lost_gradients_are_saved_by_the_loss_scale_that_is_named():
    # The gradients of a large batch, in a format with a narrow range.
    policy = Policy("e5m2", state="binary32", master="binary32", loss="binary32", accumulator="blas")
    wrong = run(Config(policy, loss_scale="none", unscale=True, epsilon=1e-4, batch=704, epochs=2, lr=1e-3))
    advice = advice_on("loss scale", diagnose(wrong))
    assert "become zero in e5m2: a loss scale of 2^" in advice.text
    mended = run(wrong.config, **advice.change)
    assert mended.epochs[0].lost_gradients.value < wrong.epochs[0].lost_gradients.value / 2


def test_a_run_that_explodes_lives_once_the_learning_rate_was_lowered_as_advised():
    history = run(OTHERS[0])
    for _ in range(5):
        if history.death is None:
            break
        history = followed(history, "learning rate")
    assert history.death is None


@pytest.mark.parametrize(("lr", "says"), [(1e4, "Activations overflowed"), (1e3, "Numbers in the loss overflowed")])
def test_the_advice_to_a_run_that_explodes_says_where_the_numbers_overflowed(lr, says):
    history = train(Config("binary16", optimizer="sgd", lr=lr, loss_scale=1), ALL)
    advice = advice_on("learning rate", diagnose(history))
    assert advice.text == f"{says}: {history.death}."
    assert advice.change == {"lr": lr / 10}


def test_a_scale_that_grows_too_eagerly_skips_fewer_steps_after_the_advice():
    eager = run(OTHERS[1])
    calmer = followed(eager, "skipped steps")
    assert calmer.totals()["skipped"] < eager.totals()["skipped"]


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


def test_nothing_is_said_of_runs_in_which_nothing_is_wrong():
    for recipe in ("pure-binary32", "mixed-binary16", "bfloat16-kahan", "bfloat16-stochastic"):
        assert check(recipe, data="mnist", model="cnn") == ()
        assert diagnose(run(recipe, epochs=2, lr=1e-2)) == ()


def test_every_finder_and_every_check_is_provoked_by_a_run_of_this_file(quiet):
    histories = [*map(wrong_run, WRONG), *map(run, OTHERS)]
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
