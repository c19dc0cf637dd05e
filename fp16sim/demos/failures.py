"""Failures of training and inference in 16 bits that people report: each computed, named by an instrument, and cured.

Every entry has two computations, one that fails and one that does not. Both are compared with the second one in
binary64.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from ..accumulators import Accumulator, Blocked, Sequential
from ..arrays import array
from ..formats import BINARY64
from ..learn import (
    Advice,
    Config,
    Linear,
    Precision,
    Samples,
    Tensor,
    check,
    diagnose,
    examine,
    first_difference,
    get_config,
    train,
)
from ..learn.run.engine import make_model
from ..learn.shares import Share
from ..neighbours import ulp
from ..wording import did_you_mean, quoted

Make: TypeAlias = "Callable[..., Tensor]"
"""`make(x, fmt=None)` gives a Tensor in the format of the computation, or in another one."""

Computation: TypeAlias = Callable[[Make], Tensor]


@dataclass(frozen=True)
class Outcome:
    """What a computation gave.

    Attributes
    ----------
    error : float
        As `Failure.measure` says; infinite if a result is NaN or infinite.
    said, topics : tuple of str
        What the instrument says of it, and what each sentence is about.
    """

    error: float
    said: tuple[str, ...]
    topics: tuple[str, ...]


@dataclass(frozen=True)
class Failure(ABC):
    """A failure that people report.

    Attributes
    ----------
    name, title : str
        A short name; what people see.
    fmt : str
        The format in which it fails.
    topic : str
        The topic of the advice that names the cause.
    cure : str
        In a sentence.
    source : str
        Where it is described; "" for what many people report.
    """

    name: str
    title: str
    fmt: str
    topic: str
    cure: str
    source: str = field(default="", kw_only=True)

    measure: ClassVar[str]
    """What `Outcome.error` is."""

    instrument: ClassVar[str]
    """What names the cause."""

    @abstractmethod
    def before(self) -> Outcome:
        """The computation that fails."""

    @abstractmethod
    def after(self) -> Outcome:
        """The cured one."""

    @property
    def named(self) -> bool:
        """Whether the instrument names the cause of the failure, and no longer after the cure."""
        return self.topic in self.before().topics and self.topic not in self.after().topics


@dataclass(frozen=True)
class WrongResult(Failure):
    """Two functions of rounded Tensors, both compared with the second one in binary64."""

    broken: Computation
    cured: Computation
    cured_in: str = ""
    """The format of the cured computation, if another one is the cure."""

    measure = "largest error, as a part of the largest result"
    instrument = "examine"

    def before(self) -> Outcome:
        """The function that fails."""
        return self._outcome(self.broken, self.fmt)

    def after(self) -> Outcome:
        """The cured one."""
        return self._outcome(self.cured, self.cured_in or self.fmt)

    def _outcome(self, computation: Computation, fmt: str) -> Outcome:
        with np.errstate(all="ignore"):
            result = computation(maker(fmt))
            return Outcome(self._error(result), *_said(examine(result)))

    def _error(self, result: Tensor) -> float:
        exact = self.cured(maker("binary64")).value.values
        error = np.abs(result.value.values - exact)
        return math.inf if not np.isfinite(error).all() else float(error.max() / np.abs(exact).max())


@dataclass(frozen=True)
class OneSidedErrors(WrongResult):
    """Functions that end in a product of matrices, whose own rounding errors are looked at."""

    measure = "mean error of the last product, in ulp"

    def _error(self, result: Tensor) -> float:
        a, b = (np.asarray(x.value.values, np.float64) for x in result.arguments)
        units = (result.value.values - a @ b) / np.asarray(ulp(result.value.values, self.fmt), np.float64)
        return float(abs(units.mean()))


@dataclass(frozen=True)
class OrderOfSums(Failure):
    """One function of an accumulator: the accumulators that a library takes for two batch sizes."""

    computation: Callable[[Make, Accumulator], Tensor]
    broken: tuple[Accumulator, Accumulator]
    cured: tuple[Accumulator, Accumulator]

    measure = "part of the results that differ between the batch sizes"
    instrument = "first_difference"

    def before(self) -> Outcome:
        """Two accumulators."""
        return self._outcome(self.broken)

    def after(self) -> Outcome:
        """One accumulator."""
        return self._outcome(self.cured)

    def _outcome(self, accumulators: tuple[Accumulator, Accumulator]) -> Outcome:
        one, other = (self.computation(maker(self.fmt), accumulator) for accumulator in accumulators)
        differ, found = one.value.values != other.value.values, first_difference(one, other)
        return Outcome(float(differ.mean()), (str(found),) if found else (), ("order of sums",) if found else ())


@dataclass(frozen=True)
class LostAdditions(Failure):
    """Two runs of the lab that add up over time: gradients of micro-batches, or a moving average of the weights."""

    broken: Mapping[str, Any]
    cured: Mapping[str, Any]
    counted: str
    """The counts of an epoch that are looked at."""
    data: tuple[npt.ArrayLike, npt.ArrayLike]
    """Inputs and targets; the model is one linear layer."""

    measure = "part of the additions that changed nothing"
    instrument = "diagnose"

    def before(self) -> Outcome:
        """The run that fails."""
        return self._outcome(self.broken)

    def after(self) -> Outcome:
        """The cured run."""
        return self._outcome(self.cured)

    def _outcome(self, options: Mapping[str, Any]) -> Outcome:
        data = Samples.of(self.data)
        model = [Linear(data.image_shape[0], 1)]
        history = train(Config(self.fmt), data, model=model, loss="mean_squared_error", **options)
        share = sum((getattr(epoch, self.counted) for epoch in history.epochs), Share()).value
        return Outcome(math.nan if share is None else share, *_said(diagnose(history)))


@dataclass(frozen=True)
class LostDecay(Failure):
    """Two runs of the lab on inputs of 0: all gradients are 0, and weight decay alone moves the weights."""

    broken: Mapping[str, Any]
    cured: Mapping[str, Any]

    measure = "part of the expected decay that did not happen"
    instrument = "check"

    def before(self) -> Outcome:
        """The run that fails."""
        return self._outcome(self.broken)

    def after(self) -> Outcome:
        """The cured run."""
        return self._outcome(self.cured)

    def _outcome(self, options: Mapping[str, Any]) -> Outcome:
        data = Samples.of((np.zeros((64, 32)), np.zeros((64, 8))))
        config = get_config(Config(self.fmt), data=data, model=[Linear(32, 8)], loss="mean_squared_error", **options)
        history = train(config, data)
        drawn = make_model(config, data).draw(config.rng)["linear1.weight"]
        left = np.abs(history.params["linear1.weight"].values).sum() / np.abs(drawn).sum()
        expected = (1 - config.lr * config.weight_decay) ** config.epochs
        return Outcome(float(abs(1 - (1 - left) / (1 - expected))), *_said(check(config)))


def _said(found: Iterable[Advice]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The sentences and the topics of advice."""
    kept = tuple(found)
    return tuple(map(str, kept)), tuple(advice.topic for advice in kept)


def maker(fmt: str) -> Make:
    """What makes Tensors in a format; in binary64 all of them are in binary64."""

    def make(x: npt.ArrayLike, other: str | None = None) -> Tensor:
        return Tensor(array(x, "binary64" if fmt == "binary64" else other or fmt))

    return make


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
