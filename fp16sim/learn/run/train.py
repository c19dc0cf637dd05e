"""The training loop, and what it remembers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..data import Dataset, load, normalise
from ..model.layers import Params
from ..observe.metrics import accuracy
from ..observe.telemetry import EVERY, Death, Microscope, Share, Telemetry
from . import checkpoint
from .config import Config
from .engine import Engine, Progress, Tally
from .recipes import get_config

__all__ = ["Config", "Death", "Epoch", "History", "train"]


@dataclass(frozen=True)
class Epoch:
    """What happened in one pass over the data.

    Attributes
    ----------
    loss : float
        Mean training loss, unscaled.
    test_accuracy : float
    validation_accuracy : float or None
        On the images held back, if any were.
    lost_gradients : Share
        Of the nonzero gradients that pass through the graph, those that became 0 (on the steps looked at).
    absorbed_updates : Share
        Of the nonzero steps, those that left their parameter as it was.
    overflows : int
        Operations' results beyond the largest finite number.
    skipped : int
        Steps left out because a gradient was not finite.
    """

    number: int
    loss: float
    test_accuracy: float
    lost_gradients: Share
    absorbed_updates: Share
    overflows: int
    skipped: int = 0
    validation_accuracy: float | None = None


@dataclass(frozen=True)
class History:
    """A finished run: its configuration, its epochs, its parameters and, if it died, how."""

    config: Config
    epochs: tuple[Epoch, ...]
    params: Params
    death: Death | None = None
    telemetry: Telemetry = field(default_factory=Telemetry)
    steps: int = 0

    def totals(self) -> dict[str, Any]:
        """The row of a table: accuracy and loss at the end, losses over the whole run; plain numbers."""
        lost = sum((e.lost_gradients for e in self.epochs), Share())
        absorbed = sum((e.absorbed_updates for e in self.epochs), Share())
        return {
            "recipe": self.config.label,
            "policy": str(self.config.policy),
            "test_accuracy": self.epochs[-1].test_accuracy,
            "loss": self.epochs[-1].loss,
            "lost_gradients": float(lost),
            "absorbed_updates": float(absorbed),
            "overflows": sum(e.overflows for e in self.epochs),
            "skipped": sum(e.skipped for e in self.epochs),
            "steps": self.steps,
            "died": None if self.death is None else str(self.death),
        }

    def to_dict(self) -> dict[str, Any]:
        """Everything but the parameters, as plain data for JSON (NaN and infinities as None)."""
        epochs = [
            {**asdict(e), "lost_gradients": float(e.lost_gradients), "absorbed_updates": float(e.absorbed_updates)}
            for e in self.epochs
        ]
        return plain(
            {
                "config": self.config.to_dict(),
                "epochs": epochs,
                "result": self.totals(),
                "telemetry": self.telemetry.to_dict(),
            }
        )


def plain(x: Any) -> Any:
    """Data as JSON has it: no NaN, no infinities, no tuples."""
    if isinstance(x, dict):
        return {key: plain(value) for key, value in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain(value) for value in x]
    return None if isinstance(x, float) and not np.isfinite(x) else x


def train(
    config: Config | str,
    data: Dataset | str | None = None,
    on_step: Callable[[int, int], None] | None = None,
    *,
    look_every: int = EVERY,
    checkpoint_path: str | Path | None = None,
    checkpoint_seconds: float = 20.0,
    resume: bool = False,
    start_from: str | Path | Params | None = None,
    **options: Any,
) -> History:
    """Train a network with every product, sum, gradient and optimizer step rounded as the policy says.

    Parameters
    ----------
    config : Config or str
        A run, or the name of a recipe, such as "mixed-binary16".
    data : Dataset or str, optional
        The data or their name; by default those that the configuration names.
    on_step : callable, optional
        Called with the number of steps done and the number in all.
    look_every : int
        Steps between two looks through the microscope; 0 for none.
    checkpoint_path : path, optional
        Where to keep the run, every `checkpoint_seconds` and at the end of each epoch; written beside and renamed. It
        can be read as a model, too.
    resume : bool
        Go on from the checkpoint, if there is one. The result is the same, bit for bit, as of an uninterrupted run.
    start_from : path or Params, optional
        Weights to begin with, for fine-tuning: those of a saved model, of the same shapes, in any format.
    **options
        Fields of Config that override the recipe's.

    Returns
    -------
    History
        It ends early, with `death` set, at the first step after which a parameter is not finite.

    Raises
    ------
    ValueError
        For impossible options, data that do not fit, or a checkpoint of another configuration.

    Examples
    --------
    >>> history = train("bfloat16-kahan", data="digits", lr=1e-2, epochs=1)
    >>> history.epochs[0].test_accuracy > 0.8
    True
    """
    config = get_config(config, **options, data=data.name if isinstance(data, Dataset) else data)
    run = Loop(config, data if isinstance(data, Dataset) else load_data(config), look_every)
    keep = checkpoint.Keeper(checkpoint_path, checkpoint_seconds)
    if not resume:
        keep.refuse_unfinished()
    with np.errstate(all="ignore"):
        weights = _weights(start_from)
        state = keep.load(run, weights) if resume else run.start(weights)
        while not run.finished(state):
            state = run.advance(state)
            if on_step:
                on_step(state.progress.step, run.engine.batches * config.epochs)
            keep.offer(run, state)
    return run.history(state)


def load_data(config: Config) -> Dataset:
    """The data that a configuration names, normalised as it says."""
    return normalise(load(config.data), config.normalisation)


def _weights(given: str | Path | Params | None) -> Params | None:
    return checkpoint.load_model(given).params if isinstance(given, (str, Path)) else given


@dataclass(frozen=True)
class LoopState:
    """Where the loop stands: the progress, the epochs that are done, and the number of batches done in this one."""

    progress: Progress
    epochs: tuple[Epoch, ...] = ()
    batch: int = 0


class Loop:
    """Epochs of batches: an Engine's steps, a microscope over them, and what is to be remembered."""

    def __init__(self, config: Config, data: Dataset, look_every: int = EVERY) -> None:
        self.config, self.engine = config, Engine(config, data)
        self.microscope = Microscope(look_every)
        self._order: tuple[int, list[Any]] = (0, [])

    def start(self, weights: Params | None = None) -> LoopState:
        """Before the first step, from weights that are drawn or given."""
        return LoopState(self.engine.start(weights))

    def finished(self, state: LoopState) -> bool:
        """Whether there is nothing more to do."""
        return state.progress.death is not None or len(state.epochs) >= self.config.epochs

    def advance(self, state: LoopState) -> LoopState:
        """One step; at the end of an epoch, or when the run dies, with the summary of the epoch."""
        epoch = len(state.epochs) + 1
        if self._order[0] != epoch:
            self._order = epoch, self.engine.order(epoch)
        backward = self.microscope.observer(state.progress.step)
        seen = self.engine.step(state.progress, self._order[1][state.batch], backward)
        self.microscope.look(seen, backward)
        progress, batch = seen.after, state.batch + 1
        if backward is not None:
            tally = replace(progress.tally, lost=progress.tally.lost + backward.lost)
            progress = replace(progress, tally=tally)
        if batch < self.engine.batches and progress.death is None:
            return LoopState(progress, state.epochs, batch)
        done = self._summary(epoch, progress)
        return LoopState(replace(progress, tally=Tally()), (*state.epochs, done), 0)

    def _summary(self, number: int, progress: Progress) -> Epoch:
        tally, data = progress.tally, self.engine.data
        reached = self._accuracy(progress.params, data.test_images, data.test_labels)
        validated = None
        if len(data.validation_labels):
            validated = self._accuracy(progress.params, data.validation_images, data.validation_labels)
        loss = float("nan") if progress.death else tally.loss / tally.images
        return Epoch(number, loss, reached, tally.lost, tally.absorbed, tally.overflows, tally.skipped, validated)

    def _accuracy(self, params: Params, images: Any, labels: Any) -> float:
        return accuracy(self.engine.predict(params, images), labels)

    def history(self, state: LoopState) -> History:
        """What is remembered of the run."""
        progress = state.progress
        return History(
            self.config, state.epochs, progress.params, progress.death, self.microscope.telemetry, progress.step
        )
