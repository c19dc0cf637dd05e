"""The grader: right functions pass, wrong ones are named, and whatever a learner's function does is survived."""

import math
import time

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import exact, faults
from fp16sim.formats import Rounding
from fp16sim.teach import grade
from fp16sim.teach.grading.process import LearnerFile
from fp16sim.teach.grading.tasks import TASKS, prepared
from fp16sim.teach.grading.why import why

EVEN = Rounding.TIES_TO_EVEN
TOY = fs.Format("toy", width=6, precision=3)


def quiet(function):
    """A function of ours without warnings, for learners' threads have theirs."""

    def called(*operands):
        with np.errstate(all="ignore"):
            return function(*operands)

    return called


def right_functions(fmt):
    """A right function for each task."""
    return {
        "rounding": lambda x: fs.round_to(x, fmt),
        "decode": lambda code: fs.decode(code, fmt),
        "encode": lambda x: fs.encode(x, fmt),
        "fields": lambda code: tuple(int(part) for part in fs.fields(fs.decode(code, fmt), fmt)),
        "ulp": lambda x: fs.ulp(x, fmt),
        "next_up": lambda x: fs.next_up(x, fmt),
        "next_down": lambda x: fs.next_down(x, fmt),
        "parse": lambda text: fs.round_to(text, fmt),
        "sum": lambda x: fs.sum(x, fmt),
        "pairwise_sum": lambda x: fs.sum(x, fmt, accumulator=fs.accumulators.Pairwise(fmt)),
        "kahan_sum": lambda x: fs.sum(x, fmt, accumulator=fs.accumulators.Kahan(fmt)),
        "dot": lambda a, b: fs.dot(a, b, fmt),
        "mixed_dot": lambda a, b: fs.dot(a, b, fmt, accumulator=fs.accumulators.Sequential("binary32")),
        **{
            name: lambda *x, name=name: getattr(fs, name)(*x, fmt) for name in ("add", "subtract", "multiply", "divide")
        },
        **{name: lambda *x, name=name: getattr(fs, name)(*x, fmt) for name in ("sqrt", "fma")},
    }


RIGHT = right_functions(TOY)


@pytest.mark.parametrize("task", RIGHT)
def test_a_right_function_passes_every_task(task):
    report = grade.run(quiet(RIGHT[task]), task, TOY)
    assert report.passed, f"\n{report}"
    assert report.score == 100
    assert not report.missing
    assert report.counterexample is None


UNUSUAL = ["binary4p2ue", "e4m3fnuz", "e5m2fnuz", "e8m0fnu", "binary8p3se", "binary8p3uf", "binary8p1se", "binary6p6se"]


@pytest.mark.exhaustive
@pytest.mark.parametrize("fmt", UNUSUAL)
def test_every_task_takes_a_format_unlike_those_of_ieee_754_or_refuses_it_by_name(fmt):
    for task, function in right_functions(fs.get_format(fmt)).items():
        if task == "kahan_sum" and not fs.get_format(fmt).signed:
            with pytest.raises(ValueError, match=f"fmt={fmt} has no negative numbers, which {task} subtracts to"):
                grade.run(quiet(function), task, fmt)
            continue
        report = grade.run(quiet(function), task, fmt)
        assert report.passed, f"\n{report}"
        assert str(grade.run(quiet(lambda *x: 1.25), task, fmt)), "a wrong answer has a report, too"


@pytest.mark.parametrize("mode", [mode for mode in Rounding if mode is not Rounding.STOCHASTIC])
@pytest.mark.parametrize("task", ["rounding", "add", "multiply", "divide", "sqrt", "fma"])
def test_both_truths_are_one_in_every_mode(task, mode):
    """The fast layer's answers, for all cases, are those of the exact layer."""
    given = prepared(TASKS[task], TOY, mode, True)
    rows = zip(*(column[-2000:].tolist() for column in given.columns), strict=True)
    name = None if task == "rounding" else task
    for row, found in zip(rows, np.asarray(given.expected)[-2000:].tolist(), strict=True):
        right = exact.compute(name, row, TOY, mode).value if name else exact.round_to(row[0], TOY, mode)
        assert repr(float(right)) == repr(found), row


# --- misconceptions -------------------------------------------------------------------------------------------------

UNSEEN = ("ties_to_even", "log2", "other_format")  # right in this mode and format
RECOGNISED = [fault for fault in faults.suspects("rounding") if fault.name not in UNSEEN]


@pytest.mark.parametrize("fault", RECOGNISED, ids=lambda fault: fault.name)
def test_a_misconception_is_recognised_by_its_outputs(fault):
    report = grade.rounding(lambda x: fault(x, "e5m2"), "e5m2", budget=3)
    assert not report.passed
    assert report.score < 100
    assert report.misconceptions == (fault.misconception,)


@pytest.mark.parametrize(
    ("task", "function", "words"),
    [
        ("fma", lambda a, b, c: fs.add(fs.multiply(a, b), c), "the product, and then the sum"),
        ("divide", lambda a, b: fs.multiply(a, fs.divide(1, b)), "the rounded reciprocal"),
        ("sum", lambda x: float(fs.round_to(math.fsum(x))), ""),
        ("sum", lambda x: fs.sum([0.0, *x]), "starts from +0"),
        ("rounding", lambda x: fs.round_to(x, "bfloat16"), "the other 16-bit format"),
        ("decode", lambda code: fs.decode(code, "bfloat16"), "the other 16-bit layout"),
        ("encode", lambda x: fs.encode(x, "binary16", "toward_zero"), "truncates"),
        ("ulp", lambda x: abs(x) * 2.0**-10, "machine_epsilon * abs(x)"),
        ("parse", lambda text: fs.round_to(float(text)), "reads the text as a float64 first"),
        ("softmax", lambda x: np.exp(x) / np.exp(x).sum(), "neither rounds nor subtracts the maximum"),
    ],
)
def test_the_misconceptions_of_other_tasks_are_recognised_too(task, function, words):
    report = grade.run(quiet(function), task)
    assert not report.passed
    assert words in report.misconception


def test_two_misconceptions_at_once_are_both_named():
    def both(x):
        y = np.asarray(faults.find("ties_away")(x))
        return np.where((y == 0) & (np.asarray(x) == 0), 0.0, y)

    report = grade.rounding(both)
    assert set(report.misconceptions) == {
        faults.find("ties_away").misconception,
        faults.find("minus_zero").misconception,
    }


def test_the_counterexample_is_the_simplest_there_is_and_explained():
    report = grade.rounding(lambda x: fs.round_to(x, "binary16", "ties_to_away"))
    example = report.counterexample
    assert example.arguments == (2049.0,)
    assert (example.expected, example.got) == (2048.0, 2050.0)
    assert "tie" in str(example.explanation)
    text = str(report)
    for words in ("<lambda>(2049.0)", "0x6800", "0x6801", "rounds ties away from zero", "still missing: ties"):
        assert words in text
    page = report._repr_html_()
    assert "&lt;lambda&gt;(2049.0)" in page
    assert "<lambda>" not in page


def test_the_simplest_is_found_among_all_numbers_and_not_only_the_interesting_ones():
    # 37 is no interesting number of binary16: nothing happens there.
    assert 37.0 not in prepared(TASKS["rounding"], fs.BINARY16, EVEN, False).columns[0]
    report = grade.rounding(lambda x: 0.0 if x in (37.0, 65504.0) else fs.round_to(x))
    assert report.counterexample.arguments == (37.0,)


# --- the rest -------------------------------------------------------------------------------------------------------


def test_a_learners_test_is_graded_by_the_wrong_rounders_that_it_lets_pass():
    def weak(rounder):
        assert rounder(1.0) == 1.0
        assert rounder(2049.0) == 2048.0

    def strong(rounder):
        x = prepared(TASKS["rounding"], fs.BINARY16, EVEN, False).columns[0]
        with np.errstate(all="ignore"):
            same = list(map(repr, rounder(x).tolist())) == list(map(repr, fs.round_to(x).tolist()))
        assert same  # of two long lists pytest would draw up the differences, on CI for minutes

    def refusing(rounder):
        raise AssertionError

    assert grade.tests(strong).passed
    report = grade.tests(weak)
    assert 5 < report.score < 50
    assert "one that flushes subnormal results to zero" in report.missing
    assert grade.tests(refusing).score == 0
    assert "refuses the right rounder" in grade.tests(refusing).problem


def test_a_learners_test_has_twenty_times_the_budget():
    def slow(rounder):
        time.sleep(0.02)
        assert rounder(1.0) == 1.0

    tried = [grade.tests(slow, budget=budget).groups[-1].tried for budget in (0.2, 0.01)]
    assert tried == [1, 0]  # 38 calls take 0.8 seconds: less than 20 * 0.2, more than 20 * 0.01


def test_own_cases_are_compared_exactly():
    assert grade.cases(lambda x: -x, [((0.0,), -0.0), ((math.nan,), math.nan)]).passed
    report = grade.cases(lambda a, b: (a, b), [((1, 2), (1, 2)), ((0.0, 1), (-0.0, 1))])
    assert not report.passed
    assert report.counterexample.expected_text == "(-0.0, 1)"
    with pytest.raises(ValueError, match="which is not"):
        grade.cases(abs, [(1, 1)])


def test_assert_correct_raises_with_the_report():
    grade.assert_correct(quiet(lambda a, b: fs.add(a, b, TOY)), "add", TOY)
    with pytest.raises(AssertionError, match="rounds ties away from zero"):
        grade.assert_correct(lambda x: fs.round_to(x, TOY, "ties_to_away"), "rounding", TOY)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: grade.run(abs, "round"), "task='round' is unknown; did you mean 'rounding'? use one of rounding"),
        (lambda: grade.rounding(abs, "binary64"), "fmt=binary64 is too wide"),
        (lambda: grade.rounding(abs, "binary16", "stochastic"), "use the task 'stochastic'"),
        (lambda: grade.rounding(abs, time_limit=0), "time_limit=0 must be more than 0"),
        (lambda: grade.add(abs, "e2m1fn"), "fmt=e2m1fn has no NaN"),
        (lambda: LearnerFile("nowhere.py"), "there is no such file"),
    ],
)
def test_a_mistake_of_the_teacher_is_an_error(call, says):
    with pytest.raises(ValueError, match=r".") as caught:
        call()
    assert says in str(caught.value)
    with pytest.raises(TypeError, match="give the function itself"):
        grade.rounding(3)


@pytest.mark.parametrize(
    ("task", "arguments", "fmt", "says"),
    [
        ("decode", (0x7F,), "e4m3fn", "NaN: all bits after the sign are 1"),
        ("decode", (0x80,), "e4m3fnuz", "NaN: its code is the one that -0 would have"),
        ("decode", (0xFF,), "e8m0fnu", "bits: biased exponent 255, trailing significand 0\nNaN: all bits are 1"),
        ("decode", (0,), "e8m0fnu", "normal: +(1 + 0/2^0) * 2^(0 - 127)"),
        ("decode", (0xFE,), "binary8p3ue", "infinity: the code before that of NaN"),
        ("decode", (0x7F,), "binary8p3se", "infinity: the largest code of its sign"),
        ("decode", (0x7E01,), "binary16", "the topmost biased exponent and a trailing significand other than 0"),
        ("ulp", (0.0,), "binary16", "min_subnormal = 2^-24"),
        ("ulp", (3 * 2.0**-24,), "binary16", "the ulp is 2 to the power max(-23, emin = -14) - 10 = -24"),
    ],
)
def test_an_explanation_is_true_at_the_ends_of_a_format(task, arguments, fmt, says):
    assert says in why(task, arguments, fs.get_format(fmt), EVEN)


def test_a_report_is_frozen_and_json_able():
    import dataclasses
    import json

    report = grade.rounding(lambda x: x, TOY)
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.task = ""
    assert json.loads(json.dumps(report.to_dict()))["misconceptions"] == ["does not round at all"]


def test_every_task_says_what_to_write_and_has_a_grader_of_its_name():
    for name, task in TASKS.items():
        assert f" {name} " in f"{grade.__doc__}".replace("\n", " ").replace(".", " ")
        grader = getattr(grade, name)
        assert task.signature in grader.__doc__
        assert task.statement in grader.__doc__


def test_formats_too_wide_for_all_cases_are_graded_by_the_interesting_ones():
    assert grade.rounding(lambda x: fs.round_to(x, "binary32", "to_odd"), "binary32", "to_odd").passed
    assert grade.next_up(lambda x: fs.next_up(x, "binary32"), "binary32").passed
    assert not grade.rounding(lambda x: fs.round_to(x, "binary32"), "binary32", "to_odd").passed
