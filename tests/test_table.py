"""The table of recipes over several seeds: its spread, and which differences exceed it."""

import json
import sys
from dataclasses import asdict, replace
from itertools import combinations

import pytest

from fp16sim.learn import get_config, table
from fp16sim.learn.table import Run, beyond_spread, chance_of_separation, markdown


def run(recipe, seed, accuracy, **change):
    config = get_config(recipe, rng=seed).to_dict()
    return replace(Run(recipe, seed, accuracy, 10.0, 100.0, 1, 0.25, 0.5, None, [], config), **change)


def runs(**accuracies):
    names = {"plain": "bfloat16-plain", "kahan": "bfloat16-kahan", "wide": "pure-binary32"}
    return [run(names[name], seed, x) for name, reached in accuracies.items() for seed, x in enumerate(reached)]


def test_the_table_has_mean_smallest_largest_and_standard_deviation():
    lines = list(markdown(runs(plain=[0.5, 0.75, 1.0])))
    assert lines[2] == "| bfloat16-plain | 0.7500 | 0.5000 .. 1.0000 | 0.2500 | 10 | 100 | 1.0 | 25.0% | 50.0% |"


def test_a_difference_exceeds_the_spread_only_if_all_seeds_agree():
    text = "\n".join(markdown(runs(plain=[0.90, 0.91, 0.92], kahan=[0.93, 0.94, 0.95], wide=[0.92, 0.93, 0.96])))
    assert (
        "bfloat16-kahan is better than bfloat16-plain. All other differences are within the spread over seeds." in text
    )
    assert "by chance in 10.0% of cases: 0.3 of the 3 pairs here" in text
    alike = "\n".join(markdown(runs(plain=[0.90, 0.92], kahan=[0.91, 0.93])))
    assert "The difference is within the spread over seeds." in alike
    assert beyond_spread({"a": [0.9, 0.9], "b": [0.9, 0.8]}).beyond == ()


@pytest.mark.parametrize(("n", "m"), [(1, 1), (2, 3), (3, 3), (4, 4)])
def test_the_chance_of_a_separation_is_that_of_all_orders(n, m):
    ways = [set(ranks) for ranks in combinations(range(n + m), n)]
    apart = [ranks for ranks in ways if ranks in (set(range(n)), set(range(m, n + m)))]
    assert chance_of_separation(n, m) == len(apart) / len(ways)


def test_one_seed_shows_no_difference_and_has_no_standard_deviation():
    lines = list(markdown(runs(plain=[0.1], kahan=[0.9])))
    assert "| 0.1000 .. 0.1000 | - |" in lines[2]
    assert "One seed shows no spread, so no difference can be told from it; give several, as in --seeds 0,1,2." in lines


def test_what_was_not_measured_has_no_mean_and_a_dead_run_is_counted():
    given = [run("bfloat16-plain", seed, 0.5, lost_gradients=lost, memory=None) for seed, lost in ((0, 0.5), (1, None))]
    dead = [run("pure-binary16", seed, 0.1, died=died) for seed, died in ((0, "died at step 1: x"), (1, None))]
    lines = list(markdown([*given, *dead]))
    assert lines[2].endswith("| 10 | - | 1.0 | - | 50.0% |")
    assert lines[3].startswith("| pure-binary16 | died at step 1 (1 of 2 seeds) | ")
    assert len({line.count("|") for line in lines[:4]}) == 1


def test_the_settings_stand_under_the_table_and_seeds_are_no_difference():
    lines = list(markdown(runs(plain=[0.1, 0.2], kahan=[0.1, 0.2])))
    assert any(
        line.startswith("Seeds 0 and 1; settings of all: optimizer adam, lr 0.001, epsilon 1e-08") for line in lines
    )
    assert lines[-4:] == [
        "| recipe | update |",
        "|---|---|",
        "| bfloat16-plain | plain |",
        "| bfloat16-kahan | kahan |",
    ]


def test_a_stored_run_of_other_options_or_another_version_is_refused(tmp_path, monkeypatch):
    file = tmp_path / "bfloat16-plain-0.run.json"
    stored = run("bfloat16-plain", 0, 0.5, options=["--epochs", "1"])
    file.write_text(json.dumps(asdict(stored)), encoding="utf-8")
    assert table.run("bfloat16-plain", 0, tmp_path, ["--epochs", "1"]) == stored
    with pytest.raises(ValueError, match=r"with other options \(--epochs 1\); delete it, or give another --folder"):
        table.run("bfloat16-plain", 0, tmp_path, [])
    file.write_text(json.dumps({"recipe": "bfloat16-plain"}), encoding="utf-8")
    with pytest.raises(ValueError, match="written by another version"):
        table.run("bfloat16-plain", 0, tmp_path, [])
    monkeypatch.setattr(
        sys, "argv", ["table", "--recipes", "bfloat16-plain", "--seeds", "0", "--folder", str(tmp_path)]
    )
    with pytest.raises(SystemExit, match=r"^fp16sim.learn.table: .*written by another version"):
        table.main()


def test_a_table_is_made_of_runs_of_the_command_line(tmp_path, capsys, monkeypatch):
    options = ["--seeds", "0", "--folder", str(tmp_path), "--epochs", "1", "--layers", "4", "--look-every", "0"]
    monkeypatch.setattr(sys, "argv", ["table", "--recipes", "pure-binary32", *options])
    table.main()
    printed = capsys.readouterr().out.splitlines()
    assert printed[2].startswith("| pure-binary32 | 0.")
    assert printed[2].endswith(" | 0.0 | - | 0% |")  # the gradients were not looked at
