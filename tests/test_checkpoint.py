"""Files of models and runs: exact round trips, refusals that overwrite nothing, and weights to begin with."""

import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.formats import NAMED_FORMATS
from fp16sim.learn import Config, Model, Policy, load_model, save_model, spirals, train
from fp16sim.learn.run.checkpoint import VERSION, unfinished, word

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
        train(config, DATA, stop_after(steps + 1), checkpoint_path=path, checkpoint_seconds=0, **how)
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
            ValueError, match=r"not a model or checkpoint|has version=(99|2), but this fp16sim reads version 3; use"
        ) as caught:
            attempt()
        assert "\n" not in str(caught.value)
    assert path.read_bytes() == before
    with pytest.raises(ValueError, match="is not a file; give a model or checkpoint"):
        load_model(tmp_path)


# --- refusals that overwrite nothing --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"lr": 0.5}, r"lr=0.01 there and 0.5 here"),
        ({"rng": 3}, "rng=0 there and 3 here"),
        ({"policy": Policy("bfloat16")}, "policy=compute=binary16 there and compute=bfloat16 here"),
        ({"policy": Policy(FLUSHING)}, "policy="),
        ({"look_every": 3}, "look_every=1, and here they are 'spirals' and 3"),
        ({"epochs": 1, "update": "kahan"}, "update=plain there and kahan here"),
    ],
)
def test_a_resume_from_another_configuration_is_refused(change, says, tmp_path):
    path = interrupted(tmp_path / "run.npz")
    before = path.read_bytes()
    with pytest.raises(ValueError, match=says):
        train(SMALL, DATA, checkpoint_path=path, resume=True, **change)
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


def test_a_checkpoint_is_an_archive_that_anyone_can_open(tmp_path):
    path = interrupted(tmp_path / "run.npz", config=replace(SMALL, policy=Policy("binary16", master="binary32")))
    with np.load(path) as stored:
        about = json.loads(bytes(stored["about"]))
        assert about["step"] == 5
        assert stored["weights/layer1.weight"].dtype == np.uint32
        assert stored["params/layer1.weight"].view(np.float16).shape == (2, 4)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
