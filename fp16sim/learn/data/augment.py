"""Data augmentation: images that are shifted and turned a little, another way in each epoch.

What happens to an image in an epoch depends on the seed, the epoch and its number alone. So a resumed run repeats it,
and the order of the batches changes nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ...conversion import Array
from ...wording import quoted


@dataclass(frozen=True)
class Augmentation:
    """How images are changed.

    Attributes
    ----------
    shift : int
        Up to so many pixels in each direction, each whole number equally likely.
    rotate : float
        Up to so many degrees either way about the centre (clockwise, if positive), each angle equally likely.
    """

    shift: int = 0
    rotate: float = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.shift, bool) or not hasattr(self.shift, "__index__"):
            raise TypeError(f"shift={quoted(self.shift)} is not an integer; give whole pixels, such as 1")
        if self.shift < 0:
            raise ValueError(f"shift={quoted(self.shift)} is negative; use 0 or more pixels")
        if not 0 <= self.rotate <= 180:
            raise ValueError(f"rotate={quoted(self.rotate)} must be from 0 to 180 degrees; small ones, such as 10")

    def __bool__(self) -> bool:
        return bool(self.shift or self.rotate)

    def apply(
        self, images: Array, shape: tuple[int, ...], chosen: Array, *, rng: int, epoch: int, background: float = 0.0
    ) -> Array:
        """The chosen images, changed; in binary64, and stored in the dtype of the images.

        Each pixel is taken from where it came from, between four pixels by linear interpolation; from outside the image
        comes the background. Whole shifts move pixels exactly.

        Parameters
        ----------
        images : array
            Rows of pixels.
        shape : tuple of int
            Rows and columns of an image.
        chosen : array of int
            The numbers of the images.
        rng, epoch : int
            What the changes are drawn from.
        background : float
            The value of pixels from outside.

        Examples
        --------
        >>> image = np.array([[1.0, 2.0, 3.0, 4.0]])
        >>> Augmentation(shift=1).apply(image, (2, 2), np.array([0]), rng=0, epoch=4)
        array([[0., 1., 0., 3.]])
        """
        rows, columns = shape
        generator = np.random.default_rng([int(rng), int(epoch), 1])
        moves = generator.integers(-self.shift, self.shift + 1, (len(images), 2))[chosen]
        angles = np.radians(generator.uniform(-self.rotate, self.rotate, len(images)))[chosen]
        pixels = images[chosen].reshape(-1, rows, columns).astype(np.float64)
        found = _sampled(pixels, *_sources((rows, columns), moves, angles), background)
        return found.reshape(len(chosen), -1).astype(images.dtype)


def _sources(shape: tuple[int, int], moves: Array, angles: Array) -> tuple[Array, Array]:
    """For each pixel of each image: the row and the column that it comes from."""
    middle = [(n - 1) / 2 for n in shape]
    rows, columns = np.indices(shape)
    y = rows - middle[0] - moves[:, :1, None]
    x = columns - middle[1] - moves[:, 1:, None]
    cos, sin = (np.array([f(a) for a in angles.tolist()])[:, None, None] for f in (math.cos, math.sin))
    return cos * y - sin * x + middle[0], sin * y + cos * x + middle[1]


def _sampled(images: Array, y: Array, x: Array, background: float) -> Array:
    """The pixels at places between pixels."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)), constant_values=background)
    y, x = (np.clip(place + 1, 0, n - 1) for place, n in zip((y, x), padded.shape[1:], strict=True))
    top, left = (
        np.minimum(np.floor(place).astype(int), n - 2) for place, n in zip((y, x), padded.shape[1:], strict=True)
    )
    down, right, image = y - top, x - left, np.arange(len(images))[:, None, None]
    above = padded[image, top, left] * (1 - right) + padded[image, top, left + 1] * right
    below = padded[image, top + 1, left] * (1 - right) + padded[image, top + 1, left + 1] * right
    return np.asarray(above * (1 - down) + below * down)
