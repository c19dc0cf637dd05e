"""The benchmark: its table is whole, its ratios are those of the times, and the command prints what was measured."""

import json

import pytest
from matplotlib.figure import Figure

from fp16sim import bench
from fp16sim.bench import ROWS, Comparison, Measured, Missing, Pair, machine, measure, run
from fp16sim.cli import main
from fp16sim.plots import cost, cost_figure

TINY = 2.0**-18


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.work}, {row.rival}")
def test_each_row_runs_at_a_tiny_scale_or_says_why_not(row):
    measured = measure(row, scale=TINY, pairs=1, seconds=0.0)
    if measured.ratio is None:
        assert "not installed: pip install" in measured.note
        assert measured.met is None
    else:
        assert 0 < measured.low <= measured.ratio <= measured.high
        assert measured.met == (measured.ratio <= row.goal)


def test_the_table_has_every_row_that_was_promised():
    works = [row.work for row in ROWS]
    assert len(works) == len({(row.work, row.rival) for row in ROWS})
    goals = {row.goal for row in ROWS}
    assert {0.40, 0.04, 0.75, 2.2, 5.0, 3.0, 4.0, 1 / 40, 0.25, 0.60, 1.25, 0.35} <= goals
    for fragment in (
        "threads=2",
        "to_odd",
        "stochastic",
        "float64 input",
        "1,000 elements",
        "1024^3",
        "training",
        "exp",
    ):
        assert any(fragment in work for work in works), fragment


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
    row = Comparison("work", "rival", 1.0, lambda scale: Pair(work("ours"), work("theirs")))
    measured = measure(row, pairs=3)
    assert "".join(name[0] for name in calls) == "otottoot"
    assert measured.ratio == 1.25
    assert measured.low <= 1.25 <= measured.high
    assert not measured.met


def test_a_missing_rival_is_a_row_with_a_note():
    def make(scale):
        raise Missing("x is not installed: pip install x")

    assert measure(Comparison("work", "x", 2.0, make)) == Measured(
        "work", "x", 2.0, note="x is not installed: pip install x"
    )


def test_run_tells_its_progress_and_refuses_a_text_that_no_row_has():
    seen = []
    rows = tuple(Comparison(f"work {i}", "rival", 9.0, lambda scale: Pair(int, int, 100)) for i in range(3))
    assert len(run(quick=True, rows=rows, progress=lambda done, total: seen.append((done, total)))) == 3
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert [m.work for m in run(quick=True, rows=rows, only="work 1")] == ["work 1"]
    with pytest.raises(ValueError, match="only='nothing'"):
        run(rows=rows, only="nothing")


def test_the_machine_names_its_versions():
    facts = machine()
    assert set(facts["versions"]) == {"fp16sim", "numpy", "ml_dtypes", "gfloat", "pychop"}
    assert facts["processor"]
    assert facts["cores"] >= 1


def test_the_picture_draws_each_curve_on_logarithmic_scales():
    curves = {"a": [(1000, 9.0), (10**4, 2.0)], "b": [(1000, 5.0), (10**4, 4.0)]}
    ax = cost(curves, Figure().subplots())
    assert [line.get_label() for line in ax.lines] == ["a", "b"]
    assert list(ax.lines[0].get_ydata()) == [9.0, 2.0]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert isinstance(cost_figure(curves), Figure)


def test_the_command_prints_a_table_json_and_a_picture(tmp_path, capsys, monkeypatch):
    rows = (Comparison("quick work", "rival", 9.0, lambda scale: Pair(int, int, 100)), ROWS[-1])
    monkeypatch.setattr(bench, "SIZES", (10, 100))
    monkeypatch.setattr(bench.run, "__kwdefaults__", {**bench.run.__kwdefaults__, "rows": rows})
    assert main(["bench", "--quick", "--only", "quick"]) == 0
    printed = capsys.readouterr().out
    assert "quick work" in printed
    assert "met" in printed
    assert "numpy" in printed
    assert main(["bench", "--quick", "--only", "quick", "--json", "-o", str(tmp_path / "bench.png")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["rows"][0]["work"] == "quick work"
    assert found["rows"][0]["goal"] == 9.0
    assert set(found["curves"]) == {"round_to binary16", "round_to bfloat16", "NumPy's float16 round trip"}
    assert [n for n, _ in found["curves"]["round_to binary16"]] == [10, 100]
    assert (tmp_path / "bench.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "says"), [(["--only", "nothing"], "only='nothing'"), (["-o", "bench.gif"], "must end in .png")]
)
def test_a_mistake_is_one_line(arguments, says, capsys):
    assert main(["bench", *arguments]) == 2
    assert says in capsys.readouterr().err
