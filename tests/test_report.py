"""The report of runs: a page that is well-formed, complete in itself, true to the runs, and the same every time."""

import re
from dataclasses import fields, replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from fp16sim import get_format, report
from fp16sim.cli import main
from fp16sim.learn import RECIPES, Config, diagnose, get_config, survey, train
from fp16sim.learn.advise.costs import BYTES, OPERATIONS, Costs
from fp16sim.learn.observe.telemetry import Telemetry, TensorCounts
from fp16sim.learn.run.recipes import make_config
from fp16sim.learn.run.unused import unused
from fp16sim.learn.state import Share
from fp16sim.plots.style import LOOKS, THEMES, looks_of
from fp16sim.report.css import STYLE
from fp16sim.report.figures import sparkline, strip
from fp16sim.report.markup import Markup, join, tag
from fp16sim.report.microscope import loss_scale, window_lesson
from fp16sim.report.outcomes import verdict
from fp16sim.report.series import Arrival, Strip, columns, possible_shifts, stairs, strips, ticks, windows, zones
from fp16sim.report.svg import Axis, Line, chart, classes_of, looks
from fp16sim.report.tables import flat
from fp16sim.wording import percent

from .support import first

VOID = {"meta", "br", "link", "img", "input", "hr"}


@pytest.fixture(scope="module")
def runs():
    how = {"data": "digits", "layers": (8,), "batch": 256, "look_every": 2}
    dead = train("pure-binary16", epochs=1, **how)
    mixed = train("mixed-binary16", epochs=2, growth_interval=2, validation=0.1, **how)
    return [dead, mixed, train("bfloat16-plain", epochs=2, **how)]


@pytest.fixture(scope="module")
def page(runs):
    return report.html(runs)


class Reader(HTMLParser):
    """Checks that elements are closed in order, and remembers them."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.attributes, self.texts = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, name, attributes):
        assert len({key for key, _ in attributes}) == len(attributes), f"<{name}> has an attribute twice"
        self.attributes += [(name, *pair) for pair in attributes]
        self.ids += [value for key, value in attributes if key == "id"]
        if name not in VOID:
            self.open.append(name)

    def handle_endtag(self, name):
        assert self.open.pop() == name

    def handle_data(self, data):
        self.texts.append(data)


# --- the page -------------------------------------------------------------------------------------------------------


def test_the_page_is_well_formed_and_its_ids_differ(page):
    reader = Reader(page)
    assert page.startswith("<!doctype html>")
    assert not reader.open
    assert len(set(reader.ids)) == len(reader.ids)


def test_the_page_loads_nothing_and_links_only_into_itself(page):
    reader = Reader(page)
    for name, key, value in reader.attributes:
        assert name not in ("script", "link", "iframe", "img")
        assert key not in ("src", "onclick", "style")
        if key == "href":
            assert value.startswith("#")
            assert value[1:] in reader.ids
    assert not re.search(r"https?:|url\(|@import|@font-face|<script", page)


def test_the_page_is_the_same_for_the_same_runs_and_small(page, runs):
    assert report.html(runs) == page
    assert len(page.encode()) < 500_000


def test_each_run_is_there_with_its_numbers(page, runs):
    texts = "".join(Reader(page).texts)
    for history in runs:
        assert history.config.label in texts
        assert str(history.config.policy) in texts
    assert percent(runs[1].epochs[-1].test_accuracy) in texts
    assert f"{runs[1].epochs[-1].loss:.4f}" in texts


def test_a_death_is_told_with_its_first_cause_and_what_would_help(page, runs):
    texts = "".join(Reader(page).texts)
    assert "pure-binary16 died at step 1." in texts
    assert runs[0].death.reason in texts
    assert runs[0].death.tensor in texts
    assert "--epsilon 0.0001" in texts


def test_every_figure_has_words_for_those_who_cannot_see_it(page):
    drawings = re.findall(r"<svg [^>]*>", page)
    told = [d for d in drawings if 'role="img"' in d]
    assert len(told) > 20
    assert all(re.search(r'aria-label="[^"]{10,}"', d) for d in told)
    inner = [d for d in drawings if "preserveAspectRatio" in d]
    assert len(told) + len(inner) + sum('aria-hidden="true"' in d for d in drawings) == len(drawings)


def test_text_from_outside_is_escaped(runs):
    evil = replace(runs[1], config=replace(runs[1].config, recipe='<b>"&</b>'))
    page = report.html([evil])
    assert "<b>" not in page
    assert "&lt;b&gt;&quot;&amp;&lt;/b&gt;" in page
    Reader(page)


def test_a_single_run_and_a_run_without_examined_steps_have_reports(runs):
    blind = replace(runs[2], telemetry=Telemetry())
    assert "No step of this run was examined" in report.html([blind])
    assert "No problem found" not in report.html([blind])
    assert "classifies" in verdict([blind])


def test_a_number_that_was_not_measured_is_a_dash_and_a_gap(runs):
    mixed = runs[1]
    first, second = mixed.epochs
    unseen = replace(mixed, epochs=(replace(first, lost_gradients=Share()), replace(second, lost_gradients=Share())))
    cells = dict(re.findall(r'data-label="([^"]*)"[^>]*>([^<]*)<', report.html([unseen])))
    assert cells["gradients that became 0 (underflow)"] == "-"
    third = replace(first, number=3)
    line = Line(0, "run", [(1, 0.5), (2, float("nan")), (3, 0.5)])
    assert chart("", Axis.counting(3), Axis.spanning([0.5], str), [line], "said").count("M") == 2
    assert report.html([replace(mixed, epochs=(first, unseen.epochs[1], third))])


def test_a_loss_that_is_not_finite_does_not_hide_the_accuracy(runs):
    last = replace(runs[1].epochs[-1], loss=float("nan"))
    cells = dict(re.findall(r'data-label="([^"]*)"[^>]*>([^<]*)<', report.html([replace(runs[1], epochs=(last,))])))
    assert cells["loss"] == "not finite"
    assert cells["test accuracy (95 % interval)"].startswith(percent(last.test_accuracy))


def test_no_problem_is_said_with_the_number_of_steps_that_were_examined(runs):
    assert diagnose(runs[1]) == ()
    assert "No problem found on 6 examined steps of 12." in report.html([runs[1]])


def test_strips_of_tensors_that_are_all_zero_show_no_share():
    zeros = Strip("w", "become 0", (1, 8), (Share(), Share()))
    assert zeros.largest is None
    assert ">-<" in strip(zeros)
    assert "no nonzero number" in strip(zeros)
    assert ">-<" in sparkline(Arrival("w", (1, 8), (None, None)), 0.1)


def test_a_run_without_validation_has_no_validation_curve(runs):
    assert "Validation accuracy" in report.html(runs[1:])
    assert "; bfloat16-plain has no value." in report.html(runs[1:])
    assert "Validation accuracy" not in report.html([runs[2], runs[0]])


def test_no_runs_are_refused():
    with pytest.raises(ValueError, match="histories is empty"):
        report.html([])


def test_every_count_of_a_step_has_a_name_in_tables():
    counts = {field.name for field in fields(Costs)} - {"recipe", "parameters"}
    assert BYTES.keys() | OPERATIONS.keys() == counts | {"bytes_in_memory"}


def test_the_reading_order_of_the_report_names_each_of_its_files():
    named = re.findall(r"`(\w+)`", report.__doc__)
    assert sorted(named) == sorted(path.stem for path in Path(report.__file__).parent.glob("[!_]*.py"))


def test_a_run_has_the_colour_that_its_format_has_in_pictures(runs):
    light, dark = (dict(re.findall(r"--(\w+):(#\w+)", part)) for part in STYLE.split("@media", 1))
    for theme, colours in (("light", light), ("dark", dark)):
        assert [colours[f"run{k}"] for k in range(6)] == [THEMES[theme][look.hue] for look in LOOKS]
    assert looks(["bfloat16", "binary16", "mine"]) == [1, 0, 4]
    assert [LOOKS.index(look) for look in looks_of(["bfloat16", "binary16", "mine"])] == [1, 0, 4]
    named = [replace(runs[1], config=Config(fmt)) for fmt in ("bfloat16", "binary16")]
    assert 'class="c1 d1"' in report.html(named).split('aria-label="runs"')[1][:300]


def test_runs_that_died_at_the_same_step_are_named_together(runs):
    other = replace(runs[0], config=replace(runs[0].config, recipe="second-one"))
    text = "".join(Reader(report.html([runs[0], other])).texts)
    assert "pure-binary16 and second-one died at step 1." in text


def test_36_runs_differ_by_colour_or_dashes():
    assert len({classes_of(k) for k in range(36)}) == 36


# --- data of figures ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["binary16", "bfloat16", "e4m3fn", "e5m2"])
@pytest.mark.parametrize("subnormals", ["gradual", "flush_to_zero", "flush_to_nearest", "flush_inputs"])
def test_zones_are_where_the_format_sends_the_middle_of_each_binade(name, subnormals):
    fmt = replace(get_format(name), subnormals=subnormals)
    for e in range(fmt.quantum_exponent_min - 4, fmt.emax + 4):
        fate = survey([1.25 * 2.0**e], fmt).fate()
        expected = ("zero", "subnormal", "normal", "overflow")[tuple(fate).index(1)]
        assert [zone.name for zone in zones(fmt) if zone.low <= e < zone.high] == [expected]


def test_a_window_has_one_format_and_shows_every_number(runs):
    seen = [(w.kind, row.name) for kind in KINDS for w in windows(runs[1], kind) for row in w.rows]
    assert sorted(seen) == sorted(runs[1].telemetry.surveys)
    for kind in KINDS:
        for w in windows(runs[1], kind):
            for row in w.rows:
                assert row.seen.fmt == w.fmt
                assert all(w.low <= e + shift < w.high for e in row.heights() for shift in (0, w.shift))
                assert len(row.heights()) == sum(n > 0 for n in row.seen.exponents.values())


KINDS = ("activation gradient", "product cotangent", "weight gradient", "activation", "step", "weight")


def test_the_marked_loss_scale_loses_the_fewest_gradients_of_all_that_the_loss_holds(runs):
    (window,) = windows(runs[0], "activation gradient")
    gradients = [s for (kind, _), s in runs[0].telemetry.surveys.items() if "gradient" in kind]
    lost = {k: sum(s.fate(k).lost for s in gradients) for k in possible_shifts(runs[0])}
    assert max(lost) == 15  # binary16 holds 2^15, and not 2^16
    assert lost[window.shift] == min(lost.values())
    assert windows(runs[0], "activation gradient", 3)[0].shift == 3
    assert windows(runs[0], "weight", 3)[0].shift == 0
    assert "dashed" in window_lesson(windows(runs[0], "activation gradient", 3)[0], 1.0)


def test_shares_over_steps_are_those_of_the_rows():
    rows = [TensorCounts(step, "step", "w", 10, 2, 1, 4, 1, 0, absorbed=3) for step in (1, 51)]
    telemetry = Telemetry(rows)
    (lost,) = strips(telemetry, "step", "become 0")
    (absorbed,) = strips(telemetry, "step", "without effect")
    assert lost == Strip("w", "become 0", (1, 51), (Share(4, 8), Share(4, 8)))
    assert absorbed.shares[0] == Share(3, 8)
    assert strips(telemetry, "step", "were 0 before")[0].shares[0] == Share(2, 10)


def test_a_long_strip_is_drawn_in_few_columns_that_lose_no_count():
    shares = [Share(k % 7, 7) for k in range(97)]
    kept = columns(shares, 48)
    assert len(kept) <= 48
    assert sum(kept, Share()) == sum(shares, Share())
    assert len(strip(Strip("w", "without effect", tuple(range(97)), tuple(shares)))) < 3000


def test_the_loss_scale_is_drawn_with_the_steps_that_were_skipped(runs):
    changed = Telemetry(scales=[(1, 65536.0), (4, 32768.0)], skipped=[3, 9])
    history = replace(runs[1], telemetry=changed, steps=12)
    assert stairs(history) == [(1, 65536.0), (4, 32768.0), (12, 32768.0)]
    drawn = loss_scale(history)
    assert drawn.count("#cross") == 2
    assert "2 steps skipped: 3, 9" in drawn
    assert "in every step" in loss_scale(replace(history, telemetry=Telemetry(scales=[(1, 8.0)])))


def test_ticks_are_round_and_inside():
    assert ticks(0.93, 1.0) == [0.94, 0.96, 0.98, 1.0]
    assert ticks(0, 1e-7)[-1] == pytest.approx(1e-7)
    assert list(Axis.counting(135).at) == [1, 50, 100]
    assert list(Axis.counting(1).at) == [1]
    assert Axis.spanning([0.5], str).low < 0.5 < Axis.spanning([0.5], str).high


# --- markup, commands ----------------------------------------------------------------------------------------


def test_markup_is_kept_and_text_is_escaped():
    assert join("<", Markup("<br>"), None, ["&"]) == "&lt;<br>&amp;"
    assert tag("a", title='"<', hidden=True, id=None) == '<a title="&quot;&lt;" hidden></a>'


CHANGES = (
    {},
    {"epsilon": 1e-4, "lr": 0.123456789},
    {"loss_scale": 128.0, "unscale": False},
    {"loss_scale": "dynamic", "unscale": True},
    {"update": "kahan", "layers": (16, 8), "bias_correction": False},
    {"accumulator": "pairwise:binary32", "epochs": 3},
    {"policy": "compute=bfloat16 master=binary32"},
)


@pytest.mark.parametrize("change", first(2, [*CHANGES[1:], {}]), ids=str)
@pytest.mark.parametrize("data", ["digits", "mnist"])
def test_the_command_that_is_shown_runs_the_configuration_that_is_meant(change, data, monkeypatch):
    configs = [get_config(name, data=data, model=model) for name in RECIPES for model in ("mlp", "cnn")]
    for config in [*configs, Config("binary16", data=data)]:
        wanted = make_config(config, **change)
        with_effect = {name: value for name, value in change.items() if name not in unused(wanted)}
        (parsed,) = parse(report.command(config, **with_effect), monkeypatch)
        apart = dict.fromkeys(unused(wanted), "no effect") | {"recipe": ""}
        assert {**flat(parsed), **apart} == {**flat(wanted), **apart}
        assert set(unused(parsed)) == set(unused(wanted))


def parse(command, monkeypatch):
    """The configurations that the command line would train."""
    import shlex

    from fp16sim.cli import train as module

    found = []
    monkeypatch.setattr(module, "run", lambda options: found.extend(module.configs(options)))
    assert main(shlex.split(command)[1:]) == 0
    return found
