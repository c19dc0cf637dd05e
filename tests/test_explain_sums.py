"""explain.sum, mean, norm and softmax equal what they explain, and say where the error of a long sum comes from."""

import json
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fp16sim as fs
from fp16sim import explain
from fp16sim.accumulators import Blas, Kahan, Pairwise, Sequential
from fp16sim.cli import main

from .support import MODES, assert_same_codes, bit_patterns

pytestmark = pytest.mark.usefixtures("quiet")

NUMBERS = st.one_of(st.floats(width=16), st.floats(-100, 100), st.sampled_from([0.0, -0.0, 1.0, 2048.0, 2.0**-24]))
LISTS = st.lists(NUMBERS, min_size=1, max_size=6)
HOW = [
    lambda fmt, mode: None,
    lambda fmt, mode: Sequential("binary32", mode),
    lambda fmt, mode: Pairwise(fmt, mode),
    lambda fmt, mode: Kahan(fmt, mode),
]


@settings(max_examples=25)
@given(st.sampled_from(["sum", "mean", "norm"]), LISTS, st.sampled_from(MODES[:-1]), st.sampled_from(HOW))
def test_a_sum_mean_or_norm_is_explained_as_it_is_computed(name, x, mode, how):
    accumulator = how("binary16", mode)
    why = getattr(explain, name)(x, "binary16", mode, accumulator=accumulator)
    with fs.record_flags() as raised:
        y = getattr(fs, name)(x, "binary16", mode, accumulator=accumulator)
    assert bit_patterns(float(why.result.value)) == bit_patterns(y)
    assert why.flags == raised.names()


def by_arrays(x, accumulator, shift):
    """The softmax of a FloatArray, by its own operations."""
    e = (x - x.max() if shift else x).exp()
    return e / e.sum(accumulator=accumulator)


@settings(max_examples=25)
@given(LISTS, st.sampled_from(["binary16", "bfloat16"]), st.sampled_from(MODES), st.sampled_from(HOW), st.booleans())
def test_a_softmax_is_explained_as_arrays_compute_it(x, fmt, mode, how, shift):
    accumulator = how(fmt, mode if mode in MODES[:-1] else "ties_to_even")
    why = explain.softmax(x, fmt, mode, accumulator=accumulator, shift=shift, rng=5)
    with fs.record_flags() as raised, np.errstate(all="ignore"):
        y = by_arrays(fs.array(x, fmt, mode, rng=np.random.default_rng(5)), accumulator, shift)
    assert_same_codes([float(one.value) for one in why.results], y.values, why.fmt)
    assert why.flags == raised.names()
    assert max(map(len, str(why).splitlines())) <= 80
    assert json.loads(json.dumps(why.to_dict()))["vanished"] == list(why.vanished)


def test_the_exact_softmax_has_fifty_digits():
    gmpy2 = pytest.importorskip("gmpy2")
    x = [0.5, -300.0, 18.0, -0.0, -math.inf, 17.984375]
    with gmpy2.context(precision=400):
        powers = [gmpy2.exp(gmpy2.mpfr(one)) for one in x]
        truth = [power / sum(powers) for power in powers]
    for found, right in zip(explain.softmax(x).exact, truth, strict=True):
        assert abs(found - Fraction(*right.as_integer_ratio())) <= found / 10**50
    assert [math.isnan(y) for y in explain.softmax([math.inf, 1.0]).exact] == [True, True]


def test_a_probability_that_becomes_0_is_named_with_its_logarithm():
    why = explain.softmax([0, 18, 5])
    assert (why.vanished, why.worst.name) == ((0,), "s2")
    assert "y0 became 0, though y0 is 1.52299...e-08 exactly" in str(why)
    naive = explain.softmax([12, 11], shift=False)
    assert (naive.worst.name, naive.results[0].kind) == ("e0", "quietNaN")
    assert "exp(x0) overflows: subtract the largest number first." in str(naive)
    assert "where the error" not in str(explain.softmax([0, 0]))


# --- where the error of a sum comes from ------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["sequential", "pairwise", "fused", "blocked"])
def test_the_errors_of_the_steps_add_up_to_that_of_the_sum(how):
    x = np.random.default_rng(0).uniform(0, 1, 40)
    why = explain.sum(x, "binary16", accumulator=how)
    assert sum(step.error for step in why.steps) == why.total - why.exact
    assert abs(why.worst.error) == max(abs(step.error) for step in why.steps)


def test_absorbed_addends_are_those_that_leave_the_sum_as_it_was():
    why = explain.sum([2048, 1, 2, 0, -0.5], "binary16")
    assert [step.name for step in why.absorbed] == ["s1", "s4"]  # the 0 is no loss
    assert "2 of 4 additions leave the sum as it was (absorption), the first" in str(why)
    assert why.to_dict()["absorbed"] == ["s1", "s4"]
    fused = explain.dot([2048, 1], [1, 1], accumulator="fused")
    assert [step.formula for step in fused.absorbed] == ["a1 × b1 + s0"]
    assert "1 of 1 addition leaves" in str(fused)
    assert "compensation puts that back" in str(explain.sum([2048, 1, 1], accumulator="kahan"))


@pytest.mark.parametrize("how", ["sequential", "pairwise", "blocked", "fused"])
def test_as_many_addends_are_absorbed_as_the_recorder_counts(how):
    x = np.random.default_rng(1).uniform(0, 1, 90) ** 9 * 100
    with fs.record_flags(only=["absorbed"]) as raised:
        fs.sum(x, "bfloat16", accumulator=how)
    assert len(explain.sum(x, "bfloat16", accumulator=how).absorbed) == raised.absorbed.count > 9


def test_a_long_sum_is_shown_by_its_first_its_worst_and_its_last_steps():
    x = [1.0] * 90
    x[50] = 2047.0
    why = explain.sum(x, "binary16")
    said = str(why)
    assert len(said.splitlines()) < 60
    for name in ("s1 ", "s8 ", "s50", "s89"):
        assert f"\n  {name} " in said, name
    assert "\n  ...  " in said
    assert f"{len(why.steps) - said.count(' ulp cut') - said.count('  exact')} steps left out" in " ".join(said.split())
    assert [step.name for step in why.absorbed][:2] == ["s51", "s52"]
    assert "worst step" not in str(explain.sum([2048, 1]))


def test_overflow_is_named_by_the_step_in_which_it_happens():
    said = str(explain.mean([60000, 60000]))
    assert "overflow  s1 = x0 + x1 is the first step that is not finite: inf." in said
    assert "not finite" not in str(explain.sum([math.inf, 1]))  # it was given


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: explain.softmax([]), ValueError, "x has 0 elements"),
        (lambda: explain.softmax(3), TypeError, "x=3 is not a vector"),
        (lambda: explain.softmax([1], "width=40,precision=30,bias=3000"), ValueError, "binary64"),
        (lambda: explain.softmax([1], accumulator=Blas()), TypeError, "not a loop of rounded operations"),
        (lambda: explain.sum([[1, 2]]), TypeError, "is not one number"),
        (lambda: explain.mean(np.ones((2, 2))), TypeError, "is not a vector"),
    ],
)
def test_what_cannot_be_explained_is_refused(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_the_command_line_explains_a_softmax_and_names_its_accumulator(capsys, tmp_path):
    assert main(["explain", "softmax([0, 18, 5])", "--json"]) in (None, 0)
    assert json.loads(capsys.readouterr().out)["vanished"] == [0]
    page = tmp_path / "page.html"
    assert main(["explain", "softmax([12, 2 * 5.5])", "--accumulator", "kahan:binary32", "-o", str(page)]) in (None, 0)
    assert "Kahan(binary32)" in page.read_text(encoding="utf-8")
    assert main(["explain", "softmax([1, 2]) + 1"]) != 0
    assert "softmax gives a list, so it stands alone" in capsys.readouterr().err
