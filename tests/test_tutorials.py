"""The lessons: a source and a notebook each, a prediction before results, exercises, references, allowed imports."""

import ast
import json
import re
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent.parent / "tutorials"
LESSONS = sorted(HERE.glob("[0-9][0-9]_*.py"))
ALLOWED = {"numpy", "matplotlib", "hypothesis", "fp16sim"} | sys.stdlib_module_names

pytestmark = pytest.mark.skipif(not LESSONS, reason="the lessons are in the repository, not in the installed package")
each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)


def cells(lesson):
    """(kind, text) of each percent cell."""
    parts = re.split(r"^# %%(.*)\n", lesson.read_text(encoding="utf-8"), flags=re.M)
    return [
        ("markdown" if "markdown" in head else "code", body)
        for head, body in zip(parts[1::2], parts[2::2], strict=True)
    ]


def test_the_lessons_are_numbered_from_1_on():
    assert [int(path.name[:2]) for path in LESSONS] == list(range(1, len(LESSONS) + 1))


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


@each_lesson
def test_a_lesson_asks_for_predictions_before_it_shows_results(lesson):
    kinds = cells(lesson)
    predictions = [k for k, (kind, text) in enumerate(kinds) if kind == "markdown" and "**Predict" in text]
    assert len(predictions) >= 4
    for k in predictions:  # what is predicted is shown by the next cell of code, not said in the same breath
        assert kinds[k + 1][0] == "code", kinds[k][1]


@each_lesson
def test_a_lesson_has_exercises_with_a_stub_and_references(lesson):
    text = lesson.read_text(encoding="utf-8")
    assert (HERE / "exercises" / lesson.name).exists()
    assert (HERE.parent / "tests" / "solutions" / lesson.name).exists()
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
