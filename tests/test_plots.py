"""Pictures: their data, their parts, and that the same run gives the same bytes."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from fp16sim.learn import Config, load_digits, train
from fp16sim.learn.chance import Answers
from fp16sim.learn.state import Share
from fp16sim.plots import training, training_figure
from fp16sim.plots.runs import MEASURES, curve, lesson
from fp16sim.plots.style import LOOKS, THEMES, save


@pytest.fixture(scope="module")
def runs():
    digits = load_digits()
    live = [train(Config(fmt, epochs=2, layers=(8,)), digits) for fmt in ("binary16", "bfloat16")]
    return [*live, train(Config("binary16", epsilon=0, loss_scale=1), digits)]


@pytest.mark.parametrize("measure", MEASURES)
def test_a_panel_draws_the_numbers_of_each_run_and_names_them(runs, measure):
    ax = training(runs, measure, Figure().subplots())
    lines = {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}
    numbers, values = curve(runs[1], measure)
    assert list(lines["bfloat16"].get_xdata()) == numbers == [1, 2]
    np.testing.assert_array_equal(lines["bfloat16"].get_ydata(), values)
    assert ax.get_title(loc="left")
    assert ax.get_xlabel()
    assert ax.get_ylabel()


def test_an_epoch_that_was_not_measured_is_a_gap_and_not_a_zero(runs):
    first, second = runs[0].epochs
    unseen = replace(runs[0], epochs=(first, replace(second, lost_gradients=Share())))
    ax = training([unseen], "lost", Figure().subplots())
    (line,) = ax.lines
    np.testing.assert_array_equal(line.get_ydata(), [100 * first.lost_gradients.value, np.nan])
    assert line.get_markevery() == 1
    assert not ax.texts
    never = replace(unseen, epochs=(replace(first, lost_gradients=Share()),))
    assert training([never], "lost", Figure().subplots()).texts[0].get_text() == "not measured"


def test_the_epoch_in_which_a_run_died_is_a_cross_on_the_axis_and_no_point(runs):
    (line, cross) = training(runs[2:], "accuracy", Figure().subplots()).lines
    assert not len(line.get_ydata())
    assert (cross.get_marker(), list(cross.get_xdata()), list(cross.get_ydata())) == ("X", [1], [0])


def test_series_differ_by_more_than_colour():
    assert len({look.marker for look in LOOKS}) == len({look.color for look in LOOKS}) == len(LOOKS)


def test_the_title_says_what_happened(runs):
    assert lesson(runs) == "Died: binary16 at step 1"
    assert "test accuracy" in lesson(runs[:2])


def test_the_title_calls_no_difference_one_and_the_settings_stand_below(runs):
    def with_wrong(history, n):
        answers = Answers(359, tuple(range(n)))
        last = replace(history.epochs[-1], test_accuracy=answers.accuracy)
        return replace(history, answers=answers, epochs=(last,))

    assert lesson([with_wrong(runs[0], 6), with_wrong(runs[1], 4)]).endswith(
        "test accuracy 98.3% to 98.9%, a difference within chance"
    )
    assert "chance" not in lesson([with_wrong(runs[0], 6), with_wrong(runs[1], 40)])
    figure = training_figure(runs[:2])
    assert figure.get_supxlabel().startswith("Settings of all runs: optimizer adam, lr 0.01")
    other = replace(runs[1], config=replace(runs[1].config, lr=0.5))
    note = training_figure([runs[0], other]).get_supxlabel()
    assert note.replace("\n", " ").endswith("layers 8. They differ in lr.")


@pytest.mark.parametrize("size", [(15, 5.8), (10, 5), (7.5, 12)])
def test_title_and_settings_are_inside_a_picture_of_any_size_and_theme(runs, size):
    figure = training_figure(runs, theme="dark", size=size)
    FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    assert to_rgb(figure.get_facecolor()) == to_rgb(THEMES["dark"]["paper"])
    for text in figure.texts:
        box = text.get_window_extent()
        assert 0 <= box.x0 <= box.x1 <= figure.bbox.width


def test_an_unknown_measure_is_refused(runs):
    with pytest.raises(ValueError, match="measure='speed' is unknown"):
        training(runs, "speed")


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_a_picture_is_byte_stable_and_leaves_no_other_file(runs, tmp_path, kind):
    for name in ("a", "b"):
        save(training_figure(runs), tmp_path / f"{name}.{kind}")
    assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


def test_another_kind_of_file_is_refused(runs, tmp_path):
    with pytest.raises(ValueError, match=r"\.gif"):
        save(training_figure(runs), tmp_path / "a.gif")


def test_the_name_of_a_run_is_text_and_no_formula(runs, tmp_path):
    name = "a$b^$ \x1b[31m%s{x}"
    named = [replace(run, config=replace(run.config, recipe=f"{name}{k}")) for k, run in enumerate(runs)]
    save(training_figure(named), tmp_path / "a.svg")
    labels = training(named, "accuracy", Figure().subplots()).get_legend_handles_labels()[1]
    assert labels[0] == r"a\$b^\$ \x1b[31m%s{x}0"
