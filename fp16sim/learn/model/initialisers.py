"""How weights begin: drawn in float64, rounded once by whoever stores them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

Initialiser: TypeAlias = Callable[[tuple[int, ...], np.random.Generator], Any]
"""(shape, generator) -> float64 array. A shape is (inputs, outputs), after the rows and columns of a window if any."""


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """How many inputs an output sums, and how many outputs an input goes to; a window counts for all of its places."""
    return int(np.prod(shape[:-1])), int(np.prod(shape[:-2])) * shape[-1]


def he(shape: tuple[int, ...], generator: np.random.Generator) -> Any:
    """Normal with variance 2 / inputs, for ReLU (He et al. 2015)."""
    return generator.standard_normal(shape) * np.sqrt(2 / _fans(shape)[0])


def xavier(shape: tuple[int, ...], generator: np.random.Generator) -> Any:
    """Uniform with variance 2 / (inputs + outputs), for tanh and sigmoid (Glorot and Bengio 2010)."""
    limit = np.sqrt(6 / sum(_fans(shape)))
    return generator.uniform(-limit, limit, shape)


def small_random(shape: tuple[int, ...], generator: np.random.Generator) -> Any:
    """Normal with deviation 0.01, whatever the layer: the "small random numbers" of many tutorials."""
    return generator.standard_normal(shape) * 0.01


INITIALISERS: dict[str, Initialiser] = {"he": he, "xavier": xavier, "small": small_random}


def get_initialiser(name: str) -> Initialiser:
    """The initialiser of a name."""
    if name not in INITIALISERS:
        raise ValueError(f"init={name!r} is unknown; use one of {', '.join(map(repr, INITIALISERS))}")
    return INITIALISERS[name]
