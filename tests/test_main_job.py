"""`fp16sim train`, the main job, as the README shows it: what it reaches, what it loses, and what it prints."""

import contextlib
import io
import json
from itertools import pairwise
from pathlib import Path

import pytest

from fp16sim.cli import main

README = Path(__file__).parents[1] / "README.md"


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """(what is printed, the log by format) of the main job."""
    out, printed = tmp_path_factory.mktemp("main") / "run.png", io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert main(["train", "--out", str(out)]) == 0
    log = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
    return printed.getvalue(), {run["result"]["recipe"]: run for run in log}


@pytest.mark.parametrize("fmt", ["binary32", "binary16", "bfloat16"])
def test_the_digits_are_learned_with_everything_rounded(job, fmt):
    assert job[1][fmt]["result"]["test_accuracy"] >= 0.97


def test_the_underflow_of_binary16_rises_smoothly(job):
    lost = [epoch["lost_gradients"] for epoch in job[1]["binary16"]["epochs"]]
    assert None not in lost
    assert lost[:3] == [0, 0, 0]
    assert all(later > earlier for earlier, later in pairwise(lost[5:]))
    assert lost[-1] == pytest.approx(0.0165, rel=0.1)  # what a look at every step gives


def test_no_format_is_called_better_than_another(job):
    assert "All differences are within chance." in job[0]


@pytest.mark.skipif(not README.exists(), reason="the README is in the repository, not in the installed package")
def test_the_readme_shows_what_it_prints(job):
    printed = "\n".join(line.rstrip() for line in job[0].splitlines()[1:])
    blocks = README.read_text(encoding="utf-8").split("```")
    shown = next(block for block in blocks if "95 % interval" in block).strip("\n")
    assert printed[: len(shown)] == shown
