"""Losses: the mean over a batch, every step rounded."""

from __future__ import annotations

from typing import Any

import numpy as np

from .autograd import Tensor, as_tensor


def cross_entropy(logits: Tensor, labels: Any) -> Tensor:
    """Softmax cross-entropy of integer labels, from logits; stable: no exponential overflows in any format.

    Parameters
    ----------
    logits : Tensor
        Of shape (batch, classes).
    labels : array_like of int
        Of shape (batch,), each from 0 to classes - 1.

    Raises
    ------
    ValueError
        For labels that are not such.

    Examples
    --------
    >>> import fp16sim as fs
    >>> logits = Tensor(fs.array([[12.0, 11.0, 10.0]], "binary16"))  # e^12 alone overflows in binary16
    >>> cross_entropy(logits, [0]).value
    FloatArray(0.408, binary16)
    """
    labels = np.asarray(labels)
    batch, classes = logits.value.shape
    if labels.shape != (batch,) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"labels of shape {labels.shape} and dtype {labels.dtype} are not {batch} class numbers; "
            "give integers, one for each row (for one-hot rows: labels.argmax(axis=1))"
        )
    if batch and not (labels.min() >= 0 and labels.max() < classes):
        wrong = labels[(labels < 0) | (labels >= classes)][0]
        raise ValueError(f"labels contain {wrong}, but the logits have {classes} classes; use 0 to {classes - 1}")
    chosen = (logits.log_softmax() * np.eye(classes)[labels]).sum_rows()  # exact: one term of each row is not 0
    return -chosen.sum() / batch


def mean_squared_error(predictions: Tensor, targets: Any) -> Tensor:
    """The mean of (prediction - target)^2 over all elements.

    >>> import fp16sim as fs
    >>> mean_squared_error(Tensor(fs.array([1.0, 2.0], "binary16")), [0.0, 4.0]).value
    FloatArray(2.5, binary16)
    """
    difference = predictions - as_tensor(targets, predictions.value)
    return (difference * difference).sum() / difference.value.size
