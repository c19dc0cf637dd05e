"""The page as a file: one text, small, asking for nothing; assembled from readable parts; written whole."""

import html
import itertools
import re
from importlib.resources import files
from pathlib import Path

import pytest

import fp16sim as fs
from fp16sim.cli import main
from fp16sim.formats import NAMED_FORMATS
from fp16sim.page.assemble import format_row, link

SOURCES = sorted(Path(str(files("fp16sim.page"))).glob("*.*"))
COLOUR = r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);"


def test_the_page_is_one_small_text_that_names_no_other_file():
    page = fs.page.build()
    assert len(page.encode()) < 400_000
    assert page.startswith("<!doctype html>")
    assert not re.search(r"""(?:src|href)=["'](?!#|data:)""", page)
    assert not re.search(
        r"""\bimport\s*[({"']|\bfrom\s+["']|@import|url\(|fetch\(|https?://(?!www\.w3\.org/2000/svg)""", page
    )


def test_the_page_is_the_same_every_time():
    assert fs.page.build() == fs.page.build()


@pytest.mark.parametrize(
    "path", [p for p in SOURCES if p.suffix in (".js", ".css", ".html", ".py")], ids=lambda p: p.name
)
def test_a_source_of_the_page_is_short_and_says_what_it_is(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    assert text.startswith({".js": "/* ", ".css": "/* ", ".html": "<!doctype", ".py": '"""'}[path.suffix])


@pytest.mark.parametrize("path", [p for p in SOURCES if p.suffix == ".js"], ids=lambda p: p.name)
def test_a_module_documents_what_it_exports(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    for before, line in itertools.pairwise(lines):
        if re.match(r"export (async )?function", line):
            assert before.rstrip().endswith("*/"), f"{path.name}: {line}"


def test_every_named_format_comes_from_python_and_no_module_repeats_one():
    page = fs.page.build()
    for fmt in NAMED_FORMATS:
        assert f'"name": "{fmt.name}"' in page
        assert format_row(fmt)["width"] == fmt.width
    script = link("main")
    assert not re.search(r"precision: \d", script)


def test_modules_are_linked_after_what_they_import_and_keep_their_names():
    texts = {
        "main.js": 'import { twice } from "./low.js";\nconst hidden = 2;\nexport const four = twice(hidden);\n',
        "low.js": "const hidden = 3;\nexport function twice(x) { return 2 * x; }\n",
    }
    script = link("main", texts.__getitem__)
    assert script.index("$low") < script.index("$main")
    assert "const { twice } = $low;" in script
    assert "return { four };" in script


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ({"main.js": 'import { a } from "./b.js";\n', "b.js": 'import { c } from "./main.js";\n'}, "main -> b -> main"),
        ({"main.js": 'import a from "./b.js";\n'}, "cannot be linked: import a"),
        ({"main.js": "const a = 1;\nexport { a };\n"}, "cannot be linked: export { a }"),
        ({"main.js": 'const a = "</script>";\n'}, "closing script tag"),
    ],
)
def test_what_cannot_be_linked_is_refused(texts, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        link("main", texts.__getitem__)


def test_a_state_cannot_leave_its_place_in_the_page():
    page = fs.page.build("number?x=</script><script>alert(1)/* script */")
    assert page.count("</script") == fs.page.build().count("</script")
    assert "\\u003c/script>" in page
    with pytest.raises(TypeError, match="state=3 must be a string"):
        fs.page.build(3)


def test_an_address_that_opens_nothing_is_refused(capsys, tmp_path):
    for state, says in (
        ("garbage?x=1", "opens no view"),
        ("numbr?x=1", "did you mean 'number'?"),
        ("x=0.1", "as in number?x=0.1"),
        ("number?fromat=bf16", "'fromat' is not a key; did you mean 'format'?"),
    ):
        with pytest.raises(ValueError, match=re.escape(says)):
            fs.page.build(state)
        assert main(["explore", state, "-o", str(tmp_path / "x.html")]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert not list(tmp_path.iterdir())
    assert fs.page.build("#line?zoom=-8&at=0.1&tour=3") == fs.page.build("line?zoom=-8&at=0.1&tour=3")


def test_the_page_in_the_repository_is_the_one_that_is_built():
    page = Path(__file__).parents[2] / "tutorials" / "explorer.html"
    fresh = page.read_bytes() == fs.page.build().encode()
    assert fresh, "the page has changed: run fp16sim explore -o tutorials/explorer.html"


# --- in a notebook --------------------------------------------------------------------------------------------------


def test_a_notebook_gets_a_frame_that_holds_the_whole_page():
    shown = fs.page.show("number?x=1/3", height=500)
    frame = shown._repr_html_()
    inside = re.search(r'srcdoc="([^"]*)"', frame)[1]
    assert html.unescape(inside) == fs.page.build("number?x=1/3")
    assert "height: 500px" in frame
    assert "allow-same-origin" not in frame
    assert repr(shown) == "Explorer(state='number?x=1/3', height=500)"
    assert "block?values=7,-3" in fs.page.show("block?values=7,-3&block=nvfp4&rule=torchao")._repr_html_()


@pytest.mark.parametrize("height", [0, -1, "900", 1.5, True])
def test_a_frame_needs_a_height(height):
    with pytest.raises(ValueError, match="is not a number of pixels"):
        fs.page.show(height=height)


# --- the command ----------------------------------------------------------------------------------------------------


def test_explore_writes_a_file_and_opens_nothing(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("webbrowser.open", lambda url: pytest.fail("it opened a browser"))
    out = tmp_path / "explorer.html"
    assert main(["explore", "number?x=1/3", "-o", str(out)]) == 0
    assert out.read_text(encoding="utf-8") == fs.page.build("number?x=1/3")
    assert [path.name for path in tmp_path.iterdir()] == ["explorer.html"]
    assert str(out) in capsys.readouterr().out


def test_explore_opens_a_file_of_its_own(capsys, monkeypatch, tmp_path):
    opened = []
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert main(["explore"]) == 0
    (url,) = opened
    assert url.startswith("file:")
    assert url.endswith(".html")
    (written,) = tmp_path.rglob("*.html")
    assert written.read_text(encoding="utf-8") == fs.page.build()


def test_explore_without_a_browser_says_where_the_file_is(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("webbrowser.open", lambda url: False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert main(["explore"]) == 0
    assert "open the file yourself" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("out", "says"),
    [
        ("nowhere/x.html", "does not exist"),
        ("x.png", "must end in .html or .htm"),
        (".", "is a folder; give the name of a file in it"),
    ],
)
def test_explore_refuses_a_bad_name_in_one_line(out, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["explore", "-o", out]) == 2
    printed = capsys.readouterr().err
    assert says in printed
    assert printed.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_an_explorer_that_cannot_be_built_leaves_the_old_file(tmp_path, monkeypatch, capsys):
    out = tmp_path / "x.html"
    out.write_text("the old one", encoding="utf-8")

    def interrupt(state=""):
        raise KeyboardInterrupt

    monkeypatch.setattr("fp16sim.page.build", interrupt)
    assert main(["explore", "-o", str(out)]) == 130
    assert out.read_text(encoding="utf-8") == "the old one"
    assert [path.name for path in tmp_path.iterdir()] == ["x.html"]
    capsys.readouterr()


# --- colours --------------------------------------------------------------------------------------------------------


def luminance(colour):
    """WCAG 2's relative luminance of #rrggbb."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


TEXT = {  # what is written in a colour, and on what
    "ink": ("paper", "panel", "sunken", "accent-soft"),
    "muted": ("paper", "panel", "sunken", "accent-soft"),
    "accent": ("paper", "panel", "sunken", "accent-soft"),
    "on-accent": ("accent",),
    "wrong": ("panel",),
    "sign": ("panel", "sign-soft"),
    "exponent": ("panel", "exponent-soft"),
    "significand": ("panel", "significand-soft"),
    "on-field": ("sign", "exponent", "significand"),
}
SHAPES = {
    "edge": ("panel", "paper"),
    "accent": ("panel",),
    "heat-mark": ("heat-over", "heat-nan"),
    "heat-high": ("heat-exact", "heat-low"),
}


@pytest.mark.parametrize("theme", [1, 2], ids=["light", "dark"])
def test_text_has_the_contrast_of_wcag_aa_and_shapes_that_of_graphics(theme):
    css = (files("fp16sim.page") / "tokens.css").read_text(encoding="utf-8")
    colours = {found[0]: found[theme] for found in re.findall(COLOUR, css)}
    for needed, uses in ((4.5, TEXT), (3.0, SHAPES)):
        for front, backs in uses.items():
            for back in backs:
                assert contrast(colours[front], colours[back]) >= needed, f"--{front} on --{back}"


def test_no_style_sheet_names_a_colour_but_the_tokens():
    for path in SOURCES:
        if path.suffix == ".css" and path.name != "tokens.css":
            assert not re.search(r"#[0-9a-f]{3,8}\b|\brgb", path.read_text(encoding="utf-8")), path.name
