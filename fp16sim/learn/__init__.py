"""A tiny deep-learning lab in which every product, sum, gradient and optimizer step is rounded to a format.

Read in this order: `autograd` (the graph knows no calculus), `vjps` (the calculus knows no graph), `layers`, `losses`,
`optimizers`, `telemetry` (what rounding took away), `train`.
"""

from .autograd import Tensor, gradients
from .data import (
    Dataset,
    Normalisation,
    batches,
    load,
    load_digits,
    normalise,
    one_hot,
    sequences,
    spirals,
    split_validation,
)
from .layers import MLP, Params
from .losses import cross_entropy, mean_squared_error
from .metrics import ClassReport, Scores, accuracy, class_report, confusion_matrix
from .optimizers import Optimizer, adam, sgd
from .train import Config, Death, Epoch, History, train

__all__ = [
    "MLP",
    "ClassReport",
    "Config",
    "Dataset",
    "Death",
    "Epoch",
    "History",
    "Normalisation",
    "Optimizer",
    "Params",
    "Scores",
    "Tensor",
    "accuracy",
    "adam",
    "batches",
    "class_report",
    "confusion_matrix",
    "cross_entropy",
    "gradients",
    "load",
    "load_digits",
    "mean_squared_error",
    "normalise",
    "one_hot",
    "sequences",
    "sgd",
    "spirals",
    "split_validation",
    "train",
]
