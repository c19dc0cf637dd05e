"""Losses: means over a batch, and penalties on weights; every operation is rounded."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from ...accumulators import Accumulator
from ...conversion import Array, plain_array
from .tensor import Operand, Tensor, as_tensor


def cross_entropy(logits: Tensor, labels: npt.ArrayLike, *, accumulator: Accumulator | None = None) -> Tensor:
    """Softmax cross-entropy of logits and class numbers; no exponential overflows in any format.

    Parameters
    ----------
    logits : Tensor
        Of shape (batch, classes), without a softmax; for probabilities use `cross_entropy_of_probabilities`. A second
        softmax would make the gradients small, and no error would say so. Also of shape (batch, time, classes), for a
        class at each position: then the mean over the time is taken first, so that no sum has very many terms.
    labels : array_like of int
        Of shape (batch,) or (batch, time), each from 0 to classes - 1.
    accumulator : Accumulator, optional
        For the sums.

    Raises
    ------
    ValueError
        If the labels are not class numbers; for one-hot rows use `one_hot_cross_entropy`.

    Examples
    --------
    >>> import fp16sim as fs
    >>> logits = Tensor(fs.array([[12.0, 11.0, 10.0]], "binary16"))  # e^12 alone overflows in binary16
    >>> cross_entropy(logits, [0]).value
    FloatArray(0.408, binary16)
    """
    if logits.ndim == 3:
        return _of_sequences(logits, plain_array(labels, "labels"), accumulator)
    chosen = _class_numbers(labels, *_rows_and_classes(logits))
    # A product with a one-hot row would be wrong: in a narrow format log p may be -inf elsewhere, and -inf * 0 is NaN.
    return -logits.log_softmax(accumulator).pick(chosen).sum(accumulator) / len(chosen)


def _of_sequences(logits: Tensor, labels: Array, accumulator: Accumulator | None) -> Tensor:
    batch, time, classes = logits.shape
    if labels.shape != (batch, time):
        raise ValueError(f"labels has shape={labels.shape} and logits has shape={logits.shape}; give one for each row")
    chosen = _class_numbers(labels.reshape(-1), batch * time, classes)
    of_label = logits.reshape(batch * time, classes).log_softmax(accumulator).pick(chosen)
    return -(of_label.reshape(batch, time).sum(accumulator, axis=-1) / time).sum(accumulator) / batch


def one_hot_cross_entropy(logits: Tensor, targets: npt.ArrayLike, *, accumulator: Accumulator | None = None) -> Tensor:
    """Softmax cross-entropy of logits and one-hot rows, or rows of probabilities: -mean of sum(target * log p).

    >>> import fp16sim as fs
    >>> logits = Tensor(fs.array([[12.0, 11.0, 10.0]], "binary16"))
    >>> one_hot_cross_entropy(logits, [[1, 0, 0]]).value
    FloatArray(0.408, binary16)
    """
    rows = _probabilities(targets, logits.value.shape)
    terms = (logits.log_softmax(accumulator) * rows).sum_rows(accumulator)
    return -terms.sum(accumulator) / len(rows)


def cross_entropy_of_probabilities(
    probabilities: Tensor, labels: npt.ArrayLike, *, clip: float = 0.0, accumulator: Accumulator | None = None
) -> Tensor:
    """Cross-entropy of probabilities and class numbers: -mean of log p. A probability of 0 gives infinity.

    In binary16 a softmax output up to 2^-25 becomes 0. `clip`, rounded to the format, is added to each probability to
    keep its logarithm finite; many libraries use 1e-7.

    >>> import fp16sim as fs
    >>> p = Tensor(fs.array([[0.25, 0.75]], "binary16"))
    >>> cross_entropy_of_probabilities(p, [0]).value
    FloatArray(1.387, binary16)
    """
    of_label = probabilities.pick(_class_numbers(labels, *_rows_and_classes(probabilities)))
    return -(of_label + clip if clip else of_label).log().sum(accumulator) / len(of_label.value)


def mean_squared_error(predictions: Tensor, targets: Operand, *, accumulator: Accumulator | None = None) -> Tensor:
    """The mean of (prediction - target)^2 over all elements.

    >>> import fp16sim as fs
    >>> mean_squared_error(Tensor(fs.array([1.0, 2.0], "binary16")), [0.0, 4.0]).value
    FloatArray(2.5, binary16)
    """
    targets = as_tensor(targets, predictions.value)
    if targets.value.shape != predictions.value.shape:
        raise ValueError(
            f"targets has shape={targets.value.shape} and predictions has shape={predictions.value.shape}; give one "
            "target for each prediction"
        )
    difference = predictions - targets
    return (difference * difference).sum(accumulator) / difference.value.size


def l1_penalty(weights: Iterable[Tensor], accumulator: Accumulator | None = None) -> Tensor:
    """The sum of the absolute values of all weights."""
    return _total([abs(w).sum(accumulator) for w in weights])


def l2_penalty(weights: Iterable[Tensor], accumulator: Accumulator | None = None) -> Tensor:
    """The sum of w^2 over all weights."""
    return _total([(w * w).sum(accumulator) for w in weights])


def _total(parts: list[Tensor]) -> Tensor:
    if not parts:
        raise ValueError("weights is empty; give at least one tensor")
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


# --- labels ---------------------------------------------------------------------------------------------------------


def _rows_and_classes(scores: Tensor) -> tuple[int, int]:
    if scores.value.ndim != 2:
        raise ValueError(f"the scores have shape={scores.value.shape} and must have (batch, classes); reshape them")
    rows, classes = scores.value.shape
    return rows, classes


def _class_numbers(labels: npt.ArrayLike, batch: int, classes: int) -> Array:
    """Class numbers as an integer array; ValueError for anything else."""
    labels = plain_array(labels, "labels")
    if labels.shape == (batch, classes) and classes > 1:
        raise ValueError(
            f"labels has shape={labels.shape}, which is that of one-hot rows, but this loss takes class numbers; use "
            "one_hot_cross_entropy, or labels.argmax(axis=1)"
        )
    if labels.shape != (batch,) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"labels has shape={labels.shape} and dtype={labels.dtype}; give {batch} integers, one for each row (for "
            "one-hot rows: labels.argmax(axis=1))"
        )
    if batch and not (labels.min() >= 0 and labels.max() < classes):
        wrong = labels[(labels < 0) | (labels >= classes)][0]
        raise ValueError(f"labels contain {wrong}, but the logits have {classes} classes; use 0 to {classes - 1}")
    return labels


def _probabilities(targets: npt.ArrayLike, shape: tuple[int, ...]) -> Array:
    """Rows of probabilities as a float64 array; ValueError for anything else."""
    targets = plain_array(targets, "targets")
    if targets.shape == shape[:1] and targets.dtype.kind in "iu":
        raise ValueError(
            f"targets has shape={targets.shape} and integers, so class numbers, but this loss takes one-hot rows; use "
            "cross_entropy"
        )
    if targets.shape != shape:
        raise ValueError(f"targets has shape={targets.shape} and logits has shape={shape}; give one row for each")
    rows = targets.astype(np.float64)
    if not (np.all(rows >= 0) and np.allclose(rows.sum(axis=1), 1)):
        raise ValueError("targets has a row of invalid probabilities; all must be 0 or more, and their sum must be 1")
    return rows
