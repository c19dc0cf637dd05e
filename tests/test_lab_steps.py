"""What a step can do besides: accumulate gradients, clip values, average weights, follow a schedule, change images."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.cli import main
from fp16sim.learn import (
    Augmentation,
    Config,
    Dataset,
    FunctionModel,
    Policy,
    Samples,
    Tensor,
    clipped_by_value,
    cosine_decay,
    diagnose,
    gradients,
    linear_decay,
    load_digits,
    sgd,
    step_decay,
    train,
    warm_up,
)
from fp16sim.learn.data import augment
from fp16sim.learn.model.averages import moved_average
from fp16sim.learn.model.in_force import put_in_force
from fp16sim.learn.run.checkpoint import load_arrays
from fp16sim.learn.run.engine import Engine
from fp16sim.learn.run.unused import unused
from fp16sim.learn.state import Phase

DIGITS = load_digits()


def assert_same(one, other):
    assert one.fmt == other.fmt
    np.testing.assert_array_equal(one.codes, other.codes)


def engine(policy="bfloat16", **options):
    settings = {"loss_scale": "none", "unscale": True, "layers": (6,), "batch": 10, **options}
    return Engine(Config(policy, **settings), DIGITS)


# --- gradient accumulation ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("parts", "sizes"), [(5, [2] * 5), (3, [4, 3, 3]), (10, [1] * 10)])
@pytest.mark.parametrize("into", ["bfloat16", "binary32", "binary16:toward_zero"])
def test_accumulated_gradients_equal_the_rounded_sums_of_those_of_the_parts(parts, sizes, into):
    run, one = engine(accumulate=parts, accumulate_in=into), engine()
    start, chosen = run.start(), np.arange(10)
    seen = run.step(start, chosen)
    fmt, _, mode = into.partition(":")
    total, losses, first, absorbed = None, [], 0, 0
    for size in sizes:
        own = chosen[first : first + size]
        first += size
        tensors = {name: Tensor(x, name=name) for name, x in start.params.items()}
        loss = one.loss(one.logits(tensors, DIGITS.train_images[own]), DIGITS.train_labels[own])
        losses.append(float(loss.value) * size)
        part = gradients(loss / (10 / size), tensors)
        part = {name: fs.array(g.values, fmt, mode or "ties_to_even") for name, g in part.items()}
        if total is None:
            total = part
            continue
        for name, g in part.items():
            absorbed += int(np.sum((g.values != 0) & ((total[name] + g).values == total[name].values)))
        total = {name: total[name] + g for name, g in part.items()}
    for name, g in seen.grads.items():
        assert_same(g, fs.array(total[name].values, "bfloat16"))
    assert seen.mean_loss == pytest.approx(sum(losses) / 10, rel=1e-15)
    assert seen.absorbed_gradients.count == absorbed


def test_without_rounding_the_parts_give_the_step_of_the_whole_batch():
    whole, parts = (engine("binary64", accumulate=n, batch=9) for n in (1, 4))
    one, other = (run.step(run.start(), np.arange(9)) for run in (whole, parts))
    for name, g in one.grads.items():
        np.testing.assert_allclose(other.grads[name].values, g.values, rtol=1e-12, atol=1e-16)
    assert other.mean_loss == pytest.approx(one.mean_loss, rel=1e-14)


def test_a_part_whose_gradient_is_not_finite_skips_the_whole_step_and_halves_the_scale_once():
    run = engine("binary16", accumulate=2, loss_scale="dynamic", batch=2)
    broken = replace(DIGITS, train_images=DIGITS.train_images.copy())
    broken.train_images[1] = np.inf
    run.data = broken
    with np.errstate(all="ignore"):
        seen = run.step(run.start(), np.array([1, 0]))
    assert seen.skipped
    assert seen.after.loss_scale.scale == seen.before.loss_scale.scale / 2
    assert not np.isfinite(seen.loss.value.values)  # the part that failed, not the other one


def test_a_sum_of_parts_that_overflows_is_the_cause_of_death():
    model = FunctionModel(lambda params, x: x * params["w"], {"w": np.ones(1)})
    data = Samples.of((np.full((4, 1), 40000.0), np.zeros((4, 1))))
    config = Config("binary32", model=model, loss=lambda y, t: y.sum(), batch=4, epochs=1, accumulate=2)
    config = replace(config, accumulate_in="binary16", loss_scale="none", unscale=True)
    death = train(config, data=data).death
    assert death.phase is Phase.ACCUMULATION
    assert str(death).startswith(
        "died at step 1: the gradient of w is not finite: adding up the micro-batches in binary16"
    )


def test_additions_without_effect_are_counted_shown_and_diagnosed():
    config = Config("bfloat16", accumulate=32, accumulate_in="e5m2", epochs=1, batch=1000, layers=(4,))
    history = train(config, look_every=0)
    share = sum((e.absorbed_gradients for e in history.epochs), start=type(history.epochs[0].absorbed_gradients)())
    assert share.value > 0.2
    assert "added gradients without effect: " in str(history)
    assert history.totals()["absorbed_gradients"] == share.value
    (advice,) = (advice for advice in diagnose(history) if advice.topic == "accumulated gradients")
    assert advice.change == {"accumulate_in": "binary32"}
    cured = train(replace(config, **advice.change), look_every=0)
    assert cured.totals()["absorbed_gradients"] < 0.01


def test_a_diagnosis_of_an_interrupted_run_knows_the_additions_without_effect_so_far(tmp_path):
    def stop(step, steps):
        raise KeyboardInterrupt

    config = Config("bfloat16", accumulate=32, accumulate_in="e5m2", epochs=1, batch=500, layers=(4,))
    with pytest.raises(KeyboardInterrupt):
        train(config, on_step=stop, look_every=0, checkpoint_path=tmp_path / "run.npz")
    assert "accumulated gradients" in [advice.topic for advice in diagnose(tmp_path / "run.npz")]


# --- the moving average ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("constants", ["rounded", "binary64"])
@pytest.mark.parametrize(("policy", "into"), [("bfloat16", "binary32"), ("binary16", ""), ("binary32", "bfloat16")])
def test_the_average_equals_the_expression_written_with_fs(policy, into, constants):
    run = engine(policy, ema=0.9, ema_in=into, constants=constants, epsilon=1e-4)
    progress, fmt = run.start(), into or policy
    expected = {name: fs.round_to(w.values, fmt) for name, w in progress.weights.items()}
    rest = 1 - 0.9
    for k in range(3):
        progress = run.step(progress, np.arange(10 * k, 10 * k + 10)).after
        for name, e in expected.items():
            difference = fs.subtract(fs.round_to(progress.weights[name].values, fmt), e, fmt)
            product = fs.multiply(difference, rest, fmt)
            if constants == "binary64":
                product = fs.round_to(difference.astype(np.float64) * rest, fmt)
            expected[name] = fs.add(e, product, fmt)
    for name, e in expected.items():
        np.testing.assert_array_equal(progress.average[name].values, e)


def test_an_average_that_stands_still_is_counted_and_diagnosed_and_binary32_cures_it(tmp_path):
    config = Config("bfloat16", ema=0.999, epochs=4, batch=256, constants="binary64", layers=(8,))
    history = train(config, look_every=0)
    assert history.totals()["absorbed_average"] > 0.8
    assert "average of the weights: test accuracy" in str(history)
    found = [advice for advice in diagnose(history) if advice.topic == "moving average"]
    assert [advice.change for advice in found] == [{"ema_in": "binary32"}]
    wide = train(replace(config, ema=0.5, ema_in="binary32"), look_every=0, checkpoint_path=tmp_path / "run.npz")
    assert wide.totals()["absorbed_average"] < 0.1
    assert wide.epochs[-1].average_accuracy > history.epochs[-1].average_accuracy + 0.1
    assert "moving average" not in [advice.topic for advice in diagnose(wide)]
    found = fs.learn.load_model(tmp_path / "run.npz", average=True)
    for name, w in wide.average.items():
        assert_same(found.params[name], w)
    stored = load_arrays(tmp_path / "run.npz")
    assert stored["average/layer1.weight"].fmt == fs.BINARY32
    assert wide.average["layer1.weight"].fmt == fs.BFLOAT16


def test_averages_of_weights_of_several_formats_are_in_their_formats():
    run = engine(Policy("bfloat16", rules={"layer2": "binary32"}), ema=0.5)
    average = run.step(run.start(), np.arange(4)).after.average
    assert {name: x.fmt.name for name, x in average.items()} == {
        "layer1.weight": "bfloat16", "layer1.bias": "bfloat16", "layer2.weight": "binary32", "layer2.bias": "binary32"
    }  # fmt: skip


def test_a_file_without_an_average_says_so(tmp_path):
    train(Config("bfloat16", epochs=1, batch=1000, layers=(2,)), look_every=0, checkpoint_path=tmp_path / "a.npz")
    with pytest.raises(ValueError, match=r"a.npz' has no moving average of the weights; train with ema=0.99 \(--ema\)"):
        fs.learn.load_model(tmp_path / "a.npz", average=True)


def test_no_average_changes_the_weights():
    runs = [train(Config("bfloat16", epochs=1, batch=500, layers=(4,), ema=ema), look_every=0) for ema in (0.0, 0.9)]
    for name, w in runs[0].params.items():
        assert_same(runs[1].params[name], w)
    assert runs[0].average == {}


def test_an_average_without_a_needed_update_counts_none():
    same = {"w": fs.array([1.0, 2.0], "binary16")}
    assert moved_average(same, same, 0.5)[1].total == 0


# --- clipping by value ------------------------------------------------------------------------------------------------


def test_clipping_by_value_sets_each_element_beyond_the_limit_to_it():
    grads = {"w": fs.array([0.25, -3.0, np.inf, -np.inf, np.nan], "binary16")}
    optimizer = clipped_by_value(sgd(1.0), 0.3)
    steps, _ = optimizer.update(grads, optimizer.init(grads))
    limit = float(fs.round_to(0.3, "binary16"))
    np.testing.assert_array_equal(steps["w"].values, [-0.25, limit, -limit, limit, np.nan])


def test_the_limit_is_multiplied_by_a_loss_scale_that_is_not_divided_out():
    assert Config("binary16", clip_value=0.5).value_limit == 512
    assert Config("binary16", clip_value=0.5, unscale=True).value_limit == 0.5


# --- schedules --------------------------------------------------------------------------------------------------------


def test_schedules_follow_their_formulas_and_stay_at_their_end():
    assert [linear_decay(1.0, 4, 0.2)(k) for k in (0, 1, 2, 4, 9)] == pytest.approx([1.0, 0.8, 0.6, 0.2, 0.2])
    cosine = cosine_decay(1.0, 10, 0.1)
    assert [cosine(k) for k in (0, 3, 10, 99)] == pytest.approx(
        [1, 0.1 + 0.9 * (1 + math.cos(0.3 * math.pi)) / 2, 0.1, 0.1]
    )
    warm = warm_up(step_decay(0.8, 2, 0.5), 4)
    assert [warm(k) for k in range(8)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 0.8, 0.8, 0.4, 0.4])


def test_a_schedule_ends_with_the_run_unless_it_says_when():
    config = Config("binary32", schedule="linear", lr=1.0, final_lr=0.5, warmup=2)
    assert [config.rate(k, 12) for k in (0, 1, 2, 7, 12, 20)] == pytest.approx([0.5, 1.0, 1.0, 0.75, 0.5, 0.5])
    assert replace(config, decay_steps=5).rate(7, 12) == 0.5
    sgd_scaled = replace(config, optimizer="sgd", loss_scale=4.0)
    assert sgd_scaled.rate(7, 12) == pytest.approx(0.75 / 4)


def test_the_steps_of_a_run_follow_its_schedule():
    run = Engine(
        Config("binary64", optimizer="sgd", momentum=0.0, schedule="cosine", batch=512, epochs=2, lr=0.5), DIGITS
    )
    assert run.batches * 2 == 6
    progress = run.start()
    for k in range(3):
        seen = run.step(progress, np.arange(4))
        rate = run.config.rate(k, 6)
        np.testing.assert_allclose(
            seen.steps["layer1.bias"].values, -rate * seen.grads["layer1.bias"].values, rtol=1e-12
        )
        progress = seen.after


def test_a_run_that_falls_until_its_end_cannot_be_made_longer(tmp_path):
    config = Config("binary16", schedule="cosine", epochs=1, batch=512, layers=(4,))
    kept = {"look_every": 0, "checkpoint_path": tmp_path / "a.npz"}
    train(config, **kept)
    with pytest.raises(ValueError, match=r"epochs=1 there and 2 here\); with other epochs each step would have"):
        train(replace(config, epochs=2), resume=True, **kept)
    fixed, kept["checkpoint_path"] = replace(config, decay_steps=9), tmp_path / "b.npz"
    train(fixed, **kept)
    assert len(train(replace(fixed, epochs=2), resume=True, **kept).epochs) == 2


# --- scalars ----------------------------------------------------------------------------------------------------------

X = np.array([[0.3, -1.7, 2.9], [0.9, 0.1, -0.6]])


@pytest.mark.parametrize("fmt", ["binary16", "bfloat16"])
def test_scalars_of_binary64_are_rounded_with_the_result_alone(fmt):
    def once(values):
        return fs.round_to(values, fmt)

    x = Tensor(fs.array(X, fmt), name="x")
    v = x.value.values.astype(np.float64)
    with put_in_force(scalars="binary64"):
        results = [x + 1e-5, x - 0.1, 0.1 - x, x * 0.1, x / 3, 3 / x, abs(x) ** 0.3, x * Tensor(fs.array(0.1, fmt))]
    expected = [v + 1e-5, v - 0.1, 0.1 - v, v * 0.1, v / 3, 3 / v, np.abs(v) ** 0.3, v * float(once(0.1))]
    for found, values in zip(results, expected, strict=True):
        np.testing.assert_array_equal(found.value.values, once(values))
    g = gradients(results[3].sum(), {"x": x})["x"]
    np.testing.assert_array_equal(g.values, np.full(X.shape, once(0.1)))


def test_a_run_can_have_scalars_of_binary64_in_its_model_and_loss():
    model = FunctionModel(lambda params, x: (x @ params["w"]) * 0.1, {"w": (64, 10)})
    config = Config("bfloat16", model=model, epochs=1, batch=500, scalars="binary64")
    rounded, wide = (Engine(replace(config, scalars=name), DIGITS) for name in ("rounded", "binary64"))
    loss, _ = wide.graph(wide.start(), np.arange(7))
    assert loss.operation == "with_number"
    assert loss.settings["number"] == 7.0
    outputs = [run.predict(run.start().params, DIGITS.test_images[:20]) for run in (rounded, wide)]
    assert not np.array_equal(*outputs)


# --- augmentation -----------------------------------------------------------------------------------------------------

IMAGES = np.random.default_rng(0).random((30, 20)).astype(np.float32)


def test_shifts_move_pixels_exactly_and_bring_in_the_background():
    found = Augmentation(shift=2).apply(IMAGES, (4, 5), np.arange(30), rng=3, epoch=1, background=-1.0)
    moves = np.random.default_rng([3, 1, 1]).integers(-2, 3, (30, 2))
    assert {tuple(move) for move in moves} >= {(0, 0), (2, -1)} or len(np.unique(moves)) == 5
    for image, after, (down, right) in zip(IMAGES.reshape(-1, 4, 5), found.reshape(-1, 4, 5), moves, strict=True):
        expected = np.full((4, 5), -1.0, np.float32)
        for r in range(4):
            for c in range(5):
                if 0 <= r - down < 4 and 0 <= c - right < 5:
                    expected[r, c] = image[r - down, c - right]
        np.testing.assert_array_equal(after, expected)
    assert found.dtype == np.float32


def test_a_turn_of_90_degrees_turns_a_square_image():
    image = np.arange(9.0).reshape(1, 9)
    y, x = augment._sources((3, 3), np.zeros((1, 2)), np.array([np.pi / 2]))
    turned = augment._sampled(image.reshape(1, 3, 3), y, x, 0.0)
    np.testing.assert_allclose(turned[0], np.rot90(image.reshape(3, 3), -1), atol=1e-12)


def test_what_happens_to_an_image_depends_on_seed_epoch_and_number_alone():
    change = Augmentation(shift=1, rotate=15.0)
    whole = change.apply(IMAGES, (4, 5), np.arange(30), rng=0, epoch=2)
    some = change.apply(IMAGES, (4, 5), np.array([17, 3]), rng=0, epoch=2)
    np.testing.assert_array_equal(some, whole[[17, 3]])
    for other in ({"rng": 1, "epoch": 2}, {"rng": 0, "epoch": 3}):
        assert not np.array_equal(change.apply(IMAGES, (4, 5), np.arange(30), **other), whole)


def test_a_run_with_augmentation_resumes_to_the_same_bits_and_leaves_the_data_as_they_are(tmp_path):
    config = Config("binary16", shift=1, rotate=10.0, epochs=2, batch=300, layers=(4,), validation=0.1)
    before = DIGITS.train_images.copy()
    whole = train(config, DIGITS, look_every=0)
    np.testing.assert_array_equal(DIGITS.train_images, before)

    def stop(done, total):
        if done == 6:
            raise KeyboardInterrupt

    path = tmp_path / "run.npz"
    with pytest.raises(KeyboardInterrupt):
        train(config, DIGITS, stop, look_every=0, checkpoint_path=path, checkpoint_seconds=0)
    resumed = train(config, DIGITS, look_every=0, checkpoint_path=path, resume=True)
    for name, w in whole.params.items():
        assert_same(resumed.params[name], w)
    plain = train(replace(config, shift=0, rotate=0.0), DIGITS, look_every=0)
    assert plain.epochs[0].loss != whole.epochs[0].loss


def test_the_background_is_that_of_normalised_images():
    config = Config("binary32", shift=1, normalisation="symmetric")
    data = fs.learn.normalise(DIGITS, "symmetric")
    assert Engine(config, data).background == -1.0


# --- the command line -------------------------------------------------------------------------------------------------


def test_the_command_line_trains_with_all_of_it_and_evaluates_the_average(tmp_path, capsys):
    options = "--layers 4 --batch 512 --epochs 1 --look-every 0 --accumulate 2 --accumulate-in binary16 --ema 0.5 "
    options += "--ema-in binary32 --schedule linear --final-lr 1e-4 --warmup 2 --clip-value 1 --shift 1 --rotate 5 "
    options += "--scalars binary64"
    policy = ["--policy", "compute=bfloat16 layer2=binary32"]
    assert main(["train", *options.split(), *policy, "-o", str(tmp_path / "a.png")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "bfloat16 layer2=binary32: added gradients without effect: " in said
    assert "bfloat16 layer2=binary32: average of the weights: test accuracy " in said
    assert "accumulate 2, accumulate in binary16" in said
    (model,) = tmp_path.glob("*.npz")
    trained = json.loads((tmp_path / "a.json").read_text())[0]["result"]["average_accuracy"]
    assert main(["evaluate", str(model), "--average", "--format", "binary32", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["trained_accuracy"] == trained


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"accumulate": 0}, "accumulate=0 must be 1 or more"),
        ({"accumulate": 65}, "accumulate=65 is more than the batch=64 images of a step"),
        ({"accumulate_in": "binary23"}, "accumulate_in='binary23': fmt='binary23' is not a known format"),
        ({"ema": 1.0}, "ema=1.0 must be below 1"),
        ({"ema": -0.1}, "ema=-0.1 is negative"),
        ({"ema": math.nan}, "ema=nan is not a number; use 0 or more"),
        ({"clip_value": -1.0}, "clip_value=-1.0 is negative"),
        ({"clip_value": 1e-12}, "clip_value=1e-12 is 0 in binary16, the optimizer's format"),
        ({"clip_value": 1.0, "clip_norm": 1.0}, "leave one out"),
        ({"schedule": "cosin"}, "schedule='cosin' is unknown; did you mean 'cosine'"),
        ({"schedule": "cosine", "decay_every": 5}, "decay_every=5 beside schedule='cosine'"),
        ({"schedule": "linear", "final_lr": 0.5}, "final_lr=0.5 is above lr=0.01"),
        ({"shift": -1}, "shift=-1 is negative"),
        ({"shift": 1.5}, "shift=1.5 is not an integer"),
        ({"rotate": 200.0}, "rotate=200.0 must be from 0 to 180"),
        ({"scalars": "binary32"}, "scalars='binary32' is unknown"),
    ],
)
def test_impossible_options_are_refused(options, says):
    with pytest.raises((ValueError, TypeError), match=says):
        Config("binary16", **options)


def test_options_without_effect_are_said():
    found = unused(Config("binary16"))
    assert {"accumulate_in", "ema_in", "decay_steps", "final_lr"} <= found.keys()
    with pytest.raises(ValueError, match="ema_in='binary32' would have no effect: there is no moving average"):
        train("bfloat16-plain", ema_in="binary32")


def test_only_images_are_shifted_and_turned():
    data = Samples.of((X, np.array([0, 1])))
    model = FunctionModel(lambda params, x: x @ params["w"], {"w": (3, 2)})
    with pytest.raises(ValueError, match="shift=1 is for images, and the inputs of own data are none"):
        train(Config("binary16", model=model, shift=1, batch=2), data=data)
    assert isinstance(DIGITS, Dataset)
    assert Policy("binary16").rules == ()
