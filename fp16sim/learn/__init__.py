"""A tiny deep-learning lab in which every product, sum, gradient and optimizer step is rounded to a format.

Read in this order: `autograd` (the graph knows no calculus), `vjps` (the calculus knows no graph), `layers`, `losses`,
`optimizers`, `telemetry` (what rounding took away), `train`.
"""

from .autograd import Tensor, gradients
from .data import Dataset, load_digits
from .layers import MLP, Params
from .losses import cross_entropy, mean_squared_error
from .metrics import accuracy
from .optimizers import Optimizer, adam, sgd
from .train import Config, Death, Epoch, History, train

__all__ = [
    "MLP",
    "Config",
    "Dataset",
    "Death",
    "Epoch",
    "History",
    "Optimizer",
    "Params",
    "Tensor",
    "accuracy",
    "adam",
    "cross_entropy",
    "gradients",
    "load_digits",
    "mean_squared_error",
    "sgd",
    "train",
]
