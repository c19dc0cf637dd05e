"""Puzzles, hints that are earned, solutions after passing, variants, and the marks of a class."""

import csv
import json
import math

import pytest

import fp16sim as fs
from fp16sim.cli import main
from fp16sim.faults import FAULTS
from fp16sim.teach import advice, answers, grade, marks, practice, progress, variants
from fp16sim.teach.grading import process

STUB = "def {name}({arguments}):\n    raise NotImplementedError\n"


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(progress, "LATEST", {})
    return tmp_path


def kept():
    return json.loads((progress.home(progress.Path()) / progress.FILE).read_text(encoding="utf-8"))["functions"]


def defined(text, name):
    """A function that is typed in a notebook: it has no file."""
    module = {"fs": fs, "math": math}
    exec(compile(text, "<cell>", "exec"), module)
    return module[name]


# --- puzzles --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("return ...", "sign_of: not yet: fill in the dots; hint() gives a hint."),
        ("return code >> ...", "sign_of: not yet: fill in the dots; hint() gives a hint."),
        ("return ..., ...", "sign_of: not yet: fill in the dots; hint() gives a hint."),
        ("raise NotImplementedError", "sign_of: not yet: fill in the dots; hint() gives a hint."),
        ("return code >> 15", "sign_of: right, all 65,536 codes."),
        ("return code >> 14", "sign_of: not yet. sign_of(0x4000) must be 0; yours is 1."),
        ("pass", "sign_of: not yet. sign_of(0x0000) returned None; is a `return` missing?"),
        ("return code[0]", "sign_of: not yet. sign_of(0x0000) raised TypeError, line 2"),
    ],
)
def test_a_puzzle_prints_one_line(body, says, capsys):
    function = defined(f"def sign_of(code):\n    {body}", "sign_of")
    assert practice.puzzle(function) is function
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert out.startswith(says)


def test_a_puzzle_that_hangs_or_is_unknown_gives_a_line_too(capsys):
    practice.puzzle(defined("def is_nan(code):\n    while True: pass", "is_nan"))
    practice.puzzle(defined("def sing_of(code):\n    return 1", "sing_of"))
    out = capsys.readouterr().out.splitlines()
    assert "did not return within 2 seconds" in out[0]
    assert "did you mean 'sign_of'?" in out[1]


def test_a_stub_writes_no_file_and_an_attempt_does(own_folder, capsys):
    practice.puzzle(defined("def sign_of(code):\n    return ...", "sign_of"))
    assert not list(own_folder.iterdir())
    practice.puzzle(defined("def sign_of(code):\n    return 0", "sign_of"))
    assert list(kept()) == ["sign_of"]


# --- hints ----------------------------------------------------------------------------------------------------------


def attempt(body):
    practice.puzzle(defined(f"def sign_of(code):\n    {body}", "sign_of"))


def hint_printed(capsys, name=""):
    capsys.readouterr()
    practice.hint(name)
    return capsys.readouterr().out


def test_each_hint_is_earned_by_another_attempt(capsys):
    attempt("return ...")
    assert "hint 1 of 3\n" in hint_printed(capsys)
    again = hint_printed(capsys)
    assert "hint 1 of 3, again" in again
    assert "after another attempt" in again
    attempt("return 0")
    assert "hint 2 of 3\n" in hint_printed(capsys)
    attempt("return 0  # the same")
    assert "hint 2 of 3, again" in hint_printed(capsys, "sign_of")
    attempt("return 1")
    attempt("return 2")
    assert "hint 3 of 3\n" in hint_printed(capsys)
    assert "hint 3 of 3, again" in hint_printed(capsys)
    assert kept()["sign_of"]["shown"] == 3


def test_several_attempts_earn_one_hint_and_not_several(capsys):
    for body in ("return 0", "return 1", "return 2"):
        attempt(body)
    assert "hint 1 of 3\n" in hint_printed(capsys)
    assert "hint 1 of 3, again" in hint_printed(capsys)


def test_a_hint_is_remembered_by_the_next_process(capsys, monkeypatch):
    attempt("return 0")
    assert "hint 1 of 3\n" in hint_printed(capsys)
    monkeypatch.setattr(progress, "LATEST", {})
    assert "sign_of: hint 1 of 3, again" in hint_printed(capsys)


def test_what_was_never_graded_has_no_hint_and_an_unknown_name_is_an_error(capsys):
    assert "was not graded yet" in hint_printed(capsys, "round_to_half")
    with pytest.raises(ValueError, match="did you mean 'round_to_half'"):
        practice.hint("round_to_haf")
    with pytest.raises(ValueError, match="nothing was graded yet"):
        practice.hint()


def test_a_hint_speaks_first_of_the_mistake_that_the_grader_knows(capsys):
    body = 'def round_to_half(x):\n    return fs.round_to(x, "binary16", "ties_to_away")'
    practice.check(defined(body, "round_to_half"))
    text = hint_printed(capsys)
    assert text.index("rounds ties away from zero") < text.index("If you divide x by its ulp")


def test_every_piece_of_advice_is_for_a_misconception_that_there_is():
    assert set(advice.ADVICE) <= {fault.misconception for fault in FAULTS}


def test_a_solution_is_shown_after_passing_and_not_before(capsys):
    attempt("return 0")
    practice.solution("sign_of")
    assert "comes when yours has passed" in capsys.readouterr().out
    attempt("return code >> 15")
    practice.solution()
    assert "    return code >> 15" in capsys.readouterr().out
    assert "has passed already" in hint_printed(capsys)
    attempt("return 0")  # a later attempt that fails takes nothing away
    practice.solution()
    assert "return code >> 15" in capsys.readouterr().out


@pytest.mark.parametrize("above", [False, True])
def test_a_teacher_turns_hints_and_solutions_off(above, own_folder, capsys):
    (own_folder / "exercises").mkdir()
    text = progress.class_file(hints=False, solutions=True)
    (own_folder / ("" if above else "exercises") / progress.CLASS).write_text(text, encoding="utf-8")
    attempt("return code >> 15")
    assert "turned off in this course" in hint_printed(capsys)
    practice.solution()
    assert "return code >> 15" in capsys.readouterr().out


@pytest.mark.parametrize("content", ["{", "[]", '{"last": "", "functions": {"f": {"attempts": [1]}}}', "[" * 5000])
def test_a_damaged_file_of_progress_is_put_aside_and_said(content, own_folder, capsys):
    (own_folder / progress.FILE).write_text(content, encoding="utf-8")
    attempt("return 0")
    assert "is damaged. It is kept as progress-damaged.json" in capsys.readouterr().out
    assert (own_folder / progress.DAMAGED).read_text(encoding="utf-8") == content
    assert list(kept()) == ["sign_of"]


# --- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def exercise(own_folder):
    path = own_folder / "rounding.py"

    def write(body):
        path.write_text(f'TASKS = {{"ulp_of": "ulp_of"}}\n\n\ndef ulp_of(x):\n    {body}\n', encoding="utf-8")
        return str(path)

    return write


def test_the_command_gives_hints_and_solutions(exercise, capsys):
    path = exercise("raise NotImplementedError")
    assert main(["grade", path]) == 1
    assert f"for a hint: fp16sim grade --hint {path}:ulp_of" in capsys.readouterr().out
    assert main(["grade", "--hint", path]) == 0
    assert "ulp_of: hint 1 of 3\n" in capsys.readouterr().out
    exercise("return 1.0")
    assert main(["grade", "--hint", f"{path}:ulp_of"]) == 0
    assert "ulp_of: hint 2 of 3\n" in capsys.readouterr().out
    assert main(["grade", "--solution", f"{path}:ulp_of"]) == 0
    assert "comes when yours has passed" in capsys.readouterr().out
    exercise("import math; return 2.0 ** (max(math.frexp(x)[1] - 1 if x else -14, -14) - 10)")
    assert main(["grade", "--solution", path, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["passed"]
    assert "def ulp_of(x):" in said["text"]


def test_what_is_no_exercise_of_the_course_has_no_hint_and_leaves_no_file(own_folder, capsys):
    (own_folder / "mine.py").write_text("def f(x):\n    return x\n", encoding="utf-8")
    assert main(["grade", "mine.py:f", "--task", "rounding"]) == 1
    assert "for a hint" not in capsys.readouterr().out
    assert main(["grade", "--hint", "mine.py:f", "--task", "rounding"]) == 2
    assert "not graded as an exercise of the course" in capsys.readouterr().err
    assert not (own_folder / progress.FILE).exists()


def test_a_puzzle_of_a_lesson_is_graded_by_the_command_without_grading_itself(own_folder, capsys):
    text = "import fp16sim as fs\n\n\n@fs.teach.puzzle\ndef sign_of(code):\n    return code >> 14\n"
    (own_folder / "lesson.py").write_text(text, encoding="utf-8")
    assert main(["grade", "--hint", "lesson.py:sign_of"]) == 0
    assert "sign_of: hint 1 of 3\n" in capsys.readouterr().out
    assert len(kept()["sign_of"]["attempts"]) == 1


# --- variants -------------------------------------------------------------------------------------------------------


def solved(variant):
    """The file of a variant with every stub filled in."""
    text = variant.text()
    bodies = {
        "fields": "t, w = {0}.trailing_bits, {0}.exponent_bits; "
        "return code >> t + w, code >> t & 2**w - 1, code & 2**t - 1",
        "classify": "x = fs.decode(code, {0}); return kind(x, {0})",
        "decode": "return fs.decode(code, {0})",
        "ulp": "return fs.ulp(x, {0})",
        "next_down": "return fs.next_down(x, {0})",
        "rounding": 'return fs.round_to(x, {0}, "{1}")',
        "multiply": 'return fs.multiply(a, b, {0}, "{1}")',
    }
    for name, (task, fmt, mode) in variant.tasks.items():
        head, _, rest = text.partition(f"def {name}(")
        rest = rest.replace("raise NotImplementedError", bodies[task].format(fmt.name, mode.value), 1)
        text = f"{head}def {name}({rest}"
    return text + KIND


KIND = """

def kind(x, fmt):
    if x != x:
        return "nan"
    if abs(x) == float("inf"):
        return "infinity"
    return "zero" if x == 0 else "subnormal" if abs(x) < fmt.min_normal else "normal"
"""


def test_a_variant_depends_on_the_name_and_on_the_word_and_on_nothing_else():
    anna = variants.draw("Anna Berg", "oak")
    assert anna.tasks == variants.draw(" anna  BERG", "oak").tasks
    assert len({str(variants.draw(f"student {n}").tasks) for n in range(50)}) == 50
    assert anna.tasks != variants.draw("Anna Berg").tasks
    assert len(anna.tasks) >= 6
    with pytest.raises(ValueError, match="is not a name"):
        variants.draw("a\nb\x1b")


@pytest.mark.exhaustive  # seconds
def test_the_stubs_of_a_variant_fail_and_its_solution_passes_and_that_of_another_does_not(own_folder):
    anna, bob = variants.draw("Anna"), variants.draw('Bob\'s """ friend')
    for one in (anna, bob):
        (own_folder / "stub.py").write_text(one.text(), encoding="utf-8")
        assert all(report.score == 0 for report in grade.file("stub.py"))
    (own_folder / "variant.py").write_text(solved(anna), encoding="utf-8")
    for report in grade.file("variant.py", declared=anna.tasks, budget=1.5):
        assert report.passed, report
    assert sum(report.passed for report in grade.file("variant.py", declared=bob.tasks, budget=1)) <= 1


# --- a class --------------------------------------------------------------------------------------------------------

GOOD = answers.worked("same").code


@pytest.fixture
def handed_in(own_folder):
    """A folder of students, each with a file of exercises of the lesson edges."""
    folder = own_folder / "class"

    def hand_in(student, text, name="edges.py"):
        place = folder / student
        place.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, encoding="utf-8")
        return folder

    return hand_in


def table(path="marks.csv"):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def test_a_class_is_a_line_for_each_student_whatever_one_of_them_does(handed_in, capsys, monkeypatch):
    monkeypatch.setattr(process, "LOAD_LIMIT", 5.0)
    handed_in("Müller, Anna", GOOD)
    handed_in("=1+1", "def same(a, b):\n    return True\n")
    handed_in("loops", "while True:\n    pass\ndef same(a, b): pass\n")
    handed_in("broken", "def same(a, b)\n")
    handed_in("exits", "import os\nos._exit(0)\ndef same(a, b): pass\n")
    handed_in("slow", "def same(a, b):\n    while True: pass\n")
    handed_in("cheats", 'TASKS = {"same": [((1.0,), 2.0)]}\n' + GOOD.replace("def same(a, b)", "def same(a, b=0)"))
    (handed_in("empty", "", "notes.txt") / "empty" / "notes.txt").unlink()
    assert main(["grade", "class", "--csv", "marks.csv", "--time-limit", "0.3"]) == 0
    rows = table()
    assert rows["Müller, Anna"]["same"] == "100"
    assert 0 < int(rows["'=1+1"]["same"]) < 100
    assert "did not finish within" in rows["loops"]["note"]
    assert "SyntaxError, line 1" in rows["broken"]["note"]
    assert "exit code 0" in rows["exits"]["note"]
    assert "time limit: same" in rows["slow"]["note"]
    assert "nothing handed in" in rows["empty"]["note"]
    assert "no function mean" in rows["cheats"]["note"]
    assert "8 students written to marks.csv" in capsys.readouterr().out


def test_the_total_is_the_mean_and_what_is_missing_counts_0(handed_in):
    found = marks.grade_class(handed_in("a", GOOD))
    assert found.exercises == ("same", "my_next_up", "my_ulp", "mean")
    assert found.to_list() == [
        {
            "student": "a",
            "scores": {"same": 100, "my_next_up": 0, "my_ulp": 0, "mean": 0},
            "total": 25,
            "note": "no function my_next_up; no function my_ulp; no function mean",
        }
    ]


def test_a_second_run_grades_only_what_changed_and_replaces_only_its_own_table(handed_in, monkeypatch, capsys):
    handed_in("a", GOOD)
    handed_in("b", "def same(a, b):\n    return True\n")
    assert main(["grade", "class", "--csv", "marks.csv"]) == 0
    graded = []
    real = marks.grade.file
    monkeypatch.setattr(marks.grade, "file", lambda path, **more: graded.append(path.parent.name) or real(path, **more))
    handed_in("b", GOOD)
    handed_in("c", GOOD)
    assert main(["grade", "class", "--csv", "marks.csv"]) == 0
    assert graded == ["b", "c"]
    assert table()["b"]["same"] == "100"
    with open("marks.csv", "a", encoding="utf-8") as file:
        file.write("my own line\n")
    assert main(["grade", "class", "--csv", "marks.csv"]) == 2
    assert "was edited since" in capsys.readouterr().err
    assert main(["grade", "class", "--csv", "marks.csv", "--force"]) == 0
    assert "my own line" not in (marks.Path("marks.csv")).read_text(encoding="utf-8")


def test_a_run_that_was_interrupted_goes_on_where_it_stopped(handed_in, monkeypatch):
    for student in "abc":
        handed_in(student, GOOD)
    real, graded = marks.grade.file, []

    def interrupted(path, **more):
        if len(graded) == 2:
            raise KeyboardInterrupt
        graded.append(path)
        return real(path, **more)

    monkeypatch.setattr(marks.grade, "file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        marks.grade_class(handed_in("a", GOOD), marks.Path("marks.csv"))
    assert not marks.Path("marks.csv").exists()
    monkeypatch.setattr(marks.grade, "file", lambda path, **more: graded.append(path) or real(path, **more))
    marks.grade_class(handed_in("a", GOOD), marks.Path("marks.csv"))
    assert [path.parent.name for path in graded] == ["a", "b", "c"]


def test_files_are_known_by_their_functions_and_lessons_and_untouched_stubs_do_not_count(handed_in):
    source = marks.course.source()
    for name in ("edges", "rounding"):
        stub = (source / "exercises" / f"{name}.py").read_text(encoding="utf-8")
        handed_in("a/course/exercises", stub, f"{name}.py")
        handed_in("a/course", (source / f"{name}.py").read_text(encoding="utf-8"), f"{name}.py")
    folder = handed_in("a/course/exercises", GOOD, "my homework (1).py")
    found = marks.grade_class(folder)
    assert found.exercises == ("same", "my_next_up", "my_ulp", "mean")
    assert found.rows[0].scores["same"] == 100


def test_files_of_a_class_may_lie_in_one_folder(own_folder):
    (own_folder / "all").mkdir()
    for name in ("anna_edges.py", "bob_edges.py"):
        (own_folder / "all" / name).write_text(GOOD, encoding="utf-8")
    assert [row.student for row in marks.grade_class(own_folder / "all").rows] == ["anna_edges", "bob_edges"]


@pytest.mark.exhaustive  # seconds
def test_a_variant_counts_for_the_student_of_its_name_only(handed_in):
    anna = variants.draw("Anna Berg", "oak")
    handed_in("Berg Anna_123", solved(anna), "variant.py")
    handed_in("Bob", solved(anna), "variant.py")
    handed_in("Eve", solved(anna).replace("Anna Berg", "Eve"), "variant.py")
    handed_in("Uma", solved(variants.draw("Uma")), "variant.py")
    folder = handed_in(
        "Ida",
        solved(anna).replace("Anna Berg", "Ida").replace(anna.check, variants.draw("Ida", "oak").check),
        "variant.py",
    )
    rows = {row.student: row for row in marks.grade_class(folder, secret="oak", limits={"budget": 1.5}).rows}
    assert set(rows["Berg Anna_123"].scores.values()) == {100}
    assert "is the variant of somebody else: 'Anna Berg'" in rows["Bob"].note
    assert "another class secret, or for another name" in rows["Eve"].note
    assert "another class secret" in rows["Uma"].note
    assert sum(score == 100 for score in rows["Ida"].scores.values()) <= 1


def test_the_course_is_copied_with_a_variant_and_without_solutions(own_folder, capsys):
    assert main(["tutorials", "course", "--student", "Anna", "--no-solutions"]) == 0
    exercises = own_folder / "course" / "exercises"
    assert (exercises / "variant.py").read_text(encoding="utf-8") == variants.draw("Anna").text()
    assert progress.allows(exercises, "hints")
    assert not progress.allows(exercises, "solutions")
    (exercises / "variant.py").write_text("mine", encoding="utf-8")
    assert main(["tutorials", "course", "--student", "Anna"]) == 0
    assert "kept, because it differs from the original: exercises/variant.py" in capsys.readouterr().out
    assert main(["tutorials", "course", "--secret", "oak"]) == 2
