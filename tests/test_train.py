"""The main job: what it reaches, how it dies, and that it can be repeated."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.learn import Config, Dataset, Policy, get_config, load_digits, train
from fp16sim.learn.model.autograd import consumers_first
from fp16sim.learn.observe.telemetry import count_absorbed
from fp16sim.learn.run.engine import Engine
from fp16sim.learn.run.train import History
from fp16sim.learn.state import Phase, Share

from . import resumable

DIGITS = load_digits()


@pytest.mark.exhaustive
@pytest.mark.parametrize("fmt", ["binary16", "bfloat16"])
def test_the_digits_are_learned_with_everything_rounded_from_any_seed(fmt):
    reached = [train(Config(fmt, rng=seed), DIGITS).epochs[-1].test_accuracy for seed in (1, 2, 3)]
    assert np.mean(reached) >= 0.97, reached


def test_a_run_is_the_same_again_with_the_same_seed_also_in_stochastic_mode():
    config = Config("bfloat16:stochastic", epochs=1, layers=(8,), rng=3)
    few = replace(DIGITS, train_images=DIGITS.train_images[:400], train_labels=DIGITS.train_labels[:400])
    first, second = (train(config, few) for _ in range(2))
    assert first.to_dict() == second.to_dict()
    for name, x in first.params.items():
        assert (x.codes == second.params[name].codes).all()


SGD = {"optimizer": "sgd", "loss_scale": 1}
EPSILON, BETA2 = "epsilon=1e-08 is 0 in binary16", "beta2=0.999 is 1 in bfloat16"
SCALE = r"loss_scale=1e\+06 is inf in binary16, which ends at 65504"
DEATHS = {
    # (configuration, step, phase, options at fault, tensor, reason)
    "epsilon": (
        *(Config("binary16", epsilon=1e-8, loss_scale=1), 1, Phase.OPTIMIZER, ("epsilon",)),
        *("the step of layer1.weight", EPSILON),
    ),
    "beta2": (
        *(Config("bfloat16", beta2=0.999), 1, Phase.OPTIMIZER, ("beta2",)),
        *("the step of layer1.weight", BETA2),
    ),
    "scale": (
        *(Config("binary16", loss_scale=1e6), 1, Phase.SCALING, ("loss_scale",)),
        *("the gradient of the loss", SCALE),
    ),
    "rate": (
        *(Config("binary16", lr=1e4, **SGD), 2, Phase.FORWARD, ()),
        *("the output of matmul in layer2", "matmul in the forward pass gave 63 infinities and 577 NaN"),
    ),
    "logits": (
        *(Config("binary16", lr=1e3, **SGD), 2, Phase.LOSS, ()),
        *("the output of log_softmax", "log_softmax in the loss gave 40 infinities in 640 elements"),
    ),
}


@pytest.mark.parametrize("name", DEATHS)
def test_a_run_that_dies_is_reported_with_step_phase_tensor_and_reason(name):
    config, step, phase, options, tensor, reason = DEATHS[name]
    history = train(config, DIGITS)
    assert history.death is not None
    assert (history.death.step, history.death.phase, history.death.cause.options) == (step, phase, options)
    assert history.death.tensor == tensor
    assert re.search(reason, history.death.reason), history.death.reason
    log = json.loads(json.dumps(history.to_dict()))
    assert log["result"]["died"] == str(history.death)
    assert (log["death"]["step"], log["death"]["phase"]) == (step, phase)
    assert log["death"]["cause"]["elements"] == history.death.cause.elements > 0


def test_the_figures_of_an_epoch_are_those_of_its_steps_added_up(quiet):
    config = replace(resumable.config("plain"), loss_scale=2.0**14, epochs=1)
    engine = Engine(config, resumable.DATA)
    progress, losses, sizes, overflows, absorbed = engine.start(), [], [], 0, Share()
    for chosen in engine.order(1):
        with fs.record_flags(only=["overflow"]) as raised:
            seen = engine.step(progress, chosen)
        losses.append(float(seen.loss.value))
        sizes.append(len(chosen))
        overflows += raised.overflow.count
        absorbed += count_absorbed(progress.weights, seen.after.weights, seen.steps)
        progress = seen.after
    assert len(set(sizes)) == 2  # the last batch is smaller, and weighs less
    (epoch,) = train(config, resumable.DATA).epochs
    assert epoch.loss == sum(loss * size for loss, size in zip(losses, sizes, strict=True)) / sum(sizes)
    assert (epoch.overflows, epoch.skipped, epoch.absorbed_updates) == (overflows, 0, absorbed)
    assert overflows > 10


@pytest.mark.parametrize("options", [{}, {"model": "cnn"}, {"update": "kahan"}], ids=str)
def test_what_a_step_gave_is_not_changed_by_later_steps(options, quiet):
    """Memory is reused from step to step, but none that somebody still holds."""
    rng = np.random.default_rng(0)
    images = rng.random((4, 400)).astype(np.float32)
    data = Dataset("toy", images, np.arange(4), images[:1], [0], (20, 20))
    engine = Engine(Config(Policy("binary16", accumulator="blas"), batch=4, layers=(8,), **options), data)
    step = engine.step(engine.start(), np.arange(4))
    tensors = [tensor.value for tensor in consumers_first(step.loss)]
    state = step.after.state
    params = step.after.params, step.after.weights, step.after.carry, state.m, state.v, step.grads, step.steps
    held = [x.values for x in (*tensors, *(x for arrays in params for x in arrays.values()))]
    copies = [x.tobytes() for x in held]
    for _ in range(2):
        step = engine.step(step.after, np.arange(4))
    assert len(held) > 20
    assert [x.tobytes() for x in held] == copies


def test_penalties_of_the_weights_are_added_to_the_loss_of_a_batch():
    config, chosen = replace(resumable.config("plain"), validation=0.0), np.arange(16)
    start = Engine(config, resumable.DATA).start()
    plain, _ = Engine(config, resumable.DATA).graph(start, chosen)
    loss, backward = Engine(replace(config, l1=0.125, l2=0.25), resumable.DATA).graph(start, chosen)
    weights = [np.asarray(x.values) for name, x in start.params.items() if name.endswith("weight")]
    wide = fs.accumulators.Sequential("binary32")
    l1 = [fs.sum(np.abs(w).ravel(), accumulator=wide) for w in weights]
    l2 = [fs.sum(fs.multiply(w, w).ravel(), accumulator=wide) for w in weights]
    expected = fs.add(fs.add(plain.value.values, fs.multiply(fs.add(*l1), 0.125)), fs.multiply(fs.add(*l2), 0.25))
    assert float(loss.value) == float(expected) > float(plain.value)
    assert backward(None).keys() == start.params.keys()


def test_sgd_with_momentum_learns_too():
    history = train(Config("bfloat16", optimizer="sgd", lr=0.1, loss_scale=64, epochs=4), DIGITS)
    assert history.epochs[-1].test_accuracy > 0.9


def test_binary16_loses_gradients_that_a_loss_scale_saves():
    def lost(scale):
        history = train(Config("binary16", loss_scale=scale, epochs=2), DIGITS, look_every=1)
        return history.epochs[-1].lost_gradients.value

    assert lost(1024) < lost(1)


@pytest.mark.parametrize(("batch", "every"), [(64, 7), (256, 2), (1000, 1)])
def test_every_epoch_has_three_examined_steps_or_all_of_its_steps(batch, every):
    history = train(Config("bfloat16", epochs=3, batch=batch, layers=(4,)), DIGITS)
    steps, done = {row.step for row in history.telemetry.rows}, 0
    assert history.look_every == every
    for epoch in history.epochs:
        assert len(steps & set(range(done + 1, done + epoch.steps + 1))) >= min(3, epoch.steps)
        done += epoch.steps
    assert done == history.steps


def test_what_was_not_measured_has_no_value_and_is_null_in_json():
    seldom = train(Config("bfloat16", epochs=4, layers=(4,)), DIGITS, look_every=50)
    assert [epoch.lost_gradients.value for epoch in seldom.epochs] == [0, None, 0, None]
    assert seldom.totals()["lost_gradients"] == 0
    never = json.loads(json.dumps(train(Config("bfloat16", epochs=2, layers=(4,)), DIGITS, look_every=0).to_dict()))
    assert [epoch["lost_gradients"] for epoch in never["epochs"]] == [None, None]
    assert never["result"]["lost_gradients"] is None
    assert never["epochs"][0]["validation_accuracy"] is None
    assert never["look_every"] == 0
    assert never["result"]["absorbed_updates"] > 0  # counted on every step


def test_an_epoch_without_updates_does_not_say_that_none_was_absorbed():
    config = get_config("mixed-binary16", growth_interval=1, layers=(4,), epochs=12, batch=1438)
    skipped = [epoch for epoch in train(config, DIGITS).epochs if epoch.skipped]
    assert skipped
    assert {epoch.absorbed_updates.value for epoch in skipped} == {None}


def test_an_epoch_in_which_the_run_died_has_no_loss_and_says_how_many_steps_it_had():
    config = Config("binary16", lr=1e4, optimizer="sgd", loss_scale=1)
    history = train(config, DIGITS)
    (epoch,) = history.epochs
    assert (epoch.loss, epoch.steps, history.death.step) == (None, 2, 2)
    assert history.totals()["loss"] is None


def test_a_number_that_is_measured_but_not_finite_is_not_null_in_json():
    config = Config("binary16", lr=1e3, optimizer="sgd", loss_scale=1)
    death = json.loads(json.dumps(train(config, DIGITS).to_dict()))["death"]
    numbers = [*death["cause"]["operands"], *death["cause"]["largest_operands"], death["cause"]["largest"]]
    assert numbers
    assert all(float(x) == float(x) or x == "NaN" for x in numbers)
    history = train(Config("binary16", epochs=1, layers=(4,)), DIGITS)
    epoch = replace(history.epochs[0], loss=float("inf"))
    assert replace(history, epochs=(epoch,)).to_dict()["epochs"][0]["loss"] == "Infinity"


def test_products_summed_in_binary32_or_by_blas_learn_as_well():
    for accumulator in ("binary32", "blas"):
        history = train(Config(Policy("binary16", accumulator=accumulator), epochs=4), DIGITS)
        assert history.epochs[-1].test_accuracy > 0.9


def test_progress_is_told_step_by_step():
    told = []
    train(Config("binary32", epochs=1, batch=500), DIGITS, lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"epochs": 0}, "epochs=0 must be 1 or more"),
        ({"optimizer": "lion"}, "optimizer='lion' is unknown"),
        ({"loss_scale": 0}, r"loss_scale=0\.0 must be positive"),
        ({"loss_scale": "big"}, "loss_scale='big' is unknown"),
        ({"loss_scale": "dynamic"}, "loss_scale='dynamic' with unscale=False"),
        ({"update": "magic"}, "update='magic' is unknown"),
        ({"init": "zeros"}, "init='zeros' is unknown"),
        ({"layers": (8, 0)}, r"layers=\(8, 0\) has a layer without units"),
        ({"validation": 1.0}, "validation=1.0 leaves no images"),
        ({"l2": -1.0}, "l2=-1.0 is negative"),
        ({"clip_norm": float("nan")}, "clip_norm=nan"),
        ({"decay_every": 10, "decay_factor": 0.0}, "factor=0.0 must be positive"),
        ({"policy": "fp17"}, "fmt='fp17' is not a known format"),
        ({"policy": "binary16:up"}, "mode='up' is unknown"),
        ({"lr": -1e-5}, "lr=-1e-05 must be positive"),
    ],
)
def test_impossible_configurations_are_refused(settings, says):
    with pytest.raises(ValueError, match=says):
        Config(**settings)


def test_a_history_is_plain_data():
    history = train(Config("binary32", epochs=1), DIGITS)
    assert isinstance(history, History)
    assert history.totals()["overflows"] == 0
