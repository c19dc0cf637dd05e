"""Metrics: counts that are exact, ratios that are scikit-learn's, and the cases where a ratio is 0/0."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fp16sim.learn import ClassReport, Scores, accuracy, class_report, confusion_matrix

# Rows (0, 0, 0, 1, 1, 2) of which one of each of 0 and 1 is missed; class 3 is predicted and never occurs, class 4 the
# same the other way round. The numbers are scikit-learn's, and fractions that one can check by hand.
LABELS, PREDICTED = [0, 0, 0, 1, 1, 2, 4], [0, 0, 1, 1, 3, 2, 0]
PINNED = ClassReport(
    per_class=(
        Scores(2 / 3, 2 / 3, 2 / 3, 3),
        Scores(1 / 2, 1 / 2, 1 / 2, 2),
        Scores(1.0, 1.0, 1.0, 1),
        Scores(0.0, 0.0, 0.0, 0),
        Scores(0.0, 0.0, 0.0, 1),
    ),
    accuracy=4 / 7,
    macro=Scores(13 / 30, 13 / 30, 13 / 30, 7),
    micro=Scores(4 / 7, 4 / 7, 4 / 7, 7),
    weighted=Scores(4 / 7, 4 / 7, 4 / 7, 7),
)


def numbers(report):
    averages = [report.macro, report.micro, report.weighted]
    return np.array([*report.per_class, *averages, (report.accuracy,) * 4], float)


def test_a_report_with_every_case_of_zero_division_is_the_pinned_one():
    assert numbers(class_report(LABELS, PREDICTED)) == pytest.approx(numbers(PINNED), abs=1e-15)


def test_precision_and_recall_are_not_confused():
    report = class_report([0, 0, 0, 1], [0, 1, 1, 1])
    assert report.per_class[0][:2] == (1.0, pytest.approx(1 / 3))
    assert report.per_class[1][:2] == (pytest.approx(1 / 3), 1.0)
    assert report.per_class[0].f1 == pytest.approx(1 / 2)
    assert report.accuracy == 1 / 2
    assert report.weighted.precision == pytest.approx((3 * 1 + 1 / 3) / 4)


@pytest.mark.parametrize("given_classes", [True, False], ids=["classes given", "classes that occur"])
def test_reports_are_those_of_scikit_learn(given_classes):
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    for _ in range(150):
        n, k = int(rng.integers(1, 40)), int(rng.integers(1, 7))
        labels, predicted = rng.integers(0, k, (2, n))
        predicted = np.where(rng.random(n) < 0.6, labels, predicted)
        occurring = sorted({*labels.tolist(), *predicted.tolist()})
        chosen = list(range(k)) if given_classes else occurring
        report = class_report(labels, predicted, k if given_classes else None)
        theirs = {"labels": chosen, "zero_division": 0}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            per_class = np.array(metrics.precision_recall_fscore_support(labels, predicted, **theirs), float)
            matrix = metrics.confusion_matrix(labels, predicted, labels=chosen)
            averages = {
                average: metrics.precision_recall_fscore_support(
                    labels, predicted, average=average, **({"zero_division": 0} if not given_classes else theirs)
                )
                for average in ("macro", "micro", "weighted")
            }
        ours = np.array(report.per_class, float).T[:, chosen]
        assert ours == pytest.approx(per_class, abs=1e-15)
        size = k if given_classes else max(occurring) + 1
        assert (confusion_matrix(labels, predicted, size)[np.ix_(chosen, chosen)] == matrix).all()
        for average, expected in averages.items():
            assert getattr(report, average)[:3] == pytest.approx(expected[:3], abs=1e-15), average
        assert report.accuracy == metrics.accuracy_score(labels, predicted)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=60))
def test_identities_between_the_averages(rows):
    labels, predicted = zip(*rows, strict=True)
    report, matrix = class_report(labels, predicted), confusion_matrix(labels, predicted)
    assert matrix.sum() == len(rows)
    assert matrix.trace() / len(rows) == report.accuracy
    assert report.weighted.recall == pytest.approx(report.accuracy)
    assert report.micro[:3] == (report.accuracy,) * 3
    assert (confusion_matrix(predicted, labels) == matrix.T).all()
    assert all(min(p, r) - 1e-12 <= f <= max(p, r) + 1e-12 for p, r, f, _ in report.per_class)


def test_a_report_reads_as_a_table():
    text = str(class_report([0, 1, 1], [0, 1, 0], names=("shoe", "a long name")))
    lines = text.splitlines()
    assert lines[0].split() == ["class", "precision", "recall", "f1", "support"]
    assert lines[1].split() == ["shoe", "0.5000", "1.0000", "0.6667", "1"]
    assert lines[2].split() == ["a", "long", "name", "1.0000", "0.5000", "0.6667", "2"]
    assert lines[-1] == "accuracy 0.6667"
    assert len({len(line) for line in lines[:3]}) == 1


def test_a_row_with_nan_counts_as_wrong():
    assert accuracy([[0.2, np.nan], [0.9, 0.1]], [1, 0]) == 0.5


@pytest.mark.parametrize(
    ("arguments", "how", "says"),
    [
        (([0, 1], [0]), {}, "2 labels and 1 predicted"),
        (([0, 3], [0, 1]), {"classes": 3}, r"labels\[1\]=3 is out of range; labels go from 0 to 2"),
        (([0, 1], [0, -1]), {}, r"predicted\[1\]=-1 is out of range"),
        (([0, 1], np.eye(2)), {}, "for one-hot labels"),
        (([], []), {}, "labels is empty"),
        (([0, 1], [0, 1]), {"names": ("a",)}, "has 1 names for 2 classes"),
    ],
)
def test_metrics_refuse_what_cannot_be_counted(arguments, how, says):
    with pytest.raises(ValueError, match=says):
        class_report(*arguments, **how)
