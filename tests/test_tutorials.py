"""The lessons: a source and a notebook each, a prediction before results, exercises, references, allowed imports."""

import ast
import doctest
import json
import re
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from fp16sim.teach import course

ROOT = Path(__file__).resolve().parents[1]
HERE = ROOT / "tutorials"
LESSONS = [HERE / f"{name}.py" for name in course.NAMES]
ALLOWED = {"numpy", "matplotlib", "hypothesis", "fp16sim"} | sys.stdlib_module_names

each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
each_with_exercises = pytest.mark.parametrize("lesson", LESSONS[1:], ids=lambda path: path.stem)


def cells(lesson):
    """(kind, text) of each percent cell."""
    parts = re.split(r"^# %%(.*)\n", lesson.read_text(encoding="utf-8"), flags=re.M)
    return [
        ("markdown" if "markdown" in head else "code", body)
        for head, body in zip(parts[1::2], parts[2::2], strict=True)
    ]


# --- the course: names, order, and what refers to them --------------------------------------------------------------


@pytest.mark.parametrize("folder", [HERE, HERE / "exercises"], ids=lambda path: path.name)
def test_the_table_of_the_course_names_every_lesson_once_and_no_other(folder):
    found = {path.stem for path in folder.glob("*.py") if path.name != "build.py"}
    assert found == set(course.NAMES) - ({course.FIRST} if folder != HERE else set())
    assert len(course.NAMES) == len(set(course.NAMES))


@pytest.mark.parametrize("name", course.NAMES)
def test_a_lesson_needs_only_lessons_before_it_and_on_the_core_path_only_those_of_the_core_path(name):
    before = course.NAMES[: course.NAMES.index(name)]
    assert set(course.linked(course.lesson(name).needs)) <= set(before)


@pytest.mark.parametrize(("name", "following"), list(pairwise(course.NAMES)), ids=course.NAMES[:-1])
def test_a_lesson_ends_with_a_link_to_the_next_one(name, following):
    end = cells(HERE / f"{name}.py")[-1][1]
    assert course.linked(end[end.index("# Next lesson: ") :])[0] == following


@each_lesson
def test_a_link_to_a_lesson_is_called_what_that_lesson_is_called(lesson):
    for text, name in re.findall(r"\[([^\]]+)\]\((\w+)\.ipynb\)", lesson.read_text(encoding="utf-8")):
        assert course.lesson(name).title.startswith(text), f"[{text}]({name}.ipynb)"


PAGES = [ROOT / "README.md", *HERE.rglob("*.py"), *HERE.rglob("*.md"), *HERE.rglob("*.ipynb")]
PAGES += [path for folder in ("fp16sim", "tests") for path in (ROOT / folder).rglob("*.py")]


def test_lessons_are_named_and_never_numbered():
    """A number would be wrong as soon as a lesson is added."""
    number = re.compile(rf"\blessons? \d.*|\b\d\d_(?:{'|'.join(course.NAMES)})\b", re.I)
    for path in PAGES:
        found = number.search(path.read_text(encoding="utf-8"))
        assert not found, f"{path.name}: {found[0]}"


def test_the_page_of_the_course_has_the_table_that_the_lessons_give():
    page = (HERE / "reference" / "course.md").read_text(encoding="utf-8")
    assert course.tables("../") in page, "run: python tutorials/build.py"


# --- the glossary ---------------------------------------------------------------------------------------------------

GLOSSARY = HERE / "glossary.md"


def glossary_terms():
    return re.findall(r"^### (.+)$", GLOSSARY.read_text(encoding="utf-8"), re.M)


def test_the_examples_of_the_glossary_are_true():
    failed, tried = doctest.testfile(str(GLOSSARY), module_relative=False, encoding="utf-8")
    assert failed == 0
    assert tried > len(glossary_terms())


def test_the_glossary_is_in_order_and_has_a_short_text_and_an_example_for_each_term():
    terms = glossary_terms()
    assert terms == sorted(terms, key=str.lower)
    for body in GLOSSARY.read_text(encoding="utf-8").split("\n### ")[1:]:
        text, example = re.split(r"\n\n(?=    >>> )", body.partition("\n\n")[2], maxsplit=1)
        assert 20 < len(text) < 300, body
        assert example, body


@pytest.mark.parametrize("page", [*LESSONS, *HERE.rglob("*.md")], ids=lambda path: path.name)
def test_each_link_to_the_glossary_leads_to_a_term(page):
    anchors = {re.sub(r"[^\w\- ]", "", term.lower()).replace(" ", "-") for term in glossary_terms()}
    linked = re.findall(r"\]\((?:\.\./)?glossary\.md#([^)]+)\)", page.read_text(encoding="utf-8"))
    assert set(linked) <= anchors


# --- each lesson ----------------------------------------------------------------------------------------------------


@each_lesson
def test_a_lesson_has_a_notebook_with_the_same_cells_and_no_error(lesson):
    notebook = json.loads(lesson.with_suffix(".ipynb").read_text(encoding="utf-8"))
    theirs = [(cell["cell_type"], "".join(cell["source"]).strip()) for cell in notebook["cells"]]
    code = [text.strip() for kind, text in cells(lesson) if kind == "code"]
    assert [text for kind, text in theirs if kind == "code"] == code
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
    assert outputs
    assert not [output for output in outputs if output["output_type"] == "error"]


@each_lesson
def test_each_cell_that_draws_has_its_picture_in_the_notebook(lesson):
    notebook = json.loads(lesson.with_suffix(".ipynb").read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and "plt.show()" in "".join(cell["source"]):
            kinds = [kind for output in cell["outputs"] for kind in output.get("data", {})]
            assert "image/png" in kinds, "".join(cell["source"])


@pytest.mark.parametrize("name", course.NAMES)
def test_a_lesson_has_guesses(name):
    assert len(course.questions(name)) >= 4


def test_no_two_guesses_have_the_same_question_which_is_the_name_in_the_file():
    questions = [question for name in course.NAMES for question in course.questions(name)]
    assert len(questions) == len(set(questions))
    assert all(question.rstrip(")").endswith(("?", "yes or no", "numbers")) for question in questions)


@pytest.mark.parametrize("name", course.NAMES)
def test_what_is_guessed_is_compared_in_a_later_cell_and_no_result_comes_before(name):
    code = [ast.parse(text) for kind, text in cells(HERE / f"{name}.py") if kind == "code"]
    compared = [{node.value.id for node in ast.walk(tree) if _is_compare(node)} for tree in code]
    for k, tree in enumerate(code):
        made = [node for node in tree.body if isinstance(node, ast.Assign) and _is_guess(node.value)]
        if made:
            assert len(made) == len(tree.body), f"a cell with guesses has nothing else: {ast.unparse(tree)}"
            for node in made:
                assert any(node.targets[0].id in names for names in compared[k + 1 : k + 2]), ast.unparse(node)
    assert len(course.questions(name)) == sum(_is_guess(node) for tree in code for node in ast.walk(tree))
    assert "guesses()" in ast.unparse(code[-1]) + ast.unparse(code[-2]), "the score stands at the end"


def _is_compare(node):
    return isinstance(node, ast.Attribute) and node.attr == "compare" and isinstance(node.value, ast.Name)


def _is_guess(node):
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "guess"


@pytest.mark.parametrize("name", course.NAMES)
def test_the_notebook_in_the_repository_has_nobodys_guesses(name):
    text = (HERE / f"{name}.ipynb").read_text(encoding="utf-8")
    assert "No guess yet." in text
    assert "You have made no guesses yet." in text
    assert "You said" not in text


@each_lesson
def test_a_lesson_asks_for_predictions_before_it_shows_results(lesson):
    kinds = cells(lesson)
    predictions = [k for k, (kind, text) in enumerate(kinds) if kind == "markdown" and "**Predict" in text]
    assert len(predictions) + len(course.questions(lesson.stem)) >= 4
    for k in predictions:  # what is predicted is shown by the next cell of code, not said in the same breath
        assert kinds[k + 1][0] == "code", kinds[k][1]


@each_lesson
def test_no_line_of_a_text_begins_with_a_sign_which_markdown_takes_for_a_bullet(lesson):
    """A list has minus signs and begins after an empty line. In a text, "2^5 - 1" may not be cut before the sign."""
    for kind, text in cells(lesson):
        assert kind == "code" or not re.search(r"^# [+*] .*", text, re.M), text
        assert kind == "code" or not re.search(r"^# (?![-|] |  ).+\n# - .*", text, re.M), text


@each_with_exercises
def test_a_lesson_has_exercises_with_a_stub_and_references(lesson):
    text = lesson.read_text(encoding="utf-8")
    assert (HERE / "exercises" / lesson.name).exists()
    assert f"exercises/{lesson.name}" in text
    assert "## Read next" in text
    assert "change" in text.lower()  # a line to change, and to see


@each_lesson
def test_a_lesson_imports_of_libraries_numpy_matplotlib_hypothesis_and_fp16sim_alone(lesson):
    for node in ast.walk(ast.parse(lesson.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            assert name.partition(".")[0] in ALLOWED, f"{lesson.name} imports {name}"
