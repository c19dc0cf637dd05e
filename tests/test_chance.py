"""Intervals and tests for accuracies: against their definitions, and that no difference is called one within chance."""

import math
from dataclasses import replace
from fractions import Fraction
from itertools import product

import pytest

from fp16sim.learn import Config, load_digits, train
from fp16sim.learn.chance import LEVEL, Answers, Ranking, mcnemar, wilson
from fp16sim.learn.run.train import ranking
from fp16sim.report.notes import accuracy_text, compared
from fp16sim.report.outcomes import verdict

DIGITS = load_digits()
Z = 1.959963984540054


@pytest.mark.parametrize(("right", "total"), [(0, 10), (1, 10), (353, 359), (355, 359), (9824, 10000), (7, 7)])
def test_the_bounds_of_wilsons_interval_are_where_the_score_test_ends(right, total):
    for bound in wilson(right, total):
        assert 0 <= bound <= 1
        at_the_end = abs(right / total - bound) == pytest.approx(Z * math.sqrt(bound * (1 - bound) / total), abs=1e-12)
        assert at_the_end or (bound, right) in {(0, 0), (1, total)}


def test_an_interval_reaches_0_or_1_only_if_nothing_or_all_is_right():
    assert wilson(0, 10).low == 0 < wilson(1, 10).low
    assert wilson(10, 10).high == 1 > wilson(9, 10).high


@pytest.mark.parametrize("n", range(8))
def test_mcnemars_probability_is_that_of_all_orders_of_a_fair_coin(n):
    for first in range(n + 1):
        far = abs(2 * first - n)
        as_far = sum(abs(2 * sum(coins) - n) >= far for coins in product((0, 1), repeat=n))
        assert mcnemar(first, n - first) == Fraction(as_far, 2**n)


def test_mcnemars_probability_of_many_images_is_finite():
    assert mcnemar(5000, 5000) == 1
    assert 0 < mcnemar(4000, 6000) < 1e-80


def test_only_images_that_one_of_two_models_got_wrong_count():
    first, second = Answers(100, (1, 2, 3)), Answers(100, (1, 2, 50, 51, 52, 53, 54, 55))
    assert first.chance(second) == second.chance(first) == mcnemar(1, 6)
    with pytest.raises(ValueError, match="100 and 99 images differ"):
        first.chance(Answers(99, ()))


@pytest.mark.parametrize(("images", "wrong"), [(0, ()), (3, (3,)), (3, (-1,)), (3, (1, 1)), (3, (2, 1))])
def test_answers_that_cannot_be_are_refused(images, wrong):
    with pytest.raises(ValueError, match="must rise, from 0 to images - 1 at most"):
        Answers(images, wrong)


def several(**wrong):
    return {name: Answers(1000, tuple(range(n))) for name, n in wrong.items()}


def test_a_winner_must_be_better_than_each_other_by_more_than_chance():
    assert Ranking.of(several(a=10, b=30, c=30)).best == "a"
    tied = Ranking.of(several(a=10, b=11, c=30))
    assert tied.best is None
    assert set(tied.beyond) == {("a", "c"), ("b", "c")}
    assert str(tied) == "a and b are better than c. All other differences are within chance."
    assert str(Ranking.of(several(a=10, b=12))) == "The difference is within chance."
    assert Ranking.of(several(a=10)).best is None


def test_the_level_holds_for_all_pairs_together():
    chance = mcnemar(0, 6)
    assert LEVEL / 3 < chance < LEVEL
    assert Ranking.of(several(a=10, b=16)).beyond == (("a", "b"),)
    assert Ranking.of(several(a=10, b=16, c=13)).beyond == ()


# --- what is said about runs ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def runs():
    return [train(Config(fmt, epochs=2, layers=(8,)), DIGITS) for fmt in ("binary16", "bfloat16")]


def with_wrong(history, *wrong):
    """The history of a run that got these of 359 images wrong."""
    answers = Answers(359, wrong)
    last = replace(history.epochs[-1], test_accuracy=answers.accuracy)
    return replace(history, answers=answers, epochs=(last,))


def test_a_history_knows_which_test_images_were_answered_wrongly(runs):
    for history in runs:
        assert history.answers.images == len(DIGITS.test_labels)
        assert history.answers.accuracy == history.epochs[-1].test_accuracy
        assert history.to_dict()["answers"]["wrong"] == list(history.answers.wrong)
        assert history.totals()["interval"] == history.answers.interval


def test_two_images_of_359_make_no_winner(runs):
    first, second = with_wrong(runs[0], *range(6)), with_wrong(runs[1], *range(4))
    assert accuracy_text(first.answers) == "98.3% (96.4 to 99.2)"
    assert verdict([first, second]) == (
        "Both runs finished, with test accuracies from 98.3% to 98.9%: no difference is more than chance."
    )
    assert compared([first, second]).endswith("McNemar's exact test. The difference is within chance.")


def test_a_difference_beyond_chance_names_the_better_run(runs):
    worse, better = with_wrong(runs[0], *range(60)), with_wrong(runs[1], *range(4))
    assert verdict([worse, better]).endswith(": bfloat16 is best.")
    assert compared([worse, better]).endswith("bfloat16 is better than binary16.")


def test_without_a_single_best_run_none_is_named(runs):
    good, as_good, worse = (with_wrong(runs[k], *range(n)) for k, n in ((0, 4), (1, 5), (0, 60)))
    said = verdict([good, as_good, worse])
    assert said == (
        "All 3 runs finished, with test accuracies from 83.3% to 98.9%: some differences are more than chance."
    )


def test_runs_that_died_or_saw_other_images_are_not_compared(runs):
    dead = train(Config("binary16", epsilon=0, loss_scale=1), DIGITS)
    assert ranking([runs[0], dead]) is None
    assert ranking([runs[0], replace(runs[1], answers=Answers(10, ()))]) is None
    assert compared([dead]) == ""
    assert "359 or 10" not in compared(runs)


def test_runs_of_one_name_are_told_apart(runs):
    first, second = with_wrong(runs[0], *range(60)), with_wrong(runs[0], *range(4))
    assert ranking([first, second]).best == "binary16 (run 2)"
