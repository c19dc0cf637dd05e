"""What a report says: the score, exceptions before misconceptions, the input that matters; results of any kind."""

import itertools
import json
import math
import time
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import faults
from fp16sim.formats import BINARY16, Rounding
from fp16sim.teach import grade
from fp16sim.teach.grading.plain import Other, Raised, from_json, is_plain, plain, to_json
from fp16sim.teach.grading.report import Group, Report

from .test_grade import TOY, quiet


def cases_right(right, total, hang_at=None):
    """The report on a function that is right for its first cases only."""

    def function(n):
        while n == hang_at:
            pass
        return n if n < right else -1

    return grade.cases(function, [((n,), n) for n in range(total)], time_limit=0.3)


# --- the score ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("right", "total", "hang_at", "score", "verdict"),
    [
        (0, 1, None, 0, "not yet: 0 of 1 case is right. Score 0 of 100."),
        (0, 3, None, 0, "not yet: 0 of 3 cases are right. Score 0 of 100."),
        (1, 2, 1, 50, "not yet: 1 of 2 cases are right. Score 50 of 100."),
        (0, 2, 0, 0, "not yet: 0 of 2 cases are right. Score 0 of 100."),
        (7, 12, None, 58, "not yet: 7 of 12 cases are right. Score 58 of 100."),
        (2, 3, None, 66, "not yet: 2 of 3 cases are right. Score 66 of 100."),
        (299, 300, None, 99, "not yet: 299 of 300 cases are right. Score 99 of 100."),
        (1, 1, None, 100, "passed: 1 case is right. Score 100 of 100."),
        (300, 300, None, 100, "passed: all 300 cases are right. Score 100 of 100."),
    ],
)
def test_the_score_is_the_percentage_of_right_cases_rounded_down(right, total, hang_at, score, verdict):
    report = cases_right(right, total, hang_at)
    assert report.score == score
    assert report.verdict == verdict
    assert report.passed == (score == 100)
    assert ("did not return within 0.3 seconds" in report.problem) == (hang_at is not None)


def test_the_cases_that_count_do_not_depend_on_which_is_wrong():
    totals = set()
    for wrong in (2.0, 2049.0, 65504.0):
        report = grade.rounding(lambda x, wrong=wrong: 0.0 if x == wrong else fs.round_to(x))
        assert report.score == 99
        totals.add(sum(group.total for group in report.groups))
    assert len(totals) == 1


def test_a_score_of_100_means_passed_whatever_the_counts():
    def report(*groups, problem=""):
        return Report("cases", "f", BINARY16, Rounding.TIES_TO_EVEN, groups, problem=problem)

    right, untried = Group("a", 10**6, 10**6, 10**6), Group("b", 0, 0, 1)
    assert (report(right).score, report(right).passed) == (100, True)
    assert (report(right, untried).score, report(right, untried).passed) == (99, False)
    assert (report(right, problem="It crashed.").score, report(right, problem="It crashed.").passed) == (99, False)
    assert (report().score, report().passed) == (0, False)


def test_cases_that_were_not_reached_are_listed_and_the_way_to_more_time_is_said():
    def slow(n):
        time.sleep(0.05)
        return n

    report = grade.cases(slow, [((n,), n) for n in range(40)], budget=0.5)
    assert not report.passed
    assert 0 < report.score < 60
    assert f"({40 - report.groups[0].tried} not tried)" in str(report)
    assert "(budget= in Python, --budget in the command)" in report.note


def test_the_time_for_all_calls_is_for_all_of_them():
    """Not the same time again for the sample, for arrays, for numbers, and for every case of the format."""

    def slow(x):
        if np.ndim(x):
            raise TypeError
        time.sleep(0.004)
        return fs.round_to(x)

    start = time.monotonic()
    report = grade.rounding(slow, budget=0.8)
    assert time.monotonic() - start < 8
    assert sum(group.tried for group in report.groups) < 220


def test_a_function_that_is_wrong_and_hangs_on_a_simpler_number_is_reported():
    def both(x):
        while x == 37.0:
            pass
        return 0.0 if x == 65504.0 else fs.round_to(x)

    report = grade.rounding(both, time_limit=0.3)
    assert report.problem == (
        "both(37.0) did not return within 0.3 seconds (an endless loop?). The cases after it were not tried."
    )
    assert report.counterexample.arguments == (65504.0,)


# --- exceptions and misconceptions ----------------------------------------------------------------------------------


def test_exceptions_come_before_misconceptions():
    def raises(x):
        if not math.isfinite(x):
            raise OverflowError("cannot convert")
        return fs.round_to(x) + 0.0  # drops the sign of zero

    report = grade.rounding(raises)
    assert report.misconceptions == ()
    assert report.unanswered.startswith('In 3 cases there is no answer to compare; the simplest: raises(float("inf")) ')
    assert "raised OverflowError, line" in report.unanswered
    lines = str(report).splitlines()
    first = next(i for i, line in enumerate(lines) if "no answer to compare" in line)
    assert first < next(i for i, line in enumerate(lines) if "the simplest wrong case: raises(-0.0)" in line)
    assert "no answer to compare" in report._repr_html_()
    assert report.to_dict()["unanswered"] == report.unanswered


@pytest.mark.parametrize("name", ["truncates", "drops_sign_of_zero", "nan_to_zero", "saturates"])
def test_no_misconception_is_named_for_a_function_that_also_raises(name):
    fault = faults.find(name)

    def raises(x):
        if x == 2.0:
            raise ValueError
        return float(fault(x, TOY))

    report = grade.rounding(quiet(raises), TOY)
    assert report.misconceptions == ()
    assert report.unanswered or report.counterexample.arguments == (2.0,)


def test_ties_up_are_called_so_before_the_sum_that_is_rounded():
    def floor_half(x):
        if not math.isfinite(x) or abs(x) >= 2.0**17:
            return x if x != x else math.copysign(math.inf, x)
        u = 2.0 ** (max(math.frexp(x)[1] - 1 if x else -14, -14) - 10)
        y = math.copysign(math.floor(x / u + 0.5) * u, x)
        return math.copysign(math.inf, x) if abs(y) > 65504 else y

    report = grade.rounding(floor_half)
    assert report.counterexample.arguments == (2049.0,)  # there the sum is exact
    assert report.misconception.startswith("rounds ties up (toward +inf), not to even")


def test_flushing_inputs_and_flushing_results_have_their_names():
    def flushed(x):
        return math.copysign(0.0, x) if abs(x) < TOY.min_normal else x

    report = grade.rounding(quiet(lambda x: fs.round_to(flushed(x), TOY)), TOY)
    assert report.misconceptions == ("treats everything below min_normal as zero, before it is rounded",)
    report = grade.rounding(quiet(lambda x: flushed(fs.round_to(x, TOY))), TOY)
    assert report.misconceptions == ("flushes subnormal results to zero",)
    for task in ("add", "subtract", "multiply", "divide", "fma", "sqrt"):
        operation = getattr(fs, task)
        report = grade.run(quiet(lambda *x, operation=operation: operation(*map(flushed, x), TOY)), task, TOY)
        assert report.misconceptions == ("treats subnormal operands as zero",), task


def test_a_stochastic_rounding_that_moves_exact_numbers_is_named():
    def or_equal(x, u):
        if not math.isfinite(x) or abs(x) >= 65536:
            return x if x != x else math.copysign(math.inf, x)
        ulp = 2.0 ** (max(math.frexp(x)[1] - 1 if x else -14, -14) - 10)
        below = math.floor(abs(x) / ulp)
        size = (below + (u <= abs(x) / ulp - below)) * ulp
        return math.copysign(math.inf if size > 65504 else size, x)

    report = grade.stochastic(or_equal)
    assert report.counterexample.arguments == (0.0, 0.0)
    assert report.misconceptions == ("goes away from zero also where u is equal to the fraction",)


# --- tests that learners write --------------------------------------------------------------------------------------


def test_a_wrong_rounder_that_a_test_accepts_comes_with_a_number_that_it_rounds_wrongly():
    def check(rounder):
        for x in (1.0, 1.005, -1.005, 1e38, math.inf):
            assert repr(rounder(x)) == repr(float(fs.round_to(x, "bfloat16", "toward_zero")))

    report = grade.tests(check, "bfloat16", "toward_zero")
    assert report.counterexample.shown == "check(a rounder that drops the sign of zero: every zero is +0)"
    assert str(report.counterexample.explanation).startswith("it rounds -0.0 to 0.0; -0.0 is right.")


def test_a_test_that_refuses_the_right_rounder_is_told_what_it_asked_last():
    def check(rounder):
        assert rounder(1.0) == 1.0
        assert rounder(4e38) == math.inf  # toward zero it is the largest number

    report = grade.tests(check, "bfloat16", "toward_zero")
    assert report.score == 0
    assert "check refuses the right rounder, too: it raised AssertionError, line" in report.problem
    assert report.problem.endswith("Before that it asked rounder(4e+38), and 3.3895313892515355e+38 is right.")


def test_a_test_that_counts_its_calls_refuses_the_right_rounder():
    calls = itertools.count()

    def check(rounder):
        assert next(calls) == 0

    assert "check refuses the right rounder, too" in grade.tests(check).problem


# --- results of any kind --------------------------------------------------------------------------------------------

INTEGERS = (np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64, np.intp, np.longlong)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_every_integer_of_numpy_is_an_answer(dtype):
    assert grade.cases(lambda n: dtype(2 * n), [((1,), 2), ((3,), 6.0)]).passed
    report = grade.cases(lambda n: dtype(100), [((1,), 0)])
    assert (report.counterexample.expected_text, report.counterexample.got_text) == ("0", "100")
    codes = grade.encode(quiet(lambda x: np.asarray(fs.encode(x, TOY)).astype(dtype)[()]), TOY)
    assert codes.passed
    assert grade.fields(lambda code: (dtype(code >> 5), dtype(code >> 2 & 7), dtype(code & 3)), TOY).passed


@pytest.mark.parametrize(
    "value", [np.float16(1.5), np.float32(1.5), np.longdouble(1.5), Fraction(3, 2), Decimal("1.5")]
)
def test_every_real_number_is_an_answer(value):
    assert grade.cases(lambda n: value, [((1,), 1.5)]).passed


def test_truth_values_of_numpy_are_truth_values_and_no_numbers():
    assert grade.cases(lambda n: np.bool_(n), [((1,), True), ((0,), False)]).passed
    assert "return a number" in grade.rounding(lambda x: np.bool_(True)).counterexample.got_text


def test_integers_are_shown_as_integers():
    report = grade.cases(lambda n: 32768, [((1,), 0)])
    assert "right  0\n    yours  32768" in str(report)
    report = grade.cases(lambda n: (32768, 0.0), [((1,), (0, 0.0))])
    assert "right  (0, 0.0)\n    yours  (32768, 0.0)" in str(report)


def test_a_list_is_shown_as_a_list():
    report = grade.cases(lambda n: [1], [((1,), [0])])
    assert "right  [0]\n    yours  [1]" in str(report)


class Fails:
    """An object that fails when it is read."""

    fmt = 1

    def __init__(self, error):
        self.error = error

    @property
    def values(self):
        raise self.error

    def __repr__(self):
        raise self.error


@pytest.mark.parametrize("error", [KeyError("no"), SystemExit(0), RecursionError(), MemoryError()])
def test_a_result_that_fails_when_it_is_read_is_a_failure_of_its_function(error):
    start = time.monotonic()
    report = grade.rounding(lambda x: Fails(error))
    assert (
        time.monotonic() - start < 5
    )  # an error that is raised again and again does not collect the frames of all calls
    assert report.score == 0
    assert f"raised {type(error).__name__}" in report.counterexample.got_text


def test_a_function_without_a_name_is_graded():
    class Rounder:
        def __call__(self, x):
            return fs.round_to(x, TOY)

        @property
        def __name__(self):
            raise KeyError("no")

    assert grade.rounding(quiet(Rounder()), TOY).passed
    report = grade.rounding(Rounder(), TOY, "toward_zero")
    assert report.function == "Rounder"


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -(2**9000),
        0.1,
        -0.0,
        math.inf,
        5e-324,
        "text \ud800",
        Fraction(1, 3),
        (1, [2.0, ()]),
        frozenset({1.0, "a"}),
        {"a": [1, 2]},
        Raised("ValueError", "no", 3),
        Raised("ValueError", "", None),
        Other("object", "<object>"),
        np.array([0.1, -0.0, math.inf]),
        np.arange(6).reshape(2, 3),
        np.array([True, False]),
        np.array([Fraction(1, 3), None], object),
    ],
)
def test_plain_data_travel_as_json_unchanged(value):
    found = from_json(json.loads(json.dumps(to_json(value))))
    assert type(found) is type(value)
    if isinstance(value, np.ndarray):
        assert found.dtype == value.dtype
        assert repr(found.tolist()) == repr(value.tolist())
    else:
        assert repr(found) == repr(value)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"a": 1, "b": 2},
        {"pickle": "x"},
        {"fraction": [1, 0]},
        {"fraction": ["1/3", None]},
        {"array": ["object", [1], ""]},
        {"array": ["float64", [3], "AAAA"]},
        {"array": ["float64", [-1, -1], ""]},
        {"objects": [[2], [1]]},
        {"tuple": 3},
        {"set": [[1]]},
        {"dict": [1]},
        {"raised": [1]},
    ],
)
def test_other_json_is_refused(data):
    with pytest.raises(ValueError, match="is not plain data"):
        from_json(data)


def test_what_is_not_plain_is_described():
    loop = []
    loop.append(loop)
    assert plain(10**5000) == Other("int", "a number of 16,610 bits")
    assert plain("x" * 2000) == Other("str", "a text of 2,000 characters")
    assert plain(1j) == Other("complex", "1j")
    assert plain([1.0] * 2**21) == Other("list", "a list that is too deep or too long")
    assert not is_plain(plain(loop))
    assert is_plain(plain({"a": (1, [Fraction(1, 3)], np.zeros(2))}))
    assert plain(fs.array([0.1, 2], "binary16")).tolist() == [0.0999755859375, 2.0]


@pytest.mark.parametrize(
    "declared", [{"f": 5}, {"f": ()}, {"f": ("rounding", "binary16", "to_odd", 1)}, {"f": [((), 1)]}]
)
def test_a_table_that_makes_no_sense_is_refused(declared, tmp_path):
    path = tmp_path / "f.py"
    path.write_text("def f(x): return x\n", encoding="utf-8")
    with pytest.raises(ValueError, match="write"):
        grade.file(path, declared=declared)


def test_cases_of_a_file_may_have_any_plain_arguments(tmp_path):
    path = tmp_path / "f.py"
    path.write_text("def f(*x): return [type(y).__name__ for y in x]\n", encoding="utf-8")
    row = (("a", 1, 2.0, True, None, (1,), [2], Fraction(1, 3), np.zeros(2)), None)
    names = ["str", "int", "float", "bool", "NoneType", "tuple", "list", "Fraction", "ndarray"]
    (report,) = grade.file(path, declared={"f": [(row[0], names)]})
    assert report.passed, report
    with pytest.raises(ValueError, match="cannot be given"):
        grade.file(path, declared={"f": [((object(),), 1)]})


def test_a_file_may_name_formats_and_modes_in_any_way(tmp_path):
    path = tmp_path / "f.py"
    path.write_text(
        "import fp16sim as fs\nTOY = fs.Format('toy', width=6, precision=3)\n"
        "TASKS = {'f': ('rounding', TOY, fs.Rounding.TOWARD_ZERO)}\n"
        "TASKS |= {'g': ('rounding', 'e4m3fn'), '_h': ('ulp', 'e5m2')}\n"
        "def f(x): return fs.round_to(x, TOY, 'toward_zero')\ndef g(x): return fs.round_to(x, 'e4m3fn')\n"
        "def _h(x): return fs.ulp(x, 'e5m2')\n",
        encoding="utf-8",
    )
    reports = grade.file(path)
    assert [report.score for report in reports] == [100, 100, 100]
    assert reports[0].fmt == TOY


def test_what_a_file_prints_when_it_is_loaded_is_not_said_of_its_function(tmp_path):
    path = tmp_path / "f.py"
    path.write_text(
        "print('a lesson prints much')\nTASKS = {'f': 'ulp', 'g': 'ulp'}\nimport fp16sim as fs\n"
        "def f(x): return fs.ulp(x)\ndef g(x): print(x); return fs.ulp(x)\n",
        encoding="utf-8",
    )
    assert [report.note for report in grade.file(path)] == ["", "What g printed while it was graded is not shown."]
