"""The training loop, and what it remembers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..flags import record_flags
from ..floatarray import FloatArray, array
from ..formats import get_format, get_rounding
from .autograd import Observer, Tensor, gradients
from .data import Dataset
from .layers import MLP, Params
from .losses import cross_entropy
from .metrics import accuracy
from .optimizers import Optimizer, adam, sgd
from .telemetry import Death, GradientLoss, Share, all_finite, apply_steps, post_mortem

__all__ = ["Config", "Death", "Epoch", "History", "train"]


@dataclass(frozen=True)
class Config:
    """A run, stated completely.

    The default reaches 97 % on the bundled digits in binary16 and bfloat16 with everything rounded. `loss_scale`
    multiplies the loss before the backward pass and is never divided out: Adam does not care, and for sgd the learning
    rate is divided by it instead.
    """

    fmt: str = "binary16"
    mode: str = "ties_to_even"
    layers: tuple[int, ...] = (32,)
    epochs: int = 20
    batch: int = 64
    optimizer: str = "adam"
    lr: float = 1e-2
    momentum: float = 0.9
    beta2: float = 0.99
    epsilon: float = 1e-4
    loss_scale: float = 1024.0
    rng: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "fmt", get_format(self.fmt).name)
        object.__setattr__(self, "mode", get_rounding(self.mode).value)
        if self.optimizer not in ("adam", "sgd"):
            raise ValueError(f"optimizer={self.optimizer!r} is unknown; use 'adam' or 'sgd'")
        for name in ("epochs", "batch"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be 1 or more")
        if not self.loss_scale > 0:
            raise ValueError(f"loss_scale={self.loss_scale} must be positive; 1 means no scaling")
        self.make_optimizer()

    @property
    def label(self) -> str:
        """What to call the run in a table."""
        return self.fmt if self.mode == "ties_to_even" else f"{self.fmt}, {self.mode}"

    def make_optimizer(self) -> Optimizer:
        """The (init, update) pair that this run uses."""
        if self.optimizer == "sgd":
            return sgd(self.lr / self.loss_scale, self.momentum)
        return adam(self.lr, beta2=self.beta2, epsilon=self.epsilon)

    def constants(self) -> dict[str, float]:
        """The numbers that the optimizer rounds to the format."""
        if self.optimizer == "sgd":
            return {"lr / loss_scale": self.lr / self.loss_scale}
        return {"epsilon": self.epsilon, "beta2": self.beta2, "lr": self.lr}


@dataclass(frozen=True)
class Epoch:
    """What happened in one pass over the data.

    Attributes
    ----------
    loss : float
        Mean training loss, unscaled.
    test_accuracy : float
    lost_gradients : Share
        Of the nonzero gradients that pass through the graph, those that became 0 (sampled steps).
    absorbed_updates : Share
        Of the nonzero steps, those that left their parameter as it was.
    overflows : int
        Operations' results beyond the largest finite number.
    """

    number: int
    loss: float
    test_accuracy: float
    lost_gradients: Share
    absorbed_updates: Share
    overflows: int


@dataclass(frozen=True)
class History:
    """A finished run: its configuration, its epochs, its parameters and, if it died, how."""

    config: Config
    epochs: tuple[Epoch, ...]
    params: Params
    death: Death | None = None

    def totals(self) -> dict[str, Any]:
        """The row of a table: accuracy and loss at the end, losses over the whole run; plain numbers."""
        lost = sum((e.lost_gradients for e in self.epochs), Share())
        absorbed = sum((e.absorbed_updates for e in self.epochs), Share())
        return {
            "format": self.config.fmt,
            "test_accuracy": self.epochs[-1].test_accuracy,
            "loss": self.epochs[-1].loss,
            "lost_gradients": float(lost),
            "absorbed_updates": float(absorbed),
            "overflows": sum(e.overflows for e in self.epochs),
            "died": None if self.death is None else str(self.death),
        }

    def to_dict(self) -> dict[str, Any]:
        """Everything but the parameters, as plain data for JSON (NaN and infinities as None)."""
        epochs = [
            {**asdict(e), "lost_gradients": float(e.lost_gradients), "absorbed_updates": float(e.absorbed_updates)}
            for e in self.epochs
        ]
        return _plain({"config": asdict(self.config), "epochs": epochs, "result": self.totals()})


def _plain(x: Any) -> Any:
    if isinstance(x, dict):
        return {key: _plain(value) for key, value in x.items()}
    if isinstance(x, (list, tuple)):
        return [_plain(value) for value in x]
    return None if isinstance(x, float) and not np.isfinite(x) else x


SAMPLE_EVERY = 10
"""Steps between two looks at the backward pass: each costs as much as a step."""


def train(config: Config, data: Dataset, on_step: Callable[[int, int], None] | None = None) -> History:
    """Train an MLP with every product, sum, gradient and optimizer step rounded to the format.

    Parameters
    ----------
    config : Config
    data : Dataset
    on_step : callable, optional
        Called with the number of steps done and the number in all.

    Returns
    -------
    History
        It ends early, with `death` set, at the first step after which a parameter is not finite.

    Examples
    --------
    >>> from fp16sim.learn import load_digits
    >>> history = train(Config("bfloat16", epochs=1), load_digits())
    >>> history.epochs[0].test_accuracy > 0.8
    True
    """
    model = MLP((data.train_images.shape[1], *config.layers, data.classes))
    shuffling = np.random.default_rng(config.rng)
    params = model.init(config.fmt, config.mode, rng=config.rng)
    optimizer = config.make_optimizer()
    state = optimizer.init(params)
    like = next(iter(params.values()))
    images, tests = (_held(x, like) for x in (data.train_images, data.test_images))
    batches = -(-len(images) // config.batch)
    epochs: list[Epoch] = []
    death, step = None, 0
    with np.errstate(all="ignore"):
        for number in range(1, config.epochs + 1):
            order = shuffling.permutation(len(images))
            lost, absorbed, loss_sum = GradientLoss(), Share(), 0.0
            with record_flags(only=("overflow",)) as raised:
                for chosen in np.array_split(order, batches):
                    step += 1
                    observer = lost if step % SAMPLE_EVERY == 1 else None
                    loss, backward = _graph(config, model, params, images[chosen], data.train_labels[chosen])
                    steps, next_state = optimizer.update(backward(observer), state)
                    next_params, share = apply_steps(params, steps)
                    loss_sum += float(loss.value) * len(chosen)
                    absorbed += share
                    if not all_finite(next_params):
                        death = post_mortem(step, loss, backward, optimizer, state, next_params, config.constants())
                        params = next_params
                        break
                    params, state = next_params, next_state
                    if on_step:
                        on_step(step, batches * config.epochs)
            logits = model({name: Tensor(x) for name, x in params.items()}, Tensor(tests, wanted=False)).value
            epochs.append(
                Epoch(
                    number,
                    loss_sum / len(images) if death is None else float("nan"),
                    accuracy(logits.values, data.test_labels),
                    lost.share,
                    absorbed,
                    raised.overflow.count,
                )
            )
            if death:
                break
    return History(config, tuple(epochs), params, death)


def _held(x: Any, like: FloatArray) -> FloatArray:
    return array(x, like.fmt, like.mode, rng=like.rng)


def _graph(
    config: Config, model: MLP, params: Params, images: FloatArray, labels: Any
) -> tuple[Tensor, Callable[[Observer | None], Params]]:
    """The loss of a batch, and the backward pass as a function that can be run again."""
    tensors = {name: Tensor(x, name=name) for name, x in params.items()}
    loss = cross_entropy(model(tensors, Tensor(images, name="images", wanted=False)), labels)
    return loss, lambda observer: gradients(loss, tensors, scale=config.loss_scale, observer=observer)
