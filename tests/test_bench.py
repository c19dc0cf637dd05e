"""The benchmark: its table is whole, its ratios are those of the times, and the command prints and keeps them."""

import json
import re
import time
from dataclasses import replace

import pytest
from matplotlib.figure import Figure

from fp16sim import bench
from fp16sim.bench import (
    GROUPS,
    ROWS,
    Comparison,
    Measured,
    Missing,
    Pair,
    alone,
    history,
    machine,
    measure,
    run,
    select,
)
from fp16sim.cli import main
from fp16sim.plots import cost, cost_figure

TINY = 2.0**-18
SLOW = ("harmonic-array", "harmonic-add", "mlp", "cnn", "cnn-rounded", "show")
"""Rows that take as long at any scale."""


def row(name="quick", group="numbers", make=lambda scale: Pair.of(int, int)):
    return Comparison(group, name, f"work {name}", "rival", 9.0, "What it means.", make)


def measured(name="quick", ratio=1.0, low=0.9, high=1.1):
    return Measured("numbers", name, f"work {name}", "rival", 9.0, ratio, low, high, 0.002, 0.002)


def a_run(*rows, quick=True, time="2026-01-02T03:04:05+00:00"):
    return history.Run(time, quick, machine(), rows)


@pytest.fixture(autouse=True)
def own_history(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setattr(history, "cache_folder", lambda: folder)


# --- the table ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "row",
    [pytest.param(row, id=row.name, marks=[pytest.mark.exhaustive] if row.name in SLOW else []) for row in ROWS],
)
def test_each_row_runs_at_a_tiny_scale_or_says_why_not(row):
    measured = measure(row, scale=TINY, pairs=1, seconds=0.0)
    if measured.ratio is None:
        assert measured.note.startswith("pip install")
        assert measured.met is None
    else:
        assert 0 < measured.low <= measured.ratio <= measured.high
        assert measured.met == (measured.ratio <= row.goal)


def test_the_table_has_every_row_that_was_promised_and_each_has_a_name_a_group_and_a_meaning():
    assert len({row.name for row in ROWS}) == len({(row.work, row.rival) for row in ROWS}) == len(ROWS)
    assert list(dict.fromkeys(row.group for row in ROWS)) == list(GROUPS)
    assert not GROUPS.keys() & {row.name for row in ROWS}
    for row in ROWS:
        assert len(row.name) <= 17, "80 columns"
        assert len(row.rival) <= 17, "80 columns"
        assert row.meaning.endswith(".")
    goals = {row.name: row.goal for row in ROWS}
    promised = {"round-number": 0.35, "add-numbers": 0.8, "array-plus": 25, "array-times": 30, "exact-dyadic": 10}
    promised |= {"exact-fractions": 12, "harmonic-array": 15, "harmonic-add": 15, "add-100": 4, "norm": 1.6}
    promised |= {"dot": 1.6, "cumsum": 1.6, "sum-bfloat16": 8, "cumsum-bfloat16": 12, "cumsum-blocked": 2}
    promised |= {"cumsum-exact": 2, "cumsum-kahan": 20, "round-bfloat16": 0.95, "round-1000": 2, "mlp": 4.3}
    promised |= {"cnn": 2.0, "cnn-rounded": 1.4, "import": 1.15, "show": 1.6, "round-binary16": 0.4}
    assert promised.items() <= goals.items()
    assert {"cumsum-pairwise", "tensor-volta", "tensor-hopper", "add-10000", "threads-binary16"} <= goals.keys()


def test_rows_are_chosen_by_group_by_name_or_by_a_text():
    names = lambda only: [row.name for row in select(only)]  # noqa: E731
    assert names("start") == ["import", "show"]
    assert names("norm") == ["norm"], "and not normal(0, 1)"
    assert names(["show", "cumsum-kahan"]) == ["cumsum-kahan", "show"]
    assert names("1,000 elements") == ["round-1000"]
    assert select() == select("") == list(ROWS)
    with pytest.raises(ValueError, match=r"only='cumsum-khan' is in no row; did you mean 'cumsum-kahan'\?"):
        select("cumsum-khan")


# --- measuring ------------------------------------------------------------------------------------------------------


def test_the_ratio_is_the_median_of_the_ratios_of_pairs(monkeypatch):
    calls, seconds = [], iter([2.0, 4.0, 2.0, 3.0, 5.0, 4.0])  # A B, B A, A B: ratios 0.5, 1.5, 1.25
    now = [0.0]

    def work(name):
        def call():
            calls.append(name)
            if len(calls) > 2:  # the first two are not measured
                now[0] += next(seconds)

        return call

    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    found = measure(row(make=lambda scale: Pair.of(work("ours"), work("theirs"))), pairs=3)
    assert "".join(name[0] for name in calls) == "otottoot"
    assert found.ratio == 1.25
    assert found.low <= 1.25 <= found.high
    assert (found.ours, found.theirs) == (3.0, 4.0)
    assert found.met


def test_a_missing_rival_is_a_row_with_a_note():
    def make(scale):
        raise Missing("pip install x")

    assert measure(row(make=make)) == Measured("numbers", "quick", "work quick", "rival", 9.0, note="pip install x")


def test_a_process_that_fails_is_a_row_with_its_reason():
    sides = lambda scale: Pair(alone.alone("cnn_step", "nothing"), int)  # noqa: E731
    assert "cannot import name 'nothing'" in measure(row(make=sides)).note


@pytest.mark.exhaustive
def test_work_in_a_process_of_its_own_is_timed_there():
    start = time.perf_counter()
    seconds = alone.alone("cnn_step", "ours")()
    assert 0 < seconds < (time.perf_counter() - start) / alone.STEPS


def test_run_measures_the_chosen_rows_in_order():
    rows = tuple(row(f"row-{i}") for i in range(3))
    assert [m.name for m in run(quick=True, rows=rows)] == ["row-0", "row-1", "row-2"]
    assert [m.name for m in run(quick=True, rows=rows, only="row-1")] == ["row-1"]


def test_the_machine_names_its_versions():
    facts = machine()
    assert set(facts["versions"]) == {"fp16sim", "numpy", "ml_dtypes", "gfloat", "pychop", "torch", "torchao"}
    assert facts["versions"]["fp16sim"]
    assert facts["processor"]
    assert facts["cores"] >= 1


def test_the_picture_draws_each_curve_on_logarithmic_scales():
    curves = {"a": [(1000, 9.0), (10**4, 2.0)], "b": [(1000, 5.0), (10**4, 4.0)]}
    ax = cost(curves, Figure().subplots())
    assert [line.get_label() for line in ax.lines] == ["a", "b"]
    assert list(ax.lines[0].get_ydata()) == [9.0, 2.0]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert isinstance(cost_figure(curves), Figure)


# --- the history ----------------------------------------------------------------------------------------------------


def test_a_change_beyond_noise_has_quartiles_apart_and_more_than_a_tenth_between():
    def beyond(*now):
        (change,) = history.changes([measured()], [measured("quick", *now)])
        return change.beyond_noise

    assert beyond(1.5, 1.2, 1.6)
    assert not beyond(1.5, 1.05, 1.6), "the quartiles overlap"
    assert beyond(0.7, 0.6, 0.85)
    (small,) = history.changes([measured("quick", 1.0, 0.99, 1.01)], [measured("quick", 1.05, 1.04, 1.06)])
    assert not small.beyond_noise, "5 % are less than a tenth"
    assert history.changes([measured("old")], [measured("new")]) == []
    assert history.changes([replace(measured(), ratio=None)], [measured()]) == []


def test_a_run_is_kept_and_read_again_and_never_replaced(tmp_path):
    kept = a_run(measured(), Measured("numbers", "missing", "w", "r", 1.0, note="pip install x"))
    first, second = history.save(kept), history.save(kept)
    assert first != second
    assert history.load(first) == history.load(second) == kept
    assert history.save(kept, tmp_path / "mine.json") == tmp_path / "mine.json"
    assert history.latest(quick=True) == second or history.latest(quick=True) == first
    with pytest.raises(ValueError, match="no earlier file of a run"):
        history.latest(quick=False)


def without(key):
    return lambda data: {name: value for name, value in data.items() if name != key}


def with_first_row(**changes):
    return lambda data: data | {"rows": [data["rows"][0] | changes]}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (without("kind"), "of another kind, or of an older version"),
        (without("machine"), "it has no 'machine'"),
        (with_first_row(name=3), "another form"),
        (with_first_row(ratio="1"), "another form"),
        (with_first_row(ratio=None), "another form"),
        (with_first_row(low=0.0), "another form"),
        (with_first_row(ratio=1e308, high=1e308), "another form"),
        (with_first_row(ratio=5e-324), "another form"),
        (lambda data: data | {"rows": data["rows"] * 2}, "a row twice"),
        (lambda data: [data], "another form"),
        (lambda data: data | {"rows": 5}, "another form"),
        (lambda data: data | {"quick": "yes"}, "another form"),
    ],
)
def test_an_old_or_foreign_file_is_refused_in_one_line(change, says, tmp_path, capsys):
    path = tmp_path / "old.json"
    path.write_text(json.dumps(change(a_run(measured()).to_dict())))
    assert main(["bench", "--quick", "--compare", str(path)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert says in printed.err
    assert "fp16sim bench --save" in printed.err


@pytest.mark.parametrize("text", ["", "{", "[" * 10**5, "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")])
def test_what_is_not_json_is_refused_in_one_line(text, tmp_path, capsys):
    (tmp_path / "x.json").write_text(text)
    assert main(["bench", "--compare", str(tmp_path / "x.json")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


# --- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def few_rows(monkeypatch):
    """A table of two rows that take no time, and one whose rival is missing."""

    def missing(scale):
        raise Missing("pip install x")

    rows = (row("quick"), row("other", "start"), row("missing", "start", missing))
    monkeypatch.setattr(bench, "SIZES", (10, 100))
    monkeypatch.setattr(bench, "select", lambda only: select(only, rows))
    return rows


def test_the_command_prints_a_table_and_keeps_the_run(few_rows, capsys):
    assert main(["bench", "--quick"]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"^single numbers\nquick +rival +\S+ \S+ ", printed, re.MULTILINE)
    assert "missing  rival  not measured: pip install x\n" in printed
    assert "This was a quick run" in printed
    assert max(map(len, printed.split("kept in")[0].splitlines())) <= 80
    (kept,) = history.folder().iterdir()
    assert f"kept in: {kept}" in printed
    assert [row.name for row in history.load(kept).rows] == ["quick", "other", "missing"]


def test_the_command_prints_json_that_it_can_compare_and_draws_a_picture(few_rows, tmp_path, capsys):
    assert main(["bench", "--quick", "--only", "quick", "--json", "-o", str(tmp_path / "bench.png")]) == 0
    text = capsys.readouterr().out
    found = json.loads(text)
    assert [row["name"] for row in found["rows"]] == ["quick"]
    assert found["rows"][0]["goal"] == 9.0
    assert set(found["curves"]) == {"round_to binary16", "round_to bfloat16", "NumPy's float16 round trip"}
    assert [n for n, _ in found["curves"]["round_to binary16"]] == [10, 100]
    assert (tmp_path / "bench.png").read_bytes().startswith(b"\x89PNG")
    (tmp_path / "x.json").write_text(text)
    assert history.load(tmp_path / "x.json").rows[0].name == "quick"


def test_the_command_compares_with_the_run_before_with_a_file_and_two_files(few_rows, tmp_path, capsys):
    old = history.save(a_run(measured("quick", 100.0, 99.0, 101.0), measured("gone")), tmp_path / "old.json")
    assert main(["bench", "--quick", "--compare", str(old), "--save", str(tmp_path / "new.json")]) == 0
    printed = capsys.readouterr().out
    assert "changed since 2026-01-02T03:04:05+00:00, beyond noise" in printed
    assert re.search(r"quick +100 +\S+ +-\d+% +2 ms +\S+ ", printed)
    assert "more than 10%" in " ".join(printed.split())
    assert main(["bench", "--compare", str(old), str(tmp_path / "new.json"), "--json"]) == 0
    (change,) = json.loads(capsys.readouterr().out)["changes"]
    assert change["name"] == "quick"
    assert change["beyond_noise"]
    assert main(["bench", "--quick"]) == 0
    assert main(["bench", "--quick", "--compare"]) == 0
    assert "changed since" in capsys.readouterr().out


def test_what_was_measured_before_an_interruption_is_printed_and_kept(few_rows, monkeypatch, capsys):
    def interrupted(rows, *, quick):
        yield measured()
        raise KeyboardInterrupt

    monkeypatch.setattr(bench, "measurements", interrupted)
    assert main(["bench", "--quick"]) == 130
    printed = capsys.readouterr()
    assert "quick" in printed.out
    assert "1 of 3 rows were measured; they are printed" in printed.err
    assert [row.name for row in history.load(history.latest(quick=True)).rows] == ["quick"]


def test_a_history_that_cannot_be_written_is_a_line_and_not_the_end(few_rows, monkeypatch, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(history, "cache_folder", lambda: tmp_path / "file")
    assert main(["bench", "--quick"]) == 0
    printed = capsys.readouterr()
    assert "quick" in printed.out
    assert printed.err.startswith("fp16sim bench: this run is not kept in the history")


def test_the_meaning_of_rows_is_printed_without_measuring(capsys):
    assert main(["bench", "--explain", "cumsum-kahan", "start"]) == 0
    printed = capsys.readouterr().out
    assert "cumsum-kahan: cumsum of 100,000 numbers, kahan\n  Compared with fs.cumsum; goal 20. All partial" in printed
    assert max(map(len, printed.splitlines())) <= 80
    assert main(["bench", "--explain", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == len(ROWS)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--only", "nothing"], "only='nothing'"),
        (["-o", "bench.gif"], "must end in .png"),
        (["--save", "bench.txt"], "must end in .json"),
        (["--compare", "no-such.json"], "No such file"),
        (["--compare"], "no earlier file of a run"),
        (["--compare", "a", "b", "c"], "3 files are too many"),
        (["--compare", "a", "b", "--only", "sums"], "--only has no effect"),
        (["--explain", "sums", "--save", "x.json"], "--save has no effect"),
        (["--only", ""], "only=''"),
    ],
)
def test_a_mistake_is_one_line(arguments, says, capsys):
    assert main(["bench", *arguments]) == 2
    printed = capsys.readouterr().err
    assert says in printed
    assert printed.count("\n") == 1


def test_a_quick_run_is_not_compared_with_a_whole_one(tmp_path, capsys):
    path = history.save(a_run(measured(), quick=True), tmp_path / "quick.json")
    assert main(["bench", "--compare", str(path)]) == 2
    assert "measure with --quick" in capsys.readouterr().err


def test_rows_within_noise_are_counted_and_what_else_differs_is_named(tmp_path, capsys):
    old = a_run(measured("same"), measured("slower", 1.0, 0.9, 1.1), measured("gone"))
    old.machine["versions"] = {"numpy": "1.0", "torch": None}
    new = a_run(measured("same"), measured("slower", 3.0, 2.9, 3.1), replace(measured("missing"), ratio=None))
    new.machine["versions"] = {"numpy": "1.0", "torch": "2.0"}
    files = [history.save(run, tmp_path / f"{i}.json") for i, run in enumerate((old, new))]
    assert main(["bench", "--compare", *map(str, files)]) == 2, "numbers are there, but no ratio"
    capsys.readouterr()
    files[1] = history.save(replace(new, rows=new.rows[:2]), files[1])
    assert main(["bench", "--compare", *map(str, files)]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "slower 1 3 +200% 2 ms 2 ms" in printed
    assert "same" not in printed.split("within noise")[0]
    assert "1 row within noise, 1 measured in one run only." in printed
    assert "differ in this, which can change ratios: torch not installed -> 2.0." in printed
