"""A tiny deep-learning lab in which every product, sum, gradient and optimizer step is rounded to a format.

Read in this order: `precision`, `factors` and `scaling` (the nouns of mixed precision), `data`; in `model` first
`autograd` (the graph knows no calculus), `vjps` (the calculus knows no graph) and `tensor`, then `layers`, `models`,
`own` (models of your own), `losses`, `optimizers` and `updates`; `state` (the records of a run); in `observe` first
`exponents` and `telemetry` (what rounding took away); in `run` first `recipes`, `engine` (one step), `train` (the loop)
and `sweep` (many runs); `chance` (which differences are more than that); in `advise` first `diagnose` (what to change).
"""

from .advise.advice import Advice
from .advise.checks import check
from .advise.costs import Costs, costs
from .advise.diagnose import diagnose
from .advise.differences import Difference, first_difference
from .advise.examine import examine
from .advise.inspect import Inspection, inspect
from .data import (
    Augmentation,
    Dataset,
    Normalisation,
    Samples,
    Text,
    authors,
    batches,
    load,
    load_digits,
    normalise,
    one_hot,
    sequences,
    spirals,
    split_validation,
    text_data,
)
from .factors import FACTORS, Factors
from .model import vjps
from .model.attention import CausalAttention, Mask, attention, causal
from .model.autograd import gradients
from .model.dropout import Dropout, dropout, dropout_on
from .model.embeddings import Embedding, LearnedPositions, MeanPool
from .model.in_force import island
from .model.layers import (
    GELU,
    RNN,
    Activation,
    Compound,
    Conv2d,
    Flatten,
    Images,
    Layer,
    Linear,
    MaxPool2d,
    Params,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Tanh,
    call_part,
)
from .model.losses import (
    cross_entropy,
    cross_entropy_of_probabilities,
    l1_penalty,
    l2_penalty,
    mean_squared_error,
    one_hot_cross_entropy,
)
from .model.models import CNN, MLP, Chain, Network, SimpleRNN
from .model.norms import LayerNorm, RMSNorm
from .model.optimizers import (
    Optimizer,
    adam,
    adamw,
    clipped,
    clipped_by_value,
    cosine_decay,
    linear_decay,
    rmsprop,
    sgd,
    step_decay,
    warm_up,
)
from .model.own import FunctionModel
from .model.rotary import rotary_tables, rotated
from .model.tensor import Tensor, concatenate, einsum, stack
from .model.transformer import GPT, Block, FeedForward, GPTConfig
from .observe.exponents import Survey, survey
from .observe.metrics import ClassReport, Scores, accuracy, class_report, confusion_matrix
from .observe.telemetry import Microscope, Telemetry
from .precision import Policy, Precision
from .run.checkpoint import Model, load_model, save_model
from .run.config import Config
from .run.evaluate import Evaluation, evaluate
from .run.generate import generate
from .run.recipes import RECIPES, get_config
from .run.sweep import sweep
from .run.train import History, train
from .scaling import DynamicLossScale, NoLossScale, StaticLossScale
from .state import Death, Epoch

__all__ = [
    "CNN",
    "FACTORS",
    "GELU",
    "GPT",
    "MLP",
    "RECIPES",
    "RNN",
    "Activation",
    "Advice",
    "Augmentation",
    "Block",
    "CausalAttention",
    "Chain",
    "ClassReport",
    "Compound",
    "Config",
    "Conv2d",
    "Costs",
    "Dataset",
    "Death",
    "Difference",
    "Dropout",
    "DynamicLossScale",
    "Embedding",
    "Epoch",
    "Evaluation",
    "Factors",
    "FeedForward",
    "Flatten",
    "FunctionModel",
    "GPTConfig",
    "History",
    "Images",
    "Inspection",
    "Layer",
    "LayerNorm",
    "LearnedPositions",
    "Linear",
    "Mask",
    "MaxPool2d",
    "MeanPool",
    "Microscope",
    "Model",
    "Network",
    "NoLossScale",
    "Normalisation",
    "Optimizer",
    "Params",
    "Policy",
    "Precision",
    "RMSNorm",
    "ReLU",
    "Samples",
    "Scores",
    "SiLU",
    "Sigmoid",
    "SimpleRNN",
    "Softmax",
    "StaticLossScale",
    "Survey",
    "Tanh",
    "Telemetry",
    "Tensor",
    "Text",
    "accuracy",
    "adam",
    "adamw",
    "attention",
    "authors",
    "batches",
    "call_part",
    "causal",
    "check",
    "class_report",
    "clipped",
    "clipped_by_value",
    "concatenate",
    "confusion_matrix",
    "cosine_decay",
    "costs",
    "cross_entropy",
    "cross_entropy_of_probabilities",
    "diagnose",
    "dropout",
    "dropout_on",
    "einsum",
    "evaluate",
    "examine",
    "first_difference",
    "generate",
    "get_config",
    "gradients",
    "inspect",
    "island",
    "l1_penalty",
    "l2_penalty",
    "linear_decay",
    "load",
    "load_digits",
    "load_model",
    "mean_squared_error",
    "normalise",
    "one_hot",
    "one_hot_cross_entropy",
    "rmsprop",
    "rotary_tables",
    "rotated",
    "save_model",
    "sequences",
    "sgd",
    "spirals",
    "split_validation",
    "stack",
    "step_decay",
    "survey",
    "sweep",
    "text_data",
    "train",
    "vjps",
    "warm_up",
]
