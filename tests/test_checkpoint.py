"""Files of models and runs: exact round trips, refusals that overwrite nothing, and weights to begin with."""

import io
import json
import re
import tracemalloc
import zipfile
from contextlib import nullcontext
from dataclasses import fields, replace

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.formats import NAMED_FORMATS
from fp16sim.learn import Config, Model, Policy, evaluate, get_config, load_model, save_model, spirals, train
from fp16sim.learn.run.checkpoint import (
    BYTES_KEPT,
    BYTES_WHILE_READ,
    VERSION,
    ModelText,
    RunText,
    load_arrays,
    read,
    unfinished,
    word,
)

from .support import assert_same_codes, held_values

DATA = spirals(arms=2, points=40)
SMALL = Config("binary16", layers=(4,), epochs=2, batch=16, data="spirals")
FLUSHING = replace(fs.BINARY16, name="flushing", subnormals="flush_to_zero")


class Stopped(Exception):
    """What stops a run in these tests."""


def stop_after(steps):
    def on_step(done, total):
        if done == steps:
            raise Stopped

    return on_step


def interrupted(path, steps=5, config=SMALL, **how):
    """A checkpoint of a run that was stopped after so many steps."""
    with pytest.raises(Stopped):
        # The file is written after on_step: the last step is lost.
        train(config, DATA, stop_after(steps), checkpoint_path=path, checkpoint_seconds=0, **how)
    return path


def values_of(fmt):
    if fmt.width <= 16:
        return held_values(fmt, step=1 if fmt.width < 16 else 37)
    tiny, top = float(fmt.min_subnormal), float(fmt.max_finite)
    x = fs.round_to(np.random.default_rng(0).standard_normal(50), fmt)
    return np.append(x, [0.0, -0.0, tiny, -tiny, float(fmt.min_normal), top, -top, np.inf, -np.inf, np.nan])


@pytest.mark.parametrize("fmt", [*NAMED_FORMATS, FLUSHING], ids=str)
def test_a_model_comes_back_with_every_code_as_it_was(fmt, tmp_path):
    x = values_of(fmt)
    params = {"layer1.weight": fs.array(x.reshape(-1, 1), fmt), "layer1.bias": fs.array(x[:1], fmt)}
    given = Model(Config(Policy(fmt), lr=0.3, recipe="a name", layers=()), params, (x.size,), 1)
    save_model(tmp_path / "model.npz", given)
    found = load_model(tmp_path / "model.npz")
    assert (found.config, found.image_shape, found.classes) == (given.config, (x.size,), 1)
    assert list(found.params) == list(params)
    for name, value in params.items():
        assert found.params[name].fmt == fmt
        assert found.params[name].shape == value.shape
        assert found.params[name].values.dtype == value.values.dtype
        assert_same_codes(found.params[name].values, value.values, fmt, "stored")


def test_codes_are_stored_in_the_formats_own_width(tmp_path):
    sizes = {}
    for fmt in ("e4m3fn", "binary16", "bfloat16", "binary32", "binary64"):
        path = tmp_path / f"{fmt}.npz"
        params = {name: fs.array(np.ones(shape), fmt) for name, shape in {"weight": (9_999, 2), "bias": (2,)}.items()}
        params = {f"layer1.{name}": x for name, x in params.items()}
        save_model(path, Model(Config(fmt, layers=()), params, (9_999,), 2))
        with np.load(path) as stored:
            assert stored["params/layer1.weight"].itemsize * 8 == fs.get_format(fmt).width
        sizes[fmt] = path.stat().st_size
    assert sizes["binary16"] == sizes["bfloat16"] == pytest.approx(sizes["binary32"] / 2, rel=0.03)
    assert sizes["e4m3fn"] == pytest.approx(sizes["binary16"] / 2, rel=0.05)
    assert sizes["binary64"] == pytest.approx(sizes["binary32"] * 2, rel=0.03)
    assert [np.dtype(word(f)).itemsize for f in (fs.E2M1FN, fs.E3M2FN, fs.TF32)] == [1, 1, 4]


# --- files that are not what they should be -------------------------------------------------------------------------


def test_a_damaged_file_is_refused_or_read_right_and_never_a_traceback(tmp_path):
    path = interrupted(tmp_path / "run.npz")
    whole, found = path.read_bytes(), load_model(path)
    damaged = tmp_path / "damaged.npz"
    rng, refused = np.random.default_rng(0), []
    ends = np.arange(len(whole) - 1200, len(whole), 5)  # the directory of the archive
    for at in [*rng.integers(0, len(whole), 150), *ends]:
        flipped = bytearray(whole)
        flipped[at] ^= int(rng.integers(1, 256))
        damaged.write_bytes(flipped)
        try:
            again = load_model(damaged)
        except ValueError as error:
            refused.append(str(error))
            continue
        for name, x in found.params.items():
            assert_same_codes(again.params[name].values, x.values, x.fmt, "stored")
    assert len(refused) > 100
    assert all("damaged" in message or "version" in message for message in refused)
    for length in [0, 1, 100, len(whole) // 2, len(whole) - 1]:
        damaged.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="it is damaged"):
            load_model(damaged)


def npy(path):
    np.save(path, np.zeros(3))


def foreign(path):
    np.savez(path, weights=np.zeros(3))


def pickled(path):
    np.save(path, np.array([{}], object), allow_pickle=True)


class Opened:
    """What a pickle may do to those who open it: call anything."""

    def __reduce__(self):
        return (pytest.fail, ("a pickle in an archive was opened",))


def trap(path):
    about = np.frombuffer(json.dumps({"version": VERSION}).encode(), np.uint8)
    np.savez(path, about=about, trap=np.array([Opened()], object))


def no_object(path):
    np.savez(path, about=np.frombuffer(b"[1, 2]", np.uint8))


def newer(path, version=99):
    np.savez(path, about=np.frombuffer(json.dumps({"version": version}).encode(), np.uint8))


def older(path):
    newer(path, VERSION - 1)


@pytest.mark.parametrize(
    "make", [npy, foreign, pickled, trap, no_object, newer, older, lambda path: None], ids=lambda f: f.__name__
)
def test_another_kind_of_file_is_refused_in_one_line_and_left_as_it_is(make, tmp_path):
    path = tmp_path / "x.npz"
    buffer = io.BytesIO()
    make(buffer)
    path.write_bytes(buffer.getvalue() or b"no archive at all")
    before = path.read_bytes()
    for attempt in (
        lambda: load_model(path),
        lambda: train(SMALL, DATA, checkpoint_path=path),
        lambda: train(SMALL, DATA, checkpoint_path=path, resume=True),
        lambda: train(SMALL, DATA, start_from=path),
    ):
        with pytest.raises(
            ValueError, match=r"not a model or checkpoint|has version=(99|4), but this fp16sim reads version 5; use"
        ) as caught:
            attempt()
        assert "\n" not in str(caught.value)
    assert path.read_bytes() == before
    with pytest.raises(ValueError, match="is not a file; give a model or checkpoint"):
        load_model(tmp_path)


# --- what a file must have ------------------------------------------------------------------------------------------


def changed(path, arrays=lambda arrays: None, about=lambda about: None):
    """The same file after a change of its arrays or its text."""
    with np.load(path) as stored:
        found = {name: stored[name] for name in stored.files}
    text = json.loads(bytes(found.pop("about")))
    about(text)
    arrays(found)
    np.savez(path, about=np.frombuffer(json.dumps(text).encode(), np.uint8), **found)


def replaced(name, make):
    return lambda arrays: arrays.update({name: make(arrays[name])})


BIAS = "params/layer2.bias"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (replaced(BIAS, lambda x: x[:1]), r"has dtype=<u2 and shape=\(1,\), but its configuration needs uint16 and"),
        (replaced(BIAS, lambda x: x.reshape(1, -1)), r"shape=\(1, 2\), but"),
        (replaced(BIAS, lambda x: np.append(x, x)), r"shape=\(4,\), but"),
        (replaced(BIAS, lambda x: x[0]), r"shape=\(\), but"),
        (replaced(BIAS, lambda x: x.astype(np.uint8)), "dtype=|u1"),
        (replaced(BIAS, lambda x: x.astype(np.uint32)), "dtype=<u4"),
        (replaced(BIAS, lambda x: x.astype(np.int16)), "dtype=<i2"),
        (replaced(BIAS, lambda x: x.view(np.float16)), "dtype=<f2"),
        (replaced(BIAS, lambda x: x.astype("S2")), "dtype=|S2"),
        (lambda arrays: arrays.pop(BIAS), "params/layer2.bias is missing"),
        (lambda arrays: arrays.update({"params/layer3.bias": np.zeros(2, np.uint16)}), "layer3.bias does not belong"),
    ],
)
def test_arrays_that_are_not_those_of_the_configuration_are_refused_by_name(change, says, tmp_path):
    path = interrupted(tmp_path / "run.npz")
    changed(path, change)
    for attempt in (
        lambda: load_model(path),
        lambda: train(SMALL, DATA, start_from=path),
        lambda: train(SMALL, DATA, checkpoint_path=path, resume=True),
    ):
        with pytest.raises(ValueError, match=says) as caught:
            attempt()
        assert str(caught.value).startswith(f"path={str(path)!r} is not a model or checkpoint")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda arrays: arrays.pop("m/layer1.bias"), "m/layer1.bias is missing"),
        (replaced("v/layer1.bias", lambda x: x[:2]), "v/layer1.bias has dtype"),
        (lambda arrays: arrays.update({"carry/x": np.zeros(1, np.uint16)}), "carry/x does not belong"),
    ],
)
def test_what_the_optimizer_remembers_must_fit_the_run_too(change, says, tmp_path):
    path = interrupted(tmp_path / "run.npz")
    changed(path, change)
    load_model(path)  # the model in it is whole
    with pytest.raises(ValueError, match=says):
        train(SMALL, DATA, checkpoint_path=path, resume=True)


AMAX = {
    "layer1.weight activation": (np.zeros(6, np.uint32), ""),
    "layer1.weight loss": (np.zeros(6, np.uint32), "amax/layer1.weight loss is of no factor of the model"),
    "layer9.weight gradient": (np.zeros(6, np.uint32), "amax/layer9.weight gradient is of no factor of the model"),
    "layer1.weight weight": (np.zeros(5, np.uint32), r"amax/layer1.weight weight has dtype=.*shape=\(5,\)"),
}


@pytest.mark.parametrize("name", AMAX)
def test_what_delayed_scaling_remembers_must_be_of_a_factor_of_the_model(name, tmp_path):
    delayed = get_config("fp8-delayed", factors="amax_history_len=5", data="spirals", layers=(4,), epochs=1)
    path, (codes, says) = tmp_path / "run.npz", AMAX[name]
    train(delayed, DATA, checkpoint_path=path)
    kept = {key for key in load_arrays(path) if key.startswith("amax/")}
    assert kept == {f"amax/layer{k}.weight {role}" for k in (1, 2) for role in ("activation", "weight", "gradient")}
    changed(path, lambda arrays: arrays.update({f"amax/{name}": codes}))
    with pytest.raises(ValueError, match=says) if says else nullcontext():
        train(delayed, DATA, checkpoint_path=path, resume=True)
    plain = replace(delayed, factors=None)
    with pytest.raises(ValueError, match="factors=fp8-delayed amax_history_len=5 there and None here"):
        train(plain, DATA, checkpoint_path=path, resume=True)


def test_codes_in_the_other_byte_order_are_the_same_numbers(tmp_path):
    path = interrupted(tmp_path / "run.npz")
    before = load_model(path).params
    changed(path, lambda arrays: arrays.update({name: x.astype(x.dtype.newbyteorder()) for name, x in arrays.items()}))
    for name, x in load_model(path).params.items():
        assert x.codes.tolist() == before[name].codes.tolist()


def test_a_code_that_the_format_does_not_have_is_refused(tmp_path):
    save_model(tmp_path / "m.npz", tiny("e2m1fn"))
    changed(tmp_path / "m.npz", replaced("params/layer1.bias", lambda x: x + np.uint8(16)))
    with pytest.raises(ValueError, match=r"it is damaged .*0 to 15"):
        load_model(tmp_path / "m.npz")


def tiny(fmt="binary16", layers=()):
    params = {"layer1.weight": fs.array(np.ones((2, 2)), fmt), "layer1.bias": fs.array(np.zeros(2), fmt)}
    return Model(Config(fmt, layers=layers), params, (2,), 2)


def test_a_model_that_nobody_could_read_is_not_written(tmp_path):
    with pytest.raises(ValueError, match=r"do not fit its configuration, which needs .*layer2"):
        save_model(tmp_path / "m.npz", tiny(layers=(2,)))
    with pytest.raises(ValueError, match=r"layer1.weight of the model is in binary16, .* says param=bfloat16"):
        save_model(tmp_path / "m.npz", replace(tiny(), config=Config("bfloat16", layers=())))
    assert not list(tmp_path.iterdir())


def test_a_model_is_evaluated_with_data_of_its_shape_only():
    model = tiny()
    assert evaluate(model, spirals(arms=2, points=10), ["bf16"])
    with pytest.raises(ValueError, match=r"images of shape \(2,\) in 2 classes, and spirals has \(2,\) in 3; give"):
        evaluate(model, spirals(arms=3, points=10), ["bf16"])


def put(value, *names):
    """A change of one field of the text."""

    def change(about):
        for name in names[:-1]:
            about = about[name]
        about[names[-1]] = value

    return change


def drop(*names):
    def change(about):
        for name in names[:-1]:
            about = about[name]
        del about[names[-1]]

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (drop("config"), "about.config is missing"),
        (drop("tally"), "about.tally is missing"),
        (drop("rng"), "about.rng is missing"),
        (put(1, "more"), "about.more is unknown"),
        (put([], "config"), r"about.config=\[\] is not an object"),
        (put("2", "classes"), "about.classes='2' is not an integer"),
        (put(True, "classes"), "about.classes=True is not an integer"),
        (put(0, "classes"), "classes=0 must be 1 or more"),
        (put([-1, -2], "image_shape"), r"image_shape=\(-1, -2\)"),
        (put(2, "image_shape"), "about.image_shape=2 is not a list"),
        (put([2.0], "image_shape"), r"about.image_shape\[0\]=2.0 is not an integer"),
        (drop("config", "lr"), "config.lr is missing; was this written by another version"),
        (put(1, "config", "speed"), "config.speed is unknown"),
        (put("big", "config", "lr"), "config.lr='big' is not a number"),
        (put(None, "config", "epochs"), "config.epochs=None is not an integer"),
        (put(10**60, "config", "epochs"), "config.epochs=1000.* is not an integer"),
        (put("four", "config", "layers"), "config.layers='four' is not a list"),
        (put([10**9, 10**9], "config", "layers"), "layer1.weight has dtype"),
        (put("x" * 10**5, "config", "update"), "update='xxx"),
        (put("binary16", "config", "policy"), "config.policy='binary16' is not an object"),
        (drop("config", "policy", "accumulator"), "config.policy.accumulator is missing"),
        (put("binary17", "config", "policy", "compute"), "fmt='binary17' is not a known format"),
        (put({}, "config", "policy", "param"), "config.policy.param.format is missing"),
        (
            put({"format": "bf16", "mode": "up"}, "config", "policy", "param"),
            "mode=.up. is not one of ties",
        ),
        (put({"format": {"name": "x"}, "mode": "to_odd"}, "config", "policy", "param"), "format.width is missing"),
    ],
)
def test_a_text_with_a_wrong_field_is_refused_by_the_name_of_the_field(change, says, tmp_path):
    path = interrupted(tmp_path / "run.npz")
    changed(path, about=change)
    with pytest.raises(ValueError, match=says) as caught:
        load_model(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000
    with pytest.raises(ValueError, match=f"{says}|belongs to another configuration"):
        train(SMALL, DATA, checkpoint_path=path, resume=True)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (put(-1, "step"), "must be 0 or more"),
        (put(10**6, "batch"), "batch=1000000 of the run to resume: its epochs have"),
        (put({"step": 1}, "death"), "about.death.phase is missing"),
        (put([1, 0.5], "optimizer"), "about.optimizer=.* is not a list of 3"),
        (put({"scale": 0.0}, "loss_scale"), "must be positive and finite"),
        (put({"speed": 1.0}, "loss_scale"), "loss_scale.scale is missing"),
        (put({}, "telemetry"), "telemetry.rows is missing"),
        (put("weight", "telemetry", "surveys", 0, "binades"), r"telemetry.surveys\[0\].binades='weight' is not a list"),
        (put(-(10**9), "telemetry", "surveys", 0, "lowest"), "has exponents or counts that no array has"),
        (put({"bit_generator": "PCG64"}, "rng"), "rng is not the state of a generator"),
        (put({"bit_generator": "MT19937", "state": {}}, "rng"), "rng is not the state of a generator"),
        (put("x", "tally", "lost"), "about.tally.lost='x' is not an object"),
        (put([{}], "epochs"), r"about.epochs\[0\].number is missing"),
    ],
)
def test_the_state_of_a_run_is_checked_when_it_is_resumed(change, says, tmp_path):
    path = interrupted(tmp_path / "run.npz")
    changed(path, about=change)
    with pytest.raises(ValueError, match=says):
        train(SMALL, DATA, checkpoint_path=path, resume=True)


def test_every_field_that_is_written_is_one_that_is_read(tmp_path):
    about, _ = read(interrupted(tmp_path / "run.npz"))
    assert about.keys() == {field.name for field in fields(RunText)}
    save_model(tmp_path / "model.npz", tiny())
    about, _ = read(tmp_path / "model.npz")
    assert about.keys() == {field.name for field in fields(ModelText)}


def test_a_text_that_is_nested_too_deeply_or_not_json_is_refused(tmp_path):
    for text in (b"[" * 100_000, b"{" * 10, b"\xff", b"", b"null", b"3", b"9" * 5000):
        np.savez(tmp_path / "x.npz", about=np.frombuffer(text, np.uint8))
        with pytest.raises(ValueError, match="it is damaged"):
            load_model(tmp_path / "x.npz")
    np.savez(tmp_path / "x.npz", about=np.zeros(3))
    with pytest.raises(ValueError, match="it is damaged"):
        load_model(tmp_path / "x.npz")


def test_a_file_that_needs_more_memory_than_the_limit_is_refused_and_the_limit_can_be_raised(tmp_path):
    path = interrupted(tmp_path / "run.npz")
    with pytest.raises(
        ValueError, match=r"is refused: it would take [0-9,]+ bytes of memory, more than max_bytes=9,999"
    ):
        load_model(path, max_bytes=9_999)
    for how in ({"resume": True, "checkpoint_path": path}, {"checkpoint_path": path}, {"start_from": path}):
        with pytest.raises(ValueError, match="more than max_bytes=9,999"):
            train(SMALL, DATA, max_bytes=9_999, **how)
    assert load_model(path, max_bytes=10**7).params


@pytest.mark.parametrize("fmt", ["e2m1fn", "binary16", "tf32", "binary64"])
def test_a_file_needs_no_more_memory_than_is_said(fmt, tmp_path):
    path, pixels = tmp_path / "model.npz", 20_000
    params = {"layer1.weight": fs.array(np.ones((pixels, 10)), fmt), "layer1.bias": fs.array(np.ones(10), fmt)}
    save_model(path, Model(Config(fmt, layers=()), params, (pixels,), 10))
    tracemalloc.start()
    load_model(path)
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    with pytest.raises(ValueError, match="it would take ") as caught:
        load_model(path, max_bytes=1)
    said = int(re.search("take ([0-9,]+) bytes", str(caught.value))[1].replace(",", ""))
    assert said / 2 < used < said


def test_a_text_needs_no_more_memory_than_is_said():
    text = b"[" + b"{}," * 100_000 + b"{}]"
    tracemalloc.start()
    json.loads(text)
    assert tracemalloc.get_traced_memory()[1] < (BYTES_KEPT + BYTES_WHILE_READ) * len(text)
    tracemalloc.stop()


# --- refusals that overwrite nothing --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"lr": 0.5}, r"lr=0.01 there and 0.5 here"),
        ({"rng": 3}, "rng=0 there and 3 here"),
        ({"policy": Policy("bfloat16")}, "policy=compute=binary16 there and compute=bfloat16 here"),
        ({"policy": Policy(FLUSHING)}, "policy="),
        ({"data": replace(DATA, image_shape=(1, 2))}, r"image_shape=\(2,\) there and \(1, 2\) here"),
        ({"look_every": 3}, "look_every=1, and here they are 'spirals' and 3"),
        ({"epochs": 1, "update": "kahan"}, "update=plain there and kahan here"),
    ],
)
def test_a_resume_from_another_configuration_is_refused(change, says, tmp_path):
    path = interrupted(tmp_path / "run.npz")
    before = path.read_bytes()
    with pytest.raises(ValueError, match=says):
        train(SMALL, **{"data": DATA, **change}, checkpoint_path=path, resume=True)
    assert path.read_bytes() == before


def test_a_resume_with_other_data_or_from_a_model_is_refused(tmp_path):
    path = interrupted(tmp_path / "run.npz")
    with pytest.raises(ValueError, match="data=spirals there and others here"):
        train(SMALL, replace(DATA, name="others"), checkpoint_path=path, resume=True)
    model = load_model(path)
    save_model(tmp_path / "model.npz", model)
    with pytest.raises(ValueError, match="is a model, not a checkpoint"):
        train(SMALL, DATA, checkpoint_path=tmp_path / "model.npz", resume=True)
    with pytest.raises(ValueError, match="resume=True needs checkpoint_path"):
        train(SMALL, DATA, resume=True)
    with pytest.raises(ValueError, match="checkpoint_seconds=-1"):
        train(SMALL, DATA, checkpoint_seconds=-1)


def test_an_unfinished_runs_file_is_not_overwritten_and_a_finished_ones_is(tmp_path):
    path = interrupted(tmp_path / "run.npz", steps=6)
    before = path.read_bytes()
    assert unfinished(path) == "step 6"
    with pytest.raises(ValueError, match=r"was interrupted after step 6; go on with resume \(--resume\)"):
        train(SMALL, DATA, checkpoint_path=path)
    assert path.read_bytes() == before
    train(SMALL, DATA, checkpoint_path=path, resume=True)
    assert not unfinished(path)
    train(SMALL, DATA, checkpoint_path=path, rng=1)
    assert load_model(path).config.rng == 1
    assert [p.name for p in tmp_path.iterdir()] == ["run.npz"]


def test_a_run_that_cannot_be_written_leaves_the_old_file(tmp_path, monkeypatch):
    path = interrupted(tmp_path / "run.npz")
    before = path.read_bytes()

    def broken(file, **arrays):
        file.write(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez", broken)
    with pytest.raises(OSError, match="no space"):
        train(SMALL, DATA, checkpoint_path=path, resume=True)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["run.npz"]


# --- weights to begin with ------------------------------------------------------------------------------------------


def test_fine_tuning_begins_with_the_weights_of_a_model_in_any_format(tmp_path):
    path = tmp_path / "run.npz"
    first = train(SMALL, DATA, checkpoint_path=path)
    held = replace(SMALL, policy=Policy("bfloat16"), lr=1e-30, epochs=1)  # steps too small to be seen
    for given in (path, str(path), first.params):
        tuned = train(held, DATA, start_from=given)
        for name, x in first.params.items():
            assert tuned.params[name].codes.tolist() == fs.array(x.values, "bfloat16").codes.tolist()
    # With resume and no file yet, too.
    resumed = train(held, DATA, start_from=path, checkpoint_path=tmp_path / "new.npz", resume=True)
    assert resumed.params["layer1.weight"].codes.tolist() == tuned.params["layer1.weight"].codes.tolist()
    with pytest.raises(ValueError, match=r"start_from has layer1.bias of shape \(4,\), and this model needs \(5,\)"):
        train(replace(SMALL, layers=(5,)), DATA, start_from=path)
    with pytest.raises(
        ValueError, match=r"start_from has gate of shape \(4,\), and this model needs no such parameter"
    ):
        train(SMALL, DATA, start_from={**first.params, "gate": first.params["layer1.bias"]})
    with pytest.raises(ValueError, match=r"start_from has no layer2.bias, which this model needs in shape \(2,\)"):
        train(SMALL, DATA, start_from={name: x for name, x in first.params.items() if name != "layer2.bias"})
    with pytest.raises(TypeError, match="is neither a file nor a dict of FloatArrays by name"):
        train(held, DATA, start_from={name: x.values.tolist() for name, x in first.params.items()})


def test_a_checkpoint_is_an_archive_that_anyone_can_open(tmp_path):
    path = interrupted(tmp_path / "run.npz", config=replace(SMALL, policy=Policy("binary16", master="binary32")))
    with np.load(path) as stored:
        about = json.loads(bytes(stored["about"]))
        assert about["step"] == 5
        assert stored["weights/layer1.weight"].dtype == np.uint32
        assert stored["params/layer1.weight"].view(np.float16).shape == (2, 4)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
