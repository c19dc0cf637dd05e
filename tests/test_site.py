"""The documentation site, without building it: what it takes over, what it makes, and the checker of its links."""

import importlib.util
import inspect
import json
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import fp16sim as fs
from fp16sim.cli import main
from fp16sim.sweeps.results import Row
from fp16sim.sweeps.table import Record
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
    assert kept <= set(assemble.taken().values())
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


def test_a_lesson_links_its_files_and_each_view_of_the_explorer_that_it_shows(texts):
    for name in course.NAMES:
        kept = json.loads((ROOT / "tutorials" / f"{name}.ipynb").read_text(encoding="utf-8"))
        made = json.loads(texts[f"course/{name}.ipynb"])
        shown = [
            cell for cell in kept["cells"] if "page.show(" in "".join(cell["source"]) and cell["cell_type"] == "code"
        ]
        sources = ["".join(cell["source"]) for cell in made["cells"]]
        assert len(sources) == len(kept["cells"]) + 1 + len(shown)
        assert f"<a href='{name}.ipynb' download>notebook</a>" in sources[1]
        assert sum("Open this view of the explorer" in source for source in sources) == len(shown)
        assert [cell.get("outputs") for cell in made["cells"] if cell["cell_type"] == "code"] == [
            cell["outputs"] for cell in kept["cells"] if cell["cell_type"] == "code"
        ]


# --- what it makes ---------------------------------------------------------------------------------------------------


def test_every_public_name_stands_on_one_page_of_the_reference(assemble):
    named = [name for _, names, _ in assemble.rooms().values() for name in names]
    modules = {name for _, _, modules in assemble.rooms().values() for name in modules}
    own_pages = {"accumulators", "blocks", "exact", "__version__"}
    assert sorted(named) == sorted(set(fs.__all__) - own_pages)
    whole = {"fp16sim.accumulators", "fp16sim.blocks", "fp16sim.exact"}
    assert {f"fp16sim.{name}" for name in fs.ON_DEMAND.values()} | whole <= modules


def test_a_picture_of_the_gallery_stands_with_the_code_that_computes_and_draws_it(assemble, texts):
    assert set(fs.plots.PICTURES) == {Path(name).stem for name in texts if name.startswith("gallery/")} - {"index"}
    page = texts["gallery/harmonic.md"].decode()
    assert "def harmonic(" in page.split("## How they are drawn")[0]
    assert "ax: Axes | None" in page.split("## How they are drawn")[1]
    about = inspect.getdoc(fs.plots.harmonic).partition("\n")[0]
    assert page.count(about) == 1, "the docstring stands above the code, and not in it"
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


# --- counts, and speed ----------------------------------------------------------------------------------------------


def test_every_row_of_the_benchmark_stands_on_the_page_that_says_what_it_means():
    page = (ROOT / "tutorials" / "reference" / "speed.md").read_text(encoding="utf-8")
    assert sorted(module("speed").rows(page)) == sorted((row.work, row.rival) for row in fs.bench.ROWS)


def test_what_was_measured_replaces_the_row_of_the_page_and_the_machine():
    page = "This was the machine, on 2026-01-02:\n\nOld, 1 cores, x, Python 3; fp16sim 0.\n\n"
    page += "| work | compared with | ratio | quartiles | goal |\n"
    page += "|---|---|---:|---:|---:|\n| a | b | 2 | 1 .. 3 | 1, missed |\n| c | d | 1 | 1 .. 1 | 1 |\n"
    row = {"work": "a", "rival": "b", "goal": 0.5, "ratio": 0.25, "low": 0.2, "high": 0.3125, "met": True}
    rows = [row, row | {"work": "c", "rival": "d", "ratio": None}]
    machine = {
        "processor": "New",
        "cores": 2,
        "system": "y",
        "python": "4",
        "versions": {"fp16sim": "1", "gfloat": None},
    }
    run = {"rows": rows, "machine": machine, "time": "2027-03-04T05:06:07", "quick": False}
    made = module("speed").rewritten(page, run)
    assert made.splitlines()[0] == "This was the machine, on 2027-03-04:"
    assert made.splitlines()[2] == "New, 2 cores, y, Python 4; fp16sim 1."
    assert made.splitlines()[6:] == ["| a | b | 0.25 | 0.2 .. 0.312 | 0.5 |", "| c | d | not measured | | 0.5 |"]
    with pytest.raises(SystemExit, match="only the page or only the measurement"):
        module("speed").rewritten(page, run | {"rows": [row]})
    with pytest.raises(SystemExit, match="--quick"):
        module("speed").rewritten(page, run | {"quick": True})


def test_the_page_of_recipes_has_a_table_for_each_task_and_a_row_for_each_recipe_that_lives():
    script, page = (
        module("recipes_compared"),
        (ROOT / "tutorials" / "reference" / "recipes_compared.md").read_text(encoding="utf-8"),
    )
    for task in script.TASKS:
        start, end = (mark.format(task) for mark in script.MARKS)
        table = page.partition(start)[2].partition(end)[0]
        rows = [line.split("|")[1].strip(" `") for line in table.splitlines() if line.startswith("| `")]
        assert rows == script.COMPARED, f"run: python tutorials/site/recipes_compared.py runs --task {task}"


def test_recipes_are_compared_seed_by_seed():
    script = module("recipes_compared")
    values = {("pure-binary32", ""): (1.0, 2.0, 3.0), ("mxfp8", ""): (1.5, 3.0, 4.5), ("nvfp4", ""): (0.5, 2.5, 3.0)}
    rows = [
        Row({"recipe": recipe, "factors": factors, "rng": rng}, Record("", {}, {"value": value}, None, 0.0))
        for (recipe, factors), found in values.items()
        for rng, value in enumerate(found)
    ]
    rows.append(Row({"recipe": "fp8-mixed", "factors": "", "rng": 0}, Record("", {}, {"died": "x"}, None, 0.0)))
    names = [*values, ("fp8-mixed", ""), ("fp8-block", "")]
    *_, binary32, mxfp8, nvfp4, died, absent = script.compared("digits", rows, names)
    assert binary32 == "| `pure-binary32` | 2.0000 | | |"
    assert mxfp8 == "| `mxfp8` | 3.0000 | 1.500 (1.500 .. 1.500) | worse |"
    assert nvfp4.startswith("| `nvfp4` | 2.0000 | 0.855 (")
    assert nvfp4.endswith(" | no |")
    assert died == "| `fp8-mixed` | died (1 of 1 seeds) | | |"
    assert absent == "| `fp8-block` | not measured | | |"


def test_the_page_of_decided_results_is_what_certify_prints():
    counts, page = module("counts"), (ROOT / "tutorials" / "reference" / "testing.md").read_text(encoding="utf-8")
    assert counts.decided() in page, "run: python tutorials/site/counts.py --quick"
    assert f"{counts.untested()['results of elementary functions decided by an inequality (below)']:,} |" in page


def test_a_log_of_the_tests_is_counted_and_one_of_a_run_that_failed_is_refused():
    counts = module("counts")
    cases = "fp16sim: 1,136 (input, mode, format) cases compared: MPFR: x 1,030, SoftFloat 6, codes 100\n"
    found = counts.tested(f"{cases}===== 17 passed, 1 skipped in 3.0s =====\n")
    assert list(found.values()) == [17, 1136, 6, 1030, 0, 0, 0, 100]
    for log in (f"{cases}FAILED tests/x.py\n==== 1 failed, 17 passed in 3.0s ====", "17 passed", cases):
        with pytest.raises(SystemExit):
            counts.tested(log)


def test_the_counts_of_a_page_are_replaced_between_their_marks_and_can_be_kept():
    counts = module("counts")
    page = (ROOT / "tutorials" / "reference" / "testing.md").read_text(encoding="utf-8")
    once = counts.rewritten(page, {"tests": 1234}, "2026-01-02")
    assert "| tests | 1,234 |\n\nThe tests were counted on 2026-01-02 by" in once
    assert counts.kept(once) == {"tests": 1234}
    assert counts.rewritten(once, counts.kept(page), "2026-01-02").count("\n") == page.count("\n")
    assert once.splitlines()[-1] == page.splitlines()[-1]


# --- the search -----------------------------------------------------------------------------------------------------


def test_the_search_gets_each_section_under_its_id_as_text_without_remarks():
    core = pytest.importorskip("docutils.core", reason="docutils is missing: pip install -e .[docs]")
    source = "One\n===\n\nFirst & last.\n\n.. hidden\n\nTwo\n---\n\n*Second*\n"
    page = core.publish_doctree(f"Above\n=====\n\n{source}", settings_overrides={"doctitle_xform": False})
    made = module("offline_search").text_of(page)
    two = '<section id="two">Two Second</section>'
    assert made == f'<section id="above">Above</section> <section id="one">One First &amp; last. {two}</section>'


# --- the how-to guides -----------------------------------------------------------------------------------------------

GUIDES = [page for page in sorted((SITE / "howto").glob("*.md")) if page.stem != "index"]


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_the_code_of_a_guide_prints_what_the_page_shows(page):
    kept = page.read_text(encoding="utf-8")
    assert "```python\n" in kept
    assert module("run_guides").updated(kept) == kept, "run: python tutorials/site/run_guides.py"


def test_output_that_is_not_what_the_code_prints_is_replaced_and_what_is_left_out_stays_out():
    updated = module("run_guides").updated
    page = "```python\n>>> x = 2\n>>> x + 1\n4\n>>> print(list(range(9)))\n[0, ..., 8]\n>>> int('z')\n```\n"
    right = page.replace("\n4\n", "\n3\n").replace(
        "int('z')\n",
        "int('z')\nTraceback (most recent call last):\n    ...\n"
        "ValueError: invalid literal for int() with base 10: 'z'\n",
    )
    assert updated(page) == right
    assert updated(right) == right


def test_a_guide_has_files_and_commands_that_share_one_folder():
    page = (
        "```python\n# four.py\nprint(2 + 2)\n```\n\n```console\n$ python four.py\n5\n$ fp16sim fly\n```\n\n"
        "```python\n>>> import four\n```\n"
    )
    made = module("run_guides").updated(page)
    assert "$ python four.py\n4\n$ fp16sim fly\nfp16sim: 'fly' is not a command" in made
    assert made.endswith(">>> import four\n4\n```\n")
    assert "four" not in sys.modules


@pytest.mark.parametrize(
    ("page", "error"),
    [
        ("```sh\nls\n```\n", ValueError),
        ("```console\n$ rm x\n```\n", ValueError),
        ("```python\n>>> import warnings; warnings.warn('no')\n```\n", UserWarning),
    ],
)
def test_a_guide_with_code_that_cannot_be_run_or_that_warns_is_refused(page, error):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as where nobody asked for errors
        with pytest.raises(error):
            module("run_guides").updated(page)


# --- fp16sim docs ----------------------------------------------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout whose site is not built yet."""
    monkeypatch.setattr("fp16sim.cli.docs.CHECKOUT", tmp_path)
    monkeypatch.setattr("webbrowser.open", lambda address: pytest.fail("it opened a browser"))
    (tmp_path / "tutorials" / "site").mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize(("found", "remark"), [(True, ""), (False, " (no browser was found; open the file yourself)")])
def test_docs_opens_the_site_that_was_built_and_says_where_it_is(found, remark, checkout, monkeypatch, capsys):
    opened, page = [], checkout / "build" / "site" / "index.html"
    page.parent.mkdir(parents=True)
    page.touch()
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or found)
    assert main(["docs"]) == 0
    assert opened == [page.as_uri()]
    assert capsys.readouterr().out == f"documentation: {page}{remark}\n"


def test_docs_says_how_to_build_the_site_where_there_is_none(checkout, capsys):
    assert main(["docs"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("fp16sim docs: the documentation site is not built yet; run in")
    assert "sphinx-build tutorials/site build/site" in said
    assert said.count("\n") == 1


def test_docs_says_how_to_get_the_site_where_only_the_package_is_installed(checkout, capsys):
    (checkout / "tutorials" / "site").rmdir()
    assert main(["docs"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(
        "fp16sim docs: the documentation site is not installed with the package, because of its size"
    )
    assert said.count("\n") == 1


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
    check = module("check_links").main
    checked(tmp_path, "".join(GOOD))
    assert check([str(tmp_path)]) == 0
    assert capsys.readouterr().out == "2 pages, 4 internal links, 3 to other sites; 0 faults\n"
    checked(tmp_path, '<a href="missing.html">')
    assert check([str(tmp_path)]) == 1
    assert check([str(tmp_path / "nothing")]) == 2
