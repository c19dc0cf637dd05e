"""A run that was interrupted, or killed at any moment, ends as one that was not: bit for bit."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import fp16sim
from fp16sim.cli import main
from fp16sim.learn.observe.telemetry import Microscope
from fp16sim.learn.run.checkpoint import read
from fp16sim.learn.run.engine import Engine
from fp16sim.learn.scaling import PATIENCE

from . import resumable
from .test_checkpoint import Stopped, stop_after

UNINTERRUPTED = {}


def uninterrupted(name):
    """The same run, never stopped."""
    if name not in UNINTERRUPTED:
        UNINTERRUPTED[name] = resumable.run(name)
    return UNINTERRUPTED[name]


def assert_same_run(found, expected):
    assert found.to_dict() == expected.to_dict()
    assert found.telemetry == expected.telemetry
    assert found.params.keys() == expected.params.keys()
    for name, x in found.params.items():
        assert x.fmt == expected.params[name].fmt
        assert x.codes.tolist() == expected.params[name].codes.tolist()


def assert_same_file(found, expected):
    """Everything that is stored, random numbers and the optimizer's state among it."""
    (about, arrays), (other_about, others) = read(found), read(expected)
    assert json.dumps(about) == json.dumps(other_about)  # as text: NaN is equal to itself
    assert arrays.keys() == others.keys()
    for name, x in arrays.items():
        assert x.dtype == others[name].dtype
        np.testing.assert_array_equal(x, others[name], err_msg=name)


@pytest.mark.parametrize("place", ["step", "look"])
def test_a_run_that_is_stopped_within_a_step_draws_the_random_numbers_of_the_step_again(place, tmp_path, monkeypatch):
    path, of = tmp_path / "run.npz", {"step": Engine, "look": Microscope}[place]
    whole, calls = getattr(of, place), iter(range(1000))

    def stopped(self, *given, **named):
        done = whole(self, *given, **named)
        if next(calls) == 3:  # the fourth step is examined, and its numbers are drawn
            raise KeyboardInterrupt
        return done

    monkeypatch.setattr(of, place, stopped)
    with pytest.raises(KeyboardInterrupt):
        resumable.run("stochastic everything", path)
    monkeypatch.undo()
    assert read(path)[0]["step"] == 3
    assert_same_run(resumable.run("stochastic everything", path, resume=True), uninterrupted("stochastic everything"))


@pytest.mark.parametrize("name", resumable.RECIPES)
def test_a_run_that_is_stopped_again_and_again_ends_as_one_that_was_not(name, tmp_path):
    path, rng = tmp_path / "run.npz", random.Random(name)
    found = None
    for _ in range(12):
        steps = rng.randrange(1, 7)
        done = read(path)[0]["step"] if path.exists() else 0
        try:
            found = resumable.run(name, path, resume=True, on_step=stop_after(done + steps))
        except Stopped:
            continue
        break
    found = found or resumable.run(name, path, resume=True)
    expected = UNINTERRUPTED.setdefault(name, resumable.run(name, tmp_path / "other.npz"))
    assert_same_run(found, expected)
    assert_same_file(path, tmp_path / "other.npz")


def test_the_recipes_here_skip_steps_and_die_as_they_are_meant_to():
    scaled = uninterrupted("dynamic scale").telemetry
    assert len(scaled.scales) > 2
    assert scaled.skipped
    assert uninterrupted("dies").death is not None
    assert uninterrupted("skips until it dies").death.skipped == PATIENCE
    assert all(uninterrupted(name).death is None for name in resumable.RECIPES if "dies" not in name)
    assert uninterrupted("plain").epochs[0].validation_accuracy is not None


def start(*arguments):
    home = str(Path(fp16sim.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([home, os.environ.get("PYTHONPATH", "")])}
    return subprocess.Popen([sys.executable, *arguments], env=environment, stdout=subprocess.DEVNULL)


def kill_at_random(process, path, rng):
    """Kill a process some time after its file has appeared; whether it was still running."""
    while process.poll() is None and not path.exists():
        time.sleep(0.002)
    time.sleep(rng.uniform(0, 0.25))
    running = process.poll() is None
    process.kill()
    process.wait()
    return running


@pytest.mark.parametrize("name", ["plain", "dynamic scale", "kahan", "stochastic update"])
def test_a_process_that_is_killed_while_it_writes_after_each_step_can_be_resumed(name, tmp_path):
    path = tmp_path / "run.npz"
    kill_at_random(start(resumable.__file__, name, str(path)), path, random.Random(name))
    assert_same_run(resumable.run(name, path, resume=True), uninterrupted(name))
    assert [file.name for file in tmp_path.iterdir()] == ["run.npz"]


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("write", [1, 2, 7])
def test_what_a_process_that_is_killed_before_it_renames_a_file_leaves_is_removed_by_the_resumed_run(write, tmp_path):
    path = tmp_path / "run.npz"
    process = start(resumable.__file__, "plain", str(path), str(write))
    assert process.wait(120) == -signal.SIGKILL
    (hidden,) = [file for file in tmp_path.iterdir() if file != path]
    assert hidden.name.startswith(".fp16sim-part-")
    assert path.exists() == (write > 1)
    assert_same_run(resumable.run("plain", path, resume=True), uninterrupted("plain"))
    assert [file.name for file in tmp_path.iterdir()] == ["run.npz"]


def test_fp16sim_train_can_be_killed_and_resumed(tmp_path, capsys):
    arguments = ["train", "--recipe", "bfloat16-stochastic", "--layers", "4", "--batch", "512", "--epochs", "4"]
    path = tmp_path / "killed-bfloat16-stochastic.npz"
    killed = [*arguments, "--out", str(tmp_path / "killed.png")]
    process = start("-m", "fp16sim", *killed)
    running = kill_at_random(process, path, random.Random(1))
    if running and not (tmp_path / "killed.html").exists():
        before = path.read_bytes()
        assert main(killed) == 2
        assert "go on with resume (--resume)" in capsys.readouterr().err
        assert path.read_bytes() == before
    assert main([*killed, "--resume"]) == 0
    assert main([*arguments, "--out", str(tmp_path / "whole.png")]) == 0
    assert_same_file(path, tmp_path / "whole-bfloat16-stochastic.npz")
    assert not [file.name for file in tmp_path.iterdir() if file.name.startswith(".")]
    for suffix in ("json", "png"):
        assert (tmp_path / f"killed.{suffix}").read_bytes() == (tmp_path / f"whole.{suffix}").read_bytes()


def test_one_unfinished_run_of_several_is_refused_before_any_is_trained(tmp_path, capsys):
    arguments = ["train", "--layers", "4", "--epochs", "1", "--batch", "500", "--out", str(tmp_path / "run.png")]
    assert main([*arguments, "--recipes", "pure-binary32,bfloat16-plain"]) == 0
    finished = tmp_path / "run-pure-binary32.npz"
    before = finished.read_bytes()
    resumable_file = tmp_path / "run-bfloat16-plain.npz"
    about, arrays = read(resumable_file)
    from fp16sim.learn.run.checkpoint import write

    write(resumable_file, {**about, "epochs": []}, arrays)  # as it would be in the middle of its only epoch
    capsys.readouterr()
    assert main([*arguments, "--recipes", "pure-binary32,bfloat16-plain", "--rng", "5"]) == 2
    assert "run-bfloat16-plain.npz' has a run that was interrupted" in capsys.readouterr().err
    assert finished.read_bytes() == before


def test_a_run_can_be_made_longer_and_is_then_the_longer_run(tmp_path):
    path = tmp_path / "run.npz"
    resumable.run("kahan", path, epochs=2)
    assert_same_run(resumable.run("kahan", path, resume=True), uninterrupted("kahan"))


def test_when_it_is_written_changes_nothing_and_a_finished_run_is_only_read(tmp_path):
    path = tmp_path / "run.npz"
    first = resumable.run("stochastic everything", path)
    before = path.read_bytes()
    again = resumable.run("stochastic everything", path, resume=True, on_step=stop_after(1))
    never_written = resumable.run("stochastic everything")
    for found in (first, again):
        assert_same_run(found, never_written)
    assert path.read_bytes() == before
