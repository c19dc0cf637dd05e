"""The first values of weights: drawn in float64; the model rounds them once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from ...conversion import Array
from ...wording import did_you_mean, quoted

Initialiser: TypeAlias = Callable[[tuple[int, ...], np.random.Generator], Array]
"""(shape, generator) -> float64 array. A shape ends with inputs, outputs; a window's rows and columns come before."""


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """How many inputs an output sums, and how many outputs use an input; in a window every place counts."""
    return int(np.prod(shape[:-1])), int(np.prod(shape[:-2])) * shape[-1]


def he(shape: tuple[int, ...], generator: np.random.Generator) -> Array:
    """Normal with variance 2 / inputs, for ReLU (He et al. 2015)."""
    return generator.standard_normal(shape) * np.sqrt(2 / _fans(shape)[0])


def xavier(shape: tuple[int, ...], generator: np.random.Generator) -> Array:
    """Uniform with variance 2 / (inputs + outputs), for tanh and sigmoid (Glorot and Bengio 2010)."""
    limit = np.sqrt(6 / sum(_fans(shape)))
    return generator.uniform(-limit, limit, shape)


def for_sums(shape: tuple[int, ...], generator: np.random.Generator) -> Array:
    """Normal with variance 1 / inputs (LeCun et al. 1998): sums of products are as large as the numbers added."""
    return generator.standard_normal(shape) / np.sqrt(_fans(shape)[0])


def small_random(shape: tuple[int, ...], generator: np.random.Generator) -> Array:
    """Normal with standard deviation 0.01 in every layer: the "small random numbers" of many tutorials."""
    return generator.standard_normal(shape) * 0.01


INITIALISERS: dict[str, Initialiser] = {"he": he, "xavier": xavier, "small": small_random}


def get_initialiser(name: str) -> Initialiser:
    """The initialiser with a name: "he", "xavier" or "small"."""
    if name not in INITIALISERS:
        known = f"{did_you_mean(name, INITIALISERS)}use one of {', '.join(map(repr, INITIALISERS))}"
        raise ValueError(f"init={quoted(name)} is unknown; {known}")
    return INITIALISERS[name]
