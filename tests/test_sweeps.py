"""Sweeps: the same records wherever cells run, nothing lost however a run ends, and nothing overwritten."""

import errno
import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.cli import main
from fp16sim.files import claim
from fp16sim.plots import sweeps
from fp16sim.sweeps import Spread
from fp16sim.sweeps.student import student

from . import support

AXES = {"fmt": ["binary16", "bfloat16"], "n": [10, 100], "rng": [0, 1, 2]}


def error(fmt, n, rng, scale=1.0):
    x = np.random.default_rng(rng).random(n) * scale
    return abs(float(fs.sum(x, fmt)) / x.sum() - 1)


MODULE = """
import os, signal, time
from pathlib import Path
import numpy as np
import fp16sim as fs

def error(fmt, n, rng, seconds=0.0):
    time.sleep(seconds)
    x = np.random.default_rng(rng).random(n)
    return {"error": abs(float(fs.sum(x, fmt)) / x.sum() - 1), "threads": os.environ.get("OMP_NUM_THREADS")}

def kills_its_process(k, folder, often):
    for time in range(often if k == 2 else 0):
        mark = Path(folder) / str(time)
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return k

def interrupted(k, at):
    if k == at:
        raise KeyboardInterrupt
    return k

def fails(k, mark):
    if k == 1 and not Path(mark).exists():
        raise ValueError("no mark\\nhere")
    return {"died": "at step 3: it overflowed", "x": None} if k == 2 else {"x": 1.0 * k}
"""


@pytest.fixture
def cells_module(tmp_path, monkeypatch):
    (tmp_path / "cells_of_a_user.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")])))
    yield "cells_of_a_user"
    sys.modules.pop("cells_of_a_user", None)


def lines(table):
    """The records of a table as they stand in it, without the seconds, in any order."""
    return sorted(re.sub(r',"seconds":[\d.e-]+}', "}", line) for line in table.read_text().splitlines()[1:])


# --- cells ----------------------------------------------------------------------------------------------------------


def test_the_cells_are_all_combinations_in_the_order_of_the_axes():
    found = fs.sweeps.run(error, AXES)
    assert [tuple(row.place.values()) for row in found] == [
        (fmt, n, rng) for fmt in AXES["fmt"] for n in AXES["n"] for rng in AXES["rng"]
    ]
    assert [row.number("value") for row in found] == [error(**row.place) for row in found]


def test_listed_cells_are_combined_with_the_axes():
    found = fs.sweeps.run(error, {"rng": [0, 1]}, cells=[{"fmt": "binary16", "n": 5}, {"fmt": "bfloat16", "n": 7}])
    assert [tuple(row.place.values()) for row in found] == [
        ("binary16", 5, 0), ("binary16", 5, 1), ("bfloat16", 7, 0), ("bfloat16", 7, 1)
    ]  # fmt: skip


def test_the_key_is_that_of_the_whole_configuration_defaults_included():
    given = fs.sweeps.run(error, {"rng": [0]}, base={"fmt": "binary16", "n": 5, "scale": 1.0}).rows[0].record
    left_out = fs.sweeps.run(error, {"fmt": ["binary16"]}, base={"n": 5, "rng": 0}).rows[0].record
    assert given.config == {"fmt": "binary16", "n": 5, "rng": 0, "scale": 1.0}
    assert given.key == left_out.key


@pytest.mark.parametrize(
    ("axes", "options", "said"),
    [
        ({}, {}, "no axes and no cells"),
        ({"rng": []}, {}, r"axis rng=\[\] has no values"),
        ({"rng": [0, 1, 0]}, {}, "axis rng has the value 0 twice"),
        ({"n": [1, 1.0]}, {}, "axis n has the value 1.0 twice"),
        ({"fmt": "binary16"}, {}, r"axis fmt='binary16' is not a list of values; write \['binary16'\]"),
        ({"rang": [0]}, {}, "rang=0 is not an argument of .*error; did you mean 'rng'?"),
        ({"rng": [0]}, {}, "fmt, an argument of .*error, is missing"),
        ({"n": [1]}, {"base": {"n": 1}}, "n=1 is also an axis"),
        ({"n": [1]}, {"cells": [{"n": 1}]}, "n=1 of a cell is also an axis"),
        ({}, {"cells": [{}]}, "cell={} is not a table of options"),
        ({"n": [np.inf]}, {"base": {"fmt": 1, "rng": 1}}, "n=inf is not finite"),
        ({"n": [{1}]}, {"base": {"fmt": 1, "rng": 1}}, r"n=\{1\} is of type set, not plain data"),
        ({"n": range(1001), "rng": range(1000)}, {}, "1,001,000 cells"),
        ({"fmt": ["binary16"]}, {"base": {"n": 1, "rng": 0}, "workers": -1}, "workers=-1 is not a number of processes"),
        ({"fmt": ["binary16"]}, {"base": {"n": 1, "rng": 0}, "over": "fnt"}, "over='fnt' is none of the axes; did you"),
        ([0], {}, r"axes=\[0\] is not a table of lists"),
        (
            {"fmt": ["binary16"]},
            {"base": {"n": 1, "rng": 0}, "show": "value"},
            r"show='value' is not a list .* \['value'\]",
        ),
        (
            {"fmt": ["binary16"]},
            {"base": {"n": 1, "rng": 0}, "show": ["x"]},
            "show='x' is no numeric result; use value",
        ),
    ],
)
def test_bad_input_is_refused_by_name(axes, options, said):
    with pytest.raises((ValueError, TypeError), match=said):
        fs.sweeps.run(error, axes, **options)


def test_two_cells_of_one_configuration_are_refused():
    with pytest.raises(ValueError, match="n=5 and n=5 and scale=1 have the same configuration"):
        fs.sweeps.run(error, cells=[{"n": 5}, {"n": 5, "scale": 1.0}], base={"fmt": "binary16", "rng": 0})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("math", "is not module:function"),
        ("math:", "is not module:function"),
        ("no_such_module:f", "cannot be imported"),
        ("math:hypto", "did you mean 'hypot'"),
        (3, "is not a function"),
    ],
)
def test_a_function_that_is_none_is_refused(given, said):
    with pytest.raises((ValueError, TypeError), match=said):
        fs.sweeps.run(given, {"x": [1]})


def test_a_function_that_processes_cannot_import_is_refused():
    with pytest.raises(TypeError, match="cannot be imported by other processes; write it at the top of a module"):
        fs.sweeps.run(lambda x: x, {"x": [1]}, workers=1)


# --- the table ------------------------------------------------------------------------------------------------------


def test_a_second_call_computes_nothing_and_gives_the_same_results(tmp_path):
    calls = []

    def counted(x):
        calls.append(x)
        return x / 3

    first = fs.sweeps.run(counted, {"x": [1, 2]}, table=tmp_path / "t.jsonl")
    before = (tmp_path / "t.jsonl").read_bytes()
    again = fs.sweeps.run(counted, {"x": [1, 2]}, table=tmp_path / "t.jsonl")
    assert calls == [1, 2]
    assert (tmp_path / "t.jsonl").read_bytes() == before
    assert str(first) == str(again)
    more = fs.sweeps.run(counted, {"x": [3, 2]}, table=tmp_path / "t.jsonl")
    assert calls == [1, 2, 3]
    assert [row.number("value") for row in more] == [1.0, 2 / 3]


def test_however_many_bytes_of_the_last_record_were_written_the_others_are_kept_and_it_is_written_again(tmp_path):
    table, axes = tmp_path / "t.jsonl", {"x": [0.1, 0.2, 0.3]}
    fs.sweeps.run(third, axes, table=table)
    whole = table.read_bytes()
    last = whole.rstrip(b"\n").rfind(b"\n") + 1
    for cut in [*range(last, len(whole), 9), len(whole) - 2, len(whole) - 1]:
        table.write_bytes(whole[:cut])
        seen = []
        fs.sweeps.run(third, axes, table=table, on_progress=lambda p, seen=seen: seen.append(p.done))
        assert seen == ([] if cut == len(whole) - 1 else [2, 3]), cut
        assert lines(table) == sorted(re.sub(rb',"seconds":[\d.e-]+}', b"}", whole).decode().splitlines()[1:])
        if not seen:  # only the line break was missing, and nothing was to write; what is appended next starts a line
            fs.sweeps.run(third, {"x": [0.4]}, table=table)
            assert len(lines(table)) == 4


def third(x):
    return x / 3


def test_a_table_that_is_not_of_this_sweep_is_refused_and_stays_as_it_was(tmp_path):
    table = tmp_path / "t.jsonl"
    fs.sweeps.run(third, {"x": [1.0, 2.0]}, table=table)
    header, first, second = table.read_text().splitlines(keepends=True)
    changed = {
        "is not the table of a sweep": "a,b\n1,2\n",
        "is not the table of a sweep.": "[1]\n",
        "was written by fp16sim '0.0.9', layout 1": header.replace(fs.__version__, "0.0.9") + first,
        "layout 2, and this is": header.replace('"fp16sim_sweep": 1', '"fp16sim_sweep": 2'),
        "is of another sweep: it has function=": header.replace(":third", ":fourth"),
        "line 2 was changed: its key": header + first.replace('"x":1.0', '"x":1.5'),
        "line 3 is not a record": header + first + "oops\n" + second,
        "line 4 is not a record": header + first + second + "oops",
        "line 2 has neither": header + first.replace('"result"', '"results"'),
    }
    for said, content in changed.items():
        table.write_text(content)
        with pytest.raises(ValueError, match=said.rstrip(".")):
            fs.sweeps.run(third, {"x": [1.0, 3.0]}, table=table)
        assert table.read_text() == content
    fs.sweeps.run(scaled_third, {"x": [1.0]}, table=tmp_path / "scaled.jsonl")
    with pytest.raises(ValueError, match=r"it has scale=the default, and this one 2\.0"):
        fs.sweeps.run(scaled_third, {"x": [1.0]}, base={"scale": 2.0}, table=tmp_path / "scaled.jsonl")


def scaled_third(x, scale=1.0):
    return x / 3 * scale


def test_one_process_writes_a_table_at_a_time(tmp_path):
    table = tmp_path / "t.jsonl"
    with claim(table), pytest.raises(ValueError, match="another process is writing it"):
        fs.sweeps.run(third, {"x": [1.0]}, table=table)
    assert not table.exists()
    with pytest.raises(ValueError, match=r"the folder .* does not exist"):
        fs.sweeps.run(third, {"x": [1.0]}, table=tmp_path / "no" / "t.jsonl")


def test_an_interruption_keeps_what_is_finished(tmp_path, cells_module):
    table = tmp_path / "t.jsonl"
    with pytest.raises(KeyboardInterrupt):
        fs.sweeps.run(f"{cells_module}:interrupted", {"k": [0, 1, 2]}, base={"at": 1}, table=table)
    assert len(lines(table)) == 1


def test_failures_are_recorded_with_their_cause_and_run_again_on_request_only(tmp_path, cells_module):
    table, mark = tmp_path / "t.jsonl", tmp_path / "mark"
    settings = {"base": {"mark": str(mark)}, "table": table}
    first = fs.sweeps.run(f"{cells_module}:fails", {"k": [0, 1, 2]}, **settings)
    assert "failed: k=1: ValueError: no mark here (cells_of_a_user.py, line 27)" in str(first)
    assert "k=2: died at step 3: it overflowed" in str(first)
    assert [row.place["k"] for row in first.failures] == [1]
    assert [row.place["k"] for row in first.deaths] == [2]
    mark.touch()
    assert fs.sweeps.run(f"{cells_module}:fails", {"k": [0, 1, 2]}, **settings).failures
    assert not fs.sweeps.run(f"{cells_module}:fails", {"k": [0, 1, 2]}, **settings, retry=True).failures
    assert not fs.sweeps.run(f"{cells_module}:fails", {"k": [0, 1, 2]}, **settings).failures
    assert len(lines(table)) == 4


def test_nan_and_infinities_are_results_wherever_they_stand(tmp_path):
    table = tmp_path / "x.jsonl"
    results = fs.sweeps.run(diverging, {"n": [1, 2]}, table=table)
    assert not results.failures
    assert fs.sweeps.run(diverging, {"n": [1, 2]}, table=table).rows == results.rows
    assert results.rows[0].number("loss") == np.inf
    assert results.rows[0].result["losses"] == [1.0, "NaN", "Infinity"]
    (group, _) = results.to_dict()["groups"]
    assert group["results"]["loss"] == {"mean": "Infinity", "half": None, "n": 1}


def diverging(n):
    return {"loss": np.float16("inf"), "losses": np.array([1.0, np.nan, np.inf])}


def test_a_huge_integer_is_infinite_in_the_table_and_one_that_cannot_be_written_is_a_failure(tmp_path):
    results = fs.sweeps.run(lambda n: -(10**n), {"n": [400, 5000]}, table=tmp_path / "x.jsonl")
    assert results.rows[0].number("value") == -np.inf
    assert "the result value is an integer of 16,610 bits; give it as a text" in str(results)


def test_a_result_that_is_no_data_names_no_line_of_ours():
    (row,) = fs.sweeps.run(lambda n: {"x": {1, 2}}, {"n": [1]}).failures
    assert str(row.record.failure).startswith("TypeError: the result x={1, 2} is of type set")
    assert not row.record.failure.where


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_that_a_function_forks_does_not_go_on_with_the_sweep(tmp_path):
    results = fs.sweeps.run(forks, {"k": [1, 2, 3]}, base={"folder": str(tmp_path)}, table=tmp_path / "x.jsonl")
    assert [row.number("value") for row in results] == [1, 2, 3]
    assert len((tmp_path / "x.jsonl").read_text().splitlines()) == 1 + 3
    assert len(list(tmp_path.glob("child-*"))) == 3


def forks(k, folder):
    if child := os.fork():
        os.waitpid(child, 0)
    else:
        Path(folder, f"child-{k}").touch()
    return k


def test_a_full_disk_names_the_table_and_the_finished_cells_stay(tmp_path, monkeypatch):
    table, write = tmp_path / "x.jsonl", os.write

    def full(handle, data):
        if b'"n":3' in bytes(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(handle, data)

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match=re.escape(str(table))):
        fs.sweeps.run(lambda n: n, {"n": [1, 2, 3]}, table=table)
    assert len(table.read_text().splitlines()) == 1 + 2


def test_ten_thousand_cells_are_counted_and_grouped_once():
    asked = []
    results = fs.sweeps.run(lambda n: n, {"n": range(10_000)}, on_progress=asked.append)
    assert asked[-1].done == len(results.cells()) == 10_000
    assert results.deaths is results.deaths


# --- processes ------------------------------------------------------------------------------------------------------


def test_processes_write_the_same_records_as_this_one(tmp_path, cells_module):
    for workers in (0, 2):
        axes = {**AXES, "n": [5]}
        found = fs.sweeps.run(f"{cells_module}:error", axes, table=tmp_path / f"{workers}.jsonl", workers=workers)
        threads = [row.result.pop("threads") for row in found]
    assert threads == ["1"] * 6
    bare = [re.sub(r'"threads":(null|"\d+")', "", "".join(lines(tmp_path / f"{n}.jsonl"))) for n in (0, 2)]
    assert bare[0] == bare[1]


@pytest.mark.exhaustive
def test_any_number_of_processes_gives_the_same_table_of_training(tmp_path):
    axes = {"policy": ["binary16", "bfloat16:stochastic"], "accumulator": ["sequential", "blas"], "rng": [0, 1]}
    options = {"epochs": 1, "batch": 128, "layers": (16,)}
    one, two, eight = (
        fs.learn.sweep(axes, table=tmp_path / f"{workers}.jsonl", workers=workers, **options) for workers in (1, 2, 8)
    )
    assert lines(tmp_path / "1.jsonl") == lines(tmp_path / "2.jsonl") == lines(tmp_path / "8.jsonl")
    assert str(one) == str(two) == str(eight)


@pytest.mark.exhaustive
@pytest.mark.parametrize(("often", "failed"), [(1, []), (9, [2])])
def test_a_process_that_is_killed_loses_no_cell_and_one_that_is_always_killed_is_a_failure(
    tmp_path, cells_module, often, failed
):
    base = {"folder": str(tmp_path), "often": often}
    found = fs.sweeps.run(f"{cells_module}:kills_its_process", {"k": list(range(6))}, base=base, workers=2)
    assert [row.place["k"] for row in found.failures] == failed
    assert [row.number("value") for row in found if not row.record.failure] == [k for k in range(6) if k not in failed]
    assert "its process ended 2 times" in str(found) or not failed


# --- training -------------------------------------------------------------------------------------------------------

SMALL = {"epochs": 1, "batch": 256, "layers": (8,)}


def test_a_run_of_a_sweep_is_that_of_train(tmp_path):
    found = fs.learn.sweep({"policy": ["bf16"], "lr": [0.01, 0.02]}, **SMALL, table=tmp_path / "t.jsonl")
    run = fs.learn.train(fs.learn.Config("bfloat16", lr=0.02, **SMALL))
    (row,) = found.where(lr=0.02)
    assert row.number("test_accuracy") == run.epochs[-1].test_accuracy
    assert row.number("loss") == run.epochs[-1].loss
    assert fs.learn.Config.from_dict(row.record.config) == run.config


def test_recipes_and_accumulators_are_axes_and_deaths_are_results_with_their_cause():
    axes = {"recipe": ["pure-binary16", "bfloat16-kahan"], "accumulator": ["sequential", "pairwise"]}
    found = fs.learn.sweep(axes, epochs=1, batch=256, layers=(8,))
    assert [bool(row.died) for row in found] == [True, True, False, False]
    assert "epsilon=1e-08 is 0 in binary16" in str(found)
    assert [row.record.config["policy"]["accumulator"] for row in found] == ["sequential", "pairwise"] * 2


@pytest.mark.parametrize(
    ("axes", "options", "said"),
    [
        ({"formats": ["binary16"]}, {}, "formats=.* is not an option of Config; did you mean 'policy'?"),
        ({"learning_rat": [1]}, {}, "learning_rat=.* is not an option of Config"),
        ({"lr": ["0.1"]}, {}, "lr='0.1' is not a number"),
        ({"epochs": [1.5]}, {}, "epochs=1.5 is not an integer"),
        ({"policy": ["binary16", "fp16"]}, {}, "policy=binary16 and policy=fp16 have the same configuration"),
        ({"momentum": [0.5, 0.9]}, {}, "momentum=0.5 would have no effect"),
        ({"rng": [0]}, {"model": fs.learn.FunctionModel(lambda p, x: x, {"w": (1, 1)})}, "is no plain data, by which"),
        ({"rng": [0, -1]}, {}, "rng=-1 is negative; use 0 or more"),
        ({"batch": [64, 10**6]}, {}, "is more than the 1,438 training images"),
        ({"data": ["no-such-data"]}, {}, "data='no-such-data' is unknown"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_anything_is_written(tmp_path, axes, options, said):
    with pytest.raises((ValueError, TypeError), match=said):
        fs.learn.sweep(axes, **options, table=tmp_path / "t.jsonl")
    assert not list(tmp_path.iterdir())


def test_an_option_without_effect_on_some_runs_is_said():
    notes = []
    fs.learn.sweep({"optimizer": ["adam", "sgd"], "momentum": [0.5]}, **SMALL, on_note=notes.append)
    why = "adam does not use it, sgd does (optimizer, --optimizer)"
    assert notes == [f"momentum has no effect on 1 of 2 runs, as where optimizer=adam and momentum=0.5: {why}"]


def test_parts_of_an_option_are_axes():
    found = fs.learn.sweep({"policy.state": ["binary32", "bfloat16"], "policy.compute": ["bfloat16"]}, **SMALL, most=0)
    assert [row.record for row in found] == [None, None]
    keys = [fs.learn.Policy("bfloat16", state=state).to_dict() for state in ("binary32", "bfloat16")]
    done = fs.learn.sweep({"policy.state": ["binary32", "bfloat16"]}, **SMALL, **{"policy.compute": "bfloat16"})
    assert [row.record.config["policy"] for row in done] == keys
    with pytest.raises(ValueError, match="give the parts of one only"):
        fs.learn.sweep({"policy.state": ["binary32"]}, policy="bfloat16")


# --- means and intervals --------------------------------------------------------------------------------------------


def test_the_interval_of_a_mean_is_that_of_students_t():
    # Student's table: 95 % two-sided.
    assert [round(student(n), 3) for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 30, 120)] == [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.042, 1.980
    ]  # fmt: skip
    assert Spread.of([1.0, 2.0, 3.0]).half == pytest.approx(4.302653 / np.sqrt(3), rel=1e-6)
    assert Spread.of([1.0]).half is None
    assert Spread.of([]) is None
    assert Spread.of([1.0, np.inf, -np.inf]).half is None


def test_a_mean_is_over_the_seeds_that_did_not_die_and_an_infinite_result_makes_it_infinite():
    found = fs.sweeps.run(result_by_seed, {"kind": ["dies", "infinite"], "rng": [0, 1, 2]})
    dies, infinite = found.groups
    assert dies.spread("x").values == (1.0, 2.0)
    assert infinite.spread("x").mean == np.inf
    assert ("dies", "3", "1", "1.5 ± 6.4") in found.cells()
    assert ("infinite", "3", "0", "not finite") in found.cells()


def result_by_seed(kind, rng):
    if rng == 0:
        return {"died": "at once", "x": 0.0} if kind == "dies" else {"x": np.inf}
    return {"x": rng}


def test_progress_counts_cells_and_estimates_the_time_left(tmp_path):
    seen = []
    fs.sweeps.run(third, {"x": [1.0]}, table=tmp_path / "t.jsonl")
    fs.sweeps.run(third, {"x": [1.0, 2.0, 3.0]}, table=tmp_path / "t.jsonl", on_progress=seen.append)
    assert [(p.done, p.total) for p in seen] == [(1, 3), (2, 3), (3, 3)]
    assert seen[0].seconds_left is None
    assert seen[1].seconds_left > 0 == seen[2].seconds_left


# --- the command ----------------------------------------------------------------------------------------------------

TOML = """
function = "cells_of_a_user:error"
show = ["error"]
[base]
n = 50
[axes]
fmt = ["binary16", "bfloat16"]
rng = [0, 1, 2]
"""


@pytest.fixture
def in_folder(tmp_path, monkeypatch, cells_module):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.toml").write_text(TOML)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


def test_the_command_runs_and_shows_again_without_computing(in_folder, capsys):
    assert main(["sweep", "s.toml", "--workers", "0", "--most", "2"]) == 0
    assert "4 cells of 6 not computed yet." in capsys.readouterr().out
    assert len(lines(in_folder / "s.jsonl")) == 2
    assert main(["sweep", "s.toml", "--workers", "0"]) == 0
    first = capsys.readouterr()
    assert "bfloat16 3 0.0" in squeezed(first.out)
    assert "table: s.jsonl   picture: s.png" in first.out
    assert first.err == ""
    (in_folder / "cells_of_a_user.py").unlink()
    before = (in_folder / "s.jsonl").read_bytes()
    assert main(["sweep", "s.toml", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["over"] == "rng"
    assert [group["done"] for group in found["groups"]] == [3, 3]
    assert (in_folder / "s.jsonl").read_bytes() == before


@pytest.mark.parametrize("workers", ["0", pytest.param("1", marks=pytest.mark.exhaustive)])
def test_what_cells_print_is_not_between_the_results(in_folder, capfd, workers):
    Path("prints.py").write_text("def shout(n):\n    print('hello')\n    return n\n")
    Path("prints.toml").write_text('\ufefffunction = "prints:shout"\n[axes]\nn = [1, 2]\n', encoding="utf-8")
    assert main(["sweep", "prints.toml", "--json", "--workers", workers]) == 0
    out, err = capfd.readouterr()
    assert len(json.loads(out)["cells"]) == 2
    assert err.count("hello") == 2


def test_a_picture_that_cannot_be_drawn_does_not_hide_the_results(in_folder, capsys, monkeypatch):
    def fails(*given, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "x.png")

    monkeypatch.setattr("fp16sim.plots.save", fails)
    Path("halves.py").write_text("def half(n):\n    return n / 2\n")
    Path("x.toml").write_text('function = "halves:half"\n[axes]\nn = [7]\n')
    assert main(["sweep", "x.toml", "--workers", "0"]) == 2
    out, err = capsys.readouterr()
    assert "3.5" in out
    assert err.endswith("No space left on device: x.png\n")


def test_an_interruption_says_whether_there_is_a_table(in_folder, capsys):
    Path("stops.py").write_text("def stop(n):\n    if n:\n        raise KeyboardInterrupt\n")
    for values, kept in (("1, 0", "no cell was finished; go"), ("0, 1", "finished cells are in 'x.jsonl'; go")):
        Path("x.toml").write_text(f'function = "stops:stop"\n[axes]\nn = [{values}]\n')
        assert main(["sweep", "x.toml", "--workers", "0"]) == 130
        assert kept in capsys.readouterr().err


def test_an_empty_address_is_none(in_folder, capsys):
    Path("x.toml").write_text("[axes]\nrng = [0]\n")
    assert main(["sweep", "x.toml", "--scheduler", ""]) == 2
    assert "scheduler='' is not an address" in capsys.readouterr().err


def test_the_command_trains_by_default(in_folder, capsys):
    (in_folder / "t.toml").write_text(
        "[base]\nepochs = 1\nlayers = [4]\nbatch = 512\n[axes]\noptimizer = ['adam', 'sgd']\nmomentum = [0.5]\n"
    )
    assert main(["sweep", "t.toml", "--workers", "0"]) == 0
    shown = capsys.readouterr()
    assert "test accuracy" in shown.out
    assert shown.err.startswith("fp16sim sweep: momentum has no effect on 1 of 2 runs, as where optimizer=adam")
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("axes = 3", r"'s.toml': axes=3 is not a table \[axes\] of lists"),
        ("[axis]\nlr = [1]", "'s.toml': axis is unknown; did you mean 'axes'?"),
        ("lr = [0.1]", r"'s.toml': lr is unknown; use function, .* \(options go under \[base\]\)"),
        ("[axes", "'s.toml' is not a TOML file: "),
        ("show = [1]", "is not a list of names of results"),
        ("[axes]\nlr = 0.1", r"axis lr=0.1 is not a list of values; write \[0.1\]"),
        ("[axes]\nlr = []", r"axis lr=\[\] has no values"),
        ("[axes]\nlearnin_rate = [1]", "learnin_rate=1 is not an option of Config"),
        ("[axes]\nwhen = [2020-01-01]", "when=.* is not an option of Config"),
        ("", "the sweep has no axes and no cells"),
        ("cells = [1]", "cell=1 is not a table of options"),
        ('function = "cells_of_a_user"\n[axes]\nn = [1]', "is not module:function"),
        ('function = "cells_of_a_user:eror"\n[axes]\nn = [1]', "did you mean 'error'"),
    ],
)
def test_a_bad_file_gives_one_line_and_writes_nothing(in_folder, capsys, toml, said):
    (in_folder / "s.toml").write_text(toml)
    before = sorted(in_folder.iterdir())
    assert main(["sweep", "s.toml", "--workers", "0"]) == 2
    shown = capsys.readouterr()
    assert re.search(said, shown.err), shown.err
    assert shown.err.count("\n") == 1
    assert [path for path in sorted(in_folder.iterdir()) if path.name != "__pycache__"] == before


def test_files_of_others_are_not_overwritten(in_folder, capsys):
    (in_folder / "s.png").write_bytes(b"a photograph")
    assert main(["sweep", "s.toml", "--workers", "0"]) == 2
    assert "is there, and is not of this sweep" in capsys.readouterr().err
    assert main(["sweep", "s.toml", "--workers", "0", "--table", "s.toml"]) == 2
    assert "is a TOML file" in capsys.readouterr().err
    (in_folder / "notes.txt").write_text("my notes")
    assert main(["sweep", "s.toml", "--workers", "0", "--table", "notes.txt"]) == 2
    assert "is not the table of a sweep" in capsys.readouterr().err
    assert (in_folder / "notes.txt").read_text() == "my notes"
    assert (in_folder / "s.png").read_bytes() == b"a photograph"


def test_a_cell_that_failed_gives_the_exit_code_3_and_its_cause(in_folder, capsys):
    (in_folder / "f.toml").write_text(
        f'function = "cells_of_a_user:fails"\n[base]\nmark = "{in_folder / "no"}"\n[axes]\nk = [0, 1, 2]\n'
    )
    assert main(["sweep", "f.toml", "--workers", "0"]) == 3
    assert "failed: k=1: ValueError: no mark here" in capsys.readouterr().out


# --- the page -------------------------------------------------------------------------------------------------------

PAGE = Path(__file__).parents[1] / "tutorials" / "reference" / "sweeps.md"


def squeezed(text):
    """A table without its widths, which an older rich computes a little differently."""
    return re.sub(r"[\s─]+", " ", text)


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("k", support.first(1, [1, 0]))
def test_the_sweeps_of_the_page_print_what_the_page_shows(in_folder, capsys, k):
    (in_folder / "my_cells.py").write_text(next(block for block in blocks("python") if "def error_of" in block))
    toml, (command, _, output) = blocks("toml")[k], blocks("text")[k].partition("\n")
    Path(file := command.split()[-1]).write_text(toml)
    assert main(["sweep", file, "--workers", "0"]) == 0
    assert squeezed(capsys.readouterr().out) == squeezed(output)


# --- the picture ----------------------------------------------------------------------------------------------------


def by_rate(fmt, rate, rng):
    return {"died": "at step 1"} if fmt == "e5m2" and rate > 1 else {"accuracy": 1 / rate + rng / 10}


def test_an_axis_of_numbers_is_horizontal_with_a_line_for_each_combination_of_the_others():
    found = fs.sweeps.run(by_rate, {"fmt": ["bfloat16", "e5m2"], "rate": [4.0, 1.0, 2.0], "rng": [0, 1]})
    assert sweeps.numeric_axis(found) == "rate"
    assert [(line.label, [x for x, _ in line.points]) for line in sweeps.lines(found, "rate")] == [
        ("bfloat16", [1.0, 2.0, 4.0]), ("e5m2", [1.0, 2.0, 4.0])
    ]  # fmt: skip
    (ax,) = fs.plots.sweep_figure(found).axes
    means = [list(line.get_ydata()) for line in ax.lines if len(line.get_xdata()) == 3]
    assert means[0] == pytest.approx([1.05, 0.55, 0.3])
    crosses = [line for line in ax.lines if line.get_marker() == "X" and len(line.get_xdata())]
    assert [len(line.get_xdata()) for line in crosses] == [2]


def test_without_an_axis_of_three_numbers_each_combination_is_a_row():
    found = fs.sweeps.run(by_rate, {"fmt": ["bfloat16", "e5m2"], "rate": [1.0, 2.0], "rng": [0, 1]})
    assert sweeps.numeric_axis(found) is None
    (ax,) = fs.plots.sweep_figure(found).axes
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "bfloat16, rate 1", "bfloat16, rate 2", "e5m2, rate 1", "e5m2, rate 2"
    ]  # fmt: skip
    assert [text.get_text() for text in ax.texts] == ["2 of 2 died"]
