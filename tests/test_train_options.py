"""`fp16sim train` ignores nothing silently: options, files, runs that die, interruptions."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path

import pytest

import fp16sim
from fp16sim.cli import layout, main
from fp16sim.cli import train as command
from fp16sim.cli.output import print_table
from fp16sim.cli.run_files import RunFiles
from fp16sim.learn import (
    RECIPES,
    Config,
    Dataset,
    Policy,
    Tensor,
    accuracy,
    check,
    confusion_matrix,
    costs,
    cross_entropy,
    get_config,
    one_hot,
    one_hot_cross_entropy,
    survey,
    train,
)
from fp16sim.learn.run.recipes import is_expected_to_die, without_recipe
from fp16sim.learn.run.settings import without_effect
from fp16sim.learn.run.unused import unused

from .support import first

SHORT = ["train", "--epochs", "1", "--layers", "4", "--look-every", "0"]
ONE = [*SHORT, "--format", "binary16"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("--format binary16 --recipe mixed-binary16", "--format beside --recipe: a recipe sets its own formats"),
        ("--format binary16 --policy bfloat16", "--format beside --policy: a policy sets all formats"),
        ("--mode rtz --recipe mixed-binary16", "--mode beside --recipe: a recipe sets its own modes"),
        ("--mode rtz --policy bfloat16", "write the mode into the policy"),
        ("--recipes mixed-binary16,fp8-mixed --policy bfloat16", "--policy replaces the formats of one recipe"),
        (
            "--policy accumulator=kahan --accumulator blas",
            "--accumulator beside --policy accumulator=...: give it once",
        ),
        ("--momentum 0.5", "momentum=0.5 would have no effect: adam does not use it, sgd does"),
        ("--optimizer sgd --epsilon 1e-8", "epsilon=1e-08 would have no effect: sgd does not use it"),
        ("--optimizer rmsprop --beta1 0.5", "beta1=0.5 would have no effect"),
        ("--weight-decay 0.1", "weight_decay=0.1 would have no effect: adam does not use it, adamw does"),
        ("--decay-factor 0.5", "decay_factor=0.5 would have no effect"),
        ("--growth-interval 5", "growth_interval=5 would have no effect: only a dynamic loss scale grows"),
        ("--loss-scale none --unscale", "unscale=True would have no effect: there is no loss scale"),
        ("--loss-scale 1 --no-unscale", "unscale=False would have no effect"),
        ("--loss-scale dynamic --no-unscale", "loss_scale='dynamic' with unscale=False"),
        ("--loss-scale dynamc", "'dynamc' is unknown; did you mean 'dynamic'?"),
        ("--recipes mixed-binary16,fp8-mixed --momentum 0.5", "momentum=0.5 would have no effect"),
        ("--data mnist --model cnn --layers 8", "layers=(8,) would have no effect: the layers of the cnn are fixed"),
        ("--from model.npz --init he", "--from beside --init"),
        ("--costs --resume", "--costs beside --resume: --costs trains nothing"),
        ("--costs -o run.png", "--costs beside -o"),
        ("--costs --from model.npz", "--costs beside --from"),
        ("--costs --look-every 0", "--costs beside --look-every"),
        ("--resume", "nothing to resume: there is no 'fp16sim-train-binary32.npz'"),
        ("--resume --format binary16 -o run.png", "nothing to resume: there is no 'run-binary16.npz'"),
        ("--layers 1000000000", "layers=(1000000000,) with batch=64 needs about 7,767 GiB of memory"),
        ("--layers 30000,30000", "GiB of memory, more than the limit of 4 GiB; use less"),
        ("--layers 10000 --max-bytes 1e6", "GiB of memory"),
        ("--costs --layers 1000000000", "GiB of memory"),
        ("--batch 1000000000000", "batch=1000000000000 is more than the 1,438 training images; use 1438 or less"),
        ("--epochs 1000000000", "epochs=1000000000 is too many; use at most 100,000"),
        ("--format e8m0fnu", "compute=e8m0fnu has no negative numbers, which training needs; use a signed format"),
        ("--accumulate 2 --accumulate-in e8m0fnu", "accumulate_in=e8m0fnu has no negative numbers"),
        ("--ema 0.9 --ema-in e8m0fnu", "ema_in=e8m0fnu has no negative numbers"),
        ("--policy compute=binary16,layer1=e8m0fnu", "rules['layer1']=e8m0fnu has no negative numbers"),
        ("--policy compute=binary16,gradient=e8m0fnu", "gradient=e8m0fnu has no negative numbers"),
        ("--format e2m1fn", "compute=e2m1fn has no NaN, which training needs; round the factors of products to it"),
        ("-o .", "out='.' is a folder; give the name of a file in it"),
    ],
)
def test_what_would_be_ignored_is_refused_in_one_line(arguments, says, capsys, here):
    assert main(["train", *arguments.split()]) == 2 if "dynamc" not in arguments else _exits(arguments)
    printed = capsys.readouterr()
    assert says in printed.err
    assert printed.err.count("\n") == 1
    assert not list(here.iterdir())


def _exits(arguments):
    with pytest.raises(SystemExit, match="2"):
        main(["train", *arguments.split()])
    return True


def test_an_option_that_some_of_the_runs_use_is_taken_and_the_others_are_named(capsys):
    assert main([*SHORT, "--recipes", "mixed-binary16,pure-binary32", "--growth-interval", "5"]) == 0
    printed = capsys.readouterr()
    assert printed.err == "fp16sim train: growth_interval has no effect on pure-binary32\n"
    assert "dynamic (doubles after 5 steps)" in printed.out


@pytest.mark.exhaustive  # seconds
def test_a_number_of_steps_that_no_run_reaches_is_said(capsys):
    assert main([*ONE, "--decay-every", "24"]) == 0
    assert capsys.readouterr().err == "fp16sim train: decay_every=24 has no effect: the longest run has 23 steps\n"
    assert main([*ONE, "--warmup", "24", "-o", "a.png"]) == 0
    assert "warmup=24 ends after all runs: the longest has 23 steps" in capsys.readouterr().err
    assert main([*ONE, "--warmup", "23", "--decay-every", "23", "-o", "b.png"]) == 0
    assert not capsys.readouterr().err


def test_a_recipe_with_another_policy_is_named_after_the_policy(capsys):
    assert main([*SHORT, "--recipe", "pure-binary16-scaled", "--policy", "bfloat16:toward_zero", "--json"]) == 0
    (run,) = json.loads(capsys.readouterr().out)
    assert run["result"]["recipe"] == "bfloat16:toward_zero"
    assert run["config"]["loss_scale"] == RECIPES["pure-binary16-scaled"].options["loss_scale"]


@pytest.mark.parametrize("model", ["gpt", "cnn"])
def test_an_accumulator_in_the_text_of_a_policy_is_not_replaced_by_what_suits_the_model(model):
    for text, used in (
        ("compute=binary16 accumulator=volta", "volta"),
        ("compute=binary16 accumulator=sequential", "sequential"),
        ("compute=binary16 *:accumulator=kahan", "blas"),
    ):
        assert without_recipe(text, {"model": model}).policy.accumulator == used
        assert get_config("pure-binary16", policy=text, model=model).policy.accumulator == used
    assert without_recipe("binary16", {"model": model, "accumulator": "kahan"}).policy.accumulator == "kahan"


def test_a_policy_of_any_length_has_a_file():
    names = [f"{'layer1=binary32 ' * 20}{k}" for k in (1, 2)]
    one, other = RunFiles.of(Path("run.png"), names).models
    assert one != other
    assert len(one.name) < 200
    assert (
        RunFiles.of(Path("run.png"), ["binary16 accumulator=blas"]).models[0].name
        == "run-binary16-accumulator-blas.npz"
    )


def test_what_replaces_an_option_of_the_recipe_is_said_under_the_table(capsys):
    assert main([*SHORT, "--recipe", "bfloat16-kahan", "--update", "plain"]) == 0
    assert "update plain" in " ".join(capsys.readouterr().out.split())


# --- in Python ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: train("fp8-mixed", epoch=1), "epoch=1 is not an option of train; did you mean 'epochs'?"),
        (lambda: train("fp8-mixed", resumed=True), "resumed=True is not an option of train; did you mean 'resume'?"),
        (lambda: get_config("fp8-mixed", acumulator="blas"), "is not an option of Config; did you mean 'accumulator'?"),
        (lambda: check("fp8-mixed", epoch=1), "did you mean 'epochs'?"),
        (lambda: costs("fp8-mixed", epoch=1), "did you mean 'epochs'?"),
        (lambda: Config(epoch=1), "epoch=1 is not an option of Config; did you mean 'epochs'?"),
        (lambda: Policy(comput="binary16"), "comput='binary16' is not an option of Policy; did you mean 'compute'?"),
        (lambda: Policy(zzz=1), "zzz=1 is not an option of Policy; it has compute, param, output, loss"),
    ],
)
def test_a_misspelt_option_is_named_with_the_one_that_is_meant(call, says):
    with pytest.raises(TypeError) as error:
        call()
    assert says in str(error.value)


def test_python_refuses_options_without_effect_too():
    with pytest.raises(ValueError, match=r"momentum=0.5 would have no effect"):
        train("fp8-mixed", momentum=0.5)
    with pytest.raises(ValueError, match=r"init='he' would have no effect: the weights are those of start_from"):
        train("fp8-mixed", start_from="model.npz", init="he")
    with pytest.raises(ValueError, match=r"batch=2000 is more than the 1,438 training images"):
        train("fp8-mixed", batch=2000)
    with pytest.raises(ValueError, match=r"needs about .* GiB of memory"):
        check("fp8-mixed", batch=10**12)


@pytest.mark.parametrize(
    "call",
    [
        lambda rows: accuracy(rows, [0, 1]),
        lambda rows: one_hot(rows, 3),
        lambda rows: confusion_matrix(rows, [0, 1]),
        lambda rows: survey(rows, "binary16"),
        lambda rows: Dataset("x", rows, [0, 1], rows, [0, 1]),
        lambda rows: cross_entropy(Tensor(fp16sim.array([[1.0, 2.0]] * 2, "binary16")), rows),
        lambda rows: one_hot_cross_entropy(Tensor(fp16sim.array([[1.0, 2.0]] * 2, "binary16")), rows),
    ],
)
def test_a_ragged_list_is_called_one(call):
    with pytest.raises(TypeError, match=r"=\[\[1\], \[1, 2\]\] is ragged: its lists differ in length or depth"):
        call([[1], [1, 2]])


def test_a_config_with_an_option_without_effect_is_said_with_the_result():
    lines = str(train(Config("binary32", layers=(4,), epochs=1, momentum=0.5), look_every=0)).splitlines()
    assert [line for line in lines if "no effect" in line] == [
        "momentum has no effect: adam does not use it, sgd does (optimizer, --optimizer)"
    ]
    assert "no effect" not in str(train("bfloat16-plain", optimizer="sgd", layers=(4,), epochs=1, look_every=0))


def test_the_options_of_a_recipe_with_other_formats_are_no_ones_mistake():
    config = get_config("bfloat16-kahan", policy="layer1=binary32")
    assert not config.recipe
    assert not without_effect(config)


def test_every_option_of_config_has_an_effect_in_some_run():
    cases = [Config(), Config(optimizer="sgd"), Config(optimizer="adamw", decay_every=1)]
    cases += [Config(loss_scale="dynamic", unscale=True), Config(accumulate=2, ema=0.9, schedule="cosine")]
    cases += [Config(model="gpt")]
    used = {field.name for case in cases for field in fields(Config) if field.name not in unused(case)}
    assert used == {field.name for field in fields(Config)}


# --- runs that die --------------------------------------------------------------------------------------------------


@pytest.mark.exhaustive  # seconds
def test_exactly_the_recipes_that_are_marked_die():
    for name, recipe in RECIPES.items():
        config = get_config(name, layers=(4,), epochs=1)
        assert is_expected_to_die(config) == bool(recipe.fatal)
        assert bool(train(config, look_every=0).death) == bool(recipe.fatal)


@pytest.mark.parametrize("name", [name for name, recipe in RECIPES.items() if recipe.fatal])
def test_a_lesson_with_another_cause_of_death_is_no_lesson(name):
    changes = (
        {"epsilon": 1e-4, "beta2": 0.99},
        {"optimizer": "sgd"},
        {"constants": "binary64"},
        {"policy": "binary32"},
    )
    assert not any(is_expected_to_die(get_config(name, **change)) for change in changes)


def test_a_lesson_that_dies_is_no_error_and_what_is_evaluated_agrees(capsys):
    assert main([*SHORT, "--recipe", "pure-binary16", "-o", "lesson.png"]) == 0
    assert not capsys.readouterr().err
    assert main(["evaluate", "lesson-pure-binary16.npz", "--format", "binary16"]) == 0
    assert capsys.readouterr().err.endswith(
        "'lesson-pure-binary16.npz' has weights that are not finite: its run died\n"
    )
    assert main([*ONE, "--epsilon", "1e-8", "--loss-scale", "1", "-o", "dead.png", "--json"]) == 3
    assert capsys.readouterr().err == "fp16sim train: binary16 died, and was not expected to\n"
    assert main(["evaluate", "dead-binary16.npz", "--format", "binary16"]) == 3


def test_a_run_with_gradients_of_a_thousand_binades_has_its_report():
    assert main([*ONE, "--optimizer", "sgd", "--lr", "100", "--look-every", "5"]) == 0
    assert Path("fp16sim-train.html").exists()


# --- files ----------------------------------------------------------------------------------------------------------


def test_files_that_nobody_named_are_not_replaced(capsys, here):
    (here / "run.html").write_text("mine", encoding="utf-8")
    assert main([*ONE, "-o", "run.png"]) == 2
    assert "out='run.png' would also replace 'run.html'; name another picture" in capsys.readouterr().err
    assert (here / "run.html").read_text(encoding="utf-8") == "mine"
    assert main(["plot", "ulp"]) == main(["plot", "ulp"]) == 0
    assert {"fp16sim-ulp.png", "fp16sim-ulp-2.png"} <= {path.name for path in here.iterdir()}


def test_a_finished_run_under_resume_says_so_and_changes_no_model(capsys):
    assert main([*ONE, "-o", "run.png"]) == 0
    before = Path("run-binary16.npz").read_bytes()
    capsys.readouterr()
    assert main([*ONE, "-o", "run.png", "--resume"]) == 0
    assert capsys.readouterr().err.startswith("fp16sim train: nothing was left to train")
    assert Path("run-binary16.npz").read_bytes() == before


def test_the_bar_of_a_finished_run_is_full():
    shown = []
    steps = command._Steps(lambda done, total: shown.append((done, total)))
    steps.end(train("bfloat16-plain", layers=(4,), epochs=1, look_every=0))
    assert shown == [(45, 45)]


# --- interruptions --------------------------------------------------------------------------------------------------

posix = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
LONG = ["train", "--recipes", "bfloat16-plain,pure-binary32", "--layers", "4", "--epochs", "9", "--look-every", "0"]


def _started(arguments, folder):
    home = str(Path(fp16sim.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([home, os.environ.get("PYTHONPATH", "")])}
    words = [sys.executable, "-m", "fp16sim", *arguments]
    return subprocess.Popen(
        words, cwd=folder, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


@posix
@pytest.mark.parametrize(("number", "code"), first(1, [(signal.SIGINT, 130), (signal.SIGTERM, 143)], unpack=True))
@pytest.mark.parametrize("named", first(1, [[], ["-o", "my run.png"]]))
def test_the_command_that_is_printed_after_an_interruption_goes_on(number, code, named, here):
    process = _started([*LONG, *named], here)
    while process.poll() is None and not list(here.glob("*.npz")):
        time.sleep(0.01)
    process.send_signal(number)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == code
    assert said.count("\n") == 1
    line = said.strip().partition("go on with: ")[2]
    assert line.endswith("--resume" if named else "-o fp16sim-train.png --resume")
    again = _started(shlex.split(line)[3:], here)
    assert again.communicate(timeout=120)[1] == ""
    assert again.returncode == 0
    assert len(list(here.glob("*.npz"))) == 2


@posix
def test_a_second_interruption_ends_at_once_without_a_traceback(here):
    process = _started(LONG, here)
    while process.poll() is None and not list(here.glob("*.npz")):
        time.sleep(0.01)
    for _ in range(3):
        process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "Traceback" not in said


# --- tables and help ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("room", [120, 91, 80, 60, 40, 20])
def test_no_word_of_a_table_is_broken_at_any_width(room, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(room))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    rows = [[name, "98.3% (96.4 to 99.2)", "0.0293", "1.65%", "<0.01%", "0", "0"] for name in RECIPES]
    print_table("digits", command.COLUMNS, rows)
    printed = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert max(len(line.rstrip()) for line in printed.splitlines()) <= room
    assert all(name in printed.split() for name in RECIPES)
    assert "(96.4 to 99.2)" in printed


def test_a_table_in_a_pipe_is_as_wide_as_it_is(capsys):
    print_table("wide", [("name", "left")] * 20, [["x" * 20] * 20])
    assert max(map(len, capsys.readouterr().out.splitlines())) == 20 * 20 + 19 * 3


def test_a_table_is_not_narrower_than_it_must_be():
    columns = [["a", "one two three"], ["b", "1"]]
    assert [layout.fit(columns, room).widths[0] for room in (20, 16, 15, 11)] == [13, 13, 7, 7]


def test_the_defaults_in_the_help_are_those_of_the_runs(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    with pytest.raises(SystemExit, match="0"):
        main(["train", "--help"])
    text = capsys.readouterr().out
    for line in (
        "learning rate (default: 0.01; sgd 0.1; MNIST 0.001; gpt 0.003; recipes 0.001)",
        "passes over the training images (default: 20; MNIST 1; gpt 12)",
        "images per step (default: 64; gpt 16; recipes 32)",
        "or dynamic, or none (default: 1024; recipes none, 1024 or dynamic)",
    ):
        assert line in text
    assert text.count("(default: ") >= len(command.OPTIONS)
