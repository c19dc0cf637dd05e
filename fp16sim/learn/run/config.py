"""The options of a training run as plain data, so that they can be printed, compared and stored."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from ...conversion import Generator
from ...wording import did_you_mean, quoted
from ..data.normalise import NORMALISATIONS
from ..factors import Factors, FactorsLike, factors_if_given
from ..model.constants import CONSTANTS
from ..model.initialisers import get_initialiser
from ..model.models import Network
from ..model.optimizers import Optimizer, Schedule, adam, clipped, rmsprop, sgd, step_decay
from ..model.own import Loss, LossLike, ModelLike, as_loss, as_model
from ..model.updates import UPDATES
from ..precision import Policy, PolicyLike, check_factors, get_accumulator
from ..records import Converted, from_plain, names_unknown
from ..scaling import DynamicLossScale, LossScale, get_loss_scale

OPTIMIZERS = ("adam", "adamw", "rmsprop", "sgd")
MODELS = ("mlp", "cnn")
MOST_EPOCHS = 100_000
"""A checkpoint has a record of each epoch, and is written at the end of each."""


@names_unknown
@dataclass(frozen=True)
class Config:
    """All options of a run.

    The defaults reach 97 % on the bundled digits in binary16 and bfloat16 with everything rounded. `recipes` has names
    for the usual ways to train.

    Parameters
    ----------
    policy : Policy, str, Format or dtype
        The precision of each kind of number; "bfloat16" alone is the precision of all.
    recipe : str
        The name of the run; if empty, the text of the policy.
    data : str
        "digits", "mnist" or "fashion-mnist".
    model : str, Network or list of Layer
        "mlp", "cnn", or your own: a list of layers, a Chain, or a FunctionModel.
    loss : str or callable
        "cross_entropy", "mean_squared_error", or your own function of the model's output and the targets.
    layers : tuple of int
        The units of each hidden layer of the MLP.
    epochs, batch : int
        Passes over the data; images in a step.
    optimizer : {"adam", "adamw", "rmsprop", "sgd"}
    lr, momentum, beta1, beta2, epsilon, bias_correction, weight_decay, constants
        See `optimizers`. Momentum is for sgd, the betas are for Adam; beta2 is the decay of RMSProp.
    clip_norm : float
        Gradients of a larger norm are scaled down to it; 0 for no limit. If they stay multiplied by a loss scale, so
        that `unscale` is False, the limit is multiplied too.
    decay_every, decay_factor
        The learning rate is multiplied by the factor every `decay_every` steps; 0 for never.
    loss_scale : float or str
        A number, "dynamic" or "none".
    growth_interval : int
        The dynamic loss scale doubles after this number of finite steps.
    unscale : bool
        Whether gradients are divided by the loss scale before the optimizer receives them. If not, the steps of Adam
        and RMSProp are the same except for epsilon, and for sgd the learning rate is divided instead.
    update : {"plain", "kahan", "stochastic"}
        How steps are added to weights: rounded to nearest; so that the next step gets back what rounding took; rounded
        stochastically.
    l1, l2 : float
        Factors of the penalties in the loss: the sum of the absolute weights, and of their squares.
    init : {"", "he", "xavier", "small"}
        How all weights are drawn; if empty, each layer has its own rule.
    normalisation : {"unit", "symmetric", "standard"}
        Pixels to [0, 1], to [-1, 1], or to mean 0 and standard deviation 1.
    validation : float
        The part of the training images that is kept for validation.
    rng : int
        The seed of the weights, the order of the images, and stochastic rounding.
    factors : Factors or str, optional
        How the factors of products are scaled and rounded, for 8 and 4 bits: "fp8-delayed", "nvfp4 hadamard=0"; none
        unless given. See `Factors`.
    """

    policy: Converted[PolicyLike, Policy] = Converted(Policy.of, "binary16")
    recipe: str = ""
    data: str = "digits"
    model: Converted[ModelLike, str | Network] = Converted(as_model, "mlp")
    loss: Converted[LossLike, Loss] = Converted(as_loss, "cross_entropy")
    layers: tuple[int, ...] = (32,)
    epochs: int = 20
    batch: int = 64
    optimizer: str = "adam"
    lr: float = 1e-2
    momentum: float = 0.9
    beta1: float = 0.9
    beta2: float = 0.99
    epsilon: float = 1e-4
    bias_correction: bool = True
    weight_decay: float = 0.0
    constants: str = "rounded"
    clip_norm: float = 0.0
    decay_every: int = 0
    decay_factor: float = 0.1
    loss_scale: float | str = 1024.0
    growth_interval: int = 2000
    unscale: bool = False
    update: str = "plain"
    l1: float = 0.0
    l2: float = 0.0
    init: str = ""
    normalisation: str = "unit"
    validation: float = 0.0
    rng: int = 0
    factors: Converted[FactorsLike | None, Factors | None] = Converted(factors_if_given, None)

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        for name, choices in _CHOICES.items():
            if not isinstance(given := getattr(self, name), Network) and given not in choices:
                known = f"{did_you_mean(given, choices)}use one of {', '.join(map(repr, choices))}"
                raise ValueError(f"{name}={quoted(given)} is unknown; {known}")
        if self.init:
            get_initialiser(self.init)
        for name in ("epochs", "batch", "growth_interval"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be 1 or more")
        if self.epochs > MOST_EPOCHS:
            raise ValueError(f"epochs={quoted(self.epochs)} is too many; use at most {MOST_EPOCHS:,}")
        for name in ("l1", "l2", "weight_decay", "clip_norm", "decay_every"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name}={getattr(self, name)} is negative; use 0 or more")
        if not 0 <= self.validation < 1:
            raise ValueError(f"validation={self.validation} leaves no images to train on; use 0.1, or 0 for none")
        if any(n < 1 for n in self.layers):
            raise ValueError(f"layers={self.layers} has a layer without units; use 1 or more")
        self._check_scale()
        if self.factors is not None:
            check_factors(self.factors, self.policy)
        self.make_optimizer()

    def _check_scale(self) -> None:
        scale = self.make_loss_scale()
        if isinstance(scale, DynamicLossScale) and not self.unscale:
            raise ValueError(
                "loss_scale='dynamic' with unscale=False: the optimizer's state would mix gradients of different "
                "scales; use unscale=True, or a number as the scale"
            )

    @property
    def label(self) -> str:
        """The name of the run in tables and files."""
        name = str(self.policy).removeprefix("compute=")
        return self.recipe or (f"{name} factors={self.factors}" if self.factors else name)

    def make_loss_scale(self) -> LossScale:
        """The loss scale that this run starts with."""
        return get_loss_scale(self.loss_scale, self.policy.loss.fmt, self.growth_interval)

    def make_optimizer(self, rng: Generator = None) -> Optimizer:
        """The (init, update) pair of this run."""
        optimizer = self._without_clipping()
        if not self.clip_norm:
            return optimizer
        state, sums = self.policy.state, get_accumulator(self.policy.accumulator, self.policy.state, rng)
        accumulator = sums if sums is not None and sums.accepts(state.fmt) else None
        return clipped(optimizer, self.clip_limit, accumulator, constants=self.constants)

    @property
    def clip_limit(self) -> float:
        """The norm to which gradients are clipped as the optimizer receives them."""
        return self.clip_norm if self.unscale else self.clip_norm * self.make_loss_scale().scale

    def _without_clipping(self) -> Optimizer:
        if self.optimizer == "sgd":
            return sgd(self._schedule(), self.momentum, constants=self.constants)
        if self.optimizer == "rmsprop":
            return rmsprop(self._schedule(), self.beta2, self.epsilon, constants=self.constants)
        return adam(
            self._schedule(),
            self.beta1,
            self.beta2,
            self.epsilon,
            bias_correction=self.bias_correction,
            weight_decay=self.weight_decay if self.optimizer == "adamw" else 0.0,
            constants=self.constants,
        )

    def _schedule(self) -> Schedule:
        divided = self.optimizer == "sgd" and not self.unscale
        lr = self.lr / self.make_loss_scale().scale if divided else self.lr
        return step_decay(lr, self.decay_every, self.decay_factor) if self.decay_every else lr

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        rate = self._schedule()
        return rate(step) if callable(rate) else rate

    def optimizer_constants(self) -> dict[str, float]:
        """The options that the optimizer rounds to its format, with their values; see `RoundedOption`."""
        if self.constants == "binary64":
            return {}
        if self.optimizer == "sgd":
            return {"lr" if self.unscale else "lr / loss_scale": self.rate(0), "momentum": self.momentum}
        used = ("epsilon", "beta2", "lr") if self.optimizer == "rmsprop" else ("epsilon", "beta1", "beta2", "lr")
        return {name: getattr(self, name) for name in used}

    def to_dict(self) -> dict[str, Any]:
        """All options as plain data; `from_dict` reads it back."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        model = self.model if isinstance(self.model, str) else self.model.to_plain()
        factors = self.factors and self.factors.to_plain()
        apart = {
            "factors": factors,
            "policy": self.policy.to_dict(),
            "layers": list(self.layers),
            "model": model,
            "loss": self.loss.name,
        }
        return {**plain, **apart}

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> Config:
        """The Config that `to_dict` described; ValueError for options that are missing, unknown or of another type."""
        return from_plain(cls, given, "config")


_CHOICES: dict[str, tuple[str, ...]] = {
    "optimizer": OPTIMIZERS,
    "constants": CONSTANTS,
    "update": tuple(UPDATES),
    "model": MODELS,
    "normalisation": tuple(NORMALISATIONS),
}
