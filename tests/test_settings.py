"""The settings under a table: what runs share is said once, and what differs has a column."""

import json
from dataclasses import fields

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import report
from fp16sim.cli import main
from fp16sim.learn import RECIPES, Config, get_config, train
from fp16sim.learn.run.config import OPTIMIZERS
from fp16sim.learn.run.settings import MAIN, compare_settings, settings_of
from fp16sim.learn.run.unused import UNUSED


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_main_settings_are_always_said(optimizer):
    said = settings_of(Config("binary16", optimizer=optimizer))
    assert {*said} == {name for name in MAIN if name.replace(" ", "_") not in UNUSED[optimizer]}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_an_option_is_unused_exactly_if_the_optimizer_ignores_it(optimizer):
    def steps(**change):
        made = Config("binary32", optimizer=optimizer, **change).make_optimizer()
        weights = {"w": fs.array(np.array([0.5, -0.25]), "binary32")}
        state, found = made.init(weights), []
        for g in ([0.5, 0.001], [0.25, -0.5]):
            taken, state = made.update({"w": fs.array(np.array(g), "binary32")}, state, weights)
            found.append(taken["w"].values.tolist())
        return found

    changes = {"momentum": 0.5, "beta1": 0.5, "beta2": 0.5, "epsilon": 0.25, "bias_correction": False}
    changes["weight_decay"] = 0.5
    ignored = {name for name, value in changes.items() if steps() == steps(**{name: value})}
    assert ignored == set(UNUSED[optimizer])


CHANGES = {
    "layers": (8,), "epochs": 3, "batch": 7, "optimizer": "rmsprop", "lr": 0.5, "beta1": 0.5, "beta2": 0.5,
    "epsilon": 0.5, "bias_correction": False, "constants": "binary64", "clip_norm": 1.0, "decay_every": 5,
    "decay_factor": 0.5, "loss_scale": 2.0, "unscale": True, "update": "kahan", "l1": 0.5, "l2": 0.5, "init": "he",
    "normalisation": "standard", "validation": 0.1, "rng": 3, "model": "cnn", "loss": "mean_squared_error",
    "factors": "mxfp8",
    "clip_value": 1.0, "schedule": "cosine", "decay_steps": 5, "final_lr": 1e-4, "warmup": 3, "accumulate": 2,
    "accumulate_in": "bfloat16", "ema": 0.9, "ema_in": "binary32", "scalars": "binary64", "shift": 1, "rotate": 5.0,
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_every_option_in_which_two_runs_differ_is_said(name):
    found = compare_settings([Config("binary16"), Config("binary16", **{name: CHANGES[name]})])
    assert {"unscale": "loss scale"}.get(name, name.replace("_", " ")) in found.differing


def test_no_option_of_a_run_is_forgotten():
    apart = {"policy", "recipe", "data", "momentum", "weight_decay", "growth_interval", "gpt"}
    assert {field.name for field in fields(Config)} - apart == CHANGES.keys()
    grown = [get_config("mixed-binary16", growth_interval=n) for n in (1, 2)]
    assert list(compare_settings(grown).differing) == ["loss scale"]


def test_the_runs_of_the_main_job_have_one_setting():
    found = compare_settings([Config(fmt) for fmt in ("binary32", "binary16", "bfloat16")])
    assert not found.differing
    assert str(found) == (
        "optimizer adam, lr 0.01, epsilon 0.0001, batch 64, epochs 20, loss scale 1024 (not divided out), "
        "accumulator sequential"
    )


SHORT = ["train", "--epochs", "1", "--layers", "4", "--look-every", "0"]


def test_the_settings_are_printed_under_the_table_and_stand_in_the_log_and_the_report(tmp_path, capsys):
    out = tmp_path / "run.png"
    assert main([*SHORT, "--recipes", "pure-binary32,mixed-binary16", "--out", str(out)]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "Settings of all runs: optimizer adam, lr 0.001, epsilon 1e-08, batch 32, epochs 1, layers 4," in printed
    assert "Settings that differ run loss scale accumulator" in printed
    assert "mixed-binary16 dynamic (doubles after 2000 steps) blas" in printed
    log = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert [run["settings"]["accumulator"] for run in log] == ["sequential", "blas"]
    page = (tmp_path / "run.html").read_text(encoding="utf-8")
    assert "Settings of all runs: optimizer adam, lr 0.001" in page
    assert "<td>dynamic (doubles after 2000 steps)</td><td>blas</td>" in page


def test_the_main_job_and_the_recipe_in_binary32_have_names_and_files_of_their_own(tmp_path, capsys):
    out = str(tmp_path / "run.png")
    assert main([*SHORT, "--format", "binary32", "--out", out]) == 0
    assert main([*SHORT, "--recipe", "pure-binary32", "--out", out]) == 0
    assert {path.name for path in tmp_path.glob("*.npz")} == {"run-binary32.npz", "run-pure-binary32.npz"}
    assert main([*SHORT, "--recipe", "binary32", "--out", out]) == 2
    assert "is a format, not a recipe" in capsys.readouterr().err


def test_costs_and_evaluate_say_the_settings_too(tmp_path, capsys):
    assert main(["train", "--epochs", "1", "--layers", "4", "--costs", "--recipes", ",".join(RECIPES)]) == 0
    assert "Settings of all runs: optimizer adam" in capsys.readouterr().out
    assert main([*SHORT, "--format", "binary16", "--out", str(tmp_path / "run.png")]) == 0
    capsys.readouterr()
    model = str(tmp_path / "run-binary16.npz")
    assert main(["evaluate", model, "--format", "binary16", "--accumulator", "kahan"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "weights and results are rounded (ties_to_even), and the accumulator is kahan." in printed
    assert "Training: optimizer adam, lr 0.01, epsilon 0.0001, batch 64" in printed
    assert main(["evaluate", model, "--format", "binary16", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["accumulator"], found["training"]["lr"], len(found["interval"])) == ("blas", "0.01", 2)


def test_a_report_of_one_run_says_its_settings():
    page = report.html([train(Config("bfloat16", epochs=1, layers=(4,), batch=256))])
    assert "Settings: optimizer adam, lr 0.01" in page
