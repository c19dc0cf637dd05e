"""Every exercise and puzzle fails its grader as it is shipped, has three hints, and a solution that passes as shown."""

import ast
import runpy
from pathlib import Path

import pytest

from fp16sim.teach import answers, grade, source

ROOT = Path(__file__).parents[1]
STUBS = sorted((ROOT / "tutorials" / "exercises").glob("*.py"))
ALL = answers.everything()


@pytest.mark.parametrize("stub", STUBS, ids=lambda path: path.stem)
def test_a_stub_fails_in_every_task_as_it_is_shipped(stub):
    for report in grade.file(stub):
        assert not report.passed, report.title
        assert report.score == 0, report


@pytest.mark.parametrize("stub", STUBS, ids=lambda path: path.stem)
def test_every_graded_function_of_a_stub_states_its_task(stub):
    module = runpy.run_path(str(stub))
    assert module["__doc__"], stub
    assert module["TASKS"] == answers.declared(stub.stem)
    for name in module["TASKS"]:
        assert len(module[name].__doc__ or "") > 40, f"{stub.name}: {name} does not state its task"


def test_the_course_has_an_answer_to_every_exercise_and_no_name_twice():
    names = [name for stub in STUBS for name in answers.declared(stub.stem)] + list(answers.puzzles())
    assert sorted(names) == sorted(ALL)


# --- hints and solutions --------------------------------------------------------------------------------------------


def solved(name):
    """The function of the worked solution, from the code that is shown and nothing else."""
    module = {}
    exec(answers.worked(name).code, module)
    return module[name]


@pytest.mark.parametrize("budget", [0.75, pytest.param(30.0, marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize("name", ALL)
def test_the_solution_passes_as_it_is_shown(name, budget):
    report = grade.run(solved(name), ALL[name].task, ALL[name].fmt, ALL[name].mode, budget=budget)
    assert report.passed, f"\n{report}"


@pytest.mark.parametrize("name", ALL)
def test_there_are_three_hints_and_an_explanation_and_only_the_third_hint_is_nearly_the_code(name):
    hints, worked = answers.hints(name), answers.worked(name)
    assert len(hints) == len(set(hints)) == 3
    assert "?" in hints[0], "the first hint is a question"
    assert all(30 < len(hint) < 700 for hint in hints), list(map(len, hints))
    assert len(worked.explanation) > 80
    assert '"""' not in worked.code
    for statement in statements(worked.code, name):
        assert not [hint for hint in hints[:2] if statement in hint.replace("`", "")], statement


def statements(code, name):
    """The statements of a solution that say something, as they are written."""
    (function,) = [node for node in ast.parse(code).body if isinstance(node, ast.FunctionDef) and node.name == name]
    for node in ast.walk(function):
        if isinstance(node, (ast.Assign, ast.Return, ast.AugAssign)) and node.value is not None:
            text = ast.unparse(node.value)
            if len(text) > 14:
                yield text


def test_the_code_that_a_function_needs_is_all_of_it_and_no_more():
    text = (
        "import math\nimport os\nA = 1\nB = 2\ndef helper():\n    return A\ndef f(x):\n    return helper() + math.pi\n"
    )
    code = source.code_of(text, "f")
    assert code.startswith("import math\n\n\nA = 1\n\n\ndef helper")
    assert "os" not in code
    assert "B" not in code


def test_the_variable_of_a_comprehension_is_nothing_that_a_function_needs():
    text = "ROWS = [k for k in range(3)]\nk = 1\ndef f():\n    return k\n"
    assert "ROWS" not in source.code_of(text, "f")
    assert "k = 1" in source.code_of(text, "f")


def test_two_versions_of_a_function_differ_by_code_and_not_by_layout_or_by_other_functions():
    first = source.fingerprint("def f(x):\n    return x\n", "f")
    assert first == source.fingerprint("# new\ndef g(): 1\ndef f(x):\n    'doc'\n    return  x  # same\n", "f")
    assert first != source.fingerprint("def f(x):\n    return -x\n", "f")
    helper = "def h(x): return x\ndef f(x): return h(x)\n"
    assert source.fingerprint(helper, "f") != source.fingerprint(helper.replace("return x", "return -x"), "f")


# --- the lessons ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lesson", sorted((ROOT / "tutorials").glob("*.py")), ids=lambda path: path.stem)
def test_every_puzzle_of_a_lesson_is_one_of_the_course_and_has_its_stub(lesson):
    for node in ast.parse(lesson.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and any("puzzle" in ast.unparse(x) for x in node.decorator_list):
            assert node.name in answers.puzzles(), node.name
            assert "..." in ast.unparse(node), f"{node.name} has no dots to fill in"
            assert len(ast.get_docstring(node) or "") > 20, f"{node.name} does not state its task"
            signature = f"f({', '.join(argument.arg for argument in node.args.args)})"
            assert signature == answers.puzzles()[node.name].signature


@pytest.mark.parametrize("name", answers.puzzles())
def test_a_puzzle_has_its_stub_in_its_lesson(name):
    text = (ROOT / "tutorials" / f"{ALL[name].lesson}.py").read_text(encoding="utf-8")
    assert f"puzzle\ndef {name}(" in text
