"""What is forecast of a run's first step, against the first step of the run."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from fp16sim.learn import RECIPES, Config, Policy, check, get_config, load_digits
from fp16sim.learn.advise.checks import TOO_LARGE, TYPICAL
from fp16sim.learn.advise.forecast import first_step
from fp16sim.learn.run.engine import Engine
from fp16sim.learn.run.recipes import make_config

DIGITS = load_digits()
DIE_AS_PUBLISHED = ("pure-binary16", "pure-bfloat16")
EPSILONS = (None, 0.0, 1e-8, 1e-7, 1e-5, 1e-3)


def step_of(config):
    """The first step of the run."""
    engine = Engine(config, DIGITS)
    return engine.step(engine.start(), engine.order(1)[0])


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "rmsprop", "sgd"])
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_run_dies_in_its_first_step_exactly_if_that_is_forecast(recipe, optimizer, quiet):
    for constants, epsilon in itertools.product(("rounded", "binary64"), EPSILONS):
        config = make_config(recipe, optimizer=optimizer, constants=constants, epsilon=epsilon, layers=(8,))
        died = step_of(config).after.death is not None
        assert first_step(config).dies == died, (constants, epsilon)
        fatal = {advice.topic for advice in check(config)} & {"epsilon", "beta1", "beta2"}
        assert fatal or not died, (constants, epsilon)


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop"])
@pytest.mark.parametrize("epsilon", [3e-5, 1e-4, 1e-3])
@pytest.mark.parametrize("policy", ["binary16", "e5m2", Policy("binary32", state="binary16")])
def test_no_first_step_is_larger_than_the_largest_that_is_forecast(policy, epsilon, optimizer, quiet):
    config = Config(
        policy, epsilon=epsilon, optimizer=optimizer, beta2=0.9, lr=2.0**-6, constants="binary64", loss_scale=1
    )
    found = step_of(config)
    first = first_step(config)
    largest = max(np.abs(x.values).max() for x in found.steps.values())
    forecast = first.steps[np.isfinite(first.steps)].max()
    assert largest <= 1.07 * forecast  # there are eight probes in a binade
    for name, g in found.grads.items():
        v, seen = found.after.state.v[name].values, np.abs(g.values)
        assert not v[seen <= first.vanishing].any()
        assert v[seen >= 1.13 * first.vanishing].all()


def test_one_minus_beta2_times_a_square_becomes_0_before_the_square():
    first = first_step(get_config("pure-binary16", constants="binary64"))
    assert first.dies  # sqrt(0) + 1e-8 is 0 in binary16
    assert first.vanishing == 11 * 2.0**-11 < (2.0**-25 / 0.001) ** 0.5 < 12 * 2.0**-11
    assert first.vanishing > 2.0**-12.5  # from which on the square itself is not 0
    (advice,) = check("pure-binary16", constants="binary64")
    assert advice.text == "sqrt(0) + epsilon=1e-08 is 0 in binary16: the step of a gradient of 0 is 0 / 0."
    assert step_of(get_config("pure-binary16", constants="binary64", **advice.change)).after.death is None


def test_a_small_epsilon_is_only_named_if_gradients_that_are_common_have_no_second_moment():
    (advice,) = check("pure-binary16", epsilon=1e-7)
    assert "a gradient up to 0.0054 is 0, so that epsilon=1e-07 alone divides it: its step is up to 45,0" in advice.text
    assert check("pure-binary16-scaled", epsilon=1e-7) == ()  # 0.0054 / 1024 is rare
    first = first_step(get_config("pure-binary16", **advice.change))
    assert 1 < first.excess(TYPICAL / 16) < TOO_LARGE


def test_nothing_is_said_of_the_recipes_that_train_and_every_other_one_trains_as_advised(quiet):
    for recipe in RECIPES:
        found = check(recipe)
        assert (found != ()) == (recipe in DIE_AS_PUBLISHED)
        for advice in found:
            assert check(recipe, **advice.change) == ()
            assert step_of(get_config(recipe, **advice.change)).after.death is None


def test_forecasts_of_the_optimizers_without_a_second_moment_or_without_steps():
    momentum = first_step(Config("binary16", optimizer="sgd", lr=0.25, loss_scale=1))
    assert (momentum.dies, momentum.vanishing, momentum.overflowing, momentum.factor(1.0)) == (False, 0, np.inf, 1)
    assert momentum.excess(2.0**-12) == 1
    still = first_step(Config("binary16", lr=1e-9))
    assert (still.dies, still.factor(0.5), still.excess(0.0)) == (False, 0, 0)
    assert first_step(Config("binary16", lr=1e9)).dies  # the learning rate is infinite, and 0 times it is NaN
    assert first_step(Config("binary16")).overflowing == 256


def test_a_step_is_compared_with_one_without_epsilon():
    first = first_step(Config("binary32", epsilon=2.0**-10))
    assert first.factor(2.0**-10) == pytest.approx(1 / 2, rel=1e-6)
    assert first.factor(2.0**-20) == pytest.approx(2.0**-10, rel=2.0**-9)
    assert first.factor(2.0**-150) == 0


def test_a_forecast_is_without_clipping_and_the_same_each_time():
    config = Config(Policy("binary16:stochastic"), clip_norm=1e-3)
    first = first_step(config)
    first_step.cache_clear()
    assert first.steps.tolist() == first_step(replace(config, clip_norm=0.0)).steps.tolist()
