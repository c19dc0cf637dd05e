"""A data set as it is trained on: rows of numbers and their labels; batches, one-hot labels, a part for validation."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from ...conversion import Array, plain_array
from ...wording import did_you_mean, quoted

PARTS = ("train", "test", "validation")


def _no_rows() -> Array:
    return np.empty((0, 0), np.float32)


def _no_labels() -> Array:
    return np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images as rows of numbers and their labels, in a part to train on and a part to test on.

    Arrays are kept as they are given, without a copy. The loaders give float32 in [0, 1] for images of bytes.

    Parameters
    ----------
    name : str
    train_images, test_images : array of shape (n, pixels)
    train_labels, test_labels : array of int, of shape (n,)
        From 0 to classes - 1.
    image_shape : tuple of int, optional
        The shape of a row as an image, (rows, columns), or as a sequence, (length, features). (pixels,) unless given.
    validation_images, validation_labels : array, optional
        A third part, to compare settings on; empty unless `split_validation` made it.

    Raises
    ------
    ValueError
        If shapes or counts do not fit, a label is out of range or not an integer, or a number is not finite.

    Examples
    --------
    >>> toy = Dataset("toy", np.zeros((3, 4)), [0, 1, 1], np.ones((1, 4)), [0], image_shape=(2, 2))
    >>> toy.classes, toy.image_shape, toy.images("test").shape
    (2, (2, 2), (1, 2, 2))
    """

    name: str
    train_images: Array
    train_labels: Array
    test_images: Array
    test_labels: Array
    image_shape: tuple[int, ...] = ()
    validation_images: Array = field(default_factory=_no_rows)
    validation_labels: Array = field(default_factory=_no_labels)

    def __post_init__(self) -> None:
        pixels = check_rows(f"{self.name}: train_images", self.train_images).shape[1]
        object.__setattr__(self, "image_shape", tuple(map(int, self.image_shape)) or (pixels,))
        if math.prod(self.image_shape) != pixels:
            raise ValueError(
                f"{self.name}: image_shape={self.image_shape} has {math.prod(self.image_shape)} pixels, but a row of "
                f"train_images has {pixels}; give a shape with {pixels} pixels"
            )
        for part in PARTS:
            self._check_part(part, pixels)

    def _check_part(self, part: str, pixels: int) -> None:
        rows, label = f"{part}_images", f"{part}_labels"
        images = check_rows(f"{self.name}: {rows}", getattr(self, rows))
        labels = check_labels(f"{self.name}: {label}", getattr(self, label), None if part == "train" else self.classes)
        if len(images) != len(labels):
            raise ValueError(
                f"{self.name}: {len(images)} {rows} and {len(labels)} {label}; give one label for each image"
            )
        if part == "train" and not len(images):
            raise ValueError(f"{self.name}: train_images is empty; give at least one image to train on")
        if len(images) and images.shape[1] != pixels:
            raise ValueError(
                f"{self.name}: a row of {rows} has {images.shape[1]} numbers, but a row of train_images has {pixels}; "
                "give rows of the same length"
            )
        object.__setattr__(self, rows, images)
        object.__setattr__(self, label, labels)

    @property
    def classes(self) -> int:
        """How many classes there are: the largest training label, plus 1."""
        return int(self.train_labels.max()) + 1 if len(self.train_labels) else 0

    @property
    def identity(self) -> str:
        """What a resumed run compares: the name."""
        return self.name

    def images(self, part: str = "train") -> Array:
        """The images of a part ("train", "test" or "validation"), each in `image_shape`: a view."""
        if part not in PARTS:
            known = f"{did_you_mean(part, PARTS)}use one of {', '.join(map(repr, PARTS))}"
            raise ValueError(f"part={quoted(part)} is unknown; {known}")
        rows: Array = getattr(self, f"{part}_images")
        return rows.reshape(len(rows), *self.image_shape)


def check_rows(what: str, rows: npt.ArrayLike) -> Array:
    """The rows, if they are finite numbers in two dimensions; an array is not copied."""
    rows = plain_array(rows, what)
    if rows.ndim != 2:
        raise ValueError(f"{what} has shape={rows.shape}; give one row for each image: images.reshape(len(images), -1)")
    if rows.dtype.kind not in "fiub":
        raise ValueError(f"{what} has dtype={rows.dtype}; give real numbers")
    # The minimum or the maximum is not finite if any number is not. This needs no temporary array.
    if rows.size and not (np.isfinite(rows.min()) and np.isfinite(rows.max())):
        bad = next(i for i, row in enumerate(rows) if not np.isfinite(row).all())
        raise ValueError(f"{what}[{bad}] has a NaN or an infinity; remove or repair that row before training")
    return rows


def check_labels(what: str, labels: npt.ArrayLike, classes: int | None = None) -> Array:
    """The labels as an array of int64, if they are integers from 0 to classes - 1."""
    labels = plain_array(labels, what)
    if labels.ndim != 1:
        way_out = " (for one-hot labels: labels.argmax(axis=1))" if labels.ndim == 2 else ""
        raise ValueError(f"{what} has shape={labels.shape}; give one label for each image{way_out}")
    if not labels.size:
        return labels.astype(np.int64)
    if labels.dtype.kind not in "iu":
        whole = labels.dtype.kind == "f" and bool((labels == np.floor(labels)).all() and np.isfinite(labels).all())
        if not whole:
            raise ValueError(f"{what} has dtype={labels.dtype}, not integers; number the classes from 0")
    labels = labels.astype(np.int64, copy=False)
    wrong = (labels < 0) | (labels >= (np.iinfo(np.int64).max if classes is None else classes))
    if wrong.any():
        at = int(wrong.argmax())
        rule = "labels are 0 or more" if classes is None else f"labels go from 0 to {classes - 1}"
        raise ValueError(f"{what}[{at}]={labels[at]} is out of range; {rule}")
    return labels


def one_hot(labels: npt.ArrayLike, classes: int | None = None, dtype: npt.DTypeLike = np.float32) -> Array:
    """A row for each label, with a 1 at the place of the label and zeros elsewhere: exact.

    >>> one_hot([1, 0, 2]).tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    labels = check_labels("labels", labels, classes)
    if classes is None:
        classes = int(labels.max()) + 1 if labels.size else 0
    rows = np.zeros((labels.size, classes), dtype)
    rows[np.arange(labels.size), labels] = 1
    return rows


def batches(n: int, size: int, *, rng: int = 0, epoch: int = 0, shuffle: bool = True) -> Iterator[Array]:
    """The indices of an epoch's batches: each of range(n) once, `size` at a time; the last batch may be smaller.

    The order depends only on (rng, epoch), so a resumed run repeats it without the epochs before.

    Parameters
    ----------
    n, size : int
    rng : int
        A seed. (A generator is refused, because its next number depends on all numbers drawn before.)
    epoch : int
        The number of the pass over the data; each pass has its own order.
    shuffle : bool
        False keeps the order of the data.

    Examples
    --------
    >>> [len(chosen) for chosen in batches(10, 4)]
    [4, 4, 2]
    >>> first, again = (next(batches(10, 4, rng=1, epoch=3)).tolist() for _ in range(2))
    >>> first == again
    True
    """
    for name, value, least in (("n", n, 0), ("size", size, 1), ("rng", rng, 0), ("epoch", epoch, 0)):
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise TypeError(
                f"{name}={quoted(value)} is not an integer; give an integer, so that the order can be repeated"
            )
        if value < least:
            raise ValueError(f"{name}={value} must be {least} or more")
    order = np.random.default_rng([int(rng), int(epoch)]).permutation(n) if shuffle else np.arange(n)
    return (order[start : start + size] for start in range(0, n, size))


def split_validation(data: Dataset, share: float = 0.1, *, rng: int = 0) -> Dataset:
    """The same data, with a random `share` of the training part moved to the validation part, by a fixed seed.

    >>> from fp16sim.learn.data import load_digits
    >>> digits = split_validation(load_digits(), 0.25)
    >>> len(digits.train_labels), len(digits.validation_labels)
    (1078, 360)
    """
    n = len(data.train_labels)
    count = round(n * share) if 0 < share < 1 else 0
    if not 0 < count < n:
        raise ValueError(f"share={share} of {n} images leaves no images to validate on or none to train on; use 0.1")
    if len(data.validation_labels):
        raise ValueError(f"{data.name} already has {len(data.validation_labels)} validation images; split it only once")
    chosen = np.zeros(n, bool)
    chosen[np.random.default_rng(rng).permutation(n)[:count]] = True
    return replace(
        data,
        train_images=data.train_images[~chosen],
        train_labels=data.train_labels[~chosen],
        validation_images=data.train_images[chosen],
        validation_labels=data.train_labels[chosen],
    )
