"""The microscope: it counts what brute force counts, looking changes nothing, and first causes are the first."""

import json
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.learn import Config, Microscope, Policy, Telemetry, Tensor, check, diagnose, gradients, train
from fp16sim.learn.observe.postmortem import first_not_finite, in_backward
from fp16sim.learn.observe.telemetry import KINDS, BackwardObserver, _arrival, count_absorbed
from fp16sim.learn.run.engine import Engine
from fp16sim.learn.scaling import all_finite
from fp16sim.learn.state import Share

from . import resumable


def arrays(*values, fmt="binary16"):
    return {"w": fs.array(list(values), fmt)}


def test_shares_add_up_and_one_of_nothing_has_no_value():
    assert Share(1, 4) + Share(2, 6) == Share(3, 10)
    assert Share(3, 10).value == 0.3
    assert Share(0, 10).value == 0
    assert Share().value is None


def test_absorbed_updates_are_the_nonzero_ones_that_change_nothing():
    before, steps = arrays(1.0, 1.0, 2048.0, 5.0, -0.0), arrays(0.5, 1e-4, 1.0, 0.0, 2.0**-24)
    after = {"w": before["w"] + steps["w"]}
    assert after["w"].values.tolist() == [1.5, 1.0, 2048.0, 5.0, 2.0**-24]
    assert count_absorbed(before, after, steps) == Share(2, 4)


def test_all_finite_looks_at_every_element_of_every_array():
    assert all_finite({**arrays(1.0, 2.0), "b": fs.array([0.0])})
    assert not all_finite({**arrays(1.0), "b": fs.array([0.0, np.nan])})
    assert not all_finite({**arrays(1.0), "b": fs.array([-np.inf])})


# --- gradients ------------------------------------------------------------------------------------------------------


def brute(wide, fmt):
    """(nonzero, became 0, became subnormal, overflowed) by looking at each number."""
    fmt = fs.get_format(fmt)
    held = np.abs(fs.round_to(wide, fmt))
    nonzero = wide != 0
    subnormal = (held > 0) & (held < float(fmt.min_normal))
    return int(nonzero.sum()), int((nonzero & (held == 0)).sum()), int(subnormal.sum()), int(np.isinf(held).sum())


@pytest.mark.parametrize("fmt", ["binary16", "bfloat16"])
def test_the_gradients_lost_are_those_that_binary64_would_have_kept(fmt, quiet):
    rng = np.random.default_rng(0)
    span = 30 if fmt == "binary16" else 140
    values = fs.round_to(np.ldexp(rng.standard_normal((40, 50)), rng.integers(-span, span // 2, (40, 50))), fmt)
    values[np.isinf(values)] = 1
    x = Tensor(fs.array(rng.standard_normal((40, 50)), fmt), name="x")
    factor = Tensor(fs.array(values, fmt), wanted=False)
    watch = BackwardObserver()
    gradients(x * factor, {"x": x}, scale=2.0**-3, observer=watch)
    ((kind, name, seen),) = watch.seen
    nonzero, lost, subnormal, overflowed = brute(values.astype(np.float64) * 2.0**-3, fmt)
    fate = seen.fate()
    assert (kind, name) == ("weight gradient", "x")
    assert (seen.finite, fate.underflowed, fate.subnormal, fate.overflowed) == (nonzero, lost, subnormal, overflowed)
    assert watch.lost == Share(lost, nonzero)
    assert lost > 20


def test_a_sum_over_a_broadcast_axis_is_looked_at_after_it_was_taken():
    x, b = Tensor(fs.array(np.ones((8, 2)), "binary16")), Tensor(fs.array([0.0, 0.0], "binary16"), name="b")
    watch = BackwardObserver()
    gradients(x + b, {"b": b}, scale=2.0**-24, observer=watch)
    (seen,) = [seen for _, name, seen in watch.seen if name == "b"]
    assert (seen.total, seen.exponents) == (2, {-21: 2})


def test_what_comes_in_as_zero_was_lost_before_and_is_not_counted_again():
    x = Tensor(fs.array([1.0], "binary16"), name="x")
    tiny = Tensor(fs.array([2.0**-20], "binary16"), wanted=False)
    watch = BackwardObserver()
    gradients((x * 1.0) * tiny, {"x": x}, scale=2.0**-10, observer=watch)
    assert watch.lost == Share(1, 1)


def test_the_gradients_of_both_factors_of_a_product_are_those_of_binary64(quiet):
    rng = np.random.default_rng(2)
    shapes = {"left": (6, 4), "right": (4, 3), "above": (6, 3)}
    drawn = {name: rng.standard_normal(n) * np.exp2(rng.integers(-12, 3, n)) for name, n in shapes.items()}
    values = {name: np.asarray(fs.round_to(x, "binary16")) for name, x in drawn.items()}
    left, right = (Tensor(fs.array(values[name], "binary16"), name=name) for name in ("left", "right"))
    above = Tensor(fs.array(values["above"], "binary16"), wanted=False)
    watch = BackwardObserver()
    gradients(left.matmul(right) * above, {"left": left, "right": right}, scale=2.0**-10, observer=watch)
    g = np.asarray(fs.multiply(values["above"], 2.0**-10, "binary16"))
    for name, wide in (("left", g @ values["right"].T), ("right", values["left"].T @ g)):
        (seen,) = [seen for _, found, seen in watch.seen if found == name]
        nonzero, lost, subnormal, overflowed = brute(wide, "binary16")
        assert (seen.total, seen.finite) == (wide.size, nonzero)
        assert (seen.fate().underflowed, seen.fate().subnormal, seen.fate().overflowed) == (lost, subnormal, overflowed)
        counted = {exponent: n for exponent, n in seen.exponents.items() if n}
        assert counted == dict(Counter((np.frexp(wide)[1] - 1).ravel().tolist()))
        assert lost or subnormal


def test_what_only_moves_numbers_is_not_looked_at():
    x = Tensor(fs.array([1.0, 2.0], "binary16"), name="x")
    factor = Tensor(fs.array([[3.0], [4.0]], "binary16"), wanted=False)
    watch = BackwardObserver()
    gradients((x * 1.0).reshape(2, 1) * factor, {"x": x}, observer=watch)
    assert [(kind, name) for kind, name, _ in watch.seen] == [("activation gradient", "loss"), ("weight gradient", "x")]


def test_a_cotangent_that_is_narrowed_is_surveyed_in_the_narrow_format(quiet):
    from fp16sim.learn.precision import Precision, Products

    x, w = (Tensor(fs.array(v, "binary16"), name=n) for n, v in (("x", [[1.0]]), ("w", [[1.0, 1.0]])))
    y = x.matmul(w, Products(cotangent=Precision.of("e5m2")))
    watch = BackwardObserver()
    gradients(y * Tensor(fs.array([[2.0**-18, 60000.0]], "binary16"), wanted=False), {"w": w}, observer=watch)
    (seen,) = [seen for kind, _, seen in watch.seen if kind == "product cotangent"]
    assert seen.fmt == fs.E5M2
    assert (seen.fate().underflowed, seen.fate().overflowed) == (1, 0)


def test_a_penalty_in_a_format_of_its_own_is_surveyed_with_the_loss(quiet):
    config = Config(Policy("binary16", loss="binary32"), layers=(5,), batch=32, l2=0.25, epochs=1)
    telemetry = train(config, resumable.DATA).telemetry
    formats = {(kind, name): seen.fmt for (kind, name), seen in telemetry.surveys.items()}
    assert formats["activation gradient", "loss"] == fs.BINARY32
    assert {fmt for (kind, _), fmt in formats.items() if kind == "weight gradient"} == {fs.BINARY16}


# --- a step ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def looked():
    """One step, everything seen of it, and the microscope that looked."""
    config = Config(Policy("bfloat16", loss="binary32"), layers=(5,), batch=32, lr=3e-3)
    engine = Engine(config, resumable.DATA)
    microscope = Microscope(1)
    backward = microscope.observer(0)
    with np.errstate(all="ignore"):
        seen = engine.step(engine.start(), np.arange(32), backward)
        microscope.look(seen, backward)
    return engine, seen, microscope.telemetry


def row(telemetry, kind, name):
    (found,) = [row for row in telemetry.rows if (row.kind, row.name) == (kind, name)]
    return found


def test_every_kind_of_tensor_is_looked_at_by_its_name(looked):
    _, seen, telemetry = looked
    names = {kind: {row.name for row in telemetry.rows if row.kind == kind} for kind in KINDS}
    assert names["weight"] == names["step"] == names["weight gradient"] == set(seen.grads)
    assert names["activation"] == {"layer1", "relu1", "layer2"}
    assert names["activation gradient"] == {"layer1", "relu1", "layer2", "logits", "loss"}
    assert not names["product cotangent"]
    assert {row.step for row in telemetry.rows} == {1}
    assert telemetry.scales == [(1, 1024.0)]
    assert telemetry.skipped == []


@pytest.mark.parametrize(("name", "outside"), [("plain", {"loss"}), ("dynamic scale", {"loss", "logits"})])
def test_logits_that_are_cast_for_the_loss_have_rows_of_their_own(name, outside):
    rows = resumable.run(name).telemetry.rows
    found = {row.name for row in rows if row.kind == "activation gradient"}
    assert found == {"layer1", "relu1", "layer2"} | outside


def test_an_activations_row_counts_the_output_of_its_layer(looked):
    engine, seen, telemetry = looked
    params = seen.before.params
    tensors = {name: Tensor(x) for name, x in params.items()}
    logits = engine.logits(tensors, engine.data.train_images[:32]).value.values
    images = fs.round_to(engine.data.train_images[:32], "bfloat16")
    hidden = fs.matmul(images, params["layer1.weight"].values, "bfloat16")
    hidden = fs.add(hidden, params["layer1.bias"].values, "bfloat16")
    for name, values in (("layer1", hidden), ("relu1", np.maximum(hidden, 0)), ("layer2", logits)):
        found = row(telemetry, "activation", name)
        assert (found.total, found.zeros) == (values.size, np.count_nonzero(values == 0)), name
        exponents = np.frexp(values[values != 0])[1] - 1
        counts = {int(e): int(n) for e, n in zip(*np.unique(exponents, return_counts=True), strict=True)}
        assert {e: n for e, n in telemetry.surveys["activation", name].exponents.items() if n} == counts


def test_a_steps_row_counts_what_was_absorbed_and_how_much_arrived(looked):
    _, seen, telemetry = looked
    for name, step in seen.steps.items():
        before, after = seen.before.weights[name].values, seen.after.weights[name].values
        found = row(telemetry, "step", name)
        wanted, moved = step.values.astype(float), after.astype(float) - before
        assert found.absorbed == np.count_nonzero((wanted != 0) & (moved == 0))
        assert found.arrived == pytest.approx((wanted * moved).sum() / (wanted**2).sum())
        assert found.total == step.size
    assert sum(row.absorbed for row in telemetry.rows if row.kind == "step") == seen.absorbed.count


def test_what_is_measured_of_steps_only_has_no_value_for_other_tensors(looked):
    *_, telemetry = looked
    assert {row.kind for row in telemetry.rows if row.absorbed is not None} == {"step"}
    assert {row.kind for row in telemetry.rows if row.arrived is not None} == {"step"}


def test_a_step_of_zeros_has_not_arrived_to_any_part():
    zeros = arrays(0.0, 0.0)["w"]
    assert _arrival(zeros, zeros, zeros) == (0, None)
    assert _arrival(zeros, arrays(0.0, 1.0)["w"], arrays(0.0, 1.0)["w"]) == (0, 1.0)


def test_what_was_seen_is_plain_data_and_comes_back(looked):
    *_, telemetry = looked
    assert Telemetry.from_dict(json.loads(json.dumps(telemetry.to_dict()))) == telemetry


def test_a_derived_format_is_remembered_with_its_surveys():
    flushing = replace(fs.BINARY16, name="flushing", subnormals="flush_to_zero")
    history = train(Config(flushing, layers=(3,), epochs=1), resumable.DATA)
    again = Telemetry.from_dict(json.loads(json.dumps(history.telemetry.to_dict())))
    assert again == history.telemetry
    assert again.total("weight").fmt == flushing


@pytest.mark.parametrize("name", ["stochastic everything", "dynamic scale"])
def test_looking_changes_nothing_and_happens_when_it_was_asked_for(name):
    found = {}
    for every in (0, 1, 4):
        found[every] = train(resumable.config(name), resumable.DATA, look_every=every)
        steps = sorted({row.step for row in found[every].telemetry.rows})
        assert steps == ([] if not every else list(range(1, found[every].steps + 1, every)))
        for key, x in found[every].params.items():
            assert x.codes.tolist() == found[0].params[key].codes.tolist()
    with pytest.raises(ValueError, match="every=-1 is negative; use 0"):
        Microscope(-1)


@pytest.mark.parametrize(
    "policy",
    [
        Policy("binary16", output="bfloat16"),
        Policy("binary16", output="bfloat16", loss="binary32"),
        Policy("binary16", param="binary32", loss="binary32"),
        Policy("binary16", param="bfloat16", loss="bfloat16", gradient="binary32"),
    ],
)
def test_a_run_with_a_format_for_each_part_and_a_penalty_is_examined_in_the_formats_of_its_parts(policy):
    config = Config(policy, layers=(4,), batch=32, l2=0.25, epochs=1)
    seen = {key: survey.fmt for key, survey in train(config, resumable.DATA).telemetry.surveys.items()}
    assert {fmt for (kind, _), fmt in seen.items() if kind == "weight gradient"} == {policy.compute.fmt}
    assert seen["activation gradient", "loss"] == policy.loss.fmt
    casts = [a.fmt for a, b in pairwise([policy.compute, policy.output, policy.loss]) if a != b]
    assert [seen["activation gradient", name] for name in ("logits", "output")[: len(casts)]] == casts


def test_no_advice_about_gradients_is_given_from_steps_that_were_not_examined():
    history = train(Config("e5m2", loss_scale=1, epochs=2, layers=(8,)), look_every=1)
    known = {advice.topic for advice in check(history.config)} | {"absorbed updates"}  # these need no examined step
    assert {advice.topic for advice in diagnose(history)} - known == {"loss scale", "second moment"}
    assert {advice.topic for advice in diagnose(replace(history, telemetry=Telemetry()))} <= known


def test_scales_and_skipped_steps_are_those_of_the_run():
    history = train(resumable.config("dynamic scale"), resumable.DATA, look_every=0)
    changes = history.telemetry.scales
    assert changes[0] == (1, 65536.0)
    assert all(a[1] != b[1] and a[0] < b[0] for a, b in pairwise(changes))
    assert len(history.telemetry.skipped) == sum(epoch.skipped for epoch in history.epochs) > 0
    halved = [step for (_, before), (step, scale) in pairwise(changes) if scale < before]
    assert {step - 1 for step in halved} <= set(history.telemetry.skipped)


@pytest.mark.parametrize("change", [(0, 1.0), (1, 0.0), (1, np.nan), (1, np.inf)])
def test_a_stored_loss_scale_that_no_step_can_have_had_is_refused(change):
    stored = Telemetry().to_dict() | {"scales": [list(change)]}
    with pytest.raises(ValueError, match="a loss scale is positive and finite"):
        Telemetry.from_dict(stored)


# --- first causes ---------------------------------------------------------------------------------------------------


def test_the_first_cause_is_where_finite_arguments_gave_something_else(quiet):
    x = Tensor(fs.array([60000.0], "binary16"), name="x")
    first = x + x
    left, right = first * 2.0, first * 3.0
    for loss in (left + right, right + left, left + right * left):
        assert first_not_finite(loss) is first
    assert first_not_finite(x * 1.0) is None


def test_cotangents_that_overflow_where_they_meet_are_not_blamed_on_the_loss_scale(quiet):
    x = Tensor(fs.array([1.0], "binary16"), name="x")
    y = x * 1.0
    loss = y * 40000.0 + y * 30000.0
    death = in_backward(7, lambda observer: gradients(loss, {"x": x}, observer=observer))
    assert death.step == 7
    assert (death.operation, death.cause.argument) == ("multiply", 0)
    assert death.reason.startswith("the sum of its cotangents gave 1 infinity")
