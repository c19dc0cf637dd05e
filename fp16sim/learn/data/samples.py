"""Data for models of your own: inputs and targets of any shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...conversion import Array, plain_array
from ...wording import quoted
from .dataset import PARTS, Dataset


@dataclass(frozen=True, eq=False)
class Samples(Dataset):
    """Inputs and targets of any shape, one of each for a sample: data for a model and a loss of your own.

    Inputs that are integers stay integers: indices for `Tensor.take`. Real inputs are rounded to the run's format.
    Targets are given to the loss as they are. Where they are class numbers, and the model gives a row of logits for
    each, the accuracy is measured; else the loss of the test samples.

    Parameters
    ----------
    name : str
    train_images, test_images : array of shape (n, ...)
        The inputs.
    train_labels, test_labels : array of shape (n, ...)
        The targets.
    image_shape : tuple of int
        The shape of an input; it is that of the arrays, whatever is given.
    validation_images, validation_labels : array, optional
        A third part, as for `Dataset`.

    Raises
    ------
    ValueError
        If counts or shapes do not fit, or a number is not finite.

    Examples
    --------
    >>> x = np.linspace(-1, 1, 8).reshape(8, 1)
    >>> data = Samples.of((x, x**2))
    >>> data.image_shape, data.classes, len(data.test_images)
    ((1,), 0, 0)
    """

    def __post_init__(self) -> None:
        first = _numbers(f"{self.name}: train inputs", self.train_images)
        object.__setattr__(self, "image_shape", first.shape[1:])
        likes = first, _numbers(f"{self.name}: train targets", self.train_labels)
        if not len(first):
            raise ValueError(f"{self.name}: train inputs are empty; give at least one sample")
        for part in PARTS:
            self._check_samples(part, *likes)

    def _check_samples(self, part: str, *likes: Array) -> None:
        for field, word, like in zip((f"{part}_images", f"{part}_labels"), ("inputs", "targets"), likes, strict=True):
            given = getattr(self, field)
            rows = _numbers(f"{self.name}: {part} {word}", given) if len(given) else like[:0]
            if rows.shape[1:] != like.shape[1:]:
                raise ValueError(
                    f"{self.name}: {part} {word} have shape={rows.shape}, and those to train on {like.shape}; only the "
                    "first axis may differ"
                )
            object.__setattr__(self, field, rows)
        inputs, targets = getattr(self, f"{part}_images"), getattr(self, f"{part}_labels")
        if len(inputs) != len(targets):
            raise ValueError(
                f"{self.name}: {len(inputs)} {part} inputs and {len(targets)} {part} targets; give one of each"
            )

    @property
    def classes(self) -> int:
        """How many classes the targets number: the largest plus 1; 0 if they are not class numbers."""
        targets = self.train_labels
        numbers = targets.ndim == 1 and targets.dtype.kind in "iu" and targets.min() >= 0
        return int(targets.max()) + 1 if numbers else 0

    @classmethod
    def of(cls, given: Any) -> Samples:
        """From (inputs, targets), or (inputs, targets, test inputs, test targets)."""
        if not isinstance(given, tuple) or len(given) not in (2, 4):
            raise TypeError(
                f"data={quoted(given)} is not data; give a name, a Dataset, Samples, or a tuple of arrays: (inputs, "
                "targets) or (inputs, targets, test inputs, test targets)"
            )
        return cls("own data", *given, *([] if len(given) == 4 else [np.empty(0), np.empty(0)]))


def _numbers(what: str, given: npt.ArrayLike) -> Array:
    values = plain_array(given, what)
    if not values.ndim or values.dtype.kind not in "fiub":
        raise ValueError(f"{what} have dtype={values.dtype} and shape={values.shape}; give real numbers, row by row")
    if values.size and not (np.isfinite(values.min()) and np.isfinite(values.max())):
        raise ValueError(f"{what} have a NaN or an infinity; remove or repair that sample before training")
    return values
