"""The options of a training run as plain data, so that they can be printed, compared and stored."""

from __future__ import annotations

from dataclasses import dataclass, fields
from numbers import Integral
from typing import Any

from ...conversion import Generator
from ...rounding import round_to
from ...wording import did_you_mean, quoted
from ..data.augment import Augmentation
from ..data.normalise import NORMALISATIONS
from ..factors import Factors, FactorsLike, factors_if_given
from ..model.constants import CONSTANTS
from ..model.initialisers import get_initialiser
from ..model.models import Network
from ..model.optimizers import (
    Optimizer,
    Schedule,
    adam,
    clipped,
    clipped_by_value,
    cosine_decay,
    linear_decay,
    rmsprop,
    sgd,
    step_decay,
    warm_up,
)
from ..model.own import Loss, LossLike, ModelLike, as_loss, as_model
from ..model.transformer import GPTConfig, GPTLike
from ..model.updates import UPDATES
from ..precision import Policy, PolicyLike, Precision, check_factors, get_accumulator
from ..records import Converted, from_plain, names_unknown
from ..scaling import DynamicLossScale, LossScale, get_loss_scale

OPTIMIZERS = ("adam", "adamw", "rmsprop", "sgd")
MODELS = ("mlp", "cnn", "gpt")
FALLING = {"linear": linear_decay, "cosine": cosine_decay}
SCHEDULES = ("constant", *FALLING)
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
        "digits", "mnist" or "fashion-mnist"; for "gpt" a text: "alice", or "text:FILE".
    model : str, Network or list of Layer
        "mlp", "cnn", "gpt", or your own: a list of layers, a Chain, or a FunctionModel.
    loss : str or callable
        "cross_entropy", "mean_squared_error", or your own function of the model's output and the targets.
    layers : tuple of int
        The units of each hidden layer of the MLP.
    gpt : GPTConfig or dict
        The sizes and parts of the language model "gpt".
    epochs, batch : int
        Passes over the data; images in a step.
    optimizer : {"adam", "adamw", "rmsprop", "sgd"}
    lr, momentum, beta1, beta2, epsilon, bias_correction, weight_decay, constants
        See `optimizers`. Momentum is for sgd, the betas are for Adam; beta2 is the decay of RMSProp.
    clip_norm : float
        Gradients of a larger norm are scaled down to it; 0 for no limit. If they stay multiplied by a loss scale, so
        that `unscale` is False, the limit is multiplied too.
    clip_value : float
        Gradients beyond it, of either sign, become it; 0 for no limit. It is multiplied as `clip_norm` is.
    decay_every, decay_factor
        The learning rate is multiplied by the factor every `decay_every` steps; 0 for never.
    schedule : {"constant", "linear", "cosine"}
        How the learning rate falls.
    decay_steps, final_lr
        It falls to `final_lr` after `decay_steps` steps, or at the end of the run if that is 0.
    warmup : int
        In so many first steps the learning rate grows to `lr`.
    accumulate, accumulate_in
        In how many parts a batch is taken, as with gradient accumulation, and the format in which the gradients of the
        parts are added up, such as "bfloat16"; if empty, that of gradients. The loss of each part is divided by their
        number, so that the sum is the gradient of the mean. `batch` still counts the images of a step.
    ema, ema_in
        The decay of a moving average of the weights, which is evaluated beside them; 0 for none. And its format; if
        empty, that of the weights.
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
    scalars : {"rounded", "binary64"}
        How Python numbers in the model and the loss meet tensors, such as 1 / sqrt(d) or epsilon: rounded to the
        tensor's format first; or in binary64, so that only the result is rounded, as in PyTorch.
    shift, rotate
        Data augmentation: training images are moved by up to so many pixels, and turned by up to so many degrees.
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
    gpt: Converted[GPTLike, GPTConfig] = Converted(GPTConfig.of, GPTConfig())
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
    clip_value: float = 0.0
    decay_every: int = 0
    decay_factor: float = 0.1
    schedule: str = "constant"
    decay_steps: int = 0
    final_lr: float = 0.0
    warmup: int = 0
    accumulate: int = 1
    accumulate_in: str = ""
    ema: float = 0.0
    ema_in: str = ""
    loss_scale: float | str = 1024.0
    growth_interval: int = 2000
    unscale: bool = False
    update: str = "plain"
    l1: float = 0.0
    l2: float = 0.0
    init: str = ""
    scalars: str = "rounded"
    shift: int = 0
    rotate: float = 0.0
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
        for name in ("epochs", "batch", "growth_interval", "accumulate"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be 1 or more")
        if self.epochs > MOST_EPOCHS:
            raise ValueError(f"epochs={quoted(self.epochs)} is too many; use at most {MOST_EPOCHS:,}")
        seed: object = self.rng
        if not isinstance(seed, Integral):
            raise TypeError(f"rng={quoted(seed)} is not an integer; give a seed, such as 0")
        for name in _NOT_NEGATIVE:
            if not (given := getattr(self, name)) >= 0:
                why = "is negative" if given < 0 else "is not a number"
                raise ValueError(f"{name}={given} {why}; use 0 or more")
        if not 0 <= self.validation < 1:
            raise ValueError(f"validation={self.validation} leaves no images to train on; use 0.1, or 0 for none")
        if any(n < 1 for n in self.layers):
            raise ValueError(f"layers={self.layers} has a layer without units; use 1 or more")
        self._check_scale()
        if self.factors is not None:
            check_factors(self.factors, self.policy)
        self._check_steps()
        self._check_formats()
        Augmentation(self.shift, self.rotate)
        self.make_optimizer()

    def _check_scale(self) -> None:
        scale = self.make_loss_scale()
        if isinstance(scale, DynamicLossScale) and not self.unscale:
            raise ValueError(
                "loss_scale='dynamic' with unscale=False: the optimizer's state would mix gradients of different "
                "scales; use unscale=True, or a number as the scale"
            )

    def _check_steps(self) -> None:
        """Options of the steps that contradict each other, or have no sense."""
        if self.accumulate > self.batch:
            raise ValueError(
                f"accumulate={quoted(self.accumulate)} is more than the batch={quoted(self.batch)} images of a step; "
                "use less"
            )
        if self.clip_norm and self.clip_value:
            raise ValueError(
                f"clip_norm={self.clip_norm:g} beside clip_value={self.clip_value:g}: gradients are clipped in one "
                "way; leave one out"
            )
        if self.decay_every and self.schedule != "constant":
            raise ValueError(
                f"decay_every={self.decay_every} beside schedule={quoted(self.schedule)}: the learning rate falls in "
                "one way; leave one out"
            )
        if self.final_lr and not self.final_lr <= self.lr:
            raise ValueError(f"final_lr={self.final_lr} is above lr={self.lr}; use a smaller one, or 0")
        if not self.ema < 1:
            raise ValueError(f"ema={self.ema} must be below 1, such as 0.99; 0 means no average")
        limit, fmt = self.value_limit, self.policy.state.fmt
        if limit and self.constants == "rounded" and round_to(limit, fmt) == 0:
            raise ValueError(f"clip_value={self.clip_value:g} is 0 in {fmt.name}, the optimizer's format; use more")

    def _check_formats(self) -> None:
        for name in ("accumulate_in", "ema_in"):
            if given := getattr(self, name):
                try:
                    Precision.of(given)
                except ValueError as error:
                    raise ValueError(f"{name}={quoted(given)}: {error}") from None

    @property
    def accumulation(self) -> Precision:
        """In which precision the gradients of a batch's parts are added up."""
        return Precision.of(self.accumulate_in) if self.accumulate_in else self.policy.gradient

    def average_of(self, name: str) -> Precision:
        """The precision of the moving average of a weight."""
        return Precision.of(self.ema_in) if self.ema_in else self.policy.weights_of(name)

    @property
    def label(self) -> str:
        """The name of the run in tables and files."""
        name = str(self.policy).removeprefix("compute=")
        return self.recipe or (f"{name} factors={self.factors}" if self.factors else name)

    def make_loss_scale(self) -> LossScale:
        """The loss scale that this run starts with."""
        return get_loss_scale(self.loss_scale, self.policy.loss.fmt, self.growth_interval)

    def make_optimizer(self, rng: Generator = None, steps: int = 0) -> Optimizer:
        """The (init, update) pair of this run; `steps` is how many it has, if that is known."""
        optimizer = self._without_clipping(steps)
        if self.clip_value:
            return clipped_by_value(optimizer, self.value_limit, constants=self.constants)
        if not self.clip_norm:
            return optimizer
        state, sums = self.policy.state, get_accumulator(self.policy.accumulator, self.policy.state, rng)
        accumulator = sums if sums is not None and sums.accepts(state.fmt) else None
        return clipped(optimizer, self.clip_limit, accumulator, constants=self.constants)

    @property
    def clip_limit(self) -> float:
        """The norm to which gradients are clipped as the optimizer receives them."""
        return self.clip_norm * self._received_scale

    @property
    def value_limit(self) -> float:
        """The value to which gradients are clipped as the optimizer receives them."""
        return self.clip_value * self._received_scale

    @property
    def _received_scale(self) -> float:
        return 1.0 if self.unscale else self.make_loss_scale().scale

    def _without_clipping(self, steps: int) -> Optimizer:
        rate = self._schedule(steps)
        if self.optimizer == "sgd":
            return sgd(rate, self.momentum, constants=self.constants)
        if self.optimizer == "rmsprop":
            return rmsprop(rate, self.beta2, self.epsilon, constants=self.constants)
        return adam(
            rate,
            self.beta1,
            self.beta2,
            self.epsilon,
            bias_correction=self.bias_correction,
            weight_decay=self.weight_decay if self.optimizer == "adamw" else 0.0,
            constants=self.constants,
        )

    def _schedule(self, steps: int) -> Schedule:
        scale = self.make_loss_scale().scale if self.optimizer == "sgd" and not self.unscale else 1.0
        rate = self._falling(self.lr / scale, self.final_lr / scale, steps)
        return warm_up(rate, self.warmup) if self.warmup else rate

    def _falling(self, lr: float, final: float, steps: int) -> Schedule:
        """The learning rate without its warm-up."""
        if self.schedule in FALLING:
            # A run of unknown length: the first step is as in any other.
            left = self.decay_steps or max(steps - self.warmup, 1)
            return FALLING[self.schedule](lr, left, final)
        return step_decay(lr, self.decay_every, self.decay_factor) if self.decay_every else lr

    def rate(self, step: int, steps: int = 0) -> float:
        """The learning rate of a step, counted from 0, in a run of so many steps."""
        rate = self._schedule(steps)
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
            "gpt": self.gpt.to_dict(),
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
    "scalars": CONSTANTS,
    "schedule": SCHEDULES,
}
_NOT_NEGATIVE = (
    "rng",
    "l1",
    "l2",
    "weight_decay",
    "clip_norm",
    "clip_value",
    "decay_every",
    "decay_steps",
    "final_lr",
    "warmup",
    "ema",
)
