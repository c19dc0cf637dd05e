"""Data made from a seed: spirals show what a network learns, sequences show what a recurrent one forgets."""

from __future__ import annotations

import numpy as np

from ...conversion import Array
from ...wording import did_you_mean, quoted
from .dataset import Dataset, one_hot


def spirals(arms: int = 3, points: int = 300, *, noise: float = 0.1, test_share: float = 0.2, rng: int = 0) -> Dataset:
    """Points of a plane on spiral arms around 0; the label is the arm. Without noise they lie in [-1, 1].

    Parameters
    ----------
    arms, points : int
        How many arms, and how many points on each.
    noise : float
        Standard deviation of the angle, in radians.
    test_share : float
        The part of the points that is kept for tests.
    rng : int
        The seed.

    Examples
    --------
    >>> data = spirals(arms=3, points=100)
    >>> data.classes, data.train_images.shape, data.image_shape
    (3, (240, 2), (2,))
    """
    _check(arms=(arms, 2), points=(points, 5))
    generator = np.random.default_rng(rng)
    labels = np.repeat(np.arange(arms), points)
    radius = np.tile(np.linspace(0.05, 1, points), arms)
    angle = 2 * np.pi * labels / arms + 4 * radius + noise * generator.standard_normal(labels.size)
    rows = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).astype(np.float32)
    return _shuffled("spirals", rows, labels, (2,), test_share, generator)


TASKS = ("first", "adding")


def sequences(
    task: str = "first", length: int = 20, count: int = 2000, *, test_share: float = 0.2, rng: int = 0
) -> Dataset:
    """Sequences whose label depends on early steps; `image_shape` is (length, features).

    Parameters
    ----------
    task : str
        "first": one-hot symbols, 4 different ones; the label is the first symbol. "adding": each step has a number in
        [0, 1) and a mark; two numbers are marked, one in each half; the label is 1 if their sum is above 1, else 0.
    length, count : int
        Steps in a sequence, and how many sequences.
    test_share : float
        The part of the sequences that is kept for tests.
    rng : int
        The seed.

    Examples
    --------
    >>> data = sequences("first", length=10, count=100)
    >>> data.image_shape, data.classes
    ((10, 4), 4)
    >>> bool(data.images()[0, 0].argmax() == data.train_labels[0])
    True
    """
    if task not in TASKS:
        known = f"{did_you_mean(task, TASKS)}use one of {', '.join(map(repr, TASKS))}"
        raise ValueError(f"task={quoted(task)} is unknown; {known}")
    _check(length=(length, 2), count=(count, 10))
    generator = np.random.default_rng(rng)
    steps, labels = (_first if task == "first" else _adding)(length, count, generator)
    shape = steps.shape[1:]
    return _shuffled(f"sequences of {task}", steps.reshape(count, -1), labels, shape, test_share, generator)


def _first(length: int, count: int, generator: np.random.Generator) -> tuple[Array, Array]:
    symbols = generator.integers(0, 4, (count, length))
    symbols[:, 0] = np.arange(count) % 4  # the same number of each
    return one_hot(symbols.ravel(), 4).reshape(count, length, 4), symbols[:, 0].copy()


def _adding(length: int, count: int, generator: np.random.Generator) -> tuple[Array, Array]:
    numbers, half = generator.random((count, length), np.float32), length // 2
    marked = np.stack([generator.integers(0, half, count), generator.integers(half, length, count)], axis=1)
    marks, rows = np.zeros_like(numbers), np.arange(count)[:, None]
    marks[rows, marked] = 1
    # The sum of two float32 is exact in float64.
    labels = (numbers[rows, marked].astype(np.float64).sum(axis=1) > 1).astype(np.int64)
    return np.stack([numbers, marks], axis=2), labels


def _check(**limits: tuple[int, int]) -> None:
    for name, (value, least) in limits.items():
        if value < least:
            raise ValueError(f"{name}={value} is too few; use {least} or more")


def _shuffled(
    name: str, rows: Array, labels: Array, shape: tuple[int, ...], test_share: float, generator: np.random.Generator
) -> Dataset:
    n = len(labels)
    cut = round(n * (1 - test_share)) if 0 < test_share < 1 else 0
    if not 0 < cut < n:
        raise ValueError(f"test_share={test_share} leaves no rows to test on or none to train on; use 0.2")
    order = generator.permutation(n)
    rows, labels = rows[order], labels[order]
    return Dataset(name, rows[:cut], labels[:cut], rows[cut:], labels[cut:], image_shape=shape)
