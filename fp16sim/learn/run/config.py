"""A training run, stated completely: every option as plain data, so that it can be printed, compared and stored."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from ..model.initialisers import get_initialiser
from ..model.optimizers import CONSTANTS, Optimizer, Schedule, adam, clipped, rmsprop, sgd, step_decay
from ..model.updates import UPDATES
from ..precision import Policy, get_accumulator
from ..scaling import DynamicLossScale, LossScale, get_loss_scale

OPTIMIZERS = ("adam", "adamw", "rmsprop", "sgd")
MODELS = ("mlp", "cnn")
NORMALISATIONS = ("unit", "symmetric", "standard")


@dataclass(frozen=True)
class Config:
    """A run, stated completely.

    The default reaches 97 % on the bundled digits in binary16 and bfloat16 with everything rounded. Bundles of options
    for the usual ways to train have names; see `recipes`.

    Parameters
    ----------
    policy : Policy, str or Format
        The precision of each kind of number; "bfloat16" alone means all of them.
    recipe : str
        What to call the run; empty for the policy's format.
    data, model, layers
        "digits", "mnist" or "fashion-mnist"; "mlp" with these hidden layers, or "cnn".
    epochs, batch, rng, init, normalisation, validation
        Passes over the data; images a step; the seed of weights, order and stochastic rounding; "he", "xavier" or
        "small" weights in place of the layers' own; pixels to [0, 1], to [-1, 1], or by mean and deviation; the share
        of the training images that is kept to validate on.
    optimizer, lr, momentum, beta1, beta2, epsilon, bias_correction, weight_decay, constants, clip_norm
        See `optimizers`; a norm of 0 does not clip.
    decay_every, decay_factor
        The learning rate is multiplied by the factor after every so many steps; 0 for never.
    loss_scale : float or str
        A number, "dynamic" or "none".
    growth_interval : int
        Of the dynamic scale.
    unscale : bool
        Whether gradients are divided by the loss scale before the optimizer has them. If not, Adam and RMSProp do not
        care (but for epsilon), and for sgd the learning rate is divided instead.
    update : {"plain", "kahan", "stochastic"}
        How steps are added to weights: rounded; with what was lost carried along; rounded stochastically.
    l1, l2 : float
        Factors of the penalties.
    """

    policy: Any = "binary16"
    recipe: str = ""
    data: str = "digits"
    model: str = "mlp"
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

    def __post_init__(self) -> None:
        object.__setattr__(self, "policy", Policy.of(self.policy))
        object.__setattr__(self, "layers", tuple(self.layers))
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(
                    f"{name}={getattr(self, name)!r} is unknown; use one of {', '.join(map(repr, choices))}"
                )
        if self.init:
            get_initialiser(self.init)
        for name in ("epochs", "batch", "growth_interval"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be 1 or more")
        for name in ("l1", "l2", "weight_decay", "clip_norm", "decay_every"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name}={getattr(self, name)} is negative; use 0 or more")
        if not 0 <= self.validation < 1:
            raise ValueError(f"validation={self.validation} leaves nothing to learn from; use 0.1, or 0 for none")
        if any(n < 1 for n in self.layers):
            raise ValueError(f"layers={self.layers} has a layer without units; use 1 or more")
        self._check_scale()
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
        """What to call the run in a table."""
        return self.recipe or str(self.policy).removeprefix("compute=")

    def make_loss_scale(self) -> LossScale:
        """The loss scale that this run starts with."""
        return get_loss_scale(self.loss_scale, self.policy.loss.fmt, self.growth_interval)

    def make_optimizer(self, rng: Any = None) -> Optimizer:
        """The (init, update) pair that this run uses."""
        optimizer = self._plain_optimizer()
        if not self.clip_norm:
            return optimizer
        state, sums = self.policy.state, get_accumulator(self.policy.accumulator, self.policy.state, rng)
        return clipped(optimizer, self.clip_norm, sums if sums is not None and sums.accepts(state.fmt) else None)

    def _plain_optimizer(self) -> Optimizer:
        how = {"constants": self.constants}
        if self.optimizer == "sgd":
            return sgd(self._rate(), self.momentum, **how)
        if self.optimizer == "rmsprop":
            return rmsprop(self._rate(), self.beta2, self.epsilon, **how)
        decay = self.weight_decay if self.optimizer == "adamw" else 0.0
        return adam(
            self._rate(),
            self.beta1,
            self.beta2,
            self.epsilon,
            bias_correction=self.bias_correction,
            weight_decay=decay,
            **how,
        )

    def _rate(self) -> Schedule:
        divided = self.optimizer == "sgd" and not self.unscale
        lr = self.lr / self.make_loss_scale().scale if divided else self.lr
        return step_decay(lr, self.decay_every, self.decay_factor) if self.decay_every else lr

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        rate = self._rate()
        return rate(step) if callable(rate) else rate

    def optimizer_constants(self) -> dict[str, float]:
        """The numbers that the optimizer rounds to its format, where it does."""
        if self.constants == "binary64":
            return {}
        used: dict[str, dict[str, float]] = {
            "sgd": {"lr / loss_scale" if not self.unscale else "lr": self.rate(0), "momentum": self.momentum},
            "rmsprop": {"epsilon": self.epsilon, "beta2": self.beta2, "lr": self.lr},
        }
        betas = {"epsilon": self.epsilon, "beta1": self.beta1, "beta2": self.beta2, "lr": self.lr}
        return used.get(self.optimizer, betas)

    def to_dict(self) -> dict[str, Any]:
        """All options as plain data; `from_dict` reads it back."""
        return {**asdict(self), "policy": self.policy.to_dict(), "layers": list(self.layers)}

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> Config:
        """The Config that `to_dict` described; ValueError for options that are not known."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(given) - known):
            raise ValueError(f"options {', '.join(unknown)} are unknown; was this written by another version?")
        return cls(**{**given, "policy": Policy(**given["policy"]), "layers": tuple(given["layers"])})


_CHOICES: dict[str, tuple[str, ...]] = {
    "optimizer": OPTIMIZERS,
    "constants": CONSTANTS,
    "update": tuple(UPDATES),
    "model": MODELS,
    "normalisation": NORMALISATIONS,
}
