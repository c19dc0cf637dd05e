"""The training loop, and what it remembers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..accumulators import Accumulator, Blas, Sequential
from ..flags import record_flags
from ..floatarray import array
from ..formats import get_format, get_rounding
from .autograd import Observer, Tensor, gradients
from .data import Dataset
from .layers import MLP, Params
from .losses import cross_entropy
from .metrics import accuracy
from .optimizers import Optimizer, State, adam, sgd
from .telemetry import Death, GradientLoss, Share, all_finite, apply_steps, post_mortem

__all__ = ["Config", "Death", "Epoch", "History", "train"]


ACCUMULATORS: dict[str, Accumulator | None] = {
    "sequential": None,
    "binary32": Sequential("binary32"),
    "blas": Blas(),
}
"""How matrix products are summed: all rounded to the format; in binary32, one after the other; or by BLAS."""


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
    accumulator: str = "sequential"

    def __post_init__(self) -> None:
        object.__setattr__(self, "fmt", get_format(self.fmt).name)
        object.__setattr__(self, "mode", get_rounding(self.mode).value)
        if self.accumulator not in ACCUMULATORS:
            choices = ", ".join(map(repr, ACCUMULATORS))
            raise ValueError(f"accumulator={self.accumulator!r} is unknown; use one of {choices}")
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
    run = Run(config, data)
    progress, epochs = run.start(), []
    with np.errstate(all="ignore"):
        for number in range(1, config.epochs + 1):
            progress, epoch = run.epoch(progress, number, on_step)
            epochs.append(epoch)
            if progress.death:
                break
    return History(config, tuple(epochs), progress.params, progress.death)


@dataclass(frozen=True)
class Progress:
    """Where a run stands: all that the next step depends on."""

    step: int
    params: Params
    state: State
    death: Death | None = None


class Run:
    """A run's fixed parts, and its steps from one Progress to the next."""

    def __init__(self, config: Config, data: Dataset) -> None:
        self.config, self.labels, self.test_labels = config, data.train_labels, data.test_labels
        self.model = MLP(
            (data.train_images.shape[1], *config.layers, data.classes), accumulator=ACCUMULATORS[config.accumulator]
        )
        self.optimizer = config.make_optimizer()
        self.shuffling = np.random.default_rng(config.rng)
        self.params = self.model.init(config.fmt, config.mode, rng=config.rng)
        like = next(iter(self.params.values()))
        self.images, self.tests = (
            array(x, like.fmt, like.mode, rng=like.rng) for x in (data.train_images, data.test_images)
        )
        self.batches = -(-len(self.images) // config.batch)

    def start(self) -> Progress:
        """Before the first step."""
        return Progress(0, self.params, self.optimizer.init(self.params))

    def epoch(
        self, progress: Progress, number: int, on_step: Callable[[int, int], None] | None
    ) -> tuple[Progress, Epoch]:
        """One pass over the training images, and what was seen on the way."""
        order = self.shuffling.permutation(len(self.images))
        lost, absorbed, loss = GradientLoss(), Share(), 0.0
        with record_flags(only=("overflow",)) as raised:
            for chosen in np.array_split(order, self.batches):
                observer = lost if progress.step % SAMPLE_EVERY == 0 else None
                progress, batch_loss, share = self.step(progress, chosen, observer)
                loss += batch_loss * len(chosen)
                absorbed += share
                if progress.death:
                    loss = float("nan")
                    break
                if on_step:
                    on_step(progress.step, self.batches * self.config.epochs)
        overflows, reached = raised.overflow.count, self.accuracy(progress.params)
        return progress, Epoch(number, loss / len(self.images), reached, lost.share, absorbed, overflows)

    def step(self, progress: Progress, chosen: Any, observer: Observer | None) -> tuple[Progress, float, Share]:
        """One batch: the next progress, the loss, and how many updates were absorbed."""
        number = progress.step + 1
        loss, backward = self.graph(progress.params, chosen)
        steps, state = self.optimizer.update(backward(observer), progress.state)
        params, absorbed = apply_steps(progress.params, steps)
        death = None
        if not all_finite(params):
            constants = self.config.constants()
            death = post_mortem(number, loss, backward, self.optimizer, progress.state, params, constants)
        return Progress(number, params, state, death), float(loss.value), absorbed

    def graph(self, params: Params, chosen: Any) -> tuple[Tensor, Callable[[Observer | None], Params]]:
        """The loss of a batch, and the backward pass as a function that can be run again."""
        tensors = {name: Tensor(x, name=name) for name, x in params.items()}
        logits = self.model(tensors, Tensor(self.images[chosen], name="images", wanted=False))
        loss, scale = cross_entropy(logits, self.labels[chosen]), self.config.loss_scale
        return loss, lambda observer: gradients(loss, tensors, scale=scale, observer=observer)

    def accuracy(self, params: Params) -> float:
        """On the test images."""
        tensors = {name: Tensor(x) for name, x in params.items()}
        return accuracy(self.model(tensors, Tensor(self.tests, wanted=False)).value.values, self.test_labels)
