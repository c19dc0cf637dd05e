"""The documentation site, without building it: what it takes over, what it makes, and the checker of its links."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

import fp16sim as fs
from fp16sim.teach import course

ROOT = Path(__file__).parents[1]
SITE = ROOT / "tutorials" / "site"

pytestmark = pytest.mark.skipif(not SITE.is_dir(), reason="the site is in the repository, not in the installed package")


def module(name):
    """A script of the site."""
    spec = importlib.util.spec_from_file_location(f"site_{name}", SITE / f"{name}.py")
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loaded
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture(scope="module")
def assemble():
    return module("assemble")


@pytest.fixture(scope="module")
def texts(assemble):
    """What is written before a build: names, and contents as bytes."""
    return assemble.texts()


# --- what it takes over ----------------------------------------------------------------------------------------------


def test_every_page_of_the_reference_is_taken_over(assemble):
    kept = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tutorials" / "reference").glob("*.md")}
    assert kept <= set(assemble.TAKEN.values())
    assert all((ROOT / source).is_file() for source in (assemble.pages() | assemble.extras()).values())


def test_the_course_has_every_lesson_in_its_order(texts):
    page = texts["course/index.md"].decode()
    trees = re.findall(r"^```\{toctree\}\n(.*?)^```", page, re.M | re.S)
    assert tuple(name for tree in trees for name in re.findall(r"^(\w+)$", tree, re.M)) == course.NAMES
    assert all(f"course/{name}.ipynb" in texts for name in course.NAMES)


def test_a_link_between_pages_follows_them_to_the_site(texts):
    functions = texts["manual/functions.md"].decode() + texts["manual/teaching.md"].decode()
    assert "](../sums.ipynb)" not in functions
    assert "](../course/sums.ipynb)" in texts["manual/class_hours.md"].decode()
    assert "](performance.md)" in texts["project/testing.md"].decode()
    assert "<a href='explorer.html'>the explorer</a>" in texts["start.md"].decode()


# --- what it makes ---------------------------------------------------------------------------------------------------


def test_every_public_name_stands_on_one_page_of_the_reference(assemble):
    named = [name for _, names, _ in assemble.rooms().values() for name in names]
    modules = {name for _, _, modules in assemble.rooms().values() for name in modules}
    own_pages = {"accumulators", "exact", "__version__"}
    assert sorted(named) == sorted(set(fs.__all__) - own_pages)
    assert {f"fp16sim.{name}" for name in fs.ON_DEMAND.values()} | {"fp16sim.accumulators", "fp16sim.exact"} <= modules


def test_a_picture_of_the_gallery_stands_with_the_code_that_computes_and_draws_it(assemble, texts):
    assert set(fs.plots.PICTURES) == {Path(name).stem for name in texts if name.startswith("gallery/")} - {"index"}
    page = texts["gallery/harmonic.md"].decode()
    assert "def harmonic(" in page.split("## How they are drawn")[0]
    assert "ax: Axes | None" in page.split("## How they are drawn")[1]
    assert "Returns\n-------" not in page


def test_git_ignores_all_that_is_written_and_nothing_that_is_kept(texts):
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    names = "\n".join(f"tutorials/site/{name}" for name in texts)
    command = ["git", "check-ignore", "--stdin"]
    ignored = subprocess.run(command, input=names, capture_output=True, text=True, cwd=ROOT, check=True).stdout
    assert ignored.splitlines() == names.splitlines()
    kept = subprocess.run(["git", "ls-files", "tutorials/site"], capture_output=True, text=True, cwd=ROOT, check=True)
    assert not {f"tutorials/site/{name}" for name in texts} & set(kept.stdout.splitlines())


def test_writing_again_changes_nothing_and_removes_what_is_no_longer_made(assemble, tmp_path, monkeypatch):
    monkeypatch.setattr(assemble, "draw", lambda folder: None)
    monkeypatch.setattr(assemble, "texts", lambda: {"course/sums.ipynb": b"{}", "start.md": b"# Start"})
    (tmp_path / "course").mkdir()
    (tmp_path / "course" / "old.ipynb").write_bytes(b"{}")
    (tmp_path / "index.md").write_bytes(b"mine")
    assemble.write(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")}
    assemble.write(tmp_path)
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")}
    assert sorted(path.name for path in before) == ["index.md", "start.md", "sums.ipynb"]


# --- the checker of links --------------------------------------------------------------------------------------------


def checked(folder, page, **files):
    """The faults of a small site whose front page has this text."""
    (folder / "index.html").write_text(page, encoding="utf-8")
    (folder / "other.html").write_text('<h2 id="there">There</h2>', encoding="utf-8")
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, encoding="utf-8")
    return module("check_links").check(folder)


GOOD = (
    '<a href="other.html#there">',
    '<a href="other.html">',
    '<p id="here"><a href="#here">',
    '<a name="old"></a><a href="#old">',
    '<a href="https://example.org/x">',
    '<img src="data:image/gif;base64,R0lGOD">',
    '<link rel="canonical" href="https://example.org/">',
)


@pytest.mark.parametrize("page", GOOD)
def test_a_good_link_is_no_fault(page, tmp_path):
    assert checked(tmp_path, page).faults == []


@pytest.mark.parametrize(
    ("page", "fault"),
    [
        ('<p>\n<a href="missing.html">', "index.html:2 leads to missing.html, which is missing"),
        ('<a href="other.html#nowhere">', "leads to other.html#nowhere, where nothing has that id"),
        ('<a href="#nowhere">', "leads to #nowhere, where nothing has that id"),
        ('<img src="missing.png">', "leads to missing.png, which is missing"),
        ("<A HREF=missing.html>", "leads to missing.html, which is missing"),
        ('<a href="..">', "leads to .., which is a folder"),
        ('<script src="https://cdn.example.org/x.js">', "loads https://cdn.example.org/x.js, which needs a network"),
        ('<link rel="stylesheet" href="//fonts.example.org/x.css">', "loads //fonts.example.org/x.css, which needs"),
    ],
)
def test_a_broken_link_and_a_file_from_elsewhere_are_found(page, fault, tmp_path):
    (found,) = checked(tmp_path, page).faults
    assert fault in found


@pytest.mark.parametrize("address", ["https://fonts.example.org/x.woff2", "missing.woff2"])
def test_a_style_sheet_that_loads_what_is_not_there_is_found(address, tmp_path):
    (found,) = checked(tmp_path, "", site_css=f"@font-face {{ src: url('{address}') }} /* url(no) */").faults
    assert found.startswith(f"site.css loads {address}")


def test_the_checker_says_what_it_counted_and_fails_where_something_is_broken(tmp_path, capsys):
    main = module("check_links").main
    checked(tmp_path, "".join(GOOD))
    assert main([str(tmp_path)]) == 0
    assert capsys.readouterr().out == "2 pages, 4 internal links, 3 to other sites; 0 faults\n"
    checked(tmp_path, '<a href="missing.html">')
    assert main([str(tmp_path)]) == 1
    assert main([str(tmp_path / "nothing")]) == 2
