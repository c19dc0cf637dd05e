"""Failures of training and inference in 16 bits that people report: each computed, named by an instrument, and cured.

Every entry has two computations, one that fails and one that does not. Both are compared with the second one in
binary64.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ..accumulators import Accumulator, Blocked, Sequential
from ..formats import BINARY64
from ..learn import Precision, Tensor
from ..wording import did_you_mean, quoted
from .failure_kinds import Failure, LostAdditions, LostDecay, Make, OneSidedErrors, OrderOfSums, WrongResult

# --- attention ------------------------------------------------------------------------------------------------------

DRAWN = np.random.default_rng(20)
QUERIES, KEYS = DRAWN.normal(0, 1, (2, 8, 64))
CAUSAL = np.triu(np.ones((8, 8), bool), 1)
"""True where a key comes after the query: it is masked."""
PADDED = np.arange(8) == 0
"""The first key is padding, as where texts are filled up on the left: the first query then has no key at all."""
HIDDEN = CAUSAL | PADDED


def scores(make: Make) -> Tensor:
    """Scaled products of queries and keys."""
    return (make(QUERIES) * 0.125) @ make(KEYS).transpose()


def mask_by_product(make: Make) -> Tensor:
    """(1 - keep) * -1e9 is added."""
    keep = make(~CAUSAL)
    return (scores(make) + (1 - keep) * -1e9).softmax()


def mask_by_choice(make: Make) -> Tensor:
    """Masked scores are -infinity."""
    return scores(make).masked_fill(CAUSAL, -np.inf).softmax()


def two_masks(make: Make) -> Tensor:
    """-65504 is added for later keys and for padding."""
    masks = make(CAUSAL * -65504.0), make(PADDED * -65504.0)
    return (scores(make) + masks[0] + masks[1]).softmax()


def empty_row(make: Make) -> Tensor:
    """Masked scores are -infinity, all of them in the first row."""
    return scores(make).masked_fill(HIDDEN, -np.inf).softmax()


def no_empty_row(make: Make) -> Tensor:
    """A row without keys keeps its scores, and its weights are set to 0 afterwards."""
    empty = np.broadcast_to(HIDDEN.all(axis=1, keepdims=True), HIDDEN.shape)
    return scores(make).masked_fill(HIDDEN & ~empty, -np.inf).softmax().masked_fill(empty, 0.0)


def late_scaling(make: Make) -> Tensor:
    """Large queries and keys, whose products are scaled afterwards."""
    return ((make(100 * QUERIES) @ make(100 * KEYS).transpose()) * 2.0**-14).softmax()


def early_scaling(make: Make) -> Tensor:
    """The queries are scaled."""
    return ((make(100 * QUERIES) * 2.0**-14) @ make(100 * KEYS).transpose()).softmax()


def naive_softmax(make: Make) -> Tensor:
    """e^x / sum e^x."""
    e = (scores(make) * 8.0).exp()
    return e / e.sum(axis=-1, keepdims=True)


def shifted_softmax(make: Make) -> Tensor:
    """The same, with the largest number of each row subtracted."""
    return (scores(make) * 8.0).softmax()


REPEATED = DRAWN.normal(0, 2, (64, 64))
REPEATED[:, :2] = REPEATED.max(axis=1, keepdims=True) + 10
VALUES = -np.exp(DRAWN.normal(0.9, 0.05, (64, 64)))


def weights_of_one(make: Make) -> Tensor:
    """Two keys have the largest score: both weights are 1, and the products with values of one sign are ties."""
    x = make(REPEATED)
    return _weighted_sum(make, x, x.max(axis=-1, keepdims=True))


def weights_below_one(make: Make) -> Tensor:
    """More than the largest score is subtracted."""
    x = make(REPEATED)
    return _weighted_sum(make, x, x.max(axis=-1, keepdims=True) * 1.25)


def _weighted_sum(make: Make, x: Tensor, shift: Tensor) -> Tensor:
    values = make(VALUES)
    return (x - shift).exp().matmul(values, Sequential("binary64" if values.value.fmt == BINARY64 else "binary32"))


# --- norms and residuals --------------------------------------------------------------------------------------------


def product(make: Make, accumulator: Accumulator) -> Tensor:
    """A product of two matrices, with sums taken by an accumulator."""
    return make(np.tile(REPEATED, 16)).matmul(make(np.tile(VALUES, (16, 4)) + REPEATED[0, 2]), accumulator)


LARGE, SMALL = 300 * QUERIES, 1e-4 * QUERIES
WIDE = Precision.of("binary32")


def rms_norm(make: Make, x: npt.ArrayLike = LARGE) -> Tensor:
    """RMSNorm, squares in the format."""
    y = make(x)
    return y / (y.square().mean(axis=-1, keepdims=True) + 1e-6).sqrt()


def rms_norm_in_binary32(make: Make) -> Tensor:
    """RMSNorm as an island: binary32 inside."""
    y = make(LARGE).cast(_wide(make))
    return (y / (y.square().mean(axis=-1, keepdims=True) + 1e-6).sqrt()).cast(_of(make))


def layer_norm(make: Make) -> Tensor:
    """LayerNorm of small numbers, squares in the format."""
    y = make(SMALL)
    y = y - y.mean(axis=-1, keepdims=True)
    return y / (y.square().mean(axis=-1, keepdims=True) + 1e-12).sqrt()


def layer_norm_in_binary32(make: Make) -> Tensor:
    """LayerNorm as an island."""
    y = make(SMALL).cast(_wide(make))
    y = y - y.mean(axis=-1, keepdims=True)
    return (y / (y.square().mean(axis=-1, keepdims=True) + 1e-12).sqrt()).cast(_of(make))


def _wide(make: Make) -> Precision:
    """The format of an island: binary32, or binary64 where all is in it."""
    return max(WIDE, _of(make), key=lambda precision: precision.fmt.precision)


def _of(make: Make) -> Precision:
    return Precision(make(0.0).value.fmt)


def residual(make: Make, stream: str | None = None) -> Tensor:
    """Eight layers, each of which adds 9,000 to one channel."""
    x, added = make(QUERIES, stream), np.zeros_like(QUERIES)
    added[:, 3] = 9000.0
    for _ in range(8):
        x = x + make(added, stream)
    return x


def residual_in_binary32(make: Make) -> Tensor:
    """The same sums in binary32."""
    return residual(make, "binary32")


# --- positions ------------------------------------------------------------------------------------------------------

FREQUENCIES = 10000.0 ** -(np.arange(16) / 16)
POSITIONS = np.array([[1856.0], [1857.0], [1858.0], [1859.0]])
TIMES = np.array([[993.0], [995.0], [997.0], [999.0]])


def rotary(make: Make, inner: str | None = None) -> Tensor:
    """The cosines of rotary positions."""
    return (make(POSITIONS, inner) * make(FREQUENCIES, inner)).cos().cast(_of(make))


def rotary_in_binary32(make: Make) -> Tensor:
    """Angles in binary32, cosines in the format."""
    return rotary(make, "binary32")


def timesteps(make: Make, inner: str | None = None) -> Tensor:
    """The sines by which a diffusion model knows its timestep."""
    return (make(TIMES, inner) * make(FREQUENCIES, inner)).sin().cast(_of(make))


def timesteps_in_binary32(make: Make) -> Tensor:
    """Angles in binary32, sines in the format."""
    return timesteps(make, "binary32")


# --- probabilities --------------------------------------------------------------------------------------------------


def log_probabilities(make: Make) -> Tensor:
    """The logarithms of probabilities from the same weights."""
    return (make(QUERIES) @ make(KEYS).transpose() * 0.25).log_softmax()


SAME = (1 + DRAWN.random((512, 4)) / 256, np.full((512, 1), 8.0))
"""Samples whose gradients have one sign."""

MICRO = {"batch": 512, "accumulate": 512, "epochs": 1, "lr": 1e-4, "optimizer": "sgd", "momentum": 0.0}
EMA = {"batch": 16, "epochs": 3, "lr": 1e-3, "ema": 0.999}

DECAY = {"optimizer": "adamw", "lr": 1e-2, "weight_decay": 0.1, "epochs": 80, "batch": 64, "constants": "binary64"}

FAILURES: Mapping[str, Failure] = {
    failure.name: failure
    for failure in (
        WrongResult(
            "mask-1e9",
            "A mask of -1e9: all weights are NaN",
            "binary16",
            "mask",
            "Choose by where() or masked_fill() instead of adding a product.",
            mask_by_product,
            mask_by_choice,
        ),
        WrongResult(
            "mask-65504",
            "Masks of -65504 for order and padding: a row without keys looks at later ones",
            "binary16",
            "mask",
            "Mask by -infinity, and set the weights of rows without keys to 0.",
            two_masks,
            no_empty_row,
        ),
        WrongResult(
            "empty-row",
            "A row that is masked everywhere: NaN",
            "bfloat16",
            "mask",
            "Leave the scores of such a row as they are, and set its weights to 0.",
            empty_row,
            no_empty_row,
        ),
        WrongResult(
            "scores",
            "Scores of attention overflow",
            "binary16",
            "scores",
            "Scale the queries, not the products.",
            late_scaling,
            early_scaling,
        ),
        WrongResult(
            "naive-softmax",
            "A softmax as its formula is written: NaN",
            "binary16",
            "exp",
            "Subtract the largest number of each row first.",
            naive_softmax,
            shifted_softmax,
        ),
        WrongResult(
            "rms-norm",
            "RMSNorm of numbers from 256 on gives 0: their squares are infinite",
            "binary16",
            "squares",
            "Square and average in binary32.",
            rms_norm,
            rms_norm_in_binary32,
        ),
        WrongResult(
            "layer-norm",
            "LayerNorm of small numbers: their squares are 0, and so is an epsilon of 1e-12",
            "binary16",
            "squares",
            "Square and average in binary32.",
            layer_norm,
            layer_norm_in_binary32,
        ),
        WrongResult(
            "residual",
            "The residual stream goes beyond 65504",
            "binary16",
            "residual",
            "Keep what is added up over the layers in binary32 or bfloat16.",
            residual,
            residual_in_binary32,
        ),
        WrongResult(
            "rotary",
            "Rotary positions: neighbours from 1856 on have one angle",
            "bfloat16",
            "angles",
            "Compute positions and angles in binary32.",
            rotary,
            rotary_in_binary32,
        ),
        WrongResult(
            "timesteps",
            "Timesteps near 1000 cannot be told apart",
            "bfloat16",
            "angles",
            "Compute timesteps and angles in binary32.",
            timesteps,
            timesteps_in_binary32,
        ),
        OneSidedErrors(
            "one-sided",
            "Attention whose rounding errors all point one way, until training fails",
            "bfloat16",
            "one-sided errors",
            "Subtract more than the largest score, so that no weight is exactly 1.",
            weights_of_one,
            weights_below_one,
            source="https://arxiv.org/abs/2510.04212",
        ),
        WrongResult(
            "log-probabilities",
            "Log-probabilities of the same weights differ between training and inference",
            "bfloat16",
            "log-probabilities",
            "Use binary16, or convert the logits to binary32.",
            log_probabilities,
            log_probabilities,
            source="https://arxiv.org/abs/2510.26788",
            cured_in="binary16",
        ),
        OrderOfSums(
            "batch-size",
            "Results of a text change with the size of the batch",
            "bfloat16",
            "order of sums",
            "Let the size of the batch not choose the order of sums.",
            product,
            (Blocked("binary32", block=64), Blocked("binary32", block=16)),
            (Blocked("binary32", block=64), Blocked("binary32", block=64)),
        ),
        LostAdditions(
            "accumulation",
            "Gradients of micro-batches are added up, and the later ones count for nothing",
            "bfloat16",
            "accumulated gradients",
            "Add them up in binary32.",
            {**MICRO, "accumulate_in": "bfloat16"},
            {**MICRO, "accumulate_in": "binary32"},
            "absorbed_gradients",
            SAME,
        ),
        LostAdditions(
            "moving-average",
            "A moving average of the weights with decay 0.999 stays where it began",
            "bfloat16",
            "moving average",
            "Keep the average in binary32.",
            {**EMA, "ema_in": "bfloat16"},
            {**EMA, "ema_in": "binary32"},
            "absorbed_average",
            SAME,
        ),
        LostDecay(
            "weight-decay",
            "Weight decay does nothing",
            "bfloat16",
            "weight decay",
            "Round the updates stochastically, or keep the weights in binary32.",
            DECAY,
            {**DECAY, "update": "stochastic"},
        ),
    )
}
"""By name."""


def failures() -> tuple[Failure, ...]:
    """All failures of the gallery.

    Examples
    --------
    >>> from fp16sim import demos
    >>> case = demos.failures()[0]
    >>> case.title, case.before().error, case.after().error < 0.001
    ('A mask of -1e9: all weights are NaN', inf, True)
    """
    return tuple(FAILURES.values())


def failure(name: str) -> Failure:
    """One failure by its name; ValueError names the others."""
    if name not in FAILURES:
        raise ValueError(
            f"name={quoted(name)} is unknown; {did_you_mean(name, FAILURES)}use one of {', '.join(FAILURES)}"
        )
    return FAILURES[name]
