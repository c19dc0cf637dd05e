"""Every picture as a reader meets it: its lesson, labels, series told apart, no text cut off; files; commands."""

import inspect
import itertools
import json
import re
import subprocess
import sys
import warnings
from importlib import resources

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import rgb_to_hsv, to_rgb
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.legend import Legend
from matplotlib.text import Text

import fp16sim as fs
from fp16sim import demos, plots
from fp16sim.cli import main
from fp16sim.plots.gallery import PICTURES, figure_of, find, write
from fp16sim.plots.labels import Name, name_beside
from fp16sim.plots.style import DPI, FORMAT_LOOKS, LOOKS, SIZE, THEMES, folded, styled, typeset

from .support import first

NAMES = list(PICTURES)


def test_what_plots_exports_are_the_registered_pictures_and_the_functions_around_them():
    others = {"PICTURES", "Picture", "find", "figure_of", "write", "write_all", "write_sheet", "save"}
    runs = {"training", "training_figure", "cost", "cost_figure", "window", "trace", "trace_figure"}
    runs |= {"sweep", "sweep_figure", "paper_figure"}
    assert set(plots.__all__) == set(NAMES) | others | runs
    assert all(getattr(plots, name) is picture.draw for name, picture in PICTURES.items())


@pytest.mark.parametrize("name", NAMES)
def test_the_help_of_a_picture_names_every_parameter_and_what_computes_its_data(name):
    lines = inspect.getdoc(PICTURES[name].draw).splitlines()
    documented = [line.split(" : ")[0] for line in lines if " : " in line and not line.startswith(" ")]
    assert documented == [*PICTURES[name].options, "ax", "data"]
    assert any(f"`fp16sim.demos.{name}`" in line for line in lines)
    assert callable(getattr(demos, name))
    assert not any("|" in line for line in lines[1:])


def test_lessons_fit_a_line_of_80_columns_in_any_encoding():
    width = max(map(len, NAMES)) + 2
    for name, picture in PICTURES.items():
        assert picture.lesson.isascii(), name
        assert width + len(picture.lesson) <= 80, name


def series_of(ax):
    """(colour, everything else that tells a series from others) of each labelled series."""
    for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
        part = handle[0] if hasattr(handle, "patches") else handle
        if hasattr(part, "get_marker"):
            yield label, part.get_color(), (part.get_marker(), part.get_linestyle(), part.get_fillstyle())
        else:
            yield label, part.get_facecolor(), (part.get_hatch(),)


def check_words(ax, name):
    """The lesson as title, and both axes labelled."""
    assert " ".join(ax.get_title(loc="left").split()) == " ".join(typeset(PICTURES[name].lesson).split())
    assert ax.get_xlabel()
    assert ax.get_ylabel()


def check_series(ax):
    """Series are told apart by more than colour."""
    series = list(series_of(ax))
    assert len({label for label, _, _ in series}) == len(series)
    shapes = [shape for _, _, shape in series]
    assert len(set(shapes)) == len(shapes), shapes


def check_text(figure):
    """Text is large enough to read at a third of the size (12 pixels), and within the figure."""
    renderer, frame = figure.canvas.get_renderer(), figure.bbox.padded(1)
    ticks = [text for ax in figure.axes for text in (*ax.get_xticklabels(), *ax.get_yticklabels())]  # may be off scale
    for text in figure.findobj(Text):
        box = text.get_window_extent(renderer)
        if text.get_visible() and text.get_text().strip() and text not in ticks:
            assert text.get_fontsize() * DPI / 72 / 3 >= 12, text
            inside = frame.x0 <= box.x0 <= box.x1 <= frame.x1 and frame.y0 <= box.y0 <= box.y1 <= frame.y1
            assert inside, f"{text.get_text()!r} at {box} leaves {figure.bbox}"


def check_notes(figure):
    """Notes, title and legend do not cover each other."""
    renderer, ax = figure.canvas.get_renderer(), figure.axes[0]
    title = next(text for text in ax.findobj(Text) if text.get_text() == ax.get_title(loc="left"))
    parts = [part for part in [title, *ax.texts, ax.get_legend()] if part is not None]
    extent = {True: Text.get_window_extent, False: Legend.get_window_extent}  # of a note without its arrow
    boxes = [extent[isinstance(part, Text)](part, renderer).padded(-2) for part in parts]
    for k, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[k + 1 :]), parts[k]


def contrast(one, other):
    """The contrast of two colours, as WCAG 2.2 defines it: 4.5 or more is easy to read."""

    def luminance(color):
        parts = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color))
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def check_contrast(figure, theme):
    """Every text stands out from the paper."""
    for text in figure.findobj(Text):
        if text.get_text().strip():
            assert contrast(text.get_color(), THEMES[theme]["paper"]) >= 4.5, text


@pytest.mark.parametrize("theme", first(1, list(THEMES)))
@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_a_slide_on_the_axes_that_it_is_given(name, theme):
    with styled(theme):
        figure = Figure(figsize=SIZE, layout="constrained")
        FigureCanvasAgg(figure)
        ax = figure.subplots()
        assert PICTURES[name].draw(ax=ax) is ax
        figure.draw_without_rendering()
        check_words(ax, name)
        check_series(ax)
        check_text(figure)
        check_notes(figure)
        check_contrast(figure, theme)


def test_a_picture_without_axes_is_made_on_a_new_figure_and_leaves_the_settings_alone():
    before = dict(matplotlib.rcParams)
    backend = matplotlib.get_backend()
    matplotlib.use("agg")
    try:
        ax = plots.ulp()
        assert ax.figure.get_axes() == [ax]
        assert all(matplotlib.rcParams[k] == before[k] for k in before if "backend" not in k)
    finally:
        import matplotlib.pyplot as plt

        plt.close("all")
        matplotlib.use(backend)


def test_what_is_drawn_are_the_numbers_of_the_demo():
    data = demos.harmonic("e5m2", terms=50)
    ax = plots.harmonic(ax=Figure().subplots(), data=data)
    drawn = {line.get_label(): list(line.get_ydata()) for line in ax.lines}
    assert drawn["e5m2"] == list(data.sums)
    assert drawn["exact"] == list(data.exact)


def test_a_picture_of_several_formats_has_a_line_for_each():
    ax = plots.ulp(["fp16", fs.E5M2, "e4m3fn"], ax=Figure().subplots())
    names = {"binary16", "e5m2", "e4m3fn"}
    assert names <= {line.get_label() for line in ax.lines}
    assert names <= {text.get_text() for text in ax.texts}
    two = [demos.muller("binary16"), demos.muller("e5m2")]
    ax = plots.muller(ax=Figure().subplots(), data=two)
    assert {"binary16", "e5m2"} <= {text.get_text() for text in ax.texts}


def test_a_format_has_one_look_in_all_pictures():
    for picture in (plots.ulp, plots.muller, plots.harmonic, plots.logistic):
        ax = picture(("e5m2", "bfloat16"), ax=Figure().subplots())
        lines = {line.get_label(): line for line in ax.lines}
        assert lines["bfloat16"].get_color() == FORMAT_LOOKS["bfloat16"].color
        assert lines["e5m2"].get_color() not in {look.color for look in FORMAT_LOOKS.values()}


@pytest.mark.parametrize("mode", [mode.value for mode in fs.Rounding])
def test_a_staircase_has_open_dots_where_a_step_ends_without_its_end(mode):
    ax = plots.staircase("e2m1fn", mode, ax=Figure().subplots())
    dots = [line for line in ax.lines if line.get_marker() in "oD" and line.get_linestyle() == "None"]
    closed = {
        tuple(p)
        for line in dots
        if line.get_markerfacecolor() != THEMES["light"]["paper"]
        for p in line.get_xydata().tolist()
    }
    opened = {
        tuple(p)
        for line in dots
        if line.get_markerfacecolor() == THEMES["light"]["paper"]
        for p in line.get_xydata().tolist()
    }
    assert not closed & opened
    for x, y in closed:
        assert fs.round_to(x, "e2m1fn", mode) == y
    for x, y in opened:
        assert fs.round_to(x, "e2m1fn", mode) != y
    assert bool(closed) == bool(opened) == (mode != "stochastic")


@pytest.mark.parametrize("k", [0, 1])
def test_pictures_have_the_hues_of_the_page(k):
    css = (resources.files("fp16sim") / "page" / "tokens.css").read_text(encoding="utf-8")
    tokens = {name: both for name, *both in re.findall(r"--([\w-]+): light-dark\((#\w+), (#\w+)\)", css)}
    colors = list(THEMES.values())[k]
    same = {"paper": "panel", "ink": "ink", "muted": "muted", "line": "line", "edge": "edge", "exact": "heat-exact"}
    for ours, theirs in (same | {"high": "heat-high", "over": "heat-over", "nan": "heat-nan"}).items():
        assert colors[ours] == tokens[theirs][k]
    near = {"blue": "exponent", "orange": "sign", "violet": "accent", "green": "significand"}
    for ours, theirs in near.items():
        hues = [rgb_to_hsv(to_rgb(color))[0] for color in (colors[ours], tokens[theirs][k])]
        assert abs(hues[0] - hues[1]) < 0.03, (ours, hues)


SIGHT = {
    "trichromacy": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
"""What linear red, green and blue become for each kind of sight (Machado, Oliveira and Fernandes 2009)."""


def lab(color, sight):
    """A colour in CIELAB: the distance between two is how different they look."""
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(to_xyz @ np.clip(np.array(sight) @ linear, 0.001, 1) / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("theme", THEMES)
def test_series_are_told_apart_by_any_sight(theme, sight):
    seen = [lab(THEMES[theme][look.hue], SIGHT[sight]) for look in LOOKS]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 20


def test_every_mode_has_a_rule_of_its_own():
    lessons = {plots.staircase("e2m1fn", mode, ax=Figure().subplots()).get_title(loc="left") for mode in fs.Rounding}
    assert len(lessons) == len(fs.Rounding)


UNUSUAL = ("e3m4", "e4m3fnuz", "e8m0fnu", "binary8p3", "binary8p1", "binary8p4ue", "binary6p6sf", "e4m3fn,bias=20")


@pytest.mark.exhaustive
@pytest.mark.parametrize("fmt", UNUSUAL)
def test_a_picture_of_an_unusual_format_is_drawn_or_refused_by_its_name(fmt):
    for name in set(NAMES) - {"tenths", "accumulators"}:
        if "fmt" in PICTURES[name].options:
            try:
                figure_of(name, fmt=fmt)
            except ValueError as error:
                assert str(error).startswith("fmt="), (name, error)  # noqa: PT017 - it may also be drawn


@pytest.mark.exhaustive
@pytest.mark.parametrize("fmt", ["e5m2", "bf16", "e4m3fn"])
def test_pictures_are_drawn_for_other_formats_without_a_warning(fmt):
    small = {"number_line", "staircase", "pairs"}
    for name in set(NAMES) - {"tenths", "accumulators"} - (small if fmt == "bf16" else set()):
        if "fmt" in PICTURES[name].options:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                warnings.simplefilter("ignore", DeprecationWarning)  # an old matplotlib warns of a new pyparsing
                figure_of(name, fmt=fmt)


def covered(ax):
    """The points of lines that a note covers, by the text of the note."""
    renderer, found = ax.figure.canvas.get_renderer(), {}
    for text in ax.texts:
        box = Text.get_window_extent(text, renderer).padded(-2)
        for line in ax.lines:
            points = line.get_transform().transform(line.get_xydata())
            points = points[np.isfinite(points).all(axis=1)]
            if any(box.contains(x, y) for x, y in points):
                found[text.get_text()] = line.get_label()
    return found


@pytest.mark.parametrize("fmt", first(1, ["binary16", "e4m3fn", "bfloat16", "e5m2"]))
@pytest.mark.parametrize("name", ["tenths", "clock", "accumulators", "quadratic", "derivative", "logistic", "softmax"])
def test_no_label_covers_a_point_or_another_label_in_any_format(name, fmt):
    figure = figure_of(name, fmt=fmt)
    FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    check_text(figure)
    check_notes(figure)
    assert covered(figure.axes[0]) == {}


def test_names_stand_beside_their_points_in_free_places():
    ax = Figure(figsize=SIZE).subplots()
    x = np.linspace(0, 1, 20)
    ax.plot(x, 0 * x)
    ax.plot(x, x)
    name_beside(ax, [Name("flat", "k", x, 0 * x), Name("rising", "k", x, x), Name("nowhere", "k", [np.nan], [1.0])])
    FigureCanvasAgg(ax.figure)
    ax.figure.draw_without_rendering()
    flat, rising = ax.texts
    assert covered(ax) == {}
    boxes = [Text.get_window_extent(text) for text in (flat, rising)]
    assert not boxes[0].overlaps(boxes[1])
    assert flat.xy[1] < 0.2
    assert abs(rising.xy[0] - rising.xy[1]) < 0.2


def test_a_title_is_folded_into_lines_of_about_the_same_length():
    assert folded("a title that fits", 30) == "a title that fits"
    assert folded("one two three four five", 20) == "one two three\nfour five"


# --- files ----------------------------------------------------------------------------------------------------------


WRITE = """
import sys
from fp16sim.plots import write
for file in ("pairs.png", "pairs.svg", "ulp.pdf"):
    write(file.split(".")[0], file, fmt="e2m1fn")
"""


@pytest.mark.exhaustive  # seconds
def test_a_file_is_the_same_in_two_processes_and_under_other_settings(tmp_path):
    for folder, rc in (("a", ""), ("b", "font.size: 20\naxes.facecolor: black\nsvg.fonttype: none\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "matplotlibrc").write_text(rc, encoding="utf-8")
        subprocess.run([sys.executable, "-c", WRITE], cwd=tmp_path / folder, check=True)
    names = sorted(path.name for path in (tmp_path / "a").iterdir() if path.suffix)
    assert len(names) == 3
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_a_sheet_shows_every_picture_at_a_third_of_its_size(tmp_path, monkeypatch):
    from fp16sim.plots import gallery

    monkeypatch.setattr(gallery, "PICTURES", {name: PICTURES[name] for name in ("ulp", "muller", "number_line")})
    sheets = [tmp_path / "a.png", tmp_path / "b.png", tmp_path / "dark.png"]
    for sheet, theme in zip(sheets, ("light", "light", "dark"), strict=True):
        gallery.write_sheet(sheet, theme=theme, columns=2)
    pixels = imread(sheets[0])
    height, width = (round(side * DPI / 3) for side in reversed(SIZE))
    rows, columns = (side // 2 for side in pixels.shape[:2])
    assert height < rows < 1.15 * height
    assert width < columns < 1.1 * width
    assert (pixels[rows:, columns:] == 1).all()
    assert pixels[rows:, :columns].min() < 0.5
    assert pixels[: rows - height, :columns].min() < 0.9  # the name
    assert sheets[0].read_bytes() == sheets[1].read_bytes()
    np.testing.assert_allclose(imread(sheets[2])[0, 0, :3], to_rgb(THEMES["dark"]["paper"]), atol=1e-3)


def test_python_m_plots_writes_all_pictures_and_refuses_politely(tmp_path, monkeypatch, capsys):
    from fp16sim.plots import __main__, gallery

    monkeypatch.setattr(gallery, "PICTURES", {name: PICTURES[name] for name in ("ulp", "muller")})
    assert __main__.main([str(tmp_path / "new"), "svg"]) == 0
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["muller.svg", "ulp.svg"]
    assert capsys.readouterr().out.count("\n") == 2
    assert __main__.main([str(tmp_path), "gif"]) == 2
    assert "pictures are written as .png" in capsys.readouterr().err
    assert __main__.main(["--sheet", str(tmp_path / "all.png")]) == 0
    assert (tmp_path / "all.png").stat().st_size > 1000
    assert __main__.main([]) == 2
    assert __main__.main(["--sheet"]) == 2
    assert __main__.main(["--help"]) == 0


# --- the command line -----------------------------------------------------------------------------------------------


def test_plot_list_names_every_picture_in_one_line_each(capsys):
    assert main(["plot", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == NAMES
    assert all(len(line) <= 80 for line in lines)
    assert main(["plot", "--list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows[1] == {"name": "ulp", "lesson": PICTURES["ulp"].lesson, "options": ["fmt"]}


def test_plot_writes_a_picture_with_the_options_that_it_takes(tmp_path, capsys):
    out = tmp_path / "s.svg"
    assert main(["plot", "staircase", "--format", "e5m2", "--mode", "toward_zero", "-o", str(out)]) == 0
    assert capsys.readouterr().out == f"picture: {out}\n"
    assert b"<svg" in out.read_bytes()[:500]
    arguments = ["plot", "relative-error", "--mode", "toward_zero", "--json", "-o", str(tmp_path / "r.png")]
    assert main(arguments) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["name"] == "relative_error"
    assert "2u = 12.5" in said["title"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.png", "s.svg"]


def test_plot_writes_a_picture_of_the_size_and_in_the_theme_that_is_asked_for(tmp_path):
    out = tmp_path / "u.png"
    arguments = ["plot", "number-line", "--size", "8x4.5", "--dpi", "80", "--theme", "dark", "-o", str(out)]
    assert main(arguments) == 0
    pixels = imread(out)
    assert pixels.shape[:2] == (360, 640)
    np.testing.assert_allclose(pixels[0, 0, :3], to_rgb(THEMES["dark"]["paper"]), atol=1e-3)
    assert main(["plot", "number-line", "--size", "9", "--dpi", "50", "-o", str(out)]) == 0
    assert imread(out).shape[:2] == (300, 450)


def test_plot_sheet_writes_all_pictures_and_takes_no_other_option(tmp_path, monkeypatch, capsys):
    from fp16sim.plots import gallery

    monkeypatch.setattr(gallery, "PICTURES", {name: PICTURES[name] for name in ("ulp", "muller")})
    out = tmp_path / "all.png"
    assert main(["plot", "--sheet", str(out), "--theme", "dark"]) == 0
    assert capsys.readouterr().out == f"pictures: {out}\n"
    assert imread(out).shape[2] == 4
    assert main(["plot", "ulp", "--sheet", str(out)]) == 2
    assert "--sheet shows all pictures" in capsys.readouterr().err
    assert main(["plot", "--sheet", str(out), "--mode", "to_odd"]) == 2


def test_plot_without_a_file_name_makes_one(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["plot", "pairs", "--operation", "add", "--format", "e2m1fn"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["fp16sim-pairs.png"]
    figure = figure_of("pairs", fmt="e2m1fn", operation="add")
    assert figure.axes[0].get_title(loc="left").startswith("Sums of e2m1fn")


def test_plot_scales_slide_the_gradients(tmp_path, capsys):
    assert main(["plot", "gradients", "--scales", "1,2^14", "--json", "-o", str(tmp_path / "g.png")]) == 0
    assert "at scale 16,384" in json.loads(capsys.readouterr().out)["title"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["ulpp"], "name='ulpp' is not a picture; did you mean ulp"),
        (["xyz"], "known: number_line, ulp"),
        ([], "the name of the picture is missing"),
        (["rump", "--format", "bf16"], "the picture 'rump' does not have this option; it takes mode"),
        (["ulp", "--mode", "to_odd"], "it takes fmt"),
        (["staircase", "--format", "e5m2,e4m3_ieee"], "this picture shows one format"),
        (["staircase", "--format", "bf16"], "2^16 numbers, too many to draw"),
        (["harmonic", "--mode", "up"], "mode='up' is unknown"),
        (["harmonic", "--format", "fp17"], "fp17"),
        (["gradients", "--scales", "1,x"], "'x' is not a number"),
        (["gradients", "--scales", "0"], "scale=0 is not a power of two"),
        (["pairs", "--operation", "mod"], "operation='mod' is unknown"),
        (["ulp", "-o", "nowhere/a.png"], "does not exist"),
        (["ulp", "--theme", "pink"], "'pink' is unknown; use light or dark"),
        (["ulp", "--size", "8x"], "'8x' is not a size"),
        (["ulp", "--size", "1920x1080"], "width and height are inches, from 1 to 60"),
        (["ulp", "--dpi", "5000"], "dpi=5000 is not between 20 and 1200"),
        (["--sheet", "a.svg"], "the sheet is written as .png"),
        (["ulp", "-o", "a.gif"], "must end in .png, .svg or .pdf"),
    ],
)
def test_a_mistake_is_one_line_exit_code_2_and_no_file(arguments, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    try:
        code = main(["plot", *arguments])
    except SystemExit as exit:
        code = exit.code
    captured = capsys.readouterr()
    assert (code, captured.err.count("\n"), captured.out) == (2, 1, "")
    assert says in captured.err
    assert not list(tmp_path.iterdir())


def test_a_name_is_found_with_dashes_and_capitals():
    assert find("One-Minus-Cos") is PICTURES["one_minus_cos"]
    with pytest.raises(ValueError, match="did you mean muller"):
        find("mueller")


def test_write_returns_the_title_and_keeps_what_was_there_when_drawing_fails(tmp_path):
    path = tmp_path / "u.png"
    assert write("ulp", path, fmt="bfloat16") == "Above 256, bfloat16 skips odd numbers"
    old = path.read_bytes()
    with pytest.raises(ValueError, match="does not have this option"):
        write("ulp", path, mode="to_odd")
    assert path.read_bytes() == old


def test_the_demos_are_loaded_without_matplotlib():
    code = "import sys, fp16sim.demos; print('matplotlib' in sys.modules, 'fp16sim.plots' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_a_given_array_of_gradients_is_what_is_shown():
    g = 2.0 ** -np.arange(10, 30)
    ax = plots.gradients("binary16", g, scales=(1, 256), ax=Figure().subplots())
    assert sum(bar.get_height() for bar in ax.patches) == pytest.approx(100)
    assert ax.get_title(loc="left").startswith("25% of gradients")
