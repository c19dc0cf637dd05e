"""The kinds of failures in the gallery: the two computations that each compares, its error, what names the cause."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from ..accumulators import Accumulator
from ..arrays import array
from ..learn import (
    Advice,
    Config,
    Linear,
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
