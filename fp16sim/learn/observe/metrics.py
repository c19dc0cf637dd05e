"""How good a classifier is: accuracy, the confusion matrix, and precision, recall and F1 of each class and on average.

All are ratios of counts. For one class they are

    true positives    rows of this class that were predicted as this class
    predicted         rows that were predicted as this class
    support           rows of this class

Precision is true positives / predicted: how many of the predictions are right. Recall is true positives / support: how
many of the rows were found. F1 is their harmonic mean, 2 true positives / (predicted + support). Recall is not
accuracy, which is all right rows over all rows, whatever their class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...conversion import Array, plain_array
from ..data.dataset import check_labels


def accuracy(logits: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """How many rows have their largest logit at the label, as a share of all; a row with NaN counts as wrong.

    >>> accuracy([[0.1, 0.9], [0.8, 0.2]], [1, 1])
    0.5
    """
    return float(is_right(logits, labels).mean())


def is_right(logits: npt.ArrayLike, labels: npt.ArrayLike) -> Array:
    """Whether each row has its largest logit at the label; a row with NaN has not.

    >>> is_right([[0.1, 0.9], [0.8, 0.2]], [1, 1]).tolist()
    [True, False]
    """
    scores = plain_array(logits, "logits", np.float64)
    return (scores.argmax(axis=1) == plain_array(labels, "labels")) & ~np.isnan(scores).any(axis=1)


def bits_per_character(logits: npt.ArrayLike, targets: npt.ArrayLike) -> float | None:
    """-log2 of the probability of each target, on average: in binary64, from logits of shape (..., characters).

    None if the logits do not have that shape; NaN if one of them is NaN or +infinity.

    >>> bits_per_character([[[0.0, 0.0], [3.0, 3.0]]], [[0, 1]])
    1.0
    """
    scores, chosen = plain_array(logits, "logits", np.float64), plain_array(targets, "targets")
    if scores.shape[:-1] != chosen.shape or not chosen.size or chosen.max() >= scores.shape[-1]:
        return None
    shifted = scores - scores.max(axis=-1, keepdims=True)
    of_target = np.take_along_axis(shifted, chosen[..., None], axis=-1)[..., 0]
    return float((np.log(np.exp(shifted).sum(axis=-1)) - of_target).mean() / np.log(2.0))


def confusion_matrix(labels: npt.ArrayLike, predicted: npt.ArrayLike, classes: int | None = None) -> Array:
    """Exact counts: row i, column j is how many rows of class i were predicted as class j.

    Parameters
    ----------
    labels, predicted : array_like of int, of shape (n,)
        The true classes, and the predicted ones: `logits.argmax(axis=1)`.
    classes : int, optional
        How many there are; the largest that occurs, plus 1, unless given.

    Returns
    -------
    array of int64, of shape (classes, classes)

    Raises
    ------
    ValueError
        If the two differ in length, or a class is out of range.

    Examples
    --------
    >>> confusion_matrix([0, 0, 1, 2], [0, 1, 1, 1]).tolist()
    [[1, 1, 0], [0, 1, 0], [0, 1, 0]]
    """
    labels, predicted = check_labels("labels", labels, classes), check_labels("predicted", predicted, classes)
    if len(labels) != len(predicted):
        raise ValueError(f"{len(labels)} labels and {len(predicted)} predicted; give one of each for each row")
    if classes is None:
        classes = max(int(x.max(initial=-1)) for x in (labels, predicted)) + 1
    return np.bincount(labels * classes + predicted, minlength=classes * classes).reshape(classes, classes)


class Scores(NamedTuple):
    """Precision, recall and F1 of one class, or averaged; support is the number of rows that they are taken from."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class ClassReport:
    """Scores of each class and their averages. `print` shows them as a table.

    A ratio 0/0 counts as 0, as in scikit-learn: the precision of a class that is never predicted, the recall of a class
    that never occurs, the F1 of a class with both.

    Attributes
    ----------
    per_class : tuple of Scores
    accuracy : float
    macro : Scores
        The mean over classes: a rare class counts as much as a common one. Only classes that occur in the labels or
        the predictions count, or all if the number of classes was given.
    micro : Scores
        From the sums of the counts over all classes. Each row has one class here, so all three are the accuracy.
    weighted : Scores
        The mean over classes, weighted by their support; its recall is the accuracy.
    names : tuple of str
        The names of the classes in the table; their numbers if empty.
    """

    per_class: tuple[Scores, ...]
    accuracy: float
    macro: Scores
    micro: Scores
    weighted: Scores
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        names = self.names or tuple(map(str, range(len(self.per_class))))
        rows = [*zip(names, self.per_class, strict=True)]
        rows += [("macro average", self.macro), ("micro average", self.micro), ("weighted average", self.weighted)]
        wide = max(len(name) for name, _ in rows)
        lines = [f"{'class':{wide}}  precision  recall      f1  support"]
        lines += [f"{name:{wide}}  {p:9.4f}  {r:6.4f}  {f:6.4f}  {n:7d}" for name, (p, r, f, n) in rows]
        return "\n".join([*lines[: len(names) + 1], "", *lines[len(names) + 1 :], "", f"accuracy {self.accuracy:.4f}"])


def class_report(
    labels: npt.ArrayLike, predicted: npt.ArrayLike, classes: int | None = None, *, names: tuple[str, ...] = ()
) -> ClassReport:
    """Precision, recall and F1 of every class, and their averages: ratios of exact counts, in binary64.

    Parameters
    ----------
    labels, predicted : array_like of int, of shape (n,)
    classes : int, optional
    names : tuple of str, optional
        Of the classes, for the table.

    Raises
    ------
    ValueError
        If labels is empty, the two differ in length, a class is out of range, or names do not fit the classes.

    Examples
    --------
    >>> print(class_report([0, 0, 1, 2], [0, 1, 1, 1]))
    class             precision  recall      f1  support
    0                    1.0000  0.5000  0.6667        2
    1                    0.3333  1.0000  0.5000        1
    2                    0.0000  0.0000  0.0000        1
    <BLANKLINE>
    macro average        0.4444  0.5000  0.3889        4
    micro average        0.5000  0.5000  0.5000        4
    weighted average     0.5833  0.5000  0.4583        4
    <BLANKLINE>
    accuracy 0.5000
    """
    matrix = confusion_matrix(labels, predicted, classes)
    total = int(matrix.sum())
    if not total:
        raise ValueError("labels is empty; give at least one row")
    if names and len(names) != len(matrix):
        raise ValueError(f"names={names} has {len(names)} names for {len(matrix)} classes; give one for each")
    right, assigned, support = matrix.diagonal(), matrix.sum(axis=0), matrix.sum(axis=1)
    scores = np.stack([_ratio(right, assigned), _ratio(right, support), _ratio(2 * right, assigned + support)])
    per_class = (_scores(column, int(n)) for column, n in zip(scores.T, support, strict=True))
    overall, counted = int(right.sum()) / total, (assigned + support > 0) | (classes is not None)
    return ClassReport(
        tuple(per_class),
        overall,
        _scores(scores[:, counted].mean(axis=1), total),
        Scores(overall, overall, overall, total),
        _scores((scores * support).sum(axis=1) / total, total),
        tuple(names),
    )


def _scores(ratios: Array, support: int) -> Scores:
    precision, recall, f1 = map(float, ratios)
    return Scores(precision, recall, f1, support)


def _ratio(a: Array, b: Array) -> Array:
    """a / b, and 0 where b is 0."""
    return np.divide(a, b, out=np.zeros(len(a)), where=b != 0)
