"""Files from an enemy: every command answers each of them in one line, soon, and without much memory."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import fp16sim

pytest.importorskip("resource", reason="the bounds of POSIX")
from fp16sim.cli import main

from .hostile_files import SECONDS, bomb

SCRIPT = Path(__file__).with_name("hostile_files.py")


def attack(folder, seed, count):
    """The faults that the attacks found, and their totals."""
    home = str(Path(fp16sim.__file__).parents[1])
    command = [sys.executable, str(SCRIPT), str(folder), str(seed), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1000, env={"PYTHONPATH": home, "HOME": home})
    assert done.returncode == 0, done.stderr[-2000:]
    *faults, totals = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return faults, totals


def check(faults, totals, count):
    assert not faults, json.dumps(faults[:5], indent=1)
    assert sum(totals["codes"].values()) >= 2 * count
    assert totals["codes"]["2"] > totals["codes"]["0"] > 0  # most files are wrong, and some in nothing that matters
    assert totals["slowest"] < SECONDS
    assert totals["growth_kib"] < 300_000


def test_commands_on_hostile_files_end_in_one_line_and_within_their_bounds(tmp_path):
    check(*attack(tmp_path, seed=1, count=60), count=60)


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(2, 4))
def test_thousands_of_commands_on_hostile_files_end_in_one_line_and_within_their_bounds(seed, tmp_path):
    check(*attack(tmp_path, seed, count=5000), count=5000)


def test_a_small_model_of_a_billion_zeros_is_refused_at_once(tmp_path, capsys):
    path = tmp_path / "model.npz"
    for descr, size in (("<u2", 2), ("|u1", 1)):
        bomb(path, {}, "params/layer1.weight", descr, (1 << 30,), size << 30)
        assert path.stat().st_size < 3_000_000
        for command in ("evaluate", "inspect"):
            assert main([command, str(path), "--max-bytes", "1e9"]) == 2
            assert "of memory, more than max_bytes=1,000,000,000; if you trust" in capsys.readouterr().err
