"""What learners' functions do: loop, raise, print, return the wrong kind of thing; the grader survives and says so."""

import contextlib
import threading
import time

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import exact
from fp16sim.teach import grade

from .test_grade import TOY, quiet


def test_an_endless_loop_is_stopped_even_one_that_catches_everything():
    def endless(x):
        while True:
            with contextlib.suppress(BaseException):
                time.sleep(0.001)

    start = time.monotonic()
    report = grade.rounding(endless, time_limit=0.2)
    assert time.monotonic() - start < 5
    assert "endless(0.0) did not return within 0.2 seconds" in report.problem
    assert report.score == 0


def test_a_loop_for_one_number_leaves_the_grades_of_those_before_it():
    def mostly(x):
        while x == 3.0:
            pass
        return fs.round_to(x)

    report = grade.rounding(mostly, time_limit=0.2)
    assert "mostly(3.0)" in report.problem
    assert sum(group.right for group in report.groups) > 0
    assert not report.passed


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (lambda x: None, "returned None; is a `return` missing?"),
        (lambda x: ..., "returned the dots; fill them in"),
        (lambda x: "1.0", "returned the text '1.0'; return a number"),
        (lambda x: True, "returned True; return a number"),
        (lambda x: [x], "a list; return a real number"),
        (lambda x: x + 1j, "a complex; return a real number"),
        (lambda x: np.array([x, x]), "returned an array of shape (2,)"),
        (lambda x: 1 / 0, "raised ZeroDivisionError, line"),
        (lambda: 0, "raised TypeError"),
        (lambda x: exit(), "raised SystemExit"),
        (lambda x: input(), "raised EOFError"),
    ],
)
def test_a_wrong_kind_of_result_is_met_with_a_kind_word(function, says, capsys):
    report = grade.rounding(function)
    assert says in report.counterexample.got_text
    assert says in str(report)
    assert report.score == 0


def test_a_code_that_is_a_float_and_prints_are_mentioned(capsys):
    def shouting(x):
        print("x", x)
        return float(fs.encode(x))

    report = grade.encode(shouting)
    assert "a code is an integer: return int(...)" in report.counterexample.got_text
    assert "printed" in report.note
    assert capsys.readouterr().out == ""


def test_numbers_arrays_fractions_and_numpy_scalars_are_all_welcome():
    for function in (
        lambda x: exact.round_to(x, TOY),
        lambda x: np.float32(fs.round_to(x, TOY)),
        lambda x: fs.array(x, TOY),
        lambda x: fs.round_to(np.asarray(x), TOY),
        lambda x: fs.round_to(x[...], TOY),  # arrays alone
    ):
        assert grade.rounding(quiet(function), TOY).passed


def test_a_function_typed_in_a_notebook_is_graded():
    cell = {}
    exec("import math\ndef mine(x):\n    return math.nan if x != x else float(x)\n", cell)
    report = grade.rounding(cell["mine"], "e4m3fn")
    assert report.misconception == "does not round at all"


def test_a_stub_is_told_from_a_wrong_function():
    def stub(x):
        raise NotImplementedError

    report = grade.rounding(stub)
    assert report.problem == "stub is not written yet: it raises NotImplementedError."
    assert report.score == 0


def test_arguments_belong_to_the_grader_whatever_the_function_does_with_them():
    def greedy(values):
        total = 0.0
        while values:
            total = fs.add(total, values.pop(0))
        return total if total else 0.0

    report = grade.sum(quiet(greedy))
    assert {group.name for group in report.groups if not group.passed} == {"signs of zero"}


def test_a_plain_endless_loop_does_not_go_on_behind_our_back():
    def endless(x):
        while True:
            pass

    before = set(threading.enumerate())
    grade.rounding(endless, time_limit=0.2)
    assert not [thread for thread in threading.enumerate() if thread not in before]


def test_arrays_are_used_where_they_say_what_numbers_say_and_only_there():
    sizes = []

    def honest(x):
        sizes.append(np.size(x))
        return fs.round_to(x, TOY)

    assert grade.rounding(quiet(honest), TOY).passed
    assert max(sizes) > 1000
    assert len(sizes) < 200

    def differs(x):  # right for numbers; for arrays it forgets all but the first
        return fs.round_to(x, TOY) if np.ndim(x) == 0 else np.resize(fs.round_to(x[:1], TOY), x.shape)

    assert grade.rounding(quiet(differs), TOY).passed
