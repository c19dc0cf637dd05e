"""Three normalisations: to [0, 1], to [-1, 1], and to mean 0 and standard deviation 1."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ...conversion import Array
from ...wording import did_you_mean, quoted
from .dataset import Dataset


@dataclass(frozen=True)
class Normalisation:
    """x -> (x - shift) / scale in the dtype of x; each element is rounded twice.

    >>> Normalisation("symmetric", 0.5, 0.5)(np.array([0.0, 0.75, 1.0])).tolist()
    [-1.0, 0.5, 1.0]
    """

    name: str
    shift: float
    scale: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.shift) and np.isfinite(self.scale) and self.scale > 0):
            raise ValueError(
                f"shift={self.shift} and scale={self.scale} cannot normalise: both must be finite and the scale "
                "positive; if all numbers of the data are equal, there is nothing to normalise"
            )

    def __call__(self, x: Array) -> Array:
        if x.dtype.kind != "f":
            x = x.astype(np.float32)
        y = np.subtract(x, x.dtype.type(self.shift))
        y /= x.dtype.type(self.scale)
        return y

    def apply(self, data: Dataset) -> Dataset:
        """The data set with all its parts normalised in the same way."""
        return replace(
            data,
            train_images=self(data.train_images),
            test_images=self(data.test_images),
            validation_images=self(data.validation_images),
        )


def unit(data: Dataset) -> Normalisation:
    """To [0, 1], by the smallest and largest number of the training part; images in [0, 1] stay as they are."""
    low, high = float(data.train_images.min()), float(data.train_images.max())
    return Normalisation("unit", low, high - low)


def symmetric(data: Dataset) -> Normalisation:
    """To [-1, 1], by the smallest and largest number of the training part."""
    low, high = float(data.train_images.min()), float(data.train_images.max())
    return Normalisation("symmetric", low / 2 + high / 2, high / 2 - low / 2)


def standard(data: Dataset) -> Normalisation:
    """To mean 0 and standard deviation 1 over all numbers of the training part. The test part is not used.

    The sums are taken in binary64, in chunks, without a copy of the data.
    """
    x = data.train_images
    mean = float(x.mean(dtype=np.float64))
    step = max(1, (1 << 18) // max(1, x.shape[1]))
    squares = sum(float(((x[i : i + step].astype(np.float64) - mean) ** 2).sum()) for i in range(0, len(x), step))
    return Normalisation("standard", mean, float(np.sqrt(squares / x.size)))


NORMALISATIONS: dict[str, Callable[[Dataset], Normalisation]] = {
    "unit": unit,
    "symmetric": symmetric,
    "standard": standard,
}


def normalise(data: Dataset, name: str = "unit") -> Dataset:
    """The data set normalised: "unit" to [0, 1], "symmetric" to [-1, 1], "standard" to (x - mean) / deviation.

    The shift and the scale are computed from the training part.

    >>> from fp16sim.learn.data import load_digits
    >>> x = normalise(load_digits(), "symmetric").train_images
    >>> float(x.min()), float(x.max())
    (-1.0, 1.0)
    """
    if name not in NORMALISATIONS:
        known = f"{did_you_mean(name, NORMALISATIONS)}use one of {', '.join(map(repr, NORMALISATIONS))}"
        raise ValueError(f"normalise={quoted(name)} is unknown; {known}")
    normalisation = NORMALISATIONS[name](data)
    return data if (normalisation.shift, normalisation.scale) == (0, 1) else normalisation.apply(data)
