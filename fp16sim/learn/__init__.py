"""A tiny deep-learning lab in which every product, sum, gradient and optimizer step is rounded to a format.

Read in this order: `autograd` (the graph knows no calculus), `vjps` (the calculus knows no graph), `layers`, `models`,
`losses`, `optimizers`, `precision` and `scaling` (the nouns of mixed precision), `recipes`, `engine` (one step), `train`
(the loop), `telemetry` (what rounding took away), `diagnose` (what to do about it).
"""

from .autograd import Tensor, gradients
from .checkpoint import Model, load_model, save_model
from .config import Config
from .data import Dataset, load_digits
from .layers import (
    RNN,
    Activation,
    Conv2d,
    Flatten,
    Images,
    Layer,
    LayerNorm,
    Linear,
    MaxPool2d,
    Params,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
)
from .losses import (
    cross_entropy,
    cross_entropy_of_probabilities,
    l1_penalty,
    l2_penalty,
    mean_squared_error,
    one_hot_cross_entropy,
)
from .metrics import accuracy
from .models import CNN, MLP, Chain, SimpleRNN
from .optimizers import Optimizer, adam, adamw, clipped, rmsprop, sgd, step_decay
from .precision import Policy, Precision
from .recipes import RECIPES, get_config
from .scaling import DynamicLossScale, NoLossScale, StaticLossScale
from .telemetry import Death, Microscope, Telemetry
from .train import Epoch, History, train
