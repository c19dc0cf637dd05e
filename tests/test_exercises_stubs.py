"""Every exercise fails its grader as it is shipped, and its solution passes; what is graded stands in the stub."""

import runpy
from pathlib import Path

import pytest

from fp16sim.teach import grade

ROOT = Path(__file__).parents[1]
STUBS = sorted((ROOT / "tutorials" / "exercises").glob("*.py"))
SOLUTIONS = Path(__file__).parent / "solutions"


def tasks_of(stub):
    return runpy.run_path(str(stub))["TASKS"]


@pytest.mark.parametrize("stub", STUBS, ids=lambda path: path.stem)
def test_a_stub_fails_in_every_task_as_it_is_shipped(stub):
    for report in grade.file(stub):
        assert not report.passed, report.title
        assert report.score == 0, report


@pytest.mark.parametrize("budget", [4.0, pytest.param(30.0, marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize("stub", STUBS, ids=lambda path: path.stem)
def test_the_solution_passes_every_task_of_the_stub(stub, budget):
    solution = SOLUTIONS / stub.name
    assert solution.is_file(), f"tests/solutions/{stub.name} is missing"
    reports = grade.file(solution, declared=tasks_of(stub), budget=budget)
    assert reports
    for report in reports:
        assert report.passed, f"\n{report}"


@pytest.mark.parametrize("stub", STUBS, ids=lambda path: path.stem)
def test_every_graded_function_of_a_stub_states_its_task(stub):
    module = runpy.run_path(str(stub))
    assert module["__doc__"], stub
    for name in module["TASKS"]:
        assert len(module[name].__doc__ or "") > 40, f"{stub.name}: {name} does not state its task"


def test_no_solution_is_left_without_its_stub():
    assert {path.name for path in SOLUTIONS.glob("*.py")} == {path.name for path in STUBS}
