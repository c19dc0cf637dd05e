"""Data: images and sequences with labels, ready to train on, and where they come from.

Read in this order: `dataset` (rows and labels, batches, one-hot, a part to validate on), `normalise`, `digits`
(bundled), `synthetic` (seeded), `idx` (the file format of MNIST), `sources` (which files, where, how they are
verified), `loading`, `fetch`.
Nothing is downloaded unless `fetch` is called.
"""

from __future__ import annotations

from .dataset import Dataset, batches, one_hot, split_validation
from .digits import load_digits
from .loading import DATASETS, load
from .normalise import Normalisation, normalise, standard, symmetric, unit
from .synthetic import sequences, spirals

__all__ = [
    "DATASETS",
    "Dataset",
    "Normalisation",
    "batches",
    "load",
    "load_digits",
    "normalise",
    "one_hot",
    "sequences",
    "spirals",
    "split_validation",
    "standard",
    "symmetric",
    "unit",
]
