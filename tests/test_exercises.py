"""Questions: seeded, with exact answers that their check takes; sheets, keys and GIFT; the commands of a learner."""

import io
import json
import re
import sys
from pathlib import Path

import pytest

from fp16sim import exact
from fp16sim.cli import main
from fp16sim.teach import course, exercises, lessons


@pytest.mark.parametrize("level", [1, 2, 3])
@pytest.mark.parametrize("kind", exercises.KINDS)
def test_every_kind_has_exact_answers_and_worked_solutions(kind, level):
    questions = exercises.generate(kind, rng=5, n=4, level=level)
    assert questions == exercises.generate(kind, rng=5, n=4, level=level)
    assert questions != exercises.generate(kind, rng=6, n=4, level=level)
    for question in questions:
        assert question.check(question.answer)
        assert not question.check("")
        assert not question.check("no such answer")
        assert question.solution
        if question.choices:
            assert question.answer in question.choices
            assert sum(question.check(choice) for choice in question.choices) == 1
            assert question.check("abcdefg"[question.choices.index(question.answer)])


def test_there_are_more_than_ten_kinds_and_mixed_asks_many_of_them():
    assert len(exercises.KINDS) >= 10
    assert len({question.kind for question in exercises.generate(rng=0, n=40, level=2)}) >= 10


@pytest.mark.parametrize(
    ("form", "answer", "right", "wrong"),
    [
        ("number", "-0.0625", ["-0.0625", "-1/16", "-2^-4", " -0.06250 "], ["0.0625", "-0.06", "-"]),
        ("number", "-0", ["-0", "-0.0"], ["0"]),
        ("number", "inf", ["inf", "Infinity"], ["-inf", "nan"]),
        (
            "code",
            "0x2e66",
            ["0x2E66", "2e66", "0b10111001100110"[2:].zfill(16), "0_01011_1001100110"],
            ["0x2e67", "xyz"],
        ),
        ("flags", "overflow, inexact", ["inexact overflow", "overflow and inexact"], ["overflow", "none"]),
        ("flags", "none", ["none", "None"], ["inexact", ""]),
    ],
)
def test_answers_may_be_written_in_many_ways_but_not_wrongly(form, answer, right, wrong):
    question = exercises.Question("k", 1, "?", answer, "", form)
    assert all(question.check(text) for text in right)
    assert not any(question.check(text) for text in wrong)


def test_bad_requests_are_refused_by_name():
    for arguments, says in (
        ({"kind": "riddle"}, "kind='riddle' is unknown"),
        ({"level": 4}, "level=4 is not a level"),
        ({"n": -1}, "n=-1 is not a number of questions"),
    ):
        with pytest.raises(ValueError, match=re.escape(says)):
            exercises.generate(**arguments)


# --- files ----------------------------------------------------------------------------------------------------------


def test_gift_escapes_what_gift_takes_for_itself():
    nasty = r"a~b=c#d{e}f:g\h" + "\nnext"
    question = exercises.Question("k", 1, nasty, "x=1", nasty, "choice", ("x=1", "~no", "{}"))
    text = exercises.to_gift([question])
    body = text.split("[plain]")[1]
    bare = re.sub(r"\\.", "", body)  # nothing of the question's own is left bare
    assert bare.count("{") == bare.count("}") == 1
    assert bare.count("=") == 1
    assert bare.count("~") == 2
    assert bare.count("#") == 4  # the general feedback
    assert ":" not in bare
    assert "\\nnext" in body


def test_a_sheet_has_no_answers_and_the_key_has_them():
    questions = exercises.generate("round-it", rng=2, n=5, level=2)
    sheet, key = exercises.markdown(questions), exercises.markdown_key(questions)
    assert "rule" not in sheet
    assert key.count("```text") == 5
    assert sheet.startswith("# ")
    gift = exercises.to_gift(exercises.generate("predict-the-bits", rng=2, n=2, level=2))
    assert gift.count("::[plain]") == 2
    assert re.search(r"\n=0x[0-9A-F]{4}\n", gift)


def test_titles_and_categories_are_one_line_and_titles_are_text():
    questions = exercises.generate("round-it", rng=2, n=1, level=1)
    nasty = "*a*\n\n::evil::{=1}"
    for text in (exercises.markdown(questions, nasty), exercises.markdown_key(questions, nasty)):
        assert text.splitlines()[0] == r"# \*a\* ::evil::\{=1\}"
        assert text.splitlines()[1] == ""
    lines = exercises.to_gift(questions, nasty).splitlines()
    assert lines[0] == "$CATEGORY: *a* ::evil::{=1}"  # Moodle takes it literally
    assert [line[:2] for line in lines[1:]].count("::") == 1


def test_a_solution_with_backticks_stays_inside_its_fence():
    solution = "before\n```\n# not a heading\n`````"
    key = exercises.markdown_key([exercises.Question("k", 1, "?", "1", solution, "number")])
    lines = [line.strip() for line in key.splitlines()]
    fences = [line for line in lines if line.startswith("``````")]
    assert fences == ["``````text", "``````"]
    assert lines.index("``````") > lines.index("`````")


def test_lines_may_end_in_any_way_in_gift():
    assert exercises.to_gift([exercises.Question("k", 1, "a\r\nb\rc", "1", "", "number")]).count("\r") == 0


def test_quiz_asks_checks_and_counts(capsys, monkeypatch):
    questions = exercises.generate("add", rng=4, n=4, level=1)
    typed = f"{questions[0].answer}\n12345\n\n\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert main(["quiz", "--kind", "add", "--rng", "4", "-n", "4", "--no-confidence"]) == 0
    printed = capsys.readouterr().out
    assert "right" in printed
    assert f"wrong: {questions[1].answer}" in printed
    assert f"skipped; the answer is {questions[2].answer}" in printed  # two lines with nothing give up
    assert "1 of 2 right; skipped: 3; not asked: 4" in printed


@pytest.mark.parametrize("kind", exercises.KINDS)
def test_help_and_typos_do_not_cost_the_question(kind, capsys, monkeypatch):
    (question,) = exercises.generate(kind, rng=4, n=1, level=1)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"help\n?\n{question.answer} ###\n{question.answer}\n"))
    main(["quiz", "--kind", kind, "--rng", "4", "-n", "1"])
    printed = capsys.readouterr().out
    assert " ".join(printed.split()).count(f"Please answer with {question.how_to_answer}") == 3
    assert printed.rstrip().endswith("1 of 1 right")
    assert not question.understands("help")


def test_quiz_exports_a_sheet_and_its_key(tmp_path, capsys):
    sheet, key = tmp_path / "sheet.md", tmp_path / "key.md"
    assert main(["quiz", "--rng", "1", "-n", "4", "--export", str(sheet), "--key", str(key)]) == 0
    assert sheet.read_text(encoding="utf-8").count("\n4. ") == 1
    assert key.read_text(encoding="utf-8").startswith("# Answers")
    assert main(["quiz", "--rng", "1", "--export", str(tmp_path / "moodle.gift")]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["key.md", "moodle.gift", "sheet.md"]
    capsys.readouterr()
    for arguments, says in (
        (["--export", "x.txt"], "export='x.txt' must end in .md or .gift"),
        (["--key", "k.md"], "add --export"),
        (["--export", str(sheet), "--key", str(sheet)], "one file"),
        (["--kind", "riddle"], "kind='riddle' is unknown"),
    ):
        assert main(["quiz", *arguments]) == 2
        captured = capsys.readouterr()
        assert says in captured.err
        assert captured.err.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_quiz_touches_no_file_but_those_that_it_names(tmp_path, capsys):
    """A file beside, also a link with a name that a temporary file could have, is not written to."""
    precious, part = tmp_path / "precious", tmp_path / "sheet.md.part"
    precious.write_text("mine", encoding="utf-8")
    part.symlink_to(precious)
    sheet = tmp_path / "sheet.md"
    assert main(["quiz", "--rng", "1", "--export", str(sheet)]) == 0
    assert part.is_symlink()
    assert precious.read_text(encoding="utf-8") == "mine"


def test_quiz_does_not_write_over_a_file(tmp_path, capsys):
    sheet, key = tmp_path / "sheet.md", tmp_path / "key.md"
    key.write_text("mine", encoding="utf-8")
    assert main(["quiz", "--export", str(sheet), "--key", str(key)]) == 2
    assert "is there already; choose another name, or remove the file first" in capsys.readouterr().err
    assert not sheet.exists()
    assert key.read_text(encoding="utf-8") == "mine"


# --- grade and tutorials --------------------------------------------------------------------------------------------

FILE = '''
"""Exercises."""

TASKS = {"mine": ("rounding", "e4m3fn"), "double": [((1.0,), 2.0)]}


def mine(x):
    return x


def double(x):
    return 2 * x
'''


def test_grade_prints_the_report_and_its_exit_code_says_whether_it_passed(tmp_path, capsys):
    path = tmp_path / "exercise é.py"
    path.write_text(FILE, encoding="utf-8")
    assert main(["grade", f"{path}:mine", "--task", "rounding", "--format", "e4m3fn"]) == 1
    assert "does not round at all" in capsys.readouterr().out
    assert main(["grade", str(path), "--json"]) == 1
    reports = json.loads(capsys.readouterr().out)
    assert [(report["function"], report["passed"]) for report in reports] == [("mine", False), ("double", True)]
    assert main(["grade", "--list"]) == 0


@pytest.mark.parametrize(
    ("content", "arguments", "says"),
    [
        (FILE, [":mine"], "say what mine should do"),
        (FILE, [":nothing", "--task", "add"], "has no function 'nothing'; it has mine, double"),
        (FILE, [":mine", "--task", "round"], "task='round' is unknown"),
        ("def f(:\n", [":f", "--task", "add"], "raised SyntaxError, line 1"),
        ("import nowhere\n", [":f", "--task", "add"], "raised ModuleNotFoundError"),
        ("x = 1\n", [""], "declares no TASKS"),
        ("TASKS = {}\n", [""], "declares no TASKS"),
    ],
)
def test_a_file_that_cannot_be_graded_is_one_line(tmp_path, capsys, content, arguments, says):
    path = tmp_path / "m.py"
    path.write_text(content, encoding="utf-8")
    assert main(["grade", f"{path}{arguments[0]}", *arguments[1:]]) == 2
    captured = capsys.readouterr()
    assert says in captured.err
    assert captured.err.count("\n") == 1


def test_tutorials_are_copied_and_a_students_work_is_kept(tmp_path, capsys):
    mine = tmp_path / "my course"
    assert main(["tutorials", str(mine)]) == 0
    printed = capsys.readouterr().out
    assert f"{len(lessons.files())} files written" in printed
    assert f'jupyter lab "{mine / "00_start.ipynb"}"' in printed
    assert sorted(p.relative_to(mine).as_posix() for p in mine.rglob("*") if p.is_file()) == sorted(lessons.files())
    (mine / "exercises" / "sums.py").write_text("mine", encoding="utf-8")
    (mine / "sums.py").unlink()
    copied = lessons.copy(mine)
    assert (copied.written, copied.kept) == (("sums.py",), ("exercises/sums.py",))
    assert (mine / "exercises" / "sums.py").read_text(encoding="utf-8") == "mine"
    main(["tutorials", str(mine)])
    assert "kept, because it differs from the original: exercises/sums.py" in capsys.readouterr().out
    with pytest.raises(ValueError, match="is a file"):
        lessons.copy(mine / "sums.py")
    with pytest.raises(ValueError, match="where the lessons come from"):
        lessons.copy(course.source())


def test_students_get_notebooks_without_results_and_teachers_with_them(tmp_path):
    def outputs(folder):
        notebooks = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.ipynb")]
        return sum(len(cell.get("outputs", ())) for notebook in notebooks for cell in notebook["cells"])

    lessons.copy(tmp_path)
    assert outputs(tmp_path) == 0
    (tmp_path / "sums.ipynb").write_text('{"cells": []}', encoding="utf-8")
    copied = lessons.copy(tmp_path, outputs=True)  # a notebook that the student did not touch is ours to replace
    assert copied.kept == ("sums.ipynb",)
    assert len(copied.written) == len(course.NAMES) - 1
    assert outputs(tmp_path) > 100
    assert len(lessons.copy(tmp_path).written) == len(course.NAMES) - 1
    assert outputs(tmp_path) == 0


def test_the_start_page_names_three_ways_in_and_links_to_every_lesson(tmp_path):
    lessons.copy(tmp_path)
    page = (tmp_path / "00_start.md").read_text(encoding="utf-8")
    (cell,) = json.loads((tmp_path / "00_start.ipynb").read_text(encoding="utf-8"))["cells"]
    assert cell["source"] == page
    assert {"**Jupyter**", "**VS Code**", "**Plain terminal**"} <= set(re.findall(r"\*\*.+?\*\*", page))
    for link in re.findall(r"\]\((.+?)\)", page):
        assert (tmp_path / link).is_file(), link
    assert {f"{name}.ipynb" for name in course.NAMES} <= set(re.findall(r"\]\((.+?)\)", page))
    assert page.index("**Optional**") < page.index("](rounding_twice.ipynb) |")
    assert sorted(path.name for path in tmp_path.iterdir())[0].startswith("00_start")


def test_tutorials_without_a_folder_says_what_there_is_and_how_to_start(capsys):
    assert main(["tutorials"]) == 0
    printed = capsys.readouterr().out
    assert all(re.search(rf"^{name} ", printed, re.M) for name in course.NAMES)
    assert "fp16sim tutorials course" in printed
    assert main(["tutorials", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [lesson["name"] for lesson in listed if lesson["core"]] == list(course.CORE)


# --- a lesson in the terminal ---------------------------------------------------------------------------------------

LESSON = """\
# %% [markdown]
# # Halves
#
# Half of *three*?

# %%
x = 3 / 2
x + 1

# %%
raise ValueError("oh")

# %%
print("still", x, __file__)
"""


def test_a_lesson_is_read_and_run_in_a_pipe_and_goes_on_after_an_error(tmp_path, capsys):
    path = tmp_path / "halves.py"
    path.write_text(LESSON, encoding="utf-8")
    assert main(["tutorials", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "Half of *three*?" in printed
    assert "    x = 3 / 2\n    x + 1\n\n2.5\n" in printed
    assert 'halves.py", line 11, in <module>' in printed
    assert printed.rstrip().endswith(f"still 1.5 {path}")


@pytest.mark.parametrize("content", [None, "print(1)"])
def test_what_is_no_lesson_is_one_line(tmp_path, capsys, content):
    path = tmp_path / "none.py"
    if content:
        path.write_text(content, encoding="utf-8")
    assert main(["tutorials", str(path)]) == 2
    assert re.search("does not exist; copy|has no cells; a cell", capsys.readouterr().err)


def test_where_no_window_opens_pictures_are_saved_beside_the_lesson(tmp_path, capsys):
    path = tmp_path / "drawn.py"
    path.write_text("# %%\nimport matplotlib.pyplot as plt\n\nplt.plot([1, 2])\nplt.show()\n", encoding="utf-8")
    assert main(["tutorials", str(path)]) == 0
    assert (tmp_path / "drawn-1-1.png").is_file()
    assert f"the picture is in {tmp_path / 'drawn-1-1.png'}" in capsys.readouterr().out


def test_the_terminal_says_how_to_open_a_view_of_the_explorer(tmp_path, capsys):
    path = tmp_path / "view.py"
    path.write_text('# %%\nimport fp16sim as fs\n\nfs.page.show("number?x=0.1")\n', encoding="utf-8")
    assert main(["tutorials", str(path)]) == 0
    assert capsys.readouterr().out.endswith('See it in the explorer: fp16sim explore "number?x=0.1"\n')


def test_this_installation_has_lessons():
    assert lessons.files()
    assert {Path(name).suffix for name in lessons.files()} == {".py", ".ipynb", ".md", ".html"}


def test_a_sum_stagnates_at_a_number_that_is_not_negative():
    for question in exercises.generate("stagnation", rng=1, n=4, level=1):
        assert exact.parse(question.answer) >= 0
