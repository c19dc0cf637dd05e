"""Data: images and sequences with labels, ready to train on, and where they come from.

Read in this order: `dataset` (rows and labels, batches, one-hot, a part to validate on), `samples` (inputs and targets
of any shape), `text` (windows of characters), `normalise`, `augment`, `synthetic` (made from a seed), `sources` (the
files of MNIST: where they are and how they are verified), `loaders` (any data set by its name), `fetch` (the one module
that downloads, and only when it is called).
"""

from __future__ import annotations

from .augment import Augmentation
from .dataset import Dataset, batches, one_hot, split_validation
from .loaders import DATASETS, load, load_digits
from .normalise import Normalisation, normalise, standard, symmetric, unit
from .samples import Samples
from .synthetic import sequences, spirals
from .text import Text, authors, text_data

__all__ = [
    "DATASETS",
    "Augmentation",
    "Dataset",
    "Normalisation",
    "Samples",
    "Text",
    "authors",
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
    "text_data",
    "unit",
]
