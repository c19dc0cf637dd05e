"""Rows about what a user waits for: a step of training, functions of arrays, and the start of the program."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec

import numpy as np

from ... import elementary
from ...rounding import round_to
from ..alone import alone, command
from ..inputs import normal, size
from ..measure import Comparison, Missing, Pair
from ..mlp_step import training_steps


def _mlp(scale: float) -> Pair:
    return Pair.of(*training_steps())


def _cnn(rival: str, scale: float) -> Pair:
    if find_spec("torch") is None:
        raise Missing("pip install torch")
    return Pair(alone("cnn_step", "ours"), alone("cnn_step", rival))


TRAINING = (
    Comparison(
        "training",
        "mlp",
        "training step, MLP 784-128-10, binary16",
        "NumPy float32",
        4.3,
        "One step of Adam with 128 images, every operation rounded to binary16, against the same step in plain "
        "float32 with NumPy.",
        _mlp,
    ),
    Comparison(
        "training",
        "cnn",
        "training step, CNN, binary16",
        "PyTorch float32",
        2.0,
        "One step of the article's network (recipe pure-binary16-scaled, 32 images), every operation rounded to "
        "binary16. PyTorch computes in float32 with all its threads. Each side runs in a process of its own.",
        partial(_cnn, "pytorch"),
    ),
    Comparison(
        "training",
        "cnn-rounded",
        "training step, CNN, binary16",
        "PyTorch, rounded",
        1.4,
        "The same, but PyTorch rounds tensors to float16 after each layer, their gradients and the weights too. That "
        "is the usual way to imitate training in 16 bits; operations inside a layer are not rounded.",
        partial(_cnn, "pytorch_rounded"),
    ),
)


def _function(name: str, scale: float) -> Pair:
    ours, theirs = getattr(elementary, name), getattr(np, name)
    x = round_to(np.abs(normal(size(scale, 1 << 20))) + np.float32(2.0**-10), "binary16")
    return Pair.of(lambda: ours(x, "binary16"), lambda: theirs(x).astype(np.float16).astype(np.float32))


FUNCTIONS = tuple(
    Comparison(
        "functions",
        name,
        f"{name}, 1 Mi binary16 numbers",
        f"np.{name} float32",
        0.35,
        f"{name} of a million binary16 numbers, correctly rounded. The rival is NumPy's function in float32, whose "
        "result is converted to float16 and back.",
        partial(_function, name),
    )
    for name in ("exp", "tanh", "log")
)


def _import(scale: float) -> Pair:
    return Pair(command("-c", "import fp16sim"), command("-c", "import numpy"))


def _show(scale: float) -> Pair:
    return Pair(command("-m", "fp16sim", "show", "0.1"), command("-c", "import numpy"))


START = (
    Comparison(
        "start",
        "import",
        "import fp16sim",
        "import numpy",
        1.15,
        "Python from start to end with one import. fp16sim needs NumPy, so that the ratio is at least 1.",
        _import,
    ),
    Comparison(
        "start",
        "show",
        "fp16sim show 0.1",
        "import numpy",
        1.6,
        "A short command, from start to end, against Python with import numpy alone.",
        _show,
    ),
)

ROWS = (*TRAINING, *FUNCTIONS, *START)
