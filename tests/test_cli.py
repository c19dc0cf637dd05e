"""The command line as a user meets it: one line for a mistake, no traceback, and files that are whole."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import fp16sim as fs
from fp16sim.cli import COMMANDS, EXIT_CODES, GROUPS, main, module_of
from fp16sim.elementary.definitions import FUNCTIONS
from fp16sim.learn import load_model

SHORT = ["train", "--epochs", "1", "--layers", "8"]


def test_train_prints_a_table_and_writes_a_picture(tmp_path, capsys):
    assert main([*SHORT, "--out", str(tmp_path / "run.png")]) == 0
    printed = capsys.readouterr().out
    for word in (
        "binary32",
        "binary16",
        "bfloat16",
        "accuracy",
        "underflow",
        "absorption",
        "over-",
        "flows",
        "skipped",
        "picture",
    ):
        assert word in printed
    assert (tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")
    models = [f"run-{fmt}.npz" for fmt in ("bfloat16", "binary16", "binary32")]
    assert sorted(path.name for path in tmp_path.iterdir()) == [*models, "run.html", "run.json", "run.png"]
    assert load_model(tmp_path / "run-bfloat16.npz").params["layer1.weight"].fmt == fs.BFLOAT16
    assert (tmp_path / "run.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    log = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert [run["result"]["recipe"] for run in log] == ["binary32", "binary16", "bfloat16"]
    assert {row["kind"] for row in log[1]["telemetry"]["rows"]} >= {"activation", "weight gradient", "step", "weight"}


def test_train_json_is_json_and_nothing_else(tmp_path, capsys):
    assert main([*SHORT, "--format", "fp16", "--json", "--out", str(tmp_path / "run.svg")]) == 0
    (run,) = json.loads(capsys.readouterr().out)
    assert run["config"]["policy"]["compute"] == "binary16"
    assert len(run["epochs"]) == 1
    assert 0 <= run["result"]["test_accuracy"] <= 1


def test_a_run_that_dies_says_where_and_why(tmp_path, capsys):
    arguments = ["train", "--format", "binary16", "--epsilon", "1e-8", "--loss-scale", "1"]
    assert main([*arguments, "--out", str(tmp_path / "run.png")]) == 3
    printed = capsys.readouterr()
    assert "binary16 died at step 1: the step of layer1.weight is not finite" in printed.out
    assert "epsilon=1e-08 is 0 in binary16" in printed.out
    assert printed.err == "fp16sim train: binary16 died, and was not expected to\n"
    assert {path.suffix for path in tmp_path.iterdir()} == {".png", ".html", ".json", ".npz"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--lr", "-1e-5"], "lr=-1e-05 must be positive"),
        (["--lr", "-inf"], "lr=-inf must be positive"),
        (["--eps", "-.5"], "epsilon=-0.5"),
        (["--costs", "-1"], "fp16sim train: unknown arguments: -1"),
        (["--lr=-1p-24"], "lr=-5.960464477539063e-08 must be positive"),
        (["--epsilon", "-1/3"], "epsilon=-0.333"),
        (["--epochs", "-1"], "epochs=-1 must be 1 or more"),
        (["--format", "fp17"], "fmt='fp17' is not a known format"),
        (["--epochs", "1.5"], "argument --epochs: '1.5' is not an integer"),
        (["--rng", "-1"], "argument --rng/--seed: '-1' is negative; use 0 or more"),
        (["--data", "spirals"], "argument --data: 'spirals' is unknown; use digits"),
        (["--format", "fp16,half"], "'binary16' is given twice"),
        (["--layers", "a"], "'a' is not a list of layer sizes"),
        (["--lr", "tiny"], "'tiny' is not a number"),
        (["--mode", "up"], "mode='up' is unknown; did you mean 'rup'?"),
        (["--out", "nowhere/run.png"], "does not exist"),
        (["--out", "run.gif"], "out='run.gif' must end in .png, .svg or .pdf"),
        (
            ["--recipe", "pure-binary17"],
            "recipe='pure-binary17' is unknown; did you mean 'pure-binary16'? use one of pure-binary32",
        ),
        (["--recipes", "fp8-mixed,fp8-mixed"], "'fp8-mixed' is given twice"),
        (
            ["--policy", "compute=binary16 masters=binary32"],
            "'masters=binary32' must be PART=VALUE, where PART is one of compute, param",
        ),
        (["--policy", "compute=binary16 binary32"], "'binary32' must be PART=VALUE"),
        (["--accumulator", "wide"], "accumulator='wide' is unknown; use one of 'sequential', 'pairwise', 'blocked'"),
        (["--model", "cnn"], "is too small for the CNN; use images of at least 18 x 18 pixels"),
        (["--model", "rnn"], "model='rnn' is unknown"),
        (["--loss-scale", "huge"], "'huge'"),
        (["--look-every", "-1"], "every=-1 is negative"),
        (["--from", "nowhere.npz"], "is not a file; give a model"),
        (["--nonsense"], "nonsense"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(arguments, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        code = main(["train", *arguments])
    except SystemExit as exit:
        code = exit.code
    captured = capsys.readouterr()
    assert code == 2
    assert says in captured.err
    assert captured.err.count("\n") == 1
    assert not captured.out
    assert not list(tmp_path.iterdir())


# --- all commands ---------------------------------------------------------------------------------------------------


def help_of(capsys, monkeypatch, *command):
    """A help text in a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit, match="0"):
        main([*command, "--help"])
    return capsys.readouterr().out


def test_the_help_lists_every_command_and_each_has_its_module(capsys, monkeypatch):
    said = help_of(capsys, monkeypatch)
    assert re.findall(r"^    ([a-z]+) ", said, re.MULTILINE) == list(COMMANDS)
    assert re.findall(r"^(\w+):$", said, re.MULTILINE) == [*GROUPS, "options"]
    assert list(map(int, re.findall(r"^    (\d+) ", said, re.MULTILINE))) == list(EXIT_CODES)
    assert max(map(len, said.splitlines())) <= 80
    shared = {
        "__init__",
        "bench_tables",
        "block_explainer",
        "documents",
        "errors",
        "expression_explainer",
        "expressions",
        "layout",
        "lesson_reader",
        "output",
        "parsing",
        "quiz_session",
        "run_files",
    }
    modules = {path.stem for path in Path(module_of("train").__file__).parent.glob("*.py")}
    assert modules - shared == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_has_an_example_and_fits_in_80_columns(capsys, monkeypatch, command):
    text = help_of(capsys, monkeypatch, command)
    assert f"\nexamples:\n  fp16sim {command}" in text
    assert max(map(len, text.splitlines())) <= 80
    assert "(default: None)" not in text
    assert "(default: )" not in text
    assert "(default: False)" not in text


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_answers_an_unknown_option_in_one_line(capsys, command):
    with pytest.raises(SystemExit, match="2"):
        main([command, "--nonsense"])
    captured = capsys.readouterr()
    assert captured.err.startswith(f"fp16sim {command}: ")
    assert captured.err.count("\n") == 1
    assert not captured.out


def test_every_command_that_the_readme_and_the_reference_name_exists():
    home = Path(__file__).parents[1]
    pages = [home / "README.md", *(home / "tutorials" / "reference").glob("*.md")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    named = set(re.findall(r"(?:`|^|bin/|\$ )fp16sim ([a-z]+)", text, re.MULTILINE))
    assert {"train", "explain", "quiz", "bench"} <= named <= set(COMMANDS)


@pytest.mark.parametrize("arguments", [["-1/3", "--json"], ["--json", "-1/3"], ["--json", "--", "-1/3"]])
def test_a_negative_number_is_not_an_option_wherever_it_stands(capsys, arguments):
    assert main(["show", *arguments]) == 0
    assert json.loads(capsys.readouterr().out)["text"] == "-1/3"


# --- certify --------------------------------------------------------------------------------------------------------


def test_certify_shows_the_closest_approach_of_every_function(capsys):
    assert main(["certify"]) == 0
    rows = [line.split()[0] for line in capsys.readouterr().out.splitlines() if " ulp " in line]
    assert rows == list(FUNCTIONS)
    assert main(["certify", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["exp"]["binary16"]["log2_distance"] == fs.certify.closest_approach("exp", "binary16").log2_distance


@pytest.mark.parametrize("differences", [[], ["exp binary16 to_odd: results differ", "log bfloat16 to_odd: differ"]])
def test_certify_check_has_a_line_and_exit_code_1_for_a_difference(differences, capsys, monkeypatch):
    monkeypatch.setattr("fp16sim.elementary.certificates.check", lambda: differences)
    assert main(["certify", "--check"]) == bool(differences)
    printed = capsys.readouterr().out.splitlines()
    assert printed == (differences or ["All results on this machine are the certified ones."])
    assert main(["certify", "--check", "--json"]) == bool(differences)
    assert json.loads(capsys.readouterr().out) == {"differences": differences}


def test_python_m_fp16sim_is_the_same_program():
    done = subprocess.run([sys.executable, "-m", "fp16sim", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("fp16sim ")


def test_an_interrupted_run_leaves_the_old_picture(tmp_path, monkeypatch, capsys):
    picture = tmp_path / "run.png"
    picture.write_bytes(b"the old one")

    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("fp16sim.learn.train", interrupt)
    assert main([*SHORT, "--out", str(picture)]) == 130
    assert picture.read_bytes() == b"the old one"
    assert "interrupted" in capsys.readouterr().err


# --- names ----------------------------------------------------------------------------------------------------------


def test_the_bare_command_prints_a_short_help_with_examples_that_work(capsys):
    assert main([]) == 0
    said = capsys.readouterr().out
    examples = re.findall(r"^  fp16sim (\w+)", said, re.MULTILINE)
    assert len(said.splitlines()) < 12
    assert len(examples) == 5
    assert set(examples) <= set(COMMANDS)


def test_a_misspelled_command_or_mode_is_answered_with_the_one_meant(capsys):
    assert main(["explian", "1"]) == 2
    assert "did you mean 'explain'?" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["show", "1", "--mode", "toward_positve"])
    assert "did you mean 'toward_positive'?" in capsys.readouterr().err


def test_options_have_the_usual_other_names(capsys, tmp_path):
    assert main(["show", "0.1", "--mode", "rtz", "--json"]) == 0
    short = capsys.readouterr().out
    assert main(["show", "0.1", "--mode", "toward_zero", "--json"]) == 0
    assert capsys.readouterr().out == short
    drawn = []
    for option in ("--rng", "--seed"):
        assert main(["show", "0.1", "--mode", "stochastic", option, "5", "--json"]) == 0
        drawn.append(capsys.readouterr().out)
    assert drawn[0] == drawn[1]
    for option in ("-o", "--out", "--output"):
        assert main(["explore", option, str(tmp_path / "page.html")]) == 0


# --- nothing is ignored ---------------------------------------------------------------------------------------------

GRADED = "def my_round(x):\n    return x\n\nTASKS = {'my_round': 'rounding'}\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("show 0.1 --seed 5", "--seed has no effect: in ties_to_even nothing is random"),
        ("compare 1 --mode rtz --rng 5", "--rng has no effect: in toward_zero nothing is random"),
        ("explain 0.1+0.2 --seed=5", "--seed has no effect"),
        ("explain 0.1+0.2 --acc kahan", "--accumulator has no effect: the expression has no sum, mean, norm"),
        ("explain exp(1) --accumulator exact", "--accumulator has no effect"),
        ("grade g.py --format bf16 --task rounding", "--format and --task have no effect: TASKS in the file says"),
        ("grade g.py:my_round --task holds --mode rtz", "--mode has no effect: the exercise has its own"),
        ("grade --list --budget 3", "--budget has no effect: --list grades nothing"),
        ("grade g.py --list", "leave the file out"),
        ("plot --list --dpi 3", "--dpi has no effect: --list draws nothing"),
        ("plot ulp --list", "leave the name out"),
        ("plot ulp --operation add -o x.png", "'ulp' does not have this option; it takes fmt"),
        ("plot ulp --dpi 300 -o x.svg", "--dpi has no effect: a .svg file has no pixels"),
        ("quiz --list --level 2", "--level has no effect: --list asks nothing"),
        ("quiz --json --no-confidence", "--no-confidence has no effect: --json asks nothing"),
        ("inspect g.npz --json --histogram", "--histogram has no effect: the JSON has every tensor"),
        ("explore nmber -o x.html", "'nmber' opens no view; did you mean 'number'?"),
        ("explore number?fromat=e5m2 -o x.html", "'fromat' is not a key; did you mean 'format'?"),
        ("data mnst", "did you mean 'mnist'?"),
        ("bench --only nothing", "only='nothing' is in no row"),
    ],
)
def test_an_option_without_effect_is_an_error(arguments, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "g.py").write_text(GRADED)
    assert main(arguments.split()) == 2
    captured = capsys.readouterr()
    assert says in captured.err
    assert captured.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["g.py"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "0.1", "--mode", "stochastic", "--seed", "5"],
        ["explain", "sum([1, 2])", "--accumulator", "kahan"],
        ["explain", "sqrt(dot([1], [2]))", "--accumulator", "kahan"],
        ["explore", "arithmetic?op=add&a=2048&b=1", "-o", "x.html"],
        ["quiz", "--list", "--json"],
        ["show", "--format", "e5m4", "-0.1"],
    ],
    ids=" ".join,
)
def test_an_option_with_an_effect_is_none(arguments, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("show 1 --formt bf16", "did you mean '--format'?"),
        ("show 1 --format bfloat61", "did you mean 'bfloat16'?"),
        ("explain 1 --subnormals flush_too_zero", "did you mean 'flush_to_zero'?"),
        ("explain sqr(2)", "did you mean 'sqrt'?"),
        ("explain dot([1],[2]) --accumulator kahn", "did you mean 'kahan'?"),
        ("train --data minst", "did you mean 'mnist'?"),
        ("train --recipe mixed-binry16", "did you mean 'mixed-binary16'?"),
        ("train --policy comput=binary16", "did you mean 'compute'?"),
        ("train --optimizer adm", "did you mean 'adam'?"),
        ("quiz --kind rond-it", "did you mean 'round-it'?"),
        ("plot harmonik", "did you mean harmonic?"),
        ("plot pairs --operation ad", "did you mean 'add'?"),
        ("plot ulp --theme lihgt", "did you mean 'light'?"),
        ("inspect x.npz --kind gradiens", "did you mean 'gradients'?"),
        ("grade g.py:my_rund --task rounding", "did you mean 'my_round'?"),
        ("grade g.py:my_round --task roundin", "did you mean 'rounding'?"),
    ],
)
def test_every_misspelled_name_is_answered_with_the_one_meant(arguments, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "g.py").write_text(GRADED)
    try:
        code = main(arguments.split())
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    assert says in capsys.readouterr().err
