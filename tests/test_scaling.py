"""Loss scales: step by step what PyTorch's GradScaler did, and what a format can hold."""

from dataclasses import replace
from itertools import groupby

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.learn import Config, Dataset, DynamicLossScale, NoLossScale, Policy, StaticLossScale
from fp16sim.learn.run.engine import Engine
from fp16sim.learn.scaling import PATIENCE, get_loss_scale, is_representable
from fp16sim.learn.state import Phase

# What torch 2.13.0's torch.amp.GradScaler("cpu") did: for each step, whether all gradients were finite (x: one was
# not), the base-2 logarithm of the scale after update(), and its count of finite steps.
STEPS = "x..x..........x.x..........xx............x..............xx.x"
LOGARITHMS = [15] * 3 + [14] * 3 + [15] * 3 + [16] * 3 + [17] * 2 + [16] * 2 + [15] * 3 + [16] * 3 + [17] * 3 + [18] * 2
LOGARITHMS += [17] + [16] * 3 + [17] * 3 + [18] * 3 + [19] * 3 + [20] + [19] * 3 + [20] * 3 + [21] * 3 + [22] * 3
LOGARITHMS += [23] * 3 + [22] + [21] * 2 + [20]
COUNTS = "012012012012010101201201201001201201201200120120120120120010"
AT_THE_TOP = ("xx......x....x....x...x...x...x.x.....x.", 125)  # growing in each step, from 2^125 on
TOPS = [124, 123, 124, 125, 126, 127, 127, 127, 126, 127, 127, 127, 127, 126, 127, 127, 127, 127, 126, 127, 127, 127]
TOPS += [126, 127, 127, 127, 126, 127, 127, 127, 126, 127, 126, 127, 127, 127, 127, 127, 126, 127]


def walk(scale, steps):
    found = []
    for step in steps:
        scale = scale.adjust(step == ".")
        found.append(scale)
    return found


def test_the_dynamic_scale_takes_the_steps_of_pytorch():
    assert DynamicLossScale() == DynamicLossScale(2.0**16, growth=2.0, backoff=0.5, interval=2000)
    found = walk(DynamicLossScale(interval=3), STEPS)
    assert [np.log2(s.scale) for s in found] == LOGARITHMS
    assert "".join(str(s.finite_steps) for s in found) == COUNTS


def test_the_dynamic_scale_grows_only_while_it_stays_finite_in_binary32_as_pytorchs_does():
    steps, start = AT_THE_TOP
    found = walk(DynamicLossScale(2.0**start, interval=1), steps)
    assert [np.log2(s.scale) for s in found] == TOPS
    assert all(s.finite_steps == 0 for s in found)


def test_other_factors_are_pytorchs_too():
    found = walk(DynamicLossScale(3.0, growth=1.5, backoff=0.25, interval=2), ".x....x")
    expected = [3.0, 0.75, 0.75, 1.125, 1.125, 1.6875, 0.421875]  # the logarithms that PyTorch showed, as numbers
    assert [s.scale for s in found] == expected


# What torch 2.14.1 did in the steps that changed the scale, as numbers of binary32.
UNEVEN = (
    (65536.0, 1.5, 0.9, 2, "x..x..", "0x1.ccccccp+15 0x1.599998p+16 0x1.370a3cp+16 0x1.d28f5ap+16"),
    (0.1, 1.5, 0.9, 2, ".x...x", "0x1.99999ap-4 0x1.70a3d8p-4 0x1.147ae2p-3 0x1.f1a9fep-4"),
    (3e38, 1.1, 0.9, 1, "...x....", "0x1.f0876p+127 0x1.bee03cp+127 0x1.eb9042p+127"),
)


@pytest.mark.parametrize(("start", "growth", "backoff", "interval", "steps", "expected"), UNEVEN)
def test_every_step_is_rounded_to_binary32_as_pytorchs_are(start, growth, backoff, interval, steps, expected):
    found = walk(DynamicLossScale(start, growth=growth, backoff=backoff, interval=interval), steps)
    assert [scale for scale, _ in groupby(s.scale for s in found)] == [float.fromhex(x) for x in expected.split()]


def test_a_scale_that_is_halved_for_ever_stays_positive():
    found = walk(DynamicLossScale(), "x" * 2000)
    assert found[-1].scale == 2.0**-149
    assert found[-1].adjust(True).finite_steps == 1


@pytest.mark.parametrize(("fmt", "start"), [("binary16", 15), ("bfloat16", 16), ("binary32", 16), ("e5m2", 15)])
def test_the_dynamic_scale_starts_and_ends_with_what_the_losss_format_holds(fmt, start):
    fmt = fs.get_format(fmt)
    scale = get_loss_scale("dynamic", fmt, 1)
    assert scale.scale == 2.0**start
    top = walk(scale, "." * 200)[-1].scale
    assert top == 2.0**fmt.emax
    assert is_representable(top, fmt)


def test_the_other_scales_never_change():
    assert walk(NoLossScale(), "x.") == [NoLossScale()] * 2
    assert walk(StaticLossScale(8.0), "x.") == [StaticLossScale(8.0)] * 2
    assert get_loss_scale("none", fs.BINARY16) == NoLossScale()
    assert get_loss_scale(1, fs.BINARY16) == StaticLossScale(1.0)


@pytest.mark.parametrize(("value", "finite"), [(1.0, True), (np.inf, False), (np.nan, False)])
def test_only_the_dynamic_scale_skips_a_step_and_only_for_gradients_that_are_not_finite(value, finite):
    grads = {"a": fs.array([1.0], "binary16"), "b": fs.array([0.0, value], "binary16")}
    assert NoLossScale().accepts(grads)
    assert StaticLossScale().accepts(grads)
    assert DynamicLossScale().accepts(grads) is finite


@pytest.mark.parametrize(
    ("scale", "fmt", "expected"),
    [(32768, "binary16", True), (65536, "binary16", False), (1000.3, "binary16", False), (2.0**-30, "binary16", False)],
)
def test_whether_a_format_holds_a_scale(scale, fmt, expected):
    with np.errstate(all="ignore"):
        assert is_representable(scale, fs.get_format(fmt)) is expected


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: StaticLossScale(0), "loss_scale=0 must be positive and finite; 1 means no scaling"),
        (lambda: StaticLossScale(float("inf")), "loss_scale=inf must be positive"),
        (lambda: DynamicLossScale(-1.0), "loss_scale=-1.0 must be positive"),
        (lambda: DynamicLossScale(1e39), r"loss_scale=1e\+39 must be positive and finite in binary32"),
        (lambda: DynamicLossScale(1e-46), "loss_scale=1e-46 must be positive"),
        (lambda: DynamicLossScale(float("nan")), "loss_scale=nan must be positive"),
        (lambda: DynamicLossScale(growth=1.0), "growth must be above 1"),
        (lambda: DynamicLossScale(backoff=1.0), "backoff between 0 and 1"),
        (lambda: DynamicLossScale(interval=0), "interval=0"),
        (
            lambda: get_loss_scale("auto", fs.BINARY16),
            "loss_scale='auto' is unknown; use 'none', 'dynamic' or a number",
        ),
    ],
)
def test_impossible_scales_are_refused(make, says):
    with pytest.raises(ValueError, match=says):
        make()


# --- in a step ------------------------------------------------------------------------------------------------------


def toy(pixels=3):
    rng = np.random.default_rng(0)
    return Dataset("toy", rng.random((8, pixels)), np.arange(8) % 2, rng.random((4, pixels)), [0, 1, 0, 1])


def engine(policy, **options):
    return Engine(Config(policy, layers=(4,), unscale=True, **options), toy())


def test_a_skipped_step_changes_the_scale_and_nothing_else(quiet):
    run = engine(Policy("binary16", loss="binary32"), loss_scale="dynamic")
    start = run.start()
    seen = run.step(start, np.arange(8))  # 65536 / 8 and below: all finite
    assert seen.skipped is False
    image = toy().train_images.copy()
    image[0, 0] = 60000.0  # a gradient beyond 65504
    run = Engine(run.config, Dataset("toy", image, toy().train_labels, image[:1], [0]))
    seen = run.step(start, np.arange(8))
    assert seen.skipped is True
    assert seen.after.loss_scale.scale == 32768
    assert seen.after.step == 1
    assert seen.after.state == start.state
    assert seen.after.params is start.params
    assert not seen.grads
    assert not seen.steps


# --- a run that does nothing but skip -------------------------------------------------------------------------------


def after_skips(config, weight, pixel, times):
    """The progress after some steps in a row, with one image of equal pixels and all weights equal."""
    run = Engine(config, Dataset("toy", np.full((1, 3), pixel), [0], np.zeros((1, 3)), [0]))
    start = run.start()
    progress = run.start({name: np.full(x.shape, weight) for name, x in start.params.items()})
    for _ in range(times):
        progress = run.step(progress, np.arange(1)).after
    return progress


MIXED = Config(Policy("binary16", loss="binary32"), layers=(4,), unscale=True, loss_scale="dynamic")


def test_a_run_dies_of_as_many_skipped_steps_as_its_patience_if_no_loss_scale_could_have_saved_them(quiet):
    alive = after_skips(MIXED, 100.0, 1000.0, PATIENCE - 1)  # 3 * 100 * 1000 is beyond 65504
    assert (alive.hopeless, alive.death, alive.loss_scale.scale) == (PATIENCE - 1, None, 2.0 ** (16 - PATIENCE + 1))
    dead = after_skips(MIXED, 100.0, 1000.0, PATIENCE)
    assert (dead.death.step, dead.death.phase, dead.death.layer) == (PATIENCE, Phase.FORWARD, "layer1")
    assert dead.death.skipped == PATIENCE == 16
    assert str(dead.death).endswith("; 16 steps were skipped that no loss scale could have saved")
    assert all(np.isfinite(x.values).all() for x in dead.params.values())


def test_a_step_that_is_taken_starts_the_count_again(quiet):
    images = np.array([[1000.0] * 3, [0.0] * 3])  # the first overflows in the forward pass, the second does not
    run = Engine(MIXED, Dataset("toy", images, [0, 1], images, [0, 1]))
    progress = run.start({name: np.full(x.shape, 100.0) for name, x in run.start().params.items()})
    counts = []
    for chosen in ([0] * 15 + [1]) * 2:
        progress = run.step(progress, np.array([chosen])).after
        counts.append(progress.hopeless)
    assert counts == [*range(1, 16), 0] * 2
    assert progress.death is None


def test_a_search_for_a_smaller_scale_may_take_longer_than_a_runs_patience(quiet):
    run = Engine(MIXED, toy())
    progress, skipped = replace(run.start(), loss_scale=DynamicLossScale(2.0**60)), 0
    while (seen := run.step(progress, np.arange(8))).skipped:
        progress, skipped = seen.after, skipped + 1
        assert (progress.hopeless, progress.death) == (0, None)
    assert skipped > 2 * PATIENCE


def test_gradients_that_are_finite_until_they_are_unscaled_end_a_run_too(quiet):
    # The gradient of the penalty is 2 * 100 * 100, beyond 448 in e4m3fn. Multiplied by 2^-6 it is not, but then it is
    # divided by the scale again.
    policy = Policy("binary32", gradient="e4m3fn")
    config = Config(policy, layers=(4,), unscale=True, loss_scale="dynamic", l2=100.0)
    dead = after_skips(config, 100.0, 0.0, 22 + PATIENCE)
    assert (dead.death.step, dead.death.phase, dead.death.skipped) == (22 + PATIENCE, Phase.UNSCALING, PATIENCE)
    assert after_skips(config, 100.0, 0.0, 21 + PATIENCE).death is None


@pytest.mark.parametrize(
    ("scale", "loss", "scaled", "expected"),
    [
        (DynamicLossScale(), 1.0, np.inf, True),
        (DynamicLossScale(2.0**-148), 1.0, np.inf, True),
        (DynamicLossScale(2.0**-149), 1.0, np.inf, False),  # there is no smaller one
        (DynamicLossScale(2.0**-147, backoff=0.9), 1.0, np.inf, False),  # 0.9 times it is itself in binary32
        (DynamicLossScale(), np.nan, np.inf, False),
        (DynamicLossScale(), np.inf, 1.0, False),
        (DynamicLossScale(), 1.0, 1.0, False),
        (StaticLossScale(), 1.0, np.inf, False),
    ],
)
def test_when_a_smaller_scale_could_help(scale, loss, scaled, expected):
    grads = {"a": fs.array([1.0], "binary32"), "b": fs.array([0.0, scaled], "binary32")}
    assert scale.may_recover(fs.array(loss, "binary32"), grads) is expected


def test_a_static_scale_skips_nothing_and_lets_a_run_die(quiet):
    run = engine("binary16", loss_scale=1e6)
    seen = run.step(run.start(), np.arange(8))
    assert seen.skipped is False
    assert seen.after.death is not None


@pytest.mark.parametrize("scale", [2.0**-3, 1024.0, 2.0**30, 1000.0])
@pytest.mark.parametrize("fmt", ["binary16", "bfloat16"])
def test_unscaling_rounds_the_quotient_once_whatever_the_format_makes_of_the_scale(fmt, scale, quiet):
    g = fs.array([65504.0, 1.0, -3.0 * 2.0**-20, 2.0**-24, 0.0], fmt)
    found = StaticLossScale(scale).unscale({"g": g})["g"]
    assert NoLossScale().unscale({"g": g})["g"] is g
    expected = [fs.exact.divide(x, scale, "binary64") for x in g.values.tolist()]
    assert found.codes.tolist() == fs.array(np.array(expected, float), fmt).codes.tolist()


def test_gradients_are_divided_by_the_scale_only_if_that_is_asked_for():
    grads = {"w": fs.array([1024.0, 3.0], "binary16")}
    for unscale, expected in ((True, [1.0, 3 / 1024]), (False, [1024.0, 3.0])):
        run = Engine(Config("binary16", unscale=unscale, loss_scale=1024.0), toy())
        assert run.received(grads, run.config.make_loss_scale())["w"].values.tolist() == expected
